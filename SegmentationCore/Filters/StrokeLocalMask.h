// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The mask of a brush that follows points.
///
/// Private to the filters.
#ifndef segcore_StrokeLocalMask_h
#define segcore_StrokeLocalMask_h

#include "LocalMask.h"
#include "StrokeMask.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

namespace segcore
{

/// A stroke of a brush, as the editor asks for it.
class StrokeLocalMask : public LocalMask
{
public:
  StrokeLocalMask(StrokeMask mask, const std::vector<double>& pointsWorld,
    const StrokeGeometry& geometry, double reach)
    : Mask(std::move(mask)), Points(pointsWorld.size()), Reach(reach)
  {
    std::copy_n(geometry.spacing, 3, this->Spacing);
    for (std::size_t p = 0; p < pointsWorld.size(); p += 3)
    {
      for (std::size_t a = 0; a < 3; ++a)
      {
        double at = 0.0;
        for (std::size_t r = 0; r < 3; ++r)
        {
          at += geometry.direction[3 * r + a] * (pointsWorld[p + r] - geometry.origin[r]);
        }
        this->Points[p + a] = at;
      }
    }
  }
  Box bounds() const override { return this->Mask.bounds(); }
  void write(const Box& part, std::uint8_t* out) const override { this->Mask.write(part, out); }

  /// 0 where the whole box is too far from the line: a long stroke is not its bounding box.
  int uniform(const Box& part) const override
  {
    if (LocalMask::uniform(part) == 0)
    {
      return 0;
    }
    double centre[3], halfDiagonal = 0.0;
    for (int a = 0; a < 3; ++a)
    {
      centre[a] = (static_cast<double>(part.lo[a]) + static_cast<double>(part.hi[a])) / 2.0 *
        this->Spacing[a];
      const double half = static_cast<double>(part.dim(a) - 1) / 2.0 * this->Spacing[a];
      halfDiagonal += half * half;
    }
    // A little more than needed, so that rounding never leaves a voxel out.
    const double far = (this->Reach + std::sqrt(halfDiagonal)) * (1.0 + 1e-9);
    const std::size_t last = this->Points.size() - 3;
    for (std::size_t p = 0; p <= last; p += 3)
    {
      const double* from = this->Points.data() + p;
      const double* to = this->Points.data() + std::min(p + 3, last);
      double along = 0.0, length = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        along += (centre[a] - from[a]) * (to[a] - from[a]);
        length += (to[a] - from[a]) * (to[a] - from[a]);
      }
      const double t = length > 0.0 ? std::min(std::max(along / length, 0.0), 1.0) : 0.0;
      double distance = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        const double d = centre[a] - from[a] - t * (to[a] - from[a]);
        distance += d * d;
      }
      // Not "farther than": what is not a number must not be left out.
      if (!(distance > far * far))
      {
        return -1;
      }
    }
    return 0;
  }

private:
  StrokeMask Mask;
  std::vector<double> Points; // in millimetres along the image's axes
  double Spacing[3];
  double Reach; // no voxel of the stroke is farther from its line
};

/// The mask of a stroke along points of the world. Throws AgreedError for what the brush refuses.
inline std::unique_ptr<LocalMask> makeStrokeMask(
  const std::vector<double>& points, const Geometry& image, const StrokeOptions& options)
{
  StrokeGeometry geometry;
  std::copy_n(image.Origin, 3, geometry.origin);
  std::copy_n(image.Spacing, 3, geometry.spacing);
  std::copy_n(image.Direction, 9, geometry.direction);
  const double radius = options.diameterMillimetres / 2.0;
  const double* spacing = geometry.spacing;
  const double voxel =
    std::sqrt(spacing[0] * spacing[0] + spacing[1] * spacing[1] + spacing[2] * spacing[2]);
  // The voxels of a digital line are within one of the line itself.
  const double reach = options.shape == BrushShape::Voxel ? voxel
    : options.shape == BrushShape::Sphere                 ? radius
                                          : std::hypot(radius, options.thicknessMillimetres / 2.0);
  try
  {
    StrokeMask mask(points.data(), static_cast<Index>(points.size() / 3), geometry, options);
    return std::make_unique<StrokeLocalMask>(std::move(mask), points, geometry, reach);
  }
  catch (const std::invalid_argument& error)
  {
    // The same on all ranks: it depends on parameters and geometry alone.
    throw AgreedError(error.what());
  }
}

} // namespace segcore

#endif
