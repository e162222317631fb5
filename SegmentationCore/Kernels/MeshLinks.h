// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Which polygons meet at each point of a mesh.
///
/// corners(p) are the places in the list of polygons that name point p, in ascending order.
/// Threads: yes, same result for any number: each takes a range of points and looks at those pieces
/// of the list that may name one of them, which are few when neighbours have similar numbers.
/// Memory: one Id per point and per corner.

#ifndef segcoreMeshLinks_h
#define segcoreMeshLinks_h

#include "Buffer.h"
#include "Threads.h"

#include <vector>

namespace segcore
{
namespace detail
{

/// `Id` must hold the number of corners.
template <class Id>
class MeshLinks
{
public:
  MeshLinks(const Index* polygons, Index cornerCount, Index points)
    : First_(points + 1), Corners_(cornerCount)
  {
    constexpr Index Piece = 4096;
    const Index pieces = (cornerCount + Piece - 1) / Piece;
    std::vector<Index> low(static_cast<std::size_t>(pieces));
    std::vector<Index> high(static_cast<std::size_t>(pieces));
    forRanges(pieces, 16,
      [&](Index begin, Index end)
      {
        for (Index p = begin; p < end; ++p)
        {
          const Index* first = polygons + p * Piece;
          const auto range =
            std::minmax_element(first, polygons + std::min(cornerCount, (p + 1) * Piece));
          low[static_cast<std::size_t>(p)] = *range.first;
          high[static_cast<std::size_t>(p)] = *range.second;
        }
      });
    const Index grain = std::max<Index>(Index{ 1 } << 16, points / (4 * threadCount()));
    // Calls with(corner, point) for the corners of points begin .. end - 1.
    const auto forCorners = [&](Index begin, Index end, const auto& with)
    {
      for (Index p = 0; p < pieces; ++p)
      {
        if (low[static_cast<std::size_t>(p)] < end && high[static_cast<std::size_t>(p)] >= begin)
        {
          for (Index c = p * Piece; c < std::min(cornerCount, (p + 1) * Piece); ++c)
          {
            if (polygons[c] >= begin && polygons[c] < end)
            {
              with(c, polygons[c]);
            }
          }
        }
      }
    };
    Id* first = this->First_.data();
    forRanges(points, grain,
      [&](Index begin, Index end)
      {
        std::fill(first + begin, first + end, Id{ 0 });
        forCorners(begin, end, [&](Index, Index point) { ++first[point]; });
      });
    Id sum = 0;
    for (Index p = 0; p < points; ++p)
    {
      const Id count = first[p];
      first[p] = sum;
      sum += count;
    }
    first[points] = sum;
    forRanges(points, grain,
      [&](Index begin, Index end)
      {
        Buffer<Id> next(end - begin);
        std::copy(first + begin, first + end, next.data());
        forCorners(begin, end, [&](Index corner, Index point)
          { this->Corners_[static_cast<Index>(next[point - begin]++)] = static_cast<Id>(corner); });
      });
  }

  const Id* begin(Index point) const
  {
    return this->Corners_.data() + static_cast<Index>(this->First_[point]);
  }
  const Id* end(Index point) const { return this->begin(point + 1); }

private:
  Buffer<Id> First_;
  Buffer<Id> Corners_;
};

} // namespace detail
} // namespace segcore

#endif
