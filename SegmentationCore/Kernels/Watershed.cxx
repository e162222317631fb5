// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Watershed.h"

#include "Buffer.h"
#include "CubeQueue.h"
#include "StreamStore.h"
#include "Threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace segcore
{
namespace
{

/// Voxels along the edge of a cube.
constexpr Index Edge = 32;

constexpr int Levels = 65536;

constexpr std::uint16_t Wall = WatershedWall;

// A word of the relief: two numbers of 16 bits.
constexpr std::uint32_t wordOf(std::uint16_t upper, std::uint16_t lower)
{
  return std::uint32_t{ upper } << 16 | lower;
}
constexpr std::uint16_t upperOf(std::uint32_t word)
{
  return static_cast<std::uint16_t>(word >> 16);
}
constexpr std::uint16_t lowerOf(std::uint32_t word)
{
  return static_cast<std::uint16_t>(word);
}

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

/// The other axes.
constexpr int first(int axis)
{
  return axis == 0 ? 1 : 0;
}
constexpr int second(int axis)
{
  return axis == 2 ? 1 : 2;
}

/// The faces of a cube as bits.
constexpr unsigned AllFaces = 63;
constexpr unsigned faceOf(int axis, bool upper)
{
  return 1u << (2 * axis + (upper ? 1 : 0));
}

/// Numbers of voxels that wait for their level. Each number is in one list at most.
class LevelLists
{
public:
  static constexpr std::int32_t None = -1;

  /// For numbers below `size`, from the lowest level on.
  void begin(std::size_t size)
  {
    this->Heads.resize(Levels, None);
    this->reserve(size);
    this->Level = 0;
  }

  void reserve(std::size_t size)
  {
    if (this->Next.size() < size)
    {
      this->Next.resize(std::max(size, 2 * this->Next.size()));
    }
  }

  void put(std::uint16_t level, std::int32_t number)
  {
    this->Next[static_cast<std::size_t>(number)] = this->Heads[level];
    this->Heads[level] = number;
    this->Bits[level >> 6] |= std::uint64_t{ 1 } << (level & 63);
    this->Words[level >> 12] |= std::uint64_t{ 1 } << (level >> 6 & 63);
  }

  /// Takes the lowest level at which something waits; nothing may wait below the last one.
  bool next()
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
  std::uint16_t level() const { return this->Level; }

  /// Calls work(number) for all that wait at this level, which is empty then; work may put at
  /// higher ones.
  template <class Work>
  void take(const Work& work)
  {
    std::int32_t number = this->Heads[this->Level];
    this->Heads[this->Level] = None;
    while (number != None)
    {
      const std::int32_t next = this->Next[static_cast<std::size_t>(number)];
      work(number);
      number = next;
    }
  }

private:
  std::vector<std::int32_t> Heads;
  std::vector<std::int32_t> Next;
  // Levels at which something waits: a bit for each, and a bit for each 64 of them.
  std::array<std::uint64_t, Levels / 64> Bits{};
  std::array<std::uint64_t, Levels / 64 / 64> Words{};
  std::uint16_t Level = 0;
};

/// A cube with one voxel around it, of any edges.
class CubePlaces
{
public:
  explicit CubePlaces(const Index (&edges)[3])
    : Offsets{ 1, static_cast<std::int32_t>(edges[0] + 2),
      static_cast<std::int32_t>((edges[0] + 2) * (edges[1] + 2)) }
    , Size(static_cast<std::int32_t>(this->Offsets[2] * (edges[2] + 2)))
  {
  }
  CubePlaces() : CubePlaces({ 0, 0, 0 }) {}

  std::int32_t size() const { return this->Size; }
  std::int32_t place(Index x, Index y, Index z) const
  {
    return static_cast<std::int32_t>(
      x + 1 + this->Offsets[1] * (y + 1) + this->Offsets[2] * (z + 1));
  }
  /// To the next voxel along an axis.
  std::int32_t offset(int axis) const { return this->Offsets[static_cast<std::size_t>(axis)]; }
  /// To the six neighbours.
  std::array<std::int32_t, 6> around() const
  {
    return { -this->Offsets[2], -this->Offsets[1], -this->Offsets[0], this->Offsets[0],
      this->Offsets[1], this->Offsets[2] };
  }

private:
  std::array<std::int32_t, 3> Offsets;
  std::int32_t Size;
};

CubePlaces placesOf(const Box& box)
{
  return CubePlaces({ box.dim(0), box.dim(1), box.dim(2) });
}

/// Calls work(place in the cube, index) for the voxels of a face of a cube.
template <class Work>
void forFace(const CubePlaces& places, const Box& box, int axis, bool upper, const Work& work)
{
  const int a = first(axis), b = second(axis);
  Index at[3];
  at[axis] = upper ? box.hi[axis] : box.lo[axis];
  for (at[b] = box.lo[b]; at[b] <= box.hi[b]; ++at[b])
  {
    at[a] = box.lo[a];
    std::int32_t voxel = places.place(at[0] - box.lo[0], at[1] - box.lo[1], at[2] - box.lo[2]);
    for (; at[a] <= box.hi[a]; ++at[a], voxel += places.offset(a))
    {
      work(voxel, at);
    }
  }
}

/// Calls work(j, k) for the rows of a box, from several threads.
template <class Work>
void forRows(const Box& box, const Work& work)
{
  forRanges(box.rows(), 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        work(box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
      }
    });
}

/// The cubes with a voxel that row(j, k, found) sets in `found`, which has those of a row, 0 at
/// first. Calls it for all rows from several threads.
template <class Row>
std::vector<Index> cubesWhere(const CubeGrid& grid, const Row& row)
{
  const Box& target = grid.target();
  std::vector<std::atomic<bool>> marked(static_cast<std::size_t>(grid.count()));
  forRows(target,
    [&](Index j, Index k)
    {
      std::vector<char> found(static_cast<std::size_t>(target.dim(0)), 0);
      row(j, k, found.data());
      const Index first = grid.cubeOf(target.lo[0], j, k);
      for (Index x = 0; x < grid.dim(0); ++x)
      {
        const char* begin = found.data() + x * grid.edge(0);
        const Index count = std::min(grid.edge(0), target.dim(0) - x * grid.edge(0));
        if (std::any_of(begin, begin + count, [](char is) { return is != 0; }))
        {
          marked[static_cast<std::size_t>(first + x)] = true;
        }
      }
    });
  std::vector<Index> cubes;
  for (Index cube = 0; cube < grid.count(); ++cube)
  {
    if (marked[static_cast<std::size_t>(cube)])
    {
      cubes.push_back(cube);
    }
  }
  return cubes;
}

/// What is known of the voxels beside the faces of a block.
template <class Value>
class Surroundings
{
public:
  Surroundings(const Box& target, const Box& whole, Value unknown) : Target(target)
  {
    if (!whole.contains(target) || target.empty())
    {
      throw std::invalid_argument("the target block is not inside the image");
    }
    for (int a = 0; a < 3; ++a)
    {
      for (const int upper : { 0, 1 })
      {
        if (upper ? whole.hi[a] > target.hi[a] : whole.lo[a] < target.lo[a])
        {
          this->Faces[a][upper].assign(
            static_cast<std::size_t>(target.dim(first(a)) * target.dim(second(a))), unknown);
        }
      }
    }
  }

  /// Of the voxel on that side, of which the two other indices count. There must be one.
  Value& at(int axis, bool upper, const Index (&voxel)[3])
  {
    return this->Faces[axis][upper ? 1 : 0][this->inFace(axis, voxel)];
  }

  /// Whether there is anything on that side.
  bool exist(int axis, bool upper) const { return !this->Faces[axis][upper ? 1 : 0].empty(); }

  /// Calls work(index of the voxel in the target beside it) for all of `part`; it must lie on that
  /// side.
  template <class Work>
  void forNeighbours(int axis, bool upper, const Box& part, const Work& work) const
  {
    const Index step = upper ? -1 : 1;
    Box inside = part;
    inside.lo[axis] += step;
    inside.hi[axis] += step;
    if (part.lo[axis] != part.hi[axis] || !this->exist(axis, upper) ||
      !this->Target.contains(inside) || this->Target.contains(part))
    {
      throw std::invalid_argument("the voxels are not beside the block");
    }
    Index at[3];
    for (at[2] = inside.lo[2]; at[2] <= inside.hi[2]; ++at[2])
    {
      for (at[1] = inside.lo[1]; at[1] <= inside.hi[1]; ++at[1])
      {
        for (at[0] = inside.lo[0]; at[0] <= inside.hi[0]; ++at[0])
        {
          work(at);
        }
      }
    }
  }

private:
  std::size_t inFace(int axis, const Index (&at)[3]) const
  {
    const int u = first(axis), v = second(axis);
    return static_cast<std::size_t>(
      at[u] - this->Target.lo[u] + this->Target.dim(u) * (at[v] - this->Target.lo[v]));
  }

  Box Target;
  std::vector<Value> Faces[3][2];
};

void requireInside(const Box& target, const Box& part)
{
  if (!target.contains(part))
  {
    throw std::invalid_argument("the voxels are not in the block");
  }
}

/// Where the voxel beside a face of a cube lies in the array that stores the block.
Index besideFace(const Box& target, int axis, bool upper, const Index (&at)[3])
{
  Index beside[3] = { at[0], at[1], at[2] };
  beside[axis] += upper ? 1 : -1;
  return target.offset(beside[0], beside[1], beside[2]);
}

bool endsBlock(const Box& target, const Box& box, int axis, bool upper)
{
  return upper ? box.hi[axis] == target.hi[axis] : box.lo[axis] == target.lo[axis];
}

/// To the cube beside one, along an axis.
Index cubeStep(const CubeGrid& grid, int axis, bool upper)
{
  const Index step = axis == 0 ? 1 : axis == 1 ? grid.dim(0) : grid.dim(0) * grid.dim(1);
  return upper ? step : -step;
}

//------------------------------------------------------------------------------------------------
// The first flood

/// What one thread needs for a cube. A word has the pass and the level of a voxel; a pass of 0
/// where it is as low as the level, so cannot fall: then it is below all water. So it is around the
/// cube.
class PassSpace
{
public:
  CubePlaces places;
  std::vector<std::uint32_t> words;

  void begin(const CubePlaces& cube)
  {
    this->places = cube;
    this->words.assign(static_cast<std::size_t>(cube.size()), Wall);
    this->Lists.begin(this->words.size());
    this->Arrivals.clear();
    this->Any = false;
  }

  static std::uint32_t opened(std::uint32_t word)
  {
    return upperOf(word) == lowerOf(word) ? lowerOf(word) : word;
  }
  static std::uint32_t closed(std::uint32_t word)
  {
    return upperOf(word) == 0 ? wordOf(lowerOf(word), lowerOf(word)) : word;
  }

  std::uint16_t pass(std::int32_t voxel) const
  {
    return upperOf(closed(this->words[static_cast<std::size_t>(voxel)]));
  }

  /// Water rises from a voxel that has its pass.
  void rise(std::int32_t voxel)
  {
    this->Lists.put(this->pass(voxel), voxel);
    this->Any = true;
  }

  /// Water of that level comes to the voxel.
  void arrive(std::uint16_t level, std::int32_t voxel)
  {
    const std::uint32_t word = this->words[static_cast<std::size_t>(voxel)];
    if (upperOf(word) > level)
    {
      const auto number = this->words.size() + this->Arrivals.size();
      this->Lists.reserve(number + 1);
      this->Lists.put(std::max(level, lowerOf(word)), static_cast<std::int32_t>(number));
      this->Arrivals.push_back(voxel);
    }
  }

  /// Lowers all passes that fall. Returns whether any does, or water rises.
  bool flood()
  {
    const auto around = this->places.around();
    const auto size = static_cast<std::int32_t>(this->words.size());
    std::uint32_t* const known = this->words.data();
    while (this->Lists.next())
    {
      const std::uint16_t level = this->Lists.level();
      const std::uint32_t high = wordOf(level, 65535);
      const std::uint32_t upper = wordOf(level, 0);
      this->Stack.clear();
      this->Lists.take(
        [&](std::int32_t number)
        {
          if (number >= size)
          {
            // Else water in the cube was there before.
            number = this->Arrivals[static_cast<std::size_t>(number - size)];
            std::uint32_t& word = known[number];
            if (word <= high)
            {
              return;
            }
            word = lowerOf(word) == level ? level : upper | lowerOf(word);
            this->Any = true;
          }
          this->Stack.push_back(number);
        });
      while (!this->Stack.empty())
      {
        const std::int32_t voxel = this->Stack.back();
        this->Stack.pop_back();
        // Most voxels beside it are lower already, at random: one look at all six, without
        // branches.
        unsigned falls = 0;
        for (unsigned n = 0; n < 6; ++n)
        {
          falls |= static_cast<unsigned>(known[voxel + around[n]] > high) << n;
        }
        for (; falls; falls &= falls - 1)
        {
          const std::int32_t to = voxel + around[static_cast<std::size_t>(lowestBit(falls))];
          const std::uint16_t own = lowerOf(known[to]);
          if (own > level)
          {
            known[to] = own;
            this->Lists.put(own, to);
          }
          else
          {
            known[to] = own == level ? own : upper | own;
            this->Stack.push_back(to);
          }
        }
      }
    }
    return this->Any;
  }

private:
  LevelLists Lists;
  std::vector<std::int32_t> Arrivals; ///< voxels; their numbers in the lists go on after the cube's
  std::vector<std::int32_t> Stack;
  bool Any = false;
};

} // namespace

WatershedLabels::~WatershedLabels() = default;

//------------------------------------------------------------------------------------------------
class WatershedPasses::Implementation
{
public:
  Implementation(
    const Box& target, const Box& whole, std::uint32_t* relief, const WatershedLabels& labels)
    : Target(target)
    , Around(target, whole, Wall)
    , Relief(relief)
    , Labels(labels)
    , Queue(CubeGrid(target, Edge, true), CubeContact::Faces, Wall)
  {
  }

  void start()
  {
    const auto cubes = cubesWhere(this->Queue.grid(),
      [&](Index j, Index k, char* marked)
      {
        const Index i = this->Target.lo[0], count = this->Target.dim(0);
        std::uint32_t* words = this->Relief + this->Target.offset(i, j, k);
        std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
        this->Labels.readMarkers(i, j, k, count, labels.data());
        for (Index x = 0; x < count; ++x)
        {
          const std::int32_t label = labels[static_cast<std::size_t>(x)];
          const std::uint16_t level = label < 0 ? Wall : lowerOf(words[x]);
          words[x] = wordOf(label > 0 ? level : Wall, level);
          marked[x] = label > 0 && level != Wall ? 1 : 0;
        }
      });
    for (const Index cube : cubes)
    {
      this->Queue.wake(cube, 0, AllFaces);
    }
  }

  void run(const Progress& progress)
  {
    this->Queue.run(
      progress, [] { return std::make_unique<PassSpace>(); },
      [this](PassSpace& space, const Cubes::Visit& visit, std::vector<Cubes::News>& news)
      { this->flood(space, visit, news); }, [this] { return this->Queue.done(); });
  }

  void read(const Box& part, Message* out) const
  {
    requireInside(this->Target, part);
    for (Index r = 0; r < part.rows(); ++r)
    {
      const Index j = part.lo[1] + r % part.dim(1), k = part.lo[2] + r / part.dim(1);
      const std::uint32_t* words = this->Relief + this->Target.offset(part.lo[0], j, k);
      out = std::transform(words, words + part.dim(0), out, upperOf);
    }
  }

  bool hear(int axis, bool upper, const Box& part, const Message* message)
  {
    bool any = false;
    this->Around.forNeighbours(axis, upper, part,
      [&](const Index(&at)[3])
      {
        const std::uint16_t pass = *message++;
        const std::uint32_t word = this->Relief[this->Target.offset(at[0], at[1], at[2])];
        std::uint16_t& known = this->Around.at(axis, upper, at);
        if (pass < known && std::max(pass, lowerOf(word)) < upperOf(word))
        {
          this->Queue.wake(
            this->Queue.grid().cubeOf(at[0], at[1], at[2]), pass, faceOf(axis, upper));
          any = true;
        }
        known = pass;
      });
    return any;
  }

  void finish()
  {
    forRows(this->Target,
      [&](Index j, Index k)
      {
        const Index i = this->Target.lo[0], count = this->Target.dim(0);
        std::uint32_t* words = this->Relief + this->Target.offset(i, j, k);
        std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
        this->Labels.readMarkers(i, j, k, count, labels.data());
        for (Index x = 0; x < count; ++x)
        {
          const std::uint16_t pass = upperOf(words[x]);
          words[x] =
            labels[static_cast<std::size_t>(x)] > 0 ? wordOf(Wall, pass) : wordOf(pass, 65535);
        }
      });
  }

  const CubeQueue<std::uint16_t>& queue() const { return this->Queue; }

private:
  using Cubes = CubeQueue<std::uint16_t>;

  void flood(PassSpace& space, const Cubes::Visit& visit, std::vector<Cubes::News>& news)
  {
    const Box box = this->Queue.grid().boxOf(visit.cube);
    space.begin(placesOf(box));
    const CubePlaces& places = space.places;
    for (Index r = 0; r < box.rows(); ++r)
    {
      const Index y = r % box.dim(1), z = r / box.dim(1);
      const std::uint32_t* from =
        this->Relief + this->Target.offset(box.lo[0], box.lo[1] + y, box.lo[2] + z);
      const std::int32_t place = places.place(0, y, z);
      if (z + 1 < box.dim(2))
      {
        fetchSpan(from + this->Target.dim(0) * this->Target.dim(1), box.dim(0));
      }
      std::transform(from, from + box.dim(0), space.words.data() + place, PassSpace::opened);
      for (std::int32_t x = 0; visit.first && x < static_cast<std::int32_t>(box.dim(0)); ++x)
      {
        // Who has a pass before water came is a marker.
        if (from[x] < wordOf(Wall, 0))
        {
          space.rise(place + x);
        }
      }
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        if (!(visit.sides & faceOf(axis, upper)))
        {
          continue;
        }
        if (!endsBlock(this->Target, box, axis, upper))
        {
          forFace(places, box, axis, upper,
            [&](std::int32_t voxel, const Index(&at)[3])
            {
              space.arrive(upperOf(this->Relief[besideFace(this->Target, axis, upper, at)]), voxel);
            });
        }
        else if (this->Around.exist(axis, upper))
        {
          forFace(places, box, axis, upper, [&](std::int32_t voxel, const Index(&at)[3])
            { space.arrive(this->Around.at(axis, upper, at), voxel); });
        }
      }
    }
    if (!space.flood())
    {
      return;
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        if (endsBlock(this->Target, box, axis, upper))
        {
          continue; // other blocks are told by the caller
        }
        std::uint16_t earliest = Wall;
        forFace(places, box, axis, upper,
          [&](std::int32_t voxel, const Index(&at)[3])
          {
            const std::uint32_t beside = this->Relief[besideFace(this->Target, axis, upper, at)];
            const std::uint16_t level = std::max(space.pass(voxel), lowerOf(beside));
            earliest = level < upperOf(beside) ? std::min(earliest, level) : earliest;
          });
        if (earliest != Wall)
        {
          news.push_back({ visit.cube + cubeStep(this->Queue.grid(), axis, upper), earliest,
            faceOf(axis, !upper) });
        }
      }
    }
    for (Index r = 0; r < box.rows(); ++r)
    {
      const Index y = r % box.dim(1), z = r / box.dim(1);
      const std::uint32_t* from = space.words.data() + places.place(0, y, z);
      std::transform(from, from + box.dim(0),
        this->Relief + this->Target.offset(box.lo[0], box.lo[1] + y, box.lo[2] + z),
        PassSpace::closed);
    }
  }

  Box Target;
  Surroundings<std::uint16_t> Around;
  std::uint32_t* Relief; ///< the pass of each voxel, and its level
  const WatershedLabels& Labels;
  Cubes Queue;
};

namespace
{

//------------------------------------------------------------------------------------------------
// The second flood

/// What one thread needs for a cube. What is around it has the level of a wall, as have markers:
/// such a level is above every time, so that no water enters.
template <class Key>
class FloodSpace
{
public:
  using Flood = Watershed<Key>;

  CubePlaces places;
  std::vector<Key> times;
  std::vector<std::int32_t> labels;
  std::vector<std::uint16_t> levels; ///< the passes

  /// A cube begins; all is wall.
  void begin(const CubePlaces& cube)
  {
    this->places = cube;
    this->Size = cube.size();
    const auto size = static_cast<std::size_t>(this->Size);
    this->times.assign(size, Flood::Never);
    this->labels.assign(size, 0);
    this->levels.assign(size, Wall);
    this->Lists.begin(size);
    // Numbers of waves go on from cube to cube, so that stamps need not be cleared.
    constexpr std::uint32_t many = std::uint32_t{ 1 } << 28;
    if (this->Stamps.size() < size || this->Number > many)
    {
      this->Stamps.assign(std::max(this->Stamps.size(), size), 0);
      this->Number = 0;
    }
    this->First = ++this->Number;
    this->Arrivals.clear();
    this->Changed.clear();
    this->Overflowed = false;
  }

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
    if (now > known || this->isAbove(now, voxel) || (now == known && !this->mustChange(voxel)))
    {
      return;
    }
    const std::size_t number = this->times.size() + this->Arrivals.size();
    this->Lists.reserve(number + 1);
    this->Lists.put(levelOf(time), static_cast<std::int32_t>(number));
    this->Arrivals.push_back({ time, this->labels[static_cast<std::size_t>(from)], voxel });
  }

  /// Floods all that comes earlier now, or with another label.
  void flood()
  {
    while (this->Lists.next())
    {
      this->Wave.clear();
      this->Now.clear();
      this->Lists.take(
        [&](std::int32_t number)
        {
          if (number < this->Size)
          {
            this->Wave.push_back(number);
          }
          else
          {
            this->Now.push_back(this->Arrivals[static_cast<std::size_t>(number - this->Size)]);
          }
        });
      if (this->Now.size() > 1)
      {
        std::sort(this->Now.begin(), this->Now.end(),
          [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
      }
      auto arrival = this->Now.begin();
      for (Key time = Key{ this->Lists.level() } << Flood::HopBits;; ++time)
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

  static std::uint16_t levelOf(Key time)
  {
    return static_cast<std::uint16_t>(time >> Flood::HopBits);
  }

  /// The time of a voxel if a neighbour is flooded at `time`.
  Key after(Key time, std::int32_t voxel) const
  {
    return std::max(
      static_cast<Key>(Key{ this->levels[static_cast<std::size_t>(voxel)] } << Flood::HopBits),
      static_cast<Key>(time + 1));
  }

  /// Whether that time cannot be its own, as there is a lower way to it.
  bool isAbove(Key time, std::int32_t voxel) const
  {
    return levelOf(time) > this->levels[static_cast<std::size_t>(voxel)];
  }

  /// The label of a voxel by what its neighbours are at.
  std::int32_t due(std::int32_t voxel) const
  {
    Key earliest = Flood::Never;
    std::int32_t label = 0;
    for (const std::int32_t offset : this->places.around())
    {
      const auto at = static_cast<std::size_t>(voxel + offset);
      const Key time = this->times[at];
      if (time < earliest || (time == earliest && this->labels[at] < label))
      {
        earliest = time;
        label = this->labels[at];
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
    this->Lists.put(levelOf(this->times[static_cast<std::size_t>(voxel)]), voxel);
  }

  /// The water of a wave comes to what is beside it.
  void spread(Key time)
  {
    // Most voxels beside it are flooded already, at random: one look at all six, without branches.
    const Key* const known = this->times.data();
    const auto around = this->places.around();
    for (const std::int32_t voxel : this->Wave)
    {
      unsigned later = 0;
      for (unsigned n = 0; n < 6; ++n)
      {
        later |= static_cast<unsigned>(known[voxel + around[n]] > time) << n;
      }
      if (later)
      {
        const std::int32_t label = this->labels[static_cast<std::size_t>(voxel)];
        for (; later; later &= later - 1)
        {
          this->reach(voxel + around[static_cast<std::size_t>(lowestBit(later))], time, label);
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
      if (this->isAbove(now, voxel))
      {
        return;
      }
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
    else if (this->Stamps[at] < 4 * this->First && this->labels[at] != label)
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
    if (levelOf(this->times[at]) == this->Lists.level())
    {
      this->After.push_back(voxel);
    }
    else
    {
      this->push(voxel);
    }
  }

  static constexpr Key HopMask = (Key{ 1 } << Flood::HopBits) - 1;

  std::int32_t Size = 0;
  LevelLists Lists; ///< voxels, and arrivals from Size on
  std::vector<Arrival> Arrivals;
  std::vector<Arrival> Now; ///< those of this level
  std::vector<std::int32_t> Wave, After, Changed;
  std::vector<std::uint32_t> Stamps; ///< 4 times the number of a wave, and what it did
  std::uint32_t First = 0;
  std::uint32_t Number = 0;
  bool Overflowed = false;
};

} // namespace

//------------------------------------------------------------------------------------------------
template <class Key>
class Watershed<Key>::Implementation
{
public:
  Implementation(
    const Box& target, const Box& whole, std::uint32_t* passes, const WatershedLabels& labels)
    : Target(target)
    , Around(target, whole, Flooded())
    , Passes(passes)
    , Labels(labels)
    , Queue(CubeGrid(target, Edge, true), CubeContact::Faces, Never)
  {
    if constexpr (Wide)
    {
      this->Rest = Buffer<std::uint32_t>(target.size());
    }
  }

  void start()
  {
    const auto cubes = cubesWhere(this->Queue.grid(),
      [&](Index j, Index k, char* marked)
      {
        const Index i = this->Target.lo[0], count = this->Target.dim(0);
        const Index offset = this->Target.offset(i, j, k);
        std::uint32_t* words = this->Passes + offset;
        std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
        this->Labels.readMarkers(i, j, k, count, labels.data());
        for (Index x = 0; x < count; ++x)
        {
          const bool marker = isMarker(words[x]);
          marked[x] = marker ? 1 : 0;
          if (!marker)
          {
            labels[static_cast<std::size_t>(x)] = 0;
            words[x] |= 65535;
          }
          if constexpr (Wide)
          {
            this->Rest[offset + x] = ~std::uint32_t{ 0 };
          }
        }
        this->Labels.writeLabels(i, j, k, count, labels.data());
      });
    for (const Index cube : cubes)
    {
      this->Queue.wake(cube, 0, AllFaces);
    }
  }

  void run(const Progress& progress)
  {
    this->Queue.run(
      progress, [] { return std::make_unique<FloodSpace<Key>>(); },
      [this](FloodSpace<Key>& space, const typename Cubes::Visit& visit,
        std::vector<typename Cubes::News>& news) { this->flood(space, visit, news); },
      [this] { return this->Queue.done(); });
  }

  void read(const Box& part, Message* out) const
  {
    requireInside(this->Target, part);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(part.dim(0)));
    for (Index r = 0; r < part.rows(); ++r)
    {
      const Index j = part.lo[1] + r % part.dim(1), k = part.lo[2] + r / part.dim(1);
      this->Labels.readLabels(part.lo[0], j, k, part.dim(0), labels.data());
      const Index offset = this->Target.offset(part.lo[0], j, k);
      for (Index x = 0; x < part.dim(0); ++x)
      {
        const Key time = this->timeAt(offset + x);
        *out++ = { time, time == Never ? 0 : labels[static_cast<std::size_t>(x)] };
      }
    }
  }

  bool hear(int axis, bool upper, const Box& part, const Message* message)
  {
    bool any = false;
    this->Around.forNeighbours(axis, upper, part,
      [&](const Index(&at)[3])
      {
        const Flooded now = *message++;
        Flooded& known = this->Around.at(axis, upper, at);
        if (now.time == known.time && now.label == known.label)
        {
          return;
        }
        known = now;
        const Index offset = this->Target.offset(at[0], at[1], at[2]);
        Flooded inside{ this->timeAt(offset), 0 };
        this->Labels.readLabels(at[0], at[1], at[2], 1, &inside.label);
        if (this->changes(now, offset, inside))
        {
          this->Queue.wake(
            this->Queue.grid().cubeOf(at[0], at[1], at[2]), now.time, faceOf(axis, upper));
          any = true;
        }
      });
    return any;
  }

  bool overflowed() const { return this->Overflowed; }
  const CubeQueue<Key>& queue() const { return this->Queue; }

private:
  using Cubes = CubeQueue<Key>;

  static constexpr bool Wide = sizeof(Key) > 4;
  static constexpr Key HopMask = (Key{ 1 } << HopBits) - 1;

  // A word of Passes: pass and hops, all bits of which are set if it is not flooded; of a marker
  // the pass of a wall and its own level.
  static bool isMarker(std::uint32_t word)
  {
    return upperOf(word) == Wall && lowerOf(word) != Wall;
  }

  // Without branches, so that rows are read and written several voxels at a time.
  static Key timeOf(std::uint32_t word, std::uint32_t rest)
  {
    const Key lower = lowerOf(word);
    const Key hops =
      Wide ? static_cast<Key>(static_cast<std::uint64_t>(rest) << 16) | lower : lower;
    const Key time = static_cast<Key>(Key{ upperOf(word) } << HopBits) | hops;
    const bool wall = upperOf(word) == Wall;
    return (wall ? lower == Wall : hops == HopMask) ? Never
      : wall                                        ? static_cast<Key>(lower << HopBits)
                                                    : time;
  }
  Key timeAt(Index offset) const
  {
    return timeOf(this->Passes[offset], Wide ? this->Rest[offset] : 0);
  }

  void readTimes(Index offset, Index count, Key* times) const
  {
    const std::uint32_t* words = this->Passes + offset;
    const std::uint32_t* rest = Wide ? this->Rest.data() + offset : words;
    for (Index x = 0; x < count; ++x)
    {
      times[x] = timeOf(words[x], rest[x]);
    }
  }

  void writeTimes(Index offset, Index count, const Key* times)
  {
    std::uint32_t* words = this->Passes + offset;
    for (Index x = 0; x < count; ++x)
    {
      // Hops of what is never flooded are all set in it.
      const std::uint32_t word = words[x];
      words[x] =
        upperOf(word) == Wall ? word : wordOf(upperOf(word), static_cast<std::uint16_t>(times[x]));
    }
    if constexpr (Wide)
    {
      std::uint32_t* rest = this->Rest.data() + offset;
      for (Index x = 0; x < count; ++x)
      {
        rest[x] = static_cast<std::uint32_t>(times[x] >> 16);
      }
    }
  }

  /// Whether something changes where water that is at `from` comes to a voxel beside it, which is
  /// at `to`; not if that has the label already.
  bool changes(const Flooded& from, Index offset, const Flooded& to) const
  {
    const std::uint16_t pass = upperOf(this->Passes[offset]);
    const Key now =
      std::max(static_cast<Key>(Key{ pass } << HopBits), static_cast<Key>(from.time + 1));
    return from.time < to.time && pass != Wall && from.time >> HopBits <= pass &&
      (now < to.time || from.label != to.label);
  }

  void flood(FloodSpace<Key>& space, const typename Cubes::Visit& visit,
    std::vector<typename Cubes::News>& news)
  {
    const Box box = this->Queue.grid().boxOf(visit.cube);
    space.begin(placesOf(box));
    this->load(space, box);
    if (visit.first)
    {
      this->findMarkers(space, box);
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        const std::int32_t outwards =
          upper ? space.places.offset(axis) : -space.places.offset(axis);
        if (visit.sides & faceOf(axis, upper))
        {
          forFace(space.places, box, axis, upper, [&](std::int32_t voxel, const Index(&)[3])
            { space.arrive(voxel + outwards, voxel, visit.time); });
        }
      }
    }
    space.flood();
    if (space.overflowed())
    {
      this->Overflowed = true;
    }
    if (space.changed().empty())
    {
      return;
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        const std::int32_t outwards =
          upper ? space.places.offset(axis) : -space.places.offset(axis);
        if (endsBlock(this->Target, box, axis, upper))
        {
          continue; // other blocks are told by the caller
        }
        Key earliest = Never;
        forFace(space.places, box, axis, upper,
          [&](std::int32_t voxel, const Index(&at)[3])
          {
            const auto here = static_cast<std::size_t>(voxel);
            const auto there = static_cast<std::size_t>(voxel + outwards);
            const Key time = space.times[here];
            if (time < earliest && space.hasChanged(voxel) &&
              this->changes({ time, space.labels[here] }, besideFace(this->Target, axis, upper, at),
                { space.times[there], space.labels[there] }))
            {
              earliest = time;
            }
          });
        if (earliest != Never)
        {
          news.push_back({ visit.cube + cubeStep(this->Queue.grid(), axis, upper), earliest,
            faceOf(axis, !upper) });
        }
      }
    }
    this->store(space, box);
  }

  /// Copies a cube, and the faces of those beside it; what touches it by an edge alone may be
  /// another thread's.
  void load(FloodSpace<Key>& space, const Box& box)
  {
    const Box inside = box.grown(1).clipped(this->Target);
    for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
    {
      for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
      {
        const int outside =
          (j < box.lo[1] || j > box.hi[1] ? 1 : 0) + (k < box.lo[2] || k > box.hi[2] ? 1 : 0);
        if (outside == 2)
        {
          continue;
        }
        const Index begin = outside ? box.lo[0] : inside.lo[0];
        const Index end = outside ? box.hi[0] : inside.hi[0];
        const Index offset = this->Target.offset(begin, j, k);
        const std::int32_t place =
          space.places.place(begin - box.lo[0], j - box.lo[1], k - box.lo[2]);
        if (k < inside.hi[2])
        {
          fetchSpan(this->Passes + this->Target.offset(begin, j, k + 1), end - begin + 1);
        }
        this->readTimes(offset, end - begin + 1, space.times.data() + place);
        this->Labels.readLabels(begin, j, k, end - begin + 1, space.labels.data() + place);
        if (!outside)
        {
          const std::uint32_t* words = this->Passes + this->Target.offset(box.lo[0], j, k);
          std::transform(words, words + box.dim(0),
            space.levels.data() + space.places.place(0, j - box.lo[1], k - box.lo[2]), upperOf);
        }
      }
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool upper : { false, true })
      {
        if (endsBlock(this->Target, box, axis, upper) && this->Around.exist(axis, upper))
        {
          const std::int32_t outwards =
            upper ? space.places.offset(axis) : -space.places.offset(axis);
          forFace(space.places, box, axis, upper,
            [&](std::int32_t voxel, const Index(&at)[3])
            {
              const Flooded& beside = this->Around.at(axis, upper, at);
              space.times[static_cast<std::size_t>(voxel + outwards)] = beside.time;
              space.labels[static_cast<std::size_t>(voxel + outwards)] = beside.label;
            });
        }
      }
    }
  }

  /// Who is flooded before water came is a marker.
  void findMarkers(FloodSpace<Key>& space, const Box& box) const
  {
    for (Index r = 0; r < box.rows(); ++r)
    {
      const std::int32_t place = space.places.place(0, r % box.dim(1), r / box.dim(1));
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
  void store(const FloodSpace<Key>& space, const Box& box)
  {
    const std::int32_t pitch = space.places.offset(1);
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
        const Index offset = this->Target.offset(box.lo[0], j, k);
        this->writeTimes(offset, box.dim(0), space.times.data() + place);
        this->Labels.writeLabels(box.lo[0], j, k, box.dim(0), space.labels.data() + place);
      }
    }
  }

  Box Target;
  Surroundings<Flooded> Around;
  std::uint32_t* Passes;
  Buffer<std::uint32_t> Rest; ///< the upper bits of hops in wide keys
  const WatershedLabels& Labels;
  Cubes Queue;
  std::atomic<bool> Overflowed{ false };
};

//------------------------------------------------------------------------------------------------
WatershedPasses::WatershedPasses(
  const Box& target, const Box& whole, std::uint32_t* relief, const WatershedLabels& labels)
  : Self(std::make_unique<Implementation>(target, whole, relief, labels))
{
}

WatershedPasses::~WatershedPasses() = default;

void WatershedPasses::start()
{
  this->Self->start();
}

void WatershedPasses::run(const Progress& progress)
{
  this->Self->run(progress);
}

void WatershedPasses::read(const Box& part, Message* out) const
{
  this->Self->read(part, out);
}

bool WatershedPasses::hear(int axis, bool upper, const Box& part, const Message* message)
{
  return this->Self->hear(axis, upper, part, message);
}

void WatershedPasses::finish()
{
  this->Self->finish();
}

double WatershedPasses::done() const
{
  return this->Self->queue().done();
}

Index WatershedPasses::cubes() const
{
  return this->Self->queue().grid().count();
}

Index WatershedPasses::visits() const
{
  return this->Self->queue().visits();
}

//------------------------------------------------------------------------------------------------
template <class Key>
Watershed<Key>::Watershed(
  const Box& target, const Box& whole, std::uint32_t* passes, const WatershedLabels& labels)
  : Self(std::make_unique<Implementation>(target, whole, passes, labels))
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
void Watershed<Key>::read(const Box& part, Message* out) const
{
  this->Self->read(part, out);
}

template <class Key>
bool Watershed<Key>::hear(int axis, bool upper, const Box& part, const Message* message)
{
  return this->Self->hear(axis, upper, part, message);
}

template <class Key>
bool Watershed<Key>::overflowed() const
{
  return this->Self->overflowed();
}

template <class Key>
double Watershed<Key>::done() const
{
  return this->Self->queue().done();
}

template <class Key>
Index Watershed<Key>::cubes() const
{
  return this->Self->queue().grid().count();
}

template <class Key>
Index Watershed<Key>::visits() const
{
  return this->Self->queue().visits();
}

template class Watershed<std::uint32_t>;
template class Watershed<std::uint64_t>;

} // namespace segcore
