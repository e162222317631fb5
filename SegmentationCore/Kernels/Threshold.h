// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Threshold: which voxels have a value within an interval.
///
/// Input: values of any arithmetic type, one component. Output: `inside` where min <= value <= max,
/// both ends included, else `outside`; NaN is never inside, infinities are compared like numbers.
/// The bounds are doubles and are turned once into the exact equivalent bounds in T, so that the
/// inner loop compares in T: bounds 10.7 and 12.9 select the integers 11 and 12, also beyond 2^53.
/// (vtkImageThreshold truncates toward zero, and selects 10 to 12 there.) min > max or a NaN bound
/// selects nothing. Threads: threshold() uses them, thresholdSpan() does not. Cost: one read, one
/// write. Scratch: 0.

#ifndef segcoreThreshold_h
#define segcoreThreshold_h

#include "Instructions.h"
#include "StreamStore.h"
#include "Threads.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

// Instructions of 16 bytes cannot use up a memory as fast as today's.
#ifdef SEGCORE_CHOOSES_WIDE
#include <immintrin.h>
#endif

namespace segcore
{

/// The values of type T between two doubles.
template <class T>
struct Interval
{
  static_assert(std::is_arithmetic<T>::value, "Interval of numbers");

  T min = T(1);
  T max = T(0);

  bool empty() const { return !(this->min <= this->max); }
  bool contains(T value) const { return value >= this->min && value <= this->max; }

  /// Exactly the values v of T with lower <= v <= upper.
  static Interval between(double lower, double upper)
  {
    Interval result;
    if (lower <= upper) // false for NaN
    {
      Interval::fit(lower, upper, result, std::is_integral<T>());
    }
    return result;
  }

private:
  static void fit(double lower, double upper, Interval& result, std::true_type)
  {
    using Limits = std::numeric_limits<T>;
    // 2^digits is the first value above T; it and the lowest value of T are exact doubles for every
    // T.
    const double above = std::ldexp(1.0, Limits::digits);
    const double lowest = Limits::is_signed ? -above : 0.0;
    const double first = std::ceil(lower);
    const double last = std::floor(upper);
    if (first > last || first >= above || last < lowest)
    {
      return;
    }
    result.min = first <= lowest ? Limits::lowest() : static_cast<T>(first);
    result.max = last >= above ? Limits::max() : static_cast<T>(last);
  }

  static void fit(double lower, double upper, Interval& result, std::false_type)
  {
    const T infinity = std::numeric_limits<T>::infinity();
    T first = Interval::round(lower);
    T last = Interval::round(upper);
    // Rounding to nearest may have stepped across the bound: step back inside.
    if (static_cast<double>(first) < lower)
    {
      first = std::nextafter(first, infinity);
    }
    if (static_cast<double>(last) > upper)
    {
      last = std::nextafter(last, -infinity);
    }
    if (first <= last)
    {
      result.min = first;
      result.max = last;
    }
  }

  /// Conversion without the undefined behaviour of a double beyond the range of float.
  static T round(double value)
  {
    const double largest = static_cast<double>(std::numeric_limits<T>::max());
    if (value > largest)
    {
      return std::isinf(value) ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    }
    if (value < -largest)
    {
      return std::isinf(value) ? -std::numeric_limits<T>::infinity()
                               : -std::numeric_limits<T>::max();
    }
    return static_cast<T>(value);
  }
};

namespace detail
{
/// An interval of integers as min and max - min, modulo 2^bits: one comparison without sign tells
/// whether a value is inside, as those below min wrap around.
template <class T, bool Integer = std::is_integral<T>::value>
struct Span
{
  using Unsigned = std::make_unsigned_t<T>;
  Unsigned min;
  Unsigned length;

  explicit Span(const Interval<T>& interval)
    : min(static_cast<Unsigned>(interval.min))
    , length(static_cast<Unsigned>(static_cast<Unsigned>(interval.max) - this->min))
  {
  }
  bool contains(T value) const
  {
    return static_cast<Unsigned>(static_cast<Unsigned>(value) - this->min) <= this->length;
  }
};

template <class T>
struct Span<T, false>
{
  T min;
  T max;

  explicit Span(const Interval<T>& interval) : min(interval.min), max(interval.max) {}
  // '&' and not '&&': no branch, so that loops are vectorised.
  bool contains(T value) const { return (value >= this->min) & (value <= this->max); }
};

#ifdef SEGCORE_CHOOSES_WIDE
#define SEGCORE_AVX512 __attribute__((target("avx512f,avx512bw")))

/// Whether thresholdWide() does these types.
template <class T, class Out>
constexpr bool HasWide = sizeof(Out) == 1 && sizeof(T) <= 4;

/// Bit i is set iff in[i] is inside, 64 values.
template <class T>
SEGCORE_AVX512 inline std::uint64_t insideBits(const T* in, Span<T> span)
{
  std::uint64_t bits = 0;
  if constexpr (!std::is_integral<T>::value)
  {
    const __m512 min = _mm512_set1_ps(span.min);
    const __m512 max = _mm512_set1_ps(span.max);
    for (int i = 0; i < 4; ++i)
    {
      const __m512 v = _mm512_loadu_ps(in + 16 * i);
      const __mmask16 above = _mm512_cmp_ps_mask(v, min, _CMP_GE_OQ);
      bits |= std::uint64_t{ _mm512_mask_cmp_ps_mask(above, v, max, _CMP_LE_OQ) } << (16 * i);
    }
  }
  else if constexpr (sizeof(T) == 4)
  {
    const __m512i min = _mm512_set1_epi32(static_cast<int>(span.min));
    const __m512i length = _mm512_set1_epi32(static_cast<int>(span.length));
    for (int i = 0; i < 4; ++i)
    {
      const __m512i v = _mm512_sub_epi32(_mm512_loadu_si512(in + 16 * i), min);
      bits |= std::uint64_t{ _mm512_cmple_epu32_mask(v, length) } << (16 * i);
    }
  }
  else if constexpr (sizeof(T) == 2)
  {
    const __m512i min = _mm512_set1_epi16(static_cast<short>(span.min));
    const __m512i length = _mm512_set1_epi16(static_cast<short>(span.length));
    for (int i = 0; i < 2; ++i)
    {
      const __m512i v = _mm512_sub_epi16(_mm512_loadu_si512(in + 32 * i), min);
      bits |= std::uint64_t{ _mm512_cmple_epu16_mask(v, length) } << (32 * i);
    }
  }
  else
  {
    const __m512i min = _mm512_set1_epi8(static_cast<char>(span.min));
    const __m512i length = _mm512_set1_epi8(static_cast<char>(span.length));
    bits = _mm512_cmple_epu8_mask(_mm512_sub_epi8(_mm512_loadu_si512(in), min), length);
  }
  return bits;
}

/// 64 values at a time; returns how many are done. Streamed: `out` is on a multiple of 64, and
/// written past the caches.
template <bool Streamed, class T, class Out>
SEGCORE_AVX512 Index thresholdWide(
  const T* in, Index n, Span<T> span, Out inside, Out outside, Out* out)
{
  const __m512i one = _mm512_set1_epi8(static_cast<char>(inside));
  const __m512i other = _mm512_set1_epi8(static_cast<char>(outside));
  Index i = 0;
  for (; i + 64 <= n; i += 64)
  {
    for (Index line = 0; line < 64; line += 64 / static_cast<Index>(sizeof(T)))
    {
      fetchLater(in + i + line);
    }
    const __m512i values = _mm512_mask_mov_epi8(other, insideBits(in + i, span), one);
    if constexpr (Streamed)
    {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(out + i), values);
    }
    else
    {
      _mm512_storeu_si512(out + i, values);
    }
  }
  return i;
}
#endif

template <class T, class Out>
void thresholdSpan(const T* in, Index n, Span<T> span, Out inside, Out outside, Out* out)
{
  for (Index i = 0; i < n; ++i)
  {
    out[i] = span.contains(in[i]) ? inside : outside;
  }
}
} // namespace detail

/// One contiguous span on the calling thread. `out` may be `in` itself if the types are the same.
template <class T, class Out>
void thresholdSpan(const T* in, Index n, Interval<T> interval, Out inside, Out outside, Out* out)
{
  if (interval.empty())
  {
    std::fill_n(out, n, outside);
    return;
  }
  const detail::Span<T> span(interval);
#ifdef SEGCORE_CHOOSES_WIDE
  if constexpr (detail::HasWide<T, Out>)
  {
    if (n >= 64 && useAvx512())
    {
      const Index done = detail::thresholdWide<false>(in, n, span, inside, outside, out);
      detail::thresholdSpan(in + done, n - done, span, inside, outside, out + done);
      return;
    }
  }
#endif
  detail::thresholdSpan(in, n, span, inside, outside, out);
}

/// A long contiguous span with all threads. `fresh` as for isStreamed().
template <class T, class Out>
void threshold(const T* in, Index n, Interval<T> interval, Out inside, Out outside, Out* out,
  const Progress& progress = Progress(), bool fresh = false)
{
  const bool streamed = isStreamed(n * static_cast<Index>(sizeof(Out)), fresh);
  // As fast as memory: long ranges, so that little time is lost between them.
  forRanges(n, Index{ 1 } << 21, progress,
    [=](Index begin, Index end)
    {
#ifdef SEGCORE_CHOOSES_WIDE
      if constexpr (detail::HasWide<T, Out>)
      {
        if (streamed && !interval.empty() && useAvx512())
        {
          const Index head = std::min(
            end - begin, static_cast<Index>(-reinterpret_cast<std::uintptr_t>(out + begin) & 63u));
          thresholdSpan(in + begin, head, interval, inside, outside, out + begin);
          const Index first = begin + head;
          const Index rest = first +
            detail::thresholdWide<true>(
              in + first, end - first, detail::Span<T>(interval), inside, outside, out + first);
          thresholdSpan(in + rest, end - rest, interval, inside, outside, out + rest);
          streamFence();
          return;
        }
      }
#endif
      streamSpan(end - begin, streamed, out + begin,
        [=](Index first, Index count, Out* part)
        {
          const T* const from = in + begin + first;
          constexpr std::size_t bytes = 512;
          constexpr Index piece = bytes / sizeof(T);
          for (Index i = 0; i < count; i += piece)
          {
            for (std::size_t line = 0; line < bytes; line += 64)
            {
              fetchLater(from + i, line);
            }
            thresholdSpan(
              from + i, std::min(piece, count - i), interval, inside, outside, part + i);
          }
        });
    });
}

} // namespace segcore

#endif
