// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ExpandLabels: every background voxel takes the label of the nearest labelled voxel, up to a
/// distance in millimetres.
///
/// Input: labels on `padded`, which must hold the block `target` grown by marginHalo() and clipped
/// to the undivided image; 0 is background. Output: labels on `target`. Labelled voxels keep their
/// label, so expanded segments meet halfway and never overlap.
///
/// Definition, to the last bit: squared distances are fl(fl(tx + ty) + tz) with
/// t_a = fl(fl(k s_a)^2), and in reach up to m m (1 + 1e-12), as in EuclideanMargin. The nearest
/// voxel is found axis by axis, x first; at equal distance the lowest label wins. Only integer
/// offsets enter and rounding is monotone, so the result does not depend on how the image is cut,
/// nor on the number of threads.
///
/// Cost: two sweeps along x; along y and z outward from each row until every voxel of it is nearer
/// than the next row: at most 2 halo + 1 rows, few where labels are dense. Scratch: 4 bytes per
/// voxel of `padded` (the offset to the nearest label along x and y), and for each thread one slice
/// of distances and labels.
///
/// Bad input (negative or non-finite distance, non-positive spacing, target outside padded, more
/// than 32,767 voxels to look at along an axis): std::invalid_argument.
///
/// Source: T. Saito, J. Toriwaki, Pattern Recognition 27 (1994), doi:10.1016/0031-3203(94)90133-3
/// (separable exact distance); here offsets are kept beside distances, which tells the label.

#ifndef segcoreExpandLabels_h
#define segcoreExpandLabels_h

#include "Buffer.h"
#include "EuclideanMargin.h"
#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

namespace detail
{

template <class T>
class LabelExpansion
{
public:
  LabelExpansion(const T* labels, const Box& padded, const Box& target, const double spacing[3],
    double millimetres)
    : Labels(labels), Padded(padded), Target(target), Limit(millimetres * millimetres * (1 + 1e-12))
  {
    if (!padded.contains(target))
    {
      throw std::invalid_argument("the target block is not inside its padded box");
    }
    constexpr Index most = std::numeric_limits<std::int16_t>::max();
    marginHalo(spacing, millimetres, this->Halo);
    for (int a = 0; a < 3; ++a)
    {
      this->Halo[a] = std::min(this->Halo[a], padded.dim(a) - 1);
      if (this->Halo[a] > most)
      {
        throw std::invalid_argument("labels would expand up to " + std::to_string(this->Halo[a]) +
          " voxels along axis " + std::to_string(a) + ", expected at most " + std::to_string(most));
      }
      for (Index k = 0; k <= this->Halo[a]; ++k)
      {
        const double length = static_cast<double>(k) * spacing[a];
        this->Squares[a].push_back(length * length);
      }
    }
    this->Offsets = Buffer<Offset>(padded.size());
  }

  void run(T* out, const Progress& progress)
  {
    forRanges(this->Padded.dim(2), 1, progress.part(0.0, 0.6),
      [&](Index begin, Index end)
      {
        Nearest slice(this->Padded.dim(0) * this->Padded.dim(1));
        Nearest row(this->Padded.dim(0));
        for (Index k = begin; k < end; ++k)
        {
          this->searchSlice(this->Padded.lo[2] + k, slice, row);
        }
      });
    forRanges(this->Target.dim(2), 1, progress.part(0.6, 1.0),
      [&](Index begin, Index end)
      {
        Nearest row(this->Target.dim(0));
        for (Index k = begin; k < end; ++k)
        {
          for (Index j = this->Target.lo[1]; j <= this->Target.hi[1]; ++j)
          {
            this->searchColumns(j, this->Target.lo[2] + k, row);
            std::copy(row.label.begin(), row.label.end(),
              out + this->Target.offset(this->Target.lo[0], j, this->Target.lo[2] + k));
          }
        }
      });
  }

private:
  /// From a voxel to the nearest label of its slice; x is None if there is none in reach.
  struct Offset
  {
    std::int16_t x;
    std::int16_t y;
  };
  static constexpr std::int16_t None = std::numeric_limits<std::int16_t>::min();

  /// The nearest labels found so far of a row, or of the rows of a slice; label 0 if there is none,
  /// and then the square is Limit, which a candidate may still equal.
  struct Nearest
  {
    explicit Nearest(Index count) : square(count), label(count), offset(count) {}
    Buffer<double> square;
    Buffer<T> label;
    Buffer<Offset> offset;

    bool takes(Index i, double candidate, T candidateLabel) const
    {
      return candidate < this->square[i] ||
        (candidate == this->square[i] &&
          (this->label[i] == T(0) || candidateLabel < this->label[i]));
    }
    double farthest() const { return *std::max_element(this->square.begin(), this->square.end()); }
  };

  double square(int axis, Index offset) const
  {
    return this->Squares[axis][static_cast<std::size_t>(std::abs(offset))];
  }

  /// Along x: the nearer of the next labels on both sides. False if the row has no label at all.
  bool searchRow(const T* labels, Nearest& nearest, Index first) const
  {
    const Index count = this->Padded.dim(0);
    const Index reach = this->Halo[0];
    Index last = -1;
    bool any = false;
    for (Index i = 0; i < count; ++i)
    {
      if (labels[i] != T(0))
      {
        last = i;
        any = true;
      }
      const bool found = last >= 0 && i - last <= reach;
      nearest.offset[first + i] = { found ? static_cast<std::int16_t>(last - i) : None, 0 };
      nearest.label[first + i] = found ? labels[last] : T(0);
      nearest.square[first + i] = found ? this->square(0, i - last) : this->Limit;
    }
    last = -1;
    for (Index i = any ? count - 1 : -1; i >= 0; --i)
    {
      if (labels[i] != T(0))
      {
        last = i;
      }
      if (last > i && last - i <= reach)
      {
        const double candidate = this->square(0, last - i);
        if (nearest.takes(first + i, candidate, labels[last]))
        {
          nearest.offset[first + i].x = static_cast<std::int16_t>(last - i);
          nearest.label[first + i] = labels[last];
          nearest.square[first + i] = candidate;
        }
      }
    }
    return any;
  }

  /// Along x and y.
  void searchSlice(Index k, Nearest& slice, Nearest& row)
  {
    const Index count = this->Padded.dim(0);
    const Index rows = this->Padded.dim(1);
    std::vector<bool> labelled(static_cast<std::size_t>(rows));
    const T* labels = this->Labels + this->Padded.offset(this->Padded.lo[0], this->Padded.lo[1], k);
    for (Index j = 0; j < rows; ++j)
    {
      labelled[static_cast<std::size_t>(j)] = this->searchRow(labels + j * count, slice, j * count);
    }
    for (Index j = 0; j < rows; ++j)
    {
      const Index own = j * count;
      std::copy_n(slice.square.begin() + own, count, row.square.begin());
      std::copy_n(slice.label.begin() + own, count, row.label.begin());
      std::copy_n(slice.offset.begin() + own, count, row.offset.begin());
      double farthest = row.farthest();
      for (Index step = 1; step <= this->Halo[1]; ++step)
      {
        const double along = this->square(1, step);
        if (along > farthest)
        {
          break;
        }
        for (const Index other : { j - step, j + step })
        {
          if (other < 0 || other >= rows || !labelled[static_cast<std::size_t>(other)])
          {
            continue;
          }
          const Index from = other * count;
          for (Index i = 0; i < count; ++i)
          {
            const T label = slice.label[from + i];
            const double candidate = slice.square[from + i] + along;
            if (label != T(0) && row.takes(i, candidate, label))
            {
              row.square[i] = candidate;
              row.label[i] = label;
              row.offset[i] = { slice.offset[from + i].x, static_cast<std::int16_t>(other - j) };
            }
          }
        }
        farthest = row.farthest();
      }
      std::copy(row.offset.begin(), row.offset.end(),
        this->Offsets.begin() + this->Padded.offset(this->Padded.lo[0], this->Padded.lo[1] + j, k));
    }
  }

  /// Along z, for a row of the target.
  void searchColumns(Index j, Index k, Nearest& row) const
  {
    const Index count = this->Target.dim(0);
    for (Index i = 0; i < count; ++i)
    {
      row.square[i] = this->Limit;
      row.label[i] = T(0);
    }
    double farthest = this->Limit;
    for (Index step = 0; step <= this->Halo[2]; ++step)
    {
      const double along = this->square(2, step);
      if (along > farthest)
      {
        break;
      }
      for (int side = 0; side < (step ? 2 : 1); ++side)
      {
        const Index other = side ? k + step : k - step;
        if (other < this->Padded.lo[2] || other > this->Padded.hi[2])
        {
          continue;
        }
        const Index from = this->Padded.offset(this->Target.lo[0], j, other);
        for (Index i = 0; i < count; ++i)
        {
          const Offset offset = this->Offsets[from + i];
          if (offset.x == None)
          {
            continue;
          }
          const double candidate = (this->square(0, offset.x) + this->square(1, offset.y)) + along;
          if (candidate <= row.square[i])
          {
            const T label = this->Labels[from + i + offset.x + offset.y * this->Padded.dim(0)];
            if (row.takes(i, candidate, label))
            {
              row.square[i] = candidate;
              row.label[i] = label;
            }
          }
        }
      }
      farthest = row.farthest();
    }
  }

  const T* Labels;
  Box Padded;
  Box Target;
  double Limit;
  Index Halo[3];
  std::vector<double> Squares[3];
  Buffer<Offset> Offsets; // over Padded
};

} // namespace detail

/// T: any arithmetic type.
template <class T>
void expandLabels(const T* labels, const Box& padded, const Box& target, const double spacing[3],
  double millimetres, T* out, const Progress& progress = Progress())
{
  if (target.empty())
  {
    return;
  }
  detail::LabelExpansion<T>(labels, padded, target, spacing, millimetres).run(out, progress);
}

} // namespace segcore

#endif
