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

#include "StreamStore.h"
#include "Threads.h"

#include <cmath>
#include <limits>
#include <type_traits>

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

/// One contiguous span on the calling thread. `out` may be `in` itself if the types are the same.
template <class T, class Out>
void thresholdSpan(const T* in, Index n, Interval<T> interval, Out inside, Out outside, Out* out)
{
  const T lower = interval.min;
  const T upper = interval.max;
  for (Index i = 0; i < n; ++i)
  {
    // '&' and not '&&': no branch, so that the loop is vectorised.
    const bool in1 = (in[i] >= lower) & (in[i] <= upper);
    out[i] = in1 ? inside : outside;
  }
}

/// A long contiguous span with all threads.
template <class T, class Out>
void threshold(const T* in, Index n, Interval<T> interval, Out inside, Out outside, Out* out,
  const Progress& progress = Progress())
{
  // As fast as memory: long ranges, so that little time is lost between them.
  forRanges(n, Index{ 1 } << 21, progress,
    [=](Index begin, Index end)
    {
      streamSpan(end - begin, n, out + begin,
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
