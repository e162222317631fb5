// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"

#include "ClosedSurface.h"

#include "vtkAppendPolyData.h"
#include "vtkCellData.h"
#include "vtkIntArray.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <map>
#include <set>

vtkSegmentationConverterRuleNewMacro(vtkBinaryLabelmapToClosedSurfaceConversionRule);

const std::string vtkBinaryLabelmapToClosedSurfaceConversionRule::CONVERSION_METHOD_FLYING_EDGES =
  "0";
const std::string vtkBinaryLabelmapToClosedSurfaceConversionRule::CONVERSION_METHOD_SURFACE_NETS =
  "1";

/// What is known of the images that segments share.
struct vtkBinaryLabelmapToClosedSurfaceConversionRule::Layers
{
  struct Layer
  {
    vtkSmartPointer<vtkOrientedImageData> Image; // held, so that its address stays its own
    std::set<int> Labels;                        // of all its segments
    std::set<int> Missing;                       // of those without a closed surface
    std::map<int, vtkSmartPointer<vtkPolyData>> Surfaces;
    bool Started = false;
  };
  std::map<vtkOrientedImageData*, Layer> ByImage;
};

//----------------------------------------------------------------------------
vtkBinaryLabelmapToClosedSurfaceConversionRule::vtkBinaryLabelmapToClosedSurfaceConversionRule()
{
  using Self = vtkBinaryLabelmapToClosedSurfaceConversionRule;
  this->ConversionParameters->SetParameter(Self::GetDecimationFactorParameterName(), "0.0",
    "Part of the triangles that is taken away, from 0 (none) to 1 (as many as possible while the "
    "topology stays). 0.8 often makes a surface five times smaller with little visible change.");
  this->ConversionParameters->SetParameter(Self::GetSmoothingFactorParameterName(), "0.5",
    "Strength of the smoothing, from 0 (none) to 1 (strongest).");
  this->ConversionParameters->SetParameter(Self::GetComputeSurfaceNormalsParameterName(), "1",
    "1 computes normals at the points, for smooth shading; 0 leaves them out. Used by flying edges "
    "only.");
  this->ConversionParameters->SetParameter(Self::GetConversionMethodParameterName(),
    Self::CONVERSION_METHOD_FLYING_EDGES,
    "How the surface is made: 0 is flying edges, 1 is surface nets (faster, evenly shaped "
    "triangles).");
  this->ConversionParameters->SetParameter(Self::GetSurfaceNetInternalSmoothingParameterName(), "0",
    "How surface nets are smoothed: 0 is the windowed sinc filter, 1 is within the net (no point "
    "leaves its cell).");
  this->ConversionParameters->SetParameter(Self::GetJointSmoothingParameterName(), "0",
    "1 smooths all segments of a shared labelmap together, so that neighbours keep a common "
    "boundary.");
}

//----------------------------------------------------------------------------
vtkBinaryLabelmapToClosedSurfaceConversionRule::~vtkBinaryLabelmapToClosedSurfaceConversionRule() =
  default;

//----------------------------------------------------------------------------
unsigned int vtkBinaryLabelmapToClosedSurfaceConversionRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return 500;
}

//----------------------------------------------------------------------------
const char* vtkBinaryLabelmapToClosedSurfaceConversionRule::GetSourceRepresentationName()
{
  return vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
}

//----------------------------------------------------------------------------
const char* vtkBinaryLabelmapToClosedSurfaceConversionRule::GetTargetRepresentationName()
{
  return vtkSegmentationConverter::GetClosedSurfaceRepresentationName();
}

//----------------------------------------------------------------------------
vtkDataObject*
vtkBinaryLabelmapToClosedSurfaceConversionRule::ConstructRepresentationObjectByRepresentation(
  std::string representationName)
{
  if (representationName == this->GetSourceRepresentationName())
  {
    return vtkOrientedImageData::New();
  }
  if (representationName == this->GetTargetRepresentationName())
  {
    return vtkPolyData::New();
  }
  return nullptr;
}

//----------------------------------------------------------------------------
vtkDataObject* vtkBinaryLabelmapToClosedSurfaceConversionRule::ConstructRepresentationObjectByClass(
  std::string className)
{
  if (className == "vtkOrientedImageData")
  {
    return vtkOrientedImageData::New();
  }
  if (className == "vtkPolyData")
  {
    return vtkPolyData::New();
  }
  return nullptr;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::ReadNumber(
  const std::string& name, double least, double most, double& number)
{
  const std::string text = this->GetConversionParameter(name);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0' || !(value >= least && value <= most))
  {
    vtkErrorMacro("Parameter '" << name << "' is '" << text << "', expected a number from " << least
                                << " to " << most << ".");
    return false;
  }
  number = value;
  return true;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::ReadOptions(
  segcore::ClosedSurfaceOptions& options)
{
  double normals = 0.0;
  double method = 0.0;
  double internal = 0.0;
  double joint = 0.0;
  // Flags are on above 0: files may hold any number.
  const double any = 1e300;
  if (!this->ReadNumber(
        this->GetDecimationFactorParameterName(), 0.0, 1.0, options.DecimationFactor) ||
    !this->ReadNumber(this->GetSmoothingFactorParameterName(), 0.0, 1.0, options.SmoothingFactor) ||
    !this->ReadNumber(this->GetComputeSurfaceNormalsParameterName(), -any, any, normals) ||
    !this->ReadNumber(this->GetConversionMethodParameterName(), 0.0, 1.0, method) ||
    !this->ReadNumber(this->GetSurfaceNetInternalSmoothingParameterName(), -any, any, internal) ||
    !this->ReadNumber(this->GetJointSmoothingParameterName(), -any, any, joint))
  {
    return false;
  }
  options.ComputeNormals = normals > 0.0;
  options.SurfaceNets = method > 0.0;
  options.SmoothInternally = internal > 0.0;
  options.SmoothJointly = joint > 0.0;
  options.SmoothingIterations = static_cast<int>(20.0 + 40.0 * options.SmoothingFactor);
  return true;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::PreConvert(vtkSegmentation* segmentation)
{
  this->Cache.reset();
  if (!segmentation)
  {
    vtkErrorMacro("PreConvert: no segmentation given.");
    return false;
  }
  auto cache = std::make_unique<Layers>();
  for (int i = 0; i < segmentation->GetNumberOfSegments(); ++i)
  {
    vtkSegment* segment = segmentation->GetNthSegment(static_cast<unsigned int>(i));
    auto* image = vtkOrientedImageData::SafeDownCast(
      segment->GetRepresentation(this->GetSourceRepresentationName()));
    if (!image || segment->GetLabelValue() < 1)
    {
      continue;
    }
    Layers::Layer& layer = cache->ByImage[image];
    layer.Image = image;
    layer.Labels.insert(segment->GetLabelValue());
    if (!segment->GetRepresentation(this->GetTargetRepresentationName()))
    {
      layer.Missing.insert(segment->GetLabelValue());
    }
  }
  this->Cache = std::move(cache);
  return true;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::PostConvert(
  vtkSegmentation* vtkNotUsed(segmentation))
{
  this->Cache.reset();
  return true;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::SetTarget(
  vtkSegment* segment, vtkPolyData* surface)
{
  if (!this->CreateTargetRepresentation(segment))
  {
    return false;
  }
  vtkDataObject* target = segment->GetRepresentation(this->GetTargetRepresentationName());
  auto* polyData = vtkPolyData::SafeDownCast(target);
  if (!polyData)
  {
    vtkErrorMacro("Convert: the closed surface of segment '"
      << (segment->GetName() ? segment->GetName() : "") << "' is a " << target->GetClassName()
      << ", expected a vtkPolyData.");
    return false;
  }
  polyData->ShallowCopy(surface);
  return true;
}

//----------------------------------------------------------------------------
vtkOrientedImageData* vtkBinaryLabelmapToClosedSurfaceConversionRule::GetSourceImage(
  vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("Convert: no segment given.");
    return nullptr;
  }
  auto* image = vtkOrientedImageData::SafeDownCast(
    segment->GetRepresentation(this->GetSourceRepresentationName()));
  if (!image)
  {
    vtkErrorMacro("Convert: segment '" << (segment->GetName() ? segment->GetName() : "")
                                       << "' has no '" << this->GetSourceRepresentationName()
                                       << "'.");
  }
  return image;
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::Convert(vtkSegment* segment)
{
  vtkOrientedImageData* image = this->GetSourceImage(segment);
  if (!image)
  {
    return false;
  }
  const std::string name = segment->GetName() ? segment->GetName() : "";
  const int label = segment->GetLabelValue();
  if (label < 1)
  {
    vtkErrorMacro("Convert: segment '" << name << "' has label value " << label
                                       << ", expected 1 or more: 0 is the background.");
    return false;
  }
  segcore::ClosedSurfaceOptions options;
  if (!this->ReadOptions(options))
  {
    return false;
  }
  // Without PreConvert, or for a segment that it did not see: a layer for this call alone.
  Layers::Layer alone;
  Layers::Layer* layer = &alone;
  if (this->Cache)
  {
    const auto known = this->Cache->ByImage.find(image);
    if (known != this->Cache->ByImage.end() && known->second.Labels.count(label) > 0)
    {
      layer = &known->second;
    }
  }
  try
  {
    if (layer->Surfaces.find(label) == layer->Surfaces.end())
    {
      const bool joint = options.SmoothJointly && options.SmoothingFactor > 0.0;
      std::set<int> wanted{ label };
      if (joint && layer == &alone)
      {
        for (const int other : segcore::positiveLabels(image))
        {
          wanted.insert(other);
        }
      }
      else if (joint || layer->Started)
      {
        wanted.insert(layer->Labels.begin(), layer->Labels.end());
      }
      else if (layer->Missing.count(label) > 0)
      {
        wanted.insert(layer->Missing.begin(), layer->Missing.end());
      }
      layer->Started = true;
      const std::vector<int> labels(wanted.begin(), wanted.end());
      const auto surfaces = segcore::makeLabelSurfaces(image, labels, options);
      for (std::size_t i = 0; i < labels.size(); ++i)
      {
        layer->Surfaces[labels[i]] = surfaces[i];
      }
    }
  }
  catch (const std::exception& problem)
  {
    vtkErrorMacro(
      "Convert: the surface of segment '" << name << "' cannot be made: " << problem.what() << ".");
    return false;
  }
  return this->SetTarget(segment, layer->Surfaces[label]);
}

//----------------------------------------------------------------------------
bool vtkBinaryLabelmapToClosedSurfaceConversionRule::CreateClosedSurface(
  vtkOrientedImageData* inputImage, vtkPolyData* outputPolydata, std::vector<int> values)
{
  if (!inputImage || !outputPolydata)
  {
    vtkErrorMacro("CreateClosedSurface: no " << (inputImage ? "poly data" : "image") << " given.");
    return false;
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (!values.empty() && values.front() < 1)
  {
    vtkErrorMacro(
      "CreateClosedSurface: label value " << values.front() << " given, expected 1 or more.");
    return false;
  }
  segcore::ClosedSurfaceOptions options;
  if (!this->ReadOptions(options))
  {
    return false;
  }
  std::vector<vtkSmartPointer<vtkPolyData>> surfaces;
  try
  {
    surfaces = segcore::makeLabelSurfaces(inputImage, values, options);
  }
  catch (const std::exception& problem)
  {
    vtkErrorMacro("CreateClosedSurface: " << problem.what() << ".");
    return false;
  }
  if (surfaces.size() == 1)
  {
    outputPolydata->ShallowCopy(surfaces[0]);
    return true;
  }
  vtkNew<vtkAppendPolyData> append;
  for (std::size_t i = 0; i < surfaces.size(); ++i)
  {
    if (surfaces[i]->GetNumberOfPolys() > 0)
    {
      vtkNew<vtkIntArray> labels;
      labels->SetName("SegmentLabel");
      labels->SetNumberOfValues(surfaces[i]->GetNumberOfPolys());
      labels->FillValue(values[i]);
      surfaces[i]->GetCellData()->SetScalars(labels);
      append->AddInputData(surfaces[i]);
    }
  }
  if (append->GetNumberOfInputConnections(0) == 0)
  {
    outputPolydata->Initialize();
    return true;
  }
  append->Update();
  outputPolydata->ShallowCopy(append->GetOutput());
  return true;
}
