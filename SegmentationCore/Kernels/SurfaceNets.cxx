// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: one row of bits per row of grid voxels, bit x for the voxel, edge or cell that starts
// there.

#include "SurfaceNets.h"

#include <algorithm>
#include <cmath>

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
  this->whole = wholeBox;
  this->block = blockBox;
  // Cells lo - n .. hi + n - 1 of the block are smoothed (n = iterations, at least 1), as far as
  // they exist; those further out stay at their centre as long as this block can notice.
  const Index n = surfaceNetHalo(iterations);
  for (int a = 0; a < 3; ++a)
  {
    this->voxels.lo[a] = std::max(blockBox.lo[a] - n, wholeBox.lo[a] - 1);
    this->voxels.hi[a] = std::min(blockBox.hi[a] + n, wholeBox.hi[a] + 1);
  }
  this->words = wordCount(this->voxels.dim(0));
  for (Buffer<Word>& plane : this->edges)
  {
    plane = Buffer<Word>(this->voxels.rows() * this->words);
  }
}

Word NetGrid::owned(int axis, Index y, Index z, Index w) const
{
  // The block owns edges that start in it, and those that start just outside of the whole image.
  Index lo[3];
  Index hi[3];
  for (int a = 0; a < 3; ++a)
  {
    lo[a] = this->block.lo[a] - this->voxels.lo[a];
    hi[a] = this->block.hi[a] - this->voxels.lo[a];
    if (a == axis && this->block.lo[a] == this->whole.lo[a])
    {
      --lo[a];
    }
  }
  if (y < lo[1] || y > hi[1] || z < lo[2] || z > hi[2])
  {
    return 0;
  }
  const Index first = std::min<Index>(64, std::max<Index>(0, lo[0] - 64 * w));
  const Index last = std::min<Index>(64, std::max<Index>(0, hi[0] + 1 - 64 * w));
  return this->edges[axis][this->row(y, z) * this->words + w] & lowBits(last) & ~lowBits(first);
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
/// them.
struct StencilTable
{
  std::int32_t count[64];
  double share[64];
  std::int32_t direction[64][3];

  explicit StencilTable(double relaxation)
  {
    for (int s = 0; s < 64; ++s)
    {
      this->count[s] = 0;
      std::fill(this->direction[s], this->direction[s] + 3, 0);
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

} // namespace

void NetGrid::smooth(const SurfaceNetOptions& options, const Progress& progress)
{
  // One unused cell before the first and after the last: neighbours are read first and masked
  // later.
  const Index size = 3 * (this->cells.total + 2);
  this->offsets = Buffer<std::int16_t>(size);
  forRanges(size, Index{ 1 } << 16, [&](Index begin, Index end)
    { std::fill(this->offsets.data() + begin, this->offsets.data() + end, std::int16_t{ 0 }); });
  if (options.iterations == 0)
  {
    return;
  }
  const Index ny = this->voxels.dim(1) - 1;
  const Index nz = this->voxels.dim(2) - 1;
  // 32767 rather than 32768 keeps a point strictly inside its cell and within 16 bits.
  const double limit = std::min(32767.0, std::floor(options.constraint * Unit));
  const StencilTable table(options.relaxation);
  Buffer<std::int16_t> moved(size);
  std::fill(moved.begin(), moved.begin() + 3, std::int16_t{ 0 });
  std::fill(moved.end() - 3, moved.end(), std::int16_t{ 0 });

  for (int iteration = 0; iteration < options.iterations; ++iteration)
  {
    const std::int16_t* from = this->offsets.data() + 3;
    std::int16_t* to = moved.data() + 3;
    forRanges(ny * nz, 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const Index y = r % ny;
          const Index z = r / ny;
          const Index row = this->row(y, z);
          // A neighbour outside of the grid still counts with its direction; what is read as its
          // offset is some other cell's. That does no harm: cells at the edge of the grid matter in
          // the first step only, when all offsets are 0 (see open), and no stencil leads out of the
          // whole image.
          const Index rows[4] = { y > 0 ? this->row(y - 1, z) : row,
            y + 1 < ny ? this->row(y + 1, z) : row, z > 0 ? this->row(y, z - 1) : row,
            z + 1 < nz ? this->row(y, z + 1) : row };
          Index cell = this->cells.rank(row, 0);
          for (Index w = 0; w < this->words; ++w)
          {
            Word rest = this->cells.row(row)[w];
            if (!rest)
            {
              continue;
            }
            Index before[4];
            Word bits[4];
            for (int f = 0; f < 4; ++f)
            {
              before[f] = this->cells.before[rows[f] * this->words + w];
              bits[f] = this->cells.bits[rows[f] * this->words + w];
            }
            for (; rest; rest &= rest - 1, ++cell)
            {
              const Word mask = (rest & (~rest + 1)) - 1; // the bits below the lowest one
              const unsigned s = this->stencil[cell];
              const std::int16_t* o[6] = { from + 3 * (cell - 1), from + 3 * (cell + 1),
                from + 3 * (before[0] + countOnes(bits[0] & mask)),
                from + 3 * (before[1] + countOnes(bits[1] & mask)),
                from + 3 * (before[2] + countOnes(bits[2] & mask)),
                from + 3 * (before[3] + countOnes(bits[3] & mask)) };
              // Integer sums: exact, so their order does not matter. No branches: stencils are
              // irregular.
              std::int32_t sum[3] = { table.direction[s][0], table.direction[s][1],
                table.direction[s][2] };
              for (unsigned f = 0; f < 6; ++f)
              {
                const std::int32_t keep = -static_cast<std::int32_t>((s >> f) & 1u);
                sum[0] += keep & o[f][0];
                sum[1] += keep & o[f][1];
                sum[2] += keep & o[f][2];
              }
              for (int a = 0; a < 3; ++a)
              {
                const std::int32_t p = from[3 * cell + a];
                // p + relaxation (sum / count - p)
                double q = p + table.share[s] * (sum[a] - table.count[s] * p);
                q = q > limit ? limit : q;
                q = q < -limit ? -limit : q;
                // To nearest, halves away from 0, so that mirrored images give mirrored surfaces.
                to[3 * cell + a] = static_cast<std::int16_t>(q + std::copysign(0.5, q));
              }
            }
          }
        }
      });
    std::swap(this->offsets, moved);
    progress.step(static_cast<double>(iteration + 1) / options.iterations);
  }
}

} // namespace detail
} // namespace segcore
