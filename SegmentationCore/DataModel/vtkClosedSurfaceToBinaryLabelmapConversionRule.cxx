// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"

#include "SurfaceVoxels.h"
#include "Tasks.h"
#include "ThreadScope.h"
#include "vtkCalculateOversamplingFactor.h"
#include "vtkOrientedImageData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"

#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPolyData.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <cmath>
#include <locale>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

vtkSegmentationConverterRuleNewMacro(vtkClosedSurfaceToBinaryLabelmapConversionRule);

namespace
{

/// Voxels along each axis of a cube of the default geometry.
constexpr double DefaultVoxelsPerAxis = 250.0;

/// Segments that are converted together: enough for all threads, few enough to be dropped.
constexpr std::size_t MostAhead = 64;

/// Work (see surfaceWork) of the largest surface that one of those may be; a larger one is
/// converted by all threads together, which is not worth it below.
constexpr segcore::Index LargestAhead = 4 * segcore::ThreadedVoxels;

/// A number with nothing behind it but blanks, whatever the locale.
bool readNumber(const std::string& text, double& number)
{
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  return (stream >> number) && (stream >> std::ws).eof();
}

} // namespace

/// Segments in the order in which they are likely to be asked for, and images that are ready.
struct vtkClosedSurfaceToBinaryLabelmapConversionRule::Ahead
{
  std::vector<vtkSmartPointer<vtkSegment>> Segments;
  std::map<vtkSegment*, vtkSmartPointer<vtkOrientedImageData>> Images;
  std::set<vtkSegment*> Declined; // too large, or refused when they are asked for
  bool Begun = false;
};

//------------------------------------------------------------------------------
vtkClosedSurfaceToBinaryLabelmapConversionRule::vtkClosedSurfaceToBinaryLabelmapConversionRule()
{
  this->ReplaceTargetRepresentation = true;
  this->ConversionParameters->SetParameter(
    vtkSegmentationConverter::GetReferenceImageGeometryParameterName(), "",
    "Image geometry description string determining the geometry of the labelmap that is created in "
    "course of conversion. Can be copied from a volume, using the button.");
  this->ConversionParameters->SetParameter(
    vtkClosedSurfaceToBinaryLabelmapConversionRule::GetOversamplingFactorParameterName(), "1",
    "Determines the oversampling of the reference image geometry. If it's a number, then all "
    "segments are oversampled with the same value (value of 1 means no oversampling). If it has "
    "the value \"A\", then automatic oversampling is calculated.");
  this->ConversionParameters->SetParameter(
    vtkClosedSurfaceToBinaryLabelmapConversionRule::GetCropToReferenceImageGeometryParameterName(),
    "0",
    "Crop the model to the extent of reference geometry. 0 (default) = created labelmap will "
    "contain the entire model. 1 = created labelmap extent will be within reference image extent.");
  this->ConversionParameters->SetParameter(
    vtkClosedSurfaceToBinaryLabelmapConversionRule::GetCollapseLabelmapsParameterName(), "1",
    "Merge the labelmaps into as few shared labelmaps as possible 1 = created labelmaps will be "
    "shared if possible without overwriting each other.");
}

//------------------------------------------------------------------------------
vtkClosedSurfaceToBinaryLabelmapConversionRule::~vtkClosedSurfaceToBinaryLabelmapConversionRule() =
  default;

//------------------------------------------------------------------------------
vtkDataObject*
vtkClosedSurfaceToBinaryLabelmapConversionRule::ConstructRepresentationObjectByRepresentation(
  std::string representationName)
{
  if (representationName == this->GetSourceRepresentationName())
  {
    return vtkPolyData::New();
  }
  if (representationName == this->GetTargetRepresentationName())
  {
    return vtkOrientedImageData::New();
  }
  return nullptr;
}

//------------------------------------------------------------------------------
vtkDataObject* vtkClosedSurfaceToBinaryLabelmapConversionRule::ConstructRepresentationObjectByClass(
  std::string className)
{
  if (className == "vtkPolyData")
  {
    return vtkPolyData::New();
  }
  if (className == "vtkOrientedImageData")
  {
    return vtkOrientedImageData::New();
  }
  return nullptr;
}

//------------------------------------------------------------------------------
unsigned int vtkClosedSurfaceToBinaryLabelmapConversionRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return 500;
}

//------------------------------------------------------------------------------
vtkPolyData* vtkClosedSurfaceToBinaryLabelmapConversionRule::GetSourceSurface(vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("Convert: no segment given");
    return nullptr;
  }
  vtkDataObject* const source = segment->GetRepresentation(this->GetSourceRepresentationName());
  vtkPolyData* const surface = vtkPolyData::SafeDownCast(source);
  if (!surface)
  {
    vtkErrorMacro("Convert: segment '" << (segment->GetName() ? segment->GetName() : "")
                                       << "' must have a vtkPolyData as "
                                       << this->GetSourceRepresentationName() << ", has "
                                       << (source ? source->GetClassName() : "none"));
  }
  return surface;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::HasSurface(vtkPolyData* surface)
{
  return surface->GetNumberOfPoints() >= 2 &&
    (surface->GetNumberOfCells() >= 2 || surface->GetNumberOfStrips() >= 1);
}

//------------------------------------------------------------------------------
std::string
vtkClosedSurfaceToBinaryLabelmapConversionRule::GetDefaultImageGeometryStringForPolyData(
  vtkPolyData* polyData)
{
  if (!polyData || polyData->GetNumberOfPoints() < 1)
  {
    vtkErrorMacro("GetDefaultImageGeometryStringForPolyData: the surface has no points");
    return "";
  }
  double bounds[6];
  polyData->GetBounds(bounds);
  double length[3];
  for (int a = 0; a < 3; ++a)
  {
    length[a] = bounds[2 * a + 1] - bounds[2 * a];
  }
  const double cube = DefaultVoxelsPerAxis * DefaultVoxelsPerAxis * DefaultVoxelsPerAxis;
  // std::pow, not std::cbrt: the last digit is part of geometry texts in files.
  double spacing = std::pow(length[0] * length[1] * length[2] / cube, 1.0 / 3.0);
  const double longest = std::max(length[0], std::max(length[1], length[2]));
  if (!(spacing > longest * 1e-6))
  {
    spacing = longest > 0.0 ? longest / DefaultVoxelsPerAxis : 1.0;
  }
  vtkNew<vtkMatrix4x4> geometry;
  int extent[6];
  for (int a = 0; a < 3; ++a)
  {
    geometry->SetElement(a, a, spacing);
    geometry->SetElement(a, 3, bounds[2 * a]);
    extent[2 * a] = 0;
    extent[2 * a + 1] = static_cast<int>(length[a] / spacing);
  }
  return vtkSegmentationConverter::SerializeImageGeometry(geometry, extent);
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::ApplyOversampling(
  vtkPolyData* surface, vtkOrientedImageData* geometry)
{
  const std::string name = this->GetOversamplingFactorParameterName();
  const std::string text = this->ConversionParameters->GetValue(name);
  double factor = 1.0;
  if (text == "A")
  {
    vtkNew<vtkCalculateOversamplingFactor> calculator;
    calculator->SetInputPolyData(surface);
    calculator->SetReferenceGeometryImageData(geometry);
    if (!calculator->CalculateOversamplingFactor())
    {
      vtkErrorMacro("Convert: no automatic oversampling factor, see the error before");
      return false;
    }
    factor = calculator->GetOutputOversamplingFactor();
  }
  else if (!text.empty() && !readNumber(text, factor))
  {
    vtkErrorMacro("Convert: parameter '" << name << "' must be a number or A, is '" << text << "'");
    return false;
  }
  vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(geometry, factor);
  return true;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::CalculateLattice(
  vtkPolyData* surface, vtkOrientedImageData* geometry, bool& crop)
{
  std::string text = this->ConversionParameters->GetValue(
    vtkSegmentationConverter::GetReferenceImageGeometryParameterName());
  if (text.empty())
  {
    text = this->GetDefaultImageGeometryStringForPolyData(surface);
  }
  if (text.empty() || !vtkSegmentationConverter::DeserializeImageGeometry(text, geometry, false))
  {
    vtkErrorMacro("Convert: parameter '"
      << vtkSegmentationConverter::GetReferenceImageGeometryParameterName()
      << "' must be a geometry text of 16 matrix elements and 6 indices, is '" << text << "'");
    return false;
  }
  vtkNew<vtkMatrix4x4> imageToWorld;
  geometry->GetImageToWorldMatrix(imageToWorld);
  if (imageToWorld->Determinant() == 0.0)
  {
    vtkErrorMacro(
      "Convert: the axes of the reference geometry '" << text << "' are not independent");
    return false;
  }
  const std::string cropText =
    this->ConversionParameters->GetValue(this->GetCropToReferenceImageGeometryParameterName());
  double number = 0.0;
  if (!cropText.empty() && !readNumber(cropText, number))
  {
    vtkErrorMacro("Convert: parameter '" << this->GetCropToReferenceImageGeometryParameterName()
                                         << "' must be 0 or 1, is '" << cropText << "'");
    return false;
  }
  crop = number > 0.0;
  return this->ApplyOversampling(surface, geometry);
}

//------------------------------------------------------------------------------
/// Sets the extent to the voxels that the surface needs. Throws std::overflow_error.
void vtkClosedSurfaceToBinaryLabelmapConversionRule::FitExtent(
  vtkPolyData* surface, vtkOrientedImageData* geometry, bool crop)
{
  vtkNew<vtkMatrix4x4> worldToImage;
  geometry->GetWorldToImageMatrix(worldToImage);
  segcore::Box box = segcore::indexBox(surface, worldToImage);
  if (crop)
  {
    box = box.intersect(segcore::Box::fromExtent(geometry->GetExtent()));
  }
  int extent[6] = { 0, -1, 0, -1, 0, -1 };
  if (!box.empty())
  {
    box.toExtent(extent);
  }
  geometry->SetExtent(extent);
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::CalculateOutputGeometry(
  vtkPolyData* closedSurfacePolyData, vtkOrientedImageData* geometryImageData)
{
  if (!closedSurfacePolyData || !geometryImageData)
  {
    vtkErrorMacro("CalculateOutputGeometry: no surface or no image given");
    return false;
  }
  bool crop = false;
  if (!this->CalculateLattice(closedSurfacePolyData, geometryImageData, crop))
  {
    return false;
  }
  try
  {
    FitExtent(closedSurfacePolyData, geometryImageData, crop);
  }
  catch (const std::overflow_error& error)
  {
    vtkErrorMacro("Convert: " << error.what());
    return false;
  }
  return true;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::PreConvert(vtkSegmentation* segmentation)
{
  this->Prepared.reset();
  // A class derived from this one makes another kind of image.
  if (segmentation &&
    std::string(this->GetClassName()) == "vtkClosedSurfaceToBinaryLabelmapConversionRule")
  {
    this->Prepared = std::make_unique<Ahead>();
    for (int i = 0; i < segmentation->GetNumberOfSegments(); ++i)
    {
      this->Prepared->Segments.emplace_back(segmentation->GetNthSegment(i));
    }
  }
  return true;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::CanBePrepared(vtkSegment* segment)
{
  const auto surface =
    vtkPolyData::SafeDownCast(segment->GetRepresentation(this->GetSourceRepresentationName()));
  return surface && this->HasSurface(surface) &&
    !segment->GetRepresentation(this->GetTargetRepresentationName()) &&
    this->Prepared->Images.count(segment) == 0 && this->Prepared->Declined.count(segment) == 0;
}

//------------------------------------------------------------------------------
vtkSmartPointer<vtkOrientedImageData> vtkClosedSurfaceToBinaryLabelmapConversionRule::TakePrepared(
  vtkSegment* segment)
{
  if (!this->Prepared || this->UseOutputImageDataGeometry)
  {
    return nullptr;
  }
  Ahead& ahead = *this->Prepared;
  if (ahead.Images.count(segment) == 0 && ahead.Begun && this->CanBePrepared(segment))
  {
    struct Work
    {
      vtkSegment* segment;
      vtkPolyData* surface;
      vtkSmartPointer<vtkOrientedImageData> image;
      segcore::Index triangles; // as work
      bool crop;
      bool done;
    };
    std::vector<Work> works;
    std::set<vtkPolyData*> surfaces; // not one on two threads
    segcore::Index size = 0;
    const auto first = std::find(ahead.Segments.begin(), ahead.Segments.end(), segment);
    for (auto next = first; next != ahead.Segments.end() && works.size() < MostAhead; ++next)
    {
      if (!this->CanBePrepared(*next))
      {
        continue;
      }
      const auto surface =
        vtkPolyData::SafeDownCast((*next)->GetRepresentation(this->GetSourceRepresentationName()));
      const auto image = vtkSmartPointer<vtkOrientedImageData>::New();
      bool crop = false;
      if (!surfaces.insert(surface).second || !this->CalculateLattice(surface, image, crop))
      {
        break; // converted, or refused, when it is asked for
      }
      const segcore::Index triangles = segcore::surfaceWork(surface, segcore::Box());
      works.push_back({ *next, surface, image, triangles, crop, false });
      size += triangles;
    }
    // So that no thread is left alone with a large one at the end.
    std::stable_sort(works.begin(), works.end(),
      [](const Work& a, const Work& b) { return a.triangles > b.triangles; });
    segcore::withThreads(
      [&]
      {
        segcore::forTasks(static_cast<segcore::Index>(works.size()),
          [&](segcore::Index w)
          {
            Work& work = works[static_cast<std::size_t>(w)];
            try
            {
              FitExtent(work.surface, work.image, work.crop);
            }
            catch (const std::overflow_error&)
            {
              return; // refused when it is asked for
            }
            const segcore::Box box = segcore::Box::fromExtent(work.image->GetExtent());
            if (segcore::surfaceWork(work.surface, box) <= LargestAhead)
            {
              const std::uint8_t values[2] = { 0, 1 };
              std::string error;
              work.done = segcore::fillFromSurface(
                work.surface, work.image, VTK_UNSIGNED_CHAR, 1, values, error);
            }
          });
      },
      size);
    for (const Work& work : works)
    {
      if (work.done)
      {
        ahead.Images[work.segment] = work.image;
      }
      else
      {
        ahead.Declined.insert(work.segment);
      }
    }
  }
  ahead.Begun = true;
  const auto found = ahead.Images.find(segment);
  if (found == ahead.Images.end())
  {
    return nullptr;
  }
  const vtkSmartPointer<vtkOrientedImageData> image = found->second;
  ahead.Images.erase(found);
  return image;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::Convert(vtkSegment* segment)
{
  vtkPolyData* const surface = this->GetSourceSurface(segment);
  if (!surface)
  {
    return false;
  }
  const std::string target = this->GetTargetRepresentationName();
  if (const auto prepared = this->TakePrepared(segment))
  {
    segment->AddRepresentation(target, prepared);
    segment->SetLabelValue(1);
    return true;
  }
  const auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  if (this->UseOutputImageDataGeometry)
  {
    const auto old = vtkOrientedImageData::SafeDownCast(segment->GetRepresentation(target));
    if (!old || old->IsEmpty())
    {
      vtkErrorMacro("Convert: UseOutputImageDataGeometry is on, but the segment has no "
        << target << " with voxels");
      return false;
    }
    image->CopyStructure(old);
  }
  else if (this->HasSurface(surface) && !this->CalculateOutputGeometry(surface, image))
  {
    return false;
  }
  const std::uint8_t values[2] = { 0, 1 };
  std::string error;
  if (!segcore::fillFromSurface(surface, image, VTK_UNSIGNED_CHAR, 1, values, error))
  {
    vtkErrorMacro("Convert: " << error);
    return false;
  }
  segment->AddRepresentation(target, image);
  segment->SetLabelValue(1);
  return true;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToBinaryLabelmapConversionRule::PostConvert(vtkSegmentation* segmentation)
{
  this->Prepared.reset();
  const std::string text =
    this->ConversionParameters->GetValue(this->GetCollapseLabelmapsParameterName());
  double collapse = 0.0;
  if (!text.empty() && !readNumber(text, collapse))
  {
    vtkErrorMacro("PostConvert: parameter '" << this->GetCollapseLabelmapsParameterName()
                                             << "' must be 0 or 1, is '" << text << "'");
    return false;
  }
  if (collapse > 0.0)
  {
    if (!segmentation)
    {
      vtkErrorMacro("PostConvert: no segmentation given");
      return false;
    }
    segmentation->CollapseBinaryLabelmaps(false);
  }
  return true;
}

//------------------------------------------------------------------------------
void vtkClosedSurfaceToBinaryLabelmapConversionRule::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent
     << "UseOutputImageDataGeometry: " << (this->UseOutputImageDataGeometry ? "On" : "Off") << "\n";
}
