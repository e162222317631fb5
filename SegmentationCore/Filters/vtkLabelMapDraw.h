// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapDraw
 * @brief Adds to a segment what lies inside a closed outline that was drawn on a plane.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels inside become SegmentLabel,
 * whatever they were; all others stay.
 *
 * Geometry: the points are the corners of a polygon, which is closed from the last to the first
 * one. Its plane may have any orientation: NormalFromPoints finds it from the points, else it is
 * SliceNormal; it goes through the mean of the points. A voxel is inside if its centre is in the
 * slab of SliceThickness around the plane, and inside the polygon when both are projected along
 * the normal. The slab is half-open, so that slices that follow each other share no voxel, and so
 * are the edges of the polygon: polygons that share an edge neither both claim nor both miss a
 * voxel on it. The even-odd rule decides where the outline crosses itself. Decisions are exact
 * after one rounding of the coordinates; see Kernels/PolygonPrism.h.
 *
 * Plane from the points: the normal is that of the area vector (Newell's method), and for outlines
 * without one, such as a figure of eight, that of the plane of the points that spread most.
 * Points on one line have no inside, and nothing is drawn.
 *
 * Differences from Slicer: Slicer fills the outline in the pixels of the screen, so that the result
 * depends on the zoom, and resamples it to the voxels, which leaves holes on oblique planes. Here
 * neither happens. Voxels right on the outline belong to the inside of one of two neighbours.
 *
 * Local: costs what it touches. Threads: yes. Ranks: exact, nothing is exchanged. Scratch memory: 1
 * byte per touched voxel.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); a thickness out of range, a normal
 * without length.
 *
 * @sa vtkLabelMapScissors vtkLabelMapPaint
 */
#ifndef vtkLabelMapDraw_h
#define vtkLabelMapDraw_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapDraw : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapDraw* New();
  vtkTypeMacro(vtkLabelMapDraw, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Find the plane from the points (default), or take SliceNormal.
  vtkSetMacro(NormalFromPoints, bool);
  vtkGetMacro(NormalFromPoints, bool);
  vtkBooleanMacro(NormalFromPoints, bool);
  ///@}

  ///@{
  /// Normal of the plane in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(SliceNormal, double);
  vtkGetVector3Macro(SliceNormal, double);
  ///@}

  ///@{
  /// Thickness of the slab along the normal in millimetres, 0 to 1e6. 0, the default, is one slice:
  /// the least that leaves no holes, which is the spacing where the plane is one of the image.
  vtkSetMacro(SliceThickness, double);
  vtkGetMacro(SliceThickness, double);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapDraw() = default;
  ~vtkLabelMapDraw() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapDraw(const vtkLabelMapDraw&) = delete;
  void operator=(const vtkLabelMapDraw&) = delete;

  bool NormalFromPoints = true;
  double SliceNormal[3] = { 0.0, 0.0, 1.0 };
  double SliceThickness = 0.0;
};

#endif
