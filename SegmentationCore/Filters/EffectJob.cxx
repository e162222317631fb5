// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EffectJob.h"

#include "Buffer.h"
#include "MergeMask.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkMatrix3x3.h"
#include "vtkMultiProcessController.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <type_traits>

namespace segcore
{
namespace
{

/// What a rank tells the others about its piece; sent as bytes.
struct PieceDescription
{
  std::int32_t HasVoxels = 0;
  std::int32_t ScalarType = VTK_VOID;
  Geometry Shape;
  char Name[256] = {};
};

std::string extentText(const int extent[6])
{
  std::ostringstream text;
  text << "(" << extent[0] << ", " << extent[1] << ", " << extent[2] << ", " << extent[3] << ", "
       << extent[4] << ", " << extent[5] << ")";
  return text.str();
}

/// Throws if this piece cannot be worked on.
PieceDescription describe(vtkImageData* input, vtkDataArray* scalars)
{
  PieceDescription piece;
  const Box box = Box::fromExtent(input->GetExtent());
  if (box.empty())
  {
    return piece;
  }
  if (!scalars)
  {
    throw std::invalid_argument("the input image has no point array to process; expected one "
                                "array with one value per voxel");
  }
  const std::string name = scalars->GetName() ? scalars->GetName() : "";
  if (scalars->GetNumberOfComponents() != 1)
  {
    throw std::invalid_argument("array '" + name + "' has " +
      std::to_string(scalars->GetNumberOfComponents()) + " components, expected 1");
  }
  if (scalars->GetNumberOfTuples() != box.size())
  {
    throw std::invalid_argument("array '" + name + "' has " +
      std::to_string(scalars->GetNumberOfTuples()) + " values, expected " +
      std::to_string(box.size()) + " for the extent " + extentText(input->GetExtent()) +
      "; it must be a point array");
  }
  if (scalars->GetDataType() == VTK_BIT)
  {
    throw std::invalid_argument("array '" + name + "' holds bits; convert it to unsigned char");
  }
  if (name.size() >= sizeof(PieceDescription::Name))
  {
    throw std::invalid_argument("the name of array '" + name + "' is longer than 255 bytes");
  }
  piece.HasVoxels = 1;
  piece.ScalarType = scalars->GetDataType();
  std::memcpy(piece.Name, name.c_str(), name.size());
  input->GetOrigin(piece.Shape.Origin);
  input->GetSpacing(piece.Shape.Spacing);
  std::memcpy(piece.Shape.Direction, input->GetDirectionMatrix()->GetData(), 9 * sizeof(double));
  for (int axis = 0; axis < 3; ++axis)
  {
    const double spacing = piece.Shape.Spacing[axis];
    if (!(std::isfinite(spacing) && spacing > 0.0))
    {
      std::ostringstream text;
      text << "the spacing of the image is " << spacing << " on axis " << axis
           << ", expected a positive number";
      throw std::invalid_argument(text.str());
    }
  }
  return piece;
}

/// Whether T can hold the label exactly.
template <class T>
bool holds(Index label)
{
  if (std::is_floating_point<T>::value)
  {
    // Beyond the digits of T neighbouring labels would be the same number.
    return label <= (Index(1) << std::numeric_limits<T>::digits);
  }
  return static_cast<std::uint64_t>(label) <=
    static_cast<std::uint64_t>(std::numeric_limits<T>::max());
}

} // namespace

//------------------------------------------------------------------------------------------------
EffectJob::EffectJob(vtkLabelMapAlgorithm* filter, vtkImageData* input, vtkDataArray* scalars)
  : Filter(filter)
  , Comm(filter->Controller)
  , Label(filter->SegmentLabel)
{
  PieceDescription own;
  this->Comm.run([&] { own = describe(input, scalars); });

  Bytes message(sizeof(own));
  std::memcpy(message.data(), &own, sizeof(own));
  PieceDescription first;
  std::string difference;
  for (const Bytes& bytes : this->Comm.allGather(message))
  {
    PieceDescription other;
    std::memcpy(&other, bytes.data(), sizeof(other));
    if (!other.HasVoxels)
    {
      continue;
    }
    if (!first.HasVoxels)
    {
      first = other;
    }
    // All ranks compare the same descriptions in the same order, so they throw alike.
    if (other.ScalarType != first.ScalarType)
    {
      difference = "the ranks hold different scalar types";
    }
    else if (std::memcmp(&other.Shape, &first.Shape, sizeof(Geometry)) != 0)
    {
      difference = "the ranks hold images of different origin, spacing or direction";
    }
  }
  if (!first.HasVoxels)
  {
    difference = "the input image has no voxels";
  }
  if (!difference.empty())
  {
    throw AgreedError(difference);
  }
  this->ScalarType = first.ScalarType;
  this->ImageGeometry = first.Shape;
  this->InputName = first.Name;
  this->Piece = Box::fromExtent(input->GetExtent());
  this->Layout = std::make_unique<Distribution>(this->Comm, this->Piece, filter->NumberOfBlocks);

  this->Comm.run(
    [&]
    {
      if (own.HasVoxels)
      {
        if (!scalars->HasStandardMemoryLayout())
        {
          // Arrays that compute or stride their values are written out once.
          this->InputHolder.TakeReference(vtkDataArray::CreateDataArray(scalars->GetDataType()));
          this->InputHolder->DeepCopy(scalars);
          scalars = this->InputHolder;
        }
        this->InputVoxels = scalars->GetVoidPointer(0);
      }
    });

  this->Reporter.report = [this](double fraction) { this->Filter->UpdateProgress(fraction); };
  this->Reporter.cancelled = [this] { return isAborted(this->Filter); };
}

//------------------------------------------------------------------------------------------------
void* EffectJob::makeOutputArray(int vtkType, const char* name)
{
  this->Comm.run(
    [&]
    {
      this->Output.TakeReference(vtkDataArray::CreateDataArray(vtkType));
      this->Output->SetName(name);
      this->Output->SetNumberOfTuples(this->Piece.size());
    });
  return this->Piece.empty() ? nullptr : this->Output->GetVoidPointer(0);
}

//------------------------------------------------------------------------------------------------
void EffectJob::forEachBlock(const std::function<void(const Block*)>& work)
{
  const auto& blocks = this->Layout->localBlocks();
  const Index turns = this->Comm.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    this->Comm.run([&] { this->Reporter.step(static_cast<double>(turn) / turns); });
    work(turn < static_cast<Index>(blocks.size()) ? &blocks[turn] : nullptr);
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void EffectJob::replaceSegmentTyped(const Index halo[3], const MaskMaker& makeMask)
{
  if (!holds<T>(this->Label))
  {
    // Parameters and type are the same on all ranks, so all throw.
    throw AgreedError("SegmentLabel " + std::to_string(this->Label) +
      " does not fit the scalar type of array '" + this->InputName + "'");
  }
  const T label = static_cast<T>(this->Label);
  const T* labels = this->input<T>();
  T* out = this->makeOutput<T>(this->ScalarType, this->inputName());
  const double turns = static_cast<double>(
    this->Comm.allReduceMax(static_cast<Index>(this->Layout->localBlocks().size())));
  double turn = 0.0;

  this->forEachBlock(
    [&](const Block* block)
    {
      Box padded;
      Buffer<std::uint8_t> mask, result;
      this->Comm.run(
        [&]
        {
          if (block)
          {
            padded = this->Layout->grown(block->box, halo);
            mask = Buffer<std::uint8_t>(padded.size());
            result = Buffer<std::uint8_t>(block->box.size());
          }
        });
      std::vector<Request<std::uint8_t>> requests;
      if (block)
      {
        requests.emplace_back(padded, mask.data());
      }
      fetchMask(this->Comm, *this->Layout, labels, [label](T value) { return value == label; }, requests);
      this->Comm.run(
        [&]
        {
          if (!block)
          {
            return;
          }
          const Progress part = this->Reporter.part(turn / turns, (turn + 1.0) / turns);
          makeMask(mask.data(), padded, block->box, result.data(), part);
          const Box& box = block->box;
          for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
          {
            if (box.dim(0) == this->Piece.dim(0))
            {
              // Rows follow each other in both arrays: one call for the slice.
              const Index at = this->Piece.offset(box.lo[0], box.lo[1], k);
              mergeMask(result.data() + box.offset(box.lo[0], box.lo[1], k), labels + at,
                box.dim(0) * box.dim(1), label, out + at);
              continue;
            }
            for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
            {
              const Index at = this->Piece.offset(box.lo[0], j, k);
              mergeMask(result.data() + box.offset(box.lo[0], j, k), labels + at, box.dim(0), label,
                out + at);
            }
          }
        });
      turn += 1.0;
    });
  completePiece(this->Comm, *this->Layout, out);
}

//------------------------------------------------------------------------------------------------
void EffectJob::replaceSegment(const Index halo[3], const MaskMaker& makeMask)
{
  switch (this->ScalarType)
  {
    vtkTemplateMacro(this->replaceSegmentTyped<VTK_TT>(halo, makeMask));
    default:
      throw AgreedError("array '" + this->InputName + "' has an unknown scalar type");
  }
}

} // namespace segcore
