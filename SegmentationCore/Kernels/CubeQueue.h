// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// CubeQueue: which cube of a block a thread works on next, where what one finds at its border is
/// news for those beside it, until there is no news.
///
/// A cube is woken with a time, lower ones first, or first come, first served within stages of 2^n
/// times, and the sides from which the news comes, as bits
/// that mean what the caller likes. Who works on a cube may read and write it, and read the voxels
/// beside it: cubes that touch each other are never worked on at once. In what order cubes come
/// depends on the threads, so results must not depend on the order.
///
/// Cost: two steps of a sorted set for each visit of a cube. Scratch: some 100 bytes per cube.
///
/// Source: none; worklists of blocks are common knowledge.

#ifndef segcoreCubeQueue_h
#define segcoreCubeQueue_h

#include "Box.h"
#include "Progress.h"
#include "Threads.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace segcore
{

/// A block divided into cubes, numbered x fastest; the last ones along an axis may be shorter.
class CubeGrid
{
public:
  /// Cubes of `edge` voxels along each axis. With `wide`, those of a thin block are flat, and as
  /// much longer along the other axes as keeps their size.
  CubeGrid(const Box& target, Index edge, bool wide) : Target(target)
  {
    for (int a = 0; a < 3; ++a)
    {
      this->Edges[a] = std::max<Index>(1, std::min(edge, target.dim(a)));
    }
    while (wide && this->widen(edge * edge * edge))
    {
    }
    for (int a = 0; a < 3; ++a)
    {
      this->Cubes[a] = (target.dim(a) + this->Edges[a] - 1) / this->Edges[a];
    }
  }

  const Box& target() const { return this->Target; }
  /// How many there are along an axis, and the voxels of one.
  Index dim(int axis) const { return this->Cubes[axis]; }
  Index edge(int axis) const { return this->Edges[axis]; }
  Index count() const { return this->Cubes[0] * this->Cubes[1] * this->Cubes[2]; }

  /// The cube that has a voxel.
  Index cubeOf(Index i, Index j, Index k) const
  {
    return (i - this->Target.lo[0]) / this->Edges[0] +
      this->Cubes[0] *
      ((j - this->Target.lo[1]) / this->Edges[1] +
        this->Cubes[1] * ((k - this->Target.lo[2]) / this->Edges[2]));
  }

  void placeOf(Index cube, Index (&at)[3]) const
  {
    at[0] = cube % this->Cubes[0];
    at[1] = cube / this->Cubes[0] % this->Cubes[1];
    at[2] = cube / this->Cubes[0] / this->Cubes[1];
  }

  Box boxOf(Index cube) const
  {
    Index at[3];
    this->placeOf(cube, at);
    Box box;
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] = this->Target.lo[a] + at[a] * this->Edges[a];
      box.hi[a] = std::min(box.lo[a] + this->Edges[a] - 1, this->Target.hi[a]);
    }
    return box;
  }

private:
  /// Cubes twice as long along their shortest edge that may grow.
  bool widen(Index most)
  {
    if (2 * this->Edges[0] * this->Edges[1] * this->Edges[2] > most)
    {
      return false;
    }
    int shortest = -1;
    for (int a = 0; a < 3; ++a)
    {
      if (this->Edges[a] < this->Target.dim(a) &&
        (shortest < 0 || this->Edges[a] < this->Edges[shortest]))
      {
        shortest = a;
      }
    }
    if (shortest >= 0)
    {
      this->Edges[shortest] = std::min(2 * this->Edges[shortest], this->Target.dim(shortest));
    }
    return shortest >= 0;
  }

  Box Target;
  Index Edges[3];
  Index Cubes[3];
};

/// Which cubes touch each other.
enum class CubeContact
{
  Faces, ///< the 6 at its faces
  All    ///< the 26 around it
};

template <class Time>
class CubeQueue
{
public:
  /// When and at which sides something new arrives at a cube.
  struct News
  {
    Index cube;
    Time time;
    unsigned sides;
  };

  /// What a thread has to do: the earliest news of a cube, and all sides they came from.
  struct Visit
  {
    Index cube;
    Time time;
    unsigned sides;
    bool first; ///< whether nobody has worked on it so far
  };

  /// `never`: above all times. `stageBits`: the digits of a time that do not matter to the order.
  CubeQueue(const CubeGrid& grid, CubeContact contact, Time never, int stageBits = 0)
    : Grid(grid), Contact(contact), Never(never), StageBits(stageBits)
  {
    const auto cubes = static_cast<std::size_t>(grid.count());
    this->Waiting.assign(cubes, never);
    this->Turns.resize(cubes);
    this->Sides.assign(cubes, 0);
    this->Busy.assign(cubes, 0);
    this->Visited.assign(cubes, 0);
  }

  const CubeGrid& grid() const { return this->Grid; }
  bool empty() const { return this->Queue.empty(); }

  /// How often a cube was worked on, and the part of the cubes that were at least once.
  Index visits() const { return this->Visits; }
  double done() const
  {
    return static_cast<double>(this->Begun) / static_cast<double>(this->Grid.count());
  }

  /// From now on the cube has something to do. Not while run() runs: see there.
  void wake(Index cube, Time time, unsigned sides)
  {
    const auto at = static_cast<std::size_t>(cube);
    Turn& turn = this->Turns[at];
    const auto stage = static_cast<Time>(time >> this->StageBits);
    if (this->Waiting[at] == this->Never)
    {
      turn = { stage, this->Tickets++, cube };
      this->Queue.insert(turn);
    }
    else if (stage < turn.stage)
    {
      this->Queue.erase(turn);
      turn.stage = stage;
      this->Queue.insert(turn);
    }
    this->Waiting[at] = std::min(this->Waiting[at], time);
    this->Sides[at] |= sides;
  }

  /// Calls work(space, visit, news) from several threads until no cube has anything to do; `news`,
  /// empty at first, receives the cubes to wake. `space` is what a thread needs, of which
  /// makeSpace() returns a pointer. Between batches done() is how much of it is done, 0 to 1. If
  /// work throws, so does this; cubes that were woken stay so, but for those just worked on.
  template <class MakeSpace, class Work, class Done>
  void run(const Progress& progress, const MakeSpace& makeSpace, const Work& work, const Done& done)
  {
    std::vector<decltype(makeSpace())> spaces;
    while (!this->Queue.empty())
    {
      if (progress.active())
      {
        progress.step(done());
      }
      // Threads come back now and then, as only the caller's may report progress.
      const Index workers = std::min<Index>(threadCount(), this->Grid.count());
      while (static_cast<Index>(spaces.size()) < workers)
      {
        spaces.push_back(makeSpace());
      }
      this->Quota = 32 * workers;
      this->Failed = false;
      forRanges(workers, 1,
        [&](Index begin, Index end)
        {
          for (Index w = begin; w < end; ++w)
          {
            this->serve(*spaces[static_cast<std::size_t>(w)], work);
          }
        });
    }
  }

private:
  struct Turn
  {
    Time stage{};
    Index ticket = 0;
    Index cube = 0;

    bool operator<(const Turn& other) const
    {
      return this->stage != other.stage ? this->stage < other.stage : this->ticket < other.ticket;
    }
  };

  /// Whether no thread works on the cube or on one that touches it.
  bool isFree(Index cube) const
  {
    Index at[3];
    this->Grid.placeOf(cube, at);
    const auto busy = [&](Index x, Index y, Index z)
    {
      const Index nx = this->Grid.dim(0), ny = this->Grid.dim(1), nz = this->Grid.dim(2);
      return x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz &&
        this->Busy[static_cast<std::size_t>(x + nx * (y + ny * z))];
    };
    for (int n = 0; n < 27; ++n)
    {
      const int dx = n % 3 - 1, dy = n / 3 % 3 - 1, dz = n / 9 - 1;
      if ((this->Contact == CubeContact::All || dx * dx + dy * dy + dz * dz <= 1) &&
        busy(at[0] + dx, at[1] + dy, at[2] + dz))
      {
        return false;
      }
    }
    return true;
  }

  /// One thread: takes the free cube with the earliest news until there is none.
  template <class Space, class Work>
  void serve(Space& space, const Work& work)
  {
    std::vector<News> news;
    std::unique_lock<std::mutex> lock(this->Mutex);
    while (!this->Failed && this->Quota > 0)
    {
      const auto next = this->Active == 0
        ? this->Queue.begin()
        : std::find_if(this->Queue.begin(), this->Queue.end(),
            [this](const auto& entry) { return this->isFree(entry.cube); });
      if (next == this->Queue.end())
      {
        if (this->Active == 0)
        {
          break;
        }
        this->Changed.wait(lock);
        continue;
      }
      const auto at = static_cast<std::size_t>(next->cube);
      const Visit visit{ next->cube, this->Waiting[at], this->Sides[at], !this->Visited[at] };
      this->Queue.erase(next);
      this->Waiting[at] = this->Never;
      this->Sides[at] = 0;
      this->Busy[at] = 1;
      ++this->Active;
      --this->Quota;
      lock.unlock();
      try
      {
        news.clear();
        work(space, visit, news);
      }
      catch (...)
      {
        lock.lock();
        this->Busy[at] = 0;
        --this->Active;
        this->Failed = true;
        this->Changed.notify_all();
        throw;
      }
      lock.lock();
      this->Busy[at] = 0;
      --this->Active;
      ++this->Visits;
      this->Begun += visit.first ? 1 : 0;
      this->Visited[at] = 1;
      for (const News& note : news)
      {
        this->wake(note.cube, note.time, note.sides);
      }
      this->Changed.notify_all();
    }
    this->Changed.notify_all();
  }

  CubeGrid Grid;
  CubeContact Contact;
  Time Never;
  int StageBits;
  // By cube: when the earliest news arrives, at which sides, whether a thread has it, and whether
  // one ever had.
  std::vector<Time> Waiting;
  std::vector<unsigned> Sides;
  std::vector<char> Busy;
  std::vector<char> Visited;
  std::vector<Turn> Turns;
  std::set<Turn> Queue;
  Index Tickets = 0;
  std::mutex Mutex;
  std::condition_variable Changed;
  int Active = 0;
  Index Quota = 0;
  bool Failed = false;
  Index Begun = 0;
  Index Visits = 0;
};

} // namespace segcore

#endif
