// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapPointAlgorithm
 * @brief What effects that follow points in the world have in common: the points.
 *
 * Errors: no point, a point that is not finite.
 *
 * @sa vtkLabelMapStroke vtkLabelMapDraw vtkLabelMapScissors vtkLabelMapDrawTube
 */
#ifndef vtkLabelMapPointAlgorithm_h
#define vtkLabelMapPointAlgorithm_h

#include "vtkLabelMapAlgorithm.h"

#include <vector> // for std::vector

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapPointAlgorithm : public vtkLabelMapAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapPointAlgorithm, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The points, in world coordinates (millimetres), in order. At least one.
  void AddPoint(double x, double y, double z);
  void RemoveAllPoints();
  vtkIdType GetNumberOfPoints() const { return static_cast<vtkIdType>(this->Points.size() / 3); }
  ///@}

#ifndef __VTK_WRAP__
  /// All points at once, x, y, z of each in turn.
  void SetPoints(const double* coordinates, vtkIdType numberOfPoints);

  bool IsLocal() const override { return true; }
#endif

protected:
  vtkLabelMapPointAlgorithm() = default;
  ~vtkLabelMapPointAlgorithm() override = default;

  /// Checks the points.
  std::string CheckParameters() const override;

  std::vector<double> Points;

private:
  vtkLabelMapPointAlgorithm(const vtkLabelMapPointAlgorithm&) = delete;
  void operator=(const vtkLabelMapPointAlgorithm&) = delete;
};

#endif
