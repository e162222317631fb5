// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMaskVolume.h"

#include "BitBlock.h"
#include "FillValue.h"
#include "GaussianMask.h"
#include "ParameterCheck.h"
#include "Progress.h"
#include "ScalarTypes.h"
#include "SegmentBits.h"
#include "SourceVolume.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataArray.h"
#include "vtkDataSetAttributes.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

vtkStandardNewMacro(vtkLabelMapMaskVolume);

namespace
{
using segcore::BitBlock;
using segcore::Box;
using segcore::Communicator;
using segcore::DistributedImage;
using segcore::Index;

constexpr double Largest = segcore::LargestFillValue;

/// Deviations that the kernel of a soft edge reaches, as in Slicer.
constexpr double SoftEdgeReach = 3.0;

/// What is written where the segment is, and where not; or that the value stays.
template <class V>
struct Fill
{
  bool changeInside;
  bool changeOutside;
  V inside;
  V outside;
};

/// Values of a row of the label map, by its labels.
template <class T, class V>
void maskRow(const T* labels, T wanted, const V* in, Index count, const Fill<V>& fill, V* out)
{
  for (Index i = 0; i < count; ++i)
  {
    const V inside = fill.changeInside ? fill.inside : in[i];
    const V outside = fill.changeOutside ? fill.outside : in[i];
    out[i] = labels[i] == wanted ? inside : outside;
  }
}

/// Labels of a row as bytes, so that the types of labels and volume need no pair of their own.
template <class T>
void markRow(const segcore::DistributedImage& image, Index label, Index i, Index j, Index k,
  Index count, std::uint8_t* out)
{
  const T* row = image.voxels<T>() + image.piece().offset(i, j, k);
  const T wanted = static_cast<T>(label);
  const bool fits = static_cast<Index>(wanted) == label && wanted > T(0);
  for (Index x = 0; x < count; ++x)
  {
    out[x] = fits && row[x] == wanted ? 1 : 0;
  }
}

/// a weight + b (1 - weight), in the type of both and between them.
template <class V>
V blended(V a, V b, double weight)
{
  // Exact, also where one of them is no finite number.
  if (weight == 0.0 || weight == 1.0)
  {
    return weight == 0.0 ? b : a;
  }
  const double value = static_cast<double>(a) * weight + static_cast<double>(b) * (1.0 - weight);
  const V low = std::min(a, b);
  const V high = std::max(a, b);
  // Rounding must not lead out of the type.
  if (value <= static_cast<double>(low))
  {
    return low;
  }
  if (value >= static_cast<double>(high))
  {
    return high;
  }
  return static_cast<V>(std::is_integral<V>::value ? std::nearbyint(value) : value);
}

/// Values of a row of the label map, by its smoothed mask.
template <class V>
void blendRow(const double* mask, const V* in, Index count, const Fill<V>& fill, V* out)
{
  for (Index i = 0; i < count; ++i)
  {
    const V inside = fill.changeInside ? fill.inside : in[i];
    const V outside = fill.changeOutside ? fill.outside : in[i];
    out[i] = blended(inside, outside, mask[i]);
  }
}

/// The mask that a soft edge is made of: on this rank's voxels of the volume with their halo, in
/// indices of the label map, whose end is not that of the volume.
struct SoftMask
{
  Box whole;  ///< all voxels of the volume
  Box target; ///< this rank's
  double deviations[3] = { 0.0, 0.0, 0.0 };
  BitBlock bits;
};

/// Collective.
SoftMask fetchSoftMask(const Communicator& communicator, const DistributedImage& image,
  const segcore::SourceVolume& volume, Index label, double softEdge)
{
  SoftMask mask;
  std::vector<segcore::BitRequest> requests;
  communicator.run(
    [&]
    {
      const double* spacing = image.geometry().Spacing;
      std::transform(
        spacing, spacing + 3, mask.deviations, [=](double step) { return softEdge / step; });
      Index halo[3];
      segcore::gaussianHalo(mask.deviations, halo, SoftEdgeReach);
      mask.whole = volume.layout().whole();
      mask.target = volume.layout().piece();
      for (int a = 0; a < 3; ++a)
      {
        segcore::requireVoxels("SoftEdgeMm", softEdge, 2 * halo[a] + 1, spacing[a],
          2 * segcore::MaximumGaussianVoxels + 1);
        const Index shift = volume.shift()[a];
        mask.whole.lo[a] -= shift;
        mask.whole.hi[a] -= shift;
        mask.target.lo[a] -= shift;
        mask.target.hi[a] -= shift;
      }
      mask.bits = BitBlock(mask.target.grown(halo).clipped(mask.whole));
      mask.bits.clear();
      const Box wanted = mask.bits.box.clipped(image.whole());
      if (!wanted.empty())
      {
        requests.emplace_back(wanted, mask.bits);
      }
    });
  segcore::fetchSegmentBits(communicator, image, label, requests);
  return mask;
}

/// Writes all of this rank's voxels of the volume.
template <class V>
void blendVolume(const SoftMask& mask, const segcore::SourceVolume& volume, const Fill<V>& fill,
  V* out, const segcore::Progress& progress)
{
  const auto* in = static_cast<const V*>(volume.array()->GetVoidPointer(0));
  const Box& target = mask.target;
  segcore::smoothMask(
    mask.bits, mask.whole, mask.deviations, SoftEdgeReach, target,
    [&](Index j, Index k, const double* values)
    {
      const Index at = target.offset(target.lo[0], j, k);
      blendRow(values, in + at, target.dim(0), fill, out + at);
    },
    progress);
}

template <class V>
void maskVolume(const segcore::DistributedImage& image, const segcore::SourceVolume& volume,
  Index label, const Fill<V>& fill, V* out, const segcore::Progress& progress)
{
  const auto* in = static_cast<const V*>(volume.array()->GetVoidPointer(0));
  const Index total = volume.array()->GetNumberOfTuples();
  const Box& box = volume.bounds();
  // Voxels without a label, if there are any, are outside.
  if (box.size() != total)
  {
    segcore::forRanges(total, Index{ 1 } << 18,
      [&](Index begin, Index end)
      {
        for (Index i = begin; i < end; ++i)
        {
          out[i] = fill.changeOutside ? fill.outside : in[i];
        }
      });
  }
  segcore::forRanges(box.rows(),
    std::max<Index>(1, (Index{ 1 } << 16) / std::max<Index>(1, box.dim(0))), progress,
    [&](Index begin, Index end)
    {
      const Index count = box.dim(0);
      std::vector<std::uint8_t> inside(static_cast<std::size_t>(count));
      for (Index r = begin; r < end; ++r)
      {
        const Index j = box.lo[1] + r % box.dim(1);
        const Index k = box.lo[2] + r / box.dim(1);
        switch (image.scalarType())
        {
          segcoreTemplateMacro(
            markRow<VTK_TT>(image, label, box.lo[0], j, k, count, inside.data()));
        }
        const V* row = volume.row<V>(box.lo[0], j, k);
        maskRow(inside.data(), std::uint8_t{ 1 }, row, count, fill, out + (row - in));
      }
    });
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapMaskVolume::vtkLabelMapMaskVolume()
{
  this->SetNumberOfInputPorts(2);
  for (int port = 0; port < 2; ++port)
  {
    this->SetInputArrayToProcess(
      port, port, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapMaskVolume::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "SegmentLabel", this->SegmentLabel, 1, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkRange<int>("Operation", this->Operation, FILL_INSIDE, FILL_INSIDE_AND_OUTSIDE),
    segcore::checkRange("FillValue", this->FillValue, -Largest, Largest),
    segcore::checkRange(
      "BinaryMaskFillValueInside", this->BinaryMaskFillValueInside, -Largest, Largest),
    segcore::checkRange(
      "BinaryMaskFillValueOutside", this->BinaryMaskFillValueOutside, -Largest, Largest),
    segcore::checkRange("SoftEdgeMm", this->SoftEdgeMm, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapMaskVolume::RequestInformation(
  vtkInformation* request, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The output has the voxels of the volume.
  vtkInformationVector* volume[1] = { inputVector[1] };
  return this->Superclass::RequestInformation(request, volume, outputVector);
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapMaskVolume::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* labels = vtkImageData::GetData(inputVector[0]);
  vtkImageData* source = vtkImageData::GetData(inputVector[1]);
  vtkImageData* output = vtkImageData::GetData(outputVector);
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(this->CheckParameters());
    const segcore::DistributedImage image(
      communicator, labels, segcore::arrayToProcess(communicator, this, labels));
    vtkDataArray* array = nullptr;
    communicator.run(
      [&]
      {
        array = this->GetInputArrayToProcess(1, source);
        if (!array && source->GetNumberOfPoints() > 0)
        {
          throw std::invalid_argument("the volume has no such point array");
        }
      });
    const segcore::SourceVolume volume(
      communicator, source, array, image.geometry(), image.piece());
    if (!volume.aligned())
    {
      throw segcore::AgreedError("the volume '" + volume.arrayName() +
        "' does not have the voxels of the label map: resample it first");
    }
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    SoftMask mask;
    if (this->SoftEdgeMm > 0.0)
    {
      mask = fetchSoftMask(communicator, image, volume, this->SegmentLabel, this->SoftEdgeMm);
    }
    vtkSmartPointer<vtkDataArray> masked;
    const auto write = [&](auto zero)
    {
      using V = decltype(zero);
      const bool both = this->Operation == FILL_INSIDE_AND_OUTSIDE;
      Fill<V> fill{};
      fill.changeInside = both || this->Operation == FILL_INSIDE;
      fill.changeOutside = both || this->Operation == FILL_OUTSIDE;
      fill.inside = both
        ? segcore::fillValueAs<V>("BinaryMaskFillValueInside", this->BinaryMaskFillValueInside)
        : segcore::fillValueAs<V>("FillValue", this->FillValue);
      fill.outside = both
        ? segcore::fillValueAs<V>("BinaryMaskFillValueOutside", this->BinaryMaskFillValueOutside)
        : fill.inside;
      if (array)
      {
        masked.TakeReference(array->NewInstance());
        masked->SetName(array->GetName());
        masked->SetNumberOfTuples(array->GetNumberOfTuples());
        segcore::withThreads(
          [&]
          {
            auto* out = static_cast<V*>(masked->GetVoidPointer(0));
            if (this->SoftEdgeMm > 0.0)
            {
              blendVolume(mask, volume, fill, out, progress);
            }
            else
            {
              maskVolume(image, volume, this->SegmentLabel, fill, out, progress);
            }
          },
          array->GetNumberOfTuples());
      }
    };
    communicator.run(
      [&]
      {
        progress.step(0.0);
        switch (volume.scalarType())
        {
          segcoreTemplateMacro(write(VTK_TT()));
          default:
            throw std::invalid_argument("the volume has an unknown scalar type");
        }
      });
    output->ShallowCopy(source);
    if (masked)
    {
      output->GetPointData()->AddArray(masked);
      output->GetPointData()->SetScalars(masked);
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
void vtkLabelMapMaskVolume::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "Operation: " << this->Operation << "\n";
  os << indent << "FillValue: " << this->FillValue << "\n";
  os << indent << "BinaryMaskFillValueInside: " << this->BinaryMaskFillValueInside << "\n";
  os << indent << "BinaryMaskFillValueOutside: " << this->BinaryMaskFillValueOutside << "\n";
  os << indent << "SoftEdgeMm: " << this->SoftEdgeMm << "\n";
}
