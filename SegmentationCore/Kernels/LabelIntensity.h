// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// LabelIntensity: sums and order statistics of a volume's values in every label.
///
/// Input: labels of an integer type, values of any arithmetic type on the same voxels, and the
/// labels to measure in ascending order; voxels with other labels, and values that are not finite,
/// are left out. Results are integers that are added up over blocks and ranks in any order:
///
///   - sums: of q and q^2, where q is the value rounded to a multiple of a step that is a power of
///     two. The step is 1 for integers of up to 32 bits, so their sums are exact. For floating
///     values and 64-bit integers it is 2^-43 of the power of two above the largest magnitude in
///     the volume (1 or more for integers), so that 2^40 voxels fit 128 bits. A step that depends
///     on the range alone makes the result independent of the order of the voxels, which floating
///     sums are not; the mean is exact to 2^-44 of the largest magnitude;
///   - order statistics, exactly: values are counted by the bits of a key of the same order, a few
///     bits in each pass, as in radix sort;
///   - for 8 and 16-bit values and not too many labels, a histogram of each label tells all at
///     once, in one pass.
///
/// Threads: yes, a table per thread. Cost: one read of both arrays per pass; passes over the key:
/// its bits divided by 12, more with very many labels. Scratch: for sums 100 bytes per label and
/// thread; histograms at most 32 MiB per thread and 64 MiB in all; keys 64 MiB per thread. Bad
/// input: std::invalid_argument.

#ifndef segcoreLabelIntensity_h
#define segcoreLabelIntensity_h

#include "Histogram.h"
#include "LabelShape.h"
#include "Wide.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace segcore
{

/// Labels and values of the same voxels: the label at offset o of `stored` belongs to the value at
/// the same place of `valueStored`, which has coordinates of its own: those of labels plus `shift`.
template <class T, class V>
struct LabelledValues
{
  const T* labels = nullptr;
  Box stored;
  const V* values = nullptr;
  Box valueStored;
  Index shift[3] = { 0, 0, 0 };

  const T* labelRow(Index i, Index j, Index k) const
  {
    return this->labels + this->stored.offset(i, j, k);
  }
  const V* valueRow(Index i, Index j, Index k) const
  {
    return this->values +
      this->valueStored.offset(i + this->shift[0], j + this->shift[1], k + this->shift[2]);
  }
};

struct IntensitySums
{
  Index voxels = 0; ///< with a finite value
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  Wide sum;     ///< in steps
  Wide squares; ///< in squares of steps

  void add(const IntensitySums& other)
  {
    this->voxels += other.voxels;
    this->min = std::min(this->min, other.min);
    this->max = std::max(this->max, other.max);
    this->sum += other.sum;
    this->squares += other.squares;
  }
  double mean(double step) const;
  /// Square root of the sum of squared differences from the mean, divided by voxels - 1.
  double deviation(double step) const;
};

/// The step for values up to this magnitude; see above.
template <class V>
double intensityStep(double largestMagnitude)
{
  if (std::is_integral<V>::value && (sizeof(V) <= 4 || largestMagnitude <= std::ldexp(1.0, 43)))
  {
    return 1.0;
  }
  int exponent = 0;
  std::frexp(largestMagnitude, &exponent);
  // Its inverse must be a number as well.
  return std::ldexp(1.0, std::max(exponent - 43, -1022));
}

inline double IntensitySums::mean(double step) const
{
  return this->sum.toDouble() / static_cast<double>(this->voxels) * step;
}

inline double IntensitySums::deviation(double step) const
{
  if (this->voxels < 2)
  {
    return 0.0;
  }
  // Counted from a whole number of steps near the mean, the sums are small and still exact.
  const Wide n(this->voxels);
  const Wide centre(
    static_cast<Index>(std::nearbyint(this->sum.toDouble() / static_cast<double>(this->voxels))));
  const Wide rest = this->sum - centre * n;
  const Wide around = this->squares - centre * (this->sum + rest);
  const double offset = rest.toDouble() / static_cast<double>(this->voxels);
  const double total = around.toDouble() - offset * rest.toDouble();
  return std::sqrt(std::max(0.0, total) / static_cast<double>(this->voxels - 1)) * step;
}

namespace detail
{

/// Where the labels to measure are in their list: place + 1, or 0.
template <class T>
LabelSlots<T, (sizeof(T) <= 2)> slotsOf(const std::vector<Index>& labels)
{
  if (labels.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
  {
    throw std::invalid_argument("segcore::LabelIntensity: too many labels");
  }
  LabelSlots<T, (sizeof(T) <= 2)> slots;
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    slots[static_cast<T>(labels[i])] = static_cast<std::int32_t>(i + 1);
  }
  return slots;
}

/// Calls run(place, values, count) for the runs of one label of rows begin .. end - 1 of a block.
template <class T, class V, class Slots, class Run>
void forEachValueRun(const LabelledValues<T, V>& data, const Box& block, Index begin, Index end,
  Slots& slots, const Run& run)
{
  std::vector<Word> ends;
  for (Index r = begin; r < end; ++r)
  {
    const Index j = block.lo[1] + r % block.dim(1);
    const Index k = block.lo[2] + r / block.dim(1);
    const V* values = data.valueRow(block.lo[0], j, k);
    forEachLabelRun(data.labelRow(block.lo[0], j, k), block.dim(0), ends,
      [&](Index first, Index last, T label)
      {
        if (const std::int32_t slot = slots[label])
        {
          run(static_cast<std::size_t>(slot) - 1, values + first, last - first + 1);
        }
      });
  }
}

template <class V>
bool isFinite(V value)
{
  return !(std::is_floating_point<V>::value) ||
    (value >= -std::numeric_limits<V>::max() && value <= std::numeric_limits<V>::max());
}

/// Sums of few voxels, all in 64 bits: q = high 2^22 + low, 0 <= low < 2^22, |high| <= 2^21.
struct QuickSums
{
  Index n = 0;
  Index sum = 0;
  Index high = 0;   ///< of high^2
  Index middle = 0; ///< of high * low
  Index low = 0;    ///< of low^2

  void flush(IntensitySums& sums)
  {
    sums.voxels += this->n;
    sums.sum += Wide(this->sum);
    sums.squares += Wide(this->high) * Wide(Index{ 1 } << 44) +
      Wide(this->middle) * Wide(Index{ 1 } << 23) + Wide(this->low);
    *this = QuickSums();
  }
};

/// A value in steps.
template <class V>
Index toSteps(V value, double perStep, std::true_type)
{
  if (sizeof(V) <= 4 || perStep == 1.0)
  {
    return static_cast<Index>(value);
  }
  return static_cast<Index>(std::nearbyint(static_cast<double>(value) * perStep));
}
template <class V>
Index toSteps(V value, double perStep, std::false_type)
{
  // Adding and subtracting rounds to a whole number, ties to even, without a call.
  constexpr double magic = 6755399441055744.0;
  const double scaled = static_cast<double>(value) * perStep;
  return static_cast<Index>((scaled + magic) - magic);
}
} // namespace detail

/// Adds the sums of `block` to `sums`, one entry per label.
template <class T, class V>
void sumIntensity(const LabelledValues<T, V>& data, const Box& block,
  const std::vector<Index>& labels, double step, IntensitySums* sums,
  const Progress& progress = Progress())
{
  const Index rows = block.rows();
  const Index chunks = std::max<Index>(1,
    std::min(rows,
      chunkCount(block.size(), std::max<Index>(Index{ 1 } << 16, 20 * Index(labels.size())), 4)));
  std::vector<std::vector<IntensitySums>> parts(static_cast<std::size_t>(chunks));
  const double perStep = 1.0 / step;
  forRanges(chunks, 1, progress,
    [&](Index begin, Index end)
    {
      struct Entry
      {
        detail::QuickSums quick;
        V min, max;
        IntensitySums sums;
      };
      for (Index c = begin; c < end; ++c)
      {
        auto slots = detail::slotsOf<T>(labels);
        std::vector<Entry> entries(labels.size());
        for (Entry& entry : entries)
        {
          entry.min = std::numeric_limits<V>::max();
          entry.max = std::numeric_limits<V>::lowest();
        }
        detail::forEachValueRun(data, block, chunkBegin(rows, chunks, c),
          chunkBegin(rows, chunks, c + 1), slots,
          [&](std::size_t place, const V* values, Index count)
          {
            Entry& entry = entries[place];
            constexpr Index most = Index{ 1 } << 17; // voxels in quick sums
            for (Index from = 0; from < count; from += most)
            {
              const Index to = std::min(count, from + most);
              if (entry.quick.n + (to - from) > most)
              {
                entry.quick.flush(entry.sums);
              }
              detail::QuickSums quick = entry.quick;
              V min = entry.min;
              V max = entry.max;
              for (Index i = from; i < to; ++i)
              {
                const V value = values[i];
                if (!detail::isFinite(value))
                {
                  continue;
                }
                min = value < min ? value : min;
                max = value > max ? value : max;
                const Index q = detail::toSteps(value, perStep, std::is_integral<V>());
                const Index high = q >> 22;
                const Index low = q & ((Index{ 1 } << 22) - 1);
                ++quick.n;
                quick.sum += q;
                quick.high += high * high;
                quick.middle += high * low;
                quick.low += low * low;
              }
              entry.quick = quick;
              entry.min = min;
              entry.max = max;
            }
          });
        std::vector<IntensitySums>& part = parts[static_cast<std::size_t>(c)];
        part.reserve(entries.size());
        for (Entry& entry : entries)
        {
          entry.quick.flush(entry.sums);
          if (entry.sums.voxels > 0)
          {
            entry.sums.min = static_cast<double>(entry.min);
            entry.sums.max = static_cast<double>(entry.max);
          }
          part.push_back(entry.sums);
        }
      }
    });
  for (const std::vector<IntensitySums>& part : parts)
  {
    for (std::size_t i = 0; i < part.size(); ++i)
    {
      sums[i].add(part[i]);
    }
  }
}

namespace detail
{
/// Adds rows begin .. end - 1 of a block to a table of counts.
template <class T, class V>
void countRows(const LabelledValues<T, V>& data, const Box& block, Index begin, Index end,
  const std::vector<Index>& labels, Index lowest, Index range, std::uint32_t* table)
{
  auto slots = slotsOf<T>(labels);
  if (sizeof(T) > 1)
  {
    forEachValueRun(data, block, begin, end, slots,
      [&](std::size_t place, const V* values, Index count)
      {
        std::uint32_t* row = table + place * static_cast<std::size_t>(range);
        for (Index i = 0; i < count; ++i)
        {
          ++row[values[i] - lowest];
        }
      });
    return;
  }
  // Few labels: where each one's counts are, and for others a place behind, is looked up for each
  // voxel, which is faster than finding runs where these are short.
  std::uint32_t* rows[256];
  for (int label = 0; label < 256; ++label)
  {
    const std::int32_t slot = slots[static_cast<T>(label)];
    const std::size_t place = slot ? static_cast<std::size_t>(slot) - 1 : labels.size();
    rows[label] = table + place * static_cast<std::size_t>(range);
  }
  const Index count = block.dim(0);
  for (Index r = begin; r < end; ++r)
  {
    const Index j = block.lo[1] + r % block.dim(1);
    const Index k = block.lo[2] + r / block.dim(1);
    const T* label = data.labelRow(block.lo[0], j, k);
    const V* value = data.valueRow(block.lo[0], j, k);
    if (slots[label[0]] == 0 && !std::memcmp(label, label + 1, static_cast<std::size_t>(count - 1)))
    {
      continue;
    }
    for (Index i = 0; i < count; ++i)
    {
      ++rows[static_cast<std::uint8_t>(label[i])][value[i] - lowest];
    }
  }
}
} // namespace detail

/// Adds to counts[label's place * range + value - lowest]; all values are in this range. For 8 and
/// 16-bit values.
template <class T, class V>
void countValues(const LabelledValues<T, V>& data, const Box& block,
  const std::vector<Index>& labels, Index lowest, Index range, std::int64_t* counts,
  const Progress& progress = Progress())
{
  static_assert(detail::isNarrow<V>::value, "countValues is for 8 and 16-bit integers");
  if (block.empty())
  {
    return;
  }
  const Index rows = block.rows();
  const std::size_t size = labels.size() * static_cast<std::size_t>(range);
  // A table per thread, of 32 bits, added up before it can overflow.
  const Index chunks = std::min(rows, chunkCount(block.size(), Index{ 1 } << 18));
  std::vector<std::vector<std::uint32_t>> tables(static_cast<std::size_t>(chunks));
  const auto addUp = [&]
  {
    forRanges(static_cast<Index>(size), Index{ 1 } << 14,
      [&](Index begin, Index end)
      {
        for (std::vector<std::uint32_t>& table : tables)
        {
          for (std::size_t i = static_cast<std::size_t>(begin);
            i < static_cast<std::size_t>(end) && !table.empty(); ++i)
          {
            counts[i] += table[i];
            table[i] = 0;
          }
        }
      });
  };
  constexpr Index most = Index{ 1 } << 31;
  const Index turns =
    std::min(rows, std::max<Index>(progress.active() ? 8 : 1, 2 * block.size() / most));
  Index pending = 0;
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Index start = chunkBegin(rows, turns, turn);
    const Index length = chunkBegin(rows, turns, turn + 1) - start;
    if (pending + length * block.dim(0) > most)
    {
      addUp();
      pending = 0;
    }
    pending += length * block.dim(0);
    forRanges(chunks, 1,
      [&](Index begin, Index end)
      {
        for (Index c = begin; c < end; ++c)
        {
          std::vector<std::uint32_t>& table = tables[static_cast<std::size_t>(c)];
          table.resize(size + (sizeof(T) == 1 ? static_cast<std::size_t>(range) : 0));
          detail::countRows(data, block, start + chunkBegin(length, chunks, c),
            start + chunkBegin(length, chunks, c + 1), labels, lowest, range, table.data());
        }
      });
    progress.step(static_cast<double>(turn + 1) / static_cast<double>(turns));
  }
  addUp();
}

/// Sums of a label from the counts of its values.
inline IntensitySums sumsOfCounts(const std::int64_t* counts, Index lowest, Index range)
{
  IntensitySums sums;
  for (Index i = 0; i < range; ++i)
  {
    if (counts[i])
    {
      const Index value = lowest + i;
      IntensitySums more;
      more.voxels = counts[i];
      more.min = more.max = static_cast<double>(value);
      more.sum = Wide(counts[i]) * Wide(value);
      more.squares = more.sum * Wide(value);
      sums.add(more);
    }
  }
  return sums;
}

/// The value of a rank (0 is the lowest) from the counts of values.
inline double valueOfRank(const std::int64_t* counts, Index lowest, Index range, Index rank)
{
  Index i = 0;
  for (; i + 1 < range && rank >= counts[i]; ++i)
  {
    rank -= counts[i];
  }
  return static_cast<double>(lowest + i);
}

namespace detail
{
/// Keys are ordered as the values are.
template <class V>
std::uint64_t orderKey(V value)
{
  constexpr int bits = 8 * sizeof(V);
  constexpr std::uint64_t top = std::uint64_t{ 1 } << (bits - 1);
  if constexpr (std::is_floating_point<V>::value)
  {
    std::conditional_t<sizeof(V) == 4, std::uint32_t, std::uint64_t> raw;
    static_assert(sizeof(raw) == sizeof(V), "float or double");
    std::memcpy(&raw, &value, sizeof(V));
    const std::uint64_t key = raw;
    return key & top ? ~key & (top | (top - 1)) : key | top;
  }
  else
  {
    const std::uint64_t key = static_cast<std::make_unsigned_t<V>>(value);
    return std::is_signed<V>::value ? key ^ top : key;
  }
}

template <class V>
double valueOfKey(std::uint64_t key)
{
  constexpr int bits = 8 * sizeof(V);
  constexpr std::uint64_t top = std::uint64_t{ 1 } << (bits - 1);
  if constexpr (std::is_floating_point<V>::value)
  {
    const std::uint64_t pattern = key & top ? key ^ top : ~key & (top | (top - 1));
    const auto raw =
      static_cast<std::conditional_t<sizeof(V) == 4, std::uint32_t, std::uint64_t>>(pattern);
    V value;
    std::memcpy(&value, &raw, sizeof(V));
    return static_cast<double>(value);
  }
  else
  {
    return static_cast<double>(static_cast<V>(
      static_cast<std::make_unsigned_t<V>>(std::is_signed<V>::value ? key ^ top : key)));
  }
}
}

/// Finds values by their rank within each label, some bits of the key in each round:
///
///     RankSelection selection(ranks, 32);
///     while (!selection.done())
///     {
///       countKeys(data, block, labels, selection);   // all blocks
///       // sum selection.counts over the ranks of the computation
///       selection.advance();
///     }
class RankSelection
{
public:
  /// ranks[label's place]: ascending, each below the number of voxels of the label.
  RankSelection(std::vector<std::vector<Index>> ranks, int keyBits)
    : Ranks(std::move(ranks)), Left(keyBits)
  {
    this->Keys.resize(this->Ranks.size());
    for (std::size_t l = 0; l < this->Ranks.size(); ++l)
    {
      this->Keys[l].resize(this->Ranks[l].size(), 0);
    }
    this->group();
  }

  bool done() const { return this->Left == 0; }

  /// Of each rank of each label, when done.
  const std::vector<std::vector<std::uint64_t>>& keys() const { return this->Keys; }

  /// Tables of 2^bits counts, one for each distinct beginning of a key.
  std::vector<std::int64_t> counts;
  int bits = 0;
  int shift = 0;                         ///< bits of the key below
  std::vector<std::uint64_t> beginnings; ///< key >> (shift + bits), ascending within a label
  std::vector<std::size_t> firstOf;      ///< of each label's place, and the end

  void advance()
  {
    const std::size_t size = std::size_t{ 1 } << this->bits;
    for (std::size_t l = 0; l < this->Ranks.size(); ++l)
    {
      for (std::size_t r = 0; r < this->Ranks[l].size(); ++r)
      {
        std::uint64_t& key = this->Keys[l][r];
        std::size_t g = this->firstOf[l];
        while (this->beginnings[g] != key)
        {
          ++g;
        }
        const std::int64_t* table = this->counts.data() + g * size;
        std::size_t digit = 0;
        Index& rank = this->Ranks[l][r]; // from here on among the keys with this beginning
        for (; digit + 1 < size && rank >= table[digit]; ++digit)
        {
          rank -= table[digit];
        }
        key = (key << this->bits) | digit;
      }
    }
    this->Left = this->shift;
    this->group();
  }

private:
  void group()
  {
    this->beginnings.clear();
    this->firstOf.assign(1, 0);
    for (const std::vector<std::uint64_t>& keys : this->Keys)
    {
      for (const std::uint64_t key : keys)
      {
        if (this->beginnings.size() == this->firstOf.back() || this->beginnings.back() != key)
        {
          this->beginnings.push_back(key);
        }
      }
      this->firstOf.push_back(this->beginnings.size());
    }
    this->bits = std::min(12, this->Left);
    while (this->bits > 1 && (this->beginnings.size() << this->bits) > (std::size_t{ 1 } << 23))
    {
      --this->bits;
    }
    this->shift = this->Left - this->bits;
    this->counts.assign(this->done() ? 0 : this->beginnings.size() << this->bits, 0);
  }

  std::vector<std::vector<Index>> Ranks;
  std::vector<std::vector<std::uint64_t>> Keys; // their first bits, so far
  int Left;
};

/// Adds the finite values of `block` to the counts of the round.
template <class T, class V>
void countKeys(const LabelledValues<T, V>& data, const Box& block, const std::vector<Index>& labels,
  RankSelection& selection, const Progress& progress = Progress())
{
  if (block.empty() || selection.done())
  {
    return;
  }
  const Index rows = block.rows();
  const Index chunks = std::min(rows, chunkCount(block.size(), Index{ 1 } << 16));
  std::vector<std::vector<std::int64_t>> tables(static_cast<std::size_t>(chunks - 1));
  const std::uint64_t mask = (std::uint64_t{ 1 } << selection.bits) - 1;
  const int shift = selection.shift;
  const int beyond = shift + selection.bits;
  progress.step(0.0);
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      for (Index c = begin; c < end; ++c)
      {
        auto slots = detail::slotsOf<T>(labels);
        std::vector<std::int64_t>& table =
          c == 0 ? selection.counts : tables[static_cast<std::size_t>(c - 1)];
        table.resize(selection.counts.size(), 0);
        detail::forEachValueRun(data, block, chunkBegin(rows, chunks, c),
          chunkBegin(rows, chunks, c + 1), slots,
          [&](std::size_t place, const V* values, Index count)
          {
            const std::size_t first = selection.firstOf[place];
            const std::size_t last = selection.firstOf[place + 1];
            for (Index i = 0; i < count; ++i)
            {
              if (!detail::isFinite(values[i]))
              {
                continue;
              }
              const std::uint64_t key = detail::orderKey(values[i]);
              // In the first round there is nothing before.
              const std::uint64_t start = beyond < 64 ? key >> beyond : 0;
              for (std::size_t g = first; g < last; ++g)
              {
                if (selection.beginnings[g] == start)
                {
                  ++table[(g << selection.bits) + ((key >> shift) & mask)];
                  break;
                }
              }
            }
          });
      }
    });
  for (const std::vector<std::int64_t>& table : tables)
  {
    for (std::size_t i = 0; i < table.size(); ++i)
    {
      selection.counts[i] += table[i];
    }
  }
}

} // namespace segcore

#endif
