// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Geometry of an oriented image: one place for the directions, copies, bounds, Modified.
#include "DataModelTest.h"

#include "vtkImageData.h"
#include "vtkMatrix3x3.h"
#include "vtkMatrix4x4.h"

#include <cmath>

namespace
{
bool Near(double a, double b)
{
  return std::abs(a - b) < 1e-12;
}

// x and y swapped, z as it is: left-handed.
const double Swapped[9] = { 0, 1, 0, 1, 0, 0, 0, 0, 1 };

void DirectionsAreTheBaseClasses()
{
  vtkNew<vtkOrientedImageData> image;
  CHECK(image->IsEmpty());
  image->SetDirections(0, 1, 0, 1, 0, 0, 0, 0, 1); // by rows
  CHECK_RANGES(image->GetDirectionMatrix()->GetData(), Swapped, 9);
  image->SetExtent(0, 1, 0, 2, 0, 3);
  image->SetSpacing(2, 3, 4);
  image->SetOrigin(10, 20, 30);
  double point[3];
  image->TransformIndexToPhysicalPoint(1, 0, 0, point); // the first axis runs along y
  CHECK(point[0] == 10 && point[1] == 22 && point[2] == 30);
  CHECK(image->GetPoint(1)[1] == 22);

  // The base class's setters are ours.
  const double back[9] = { -1, 0, 0, 0, -1, 0, 0, 0, 1 };
  image->SetDirectionMatrix(back);
  double dirs[3][3];
  image->GetDirections(dirs);
  CHECK_RANGES(&dirs[0][0], back, 9);

  // No matrix is shared.
  vtkNew<vtkMatrix3x3> matrix;
  image->SetDirectionMatrix(matrix.Get());
  CHECK(image->GetDirectionMatrix() != matrix.Get());
  CHECK(image->GetDirectionMatrix()->GetElement(0, 0) == 1);
  vtkNew<vtkImageData> plain;
  plain->ShallowCopy(image);
  plain->SetDirectionMatrix(Swapped);
  CHECK(image->GetDirectionMatrix()->GetElement(0, 0) == 1);
  image->SetDirectionMatrix(static_cast<vtkMatrix3x3*>(nullptr));
  CHECK(image->GetMinSpacing() == 2 && image->GetMaxSpacing() == 4);
}

void Matrices()
{
  vtkNew<vtkOrientedImageData> image;
  image->SetExtent(0, 1, 0, 1, 0, 1);
  vtkNew<vtkMatrix4x4> matrix;
  const double elements[16] = { 0, 3, 0, 10, 2, 0, 0, 20, 0, 0, -4, 30, 0, 0, 0, 1 };
  matrix->DeepCopy(elements);
  Ear ear(image);
  image->SetImageToWorldMatrix(matrix);
  CHECK_EQUAL(ear.Take(), "Modified");
  CHECK(image->GetSpacing()[0] == 2 && image->GetSpacing()[1] == 3 && image->GetSpacing()[2] == 4);
  CHECK(image->GetDirectionMatrix()->GetElement(2, 2) == -1); // left-handed stays so
  image->SetGeometryFromImageToWorldMatrix(matrix);
  CHECK_EQUAL(ear.Take(), "");

  vtkNew<vtkMatrix4x4> got;
  got->SetElement(3, 0, 7);
  image->GetDirectionMatrix(got);
  CHECK(got->GetElement(3, 0) == 7 && got->GetElement(0, 3) == 0); // only the 3x3 part
  image->GetImageToWorldMatrix(got);
  CHECK_RANGES(got->GetData(), elements, 16);
  image->GetWorldToImageMatrix(got);
  const double point[4] = { 13, 22, 26, 1 };
  double index[4];
  got->MultiplyPoint(point, index);
  CHECK(Near(index[0], 1) && Near(index[1], 1) && Near(index[2], 1));

  for (const double bad : { 0.0, std::nan("") })
  {
    vtkNew<vtkMatrix4x4> wrong;
    wrong->SetElement(1, 1, bad);
    image->SetImageToWorldMatrix(wrong);
    CHECK_EQUAL(ear.Take(), "");
    CHECK(ear.Complained("column 1"));
  }
  image->GetImageToWorldMatrix(got);
  CHECK_RANGES(got->GetData(), elements, 16);
  image->GetImageToWorldMatrix(nullptr);
  image->SetImageToWorldMatrix(nullptr);
  image->GetWorldToImageMatrix(nullptr);
}

void Bounds()
{
  vtkNew<vtkOrientedImageData> image;
  CHECK(image->GetBounds()[0] == 1 && image->GetBounds()[1] == -1);
  image->SetExtent(0, 3, 0, 1, 2, 2);
  image->SetSpacing(2, 10, 100);
  image->SetDirections(0, 1, 0, -1, 0, 0, 0, 0, 1);
  // World x is the image's second axis, world y its first one, backwards.
  const double expected[6] = { -5, 15, -7, 1, 150, 250 };
  CHECK_RANGES(image->GetBounds(), expected, 6);

  // Two axes at 45 degrees: a square of 2 mm stands on its corner.
  const double s = std::sqrt(0.5);
  image->SetExtent(0, 1, 0, 1, 0, 0);
  image->SetSpacing(1, 1, 1);
  image->SetDirections(s, -s, 0, s, s, 0, 0, 0, 1);
  CHECK(Near(image->GetBounds()[1] - image->GetBounds()[0], 2 * std::sqrt(2.0)));
}

void Copies()
{
  vtkNew<vtkOrientedImageData> source;
  source->ShallowCopy(Row({ 1, 2 }));
  source->SetDirectionMatrix(Swapped);
  vtkNew<vtkOrientedImageData> copy;
  Ear ear(copy);
  copy->ShallowCopy(source);
  CHECK_EQUAL(ear.Take(), "Modified");
  CHECK_RANGES(copy->GetDirectionMatrix()->GetData(), Swapped, 9);
  CHECK(copy->GetPointData()->GetScalars() == source->GetPointData()->GetScalars());
  copy->DeepCopy(source);
  CHECK_EQUAL(ear.Take(), "Modified");
  CHECK(copy->GetPointData()->GetScalars() != source->GetPointData()->GetScalars());

  // A plain image leaves the directions alone; all else is taken over.
  vtkNew<vtkImageData> plain;
  plain->SetExtent(5, 6, 0, 0, 0, 0);
  plain->SetSpacing(3, 3, 3);
  plain->AllocateScalars(VTK_SHORT, 1);
  copy->ShallowCopy(plain);
  CHECK_EQUAL(ear.Take(), "Modified");
  CHECK_RANGES(copy->GetDirectionMatrix()->GetData(), Swapped, 9);
  CHECK(copy->GetExtent()[0] == 5 && copy->GetSpacing()[0] == 3);
  double point[3];
  copy->TransformIndexToPhysicalPoint(1, 0, 0, point); // the base class's caches are right again
  CHECK(point[0] == 0 && point[1] == 3);
  copy->DeepCopy(plain);
  copy->CopyStructure(plain);
  CHECK_RANGES(copy->GetDirectionMatrix()->GetData(), Swapped, 9);

  vtkNew<vtkOrientedImageData> straight;
  copy->CopyDirections(plain);
  copy->CopyDirections(nullptr);
  CHECK_RANGES(copy->GetDirectionMatrix()->GetData(), Swapped, 9);
  copy->CopyDirections(straight);
  CHECK(copy->GetDirectionMatrix()->GetElement(0, 0) == 1);
  copy->CopyStructure(source);
  CHECK_RANGES(copy->GetDirectionMatrix()->GetData(), Swapped, 9);
  copy->ShallowCopy(copy);
  CHECK(copy->GetExtent()[1] == 1);
}

void ModifiedOnlyOnChange()
{
  auto image = Row({ 1 });
  Ear ear(image);
  image->SetDirections(1, 0, 0, 0, 1, 0, 0, 0, 1 + 1e-17);
  CHECK_EQUAL(ear.Take(), "");
  image->SetDirections(0, 1, 0, 1, 0, 0, 0, 0, 1);
  CHECK_EQUAL(ear.Take(), "Modified");
}
}

int TestOrientedImageData(int, char*[])
{
  DirectionsAreTheBaseClasses();
  Matrices();
  Bounds();
  Copies();
  ModifiedOnlyOnChange();
  return check::result();
}
