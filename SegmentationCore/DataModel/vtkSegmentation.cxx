// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentation.h"

#include "LabelImage.h"
#include "XMLText.h"
#include "vtkCallbackCommand.h"
#include "vtkCollection.h"
#include "vtkMath.h"
#include "vtkMinimalStandardRandomSequence.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkPolyData.h"
#include "vtkSegmentationConverter.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <set>

vtkStandardNewMacro(vtkSegmentation);

namespace
{
const char* BinaryLabelmapName()
{
  return vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
}

// Switches something off for a block, whatever way the block is left.
class Disabled
{
public:
  explicit Disabled(bool& flag) : Flag(flag), Old(flag) { flag = false; }
  ~Disabled() { this->Flag = this->Old; }
  Disabled(const Disabled&) = delete;
  void operator=(const Disabled&) = delete;

private:
  bool& Flag;
  bool Old;
};

// ASCII letters only, whatever the locale.
std::string LowerCase(std::string text)
{
  for (char& character : text)
  {
    character = character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
  }
  return text;
}

std::vector<std::string> NamesOf(vtkSegment* segment)
{
  std::vector<std::string> names;
  if (segment)
  {
    segment->GetContainedRepresentationNames(names);
  }
  return names;
}

bool Contains(const std::vector<std::string>& names, const std::string& name)
{
  return std::find(names.begin(), names.end(), name) != names.end();
}
}

//----------------------------------------------------------------------------
vtkSegmentation::vtkSegmentation()
  : SourceRepresentationName(BinaryLabelmapName()), Converter(vtkSegmentationConverter::New())
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
void vtkSegmentation::CopyConversionParameters(vtkSegmentation* aSegmentation)
{
  if (!aSegmentation)
  {
    vtkErrorMacro("CopyConversionParameters: no segmentation given.");
    return;
  }
  this->Converter->DeepCopy(aSegmentation->Converter);
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetBounds(double bounds[6])
{
  for (int i = 0; i < 6; ++i)
  {
    bounds[i] = i % 2 ? VTK_DOUBLE_MIN : VTK_DOUBLE_MAX;
  }
  for (const auto& entry : this->Segments)
  {
    double box[6];
    entry.second->GetBounds(box);
    for (int i = 0; i < 6 && vtkMath::AreBoundsInitialized(box); i += 2)
    {
      bounds[i] = std::min(bounds[i], box[i]);
      bounds[i + 1] = std::max(bounds[i + 1], box[i + 1]);
    }
  }
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
  const std::vector<std::string> names = NamesOf(source);
  for (const std::string& name : NamesOf(destination))
  {
    if (!Contains(names, name))
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
vtkMinimalStandardRandomSequence* vtkSegmentation::GetSegmentIDRandomSequenceInstance()
{
  static const auto sequence = []
  {
    auto made = vtkSmartPointer<vtkMinimalStandardRandomSequence>::New();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    made->SetSeed(static_cast<int>(milliseconds & 0x7fffffff));
    return made;
  }();
  return sequence;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateRandomSegmentID(int suffixLength, std::string validCharacters)
{
  if (validCharacters.empty())
  {
    validCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  }
  vtkMinimalStandardRandomSequence* sequence = GetSegmentIDRandomSequenceInstance();
  std::string id = "S_";
  for (int i = 0; i < suffixLength; ++i)
  {
    sequence->Next();
    const std::size_t index =
      static_cast<std::size_t>(sequence->GetValue() * static_cast<double>(validCharacters.size()));
    id += validCharacters[std::min(index, validCharacters.size() - 1)];
  }
  return id;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUUIDDerivedUID()
{
  std::random_device device;
  unsigned char bytes[16];
  for (unsigned char& byte : bytes)
  {
    byte = static_cast<unsigned char>(device() & 0xff);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4: random
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant of RFC 4122
  // Long division of the 128-bit number by 10 gives its digits from the last to the first.
  std::string digits;
  while (std::any_of(bytes, bytes + 16, [](unsigned char byte) { return byte != 0; }))
  {
    unsigned int remainder = 0;
    for (unsigned char& byte : bytes)
    {
      const unsigned int value = remainder * 256 + byte;
      byte = static_cast<unsigned char>(value / 10);
      remainder = value % 10;
    }
    digits += static_cast<char>('0' + remainder);
  }
  return "2.25." + std::string(digits.rbegin(), digits.rend());
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUniqueSegmentID(std::string id)
{
  if (id.empty())
  {
    do
    {
      id = this->UUIDSegmentIDs ? GenerateUUIDDerivedUID() : GenerateRandomSegmentID(16);
    } while (this->GetSegment(id));
    return id;
  }
  std::string unique = id;
  while (this->GetSegment(unique))
  {
    unique = id + "_" + std::to_string(++this->SegmentIdCounter);
  }
  return unique;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GenerateUniqueSegmentName(std::string base)
{
  std::set<std::string> names;
  for (const auto& entry : this->Segments)
  {
    names.insert(entry.second->GetName() ? entry.second->GetName() : "");
  }
  int number = 1;
  while (names.count(base + "_" + std::to_string(number)))
  {
    ++number;
  }
  return base + "_" + std::to_string(number);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::SetSourceRepresentationModifiedEnabled(bool enabled)
{
  std::swap(enabled, this->SourceRepresentationModifiedEnabled);
  return enabled;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::SetSegmentModifiedEnabled(bool enabled)
{
  std::swap(enabled, this->SegmentModifiedEnabled);
  return enabled;
}

//----------------------------------------------------------------------------
void vtkSegmentation::ObserveSource(ObservedSegment& observed, vtkDataObject* source)
{
  if (observed.Source == source)
  {
    return;
  }
  if (source)
  {
    ObservedSource& added = this->ObservedSources[source];
    if (added.Users++ == 0)
    {
      added.Tag = source->AddObserver(vtkCommand::ModifiedEvent, this->SourceCommand);
    }
  }
  if (observed.Source)
  {
    const auto dropped = this->ObservedSources.find(observed.Source);
    if (--dropped->second.Users == 0)
    {
      observed.Source->RemoveObserver(dropped->second.Tag);
      this->ObservedSources.erase(dropped);
    }
  }
  observed.Source = source;
}

//----------------------------------------------------------------------------
void vtkSegmentation::ObserveSegment(vtkSegment* segment, const std::string& id)
{
  ObservedSegment& observed = this->ObservedSegments[segment];
  observed.ID = id;
  observed.Tag = segment->AddObserver(vtkCommand::ModifiedEvent, this->SegmentCommand);
  this->ObserveSource(observed, segment->GetRepresentation(this->SourceRepresentationName));
}

//----------------------------------------------------------------------------
void vtkSegmentation::UnobserveSegment(vtkSegment* segment)
{
  const auto found = this->ObservedSegments.find(segment);
  if (found != this->ObservedSegments.end())
  {
    this->ObserveSource(found->second, nullptr);
    segment->RemoveObserver(found->second.Tag);
    this->ObservedSegments.erase(found);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::OnSegmentModified(vtkObject* caller, unsigned long, void* clientData, void*)
{
  vtkSegmentation* self = static_cast<vtkSegmentation*>(clientData);
  vtkSegment* segment = vtkSegment::SafeDownCast(caller);
  const auto found = self->ObservedSegments.find(segment);
  if (found == self->ObservedSegments.end())
  {
    return;
  }
  self->ObserveSource(found->second, segment->GetRepresentation(self->SourceRepresentationName));
  if (self->SegmentModifiedEnabled)
  {
    std::string id = found->second.ID; // an observer may remove the segment
    self->InvokeEvent(SegmentModified, &id[0]);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::OnSourceModified(vtkObject*, unsigned long, void* clientData, void*)
{
  vtkSegmentation* self = static_cast<vtkSegmentation*>(clientData);
  if (self->SourceRepresentationModifiedEnabled)
  {
    self->InvalidateNonSourceRepresentations();
    self->InvokeEvent(SourceRepresentationModified, nullptr);
  }
}

//----------------------------------------------------------------------------
vtkSmartPointer<vtkDataObject> vtkSegmentation::MakeEmptyRepresentation(const std::string& name)
{
  using Names = vtkSegmentationConverter;
  if (name == BinaryLabelmapName() || name == Names::GetFractionalLabelmapRepresentationName())
  {
    auto image = vtkSmartPointer<vtkOrientedImageData>::New();
    if (name == BinaryLabelmapName())
    {
      image->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
    }
    return image;
  }
  if (name == Names::GetClosedSurfaceRepresentationName() ||
    name == Names::GetPlanarContourRepresentationName())
  {
    return vtkSmartPointer<vtkPolyData>::New();
  }
  // A kind that only the other segments know.
  vtkDataObject* example = this->GetSegmentRepresentation(this->GetNthSegmentID(0), name);
  return example ? vtkSmartPointer<vtkDataObject>::Take(example->NewInstance()) : nullptr;
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
  const std::vector<std::string> names = NamesOf(segment);
  std::vector<std::string> needed;
  this->GetContainedRepresentationNames(needed);
  if (!Contains(needed, this->SourceRepresentationName))
  {
    needed.push_back(this->SourceRepresentationName);
  }
  for (const std::string& name : needed)
  {
    if (!names.empty() && !Contains(names, name))
    {
      vtkErrorMacro("AddSegment: the segment '" << (segment->GetName() ? segment->GetName() : id)
                                                << "' has no representation '" << name
                                                << "', which all segments here must have.");
      return false;
    }
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
  std::vector<std::string> wanted;
  this->GetContainedRepresentationNames(wanted);
  const std::vector<std::string> names = NamesOf(segment);
  if (names.empty())
  {
    if (wanted.empty())
    {
      wanted.push_back(this->SourceRepresentationName);
    }
    std::vector<vtkSmartPointer<vtkDataObject>> made;
    for (const std::string& name : wanted)
    {
      made.push_back(this->MakeEmptyRepresentation(name));
      if (!made.back())
      {
        vtkErrorMacro("AddSegment: an empty representation '"
          << name << "' is needed; it is not known what kind of data object that is.");
        return false;
      }
    }
    for (std::size_t i = 0; i < wanted.size(); ++i)
    {
      segment->AddRepresentation(wanted[i], made[i]);
    }
  }
  else if (!this->Segments.empty())
  {
    for (const std::string& name : names)
    {
      if (!Contains(wanted, name))
      {
        segment->RemoveRepresentation(name);
      }
    }
  }
  this->InsertSegment(segment, segmentId, insertBeforeSegmentId);
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentation::InsertSegment(
  vtkSegment* segment, std::string id, const std::string& insertBefore)
{
  id = id.empty() ? this->GenerateUniqueSegmentID() : id;
  this->Segments[id] = segment;
  this->SegmentIds.insert(
    std::find(this->SegmentIds.begin(), this->SegmentIds.end(), insertBefore), id);
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
    this->GetSegmentRepresentation(this->GetNthSegmentID(0), BinaryLabelmapName()));
  if (layer && this->SourceRepresentationName == BinaryLabelmapName())
  {
    std::vector<std::string> names;
    this->GetContainedRepresentationNames(names);
    for (const std::string& name : names)
    {
      vtkSmartPointer<vtkDataObject> empty = layer;
      if (name != BinaryLabelmapName())
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
    if (this->GetSegment(id) && !Contains(moved, id))
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
    [&moved](const std::string& id) { return Contains(moved, id); });
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
  const auto found =
    std::find_if(this->Segments.begin(), this->Segments.end(), [&name](const auto& entry)
      { return entry.second->GetName() && LowerCase(entry.second->GetName()) == name; });
  return found == this->Segments.end() ? std::string() : found->first;
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
vtkDataObject* vtkSegmentation::GetSegmentRepresentation(
  std::string segmentId, std::string representationName)
{
  vtkSegment* segment = this->GetSegment(segmentId);
  return segment ? segment->GetRepresentation(representationName) : nullptr;
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
  if (!this->CheckNewSegment(segment, id))
  {
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
void vtkSegmentation::GetContainedRepresentationNames(std::vector<std::string>& representationNames)
{
  representationNames = NamesOf(this->GetNthSegment(0));
}

//----------------------------------------------------------------------------
bool vtkSegmentation::ContainsRepresentation(std::string representationName)
{
  return Contains(NamesOf(this->GetNthSegment(0)), representationName);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::IsSourceRepresentationPolyData()
{
  const std::string& name = this->SourceRepresentationName;
  vtkDataObject* first = this->GetSegmentRepresentation(this->GetNthSegmentID(0), name);
  return vtkPolyData::SafeDownCast(
    first ? first : this->MakeEmptyRepresentation(name).GetPointer());
}

//----------------------------------------------------------------------------
bool vtkSegmentation::IsSourceRepresentationImageData()
{
  const std::string& name = this->SourceRepresentationName;
  vtkDataObject* first = this->GetSegmentRepresentation(this->GetNthSegmentID(0), name);
  return vtkOrientedImageData::SafeDownCast(
    first ? first : this->MakeEmptyRepresentation(name).GetPointer());
}

//----------------------------------------------------------------------------
void vtkSegmentation::InvalidateNonSourceRepresentations()
{
  for (const std::string& id : this->GetSegmentIDs())
  {
    if (vtkSegment* segment = this->GetSegment(id))
    {
      segment->RemoveAllRepresentations(this->SourceRepresentationName);
    }
  }
  this->InvokeEvent(ContainedRepresentationNamesModified);
}

//----------------------------------------------------------------------------
void vtkSegmentation::RemoveRepresentation(const std::string& representationName)
{
  const std::string name = representationName;
  for (const std::string& id : this->GetSegmentIDs())
  {
    if (vtkSegment* segment = this->GetSegment(id))
    {
      segment->RemoveRepresentation(name);
    }
  }
  this->InvokeEvent(ContainedRepresentationNamesModified);
}

//----------------------------------------------------------------------------
void vtkSegmentation::SetConversionParameter(const std::string& name, const std::string& value)
{
  this->Converter->SetConversionParameter(name, value);
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GetConversionParameter(const std::string& name)
{
  return this->Converter->GetConversionParameter(name);
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::SerializeAllConversionParameters()
{
  return this->Converter->SerializeAllConversionParameters();
}

//----------------------------------------------------------------------------
void vtkSegmentation::DeserializeConversionParameters(std::string conversionParametersString)
{
  this->Converter->DeserializeConversionParameters(conversionParametersString);
}

//----------------------------------------------------------------------------
void vtkSegmentation::SetSourceRepresentationName(const std::string& representationName)
{
  if (representationName == this->SourceRepresentationName)
  {
    return;
  }
  for (const std::string& id : this->SegmentIds)
  {
    const std::vector<std::string> names = NamesOf(this->GetSegment(id));
    if (!names.empty() && !Contains(names, representationName))
    {
      vtkErrorMacro("SetSourceRepresentationName: segment '"
        << id << "' has no representation '" << representationName
        << "'; with that as the source everything it has would be deleted.");
      return;
    }
  }
  this->SourceRepresentationName = representationName;
  for (auto& observed : this->ObservedSegments)
  {
    this->ObserveSource(
      observed.second, observed.first->GetRepresentation(this->SourceRepresentationName));
  }
  this->InvalidateNonSourceRepresentations();
  this->Modified();
  this->InvokeEvent(SourceRepresentationModified, this);
}

//----------------------------------------------------------------------------
void vtkSegmentation::SetMasterRepresentationName(const std::string& representationName)
{
  vtkWarningMacro("SetMasterRepresentationName is now SetSourceRepresentationName.");
  this->SetSourceRepresentationName(representationName);
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::GetMasterRepresentationName()
{
  vtkWarningMacro("GetMasterRepresentationName is now GetSourceRepresentationName.");
  return this->GetSourceRepresentationName();
}

//----------------------------------------------------------------------------
bool vtkSegmentation::IsMasterRepresentationPolyData()
{
  vtkWarningMacro("IsMasterRepresentationPolyData is now IsSourceRepresentationPolyData.");
  return this->IsSourceRepresentationPolyData();
}

//----------------------------------------------------------------------------
bool vtkSegmentation::IsMasterRepresentationImageData()
{
  vtkWarningMacro("IsMasterRepresentationImageData is now IsSourceRepresentationImageData.");
  return this->IsSourceRepresentationImageData();
}

//----------------------------------------------------------------------------
void vtkSegmentation::InvalidateNonMasterRepresentations()
{
  vtkWarningMacro("InvalidateNonMasterRepresentations is now InvalidateNonSourceRepresentations.");
  this->InvalidateNonSourceRepresentations();
}

//----------------------------------------------------------------------------
bool vtkSegmentation::IsSharedBinaryLabelmap(std::string segmentID)
{
  std::vector<std::string> others;
  this->GetSegmentIDsSharingBinaryLabelmapRepresentation(segmentID, others, false);
  return !others.empty();
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetSegmentIDsSharingRepresentation(std::string originalSegmentId,
  std::string representationName, std::vector<std::string>& sharedSegmentIds,
  bool includeOriginalSegmentId)
{
  sharedSegmentIds.clear();
  vtkDataObject* shared = this->GetSegmentRepresentation(originalSegmentId, representationName);
  for (const std::string& id : this->SegmentIds)
  {
    if (shared && this->GetSegmentRepresentation(id, representationName) == shared &&
      (includeOriginalSegmentId || id != originalSegmentId))
    {
      sharedSegmentIds.push_back(id);
    }
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetSegmentIDsSharingBinaryLabelmapRepresentation(
  std::string originalSegmentId, std::vector<std::string>& sharedSegmentIds,
  bool includeOriginalSegmentId)
{
  this->GetSegmentIDsSharingRepresentation(
    originalSegmentId, BinaryLabelmapName(), sharedSegmentIds, includeOriginalSegmentId);
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetUniqueLabelValueForSharedLabelmap(std::string segmentId)
{
  std::vector<std::string> ids;
  this->GetSegmentIDsSharingBinaryLabelmapRepresentation(segmentId, ids);
  std::set<int> labels;
  for (const std::string& id : ids)
  {
    labels.insert(this->GetSegment(id)->GetLabelValue());
  }
  int label = 1;
  while (labels.count(label))
  {
    ++label;
  }
  return label;
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetUniqueLabelValueForSharedLabelmap(vtkOrientedImageData* labelmap)
{
  if (!labelmap)
  {
    return 1;
  }
  double largest = 0.0;
  vtkDataArray* scalars = labelmap->GetPointData()->GetScalars();
  if (scalars && scalars->GetNumberOfTuples() > 0)
  {
    largest = std::max(largest, std::floor(scalars->GetRange(0)[1]));
  }
  for (const std::string& id : this->GetSegmentIDsForDataObject(labelmap, BinaryLabelmapName()))
  {
    largest = std::max<double>(largest, this->GetSegment(id)->GetLabelValue());
  }
  if (largest >= VTK_INT_MAX)
  {
    vtkErrorMacro("GetUniqueLabelValueForSharedLabelmap: the largest label, "
      << largest << ", leaves no larger one.");
    return 0;
  }
  return static_cast<int>(largest) + 1;
}

//----------------------------------------------------------------------------
void vtkSegmentation::SeparateSegmentLabelmap(std::string segmentId)
{
  vtkSmartPointer<vtkSegment> segment = this->GetSegment(segmentId);
  if (!segment || !this->IsSharedBinaryLabelmap(segmentId))
  {
    return;
  }
  vtkImageData* image =
    vtkImageData::SafeDownCast(segment->GetRepresentation(BinaryLabelmapName()));
  if (!image)
  {
    vtkErrorMacro(
      "SeparateSegmentLabelmap: the binary labelmap of segment '" << segmentId << "' is no image.");
    return;
  }
  const vtkSmartPointer<vtkImageData> own = segcore::takeOutLabel(image, segment->GetLabelValue());
  {
    // All segments look as before, so nothing made from them becomes invalid.
    const Disabled noInvalidation(this->SourceRepresentationModifiedEnabled);
    image->Modified();
    segment->SetLabelValue(1);
    segment->AddRepresentation(BinaryLabelmapName(), own);
  }
  if (this->SourceRepresentationName == BinaryLabelmapName())
  {
    this->InvokeEvent(SourceRepresentationModified, own);
  }
  this->InvokeEvent(RepresentationModified, &segmentId[0]);
  this->Modified();
}

//----------------------------------------------------------------------------
std::vector<vtkDataObject*> vtkSegmentation::GetLayers(const std::string& representationName)
{
  const std::string& name =
    representationName.empty() ? this->SourceRepresentationName : representationName;
  std::vector<vtkDataObject*> layers;
  std::set<vtkDataObject*> seen;
  for (const std::string& id : this->SegmentIds)
  {
    vtkDataObject* object = this->GetSegmentRepresentation(id, name);
    if (object && seen.insert(object).second)
    {
      layers.push_back(object);
    }
  }
  return layers;
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetNumberOfLayers(std::string representationName)
{
  return static_cast<int>(this->GetLayers(representationName).size());
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetLayerIndex(std::string segmentId, std::string representationName)
{
  if (!this->GetSegment(segmentId))
  {
    vtkErrorMacro("GetLayerIndex: there is no segment '" << segmentId << "'.");
    return -1;
  }
  const std::vector<vtkDataObject*> layers = this->GetLayers(representationName);
  const auto found = std::find(layers.begin(), layers.end(),
    this->GetSegmentRepresentation(
      segmentId, representationName.empty() ? this->SourceRepresentationName : representationName));
  return found == layers.end() ? -1 : static_cast<int>(found - layers.begin());
}

//----------------------------------------------------------------------------
vtkDataObject* vtkSegmentation::GetLayerDataObject(int layer, std::string representationName)
{
  const std::vector<vtkDataObject*> layers = this->GetLayers(representationName);
  return layer >= 0 && layer < static_cast<int>(layers.size()) ? layers[layer] : nullptr;
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetLayerObjects(vtkCollection* layerObjects, std::string representationName)
{
  if (!layerObjects)
  {
    vtkErrorMacro("GetLayerObjects: no collection given.");
    return;
  }
  layerObjects->RemoveAllItems();
  for (vtkDataObject* layer : this->GetLayers(representationName))
  {
    layerObjects->AddItem(layer);
  }
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::GetSegmentIDsForLayer(
  int layer, std::string representationName)
{
  return this->GetSegmentIDsForDataObject(
    this->GetLayerDataObject(layer, representationName), representationName);
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::GetSegmentIDsForDataObject(
  vtkDataObject* dataObject, std::string representationName)
{
  const std::string& name =
    representationName.empty() ? this->SourceRepresentationName : representationName;
  std::vector<std::string> ids;
  for (const std::string& id : this->SegmentIds)
  {
    if (dataObject && this->GetSegmentRepresentation(id, name) == dataObject)
    {
      ids.push_back(id);
    }
  }
  return ids;
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
