// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What a vtkLabelMapEditSession holds.
///
/// Private to the editor.
#ifndef segcore_EditSessionState_h
#define segcore_EditSessionState_h

#include "EditJournal.h"
#include "EditSession.h"
#include "vtkLabelMapEditSession.h"
#include "vtkLabelSegmentTable.h"

#include "vtkImageData.h"
#include "vtkNew.h"
#include "vtkSmartPointer.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace segcore
{
/// A fingerprint as a text.
inline std::string hexadecimal(std::uint64_t number)
{
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}
}

//------------------------------------------------------------------------------------------------
struct vtkLabelMapEditSession::State
{
  std::unique_ptr<segcore::EditSession> Session;
  vtkSmartPointer<vtkImageData> Volume;
  std::string StartFingerprint; // of the label map it was started from; empty if there was none
  std::string Fingerprint;      // of the volume, once known
  vtkMTimeType FingerprintTime = 0;
  std::unique_ptr<segcore::JournalWriter> Journal; // on rank 0
  bool HasJournal = false;                         // on all ranks
  std::vector<std::string> Applied;
  std::vector<std::string> Undone;
  vtkNew<vtkLabelSegmentTable> EmptyTable;

  segcore::EditSession& session() const
  {
    if (!this->Session)
    {
      // The same on all ranks: each was given a world, or none was.
      throw segcore::AgreedError("the session has no world yet: set a volume or a geometry first");
    }
    return *this->Session;
  }
};

//------------------------------------------------------------------------------------------------
/// Runs work; an error, the same on all ranks, goes to LastError.
template <class Work>
bool vtkLabelMapEditSession::Try(const Work& work)
{
  this->LastError.clear();
  // The wish to stop was for the operation that ran.
  this->AbortExecute = false;
  try
  {
    work();
    return true;
  }
  catch (const std::exception& error)
  {
    this->LastError = error.what();
  }
  return false;
}

#endif
