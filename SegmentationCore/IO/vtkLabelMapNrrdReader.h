// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapNrrdReader
 * @brief read a segmentation: .seg.nrrd as written by Slicer or by vtkLabelMapNrrdWriter, or a
 * plain label volume
 *
 * Output: a label map. One integer point array per layer, "Labels" (active scalars), "Labels_1",
 * ..., of the file's integer type (32-bit integers if the file holds fractions, which are cut off),
 * 0 where there is no segment; and a vtkLabelSegmentTable in the field data. What the file says
 * about conversions is kept there, too, as one string each, for the writer:
 * `Segmentation_ConversionParameters`, `Segmentation_ContainedRepresentationNames`.
 *
 * Extent: that of the reference image, if the file names one on the same lattice, united with what
 * is stored; voxels that are not stored are 0. Then indices are those of the reference image, and
 * its matrix is taken digit by digit. Otherwise (another lattice, none, PadToReferenceExtent off)
 * the stored extent, which may begin at indices other than 0.
 *
 * Plain volumes (NRRD or NIfTI without segment keys): every value above 0 of every component
 * becomes a segment, ID and name `Segment_<value>` (with `_<n>` if taken), with a colour of its own
 * and both auto-generated flags. Values below 0 count as background, with a warning. A file with
 * more than 100000 values is refused: it is no label map. If only a part is asked for, the values
 * are found by an extra pass over the file, so that all ranks have the same table.
 *
 * Segment status: Slicer's tag `Segmentation.Status` becomes the table's Status and back.
 *
 * Geometry, formats, ranks, errors, cost: as vtkVolumeFileReader and vtkRASVolumeReader. A broken
 * key (a colour that is not three numbers, a layer that the file does not have, two segments with
 * one label value in one layer) is an error that names the key.
 *
 * @sa vtkLabelMapNrrdWriter, vtkLabelSegmentTable
 */
#ifndef vtkLabelMapNrrdReader_h
#define vtkLabelMapNrrdReader_h

#include "vtkVolumeFileReader.h"

#include <memory> // for std::unique_ptr

class SEGMENTATIONCOREIO_EXPORT vtkLabelMapNrrdReader : public vtkVolumeFileReader
{
public:
  static vtkLabelMapNrrdReader* New();
  vtkTypeMacro(vtkLabelMapNrrdReader, vtkVolumeFileReader);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  int CanReadFile(VTK_FILEPATH const char* path) override;

  ///@{
  /// Whether the output covers the reference image, with 0 where nothing is stored. Default on.
  vtkSetMacro(PadToReferenceExtent, bool);
  vtkGetMacro(PadToReferenceExtent, bool);
  vtkBooleanMacro(PadToReferenceExtent, bool);
  ///@}

  ///@{
  /// A reference extent of more voxels than this, and more than eight times what is stored, is not
  /// padded to, with a warning: a header can say anything. At least 1. Default 2^32.
  vtkSetClampMacro(MaximumNumberOfPaddedVoxels, vtkTypeInt64, 1, VTK_TYPE_INT64_MAX);
  vtkGetMacro(MaximumNumberOfPaddedVoxels, vtkTypeInt64);
  ///@}

protected:
  vtkLabelMapNrrdReader();
  ~vtkLabelMapNrrdReader() override;

  void ReadInformation(vtkInformation* outInfo) override;
  void ReadPart(const int extent[6], vtkImageData* output) override;

  bool PadToReferenceExtent = true;
  vtkTypeInt64 MaximumNumberOfPaddedVoxels = vtkTypeInt64(1) << 32;

private:
  vtkLabelMapNrrdReader(const vtkLabelMapNrrdReader&) = delete;
  void operator=(const vtkLabelMapNrrdReader&) = delete;

  void ReadSegments();
  void FindReference();

  class vtkInternals;
  std::unique_ptr<vtkInternals> Internals;
};

#endif
