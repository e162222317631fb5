// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "JointSlices.h"

#include "JointSteps.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace segcore
{
namespace detail
{

JointWindow::JointWindow(const Box& block, const Box& whole, const WindowedSincOptions& options)
  : Whole(whole), Block(block), Lattice(whole), Factors(jointFactors(options))
{
  if (!block.empty() && !whole.contains(block))
  {
    throw std::invalid_argument("segcore::JointSlices: the block is not part of the image");
  }
  this->Done.resize(this->Factors.size() - 1);
  // A point that a quad of the block needs depends on cells as far away as there are steps, less
  // one; a cell is told from its own voxels.
  this->Voxels = block.empty()
    ? block
    : block.grown(static_cast<Index>(this->Done.size()) + 1).clipped(whole.grown(1));
  const Index start = block.empty() ? 0 : this->first();
  std::fill(this->Done.begin(), this->Done.end(), start);
  this->Lowest = this->Wanted = this->Finished = start;
}

void JointWindow::add(const NetGrid& grid)
{
  const Index ny = grid.voxels.dim(1) - 1;
  const Index nz = grid.voxels.dim(2) - 1;
  const Index bottom = grid.voxels.lo[2];
  const auto before = [&](Index z) { return grid.cells.rank(grid.row(0, z), 0); };
  const Index news = this->Wanted - bottom;
  for (Index z = news; z < nz; ++z)
  {
    JointSlice slice;
    slice.count = (z + 1 < nz ? before(z + 1) : grid.cells.total) - before(z);
    if (slice.count >= std::numeric_limits<std::int32_t>::max() - 2)
    {
      throw std::invalid_argument("segcore::JointSlices: too many points in a slice");
    }
    const Index numbers = slice.count + 1;
    slice.x = Buffer<std::int32_t>(numbers);
    slice.y = Buffer<std::int32_t>(numbers);
    slice.stencils = Buffer<std::uint8_t>(numbers);
    slice.across = Buffer<std::int32_t>(4 * numbers);
    for (Buffer<std::int32_t>& values : slice.values)
    {
      values = Buffer<std::int32_t>(3 * numbers + 1); // four are read at once
      std::fill(values.begin(), values.end(), 0);
    }
    slice.sums = Buffer<std::int32_t>(3 * numbers);
    std::fill(slice.sums.begin(), slice.sums.end(), 0);
    slice.quads = Buffer<std::uint8_t>(numbers);
    std::fill(slice.quads.begin(), slice.quads.end(), std::uint8_t{ 0 });
    this->Slices.push_back(std::move(slice));
  }
  // Also the slice below: now it is known what is above it.
  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = r % ny;
        const Index z = r / ny;
        const Index row = grid.row(y, z);
        const Index here = before(z);
        const Index under = z > 0 ? before(z - 1) : 0;
        const Index over = z + 1 < nz ? before(z + 1) : 0;
        JointSlice& slice = this->slice(bottom + z);
        Index point = 1 + grid.cells.rank(row, 0) - here;
        const auto number = [&](Index x, Index otherY, Index otherZ, Index base)
        {
          const Index other = grid.row(otherY, otherZ);
          return testBit(grid.cells.row(other), x)
            ? static_cast<std::int32_t>(1 + grid.cells.rank(other, x) - base)
            : 0;
        };
        for (Index w = 0; w < grid.words; ++w)
        {
          for (Word bits = grid.cells.row(row)[w]; bits; bits &= bits - 1, ++point)
          {
            const Index x = 64 * w + lowestOne(bits);
            std::int32_t* const across = slice.across.data() + 4 * point;
            across[3] = z + 1 < nz ? number(x, y, z + 1, over) : 0;
            if (z < news)
            {
              continue;
            }
            across[0] = y > 0 ? number(x, y - 1, z, here) : 0;
            across[1] = y + 1 < ny ? number(x, y + 1, z, here) : 0;
            across[2] = z > 0 ? number(x, y, z - 1, under) : 0;
            slice.x[point] =
              static_cast<std::int32_t>(grid.voxels.lo[0] + x - this->Whole.lo[0] + 1);
            slice.y[point] =
              static_cast<std::int32_t>(grid.voxels.lo[1] + y - this->Whole.lo[1] + 1);
          }
        }
      }
    });
  this->Wanted = bottom + nz;
}

void JointWindow::advance()
{
  const Index end = this->last() + 1;
  // A slice knows its neighbours once the one above it is there.
  Index ready = this->Wanted < end ? this->Wanted - 1 : end;
  for (Index n = 0; n < this->steps(); ++n)
  {
    Index& done = this->Done[static_cast<std::size_t>(n)];
    if (done < ready)
    {
      this->take(n, done, ready);
      done = ready;
    }
    ready = done < end ? std::max(done - 1, this->first()) : end;
  }
  // What has taken the last step needs nothing above it.
  this->Finished = this->steps() > 0 ? this->Done.back() : ready;
}

namespace
{

/// Step `number` of the points begin .. end - 1 of a slice. With M, the mean of the neighbours, the
/// polynomials are T0 = 1, T1 = (1 + M) / 2 and T(n+1) = (1 + M) T(n) - T(n-1), applied to the
/// points. A constant stays a constant in all of them, so positions may be counted from the own
/// cell: those of neighbours then get the way there.
void takePoints(const JointSlice& below, JointSlice& here, const JointSlice& above, Index number,
  double factor, Index begin, Index end)
{
  const std::size_t now = static_cast<std::size_t>(number & 1);
  const std::int32_t* const current = here.values[now].data();
  const std::int32_t* const currentBelow = below.values[now].data();
  const std::int32_t* const currentAbove = above.values[now].data();
  std::int32_t* const old = here.values[1 - now].data();
  std::int32_t* const sums = here.sums.data();
  const JointStencilTable& table = jointStencils();
  constexpr double Most = JointLimit * JointUnit;
#if defined(__SSE2__)
  const auto load = [](const std::int32_t* from)
  { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  // Where the next point's numbers may be written at the same time.
  const auto load3 = [](const std::int32_t* from)
  {
    return _mm_unpacklo_epi64(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)), _mm_cvtsi32_si128(from[2]));
  };
  const __m128d unit = _mm_set1_pd(JointUnit);
  const __m128d magic = _mm_set1_pd(6755399441055744.0); // 1.5 * 2^52: to integers
  const __m128d most = _mm_set1_pd(Most);
  const __m128d least = _mm_set1_pd(-Most);
  const __m128d weight = _mm_set1_pd(factor);
  const __m128d half = _mm_set1_pd(0.5);
#endif
  for (Index p = begin; p < end; ++p)
  {
    const unsigned stencil = here.stencils[p];
    if (!stencil)
    {
      continue;
    }
    const std::int32_t* const across = here.across.data() + 4 * p;
    const auto chosen = [stencil](int face, Index point)
    { return (stencil >> face) & 1u ? point : 0; };
    const std::int32_t* const neighbours[6] = { current + 3 * chosen(0, p - 1),
      current + 3 * chosen(1, p + 1), current + 3 * chosen(2, across[0]),
      current + 3 * chosen(3, across[1]), currentBelow + 3 * chosen(4, across[2]),
      currentAbove + 3 * chosen(5, across[3]) };
#if defined(__SSE2__)
    // The same as below, two at a time.
    const __m128i pairs[3] = { _mm_add_epi32(load(neighbours[0]), load(neighbours[1])),
      _mm_add_epi32(load(neighbours[2]), load(neighbours[3])),
      _mm_add_epi32(load(neighbours[4]), load(neighbours[5])) };
    const __m128i own = load(current + 3 * p);
    const __m128i before = load3(old + 3 * p);
    const __m128d share = _mm_set1_pd(table.share[stencil]);
    const auto moved =
      [&](const double* direction, __m128i a, __m128i b, __m128i c, __m128i mine, __m128i previous)
    {
      const __m128d sum = _mm_add_pd(_mm_mul_pd(_mm_loadu_pd(direction), unit),
        _mm_add_pd(_mm_add_pd(_mm_cvtepi32_pd(a), _mm_cvtepi32_pd(b)), _mm_cvtepi32_pd(c)));
      const __m128d mean = _mm_mul_pd(share, sum);
      const __m128d part = number == 0 ? _mm_mul_pd(half, mean) : mean;
      __m128d value = _mm_sub_pd(_mm_add_pd(part, magic), magic);
      if (number != 0)
      {
        value = _mm_add_pd(value, _mm_sub_pd(_mm_cvtepi32_pd(mine), _mm_cvtepi32_pd(previous)));
      }
      return _mm_max_pd(least, _mm_min_pd(most, value));
    };
    const auto high = [](__m128i four) { return _mm_unpackhi_epi64(four, four); };
    const __m128d xy = moved(table.direction[stencil], pairs[0], pairs[1], pairs[2], own, before);
    const __m128d z = moved(table.direction[stencil] + 2, high(pairs[0]), high(pairs[1]),
      high(pairs[2]), high(own), high(before));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(old + 3 * p), _mm_cvttpd_epi32(xy));
    old[3 * p + 2] = _mm_cvtsi128_si32(_mm_cvttpd_epi32(z));
    const auto added = [&](__m128d value)
    { return _mm_cvtpd_epi32(_mm_mul_pd(weight, value)); }; // to nearest, ties to even
    const __m128i sum = _mm_add_epi32(load3(sums + 3 * p), _mm_unpacklo_epi64(added(xy), added(z)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(sums + 3 * p), sum);
    sums[3 * p + 2] = _mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum));
#else
    for (int a = 0; a < 3; ++a)
    {
      double sum = table.direction[stencil][a] * JointUnit;
      for (const std::int32_t* neighbour : neighbours)
      {
        sum += neighbour[a]; // exact, in any order
      }
      const double mean = table.share[stencil] * sum;
      double value = std::nearbyint(number == 0 ? 0.5 * mean : mean);
      if (number != 0)
      {
        value += static_cast<double>(current[3 * p + a]) - old[3 * p + a];
      }
      value = std::max(-Most, std::min(Most, value));
      old[3 * p + a] = static_cast<std::int32_t>(value);
      sums[3 * p + a] += static_cast<std::int32_t>(std::nearbyint(factor * value));
    }
#endif
  }
}

} // namespace

void JointWindow::take(Index number, Index begin, Index end)
{
  struct Work
  {
    Index slice;
    Index begin;
    Index end;
  };
  constexpr Index Grain = 1 << 12;
  std::vector<Work> all;
  Index points = 0;
  for (Index z = begin; z < end; ++z)
  {
    const Index count = this->slice(z).count;
    points += count;
    for (Index p = 0; p < count; p += Grain)
    {
      all.push_back({ z, p + 1, std::min(count, p + Grain) + 1 });
    }
  }
  const double factor = this->Factors[static_cast<std::size_t>(number) + 1];
  const Index works = static_cast<Index>(all.size());
  // Few points are not worth waking threads up.
  forRanges(works, points < 4 * Grain ? works : 1,
    [&](Index first, Index last)
    {
      for (Index w = first; w < last; ++w)
      {
        const Work& work = all[static_cast<std::size_t>(w)];
        JointSlice& here = this->slice(work.slice);
        // Nobody looks beyond the first and the last slice.
        const JointSlice& below = work.slice > this->first() ? this->slice(work.slice - 1) : here;
        const JointSlice& above = work.slice < this->last() ? this->slice(work.slice + 1) : here;
        takePoints(below, here, above, number, factor, work.begin, work.end);
      }
    });
}

void JointWindow::visitCrossings(
  Index z, Index begin, Index end, Index quad, const CrossingVisitor& visit) const
{
  const JointSlice& here = this->slice(z);
  const JointSlice& below = z > this->Lowest ? this->slice(z - 1) : here;
  struct Corner
  {
    const JointSlice* slice;
    Index point;
  };
  const auto cross = [&](const Corner(&around)[4])
  {
    double corners[4][3];
    for (int c = 0; c < 4; ++c)
    {
      const JointSlice& slice = *around[c].slice;
      const Index p = around[c].point;
      const Index height = (&slice == &here ? z : z - 1) - this->Whole.lo[2] + 1;
      const double cell[3] = { static_cast<double>(slice.x[p]), static_cast<double>(slice.y[p]),
        static_cast<double>(height) };
      for (int a = 0; a < 3; ++a)
      {
        corners[c][a] = cell[a] - 0.5 + jointResult(slice.sums[3 * p + a] / JointUnit);
      }
    }
    crossQuad(corners, this->Lattice.dims, quad, visit);
    ++quad;
  };
  // The cells around an edge have it, so they differ, and are next to each other in the list.
  const auto south = [](const JointSlice& slice, Index point) -> Index
  { return slice.across[4 * point]; };
  for (Index p = begin; p < end; ++p)
  {
    const unsigned which = here.quads[p];
    const Index under = here.across[4 * p + 2];
    if (which & 1u)
    {
      cross({ { &here, p }, { &below, under }, { &below, south(below, under) },
        { &here, south(here, p) } });
    }
    if (which & 2u)
    {
      cross({ { &here, p }, { &below, under }, { &below, under - 1 }, { &here, p - 1 } });
    }
    if (which & 4u)
    {
      cross({ { &here, p }, { &here, p - 1 }, { &here, south(here, p - 1) },
        { &here, south(here, p) } });
    }
  }
}

void JointWindow::dropBelow(Index z)
{
  for (; this->Lowest < z; ++this->Lowest)
  {
    this->Slices.pop_front();
  }
}

double JointWindow::fraction() const
{
  if (this->Block.empty())
  {
    return 1.0;
  }
  double taken = 0.0;
  for (const Index done : this->Done)
  {
    taken += static_cast<double>(done - this->first());
  }
  const auto slices = static_cast<double>(this->last() + 1 - this->first());
  return this->steps() > 0 ? taken / (static_cast<double>(this->steps()) * slices)
                           : static_cast<double>(this->Finished - this->first()) / slices;
}

} // namespace detail
} // namespace segcore
