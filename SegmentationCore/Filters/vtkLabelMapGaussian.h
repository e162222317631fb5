// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapGaussian
 * @brief Smooths a segment: blurs it by a Gaussian and keeps what is at least one half.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were. Smooths more than the median, and
 * shrinks what is curved: a ball of radius r loses about s^2 / r of it.
 *
 * The Gaussian has the same deviation in millimetres along each axis of the image, so it is round
 * for any spacing and direction. It is cut at 4 deviations, clipped at the border of the image and
 * scaled to sum 1 there, as in Slicer.
 *
 * Error: weights are integers, and all else is exact. The result differs from that of exact weights
 * only in voxels whose value is within 5e-4 of one half for the worst mask at a deviation of 3
 * voxels (4e-3 at 30), within 5e-5 for real ones. Slicer rounds the blurred mask down to 8 bits
 * after every pass, which shrinks the segment a little, and keeps what is at least 127/255.
 *
 * Threads: yes. Ranks: exact, also for mirrored images and swapped axes; halo 4 deviations. Cost:
 * about 14 operations per eight voxels and voxel of the deviation. Scratch memory: below 1 byte per
 * voxel.
 *
 * Errors: a negative deviation; a deviation above 128 voxels: 3 mm are not meant for voxels of
 * micrometres.
 *
 * Source: P. Getreuer, A survey of Gaussian convolution algorithms, Image Processing On Line 3,
 * 2013, doi:10.5201/ipol.2013.87.
 *
 * @sa vtkLabelMapMedian vtkLabelMapOpening vtkLabelMapClosing
 */
#ifndef vtkLabelMapGaussian_h
#define vtkLabelMapGaussian_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapGaussian : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapGaussian* New();
  vtkTypeMacro(vtkLabelMapGaussian, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Standard deviation in millimetres, 0 to 1e6; below a quarter of a voxel nothing changes along
  /// that axis. Default 3.
  vtkSetMacro(GaussianStandardDeviationMm, double);
  vtkGetMacro(GaussianStandardDeviationMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapGaussian() = default;
  ~vtkLabelMapGaussian() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapGaussian(const vtkLabelMapGaussian&) = delete;
  void operator=(const vtkLabelMapGaussian&) = delete;

  double GaussianStandardDeviationMm = 3.0;
};

#endif
