// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Box: a block of voxels, given by the global indices of its first and last voxel.
///
/// Layout used by every kernel: x fastest, then y, then z; strides count elements. The voxel (x, y,
/// z) of a block stored alone lies at `x - lo[0] + dim(0) * (y - lo[1] + dim(1) * (z - lo[2]))`.
/// Bounds are inclusive, like VTK extents; hi < lo on any axis means that there is no voxel.
/// Indices have 64 bits: products of dimensions never pass through `int`. All boxes without voxels
/// are equal.

#ifndef segcoreBox_h
#define segcoreBox_h

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace segcore
{

/// Index of a voxel along an axis, offset into an array, or number of voxels.
using Index = std::int64_t;

struct Box
{
  Index lo[3] = { 0, 0, 0 };
  Index hi[3] = { -1, -1, -1 };

  /// From a VTK extent (x0, x1, y0, y1, z0, z1).
  static Box fromExtent(const int extent[6])
  {
    Box box;
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] = extent[2 * a];
      box.hi[a] = extent[2 * a + 1];
    }
    return box;
  }

  /// To a VTK extent. Throws std::overflow_error if an index does not fit into `int`.
  void toExtent(int extent[6]) const
  {
    for (int a = 0; a < 3; ++a)
    {
      extent[2 * a] = Box::narrow(this->lo[a]);
      extent[2 * a + 1] = Box::narrow(this->hi[a]);
    }
  }

  /// The box of the given dimensions whose first voxel is (0, 0, 0).
  static Box ofSize(Index nx, Index ny, Index nz)
  {
    Box box;
    box.hi[0] = nx - 1;
    box.hi[1] = ny - 1;
    box.hi[2] = nz - 1;
    return box;
  }

  bool empty() const
  {
    return this->hi[0] < this->lo[0] || this->hi[1] < this->lo[1] || this->hi[2] < this->lo[2];
  }

  /// Voxels along an axis; 0 rather than a negative number if the axis is empty.
  Index dim(int axis) const { return std::max<Index>(0, this->hi[axis] - this->lo[axis] + 1); }

  /// Number of voxels.
  Index size() const { return this->dim(0) * this->dim(1) * this->dim(2); }

  /// Number of rows along x.
  Index rows() const { return this->dim(1) * this->dim(2); }

  bool contains(Index i, Index j, Index k) const
  {
    return i >= this->lo[0] && i <= this->hi[0] && j >= this->lo[1] && j <= this->hi[1] &&
      k >= this->lo[2] && k <= this->hi[2];
  }

  /// A box without voxels is inside every box.
  bool contains(const Box& other) const
  {
    return other.empty() ||
      (this->contains(other.lo[0], other.lo[1], other.lo[2]) &&
        this->contains(other.hi[0], other.hi[1], other.hi[2]));
  }

  /// The voxels in both boxes; may be empty.
  Box intersect(const Box& other) const
  {
    Box box;
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] = std::max(this->lo[a], other.lo[a]);
      box.hi[a] = std::min(this->hi[a], other.hi[a]);
    }
    return box;
  }

  /// The same as intersect, for reading as "this box, clipped to that one".
  Box clipped(const Box& limits) const { return this->intersect(limits); }

  /// Larger by halo[a] voxels on both sides of axis a. A box without voxels stays without.
  Box grown(const Index halo[3]) const
  {
    Box box = *this;
    if (!this->empty())
    {
      for (int a = 0; a < 3; ++a)
      {
        box.lo[a] -= halo[a];
        box.hi[a] += halo[a];
      }
    }
    return box;
  }

  Box grown(Index halo) const
  {
    const Index all[3] = { halo, halo, halo };
    return this->grown(all);
  }

  /// The smallest box with the voxels of both.
  Box unite(const Box& other) const
  {
    if (this->empty() || other.empty())
    {
      return this->empty() ? other : *this;
    }
    Box box;
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] = std::min(this->lo[a], other.lo[a]);
      box.hi[a] = std::max(this->hi[a], other.hi[a]);
    }
    return box;
  }

  /// Offset of a voxel in the array that stores this box alone. The voxel must be inside.
  Index offset(Index i, Index j, Index k) const
  {
    return i - this->lo[0] + this->dim(0) * (j - this->lo[1] + this->dim(1) * (k - this->lo[2]));
  }

  bool operator==(const Box& other) const
  {
    if (this->empty() || other.empty())
    {
      return this->empty() == other.empty();
    }
    return std::equal(this->lo, this->lo + 3, other.lo) &&
      std::equal(this->hi, this->hi + 3, other.hi);
  }
  bool operator!=(const Box& other) const { return !(*this == other); }

private:
  static int narrow(Index value)
  {
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    {
      throw std::overflow_error("segcore::Box: index does not fit into a VTK extent");
    }
    return static_cast<int>(value);
  }
};

} // namespace segcore

#endif
