// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// States of a segmentation for undo: what vtkSegmentationHistory keeps, without its rules.
///
/// A saved object is never changed. SavedObjects knows which saved object equals a live one, until
/// the live one's modified time changes; then it finds out what changed (see
/// vtkLabelmapEditRecord) and saves only that.
#ifndef segcore_SegmentationState_h
#define segcore_SegmentationState_h

#include "BlockSnapshot.h"

#include "vtkDataObject.h"
#include "vtkSegment.h"
#include "vtkSmartPointer.h"
#include "vtkWeakPointer.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

class vtkOrientedImageData;

namespace segcore
{

/// A data object at one moment.
struct SavedObject
{
  vtkSmartPointer<vtkDataObject> object; ///< a copy; of images all but the voxels
  std::unique_ptr<BlockSnapshot> voxels; ///< of images with scalars and no other arrays
  int scalarType = 0;
  int components = 0;
  std::string arrayName;
  bool tight = false;                 ///< the extent was known to be the effective extent
  vtkWeakPointer<vtkDataObject> live; ///< what it was saved from, or was restored to last
};
using SavedObjectPointer = std::shared_ptr<SavedObject>;

struct SavedSegment
{
  std::string id;
  vtkSmartPointer<vtkSegment> metadata;                      ///< without representations
  std::map<std::string, SavedObjectPointer> representations; ///< null for a null pointer
};

using SegmentationState = std::vector<SavedSegment>; ///< in display order

class SavedObjects
{
public:
  /// The saved object for a live one as it is now, made if there is none.
  SavedObjectPointer save(vtkDataObject* live);

  /// An object like the saved one: `live` itself if it is not null and can be made like it, else a
  /// new one. `changed` tells whether that is a new one or was changed.
  vtkSmartPointer<vtkDataObject> restore(
    const SavedObjectPointer& saved, vtkDataObject* live, bool& changed);

  /// Forgets live objects that are gone.
  void forgetDeleted();
  void clear() { this->Known.clear(); }

  /// Bytes of all voxels kept.
  std::int64_t voxelBytes() const { return *this->Meter; }

private:
  struct Entry
  {
    vtkWeakPointer<vtkDataObject> live;
    SavedObjectPointer saved;
    vtkMTimeType time = 0; ///< when both were equal
  };
  std::map<vtkDataObject*, Entry> Known;
  BlockSnapshot::Meter Meter = BlockSnapshot::newMeter();

  Entry* find(vtkDataObject* live);
  void remember(vtkDataObject* live, const SavedObjectPointer& saved);
  bool restoreVoxels(const SavedObject& saved, vtkOrientedImageData* image, bool isNew);
};

} // namespace segcore

#endif
