// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A number for each island of the whole image. Truth: a flood fill, and a stable sort.

#include "FilterTest.h"
#include "vtkLabelMapIslandNumbers.h"

#include <algorithm>

using namespace filtertest;

namespace
{

Maker numbers(Index minimumSize = 1, int connectivity = 6)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapIslandNumbers>::New();
    effect->SetMinimumSize(minimumSize);
    effect->SetConnectivity(connectivity);
    return effect;
  };
}

std::vector<int> expectedNumbers(
  const Shape& shape, const std::vector<std::uint8_t>& mask, Index minimumSize, int connectivity)
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  std::vector<std::uint8_t> open(mask);
  std::vector<std::vector<Index>> islands;
  for (Index start = 0; start < box.size(); ++start)
  {
    if (!open[static_cast<std::size_t>(start)])
    {
      continue;
    }
    open[static_cast<std::size_t>(start)] = 0;
    std::vector<Index> island{ start };
    for (std::size_t n = 0; n < island.size(); ++n)
    {
      for (int d = 0; d < 27; ++d)
      {
        const Index o[3] = { d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1 };
        const Index x = island[n] % box.dim(0) + o[0];
        const Index y = island[n] / box.dim(0) % box.dim(1) + o[1];
        const Index z = island[n] / (box.dim(0) * box.dim(1)) + o[2];
        if (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] <= (connectivity == 6       ? 1
                                                           : connectivity == 18 ? 2
                                                                                : 3) &&
          box.contains(x, y, z) && open[static_cast<std::size_t>(box.offset(x, y, z))])
        {
          open[static_cast<std::size_t>(box.offset(x, y, z))] = 0;
          island.push_back(box.offset(x, y, z));
        }
      }
    }
    islands.push_back(island);
  }
  std::stable_sort(islands.begin(), islands.end(),
    [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::vector<int> result(mask.size(), 0);
  int number = 0;
  for (const auto& island : islands)
  {
    ++number;
    for (const Index voxel : island)
    {
      result[static_cast<std::size_t>(voxel)] =
        static_cast<Index>(island.size()) >= minimumSize ? number : 0;
    }
  }
  return result;
}

void testHandCheckedLine(const World& world)
{
  const Shape shape = shapeOf(1, 1, 12);
  const std::vector<unsigned char> line{ 1, 1, 0, 1, 2, 2, 1, 1, 1, 0, 1, 1 };
  CHECK_EVERYWHERE(world, shape, line, numbers(),
    std::vector<int>({ 2, 2, 0, 4, 0, 0, 1, 1, 1, 0, 3, 3 }), "Islands", Effort::Every);
  CHECK_EVERYWHERE(world, shape, line, numbers(2),
    std::vector<int>({ 2, 2, 0, 0, 0, 0, 1, 1, 1, 0, 3, 3 }), "Islands", Effort::Every);
  CHECK_EVERYWHERE(
    world, shape, line, numbers(4), std::vector<int>(12, 0), "Islands", Effort::Every);
  const auto effect = vtkSmartPointer<vtkLabelMapIslandNumbers>::New();
  effect->SetController(nullptr);
  vtkNew<vtkImageData> output;
  CHECK(effect->Apply(makePiece(shape, line, shape.box), output));
  CHECK_EQUAL(effect->GetNumberOfIslands(), 4);
}

void testMasks(const World& world)
{
  const Shape shape = oddShape(13, 11, 9);
  for (const volumes::Named& mask : volumes::masks(shape.box, 4))
  {
    for (const int connectivity : { 6, 18, 26 })
    {
      const Index minimum = connectivity == 18 ? 3 : 0;
      check::setContext(mask.name, " ", connectivity);
      CHECK_EVERYWHERE(world, shape, mask.voxels, numbers(minimum, connectivity),
        expectedNumbers(shape, mask.voxels, minimum, connectivity), "Islands",
        mask.name == "noise 30" ? Effort::Every : Effort::Some);
    }
  }
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(
    world, numbers(-1)(), image, "MinimumSize is -1, expected 0 to 9223372036854775807");
  CHECK_REFUSED(world, numbers(1, 8)(), image, "Connectivity is 8, expected one of 6 18 26");
}

} // namespace

int TestLabelMapIslandNumbers(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite<int>(world, numbers(2), "Islands");
  testHandCheckedLine(world);
  testMasks(world);
  testErrors(world);
  return result(world);
}
