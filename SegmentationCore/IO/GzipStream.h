// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Gzip (RFC 1952) on all threads: one member, as every reader expects it.
///
/// The bytes are cut every ChunkBytes, wherever the calls to write() end. Each chunk becomes
/// deflate blocks of its own (RFC 1951) that end at a byte, with matches that may reach into the 32
/// KiB before it. So the chunks can be compressed at the same time and their results follow each
/// other in the stream, which depends on the bytes and the settings alone: not on the number of
/// threads, nor on how the bytes came in pieces.
///
/// A library does the work:
///  - levels 1 to 3: ISA-L (igzip) where the build has it, in a third to a tenth of zlib's time and
///    at about the size of zlib's level 1. Its choice of matches depends on the processor's
///    instructions, so the stream of another kind of processor may be a little different;
///  - levels 4 to 6, and 1 to 3 without ISA-L: zlib. Label maps of one byte per voxel are runs:
///    its run-length strategy finds them several times faster than the search of level 6, in files
///    of about the same size;
///  - levels 7 to 9: zlib's patient search.
///
/// Scratch memory: what is compressed at once, and its results: at most 2 bytes per byte of a call
/// to write(). Not for several threads at once.
#ifndef segcore_GzipStream_h
#define segcore_GzipStream_h

#include "Box.h"

#include <functional>
#include <vector>

namespace segcore
{

class GzipStream
{
public:
  static constexpr Index ChunkBytes = Index{ 1 } << 18;

  using Sink = std::function<void(const unsigned char*, Index)>;

  /// Level 1 (fast) to 9 (small). `runs`: whether the bytes are the voxels of a label map.
  /// `sink` gets the stream, piece by piece, from the calling thread.
  GzipStream(int level, bool runs, Sink sink);

  void write(const unsigned char* data, Index bytes);

  /// The rest and the end of the stream; no more writing.
  void finish();

private:
  void compress(const unsigned char* data, Index bytes, bool last);

  int Level;
  bool Runs;
  Sink Out;
  std::vector<unsigned char> Before;  ///< the last bytes of earlier chunks: up to 32 KiB
  std::vector<unsigned char> Pending; ///< less than a chunk
  unsigned long Check = 0;            ///< CRC-32 of everything
  Index Total = 0;
};

} // namespace segcore

#endif
