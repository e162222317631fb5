// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Brush strokes by their definition: for every voxel the distance to every segment of the stroke.

#ifndef segcoreTestingStrokeOracle_h
#define segcoreTestingStrokeOracle_h

#include "FilterTest.h"

#include <array>
#include <cmath>
#include <vector>

namespace filtertest
{

using Point = std::array<double, 3>;

struct Brush
{
  std::vector<Point> points;
  double diameter = 5.0;
  bool sphere = true;
  bool voxel = false;
  Point normal{ { 0.0, 0.0, 1.0 } };
  double thickness = 1.0;
};

/// The world coordinates of a place given in voxels, counted as in Shape::box.
inline Point worldOf(const Shape& shape, double i, double j, double k)
{
  const double at[3] = { i * shape.spacing[0], j * shape.spacing[1], k * shape.spacing[2] };
  Point world;
  for (std::size_t r = 0; r < 3; ++r)
  {
    world[r] = shape.origin[r] + shape.direction[3 * r] * at[0] +
      shape.direction[3 * r + 1] * at[1] + shape.direction[3 * r + 2] * at[2];
  }
  return world;
}

/// The voxel of a world point, in voxels and fractions of them.
inline Point voxelOf(const Shape& shape, const Point& world)
{
  Point voxel;
  for (std::size_t a = 0; a < 3; ++a)
  {
    double sum = 0.0;
    for (std::size_t r = 0; r < 3; ++r)
    {
      sum += shape.direction[3 * r + a] * (world[r] - shape.origin[r]);
    }
    voxel[a] = sum / shape.spacing[a];
  }
  return voxel;
}

/// Distance from v to the segment from p to q; with a normal, of what is across it.
inline double distanceTo(const Point& v, Point p, Point q, const Point* normal)
{
  const auto flatten = [&](Point d)
  {
    if (normal)
    {
      const double along = d[0] * (*normal)[0] + d[1] * (*normal)[1] + d[2] * (*normal)[2];
      for (std::size_t a = 0; a < 3; ++a)
      {
        d[a] -= along * (*normal)[a];
      }
    }
    return d;
  };
  const Point way = flatten({ { q[0] - p[0], q[1] - p[1], q[2] - p[2] } });
  const Point to = flatten({ { v[0] - p[0], v[1] - p[1], v[2] - p[2] } });
  const double length = way[0] * way[0] + way[1] * way[1] + way[2] * way[2];
  double t = length > 0.0 ? (to[0] * way[0] + to[1] * way[1] + to[2] * way[2]) / length : 0.0;
  t = std::min(1.0, std::max(0.0, t));
  double sum = 0.0;
  for (std::size_t a = 0; a < 3; ++a)
  {
    sum += (to[a] - t * way[a]) * (to[a] - t * way[a]);
  }
  return std::sqrt(sum);
}

/// 1 for each voxel of shape.box that the brush touches. A disc must move within its plane.
inline std::vector<std::uint8_t> strokeOracle(const Shape& shape, const Brush& brush)
{
  const Box& box = shape.box;
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(box.size()), 0);
  const std::size_t count = brush.points.size();
  if (brush.voxel)
  {
    for (std::size_t s = 0; s + 1 < std::max<std::size_t>(2, count); ++s)
    {
      Index a[3], b[3], steps = 0;
      for (std::size_t c = 0; c < 3; ++c)
      {
        const auto nearest = [&](const Point& p)
        { return static_cast<Index>(std::floor(voxelOf(shape, p)[c] + 0.5)); };
        a[c] = nearest(brush.points[s]);
        b[c] = nearest(brush.points[std::min(s + 1, count - 1)]);
        steps = std::max(steps, std::abs(b[c] - a[c]));
      }
      for (Index n = 0; n <= steps; ++n)
      {
        Index at[3];
        for (int c = 0; c < 3; ++c)
        {
          at[c] = a[c] +
            (steps ? static_cast<Index>(
                       std::floor(static_cast<double>(n * (b[c] - a[c])) / steps + 0.5))
                   : 0);
        }
        if (box.contains(at[0], at[1], at[2]))
        {
          mask[static_cast<std::size_t>(box.offset(at[0], at[1], at[2]))] = 1;
        }
      }
    }
    return mask;
  }
  Point normal = brush.normal;
  const double length =
    std::sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
  for (double& n : normal)
  {
    n /= length;
  }
  std::size_t at = 0;
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i, ++at)
      {
        const Point v =
          worldOf(shape, static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
        for (std::size_t s = 0; s < count && !mask[at]; ++s)
        {
          const Point& p = brush.points[s];
          const Point& q = brush.points[std::min(s + 1, count - 1)];
          const double along =
            (v[0] - p[0]) * normal[0] + (v[1] - p[1]) * normal[1] + (v[2] - p[2]) * normal[2];
          const bool level =
            brush.sphere || std::abs(along) <= brush.thickness / 2.0 * (1.0 + 1e-12);
          mask[at] = level &&
              distanceTo(v, p, q, brush.sphere ? nullptr : &normal) <=
                brush.diameter / 2.0 * (1.0 + 1e-12)
            ? 1
            : 0;
        }
      }
    }
  }
  return mask;
}

/// Strokes of all kinds through an image, some of them partly or wholly outside.
inline std::vector<Brush> someBrushes(const Shape& shape, std::uint64_t seed)
{
  check::Random random(seed);
  const auto anywhere = [&]
  {
    double at[3];
    for (int a = 0; a < 3; ++a)
    {
      at[a] = static_cast<double>(shape.box.lo[a]) +
        (1.4 * random.unit() - 0.2) * static_cast<double>(shape.box.dim(a));
    }
    return worldOf(shape, at[0], at[1], at[2]);
  };
  std::vector<Brush> brushes(6);
  brushes[0].points = { anywhere() };
  brushes[1].points = { anywhere(), anywhere(), anywhere() };
  brushes[1].diameter = 2.3;
  brushes[2].points = { anywhere(), anywhere(), anywhere(), anywhere() };
  brushes[2].voxel = true;
  brushes[3].points = { anywhere() };
  brushes[3].sphere = false;
  brushes[3].normal = { { 1.0, -2.0, 0.5 } };
  brushes[3].thickness = 2.7;
  // Within the plane across (0, 3, 4).
  const Point from = anywhere();
  brushes[4].points = { from, { { from[0] + 3.0, from[1] + 4.0, from[2] - 3.0 } },
    { { from[0] - 1.0, from[1], from[2] } } };
  brushes[4].sphere = false;
  brushes[4].normal = { { 0.0, 3.0, 4.0 } };
  brushes[4].diameter = 3.1;
  brushes[4].thickness = 1.9;
  brushes[5].points = { worldOf(shape, 1e4, 1e4, 1e4) };
  return brushes;
}

/// Sets a paint or erase filter.
template <class Filter>
void setBrush(Filter* effect, const Brush& brush)
{
  effect->SetPoints(brush.points[0].data(), static_cast<vtkIdType>(brush.points.size()));
  effect->SetBrushAbsoluteDiameter(brush.diameter);
  effect->SetBrushSphere(brush.sphere);
  effect->SetBrushPixelMode(brush.voxel);
  effect->SetSliceNormal(brush.normal[0], brush.normal[1], brush.normal[2]);
  effect->SetSliceThickness(brush.thickness);
}

/// Collective. What a stroke refuses.
template <class Filter>
void checkStrokeErrors(const World& world)
{
  const Shape shape = oddShape(5, 5, 6);
  const std::vector<unsigned char> values(150, 1);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const auto input = makePiece(shape, values, piece);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto refused = [&](const std::function<void(Filter*)>& spoil, const char* part, int line)
  {
    auto effect = vtkSmartPointer<Filter>::New();
    effect->AddPoint(10.0, -20.0, 3.0);
    spoil(effect);
    checkRefused(world, effect, input, part, __FILE__, line);
  };
  refused([](Filter* f) { f->RemoveAllPoints(); }, "Points is empty", __LINE__);
  for (const double bad : { nan, infinity, -infinity })
  {
    refused([&](Filter* f) { f->AddPoint(0.0, bad, 0.0); }, "point 2 is not finite", __LINE__);
    refused([&](Filter* f) { f->SetSliceNormal(0.0, 0.0, bad); }, "SliceNormal", __LINE__);
    refused([&](Filter* f) { f->SetSliceThickness(bad); }, "SliceThickness", __LINE__);
  }
  for (const double bad : { 0.0, -1.0, 1e-7, 1e7, nan })
  {
    refused(
      [&](Filter* f) { f->SetBrushAbsoluteDiameter(bad); }, "BrushAbsoluteDiameter is", __LINE__);
  }
  for (const double bad : { -1e-6, -1.0, 1e7, nan })
  {
    refused([&](Filter* f) { f->SetSliceThickness(bad); }, "SliceThickness is", __LINE__);
  }
  refused([](Filter* f) { f->SetSliceNormal(0.0, 0.0, 0.0); }, "SliceNormal", __LINE__);
  // Points far beyond any image, and a normal whose square overflows, are no errors.
  auto effect = vtkSmartPointer<Filter>::New();
  effect->AddPoint(1e300, -1e300, 1e300);
  effect->SetBrushSphere(false);
  effect->SetSliceNormal(1e300, 1e300, 0.0);
  effect->SetController(world.communicator->controller());
  vtkNew<vtkImageData> output;
  CHECK(effect->Apply(input, output));
  checkPiece(output, shape, piece, values, "values", __FILE__, __LINE__);
}

} // namespace filtertest

#endif
