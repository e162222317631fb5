// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "vtkCalculateOversamplingFactor.h"

#include "vtkLogger.h"
#include "vtkMassProperties.h"
#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkPolyData.h"
#include "vtkTriangleFilter.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace
{

/// A fuzzy set: (x, membership), linear between, constant beyond.
using Knots = std::vector<std::pair<double, double>>;

double membership(const Knots& knots, double x)
{
  if (x <= knots.front().first)
  {
    return knots.front().second;
  }
  for (std::size_t i = 1; i < knots.size(); ++i)
  {
    if (x <= knots[i].first)
    {
      const double t = (x - knots[i - 1].first) / (knots[i].first - knots[i - 1].first);
      return knots[i - 1].second + t * (knots[i].second - knots[i - 1].second);
    }
  }
  return knots.back().second;
}

/// Adds area and first moment of the set cut at a height.
void addCut(const Knots& knots, double height, double& area, double& moment)
{
  for (std::size_t i = 1; i < knots.size(); ++i)
  {
    const double x[2] = { knots[i - 1].first, knots[i].first };
    const double y[2] = { knots[i - 1].second, knots[i].second };
    // Where the piece passes the height it is two pieces, one of them level.
    double ends[3] = { x[0], x[1], x[1] };
    if ((y[0] - height) * (y[1] - height) < 0.0)
    {
      ends[1] = x[0] + (height - y[0]) / (y[1] - y[0]) * (x[1] - x[0]);
    }
    for (int part = 0; part < 2; ++part)
    {
      const double from = ends[part];
      const double to = ends[part + 1];
      const double low = std::min(height, membership(knots, from));
      const double high = std::min(height, membership(knots, to));
      const double width = to - from;
      area += 0.5 * width * (low + high);
      moment += width * (from * (2.0 * low + high) + to * (low + 2.0 * high)) / 6.0;
    }
  }
}

/// The power of two for a structure of that size and complexity.
double infer(double size, double complexity)
{
  const double verySmall = membership({ { 7, 1 }, { 12, 0 } }, size);
  const double small = membership({ { 7, 0 }, { 12, 1 }, { 14, 1 }, { 18, 0 } }, size);
  const double medium = membership({ { 14, 0 }, { 18, 1 }, { 36, 1 }, { 72, 0 } }, size);
  const double large = membership({ { 36, 0 }, { 72, 1 } }, size);
  const double simple = membership({ { 0.2, 1 }, { 0.6, 0 } }, complexity);
  const double complicated = membership({ { 0.2, 0 }, { 0.6, 1 } }, complexity);
  const Knots low = { { -1.25, 1 }, { -0.75, 1 }, { -0.25, 0 } };
  const Knots normal = { { -0.75, 0 }, { -0.25, 1 }, { 0.25, 1 }, { 0.75, 0 } };
  const Knots high = { { 0.25, 0 }, { 0.75, 1 }, { 1.25, 1 }, { 1.75, 0 } };
  const Knots veryHigh = { { 1.25, 0 }, { 1.75, 1 }, { 2.25, 1 } };
  double area = 0.0;
  double moment = 0.0;
  addCut(veryHigh, verySmall, area, moment);
  addCut(high, std::min(small, complicated), area, moment);
  addCut(normal, std::min(small, simple), area, moment);
  addCut(high, std::min(medium, complicated), area, moment);
  addCut(normal, std::min(medium, simple), area, moment);
  addCut(low, large, area, moment);
  // The memberships of the sizes add up to 1 everywhere, and those of the complexities too.
  return moment / area;
}

} // namespace

vtkStandardNewMacro(vtkCalculateOversamplingFactor);
vtkCxxSetObjectMacro(vtkCalculateOversamplingFactor, InputPolyData, vtkPolyData);
vtkCxxSetObjectMacro(
  vtkCalculateOversamplingFactor, ReferenceGeometryImageData, vtkOrientedImageData);

//------------------------------------------------------------------------------
vtkCalculateOversamplingFactor::vtkCalculateOversamplingFactor() = default;

//------------------------------------------------------------------------------
vtkCalculateOversamplingFactor::~vtkCalculateOversamplingFactor()
{
  this->SetInputPolyData(nullptr);
  this->SetReferenceGeometryImageData(nullptr);
}

//------------------------------------------------------------------------------
bool vtkCalculateOversamplingFactor::CalculateOversamplingFactor()
{
  this->OutputOversamplingFactor = 1.0;
  this->OutputRelativeStructureSize = 0.0;
  this->OutputComplexityMeasure = 0.0;
  this->OutputNormalizedShapeIndex = 0.0;
  if (!this->InputPolyData)
  {
    vtkErrorMacro("CalculateOversamplingFactor: no surface; call SetInputPolyData first");
    return false;
  }
  if (!this->ReferenceGeometryImageData)
  {
    vtkErrorMacro("CalculateOversamplingFactor: no reference image; call "
                  "SetReferenceGeometryImageData first");
    return false;
  }
  const auto begin = std::chrono::steady_clock::now();
  const double* const spacing = this->ReferenceGeometryImageData->GetSpacing();
  const double voxel = std::fabs(spacing[0] * spacing[1] * spacing[2]);
  if (!(voxel > 0.0) || !std::isfinite(voxel))
  {
    vtkErrorMacro("CalculateOversamplingFactor: the reference image's spacing "
      << spacing[0] << " " << spacing[1] << " " << spacing[2] << " gives no volume");
    return false;
  }
  double size = 0.0;
  double shapeIndex = 0.0;
  vtkNew<vtkTriangleFilter> triangles;
  triangles->SetInputData(this->InputPolyData);
  triangles->PassLinesOff();
  triangles->PassVertsOff();
  triangles->Update();
  if (triangles->GetOutput()->GetNumberOfPolys() > 0)
  {
    vtkNew<vtkMassProperties> properties;
    properties->SetInputConnection(triangles->GetOutputPort());
    properties->Update();
    size = std::cbrt(std::max(0.0, properties->GetVolume()) / voxel);
    shapeIndex = properties->GetNormalizedShapeIndex();
  }
  // A surface without volume has no shape index that is a number: nothing is known of its shape.
  this->OutputNormalizedShapeIndex = std::isfinite(shapeIndex) ? shapeIndex : 0.0;
  this->OutputRelativeStructureSize = size;
  this->OutputComplexityMeasure = std::max(0.0, this->OutputNormalizedShapeIndex - 1.0);
  this->OutputOversamplingFactor =
    std::exp2(std::round(infer(size, this->OutputComplexityMeasure)));
  if (this->LogSpeedMeasurements)
  {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    vtkLog(INFO, "CalculateOversamplingFactor took " << seconds.count() << " s");
  }
  return true;
}

//------------------------------------------------------------------------------
void vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(
  vtkOrientedImageData* imageData, double oversamplingFactor)
{
  if (!imageData)
  {
    vtkGenericWarningMacro("ApplyOversamplingOnImageGeometry: no image");
    return;
  }
  if (!(oversamplingFactor >= 0.01 && oversamplingFactor <= 100.0))
  {
    vtkWarningWithObjectMacro(imageData,
      "ApplyOversamplingOnImageGeometry: the factor must be 0.01 to 100, got "
        << oversamplingFactor << "; the geometry is left as it is");
    return;
  }
  if (oversamplingFactor == 1.0 || imageData->IsEmpty())
  {
    return;
  }
  const int* const extent = imageData->GetExtent();
  const double* const spacing = imageData->GetSpacing();
  double newExtent[6];
  vtkNew<vtkMatrix4x4> geometry;
  imageData->GetImageToWorldMatrix(geometry);
  double origin[3] = { geometry->GetElement(0, 3), geometry->GetElement(1, 3),
    geometry->GetElement(2, 3) };
  double newSpacing[3];
  for (int a = 0; a < 3; ++a)
  {
    const double length = static_cast<double>(extent[2 * a + 1]) - extent[2 * a] + 1.0;
    const double newLength = std::max(1.0, std::floor(length * oversamplingFactor));
    newExtent[2 * a] = std::ceil(extent[2 * a] * oversamplingFactor);
    newExtent[2 * a + 1] = newExtent[2 * a] + newLength - 1.0;
    if (newExtent[2 * a] < VTK_INT_MIN || newExtent[2 * a + 1] > VTK_INT_MAX)
    {
      vtkErrorWithObjectMacro(imageData,
        "ApplyOversamplingOnImageGeometry: the extent along axis "
          << a << " times " << oversamplingFactor << " does not fit into an extent");
      return;
    }
    newSpacing[a] = spacing[a] * length / newLength;
    for (int r = 0; r < 3; ++r)
    {
      const double direction = geometry->GetElement(r, a) / spacing[a];
      origin[r] += direction * 0.5 * (newSpacing[a] - spacing[a]);
    }
  }
  int extentInVoxels[6];
  for (int i = 0; i < 6; ++i)
  {
    extentInVoxels[i] = static_cast<int>(newExtent[i]);
  }
  imageData->SetExtent(extentInVoxels);
  imageData->SetSpacing(newSpacing);
  imageData->SetOrigin(origin);
}

//------------------------------------------------------------------------------
void vtkCalculateOversamplingFactor::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "InputPolyData: " << this->InputPolyData << "\n";
  os << indent << "ReferenceGeometryImageData: " << this->ReferenceGeometryImageData << "\n";
  os << indent << "OutputOversamplingFactor: " << this->OutputOversamplingFactor << "\n";
  os << indent << "OutputRelativeStructureSize: " << this->OutputRelativeStructureSize << "\n";
  os << indent << "OutputComplexityMeasure: " << this->OutputComplexityMeasure << "\n";
  os << indent << "OutputNormalizedShapeIndex: " << this->OutputNormalizedShapeIndex << "\n";
  os << indent << "LogSpeedMeasurements: " << (this->LogSpeedMeasurements ? "On" : "Off") << "\n";
}
