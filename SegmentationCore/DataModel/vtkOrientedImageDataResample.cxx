// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Resampling to other lattices. Voxels of one lattice: vtkOrientedImageDataResampleVoxels.cxx.
#include "vtkOrientedImageDataResample.h"

#include "ImageResult.h"
#include "Resample.h"
#include "ThreadScope.h"
#include "VoxelBox.h"

#include "vtkAbstractTransform.h"
#include "vtkGeneralTransform.h"
#include "vtkLinearTransform.h"
#include "vtkMatrix4x4.h"
#include "vtkObjectFactory.h"
#include "vtkTransform.h"

#include <cmath>

vtkStandardNewMacro(vtkOrientedImageDataResample);

using segcore::Box;
using segcore::Index;

namespace
{
// From the indices of a lattice to the world, there by a transform, and to the indices of an image.
struct Journey
{
  vtkNew<vtkMatrix4x4> Start;
  vtkAbstractTransform* Between = nullptr; // null: none. Must be up to date.
  vtkNew<vtkMatrix4x4> End;

  bool IsLinear(vtkTransform* between) const
  {
    if (!this->Between)
    {
      between->Identity();
      return true;
    }
    // Asked without complaint: other kinds are not errors here.
    return (vtkLinearTransform::SafeDownCast(this->Between) ||
             vtkGeneralTransform::SafeDownCast(this->Between)) &&
      vtkOrientedImageDataResample::IsTransformLinear(this->Between, between);
  }
};

void Multiply(const double matrix[16], const double in[3], double out[3])
{
  for (int row = 0; row < 3; ++row)
  {
    out[row] = matrix[4 * row] * in[0] + matrix[4 * row + 1] * in[1] + matrix[4 * row + 2] * in[2] +
      matrix[4 * row + 3];
  }
}

// The image's scalars as seen from the voxels of a box of another lattice.
vtkSmartPointer<vtkDataArray> ReadFrom(vtkOrientedImageData* image, const Journey& journey,
  const Box& box, bool linearInterpolation, double backgroundValue)
{
  vtkDataArray* scalars = segcore::scalarsOf(image);
  const Index components = scalars->GetNumberOfComponents();
  const vtkSmartPointer<vtkDataArray> out =
    segcore::newScalars(scalars->GetDataType(), components, box);
  if (!out)
  {
    vtkErrorWithObjectMacro(
      image, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
    return nullptr;
  }
  const auto interpolation =
    linearInterpolation ? segcore::Interpolation::Linear : segcore::Interpolation::Nearest;
  const Box stored = segcore::boxOf(image);
  vtkNew<vtkTransform> between;
  const bool linear = journey.IsLinear(between);
  vtkNew<vtkMatrix4x4> whole;
  vtkMatrix4x4::Multiply4x4(between->GetMatrix(), journey.Start, whole);
  vtkMatrix4x4::Multiply4x4(journey.End, whole, whole);
  const segcore::PositionsOfRow positionsOf =
    [&journey](Index i, Index j, Index k, Index count, double* positions)
  {
    for (Index n = 0; n < count; ++n, positions += 3)
    {
      const double index[3] = { static_cast<double>(i + n), static_cast<double>(j),
        static_cast<double>(k) };
      double world[3];
      Multiply(journey.Start->GetData(), index, world);
      journey.Between->InternalTransformPoint(world, world);
      Multiply(journey.End->GetData(), world, positions);
    }
  };
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* in)
        {
          using T = std::decay_t<decltype(*in)>;
          T* to = static_cast<T*>(out->GetVoidPointer(0));
          const T background = segcore::clampedTo<T>(backgroundValue);
          if (linear)
          {
            segcore::resample<T>(in, stored, segcore::LatticeMap::fromMatrix(whole->GetData()),
              interpolation, background, components, to, box, box);
          }
          else
          {
            segcore::resampleAt<T>(
              in, stored, positionsOf, interpolation, background, components, to, box, box);
          }
        });
    },
    box.size());
  return out;
}

// The box of an extent mapped by a transform of indices.
Box Mapped(const int extent[6], vtkAbstractTransform* transform)
{
  int mapped[6];
  vtkOrientedImageDataResample::TransformExtent(extent, transform, mapped);
  return Box::fromExtent(mapped);
}

// The first of four types that holds the background of an image without voxels.
int TypeForBackground(double value)
{
  for (const int type : { VTK_UNSIGNED_CHAR, VTK_SHORT, VTK_UNSIGNED_SHORT })
  {
    if (value >= vtkDataArray::GetDataTypeMin(type) && value <= vtkDataArray::GetDataTypeMax(type))
    {
      return type;
    }
  }
  return VTK_DOUBLE;
}
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::ResampleOrientedImageToReferenceGeometry(
  vtkOrientedImageData* inputImage, vtkMatrix4x4* referenceGeometryMatrix,
  vtkOrientedImageData* outputImage, bool linearInterpolation)
{
  if (!inputImage || !referenceGeometryMatrix || !outputImage)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::ResampleOrientedImageToReferenceGeometry: no "
      << (!inputImage      ? "input image"
             : outputImage ? "reference matrix"
                           : "output image")
      << " given.");
    return false;
  }
  int effective[6];
  if (!CalculateEffectiveExtent(inputImage, effective))
  {
    return false; // nothing to resample
  }
  vtkNew<vtkOrientedImageData> reference;
  reference->SetImageToWorldMatrix(referenceGeometryMatrix);
  vtkNew<vtkMatrix4x4> accepted;
  reference->GetImageToWorldMatrix(accepted);
  if (!IsEqual(accepted, referenceGeometryMatrix))
  {
    return false; // the reference said what is wrong with the matrix
  }
  vtkNew<vtkTransform> inputToReference;
  GetTransformBetweenOrientedImages(inputImage, reference, inputToReference);
  int extent[6];
  TransformExtent(effective, inputToReference, extent);
  reference->SetExtent(extent);
  return ResampleOrientedImageToReferenceOrientedImage(
    inputImage, reference, outputImage, linearInterpolation);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage(
  vtkOrientedImageData* inputImage, vtkOrientedImageData* referenceImage,
  vtkOrientedImageData* outputImage, bool linearInterpolation, bool padImage,
  vtkAbstractTransform* inputImageTransform, double backgroundValue)
{
  if (!inputImage || !referenceImage || !outputImage)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage: no "
      << (!inputImage      ? "input"
             : outputImage ? "reference"
                           : "output")
      << " image given.");
    return false;
  }
  Box box = segcore::boxOf(referenceImage);
  if (inputImage->IsEmpty())
  {
    const vtkSmartPointer<vtkDataArray> scalars =
      segcore::newScalars(TypeForBackground(backgroundValue), 1, box);
    if (!scalars)
    {
      vtkErrorWithObjectMacro(
        inputImage, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
      return false;
    }
    segcore::setImage(outputImage, referenceImage, box, scalars, inputImage);
    FillImage(outputImage, backgroundValue);
    return true;
  }
  if (!segcore::scalarsOf(inputImage))
  {
    vtkErrorWithObjectMacro(inputImage,
      "vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage: the input "
      "image has no scalars for the voxels of its extent.");
    return false;
  }
  if (inputImageTransform)
  {
    inputImageTransform->Update();
  }
  vtkGeneralTransform* general = vtkGeneralTransform::SafeDownCast(inputImageTransform);
  const bool moved =
    inputImageTransform && !(general && general->GetNumberOfConcatenatedTransforms() == 0);
  const bool sameLattice = !moved && DoGeometriesMatch(inputImage, referenceImage);
  Journey journey;
  referenceImage->GetImageToWorldMatrix(journey.Start);
  if (padImage)
  {
    vtkNew<vtkMatrix4x4> matrix;
    vtkNew<vtkGeneralTransform> inputToReference;
    inputToReference->PostMultiply();
    inputImage->GetImageToWorldMatrix(matrix);
    inputToReference->Concatenate(matrix);
    if (moved)
    {
      inputToReference->Concatenate(inputImageTransform);
    }
    vtkNew<vtkMatrix4x4> inverse;
    referenceImage->GetWorldToImageMatrix(inverse);
    inputToReference->Concatenate(inverse);
    box = box.unite(Mapped(inputImage->GetExtent(), inputToReference));
  }
  if (box.empty())
  {
    return false;
  }
  vtkDataArray* scalars = inputImage->GetPointData()->GetScalars();
  vtkSmartPointer<vtkDataArray> result;
  if (sameLattice)
  {
    result = segcore::newScalars(scalars->GetDataType(), scalars->GetNumberOfComponents(), box);
    if (!result)
    {
      vtkErrorWithObjectMacro(
        inputImage, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
      return false;
    }
    const Box stored = segcore::boxOf(inputImage);
    segcore::withThreads(
      [&]
      {
        segcore::withScalars(scalars,
          [&](auto* from)
          {
            using T = std::decay_t<decltype(*from)>;
            segcore::copyPadded(from, stored, static_cast<T*>(result->GetVoidPointer(0)), box,
              segcore::clampedTo<T>(backgroundValue), scalars->GetNumberOfComponents());
          });
      },
      box.size());
  }
  else
  {
    if (moved)
    {
      journey.Between = inputImageTransform->GetInverse();
      journey.Between->Update();
    }
    inputImage->GetWorldToImageMatrix(journey.End);
    result = ReadFrom(inputImage, journey, box, linearInterpolation, backgroundValue);
    if (!result)
    {
      return false;
    }
  }
  result->SetName(scalars->GetName());
  segcore::setImage(outputImage, referenceImage, box, result, inputImage);
  return true;
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::TransformOrientedImage(vtkOrientedImageData* image,
  vtkAbstractTransform* transform, bool geometryOnly, bool alwaysResample, bool linearInterpolation,
  double backgroundColor[4])
{
  if (!image || !transform)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::TransformOrientedImage: no "
      << (image ? "transform" : "image") << " given.");
    return;
  }
  transform->Update();
  vtkNew<vtkMatrix4x4> imageToWorld;
  image->GetImageToWorldMatrix(imageToWorld);
  vtkNew<vtkTransform> linear;
  const bool canBeLinear =
    vtkLinearTransform::SafeDownCast(transform) || vtkGeneralTransform::SafeDownCast(transform);
  if (!alwaysResample && canBeLinear && IsTransformLinear(transform, linear))
  {
    vtkMatrix4x4::Multiply4x4(linear->GetMatrix(), imageToWorld, imageToWorld);
    image->SetImageToWorldMatrix(imageToWorld);
    return;
  }
  if (image->IsEmpty())
  {
    return;
  }

  // The box of the moved surface, in the image's own indices.
  vtkNew<vtkMatrix4x4> worldToImage;
  image->GetWorldToImageMatrix(worldToImage);
  vtkNew<vtkGeneralTransform> there;
  there->PostMultiply();
  there->Concatenate(transform);
  there->Concatenate(worldToImage);
  double bounds[6];
  TransformOrientedImageDataBounds(image, there, bounds);
  Box box;
  for (int axis = 0; axis < 3; ++axis)
  {
    if (!std::isfinite(bounds[2 * axis]) || !std::isfinite(bounds[2 * axis + 1]) ||
      bounds[2 * axis] < VTK_INT_MIN || bounds[2 * axis + 1] > VTK_INT_MAX)
    {
      vtkErrorWithObjectMacro(image,
        "vtkOrientedImageDataResample::TransformOrientedImage: the transform moves the image out "
        "of the range of indices.");
      return;
    }
    box.lo[axis] = static_cast<Index>(std::floor(bounds[2 * axis]));
    box.hi[axis] = static_cast<Index>(std::ceil(bounds[2 * axis + 1]));
  }
  if (geometryOnly)
  {
    int extent[6];
    box.toExtent(extent);
    image->SetExtent(extent);
    return;
  }
  vtkNew<vtkOrientedImageData> reference;
  reference->CopyStructure(image);
  int extent[6];
  box.toExtent(extent);
  reference->SetExtent(extent);
  ResampleOrientedImageToReferenceOrientedImage(image, reference, image, linearInterpolation, false,
    transform, backgroundColor ? backgroundColor[0] : 0.0);
}
