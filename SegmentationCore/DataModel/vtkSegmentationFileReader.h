// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationFileReader
 * @brief read a segmentation from a file that Slicer or vtkSegmentationFileWriter wrote
 *
 * By the ending of the name (upper or lower case):
 *
 * - `.vtm` (`.seg.vtm`): one block per segment, all surfaces or all images. The source
 *   representation is the one that the file names: closed surface, planar contour or, from our
 *   writer only, fractional labelmap. Missing IDs, names and colours get defaults, with a warning.
 * - any other: volumes, that is `.nrrd`, `.nhdr` (`.seg.nrrd`, `.seg.nhdr`), `.nii`, `.nii.gz`,
 *   `.hdr`, recognised by their content and read by vtkLabelMapNrrdReader. The source
 *   representation becomes binary labelmap. Of a volume without segments every value above 0
 *   becomes one.
 *
 * The world is RAS millimetres: volumes are converted, surfaces are taken as they are.
 *
 * Layers are kept as they are in the file; a layer's image covers what is labelled in it, and no
 * more. Indices are those of the reference image. Representations that the file lists beside the
 * source are made again; the rules for it must be registered, otherwise a warning says which is
 * missing.
 *
 * Read() replaces the segments, the source representation and the conversion parameters that the
 * file has. If it fails, it returns false with an error that names the file and the culprit, and
 * the segmentation is as before.
 *
 * Not collective: every process reads the whole file.
 *
 * @sa vtkSegmentationFileWriter vtkLabelMapNrrdReader
 */
#ifndef vtkSegmentationFileReader_h
#define vtkSegmentationFileReader_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <string> // for std::string

class vtkSegmentation;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationFileReader : public vtkObject
{
public:
  static vtkSegmentationFileReader* New();
  vtkTypeMacro(vtkSegmentationFileReader, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Path of the file, UTF-8.
  vtkSetStdStringFromCharMacro(FileName);
  vtkGetCharFromStdStringMacro(FileName);
  ///@}

  /// Read the file into a segmentation; see the class comment.
  bool Read(vtkSegmentation* segmentation);

  /// Why the last Read failed; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkSegmentationFileReader();
  ~vtkSegmentationFileReader() override;

  std::string FileName;
  std::string LastError;

private:
  vtkSegmentationFileReader(const vtkSegmentationFileReader&) = delete;
  void operator=(const vtkSegmentationFileReader&) = delete;

  void ReadVolume(vtkSegmentation* segmentation);
  void ReadBlocks(vtkSegmentation* segmentation);
  void MakeRepresentations(vtkSegmentation* segmentation, const std::string& names);
};

#endif
