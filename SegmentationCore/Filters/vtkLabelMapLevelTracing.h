// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapLevelTracing
 * @brief Adds to a segment what the outline of equal intensity through a point encloses in a slice.
 *
 * Input: a volume, see vtkLabelMapAlgorithm. Output: array "Labels" of the smallest unsigned
 * integer type that holds SegmentLabel: SegmentLabel on and inside of the outline, else 0. In the
 * editor the outline joins the segment.
 *
 * Each point is a seed: the voxel nearest to it (halves up). The slice is the plane of the image
 * (IJ, IK or JK) through the seed whose normal is nearest to SliceNormal, the first one of equals.
 * The level is the value of the seed; values at or above it are 8-connected. If a neighbour of the
 * seed in the slice is below the level (one along the axes, else a diagonal one), the outline that
 * separates them is filled, with the pixels on it; see Kernels/LevelOutline.h. Otherwise, or if the
 * seed is outside the volume, the point adds nothing.
 *
 * Levels are compared in the type of the volume, exactly. NaN is below all levels. In the editor a
 * volume with other voxels than the label map is interpolated to the slice, linearly.
 *
 * Differences from Slicer: the level is not cut to an integer, so that volumes of floating type
 * with a small range have outlines too; the slice is the nearest one where the view is not aligned
 * (Slicer: nothing happens); the outline is filled in voxels, not in pixels of the screen; and it
 * is complete where the seed is passed more than once (Slicer stops at the first time).
 *
 * Local: costs one slice. Threads: one. Ranks: each compares its part of the slice, one finds the
 * outline, and all get it: 2 bytes per voxel of the slice; exact. Scratch memory: 3 bytes per voxel
 * of the slice, and 16 for each of the longest front of the search.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); a normal without length.
 *
 * @sa vtkLabelMapDraw vtkLabelMapThreshold
 */
#ifndef vtkLabelMapLevelTracing_h
#define vtkLabelMapLevelTracing_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapLevelTracing : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapLevelTracing* New();
  vtkTypeMacro(vtkLabelMapLevelTracing, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Normal of the slice in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(SliceNormal, double);
  vtkGetVector3Macro(SliceNormal, double);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapLevelTracing() = default;
  ~vtkLabelMapLevelTracing() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapLevelTracing(const vtkLabelMapLevelTracing&) = delete;
  void operator=(const vtkLabelMapLevelTracing&) = delete;

  double SliceNormal[3] = { 0.0, 0.0, 1.0 };
};

#endif
