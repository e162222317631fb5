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
    const segcore::BlockLevels levels(job, this->SeedLocalityFactor > 0.0);
    const segcore::SeedGrowthCosts costs =
      segcore::seedGrowthCosts(job.geometry().Spacing, this->SeedLocalityFactor, levels, 1);
    segcore::growSeeds(job, levels, costs, seeds, job.progress(),
      [&](const auto& growth)
      {
        // The first voxel that does not fit keeps out all of its time.
        const std::int64_t limit = growth.costOfNth(job, most - size + 1);
        job.communicator().run(
          [&]
          {
            growth.forRows(
              [&](const auto* keys, Index i, Index j, Index k, Index count, std::int32_t*)
              {
                T* row = out + piece.offset(i, j, k);
                for (Index x = 0; x < count; ++x)
                {
                  const bool added =
                    growth.isReached(keys[x]) && (limit < 0 || growth.cost(keys[x]) < limit);
                  row[x] = added ? label : row[x];
                }
              });
          });
      });
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
