// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkRASVolumeWriter
 * @brief write a volume to an NRRD file that Slicer and ITK place as it lies in memory
 *
 * Writes the active point scalars, or the array chosen by SetInputArrayToProcess(0, ...), of any
 * numeric type. Several components become the first axis of the file, of kind "vector" ("RGB-color"
 * and "RGBA-color" for 3 and 4 of unsigned char). Geometry, ranks, errors: see vtkVolumeFileWriter.
 *
 * The image's extent may begin anywhere: the file's origin is the position of the first voxel.
 * Indices of an image read back begin at 0.
 *
 * @sa vtkRASVolumeReader, vtkLabelMapNrrdWriter
 */
#ifndef vtkRASVolumeWriter_h
#define vtkRASVolumeWriter_h

#include "vtkVolumeFileWriter.h"

class SEGMENTATIONCOREIO_EXPORT vtkRASVolumeWriter : public vtkVolumeFileWriter
{
public:
  static vtkRASVolumeWriter* New();
  vtkTypeMacro(vtkRASVolumeWriter, vtkVolumeFileWriter);
  void PrintSelf(ostream& os, vtkIndent indent) override;

protected:
  vtkRASVolumeWriter() = default;
  ~vtkRASVolumeWriter() override = default;

  void WriteImage(
    const segcore::Communicator& communicator, vtkImageData* image, vtkDataArray* scalars) override;

private:
  vtkRASVolumeWriter(const vtkRASVolumeWriter&) = delete;
  void operator=(const vtkRASVolumeWriter&) = delete;
};

#endif
