// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Values at points from their owners. Truth: every rank can tell who makes which key.

#include "ParallelTest.h"
#include "PointExchange.h"

using namespace paralleltest;
using segcore::PointExchange;

namespace
{

bool makes(int rank, Index key, int seed, int ranks)
{
  const std::uint64_t z =
    noise(static_cast<std::uint64_t>(seed * 64 + rank), static_cast<std::uint64_t>(key));
  return z % 3 == 0 || (rank == ranks - 1 && key % 5 == 0);
}

/// The lowest rank that makes a key, or -1.
int ownerOf(Index key, int seed, int ranks)
{
  for (int rank = 0; rank < ranks; ++rank)
  {
    if (makes(rank, key, seed, ranks))
    {
      return rank;
    }
  }
  return -1;
}

void testValues(const Communicator& c, int seed, Index keys)
{
  const std::string how = "seed " + std::to_string(seed);
  std::vector<Index> made;
  for (Index key = 0; key < keys; ++key)
  {
    if (makes(c.rank(), key, seed, c.size()))
    {
      made.push_back(key);
    }
  }
  PointExchange points(c, made);
  bool right = points.owned().size() == made.size();
  for (std::size_t p = 0; right && p < made.size(); ++p)
  {
    right = (points.owned()[p] != 0) == (ownerOf(made[p], seed, c.size()) == c.rank());
  }
  PARALLEL_CHECK(c, right, how + " owners");

  // The own ones, and some of the others.
  std::vector<Index> needed;
  for (Index key = 0; key < keys; ++key)
  {
    const int owner = ownerOf(key, seed, c.size());
    if (owner == c.rank() || (owner >= 0 && (key + c.rank()) % 2 == 0))
    {
      needed.push_back(key);
    }
  }
  points.need(needed);
  for (int round = 0; round < 3; ++round)
  {
    constexpr int Width = 2;
    std::vector<double> values(Width * needed.size(), -1.0);
    for (std::size_t p = 0; p < needed.size(); ++p)
    {
      if (ownerOf(needed[p], seed, c.size()) == c.rank())
      {
        values[Width * p] = static_cast<double>(needed[p]) + 0.25;
        values[Width * p + 1] = c.rank() + 10.0 * round;
      }
    }
    points.refresh(values.data(), Width);
    bool same = true;
    for (std::size_t p = 0; p < needed.size(); ++p)
    {
      same = same && values[Width * p] == static_cast<double>(needed[p]) + 0.25 &&
        values[Width * p + 1] == ownerOf(needed[p], seed, c.size()) + 10.0 * round;
    }
    PARALLEL_CHECK(c, same, how + " round " + std::to_string(round));
  }
}

void testErrors(const Communicator& c)
{
  if (c.size() == 1)
  {
    return; // then every point is the rank's own
  }
  PointExchange points(c, { 1, 2 });
  std::string error;
  try
  {
    points.need(c.rank() == 0 ? std::vector<Index>{ 1, 2, 7 } : std::vector<Index>{ 1 });
  }
  catch (const segcore::AgreedError& agreed)
  {
    error = agreed.what();
  }
  PARALLEL_CHECK(c, error.find("no rank makes the point 7") != std::string::npos, error);
}

} // namespace

int TestPointExchange(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  for (int seed = 0; seed < 5; ++seed)
  {
    testValues(c, seed, seed == 0 ? 0 : 40 * seed * seed);
  }
  testErrors(c);
  return world.result();
}
