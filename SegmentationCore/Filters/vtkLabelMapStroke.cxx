// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapStroke.h"

#include "ParameterCheck.h"
#include "StrokeLocalMask.h"
#include "WorldGeometry.h"

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapStroke::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkVector("SliceNormal", this->SliceNormal),
    segcore::checkRange("BrushAbsoluteDiameter", this->BrushAbsoluteDiameter, 1e-6, 1e6),
    segcore::checkRange("SliceThickness", this->SliceThickness, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapStroke::MakeLocalMask(
  const segcore::LocalInput& input)
{
  segcore::StrokeOptions options;
  options.shape = this->BrushPixelMode ? segcore::BrushShape::Voxel
    : this->BrushSphere                ? segcore::BrushShape::Sphere
                                       : segcore::BrushShape::Circle;
  options.diameterMillimetres = this->BrushAbsoluteDiameter;
  segcore::normalize(this->SliceNormal, options.normal);
  options.thicknessMillimetres = this->SliceThickness > 0.0
    ? this->SliceThickness
    : segcore::sliceThickness(input.geometry, options.normal);
  return segcore::makeStrokeMask(this->Points, input.geometry, options);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapStroke::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "BrushAbsoluteDiameter: " << this->BrushAbsoluteDiameter << "\n";
  os << indent << "BrushSphere: " << this->BrushSphere << "\n";
  os << indent << "BrushPixelMode: " << this->BrushPixelMode << "\n";
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
  os << indent << "SliceThickness: " << this->SliceThickness << "\n";
}
