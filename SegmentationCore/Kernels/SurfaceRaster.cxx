// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// How a surface is made ready: rounded, and rid of doubles. Sampling is in SurfaceRasterSample.cxx.

#include "SurfaceRaster.h"

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

constexpr Index PointGrain = 1 << 11;
constexpr Index TriangleGrain = 1 << 12;
/// Triangles for a table of those seen: it stays in the cache.
constexpr Index TableTriangles = 1 << 14;

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

/// The same for both directions; 0 for edges without length, which belong to no boundary. The
/// hashes of the points are mixed already.
std::uint64_t edgeHash(std::uint64_t a, std::uint64_t b)
{
  return a == b ? 0 : (a | 1u) * (b | 1u);
}

/// Equal for equal points in the same turn, whichever comes first: each product depends on the
/// direction of its edge.
std::uint64_t triangleHash(std::uint64_t a, std::uint64_t b, std::uint64_t c)
{
  const auto turned = [](std::uint64_t h) { return (h << 32) | (h >> 32); };
  const std::uint64_t sum = a * turned(b) + b * turned(c) + c * turned(a);
  return sum ^ (sum >> 32); // low bits of products depend on low bits alone
}

Index floorDivide(Index a, Index b)
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
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
  while (bits < 10 && this->TriangleCount >> bits > TableTriangles)
  {
    ++bits;
  }
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
  const auto edgesOf = [&](Index t)
  {
    const Index* const id = this->Triangles.data() + 3 * t;
    return edgeHash(hash[id[0]], hash[id[1]]) ^ edgeHash(hash[id[1]], hash[id[2]]) ^
      edgeHash(hash[id[2]], hash[id[0]]);
  };
  if (bits == 0)
  {
    std::size_t size = 16;
    while (size < 2 * static_cast<std::size_t>(this->TriangleCount))
    {
      size *= 2;
    }
    std::vector<std::int32_t> table(size, -1);
    for (Index t = 0; t < this->TriangleCount; ++t)
    {
      if (drop[t])
      {
        continue;
      }
      std::size_t slot = static_cast<std::size_t>(keys[t]) & (size - 1);
      while (table[slot] >= 0 && !(keys[table[slot]] == keys[t] && same(table[slot], t)))
      {
        slot = (slot + 1) & (size - 1);
      }
      if (table[slot] < 0)
      {
        table[slot] = static_cast<std::int32_t>(t);
        continue;
      }
      drop[t] = 1;
      ++this->Duplicates;
      boundary ^= edgesOf(t);
    }
    return;
  }
  const std::size_t tables = std::size_t{ 1 } << bits;
  const auto partOf = [bits](std::uint64_t key)
  { return static_cast<std::size_t>(key >> (64 - bits)); };
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
          edges[part] ^= edgesOf(entry.triangle);
        }
      }
    });
  for (std::size_t part = 0; part < tables; ++part)
  {
    this->Duplicates += found[part];
    boundary ^= edges[part];
  }
}

} // namespace segcore
