// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "UnionFind.h"

#include "Check.h"

#include <algorithm>

int TestUnionFind(int, char*[])
{
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    const int n = static_cast<int>(random.between(1, 60));
    segcore::UnionFind<std::uint32_t> sets(static_cast<std::size_t>(n));
    // Oracle: the label of every element, renamed one by one.
    std::vector<std::uint32_t> label;
    for (int i = 0; i < n; ++i)
    {
      label.push_back(static_cast<std::uint32_t>(i));
    }
    for (int join = 0; join < n; ++join)
    {
      const auto a = static_cast<std::size_t>(random.below(n));
      const auto b = static_cast<std::size_t>(random.below(n));
      const std::uint32_t root =
        sets.join(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
      const std::uint32_t from = std::max(label[a], label[b]);
      const std::uint32_t to = std::min(label[a], label[b]);
      for (std::uint32_t& l : label)
      {
        l = l == from ? to : l;
      }
      CHECK_EQUAL(root, to);
      const auto probe = static_cast<std::uint32_t>(random.below(n));
      CHECK_EQUAL(sets.find(probe), label[probe]);
    }
    CHECK_RANGES(sets.flatten(), label, n);
    CHECK_EQUAL(sets.add(), static_cast<std::uint32_t>(n));
    CHECK_EQUAL(sets.find(static_cast<std::uint32_t>(n)), static_cast<std::uint32_t>(n));
  }
  return check::result();
}
