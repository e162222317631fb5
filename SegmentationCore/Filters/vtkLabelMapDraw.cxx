// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapDraw.h"

#include "ParameterCheck.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapDraw);

namespace
{
/// The normal of the plane of an outline, of length 1; false if its points are on one line.
bool findNormal(const std::vector<double>& points, double normal[3])
{
  double mean[3];
  segcore::meanOf(points, mean);
  const std::size_t count = points.size() / 3;
  const auto fromMean = [&](std::size_t p, double result[3])
  {
    for (std::size_t a = 0; a < 3; ++a)
    {
      result[a] = points[3 * (p % count) + a] - mean[a];
    }
  };
  // Newell: the area of the outline as seen along each axis. And the point farthest from the mean.
  double area[3] = { 0.0, 0.0, 0.0 };
  double far[3] = { 0.0, 0.0, 0.0 };
  double most = 0.0;
  for (std::size_t p = 0; p < count; ++p)
  {
    double a[3], b[3], c[3];
    fromMean(p, a);
    fromMean(p + 1, b);
    segcore::cross(a, b, c);
    for (int axis = 0; axis < 3; ++axis)
    {
      area[axis] += c[axis];
    }
    if (segcore::dot(a, a) > most)
    {
      most = segcore::dot(a, a);
      std::copy_n(a, 3, far);
    }
  }
  double size = std::sqrt(segcore::dot(area, area));
  if (!(size > 1e-6 * most))
  {
    // Parts that turn against each other: the plane of the farthest point and the one most beside.
    for (std::size_t p = 0; p < count; ++p)
    {
      double a[3], c[3];
      fromMean(p, a);
      segcore::cross(far, a, c);
      const double found = std::sqrt(segcore::dot(c, c));
      if (found > size)
      {
        size = found;
        std::copy_n(c, 3, area);
      }
    }
  }
  if (!(size > 1e-12 * most))
  {
    return false;
  }
  segcore::normalize(area, normal);
  return true;
}
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapDraw::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapDraw::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkVector("SliceNormal", this->SliceNormal),
    segcore::checkRange("SliceThickness", this->SliceThickness, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapDraw::MakeLocalMask(const segcore::LocalInput& input)
{
  double normal[3];
  if (!this->NormalFromPoints)
  {
    segcore::normalize(this->SliceNormal, normal);
  }
  else if (!findNormal(this->Points, normal))
  {
    return std::make_unique<segcore::BoxMask>(segcore::Box());
  }
  return segcore::makeOutlineMask(
    this->Points, input.geometry, normal, this->SliceThickness, input.whole);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapDraw::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NormalFromPoints: " << this->NormalFromPoints << "\n";
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
  os << indent << "SliceThickness: " << this->SliceThickness << "\n";
}
