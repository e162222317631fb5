// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Joint smoothing of a block: what must stay, what must go, exactness of steps, any box alike. How
// the parts of ranks come together is tested with the filter; the definition in
// test_joint_smoothing.py.

#include "JointSlices.h"
#include "JointSmoothing.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>

using segcore::Box;
using segcore::Index;
using Labels = std::vector<std::uint8_t>;

namespace
{

segcore::WindowedSincOptions options(double factor, int steps = 100)
{
  segcore::WindowedSincOptions result;
  result.iterations = steps;
  result.passBand = std::pow(10.0, -4.0 * factor);
  return result;
}

using Rows = segcore::JointRows<std::uint8_t>;

Labels fill(Rows& rows, const Labels& labels, const Box& whole, const Box& box)
{
  rows.sort();
  const Labels before = volumes::crop(labels, whole, box);
  Labels result(before.size());
  rows.fill(box, box, before.data(), result.data(), [](std::uint8_t label) { return label; });
  return result;
}

Rows slicesOf(
  const Labels& labels, const Box& whole, const Box& block, const segcore::WindowedSincOptions& how)
{
  Rows rows(whole);
  segcore::JointSlices<std::uint8_t> slices(block, whole, how);
  Index turns = 0;
  for (; !slices.next().empty(); ++turns)
  {
    // Nothing but what is asked for.
    const Box padded = slices.next();
    const Labels some = volumes::crop(labels, whole, padded);
    slices.add(some.data(), padded, rows);
    CHECK(slices.fraction() > 0.0);
  }
  CHECK_EQUAL(turns, segcore::JointSlices<std::uint8_t>::turns(block, whole, how));
  CHECK_EQUAL(slices.fraction(), 1.0);
  return rows;
}

/// By both ways, which must agree.
Labels smooth(const Labels& labels, const Box& whole, double factor, const Box* target = nullptr,
  int steps = 100)
{
  const auto part = segcore::jointPart(labels.data(), whole, whole, whole);
  const segcore::CellLattice lattice(whole);
  segcore::SincSmoother smoother(lattice, part.cells, part.stencils, options(factor, steps));
  for (int step = 0; step < smoother.steps(); ++step)
  {
    smoother.step(step);
  }
  smoother.finish();
  Rows rows(whole);
  segcore::jointCrossings(lattice, part.cells, smoother.values(), part.quads, part.labels, rows);
  const Box box = target ? *target : whole;
  const Labels result = fill(rows, labels, whole, box);
  Rows others = slicesOf(labels, whole, whole, options(factor, steps));
  const Labels again = fill(others, labels, whole, box);
  CHECK_RANGES(again, result, box.size());
  return result;
}

Box shifted(Index nx, Index ny, Index nz)
{
  Box box = Box::ofSize(nx, ny, nz);
  const Index shift[3] = { -4, 7, 2 };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += shift[a];
    box.hi[a] += shift[a];
  }
  return box;
}

void testWhatStays()
{
  const Box whole = shifted(12, 10, 9);
  const auto make = [&](const auto& value) { return volumes::make<std::uint8_t>(whole, value); };
  for (const double factor : { 0.01, 0.5, 1.0 })
  {
    check::setContext("factor ", factor);
    // Empty, full, halves, quarters, a plate of one voxel: all flat, up to the border of the image.
    for (const Labels& labels :
      { make([](Index, Index, Index) { return 0; }), make([](Index, Index, Index) { return 5; }),
        make([](Index x, Index, Index) { return x < 5 ? 1 : 2; }),
        make([](Index, Index y, Index) { return y < 5 ? 1 : 0; }),
        make([](Index x, Index y, Index) { return 1 + (x < 5) + 2 * (y < 5); }),
        make([](Index, Index, Index z) { return z == 4 ? 9 : 0; }) })
    {
      CHECK_RANGES(smooth(labels, whole, factor), labels, whole.size());
    }
  }
  check::setContext("");
}

void testWhatGoes()
{
  const Box whole = shifted(15, 14, 13);
  // A single voxel, and one that sticks out of a plane.
  const auto speck = [](Index x, Index y, Index z) { return x == 7 && y == 7 && z == 6; };
  const Labels alone = volumes::make<std::uint8_t>(whole, speck);
  CHECK_RANGES(smooth(alone, whole, 0.5), Labels(alone.size(), 0), whole.size());
  const Labels bump = volumes::make<std::uint8_t>(
    whole, [&](Index x, Index y, Index z) { return z < 6 || speck(x, y, z) ? 3 : 0; });
  const Labels plane =
    volumes::make<std::uint8_t>(whole, [](Index, Index, Index z) { return z < 6 ? 3 : 0; });
  CHECK_RANGES(smooth(bump, whole, 0.5), plane, whole.size());
}

/// One step of the filter is half the way to the mean of the neighbours.
void testSteps()
{
  const Box whole = Box::ofSize(5, 5, 5);
  const Labels one = volumes::make<std::uint8_t>(
    whole, [](Index x, Index y, Index z) { return x == 2 && y == 2 && z == 2; });
  const auto part = segcore::jointPart(one.data(), whole, whole, whole);
  CHECK_EQUAL(part.cells.size(), std::size_t{ 8 });
  CHECK_EQUAL(part.labels.size(), std::size_t{ 12 });
  const segcore::CellLattice lattice(whole);
  segcore::SincSmoother smoother(lattice, part.cells, part.stencils, options(0.3, 2));
  smoother.step(0);
  // Each corner of the cube has three neighbours inward: a third of a voxel to the mean, half of
  // it a step, to the nearest multiple of 2^-20.
  const double sixth = std::nearbyint(1048576.0 / 6.0) / 1048576.0;
  for (std::size_t p = 0; p < part.cells.size(); ++p)
  {
    Index at[3];
    lattice.position(part.cells[p], at);
    for (std::size_t a = 0; a < 3; ++a)
    {
      CHECK_EQUAL(smoother.values()[4 * p + a], at[a] == 2 ? sixth : -sixth);
    }
    CHECK_EQUAL(smoother.values()[4 * p + 3], 0.0);
  }
}

/// Any box is what the whole is there; one and two threads are alike; labels stay labels.
void testRandom()
{
  check::Random random(11);
  for (int turn = 0; turn < 20; ++turn)
  {
    check::setContext("turn ", turn);
    const Box whole = shifted(random.between(1, 20), random.between(1, 15), random.between(1, 12));
    const Index grain = random.between(1, 5);
    Labels coarse(4096);
    for (std::uint8_t& label : coarse)
    {
      label = static_cast<std::uint8_t>(random.below(4));
    }
    const Labels labels = volumes::make<std::uint8_t>(whole,
      [&](Index x, Index y, Index z)
      {
        return coarse[static_cast<std::size_t>(x / grain + 20 * (y / grain) + 300 * (z / grain)) %
          4096];
      });
    const double factor = 0.01 + 0.99 * random.unit();
    Labels expected;
    check::withThreads(1, [&] { expected = smooth(labels, whole, factor); });
    Labels threaded;
    check::withThreads(3, [&] { threaded = smooth(labels, whole, factor); });
    CHECK_RANGES(threaded, expected, whole.size());
    for (const Box& box : volumes::split(whole, 3, &random))
    {
      const Labels part = smooth(labels, whole, factor, &box);
      CHECK_RANGES(part, volumes::crop(expected, whole, box), box.size());
    }
  }
  check::setContext("");
}

/// Crossings as a sorted list, to compare those of different ways.
std::vector<std::vector<int>> listOf(const Rows& rows)
{
  std::vector<std::vector<int>> list;
  for (Index z = 0; z < rows.whole().dim(2); ++z)
  {
    for (const auto& crossing : rows.slice(z))
    {
      const auto sides = std::minmax(crossing.labels[0], crossing.labels[1]);
      list.push_back({ static_cast<int>(z), static_cast<int>(crossing.row), crossing.x, sides.first,
        sides.second });
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

/// Blocks with no more around them than the steps reach have the crossings of the whole, each once;
/// few steps, so that this is less than the image. And what a box needs is enough.
void testBlocks()
{
  check::Random random(5);
  for (int turn = 0; turn < 30; ++turn)
  {
    check::setContext("turn ", turn);
    const Box whole = shifted(random.between(1, 40), random.between(1, 30), random.between(1, 60));
    const Index grain = random.between(1, 6);
    const int steps = static_cast<int>(random.between(0, 9));
    const double factor = 0.1 + 0.5 * random.unit();
    const Index salt = random.between(1, 1000);
    const Labels labels = volumes::make<std::uint8_t>(whole,
      [&](Index x, Index y, Index z)
      {
        const Index hash = (x / grain * 73 + y / grain * 151 + z / grain * 283 + salt) * 2654435761;
        return (hash >> 8) % 4;
      });
    const Rows expected = slicesOf(labels, whole, whole, options(factor, steps));
    Rows all(whole);
    std::vector<Rows> parts;
    for (const Box& block : volumes::split(whole, 4, &random))
    {
      parts.push_back(slicesOf(labels, whole, block, options(factor, steps)));
      for (Index z = 0; z < whole.dim(2); ++z)
      {
        const auto& some = parts.back().slice(z);
        all.slice(z).insert(all.slice(z).end(), some.begin(), some.end());
      }
    }
    CHECK(listOf(all) == listOf(expected));
    const Labels result = smooth(labels, whole, factor, nullptr, steps);
    for (const Box& box : volumes::split(whole, 3, &random))
    {
      Rows needed(whole);
      for (Rows& part : parts)
      {
        part.sort();
        for (Index z = box.lo[2] - whole.lo[2]; z <= box.hi[2] - whole.lo[2]; ++z)
        {
          const auto some = part.sliceFor(box, z);
          needed.slice(z).insert(needed.slice(z).end(), some.begin(), some.end());
        }
      }
      CHECK_RANGES(fill(needed, labels, whole, box), volumes::crop(result, whole, box), box.size());
    }
  }
  check::setContext("");
}

void testManyPoints()
{
  // Enough points for several threads to share a step.
  const Box whole = shifted(70, 60, 50);
  const Labels labels = volumes::make<std::uint8_t>(
    whole, [](Index x, Index y, Index z) { return (x * 7 + y * 5 + z * 3) % 11 < 4 ? x % 3 : 0; });
  Labels expected;
  check::withThreads(1, [&] { expected = smooth(labels, whole, 0.3, nullptr, 20); });
  Labels threaded;
  check::withThreads(3, [&] { threaded = smooth(labels, whole, 0.3, nullptr, 20); });
  CHECK(threaded == expected);
  CHECK(expected != labels);
}

void testErrors()
{
  const Box whole = Box::ofSize(4, 4, 4);
  const Labels labels(64, 1);
  const auto refused = [](const auto& work)
  {
    try
    {
      work();
    }
    catch (const std::invalid_argument&)
    {
      return true;
    }
    return false;
  };
  Box half = whole;
  half.hi[0] = 1;
  CHECK(refused([&] { segcore::jointPart(labels.data(), half, half, whole); }));
  const segcore::CellLattice lattice(whole);
  // A point whose neighbour is not there.
  CHECK(refused([&] { segcore::SincSmoother(lattice, { 40 }, { 2 }, options(0.5)); }));
  CHECK(refused([&] { segcore::SincSmoother(lattice, {}, {}, options(-0.5)); }));
  using Slices = segcore::JointSlices<std::uint8_t>;
  CHECK(refused([&] { Slices(whole, half, options(0.5)); }));
  CHECK(refused([&] { Slices(whole, whole, options(-0.5)); }));
  Rows rows(whole);
  Slices slices(whole, whole, options(0.5));
  CHECK(refused([&] { slices.add(labels.data(), half, rows); }));
  slices.add(labels.data(), whole, rows);
  CHECK(slices.next().empty());
  CHECK(refused([&] { slices.add(labels.data(), whole, rows); }));
  Slices nothing(Box(), whole, options(0.5));
  CHECK(nothing.next().empty());
  CHECK_EQUAL(Slices::turns(Box(), whole, options(0.5)), 0);
}

} // namespace

int TestJointSmoothing(int, char*[])
{
  testWhatStays();
  testWhatGoes();
  testSteps();
  testRandom();
  testBlocks();
  testManyPoints();
  testErrors();
  return check::result();
}
