// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// WrapSolidify: where a ball cannot roll. Truth: balls and floods voxel by voxel, in an image that
// is continued by background.

#include "FilterTest.h"
#include "vtkLabelMapWrapSolidify.h"

#include <cmath>

using namespace filtertest;

namespace
{

using Effect = vtkLabelMapWrapSolidify;

Maker wrap(int region, double diameter, int shell = Effect::NONE, double thickness = 1.5)
{
  return [=]
  {
    auto effect = vtkSmartPointer<Effect>::New();
    effect->SetRegion(region);
    effect->SetCarveHolesInOuterSurfaceDiameter(region == Effect::OUTER_SURFACE ? diameter : 1.0);
    effect->SetSplitCavitiesDiameter(region == Effect::LARGEST_CAVITY ? diameter : 1.0);
    effect->SetShellOffsetDirection(shell);
    effect->SetShellThickness(thickness);
    return effect;
  };
}

using Mask = std::vector<std::uint8_t>;

/// Voxels at most `reach` from one of the mask; `skin` of a voxel in each direction does not count.
Mask near(const Mask& mask, const Box& box, const double spacing[3], double reach, double skin)
{
  Mask result(mask.size(), 0);
  const Index nx = box.dim(0), ny = box.dim(1);
  for (Index j = 0; j < box.size(); ++j)
  {
    if (!mask[static_cast<std::size_t>(j)])
    {
      continue;
    }
    for (Index i = 0; i < box.size(); ++i)
    {
      const Index d[3] = { std::abs(i % nx - j % nx), std::abs(i / nx % ny - j / nx % ny),
        std::abs(i / nx / ny - j / nx / ny) };
      double square = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        const double gap = d[a] ? (static_cast<double>(d[a]) - skin) * spacing[a] : 0.0;
        square += gap * gap;
      }
      if (square <= reach * reach * (1 + 1e-12) || (skin > 0.0 && d[0] + d[1] + d[2] == 1))
      {
        result[static_cast<std::size_t>(i)] = 1;
      }
    }
  }
  return result;
}

MaskOracle oracle(int region, double diameter, int shell, double thickness)
{
  return [=](const Shape& shape, const Mask& given)
  {
    // Continued by as many voxels as the ball can reach.
    Index margin[3];
    for (int a = 0; a < 3; ++a)
    {
      margin[a] = static_cast<Index>(diameter / 2 / shape.spacing[a]) + 1;
    }
    const Box image = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    const Box inner = image; // in the coordinates of the continued image
    const Box outer = image.grown(margin);
    const Box box = Box::ofSize(outer.dim(0), outer.dim(1), outer.dim(2));
    Mask mask(static_cast<std::size_t>(outer.size()), 0);
    volumes::paste(given, inner, mask, outer);
    Mask blocked = near(mask, box, shape.spacing, diameter / 2, 0.0);
    std::vector<std::vector<Index>> spaces; // in raster order of their first voxels
    for (Index seed = 0; seed < box.size(); ++seed)
    {
      if (blocked[static_cast<std::size_t>(seed)])
      {
        continue;
      }
      std::vector<Index> members(1, seed);
      blocked[static_cast<std::size_t>(seed)] = 1;
      for (std::size_t m = 0; m < members.size(); ++m)
      {
        const Index at[3] = { members[m] % box.dim(0), members[m] / box.dim(0) % box.dim(1),
          members[m] / box.dim(0) / box.dim(1) };
        for (int side = 0; side < 6; ++side)
        {
          Index next[3] = { at[0], at[1], at[2] };
          next[side / 2] += side % 2 ? 1 : -1;
          if (box.contains(next[0], next[1], next[2]))
          {
            const Index n = box.offset(next[0], next[1], next[2]);
            if (!blocked[static_cast<std::size_t>(n)])
            {
              blocked[static_cast<std::size_t>(n)] = 1;
              members.push_back(n);
            }
          }
        }
      }
      spaces.push_back(members);
    }
    // The first voxel of the continued image is outside.
    std::size_t largest = 0;
    for (std::size_t s = 1; s < spaces.size(); ++s)
    {
      largest = std::max(largest, spaces[s].size());
    }
    Mask centres(mask.size(), 0);
    for (std::size_t s = 0; s < spaces.size(); ++s)
    {
      const bool wanted =
        region == Effect::OUTER_SURFACE ? s == 0 : s > 0 && spaces[s].size() == largest;
      for (const Index member : spaces[s])
      {
        centres[static_cast<std::size_t>(member)] = wanted;
      }
    }
    Mask solid = near(centres, box, shape.spacing, diameter / 2, 0.0);
    for (std::uint8_t& voxel : solid)
    {
      voxel = region == Effect::OUTER_SURFACE ? !voxel : voxel;
    }
    if (shell != Effect::NONE)
    {
      Mask other(solid);
      for (std::uint8_t& voxel : other)
      {
        voxel = !voxel;
      }
      const Mask wall =
        near(shell == Effect::INSIDE ? other : solid, box, shape.spacing, thickness, 0.5);
      const Mask& side = shell == Effect::INSIDE ? solid : other;
      for (std::size_t i = 0; i < solid.size(); ++i)
      {
        other[i] = wall[i] && side[i];
      }
      solid = other;
    }
    return volumes::crop(solid, outer, inner);
  };
}

/// A box with a cavity behind an opening two voxels wide.
void testOpening(const World& world)
{
  const Shape shape = shapeOf(12, 11, 10);
  const auto inBox = [](Index x, Index y, Index z)
  { return x >= 1 && x <= 10 && y >= 1 && y <= 9 && z >= 1 && z <= 8; };
  const auto inCavity = [](Index x, Index y, Index z)
  { return x >= 3 && x <= 8 && y >= 3 && y <= 7 && z >= 3 && z <= 6; };
  const auto inOpening = [](Index x, Index y, Index z)
  { return x >= 5 && x <= 6 && y >= 4 && y <= 5 && z < 3; };
  const auto vessel = volumes::make<unsigned char>(shape.box, [&](Index x, Index y, Index z)
    { return inBox(x, y, z) && !inCavity(x, y, z) && !inOpening(x, y, z); });
  const auto full = volumes::make<unsigned char>(shape.box, inBox);
  const auto inside = volumes::make<unsigned char>(
    shape.box, [&](Index x, Index y, Index z) { return inCavity(x, y, z); });
  // A ball of 1 mm fits through the opening, one of 3 mm does not. It does not touch at a distance
  // of more than its radius between centres, so what it covers ends beside the wall.
  CHECK_EVERYWHERE(
    world, shape, vessel, wrap(Effect::OUTER_SURFACE, 0.0), vessel, "values", Effort::Every);
  CHECK_EVERYWHERE(
    world, shape, vessel, wrap(Effect::OUTER_SURFACE, 1.0), vessel, "values", Effort::Every);
  const auto closed = [&](const Maker& make)
  {
    vtkNew<vtkImageData> output;
    const auto effect = make();
    CHECK(effect->Apply(makePiece(shape, vessel, shape.box), output));
    return voxels<unsigned char>(output, "values")[shape.box.offset(5, 4, 4)];
  };
  CHECK_EQUAL(static_cast<int>(closed(wrap(Effect::OUTER_SURFACE, 3.0))), 1);
  CHECK_EQUAL(static_cast<int>(closed(wrap(Effect::OUTER_SURFACE, 1.0))), 0);
  // With the opening closed there is one cavity; without a ball there is none.
  CHECK_EVERYWHERE(world, shape, vessel, wrap(Effect::LARGEST_CAVITY, 0.0),
    std::vector<unsigned char>(vessel.size(), 0), "values", Effort::Every);
  CHECK_EQUAL(static_cast<int>(closed(wrap(Effect::LARGEST_CAVITY, 3.0))), 1);
  // A closed vessel.
  const auto hollowed = volumes::make<unsigned char>(
    shape.box, [&](Index x, Index y, Index z) { return inBox(x, y, z) && !inCavity(x, y, z); });
  CHECK_EVERYWHERE(
    world, shape, hollowed, wrap(Effect::OUTER_SURFACE, 0.0), full, "values", Effort::Every);
  CHECK_EVERYWHERE(
    world, shape, hollowed, wrap(Effect::LARGEST_CAVITY, 0.0), inside, "values", Effort::Every);
}

/// A segment at the border of the image: the ball comes along outside.
void testBorder(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(1, 1, 9);
  const Labels labels{ 0, 1, 1, 0, 1, 0, 0, 0, 2 };
  for (const double diameter : { 0.0, 2.0, 8.0, 40.0 })
  {
    check::setContext("diameter ", diameter);
    CHECK_EVERYWHERE(
      world, shape, labels, wrap(Effect::OUTER_SURFACE, diameter), labels, "values", Effort::Every);
  }
  check::setContext("");
  const Labels full(9, 1);
  CHECK_EVERYWHERE(world, shape, full, wrap(Effect::OUTER_SURFACE, 5.0), full, "values");
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 9), full,
    wrap(Effect::OUTER_SURFACE, 5.0, Effect::OUTSIDE, 2.0), Labels(9, 0), "values");
}

void testErrors(const World& world)
{
  Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, wrap(2, 1.0)(), image, "Region is 2, expected 0 to 1");
  CHECK_REFUSED(world, wrap(0, -1.0)(), image, "CarveHolesInOuterSurfaceDiameter is -1");
  CHECK_REFUSED(world, wrap(1, std::nan(""))(), image, "SplitCavitiesDiameter is nan");
  CHECK_REFUSED(world, wrap(0, 1.0, 3)(), image, "ShellOffsetDirection is 3, expected 0 to 2");
  CHECK_REFUSED(world, wrap(0, 1.0, 1, -2.0)(), image, "ShellThickness is -2");
  CHECK_REFUSED(world, wrap(0, 256.0)(), image,
    "CarveHolesInOuterSurfaceDiameter is 256 mm, which spans 257 voxels of 1 mm");
}

} // namespace

int TestLabelMapWrapSolidify(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, wrap(Effect::OUTER_SURFACE, 3.0), "values");
  testOpening(world);
  testBorder(world);
  testErrors(world);
  for (const int region : { Effect::OUTER_SURFACE, Effect::LARGEST_CAVITY })
  {
    for (const int shell : { Effect::NONE, Effect::INSIDE, Effect::OUTSIDE })
    {
      check::setContext("region ", region, " shell ", shell);
      segmentSuite(world, wrap(region, 2.1, shell, 1.3), oracle(region, 2.1, shell, 1.3));
    }
  }
  return result(world);
}
