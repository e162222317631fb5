// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Watershed: each voxel goes to the marker whose water comes first over the relief of gradients,
// the lowest label where it comes at once. Truth: passes over all voxels and their neighbours until
// nothing changes, on the gradients of the undivided image, which the test of SmoothGradient
// checks.

#include "FilterTest.h"
#include "SmoothGradient.h"
#include "vtkLabelMapWatershed.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

using namespace filtertest;

namespace
{

Maker watershed(double scale = 0.0, std::int64_t wall = 0)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapWatershed>::New();
    effect->SetObjectScaleMm(scale);
    effect->SetWallLabel(wall);
    return effect;
  };
}

template <class V>
std::vector<std::uint32_t> relief(const Shape& shape, const std::vector<V>& volume, double scale)
{
  double largest = 0.0;
  bool complete = true;
  for (const V value : volume)
  {
    const double size = std::abs(static_cast<double>(value));
    complete = complete && std::isfinite(size);
    largest = std::isfinite(size) ? std::max(largest, size) : largest;
  }
  std::vector<float> slopes(volume.size());
  segcore::smoothGradient(volume.data(), shape.box, largest, shape.box, shape.spacing, scale,
    complete, shape.box, slopes.data());
  const auto count = static_cast<Index>(slopes.size());
  segcore::floatsToLevels(slopes.data(), count, segcore::rangeOf(slopes.data(), count));
  std::vector<std::uint32_t> levels(volume.size());
  std::memcpy(levels.data(), slopes.data(), 4 * levels.size());
  return levels;
}

template <class T, class V>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels,
  const std::vector<V>& volume, double scale = 0.0, T wall = T(0))
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  const std::vector<std::uint32_t> levels = relief(shape, volume, scale);
  using Time = std::pair<Index, Index>; // level, steps
  constexpr Time never{ 1 << 20, 0 };
  std::vector<Time> times(labels.size(), never);
  std::vector<T> result(labels);
  const auto isWall = [&](std::size_t at)
  { return levels[at] == 65535 || (wall != T(0) && labels[at] == wall); };
  for (std::size_t at = 0; at < labels.size(); ++at)
  {
    times[at] = labels[at] != T(0) && !isWall(at) ? Time{ levels[at], 0 } : never;
  }
  for (bool changed = true; changed;)
  {
    changed = false;
    for (Index z = 0; z < box.dim(2); ++z)
    {
      for (Index y = 0; y < box.dim(1); ++y)
      {
        for (Index x = 0; x < box.dim(0); ++x)
        {
          const auto to = static_cast<std::size_t>(box.offset(x, y, z));
          if (labels[to] != T(0) || isWall(to))
          {
            continue;
          }
          Time first = never;
          T label = T(0);
          for (int n = 0; n < 6; ++n)
          {
            Index at[3] = { x, y, z };
            at[n / 2] += n % 2 ? 1 : -1;
            if (!box.contains(at[0], at[1], at[2]))
            {
              continue;
            }
            const auto from = static_cast<std::size_t>(box.offset(at[0], at[1], at[2]));
            if (times[from] < first ||
              (times[from] == first && first != never && result[from] < label))
            {
              first = times[from];
              label = result[from];
            }
          }
          const Time time = first == never      ? never
            : Index{ levels[to] } > first.first ? Time{ levels[to], 0 }
                                                : Time{ first.first, first.second + 1 };
          if (time != times[to] || label != result[to])
          {
            times[to] = time;
            result[to] = label;
            changed = true;
          }
        }
      }
    }
  }
  return result;
}

void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 10 : 1, axis == 1 ? 10 : 1, axis == 2 ? 10 : 1);
    const Labels markers{ 0, 3, 0, 0, 0, 0, 0, 0, 2, 0 };
    // They meet at the step, wherever that is.
    const std::vector<short> step{ 5, 5, 5, 5, 5, 5, -9, -9, -9, -9 };
    CHECK_EVERYWHERE(world, shape, markers, watershed(), Labels({ 3, 3, 3, 3, 3, 3, 2, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(step));
    CHECK_EVERYWHERE(world, shape, markers, watershed(1.0),
      Labels({ 3, 3, 3, 3, 3, 3, 2, 2, 2, 2 }), "values", Effort::Every, "values", volumeOf(step));
    // On flat ground half-way, the middle goes to the lowest label.
    const std::vector<short> flat(10, 7);
    CHECK_EVERYWHERE(world, shape, Labels({ 0, 3, 0, 0, 0, 0, 0, 0, 0, 2 }), watershed(2.0),
      Labels({ 3, 3, 3, 3, 3, 2, 2, 2, 2, 2 }), "values", Effort::Every, "values", volumeOf(flat));
    // A wall of what is no number, and one of a label.
    const double none = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> gap{ 1, 1, 1, none, 1, 1, none, 1, 1, 1 };
    CHECK_EVERYWHERE(world, shape, markers, watershed(2.0),
      Labels({ 3, 3, 3, 0, 0, 0, 0, 2, 2, 2 }), "values", Effort::Every, "values", volumeOf(gap));
    const Labels walled{ 0, 3, 0, 9, 0, 0, 9, 0, 2, 0 };
    CHECK_EVERYWHERE(world, shape, walled, watershed(0.0, 9),
      Labels({ 3, 3, 3, 9, 0, 0, 9, 2, 2, 2 }), "values", Effort::Every, "values", volumeOf(flat));
  }
  check::setContext("");
}

/// Plateaus and noise, few and many markers, walls, all ways to cut.
void testRandomVolumes(const World& world)
{
  check::Random random(31);
  const Shape shape = oddShape(13, 9, 8);
  for (const int markersIn1000 : { 3, 30, 300 })
  {
    for (const int values : { 2, 1000 })
    {
      const auto labels = volumes::make<short>(shape.box,
        [&](Index, Index, Index)
        {
          return static_cast<short>(random.below(1000) < markersIn1000 ? random.below(5) - 1 : 0);
        });
      const auto volume = volumes::make<int>(
        shape.box, [&](Index, Index, Index) { return static_cast<int>(random.below(values)) - 5; });
      for (const double scale : { 0.0, 0.4, 2.0 })
      {
        check::setContext("markers ", markersIn1000, " values ", values, " scale ", scale);
        CHECK_EVERYWHERE(world, shape, labels, watershed(scale),
          oracle(shape, labels, volume, scale), "values", Effort::Every, "values",
          volumeOf(volume));
        CHECK_EVERYWHERE(world, shape, labels, watershed(scale, 3),
          oracle<short>(shape, labels, volume, scale, 3), "values", Effort::Some, "values",
          volumeOf(volume));
      }
    }
  }
  check::setContext("holes in the volume");
  const auto labels = volumes::make<unsigned char>(shape.box,
    [&](Index, Index, Index) { return random.below(100) < 4 ? 1 + random.below(3) : 0; });
  const auto volume = volumes::make<float>(shape.box, [&](Index, Index, Index)
    { return random.below(5) ? static_cast<float>(random.unit()) : std::nanf(""); });
  for (const double scale : { 0.0, 1.0 })
  {
    CHECK_EVERYWHERE(world, shape, labels, watershed(scale), oracle(shape, labels, volume, scale),
      "values", Effort::Every, "values", volumeOf(volume));
  }
  check::setContext("");
}

/// One channel that winds through all blocks, on flat ground: as many rounds as it has turns at
/// their faces; and one basin that touches all of them.
/// A value far from all others counts as one 7.5 times their span away.
void testOutliers(const World& world)
{
  check::Random random(78);
  const Shape shape = oddShape(13, 9, 8);
  const auto labels = volumes::make<short>(shape.box, [&](Index, Index, Index)
    { return static_cast<short>(random.below(1000) < 30 ? random.below(4) : 0); });
  const auto values = volumes::make<int>(
    shape.box, [&](Index, Index, Index) { return static_cast<int>(random.below(101)); });
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  CHECK_EQUAL((*most - *least) % 2, 0); // so that the limit is a whole number
  std::vector<int> volume = values;
  std::vector<int> limited = values;
  std::vector<double> wide(values.begin(), values.end());
  for (std::size_t i = 5; i < values.size(); i += 31)
  {
    volume[i] = std::numeric_limits<int>::lowest();
    wide[i] = -1e300;
    limited[i] = *least - (*most - *least) / 2 * 15;
  }
  for (const double scale : { 0.0, 2.0 })
  {
    const auto expected = oracle(shape, labels, limited, scale);
    CHECK_EVERYWHERE(world, shape, labels, watershed(scale), expected, "values", Effort::Every,
      "values", volumeOf(volume));
    CHECK_EVERYWHERE(world, shape, labels, watershed(scale), expected, "values", Effort::Some,
      "values", volumeOf(wide));
    CHECK(expected != oracle(shape, labels, values, scale));
  }
}

void testSpiral(const World& world)
{
  const Shape shape = oddShape(15, 15, 5);
  const Box box = Box::ofSize(15, 15, 5);
  auto labels = volumes::make<unsigned char>(shape.box,
    [](Index x, Index y, Index)
    {
      const Index i = x + 7, j = y - 5;
      const Index ring = std::min({ i, j, 14 - i, 14 - j });
      const bool gate = ring % 2 == 1 && j == 7 && (ring % 4 == 1 ? i < 7 : i > 7);
      return ring % 2 == 0 || gate ? 0 : 9;
    });
  const std::vector<short> volume(labels.size(), 4);
  labels[static_cast<std::size_t>(box.offset(0, 0, 0))] = 2;
  check::setContext("spiral, one marker");
  CHECK_EVERYWHERE(world, shape, labels, watershed(0.0, 9),
    oracle<unsigned char>(shape, labels, volume, 0.0, 9), "values", Effort::Every, "values",
    volumeOf(volume));
  labels[static_cast<std::size_t>(box.offset(7, 7, 4))] = 1;
  check::setContext("spiral");
  CHECK_EVERYWHERE(world, shape, labels, watershed(0.0, 9),
    oracle<unsigned char>(shape, labels, volume, 0.0, 9), "values", Effort::Every, "values",
    volumeOf(volume));
  check::setContext("");
}

void testTypes(const World& world)
{
  check::Random random(32);
  const Shape shape = oddShape(7, 6, 9);
  const auto labels = volumes::make<unsigned char>(shape.box,
    [&](Index, Index, Index) { return random.below(100) < 4 ? 1 + random.below(3) : 0; });
  const auto values = volumes::make<unsigned char>(
    shape.box, [&](Index, Index, Index) { return static_cast<unsigned char>(random.below(100)); });
  const auto expected = oracle(shape, labels, values, 1.0);
  forEachType(
    [&](auto zero)
    {
      using V = decltype(zero);
      check::setContext("volume of ", vtkTypeTraits<V>::SizedName());
      const std::vector<V> typed(values.begin(), values.end());
      CHECK_EVERYWHERE(world, shape, labels, watershed(1.0), expected, "values", Effort::Some,
        "values", volumeOf(typed));
      check::setContext("labels of ", vtkTypeTraits<V>::SizedName());
      const std::vector<V> typedLabels(labels.begin(), labels.end());
      const std::vector<V> typedResult(expected.begin(), expected.end());
      CHECK_EVERYWHERE(world, shape, typedLabels, watershed(1.0), typedResult, "values",
        Effort::Some, "values", volumeOf(values));
    });
  check::setContext("");
}

/// Water that goes farther over flat ground than narrow keys count: they are given up.
void testLongWay(const World& world)
{
  const Shape line = shapeOf(150000, 1, 1);
  std::vector<unsigned char> ends(150000, 0), halves(150000, 7);
  ends.front() = 7;
  ends.back() = 200;
  std::fill(halves.begin() + 75000, halves.end(), static_cast<unsigned char>(200));
  CHECK_EVERYWHERE(world, line, ends, watershed(2.0), halves, "values", Effort::Some, "values",
    volumeOf(std::vector<unsigned char>(150000, 5)));
}

void testEmptyAndFull(const World& world)
{
  const Shape shape = oddShape(6, 5, 7);
  const std::vector<int> volume(210, 3);
  const std::vector<float> nothing(210, std::nanf(""));
  for (const unsigned char value : { 0, 4 })
  {
    const std::vector<unsigned char> all(210, value);
    CHECK_EVERYWHERE(
      world, shape, all, watershed(2.0), all, "values", Effort::Every, "values", volumeOf(volume));
    CHECK_EVERYWHERE(
      world, shape, all, watershed(2.0), all, "values", Effort::Some, "values", volumeOf(nothing));
  }
}

void testErrors(const World& world)
{
  Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, watershed(-0.1)(), image, "ObjectScaleMm is -0.1, expected 0 to 10", shape,
    volumeOf(ones));
  CHECK_REFUSED(world, watershed(10.5)(), image, "ObjectScaleMm is 10.5", shape, volumeOf(ones));
  CHECK_REFUSED(
    world, watershed(std::nan(""))(), image, "ObjectScaleMm is nan", shape, volumeOf(ones));
  shape.spacing[1] = 1.0 / 1024;
  const auto fine = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, watershed(2.0)(), fine, "ObjectScaleMm is 2 mm, which spans 16385 voxels",
    shape, volumeOf(ones));
}

} // namespace

int TestLabelMapWatershed(int argc, char* argv[])
{
  World world(argc, argv);
  std::vector<float> wave;
  for (int i = 0; i < 9 * 8 * 7; ++i)
  {
    wave.push_back(static_cast<float>((i * 37) % 101));
  }
  commonSuite(world, watershed(1.0), "values", volumeOf(wave));
  testHandCheckedLine(world);
  testRandomVolumes(world);
  testOutliers(world);
  testSpiral(world);
  testTypes(world);
  testLongWay(world);
  testEmptyAndFull(world);
  testErrors(world);
  return result(world);
}
