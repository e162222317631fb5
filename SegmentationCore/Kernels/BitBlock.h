// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BitBlock: the mask of a box of voxels, one bit per voxel.
///
/// Layout: rows along x as in PackBits.h, each starting with a new word, then y, then z. Bits
/// beyond the end of a row are 0, always: kernels rely on it. Scratch: 1/8 byte per voxel, and up
/// to 8 bytes per row. Movable, not copyable; fresh bits are not initialised unless clear() is
/// called.

#ifndef segcoreBitBlock_h
#define segcoreBitBlock_h

#include "Buffer.h"
#include "PackBits.h"
#include "Threads.h"

#include <cstdint>

namespace segcore
{

/// The voxels of `box` in words; 0 is background.
struct BitBlock
{
  Box box;
  Index words = 0; ///< per row
  Buffer<Word> bits;

  BitBlock() = default;
  explicit BitBlock(const Box& voxels)
    : box(voxels), words(wordCount(voxels.dim(0))), bits(voxels.rows() * words)
  {
  }

  Word* row(Index y, Index z) { return this->bits.data() + this->line(y, z) * this->words; }
  const Word* row(Index y, Index z) const
  {
    return this->bits.data() + this->line(y, z) * this->words;
  }
  Index line(Index y, Index z) const
  {
    return y - this->box.lo[1] + this->box.dim(1) * (z - this->box.lo[2]);
  }

  bool test(Index x, Index y, Index z) const
  {
    return testBit(this->row(y, z), x - this->box.lo[0]);
  }

  void clear() { std::fill(this->bits.begin(), this->bits.end(), Word{ 0 }); }
};

/// Calls row(y, z) for all rows of a box, on all threads.
template <class Row>
void forEachBitRow(const Box& box, const Row& row, const Progress& progress = Progress())
{
  const Index grain = 65536 / std::max<Index>(1, box.dim(0)) + 1;
  forRanges(box.rows(), grain, progress,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        row(box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
      }
    });
}

/// Bytes on `stored`, which contains the box of the bits, to bits.
inline void packBlock(const std::uint8_t* mask, const Box& stored, BitBlock& to)
{
  forEachBitRow(to.box, [&](Index y, Index z)
    { packBits(mask + stored.offset(to.box.lo[0], y, z), to.box.dim(0), to.row(y, z)); });
}

/// Bits to bytes 0 or 1 on `stored`, which contains the box of the bits.
inline void unpackBlock(const BitBlock& from, std::uint8_t* mask, const Box& stored)
{
  forEachBitRow(from.box,
    [&](Index y, Index z)
    {
      unpackBits(from.row(y, z), 0, from.box.dim(0), mask + stored.offset(from.box.lo[0], y, z));
    });
}

/// Every voxel becomes the opposite.
inline void invertBlock(BitBlock& block)
{
  forEachBitRow(
    block.box, [&](Index y, Index z) { invertBits(block.row(y, z), block.box.dim(0)); });
}

} // namespace segcore

#endif
