// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSizeDistribution.h"

#include "DistributedImage.h"
#include "InscribedBalls.h"
#include "InscribedSizes.h"
#include "ParameterCheck.h"
#include "TableColumns.h"

#include "vtkDoubleArray.h"
#include "vtkObjectFactory.h"
#include "vtkTypeInt64Array.h"

#include <limits>

vtkStandardNewMacro(vtkLabelMapSizeDistribution);

namespace
{
using segcore::Index;

/// Rows of diameter 0, then of the list; all or none of them.
void fillTable(const std::vector<double>& diameters, const std::vector<Index>& counts, Index all,
  double voxel, bool root, vtkTable* table)
{
  const std::size_t rows = root ? counts.size() : 0;
  const auto part = [all](Index count)
  { return all > 0 ? static_cast<double>(count) / static_cast<double>(all) : 0.0; };
  std::vector<Index> cumulative(counts);
  for (std::size_t n = counts.size() - 1; n-- > 0;)
  {
    cumulative[n] += cumulative[n + 1];
  }
  const auto numbers = [&](const char* name, const auto& value)
  { segcore::addColumn<vtkDoubleArray>(table, name, rows, 1, value); };
  numbers("diameter_mm", [&](std::size_t n, int) { return n > 0 ? diameters[n - 1] : 0.0; });
  segcore::addColumn<vtkTypeInt64Array>(
    table, "voxel_count", rows, 1, [&](std::size_t n, int) { return counts[n]; });
  numbers("volume_mm3", [&](std::size_t n, int) { return static_cast<double>(counts[n]) * voxel; });
  numbers("fraction", [&](std::size_t n, int) { return part(counts[n]); });
  numbers("cumulative_fraction", [&](std::size_t n, int) { return part(cumulative[n]); });
}
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSizeDistribution::SetDiameters(const double* values, vtkIdType count)
{
  const std::vector<double> given(values, values + count);
  if (given != this->Diameters)
  {
    this->Diameters = given;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSizeDistribution::AddDiameter(double value)
{
  this->Diameters.push_back(value);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSizeDistribution::RemoveAllDiameters()
{
  if (!this->Diameters.empty())
  {
    this->Diameters.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSizeDistribution::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "SegmentLabel", this->SegmentLabel, 1, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkDiameters(this->Diameters),
    segcore::checkRange("NumberOfBins", this->NumberOfBins, 1, segcore::MostDiameters),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSizeDistribution::Execute(const Job& job, vtkTable* output)
{
  const segcore::InscribedSizes sizes(
    job.Communicator, job.Image, this->SegmentLabel, this->BorderIsWall);
  const std::vector<double> diameters = this->Diameters.empty()
    ? sizes.even(this->NumberOfBins, job.Progress.part(0.0, 0.2))
    : this->Diameters;
  std::vector<Index> counts(diameters.size() + 1, 0);
  const Index all = sizes.forEach(
    diameters, [&counts](std::size_t n, const segcore::BitBlock& voxels)
    { counts[n + 1] += segcore::countBits(voxels, voxels.box); }, job.Progress.part(0.2, 1.0));
  job.Communicator.allReduceSum(counts.data(), static_cast<std::int64_t>(counts.size()));
  for (std::size_t n = 1; n < counts.size(); ++n)
  {
    counts[0] -= counts[n];
  }
  counts[0] += all;
  const double* spacing = job.Image.geometry().Spacing;
  job.Communicator.run(
    [&]
    {
      fillTable(diameters, counts, all, spacing[0] * spacing[1] * spacing[2],
        job.Communicator.isRoot(), output);
    });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSizeDistribution::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "NumberOfDiameters: " << this->GetNumberOfDiameters() << "\n";
  os << indent << "NumberOfBins: " << this->NumberOfBins << "\n";
  os << indent << "BorderIsWall: " << this->BorderIsWall << "\n";
}
