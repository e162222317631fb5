// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Islands: connected components of the whole image, whoever holds their voxels. Truth: a flood
// fill.

#include "FilterTest.h"
#include "vtkLabelMapIslands.h"

using namespace filtertest;

namespace
{

using Islands = vtkSmartPointer<vtkLabelMapIslands>;

Maker islands(int operation, Index minimumSize = 1000, int connectivity = 6)
{
  return [=]
  {
    auto effect = Islands::New();
    effect->SetOperation(operation);
    effect->SetMinimumSize(minimumSize);
    effect->SetConnectivity(connectivity);
    return effect;
  };
}

/// An operation at voxels, counted from the first voxel of the image.
Maker atVoxels(const Shape& shape, int operation, const std::vector<std::array<Index, 3>>& seeds,
  int connectivity = 6)
{
  return [=]
  {
    auto effect = Islands::New();
    effect->SetOperation(operation);
    effect->SetConnectivity(connectivity);
    for (const auto& seed : seeds)
    {
      double world[3];
      for (int r = 0; r < 3; ++r)
      {
        world[r] = shape.origin[r];
        for (int a = 0; a < 3; ++a)
        {
          world[r] += shape.direction[3 * r + a] * shape.spacing[a] *
            (static_cast<double>(shape.box.lo[a] + seed[static_cast<std::size_t>(a)]) - 0.3);
        }
      }
      effect->AddPoint(world[0], world[1], world[2]);
    }
    return effect;
  };
}

constexpr int keepSelected = vtkLabelMapIslands::KEEP_SELECTED_ISLAND;
constexpr int removeSelected = vtkLabelMapIslands::REMOVE_SELECTED_ISLAND;
constexpr int addSelected = vtkLabelMapIslands::ADD_SELECTED_ISLAND;
constexpr int keepLargest = vtkLabelMapIslands::KEEP_LARGEST_ISLAND;
constexpr int removeSmall = vtkLabelMapIslands::REMOVE_SMALL_ISLANDS;
constexpr int split = vtkLabelMapIslands::SPLIT_ISLANDS_TO_SEGMENTS;

/// Islands of a mask, each a list of voxels, in the order of their first voxels.
std::vector<std::vector<Index>> flood(
  const Shape& shape, const std::vector<std::uint8_t>& mask, int connectivity)
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  const int steps = connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3;
  std::vector<std::uint8_t> open(mask);
  std::vector<std::vector<Index>> found;
  for (Index start = 0; start < box.size(); ++start)
  {
    if (!open[static_cast<std::size_t>(start)])
    {
      continue;
    }
    open[static_cast<std::size_t>(start)] = 0;
    std::vector<Index> island{ start };
    for (std::size_t next = 0; next < island.size(); ++next)
    {
      const Index x = island[next] % box.dim(0);
      const Index y = island[next] / box.dim(0) % box.dim(1);
      const Index z = island[next] / (box.dim(0) * box.dim(1));
      for (int n = 0; n < 27; ++n)
      {
        const int d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
        if (std::abs(d[0]) + std::abs(d[1]) + std::abs(d[2]) > steps ||
          !box.contains(x + d[0], y + d[1], z + d[2]))
        {
          continue;
        }
        const Index at = box.offset(x + d[0], y + d[1], z + d[2]);
        if (open[static_cast<std::size_t>(at)])
        {
          open[static_cast<std::size_t>(at)] = 0;
          island.push_back(at);
        }
      }
    }
    found.push_back(island);
  }
  return found;
}

MaskOracle oracle(int operation, Index minimumSize, int connectivity)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    std::vector<std::uint8_t> result(mask.size(), 0);
    const auto all = flood(shape, mask, connectivity);
    std::size_t largest = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
    {
      largest = all[i].size() > all[largest].size() ? i : largest;
    }
    for (std::size_t i = 0; i < all.size(); ++i)
    {
      if (operation == keepLargest ? i == largest
                                   : static_cast<Index>(all[i].size()) >= minimumSize)
      {
        for (const Index at : all[i])
        {
          result[static_cast<std::size_t>(at)] = 1;
        }
      }
    }
    return result;
  };
}

/// Islands of 3, 2 and 3 voxels along a line, with another label between.
void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 }) // along z the ranks cut it
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 12 : 1, axis == 1 ? 12 : 1, axis == 2 ? 12 : 1);
    const Labels line{ 1, 1, 1, 0, 1, 1, 2, 2, 1, 1, 1, 0 };
    // Of the two with three voxels the first one stays; label 2 is left alone.
    CHECK_EVERYWHERE(world, shape, line, islands(keepLargest),
      Labels({ 1, 1, 1, 0, 0, 0, 2, 2, 0, 0, 0, 0 }), "values", Effort::Every);
    // Exactly MinimumSize stays, one less goes.
    CHECK_EVERYWHERE(world, shape, line, islands(removeSmall, 3),
      Labels({ 1, 1, 1, 0, 0, 0, 2, 2, 1, 1, 1, 0 }), "values", Effort::Every);
    CHECK_EVERYWHERE(world, shape, line, islands(removeSmall, 4),
      Labels({ 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0 }), "values");
    CHECK_EVERYWHERE(world, shape, line, islands(removeSmall, 2), line, "values");
    CHECK_EVERYWHERE(world, shape, line, islands(removeSmall, 0), line, "values");
    // By size, then by first voxel: the labels after the largest one, 2.
    CHECK_EVERYWHERE(world, shape, line, islands(split, 0),
      Labels({ 1, 1, 1, 0, 4, 4, 2, 2, 3, 3, 3, 0 }), "values", Effort::Every);
    CHECK_EVERYWHERE(world, shape, line, islands(split, 3),
      Labels({ 1, 1, 1, 0, 0, 0, 2, 2, 3, 3, 3, 0 }), "values", Effort::Every);
    CHECK_EVERYWHERE(world, shape, line, islands(removeSmall, std::numeric_limits<Index>::max()),
      Labels({ 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0 }), "values");
  }
  check::setContext("");
}

/// Not so in Slicer: KEEP_LARGEST_ISLAND clears a segment that is smaller than the leftover
/// MinimumSize.
void testKeepLargestIgnoresMinimumSize(const World& world)
{
  const Shape shape = shapeOf(4, 1, 1);
  const std::vector<unsigned char> labels{ 1, 0, 1, 1 };
  CHECK_EVERYWHERE(world, shape, labels, islands(keepLargest, 1000000),
    std::vector<unsigned char>({ 0, 0, 1, 1 }), "values");
}

/// Two voxels that share an edge, two that share a corner.
void testConnectivity(const World& world)
{
  const Shape shape = shapeOf(2, 2, 6);
  std::vector<unsigned char> labels(24, 0);
  const auto at = [&](Index x, Index y, Index z) -> unsigned char&
  { return labels[static_cast<std::size_t>(shape.box.offset(x, y, z))]; };
  at(0, 0, 0) = at(0, 1, 1) = 1;
  at(0, 0, 4) = at(1, 1, 5) = 1;
  for (const auto& [connectivity, count] : { std::pair<int, Index>{ 6, 4 }, { 18, 3 }, { 26, 2 } })
  {
    check::setContext("connectivity ", connectivity);
    for (const Layout layout : paralleltest::allLayouts)
    {
      const auto effect = islands(removeSmall, 2, connectivity)();
      effect->SetController(world.communicator->controller());
      vtkNew<vtkImageData> output;
      CHECK(effect->Apply(makePiece(shape, labels,
                            paralleltest::pieceOf(layout, shape.box, world.communicator->rank(),
                              world.communicator->size())),
        output));
      CHECK_EQUAL(vtkLabelMapIslands::SafeDownCast(effect)->GetNumberOfIslands(), count);
    }
    CHECK_EVERYWHERE(world, shape, labels, islands(removeSmall, 2, connectivity),
      merged<unsigned char>(shape, labels, 1, oracle(removeSmall, 2, connectivity)), "values",
      Effort::Every);
  }
  check::setContext("");
}

/// A snake of one voxel's width through all slices is one island of the whole image, however it is
/// cut.
void testSnakeThroughAllRanks(const World& world)
{
  const Shape shape = oddShape(7, 7, 13);
  for (const volumes::Named& mask : volumes::masks(shape.box, 1))
  {
    if (mask.name != "snake")
    {
      continue;
    }
    auto labels = mask.voxels;
    const auto voxels = std::count(labels.begin(), labels.end(), 1);
    CHECK_EVERYWHERE(
      world, shape, labels, islands(removeSmall, voxels), labels, "values", Effort::Every);
    CHECK_EVERYWHERE(world, shape, labels, islands(removeSmall, voxels + 1),
      std::vector<unsigned char>(labels.size(), 0), "values", Effort::Every);
  }
}

/// Islands of 2, 1 and 3 voxels along a line, with another label and background between.
void testSelectedOnALine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("selected along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 12 : 1, axis == 1 ? 12 : 1, axis == 2 ? 12 : 1);
    const Labels line{ 1, 1, 0, 0, 1, 2, 2, 1, 1, 1, 0, 0 };
    const auto run = [&](int operation, const std::vector<Index>& places, const Labels& expected)
    {
      std::vector<std::array<Index, 3>> seeds;
      for (const Index place : places)
      {
        seeds.push_back({ 0, 0, 0 });
        seeds.back()[static_cast<std::size_t>(axis)] = place;
      }
      CHECK_EVERYWHERE(
        world, shape, line, atVoxels(shape, operation, seeds), expected, "values", Effort::Every);
    };
    run(keepSelected, { 8 }, { 0, 0, 0, 0, 0, 2, 2, 1, 1, 1, 0, 0 });
    run(keepSelected, { 0, 4, 5, 40 }, { 1, 1, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0 });
    run(keepSelected, { 2, 6 }, line); // beside the segment
    run(removeSelected, { 9 }, { 1, 1, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0 });
    run(removeSelected, { 1, 4, 3 }, { 0, 0, 0, 0, 0, 2, 2, 1, 1, 1, 0, 0 });
    run(removeSelected, { 5, -7 }, line);
    run(addSelected, { 3 }, { 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 0, 0 });
    run(addSelected, { 5, 11 }, { 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 });
    run(addSelected, { 0 }, line);
  }
  check::setContext("");
}

/// Floods that pass every border of blocks, in all directions.
void testSelectedMasks(const World& world)
{
  const Shape shape = oddShape(9, 8, 10);
  for (const volumes::Named& mask : volumes::masks(shape.box, 2))
  {
    for (const int connectivity : { 6, 18, 26 })
    {
      check::setContext("selected, ", mask.name, " ", connectivity);
      const auto islandsOf = flood(shape, mask.voxels, connectivity);
      const std::array<Index, 3> seed{ 3, 4, 5 };
      const Index place = Box::ofSize(9, 8, 10).offset(3, 4, 5);
      std::vector<unsigned char> kept(mask.voxels), removed(mask.voxels), added(mask.voxels);
      const bool hit = mask.voxels[static_cast<std::size_t>(place)] != 0;
      if (hit)
      {
        std::fill(kept.begin(), kept.end(), static_cast<unsigned char>(0));
      }
      std::vector<std::uint8_t> rest(mask.voxels);
      std::transform(rest.begin(), rest.end(), rest.begin(),
        [](std::uint8_t in) { return static_cast<std::uint8_t>(in ^ 1); });
      for (const auto& island : hit ? islandsOf : flood(shape, rest, connectivity))
      {
        if (std::find(island.begin(), island.end(), place) != island.end())
        {
          for (const Index at : island)
          {
            (hit ? kept : added)[static_cast<std::size_t>(at)] = 1;
            removed[static_cast<std::size_t>(at)] = 0;
          }
        }
      }
      CHECK_EVERYWHERE(world, shape, mask.voxels,
        atVoxels(shape, keepSelected, { seed }, connectivity), kept, "values");
      CHECK_EVERYWHERE(world, shape, mask.voxels,
        atVoxels(shape, removeSelected, { seed }, connectivity), removed, "values");
      CHECK_EVERYWHERE(world, shape, mask.voxels,
        atVoxels(shape, addSelected, { seed }, connectivity), added, "values");
    }
  }
  check::setContext("");
}

void testErrors(const World& world)
{
  // 128 islands and another label need 129 labels; signed char has 127.
  std::vector<signed char> dots(255, 0);
  for (std::size_t i = 0; i < dots.size(); i += 2)
  {
    dots[i] = 1;
  }
  const Shape line = shapeOf(1, 1, 255);
  const auto dotted = makePiece(line, dots,
    paralleltest::pieceOf(
      Layout::SharedPlanes, line.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, islands(split, 0)(), dotted, "has no labels for 128 islands");
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, islands(6)(), image, "Operation is 6, expected 0 to 5");
  CHECK_REFUSED(world, islands(keepSelected)(), image, "Points is empty");
  CHECK_REFUSED(world, islands(-1)(), image, "Operation is -1");
  CHECK_REFUSED(
    world, islands(0, -1)(), image, "MinimumSize is -1, expected 0 to 9223372036854775807");
  CHECK_REFUSED(world, islands(0, 1, 8)(), image, "Connectivity is 8, expected one of 6 18 26");
}

} // namespace

int TestLabelMapIslands(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, islands(keepLargest), "values");
  testHandCheckedLine(world);
  testKeepLargestIgnoresMinimumSize(world);
  testConnectivity(world);
  testSnakeThroughAllRanks(world);
  testSelectedOnALine(world);
  testSelectedMasks(world);
  testErrors(world);
  check::setContext("keep largest");
  segmentSuite(world, islands(keepLargest, 0, 18), oracle(keepLargest, 0, 18));
  check::setContext("remove small");
  segmentSuite(world, islands(removeSmall, 4), oracle(removeSmall, 4, 6));
  return result(world);
}
