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
/// Anything is compressed by zlib; label maps up to level 6 by RunDeflate, which knows where to
/// look: on the atlas of 116 regions it is as small as zlib's level 6, on noisy ones smaller.
///
/// Scratch memory: what is compressed at once, and its results: at most 2 bytes per byte of a call
/// to write(). Not for several threads at once.
#ifndef segcore_GzipStream_h
#define segcore_GzipStream_h

#include "Box.h"
#include "RunDeflate.h"

#include <functional>
#include <vector>

namespace segcore
{

class GzipStream
{
public:
  static constexpr Index ChunkBytes = Index{ 1 } << 18;

  using Sink = std::function<void(const unsigned char*, Index)>;

  /// Level 1 (fast) to 9 (small). `labels` is the layout of a label map, null for anything else.
  /// `sink` gets the stream, piece by piece, from the calling thread.
  GzipStream(int level, const RunDeflate* labels, Sink sink);

  void write(const unsigned char* data, Index bytes);

  /// The rest and the end of the stream; no more writing.
  void finish();

private:
  void compress(const unsigned char* data, Index bytes, bool last);

  int Level;
  bool IsLabels;
  RunDeflate Labels;
  Sink Out;
  std::vector<unsigned char> Before;  ///< the last bytes of earlier chunks: up to 32 KiB
  std::vector<unsigned char> Pending; ///< less than a chunk
  unsigned long Check = 0;            ///< CRC-32 of everything
  Index Total = 0;
};

} // namespace segcore

#endif
