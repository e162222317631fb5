// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Surface cut: the inside of a closed surface becomes the segment, or cuts it. Truth for hulls: a
// point is inside if it is in one of the tetrahedra of four of the points; for smooth surfaces, the
// number of triangles that a row along x crosses.

#include "ConvexHull.h"
#include "OutlineOracle.h"
#include "vtkLabelMapSurfaceCut.h"

using namespace filtertest;

namespace
{

Maker surfaceCut(const std::vector<Point>& points, int operation, bool smooth)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapSurfaceCut>::New();
    effect->SetPoints(points[0].data(), static_cast<vtkIdType>(points.size()));
    effect->SetOperation(operation);
    effect->SetSmoothModel(smooth);
    return effect;
  };
}

Real volume(const Point& a, const Point& b, const Point& c, const Point& d)
{
  Real u[3], v[3], w[3];
  for (std::size_t i = 0; i < 3; ++i)
  {
    u[i] = static_cast<Real>(b[i]) - a[i];
    v[i] = static_cast<Real>(c[i]) - a[i];
    w[i] = static_cast<Real>(d[i]) - a[i];
  }
  return u[0] * (v[1] * w[2] - v[2] * w[1]) - u[1] * (v[0] * w[2] - v[2] * w[0]) +
    u[2] * (v[0] * w[1] - v[1] * w[0]);
}

bool insideHull(const std::vector<Point>& points, const Point& p)
{
  for (std::size_t a = 0; a < points.size(); ++a)
  {
    for (std::size_t b = 0; b < a; ++b)
    {
      for (std::size_t c = 0; c < b; ++c)
      {
        for (std::size_t d = 0; d < c; ++d)
        {
          const Real sign = volume(points[a], points[b], points[c], points[d]) < 0 ? -1 : 1;
          if (sign * volume(p, points[b], points[c], points[d]) > 0 &&
            sign * volume(points[a], p, points[c], points[d]) > 0 &&
            sign * volume(points[a], points[b], p, points[d]) > 0 &&
            sign * volume(points[a], points[b], points[c], p) > 0)
          {
            return true;
          }
        }
      }
    }
  }
  return false;
}

/// By the winding number of the surface around the point.
bool insideMesh(const segcore::TriangleMesh& mesh, const Point& p)
{
  Real angle = 0;
  for (std::size_t t = 0; t < mesh.triangles.size(); t += 3)
  {
    Real v[3][3], length[3];
    for (std::size_t c = 0; c < 3; ++c)
    {
      length[c] = 0;
      for (std::size_t a = 0; a < 3; ++a)
      {
        v[c][a] =
          static_cast<Real>(mesh.points[3 * static_cast<std::size_t>(mesh.triangles[t + c]) + a]) -
          p[a];
        length[c] += v[c][a] * v[c][a];
      }
      length[c] = std::sqrt(length[c]);
    }
    const auto dot = [&](int a, int b)
    { return v[a][0] * v[b][0] + v[a][1] * v[b][1] + v[a][2] * v[b][2]; };
    const Real det = v[0][0] * (v[1][1] * v[2][2] - v[1][2] * v[2][1]) -
      v[0][1] * (v[1][0] * v[2][2] - v[1][2] * v[2][0]) +
      v[0][2] * (v[1][0] * v[2][1] - v[1][1] * v[2][0]);
    angle += std::atan2(det,
      length[0] * length[1] * length[2] + dot(0, 1) * length[2] + dot(1, 2) * length[0] +
        dot(2, 0) * length[1]);
  }
  return std::abs(angle) > 3.1;
}

MaskOracle oracle(const std::vector<Point>& points, int operation, bool smooth)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    std::vector<double> flat;
    for (const Point& p : points)
    {
      flat.insert(flat.end(), p.begin(), p.end());
    }
    const segcore::TriangleMesh mesh = segcore::smoothSurface(segcore::convexHull(flat), 3);
    auto result = voxelsWhere(
      shape, [&](const Point& p) { return smooth ? insideMesh(mesh, p) : insideHull(points, p); });
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      const bool there = (operation == 2 || operation == 4) != (result[i] != 0);
      const bool was = mask[i] != 0;
      const bool now = operation == 0 ? there : (operation < 3 ? was && !there : was || there);
      result[i] = now ? 1 : 0;
    }
    return result;
  };
}

} // namespace

int TestLabelMapSurfaceCut(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(9, 8, 7);
  const std::vector<Point> points = { worldOf(shape, -6.2, 6.1, -2.1),
    worldOf(shape, 0.7, 6.9, -1.3), worldOf(shape, -3.3, 11.4, -0.6),
    worldOf(shape, -3.9, 8.3, 2.9), worldOf(shape, -2.1, 8.8, -2.7),
    worldOf(shape, -3.2, 8.2, 0.3) };
  commonSuite(world, surfaceCut(points, 0, true), "values");
  segmentSuite(world, surfaceCut(points, 0, false), oracle(points, 0, false));
  const auto values =
    volumes::make<short>(shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z) % 4; });
  for (int operation = 0; operation < 5; ++operation)
  {
    for (const bool smooth : { false, true })
    {
      check::setContext("operation ", operation, " smooth ", smooth);
      CHECK_EVERYWHERE(world, shape, values, surfaceCut(points, operation, smooth),
        merged<short>(shape, values, 1, oracle(points, operation, smooth)), "values");
    }
    // In one plane: a segment is emptied by SET, and nothing else happens.
    const std::vector<Point> flat(points.begin(), points.begin() + 3);
    auto expected = values;
    if (operation == 0)
    {
      std::replace(expected.begin(), expected.end(), short(1), short(0));
    }
    CHECK_EVERYWHERE(world, shape, values, surfaceCut(flat, operation, true), expected, "values");
  }
  check::setContext("");
  // By hand: the corners of a box; the lower faces belong to it, the upper ones do not.
  std::vector<Point> corners;
  for (int c = 0; c < 8; ++c)
  {
    corners.push_back({ { c & 1 ? 3.0 : 1.0, c & 2 ? 3.0 : -1.0, c & 4 ? 1.0 : 0.0 } });
  }
  using Labels = std::vector<unsigned char>;
  CHECK_EVERYWHERE(world, shapeOf(5, 2, 2), Labels(20, 2), surfaceCut(corners, 3, false),
    Labels({ 2, 1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 }), "values",
    Effort::Every);
  const auto good = [&]
  {
    auto effect = vtkSmartPointer<vtkLabelMapSurfaceCut>::New();
    effect->AddPoint(0.0, 0.0, 0.0);
    return effect;
  };
  using Filter = vtkLabelMapSurfaceCut;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [](Filter* f) { f->SetOperation(5); }, "Operation is 5" } });
  return result(world);
}
