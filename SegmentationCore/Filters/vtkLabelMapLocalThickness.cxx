// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapLocalThickness.h"

#include "DistributedImage.h"
#include "HaloExchange.h"
#include "InscribedSizes.h"
#include "ParameterCheck.h"
#include "ThreadScope.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataSetAttributes.h"
#include "vtkFloatArray.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"

#include <algorithm>
#include <limits>

vtkStandardNewMacro(vtkLabelMapLocalThickness);

//------------------------------------------------------------------------------------------------
vtkLabelMapLocalThickness::vtkLabelMapLocalThickness()
{
  this->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalThickness::SetDiameters(const double* values, vtkIdType count)
{
  const std::vector<double> given(values, values + count);
  if (given != this->Diameters)
  {
    this->Diameters = given;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalThickness::AddDiameter(double value)
{
  this->Diameters.push_back(value);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalThickness::RemoveAllDiameters()
{
  if (!this->Diameters.empty())
  {
    this->Diameters.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapLocalThickness::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "SegmentLabel", this->SegmentLabel, 1, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkDiameters(this->Diameters),
    segcore::checkRange("NumberOfBins", this->NumberOfBins, 1, segcore::MostDiameters),
    segcore::checkRange("NumberOfBlocks", this->NumberOfBlocks, 1, std::numeric_limits<int>::max()),
  });
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapLocalThickness::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkImageData* output = vtkImageData::GetData(outputVector);
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(this->CheckParameters());
    const segcore::DistributedImage image(communicator, input,
      segcore::arrayToProcess(communicator, this, input), this->NumberOfBlocks);
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    const segcore::Box& piece = image.piece();
    vtkNew<vtkFloatArray> thickness;
    thickness->SetName("Thickness");
    communicator.run([&] { thickness->SetNumberOfTuples(piece.size()); });
    float* out = piece.empty() ? nullptr : thickness->GetPointer(0);
    std::fill_n(out, piece.size(), 0.0f);
    segcore::withThreads(
      [&]
      {
        const segcore::InscribedSizes sizes(
          communicator, image, this->SegmentLabel, this->BorderIsWall);
        const std::vector<double> diameters = this->Diameters.empty()
          ? sizes.even(this->NumberOfBins, progress.part(0.0, 0.2))
          : this->Diameters;
        const auto write = [&](std::size_t n, const segcore::BitBlock& voxels)
        {
          const auto value = static_cast<float>(diameters[n]);
          segcore::forEachBitRow(voxels.box,
            [&](segcore::Index y, segcore::Index z)
            {
              float* row = out + piece.offset(voxels.box.lo[0], y, z);
              segcore::forEachRun(voxels.row(y, z), voxels.words,
                [&](segcore::Index first, segcore::Index last)
                { std::fill(row + first, row + last + 1, value); });
            });
        };
        sizes.forEach(diameters, write, progress.part(0.2, 1.0));
        segcore::completePiece(communicator, image.distribution(), out);
      },
      piece.size());
    output->ShallowCopy(input);
    if (!piece.empty())
    {
      output->GetPointData()->AddArray(thickness);
      output->GetPointData()->SetActiveScalars("Thickness");
    }
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
void vtkLabelMapLocalThickness::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "NumberOfDiameters: " << this->GetNumberOfDiameters() << "\n";
  os << indent << "NumberOfBins: " << this->NumberOfBins << "\n";
  os << indent << "BorderIsWall: " << this->BorderIsWall << "\n";
  os << indent << "NumberOfBlocks: " << this->NumberOfBlocks << "\n";
}
