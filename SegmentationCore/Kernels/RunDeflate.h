// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Deflate (RFC 1951, doi:10.17487/RFC1951) of label maps, which are runs of equal voxels whose
/// rows are like the row before.
///
/// A general compressor searches the last 32 KiB for whatever resembles the next bytes. Here only
/// two places are looked at: the voxel before (a run) and the row before. That is several times
/// faster, and on label maps as small as a thorough search. Any bytes can be compressed and every
/// decompressor reads the result; bytes that are no label map just stay larger than they had to.
///
/// Input: a chunk of the byte stream, and how many bytes of the stream lie in memory before it; the
/// size of a voxel and of a row in bytes. Output: appended to `out`: one block with Huffman codes
/// of its own, which are optimal for codes of at most 15 bits (package-merge: L. L. Larmore, D. S.
/// Hirschberg, A fast algorithm for optimal length-limited Huffman codes, J. ACM 37(3):464-473,
/// 1990, doi:10.1145/79147.79150), then an empty stored block up to a byte's end, so that chunks
/// can be compressed at the same time and joined; the last chunk ends the stream instead. A pure
/// function of its input. Threads: none of its own, safe from many. Cost: linear. Scratch: 4 bytes
/// per byte of the chunk at most.

#ifndef segcoreRunDeflate_h
#define segcoreRunDeflate_h

#include "Box.h"

#include "SegmentationCoreKernelsModule.h"

#include <vector>

namespace segcore
{

struct RunDeflate
{
  /// Distances in bytes at which equal bytes are looked for, from 1 to 32768; others are left out.
  Index voxel = 1;
  Index row = 0;
};

/// See above. At most 2^28 bytes.
SEGMENTATIONCOREKERNELS_EXPORT void runDeflate(const RunDeflate& layout, const unsigned char* data,
  Index bytes, Index bytesBefore, bool last, std::vector<unsigned char>& out);

} // namespace segcore

#endif
