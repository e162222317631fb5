// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelmapEditRecord
 * @brief what is known about the voxels of an image since its last modified time
 *
 * Kept in the image's information, where copies do not get it. Whoever changes few voxels of a
 * large image says which, so that others (undo history, shrinking to the effective extent) need not
 * look at all of them. A note counts only for the modified times it was made for: after any change
 * that nobody noted, nothing is known, and all voxels have to be read. A write to the voxels
 * without Modified() goes unnoticed, as everywhere in VTK.
 *
 * Private to the data model, not wrapped. Threads: as the image.
 */
#ifndef vtkLabelmapEditRecord_h
#define vtkLabelmapEditRecord_h

#include "Box.h"

#include "vtkObject.h"

#include <deque> // for the notes

class vtkImageData;
class vtkInformationObjectBaseKey;

class vtkLabelmapEditRecord : public vtkObject
{
public:
  static vtkLabelmapEditRecord* New();
  vtkTypeMacro(vtkLabelmapEditRecord, vtkObject);

  /// Note that between the modified time `before` and now only voxels of `changed` changed. Voxels
  /// outside the extent count as 0, before and now.
  static void NoteEdit(vtkImageData* image, vtkMTimeType before, const segcore::Box& changed);

  /// A box with all voxels that may have changed since the modified time `then`; false if that is
  /// not known.
  static bool GetChangesSince(vtkImageData* image, vtkMTimeType then, segcore::Box& changed);

  ///@{
  /// Whether the image's extent is known, now, to be its effective extent.
  static void NoteTight(vtkImageData* image);
  static bool IsTight(vtkImageData* image);
  ///@}

protected:
  vtkLabelmapEditRecord() = default;
  ~vtkLabelmapEditRecord() override = default;

private:
  vtkLabelmapEditRecord(const vtkLabelmapEditRecord&) = delete;
  void operator=(const vtkLabelmapEditRecord&) = delete;

  static vtkInformationObjectBaseKey* RECORD();
  static vtkLabelmapEditRecord* Find(vtkImageData* image, bool make);

  struct Note
  {
    vtkMTimeType Before;
    vtkMTimeType After;
    segcore::Box Changed;
  };
  std::deque<Note> Notes; // each begins when the one before ended
  vtkMTimeType TightTime = 0;
};

#endif
