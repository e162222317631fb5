// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMultiThreshold.h"

#include "CoreRange.h"
#include "EffectJob.h"
#include "MultiThreshold.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "VolumeHistogram.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <limits>

vtkStandardNewMacro(vtkLabelMapMultiThreshold);

//------------------------------------------------------------------------------------------------
void vtkLabelMapMultiThreshold::SetThresholds(const double* values, vtkIdType count)
{
  const std::vector<double> given(values, values + count);
  if (given != this->Thresholds)
  {
    this->Thresholds = given;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMultiThreshold::AddThreshold(double value)
{
  this->Thresholds.push_back(value);
  this->Modified();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMultiThreshold::RemoveAllThresholds()
{
  if (!this->Thresholds.empty())
  {
    this->Thresholds.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
vtkIdType vtkLabelMapMultiThreshold::GetNumberOfThresholds() const
{
  return static_cast<vtkIdType>(this->Thresholds.size());
}

//------------------------------------------------------------------------------------------------
vtkIdType vtkLabelMapMultiThreshold::GetNumberOfUsedThresholds() const
{
  return static_cast<vtkIdType>(this->UsedThresholds.size());
}

//------------------------------------------------------------------------------------------------
double vtkLabelMapMultiThreshold::GetUsedThreshold(vtkIdType index) const
{
  return index >= 0 && index < this->GetNumberOfUsedThresholds()
    ? this->UsedThresholds[static_cast<std::size_t>(index)]
    : std::numeric_limits<double>::quiet_NaN();
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapMultiThreshold::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkAscending("Thresholds", this->Thresholds, std::numeric_limits<double>::lowest(),
      std::numeric_limits<double>::max()),
    segcore::checkRange("NumberOfClasses", this->NumberOfClasses, 2, 16),
    segcore::checkRange("NumberOfBins", this->NumberOfBins, 2, 2048),
    segcore::checkRange("TailFraction", this->TailFraction, 0.0, 0.25),
  });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapMultiThreshold::ExecuteTyped(segcore::EffectJob& job)
{
  this->UsedThresholds = this->Thresholds;
  if (this->Thresholds.empty())
  {
    segcore::ScalarRange range = segcore::globalRange<T>(job);
    if (!range.any)
    {
      throw segcore::AgreedError(
        "array '" + std::string(job.inputName()) + "' has no finite value to find thresholds from");
    }
    if (this->TailFraction > 0.0)
    {
      range = segcore::quantileRange(job, job.input<T>(), range, this->TailFraction);
    }
    const segcore::HistogramBins bins = segcore::binsFor(range, this->NumberOfBins);
    const std::vector<std::int64_t> counts = segcore::globalHistogram<T>(job, bins);
    job.communicator().run([&]
      { this->UsedThresholds = segcore::multiOtsu(bins, counts.data(), this->NumberOfClasses); });
  }

  const auto classes = static_cast<segcore::Index>(this->UsedThresholds.size()) + 1;
  if (job.segmentLabel() > std::numeric_limits<segcore::Index>::max() - classes)
  {
    throw segcore::AgreedError("SegmentLabel " + std::to_string(job.segmentLabel()) +
      " leaves no labels for " + std::to_string(classes) + " classes");
  }
  const segcore::Index last = job.segmentLabel() + classes - 1;
  const auto write = [&](auto zero, int vtkType)
  {
    using Label = decltype(zero);
    Label* out = job.makeOutput<Label>(vtkType, "Labels");
    job.communicator().run(
      [&]
      {
        // Also voxels that another rank owns: their values are here, and asking would cost more.
        segcore::markClasses(job.input<T>(), job.piece().size(), this->UsedThresholds,
          static_cast<Label>(job.segmentLabel()), out, job.progress().part(0.6, 1.0));
      });
  };
  if (last <= std::numeric_limits<std::uint8_t>::max())
  {
    write(static_cast<unsigned char>(0), VTK_UNSIGNED_CHAR);
  }
  else if (last <= std::numeric_limits<std::uint16_t>::max())
  {
    write(static_cast<unsigned short>(0), VTK_UNSIGNED_SHORT);
  }
  else if (last <= std::numeric_limits<std::uint32_t>::max())
  {
    write(0u, VTK_UNSIGNED_INT);
  }
  else
  {
    write(0ull, VTK_UNSIGNED_LONG_LONG);
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMultiThreshold::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMultiThreshold::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Thresholds:";
  for (const double threshold : this->Thresholds)
  {
    os << " " << threshold;
  }
  os << "\n" << indent << "NumberOfClasses: " << this->NumberOfClasses << "\n";
  os << indent << "NumberOfBins: " << this->NumberOfBins << "\n";
  os << indent << "TailFraction: " << this->TailFraction << "\n";
}
