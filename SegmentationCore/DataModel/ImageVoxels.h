// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The voxels of a vtkImageData as an array over a box, for the kernels.
#ifndef segcore_ImageVoxels_h
#define segcore_ImageVoxels_h

#include "Box.h"
#include "ScalarTypes.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkPointData.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace segcore
{

/// The box of an image's extent.
inline Box boxOf(vtkImageData* image)
{
  return Box::fromExtent(image->GetExtent());
}

/// The scalars if there is one tuple for every voxel, and at least one voxel; else null.
inline vtkDataArray* scalarsOf(vtkImageData* image)
{
  vtkDataArray* scalars = image ? image->GetPointData()->GetScalars() : nullptr;
  return scalars && scalars->GetNumberOfComponents() > 0 && !boxOf(image).empty() &&
      scalars->GetNumberOfTuples() == boxOf(image).size()
    ? scalars
    : nullptr;
}

/// Calls `work(pointer)` with the values in the array's own type; false if it has none of VTK's
/// scalar types.
template <class Work>
bool withScalars(vtkDataArray* scalars, const Work& work)
{
  switch (scalars->GetDataType())
  {
    segcoreTemplateMacro(work(static_cast<VTK_TT*>(scalars->GetVoidPointer(0))));
    default:
      return false;
  }
  return true;
}

/// The value of type T nearest to a number: clamped to the range, the fraction cut off; not a
/// number becomes 0 for integers.
template <class T>
T clampedTo(double value)
{
  if (std::is_integral<T>::value)
  {
    if (std::isnan(value))
    {
      return T(0);
    }
    if (value <= static_cast<double>(std::numeric_limits<T>::lowest()))
    {
      return std::numeric_limits<T>::lowest();
    }
    if (value >= static_cast<double>(std::numeric_limits<T>::max()))
    {
      return std::numeric_limits<T>::max();
    }
    return static_cast<T>(value);
  }
  const double most = static_cast<double>(std::numeric_limits<T>::max());
  return static_cast<T>(std::isfinite(value) ? std::min(std::max(value, -most), most) : value);
}

} // namespace segcore

#endif
