// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Flood filling of the whole image, whoever holds its voxels. Truth: a flood from voxel to voxel.

#include "FilterTest.h"
#include "vtkLabelMapFloodFilling.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

using Voxel = std::array<Index, 3>;

struct Parameters
{
  std::vector<Voxel> seeds; // counted from the first voxel of the image
  double tolerance = 10.0;
  double size = 0.0;
};

Maker flood(const Shape& shape, const Parameters& parameters)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapFloodFilling>::New();
    for (const Voxel& seed : parameters.seeds)
    {
      double world[3];
      for (int r = 0; r < 3; ++r)
      {
        world[r] = shape.origin[r];
        for (int a = 0; a < 3; ++a)
        {
          // Near the voxel's centre, but not at it.
          world[r] += shape.direction[3 * r + a] * shape.spacing[a] *
            (static_cast<double>(shape.box.lo[a] + seed[static_cast<std::size_t>(a)]) + 0.3);
        }
      }
      effect->AddPoint(world[0], world[1], world[2]);
    }
    effect->SetIntensityTolerance(parameters.tolerance);
    effect->SetNeighborhoodSizeMm(parameters.size);
    return effect;
  };
}

template <class T>
std::vector<unsigned char> slowFlood(
  const Shape& shape, const std::vector<T>& values, const Parameters& parameters)
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  std::vector<unsigned char> result(values.size(), 0);
  for (const Voxel& seed : parameters.seeds)
  {
    if (!box.contains(seed[0], seed[1], seed[2]))
    {
      continue;
    }
    const Index first = box.offset(seed[0], seed[1], seed[2]);
    const double centre = static_cast<double>(values[static_cast<std::size_t>(first)]);
    const auto inRange = [&](Index at)
    {
      return std::abs(static_cast<double>(values[static_cast<std::size_t>(at)]) - centre) <=
        parameters.tolerance;
    };
    const auto accepted = [&](Index x, Index y, Index z)
    {
      Index inside = 0, all = 0;
      for (Index k = 0; k < box.dim(2); ++k)
      {
        for (Index j = 0; j < box.dim(1); ++j)
        {
          for (Index i = 0; i < box.dim(0); ++i)
          {
            const double dx = static_cast<double>(i - x) * shape.spacing[0];
            const double dy = static_cast<double>(j - y) * shape.spacing[1];
            const double dz = static_cast<double>(k - z) * shape.spacing[2];
            if (std::sqrt(dx * dx + dy * dy + dz * dz) <= parameters.size + 1e-9)
            {
              ++all;
              inside += inRange(box.offset(i, j, k)) ? 1 : 0;
            }
          }
        }
      }
      return inRange(box.offset(x, y, z)) && 2 * inside >= all;
    };
    std::vector<unsigned char> seen(values.size(), 0);
    std::vector<Index> list{ first };
    seen[static_cast<std::size_t>(first)] = 1;
    for (std::size_t n = 0; n < list.size(); ++n)
    {
      const Index x = list[n] % box.dim(0);
      const Index y = list[n] / box.dim(0) % box.dim(1);
      const Index z = list[n] / (box.dim(0) * box.dim(1));
      if (!accepted(x, y, z))
      {
        continue;
      }
      result[static_cast<std::size_t>(list[n])] = 1;
      for (int d = 0; d < 6; ++d)
      {
        Voxel at{ x, y, z };
        at[static_cast<std::size_t>(d / 2)] += d % 2 ? 1 : -1;
        if (box.contains(at[0], at[1], at[2]))
        {
          const Index next = box.offset(at[0], at[1], at[2]);
          if (!seen[static_cast<std::size_t>(next)])
          {
            seen[static_cast<std::size_t>(next)] = 1;
            list.push_back(next);
          }
        }
      }
    }
  }
  return result;
}

/// Values 5 5 8 5 9 5 along a line.
void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 6 : 1, axis == 1 ? 6 : 1, axis == 2 ? 6 : 1);
    const std::vector<short> line{ 5, 5, 8, 5, 9, 5 };
    const auto at = [axis](Index i)
    {
      Voxel voxel{ 0, 0, 0 };
      voxel[static_cast<std::size_t>(axis)] = i;
      return voxel;
    };
    const auto run = [&](const Parameters& parameters, const Labels& expected)
    {
      CHECK_EVERYWHERE(
        world, shape, line, flood(shape, parameters), expected, "Labels", Effort::Every);
    };
    run({ { at(0) }, 2.9 }, { 1, 1, 0, 0, 0, 0 });
    run({ { at(0) }, 3.0 }, { 1, 1, 1, 1, 0, 0 }); // 8 is 5 + 3: included
    run({ { at(3) }, 3.5 }, { 1, 1, 1, 1, 0, 0 });
    run({ { at(2) }, 1.0 }, { 0, 0, 1, 0, 0, 0 });
    run({ { at(2) }, 3.0 }, { 1, 1, 1, 1, 1, 1 });
    // Each point by its own value; the last one is outside.
    run({ { at(0), at(4), at(9) }, 1.0 }, { 1, 1, 0, 0, 1, 0 });
    run({ { at(9) }, 1.0 }, { 0, 0, 0, 0, 0, 0 });
    // Of voxel 2 only itself of 3 would be in the range, of voxel 0 both of 2.
    run({ { at(2) }, 1.0, 1.0 }, { 0, 0, 0, 0, 0, 0 });
    run({ { at(0) }, 1.0, 1.0 }, { 1, 1, 0, 0, 0, 0 });
  }
  check::setContext("");
}

void testNoise(const World& world)
{
  const Shape shape = oddShape(9, 10, 11);
  check::Random random(5);
  const auto values =
    volumes::make<short>(shape.box, [&](Index, Index, Index) { return random.below(100); });
  for (const double size : { 0.0, 1.3, 2.6 })
  {
    for (const double tolerance : { 30.0, 50.0 })
    {
      const Parameters parameters{ { { 4, 5, 5 }, { 0, 0, 0 }, { 8, 9, 10 } }, tolerance, size };
      check::setContext("size ", size, " tolerance ", tolerance);
      CHECK_EVERYWHERE(world, shape, values, flood(shape, parameters),
        slowFlood(shape, values, parameters), "Labels", Effort::Every);
    }
  }
  check::setContext("");
}

/// Paths that cross every border between blocks.
void testMasks(const World& world)
{
  const Shape shape = oddShape(9, 7, 13);
  for (const volumes::Named& mask : volumes::masks(shape.box, 1))
  {
    check::setContext(mask.name);
    const std::vector<float> values(mask.voxels.begin(), mask.voxels.end());
    const Parameters parameters{ { { 0, 0, 0 }, { 4, 3, 6 } }, 0.5, 0.0 };
    CHECK_EVERYWHERE(world, shape, values, flood(shape, parameters),
      slowFlood(shape, values, parameters), "Labels");
  }
  check::setContext("");
}

void testNotANumber(const World& world)
{
  const Shape shape = shapeOf(4, 1, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{ 1.0, nan, 1.0, std::numeric_limits<double>::infinity() };
  using Labels = std::vector<unsigned char>;
  CHECK_EVERYWHERE(
    world, shape, values, flood(shape, { { { 0, 0, 0 } } }), Labels({ 1, 0, 0, 0 }), "Labels");
  CHECK_EVERYWHERE(world, shape, values, flood(shape, { { { 1, 0, 0 }, { 3, 0, 0 } } }),
    Labels({ 0, 0, 0, 0 }), "Labels");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  const auto refused = [&](const Parameters& parameters, const char* text)
  { CHECK_REFUSED(world, flood(shape, parameters)(), image, text); };
  refused({ {} }, "Points is empty, expected at least one point");
  refused({ { { 0, 0, 0 } }, -1.0 }, "IntensityTolerance is -1, expected 0 to 1e+299");
  refused({ { { 0, 0, 0 } }, 1.0, -1.0 }, "NeighborhoodSizeMm is -1, expected 0 to 1e+06");
  // A neighbourhood of the whole image is one, but not of hundreds of voxels.
  Shape line = shapeOf(1, 1, 300);
  line.spacing[2] = 0.01;
  const auto stretched = makePiece(line, std::vector<short>(300, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, line.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(
    world, flood(line, { { { 0, 0, 0 } }, 1.0, 1.1 })(), stretched, "more than 100 voxels");
  CHECK_EVERYWHERE(world, shape, std::vector<short>(45, 1),
    flood(shape, { { { 0, 0, 0 } }, 1.0, 1e6 }), std::vector<unsigned char>(45, 1), "Labels");
  auto effect = vtkSmartPointer<vtkLabelMapFloodFilling>::New();
  effect->AddPoint(0.0, 0.0, 0.0);
  effect->AddPoint(0.0, std::numeric_limits<double>::infinity(), 0.0);
  CHECK_REFUSED(world, effect, image, "Points: point 2 is not finite");
}

} // namespace

int TestLabelMapFloodFilling(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, flood(oddShape(9, 8, 7), { { { 4, 4, 3 } }, 0.5, 0.0 }), "Labels");
  testHandCheckedLine(world);
  testNoise(world);
  testMasks(world);
  testNotANumber(world);
  testErrors(world);
  return result(world);
}
