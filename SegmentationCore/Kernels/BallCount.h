// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BallCount: of how many voxels around a voxel a mask is 1, and whether that is half of them.
///
/// The neighbourhood of a voxel is all voxels of the image whose centre is within a radius in
/// millimetres, itself included; it is cut off where the image ends. The distance is the floating
/// sum x^2 + y^2 + z^2 of products of whole numbers and spacings, in this order, with a tolerance
/// of 1e-9 of the radius, so that whole multiples are inside; it depends on the offset alone.
/// Cost: a row of the mask for each row of the neighbourhood, for 64 voxels at once. Threads may
/// share one. Memory: 8 bytes per row of the neighbourhood.

#ifndef segcoreBallCount_h
#define segcoreBallCount_h

#include "Box.h"
#include "PackBits.h"

#include <cmath>
#include <vector>

namespace segcore
{

class BallCount
{
public:
  /// The neighbourhood in an image `whole`. The radius must be 0 or more.
  BallCount(double radiusMillimetres, const double spacing[3], const Box& whole) : Whole(whole)
  {
    for (int a = 0; a < 3; ++a)
    {
      this->Reach[a] = static_cast<Index>(
        std::min(std::floor(radiusMillimetres / spacing[a] * (1.0 + 1e-9)), 1e9));
      // No farther than the image: there is nothing to count.
      this->Reach[a] = std::min(this->Reach[a], std::max<Index>(0, whole.dim(a) - 1));
    }
    const double limit = radiusMillimetres * (1.0 + 1e-9);
    for (Index dz = -this->Reach[2]; dz <= this->Reach[2]; ++dz)
    {
      for (Index dy = -this->Reach[1]; dy <= this->Reach[1]; ++dy)
      {
        const double y = static_cast<double>(dy) * spacing[1];
        const double z = static_cast<double>(dz) * spacing[2];
        Index dx = -1;
        while (dx < this->Reach[0])
        {
          const double x = static_cast<double>(dx + 1) * spacing[0];
          if (x * x + y * y + z * z > limit * limit)
          {
            break;
          }
          ++dx;
        }
        if (dx >= 0)
        {
          this->Rows.push_back({ dy, dz, dx });
        }
      }
    }
  }

  const Index* reach() const { return this->Reach; }
  /// Whether there is nothing but the voxel itself.
  bool alone() const { return this->Rows.size() == 1 && this->Rows[0].half == 0; }

  /// Bit i: whether the mask is 1 for at least half of the neighbourhood of voxel (x + i, y, z), 0
  /// <= i < count <= 64. row(x0, x1, y, z, bytes) writes the mask, 0 or 1, of voxels of the image.
  template <class Row>
  Word atLeastHalf(Index x, Index y, Index z, Index count, const Row& row) const
  {
    std::vector<std::int32_t> inside(static_cast<std::size_t>(count), 0);
    std::vector<std::int32_t> all(static_cast<std::size_t>(count), 0);
    std::vector<std::uint8_t> bytes;
    std::vector<std::int32_t> sums;
    for (const Span& span : this->Rows)
    {
      if (!this->Whole.contains(this->Whole.lo[0], y + span.dy, z + span.dz))
      {
        continue;
      }
      const Index x0 = std::max(this->Whole.lo[0], x - span.half);
      const Index x1 = std::min(this->Whole.hi[0], x + count - 1 + span.half);
      bytes.resize(static_cast<std::size_t>(x1 - x0 + 1));
      row(x0, x1, y + span.dy, z + span.dz, bytes.data());
      sums.assign(bytes.size() + 1, 0);
      for (std::size_t i = 0; i < bytes.size(); ++i)
      {
        sums[i + 1] = sums[i] + bytes[i];
      }
      for (Index i = 0; i < count; ++i)
      {
        const Index first = std::max(x0, x + i - span.half) - x0;
        const Index end = std::min(x1, x + i + span.half) - x0 + 1;
        inside[static_cast<std::size_t>(i)] +=
          sums[static_cast<std::size_t>(end)] - sums[static_cast<std::size_t>(first)];
        all[static_cast<std::size_t>(i)] += static_cast<std::int32_t>(end - first);
      }
    }
    Word bits = 0;
    for (Index i = 0; i < count; ++i)
    {
      const auto n = static_cast<std::size_t>(i);
      bits |= Word{ 2 * std::int64_t{ inside[n] } >= all[n] } << i;
    }
    return bits;
  }

private:
  struct Span
  {
    Index dy;
    Index dz;
    Index half; // the row reaches from -half to half along x
  };
  Box Whole;
  Index Reach[3];
  std::vector<Span> Rows;
};

} // namespace segcore

#endif
