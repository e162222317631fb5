// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapDepthRange.h"

#include "ParameterCheck.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapDepthRange);

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapDepthRange::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapDepthRange::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkVector("DepthDirection", this->DepthDirection),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapDepthRange::MakeLocalMask(
  const segcore::LocalInput& input)
{
  double direction[3];
  segcore::normalize(this->DepthDirection, direction);
  // Depths from the centre of the first voxel on: far from the origin others would be less exact.
  double first[3];
  for (int r = 0; r < 3; ++r)
  {
    first[r] = input.geometry.Origin[r];
    for (int a = 0; a < 3; ++a)
    {
      first[r] += input.geometry.Direction[3 * r + a] * input.geometry.Spacing[a] *
        static_cast<double>(input.whole.lo[a]);
    }
  }
  segcore::PrismView view;
  segcore::setDepth(input.geometry, direction, first, view);
  view.low = std::numeric_limits<double>::infinity();
  view.high = -view.low;
  for (std::size_t p = 0; p < this->Points.size(); p += 3)
  {
    const double from[3] = { this->Points[p] - first[0], this->Points[p + 1] - first[1],
      this->Points[p + 2] - first[2] };
    const double depth = segcore::dot(direction, from);
    view.low = std::min(view.low, depth);
    view.high = std::max(view.high, depth);
  }
  // All there is at these depths: what is outside of no outline.
  view.outside = true;
  return segcore::makePrismMask({}, view, input.whole);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapDepthRange::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "DepthDirection: " << this->DepthDirection[0] << " " << this->DepthDirection[1]
     << " " << this->DepthDirection[2] << "\n";
}
