// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkRASVolumeReader
 * @brief read a volume so that it lies where the file says: RAS millimetres, with direction matrix
 *
 * Formats, recognised by content:
 *
 * | file                            | world                                   | part of a rank |
 * |---------------------------------|-----------------------------------------|--------------------------|
 * | `.nrrd`, `.nhdr` + data         | RAS, LAS, LPS converted; else see below | raw: sought; gzip:
 * kept  | | `.nii`, `.nii.gz`, `.hdr`+`.img`| sform, else qform                       | raw:
 * sought; gzip: kept  | | `.vti`                          | as it is in the file | as
 * vtkXMLImageDataReader |
 *
 * Output: one point array "ImageScalars" (for .vti: the file's arrays) of the file's type, with the
 * file's components (a vector volume, RGB, an NRRD list axis) as components. The index of the first
 * voxel is 0. NIfTI values are scaled by slope and intercept if the file has them: to float, for
 * 32-bit integers and above to double.
 *
 * The voxel order of the file is kept, so a left-handed file (qfac -1) gives a left-handed
 * direction matrix. vtkNIFTIImageReader, which flips such files and leaves the matrix to its
 * caller, is not used. Differences from ITK: of a sform and a qform that disagree the sform is
 * taken, always; a sform with shear is kept as it is (ITK refuses it).
 *
 * Refused, with an error: time series, complex numbers, NRRD in several files or with bzip2 or hex
 * encoding, Analyze without NIfTI magic, headers that promise more than the file can hold.
 *
 * Cost: raw files, only the rank's own part is read; gzip, every rank decompresses from the start
 * to the end of its part. Memory: the part, plus 2 MB (rescaled NIfTI: plus the part in the type of
 * the file).
 *
 * Sources: http://teem.sourceforge.net/nrrd/format.html; nifti1.h and nifti2.h,
 * https://nifti.nimh.nih.gov.
 *
 * @sa vtkRASVolumeWriter, vtkLabelMapNrrdReader
 */
#ifndef vtkRASVolumeReader_h
#define vtkRASVolumeReader_h

#include "vtkVolumeFileReader.h"

#include <memory> // for std::unique_ptr

class SEGMENTATIONCOREIO_EXPORT vtkRASVolumeReader : public vtkVolumeFileReader
{
public:
  static vtkRASVolumeReader* New();
  vtkTypeMacro(vtkRASVolumeReader, vtkVolumeFileReader);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  int CanReadFile(VTK_FILEPATH const char* path) override;

protected:
  vtkRASVolumeReader();
  ~vtkRASVolumeReader() override;

  void ReadInformation(vtkInformation* outInfo) override;
  void ReadPart(const int extent[6], vtkImageData* output) override;

private:
  vtkRASVolumeReader(const vtkRASVolumeReader&) = delete;
  void operator=(const vtkRASVolumeReader&) = delete;

  class vtkInternals;
  std::unique_ptr<vtkInternals> Internals;
};

#endif
