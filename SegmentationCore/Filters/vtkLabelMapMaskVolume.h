// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapMaskVolume
 * @brief Replaces the values of a volume inside or outside of a segment, or both.
 *
 * Input 0: a label map (point scalars of any scalar type but bits, one component; active scalars
 * unless chosen otherwise). Input 1: the volume, of any scalar type, on the same lattice. It may
 * reach farther than the label map; what the label map does not cover is outside of the segment.
 *
 * Output: the volume's geometry, other arrays and field data, and in place of its array one of the
 * same name and type with the values masked.
 *
 * Values to fill with must fit the volume's type, and are rounded to whole numbers for integers
 * (ties to even).
 *
 * Soft edge: with SoftEdgeMm > 0 the mask is blurred by a Gaussian to m, 0 to 1, and the result is
 * a m + b (1 - m), where a and b are what a hard edge gives inside and outside of the segment.
 * Integers are rounded to the nearest, ties to even, and no result leaves the interval of a and b;
 * where m is exactly 0 or 1 it is b or a, bit for bit. The Gaussian is round in millimetres, cut at
 * 3 deviations as in Slicer, clipped at the border of the volume and scaled to sum 1 there.
 *
 * Error of the soft edge: weights are integers, so that m is within 5e-4 of that of exact weights
 * for the worst mask at a deviation of 3 voxels (4e-3 at 30), within 5e-5 for real ones. Blending
 * is in double, to which 64-bit integers beyond 2^53 are rounded.
 *
 * Threads: yes. Ranks: exact; each rank must hold the same part of both. Halo: none, or with a soft
 * edge 3 deviations of the mask, as bits. Cost: one read of both, one write; a soft edge costs
 * about 20 operations per eight voxels and voxel of the deviation. Scratch memory: none, or 1/8
 * byte per voxel with its halo.
 *
 * Errors: a value that does not fit; a volume with other voxels; a soft edge of more than 170
 * voxels along an axis: 3 mm are not meant for voxels of micrometres. They are agreed on by all
 * ranks: each gives an empty output and the same text in LastError.
 *
 * Differs from Slicer's Mask volume on purpose: no copies of the whole volume as double; and of the
 * soft edge: m is not stretched to reach 0 and 1 somewhere (Slicer divides by its range, which is 0
 * for an empty or full segment, and makes thin segments opaque), FILL_INSIDE_AND_OUTSIDE writes the
 * inside value inside (Slicer swaps the two), integers are rounded (Slicer truncates), and m has 45
 * bits (Slicer: 8, rounded down after every pass). A volume on other voxels is refused, where
 * Slicer takes the nearest voxel without a word: resample the segment, see
 * vtkOrientedImageDataResample.
 *
 * Source: P. Getreuer, A survey of Gaussian convolution algorithms, Image Processing On Line 3,
 * 2013, doi:10.5201/ipol.2013.87.
 *
 * @sa vtkLabelMapGaussian vtkLabelMapSplitVolume
 */
#ifndef vtkLabelMapMaskVolume_h
#define vtkLabelMapMaskVolume_h

#include "vtkDistributedImageAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapMaskVolume : public vtkDistributedImageAlgorithm
{
public:
  static vtkLabelMapMaskVolume* New();
  vtkTypeMacro(vtkLabelMapMaskVolume, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Operation; the names are Slicer's.
  enum Operations
  {
    FILL_INSIDE = 0,
    FILL_OUTSIDE = 1,
    FILL_INSIDE_AND_OUTSIDE = 2
  };

  /// The volume.
  void SetVolumeConnection(vtkAlgorithmOutput* output) { this->SetInputConnection(1, output); }

  ///@{
  /// Voxel value of the segment in the label map, at least 1. Default 1.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// Which values are replaced: those in the segment, those outside of it (FILL_OUTSIDE, the
  /// default), or both, which makes a mask of it.
  vtkSetMacro(Operation, int);
  vtkGetMacro(Operation, int);
  ///@}

  ///@{
  /// What FILL_INSIDE and FILL_OUTSIDE write, in the unit of the volume. Default 0.
  vtkSetMacro(FillValue, double);
  vtkGetMacro(FillValue, double);
  ///@}

  ///@{
  /// What FILL_INSIDE_AND_OUTSIDE writes in the segment. Default 1.
  vtkSetMacro(BinaryMaskFillValueInside, double);
  vtkGetMacro(BinaryMaskFillValueInside, double);
  ///@}

  ///@{
  /// What FILL_INSIDE_AND_OUTSIDE writes outside of it. Default 0.
  vtkSetMacro(BinaryMaskFillValueOutside, double);
  vtkGetMacro(BinaryMaskFillValueOutside, double);
  ///@}

  ///@{
  /// Standard deviation of the Gaussian that makes the edge soft, in millimetres, 0 to 1e6; 0 is a
  /// hard edge, and less than a third of a voxel is one along that axis. Default 0.
  vtkSetMacro(SoftEdgeMm, double);
  vtkGetMacro(SoftEdgeMm, double);
  ///@}

protected:
  vtkLabelMapMaskVolume();
  ~vtkLabelMapMaskVolume() override = default;

  int RequestInformation(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapMaskVolume(const vtkLabelMapMaskVolume&) = delete;
  void operator=(const vtkLabelMapMaskVolume&) = delete;

  std::string CheckParameters() const;

  vtkTypeInt64 SegmentLabel = 1;
  int Operation = FILL_OUTSIDE;
  double FillValue = 0.0;
  double BinaryMaskFillValueInside = 1.0;
  double BinaryMaskFillValueOutside = 0.0;
  double SoftEdgeMm = 0.0;
};

#endif
