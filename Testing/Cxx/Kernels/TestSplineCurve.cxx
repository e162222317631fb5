// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// SplineCurve. Truth: what defines the curves, that is the points they go through, their slopes and
// bends there, by differences of a fine polyline.

#include "SplineCurve.h"

#include "Check.h"

#include <cmath>

using segcore::CurveShape;
using segcore::splineCurve;

namespace
{

using Points = std::vector<double>;

} // namespace

int TestSplineCurve(int, char*[])
{
  const Points points = { 0.0, 0.0, 1.0, 2.0, -1.0, 1.5, 2.5, 4.0, 0.0, 3.0, 3.0, -2.0, 7.0, 5.0,
    5.0 };
  CHECK_EQUAL(splineCurve(points, CurveShape::Linear, 7).size(), points.size());
  CHECK_RANGES(splineCurve(points, CurveShape::Linear, 7).data(), points, 15);
  const std::size_t pieces = 4096;
  const double h = 1.0 / static_cast<double>(pieces);
  for (const CurveShape shape : { CurveShape::Cardinal, CurveShape::Kochanek })
  {
    for (const std::size_t few : { std::size_t{ 1 }, std::size_t{ 5 }, pieces })
    {
      const Points curve = splineCurve(points, shape, few);
      CHECK_EQUAL(curve.size(), 3 * (4 * few + 1));
      for (std::size_t p = 0; p < 5; ++p)
      {
        CHECK_RANGES(curve.data() + 3 * few * p,
          Points(points.begin() + 3 * static_cast<long>(p),
            points.begin() + 3 * static_cast<long>(p) + 3),
          3);
      }
    }
    const Points curve = splineCurve(points, shape, pieces);
    const auto at = [&](std::size_t p, long step, std::size_t a)
    { return curve[3 * static_cast<std::size_t>(static_cast<long>(p * pieces) + step) + a]; };
    for (std::size_t a = 0; a < 3; ++a)
    {
      CHECK(std::abs(at(0, 1, a) - at(0, 0, a)) < 40.0 * h * h);
      CHECK(std::abs(at(4, -1, a) - at(4, 0, a)) < 40.0 * h * h);
      for (std::size_t p = 1; p < 4; ++p)
      {
        const double before = (at(p, 0, a) - at(p, -1, a)) / h;
        const double after = (at(p, 1, a) - at(p, 0, a)) / h;
        CHECK(std::abs(before - after) < 100.0 * h);
        const double bendBefore = (at(p, 0, a) - 2.0 * at(p, -1, a) + at(p, -2, a)) / (h * h);
        const double bendAfter = (at(p, 2, a) - 2.0 * at(p, 1, a) + at(p, 0, a)) / (h * h);
        if (shape == CurveShape::Cardinal)
        {
          CHECK(std::abs(bendBefore - bendAfter) < 300.0 * h);
        }
        else
        {
          const double slope = (points[3 * (p + 1) + a] - points[3 * (p - 1) + a]) / 2.0;
          CHECK(std::abs(before - slope) < 100.0 * h);
        }
      }
    }
  }
  // One and two points are what they are.
  for (const std::size_t count : { std::size_t{ 3 }, std::size_t{ 6 } })
  {
    const Points few(points.begin(), points.begin() + static_cast<long>(count));
    CHECK_EQUAL(splineCurve(few, CurveShape::Cardinal, 5).size(), count);
  }
  return check::result();
}
