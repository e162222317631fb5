// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapFastMarching.h"

#include "EffectJob.h"
#include "LocalMask.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SeedGrowthBlocks.h"
#include "SeedLabels.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <atomic>
#include <cmath>

vtkStandardNewMacro(vtkLabelMapFastMarching);

namespace
{

/// Writes 1 to the rows of voxels that are added.
using AddedRow = std::function<void(
  segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count, const std::int32_t*)>;

/// Collective. Adds the voxels that the front reaches first, at most `most` of them. Returns false,
/// on all ranks, if keys are too narrow for the costs.
template <class Key>
bool march(segcore::EffectJob& job, const segcore::BlockLevels& levels,
  const segcore::SeedGrowthCosts& costs, const segcore::SeedRows& seeds, segcore::Index most,
  const segcore::Progress& progress, const AddedRow& add)
{
  if (!segcore::SeedGrowth<Key>::fits(costs))
  {
    return false;
  }
  segcore::SeedGrowthBlocks<Key> growth(job, levels, costs);
  if (!growth.grow(job, seeds, progress))
  {
    return false;
  }
  // The first voxel that does not fit keeps out all of its time.
  const std::int64_t limit = growth.costOfNth(job, most + 1);
  job.communicator().run(
    [&]
    {
      growth.forRows(
        [&](const Key* row, segcore::Index i, segcore::Index j, segcore::Index k,
          segcore::Index count, std::int32_t* added)
        {
          for (segcore::Index x = 0; x < count; ++x)
          {
            added[x] =
              growth.isReached(row[x]) && (limit < 0 || growth.cost(row[x]) < limit) ? 1 : 0;
          }
          add(i, j, k, count, added);
        });
    });
  return true;
}

} // namespace

//------------------------------------------------------------------------------------------------
vtkLabelMapFastMarching::vtkLabelMapFastMarching()
{
  this->SetNumberOfInputPorts(2); // the second one is the volume
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapFastMarching::CheckParameters() const
{
  return segcore::firstError({ segcore::checkRange("PercentMax", this->PercentMax, 0.0, 100.0),
    segcore::checkRange("SeedLocalityFactor", this->SeedLocalityFactor, 0.0, 10.0) });
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapFastMarching::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapFastMarching::ExecuteTyped(segcore::EffectJob& job)
{
  using segcore::Index;
  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  const segcore::Box& piece = job.piece();
  Index size = 0;
  job.communicator().run(
    [&]
    {
      job.progress().step(0.0);
      std::atomic<Index> found{ 0 };
      for (const segcore::Block& block : job.distribution().localBlocks())
      {
        const segcore::Box& box = block.box;
        segcore::forRanges(box.rows(), 64,
          [&](Index begin, Index end)
          {
            Index count = 0;
            for (Index r = begin; r < end; ++r)
            {
              const Index at =
                piece.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
              count += std::count(labels + at, labels + at + box.dim(0), label);
              std::copy_n(labels + at, box.dim(0), out + at);
            }
            found += count;
          });
      }
      size = found;
    });
  job.communicator().allReduceSum(&size, 1);
  const Index most = static_cast<Index>(
    std::floor(this->PercentMax * static_cast<double>(job.whole().size()) / 100.0));
  if (size > 0 && most > size)
  {
    const segcore::SeedRows seeds = [&](
                                      Index i, Index j, Index k, Index count, std::int32_t* numbers)
    {
      const T* row = labels + piece.offset(i, j, k);
      for (Index x = 0; x < count; ++x)
      {
        numbers[x] = row[x] == label ? 1 : 0;
      }
    };
    const AddedRow add = [&](Index i, Index j, Index k, Index count, const std::int32_t* added)
    {
      T* row = out + piece.offset(i, j, k);
      for (Index x = 0; x < count; ++x)
      {
        row[x] = added[x] ? label : row[x];
      }
    };
    const segcore::BlockLevels levels(job, this->SeedLocalityFactor > 0.0);
    const segcore::SeedGrowthCosts costs =
      segcore::seedGrowthCosts(job.geometry().Spacing, this->SeedLocalityFactor, levels, 1);
    if (!march<std::int32_t>(
          job, levels, costs, seeds, most - size, job.progress().part(0.0, 0.8), add) &&
      !march<std::int64_t>(
        job, levels, costs, seeds, most - size, job.progress().part(0.8, 1.0), add))
    {
      throw segcore::AgreedError("the costs of paths through the volume do not fit 64 bits");
    }
  }
  segcore::completePiece(job.communicator(), job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFastMarching::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFastMarching::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "PercentMax: " << this->PercentMax << "\n";
  os << indent << "SeedLocalityFactor: " << this->SeedLocalityFactor << "\n";
}
