// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkOrientedImageData.h"

#include "vtkMath.h"
#include "vtkMatrix3x3.h"
#include "vtkMatrix4x4.h"
#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>
#include <limits>

vtkStandardNewMacro(vtkOrientedImageData);

//----------------------------------------------------------------------------
class vtkOrientedImageData::ModifiedHold
{
public:
  explicit ModifiedHold(vtkOrientedImageData* image) : Image(image)
  {
    ++this->Image->ModifiedHolds;
  }
  ~ModifiedHold()
  {
    if (--this->Image->ModifiedHolds == 0 && this->Image->ModifiedIsPending)
    {
      this->Image->ModifiedIsPending = false;
      this->Image->Modified();
    }
  }
  ModifiedHold(const ModifiedHold&) = delete;
  void operator=(const ModifiedHold&) = delete;

private:
  vtkOrientedImageData* Image;
};

namespace
{
bool SameNumbers(const double* a, const double* b, int count)
{
  return std::equal(a, a + count, b,
    [](double x, double y) { return std::abs(x - y) < std::numeric_limits<double>::epsilon(); });
}
}

//----------------------------------------------------------------------------
vtkOrientedImageData::vtkOrientedImageData() = default;

//----------------------------------------------------------------------------
vtkOrientedImageData::~vtkOrientedImageData() = default;

//----------------------------------------------------------------------------
void vtkOrientedImageData::Modified()
{
  if (this->ModifiedHolds)
  {
    this->ModifiedIsPending = true;
    return;
  }
  this->Superclass::Modified();
}

//----------------------------------------------------------------------------
// The base class copies the matrix of any image; put back our own unless the source is oriented.
template <class Copy>
void vtkOrientedImageData::CopyKeepingDirections(vtkDataObject* src, const Copy& copy)
{
  if (!src || src == this)
  {
    return;
  }
  const ModifiedHold hold(this);
  double own[9];
  std::copy_n(this->DirectionMatrix->GetData(), 9, own);
  copy();
  if (!vtkOrientedImageData::SafeDownCast(src))
  {
    this->SetDirectionMatrix(own);
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::ShallowCopy(vtkDataObject* src)
{
  this->CopyKeepingDirections(src, [this, src] { this->Superclass::ShallowCopy(src); });
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::DeepCopy(vtkDataObject* src)
{
  this->CopyKeepingDirections(src, [this, src] { this->Superclass::DeepCopy(src); });
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::CopyStructure(vtkDataSet* src)
{
  this->CopyKeepingDirections(src, [this, src] { this->Superclass::CopyStructure(src); });
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::CopyDirections(vtkDataObject* src)
{
  if (vtkOrientedImageData* oriented = vtkOrientedImageData::SafeDownCast(src))
  {
    double dirs[3][3];
    oriented->GetDirections(dirs);
    this->SetDirections(dirs);
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetDirections(double dirs[3][3])
{
  if (!SameNumbers(dirs[0], this->DirectionMatrix->GetData(), 9))
  {
    const ModifiedHold hold(this);
    this->SetDirectionMatrix(dirs[0]); // row by row, as the base class has them
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetDirections(
  double ir, double ia, double is, double jr, double ja, double js, double kr, double ka, double ks)
{
  double dirs[3][3] = { { ir, ia, is }, { jr, ja, js }, { kr, ka, ks } };
  this->SetDirections(dirs);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::GetDirections(double dirs[3][3])
{
  std::copy_n(this->DirectionMatrix->GetData(), 9, dirs[0]);
}

//----------------------------------------------------------------------------
double vtkOrientedImageData::GetMinSpacing()
{
  return *std::min_element(this->Spacing, this->Spacing + 3);
}

//----------------------------------------------------------------------------
double vtkOrientedImageData::GetMaxSpacing()
{
  return *std::max_element(this->Spacing, this->Spacing + 3);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::GetDirectionMatrix(vtkMatrix4x4* mat)
{
  if (!mat)
  {
    return;
  }
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      mat->SetElement(row, column, this->DirectionMatrix->GetElement(row, column));
    }
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetDirectionMatrix(vtkMatrix4x4* mat)
{
  if (!mat)
  {
    return;
  }
  double dirs[3][3];
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      dirs[row][column] = mat->GetElement(row, column);
    }
  }
  this->SetDirections(dirs);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetDirectionMatrix(vtkMatrix3x3* mat)
{
  if (mat && mat != this->DirectionMatrix)
  {
    const ModifiedHold hold(this);
    this->SetDirectionMatrix(mat->GetData());
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::GetImageToWorldMatrix(vtkMatrix4x4* mat)
{
  if (!mat)
  {
    return;
  }
  // Not the base class's IndexToPhysicalMatrix: that one is a cache.
  double elements[16] = {};
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      elements[4 * row + column] =
        this->DirectionMatrix->GetElement(row, column) * this->Spacing[column];
    }
    elements[4 * row + 3] = this->Origin[row];
  }
  elements[15] = 1.0;
  mat->DeepCopy(elements);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetImageToWorldMatrix(vtkMatrix4x4* mat)
{
  if (!mat)
  {
    return;
  }
  double dirs[3][3];
  double spacing[3];
  double origin[3];
  for (int column = 0; column < 4; ++column)
  {
    const double values[3] = { mat->GetElement(0, column), mat->GetElement(1, column),
      mat->GetElement(2, column) };
    const double norm = vtkMath::Norm(values);
    if (!std::isfinite(norm) || (column < 3 && norm == 0.0))
    {
      vtkErrorMacro("SetImageToWorldMatrix: column "
        << column << " is (" << values[0] << ", " << values[1] << ", " << values[2]
        << "); finite numbers are needed, and a length above 0 for the three axes.");
      return;
    }
    for (int row = 0; row < 3; ++row)
    {
      (column < 3 ? dirs[row][column] : origin[row]) =
        column < 3 ? values[row] / norm : values[row];
    }
    if (column < 3)
    {
      spacing[column] = norm;
    }
  }
  const ModifiedHold hold(this);
  if (!SameNumbers(origin, this->Origin, 3))
  {
    this->SetOrigin(origin);
  }
  if (!SameNumbers(spacing, this->Spacing, 3))
  {
    this->SetSpacing(spacing);
  }
  this->SetDirections(dirs);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::SetGeometryFromImageToWorldMatrix(vtkMatrix4x4* mat)
{
  this->SetImageToWorldMatrix(mat);
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::GetWorldToImageMatrix(vtkMatrix4x4* mat)
{
  if (mat)
  {
    this->GetImageToWorldMatrix(mat);
    mat->Invert();
  }
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::ComputeBounds()
{
  if (this->GetMTime() <= this->ComputeTime)
  {
    return;
  }
  const int* extent = this->GetExtent();
  if (this->IsEmpty())
  {
    vtkMath::UninitializeBounds(this->Bounds);
  }
  else
  {
    // Each axis adds to the smallest and to the largest coordinate independently.
    for (int row = 0; row < 3; ++row)
    {
      double low = this->Origin[row];
      double high = low;
      for (int axis = 0; axis < 3; ++axis)
      {
        const double step = this->DirectionMatrix->GetElement(row, axis) * this->Spacing[axis];
        const double first = step * (extent[2 * axis] - 0.5);
        const double last = step * (extent[2 * axis + 1] + 0.5);
        low += std::min(first, last);
        high += std::max(first, last);
      }
      this->Bounds[2 * row] = low;
      this->Bounds[2 * row + 1] = high;
    }
  }
  this->ComputeTime.Modified();
}

//----------------------------------------------------------------------------
bool vtkOrientedImageData::IsEmpty()
{
  const int* extent = this->GetExtent();
  return extent[0] > extent[1] || extent[2] > extent[3] || extent[4] > extent[5];
}

//----------------------------------------------------------------------------
void vtkOrientedImageData::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Directions:\n";
  for (int row = 0; row < 3; ++row)
  {
    os << indent.GetNextIndent() << this->DirectionMatrix->GetElement(row, 0) << " "
       << this->DirectionMatrix->GetElement(row, 1) << " "
       << this->DirectionMatrix->GetElement(row, 2) << "\n";
  }
}
