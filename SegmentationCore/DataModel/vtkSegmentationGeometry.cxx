// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Part of vtkSegmentation: bounds, transforms, and lattices on which all labelmaps fit.
#include "Box.h"
#include "SegmentationScopes.h"

#include "vtkCalculateOversamplingFactor.h"
#include "vtkFieldData.h"
#include "vtkMath.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkPolyData.h"
#include "vtkStringArray.h"
#include "vtkTransform.h"
#include "vtkTransformPolyDataFilter.h"

#include <cmath>

using segcore::binaryLabelmapName;

namespace
{
double VoxelVolume(vtkImageData* image)
{
  const double* spacing = image->GetSpacing();
  return std::fabs(spacing[0] * spacing[1] * spacing[2]);
}
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
void vtkSegmentation::ApplyLinearTransform(vtkAbstractTransform* transform)
{
  vtkNew<vtkTransform> linear;
  if (!transform || !vtkOrientedImageDataResample::IsTransformLinear(transform, linear))
  {
    vtkErrorMacro(
      "ApplyLinearTransform: " << (transform ? std::string("the transform of type ") +
            transform->GetClassName() + " is not linear; ApplyNonLinearTransform takes such."
                                             : std::string("no transform given.")));
    return;
  }
  this->ApplyTransform(transform, "ApplyLinearTransform");
}

//----------------------------------------------------------------------------
void vtkSegmentation::ApplyNonLinearTransform(vtkAbstractTransform* transform)
{
  if (!transform)
  {
    vtkErrorMacro("ApplyNonLinearTransform: no transform given.");
    return;
  }
  if (vtkLinearTransform::SafeDownCast(transform))
  {
    vtkWarningMacro("ApplyNonLinearTransform: the transform is linear; ApplyLinearTransform is "
                    "meant for such.");
  }
  this->ApplyTransform(transform, "ApplyNonLinearTransform");
}

//----------------------------------------------------------------------------
void vtkSegmentation::ApplyTransform(vtkAbstractTransform* transform, const char* method)
{
  for (const std::string& id : this->SegmentIds)
  {
    vtkDataObject* source = this->GetSegmentRepresentation(id, this->SourceRepresentationName);
    if (!vtkOrientedImageData::SafeDownCast(source) && !vtkPolyData::SafeDownCast(source))
    {
      vtkErrorMacro(<< method << ": the source representation '" << this->SourceRepresentationName
                    << "' of segment '" << id << "' is "
                    << (source ? source->GetClassName() : "missing")
                    << "; vtkOrientedImageData or vtkPolyData is needed. Nothing is changed.");
      return;
    }
  }
  this->Converter->ApplyTransformOnReferenceImageGeometry(transform);
  const std::vector<vtkDataObject*> layers = this->GetLayers(this->SourceRepresentationName);
  const bool fractional = this->SourceRepresentationName ==
    vtkSegmentationConverter::GetFractionalLabelmapRepresentationName();
  {
    const segcore::Disabled oneEventForAll(this->SourceRepresentationModifiedEnabled);
    for (vtkDataObject* layer : layers)
    {
      if (auto* image = vtkOrientedImageData::SafeDownCast(layer))
      {
        // Outside a fractional labelmap there is not 0 but the least of its range.
        vtkDataArray* range = fractional
          ? image->GetFieldData()->GetArray(vtkSegmentationConverter::GetScalarRangeFieldName())
          : nullptr;
        double outside[4] = { 0.0, 0.0, 0.0, 0.0 };
        std::fill_n(
          outside, 4, range && range->GetNumberOfValues() > 0 ? range->GetComponent(0, 0) : 0.0);
        vtkOrientedImageDataResample::TransformOrientedImage(
          image, transform, false, false, fractional, outside);
      }
      else
      {
        vtkPolyData* surface = vtkPolyData::SafeDownCast(layer);
        vtkNew<vtkTransformPolyDataFilter> filter;
        vtkNew<vtkPolyData> input; // not the one that is written to
        input->ShallowCopy(surface);
        filter->SetInputData(input);
        filter->SetTransform(transform);
        filter->Update();
        surface->DeepCopy(filter->GetOutput());
      }
      layer->Modified();
    }
  }
  if (!layers.empty())
  {
    this->SourceWasModified();
  }
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentation::KnownOrAllIDs(
  const std::vector<std::string>& ids, const char* method)
{
  if (ids.empty())
  {
    return this->GetSegmentIDs();
  }
  std::vector<std::string> known;
  for (const std::string& id : ids)
  {
    if (this->GetSegment(id))
    {
      known.push_back(id);
    }
    else
    {
      vtkWarningMacro(<< method << ": there is no segment '" << id << "'.");
    }
  }
  return known;
}

//----------------------------------------------------------------------------
std::vector<vtkOrientedImageData*> vtkSegmentation::GetLabelmaps(
  const std::vector<std::string>& ids)
{
  std::vector<vtkOrientedImageData*> labelmaps;
  std::set<vtkDataObject*> seen;
  for (const std::string& id : ids)
  {
    auto* image =
      vtkOrientedImageData::SafeDownCast(this->GetSegmentRepresentation(id, binaryLabelmapName()));
    if (image && !image->IsEmpty() && seen.insert(image).second)
    {
      labelmaps.push_back(image);
    }
  }
  return labelmaps;
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::DetermineCommonLabelmapGeometry(
  int extentComputationMode, vtkStringArray* segmentIds)
{
  return this->DetermineCommonLabelmapGeometry(extentComputationMode, segcore::textsOf(segmentIds));
}

//----------------------------------------------------------------------------
std::string vtkSegmentation::DetermineCommonLabelmapGeometry(
  int extentComputationMode, const std::vector<std::string>& segmentIDs)
{
  int mode = extentComputationMode;
  if (mode < EXTENT_REFERENCE_GEOMETRY ||
    mode > EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY)
  {
    vtkErrorMacro("DetermineCommonLabelmapGeometry: extent computation mode "
      << mode << " given; there are 0 to "
      << static_cast<int>(EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY) << ".");
    return std::string();
  }
  const std::vector<std::string> ids =
    this->KnownOrAllIDs(segmentIDs, "DetermineCommonLabelmapGeometry");
  const std::vector<vtkOrientedImageData*> labelmaps = this->GetLabelmaps(ids);
  if (labelmaps.empty())
  {
    return std::string();
  }
  vtkOrientedImageData* finest = *std::min_element(labelmaps.begin(), labelmaps.end(),
    [](vtkImageData* a, vtkImageData* b) { return VoxelVolume(a) < VoxelVolume(b); });
  vtkNew<vtkOrientedImageData> common;
  const std::string reference = this->Converter->GetConversionParameter(
    vtkSegmentationConverter::GetReferenceImageGeometryParameterName());
  if (reference.empty())
  {
    common->CopyStructure(finest);
    const bool asksForReference = mode == EXTENT_REFERENCE_GEOMETRY ||
      mode == EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY;
    mode = asksForReference ? EXTENT_UNION_OF_EFFECTIVE_SEGMENTS : mode;
  }
  else if (!vtkSegmentationConverter::DeserializeImageGeometry(reference, common, false))
  {
    return std::string(); // the parser said what is wrong with it
  }
  if (mode != EXTENT_REFERENCE_GEOMETRY)
  {
    const bool padded =
      mode == EXTENT_UNION_OF_SEGMENTS_PADDED || mode == EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_PADDED;
    int extent[6];
    this->DetermineCommonLabelmapExtent(
      extent, common, ids, mode >= EXTENT_UNION_OF_EFFECTIVE_SEGMENTS, padded);
    if (mode == EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY)
    {
      segcore::Box::fromExtent(extent)
        .unite(segcore::Box::fromExtent(common->GetExtent()))
        .toExtent(extent);
    }
    common->SetExtent(extent);
  }
  const int factor = vtkMath::Round(std::cbrt(VoxelVolume(common) / VoxelVolume(finest)));
  if (factor < 1 || factor > 100)
  {
    vtkWarningMacro("DetermineCommonLabelmapGeometry: the voxels of the reference image geometry "
                    "are "
      << VoxelVolume(common) / VoxelVolume(finest)
      << " times as large as those of the finest labelmap; the result has the reference's, for "
         "that cannot be made up by a factor from 1 to 100 for each axis.");
  }
  else if (factor > 1 && !common->IsEmpty())
  {
    vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(common, factor);
  }
  return vtkSegmentationConverter::SerializeImageGeometry(common);
}

//----------------------------------------------------------------------------
void vtkSegmentation::DetermineCommonLabelmapExtent(int commonGeometryExtent[6],
  vtkOrientedImageData* commonGeometryImage, vtkStringArray* segmentIds,
  bool computeEffectiveExtent, bool addPadding)
{
  this->DetermineCommonLabelmapExtent(commonGeometryExtent, commonGeometryImage,
    segcore::textsOf(segmentIds), computeEffectiveExtent, addPadding);
}

//----------------------------------------------------------------------------
void vtkSegmentation::DetermineCommonLabelmapExtent(int commonGeometryExtent[6],
  vtkOrientedImageData* commonGeometryImage, const std::vector<std::string>& segmentIDs,
  bool computeEffectiveExtent, bool addPadding)
{
  if (!commonGeometryExtent || !commonGeometryImage)
  {
    vtkErrorMacro("DetermineCommonLabelmapExtent: no "
      << (commonGeometryExtent ? "image" : "extent") << " given.");
    return;
  }
  segcore::Box common;
  for (vtkOrientedImageData* labelmap :
    this->GetLabelmaps(this->KnownOrAllIDs(segmentIDs, "DetermineCommonLabelmapExtent")))
  {
    int extent[6];
    labelmap->GetExtent(extent);
    if (computeEffectiveExtent &&
      !vtkOrientedImageDataResample::CalculateEffectiveExtent(labelmap, extent))
    {
      continue;
    }
    vtkNew<vtkTransform> toCommon;
    vtkOrientedImageDataResample::GetTransformBetweenOrientedImages(
      labelmap, commonGeometryImage, toCommon);
    vtkOrientedImageDataResample::TransformExtent(extent, toCommon, extent);
    common = common.unite(segcore::Box::fromExtent(extent));
  }
  common.grown(addPadding ? 1 : 0).toExtent(commonGeometryExtent);
}

//----------------------------------------------------------------------------
bool vtkSegmentation::SetImageGeometryFromCommonLabelmapGeometry(
  vtkOrientedImageData* imageData, vtkStringArray* segmentIDs, int extentComputationMode)
{
  if (!imageData)
  {
    vtkErrorMacro("SetImageGeometryFromCommonLabelmapGeometry: no image given.");
    return false;
  }
  const std::string geometry =
    this->DetermineCommonLabelmapGeometry(extentComputationMode, segmentIDs);
  if (geometry.empty())
  {
    vtkErrorMacro("SetImageGeometryFromCommonLabelmapGeometry: no segment has a labelmap with "
                  "voxels, so there is no common geometry.");
    return false;
  }
  return vtkSegmentationConverter::DeserializeImageGeometry(geometry, imageData, false);
}
