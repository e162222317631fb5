// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "Check.h"
#include "SurfaceRaster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

using segcore::Box;
using segcore::Index;
using segcore::SurfaceRaster;

namespace
{

using Bytes = std::vector<std::uint8_t>;

struct Mesh
{
  std::vector<double> points;
  std::vector<Index> triangles;

  Index add(double x, double y, double z)
  {
    this->points.insert(this->points.end(), { x, y, z });
    return static_cast<Index>(this->points.size() / 3) - 1;
  }
  void triangle(Index a, Index b, Index c)
  {
    this->triangles.insert(this->triangles.end(), { a, b, c });
  }
  void quad(Index a, Index b, Index c, Index d)
  {
    this->triangle(a, b, c);
    this->triangle(a, c, d);
  }
  void append(const Mesh& other)
  {
    const Index first = static_cast<Index>(this->points.size() / 3);
    this->points.insert(this->points.end(), other.points.begin(), other.points.end());
    for (const Index id : other.triangles)
    {
      this->triangles.push_back(id + first);
    }
  }
  Index count() const { return static_cast<Index>(this->triangles.size() / 3); }
  SurfaceRaster raster(const double* toLattice = nullptr, int n = 1) const
  {
    return SurfaceRaster(this->points.data(), static_cast<Index>(this->points.size() / 3),
      this->triangles.data(), this->count(), toLattice, n);
  }
};

const std::uint8_t* identityTable()
{
  static const Bytes table = []
  {
    Bytes bytes(256);
    for (int i = 0; i < 256; ++i)
    {
      bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
    }
    return bytes;
  }();
  return table.data();
}

Bytes sampled(const SurfaceRaster& raster, const Box& box)
{
  Bytes out(static_cast<std::size_t>(box.size()), 77);
  raster.sample(box, identityTable(), out.data());
  return out;
}

Index sum(const Bytes& bytes)
{
  Index total = 0;
  for (const std::uint8_t b : bytes)
  {
    total += b;
  }
  return total;
}

Box boxOf(Index x0, Index x1, Index y0, Index y1, Index z0, Index z1)
{
  Box box;
  box.lo[0] = x0;
  box.hi[0] = x1;
  box.lo[1] = y0;
  box.hi[1] = y1;
  box.lo[2] = z0;
  box.hi[2] = z1;
  return box;
}

/// Faces in the order -x, +x, -y, +y, -z, +z, two triangles each, seen from outside.
Mesh cuboid(const double lo[3], const double hi[3])
{
  Mesh mesh;
  for (int c = 0; c < 8; ++c)
  {
    mesh.add(c & 1 ? hi[0] : lo[0], c & 2 ? hi[1] : lo[1], c & 4 ? hi[2] : lo[2]);
  }
  mesh.quad(0, 4, 6, 2);
  mesh.quad(1, 3, 7, 5);
  mesh.quad(0, 1, 5, 4);
  mesh.quad(2, 6, 7, 3);
  mesh.quad(0, 2, 3, 1);
  mesh.quad(4, 5, 7, 6);
  return mesh;
}

/// A closed grid in two angles; radius(u, v) gives a point for angles u, v in [0, 1).
template <class Position>
Mesh torusLike(int m, int n, const Position& position)
{
  Mesh mesh;
  for (int i = 0; i < m; ++i)
  {
    for (int j = 0; j < n; ++j)
    {
      const std::array<double, 3> p = position(double(i) / m, double(j) / n);
      mesh.add(p[0], p[1], p[2]);
    }
  }
  for (int i = 0; i < m; ++i)
  {
    for (int j = 0; j < n; ++j)
    {
      const Index a = i * n + j;
      const Index b = (i + 1) % m * n + j;
      const Index c = (i + 1) % m * n + (j + 1) % n;
      const Index d = i * n + (j + 1) % n;
      mesh.quad(a, b, c, d);
    }
  }
  return mesh;
}

const double TwoPi = 6.283185307179586;

Mesh torus(int m, int n, double R, double r, double cx, double cy, double cz, double wave = 0.0)
{
  return torusLike(m, n,
    [=](double u, double v)
    {
      const double s = r * (1.0 + wave * std::sin(3 * TwoPi * u) * std::cos(2 * TwoPi * v));
      const double d = R + s * std::cos(TwoPi * v);
      return std::array<double, 3>{ cx + d * std::cos(TwoPi * u), cy + d * std::sin(TwoPi * u),
        cz + s * std::sin(TwoPi * v) };
    });
}

Mesh sphere(int rings, int sides, double r, double cx, double cy, double cz)
{
  Mesh mesh;
  const Index south = mesh.add(cx, cy, cz - r);
  for (int i = 1; i < rings; ++i)
  {
    const double theta = -TwoPi / 4 + TwoPi / 2 * i / rings;
    for (int j = 0; j < sides; ++j)
    {
      const double phi = TwoPi * j / sides;
      mesh.add(cx + r * std::cos(theta) * std::cos(phi), cy + r * std::cos(theta) * std::sin(phi),
        cz + r * std::sin(theta));
    }
  }
  const Index north = mesh.add(cx, cy, cz + r);
  const auto at = [=](int i, int j) { return Index{ 1 } + (i - 1) * sides + j % sides; };
  for (int j = 0; j < sides; ++j)
  {
    mesh.triangle(south, at(1, j + 1), at(1, j));
    for (int i = 1; i + 1 < rings; ++i)
    {
      mesh.quad(at(i, j), at(i, j + 1), at(i + 1, j + 1), at(i + 1, j));
    }
    mesh.triangle(north, at(rings - 1, j), at(rings - 1, j + 1));
  }
  return mesh;
}

/// Solid angle of all triangles around a point, in turns (van Oosterom, Strackee 1983): +-1 inside
/// a closed surface, 0 outside. No rows and no crossings, so independent of the kernel.
double turns(const Mesh& mesh, const double x[3])
{
  double total = 0.0;
  for (Index t = 0; t < mesh.count(); ++t)
  {
    double v[3][3];
    double length[3];
    for (int c = 0; c < 3; ++c)
    {
      const Index id = mesh.triangles[static_cast<std::size_t>(3 * t + c)];
      for (int a = 0; a < 3; ++a)
      {
        v[c][a] = mesh.points[static_cast<std::size_t>(3 * id + a)] - x[a];
      }
      length[c] = std::sqrt(v[c][0] * v[c][0] + v[c][1] * v[c][1] + v[c][2] * v[c][2]);
    }
    const auto dot = [&](int a, int b)
    { return v[a][0] * v[b][0] + v[a][1] * v[b][1] + v[a][2] * v[b][2]; };
    const double det = v[0][0] * (v[1][1] * v[2][2] - v[1][2] * v[2][1]) -
      v[0][1] * (v[1][0] * v[2][2] - v[1][2] * v[2][0]) +
      v[0][2] * (v[1][0] * v[2][1] - v[1][1] * v[2][0]);
    const double bottom = length[0] * length[1] * length[2] + dot(0, 1) * length[2] +
      dot(1, 2) * length[0] + dot(2, 0) * length[1];
    total += 2.0 * std::atan2(det, bottom);
  }
  return total / (2.0 * TwoPi);
}

/// Inverse of a 3 x 4 affine map.
std::array<double, 12> inverted(const std::array<double, 12>& m)
{
  std::array<double, 12> inverse{};
  const auto e = [&](int r, int c) { return m[static_cast<std::size_t>(4 * (r % 3) + c % 3)]; };
  double det = 0.0;
  for (int c = 0; c < 3; ++c)
  {
    det += e(0, c) * (e(1, c + 1) * e(2, c + 2) - e(1, c + 2) * e(2, c + 1));
  }
  for (int r = 0; r < 3; ++r)
  {
    for (int c = 0; c < 3; ++c)
    {
      inverse[static_cast<std::size_t>(4 * c + r)] =
        (e(r + 1, c + 1) * e(r + 2, c + 2) - e(r + 1, c + 2) * e(r + 2, c + 1)) / det;
    }
  }
  for (int r = 0; r < 3; ++r)
  {
    double t = 0.0;
    for (int c = 0; c < 3; ++c)
    {
      t -= inverse[static_cast<std::size_t>(4 * r + c)] * m[static_cast<std::size_t>(4 * c + 3)];
    }
    inverse[static_cast<std::size_t>(4 * r + 3)] = t;
  }
  return inverse;
}

/// Voxel to world of an oblique, anisotropic lattice; left-handed if asked.
std::array<double, 12> obliqueLattice(check::Random& random, bool leftHanded)
{
  const double a = TwoPi * random.unit();
  const double b = TwoPi * random.unit();
  const double ca = std::cos(a), sa = std::sin(a), cb = std::cos(b), sb = std::sin(b);
  const double directions[3][3] = { { ca, -sa * cb, sa * sb }, { sa, ca * cb, -ca * sb },
    { 0.0, sb, cb } };
  const double spacing[3] = { 0.7 + random.unit(), 0.7 + random.unit(),
    (leftHanded ? -1.0 : 1.0) * (0.7 + random.unit()) };
  std::array<double, 12> m{};
  for (int r = 0; r < 3; ++r)
  {
    for (int c = 0; c < 3; ++c)
    {
      m[static_cast<std::size_t>(4 * r + c)] = directions[r][c] * spacing[c];
    }
    m[static_cast<std::size_t>(4 * r + 3)] = 3.0 * random.unit();
  }
  return m;
}

Index integersFrom(double low, double high) // low <= i < high
{
  return std::max<Index>(
    0, static_cast<Index>(std::ceil(high)) - static_cast<Index>(std::ceil(low)));
}

void cuboids()
{
  check::Random random(1);
  const Box box = boxOf(-6, 9, -7, 8, -5, 10);
  for (int trial = 0; trial < 200; ++trial)
  {
    check::setContext("cuboid ", trial);
    double lo[3];
    double hi[3];
    Index expected = 1;
    for (int a = 0; a < 3; ++a)
    {
      lo[a] = static_cast<double>(random.between(-16, 8)) / 4; // often on voxel centres
      hi[a] = lo[a] + static_cast<double>(random.between(0, 16)) / 4;
      expected *= integersFrom(lo[a], hi[a]);
    }
    const SurfaceRaster raster = cuboid(lo, hi).raster();
    CHECK(raster.closed());
    const Bytes mask = sampled(raster, box);
    CHECK_EQUAL(sum(mask), expected);
    Index wrong = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          const double x[3] = { double(i), double(j), double(k) };
          bool inside = true;
          for (int a = 0; a < 3; ++a)
          {
            inside = inside && lo[a] <= x[a] && x[a] < hi[a];
          }
          wrong += mask[static_cast<std::size_t>(box.offset(i, j, k))] != (inside ? 1 : 0);
        }
      }
    }
    CHECK_EQUAL(wrong, 0);
  }
}

/// Tenths are no binary fractions, so that 10 times a tenth is often a little more or less than
/// whole: rounded vertices are on the voxel centres all the same.
void tenths()
{
  const double scale[12] = { 10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 10, 0 };
  for (int first = -25; first <= 25; ++first)
  {
    check::setContext("tenths from ", first);
    const double lo[3] = { 0.1 * first, 0.1 * (first + 1), 0.1 * (first - 2) };
    const double hi[3] = { 0.1 * (first + 3), 0.1 * (first + 7), 0.1 * (first + 11) };
    const Box box = boxOf(first - 5, first + 15, first - 5, first + 15, first - 5, first + 15);
    CHECK_EQUAL(sum(sampled(cuboid(lo, hi).raster(scale), box)), 3 * 6 * 13);
  }
}

void farAway()
{
  // Beyond 2^22 the lattice of rounding gets coarser, but halves stay exact.
  for (const double far : { 0.0, 3e6, 5e7, 1e9, 4e11 })
  {
    check::setContext("at ", far);
    const double lo[3] = { far - 1.5, -2.0, far };
    const double hi[3] = { far + 2.0, 1.5, far + 2.5 };
    const Index f = static_cast<Index>(far);
    CHECK_EQUAL(
      sum(sampled(cuboid(lo, hi).raster(), boxOf(f - 5, f + 5, -5, 5, f - 5, f + 5))), 3 * 4 * 3);
  }
}

void octahedron()
{
  // Oblique faces through many voxel centres. |i| + |j| + |k| = r is inside iff moving by
  // (e1, e2, e3) goes inwards, which e1 decides.
  for (const int r : { 1, 2, 5, 8 })
  {
    check::setContext("octahedron ", r);
    Mesh mesh;
    for (int c = 0; c < 6; ++c)
    {
      const double s = c % 2 ? r : -r;
      mesh.add(c / 2 == 0 ? s : 0, c / 2 == 1 ? s : 0, c / 2 == 2 ? s : 0);
    }
    for (int c = 0; c < 8; ++c)
    {
      mesh.triangle(c & 1, 2 + (c >> 1 & 1), 4 + (c >> 2 & 1));
    }
    const Box box = boxOf(-9, 9, -9, 9, -9, 9);
    const Bytes mask = sampled(mesh.raster(), box);
    Index wrong = 0;
    for (Index k = -9; k <= 9; ++k)
    {
      for (Index j = -9; j <= 9; ++j)
      {
        for (Index i = -9; i <= 9; ++i)
        {
          const Index s = std::abs(i) + std::abs(j) + std::abs(k);
          const bool inside = s < r || (s == r && i < 0);
          wrong += mask[static_cast<std::size_t>(box.offset(i, j, k))] != (inside ? 1 : 0);
        }
      }
    }
    CHECK_EQUAL(wrong, 0);
  }
}

/// A block cut into tetrahedra whose inner vertices are moved at random, to voxel centres or
/// anywhere: whatever their shapes, even turned inside out, each voxel centre of the block is in an
/// odd number of them (in exactly one as long as none is turned), and others in an even number.
void partitions()
{
  check::Random random(2);
  constexpr int Cells = 3;
  constexpr int Size = 4;
  constexpr int Corners = Cells + 1;
  static const int order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
    { 2, 1, 0 } };
  for (int trial = 0; trial < 40; ++trial)
  {
    check::setContext("partition ", trial);
    const bool integers = trial % 2 == 0;
    const double move = trial % 4 < 2 ? 0.9 : 3.0; // below 1 no tetrahedron is turned inside out
    std::vector<double> points;
    for (int k = 0; k < Corners; ++k)
    {
      for (int j = 0; j < Corners; ++j)
      {
        for (int i = 0; i < Corners; ++i)
        {
          const int index[3] = { i, j, k };
          for (int a = 0; a < 3; ++a)
          {
            // Vertices on the hull move within their face only.
            const bool fixed = index[a] == 0 || index[a] == Cells;
            const double d = fixed ? 0.0 : move * (2.0 * random.unit() - 1.0);
            points.push_back(index[a] * Size + (integers ? std::round(d) : d));
          }
        }
      }
    }
    const Box box = boxOf(-2, Cells * Size + 2, -2, Cells * Size + 2, -2, Cells * Size + 2);
    std::vector<int> claims(static_cast<std::size_t>(box.size()), 0);
    for (int cell = 0; cell < Cells * Cells * Cells; ++cell)
    {
      for (const auto& axes : order)
      {
        int at[3] = { cell % Cells, cell / Cells % Cells, cell / Cells / Cells };
        Index id[4];
        for (int c = 0; c < 4; ++c)
        {
          id[c] = at[0] + Corners * (at[1] + Corners * at[2]);
          if (c < 3)
          {
            ++at[axes[c]];
          }
        }
        Mesh tetrahedron;
        tetrahedron.points = points;
        tetrahedron.triangle(id[0], id[1], id[2]);
        tetrahedron.triangle(id[3], id[1], id[0]);
        tetrahedron.triangle(id[2], id[1], id[3]);
        tetrahedron.triangle(id[0], id[2], id[3]);
        const Bytes mask = sampled(tetrahedron.raster(), box);
        for (std::size_t v = 0; v < mask.size(); ++v)
        {
          claims[v] += mask[v];
        }
      }
    }
    Index wrong = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          const Index n = Cells * Size;
          const bool inside = i >= 0 && i < n && j >= 0 && j < n && k >= 0 && k < n;
          const int claimed = claims[static_cast<std::size_t>(box.offset(i, j, k))];
          wrong += move < 1.0 ? claimed != (inside ? 1 : 0) : claimed % 2 != (inside ? 1 : 0);
        }
      }
    }
    CHECK_EQUAL(wrong, 0);
  }
}

/// Non-convex, nested and several components on oblique lattices, beside the solid angle.
void obliqueMeshes()
{
  check::Random random(3);
  for (int trial = 0; trial < 8; ++trial)
  {
    check::setContext("oblique ", trial);
    const std::array<double, 12> toWorld = obliqueLattice(random, trial % 2 == 1);
    const std::array<double, 12> toLattice = inverted(toWorld);
    Mesh mesh = torus(14, 9, 6.0, 2.5, 0.5, 0.2, 0.1, 0.4);
    if (trial % 3 == 1)
    {
      mesh = sphere(9, 11, 7.0, 0.3, 0.1, 0.2);
      mesh.append(sphere(7, 8, 4.0, 0.5, 0.4, 0.3)); // a cavity, turned the wrong way
      mesh.append(sphere(5, 6, 1.9, 0.5, 0.4, 0.3)); // with something in it
    }
    else if (trial % 3 == 2)
    {
      mesh.append(torus(9, 14, 6.0, 2.0, 6.3, -7.0, 9.0, 0.3));
    }
    // Orientation does not matter to the kernel; the solid angle needs it, so it is spoilt later.
    Mesh turned = mesh;
    for (Index t = 0; t < turned.count(); ++t)
    {
      if (random.below(2))
      {
        std::swap(turned.triangles[static_cast<std::size_t>(3 * t)],
          turned.triangles[static_cast<std::size_t>(3 * t + 1)]);
      }
    }
    const SurfaceRaster raster = turned.raster(toLattice.data());
    CHECK(raster.closed());
    const Index halo = 1;
    const Box box = raster.box().grown(halo);
    const Bytes mask = sampled(raster, box);
    Index wrong = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          double x[3];
          for (std::size_t r = 0; r < 3; ++r)
          {
            x[r] = toWorld[4 * r] * double(i) + toWorld[4 * r + 1] * double(j) +
              toWorld[4 * r + 2] * double(k) + toWorld[4 * r + 3];
          }
          const long rounded = std::lround(turns(mesh, x));
          wrong +=
            mask[static_cast<std::size_t>(box.offset(i, j, k))] != (rounded % 2 != 0 ? 1 : 0);
        }
      }
    }
    CHECK_EQUAL(wrong, 0);
    CHECK(sum(mask) > 100);
  }
}

/// n^3 samples per voxel are n^3 rasters of a shifted surface.
void coverage()
{
  check::Random random(4);
  const std::array<double, 12> toLattice = inverted(obliqueLattice(random, true));
  const Mesh mesh = torus(12, 9, 5.0, 2.2, 0.5, 0.2, 0.1, 0.3);
  for (const int n : { 2, 3, 6 })
  {
    check::setContext("coverage ", n);
    const SurfaceRaster raster = mesh.raster(toLattice.data(), n);
    const Box box = raster.box().grown(1);
    Bytes expected(static_cast<std::size_t>(box.size()), 0);
    for (int s = 0; s < n * n * n; ++s)
    {
      std::array<double, 12> shifted = toLattice;
      const int offset[3] = { s % n, s / n % n, s / n / n };
      for (std::size_t a = 0; a < 3; ++a)
      {
        shifted[4 * a + 3] -= (offset[a] + 0.5) / n - 0.5;
      }
      const Bytes mask = sampled(mesh.raster(shifted.data()), box);
      for (std::size_t v = 0; v < mask.size(); ++v)
      {
        expected[v] = static_cast<std::uint8_t>(expected[v] + mask[v]);
      }
    }
    const Bytes got = sampled(raster, box);
    CHECK_RANGES(got, expected, box.size());
    CHECK_EQUAL(int(*std::max_element(got.begin(), got.end())), n * n * n);

    // A table of values, signed ones as bytes.
    std::vector<std::int8_t> table;
    for (int v = 0; v <= n * n * n; ++v)
    {
      table.push_back(static_cast<std::int8_t>(v - n * n * n / 2));
    }
    std::vector<std::int8_t> values(static_cast<std::size_t>(box.size()));
    raster.sample(box, reinterpret_cast<const std::uint8_t*>(table.data()),
      reinterpret_cast<std::uint8_t*>(values.data()));
    Index wrong = 0;
    for (std::size_t v = 0; v < values.size(); ++v)
    {
      wrong += values[v] != got[v] - n * n * n / 2;
    }
    CHECK_EQUAL(wrong, 0);
  }
  // A box of 2.5 x 1 x 1 voxels from the middle of voxel 0: halves and quarters of voxels.
  const double lo[3] = { 0.0, -0.5, -0.5 };
  const double hi[3] = { 2.5, 0.5, 0.5 };
  const Bytes thin = sampled(cuboid(lo, hi).raster(nullptr, 4), boxOf(-1, 3, 0, 0, 0, 0));
  const Bytes fractions = { 0, 32, 64, 64, 0 };
  CHECK_RANGES(thin, fractions, 5);
}

/// Any box and any number of threads give what the whole gives, also where rows are voted on.
void splits()
{
  check::Random random(5);
  for (int trial = 0; trial < 7; ++trial)
  {
    const int n = trial % 3 == 2 ? 3 : 1;
    const bool broken = trial % 2 == 1;
    check::setContext("split ", trial);
    // Enough triangles for threads: those of a small closed surface are shared out, the box of a
    // large one is, with lists of the triangles of each tile.
    const double scale = trial == 6 ? 4.0 : 1.0;
    Mesh mesh = torus(140, 70, 20.0, 9.0, 30.0, 31.0, 12.0, 0.3);
    mesh.append(sphere(20, 20, 6.0, 60.0, 50.0, 12.0));
    if (broken)
    {
      mesh.triangles.erase(mesh.triangles.begin() + 3000, mesh.triangles.begin() + 3060);
      mesh.triangles.erase(mesh.triangles.end() - 900, mesh.triangles.end() - 840);
    }
    CHECK(mesh.count() > (1 << 14));
    std::array<double, 12> toLattice = { 1.1, 0.2, 0.0, 0.0, -0.1, 0.9, 0.3, 0.0, 0.0, 0.1, -1.3,
      0.0 };
    for (double& element : toLattice)
    {
      element *= scale;
    }
    const SurfaceRaster raster = mesh.raster(toLattice.data(), n);
    CHECK_EQUAL(raster.closed(), !broken);
    const Box whole = raster.box().grown(2);
    Bytes reference;
    check::withThreads(1, [&] { reference = sampled(raster, whole); });
    CHECK(sum(reference) > 10000);
    for (const int threads : { 2, 5 })
    {
      check::withThreads(threads,
        [&]
        {
          const Bytes again = sampled(mesh.raster(toLattice.data(), n), whole);
          CHECK_RANGES(again, reference, whole.size());
        });
    }
    for (int part = 0; part < (broken ? 4 : 12); ++part)
    {
      Box box;
      for (int a = 0; a < 3; ++a)
      {
        box.lo[a] = random.between(whole.lo[a] - 3, whole.hi[a]);
        box.hi[a] = random.between(box.lo[a], std::min(box.lo[a] + 40, whole.hi[a] + 3));
      }
      const Bytes got = sampled(raster, box);
      Index wrong = 0;
      for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
      {
        for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
        {
          for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
          {
            const std::uint8_t expected = whole.contains(i, j, k)
              ? reference[static_cast<std::size_t>(whole.offset(i, j, k))]
              : std::uint8_t{ 0 };
            wrong += got[static_cast<std::size_t>(box.offset(i, j, k))] != expected;
          }
        }
      }
      CHECK_EQUAL(wrong, 0);
    }
  }
}

void defects()
{
  const double lo[3] = { -3.4, -2.3, -4.2 };
  const double hi[3] = { 4.1, 3.7, 3.3 };
  const Box box = boxOf(-7, 7, -7, 7, -7, 7);
  const Mesh whole = cuboid(lo, hi);
  const Bytes mask = sampled(whole.raster(), box);
  CHECK_EQUAL(sum(mask), 8 * 6 * 8);
  for (int face = 0; face < 6; ++face)
  {
    check::setContext("without face ", face);
    Mesh open = whole;
    open.triangles.erase(open.triangles.begin() + 6 * face, open.triangles.begin() + 6 * face + 6);
    const SurfaceRaster raster = open.raster();
    CHECK(!raster.closed());
    const Bytes got = sampled(raster, box);
    CHECK_RANGES(got, mask, box.size());
    // Two opposite faces away: rows along that axis see nothing, and are outvoted.
    if (face % 2 == 0)
    {
      Mesh tube = whole;
      tube.triangles.erase(
        tube.triangles.begin() + 6 * face, tube.triangles.begin() + 6 * face + 12);
      const Bytes through = sampled(tube.raster(), box);
      CHECK_RANGES(through, mask, box.size());
      // One more face away: of the two axes left one abstains, and inside wins the tie.
      tube.triangles.erase(tube.triangles.begin(), tube.triangles.begin() + 6);
      const Bytes tied = sampled(tube.raster(), box);
      CHECK_RANGES(tied, mask, box.size());
    }
  }
  {
    check::setContext("without faces -x, -y, -z"); // all rows inside abstain
    Mesh open = whole;
    for (const int face : { 4, 2, 0 })
    {
      const auto first = open.triangles.begin() + 6 * face;
      open.triangles.erase(first, first + 6);
    }
    const Bytes got = sampled(open.raster(), box);
    CHECK_RANGES(got, mask, box.size());
  }
  check::setContext("doubled");
  for (Index t = 0; t < whole.count(); ++t)
  {
    Mesh more = whole;
    const auto* const id = whole.triangles.data() + 3 * t;
    more.triangle(id[1], id[2], id[0]);
    // Equal coordinates under other numbers count as well.
    const auto copy = [&](Index p)
    {
      const double* const x = whole.points.data() + 3 * p;
      return more.add(x[0], x[1], x[2]);
    };
    more.triangle(copy(id[0]), copy(id[1]), copy(id[2]));
    more.triangle(id[0], id[1], id[0]);
    const SurfaceRaster raster = more.raster();
    CHECK(raster.closed());
    CHECK_EQUAL(raster.duplicates(), 2);
    CHECK_EQUAL(raster.degenerates(), 1);
    const Bytes got = sampled(raster, box);
    CHECK_RANGES(got, mask, box.size());
    // Turned over, the second one takes the first away: a hole, which is bridged.
    Mesh cancelled = whole;
    cancelled.triangle(id[0], id[2], id[1]);
    const SurfaceRaster bridged = cancelled.raster();
    CHECK(!bridged.closed());
    const Bytes filled = sampled(bridged, box);
    CHECK_RANGES(filled, mask, box.size());
  }
  {
    check::setContext("everything twice");
    Mesh twice = whole;
    twice.append(whole);
    CHECK_EQUAL(twice.raster().duplicates(), 12);
    const Bytes got = sampled(twice.raster(), box);
    CHECK_RANGES(got, mask, box.size());
  }
  {
    check::setContext("vertex on an edge");
    // The face -z with a vertex in the middle of its edge 0-1, which the face -y does not know.
    Mesh mesh = whole;
    mesh.triangles.erase(mesh.triangles.begin() + 24, mesh.triangles.begin() + 30);
    const Index middle = mesh.add(0.5 * (lo[0] + hi[0]), lo[1], lo[2]);
    mesh.triangle(0, 2, middle);
    mesh.triangle(2, 3, middle);
    mesh.triangle(3, 1, middle);
    const SurfaceRaster raster = mesh.raster();
    CHECK(!raster.closed());
    const Bytes got = sampled(raster, box);
    CHECK_RANGES(got, mask, box.size());
    // A triangle without area closes the crack.
    mesh.triangle(0, middle, 1);
    CHECK(mesh.raster().closed());
    const Bytes closed = sampled(mesh.raster(), box);
    CHECK_RANGES(closed, mask, box.size());
  }
  check::Random random(6);
  const Mesh ball = sphere(24, 30, 9.0, 0.2, 0.3, 0.1);
  const Box around = boxOf(-11, 11, -11, 11, -11, 11);
  const Bytes full = sampled(ball.raster(), around);
  for (int trial = 0; trial < 20; ++trial)
  {
    check::setContext("holes ", trial);
    Mesh holes = ball;
    for (int hole = 0; hole < 4; ++hole)
    {
      const auto t = random.below(holes.count());
      holes.triangles.erase(holes.triangles.begin() + 3 * t, holes.triangles.begin() + 3 * t + 3);
    }
    const Bytes got = sampled(holes.raster(), around);
    Index wrong = 0;
    for (std::size_t v = 0; v < got.size(); ++v)
    {
      wrong += got[v] != full[v];
    }
    CHECK(wrong <= 8); // two voxels at each of four holes of 1 x 2 voxels
  }
}

void badInput()
{
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double lo[3] = { 0.2, 0.2, 0.2 };
  const double hi[3] = { 2.2, 2.2, 2.2 };
  const Mesh good = cuboid(lo, hi);
  CHECK_THROWS(good.raster(nullptr, 0), std::invalid_argument);
  CHECK_THROWS(good.raster(nullptr, 17), std::invalid_argument);
  CHECK_THROWS(
    SurfaceRaster(good.points.data(), -1, good.triangles.data(), 1), std::invalid_argument);
  for (const double bad : { inf, -inf, nan, 1e13 })
  {
    Mesh mesh = good;
    mesh.points[7] = bad;
    CHECK_THROWS(mesh.raster(), std::invalid_argument);
    // Points that no triangle uses do no harm.
    Mesh spare = good;
    spare.add(bad, 0.0, 0.0);
    CHECK_EQUAL(sum(sampled(spare.raster(), boxOf(-1, 4, -1, 4, -1, 4))), 8);
  }
  for (const Index bad : { Index{ -1 }, Index{ 8 } })
  {
    Mesh mesh = good;
    mesh.triangles[5] = bad;
    CHECK_THROWS(mesh.raster(), std::invalid_argument);
  }
  // Nothing, a lone point thrice, a flat sheet: nothing is inside.
  Mesh mesh;
  CHECK_EQUAL(sum(sampled(mesh.raster(), boxOf(0, 3, 0, 3, 0, 3))), 0);
  CHECK(mesh.raster().box().empty());
  mesh.add(1.0, 1.0, 1.0);
  mesh.triangle(0, 0, 0);
  CHECK_EQUAL(sum(sampled(mesh.raster(), boxOf(0, 3, 0, 3, 0, 3))), 0);
  Mesh sheet;
  sheet.add(0.0, 0.0, 1.0);
  sheet.add(3.0, 0.0, 1.0);
  sheet.add(0.0, 3.0, 2.0);
  sheet.triangle(0, 1, 2);
  CHECK_EQUAL(sum(sampled(sheet.raster(), boxOf(-1, 4, -1, 4, -1, 4))), 0);
  // Both sides of a sheet cancel.
  sheet.triangle(0, 2, 1);
  CHECK(sheet.raster().closed());
  CHECK_EQUAL(sum(sampled(sheet.raster(), boxOf(-1, 4, -1, 4, -1, 4))), 0);
  const Bytes none = sampled(good.raster(), Box());
  CHECK(none.empty());

  segcore::Progress stop;
  stop.cancelled = [] { return true; };
  Bytes out(64);
  CHECK_THROWS(good.raster().sample(boxOf(0, 3, 0, 3, 0, 3), identityTable(), out.data(), stop),
    segcore::Cancelled);

  const std::vector<float> floats(good.points.begin(), good.points.end());
  const SurfaceRaster single(floats.data(), 8, good.triangles.data(), good.count(), nullptr, 1);
  CHECK_EQUAL(sum(sampled(single, boxOf(-1, 4, -1, 4, -1, 4))), 8);
}

} // namespace

int TestSurfaceRaster(int, char*[])
{
  cuboids();
  tenths();
  farAway();
  octahedron();
  partitions();
  obliqueMeshes();
  coverage();
  splits();
  defects();
  badInput();
  return check::result();
}
