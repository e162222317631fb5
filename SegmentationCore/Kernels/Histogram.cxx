// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// The inner loops for values of 16 bits. A table is changed once for two voxels, for that is what
// counting waits for; and memory is asked for what comes long before it is needed, as pages end the
// processor's own foresight.

#include "Histogram.h"

#include "Instructions.h"
#include "StreamStore.h"

#if defined(SEGCORE_CHOOSES_WIDE)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace segcore
{
namespace detail
{

namespace
{

constexpr Index Line = 64; ///< bytes of the cache

} // namespace

void spanRange16(
  const std::int16_t* in, Index n, std::int16_t flip, std::int16_t& min, std::int16_t& max)
{
  std::int16_t low = std::numeric_limits<std::int16_t>::max();
  std::int16_t high = std::numeric_limits<std::int16_t>::lowest();
  Index i = 0;
#if defined(__SSE2__)
  constexpr int ways = 4;
  const __m128i turn = _mm_set1_epi16(flip);
  __m128i lows[ways];
  __m128i highs[ways];
  std::fill_n(lows, ways, _mm_set1_epi16(low));
  std::fill_n(highs, ways, _mm_set1_epi16(high));
  for (; i + Line / 2 <= n; i += Line / 2)
  {
    fetchLater(in + i);
    for (int w = 0; w < ways; ++w)
    {
      const __m128i v =
        _mm_xor_si128(turn, _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i + 8 * w)));
      lows[w] = _mm_min_epi16(lows[w], v);
      highs[w] = _mm_max_epi16(highs[w], v);
    }
  }
  std::int16_t found[2][8 * ways];
  for (int w = 0; w < ways; ++w)
  {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(found[0] + 8 * w), lows[w]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(found[1] + 8 * w), highs[w]);
  }
  low = *std::min_element(found[0], found[0] + 8 * ways);
  high = *std::max_element(found[1], found[1] + 8 * ways);
#endif
  for (; i < n; ++i)
  {
    const auto v = static_cast<std::int16_t>(in[i] ^ flip);
    low = std::min(low, v);
    high = std::max(high, v);
  }
  min = low;
  max = high;
}

bool FastBins::fit(const HistogramBins& bins, int lowest)
{
#if defined(__SSE2__)
  const int highest = lowest + 65535;
  if (bins.count > MostBins || !(bins.width > 0.0) || !(bins.min >= lowest) ||
    !(bins.min <= highest) || bins.min != std::floor(bins.min))
  {
    return false;
  }
  const int min = static_cast<int>(bins.min);
  this->first = static_cast<std::uint16_t>(min - lowest);
  this->scale = static_cast<float>(1.0 / bins.width);
  // Both this product and the true bin never fall as the value grows: if they are equal on either
  // side of each edge and at both ends, they are everywhere.
  int last = highest;
  const auto agrees = [&](int value)
  {
    const float product = static_cast<float>(value - min) * this->scale;
    return product < 2.0f * MostBins && static_cast<int>(product) == bins.bin(value);
  };
  bool fits = agrees(min);
  for (int b = 1; fits && b < bins.count; ++b)
  {
    const double edge = std::ceil(bins.edge(b));
    if (edge > highest)
    {
      break;
    }
    const int value = static_cast<int>(edge);
    fits = agrees(value) && (value == min || agrees(value - 1));
    last = b == bins.count - 1 ? value : last;
  }
  this->most = static_cast<std::uint16_t>(last - min);
  return fits && agrees(last);
#else
  static_cast<void>(bins);
  static_cast<void>(lowest);
  return false;
#endif
}

#if defined(__SSE2__)
namespace
{

constexpr int Ways = 2, Bits = 6, TableSize = 1 << (2 * Bits);
constexpr Index Step = Line / 2; ///< voxels
static_assert(FastBins::MostBins == 1 << Bits, "a pair has two bins");

/// For each two neighbours of Step voxels: the bin of the first one and, shifted, of the second.
struct Pairs
{
  alignas(32) std::uint32_t of[Step / 2];
};

inline void countStep(const Pairs& pairs, std::uint32_t* table)
{
  for (Index p = 0; p < Step / 2; p += 2)
  {
    std::uint64_t two; // in any order
    std::memcpy(&two, pairs.of + p, sizeof(two));
    ++table[static_cast<std::uint32_t>(two)];
    ++table[TableSize + static_cast<Index>(two >> 32)];
  }
}

inline void makePairs(
  const std::uint16_t* in, std::uint16_t flip, const FastBins& bins, Pairs& pairs)
{
  const __m128i turn = _mm_set1_epi16(static_cast<short>(flip));
  const __m128i first = _mm_set1_epi16(static_cast<short>(bins.first));
  const __m128i most = _mm_set1_epi16(static_cast<short>(bins.most));
  const __m128i evens = _mm_set1_epi32(0xffff);
  const __m128 scale = _mm_set1_ps(bins.scale);
  for (Index i = 0; i < Step; i += 8)
  {
    const __m128i v =
      _mm_xor_si128(turn, _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)));
    // Not below the first bin, not above the last one: the subtraction stops at 0.
    const __m128i above = _mm_subs_epu16(v, first);
    const __m128i at = _mm_sub_epi16(above, _mm_subs_epu16(above, most));
    const __m128i even =
      _mm_cvttps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(_mm_and_si128(at, evens)), scale));
    const __m128i odd =
      _mm_cvttps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(_mm_srli_epi32(at, 16)), scale));
    _mm_store_si128(
      reinterpret_cast<__m128i*>(pairs.of + i / 2), _mm_or_si128(even, _mm_slli_epi32(odd, Bits)));
  }
}

/// Adds `steps` times Step voxels. What was stored is read one step later, which need not wait.
void countSteps(const std::uint16_t* in, Index steps, std::uint16_t flip, const FastBins& bins,
  std::uint32_t* table)
{
  Pairs pairs[2];
  makePairs(in, flip, bins, pairs[0]);
  for (Index s = 1; s < steps; ++s)
  {
    in += Step;
    fetchLater(in);
    makePairs(in, flip, bins, pairs[s & 1]);
    countStep(pairs[(s - 1) & 1], table);
  }
  countStep(pairs[(steps - 1) & 1], table);
}

#if defined(SEGCORE_CHOOSES_WIDE)
__attribute__((target("avx2"))) inline void makePairsAvx2(
  const std::uint16_t* in, std::uint16_t flip, const FastBins& bins, Pairs& pairs)
{
  const __m256i turn = _mm256_set1_epi16(static_cast<short>(flip));
  const __m256i first = _mm256_set1_epi16(static_cast<short>(bins.first));
  const __m256i most = _mm256_set1_epi16(static_cast<short>(bins.most));
  const __m256i evens = _mm256_set1_epi32(0xffff);
  const __m256 scale = _mm256_set1_ps(bins.scale);
  for (Index i = 0; i < Step; i += 16)
  {
    const __m256i v =
      _mm256_xor_si256(turn, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i)));
    const __m256i at = _mm256_min_epu16(_mm256_subs_epu16(v, first), most);
    const __m256i even =
      _mm256_cvttps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_and_si256(at, evens)), scale));
    const __m256i odd =
      _mm256_cvttps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(at, 16)), scale));
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs.of + i / 2),
      _mm256_or_si256(even, _mm256_slli_epi32(odd, Bits)));
  }
}

__attribute__((target("avx2"))) void countStepsAvx2(const std::uint16_t* in, Index steps,
  std::uint16_t flip, const FastBins& bins, std::uint32_t* table)
{
  Pairs pairs[2];
  makePairsAvx2(in, flip, bins, pairs[0]);
  for (Index s = 1; s < steps; ++s)
  {
    in += Step;
    fetchLater(in);
    makePairsAvx2(in, flip, bins, pairs[s & 1]);
    countStep(pairs[(s - 1) & 1], table);
  }
  countStep(pairs[(steps - 1) & 1], table);
}
#endif

} // namespace
#endif

void countPairs([[maybe_unused]] const std::uint16_t* in, [[maybe_unused]] Index n,
  [[maybe_unused]] std::uint16_t flip, [[maybe_unused]] const FastBins& bins,
  [[maybe_unused]] std::int64_t* counts)
{
#if defined(__SSE2__)
  auto* count = countSteps;
#if defined(SEGCORE_CHOOSES_WIDE)
  count = useAvx2() ? countStepsAvx2 : countSteps;
#endif
  constexpr Index block = Index{ 1 } << 30; // so that 32-bit counts cannot overflow
  std::vector<std::uint32_t> table(static_cast<std::size_t>(Ways * TableSize));
  for (Index done = 0; done < n; done += block)
  {
    const Index steps = std::min(block, n - done) / Step;
    std::fill(table.begin(), table.end(), 0u);
    if (steps > 0)
    {
      count(in + done, steps, flip, bins, table.data());
    }
    const Index rest = std::min(block, n - done) - steps * Step;
    if (rest > 0)
    {
      // The first bin for what is missing, which is taken off again.
      std::uint16_t last[Step];
      std::fill_n(last, Step, static_cast<std::uint16_t>(bins.first ^ flip));
      std::copy_n(in + done + steps * Step, rest, last);
      count(last, 1, flip, bins, table.data());
      counts[0] -= Step - rest;
    }
    for (Index pair = 0; pair < Ways * TableSize; ++pair)
    {
      counts[pair & (FastBins::MostBins - 1)] += table[static_cast<std::size_t>(pair)];
      counts[(pair >> Bits) & (FastBins::MostBins - 1)] += table[static_cast<std::size_t>(pair)];
    }
  }
#endif
}

} // namespace detail
} // namespace segcore
