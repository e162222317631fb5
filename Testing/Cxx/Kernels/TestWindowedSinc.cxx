// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "FlyingEdges.h"
#include "PointNormals.h"
#include "WindowedSinc.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>

using segcore::Index;
using segcore::PolygonMesh;
using segcore::WindowedSincOptions;

namespace
{

constexpr double Pi = 3.14159265358979323846;

/// The response at frequency k (0 to 2), from the definition of the Chebyshev polynomials.
double response(const std::vector<double>& series, double k)
{
  const double y = 1.0 - 0.5 * k;
  double before = 1.0;
  double now = y;
  double sum = series[0];
  for (std::size_t n = 1; n < series.size(); ++n)
  {
    sum += series[n] * now;
    const double next = 2.0 * y * now - before;
    before = now;
    now = next;
  }
  return sum;
}

void testResponse()
{
  for (const double factor : { 0.05, 0.2, 0.5, 0.8, 1.0 })
  {
    check::setContext("factor ", factor);
    WindowedSincOptions options;
    options.iterations = static_cast<int>(20.0 + 40.0 * factor);
    options.passBand = std::pow(10.0, -4.0 * factor);
    const std::vector<double> series = segcore::windowedSincSeries(options);
    CHECK_EQUAL(static_cast<int>(series.size()), options.iterations + 1);
    CHECK(std::abs(response(series, options.passBand) - 0.999) < 1e-6);
    for (double k = 0.0; k < options.passBand; k += 0.05 * options.passBand)
    {
      CHECK(std::abs(response(series, k) - 1.0) < 2e-3);
    }
    if (factor >= 0.5)
    {
      for (double k = 0.5; k <= 2.0; k += 0.05)
      {
        CHECK(std::abs(response(series, k)) < 1e-3);
      }
    }
  }
}

/// A ring of `count` quads around, `rows` high: the inner rows' points have 4 neighbours. Waves
/// around the ring are eigenvectors as long as the rows do not matter: z stays.
void testWave()
{
  check::setContext("wave");
  // A torus of quads: both directions are cyclic, so that waves are eigenvectors.
  const Index nu = 24;
  const Index nv = 16;
  std::vector<Index> quads;
  for (Index v = 0; v < nv; ++v)
  {
    for (Index u = 0; u < nu; ++u)
    {
      const Index u1 = (u + 1) % nu;
      const Index v1 = (v + 1) % nv;
      for (const Index p : { u + nu * v, u1 + nu * v, u1 + nu * v1, u + nu * v1 })
      {
        quads.push_back(p);
      }
    }
  }
  // The same in triangles, cut this way and that: cuts are no edges.
  std::vector<Index> triangles;
  std::vector<std::uint8_t> cuts;
  check::Random random(3);
  for (std::size_t q = 0; q < quads.size(); q += 4)
  {
    const std::size_t turn = static_cast<std::size_t>(random.below(4));
    const auto corner = [&](std::size_t c) { return quads[q + (c + turn) % 4]; };
    triangles.insert(
      triangles.end(), { corner(0), corner(1), corner(2), corner(2), corner(3), corner(0) });
    cuts.insert(cuts.end(), { 4, 4 });
  }
  WindowedSincOptions options;
  options.iterations = 17;
  options.passBand = 0.15;
  const std::vector<double> series = segcore::windowedSincSeries(options);
  for (Index frequency = 0; frequency < nu; ++frequency)
  {
    std::vector<float> points;
    for (Index p = 0; p < nu * nv; ++p)
    {
      const double phase = 2.0 * Pi * static_cast<double>(frequency * (p % nu)) / nu;
      const double other = 2.0 * Pi * static_cast<double>(p / nu) / nv;
      points.push_back(static_cast<float>(std::cos(phase)));
      points.push_back(static_cast<float>(std::sin(phase)));
      points.push_back(static_cast<float>(std::cos(other)));
    }
    const std::vector<float> before = points;
    std::vector<float> cut = points;
    segcore::windowedSinc(points.data(), nu * nv, quads.data(), nu * nv, 4, options);
    segcore::windowedSinc(
      cut.data(), nu * nv, triangles.data(), 2 * nu * nv, 3, options, cuts.data());
    // Mean of four neighbours: two along u, two along v.
    const double ku = 0.5 - 0.5 * std::cos(2.0 * Pi * static_cast<double>(frequency) / nu);
    const double kv = 0.5 - 0.5 * std::cos(2.0 * Pi / nv);
    const double gain[3] = { response(series, ku), response(series, ku), response(series, kv) };
    for (std::size_t i = 0; i < points.size(); ++i)
    {
      // A constant wave is moved to the centre of its box and back: its gain is 1.
      const double expected = frequency == 0 && i % 3 != 2 ? 1.0 : gain[i % 3];
      CHECK(std::abs(static_cast<double>(points[i]) - expected * static_cast<double>(before[i])) <
        1e-5);
      CHECK(std::abs(cut[i] - points[i]) < 1e-5f);
    }
  }
}

PolygonMesh ball(double radius)
{
  const segcore::Box whole = segcore::Box::ofSize(60, 60, 60);
  const auto image = volumes::make<std::uint8_t>(whole,
    [radius](Index x, Index y, Index z)
    {
      const double d[3] = { static_cast<double>(x) - 29.3, static_cast<double>(y) - 29.6,
        static_cast<double>(z) - 29.1 };
      return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= radius * radius ? 1 : 0;
    });
  return std::move(
    segcore::splitMesh(segcore::labelSurfaces(image.data(), whole, { std::uint8_t{ 1 } }))[0]);
}

void smooth(PolygonMesh& mesh, const WindowedSincOptions& options)
{
  segcore::windowedSinc(mesh.points.data(), mesh.points.size() / 3, mesh.polygons.data(),
    mesh.polygons.size() / 3, 3, options, mesh.cuts.data());
}

/// A stepped ball becomes a sphere, with normals along its radii, for any number of threads.
void testBall()
{
  check::setContext("ball");
  WindowedSincOptions options;
  options.iterations = 40;
  options.passBand = 0.01;
  PolygonMesh mesh = ball(20.0);
  smooth(mesh, options);
  segcore::Buffer<float> normals(mesh.points.size());
  segcore::pointNormals(mesh.points.data(), mesh.points.size() / 3, mesh.polygons.data(),
    mesh.polygons.size() / 3, normals.data());
  for (Index p = 0; p < mesh.points.size() / 3; ++p)
  {
    const float* at = mesh.points.data() + 3 * p;
    const double d[3] = { static_cast<double>(at[0]) - 29.3, static_cast<double>(at[1]) - 29.6,
      static_cast<double>(at[2]) - 29.1 };
    const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    CHECK(std::abs(r - 20.0) < 0.45);
    double along = 0.0;
    double length = 0.0;
    for (int a = 0; a < 3; ++a)
    {
      const double n = static_cast<double>(normals[3 * p + a]);
      along += n * d[a] / r;
      length += n * n;
    }
    CHECK(std::abs(length - 1.0) < 1e-5 && along > 0.97);
  }
  for (const int threads : { 1, 2 })
  {
    check::withThreads(threads,
      [&]()
      {
        PolygonMesh again = ball(20.0);
        smooth(again, options);
        CHECK(std::equal(again.points.begin(), again.points.end(), mesh.points.begin()));
        segcore::Buffer<float> other(again.points.size());
        segcore::pointNormals(again.points.data(), again.points.size() / 3, again.polygons.data(),
          again.polygons.size() / 3, other.data());
        CHECK(std::equal(other.begin(), other.end(), normals.begin()));
      });
  }
}

/// Borders and loose points stay; an edge of three triangles does not hold its points.
void testFixed()
{
  check::setContext("fixed");
  // A pyramid without its base, and a point that no triangle has.
  std::vector<float> points{ 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0.25f, 0.25f, 1, 7, 7, 7 };
  const std::vector<float> before = points;
  const std::vector<Index> open{ 0, 1, 4, 1, 2, 4, 2, 3, 4, 3, 0, 4 };
  WindowedSincOptions options;
  segcore::windowedSinc(points.data(), 6, open.data(), 4, 3, options);
  for (std::size_t i = 0; i < points.size(); ++i)
  {
    CHECK((points[i] == before[i]) == (i / 3 != 4));
  }
  // Closed by two triangles and cut in two by an inner wall: edges with three triangles.
  points = before;
  std::vector<Index> closed = open;
  closed.insert(closed.end(), { 0, 2, 1, 0, 3, 2, 0, 2, 4, 0, 4, 2 });
  segcore::windowedSinc(points.data(), 6, closed.data(), 8, 3, options);
  for (std::size_t i = 0; i < 15; i += 3)
  {
    CHECK(
      points[i] != before[i] || points[i + 1] != before[i + 1] || points[i + 2] != before[i + 2]);
  }
  CHECK(points[15] == 7.0f && points[16] == 7.0f && points[17] == 7.0f);

  // With keepJunctions the ends of the wall's edges move along those only: point 0 has the edges to
  // 2 and 4 with three polygons, and the mean of these two for its neighbours.
  options.keepJunctions = true;
  options.iterations = 1;
  points = before;
  segcore::windowedSinc(points.data(), 6, closed.data(), 8, 3, options);
  const std::vector<double> series = segcore::windowedSincSeries(options);
  for (std::size_t a = 0; a < 3; ++a)
  {
    const double shift = 3.5; // the centre of the box of all points
    const auto at = [&](std::size_t p) { return static_cast<double>(before[3 * p + a]) - shift; };
    const double mean = 0.5 * (at(2) + at(4));
    const double expected = series[0] * at(0) + series[1] * 0.5 * (at(0) + mean) + shift;
    CHECK(std::abs(static_cast<double>(points[a]) - expected) < 1e-5);
  }
  options.keepJunctions = false;

  options.iterations = 0;
  points = before;
  segcore::windowedSinc(points.data(), 6, closed.data(), 8, 3, options);
  CHECK(points == before);
  options.iterations = -1;
  CHECK_THROWS(segcore::windowedSincSeries(options), std::invalid_argument);
  options = WindowedSincOptions();
  options.passBand = 0.0;
  CHECK_THROWS(segcore::windowedSincSeries(options), std::invalid_argument);
}

} // namespace

int TestWindowedSinc(int, char*[])
{
  testResponse();
  testWave();
  testBall();
  testFixed();
  return check::result();
}
