// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "FlyingEdges.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

using segcore::Box;
using segcore::Index;
using segcore::LabelMesh;
using segcore::PolygonMesh;

namespace
{

/// What is to be known of a closed surface.
struct Facts
{
  Index euler = 0;
  double volume = 0.0;
  double area = 0.0;
};

/// Checks that the surface is closed, a manifold, and without loose points.
Facts examine(const PolygonMesh& mesh)
{
  Facts facts;
  std::set<std::pair<Index, Index>> edges;
  std::set<Index> used;
  const Index count = mesh.polygons.size() / 3;
  for (Index t = 0; t < count; ++t)
  {
    const Index* p = mesh.polygons.data() + 3 * t;
    double v[3][3];
    for (int c = 0; c < 3; ++c)
    {
      CHECK(p[c] >= 0 && 3 * p[c] < mesh.points.size());
      CHECK(edges.insert({ p[c], p[(c + 1) % 3] }).second);
      used.insert(p[c]);
      for (int a = 0; a < 3; ++a)
      {
        v[c][a] = static_cast<double>(mesh.points[3 * p[c] + a]);
      }
    }
    double n[3];
    for (int a = 0; a < 3; ++a)
    {
      const int b = (a + 1) % 3;
      const int c = (a + 2) % 3;
      n[a] = (v[1][b] - v[0][b]) * (v[2][c] - v[0][c]) - (v[1][c] - v[0][c]) * (v[2][b] - v[0][b]);
    }
    facts.volume += (v[0][0] * n[0] + v[0][1] * n[1] + v[0][2] * n[2]) / 6.0;
    facts.area += 0.5 * std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  }
  for (const auto& edge : edges)
  {
    CHECK(edges.count({ edge.second, edge.first }) == 1);
  }
  CHECK_EQUAL(3 * static_cast<Index>(used.size()), mesh.points.size());
  facts.euler = static_cast<Index>(used.size()) - static_cast<Index>(edges.size()) / 2 + count;
  return facts;
}

/// Checks which sides of the triangles are edges of the polygons: one leads along each of the four
/// faces that a point lies in, and a cut is one from both of its triangles.
void examineCuts(const PolygonMesh& mesh)
{
  CHECK_EQUAL(mesh.cuts.size(), mesh.polygonCount());
  std::vector<int> edges(static_cast<std::size_t>(mesh.pointCount()), 0);
  std::set<std::pair<Index, Index>> cuts;
  for (Index t = 0; t < mesh.polygonCount(); ++t)
  {
    const Index* p = mesh.polygons.data() + 3 * t;
    for (int c = 0; c < 3; ++c)
    {
      if (((mesh.cuts[t] >> c) & 1) != 0)
      {
        cuts.insert({ p[c], p[(c + 1) % 3] });
      }
      else
      {
        ++edges[static_cast<std::size_t>(p[c])];
      }
    }
  }
  for (const auto& cut : cuts)
  {
    CHECK(cuts.count({ cut.second, cut.first }) == 1);
  }
  CHECK(std::all_of(edges.begin(), edges.end(), [](int count) { return count == 4; }));
}

/// The surface of a 6-connected object has twice the object's Euler number, which is counted from
/// its voxels (points), pairs, squares and cubes; a cube whose only empty corners are opposite in
/// the body is a ring in that count but solid in ours.
template <class Inside>
Index expectedEuler(const Box& whole, const Inside& inside)
{
  Index number = 0;
  const Box cells = whole.grown(1);
  for (Index z = cells.lo[2]; z <= cells.hi[2]; ++z)
  {
    for (Index y = cells.lo[1]; y <= cells.hi[1]; ++y)
    {
      for (Index x = cells.lo[0]; x <= cells.hi[0]; ++x)
      {
        unsigned mask = 0;
        for (unsigned c = 0; c < 8; ++c)
        {
          mask |= static_cast<unsigned>(inside(x + (c & 1), y + (c >> 1 & 1), z + (c >> 2))) << c;
        }
        const auto all = [mask](unsigned corners) { return (mask & corners) == corners ? 1 : 0; };
        number += all(0x01) - all(0x03) - all(0x05) - all(0x11) + all(0x0f) + all(0x33) +
          all(0x55) - all(0xff);
        const unsigned outside = ~mask & 0xffu;
        number += outside == 0x81 || outside == 0x42 || outside == 0x24 || outside == 0x18;
      }
    }
  }
  return 2 * number;
}

bool same(const LabelMesh& a, const LabelMesh& b)
{
  return a.labels == b.labels && a.first == b.first && a.points.size() == b.points.size() &&
    a.polygons.size() == b.polygons.size() &&
    std::equal(a.points.begin(), a.points.end(), b.points.begin()) &&
    std::equal(a.polygons.begin(), a.polygons.end(), b.polygons.begin());
}

template <class T>
void testLabels(const std::vector<T>& image, const Box& whole, const std::vector<T>& labels)
{
  const LabelMesh mesh = segcore::labelSurfaces(image.data(), whole, labels);
  CHECK_EQUAL(mesh.first.size(), labels.size() + 1);
  CHECK_EQUAL(mesh.first.back(), mesh.polygonCount());
  for (const int threads : { 1, 2 })
  {
    check::withThreads(
      threads, [&]() { CHECK(same(mesh, segcore::labelSurfaces(image.data(), whole, labels))); });
  }
  const std::vector<PolygonMesh> surfaces = segcore::splitMesh(mesh);
  CHECK_EQUAL(surfaces.size(), labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    const auto inside = [&](Index x, Index y, Index z)
    {
      return whole.contains(x, y, z) &&
        image[static_cast<std::size_t>(whole.offset(x, y, z))] == labels[i];
    };
    const Facts facts = examine(surfaces[i]);
    CHECK_EQUAL(facts.euler, expectedEuler(whole, inside));
    // Alone the label has the same surface, up to the order of points.
    const std::vector<PolygonMesh> single =
      segcore::splitMesh(segcore::labelSurfaces(image.data(), whole, std::vector<T>{ labels[i] }));
    const PolygonMesh& alone = single[0];
    CHECK(std::equal(alone.polygons.begin(), alone.polygons.end(), surfaces[i].polygons.begin(),
      surfaces[i].polygons.end()));
    CHECK(std::equal(alone.points.begin(), alone.points.end(), surfaces[i].points.begin(),
      surfaces[i].points.end()));
    examineCuts(surfaces[i]);
    for (Index p = 0; p < alone.points.size() / 3; ++p) // between a voxel of the label and another
    {
      Index low[3];
      Index high[3];
      int halves = 0;
      for (int a = 0; a < 3; ++a)
      {
        const double c = static_cast<double>(alone.points[3 * p + a]);
        low[a] = static_cast<Index>(std::floor(c));
        high[a] = static_cast<Index>(std::ceil(c));
        halves += low[a] != high[a];
      }
      CHECK(halves == 1 && inside(low[0], low[1], low[2]) != inside(high[0], high[1], high[2]));
    }
  }
}

/// Every one of the 256 cases, alone.
void testCases()
{
  const Box whole = Box::ofSize(2, 2, 2);
  for (unsigned mask = 0; mask < 256; ++mask)
  {
    check::setContext("case ", mask);
    const std::vector<std::uint8_t> image = volumes::make<std::uint8_t>(
      whole, [mask](Index x, Index y, Index z) { return (mask >> (x + 2 * y + 4 * z)) & 1u; });
    testLabels(image, whole, { std::uint8_t{ 1 } });
  }
}

/// Boxes have a volume in closed form: bevels of 1/8 along the edges, 5/48 at the corners.
void testBox()
{
  check::setContext("box");
  Box whole = Box::ofSize(7, 5, 6);
  whole.lo[0] -= 3;
  const std::vector<std::int16_t> full(static_cast<std::size_t>(whole.size()), 300);
  const LabelMesh mesh = segcore::labelSurfaces(full.data(), whole, { std::int16_t{ 300 } });
  const Facts facts = examine(segcore::splitMesh(mesh)[0]);
  const double size[3] = { 10.0, 5.0, 6.0 };
  CHECK(std::abs(facts.volume -
          (size[0] * size[1] * size[2] - (size[0] + size[1] + size[2] - 3.0) / 2.0 - 5.0 / 6.0)) <
    1e-3);
  CHECK_EQUAL(facts.euler, 2);
}

template <class T>
void testIso()
{
  const Box whole = Box::ofSize(40, 36, 30);
  // Distance to a ring around z: its level sets are tori.
  const auto distance = [](double x, double y, double z)
  {
    const double ring = std::hypot(x - 19.3, y - 17.6) - 10.0;
    return std::hypot(ring, z - 14.2);
  };
  std::vector<T> values(static_cast<std::size_t>(whole.size()));
  for (Index z = 0; z < 30; ++z)
  {
    for (Index y = 0; y < 36; ++y)
    {
      for (Index x = 0; x < 40; ++x)
      {
        const double value = 100.0 -
          4.0 * distance(static_cast<double>(x), static_cast<double>(y), static_cast<double>(z));
        values[static_cast<std::size_t>(whole.offset(x, y, z))] =
          static_cast<T>(std::is_integral<T>::value ? std::round(value) : value);
      }
    }
  }
  const PolygonMesh torus = segcore::isoSurface(values.data(), whole, 80.0, -1000.0);
  const Facts facts = examine(torus);
  CHECK_EQUAL(facts.euler, 0);
  const double exact = 2.0 * std::pow(3.14159265358979, 2) * 10.0 * 25.0;
  const double rounding = std::is_integral<T>::value ? 0.3 : 0.03; // values, and linear between
  CHECK(std::abs(facts.volume / exact - 1.0) < 0.05);
  for (Index p = 0; p < torus.points.size() / 3; ++p)
  {
    const float* at = torus.points.data() + 3 * p;
    CHECK(std::abs(distance(static_cast<double>(at[0]), static_cast<double>(at[1]),
                     static_cast<double>(at[2])) -
            5.0) < rounding);
  }
  check::withThreads(1,
    [&]()
    {
      const PolygonMesh again = segcore::isoSurface(values.data(), whole, 80.0, -1000.0);
      CHECK(std::equal(
        again.points.begin(), again.points.end(), torus.points.begin(), torus.points.end()));
      CHECK(std::equal(again.polygons.begin(), again.polygons.end(), torus.polygons.begin(),
        torus.polygons.end()));
    });
  // Everything is above: the surface closes at the border, near the outermost voxels.
  const Facts box = examine(segcore::isoSurface(values.data(), whole, -500.0, -1000.0));
  CHECK_EQUAL(box.euler, 2);
  CHECK(box.volume > 39.0 * 35.0 * 29.0 && box.volume < 42.0 * 38.0 * 32.0);
}

/// Quads are cut along the shorter diagonal.
void testQuads()
{
  check::setContext("quads");
  LabelMesh mesh;
  mesh.corners = 4;
  mesh.labels = { 5, 6 };
  mesh.first = { 0, 1, 2 };
  mesh.points = segcore::Buffer<float>(15);
  const float points[15] = { 0, 0, 0, 2, 0, 0, 3, 3, 0, 0, 2, 0, -1, -1, 0 };
  std::copy_n(points, 15, mesh.points.data());
  mesh.polygons = segcore::Buffer<Index>(8);
  const Index polygons[8] = { 0, 1, 2, 3, 4, 1, 2, 3 };
  std::copy_n(polygons, 8, mesh.polygons.data());
  std::vector<PolygonMesh> parts = segcore::splitMesh(mesh);
  const std::vector<Index> expected{ 1, 2, 3, 1, 3, 0 };
  for (PolygonMesh& part : parts)
  {
    CHECK_EQUAL(part.polygonCount(), 1);
    segcore::triangulate(part);
    CHECK_EQUAL(part.polygonCount(), 2);
    CHECK_EQUAL(part.points.size(), 12);
    CHECK(std::equal(part.polygons.begin(), part.polygons.end(), expected.begin(), expected.end()));
  }
  CHECK(parts[1].points[0] == -1.0f);
}

} // namespace

int TestFlyingEdges(int, char*[])
{
  testCases();
  testBox();
  testQuads();
  Box whole = Box::ofSize(11, 8, 9);
  whole.lo[0] -= 6;
  whole.lo[2] += 3;
  for (const volumes::Named& mask : volumes::masks(whole, 41))
  {
    check::setContext(mask.name);
    testLabels(mask.voxels, whole, { std::uint8_t{ 1 } });
  }
  for (const Index stay : { 1, 6 })
  {
    for (Index seed = 0; seed < 4; ++seed)
    {
      check::setContext("labels, stay ", stay, " seed ", seed);
      check::Random random(static_cast<unsigned>(seed));
      std::uint8_t value = 0;
      const auto labels = volumes::make<std::uint8_t>(whole,
        [&](Index, Index, Index)
        {
          value = random.below(stay) ? value : static_cast<std::uint8_t>(random.below(5));
          return value;
        });
      // Not in order, one that is not there, one that is left out.
      testLabels(labels, whole, { std::uint8_t{ 4 }, std::uint8_t{ 1 }, std::uint8_t{ 9 } });
    }
  }
  // Other types, several words per row, single slices and columns.
  check::Random random(9);
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  check::setContext("64 bits");
  testLabels(volumes::make<std::int64_t>(whole,
               [&](Index, Index, Index) { return random.below(2) ? far - random.below(2) : -5; }),
    whole, { far, far - 1 });
  for (const Box& box : { Box::ofSize(150, 3, 2), Box::ofSize(9, 9, 1), Box::ofSize(1, 1, 12),
         Box::ofSize(63, 2, 2), Box::ofSize(62, 2, 3), Box::ofSize(64, 2, 2) })
  {
    check::setContext("box ", box.dim(0));
    testLabels(volumes::make<std::uint16_t>(box,
                 [&](Index, Index, Index) { return random.below(7) < 4 ? 0 : random.below(400); }),
      box, { std::uint16_t{ 1 }, std::uint16_t{ 2 }, std::uint16_t{ 399 } });
  }
  check::setContext("iso float");
  testIso<float>();
  check::setContext("iso short");
  testIso<std::int16_t>();

  check::setContext("bad input");
  const Box one = Box::ofSize(1, 1, 1);
  const std::uint8_t voxel = 1;
  using Labels = std::vector<std::uint8_t>;
  CHECK_THROWS(segcore::labelSurfaces(&voxel, one, Labels{ 1, 0 }), std::invalid_argument);
  CHECK_THROWS(segcore::labelSurfaces(&voxel, one, Labels{ 1, 1 }), std::invalid_argument);
  CHECK_THROWS(segcore::isoSurface(&voxel, one, 1.0, 1.0), std::invalid_argument);
  CHECK_EQUAL(segcore::labelSurfaces(&voxel, one, Labels{}).polygonCount(), 0);
  CHECK_EQUAL(segcore::labelSurfaces(&voxel, Box(), Labels{ 1 }).polygonCount(), 0);
  CHECK_EQUAL(segcore::labelSurfaces(&voxel, one, Labels{ 1 }).polygonCount(), 8);
  CHECK_EQUAL(segcore::isoSurface(&voxel, Box(), 0.5, 0.0).points.size(), 0);
  const float nothing = std::numeric_limits<float>::quiet_NaN();
  CHECK_EQUAL(segcore::isoSurface(&nothing, one, 0.5, 0.0).points.size(), 0);
  return check::result();
}
