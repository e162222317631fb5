// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: representations, and how one is made from another.
#include "SegmentationScopes.h"

#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkPolyData.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"

#include <exception>

using segcore::binaryLabelmapName;
using segcore::contains;
using segcore::namesOf;

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
vtkSmartPointer<vtkDataObject> vtkSegmentation::MakeEmptyRepresentation(const std::string& name)
{
  using Names = vtkSegmentationConverter;
  vtkDataObject* made =
    vtkSegmentationConverterFactory::GetInstance()->ConstructRepresentationObjectByRepresentation(
      name);
  if (made)
  {
    return vtkSmartPointer<vtkDataObject>::Take(made);
  }
  // Without rules: what every segmentation knows.
  if (name == binaryLabelmapName() || name == Names::GetFractionalLabelmapRepresentationName())
  {
    auto image = vtkSmartPointer<vtkOrientedImageData>::New();
    if (name == binaryLabelmapName())
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
void vtkSegmentation::GetContainedRepresentationNames(std::vector<std::string>& representationNames)
{
  representationNames = namesOf(this->GetNthSegment(0));
}

//----------------------------------------------------------------------------
bool vtkSegmentation::ContainsRepresentation(std::string representationName)
{
  return contains(namesOf(this->GetNthSegment(0)), representationName);
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
    const std::vector<std::string> names = namesOf(this->GetSegment(id));
    if (!names.empty() && !contains(names, representationName))
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
void vtkSegmentation::GetAvailableRepresentationNames(std::set<std::string>& representationNames)
{
  this->Converter->GetAvailableRepresentationNames(representationNames);
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::GetAvailableRepresentationNames()
{
  return this->Converter->GetAvailableRepresentationNames();
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetPossibleConversions(
  const std::string& targetRepresentationName, vtkSegmentationConversionPaths* paths)
{
  this->Converter->GetPossibleConversions(
    this->SourceRepresentationName, targetRepresentationName, paths);
}

//----------------------------------------------------------------------------
void vtkSegmentation::GetConversionParametersForPath(
  vtkSegmentationConversionParameters* conversionParameters, vtkSegmentationConversionPath* path)
{
  this->Converter->GetConversionParametersForPath(conversionParameters, path);
}

//----------------------------------------------------------------------------
vtkSmartPointer<vtkSegmentationConversionPath> vtkSegmentation::FindCheapestPath(
  const std::vector<std::string>& sources, const std::string& target)
{
  vtkNew<vtkSegmentationConversionPaths> candidates;
  for (const std::string& source : sources)
  {
    vtkNew<vtkSegmentationConversionPaths> paths;
    if (source != target)
    {
      this->Converter->GetPossibleConversions(source, target, paths);
      candidates->AddPaths(paths);
    }
  }
  return vtkSegmentationConverter::GetCheapestPath(candidates);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CreateRepresentation(
  const std::string& targetRepresentationName, bool alwaysConvert)
{
  const std::string target = targetRepresentationName;
  if (alwaysConvert && target == this->SourceRepresentationName)
  {
    vtkErrorMacro("CreateRepresentation: '"
      << target << "' is the source representation; it is made from nothing else.");
    return false;
  }
  // What all segments have; without `alwaysConvert` that may be a shorter way than the source.
  std::vector<std::string> sources{ this->SourceRepresentationName };
  bool missing = false;
  if (!alwaysConvert)
  {
    sources = namesOf(this->GetNthSegment(0));
    for (const std::string& id : this->SegmentIds)
    {
      const std::vector<std::string> names = namesOf(this->GetSegment(id));
      sources.erase(std::remove_if(sources.begin(), sources.end(),
                      [&names](const std::string& name) { return !contains(names, name); }),
        sources.end());
      missing = missing || !contains(names, target);
    }
  }
  if (this->Segments.empty() || (!alwaysConvert && !missing))
  {
    return true;
  }
  const auto path = this->FindCheapestPath(sources, target);
  if (!path)
  {
    return false; // no error, as in Slicer: callers ask in order to find out
  }
  std::vector<vtkSmartPointer<vtkSegment>> segments;
  std::map<std::string, vtkSmartPointer<vtkDataObject>> before;
  for (const std::string& id : this->SegmentIds)
  {
    segments.emplace_back(this->GetSegment(id));
    before[id] = segments.back()->GetRepresentation(target);
  }
  QuietScope quiet(*this);
  if (!this->Convert(segments, path, alwaysConvert))
  {
    return false;
  }
  for (std::string id : quiet.End())
  {
    this->InvokeSegmentModified({ id });
    if (this->GetSegmentRepresentation(id, target) != before[id])
    {
      this->InvokeEvent(RepresentationModified, &id[0]);
    }
  }
  this->InvokeEvent(ContainedRepresentationNamesModified);
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::CreateRepresentation(
  vtkSegmentationConversionPath* path, vtkSegmentationConversionParameters* parameters)
{
  if (!path || path->GetNumberOfRules() == 0)
  {
    vtkErrorMacro("CreateRepresentation: " << (path ? "the path has no rules." : "no path given."));
    return false;
  }
  vtkNew<vtkSegmentationConversionParameters> before;
  this->Converter->GetAllConversionParameters(before);
  if (parameters)
  {
    this->Converter->SetConversionParameters(parameters);
  }
  std::vector<vtkSmartPointer<vtkSegment>> segments;
  for (const std::string& id : this->SegmentIds)
  {
    segments.emplace_back(this->GetSegment(id));
  }
  QuietScope quiet(*this);
  if (!this->Convert(segments, path, true))
  {
    this->Converter->SetConversionParameters(before);
    return false;
  }
  this->InvokeSegmentModified(quiet.End());
  for (std::string id : this->GetSegmentIDs())
  {
    this->InvokeEvent(RepresentationModified, &id[0]);
  }
  this->InvokeEvent(ContainedRepresentationNamesModified);
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::ConvertSegmentsUsingPath(
  std::vector<std::string> segmentIDs, vtkSegmentationConversionPath* path, bool overwriteExisting)
{
  if (!path)
  {
    vtkErrorMacro("ConvertSegmentsUsingPath: no path given.");
    return false;
  }
  std::vector<vtkSmartPointer<vtkSegment>> segments;
  for (const std::string& id : segmentIDs)
  {
    segments.emplace_back(this->GetSegment(id));
    if (!segments.back())
    {
      vtkErrorMacro("ConvertSegmentsUsingPath: there is no segment '" << id << "'.");
      return false;
    }
  }
  QuietScope quiet(*this);
  if (!this->Convert(segments, path, overwriteExisting))
  {
    return false;
  }
  this->InvokeSegmentModified(quiet.End());
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::ConvertSegmentUsingPath(
  vtkSegment* segment, vtkSegmentationConversionPath* path, bool overwriteExisting)
{
  if (!segment || !path)
  {
    vtkErrorMacro("ConvertSegmentUsingPath: no " << (segment ? "path" : "segment") << " given.");
    return false;
  }
  QuietScope quiet(*this);
  if (!this->Convert({ segment }, path, overwriteExisting))
  {
    return false;
  }
  this->InvokeSegmentModified(quiet.End());
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::ConvertSingleSegment(
  std::string segmentId, std::string targetRepresentationName)
{
  vtkSegment* segment = this->GetSegment(segmentId);
  if (!segment)
  {
    vtkErrorMacro("ConvertSingleSegment: there is no segment '" << segmentId << "'.");
    return false;
  }
  if (segment->GetRepresentation(targetRepresentationName))
  {
    return true;
  }
  const auto path = this->FindCheapestPath(namesOf(segment), targetRepresentationName);
  if (!path)
  {
    vtkErrorMacro("ConvertSingleSegment: nothing that segment '"
      << segmentId << "' has can be converted to '" << targetRepresentationName << "'.");
    return false;
  }
  return this->ConvertSegmentUsingPath(segment, path);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::Convert(const std::vector<vtkSmartPointer<vtkSegment>>& segments,
  vtkSegmentationConversionPath* path, bool overwriteExisting)
{
  const std::vector<SegmentState> before = this->GetStates(segments);
  const vtkSmartPointer<vtkSegmentationConversionPath> held = path;
  const std::set<vtkSegment*> waiting = this->WaitingSegments;
  bool done = false;
  try
  {
    done = this->RunRules(segments, path, overwriteExisting);
  }
  catch (const std::exception& failure)
  {
    vtkErrorMacro("Conversion failed: " << failure.what());
  }
  if (!done)
  {
    this->RestoreStates(before);
    return false;
  }
  const auto isChanged = [](const SegmentState& state)
  {
    return state.Segment->GetLabelValue() != state.LabelValue ||
      namesOf(state.Segment).size() != state.Representations.size() ||
      std::any_of(state.Representations.begin(), state.Representations.end(),
        [&state](const auto& old)
        { return state.Segment->GetRepresentation(old.first) != old.second; });
  };
  // Views hold on to surfaces: one that was made again gets its new content in the old object, now
  // that nothing can fail.
  std::map<vtkDataObject*, int> users;
  for (const SegmentState& state : before)
  {
    for (const auto& old : state.Representations)
    {
      ++users[old.second];
      vtkDataObject* now = state.Segment->GetRepresentation(old.first);
      users[now] += now != old.second ? 1 : 0;
    }
  }
  for (const SegmentState& state : before)
  {
    for (const auto& old : state.Representations)
    {
      vtkSmartPointer<vtkDataObject> now = state.Segment->GetRepresentation(old.first);
      if (now && now != old.second && vtkPolyData::SafeDownCast(now) && users[now] == 1 &&
        vtkPolyData::SafeDownCast(old.second) && users[old.second] == 1)
      {
        old.second->ShallowCopy(now);
        state.Segment->AddRepresentation(old.first, old.second);
      }
    }
    // Out and in again is no change of the segment.
    if (!waiting.count(state.Segment) && !isChanged(state))
    {
      this->WaitingSegments.erase(state.Segment);
    }
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentation::RunRules(const std::vector<vtkSmartPointer<vtkSegment>>& segments,
  vtkSegmentationConversionPath* path, bool overwriteExisting)
{
  for (int i = 0; i < path->GetNumberOfRules(); ++i)
  {
    vtkSegmentationConverterRule* rule = path->GetRule(i);
    const std::string source = rule->GetSourceRepresentationName();
    const std::string target = rule->GetTargetRepresentationName();
    std::vector<vtkSmartPointer<vtkSegment>> converted;
    for (const auto& segment : segments)
    {
      if (overwriteExisting || !segment->GetRepresentation(target))
      {
        converted.push_back(segment);
      }
    }
    if (converted.empty())
    {
      continue;
    }
    if (!rule->PreConvert(this))
    {
      vtkErrorMacro("Conversion '" << rule->GetName() << "': its preparation failed.");
      return false;
    }
    for (const auto& segment : converted)
    {
      const std::string title =
        "segment '" + std::string(segment->GetName() ? segment->GetName() : "") + "'";
      if (!segment->GetRepresentation(source))
      {
        vtkErrorMacro("Conversion '" << rule->GetName() << "': " << title
                                     << " has no representation '" << source << "'.");
        return false;
      }
      // Without it the rule has to make a new object, and the old one can be gone back to.
      segment->RemoveRepresentation(target);
      if (!rule->Convert(segment) || !segment->GetRepresentation(target))
      {
        vtkErrorMacro("Conversion '" << rule->GetName() << "' failed for " << title
                                     << "; all segments keep the representations they had.");
        return false;
      }
    }
    if (!rule->PostConvert(this))
    {
      vtkErrorMacro("Conversion '" << rule->GetName() << "': its completion failed.");
      return false;
    }
  }
  return true;
}
