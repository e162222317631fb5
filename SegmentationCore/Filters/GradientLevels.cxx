// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "GradientLevels.h"

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

struct Facts
{
  double largest = 0.0; ///< absolute value
  bool complete = true; ///< all values are finite
};

template <class V>
void learn(const V* values, const Box& stored, const Box& box, Facts& facts)
{
  std::mutex mutex;
  forRanges(box.rows(), 256,
    [&](Index begin, Index end)
    {
      Facts part;
      for (Index r = begin; r < end; ++r)
      {
        const V* row =
          values + stored.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
        for (Index x = 0; x < box.dim(0); ++x)
        {
          const double size = std::abs(static_cast<double>(row[x]));
          const bool finite = size <= std::numeric_limits<double>::max();
          part.complete = part.complete && finite;
          part.largest = finite && size > part.largest ? size : part.largest;
        }
      }
      const std::lock_guard<std::mutex> lock(mutex);
      facts.complete = facts.complete && part.complete;
      facts.largest = std::max(facts.largest, part.largest);
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
  Facts facts;
  communicator.run(
    [&]
    {
      for (const Block& block : blocks)
      {
        learn(values, job.piece(), block.box, facts);
      }
    });
  facts.complete = !communicator.agreeFlag(!facts.complete);
  facts.largest = communicator.allReduceMax(facts.largest);

  Index halo[3];
  smoothGradientHalo(spacing, deviation, halo);
  // Ranks with fewer blocks take part in the turns of the others.
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  const auto parts = static_cast<double>(turns);
  FloatRange range;
  communicator.run([&] { this->Memory.reserve(blocks.size()); });
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Block* block = turn < static_cast<Index>(blocks.size()) ? &blocks[turn] : nullptr;
    Buffer<V> around;
    Box padded;
    bool direct = false;
    communicator.run(
      [&]
      {
        if (block)
        {
          padded = block->box.grown(halo).clipped(job.whole());
          // A block that is all there is can be read where it lies.
          direct = padded == job.piece() && padded == block->box;
          around = Buffer<V>(direct ? 0 : padded.size());
        }
      });
    std::vector<Request<V>> requests;
    if (block && !direct)
    {
      requests.emplace_back(padded, around.data());
    }
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
          smoothGradient(direct ? values : around.data(), padded, facts.largest, job.whole(),
            spacing, deviation, facts.complete, block->box, out,
            progress.part(
              static_cast<double>(turn) / parts, static_cast<double>(turn + 1) / parts));
          const FloatRange own = rangeOf(out, count);
          range.low = std::min(range.low, own.low);
          range.high = std::max(range.high, own.high);
        }
      });
  }

  // Of no numbers these stay infinite, and there is no level.
  range.low = static_cast<float>(communicator.allReduceMin(static_cast<double>(range.low)));
  range.high = static_cast<float>(communicator.allReduceMax(static_cast<double>(range.high)));
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        this->Blocks.push_back(floatsToLevels(this->Memory[b].get(), blocks[b].box.size(), range));
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
