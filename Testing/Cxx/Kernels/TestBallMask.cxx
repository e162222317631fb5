// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// BallMask and ShellMask beyond margins, which TestEuclideanMargin checks. Truth: a loop over all
// pairs of voxels.

#include "ShellMask.h"

#include "Check.h"
#include "Volumes.h"

#include <array>
#include <cmath>

using segcore::Ball;
using segcore::BitBlock;
using segcore::Box;
using segcore::Index;
using segcore::MarginMethod;
using segcore::ShellSide;

namespace
{

using Mask = std::vector<std::uint8_t>;

BitBlock packed(const Mask& mask, const Box& whole, const Box& part)
{
  BitBlock bits(part);
  segcore::packBlock(mask.data(), whole, bits);
  return bits;
}

/// Whether any voxel of the value is at an offset for which inside(|dx|, |dy|, |dz|) holds.
template <class Inside>
Mask slowNear(const Mask& mask, const Box& box, std::uint8_t value, const Inside& inside)
{
  Mask result(mask.size(), 0);
  for (Index i = 0; i < box.size(); ++i)
  {
    for (Index j = 0; j < box.size() && !result[static_cast<std::size_t>(i)]; ++j)
    {
      const Index nx = box.dim(0), ny = box.dim(1);
      result[static_cast<std::size_t>(i)] = mask[static_cast<std::size_t>(j)] == value &&
        inside(std::abs(i % nx - j % nx), std::abs(i / nx % ny - j / nx % ny),
          std::abs(i / nx / ny - j / nx / ny));
    }
  }
  return result;
}

/// growBits and shrinkBits, both ways, on blocks.
void checkBall(const Box& whole, const Mask& mask, const Ball& ball, const Mask& nearObject,
  const Mask& nearBackground)
{
  check::Random random(3);
  for (const bool shrink : { false, true })
  {
    Mask expected(mask.size());
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      expected[i] = shrink ? !nearBackground[i] : nearObject[i];
    }
    for (const MarginMethod method : { MarginMethod::BitRows, MarginMethod::PerAxis })
    {
      for (const int blocks : { 1, 3 })
      {
        Mask joined(mask.size(), 9);
        for (const Box& block : volumes::split(whole, blocks, &random))
        {
          const BitBlock in = packed(mask, whole, block.grown(ball.reach()).clipped(whole));
          BitBlock out(block);
          (shrink ? segcore::shrinkBits : segcore::growBits)(in, ball, out, {}, method);
          segcore::unpackBlock(out, joined.data(), whole);
        }
        CHECK_RANGES(joined, expected, whole.size());
      }
    }
  }
}

/// The ellipsoid, in integers: 4 sum (k / w)^2 <= 1 times the squares of all widths.
void testKernels(const Box& whole)
{
  const Index sizes[][3] = { { 1, 1, 1 }, { 3, 3, 3 }, { 5, 5, 5 }, { 3, 5, 7 }, { 9, 1, 3 },
    { 15, 15, 15 }, { 41, 3, 5 } };
  for (const auto& size : sizes)
  {
    const Index x2 = size[0] * size[0], y2 = size[1] * size[1], z2 = size[2] * size[2];
    const auto inside = [&](Index dx, Index dy, Index dz)
    { return 4 * (dx * dx * y2 * z2 + dy * dy * x2 * z2 + dz * dz * x2 * y2) <= x2 * y2 * z2; };
    for (const volumes::Named& mask : volumes::masks(whole, 21))
    {
      check::setContext("kernel ", size[0], " ", size[1], " ", size[2], " ", mask.name);
      checkBall(whole, mask.voxels, segcore::kernelBall(size),
        slowNear(mask.voxels, whole, 1, inside), slowNear(mask.voxels, whole, 0, inside));
    }
  }
  // Counts from effects that are in use: 19, 81 and 179 voxels, and 61 for 3 x 5 x 7.
  const Box box = Box::ofSize(11, 11, 11);
  for (const auto& [sx, sy, sz, count] :
    { std::array<Index, 4>{ 3, 3, 3, 19 }, { 5, 5, 5, 81 }, { 7, 7, 7, 179 }, { 3, 5, 7, 61 } })
  {
    check::setContext("voxels of ", sx, " ", sy, " ", sz);
    const Index size[3] = { sx, sy, sz };
    const BitBlock in = packed(volumes::make<std::uint8_t>(box, [](Index x, Index y, Index z)
                                 { return x == 5 && y == 5 && z == 5; }),
      box, box);
    BitBlock out(box);
    segcore::growBits(in, segcore::kernelBall(size), out);
    Index voxels = 0;
    for (const segcore::Word word : out.bits)
    {
      voxels += segcore::countOnes(word);
    }
    CHECK_EQUAL(voxels, count);
  }
}

/// Distances to the box of a voxel; across a face always.
void testWalls(const Box& whole)
{
  const double spacings[][3] = { { 1, 1, 1 }, { 0.5, 1.25, 3 }, { 2, 0.4, 1 } };
  for (const auto& spacing : spacings)
  {
    for (const double distance : { 0.0, 0.2, 0.5, 1.0, 1.5, 2.7, 40.0 })
    {
      for (const bool open : { false, true })
      {
        const double limit = distance * distance * (open ? 1.0 - 1e-12 : 1.0 + 1e-12);
        const auto inside = [&](Index dx, Index dy, Index dz)
        {
          const Index d[3] = { dx, dy, dz };
          double sum = 0.0;
          for (int a = 0; a < 3; ++a)
          {
            const double gap = std::max(0.0, static_cast<double>(d[a]) - 0.5) * spacing[a];
            sum += gap * gap;
          }
          return sum <= limit || (!open && dx + dy + dz == 1);
        };
        for (const volumes::Named& mask : volumes::masks(whole, 5))
        {
          check::setContext("wall ", distance, " open ", open, " ", mask.name, " ", spacing[0]);
          checkBall(whole, mask.voxels, segcore::wallBall(spacing, distance, open),
            slowNear(mask.voxels, whole, 1, inside), slowNear(mask.voxels, whole, 0, inside));
        }
      }
    }
  }
}

/// A slab on voxels 5 .. 9 of a line.
void testShells()
{
  const auto shell = [](double spacing, double thickness, ShellSide side, int axis)
  {
    const Box box = axis == 0 ? Box::ofSize(15, 1, 1) : Box::ofSize(1, 1, 15);
    const double step[3] = { spacing, spacing, spacing };
    const BitBlock in = packed(volumes::make<std::uint8_t>(box,
                                 [](Index x, Index, Index z) { return x + z >= 5 && x + z <= 9; }),
      box, box);
    BitBlock out(box);
    segcore::shellBits(in, step, thickness, side, out);
    std::string text;
    for (Index i = 0; i < 15; ++i)
    {
      text += out.test(axis == 0 ? i : 0, 0, axis == 0 ? 0 : i) ? '1' : '.';
    }
    return text;
  };
  for (const int axis : { 0, 2 })
  {
    check::setContext("shell along axis ", axis);
    CHECK_EQUAL(shell(1, 2, ShellSide::Outside, axis), "...11.....11...");
    CHECK_EQUAL(shell(1, 2, ShellSide::Inside, axis), ".....11.11.....");
    CHECK_EQUAL(shell(1, 2, ShellSide::Both, axis), "....11...11....");
    CHECK_EQUAL(shell(1, 3, ShellSide::Both, axis), "....111.111....");
    CHECK_EQUAL(shell(1, 1, ShellSide::Both, axis), ".....1...1.....");
    CHECK_EQUAL(shell(1, 100, ShellSide::Inside, axis), ".....11111.....");
    // The nearest number of voxels, and never none.
    CHECK_EQUAL(shell(3, 7, ShellSide::Inside, axis), ".....11.11.....");
    CHECK_EQUAL(shell(3, 8, ShellSide::Inside, axis), ".....11111.....");
    CHECK_EQUAL(shell(3, 0.1, ShellSide::Inside, axis), ".....1...1.....");
    CHECK_EQUAL(shell(3, 0.1, ShellSide::Outside, axis), "....1.....1....");
    CHECK_EQUAL(shell(3, 0.1, ShellSide::Both, axis), ".....1...1.....");
  }
}

} // namespace

int TestBallMask(int, char*[])
{
  Box whole = Box::ofSize(9, 7, 6);
  whole.lo[1] += 3;
  whole.hi[1] += 3;
  testKernels(whole);
  testWalls(whole);
  testShells();
  // Rows of several words, with spans that leave a word and a row.
  Box wide = Box::ofSize(200, 3, 2);
  const Index size[3] = { 141, 3, 1 };
  const auto inside = [](Index dx, Index dy, Index dz)
  { return dz == 0 && 4 * (dx * dx * 9 + dy * dy * 141 * 141) <= 141 * 141 * 9; };
  for (const volumes::Named& mask : volumes::masks(wide, 8))
  {
    check::setContext("wide ", mask.name);
    checkBall(wide, mask.voxels, segcore::kernelBall(size), slowNear(mask.voxels, wide, 1, inside),
      slowNear(mask.voxels, wide, 0, inside));
  }
  check::setContext("errors");
  const double unit[3] = { 1, 1, 1 };
  const double bad[3] = { 1, 0, 1 };
  const Index even[3] = { 3, 4, 3 };
  CHECK_THROWS(segcore::wallBall(unit, -1.0), std::invalid_argument);
  CHECK_THROWS(segcore::wallBall(unit, NAN), std::invalid_argument);
  CHECK_THROWS(segcore::marginBall(bad, 1.0), std::invalid_argument);
  CHECK_THROWS(segcore::kernelBall(even), std::invalid_argument);
  return check::result();
}
