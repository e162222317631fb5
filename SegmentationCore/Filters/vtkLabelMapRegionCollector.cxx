// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapRegionCollector.h"

#include "DistributedImage.h"
#include "HaloExchange.h"
#include "ScalarTypes.h"

#include "vtkDataArray.h"
#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapRegionCollector);

namespace
{
template <class T>
void collect(const segcore::Communicator& communicator, const segcore::DistributedImage& image,
  const segcore::Box& region, vtkDataArray* array)
{
  segcore::regionToRank(communicator, image.distribution(), image.voxels<T>(), region,
    array ? static_cast<T*>(array->GetVoidPointer(0)) : nullptr);
}
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapRegionCollector::RequestInformation(
  vtkInformation* request, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  this->Superclass::RequestInformation(request, inputVector, outputVector);
  if (this->Extent[0] <= this->Extent[1])
  {
    const segcore::Box whole =
      segcore::Box::fromExtent(inputVector[0]->GetInformationObject(0)->Get(
        vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT()));
    int extent[6] = { 0, -1, 0, -1, 0, -1 };
    const segcore::Box region = segcore::Box::fromExtent(this->Extent).clipped(whole);
    if (!region.empty())
    {
      region.toExtent(extent);
    }
    outputVector->GetInformationObject(0)->Set(
      vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT(), extent, 6);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapRegionCollector::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkImageData* output = vtkImageData::GetData(outputVector);
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    const segcore::DistributedImage image(
      communicator, input, segcore::arrayToProcess(communicator, this, input));
    segcore::Box region = image.whole();
    if (this->Extent[0] <= this->Extent[1])
    {
      region = segcore::Box::fromExtent(this->Extent).clipped(image.whole());
      if (region.empty())
      {
        throw segcore::AgreedError("Extent does not meet the image");
      }
    }
    vtkSmartPointer<vtkDataArray> array;
    communicator.run(
      [&]
      {
        if (communicator.isRoot())
        {
          array.TakeReference(vtkDataArray::CreateDataArray(image.scalarType()));
          array->SetName(image.arrayName().c_str());
          array->SetNumberOfTuples(region.size());
        }
      });
    switch (image.scalarType())
    {
      segcoreEqualityMacro(collect<VTK_TT>(communicator, image, region, array));
      default:
        throw segcore::AgreedError("array '" + image.arrayName() + "' has an unknown scalar type");
    }
    output->Initialize();
    image.geometry().copyTo(output);
    const segcore::Geometry& geometry = image.geometry();
    double numbers[15];
    std::copy_n(geometry.Origin, 3, numbers);
    std::copy_n(geometry.Spacing, 3, numbers + 3);
    std::copy_n(geometry.Direction, 9, numbers + 6);
    vtkNew<vtkDoubleArray> lattice;
    lattice->SetName("Lattice");
    lattice->SetNumberOfComponents(15);
    lattice->InsertNextTuple(numbers);
    output->GetFieldData()->AddArray(lattice);
    // On its way to a client an array without tuples takes all that follow with it (ParaView 5.11).
    vtkFieldData* fields = input->GetFieldData();
    for (int i = 0; i < fields->GetNumberOfArrays(); ++i)
    {
      if (fields->GetAbstractArray(i)->GetNumberOfTuples() > 0)
      {
        output->GetFieldData()->AddArray(fields->GetAbstractArray(i));
      }
    }
    if (array)
    {
      int extent[6];
      region.toExtent(extent);
      output->SetExtent(extent);
      output->GetPointData()->SetScalars(array);
    }
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
void vtkLabelMapRegionCollector::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Extent: " << this->Extent[0] << " " << this->Extent[1] << " " << this->Extent[2]
     << " " << this->Extent[3] << " " << this->Extent[4] << " " << this->Extent[5] << "\n";
}
