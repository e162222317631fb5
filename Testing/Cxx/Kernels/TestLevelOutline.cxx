// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// LevelOutline. Truth: regions by repeated passes over the slice, until nothing changes.

#include "LevelOutline.h"

#include "Check.h"

#include <vector>

using segcore::Index;

namespace
{

using Mask = std::vector<std::uint8_t>;

struct Slice
{
  Index width;
  Index height;
  Mask ones;

  bool has(Index x, Index y) const
  {
    return x >= 0 && x < this->width && y >= 0 && y < this->height;
  }
  std::size_t at(Index x, Index y) const { return static_cast<std::size_t>(x + this->width * y); }

  template <class Work>
  void around(Index x, Index y, bool diagonal, const Work& work) const
  {
    for (Index dy = -1; dy <= 1; ++dy)
    {
      for (Index dx = -1; dx <= 1; ++dx)
      {
        const bool axis = (dx == 0) != (dy == 0);
        if ((axis || (diagonal && dx != 0)) && this->has(x + dx, y + dy))
        {
          work(x + dx, y + dy);
        }
      }
    }
  }

  /// All pixels of `among` that are connected with those of `set`.
  Mask grown(Mask set, const Mask& among, bool diagonal) const
  {
    for (bool changed = true; changed;)
    {
      changed = false;
      for (Index y = 0; y < this->height; ++y)
      {
        for (Index x = 0; x < this->width; ++x)
        {
          if (set[this->at(x, y)] || !among[this->at(x, y)])
          {
            continue;
          }
          this->around(x, y, diagonal,
            [&](Index nx, Index ny)
            {
              changed = changed || set[this->at(nx, ny)];
              set[this->at(x, y)] |= set[this->at(nx, ny)];
            });
        }
      }
    }
    return set;
  }
};

Mask oracle(const Slice& slice, Index seedX, Index seedY)
{
  const std::size_t size = slice.ones.size();
  Mask result(size, 0);
  if (!slice.ones[slice.at(seedX, seedY)])
  {
    return result;
  }
  Mask component(size, 0), border(size, 0), axis(size, 0), diagonal(size, 0), others(size, 0);
  component[slice.at(seedX, seedY)] = 1;
  component = slice.grown(component, slice.ones, true);
  bool anyAxis = false, anyDiagonal = false;
  slice.around(seedX, seedY, true,
    [&](Index x, Index y)
    {
      const bool below = !slice.ones[slice.at(x, y)];
      const bool straight = x == seedX || y == seedY;
      (straight ? axis : diagonal)[slice.at(x, y)] = below ? 1 : 0;
      (straight ? anyAxis : anyDiagonal) |= below;
    });
  if (!anyAxis && !anyDiagonal)
  {
    return result;
  }
  const Mask& start = anyAxis ? axis : diagonal;
  for (Index y = 0; y < slice.height; ++y)
  {
    for (Index x = 0; x < slice.width; ++x)
    {
      const bool edge = x == 0 || y == 0 || x == slice.width - 1 || y == slice.height - 1;
      others[slice.at(x, y)] = component[slice.at(x, y)] ? 0 : 1;
      border[slice.at(x, y)] = edge && !component[slice.at(x, y)] ? 1 : 0;
    }
  }
  const Mask exterior = slice.grown(border, others, false);
  bool outer = false;
  for (std::size_t i = 0; i < size; ++i)
  {
    outer = outer || (start[i] && exterior[i]);
  }
  if (outer)
  {
    for (std::size_t i = 0; i < size; ++i)
    {
      result[i] = exterior[i] ? 0 : 1;
    }
    return result;
  }
  const Mask hole = slice.grown(start, others, false);
  result = hole;
  for (Index y = 0; y < slice.height; ++y)
  {
    for (Index x = 0; x < slice.width; ++x)
    {
      if (component[slice.at(x, y)])
      {
        slice.around(x, y, false,
          [&](Index nx, Index ny) { result[slice.at(x, y)] |= hole[slice.at(nx, ny)]; });
      }
    }
  }
  return result;
}

Mask traced(const Slice& slice, Index x, Index y)
{
  Mask out(slice.ones.size(), 7);
  segcore::levelOutline(slice.ones.data(), slice.width, slice.height, x, y, out.data());
  return out;
}

} // namespace

int TestLevelOutline(int, char*[])
{
  // A seed in a corner of two holes that touch diagonally has both; beside the exterior, all.
  // clang-format off
  const Slice two{ 6, 6, {
    0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 0,
    0, 1, 0, 1, 1, 0,
    0, 1, 1, 0, 1, 0,
    0, 1, 1, 1, 1, 0,
    0, 0, 0, 0, 0, 0 } };
  CHECK_RANGES(traced(two, 3, 2).data(), Mask({
    0, 0, 0, 0, 0, 0,
    0, 0, 1, 0, 0, 0,
    0, 1, 1, 1, 0, 0,
    0, 0, 1, 1, 1, 0,
    0, 0, 0, 1, 0, 0,
    0, 0, 0, 0, 0, 0 }), Index(36));
  CHECK_RANGES(traced(two, 1, 1).data(), Mask({
    0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 0,
    0, 1, 1, 1, 1, 0,
    0, 1, 1, 1, 1, 0,
    0, 1, 1, 1, 1, 0,
    0, 0, 0, 0, 0, 0 }), Index(36));
  // Only a diagonal neighbour below; and none, as what is outside does not count.
  const Slice corner{ 3, 3, {
    1, 1, 1,
    1, 1, 1,
    1, 1, 0 } };
  CHECK_RANGES(traced(corner, 1, 1).data(), Mask({ 1, 1, 1, 1, 1, 1, 1, 1, 0 }), Index(9));
  CHECK_RANGES(traced(corner, 0, 0).data(), Mask(9, 0), Index(9));
  CHECK_RANGES(traced(corner, 2, 2).data(), Mask(9, 0), Index(9));
  CHECK_RANGES(traced(corner, 3, 0).data(), Mask(9, 0), Index(9));
  CHECK_RANGES(traced(corner, 0, -1).data(), Mask(9, 0), Index(9));
  // clang-format on
  Index inside = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    Slice slice{ random.between(1, 9), random.between(1, 9), {} };
    const Index density = random.between(3, 9);
    for (Index p = 0; p < slice.width * slice.height; ++p)
    {
      slice.ones.push_back(random.below(10) < density ? 1 : 0);
    }
    for (Index y = 0; y < slice.height; ++y)
    {
      for (Index x = 0; x < slice.width; ++x)
      {
        const Mask expected = oracle(slice, x, y);
        CHECK_RANGES(traced(slice, x, y).data(), expected, slice.width * slice.height);
        inside += expected[slice.at(x, y)];
      }
    }
  }
  CHECK(inside > 5000);
  check::setContext("");
  return check::result();
}
