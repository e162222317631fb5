// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Where most values of a volume lie, over all ranks: so that a few of them, such as the value of
/// voxels without data, do not take the levels or bins of all others.
///
/// Private to the filters.
#ifndef segcore_CoreRange_h
#define segcore_CoreRange_h

#include "EffectJob.h"
#include "Histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace segcore
{

namespace detail
{
/// Whole numbers keep their order in a signed 64-bit integer.
template <class V>
std::int64_t ordered(V value)
{
  return std::is_same<V, std::uint64_t>::value || (!std::is_signed<V>::value && sizeof(V) == 8)
    ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{ 1 } << 63))
    : static_cast<std::int64_t>(value);
}
template <class V>
V fromOrdered(std::int64_t value)
{
  return !std::is_signed<V>::value && sizeof(V) == 8
    ? static_cast<V>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{ 1 } << 63))
    : static_cast<V>(value);
}
/// Adds the finite values of a box, rows of any length.
template <class V>
void addToHistogram(const V* values, const Box& stored, const Box& box, const HistogramBins& bins,
  std::vector<std::int64_t>& counts)
{
  std::mutex mutex;
  const Index rows = box.rows();
  const Index chunks = chunkCount(rows, 256);
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      std::vector<std::int64_t> own(counts.size(), 0);
      for (Index r = chunkBegin(rows, chunks, begin); r < chunkBegin(rows, chunks, end); ++r)
      {
        const V* row =
          values + stored.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
        for (Index x = 0; x < box.dim(0); ++x)
        {
          const double value = static_cast<double>(row[x]);
          if (std::isfinite(value))
          {
            ++own[static_cast<std::size_t>(bins.bin(value))];
          }
        }
      }
      const std::lock_guard<std::mutex> lock(mutex);
      for (std::size_t b = 0; b < own.size(); ++b)
      {
        counts[b] += own[b];
      }
    });
}
} // namespace detail

/// Collective. The lowest and the highest value over all ranks, of those whose `low` is not above
/// `high`; nothing if there are none.
template <class V>
std::optional<std::pair<V, V>> agreedRange(const Communicator& communicator, V low, V high)
{
  if (!communicator.agreeFlag(low <= high))
  {
    return {};
  }
  if constexpr (std::is_integral<V>::value)
  {
    std::int64_t least = detail::ordered(low), most = detail::ordered(high);
    communicator.allReduceMin(&least, 1);
    communicator.allReduceMax(&most, 1);
    return std::make_pair(detail::fromOrdered<V>(least), detail::fromOrdered<V>(most));
  }
  else
  {
    return std::make_pair(static_cast<V>(communicator.allReduceMin(static_cast<double>(low))),
      static_cast<V>(communicator.allReduceMax(static_cast<double>(high))));
  }
}

/// A bound within the range of the volume's values, to which it may belong only as a double.
template <class V>
V limitOf(double value, const std::pair<V, V>& range)
{
  return value <= static_cast<double>(range.first)
    ? range.first
    : (value >= static_cast<double>(range.second) ? range.second : static_cast<V>(value));
}

/// Collective. The values between which all but a fraction `tail` on each side lie, both ends
/// within `range`, to a 65536th of their distance. `below` and `above` are how many values, over
/// all ranks, beyond the ends of `range` do not count. Cost: a look at the values, further ones if
/// the result is less than half of the range.
template <class V>
ScalarRange quantileRange(const EffectJob& job, const V* values, ScalarRange range, double tail,
  std::int64_t below = 0, std::int64_t above = 0)
{
  constexpr int Bins = 65536;
  while (true)
  {
    const HistogramBins bins = binsFor(range, Bins);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(Bins), 0);
    job.communicator().run(
      [&]
      {
        for (const Block& block : job.distribution().localBlocks())
        {
          detail::addToHistogram(values, job.piece(), block.box, bins, counts);
        }
      });
    job.communicator().allReduceSum(counts.data(), Bins);
    counts.front() -= below;
    counts.back() -= above;
    std::int64_t all = 0;
    for (const std::int64_t count : counts)
    {
      all += count;
    }
    const auto allowed = static_cast<std::int64_t>(std::floor(tail * static_cast<double>(all)));
    int first = 0, last = Bins - 1;
    for (std::int64_t seen = counts.front(); seen <= allowed && first < last;)
    {
      seen += counts[static_cast<std::size_t>(++first)];
    }
    for (std::int64_t seen = counts.back(); seen <= allowed && first < last;)
    {
      seen += counts[static_cast<std::size_t>(--last)];
    }
    ScalarRange part = range;
    part.min = std::max(range.min, bins.edge(first));
    part.max = std::min(range.max, bins.edge(last + 1));
    // In halves, as the span of doubles may not fit them.
    const double half = 0.5 * part.max - 0.5 * part.min;
    if (!(half > 0.0) || half > 0.5 * (0.5 * range.max - 0.5 * range.min))
    {
      return part;
    }
    range = part;
  }
}

/// What coreRange() found. `low` and `high` are as they were where there is nothing to leave out.
struct CoreRange
{
  double low = 0.0;
  double high = 0.0;
  bool narrowed = false;
};

/// Collective. The part of the range `low` to `high`, which are the lowest and the highest finite
/// value of the whole volume, that gets levels. The core are the values between which all but one
/// in 10,000 on each side lie; the lowest or highest value has no part in it, however many voxels
/// have it, if it is further from all others than 16 times their span. If the range is more than
/// 32 times as long as the core, it is cut off 7.5 times the length of the core before and after
/// it, so that the core keeps a 16th of what is left at least. Cost: two looks at the values or
/// more.
template <class V>
CoreRange coreRange(const EffectJob& job, const V* values, V low, V high)
{
  constexpr double Tail = 1e-4;
  constexpr double Gap = 16.0;
  constexpr double Margin = 7.5;
  const double infinity = std::numeric_limits<double>::infinity();
  CoreRange result;
  result.low = static_cast<double>(low);
  result.high = static_cast<double>(high);
  // The values in between, and how many there are at the ends.
  double lowest = infinity, highest = -infinity;
  std::array<std::int64_t, 2> ends{ 0, 0 };
  job.communicator().run(
    [&]
    {
      std::mutex mutex;
      for (const Block& block : job.distribution().localBlocks())
      {
        const Box& box = block.box;
        forRanges(box.rows(), 256,
          [&](Index begin, Index end)
          {
            V least = high, most = low;
            std::int64_t lows = 0, highs = 0;
            for (Index r = begin; r < end; ++r)
            {
              const V* row = values +
                job.piece().offset(
                  box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
              for (Index x = 0; x < box.dim(0); ++x)
              {
                // What is not finite is not between them.
                const V value = row[x];
                const bool within = value > low && value < high;
                least = within && value < least ? value : least;
                most = within && value > most ? value : most;
                lows += value == low;
                highs += value == high;
              }
            }
            const std::lock_guard<std::mutex> lock(mutex);
            ends[0] += lows;
            ends[1] += highs;
            if (least <= most && least < high)
            {
              lowest = std::min(lowest, static_cast<double>(least));
              highest = std::max(highest, static_cast<double>(most));
            }
          });
      }
    });
  lowest = job.communicator().allReduceMin(lowest);
  highest = job.communicator().allReduceMax(highest);
  job.communicator().allReduceSum(ends.data(), 2);
  if (!(lowest < highest))
  {
    return result;
  }
  // In halves, as the span of doubles may not fit them.
  const double inner = 0.5 * highest - 0.5 * lowest;
  const bool dropLow = 0.5 * lowest - 0.5 * result.low > Gap * inner;
  const bool dropHigh = 0.5 * result.high - 0.5 * highest > Gap * inner;
  ScalarRange core;
  core.add(dropLow ? lowest : result.low);
  core.add(dropHigh ? highest : result.high);
  const ScalarRange most =
    quantileRange(job, values, core, Tail, dropLow ? ends[0] : 0, dropHigh ? ends[1] : 0);
  core = most.min < most.max ? most : core;
  const double half = 0.5 * core.max - 0.5 * core.min;
  if (!(0.5 * result.high - 0.5 * result.low > 2.0 * Gap * half))
  {
    return result;
  }
  result.low = std::max(result.low, core.min - 2.0 * Margin * half);
  result.high = std::min(result.high, core.max + 2.0 * Margin * half);
  result.narrowed = true;
  return result;
}

} // namespace segcore

#endif
