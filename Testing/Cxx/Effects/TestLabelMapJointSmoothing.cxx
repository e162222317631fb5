// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Joint smoothing on ranks: points are shared, crossings travel. Truth: by hand, and the kernel on
// the whole image.

#include "FilterTest.h"
#include "JointSmoothing.h"
#include "vtkLabelMapJointSmoothing.h"

#include <cmath>

using namespace filtertest;

namespace
{

Maker smooth(double factor, double surfaceBytes = 4.0)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapJointSmoothing>::New();
    effect->SetJointTaubinSmoothingFactor(factor);
    effect->SetSurfaceBytesPerVoxel(surfaceBytes);
    return effect;
  };
}

/// Ranks hold their surfaces, or go through their blocks slice by slice.
constexpr double Hold = 1e9;
constexpr double Slices = -1.0;

template <class T>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels, double factor)
{
  // Labels of a floating type are whole numbers here.
  const std::vector<int> whole(labels.begin(), labels.end());
  const auto part = segcore::jointPart(whole.data(), shape.box, shape.box, shape.box);
  segcore::WindowedSincOptions options;
  options.iterations = 100;
  options.passBand = std::pow(10.0, -4.0 * factor);
  const segcore::CellLattice lattice(shape.box);
  segcore::SincSmoother smoother(lattice, part.cells, part.stencils, options);
  for (int step = 0; step < smoother.steps(); ++step)
  {
    smoother.step(step);
  }
  smoother.finish();
  segcore::JointRows<int> rows(shape.box);
  segcore::jointCrossings(lattice, part.cells, smoother.values(), part.quads, part.labels, rows);
  rows.sort();
  std::vector<int> result(whole.size());
  rows.fill(shape.box, shape.box, whole.data(), result.data(), [](int label) { return label; });
  std::vector<T> typed;
  for (const int label : result)
  {
    typed.push_back(static_cast<T>(label));
  }
  return typed;
}

/// Blobs of three labels that touch each other and the border.
int blobs(Index x, Index y, Index z)
{
  const auto ball = [&](Index cx, Index cy, Index cz, Index square)
  { return (x - cx) * (x - cx) + (y - cy) * (y - cy) + (z - cz) * (z - cz) <= square; };
  if (ball(3, 3, 3, 11) || (x == 8 && y == 5))
  {
    return 2;
  }
  return ball(8, 6, 4, 17) ? 1 : (ball(14, 2, 7, 20) ? 5 : 0);
}

void testHandChecked(const World& world)
{
  // A flat surface stays, also between two segments; a voxel that sticks out goes, through all
  // cuts.
  const Shape shape = oddShape(13, 12, 11);
  const auto flat =
    volumes::make<short>(shape.box, [](Index, Index y, Index) { return y < 5 ? -3 : 4; });
  CHECK_EVERYWHERE(world, shape, flat, smooth(0.5), flat, "values", Effort::Every);
  const auto plain =
    volumes::make<short>(shape.box, [](Index, Index y, Index) { return y < 5 ? 4 : 0; });
  const auto bumpy = volumes::make<short>(shape.box,
    [](Index x, Index y, Index z) { return y < 5 || (x == 6 && y == 5 && z == 5) ? 4 : 0; });
  CHECK_EVERYWHERE(world, shape, bumpy, smooth(0.5), plain, "values", Effort::Every);
}

void testBlobs(const World& world)
{
  for (const double factor : { 0.1, 0.3, 0.5, 1.0 })
  {
    check::setContext("factor ", factor);
    const Shape shape = oddShape(18, 11, 9);
    const auto labels = volumes::make<short>(shape.box, blobs);
    const auto expected = oracle(shape, labels, factor);
    CHECK(expected != labels);
    for (const double bytes : { Hold, Slices })
    {
      CHECK_EVERYWHERE(
        world, shape, labels, smooth(factor, bytes), expected, "values", Effort::Every);
    }
  }
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      const Shape shape = oddShape(18, 9, 8);
      const auto labels = volumes::make<T>(shape.box, blobs);
      for (const double bytes : { Hold, Slices })
      {
        CHECK_EVERYWHERE(
          world, shape, labels, smooth(0.5, bytes), oracle(shape, labels, 0.5), "values");
      }
    });
  check::setContext("");
}

void testEmptyAndFull(const World& world)
{
  const Shape shape = oddShape(5, 4, 6);
  for (const int value : { 0, 7 })
  {
    const std::vector<int> all(120, value);
    CHECK_EVERYWHERE(world, shape, all, smooth(0.5), all, "values", Effort::Every);
  }
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const auto image = makePiece(shape, std::vector<short>(45, 1), piece);
  CHECK_REFUSED(world, smooth(0.0)(), image, "JointTaubinSmoothingFactor is 0, expected 0.01 to 1");
  CHECK_REFUSED(world, smooth(std::nan(""))(), image, "JointTaubinSmoothingFactor is nan");
}

} // namespace

int TestLabelMapJointSmoothing(int argc, char* argv[])
{
  World world(argc, argv);
  for (const double bytes : { Hold, Slices })
  {
    commonSuite(world, smooth(0.5, bytes), "values", {}, [](Index x, Index y, Index z)
      { return x == 7 && z == 2 ? 2 : static_cast<int>(x + y + z < 10); });
  }
  testHandChecked(world);
  testBlobs(world);
  testEmptyAndFull(world);
  testErrors(world);
  return result(world);
}
