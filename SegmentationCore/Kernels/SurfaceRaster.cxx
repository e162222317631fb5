// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: voxels x fastest; samples of a tile as BitRows, rows along x, y before z. With n samples
// per axis sample s of the lattice of samples lies in voxel floor(s / n).

#include "SurfaceRaster.h"

#include "PackBits.h"
#include "SurfaceRows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

namespace
{

constexpr Index PointGrain = 1 << 14;
constexpr Index TriangleGrain = 1 << 14;
/// Words of bits along x for a tile of a closed surface (half a megabyte), and of one that is voted
/// on (16 megabytes, and as much along y and z).
constexpr Index TileWords = Index{ 1 } << 16;
constexpr Index VotedTileWords = Index{ 1 } << 21;
/// Work below which threads are not worth their start.
constexpr Index SerialTriangles = 1 << 14;
constexpr Index SerialVoxels = Index{ 1 } << 20;

/// Finalizer of splitmix64 (doi:10.1145/2660193.2660195): every bit depends on every bit.
std::uint64_t mixed(std::uint64_t z)
{
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint64_t bitsOf(double value)
{
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// 0 for edges without length, which belong to no boundary.
std::uint64_t edgeHash(std::uint64_t a, std::uint64_t b)
{
  return a == b ? 0 : mixed(a + b);
}

/// Equal for equal points in the same turn, whichever comes first.
std::uint64_t triangleHash(std::uint64_t a, std::uint64_t b, std::uint64_t c)
{
  if (b < a && b < c)
  {
    return mixed(mixed(mixed(b) + c) + a);
  }
  if (c < a && c < b)
  {
    return mixed(mixed(mixed(c) + a) + b);
  }
  return mixed(mixed(mixed(a) + b) + c);
}

Index floorDivide(Index a, Index b)
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

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

} // namespace

SurfaceRaster::SurfaceRaster(const double* points, Index pointCount, const Index* triangles,
  Index triangleCount, const double* toLattice, int samplesPerAxis)
  : Samples(samplesPerAxis)
{
  this->prepare(points, pointCount, triangles, triangleCount, toLattice);
}

SurfaceRaster::SurfaceRaster(const float* points, Index pointCount, const Index* triangles,
  Index triangleCount, const double* toLattice, int samplesPerAxis)
  : Samples(samplesPerAxis)
{
  this->prepare(points, pointCount, triangles, triangleCount, toLattice);
}

template <class T>
void SurfaceRaster::snap(
  const T* points, Index pointCount, const double* toLattice, Buffer<std::uint64_t>& hash)
{
  const double identity[12] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
  const double n = this->Samples;
  double m[12];
  for (int i = 0; i < 12; ++i)
  {
    // Voxel coordinate x is sample coordinate n x + (n - 1) / 2.
    m[i] = n * (toLattice ? toLattice : identity)[i] + (i % 4 == 3 ? 0.5 * (n - 1.0) : 0.0);
  }
  this->Points = Buffer<double>(3 * pointCount);
  hash = Buffer<std::uint64_t>(pointCount);
  constexpr double Largest = 1099511627776.0; // 2^40
  // Adding and taking away 1.5 * 2^(52 - b) rounds |x| < 2^(51 - b) to a multiple of 2^-b.
  double magic = 25165824.0; // b = 28
  for (bool again = true; again;)
  {
    const Index ranges = (pointCount + PointGrain - 1) / PointGrain;
    std::vector<double> largest(static_cast<std::size_t>(std::max<Index>(1, ranges)), 0.0);
    forRanges(pointCount, PointGrain,
      [&](Index begin, Index end)
      {
        double most = 0.0;
        for (Index i = begin; i < end; ++i)
        {
          const double x = static_cast<double>(points[3 * i]);
          const double y = static_cast<double>(points[3 * i + 1]);
          const double z = static_cast<double>(points[3 * i + 2]);
          double* const p = this->Points.data() + 3 * i;
          std::uint64_t h = 0;
          for (int a = 0; a < 3; ++a)
          {
            const double* const row = m + 4 * a;
            const double c = ((row[0] * x + row[1] * y) + row[2] * z) + row[3];
            if (!(std::fabs(c) <= Largest))
            {
              p[0] = std::numeric_limits<double>::quiet_NaN(); // an error if a triangle has it
              break;
            }
            most = std::max(most, std::fabs(c));
            p[a] = ((c + magic) - magic) + 0.0; // no negative zero, which has other bits
            h = mixed(h + bitsOf(p[a]));
          }
          hash[i] = h;
        }
        double& slot = largest[static_cast<std::size_t>(begin / PointGrain)];
        slot = std::max(slot, most);
      });
    const double most = *std::max_element(largest.begin(), largest.end());
    again = most > magic / 6.0;
    while (most > magic / 6.0)
    {
      magic *= 2.0;
    }
  }
}

template <class T>
void SurfaceRaster::prepare(const T* points, Index pointCount, const Index* triangles,
  Index triangleCount, const double* toLattice)
{
  if (this->Samples < 1 || this->Samples > 16)
  {
    throw std::invalid_argument("segcore::SurfaceRaster: samples per axis must be 1 to 16, got " +
      std::to_string(this->Samples));
  }
  if (pointCount < 0 || triangleCount < 0)
  {
    throw std::invalid_argument("segcore::SurfaceRaster: negative number of points or triangles");
  }
  this->TriangleCount = triangleCount;
  Buffer<std::uint64_t> hash;
  this->snap(points, pointCount, toLattice, hash);

  const Index ranges =
    std::max<Index>(1, (this->TriangleCount + TriangleGrain - 1) / TriangleGrain);
  struct Part
  {
    std::uint64_t boundary = 0;
    Index degenerates = 0;
    double low[3] = { HUGE_VAL, HUGE_VAL, HUGE_VAL };
    double high[3] = { -HUGE_VAL, -HUGE_VAL, -HUGE_VAL };
  };
  std::vector<Part> parts(static_cast<std::size_t>(ranges));
  Buffer<std::uint64_t> keys(this->TriangleCount);
  Buffer<std::uint8_t> drop(triangleCount);
  this->Triangles = Buffer<Index>(3 * triangleCount);
  forRanges(this->TriangleCount, TriangleGrain,
    [&](Index begin, Index end)
    {
      Part part;
      for (Index t = begin; t < end; ++t)
      {
        std::uint64_t h[3];
        for (int c = 0; c < 3; ++c)
        {
          const Index id = triangles[3 * t + c];
          this->Triangles[3 * t + c] = id;
          if (id < 0 || id >= pointCount)
          {
            throw std::invalid_argument("segcore::SurfaceRaster: triangle " + std::to_string(t) +
              " has point " + std::to_string(id) + " of " + std::to_string(pointCount));
          }
          const double* const p = this->Points.data() + 3 * id;
          if (std::isnan(p[0]))
          {
            throw std::invalid_argument("segcore::SurfaceRaster: point " + std::to_string(id) +
              " is not finite, or farther than 2^40 voxels away");
          }
          h[c] = hash[id];
          for (int a = 0; a < 3; ++a)
          {
            part.low[a] = std::min(part.low[a], p[a]);
            part.high[a] = std::max(part.high[a], p[a]);
          }
        }
        const bool degenerate = h[0] == h[1] || h[1] == h[2] || h[2] == h[0];
        drop[t] = degenerate ? 1 : 0;
        part.degenerates += degenerate ? 1 : 0;
        keys[t] = triangleHash(h[0], h[1], h[2]);
        part.boundary ^= edgeHash(h[0], h[1]) ^ edgeHash(h[1], h[2]) ^ edgeHash(h[2], h[0]);
      }
      parts[static_cast<std::size_t>(begin / TriangleGrain)] = part;
    });
  Part sum;
  for (const Part& part : parts)
  {
    sum.boundary ^= part.boundary;
    sum.degenerates += part.degenerates;
    for (int a = 0; a < 3; ++a)
    {
      sum.low[a] = std::min(sum.low[a], part.low[a]);
      sum.high[a] = std::max(sum.high[a], part.high[a]);
    }
  }
  this->Degenerates = sum.degenerates;
  this->dropDuplicates(keys, hash, drop, sum.boundary);
  this->Closed = sum.boundary == 0;
  if (this->Degenerates > 0 || this->Duplicates > 0)
  {
    Index kept = 0;
    for (Index t = 0; t < triangleCount; ++t)
    {
      if (!drop[t])
      {
        std::copy(triangles + 3 * t, triangles + 3 * t + 3, this->Triangles.data() + 3 * kept);
        ++kept;
      }
    }
    this->TriangleCount = kept;
  }
  if (this->TriangleCount > 0)
  {
    for (int a = 0; a < 3; ++a)
    {
      // Sample s can be inside iff low <= s < high; see the moved centres of the header.
      const Index first = ceilIndex(sum.low[a]);
      const Index last = ceilIndex(sum.high[a]) - 1;
      this->Voxels.lo[a] = floorDivide(first, this->Samples);
      this->Voxels.hi[a] = last < first ? this->Voxels.lo[a] - 1 : floorDivide(last, this->Samples);
    }
  }
}

void SurfaceRaster::dropDuplicates(const Buffer<std::uint64_t>& keys,
  const Buffer<std::uint64_t>& hash, Buffer<std::uint8_t>& drop, std::uint64_t& boundary)
{
  // Triangles by the highest bits of their keys, a table for each part: independent of the others,
  // and small enough for the cache. Parts keep the order, so the first of equal triangles stays.
  struct Entry
  {
    std::uint64_t key;
    Index triangle;
  };
  int bits = 0;
  while (bits < 10 && this->TriangleCount >> bits > SerialTriangles)
  {
    ++bits;
  }
  const std::size_t tables = std::size_t{ 1 } << bits;
  const auto partOf = [bits](std::uint64_t key)
  { return bits == 0 ? std::size_t{ 0 } : static_cast<std::size_t>(key >> (64 - bits)); };
  const Index ranges = (this->TriangleCount + TriangleGrain - 1) / TriangleGrain;
  std::vector<std::vector<Index>> next(
    static_cast<std::size_t>(ranges), std::vector<Index>(tables, 0));
  std::vector<Index> start(tables + 1, 0);
  Buffer<Entry> entries(this->TriangleCount);
  const auto forKeys = [&](const auto& body)
  {
    forRanges(this->TriangleCount, TriangleGrain,
      [&](Index begin, Index end)
      {
        // One range if there is one only, else ranges of exactly this length.
        std::vector<Index>& counters = next[static_cast<std::size_t>(begin / TriangleGrain)];
        for (Index t = begin; t < end; ++t)
        {
          if (!drop[t])
          {
            body(t, counters[partOf(keys[t])]);
          }
        }
      });
  };
  forKeys([](Index, Index& counter) { ++counter; });
  Index sum = 0;
  for (std::size_t part = 0; part < tables; ++part)
  {
    start[part] = sum;
    for (std::vector<Index>& counters : next)
    {
      const Index count = counters[part];
      counters[part] = sum;
      sum += count;
    }
  }
  start[tables] = sum;
  forKeys([&](Index t, Index& counter) { entries[counter++] = { keys[t], t }; });

  const auto corner = [this](Index t, int c)
  { return this->Points.data() + 3 * this->Triangles[3 * t + c]; };
  const auto same = [&corner](Index s, Index t)
  {
    for (int turn = 0; turn < 3; ++turn)
    {
      bool equal = true;
      for (int c = 0; c < 3; ++c)
      {
        equal = equal && std::equal(corner(s, c), corner(s, c) + 3, corner(t, (c + turn) % 3));
      }
      if (equal)
      {
        return true;
      }
    }
    return false;
  };
  std::vector<Index> found(tables, 0);
  std::vector<std::uint64_t> edges(tables, 0);
  forRanges(static_cast<Index>(tables), 1,
    [&](Index begin, Index end)
    {
      for (std::size_t part = static_cast<std::size_t>(begin); part < static_cast<std::size_t>(end);
        ++part)
      {
        const Index first = start[part];
        const Index last = start[part + 1];
        std::size_t size = 16;
        while (size < 2 * static_cast<std::size_t>(last - first))
        {
          size *= 2;
        }
        std::vector<Index> table(size, -1);
        for (Index e = first; e < last; ++e)
        {
          const Entry& entry = entries[e];
          std::size_t slot = static_cast<std::size_t>(entry.key) & (size - 1);
          while (table[slot] >= 0 &&
            !(entries[table[slot]].key == entry.key &&
              same(entries[table[slot]].triangle, entry.triangle)))
          {
            slot = (slot + 1) & (size - 1);
          }
          if (table[slot] < 0)
          {
            table[slot] = e;
            continue;
          }
          drop[entry.triangle] = 1;
          ++found[part];
          const Index* const id = this->Triangles.data() + 3 * entry.triangle;
          edges[part] ^= edgeHash(hash[id[0]], hash[id[1]]) ^ edgeHash(hash[id[1]], hash[id[2]]) ^
            edgeHash(hash[id[2]], hash[id[0]]);
        }
      }
    });
  for (std::size_t part = 0; part < tables; ++part)
  {
    this->Duplicates += found[part];
    boundary ^= edges[part];
  }
}

namespace
{

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
  const bool threaded = triangles >= SerialTriangles || box.size() * n * n >= SerialVoxels;
  if (threaded)
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
        writeTile(tile, rows, n, values, counts,
          [&](Index j, Index k) { return rowAt(j, k) + (part.lo[0] - box.lo[0]); });
      }
    });
}

} // namespace segcore
