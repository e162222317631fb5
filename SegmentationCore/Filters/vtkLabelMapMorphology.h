// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapMorphology
 * @brief What opening and closing have in common: an ellipsoid of voxels.
 *
 * The ellipsoid has an odd number of voxels k on each axis: 2 round((KernelSizeMm / spacing + 1) /
 * 2)
 * - 1, at least 1, halves rounded to even, as in Slicer. A voxel (i, j, l) away is inside iff the
 * sum of (2 i / k)^2 over the axes is at most 1: 19 voxels for k = 3, 81 for 5, 179 for 7. It is
 * aligned with the image's axes, so KernelSizeMm is measured along them for oblique images too.
 * What lies beyond the border of the image does not count: it neither fills nor eats.
 *
 * Threads: yes. Ranks: exact, halo k - 1 voxels on each axis. Cost: (rows of the ellipsoid) / 32
 * word operations per voxel for small ones, independent of the size for large ones. Scratch memory:
 * below 1 byte per voxel; 2 for a k above 60.
 *
 * Errors: a kernel below 0; more than 255 voxels on an axis: 3 mm are not meant for voxels of
 * micrometres.
 *
 * Sources: R. van den Boomgaard, R. van Balen, Methods for fast morphological image transforms
 * using bitmapped binary images, CVGIP 54(3), 1992, doi:10.1016/1049-9652(92)90055-3.
 *
 * @sa vtkLabelMapOpening vtkLabelMapClosing vtkLabelMapMedian vtkLabelMapGaussian
 */
#ifndef vtkLabelMapMorphology_h
#define vtkLabelMapMorphology_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapMorphology : public vtkLabelMapAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapMorphology, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Diameter of the ellipsoid in millimetres, 0 to 1e6; below two voxels nothing changes on that
  /// axis. Default 3.
  vtkSetMacro(KernelSizeMm, double);
  vtkGetMacro(KernelSizeMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapMorphology() = default;
  ~vtkLabelMapMorphology() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

  /// Whether to grow first and shrink then (closing), or the other way round (opening).
  virtual bool GrowsFirst() const = 0;

private:
  vtkLabelMapMorphology(const vtkLabelMapMorphology&) = delete;
  void operator=(const vtkLabelMapMorphology&) = delete;

  double KernelSizeMm = 3.0;
};

#endif
