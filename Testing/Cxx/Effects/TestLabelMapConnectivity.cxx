// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Islands that reach faces of the whole image. Truth: a flood fill from each voxel.

#include "FilterTest.h"
#include "vtkLabelMapConnectivity.h"

#include <limits>

using namespace filtertest;

namespace
{

using Connectivity = vtkLabelMapConnectivity;

Maker connectivity(int faces, double x, double y, double z, int neighbours = 6)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapConnectivity>::New();
    effect->SetFaces(faces);
    effect->SetFlowDirection(x, y, z);
    effect->SetConnectivity(neighbours);
    return effect;
  };
}

/// `inlet` and `outlet` are 2 axis + side.
MaskOracle oracle(int faces, int inlet, int outlet, int neighbours)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    std::vector<std::uint8_t> open(mask), result(mask.size(), 0);
    for (Index start = 0; start < box.size(); ++start)
    {
      if (!open[static_cast<std::size_t>(start)])
      {
        continue;
      }
      open[static_cast<std::size_t>(start)] = 0;
      std::vector<Index> island{ start };
      bool reached[6] = {};
      for (std::size_t n = 0; n < island.size(); ++n)
      {
        const Index at[3] = { island[n] % box.dim(0), island[n] / box.dim(0) % box.dim(1),
          island[n] / (box.dim(0) * box.dim(1)) };
        for (int a = 0; a < 3; ++a)
        {
          reached[2 * a] = reached[2 * a] || at[a] == 0;
          reached[2 * a + 1] = reached[2 * a + 1] || at[a] == box.hi[a];
        }
        for (int d = 0; d < 27; ++d)
        {
          const Index o[3] = { d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1 };
          const Index steps = o[0] * o[0] + o[1] * o[1] + o[2] * o[2];
          if (steps <= (neighbours == 6       ? 1
                           : neighbours == 18 ? 2
                                              : 3) &&
            box.contains(at[0] + o[0], at[1] + o[1], at[2] + o[2]))
          {
            const Index next = box.offset(at[0] + o[0], at[1] + o[1], at[2] + o[2]);
            if (open[static_cast<std::size_t>(next)])
            {
              open[static_cast<std::size_t>(next)] = 0;
              island.push_back(next);
            }
          }
        }
      }
      const auto count = std::count(reached, reached + 6, true);
      const bool kept = faces == Connectivity::INLET_AND_OUTLET ? reached[inlet] && reached[outlet]
        : faces == Connectivity::INLET                          ? reached[inlet]
        : faces == Connectivity::OUTLET                         ? reached[outlet]
        : faces == Connectivity::INLET_OR_OUTLET                ? reached[inlet] || reached[outlet]
        : faces == Connectivity::ALL_FACES                      ? count == 6
                                                                : count > 0;
      for (const Index voxel : island)
      {
        result[static_cast<std::size_t>(voxel)] = kept ? 1 : 0;
      }
    }
    return result;
  };
}

/// A path from left to right, one that ends in the middle, one at an edge of the image.
void testHandCheckedSlice(const World& world)
{
  const Shape shape = shapeOf(5, 6, 1);
  const std::vector<unsigned char> slice{
    1,
    1,
    0,
    0,
    1, //
    0,
    1,
    1,
    1,
    0, //
    0,
    0,
    2,
    1,
    1, //
    1,
    1,
    0,
    0,
    0, //
    0,
    0,
    0,
    1,
    0, //
    0,
    0,
    0,
    1,
    1, //
  };
  const auto kept = [&](int faces, double x, double y, std::vector<unsigned char> rows)
  {
    CHECK_EVERYWHERE(
      world, shape, slice, connectivity(faces, x, y, 0.0), rows, "values", Effort::Every);
  };
  kept(Connectivity::INLET_AND_OUTLET, 1, 0,
    { 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
  kept(Connectivity::INLET, 1, 0,
    { 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
  // The other way round what was the outlet is the inlet.
  kept(Connectivity::INLET, -0.9, 0.1,
    { 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1 });
  kept(Connectivity::OUTLET, 0, 1,
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1 });
  kept(Connectivity::INLET_OR_OUTLET, 0, 1,
    { 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1 });
  // One slice is both faces along z.
  CHECK_EVERYWHERE(
    world, shape, slice, connectivity(Connectivity::INLET_AND_OUTLET, 0, 0, 2), slice, "values");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, connectivity(6, 0, 0, 1)(), image, "Faces is 6, expected 0 to 5");
  CHECK_REFUSED(world, connectivity(-1, 0, 0, 1)(), image, "Faces is -1");
  CHECK_REFUSED(
    world, connectivity(0, 0, 0, 1, 8)(), image, "Connectivity is 8, expected one of 6 18 26");
  CHECK_REFUSED(world, connectivity(0, 0, 0, 0)(), image, "FlowDirection must be three finite");
  CHECK_REFUSED(world, connectivity(0, 0, std::numeric_limits<double>::infinity(), 0)(), image,
    "FlowDirection must be three finite");
}

} // namespace

int TestLabelMapConnectivity(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, connectivity(Connectivity::INLET_AND_OUTLET, 1, 0, 0), "values");
  testHandCheckedSlice(world);
  testErrors(world);
  // The z axis of these images points to -z; the longest of the rest is along their first axis.
  check::setContext("outlet along z");
  segmentSuite(
    world, connectivity(Connectivity::OUTLET, 0, 0, 1), oracle(Connectivity::OUTLET, 5, 4, 6));
  check::setContext("percolating along the first axis, 18");
  segmentSuite(world, connectivity(Connectivity::INLET_AND_OUTLET, 0.6, 0.8, 0.1, 18),
    oracle(Connectivity::INLET_AND_OUTLET, 0, 1, 18));
  check::setContext("any face, 26");
  segmentSuite(world, connectivity(Connectivity::ANY_FACE, 0, 0, 1, 26),
    oracle(Connectivity::ANY_FACE, 0, 0, 26));
  check::setContext("all faces");
  segmentSuite(world, connectivity(Connectivity::ALL_FACES, 0, 0, 1),
    oracle(Connectivity::ALL_FACES, 0, 0, 6));
  return result(world);
}
