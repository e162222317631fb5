// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "SurfaceNets.h"

#include "Check.h"
#include "Volumes.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

using segcore::Box;
using segcore::Index;
using segcore::SurfaceNet;
using segcore::SurfaceNetOptions;

namespace
{

using Point = std::array<double, 3>;

/// A net as sets: points by cell, and triangles as (cells in order, starting at the lowest;
/// labels).
template <class T>
struct Parts
{
  std::map<Index, Point> points;
  std::multiset<std::array<Index, 5>> triangles;
};

template <class T>
void collect(const SurfaceNet<T>& net, Parts<T>& parts)
{
  CHECK_EQUAL(net.points.size(), 3 * net.cells.size());
  CHECK_EQUAL(net.triangles.size() * 2, 3 * net.labels.size());
  for (Index i = 0; i < net.cells.size(); ++i)
  {
    CHECK(i == 0 || net.cells[i] > net.cells[i - 1]);
    const Point p{ net.points[3 * i], net.points[3 * i + 1], net.points[3 * i + 2] };
    const auto entry = parts.points.insert({ net.cells[i], p }).first;
    CHECK(entry->second == p); // blocks agree on shared points, bit for bit
  }
  std::set<Index> used;
  for (Index t = 0; t < net.labels.size() / 2; ++t)
  {
    std::array<Index, 3> cells{};
    for (std::size_t c = 0; c < 3; ++c)
    {
      const Index point = net.triangles[3 * t + static_cast<Index>(c)];
      used.insert(point);
      cells[c] = net.cells[point];
    }
    std::rotate(cells.begin(), std::min_element(cells.begin(), cells.end()), cells.end());
    parts.triangles.insert({ cells[0], cells[1], cells[2], static_cast<Index>(net.labels[2 * t]),
      static_cast<Index>(net.labels[2 * t + 1]) });
  }
  CHECK_EQUAL(static_cast<Index>(used.size()), net.cells.size()); // no point without a triangle
}

/// Smoothing from its definition, on all cells of the image, with labels looked up voxel by voxel.
template <class T>
std::map<Index, Point> slowPoints(
  const std::vector<T>& labels, const Box& whole, const SurfaceNetOptions& options)
{
  const Index d[3] = { whole.dim(0) + 1, whole.dim(1) + 1, whole.dim(2) + 1 };
  const auto label = [&](Index x, Index y, Index z) -> T
  {
    const Index v[3] = { x + whole.lo[0], y + whole.lo[1], z + whole.lo[2] };
    return whole.contains(v[0], v[1], v[2])
      ? labels[static_cast<std::size_t>(whole.offset(v[0], v[1], v[2]))]
      : T(0);
  };
  struct Cell
  {
    Index at[3]; // lowest voxel
    long offset[3];
    std::vector<int> faces;
  };
  std::map<Index, Cell> cells;
  for (Index i = 0; i < d[0] * d[1] * d[2]; ++i)
  {
    Cell cell{ { i % d[0] - 1, i / d[0] % d[1] - 1, i / d[0] / d[1] - 1 }, { 0, 0, 0 }, {} };
    std::vector<int> mixed;
    std::vector<int> three;
    for (int f = 0; f < 6; ++f)
    {
      std::set<T> seen;
      for (Index corner = 0; corner < 8; ++corner)
      {
        const Index c[3] = { corner & 1, corner >> 1 & 1, corner >> 2 };
        if (c[f / 2] == f % 2)
        {
          seen.insert(label(cell.at[0] + c[0], cell.at[1] + c[1], cell.at[2] + c[2]));
        }
      }
      if (seen.size() > 1)
      {
        mixed.push_back(f);
      }
      if (seen.size() > 2)
      {
        three.push_back(f);
      }
    }
    if (!mixed.empty())
    {
      cell.faces = options.keepJunctions && three.size() > 1 ? three : mixed;
      cells[i] = cell;
    }
  }
  const Index step[3] = { 1, d[0], d[0] * d[1] };
  const double limit = std::min(32767.0, std::floor(options.constraint * 65536.0));
  for (int iteration = 0; iteration < options.iterations; ++iteration)
  {
    std::map<Index, Cell> moved = cells;
    for (auto& entry : moved)
    {
      for (int a = 0; a < 3; ++a)
      {
        long sum = 0;
        for (const int f : entry.second.faces)
        {
          const Index neighbour = entry.first + (f % 2 ? step[f / 2] : -step[f / 2]);
          sum += cells.at(neighbour).offset[a] + (f / 2 == a ? (f % 2 ? 65536 : -65536) : 0);
        }
        const double p = static_cast<double>(cells.at(entry.first).offset[a]);
        const double n = static_cast<double>(entry.second.faces.size());
        const double q = p + options.relaxation / n * (static_cast<double>(sum) - n * p);
        entry.second.offset[a] = std::lround(std::max(-limit, std::min(limit, q)));
      }
    }
    cells = moved;
  }
  std::map<Index, Point> points;
  for (const auto& entry : cells)
  {
    Point& p = points[entry.first];
    for (std::size_t a = 0; a < 3; ++a)
    {
      p[a] = static_cast<double>(entry.second.at[a] + whole.lo[a]) + 0.5 +
        static_cast<double>(entry.second.offset[a]) / 65536.0;
    }
  }
  return points;
}

/// Every directed edge as often as its reverse; returns the enclosed volume.
template <class T>
double checkClosed(const SurfaceNet<T>& net, T label)
{
  const segcore::LabelSurface<T> surface = segcore::extractLabel(net, label);
  std::map<std::pair<Index, Index>, int> balance;
  double volume = 0.0;
  const Index count = static_cast<Index>(surface.triangles.size()) / 3;
  for (Index t = 0; t < count; ++t)
  {
    const Index* p = surface.triangles.data() + 3 * t;
    for (int e = 0; e < 3; ++e)
    {
      const Index a = p[e];
      const Index b = p[(e + 1) % 3];
      CHECK(a != b);
      ++balance[{ std::min(a, b), std::max(a, b) }];
      balance[{ std::min(a, b), std::max(a, b) }] -= a < b ? 2 : 0;
    }
    const double* a = surface.points.data() + 3 * p[0];
    const double* b = surface.points.data() + 3 * p[1];
    const double* c = surface.points.data() + 3 * p[2];
    volume += (a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
                a[2] * (b[0] * c[1] - b[1] * c[0])) /
      6.0;
  }
  for (const auto& edge : balance)
  {
    CHECK_EQUAL(edge.second, 0);
  }
  return volume;
}

template <class T>
void testVolume(const std::vector<T>& labels, const Box& whole, const SurfaceNetOptions& options)
{
  const SurfaceNet<T> net = segcore::surfaceNet(labels.data(), whole, whole, whole, options);
  Parts<T> expected;
  collect(net, expected);

  // Points, from the definition; triangles, two per pair of neighbours that differ.
  CHECK(expected.points == slowPoints(labels, whole, options));
  std::map<std::pair<T, T>, Index> pairs;
  std::map<T, Index> voxels;
  const Box bordered = whole.grown(1);
  const auto label = [&](Index x, Index y, Index z) -> T
  {
    return whole.contains(x, y, z) ? labels[static_cast<std::size_t>(whole.offset(x, y, z))] : T(0);
  };
  for (Index z = bordered.lo[2]; z <= bordered.hi[2]; ++z)
  {
    for (Index y = bordered.lo[1]; y <= bordered.hi[1]; ++y)
    {
      for (Index x = bordered.lo[0]; x <= bordered.hi[0]; ++x)
      {
        const T here = label(x, y, z);
        ++voxels[here];
        for (const T there : { label(x + 1, y, z), label(x, y + 1, z), label(x, y, z + 1) })
        {
          if (here != there)
          {
            const T small = std::min(here, there);
            const T large = std::max(here, there);
            const bool background = small == T(0) || large == T(0);
            const T inside = background ? (small == T(0) ? large : small) : small;
            pairs[{ inside, inside == small ? large : small }] += 2;
          }
        }
      }
    }
  }
  std::map<std::pair<T, T>, Index> got;
  for (Index t = 0; t < net.labels.size() / 2; ++t)
  {
    ++got[{ net.labels[2 * t], net.labels[2 * t + 1] }];
  }
  CHECK(got == pairs);

  for (const auto& entry : voxels)
  {
    if (entry.first != T(0))
    {
      const double volume = checkClosed(net, entry.first);
      if (options.iterations == 0)
      {
        // Unsmoothed quads are faces of voxels: the volume is the number of voxels.
        CHECK(std::abs(volume - static_cast<double>(entry.second)) < 1e-6);
      }
    }
  }

  check::Random random(8);
  for (const int threads : { 1, 2 })
  {
    check::withThreads(threads,
      [&]()
      {
        for (const int blocks : { 1, 2, 3, 5, 8 })
        {
          Parts<T> parts;
          for (const Box& block : volumes::split(whole, blocks, blocks % 2 ? &random : nullptr))
          {
            const Box padded =
              block.grown(segcore::surfaceNetHalo(options.iterations)).clipped(whole);
            const std::vector<T> input = volumes::crop(labels, whole, padded);
            collect(segcore::surfaceNet(input.data(), padded, block, whole, options), parts);
          }
          CHECK(parts.points == expected.points);
          CHECK(parts.triangles == expected.triangles);
        }
      });
  }
}

/// Choosing labels equals erasing the others first.
template <class T>
void testChosen(const std::vector<T>& labels, const Box& whole)
{
  check::setContext("chosen");
  std::vector<T> erased = labels;
  for (T& v : erased)
  {
    v = v == T(1) || v == T(3) ? v : T(0);
  }
  Parts<T> expected;
  Parts<T> chosen;
  const SurfaceNetOptions options;
  collect(segcore::surfaceNet(erased.data(), whole, whole, whole, options), expected);
  collect(segcore::surfaceNet(labels.data(), whole, whole, whole, options, { T(3), T(1) }), chosen);
  CHECK(chosen.points == expected.points);
  CHECK(chosen.triangles == expected.triangles);
}

/// A smoothed ball: close to the sphere, normals outward, every point inside its cell.
void testBall()
{
  check::setContext("ball");
  const Box whole = Box::ofSize(40, 40, 40);
  const std::vector<std::uint8_t> ball = volumes::make<std::uint8_t>(whole,
    [](Index x, Index y, Index z)
    {
      const double dx = static_cast<double>(x) - 19.3;
      const double dy = static_cast<double>(y) - 19.6;
      const double dz = static_cast<double>(z) - 19.1;
      return dx * dx + dy * dy + dz * dz <= 225.0 ? 5 : 0;
    });
  const SurfaceNet<std::uint8_t> net = segcore::surfaceNet(ball.data(), whole, whole, whole);
  for (Index i = 0; i < net.cells.size(); ++i)
  {
    const double r = std::sqrt(std::pow(net.points[3 * i] - 19.3, 2) +
      std::pow(net.points[3 * i + 1] - 19.6, 2) + std::pow(net.points[3 * i + 2] - 19.1, 2));
    CHECK(std::abs(r - 15.0) < 0.75);
    const Index cell[3] = { net.cells[i] % 41, net.cells[i] / 41 % 41, net.cells[i] / 41 / 41 };
    for (Index a = 0; a < 3; ++a)
    {
      CHECK(std::abs(net.points[3 * i + a] - (static_cast<double>(cell[a]) - 0.5)) < 0.5);
    }
  }
  const double sphere = 4.0 / 3.0 * 3.14159265358979 * 15.0 * 15.0 * 15.0;
  const double volume = checkClosed(net, std::uint8_t{ 5 });
  CHECK(volume > 0.97 * sphere && volume < 1.01 * sphere);
}

} // namespace

int TestSurfaceNets(int, char*[])
{
  Box whole = Box::ofSize(11, 8, 9);
  whole.lo[0] -= 6;
  whole.lo[2] += 3;
  std::vector<SurfaceNetOptions> options(4);
  options[0].iterations = 0;
  options[1].iterations = 1;
  options[2].iterations = 5;
  options[2].keepJunctions = false;
  options[2].relaxation = 0.9;
  options[3].iterations = 4;
  options[3].constraint = 0.3;
  for (std::size_t o = 0; o < options.size(); ++o)
  {
    for (const volumes::Named& mask : volumes::masks(whole, 41))
    {
      check::setContext(mask.name, " options ", o);
      testVolume(mask.voxels, whole, options[o]);
    }
    check::setContext("labels, options ", o);
    for (const Index stay : { 1, 6 })
    {
      check::Random random(7);
      std::uint8_t value = 0;
      const std::vector<std::uint8_t> labels = volumes::make<std::uint8_t>(whole,
        [&](Index, Index, Index)
        {
          value = random.below(stay) ? value : static_cast<std::uint8_t>(random.below(5));
          return value;
        });
      testVolume(labels, whole, options[o]);
      testChosen(labels, whole);
    }
  }
  // Other types; several words per row; single slices and columns; more iterations than voxels.
  check::setContext("types");
  check::Random random(9);
  const auto some = [&](Index, Index, Index) { return random.below(7) < 4 ? 0 : random.below(4); };
  testVolume(volumes::make<std::int64_t>(whole,
               [&](Index, Index, Index)
               {
                 return random.below(2) ? std::numeric_limits<std::int64_t>::max() - random.below(2)
                                        : -5;
               }),
    whole, options[1]);
  const SurfaceNetOptions standard;
  testVolume(volumes::make<std::uint32_t>(whole, some), whole, standard);
  for (const Box& box : { Box::ofSize(150, 3, 2), Box::ofSize(9, 9, 1), Box::ofSize(1, 1, 12),
         Box::ofSize(63, 2, 2), Box::ofSize(62, 2, 3), Box::ofSize(64, 2, 2) })
  {
    check::setContext("box ", box.dim(0));
    testVolume(volumes::make<std::uint16_t>(box, some), box, options[3]);
  }
  testBall();

  check::setContext("bad input");
  const Box one = Box::ofSize(1, 1, 1);
  const std::uint8_t voxel = 1;
  SurfaceNetOptions bad;
  bad.relaxation = 0.0;
  CHECK_THROWS(segcore::surfaceNet(&voxel, one, one, one, bad), std::invalid_argument);
  CHECK_THROWS(segcore::surfaceNet(&voxel, one, one, one.grown(1)), std::invalid_argument);
  CHECK_EQUAL(segcore::surfaceNet(&voxel, one, Box(), one).cells.size(), 0);
  CHECK_EQUAL(segcore::surfaceNet(&voxel, one, one, one).cells.size(), 8);
  CHECK_EQUAL(segcore::surfaceNet(&voxel, one, one, one).labels.size(), 24);
  return check::result();
}
