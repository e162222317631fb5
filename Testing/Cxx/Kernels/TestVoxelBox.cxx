// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Tight boxes against looking at every voxel; filling and copying boxes.
#include "VoxelBox.h"

#include "Check.h"

#include <limits>
#include <vector>

using segcore::Box;
using segcore::Index;

namespace
{

/// The box of a label among others, in a part of the image.
template <class T>
void labelBoxes(int seed)
{
  check::Random random(static_cast<std::uint64_t>(seed));
  const Box stored =
    Box::ofSize(random.between(1, 300), random.between(1, 9), random.between(1, 9)).grown(3);
  std::vector<T> values(static_cast<std::size_t>(stored.size()));
  for (T& value : values)
  {
    value = static_cast<T>(random.below(100) ? random.below(3) : 9);
  }
  Box region = stored;
  region.lo[0] += random.below(2);
  region.hi[1] -= random.below(2);
  for (const T label : { T(9), T(8), T(1) })
  {
    check::setContext("label box, seed ", seed, " label ", static_cast<int>(label));
    Box expected;
    for (Index z = region.lo[2]; z <= region.hi[2]; ++z)
    {
      for (Index y = region.lo[1]; y <= region.hi[1]; ++y)
      {
        for (Index x = region.lo[0]; x <= region.hi[0]; ++x)
        {
          if (values[static_cast<std::size_t>(stored.offset(x, y, z))] == label)
          {
            Box voxel;
            const Index at[3] = { x, y, z };
            std::copy(at, at + 3, voxel.lo);
            std::copy(at, at + 3, voxel.hi);
            expected = expected.unite(voxel);
          }
        }
      }
    }
    for (const int threads : { 1, 2 })
    {
      check::withThreads(threads,
        [&] { CHECK(segcore::labelBox(values.data(), stored, region, label) == expected); });
    }
  }
}

template <class T>
void tightBoxes(int seed)
{
  check::Random random(static_cast<std::uint64_t>(seed));
  Box stored = Box::ofSize(random.between(1, 150), random.between(1, 12), random.between(1, 12));
  for (int a = 0; a < 3; ++a)
  {
    const Index shift = random.between(-20, 20);
    stored.lo[a] += shift;
    stored.hi[a] += shift;
  }
  std::vector<T> values(static_cast<std::size_t>(stored.size()), T(1));
  const Index count = random.below(4);
  for (Index n = 0; n < count; ++n)
  {
    values[static_cast<std::size_t>(random.below(stored.size()))] = T(3);
  }
  const std::vector<double> thresholds{ 0.0, 1.0, 2.9, 3.0, -1e300, 1e300,
    std::numeric_limits<double>::quiet_NaN() };
  for (const double threshold : thresholds)
  {
    check::setContext("seed ", seed, " threshold ", threshold);
    Box expected;
    for (Index z = stored.lo[2]; z <= stored.hi[2]; ++z)
    {
      for (Index y = stored.lo[1]; y <= stored.hi[1]; ++y)
      {
        for (Index x = stored.lo[0]; x <= stored.hi[0]; ++x)
        {
          if (static_cast<double>(values[static_cast<std::size_t>(stored.offset(x, y, z))]) >
            threshold)
          {
            Box voxel;
            const Index at[3] = { x, y, z };
            std::copy(at, at + 3, voxel.lo);
            std::copy(at, at + 3, voxel.hi);
            expected = expected.unite(voxel);
          }
        }
      }
    }
    CHECK(segcore::tightBox(values.data(), stored, stored, threshold) == expected);
    // One face at a time: the others stay where they are known to be right.
    for (int face = 0; face < 6 && !expected.empty(); ++face)
    {
      Box start = expected;
      Index* moved = face % 2 ? start.hi : start.lo;
      const Index* limit = face % 2 ? stored.hi : stored.lo;
      moved[face / 2] = limit[face / 2];
      CHECK(segcore::tightBox(values.data(), stored, start, threshold, 1u << face) == expected);
    }
  }
}

void copies()
{
  const Box small = Box::ofSize(2, 1, 1);
  const std::vector<int> from{ 1, 2, 3, 4 }; // two components
  Box large = Box::ofSize(4, 2, 1);
  large.lo[0] = -1;
  std::vector<int> to(static_cast<std::size_t>(2 * large.size()), 9);
  segcore::copyPadded(from.data(), small, to.data(), large, 0, 2);
  std::vector<int> expected(to.size(), 0);
  std::copy(from.begin(), from.end(), expected.begin() + 2);
  CHECK(to == expected);
  Box row = Box::ofSize(2, 2, 1);
  segcore::fillBox(to.data(), large, row, 5, 2);
  CHECK_EQUAL(to[0], 0);
  CHECK_EQUAL(to[2], 5);
  CHECK_EQUAL(to[5], 5);
  CHECK_EQUAL(to[6], 0);
  segcore::copyBox(from.data(), small, to.data(), large, small, 2);
  CHECK_EQUAL(to[5], 4);
}
}

int TestVoxelBox(int, char*[])
{
  for (int seed = 1; seed <= 40; ++seed)
  {
    tightBoxes<unsigned char>(seed);
    tightBoxes<short>(seed);
    tightBoxes<unsigned long long>(seed);
    tightBoxes<float>(seed);
    labelBoxes<unsigned char>(seed);
    labelBoxes<unsigned long long>(seed);
    labelBoxes<double>(seed);
  }
  copies();
  return check::result();
}
