// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SeedGrowthBlocks.h"

#include <algorithm>
#include <cmath>

namespace segcore
{

SeedGrowthCosts seedGrowthCosts(
  const double spacing[3], double perMillimetre, const BlockLevels& levels, std::int32_t labels)
{
  SeedGrowthCosts costs;
  costs.largestDifference = levels.highest;
  for (int n = 1; n < 8; ++n)
  {
    // From the smallest square on: the sum does not depend on how the axes are called.
    double squares[3];
    for (int a = 0; a < 3; ++a)
    {
      squares[a] = n >> a & 1 ? spacing[a] * spacing[a] : 0.0;
    }
    std::sort(squares, squares + 3);
    const double length = std::sqrt(squares[0] + squares[1] + squares[2]);
    // Far above any difference of levels: longer paths are dearer, whatever the volume holds.
    constexpr double most = 1 << 28;
    costs.step[n & 1][n >> 1 & 1][n >> 2] = static_cast<std::int32_t>(
      std::floor(std::min(most, perMillimetre * length * levels.unit) + 0.5));
  }
  while ((labels >> costs.labelBits) > 0)
  {
    ++costs.labelBits;
  }
  return costs;
}

} // namespace segcore
