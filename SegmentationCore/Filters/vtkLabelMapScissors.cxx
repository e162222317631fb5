// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapScissors.h"

#include "ParameterCheck.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapScissors);

namespace
{
/// (X, Y, Z or W) of a point.
double rowAt(const double* row, const double* point)
{
  return segcore::dot(row, point) + row[3];
}

/// Whether a matrix can be inverted, whatever the units of its rows and columns.
bool isInvertible(const double matrix[16])
{
  double m[4][4];
  for (int r = 0; r < 4; ++r)
  {
    double largest = 0.0;
    for (int c = 0; c < 4; ++c)
    {
      largest = std::max(largest, std::abs(matrix[4 * r + c]));
    }
    for (int c = 0; c < 4; ++c)
    {
      m[r][c] = matrix[4 * r + c] / largest; // not a number if the row is 0
    }
  }
  // Elimination with complete pivoting.
  for (int step = 0; step < 4; ++step)
  {
    int row = step, column = step;
    for (int r = step; r < 4; ++r)
    {
      for (int c = step; c < 4; ++c)
      {
        if (!(std::abs(m[r][c]) <= std::abs(m[row][column])))
        {
          row = r;
          column = c;
        }
      }
    }
    if (!(std::abs(m[row][column]) > 1e-15))
    {
      return false;
    }
    std::swap(m[step], m[row]);
    for (auto& line : m)
    {
      std::swap(line[step], line[column]);
    }
    for (int r = step + 1; r < 4; ++r)
    {
      const double factor = m[r][step] / m[step][step];
      for (int c = step; c < 4; ++c)
      {
        m[r][c] -= factor * m[step][c];
      }
    }
  }
  return true;
}
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapScissors::GetWriteMode() const
{
  return this->Operation == ERASE_INSIDE || this->Operation == ERASE_OUTSIDE
    ? segcore::WriteMode::Remove
    : segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapScissors::CheckParameters() const
{
  const std::string wrong = segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkRange<int>("Operation", this->Operation, ERASE_INSIDE, FILL_OUTSIDE),
    segcore::checkRange<int>("Shape", this->Shape, FREE_FORM, RECTANGLE),
    segcore::checkRange<int>("SliceCutMode", this->SliceCutMode, UNLIMITED, SYMMETRIC),
    segcore::checkRange("SliceCutDepthMm", this->SliceCutDepthMm, 0.0, 1e6),
  });
  if (!wrong.empty())
  {
    return wrong;
  }
  const double* m = this->ViewMatrix;
  if (!std::all_of(m, m + 16, [](double value) { return std::isfinite(value); }))
  {
    return "ViewMatrix has a number that is not finite";
  }
  if (!isInvertible(m))
  {
    return "ViewMatrix cannot be inverted, expected a matrix from the world to a view";
  }
  const vtkIdType needed = this->Shape == FREE_FORM ? 3 : 2;
  if (this->GetNumberOfPoints() < needed)
  {
    return "Points has " + std::to_string(this->GetNumberOfPoints()) + ", expected at least " +
      std::to_string(needed) + " for this Shape";
  }
  const bool isCamera = m[12] != 0.0 || m[13] != 0.0 || m[14] != 0.0;
  for (std::size_t p = 0; p < this->Points.size(); p += 3)
  {
    if (isCamera && !(rowAt(m + 12, this->Points.data() + p) > 0.0))
    {
      return "Points: point " + std::to_string(p / 3 + 1) + " is behind the camera of ViewMatrix";
    }
  }
  return {};
}

//------------------------------------------------------------------------------------------------
/// x, y of each.
std::vector<double> vtkLabelMapScissors::PointsInView() const
{
  std::vector<double> places;
  for (std::size_t p = 0; p < this->Points.size(); p += 3)
  {
    const double* point = this->Points.data() + p;
    const double w = rowAt(this->ViewMatrix + 12, point);
    places.push_back(rowAt(this->ViewMatrix, point) / w);
    places.push_back(rowAt(this->ViewMatrix + 4, point) / w);
  }
  return places;
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapScissors::MakeLocalMask(
  const segcore::LocalInput& input)
{
  const segcore::Geometry& geometry = input.geometry;
  segcore::PrismView view;
  for (int r : { 0, 1, 3 })
  {
    const double* row = this->ViewMatrix + 4 * r;
    for (int a = 0; a < 3; ++a)
    {
      view.toView[4 * r + a] = segcore::stepAlong(geometry, row, a);
    }
    view.toView[4 * r + 3] = rowAt(row, geometry.Origin);
  }
  view.outside = this->Operation == ERASE_OUTSIDE || this->Operation == FILL_OUTSIDE;
  if (this->SliceCutMode != UNLIMITED)
  {
    const double* w = this->ViewMatrix + 12;
    const bool isCamera = w[0] != 0.0 || w[1] != 0.0 || w[2] != 0.0;
    double sight[3], mean[3];
    segcore::normalize(isCamera ? w : w - 4, sight);
    segcore::meanOf(this->Points, mean);
    segcore::setDepth(geometry, sight, mean, view);
    const double half = segcore::sliceThickness(geometry, sight) / 2.0;
    switch (this->SliceCutMode)
    {
      case POSITIVE:
        view.low = -half;
        break;
      case NEGATIVE:
        view.high = half;
        break;
      default:
        view.high = std::max(half, this->SliceCutDepthMm / 2.0);
        view.low = -view.high;
    }
  }

  const std::vector<double> places = this->PointsInView();
  const double* first = places.data();
  const double* last = places.data() + places.size() - 2;
  segcore::PrismOutline outline;
  if (this->Shape == FREE_FORM)
  {
    outline.vertices = places;
    outline.ends = { static_cast<segcore::Index>(places.size() / 2) };
  }
  else if (this->Shape == CIRCLE)
  {
    const double drag = std::hypot(last[0] - first[0], last[1] - first[1]);
    outline.circle = true;
    outline.vertices = this->ShapeDrawCentered
      ? std::vector<double>{ first[0], first[1], drag, 0.0 }
      : std::vector<double>{ (first[0] + last[0]) / 2.0, (first[1] + last[1]) / 2.0, drag / 2.0,
          0.0 };
  }
  else
  {
    // From the opposite corner, which is the mirror image of the last point if centred.
    const double x = this->ShapeDrawCentered ? 2.0 * first[0] - last[0] : first[0];
    const double y = this->ShapeDrawCentered ? 2.0 * first[1] - last[1] : first[1];
    outline.vertices = { x, y, last[0], y, last[0], last[1], x, last[1] };
    outline.ends = { 4 };
  }
  return segcore::makePrismMask(outline, view, input.whole);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapScissors::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operation: " << this->Operation << "\n";
  os << indent << "Shape: " << this->Shape << "\n";
  os << indent << "ShapeDrawCentered: " << this->ShapeDrawCentered << "\n";
  os << indent << "SliceCutMode: " << this->SliceCutMode << "\n";
  os << indent << "SliceCutDepthMm: " << this->SliceCutDepthMm << "\n";
  os << indent << "ViewMatrix:";
  for (double value : this->ViewMatrix)
  {
    os << " " << value;
  }
  os << "\n";
}
