// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Range and histogram of the volume that an effect works on, over all ranks; each voxel once.
///
/// Private to the filters.
#ifndef segcore_VolumeHistogram_h
#define segcore_VolumeHistogram_h

#include "EffectJob.h"
#include "Histogram.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace segcore
{

/// Calls work(row, count) for the longest contiguous spans of a block in the piece's array.
template <class T, class Work>
void forEachSpan(const EffectJob& job, const Block& block, const T* piece, const Work& work)
{
  const Box& box = block.box;
  const Box& whole = job.piece();
  const bool fullRows = box.dim(0) == whole.dim(0);
  const bool fullSlices = fullRows && box.dim(1) == whole.dim(1);
  const Index rows = fullSlices ? 1 : (fullRows ? 1 : box.dim(1));
  const Index slices = fullSlices ? 1 : box.dim(2);
  const Index count = box.size() / (rows * slices);
  for (Index k = 0; k < slices; ++k)
  {
    for (Index j = 0; j < rows; ++j)
    {
      work(piece + whole.offset(box.lo[0], box.lo[1] + j, box.lo[2] + k), count);
    }
  }
}

/// Collective. Lowest and highest finite value over all ranks.
template <class T>
ScalarRange globalRange(EffectJob& job)
{
  ScalarRange range;
  job.communicator().run(
    [&]
    {
      job.progress().step(0.0);
      for (const Block& block : job.distribution().localBlocks())
      {
        forEachSpan(job, block, job.input<T>(),
          [&](const T* values, Index count) { accumulateRange(values, count, range); });
      }
    });
  const double infinity = std::numeric_limits<double>::infinity();
  range.min = job.communicator().allReduceMin(range.any ? range.min : infinity);
  range.max = job.communicator().allReduceMax(range.any ? range.max : -infinity);
  range.any = range.min <= range.max;
  return range;
}

/// Collective. Counts of the finite values of all ranks.
template <class T>
std::vector<std::int64_t> globalHistogram(EffectJob& job, const HistogramBins& bins)
{
  std::vector<std::int64_t> counts(static_cast<std::size_t>(bins.count), 0);
  job.communicator().run(
    [&]
    {
      job.progress().step(0.3);
      for (const Block& block : job.distribution().localBlocks())
      {
        forEachSpan(job, block, job.input<T>(), [&](const T* values, Index count)
          { accumulateHistogram(values, count, bins, counts.data()); });
      }
    });
  job.communicator().allReduceSum(counts.data(), bins.count);
  return counts;
}

} // namespace segcore

#endif
