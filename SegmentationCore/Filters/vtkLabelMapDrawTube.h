// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapDrawTube
 * @brief Makes a segment a round tube around a curve through points.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels of the tube become SegmentLabel,
 * whatever they were; the segment's other voxels become 0.
 *
 * Geometry: the curve goes through the points in order, as a line or as a spline that is cut into
 * straight pieces (Kernels/SplineCurve.h). A voxel is inside if its centre is no farther than
 * Radius from the curve: the tube is round, and has round ends. Kernels/StrokeMask.h decides.
 *
 * Differences from Slicer: the tube is round (Slicer: 8 flat sides, a tenth less in cross section),
 * and so are its ends (Slicer: flat); what it meets twice is inside. The splines are Slicer's; its
 * polynomials, which pass by the points, are left out.
 *
 * Local: costs what it touches. Threads: yes. Ranks: exact, nothing is exchanged. Scratch memory: 1
 * byte per touched voxel.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); parameters out of range.
 *
 * @sa vtkLabelMapPaint
 */
#ifndef vtkLabelMapDrawTube_h
#define vtkLabelMapDrawTube_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapDrawTube : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapDrawTube* New();
  vtkTypeMacro(vtkLabelMapDrawTube, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Interpolation; the names are Slicer's.
  enum InterpolationType
  {
    LINEAR = 0,
    CARDINAL_SPLINE = 1,
    KOCHANEK_SPLINE = 2
  };

  ///@{
  /// The curve between the points. Default CARDINAL_SPLINE.
  vtkSetMacro(Interpolation, int);
  vtkGetMacro(Interpolation, int);
  ///@}

  ///@{
  /// Radius of the tube in millimetres, 1e-6 to 1e6. Default 1.
  vtkSetMacro(Radius, double);
  vtkGetMacro(Radius, double);
  ///@}

  ///@{
  /// Straight pieces of a spline from one point to the next, 1 to 1000. Default 15.
  vtkSetMacro(NumberOfLineSegmentsBetweenControlPoints, int);
  vtkGetMacro(NumberOfLineSegmentsBetweenControlPoints, int);
  ///@}

protected:
  vtkLabelMapDrawTube() = default;
  ~vtkLabelMapDrawTube() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapDrawTube(const vtkLabelMapDrawTube&) = delete;
  void operator=(const vtkLabelMapDrawTube&) = delete;

  int Interpolation = CARDINAL_SPLINE;
  double Radius = 1.0;
  int NumberOfLineSegmentsBetweenControlPoints = 15;
};

#endif
