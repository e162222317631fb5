// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "OutputFile.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#ifdef _WIN32
#include <io.h>
#include <process.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace segcore
{

namespace
{
namespace fs = std::filesystem;

long processNumber()
{
#ifdef _WIN32
  return static_cast<long>(_getpid());
#else
  return static_cast<long>(getpid());
#endif
}

std::string uniqueEnding()
{
  static std::atomic<long> counter{ 0 };
  return ".tmp-" + std::to_string(processNumber()) + "-" + std::to_string(++counter);
}

std::FILE* createFile(const std::string& path)
{
#ifdef _WIN32
  return _wfopen(fs::u8path(path).wstring().c_str(), L"wbx");
#else
  return std::fopen(path.c_str(), "wbxe"); // x: never an existing file; e: not for child processes
#endif
}

int flushToDisk(std::FILE* stream)
{
  if (std::fflush(stream) != 0)
  {
    return -1;
  }
#ifdef _WIN32
  return _commit(_fileno(stream));
#else
  return fsync(fileno(stream));
#endif
}

// So that the rename survives a power failure; some file systems refuse this, which is no error.
void flushFolder(const std::string& path)
{
#ifndef _WIN32
  const fs::path folder = fs::absolute(fs::u8path(path)).parent_path();
  const int descriptor = open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0)
  {
    static_cast<void>(fsync(descriptor));
    close(descriptor);
  }
#else
  static_cast<void>(path);
#endif
}

} // namespace

//----------------------------------------------------------------------------
OutputFile::OutputFile(const std::string& path) : Path(path)
{
  std::error_code error;
  const fs::path wanted = fs::u8path(path);
  if (fs::is_symlink(wanted, error))
  {
    const fs::path target = fs::weakly_canonical(wanted, error);
    if (!error)
    {
      this->Path = target.u8string();
    }
  }
  if (fs::is_directory(fs::u8path(this->Path), error))
  {
    throw FileError(path + ": is a folder, a file name is needed");
  }
  this->Temporary = this->Path + uniqueEnding();
  this->Stream = createFile(this->Temporary);
  if (!this->Stream)
  {
    this->fail("cannot be created", errno);
  }
}

//----------------------------------------------------------------------------
OutputFile::~OutputFile()
{
  if (this->Stream)
  {
    std::fclose(static_cast<std::FILE*>(this->Stream));
  }
  if (!this->Temporary.empty())
  {
    std::error_code ignored;
    fs::remove(fs::u8path(this->Temporary), ignored);
  }
}

//----------------------------------------------------------------------------
void OutputFile::fail(const std::string& what, int errorNumber) const
{
  throw FileError(this->Path + ": " + what + ": " + std::generic_category().message(errorNumber));
}

//----------------------------------------------------------------------------
void OutputFile::startCompression(int level, bool runs)
{
  this->Compressed.reset(new GzipStream(level, runs,
    [this](const unsigned char* data, Index bytes) { this->writePlain(data, bytes); }));
}

//----------------------------------------------------------------------------
void OutputFile::writePlain(const unsigned char* data, Index bytes)
{
  const auto size = static_cast<std::size_t>(bytes);
  if (size > 0 && std::fwrite(data, 1, size, static_cast<std::FILE*>(this->Stream)) != size)
  {
    this->fail("writing failed", errno);
  }
}

//----------------------------------------------------------------------------
void OutputFile::write(const void* data, Index bytes)
{
  const unsigned char* from = static_cast<const unsigned char*>(data);
  if (this->Compressed)
  {
    this->Compressed->write(from, bytes);
    return;
  }
  this->writePlain(from, bytes);
}

//----------------------------------------------------------------------------
void OutputFile::finish()
{
  if (this->Finished)
  {
    return;
  }
  if (this->Compressed)
  {
    this->Compressed->finish();
    this->Compressed.reset();
  }
  std::FILE* stream = static_cast<std::FILE*>(this->Stream);
  const bool flushed = flushToDisk(stream) == 0;
  const int flushError = errno;
  this->Stream = nullptr;
  const bool closed = std::fclose(stream) == 0;
  if (!flushed || !closed)
  {
    this->fail("writing failed", flushed ? errno : flushError);
  }
  std::error_code error;
  const fs::path wanted = fs::u8path(this->Path);
  if (fs::exists(wanted, error))
  {
    const fs::perms permissions = fs::status(wanted, error).permissions();
    if (!error)
    {
      fs::permissions(fs::u8path(this->Temporary), permissions, error);
    }
  }
  this->Finished = true;
}

//----------------------------------------------------------------------------
void OutputFile::commit()
{
  this->finish();
  std::error_code error;
  fs::rename(fs::u8path(this->Temporary), fs::u8path(this->Path), error);
  if (error)
  {
    throw FileError(this->Path + ": cannot be replaced: " + error.message());
  }
  this->Temporary.clear();
  flushFolder(this->Path);
}

//----------------------------------------------------------------------------
void commitTogether(OutputFile& first, OutputFile& second)
{
  first.finish();
  second.finish();
  std::error_code error;
  const fs::path wanted = fs::u8path(first.path());
  const fs::path kept = fs::u8path(first.path() + uniqueEnding());
  const bool replaces = fs::exists(wanted, error);
  if (replaces)
  {
    fs::rename(wanted, kept, error);
    if (error)
    {
      throw FileError(first.path() + ": cannot be replaced: " + error.message());
    }
  }
  try
  {
    first.commit();
    try
    {
      second.commit();
    }
    catch (...)
    {
      fs::remove(wanted, error);
      throw;
    }
  }
  catch (...)
  {
    if (replaces)
    {
      fs::rename(kept, wanted, error);
    }
    throw;
  }
  if (replaces)
  {
    fs::remove(kept, error);
  }
}

} // namespace segcore
