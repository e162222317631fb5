// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapTableAlgorithm.h"

#include "DistributedImage.h"
#include "ParameterCheck.h"
#include "Progress.h"
#include "ThreadScope.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataSetAttributes.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkTable.h"

#include <limits>

//------------------------------------------------------------------------------------------------
vtkLabelMapTableAlgorithm::vtkLabelMapTableAlgorithm()
{
  this->SetController(vtkMultiProcessController::GetGlobalController());
  this->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
}

//------------------------------------------------------------------------------------------------
vtkLabelMapTableAlgorithm::~vtkLabelMapTableAlgorithm()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapTableAlgorithm::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapTableAlgorithm::FillInputPortInformation(int port, vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  if (port == 1)
  {
    info->Set(vtkAlgorithm::INPUT_IS_OPTIONAL(), 1);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapTableAlgorithm::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The pipeline turns pieces into extents; the filter fetches its own halo.
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* out = outputVector->GetInformationObject(0);
  for (int port = 0; port < this->GetNumberOfInputPorts(); ++port)
  {
    vtkInformation* in = inputVector[port]->GetInformationObject(0);
    if (!in)
    {
      continue;
    }
    for (auto* key : { Pipeline::UPDATE_PIECE_NUMBER(), Pipeline::UPDATE_NUMBER_OF_PIECES() })
    {
      if (out->Has(key))
      {
        in->Set(key, out->Get(key));
      }
    }
    in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapTableAlgorithm::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkImageData* volume =
    this->GetNumberOfInputPorts() > 1 && this->GetNumberOfInputConnections(1) > 0
    ? vtkImageData::GetData(inputVector[1])
    : nullptr;
  vtkTable* output = vtkTable::GetData(outputVector);
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(segcore::firstError({ this->CheckParameters(),
      segcore::checkRange(
        "NumberOfBlocks", this->NumberOfBlocks, 1, std::numeric_limits<int>::max()) }));
    const segcore::DistributedImage image(communicator, input,
      segcore::arrayToProcess(communicator, this, input), this->NumberOfBlocks);
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    segcore::withThreads([&]
      { this->Execute({ communicator, image, input, volume, progress }, output); },
      image.piece().size());
    this->UpdateProgress(1.0);
    return 1;
  }
  catch (const segcore::AgreedError& error)
  {
    this->LastError = error.what();
  }
  output->Initialize();
  vtkErrorMacro(<< this->LastError);
  return 0;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapTableAlgorithm::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfBlocks: " << this->NumberOfBlocks << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
