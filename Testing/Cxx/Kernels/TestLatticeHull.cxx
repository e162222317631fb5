// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Hulls: every point is inside every face, every corner is a point, and the surface is closed.
// Feret diameters: those of boxes and of a tetrahedron in closed form, and against widths in very
// many directions.

#include "LatticeHull.h"

#include "Check.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace
{
using segcore::PlanePoint;
using segcore::SpaceHull;
using segcore::SpacePoint;
using Long = long double;

/// Six times the volume of the tetrahedron, exact for the coordinates used here.
Long volume(const SpacePoint& a, const SpacePoint& b, const SpacePoint& c, const SpacePoint& d)
{
  Long m[3][3];
  const SpacePoint* rows[3] = { &b, &c, &d };
  for (std::size_t r = 0; r < 3; ++r)
  {
    for (std::size_t x = 0; x < 3; ++x)
    {
      m[r][x] = static_cast<Long>((*rows[r])[x]) - static_cast<Long>(a[x]);
    }
  }
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
    m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
    m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

void checkHull(const std::vector<SpacePoint>& points, const SpaceHull& hull)
{
  const std::set<SpacePoint> known(points.begin(), points.end());
  for (const SpacePoint& corner : hull.corners)
  {
    CHECK(known.count(corner) == 1);
  }
  std::map<std::pair<int, int>, int> edges;
  for (const auto& triangle : hull.triangles)
  {
    const auto corner = [&](std::size_t c)
    { return hull.corners[static_cast<std::size_t>(triangle[c])]; };
    for (const SpacePoint& point : points)
    {
      // Counterclockwise from outside: what is inside has a negative volume.
      CHECK(volume(corner(0), corner(1), corner(2), point) <= 0);
    }
    for (std::size_t c = 0; c < 3; ++c)
    {
      const int from = triangle[c];
      const int to = triangle[(c + 1) % 3];
      edges[{ std::min(from, to), std::max(from, to) }] += from < to ? 1 : -1;
    }
  }
  CHECK(std::all_of(edges.begin(), edges.end(), [](const auto& edge) { return edge.second == 0; }));
  CHECK_EQUAL(hull.corners.size() + hull.triangles.size(), edges.size() + 2);
}

std::vector<SpacePoint> boxCorners(int nx, int ny, int nz)
{
  std::vector<SpacePoint> points;
  for (int c = 0; c < 8; ++c)
  {
    points.push_back({ c & 1 ? nx : 0, c & 2 ? ny : 0, c & 4 ? nz : 0 });
  }
  return points;
}

void testPlane()
{
  check::setContext("plane");
  std::vector<PlanePoint> square;
  for (int y = 0; y <= 4; ++y)
  {
    for (int x = 0; x <= 4; ++x)
    {
      square.push_back({ x, y });
    }
  }
  const std::vector<PlanePoint> corners{ { 0, 0 }, { 4, 0 }, { 4, 4 }, { 0, 4 } };
  CHECK(segcore::planeHull(square) == corners);
  std::vector<PlanePoint> triangle{ { 3, 1 }, { 0, 0 }, { 1, 4 }, { 0, 0 }, { 1, 1 } };
  const std::vector<PlanePoint> expected{ { 0, 0 }, { 3, 1 }, { 1, 4 } };
  CHECK(segcore::planeHull(triangle) == expected);
  std::vector<PlanePoint> line{ { 2, 2 }, { 0, 0 }, { 1, 1 } };
  const std::vector<PlanePoint> ends{ { 0, 0 }, { 2, 2 } };
  CHECK(segcore::planeHull(line) == ends);
}

void testSpace()
{
  check::Random random(5);
  for (const int size : { 1, 2, 3, 8, 1000, 1 << 21 })
  {
    for (int turn = 0; turn < 20; ++turn)
    {
      check::setContext("space, size ", size, " turn ", turn);
      auto points = boxCorners(size, size, size);
      for (int p = 0; p < 10 + 5 * turn; ++p)
      {
        const auto part = [&] { return static_cast<std::int32_t>(random.between(0, size)); };
        points.push_back({ part(), part(), part() });
      }
      if (turn % 2)
      {
        points.erase(points.begin(), points.begin() + 4); // one plane of the box is not there
        points.push_back({ 0, 0, 0 });
      }
      checkHull(points, segcore::spaceHull(points));
    }
  }
  check::setContext("points in a plane");
  CHECK_THROWS(segcore::spaceHull(boxCorners(3, 3, 0)), std::invalid_argument);
  CHECK_THROWS(segcore::spaceHull(boxCorners(3, 0, 0)), std::invalid_argument);
  CHECK_THROWS(segcore::spaceHull({}), std::invalid_argument);
}

void testFeret()
{
  const double spacing[3] = { 0.5, 2.0, 1.5 };
  check::setContext("box");
  const auto box = segcore::feretDiameters(segcore::spaceHull(boxCorners(6, 4, 2)), spacing);
  CHECK(std::abs(box.smallest - 3.0) < 1e-12);
  CHECK(std::abs(box.largest - std::sqrt(9.0 + 64.0 + 9.0)) < 1e-12);
  // A regular tetrahedron in a cube: its width is the cube's edge, between two opposite edges.
  check::setContext("tetrahedron");
  const double one[3] = { 1.0, 1.0, 1.0 };
  const auto hull = segcore::spaceHull({ { 0, 0, 0 }, { 3, 3, 0 }, { 3, 0, 3 }, { 0, 3, 3 } });
  CHECK(std::abs(segcore::feretDiameters(hull, one).smallest - 3.0) < 1e-12);
  CHECK(std::abs(segcore::feretDiameters(hull, one).largest - std::sqrt(18.0)) < 1e-12);
  check::Random random(9);
  for (int turn = 0; turn < 10; ++turn)
  {
    check::setContext("random, turn ", turn);
    std::vector<SpacePoint> points;
    for (int p = 0; p < 12; ++p)
    {
      const auto part = [&] { return static_cast<std::int32_t>(random.between(0, 9)); };
      points.push_back({ part(), part(), part() });
    }
    const auto feret = segcore::feretDiameters(segcore::spaceHull(points), spacing);
    double smallest = 1e9;
    double largest = 0.0;
    constexpr int steps = 400;
    for (int i = 0; i < steps; ++i)
    {
      for (int j = 0; j < steps; ++j)
      {
        const double pi = 3.14159265358979323846;
        const double theta = pi * i / steps;
        const double phi = pi * j / steps;
        const double d[3] = { std::sin(theta) * std::cos(phi), std::sin(theta) * std::sin(phi),
          std::cos(theta) };
        double low = 1e9;
        double high = -1e9;
        for (const SpacePoint& point : points)
        {
          const double along = point[0] * spacing[0] * d[0] + point[1] * spacing[1] * d[1] +
            point[2] * spacing[2] * d[2];
          low = std::min(low, along);
          high = std::max(high, along);
        }
        smallest = std::min(smallest, high - low);
        largest = std::max(largest, high - low);
      }
    }
    // Directions are at most half a hundredth of a radian away from the right one.
    CHECK(feret.smallest <= smallest + 1e-9 && feret.smallest > smallest - 0.006 * largest);
    CHECK(feret.largest >= largest - 1e-9 && feret.largest < largest * 1.0001);
  }
}
}

int TestLatticeHull(int, char*[])
{
  testPlane();
  testSpace();
  testFeret();
  return check::result();
}
