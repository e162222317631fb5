// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkDistributedImageAlgorithm.h"

#include "vtkDataObject.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkStreamingDemandDrivenPipeline.h"

//------------------------------------------------------------------------------------------------
vtkDistributedImageAlgorithm::vtkDistributedImageAlgorithm()
{
  this->SetController(vtkMultiProcessController::GetGlobalController());
}

//------------------------------------------------------------------------------------------------
vtkDistributedImageAlgorithm::~vtkDistributedImageAlgorithm()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkDistributedImageAlgorithm::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
int vtkDistributedImageAlgorithm::FillInputPortInformation(
  int vtkNotUsed(port), vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkDistributedImageAlgorithm::RequestInformation(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The geometry passes unchanged; the scalar type is known only when the data are.
  vtkInformation* in = inputVector[0]->GetInformationObject(0);
  vtkInformation* out = outputVector->GetInformationObject(0);
  out->CopyEntry(in, vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT());
  out->CopyEntry(in, vtkDataObject::SPACING());
  out->CopyEntry(in, vtkDataObject::ORIGIN());
  out->CopyEntry(in, vtkDataObject::DIRECTION());
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkDistributedImageAlgorithm::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // An island, a histogram or a halo needs the whole image, even if only a part of the result was
  // asked for. In one process that is the whole extent. With several pieces the pieces of all ranks
  // together are the whole, so each rank keeps asking for its own.
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* out = outputVector->GetInformationObject(0);
  const int pieces = out->Has(Pipeline::UPDATE_NUMBER_OF_PIECES())
    ? out->Get(Pipeline::UPDATE_NUMBER_OF_PIECES())
    : 1;
  for (int port = 0; pieces <= 1 && port < this->GetNumberOfInputPorts(); ++port)
  {
    // A port that need not be connected may have nothing.
    vtkInformation* in = inputVector[port]->GetInformationObject(0);
    if (in && in->Has(Pipeline::WHOLE_EXTENT()))
    {
      in->Set(Pipeline::UPDATE_EXTENT(), in->Get(Pipeline::WHOLE_EXTENT()), 6);
    }
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
void vtkDistributedImageAlgorithm::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
