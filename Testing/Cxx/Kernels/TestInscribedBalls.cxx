// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// InscribedBalls. Truth: a loop over all balls and all voxels; plates, rods and balls in numbers.

#include "InscribedBalls.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>
#include <cstdlib>

using segcore::BitBlock;
using segcore::Box;
using segcore::Index;

namespace
{

using Mask = std::vector<std::uint8_t>;
using Diameters = std::vector<double>;

/// 1 + the number of the diameter of each voxel; 0 for none.
using Numbers = std::vector<int>;

/// The square of the distance from a centre, to the centre of another voxel or to its box.
double squareTo(const Box& box, Index i, Index j, const double spacing[3], double skin)
{
  const Index nx = box.dim(0), ny = box.dim(1);
  const Index d[3] = { std::abs(i % nx - j % nx), std::abs(i / nx % ny - j / nx % ny),
    std::abs(i / nx / ny - j / nx / ny) };
  double sum = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    const double along = std::max(0.0, static_cast<double>(d[a]) - skin) * spacing[a];
    sum += along * along;
  }
  return sum;
}

Numbers slow(const Mask& mask, const Box& box, const double spacing[3], const Diameters& diameters,
  bool borderIsWall)
{
  Numbers numbers(mask.size(), 0);
  for (Index c = 0; c < box.size(); ++c)
  {
    // The square of the room around the centre.
    double room = mask[static_cast<std::size_t>(c)] ? 1e300 : 0.0;
    for (Index b = 0; b < box.size(); ++b)
    {
      if (!mask[static_cast<std::size_t>(b)])
      {
        room = std::min(room, squareTo(box, c, b, spacing, 0.5));
      }
    }
    if (borderIsWall)
    {
      const Index nx = box.dim(0), ny = box.dim(1);
      const Index at[3] = { c % nx, c / nx % ny, c / nx / ny };
      for (int a = 0; a < 3; ++a)
      {
        const Index steps = std::min(at[a], box.dim(a) - 1 - at[a]);
        const double wall = (static_cast<double>(steps) + 0.5) * spacing[a];
        room = std::min(room, wall * wall);
      }
    }
    for (std::size_t n = 0; n < diameters.size(); ++n)
    {
      const double square = diameters[n] * diameters[n] / 4.0;
      if (square * (1.0 - 1e-12) >= room)
      {
        break;
      }
      for (Index p = 0; p < box.size(); ++p)
      {
        if (squareTo(box, c, p, spacing, 0.0) <= square * (1.0 + 1e-12))
        {
          int& number = numbers[static_cast<std::size_t>(p)];
          number = std::max(number, static_cast<int>(n) + 1);
        }
      }
    }
  }
  return numbers;
}

/// The same by the kernel, in blocks.
Numbers fast(const Mask& mask, const Box& whole, const double spacing[3],
  const Diameters& diameters, bool borderIsWall, int blocks)
{
  check::Random random(9);
  Numbers numbers(mask.size(), 0);
  Index reach[3];
  segcore::openingReach(spacing, diameters.back(), reach);
  for (const Box& block : volumes::split(whole, blocks, &random))
  {
    BitBlock bits(block.grown(reach).clipped(whole.grown(borderIsWall ? 1 : 0)));
    bits.clear();
    for (Index z = whole.lo[2]; z <= whole.hi[2]; ++z)
    {
      for (Index y = whole.lo[1]; y <= whole.hi[1]; ++y)
      {
        for (Index x = whole.lo[0]; x <= whole.hi[0]; ++x)
        {
          if (bits.box.contains(x, y, z) && mask[static_cast<std::size_t>(whole.offset(x, y, z))])
          {
            const Index i = x - bits.box.lo[0];
            bits.row(y, z)[i >> 6] |= segcore::Word{ 1 } << (i & 63);
          }
        }
      }
    }
    int last = static_cast<int>(diameters.size());
    segcore::forEachInscribed(bits, block, whole, spacing, diameters,
      [&](std::size_t n, const BitBlock& voxels)
      {
        CHECK(static_cast<int>(n) < last);
        last = static_cast<int>(n);
        CHECK(block.contains(voxels.box));
        Index count = 0;
        for (Index z = voxels.box.lo[2]; z <= voxels.box.hi[2]; ++z)
        {
          for (Index y = voxels.box.lo[1]; y <= voxels.box.hi[1]; ++y)
          {
            for (Index x = voxels.box.lo[0]; x <= voxels.box.hi[0]; ++x)
            {
              if (voxels.test(x, y, z))
              {
                int& number = numbers[static_cast<std::size_t>(whole.offset(x, y, z))];
                CHECK_EQUAL(number, 0); // each voxel once
                number = static_cast<int>(n) + 1;
                ++count;
              }
            }
          }
        }
        CHECK_EQUAL(segcore::countBits(voxels, voxels.box), count);
      });
  }
  return numbers;
}

void testAgainstLoop(const Box& whole)
{
  const double spacings[][3] = { { 1, 1, 1 }, { 0.5, 1.25, 2 }, { 2, 0.7, 1.1 } };
  const Diameters lists[] = { { 1, 2, 3, 4, 5, 6, 7 }, { 0.3, 1.7, 2.5, 3.1, 4.4 }, { 3 } };
  for (const auto& spacing : spacings)
  {
    for (const Diameters& diameters : lists)
    {
      for (const volumes::Named& mask : volumes::masks(whole, 31))
      {
        for (const bool wall : { false, true })
        {
          check::setContext(mask.name, " spacing ", spacing[0], " diameters ", diameters.size(),
            " from ", diameters[0], " wall ", wall);
          const Numbers expected = slow(mask.voxels, whole, spacing, diameters, wall);
          for (const int blocks : { 1, 4 })
          {
            CHECK_RANGES(
              fast(mask.voxels, whole, spacing, diameters, wall, blocks), expected, whole.size());
          }
        }
      }
    }
  }
  check::setContext("");
}

/// How many voxels got which diameter.
std::vector<Index> counts(
  const Mask& mask, const Box& box, const double spacing[3], const Diameters& diameters, bool wall)
{
  std::vector<Index> result(diameters.size() + 1, 0);
  const Numbers numbers = fast(mask, box, spacing, diameters, wall, 2);
  for (std::size_t i = 0; i < mask.size(); ++i)
  {
    result[static_cast<std::size_t>(numbers[i])] += mask[i] ? 1 : 0;
    CHECK(mask[i] || numbers[i] == 0);
  }
  return result;
}

void testShapes()
{
  using Counts = std::vector<Index>;
  const double unit[3] = { 1, 1, 1 };
  const Diameters list{ 1, 2, 3, 4, 5, 6, 7, 8, 9 };
  // A plate of w voxels across a small image: as thick as it is if w is odd, else one voxel less.
  for (const int w : { 1, 2, 3, 4, 5 })
  {
    check::setContext("plate of ", w);
    const Box box = Box::ofSize(12, 5, 5);
    const Mask plate =
      volumes::make<std::uint8_t>(box, [w](Index x, Index, Index) { return x >= 3 && x < 3 + w; });
    Counts expected(10, 0);
    expected[static_cast<std::size_t>(w - (w + 1) % 2)] = 25 * w;
    CHECK(counts(plate, box, unit, list, false) == expected);
    // In millimetres.
    const double thin[3] = { 0.2, 7, 7 };
    const Diameters tenths{ 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8 };
    CHECK(counts(plate, box, thin, tenths, false) == expected);
  }
  // A rod of 5 x 5 voxels through the image has balls of 5; its edges, which they do not reach, are
  // thinner. Between walls, not so at its ends.
  {
    check::setContext("rod");
    const Box box = Box::ofSize(9, 9, 6);
    const Mask rod = volumes::make<std::uint8_t>(
      box, [](Index x, Index y, Index) { return std::abs(x - 4) <= 2 && std::abs(y - 4) <= 2; });
    // A disk of diameter 5 has 21 of the 25 voxels; one of 3 reaches the corners.
    CHECK(counts(rod, box, unit, list, false) == Counts({ 0, 0, 0, 24, 0, 126, 0, 0, 0, 0 }));
    const Counts walled = counts(rod, box, unit, list, true);
    CHECK(walled[5] > 0);
    CHECK(walled[5] < 126);
  }
  // Two balls of different size, apart.
  {
    check::setContext("two balls");
    const Box box = Box::ofSize(26, 15, 15);
    const auto ball = [](Index x, Index y, Index z, Index centre, double radius)
    {
      const double dx = static_cast<double>(x - centre), dy = static_cast<double>(y - 7),
                   dz = static_cast<double>(z - 7);
      return dx * dx + dy * dy + dz * dz <= radius * radius;
    };
    const Mask balls = volumes::make<std::uint8_t>(box,
      [&](Index x, Index y, Index z) { return ball(x, y, z, 7, 6.4) || ball(x, y, z, 20, 3.4); });
    const Counts found = counts(balls, box, unit, { 2, 4, 6, 8, 10, 11 }, false);
    Index inLarge = 0, inSmall = 0;
    for (Index i = 0; i < box.size(); ++i)
    {
      (i % 26 <= 14 ? inLarge : inSmall) += balls[static_cast<std::size_t>(i)];
    }
    // Most of each is in a ball that is nearly as large as it is.
    CHECK(found[6] > inLarge * 6 / 10);
    CHECK(found[6] <= inLarge);
    CHECK(found[3] + found[2] > inSmall / 2);
    CHECK(found[4] + found[5] < inLarge * 4 / 10);
  }
  // A full image without walls has room for any ball.
  {
    check::setContext("full");
    const Box box = Box::ofSize(5, 4, 3);
    const Mask full(60, 1);
    CHECK(counts(full, box, unit, { 1, 50, 5000 }, false) == Counts({ 0, 0, 0, 60 }));
    CHECK(counts(full, box, unit, { 1, 50, 5000 }, true) == Counts({ 0, 60, 0, 0 }));
  }
  check::setContext("");
}

void testBounds()
{
  Box box = Box::ofSize(130, 4, 3);
  box.lo[0] -= 5;
  box.hi[0] -= 5;
  BitBlock bits(box);
  bits.clear();
  CHECK(segcore::bitBounds(bits).empty());
  CHECK_EQUAL(segcore::countBits(bits, box), 0);
  const auto set = [&](Index x, Index y, Index z)
  { bits.row(y, z)[(x + 5) >> 6] |= segcore::Word{ 1 } << ((x + 5) & 63); };
  set(124, 2, 1);
  CHECK(segcore::bitBounds(bits) == (Box{ { 124, 2, 1 }, { 124, 2, 1 } }));
  set(60, 3, 0);
  CHECK(segcore::bitBounds(bits) == (Box{ { 60, 2, 0 }, { 124, 3, 1 } }));
  CHECK_EQUAL(segcore::countBits(bits, box), 2);
  CHECK_EQUAL(segcore::countBits(bits, Box{ { 61, 0, 0 }, { 124, 3, 2 } }), 1);
}

} // namespace

int TestInscribedBalls(int, char*[])
{
  Box whole = Box::ofSize(8, 6, 7);
  whole.lo[2] -= 4;
  whole.hi[2] -= 4;
  testAgainstLoop(whole);
  testShapes();
  testBounds();
  check::setContext("errors");
  const double unit[3] = { 1, 1, 1 };
  BitBlock bits(whole);
  std::fill(bits.bits.begin(), bits.bits.end(), segcore::lowBits(8));
  const auto none = [](std::size_t, const BitBlock&) {};
  const auto of = [&](const Diameters& diameters, const BitBlock& in)
  { segcore::forEachInscribed(in, whole, whole, unit, diameters, none); };
  CHECK_THROWS(of({ 2, 2 }, bits), std::invalid_argument);
  CHECK_THROWS(of({ 0, 2 }, bits), std::invalid_argument);
  CHECK_THROWS(of({ NAN }, bits), std::invalid_argument);
  Box small = whole;
  small.hi[0] -= 3;
  BitBlock part(small);
  std::fill(part.bits.begin(), part.bits.end(), segcore::lowBits(5));
  CHECK_THROWS(of({ 5 }, part), std::invalid_argument);
  return check::result();
}
