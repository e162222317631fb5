// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapMedian
 * @brief Smooths a segment by the majority of the voxels in a box around each voxel.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were.
 *
 * The box has an odd number of voxels on each axis: 2 round((KernelSizeMm / spacing + 1) / 2) - 1,
 * at least 1, halves rounded to even, as in Slicer. It is aligned with the image's axes, so
 * KernelSizeMm is measured along them for oblique images too. At the border of the image the box is
 * cut; a tie, which only a cut box can have, gives background. Removes details narrower than half
 * the box.
 *
 * Threads: yes. Ranks: exact, halo (box - 1) / 2 voxels. Cost: proportional to the number of
 * voxels, and hardly growing with the kernel. Scratch memory: below 1 byte per voxel.
 *
 * Errors: a kernel below 0, or of more than 513 voxels: the default is not meant for voxels of
 * micrometres.
 *
 * Source: T. S. Huang, G. J. Yang, G. Y. Tang, A fast two-dimensional median filtering algorithm,
 * IEEE Trans. ASSP 27(1), 1979, doi:10.1109/TASSP.1979.1163188; for a binary mask running sums
 * suffice, of 64 voxels at once: L. Lamport, Multiple byte processing with full-word instructions,
 * Comm. ACM 18(8), 1975, doi:10.1145/360933.360994.
 *
 * @sa vtkLabelMapMargin vtkLabelMapIslands
 */
#ifndef vtkLabelMapMedian_h
#define vtkLabelMapMedian_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapMedian : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapMedian* New();
  vtkTypeMacro(vtkLabelMapMedian, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Width of the box in millimetres, 0 to 1e6; below one and a half voxels nothing changes on that
  /// axis. Default 3.
  vtkSetMacro(KernelSizeMm, double);
  vtkGetMacro(KernelSizeMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapMedian() = default;
  ~vtkLabelMapMedian() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapMedian(const vtkLabelMapMedian&) = delete;
  void operator=(const vtkLabelMapMedian&) = delete;

  double KernelSizeMm = 3.0;
};

#endif
