// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Islands of the whole image from components of blocks. Truth: a flood fill of the undivided image.

#include "ComponentJoin.h"
#include "ParallelTest.h"

#include <algorithm>

using namespace paralleltest;
using segcore::ComponentJoin;
using segcore::ComponentRuns;
using segcore::Connectivity;
using segcore::Island;

namespace
{

const Box whole = { { -3, 5, 2 }, { 9, 15, 14 } };

/// The island of every voxel (size 0 on background), one voxel after the other.
std::vector<Island> floodFill(const std::vector<std::uint8_t>& mask, Connectivity connectivity)
{
  const Index steps = connectivity == Connectivity::Faces ? 1
    : connectivity == Connectivity::Edges                 ? 2
                                                          : 3;
  std::vector<Island> islands(mask.size());
  for (std::size_t seed = 0; seed < mask.size(); ++seed)
  {
    if (!mask[seed] || islands[seed].size > 0)
    {
      continue;
    }
    std::vector<std::size_t> members(1, seed);
    islands[seed].size = 1;
    for (std::size_t m = 0; m < members.size(); ++m)
    {
      const Index n = static_cast<Index>(members[m]);
      const Index i = whole.lo[0] + n % whole.dim(0);
      const Index j = whole.lo[1] + n / whole.dim(0) % whole.dim(1);
      const Index k = whole.lo[2] + n / whole.dim(0) / whole.dim(1);
      for (Index d = 0; d < 27; ++d)
      {
        const Index o[3] = { d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1 };
        if (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] > steps ||
          !whole.contains(i + o[0], j + o[1], k + o[2]))
        {
          continue;
        }
        const auto next = static_cast<std::size_t>(whole.offset(i + o[0], j + o[1], k + o[2]));
        if (mask[next] && islands[next].size == 0)
        {
          islands[next].size = 1;
          members.push_back(next);
        }
      }
    }
    for (const std::size_t member : members) // the seed is the first voxel in raster order
    {
      islands[member] = Island{ static_cast<Index>(seed), static_cast<Index>(members.size()) };
    }
  }
  return islands;
}

/// A path, one voxel wide, that winds through every row of every other slice.
bool snake(Index i, Index j, Index k)
{
  const Index x = i - whole.lo[0], y = j - whole.lo[1], z = k - whole.lo[2];
  const Index nx = whole.dim(0) - 1, ny = whole.dim(1) - 1;
  if (z % 2)
  {
    // From one slice to the next, at the end of the last row or back at the start of the first.
    const bool atEnd = z / 2 % 2 == 0;
    return y == (atEnd ? ny : 0) && x == (atEnd && ny / 2 % 2 == 0 ? nx : 0);
  }
  return y % 2 == 0 || x == (y / 2 % 2 == 0 ? nx : 0);
}

bool random(Index i, Index j, Index k, unsigned percent)
{
  return noise(percent, static_cast<std::uint64_t>(whole.offset(i, j, k))) % 100 < percent;
}

struct Picture
{
  std::string name;
  bool (*value)(Index, Index, Index);
};

const Picture pictures[] = {
  { "empty", [](Index, Index, Index) { return false; } },
  { "full", [](Index, Index, Index) { return true; } },
  { "snake", snake },
  { "around the snake", [](Index i, Index j, Index k) { return !snake(i, j, k); } },
  { "checkerboard", [](Index i, Index j, Index k) { return (i + j + k) % 2 == 0; } },
  { "edges only", [](Index i, Index j, Index k) { return (i + j) % 2 == 0 && (i + k) % 2 == 0; } },
  { "cross", [](Index i, Index j, Index k) { return (i == 3) + (j == 10) + (k == 8) >= 2; } },
  { "noise 10", [](Index i, Index j, Index k) { return random(i, j, k, 10); } },
  { "noise 30", [](Index i, Index j, Index k) { return random(i, j, k, 30); } },
};

void testPicture(const Communicator& c, const Distribution& d, const Picture& picture,
  Connectivity connectivity, const std::string& where)
{
  const std::string context = where + ", " + picture.name + ", " +
    std::to_string(static_cast<int>(connectivity)) + " neighbours";
  const auto mask = valuesOf<std::uint8_t>(whole, picture.value);
  const std::vector<Island> expected = floodFill(mask, connectivity);

  const auto piece = valuesOf<std::uint8_t>(d.piece(), picture.value);
  std::vector<ComponentRuns> blocks;
  for (const segcore::Block& block : d.localBlocks())
  {
    blocks.push_back(segcore::labelComponents(
      piece.data(), d.piece(), block.box, d.whole(), std::uint8_t{ 1 }, connectivity));
  }
  ComponentJoin join(c, d, blocks, connectivity);

  bool right = true;
  for (std::size_t b = 0; b < blocks.size(); ++b)
  {
    const Box& box = d.localBlocks()[b].box;
    Index at = 0;
    const auto values =
      valuesOf<Index>(box, [](Index i, Index j, Index k) { return whole.offset(i, j, k); });
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i, ++at)
        {
          const Index component = blocks[b].componentAt(i, j, k);
          const Island got = component < 0 ? Island() : blocks[b].island(component);
          right = right && got == expected[static_cast<std::size_t>(values[at])];
        }
      }
    }
  }
  PARALLEL_CHECK(c, right, context);

  std::vector<Island> list;
  for (std::size_t n = 0; n < expected.size(); ++n)
  {
    if (expected[n].first == static_cast<Index>(n))
    {
      list.push_back(expected[n]);
    }
  }
  // They are in raster order now, and stay so among equal ones.
  std::stable_sort(
    list.begin(), list.end(), [](const Island& a, const Island& b) { return a.size > b.size; });
  PARALLEL_CHECK(c, join.count() == static_cast<Index>(list.size()), context);
  PARALLEL_CHECK(c, join.largest() == (list.empty() ? Island() : list[0]), context);
  PARALLEL_CHECK(c, join.sorted(c) == list, context + ": sorted");
  const std::vector<Island> everything = list;
  const auto small = [](const Island& island) { return island.size < 3; };
  list.erase(std::remove_if(list.begin(), list.end(), small), list.end());
  list.resize(std::min<std::size_t>(list.size(), 5));
  PARALLEL_CHECK(c, join.sorted(c, 3, 5) == list, context + ": the five largest of at least 3");
  std::vector<Index> border;
  for (std::size_t n = 0; n < expected.size(); ++n)
  {
    const Index at = static_cast<Index>(n);
    const Index x = at % whole.dim(0), y = at / whole.dim(0) % whole.dim(1);
    const Index z = at / whole.dim(0) / whole.dim(1);
    if (expected[n].size &&
      (x % (whole.dim(0) - 1) == 0 || y % (whole.dim(1) - 1) == 0 || z % (whole.dim(2) - 1) == 0))
    {
      border.push_back(expected[n].first);
    }
  }
  std::sort(border.begin(), border.end());
  border.erase(std::unique(border.begin(), border.end()), border.end());
  PARALLEL_CHECK(c, join.atBorder(c) == border, context + ": at the border");
  const auto middle = static_cast<std::size_t>(whole.offset(3, 10, 8));
  PARALLEL_CHECK(c, join.at(c, 3, 10, 8) == expected[middle], context + ": at a voxel");
  PARALLEL_CHECK(c, join.at(c, 99, 0, 0) == Island(), context + ": outside");

  // Last, as the numbers take the place of the sizes.
  const Index minimum = connectivity == Connectivity::Faces ? 2 : 1;
  const auto numbered = static_cast<Index>(std::count_if(everything.begin(), everything.end(),
    [minimum](const Island& island) { return island.size >= minimum; }));
  PARALLEL_CHECK(c, join.numberIslands(c, minimum) == numbered, context + ": how many numbers");
  right = true;
  for (std::size_t b = 0; b < blocks.size(); ++b)
  {
    blocks[b].forEachRun(
      [&](Index x0, Index, Index y, Index z, Index component)
      {
        const Island& island = expected[static_cast<std::size_t>(whole.offset(x0, y, z))];
        const auto place = std::find(everything.begin(), everything.end(), island);
        const Index number = place - everything.begin() + 1;
        right = right && blocks[b].number(component) == (number > numbered ? 0 : number);
      });
  }
  PARALLEL_CHECK(c, right, context + ": numbers");
}

void testBadInput(const Communicator& c)
{
  const Distribution d(c, pieceOf(Layout::SharedPlanes, whole, c.rank(), c.size()), 2);
  std::vector<ComponentRuns> blocks(d.localBlocks().size() + (c.isRoot() ? 1 : 0));
  std::string text;
  try
  {
    ComponentJoin(c, d, blocks, Connectivity::Faces);
  }
  catch (const segcore::AgreedError& error)
  {
    text = error.what();
  }
  PARALLEL_CHECK(c, text.find("there must be one for each") != std::string::npos, text);
}

} // namespace

int TestComponentJoin(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;

  // The pictures are what their names say.
  const std::vector<Island> path =
    floodFill(valuesOf<std::uint8_t>(whole, snake), Connectivity::Faces);
  const std::vector<Island> board =
    floodFill(valuesOf<std::uint8_t>(whole, pictures[4].value), Connectivity::Faces);
  PARALLEL_CHECK(c,
    std::all_of(path.begin(), path.end(), [](const Island& i) { return i.first <= 0; }),
    "the snake is in one piece");
  PARALLEL_CHECK(c,
    std::all_of(board.begin(), board.end(), [](const Island& i) { return i.size <= 1; }),
    "no field of the checkerboard touches another by a face");

  for (const Layout layout : allLayouts)
  {
    for (const Index blocks : { 1, 3, 8, 60 })
    {
      const Distribution d(c, pieceOf(layout, whole, c.rank(), c.size()), blocks);
      const std::string where =
        "layout " + std::to_string(static_cast<int>(layout)) + ", blocks " + std::to_string(blocks);
      for (const Picture& picture : pictures)
      {
        testPicture(c, d, picture, Connectivity::Faces, where);
        testPicture(c, d, picture, Connectivity::Edges, where);
        testPicture(c, d, picture, Connectivity::Corners, where);
      }
    }
  }
  testBadInput(c);
  return world.result();
}
