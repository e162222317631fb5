// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// The one place where kernels start threads.
///
/// forRanges() runs a body over [0, count) in consecutive ranges on vtkSMPTools. Bodies write to
/// disjoint places, or to tables of their own that are added up as integers, so that no result
/// depends on the number of threads or on the order. An exception in a body (std::bad_alloc, say)
/// does not end the process: the first one that was caught is thrown again on the calling thread.

#ifndef segcoreThreads_h
#define segcoreThreads_h

#include "Box.h"
#include "Progress.h"

#include "vtkSMPTools.h"
#include "vtkType.h"

#include <algorithm>
#include <exception>
#include <mutex>

namespace segcore
{

/// Threads that forRanges may use, at least 1.
inline Index threadCount()
{
  return std::max(1, vtkSMPTools::GetEstimatedNumberOfThreads());
}

/// How many tables or slabs to cut `count` items into: some per thread, none smaller than `least`.
inline Index chunkCount(Index count, Index least, Index perThread = 1)
{
  return std::max<Index>(
    1, std::min<Index>(threadCount() * perThread, count / std::max<Index>(1, least)));
}

/// First item of chunk c when `count` items are cut into `chunks` almost equal parts.
inline Index chunkBegin(Index count, Index chunks, Index c)
{
  return (count / chunks) * c + std::min(c, count % chunks);
}

/// Calls body(begin, end) for ranges of about `grain` items that cover [0, count) exactly once.
template <class Body>
void forRanges(Index count, Index grain, const Body& body)
{
  if (count <= 0)
  {
    return;
  }
  grain = std::max<Index>(1, grain);
  const Index ranges = (count + grain - 1) / grain;
  if (ranges == 1)
  {
    body(Index{ 0 }, count);
    return;
  }
  std::mutex mutex;
  std::exception_ptr failure;
  // vtkSMPTools counts ranges, not items: their number fits a 32-bit vtkIdType.
  auto run = [&](vtkIdType first, vtkIdType last)
  {
    try
    {
      for (vtkIdType r = first; r < last; ++r)
      {
        body(Index{ r } * grain, std::min(count, (Index{ r } + 1) * grain));
      }
    }
    catch (...)
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure)
      {
        failure = std::current_exception();
      }
    }
  };
  vtkSMPTools::For(0, static_cast<vtkIdType>(ranges), 1, run);
  if (failure)
  {
    std::rethrow_exception(failure);
  }
}

/// The same in up to 16 batches with a Progress::step after each; one batch if nobody listens.
template <class Body>
void forRanges(Index count, Index grain, const Progress& progress, const Body& body)
{
  if (!progress.active())
  {
    forRanges(count, grain, body);
    return;
  }
  progress.step(0.0);
  grain = std::max<Index>(1, grain);
  const Index ranges = (count + grain - 1) / grain;
  // Each batch waits for its last thread: not too few ranges in one.
  const Index batches = std::clamp<Index>(ranges / 16, 1, 16);
  for (Index b = 0; b < batches; ++b)
  {
    const Index first = std::min(count, chunkBegin(ranges, batches, b) * grain);
    const Index last = std::min(count, chunkBegin(ranges, batches, b + 1) * grain);
    forRanges(last - first, grain,
      [&body, first](Index begin, Index end) { body(first + begin, first + end); });
    progress.step(static_cast<double>(b + 1) / static_cast<double>(batches));
  }
}

} // namespace segcore

#endif
