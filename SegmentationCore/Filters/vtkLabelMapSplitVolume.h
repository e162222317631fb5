// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSplitVolume
 * @brief The volume around a segment: cropped to its box, with one value outside of it.
 *
 * Input 0: a label map (point scalars of any scalar type but bits, one component; active scalars
 * unless chosen otherwise). Input 1: the volume, of any scalar type, on the same lattice; either
 * may reach farther than the other.
 *
 * Output: an array of the volume's name and type on the box of the segment, grown by PaddingVoxels
 * on all sides: the volume's values in the segment, FillValue outside of it and beyond the volume.
 * The output has the lattice of the label map, indices and all, so that every voxel stays where it
 * is in the world; its extent may be negative. No other arrays; the field data are the volume's.
 *
 * The extent must be known before anybody can ask for a part of it, and depends on the voxels: when
 * information is asked for, the label map is brought up to date (this rank's piece of it), and all
 * ranks take part. What a rank gets is the part of the crop that the pipeline asks of it, which
 * need not lie on the rank that holds the voxels: the pieces tile the crop as those of any image
 * do. Of a label map that changes with time it is the box of the time that is there.
 *
 * FillValue must fit the volume's type, and is rounded to a whole number for integers (ties to
 * even).
 *
 * Threads: yes. Ranks: exact; six numbers for the box, then each rank's part of the crop, bits and
 * values. Halo: none. Cost: the slices of the label map around the segment once, two reads and one
 * write of the crop. Scratch memory: 1/8 byte per voxel of the crop; nothing of the size of the
 * volume.
 *
 * Errors: a segment without voxels; a value that does not fit; a volume with other voxels. They are
 * agreed on by all ranks: each gives an empty output and the same text in LastError.
 *
 * Differs from Slicer's Split volume: one segment per execution, no copy of the whole volume for
 * each of them, extents that do not begin at 0, and no volume on other voxels (see
 * vtkLabelMapMaskVolume).
 *
 * @sa vtkLabelMapMaskVolume
 */
#ifndef vtkLabelMapSplitVolume_h
#define vtkLabelMapSplitVolume_h

#include "vtkDistributedImageAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSplitVolume : public vtkDistributedImageAlgorithm
{
public:
  static vtkLabelMapSplitVolume* New();
  vtkTypeMacro(vtkLabelMapSplitVolume, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// The volume.
  void SetVolumeConnection(vtkAlgorithmOutput* output) { this->SetInputConnection(1, output); }

  ///@{
  /// Voxel value of the segment in the label map, at least 1. Default 1.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// How many voxels the box reaches beyond the segment on each side, 0 to 1000. Default 5.
  vtkSetMacro(PaddingVoxels, int);
  vtkGetMacro(PaddingVoxels, int);
  ///@}

  ///@{
  /// Value outside of the segment, in the unit of the volume. Default 0.
  vtkSetMacro(FillValue, double);
  vtkGetMacro(FillValue, double);
  ///@}

protected:
  vtkLabelMapSplitVolume();
  ~vtkLabelMapSplitVolume() override = default;

  int RequestInformation(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapSplitVolume(const vtkLabelMapSplitVolume&) = delete;
  void operator=(const vtkLabelMapSplitVolume&) = delete;

  std::string CheckParameters() const;

  vtkTypeInt64 SegmentLabel = 1;
  int PaddingVoxels = 5;
  double FillValue = 0.0;
  std::string InformationError; // the same on all ranks
};

#endif
