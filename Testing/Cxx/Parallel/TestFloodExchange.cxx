// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A flood over blocks and ranks. Truth: the flood of the undivided image, which every rank fills.

#include "FloodExchange.h"
#include "ParallelTest.h"

using namespace paralleltest;
using segcore::Connectivity;
using segcore::FloodFill;
using segcore::Word;

namespace
{

const Box whole = { { -3, 5, 2 }, { 9, 15, 14 } };

/// A path, one voxel wide, that winds through every row of every other slice.
bool snake(Index i, Index j, Index k)
{
  const Index x = i - whole.lo[0], y = j - whole.lo[1], z = k - whole.lo[2];
  const Index nx = whole.dim(0) - 1, ny = whole.dim(1) - 1;
  if (z % 2)
  {
    const bool atEnd = z / 2 % 2 == 0;
    return y == (atEnd ? ny : 0) && x == (atEnd && ny / 2 % 2 == 0 ? nx : 0);
  }
  return y % 2 == 0 || x == (y / 2 % 2 == 0 ? nx : 0);
}

bool random(Index i, Index j, Index k)
{
  return noise(7, static_cast<std::uint64_t>(whole.offset(i, j, k))) % 100 < 35;
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
  { "noise", random },
};

FloodFill floodOf(const Box& box, const Picture& picture, Connectivity connectivity)
{
  FloodFill flood(box, whole, connectivity,
    [&picture](Index x, Index y, Index z, Index count)
    {
      Word bits = 0;
      for (Index i = 0; i < count; ++i)
      {
        bits |= Word{ picture.value(x + i, y, z) } << i;
      }
      return bits;
    });
  flood.seed({ -3, -3, 5, 2 });
  flood.seed({ 4, 6, 11, 7 });
  return flood;
}

void testPicture(const Communicator& c, const Distribution& d, const Picture& picture,
  Connectivity connectivity, const std::string& where)
{
  const std::string context = where + ", " + picture.name + ", " +
    std::to_string(static_cast<int>(connectivity)) + " neighbours";
  FloodFill undivided = floodOf(whole, picture, connectivity);
  undivided.run();
  std::vector<FloodFill> floods;
  for (const segcore::Block& block : d.localBlocks())
  {
    floods.push_back(floodOf(block.box, picture, connectivity));
  }
  segcore::floodAcross(c, d, floods);
  bool right = true;
  Index count = 0;
  for (const FloodFill& flood : floods)
  {
    count += flood.count();
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(flood.box().size()));
    std::vector<std::uint8_t> got(expected.size());
    undivided.write(flood.box(), expected.data());
    flood.write(flood.box(), got.data());
    right = right && got == expected;
  }
  PARALLEL_CHECK(c, right, context);
  PARALLEL_CHECK(c, c.allReduceSum(count) == undivided.count(), context + ": count");
}

} // namespace

int TestFloodExchange(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  for (const Layout layout : allLayouts)
  {
    for (const Index blocks : { 1, 3, 60 })
    {
      const Distribution d(c, pieceOf(layout, whole, c.rank(), c.size()), blocks);
      const std::string where =
        "layout " + std::to_string(static_cast<int>(layout)) + ", blocks " + std::to_string(blocks);
      for (const Picture& picture : pictures)
      {
        testPicture(c, d, picture, Connectivity::Faces, where);
        testPicture(c, d, picture, Connectivity::Corners, where);
      }
    }
  }
  return world.result();
}
