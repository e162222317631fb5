// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ShellArray: the voxels of a block and of a halo around it, without a copy of the block: its own
/// are read where they are, those around it from memory of this object.
///
/// Rows are read in runs: row(i, j, k) points to voxel (i, j, k), and run(i, n) tells how many of
/// the n voxels from there on follow it in memory. BoxArray is the same for a single array, which
/// is one run. Memory: the halo.

#ifndef segcoreShellArray_h
#define segcoreShellArray_h

#include "Box.h"
#include "Buffer.h"

#include <algorithm>

namespace segcore
{

/// An array that stores `stored`.
template <class V>
class BoxArray
{
public:
  BoxArray(const V* values, const Box& stored) : Values(values), Stored(stored) {}

  const V* row(Index i, Index j, Index k) const
  {
    return this->Values + this->Stored.offset(i, j, k);
  }
  Index run(Index, Index count) const { return count; }

private:
  const V* Values;
  Box Stored;
};

template <class V>
class ShellArray
{
public:
  /// `values` store `stored`, which contains `block`; `padded` contains the block.
  ShellArray(const V* values, const Box& stored, const Box& block, const Box& padded)
    : Block(block), Within(values, stored)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool low : { true, false })
      {
        // As long as the padded block along the axes before this one, as the block along the
        // others.
        Box slab = padded;
        for (int other = axis + 1; other < 3; ++other)
        {
          slab.lo[other] = block.lo[other];
          slab.hi[other] = block.hi[other];
        }
        slab.lo[axis] = low ? padded.lo[axis] : block.hi[axis] + 1;
        slab.hi[axis] = low ? block.lo[axis] - 1 : padded.hi[axis];
        if (!slab.empty())
        {
          Side& side = this->Sides[axis][low ? 0 : 1];
          side.box = slab;
          side.values = Buffer<V>(slab.size());
        }
      }
    }
  }

  /// Calls work(box, values) for the parts around the block, whose values are to be filled in.
  template <class Work>
  void forEachSide(const Work& work)
  {
    for (auto& two : this->Sides)
    {
      for (Side& side : two)
      {
        if (!side.values.empty())
        {
          work(side.box, side.values.data());
        }
      }
    }
  }

  const V* row(Index i, Index j, Index k) const
  {
    const Index at[3] = { i, j, k };
    for (int axis = 2; axis >= 0; --axis)
    {
      if (at[axis] < this->Block.lo[axis] || at[axis] > this->Block.hi[axis])
      {
        const Side& side = this->Sides[axis][at[axis] < this->Block.lo[axis] ? 0 : 1];
        return side.values.data() + side.box.offset(i, j, k);
      }
    }
    return this->Within.row(i, j, k);
  }

  Index run(Index i, Index count) const
  {
    if (i < this->Block.lo[0])
    {
      return std::min(count, this->Block.lo[0] - i);
    }
    return i <= this->Block.hi[0] ? std::min(count, this->Block.hi[0] + 1 - i) : count;
  }

private:
  struct Side
  {
    Box box;
    Buffer<V> values; // none where the image ends
  };
  Box Block;
  BoxArray<V> Within;
  Side Sides[3][2];
};

} // namespace segcore

#endif
