// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Level tracing: the inside of an outline in a slice. Truth: cases checked by eye here, and for
// random slices the serial kernel, whose own oracle is in TestLevelOutline.

#include "LevelOutline.h"
#include "OutlineOracle.h"
#include "vtkLabelMapLevelTracing.h"

using namespace filtertest;

namespace
{

Maker trace(const std::vector<Point>& points, const Point& normal = { { 0.0, 0.0, 1.0 } })
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapLevelTracing>::New();
    effect->SetPoints(points[0].data(), static_cast<vtkIdType>(points.size()));
    effect->SetSliceNormal(normal[0], normal[1], normal[2]);
    return effect;
  };
}

/// A ring of 5 with a hole, in which one pixel is high again; all scalar types.
void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(7, 5, 1);
  // clang-format off
  const std::vector<int> values = {
    0, 0, 0, 0, 0, 0, 0,
    0, 5, 5, 6, 5, 5, 0,
    0, 5, 5, 1, 7, 5, 0,
    0, 5, 5, 5, 5, 5, 0,
    0, 0, 0, 0, 0, 0, 0 };
  const Labels outer = {
    0, 0, 0, 0, 0, 0, 0,
    0, 1, 1, 1, 1, 1, 0,
    0, 1, 1, 1, 1, 1, 0,
    0, 1, 1, 1, 1, 1, 0,
    0, 0, 0, 0, 0, 0, 0 };
  // Around the hole, with the pixels beside it.
  const Labels inner = {
    0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 1, 0, 0, 0,
    0, 0, 1, 1, 1, 0, 0,
    0, 0, 0, 1, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0 };
  // clang-format on
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      std::vector<T> typed(values.begin(), values.end());
      check::setContext(vtkTypeTraits<T>::SizedName());
      CHECK_EVERYWHERE(world, shape, typed, trace({ { { 1.2, 0.9, 0.0 } } }), outer, "Labels");
      CHECK_EVERYWHERE(world, shape, typed, trace({ { { 2.0, 2.0, 0.4 } } }), inner, "Labels");
      // Nothing: outside of the volume; below all its neighbours.
      CHECK_EVERYWHERE(
        world, shape, typed, trace({ { { 7.0, 2.0, 0.0 } } }), Labels(35, 0), "Labels");
      CHECK_EVERYWHERE(
        world, shape, typed, trace({ { { 0.0, 0.0, 0.0 } } }), Labels(35, 0), "Labels");
    });
  check::setContext("");
  // Levels that no integer tells apart, and NaN, which is below all.
  std::vector<double> fine(values.begin(), values.end());
  for (double& value : fine)
  {
    value = value > 4 ? 0.25 + value / 1000.0
                      : (value == 1 ? std::numeric_limits<double>::quiet_NaN() : 0.25);
  }
  CHECK_EVERYWHERE(world, shape, fine, trace({ { { 1.0, 1.0, 0.0 } } }), outer, "Labels");
  CHECK_EVERYWHERE(world, shape, fine, trace({ { { 2.0, 2.0, 0.0 } } }), inner, "Labels");
  CHECK_EVERYWHERE(world, shape, fine, trace({ { { 3.0, 2.0, 0.0 } } }), Labels(35, 0), "Labels");
}

/// Slices across all axes of odd images, several seeds at once.
void testSlices(const World& world)
{
  for (int turn = 0; turn < 6; ++turn)
  {
    check::setContext("turn ", turn);
    check::Random random(static_cast<std::uint64_t>(turn));
    const Shape shape = oddShape(13, 11, 9, turn % 2 == 0);
    const auto values = volumes::make<float>(shape.box, [&](Index x, Index y, Index z)
      { return (x / 2 + y / 3 + z / 2) % 4 + random.below(2) * 0.5; });
    const int across = turn % 3;
    Point normal;
    for (std::size_t r = 0; r < 3; ++r)
    {
      // Nearly a column.
      normal[r] = shape.direction[3 * r + static_cast<std::size_t>(across)] + (r == 0 ? 0.2 : 0.1);
    }
    std::vector<Point> points;
    std::vector<unsigned char> expected(values.size(), 0);
    Index found = 0;
    for (int p = 0; p < 3; ++p)
    {
      Index seed[3];
      for (int a = 0; a < 3; ++a)
      {
        seed[a] = random.between(shape.box.lo[a], shape.box.hi[a]);
      }
      points.push_back(worldOf(shape, static_cast<double>(seed[0]) + 0.3,
        static_cast<double>(seed[1]) - 0.3, static_cast<double>(seed[2]) + 0.2));
      Box slice = shape.box;
      slice.lo[across] = slice.hi[across] = seed[across];
      const float level =
        values[static_cast<std::size_t>(shape.box.offset(seed[0], seed[1], seed[2]))];
      std::vector<std::uint8_t> above;
      for (const float value : volumes::crop(values, shape.box, slice))
      {
        above.push_back(value >= level ? 1 : 0);
      }
      const int u = across == 0 ? 1 : 0, v = across == 2 ? 1 : 2;
      std::vector<std::uint8_t> inside(above.size());
      segcore::levelOutline(above.data(), slice.dim(u), slice.dim(v), seed[u] - slice.lo[u],
        seed[v] - slice.lo[v], inside.data());
      for (Index k = slice.lo[2]; k <= slice.hi[2]; ++k)
      {
        for (Index j = slice.lo[1]; j <= slice.hi[1]; ++j)
        {
          for (Index i = slice.lo[0]; i <= slice.hi[0]; ++i)
          {
            const std::uint8_t one = inside[static_cast<std::size_t>(slice.offset(i, j, k))];
            expected[static_cast<std::size_t>(shape.box.offset(i, j, k))] |= one;
            found += one;
          }
        }
      }
    }
    CHECK(found > 0);
    CHECK_EVERYWHERE(world, shape, values, trace(points, normal), expected, "Labels");
  }
  check::setContext("");
}

} // namespace

int TestLabelMapLevelTracing(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(9, 8, 7);
  commonSuite(
    world, trace({ worldOf(shape, -4.0, 8.0, 0.0), worldOf(shape, 0.0, 9.0, 2.0) }), "Labels");
  testByHand(world);
  testSlices(world);
  const auto good = [&]
  {
    auto effect = vtkSmartPointer<vtkLabelMapLevelTracing>::New();
    effect->AddPoint(0.0, 0.0, 0.0);
    return effect;
  };
  using Filter = vtkLabelMapLevelTracing;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [](Filter* f) { f->SetSliceNormal(0.0, 0.0, 0.0); }, "SliceNormal" } });
  return result(world);
}
