// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// The inner loops for values of 16 bits. A table is changed once for two voxels, for that is what
// counting waits for; and memory is asked for what comes long before it is needed, as pages end the
// processor's own foresight.

#include "Histogram.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace segcore
{
namespace detail
{

namespace
{

constexpr Index Line = 64; ///< bytes of the cache

/// Asks for the line `ahead` bytes after a place; beyond the end of an array this does nothing.
inline void fetchLater([[maybe_unused]] const void* at, [[maybe_unused]] Index ahead)
{
#if defined(__SSE2__)
  _mm_prefetch(static_cast<const char*>(at) + ahead, _MM_HINT_T0);
#elif defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(static_cast<const char*>(at) + ahead);
#endif
}

} // namespace

void spanRange16(const std::int16_t* in, Index n, std::int16_t flip, std::int16_t& min, std::int16_t& max)
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
    fetchLater(in + i, 4096);
    for (int w = 0; w < ways; ++w)
    {
      const __m128i v = _mm_xor_si128(
        turn, _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i + 8 * w)));
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

void countPairs(const std::uint16_t* in, Index n, std::uint16_t flip, const FastBins& bins,
  std::int64_t* counts)
{
#if defined(__SSE2__)
  constexpr int ways = 4, bits = 6, size = 1 << (2 * bits);
  static_assert(FastBins::MostBins == 1 << bits, "a pair has two bins");
  constexpr Index step = Line / 2;
  constexpr Index block = Index{ 1 } << 31; // so that 32-bit counts cannot overflow
  const __m128i turn = _mm_set1_epi16(static_cast<short>(flip));
  const __m128i first = _mm_set1_epi16(static_cast<short>(bins.first));
  const __m128i most = _mm_set1_epi16(static_cast<short>(bins.most));
  const __m128i evens = _mm_set1_epi32(0xffff);
  const __m128 scale = _mm_set1_ps(bins.scale);
  std::vector<std::uint32_t> tables(static_cast<std::size_t>(ways * size));
  std::uint32_t* const table = tables.data();
  for (Index done = 0; done < n; done += block)
  {
    const std::uint16_t* const part = in + done;
    const Index count = std::min(block, n - done);
    std::fill(tables.begin(), tables.end(), 0u);
    for (Index i = 0; i < count; i += step)
    {
      std::uint16_t rest[step];
      const std::uint16_t* from = part + i;
      if (count - i < step)
      {
        // The first bin as often as something is missing, which is taken off below.
        std::fill_n(rest, step, static_cast<std::uint16_t>(bins.first ^ flip));
        std::copy_n(from, count - i, rest);
        from = rest;
        counts[0] -= step - (count - i);
      }
      fetchLater(from, 4096);
      alignas(16) std::uint32_t pairs[step / 2];
      for (Index w = 0; w < step; w += 8)
      {
        const __m128i v = _mm_xor_si128(
          turn, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + w)));
        // Not below the first bin, not above the last one: the subtraction stops at 0.
        const __m128i above = _mm_subs_epu16(v, first);
        const __m128i at = _mm_sub_epi16(above, _mm_subs_epu16(above, most));
        const __m128i even =
          _mm_cvttps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(_mm_and_si128(at, evens)), scale));
        const __m128i odd =
          _mm_cvttps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(_mm_srli_epi32(at, 16)), scale));
        _mm_store_si128(reinterpret_cast<__m128i*>(pairs + w / 2),
          _mm_or_si128(even, _mm_slli_epi32(odd, bits)));
      }
      for (Index p = 0; p < step / 2; ++p)
      {
        ++table[p % ways * size + static_cast<Index>(pairs[p])];
      }
    }
    for (int pair = 0; pair < ways * size; ++pair)
    {
      counts[pair & (FastBins::MostBins - 1)] += table[pair];
      counts[(pair >> bits) & (FastBins::MostBins - 1)] += table[pair];
    }
  }
#else
  static_cast<void>(in), static_cast<void>(n), static_cast<void>(flip);
  static_cast<void>(bins), static_cast<void>(counts);
#endif
}

} // namespace detail
} // namespace segcore
