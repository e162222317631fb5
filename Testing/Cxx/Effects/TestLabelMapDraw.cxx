// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Draw: the inside of an outline becomes part of the segment. Truth: for every voxel its distance
// from the plane, and the edges beside it in a basis of the plane (OutlineOracle.h).

#include "OutlineOracle.h"
#include "vtkLabelMapDraw.h"

using namespace filtertest;

namespace
{

using Draw = vtkSmartPointer<vtkLabelMapDraw>;

struct Drawing
{
  std::vector<Point> points;
  bool fit = true;
  Point normal{ { 0.0, 0.0, 1.0 } };
  double thickness = 0.0;
};

Maker draw(const Drawing& drawing)
{
  return [=]
  {
    auto effect = Draw::New();
    effect->SetPoints(drawing.points[0].data(), static_cast<vtkIdType>(drawing.points.size()));
    effect->SetNormalFromPoints(drawing.fit);
    effect->SetSliceNormal(drawing.normal[0], drawing.normal[1], drawing.normal[2]);
    effect->SetSliceThickness(drawing.thickness);
    return effect;
  };
}

/// The drawing joins the segment. `drawing.normal` must be that of the points, if it is found from
/// them.
MaskOracle oracle(const Drawing& drawing)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Point& n = drawing.normal;
    const Real length = std::sqrt(along(n, n));
    Real slice = 0;
    for (std::size_t a = 0; a < 3; ++a)
    {
      const Point step{ { shape.direction[a], shape.direction[3 + a], shape.direction[6 + a] } };
      slice = std::max(slice, std::abs(along(n, step)) / length * shape.spacing[a]);
    }
    const Real half = (drawing.thickness > 0.0 ? drawing.thickness : slice) / 2;
    // Two vectors across the normal.
    Point u{ { n[1], -n[0], 0.0 } };
    u = n[0] == 0.0 && n[1] == 0.0 ? Point{ { 1.0, 0.0, 0.0 } } : u;
    const Point v{ { n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2],
      n[0] * u[1] - n[1] * u[0] } };
    std::vector<Place> outline;
    Real middle = 0;
    for (const Point& p : drawing.points)
    {
      outline.push_back({ { along(u, p), along(v, p) } });
      middle += along(n, p) / drawing.points.size();
    }
    auto result = voxelsWhere(shape,
      [&](const Point& p)
      {
        const Real depth = (along(n, p) - middle) / length;
        return depth >= -half && depth < half &&
          insideOutline(outline, { { along(u, p), along(v, p) } });
      });
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      result[i] = static_cast<std::uint8_t>(result[i] | mask[i]);
    }
    return result;
  };
}

/// Edges are half-open, towards lower indices; and so are slabs.
void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  Drawing drawing;
  drawing.points = { { { 1.0, 1.0, 0.0 } }, { { 4.0, 1.0, 0.0 } }, { { 4.0, 3.0, 0.0 } },
    { { 1.0, 3.0, 0.0 } } };
  // clang-format off
  const Labels square({
    2, 2, 2, 2, 2, 2,
    2, 1, 1, 1, 2, 2,
    2, 1, 1, 1, 2, 2,
    2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2 });
  CHECK_EVERYWHERE(world, shapeOf(6, 5, 1), Labels(30, 2), draw(drawing), square, "values",
    Effort::Every);
  std::reverse(drawing.points.begin(), drawing.points.end());
  CHECK_EVERYWHERE(world, shapeOf(6, 5, 1), Labels(30, 2), draw(drawing), square, "values");
  // A bow tie is two triangles, which share the place where they cross.
  drawing.points = { { { 0.0, 0.0, 0.0 } }, { { 4.5, 4.5, 0.0 } }, { { 4.5, 0.0, 0.0 } },
    { { 0.0, 4.5, 0.0 } } };
  CHECK_EVERYWHERE(world, shapeOf(5, 5, 1), Labels(25, 0), draw(drawing), Labels({
    0, 0, 0, 0, 0,
    1, 0, 0, 0, 1,
    1, 1, 0, 1, 1,
    1, 1, 0, 1, 1,
    1, 0, 0, 0, 1 }), "values");
  // clang-format on
  // Between two slices it is the lower one; a line has no inside.
  drawing.points = { { { -1.0, -1.0, 1.5 } }, { { 1.0, -1.0, 1.5 } }, { { 1.0, 1.0, 1.5 } } };
  drawing.points.push_back({ { -1.0, 1.0, 1.5 } });
  CHECK_EVERYWHERE(
    world, shapeOf(1, 1, 5), Labels(5, 0), draw(drawing), Labels({ 0, 1, 0, 0, 0 }), "values");
  drawing.thickness = 2.5;
  CHECK_EVERYWHERE(
    world, shapeOf(1, 1, 5), Labels(5, 0), draw(drawing), Labels({ 0, 1, 1, 0, 0 }), "values");
  drawing.points = { { { 0.0, 0.0, 0.0 } }, { { 0.0, 0.0, 2.0 } }, { { 0.0, 0.0, 4.0 } } };
  CHECK_EVERYWHERE(world, shapeOf(1, 1, 5), Labels(5, 3), draw(drawing), Labels(5, 3), "values");
}

/// Two halves of a rectangle on an oblique lattice, cut through voxel centres: each voxel is in
/// one.
void testSharedEdges(const World& world)
{
  const Shape shape = oddShape(14, 11, 9);
  const std::vector<unsigned char> empty(static_cast<std::size_t>(shape.box.size()), 0);
  const Point a = worldOf(shape, -7.0, 5.0, 0.0), b = worldOf(shape, 6.0, 5.0, 0.0);
  const Point c = worldOf(shape, 6.0, 15.0, 0.0), d = worldOf(shape, -7.0, 15.0, 0.0);
  Index counts[3] = { 0, 0, 0 };
  std::vector<int> sum(empty.size(), 0);
  const std::vector<Point> outlines[3] = { { a, b, c }, { c, d, a }, { a, b, c, d } };
  for (int turn = 0; turn < 3; ++turn)
  {
    Drawing drawing;
    drawing.points = outlines[turn];
    const auto effect = draw(drawing)();
    vtkNew<vtkImageData> output;
    CHECK(effect->Apply(makePiece(shape, empty, shape.box), output));
    const auto* got = voxels<unsigned char>(output);
    for (std::size_t i = 0; i < empty.size(); ++i)
    {
      counts[turn] += got[i];
      sum[i] += turn < 2 ? got[i] : -got[i];
    }
  }
  CHECK_EQUAL(counts[2], Index(13 * 10));
  CHECK(std::all_of(sum.begin(), sum.end(), [](int value) { return value == 0; }));
  CHECK(counts[0] > 50 && counts[1] > 50);
  (void)world;
}

void testDrawings(const World& world)
{
  check::Random random(3);
  for (int turn = 0; turn < 6; ++turn)
  {
    check::setContext("turn ", turn);
    const Shape shape = oddShape(14, 11, 9, turn % 2 == 0);
    const auto values = volumes::make<short>(
      shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z / 2) % 4; });
    Drawing drawing;
    const Point normals[3] = { { { 0.3, -1.2, 0.7 } }, { { 0.8, 0.6, 0.0 } },
      { { 0.0, 0.0, -2.0 } } };
    drawing.normal = normals[turn % 3];
    drawing.thickness = turn < 3 ? 0.0 : 1.7;
    drawing.fit = turn == 1 || turn == 5;
    const Point middle = worldOf(shape, -0.3, 10.2, 1.1);
    Point u{ { drawing.normal[1], -drawing.normal[0], 0.0 } };
    u = turn % 3 == 2 ? Point{ { 1.0, 0.0, 0.0 } } : u;
    const Point& n = drawing.normal;
    const Point v{ { n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2],
      n[0] * u[1] - n[1] * u[0] } };
    for (int corner = 0; corner < 5 + 3 * turn; ++corner)
    {
      const double x = 10.0 * random.unit() - 5.0, y = 10.0 * random.unit() - 5.0;
      drawing.points.push_back({ { middle[0] + x * u[0] + y * v[0], middle[1] + x * u[1] + y * v[1],
        middle[2] + x * u[2] + y * v[2] } });
    }
    CHECK_EVERYWHERE(world, shape, values, draw(drawing),
      merged<short>(shape, values, 1, oracle(drawing)), "values");
  }
  check::setContext("");
}

} // namespace

int TestLabelMapDraw(int argc, char* argv[])
{
  World world(argc, argv);
  Drawing drawing;
  const Shape shape = oddShape(9, 8, 7);
  drawing.points = { worldOf(shape, -6.2, 6.1, -0.1), worldOf(shape, 1.7, 5.7, -0.1),
    worldOf(shape, -2.1, 12.3, -0.1) };
  commonSuite(world, draw(drawing), "values");
  segmentSuite(world, draw(drawing), oracle(drawing));
  testByHand(world);
  testSharedEdges(world);
  testDrawings(world);
  const auto good = [&]
  {
    auto effect = Draw::New();
    effect->AddPoint(10.0, -20.0, 3.0);
    return effect;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Filter = vtkLabelMapDraw;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [&](Filter* f) { f->AddPoint(0.0, nan, 0.0); }, "point 2 is not finite" },
      { [](Filter* f) { f->SetSliceNormal(0.0, 0.0, 0.0); }, "SliceNormal" },
      { [&](Filter* f) { f->SetSliceNormal(0.0, nan, 1.0); }, "SliceNormal" },
      { [](Filter* f) { f->SetSliceThickness(-1.0); }, "SliceThickness is -1" },
      { [&](Filter* f) { f->SetSliceThickness(nan); }, "SliceThickness is" } });
  return result(world);
}
