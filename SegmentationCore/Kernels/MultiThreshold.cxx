// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "MultiThreshold.h"

#include <algorithm>
#include <stdexcept>

namespace segcore
{

//------------------------------------------------------------------------------------------------
std::vector<double> multiOtsu(const HistogramBins& bins, const std::int64_t* counts, int classes)
{
  if (classes < 1 || bins.count < 1)
  {
    throw std::invalid_argument("segcore::multiOtsu: at least one class and one bin are needed");
  }
  // Sums over the bins with voxels up to each one; bins have the values 0, 1, 2, ...
  std::vector<int> used;
  std::vector<double> weight{ 0.0 };
  std::vector<double> sum{ 0.0 };
  for (int b = 0; b < bins.count; ++b)
  {
    if (counts[b] > 0)
    {
      used.push_back(b);
      const double n = static_cast<double>(counts[b]);
      weight.push_back(weight.back() + n);
      sum.push_back(sum.back() + n * b);
    }
  }
  const auto n = used.size();
  const auto k = std::min(static_cast<std::size_t>(classes), n);
  if (k < 2)
  {
    return {};
  }
  // What the bins first .. last - 1 add to the variance between classes, but for a constant.
  const auto gain = [&](std::size_t first, std::size_t last)
  {
    const double s = sum[last] - sum[first];
    return s * s / (weight[last] - weight[first]);
  };
  // best[end]: of the first `end` bins in c + 1 classes; from[c][end]: where the last one begins.
  std::vector<double> best(n + 1, 0.0);
  for (std::size_t end = 1; end <= n; ++end)
  {
    best[end] = gain(0, end);
  }
  std::vector<std::vector<std::int32_t>> from(k, std::vector<std::int32_t>(n + 1, 0));
  for (std::size_t c = 1; c < k; ++c)
  {
    for (std::size_t end = n; end > c; --end)
    {
      double most = -1.0;
      for (std::size_t begin = c; begin < end; ++begin)
      {
        const double value = best[begin] + gain(begin, end);
        if (value > most)
        {
          most = value;
          from[c][end] = static_cast<std::int32_t>(begin);
        }
      }
      best[end] = most;
    }
  }
  std::vector<double> thresholds(k - 1);
  std::size_t end = n;
  for (std::size_t c = k - 1; c > 0; --c)
  {
    end = static_cast<std::size_t>(from[c][end]);
    thresholds[c - 1] = bins.edge(used[end - 1] + 1);
  }
  return thresholds;
}

} // namespace segcore
