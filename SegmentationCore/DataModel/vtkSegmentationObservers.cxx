// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: what is observed, what is counted of it, and what is announced.
#include "SegmentationScopes.h"

#include "vtkCallbackCommand.h"
#include "vtkCommand.h"

using segcore::binaryLabelmapName;
using segcore::namesOf;

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
void vtkSegmentation::CountNameAndLabel(ObservedSegment& observed, vtkSegment* segment)
{
  const bool listed = segment != nullptr;
  const std::string name = listed && segment->GetName() ? segment->GetName() : "";
  vtkDataObject* labelmap = listed ? segment->GetRepresentation(binaryLabelmapName()) : nullptr;
  const int label = listed ? segment->GetLabelValue() : 0;
  if (labelmap != observed.Labelmap || label != observed.Label)
  {
    if (labelmap)
    {
      ++this->LayerLabels[labelmap].Users[label];
    }
    if (observed.Labelmap)
    {
      LabelUse& use = this->LayerLabels[observed.Labelmap];
      if (--use.Users[observed.Label] == 0)
      {
        use.Users.erase(observed.Label);
        use.FirstCandidate =
          observed.Label < 1 ? use.FirstCandidate : std::min(use.FirstCandidate, observed.Label);
      }
      if (use.Users.empty())
      {
        this->LayerLabels.erase(observed.Labelmap);
      }
    }
    observed.Labelmap = labelmap;
    observed.Label = label;
  }
  if (listed != observed.Listed || name != observed.Name)
  {
    if (listed)
    {
      ++this->NameUsers[name];
    }
    if (observed.Listed && --this->NameUsers[observed.Name] == 0)
    {
      this->NameUsers.erase(observed.Name);
      this->FirstNameCandidate.clear();
    }
    observed.Name = name;
    observed.Listed = listed;
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::ObserveSegment(vtkSegment* segment, const std::string& id)
{
  ObservedSegment& observed = this->ObservedSegments[segment];
  observed.ID = id;
  observed.Tag = segment->AddObserver(vtkCommand::ModifiedEvent, this->SegmentCommand);
  this->ObserveSource(observed, segment->GetRepresentation(this->SourceRepresentationName));
  this->CountNameAndLabel(observed, segment);
}

//----------------------------------------------------------------------------
void vtkSegmentation::UnobserveSegment(vtkSegment* segment)
{
  const auto found = this->ObservedSegments.find(segment);
  if (found != this->ObservedSegments.end())
  {
    this->ObserveSource(found->second, nullptr);
    this->CountNameAndLabel(found->second, nullptr);
    this->WaitingSegments.erase(segment);
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
  self->CountNameAndLabel(found->second, segment);
  if (self->QuietScopes > 0)
  {
    self->WaitingSegments.insert(segment);
  }
  else if (self->SegmentModifiedEnabled)
  {
    std::string id = found->second.ID; // an observer may remove the segment
    self->InvokeEvent(SegmentModified, &id[0]);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::OnSourceModified(vtkObject*, unsigned long, void* clientData, void*)
{
  static_cast<vtkSegmentation*>(clientData)->SourceWasModified();
}

//----------------------------------------------------------------------------
void vtkSegmentation::SourceWasModified()
{
  if (this->SourceRepresentationModifiedEnabled && this->QuietScopes == 0)
  {
    this->InvalidateNonSourceRepresentations();
    this->InvokeEvent(SourceRepresentationModified, nullptr);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentation::InvokeSegmentModified(const std::vector<std::string>& ids)
{
  for (std::string id : ids)
  {
    if (this->SegmentModifiedEnabled && this->GetSegment(id)) // no observer removed it
    {
      this->InvokeEvent(SegmentModified, &id[0]);
    }
  }
}

//----------------------------------------------------------------------------
std::vector<vtkSegmentation::SegmentState> vtkSegmentation::GetStates(
  const std::vector<vtkSmartPointer<vtkSegment>>& more)
{
  std::vector<vtkSmartPointer<vtkSegment>> segments;
  for (const std::string& id : this->SegmentIds)
  {
    segments.emplace_back(this->GetSegment(id));
  }
  for (const auto& segment : more)
  {
    if (!this->ObservedSegments.count(segment))
    {
      segments.push_back(segment);
    }
  }
  std::vector<SegmentState> states;
  for (const auto& segment : segments)
  {
    states.push_back(SegmentState::Of(segment));
  }
  return states;
}

//----------------------------------------------------------------------------
void vtkSegmentation::RestoreStates(const std::vector<SegmentState>& states)
{
  for (const SegmentState& state : states)
  {
    for (const std::string& name : namesOf(state.Segment))
    {
      if (!state.Representations.count(name))
      {
        state.Segment->RemoveRepresentation(name);
      }
    }
    for (const auto& representation : state.Representations)
    {
      state.Segment->AddRepresentation(representation.first, representation.second);
    }
    state.Segment->SetLabelValue(state.LabelValue);
  }
}
