// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapAlgorithm.h"

#include "EffectJob.h"
#include "LocalMask.h"
#include "ThreadScope.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkPointData.h"

#include <algorithm>
#include <limits>

//------------------------------------------------------------------------------------------------
int vtkLabelMapAlgorithm::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkImageData* volume = this->ReadsVolume() ? vtkImageData::GetData(inputVector[1]) : nullptr;
  vtkImageData* output = vtkImageData::GetData(outputVector);
  if (!this->Run(input, volume, output))
  {
    vtkErrorMacro(<< this->LastError);
    return 0;
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapAlgorithm::ReadsVolume()
{
  return this->GetNumberOfInputPorts() > 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapAlgorithm::FillInputPortInformation(int port, vtkInformation* info)
{
  if (port == 1)
  {
    // That it is missing is our error, which all ranks agree on and keep as text.
    info->Set(vtkAlgorithm::INPUT_IS_OPTIONAL(), 1);
  }
  return this->Superclass::FillInputPortInformation(port, info);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapAlgorithm::SetVolumeConnection(vtkAlgorithmOutput* volume)
{
  this->SetInputConnection(1, volume);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapAlgorithm::SetVolumeData(vtkImageData* volume)
{
  this->SetInputDataObject(1, volume);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapAlgorithm::Apply(vtkImageData* input, vtkImageData* output)
{
  vtkDataObject* volume = this->ReadsVolume() && this->GetNumberOfInputConnections(1) > 0
    ? this->GetInputDataObject(1, 0)
    : nullptr;
  return this->Run(input, vtkImageData::SafeDownCast(volume), output);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapAlgorithm::Apply(vtkImageData* labels, vtkImageData* volume, vtkImageData* output)
{
  return this->Run(labels, volume, output);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapAlgorithm::Run(vtkImageData* input, vtkImageData* volume, vtkImageData* output)
{
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.run(
      [&]
      {
        if (!input || !output)
        {
          throw std::invalid_argument("the input or output image is null");
        }
        if (this->ReadsVolume() != (volume != nullptr))
        {
          throw std::invalid_argument(std::string(this->GetClassName()) +
            (volume ? " reads no volume beside its input, but was given one"
                    : " reads a volume beside the label map, and there is none: connect one"));
        }
        if (this->NumberOfBlocks < 1)
        {
          throw std::invalid_argument(
            "NumberOfBlocks is " + std::to_string(this->NumberOfBlocks) + ", expected at least 1");
        }
        if (this->SegmentLabel < 1)
        {
          throw std::invalid_argument("SegmentLabel is " + std::to_string(this->SegmentLabel) +
            ", expected at least 1 (0 is the background)");
        }
        const std::string wrong = this->CheckParameters();
        if (!wrong.empty())
        {
          throw std::invalid_argument(wrong);
        }
      });
    vtkDataArray* scalars = segcore::arrayToProcess(communicator, this, input);
    vtkDataArray* values =
      volume ? segcore::arrayToProcess(communicator, this, volume, 1) : nullptr;
    segcore::EffectJob job(this, input, scalars, volume, values);
    // Memory that the job may take; in a pipeline there is none. It is modified if it is taken.
    const vtkSmartPointer<vtkDataArray> offered = output->GetPointData()->GetScalars();
    const vtkMTimeType time = offered ? offered->GetMTime() : 0;
    job.Output = offered;
    segcore::withThreads([&] { this->Execute(job); }, job.piece().size());
    output->ShallowCopy(input);
    if (job.output() && (job.output() != offered || offered->GetMTime() > time))
    {
      // Another array of that name is replaced; all others stay, by reference.
      output->GetPointData()->AddArray(job.output());
      output->GetPointData()->SetActiveScalars(job.output()->GetName());
    }
    this->UpdateProgress(1.0);
    return true;
  }
  catch (const segcore::AgreedError& error)
  {
    this->LastError = error.what();
  }
  if (output)
  {
    output->Initialize();
  }
  return false;
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapAlgorithm::GetLocalMask(
  const segcore::LocalInput& input)
{
  const std::string wrong = this->CheckParameters();
  if (!wrong.empty())
  {
    // All ranks have the same parameters.
    throw segcore::AgreedError(wrong);
  }
  return this->MakeLocalMask(input);
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapAlgorithm::GetWriteMode() const
{
  return segcore::WriteMode::Set;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapAlgorithm::GetReach(const double*, std::int64_t reach[3]) const
{
  // VTK's question for the number of ports is not const.
  const bool all = const_cast<vtkLabelMapAlgorithm*>(this)->ReadsVolume();
  std::fill(reach, reach + 3, all ? std::numeric_limits<std::int64_t>::max() : std::int64_t{ 0 });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapAlgorithm::MakeLocalMask(const segcore::LocalInput&)
{
  throw segcore::AgreedError(
    std::string(this->GetClassName()) + " is no local effect and makes no local mask");
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapAlgorithm::Execute(segcore::EffectJob& job)
{
  job.writeLocalMask();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapAlgorithm::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "NumberOfBlocks: " << this->NumberOfBlocks << "\n";
}
