// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Sparse sums over ranks. Truth: a std::map filled with the entries of all ranks.

#include "ParallelTest.h"
#include "ReduceTable.h"

#include <map>

using namespace paralleltest;
using segcore::LabelSum;

namespace
{

/// Entries of a rank: unsorted, with repeated and negative labels; odd ranks bring none.
std::vector<LabelSum> entriesOf(int rank, Index count)
{
  std::vector<LabelSum> entries;
  for (Index n = 0; n < (rank % 2 ? 0 : count); ++n)
  {
    const std::uint64_t z = noise(static_cast<std::uint64_t>(rank), static_cast<std::uint64_t>(n));
    const Index label = static_cast<Index>(z % static_cast<std::uint64_t>(count)) - 3;
    const Index wide = z % 5 == 0 ? Index{ 1 } << 40 : 1; // beyond 32 bits, too
    entries.push_back({ label * wide, Index{ 1 } << 33 });
  }
  return entries;
}

void testTable(const Communicator& c, Index count)
{
  std::map<Index, Index> sums;
  for (int r = 0; r < c.size(); ++r)
  {
    for (const LabelSum& entry : entriesOf(r, count))
    {
      sums[entry.label] += entry.count;
    }
  }
  std::vector<LabelSum> expected;
  for (const auto& sum : sums)
  {
    expected.push_back({ sum.first, sum.second });
  }
  PARALLEL_CHECK(c, segcore::reduceTable(c, entriesOf(c.rank(), count)) == expected,
    std::to_string(count) + " entries per rank");
}

} // namespace

int TestReduceTable(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  for (const Index count : { 0, 1, 10, 1000, 100000 }) // the last one by owners
  {
    testTable(c, count);
  }

  std::vector<Index> bins = { c.rank(), 1, Index{ 1 } << 40 };
  segcore::reduceHistogram(c, bins);
  const Index n = c.size();
  PARALLEL_CHECK(c, bins == (std::vector<Index>{ n * (n - 1) / 2, n, n << 40 }), "histogram");

  bins.resize(c.isRoot() ? 4 : 3);
  bool refused = false;
  try
  {
    segcore::reduceHistogram(c, bins);
  }
  catch (const segcore::AgreedError&)
  {
    refused = true;
  }
  PARALLEL_CHECK(c, refused == (c.size() > 1), "bins differ on one rank");
  return world.result();
}
