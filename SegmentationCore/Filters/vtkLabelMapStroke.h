// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapStroke
 * @brief What brush strokes have in common: points in the world, and a brush swept along them.
 *
 * The stroke is the brush at every point, and along the straight line between each point and the
 * next. A voxel is inside if its centre is. The brush is a ball, a disc of some thickness in a
 * plane of any orientation, or a single voxel.
 *
 * Differences from Slicer: the ball is a ball (Slicer: a polyhedron of 32 x 32 facets, a little
 * smaller) around the point itself (Slicer: around the nearest voxel centre), and the sweep is
 * exact (Slicer: copies 0.2 diameters apart).
 *
 * Local: costs what it touches, whatever the size of the image. Threads: yes. Ranks: exact, nothing
 * is exchanged. Scratch memory: 1 byte per touched voxel.
 *
 * Errors: no point, a point that is not finite, a diameter or thickness out of range, a normal
 * without length.
 *
 * @sa vtkLabelMapPaint vtkLabelMapErase
 */
#ifndef vtkLabelMapStroke_h
#define vtkLabelMapStroke_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapStroke : public vtkLabelMapPointAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapStroke, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Diameter of the brush in millimetres, 1e-6 to 1e6. Default 5.
  vtkSetMacro(BrushAbsoluteDiameter, double);
  vtkGetMacro(BrushAbsoluteDiameter, double);
  ///@}

  ///@{
  /// A ball (default), or a disc in the plane that is perpendicular to SliceNormal.
  vtkSetMacro(BrushSphere, bool);
  vtkGetMacro(BrushSphere, bool);
  vtkBooleanMacro(BrushSphere, bool);
  ///@}

  ///@{
  /// Only the voxels nearest to the points and on the lines between them. Default off.
  vtkSetMacro(BrushPixelMode, bool);
  vtkGetMacro(BrushPixelMode, bool);
  vtkBooleanMacro(BrushPixelMode, bool);
  ///@}

  ///@{
  /// Axis of the disc in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(SliceNormal, double);
  vtkGetVector3Macro(SliceNormal, double);
  ///@}

  ///@{
  /// Thickness of the disc along its axis in millimetres, up to 1e6: voxels up to half of it on
  /// either side are inside. 0, the default: as thick as a slice of voxels across the axis.
  vtkSetMacro(SliceThickness, double);
  vtkGetMacro(SliceThickness, double);
  ///@}

protected:
  vtkLabelMapStroke() = default;
  ~vtkLabelMapStroke() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapStroke(const vtkLabelMapStroke&) = delete;
  void operator=(const vtkLabelMapStroke&) = delete;

  double BrushAbsoluteDiameter = 5.0;
  bool BrushSphere = true;
  bool BrushPixelMode = false;
  double SliceNormal[3] = { 0.0, 0.0, 1.0 };
  double SliceThickness = 0.0;
};

#endif
