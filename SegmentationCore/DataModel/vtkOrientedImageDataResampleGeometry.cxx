// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Extents, boxes, geometries and transforms; no voxels.
#include "vtkOrientedImageDataResample.h"

#include "vtkAbstractTransform.h"
#include "vtkBoundingBox.h"
#include "vtkDataArray.h"
#include "vtkGeneralTransform.h"
#include "vtkLinearTransform.h"
#include "vtkMath.h"
#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkTransform.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace
{
constexpr double Tolerance = 0.0001;

// World matrices of two images, the origins left out on demand.
bool SameLattice(vtkOrientedImageData* image1, vtkOrientedImageData* image2, bool withOrigin)
{
  if (!image1 || !image2)
  {
    return false;
  }
  vtkNew<vtkMatrix4x4> matrix1;
  vtkNew<vtkMatrix4x4> matrix2;
  image1->GetImageToWorldMatrix(matrix1);
  image2->GetImageToWorldMatrix(matrix2);
  for (int row = 0; row < 3 && !withOrigin; ++row)
  {
    matrix1->SetElement(row, 3, 0.0);
    matrix2->SetElement(row, 3, 0.0);
  }
  return vtkOrientedImageDataResample::IsEqual(matrix1, matrix2);
}

// Corner number 0 to 7 of a box.
void Corner(const double bounds[6], int number, double point[3])
{
  for (int axis = 0; axis < 3; ++axis)
  {
    point[axis] = bounds[2 * axis + ((number >> axis) & 1)];
  }
}

// To an index; values out of range of int are clamped.
int ToIndex(double value)
{
  return static_cast<int>(std::min<double>(std::max<double>(value, VTK_INT_MIN), VTK_INT_MAX));
}
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::InvalidateExtent(int extent[6])
{
  for (int i = 0; extent && i < 6; ++i)
  {
    extent[i] = i % 2 ? -1 : 0;
  }
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::DoGeometriesMatch(
  vtkOrientedImageData* image1, vtkOrientedImageData* image2)
{
  return SameLattice(image1, image2, true);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::DoGeometriesMatchIgnoreOrigin(
  vtkOrientedImageData* image1, vtkOrientedImageData* image2)
{
  return SameLattice(image1, image2, false);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::DoExtentsMatch(
  vtkOrientedImageData* image1, vtkOrientedImageData* image2)
{
  return image1 && image2 &&
    std::equal(image1->GetExtent(), image1->GetExtent() + 6, image2->GetExtent());
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::AreEqualWithTolerance(double a, double b)
{
  return std::abs(a - b) < Tolerance;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::IsEqual(vtkMatrix4x4* lhs, vtkMatrix4x4* rhs)
{
  return lhs && rhs &&
    std::equal(lhs->GetData(), lhs->GetData() + 16, rhs->GetData(), AreEqualWithTolerance);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::DoesTransformMatrixContainShear(vtkMatrix4x4* matrix)
{
  for (int i = 0; matrix && i < 3; ++i)
  {
    double dot = 0.0;
    for (int row = 0; row < 3; ++row)
    {
      dot += matrix->GetElement(row, i) * matrix->GetElement(row, (i + 1) % 3);
    }
    if (!(std::abs(dot) < Tolerance))
    {
      return true;
    }
  }
  return false;
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::TransformExtent(
  const int inputExtent[6], vtkAbstractTransform* inputToOutputTransform, int outputExtent[6])
{
  if (!outputExtent)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::TransformExtent: no output extent given.");
    return;
  }
  if (!inputExtent || !inputToOutputTransform || inputExtent[0] > inputExtent[1] ||
    inputExtent[2] > inputExtent[3] || inputExtent[4] > inputExtent[5])
  {
    InvalidateExtent(outputExtent);
    return;
  }
  double box[6];
  for (int i = 0; i < 6; ++i)
  {
    box[i] = inputExtent[i] + (i % 2 ? 0.5 : -0.5);
  }
  double mapped[6];
  TransformBounds(box, inputToOutputTransform, mapped);
  for (int i = 0; i < 6; ++i)
  {
    // Numbers that should be whole are not quite, after a transform.
    const double centre = mapped[i] + (i % 2 ? -0.5 : 0.5);
    const double rounded = std::round(centre * 1e6) / 1e6;
    outputExtent[i] = ToIndex(i % 2 ? std::ceil(rounded) : std::floor(rounded));
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::TransformBounds(
  const double inputBounds[6], vtkAbstractTransform* inputToOutputTransform, double outputBounds[6])
{
  if (!outputBounds)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::TransformBounds: no output box given.");
    return;
  }
  vtkBoundingBox box;
  if (inputBounds && inputToOutputTransform && vtkMath::AreBoundsInitialized(inputBounds))
  {
    for (int number = 0; number < 8; ++number)
    {
      double point[3];
      Corner(inputBounds, number, point);
      inputToOutputTransform->TransformPoint(point, point);
      box.AddPoint(point);
    }
  }
  else if (!inputBounds || !inputToOutputTransform)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::TransformBounds: no "
      << (inputBounds ? "transform" : "input box") << " given.");
  }
  vtkMath::UninitializeBounds(outputBounds);
  if (box.IsValid())
  {
    box.GetBounds(outputBounds);
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::TransformOrientedImageDataBounds(
  vtkOrientedImageData* image, vtkAbstractTransform* transform, double transformedBounds[6])
{
  if (!image || !transform || !transformedBounds)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::TransformOrientedImageDataBounds: no "
      << (!image         ? "image"
             : transform ? "output box"
                         : "transform")
      << " given.");
    return;
  }
  vtkMath::UninitializeBounds(transformedBounds);
  if (image->IsEmpty())
  {
    return;
  }
  vtkNew<vtkMatrix4x4> imageToWorld;
  image->GetImageToWorldMatrix(imageToWorld);
  const int* extent = image->GetExtent();
  vtkBoundingBox box;
  constexpr int Steps = 5;
  for (int face = 0; face < 6; ++face)
  {
    const int axis = face / 2;
    const int others[2] = { (axis + 1) % 3, (axis + 2) % 3 };
    for (int n = 0; n < (Steps + 1) * (Steps + 1); ++n)
    {
      double point[4] = { 0.0, 0.0, 0.0, 1.0 };
      point[axis] = extent[face] + (face % 2 ? 0.5 : -0.5);
      const int steps[2] = { n % (Steps + 1), n / (Steps + 1) };
      for (int i = 0; i < 2; ++i)
      {
        const double low = extent[2 * others[i]] - 0.5;
        const double high = extent[2 * others[i] + 1] + 0.5;
        point[others[i]] = low + (high - low) * steps[i] / Steps;
      }
      imageToWorld->MultiplyPoint(point, point);
      transform->TransformPoint(point, point);
      box.AddPoint(point);
    }
  }
  box.GetBounds(transformedBounds);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::GetTransformBetweenOrientedImages(
  vtkOrientedImageData* image1, vtkOrientedImageData* image2, vtkTransform* image1ToImage2Transform)
{
  if (!image1 || !image2 || !image1ToImage2Transform)
  {
    return false;
  }
  vtkNew<vtkMatrix4x4> imageToWorld;
  vtkNew<vtkMatrix4x4> worldToImage;
  image1->GetImageToWorldMatrix(imageToWorld);
  image2->GetWorldToImageMatrix(worldToImage);
  image1ToImage2Transform->Identity();
  image1ToImage2Transform->Concatenate(worldToImage);
  image1ToImage2Transform->Concatenate(imageToWorld);
  return true;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::IsTransformLinear(
  vtkAbstractTransform* transform, vtkTransform* linearTransform)
{
  if (!transform || !linearTransform)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::IsTransformLinear: no "
      << (transform ? "output transform" : "transform") << " given.");
    return false;
  }
  if (vtkLinearTransform* linear = vtkLinearTransform::SafeDownCast(transform))
  {
    linear->Update();
    linearTransform->SetMatrix(linear->GetMatrix());
    return true;
  }
  vtkGeneralTransform* general = vtkGeneralTransform::SafeDownCast(transform);
  if (!general)
  {
    vtkErrorWithObjectMacro(transform,
      "vtkOrientedImageDataResample::IsTransformLinear: "
        << transform->GetClassName()
        << " is not a kind that can be asked; a vtkLinearTransform or a vtkGeneralTransform is.");
    return false;
  }
  general->Update(); // parts come in the order in which they are applied
  vtkNew<vtkTransform> whole;
  whole->PostMultiply();
  for (int i = 0; i < general->GetNumberOfConcatenatedTransforms(); ++i)
  {
    vtkAbstractTransform* part = general->GetConcatenatedTransform(i);
    vtkNew<vtkTransform> linearPart;
    if ((!vtkLinearTransform::SafeDownCast(part) && !vtkGeneralTransform::SafeDownCast(part)) ||
      !IsTransformLinear(part, linearPart))
    {
      return false;
    }
    whole->Concatenate(linearPart->GetMatrix());
  }
  linearTransform->SetMatrix(whole->GetMatrix());
  return true;
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::PrintImageInformation(
  vtkImageData* imageData, ostream& os, vtkIndent indent)
{
  if (!imageData)
  {
    os << indent << "Image: none\n";
    return;
  }
  const double* origin = imageData->GetOrigin();
  const double* spacing = imageData->GetSpacing();
  const int* extent = imageData->GetExtent();
  os << indent << "Origin: (" << origin[0] << ", " << origin[1] << ", " << origin[2] << ")\n";
  os << indent << "Spacing: (" << spacing[0] << ", " << spacing[1] << ", " << spacing[2] << ")\n";
  if (vtkOrientedImageData* oriented = vtkOrientedImageData::SafeDownCast(imageData))
  {
    double directions[3][3];
    oriented->GetDirections(directions);
    os << indent << "Directions:\n";
    for (const auto& row : directions)
    {
      os << indent.GetNextIndent() << row[0] << " " << row[1] << " " << row[2] << "\n";
    }
  }
  os << indent << "Extent: (" << extent[0] << ", " << extent[1] << ", " << extent[2] << ", "
     << extent[3] << ", " << extent[4] << ", " << extent[5] << ")\n";
  if (vtkDataArray* scalars = imageData->GetPointData()->GetScalars())
  {
    os << indent << "Scalars: " << scalars->GetDataTypeAsString() << ", "
       << scalars->GetNumberOfComponents() << " component(s), " << scalars->GetNumberOfTuples()
       << " voxel(s)\n";
  }
  else
  {
    os << indent << "Scalars: none\n";
  }
}
