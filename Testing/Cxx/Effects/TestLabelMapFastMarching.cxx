// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Fast marching: the segment gets the voxels with the cheapest paths to it, whole fronts at a time.
// Truth: passes over all voxels and their neighbours until nothing changes, then a sort.

#include "FilterTest.h"
#include "vtkLabelMapFastMarching.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker march(double percent, double locality = 0.0, Index label = 1)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapFastMarching>::New();
    effect->SetPercentMax(percent);
    effect->SetSeedLocalityFactor(locality);
    effect->SetSegmentLabel(label);
    return effect;
  };
}

/// For volumes of whole numbers that span up to 255, at 256 levels for each of them with locality.
template <class T, class V>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels,
  const std::vector<V>& volume, double percent, double locality, T label)
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  constexpr double far = std::numeric_limits<double>::infinity();
  const double scale = locality > 0.0 ? 256.0 : 1.0;
  std::vector<double> time;
  std::vector<T> result(labels);
  std::size_t size = 0;
  for (const T value : labels)
  {
    time.push_back(value == label ? 0.0 : far);
    size += value == label ? 1 : 0;
  }
  for (bool changed = true; changed;)
  {
    changed = false;
    for (Index to = 0; to < box.size(); ++to)
    {
      const Index at[3] = { to % box.dim(0), to / box.dim(0) % box.dim(1),
        to / box.dim(0) / box.dim(1) };
      for (int n = 0; n < 27; ++n)
      {
        const Index d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
        if (!box.contains(at[0] + d[0], at[1] + d[1], at[2] + d[2]))
        {
          continue;
        }
        const auto from =
          static_cast<std::size_t>(box.offset(at[0] + d[0], at[1] + d[1], at[2] + d[2]));
        double square = 0.0;
        for (int a = 0; a < 3; ++a)
        {
          square += static_cast<double>(d[a] * d[a]) * shape.spacing[a] * shape.spacing[a];
        }
        const double now = time[from] +
          scale *
            std::abs(static_cast<double>(volume[static_cast<std::size_t>(to)]) -
              static_cast<double>(volume[from])) +
          std::floor(locality * std::sqrt(square) * scale + 0.5);
        if (now < time[static_cast<std::size_t>(to)])
        {
          time[static_cast<std::size_t>(to)] = now;
          changed = true;
        }
      }
    }
  }
  const auto most = static_cast<std::size_t>(percent * static_cast<double>(labels.size()) / 100.0);
  std::vector<double> sorted;
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    if (labels[i] != label)
    {
      sorted.push_back(time[i]);
    }
  }
  std::sort(sorted.begin(), sorted.end());
  // The time of the first one that does not fit.
  const double limit = most <= size ? 0.0 : most - size < sorted.size() ? sorted[most - size] : far;
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    result[i] = time[i] < limit ? label : labels[i];
  }
  return result;
}

void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Labels seed{ 0, 0, 0, 1, 0, 2, 0, 0, 0, 0 };
  const std::vector<short> volume{ 9, 5, 5, 5, 6, 6, 5, 20, 5, 5 };
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 10 : 1, axis == 1 ? 10 : 1, axis == 2 ? 10 : 1);
    const auto expect = [&](double percent, double locality, const Labels& expected)
    {
      CHECK_EVERYWHERE(world, shape, seed, march(percent, locality), expected, "values",
        Effort::Every, "values", volumeOf(volume));
    };
    // Times: 4 0 0 . 1 1 2 17 32 32.
    expect(0.0, 0.0, seed);
    expect(10.0, 0.0, seed);
    expect(20.0, 0.0, seed); // two of one time do not fit
    expect(30.0, 0.0, { 0, 1, 1, 1, 0, 2, 0, 0, 0, 0 });
    expect(49.0, 0.0, { 0, 1, 1, 1, 0, 2, 0, 0, 0, 0 });
    expect(50.0, 0.0, { 0, 1, 1, 1, 1, 1, 0, 0, 0, 0 });
    expect(60.0, 0.0, { 0, 1, 1, 1, 1, 1, 1, 0, 0, 0 });
    expect(90.0, 0.0, { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 });
    expect(100.0, 0.0, { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 });
    // With a length of 1 each: 7 2 1 . 2 3 5 21 37 38.
    expect(20.0, 1.0, { 0, 0, 1, 1, 0, 2, 0, 0, 0, 0 });
    expect(40.0, 1.0, { 0, 1, 1, 1, 1, 2, 0, 0, 0, 0 });
    expect(50.0, 1.0, { 0, 1, 1, 1, 1, 1, 0, 0, 0, 0 });
  }
  // What is no number is never entered.
  check::setContext("gap");
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> gap{ 9, none, 5, 5, 6, 6, none, 20, 5, 5 };
  CHECK_EVERYWHERE(world, shapeOf(10, 1, 1), seed, march(100.0),
    Labels({ 0, 0, 1, 1, 1, 1, 0, 0, 0, 0 }), "values", Effort::Every, "values", volumeOf(gap));
  check::setContext("");
}

void testRandomVolumes(const World& world)
{
  check::Random random(23);
  const Shape shape = oddShape(13, 9, 8);
  for (const int values : { 1, 4, 256 })
  {
    auto volume = volumes::make<unsigned char>(shape.box,
      [&](Index, Index, Index) { return static_cast<unsigned char>(random.below(values)); });
    volume[0] = 0;
    volume[1] = static_cast<unsigned char>(values - 1);
    const auto labels = volumes::make<short>(shape.box, [&](Index, Index, Index)
      { return static_cast<short>(random.below(100) ? random.below(2) : 5); });
    for (const double percent : { 2.0, 30.0, 75.0, 100.0 })
    {
      for (const double locality : { 0.0, 0.5 })
      {
        check::setContext("values ", values, " percent ", percent, " locality ", locality);
        CHECK_EVERYWHERE(world, shape, labels, march(percent, locality, 5),
          oracle<short>(shape, labels, volume, percent, locality, 5), "values", Effort::Every,
          "values", volumeOf(volume));
      }
    }
  }
  check::setContext("");
}

void testTypesAndLabels(const World& world)
{
  check::Random random(24);
  const Shape shape = oddShape(7, 6, 9);
  const auto labels = volumes::make<unsigned char>(
    shape.box, [&](Index, Index, Index) { return random.below(30) ? 0 : 1 + random.below(3); });
  const auto values = volumes::make<unsigned char>(
    shape.box, [&](Index, Index, Index) { return static_cast<unsigned char>(random.below(100)); });
  const auto expected = oracle<unsigned char>(shape, labels, values, 40.0, 0.0, 2);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext(vtkTypeTraits<T>::SizedName());
      const std::vector<T> typed(values.begin(), values.end());
      const std::vector<T> typedLabels(labels.begin(), labels.end());
      const std::vector<T> typedResult(expected.begin(), expected.end());
      CHECK_EVERYWHERE(world, shape, typedLabels, march(40.0, 0.0, 2), typedResult, "values",
        Effort::Some, "values", volumeOf(typed));
    });
  // An empty segment stays empty.
  check::setContext("empty");
  CHECK_EVERYWHERE(world, shape, labels, march(90.0, 1.0, 77), labels, "values", Effort::Every,
    "values", volumeOf(values));
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(
    world, march(-0.1)(), image, "PercentMax is -0.1, expected 0 to 100", shape, volumeOf(ones));
  CHECK_REFUSED(world, march(std::nan(""))(), image, "PercentMax is nan", shape, volumeOf(ones));
  CHECK_REFUSED(world, march(5.0, 11.0)(), image, "SeedLocalityFactor is 11, expected 0 to 10",
    shape, volumeOf(ones));
}

} // namespace

int TestLabelMapFastMarching(int argc, char* argv[])
{
  World world(argc, argv);
  std::vector<float> wave;
  for (int i = 0; i < 9 * 8 * 7; ++i)
  {
    wave.push_back(static_cast<float>((i * 37) % 101));
  }
  commonSuite(world, march(60.0), "values", volumeOf(wave));
  testHandCheckedLine(world);
  testRandomVolumes(world);
  testTypesAndLabels(world);
  testErrors(world);
  return result(world);
}
