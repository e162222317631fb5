// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Documented examples, types, geometry checks, traps of the original, bad input.
#include "DataModelTest.h"

#include "vtkFieldData.h"
#include "vtkGeneralTransform.h"
#include "vtkIntArray.h"
#include "vtkMatrix3x3.h"
#include "vtkMatrix4x4.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkThinPlateSplineTransform.h"
#include "vtkTransform.h"

#include <array>
#include <cfloat>
#include <cmath>

namespace
{
using Resample = vtkOrientedImageDataResample;
using Extent = std::array<int, 6>;

vtkSmartPointer<vtkOrientedImageData> Image(
  const Extent& extent, double value, int type = VTK_UNSIGNED_CHAR, double spacing = 1.0)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(const_cast<int*>(extent.data()));
  image->SetSpacing(spacing, spacing, spacing);
  image->AllocateScalars(type, 1);
  Resample::FillImage(image, value);
  return image;
}

Extent Cube(int low, int high)
{
  return { low, high, low, high, low, high };
}

bool HasExtent(vtkImageData* image, const Extent& extent)
{
  return std::equal(extent.begin(), extent.end(), image->GetExtent());
}

void Examples()
{
  vtkNew<vtkOrientedImageData> out;
  const auto unit = Image(Cube(0, 9), 1);
  CHECK(Resample::ResampleOrientedImageToReferenceOrientedImage(
    unit, Image(Cube(0, 9), 0, VTK_UNSIGNED_CHAR, 0.5), out, false, true));
  CHECK(HasExtent(out, Cube(-1, 19)));
  const auto some = Image(Cube(0, 9), 0);
  const Extent part = Cube(2, 5);
  Resample::FillImage(some, 1, part.data());
  vtkNew<vtkMatrix4x4> half;
  for (int i = 0; i < 3; ++i)
  {
    half->SetElement(i, i, 0.5);
  }
  CHECK(Resample::ResampleOrientedImageToReferenceGeometry(some, half, out));
  CHECK(HasExtent(out, Cube(3, 11)));
  CHECK(!Resample::ResampleOrientedImageToReferenceGeometry(Image(Cube(0, 3), 0), half, out));

  const struct
  {
    double Scale, Shift;
    Extent Expected;
  } mapped[] = { { 1, 0, Cube(0, 9) }, { 0.5, 0, Cube(0, 5) }, { 1, 0.3, Cube(0, 10) },
    { 1, -0.3, Cube(-1, 9) } };
  for (const auto& one : mapped)
  {
    vtkNew<vtkTransform> transform;
    transform->Translate(one.Shift, one.Shift, one.Shift);
    transform->Scale(one.Scale, one.Scale, one.Scale);
    Extent extent;
    Resample::TransformExtent(Cube(0, 9).data(), transform, extent.data());
    CHECK(extent == one.Expected);
  }
  // The type of an image without voxels follows the background.
  vtkNew<vtkOrientedImageData> empty;
  const std::vector<std::pair<double, int>> types{ { 0, VTK_UNSIGNED_CHAR },
    { 255, VTK_UNSIGNED_CHAR }, { -1, VTK_SHORT }, { 256, VTK_SHORT },
    { 40000, VTK_UNSIGNED_SHORT }, { 65536, VTK_DOUBLE }, { -32769, VTK_DOUBLE } };
  for (const auto& [background, type] : types)
  {
    CHECK(Resample::ResampleOrientedImageToReferenceOrientedImage(
      empty, unit, out, false, false, nullptr, background));
    CHECK_EQUAL(out->GetScalarType(), type);
    CHECK(out->GetScalarRange()[0] == background && HasExtent(out, Cube(0, 9)));
  }
}

void Types()
{
  CHECK_EQUAL(int(Resample::IsImageScalarTypeValid(nullptr)), int(Resample::TYPE_ERROR));
  const auto check = [](int type, double value)
  { return int(Resample::IsImageScalarTypeValid(Image(Cube(0, 0), value, type))); };
  CHECK_EQUAL(check(VTK_UNSIGNED_CHAR, 1), int(Resample::TYPE_OK));
  CHECK_EQUAL(check(VTK_LONG, 0), int(Resample::TYPE_CONVERSION_NEEDED));
  CHECK_EQUAL(check(VTK_DOUBLE, DBL_MAX), int(Resample::TYPE_CONVERSION_CLAMPING_NEEDED));
  CHECK_EQUAL(check(VTK_FLOAT, 0), int(Resample::TYPE_CONVERSION_TRUNCATION_NEEDED));
  // Widening keeps the object, the array's name, and the values.
  const auto layer = Image(Cube(0, 1), 255);
  vtkImageData* same = layer;
  const std::vector<std::pair<double, int>> steps{ { 255, VTK_UNSIGNED_CHAR },
    { 256, VTK_UNSIGNED_SHORT }, { 65536, VTK_UNSIGNED_INT } };
  for (const auto& [value, type] : steps)
  {
    Resample::CastImageForValue(layer, value);
    CHECK_EQUAL(layer->GetScalarType(), type);
    CHECK(same == layer && layer->GetScalarRange()[1] == 255);
  }
  // Truncation, of negative numbers too.
  for (const int type : { VTK_FLOAT, VTK_DOUBLE })
  {
    for (double value = -2.0; value <= 2.0; ++value)
    {
      const auto image = Image(Cube(0, 0), value + (value < 0 ? -0.3 : 0.3), type);
      CHECK(Resample::CastSegmentationToSmallestIntegerType(image));
      CHECK(image->GetScalarComponentAsDouble(0, 0, 0, 0) == value);
      CHECK_EQUAL(int(Resample::IsImageScalarTypeValid(image)), int(Resample::TYPE_OK));
    }
  }
  const auto large = Image(Cube(0, 0), 5e9, VTK_DOUBLE);
  CHECK(Resample::CastSegmentationToSmallestIntegerType(large));
  CHECK(large->GetScalarType() == VTK_UNSIGNED_INT && large->GetScalarRange()[1] == 4294967295.0);
  // The largest value of the type is a label like any other.
  const auto most = Image(Cube(0, 1), 255);
  std::vector<int> labels;
  Resample::GetLabelValuesInMask(labels, most, most);
  CHECK(labels == std::vector<int>{ 255 });
  const auto high = Image(Cube(0, 1), 100000, VTK_INT);
  Resample::GetLabelValuesInMask(labels, high, most);
  CHECK(labels == std::vector<int>{ 100000 });
}

void ObliqueTransforms()
{
  // The whole moved image is in the new extent; two corners would miss most of it.
  const auto image = Image(Cube(0, 9), 1);
  const double c = std::sqrt(0.5);
  image->SetDirections(c, -c, 0, c, c, 0, 0, 0, 1);
  vtkNew<vtkTransform> turn;
  turn->RotateZ(90);
  Resample::TransformOrientedImage(image, turn, false, true);
  double count = 0;
  for (vtkIdType i = 0; i < image->GetNumberOfPoints(); ++i)
  {
    count += image->GetPointData()->GetScalars()->GetComponent(i, 0);
  }
  CHECK(count >= 1000);
  CHECK(
    HasExtent(image, { -10, 1, -1, 10, -1, 10 }) || HasExtent(image, { -10, 1, -1, 10, -1, 10 }));
  // Linear transforms move the geometry only.
  const auto moved = Image(Cube(0, 3), 2);
  vtkNew<vtkGeneralTransform> general;
  general->Concatenate(turn);
  Resample::TransformOrientedImage(moved, general);
  CHECK(HasExtent(moved, Cube(0, 3)) &&
    std::abs(moved->GetDirectionMatrix()->GetData()[3] - 1) < 1e-12);

  vtkNew<vtkTransform> linear;
  vtkNew<vtkGeneralTransform> none;
  CHECK(Resample::IsTransformLinear(none, linear));
  none->PostMultiply();
  none->Concatenate(turn);
  vtkNew<vtkTransform> shift;
  shift->Translate(1, 0, 0);
  none->Concatenate(shift);
  CHECK(Resample::IsTransformLinear(none, linear));
  double point[3] = { 1, 0, 0 };
  linear->TransformPoint(point, point);
  CHECK(std::abs(point[0] - 1) < 1e-12 && std::abs(point[1] - 1) < 1e-12);
  vtkNew<vtkThinPlateSplineTransform> bent;
  Ear ear(bent);
  CHECK(!Resample::IsTransformLinear(bent, linear));
  CHECK(ear.Complained("vtkThinPlateSplineTransform"));
  none->Concatenate(bent);
  CHECK(!Resample::IsTransformLinear(none, linear));

  vtkNew<vtkMatrix4x4> shear;
  CHECK(!Resample::DoesTransformMatrixContainShear(shear));
  CHECK(!Resample::DoesTransformMatrixContainShear(nullptr));
  shear->SetElement(0, 1, 0.01);
  CHECK(Resample::DoesTransformMatrixContainShear(shear));
}

void Traps()
{
  // An extent beyond the image fills what there is.
  const auto image = Image(Cube(0, 3), 0);
  const Extent beyond = Cube(2, 90);
  Resample::FillImage(image, 7, beyond.data());
  CHECK(image->GetScalarComponentAsDouble(3, 3, 3, 0) == 7);
  CHECK(image->GetScalarComponentAsDouble(1, 3, 3, 0) == 0);
  // Values are clamped, not cut to their low bits.
  Resample::FillImage(image, 300);
  CHECK(image->GetScalarRange()[0] == 255);
  vtkNew<vtkOrientedImageData> out;
  bool modified = false;
  CHECK(Resample::MergeImage(Image(Cube(0, 3), 1), Image(Cube(2, 5), 700, VTK_SHORT), out,
    Resample::OPERATION_MAXIMUM, nullptr, 0, 1, &modified));
  CHECK(modified && out->GetScalarRange()[1] == 255 && HasExtent(out, Cube(0, 5)));
  // A large output of its own is no reason not to pad.
  vtkNew<vtkOrientedImageData> large;
  large->DeepCopy(Image(Cube(-50, 50), 1));
  CHECK(Resample::PadImageToContainImage(Image(Cube(0, 3), 1), Image(Cube(2, 5), 1), large));
  CHECK(HasExtent(large, Cube(0, 5)));
  // Padding an empty image keeps its lattice.
  vtkNew<vtkOrientedImageData> empty;
  empty->SetSpacing(2, 2, 2);
  CHECK(Resample::PadImageToContainImage(empty, Image(Cube(0, 3), 1), out));
  CHECK(out->GetSpacing()[0] == 2 && HasExtent(out, Cube(0, 2)));
  // A mask of any type.
  const auto masked = Image(Cube(0, 3), 5);
  CHECK(Resample::ApplyImageMask(masked, Image(Cube(2, 9), 1, VTK_SHORT), 9));
  CHECK(masked->GetScalarComponentAsDouble(1, 3, 3, 0) == 9);
  CHECK(masked->GetScalarComponentAsDouble(2, 3, 3, 0) == 5);
  // Field data survive resampling.
  const auto noted = Image(Cube(0, 3), 5);
  vtkNew<vtkIntArray> note;
  note->SetName("note");
  noted->GetFieldData()->AddArray(note);
  CHECK(Resample::ResampleOrientedImageToReferenceOrientedImage(
    noted, Image(Cube(0, 3), 0, VTK_UNSIGNED_CHAR, 0.7), noted));
  CHECK(noted->GetFieldData()->GetArray("note") != nullptr && noted->GetSpacing()[0] == 0.7);
}

void BadInput()
{
  const auto image = Image(Cube(0, 3), 1);
  const auto other = Image(Cube(0, 3), 2, VTK_UNSIGNED_CHAR, 0.5);
  vtkNew<vtkOrientedImageData> out;
  vtkNew<vtkOrientedImageData> empty;
  vtkNew<vtkTransform> transform;
  Extent extent;
  CHECK(!Resample::ResampleOrientedImageToReferenceOrientedImage(nullptr, image, out));
  CHECK(!Resample::ResampleOrientedImageToReferenceOrientedImage(image, nullptr, out));
  CHECK(!Resample::ResampleOrientedImageToReferenceOrientedImage(image, image, nullptr));
  CHECK(!Resample::ResampleOrientedImageToReferenceOrientedImage(image, empty, out));
  CHECK(out->IsEmpty());
  CHECK(!Resample::ResampleOrientedImageToReferenceGeometry(image, nullptr, out));
  vtkNew<vtkMatrix4x4> zero;
  zero->Zero();
  CHECK(!Resample::ResampleOrientedImageToReferenceGeometry(image, zero, out));
  for (const int operation : { 0, 1, 2 })
  {
    CHECK(!Resample::MergeImage(nullptr, image, out, operation));
    CHECK(!Resample::MergeImage(image, empty, out, operation));
    CHECK(!Resample::MergeImage(image, other, out, operation));
    CHECK(!Resample::ModifyImage(image, other, operation));
    CHECK(!Resample::ModifyImage(image, nullptr, operation));
  }
  CHECK(!Resample::ModifyImage(image, image, 3));
  CHECK(!Resample::ApplyImageMask(image, other, 1));
  CHECK(!Resample::ApplyImageMask(image, nullptr, 1));
  CHECK(!Resample::CopyImage(nullptr, out) && !Resample::CopyImage(image, nullptr));
  CHECK(!Resample::PadImageToContainImage(image, empty, out));
  CHECK(!Resample::PadImageToContainImage(image, nullptr, out));
  CHECK(!Resample::CalculateEffectiveExtent(nullptr, extent.data()));
  CHECK(!Resample::CalculateEffectiveExtent(empty, extent.data()));
  CHECK((extent == Extent{ 0, -1, 0, -1, 0, -1 }));
  Resample::TransformExtent(extent.data(), transform, extent.data());
  CHECK((extent == Extent{ 0, -1, 0, -1, 0, -1 }));
  Resample::TransformExtent(Cube(0, 1).data(), nullptr, extent.data());
  CHECK((extent == Extent{ 0, -1, 0, -1, 0, -1 }));
  std::vector<int> labels{ 3 };
  Resample::GetLabelValuesInMask(labels, nullptr, image);
  CHECK(labels.empty());
  CHECK(!Resample::IsLabelInMask(image, nullptr));
  CHECK(!Resample::DoGeometriesMatch(image, nullptr) && !Resample::DoExtentsMatch(nullptr, image));
  CHECK(!Resample::DoGeometriesMatch(image, other));
  CHECK(!Resample::IsEqual(nullptr, nullptr));
  CHECK(!Resample::CastSegmentationToSmallestIntegerType(nullptr));
  Resample::CastImageForValue(nullptr, 1);
  Resample::FillImage(nullptr, 1);
  Resample::TransformOrientedImage(nullptr, transform);
  Resample::TransformOrientedImage(image, nullptr);
  CHECK(image->GetScalarRange()[0] == 1 && HasExtent(image, Cube(0, 3)));
}
}

int TestOrientedImageDataResample(int, char*[])
{
  Examples();
  Types();
  ObliqueTransforms();
  Traps();
  BadInput();
  return check::result();
}
