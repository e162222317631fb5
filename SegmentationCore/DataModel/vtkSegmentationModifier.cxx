// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationModifier.h"

#include "ImageResult.h"
#include "LabelImage.h"
#include "ThreadScope.h"
#include "VoxelBox.h"
#include "VoxelRows.h"
#include "vtkLabelmapEditRecord.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"

#include "vtkObjectFactory.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>

vtkStandardNewMacro(vtkSegmentationModifier);

using segcore::Box;
using segcore::Index;
using segcore::VoxelRows;

namespace
{
using Resample = vtkOrientedImageDataResample;

vtkOrientedImageData* LabelmapOf(vtkSegment* segment)
{
  return segment ? vtkOrientedImageData::SafeDownCast(segment->GetRepresentation(
                     vtkSegmentationConverter::GetBinaryLabelmapRepresentationName()))
                 : nullptr;
}

bool Contains(const std::vector<std::string>& list, const std::string& text)
{
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The box around the voxels above a threshold; the faces see segcore::tightBox.
Box TightBox(vtkImageData* image, const Box& region, double threshold,
  segcore::Faces faces = segcore::AllFaces)
{
  Box tight;
  if (vtkDataArray* scalars = segcore::scalarsOf(image))
  {
    segcore::withThreads(
      [&]
      {
        segcore::withScalars(scalars, [&](auto* first)
          { tight = segcore::tightBox(first, segcore::boxOf(image), region, threshold, faces); });
      },
      region.size());
  }
  return tight;
}

// Which of the labels are where the mask is above the threshold, on one lattice; one pass.
std::set<int> LabelsInMask(
  vtkOrientedImageData* layer, vtkOrientedImageData* mask, const Box& region, int threshold)
{
  int extent[6];
  region.toExtent(extent);
  std::vector<int> labels;
  Resample::GetLabelValuesInMask(labels, layer, mask, extent, threshold);
  return std::set<int>(labels.begin(), labels.end());
}

// A segmentation's reaction to changes of its source, off or on for a block.
class SourceEvents
{
public:
  template <class Set>
  SourceEvents(Set set, bool enabled) : Restore(set), Old(set(false))
  {
    set(this->Old && enabled);
  }
  ~SourceEvents() { this->Restore(this->Old); }
  SourceEvents(const SourceEvents&) = delete;
  void operator=(const SourceEvents&) = delete;

private:
  std::function<bool(bool)> Restore;
  bool Old;
};
}

//----------------------------------------------------------------------------
// One call of ModifyBinaryLabelmap.
class vtkSegmentationModifier::Edit
{
public:
  Edit(vtkSegmentation* segmentation, const std::string& segmentID, vtkOrientedImageData* modifier,
    const int* extent, int mode, bool allSegments, const std::vector<std::string>& overwritable)
    : Segmentation(segmentation)
    , ID(segmentID)
    , Modifier(modifier)
    , Extent(extent)
    , Mode(mode)
    , AllSegments(allSegments)
    , Overwritable(overwritable)
  {
  }

  // False if the segment's labelmap could not be changed; then it was not.
  bool Run(bool sourceModifiedEnabled)
  {
    const SourceEvents events([this](bool enabled)
      { return this->Segmentation->SetSourceRepresentationModifiedEnabled(enabled); },
      sourceModifiedEnabled);
    this->Find();
    this->Region = segcore::boxOf(this->Modifier);
    if (this->Extent)
    {
      this->Region = this->Region.clipped(Box::fromExtent(this->Extent));
    }
    this->Inside = TightBox(this->Modifier, this->Region, 0.0);
    if (!this->LeaveOthersAlone())
    {
      return false;
    }
    const bool empty = this->Layer->IsEmpty() || !segcore::scalarsOf(this->Layer);
    if (this->Mode == MODE_MERGE_MIN)
    {
      return empty || (this->TakeModifiersLattice() && this->Erase());
    }
    if (!this->Shared && (empty || this->Mode == MODE_REPLACE))
    {
      return this->Replace();
    }
    return (empty ? this->StartLayer() : this->TakeModifiersLattice()) && this->Write();
  }

  bool IsChanged() const { return this->Changed; }
  const std::vector<std::string>& GetOverwritten() const { return this->Overwritten; }

private:
  vtkSegmentation* Segmentation;
  std::string ID;
  vtkOrientedImageData* Modifier;
  const int* Extent; // may be null
  int Mode;
  bool AllSegments;
  const std::vector<std::string>& Overwritable;
  std::vector<std::string> Overwritten;
  vtkSegment* Segment = nullptr;
  vtkSmartPointer<vtkOrientedImageData> Layer;
  bool Shared = false;
  int Label = 1;
  Box Region; // where the modifier counts
  Box Inside; // around its voxels above 0
  bool Changed = false;

  void Find()
  {
    this->Segment = this->Segmentation->GetSegment(this->ID);
    this->Layer = LabelmapOf(this->Segment);
    this->Label = this->Segment->GetLabelValue();
    std::vector<std::string> others;
    this->Segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation(this->ID, others, false);
    this->Shared = !others.empty();
  }

  // Moves the segment to a labelmap of its own if it would overwrite others that may not be.
  bool LeaveOthersAlone()
  {
    if (!this->Shared || this->Inside.empty())
    {
      return true;
    }
    int extent[6];
    this->Inside.toExtent(extent);
    std::vector<std::string> others;
    if (!GetSharedSegmentIDsInMask(
          this->Segmentation, this->ID, this->Modifier, extent, others, 0, false))
    {
      return false;
    }
    const bool allowed = std::all_of(others.begin(), others.end(),
      [this](const std::string& id) { return Contains(this->Overwritable, id); });
    if (allowed)
    {
      if (this->Mode != MODE_MERGE_MIN)
      {
        this->Overwritten = others;
      }
      return true;
    }
    this->Segmentation->SeparateSegmentLabelmap(this->ID);
    this->Find();
    this->Changed = true;
    return true;
  }

  // Resamples the labelmap if it has another lattice.
  bool TakeModifiersLattice()
  {
    if (Resample::DoGeometriesMatch(this->Layer, this->Modifier))
    {
      return true;
    }
    this->Changed = true;
    return Resample::ResampleOrientedImageToReferenceOrientedImage(
      this->Layer, this->Modifier, this->Layer, false, true);
  }

  // The type for a labelmap without one: the given type if labels of that type are common, and
  // wide enough; else the first that is.
  int TypeFor(int type) const
  {
    vtkNew<vtkOrientedImageData> example;
    example->SetDimensions(1, 1, 1);
    example->AllocateScalars(type, 1);
    if (Resample::IsImageScalarTypeValid(example) != Resample::TYPE_OK)
    {
      example->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
    }
    Resample::CastImageForValue(example, this->Label);
    return example->GetScalarType();
  }

  vtkSmartPointer<vtkDataArray> NewScalars(int type, const Box& box) const
  {
    const vtkSmartPointer<vtkDataArray> scalars = segcore::newScalars(type, 1, box);
    if (!scalars)
    {
      vtkErrorWithObjectMacro(this->Segmentation,
        "vtkSegmentationModifier: no memory for " << box.size() << " voxels of segment '"
                                                  << this->ID << "'.");
    }
    return scalars;
  }

  // The segment becomes the modifier, in a labelmap that nobody shares.
  bool Replace()
  {
    Box box = this->Inside;
    if (box.empty()) // nothing inside: zeros, as large as asked for
    {
      box = this->Extent ? Box::fromExtent(this->Extent) : this->Region;
    }
    if (box.empty())
    {
      vtkErrorWithObjectMacro(this->Segmentation,
        "vtkSegmentationModifier: the extent for segment '" << this->ID << "' has no voxels.");
      return false;
    }
    const vtkSmartPointer<vtkDataArray> scalars =
      this->NewScalars(this->TypeFor(this->Modifier->GetScalarType()), box);
    if (!scalars)
    {
      return false;
    }
    const VoxelRows rows(this->Modifier);
    segcore::withThreads(
      [&]
      {
        segcore::withScalars(scalars,
          [&](auto* first)
          {
            using T = std::decay_t<decltype(*first)>;
            const T label = segcore::clampedTo<T>(this->Label);
            segcore::fillBox(first, box, this->Inside.empty() ? box : Box(), T(0));
            segcore::forRuns(this->Inside,
              [&](Index x, Index y, Index z, Index count)
              {
                std::uint8_t flags[VoxelRows::Run];
                rows.above(0.0, x, y, z, count, flags);
                T* row = first + box.offset(x, y, z);
                for (Index n = 0; n < count; ++n)
                {
                  row[n] = flags[n] ? label : T(0);
                }
              });
          });
      },
      box.size());
    const vtkMTimeType before = this->Layer->GetMTime();
    const bool known = Resample::DoGeometriesMatch(this->Layer, this->Modifier);
    const Box old = segcore::boxOf(this->Layer);
    segcore::setImage(this->Layer, this->Modifier, box, scalars, nullptr);
    if (known)
    {
      vtkLabelmapEditRecord::NoteEdit(this->Layer, before, old.unite(box));
    }
    if (!this->Inside.empty())
    {
      vtkLabelmapEditRecord::NoteTight(this->Layer);
    }
    this->Changed = true;
    return true;
  }

  // Gives a shared labelmap without voxels the modifier's lattice and some zeros to write to.
  bool StartLayer()
  {
    const Box box = this->Inside.empty() ? this->Region : this->Inside;
    vtkDataArray* old = this->Layer->GetPointData()->GetScalars();
    const vtkSmartPointer<vtkDataArray> scalars =
      box.empty() ? nullptr : this->NewScalars(old ? old->GetDataType() : VTK_UNSIGNED_CHAR, box);
    if (!scalars)
    {
      return false;
    }
    scalars->Fill(0.0);
    segcore::setImage(this->Layer, this->Modifier, box, scalars, nullptr);
    return true;
  }

  // Box around the voxels of all segments of the labelmap.
  Box Content(bool& tight) const
  {
    tight = vtkLabelmapEditRecord::IsTight(this->Layer);
    const Box stored = segcore::boxOf(this->Layer);
    return tight ? stored : TightBox(this->Layer, stored, 0.0);
  }

  // Changes voxels by rule(old value, inside, new value) in a part of the labelmap. Returns a box
  // around those that changed, and the faces of the labelmap at which voxels became 0.
  template <class Rule>
  Box Apply(vtkDataArray* scalars, const Box& stored, const Box& part, const Box& flagged,
    segcore::Faces& emptied, const Rule& rule) const
  {
    const VoxelRows rows(this->Modifier);
    std::mutex mutex;
    Box changed;
    segcore::withThreads(
      [&]
      {
        segcore::withScalars(scalars,
          [&](auto* first)
          {
            using T = std::decay_t<decltype(*first)>;
            segcore::forRuns(part,
              [&](Index x, Index y, Index z, Index count)
              {
                std::uint8_t flags[VoxelRows::Run] = {};
                const Index low = std::max(x, flagged.lo[0]);
                const Index high = std::min(x + count - 1, flagged.hi[0]);
                if (low <= high && flagged.contains(low, y, z))
                {
                  rows.above(0.0, low, y, z, high - low + 1, flags + (low - x));
                }
                T* row = first + stored.offset(x, y, z);
                Index begin = count;
                Index end = -1;
                bool lost = false;
                for (Index n = 0; n < count; ++n)
                {
                  const T value = rule(row[n], flags[n] != 0);
                  if (value != row[n])
                  {
                    begin = std::min(begin, n);
                    end = n;
                    lost = lost || value == T(0);
                    row[n] = value;
                  }
                }
                if (end >= 0)
                {
                  Box run;
                  run.lo[0] = x + begin;
                  run.hi[0] = x + end;
                  run.lo[1] = run.hi[1] = y;
                  run.lo[2] = run.hi[2] = z;
                  const std::lock_guard<std::mutex> lock(mutex);
                  changed = changed.unite(run);
                  for (int a = 0; a < 3 && lost; ++a)
                  {
                    emptied |= run.lo[a] == stored.lo[a] ? 1u << (2 * a) : 0u;
                    emptied |= run.hi[a] == stored.hi[a] ? 2u << (2 * a) : 0u;
                  }
                }
              });
          });
      },
      part.size());
    return changed;
  }

  // Takes over changed voxels, and cuts off or adds what the extent has too much or too little of.
  bool Finish(
    vtkMTimeType before, const Box& changed, const Box& box, bool tight, bool isModified = false)
  {
    if (!changed.empty())
    {
      this->Changed = true;
      if (!isModified)
      {
        this->Layer->GetPointData()->GetScalars()->Modified();
      }
    }
    if (box != segcore::boxOf(this->Layer))
    {
      int extent[6];
      box.toExtent(extent);
      // To lose background is no change that anybody needs to hear of, or to undo.
      if (!Resample::CopyImage(this->Layer, this->Layer, extent))
      {
        return false;
      }
    }
    else if (!changed.empty() && !isModified)
    {
      this->Layer->Modified();
    }
    if (this->Layer->GetMTime() != before)
    {
      vtkLabelmapEditRecord::NoteEdit(this->Layer, before, changed);
    }
    if (tight)
    {
      vtkLabelmapEditRecord::NoteTight(this->Layer);
    }
    return true;
  }

  // The segment gets what is inside the modifier; MODE_REPLACE also takes away the rest of it.
  bool Write()
  {
    bool tight = false;
    const vtkMTimeType before = this->Layer->GetMTime();
    const Box content = this->Content(tight);
    const Box stored = segcore::boxOf(this->Layer);
    const Box needed = content.unite(this->Inside);
    segcore::widenForLabel(this->Layer, this->Label);
    vtkDataArray* scalars = this->Layer->GetPointData()->GetScalars();
    vtkSmartPointer<vtkDataArray> larger;
    Box box = stored;
    if (!stored.contains(this->Inside))
    {
      // Voxels are written to a labelmap of the new extent, and the image changes once.
      box = needed;
      larger = this->NewScalars(scalars->GetDataType(), box);
      if (!larger)
      {
        return false;
      }
      larger->SetName(scalars->GetName());
      segcore::withThreads(
        [&]
        {
          segcore::withScalars(scalars,
            [&](auto* from)
            {
              using T = std::decay_t<decltype(*from)>;
              segcore::copyPadded(
                from, stored, static_cast<T*>(larger->GetVoidPointer(0)), box, T(0));
            });
        },
        box.size());
      scalars = larger;
    }
    segcore::Faces emptied = 0;
    const bool replace = this->Mode == MODE_REPLACE;
    const Box changed =
      this->Apply(scalars, box, replace ? box : this->Inside, this->Inside, emptied,
        [label = this->Label, replace](auto old, bool inside)
        {
          using T = decltype(old);
          const T own = segcore::clampedTo<T>(label);
          return inside ? own : (replace && old == own ? T(0) : old);
        });
    if (larger)
    {
      this->Changed = true;
      segcore::setImage(this->Layer, this->Layer, box, larger, this->Layer);
    }
    Box result = needed.empty() ? box : needed;
    bool isTight = !needed.empty();
    if (replace && !tight && !changed.empty())
    {
      emptied = segcore::AllFaces; // of the content, which is not the extent
    }
    if (emptied)
    {
      const Box left = TightBox(
        this->Layer, result.clipped(box), 0.0, tight && !larger ? emptied : segcore::AllFaces);
      result = left.empty() ? box : left;
      isTight = !left.empty();
    }
    return this->Finish(before, changed, result, isTight, larger != nullptr);
  }

  // The segment loses what is not inside the modifier, where that one has voxels.
  bool Erase()
  {
    bool tight = false;
    const vtkMTimeType before = this->Layer->GetMTime();
    const Box content = this->Content(tight);
    const Box stored = segcore::boxOf(this->Layer);
    segcore::Faces emptied = 0;
    const Box part = content.clipped(this->Region);
    const Box changed =
      this->Apply(this->Layer->GetPointData()->GetScalars(), stored, part, part, emptied,
        [label = this->Label, all = this->AllSegments](auto old, bool inside)
        {
          using T = decltype(old);
          return inside || (!all && static_cast<double>(old) != label) ? old : T(0);
        });
    Box result = content.empty() ? stored : content;
    if (!tight)
    {
      emptied = segcore::AllFaces; // of the content, which is not the extent
    }
    if (!changed.empty() && emptied)
    {
      const Box left = TightBox(this->Layer, result, 0.0, emptied);
      result = left.empty() ? stored : left;
      return this->Finish(before, changed, result, !left.empty());
    }
    return this->Finish(before, changed, result, !content.empty());
  }
};

//----------------------------------------------------------------------------
bool vtkSegmentationModifier::ModifyBinaryLabelmap(vtkOrientedImageData* labelmap,
  vtkSegmentation* segmentation, std::string segmentID, int mergeMode, const int extent[6],
  bool minimumOfAllSegments, bool sourceRepresentationModifiedEnabled,
  const std::vector<std::string> segmentIdsToOverwrite,
  std::vector<std::string>* modifiedSegmentIDs)
{
  if (modifiedSegmentIDs)
  {
    modifiedSegmentIDs->clear();
  }
  if (!labelmap || !segmentation || segmentID.empty())
  {
    vtkGenericWarningMacro("vtkSegmentationModifier::ModifyBinaryLabelmap: no "
      << (!labelmap         ? "labelmap"
             : segmentation ? "segment ID"
                            : "segmentation")
      << " given.");
    return false;
  }
  const auto refuse = [&](const std::string& what)
  {
    vtkErrorWithObjectMacro(
      segmentation, "vtkSegmentationModifier::ModifyBinaryLabelmap: " << what);
    return false;
  };
  if (mergeMode < MODE_REPLACE || mergeMode > MODE_MERGE_MASK)
  {
    return refuse("there is no merge mode " + std::to_string(mergeMode) + "; 0 to 3 are.");
  }
  if (!segcore::scalarsOf(labelmap) ||
    labelmap->GetPointData()->GetScalars()->GetNumberOfComponents() != 1)
  {
    return refuse("the modifier has no scalars of one component for the voxels of its extent.");
  }
  vtkSegment* segment = segmentation->GetSegment(segmentID);
  vtkOrientedImageData* layer = LabelmapOf(segment);
  if (!layer)
  {
    return refuse(segment ? "segment '" + segmentID + "' has no binary labelmap."
                          : "there is no segment '" + segmentID + "'.");
  }
  if (segment->GetLabelValue() < 1)
  {
    return refuse("segment '" + segmentID + "' has the label value " +
      std::to_string(segment->GetLabelValue()) + "; it must be above 0.");
  }
  if (segcore::scalarsOf(layer) &&
    layer->GetPointData()->GetScalars()->GetNumberOfComponents() != 1)
  {
    return refuse("the labelmap of segment '" + segmentID + "' has more than one component.");
  }
  vtkNew<vtkOrientedImageData> kept; // the modifier must not change while it is read
  if (labelmap == layer)
  {
    kept->DeepCopy(labelmap);
    labelmap = kept;
  }
  Edit edit(segmentation, segmentID, labelmap, extent, mergeMode, minimumOfAllSegments,
    segmentIdsToOverwrite);
  if (!edit.Run(sourceRepresentationModifiedEnabled))
  {
    return false;
  }
  if (modifiedSegmentIDs)
  {
    *modifiedSegmentIDs = edit.GetOverwritten();
    modifiedSegmentIDs->push_back(segmentID);
  }
  if (edit.IsChanged())
  {
    if (!sourceRepresentationModifiedEnabled)
    {
      segmentation->InvokeEvent(vtkSegmentation::SourceRepresentationModified, &segmentID[0]);
    }
    segmentation->InvokeEvent(vtkSegmentation::RepresentationModified, &segmentID[0]);
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentationModifier::ModifyBinaryLabelmapUsingArrays(vtkOrientedImageData* labelmap,
  vtkSegmentation* segmentation, const std::string& segmentID, int mergeMode,
  vtkStringArray* segmentIdsToOverwrite, vtkStringArray* modifiedSegmentIDs,
  bool minimumOfAllSegments, bool sourceRepresentationModifiedEnabled, const int extent[6])
{
  std::vector<std::string> overwritable;
  for (vtkIdType i = 0; segmentIdsToOverwrite && i < segmentIdsToOverwrite->GetNumberOfValues();
    ++i)
  {
    overwritable.push_back(segmentIdsToOverwrite->GetValue(i));
  }
  std::vector<std::string> modified;
  const bool done = ModifyBinaryLabelmap(labelmap, segmentation, segmentID, mergeMode, extent,
    minimumOfAllSegments, sourceRepresentationModifiedEnabled, overwritable, &modified);
  if (modifiedSegmentIDs)
  {
    modifiedSegmentIDs->Reset();
    for (const std::string& id : modified)
    {
      modifiedSegmentIDs->InsertNextValue(id);
    }
  }
  return done;
}

//----------------------------------------------------------------------------
bool vtkSegmentationModifier::GetSharedSegmentIDsInMask(vtkSegmentation* segmentation,
  std::string sharedSegmentID, vtkOrientedImageData* mask, const int extent[6],
  std::vector<std::string>& segmentIDs, int maskThreshold, bool includeInputSegmentID)
{
  segmentIDs.clear();
  if (!segmentation || !mask)
  {
    vtkGenericWarningMacro("vtkSegmentationModifier::GetSharedSegmentIDsInMask: no "
      << (segmentation ? "mask" : "segmentation") << " given.");
    return false;
  }
  vtkSmartPointer<vtkOrientedImageData> layer =
    LabelmapOf(segmentation->GetSegment(sharedSegmentID));
  if (!layer)
  {
    vtkErrorWithObjectMacro(segmentation,
      "vtkSegmentationModifier::GetSharedSegmentIDsInMask: "
        << (segmentation->GetSegment(sharedSegmentID) ? "there is no binary labelmap in segment '"
                                                      : "there is no segment '")
        << sharedSegmentID << "'.");
    return false;
  }
  std::vector<std::string> ids;
  segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation(
    sharedSegmentID, ids, includeInputSegmentID);
  if (ids.empty() || !segcore::scalarsOf(layer) || !segcore::scalarsOf(mask))
  {
    return true;
  }
  Box region = segcore::boxOf(mask);
  if (extent)
  {
    region = region.clipped(Box::fromExtent(extent));
  }
  if (region.empty())
  {
    return true;
  }
  if (!Resample::DoGeometriesMatch(layer, mask))
  {
    int part[6];
    region.toExtent(part);
    vtkNew<vtkOrientedImageData> reference;
    reference->CopyStructure(mask);
    reference->SetExtent(part);
    vtkNew<vtkOrientedImageData> resampled;
    if (!Resample::ResampleOrientedImageToReferenceOrientedImage(layer, reference, resampled))
    {
      return false;
    }
    layer = resampled;
  }
  const std::set<int> labels = LabelsInMask(layer, mask, region, maskThreshold);
  for (const std::string& id : ids)
  {
    if (labels.count(segmentation->GetSegment(id)->GetLabelValue()))
    {
      segmentIDs.push_back(id);
    }
  }
  return true;
}
