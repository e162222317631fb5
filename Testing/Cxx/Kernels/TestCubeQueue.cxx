// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// CubeQueue: how blocks are divided; that cubes which touch are never worked on at once, that all
// news is delivered, the earliest first; errors and cancelling.

#include "CubeQueue.h"

#include "Check.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

using segcore::Box;
using segcore::CubeContact;
using segcore::CubeGrid;
using segcore::CubeQueue;
using segcore::Index;

namespace
{

using Queue = CubeQueue<int>;
constexpr int Never = 1 << 30;

struct Space
{
  Index visits = 0;
};

const auto makeSpace = [] { return std::make_unique<Space>(); };
const auto halfDone = [] { return 0.5; };

void testGrid()
{
  Box box = Box::ofSize(70, 32, 33);
  box.lo[0] -= 5;
  box.hi[0] -= 5;
  const CubeGrid grid(box, 32, true);
  CHECK_EQUAL(grid.count(), 3 * 1 * 2);
  std::vector<Index> found(static_cast<std::size_t>(grid.count()), 0);
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
      {
        const Index cube = grid.cubeOf(i, j, k);
        CHECK(grid.boxOf(cube).contains(i, j, k));
        ++found[static_cast<std::size_t>(cube)];
      }
    }
  }
  for (Index cube = 0; cube < grid.count(); ++cube)
  {
    CHECK_EQUAL(found[static_cast<std::size_t>(cube)], grid.boxOf(cube).size());
    Index at[3];
    grid.placeOf(cube, at);
    CHECK_EQUAL(cube, at[0] + 3 * (at[1] + at[2]));
  }
  // Flat ones have as many voxels, but are not longer than the block.
  CHECK_EQUAL(CubeGrid(Box::ofSize(1000, 1000, 1), 32, false).count(), 32 * 32);
  CHECK_EQUAL(CubeGrid(Box::ofSize(1000, 1000, 1), 32, true).count(), 4 * 8);
  CHECK_EQUAL(CubeGrid(Box::ofSize(1, 9000, 1), 32, true).count(), 1);
}

/// Each cube counts down what it has heard and tells all that touch it; meanwhile nobody else may
/// be near.
void testContacts()
{
  for (const CubeContact contact : { CubeContact::Faces, CubeContact::All })
  {
    for (const int threads : { 1, 3 })
    {
      check::setContext("contact ", static_cast<int>(contact), " threads ", threads);
      const CubeGrid grid(Box::ofSize(20, 16, 12), 4, false);
      Queue queue(grid, contact, Never);
      const auto count = static_cast<std::size_t>(grid.count());
      std::vector<std::atomic<int>> inside(count);
      std::vector<int> best(count, Never); // written by who works on the cube
      std::atomic<int> wrong{ 0 };
      std::atomic<Index> visits{ 0 }, firsts{ 0 };
      const auto touching = [&](Index cube)
      {
        std::vector<Index> cubes;
        Index at[3];
        grid.placeOf(cube, at);
        for (int n = 0; n < 27; ++n)
        {
          const int d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
          const int steps = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
          const Index x = at[0] + d[0], y = at[1] + d[1], z = at[2] + d[2];
          if (steps > 0 && (contact == CubeContact::All || steps == 1) && x >= 0 && y >= 0 &&
            z >= 0 && x < grid.dim(0) && y < grid.dim(1) && z < grid.dim(2))
          {
            cubes.push_back(x + grid.dim(0) * (y + grid.dim(1) * z));
          }
        }
        return cubes;
      };
      const auto work = [&](Space& space, const Queue::Visit& visit, std::vector<Queue::News>& news)
      {
        ++space.visits;
        ++visits;
        firsts += visit.first ? 1 : 0;
        const auto cube = static_cast<std::size_t>(visit.cube);
        wrong += inside[cube].exchange(1) != 0 ? 1 : 0;
        wrong += news.empty() ? 0 : 1;
        wrong += visit.sides == 0 ? 1 : 0;
        const auto beside = touching(visit.cube);
        for (const Index other : beside)
        {
          wrong += inside[static_cast<std::size_t>(other)] != 0 ? 1 : 0;
        }
        if (visit.time < best[cube])
        {
          best[cube] = visit.time;
          for (const Index other : beside)
          {
            if (visit.time + 1 < best[static_cast<std::size_t>(other)])
            {
              news.push_back({ other, visit.time + 1, 2u });
            }
          }
        }
        for (const Index other : beside)
        {
          wrong += inside[static_cast<std::size_t>(other)] != 0 ? 1 : 0;
        }
        inside[cube] = 0;
      };
      queue.wake(7, 3, 1u);
      queue.wake(grid.count() - 1, 0, 1u);
      queue.wake(7, 9, 4u); // later news of the same cube
      check::withThreads(
        threads, [&] { queue.run(segcore::Progress(), makeSpace, work, halfDone); });
      CHECK(queue.empty());
      CHECK_EQUAL(wrong.load(), 0);
      CHECK_EQUAL(firsts.load(), grid.count());
      CHECK_EQUAL(queue.visits(), visits.load());
      CHECK_EQUAL(queue.done(), 1.0);
      if (threads == 1)
      {
        // The earliest first: nobody comes twice but where news of later times waited.
        CHECK_EQUAL(queue.visits(), grid.count());
      }
      // Steps from the nearest start.
      for (Index cube = 0; cube < grid.count(); ++cube)
      {
        const auto away = [&](Index start)
        {
          Index a[3], b[3], sum = 0, most = 0;
          grid.placeOf(cube, a);
          grid.placeOf(start, b);
          for (int axis = 0; axis < 3; ++axis)
          {
            const Index distance = std::abs(a[axis] - b[axis]);
            sum += distance;
            most = std::max(most, distance);
          }
          return contact == CubeContact::All ? most : sum;
        };
        CHECK_EQUAL(Index{ best[static_cast<std::size_t>(cube)] },
          std::min(away(7) + 3, away(grid.count() - 1)));
      }
    }
  }
  check::setContext("");
}

/// All sides of news that waits for the same visit, and the earliest time.
void testSides()
{
  Queue queue(CubeGrid(Box::ofSize(8, 1, 1), 4, false), CubeContact::Faces, Never);
  queue.wake(1, 5, 1u);
  queue.wake(1, 3, 8u);
  queue.wake(1, 4, 2u);
  queue.wake(0, 4, 16u);
  std::vector<Queue::Visit> seen;
  check::withThreads(1,
    [&]
    {
      queue.run(
        segcore::Progress(), makeSpace,
        [&](Space&, const Queue::Visit& visit, std::vector<Queue::News>&)
        { seen.push_back(visit); }, halfDone);
    });
  CHECK_EQUAL(seen.size(), std::size_t{ 2 });
  CHECK(seen[0].cube == 1 && seen[0].time == 3 && seen[0].sides == 11u && seen[0].first);
  CHECK(seen[1].cube == 0 && seen[1].time == 4 && seen[1].sides == 16u && seen[1].first);
}

void testErrors()
{
  Queue queue(CubeGrid(Box::ofSize(64, 64, 64), 4, false), CubeContact::All, Never);
  for (Index cube = 0; cube < queue.grid().count(); ++cube)
  {
    queue.wake(cube, static_cast<int>(cube % 7), 1u);
  }
  const auto failing = [](Space&, const Queue::Visit& visit, std::vector<Queue::News>&)
  {
    if (visit.cube == 333)
    {
      throw std::runtime_error("stop");
    }
  };
  const auto quiet = [](Space&, const Queue::Visit&, std::vector<Queue::News>&) {};
  CHECK_THROWS(
    check::withThreads(3, [&] { queue.run(segcore::Progress(), makeSpace, failing, halfDone); }),
    std::runtime_error);
  CHECK(!queue.empty());
  segcore::Progress progress;
  double shown = 0.0;
  progress.report = [&](double fraction) { shown = fraction; };
  progress.cancelled = [] { return true; };
  CHECK_THROWS(queue.run(progress, makeSpace, quiet, halfDone), segcore::Cancelled);
  CHECK_EQUAL(shown, 0.5);
  queue.run(segcore::Progress(), makeSpace, quiet, halfDone);
  CHECK(queue.empty());
  CHECK_EQUAL(queue.visits(), queue.grid().count() - 1); // but for the one that failed
}

} // namespace

int TestCubeQueue(int, char*[])
{
  testGrid();
  testContacts();
  testSides();
  testErrors();
  return check::result();
}
