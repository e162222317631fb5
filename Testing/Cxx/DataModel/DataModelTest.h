// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Small images, and an ear for events and errors.

#ifndef segcoreTestingDataModelTest_h
#define segcoreTestingDataModelTest_h

#include "Check.h"

#include "vtkCallbackCommand.h"
#include "vtkCommand.h"
#include "vtkDataArray.h"
#include "vtkNew.h"
#include "vtkObject.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkSmartPointer.h"

#include <string>
#include <vector>

/// Writes down what an object fires: names of Slicer's events, "Modified", and the text of errors.
class Ear
{
public:
  explicit Ear(vtkObject* object) : Object(object)
  {
    this->Command->SetClientData(this);
    this->Command->SetCallback([](vtkObject*, unsigned long event, void* self, void* data)
      { static_cast<Ear*>(self)->Hear(event, data); });
    this->Tag = object->AddObserver(vtkCommand::AnyEvent, this->Command);
  }
  ~Ear() { this->Object->RemoveObserver(this->Tag); }
  Ear(const Ear&) = delete;
  void operator=(const Ear&) = delete;

  /// What was fired since the last call, separated by blanks.
  std::string Take()
  {
    std::string heard;
    heard.swap(this->Heard);
    return heard;
  }
  /// Whether the last error or warning had this text; forgets it, and the events.
  bool Complained(const std::string& text)
  {
    const bool found = this->Complaint.find(text) != std::string::npos;
    this->Complaint.clear();
    this->Heard.clear();
    return found;
  }

private:
  void Hear(unsigned long event, void* data)
  {
    static const char* const names[] = { "Source", "Representation", "Added", "Removed", "Segment",
      "Names", "Order" };
    if (event == vtkCommand::ErrorEvent || event == vtkCommand::WarningEvent)
    {
      this->Complaint += static_cast<const char*>(data);
      return;
    }
    std::string name;
    if (event == vtkCommand::ModifiedEvent)
    {
      name = "Modified";
    }
    else if (event >= 62100 && event <= 62106)
    {
      name = names[event - 62100];
      const bool hasID = event >= 62101 && event <= 62104;
      name += hasID ? ":" + std::string(static_cast<const char*>(data)) : std::string();
    }
    this->Heard += (this->Heard.empty() || name.empty() ? "" : " ") + name;
  }

  vtkSmartPointer<vtkObject> Object;
  vtkNew<vtkCallbackCommand> Command;
  unsigned long Tag = 0;
  std::string Heard;
  std::string Complaint;
};

/// One row of voxels along x, starting at index `start`.
inline vtkSmartPointer<vtkOrientedImageData> Row(
  const std::vector<int>& values, int start = 0, int type = VTK_UNSIGNED_CHAR)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(start, start + static_cast<int>(values.size()) - 1, 0, 0, 0, 0);
  image->AllocateScalars(type, 1);
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    image->GetPointData()->GetScalars()->SetComponent(static_cast<vtkIdType>(i), 0, values[i]);
  }
  return image;
}

/// The values of an array, separated by blanks.
inline std::string Values(vtkDataArray* array)
{
  std::string text;
  for (vtkIdType i = 0; array && i < array->GetNumberOfTuples(); ++i)
  {
    text += (i ? " " : "") + std::to_string(static_cast<long long>(array->GetComponent(i, 0)));
  }
  return text;
}
inline std::string Values(vtkDataObject* image)
{
  return image ? Values(vtkImageData::SafeDownCast(image)->GetPointData()->GetScalars())
               : std::string("(none)");
}

inline std::string Joined(const std::vector<std::string>& words)
{
  std::string text;
  for (const std::string& word : words)
  {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

#endif
