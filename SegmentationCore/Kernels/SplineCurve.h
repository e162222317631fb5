// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SplineCurve: a smooth curve through points, as a polyline.
///
/// Points are at the parameters 0, 1, 2, ...; between two of them the curve is a cubic with their
/// places and slopes (Hermite's form). Slopes at the first and last point are 0. The others:
///   Cardinal: such that the second derivative is continuous, from a tridiagonal system.
///   Kochanek: half the difference of the neighbours (tension, bias and continuity 0).
/// Both are the curves of VTK's classes of these names as they are by default, hence of Slicer's
/// markups. Linear: the points as they are.
///
/// The polyline has `pieces` equal steps of the parameter for each interval; its vertices at the
/// points are the points themselves, bit for bit. Everything is calculated in one order, so the
/// result is the same everywhere. Cost: linear.
///
/// Sources: Kochanek, Bartels, SIGGRAPH Comput. Graph. 18 (1984), doi:10.1145/964965.808575; de
/// Boor, A Practical Guide to Splines (1978), doi:10.1007/978-1-4612-6333-3 (the system of slopes).

#ifndef segcoreSplineCurve_h
#define segcoreSplineCurve_h

#include <cstddef>
#include <vector>

namespace segcore
{

enum class CurveShape
{
  Linear,
  Cardinal,
  Kochanek
};

/// points: x, y, z of each; the same for the result. pieces: at least 1; Linear needs none.
inline std::vector<double> splineCurve(
  const std::vector<double>& points, CurveShape shape, std::size_t pieces)
{
  const std::size_t count = points.size() / 3;
  if (shape == CurveShape::Linear || count < 3)
  {
    // Through two points both curves are the line between them.
    return points;
  }
  std::vector<double> slopes(points.size(), 0.0);
  // Elimination from the first point on: slope[p] + above[p] slope[p + 1] = right side.
  std::vector<double> above(count, 0.0);
  for (std::size_t p = 1; p + 1 < count; ++p)
  {
    const double pivot = 4.0 - above[p - 1];
    above[p] = 1.0 / pivot;
    for (std::size_t a = 0; a < 3; ++a)
    {
      const double difference = points[3 * (p + 1) + a] - points[3 * (p - 1) + a];
      slopes[3 * p + a] = shape == CurveShape::Kochanek
        ? difference / 2.0
        : (3.0 * difference - slopes[3 * (p - 1) + a]) / pivot;
    }
  }
  if (shape == CurveShape::Cardinal)
  {
    for (std::size_t p = count - 2; p > 0; --p)
    {
      for (std::size_t a = 0; a < 3; ++a)
      {
        slopes[3 * p + a] -= above[p] * slopes[3 * (p + 1) + a];
      }
    }
  }
  std::vector<double> curve;
  curve.reserve(3 * (pieces * (count - 1) + 1));
  for (std::size_t p = 0; p + 1 < count; ++p)
  {
    for (std::size_t piece = 0; piece < pieces; ++piece)
    {
      const double t = static_cast<double>(piece) / static_cast<double>(pieces);
      for (std::size_t a = 3 * p; a < 3 * p + 3; ++a)
      {
        const double rise = points[a + 3] - points[a];
        const double bend = 3.0 * rise - 2.0 * slopes[a] - slopes[a + 3];
        const double twist = slopes[a] + slopes[a + 3] - 2.0 * rise;
        curve.push_back(points[a] + t * (slopes[a] + t * (bend + t * twist)));
      }
    }
  }
  curve.insert(curve.end(), points.end() - 3, points.end());
  return curve;
}

} // namespace segcore

#endif
