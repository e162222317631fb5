// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapScissors
 * @brief Cuts through a volume along the line of sight: erases or fills what is seen inside or
 * outside of an outline.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Erasing takes the segment's voxels away
 * (they become 0), filling makes voxels the segment (SegmentLabel), whatever they were.
 *
 * View: ViewMatrix takes world coordinates to those of the view, (X, Y, Z, W) = M (x, y, z, 1), and
 * what is seen at (X / W, Y / W) lies in one line of sight. A slice view has a rigid matrix (the
 * inverse of Slicer's SliceToRAS), a camera its composite projection matrix. Points are world
 * points anywhere on the line of sight (a place on the screen, taken to the world at any depth).
 * Voxels behind a camera are never seen, thus outside of all outlines.
 *
 * Outline: the polygon of the points (FreeForm, at least three), or a circle or a rectangle from
 * the first to the last one, as the mouse was pressed and released. Not centred, these are the ends
 * of a diameter or opposite corners; centred, the first one is the centre. The rectangle follows
 * the X and Y axes of the view; circles are round if both have one scale. A voxel is inside if its
 * centre is seen inside; edges are half-open and the even-odd rule decides where the outline
 * crosses itself, exactly after one rounding of the coordinates, see Kernels/PolygonPrism.h.
 *
 * Depth: SliceCutMode limits the cut to one side of a plane, or both: the plane through the mean of
 * the points, perpendicular to the direction of sight (the third row of the matrix, for a camera
 * the fourth, which is where it looks). Voxels beyond the limit stay as they are, also with the
 * Outside operations.
 *
 * Differences from Slicer: the circle is round (Slicer: a polygon of 36 corners); outlines may
 * cross themselves; a symmetric cut leaves what is beyond its depth alone with the Outside
 * operations too (Slicer: one-sided cuts only); and the mode works for cameras. Slicer's
 * ApplyToAllVisibleSegments is one operation for each segment here.
 *
 * Local: costs what it touches; in the editor, blocks that are all inside or outside are not looked
 * at. Threads: yes. Ranks: exact, nothing is exchanged. Scratch memory: 1 byte per touched voxel.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); too few points; a matrix that is not
 * finite or cannot be inverted; a point behind the camera; a depth out of range.
 *
 * @sa vtkLabelMapDraw
 */
#ifndef vtkLabelMapScissors_h
#define vtkLabelMapScissors_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapScissors : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapScissors* New();
  vtkTypeMacro(vtkLabelMapScissors, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Operation; names and order are Slicer's.
  enum OperationType
  {
    ERASE_INSIDE = 0,
    ERASE_OUTSIDE = 1,
    FILL_INSIDE = 2,
    FILL_OUTSIDE = 3
  };

  /// Values of Shape.
  enum ShapeType
  {
    FREE_FORM = 0,
    CIRCLE = 1,
    RECTANGLE = 2
  };

  /// Values of SliceCutMode.
  enum SliceCutModes
  {
    UNLIMITED = 0,
    POSITIVE = 1,
    NEGATIVE = 2,
    SYMMETRIC = 3
  };

  ///@{
  /// What is done, and where. Default ERASE_INSIDE.
  vtkSetMacro(Operation, int);
  vtkGetMacro(Operation, int);
  ///@}

  ///@{
  /// What the points mean. Default FREE_FORM.
  vtkSetMacro(Shape, int);
  vtkGetMacro(Shape, int);
  ///@}

  ///@{
  /// Whether the first point is the centre of the circle or rectangle. Default off.
  vtkSetMacro(ShapeDrawCentered, bool);
  vtkGetMacro(ShapeDrawCentered, bool);
  vtkBooleanMacro(ShapeDrawCentered, bool);
  ///@}

  ///@{
  /// How deep the cut goes: through everything (UNLIMITED, default), or from half a slice before
  /// the plane of the points on, in the direction of sight (POSITIVE) or against it (NEGATIVE), or
  /// to both sides (SYMMETRIC).
  vtkSetMacro(SliceCutMode, int);
  vtkGetMacro(SliceCutMode, int);
  ///@}

  ///@{
  /// Depth of a SYMMETRIC cut in millimetres, half of it to each side; one slice at least. 0 to
  /// 1e6, default 0.
  vtkSetMacro(SliceCutDepthMm, double);
  vtkGetMacro(SliceCutDepthMm, double);
  ///@}

  ///@{
  /// From world coordinates to those of the view: 4 x 4 numbers, row by row. Default: the identity,
  /// a view along z.
  vtkSetVectorMacro(ViewMatrix, double, 16);
  vtkGetVectorMacro(ViewMatrix, double, 16);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapScissors() = default;
  ~vtkLabelMapScissors() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapScissors(const vtkLabelMapScissors&) = delete;
  void operator=(const vtkLabelMapScissors&) = delete;

  std::vector<double> PointsInView() const;

  int Operation = ERASE_INSIDE;
  int Shape = FREE_FORM;
  bool ShapeDrawCentered = false;
  int SliceCutMode = UNLIMITED;
  double SliceCutDepthMm = 0.0;
  double ViewMatrix[16] = { 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0,
    0.0, 1.0 };
};

#endif
