// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// The list of segments; other topics are in vtkSegmentationIdentifiers.cxx, ...Observers.cxx,
// ...Conversion.cxx, ...Layers.cxx, ...Collapse.cxx and ...Geometry.cxx.
#include "vtkSegmentation.h"

#include "LabelImage.h"
#include "SegmentationScopes.h"
#include "XMLText.h"
#include "vtkCallbackCommand.h"
#include "vtkCollection.h"
#include "vtkImageData.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <cstring>

vtkStandardNewMacro(vtkSegmentation);

using segcore::binaryLabelmapName;
using segcore::contains;
using segcore::Disabled;
using segcore::namesOf;

namespace
{
// ASCII letters only, whatever the locale.
std::string LowerCase(std::string text)
{
  for (char& character : text)
  {
    character = character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
  }
  return text;
}
}

//----------------------------------------------------------------------------
vtkSegmentation::vtkSegmentation()
  : SourceRepresentationName(binaryLabelmapName()), Converter(vtkSegmentationConverter::New())
{
  this->SegmentCommand = vtkSmartPointer<vtkCallbackCommand>::New();
  this->SegmentCommand->SetClientData(this);
  this->SegmentCommand->SetCallback(OnSegmentModified);
  this->SourceCommand = vtkSmartPointer<vtkCallbackCommand>::New();
  this->SourceCommand->SetClientData(this);
  this->SourceCommand->SetCallback(OnSourceModified);
}

//----------------------------------------------------------------------------
vtkSegmentation::~vtkSegmentation()
{
  for (const auto& entry : this->Segments)
  {
    this->UnobserveSegment(entry.second);
  }
  this->Converter->Delete();
}

//----------------------------------------------------------------------------
void vtkSegmentation::ReadXMLAttributes(const char** atts)
{
  for (; atts && atts[0] && atts[1]; atts += 2)
  {
    if (!std::strcmp(atts[0], "SourceRepresentationName"))
    {
      this->SetSourceRepresentationName(atts[1]);
    }
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::WriteXML(ostream& of, int indent)
{
  of << vtkIndent(indent) << " SourceRepresentationName=\""
     << segcore::xmlText(this->SourceRepresentationName) << "\"";
}

//----------------------------------------------------------------------------
void vtkSegmentation::DeepCopy(vtkSegmentation* aSegmentation)
{
  if (!aSegmentation || aSegmentation == this)
  {
    return;
  }
  this->RemoveAllSegments();
  this->SetSourceRepresentationName(aSegmentation->SourceRepresentationName);
  this->UUIDSegmentIDs = aSegmentation->UUIDSegmentIDs;
  this->CopyConversionParameters(aSegmentation);
  std::map<vtkDataObject*, vtkDataObject*> copies;
  for (const std::string& id : aSegmentation->GetSegmentIDs())
  {
    vtkNew<vtkSegment> segment;
    CopySegment(segment, aSegmentation->GetSegment(id), nullptr, copies);
    this->InsertSegment(segment, id, "");
  }
  this->SegmentIdCounter = aSegmentation->SegmentIdCounter;
}

//----------------------------------------------------------------------------
void vtkSegmentation::CopySegment(vtkSegment* destination, vtkSegment* source, vtkSegment* baseline,
  std::map<vtkDataObject*, vtkDataObject*>& cachedRepresentations)
{
  if (!destination || !source)
  {
    vtkGenericWarningMacro(
      "vtkSegmentation::CopySegment: no " << (source ? "destination" : "source") << " given.");
    return;
  }
  destination->DeepCopyMetadata(source);
  const std::vector<std::string> names = namesOf(source);
  for (const std::string& name : namesOf(destination))
  {
    if (!contains(names, name))
    {
      destination->RemoveRepresentation(name);
    }
  }
  for (const std::string& name : names)
  {
    vtkDataObject* original = source->GetRepresentation(name);
    vtkDataObject* known = baseline ? baseline->GetRepresentation(name) : nullptr;
    if (!original || (known && known->GetMTime() > original->GetMTime()))
    {
      destination->AddRepresentation(name, original ? known : nullptr);
      continue;
    }
    const auto cached = cachedRepresentations.find(original);
    if (cached != cachedRepresentations.end())
    {
      destination->AddRepresentation(name, cached->second);
      continue;
    }
    const auto copy = vtkSmartPointer<vtkDataObject>::Take(original->NewInstance());
    copy->DeepCopy(original);
    cachedRepresentations[original] = copy;
    destination->AddRepresentation(name, copy);
  }
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CheckNewSegment(vtkSegment* segment, const std::string& id)
{
  if (!segment)
  {
    vtkErrorMacro("AddSegment: no segment given.");
    return false;
  }
  if (id.empty() && !segment->GetName())
  {
    vtkErrorMacro("AddSegment: the segment has no name and no ID is given; one of them is needed.");
    return false;
  }
  if (this->ObservedSegments.count(segment))
  {
    vtkErrorMacro("AddSegment: the segment is in the list already, as '"
      << this->GetSegmentIdBySegment(segment) << "'.");
    return false;
  }
  if (this->GetSegment(id))
  {
    vtkErrorMacro(
      "AddSegment: the ID '" << id << "' is taken; GenerateUniqueSegmentID gives a free one.");
    return false;
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::AddSegment(
  vtkSegment* segment, std::string segmentId, std::string insertBeforeSegmentId)
{
  if (!this->CheckNewSegment(segment, segmentId))
  {
    return false;
  }
  // Only a conversion touches more than the new segment: a rule may share the labelmaps of the
  // segments that are here already.
  QuietScope quiet(*this);
  const std::vector<std::string> names = namesOf(segment);
  const std::vector<std::string> wanted = this->GetWantedRepresentationNames();
  const bool converts = !names.empty() &&
    !std::all_of(wanted.begin(), wanted.end(),
      [&names](const std::string& name) { return contains(names, name); });
  const std::vector<SegmentState> before = converts
    ? this->GetStates({ segment })
    : std::vector<SegmentState>{ SegmentState::Of(segment) };
  if (!this->CompleteNewSegment(segment, segmentId))
  {
    this->RestoreStates(before);
    return false;
  }
  this->InvokeSegmentModified(quiet.End());
  if (!this->CheckNewSegment(segment, segmentId)) // an observer may have taken the ID
  {
    return false;
  }
  this->InsertSegment(segment, segmentId, insertBeforeSegmentId);
  return true;
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::GetWantedRepresentationNames()
{
  std::vector<std::string> wanted{ this->SourceRepresentationName };
  for (const std::string& name : namesOf(this->GetNthSegment(0)))
  {
    if (!contains(wanted, name))
    {
      wanted.push_back(name);
    }
  }
  return wanted;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CompleteNewSegment(vtkSegment* segment, const std::string& id)
{
  const std::string title = "'" + std::string(segment->GetName() ? segment->GetName() : id) + "'";
  const std::vector<std::string> wanted = this->GetWantedRepresentationNames();
  const bool empty = namesOf(segment).empty();
  for (const std::string& name : wanted)
  {
    if (empty)
    {
      const vtkSmartPointer<vtkDataObject> made = this->MakeEmptyRepresentation(name);
      if (!made)
      {
        vtkErrorMacro("AddSegment: segment " << title << " needs an empty representation '" << name
                                             << "'; no rule makes one, and no segment has one.");
        return false;
      }
      segment->AddRepresentation(name, made);
      continue;
    }
    if (segment->GetRepresentation(name))
    {
      continue;
    }
    const auto path = this->FindCheapestPath(namesOf(segment), name);
    if (!path)
    {
      vtkErrorMacro("AddSegment: segment " << title << " has no representation '" << name
                                           << "', which all segments here must have, and no rule "
                                              "makes it from what the segment has.");
      return false;
    }
    if (!this->Convert({ segment }, path, false))
    {
      return false; // the error has been logged
    }
  }
  for (const std::string& name : namesOf(segment))
  {
    if (!this->Segments.empty() && !contains(wanted, name))
    {
      segment->RemoveRepresentation(name);
    }
  }
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentation::InsertSegment(
  vtkSegment* segment, std::string id, const std::string& insertBefore)
{
  id = id.empty() ? this->GenerateUniqueSegmentID() : id;
  this->Segments[id] = segment;
  this->SegmentIds.insert(insertBefore.empty()
      ? this->SegmentIds.end()
      : std::find(this->SegmentIds.begin(), this->SegmentIds.end(), insertBefore),
    id);
  this->ObserveSegment(segment, id);
  this->Modified();
  this->InvokeEvent(SegmentAdded, &id[0]);
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::AddEmptySegment(
  std::string segmentId, std::string segmentName, double color[3])
{
  vtkNew<vtkSegment> segment;
  segmentName = segmentName.empty() ? this->GenerateUniqueSegmentName("Segment") : segmentName;
  segment->SetName(segmentName.c_str());
  if (color)
  {
    segment->SetColor(color);
  }
  vtkOrientedImageData* layer = vtkOrientedImageData::SafeDownCast(
    this->GetSegmentRepresentation(this->GetNthSegmentID(0), binaryLabelmapName()));
  if (layer && this->SourceRepresentationName == binaryLabelmapName())
  {
    std::vector<std::string> names;
    this->GetContainedRepresentationNames(names);
    for (const std::string& name : names)
    {
      vtkSmartPointer<vtkDataObject> empty = layer;
      if (name != binaryLabelmapName())
      {
        empty = this->MakeEmptyRepresentation(name);
      }
      segment->AddRepresentation(name, empty);
    }
    segment->SetLabelValue(this->GetUniqueLabelValueForSharedLabelmap(this->GetNthSegmentID(0)));
    // The voxels keep their values, so nothing made from them becomes invalid.
    const Disabled noInvalidation(this->SourceRepresentationModifiedEnabled);
    segcore::widenForLabel(layer, segment->GetLabelValue());
  }
  segmentId = this->GenerateUniqueSegmentID(segmentId);
  return this->AddSegment(segment, segmentId) ? segmentId : std::string();
}

//----------------------------------------------------------------------------
void vtkSegmentation::EraseSegment(std::string id)
{
  this->UnobserveSegment(this->GetSegment(id));
  this->Segments.erase(id);
  this->SegmentIds.erase(std::find(this->SegmentIds.begin(), this->SegmentIds.end(), id));
  this->SegmentIdCounter = this->Segments.empty() ? 0 : this->SegmentIdCounter;
  this->Modified();
  this->InvokeEvent(SegmentRemoved, &id[0]);
}

//----------------------------------------------------------------------------
void vtkSegmentation::RemoveSegment(std::string segmentId)
{
  vtkSegment* segment = this->GetSegment(segmentId);
  if (!segment)
  {
    vtkWarningMacro("RemoveSegment: there is no segment '" << segmentId << "'.");
    return;
  }
  // Its voxels go with it, to whoever else holds the segment.
  this->UnobserveSegment(segment);
  this->SeparateSegmentLabelmap(segmentId);
  if (this->GetSegment(segmentId)) // no observer removed it
  {
    this->EraseSegment(segmentId);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::RemoveSegment(vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("RemoveSegment: no segment given.");
    return;
  }
  this->RemoveSegment(this->GetSegmentIdBySegment(segment));
}

//----------------------------------------------------------------------------
void vtkSegmentation::RemoveAllSegments()
{
  for (const std::string& id : this->GetSegmentIDs())
  {
    if (this->GetSegment(id))
    {
      this->EraseSegment(id);
    }
  }
}

//----------------------------------------------------------------------------
vtkSegment* vtkSegmentation::GetSegment(std::string segmentId)
{
  const auto found = this->Segments.find(segmentId);
  return found == this->Segments.end() ? nullptr : found->second.GetPointer();
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetSegmentIDs(std::vector<std::string>& segmentIds)
{
  segmentIds.assign(this->SegmentIds.begin(), this->SegmentIds.end());
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetSegmentIDs(vtkStringArray* segmentIds)
{
  if (!segmentIds)
  {
    vtkErrorMacro("GetSegmentIDs: no array given.");
    return;
  }
  segmentIds->Initialize();
  for (const std::string& id : this->SegmentIds)
  {
    segmentIds->InsertNextValue(id);
  }
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::GetSegmentIDs()
{
  return std::vector<std::string>(this->SegmentIds.begin(), this->SegmentIds.end());
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetNumberOfSegments() const
{
  return static_cast<int>(this->SegmentIds.size());
}

//----------------------------------------------------------------------------
vtkSegment* vtkSegmentation::GetNthSegment(unsigned int index) const
{
  return index < this->SegmentIds.size() ? this->Segments.at(this->SegmentIds[index]).GetPointer()
                                         : nullptr;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GetNthSegmentID(unsigned int index) const
{
  return index < this->SegmentIds.size() ? this->SegmentIds[index] : std::string();
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetSegmentIndex(const std::string& segmentId)
{
  const auto found = std::find(this->SegmentIds.begin(), this->SegmentIds.end(), segmentId);
  return found == this->SegmentIds.end() ? -1 : static_cast<int>(found - this->SegmentIds.begin());
}

//----------------------------------------------------------------------------
bool vtkSegmentation::SetSegmentIndex(const std::string& segmentId, unsigned int newIndex)
{
  const int index = this->GetSegmentIndex(segmentId);
  if (index < 0 || newIndex >= this->SegmentIds.size())
  {
    vtkErrorMacro("SetSegmentIndex: segment '"
      << segmentId << "', index " << newIndex << " given; there are " << this->SegmentIds.size()
      << " segments" << (index < 0 ? ", and none of that ID." : ", counted from 0."));
    return false;
  }
  const std::string id = segmentId;
  this->SegmentIds.erase(this->SegmentIds.begin() + index);
  this->SegmentIds.insert(this->SegmentIds.begin() + newIndex, id);
  this->Modified();
  this->InvokeEvent(SegmentsOrderModified);
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentation::ReorderSegments(
  std::vector<std::string> segmentIdsToMove, std::string insertBeforeSegmentId)
{
  std::vector<std::string> moved;
  for (const std::string& id : segmentIdsToMove)
  {
    if (this->GetSegment(id) && !contains(moved, id))
    {
      moved.push_back(id);
    }
  }
  if (moved.empty() ||
    (insertBeforeSegmentId.empty() &&
      std::equal(moved.begin(), moved.end(), this->SegmentIds.begin())))
  {
    return;
  }
  const auto end = std::remove_if(this->SegmentIds.begin(), this->SegmentIds.end(),
    [&moved](const std::string& id) { return contains(moved, id); });
  this->SegmentIds.erase(end, this->SegmentIds.end());
  this->SegmentIds.insert(
    std::find(this->SegmentIds.begin(), this->SegmentIds.end(), insertBeforeSegmentId),
    moved.begin(), moved.end());
  this->Modified();
  this->InvokeEvent(SegmentsOrderModified);
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GetSegmentIdBySegment(vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("GetSegmentIdBySegment: no segment given.");
    return std::string();
  }
  const auto found = std::find_if(this->Segments.begin(), this->Segments.end(),
    [segment](const auto& entry) { return entry.second == segment; });
  return found == this->Segments.end() ? std::string() : found->first;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GetSegmentIdBySegmentName(std::string name)
{
  name = LowerCase(name);
  for (const std::string& id : this->SegmentIds)
  {
    const char* found = this->GetSegment(id)->GetName();
    if (found && LowerCase(found) == name)
    {
      return id;
    }
  }
  return std::string();
}

//----------------------------------------------------------------------------
std::vector<vtkSegment*> vtkSegmentation::GetSegmentsByTag(std::string tag, std::string value)
{
  std::vector<vtkSegment*> segments;
  for (const std::string& id : this->SegmentIds)
  {
    vtkSegment* segment = this->GetSegment(id);
    std::string found;
    if (segment->GetTag(tag, found) && (value.empty() || found == value))
    {
      segments.push_back(segment);
    }
  }
  return segments;
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetSegmentsByTag(std::string tag, std::string value, vtkCollection* segments)
{
  if (!segments)
  {
    vtkErrorMacro("GetSegmentsByTag: no collection given.");
    return;
  }
  for (vtkSegment* segment : this->GetSegmentsByTag(tag, value))
  {
    segments->AddItem(segment);
  }
}

//----------------------------------------------------------------------------
vtkDataObject* vtkSegmentation::GetSegmentRepresentation(
  std::string segmentId, std::string representationName)
{
  vtkSegment* segment = this->GetSegment(segmentId);
  return segment ? segment->GetRepresentation(representationName) : nullptr;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CanAcceptRepresentation(std::string representationName)
{
  return representationName == this->SourceRepresentationName ||
    this->FindCheapestPath({ representationName }, this->SourceRepresentationName);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CanAcceptSegment(vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("CanAcceptSegment: no segment given.");
    return false;
  }
  const std::vector<std::string> names = namesOf(segment);
  return this->Segments.empty() ||
    std::any_of(names.begin(), names.end(),
      [this](const std::string& name) { return this->CanAcceptRepresentation(name); });
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CopySegmentFromSegmentation(
  vtkSegmentation* fromSegmentation, std::string segmentId, bool removeFromSource)
{
  vtkSmartPointer<vtkSegment> segment =
    fromSegmentation ? fromSegmentation->GetSegment(segmentId) : nullptr;
  if (!segment || fromSegmentation == this)
  {
    vtkErrorMacro("CopySegmentFromSegmentation: segment '"
      << segmentId << "': "
      << (!fromSegmentation ? "no segmentation given."
             : segment      ? "source and target are the same segmentation."
                            : "the source has no segment of that ID."));
    return false;
  }
  const std::string id = this->GenerateUniqueSegmentID(segmentId);
  if (id != segmentId)
  {
    vtkWarningMacro("CopySegmentFromSegmentation: there is a segment '"
      << segmentId << "' already; the new one gets the ID '" << id << "'.");
  }
  if (!this->CanAcceptSegment(segment))
  {
    vtkErrorMacro("CopySegmentFromSegmentation: segment '"
      << segmentId << "' has no representation that can be converted to '"
      << this->SourceRepresentationName << "'.");
    return false;
  }
  if (removeFromSource)
  {
    fromSegmentation->SeparateSegmentLabelmap(segmentId);
  }
  else
  {
    vtkNew<vtkSegment> copy;
    copy->DeepCopy(segment);
    segment = copy;
  }
  if (!this->AddSegment(segment, id))
  {
    return false;
  }
  const std::string reference = vtkSegmentationConverter::GetReferenceImageGeometryParameterName();
  const std::string geometry = fromSegmentation->GetConversionParameter(reference);
  if (!geometry.empty() && this->GetConversionParameter(reference).empty())
  {
    this->SetConversionParameter(reference, geometry);
  }
  if (removeFromSource)
  {
    fromSegmentation->RemoveSegment(segmentId);
  }
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentation::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SourceRepresentationName: " << this->SourceRepresentationName << "\n";
  os << indent << "UUIDSegmentIDs: " << this->UUIDSegmentIDs << "\n";
  os << indent << "Conversion parameters: " << this->SerializeAllConversionParameters() << "\n";
  os << indent << "Number of segments: " << this->GetNumberOfSegments() << "\n";
  for (const std::string& id : this->SegmentIds)
  {
    os << indent << "Segment " << id << ":\n";
    this->GetSegment(id)->PrintSelf(os, indent.GetNextIndent());
  }
}
