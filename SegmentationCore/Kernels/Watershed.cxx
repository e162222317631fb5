// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Watershed.h"

#include "Buffer.h"
#include "Threads.h"

#include <algorithm>
#include <array>
#include <condition_variable>
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

/// What one thread needs for a cube: the cube with one voxel around it. What is around has the
/// level of a wall, as have markers: such a level is above every time, so that no water enters.
template <class Key>
class Workspace
{
public:
  using Flood = Watershed<Key>;

  std::vector<Key> times;
  std::vector<std::int32_t> labels;
  std::vector<std::uint16_t> levels;

  /// A cube of these edges begins; all is wall.
  void begin(const Index (&edges)[3])
  {
    this->Offsets[0] = 1;
    this->Offsets[1] = static_cast<std::int32_t>(edges[0] + 2);
    this->Offsets[2] = static_cast<std::int32_t>((edges[0] + 2) * (edges[1] + 2));
    this->Size = static_cast<std::int32_t>(this->Offsets[2] * (edges[2] + 2));
    const auto size = static_cast<std::size_t>(this->Size);
    this->times.assign(size, Flood::Never);
    this->labels.assign(size, 0);
    this->levels.assign(size, Flood::Wall);
    this->Heads.resize(Levels, None);
    this->Next.resize(std::max(this->Next.size(), size));
    // Numbers of waves go on from cube to cube, so that stamps need not be cleared.
    constexpr std::uint32_t many = std::uint32_t{ 1 } << 28;
    if (this->Stamps.size() < size || this->Number > many)
    {
      this->Stamps.assign(std::max(this->Stamps.size(), size), 0);
      this->Number = 0;
    }
    this->First = ++this->Number;
    this->Level = 0;
    this->Arrivals.clear();
    this->Changed.clear();
  }

  std::int32_t place(Index x, Index y, Index z) const
  {
    return static_cast<std::int32_t>(
      x + 1 + this->Offsets[1] * (y + 1) + this->Offsets[2] * (z + 1));
  }
  std::int32_t offset(int axis) const { return this->Offsets[axis]; }

  /// Water rises from a marker.
  void rise(std::int32_t voxel)
  {
    this->Stamps[static_cast<std::size_t>(voxel)] = this->stamp(Relabelled);
    this->Changed.push_back(voxel);
    this->push(voxel);
  }

  /// Water of a voxel around the cube may come to the voxel beside it, in the cube; not if it was
  /// there before `low`.
  void arrive(std::int32_t from, std::int32_t voxel, Key low)
  {
    const Key time = this->times[static_cast<std::size_t>(from)];
    const Key known = this->times[static_cast<std::size_t>(voxel)];
    if (time < low || time >= known)
    {
      return;
    }
    const Key now = this->after(time, voxel);
    if (now > known || (now == known && !this->mustChange(voxel)))
    {
      return;
    }
    const auto node = static_cast<std::size_t>(this->Size) + this->Arrivals.size();
    if (this->Next.size() <= node)
    {
      this->Next.resize(2 * node);
    }
    const auto level = static_cast<std::uint16_t>(time >> Flood::HopBits);
    this->Next[node] = this->Heads[level];
    this->Heads[level] = static_cast<std::int32_t>(node);
    this->Arrivals.push_back({ time, this->labels[static_cast<std::size_t>(from)], voxel });
    this->mark(level);
  }

  /// Floods all that comes earlier now, or with another label.
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
          [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
      }
      auto arrival = this->Now.begin();
      for (Key time = Key{ this->Level } << Flood::HopBits;; ++time)
      {
        if (this->Wave.empty())
        {
          if (arrival == this->Now.end())
          {
            break;
          }
          time = arrival->time;
        }
        ++this->Number;
        this->After.clear();
        for (; arrival != this->Now.end() && arrival->time == time; ++arrival)
        {
          if (this->times[static_cast<std::size_t>(arrival->voxel)] > time)
          {
            this->reach(arrival->voxel, time, arrival->label);
          }
        }
        this->spread(time);
        this->Wave.swap(this->After);
      }
    }
  }

  /// The voxels that were flooded.
  const std::vector<std::int32_t>& changed() const { return this->Changed; }
  bool hasChanged(std::int32_t voxel) const
  {
    const std::uint32_t stamp = this->Stamps[static_cast<std::size_t>(voxel)];
    return stamp >= 4 * this->First && stamp % 4 != Unchanged;
  }

  bool overflowed() const { return this->Overflowed; }

private:
  static constexpr std::int32_t None = -1;

  struct Arrival
  {
    Key time;
    std::int32_t label;
    std::int32_t voxel;
  };

  // What a wave did to a voxel: made it earlier, gave it another label at the same time, or looked
  // at it in vain. Waves are in the order of time, so one of them does so at most.
  enum Deed : std::uint32_t
  {
    Earlier,
    Relabelled,
    Unchanged
  };
  std::uint32_t stamp(Deed deed) const { return 4 * this->Number + deed; }

  /// The time of a voxel if a neighbour is flooded at `time`.
  Key after(Key time, std::int32_t voxel) const
  {
    return std::max(
      static_cast<Key>(Key{ this->levels[static_cast<std::size_t>(voxel)] } << Flood::HopBits),
      static_cast<Key>(time + 1));
  }

  /// The label of a voxel by what its neighbours are at.
  std::int32_t due(std::int32_t voxel) const
  {
    Key earliest = Flood::Never;
    std::int32_t label = 0;
    for (const std::int32_t offset : this->Offsets)
    {
      for (const std::int32_t neighbour : { voxel - offset, voxel + offset })
      {
        const auto at = static_cast<std::size_t>(neighbour);
        const Key time = this->times[at];
        if (time < earliest || (time == earliest && this->labels[at] < label))
        {
          earliest = time;
          label = this->labels[at];
        }
      }
    }
    return label;
  }
  bool mustChange(std::int32_t voxel) const
  {
    return this->due(voxel) != this->labels[static_cast<std::size_t>(voxel)];
  }

  /// The voxel will be flooded at the time that it has now.
  void push(std::int32_t voxel)
  {
    const auto at = static_cast<std::size_t>(voxel);
    const auto level = static_cast<std::uint16_t>(this->times[at] >> Flood::HopBits);
    this->Next[at] = this->Heads[level];
    this->Heads[level] = voxel;
    this->mark(level);
  }

  void mark(std::uint16_t level)
  {
    this->Bits[level >> 6] |= std::uint64_t{ 1 } << (level & 63);
    this->Words[level >> 12] |= std::uint64_t{ 1 } << (level >> 6 & 63);
  }

  /// Takes the lowest level at which something is waiting; nothing waits below the last one.
  bool nextLevel()
  {
    for (std::size_t w = this->Level >> 12; w < this->Words.size(); ++w)
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

  /// The water of a wave comes to what is beside it.
  void spread(Key time)
  {
    // Most voxels beside it are flooded already, at random: one look at all six, without branches.
    const Key* const known = this->times.data();
    const std::int32_t offsets[6] = { -this->Offsets[2], -this->Offsets[1], -this->Offsets[0],
      this->Offsets[0], this->Offsets[1], this->Offsets[2] };
    for (const std::int32_t voxel : this->Wave)
    {
      unsigned later = 0;
      for (int n = 0; n < 6; ++n)
      {
        later |= static_cast<unsigned>(known[voxel + offsets[n]] > time) << n;
      }
      if (later)
      {
        const std::int32_t label = this->labels[static_cast<std::size_t>(voxel)];
        for (; later; later &= later - 1)
        {
          this->reach(voxel + offsets[lowestBit(later)], time, label);
        }
      }
    }
  }

  /// Water that is somewhere at `time` comes to a voxel beside that, which is flooded later.
  void reach(std::int32_t voxel, Key time, std::int32_t label)
  {
    const auto at = static_cast<std::size_t>(voxel);
    const Key known = this->times[at];
    const Key now = this->after(time, voxel);
    if (now > known)
    {
      return;
    }
    if (now < known)
    {
      if ((now & HopMask) == HopMask)
      {
        this->Overflowed = true;
        return;
      }
      // All that come to it at once are in this wave: otherwise it would not have come later.
      this->times[at] = now;
      this->Stamps[at] = this->stamp(Earlier);
      this->change(voxel, label);
    }
    else if (this->Stamps[at] == this->stamp(Earlier))
    {
      this->labels[at] = std::min(this->labels[at], label);
    }
    else if (this->Stamps[at] < 4 * this->First)
    {
      const std::int32_t other = this->due(voxel);
      const bool same = other == this->labels[at];
      this->Stamps[at] = this->stamp(same ? Unchanged : Relabelled);
      if (!same)
      {
        this->change(voxel, other);
      }
    }
  }

  void change(std::int32_t voxel, std::int32_t label)
  {
    const auto at = static_cast<std::size_t>(voxel);
    this->labels[at] = label;
    this->Changed.push_back(voxel);
    if (static_cast<std::uint16_t>(this->times[at] >> Flood::HopBits) == this->Level)
    {
      this->After.push_back(voxel);
    }
    else
    {
      this->push(voxel);
    }
  }

  static constexpr Key HopMask = (Key{ 1 } << Flood::HopBits) - 1;

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
  std::vector<std::int32_t> Wave, After, Changed;
  std::vector<std::uint32_t> Stamps; ///< 4 times the number of a wave, and what it did
  std::uint32_t First = 0;
  std::uint32_t Number = 0;
  bool Overflowed = false;
};

/// The other axes.
constexpr int first(int axis)
{
  return axis == 0 ? 1 : 0;
}
constexpr int second(int axis)
{
  return axis == 2 ? 1 : 2;
}

} // namespace

WatershedLabels::~WatershedLabels() = default;

//------------------------------------------------------------------------------------------------
template <class Key>
class Watershed<Key>::Implementation
{
public:
  Implementation(
    const Box& target, const Box& whole, std::uint16_t* levels, const WatershedLabels& labels)
    : Target(target), Padded(target.grown(1).clipped(whole)), Relief(levels), Labels(labels)
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
      this->Cubes[a] = (target.dim(a) + this->Edges[a] - 1) / this->Edges[a];
      for (const int upper : { 0, 1 })
      {
        if (upper ? whole.hi[a] > target.hi[a] : whole.lo[a] < target.lo[a])
        {
          this->Around[a][upper].assign(
            static_cast<std::size_t>(target.dim(first(a)) * target.dim(second(a))), 0);
        }
      }
    }
    this->Times = Buffer<Key>(this->Padded.size());
    const auto cubes = static_cast<std::size_t>(this->count());
    this->Waiting.assign(cubes, Never);
    this->From.assign(cubes, 0);
    this->Busy.assign(cubes, 0);
    this->Visited.assign(cubes, 0);
  }

  Index count() const { return this->Cubes[0] * this->Cubes[1] * this->Cubes[2]; }
  Index visits() const { return this->Visits; }
  bool overflowed() const { return this->Overflowed; }
  double done() const
  {
    return static_cast<double>(this->Begun) / static_cast<double>(this->count());
  }

  void start()
  {
    std::vector<char> marked(static_cast<std::size_t>(this->count()), 0);
    forRanges(this->Padded.rows(), 64,
      [&](Index begin, Index end)
      {
        std::vector<std::int32_t> labels(static_cast<std::size_t>(this->Target.dim(0)));
        for (Index r = begin; r < end; ++r)
        {
          const Index j = this->Padded.lo[1] + r % this->Padded.dim(1);
          const Index k = this->Padded.lo[2] + r / this->Padded.dim(1);
          std::fill_n(this->Times.data() + this->Padded.offset(this->Padded.lo[0], j, k),
            this->Padded.dim(0), Never);
          if (this->Target.contains(this->Target.lo[0], j, k))
          {
            this->startRow(j, k, labels);
          }
        }
      });
    // Of each cube by itself, as a row has several.
    forRanges(this->count(), 1,
      [&](Index begin, Index end)
      {
        for (Index cube = begin; cube < end; ++cube)
        {
          const Box box = this->boxOf(cube);
          bool any = false;
          for (Index r = 0; r < box.rows() && !any; ++r)
          {
            const Key* times = this->Times.data() +
              this->Padded.offset(
                box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
            any = std::any_of(times, times + box.dim(0), [](Key time) { return time != Never; });
          }
          marked[static_cast<std::size_t>(cube)] = any ? 1 : 0;
        }
      });
    for (Index cube = 0; cube < this->count(); ++cube)
    {
      if (marked[static_cast<std::size_t>(cube)])
      {
        this->wake(cube, 0, AllFaces);
      }
    }
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
        this->Spaces.push_back(std::make_unique<Workspace<Key>>());
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
    for (const auto& space : this->Spaces)
    {
      this->Overflowed = this->Overflowed || space->overflowed();
    }
    this->Spaces.clear();
  }

  void read(const Box& part, Flooded* out) const
  {
    if (!this->Target.contains(part))
    {
      throw std::invalid_argument("the voxels are not in the block");
    }
    std::vector<std::int32_t> labels(static_cast<std::size_t>(part.dim(0)));
    for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
    {
      for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
      {
        this->Labels.readLabels(part.lo[0], j, k, part.dim(0), labels.data());
        const Key* times = this->Times.data() + this->Padded.offset(part.lo[0], j, k);
        for (Index x = 0; x < part.dim(0); ++x)
        {
          const std::int32_t label = labels[static_cast<std::size_t>(x)];
          *out++ = { times[x], times[x] == Never ? 0 : label };
        }
      }
    }
  }

  bool hear(int axis, bool upper, const Box& part, const Flooded* flooded)
  {
    std::vector<std::int32_t>& around = this->Around[axis][upper ? 1 : 0];
    const Index step = upper ? -1 : 1;
    Box inside = part;
    inside.lo[axis] += step;
    inside.hi[axis] += step;
    if (part.lo[axis] != part.hi[axis] || around.empty() || !this->Target.contains(inside) ||
      this->Target.contains(part))
    {
      throw std::invalid_argument("the voxels are not beside the block");
    }
    bool any = false;
    for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
    {
      for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
      {
        for (Index i = part.lo[0]; i <= part.hi[0]; ++i, ++flooded)
        {
          Index at[3] = { i, j, k };
          Key& time = this->Times[this->Padded.offset(i, j, k)];
          std::int32_t& label = around[this->inFace(axis, at)];
          if (time == flooded->time && label == flooded->label)
          {
            continue;
          }
          time = flooded->time;
          label = flooded->label;
          at[axis] += step;
          // Who is flooded before does not care.
          if (time < this->Times[this->Padded.offset(at[0], at[1], at[2])] &&
            this->Relief[this->Target.offset(at[0], at[1], at[2])] != Wall)
          {
            this->wake(this->cubeOf(at[0], at[1], at[2]), time, faceOf(axis, upper));
            any = true;
          }
        }
      }
    }
    return any;
  }

  void giveBack()
  {
    forRanges(this->Target.rows(), 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const Index j = this->Target.lo[1] + r % this->Target.dim(1);
          const Index k = this->Target.lo[2] + r / this->Target.dim(1);
          const Key* times = this->Times.data() + this->Padded.offset(this->Target.lo[0], j, k);
          std::uint16_t* levels = this->Relief + this->Target.offset(this->Target.lo[0], j, k);
          for (Index x = 0; x < this->Target.dim(0); ++x)
          {
            if (levels[x] == Wall && times[x] != Never)
            {
              levels[x] = static_cast<std::uint16_t>(times[x] >> HopBits);
            }
          }
        }
      });
  }

private:
  /// Markers get their times, and become walls in the relief.
  void startRow(Index j, Index k, std::vector<std::int32_t>& labels)
  {
    const Index i = this->Target.lo[0];
    Key* times = this->Times.data() + this->Padded.offset(i, j, k);
    std::uint16_t* levels = this->Relief + this->Target.offset(i, j, k);
    this->Labels.readMarkers(i, j, k, this->Target.dim(0), labels.data());
    for (Index x = 0; x < this->Target.dim(0); ++x)
    {
      std::int32_t& label = labels[static_cast<std::size_t>(x)];
      if (label > 0 && levels[x] != Wall)
      {
        times[x] = static_cast<Key>(Key{ levels[x] } << HopBits);
        levels[x] = Wall;
      }
      else
      {
        levels[x] = label < 0 ? Wall : levels[x];
        label = 0;
      }
    }
    this->Labels.writeLabels(i, j, k, this->Target.dim(0), labels.data());
  }

  std::size_t inFace(int axis, const Index (&at)[3]) const
  {
    const int u = first(axis), v = second(axis);
    return static_cast<std::size_t>(
      at[u] - this->Target.lo[u] + this->Target.dim(u) * (at[v] - this->Target.lo[v]));
  }

  Index cubeOf(Index i, Index j, Index k) const
  {
    return (i - this->Target.lo[0]) / this->Edges[0] +
      this->Cubes[0] *
      ((j - this->Target.lo[1]) / this->Edges[1] +
        this->Cubes[1] * ((k - this->Target.lo[2]) / this->Edges[2]));
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

  /// The faces of a cube as bits.
  static constexpr unsigned AllFaces = 63;
  static constexpr unsigned faceOf(int axis, bool upper)
  {
    return 1u << (2 * axis + (upper ? 1 : 0));
  }

  /// From now on the cube has something to do: `time` is when the first news arrives, at these
  /// faces.
  void wake(Index cube, Key time, unsigned faces)
  {
    Key& waiting = this->Waiting[static_cast<std::size_t>(cube)];
    if (time < waiting)
    {
      if (waiting != Never)
      {
        this->Queue.erase({ waiting, cube });
      }
      waiting = time;
      this->Queue.insert({ time, cube });
    }
    unsigned char& from = this->From[static_cast<std::size_t>(cube)];
    from = static_cast<unsigned char>(from | faces);
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

  /// When and at which face something new arrives at a cube.
  struct Note
  {
    Index cube;
    Key time;
    unsigned face;
  };

  /// One thread: takes the free cube with the earliest news until there is none.
  void work(Workspace<Key>& space)
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
      const Key low = next->first;
      const unsigned from = this->From[at];
      this->Queue.erase(next);
      this->Waiting[at] = Never;
      this->From[at] = 0;
      this->Busy[at] = 1;
      ++this->Active;
      --this->Quota;
      lock.unlock();
      try
      {
        notes.clear();
        this->flood(space, cube, low, from, notes);
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
        this->wake(note.cube, note.time, note.face);
      }
      this->Changed.notify_all();
    }
    this->Changed.notify_all();
  }

  void flood(Workspace<Key>& space, Index cube, Key low, unsigned from, std::vector<Note>& notes)
  {
    const Box box = this->boxOf(cube);
    const Index edges[3] = { box.dim(0), box.dim(1), box.dim(2) };
    space.begin(edges);
    this->load(space, box);
    if (!this->Visited[static_cast<std::size_t>(cube)])
    {
      this->findMarkers(space, box);
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        const std::int32_t outwards = upper ? space.offset(axis) : -space.offset(axis);
        if (from & faceOf(axis, upper))
        {
          this->forFace(space, box, axis, upper, [&](std::int32_t voxel, const Index(&)[3])
            { space.arrive(voxel + outwards, voxel, low); });
        }
      }
    }
    space.flood();
    if (space.changed().empty())
    {
      return;
    }
    Index step = 1;
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        const std::int32_t outwards = upper ? space.offset(axis) : -space.offset(axis);
        if (upper ? box.hi[axis] == this->Target.hi[axis] : box.lo[axis] == this->Target.lo[axis])
        {
          continue; // other blocks are told by the caller
        }
        Key earliest = Never;
        this->forFace(space, box, axis, upper,
          [&](std::int32_t voxel, const Index(&at)[3])
          {
            const Key time = space.times[static_cast<std::size_t>(voxel)];
            // Who is flooded before does not care.
            if (time < earliest && space.hasChanged(voxel) &&
              time < space.times[static_cast<std::size_t>(voxel + outwards)])
            {
              Index beside[3] = { at[0], at[1], at[2] };
              beside[axis] += upper ? 1 : -1;
              if (this->Relief[this->Target.offset(beside[0], beside[1], beside[2])] != Wall)
              {
                earliest = time;
              }
            }
          });
        if (earliest != Never)
        {
          notes.push_back({ cube + (upper ? step : -step), earliest, faceOf(axis, !upper) });
        }
      }
      step *= this->Cubes[axis];
    }
    this->store(space, box);
  }

  /// Copies a cube, and the faces of those beside it; what touches it by an edge alone may be
  /// another thread's.
  void load(Workspace<Key>& space, const Box& box) const
  {
    const Box around = box.grown(1).clipped(this->Padded);
    const Box inside = box.grown(1).clipped(this->Target);
    for (Index k = around.lo[2]; k <= around.hi[2]; ++k)
    {
      for (Index j = around.lo[1]; j <= around.hi[1]; ++j)
      {
        const int outside =
          (j < box.lo[1] || j > box.hi[1] ? 1 : 0) + (k < box.lo[2] || k > box.hi[2] ? 1 : 0);
        if (outside == 2)
        {
          continue;
        }
        const Index begin = outside ? box.lo[0] : around.lo[0];
        const Index end = outside ? box.hi[0] : around.hi[0];
        const std::int32_t place = space.place(begin - box.lo[0], j - box.lo[1], k - box.lo[2]);
        std::copy_n(this->Times.data() + this->Padded.offset(begin, j, k), end - begin + 1,
          space.times.data() + place);
        this->loadLabels(space, box, inside, begin, end, j, k);
        if (!outside)
        {
          std::copy_n(this->Relief + this->Target.offset(box.lo[0], j, k), box.dim(0),
            space.levels.data() + space.place(0, j - box.lo[1], k - box.lo[2]));
        }
      }
    }
  }

  /// The labels of a row: those of this block, and what is known of others around it.
  void loadLabels(Workspace<Key>& space, const Box& box, const Box& inside, Index begin, Index end,
    Index j, Index k) const
  {
    std::int32_t* labels = space.labels.data() + space.place(-1, j - box.lo[1], k - box.lo[2]);
    const Index origin = box.lo[0] - 1;
    for (int axis = 1; axis < 3; ++axis)
    {
      const Index at = axis == 1 ? j : k;
      if (at < this->Target.lo[axis] || at > this->Target.hi[axis])
      {
        const auto& face = this->Around[axis][at > this->Target.hi[axis] ? 1 : 0];
        std::copy_n(face.data() + this->inFace(axis, { begin, j, k }), end - begin + 1,
          labels + (begin - origin));
        return;
      }
    }
    const Index low = std::max(begin, inside.lo[0]), high = std::min(end, inside.hi[0]);
    this->Labels.readLabels(low, j, k, high - low + 1, labels + (low - origin));
    if (begin < low)
    {
      labels[begin - origin] = this->Around[0][0][this->inFace(0, { begin, j, k })];
    }
    if (end > high)
    {
      labels[end - origin] = this->Around[0][1][this->inFace(0, { end, j, k })];
    }
  }

  /// What is flooded before water came is a marker.
  void findMarkers(Workspace<Key>& space, const Box& box) const
  {
    for (Index r = 0; r < box.rows(); ++r)
    {
      const std::int32_t place = space.place(0, r % box.dim(1), r / box.dim(1));
      for (std::int32_t x = 0; x < static_cast<std::int32_t>(box.dim(0)); ++x)
      {
        if (space.times[static_cast<std::size_t>(place + x)] != Never)
        {
          space.rise(place + x);
        }
      }
    }
  }

  /// Writes the rows that have changed.
  void store(const Workspace<Key>& space, const Box& box)
  {
    const std::int32_t pitch = space.offset(1);
    const Index rows = box.dim(1) + 2;
    std::vector<char> changed(static_cast<std::size_t>(rows * (box.dim(2) + 2)), 0);
    for (const std::int32_t voxel : space.changed())
    {
      changed[static_cast<std::size_t>(voxel / pitch)] = 1;
    }
    for (Index r = 0; r < static_cast<Index>(changed.size()); ++r)
    {
      if (changed[static_cast<std::size_t>(r)])
      {
        const Index j = box.lo[1] + r % rows - 1, k = box.lo[2] + r / rows - 1;
        const Index place = r * pitch + 1;
        std::copy_n(space.times.data() + place, box.dim(0),
          this->Times.data() + this->Padded.offset(box.lo[0], j, k));
        this->Labels.writeLabels(box.lo[0], j, k, box.dim(0), space.labels.data() + place);
      }
    }
  }

  /// Calls work(voxel of the cube, its index) for the voxels of a face.
  template <class Work>
  static void forFace(
    const Workspace<Key>& space, const Box& box, int axis, bool upper, const Work& work)
  {
    const int a = first(axis), b = second(axis);
    Index at[3];
    at[axis] = upper ? box.hi[axis] : box.lo[axis];
    for (at[b] = box.lo[b]; at[b] <= box.hi[b]; ++at[b])
    {
      at[a] = box.lo[a];
      std::int32_t voxel = space.place(at[0] - box.lo[0], at[1] - box.lo[1], at[2] - box.lo[2]);
      for (; at[a] <= box.hi[a]; ++at[a], voxel += space.offset(a))
      {
        work(voxel, at);
      }
    }
  }

  Box Target;
  Box Padded;
  std::uint16_t* Relief;
  const WatershedLabels& Labels;
  Index Edges[3];
  Index Cubes[3];
  Buffer<Key> Times;
  std::vector<std::int32_t> Around[3][2]; ///< labels beside the target, below and above it
  // By cube: when the news arrives that woke it, at which faces, whether a thread has it, and
  // whether one ever had.
  std::vector<Key> Waiting;
  std::vector<unsigned char> From;
  std::vector<char> Busy;
  std::vector<char> Visited;
  std::set<std::pair<Key, Index>> Queue;
  std::vector<std::unique_ptr<Workspace<Key>>> Spaces;
  std::mutex Mutex;
  std::condition_variable Changed;
  int Active = 0;
  Index Quota = 0;
  bool Failed = false;
  bool Overflowed = false;
  Index Begun = 0;
  Index Visits = 0;
};

//------------------------------------------------------------------------------------------------
template <class Key>
Watershed<Key>::Watershed(
  const Box& target, const Box& whole, std::uint16_t* levels, const WatershedLabels& labels)
  : Self(std::make_unique<Implementation>(target, whole, levels, labels))
{
}

template <class Key>
Watershed<Key>::~Watershed() = default;

template <class Key>
void Watershed<Key>::start()
{
  this->Self->start();
}

template <class Key>
void Watershed<Key>::run(const Progress& progress)
{
  this->Self->run(progress);
}

template <class Key>
void Watershed<Key>::read(const Box& part, Flooded* out) const
{
  this->Self->read(part, out);
}

template <class Key>
bool Watershed<Key>::hear(int axis, bool upper, const Box& part, const Flooded* flooded)
{
  return this->Self->hear(axis, upper, part, flooded);
}

template <class Key>
bool Watershed<Key>::overflowed() const
{
  return this->Self->overflowed();
}

template <class Key>
void Watershed<Key>::giveBack()
{
  this->Self->giveBack();
}

template <class Key>
double Watershed<Key>::done() const
{
  return this->Self->done();
}

template <class Key>
Index Watershed<Key>::cubes() const
{
  return this->Self->count();
}

template <class Key>
Index Watershed<Key>::visits() const
{
  return this->Self->visits();
}

template class Watershed<std::uint32_t>;
template class Watershed<std::uint64_t>;

} // namespace segcore
