// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Threshold: exact bounds in all scalar types, not-a-number and infinities, and Otsu's threshold
// from one histogram of all ranks. Truth: loops over voxels in long double, and Otsu's criterion
// from its definition.

#include "FilterTest.h"
#include "vtkLabelMapThreshold.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double unbounded = 1e299;

using Threshold = vtkSmartPointer<vtkLabelMapThreshold>;

Threshold bounds(double low, double high, Index label = 1)
{
  auto effect = Threshold::New();
  effect->SetMinimumThreshold(low);
  effect->SetMaximumThreshold(high);
  effect->SetSegmentLabel(label);
  return effect;
}

Maker between(double low, double high, Index label = 1)
{
  return [=] { return bounds(low, high, label); };
}

/// long double holds every value of every scalar type, and every double.
template <class T>
std::vector<unsigned char> inside(const std::vector<T>& values, double low, double high)
{
  std::vector<unsigned char> result;
  for (const T value : values)
  {
    const auto v = static_cast<long double>(value);
    const bool above = low <= -unbounded || v >= static_cast<long double>(low);
    const bool below = high >= unbounded || v <= static_cast<long double>(high);
    result.push_back(!std::isnan(v) && above && below ? 1 : 0);
  }
  return result;
}

void testFractionsSelectIntegersBetween(const World& world)
{
  const Shape shape = shapeOf(21, 1, 1);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext("scalar type ", vtkTypeTraits<T>::SizedName());
      const auto values = volumes::make<T>(shape.box, [](Index x, Index, Index) { return x; });
      std::vector<unsigned char> expected(21, 0);
      expected[11] = expected[12] = 1;
      CHECK_EVERYWHERE(world, shape, values, between(10.7, 12.9), expected, "Labels");
      expected[10] = expected[13] = 1; // both ends belong to it
      CHECK_EVERYWHERE(world, shape, values, between(10.0, 13.0), expected, "Labels");
      CHECK_EVERYWHERE(
        world, shape, values, between(13.0, 10.0), std::vector<unsigned char>(21, 0), "Labels");
    });
  check::setContext("");
}

void testAllTypesOnNoise(const World& world)
{
  const Shape shape = oddShape(8, 7, 9);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext("scalar type ", vtkTypeTraits<T>::SizedName());
      check::Random random(11);
      const bool real = std::is_floating_point<T>::value;
      const auto values = volumes::make<T>(shape.box,
        [&](Index, Index, Index)
        {
          return real ? static_cast<T>(random.unit() * 200.0 - 100.0)
                      : static_cast<T>(random.next());
        });
      for (const auto& [low, high] : std::vector<std::pair<double, double>>{
             { -20.5, 30.25 }, { -unbounded, 3.0 }, { -3.0, unbounded }, { -1e18, 1e18 } })
      {
        CHECK_EVERYWHERE(world, shape, values, between(low, high), inside(values, low, high),
          "Labels", std::is_same<T, short>::value ? Effort::Every : Effort::Some);
      }
    });
  check::setContext("");
}

/// Neighbours of 2^53 and the ends of 64 bits are told apart, which a comparison as double cannot.
void testIntegersBeyondDouble(const World& world)
{
  const Index big = Index(1) << 53;
  const Shape shape = shapeOf(7, 1, 1);
  const std::vector<long long> values{ big - 1, big, big + 1, big + 2, big + 3,
    std::numeric_limits<long long>::max(), std::numeric_limits<long long>::min() };
  const auto d = static_cast<double>(big);
  using Labels = std::vector<unsigned char>;
  CHECK_EVERYWHERE(world, shape, values, between(d, d), Labels({ 0, 1, 0, 0, 0, 0, 0 }), "Labels");
  CHECK_EVERYWHERE(
    world, shape, values, between(d, d + 2), Labels({ 0, 1, 1, 1, 0, 0, 0 }), "Labels");
  CHECK_EVERYWHERE(
    world, shape, values, between(d + 2, unbounded), Labels({ 0, 0, 0, 1, 1, 1, 0 }), "Labels");
  // 2^63 is above the largest value; -2^63 is the lowest one.
  const double end = std::ldexp(1.0, 63);
  CHECK_EVERYWHERE(world, shape, values, between(end, unbounded), Labels(7, 0), "Labels");
  CHECK_EVERYWHERE(
    world, shape, values, between(-end, -end), Labels({ 0, 0, 0, 0, 0, 0, 1 }), "Labels");
  const std::vector<unsigned long long> huge{ 0, 1, std::uint64_t(1) << 63,
    (std::uint64_t(1) << 63) + 1, std::numeric_limits<std::uint64_t>::max(), 5, 6 };
  CHECK_EVERYWHERE(
    world, shape, huge, between(end, end), Labels({ 0, 0, 1, 0, 0, 0, 0 }), "Labels");
  CHECK_EVERYWHERE(
    world, shape, huge, between(end, unbounded), Labels({ 0, 0, 1, 1, 1, 0, 0 }), "Labels");
  CHECK_EVERYWHERE(world, shape, huge, between(2 * end, unbounded), Labels(7, 0), "Labels");
  CHECK_EVERYWHERE(
    world, shape, huge, between(-5.0, 0.5), Labels({ 1, 0, 0, 0, 0, 0, 0 }), "Labels");
}

void testNotANumberAndInfinity(const World& world)
{
  const Shape shape = shapeOf(6, 1, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{ nan, -infinity, -1e300, 0.0, 1e300, infinity };
  using Labels = std::vector<unsigned char>;
  // Unbounded includes what lies beyond 1e299.
  CHECK_EVERYWHERE(world, shape, values, Maker([] { return Threshold::New(); }),
    Labels({ 0, 1, 1, 1, 1, 1 }), "Labels");
  CHECK_EVERYWHERE(
    world, shape, values, between(0.0, unbounded), Labels({ 0, 0, 0, 1, 1, 1 }), "Labels");
  CHECK_EVERYWHERE(
    world, shape, values, between(-1e298, 1e298), Labels({ 0, 0, 0, 1, 0, 0 }), "Labels");
  const std::vector<float> floats{ std::nanf(""), -std::numeric_limits<float>::infinity(), 0.1f,
    0.1f, 0.3f, std::numeric_limits<float>::infinity() };
  // 0.1f is a little above 0.1, 0.3f a little above 0.3.
  CHECK_EVERYWHERE(world, shape, floats, between(0.1, 0.3), Labels({ 0, 0, 1, 1, 0, 0 }), "Labels");
}

void testTypeOfLabels(const World& world)
{
  const Shape shape = shapeOf(2, 2, 4);
  const auto values = volumes::make<short>(shape.box, [](Index x, Index, Index) { return x; });
  const auto expect = [&](auto zero, Index label)
  {
    using T = decltype(zero);
    const auto expected = volumes::make<T>(
      shape.box, [&](Index x, Index, Index) { return x == 1 ? static_cast<T>(label) : T(0); });
    CHECK_EVERYWHERE(world, shape, values, between(1.0, 1.0, label), expected, "Labels");
  };
  expect(static_cast<unsigned char>(0), 255);
  expect(static_cast<unsigned short>(0), 256);
  expect(static_cast<unsigned short>(0), 65535);
  expect(0u, 65536);
  expect(0u, (Index(1) << 32) - 1);
  expect(0ull, Index(1) << 32);
  expect(0ull, std::numeric_limits<Index>::max());
}

/// Otsu's criterion from its definition: for each way to cut the bins in two, the variance between
/// classes. Bins as the header says: equal, from the lowest to the highest finite value, the
/// highest in the last one.
double slowOtsu(const std::vector<double>& values, int bins)
{
  double low = infinity;
  double high = -infinity;
  for (const double v : values)
  {
    low = std::isfinite(v) ? std::min(low, v) : low;
    high = std::isfinite(v) ? std::max(high, v) : high;
  }
  // ITK makes the range a hundredth of a bin wider, so that the highest value lies inside the last
  // bin.
  const double width = (high - low) / bins * (1.0 + 0.01 / bins);
  std::vector<Index> counts(static_cast<std::size_t>(bins), 0);
  for (const double v : values)
  {
    if (std::isfinite(v))
    {
      ++counts[static_cast<std::size_t>(std::min(bins - 1.0, std::floor((v - low) / width)))];
    }
  }
  long double best = -1.0L;
  int cut = -1;
  for (int b = 0; b + 1 < bins; ++b)
  {
    long double n[2] = { 0, 0 };
    long double sum[2] = { 0, 0 };
    for (int i = 0; i < bins; ++i)
    {
      n[i > b] += counts[static_cast<std::size_t>(i)];
      sum[i > b] += static_cast<long double>(counts[static_cast<std::size_t>(i)]) * i;
    }
    if (n[0] > 0 && n[1] > 0)
    {
      const long double apart = sum[1] / n[1] - sum[0] / n[0];
      const long double between = n[0] * n[1] * apart * apart;
      if (between > best * (1.0L + 1e-12L))
      {
        best = between;
        cut = b;
      }
    }
  }
  return low + (cut + 1) * width;
}

Maker automatic(int mode, int bins = 64, double low = -unbounded, double high = unbounded)
{
  return [=]
  {
    auto effect = bounds(low, high);
    effect->SetAutoThresholdMode(mode);
    effect->SetNumberOfBins(bins);
    return effect;
  };
}

void testModes(const World& world)
{
  // Two values: every cut between them is equally good, the lowest is taken, just above 10.
  const Shape shape = shapeOf(8, 1, 8);
  const auto values = volumes::make<short>(
    shape.box, [](Index x, Index, Index) { return x == 0 ? -5
                                             : x < 5     ? 10
                                                         : 50; });
  const std::vector<double> numbers(values.begin(), values.end());
  const double t = slowOtsu(numbers, 64);
  CHECK(t > 10.0 && t < 50.0);
  using T = vtkLabelMapThreshold;
  CHECK_EVERYWHERE(
    world, shape, values, automatic(T::AUTO_SET_UPPER, 64, 0.0), inside(values, 0.0, t), "Labels");
  CHECK_EVERYWHERE(world, shape, values, automatic(T::AUTO_SET_LOWER, 64, 0.0, 40.0),
    inside(values, t, 40.0), "Labels");
  CHECK_EVERYWHERE(world, shape, values, automatic(T::AUTO_SET_MIN_UPPER, 64, 0.0, 40.0),
    inside(values, -unbounded, t), "Labels");
  CHECK_EVERYWHERE(world, shape, values, automatic(T::AUTO_SET_LOWER_MAX, 64, 0.0, 40.0),
    inside(values, t, unbounded), "Labels");
}

/// The threshold itself, on all ranks, for every way to cut the image: bit for bit, and as defined.
template <class Values>
void testOtsu(const World& world, const Shape& shape, const Values& values, int bins)
{
  const std::vector<double> numbers(values.begin(), values.end());
  const double expected = slowOtsu(numbers, bins);
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  double serial = 0.0;
  for (const Layout layout : paralleltest::allLayouts)
  {
    const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
    for (const int blocks : { 1, 3, 8 })
    {
      auto effect = Threshold::New();
      effect->SetAutoThresholdMode(vtkLabelMapThreshold::AUTO_SET_LOWER_MAX);
      effect->SetNumberOfBins(bins);
      vtkNew<vtkImageData> output;
      if (serial == 0.0)
      {
        effect->SetController(nullptr);
        CHECK(effect->Apply(makePiece(shape, values, shape.box), output));
        serial = effect->GetAutoThreshold();
        CHECK(std::abs(serial - expected) <= 1e-9 * (1.0 + std::abs(expected)));
      }
      effect->SetController(world.communicator->controller());
      effect->SetNumberOfBlocks(blocks);
      CHECK(effect->Apply(makePiece(shape, values, piece), output));
      CHECK_EQUAL(effect->GetAutoThreshold(), serial);
    }
    if (size == 1)
    {
      break;
    }
  }
}

void testOtsuOfAllRanks(const World& world)
{
  const Shape shape = oddShape(6, 7, 10);
  const int size = world.communicator->size();
  int tested = 0;
  for (std::uint64_t seed = 0; seed < 200 && tested < 2; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    const int bins = seed % 2 ? 256 : 64;
    const auto values = volumes::make<unsigned short>(shape.box, [&](Index, Index y, Index z)
      { return random.below(5000) + (random.below(12) < z ? 2500 : 0) + (y == 3 ? 1500 : 0); });
    // Worth a run if another threshold would come out when voxels of two ranks were counted twice.
    const std::vector<double> once(values.begin(), values.end());
    bool distinguishes = size == 1;
    for (const Layout layout : { Layout::SharedPlanes, Layout::GhostLayers })
    {
      std::vector<double> twice;
      for (int r = 0; r < size; ++r)
      {
        const auto part =
          volumes::crop(values, shape.box, paralleltest::pieceOf(layout, shape.box, r, size));
        twice.insert(twice.end(), part.begin(), part.end());
      }
      distinguishes = distinguishes || slowOtsu(twice, bins) != slowOtsu(once, bins);
    }
    if (distinguishes)
    {
      ++tested;
      testOtsu(world, shape, values, bins);
      testOtsu(world, shape, std::vector<float>(values.begin(), values.end()), bins);
    }
  }
  CHECK_EQUAL(tested, 2);
  // Not-a-number and infinities take no part.
  check::setContext("with not-a-number");
  check::Random random(3);
  std::vector<double> values = volumes::make<double>(
    shape.box, [&](Index x, Index, Index) { return random.unit() + (x > 3 ? 2.0 : 0.0); });
  values[0] = std::numeric_limits<double>::quiet_NaN();
  values[5] = infinity;
  values[17] = -infinity;
  testOtsu(world, shape, values, 64);
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const auto flat = makePiece(shape, std::vector<short>(45, 7), piece, "flat");
  const auto nothing =
    makePiece(shape, std::vector<double>(45, std::numeric_limits<double>::quiet_NaN()), piece);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_REFUSED(
    world, bounds(nan, 1.0), flat, "MinimumThreshold is nan, expected -1e+299 to 1e+299");
  CHECK_REFUSED(world, bounds(0.0, nan), flat, "MaximumThreshold is nan");
  CHECK_REFUSED(world, bounds(0.0, infinity), flat, "MaximumThreshold is inf");
  for (const int bins : { -1, 0, 1, 65537 })
  {
    CHECK_REFUSED(world, automatic(1, bins)(), flat,
      "NumberOfBins is " + std::to_string(bins) + ", expected 2 to 65536");
  }
  CHECK_REFUSED(world, automatic(5)(), flat, "AutoThresholdMode is 5, expected 0 to 4");
  CHECK_REFUSED(world, automatic(-1)(), flat, "AutoThresholdMode is -1");
  auto effect = bounds(0.0, 1.0);
  effect->SetAutoThresholdMethod(12);
  CHECK_REFUSED(world, effect, flat, "AutoThresholdMethod is 12, expected 0 to 11");
  CHECK_REFUSED(world, automatic(1)(), flat, "array 'flat' has a single value");
  CHECK_REFUSED(world, automatic(1)(), nothing, "array 'values' has no finite value");
  CHECK_EQUAL(bounds(0.0, 1.0)->GetAutoThreshold(), 0.0);
}

} // namespace

int TestLabelMapThreshold(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, between(1.0, 1.5), "Labels");
  testFractionsSelectIntegersBetween(world);
  testAllTypesOnNoise(world);
  testIntegersBeyondDouble(world);
  testNotANumberAndInfinity(world);
  testTypeOfLabels(world);
  testModes(world);
  testOtsuOfAllRanks(world);
  testErrors(world);
  return result(world);
}
