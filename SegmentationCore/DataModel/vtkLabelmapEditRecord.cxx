// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelmapEditRecord.h"

#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationObjectBaseKey.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelmapEditRecord);
vtkInformationKeyMacro(vtkLabelmapEditRecord, RECORD, ObjectBase);

//----------------------------------------------------------------------------
vtkLabelmapEditRecord* vtkLabelmapEditRecord::Find(vtkImageData* image, bool make)
{
  vtkInformation* information = image->GetInformation();
  if (make && !information->Has(RECORD()))
  {
    vtkNew<vtkLabelmapEditRecord> record;
    information->Set(RECORD(), record);
  }
  return vtkLabelmapEditRecord::SafeDownCast(vtkObject::SafeDownCast(information->Get(RECORD())));
}

//----------------------------------------------------------------------------
void vtkLabelmapEditRecord::NoteEdit(
  vtkImageData* image, vtkMTimeType before, const segcore::Box& changed)
{
  vtkLabelmapEditRecord* record = Find(image, true);
  std::deque<Note>& notes = record->Notes;
  if (!notes.empty() && notes.back().After != before)
  {
    notes.clear(); // somebody changed the image in between
  }
  notes.push_back({ before, image->GetMTime(), changed });
  constexpr std::size_t most = 256; // who looks less often reads all voxels
  if (notes.size() > most)
  {
    notes.pop_front();
  }
}

//----------------------------------------------------------------------------
bool vtkLabelmapEditRecord::GetChangesSince(
  vtkImageData* image, vtkMTimeType then, segcore::Box& changed)
{
  changed = segcore::Box();
  const vtkMTimeType now = image->GetMTime();
  if (now == then)
  {
    return true;
  }
  vtkLabelmapEditRecord* record = Find(image, false);
  if (!record || record->Notes.empty() || record->Notes.back().After != now)
  {
    return false;
  }
  for (auto note = record->Notes.rbegin(); note != record->Notes.rend(); ++note)
  {
    changed = changed.unite(note->Changed);
    if (note->Before == then)
    {
      return true;
    }
  }
  return false;
}

//----------------------------------------------------------------------------
void vtkLabelmapEditRecord::NoteTight(vtkImageData* image)
{
  Find(image, true)->TightTime = image->GetMTime();
}

//----------------------------------------------------------------------------
bool vtkLabelmapEditRecord::IsTight(vtkImageData* image)
{
  vtkLabelmapEditRecord* record = Find(image, false);
  return record && record->TightTime == image->GetMTime();
}
