// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// From the world to the voxels of an image: indices, directions, planes; and the mask of a prism.
///
/// Private to the filters.
#ifndef segcore_WorldGeometry_h
#define segcore_WorldGeometry_h

#include "LocalMask.h"
#include "PolygonPrism.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{

inline double dot(const double a[3], const double b[3])
{
  return (a[0] * b[0] + a[1] * b[1]) + a[2] * b[2];
}

inline void cross(const double a[3], const double b[3], double result[3])
{
  result[0] = a[1] * b[2] - a[2] * b[1];
  result[1] = a[2] * b[0] - a[0] * b[2];
  result[2] = a[0] * b[1] - a[1] * b[0];
}

/// A vector of any length but 0, to length 1.
inline void normalize(const double vector[3], double unit[3])
{
  // Scaled first, so that the squares neither overflow nor vanish.
  const double scale = std::max({ std::abs(vector[0]), std::abs(vector[1]), std::abs(vector[2]) });
  const double scaled[3] = { vector[0] / scale, vector[1] / scale, vector[2] / scale };
  const double length = std::sqrt(dot(scaled, scaled));
  for (int a = 0; a < 3; ++a)
  {
    unit[a] = scaled[a] / length;
  }
}

/// The continuous index along an axis of the image.
inline double indexAlong(const Geometry& geometry, const double world[3], int axis)
{
  double at = 0.0;
  for (int r = 0; r < 3; ++r)
  {
    at += geometry.Direction[3 * r + axis] * (world[r] - geometry.Origin[r]);
  }
  return at / geometry.Spacing[axis];
}

/// How far a step along an axis of the image leads along a vector, in millimetres.
inline double stepAlong(const Geometry& geometry, const double vector[3], int axis)
{
  const double* d = geometry.Direction;
  const double column[3] = { d[axis], d[3 + axis], d[6 + axis] };
  return dot(column, vector) * geometry.Spacing[axis];
}

/// The thickness of a slice of any orientation, in millimetres: the least at which a slab has a
/// voxel in each of the columns that it crosses most steeply, so that it has no holes.
inline double sliceThickness(const Geometry& geometry, const double unitNormal[3])
{
  double thickness = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    thickness = std::max(thickness, std::abs(stepAlong(geometry, unitNormal, a)));
  }
  return thickness;
}

/// The mean of points, x, y, z of each in turn.
inline void meanOf(const std::vector<double>& points, double mean[3])
{
  // From the first one on, so that equal points have no other mean.
  double sum[3] = { 0.0, 0.0, 0.0 };
  for (std::size_t p = 0; p < points.size(); ++p)
  {
    sum[p % 3] += points[p] - points[p % 3];
  }
  for (int a = 0; a < 3; ++a)
  {
    mean[a] = points[static_cast<std::size_t>(a)] + sum[a] / static_cast<double>(points.size() / 3);
  }
}

/// Sets the depth of a view: millimetres along a unit vector, 0 at a point of the world.
inline void setDepth(
  const Geometry& geometry, const double unitNormal[3], const double zero[3], PrismView& view)
{
  double* row = view.toView + 8;
  row[3] = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    row[a] = stepAlong(geometry, unitNormal, a);
    row[3] += unitNormal[a] * (geometry.Origin[a] - zero[a]);
  }
}

/// The voxels of a prism, as the editor asks for them.
class PrismMask : public LocalMask
{
public:
  explicit PrismMask(PolygonPrism prism) : Prism(std::move(prism)) {}
  Box bounds() const override { return this->Prism.bounds(); }
  void write(const Box& part, std::uint8_t* out) const override { this->Prism.write(part, out); }
  int uniform(const Box& part) const override
  {
    return part.clipped(this->Prism.bounds()).empty() ? 0 : this->Prism.uniform(part);
  }

private:
  PolygonPrism Prism;
};

/// Throws AgreedError for what the prism refuses: it is the same on all ranks.
inline std::unique_ptr<LocalMask> makePrismMask(
  const PrismOutline& outline, const PrismView& view, const Box& whole)
{
  try
  {
    return std::make_unique<PrismMask>(PolygonPrism(outline, view, whole));
  }
  catch (const std::invalid_argument& error)
  {
    throw AgreedError(error.what());
  }
}

/// The mask of a closed outline that was drawn on a plane, of some thickness around the mean of its
/// points; 0 is one slice. The normal has length 1, and its sign does not matter.
inline std::unique_ptr<LocalMask> makeOutlineMask(const std::vector<double>& points,
  const Geometry& geometry, const double unitNormal[3], double thicknessMillimetres,
  const Box& whole)
{
  double normal[3] = { unitNormal[0], unitNormal[1], unitNormal[2] };
  // The normal in steps along the axes of the image. Voxels are projected along it onto the two
  // axes that it crosses least, so that their places are indices where the plane is a slice.
  double step[3];
  int across = 0;
  for (int a = 0; a < 3; ++a)
  {
    step[a] = stepAlong(geometry, normal, a) / (geometry.Spacing[a] * geometry.Spacing[a]);
    across = std::abs(step[a]) > std::abs(step[across]) ? a : across;
  }
  if (step[across] < 0.0)
  {
    // Both sides of a plane are the same plane; the slab is half-open towards one of them.
    std::for_each(normal, normal + 3, [](double& n) { n = -n; });
    std::for_each(step, step + 3, [](double& n) { n = -n; });
  }
  const int axes[2] = { across == 0 ? 1 : 0, across == 2 ? 1 : 2 };
  PrismView view;
  double mean[3];
  meanOf(points, mean);
  setDepth(geometry, normal, mean, view);
  const double slice = sliceThickness(geometry, normal);
  const double thickness = thicknessMillimetres > 0.0 ? thicknessMillimetres : slice;
  view.low = -thickness / 2.0;
  view.high = thickness / 2.0;
  for (int r = 0; r < 2; ++r)
  {
    double* row = view.toView + 4 * r;
    std::fill_n(row, 4, 0.0);
    row[axes[r]] = 1.0;
    row[across] = -step[axes[r]] / step[across];
  }
  PrismOutline outline;
  for (std::size_t p = 0; p < points.size(); p += 3)
  {
    const double* point = points.data() + p;
    const double depth = indexAlong(geometry, point, across);
    for (int r = 0; r < 2; ++r)
    {
      outline.vertices.push_back(
        indexAlong(geometry, point, axes[r]) + view.toView[4 * r + across] * depth);
    }
  }
  outline.ends = { static_cast<Index>(points.size() / 3) };
  return makePrismMask(outline, view, whole);
}

} // namespace segcore

#endif
