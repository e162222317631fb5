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
 * Threads: yes. Ranks: no communication but for errors; each rank must hold the same part of both.
 * Halo: none. Cost: one read of both, one write. Scratch memory: none.
 *
 * Errors: a value that does not fit; a volume with other voxels. They are agreed on by all ranks:
 * each gives an empty output and the same text in LastError.
 *
 * Differs from Slicer's Mask volume: no copies of the whole volume as double, and no soft edge yet.
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
};

#endif
