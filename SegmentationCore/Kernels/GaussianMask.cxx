// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: rows of 16-bit numbers, x fastest, each row a multiple of Chunk long. After two passes a
// number has 30 bits; it is kept as its upper and its lower 15, for multiplications of 16 bits are
// what a processor does most of at once.

#include "GaussianMask.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__SSE2__)
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
constexpr Index Chunk = 16;

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

/// For each distance k and each byte of eight voxels: w[k] where a bit is set, else 0.
std::vector<Half> makeByteTable(const std::vector<Half>& weights)
{
  std::vector<Half> table(weights.size() * 256 * 8);
  Half* to = table.data();
  for (const Half weight : weights)
  {
    for (int byte = 0; byte < 256; ++byte)
    {
      for (int bit = 0; bit < 8; ++bit)
      {
        *to++ = (byte >> bit) & 1 ? weight : Half{ 0 };
      }
    }
  }
  return table;
}

/// Two rows with the same weight; one may be a row of zeros.
struct Tap
{
  const Half* a;
  const Half* b;
  std::uint32_t weight;
};

/// sums[i] = sum of weight (a[at + i] + b[at + i]) over the taps, for a chunk. No number is above
/// WeightSum, so the sums are below 2^31.
void filterChunk(const Tap* taps, std::size_t count, Index at, std::uint32_t (&sums)[Chunk])
{
#if defined(__SSE2__)
  // Two products and their sum in one instruction, which compilers do not find.
  __m128i s0 = _mm_setzero_si128(), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t t = 0; t < count; ++t)
  {
    const __m128i weight = _mm_set1_epi16(static_cast<short>(taps[t].weight));
    const auto* a = reinterpret_cast<const __m128i*>(taps[t].a + at);
    const auto* b = reinterpret_cast<const __m128i*>(taps[t].b + at);
    const __m128i a0 = _mm_loadu_si128(a), a1 = _mm_loadu_si128(a + 1);
    const __m128i b0 = _mm_loadu_si128(b), b1 = _mm_loadu_si128(b + 1);
    s0 = _mm_add_epi32(s0, _mm_madd_epi16(_mm_unpacklo_epi16(a0, b0), weight));
    s1 = _mm_add_epi32(s1, _mm_madd_epi16(_mm_unpackhi_epi16(a0, b0), weight));
    s2 = _mm_add_epi32(s2, _mm_madd_epi16(_mm_unpacklo_epi16(a1, b1), weight));
    s3 = _mm_add_epi32(s3, _mm_madd_epi16(_mm_unpackhi_epi16(a1, b1), weight));
  }
  auto* to = reinterpret_cast<__m128i*>(sums);
  _mm_storeu_si128(to, s0);
  _mm_storeu_si128(to + 1, s1);
  _mm_storeu_si128(to + 2, s2);
  _mm_storeu_si128(to + 3, s3);
#else
  std::fill(sums, sums + Chunk, 0u);
  for (std::size_t t = 0; t < count; ++t)
  {
    const Half* a = taps[t].a + at;
    const Half* b = taps[t].b + at;
    for (Index i = 0; i < Chunk; ++i)
    {
      sums[i] += static_cast<std::uint32_t>(a[i] + b[i]) * taps[t].weight;
    }
  }
#endif
}

class Smoothing
{
public:
  /// Writes to `out`, or if that is null to `sink`.
  Smoothing(const BitBlock& in, const Box& whole, const double deviations[3], const Index halo[3],
    const Box& target, BitBlock* out, const SmoothedRow& sink)
    : In(in), Target(target), Out(out), Sink(sink)
  {
    const Box& box = target;
    for (int a = 0; a < 3; ++a)
    {
      this->Weights[a] = makeWeights(deviations[a], halo[a]);
      this->Sums[a] =
        clippedSums(this->Weights[a], box.lo[a], box.dim(a), whole.lo[a], whole.hi[a]);
      // What is farther away than the image is wide is never met.
      this->Reach[a] = std::min(halo[a], whole.dim(a));
    }
    this->ByteTable = makeByteTable(this->Weights[2]);
    this->Stride = (box.dim(0) + Chunk - 1) / Chunk * Chunk;
  }

  void run(const Progress& progress) const
  {
    const Box& box = this->Target;
    const Index ny = box.dim(1);
    // Parts of slices that stay in the cache, but tall enough for what neighbours calculate twice.
    constexpr Index cache = Index{ 1 } << 20;
    const Index strip =
      std::min(ny, std::max({ Index{ 16 }, 8 * this->Reach[1], cache / (4 * this->Stride) }));
    const Index strips = (ny + strip - 1) / strip;
    forRanges(strips * box.dim(2), 1, progress,
      [&](Index begin, Index end)
      {
        Scratch scratch(*this, strip);
        for (Index task = begin; task < end; ++task)
        {
          const Index y0 = box.lo[1] + task % strips * strip;
          this->makePart(
            y0, std::min(box.hi[1], y0 + strip - 1), box.lo[2] + task / strips, scratch);
        }
      });
  }

private:
  struct Scratch
  {
    Scratch(const Smoothing& s, Index strip)
      : front(s.Reach[0])
      , along(static_cast<std::size_t>(2 * s.Reach[0] + 64 * s.In.words + s.Stride + Chunk))
      , upper(static_cast<std::size_t>((strip + 2 * s.Reach[1]) * s.Stride))
      , lower(upper.size())
      , any(static_cast<std::size_t>(strip + 2 * s.Reach[1]))
      , zeros(static_cast<std::size_t>(s.Stride))
      , flags(static_cast<std::size_t>(s.Stride))
      , values(static_cast<std::size_t>(s.Out ? 0 : s.Target.dim(0)))
      , limitUpper(static_cast<std::size_t>(s.Stride), ~std::uint32_t{ 0 })
      , limitLower(static_cast<std::size_t>(s.Stride))
    {
    }
    Index front;                   ///< zeros before a row of `along`
    std::vector<Half> along;       ///< one row after the first pass, with zeros around it
    std::vector<Half> upper;       ///< rows after the second pass
    std::vector<Half> lower;       ///< the same
    std::vector<std::uint8_t> any; ///< whether such a row has anything but zeros
    std::vector<Half> zeros;
    std::vector<std::uint8_t> flags;
    std::vector<double> values;            ///< a row of the result, for the sink
    std::vector<std::uint32_t> limitUpper; ///< what 2 S >= N_x N_y N_z says for S
    std::vector<std::uint32_t> limitLower;
    Index limitOf = -1; ///< N_y N_z of these
    std::vector<const Word*> rows;
    std::vector<const Half*> tables; ///< of the weights of these rows
    Half total = 0;                  ///< of these weights
    std::vector<Tap> taps;
    std::vector<Tap> lowTaps;
  };

  /// Rows y0 .. y1 of slice z.
  void makePart(Index y0, Index y1, Index z, Scratch& s) const
  {
    const Index ry = this->Reach[1];
    for (Index y = y0 - ry; y <= y1 + ry; ++y)
    {
      const Index at = y - y0 + ry;
      const bool inside = y >= this->In.box.lo[1] && y <= this->In.box.hi[1];
      s.any[static_cast<std::size_t>(at)] = inside && this->alongZ(y, z, s);
      if (s.any[static_cast<std::size_t>(at)])
      {
        this->alongX(s, s.upper.data() + at * this->Stride, s.lower.data() + at * this->Stride);
      }
    }
    for (Index y = y0; y <= y1; ++y)
    {
      this->alongY(y0, y, z, s);
    }
  }

  /// The first pass for one row, to s.along. False if there are but zeros.
  bool alongZ(Index y, Index z, Scratch& s) const
  {
    const BitBlock& in = this->In;
    s.rows.clear();
    s.tables.clear();
    s.total = 0;
    for (Index k = -this->Reach[2]; k <= this->Reach[2]; ++k)
    {
      if (z + k >= in.box.lo[2] && z + k <= in.box.hi[2])
      {
        s.rows.push_back(in.row(y, z + k));
        s.tables.push_back(this->ByteTable.data() + std::abs(k) * 256 * 8);
        s.total =
          static_cast<Half>(s.total + this->Weights[2][static_cast<std::size_t>(std::abs(k))]);
      }
    }
    bool any = false;
    Half* to = s.along.data() + s.front;
    for (Index w = 0; w < in.words; ++w, to += 64)
    {
      // Outside and inside of things, where all bits are equal, cost next to nothing.
      Word some = 0;
      Word all = ~Word{ 0 };
      for (const Word* row : s.rows)
      {
        some |= row[w];
        all &= row[w];
      }
      if (!some || !~all)
      {
        std::fill(to, to + 64, some ? s.total : Half{ 0 });
      }
      else
      {
        for (int part = 0; part < 8; ++part)
        {
          this->alongZ(s, w, 8 * part, to + 8 * part);
        }
      }
      any = any || some;
    }
    return any;
  }

  /// Eight voxels.
  void alongZ(const Scratch& s, Index w, int shift, Half* to) const
  {
#if defined(__SSE2__)
    __m128i sum = _mm_setzero_si128();
    for (std::size_t r = 0; r < s.rows.size(); ++r)
    {
      const Half* values = s.tables[r] + ((s.rows[r][w] >> shift) & 0xff) * 8;
      sum = _mm_add_epi16(sum, _mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sum);
#else
    std::fill(to, to + 8, Half{ 0 });
    for (std::size_t r = 0; r < s.rows.size(); ++r)
    {
      const Half* values = s.tables[r] + ((s.rows[r][w] >> shift) & 0xff) * 8;
      for (int i = 0; i < 8; ++i)
      {
        to[i] = static_cast<Half>(to[i] + values[i]);
      }
    }
#endif
  }

  /// The second pass for one row, from s.along.
  void alongX(Scratch& s, Half* upper, Half* lower) const
  {
    const Half* centre = s.along.data() + s.front + (this->Target.lo[0] - this->In.box.lo[0]);
    s.taps.clear();
    s.taps.push_back({ centre, s.zeros.data(), this->Weights[0][0] });
    for (Index k = 1; k <= this->Reach[0]; ++k)
    {
      s.taps.push_back({ centre - k, centre + k, this->Weights[0][static_cast<std::size_t>(k)] });
    }
    for (Index at = 0; at < this->Stride; at += Chunk)
    {
      std::uint32_t sums[Chunk];
      filterChunk(s.taps.data(), s.taps.size(), at, sums);
      for (Index i = 0; i < Chunk; ++i)
      {
        upper[at + i] = static_cast<Half>(sums[i] >> LowBits);
        lower[at + i] = static_cast<Half>(sums[i] & ((1u << LowBits) - 1));
      }
    }
  }

  /// The third pass for row y of the part that begins at y0, and what is made of it.
  void alongY(Index y0, Index y, Index z, Scratch& s) const
  {
    const Index ry = this->Reach[1];
    s.taps.clear();
    s.lowTaps.clear();
    const auto row = [&](Index at, const std::vector<Half>& rows)
    {
      return s.any[static_cast<std::size_t>(at)] ? rows.data() + at * this->Stride : s.zeros.data();
    };
    for (Index k = 0; k <= ry; ++k)
    {
      const Index a = y - y0 + ry + k;
      const Index b = y - y0 + ry - k;
      if (!s.any[static_cast<std::size_t>(a)] && !s.any[static_cast<std::size_t>(b)])
      {
        continue;
      }
      const std::uint32_t weight = this->Weights[1][static_cast<std::size_t>(k)];
      s.taps.push_back({ row(a, s.upper), k ? row(b, s.upper) : s.zeros.data(), weight });
      s.lowTaps.push_back({ row(a, s.lower), k ? row(b, s.lower) : s.zeros.data(), weight });
    }
    const Index sumYZ = this->Sums[1][static_cast<std::size_t>(y - this->Target.lo[1])] *
      this->Sums[2][static_cast<std::size_t>(z - this->Target.lo[2])];
    if (this->Out)
    {
      this->decide(this->Out->row(y, z), sumYZ, s);
    }
    else
    {
      this->tell(y, z, sumYZ, s);
    }
  }

  /// The smoothed values of a row, to the sink.
  void tell(Index y, Index z, Index sumYZ, Scratch& s) const
  {
    double* values = s.values.data();
    if (s.taps.empty())
    {
      std::fill_n(values, this->Target.dim(0), 0.0);
      this->Sink(y, z, values);
      return;
    }
    for (Index at = 0; at < this->Stride; at += Chunk)
    {
      std::uint32_t upper[Chunk];
      std::uint32_t lower[Chunk];
      filterChunk(s.taps.data(), s.taps.size(), at, upper);
      filterChunk(s.lowTaps.data(), s.lowTaps.size(), at, lower);
      const Index count = std::min(Chunk, this->Target.dim(0) - at);
      const Index* sums = this->Sums[0].data() + at;
      for (Index i = 0; i < count; ++i)
      {
        // Both have fewer than 46 bits: doubles hold them exactly.
        const Index sum = (static_cast<Index>(upper[i]) << LowBits) + static_cast<Index>(lower[i]);
        values[at + i] = static_cast<double>(sum) / static_cast<double>(sums[i] * sumYZ);
      }
    }
    this->Sink(y, z, values);
  }

  /// Bits of a row: where the smoothed value is at least one half.
  void decide(Word* out, Index sumYZ, Scratch& s) const
  {
    if (s.taps.empty())
    {
      std::fill(out, out + this->Out->words, Word{ 0 });
      return;
    }
    this->makeLimits(sumYZ, s);
    for (Index at = 0; at < this->Stride; at += Chunk)
    {
      // What the lower bits add is below 2^LowBits units of the upper ones: rarely of any weight.
      std::uint32_t upper[Chunk];
      filterChunk(s.taps.data(), s.taps.size(), at, upper);
      const std::uint32_t* limitUpper = s.limitUpper.data() + at;
      const std::uint32_t* limitLower = s.limitLower.data() + at;
      std::uint8_t* flags = s.flags.data() + at;
      std::uint8_t near = 0;
      for (Index i = 0; i < Chunk; ++i)
      {
        const bool above = upper[i] > limitUpper[i];
        flags[i] = above;
        near |= static_cast<std::uint8_t>(!above & (upper[i] + (1u << LowBits) > limitUpper[i]));
      }
      if (near)
      {
        std::uint32_t lower[Chunk];
        filterChunk(s.lowTaps.data(), s.lowTaps.size(), at, lower);
        for (Index i = 0; i < Chunk; ++i)
        {
          const std::uint32_t high = upper[i] + (lower[i] >> LowBits);
          const std::uint32_t low = lower[i] & ((1u << LowBits) - 1);
          flags[i] =
            high > limitUpper[i] || (high == limitUpper[i] && low >= limitLower[i]) ? 1 : 0;
        }
      }
    }
    packBits(s.flags.data(), this->Target.dim(0), out);
  }

  void makeLimits(Index sumYZ, Scratch& s) const
  {
    if (sumYZ == s.limitOf)
    {
      return;
    }
    s.limitOf = sumYZ;
    for (std::size_t i = 0; i < this->Sums[0].size(); ++i)
    {
      const Index limit = (this->Sums[0][i] * sumYZ + 1) / 2;
      s.limitUpper[i] = static_cast<std::uint32_t>(limit >> LowBits);
      s.limitLower[i] = static_cast<std::uint32_t>(limit & ((1 << LowBits) - 1));
    }
  }

  const BitBlock& In;
  Box Target;
  BitBlock* Out;
  const SmoothedRow& Sink;
  Index Reach[3];
  Index Stride;
  std::vector<Half> Weights[3];
  std::vector<Half> ByteTable; ///< of those along z
  std::vector<Index> Sums[3];  ///< of the clipped weights, for the voxels of the target
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
