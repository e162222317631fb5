// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Tasks of very different lengths, each done by one thread.

#ifndef segcoreTasks_h
#define segcoreTasks_h

#include "Threads.h"

#include <atomic>

namespace segcore
{

/// Calls task(i) for 0 <= i < count: a thread that is done takes the next one, so put the longest
/// first. Tasks write to disjoint places. After an exception of one of them (the first is thrown
/// again here) others may not have run.
template <class Task>
void forTasks(Index count, const Task& task)
{
  std::atomic<Index> next{ 0 };
  forRanges(std::min(count, threadCount()), 1,
    [&](Index, Index)
    {
      for (Index i = next++; i < count; i = next++)
      {
        task(i);
      }
    });
}

/// The same where tasks can use threads themselves: if there are too few to keep all threads busy,
/// one after the other with all threads each.
template <class Task>
void forTasksOrThreads(Index count, const Task& task)
{
  if (count >= 4 * threadCount())
  {
    forTasks(count, task);
    return;
  }
  for (Index i = 0; i < count; ++i)
  {
    task(i);
  }
}

} // namespace segcore

#endif
