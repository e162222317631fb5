// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// LabelShape: voxels, box, first and second moments, and outline of every label, in one pass.
///
/// Input: labels of an integer type on `stored`, of which the voxels of `block` are measured (each
/// voxel of the undivided image must belong to one block only). Coordinates are voxel indices
/// counted from `origin`, the first voxel of the undivided image, so that they are not negative.
/// Output: entries in ascending order of label, only labels that occur, without 0.
///
/// Sums are integers of 128 bits, so that the tables of blocks and ranks, put together by
/// mergeShapes, do not depend on the split. The outline of a label is, for each slice that it
/// reaches, the convex hull of its voxels there, by the corners of voxels: voxel i reaches from
/// corner i to corner i + 1. Corners of hulls of parts are enough to find the hull of the whole.
///
/// Threads: yes, a table per thread. Cost: one read, work per run of equal voxels along x; a hull
/// of the rows of each slice. Scratch: per label and thread 150 bytes, for 16-bit types 256 KiB
/// more; outlines have 8 bytes per corner. Bad input (block outside stored, a label above 2^63 - 1
/// or below 0): std::invalid_argument.

#ifndef segcoreLabelShape_h
#define segcoreLabelShape_h

#include "LatticeHull.h"
#include "PackBits.h"
#include "Threads.h"
#include "Wide.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace segcore
{

/// The hull of a label's voxels in one slice.
struct SliceOutline
{
  Index slice = 0;
  std::vector<PlanePoint> corners;
};

struct LabelShape
{
  Index label = 0;
  Index voxels = 0;
  Box box;                           ///< counted from the image's first voxel
  Wide first[3];                     ///< sums of x, y, z
  Wide second[6];                    ///< sums of xx, yy, zz, xy, xz, yz
  std::vector<SliceOutline> outline; ///< ascending; empty unless it was asked for
};

namespace detail
{

/// Sums of one tile, counted from its first voxel: all fit 64 bits.
struct TileTally
{
  Index label = 0;
  Index n = 0, x = 0, y = 0, z = 0, xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;
  Index lo[3] = { std::numeric_limits<Index>::max(), std::numeric_limits<Index>::max(),
    std::numeric_limits<Index>::max() };
  Index hi[3] = { -1, -1, -1 };
  std::vector<PlanePoint> row; ///< first and last corners of the rows of the slice so far
  std::vector<SliceOutline> outline;
};

/// From a label to its place in a list: by a table, or by a hash table for wide types.
template <class T, bool Narrow>
class LabelSlots
{
public:
  std::int32_t& operator[](T label)
  {
    return this->Slots_[static_cast<typename std::make_unsigned<T>::type>(label)];
  }

private:
  std::vector<std::int32_t> Slots_ = std::vector<std::int32_t>(std::size_t{ 1 } << (8 * sizeof(T)));
};

template <class T>
class LabelSlots<T, false>
{
public:
  std::int32_t& operator[](T label) { return this->Slots_[label]; }

private:
  std::unordered_map<T, std::int32_t> Slots_; // 0, which new entries are, means none yet
};

/// Calls run(first, last, label) for the runs of one label along a row, without label 0.
template <class T, class Run>
void forEachLabelRun(const T* row, Index count, std::vector<Word>& ends, const Run& run)
{
  // Most rows of most images hold one label; comparing them with themselves is fastest.
  if (!std::memcmp(row, row + 1, static_cast<std::size_t>(count - 1) * sizeof(T)))
  {
    if (row[0] != T(0))
    {
      run(Index{ 0 }, count - 1, row[0]);
    }
    return;
  }
  // Bits of the last voxels of runs.
  const Index words = wordCount(count - 1);
  ends.resize(static_cast<std::size_t>(words));
  packWhere(count - 1, ends.data(), [row](Index i) { return row[i] != row[i + 1]; });
  Index first = 0;
  for (Index w = 0; w < words; ++w)
  {
    for (Word word = ends[static_cast<std::size_t>(w)]; word; word &= word - 1)
    {
      const Index last = 64 * w + lowestOne(word);
      if (row[last] != T(0))
      {
        run(first, last, row[last]);
      }
      first = last + 1;
    }
  }
  if (row[count - 1] != T(0))
  {
    run(first, count - 1, row[count - 1]);
  }
}

/// `box` in tiles in which sums of products of coordinates fit 64 bits, some for each thread.
inline std::vector<Box> shapeTiles(const Box& box)
{
  std::vector<Box> tiles;
  if (box.empty())
  {
    return tiles;
  }
  const Index nx = std::min<Index>(box.dim(0), Index{ 1 } << 16);
  const Index ny = std::min<Index>(box.dim(1), Index{ 1 } << 13);
  const Index perThread = std::max<Index>(box.size() / (4 * threadCount()), Index{ 1 } << 16);
  const Index nz = std::max<Index>(1,
    std::min(
      { box.dim(2), perThread / (nx * ny), (Index{ 1 } << 29) / (nx * ny), Index{ 1 } << 13 }));
  Box tile;
  for (tile.lo[2] = box.lo[2]; tile.lo[2] <= box.hi[2]; tile.lo[2] += nz)
  {
    tile.hi[2] = std::min(tile.lo[2] + nz - 1, box.hi[2]);
    for (tile.lo[1] = box.lo[1]; tile.lo[1] <= box.hi[1]; tile.lo[1] += ny)
    {
      tile.hi[1] = std::min(tile.lo[1] + ny - 1, box.hi[1]);
      for (tile.lo[0] = box.lo[0]; tile.lo[0] <= box.hi[0]; tile.lo[0] += nx)
      {
        tile.hi[0] = std::min(tile.lo[0] + nx - 1, box.hi[0]);
        tiles.push_back(tile);
      }
    }
  }
  return tiles;
}

template <class T>
Index checkedLabel(T label)
{
  if (label < T(0) ||
    static_cast<std::uint64_t>(label) >
      static_cast<std::uint64_t>(std::numeric_limits<Index>::max()))
  {
    throw std::invalid_argument("the label map holds the value " + std::to_string(label) +
      ", expected labels from 0 to 2^63 - 1");
  }
  return static_cast<Index>(label);
}

/// The sums of a tile, counted from `shift` voxels before its first one.
inline LabelShape toShape(TileTally& tally, const Index shift[3])
{
  LabelShape shape;
  shape.label = tally.label;
  shape.voxels = tally.n;
  const Index first[3] = { tally.x, tally.y, tally.z };
  const Index second[6] = { tally.xx, tally.yy, tally.zz, tally.xy, tally.xz, tally.yz };
  static const int pairs[6][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 0, 1 }, { 0, 2 }, { 1, 2 } };
  const Wide n(tally.n);
  for (int a = 0; a < 3; ++a)
  {
    shape.first[a] = Wide(first[a]) + n * Wide(shift[a]);
    shape.box.lo[a] = tally.lo[a] + shift[a];
    shape.box.hi[a] = tally.hi[a] + shift[a];
  }
  for (int p = 0; p < 6; ++p)
  {
    const int a = pairs[p][0];
    const int b = pairs[p][1];
    shape.second[p] = Wide(second[p]) + Wide(shift[a]) * Wide(first[b]) +
      Wide(shift[b]) * Wide(first[a]) + n * Wide(shift[a]) * Wide(shift[b]);
  }
  shape.outline = std::move(tally.outline);
  for (SliceOutline& outline : shape.outline)
  {
    outline.slice += shift[2];
    for (PlanePoint& corner : outline.corners)
    {
      corner[0] += static_cast<std::int32_t>(shift[0]);
      corner[1] += static_cast<std::int32_t>(shift[1]);
    }
  }
  return shape;
}

/// The rows that were seen become the hull of the slice.
inline void closeSlice(TileTally& tally, Index slice)
{
  tally.outline.push_back({ slice, planeHull(tally.row) });
  tally.row.clear();
}

template <class T>
std::vector<LabelShape> tileShapes(
  const T* labels, const Box& stored, const Box& tile, const Box& whole, bool outlines)
{
  LabelSlots<T, (sizeof(T) <= 2)> slots;
  std::vector<TileTally> tallies;
  std::vector<std::int32_t> open; // labels of the slice that is read
  std::vector<Word> ends;
  for (Index k = tile.lo[2]; k <= tile.hi[2]; ++k)
  {
    const Index z = k - tile.lo[2];
    for (Index j = tile.lo[1]; j <= tile.hi[1]; ++j)
    {
      const Index y = j - tile.lo[1];
      forEachLabelRun(labels + stored.offset(tile.lo[0], j, k), tile.dim(0), ends,
        [&](Index first, Index last, T label)
        {
          std::int32_t& slot = slots[label];
          if (slot == 0)
          {
            tallies.emplace_back();
            tallies.back().label = checkedLabel(label);
            slot = static_cast<std::int32_t>(tallies.size());
          }
          TileTally& tally = tallies[static_cast<std::size_t>(slot) - 1];
          const Index n = last - first + 1;
          const Index x = n * (first + last) / 2;
          // Sum of squares from first to last: n first^2 + first n (n - 1) + (n - 1) n (2n - 1)/6.
          const Index xx = n * first * first + first * n * (n - 1) + (n - 1) * n * (2 * n - 1) / 6;
          tally.n += n;
          tally.x += x;
          tally.y += n * y;
          tally.z += n * z;
          tally.xx += xx;
          tally.yy += n * y * y;
          tally.zz += n * z * z;
          tally.xy += x * y;
          tally.xz += x * z;
          tally.yz += n * y * z;
          tally.lo[0] = std::min(tally.lo[0], first);
          tally.hi[0] = std::max(tally.hi[0], last);
          tally.lo[1] = std::min(tally.lo[1], y);
          tally.hi[1] = std::max(tally.hi[1], y);
          tally.lo[2] = std::min(tally.lo[2], z);
          tally.hi[2] = z;
          if (outlines)
          {
            if (tally.row.empty())
            {
              open.push_back(slot - 1);
            }
            const auto at = static_cast<std::int32_t>(y);
            if (tally.row.empty() || tally.row[tally.row.size() - 2][1] != at)
            {
              tally.row.push_back({ static_cast<std::int32_t>(first), at });
              tally.row.push_back({ 0, at });
            }
            tally.row.back()[0] = static_cast<std::int32_t>(last + 1);
          }
        });
    }
    for (const std::int32_t slot : open)
    {
      TileTally& tally = tallies[static_cast<std::size_t>(slot)];
      // Rows are as thick as a voxel.
      const std::size_t count = tally.row.size();
      for (std::size_t i = 0; i < count; ++i)
      {
        tally.row.push_back({ tally.row[i][0], tally.row[i][1] + 1 });
      }
      closeSlice(tally, z);
    }
    open.clear();
  }
  const Index shift[3] = { tile.lo[0] - whole.lo[0], tile.lo[1] - whole.lo[1],
    tile.lo[2] - whole.lo[2] };
  std::vector<LabelShape> shapes;
  shapes.reserve(tallies.size());
  for (TileTally& tally : tallies)
  {
    shapes.push_back(toShape(tally, shift));
  }
  std::sort(shapes.begin(), shapes.end(),
    [](const LabelShape& a, const LabelShape& b) { return a.label < b.label; });
  return shapes;
}

} // namespace detail

/// Adds `more` to `shape`, of the same label. Slices that both have get the hull of both.
inline void mergeShape(LabelShape& shape, LabelShape&& more)
{
  shape.voxels += more.voxels;
  shape.box = shape.box.unite(more.box);
  for (int a = 0; a < 3; ++a)
  {
    shape.first[a] += more.first[a];
  }
  for (int p = 0; p < 6; ++p)
  {
    shape.second[p] += more.second[p];
  }
  std::vector<SliceOutline> outline;
  outline.reserve(shape.outline.size() + more.outline.size());
  auto a = shape.outline.begin();
  auto b = more.outline.begin();
  while (a != shape.outline.end() || b != more.outline.end())
  {
    if (b == more.outline.end() || (a != shape.outline.end() && a->slice < b->slice))
    {
      outline.push_back(std::move(*a++));
    }
    else if (a == shape.outline.end() || b->slice < a->slice)
    {
      outline.push_back(std::move(*b++));
    }
    else
    {
      a->corners.insert(a->corners.end(), b->corners.begin(), b->corners.end());
      outline.push_back({ a->slice, planeHull(a->corners) });
      ++a;
      ++b;
    }
  }
  shape.outline = std::move(outline);
}

/// Adds the entries of `more` to `shapes`; both ascending, and so is the result.
inline void mergeShapes(std::vector<LabelShape>& shapes, std::vector<LabelShape>&& more)
{
  std::vector<LabelShape> merged;
  merged.reserve(shapes.size() + more.size());
  auto a = shapes.begin();
  auto b = more.begin();
  while (a != shapes.end() || b != more.end())
  {
    if (b == more.end() || (a != shapes.end() && a->label < b->label))
    {
      merged.push_back(std::move(*a++));
    }
    else if (a == shapes.end() || b->label < a->label)
    {
      merged.push_back(std::move(*b++));
    }
    else
    {
      merged.push_back(std::move(*a++));
      mergeShape(merged.back(), std::move(*b++));
    }
  }
  shapes = std::move(merged);
}

/// Labels of `block`, ascending. `labels` points to the first voxel of `stored`; `whole` is the
/// undivided image.
template <class T>
std::vector<LabelShape> measureShapes(const T* labels, const Box& stored, const Box& block,
  const Box& whole, bool outlines, const Progress& progress = Progress())
{
  static_assert(std::is_integral<T>::value, "labels are integers");
  if (!stored.contains(block))
  {
    throw std::invalid_argument("segcore::measureShapes: the block is not inside the stored box");
  }
  const std::vector<Box> tiles = detail::shapeTiles(block);
  std::vector<std::vector<LabelShape>> parts(tiles.size());
  forRanges(static_cast<Index>(tiles.size()), 1, progress,
    [&](Index begin, Index end)
    {
      for (Index t = begin; t < end; ++t)
      {
        parts[static_cast<std::size_t>(t)] =
          detail::tileShapes(labels, stored, tiles[static_cast<std::size_t>(t)], whole, outlines);
      }
    });
  // Pairwise, so that no entry is moved more often than needed.
  for (std::size_t step = 1; step < parts.size(); step *= 2)
  {
    for (std::size_t p = 0; p + step < parts.size(); p += 2 * step)
    {
      mergeShapes(parts[p], std::move(parts[p + step]));
    }
  }
  return parts.empty() ? std::vector<LabelShape>() : std::move(parts[0]);
}

} // namespace segcore

#endif
