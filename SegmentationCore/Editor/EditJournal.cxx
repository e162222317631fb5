// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditJournal.h"

#include "OperationSchema.h"
#include "StrictJson.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace segcore
{
namespace
{
using Json = nlohmann::json;

[[noreturn]] void failAt(const std::string& path, std::size_t line, const std::string& what)
{
  throw std::runtime_error(path + ": line " + std::to_string(line) + ": " + what);
}

std::string systemError(const std::string& path, const std::string& what)
{
  return path + ": " + what + ": " + std::strerror(errno);
}

std::string readFile(const std::string& path)
{
  // Others may be endless, or never open.
  struct stat about = {};
  if (::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode))
  {
    throw std::runtime_error(path + ": is not a file");
  }
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file)
  {
    throw std::runtime_error(systemError(path, "cannot be opened"));
  }
  std::string text;
  char buffer[65536];
  std::size_t count;
  while ((count = std::fread(buffer, 1, sizeof(buffer), file)) > 0)
  {
    text.append(buffer, count);
  }
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed)
  {
    throw std::runtime_error(systemError(path, "cannot be read"));
  }
  return text;
}

/// All bytes, through interruptions. False with errno set if that is not possible.
bool writeAll(int file, const char* data, std::size_t count)
{
  while (count > 0)
  {
    const ssize_t written = ::write(file, data, count);
    if (written < 0 && errno != EINTR)
    {
      return false;
    }
    if (written > 0)
    {
      data += written;
      count -= static_cast<std::size_t>(written);
    }
  }
  return true;
}

Json parseLine(const std::string& path, std::size_t number, const std::string& line)
{
  try
  {
    return parseStrictly<Json>(line, 12);
  }
  catch (const Json::exception&)
  {
    failAt(path, number, "is not valid JSON: " + shortened(printable(line)));
  }
  catch (const std::invalid_argument& error)
  {
    failAt(path, number, printable(error.what()));
  }
}
}

//------------------------------------------------------------------------------------------------
JournalContent readJournal(const std::string& path)
{
  const std::string text = readFile(path);
  JournalContent content;
  std::size_t begin = 0;
  std::size_t number = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
  {
    const std::string line = text.substr(begin, end - begin);
    const Json json = parseLine(path, ++number, line);
    if (number == 1)
    {
      if (!json.is_object() || json.value("format", Json()) != "segmentationcore-journal")
      {
        failAt(path, number, "is not the header of a journal of SegmentationCore");
      }
      if (json.value("version", Json()) != 1)
      {
        failAt(path, number, "has a version that this program does not know, expected 1");
      }
      content.header = line;
      continue;
    }
    const bool single = json.is_object() && json.size() == 1;
    if (single && json.contains("apply") && json.at("apply").is_object())
    {
      try
      {
        // Refused here, by name, rather than after half of the journal was replayed.
        parseOperations(json.at("apply").dump());
      }
      catch (const std::exception& error)
      {
        failAt(path, number, error.what());
      }
      content.operations.push_back(json.at("apply").dump());
      content.redo.clear();
    }
    else if (single && json.value("undo", Json()) == true)
    {
      if (content.operations.empty())
      {
        failAt(path, number, "takes back an operation, and there is none");
      }
      content.redo.push_back(std::move(content.operations.back()));
      content.operations.pop_back();
    }
    else if (single && json.value("redo", Json()) == true)
    {
      if (content.redo.empty())
      {
        failAt(path, number, "repeats an operation that was taken back, and there is none");
      }
      content.operations.push_back(std::move(content.redo.back()));
      content.redo.pop_back();
    }
    else
    {
      failAt(path, number,
        "is " + shortened(printable(line)) +
          R"(, expected {"apply": {...}}, {"undo": true} or {"redo": true})");
    }
  }
  if (number == 0)
  {
    failAt(path, 1, "is not the header of a journal of SegmentationCore");
  }
  content.bytes = static_cast<std::int64_t>(begin);
  content.torn = begin < text.size();
  return content;
}

//------------------------------------------------------------------------------------------------
std::string journalText(const std::string& header, const std::vector<std::string>& operations,
  const std::vector<std::string>& redo)
{
  std::string text = header + "\n";
  for (const std::string& operation : operations)
  {
    text += "{\"apply\": " + operation + "}\n";
  }
  for (auto operation = redo.rbegin(); operation != redo.rend(); ++operation)
  {
    text += "{\"apply\": " + *operation + "}\n";
  }
  for (std::size_t i = 0; i < redo.size(); ++i)
  {
    text += "{\"undo\": true}\n";
  }
  return text;
}

//------------------------------------------------------------------------------------------------
void replaceFile(const std::string& path, const std::string& text)
{
  const std::string pattern = path + ".tmp-" + std::to_string(::getpid());
  std::string aside = pattern;
  const auto create = [&aside]
  { return ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); };
  int file = create();
  // One that died may have had the same number.
  for (int attempt = 1; file < 0 && errno == EEXIST && attempt < 1000; ++attempt)
  {
    aside = pattern + "-" + std::to_string(attempt);
    file = create();
  }
  if (file < 0)
  {
    throw std::runtime_error(systemError(aside, "cannot be created"));
  }
  const bool good = writeAll(file, text.data(), text.size()) && ::fsync(file) == 0;
  const std::string error = good ? "" : systemError(path, "cannot be written");
  ::close(file);
  if (!good || std::rename(aside.c_str(), path.c_str()) != 0)
  {
    const std::string text2 = good ? systemError(path, "cannot be replaced") : error;
    ::unlink(aside.c_str());
    throw std::runtime_error(text2);
  }
}

//------------------------------------------------------------------------------------------------
JournalWriter::JournalWriter(const std::string& path)
  : Path(path), File(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC))
{
  if (this->File < 0)
  {
    this->fail("cannot be opened for writing");
  }
  // A lock of fcntl() would not hold between two sessions of one process, and end as soon as
  // anybody in it closed the file.
  if (::flock(this->File, LOCK_EX | LOCK_NB) != 0)
  {
    const bool taken = errno == EWOULDBLOCK;
    const std::string error = systemError(path, "cannot be locked");
    ::close(this->File);
    throw std::runtime_error(taken ? path + ": is in use by another session" : error);
  }
}

//------------------------------------------------------------------------------------------------
void JournalWriter::continueAfter(std::int64_t bytes)
{
  if (::ftruncate(this->File, bytes) != 0 || ::lseek(this->File, bytes, SEEK_SET) < 0)
  {
    this->fail("cannot be continued");
  }
  this->Bytes = bytes;
}

//------------------------------------------------------------------------------------------------
JournalWriter::~JournalWriter()
{
  ::close(this->File);
}

//------------------------------------------------------------------------------------------------
void JournalWriter::fail(const std::string& what) const
{
  throw std::runtime_error(systemError(this->Path, what));
}

//------------------------------------------------------------------------------------------------
void JournalWriter::append(const std::string& line)
{
  const std::string text = line + "\n";
  if (!writeAll(this->File, text.data(), text.size()))
  {
    const int error = errno;
    // Half a line would be read as a dying process's; a journal that goes on must not have one.
    if (::ftruncate(this->File, this->Bytes) != 0 || ::lseek(this->File, this->Bytes, SEEK_SET) < 0)
    {
      this->fail("cannot be written, and its last line is incomplete");
    }
    errno = error;
    this->fail("cannot be written");
  }
  this->Bytes += static_cast<std::int64_t>(text.size());
}

} // namespace segcore
