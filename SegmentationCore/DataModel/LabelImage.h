// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What the containers do to the voxels of a shared label image: one segment's label at a time.
///
/// All values are compared as numbers, never cast to the voxel type first: label 300 is in no
/// unsigned char image, although it would be 44 there. Each pass is threaded by vtkSMPTools and
/// touches a voxel once; the result does not depend on the number of threads. No scalars: nothing
/// is done.
#ifndef segcore_LabelImage_h
#define segcore_LabelImage_h

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkPointData.h"
#include "vtkSMPTools.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <type_traits>

namespace segcore
{

/// Calls `body(pointer to the first value, number of values)` with the array's own type.
template <class Body>
void withValues(vtkDataArray* values, const Body& body)
{
  if (!values || values->GetNumberOfValues() == 0)
  {
    return;
  }
  switch (values->GetDataType())
  {
    vtkTemplateMacro(
      body(static_cast<VTK_TT*>(values->GetVoidPointer(0)), values->GetNumberOfValues()));
    default:
      break;
  }
}

template <class T, class Body>
void forEachValue(T* first, vtkIdType count, const Body& body)
{
  vtkSMPTools::For(0, count, 65536, [first, &body](vtkIdType begin, vtkIdType end)
    { std::for_each(first + begin, first + end, body); });
}

/// Sets every voxel that is not `label` to 0.
inline void keepOnlyLabel(vtkImageData* image, int label)
{
  withValues(image->GetPointData()->GetScalars(),
    [label](auto* first, vtkIdType count)
    {
      using T = std::decay_t<decltype(*first)>;
      forEachValue(first, count,
        [label](T& value)
        {
          if (static_cast<double>(value) != label)
          {
            value = T(0);
          }
        });
    });
  if (vtkDataArray* scalars = image->GetPointData()->GetScalars())
  {
    scalars->Modified();
  }
}

/// An image of the same class, geometry and voxel type that is 1 where `image` has the label and 0
/// elsewhere. The voxels of that label become 0 in `image`, without a Modified event.
inline vtkSmartPointer<vtkImageData> takeOutLabel(vtkImageData* image, int label)
{
  const auto taken = vtkSmartPointer<vtkImageData>::Take(image->NewInstance());
  taken->CopyStructure(image);
  vtkDataArray* from = image->GetPointData()->GetScalars();
  if (!from)
  {
    return taken;
  }
  const auto to = vtkSmartPointer<vtkDataArray>::Take(from->NewInstance());
  to->SetName(from->GetName());
  to->SetNumberOfComponents(from->GetNumberOfComponents());
  to->SetNumberOfTuples(from->GetNumberOfTuples());
  withValues(from,
    [label, &to](auto* first, vtkIdType count)
    {
      using T = std::decay_t<decltype(*first)>;
      T* target = static_cast<T*>(to->GetVoidPointer(0));
      vtkSMPTools::For(0, count, 65536,
        [=](vtkIdType begin, vtkIdType end)
        {
          for (vtkIdType i = begin; i < end; ++i)
          {
            const bool found = static_cast<double>(first[i]) == label;
            target[i] = found ? T(1) : T(0);
            first[i] = found ? T(0) : first[i];
          }
        });
    });
  from->Modified(); // its range; not the image
  taken->GetPointData()->SetScalars(to);
  return taken;
}

/// Makes room for a label: if it does not fit the image's integer type, the voxels get the first of
/// unsigned char, char, unsigned short, short, unsigned int, int that holds that type's range and
/// the label. The image object stays, its array is replaced. Types that the list does not have are
/// wide enough. True if the type changed.
inline bool widenForLabel(vtkImageData* image, int label)
{
  vtkDataArray* from = image->GetPointData()->GetScalars();
  if (!from || (label >= from->GetDataTypeMin() && label <= from->GetDataTypeMax()))
  {
    return false;
  }
  const double low = std::min<double>(label, from->GetDataTypeMin());
  const double high = std::max<double>(label, from->GetDataTypeMax());
  for (const int type :
    { VTK_UNSIGNED_CHAR, VTK_CHAR, VTK_UNSIGNED_SHORT, VTK_SHORT, VTK_UNSIGNED_INT, VTK_INT })
  {
    if (vtkDataArray::GetDataTypeMin(type) <= low && vtkDataArray::GetDataTypeMax(type) >= high)
    {
      const auto to = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
      to->DeepCopy(from); // converts
      to->SetName(from->GetName());
      image->GetPointData()->SetScalars(to);
      return true;
    }
  }
  return false;
}

} // namespace segcore

#endif
