// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkFractionalLabelmapToClosedSurfaceConversionRule.h"

#include "ClosedSurface.h"

#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSegmentationConverter.h"
#include "vtkSmartPointer.h"

#include <cmath>
#include <exception>

vtkSegmentationConverterRuleNewMacro(vtkFractionalLabelmapToClosedSurfaceConversionRule);

//----------------------------------------------------------------------------
vtkFractionalLabelmapToClosedSurfaceConversionRule::
  vtkFractionalLabelmapToClosedSurfaceConversionRule()
{
  using Self = vtkFractionalLabelmapToClosedSurfaceConversionRule;
  this->ConversionParameters->SetParameter(
    Self::GetFractionalLabelMapOversamplingFactorParameterName(), "1",
    "How many times finer the fractional labelmap is made along each axis before its surface is "
    "taken; 1 leaves it as it is.");
  this->ConversionParameters->SetParameter(Self::GetThresholdFractionParameterName(), "0.5",
    "Part of a voxel, from 0 to 1, that must belong to the segment for the voxel to be inside.");
}

//----------------------------------------------------------------------------
unsigned int vtkFractionalLabelmapToClosedSurfaceConversionRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return 600;
}

//----------------------------------------------------------------------------
const char* vtkFractionalLabelmapToClosedSurfaceConversionRule::GetSourceRepresentationName()
{
  return vtkSegmentationConverter::GetFractionalLabelmapRepresentationName();
}

//----------------------------------------------------------------------------
const char* vtkFractionalLabelmapToClosedSurfaceConversionRule::GetTargetRepresentationName()
{
  return vtkSegmentationConverter::GetClosedSurfaceRepresentationName();
}

//----------------------------------------------------------------------------
bool vtkFractionalLabelmapToClosedSurfaceConversionRule::PreConvert(
  vtkSegmentation* vtkNotUsed(segmentation))
{
  return true;
}

//----------------------------------------------------------------------------
bool vtkFractionalLabelmapToClosedSurfaceConversionRule::PostConvert(
  vtkSegmentation* vtkNotUsed(segmentation))
{
  return true;
}

//----------------------------------------------------------------------------
bool vtkFractionalLabelmapToClosedSurfaceConversionRule::Convert(vtkSegment* segment)
{
  vtkOrientedImageData* image = this->GetSourceImage(segment);
  if (!image)
  {
    return false;
  }
  const std::string name = segment->GetName() ? segment->GetName() : "";
  segcore::ClosedSurfaceOptions options;
  double oversampling = 1.0;
  double fraction = 0.5;
  if (!this->ReadOptions(options) ||
    !this->ReadNumber(
      this->GetFractionalLabelMapOversamplingFactorParameterName(), 0.01, 100.0, oversampling) ||
    !this->ReadNumber(this->GetThresholdFractionParameterName(), 0.0, 1.0, fraction))
  {
    return false;
  }
  options.SurfaceNets = false;
  options.SmoothJointly = false;
  options.SmoothingIterations = 20;

  double range[2] = { 0.0, 1.0 };
  if (vtkDataArray* field =
        image->GetFieldData()->GetArray(vtkSegmentationConverter::GetScalarRangeFieldName()))
  {
    if (field->GetNumberOfValues() != 2)
    {
      vtkErrorMacro("Convert: the field data array '"
        << field->GetName() << "' of segment '" << name << "' has " << field->GetNumberOfValues()
        << " values, expected 2.");
      return false;
    }
    for (vtkIdType i = 0; i < 2; ++i)
    {
      range[i] = field->GetComponent(
        i / field->GetNumberOfComponents(), static_cast<int>(i % field->GetNumberOfComponents()));
    }
  }
  if (!(range[0] < range[1]) || !std::isfinite(range[1] - range[0]))
  {
    vtkErrorMacro("Convert: the values of segment '" << name << "' range from " << range[0]
                                                     << " to " << range[1]
                                                     << ", expected an ascending range.");
    return false;
  }
  double level = range[0] + fraction * (range[1] - range[0]);
  if (!(level > range[0]))
  {
    level = std::nextafter(range[0], range[1]);
  }
  vtkSmartPointer<vtkPolyData> surface;
  try
  {
    surface = segcore::makeLevelSurface(image, oversampling, level, range[0], options);
  }
  catch (const std::exception& problem)
  {
    vtkErrorMacro(
      "Convert: the surface of segment '" << name << "' cannot be made: " << problem.what() << ".");
    return false;
  }
  return this->SetTarget(segment, surface);
}
