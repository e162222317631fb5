// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapJointSmoothing
 * @brief Smooths all segments at once, so that they leave no gaps and do not overlap.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm; every value but 0 is a segment.
 * SegmentLabel has no meaning here. The surfaces between all labels, background included, become
 * one mesh whose points are moved by a low-pass filter; where three labels meet the line between
 * them is smoothed. Then each voxel takes the label that its centre lies in: always exactly one, as
 * labels trade places where the mesh is crossed. Low-pass filters of surfaces hardly shrink them,
 * and leave thin plates as they are; parts smaller than what is filtered away vanish.
 * Kernels/JointSmoothing.h defines it to the bit.
 *
 * The filter works in voxels, whatever the spacing, so that a factor means the same everywhere:
 * with p = 10^(-4 JointTaubinSmoothingFactor), details of a wavelength below about 6 / sqrt(p)
 * voxels go (60 at the default of 0.5, 15 at 0.2), as far as 100 steps can tell. A segment that is
 * cut off by the border of the image stays so.
 *
 * Ties: where the surface folds a voxel may lie in several labels; it keeps its own if that is one
 * of them, else it takes the lowest that is not 0.
 *
 * In the editor: works on all visible segments and needs no segment. Hidden segments count as
 * background, and are overwritten or not as the operation's masking says.
 *
 * Threads: yes. Cost: a read of the image, 100 steps over the points, and the rows.
 * Scratch memory: the image is gone through slice by slice, the steps following each other at a
 * distance of one slice (Kernels/JointSlices.h): about 65 bytes per point of the surface within
 * 110 slices, a byte per voxel of 10 slices, and 12 bytes for each row along x where it crosses a
 * surface. 100 steps look 100 voxels far, so no less of the surface can be held. That is below 4
 * bytes per voxel for the brain atlas of 116 labels (181 slices), and where a tenth of the voxels
 * are at a surface in images of 250 slices and more; for noise from 2500 slices on.
 * Ranks: exact. Ranks whose surface takes up to 4 bytes per voxel (or no more than the slices
 * would) hold all of it, 200 bytes per point; the halo is 1 voxel, and in each of the steps they
 * trade the points that two of them share. Otherwise each block is gone through by itself with a
 * halo of 101 voxels, whose points are computed more than once: half as much work again for blocks
 * of 1400 voxels along each edge.
 *
 * Differs from Slicer (Segment Editor, Smoothing, Joint smoothing): quads around voxel faces
 * instead of marching cubes, lines between three labels are kept together, what touches the border
 * of the image is not rounded off there, and labels never overlap, so that no order of segments
 * decides.
 *
 * Errors: a factor outside 0.01 to 1.
 *
 * Sources: S. Gibson, MICCAI 1998, doi:10.1007/BFb0056277; G. Taubin, T. Zhang, G. Golub, ECCV
 * 1996, doi:10.1007/BFb0015544.
 *
 * @sa vtkLabelMapSurface vtkLabelMapMedian
 */
#ifndef vtkLabelMapJointSmoothing_h
#define vtkLabelMapJointSmoothing_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapJointSmoothing : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapJointSmoothing* New();
  vtkTypeMacro(vtkLabelMapJointSmoothing, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// How smooth, 0.01 to 1: the pass band is 10^(-4 factor). Default 0.5.
  vtkSetMacro(JointTaubinSmoothingFactor, double);
  vtkGetMacro(JointTaubinSmoothingFactor, double);
  ///@}

#ifndef __VTK_WRAP__
  ///@{
  /// With several ranks: the bytes per voxel that surfaces may take to be held at once, instead of
  /// going through the image slice by slice, which does more work. The result is the same. 4 by
  /// default; below 0 never. For tests.
  void SetSurfaceBytesPerVoxel(double bytes) { this->SurfaceBytesPerVoxel = bytes; }
  double GetSurfaceBytesPerVoxel() const { return this->SurfaceBytesPerVoxel; }
  ///@}

  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
#endif

protected:
  vtkLabelMapJointSmoothing() = default;
  ~vtkLabelMapJointSmoothing() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapJointSmoothing(const vtkLabelMapJointSmoothing&) = delete;
  void operator=(const vtkLabelMapJointSmoothing&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  double JointTaubinSmoothingFactor = 0.5;
  double SurfaceBytesPerVoxel = 4.0;
};

#endif
