// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Paint: a brush stroke becomes part of the segment. Truth: the distance of every voxel to every
// segment of the stroke (StrokeOracle.h).

#include "StrokeOracle.h"
#include "vtkLabelMapPaint.h"

using namespace filtertest;

namespace
{

Maker paint(const Brush& brush)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapPaint>::New();
    setBrush(effect.Get(), brush);
    return effect;
  };
}

/// The stroke joins the segment.
MaskOracle oracle(const Brush& brush)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    std::vector<std::uint8_t> result = strokeOracle(shape, brush);
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      result[i] = static_cast<std::uint8_t>(result[i] | mask[i]);
    }
    return result;
  };
}

/// A ball of 5 mm on voxels of 1 mm: a disc of 21 voxels, 2.5 voxels in radius; and a bar.
void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  Brush brush;
  brush.points = { { { 3.0, 3.0, 0.0 } } };
  // clang-format off
  CHECK_EVERYWHERE(world, shapeOf(7, 7, 1), Labels(49, 2), paint(brush), Labels({
    2, 2, 2, 2, 2, 2, 2,
    2, 2, 1, 1, 1, 2, 2,
    2, 1, 1, 1, 1, 1, 2,
    2, 1, 1, 1, 1, 1, 2,
    2, 1, 1, 1, 1, 1, 2,
    2, 2, 1, 1, 1, 2, 2,
    2, 2, 2, 2, 2, 2, 2 }), "values", Effort::Every);
  // clang-format on
  brush.points = { { { 0.0, 0.0, 1.0 } }, { { 0.0, 0.0, 5.0 } } };
  brush.diameter = 0.2;
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 8), Labels({ 0, 3, 0, 3, 0, 3, 0, 3 }), paint(brush),
    Labels({ 0, 1, 1, 1, 1, 1, 0, 3 }), "values", Effort::Every);
  // Nothing but the nearest voxel, whatever the diameter.
  brush.points = { { { 0.0, 0.0, 2.4 } } };
  brush.diameter = 100.0;
  brush.voxel = true;
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 5), Labels({ 0, 3, 0, 3, 0 }), paint(brush),
    Labels({ 0, 3, 1, 3, 0 }), "values");
}

void testStrokes(const World& world)
{
  for (std::uint64_t seed = 0; seed < 4; ++seed)
  {
    const Shape shape = oddShape(14, 11, 9, seed % 2 == 0);
    const auto values = volumes::make<short>(
      shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z / 2) % 4; });
    std::size_t number = 0;
    for (const Brush& brush : someBrushes(shape, seed))
    {
      check::setContext("seed ", seed, " brush ", number++);
      CHECK_EVERYWHERE(world, shape, values, paint(brush),
        merged<short>(shape, values, 1, oracle(brush)), "values");
    }
  }
  check::setContext("");
}

} // namespace

int TestLabelMapPaint(int argc, char* argv[])
{
  World world(argc, argv);
  Brush brush;
  const Shape shape = oddShape(9, 8, 7);
  brush.points = { worldOf(shape, -6.2, 6.1, -3.0), worldOf(shape, 0.7, 11.3, 3.2) };
  brush.diameter = 4.0;
  commonSuite(world, paint(brush), "values");
  segmentSuite(world, paint(brush), oracle(brush));
  testByHand(world);
  testStrokes(world);
  checkStrokeErrors<vtkLabelMapPaint>(world);
  return result(world);
}
