// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BoxMajority: median filter of a binary mask in a box, that is, the majority of the box.
///
/// Input: a mask (0, or anything else for object) on `padded`, which must hold `target` grown by
/// (size - 1) / 2 and clipped to `whole`, the extent of the undivided image. Output: 0 or 1 on
/// `target`. The window is clipped at the border of `whole`, never at the border of a block; a
/// voxel becomes 1 iff more than half of the voxels of its clipped window are object; a tie (only
/// in clipped windows) gives 0. This is what vtkImageMedian3D, hence Slicer, does. Threads: yes,
/// any split gives the same bits. Cost: O(1) per voxel for any size (running sums along x, y and z;
/// additions of 8-bit counts while the box has at most 255 voxels, else 16 or 32 bit). Scratch: per
/// thread (size_z + 3) x (32, or 2 size_y if more, rows) x width counts; not proportional to the
/// volume while the box is small against it. Bad input (even or non-positive size, boxes that do
/// not fit): std::invalid_argument. Source: Huang, Yang, Tang, IEEE Trans. ASSP 27 (1979),
/// doi:10.1109/TASSP.1979.1163188 (running sums).

#ifndef segcoreBoxMajority_h
#define segcoreBoxMajority_h

#include "Threads.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace segcore
{

/// Odd number of voxels for a kernel of the given diameter: 2 round((size / spacing + 1) / 2) - 1,
/// halves to even as in Python (Slicer's rule), at least 1.
inline Index kernelVoxels(double sizeMillimetres, double spacing)
{
  const double half = (sizeMillimetres / spacing + 1.0) / 2.0;
  if (!(half < 1e15))
  {
    throw std::invalid_argument("segcore::kernelVoxels: size / spacing is not a usable number");
  }
  const double floor = std::floor(half);
  const double rest = half - floor;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2.0) != 0.0);
  return std::max<Index>(1, 2 * static_cast<Index>(floor + (up ? 1.0 : 0.0)) - 1);
}

namespace detail
{

/// Window sums of one row: out[i] = number of object voxels among in[first + i - r .. first + i +
/// r], clipped to [0, n). 0 <= first, first + count <= n.
template <class Count>
void rowSums(const std::uint8_t* in, Index n, Index first, Index count, Index r, Count* out)
{
  const auto at = [in, n](Index i) -> Count
  { return i >= 0 && i < n ? static_cast<Count>(in[i] != 0) : Count{ 0 }; };
  // Interior by shifted additions, vectorised, while that is cheaper than a running sum.
  const Index innerBegin = std::min(count, std::max<Index>(0, r - first));
  const Index innerEnd = std::max(innerBegin, std::min(count, n - r - first));
  if (r <= 8)
  {
    for (Index i = 0; i < count; ++i)
    {
      if (i == innerBegin)
      {
        i = innerEnd;
        if (i == count)
        {
          break;
        }
      }
      Count sum = 0;
      for (Index d = -r; d <= r; ++d)
      {
        sum = static_cast<Count>(sum + at(first + i + d));
      }
      out[i] = sum;
    }
    const std::uint8_t* from = in + first;
    const auto add = [&](Index a, Index b, Index c)
    {
      for (Index i = innerBegin; i < innerEnd; ++i)
      {
        out[i] =
          static_cast<Count>(out[i] + (from[i + a] != 0) + (from[i + b] != 0) + (from[i + c] != 0));
      }
    };
    if (r == 0)
    {
      for (Index i = innerBegin; i < innerEnd; ++i)
      {
        out[i] = static_cast<Count>(from[i] != 0);
      }
      return;
    }
    for (Index i = innerBegin; i < innerEnd; ++i)
    {
      out[i] = static_cast<Count>((from[i - 1] != 0) + (from[i] != 0) + (from[i + 1] != 0));
    }
    for (Index d = 2; d + 1 <= r; d += 2)
    {
      add(-d, d, -d - 1);
      for (Index i = innerBegin; i < innerEnd; ++i)
      {
        out[i] = static_cast<Count>(out[i] + (from[i + d + 1] != 0));
      }
    }
    if (r >= 2 && r % 2 == 0)
    {
      for (Index i = innerBegin; i < innerEnd; ++i)
      {
        out[i] = static_cast<Count>(out[i] + (from[i - r] != 0) + (from[i + r] != 0));
      }
    }
    return;
  }
  Count sum = 0;
  for (Index i = std::max<Index>(0, first - r); i <= std::min(n - 1, first + r); ++i)
  {
    sum = static_cast<Count>(sum + at(i));
  }
  for (Index i = 0; i < count; ++i)
  {
    out[i] = sum;
    sum = static_cast<Count>(sum + at(first + i + r + 1) - at(first + i - r));
  }
}

/// sum += plus - minus over a row; null rows count as 0. Unsigned, so intermediate wrap-around is
/// harmless.
template <class Count>
void slide(Count* sum, const Count* plus, const Count* minus, Index n)
{
  if (plus && minus)
  {
    for (Index i = 0; i < n; ++i)
    {
      sum[i] = static_cast<Count>(sum[i] + plus[i] - minus[i]);
    }
  }
  else if (plus)
  {
    for (Index i = 0; i < n; ++i)
    {
      sum[i] = static_cast<Count>(sum[i] + plus[i]);
    }
  }
  else if (minus)
  {
    for (Index i = 0; i < n; ++i)
    {
      sum[i] = static_cast<Count>(sum[i] - minus[i]);
    }
  }
}

/// Voxels of the window of half-width r around i inside [lo, hi].
inline Index clippedWindow(Index i, Index r, Index lo, Index hi)
{
  return std::min(hi, i + r) - std::max(lo, i - r) + 1;
}

template <class Count>
void boxMajority(const std::uint8_t* mask, const Box& padded, const Box& whole, const Box& target,
  const Index radius[3], std::uint8_t* out, const Progress& progress)
{
  const Index nx = target.dim(0);
  const Index ny = target.dim(1);
  const Index ry = radius[1];
  const Index rz = radius[2];
  // Strips of rows are independent, each runs through all slices; tall enough that the rows that
  // neighbouring strips calculate twice do not matter. Cut along z too where there are too few
  // strips.
  const Index strip = std::min(ny, std::max<Index>(32, 2 * (2 * ry + 1)));
  const Index strips = (ny + strip - 1) / strip;
  const Index least = std::max<Index>(16, 4 * (2 * rz + 1));
  const Index wanted = progress.active() ? 16 : 2 * threadCount();
  const Index slabs =
    std::max<Index>(1, std::min((wanted + strips - 1) / strips, target.dim(2) / least));

  const auto work = [&](Index task)
  {
    const Index y0 = target.lo[1] + (task % strips) * strip;
    const Index y1 = std::min(target.hi[1], y0 + strip - 1);
    const Index z0 = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips);
    const Index z1 = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips + 1) - 1;
    const Index rows = y1 - y0 + 1;
    const Index plane = rows * nx;
    const Index inY0 = std::max(padded.lo[1], y0 - ry);
    const Index inY1 = std::min(padded.hi[1], y1 + ry);
    const Index inZ0 = std::max(padded.lo[2], z0 - rz);
    const Index inZ1 = std::min(padded.hi[2], z1 + rz);
    const Index depth = std::min(2 * rz + 1, inZ1 - inZ0 + 1) + 1;

    std::vector<Count> sumX(static_cast<std::size_t>((inY1 - inY0 + 1) * nx));
    std::vector<Count> ring(
      static_cast<std::size_t>(depth * plane)); // sums over x and y, slice z % depth
    std::vector<Count> sum(static_cast<std::size_t>(plane), Count{ 0 });
    std::vector<Count> half(static_cast<std::size_t>(nx));
    Index halfOf = -1;

    const auto slice = [&](Index z) { return ring.data() + ((z - inZ0) % depth) * plane; };
    const auto makeSlice = [&](Index z)
    {
      for (Index y = inY0; y <= inY1; ++y)
      {
        rowSums(mask + padded.offset(padded.lo[0], y, z), padded.dim(0),
          target.lo[0] - padded.lo[0], nx, radius[0], sumX.data() + (y - inY0) * nx);
      }
      const auto row = [&](Index y) -> const Count*
      { return y >= inY0 && y <= inY1 ? sumX.data() + (y - inY0) * nx : nullptr; };
      Count* to = slice(z);
      std::fill(to, to + nx, Count{ 0 });
      for (Index y = std::max(inY0, y0 - ry); y <= std::min(inY1, y0 + ry); ++y)
      {
        slide<Count>(to, row(y), nullptr, nx);
      }
      for (Index y = y0 + 1; y <= y1; ++y, to += nx)
      {
        std::copy(to, to + nx, to + nx);
        slide(to + nx, row(y + ry), row(y - ry - 1), nx);
      }
    };

    for (Index z = inZ0; z < std::min(inZ1 + 1, z0 + rz); ++z)
    {
      makeSlice(z);
      slide<Count>(sum.data(), slice(z), nullptr, plane);
    }
    for (Index z = z0; z <= z1; ++z)
    {
      // Invariant after these two steps: sum holds the window [z - rz, z + rz].
      if (z + rz <= inZ1)
      {
        makeSlice(z + rz);
        slide<Count>(sum.data(), slice(z + rz), nullptr, plane);
      }
      if (z > z0 && z - rz - 1 >= inZ0)
      {
        slide<Count>(sum.data(), nullptr, slice(z - rz - 1), plane);
      }
      const Index windowZ = clippedWindow(z, rz, whole.lo[2], whole.hi[2]);
      for (Index y = y0; y <= y1; ++y)
      {
        const Index windowYZ = windowZ * clippedWindow(y, ry, whole.lo[1], whole.hi[1]);
        if (windowYZ != halfOf)
        {
          for (Index i = 0; i < nx; ++i)
          {
            half[static_cast<std::size_t>(i)] = static_cast<Count>(
              windowYZ * clippedWindow(target.lo[0] + i, radius[0], whole.lo[0], whole.hi[0]) / 2);
          }
          halfOf = windowYZ;
        }
        // 2 count > window, written as count > floor(window / 2) so that it fits the type.
        const Count* count = sum.data() + (y - y0) * nx;
        const Count* limit = half.data();
        std::uint8_t* to = out + target.offset(target.lo[0], y, z);
        for (Index i = 0; i < nx; ++i)
        {
          to[i] = static_cast<std::uint8_t>(count[i] > limit[i]);
        }
      }
    }
  };
  forRanges(strips * slabs, 1, progress,
    [&](Index begin, Index end)
    {
      for (Index task = begin; task < end; ++task)
      {
        work(task);
      }
    });
}

} // namespace detail

/// The majority of the box of size[0] x size[1] x size[2] voxels (odd numbers) around each voxel of
/// target.
inline void boxMajority(const std::uint8_t* mask, const Box& padded, const Box& whole,
  const Box& target, const Index size[3], std::uint8_t* out, const Progress& progress = Progress())
{
  Index radius[3];
  Index voxels = 1;
  for (int a = 0; a < 3; ++a)
  {
    if (size[a] < 1 || size[a] % 2 == 0)
    {
      throw std::invalid_argument("segcore::boxMajority: sizes must be odd and positive");
    }
    // A window wider than the image counts the same voxels as one that just covers it.
    radius[a] = std::min((size[a] - 1) / 2, whole.dim(a));
    voxels *= std::min(2 * radius[a] + 1, whole.dim(a));
  }
  if (target.empty())
  {
    return;
  }
  if (!padded.contains(target.grown(radius).clipped(whole)) || !whole.contains(padded))
  {
    throw std::invalid_argument("segcore::boxMajority: the padded box lacks voxels of the halo");
  }
  if (voxels <= 0xff)
  {
    detail::boxMajority<std::uint8_t>(mask, padded, whole, target, radius, out, progress);
  }
  else if (voxels <= 0xffff)
  {
    detail::boxMajority<std::uint16_t>(mask, padded, whole, target, radius, out, progress);
  }
  else if (voxels <= 0xffffffff)
  {
    detail::boxMajority<std::uint32_t>(mask, padded, whole, target, radius, out, progress);
  }
  else
  {
    detail::boxMajority<std::uint64_t>(mask, padded, whole, target, radius, out, progress);
  }
}

} // namespace segcore

#endif
