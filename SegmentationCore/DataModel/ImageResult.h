// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Makes new scalars, and hands a finished image over to its owner in one step.
#ifndef segcore_ImageResult_h
#define segcore_ImageResult_h

#include "ImageVoxels.h"

#include "vtkFieldData.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkSmartPointer.h"

namespace segcore
{

/// Scalars for the voxels of a box, without values yet. Null if there is no memory for them.
inline vtkSmartPointer<vtkDataArray> newScalars(int type, Index components, const Box& box)
{
  const auto scalars = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
  if (!scalars)
  {
    return nullptr;
  }
  scalars->SetName("ImageScalars");
  scalars->SetNumberOfComponents(static_cast<int>(components));
  if (!scalars->Allocate(box.size() * components))
  {
    return nullptr;
  }
  scalars->SetNumberOfTuples(static_cast<vtkIdType>(box.size()));
  return scalars;
}

/// Gives `image` the lattice of `lattice`, the extent of `box` and the scalars, and the field data
/// of `fields`; any of them may be the image itself. One Modified event, when all is set.
inline void setImage(vtkOrientedImageData* image, vtkOrientedImageData* lattice, const Box& box,
  vtkDataArray* scalars, vtkDataObject* fields)
{
  int extent[6];
  box.toExtent(extent);
  vtkNew<vtkOrientedImageData> result;
  result->CopyStructure(lattice);
  result->SetExtent(extent);
  result->GetPointData()->SetScalars(scalars);
  if (fields)
  {
    result->GetFieldData()->ShallowCopy(fields->GetFieldData());
  }
  image->ShallowCopy(result);
}

} // namespace segcore

#endif
