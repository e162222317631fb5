// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: one row of bits per row of grid voxels, bit x for the voxel, edge or cell that starts
// there.

#include "SurfaceNets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace segcore
{
namespace detail
{

namespace
{

constexpr double Unit = 65536.0; // offsets per voxel

/// Word w of a row, moved so that bit x shows x + 1.
Word nextBit(const Word* row, Index w, Index words)
{
  return (row[w] >> 1) | (w + 1 < words ? row[w + 1] << 63 : 0);
}

/// The four edges of a face: which faces have different labels, three or more for sure, all four
/// pairs.
struct Face
{
  Word mixed;
  Word three;
  Word four;

  Face(Word a, Word b, Word c, Word d)
    : mixed(a | b | c | d), three((a & b & (c | d)) | (c & d & (a | b))), four(a & b & c & d)
  {
  }
};

} // namespace

void checkSurfaceNet(
  const Box& padded, const Box& block, const Box& whole, const SurfaceNetOptions& options)
{
  if (options.iterations < 0 || !(options.relaxation > 0.0 && options.relaxation <= 1.0) ||
    !(options.constraint >= 0.0 && options.constraint <= 0.5))
  {
    throw std::invalid_argument("segcore::surfaceNet: iterations must be 0 or more, relaxation in "
                                "(0, 1], constraint in [0, 0.5]");
  }
  if (!whole.contains(block) ||
    !padded.contains(block.grown(surfaceNetHalo(options.iterations)).clipped(whole)))
  {
    throw std::invalid_argument("segcore::surfaceNet: the padded box lacks voxels of the halo");
  }
}

void NetGrid::open(const Box& wholeBox, const Box& blockBox, int iterations)
{
  // Cells lo - n .. hi + n - 1 of the block are smoothed (n = iterations, at least 1), as far as
  // they exist; those further out stay at their centre as long as this block can notice.
  this->openVoxels(
    wholeBox, blockBox, blockBox.grown(surfaceNetHalo(iterations)).clipped(wholeBox.grown(1)));
}

void NetGrid::openVoxels(const Box& wholeBox, const Box& blockBox, const Box& voxelBox)
{
  this->whole = wholeBox;
  this->block = blockBox;
  this->voxels = voxelBox;
  this->words = wordCount(this->voxels.dim(0));
  for (Buffer<Word>& plane : this->edges)
  {
    plane = Buffer<Word>(this->voxels.rows() * this->words);
  }
}

Word NetGrid::owned(int axis, Index y, Index z, Index w) const
{
  const Word bits = this->edges[axis][this->row(y, z) * this->words + w];
  if (!bits) // most are
  {
    return 0;
  }
  // The block owns edges that start in it, and those that start just outside of the whole image.
  const auto low = [&](int a)
  {
    const bool before = a == axis && this->block.lo[a] == this->whole.lo[a];
    return this->block.lo[a] - this->voxels.lo[a] - (before ? 1 : 0);
  };
  const auto high = [&](int a) { return this->block.hi[a] - this->voxels.lo[a]; };
  if (y < low(1) || y > high(1) || z < low(2) || z > high(2))
  {
    return 0;
  }
  const Index first = std::min<Index>(64, std::max<Index>(0, low(0) - 64 * w));
  const Index last = std::min<Index>(64, std::max<Index>(0, high(0) + 1 - 64 * w));
  return bits & lowBits(last) & ~lowBits(first);
}

/// Word w of the cells of a row with an edge between different labels.
Word NetGrid::cellWord(bool ownedOnly, Index y, Index z, Index w) const
{
  const auto edge = [&](int axis, Index dy, Index dz) -> Word
  {
    return ownedOnly ? this->owned(axis, y + dy, z + dz, w)
                     : this->edges[axis][this->row(y + dy, z + dz) * this->words + w];
  };
  const auto both = [&](int axis, Index dy, Index dz) -> Word // at x and at x + 1
  {
    const Word* bits = this->edges[axis].data() + this->row(y + dy, z + dz) * this->words;
    if (!ownedOnly)
    {
      return bits[w] | nextBit(bits, w, this->words);
    }
    const Word here = this->owned(axis, y + dy, z + dz, w);
    const Word after = w + 1 < this->words ? this->owned(axis, y + dy, z + dz, w + 1) : 0;
    return here | (here >> 1) | (after << 63);
  };
  return edge(0, 0, 0) | edge(0, 1, 0) | edge(0, 0, 1) | edge(0, 1, 1) | both(1, 0, 0) |
    both(1, 0, 1) | both(2, 0, 0) | both(2, 1, 0);
}

void NetGrid::rankCells(RankedBits& result, bool ownedOnly) const
{
  const Index nx = this->voxels.dim(0) - 1;
  const Index ny = this->voxels.dim(1);
  const Index nz = this->voxels.dim(2);
  result.words = this->words;
  result.bits = Buffer<Word>(ny * nz * this->words);
  result.before = Buffer<Index>(ny * nz * this->words);
  std::vector<Index> rowStart(static_cast<std::size_t>(ny * nz) + 1, 0);
  forRanges(ny * nz, 128,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        // The last row and slice of voxels start no cell.
        const bool any = r % ny + 1 < ny && r / ny + 1 < nz;
        Index count = 0;
        for (Index w = 0; w < this->words; ++w)
        {
          const Word bits = any ? this->cellWord(ownedOnly, r % ny, r / ny, w) &
              lowBits(std::max<Index>(0, nx - 64 * w))
                                : 0;
          result.bits[r * this->words + w] = bits;
          count += bits ? countOnes(bits) : 0;
        }
        rowStart[static_cast<std::size_t>(r) + 1] = count;
      }
    });
  for (std::size_t r = 1; r < rowStart.size(); ++r)
  {
    rowStart[r] += rowStart[r - 1];
  }
  result.total = rowStart.back();
  forRanges(ny * nz, 1024,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        Index count = rowStart[static_cast<std::size_t>(r)];
        for (Index w = r * this->words; w < (r + 1) * this->words; ++w)
        {
          result.before[w] = count;
          count += result.bits[w] ? countOnes(result.bits[w]) : 0;
        }
      }
    });
}

void NetGrid::findCells()
{
  this->rankCells(this->cells, false);
}

void NetGrid::findUsed()
{
  this->rankCells(this->used, true);
}

void NetGrid::findStencils(bool keepJunctions, const Junction& junction)
{
  const Index ny = this->voxels.dim(1) - 1;
  const Index nz = this->voxels.dim(2) - 1;
  const Index n = this->words;
  this->stencil = Buffer<std::uint8_t>(this->cells.total);
  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = r % ny;
        const Index z = r / ny;
        const auto bits = [&](int axis, Index dy, Index dz) -> const Word*
        { return this->edges[axis].data() + this->row(y + dy, z + dz) * n; };
        const Index cellRow = this->row(y, z);
        Index cell = this->cells.rank(cellRow, 0);
        for (Index w = 0; w < n; ++w)
        {
          const Word active = this->cells.row(cellRow)[w];
          if (!active)
          {
            continue;
          }
          const auto here = [&](int axis, Index dy, Index dz) { return bits(axis, dy, dz)[w]; };
          const auto next = [&](int axis, Index dy, Index dz)
          { return nextBit(bits(axis, dy, dz), w, n); };
          Face faces[6] = {
            Face(here(1, 0, 0), here(1, 0, 1), here(2, 0, 0), here(2, 1, 0)),
            Face(next(1, 0, 0), next(1, 0, 1), next(2, 0, 0), next(2, 1, 0)),
            Face(here(0, 0, 0), here(0, 0, 1), here(2, 0, 0), next(2, 0, 0)),
            Face(here(0, 1, 0), here(0, 1, 1), here(2, 1, 0), next(2, 1, 0)),
            Face(here(0, 0, 0), here(0, 1, 0), here(1, 0, 0), next(1, 0, 0)),
            Face(here(0, 0, 1), here(0, 1, 1), here(1, 0, 1), next(1, 0, 1)),
          };
          if (keepJunctions)
          {
            // Four different pairs may still be two labels, checkerwise: then ask for the
            // diagonals.
            for (int f = 0; f < 6; ++f)
            {
              for (Word four = faces[f].four & active; four; four &= four - 1)
              {
                const int axis = f / 2;
                const Index up = f % 2;
                if (!junction(64 * w + lowestOne(four) + (axis == 0 ? up : 0),
                      y + (axis == 1 ? up : 0), z + (axis == 2 ? up : 0), axis))
                {
                  faces[f].three &= ~(four & (~four + 1));
                }
              }
            }
          }
          for (Word rest = active; rest; rest &= rest - 1, ++cell)
          {
            const Index x = lowestOne(rest);
            unsigned mixed = 0;
            unsigned three = 0;
            for (int f = 0; f < 6; ++f)
            {
              mixed |= static_cast<unsigned>((faces[f].mixed >> x) & 1u) << f;
              three |= static_cast<unsigned>((faces[f].three >> x) & 1u) << f;
            }
            const bool along = keepJunctions && (three & (three - 1u)) != 0; // two faces or more
            this->stencil[cell] = static_cast<std::uint8_t>(along ? three : mixed);
          }
        }
      }
    });
}

namespace
{

/// For every stencil: number of neighbours, relaxation divided by it, sum of the directions to
/// them. The fourth numbers are 0: the processor takes four at once.
struct StencilTable
{
  std::int32_t count[64];
  double share[64];
  std::int32_t direction[64][4];

  explicit StencilTable(double relaxation)
  {
    for (int s = 0; s < 64; ++s)
    {
      this->count[s] = 0;
      std::fill(this->direction[s], this->direction[s] + 4, 0);
      for (int f = 0; f < 6; ++f)
      {
        if ((s >> f) & 1)
        {
          ++this->count[s];
          this->direction[s][f / 2] += f % 2 ? 65536 : -65536;
        }
      }
      this->share[s] = this->count[s] ? relaxation / this->count[s] : 0.0;
    }
  }
};

/// Cell -1 stands for a neighbour that does not count: its offset is always 0.
constexpr Index NoCell = -1;

/// The cells that each cell is smoothed with, in the order of the bits of its stencil; NoCell for
/// the others, and for those outside of the grid. The latter would count, but only cells at the
/// edge of the grid have them, which matter in the first step only, when all offsets are 0 (see
/// open); no stencil leads out of the whole image.
template <class Id>
Buffer<Id> findNeighbours(const NetGrid& grid)
{
  const Index nx = grid.voxels.dim(0) - 1;
  const Index ny = grid.voxels.dim(1) - 1;
  const Index nz = grid.voxels.dim(2) - 1;
  Buffer<Id> neighbours(6 * grid.cells.total);
  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = r % ny;
        const Index z = r / ny;
        const Index row = grid.row(y, z);
        // Rows below and above along y and z; any row where there is none.
        const bool exists[4] = { y > 0, y + 1 < ny, z > 0, z + 1 < nz };
        const Index rows[4] = { exists[0] ? grid.row(y - 1, z) : row,
          exists[1] ? grid.row(y + 1, z) : row, exists[2] ? grid.row(y, z - 1) : row,
          exists[3] ? grid.row(y, z + 1) : row };
        unsigned inside = 0;
        for (unsigned f = 0; f < 4; ++f)
        {
          inside |= static_cast<unsigned>(exists[f]) << (f + 2);
        }
        Index cell = grid.cells.rank(row, 0);
        for (Index w = 0; w < grid.words; ++w)
        {
          Word rest = grid.cells.row(row)[w];
          if (!rest)
          {
            continue;
          }
          Index before[4];
          Word bits[4];
          for (int f = 0; f < 4; ++f)
          {
            before[f] = grid.cells.before[rows[f] * grid.words + w];
            bits[f] = grid.cells.bits[rows[f] * grid.words + w];
          }
          for (; rest; rest &= rest - 1, ++cell)
          {
            const Word below = (rest & (~rest + 1)) - 1;
            const Index x = 64 * w + lowestOne(rest);
            const unsigned s = grid.stencil[cell] &
              (inside | static_cast<unsigned>(x > 0) | static_cast<unsigned>(x + 1 < nx) << 1);
            const Index next[6] = { cell - 1, cell + 1, before[0] + countOnes(bits[0] & below),
              before[1] + countOnes(bits[1] & below), before[2] + countOnes(bits[2] & below),
              before[3] + countOnes(bits[3] & below) };
            for (unsigned f = 0; f < 6; ++f)
            {
              neighbours[6 * cell + f] = static_cast<Id>((s >> f) & 1u ? next[f] : NoCell);
            }
          }
        }
      }
    });
  return neighbours;
}

/// One step for the cells begin .. end - 1; four offsets per cell.
template <class Id>
void smoothCells(const std::int16_t* from, std::int16_t* to, const std::uint8_t* stencils,
  const Id* neighbours, const StencilTable& table, double limit, Index begin, Index end)
{
#if defined(__SSE2__)
  // The same as below, four at a time: compilers do not see it by themselves.
  const auto load = [from](Index cell)
  { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 4 * cell)); };
  // Two offsets, added up in 32 bits.
  const __m128i ones = _mm_set1_epi16(1);
  const auto both = [&](Index a, Index b)
  { return _mm_madd_epi16(_mm_unpacklo_epi16(load(a), load(b)), ones); };
  const __m128d most = _mm_set1_pd(limit);
  const __m128d least = _mm_set1_pd(-limit);
  const __m128d half = _mm_set1_pd(0.5);
  const __m128d sign = _mm_set1_pd(-0.0);
  for (Index cell = begin; cell < end; ++cell)
  {
    const unsigned s = stencils[cell];
    const Id* const next = neighbours + 6 * cell;
    __m128i sum = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.direction[s]));
    sum = _mm_add_epi32(sum, both(next[0], next[1]));
    sum = _mm_add_epi32(sum, both(next[2], next[3]));
    sum = _mm_add_epi32(sum, both(next[4], next[5]));
    const __m128i own = both(cell, NoCell);
    const __m128d count = _mm_set1_pd(static_cast<double>(table.count[s]));
    const __m128d share = _mm_set1_pd(table.share[s]);
    const auto step = [&](__m128i twoOwn, __m128i twoSums)
    {
      const __m128d p = _mm_cvtepi32_pd(twoOwn);
      const __m128d difference = _mm_sub_pd(_mm_cvtepi32_pd(twoSums), _mm_mul_pd(count, p));
      __m128d q = _mm_add_pd(p, _mm_mul_pd(share, difference));
      q = _mm_max_pd(least, _mm_min_pd(most, q));
      return _mm_cvttpd_epi32(_mm_add_pd(q, _mm_or_pd(half, _mm_and_pd(q, sign))));
    };
    const __m128i low = step(own, sum);
    const __m128i high = step(_mm_unpackhi_epi64(own, own), _mm_unpackhi_epi64(sum, sum));
    const __m128i moved = _mm_unpacklo_epi64(low, high);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 4 * cell), _mm_packs_epi32(moved, moved));
  }
#else
  for (Index cell = begin; cell < end; ++cell)
  {
    const unsigned s = stencils[cell];
    for (int a = 0; a < 4; ++a)
    {
      // Integer sums: exact, so their order does not matter.
      std::int32_t sum = table.direction[s][a];
      for (int f = 0; f < 6; ++f)
      {
        sum += from[4 * static_cast<Index>(neighbours[6 * cell + f]) + a];
      }
      const double p = from[4 * cell + a];
      // p + relaxation (sum / count - p)
      double q = p + table.share[s] * (sum - static_cast<double>(table.count[s]) * p);
      q = q > limit ? limit : q;
      q = q < -limit ? -limit : q;
      // To nearest, halves away from 0, so that mirrored images give mirrored surfaces.
      q += q < 0.0 ? -0.5 : 0.5;
      to[4 * cell + a] = static_cast<std::int16_t>(static_cast<std::int32_t>(q));
    }
  }
#endif
}

template <class Id>
void smoothGrid(NetGrid& grid, const SurfaceNetOptions& options, const Progress& progress)
{
  const Buffer<Id> neighbours = findNeighbours<Id>(grid);
  // 32767 rather than 32768 keeps a point strictly inside its cell and within 16 bits.
  const double limit = std::min(32767.0, std::floor(options.constraint * Unit));
  const StencilTable table(options.relaxation);
  Buffer<std::int16_t> moved(grid.offsets.size());
  std::fill(moved.begin(), moved.begin() + 4, std::int16_t{ 0 }); // NoCell
  const Index grain = std::max<Index>(1 << 12, grid.cells.total / (4 * threadCount()));
  for (int iteration = 0; iteration < options.iterations; ++iteration)
  {
    forRanges(grid.cells.total, grain,
      [&](Index begin, Index end)
      {
        smoothCells(grid.offset(0), moved.data() + 4, grid.stencil.data(), neighbours.data(), table,
          limit, begin, end);
      });
    std::swap(grid.offsets, moved);
    progress.step(static_cast<double>(iteration + 1) / options.iterations);
  }
}

} // namespace

void NetGrid::smooth(const SurfaceNetOptions& options, const Progress& progress)
{
  const Index size = 4 * (this->cells.total + 1);
  this->offsets = Buffer<std::int16_t>(size);
  forRanges(size, Index{ 1 } << 16, [&](Index begin, Index end)
    { std::fill(this->offsets.data() + begin, this->offsets.data() + end, std::int16_t{ 0 }); });
  if (options.iterations == 0)
  {
    return;
  }
  if (this->cells.total < std::numeric_limits<std::int32_t>::max())
  {
    smoothGrid<std::int32_t>(*this, options, progress);
  }
  else
  {
    smoothGrid<Index>(*this, options, progress);
  }
}

} // namespace detail
} // namespace segcore
