// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkDistributedImageAlgorithm
 * @brief An image algorithm whose result depends on the whole image, not on the piece that one rank
 * holds.
 *
 * In one process the whole extent of the input is asked for, whatever part of the output is wanted.
 * With several pieces each rank asks for its own, and the pieces of all ranks are the image.
 *
 * Errors are agreed on by all ranks and kept as text in LastError, so that a client on another
 * machine can read them.
 */
#ifndef vtkDistributedImageAlgorithm_h
#define vtkDistributedImageAlgorithm_h

#include "SegmentationCoreFiltersModule.h"
#include "vtkImageAlgorithm.h"

#include <string> // for std::string

class vtkMultiProcessController;

class SEGMENTATIONCOREFILTERS_EXPORT vtkDistributedImageAlgorithm : public vtkImageAlgorithm
{
public:
  vtkTypeMacro(vtkDistributedImageAlgorithm, vtkImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The ranks that work together. Default: the global controller; null or one process means
  /// serial.
  virtual void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  /// Why the last execution failed, the same on all ranks; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkDistributedImageAlgorithm();
  ~vtkDistributedImageAlgorithm() override;

  int RequestInformation(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int FillInputPortInformation(int port, vtkInformation* info) override;

  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;

private:
  vtkDistributedImageAlgorithm(const vtkDistributedImageAlgorithm&) = delete;
  void operator=(const vtkDistributedImageAlgorithm&) = delete;
};

#endif
