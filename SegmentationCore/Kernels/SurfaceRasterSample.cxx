// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: voxels x fastest; samples of a tile as BitRows, rows along x, y before z. With n samples
// per axis sample s of the lattice of samples lies in voxel floor(s / n).

#include "SurfaceRaster.h"

#include "PackBits.h"
#include "SurfaceRows.h"
#include "Threads.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace segcore
{

namespace
{

/// Words of bits along x for a tile of a closed surface (half a megabyte), and of one that is voted
/// on (16 megabytes, and as much along y and z).
constexpr Index TileWords = Index{ 1 } << 16;
constexpr Index VotedTileWords = Index{ 1 } << 21;
/// Work below which threads are not worth their start.
constexpr Index SerialTriangles = 1 << 14;
constexpr Index SerialVoxels = Index{ 1 } << 20;
/// The same where every thread has bits of its own: triangles, and voxels to write.
constexpr Index SharedTriangles = 1 << 11;
constexpr Index MostShared = 1 << 17;
constexpr Index SharedVoxels = Index{ 1 } << 16;

BitRows makeRows(const Box& samples, const Axes& axes, Index perWord, Buffer<Word>& bits)
{
  BitRows rows;
  const int order[3] = { axes.x, axes.y, axes.z };
  for (int a = 0; a < 3; ++a)
  {
    rows.lo[a] = samples.lo[order[a]];
    rows.hi[a] = samples.hi[order[a]];
  }
  rows.perWord = perWord;
  rows.wordsPerRow = BitRows::words(samples.dim(axes.x), perWord);
  bits = Buffer<Word>(rows.wordsPerRow * samples.dim(axes.y) * samples.dim(axes.z));
  std::fill(bits.begin(), bits.end(), Word{ 0 });
  rows.bits = bits.data();
  return rows;
}

void accumulate(const BitRows& rows, const Buffer<Word>& bits)
{
  for (Index w = 0; w < bits.size(); w += rows.wordsPerRow)
  {
    accumulateRow(rows, rows.bits + w);
  }
}

/// A row of samples as bytes, one sample per voxel.
void writeRow(const Word* row, Index n, const std::uint8_t* values, std::uint8_t* out)
{
  const std::uint8_t flip = values[0] ^ values[1];
  for (Index i = 0; i < n; i += 64)
  {
    const Word word = *row++;
    const Index count = std::min<Index>(64, n - i);
    if (word == 0 || word == ~Word{ 0 })
    {
      std::memset(out + i, values[word & 1], static_cast<std::size_t>(count));
      continue;
    }
    std::uint8_t bytes[64];
    unpackBits(&word, 0, count, bytes);
    for (Index b = 0; b < count; ++b)
    {
      out[i + b] = static_cast<std::uint8_t>(values[0] ^ (bytes[b] * flip));
    }
  }
}

/// Adds the samples of a row to the counts of its voxels, n samples each.
void countRow(const Word* row, Index voxels, int n, Index perWord, std::uint16_t* counts)
{
  const Index group = perWord / n;
  const Word all = lowBits(perWord);
  const Word one = lowBits(n);
  for (Index i = 0; i < voxels; i += group)
  {
    Word word = *row++;
    if (word == 0)
    {
      continue;
    }
    const Index count = std::min(group, voxels - i);
    if (word == all)
    {
      for (Index g = 0; g < count; ++g)
      {
        counts[i + g] = static_cast<std::uint16_t>(counts[i + g] + n);
      }
      continue;
    }
    for (Index g = 0; g < count; ++g, word >>= n)
    {
      counts[i + g] = static_cast<std::uint16_t>(counts[i + g] + countOnes(word & one));
    }
  }
}

/// Everything sample() needs to know of the surface.
struct Surface
{
  const double* points;
  const Index* triangles;
  Index count;

  void flip(Index t, const Axes& axes, const BitRows& rows) const
  {
    const double* const corners[3] = { this->points + 3 * this->triangles[3 * t],
      this->points + 3 * this->triangles[3 * t + 1],
      this->points + 3 * this->triangles[3 * t + 2] };
    flipCrossings(corners, axes, rows);
  }
};

constexpr Axes AlongX = { 0, 1, 2 };
constexpr Axes AlongY = { 1, 2, 0 };
constexpr Axes AlongZ = { 2, 0, 1 };

/// Replaces the parities along x by the majority of those along x, y and z.
void vote(const Surface& surface, const Box& samples, const BitRows& x)
{
  Buffer<Word> bits[2];
  const BitRows y = makeRows(samples, AlongY, 64, bits[0]);
  const BitRows z = makeRows(samples, AlongZ, 64, bits[1]);
  for (Index t = 0; t < surface.count; ++t)
  {
    surface.flip(t, AlongY, y);
    surface.flip(t, AlongZ, z);
  }
  accumulate(y, bits[0]);
  accumulate(z, bits[1]);
  // +1, -1, or 0 where the row has met a hole.
  const auto voteOf = [](const BitRows& rows, const Word* row, Index bit)
  {
    return rows.test(row, rows.beyond()) ? 0 : rows.test(row, bit) ? 1 : -1;
  };
  for (Index k = samples.lo[2]; k <= samples.hi[2]; ++k)
  {
    for (Index j = samples.lo[1]; j <= samples.hi[1]; ++j)
    {
      Word* const row = x.row(j, k);
      for (Index i = samples.lo[0]; i <= samples.hi[0]; ++i)
      {
        const Index bit = i - samples.lo[0];
        // The bit after the last sample, which says whether the row along x is odd, comes last.
        const int votes = voteOf(x, row, bit) + voteOf(y, y.row(k, i), j - samples.lo[1]) +
          voteOf(z, z.row(i, j), k - samples.lo[2]);
        Word& word = row[bit / x.perWord];
        const Word one = Word{ 1 } << (bit % x.perWord);
        word = votes >= 0 ? (word | one) : (word & ~one);
      }
    }
  }
}

/// Triangles by the tiles that their rows may lie in: tile t has list[start[t] .. start[t + 1]).
struct TileLists
{
  std::vector<Index> start;
  Buffer<Index> list;
};

/// How the box is cut: by whole rows, `sizeY` by `sizeZ` voxels, in `countY` by `countZ` tiles.
struct Tiling
{
  Box box;
  Index n;
  Index sizeY;
  Index sizeZ;
  Index countY;
  Index countZ;

  Box tile(Index t) const
  {
    Box tile = this->box;
    tile.lo[1] += t % this->countY * this->sizeY;
    tile.lo[2] += t / this->countY * this->sizeZ;
    tile.hi[1] = std::min(tile.hi[1], tile.lo[1] + this->sizeY - 1);
    tile.hi[2] = std::min(tile.hi[2], tile.lo[2] + this->sizeZ - 1);
    return tile;
  }

  /// The tiles along an axis (1 or 2) that samples ceil(low) .. ceil(high) - 1 lie in.
  bool range(int axis, double low, double high, Index& first, Index& last) const
  {
    const Index size = axis == 1 ? this->sizeY : this->sizeZ;
    const Index from = std::max(ceilIndex(low), this->box.lo[axis] * this->n);
    const Index to = std::min(ceilIndex(high) - 1, this->box.hi[axis] * this->n + this->n - 1);
    if (from > to)
    {
      return false;
    }
    first = (from - this->box.lo[axis] * this->n) / (size * this->n);
    last = (to - this->box.lo[axis] * this->n) / (size * this->n);
    return true;
  }

  template <class Body>
  void forTiles(const Surface& surface, Index t, const Body& body) const
  {
    double low[2] = { HUGE_VAL, HUGE_VAL };
    double high[2] = { -HUGE_VAL, -HUGE_VAL };
    for (int c = 0; c < 3; ++c)
    {
      const double* const p = surface.points + 3 * surface.triangles[3 * t + c];
      for (int a = 0; a < 2; ++a)
      {
        low[a] = std::min(low[a], p[a + 1]);
        high[a] = std::max(high[a], p[a + 1]);
      }
    }
    Index y[2];
    Index z[2];
    if (this->range(1, low[0], high[0], y[0], y[1]) && this->range(2, low[1], high[1], z[0], z[1]))
    {
      for (Index k = z[0]; k <= z[1]; ++k)
      {
        for (Index j = y[0]; j <= y[1]; ++j)
        {
          body(j + this->countY * k);
        }
      }
    }
  }
};

/// Two passes over the triangles, count and fill, in chunks with counters of their own.
void listTriangles(const Surface& surface, const Tiling& tiling, TileLists& lists)
{
  const Index tiles = tiling.countY * tiling.countZ;
  const Index chunks = chunkCount(surface.count, std::max(SerialTriangles, tiles));
  std::vector<std::vector<Index>> next(
    static_cast<std::size_t>(chunks), std::vector<Index>(static_cast<std::size_t>(tiles), 0));
  const auto forChunks = [&](const auto& body)
  {
    forRanges(chunks, 1,
      [&](Index begin, Index end)
      {
        for (Index c = begin; c < end; ++c)
        {
          const Index last = chunkBegin(surface.count, chunks, c + 1);
          for (Index t = chunkBegin(surface.count, chunks, c); t < last; ++t)
          {
            tiling.forTiles(surface, t, [&, t](Index tile)
              { body(t, next[static_cast<std::size_t>(c)][static_cast<std::size_t>(tile)]); });
          }
        }
      });
  };
  forChunks([](Index, Index& counter) { ++counter; });
  lists.start.assign(static_cast<std::size_t>(tiles) + 1, 0);
  Index sum = 0;
  for (std::size_t tile = 0; tile < static_cast<std::size_t>(tiles); ++tile)
  {
    lists.start[tile] = sum;
    for (std::vector<Index>& counters : next)
    {
      const Index count = counters[tile];
      counters[tile] = sum;
      sum += count;
    }
  }
  lists.start.back() = sum;
  lists.list = Buffer<Index>(sum);
  forChunks([&lists](Index t, Index& counter) { lists.list[counter++] = t; });
}

/// Whole layers of voxels if possible, small enough for the cache and many enough for the threads.
Tiling makeTiling(const Box& box, int n, Index perWord, bool closed, Index triangles)
{
  const Index perRow = BitRows::words(box.dim(0) * n, perWord) * n * n;
  const Index rows = std::max<Index>(1, (closed ? TileWords : VotedTileWords) / perRow);
  Tiling tiling;
  tiling.box = box;
  tiling.n = n;
  // Votes need whole layers: rows along y and z of part of a layer would all be made again.
  tiling.sizeY = closed ? std::min(box.dim(1), rows) : box.dim(1);
  tiling.sizeZ = std::max<Index>(1, std::min(box.dim(2), rows / tiling.sizeY));
  // Whoever calls for one of many surfaces has no threads to spare; a small closed surface's
  // triangles are shared out, see sampleShared().
  const bool threaded = !vtkSMPTools::IsParallelScope() &&
    (triangles >= SerialTriangles || box.size() * n * n >= SerialVoxels);
  const bool shared =
    closed && rows >= box.rows() && triangles >= 2 * SharedTriangles && triangles < MostShared;
  if (threaded && !shared)
  {
    const Index wanted = threadCount() * (closed ? 4 : 1);
    tiling.sizeZ = std::min(tiling.sizeZ, std::max<Index>(1, (box.dim(2) + wanted - 1) / wanted));
  }
  tiling.countY = (box.dim(1) + tiling.sizeY - 1) / tiling.sizeY;
  tiling.countZ = (box.dim(2) + tiling.sizeZ - 1) / tiling.sizeZ;
  return tiling;
}

/// From bits to the caller's values. `row` is where the first voxel of a row of the tile lies.
template <class RowOf>
void writeTile(const Box& tile, const BitRows& rows, int n, const std::uint8_t* values,
  std::vector<std::uint16_t>& counts, const RowOf& rowOf)
{
  const Index width = tile.dim(0);
  for (Index k = tile.lo[2]; k <= tile.hi[2]; ++k)
  {
    for (Index j = tile.lo[1]; j <= tile.hi[1]; ++j)
    {
      std::uint8_t* const out = rowOf(j, k);
      if (n == 1)
      {
        writeRow(rows.row(j, k), width, values, out);
        continue;
      }
      counts.assign(static_cast<std::size_t>(width), 0);
      for (Index sz = 0; sz < n; ++sz)
      {
        for (Index sy = 0; sy < n; ++sy)
        {
          countRow(rows.row(j * n + sy, k * n + sz), width, n, rows.perWord, counts.data());
        }
      }
      for (Index i = 0; i < width; ++i)
      {
        out[i] = values[counts[static_cast<std::size_t>(i)]];
      }
    }
  }
}

/// Part of a surface's triangles, flipped into bits of their own: flips of all parts together, in
/// any order, are those of the surface.
struct SharedPart
{
  Buffer<Word> bits;
  BitRows rows;
};

/// The whole box of a closed surface, small enough for the cache, when threads would have little to
/// do in a tile each.
template <class RowOf>
void sampleShared(const Surface& surface, const Box& box, int n, Index perWord, Index parts,
  const std::uint8_t* values, const RowOf& rowOf)
{
  Box samples;
  for (int a = 0; a < 3; ++a)
  {
    samples.lo[a] = box.lo[a] * n;
    samples.hi[a] = box.hi[a] * n + n - 1;
  }
  std::vector<SharedPart> shared(static_cast<std::size_t>(parts));
  forRanges(parts, 1,
    [&](Index begin, Index end)
    {
      for (Index p = begin; p < end; ++p)
      {
        SharedPart& part = shared[static_cast<std::size_t>(p)];
        part.rows = makeRows(samples, AlongX, perWord, part.bits);
        const Index last = chunkBegin(surface.count, parts, p + 1);
        for (Index t = chunkBegin(surface.count, parts, p); t < last; ++t)
        {
          surface.flip(t, AlongX, part.rows);
        }
      }
    });
  const BitRows& rows = shared.front().rows;
  const Index layer = box.dim(1) * n * n * rows.wordsPerRow; // words for a layer of voxels
  const Index layers = std::max<Index>(1, SharedVoxels / (box.dim(0) * box.dim(1) * n * n));
  forRanges(box.dim(2), layers,
    [&](Index begin, Index end)
    {
      for (Index w = begin * layer; w < end * layer; ++w)
      {
        for (std::size_t p = 1; p < shared.size(); ++p)
        {
          rows.bits[w] ^= shared[p].rows.bits[w];
        }
      }
      for (Index w = begin * layer; w < end * layer; w += rows.wordsPerRow)
      {
        accumulateRow(rows, rows.bits + w);
      }
      Box slab = box;
      slab.lo[2] = box.lo[2] + begin;
      slab.hi[2] = box.lo[2] + end - 1;
      std::vector<std::uint16_t> counts;
      writeTile(slab, rows, n, values, counts, rowOf);
    });
}

} // namespace

void SurfaceRaster::sample(
  const Box& box, const std::uint8_t* values, std::uint8_t* out, const Progress& progress) const
{
  const Box part = box.intersect(this->Voxels);
  const int n = this->Samples;
  // Outside the surface's own box; the rows that pass it are written in part here.
  const auto rowAt = [&](Index j, Index k) { return out + box.offset(box.lo[0], j, k); };
  forRanges(box.rows(), std::max<Index>(1, SerialVoxels / std::max<Index>(1, box.dim(0))),
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index j = box.lo[1] + r % box.dim(1);
        const Index k = box.lo[2] + r / box.dim(1);
        std::uint8_t* const row = rowAt(j, k);
        const bool crossed = part.contains(part.lo[0], j, k);
        const Index before = crossed ? part.lo[0] - box.lo[0] : box.dim(0);
        const Index after = crossed ? box.hi[0] - part.hi[0] : 0;
        std::memset(row, values[0], static_cast<std::size_t>(before));
        std::memset(row + box.dim(0) - after, values[0], static_cast<std::size_t>(after));
      }
    });
  progress.step(0.0);
  if (part.empty())
  {
    progress.step(1.0);
    return;
  }
  const Surface surface = { this->Points.data(), this->Triangles.data(), this->TriangleCount };
  const Index perWord = 64 / n * n;
  const Tiling tiling = makeTiling(part, n, perWord, this->Closed, this->TriangleCount);
  const Index tiles = tiling.countY * tiling.countZ;
  const auto rowOf = [&](Index j, Index k) { return rowAt(j, k) + (part.lo[0] - box.lo[0]); };
  const Index shares = vtkSMPTools::IsParallelScope()
    ? 1
    : std::min(threadCount(), this->TriangleCount / SharedTriangles);
  if (this->Closed && tiles == 1 && shares > 1)
  {
    sampleShared(surface, part, n, perWord, shares, values, rowOf);
    progress.step(1.0);
    return;
  }
  TileLists lists;
  const bool listed = tiles > 1;
  if (listed)
  {
    listTriangles(surface, tiling, lists);
  }
  forRanges(tiles, 1, progress,
    [&](Index begin, Index end)
    {
      Buffer<Word> bits;
      std::vector<std::uint16_t> counts;
      for (Index t = begin; t < end; ++t)
      {
        const Box tile = tiling.tile(t);
        Box samples;
        for (int a = 0; a < 3; ++a)
        {
          samples.lo[a] = tile.lo[a] * n;
          samples.hi[a] = tile.hi[a] * n + n - 1;
        }
        const BitRows rows = makeRows(samples, AlongX, perWord, bits);
        if (listed)
        {
          const Index last = lists.start[static_cast<std::size_t>(t) + 1];
          for (Index e = lists.start[static_cast<std::size_t>(t)]; e < last; ++e)
          {
            surface.flip(lists.list[e], AlongX, rows);
          }
        }
        else
        {
          for (Index s = 0; s < surface.count; ++s)
          {
            surface.flip(s, AlongX, rows);
          }
        }
        accumulate(rows, bits);
        if (!this->Closed)
        {
          vote(surface, samples, rows);
        }
        writeTile(tile, rows, n, values, counts, rowOf);
      }
    });
}

} // namespace segcore
