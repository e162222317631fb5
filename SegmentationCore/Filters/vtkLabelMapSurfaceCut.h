// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSurfaceCut
 * @brief Makes a segment of what a closed surface through points encloses, or cuts it with that.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. SET: voxels inside become SegmentLabel,
 * the segment's others become 0. ERASE: the segment's voxels inside or outside become 0. FILL:
 * voxels inside or outside become SegmentLabel, whatever they were.
 *
 * Surface: the convex hull of the points; with SmoothModel a smooth surface through its corners,
 * three times subdivided by the modified butterfly scheme, which bulges beyond the hull. See
 * Kernels/ConvexHull.h. Points inside of the hull have no influence. A voxel is inside if its
 * centre is, decided exactly; see Kernels/SurfaceRaster.h. Points that lie in one plane enclose
 * nothing: SET then empties the segment, the other operations change nothing.
 *
 * Differences from Slicer: points in one plane or on a line give a thin body there; whether voxels
 * right on the surface are inside is defined.
 *
 * Local: costs what it touches, and the surface: 64 triangles for each of the hull if it is smooth.
 * Every rank makes all of the surface, by the same exact steps. Threads: yes. Ranks: exact, nothing
 * is exchanged. Scratch memory: 1 byte per touched voxel, and about 100 bytes per triangle.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); an unknown operation.
 *
 * @sa vtkLabelMapScissors
 */
#ifndef vtkLabelMapSurfaceCut_h
#define vtkLabelMapSurfaceCut_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSurfaceCut : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapSurfaceCut* New();
  vtkTypeMacro(vtkLabelMapSurfaceCut, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Operation; the names are Slicer's.
  enum OperationType
  {
    SET = 0,
    ERASE_INSIDE = 1,
    ERASE_OUTSIDE = 2,
    FILL_INSIDE = 3,
    FILL_OUTSIDE = 4
  };

  ///@{
  /// What is done, and where. Default SET.
  vtkSetMacro(Operation, int);
  vtkGetMacro(Operation, int);
  ///@}

  ///@{
  /// Whether the surface is smooth (default), or has the flat facets of the hull.
  vtkSetMacro(SmoothModel, bool);
  vtkGetMacro(SmoothModel, bool);
  vtkBooleanMacro(SmoothModel, bool);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapSurfaceCut() = default;
  ~vtkLabelMapSurfaceCut() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapSurfaceCut(const vtkLabelMapSurfaceCut&) = delete;
  void operator=(const vtkLabelMapSurfaceCut&) = delete;

  int Operation = SET;
  bool SmoothModel = true;
};

#endif
