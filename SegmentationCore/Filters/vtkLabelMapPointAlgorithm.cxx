// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapPointAlgorithm.h"

#include <algorithm>
#include <cmath>

//------------------------------------------------------------------------------------------------
void vtkLabelMapPointAlgorithm::AddPoint(double x, double y, double z)
{
  this->Points.insert(this->Points.end(), { x, y, z });
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapPointAlgorithm::RemoveAllPoints()
{
  if (!this->Points.empty())
  {
    this->Points.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapPointAlgorithm::SetPoints(const double* coordinates, vtkIdType numberOfPoints)
{
  this->Points.assign(coordinates, coordinates + 3 * numberOfPoints);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapPointAlgorithm::CheckParameters() const
{
  if (this->Points.empty())
  {
    return "Points is empty, expected at least one point";
  }
  const auto wrong = std::find_if_not(
    this->Points.begin(), this->Points.end(), [](double value) { return std::isfinite(value); });
  if (wrong != this->Points.end())
  {
    return "Points: point " + std::to_string((wrong - this->Points.begin()) / 3 + 1) +
      " is not finite";
  }
  return {};
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapPointAlgorithm::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfPoints: " << this->GetNumberOfPoints() << "\n";
}
