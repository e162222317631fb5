// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapMargin
 * @brief Grows or shrinks a segment by a distance in millimetres.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were.
 *
 * Growing by m > 0 keeps every voxel whose centre is at most m from the centre of a voxel of the
 * segment. Shrinking (m < 0) keeps every voxel of the segment whose centre is farther than |m| from
 * the centre of every voxel outside it. Distances are Euclidean, from the spacing; axes are
 * perpendicular, so direction cosines do not enter. What lies beyond the image's border does not
 * count, so shrinking does not start there. A segment that fills the image stays as it is (Slicer
 * clears it when growing), an empty one too.
 *
 * "At most m" is decided on the squares, with a relative tolerance of 1e-12, so that a margin of
 * 0.3 reaches the third voxel at a spacing of 0.1 (Slicer compares in single precision).
 *
 * Threads: yes. Ranks: exact, halo floor(|m| / spacing) voxels, of any width. Cost: proportional to
 * the number of voxels. Scratch memory: below 1 byte per voxel for margins of up to some 30 voxels,
 * 2 for larger ones.
 *
 * Errors: a margin that is not a number or beyond 1e6 mm, or of more than 256 voxels: the default
 * is not meant for voxels of micrometres.
 *
 * Sources: T. Hirata, A unified linear-time algorithm for computing distance maps, Inf. Process.
 * Lett. 58(3), 1996, doi:10.1016/0020-0190(96)00049-X; P. F. Felzenszwalb, D. P. Huttenlocher,
 * Distance transforms of sampled functions, Theory of Computing 8, 2012,
 * doi:10.4086/toc.2012.v008a019.
 *
 * @sa vtkLabelMapMedian vtkLabelMapIslands
 */
#ifndef vtkLabelMapMargin_h
#define vtkLabelMapMargin_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapMargin : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapMargin* New();
  vtkTypeMacro(vtkLabelMapMargin, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Distance in millimetres, -1e6 to 1e6: positive grows, negative shrinks, 0 changes nothing.
  /// Default 3.
  vtkSetMacro(MarginSizeMm, double);
  vtkGetMacro(MarginSizeMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapMargin() = default;
  ~vtkLabelMapMargin() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapMargin(const vtkLabelMapMargin&) = delete;
  void operator=(const vtkLabelMapMargin&) = delete;

  double MarginSizeMm = 3.0;
};

#endif
