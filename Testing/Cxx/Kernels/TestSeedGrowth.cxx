// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// SeedGrowth: keys of the cheapest paths, on volumes of several cubes, in one block and in many
// that tell each other what they found. Truth: Dijkstra's algorithm on a heap.

#include "SeedGrowth.h"
#include "Instructions.h"

#include "Check.h"
#include "VolumeLevels.h"
#include "Volumes.h"

#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

using segcore::Box;
using segcore::Index;
using segcore::LevelRange;
using segcore::LevelScale;
using segcore::SeedGrowth;
using segcore::SeedGrowthCosts;
using segcore::VolumeLevels;

namespace
{

constexpr unsigned char WallLabel = 9;

template <class Key>
Key keyOf(unsigned char label)
{
  using Growth = SeedGrowth<Key>;
  return label == WallLabel ? Growth::Wall
    : label                 ? Growth::seed(static_cast<Key>(label))
                            : Growth::Unreached;
}

template <class V>
LevelScale<V> scaleOf(const std::vector<V>& volume, const Box& box)
{
  LevelRange<V> range;
  segcore::accumulateLevels(volume.data(), box, box, range);
  return LevelScale<V>(range);
}

template <class Key, class V>
std::vector<Key> slowKeys(const Box& box, const std::vector<V>& volume,
  const std::vector<unsigned char>& labels, const SeedGrowthCosts& costs)
{
  const LevelScale<V> scale = scaleOf(volume, box);
  std::vector<Key> keys;
  using Entry = std::pair<Key, Index>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue;
  for (Index i = 0; i < box.size(); ++i)
  {
    const auto at = static_cast<std::size_t>(i);
    const bool wall = scale(volume[at]) < 0;
    keys.push_back(wall ? SeedGrowth<Key>::Wall : keyOf<Key>(labels[at]));
    if (!wall && labels[at] != 0 && labels[at] != WallLabel)
    {
      queue.emplace(labels[at], i);
    }
  }
  while (!queue.empty())
  {
    const auto [key, from] = queue.top();
    queue.pop();
    const auto source = static_cast<std::size_t>(from);
    if (keys[source] >= 0 && keys[source] != key)
    {
      continue;
    }
    const Index x = box.lo[0] + from % box.dim(0), y = box.lo[1] + from / box.dim(0) % box.dim(1),
                z = box.lo[2] + from / box.dim(0) / box.dim(1);
    for (int n = 0; n < 27; ++n)
    {
      const int dx = n % 3 - 1, dy = n / 3 % 3 - 1, dz = n / 9 - 1;
      if (n == 13 || !box.contains(x + dx, y + dy, z + dz))
      {
        continue;
      }
      const Index to = box.offset(x + dx, y + dy, z + dz);
      const auto at = static_cast<std::size_t>(to);
      const Key step = static_cast<Key>(std::abs(scale(volume[source]) - scale(volume[at]))) +
        costs.step[dx != 0][dy != 0][dz != 0];
      const Key offered = key + (step << costs.labelBits);
      if (offered < keys[at])
      {
        keys[at] = offered;
        queue.emplace(offered, to);
      }
    }
  }
  return keys;
}

/// The same in `count` blocks, by way of other labels that were there `before`, if any.
template <class Key, class V>
std::vector<Key> keysInBlocks(const Box& box, const std::vector<V>& volume,
  const std::vector<unsigned char>& labels, const SeedGrowthCosts& costs, int count,
  const std::vector<unsigned char>& before = {})
{
  using Growth = SeedGrowth<Key>;
  const VolumeLevels<V> levels({ volume.data(), box }, scaleOf(volume, box), 0);
  std::vector<Key> keys(labels.size());
  struct Part
  {
    Box target, padded;
    std::unique_ptr<Growth> growth;
  };
  std::vector<Part> parts;
  for (const Box& target : volumes::split(box, count))
  {
    Part part{ target, target.grown(1).clipped(box), nullptr };
    part.growth = std::make_unique<Growth>(part.target, part.padded, levels, costs);
    parts.push_back(std::move(part));
  }
  const auto forVoxels = [&](const Box& some, const auto& work)
  {
    for (Index z = some.lo[2]; z <= some.hi[2]; ++z)
    {
      for (Index y = some.lo[1]; y <= some.hi[1]; ++y)
      {
        for (Index x = some.lo[0]; x <= some.hi[0]; ++x)
        {
          work(x, y, z, static_cast<std::size_t>(box.offset(x, y, z)));
        }
      }
    }
  };
  const auto publish = [&]
  {
    for (const Part& part : parts)
    {
      forVoxels(part.target, [&](Index x, Index y, Index z, std::size_t at)
        { keys[at] = part.growth->keys()[part.padded.offset(x, y, z)]; });
    }
  };
  for (const Part& part : parts)
  {
    forVoxels(part.padded,
      [&](Index x, Index y, Index z, std::size_t at)
      {
        part.growth->keys()[part.padded.offset(x, y, z)] =
          keyOf<Key>((before.empty() ? labels : before)[at]);
      });
    // As if nothing were known around it.
    forVoxels(part.padded,
      [&](Index x, Index y, Index z, std::size_t)
      {
        if (!part.target.contains(x, y, z))
        {
          part.growth->keys()[part.padded.offset(x, y, z)] = Growth::Wall;
        }
      });
    part.growth->start();
    part.growth->keepSurroundings();
  }
  const auto hear = [&]
  {
    bool woken = false, takenBack = false;
    publish();
    for (const Part& part : parts)
    {
      forVoxels(part.padded, [&](Index x, Index y, Index z, std::size_t at)
        { part.growth->keys()[part.padded.offset(x, y, z)] = keys[at]; });
      const auto news = part.growth->hearSurroundings();
      woken = news.woken || woken;
      takenBack = news.takenBack || takenBack;
      part.growth->keepSurroundings();
    }
    return std::make_pair(woken, takenBack);
  };
  const auto relax = [&]
  {
    do
    {
      for (const Part& part : parts)
      {
        part.growth->run();
      }
    } while (hear().first);
  };
  relax();
  if (!before.empty())
  {
    for (const Part& part : parts)
    {
      CHECK(part.growth->changeSeeds(
        [&](Index i, Index j, Index k, Index length, std::int32_t* row)
        {
          for (Index x = 0; x < length; ++x)
          {
            const unsigned char label = labels[static_cast<std::size_t>(box.offset(i + x, j, k))];
            row[x] = label == WallLabel ? -1 : label;
          }
        }));
    }
    while (hear().second)
    {
    }
    relax();
  }
  Index reached = 0, expected = 0;
  for (const Part& part : parts)
  {
    CHECK(!part.growth->overflowed());
    reached += part.growth->reached();
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
  {
    expected += keys[i] >= 0 && keys[i] < Growth::Unreached ? 1 : 0;
  }
  CHECK_EQUAL(reached, expected);
  return keys;
}

template <class Key>
void testRandom()
{
  check::Random random(5);
  for (int turn = 0; turn < 60; ++turn)
  {
    const int values = turn % 4 == 0 ? 1 : turn % 4 == 1 ? 3 : turn % 4 == 2 ? 60 : 65536;
    Box box = Box::ofSize(1 + random.below(turn % 3 == 0 ? 100 : 20), 1 + random.below(40),
      1 + random.below(turn % 3 == 1 ? 70 : 5));
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] -= 7;
      box.hi[a] -= 7;
    }
    const int oneIn = 2 + static_cast<int>(random.below(2000));
    const auto volume = volumes::make<short>(box,
      [&](Index, Index, Index) { return static_cast<short>(random.below(values) - values / 2); });
    const auto labels = volumes::make<unsigned char>(box,
      [&](Index, Index, Index)
      {
        if (turn % 5 == 0 && random.below(5) == 0)
        {
          return static_cast<Index>(WallLabel);
        }
        return random.below(oneIn) == 0 ? 1 + random.below(4) : 0;
      });
    SeedGrowthCosts costs;
    costs.labelBits = 3;
    costs.largestDifference = scaleOf(volume, box).highest();
    for (int n = 1; turn % 2 && n < 8; ++n)
    {
      costs.step[n & 1][n >> 1 & 1][n >> 2] = (turn % 6 == 1 ? 1000 : 1) * (n % 5);
    }
    // Some seeds more, some fewer, some others.
    auto before = labels;
    for (unsigned char& label : before)
    {
      if (label != WallLabel && random.below(label != 0 ? 2 : 3 * oneIn) == 0)
      {
        label = static_cast<unsigned char>(random.below(5));
      }
    }
    const auto expected = slowKeys<Key>(box, volume, labels, costs);
    for (const int count : { 1, 2, 7 })
    {
      check::setContext("turn ", turn, " blocks ", count);
      segcore::allowWideInstructions(count != 2);
      const auto got = keysInBlocks<Key>(box, volume, labels, costs, count);
      CHECK_RANGES(got.data(), expected, static_cast<Index>(got.size()));
      const auto updated = keysInBlocks<Key>(box, volume, labels, costs, count, before);
      CHECK_RANGES(updated.data(), expected, static_cast<Index>(updated.size()));
    }
  }
  check::setContext("");
}

void testOverflow()
{
  const Box line = Box::ofSize(20000, 1, 1);
  std::vector<unsigned short> comb(20000);
  for (std::size_t i = 0; i < comb.size(); ++i)
  {
    comb[i] = i % 2 ? 65535 : 0;
  }
  const VolumeLevels<unsigned short> levels({ comb.data(), line }, scaleOf(comb, line), 0);
  SeedGrowthCosts costs;
  costs.largestDifference = 65535;
  SeedGrowth<std::int32_t> narrow(line, line, levels, costs);
  SeedGrowth<std::int64_t> wide(line, line, levels, costs);
  std::fill_n(narrow.keys(), 20000, SeedGrowth<std::int32_t>::Unreached);
  std::fill_n(wide.keys(), 20000, SeedGrowth<std::int64_t>::Unreached);
  narrow.keys()[0] = SeedGrowth<std::int32_t>::seed(1);
  wide.keys()[0] = SeedGrowth<std::int64_t>::seed(1);
  narrow.start();
  wide.start();
  narrow.run();
  wide.run();
  CHECK(narrow.overflowed());
  CHECK(!wide.overflowed());
  // What was reached is right: 8192 steps are 2^29 - 8192, with a bit of label below 2^30.
  CHECK_EQUAL(narrow.reached(), 8192);
  CHECK_EQUAL(narrow.keys()[8192], 8192 * 65535 * 2 + 1);
  CHECK_EQUAL(wide.keys()[19999], std::int64_t{ 19999 } * 65535 * 2 + 1);
  costs.largestDifference = 1 << 27;
  CHECK(!SeedGrowth<std::int32_t>::fits(costs));
  CHECK(SeedGrowth<std::int64_t>::fits(costs));
}

void testLevels()
{
  const double infinity = std::numeric_limits<double>::infinity();
  const Box four = Box::ofSize(4, 1, 1);
  const std::vector<double> fractions{ -0.5, infinity, 0.0, 0.5 };
  const auto scale = scaleOf(fractions, four);
  CHECK(!scale.exact());
  CHECK_EQUAL(scale.highest(), 65535);
  CHECK_EQUAL(scale(-0.5), 0);
  CHECK_EQUAL(scale(infinity), -1);
  CHECK_EQUAL(scale(0.0), 32768);
  CHECK_EQUAL(scale(0.5), 65535);
  CHECK_EQUAL(scale.unit(), 65535.0);
  const std::vector<std::uint64_t> large{ ~std::uint64_t{ 0 }, ~std::uint64_t{ 0 } - 65535 };
  const auto exact = scaleOf(large, Box::ofSize(2, 1, 1));
  CHECK(exact.exact());
  CHECK_EQUAL(exact(~std::uint64_t{ 0 }), 65535);
  CHECK_EQUAL(exact(~std::uint64_t{ 0 } - 65534), 1);
  const std::vector<std::int64_t> widest{ std::numeric_limits<std::int64_t>::min(),
    std::numeric_limits<std::int64_t>::max() };
  const auto rounded = scaleOf(widest, Box::ofSize(2, 1, 1));
  CHECK(!rounded.exact());
  CHECK_EQUAL(rounded(widest[0]), 0);
  CHECK_EQUAL(rounded(widest[1]), 65535);
  const std::vector<float> flat{ 0.25f, 0.25f };
  CHECK_EQUAL(scaleOf(flat, Box::ofSize(2, 1, 1)).highest(), 0);
  CHECK_EQUAL(scaleOf(flat, Box::ofSize(2, 1, 1))(0.25f), 0);
  const std::vector<float> nothing(2, static_cast<float>(infinity));
  CHECK_EQUAL(scaleOf(nothing, Box::ofSize(2, 1, 1)).highest(), 0);
}

} // namespace

int TestSeedGrowth(int, char*[])
{
  testLevels();
  testRandom<std::int32_t>();
  testRandom<std::int64_t>();
  testOverflow();
  return check::result();
}
