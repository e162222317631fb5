// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Test volumes (adversarial and random) and their division into blocks.

#ifndef segcoreTestingVolumes_h
#define segcoreTestingVolumes_h

#include "Box.h"
#include "Check.h"

#include <string>
#include <vector>

namespace volumes
{

using segcore::Box;
using segcore::Index;

/// Cuts a box into `count` disjoint blocks: random planes if a generator is given, else halves,
/// always across the longest axis of the largest block.
inline std::vector<Box> split(const Box& whole, int count, check::Random* random = nullptr)
{
  std::vector<Box> blocks{ whole };
  while (static_cast<int>(blocks.size()) < count)
  {
    std::size_t largest = 0;
    for (std::size_t b = 1; b < blocks.size(); ++b)
    {
      largest = blocks[b].size() > blocks[largest].size() ? b : largest;
    }
    Box low = blocks[largest];
    int axis = 0;
    for (int a = 1; a < 3; ++a)
    {
      axis = low.dim(a) > low.dim(axis) ? a : axis;
    }
    if (low.dim(axis) < 2)
    {
      break;
    }
    Box high = low;
    const Index cut = random ? random->between(low.lo[axis], low.hi[axis] - 1)
                             : low.lo[axis] + (low.dim(axis) - 1) / 2;
    low.hi[axis] = cut;
    high.lo[axis] = cut + 1;
    blocks[largest] = low;
    blocks.push_back(high);
  }
  return blocks;
}

/// A copy of part of a volume, as a block of its own.
template <class T>
std::vector<T> crop(const std::vector<T>& volume, const Box& whole, const Box& part)
{
  std::vector<T> result;
  result.reserve(static_cast<std::size_t>(part.size()));
  for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
  {
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      for (Index x = part.lo[0]; x <= part.hi[0]; ++x)
      {
        result.push_back(volume[static_cast<std::size_t>(whole.offset(x, y, z))]);
      }
    }
  }
  return result;
}

/// Writes a block into the volume.
template <class T>
void paste(const std::vector<T>& block, const Box& part, std::vector<T>& volume, const Box& whole)
{
  std::size_t i = 0;
  for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
  {
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      for (Index x = part.lo[0]; x <= part.hi[0]; ++x)
      {
        volume[static_cast<std::size_t>(whole.offset(x, y, z))] = block[i++];
      }
    }
  }
}

/// volume(x, y, z) for every voxel, coordinates relative to the first voxel.
template <class T, class Value>
std::vector<T> make(const Box& whole, const Value& value)
{
  std::vector<T> volume;
  volume.reserve(static_cast<std::size_t>(whole.size()));
  for (Index z = 0; z < whole.dim(2); ++z)
  {
    for (Index y = 0; y < whole.dim(1); ++y)
    {
      for (Index x = 0; x < whole.dim(0); ++x)
      {
        volume.push_back(static_cast<T>(value(x, y, z)));
      }
    }
  }
  return volume;
}

struct Named
{
  std::string name;
  std::vector<std::uint8_t> voxels;
};

/// Masks of 0 and 1 that kernels find hard: empty, full, one voxel, one slice, checkerboard, a
/// snake of one voxel's width through the whole volume, its complement, noise of several densities,
/// and balls.
inline std::vector<Named> masks(const Box& whole, std::uint64_t seed)
{
  check::Random random(seed);
  const Index nx = whole.dim(0);
  const Index ny = whole.dim(1);
  const Index nz = whole.dim(2);
  const auto snake = [=](Index x, Index y, Index z)
  {
    if (z % 2 == 1) // a single voxel leads to the next slice
    {
      return y == 0 && x == ((z / 2) % 2 == 0 ? nx - 1 : 0);
    }
    if (y % 2 == 0)
    {
      return true;
    }
    return x == ((y / 2) % 2 == 0 ? nx - 1 : 0);
  };
  std::vector<Named> result;
  const auto add = [&](const std::string& name, const std::vector<std::uint8_t>& voxels)
  { result.push_back({ name, voxels }); };
  add("empty", make<std::uint8_t>(whole, [](Index, Index, Index) { return 0; }));
  add("full", make<std::uint8_t>(whole, [](Index, Index, Index) { return 1; }));
  add("one voxel",
    make<std::uint8_t>(
      whole, [=](Index x, Index y, Index z) { return x == nx / 3 && y == ny / 2 && z == nz - 1; }));
  add("one slice", make<std::uint8_t>(whole, [=](Index, Index, Index z) { return z == nz / 2; }));
  add("checkerboard",
    make<std::uint8_t>(whole, [](Index x, Index y, Index z) { return (x + y + z) % 2; }));
  add("snake", make<std::uint8_t>(whole, snake));
  add("not snake",
    make<std::uint8_t>(whole, [&](Index x, Index y, Index z) { return !snake(x, y, z); }));
  for (const int percent : { 3, 30, 50, 70, 97 })
  {
    add("noise " + std::to_string(percent),
      make<std::uint8_t>(whole, [&](Index, Index, Index) { return random.below(100) < percent; }));
  }
  std::vector<std::uint8_t> balls(static_cast<std::size_t>(whole.size()), 0);
  for (int b = 0; b < 5; ++b)
  {
    const Index cx = random.below(nx);
    const Index cy = random.below(ny);
    const Index cz = random.below(nz);
    const Index r = random.between(1, std::max<Index>(2, (nx + ny + nz) / 9));
    const std::vector<std::uint8_t> ball = make<std::uint8_t>(whole, [=](Index x, Index y, Index z)
      { return (x - cx) * (x - cx) + (y - cy) * (y - cy) + (z - cz) * (z - cz) <= r * r; });
    for (std::size_t i = 0; i < balls.size(); ++i)
    {
      balls[i] = static_cast<std::uint8_t>(balls[i] | ball[i]);
    }
  }
  add("balls", balls);
  return result;
}

} // namespace volumes

#endif
