// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// FillHoles: what is not connected to the border of the image. Truth: a flood from the border, one
// voxel after the other.

#include "FilterTest.h"
#include "vtkLabelMapFillHoles.h"

#include <cmath>

using namespace filtertest;

namespace
{

struct Options
{
  int connectivity = 6;
  Index maximum = 0;
  int axis = -1; ///< slice by slice across this axis of the lattice
};

Maker fillHoles(const Options& options)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapFillHoles>::New();
    effect->SetConnectivity(options.connectivity);
    effect->SetMaximumSize(options.maximum);
    effect->SetSliceBySlice(options.axis >= 0);
    // oddShape is turned about z by less than 60 degrees: 0.6, 0.8.
    const double normals[3][3] = { { 0.5, 1.0, 0.1 }, { -0.9, 0.5, 0.2 }, { 0.1, 0.2, -2.0 } };
    if (options.axis >= 0)
    {
      effect->SetSliceNormal(normals[options.axis]);
    }
    return effect;
  };
}

/// Fills the holes of the image, or of its slices, by flooding every component.
MaskOracle oracle(const Options& options)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    const Index steps = options.connectivity == 6 ? 1 : options.connectivity == 18 ? 2 : 3;
    std::vector<std::uint8_t> result(mask);
    std::vector<std::uint8_t> seen(mask);
    // An image, or a slice, of one voxel is all border.
    const Index voxels = box.size() / (options.axis >= 0 ? box.dim(options.axis) : 1);
    for (Index seed = 0; seed < box.size(); ++seed)
    {
      if (seen[static_cast<std::size_t>(seed)])
      {
        continue;
      }
      std::vector<Index> members(1, seed);
      seen[static_cast<std::size_t>(seed)] = 1;
      bool open = voxels == 1;
      for (std::size_t m = 0; m < members.size(); ++m)
      {
        const Index at[3] = { members[m] % box.dim(0), members[m] / box.dim(0) % box.dim(1),
          members[m] / box.dim(0) / box.dim(1) };
        for (int a = 0; a < 3; ++a)
        {
          open =
            open || (a != options.axis && box.dim(a) > 1 && (at[a] == 0 || at[a] == box.hi[a]));
        }
        for (Index d = 0; d < 27; ++d)
        {
          const Index o[3] = { d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1 };
          const Index x = at[0] + o[0], y = at[1] + o[1], z = at[2] + o[2];
          if (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] > steps || !box.contains(x, y, z) ||
            (options.axis >= 0 && o[options.axis] != 0))
          {
            continue;
          }
          const Index next = box.offset(x, y, z);
          if (!seen[static_cast<std::size_t>(next)])
          {
            seen[static_cast<std::size_t>(next)] = 1;
            members.push_back(next);
          }
        }
      }
      if (!open && (options.maximum == 0 || static_cast<Index>(members.size()) <= options.maximum))
      {
        for (const Index member : members)
        {
          result[static_cast<std::size_t>(member)] = 1;
        }
      }
    }
    return result;
  };
}

/// A slice with a hole of two voxels that holds a 3, one of one voxel, and a bay.
void testHandCheckedSlice(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(9, 4, 1);
  const Labels labels{ 1, 1, 1, 1, 1, 1, 1, 1, 1, //
    1, 0, 3, 1, 0, 1, 2, 0, 1,                    //
    1, 1, 1, 1, 1, 1, 0, 1, 1,                    //
    1, 1, 1, 1, 1, 1, 0, 1, 1 };
  const Labels filled{ 1, 1, 1, 1, 1, 1, 1, 1, 1, //
    1, 1, 1, 1, 1, 1, 2, 0, 1,                    //
    1, 1, 1, 1, 1, 1, 0, 1, 1,                    //
    1, 1, 1, 1, 1, 1, 0, 1, 1 };
  const Labels small{ 1, 1, 1, 1, 1, 1, 1, 1, 1, //
    1, 0, 3, 1, 1, 1, 2, 0, 1,                   //
    1, 1, 1, 1, 1, 1, 0, 1, 1,                   //
    1, 1, 1, 1, 1, 1, 0, 1, 1 };
  CHECK_EVERYWHERE(world, shape, labels, fillHoles({}), filled, "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, labels, fillHoles({ 6, 1, -1 }), small, "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, labels, fillHoles({ 6, 0, 2 }), filled, "values", Effort::Every);
}

/// A tube along z is open in the volume, and a hole of every slice across z.
void testTube(const World& world)
{
  const Shape shape = oddShape(7, 6, 9);
  const auto tube = volumes::make<short>(shape.box, [](Index x, Index y, Index)
    { return x >= 1 && x <= 5 && y >= 1 && y <= 4 && !(x == 3 && y >= 2 && y <= 3); });
  const auto rod = volumes::make<short>(
    shape.box, [](Index x, Index y, Index) { return x >= 1 && x <= 5 && y >= 1 && y <= 4; });
  CHECK_EVERYWHERE(world, shape, tube, fillHoles({}), tube, "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, tube, fillHoles({ 26, 0, 2 }), rod, "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, tube, fillHoles({ 6, 1, 2 }), tube, "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, tube, fillHoles({ 6, 0, 0 }), tube, "values", Effort::Every);
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(
    world, fillHoles({ 8, 0, -1 })(), image, "Connectivity is 8, expected one of 6 18 26");
  CHECK_REFUSED(world, fillHoles({ 6, -1, -1 })(), image, "MaximumSize is -1");
  auto effect = vtkSmartPointer<vtkLabelMapFillHoles>::New();
  effect->SetSliceNormal(0.0, 0.0, 0.0);
  CHECK_REFUSED(world, effect, image, "SliceNormal");
  effect->SetSliceNormal(0.0, std::nan(""), 1.0);
  CHECK_REFUSED(world, effect, image, "SliceNormal");
}

} // namespace

int TestLabelMapFillHoles(int argc, char* argv[])
{
  World world(argc, argv);
  // A hole of label 2 in label 1, in front of a band.
  commonSuite(world, fillHoles({}), "values", {}, [](Index x, Index y, Index z)
    { return x == 4 && y > 2 && y < 6 && z == 3 ? 2 : (x < 7 ? 1 : 0); });
  testHandCheckedSlice(world);
  testTube(world);
  testErrors(world);
  for (const Options& options : { Options{ 6, 0, -1 }, Options{ 18, 0, -1 }, Options{ 26, 3, -1 },
         Options{ 6, 0, 0 }, Options{ 26, 0, 1 }, Options{ 6, 2, 2 } })
  {
    check::setContext("connectivity ", options.connectivity, " axis ", options.axis);
    segmentSuite(world, fillHoles(options), oracle(options));
  }
  return result(world);
}
