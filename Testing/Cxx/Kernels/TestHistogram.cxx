// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "Histogram.h"
#include "Instructions.h"

#include "Check.h"

#include <cmath>
#include <limits>

using segcore::HistogramBins;
using segcore::Index;
using segcore::ScalarRange;

namespace
{

/// The definition: the last bin whose lower edge is not above the value.
int slowBin(const HistogramBins& bins, double value)
{
  int bin = 0;
  for (int b = 0; b < bins.count; ++b)
  {
    if (value >= bins.min + b * bins.width)
    {
      bin = b;
    }
  }
  return bin;
}

template <class T>
void testType(const char* name, std::uint64_t seed)
{
  check::Random random(seed);
  const bool real = !std::numeric_limits<T>::is_integer;
  const Index n = random.between(1, 400000);
  std::vector<T> values(static_cast<std::size_t>(n));
  const double low = static_cast<double>(std::numeric_limits<T>::is_signed ? -100 : 0);
  for (T& v : values)
  {
    v = static_cast<T>(low + random.unit() * (real ? 1.7 : 120.0));
  }
  if (!real && seed % 2)
  {
    values[0] = std::numeric_limits<T>::lowest();
    values.back() = std::numeric_limits<T>::max();
  }
  Index finite = n;
  if (real && n > 10)
  {
    values[1] = std::numeric_limits<T>::quiet_NaN();
    values[5] = std::numeric_limits<T>::infinity();
    values[7] = -std::numeric_limits<T>::infinity();
    finite -= 3;
  }
  ScalarRange expected;
  for (const T v : values)
  {
    const double d = static_cast<double>(v);
    if (d - d == 0.0)
    {
      expected.min = expected.any ? std::min(expected.min, d) : d;
      expected.max = expected.any ? std::max(expected.max, d) : d;
      expected.any = true;
    }
  }
  for (const int threads : { 1, 2, 3 })
  {
    check::setContext(name, " seed ", seed, " threads ", threads);
    check::withThreads(threads,
      [&]()
      {
        // In two parts, as two blocks would.
        const Index cut = n / 3;
        ScalarRange range;
        segcore::accumulateRange(values.data(), cut, range);
        segcore::accumulateRange(values.data() + cut, n - cut, range);
        CHECK_EQUAL(range.min, expected.min);
        CHECK_EQUAL(range.max, expected.max);
        for (const int count : { 1, 2, 64, 1000 })
        {
          const HistogramBins bins = segcore::binsFor(range, count);
          std::vector<std::int64_t> counts(static_cast<std::size_t>(count), 0);
          segcore::accumulateHistogram(values.data(), cut, bins, counts.data());
          segcore::accumulateHistogram(values.data() + cut, n - cut, bins, counts.data());
          std::int64_t total = 0;
          for (const std::int64_t c : counts)
          {
            total += c;
          }
          CHECK_EQUAL(total, finite);
          if (count == 64 && threads == 2)
          {
            std::vector<std::int64_t> slow(64, 0);
            for (const T v : values)
            {
              const double d = static_cast<double>(v);
              if (d - d == 0.0)
              {
                ++slow[static_cast<std::size_t>(slowBin(bins, d))];
              }
            }
            CHECK_RANGES(counts, slow, 64);
          }
        }
      });
  }
}

void testBins()
{
  check::setContext("bins");
  ScalarRange range;
  range.add(0.0);
  range.add(6400.0);
  const HistogramBins bins = segcore::binsFor(range, 64);
  CHECK(std::abs(bins.width - 100.015625) < 1e-12); // 6400 (1 + 1 / 6400) / 64
  CHECK_EQUAL(bins.edge(0), 0.0);
  CHECK_EQUAL(bins.bin(6400.0), 63);
  CHECK_EQUAL(bins.bin(7000.0), 63);
  CHECK_EQUAL(bins.bin(-7000.0), 0);
  check::Random random(3);
  for (int i = 0; i < 20000; ++i)
  {
    ScalarRange some;
    some.add((random.unit() - 0.5) * 1000.0);
    some.add((random.unit() - 0.5) * (random.below(2) ? 1e-3 : 1e9));
    const HistogramBins b = segcore::binsFor(some, static_cast<int>(random.between(1, 300)));
    const int edge = static_cast<int>(random.below(b.count + 1));
    // At an edge, just below, just above: where a quotient rounds the wrong way.
    for (const double value :
      { b.edge(edge), std::nextafter(b.edge(edge), -1e300), std::nextafter(b.edge(edge), 1e300) })
    {
      CHECK_EQUAL(b.bin(value), slowBin(b, value));
    }
  }
  // The same through the histogram, which multiplies by the reciprocal first.
  for (int i = 0; i < 300; ++i)
  {
    check::setContext("edges ", i);
    ScalarRange some;
    some.add((random.unit() - 0.5) * 1000.0);
    some.add((random.unit() - 0.5) * (random.below(2) ? 1e-3 : 1e9));
    const HistogramBins b = segcore::binsFor(some, static_cast<int>(random.between(1, 300)));
    std::vector<std::int64_t> expected(static_cast<std::size_t>(b.count), 0);
    std::vector<double> values;
    for (int edge = 0; edge <= b.count; ++edge)
    {
      for (const double value :
        { b.edge(edge), std::nextafter(b.edge(edge), -1e300), std::nextafter(b.edge(edge), 1e300) })
      {
        values.push_back(value);
        ++expected[static_cast<std::size_t>(slowBin(b, value))];
      }
    }
    std::vector<std::int64_t> counts(expected.size(), 0);
    segcore::accumulateHistogram(
      values.data(), static_cast<Index>(values.size()), b, counts.data());
    CHECK_RANGES(counts, expected, b.count);
  }
  check::setContext("bins");
  // Constant, empty and enormous ranges.
  ScalarRange constant;
  constant.add(5.0);
  CHECK_EQUAL(segcore::binsFor(constant, 64).bin(5.0), 0);
  ScalarRange huge;
  huge.add(-std::numeric_limits<double>::max());
  huge.add(std::numeric_limits<double>::max());
  CHECK_EQUAL(segcore::binsFor(huge, 64).bin(huge.min), 0);
  CHECK_EQUAL(segcore::binsFor(huge, 64).bin(0.0), 31); // the middle edge is a bit above 0
  CHECK_EQUAL(segcore::binsFor(huge, 64).bin(huge.max), 63);
  CHECK(!ScalarRange().any);
  CHECK_THROWS(segcore::binsFor(constant, 0), std::invalid_argument);
}

void testValueCounts()
{
  check::setContext("value counts");
  std::vector<std::int16_t> values{ -32768, 32767, 0, 0, -1 };
  segcore::ValueCounts<std::int16_t> counts;
  counts.add(values.data(), 5);
  counts.add(values.data(), 2);
  CHECK_EQUAL(counts.count(-32768), 2);
  CHECK_EQUAL(counts.count(32767), 2);
  CHECK_EQUAL(counts.count(0), 2);
  CHECK_EQUAL(counts.count(-1), 1);
  CHECK_EQUAL(counts.count(1), 0);
  CHECK_EQUAL(counts.range().min, -32768.0);
  CHECK_EQUAL(counts.range().max, 32767.0);

  // Equal neighbours, which are counted together, in runs that begin and end anywhere.
  check::Random random(11);
  std::vector<std::uint16_t> runs;
  std::vector<std::int64_t> expected(65536, 0);
  for (int run = 0; run < 500; ++run)
  {
    const auto value = static_cast<std::uint16_t>(random.below(4) ? random.below(65536) : 7);
    const std::int64_t length = random.between(1, 40);
    runs.insert(runs.end(), static_cast<std::size_t>(length), value);
    expected[value] += length;
  }
  segcore::ValueCounts<std::uint16_t> ofRuns;
  ofRuns.add(runs.data(), static_cast<segcore::Index>(runs.size()));
  CHECK(std::equal(expected.begin(), expected.end(), ofRuns.data()));
}

/// Many values of 16 bits in few bins: by a table of bins.
template <class T>
void testTableOfBins()
{
  check::setContext("table of bins");
  check::Random random(12);
  std::vector<T> values((std::size_t{ 1 } << 20) + 13);
  const int low = std::numeric_limits<T>::lowest();
  for (T& v : values)
  {
    v = static_cast<T>(low + (random.below(3) ? random.below(65536) : 20000));
  }
  const Index n = static_cast<Index>(values.size());
  for (const int count : { 1, 2, 64, 255, 256, 257 })
  {
    for (const HistogramBins& bins : { HistogramBins{ low * 1.0, 65536.0 / count, count },
           HistogramBins{ low + 1000.5, 37.3, count }, HistogramBins{ 0.0, 0.0, count } })
    {
      std::vector<std::int64_t> expected(static_cast<std::size_t>(count), 1);
      for (const T v : values)
      {
        ++expected[static_cast<std::size_t>(bins.bin(static_cast<double>(v)))];
      }
      for (const int threads : { 1, 3 })
      {
        std::vector<std::int64_t> counts(static_cast<std::size_t>(count), 1); // added to
        check::withThreads(
          threads, [&] { segcore::accumulateHistogram(values.data(), n, bins, counts.data()); });
        CHECK(counts == expected);
      }
    }
  }
}

/// Every value of 16 bits, in bins of any place and width: each in its own bin, however it is
/// found.
template <class T>
void testEveryValue()
{
  check::Random random(13);
  const int low = std::numeric_limits<T>::lowest();
  std::vector<T> values;
  for (int v = 0; v < 65536 + 21; ++v)
  {
    values.push_back(static_cast<T>(low + v % 65536));
  }
  int fast = 0;
  for (int i = 0; i < 400; ++i)
  {
    const int count = i % 5 ? static_cast<int>(random.between(2, 64)) : 64;
    ScalarRange range;
    range.add(static_cast<double>(low + random.below(i % 2 ? 300 : 65536)));
    range.add(static_cast<double>(low + (i % 3 ? random.below(65536) : 65535 - random.below(9))));
    HistogramBins bins = segcore::binsFor(range, count);
    if (i % 7 == 0)
    {
      // Edges at whole numbers, and some far above the largest value.
      bins.width = static_cast<double>(random.between(1, 3000));
    }
    bins.min += i % 11 == 0 ? 0.25 : 0.0;
    std::vector<std::int64_t> expected(static_cast<std::size_t>(count), 0);
    for (const T v : values)
    {
      ++expected[static_cast<std::size_t>(bins.bin(static_cast<double>(v)))];
    }
    fast += segcore::detail::FastBins().fit(bins, low) ? 1 : 0;
    for (const bool wide : { true, false })
    {
      check::setContext("every value ", low, " ", i, " wide ", wide);
      segcore::allowWideInstructions(wide);
      std::vector<std::int64_t> counts(static_cast<std::size_t>(count), 0);
      segcore::accumulateHistogram(
        values.data(), static_cast<Index>(values.size()), bins, counts.data());
      CHECK(counts == expected);
    }
  }
  segcore::allowWideInstructions(true);
#if defined(__SSE2__)
  CHECK(fast > 200);
#endif
  check::setContext("short ranges ", low);
  for (int i = 0; i < 300; ++i)
  {
    const std::int64_t first = random.below(65536);
    const std::int64_t n = random.between(1, 100);
    const auto* from = values.data() + std::min<std::int64_t>(first, 65536 - n);
    ScalarRange range;
    segcore::accumulateRange(from, n, range);
    CHECK_EQUAL(range.min, static_cast<double>(from[0]));
    CHECK_EQUAL(range.max, static_cast<double>(from[n - 1]));
  }
}

} // namespace

int TestHistogram(int, char*[])
{
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
  {
    testType<std::int8_t>("int8", seed);
    testType<std::uint8_t>("uint8", seed);
    testType<std::int16_t>("int16", seed);
    testType<std::uint16_t>("uint16", seed);
    testType<std::int32_t>("int32", seed);
    testType<std::uint32_t>("uint32", seed);
    testType<std::int64_t>("int64", seed);
    testType<std::uint64_t>("uint64", seed);
    testType<float>("float", seed);
    testType<double>("double", seed);
  }
  testBins();
  testValueCounts();
  testTableOfBins<std::int16_t>();
  testTableOfBins<std::uint16_t>();
  testEveryValue<std::int16_t>();
  testEveryValue<std::uint16_t>();
  return check::result();
}
