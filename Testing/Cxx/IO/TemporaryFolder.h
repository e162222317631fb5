// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// A folder that is gone when the test ends, and files in it.

#ifndef TemporaryFolder_h
#define TemporaryFolder_h

#include <zlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

class TemporaryFolder
{
public:
  explicit TemporaryFolder(const char* name)
  {
    static std::atomic<int> counter{ 0 };
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    this->Path_ = std::filesystem::temp_directory_path() /
      (std::string(name) + "-" + std::to_string(now) + "-" + std::to_string(++counter));
    std::filesystem::create_directories(this->Path_);
  }
  /// The folder of another process, which removes it.
  explicit TemporaryFolder(const std::filesystem::path& existing) : Path_(existing), IsMine_(false)
  {
  }
  ~TemporaryFolder()
  {
    std::error_code ignored;
    if (this->IsMine_)
    {
      std::filesystem::remove_all(this->Path_, ignored);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (this->Path_ / name).string(); }
  const std::filesystem::path& path() const { return this->Path_; }

  std::string write(const std::string& name, const std::string& bytes) const
  {
    std::ofstream stream(this->Path_ / name, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return *this / name;
  }

  std::string read(const std::string& name) const
  {
    std::ifstream stream(this->Path_ / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  int files() const
  {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(this->Path_))
    {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

private:
  std::filesystem::path Path_;
  bool IsMine_ = true;
};

/// gzip in memory.
inline std::string gzipped(const std::string& bytes)
{
  z_stream state = {};
  deflateInit2(&state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&state, static_cast<uLong>(bytes.size())) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<uInt>(bytes.size());
  state.next_out = reinterpret_cast<Bytef*>(&result[0]);
  state.avail_out = static_cast<uInt>(result.size());
  deflate(&state, Z_FINISH);
  result.resize(result.size() - state.avail_out);
  deflateEnd(&state);
  return result;
}

#endif
