// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Several thresholds: the best ones against all that are possible, and classes with exact ends.

#include "MultiThreshold.h"

#include "Check.h"

#include <cmath>

namespace
{
using segcore::Index;

/// Variance between classes (but for a constant) for thresholds after these bins.
double variance(const std::vector<std::int64_t>& counts, const std::vector<int>& lasts)
{
  double total = 0.0;
  std::size_t bin = 0;
  for (std::size_t c = 0; c <= lasts.size(); ++c)
  {
    const auto end = c < lasts.size() ? static_cast<std::size_t>(lasts[c]) + 1 : counts.size();
    double n = 0.0;
    double sum = 0.0;
    for (; bin < end; ++bin)
    {
      n += static_cast<double>(counts[bin]);
      sum += static_cast<double>(counts[bin]) * static_cast<double>(bin);
    }
    total += n > 0.0 ? sum * sum / n : 0.0;
  }
  return total;
}

void testBest()
{
  check::Random random(3);
  for (int turn = 0; turn < 20; ++turn)
  {
    check::setContext("turn ", turn);
    segcore::HistogramBins bins;
    bins.min = -10.0;
    bins.width = 2.5;
    bins.count = 14;
    std::vector<std::int64_t> counts;
    for (int b = 0; b < bins.count; ++b)
    {
      counts.push_back(random.below(3) ? random.below(1000) : 0);
    }
    double best = 0.0;
    for (int i = 0; i < bins.count - 2; ++i)
    {
      for (int j = i + 1; j < bins.count - 1; ++j)
      {
        best = std::max(best, variance(counts, { i, j }));
      }
    }
    const auto found = segcore::multiOtsu(bins, counts.data(), 3);
    CHECK_EQUAL(found.size(), 2u);
    if (found.size() == 2)
    {
      std::vector<int> lasts;
      for (const double threshold : found)
      {
        const double edge = (threshold - bins.min) / bins.width;
        CHECK_EQUAL(edge, std::round(edge));
        lasts.push_back(static_cast<int>(edge) - 1);
      }
      CHECK(std::abs(variance(counts, lasts) - best) <= 1e-12 * best);
    }
  }
  check::setContext("few bins");
  segcore::HistogramBins bins;
  bins.width = 1.0;
  bins.count = 5;
  const std::vector<std::int64_t> two{ 0, 7, 0, 3, 0 };
  CHECK(segcore::multiOtsu(bins, two.data(), 4) == std::vector<double>{ 2.0 });
  const std::vector<std::int64_t> one{ 0, 7, 0, 0, 0 };
  CHECK(segcore::multiOtsu(bins, one.data(), 4).empty());
  CHECK(segcore::multiOtsu(bins, two.data(), 1).empty());
  CHECK_THROWS(segcore::multiOtsu(bins, two.data(), 0), std::invalid_argument);
}

template <class T>
void testClasses(const char* name, const std::vector<double>& thresholds)
{
  check::setContext(name);
  std::vector<T> values;
  for (int i = 0; i < 10000; ++i)
  {
    values.push_back(static_cast<T>(i % 100));
  }
  std::vector<std::uint8_t> labels(values.size(), 99);
  check::withThreads(2,
    [&]
    {
      segcore::markClasses(values.data(), static_cast<Index>(values.size()), thresholds,
        std::uint8_t{ 5 }, labels.data());
    });
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    int expected = 5;
    for (const double threshold : thresholds)
    {
      expected += static_cast<double>(values[i]) >= threshold ? 1 : 0;
    }
    CHECK_EQUAL(static_cast<int>(labels[i]), expected);
  }
}
}

int TestMultiThreshold(int, char*[])
{
  testBest();
  const std::vector<double> thresholds{ -3.0, 9.5, 10.0, 50.25, 99.0, 1e10 };
  testClasses<unsigned char>("uint8", thresholds);
  testClasses<short>("int16", thresholds);
  testClasses<long long>("int64", thresholds);
  testClasses<float>("float", thresholds);
  testClasses<double>("double", {});
  check::setContext("not a number");
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{ std::nanf(""), -infinity, infinity, 1.0f };
  std::vector<short> labels(4, 77);
  segcore::markClasses(values.data(), 4, { 1.0 }, short{ 300 }, labels.data());
  CHECK((labels == std::vector<short>{ 0, 300, 301, 301 }));
  return check::result();
}
