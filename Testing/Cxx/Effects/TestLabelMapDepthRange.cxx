// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Depth range: all voxels between two depths become the segment. Truth: the depth of each voxel.

#include "OutlineOracle.h"
#include "vtkLabelMapDepthRange.h"

using namespace filtertest;

namespace
{

Maker depthRange(const std::vector<Point>& points, const Point& direction)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapDepthRange>::New();
    effect->SetPoints(points[0].data(), static_cast<vtkIdType>(points.size()));
    effect->SetDepthDirection(direction[0], direction[1], direction[2]);
    return effect;
  };
}

MaskOracle oracle(const std::vector<Point>& points, const Point& direction)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    Real low = along(direction, points[0]), high = low;
    for (const Point& p : points)
    {
      low = std::min(low, along(direction, p));
      high = std::max(high, along(direction, p));
    }
    auto result = voxelsWhere(shape,
      [&](const Point& p) { return along(direction, p) >= low && along(direction, p) < high; });
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      result[i] = static_cast<std::uint8_t>(result[i] | mask[i]);
    }
    return result;
  };
}

void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  // The lower end belongs to it, the upper one does not, whichever way depth grows.
  const std::vector<Point> points = { { { 9.0, 0.0, 4.0 } }, { { 0.0, 3.0, 1.0 } } };
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 6), Labels({ 0, 0, 2, 0, 2, 0 }),
    depthRange(points, { { 0.0, 0.0, 1.0 } }), Labels({ 0, 1, 1, 1, 2, 0 }), "values",
    Effort::Every);
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 6), Labels({ 0, 0, 2, 0, 2, 0 }),
    depthRange(points, { { 0.0, 0.0, -3.0 } }), Labels({ 0, 0, 1, 1, 1, 0 }), "values");
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 3), Labels(3, 2),
    depthRange({ points[0] }, { { 0.0, 0.0, 1.0 } }), Labels(3, 2), "values");
}

} // namespace

int TestLabelMapDepthRange(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(14, 11, 9);
  const std::vector<Point> points = { worldOf(shape, -4.2, 6.1, -0.1),
    worldOf(shape, -2.1, 7.3, 1.3) };
  const Point direction = { { 0.3, -1.2, 0.7 } };
  commonSuite(world, depthRange(points, direction), "values");
  segmentSuite(world, depthRange(points, direction), oracle(points, direction));
  testByHand(world);
  // Ranges that follow each other share no voxel and leave none out, also at voxel centres.
  std::vector<int> count(static_cast<std::size_t>(shape.box.size()), 0);
  for (int part = 0; part < 11; ++part)
  {
    const auto effect =
      depthRange({ worldOf(shape, 0.0, 5.0 + part, 0.0), worldOf(shape, 0.0, 6.0 + part, 0.0) },
        { { -0.8, 0.6, 0.0 } })();
    vtkNew<vtkImageData> output;
    CHECK(effect->Apply(makePiece(shape, std::vector<short>(count.size(), 0), shape.box), output));
    for (std::size_t i = 0; i < count.size(); ++i)
    {
      count[i] += voxels<short>(output)[i];
    }
  }
  CHECK_RANGES(count.data(), std::vector<int>(count.size(), 1), shape.box.size());
  const auto good = [&]
  {
    auto effect = vtkSmartPointer<vtkLabelMapDepthRange>::New();
    effect->AddPoint(0.0, 0.0, 0.0);
    return effect;
  };
  using Filter = vtkLabelMapDepthRange;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [](Filter* f) { f->SetDepthDirection(0.0, 0.0, 0.0); }, "DepthDirection" } });
  return result(world);
}
