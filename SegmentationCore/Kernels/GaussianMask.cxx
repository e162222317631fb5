// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: numbers of 15 bits, two rows (or slices) in a row of 32-bit numbers, for multiplications
// of 16 bits that add two products are what a processor does most of at once. After two passes a
// number has 30 bits; it is kept as its upper and its lower 15. Four rows of a result are made at
// once, from the same pairs, in groups that begin at the same place among the pairs: so the weights
// are the same for every group.

#include "GaussianMask.h"

#include "Instructions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(SEGCORE_CHOOSES_WIDE)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace segcore
{

namespace
{

using Half = std::uint16_t;

/// Sum of the weights of an axis: two values of one pass still fit into 16 bits.
constexpr Index WeightSum = 32767;
constexpr int LowBits = 15;
constexpr std::uint32_t LowMask = (1u << LowBits) - 1;
constexpr Index Chunk = 16; ///< voxels along x that are summed at once
constexpr Index Group = 4;  ///< rows or slices that are

/// w[0] .. w[r]; w[0] + 2 (w[1] + ... + w[r]) = WeightSum.
std::vector<Half> makeWeights(double deviation, Index r)
{
  std::vector<double> tail(static_cast<std::size_t>(r + 2), 0.0); // sums from k outwards
  for (Index k = r; k >= 1; --k)
  {
    const double t = static_cast<double>(k) / deviation;
    tail[static_cast<std::size_t>(k)] =
      tail[static_cast<std::size_t>(k + 1)] + std::exp(-0.5 * t * t);
  }
  const double scale = static_cast<double>(WeightSum) / (1.0 + 2.0 * tail[1]);
  const auto rounded = [&](Index k)
  { return static_cast<Index>(std::lround(scale * tail[static_cast<std::size_t>(k)])); };
  std::vector<Half> weights(static_cast<std::size_t>(r + 1));
  weights[0] = static_cast<Half>(WeightSum - 2 * rounded(1));
  for (Index k = 1; k <= r; ++k)
  {
    weights[static_cast<std::size_t>(k)] = static_cast<Half>(rounded(k) - rounded(k + 1));
  }
  return weights;
}

/// For each position in [first, first + count): the sum of the weights that lie inside [lo, hi].
std::vector<Index> clippedSums(
  const std::vector<Half>& weights, Index first, Index count, Index lo, Index hi)
{
  const Index r = static_cast<Index>(weights.size()) - 1;
  std::vector<Index> sums(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i)
  {
    const Index below = std::min(r, first + i - lo);
    const Index above = std::min(r, hi - first - i);
    Index sum = WeightSum;
    for (Index k = below + 1; k <= r; ++k)
    {
      sum -= weights[static_cast<std::size_t>(k)];
    }
    for (Index k = above + 1; k <= r; ++k)
    {
      sum -= weights[static_cast<std::size_t>(k)];
    }
    sums[static_cast<std::size_t>(i)] = sum;
  }
  return sums;
}

/// The weights of two rows for one voxel each of Group rows of the result, four times each.
struct PairWeights
{
  std::uint32_t lanes[Group][4];
};

Index roundedUp(Index value, Index step)
{
  return (value + step - 1) / step * step;
}

/// For each pair of rows (2 p, 2 p + 1) of those around a group, which begins at row `even`.
std::vector<PairWeights> makePairWeights(const std::vector<Half>& weights, Index reach, Index even)
{
  const auto weight = [&](Index from, Index to)
  {
    const Index k = std::abs(from - to);
    return k <= reach ? std::uint32_t{ weights[static_cast<std::size_t>(k)] } : 0u;
  };
  std::vector<PairWeights> pairs(static_cast<std::size_t>(even + Group / 2));
  for (std::size_t p = 0; p < pairs.size(); ++p)
  {
    const Index row = 2 * static_cast<Index>(p);
    for (Index g = 0; g < Group; ++g)
    {
      std::fill_n(pairs[p].lanes[g], 4, weight(row, even + g) | weight(row + 1, even + g) << 16);
    }
  }
  return pairs;
}

/// For each byte of the bits around eight voxels, which begin `before` bits after its first one,
/// and each value of that byte: what it adds to the eight sums.
std::vector<Half> makeByteTable(const std::vector<Half>& weights, Index reach, Index before)
{
  const Index bytes = 2 * before / 8 + 1;
  std::vector<Half> table(static_cast<std::size_t>(bytes * 256 * 8), 0);
  for (Index b = 0; b < bytes; ++b)
  {
    Half* const of = table.data() + b * 256 * 8;
    for (Index value = 1; value < 256; ++value)
    {
      const Index bit = lowestOne(static_cast<Word>(value));
      for (Index i = 0; i < 8; ++i)
      {
        const Index k = std::abs(8 * b + bit - before - i);
        const Half weight = k <= reach ? weights[static_cast<std::size_t>(k)] : Half{ 0 };
        of[value * 8 + i] = static_cast<Half>(of[(value & (value - 1)) * 8 + i] + weight);
      }
    }
  }
  return table;
}

/// Rows in pairs, those of `a` and then those of `b`, each `stride` after the one before.
struct PairRows
{
  const std::uint32_t* a;
  Index countA;
  const std::uint32_t* b;
  Index countB;
  Index stride;
};

using Sums = std::uint32_t[Group][Chunk];

/// sums[g][i]: the rows, each times its weight for g. No number is above WeightSum, and nor is the
/// sum of the weights: the sums are below 2^30.
void sumPairs(const PairRows& rows, const PairWeights* weights, Sums& sums)
{
#if defined(__SSE2__)
  // Two products and their sum in one instruction, which compilers do not find.
  for (Index half = 0; half < Chunk; half += 8)
  {
    __m128i s[Group][2];
    for (Index g = 0; g < Group; ++g)
    {
      s[g][0] = s[g][1] = _mm_setzero_si128();
    }
    const std::uint32_t* row = rows.a + half;
    for (Index p = 0; p < rows.countA + rows.countB; ++p, row += rows.stride)
    {
      row = p == rows.countA ? rows.b + half : row;
      const __m128i v0 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
      const __m128i v1 = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 4));
      for (Index g = 0; g < Group; ++g)
      {
        const __m128i w = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights[p].lanes[g]));
        s[g][0] = _mm_add_epi32(s[g][0], _mm_madd_epi16(v0, w));
        s[g][1] = _mm_add_epi32(s[g][1], _mm_madd_epi16(v1, w));
      }
    }
    for (Index g = 0; g < Group; ++g)
    {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums[g] + half), s[g][0]);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums[g] + half + 4), s[g][1]);
    }
  }
#else
  for (auto& of : sums)
  {
    std::fill_n(of, Chunk, 0u);
  }
  const std::uint32_t* row = rows.a;
  for (Index p = 0; p < rows.countA + rows.countB; ++p, row += rows.stride)
  {
    row = p == rows.countA ? rows.b : row;
    for (Index g = 0; g < Group; ++g)
    {
      const std::uint32_t w = weights[p].lanes[g][0];
      for (Index i = 0; i < Chunk; ++i)
      {
        sums[g][i] += (row[i] & 0xffffu) * (w & 0xffffu) + (row[i] >> 16) * (w >> 16);
      }
    }
  }
#endif
}

#if defined(SEGCORE_CHOOSES_WIDE)
__attribute__((target("avx2"))) void sumPairsAvx2(
  const PairRows& rows, const PairWeights* weights, Sums& sums)
{
  __m256i s[Group][2];
  for (Index g = 0; g < Group; ++g)
  {
    s[g][0] = s[g][1] = _mm256_setzero_si256();
  }
  const std::uint32_t* row = rows.a;
  for (Index p = 0; p < rows.countA + rows.countB; ++p, row += rows.stride)
  {
    row = p == rows.countA ? rows.b : row;
    const __m256i v0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
    const __m256i v1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 8));
    for (Index g = 0; g < Group; ++g)
    {
      const __m256i w = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights[p].lanes[g])));
      s[g][0] = _mm256_add_epi32(s[g][0], _mm256_madd_epi16(v0, w));
      s[g][1] = _mm256_add_epi32(s[g][1], _mm256_madd_epi16(v1, w));
    }
  }
  for (Index g = 0; g < Group; ++g)
  {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums[g]), s[g][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums[g] + 8), s[g][1]);
  }
}
#endif

/// What is known of rows and pairs of rows: whether the voxels of the image that have weight in
/// them are background, object or both. The kinds of several are joined by |.
enum Kind : std::uint8_t
{
  Outside = 0,
  Empty = 1,
  Full = 2,
  Mixed = 3
};

std::uint8_t joined(const std::uint8_t* kinds, Index count)
{
  std::uint8_t kind = Outside;
  for (Index i = 0; i < count; ++i)
  {
    kind |= kinds[i];
  }
  return kind;
}

/// The 64 bits of a row from `at` on, which may be anywhere; zeros outside of it.
Word bitsFrom(const Word* row, Index words, Index at)
{
  const Index w = at >> 6;
  const Index shift = at & 63;
  const Word low = w >= 0 && w < words ? row[w] : Word{ 0 };
  const Word high = w + 1 >= 0 && w + 1 < words ? row[w + 1] : Word{ 0 };
  return shift ? low >> shift | high << (64 - shift) : low;
}

class Smoothing
{
public:
  /// Writes to `out`, or if that is null to `sink`.
  Smoothing(const BitBlock& in, const Box& whole, const double deviations[3], const Index halo[3],
    const Box& target, BitBlock* out, const SmoothedRow& sink)
    : In(in), Whole(whole), Target(target), Out(out), Sink(sink)
  {
    for (int a = 0; a < 3; ++a)
    {
      this->Weights[a] = makeWeights(deviations[a], halo[a]);
      this->Clipped[a] =
        clippedSums(this->Weights[a], target.lo[a], target.dim(a), whole.lo[a], whole.hi[a]);
      // What is farther away than the image is wide is never met.
      this->Reach[a] = std::min(halo[a], whole.dim(a));
      this->Even[a] = roundedUp(this->Reach[a], a == 0 ? 8 : 2);
    }
    this->Clipped[0].resize(static_cast<std::size_t>(roundedUp(target.dim(0), 64)), 0);
    this->ByteTable = makeByteTable(this->Weights[0], this->Reach[0], this->Even[0]);
    this->PairsY = makePairWeights(this->Weights[1], this->Reach[1], this->Even[1]);
    this->PairsZ = makePairWeights(this->Weights[2], this->Reach[2], this->Even[2]);
#if defined(SEGCORE_CHOOSES_WIDE)
    this->SumPairs = useAvx2() ? sumPairsAvx2 : sumPairs;
#endif
  }

  void run(const Progress& progress)
  {
    const Box& box = this->Target;
    this->cutTarget(progress.active());
    const Index columns = this->Out ? this->Out->words : 1; // bits of a word: on one thread
    const Index strips = (box.dim(1) + this->Rows - 1) / this->Rows;
    const Index slabs = (box.dim(2) + this->Depth - 1) / this->Depth;
    forRanges(columns * strips * slabs, 1, progress,
      [&](Index begin, Index end)
      {
        Scratch scratch(*this);
        for (Index task = begin; task < end; ++task)
        {
          Part part;
          part.y0 = box.lo[1] + task / columns % strips * this->Rows;
          part.y1 = std::min(box.hi[1], part.y0 + this->Rows - 1);
          part.z0 = box.lo[2] + task / columns / strips * this->Depth;
          part.z1 = std::min(box.hi[2], part.z0 + this->Depth - 1);
          this->findRows(part);
          const Index first = this->Out ? task % columns * 64 : 0;
          const Index last = this->Out ? std::min(first + 64, box.dim(0)) : box.dim(0);
          for (part.x = first; part.x < last; part.x += this->Width)
          {
            this->makePart(part, scratch);
          }
          if (!this->Out)
          {
            this->tell(part, scratch);
          }
        }
      });
  }

private:
  /// Width voxels from the x-th of the target, rows y0 .. y1, slices z0 .. z1; pairs of rows and
  /// of slices are counted from y0 - Even[1] and z0 - Even[2].
  struct Part
  {
    Index x, y0, y1, z0, z1;
    Index firstRow, lastRow;      ///< rows that exist, from y0 - Even[1]
    Index pairsBegin, pairsEnd;   ///< pairs with such a row
    Index slicesBegin, slicesEnd; ///< the same for slices

    bool has(Index row) const { return row >= this->firstRow && row <= this->lastRow; }
  };

  struct Scratch
  {
    explicit Scratch(const Smoothing& s)
      : slots(s.Even[2] + Group / 2)
      , pairs(s.Even[1] + roundedUp(s.Rows, Group) / 2)
      , ring(std::min(2 * pairs, s.In.box.dim(1)) * slots * s.Width)
      , upper(Group * pairs * s.Width)
      , lower(upper.size())
      , kindsOfRing(static_cast<std::size_t>(std::min(2 * pairs, s.In.box.dim(1)) * slots))
      , kinds(static_cast<std::size_t>(pairs))
      , valid(static_cast<std::size_t>((s.Width + 2 * s.Even[0] + 63) / 64))
      , window(valid.size())
      , bytes(valid.size() * 8)
      , along(static_cast<std::size_t>(4 * s.Width))
      , full(static_cast<std::size_t>(2 * Group * s.Width))
      , limits(static_cast<std::size_t>(2 * s.Width))
      , values(static_cast<std::size_t>(s.Out ? 0 : s.Rows * s.Depth * s.Target.dim(0)))
    {
    }
    Index slots;                 ///< pairs of slices around a group
    Index pairs;                 ///< pairs of rows of a part
    Buffer<std::uint32_t> ring;  ///< for each row the last pairs of slices, after the first pass
    Buffer<std::uint32_t> upper; ///< for each slice of a group pairs of rows, after the second
    Buffer<std::uint32_t> lower; ///< the same
    std::vector<std::uint8_t> kindsOfRing;
    std::vector<std::uint8_t> kinds;  ///< of the pairs of rows in a group of slices
    std::vector<Word> valid;          ///< the bits around a part of a row that have weight
    std::vector<Word> window;         ///< bits around a part of a row
    std::vector<std::uint8_t> bytes;  ///< the same
    std::vector<Half> along;          ///< parts of two rows after the first pass; zeros; all object
    std::vector<std::uint32_t> full;  ///< pairs of rows after the second pass if all is object
    std::vector<std::int32_t> limits; ///< what 2 S >= N_x N_y N_z says for S, upper and lower bits
    Index limitOf = -1;               ///< N_y N_z of these
    std::vector<double> values;       ///< the part's, for the sink
  };

  /// How wide, high and deep the parts are: what a thread keeps should stay in its cache.
  void cutTarget(bool watched)
  {
    constexpr Index cache = Index{ 1 } << 20;
    const Box& box = this->Target;
    const Index perVoxel = 4 * (this->Even[2] + Group / 2);
    const auto rowsFor = [&](Index width) { return cache / (perVoxel * width); };
    const Index all = std::min(box.dim(1) + 2 * this->Reach[1], this->In.box.dim(1));
    this->Width = rowsFor(2 * Chunk) >= all ? 2 * Chunk : Chunk;
    this->Rows = box.dim(1);
    if (rowsFor(this->Width) < all)
    {
      // Tall enough for what neighbours calculate twice.
      this->Rows = std::min(this->Rows,
        roundedUp(std::max(rowsFor(this->Width) - 2 * this->Reach[1], 4 * this->Reach[1]), Group));
    }
    if (this->Out)
    {
      const Index parts = this->Out->words * ((box.dim(1) + this->Rows - 1) / this->Rows);
      // Who watches a large volume wants to see more than a few steps.
      const Index seen = watched ? std::min<Index>(256, box.size() >> 21) : 0;
      const Index wanted = std::max(4 * threadCount(), seen);
      const Index most = box.dim(2) / std::max(4 * Group, 2 * this->Reach[2]);
      const Index slabs =
        std::clamp<Index>((wanted + parts - 1) / parts, 1, std::max<Index>(1, most));
      this->Depth = roundedUp((box.dim(2) + slabs - 1) / slabs, Group);
      return;
    }
    // The sink gets whole rows: their values are kept for the part, which is no deeper than pays.
    this->Rows = std::min(this->Rows, roundedUp(std::max<Index>(32, 4 * this->Reach[1]), Group));
    const Index perSlice = 8 * this->Rows * box.dim(0);
    const Index slices =
      std::max(cache / perSlice, std::min(8 * cache / perSlice, 2 * this->Reach[2]));
    this->Depth = std::clamp(roundedUp(slices, Group), Group, roundedUp(box.dim(2), Group));
  }

  void findRows(Part& part) const
  {
    const Box& in = this->In.box;
    const Index y = part.y0 - this->Even[1];
    const Index z = part.z0 - this->Even[2];
    part.firstRow = std::max<Index>(0, in.lo[1] - y);
    part.lastRow = std::min(in.hi[1] - y, part.y1 + this->Even[1] - y);
    part.pairsBegin = part.firstRow / 2;
    part.pairsEnd = part.lastRow / 2 + 1;
    part.slicesBegin = std::max<Index>(0, in.lo[2] - z) / 2;
    part.slicesEnd = (in.hi[2] - z) / 2 + 1;
  }

  void makePart(const Part& part, Scratch& s) const
  {
    this->startPart(part, s);
    Index made = part.slicesBegin;
    for (Index z = part.z0; z <= part.z1; z += Group)
    {
      const Index first = (z - part.z0) / 2;
      const Index end = std::min(first + s.slots, part.slicesEnd);
      for (; made < end; ++made)
      {
        this->alongX(part, made, s);
      }
      this->alongZ(part, z, std::max(first, part.slicesBegin), end, s);
      this->alongY(part, z, s);
    }
  }

  void startPart(const Part& part, Scratch& s) const
  {
    // Bits of the window that are in the image and have weight for some voxel.
    const Index x = this->Target.lo[0] + part.x;
    const Index end = std::min(x + this->Width, this->Target.hi[0] + 1);
    const Index from = std::max(x - this->Reach[0], this->Whole.lo[0]) - (x - this->Even[0]);
    const Index to = std::min(end - 1 + this->Reach[0], this->Whole.hi[0]) - (x - this->Even[0]);
    for (std::size_t w = 0; w < s.valid.size(); ++w)
    {
      const Index at = 64 * static_cast<Index>(w);
      s.valid[w] = lowBits(std::clamp<Index>(to + 1 - at, 0, 64)) &
        ~lowBits(std::clamp<Index>(from - at, 0, 64));
    }
    for (Index i = 0; i < this->Width; ++i)
    {
      s.along[static_cast<std::size_t>(3 * this->Width + i)] =
        static_cast<Half>(this->Clipped[0][static_cast<std::size_t>(part.x + i)]);
    }
    s.limitOf = -1;
  }

  /// The first pass for the pair-th pair of slices, to the ring.
  void alongX(const Part& part, Index pair, Scratch& s) const
  {
    const Index z = part.z0 - this->Even[2] + 2 * pair;
    const Index slot = pair % s.slots;
    for (Index row = part.firstRow; row <= part.lastRow; ++row)
    {
      const Index y = part.y0 - this->Even[1] + row;
      const Index at = (row - part.firstRow) * s.slots + slot;
      const Half* of[2];
      std::uint8_t kind = Outside;
      for (Index k = 0; k < 2; ++k)
      {
        const bool inside = z + k >= this->In.box.lo[2] && z + k <= this->In.box.hi[2];
        Half* const made = s.along.data() + k * this->Width;
        const Kind one = inside ? this->alongX(this->In.row(y, z + k), part.x, made, s) : Outside;
        of[k] = one == Mixed ? made : s.along.data() + (one == Full ? 3 : 2) * this->Width;
        kind |= one;
      }
      s.kindsOfRing[static_cast<std::size_t>(at)] = kind;
      std::uint32_t* const to = s.ring.data() + at * this->Width;
      for (Index i = 0; i < this->Width; ++i)
      {
        to[i] = std::uint32_t{ of[0][i] } | std::uint32_t{ of[1][i] } << 16;
      }
    }
  }

  /// The same for a row; nothing is written if all voxels around it are equal.
  Kind alongX(const Word* row, Index x, Half* to, Scratch& s) const
  {
    const Index at = this->Target.lo[0] - this->In.box.lo[0] + x - this->Even[0];
    Word some = 0;
    Word lacks = 0;
    for (std::size_t w = 0; w < s.window.size(); ++w)
    {
      const Word bits = bitsFrom(row, this->In.words, at + 64 * static_cast<Index>(w)) & s.valid[w];
      s.window[w] = bits;
      some |= bits;
      lacks |= bits ^ s.valid[w];
    }
    if (!some || !lacks)
    {
      return some ? Full : Empty;
    }
    for (std::size_t w = 0; w < s.window.size(); ++w)
    {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      for (std::size_t b = 0; b < 8; ++b)
      {
        s.bytes[8 * w + b] = static_cast<std::uint8_t>(s.window[w] >> (8 * b));
      }
#else
      std::memcpy(s.bytes.data() + 8 * w, &s.window[w], 8);
#endif
    }
    const Index count = this->Even[0] / 4 + 1;
    const std::uint8_t* bytes = s.bytes.data();
    for (Index i = 0; i < this->Width; i += 8, ++bytes)
    {
      const Half* table = this->ByteTable.data();
#if defined(__SSE2__)
      __m128i sum = _mm_setzero_si128();
      for (Index b = 0; b < count; ++b, table += 256 * 8)
      {
        sum = _mm_add_epi16(
          sum, _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + bytes[b] * 8)));
      }
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), sum);
#else
      std::fill_n(to + i, 8, Half{ 0 });
      for (Index b = 0; b < count; ++b, table += 256 * 8)
      {
        for (Index k = 0; k < 8; ++k)
        {
          to[i + k] = static_cast<Half>(to[i + k] + table[bytes[b] * 8 + k]);
        }
      }
#endif
    }
    return Mixed;
  }

  /// The second pass for the group of slices from z on, of pairs begin .. end - 1 in the ring.
  void alongZ(const Part& part, Index z, Index begin, Index end, Scratch& s) const
  {
    const PairWeights* const weights = this->PairsZ.data() + (begin - (z - part.z0) / 2);
    const Index slot = begin % s.slots;
    const Index before = std::min(end - begin, s.slots - slot);
    const Index behind = end - begin - before;
    this->fillFull(z, s);
    for (Index pair = part.pairsBegin; pair < part.pairsEnd; ++pair)
    {
      std::uint8_t kind = Outside;
      std::uint8_t kindOf[2] = { Outside, Outside };
      PairRows rows[2];
      for (Index k = 0; k < 2; ++k)
      {
        if (part.has(2 * pair + k))
        {
          const Index at = (2 * pair + k - part.firstRow) * s.slots;
          const std::uint8_t* const kinds = s.kindsOfRing.data() + at;
          kindOf[k] = joined(kinds + slot, before) | joined(kinds, behind);
          const std::uint32_t* const ring = s.ring.data() + at * this->Width;
          rows[k] = { ring + slot * this->Width, before, ring, behind, this->Width };
          kind |= kindOf[k];
        }
      }
      s.kinds[static_cast<std::size_t>(pair)] = kind;
      std::uint32_t* upper = s.upper.data() + pair * this->Width;
      std::uint32_t* lower = s.lower.data() + pair * this->Width;
      const Index next = s.pairs * this->Width; // to the next slice
      if (kind == Empty || (kindOf[0] == Full && kindOf[1] == Full))
      {
        for (Index g = 0; g < Group; ++g, upper += next, lower += next)
        {
          const std::uint32_t* const from = s.full.data() + 2 * g * this->Width;
          for (Index i = 0; i < this->Width; ++i)
          {
            upper[i] = kind == Empty ? 0 : from[i];
            lower[i] = kind == Empty ? 0 : from[this->Width + i];
          }
        }
        continue;
      }
      for (Index at = 0; at < this->Width; at += Chunk)
      {
        Sums sums[2];
        for (Index k = 0; k < 2; ++k)
        {
          if (kindOf[k] == Outside)
          {
            std::memset(sums[k], 0, sizeof(Sums));
          }
          else
          {
            this->sumRows(rows[k], weights, at, sums[k]);
          }
        }
        for (Index g = 0; g < Group; ++g)
        {
          std::uint32_t* const up = upper + g * next + at;
          std::uint32_t* const low = lower + g * next + at;
          for (Index i = 0; i < Chunk; ++i)
          {
            const std::uint32_t a = sums[0][g][i];
            const std::uint32_t b = sums[1][g][i];
            up[i] = a >> LowBits | b >> LowBits << 16;
            low[i] = (a & LowMask) | (b & LowMask) << 16;
          }
        }
      }
    }
  }

  /// What the second pass gives where all voxels around a row are object.
  void fillFull(Index z, Scratch& s) const
  {
    const Half* const along = s.along.data() + 3 * this->Width;
    for (Index g = 0; g < Group; ++g)
    {
      const Index of = std::min(z + g, this->Target.hi[2]) - this->Target.lo[2];
      const auto sumZ = static_cast<std::uint32_t>(this->Clipped[2][static_cast<std::size_t>(of)]);
      std::uint32_t* const to = s.full.data() + 2 * g * this->Width;
      for (Index i = 0; i < this->Width; ++i)
      {
        const std::uint32_t sum = along[i] * sumZ;
        to[i] = (sum >> LowBits) * 0x10001u;
        to[this->Width + i] = (sum & LowMask) * 0x10001u;
      }
    }
  }

  /// The third pass for the group of slices from z on, and what is made of it.
  void alongY(const Part& part, Index z, Scratch& s) const
  {
    for (Index g = 0; g < Group && z + g <= part.z1; ++g)
    {
      for (Index y = part.y0; y <= part.y1; y += Group)
      {
        const Index first = (y - part.y0) / 2;
        const Index begin = std::max(first, part.pairsBegin);
        const Index end = std::min(first + this->Even[1] + Group / 2, part.pairsEnd);
        const std::uint8_t kind = joined(s.kinds.data() + begin, end - begin);
        const Index at = (g * s.pairs + begin) * this->Width;
        const std::uint32_t* const upper = s.upper.data() + at;
        const std::uint32_t* const lower = s.lower.data() + at;
        const RowGroup rows{ { upper, end - begin, upper, 0, this->Width },
          { lower, end - begin, lower, 0, this->Width }, this->PairsY.data() + (begin - first), y,
          z + g, kind };
        if (this->Out)
        {
          this->decide(part, rows, s);
        }
        else
        {
          this->keep(part, rows, s);
        }
      }
    }
  }

  /// A group of rows of slice z from y on, and what they are made of.
  struct RowGroup
  {
    PairRows upper;
    PairRows lower;
    const PairWeights* weights;
    Index y, z;
    std::uint8_t kind;
  };

  void sumRows(const PairRows& rows, const PairWeights* weights, Index at, Sums& sums) const
  {
    PairRows of = rows;
    of.a += at;
    of.b += at;
    this->SumPairs(of, weights, sums);
  }

  Index sumYZ(Index y, Index z) const
  {
    return this->Clipped[1][static_cast<std::size_t>(y - this->Target.lo[1])] *
      this->Clipped[2][static_cast<std::size_t>(z - this->Target.lo[2])];
  }

  /// The smoothed values of a group, for the sink.
  void keep(const Part& part, const RowGroup& rows, Scratch& s) const
  {
    for (Index at = 0; at < std::min(this->Width, this->Target.dim(0) - part.x); at += Chunk)
    {
      Sums upper;
      Sums lower;
      if (rows.kind == Mixed)
      {
        this->sumRows(rows.upper, rows.weights, at, upper);
        this->sumRows(rows.lower, rows.weights, at, lower);
      }
      const Index x = part.x + at;
      const Index count = std::min(Chunk, this->Target.dim(0) - x);
      const Index* const sums = this->Clipped[0].data() + x;
      for (Index g = 0; g < Group && rows.y + g <= part.y1; ++g)
      {
        double* const values = s.values.data() + this->valuesAt(part, rows.y + g, rows.z) + x;
        if (rows.kind != Mixed)
        {
          std::fill_n(values, count, rows.kind == Full ? 1.0 : 0.0);
          continue;
        }
        const Index sumYZ = this->sumYZ(rows.y + g, rows.z);
        for (Index i = 0; i < count; ++i)
        {
          // Both have fewer than 46 bits: doubles hold them exactly.
          const Index sum =
            (static_cast<Index>(upper[g][i]) << LowBits) + static_cast<Index>(lower[g][i]);
          values[i] = static_cast<double>(sum) / static_cast<double>(sums[i] * sumYZ);
        }
      }
    }
  }

  Index valuesAt(const Part& part, Index y, Index z) const
  {
    return ((z - part.z0) * this->Rows + (y - part.y0)) * this->Target.dim(0);
  }

  void tell(const Part& part, const Scratch& s) const
  {
    for (Index z = part.z0; z <= part.z1; ++z)
    {
      for (Index y = part.y0; y <= part.y1; ++y)
      {
        this->Sink(y, z, s.values.data() + this->valuesAt(part, y, z));
      }
    }
  }

  /// Bits of a group: where the smoothed value is at least one half.
  void decide(const Part& part, const RowGroup& rows, Scratch& s) const
  {
    constexpr Index most = 2; // chunks
    Sums upper[most];
    Sums lower[most];
    bool known[most] = {};
    if (rows.kind == Mixed)
    {
      for (Index c = 0; c * Chunk < this->Width; ++c)
      {
        this->sumRows(rows.upper, rows.weights, c * Chunk, upper[c]);
      }
    }
    for (Index g = 0; g < Group && rows.y + g <= part.y1; ++g)
    {
      Word bits = 0;
      if (rows.kind == Mixed)
      {
        this->makeLimits(part, this->sumYZ(rows.y + g, rows.z), s);
        for (Index c = 0; c * Chunk < this->Width; ++c)
        {
          // What the lower bits add is below 2^LowBits units of the upper ones: rarely of weight.
          const std::int32_t* const limits = s.limits.data() + c * Chunk;
          Word some = bitsAbove(upper[c][g], limits, 0);
          Word near = bitsAbove(upper[c][g], limits, 1 << LowBits) & ~some;
          if (near && !known[c])
          {
            this->sumRows(rows.lower, rows.weights, c * Chunk, lower[c]);
            known[c] = true;
          }
          for (; near; near &= near - 1)
          {
            const Index i = lowestOne(near);
            const auto high =
              static_cast<std::int32_t>(upper[c][g][i] + (lower[c][g][i] >> LowBits));
            const auto low = static_cast<std::int32_t>(lower[c][g][i] & LowMask);
            some |= high > limits[i] || (high == limits[i] && low >= limits[this->Width + i])
              ? Word{ 1 } << i
              : Word{ 0 };
          }
          bits |= some << (c * Chunk);
        }
      }
      else if (rows.kind == Full)
      {
        bits = lowBits(std::min(this->Width, this->Target.dim(0) - part.x));
      }
      Word& to = this->Out->row(rows.y + g, rows.z)[part.x / 64];
      to = part.x % 64 ? to | bits << (part.x % 64) : bits;
    }
  }

  /// Bit i: whether sums[i] + more > limits[i], for a chunk.
  static Word bitsAbove(const std::uint32_t* sums, const std::int32_t* limits, std::int32_t more)
  {
#if defined(__SSE2__)
    __m128i above[4];
    for (Index k = 0; k < 4; ++k)
    {
      const __m128i sum = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + 4 * k));
      const __m128i limit = _mm_loadu_si128(reinterpret_cast<const __m128i*>(limits + 4 * k));
      above[k] = _mm_cmpgt_epi32(_mm_add_epi32(sum, _mm_set1_epi32(more)), limit);
    }
    return static_cast<Word>(_mm_movemask_epi8(
      _mm_packs_epi16(_mm_packs_epi32(above[0], above[1]), _mm_packs_epi32(above[2], above[3]))));
#else
    Word bits = 0;
    for (Index i = 0; i < Chunk; ++i)
    {
      bits |= static_cast<Word>(static_cast<std::int32_t>(sums[i]) + more > limits[i]) << i;
    }
    return bits;
#endif
  }

  void makeLimits(const Part& part, Index sumYZ, Scratch& s) const
  {
    if (sumYZ == s.limitOf)
    {
      return;
    }
    s.limitOf = sumYZ;
    const Index count = std::min(this->Width, this->Target.dim(0) - part.x);
    const Index* const sums = this->Clipped[0].data() + part.x;
    const auto factor = static_cast<std::uint32_t>(sumYZ);
    for (Index i = 0; i < count; ++i)
    {
      const std::uint64_t limit =
        (static_cast<std::uint64_t>(static_cast<std::uint32_t>(sums[i])) * factor + 1) / 2;
      s.limits[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(limit >> LowBits);
      s.limits[static_cast<std::size_t>(this->Width + i)] =
        static_cast<std::int32_t>(limit & LowMask);
    }
    // Nothing behind the end of a row.
    std::fill_n(
      s.limits.data() + count, this->Width - count, std::numeric_limits<std::int32_t>::max());
  }

  const BitBlock& In;
  Box Whole;
  Box Target;
  BitBlock* Out;
  const SmoothedRow& Sink;
  Index Reach[3];
  Index Even[3]; ///< reach, rounded up to whole bytes or pairs
  Index Width = 0;
  Index Rows = 0;
  Index Depth = 0;
  void (*SumPairs)(const PairRows&, const PairWeights*, Sums&) = sumPairs;
  std::vector<Half> Weights[3];
  std::vector<Half> ByteTable; ///< of those along x
  std::vector<PairWeights> PairsY;
  std::vector<PairWeights> PairsZ;
  std::vector<Index> Clipped[3]; ///< of the clipped weights, for the voxels of the target
};

void checkBoxes(
  const BitBlock& in, const Box& whole, const Index halo[3], const Box& target, const char* name)
{
  for (int a = 0; a < 3; ++a)
  {
    if (halo[a] > MaximumGaussianVoxels)
    {
      throw std::invalid_argument(std::string(name) + ": the kernel is too wide");
    }
  }
  if (!in.box.contains(target.grown(halo).clipped(whole)) || !whole.contains(in.box))
  {
    throw std::invalid_argument(std::string(name) + ": the padded box lacks voxels of the halo");
  }
}

} // namespace

void gaussianHalo(const double deviations[3], Index halo[3], double reach)
{
  for (int a = 0; a < 3; ++a)
  {
    const double most = 1e15;
    if (!(deviations[a] >= 0.0 && deviations[a] <= most))
    {
      throw std::invalid_argument("segcore: the deviation in voxels is not a usable number");
    }
    halo[a] = static_cast<Index>(reach * deviations[a]);
  }
}

void smoothBits(const BitBlock& in, const Box& whole, const double deviations[3], BitBlock& out,
  const Progress& progress)
{
  Index halo[3];
  gaussianHalo(deviations, halo);
  checkBoxes(in, whole, halo, out.box, "segcore::smoothBits");
  if (!out.box.empty())
  {
    const SmoothedRow none;
    Smoothing(in, whole, deviations, halo, out.box, &out, none).run(progress);
  }
}

void smoothMask(const BitBlock& in, const Box& whole, const double deviations[3], double reach,
  const Box& target, const SmoothedRow& row, const Progress& progress)
{
  Index halo[3];
  gaussianHalo(deviations, halo, reach);
  checkBoxes(in, whole, halo, target, "segcore::smoothMask");
  if (!target.empty())
  {
    Smoothing(in, whole, deviations, halo, target, nullptr, row).run(progress);
  }
}

} // namespace segcore
