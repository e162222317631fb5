// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// A file that appears complete or not at all.
///
/// Bytes go to `<name>.tmp-<process>-<number>` in the same folder; commit() flushes it to the disk
/// (fsync) and renames it over the wanted name. Until then, and if anything fails, an older file of
/// that name stays as it was and the temporary one is removed. A symbolic link is followed: what it
/// points to is replaced. Permissions of a replaced file are kept.
///
/// Throws FileError, beginning with the path. Not for several threads.
#ifndef segcore_OutputFile_h
#define segcore_OutputFile_h

#include "GzipStream.h"
#include "VoxelFile.h"

#include <memory>
#include <string>

namespace segcore
{

class OutputFile
{
public:
  /// Creates the temporary file.
  explicit OutputFile(const std::string& path);
  /// Removes the temporary file if there was no commit.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// What follows is compressed, see GzipStream.h.
  void startCompression(int level, bool runs);

  void write(const void* data, Index bytes);

  /// Everything is on the disk under the temporary name; no more writing.
  void finish();

  /// finish(), then rename.
  void commit();

  /// The wanted name, links resolved.
  const std::string& path() const { return this->Path; }

private:
  void writePlain(const unsigned char* data, Index bytes);
  [[noreturn]] void fail(const std::string& what, int errorNumber) const;

  std::string Path;
  std::string Temporary;
  void* Stream = nullptr; // FILE*
  std::unique_ptr<GzipStream> Compressed;
  bool Finished = false;
};

/// Commits two files that belong together: if the second cannot be renamed, the first gets its old
/// content back.
void commitTogether(OutputFile& first, OutputFile& second);

} // namespace segcore

#endif
