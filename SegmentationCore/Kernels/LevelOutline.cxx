// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "LevelOutline.h"

#include "Buffer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace segcore
{

namespace
{

/// Neighbours along the axes first.
constexpr Index Neighbours[8][2] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 }, { -1, -1 },
  { 1, -1 }, { -1, 1 }, { 1, 1 } };

/// States of a pixel.
enum : std::uint8_t
{
  Unknown = 0,
  Component,
  Exterior,
  Hole
};

class Slice
{
public:
  Slice(const std::uint8_t* above, Index width, Index height)
    : Above(above), Width(width), Height(height), State(width * height)
  {
    std::fill_n(this->State.data(), width * height, std::uint8_t{ Unknown });
  }

  std::uint8_t state(Index x, Index y) const { return this->State[x + this->Width * y]; }

  template <class Work>
  void forNeighbours(Index x, Index y, int first, int last, const Work& work) const
  {
    for (int n = first; n < last; ++n)
    {
      const Index nx = x + Neighbours[n][0];
      const Index ny = y + Neighbours[n][1];
      if (nx >= 0 && nx < this->Width && ny >= 0 && ny < this->Height)
      {
        work(nx, ny);
      }
    }
  }

  /// Gives a state to the unknown pixels that are connected with this one; a component is of ones
  /// and 8-connected, the others are of what is no component, and 4-connected.
  void spread(Index x, Index y, std::uint8_t state)
  {
    const auto enter = [&](Index px, Index py)
    {
      std::uint8_t& here = this->State[px + this->Width * py];
      if (here == Unknown && (state != Component || this->Above[px + this->Width * py]))
      {
        here = state;
        this->Front.emplace_back(px, py);
      }
    };
    enter(x, y);
    while (!this->Front.empty())
    {
      const auto [px, py] = this->Front.back();
      this->Front.pop_back();
      this->forNeighbours(px, py, 0, state == Component ? 8 : 4, enter);
    }
  }

private:
  const std::uint8_t* Above;
  Index Width;
  Index Height;
  Buffer<std::uint8_t> State;
  std::vector<std::pair<Index, Index>> Front;
};

} // namespace

//------------------------------------------------------------------------------------------------
void levelOutline(
  const std::uint8_t* above, Index width, Index height, Index seedX, Index seedY, std::uint8_t* out)
{
  std::fill_n(out, width * height, std::uint8_t{ 0 });
  if (seedX < 0 || seedX >= width || seedY < 0 || seedY >= height || !above[seedX + width * seedY])
  {
    return;
  }
  Slice slice(above, width, height);
  std::vector<std::pair<Index, Index>> below;
  for (int first = 0; first < 8 && below.empty(); first += 4)
  {
    slice.forNeighbours(seedX, seedY, first, first + 4,
      [&](Index x, Index y)
      {
        if (!above[x + width * y])
        {
          below.emplace_back(x, y);
        }
      });
  }
  if (below.empty())
  {
    return;
  }
  slice.spread(seedX, seedY, Component);
  for (Index y = 0; y < height; ++y)
  {
    for (Index x = 0; x < width;
      x += (y == 0 || y == height - 1) ? 1 : std::max<Index>(1, width - 1))
    {
      slice.spread(x, y, Exterior);
    }
  }
  const bool outer = std::any_of(below.begin(), below.end(),
    [&](const auto& place) { return slice.state(place.first, place.second) == Exterior; });
  if (!outer)
  {
    for (const auto& place : below)
    {
      slice.spread(place.first, place.second, Hole);
    }
  }
  for (Index y = 0; y < height; ++y)
  {
    for (Index x = 0; x < width; ++x)
    {
      const std::uint8_t state = slice.state(x, y);
      bool inside = outer ? state != Exterior : state == Hole;
      if (!outer && state == Component)
      {
        slice.forNeighbours(
          x, y, 0, 4, [&](Index nx, Index ny) { inside = inside || slice.state(nx, ny) == Hole; });
      }
      out[x + width * y] = inside ? 1 : 0;
    }
  }
}

} // namespace segcore
