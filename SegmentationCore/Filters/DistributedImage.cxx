// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "DistributedImage.h"

#include "vtkAlgorithm.h"
#include "vtkDataArray.h"
#include "vtkDataObject.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkMatrix3x3.h"
#include "vtkPointData.h"

#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

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

} // namespace

//------------------------------------------------------------------------------------------------
vtkDataArray* arrayToProcess(
  const Communicator& communicator, vtkAlgorithm* algorithm, vtkImageData* image, int input)
{
  vtkDataArray* array = nullptr;
  communicator.run(
    [&]
    {
      vtkInformation* wanted = algorithm->GetInputArrayInformation(input);
      const char* name =
        wanted->Has(vtkDataObject::FIELD_NAME()) ? wanted->Get(vtkDataObject::FIELD_NAME()) : "";
      vtkPointData* points = image->GetPointData();
      array = *name ? points->GetArray(name) : points->GetScalars();
      if (!array && image->GetNumberOfPoints() > 0)
      {
        std::string known;
        for (int i = 0; i < points->GetNumberOfArrays(); ++i)
        {
          known += std::string(i ? ", '" : "'") +
            (points->GetArrayName(i) ? points->GetArrayName(i) : "") + "'";
        }
        throw std::invalid_argument((input == 0 ? "the input image" : "the volume") +
          (*name ? " has no point array '" + std::string(name) + "'"
                 : std::string(" has no active point scalars")) +
          "; it has " + (known.empty() ? "no point arrays" : known));
      }
    });
  return array;
}

//------------------------------------------------------------------------------------------------
void Geometry::copyTo(vtkImageData* image) const
{
  image->SetOrigin(this->Origin[0], this->Origin[1], this->Origin[2]);
  image->SetSpacing(this->Spacing[0], this->Spacing[1], this->Spacing[2]);
  image->SetDirectionMatrix(this->Direction);
}

//------------------------------------------------------------------------------------------------
DistributedImage::DistributedImage(
  const Communicator& communicator, vtkImageData* image, vtkDataArray* scalars, Index blocksPerRank)
{
  PieceDescription own;
  communicator.run([&] { own = describe(image, scalars); });

  Bytes message(sizeof(own));
  std::memcpy(message.data(), &own, sizeof(own));
  PieceDescription first;
  std::string difference;
  for (const Bytes& bytes : communicator.allGather(message))
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
  this->Type = first.ScalarType;
  this->Shape = first.Shape;
  this->Name = first.Name;
  this->Piece = Box::fromExtent(image->GetExtent());
  this->Layout = Distribution(communicator, this->Piece, blocksPerRank);

  communicator.run(
    [&]
    {
      if (own.HasVoxels)
      {
        if (!scalars->HasStandardMemoryLayout())
        {
          // Arrays that compute or stride their values are written out once.
          this->Holder.TakeReference(vtkDataArray::CreateDataArray(scalars->GetDataType()));
          this->Holder->DeepCopy(scalars);
          scalars = this->Holder;
        }
        this->Voxels = scalars->GetVoidPointer(0);
      }
    });
}

//------------------------------------------------------------------------------------------------
DistributedImage::~DistributedImage() = default;

} // namespace segcore
