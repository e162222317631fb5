// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSeeded.h"

#include "DistributedImage.h"

#include <algorithm>
#include <cmath>

//------------------------------------------------------------------------------------------------
void vtkLabelMapSeeded::AddPoint(double x, double y, double z)
{
  this->Points.insert(this->Points.end(), { x, y, z });
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSeeded::RemoveAllPoints()
{
  if (!this->Points.empty())
  {
    this->Points.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSeeded::SetPoints(const double* coordinates, vtkIdType numberOfPoints)
{
  this->Points.assign(coordinates, coordinates + 3 * numberOfPoints);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSeeded::CheckPoints(bool needed) const
{
  if (needed && this->Points.empty())
  {
    return "Points is empty, expected at least one point";
  }
  const auto wrong = std::find_if_not(
    this->Points.begin(), this->Points.end(), [](double value) { return std::isfinite(value); });
  return wrong == this->Points.end()
    ? ""
    : "Points: point " + std::to_string((wrong - this->Points.begin()) / 3 + 1) + " is not finite";
}

//------------------------------------------------------------------------------------------------
std::vector<std::array<double, 3>> vtkLabelMapSeeded::FindPositions(
  const segcore::Geometry& geometry, const segcore::Box& whole) const
{
  std::vector<std::array<double, 3>> positions;
  for (std::size_t p = 0; p < this->Points.size(); p += 3)
  {
    std::array<double, 3> position;
    bool inside = true;
    for (int a = 0; a < 3; ++a)
    {
      double along = 0.0;
      for (int r = 0; r < 3; ++r)
      {
        along += geometry.Direction[3 * r + a] *
          (this->Points[p + static_cast<std::size_t>(r)] - geometry.Origin[r]);
      }
      const double index = along / geometry.Spacing[a];
      const double nearest = std::floor(index + 0.5);
      inside = inside && nearest >= static_cast<double>(whole.lo[a]) &&
        nearest <= static_cast<double>(whole.hi[a]);
      position[static_cast<std::size_t>(a)] = index;
    }
    if (inside)
    {
      positions.push_back(position);
    }
  }
  return positions;
}

//------------------------------------------------------------------------------------------------
std::vector<std::array<std::int64_t, 3>> vtkLabelMapSeeded::FindSeeds(
  const segcore::Geometry& geometry, const segcore::Box& whole) const
{
  std::vector<std::array<std::int64_t, 3>> seeds;
  for (const std::array<double, 3>& position : this->FindPositions(geometry, whole))
  {
    std::array<std::int64_t, 3> seed;
    std::transform(position.begin(), position.end(), seed.begin(),
      [](double index) { return static_cast<std::int64_t>(std::floor(index + 0.5)); });
    seeds.push_back(seed);
  }
  std::sort(seeds.begin(), seeds.end(), [](const auto& a, const auto& b)
    { return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend()); });
  seeds.erase(std::unique(seeds.begin(), seeds.end()), seeds.end());
  return seeds;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSeeded::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfPoints: " << this->GetNumberOfPoints() << "\n";
}
