// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// FillBetweenSlices: which slices of a label map were drawn, and what lies between two of them.
///
/// A slice of an axis is drawn for a label if it has a voxel of the label whose four neighbours in
/// the slice have that label, too, and whose two neighbours across it are 0; beyond the image is 0.
/// markedSlices() finds them.
///
/// SliceInterpolator makes the slices between two drawn ones, first and last, of one label. Both
/// are lists of runs; u and v are the axes of the slice. Definition, for the k-th of n - 1 slices:
///
///   - Parts (8-neighbours within a slice) of both slices that lie above each other belong
///     together, over any number of such steps: a group has parts A of first and B of last.
///   - Of the parts that lie above nothing, a part of first and one of last are a group if each is
///     the other's nearest one (centroids; none if two are), and not further away than the sum of
///     the diameters of discs with their areas. With more than 1000 such parts in a slice there are
///     no such groups.
///   - The group moves by t pixels from first to last: the offset between the centroids of A and B,
///     rounded to whole pixels (to even ones if n is even; halves towards 0), if A and B have less
///     than half the pixels of the smaller one in common, and more after the move; else by nothing.
///     From here on B is what it is after moving it back.
///   - A pixel in both is inside. One in A alone is inside if (n - k) a >= k b, with a its distance
///     to the nearest pixel that is not in A, and b to the nearest one in B; likewise for B alone.
///     So contours run straight from one slice to the other.
///   - A group with A or B alone ends halfway: a pixel is inside if n a > 2 k m, with m the largest
///     a of the part, and k counted from its slice.
///   - The result moves by k t / n, rounded (halves towards t / 2).
///
/// Distances are Euclidean between pixel centres. They are kept as exact integers: multiples of the
/// square of the smaller spacing, or of 1/4096 of it where the two spacings differ, to which the
/// square of the larger one is rounded (beyond a ratio of 512 it counts as 512). The border of the
/// image is no background, except for a part that fills the slice. Everything is symmetric: swapped
/// or mirrored axes, and first and last exchanged, give the matching result.
///
/// Cost: linear in the pixels of the box around each group, with n for the output; distances are
/// looked for only where A and B differ. Scratch: 8 bytes per pixel of that box. Threads: none, one
/// SliceInterpolator per thread. Bad input (n below 1, non-positive spacing):
/// std::invalid_argument.
///
/// Sources: Raya, Udupa, IEEE Trans. Med. Imaging 9 (1990), doi:10.1109/42.52980 (interpolation of
/// distances); Herman, Zheng, Bucholtz, IEEE CG&A 12 (1992), doi:10.1109/38.135915; Meijster,
/// Roerdink, Hesselink, 2000, doi:10.1007/0-306-47025-X_36 (linear exact distances); the drawn
/// slices as in Zukic, Vicory, McCormick, Wisse, Gerig, Yushkevich, Aylward, Insight Journal, 2016,
/// doi:10.54294/achtrg. Ours: groups, the ends, integers, symmetry.

#ifndef segcoreFillBetweenSlices_h
#define segcoreFillBetweenSlices_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <tuple>
#include <vector>

namespace segcore
{

/// The axes u < v of the slices across an axis.
inline int sliceAxisU(int axis)
{
  return axis == 0 ? 1 : 0;
}
inline int sliceAxisV(int axis)
{
  return axis == 2 ? 1 : 2;
}

/// Pixels u0 .. u1 of row v.
struct SliceRun
{
  Index v;
  Index u0;
  Index u1;
};

/// The same in the k-th slice between two.
struct FilledRun
{
  Index k;
  Index v;
  Index u0;
  Index u1;
};

/// The pixels of a slice of the image.
struct SliceBox
{
  Index u0;
  Index v0;
  Index u1;
  Index v1;
};

/// Not safe to call from several threads at once; keeps its scratch memory from call to call.
class SEGMENTATIONCOREKERNELS_EXPORT SliceInterpolator
{
public:
  SliceInterpolator(double spacingU, double spacingV);

  /// Appends the slices k = 1 .. n - 1 between two slices n apart to `out`. Runs are sorted by v,
  /// then u, inside `image`, and neither touch nor overlap. Runs of the output may overlap, as
  /// groups may grow together.
  void fill(const std::vector<SliceRun>& first, const std::vector<SliceRun>& last,
    const SliceBox& image, Index n, std::vector<FilledRun>& out);

private:
  struct Set;

  void link(std::vector<Set>& sets) const;
  void between(const Set& a, const Set& b, Index n, std::vector<FilledRun>& out);
  void end(const Set& a, bool atFirst, Index n, std::vector<FilledRun>& out);
  void openBox(const Set& a, const Set& b);
  void sweep(const Set& set, std::vector<std::int32_t>& distances) const;
  void squares(const std::int32_t* row, int phase, Index begin, Index end,
    const std::vector<Index>& wanted, std::vector<Index>& result);
  void emit(const Set& a, const Index move[2], Index n, std::vector<FilledRun>& out) const;

  Index Weight[2];
  SliceBox Grid{};
  Index Width = 0;
  std::vector<std::int32_t> First;
  std::vector<std::int32_t> Last;
  std::vector<Index> Wanted[2];
  std::vector<Index> Squares[4];
  std::vector<Index> Tops;
  std::vector<Index> Starts;
};

/// A slice that was drawn.
template <class T>
struct MarkedSlice
{
  T label{};
  int axis = 0;
  Index at = 0;

  friend bool operator<(const MarkedSlice& a, const MarkedSlice& b)
  {
    return std::tie(a.label, a.axis, a.at) < std::tie(b.label, b.axis, b.at);
  }
  friend bool operator==(const MarkedSlice& a, const MarkedSlice& b)
  {
    return a.label == b.label && a.axis == b.axis && a.at == b.at;
  }
};

/// Sorts, and leaves out repetitions.
template <class T>
void tidyMarks(std::vector<MarkedSlice<T>>& marks)
{
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
}

/// Whether all voxels of a row are 0.
template <class T>
bool isBackground(const T* row, Index count)
{
  // In pieces without an early way out, which the compiler vectorises.
  for (Index begin = 0; begin < count; begin += 256)
  {
    std::uint8_t any = 0;
    const Index end = std::min(count, begin + 256);
    for (Index x = begin; x < end; ++x)
    {
      any = static_cast<std::uint8_t>(any | static_cast<std::uint8_t>(row[x] != T(0)));
    }
    if (any)
    {
      return false;
    }
  }
  return true;
}

/// The slices that are drawn as far as the voxels of `block` tell, sorted. `padded` holds the
/// labels of the block grown by 1 and clipped to the undivided image, or more. Threads: yes. Cost:
/// one read.
template <class T>
std::vector<MarkedSlice<T>> markedSlices(
  const T* labels, const Box& padded, const Box& block, const Progress& progress = Progress())
{
  std::vector<MarkedSlice<T>> marks;
  std::mutex mutex;
  const Index nx = block.dim(0);
  const Index ny = block.dim(1);
  const std::vector<T> nothing(static_cast<std::size_t>(nx) + 2, T(0));
  forRanges(block.rows(), std::max<Index>(1, (1 << 14) / std::max<Index>(1, nx)), progress,
    [&](Index begin, Index end)
    {
      std::vector<MarkedSlice<T>> found;
      // A row with a voxel on either side.
      std::vector<T> edged(static_cast<std::size_t>(nx) + 2, T(0));
      const auto rowAt = [&](Index y, Index z)
      {
        return padded.contains(block.lo[0], y, z) ? labels + padded.offset(block.lo[0], y, z)
                                                  : nothing.data();
      };
      const auto add = [&found](T label, int axis, Index at)
      {
        // Voxels of a slice come one after the other.
        for (std::size_t back = 1; back <= std::min<std::size_t>(8, found.size()); ++back)
        {
          if (found[found.size() - back] == MarkedSlice<T>{ label, axis, at })
          {
            return;
          }
        }
        found.push_back({ label, axis, at });
        if (found.size() > 4096 && (found.size() & (found.size() - 1)) == 0)
        {
          tidyMarks(found);
        }
      };
      for (Index r = begin; r < end; ++r)
      {
        const Index y = block.lo[1] + r % ny;
        const Index z = block.lo[2] + r / ny;
        const T* inner = rowAt(y, z);
        if (isBackground(inner, nx))
        {
          continue;
        }
        std::copy(inner, inner + nx, edged.begin() + 1);
        edged.front() = padded.lo[0] < block.lo[0] ? inner[-1] : T(0);
        edged.back() = padded.hi[0] > block.hi[0] ? inner[nx] : T(0);
        const T* row = edged.data() + 1;
        const T* around[4] = { rowAt(y - 1, z), rowAt(y + 1, z), rowAt(y, z - 1), rowAt(y, z + 1) };
        for (int axis = 0; axis < 3; ++axis)
        {
          // The neighbours across the slice, and those in it.
          const T* across[2] = { row - 1, row + 1 };
          const T* within[4] = { row - 1, row + 1, around[2], around[3] };
          if (axis > 0)
          {
            across[0] = around[2 * axis - 2];
            across[1] = around[2 * axis - 1];
          }
          if (axis == 0)
          {
            within[0] = around[0];
            within[1] = around[1];
          }
          else if (axis == 2)
          {
            within[2] = around[0];
            within[3] = around[1];
          }
          const auto drawn = [&](Index x)
          {
            return (row[x] != T(0)) & (across[0][x] == T(0)) & (across[1][x] == T(0)) &
              (within[0][x] == row[x]) & (within[1][x] == row[x]) & (within[2][x] == row[x]) &
              (within[3][x] == row[x]);
          };
          std::uint8_t any = 0;
          for (Index x = 0; x < nx; ++x)
          {
            any = static_cast<std::uint8_t>(any | static_cast<std::uint8_t>(drawn(x)));
          }
          for (Index x = 0; any && x < nx; ++x)
          {
            if (drawn(x))
            {
              add(row[x], axis, axis == 0 ? block.lo[0] + x : (axis == 1 ? y : z));
            }
          }
        }
      }
      tidyMarks(found);
      const std::lock_guard<std::mutex> lock(mutex);
      marks.insert(marks.end(), found.begin(), found.end());
    });
  tidyMarks(marks);
  return marks;
}

/// The runs of a label in a slice whose first pixel lies at `from`; steps in elements.
template <class T>
std::vector<SliceRun> sliceRuns(
  const T* from, Index stepU, Index stepV, const SliceBox& box, T label)
{
  std::vector<SliceRun> runs;
  const Index width = box.u1 - box.u0 + 1;
  for (Index v = box.v0; v <= box.v1; ++v, from += stepV)
  {
    for (Index u = 0; u < width; ++u)
    {
      if (from[u * stepU] == label)
      {
        const Index begin = u;
        while (u + 1 < width && from[(u + 1) * stepU] == label)
        {
          ++u;
        }
        runs.push_back({ v, box.u0 + begin, box.u0 + u });
      }
    }
  }
  return runs;
}

} // namespace segcore

#endif
