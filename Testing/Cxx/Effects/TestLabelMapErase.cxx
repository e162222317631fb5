// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Erase: a brush stroke leaves the segment, or all segments. Truth: the distance of every voxel to
// every segment of the stroke (StrokeOracle.h).

#include "StrokeOracle.h"
#include "vtkLabelMapErase.h"

using namespace filtertest;

namespace
{

Maker erase(const Brush& brush, bool all = false)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapErase>::New();
    setBrush(effect.Get(), brush);
    effect->SetEraseAllSegments(all);
    return effect;
  };
}

/// The stroke leaves the segment.
MaskOracle oracle(const Brush& brush)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    std::vector<std::uint8_t> result = strokeOracle(shape, brush);
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      result[i] = mask[i] && !result[i] ? 1 : 0;
    }
    return result;
  };
}

void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(1, 1, 8);
  Brush brush;
  brush.points = { { { 0.0, 0.0, 1.0 } }, { { 0.0, 0.0, 5.0 } } };
  brush.diameter = 0.2;
  const Labels labels{ 1, 1, 2, 0, 1, 3, 1, 1 };
  CHECK_EVERYWHERE(world, shape, labels, erase(brush), Labels({ 1, 0, 2, 0, 0, 3, 1, 1 }), "values",
    Effort::Every);
  CHECK_EVERYWHERE(world, shape, labels, erase(brush, true), Labels({ 1, 0, 0, 0, 0, 0, 1, 1 }),
    "values", Effort::Every);
}

void testStrokes(const World& world)
{
  for (std::uint64_t seed = 10; seed < 14; ++seed)
  {
    const Shape shape = oddShape(14, 11, 9, seed % 2 == 0);
    const auto values = volumes::make<unsigned int>(
      shape.box, [](Index x, Index y, Index z) { return (x / 5 + y / 4 + z / 3) % 3; });
    std::size_t number = 0;
    for (const Brush& brush : someBrushes(shape, seed))
    {
      check::setContext("seed ", seed, " brush ", number++);
      CHECK_EVERYWHERE(world, shape, values, erase(brush),
        merged<unsigned int>(shape, values, 1, oracle(brush)), "values");
      const std::vector<std::uint8_t> touched = strokeOracle(shape, brush);
      std::vector<unsigned int> expected(values);
      for (std::size_t i = 0; i < expected.size(); ++i)
      {
        expected[i] = touched[i] ? 0 : values[i];
      }
      CHECK_EVERYWHERE(world, shape, values, erase(brush, true), expected, "values");
    }
  }
  check::setContext("");
}

} // namespace

int TestLabelMapErase(int argc, char* argv[])
{
  World world(argc, argv);
  Brush brush;
  const Shape shape = oddShape(9, 8, 7);
  brush.points = { worldOf(shape, -6.2, 6.1, -3.0), worldOf(shape, 0.7, 11.3, 3.2) };
  brush.diameter = 4.0;
  commonSuite(world, erase(brush), "values");
  segmentSuite(world, erase(brush), oracle(brush));
  testByHand(world);
  testStrokes(world);
  checkStrokeErrors<vtkLabelMapErase>(world);
  return result(world);
}
