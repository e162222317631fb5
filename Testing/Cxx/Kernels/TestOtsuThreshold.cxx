// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "OtsuThreshold.h"

#include "Check.h"

using segcore::HistogramBins;
using segcore::OtsuResult;

namespace
{

/// The criterion from its definition, for small counts in exact integers: the first b that
/// maximises (N S0 - n0 S)^2 / (n0 n1), fractions compared by cross-multiplication.
int slowOtsu(const std::vector<std::int64_t>& counts)
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

} // namespace

int TestOtsuThreshold(int, char*[])
{
  HistogramBins bins;
  bins.min = -3.0;
  bins.width = 0.5;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    bins.count = static_cast<int>(random.between(1, 12));
    std::vector<std::int64_t> counts(static_cast<std::size_t>(bins.count));
    for (std::int64_t& c : counts)
    {
      c = random.below(3) ? 0 : random.below(4); // few and small: many ties and gaps
    }
    const int expected = slowOtsu(counts);
    const OtsuResult result = segcore::otsuThreshold(bins, counts.data());
    CHECK_EQUAL(result.valid, expected >= 0);
    CHECK_EQUAL(result.bin, expected >= 0 ? expected : 0);
    CHECK_EQUAL(result.threshold, expected >= 0 ? -3.0 + 0.5 * (expected + 1) : -3.0);
  }
  check::setContext("large");
  bins.count = 3;
  const std::int64_t many = std::int64_t{ 1 } << 40;
  const std::vector<std::int64_t> counts{ many, 0, many };
  CHECK_EQUAL(segcore::otsuThreshold(bins, counts.data()).bin, 0); // the gap is a tie: the first
  return check::result();
}
