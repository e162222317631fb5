// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSegmentStatistics.h"

#include "ParameterCheck.h"
#include "SegmentIntensity.h"
#include "SegmentMeasures.h"
#include "SegmentShape.h"
#include "SourceVolume.h"
#include "TableColumns.h"

#include "vtkDataSetAttributes.h"
#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkStringArray.h"
#include "vtkTable.h"
#include "vtkTypeInt64Array.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkLabelMapSegmentStatistics);

namespace
{
using segcore::addColumn;
using segcore::Box;
using segcore::Index;
using Intensities = std::vector<segcore::SegmentIntensity>;
using Vector = std::array<double, 3>;

constexpr double Pi = 3.14159265358979323846;

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
  this->SetInputArrayToProcess(
    1, 1, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSegmentStatistics::CheckParameters() const
{
  return segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSegmentStatistics::Execute(const Job& job, vtkTable* output)
{
  const segcore::Communicator& communicator = job.Communicator;
  const segcore::DistributedImage& image = job.Image;
  std::unique_ptr<segcore::SourceVolume> volume;
  if (job.Volume)
  {
    vtkDataArray* array = nullptr;
    communicator.run([&] { array = this->GetInputArrayToProcess(1, job.Volume); });
    volume = std::make_unique<segcore::SourceVolume>(
      communicator, job.Volume, array, image.geometry(), image.piece());
  }
  const segcore::MeasuresWanted wanted{ this->Shape, this->Outline, this->Surface, this->Islands,
    static_cast<segcore::Connectivity>(this->Connectivity) };
  segcore::SegmentMeasures measures = segcore::measureSegments(
    communicator, image, wanted, job.Progress.part(0.0, volume ? 0.6 : 0.9));
  const Intensities intensities = volume ? segcore::measureIntensity(communicator, image, *volume,
                                             measures.labels(), job.Progress.part(0.6, 0.9))
                                         : Intensities();
  communicator.run(
    [&]
    {
      fillTable(measures, intensities, image, wanted, volume != nullptr, communicator.isRoot(),
        job.Labels->GetFieldData(), output);
    });
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
}
