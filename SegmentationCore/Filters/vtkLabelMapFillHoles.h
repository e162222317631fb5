// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapFillHoles
 * @brief Fills the cavities of a segment: what is not connected to the border of the image.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. A hole is a connected component of the
 * voxels outside the segment that does not touch the border of the image; its voxels become
 * SegmentLabel, whatever they were. None leaves the segment.
 *
 * Connectivity says which voxels outside the segment touch: through faces (6), also edges (18),
 * also corners (26). With 6 a wall of the segment that is connected through edges or corners alone
 * encloses a hole; with 26 only one that is connected through faces does.
 *
 * With SliceBySliceOn each slice is an image of its own: those slices of the voxel lattice that are
 * most nearly perpendicular to SliceNormal (of axes equally near the first one). Tubes along the
 * normal are filled as well then. Axes along which the image is one voxel long have no border: a
 * single slice is treated as a slice.
 *
 * Threads: yes. Ranks: exact; only the runs of voxels at the faces of blocks travel, or, slice by
 * slice, the mask to the ranks that share out the slices. Sizes have 64 bits. Cost: proportional to
 * the number of voxels. Scratch memory: 1/8 byte per voxel and 5 bytes
 * per run of background along x: below 3 bytes per voxel for a checkerboard, the worst case, below
 * 1 for real data. Slice by slice: 1 byte per voxel.
 *
 * Errors: a negative MaximumSize, another Connectivity, a normal without length.
 *
 * Source: run-based two-scan labelling with union-find, L. He et al., The connected-component
 * labeling problem: a review of state-of-the-art algorithms, Pattern Recognition 70, 2017,
 * doi:10.1016/j.patcog.2017.04.018.
 *
 * @sa vtkLabelMapIslands vtkLabelMapClosing vtkLabelMapWrapSolidify
 */
#ifndef vtkLabelMapFillHoles_h
#define vtkLabelMapFillHoles_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapFillHoles : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapFillHoles* New();
  vtkTypeMacro(vtkLabelMapFillHoles, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Holes of this many voxels and fewer are filled; 0 fills all. At least 0. Default 0.
  vtkSetMacro(MaximumSize, vtkTypeInt64);
  vtkGetMacro(MaximumSize, vtkTypeInt64);
  ///@}

  ///@{
  /// Which voxels outside the segment touch: 6 (faces), 18 (and edges), 26 (and corners); in a
  /// slice 18 and 26 are the same. Default 6.
  vtkSetMacro(Connectivity, int);
  vtkGetMacro(Connectivity, int);
  ///@}

  ///@{
  /// Each slice for itself. Default off.
  vtkSetMacro(SliceBySlice, bool);
  vtkGetMacro(SliceBySlice, bool);
  vtkBooleanMacro(SliceBySlice, bool);
  ///@}

  ///@{
  /// Axis across the slices in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(SliceNormal, double);
  vtkGetVector3Macro(SliceNormal, double);
  ///@}

protected:
  vtkLabelMapFillHoles() = default;
  ~vtkLabelMapFillHoles() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapFillHoles(const vtkLabelMapFillHoles&) = delete;
  void operator=(const vtkLabelMapFillHoles&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  template <class T>
  void FillVolume(segcore::EffectJob& job, const T* labels, T label, T* out);

  template <class T>
  void FillSlices(segcore::EffectJob& job, const T* labels, T label, T* out);

  vtkTypeInt64 MaximumSize = 0;
  int Connectivity = 6;
  bool SliceBySlice = false;
  double SliceNormal[3] = { 0.0, 0.0, 1.0 };
};

#endif
