// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Grow from seeds: each voxel goes to the seed of the cheapest path, the lowest label at equal
// cost. Truth: passes over all voxels and their neighbours until nothing changes.

#include "FilterTest.h"
#include "vtkLabelMapExpandSegments.h"
#include "vtkLabelMapGrowFromSeeds.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker grow(double locality = 0.0, std::int64_t wall = 0)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapGrowFromSeeds>::New();
    effect->SetSeedLocalityFactor(locality);
    effect->SetWallLabel(wall);
    return effect;
  };
}

/// For volumes of whole numbers, and costs of length that are whole numbers at `scale` levels for
/// each of them.
template <class T, class V>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels,
  const std::vector<V>& volume, double locality = 0.0, double scale = 1.0, T wall = T(0))
{
  const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
  constexpr double far = std::numeric_limits<double>::infinity();
  std::vector<double> cost(labels.size(), far);
  std::vector<T> result(labels);
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    cost[i] = labels[i] != T(0) && !(wall != T(0) && labels[i] == wall) ? 0.0 : far;
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
          if (labels[to] != T(0) || std::isnan(static_cast<double>(volume[to])))
          {
            continue;
          }
          for (int n = 0; n < 27; ++n)
          {
            const Index d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
            if (!box.contains(x + d[0], y + d[1], z + d[2]))
            {
              continue;
            }
            const auto from = static_cast<std::size_t>(box.offset(x + d[0], y + d[1], z + d[2]));
            if (cost[from] == far || std::isnan(static_cast<double>(volume[from])))
            {
              continue;
            }
            double square = 0.0;
            for (int a = 0; a < 3; ++a)
            {
              square += static_cast<double>(d[a] * d[a]) * shape.spacing[a] * shape.spacing[a];
            }
            const double step = scale *
                std::abs(static_cast<double>(volume[to]) - static_cast<double>(volume[from])) +
              std::floor(locality * std::sqrt(square) * scale + 0.5);
            const double now = cost[from] + step;
            if (now < cost[to] || (now == cost[to] && result[from] < result[to]))
            {
              cost[to] = now;
              result[to] = result[from];
              changed = true;
            }
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
    const Labels seeds{ 0, 3, 0, 0, 0, 0, 0, 0, 2, 0 };
    const std::vector<short> step{ 5, 5, 5, 5, 5, -9, -9, -9, -9, -9 };
    CHECK_EVERYWHERE(world, shape, seeds, grow(), Labels({ 3, 3, 3, 3, 3, 2, 2, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(step));
    // All paths are free: the lowest label; only seeds keep theirs.
    const std::vector<short> flat(10, 7);
    CHECK_EVERYWHERE(world, shape, seeds, grow(), Labels({ 3, 3, 2, 2, 2, 2, 2, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(flat));
    // With locality the nearest.
    CHECK_EVERYWHERE(world, shape, seeds, grow(1.0), Labels({ 3, 3, 3, 3, 3, 2, 2, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(flat));
    // A wall of what is no number, and one of a label.
    const double none = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> gap{ 1, 1, 1, none, 1, 1, none, 1, 1, 1 };
    CHECK_EVERYWHERE(world, shape, seeds, grow(), Labels({ 3, 3, 3, 0, 0, 0, 0, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(gap));
    const Labels walled{ 0, 3, 0, 9, 0, 0, 9, 0, 2, 0 };
    CHECK_EVERYWHERE(world, shape, walled, grow(0.0, 9), Labels({ 3, 3, 3, 9, 0, 0, 9, 2, 2, 2 }),
      "values", Effort::Every, "values", volumeOf(flat));
  }
  check::setContext("");
}

/// Plateaus and noise, few and many seeds, walls, all ways to cut.
void testRandomVolumes(const World& world)
{
  check::Random random(21);
  const Shape shape = oddShape(13, 9, 8);
  for (const int seedsIn1000 : { 3, 30, 300 })
  {
    for (const int values : { 2, 10, 1000 })
    {
      check::setContext("seeds ", seedsIn1000, " values ", values);
      const auto labels = volumes::make<short>(shape.box, [&](Index, Index, Index)
        { return static_cast<short>(random.below(1000) < seedsIn1000 ? random.below(5) - 1 : 0); });
      const auto volume = volumes::make<int>(
        shape.box, [&](Index, Index, Index) { return static_cast<int>(random.below(values)) - 5; });
      CHECK_EVERYWHERE(world, shape, labels, grow(), oracle(shape, labels, volume), "values",
        Effort::Every, "values", volumeOf(volume));
      CHECK_EVERYWHERE(world, shape, labels, grow(0.0, 3),
        oracle<short>(shape, labels, volume, 0.0, 1.0, 3), "values", Effort::Some, "values",
        volumeOf(volume));
    }
  }
  // The span is 1, 255 and 999: 2^8, 2^8 and 2^6 levels for each whole number.
  for (const auto& span : { std::pair<int, double>(2, 256.0), { 256, 256.0 }, { 1000, 64.0 } })
  {
    const int values = span.first;
    const double scale = span.second;
    check::setContext("locality, values ", values);
    auto volume = volumes::make<unsigned short>(shape.box,
      [&](Index, Index, Index) { return static_cast<unsigned short>(random.below(values)); });
    volume[0] = 0;
    volume[1] = static_cast<unsigned short>(values - 1);
    const auto labels = volumes::make<unsigned char>(shape.box,
      [&](Index, Index, Index) { return random.below(100) < 2 ? 1 + random.below(3) : 0; });
    for (const double locality : { 0.25, 3.0, 10.0 })
    {
      CHECK_EVERYWHERE(world, shape, labels, grow(locality),
        oracle(shape, labels, volume, locality, scale), "values", Effort::Every, "values",
        volumeOf(volume));
    }
  }
  check::setContext("");
}

/// One channel that winds through all blocks: as many rounds as it has turns at their seams.
void testSpiral(const World& world)
{
  const Shape shape = oddShape(15, 15, 5);
  const Box box = Box::ofSize(15, 15, 5);
  // Rings of value 0 between walls of 100, joined at one place each.
  auto volume = volumes::make<unsigned char>(shape.box,
    [](Index x, Index y, Index z)
    {
      const Index i = x + 7, j = y - 5, k = z + 3;
      const Index ring = std::min({ i, j, 14 - i, 14 - j });
      const bool gate = ring % 2 == 1 && j == 7 && (ring % 4 == 1 ? i < 7 : i > 7);
      return ring % 2 == 0 || gate ? static_cast<unsigned char>(k % 2) : 100;
    });
  std::vector<unsigned char> labels(volume.size(), 0);
  labels[static_cast<std::size_t>(box.offset(0, 0, 0))] = 2;
  labels[static_cast<std::size_t>(box.offset(7, 8, 4))] = 1;
  check::setContext("spiral");
  CHECK_EVERYWHERE(world, shape, labels, grow(), oracle(shape, labels, volume), "values",
    Effort::Every, "values", volumeOf(volume));
  check::setContext("");
}

/// Levels of all scalar types, and costs that need 64-bit keys.
void testTypes(const World& world)
{
  check::Random random(22);
  const Shape shape = oddShape(7, 6, 9);
  const auto labels = volumes::make<unsigned char>(shape.box,
    [&](Index, Index, Index) { return random.below(100) < 4 ? 1 + random.below(3) : 0; });
  const auto values = volumes::make<unsigned char>(
    shape.box, [&](Index, Index, Index) { return static_cast<unsigned char>(random.below(100)); });
  const auto expected = oracle(shape, labels, values);
  forEachType(
    [&](auto zero)
    {
      using V = decltype(zero);
      check::setContext("volume of ", vtkTypeTraits<V>::SizedName());
      const std::vector<V> typed(values.begin(), values.end());
      CHECK_EVERYWHERE(
        world, shape, labels, grow(), expected, "values", Effort::Some, "values", volumeOf(typed));
      using T = V;
      check::setContext("labels of ", vtkTypeTraits<V>::SizedName());
      const std::vector<T> typedLabels(labels.begin(), labels.end());
      const std::vector<T> typedResult(expected.begin(), expected.end());
      CHECK_EVERYWHERE(world, shape, typedLabels, grow(), typedResult, "values", Effort::Some,
        "values", volumeOf(values));
    });
  // Rounded to 65,536 levels: a scaled volume gives the same.
  check::setContext("fractions");
  auto wide = values;
  wide[0] = 0;
  wide[1] = 255;
  std::vector<float> fractions;
  for (const unsigned char value : wide)
  {
    fractions.push_back(static_cast<float>(value) / 256.0f - 3.0f);
  }
  CHECK_EVERYWHERE(world, shape, labels, grow(), oracle(shape, labels, wide), "values",
    Effort::Every, "values", volumeOf(fractions));
  // Each step costs 65,545; beside two bits of label a 32-bit key holds 4,095 of them.
  check::setContext("dear steps");
  const Shape line = shapeOf(10000, 1, 1);
  std::vector<unsigned char> ends(10000, 0);
  ends.front() = 7;
  ends.back() = 200;
  std::vector<unsigned short> comb(10000);
  for (std::size_t i = 0; i < comb.size(); ++i)
  {
    comb[i] = i % 2 ? 65535 : 0;
  }
  std::vector<unsigned char> halves(10000, 7);
  std::fill(halves.begin() + 5000, halves.end(), static_cast<unsigned char>(200));
  CHECK_EVERYWHERE(
    world, line, ends, grow(10.0), halves, "values", Effort::Some, "values", volumeOf(comb));
  check::setContext("");
}

/// Seeds that come, go and change: each time what a new start gives.
/// A value far from all others counts as one 7.5 times their span away, so that it is not the only
/// one with a level of its own.
void testOutliers(const World& world)
{
  check::Random random(77);
  const Shape shape = oddShape(13, 9, 8);
  const auto labels = volumes::make<short>(shape.box, [&](Index, Index, Index)
    { return static_cast<short>(random.below(1000) < 30 ? random.below(4) : 0); });
  const auto values = volumes::make<int>(
    shape.box, [&](Index, Index, Index) { return static_cast<int>(random.below(100)); });
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  for (const bool low : { true, false })
  {
    check::setContext(low ? "low" : "high", " outliers");
    const double far = low ? *least - 7.5 * (*most - *least) : *most + 7.5 * (*most - *least);
    std::vector<int> volume = values;
    std::vector<int> limited = values;
    for (std::size_t i = 5; i < values.size(); i += 31)
    {
      volume[i] = low ? std::numeric_limits<int>::lowest() : std::numeric_limits<int>::max();
      limited[i] = static_cast<int>(low ? std::floor(far) : std::ceil(far));
    }
    const auto expected = oracle(shape, labels, limited);
    CHECK_EVERYWHERE(
      world, shape, labels, grow(), expected, "values", Effort::Every, "values", volumeOf(volume));
    std::vector<double> wide(volume.begin(), volume.end());
    for (std::size_t i = 5; i < values.size(); i += 31)
    {
      wide[i] = low ? -1e300 : 1e300;
    }
    CHECK_EVERYWHERE(
      world, shape, labels, grow(), expected, "values", Effort::Some, "values", volumeOf(wide));
    // Fractions are rounded to the levels of what is left.
    std::vector<float> fractions;
    for (std::size_t i = 0; i < values.size(); ++i)
    {
      fractions.push_back(static_cast<float>(values[i]) / 128.0f);
    }
    const std::vector<float> clean = fractions;
    for (std::size_t i = 5; i < values.size(); i += 31)
    {
      fractions[i] = low ? -3e38f : 3e38f;
    }
    auto effect = grow()();
    effect->SetController(nullptr);
    vtkNew<vtkImageData> output;
    CHECK(applyTo(effect, makePiece(shape, labels, shape.box), output, shape, volumeOf(fractions)));
    const auto* got = voxels<short>(output, "values");
    std::size_t same = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
      same += got[i] == expected[i] ? 1 : 0;
    }
    CHECK(same >= expected.size() * 95 / 100);
  }
  // Far, but not alone: all values keep their levels.
  check::setContext("none");
  auto plain = values;
  plain[100] = 60000;
  plain[101] = 3000;
  CHECK_EVERYWHERE(world, shape, labels, grow(), oracle(shape, labels, plain), "values",
    Effort::Some, "values", volumeOf(plain));
  check::setContext("");
}

void testUpdates(const World& world)
{
  check::Random random(25);
  const Shape shape = oddShape(13, 9, 8);
  for (const int values : { 2, 40 })
  {
    const auto volume = volumes::make<short>(
      shape.box, [&](Index, Index, Index) { return static_cast<short>(random.below(values)); });
    for (const Layout layout : paralleltest::allLayouts)
    {
      for (const int blocks : { 1, 3 })
      {
        const Box piece = paralleltest::pieceOf(
          layout, shape.box, world.communicator->rank(), world.communicator->size());
        const auto effect = vtkSmartPointer<vtkLabelMapGrowFromSeeds>::New();
        effect->SetController(world.communicator->controller());
        effect->SetNumberOfBlocks(blocks);
        effect->IncrementalOn();
        const auto intensities = makePiece(shape, volume, piece, "intensities");
        auto labels = volumes::make<short>(shape.box, [&](Index, Index, Index)
          { return static_cast<short>(random.below(60) ? 0 : 1 + random.below(4)); });
        for (int turn = 0; turn < 6; ++turn)
        {
          check::setContext("values ", values, " layout ", static_cast<int>(layout), " blocks ",
            blocks, " turn ", turn);
          vtkNew<vtkImageData> output;
          CHECK(effect->Apply(makePiece(shape, labels, piece), intensities, output));
          checkPiece(
            output, shape, piece, oracle(shape, labels, volume), "values", __FILE__, __LINE__);
          for (auto& label : labels)
          {
            if (label ? random.below(3) == 0 : random.below(100) == 0)
            {
              label = static_cast<short>(turn % 3 == 0 ? 0 : random.below(5));
            }
          }
        }
      }
      if (world.communicator->size() == 1)
      {
        break;
      }
    }
  }
  check::setContext("");
}

void testEmptyAndFull(const World& world)
{
  const Shape shape = oddShape(6, 5, 7);
  const std::vector<int> volume(210, 3);
  for (const unsigned char value : { 0, 4 })
  {
    const std::vector<unsigned char> all(210, value);
    CHECK_EVERYWHERE(
      world, shape, all, grow(), all, "values", Effort::Every, "values", volumeOf(volume));
  }
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, grow(-0.1)(), image, "SeedLocalityFactor is -0.1, expected 0 to 10", shape,
    volumeOf(ones));
  CHECK_REFUSED(
    world, grow(std::nan(""))(), image, "SeedLocalityFactor is nan", shape, volumeOf(ones));
  // An effect that reads none.
  vtkNew<vtkLabelMapExpandSegments> expand;
  CHECK_REFUSED(world, expand, image, "reads no volume beside its input, but was given one", shape,
    volumeOf(ones));
}

} // namespace

int TestLabelMapGrowFromSeeds(int argc, char* argv[])
{
  World world(argc, argv);
  std::vector<float> wave;
  for (int i = 0; i < 9 * 8 * 7; ++i)
  {
    wave.push_back(static_cast<float>((i * 37) % 101));
  }
  commonSuite(world, grow(), "values", volumeOf(wave));
  testHandCheckedLine(world);
  testRandomVolumes(world);
  testSpiral(world);
  testTypes(world);
  testOutliers(world);
  testUpdates(world);
  testEmptyAndFull(world);
  testErrors(world);
  return result(world);
}
