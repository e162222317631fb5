// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Joint smoothing of a block: what must stay, what must go, exactness of steps, any box alike. How
// the parts of ranks come together is tested with the filter; the definition in
// test_joint_smoothing.py.

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

Labels smooth(const Labels& labels, const Box& whole, double factor, const Box* target = nullptr)
{
  const auto part = segcore::jointPart(labels.data(), whole, whole, whole);
  const segcore::CellLattice lattice(whole);
  segcore::SincSmoother smoother(lattice, part.cells, part.stencils, options(factor));
  for (int step = 0; step < smoother.steps(); ++step)
  {
    smoother.step(step);
  }
  smoother.finish();
  const auto crossings =
    segcore::jointCrossings(lattice, part.cells, smoother.values(), part.quads, part.labels);
  const Box box = target ? *target : whole;
  const Labels before = volumes::crop(labels, whole, box);
  Labels result(before.size());
  segcore::fillFromCrossings(crossings, whole, box, box, before.data(), result.data(),
    [](std::uint8_t label) { return label; });
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
}

} // namespace

int TestJointSmoothing(int, char*[])
{
  testWhatStays();
  testWhatGoes();
  testSteps();
  testRandom();
  testErrors();
  return check::result();
}
