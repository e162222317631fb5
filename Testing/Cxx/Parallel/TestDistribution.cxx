// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Every voxel has exactly one owner, and it is the lowest rank that holds it. Truth: a painted
// array.

#include "ParallelTest.h"

#include <chrono>

using namespace paralleltest;

namespace
{

const Box whole = { { -3, 5, 2 }, { 9, 15, 14 } };

/// Checks a distribution against "the lowest rank whose piece has the voxel".
void checkOwners(const Communicator& c, const Distribution& d, const std::string& context)
{
  const Box& all = d.whole();
  std::vector<int> owner(static_cast<std::size_t>(all.size()), -1);
  Index painted = 0;
  for (const segcore::Block& block : d.blocks())
  {
    PARALLEL_CHECK(c, !block.box.empty() && all.contains(block.box), context);
    PARALLEL_CHECK(c, &d.blocks()[block.id] == &block, context + ": id is the position");
    for (Index k = block.box.lo[2]; k <= block.box.hi[2]; ++k)
    {
      for (Index j = block.box.lo[1]; j <= block.box.hi[1]; ++j)
      {
        for (Index i = block.box.lo[0]; i <= block.box.hi[0]; ++i, ++painted)
        {
          owner[all.offset(i, j, k)] = block.rank;
        }
      }
    }
  }
  PARALLEL_CHECK(c, painted == all.size(), context + ": no voxel twice");
  bool right = true;
  for (Index k = all.lo[2]; k <= all.hi[2]; ++k)
  {
    for (Index j = all.lo[1]; j <= all.hi[1]; ++j)
    {
      for (Index i = all.lo[0]; i <= all.hi[0]; ++i)
      {
        int lowest = 0;
        while (lowest < c.size() && !d.piece(lowest).contains(i, j, k))
        {
          ++lowest;
        }
        right = right && owner[all.offset(i, j, k)] == lowest;
      }
    }
  }
  PARALLEL_CHECK(c, right, context + ": the lowest rank owns");
  for (const segcore::Block& block : d.localBlocks())
  {
    PARALLEL_CHECK(c, block.rank == c.rank() && d.piece().contains(block.box), context);
  }
}

void testLayouts(const Communicator& c)
{
  for (const Layout layout : allLayouts)
  {
    for (const Index blocks : { 1, 2, 5, 8, 64 })
    {
      const std::string context =
        "layout " + std::to_string(static_cast<int>(layout)) + ", blocks " + std::to_string(blocks);
      const Box piece = pieceOf(layout, whole, c.rank(), c.size());
      const Distribution d(c, piece, blocks);
      PARALLEL_CHECK(c, d.whole() == whole && d.piece() == piece, context);
      checkOwners(c, d, context);
    }
  }
  const Distribution nothing(c, Box(), 4);
  PARALLEL_CHECK(c, nothing.whole().empty() && nothing.blocks().empty(), "all pieces are empty");
}

void testGap(const Communicator& c)
{
  // A hole of one plane between rank 0 and the others; a single rank cannot have one.
  Box piece = slab(whole, 2, c.rank(), c.size());
  if (c.isRoot())
  {
    --piece.hi[2];
  }
  std::string text;
  try
  {
    const Distribution d(c, piece);
  }
  catch (const segcore::AgreedError& error)
  {
    text = error.what();
  }
  PARALLEL_CHECK(c, text.empty() == (c.size() == 1), text);
  PARALLEL_CHECK(c, c.allReduceSum(Index{ 1 }) == c.size(), "all ranks are still in step");

  const std::vector<Box> pieces = { { { 0, 0, 0 }, { 9, 9, 3 } }, { { 0, 0, 6 }, { 9, 9, 9 } } };
  try
  {
    const Distribution d(0, pieces, { 1, 1 });
    PARALLEL_CHECK(c, false, "a gap must be refused");
  }
  catch (const std::runtime_error& error)
  {
    text = error.what();
  }
  PARALLEL_CHECK(c, text.find("200 voxels are missing") != std::string::npos, text);
  PARALLEL_CHECK(c, text.find("[0..9] x [0..9] x [4..5]") != std::string::npos, text);
}

void testSplitBox(const Communicator& c)
{
  const Box boxes[] = { Box::ofSize(1, 1, 1), Box::ofSize(7, 1, 1), Box::ofSize(1, 1, 40),
    Box::ofSize(3, 4, 5), Box::ofSize(100, 90, 2) };
  for (const Box& box : boxes)
  {
    for (const Index count : { 1, 2, 3, 5, 8, 1000 })
    {
      const std::vector<Box> parts = segcore::splitBox(box, count);
      Index sum = 0;
      for (const Box& part : parts)
      {
        sum += part.size();
        PARALLEL_CHECK(c, !part.empty() && box.contains(part), "splitBox");
      }
      PARALLEL_CHECK(c, sum == box.size(), "splitBox keeps all voxels");
      PARALLEL_CHECK(c,
        static_cast<Index>(parts.size()) == std::min(count, box.size()) ||
          (count > 100 && static_cast<Index>(parts.size()) <= count),
        "splitBox makes as many as asked");
    }
  }
  PARALLEL_CHECK(c, segcore::splitBox(Box(), 3).empty(), "splitBox of nothing");
}

void testThousandRanks(const Communicator& c)
{
  // 10 x 10 x 10 pieces that share planes, numbered like ParaView's; and the same with ghost
  // layers.
  for (const Index ghost : { 0, 3 })
  {
    const Box all = Box::ofSize(2001, 2001, 2001);
    std::vector<Box> pieces;
    for (Index r = 0; r < 1000; ++r)
    {
      const Index at[3] = { r % 10, r / 10 % 10, r / 100 };
      Box piece;
      for (int a = 0; a < 3; ++a)
      {
        piece.lo[a] = 200 * at[a];
        piece.hi[a] = 200 * (at[a] + 1);
      }
      pieces.push_back(piece.grown(ghost).clipped(all));
    }
    const auto start = std::chrono::steady_clock::now();
    const Distribution d(999, pieces, std::vector<Index>(1000, 8));
    const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    PARALLEL_CHECK(c, d.whole() == all && seconds < 2, std::to_string(seconds) + " s");
    if (c.isRoot())
    {
      std::cout << "1000 ranks, " << d.blocks().size() << " blocks: " << seconds * 1e3 << " ms\n";
    }
  }
}

} // namespace

int TestDistribution(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  testLayouts(c);
  testGap(c);
  testSplitBox(c);
  testThousandRanks(c);
  return world.result();
}
