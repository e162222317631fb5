// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSegmentStatistics.h"

#include "ParameterCheck.h"
#include "SegmentIntensity.h"
#include "SegmentMeasures.h"
#include "SegmentShape.h"
#include "SourceVolume.h"
#include "ThreadScope.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataSetAttributes.h"
#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMultiProcessController.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkStringArray.h"
#include "vtkTable.h"
#include "vtkTypeInt64Array.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkLabelMapSegmentStatistics);

namespace
{
using segcore::Box;
using segcore::Communicator;
using segcore::Index;
using Intensities = std::vector<segcore::SegmentIntensity>;
using Vector = std::array<double, 3>;

constexpr double Pi = 3.14159265358979323846;

template <class Array, class Value>
void addColumn(
  vtkTable* table, const char* name, std::size_t rows, int components, const Value& value)
{
  vtkNew<Array> column;
  column->SetName(name);
  column->SetNumberOfComponents(components);
  column->SetNumberOfTuples(static_cast<vtkIdType>(rows));
  for (std::size_t row = 0; row < rows; ++row)
  {
    for (int c = 0; c < components; ++c)
    {
      column->SetTypedComponent(static_cast<vtkIdType>(row), c, value(row, c));
    }
  }
  table->AddColumn(column);
}

/// ID and name of each label, if the segment table says them for this array.
void addNames(vtkTable* table, const std::vector<Index>& labels, vtkFieldData* field, int layer)
{
  auto* ids = vtkStringArray::SafeDownCast(field->GetAbstractArray("SegmentID"));
  auto* names = vtkStringArray::SafeDownCast(field->GetAbstractArray("SegmentName"));
  vtkDataArray* values = field->GetArray("SegmentLabelValue");
  vtkDataArray* layers = field->GetArray("SegmentLayer");
  if (!ids || !values || values->GetNumberOfTuples() != ids->GetNumberOfTuples())
  {
    return;
  }
  std::map<Index, vtkIdType> rows;
  for (vtkIdType i = 0; i < ids->GetNumberOfTuples(); ++i)
  {
    const bool here = !layers || i >= layers->GetNumberOfTuples() ||
      static_cast<int>(layers->GetComponent(i, 0)) == layer;
    if (here)
    {
      rows[static_cast<Index>(values->GetComponent(i, 0))] = i;
    }
  }
  const std::pair<const char*, vtkStringArray*> columns[] = { { "segment", ids },
    { "name", names && names->GetNumberOfTuples() == ids->GetNumberOfTuples() ? names : ids } };
  for (const auto& [title, source] : columns)
  {
    vtkNew<vtkStringArray> column;
    column->SetName(title);
    for (const Index label : labels)
    {
      const auto row = rows.find(label);
      column->InsertNextValue(row == rows.end() ? vtkStdString() : source->GetValue(row->second));
    }
    table->AddColumn(column);
  }
}

/// "Labels" is layer 0, "Labels_2" layer 2; other arrays are layer 0 as well.
int layerOf(const std::string& array)
{
  const std::string start = "Labels_";
  return array.compare(0, start.size(), start) == 0 ? std::atoi(array.c_str() + start.size()) : 0;
}

void fillTable(segcore::SegmentMeasures& measures, const Intensities& intensities,
  const segcore::DistributedImage& image, const segcore::MeasuresWanted& wanted, bool volume,
  bool root, vtkFieldData* field, vtkTable* table)
{
  if (!root)
  {
    measures = segcore::SegmentMeasures();
  }
  const std::size_t count = measures.shapes.size();
  const auto& shapes = measures.shapes;
  const segcore::Geometry& geometry = image.geometry();
  const double* spacing = geometry.Spacing;
  const double voxel = spacing[0] * spacing[1] * spacing[2];
  const double all = static_cast<double>(image.whole().size());
  std::vector<segcore::SegmentShape> rows(count);
  std::vector<double> areas(count);
  const auto weights = segcore::croftonWeights(spacing);
  // With few labels the big ones take the time: one at a time for each thread.
  segcore::forRanges(static_cast<Index>(count), 1,
    [&](Index begin, Index end)
    {
      for (auto l = static_cast<std::size_t>(begin); l < static_cast<std::size_t>(end); ++l)
      {
        if (wanted.Shape || wanted.Outline)
        {
          rows[l] = segcore::makeSegmentShape(measures.shapes[l], geometry, image.whole());
        }
        if (wanted.Surface)
        {
          areas[l] = segcore::croftonArea(measures.cells[l], spacing, weights);
        }
      }
    });

  const auto integers = [&](const char* name, const auto& value)
  { addColumn<vtkTypeInt64Array>(table, name, count, 1, value); };
  const auto numbers = [&](const char* name, const auto& value)
  { addColumn<vtkDoubleArray>(table, name, count, 1, value); };
  const auto vectors = [&](const char* name, const auto& value)
  {
    addColumn<vtkDoubleArray>(table, name, count, 3,
      [&](std::size_t l, int c) { return value(l)[static_cast<std::size_t>(c)]; });
  };
  integers("label", [&](std::size_t l, int) { return shapes[l].label; });
  addNames(table, measures.labels(), field, layerOf(image.arrayName()));
  integers("voxel_count", [&](std::size_t l, int) { return shapes[l].voxels; });
  const auto size = [&](std::size_t l) { return static_cast<double>(shapes[l].voxels) * voxel; };
  numbers("volume_mm3", [&](std::size_t l, int) { return size(l); });
  numbers("volume_cm3", [&](std::size_t l, int) { return size(l) / 1000.0; });
  numbers("volume_fraction",
    [&](std::size_t l, int) { return static_cast<double>(shapes[l].voxels) / all; });
  if (wanted.Shape)
  {
    addColumn<vtkTypeInt64Array>(table, "extent", count, 6,
      [&](std::size_t l, int c)
      {
        const Box& box = shapes[l].box;
        return (c % 2 ? box.hi : box.lo)[c / 2] + image.whole().lo[c / 2];
      });
    vectors("centroid", [&](std::size_t l) -> const Vector& { return rows[l].centroid; });
    vectors("principal_moments", [&](std::size_t l) -> const Vector& { return rows[l].moments; });
    vectors("principal_axis_x", [&](std::size_t l) -> const Vector& { return rows[l].axes[0]; });
    vectors("principal_axis_y", [&](std::size_t l) -> const Vector& { return rows[l].axes[1]; });
    vectors("principal_axis_z", [&](std::size_t l) -> const Vector& { return rows[l].axes[2]; });
    numbers("flatness", [&](std::size_t l, int) { return rows[l].flatness; });
    numbers("elongation", [&](std::size_t l, int) { return rows[l].elongation; });
  }
  if (wanted.Outline)
  {
    numbers("feret_diameter_mm", [&](std::size_t l, int) { return rows[l].feret; });
    numbers("minimum_feret_diameter_mm", [&](std::size_t l, int) { return rows[l].smallestFeret; });
    vectors("obb_origin", [&](std::size_t l) -> const Vector& { return rows[l].boxOrigin; });
    vectors("obb_diameter_mm", [&](std::size_t l) -> const Vector& { return rows[l].boxSize; });
    vectors("obb_direction_x", [&](std::size_t l) -> const Vector& { return rows[l].axes[0]; });
    vectors("obb_direction_y", [&](std::size_t l) -> const Vector& { return rows[l].axes[1]; });
    vectors("obb_direction_z", [&](std::size_t l) -> const Vector& { return rows[l].axes[2]; });
  }
  if (wanted.Surface)
  {
    const auto& cells = measures.cells;
    numbers("surface_area_mm2", [&](std::size_t l, int) { return areas[l]; });
    numbers("roundness",
      [&](std::size_t l, int) { return std::cbrt(36.0 * Pi * size(l) * size(l)) / areas[l]; });
    integers("euler_number_6", [&](std::size_t l, int) { return cells[l].euler6 / 8; });
    integers("euler_number_26", [&](std::size_t l, int) { return cells[l].euler26 / 8; });
  }
  if (wanted.Islands)
  {
    const auto& islands = measures.islands;
    integers("island_count", [&](std::size_t l, int) { return islands[l].count; });
    numbers("connected_fraction", [&](std::size_t l, int)
      { return static_cast<double>(islands[l].largest) / static_cast<double>(shapes[l].voxels); });
  }
  if (volume)
  {
    const Intensities& own = intensities;
    integers("intensity_voxel_count", [&](std::size_t l, int) { return own[l].voxels; });
    numbers("min", [&](std::size_t l, int) { return own[l].min; });
    numbers("max", [&](std::size_t l, int) { return own[l].max; });
    numbers("mean", [&](std::size_t l, int) { return own[l].mean; });
    numbers("stdev", [&](std::size_t l, int) { return own[l].deviation; });
    for (std::size_t p = 0; p < segcore::Percentiles.size(); ++p)
    {
      const int percentile = segcore::Percentiles[p];
      const std::string name =
        percentile == 50 ? "median" : "percentile_" + std::to_string(percentile);
      numbers(name.c_str(), [&](std::size_t l, int) { return own[l].percentiles[p]; });
    }
  }
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapSegmentStatistics::vtkLabelMapSegmentStatistics()
{
  this->SetNumberOfInputPorts(2);
  this->SetController(vtkMultiProcessController::GetGlobalController());
  for (int port = 0; port < 2; ++port)
  {
    this->SetInputArrayToProcess(
      port, port, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
  }
}

//------------------------------------------------------------------------------------------------
vtkLabelMapSegmentStatistics::~vtkLabelMapSegmentStatistics()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSegmentStatistics::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSegmentStatistics::FillInputPortInformation(int port, vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  if (port == 1)
  {
    info->Set(vtkAlgorithm::INPUT_IS_OPTIONAL(), 1);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSegmentStatistics::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The pipeline turns pieces into extents; the filter fetches its own halo.
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* out = outputVector->GetInformationObject(0);
  for (int port = 0; port < 2; ++port)
  {
    vtkInformation* in = inputVector[port]->GetInformationObject(0);
    if (!in)
    {
      continue;
    }
    for (auto* key : { Pipeline::UPDATE_PIECE_NUMBER(), Pipeline::UPDATE_NUMBER_OF_PIECES() })
    {
      if (out->Has(key))
      {
        in->Set(key, out->Get(key));
      }
    }
    in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSegmentStatistics::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
    segcore::checkRange("NumberOfBlocks", this->NumberOfBlocks, 1, std::numeric_limits<int>::max()),
  });
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSegmentStatistics::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkImageData* source =
    this->GetNumberOfInputConnections(1) > 0 ? vtkImageData::GetData(inputVector[1]) : nullptr;
  vtkTable* output = vtkTable::GetData(outputVector);
  const Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(this->CheckParameters());
    const segcore::DistributedImage image(communicator, input,
      segcore::arrayToProcess(communicator, this, input), this->NumberOfBlocks);
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    std::unique_ptr<segcore::SourceVolume> volume;
    if (source)
    {
      vtkDataArray* array = nullptr;
      communicator.run([&] { array = this->GetInputArrayToProcess(1, source); });
      volume = std::make_unique<segcore::SourceVolume>(
        communicator, source, array, image.geometry(), image.piece());
    }
    const segcore::MeasuresWanted wanted{ this->Shape, this->Outline, this->Surface, this->Islands,
      static_cast<segcore::Connectivity>(this->Connectivity) };
    segcore::withThreads(
      [&]
      {
        segcore::SegmentMeasures measures = segcore::measureSegments(
          communicator, image, wanted, progress.part(0.0, volume ? 0.6 : 0.9));
        const Intensities intensities = volume
          ? segcore::measureIntensity(
              communicator, image, *volume, measures.labels(), progress.part(0.6, 0.9))
          : Intensities();
        communicator.run(
          [&]
          {
            fillTable(measures, intensities, image, wanted, volume != nullptr,
              communicator.isRoot(), input->GetFieldData(), output);
          });
      },
      image.piece().size());
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
void vtkLabelMapSegmentStatistics::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Shape: " << this->Shape << "\n";
  os << indent << "Outline: " << this->Outline << "\n";
  os << indent << "Surface: " << this->Surface << "\n";
  os << indent << "Islands: " << this->Islands << "\n";
  os << indent << "Connectivity: " << this->Connectivity << "\n";
  os << indent << "NumberOfBlocks: " << this->NumberOfBlocks << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
