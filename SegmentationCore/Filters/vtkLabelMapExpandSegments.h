// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapExpandSegments
 * @brief Expands all segments at once into the background, each voxel to the nearest segment.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm; every value but 0 is a segment.
 * SegmentLabel has no meaning here. Labelled voxels keep their label. A background voxel takes the
 * label of the labelled voxel with the nearest centre if that is at most ExpansionSizeMm away; at
 * equal distance the lowest label wins, which in the editor is the segment higher in the table. So
 * segments that meet stop halfway, and never overlap. Negative values are labels like others.
 *
 * Distances are Euclidean, in millimetres, from the spacing; axes are perpendicular, so direction
 * cosines do not enter. "At most" has a relative tolerance of 1e-12 on the squares, as in
 * vtkLabelMapMargin. Effects of that name elsewhere count steps between face neighbours and give
 * ties to the voxel that was queued first, which depends on how the image is cut.
 *
 * In the editor: works on all visible segments and needs no segment. Segments that are hidden count
 * as background, and are overwritten or not as the operation's masking says.
 *
 * Threads: yes. Ranks: exact, halo ExpansionSizeMm / spacing voxels. Cost: proportional to the
 * voxels times, at most, the rows in reach along y and along z. Scratch memory: 4 bytes per voxel
 * of a block with its halo, and the labels of that halo.
 *
 * Errors: a distance that is not a number, below 0 or beyond 1e6 mm, or beyond 32,767 voxels of the
 * image.
 *
 * Differences from GeoSlicer's effect of that name: distances in millimetres, not in steps from
 * face to face; a limit, where GeoSlicer fills everything (as a large distance does here); and no
 * segment that counts as empty (its microporosity): hide it, or keep it by masking.
 *
 * Source: T. Saito, J. Toriwaki, New algorithms for Euclidean distance transformation of an
 * n-dimensional digitized picture, Pattern Recognition 27(11), 1994,
 * doi:10.1016/0031-3203(94)90133-3.
 *
 * @sa vtkLabelMapMargin
 */
#ifndef vtkLabelMapExpandSegments_h
#define vtkLabelMapExpandSegments_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapExpandSegments : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapExpandSegments* New();
  vtkTypeMacro(vtkLabelMapExpandSegments, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// How far segments expand, in millimetres between voxel centres, 0 to 1e6; below the smallest
  /// spacing nothing changes. Default 3.
  vtkSetMacro(ExpansionSizeMm, double);
  vtkGetMacro(ExpansionSizeMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapExpandSegments() = default;
  ~vtkLabelMapExpandSegments() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapExpandSegments(const vtkLabelMapExpandSegments&) = delete;
  void operator=(const vtkLabelMapExpandSegments&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  double ExpansionSizeMm = 3.0;
};

#endif
