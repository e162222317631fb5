// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSeeded
 * @brief What effects that start at points have in common: the points, and the voxels they are in.
 *
 * A point is in the voxel whose centre is nearest along each axis of the image (of two equally near
 * ones the one with the larger index). Points outside the image are in none, and do nothing.
 *
 * @sa vtkLabelMapIslands vtkLabelMapFloodFilling
 */
#ifndef vtkLabelMapSeeded_h
#define vtkLabelMapSeeded_h

#include "vtkLabelMapAlgorithm.h"

#include <array>  // for std::array
#include <vector> // for std::vector

namespace segcore
{
struct Box;
struct Geometry;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSeeded : public vtkLabelMapAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapSeeded, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The seed points, in world coordinates (millimetres). Their order does not matter.
  void AddPoint(double x, double y, double z);
  void RemoveAllPoints();
  vtkIdType GetNumberOfPoints() const { return static_cast<vtkIdType>(this->Points.size() / 3); }
  ///@}

#ifndef __VTK_WRAP__
  /// All points at once, x, y, z of each in turn.
  void SetPoints(const double* coordinates, vtkIdType numberOfPoints);
#endif

protected:
  vtkLabelMapSeeded() = default;
  ~vtkLabelMapSeeded() override = default;

  /// What is wrong with the points; `needed` if there must be one.
  std::string CheckPoints(bool needed) const;

  /// Where the points are that are in a voxel, as indices of voxels with fractions.
  std::vector<std::array<double, 3>> FindPositions(
    const segcore::Geometry& geometry, const segcore::Box& whole) const;

  /// The voxels with a point in them, each once, in raster order.
  std::vector<std::array<std::int64_t, 3>> FindSeeds(
    const segcore::Geometry& geometry, const segcore::Box& whole) const;

private:
  vtkLabelMapSeeded(const vtkLabelMapSeeded&) = delete;
  void operator=(const vtkLabelMapSeeded&) = delete;

  std::vector<double> Points;
};

#endif
