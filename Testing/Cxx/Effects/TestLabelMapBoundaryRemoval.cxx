// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Boundaries of a volume, whoever holds its voxels. Truth: the gradient from its definition.

#include "FilterTest.h"
#include "vtkLabelMapBoundaryRemoval.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker boundaries(double low, double high = 1e299, bool automatic = false)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapBoundaryRemoval>::New();
    effect->SetMinimumThreshold(low);
    effect->SetMaximumThreshold(high);
    effect->SetAutoThreshold(automatic);
    return effect;
  };
}

template <class T>
std::vector<double> gradients(const Shape& shape, const std::vector<T>& values)
{
  std::vector<double> result;
  for (Index z = shape.box.lo[2]; z <= shape.box.hi[2]; ++z)
  {
    for (Index y = shape.box.lo[1]; y <= shape.box.hi[1]; ++y)
    {
      for (Index x = shape.box.lo[0]; x <= shape.box.hi[0]; ++x)
      {
        double sum = 0.0;
        for (int a = 0; a < 3; ++a)
        {
          Index low[3] = { x, y, z }, high[3] = { x, y, z };
          low[a] = std::max(low[a] - 1, shape.box.lo[a]);
          high[a] = std::min(high[a] + 1, shape.box.hi[a]);
          const auto at = [&](const Index* i)
          {
            return static_cast<double>(
              values[static_cast<std::size_t>(shape.box.offset(i[0], i[1], i[2]))]);
          };
          const double slope = (at(high) - at(low)) / (2.0 * shape.spacing[a]);
          sum += slope * slope;
        }
        result.push_back(std::sqrt(sum));
      }
    }
  }
  return result;
}

/// A step from 0 to 8 along each axis: slopes 4 on both sides of it, over the spacing.
void testStep(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("step along axis ", axis);
    Shape shape = shapeOf(axis == 0 ? 6 : 1, axis == 1 ? 6 : 1, axis == 2 ? 6 : 1);
    shape.spacing[axis] = 2.0;
    const std::vector<unsigned char> step{ 0, 0, 0, 8, 8, 9 }; // slopes 0 0 2 2 0.25 0.25
    const auto run = [&](const Maker& make, const Labels& expected)
    { CHECK_EVERYWHERE(world, shape, step, make, expected, "Labels", Effort::Every); };
    run(boundaries(2.0), { 0, 0, 1, 1, 0, 0 });
    run(boundaries(2.0000001), { 0, 0, 0, 0, 0, 0 });
    run(boundaries(0.25, 1.9), { 0, 0, 0, 0, 1, 1 }); // half a difference at the border
    run(boundaries(0.0, 0.0), { 1, 1, 0, 0, 0, 0 });
    run(boundaries(0.0), { 1, 1, 1, 1, 1, 1 });
    run(boundaries(1e9, 1e299, true), { 0, 0, 1, 1, 0, 0 }); // the minimum is found
    run(boundaries(0.0, 1.0, true), { 0, 0, 0, 0, 0, 0 });
  }
  check::setContext("");
}

void testAllTypesOnNoise(const World& world)
{
  const Shape shape = oddShape(9, 7, 8);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext("scalar type ", vtkTypeTraits<T>::SizedName());
      check::Random random(3);
      const auto values = volumes::make<T>(
        shape.box, [&](Index, Index, Index) { return static_cast<T>(random.below(100)); });
      // In no gap between two magnitudes that rounding could close.
      std::vector<unsigned char> expected;
      for (const double gradient : gradients(shape, values))
      {
        expected.push_back(gradient > 20.0000001 && gradient < 60.0000001 ? 1 : 0);
      }
      CHECK_EVERYWHERE(world, shape, values, boundaries(20.0000001, 60.0000001), expected, "Labels",
        std::is_same<T, short>::value ? Effort::Every : Effort::Some);
    });
  check::setContext("");
}

void testNothingStandsOut(const World& world)
{
  const Shape shape = shapeOf(3, 4, 6);
  const std::vector<unsigned char> nothing(72, 0);
  CHECK_EVERYWHERE(world, shape, std::vector<short>(72, 7), boundaries(0.0, 1e299, true), nothing,
    "Labels", Effort::Every);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_EVERYWHERE(
    world, shape, std::vector<double>(72, nan), boundaries(0.0, 1e299, true), nothing, "Labels");
  CHECK_EVERYWHERE(world, shape, std::vector<double>(72, nan), boundaries(0.0), nothing, "Labels");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, boundaries(-1.0)(), image, "MinimumThreshold is -1, expected 0 to 1e+299");
  CHECK_REFUSED(world, boundaries(0.0, std::numeric_limits<double>::quiet_NaN())(), image,
    "MaximumThreshold is nan");
}

} // namespace

int TestLabelMapBoundaryRemoval(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, boundaries(0.0, 1e299, true), "Labels");
  testStep(world);
  testAllTypesOnNoise(world);
  testNothingStandsOut(world);
  testErrors(world);
  return result(world);
}
