// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationFileWriter
 * @brief write a segmentation to a file that Slicer and vtkSegmentationFileReader open
 *
 * Only the source representation is written, with names, colours, tags, conversion parameters and
 * the names of the other representations, so that these can be made again. By the source:
 *
 * - binary labelmap: `.nrrd` or `.nhdr`, `.seg.nrrd` by convention; see vtkLabelMapNrrdWriter.
 * Layers and label values stay as they are. Layers on different lattices are resampled (nearest
 * voxel) to the common geometry, in copies.
 * - closed surface, planar contour: `.vtm`, `.seg.vtm` by convention: that file and a folder beside
 *   it, `<name without .vtm>/`, with a `.vtp` per segment. Coordinates are written as they are.
 *   There are no label values.
 * - fractional labelmap: the same with a `.vti` per segment, each on its own lattice, with its
 *   field data (ScalarRange, ThresholdValue, InterpolationType). Slicer has no files for these and
 *   reads no segment from them.
 *
 * The segmentation is not changed in any way, and its observers hear nothing.
 *
 * Files are written aside, flushed, and renamed: if anything fails, what was there before stays.
 * (The `.vtm` and its folder are two renames. The folder comes first; if the second rename fails,
 * it is put back.) Errors: Write() returns false, with an error that names the culprit.
 *
 * Not collective: for a segmentation in one process.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: saving does not merge the
 * layers of the segmentation, and a fractional labelmap can be saved.
 *
 * @sa vtkSegmentationFileReader vtkLabelMapNrrdWriter
 */
#ifndef vtkSegmentationFileWriter_h
#define vtkSegmentationFileWriter_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <string> // for std::string

class vtkSegmentation;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationFileWriter : public vtkObject
{
public:
  static vtkSegmentationFileWriter* New();
  vtkTypeMacro(vtkSegmentationFileWriter, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Path of the file, UTF-8. Its ending must fit the source representation; see the class comment.
  vtkSetStdStringFromCharMacro(FileName);
  vtkGetCharFromStdStringMacro(FileName);
  ///@}

  ///@{
  /// Whether voxels and points are compressed. Default on.
  vtkSetMacro(UseCompression, bool);
  vtkGetMacro(UseCompression, bool);
  vtkBooleanMacro(UseCompression, bool);
  ///@}

  ///@{
  /// Whether of binary labelmaps only the box that holds all labelled voxels is stored, instead of
  /// the union of layers and reference geometry. Default off.
  vtkSetMacro(CropToMinimumExtent, bool);
  vtkGetMacro(CropToMinimumExtent, bool);
  vtkBooleanMacro(CropToMinimumExtent, bool);
  ///@}

  /// Write the segmentation; see the class comment.
  bool Write(vtkSegmentation* segmentation);

  /// The ending by convention for a segmentation's source representation, such as "seg.nrrd"; empty
  /// for null and for a source that cannot be written.
  static std::string GetDefaultExtension(vtkSegmentation* segmentation);

  /// Why the last Write failed; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkSegmentationFileWriter();
  ~vtkSegmentationFileWriter() override;

  std::string FileName;
  std::string LastError;
  bool UseCompression = true;
  bool CropToMinimumExtent = false;

private:
  vtkSegmentationFileWriter(const vtkSegmentationFileWriter&) = delete;
  void operator=(const vtkSegmentationFileWriter&) = delete;

  void WriteVolume(vtkSegmentation* segmentation);
  void WriteBlocks(vtkSegmentation* segmentation);
};

#endif
