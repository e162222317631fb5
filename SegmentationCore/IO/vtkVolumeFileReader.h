// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkVolumeFileReader
 * @brief what the readers of volume files have in common: the file, the ranks, and errors
 *
 * A reader makes a vtkImageData whose world is RAS millimetres: origin, spacing and the direction
 * matrix are those of the file, converted. The voxel order is that of the file.
 *
 * Parallel: the output can be produced by sub-extent. Each rank opens the file and reads its own
 * part of it; nothing is sent. What the header says is read and checked in RequestInformation, on
 * the ranks of Controller together: if it fails on one (the file is not visible there, say), it
 * fails on all, with the same text. Reading voxels is not collective, because a pipeline may ask
 * some ranks alone for another part. If it fails on one of several ranks, this rank reports the
 * error and hands on an empty image, so that filters downstream, which do communicate, find a part
 * missing and fail together.
 *
 * Errors: the output is empty, LastError says why, and an error event with the same text is sent.
 * Update() of the executive returns false in a serial run.
 */
#ifndef vtkVolumeFileReader_h
#define vtkVolumeFileReader_h

#include "SegmentationCoreIOModule.h" // for export macro
#include "vtkImageAlgorithm.h"

#include <string> // for std::string

class vtkMultiProcessController;

class SEGMENTATIONCOREIO_EXPORT vtkVolumeFileReader : public vtkImageAlgorithm
{
public:
  vtkTypeMacro(vtkVolumeFileReader, vtkImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Path of the file, UTF-8. The format is recognised by content.
  virtual void SetFileName(VTK_FILEPATH const char* path);
  virtual VTK_FILEPATH char* GetFileName() { return this->FileName; }
  ///@}

  /// 1 if the file begins like one that this reader can read, else 0. Sends no error.
  virtual int CanReadFile(VTK_FILEPATH const char* path) = 0;

  ///@{
  /// Whether a detached NRRD header (.nhdr) may name a data file outside its own folder. Off by
  /// default: a header from a stranger could otherwise make any file of this user part of an image.
  vtkSetMacro(AllowDataFileElsewhere, bool);
  vtkGetMacro(AllowDataFileElsewhere, bool);
  vtkBooleanMacro(AllowDataFileElsewhere, bool);
  ///@}

  ///@{
  /// What an NRRD file means that names no anatomical space (none, "3D-right-handed",
  /// "scanner-xyz"): off (default), LPS, as ITK and Slicer read it; on, RAS, so that its numbers
  /// are the world's.
  vtkSetMacro(UnknownSpaceIsRAS, bool);
  vtkGetMacro(UnknownSpaceIsRAS, bool);
  vtkBooleanMacro(UnknownSpaceIsRAS, bool);
  ///@}

  ///@{
  /// The ranks that read together. Default: the global controller; null or one process means
  /// serial.
  virtual void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  /// Why the last execution failed; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkVolumeFileReader();
  ~vtkVolumeFileReader() override;

  /// Read what comes before the voxels and fill the pipeline information. Local; throws what goes
  /// wrong.
  virtual void ReadInformation(vtkInformation* outInfo) = 0;

  /// Read `extent`, inside the whole extent and not empty, into the output. Local; throws what goes
  /// wrong.
  virtual void ReadPart(const int extent[6], vtkImageData* output) = 0;

  /// Progress for the reading functions; false if somebody asked this reader to stop.
  bool Report(double part);

  int RequestInformation(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

  char* FileName = nullptr;
  bool AllowDataFileElsewhere = false;
  bool UnknownSpaceIsRAS = false;
  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;

private:
  vtkVolumeFileReader(const vtkVolumeFileReader&) = delete;
  void operator=(const vtkVolumeFileReader&) = delete;
};

#endif
