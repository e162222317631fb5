// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapGrowFromSeeds.h"

#include "EffectJob.h"
#include "ParameterCheck.h"
#include "SeedGrowthBlocks.h"
#include "SeedLabels.h"

#include "vtkDataArray.h"
#include "vtkObjectFactory.h"
#include "vtkSmartPointer.h"

#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkLabelMapGrowFromSeeds);

/// What an update starts from, and what must not have changed since.
struct vtkLabelMapGrowFromSeeds::State
{
  vtkSmartPointer<vtkDataArray> Volume;
  vtkMTimeType VolumeTime = 0;
  segcore::Geometry Shape;
  std::vector<segcore::Box> Blocks;
  std::vector<std::byte> LabelValues;
  double Factor = 0.0;
  std::int64_t Wall = 0;
  std::unique_ptr<segcore::BlockLevels> Levels;
  std::unique_ptr<segcore::SeedGrowthBlocks<std::int32_t>> Growth;

  bool fits(const State& other) const
  {
    return this->Growth && this->Volume == other.Volume && this->VolumeTime == other.VolumeTime &&
      std::memcmp(&this->Shape, &other.Shape, sizeof(this->Shape)) == 0 &&
      this->Blocks == other.Blocks && this->LabelValues == other.LabelValues &&
      this->Factor == other.Factor && this->Wall == other.Wall;
  }
};

namespace
{

template <class Key>
void writeLabels(const segcore::SeedGrowthBlocks<Key>& growth, const segcore::SeedLabels& labels)
{
  growth.forRows(
    [&](const Key* row, segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count,
      std::int32_t* numbers)
    {
      for (segcore::Index x = 0; x < count; ++x)
      {
        numbers[x] = growth.label(row[x]);
      }
      labels.write(i, j, k, count, numbers);
    });
}

} // namespace

//------------------------------------------------------------------------------------------------
vtkLabelMapGrowFromSeeds::vtkLabelMapGrowFromSeeds()
{
  this->SetNumberOfInputPorts(2); // the second one is the volume
}

//------------------------------------------------------------------------------------------------
vtkLabelMapGrowFromSeeds::~vtkLabelMapGrowFromSeeds() = default;

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapGrowFromSeeds::CheckParameters() const
{
  return segcore::checkRange("SeedLocalityFactor", this->SeedLocalityFactor, 0.0, 10.0);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapGrowFromSeeds::SetWallLabel(std::int64_t label)
{
  this->WallLabel = label;
  return true;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapGrowFromSeeds::ContinueFrom(vtkLabelMapAlgorithm* earlier)
{
  this->Incremental = true;
  if (auto* other = vtkLabelMapGrowFromSeeds::SafeDownCast(earlier))
  {
    this->Last = std::move(other->Last);
  }
  return true;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGrowFromSeeds::Execute(segcore::EffectJob& job)
{
  job.communicator().run([&] { job.progress().step(0.0); });
  const auto labels = segcore::SeedLabels::make(job, this->WallLabel);
  const segcore::SeedRows seeds = [&](segcore::Index i, segcore::Index j, segcore::Index k,
                                    segcore::Index count, std::int32_t* numbers)
  { labels->read(i, j, k, count, numbers); };
  // After an error there is nothing to update.
  std::unique_ptr<State> last = std::move(this->Last);
  auto now = std::make_unique<State>();
  now->Volume = job.volumeArray();
  now->VolumeTime = now->Volume ? now->Volume->GetMTime() : 0;
  now->Shape = job.geometry();
  for (const segcore::Block& block : job.distribution().localBlocks())
  {
    now->Blocks.push_back(block.box);
  }
  now->LabelValues = labels->values();
  now->Factor = this->SeedLocalityFactor;
  now->Wall = this->WallLabel;

  bool done = false;
  if (!job.communicator().agreeFlag(!(this->Incremental && last && last->fits(*now))))
  {
    bool possible = false;
    const bool exact = last->Growth->change(job, seeds, job.progress().part(0.0, 0.4), possible);
    done = possible && exact;
    if (done)
    {
      now = std::move(last);
    }
  }
  last.reset();
  if (!done)
  {
    now->Levels = std::make_unique<segcore::BlockLevels>(job, this->SeedLocalityFactor > 0.0);
    const segcore::SeedGrowthCosts costs = segcore::seedGrowthCosts(
      now->Shape.Spacing, this->SeedLocalityFactor, *now->Levels, labels->count());
    const segcore::Progress part = job.progress().part(0.4, 0.8);
    if (segcore::SeedGrowth<std::int32_t>::fits(costs))
    {
      now->Growth =
        std::make_unique<segcore::SeedGrowthBlocks<std::int32_t>>(job, *now->Levels, costs);
      done = now->Growth->grow(job, seeds, part);
    }
    if (!done)
    {
      now->Growth.reset();
      segcore::SeedGrowthBlocks<std::int64_t> wide(job, *now->Levels, costs);
      if (!segcore::SeedGrowth<std::int64_t>::fits(costs) ||
        !wide.grow(job, seeds, job.progress().part(0.8, 1.0)))
      {
        throw segcore::AgreedError("the costs of paths through the volume do not fit 64 bits");
      }
      job.communicator().run([&] { writeLabels(wide, *labels); });
    }
  }
  if (now->Growth)
  {
    job.communicator().run([&] { writeLabels(*now->Growth, *labels); });
  }
  labels->complete();
  // Levels refer to the volume's memory, which must be that of its array.
  if (this->Incremental && now->Growth && (!now->Volume || now->Volume->HasStandardMemoryLayout()))
  {
    this->Last = std::move(now);
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGrowFromSeeds::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SeedLocalityFactor: " << this->SeedLocalityFactor << "\n";
  os << indent << "Incremental: " << this->Incremental << "\n";
}
