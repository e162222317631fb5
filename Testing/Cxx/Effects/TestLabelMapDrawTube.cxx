// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Draw tube: what is near a curve becomes the segment. Truth: the distance of every voxel to every
// piece of the polyline (StrokeOracle.h); splines in TestSplineCurve.

#include "OutlineOracle.h"
#include "SplineCurve.h"
#include "vtkLabelMapDrawTube.h"

using namespace filtertest;

namespace
{

Maker tube(const std::vector<Point>& points, int interpolation, double radius, int pieces = 15)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapDrawTube>::New();
    effect->SetPoints(points[0].data(), static_cast<vtkIdType>(points.size()));
    effect->SetInterpolation(interpolation);
    effect->SetRadius(radius);
    effect->SetNumberOfLineSegmentsBetweenControlPoints(pieces);
    return effect;
  };
}

/// The tube replaces the segment.
MaskOracle oracle(
  const std::vector<Point>& points, int interpolation, double radius, std::size_t pieces = 15)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>&)
  {
    std::vector<double> flat;
    for (const Point& p : points)
    {
      flat.insert(flat.end(), p.begin(), p.end());
    }
    flat = segcore::splineCurve(flat, static_cast<segcore::CurveShape>(interpolation), pieces);
    Brush brush;
    brush.diameter = 2.0 * radius;
    for (std::size_t p = 0; p < flat.size(); p += 3)
    {
      brush.points.push_back({ { flat[p], flat[p + 1], flat[p + 2] } });
    }
    return strokeOracle(shape, brush);
  };
}

} // namespace

int TestLabelMapDrawTube(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(9, 8, 7);
  const std::vector<Point> points = { worldOf(shape, -6.2, 6.1, -2.1),
    worldOf(shape, -3.1, 7.2, 0.3), worldOf(shape, 0.7, 6.7, 1.6),
    worldOf(shape, -1.1, 11.3, 2.9) };
  const int linear = vtkLabelMapDrawTube::LINEAR;
  commonSuite(world, tube(points, linear, 1.4), "values");
  segmentSuite(world, tube(points, linear, 1.4), oracle(points, linear, 1.4));
  const auto values =
    volumes::make<short>(shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z) % 4; });
  for (const int interpolation : { 0, 1, 2 })
  {
    for (const int pieces : { 1, 4, 15 })
    {
      check::setContext("interpolation ", interpolation, " pieces ", pieces);
      CHECK_EVERYWHERE(world, shape, values, tube(points, interpolation, 1.3, pieces),
        merged<short>(
          shape, values, 1, oracle(points, interpolation, 1.3, static_cast<std::size_t>(pieces))),
        "values");
    }
  }
  check::setContext("");
  // By hand: from 2 to 4 along a line of voxels, with round ends of 1 mm; the rest is gone.
  using Labels = std::vector<unsigned char>;
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 8), Labels({ 1, 2, 1, 2, 0, 0, 1, 3 }),
    tube({ { { 0.0, 0.0, 2.0 } }, { { 0.0, 0.0, 4.0 } } }, 1, 1.0),
    Labels({ 0, 1, 1, 1, 1, 1, 0, 3 }), "values", Effort::Every);
  const auto good = [&]
  {
    auto effect = vtkSmartPointer<vtkLabelMapDrawTube>::New();
    effect->AddPoint(0.0, 0.0, 0.0);
    return effect;
  };
  using Filter = vtkLabelMapDrawTube;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [](Filter* f) { f->SetInterpolation(3); }, "Interpolation is 3" },
      { [](Filter* f) { f->SetRadius(0.0); }, "Radius is 0" },
      { [](Filter* f) { f->SetNumberOfLineSegmentsBetweenControlPoints(0); },
        "NumberOfLineSegmentsBetweenControlPoints is 0" } });
  return result(world);
}
