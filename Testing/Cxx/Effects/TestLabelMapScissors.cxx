// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Scissors: what is seen inside or outside of an outline is erased or filled. Truth: every voxel
// through the matrix, in long double, and the edges beside its place (OutlineOracle.h).

#include "OutlineOracle.h"
#include "vtkLabelMapScissors.h"

using namespace filtertest;

namespace
{

using Scissors = vtkSmartPointer<vtkLabelMapScissors>;
using Matrix = std::array<double, 16>;

constexpr Matrix Identity = { { 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0,
  0.0, 0.0, 1.0 } };
/// Oblique, and sheared; and of a camera that has all of an odd shape before it.
constexpr Matrix Slice = { { 0.6, 0.8, 0.0, 3.0, -0.8, 0.6, 0.1, -2.0, 0.0, 0.3, 1.5, 4.0, 0.0, 0.0,
  0.0, 2.0 } };
constexpr Matrix Camera = { { 1.1, 0.1, 0.2, 0.4, -0.1, 0.9, 0.3, 0.0, 0.1, 0.2, 1.2, 3.0, 0.01,
  -0.02, 0.05, 2.0 } };

struct Cut
{
  std::vector<Point> points;
  int operation = 0;
  int shape = 0;
  bool centred = false;
  int mode = 0;
  double depth = 0.0;
  Matrix view = Identity;
};

Maker cut(const Cut& how)
{
  return [=]
  {
    auto effect = Scissors::New();
    effect->SetPoints(how.points[0].data(), static_cast<vtkIdType>(how.points.size()));
    effect->SetOperation(how.operation);
    effect->SetShape(how.shape);
    effect->SetShapeDrawCentered(how.centred);
    effect->SetSliceCutMode(how.mode);
    effect->SetSliceCutDepthMm(how.depth);
    effect->SetViewMatrix(how.view.data());
    return effect;
  };
}

Real row(const Matrix& m, std::size_t r, const Point& p)
{
  return along({ { m[4 * r], m[4 * r + 1], m[4 * r + 2] } }, p) + m[4 * r + 3];
}

MaskOracle oracle(const Cut& how)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Matrix& m = how.view;
    const auto place = [&](const Point& p)
    { return Place{ { row(m, 0, p) / row(m, 3, p), row(m, 1, p) / row(m, 3, p) } }; };
    std::vector<Place> outline;
    Real mean[3] = { 0, 0, 0 };
    for (const Point& p : how.points)
    {
      outline.push_back(place(p));
      for (std::size_t a = 0; a < 3; ++a)
      {
        mean[a] += static_cast<Real>(p[a]) / how.points.size();
      }
    }
    const bool camera = m[12] != 0.0 || m[13] != 0.0 || m[14] != 0.0;
    const std::size_t sight = camera ? 12 : 8;
    const Point n{ { m[sight], m[sight + 1], m[sight + 2] } };
    const Real length = std::sqrt(along(n, n));
    Real slice = 0;
    for (std::size_t a = 0; a < 3; ++a)
    {
      const Point step{ { shape.direction[a], shape.direction[3 + a], shape.direction[6 + a] } };
      slice = std::max(slice, std::abs(along(n, step)) / length * shape.spacing[a]);
    }
    Place a = outline.front(), b = outline.back();
    if (how.shape == vtkLabelMapScissors::RECTANGLE)
    {
      const Place c = how.centred ? Place{ { 2 * a[0] - b[0], 2 * a[1] - b[1] } } : a;
      outline = { c, { { b[0], c[1] } }, b, { { c[0], b[1] } } };
    }
    Real radius = std::hypot(a[0] - b[0], a[1] - b[1]);
    if (!how.centred)
    {
      a = { { (a[0] + b[0]) / 2, (a[1] + b[1]) / 2 } };
      radius /= 2;
    }
    auto result = voxelsWhere(shape,
      [&](const Point& p)
      {
        const Real depth =
          (along(n, p) - n[0] * mean[0] - n[1] * mean[1] - n[2] * mean[2]) / length;
        const Real half = slice / 2;
        const Real symmetric = std::max<Real>(half, how.depth / 2.0);
        if ((how.mode == 1 && depth < -half) || (how.mode == 2 && depth >= half) ||
          (how.mode == 3 && (depth < -symmetric || depth >= symmetric)))
        {
          return false;
        }
        bool inside = row(m, 3, p) > 0;
        if (inside)
        {
          const Place seen = place(p);
          inside = how.shape == vtkLabelMapScissors::CIRCLE
            ? std::hypot(seen[0] - a[0], seen[1] - a[1]) <= radius
            : insideOutline(outline, seen);
        }
        return inside == (how.operation % 2 == 0);
      });
    const bool erase = how.operation < 2;
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      result[i] = static_cast<std::uint8_t>(erase ? mask[i] & ~result[i] : mask[i] | result[i]);
    }
    return result;
  };
}

/// A rectangle from 1, 1 to 3, 2 along z; half-open edges.
void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  Cut how;
  how.points = { { { 1.0, 1.0, 9.0 } }, { { 3.0, 2.0, 9.0 } } };
  how.shape = vtkLabelMapScissors::RECTANGLE;
  // clang-format off
  const Labels before({ 1, 1, 1, 1, 1,  1, 2, 1, 1, 1,  1, 1, 1, 1, 1 });
  const Labels after[4] = {
    Labels({ 1, 1, 1, 1, 1,  1, 2, 0, 1, 1,  1, 1, 1, 1, 1 }),
    Labels({ 0, 0, 0, 0, 0,  0, 2, 1, 0, 0,  0, 0, 0, 0, 0 }),
    Labels({ 1, 1, 1, 1, 1,  1, 1, 1, 1, 1,  1, 1, 1, 1, 1 }),
    Labels({ 1, 1, 1, 1, 1,  1, 2, 1, 1, 1,  1, 1, 1, 1, 1 }) };
  // clang-format on
  for (how.operation = 0; how.operation < 4; ++how.operation)
  {
    check::setContext("operation ", how.operation);
    CHECK_EVERYWHERE(
      world, shapeOf(5, 3, 1), before, cut(how), after[how.operation], "values", Effort::Every);
  }
  check::setContext("");
  // One slice, whatever the side, at least; and what is beyond stays.
  how.operation = vtkLabelMapScissors::ERASE_OUTSIDE;
  how.points = { { { 1.0, 0.0, 2.0 } }, { { 2.0, 1.0, 2.0 } } };
  const Labels expected[4] = { { 0, 0, 0, 0, 0, 0 }, { 1, 1, 0, 0, 0, 0 }, { 0, 0, 0, 1, 1, 1 },
    { 1, 1, 0, 1, 1, 1 } };
  for (how.mode = 0; how.mode < 4; ++how.mode)
  {
    check::setContext("mode ", how.mode);
    CHECK_EVERYWHERE(world, shapeOf(1, 1, 6), Labels(6, 1), cut(how), expected[how.mode], "values");
  }
  check::setContext("");
  how.mode = vtkLabelMapScissors::SYMMETRIC;
  how.depth = 3.0;
  CHECK_EVERYWHERE(
    world, shapeOf(1, 1, 6), Labels(6, 1), cut(how), Labels({ 1, 0, 0, 0, 1, 1 }), "values");
  // A camera at z = 2 that looks up sees nothing below, and so all of that is outside.
  how = Cut();
  how.operation = vtkLabelMapScissors::FILL_OUTSIDE;
  how.view = { { 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0,
    -2.0 } };
  how.points = { { { -1.0, -1.0, 4.0 } }, { { 1.0, -1.0, 4.0 } }, { { 0.0, 2.0, 4.0 } } };
  CHECK_EVERYWHERE(
    world, shapeOf(1, 1, 6), Labels(6, 0), cut(how), Labels({ 1, 1, 1, 0, 0, 0 }), "values");
}

void testCuts(const World& world)
{
  int turn = 0;
  for (const Matrix& view : { Slice, Camera })
  {
    for (int n = 0; n < 24; ++n, ++turn)
    {
      check::setContext("turn ", turn);
      check::Random random(static_cast<std::uint64_t>(turn));
      const Shape shape = oddShape(13, 11, 9, turn % 2 == 0);
      Cut how;
      how.view = view;
      how.operation = n % 4;
      how.shape = n % 3;
      how.centred = n % 5 < 2;
      how.mode = (n / 4 + n) % 4;
      how.depth = n % 7 < 3 ? 5.3 : 0.0;
      for (int corner = 0; corner < 3 + n % 6; ++corner)
      {
        how.points.push_back(worldOf(shape, -7.0 + 13.0 * random.unit(), 5.0 + 11.0 * random.unit(),
          -3.0 + 9.0 * random.unit()));
      }
      const auto values = volumes::make<short>(
        shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z / 2) % 4; });
      CHECK_EVERYWHERE(
        world, shape, values, cut(how), merged<short>(shape, values, 1, oracle(how)), "values");
    }
  }
  check::setContext("");
}

} // namespace

int TestLabelMapScissors(int argc, char* argv[])
{
  World world(argc, argv);
  Cut how;
  const Shape shape = oddShape(9, 8, 7);
  how.points = { worldOf(shape, -6.2, 6.1, -0.1), worldOf(shape, 1.7, 5.7, -0.1),
    worldOf(shape, -2.1, 12.3, -0.1) };
  how.view = Slice;
  commonSuite(world, cut(how), "values");
  segmentSuite(world, cut(how), oracle(how));
  testByHand(world);
  testCuts(world);
  const auto good = [&]
  {
    auto effect = Scissors::New();
    effect->SetPoints(how.points[0].data(), 3);
    return effect;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Filter = vtkLabelMapScissors;
  const auto set = [](std::size_t at, double value)
  {
    return [=](Filter* f)
    {
      Matrix m = Identity;
      m[at] = value;
      f->SetViewMatrix(m.data());
    };
  };
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [&](Filter* f) { f->AddPoint(0.0, nan, 0.0); }, "point 4 is not finite" },
      { [&](Filter* f) { f->SetPoints(how.points[0].data(), 2); },
        "Points has 2, expected at least 3" },
      { [&](Filter* f)
        {
          f->SetPoints(how.points[0].data(), 1);
          f->SetShape(Filter::CIRCLE);
        },
        "Points has 1, expected at least 2" },
      { [](Filter* f) { f->SetOperation(4); }, "Operation is 4" },
      { [](Filter* f) { f->SetShape(-1); }, "Shape is -1" },
      { [](Filter* f) { f->SetSliceCutMode(4); }, "SliceCutMode is 4" },
      { [](Filter* f) { f->SetSliceCutDepthMm(-1.0); }, "SliceCutDepthMm is -1" },
      { set(7, nan), "ViewMatrix has a number that is not finite" },
      { set(0, 0.0), "ViewMatrix cannot be inverted" },
      { set(10, 0.0), "ViewMatrix cannot be inverted" },
      { set(15, 0.0), "ViewMatrix cannot be inverted" },
      { set(12, -1.0), "point 1 is behind the camera" } });
  return result(world);
}
