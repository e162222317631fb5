// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapDrawTube.h"

#include "ParameterCheck.h"
#include "SplineCurve.h"
#include "StrokeLocalMask.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapDrawTube);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapDrawTube::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkRange<int>("Interpolation", this->Interpolation, LINEAR, KOCHANEK_SPLINE),
    segcore::checkRange("Radius", this->Radius, 1e-6, 1e6),
    segcore::checkRange("NumberOfLineSegmentsBetweenControlPoints",
      this->NumberOfLineSegmentsBetweenControlPoints, 1, 1000),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapDrawTube::MakeLocalMask(
  const segcore::LocalInput& input)
{
  std::vector<double> curve;
  input.communicator.run(
    [&]
    {
      curve =
        segcore::splineCurve(this->Points, static_cast<segcore::CurveShape>(this->Interpolation),
          static_cast<std::size_t>(this->NumberOfLineSegmentsBetweenControlPoints));
    });
  segcore::StrokeOptions options;
  options.diameterMillimetres = 2.0 * this->Radius;
  return segcore::makeStrokeMask(curve, input.geometry, options);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapDrawTube::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Interpolation: " << this->Interpolation << "\n";
  os << indent << "Radius: " << this->Radius << "\n";
  os << indent << "NumberOfLineSegmentsBetweenControlPoints: "
     << this->NumberOfLineSegmentsBetweenControlPoints << "\n";
}
