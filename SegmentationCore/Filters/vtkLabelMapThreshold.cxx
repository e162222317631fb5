// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapThreshold.h"

#include "AutoThreshold.h"
#include "CoreRange.h"
#include "EffectJob.h"
#include "Histogram.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SourceVolume.h"
#include "Threshold.h"
#include "VolumeHistogram.h"

#include "vtkObjectFactory.h"

#include <limits>

vtkStandardNewMacro(vtkLabelMapThreshold);

namespace
{
using segcore::Block;
using segcore::Index;

constexpr double Unbounded = 1e299;

/// Collective. The automatic threshold; throws if the volume has none.
template <class T>
double globalThreshold(
  segcore::EffectJob& job, segcore::ThresholdMethod method, int numberOfBins, double tail)
{
  const auto everySpan = [&job](double progress, const auto& work)
  {
    job.communicator().run(
      [&]
      {
        job.progress().step(progress);
        for (const Block& block : job.distribution().localBlocks())
        {
          segcore::forEachSpan(job, block, job.input<T>(), work);
        }
      });
  };
  segcore::FirstLook<T> look;
  everySpan(0.0, [&look](const T* values, Index count) { look.add(values, count); });

  // Over all ranks.
  segcore::ScalarRange range = look.range();
  const double infinity = std::numeric_limits<double>::infinity();
  range.min = job.communicator().allReduceMin(range.any ? range.min : infinity);
  range.max = job.communicator().allReduceMax(range.any ? range.max : -infinity);
  range.any = range.min <= range.max;
  if (!range.any)
  {
    throw segcore::AgreedError(
      "array '" + std::string(job.inputName()) + "' has no finite value to find a threshold from");
  }
  if (tail > 0.0)
  {
    range = segcore::quantileRange(job, job.input<T>(), range, tail);
  }
  const segcore::HistogramBins bins = segcore::binsFor(range, numberOfBins);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(numberOfBins), 0);
  if constexpr (segcore::FirstLook<T>::hasCounts)
  {
    look.histogram(bins, counts.data());
  }
  else
  {
    everySpan(0.3, [&](const T* values, Index count)
      { segcore::accumulateHistogram(values, count, bins, counts.data()); });
  }
  job.communicator().allReduceSum(counts.data(), numberOfBins);
  segcore::AutoThreshold result;
  job.communicator().run([&] { result = segcore::autoThreshold(method, bins, counts.data()); });
  if (!result.valid)
  {
    throw segcore::AgreedError("array '" + std::string(job.inputName()) +
      (range.min == range.max
          ? "' has a single value, so AutoThresholdMethod finds no threshold"
          : "' has a histogram in which this AutoThresholdMethod finds no threshold") +
      "; set MinimumThreshold and MaximumThreshold, and AutoThresholdMode NONE");
  }
  return result.threshold;
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapThreshold::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange("MinimumThreshold", this->MinimumThreshold, -Unbounded, Unbounded),
    segcore::checkRange("MaximumThreshold", this->MaximumThreshold, -Unbounded, Unbounded),
    segcore::checkRange<int>(
      "AutoThresholdMode", this->AutoThresholdMode, AUTO_NONE, AUTO_SET_LOWER_MAX),
    segcore::checkRange<int>(
      "AutoThresholdMethod", this->AutoThresholdMethod, METHOD_HUANG, METHOD_YEN),
    segcore::checkRange("NumberOfBins", this->NumberOfBins, 2,
      this->AutoThresholdMode != AUTO_NONE &&
          segcore::isQuadratic(static_cast<segcore::ThresholdMethod>(this->AutoThresholdMethod))
        ? segcore::MostBinsOfQuadraticMethods
        : 65536),
    segcore::checkRange("TailFraction", this->TailFraction, 0.0, 0.25),
  });
}

//------------------------------------------------------------------------------------------------
/// Collective. The bounds that select voxels; infinities where there is none.
template <class T>
void vtkLabelMapThreshold::FindBounds(segcore::EffectJob& job, double& lower, double& upper)
{
  lower = this->MinimumThreshold;
  upper = this->MaximumThreshold;
  this->AutoThreshold = 0.0;
  if (this->AutoThresholdMode != AUTO_NONE)
  {
    this->AutoThreshold =
      globalThreshold<T>(job, static_cast<segcore::ThresholdMethod>(this->AutoThresholdMethod),
        this->NumberOfBins, this->TailFraction);
    switch (this->AutoThresholdMode)
    {
      case AUTO_SET_MIN_UPPER:
        lower = -Unbounded;
        [[fallthrough]];
      case AUTO_SET_UPPER:
        upper = this->AutoThreshold;
        break;
      case AUTO_SET_LOWER_MAX:
        upper = Unbounded;
        [[fallthrough]];
      default:
        lower = this->AutoThreshold;
    }
  }
  // "Unbounded" includes the infinities of floating volumes.
  const double infinity = std::numeric_limits<double>::infinity();
  lower = lower <= -Unbounded ? -infinity : lower;
  upper = upper >= Unbounded ? infinity : upper;
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapThreshold::ExecuteTyped(segcore::EffectJob& job)
{
  double lower, upper;
  this->FindBounds<T>(job, lower, upper);
  const auto interval = segcore::Interval<T>::between(lower, upper);

  const auto write = [&](auto label, int vtkType)
  {
    using Label = decltype(label);
    Label* out = job.makeOutput<Label>(vtkType, "Labels");
    job.communicator().run(
      [&]
      {
        // Also voxels that another rank owns: their values are here, and asking would cost more.
        segcore::threshold(job.input<T>(), job.piece().size(), interval, label, Label(0), out,
          job.progress().part(0.6, 1.0), job.isOutputFresh());
      });
  };
  const Index label = job.segmentLabel();
  if (label <= std::numeric_limits<std::uint8_t>::max())
  {
    write(static_cast<unsigned char>(label), VTK_UNSIGNED_CHAR);
  }
  else if (label <= std::numeric_limits<std::uint16_t>::max())
  {
    write(static_cast<unsigned short>(label), VTK_UNSIGNED_SHORT);
  }
  else if (label <= std::numeric_limits<std::uint32_t>::max())
  {
    write(static_cast<unsigned int>(label), VTK_UNSIGNED_INT);
  }
  else
  {
    write(static_cast<unsigned long long>(label), VTK_UNSIGNED_LONG_LONG);
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapThreshold::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapThreshold::MakeLocalMask(
  const segcore::LocalInput& input)
{
  if (!input.volume)
  {
    throw segcore::AgreedError("threshold needs a volume, and there is none");
  }
  // The automatic threshold is that of the volume as it is, not of what the label map covers.
  segcore::EffectJob job(this, input.volume->image(), input.volume->array());
  double lower, upper;
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->FindBounds<VTK_TT>(job, lower, upper));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }
  return input.volume->interval(lower, upper);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapThreshold::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MinimumThreshold: " << this->MinimumThreshold << "\n";
  os << indent << "MaximumThreshold: " << this->MaximumThreshold << "\n";
  os << indent << "AutoThresholdMode: " << this->AutoThresholdMode << "\n";
  os << indent << "AutoThresholdMethod: " << this->AutoThresholdMethod << "\n";
  os << indent << "NumberOfBins: " << this->NumberOfBins << "\n";
  os << indent << "TailFraction: " << this->TailFraction << "\n";
  os << indent << "AutoThreshold: " << this->AutoThreshold << "\n";
}
