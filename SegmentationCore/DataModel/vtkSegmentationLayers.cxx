// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: which segments share which objects, and their label values.
#include "LabelImage.h"
#include "SegmentationScopes.h"

#include "vtkCollection.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"

#include <cmath>

using segcore::binaryLabelmapName;

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
    originalSegmentId, binaryLabelmapName(), sharedSegmentIds, includeOriginalSegmentId);
}

//----------------------------------------------------------------------------
int vtkSegmentation::GetUniqueLabelValueForSharedLabelmap(std::string segmentId)
{
  const auto found =
    this->LayerLabels.find(this->GetSegmentRepresentation(segmentId, binaryLabelmapName()));
  if (found == this->LayerLabels.end())
  {
    return 1;
  }
  int& label = found->second.FirstCandidate;
  while (found->second.Users.count(label))
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
  for (const std::string& id : this->GetSegmentIDsForDataObject(labelmap, binaryLabelmapName()))
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
    vtkImageData::SafeDownCast(segment->GetRepresentation(binaryLabelmapName()));
  if (!image)
  {
    vtkErrorMacro(
      "SeparateSegmentLabelmap: the binary labelmap of segment '" << segmentId << "' is no image.");
    return;
  }
  const vtkSmartPointer<vtkImageData> own = segcore::takeOutLabel(image, segment->GetLabelValue());
  {
    // All segments look as before, so nothing made from them becomes invalid.
    const segcore::Disabled noInvalidation(this->SourceRepresentationModifiedEnabled);
    image->Modified();
    segment->SetLabelValue(1);
    segment->AddRepresentation(binaryLabelmapName(), own);
  }
  if (this->SourceRepresentationName == binaryLabelmapName())
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
void vtkSegmentation::ClearSegment(std::string segmentId)
{
  vtkSmartPointer<vtkSegment> segment = this->GetSegment(segmentId);
  vtkSmartPointer<vtkDataObject> object =
    segment ? segment->GetRepresentation(this->SourceRepresentationName) : nullptr;
  if (!object)
  {
    return;
  }
  {
    const segcore::Disabled noEvents(this->SourceRepresentationModifiedEnabled);
    vtkImageData* image = vtkImageData::SafeDownCast(object);
    if (this->GetSegmentIDsForDataObject(object).size() < 2)
    {
      object->Initialize();
    }
    else if (image && this->SourceRepresentationName == binaryLabelmapName())
    {
      segcore::eraseLabels(image, { segment->GetLabelValue() });
    }
    else // not for this segment to empty what others show
    {
      object.TakeReference(object->NewInstance());
      segment->AddRepresentation(this->SourceRepresentationName, object);
    }
  }
  object->Modified();
  object->Modified(); // callers of Slicer's class see it twice
}
