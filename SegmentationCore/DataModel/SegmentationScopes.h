// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What the parts of vtkSegmentation share: scopes that hold events back, the state of segments.
#ifndef segcore_SegmentationScopes_h
#define segcore_SegmentationScopes_h

#include "vtkDataObject.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace segcore
{

inline std::string binaryLabelmapName()
{
  return vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
}

/// Switches something off for a block, whatever way the block is left.
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

/// Names of a segment's representations; none for null.
inline std::vector<std::string> namesOf(vtkSegment* segment)
{
  std::vector<std::string> names;
  if (segment)
  {
    segment->GetContainedRepresentationNames(names);
  }
  return names;
}

inline bool contains(const std::vector<std::string>& names, const std::string& name)
{
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The texts of an array; none for null.
inline std::vector<std::string> textsOf(vtkStringArray* array)
{
  std::vector<std::string> texts;
  for (vtkIdType i = 0; array && i < array->GetNumberOfValues(); ++i)
  {
    texts.push_back(array->GetValue(i));
  }
  return texts;
}

} // namespace segcore

/// While one exists, segments that change are noted instead of announced, and changes of source
/// objects have no consequences. Nested scopes leave the announcement to the outermost.
class vtkSegmentation::QuietScope
{
public:
  explicit QuietScope(vtkSegmentation& segmentation) : Segmentation(segmentation)
  {
    ++segmentation.QuietScopes;
  }
  ~QuietScope() { this->End(); }
  QuietScope(const QuietScope&) = delete;
  void operator=(const QuietScope&) = delete;

  /// Ends the scope: IDs of the segments that changed, in display order. None if another scope is
  /// around this one.
  std::vector<std::string> End()
  {
    std::vector<std::string> changed;
    if (this->Ended || (this->Ended = true, --this->Segmentation.QuietScopes > 0))
    {
      return changed;
    }
    if (this->Segmentation.WaitingSegments.empty())
    {
      return changed;
    }
    std::set<vtkSegment*> waiting;
    waiting.swap(this->Segmentation.WaitingSegments);
    for (const std::string& id : this->Segmentation.SegmentIds)
    {
      if (waiting.count(this->Segmentation.GetSegment(id)))
      {
        changed.push_back(id);
      }
    }
    return changed;
  }

private:
  vtkSegmentation& Segmentation;
  bool Ended = false;
};

struct vtkSegmentation::SegmentState
{
  vtkSmartPointer<vtkSegment> Segment;
  int LabelValue = 1;
  std::map<std::string, vtkSmartPointer<vtkDataObject>> Representations;

  static SegmentState Of(vtkSegment* segment)
  {
    SegmentState state;
    state.Segment = segment;
    state.LabelValue = segment->GetLabelValue();
    for (const std::string& name : segcore::namesOf(segment))
    {
      state.Representations[name] = segment->GetRepresentation(name);
    }
    return state;
  }
};

#endif
