// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapLocalHistogram.h"

#include "AutoThreshold.h"
#include "DistributedImage.h"
#include "Histogram.h"
#include "LabelIntensity.h"
#include "LocalMask.h"
#include "Message.h"
#include "ParameterCheck.h"
#include "Progress.h"
#include "ScalarTypes.h"
#include "StrokeLocalMask.h"
#include "WorldGeometry.h"
#include "vtkLabelMapThreshold.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataSetAttributes.h"
#include "vtkDoubleArray.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkTable.h"
#include "vtkTypeInt64Array.h"

#include <algorithm>
#include <cmath>
#include <limits>

vtkStandardNewMacro(vtkLabelMapLocalHistogram);

namespace
{
using segcore::Block;
using segcore::Box;
using segcore::Communicator;
using segcore::DistributedImage;
using segcore::Index;
using segcore::IntensitySums;

/// What the row of the table says.
struct Measured
{
  IntensitySums sums;
  double step = 1.0; ///< of the sums
  segcore::HistogramBins bins;
  std::vector<std::int64_t> counts;
  segcore::AutoThreshold automatic;
};

/// Calls work(values, count) with all values of the region that this rank owns, a chunk at a time.
template <class V, class Work>
void forEachChunk(const DistributedImage& image, const segcore::LocalMask& region,
  const segcore::Progress& progress, const Work& work)
{
  constexpr std::size_t most = std::size_t{ 1 } << 17;
  std::vector<V> chunk;
  chunk.reserve(most);
  std::vector<std::uint8_t> mask;
  const auto flush = [&]
  {
    progress.step(0.0);
    work(chunk.data(), static_cast<Index>(chunk.size()));
    chunk.clear();
  };
  for (const Block& block : image.distribution().localBlocks())
  {
    const Box box = block.box.clipped(region.bounds());
    if (box.empty())
    {
      continue;
    }
    const Index rows = std::max<Index>(1, (Index{ 1 } << 16) / box.dim(0));
    Box part = box;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      part.lo[2] = part.hi[2] = k;
      for (part.lo[1] = box.lo[1]; part.lo[1] <= box.hi[1]; part.lo[1] += rows)
      {
        part.hi[1] = std::min(box.hi[1], part.lo[1] + rows - 1);
        if (region.uniform(part) == 0)
        {
          continue;
        }
        mask.resize(static_cast<std::size_t>(part.size()));
        region.write(part, mask.data());
        for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
        {
          const V* row = image.voxels<V>() + image.piece().offset(part.lo[0], j, k);
          const std::uint8_t* touched = mask.data() + part.offset(part.lo[0], j, k);
          for (Index i = 0; i < part.dim(0); ++i)
          {
            if (touched[i])
            {
              chunk.push_back(row[i]);
              if (chunk.size() == most)
              {
                flush();
              }
            }
          }
        }
      }
    }
  }
  if (!chunk.empty())
  {
    flush();
  }
}

/// Collective. The sums of all ranks, on all ranks.
void addUp(const Communicator& communicator, IntensitySums& sums)
{
  segcore::MessageWriter writer;
  writer.put(sums);
  const std::vector<segcore::Bytes> messages = communicator.allGather(writer.take());
  communicator.run(
    [&]
    {
      sums = IntensitySums();
      for (const segcore::Bytes& message : messages)
      {
        sums.add(segcore::MessageReader(message).get<IntensitySums>());
      }
    });
}

/// Collective.
template <class V>
void measure(const Communicator& communicator, const DistributedImage& image,
  const segcore::LocalMask& region, segcore::ThresholdMethod method, int numberOfBins,
  const segcore::Progress& progress, Measured& found)
{
  segcore::ScalarRange range;
  communicator.run(
    [&]
    {
      progress.step(0.0);
      forEachChunk<V>(image, region, progress,
        [&](const V* values, Index count) { segcore::accumulateRange(values, count, range); });
    });
  const double infinity = std::numeric_limits<double>::infinity();
  range.min = communicator.allReduceMin(range.any ? range.min : infinity);
  range.max = communicator.allReduceMax(range.any ? range.max : -infinity);
  range.any = range.min <= range.max;
  if (!range.any)
  {
    throw segcore::AgreedError(
      "the brush touches no voxel of array '" + image.arrayName() + "' with a finite value");
  }
  // Of the region alone, on all ranks: so nothing depends on the split.
  found.step = segcore::intensityStep<V>(std::max(std::abs(range.min), std::abs(range.max)));
  found.bins = segcore::binsFor(range, numberOfBins);
  const segcore::Progress second = progress.part(0.5, 1.0);
  communicator.run(
    [&]
    {
      found.counts.assign(static_cast<std::size_t>(numberOfBins), 0);
      const std::vector<Index> label{ 1 };
      std::vector<unsigned char> labels;
      forEachChunk<V>(image, region, second,
        [&](const V* values, Index count)
        {
          labels.assign(static_cast<std::size_t>(count), 1);
          segcore::LabelledValues<unsigned char, V> data;
          data.labels = labels.data();
          data.values = values;
          data.stored = data.valueStored = Box::ofSize(count, 1, 1);
          segcore::sumIntensity(data, data.stored, label, found.step, &found.sums);
          segcore::accumulateHistogram(values, count, found.bins, found.counts.data());
        });
    });
  addUp(communicator, found.sums);
  communicator.allReduceSum(found.counts.data(), numberOfBins);
  communicator.run(
    [&] { found.automatic = segcore::autoThreshold(method, found.bins, found.counts.data()); });
}

void fillTable(const Measured& found, bool root, vtkTable* table)
{
  const auto column = [&](auto* array, const char* name, int components, const auto& value)
  {
    array->SetName(name);
    array->SetNumberOfComponents(components);
    array->SetNumberOfTuples(root ? 1 : 0);
    for (int c = 0; root && c < components; ++c)
    {
      array->SetTypedComponent(0, c, value(c));
    }
    table->AddColumn(array);
  };
  const auto number = [&](const char* name, double value)
  {
    vtkNew<vtkDoubleArray> array;
    column(array.Get(), name, 1, [value](int) { return value; });
  };
  vtkNew<vtkTypeInt64Array> voxels, counts;
  column(voxels.Get(), "voxel_count", 1, [&](int) { return found.sums.voxels; });
  number("lower", found.sums.min);
  number("average", found.sums.mean(found.step));
  number("upper", found.sums.max);
  number("stdev", found.sums.deviation(found.step));
  number("auto_threshold",
    found.automatic.valid ? found.automatic.threshold : std::numeric_limits<double>::quiet_NaN());
  number("bin_minimum", found.bins.min);
  number("bin_width", found.bins.width);
  column(counts.Get(), "counts", found.bins.count,
    [&](int c) { return found.counts[static_cast<std::size_t>(c)]; });
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapLocalHistogram::vtkLabelMapLocalHistogram()
{
  this->SetController(vtkMultiProcessController::GetGlobalController());
  this->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
}

//------------------------------------------------------------------------------------------------
vtkLabelMapLocalHistogram::~vtkLabelMapLocalHistogram()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalHistogram::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalHistogram::AddPoint(double x, double y, double z)
{
  this->Points.insert(this->Points.end(), { x, y, z });
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalHistogram::RemoveAllPoints()
{
  if (!this->Points.empty())
  {
    this->Points.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalHistogram::SetPoints(const double* coordinates, vtkIdType numberOfPoints)
{
  this->Points.assign(coordinates, coordinates + 3 * numberOfPoints);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapLocalHistogram::FillInputPortInformation(int, vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapLocalHistogram::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The pipeline turns pieces into extents.
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* out = outputVector->GetInformationObject(0);
  vtkInformation* in = inputVector[0]->GetInformationObject(0);
  for (auto* key : { Pipeline::UPDATE_PIECE_NUMBER(), Pipeline::UPDATE_NUMBER_OF_PIECES() })
  {
    if (out->Has(key))
    {
      in->Set(key, out->Get(key));
    }
  }
  in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  return 1;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapLocalHistogram::CheckParameters() const
{
  std::string points;
  if (this->Points.empty())
  {
    points = "Points is empty, expected at least one point";
  }
  const auto wrong = std::find_if_not(
    this->Points.begin(), this->Points.end(), [](double value) { return std::isfinite(value); });
  if (wrong != this->Points.end())
  {
    points =
      "Points: point " + std::to_string((wrong - this->Points.begin()) / 3 + 1) + " is not finite";
  }
  return segcore::firstError({
    points,
    segcore::checkRange<int>("BrushType", this->BrushType, CIRCLE, LINE),
    segcore::checkRange("BrushAbsoluteDiameter", this->BrushAbsoluteDiameter, 1e-6, 1e6),
    segcore::checkVector("SliceNormal", this->SliceNormal),
    segcore::checkRange("SliceThickness", this->SliceThickness, 0.0, 1e6),
    segcore::checkRange<int>("AutoThresholdMethod", this->AutoThresholdMethod,
      vtkLabelMapThreshold::METHOD_HUANG, vtkLabelMapThreshold::METHOD_YEN),
    segcore::checkRange("NumberOfBins", this->NumberOfBins, 2,
      segcore::isQuadratic(static_cast<segcore::ThresholdMethod>(this->AutoThresholdMethod))
        ? segcore::MostBinsOfQuadraticMethods
        : 65536),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapLocalHistogram::MakeRegion(
  const DistributedImage& image) const
{
  const segcore::Geometry& geometry = image.geometry();
  double normal[3];
  segcore::normalize(this->SliceNormal, normal);
  if (this->BrushType == DRAW)
  {
    return segcore::makeOutlineMask(
      this->Points, geometry, normal, this->SliceThickness, image.whole());
  }
  if (this->BrushType == BOX)
  {
    Box box;
    for (std::size_t p = 0; p < this->Points.size(); p += 3)
    {
      Box voxel;
      for (int a = 0; a < 3; ++a)
      {
        // Halves towards the higher index; far outside is outside, whatever the number.
        const double at =
          std::floor(segcore::indexAlong(geometry, this->Points.data() + p, a) + 0.5);
        voxel.lo[a] = voxel.hi[a] = static_cast<Index>(std::min(std::max(at, -1e15), 1e15));
      }
      box = box.unite(voxel);
    }
    return std::make_unique<segcore::BoxMask>(box);
  }
  segcore::StrokeOptions options;
  options.shape =
    this->BrushType == LINE ? segcore::BrushShape::Sphere : segcore::BrushShape::Circle;
  options.diameterMillimetres = this->BrushAbsoluteDiameter;
  std::copy_n(normal, 3, options.normal);
  options.thicknessMillimetres =
    this->SliceThickness > 0.0 ? this->SliceThickness : segcore::sliceThickness(geometry, normal);
  return segcore::makeStrokeMask(this->Points, geometry, options);
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapLocalHistogram::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkTable* output = vtkTable::GetData(outputVector);
  const Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(this->CheckParameters());
    const DistributedImage image(
      communicator, input, segcore::arrayToProcess(communicator, this, input));
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    std::unique_ptr<segcore::LocalMask> region;
    communicator.run([&] { region = this->MakeRegion(image); });
    const auto method = static_cast<segcore::ThresholdMethod>(this->AutoThresholdMethod);
    Measured found;
    switch (image.scalarType())
    {
      segcoreTemplateMacro(
        measure<VTK_TT>(communicator, image, *region, method, this->NumberOfBins, progress, found));
      default:
        throw segcore::AgreedError("array '" + image.arrayName() + "' has an unknown scalar type");
    }
    communicator.run([&] { fillTable(found, communicator.isRoot(), output); });
    this->UpdateProgress(1.0);
    return 1;
  }
  catch (const segcore::AgreedError& error)
  {
    this->LastError = error.what();
  }
  output->Initialize();
  vtkErrorMacro(<< this->LastError);
  return 0;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalHistogram::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfPoints: " << this->GetNumberOfPoints() << "\n";
  os << indent << "BrushType: " << this->BrushType << "\n";
  os << indent << "BrushAbsoluteDiameter: " << this->BrushAbsoluteDiameter << "\n";
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
  os << indent << "SliceThickness: " << this->SliceThickness << "\n";
  os << indent << "NumberOfBins: " << this->NumberOfBins << "\n";
  os << indent << "AutoThresholdMethod: " << this->AutoThresholdMethod << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
