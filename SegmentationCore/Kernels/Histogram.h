// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Range and histogram of the values of a block, ready to be summed over blocks and ranks.
///
/// Input: values of any arithmetic type, one component. NaN and infinities are left out of the
/// range and of the counts. All functions *add* to what they are given, so that many blocks go into
/// one result, and the sum over ranks (min, max, integer sums) equals the result of the undivided
/// image.
///
/// Bins: `count` bins of equal width from the smallest value (see binsFor). Value v belongs to the
/// bin with edge(b) <= v < edge(b + 1), where edge(b) = min + b * width rounded once per operation;
/// values at or above the last edge go to the last bin, values below the first to the first. A pure
/// function of the value: equal on every rank and thread. 64-bit integers are converted to double
/// (to nearest) first.
///
/// Threads: yes; tables per thread. 8 and 16-bit types can be counted by value, then binned by
/// value: a single pass gives range and histogram for any bins (ValueCounts). Two passes of 16-bit
/// values, one for the range and one for up to 256 bins, are faster still: the bin of a value is
/// one product (FastBins), or found in a table. Cost: one read each; a change of a table for each
/// two voxels of 16 bits and 64 bins, else for each voxel. Scratch: 8 bytes per bin and thread, for
/// 16-bit types 32 KiB per thread, and 64 KiB for all; ValueCounts: for 8-bit types 6 KiB, for
/// 16-bit types 0.75 MiB per thread. Siblings: AutoThreshold.h.

#ifndef segcoreHistogram_h
#define segcoreHistogram_h

#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace segcore
{

/// Smallest and largest finite value as double. Exact for all types but 64-bit integers beyond
/// 2^53, which are rounded to the nearest double. `any` is false, and min and max are 0, if there
/// was none.
struct ScalarRange
{
  double min = 0.0;
  double max = 0.0;
  bool any = false;

  void add(double value)
  {
    this->min = this->any ? std::min(this->min, value) : value;
    this->max = this->any ? std::max(this->max, value) : value;
    this->any = true;
  }
  void add(const ScalarRange& other)
  {
    if (other.any)
    {
      this->add(other.min);
      this->add(other.max);
    }
  }
};

struct HistogramBins
{
  double min = 0.0;   ///< First edge.
  double width = 0.0; ///< Of each bin. Not positive: everything is in bin 0.
  int count = 0;      ///< Number of bins, at least 1.

  // min + bin * width with halves, which changes no bit but cannot overflow half-way.
  double edge(int bin) const { return 2.0 * (0.5 * this->min + bin * (0.5 * this->width)); }
  double centre(int bin) const
  {
    return 2.0 * (0.5 * this->min + (bin + 0.5) * (0.5 * this->width));
  }

  /// The bin of a finite value.
  int bin(double value) const
  {
    if (!(this->width > 0.0) || !(value >= this->min))
    {
      return 0;
    }
    const double guess = (0.5 * value - 0.5 * this->min) / (0.5 * this->width);
    int b = guess < static_cast<double>(this->count) ? static_cast<int>(guess) : this->count - 1;
    // The quotient may be rounded across an edge; the edges decide.
    while (b > 0 && value < this->edge(b))
    {
      --b;
    }
    while (b + 1 < this->count && value >= this->edge(b + 1))
    {
      ++b;
    }
    return b;
  }
};

/// The bins of ITK's automatic histogram with marginal scale 100, which Slicer uses (with 64 bins):
/// the range is stretched upward by a hundredth of a bin so that the largest value lies inside the
/// last bin.
inline HistogramBins binsFor(const ScalarRange& range, int count)
{
  if (count < 1)
  {
    throw std::invalid_argument("segcore::binsFor: at least one bin is needed");
  }
  HistogramBins bins;
  bins.min = range.min;
  bins.count = count;
  bins.width = 2.0 * ((0.5 * range.max - 0.5 * range.min) / count * (1.0 + 1.0 / (100.0 * count)));
  return bins;
}

namespace detail
{
template <class T>
struct isNarrow : std::integral_constant<bool, std::is_integral<T>::value && sizeof(T) <= 2>
{
};

/// Range of values of 16 bits, after they were combined with `flip` by exclusive or; n > 0.
SEGMENTATIONCOREKERNELS_EXPORT void spanRange16(
  const std::int16_t* in, Index n, std::int16_t flip, std::int16_t& min, std::int16_t& max);

/// Range of a span of integers in T; n > 0.
template <class T>
void spanRange(const T* in, Index n, T& min, T& max)
{
  if constexpr (sizeof(T) == 2)
  {
    // Unsigned values are in the order of signed ones if their uppermost bit is turned around.
    const auto flip =
      std::is_signed<T>::value ? std::int16_t{ 0 } : std::numeric_limits<std::int16_t>::lowest();
    std::int16_t bounds[2];
    spanRange16(reinterpret_cast<const std::int16_t*>(in), n, flip, bounds[0], bounds[1]);
    min = static_cast<T>(bounds[0] ^ flip);
    max = static_cast<T>(bounds[1] ^ flip);
    return;
  }
  T low = in[0];
  T high = in[0];
  for (Index i = 0; i < n; ++i)
  {
    low = in[i] < low ? in[i] : low;
    high = in[i] > high ? in[i] : high;
  }
  min = low;
  max = high;
}

/// Range of the finite values of a span of floating numbers; min > max if there is none.
template <class T>
void spanRangeFinite(const T* in, Index n, T& min, T& max)
{
  // Lanes of their own, because the compiler may not reorder a floating minimum.
  constexpr int lanes = 8;
  const T largest = std::numeric_limits<T>::max();
  T low[lanes];
  T high[lanes];
  std::fill(low, low + lanes, std::numeric_limits<T>::infinity());
  std::fill(high, high + lanes, -std::numeric_limits<T>::infinity());
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
  {
    for (int l = 0; l < lanes; ++l)
    {
      // v, or NaN where v is not finite; a comparison with NaN keeps the old bound.
      const T v = in[i + l] + (in[i + l] - in[i + l]);
      low[l] = v < low[l] ? v : low[l];
      high[l] = v > high[l] ? v : high[l];
    }
  }
  for (; i < n; ++i)
  {
    const T v = in[i];
    if (v >= -largest && v <= largest)
    {
      low[0] = std::min(low[0], v);
      high[0] = std::max(high[0], v);
    }
  }
  min = *std::min_element(low, low + lanes);
  max = *std::max_element(high, high + lanes);
}

template <class T>
void spanRange(const T* in, Index n, T& min, T& max, std::true_type)
{
  detail::spanRange(in, n, min, max);
}

template <class T>
void spanRange(const T* in, Index n, T& min, T& max, std::false_type)
{
  detail::spanRangeFinite(in, n, min, max);
}
} // namespace detail

/// Adds the finite values of a span to `range`.
template <class T>
void accumulateRange(const T* in, Index n, ScalarRange& range)
{
  const Index chunks = chunkCount(n, Index{ 1 } << 16, 4);
  std::vector<ScalarRange> parts(static_cast<std::size_t>(chunks));
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      for (Index c = begin; c < end; ++c)
      {
        const Index first = chunkBegin(n, chunks, c);
        const Index last = chunkBegin(n, chunks, c + 1);
        if (first == last)
        {
          continue;
        }
        T min{};
        T max{};
        detail::spanRange(in + first, last - first, min, max, std::is_integral<T>());
        if (min <= max)
        {
          parts[static_cast<std::size_t>(c)].add(static_cast<double>(min));
          parts[static_cast<std::size_t>(c)].add(static_cast<double>(max));
        }
      }
    });
  for (const ScalarRange& part : parts)
  {
    range.add(part);
  }
}

/// How often each value of an 8 or 16-bit type occurs: range, histogram with any bins, percentiles
/// and exact thresholds follow from it without another look at the voxels.
template <class T>
class ValueCounts
{
  static_assert(detail::isNarrow<T>::value, "ValueCounts is for 8 and 16-bit integers");

public:
  static constexpr bool hasCounts = true;
  static constexpr int size = 1 << (8 * sizeof(T));
  static constexpr int lowest = std::numeric_limits<T>::lowest();

  ValueCounts() : Counts_(static_cast<std::size_t>(size), 0) {}

  /// Table of counts: entry i belongs to the value lowest + i. To be summed over ranks.
  std::int64_t* data() { return this->Counts_.data(); }
  const std::int64_t* data() const { return this->Counts_.data(); }
  std::int64_t count(T value) const
  {
    return this->Counts_[static_cast<std::size_t>(value - lowest)];
  }

  /// Adds the values of a span.
  void add(const T* in, Index n)
  {
    const Index chunks = chunkCount(n, Index{ 1 } << 18);
    std::vector<std::vector<std::int64_t>> tables(static_cast<std::size_t>(chunks - 1));
    forRanges(chunks, 1,
      [&](Index begin, Index end)
      {
        for (Index c = begin; c < end; ++c)
        {
          std::vector<std::int64_t>& table =
            c == 0 ? this->Counts_ : tables[static_cast<std::size_t>(c - 1)];
          table.resize(static_cast<std::size_t>(size), 0);
          const Index first = chunkBegin(n, chunks, c);
          this->addSpan(in + first, chunkBegin(n, chunks, c + 1) - first, table.data());
        }
      });
    for (const std::vector<std::int64_t>& table : tables)
    {
      for (std::size_t i = 0; i < table.size(); ++i)
      {
        this->Counts_[i] += table[i];
      }
    }
  }

  ScalarRange range() const
  {
    ScalarRange range;
    for (int i = 0; i < size; ++i)
    {
      if (this->Counts_[static_cast<std::size_t>(i)] != 0)
      {
        range.add(static_cast<double>(lowest + i));
      }
    }
    return range;
  }

  /// Adds to counts[0 .. bins.count - 1].
  void histogram(const HistogramBins& bins, std::int64_t* counts) const
  {
    for (int i = 0; i < size; ++i)
    {
      if (const std::int64_t n = this->Counts_[static_cast<std::size_t>(i)])
      {
        counts[bins.bin(static_cast<double>(lowest + i))] += n;
      }
    }
  }

private:
  /// Neighbouring voxels often have the same value, and adding to an entry has to wait for the
  /// addition before it. 8 bit: four tables in turns. 16 bit: several tables would leave the cache,
  /// so equal neighbours are counted together.
  static void addSpan(const T* in, Index n, std::int64_t* counts)
  {
    using Unsigned = typename std::make_unsigned<T>::type;
    constexpr int ways = sizeof(T) == 1 ? 4 : 1;
    constexpr Index step = 8;
    constexpr Index block = Index{ 1 } << 30; // so that 32-bit counts cannot overflow
    std::vector<std::uint32_t> table(static_cast<std::size_t>(size) * ways);
    for (Index start = 0; start < n; start += block)
    {
      std::fill(table.begin(), table.end(), 0u);
      const T* p = in + start;
      const Index count = std::min(block, n - start);
      Index i = 0;
      for (; i + step <= count; i += step)
      {
        if (ways == 1 && std::memcmp(p + i, p + i + 1, (step - 1) * sizeof(T)) == 0)
        {
          table[static_cast<Unsigned>(p[i])] += step;
          continue;
        }
        for (Index w = 0; w < step; ++w)
        {
          ++table[static_cast<std::size_t>(w % ways) * size + static_cast<Unsigned>(p[i + w])];
        }
      }
      for (; i < count; ++i)
      {
        ++table[static_cast<Unsigned>(p[i])];
      }
      for (int v = 0; v < size; ++v)
      {
        // Entries are in the order of the unsigned pattern; the result is in the order of values.
        const int entry = static_cast<int>(static_cast<T>(static_cast<Unsigned>(v))) - lowest;
        for (int w = 0; w < ways; ++w)
        {
          counts[entry] += table[static_cast<std::size_t>(w * size + v)];
        }
      }
    }
  }

  std::vector<std::int64_t> Counts_;
};

/// What ValueCounts is for wider types: the range only.
template <class T>
class ValueRange
{
public:
  static constexpr bool hasCounts = false;
  void add(const T* in, Index n) { accumulateRange(in, n, this->Range_); }
  ScalarRange range() const { return this->Range_; }

private:
  ScalarRange Range_;
};

/// The first look at the values of a type, for their range: by ValueCounts where the tables stay in
/// the nearest cache, so that the histogram needs no second look; more values are read twice, which
/// is faster.
template <class T>
using FirstLook =
  std::conditional_t<std::is_integral<T>::value && sizeof(T) == 1, ValueCounts<T>, ValueRange<T>>;

namespace detail
{
/// Bins of 16-bit values by one product in single precision, if that gives the same.
struct FastBins
{
  static constexpr int MostBins = 64;

  std::uint16_t first = 0; ///< the first edge, counted from the lowest value of the type
  std::uint16_t most = 0;  ///< from there, the first value of the last bin
  float scale = 0.0f;      ///< one by the width

  /// False if these are not the bins for every value of the type, which begins at `lowest`.
  SEGMENTATIONCOREKERNELS_EXPORT bool fit(const HistogramBins& bins, int lowest);
};

/// Adds a span to counts[0 .. MostBins - 1], on this thread; `flip` is the uppermost bit for signed
/// values, as they are counted from the lowest one.
SEGMENTATIONCOREKERNELS_EXPORT void countPairs(
  const std::uint16_t* in, Index n, std::uint16_t flip, const FastBins& bins, std::int64_t* counts);

/// Values of 16 bits in many bins, or in such as FastBins cannot tell: a table gives the bin, and
/// equal neighbours go to counters of their own, which all stay in the nearest cache.
class BinTable
{
public:
  static constexpr int MostBins = 256;

  BinTable(const HistogramBins& bins, int lowest, std::uint16_t flip) : BinOf_(Values)
  {
    // Bins never fall as the value grows.
    int bin = bins.bin(static_cast<double>(lowest));
    const bool flat = !(bins.width > 0.0);
    for (int v = 0; v < Values; ++v)
    {
      const auto value = static_cast<double>(lowest + v);
      while (!flat && bin + 1 < bins.count && value >= bins.edge(bin + 1))
      {
        ++bin;
      }
      this->BinOf_[static_cast<std::size_t>(v ^ flip)] = static_cast<std::uint8_t>(bin);
    }
  }

  /// Adds a span to counts[0 .. MostBins - 1], on this thread.
  void count(const std::uint16_t* in, Index n, std::int64_t* counts) const
  {
    constexpr int ways = 8;
    constexpr Index block = Index{ 1 } << 30; // so that 32-bit counts cannot overflow
    std::vector<std::uint32_t> tables(static_cast<std::size_t>(ways * MostBins));
    std::uint32_t* const table = tables.data();
    const std::uint8_t* const bin = this->BinOf_.data();
    for (Index first = 0; first < n; first += block)
    {
      std::fill(tables.begin(), tables.end(), 0u);
      const std::uint16_t* const p = in + first;
      const Index most = std::min(block, n - first);
      Index i = 0;
      for (; i + ways <= most; i += ways)
      {
        for (int w = 0; w < ways; ++w)
        {
          ++table[w * MostBins + bin[p[i + w]]];
        }
      }
      for (; i < most; ++i)
      {
        ++table[bin[p[i]]];
      }
      for (int b = 0; b < ways * MostBins; ++b)
      {
        counts[b % MostBins] += table[b];
      }
    }
  }

private:
  static constexpr int Values = 1 << 16;
  std::vector<std::uint8_t> BinOf_;
};

template <class T>
void histogramOf16(const T* in, Index n, const HistogramBins& bins, std::int64_t* counts)
{
  constexpr int lowest = std::numeric_limits<T>::lowest();
  constexpr auto flip = static_cast<std::uint16_t>(lowest);
  const auto* const values = reinterpret_cast<const std::uint16_t*>(in);
  FastBins fast;
  std::optional<BinTable> table;
  if (!fast.fit(bins, lowest))
  {
    table.emplace(bins, lowest, flip);
  }
  std::mutex mutex;
  const Index chunks = chunkCount(n, Index{ 1 } << 18, 4);
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      const Index first = chunkBegin(n, chunks, begin);
      const Index count = chunkBegin(n, chunks, end) - first;
      std::array<std::int64_t, BinTable::MostBins> own{};
      if (table)
      {
        table->count(values + first, count, own.data());
      }
      else
      {
        countPairs(values + first, count, flip, fast, own.data());
      }
      const std::lock_guard<std::mutex> lock(mutex);
      for (int b = 0; b < bins.count; ++b)
      {
        counts[b] += own[static_cast<std::size_t>(b)];
      }
    });
}

template <class T>
void histogramOf(
  const T* in, Index n, const HistogramBins& bins, std::int64_t* counts, std::true_type)
{
  if constexpr (sizeof(T) == 2)
  {
    if (bins.count <= BinTable::MostBins)
    {
      histogramOf16(in, n, bins, counts);
      return;
    }
  }
  ValueCounts<T> values;
  values.add(in, n);
  values.histogram(bins, counts);
}

template <class T>
void histogramOf(
  const T* in, Index n, const HistogramBins& bins, std::int64_t* counts, std::false_type)
{
  const Index chunks = chunkCount(n, Index{ 1 } << 16);
  const std::size_t size = static_cast<std::size_t>(bins.count);
  std::vector<double> edges(size + 1);
  for (int b = 0; b <= bins.count; ++b)
  {
    edges[static_cast<std::size_t>(b)] = bins.edge(b);
  }
  const bool flat = !(bins.width > 0.0);
  const double scale = flat ? 0.0 : 1.0 / bins.width;
  std::vector<std::vector<std::int64_t>> tables(static_cast<std::size_t>(chunks));
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      for (Index c = begin; c < end; ++c)
      {
        std::vector<std::int64_t>& table = tables[static_cast<std::size_t>(c)];
        table.assign(size, 0);
        const Index first = chunkBegin(n, chunks, c);
        const Index last = chunkBegin(n, chunks, c + 1);
        const double top = static_cast<double>(bins.count - 1);
        for (Index i = first; i < last; ++i)
        {
          const double v = static_cast<double>(in[i]);
          const double q = (v - bins.min) * scale;
          if (!(std::abs(v) <= std::numeric_limits<double>::max()))
          {
            continue;
          }
          int b = q >= 0.0 ? (q < top ? static_cast<int>(q) : bins.count - 1) : 0;
          // The product is off by a few units in the last place, so the edges decide, as in bin().
          if (!flat)
          {
            while (b > 0 && v < edges[static_cast<std::size_t>(b)])
            {
              --b;
            }
            while (b + 1 < bins.count && v >= edges[static_cast<std::size_t>(b) + 1])
            {
              ++b;
            }
          }
          ++table[static_cast<std::size_t>(b)];
        }
      }
    });
  for (const std::vector<std::int64_t>& table : tables)
  {
    for (std::size_t b = 0; b < size; ++b)
    {
      counts[b] += table[b];
    }
  }
}
} // namespace detail

/// Adds the finite values of a span to counts[0 .. bins.count - 1].
template <class T>
void accumulateHistogram(const T* in, Index n, const HistogramBins& bins, std::int64_t* counts)
{
  if (bins.count < 1)
  {
    throw std::invalid_argument("segcore::accumulateHistogram: at least one bin is needed");
  }
  using Narrow = typename detail::isNarrow<T>::type;
  // The tables of 16-bit types cost as much as that many voxels; a row of an image has fewer.
  if (sizeof(T) == 2 && n < Index{ 1 } << 16)
  {
    detail::histogramOf(in, n, bins, counts, std::false_type());
    return;
  }
  detail::histogramOf(in, n, bins, counts, Narrow());
}

} // namespace segcore

#endif
