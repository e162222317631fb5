// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "OtsuThreshold.h"

namespace segcore
{

OtsuResult otsuThreshold(const HistogramBins& bins, const std::int64_t* counts)
{
  // Moments of bin numbers in double: integers far beyond any count that one bin's weight could
  // overflow.
  double total = 0.0;
  double moment = 0.0;
  for (int b = 0; b < bins.count; ++b)
  {
    total += static_cast<double>(counts[b]);
    moment += static_cast<double>(counts[b]) * b;
  }

  OtsuResult result;
  result.threshold = bins.min;
  double best = 0.0;
  double lowerCount = 0.0;
  double lowerMoment = 0.0;
  for (int b = 0; b + 1 < bins.count; ++b)
  {
    lowerCount += static_cast<double>(counts[b]);
    lowerMoment += static_cast<double>(counts[b]) * b;
    const double upperCount = total - lowerCount;
    if (!(lowerCount > 0.0) || !(upperCount > 0.0))
    {
      continue;
    }
    const double apart = (moment - lowerMoment) / upperCount - lowerMoment / lowerCount;
    const double between = lowerCount * upperCount * apart * apart;
    // The slack keeps mathematically equal maxima, which rounding may order either way, with the
    // first.
    if (between > best * (1.0 + 1e-12))
    {
      best = between;
      result.bin = b;
      result.valid = true;
    }
  }
  if (result.valid)
  {
    result.threshold = bins.edge(result.bin + 1);
  }
  return result;
}

} // namespace segcore
