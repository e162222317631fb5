// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapNrrdWriter
 * @brief write a label map with its segments to a .seg.nrrd file that Slicer reads
 *
 * Input: a label map: integer point arrays "Labels" (or else the active scalars), "Labels_1", ...
 * of one component, and the segments in the field data (see vtkLabelSegmentTable). Ranks without
 * voxels need neither. Several layers become the first axis of the file, of the smallest integer
 * type that holds those of all layers; 64-bit labels are written with 32 bits if they fit, as
 * Slicer has no larger ones. Voxels whose label no segment has are written, too, with a warning.
 * Nothing of the input is changed: no layers are merged, no labels renumbered.
 *
 * File: the keys of Slicer 5 (LabelMapKeys.h lists them). The reference image is the input's
 * lattice and whole extent. SegmentN_Extent is the segment's own extent in the stored buffer, "0 -1
 * 0 -1 0 -1" for a segment without voxels. `Segmentation_ConversionParameters` and
 * `Segmentation_ContainedRepresentationNames` of the field data, as left there by
 * vtkLabelMapNrrdReader, are kept; the reference image is set anew, unless
 * KeepReferenceGeometry is on.
 *
 * Geometry, ranks, errors: see vtkVolumeFileWriter. Cost: one pass over the voxels for the extents
 * and one for writing.
 *
 * @sa vtkLabelMapNrrdReader, vtkLabelSegmentTable
 */
#ifndef vtkLabelMapNrrdWriter_h
#define vtkLabelMapNrrdWriter_h

#include "vtkVolumeFileWriter.h"

class SEGMENTATIONCOREIO_EXPORT vtkLabelMapNrrdWriter : public vtkVolumeFileWriter
{
public:
  static vtkLabelMapNrrdWriter* New();
  vtkTypeMacro(vtkLabelMapNrrdWriter, vtkVolumeFileWriter);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Whether only the box that holds all labelled voxels is stored (never a single voxel if the
  /// image has more: Slicer takes that for "nothing"). The reference extent is in the file in any
  /// case. Default off.
  vtkSetMacro(CropToMinimumExtent, bool);
  vtkGetMacro(CropToMinimumExtent, bool);
  vtkBooleanMacro(CropToMinimumExtent, bool);
  ///@}

  ///@{
  /// Whether a reference geometry that the field data has (in
  /// `Segmentation_ConversionParameters`) stays in the file as it is, digit by digit, although it
  /// may be another lattice or extent than what is stored. Off (default), the input's lattice and
  /// whole extent are the reference.
  vtkSetMacro(KeepReferenceGeometry, bool);
  vtkGetMacro(KeepReferenceGeometry, bool);
  vtkBooleanMacro(KeepReferenceGeometry, bool);
  ///@}

protected:
  vtkLabelMapNrrdWriter() = default;
  ~vtkLabelMapNrrdWriter() override = default;

  void WriteImage(
    const segcore::Communicator& communicator, vtkImageData* image, vtkDataArray* scalars) override;

  bool CropToMinimumExtent = false;
  bool KeepReferenceGeometry = false;

private:
  vtkLabelMapNrrdWriter(const vtkLabelMapNrrdWriter&) = delete;
  void operator=(const vtkLabelMapNrrdWriter&) = delete;
};

#endif
