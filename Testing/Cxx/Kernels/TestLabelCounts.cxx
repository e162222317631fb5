// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "LabelCounts.h"

#include "Check.h"
#include "Volumes.h"

#include <limits>
#include <map>

using segcore::Box;
using segcore::Index;
using segcore::LabelCount;

namespace
{

template <class T>
void testType(const char* name)
{
  Box whole = Box::ofSize(70, 9, 8);
  whole.lo[0] -= 5;
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
  {
    check::Random random(seed);
    const std::vector<T> few{ T(0), T(1), T(7), std::numeric_limits<T>::max(),
      std::numeric_limits<T>::lowest(), T(100) };
    const Index stay = seed % 3 == 0 ? 1 : 10;
    T value = 0;
    const std::vector<T> labels = volumes::make<T>(whole,
      [&](Index, Index, Index)
      {
        if (random.below(stay) == 0)
        {
          value = few[static_cast<std::size_t>(random.below(static_cast<Index>(few.size())))];
        }
        return value;
      });
    std::map<T, LabelCount<T>> slow;
    for (Index z = whole.lo[2]; z <= whole.hi[2]; ++z)
    {
      for (Index y = whole.lo[1]; y <= whole.hi[1]; ++y)
      {
        for (Index x = whole.lo[0]; x <= whole.hi[0]; ++x)
        {
          LabelCount<T>& entry = slow[labels[static_cast<std::size_t>(whole.offset(x, y, z))]];
          ++entry.voxels;
          Box voxel;
          voxel.lo[0] = voxel.hi[0] = x;
          voxel.lo[1] = voxel.hi[1] = y;
          voxel.lo[2] = voxel.hi[2] = z;
          entry.box = entry.box.unite(voxel);
        }
      }
    }
    for (const int threads : { 1, 2 })
    {
      for (const int blocks : { 1, 2, 5, 8 })
      {
        check::setContext(name, " seed ", seed, " threads ", threads, " blocks ", blocks);
        std::vector<LabelCount<T>> counts;
        check::withThreads(threads,
          [&]()
          {
            for (const Box& block : volumes::split(whole, blocks, &random))
            {
              segcore::mergeLabelCounts(counts, segcore::countLabels(labels.data(), whole, block));
            }
          });
        CHECK_EQUAL(counts.size(), slow.size());
        std::size_t i = 0;
        for (const auto& entry : slow)
        {
          if (i < counts.size())
          {
            CHECK_EQUAL(counts[i].label, entry.first);
            CHECK_EQUAL(counts[i].voxels, entry.second.voxels);
            CHECK(counts[i].box == entry.second.box);
          }
          ++i;
        }
      }
    }
  }
}

} // namespace

int TestLabelCounts(int, char*[])
{
  testType<std::int8_t>("int8");
  testType<std::uint8_t>("uint8");
  testType<std::int16_t>("int16");
  testType<std::uint16_t>("uint16");
  testType<std::int32_t>("int32");
  testType<std::uint32_t>("uint32");
  testType<std::int64_t>("int64");
  testType<std::uint64_t>("uint64");
  const Box box = Box::ofSize(2, 2, 2);
  const std::vector<std::uint8_t> labels(8, 3);
  CHECK(segcore::countLabels(labels.data(), box, Box()).empty());
  CHECK_THROWS(segcore::countLabels(labels.data(), box, box.grown(1)), std::invalid_argument);
  return check::result();
}
