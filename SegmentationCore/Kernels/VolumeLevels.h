// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// VolumeLevels: the values of a volume as whole numbers from 0 to 65535, for paths whose costs
/// must be exact.
///
/// Volumes of whole numbers, whatever their type, that span at most 65535 keep their values: the
/// level is value - lowest. All others are rounded: floor((value - lowest) * 65535 / (highest -
/// lowest) + 1/2). Values that are not finite have no level (-1) and no part in the range. The
/// range is that of the whole image, or the part of it that is meant, whose ends stand for what is
/// beyond them; so levels do not depend on how the image is cut.

#ifndef segcoreVolumeLevels_h
#define segcoreVolumeLevels_h

#include "Box.h"
#include "SeedGrowth.h"
#include "ShellArray.h"
#include "StreamStore.h"
#include "Threads.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>
#include <type_traits>

namespace segcore
{

constexpr std::int32_t LargestLevel = 65535;

template <class V>
bool hasLevel(V value)
{
  if constexpr (std::is_floating_point<V>::value)
  {
    return std::isfinite(value);
  }
  else
  {
    return true;
  }
}

/// The finite values of a volume, or of a part of it.
template <class V>
struct LevelRange
{
  V low = std::numeric_limits<V>::max();
  V high = std::numeric_limits<V>::lowest();
  bool whole = true;    ///< all of them are whole numbers
  bool limited = false; ///< there may be values below low or above high

  bool any() const { return this->low <= this->high; }

  void add(const LevelRange& other)
  {
    this->low = std::min(this->low, other.low);
    this->high = std::max(this->high, other.high);
    this->whole = this->whole && other.whole;
  }

  /// Adds a span of values.
  void add(const V* values, Index count)
  {
    V least = this->low, most = this->high;
    for (Index i = 0; i < count; ++i)
    {
      const V value = values[i];
      if constexpr (std::is_floating_point<V>::value)
      {
        if (!hasLevel(value))
        {
          continue;
        }
        this->whole = this->whole && std::floor(value) == value;
      }
      least = std::min(least, value);
      most = std::max(most, value);
    }
    this->low = least;
    this->high = most;
  }
};

/// Adds the values of `box`, a part of the array that stores `stored`. Threads: yes.
template <class V>
void accumulateLevels(const V* values, const Box& stored, const Box& box, LevelRange<V>& range)
{
  std::mutex mutex;
  forRanges(box.rows(), 256,
    [&](Index begin, Index end)
    {
      LevelRange<V> part;
      for (Index r = begin; r < end; ++r)
      {
        const Index j = box.lo[1] + r % box.dim(1), k = box.lo[2] + r / box.dim(1);
        part.add(values + stored.offset(box.lo[0], j, k), box.dim(0));
      }
      const std::lock_guard<std::mutex> lock(mutex);
      range.add(part);
    });
}

/// From values to levels.
template <class V>
class LevelScale
{
public:
  explicit LevelScale(const LevelRange<V>& range)
    : Low(range.any() ? range.low : V(0)), High(range.high), Limited(range.any() && range.limited)
  {
    if (!range.any())
    {
      return;
    }
    if constexpr (std::is_integral<V>::value)
    {
      const std::uint64_t span =
        static_cast<std::uint64_t>(range.high) - static_cast<std::uint64_t>(range.low);
      this->Exact = span <= static_cast<std::uint64_t>(LargestLevel);
      this->Highest = this->Exact ? static_cast<std::int32_t>(span) : LargestLevel;
    }
    else
    {
      const double span = static_cast<double>(range.high) - static_cast<double>(range.low);
      // A single value is one level, whatever it is.
      this->Exact = (range.whole || !(span > 0.0)) && span <= LargestLevel;
      this->Highest = this->Exact || !(span > 0.0) ? static_cast<std::int32_t>(span) : LargestLevel;
    }
    // By halves, as the span of a type may not fit it.
    this->Half = 0.5 * static_cast<double>(range.low);
    const double half = 0.5 * static_cast<double>(range.high) - this->Half;
    this->PerHalf = half > 0.0 ? LargestLevel / half : 0.0;
    this->Unit = this->Exact ? 1.0 : LargestLevel / (2.0 * half);
  }

  /// The level of a value, -1 if it has none.
  std::int32_t operator()(V value) const
  {
    if (!hasLevel(value))
    {
      return -1;
    }
    if (this->Limited)
    {
      value = std::clamp(value, this->Low, this->High);
    }
    if (this->Exact)
    {
      if constexpr (std::is_integral<V>::value)
      {
        return static_cast<std::int32_t>(
          static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(this->Low));
      }
      else
      {
        return static_cast<std::int32_t>(value - this->Low);
      }
    }
    return static_cast<std::int32_t>(
      std::floor((0.5 * static_cast<double>(value) - this->Half) * this->PerHalf + 0.5));
  }

  /// Whether differences of values are differences of levels.
  bool exact() const { return this->Exact; }

  /// Whether values may be beyond the range.
  bool limited() const { return this->Limited; }

  /// The value of level 0.
  V lowest() const { return this->Low; }

  /// The level of the highest value.
  std::int32_t highest() const { return this->Highest; }

  /// Levels for each unit of the volume's values.
  double unit() const { return this->Unit; }

private:
  V Low;
  V High;
  bool Limited;
  bool Exact = true;
  std::int32_t Highest = 0;
  double Half = 0.0;
  double PerHalf = 0.0;
  double Unit = 1.0;
};

/// The levels of an array, a BoxArray or a ShellArray, times 2^shift.
template <class V, class Source = BoxArray<V>>
class VolumeLevels : public SeedGrowthLevels
{
public:
  VolumeLevels(Source&& values, const LevelScale<V>& scale, int shift)
    : Values(std::move(values)), Scale(scale), Shift(shift)
  {
  }

  void row(Index i, Index j, Index k, Index count, std::int32_t* levels) const override
  {
    for (Index run = 0; count > 0; i += run, levels += run, count -= run)
    {
      run = this->Values.run(i, count);
      this->convert(this->Values.row(i, j, k), run, levels);
    }
  }

  void expect(Index i, Index j, Index k, Index count) const override
  {
    for (Index run = 0; count > 0; i += run, count -= run)
    {
      run = this->Values.run(i, count);
      fetchSpan(this->Values.row(i, j, k), run);
    }
  }

private:
  void convert(const V* values, Index count, std::int32_t* levels) const
  {
    if constexpr (std::is_integral<V>::value && sizeof(V) <= 4)
    {
      // Without a branch in the loop: rows are asked for often.
      if (this->Scale.exact() && !this->Scale.limited())
      {
        const auto low = static_cast<std::uint32_t>(this->Scale.lowest());
        const int shift = this->Shift;
        for (Index x = 0; x < count; ++x)
        {
          levels[x] =
            static_cast<std::int32_t>((static_cast<std::uint32_t>(values[x]) - low) << shift);
        }
        return;
      }
    }
    for (Index x = 0; x < count; ++x)
    {
      const std::int32_t level = this->Scale(values[x]);
      levels[x] = level < 0 ? level : level << this->Shift;
    }
  }

  Source Values;
  LevelScale<V> Scale;
  int Shift;
};

} // namespace segcore

#endif
