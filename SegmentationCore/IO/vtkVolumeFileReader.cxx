// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkVolumeFileReader.h"

#include "Communicator.h"
#include "vtkVersionCompatibility.h"

#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>

//----------------------------------------------------------------------------
vtkVolumeFileReader::vtkVolumeFileReader()
{
  this->SetNumberOfInputPorts(0);
  this->SetController(vtkMultiProcessController::GetGlobalController());
}

//----------------------------------------------------------------------------
vtkVolumeFileReader::~vtkVolumeFileReader()
{
  this->SetController(nullptr);
  this->SetFileName(nullptr);
}

//----------------------------------------------------------------------------
void vtkVolumeFileReader::SetFileName(const char* path)
{
  vtkSetStringBodyMacro(FileName, path);
}

//----------------------------------------------------------------------------
void vtkVolumeFileReader::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//----------------------------------------------------------------------------
bool vtkVolumeFileReader::Report(double part)
{
  this->UpdateProgress(part);
  return !segcore::isAborted(this);
}

//----------------------------------------------------------------------------
int vtkVolumeFileReader::RequestInformation(
  vtkInformation*, vtkInformationVector**, vtkInformationVector* outputVector)
{
  vtkInformation* outInfo = outputVector->GetInformationObject(0);
  const segcore::Communicator communicator(this->Controller);
  this->LastError = communicator.guarded(
    [&]
    {
      if (!this->FileName || !*this->FileName)
      {
        throw std::invalid_argument("FileName is not set.");
      }
      this->ReadInformation(outInfo);
    });
  if (!this->LastError.empty())
  {
    vtkErrorMacro(<< this->LastError);
    return 0;
  }
  outInfo->Set(vtkAlgorithm::CAN_PRODUCE_SUB_EXTENT(), 1);
  return 1;
}

//----------------------------------------------------------------------------
int vtkVolumeFileReader::RequestData(
  vtkInformation*, vtkInformationVector**, vtkInformationVector* outputVector)
{
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* outInfo = outputVector->GetInformationObject(0);
  vtkImageData* output = vtkImageData::GetData(outInfo);
  if (!outInfo->Has(Pipeline::WHOLE_EXTENT()) || !outInfo->Has(vtkDataObject::DIRECTION()))
  {
    // RequestInformation failed on all ranks, LastError says why; ParaView asks for data
    // nevertheless.
    output->Initialize();
    return 0;
  }
  int whole[6];
  int extent[6];
  outInfo->Get(Pipeline::WHOLE_EXTENT(), whole);
  if (outInfo->Has(Pipeline::UPDATE_EXTENT()))
  {
    outInfo->Get(Pipeline::UPDATE_EXTENT(), extent);
  }
  else
  {
    std::copy_n(whole, 6, extent);
  }
  this->LastError.clear();
  try
  {
    output->Initialize();
    bool empty = false;
    for (int a = 0; a < 3; ++a)
    {
      extent[2 * a] = std::max(extent[2 * a], whole[2 * a]);
      extent[2 * a + 1] = std::min(extent[2 * a + 1], whole[2 * a + 1]);
      empty = empty || extent[2 * a] > extent[2 * a + 1];
    }
    output->SetOrigin(outInfo->Get(vtkDataObject::ORIGIN()));
    output->SetSpacing(outInfo->Get(vtkDataObject::SPACING()));
    output->SetDirectionMatrix(outInfo->Get(vtkDataObject::DIRECTION()));
    if (!empty)
    {
      output->SetExtent(extent);
      this->ReadPart(extent, output);
    }
  }
  catch (const std::bad_alloc&)
  {
    this->LastError = std::string(this->FileName ? this->FileName : "") +
      ": not enough memory for the part that was asked for";
  }
  catch (const std::exception& exception)
  {
    this->LastError = exception.what();
  }
  if (this->LastError.empty())
  {
    return 1;
  }
  output->Initialize();
  vtkErrorMacro(<< this->LastError);
  // See the class comment: alone, fail; among several ranks, let the others notice downstream.
  return segcore::Communicator(this->Controller).size() > 1 ? 1 : 0;
}

//----------------------------------------------------------------------------
void vtkVolumeFileReader::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "FileName: " << (this->FileName ? this->FileName : "(none)") << "\n";
  os << indent << "AllowDataFileElsewhere: " << this->AllowDataFileElsewhere << "\n";
  os << indent << "UnknownSpaceIsRAS: " << this->UnknownSpaceIsRAS << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
