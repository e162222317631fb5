// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SegmentationState.h"

#include "ImageResult.h"
#include "ThreadScope.h"
#include "VoxelBox.h"
#include "vtkLabelmapEditRecord.h"

#include "vtkCellData.h"

namespace segcore
{

namespace
{
/// An image whose only data are scalars, which can be kept in blocks; else null.
vtkOrientedImageData* plainImage(vtkDataObject* object)
{
  vtkOrientedImageData* image = vtkOrientedImageData::SafeDownCast(object);
  vtkDataArray* scalars = scalarsOf(image);
  return scalars && image->GetPointData()->GetNumberOfArrays() == 1 &&
      image->GetCellData()->GetNumberOfArrays() == 0 && scalars->GetDataTypeSize() > 0 &&
      scalars->GetDataTypeSize() * scalars->GetNumberOfComponents() <= 4096
    ? image
    : nullptr;
}

/// The image without voxels: extent, geometry, field data.
vtkSmartPointer<vtkOrientedImageData> shellOf(vtkOrientedImageData* image)
{
  auto shell = vtkSmartPointer<vtkOrientedImageData>::New();
  shell->CopyStructure(image);
  shell->GetFieldData()->DeepCopy(image->GetFieldData());
  return shell;
}
}

//----------------------------------------------------------------------------
SavedObjects::Entry* SavedObjects::find(vtkDataObject* live)
{
  const auto found = this->Known.find(live);
  // Another object may have got the address of one that is gone.
  return found != this->Known.end() && found->second.live ? &found->second : nullptr;
}

//----------------------------------------------------------------------------
void SavedObjects::remember(vtkDataObject* live, const SavedObjectPointer& saved)
{
  saved->live = live;
  Entry& entry = this->Known[live];
  entry.live = live;
  entry.saved = saved;
  entry.time = live->GetMTime();
}

//----------------------------------------------------------------------------
void SavedObjects::forgetDeleted()
{
  for (auto entry = this->Known.begin(); entry != this->Known.end();)
  {
    entry = entry->second.live ? std::next(entry) : this->Known.erase(entry);
  }
}

//----------------------------------------------------------------------------
SavedObjectPointer SavedObjects::save(vtkDataObject* live)
{
  if (!live)
  {
    return nullptr;
  }
  const Entry* known = this->find(live);
  if (known && known->time == live->GetMTime())
  {
    return known->saved;
  }
  const auto saved = std::make_shared<SavedObject>();
  if (vtkOrientedImageData* image = plainImage(live))
  {
    vtkDataArray* scalars = image->GetPointData()->GetScalars();
    saved->object = shellOf(image);
    saved->scalarType = scalars->GetDataType();
    saved->components = scalars->GetNumberOfComponents();
    saved->arrayName = scalars->GetName() ? scalars->GetName() : "";
    saved->tight = vtkLabelmapEditRecord::IsTight(image);
    const Index width = Index{ scalars->GetDataTypeSize() } * saved->components;
    const Box stored = boxOf(image);
    Box region = stored;
    std::unique_ptr<BlockSnapshot> before;
    if (known && known->saved->voxels && known->saved->scalarType == saved->scalarType &&
      known->saved->components == saved->components)
    {
      before = std::make_unique<BlockSnapshot>(*known->saved->voxels);
      Box changed;
      region = vtkLabelmapEditRecord::GetChangesSince(image, known->time, changed)
        ? changed
        : stored.unite(boxOf(vtkImageData::SafeDownCast(known->saved->object)));
    }
    else
    {
      before = std::make_unique<BlockSnapshot>(width, this->Meter);
    }
    withThreads(
      [&]
      {
        saved->voxels = std::make_unique<BlockSnapshot>(
          before->withRegion(scalars->GetVoidPointer(0), stored, region));
      },
      region.size());
  }
  else
  {
    saved->object.TakeReference(live->NewInstance());
    saved->object->DeepCopy(live);
  }
  this->remember(live, saved);
  return saved;
}

//----------------------------------------------------------------------------
bool SavedObjects::restoreVoxels(const SavedObject& saved, vtkOrientedImageData* image, bool isNew)
{
  vtkOrientedImageData* shell = vtkOrientedImageData::SafeDownCast(saved.object);
  const Box box = boxOf(shell);
  const Entry* known = isNew ? nullptr : this->find(image);
  vtkDataArray* scalars = scalarsOf(image);
  const bool alike = known && known->saved->voxels && scalars && plainImage(image) &&
    scalars->GetDataType() == saved.scalarType &&
    scalars->GetNumberOfComponents() == saved.components &&
    known->saved->voxels->bytesPerVoxel() == saved.voxels->bytesPerVoxel();
  const Box stored = boxOf(image);
  const bool inPlace = alike && stored == box;
  Box dirty;
  const bool noted = alike && vtkLabelmapEditRecord::GetChangesSince(image, known->time, dirty);
  dirty = noted ? dirty : box;
  // In another extent most voxels are still those of the live image.
  const bool moved = noted && !inPlace;
  vtkSmartPointer<vtkDataArray> array = scalars;
  if (!inPlace)
  {
    array = newScalars(saved.scalarType, saved.components, box);
    if (!array)
    {
      return false;
    }
    array->SetName(saved.arrayName.empty() ? nullptr : saved.arrayName.c_str());
  }
  const vtkMTimeType before = image->GetMTime();
  Box written;
  withThreads(
    [&]
    {
      if (moved)
      {
        withScalars(scalars,
          [&](auto* from)
          {
            using T = std::decay_t<decltype(*from)>;
            copyPadded(
              from, stored, static_cast<T*>(array->GetVoidPointer(0)), box, T(0), saved.components);
          });
      }
      written = saved.voxels->writeTo(array->GetVoidPointer(0), box,
        inPlace || moved ? known->saved->voxels.get() : nullptr, dirty);
    },
    inPlace && dirty.empty() ? 0 : box.size());
  if (inPlace)
  {
    // Geometry and field data may differ without the voxels.
    array->Modified();
    vtkNew<vtkOrientedImageData> whole;
    whole->ShallowCopy(shell);
    whole->GetPointData()->SetScalars(array);
    image->ShallowCopy(whole);
  }
  else
  {
    setImage(image, shell, box, array, shell);
  }
  if (shell->GetFieldData()->GetNumberOfArrays() > 0)
  {
    image->GetFieldData()->DeepCopy(shell->GetFieldData()); // it was shared with what is saved
  }
  if (inPlace || moved)
  {
    const Box lost = box.contains(stored) ? Box() : stored; // voxels that are not stored any more
    vtkLabelmapEditRecord::NoteEdit(image, before, written.unite(lost));
  }
  if (saved.tight)
  {
    vtkLabelmapEditRecord::NoteTight(image);
  }
  return true;
}

//----------------------------------------------------------------------------
vtkSmartPointer<vtkDataObject> SavedObjects::restore(
  const SavedObjectPointer& saved, vtkDataObject* live, bool& changed)
{
  const Entry* known = live ? this->find(live) : nullptr;
  changed = !known || known->saved != saved || known->time != live->GetMTime();
  if (!changed)
  {
    return live;
  }
  vtkSmartPointer<vtkDataObject> object = saved->voxels ? live : nullptr;
  const bool isNew = !vtkOrientedImageData::SafeDownCast(object);
  if (isNew)
  {
    object.TakeReference(saved->object->NewInstance());
  }
  if (!saved->voxels)
  {
    object->DeepCopy(saved->object);
  }
  else if (!this->restoreVoxels(*saved, vtkOrientedImageData::SafeDownCast(object), isNew))
  {
    return nullptr;
  }
  this->remember(object, saved);
  return object;
}

} // namespace segcore
