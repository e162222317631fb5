// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Multiple thresholds: given ones in all scalar types, and found ones from one histogram of all
// ranks. Truth: comparisons in long double, and three well separated heaps of values.

#include "FilterTest.h"
#include "vtkLabelMapMultiThreshold.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapMultiThreshold>;

Maker given(std::vector<double> thresholds, Index label = 1)
{
  return [thresholds = std::move(thresholds), label]() -> vtkSmartPointer<vtkLabelMapAlgorithm>
  {
    auto filter = Filter::New();
    filter->SetThresholds(thresholds.data(), static_cast<vtkIdType>(thresholds.size()));
    filter->SetSegmentLabel(label);
    return filter;
  };
}

Maker found(int classes)
{
  return [classes]() -> vtkSmartPointer<vtkLabelMapAlgorithm>
  {
    auto filter = Filter::New();
    filter->SetNumberOfClasses(classes);
    return filter;
  };
}

template <class Out, class T>
std::vector<Out> classes(
  const std::vector<T>& values, const std::vector<double>& thresholds, Index label)
{
  std::vector<Out> result;
  for (const T value : values)
  {
    const auto v = static_cast<long double>(value);
    Index at = label;
    for (const double threshold : thresholds)
    {
      at += v >= static_cast<long double>(threshold) ? 1 : 0;
    }
    result.push_back(static_cast<Out>(std::isnan(v) ? 0 : at));
  }
  return result;
}

void testGiven(const World& world)
{
  const Shape shape = oddShape(7, 6, 5);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext("scalar type ", vtkTypeTraits<T>::SizedName());
      const auto values =
        volumes::make<T>(shape.box, [](Index x, Index y, Index z) { return x + y * z; });
      const std::vector<double> thresholds{ -1.0, 3.0, 7.5, 20.0, 500.0 };
      CHECK_EVERYWHERE(world, shape, values, given(thresholds),
        classes<unsigned char>(values, thresholds, 1), "Labels");
      // The last label decides on the type.
      CHECK_EVERYWHERE(world, shape, values, given(thresholds, 251),
        classes<unsigned short>(values, thresholds, 251), "Labels");
    });
  check::setContext("");
}

void testFound(const World& world)
{
  const Shape shape = oddShape(9, 8, 7);
  check::Random random(17);
  const auto values = volumes::make<float>(shape.box,
    [&](Index, Index, Index)
    {
      return static_cast<float>(
        static_cast<double>(random.below(3)) * 100.0 + random.unit() * 20.0);
    });
  CHECK_EVERYWHERE(world, shape, values, found(3),
    classes<unsigned char>(values, { 60.0, 160.0 }, 1), "Labels", Effort::Every);
  const std::vector<float> flat(values.size(), 4.0f);
  CHECK_EVERYWHERE(
    world, shape, flat, found(5), std::vector<unsigned char>(values.size(), 1), "Labels");
}

/// Of values 0 to 999 and two outliers, a part of which is left out of the histogram.
void testTails(const World& world)
{
  const Shape shape = oddShape(25, 20, 10);
  std::vector<float> values = volumes::make<float>(shape.box, [](Index x, Index y, Index z)
    { return static_cast<float>((x + 25 * y + 500 * z) * 7 % 5000 < 2500 ? 100 + x : 900 + y); });
  values[17] = 1e30f;
  values[3000] = -1e20f;
  const auto make = [](double tail)
  {
    return [tail]() -> vtkSmartPointer<vtkLabelMapAlgorithm>
    {
      auto filter = Filter::New();
      filter->SetNumberOfClasses(2);
      filter->SetTailFraction(tail);
      return filter;
    };
  };
  const auto two = classes<unsigned char>(values, { 500.0 }, 1);
  CHECK_EVERYWHERE(world, shape, values, make(0.001), two, "Labels", Effort::Every);
  const auto plain = classes<unsigned char>(values, { 1e29 }, 1);
  CHECK_EVERYWHERE(world, shape, values, make(0.0), plain, "Labels", Effort::Some);
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 3);
  const auto fails = [&](const Maker& make, float value, const char* expected)
  {
    check::setContext("expected: ", expected);
    const Box piece = paralleltest::pieceOf(paralleltest::allLayouts[0], shape.box,
      world.communicator->rank(), world.communicator->size());
    const auto effect = make();
    effect->SetController(world.communicator->controller());
    vtkNew<vtkImageData> output;
    CHECK(!effect->Apply(makePiece(shape, std::vector<float>(27, value), piece), output));
    CHECK(contains(effect->GetLastError(), expected));
    CHECK(sameEverywhere(world, effect->GetLastError()));
    check::setContext("");
  };
  fails(given({ 1.0, 1.0 }), 0.0f, "ascend");
  fails(given({ 2.0, 1.0 }), 0.0f, "ascend");
  fails(given({ std::nan("") }), 0.0f, "Thresholds");
  fails(found(1), 0.0f, "NumberOfClasses");
  fails(found(3), std::nanf(""), "finite");
  fails(given({ 1.0 }, std::numeric_limits<Index>::max()), 0.0f, "SegmentLabel");
}
}

int TestLabelMapMultiThreshold(int argc, char* argv[])
{
  const World world(argc, argv);
  commonSuite(world, given({ 1.0, 2.0 }, 3), "Labels");
  commonSuite(world, found(3), "Labels");
  testGiven(world);
  testTails(world);
  testFound(world);
  testErrors(world);
  return result(world);
}
