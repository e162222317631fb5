// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: labelmaps of several segments in one.
#include "LabelImage.h"
#include "SegmentationScopes.h"
#include "Tasks.h"
#include "ThreadScope.h"

#include "vtkImageData.h"
#include "vtkIntArray.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkPointData.h"
#include "vtkStringArray.h"
#include "vtkTransform.h"

#include <algorithm>
#include <list>
#include <map>

using segcore::binaryLabelmapName;
using segcore::Box;
using segcore::Index;

//----------------------------------------------------------------------------
bool vtkSegmentation::GenerateMergedLabelmap(vtkOrientedImageData* mergedImageData,
  int extentComputationMode, vtkOrientedImageData* mergedLabelmapGeometry,
  vtkStringArray* segmentIDs, vtkIntArray* labelValues)
{
  return this->GenerateMergedLabelmap(mergedImageData, extentComputationMode,
    mergedLabelmapGeometry, segcore::textsOf(segmentIDs), labelValues);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::GenerateMergedLabelmap(vtkOrientedImageData* mergedImageData,
  int extentComputationMode, vtkOrientedImageData* mergedLabelmapGeometry,
  const std::vector<std::string>& segmentIDs, vtkIntArray* labelValues)
{
  const std::vector<std::string> ids = segmentIDs.empty() ? this->GetSegmentIDs() : segmentIDs;
  if (!mergedImageData)
  {
    vtkErrorMacro("GenerateMergedLabelmap: no image given.");
    return false;
  }
  if (labelValues && labelValues->GetNumberOfValues() != static_cast<vtkIdType>(ids.size()))
  {
    vtkErrorMacro("GenerateMergedLabelmap: " << labelValues->GetNumberOfValues()
                                             << " label values given for " << ids.size()
                                             << " segments; each needs one.");
    return false;
  }
  if (!this->ContainsRepresentation(binaryLabelmapName()))
  {
    vtkErrorMacro(
      "GenerateMergedLabelmap: there are no segments with '" << binaryLabelmapName() << "'.");
    return false;
  }
  // Per layer the ranks of its labels: the position in the list, so that later ones win.
  std::vector<int> values;
  std::vector<vtkOrientedImageData*> layers;
  std::map<vtkOrientedImageData*, segcore::RankTable> ranks;
  for (const std::string& id : ids)
  {
    auto* image =
      vtkOrientedImageData::SafeDownCast(this->GetSegmentRepresentation(id, binaryLabelmapName()));
    if (!image)
    {
      vtkErrorMacro("GenerateMergedLabelmap: " << (this->GetSegment(id)
                        ? "segment '" + id + "' has no '" + binaryLabelmapName() + "'."
                        : "there is no segment '" + id + "'."));
      return false;
    }
    if (!ranks.count(image))
    {
      layers.push_back(image);
    }
    const int rank = static_cast<int>(values.size());
    ranks[image].set(this->GetSegment(id)->GetLabelValue(), rank);
    values.push_back(labelValues ? labelValues->GetValue(rank) : rank + 1);
  }
  vtkNew<vtkOrientedImageData> merged;
  const std::string geometry = this->DetermineCommonLabelmapGeometry(extentComputationMode, ids);
  if (geometry.empty())
  {
    return true; // no voxels at all: the image is left alone, as in Slicer
  }
  if (mergedLabelmapGeometry)
  {
    merged->CopyStructure(mergedLabelmapGeometry);
  }
  else if (!vtkSegmentationConverter::DeserializeImageGeometry(geometry, merged, false))
  {
    return false; // the parser said why
  }
  const bool wide = std::any_of(values.begin(), values.end(),
    [](int value) { return value < VTK_SHORT_MIN || value > VTK_SHORT_MAX; });
  merged->AllocateScalars(wide ? VTK_INT : VTK_SHORT, 1);
  std::list<vtkNew<vtkOrientedImageData>> resampled; // alive until they are merged
  std::vector<segcore::RankedLayer> ranked;
  for (vtkOrientedImageData* layer : layers)
  {
    vtkOrientedImageData* source = layer;
    if (layer->IsEmpty() || merged->IsEmpty() || !layer->GetPointData()->GetScalars())
    {
      continue;
    }
    if (!vtkOrientedImageDataResample::DoGeometriesMatch(layer, merged))
    {
      resampled.emplace_back();
      source = resampled.back();
      if (!vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage(
            layer, merged, source))
      {
        vtkErrorMacro("GenerateMergedLabelmap: a labelmap cannot be resampled to the geometry "
          << vtkSegmentationConverter::SerializeImageGeometry(merged) << ".");
        return false;
      }
    }
    ranked.push_back(segcore::rankedLayer(source, ranks[layer]));
  }
  segcore::mergeInto(merged, ranked, values);
  mergedImageData->ShallowCopy(merged);
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentation::MergeSegmentLabelmaps(std::vector<std::string> mergeSegmentIds)
{
  std::vector<std::string> ids;
  for (const std::string& id : mergeSegmentIds)
  {
    if (!this->GetSegmentRepresentation(id, binaryLabelmapName()))
    {
      vtkErrorMacro("MergeSegmentLabelmaps: " << (this->GetSegment(id)
                        ? "segment '" + id + "' has no '" + binaryLabelmapName() + "'."
                        : "there is no segment '" + id + "'."));
      return;
    }
    if (!segcore::contains(ids, id))
    {
      ids.push_back(id);
    }
  }
  vtkNew<vtkOrientedImageData> merged;
  merged->AllocateScalars(VTK_SHORT, 1); // of no voxels, if there are none to merge
  if (ids.empty() ||
    !this->GenerateMergedLabelmap(merged, EXTENT_UNION_OF_EFFECTIVE_SEGMENTS, nullptr, ids))
  {
    return;
  }
  QuietScope quiet(*this);
  // Segments that stay behind must not find the voxels of those that leave.
  std::map<vtkSmartPointer<vtkImageData>, std::vector<Index>> left;
  for (std::size_t i = 0; i < ids.size(); ++i)
  {
    vtkSegment* segment = this->GetSegment(ids[i]);
    if (auto* image = vtkImageData::SafeDownCast(segment->GetRepresentation(binaryLabelmapName())))
    {
      left[image].push_back(segment->GetLabelValue());
    }
    segment->SetLabelValue(static_cast<int>(i) + 1);
    segment->AddRepresentation(binaryLabelmapName(), merged);
  }
  for (const auto& layer : left)
  {
    if (!this->GetSegmentIDsForDataObject(layer.first, binaryLabelmapName()).empty())
    {
      segcore::eraseLabels(layer.first, layer.second);
      layer.first->Modified();
    }
  }
  this->InvokeSegmentModified(quiet.End());
  merged->Modified(); // of which the observer of the source makes the rest
}

namespace
{
// The voxels of one label.
struct LabelVoxels
{
  vtkSmartPointer<vtkOrientedImageData> Image;
  Index Label = 0;
  Box Voxels;
};

// The same on another lattice, where they have label 1; false if they cannot be resampled.
bool Resample(const LabelVoxels& from, vtkOrientedImageData* toLattice, LabelVoxels& to)
{
  int extent[6];
  from.Voxels.toExtent(extent);
  vtkNew<vtkOrientedImageData> cut;
  cut->CopyStructure(from.Image);
  segcore::allocateFrom(cut, from.Voxels, VTK_UNSIGNED_CHAR, nullptr);
  segcore::writeLabel(
    cut, segcore::bitsOfLabel(from.Image, from.Voxels, from.Voxels.lo[0], from.Label), 1);
  vtkNew<vtkTransform> transform;
  vtkOrientedImageDataResample::GetTransformBetweenOrientedImages(from.Image, toLattice, transform);
  vtkOrientedImageDataResample::TransformExtent(extent, transform, extent);
  vtkNew<vtkOrientedImageData> lattice;
  lattice->CopyStructure(toLattice);
  lattice->SetExtent(extent);
  to.Image = vtkSmartPointer<vtkOrientedImageData>::New();
  to.Label = 1;
  to.Voxels = Box::fromExtent(extent);
  return vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage(
    cut, lattice, to.Image);
}

// A segment on its way into a new layer.
struct Mover
{
  vtkSmartPointer<vtkSegment> Segment;
  LabelVoxels Own;
  segcore::BitBlock Placed; // on the lattice of the new layer
  bool IsPacked = false;    // for the first layer
  std::size_t Layer = 0;
  Index NewLabel = 1;
};

// A new layer: what it holds so far.
struct NewLayer
{
  vtkOrientedImageData* Lattice = nullptr;
  Index FirstX = 0; // of the voxels that may be taken
  segcore::TakenVoxels Taken;
  Box Extent;
  Index LargestLabel = 0;
  vtkSmartPointer<vtkOrientedImageData> Image;
};
}

// Packs segments into layers: first where each goes, on bits, then the images, once. A segment that
// joins a layer is resampled to its lattice; one that opens a layer brings its own.
struct vtkSegmentation::Collapse
{
  vtkOrientedImageData* Base = nullptr; // stays as it is; the others join it
  std::vector<Mover> Movers;
  std::vector<NewLayer> Layers;

  static bool IsOn(const Mover& mover, vtkOrientedImageData* lattice)
  {
    return mover.Own.Image == lattice ||
      vtkOrientedImageDataResample::DoGeometriesMatch(mover.Own.Image, lattice);
  }

  // A layer without voxels, with room for `box` and all segments.
  void Open(vtkOrientedImageData* lattice, const Box& box)
  {
    Box canvas = box;
    for (const Mover& mover : this->Movers)
    {
      Box voxels = mover.Own.Voxels;
      if (!voxels.empty() && !IsOn(mover, lattice))
      {
        int extent[6];
        voxels.toExtent(extent);
        vtkNew<vtkTransform> transform;
        vtkOrientedImageDataResample::GetTransformBetweenOrientedImages(
          mover.Own.Image, lattice, transform);
        vtkOrientedImageDataResample::TransformExtent(extent, transform, extent);
        voxels = Box::fromExtent(extent);
      }
      canvas = canvas.unite(voxels);
    }
    this->Layers.push_back(
      { lattice, canvas.lo[0], segcore::TakenVoxels(canvas), box, 0, nullptr });
  }

  // Bits of all that need no resampling to the first layer, which most find place in: an eighth of
  // the size of their voxels, at once.
  void Pack()
  {
    std::vector<Mover*> movers;
    Index voxels = 0;
    for (Mover& mover : this->Movers)
    {
      if (!mover.Own.Voxels.empty() && IsOn(mover, this->Layers[0].Lattice))
      {
        movers.push_back(&mover);
        voxels += mover.Own.Voxels.size();
      }
    }
    segcore::withThreads(
      [&]
      {
        segcore::forTasksOrThreads(static_cast<Index>(movers.size()),
          [&](Index i)
          {
            Mover& mover = *movers[static_cast<std::size_t>(i)];
            mover.Placed = segcore::bitsOfLabel(
              mover.Own.Image, mover.Own.Voxels, this->Layers[0].FirstX, mover.Own.Label);
            mover.IsPacked = true;
          });
      },
      voxels);
  }

  // The first layer with room, or a new one; false if the segment cannot be resampled.
  bool FindPlace(Mover& mover)
  {
    std::size_t layer = 0;
    if (!mover.Own.Voxels.empty())
    {
      for (;; ++layer)
      {
        if (layer == this->Layers.size())
        {
          this->Open(mover.Own.Image, Box());
        }
        NewLayer& candidate = this->Layers[layer];
        if (layer > 0 || !mover.IsPacked)
        {
          LabelVoxels there = mover.Own;
          if (!IsOn(mover, candidate.Lattice) && !Resample(mover.Own, candidate.Lattice, there))
          {
            return false;
          }
          mover.Placed =
            segcore::bitsOfLabel(there.Image, there.Voxels, candidate.FirstX, there.Label);
        }
        // What is smaller than the voxels there may be gone: it needs a layer of its own.
        const bool isThere = std::any_of(mover.Placed.words.begin(), mover.Placed.words.end(),
          [](segcore::Word word) { return word != 0; });
        if (isThere && !candidate.Taken.meets(mover.Placed))
        {
          break;
        }
      }
      this->Layers[layer].Taken.take(mover.Placed);
      this->Layers[layer].Extent = this->Layers[layer].Extent.unite(mover.Placed.box);
    }
    mover.Layer = layer;
    mover.NewLabel = ++this->Layers[layer].LargestLabel;
    return true;
  }

  void MakeImages()
  {
    for (NewLayer& layer : this->Layers)
    {
      const bool first = &layer == &this->Layers.front();
      layer.Image = vtkSmartPointer<vtkOrientedImageData>::New();
      layer.Image->CopyStructure(layer.Lattice);
      vtkDataArray* scalars = first ? this->Base->GetPointData()->GetScalars() : nullptr;
      const int type = segcore::typeForLabel(
        scalars ? scalars->GetDataType() : VTK_UNSIGNED_CHAR, layer.LargestLabel);
      segcore::allocateFrom(layer.Image, layer.Extent, type, first ? this->Base : nullptr);
      if (first)
      {
        layer.Image->GetFieldData()->DeepCopy(this->Base->GetFieldData());
      }
    }
    Index voxels = 0;
    for (const Mover& mover : this->Movers)
    {
      voxels += mover.Placed.box.size();
    }
    // No two of them have a voxel in common.
    segcore::withThreads(
      [&]
      {
        segcore::forTasksOrThreads(static_cast<Index>(this->Movers.size()),
          [&](Index i)
          {
            const Mover& mover = this->Movers[static_cast<std::size_t>(i)];
            if (!mover.Placed.box.empty())
            {
              segcore::writeLabel(this->Layers[mover.Layer].Image, mover.Placed, mover.NewLabel);
            }
          });
      },
      voxels);
  }
};

//----------------------------------------------------------------------------
void vtkSegmentation::CollapseBinaryLabelmaps(bool forceToSingleLayer)
{
  const std::vector<vtkDataObject*> layers = this->GetLayers(binaryLabelmapName());
  if (layers.size() <= 1)
  {
    return;
  }
  std::vector<std::string> all;
  for (vtkDataObject* layer : layers)
  {
    if (!vtkOrientedImageData::SafeDownCast(layer))
    {
      vtkErrorMacro("CollapseBinaryLabelmaps: the labelmap of segment '"
        << this->GetSegmentIDsForDataObject(layer, binaryLabelmapName()).front() << "' is a "
        << layer->GetClassName() << "; vtkOrientedImageData is needed.");
      return;
    }
  }
  if (forceToSingleLayer)
  {
    for (const std::string& id : this->SegmentIds)
    {
      if (this->GetSegmentRepresentation(id, binaryLabelmapName()))
      {
        all.push_back(id);
      }
    }
    this->MergeSegmentLabelmaps(all);
    return;
  }
  Collapse collapse;
  collapse.Base = vtkOrientedImageData::SafeDownCast(layers[0]);
  const Box baseBox = segcore::storedBox(collapse.Base);
  vtkOrientedImageData* lattice = collapse.Base; // if that has no voxels the first that has
  for (std::size_t i = 1; lattice->IsEmpty() && i < layers.size(); ++i)
  {
    auto* image = vtkOrientedImageData::SafeDownCast(layers[i]);
    lattice = image->IsEmpty() ? lattice : image;
  }
  std::vector<vtkSmartPointer<vtkSegment>> staying;
  Index largest = 0;
  for (const segcore::LabelBox& label : segcore::labelBoxes(collapse.Base))
  {
    largest = std::max(largest, label.label);
  }
  std::vector<std::vector<segcore::LabelBox>> boxes(layers.size());
  Index voxels = 0;
  for (vtkDataObject* layer : layers)
  {
    voxels += segcore::storedBox(vtkOrientedImageData::SafeDownCast(layer)).size();
  }
  segcore::withThreads(
    [&]
    {
      segcore::forTasksOrThreads(static_cast<Index>(layers.size()) - 1,
        [&](Index i)
        {
          const auto layer = static_cast<std::size_t>(i) + 1;
          boxes[layer] = segcore::labelBoxes(vtkOrientedImageData::SafeDownCast(layers[layer]));
        });
    },
    voxels);
  std::map<vtkDataObject*, std::vector<std::string>> segments;
  for (const std::string& id : this->SegmentIds)
  {
    segments[this->GetSegmentRepresentation(id, binaryLabelmapName())].push_back(id);
  }
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
  {
    auto* image = vtkOrientedImageData::SafeDownCast(layers[layer]);
    const bool isBase = image == collapse.Base;
    for (const std::string& id : segments[image])
    {
      Mover mover;
      mover.Segment = this->GetSegment(id);
      mover.Own = { image, mover.Segment->GetLabelValue(), Box() };
      if (isBase)
      {
        staying.push_back(mover.Segment);
        largest = std::max(largest, mover.Own.Label);
        continue;
      }
      mover.Own.Voxels = segcore::findLabel(boxes[layer], mover.Own.Label).box;
      collapse.Movers.push_back(mover);
    }
  }
  collapse.Open(lattice, baseBox);
  collapse.Layers[0].LargestLabel = largest;
  if (!baseBox.empty())
  {
    collapse.Layers[0].Taken.take(segcore::bitsOfAll(collapse.Base, collapse.Layers[0].FirstX));
  }
  collapse.Pack();
  for (Mover& mover : collapse.Movers)
  {
    if (!collapse.FindPlace(mover))
    {
      vtkErrorMacro("CollapseBinaryLabelmaps: the labelmap of segment '"
        << this->GetSegmentIdBySegment(mover.Segment)
        << "' cannot be resampled to the lattice of another layer.");
      return;
    }
    if (mover.NewLabel > VTK_INT_MAX)
    {
      vtkErrorMacro("CollapseBinaryLabelmaps: the first layer has label "
        << largest << "; there is no larger one for the other segments.");
      return;
    }
  }
  collapse.MakeImages();
  // All segments look as before, so nothing made from them becomes invalid.
  QuietScope quiet(*this);
  for (const auto& segment : staying)
  {
    segment->AddRepresentation(binaryLabelmapName(), collapse.Layers[0].Image);
  }
  for (const Mover& mover : collapse.Movers)
  {
    mover.Segment->SetLabelValue(static_cast<int>(mover.NewLabel));
    mover.Segment->AddRepresentation(binaryLabelmapName(), collapse.Layers[mover.Layer].Image);
  }
  this->InvokeSegmentModified(quiet.End());
}
