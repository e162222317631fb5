// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Automatic thresholds: each criterion from its definition, by slow loops; and histograms whose
// threshold can be told by hand.

#include "AutoThreshold.h"

#include "Check.h"

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

using segcore::AutoThreshold;
using segcore::HistogramBins;
using segcore::ThresholdMethod;

namespace
{
using Counts = std::vector<std::int64_t>;

HistogramBins binsOf(const Counts& counts, double min = -3.0, double width = 0.5)
{
  HistogramBins bins;
  bins.min = min;
  bins.width = width;
  bins.count = static_cast<int>(counts.size());
  return bins;
}

AutoThreshold find(ThresholdMethod method, const Counts& counts)
{
  return segcore::autoThreshold(method, binsOf(counts), counts.data());
}

/// The criterion from its definition, for small counts in exact integers: the first b that
/// maximises (N S0 - n0 S)^2 / (n0 n1), fractions compared by cross-multiplication.
int slowOtsu(const Counts& counts)
{
  const int n = static_cast<int>(counts.size());
  std::int64_t bestUp = 0;
  std::int64_t bestDown = 1;
  int best = -1;
  for (int b = 0; b + 1 < n; ++b)
  {
    std::int64_t n0 = 0;
    std::int64_t n1 = 0;
    std::int64_t s0 = 0;
    std::int64_t s = 0;
    for (int i = 0; i < n; ++i)
    {
      const std::int64_t c = counts[static_cast<std::size_t>(i)];
      (i <= b ? n0 : n1) += c;
      s0 += i <= b ? i * c : 0;
      s += i * c;
    }
    if (n0 == 0 || n1 == 0)
    {
      continue;
    }
    const std::int64_t d = (n0 + n1) * s0 - n0 * s;
    if (d * d * bestDown > bestUp * n0 * n1)
    {
      bestUp = d * d;
      bestDown = n0 * n1;
      best = b;
    }
  }
  return best;
}

void testOtsu()
{
  for (std::uint64_t seed = 1; seed <= 3000; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    Counts counts(static_cast<std::size_t>(random.between(1, 12)));
    for (std::int64_t& c : counts)
    {
      c = random.below(3) ? 0 : random.below(4); // few and small: many ties and gaps
    }
    const int expected = slowOtsu(counts);
    const AutoThreshold result = find(ThresholdMethod::Otsu, counts);
    CHECK_EQUAL(result.valid, expected >= 0);
    CHECK_EQUAL(result.bin, expected >= 0 ? expected : 0);
    CHECK_EQUAL(result.threshold, expected >= 0 ? -3.0 + 0.5 * (expected + 1) : -3.0);
  }
  check::setContext("large");
  const std::int64_t many = std::int64_t{ 1 } << 40;
  CHECK_EQUAL(find(ThresholdMethod::Otsu, { many, 0, many }).bin, 0); // the gap is a tie: the first
  check::setContext("");
}

/// Shares of the bins first..last.
std::vector<double> classOf(const Counts& counts, std::size_t first, std::size_t last)
{
  double total = 0.0;
  for (std::size_t b = first; b <= last; ++b)
  {
    total += static_cast<double>(counts[b]);
  }
  std::vector<double> shares;
  for (std::size_t b = first; b <= last; ++b)
  {
    shares.push_back(total > 0.0 ? static_cast<double>(counts[b]) / total : 0.0);
  }
  return shares;
}

double entropy(const std::vector<double>& shares, double order)
{
  double sum = 0.0;
  for (const double p : shares)
  {
    sum += p > 0.0 ? (order == 1.0 ? -p * std::log(p) : std::pow(p, order)) : 0.0;
  }
  return order == 1.0 ? sum : std::log(sum) / (1.0 - order);
}

double mean(const Counts& counts, std::size_t first, std::size_t last)
{
  double sum = 0.0;
  double total = 0.0;
  for (std::size_t b = first; b <= last; ++b)
  {
    sum += static_cast<double>(b) * static_cast<double>(counts[b]);
    total += static_cast<double>(counts[b]);
  }
  return sum / total;
}

double sumOf(const Counts& counts, std::size_t first, std::size_t last)
{
  double sum = 0.0;
  for (std::size_t b = first; b <= last; ++b)
  {
    sum += static_cast<double>(counts[b]);
  }
  return sum;
}

/// What each criterion makes of the last bin t of the lower class; larger is better.
double criterion(ThresholdMethod method, const Counts& counts, std::size_t t)
{
  const std::size_t n = counts.size();
  const double total = sumOf(counts, 0, n - 1);
  switch (method)
  {
    case ThresholdMethod::MaximumEntropy:
      return entropy(classOf(counts, 0, t), 1.0) + entropy(classOf(counts, t + 1, n - 1), 1.0);
    case ThresholdMethod::Yen:
    {
      double lower = 0.0;
      double upper = 0.0;
      for (const double p : classOf(counts, 0, t))
      {
        lower += p * p;
      }
      for (const double p : classOf(counts, t + 1, n - 1))
      {
        upper += p * p;
      }
      return -std::log(lower) - std::log(upper);
    }
    case ThresholdMethod::Huang:
    {
      double widest = 0.0;
      for (std::size_t a = 0; a < n; ++a)
      {
        for (std::size_t b = a; b < n; ++b)
        {
          widest = counts[a] && counts[b] ? std::max(widest, static_cast<double>(b - a)) : widest;
        }
      }
      const double means[2] = { std::floor(mean(counts, 0, t) + 0.5),
        std::floor(mean(counts, t + 1, n - 1) + 0.5) };
      double sum = 0.0;
      for (std::size_t b = 0; b < n; ++b)
      {
        const double member =
          1.0 / (1.0 + std::abs(static_cast<double>(b) - means[b > t]) / widest);
        sum += member < 1.0 ? static_cast<double>(counts[b]) *
            (member * std::log(member) + (1.0 - member) * std::log(1.0 - member))
                            : 0.0;
      }
      return sum;
    }
    default: // Shanbhag
    {
      const double p = sumOf(counts, 0, t) / total;
      double lower = 0.0;
      double upper = 0.0;
      for (std::size_t b = 1; b <= t; ++b)
      {
        lower -= static_cast<double>(counts[b]) / total / p *
          std::log(1.0 - sumOf(counts, 0, b - 1) / total / (2.0 * p));
      }
      for (std::size_t b = t + 1; b < n; ++b)
      {
        const double above = b + 1 < n ? sumOf(counts, b + 1, n - 1) / total : 0.0;
        upper -= static_cast<double>(counts[b]) / total / (1.0 - p) *
          std::log(1.0 - above / (2.0 * (1.0 - p)));
      }
      return -std::abs(lower - upper) / 2.0;
    }
  }
}

/// Nothing that a slow loop finds is better.
void testCriteria()
{
  for (const ThresholdMethod method : { ThresholdMethod::MaximumEntropy, ThresholdMethod::Yen,
         ThresholdMethod::Huang, ThresholdMethod::Shanbhag })
  {
    for (std::uint64_t seed = 1; seed <= 300; ++seed)
    {
      check::setContext("method ", static_cast<int>(method), " seed ", seed);
      check::Random random(seed);
      Counts counts(static_cast<std::size_t>(random.between(2, 40)));
      for (std::int64_t& c : counts)
      {
        c = random.below(4) ? 0 : random.below(1000);
      }
      counts[0] += 1; // the ends have counts, as in every histogram of a volume
      counts.back() += 2;
      const AutoThreshold result = find(method, counts);
      CHECK(result.valid);
      CHECK_EQUAL(result.threshold, -3.0 + 0.5 * (result.bin + 0.5));
      double best = -std::numeric_limits<double>::infinity();
      for (std::size_t t = 0; t + 1 < counts.size(); ++t)
      {
        best = std::max(best, criterion(method, counts, t));
      }
      const double found = criterion(method, counts, static_cast<std::size_t>(result.bin));
      CHECK(found >= best - 1e-9 * (1.0 + std::abs(best)));
    }
  }
  check::setContext("");
}

/// Counts of two bell curves.
Counts bells(double a, double sigmaA, double b, double sigmaB, double shareB = 0.5)
{
  Counts counts;
  for (int i = 0; i < 100; ++i)
  {
    const auto bell = [i](double m, double s)
    { return std::exp(-0.5 * (i - m) * (i - m) / (s * s)) / s; };
    counts.push_back(static_cast<std::int64_t>(
      1e6 * ((1.0 - shareB) * bell(a, sigmaA) + shareB * bell(b, sigmaB))));
  }
  return counts;
}

void testByHand()
{
  // Two peaks that are left alone: the middle. One peak has no two.
  CHECK_EQUAL(find(ThresholdMethod::Intermodes, { 0, 5, 0, 0, 0, 5, 0 }).bin, 3);
  CHECK(!find(ThresholdMethod::Intermodes, { 0, 1, 9, 1, 0 }).valid);
  // Means 1 and 5 of the classes: the middle is 3.
  CHECK_EQUAL(find(ThresholdMethod::IsoData, { 0, 4, 0, 0, 0, 4, 0 }).bin, 3);
  // Two values with equal shares, and with the moments of themselves.
  CHECK_EQUAL(find(ThresholdMethod::Moments, { 0, 0, 30, 0, 0, 0, 70, 0 }).bin, 2);
  // From the peak down to the 99 % (1 %) quantile: the line is farthest above the zero next to the
  // peak, and the threshold is the bin after that.
  CHECK_EQUAL(find(ThresholdMethod::Triangle, { 0, 800, 0, 0, 0, 0, 0, 0, 0, 200 }).bin, 3);
  CHECK_EQUAL(find(ThresholdMethod::Triangle, { 200, 0, 0, 0, 0, 0, 0, 0, 800, 0 }).bin, 8);
  // Equal bells are parted halfway by whatever looks at both sides alike.
  const Counts equal = bells(30.0, 6.0, 70.0, 6.0);
  for (const ThresholdMethod method : { ThresholdMethod::Huang, ThresholdMethod::Intermodes,
         ThresholdMethod::IsoData, ThresholdMethod::KittlerIllingworth, ThresholdMethod::Otsu,
         ThresholdMethod::Shanbhag, ThresholdMethod::Moments })
  {
    check::setContext("method ", static_cast<int>(method));
    CHECK(std::abs(find(method, equal).bin - 50) <= 1);
  }
  check::setContext("");
  // A narrow and a wide bell: where they are equally likely, not halfway.
  const int parted = find(ThresholdMethod::KittlerIllingworth, bells(25.0, 3.0, 65.0, 10.0)).bin;
  CHECK(parted > 31 && parted < 38);
  // Two single values have no widths to fit.
  CHECK(!find(ThresholdMethod::KittlerIllingworth, { 5, 0, 0, 5 }).valid);
  // Nothing to part.
  for (int method = 0; method < 12; ++method)
  {
    check::setContext("method ", method);
    for (const Counts& counts : { Counts{ 7 }, Counts{ 0, 0, 0 }, Counts{ 0, 5, 0 } })
    {
      CHECK(!find(static_cast<ThresholdMethod>(method), counts).valid);
    }
    CHECK_THROWS(
      segcore::autoThreshold(static_cast<ThresholdMethod>(method), HistogramBins(), nullptr),
      std::invalid_argument);
  }
  check::setContext("");
}

/// Li: the threshold of the class means is in the bin that made them.
void testLi()
{
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    Counts counts(static_cast<std::size_t>(random.between(8, 64)));
    for (std::int64_t& c : counts)
    {
      c = random.below(500);
    }
    counts[0] += 1;
    counts.back() += 1;
    const AutoThreshold result = find(ThresholdMethod::Li, counts);
    CHECK(result.valid);
    const auto t = static_cast<std::size_t>(result.bin);
    // From 0 on, as values below are shifted: centres are (b + 1/2) / 2.
    const double lower = 0.5 * (mean(counts, 0, t) + 0.5);
    const double upper = 0.5 * (mean(counts, t + 1, counts.size() - 1) + 0.5);
    const double between = (upper - lower) / std::log(upper / lower);
    CHECK_EQUAL(static_cast<int>(between / 0.5), result.bin);
  }
  check::setContext("");
}

/// Intensities that are scaled move the threshold along.
void testScale()
{
  const Counts counts = bells(28.0, 5.0, 66.0, 9.0, 0.3);
  for (int m = 0; m < 12; ++m)
  {
    check::setContext("method ", m);
    const auto method = static_cast<ThresholdMethod>(m);
    const AutoThreshold one =
      segcore::autoThreshold(method, binsOf(counts, 0.0, 1.0), counts.data());
    const AutoThreshold tiny =
      segcore::autoThreshold(method, binsOf(counts, 0.0, 0x1p-20), counts.data());
    CHECK(one.valid);
    CHECK_EQUAL(tiny.bin, one.bin);
    CHECK_EQUAL(tiny.threshold, 0x1p-20 * one.threshold);
  }
  check::setContext("");
}

} // namespace

int TestAutoThreshold(int, char*[])
{
  testOtsu();
  testCriteria();
  testByHand();
  testLi();
  testScale();
  return check::result();
}
