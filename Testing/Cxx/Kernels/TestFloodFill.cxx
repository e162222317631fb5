// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "FloodFill.h"

#include "Check.h"
#include "Volumes.h"

#include <map>

using segcore::Box;
using segcore::Connectivity;
using segcore::FloodFill;
using segcore::FloodRun;
using segcore::Index;

namespace
{

/// What can be reached: all voxels in turn, until none is next to what was reached before.
std::vector<std::uint8_t> slowFlood(const std::vector<std::uint8_t>& mask, const Box& whole,
  Connectivity connectivity, const std::vector<Index>& seeds)
{
  std::vector<std::uint8_t> reached(mask.size(), 0);
  std::vector<Index> list;
  const auto reach = [&](Index at)
  {
    if (mask[static_cast<std::size_t>(at)] && !reached[static_cast<std::size_t>(at)])
    {
      reached[static_cast<std::size_t>(at)] = 1;
      list.push_back(at);
    }
  };
  for (const Index seed : seeds)
  {
    reach(seed);
  }
  const Index steps = connectivity == Connectivity::Faces ? 1
    : connectivity == Connectivity::Edges                 ? 2
                                                          : 3;
  for (std::size_t n = 0; n < list.size(); ++n)
  {
    const Index x = whole.lo[0] + list[n] % whole.dim(0);
    const Index y = whole.lo[1] + list[n] / whole.dim(0) % whole.dim(1);
    const Index z = whole.lo[2] + list[n] / whole.dim(0) / whole.dim(1);
    for (Index d = 0; d < 27; ++d)
    {
      const Index o[3] = { d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1 };
      if (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] <= steps &&
        whole.contains(x + o[0], y + o[1], z + o[2]))
      {
        reach(whole.offset(x + o[0], y + o[1], z + o[2]));
      }
    }
  }
  return reached;
}

FloodRun voxel(const Box& whole, Index at)
{
  const auto x = static_cast<std::int32_t>(whole.lo[0] + at % whole.dim(0));
  const auto y = static_cast<std::int32_t>(whole.lo[1] + at / whole.dim(0) % whole.dim(1));
  const auto z = static_cast<std::int32_t>(whole.lo[2] + at / whole.dim(0) / whole.dim(1));
  return { x, x, y, z };
}

/// The flood of some blocks, which hand each other what leaves them.
void testFlood(const Box& whole, const std::vector<std::uint8_t>& mask,
  const std::vector<Box>& blocks, Connectivity connectivity, const std::vector<Index>& seeds)
{
  std::map<Index, int> asked;
  const segcore::AcceptWord accept = [&](Index x, Index y, Index z, Index count)
  {
    CHECK(count >= 1 && count <= 64);
    CHECK_EQUAL(++asked[whole.offset(x, y, z)], 1);
    segcore::Word bits = 0;
    for (Index i = 0; i < count; ++i)
    {
      bits |= segcore::Word{ mask[static_cast<std::size_t>(whole.offset(x + i, y, z))] } << i;
    }
    return bits;
  };
  std::vector<FloodFill> floods;
  for (const Box& block : blocks)
  {
    floods.emplace_back(block, whole, connectivity, accept);
  }
  for (const Index seed : seeds)
  {
    for (FloodFill& flood : floods)
    {
      flood.seed(voxel(whole, seed));
    }
  }
  bool changed = true;
  while (changed)
  {
    changed = false;
    for (FloodFill& flood : floods)
    {
      flood.run();
      for (const FloodRun& run : flood.takeLeaving())
      {
        changed = true;
        CHECK(whole.contains(run.x0, run.y, run.z) && whole.contains(run.x1, run.y, run.z));
        for (FloodFill& other : floods)
        {
          other.seed(run);
        }
      }
    }
  }
  const std::vector<std::uint8_t> expected = slowFlood(mask, whole, connectivity, seeds);
  std::vector<std::uint8_t> byRuns(mask.size(), 0);
  std::vector<std::uint8_t> written(mask.size(), 0);
  Index count = 0;
  for (const FloodFill& flood : floods)
  {
    count += flood.count();
    flood.forEachRun(
      [&](Index x0, Index x1, Index y, Index z)
      {
        for (Index x = x0; x <= x1; ++x)
        {
          ++byRuns[static_cast<std::size_t>(whole.offset(x, y, z))];
        }
      });
    // In parts that are not aligned to anything, and reach beyond the block.
    for (const Box& part : volumes::split(whole, 3))
    {
      std::vector<std::uint8_t> values(static_cast<std::size_t>(part.size()), 7);
      flood.write(part, values.data());
      const bool any = std::find(values.begin(), values.end(), 1) != values.end();
      CHECK(!any || flood.mayContain(part));
      std::vector<std::uint8_t> all(mask.size(), 0);
      volumes::paste(values, part, all, whole);
      for (std::size_t i = 0; i < all.size(); ++i)
      {
        written[i] = static_cast<std::uint8_t>(written[i] + all[i]);
      }
    }
  }
  CHECK_RANGES(byRuns, expected, whole.size());
  CHECK_RANGES(written, expected, whole.size());
  CHECK_EQUAL(count, static_cast<Index>(std::count(expected.begin(), expected.end(), 1)));
}

} // namespace

int TestFloodFill(int, char*[])
{
  check::Random random(17);
  Box shifted = Box::ofSize(13, 9, 10);
  shifted.lo[0] -= 3;
  shifted.hi[2] += 5;
  shifted.lo[2] += 5;
  for (const Box& box :
    { shifted, Box::ofSize(140, 5, 3), Box::ofSize(2, 2, 17), Box::ofSize(64, 1, 1) })
  {
    for (const volumes::Named& mask : volumes::masks(box, 32))
    {
      for (const Connectivity connectivity :
        { Connectivity::Faces, Connectivity::Edges, Connectivity::Corners })
      {
        check::setContext(mask.name, " box ", box.dim(0), " ", static_cast<int>(connectivity));
        std::vector<Index> seeds;
        const auto first = std::find(mask.voxels.begin(), mask.voxels.end(), 1);
        if (first != mask.voxels.end())
        {
          seeds.push_back(first - mask.voxels.begin());
        }
        testFlood(box, mask.voxels, { box }, connectivity, seeds);
        seeds.push_back(random.below(box.size())); // may be background
        for (const int blocks : { 2, 5 })
        {
          testFlood(box, mask.voxels, volumes::split(box, blocks, &random), connectivity, seeds);
        }
      }
    }
  }

  // It costs what it touches: a small ball in a large box.
  check::setContext("small ball");
  const Box large = Box::ofSize(100000, 100000, 100000);
  Index words = 0;
  FloodFill flood(large, large, Connectivity::Faces,
    [&](Index x, Index y, Index z, Index count)
    {
      ++words;
      segcore::Word bits = 0;
      for (Index i = 0; i < count; ++i)
      {
        const Index dx = x + i - 50000, dy = y - 50000, dz = z - 50000;
        bits |= segcore::Word{ dx * dx + dy * dy + dz * dz <= 100 } << i;
      }
      return bits;
    });
  flood.seed({ 50003, 50003, 50000, 50000 });
  flood.run();
  CHECK_EQUAL(flood.count(), 4169); // points of the lattice in a ball of radius 10
  CHECK(words < 2 * 23 * 23);
  CHECK(!flood.mayContain(Box::ofSize(40000, 100000, 100000)));

  check::setContext("abort");
  segcore::Progress stop;
  stop.cancelled = [] { return true; };
  FloodFill endless(large, large, Connectivity::Faces,
    [](Index, Index, Index, Index) { return ~segcore::Word{ 0 }; });
  endless.seed({ 0, 0, 0, 0 });
  CHECK_THROWS(endless.run(stop), segcore::Cancelled);
  return check::result();
}
