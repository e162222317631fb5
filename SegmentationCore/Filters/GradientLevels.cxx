// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "GradientLevels.h"

#include "CoreRange.h"
#include "LargePages.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SmoothGradient.h"
#include "Threads.h"

#include "vtkSetGet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <new>

namespace segcore
{
namespace
{

template <class V>
struct Facts
{
  V low = std::numeric_limits<V>::max(); ///< of the finite values
  V high = std::numeric_limits<V>::lowest();
  bool complete = true; ///< all values are finite
};

template <class V>
void learn(const V* values, const Box& stored, const Box& box, Facts<V>& facts)
{
  std::mutex mutex;
  forRanges(box.rows(), 256,
    [&](Index begin, Index end)
    {
      Facts<V> part;
      for (Index r = begin; r < end; ++r)
      {
        const V* row =
          values + stored.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
        for (Index x = 0; x < box.dim(0); ++x)
        {
          const V value = row[x];
          const bool finite =
            value <= std::numeric_limits<V>::max() && value >= std::numeric_limits<V>::lowest();
          part.complete = part.complete && finite;
          part.low = finite && value < part.low ? value : part.low;
          part.high = finite && value > part.high ? value : part.high;
        }
      }
      const std::lock_guard<std::mutex> lock(mutex);
      facts.complete = facts.complete && part.complete;
      facts.low = std::min(facts.low, part.low);
      facts.high = std::max(facts.high, part.high);
    });
}

} // namespace

//------------------------------------------------------------------------------------------------
template <class V>
void GradientLevels::make(EffectJob& job, double deviation, const Progress& progress)
{
  const Communicator& communicator = job.communicator();
  const std::vector<Block>& blocks = job.distribution().localBlocks();
  const V* values = job.volume<V>();
  const double* spacing = job.geometry().Spacing;
  Facts<V> facts;
  communicator.run(
    [&]
    {
      for (const Block& block : blocks)
      {
        learn(values, job.piece(), block.box, facts);
      }
    });
  facts.complete = !communicator.agreeFlag(!facts.complete);
  const std::optional<std::pair<V, V>> range = agreedRange(communicator, facts.low, facts.high);
  std::optional<std::pair<V, V>> limits;
  double largest = 0.0;
  if (range)
  {
    // A value far from all others would make all other slopes alike.
    const CoreRange core = coreRange(job, values, range->first, range->second);
    if (core.narrowed)
    {
      limits = std::make_pair(limitOf(core.low, *range), limitOf(core.high, *range));
    }
    const std::pair<V, V>& ends = limits ? *limits : *range;
    largest = std::max(
      std::abs(static_cast<double>(ends.first)), std::abs(static_cast<double>(ends.second)));
  }

  Index halo[3];
  smoothGradientHalo(spacing, deviation, halo);
  // Ranks with fewer blocks take part in the turns of the others.
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  const auto parts = static_cast<double>(turns);
  FloatRange slopes;
  communicator.run([&] { this->Memory.reserve(blocks.size()); });
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Block* block = turn < static_cast<Index>(blocks.size()) ? &blocks[turn] : nullptr;
    std::unique_ptr<VolumeRows> rows;
    std::vector<Request<V>> requests;
    communicator.run(
      [&]
      {
        if (!block)
        {
          return;
        }
        const Box padded = block->box.grown(halo).clipped(job.whole());
        const double scale = powerOfTwoTo1(largest);
        // What the piece holds and this rank owns can be read where it is.
        if (job.piece().contains(padded) && (padded == block->box || communicator.size() == 1))
        {
          rows =
            std::make_unique<TypedVolumeRows<V>>(BoxArray<V>(values, job.piece()), scale, limits);
          return;
        }
        ShellArray<V> shell(values, job.piece(), block->box, padded);
        shell.forEachSide([&requests](const Box& side, V* to) { requests.emplace_back(side, to); });
        rows = std::make_unique<TypedVolumeRows<V, ShellArray<V>>>(std::move(shell), scale, limits);
      });
    job.fetchVolume(requests);
    communicator.run(
      [&]
      {
        if (block)
        {
          const Index count = block->box.size();
          const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
          this->Memory.emplace_back(std::malloc(bytes));
          if (!this->Memory.back())
          {
            throw std::bad_alloc();
          }
          adviseLargePages(this->Memory.back().get(), bytes);
          auto* out = static_cast<float*>(this->Memory.back().get());
          smoothGradient(*rows, job.whole(), spacing, deviation, facts.complete, block->box, out,
            progress.part(
              static_cast<double>(turn) / parts, static_cast<double>(turn + 1) / parts));
          const FloatRange own = rangeOf(out, count);
          slopes.low = std::min(slopes.low, own.low);
          slopes.high = std::max(slopes.high, own.high);
        }
      });
  }

  // Of no numbers these stay infinite, and there is no level.
  slopes.low = static_cast<float>(communicator.allReduceMin(static_cast<double>(slopes.low)));
  slopes.high = static_cast<float>(communicator.allReduceMax(static_cast<double>(slopes.high)));
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        this->Blocks.push_back(floatsToLevels(this->Memory[b].get(), blocks[b].box.size(), slopes));
      }
    });
}

//------------------------------------------------------------------------------------------------
GradientLevels::GradientLevels(
  EffectJob& job, const char* name, double deviation, const Progress& progress)
{
  const double* spacing = job.geometry().Spacing;
  job.communicator().run(
    [&]
    {
      Index halo[3];
      smoothGradientHalo(spacing, deviation, halo);
      for (int axis = 0; axis < 3; ++axis)
      {
        requireVoxels(
          name, deviation, 2 * halo[axis] - 1, spacing[axis], 2 * MaximumGradientVoxels + 1);
      }
    });
  switch (job.volumeType())
  {
    segcoreTemplateMacro(this->make<VTK_TT>(job, deviation, progress));
    default:
      throw AgreedError("the volume has an unknown scalar type");
  }
}

} // namespace segcore
