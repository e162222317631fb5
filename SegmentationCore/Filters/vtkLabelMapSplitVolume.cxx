// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSplitVolume.h"

#include "BitBlock.h"
#include "FillValue.h"
#include "HaloExchange.h"
#include "ParameterCheck.h"
#include "Progress.h"
#include "ScalarTypes.h"
#include "SegmentBits.h"
#include "SourceVolume.h"
#include "ThreadScope.h"
#include "VoxelBox.h"
#include "vtkVersionCompatibility.h"

#include "vtkAlgorithmOutput.h"
#include "vtkDataArray.h"
#include "vtkDataSetAttributes.h"
#include "vtkExtentTranslator.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkSmartPointer.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>
#include <limits>
#include <vector>

vtkStandardNewMacro(vtkLabelMapSplitVolume);

namespace
{
using segcore::BitBlock;
using segcore::Box;
using segcore::Communicator;
using segcore::DistributedImage;
using segcore::Index;
using Pipeline = vtkStreamingDemandDrivenPipeline;

/// Collective, as what is behind the input may be. Brings this rank's piece of the label map up to
/// date.
void updateLabelMap(vtkAlgorithm* filter, const Communicator& communicator)
{
  vtkNew<vtkInformation> piece;
  piece->Set(Pipeline::UPDATE_PIECE_NUMBER(), communicator.rank());
  piece->Set(Pipeline::UPDATE_NUMBER_OF_PIECES(), communicator.size());
  piece->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  vtkAlgorithmOutput* connection = filter->GetInputConnection(0, 0);
  vtkNew<vtkInformationVector> requests;
  requests->SetInformationObject(connection->GetIndex(), piece);
  connection->GetProducer()->Update(connection->GetIndex(), requests);
}

template <class T>
Box localBox(const DistributedImage& image, Index label)
{
  bool fits = false;
  const T wanted = segcore::labelOfType<T>(image, label, fits);
  return fits && !image.piece().empty()
    ? segcore::labelBox(image.voxels<T>(), image.piece(), image.piece(), wanted)
    : Box();
}

/// Collective. The box of a segment; empty if it has no voxels.
Box segmentBox(const Communicator& communicator, const DistributedImage& image, Index label)
{
  Box box;
  communicator.run(
    [&]
    {
      segcore::withThreads(
        [&]
        {
          switch (image.scalarType())
          {
            segcoreEqualityMacro(box = localBox<VTK_TT>(image, label));
            default:
              throw std::invalid_argument(
                "array '" + image.arrayName() + "' has an unknown scalar type");
          }
        },
        image.piece().size());
    });
  // The upper ends negated: one reduction. No voxels: beyond all others.
  const Index none = std::numeric_limits<Index>::max();
  Index ends[6] = { none, none, none, none, none, none };
  for (int a = 0; a < 3 && !box.empty(); ++a)
  {
    ends[a] = box.lo[a];
    ends[3 + a] = -box.hi[a];
  }
  communicator.allReduceMin(ends, 6);
  if (ends[0] == none)
  {
    return Box();
  }
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] = ends[a];
    box.hi[a] = -ends[3 + a];
  }
  return box;
}

Box moved(const Box& box, const Index shift[3], Index sign)
{
  Box result = box;
  for (int a = 0; a < 3 && !box.empty(); ++a)
  {
    result.lo[a] += sign * shift[a];
    result.hi[a] += sign * shift[a];
  }
  return result;
}

/// Collective. This rank's part of the crop, in indices of the label map.
template <class V>
void crop(const Communicator& communicator, const DistributedImage& image,
  const segcore::SourceVolume& volume, Index label, double fillValue, const Box& part,
  const segcore::Progress& progress, vtkSmartPointer<vtkDataArray>& cropped)
{
  const DistributedImage& source = volume.layout();
  V fill{};
  V* out = nullptr;
  BitBlock bits;
  std::vector<segcore::Request<V>> values;
  std::vector<segcore::BitRequest> mask;
  communicator.run(
    [&]
    {
      progress.step(0.0);
      fill = segcore::fillValueAs<V>("FillValue", fillValue);
      if (part.empty())
      {
        return;
      }
      cropped.TakeReference(vtkDataArray::CreateDataArray(source.scalarType()));
      cropped->SetName(source.arrayName().c_str());
      cropped->SetNumberOfTuples(part.size());
      out = static_cast<V*>(cropped->GetVoidPointer(0));
      bits = BitBlock(part);
      bits.clear();
      const Box there = moved(part, volume.shift(), 1);
      const Box both = there.clipped(source.whole());
      if (!both.empty())
      {
        values.emplace_back(both, segcore::VoxelArray<V>(there, out));
      }
      // No bit where there is no value.
      const Box wanted = moved(both, volume.shift(), -1).clipped(image.whole());
      if (!both.empty() && !wanted.empty())
      {
        mask.emplace_back(wanted, bits);
      }
    });
  segcore::fetchSegmentBits(communicator, image, label, mask);
  communicator.run([&] { progress.step(0.3); });
  segcore::fetchLabels(communicator, source.distribution(), source.voxels<V>(), values);
  communicator.run(
    [&]
    {
      segcore::forEachBitRow(
        part,
        [&](Index j, Index k)
        {
          constexpr Index width = 4096;
          std::uint8_t flags[width];
          for (Index first = 0; first < part.dim(0); first += width)
          {
            const Index count = std::min(width, part.dim(0) - first);
            segcore::unpackBits(bits.row(j, k), first, count, flags);
            V* row = out + part.offset(part.lo[0] + first, j, k);
            for (Index i = 0; i < count; ++i)
            {
              row[i] = flags[i] ? row[i] : fill;
            }
          }
        },
        progress.part(0.7, 1.0));
    });
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapSplitVolume::vtkLabelMapSplitVolume()
{
  this->SetNumberOfInputPorts(2);
  for (int port = 0; port < 2; ++port)
  {
    this->SetInputArrayToProcess(
      port, port, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSplitVolume::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "SegmentLabel", this->SegmentLabel, 1, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkRange("PaddingVoxels", this->PaddingVoxels, 0, 1000),
    segcore::checkRange(
      "FillValue", this->FillValue, -segcore::LargestFillValue, segcore::LargestFillValue),
  });
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSplitVolume::RequestInformation(
  vtkInformation* request, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The lattice of the label map.
  this->Superclass::RequestInformation(request, inputVector, outputVector);
  const Communicator communicator(this->Controller);
  this->InformationError.clear();
  int extent[6] = { 0, -1, 0, -1, 0, -1 };
  try
  {
    communicator.require(this->CheckParameters());
    updateLabelMap(this, communicator);
    vtkImageData* labels = nullptr;
    communicator.run(
      [&]
      {
        labels = vtkImageData::SafeDownCast(this->GetInputDataObject(0, 0));
        if (!labels)
        {
          throw std::invalid_argument("there is no label map");
        }
      });
    const DistributedImage image(
      communicator, labels, segcore::arrayToProcess(communicator, this, labels));
    const Box box = segmentBox(communicator, image, this->SegmentLabel);
    if (box.empty())
    {
      throw segcore::AgreedError("SegmentLabel is " + std::to_string(this->SegmentLabel) +
        ", and no voxel of the label map has this value: there is nothing to crop to");
    }
    communicator.run([&] { box.grown(this->PaddingVoxels).toExtent(extent); });
  }
  catch (const segcore::AgreedError& error)
  {
    // Told when data are asked for, as all errors.
    this->InformationError = error.what();
  }
  outputVector->GetInformationObject(0)->Set(Pipeline::WHOLE_EXTENT(), extent, 6);
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSplitVolume::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector*)
{
  // Whatever part of the crop is wanted here, it may be in any piece of the inputs.
  const Communicator communicator(this->Controller);
  for (int port = 0; port < 2; ++port)
  {
    vtkInformation* in = inputVector[port]->GetInformationObject(0);
    if (!in || !in->Has(Pipeline::WHOLE_EXTENT()))
    {
      continue;
    }
    int extent[6] = { 0, -1, 0, -1, 0, -1 };
    vtkNew<vtkExtentTranslator> translator;
    translator->PieceToExtentThreadSafe(communicator.rank(), communicator.size(), 0,
      in->Get(Pipeline::WHOLE_EXTENT()), extent, vtkExtentTranslator::BLOCK_MODE, 0);
    in->Set(Pipeline::UPDATE_EXTENT(), extent, 6);
    in->Set(Pipeline::UPDATE_PIECE_NUMBER(), communicator.rank());
    in->Set(Pipeline::UPDATE_NUMBER_OF_PIECES(), communicator.size());
    in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSplitVolume::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* labels = vtkImageData::GetData(inputVector[0]);
  vtkImageData* source = vtkImageData::GetData(inputVector[1]);
  vtkImageData* output = vtkImageData::GetData(outputVector);
  vtkInformation* out = outputVector->GetInformationObject(0);
  const Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    if (!this->InformationError.empty())
    {
      throw segcore::AgreedError(this->InformationError);
    }
    const DistributedImage image(
      communicator, labels, segcore::arrayToProcess(communicator, this, labels));
    // Values are fetched from wherever they are: no voxel of the label map needs its own here.
    const segcore::SourceVolume volume(communicator, source,
      segcore::arrayToProcess(communicator, this, source, 1), image.geometry(), Box());
    if (!volume.aligned())
    {
      throw segcore::AgreedError("the volume '" + volume.arrayName() +
        "' does not have the voxels of the label map: resample it first");
    }
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    Box part = Box::fromExtent(out->Get(Pipeline::UPDATE_EXTENT()));
    part = part.empty() ? Box() : part;
    vtkSmartPointer<vtkDataArray> cropped;
    segcore::withThreads(
      [&]
      {
        switch (volume.scalarType())
        {
          segcoreTemplateMacro(crop<VTK_TT>(communicator, image, volume, this->SegmentLabel,
            this->FillValue, part, progress, cropped));
          default:
            throw segcore::AgreedError("the volume has an unknown scalar type");
        }
      },
      part.size());
    output->Initialize();
    image.geometry().copyTo(output);
    output->GetFieldData()->ShallowCopy(source->GetFieldData());
    if (cropped)
    {
      int extent[6];
      part.toExtent(extent);
      output->SetExtent(extent);
      output->GetPointData()->SetScalars(cropped);
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
void vtkLabelMapSplitVolume::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "PaddingVoxels: " << this->PaddingVoxels << "\n";
  os << indent << "FillValue: " << this->FillValue << "\n";
}
