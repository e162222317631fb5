// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapStroke.h"

#include "LocalMask.h"
#include "ParameterCheck.h"
#include "StrokeMask.h"

#include <algorithm>
#include <cmath>

namespace
{
/// The stroke, as the editor asks for it.
class Stroke : public segcore::LocalMask
{
public:
  Stroke(segcore::StrokeMask mask, const std::vector<double>& pointsWorld,
    const segcore::StrokeGeometry& geometry, double reach)
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
  segcore::Box bounds() const override { return this->Mask.bounds(); }
  void write(const segcore::Box& part, std::uint8_t* out) const override
  {
    this->Mask.write(part, out);
  }

  /// 0 where the whole box is too far from the line: a long stroke is not its bounding box.
  int uniform(const segcore::Box& part) const override
  {
    if (segcore::LocalMask::uniform(part) == 0)
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
  segcore::StrokeMask Mask;
  std::vector<double> Points; // in millimetres along the image's axes
  double Spacing[3];
  double Reach; // no voxel of the stroke is farther from its line
};
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapStroke::AddPoint(double x, double y, double z)
{
  this->Points.insert(this->Points.end(), { x, y, z });
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapStroke::RemoveAllPoints()
{
  if (!this->Points.empty())
  {
    this->Points.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapStroke::SetPoints(const double* coordinates, vtkIdType numberOfPoints)
{
  this->Points.assign(coordinates, coordinates + 3 * numberOfPoints);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapStroke::CheckParameters() const
{
  if (this->Points.empty())
  {
    return "Points is empty, expected at least one point";
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  const auto wrong = std::find_if_not(this->Points.begin(), this->Points.end(), finite);
  if (wrong != this->Points.end())
  {
    return "Points: point " + std::to_string((wrong - this->Points.begin()) / 3 + 1) +
      " is not finite";
  }
  const double* n = this->SliceNormal;
  if (!std::all_of(n, n + 3, finite) || (n[0] == 0.0 && n[1] == 0.0 && n[2] == 0.0))
  {
    return "SliceNormal must be three finite numbers that are not all 0";
  }
  return segcore::firstError({
    segcore::checkRange("BrushAbsoluteDiameter", this->BrushAbsoluteDiameter, 1e-6, 1e6),
    segcore::checkRange("SliceThickness", this->SliceThickness, 1e-6, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapStroke::MakeLocalMask(
  const segcore::LocalInput& input)
{
  segcore::StrokeGeometry geometry;
  std::copy_n(input.geometry.Origin, 3, geometry.origin);
  std::copy_n(input.geometry.Spacing, 3, geometry.spacing);
  std::copy_n(input.geometry.Direction, 9, geometry.direction);
  segcore::StrokeOptions options;
  options.shape = this->BrushPixelMode ? segcore::BrushShape::Voxel
    : this->BrushSphere                ? segcore::BrushShape::Sphere
                                       : segcore::BrushShape::Circle;
  options.diameterMillimetres = this->BrushAbsoluteDiameter;
  const double* n = this->SliceNormal;
  // Scaled first, so that the squares neither overflow nor vanish.
  const double scale = std::max({ std::abs(n[0]), std::abs(n[1]), std::abs(n[2]) });
  const double unit[3] = { n[0] / scale, n[1] / scale, n[2] / scale };
  const double length = std::sqrt(unit[0] * unit[0] + unit[1] * unit[1] + unit[2] * unit[2]);
  for (int a = 0; a < 3; ++a)
  {
    options.normal[a] = unit[a] / length;
  }
  options.thicknessMillimetres = this->SliceThickness;
  const double radius = this->BrushAbsoluteDiameter / 2.0;
  const double* spacing = geometry.spacing;
  const double voxel =
    std::sqrt(spacing[0] * spacing[0] + spacing[1] * spacing[1] + spacing[2] * spacing[2]);
  // The voxels of a digital line are within one of the line itself.
  const double reach = this->BrushPixelMode ? voxel
    : this->BrushSphere                     ? radius
                                            : std::hypot(radius, this->SliceThickness / 2.0);
  try
  {
    segcore::StrokeMask mask(
      this->Points.data(), static_cast<segcore::Index>(this->Points.size() / 3), geometry, options);
    return std::make_unique<Stroke>(std::move(mask), this->Points, geometry, reach);
  }
  catch (const std::invalid_argument& error)
  {
    // The same on all ranks: it depends on parameters and geometry alone.
    throw segcore::AgreedError(error.what());
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapStroke::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfPoints: " << this->GetNumberOfPoints() << "\n";
  os << indent << "BrushAbsoluteDiameter: " << this->BrushAbsoluteDiameter << "\n";
  os << indent << "BrushSphere: " << this->BrushSphere << "\n";
  os << indent << "BrushPixelMode: " << this->BrushPixelMode << "\n";
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
  os << indent << "SliceThickness: " << this->SliceThickness << "\n";
}
