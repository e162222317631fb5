// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Progress, cancelling, and the ranges that kernels are cut into.

#include "Check.h"
#include "Threads.h"

using segcore::Index;

namespace
{

/// Every item is visited exactly once, for any count, grain and number of threads.
void testRanges()
{
  for (const int threads : { 1, 2, 3 })
  {
    check::withThreads(threads,
      []()
      {
        for (const Index count : { 0, 1, 7, 64, 1000 })
        {
          for (const Index grain : { 0, 1, 3, 64, 5000 })
          {
            check::setContext("count ", count, " grain ", grain);
            segcore::Progress listening;
            double last = 0.0;
            listening.report = [&](double f)
            {
              CHECK(f >= last && f <= 1.0);
              last = f;
            };
            std::vector<int> visits(static_cast<std::size_t>(count), 0);
            const auto visit = [&](Index begin, Index end)
            {
              for (Index i = begin; i < end; ++i)
              {
                ++visits[static_cast<std::size_t>(i)];
              }
            };
            segcore::forRanges(count, grain, visit);
            segcore::forRanges(count, grain, listening, visit);
            for (const int v : visits)
            {
              CHECK_EQUAL(v, 2);
            }
          }
        }
      });
  }
  check::setContext("");
  for (const Index chunks : { 1, 2, 5, 9 })
  {
    CHECK_EQUAL(segcore::chunkBegin(7, chunks, 0), 0);
    CHECK_EQUAL(segcore::chunkBegin(7, chunks, chunks), 7);
  }
}

/// An exception on a worker thread arrives at the caller instead of ending the process.
void testExceptions()
{
  for (const int threads : { 1, 2 })
  {
    check::withThreads(threads,
      []()
      {
        const auto fail = [](Index begin, Index)
        {
          if (begin == 30)
          {
            throw std::bad_alloc();
          }
        };
        CHECK_THROWS(segcore::forRanges(100, 10, fail), std::bad_alloc);
      });
  }
}

void testCancel()
{
  segcore::Progress progress;
  CHECK(!progress.active());
  int asked = 0;
  progress.cancelled = [&asked]() { return ++asked == 3; };
  CHECK(progress.active());
  Index done = 0;
  const auto count = [&done](Index begin, Index end) { done += end - begin; };
  CHECK_THROWS(segcore::forRanges(1600, 10, progress, count), segcore::Cancelled);
  CHECK_EQUAL(done, 320); // two of ten batches of sixteen ranges

  double seen = -1.0;
  progress.cancelled = nullptr;
  progress.report = [&seen](double f) { seen = f; };
  progress.part(0.5, 0.75).step(1.0);
  CHECK_EQUAL(seen, 0.75);
}

} // namespace

int TestProgress(int, char*[])
{
  testRanges();
  testExceptions();
  testCancel();
  return check::result();
}
