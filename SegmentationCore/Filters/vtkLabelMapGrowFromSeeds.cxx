// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapGrowFromSeeds.h"

#include "EffectJob.h"
#include "ParameterCheck.h"
#include "SeedGrowth.h"
#include "SeedLabels.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>

vtkStandardNewMacro(vtkLabelMapGrowFromSeeds);

namespace
{

/// What steps cost, in levels.
segcore::SeedGrowthCosts costsOf(
  const double spacing[3], double perMillimetre, const segcore::BlockLevels& levels, int labels)
{
  segcore::SeedGrowthCosts costs;
  costs.largestDifference = levels.highest;
  for (int n = 1; n < 8; ++n)
  {
    // From the smallest square on: the sum does not depend on how the axes are called.
    double squares[3];
    for (int a = 0; a < 3; ++a)
    {
      squares[a] = n >> a & 1 ? spacing[a] * spacing[a] : 0.0;
    }
    std::sort(squares, squares + 3);
    const double length = std::sqrt(squares[0] + squares[1] + squares[2]);
    // Beyond this no path is cheaper for being shorter by a step.
    constexpr double most = 1 << 28;
    costs.step[n & 1][n >> 1 & 1][n >> 2] = static_cast<std::int32_t>(
      std::floor(std::min(most, perMillimetre * length * levels.unit) + 0.5));
  }
  while ((labels >> costs.labelBits) > 0)
  {
    ++costs.labelBits;
  }
  return costs;
}

/// Collective. Grows the seeds with keys of this type. Returns false, on all ranks, if costs do not
/// fit them.
template <class Key>
bool grow(segcore::EffectJob& job, const segcore::SeedLabels& labels,
  const segcore::BlockLevels& levels, const segcore::SeedGrowthCosts& costs,
  const segcore::Progress& progress)
{
  using segcore::Box;
  using segcore::Index;
  using Growth = segcore::SeedGrowth<Key>;
  if (!Growth::fits(costs))
  {
    return false;
  }
  const segcore::Communicator& communicator = job.communicator();
  const auto& blocks = job.distribution().localBlocks();
  std::vector<std::unique_ptr<Growth>> growths;
  std::vector<segcore::VoxelArray<Key>> keys;
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        const Box& box = blocks[b].box;
        const Box& padded = levels.padded[b];
        growths.push_back(std::make_unique<Growth>(box, padded, *levels.levels[b], costs));
        keys.emplace_back(padded, growths[b]->keys());
        std::fill_n(keys[b].data, padded.size(), Growth::Wall);
        segcore::forRanges(box.rows(), 256,
          [&](Index begin, Index end)
          {
            std::vector<std::int32_t> numbers(static_cast<std::size_t>(box.dim(0)));
            for (Index r = begin; r < end; ++r)
            {
              const Index j = box.lo[1] + r % box.dim(1), k = box.lo[2] + r / box.dim(1);
              labels.read(box.lo[0], j, k, box.dim(0), numbers.data());
              Key* row = keys[b].at(box.lo[0], j, k);
              for (std::size_t x = 0; x < numbers.size(); ++x)
              {
                row[x] = numbers[x] > 0 ? Growth::seed(static_cast<Key>(numbers[x]))
                  : numbers[x] == 0     ? Growth::Unreached
                                        : Growth::Wall;
              }
            }
          });
        growths[b]->start();
        growths[b]->keepSurroundings();
      }
    });

  // Each block to its own end, with what the others know; until nobody hears anything new.
  Index voxels = 0;
  for (const segcore::Block& block : blocks)
  {
    voxels += block.box.size();
  }
  double shown = 0.0;
  for (bool first = true;; first = false)
  {
    segcore::refreshHalos(communicator, job.distribution(), keys);
    bool woken = first;
    communicator.run(
      [&]
      {
        for (const auto& growth : growths)
        {
          woken = growth->wakeFromSurroundings() || woken;
          growth->keepSurroundings();
        }
      });
    if (!communicator.agreeFlag(woken))
    {
      break;
    }
    communicator.run(
      [&]
      {
        Index done = 0;
        for (const auto& growth : growths)
        {
          done += growth->reached();
        }
        for (const auto& growth : growths)
        {
          segcore::Progress part = progress;
          if (progress.report)
          {
            const Index others = done - growth->reached();
            const auto size = static_cast<double>(std::max<Index>(1, voxels));
            part.report = [&, others, size](double)
            {
              shown = std::max(
                shown, std::min(1.0, static_cast<double>(others + growth->reached()) / size));
              progress.report(shown);
            };
          }
          growth->run(part);
          done = 0;
          for (const auto& each : growths)
          {
            done += each->reached();
          }
        }
      });
  }
  bool overflowed = false;
  communicator.run(
    [&]
    {
      for (const auto& growth : growths)
      {
        overflowed = overflowed || growth->overflowed();
      }
    });
  if (communicator.agreeFlag(overflowed))
  {
    return false;
  }
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        const Box& box = blocks[b].box;
        segcore::forRanges(box.rows(), 256,
          [&](Index begin, Index end)
          {
            std::vector<std::int32_t> numbers(static_cast<std::size_t>(box.dim(0)));
            for (Index r = begin; r < end; ++r)
            {
              const Index j = box.lo[1] + r % box.dim(1), k = box.lo[2] + r / box.dim(1);
              const Key* row = keys[b].at(box.lo[0], j, k);
              for (std::size_t x = 0; x < numbers.size(); ++x)
              {
                numbers[x] = static_cast<std::int32_t>(Growth::label(row[x], costs.labelBits));
              }
              labels.write(box.lo[0], j, k, box.dim(0), numbers.data());
            }
          });
      }
    });
  labels.complete();
  return true;
}

} // namespace

//------------------------------------------------------------------------------------------------
vtkLabelMapGrowFromSeeds::vtkLabelMapGrowFromSeeds()
{
  this->SetNumberOfInputPorts(2); // the second one is the volume
}

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
void vtkLabelMapGrowFromSeeds::Execute(segcore::EffectJob& job)
{
  job.communicator().run([&] { job.progress().step(0.0); });
  const auto labels = segcore::SeedLabels::make(job, this->WallLabel);
  const segcore::BlockLevels levels(job, this->SeedLocalityFactor > 0.0);
  const segcore::SeedGrowthCosts costs =
    costsOf(job.geometry().Spacing, this->SeedLocalityFactor, levels, labels->count());
  if (!grow<std::int32_t>(job, *labels, levels, costs, job.progress().part(0.0, 0.8)) &&
    !grow<std::int64_t>(job, *labels, levels, costs, job.progress().part(0.8, 1.0)))
  {
    throw segcore::AgreedError("the costs of paths through the volume do not fit 64 bits");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGrowFromSeeds::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SeedLocalityFactor: " << this->SeedLocalityFactor << "\n";
}
