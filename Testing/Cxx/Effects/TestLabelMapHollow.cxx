// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Hollow: walls along the faces between segment and background. Truth: a loop over all pairs of
// voxels.

#include "FilterTest.h"
#include "vtkLabelMapHollow.h"

#include <cmath>

using namespace filtertest;

namespace
{

Maker hollow(int mode, double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapHollow>::New();
    effect->SetShellMode(mode);
    effect->SetShellThicknessMm(millimetres);
    return effect;
  };
}

/// From the centre of a voxel to the box of one of the other kind.
MaskOracle oracle(int mode, double thickness)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    const bool medial = mode == vtkLabelMapHollow::MEDIAL_SURFACE;
    const double reach = medial ? thickness / 2 : thickness;
    std::vector<std::uint8_t> result;
    for (Index i = 0; i < box.size(); ++i)
    {
      const bool object = mask[static_cast<std::size_t>(i)] != 0;
      bool near = false;
      for (Index j = 0; j < box.size() && !near; ++j)
      {
        if ((mask[static_cast<std::size_t>(j)] != 0) == object)
        {
          continue;
        }
        const Index nx = box.dim(0), ny = box.dim(1);
        const Index d[3] = { std::abs(i % nx - j % nx), std::abs(i / nx % ny - j / nx % ny),
          std::abs(i / nx / ny - j / nx / ny) };
        double square = 0.0;
        for (int a = 0; a < 3; ++a)
        {
          const double gap = d[a] ? (static_cast<double>(d[a]) - 0.5) * shape.spacing[a] : 0.0;
          square += gap * gap;
        }
        const bool open = medial && !object;
        near =
          (open ? square < reach * reach * (1 - 1e-12) : square <= reach * reach * (1 + 1e-12)) ||
          (!open && d[0] + d[1] + d[2] == 1);
      }
      const bool side = medial || object == (mode == vtkLabelMapHollow::OUTSIDE_SURFACE);
      result.push_back(near && side ? 1 : 0);
    }
    return result;
  };
}

/// The examples of Slicer's definition: a slab on voxels 5 .. 15.
void testHandCheckedSlab(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(1, 1, 21);
  const auto slab = volumes::make<unsigned char>(
    shape.box, [](Index, Index, Index z) { return z >= 5 && z <= 15 ? 1 : (z == 17 ? 4 : 0); });
  const auto on = [&](std::initializer_list<Index> voxels)
  {
    Labels labels(21, 0);
    labels[17] = 4;
    for (const Index voxel : voxels)
    {
      labels[static_cast<std::size_t>(voxel)] = 1;
    }
    return labels;
  };
  using Effect = vtkLabelMapHollow;
  CHECK_EVERYWHERE(world, shape, slab, hollow(Effect::INSIDE_SURFACE, 2), on({ 3, 4, 16, 17 }),
    "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, slab, hollow(Effect::MEDIAL_SURFACE, 2), on({ 4, 5, 15, 16 }),
    "values", Effort::Every);
  CHECK_EVERYWHERE(
    world, shape, slab, hollow(Effect::MEDIAL_SURFACE, 3), on({ 4, 5, 6, 14, 15, 16 }), "values");
  CHECK_EVERYWHERE(world, shape, slab, hollow(Effect::MEDIAL_SURFACE, 1), on({ 5, 15 }), "values");
  CHECK_EVERYWHERE(world, shape, slab, hollow(Effect::OUTSIDE_SURFACE, 2), on({ 5, 6, 14, 15 }),
    "values", Effort::Every);
  // Thinner than a voxel: one voxel. Thicker than the slab: the slab.
  CHECK_EVERYWHERE(
    world, shape, slab, hollow(Effect::OUTSIDE_SURFACE, 0.0), on({ 5, 15 }), "values");
  CHECK_EVERYWHERE(world, shape, slab, hollow(Effect::OUTSIDE_SURFACE, 200.0), slab, "values");
  // No wall at the border of the image.
  const Labels border{ 1, 1, 1, 1, 0, 0, 0, 0 };
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 8), border, hollow(Effect::OUTSIDE_SURFACE, 2),
    Labels({ 0, 0, 1, 1, 0, 0, 0, 0 }), "values");
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 8), Labels(8, 1), hollow(Effect::OUTSIDE_SURFACE, 2),
    Labels(8, 0), "values");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, hollow(0, -1.0)(), image, "ShellThicknessMm is -1, expected 0 to 1e+06");
  CHECK_REFUSED(world, hollow(0, std::nan(""))(), image, "ShellThicknessMm is nan");
  CHECK_REFUSED(world, hollow(0, 300.0)(), image, "ShellThicknessMm is 300 mm, which spans");
  CHECK_REFUSED(world, hollow(3, 1.0)(), image, "ShellMode is 3, expected 0 to 2");
}

} // namespace

int TestLabelMapHollow(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, hollow(vtkLabelMapHollow::INSIDE_SURFACE, 1.5), "values");
  testHandCheckedSlab(world);
  testErrors(world);
  for (const int mode : { 0, 1, 2 })
  {
    check::setContext("mode ", mode);
    segmentSuite(world, hollow(mode, 2.4), oracle(mode, 2.4));
  }
  return result(world);
}
