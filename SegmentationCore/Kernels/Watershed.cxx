// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Watershed.h"

#include "Buffer.h"
#include "Threads.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{
namespace
{

/// Voxels along the edge of a cube, and in all of it.
constexpr Index Edge = 32;
constexpr Index CubeVoxels = Edge * Edge * Edge;

constexpr int Levels = 65536;

/// A time of flooding as one number. Walls are never later than anything.
using Time = std::uint64_t;
constexpr Time Never = std::numeric_limits<Time>::max();
constexpr Time timeOf(std::uint16_t level, std::uint32_t hops)
{
  return Time{ level } << 32 | hops;
}
constexpr std::uint32_t NoHops = std::numeric_limits<std::uint32_t>::max();

int lowestBit(std::uint64_t bits)
{
#if defined(__GNUC__)
  return __builtin_ctzll(bits);
#else
  int bit = 0;
  while (!(bits >> bit & 1))
  {
    ++bit;
  }
  return bit;
#endif
}

/// What the voxels of a plane are at.
struct Plane
{
  Buffer<std::uint32_t> hops;
  Buffer<std::int32_t> labels;
  Buffer<std::uint16_t> levels;

  Plane() = default;
  explicit Plane(Index count) : hops(count), labels(count), levels(count)
  {
    std::fill(this->hops.begin(), this->hops.end(), NoHops);
    std::fill(this->labels.begin(), this->labels.end(), 0);
    std::fill(this->levels.begin(), this->levels.end(), WatershedImage::Wall);
  }

  Time time(Index at) const { return timeOf(this->levels[at], this->hops[at]); }

  bool is(Index at, const Watershed::Flooded& other) const
  {
    return this->hops[at] == other.hops && this->labels[at] == other.label &&
      this->levels[at] == other.level;
  }

  void set(Index at, const Watershed::Flooded& other)
  {
    this->hops[at] = other.hops;
    this->labels[at] = other.label;
    this->levels[at] = other.level;
  }

  Watershed::Flooded get(Index at) const
  {
    return { this->hops[at], this->labels[at], this->levels[at] };
  }
};

/// What one thread needs for a cube. Voxels are numbered in the cube with one voxel around it,
/// which is closed.
class Workspace
{
public:
  /// No wave has found the voxel yet; below Closed is the number of the one that did.
  static constexpr std::uint32_t Open = 0;
  /// Walls, and markers before their wave. Closed + n: the voxel was part of wave n.
  static constexpr std::uint32_t Closed = std::uint32_t{ 1 } << 31;

  std::vector<std::uint32_t> stamps;
  std::vector<std::int32_t> labels;
  std::vector<std::uint16_t> levels;

  /// A cube of these edges begins.
  void begin(const Index (&edges)[3])
  {
    this->Offsets[0] = 1;
    this->Offsets[1] = static_cast<std::int32_t>(edges[0] + 2);
    this->Offsets[2] = static_cast<std::int32_t>((edges[0] + 2) * (edges[1] + 2));
    const auto size = static_cast<std::size_t>(this->Offsets[2] * (edges[2] + 2));
    if (this->stamps.size() < size)
    {
      this->stamps.resize(size);
      this->labels.resize(size);
      this->levels.resize(size);
    }
    this->Size = static_cast<std::int32_t>(size);
    std::fill_n(this->stamps.begin(), size, Closed);
    this->Next.resize(std::max(this->Next.size(), size));
    this->Heads.resize(Levels, None);
    this->Arrivals.clear();
    this->Waves.assign(1, { 0, 0 });
  }

  std::int32_t place(Index x, Index y, Index z) const
  {
    return static_cast<std::int32_t>(
      x + 1 + this->Offsets[1] * (y + 1) + this->Offsets[2] * (z + 1));
  }
  std::int32_t offset(int axis) const { return this->Offsets[axis]; }

  /// A voxel is flooded when the water is at its level.
  void push(std::int32_t voxel)
  {
    const std::uint16_t level = this->levels[static_cast<std::size_t>(voxel)];
    this->Next[static_cast<std::size_t>(voxel)] = this->Heads[level];
    this->Heads[level] = voxel;
    this->mark(level);
  }

  /// At this time water arrives beside a voxel, from outside.
  void arrive(std::int32_t voxel, const Watershed::Flooded& from)
  {
    const auto node = static_cast<std::size_t>(this->Size) + this->Arrivals.size();
    if (this->Next.size() <= node)
    {
      this->Next.resize(2 * node);
    }
    this->Next[node] = this->Heads[from.level];
    this->Heads[from.level] = static_cast<std::int32_t>(node);
    this->Arrivals.push_back({ from.hops, from.label, voxel });
    this->mark(from.level);
  }

  /// Floods all that can be reached.
  void flood()
  {
    while (this->nextLevel())
    {
      this->Wave.clear();
      this->Now.clear();
      std::int32_t node = this->Heads[this->Level];
      this->Heads[this->Level] = None;
      for (; node != None; node = this->Next[static_cast<std::size_t>(node)])
      {
        if (node < this->Size)
        {
          this->Wave.push_back(node);
        }
        else
        {
          this->Now.push_back(this->Arrivals[static_cast<std::size_t>(node - this->Size)]);
        }
      }
      if (this->Now.size() > 1)
      {
        std::sort(this->Now.begin(), this->Now.end(),
          [](const Arrival& a, const Arrival& b) { return a.hops < b.hops; });
      }
      auto arrival = this->Now.begin();
      for (std::uint32_t hops = 0;; ++hops)
      {
        if (this->Wave.empty())
        {
          if (arrival == this->Now.end())
          {
            break;
          }
          hops = arrival->hops;
        }
        if (hops >= NoHops - 1)
        {
          throw std::overflow_error(
            "the way of the water over flat ground is longer than 4294967293 voxels");
        }
        const auto number = static_cast<std::uint32_t>(this->Waves.size());
        this->Waves.push_back({ this->Level, hops });
        this->After.clear();
        for (; arrival != this->Now.end() && arrival->hops == hops; ++arrival)
        {
          this->reach(arrival->voxel, number, arrival->label);
        }
        for (const std::int32_t voxel : this->Wave)
        {
          const std::int32_t label = this->labels[static_cast<std::size_t>(voxel)];
          this->stamps[static_cast<std::size_t>(voxel)] = Closed + number;
          for (const std::int32_t offset : this->Offsets)
          {
            this->reach(voxel - offset, number, label);
            this->reach(voxel + offset, number, label);
          }
        }
        this->Wave.swap(this->After);
      }
    }
  }

  Watershed::Flooded flooded(std::int32_t voxel) const
  {
    const std::uint32_t stamp = this->stamps[static_cast<std::size_t>(voxel)];
    if (stamp <= Closed) // nothing came there, or it is a wall
    {
      return stamp == Closed ? Watershed::Flooded{ 0, 0, 0 } : Watershed::Flooded();
    }
    const auto& wave = this->Waves[stamp - Closed];
    return { wave.hops, this->labels[static_cast<std::size_t>(voxel)], wave.level };
  }

private:
  static constexpr std::int32_t None = -1;

  struct Arrival
  {
    std::uint32_t hops;
    std::int32_t label;
    std::int32_t voxel;
  };
  struct WaveTime
  {
    std::uint16_t level;
    std::uint32_t hops;
  };

  void mark(std::uint16_t level)
  {
    this->Bits[level >> 6] |= std::uint64_t{ 1 } << (level & 63);
    this->Words[level >> 12] |= std::uint64_t{ 1 } << (level >> 6 & 63);
  }

  /// Takes the lowest level at which something is waiting.
  bool nextLevel()
  {
    for (std::size_t w = 0; w < this->Words.size(); ++w)
    {
      if (this->Words[w])
      {
        const std::size_t word = 64 * w + static_cast<std::size_t>(lowestBit(this->Words[w]));
        const int bit = lowestBit(this->Bits[word]);
        this->Level = static_cast<std::uint16_t>(64 * word + static_cast<std::size_t>(bit));
        this->Bits[word] &= this->Bits[word] - 1;
        if (!this->Bits[word])
        {
          this->Words[w] &= this->Words[w] - 1;
        }
        return true;
      }
    }
    return false;
  }

  void reach(std::int32_t voxel, std::uint32_t number, std::int32_t label)
  {
    const auto at = static_cast<std::size_t>(voxel);
    if (this->stamps[at] == Open)
    {
      this->stamps[at] = number;
      this->labels[at] = label;
      if (this->levels[at] <= this->Level)
      {
        this->After.push_back(voxel);
      }
      else
      {
        this->push(voxel);
      }
    }
    else if (this->stamps[at] == number && label < this->labels[at])
    {
      this->labels[at] = label;
    }
  }

  std::array<std::int32_t, 3> Offsets{};
  std::int32_t Size = 0;
  // For each level what waits for it, as a list: voxels, and arrivals from Size on.
  std::vector<std::int32_t> Heads;
  std::vector<std::int32_t> Next;
  // Levels at which something waits: a bit for each, and a bit for each 64 of them.
  std::array<std::uint64_t, Levels / 64> Bits{};
  std::array<std::uint64_t, Levels / 64 / 64> Words{};
  std::vector<Arrival> Arrivals;
  std::uint16_t Level = 0;
  std::vector<Arrival> Now; ///< those of this level
  std::vector<std::int32_t> Wave, After;
  std::vector<WaveTime> Waves;
};

/// The axes of a plane.
constexpr int first(int axis)
{
  return axis == 0 ? 1 : 0;
}
constexpr int second(int axis)
{
  return axis == 2 ? 1 : 2;
}

} // namespace

WatershedImage::~WatershedImage() = default;

//------------------------------------------------------------------------------------------------
class Watershed::Implementation
{
public:
  Implementation(const Box& target, const Box& whole, const WatershedImage& image)
    : Target(target), Image(image)
  {
    if (!whole.contains(target) || target.empty())
    {
      throw std::invalid_argument("the target block is not inside the image");
    }
    for (int a = 0; a < 3; ++a)
    {
      this->Edges[a] = std::min(Edge, target.dim(a));
    }
    while (this->widen())
    {
    }
    for (int a = 0; a < 3; ++a)
    {
      const Index count = (target.dim(a) + this->Edges[a] - 1) / this->Edges[a];
      this->Cubes[a] = count;
      this->Seams[a].resize(static_cast<std::size_t>(count + 1));
      for (Index s = 0; s <= count; ++s)
      {
        if ((s > 0 || whole.lo[a] < target.lo[a]) && (s < count || whole.hi[a] > target.hi[a]))
        {
          const Index voxels = target.dim(first(a)) * target.dim(second(a));
          this->seam(a, s) = { Plane(voxels), Plane(voxels) };
        }
      }
    }
    const auto cubes = static_cast<std::size_t>(this->count());
    this->Waiting.assign(cubes, Never);
    this->Busy.assign(cubes, 0);
    this->Visited.assign(cubes, 0);
  }

  Index count() const { return this->Cubes[0] * this->Cubes[1] * this->Cubes[2]; }
  Index visits() const { return this->Visits; }
  double done() const
  {
    return static_cast<double>(this->Begun) / static_cast<double>(this->count());
  }

  void start()
  {
    forRanges(this->count(), 1,
      [&](Index begin, Index end)
      {
        std::vector<std::int32_t> markers(static_cast<std::size_t>(this->Edges[0]));
        for (Index cube = begin; cube < end; ++cube)
        {
          if (this->hasMarker(this->boxOf(cube), markers))
          {
            const std::lock_guard<std::mutex> lock(this->Mutex);
            this->wake(cube, 0);
          }
        }
      });
  }

  void run(const Progress& progress)
  {
    while (!this->Queue.empty())
    {
      if (progress.active())
      {
        progress.step(this->done());
      }
      // Threads come back now and then, as only the caller's may report progress.
      const Index workers = std::min<Index>(threadCount(), this->count());
      while (static_cast<Index>(this->Spaces.size()) < workers)
      {
        this->Spaces.push_back(std::make_unique<Workspace>());
      }
      this->Quota = 32 * workers;
      this->Failed = false;
      forRanges(workers, 1,
        [&](Index begin, Index end)
        {
          for (Index w = begin; w < end; ++w)
          {
            this->work(*this->Spaces[static_cast<std::size_t>(w)]);
          }
        });
    }
    this->Spaces.clear();
  }

  void readFace(const Box& part, Flooded* out) const
  {
    for (int a = 0; a < 3; ++a)
    {
      for (const bool upper : { false, true })
      {
        const Index face = upper ? this->Target.hi[a] : this->Target.lo[a];
        const Plane& plane = this->outer(a, upper)[upper ? 0 : 1];
        if (part.lo[a] == face && part.hi[a] == face && !plane.hops.empty() &&
          this->Target.contains(part))
        {
          this->forPart(a, part, [&](Index at) { *out++ = plane.get(at); });
          return;
        }
      }
    }
    throw std::invalid_argument("the voxels are not on a face of the block beside others");
  }

  bool hear(int axis, bool upper, const Box& part, const Flooded* flooded)
  {
    auto& seam = this->outer(axis, upper);
    Plane& outside = seam[upper ? 1 : 0];
    const Plane& face = seam[upper ? 0 : 1];
    Box inside = part;
    inside.lo[axis] = inside.hi[axis] = upper ? this->Target.hi[axis] : this->Target.lo[axis];
    if (part.lo[axis] != part.hi[axis] || part.lo[axis] != inside.lo[axis] + (upper ? 1 : -1) ||
      !this->Target.contains(inside) || face.hops.empty())
    {
      throw std::invalid_argument("the voxels are not beside a face of the block");
    }
    bool any = false;
    Index cube[3];
    cube[axis] = upper ? this->Cubes[axis] - 1 : 0;
    Index at[3];
    const int u = first(axis), v = second(axis);
    for (at[v] = part.lo[v]; at[v] <= part.hi[v]; ++at[v])
    {
      cube[v] = (at[v] - this->Target.lo[v]) / this->Edges[v];
      for (at[u] = part.lo[u]; at[u] <= part.hi[u]; ++at[u], ++flooded)
      {
        const Index voxel = this->inPlane(axis, at[u], at[v]);
        if (!outside.is(voxel, *flooded))
        {
          outside.set(voxel, *flooded);
          const Time time = timeOf(flooded->level, flooded->hops);
          if (flooded->label != 0 && time < face.time(voxel))
          {
            cube[u] = (at[u] - this->Target.lo[u]) / this->Edges[u];
            this->wake(this->cubeAt(cube), time);
            any = true;
          }
        }
      }
    }
    return any;
  }

  void finish()
  {
    forRanges(this->count(), 1,
      [&](Index begin, Index end)
      {
        const std::vector<std::int32_t> none(static_cast<std::size_t>(this->Edges[0]), 0);
        for (Index cube = begin; cube < end; ++cube)
        {
          if (!this->Visited[static_cast<std::size_t>(cube)])
          {
            const Box box = this->boxOf(cube);
            for (Index r = 0; r < box.rows(); ++r)
            {
              this->Image.writeLabels(box.lo[0], box.lo[1] + r % box.dim(1),
                box.lo[2] + r / box.dim(1), box.dim(0), none.data());
            }
          }
        }
      });
  }

private:
  /// Two planes face to face: voxels of the lower side, and of the upper side.
  using Seam = std::array<Plane, 2>;

  /// Seam s of an axis lies below cube s; its planes are empty where the image ends.
  Seam& seam(int axis, Index s) { return this->Seams[axis][static_cast<std::size_t>(s)]; }
  const Seam& outer(int axis, bool upper) const
  {
    return upper ? this->Seams[axis].back() : this->Seams[axis].front();
  }
  Seam& outer(int axis, bool upper)
  {
    return upper ? this->Seams[axis].back() : this->Seams[axis].front();
  }

  Index inPlane(int axis, Index u, Index v) const
  {
    const int a = first(axis), b = second(axis);
    return u - this->Target.lo[a] + this->Target.dim(a) * (v - this->Target.lo[b]);
  }

  /// Calls work(place in the plane) for the voxels of a part of it.
  template <class Work>
  void forPart(int axis, const Box& part, const Work& work) const
  {
    const int a = first(axis), b = second(axis);
    for (Index v = part.lo[b]; v <= part.hi[b]; ++v)
    {
      for (Index u = part.lo[a]; u <= part.hi[a]; ++u)
      {
        work(this->inPlane(axis, u, v));
      }
    }
  }

  /// In a thin block: cubes twice as long along their shortest edge that may grow.
  bool widen()
  {
    if (2 * this->Edges[0] * this->Edges[1] * this->Edges[2] > CubeVoxels)
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

  Index cubeAt(const Index (&at)[3]) const
  {
    return at[0] + this->Cubes[0] * (at[1] + this->Cubes[1] * at[2]);
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

  bool hasMarker(const Box& box, std::vector<std::int32_t>& markers) const
  {
    for (Index r = 0; r < box.rows(); ++r)
    {
      this->Image.readMarkers(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1),
        box.dim(0), markers.data());
      if (std::any_of(
            markers.begin(), markers.begin() + box.dim(0), [](std::int32_t m) { return m > 0; }))
      {
        return true;
      }
    }
    return false;
  }

  /// From now on the cube has something to do: `time` is when the first news arrives.
  void wake(Index cube, Time time)
  {
    Time& waiting = this->Waiting[static_cast<std::size_t>(cube)];
    if (time < waiting)
    {
      if (waiting != Never)
      {
        this->Queue.erase({ waiting, cube });
      }
      waiting = time;
      this->Queue.insert({ time, cube });
    }
  }

  /// Whether no thread works on the cube or on one at its faces.
  bool isFree(Index cube) const
  {
    Index at[3];
    this->placeOf(cube, at);
    bool free = !this->Busy[static_cast<std::size_t>(cube)];
    Index step = 1;
    for (int a = 0; a < 3; ++a)
    {
      free = free && (at[a] == 0 || !this->Busy[static_cast<std::size_t>(cube - step)]) &&
        (at[a] + 1 == this->Cubes[a] || !this->Busy[static_cast<std::size_t>(cube + step)]);
      step *= this->Cubes[a];
    }
    return free;
  }

  using Note = std::pair<Index, Time>; // a cube, and when something new arrives there

  /// One thread: takes the free cube with the earliest news until there is none.
  void work(Workspace& space)
  {
    std::vector<Note> notes;
    std::unique_lock<std::mutex> lock(this->Mutex);
    while (!this->Failed && this->Quota > 0)
    {
      const auto next = std::find_if(this->Queue.begin(), this->Queue.end(),
        [this](const auto& entry) { return this->isFree(entry.second); });
      if (next == this->Queue.end())
      {
        if (this->Active == 0)
        {
          break;
        }
        this->Changed.wait(lock);
        continue;
      }
      const Index cube = next->second;
      const auto at = static_cast<std::size_t>(cube);
      this->Queue.erase(next);
      this->Waiting[at] = Never;
      this->Busy[at] = 1;
      ++this->Active;
      --this->Quota;
      lock.unlock();
      try
      {
        notes.clear();
        this->flood(space, cube, notes);
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
      this->Begun += this->Visited[at] ? 0 : 1;
      this->Visited[at] = 1;
      for (const Note& note : notes)
      {
        this->wake(note.first, note.second);
      }
      this->Changed.notify_all();
    }
    this->Changed.notify_all();
  }

  void flood(Workspace& space, Index cube, std::vector<Note>& notes)
  {
    const Box box = this->boxOf(cube);
    const Index edges[3] = { box.dim(0), box.dim(1), box.dim(2) };
    space.begin(edges);
    this->load(space, box);
    this->forFaces(cube, box,
      [&](int axis, bool upper, const Seam& seam, Index)
      {
        const Plane& outside = seam[upper ? 1 : 0];
        this->forFace(space, box, axis, upper,
          [&](Index at, std::int32_t voxel)
          {
            if (outside.labels[at] != 0 &&
              space.stamps[static_cast<std::size_t>(voxel)] == Workspace::Open)
            {
              space.arrive(voxel, outside.get(at));
            }
          });
      });
    space.flood();
    this->forFaces(cube, box,
      [&](int axis, bool upper, Seam& seam, Index beside)
      {
        Plane& face = seam[upper ? 0 : 1];
        const Plane& outside = seam[upper ? 1 : 0];
        Time earliest = Never;
        this->forFace(space, box, axis, upper,
          [&](Index at, std::int32_t voxel)
          {
            const Flooded now = space.flooded(voxel);
            if (!face.is(at, now))
            {
              face.set(at, now);
              // Who is flooded before does not care.
              const Time time = timeOf(now.level, now.hops);
              if (now.label != 0 && time < outside.time(at))
              {
                earliest = std::min(earliest, time);
              }
            }
          });
        if (earliest != Never && beside >= 0)
        {
          notes.push_back({ beside, earliest });
        }
      });
    for (Index r = 0; r < box.rows(); ++r)
    {
      const Index y = r % box.dim(1), z = r / box.dim(1);
      this->Image.writeLabels(box.lo[0], box.lo[1] + y, box.lo[2] + z, box.dim(0),
        space.labels.data() + space.place(0, y, z));
    }
  }

  /// Levels and markers of a cube.
  void load(Workspace& space, const Box& box) const
  {
    for (Index r = 0; r < box.rows(); ++r)
    {
      const Index y = r % box.dim(1), z = r / box.dim(1);
      const std::int32_t place = space.place(0, y, z);
      std::uint16_t* levels = space.levels.data() + place;
      std::int32_t* labels = space.labels.data() + place;
      std::uint32_t* stamps = space.stamps.data() + place;
      this->Image.readLevels(box.lo[0], box.lo[1] + y, box.lo[2] + z, box.dim(0), levels);
      this->Image.readMarkers(box.lo[0], box.lo[1] + y, box.lo[2] + z, box.dim(0), labels);
      for (std::int32_t x = 0; x < static_cast<std::int32_t>(box.dim(0)); ++x)
      {
        if (levels[x] == WatershedImage::Wall || labels[x] < 0)
        {
          labels[x] = 0;
        }
        else if (labels[x] > 0)
        {
          space.push(place + x);
        }
        else
        {
          stamps[x] = Workspace::Open;
        }
      }
    }
  }

  /// Calls work(axis, upper, seam, cube beside or -1) for the faces where the image goes on.
  template <class Work>
  void forFaces(Index cube, const Box& box, const Work& work)
  {
    Index at[3];
    this->placeOf(cube, at);
    Index step = 1;
    for (int a = 0; a < 3; ++a)
    {
      for (const bool upper : { false, true })
      {
        Seam& seam = this->seam(a, at[a] + (upper ? 1 : 0));
        if (!seam[0].hops.empty())
        {
          const bool last = upper ? box.hi[a] == this->Target.hi[a] : at[a] == 0;
          work(a, upper, seam, last ? Index{ -1 } : cube + (upper ? step : -step));
        }
      }
      step *= this->Cubes[a];
    }
  }

  /// Calls work(place in the plane, voxel of the cube) for the voxels of a face of a cube.
  template <class Work>
  void forFace(const Workspace& space, const Box& box, int axis, bool upper, const Work& work) const
  {
    const int a = first(axis), b = second(axis);
    const Index depth = upper ? box.dim(axis) - 1 : 0;
    const std::int32_t corner =
      space.place(0, 0, 0) + static_cast<std::int32_t>(depth) * space.offset(axis);
    const std::int32_t alongU = space.offset(a), alongV = space.offset(b);
    for (Index v = 0; v < box.dim(b); ++v)
    {
      Index at = this->inPlane(axis, box.lo[a], box.lo[b] + v);
      std::int32_t voxel = corner + static_cast<std::int32_t>(v) * alongV;
      for (Index u = 0; u < box.dim(a); ++u, ++at, voxel += alongU)
      {
        work(at, voxel);
      }
    }
  }

  Box Target;
  const WatershedImage& Image;
  Index Edges[3];
  Index Cubes[3];
  std::vector<Seam> Seams[3];
  // By cube: when the news arrives that woke it, whether a thread has it, and whether one ever had.
  std::vector<Time> Waiting;
  std::vector<char> Busy;
  std::vector<char> Visited;
  std::set<std::pair<Time, Index>> Queue;
  std::vector<std::unique_ptr<Workspace>> Spaces;
  std::mutex Mutex;
  std::condition_variable Changed;
  int Active = 0;
  Index Quota = 0;
  bool Failed = false;
  Index Begun = 0;
  Index Visits = 0;
};

//------------------------------------------------------------------------------------------------
Watershed::Watershed(const Box& target, const Box& whole, const WatershedImage& image)
  : Self(std::make_unique<Implementation>(target, whole, image))
{
}

Watershed::~Watershed() = default;

void Watershed::start()
{
  this->Self->start();
}

void Watershed::run(const Progress& progress)
{
  this->Self->run(progress);
}

void Watershed::readFace(const Box& part, Flooded* out) const
{
  this->Self->readFace(part, out);
}

bool Watershed::hear(int axis, bool upper, const Box& part, const Flooded* flooded)
{
  return this->Self->hear(axis, upper, part, flooded);
}

void Watershed::finish()
{
  this->Self->finish();
}

double Watershed::done() const
{
  return this->Self->done();
}

Index Watershed::cubes() const
{
  return this->Self->count();
}

Index Watershed::visits() const
{
  return this->Self->visits();
}

} // namespace segcore
