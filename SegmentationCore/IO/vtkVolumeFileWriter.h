// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkVolumeFileWriter
 * @brief what the writers of volume files have in common: the file, compression, the ranks, and
 * errors
 *
 * Input: a vtkImageData, whose world is RAS millimetres; each rank holds a part of it, any part.
 * Shared planes and ghost voxels are written once, by the lowest rank that has them. The input is
 * never changed.
 *
 * File: NRRD, one file (.nrrd) or header and data (.nhdr and .raw or .raw.gz). The space in the
 * file is left-posterior-superior. The file appears complete or not at all (see OutputFile.h): it
 * is written under a temporary name beside the wanted one, flushed to the disk, and renamed. If
 * anything fails on any rank, all ranks report the same error and what was there before stays.
 *
 * Parallel: collective; rank 0 writes. Slabs of 32 MB are collected there one after the other, so
 * its memory does not grow with the image.
 *
 * Write() (or Update()) does the work; ErrorCode is 0 after success and LastError says what went
 * wrong.
 */
#ifndef vtkVolumeFileWriter_h
#define vtkVolumeFileWriter_h

#include "SegmentationCoreIOModule.h" // for export macro
#include "vtkImageAlgorithm.h"

#include <string> // for std::string

class vtkMultiProcessController;
namespace segcore
{
class Communicator;
}

class SEGMENTATIONCOREIO_EXPORT vtkVolumeFileWriter : public vtkImageAlgorithm
{
public:
  vtkTypeMacro(vtkVolumeFileWriter, vtkImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Path of the file, UTF-8; it ends in .nrrd or .nhdr.
  virtual void SetFileName(VTK_FILEPATH const char* path);
  virtual VTK_FILEPATH char* GetFileName() { return this->FileName; }
  ///@}

  ///@{
  /// Whether the voxels are compressed with gzip. Default on.
  vtkSetMacro(UseCompression, bool);
  vtkGetMacro(UseCompression, bool);
  vtkBooleanMacro(UseCompression, bool);
  ///@}

  ///@{
  /// From 1 (fast) to 9 (small). Default 1, as Slicer's "gzip_fastest". Levels 1 to 3 use ISA-L
  /// where the build has it; label maps of one byte per voxel are searched for runs alone by levels
  /// 4 to 6, which makes them smaller and takes twice the time: see GzipStream.h.
  vtkSetClampMacro(CompressionLevel, int, 1, 9);
  vtkGetMacro(CompressionLevel, int);
  ///@}

  ///@{
  /// The ranks that write together. Default: the global controller; null or one process means
  /// serial.
  virtual void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  /// Write the file, always. Collective. Returns 1 on success, 0 after an error.
  int Write();

  /// Why the last execution failed, the same on all ranks; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkVolumeFileWriter();
  ~vtkVolumeFileWriter() override;

  /// Collective. Throws AgreedError.
  virtual void WriteImage(
    const segcore::Communicator& communicator, vtkImageData* image, vtkDataArray* scalars) = 0;

  /// Progress for the writing functions; false if somebody asked this writer to stop.
  bool Report(double part);

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

  char* FileName = nullptr;
  bool UseCompression = true;
  int CompressionLevel = 1;
  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;

private:
  vtkVolumeFileWriter(const vtkVolumeFileWriter&) = delete;
  void operator=(const vtkVolumeFileWriter&) = delete;
};

#endif
