// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "StrokeMask.h"

#include "Check.h"
#include "Volumes.h"

#include <array>
#include <cmath>
#include <limits>
#include <set>

using segcore::Box;
using segcore::BrushShape;
using segcore::Index;
using segcore::StrokeGeometry;
using segcore::StrokeMask;
using segcore::StrokeOptions;

namespace
{

using Mask = std::vector<std::uint8_t>;
using Points = std::vector<double>;
using Real = long double;
using Vector = std::array<Real, 3>;

StrokeMask stroke(
  const Points& points, const StrokeGeometry& geometry, const StrokeOptions& options)
{
  return StrokeMask(points.data(), static_cast<Index>(points.size() / 3), geometry, options);
}

Mask drawn(const StrokeMask& mask, const Box& part)
{
  Mask out(static_cast<std::size_t>(part.size()), 7);
  mask.write(part, out.data());
  return out;
}

Index count(const Mask& mask)
{
  Index n = 0;
  for (const std::uint8_t value : mask)
  {
    CHECK(value <= 1);
    n += value;
  }
  return n;
}

/// Voxels inside, over the bounds; a margin around these must be empty.
Index count(const StrokeMask& mask)
{
  const Index n = count(drawn(mask, mask.bounds()));
  CHECK_EQUAL(
    count(drawn(mask, mask.bounds().empty() ? Box::ofSize(9, 9, 9) : mask.bounds().grown(3))), n);
  return n;
}

StrokeOptions sphere(double diameter)
{
  StrokeOptions options;
  options.diameterMillimetres = diameter;
  return options;
}

StrokeOptions circle(double diameter, double nx, double ny, double nz, double thickness)
{
  StrokeOptions options;
  options.shape = BrushShape::Circle;
  options.diameterMillimetres = diameter;
  options.normal[0] = nx;
  options.normal[1] = ny;
  options.normal[2] = nz;
  options.thicknessMillimetres = thickness;
  return options;
}

StrokeGeometry spaced(double x, double y, double z)
{
  StrokeGeometry geometry;
  geometry.spacing[0] = x;
  geometry.spacing[1] = y;
  geometry.spacing[2] = z;
  return geometry;
}

//--------------------------------------------------------------------------------------------------
Real dot(const Vector& a, const Vector& b)
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// The distance from a voxel to a segment in world coordinates, divided by what is allowed: 1 is
/// the surface. For the circle the larger of what is across and what is along the normal: the
/// smallest over the points of the segment, by ternary search, since both are convex along it.
Real relativeDistance(const Vector& v, const Vector& p, const Vector& q, const StrokeOptions& o)
{
  const Real radius = static_cast<Real>(o.diameterMillimetres) / 2;
  const Real half = static_cast<Real>(o.thicknessMillimetres) / 2;
  Vector n{ o.normal[0], o.normal[1], o.normal[2] };
  const Real length = std::sqrt(dot(n, n));
  const auto at = [&](Real t)
  {
    Vector away;
    for (std::size_t a = 0; a < 3; ++a)
    {
      away[a] = v[a] - (p[a] + t * (q[a] - p[a]));
    }
    if (o.shape == BrushShape::Sphere)
    {
      return std::sqrt(dot(away, away)) / radius;
    }
    const Real along = dot(away, n) / length;
    for (std::size_t a = 0; a < 3; ++a)
    {
      away[a] -= along * n[a] / length;
    }
    return std::max(std::sqrt(dot(away, away)) / radius, std::abs(along) / half);
  };
  Real low = 0;
  Real high = 1;
  for (int i = 0; i < 70; ++i)
  {
    const Real third = (high - low) / 3;
    const bool left = at(low + third) < at(high - third);
    high -= left ? third : 0;
    low += left ? 0 : third;
  }
  return std::min(std::min(at(0), at(1)), at((low + high) / 2));
}

/// 1 inside, 0 outside, 2 too close to the surface to tell.
Mask slowStroke(
  const Points& points, const StrokeGeometry& g, const StrokeOptions& o, const Box& box)
{
  Mask result;
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
      {
        const Real index[3] = { static_cast<Real>(i), static_cast<Real>(j), static_cast<Real>(k) };
        Vector v;
        for (std::size_t a = 0; a < 3; ++a)
        {
          v[a] = g.origin[a];
          for (std::size_t b = 0; b < 3; ++b)
          {
            v[a] += g.direction[3 * a + b] * (g.spacing[b] * index[b]);
          }
        }
        Real best = std::numeric_limits<Real>::infinity();
        const std::size_t n = points.size() / 3;
        for (std::size_t s = 0; s + 1 < std::max<std::size_t>(n, 2); ++s)
        {
          const double* p = points.data() + 3 * s;
          const double* q = n > 1 ? p + 3 : p;
          best = std::min(best, relativeDistance(v, { p[0], p[1], p[2] }, { q[0], q[1], q[2] }, o));
        }
        result.push_back(std::abs(best - 1) < 1e-9L ? 2 : best < 1);
      }
    }
  }
  return result;
}

/// Right-handed or left-handed, any angle.
StrokeGeometry randomGeometry(check::Random& random)
{
  StrokeGeometry g;
  const double spacings[] = { 0.3, 0.7, 1.0, 1.9 };
  for (int a = 0; a < 3; ++a)
  {
    g.spacing[a] = spacings[random.below(4)];
    g.origin[a] = 200.0 * random.unit() - 100.0;
  }
  if (random.below(3))
  {
    // From a random quaternion.
    double q[4];
    double length = 0.0;
    for (double& value : q)
    {
      value = random.unit() - 0.5;
      length += value * value;
    }
    for (double& value : q)
    {
      value /= std::sqrt(length);
    }
    const double w = q[0];
    const double x = q[1];
    const double y = q[2];
    const double z = q[3];
    const double rotation[9] = { 1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
      2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), 2 * (x * z - y * w),
      2 * (y * z + x * w), 1 - 2 * (x * x + y * y) };
    std::copy(rotation, rotation + 9, g.direction);
  }
  if (random.below(2))
  {
    for (int r = 0; r < 3; ++r)
    {
      g.direction[3 * r + 1] *= -1.0;
    }
  }
  return g;
}

void toWorld(const StrokeGeometry& g, const double index[3], double world[3])
{
  for (int r = 0; r < 3; ++r)
  {
    world[r] = g.origin[r];
    for (int c = 0; c < 3; ++c)
    {
      world[r] += g.direction[3 * r + c] * g.spacing[c] * index[c];
    }
  }
}

/// Whole, in parts, and against the definition.
void compare(
  const Points& points, const StrokeGeometry& g, const StrokeOptions& o, check::Random& random)
{
  const StrokeMask mask = stroke(points, g, o);
  const Box box = mask.bounds().empty() ? Box::ofSize(4, 4, 4) : mask.bounds().grown(2);
  const Mask whole = drawn(mask, box);
  if (o.shape != BrushShape::Voxel)
  {
    Mask expected = slowStroke(points, g, o, box);
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
      expected[i] = expected[i] == 2 ? whole[i] : expected[i];
    }
    CHECK_RANGES(whole, expected, box.size());
  }
  CHECK_EQUAL(count(drawn(mask, mask.bounds())), count(whole));
  Mask joined(whole.size(), 3);
  for (const Box& part : volumes::split(box, static_cast<int>(random.between(2, 9)), &random))
  {
    volumes::paste(drawn(mask, part), part, joined, box);
  }
  CHECK_RANGES(joined, whole, box.size());
}

void testRandom()
{
  for (std::uint64_t seed = 1; seed <= 240; ++seed)
  {
    check::Random random(seed);
    const StrokeGeometry g = randomGeometry(random);
    StrokeOptions o;
    o.shape = static_cast<BrushShape>(seed % 3);
    o.diameterMillimetres = 0.4 + 5.0 * random.unit();
    o.thicknessMillimetres = 0.2 + 3.0 * random.unit();
    // The normal: along an axis of the image, between two, or any.
    const Index kind = random.below(3);
    const Index axis = random.below(3);
    for (int a = 0; a < 3; ++a)
    {
      const Index c = kind == 0 ? axis : (axis + random.below(2)) % 3;
      o.normal[a] = kind < 2 ? g.direction[3 * a + c] : random.unit() - 0.5;
    }
    Points points;
    const Index n = 1 + random.below(4);
    const bool planar = random.below(2) == 0;
    const Index centres = random.below(3); // 0: voxel centres
    double index[3] = { 0.0, 0.0, 0.0 };
    for (Index i = 0; i < n; ++i)
    {
      for (int a = 0; a < 3; ++a)
      {
        const double step = 8.0 * random.unit() - 4.0;
        index[a] += planar && kind == 0 && a == axis && i > 0 ? 0.0 : step;
        index[a] = centres ? index[a] : std::floor(index[a]);
      }
      double world[3];
      toWorld(g, index, world);
      points.insert(points.end(), world, world + 3);
      if (random.below(5) == 0)
      {
        points.insert(points.end(), world, world + 3); // the mouse rests
      }
    }
    check::setContext("seed ", seed);
    compare(points, g, o, random);
  }
}

//--------------------------------------------------------------------------------------------------
void testBalls()
{
  check::setContext("balls");
  const StrokeGeometry unit;
  CHECK_EQUAL(count(stroke({ 4, -5, 6 }, unit, sphere(1.0))), 1);
  // A ball between voxels holds none, and one that all but reaches the next voxel only its own.
  CHECK_EQUAL(count(stroke({ 0.5, 0.5, 0.5 }, unit, sphere(1.7))), 0);
  CHECK_EQUAL(count(stroke({ 0.5, 0.5, 0.5 }, unit, sphere(std::sqrt(3.0)))), 8);
  CHECK_EQUAL(count(stroke({ 0, 0, 0 }, unit, sphere(1.999999))), 1);
  const double radii[] = { 1.0, std::sqrt(2.0), std::sqrt(3.0), 2.0, 3.0 };
  const Index counts[] = { 7, 19, 27, 33, 123 };
  for (int i = 0; i < 5; ++i)
  {
    CHECK_EQUAL(count(stroke({ 1, 2, 3 }, unit, sphere(2.0 * radii[i]))), counts[i]);
    // Ties survive the conversion of coordinates that are not exact.
    StrokeGeometry fine = spaced(0.1, 0.1, 0.1);
    fine.origin[0] = -123.4;
    fine.origin[1] = 77.7;
    fine.origin[2] = 1000.3;
    const Points centre{ -123.4 + 51.7, 77.7 + 0.3, 1000.3 - 99.9 };
    CHECK_EQUAL(count(stroke(centre, fine, sphere(0.2 * radii[i]))), counts[i]);
  }
  const StrokeMask ball = stroke({ 0, 0, 0 }, spaced(0.5, 1.0, 2.0), sphere(4.0));
  for (int a = 0; a < 3; ++a)
  {
    const Index reach[3] = { 4, 2, 1 };
    CHECK_EQUAL(ball.bounds().lo[a], -reach[a]);
    CHECK_EQUAL(ball.bounds().hi[a], reach[a]);
    Box axis;
    for (int b = 0; b < 3; ++b)
    {
      axis.lo[b] = a == b ? -9 : 0;
      axis.hi[b] = a == b ? 9 : 0;
    }
    CHECK_EQUAL(count(drawn(ball, axis)), 2 * reach[a] + 1);
  }
}

void testStrokes()
{
  check::setContext("strokes");
  const StrokeGeometry unit;
  // A ball of 7 voxels that moves by 5: 5 more of its cross section of 5 voxels, on every axis.
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 5, 0, 0 }, unit, sphere(2.0))), 7 + 25);
  CHECK_EQUAL(count(stroke({ 0, 5, 0, 0, 0, 0 }, unit, sphere(2.0))), 7 + 25);
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 0, 0, 5 }, unit, sphere(2.0))), 7 + 25);
  // Swept, not stamped: the half-way voxels of a diagonal are at distance sqrt(1/2) from it.
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 4, 4, 0 }, unit, sphere(1.42))), 5 + 8);
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 4, 4, 0 }, unit, sphere(1.41))), 5);
  // Repeated points and segments without length change nothing.
  CHECK_EQUAL(count(stroke({ 2, 2, 2, 2, 2, 2, 2, 2, 2 }, unit, sphere(6.0))), 123);
  CHECK_EQUAL(
    count(stroke({ 0, 0, 0, 0, 0, 0, 5, 0, 0, 5, 0, 0, 3, 0, 0 }, unit, sphere(2.0))), 7 + 25);

  // Discs of 29 voxels (radius 3) across each axis; 3 layers; and 2 where it is between two.
  const double axes[3][3] = { { 2, 0, 0 }, { 0, -1, 0 }, { 0, 0, 0.5 } };
  for (const auto& n : axes)
  {
    CHECK_EQUAL(count(stroke({ 7, 7, 7 }, unit, circle(6, n[0], n[1], n[2], 1.0))), 29);
    CHECK_EQUAL(count(stroke({ 7, 7, 7 }, unit, circle(6, n[0], n[1], n[2], 2.0))), 3 * 29);
    const Points between{ n[0] != 0.0 ? 7.5 : 7.0, n[1] != 0.0 ? 7.5 : 7.0,
      n[2] != 0.0 ? 7.5 : 7.0 };
    CHECK_EQUAL(count(stroke(between, unit, circle(6, n[0], n[1], n[2], 1.0))), 2 * 29);
    // Moved by 4 along the normal: a cylinder.
    const Points up{ 7, 7, 7, n[0] != 0.0 ? 11.0 : 7.0, n[1] != 0.0 ? 11.0 : 7.0,
      n[2] != 0.0 ? 11.0 : 7.0 };
    CHECK_EQUAL(count(stroke(up, unit, circle(6, n[0], n[1], n[2], 1.0))), 5 * 29);
  }
  // A disc of radius 1 that moves in its plane by 5.
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 5, 0, 0 }, unit, circle(2, 0, 0, 1, 1))), 5 + 15);
  // The plane x + y = 0 through voxel centres: those within 0.1 of it and radius 3 of the origin.
  CHECK_EQUAL(count(stroke({ 0, 0, 0 }, unit, circle(6, 1, 1, 0, 0.2))), 7 + 2 * 5 + 2 * 3);
  // Moved by (3, 3, 0) along its normal: every voxel with |x - y| <= 4, |z| ..., 0 <= x + y <= 6.
  Index expected = 0;
  for (Index x = -9; x < 9; ++x)
  {
    for (Index y = -9; y < 9; ++y)
    {
      for (Index z = -9; z < 9; ++z)
      {
        expected += x + y >= 0 && x + y <= 6 && (x - y) * (x - y) + 2 * z * z <= 18;
      }
    }
  }
  CHECK_EQUAL(count(stroke({ 0, 0, 0, 3, 3, 0 }, unit, circle(6, 1, 1, 0, 0.2))), expected);
}

/// Points on voxel centres, and a brush whose squared sizes are whole numbers: ties everywhere, and
/// the definition in integers. The disc moves in its plane.
void testTies()
{
  const auto product = [](const Index* a, const Index* b)
  { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; };
  for (std::uint64_t seed = 1; seed <= 600; ++seed)
  {
    check::setContext("ties, seed ", seed);
    check::Random random(seed);
    const bool disc = seed % 2 == 0;
    Index n[3] = { 0, 0, 0 };
    while (disc && product(n, n) == 0)
    {
      for (Index& value : n)
      {
        value = random.between(-1, 2);
      }
    }
    // Products of what is across the normal, times n2; for the ball simply products.
    const Index n2 = disc ? product(n, n) : 1;
    const auto across = [&](const Index* a, const Index* b)
    { return n2 * product(a, b) - product(a, n) * product(b, n); };
    const Index radius2 = random.between(1, 20);
    const Index half2 = random.between(0, 9) * n2; // of the thickness, squared, times n2
    StrokeOptions o = sphere(2.0 * std::sqrt(static_cast<double>(radius2)));
    if (disc)
    {
      o = circle(o.diameterMillimetres, static_cast<double>(n[0]), static_cast<double>(n[1]),
        static_cast<double>(n[2]),
        std::max(0.01, 2.0 * std::sqrt(static_cast<double>(half2) / static_cast<double>(n2 * n2))));
    }
    std::vector<std::array<Index, 3>> at(1 + static_cast<std::size_t>(random.below(3)));
    Points points;
    for (std::size_t i = 0; i < at.size(); ++i)
    {
      do
      {
        for (std::size_t a = 0; a < 3; ++a)
        {
          at[i][a] = (i > 0 ? at[i - 1][a] : 0) + random.between(-9, 9);
        }
      } while (i > 0 && product(at[i].data(), n) != product(at[0].data(), n));
      points.insert(points.end(), at[i].begin(), at[i].end());
    }
    const StrokeMask mask = stroke(points, StrokeGeometry(), o);
    const Box box = mask.bounds().empty() ? Box::ofSize(2, 2, 2) : mask.bounds().grown(1);
    Mask expected;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          bool in = false;
          for (std::size_t s = 0; s < std::max<std::size_t>(1, at.size() - 1); ++s)
          {
            const Index* p = at[s].data();
            const Index* q = at[std::min(s + 1, at.size() - 1)].data();
            const Index v[3] = { i - p[0], j - p[1], k - p[2] };
            const Index w[3] = { i - q[0], j - q[1], k - q[2] };
            const Index e[3] = { q[0] - p[0], q[1] - p[1], q[2] - p[2] };
            const Index e2 = across(e, e);
            const Index t = across(v, e); // times e2
            const Index limit = radius2 * n2;
            const bool near = t <= 0 ? across(v, v) <= limit
              : t >= e2              ? across(w, w) <= limit
                                     : across(v, v) * e2 - t * t <= limit * e2;
            const Index along = product(v, n);
            in = in || (near && along * along * n2 <= half2 * (disc ? 1 : 0));
          }
          expected.push_back(in);
        }
      }
    }
    CHECK_RANGES(drawn(mask, box), expected, box.size());
  }
}

/// Long, and almost along the rows: where closed forms are at their weakest.
void testShallow()
{
  const StrokeGeometry unit;
  check::Random random(5);
  for (const double slope : { 0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.05 })
  {
    for (const double radius : { 1.0, 2.5 })
    {
      check::setContext("slope ", slope, " radius ", radius);
      compare({ 0, 0, 0, 60, 60 * slope, 0 }, unit, sphere(2.0 * radius), random);
      compare({ 0, 0, 0, 0.3, 60 * slope, 60 }, unit, sphere(2.0 * radius), random);
      compare({ 0, 0, 0, 40, 3, 40 * slope }, unit, circle(2.0 * radius, 0, 0, 1, 1.7), random);
      compare({ 0, 0, 0, 40, 3, 0 }, unit, circle(2.0 * radius, slope, 0, 1, 1.7), random);
      compare({ 0, 0, 0, 30, 9, 4 }, unit, circle(2.0 * radius, slope, -0.4, 1, 1.7), random);
      compare({ 0, 0, 0, 5, 9, 4 }, unit, circle(2.0 * radius, 1, slope, 0, 1.7), random);
      compare({ 0, 0, 0, 5 * slope, 9, 4 }, unit, circle(2.0 * radius, 1, 0, 0, 1.7), random);
    }
  }
}

//--------------------------------------------------------------------------------------------------
void testVoxels()
{
  StrokeOptions o;
  o.shape = BrushShape::Voxel;
  o.diameterMillimetres = -1.0; // ignored
  const StrokeGeometry g = spaced(0.5, 1.0, 2.0);
  check::setContext("voxels");
  CHECK_EQUAL(count(stroke({ 1.1, 2.2, 3.3 }, g, o)), 1);
  const StrokeMask half = stroke({ 0.25, -0.5, -1.0 }, g, o); // halves are rounded up
  CHECK(half.bounds().contains(1, 0, 0));
  CHECK_EQUAL(half.bounds().size(), 1);

  // Also where the conversion of the coordinates rounds.
  StrokeGeometry fine = spaced(0.1, 0.1, 0.1);
  fine.origin[0] = -123.4;
  for (Index i = 0; i < 200; ++i)
  {
    check::setContext("between voxels, ", i);
    const double between = -123.4 + 0.1 * (static_cast<double>(i) + 0.5);
    CHECK_EQUAL(stroke({ between, 0, 0 }, fine, o).bounds().lo[0], i + 1);
  }

  // x 0..4 with y 0, 0.5, 1, 1.5, 2: the halves go up.
  const StrokeGeometry unit;
  const StrokeMask line = stroke({ 0, 0, 0, 4, 2, 0 }, unit, o);
  const Mask expected{ 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1 };
  CHECK_EQUAL(line.bounds().size(), 15);
  CHECK_RANGES(drawn(line, Box::ofSize(5, 3, 1)), expected, 15);

  check::Random random(11);
  for (int n = 0; n < 300; ++n)
  {
    check::setContext("line ", n);
    Index a[3];
    Index b[3];
    Points there;
    Points back;
    Index steps = 0;
    for (int c = 0; c < 3; ++c)
    {
      a[c] = random.between(-12, 12);
      b[c] = random.between(-12, 12);
      steps = std::max(steps, std::abs(b[c] - a[c]));
      there.push_back(static_cast<double>(a[c]));
      back.push_back(static_cast<double>(b[c]));
    }
    const Points ends[2] = { there, back };
    there.insert(there.end(), ends[1].begin(), ends[1].end());
    back.insert(back.end(), ends[0].begin(), ends[0].end());
    const Box box = Box::ofSize(25, 25, 25);
    Box moved = box;
    for (int c = 0; c < 3; ++c)
    {
      moved.lo[c] -= 12;
      moved.hi[c] -= 12;
    }
    Mask slow(static_cast<std::size_t>(box.size()), 0);
    for (Index s = 0; s <= steps; ++s)
    {
      Index at[3];
      for (int c = 0; c < 3; ++c)
      {
        const double exact =
          static_cast<double>(s * (b[c] - a[c])) / static_cast<double>(std::max<Index>(1, steps));
        // Halves of these small fractions are exact in double.
        at[c] = a[c] + static_cast<Index>(std::floor(exact + 0.5));
      }
      slow[static_cast<std::size_t>(moved.offset(at[0], at[1], at[2]))] = 1;
    }
    CHECK_RANGES(drawn(stroke(there, unit, o), moved), slow, box.size());
    CHECK_RANGES(drawn(stroke(back, unit, o), moved), slow, box.size());
    compare(there, unit, o, random);
  }

  // The middle of a line of 2^40 voxels, in exact integers: y = round(x / 2^30 + ...).
  check::setContext("long line");
  const double far = 549755813888.0; // 2^39
  const StrokeMask longLine = stroke({ -far, -far, 3, far, far - 1.0, 3 }, unit, o);
  // y(x) = -2^39 + round((x + 2^39) (2^40 - 1) / 2^40) = x + round(-(x + 2^39) / 2^40): the half is
  // at x = 0 and goes up.
  Box middle = Box::ofSize(4, 4, 8);
  middle.lo[0] = -3;
  middle.lo[1] = -4;
  const Mask around = drawn(longLine, middle);
  CHECK_EQUAL(count(around), 7);
  for (Index x = -3; x <= 3; ++x)
  {
    const Index y = x <= 0 ? x : x - 1;
    CHECK_EQUAL(static_cast<int>(around[static_cast<std::size_t>(middle.offset(x, y, 3))]), 1);
  }
}

//--------------------------------------------------------------------------------------------------
void testExtremes()
{
  check::setContext("extremes");
  const double huge = std::numeric_limits<double>::max();
  const StrokeGeometry unit;
  const Box box = Box::ofSize(40, 30, 20);
  StrokeOptions voxel;
  voxel.shape = BrushShape::Voxel;
  for (const StrokeOptions& o : { sphere(7.0), sphere(1e-300), sphere(huge), voxel,
         circle(7.0, 0, 0, 1, 1.0), circle(7.0, 1, 0, 0, 1e-300), circle(7.0, 0.1, 1, 0.3, huge),
         circle(huge, 1, 1, 1, 2.0), circle(1e-300, 1e300, 1e300, 1e200, huge) })
  {
    for (const double far : { 1e6, 1e12, 1e18, 1e100, huge })
    {
      check::setContext("shape ", static_cast<int>(o.shape), " diameter ", o.diameterMillimetres,
        " thickness ", o.thicknessMillimetres, " far ", far);
      drawn(stroke({ far, 3, 3 }, unit, o), box);
      drawn(stroke({ -far, -far, -far, far, far, far }, unit, o), box);
      drawn(
        stroke({ 3, 3, 3, far, -far, far, 3, far, 3, 1, 2, 1 }, spaced(1e-3, 1e3, 1.0), o), box);
      drawn(stroke({ 3, 3, 3, far, 1, 1 }, spaced(1e-300, 1e300, 1.0), o), box);
      const StrokeMask away = stroke({ far, 500, 3, far, far, 3 }, unit, o);
      if (o.diameterMillimetres == 7.0 && o.thicknessMillimetres < 2.0)
      {
        CHECK(away.bounds().clipped(box).empty());
        CHECK_EQUAL(count(drawn(away, box)), 0);
      }
    }
  }
  check::setContext("through");
  // A line through the volume from end to end of the world is as good as a shorter one.
  CHECK_EQUAL(count(drawn(stroke({ -1e9, 5, 5, 1e9, 5, 5 }, unit, sphere(2.0)), box)), 40 * 5);
  CHECK_EQUAL(count(drawn(stroke({ -1e9, 5, 5, 1e9, 5, 5 }, unit, voxel), box)), 40);
  CHECK_EQUAL(count(drawn(stroke({ 9, 9, 9 }, unit, sphere(huge)), box)), box.size());
}

void testErrors()
{
  check::setContext("errors");
  const StrokeGeometry unit;
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS(stroke({}, unit, sphere(1.0)), std::invalid_argument);
  CHECK_THROWS(stroke({ 1, nan, 1 }, unit, sphere(1.0)), std::invalid_argument);
  CHECK_THROWS(stroke({ 1, 1, 1, infinity, 1, 1 }, unit, sphere(1.0)), std::invalid_argument);
  for (const double bad : { 0.0, -1.0, nan, infinity })
  {
    CHECK_THROWS(stroke({ 1, 1, 1 }, unit, sphere(bad)), std::invalid_argument);
    CHECK_THROWS(stroke({ 1, 1, 1 }, unit, circle(bad, 0, 0, 1, 1)), std::invalid_argument);
    CHECK_THROWS(stroke({ 1, 1, 1 }, unit, circle(1, 0, 0, 1, bad)), std::invalid_argument);
    CHECK_THROWS(stroke({ 1, 1, 1 }, spaced(1, bad, 1), sphere(1)), std::invalid_argument);
  }
  CHECK_THROWS(stroke({ 1, 1, 1 }, unit, circle(1, 0, 0, 0, 1)), std::invalid_argument);
  CHECK_THROWS(stroke({ 1, 1, 1 }, unit, circle(1, 0, nan, 1, 1)), std::invalid_argument);
  StrokeGeometry bad;
  bad.origin[1] = infinity;
  CHECK_THROWS(stroke({ 1, 1, 1 }, bad, sphere(1)), std::invalid_argument);
  bad = unit;
  bad.direction[0] = nan;
  CHECK_THROWS(stroke({ 1, 1, 1 }, bad, sphere(1)), std::invalid_argument);
  bad.direction[0] = 1.1;
  CHECK_THROWS(stroke({ 1, 1, 1 }, bad, sphere(1)), std::invalid_argument);
  try
  {
    stroke({ 1, 1, 1, 1, 1, nan }, unit, sphere(1));
  }
  catch (const std::invalid_argument& error)
  {
    CHECK_EQUAL(std::string(error.what()), "segcore: point 1 of the stroke is not finite");
  }
}

} // namespace

int TestStrokeMask(int, char*[])
{
  testBalls();
  testStrokes();
  testTies();
  testShallow();
  testVoxels();
  testRandom();
  testExtremes();
  testErrors();
  return check::result();
}
