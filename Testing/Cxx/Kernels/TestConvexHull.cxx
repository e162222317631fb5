// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// ConvexHull. Truth: no point beyond any triangle, in whole numbers; and for surfaces, closed form.

#include "ConvexHull.h"

#include "Check.h"

#include <cmath>
#include <map>
#include <utility>

using segcore::Index;
using segcore::TriangleMesh;

namespace
{

using Points = std::vector<double>;

/// Six times the volume of the tetrahedron.
double volume(const double* a, const double* b, const double* c, const double* d)
{
  double u[3], v[3], w[3];
  for (int i = 0; i < 3; ++i)
  {
    u[i] = b[i] - a[i];
    v[i] = c[i] - a[i];
    w[i] = d[i] - a[i];
  }
  return u[0] * (v[1] * w[2] - v[2] * w[1]) - u[1] * (v[0] * w[2] - v[2] * w[0]) +
    u[2] * (v[0] * w[1] - v[1] * w[0]);
}

const double* corner(const TriangleMesh& mesh, std::size_t n)
{
  return mesh.points.data() + 3 * mesh.triangles[n];
}

/// Each edge belongs to two triangles that turn it in opposite ways, and there is no handle.
void checkClosed(const TriangleMesh& mesh)
{
  std::map<std::pair<Index, Index>, int> edges;
  for (std::size_t n = 0; n < mesh.triangles.size(); ++n)
  {
    ++edges[{ mesh.triangles[n], mesh.triangles[n % 3 == 2 ? n - 2 : n + 1] }];
  }
  for (const auto& edge : edges)
  {
    CHECK_EQUAL(edge.second, 1);
    CHECK_EQUAL(edges.count({ edge.first.second, edge.first.first }), std::size_t{ 1 });
  }
  CHECK_EQUAL(mesh.triangles.size() / 3 + 4, 2 * (mesh.points.size() / 3));
}

/// With whole coordinates below 2^15, where plain arithmetic is exact.
void checkHull(const Points& points)
{
  const TriangleMesh mesh = segcore::convexHull(points);
  checkClosed(mesh);
  for (std::size_t n = 0; n < mesh.triangles.size(); n += 3)
  {
    bool inner = false;
    for (std::size_t p = 0; p < points.size(); p += 3)
    {
      const double side =
        volume(corner(mesh, n), corner(mesh, n + 1), corner(mesh, n + 2), points.data() + p);
      CHECK(side <= 0.0);
      inner = inner || side < 0.0;
    }
    CHECK(inner); // a triangle without area has no inner side
  }
}

Points cube(double size, int steps)
{
  Points points;
  for (int n = 0; n < steps * steps * steps; ++n)
  {
    const int at[3] = { n % steps, n / steps % steps, n / steps / steps };
    for (const int a : at)
    {
      points.push_back(size * a / (steps - 1));
    }
  }
  return points;
}

} // namespace

int TestConvexHull(int, char*[])
{
  // Points on lines, in planes, and twice; in any order.
  checkHull(cube(3.0, 2));
  checkHull(cube(12.0, 4));
  CHECK_EQUAL(segcore::convexHull(cube(12.0, 4)).points.size(), std::size_t{ 24 });
  int solid = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    const Index range = seed % 3 == 0 ? 3 : (seed % 3 == 1 ? 9 : 10000);
    Points points;
    for (Index n = random.between(4, 50); n > 0; --n)
    {
      for (int a = 0; a < 3; ++a)
      {
        points.push_back(static_cast<double>(random.between(-range, range)));
      }
    }
    if (!segcore::convexHull(points).triangles.empty())
    {
      checkHull(points);
      ++solid;
    }
  }
  CHECK(solid > 390);
  check::setContext("");

  // No hull: few points, one point often, a line, a plane; nearly a plane has one.
  for (const Points& flat : { Points(), Points{ 1.0, 2.0, 3.0 }, Points(30, 2.0),
         Points{ 0, 0, 0, 1, 2, 3, 2, 4, 6, 3, 6, 9, -1, -2, -3 },
         Points{ 0, 0, 0, 1, 0, 5, 0, 1, 7, 1, 1, 12, 3, -2, 1 } })
  {
    CHECK(segcore::convexHull(flat).triangles.empty());
    CHECK(segcore::smoothSurface(segcore::convexHull(flat), 3).triangles.empty());
  }
  const Points nearly = { 0, 0, 0, 1, 0, 5, 0, 1, 7, 1, 1, 12 + 0x1p-27 };
  checkClosed(segcore::convexHull(nearly));
  CHECK_EQUAL(segcore::convexHull(nearly).triangles.size(), std::size_t{ 12 });
  // Far away, and beyond what is held.
  Points far = cube(1e300, 2);
  checkClosed(segcore::convexHull(far));

  // Smooth surfaces keep the points. A regular octahedron becomes nearly a ball.
  const Points octahedron = { 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1 };
  const TriangleMesh hull = segcore::convexHull(octahedron);
  const TriangleMesh smooth = segcore::smoothSurface(hull, 3);
  checkClosed(smooth);
  CHECK_EQUAL(smooth.triangles.size(), 64 * hull.triangles.size());
  CHECK_RANGES(smooth.points.data(), hull.points, static_cast<Index>(hull.points.size()));
  for (std::size_t p = 0; p < smooth.points.size(); p += 3)
  {
    const double* at = smooth.points.data() + p;
    const double radius = std::sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]);
    CHECK(radius > 0.83 && radius < 1.02);
  }
  return check::result();
}
