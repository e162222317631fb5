// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Small helpers between files and VTK arrays.
#ifndef segcore_ImageArrays_h
#define segcore_ImageArrays_h

#include "VolumeFile.h"

#include "vtkDataArray.h"
#include "vtkDataObject.h"
#include "vtkInformation.h"
#include "vtkSmartPointer.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <cstdint>
#include <new>
#include <string>

namespace segcore
{

/// A new array for a number of voxels, not initialised. Throws std::bad_alloc if there is no
/// memory.
inline vtkSmartPointer<vtkDataArray> makeArray(
  int scalarType, Index components, Index voxels, const std::string& name)
{
  if (voxels > VTK_ID_MAX / components || components > VTK_INT_MAX)
  {
    throw std::bad_alloc();
  }
  auto array = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(scalarType));
  array->SetName(name.c_str());
  array->SetNumberOfComponents(static_cast<int>(components));
  array->SetNumberOfTuples(static_cast<vtkIdType>(voxels));
  if (array->GetNumberOfTuples() != static_cast<vtkIdType>(voxels))
  {
    throw std::bad_alloc();
  }
  return array;
}

/// Whole extent and geometry for RequestInformation. The geometry's first voxel has the index 0, 0,
/// 0.
inline void setInformation(vtkInformation* outInfo, const Box& whole, const IndexToWorld& geometry)
{
  int extent[6];
  whole.toExtent(extent);
  double origin[3];
  double spacing[3];
  double direction[9];
  geometry.origin(origin);
  geometry.spacing(spacing);
  geometry.direction(direction);
  outInfo->Set(vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT(), extent, 6);
  outInfo->Set(vtkDataObject::ORIGIN(), origin, 3);
  outInfo->Set(vtkDataObject::SPACING(), spacing, 3);
  outInfo->Set(vtkDataObject::DIRECTION(), direction, 9);
}

/// Calls work(pointer) with the pointer typed as the scalar type says; false for other types.
template <class Work>
bool dispatchScalar(int scalarType, const void* data, Work&& work)
{
  switch (scalarType)
  {
    case VTK_CHAR:
      work(static_cast<const char*>(data));
      return true;
    case VTK_SIGNED_CHAR:
      work(static_cast<const signed char*>(data));
      return true;
    case VTK_UNSIGNED_CHAR:
      work(static_cast<const unsigned char*>(data));
      return true;
    case VTK_SHORT:
      work(static_cast<const short*>(data));
      return true;
    case VTK_UNSIGNED_SHORT:
      work(static_cast<const unsigned short*>(data));
      return true;
    case VTK_INT:
      work(static_cast<const int*>(data));
      return true;
    case VTK_UNSIGNED_INT:
      work(static_cast<const unsigned int*>(data));
      return true;
    case VTK_LONG:
      work(static_cast<const long*>(data));
      return true;
    case VTK_UNSIGNED_LONG:
      work(static_cast<const unsigned long*>(data));
      return true;
    case VTK_LONG_LONG:
      work(static_cast<const long long*>(data));
      return true;
    case VTK_UNSIGNED_LONG_LONG:
      work(static_cast<const unsigned long long*>(data));
      return true;
    case VTK_ID_TYPE:
      work(static_cast<const vtkIdType*>(data));
      return true;
    case VTK_FLOAT:
      work(static_cast<const float*>(data));
      return true;
    case VTK_DOUBLE:
      work(static_cast<const double*>(data));
      return true;
    default:
      return false;
  }
}

} // namespace segcore

#endif
