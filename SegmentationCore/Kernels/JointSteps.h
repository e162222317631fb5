// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// JointSteps: the numbers that both ways of JointSmoothing share. Private to them.

#ifndef segcoreJointSteps_h
#define segcoreJointSteps_h

#include "SurfaceRows.h"
#include "WindowedSinc.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace segcore
{
namespace detail
{

/// Multiples of 2^-20 voxel.
constexpr double JointUnit = 1048576.0;

/// The furthest from its cell that a point goes, in voxels: two such numbers added up, and the sum
/// of all steps, fit 32 bits.
constexpr double JointLimit = 536870911.0 / JointUnit;

/// Adding and taking away 1.5 * 2^(52 - b) rounds |x| < 2^(51 - b) to a multiple of 2^-b, ties to
/// even: here b = 20.
constexpr double JointMagic = 6442450944.0;

/// The result of all steps, to a multiple of 2^-14 voxel: what rounding left of a part that is
/// filtered away vanishes, too.
inline double jointResult(double sum)
{
  constexpr double magic = 412316860416.0; // 1.5 * 2^38
  return (sum + magic) - magic;
}

/// The factors of the polynomials, which add up to 1.
inline std::vector<double> jointFactors(const WindowedSincOptions& options)
{
  std::vector<double> factors = windowedSincSeries(options);
  const double sum = std::accumulate(factors.begin(), factors.end(), 0.0);
  for (double& factor : factors)
  {
    factor /= sum;
  }
  return factors;
}

/// For every stencil: 1 / number of neighbours, and the sum of the ways there. The fourth numbers
/// are 0: the processor takes four at once.
struct JointStencilTable
{
  double share[64];
  double direction[64][4];

  JointStencilTable()
  {
    for (int s = 0; s < 64; ++s)
    {
      int count = 0;
      std::fill(this->direction[s], this->direction[s] + 4, 0.0);
      for (int face = 0; face < 6; ++face)
      {
        if ((s >> face) & 1)
        {
          ++count;
          this->direction[s][face / 2] += face % 2 ? 1.0 : -1.0;
        }
      }
      this->share[s] = count ? 1.0 / count : 0.0;
    }
  }
};

inline const JointStencilTable& jointStencils()
{
  static const JointStencilTable table;
  return table;
}

/// Calls visit(quad, x, y, z, on) for the rows along x that cross a quad, which is four triangles
/// around its middle. `dims` is the lattice of cells, one more than there are voxels.
template <class Visit>
void crossQuad(const double corners[4][3], const Index dims[3], Index quad, const Visit& visit)
{
  constexpr Axes AlongX = { 0, 1, 2 };
  const Index lo[3] = { 0, 0, 0 };
  const Index hi[3] = { dims[0] - 2, dims[1] - 2, dims[2] - 2 };
  double middle[3] = { 0.0, 0.0, 0.0 };
  for (int c = 0; c < 4; ++c)
  {
    for (int a = 0; a < 3; ++a)
    {
      middle[a] += 0.25 * corners[c][a]; // multiples of 2^-16: exact
    }
  }
  for (int c = 0; c < 4; ++c)
  {
    const double* const triangle[3] = { corners[c], corners[(c + 1) % 4], middle };
    forCrossings(triangle, AlongX, lo, hi, [&](Index y, Index z, Index x, const RowPlane& plane)
      { visit(quad, std::clamp<Index>(x, 0, dims[0] - 1), y, z, x >= 0 && plane.isOn(x, y, z)); });
  }
}

} // namespace detail
} // namespace segcore

#endif
