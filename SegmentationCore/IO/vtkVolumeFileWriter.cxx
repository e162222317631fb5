// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkVolumeFileWriter.h"

#include "Communicator.h"
#include "VolumeFile.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataObject.h"
#include "vtkErrorCode.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkStreamingDemandDrivenPipeline.h"

//----------------------------------------------------------------------------
vtkVolumeFileWriter::vtkVolumeFileWriter()
{
  this->SetNumberOfOutputPorts(0);
  this->SetController(vtkMultiProcessController::GetGlobalController());
}

//----------------------------------------------------------------------------
vtkVolumeFileWriter::~vtkVolumeFileWriter()
{
  this->SetController(nullptr);
  this->SetFileName(nullptr);
}

//----------------------------------------------------------------------------
void vtkVolumeFileWriter::SetFileName(const char* path)
{
  vtkSetStringBodyMacro(FileName, path);
}

//----------------------------------------------------------------------------
void vtkVolumeFileWriter::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//----------------------------------------------------------------------------
bool vtkVolumeFileWriter::Report(double part)
{
  this->UpdateProgress(part);
  return !segcore::isAborted(this);
}

//----------------------------------------------------------------------------
int vtkVolumeFileWriter::Write()
{
  this->LastError.clear();
  this->SetErrorCode(vtkErrorCode::NoError);
  this->Modified(); // the file may have been removed since
  if (this->GetNumberOfInputConnections(0) < 1)
  {
    this->LastError = "No input is set.";
    vtkErrorMacro(<< this->LastError);
    this->SetErrorCode(vtkErrorCode::UserError);
    return 0;
  }
  this->Update();
  return this->GetErrorCode() == vtkErrorCode::NoError ? 1 : 0;
}

//----------------------------------------------------------------------------
int vtkVolumeFileWriter::FillInputPortInformation(int, vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  return 1;
}

//----------------------------------------------------------------------------
int vtkVolumeFileWriter::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector*)
{
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* in = inputVector[0]->GetInformationObject(0);
  const segcore::Communicator communicator(this->Controller);
  in->Set(Pipeline::UPDATE_PIECE_NUMBER(), communicator.rank());
  in->Set(Pipeline::UPDATE_NUMBER_OF_PIECES(), communicator.size());
  in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  if (communicator.size() == 1)
  {
    in->Set(Pipeline::UPDATE_EXTENT(), in->Get(Pipeline::WHOLE_EXTENT()), 6);
  }
  return 1;
}

//----------------------------------------------------------------------------
int vtkVolumeFileWriter::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector*)
{
  const segcore::Communicator communicator(this->Controller);
  vtkImageData* image = vtkImageData::GetData(inputVector[0]);
  this->LastError.clear();
  this->SetErrorCode(vtkErrorCode::NoError);
  try
  {
    communicator.run(
      [&]
      {
        const std::string path = this->FileName ? this->FileName : "";
        if (path.empty())
        {
          throw segcore::FileError("FileName is not set.");
        }
        if (!segcore::hasEnding(path, ".nrrd") && !segcore::hasEnding(path, ".nhdr"))
        {
          throw segcore::FileError(path + ": the name has to end in .nrrd or .nhdr");
        }
      });
    this->WriteImage(
      communicator, image, image ? this->GetInputArrayToProcess(0, inputVector) : nullptr);
  }
  catch (const segcore::AgreedError& error)
  {
    this->LastError = error.what();
    this->SetErrorCode(vtkErrorCode::UserError);
    vtkErrorMacro(<< this->LastError);
    return 0;
  }
  return 1;
}

//----------------------------------------------------------------------------
void vtkVolumeFileWriter::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "FileName: " << (this->FileName ? this->FileName : "(none)") << "\n";
  os << indent << "UseCompression: " << this->UseCompression << "\n";
  os << indent << "CompressionLevel: " << this->CompressionLevel << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
