// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Expand segments: each voxel in reach goes to the nearest label, the lowest one at equal distance.
// Truth: a loop over all pairs of voxels.

#include "FilterTest.h"
#include "vtkLabelMapExpandSegments.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker expand(double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapExpandSegments>::New();
    effect->SetExpansionSizeMm(millimetres);
    return effect;
  };
}

template <class T>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels, double millimetres)
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  const double limit = millimetres * millimetres * (1 + 1e-12);
  const auto square = [&](int axis, Index offset)
  {
    const double length = static_cast<double>(std::abs(offset)) * shape.spacing[axis];
    return length * length;
  };
  struct Seed
  {
    Index at[3];
    T label;
  };
  std::vector<Seed> seeds;
  std::vector<T> result;
  const auto forAll = [&](const auto& work)
  {
    std::size_t at = 0;
    for (Index z = 0; z < box.dim(2); ++z)
    {
      for (Index y = 0; y < box.dim(1); ++y)
      {
        for (Index x = 0; x < box.dim(0); ++x)
        {
          work(x, y, z, labels[at++]);
        }
      }
    }
  };
  forAll(
    [&](Index x, Index y, Index z, T label)
    {
      if (label != T(0))
      {
        seeds.push_back({ { x, y, z }, label });
      }
    });
  forAll(
    [&](Index x, Index y, Index z, T)
    {
      double best = limit;
      T label(0);
      for (const Seed& seed : seeds)
      {
        const double distance =
          square(0, seed.at[0] - x) + square(1, seed.at[1] - y) + square(2, seed.at[2] - z);
        if (distance < best || (distance == best && (label == T(0) || seed.label < label)))
        {
          best = distance;
          label = seed.label;
        }
      }
      result.push_back(label);
    });
  return result;
}

void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 12 : 1, axis == 1 ? 12 : 1, axis == 2 ? 12 : 1);
    const Labels line{ 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0 };
    // Halfway between 3 and 2 the lower label wins.
    CHECK_EVERYWHERE(world, shape, line, expand(2.0),
      Labels({ 3, 3, 3, 3, 2, 2, 2, 2, 2, 0, 0, 0 }), "values", Effort::Every);
    CHECK_EVERYWHERE(world, shape, line, expand(1e6),
      Labels({ 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2 }), "values", Effort::Every);
    for (const double small : { 0.0, 0.99 })
    {
      CHECK_EVERYWHERE(world, shape, line, expand(small), line, "values");
    }
  }
  check::setContext("");
}

/// Sparse and dense seeds, every reach up to the whole image, all types, negative labels.
void testRandomSeeds(const World& world)
{
  check::Random random(20);
  const Shape shape = oddShape(13, 9, 8);
  for (const int seedsIn1000 : { 3, 30, 300 })
  {
    const auto labels = volumes::make<short>(shape.box,
      [&](Index, Index, Index)
      {
        const bool seed = random.below(1000) < seedsIn1000;
        return static_cast<short>(seed ? random.below(5) - 1 : 0); // -1 to 3
      });
    for (const double reach : { 0.5, 1.25, 2.1, 4.0, 50.0 })
    {
      check::setContext("seeds ", seedsIn1000, " reach ", reach);
      CHECK_EVERYWHERE(
        world, shape, labels, expand(reach), oracle(shape, labels, reach), "values", Effort::Every);
    }
  }
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      const auto labels = volumes::make<T>(shape.box, [&](Index x, Index y, Index z)
        { return static_cast<T>((x * 7 + y * 3 + z * 5) % 23 == 0 ? 1 + (x + 7 + y) % 100 : 0); });
      CHECK_EVERYWHERE(world, shape, labels, expand(2.5), oracle(shape, labels, 2.5), "values");
    });
  check::setContext("");
}

/// Without seeds nothing comes; a full image stays.
void testEmptyAndFull(const World& world)
{
  const Shape shape = oddShape(5, 4, 6);
  for (const int value : { 0, 7 })
  {
    const std::vector<int> all(120, value);
    CHECK_EVERYWHERE(world, shape, all, expand(10.0), all, "values", Effort::Every);
  }
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, expand(-0.1)(), image, "ExpansionSizeMm is -0.1, expected 0 to 1e+06");
  CHECK_REFUSED(world, expand(std::nan(""))(), image, "ExpansionSizeMm is nan");
  const Shape line = shapeOf(1, 40000, 1);
  const std::vector<short> many(40000, 1);
  CHECK_REFUSED(world, expand(35000.0)(),
    makePiece(line, many, world.communicator->rank() == 0 ? line.box : Box()),
    "labels would expand up to 35000 voxels along axis 1, expected at most 32767");
}

} // namespace

int TestLabelMapExpandSegments(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, expand(1.0), "values");
  testHandCheckedLine(world);
  testRandomSeeds(world);
  testEmptyAndFull(world);
  testErrors(world);
  return result(world);
}
