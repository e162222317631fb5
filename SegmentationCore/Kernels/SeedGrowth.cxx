// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SeedGrowth.h"

#include "BucketQueue.h"
#include "CubeQueue.h"
#include "Instructions.h"
#include "PackBits.h"
#include "StreamStore.h"
#include "Threads.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#ifdef SEGCORE_CHOOSES_WIDE
#include <immintrin.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SEGCORE_SSE2
#endif

namespace segcore
{
namespace
{

/// Voxels along the edge of a cube.
constexpr int Edge = 32;
/// Voxel (x, y, z) of a cube lies at place(x, y, z). There is a wall around it, so that all voxels
/// have neighbours on all sides, and rows are longer still, so that four voxels can be read from
/// any neighbour on.
constexpr int Pitch = Edge + 8;
constexpr int Rows = Edge + 2;
constexpr int place(int x, int y, int z)
{
  return ((z + 1) * Rows + y + 1) * Pitch + 4 + x;
}
constexpr int CubeSize = Rows * Rows * Pitch;

constexpr int Buckets = 2048;
/// Voxels whose neighbours are looked at before one of these is changed.
constexpr int Batch = 64;
/// Rows of a cube that are asked for ahead.
constexpr int Ahead = 8;
/// Cubes are taken in stages of as many buckets' keys.
constexpr int StageBits = 8;

/// Directions to the 26 neighbours and to itself: 13 + dx + 3 dy + 9 dz.
constexpr int Itself = 13;
/// All of them, and whatever is inside.
constexpr int Everything = 27;
constexpr std::int32_t offsetTo(int direction)
{
  return place(direction % 3 - 1, direction / 3 % 3 - 1, direction / 9 - 1) - place(0, 0, 0);
}

constexpr std::array<std::int32_t, 27> Offsets = []
{
  std::array<std::int32_t, 27> offsets{};
  for (int n = 0; n < 27; ++n)
  {
    offsets[static_cast<std::size_t>(n)] = offsetTo(n);
  }
  return offsets;
}();

template <bool Fast>
Index onesOf(Word word)
{
#ifdef SEGCORE_CHOOSES_WIDE
  if constexpr (Fast)
  {
    return __builtin_popcountll(word); // one instruction, where these are allowed
  }
#endif
  return countOnes(word);
}

/// The voxels outside a cube that touch one of its faces, from -1 to Edge in both directions.
template <class Key>
struct Face
{
  static constexpr int Pitch = Edge + 8;
  static constexpr int place(int u, int v) { return (v + 1) * Pitch + 4 + u; }
  using Plane = std::array<Key, static_cast<std::size_t>((Edge + 2) * Pitch)>;
  Plane keys{}, levels{};
};

#ifdef SEGCORE_CHOOSES_WIDE
#define SEGCORE_AVX2 __attribute__((target("avx2"))) inline

SEGCORE_AVX2 __m128i rowAt(const std::int32_t* values)
{
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

/// Which of four voxels each in two rows, of which these are the first ones, get a lower key.
SEGCORE_AVX2 __m256i improvedPair(const std::int32_t* keys, const std::int32_t* levels,
  std::int32_t row, std::int32_t next, __m256i level, __m256i key, const std::int32_t* steps)
{
  const __m256i known =
    _mm256_inserti128_si256(_mm256_castsi128_si256(rowAt(keys + row)), rowAt(keys + next), 1);
  const __m256i to =
    _mm256_inserti128_si256(_mm256_castsi128_si256(rowAt(levels + row)), rowAt(levels + next), 1);
  const __m256i step = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(steps));
  const __m256i cost = _mm256_abs_epi32(_mm256_sub_epi32(level, to));
  return _mm256_cmpgt_epi32(known, _mm256_add_epi32(cost, _mm256_add_epi32(key, step)));
}

/// Which of the 27 voxels around `voxel` a way through it improves: a bit for each, in fours of
/// rows along x, the last of which means nothing. `steps` are those of the nine rows.
SEGCORE_AVX2 std::uint64_t improved(const std::int32_t* keys, const std::int32_t* levels,
  std::int32_t voxel, std::int32_t key, const std::int32_t* steps)
{
  keys += voxel;
  levels += voxel;
  const __m256i level = _mm256_set1_epi32(*levels);
  const __m256i so = _mm256_set1_epi32(key);
  const __m256i first =
    _mm256_packs_epi32(improvedPair(keys, levels, offsetTo(0), offsetTo(3), level, so, steps),
      improvedPair(keys, levels, offsetTo(6), offsetTo(9), level, so, steps + 8));
  const __m256i second = _mm256_packs_epi32(
    improvedPair(keys, levels, offsetTo(12), offsetTo(15), level, so, steps + 16),
    improvedPair(keys, levels, offsetTo(18), offsetTo(21), level, so, steps + 24));
  const __m128i cost =
    _mm_abs_epi32(_mm_sub_epi32(_mm256_castsi256_si128(level), rowAt(levels + offsetTo(24))));
  const __m128i last = _mm_cmpgt_epi32(rowAt(keys + offsetTo(24)),
    _mm_add_epi32(cost, _mm_add_epi32(_mm256_castsi256_si128(so), rowAt(steps + 32))));
  const auto eight =
    static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(first, second)));
  const auto ninth = static_cast<std::uint64_t>(_mm_movemask_ps(_mm_castsi128_ps(last)));
  return eight | ninth << 32;
}

/// The direction of each bit; packing goes by halves of the registers: even rows first.
constexpr std::array<std::int8_t, 36> DirectionOfBit = []
{
  std::array<std::int8_t, 36> directions{};
  for (int bit = 0; bit < 36; ++bit)
  {
    const int four = bit / 4;
    const int row = four < 4 ? 2 * four : four < 8 ? 2 * four - 7 : 8;
    directions[static_cast<std::size_t>(bit)] = static_cast<std::int8_t>(3 * row + bit % 4 % 3);
  }
  return directions;
}();
#endif

/// What one thread needs for a cube.
template <class Key>
struct Workspace
{
  using Waiting = BucketQueue<Key, Buckets>;
  static_assert(CubeSize <= 1 << Waiting::PlaceBits, "a voxel does not fit the queue");

  std::vector<Key> keys;
  std::vector<Key> levels;
  std::vector<std::int32_t> row = std::vector<std::int32_t>(Edge + 2);
  Face<Key> face;
  Waiting queue;
  // What was taken from it, with the neighbours to which the way through it is better.
  struct Ready
  {
    Key key;
    std::int32_t voxel;
  };
  std::array<Ready, Batch + Waiting::Most> ready{};
  std::array<Word, Batch + Waiting::Most + 2> better{};
  // What was taken from it too early.
  std::vector<Ready> later;

  Workspace(Key wall, int shift)
    : keys(static_cast<std::size_t>(CubeSize), wall)
    , levels(static_cast<std::size_t>(CubeSize), Key{ 0 })
    , queue(shift)
  {
  }
};

} // namespace

SeedGrowthLevels::~SeedGrowthLevels() = default;

void SeedGrowthLevels::expect(Index, Index, Index, Index) const {}

//------------------------------------------------------------------------------------------------
template <class Key>
class SeedGrowth<Key>::Implementation
{
public:
  Implementation(const Box& target, const Box& padded, const SeedGrowthLevels& levels,
    const SeedGrowthCosts& costs)
    : Target(target)
    , Padded(padded)
    , Levels(levels)
    , LabelBits(costs.labelBits)
    , Keys(padded.size())
  {
    if (!padded.contains(target))
    {
      throw std::invalid_argument("the target block is not inside its padded box");
    }
    if (!fits(costs))
    {
      throw std::invalid_argument("the costs of steps do not fit the keys");
    }
    std::int32_t largest = 0;
    for (int n = 0; n < 27; ++n)
    {
      const int dx = n % 3 - 1, dy = n / 3 % 3 - 1, dz = n / 9 - 1;
      const std::int32_t step = costs.step[dx != 0][dy != 0][dz != 0];
      largest = std::max(largest, step);
      this->Steps[n] = static_cast<Key>(step) << this->LabelBits;
    }
    for (int row = 0; row < 4; ++row)
    {
      for (int x = 0; x < 3; ++x)
      {
        this->StepRows[static_cast<std::size_t>(4 * row + x)] =
          static_cast<Key>(costs.step[x != 1][row & 1][row >> 1]) << this->LabelBits;
      }
    }
    for (int row = 0; row < 9; ++row)
    {
      const bool y = row % 3 != 1, z = row / 3 != 1;
      std::copy_n(this->StepRows.data() + 4 * (y + 2 * z), 4, this->StepsOfRows.data() + 4 * row);
    }
    for (std::size_t bit = 0; bit < 27; ++bit)
    {
      this->Bits[0][bit] = { Offsets[bit], this->Steps[bit] };
    }
#ifdef SEGCORE_CHOOSES_WIDE
    for (std::size_t bit = 0; bit < DirectionOfBit.size(); ++bit)
    {
      const auto n = static_cast<std::size_t>(DirectionOfBit[bit]);
      this->Bits[1][bit] = { Offsets[n], this->Steps[n] };
    }
#endif
    // What a voxel queues is less than one turn of the buckets ahead of it.
    const Key longest = (static_cast<Key>(costs.largestDifference) + largest) << this->LabelBits;
    while ((longest >> this->Shift) >= Buckets - 2)
    {
      ++this->Shift;
    }
    this->Queue.emplace(
      CubeGrid(target, Edge, false), CubeContact::All, Unreached, this->Shift + StageBits);
    // Edges and corners belong to the first face that they touch.
    for (int n = 0; n < 27; ++n)
    {
      const int d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
      for (const int a : { 2, 1, 0 })
      {
        if (d[a] != 0)
        {
          this->OfFace[a][d[a] > 0] |= 1u << n;
          break;
        }
      }
    }
  }

  void start()
  {
    std::mutex mutex;
    forRanges(this->Padded.rows(), 64,
      [&](Index begin, Index end)
      {
        std::vector<std::int32_t> levels(static_cast<std::size_t>(this->Padded.dim(0)));
        for (Index r = begin; r < end; ++r)
        {
          const Index j = this->Padded.lo[1] + r % this->Padded.dim(1);
          const Index k = this->Padded.lo[2] + r / this->Padded.dim(1);
          Key* keys = this->Keys.data() + this->Padded.offset(this->Padded.lo[0], j, k);
          this->Levels.row(this->Padded.lo[0], j, k, this->Padded.dim(0), levels.data());
          std::set<Index> woken;
          for (Index x = 0; x < this->Padded.dim(0); ++x)
          {
            const Index i = this->Padded.lo[0] + x;
            keys[x] = levels[static_cast<std::size_t>(x)] < 0 ? Wall : keys[x];
            if (keys[x] < 0 && keys[x] != Wall && this->Target.contains(i, j, k))
            {
              woken.insert(this->cubeOf(i, j, k));
            }
          }
          const std::lock_guard<std::mutex> lock(mutex);
          for (const Index cube : woken)
          {
            this->wake(cube, 0, Itself);
          }
        }
      });
  }

  void keepSurroundings()
  {
    this->Kept.clear();
    this->forSurroundings([&](Index, Index, Index, Key key) { this->Kept.push_back(key); });
  }

  News hearSurroundings()
  {
    News news;
    std::size_t at = 0;
    std::vector<Lost> lost;
    this->forSurroundings(
      [&](Index i, Index j, Index k, Key key)
      {
        const Key before = this->Kept[at++];
        if (key == before)
        {
          return;
        }
        if (before != Wall && before != Unreached && real(before) < real(key))
        {
          lost.push_back({ i, j, k, real(before) });
        }
        if (key == Wall || key == Unreached)
        {
          return;
        }
        news.woken = true;
        // Of its neighbours in the target, each cube once.
        const CubeGrid& grid = this->Queue->grid();
        Index first[3], last[3];
        const Index voxel[3] = { i, j, k };
        for (int a = 0; a < 3; ++a)
        {
          first[a] = (std::max(voxel[a] - 1, this->Target.lo[a]) - this->Target.lo[a]) / Edge;
          last[a] = (std::min(voxel[a] + 1, this->Target.hi[a]) - this->Target.lo[a]) / Edge;
        }
        for (Index z = first[2]; z <= last[2]; ++z)
        {
          for (Index y = first[1]; y <= last[1]; ++y)
          {
            for (Index x = first[0]; x <= last[0]; ++x)
            {
              const Index cube[3] = { x, y, z };
              int from = Itself;
              for (int a = 0, unit = 1; a < 3; ++a, unit *= 3)
              {
                const Index low = this->Target.lo[a] + cube[a] * Edge;
                const Index high = std::min(low + Edge - 1, this->Target.hi[a]);
                from += unit * (voxel[a] < low ? -1 : voxel[a] > high ? 1 : 0);
              }
              this->wake(x + grid.dim(0) * (y + grid.dim(1) * z), real(key), from);
            }
          }
        }
      });
    news.takenBack = this->takeBack(lost);
    return news;
  }

  bool changeSeeds(const SeedRows& seeds)
  {
    struct Change
    {
      Index i, j, k;
      Key key;
    };
    std::vector<Change> changes;
    std::atomic<bool> possible{ true };
    const Index most = std::max<Index>(Index{ 1 } << 16, this->Target.size() / 16);
    std::mutex mutex;
    forRanges(this->Target.rows(), 64,
      [&](Index begin, Index end)
      {
        const Index length = this->Target.dim(0);
        std::vector<std::int32_t> labels(static_cast<std::size_t>(length));
        std::vector<Change> part;
        for (Index r = begin; r < end && possible; ++r)
        {
          const Index i = this->Target.lo[0], j = this->Target.lo[1] + r % this->Target.dim(1),
                      k = this->Target.lo[2] + r / this->Target.dim(1);
          seeds(i, j, k, length, labels.data());
          const Key* keys = this->Keys.data() + this->Padded.offset(i, j, k);
          for (Index x = 0; x < length; ++x)
          {
            const std::int32_t now = labels[static_cast<std::size_t>(x)];
            const Key key = keys[x];
            if (key == Wall)
            {
              std::int32_t level = 0;
              this->Levels.row(i + x, j, k, 1, &level);
              possible = possible && (now < 0 || level < 0);
            }
            else if (now < 0)
            {
              possible = false;
            }
            else if (now > 0 ? key != seed(now) : key < 0)
            {
              part.push_back({ i + x, j, k, now > 0 ? seed(now) : Unreached });
            }
          }
        }
        const std::lock_guard<std::mutex> lock(mutex);
        changes.insert(changes.end(), part.begin(), part.end());
        possible = possible && static_cast<Index>(changes.size()) <= most;
      });
    if (!possible)
    {
      return false;
    }
    std::vector<Lost> lost;
    for (const Change& change : changes)
    {
      Key& key = this->Keys[this->Padded.offset(change.i, change.j, change.k)];
      if (key != Unreached && real(key) < real(change.key))
      {
        lost.push_back({ change.i, change.j, change.k, real(key) });
      }
      this->Reached -= key >= 0 && key != Unreached ? 1 : 0;
      key = change.key;
      this->wake(this->cubeOf(change.i, change.j, change.k), 0, key < 0 ? Itself : Everything);
    }
    // A new start is several times cheaper for each voxel.
    this->takeBack(lost, most);
    return lost.empty();
  }

  void run(const Progress& progress)
  {
    const auto voxels = static_cast<double>(std::max<Index>(1, this->Target.size()));
    this->Queue->run(
      progress, [this] { return std::make_unique<Workspace<Key>>(Wall, this->Shift); },
      [this](Workspace<Key>& space, const Visit& visit, std::vector<Told>& told)
      { this->Reached += this->relax(space, visit, told); },
      [&] { return static_cast<double>(this->Reached) / voxels; });
  }

  bool overflowed() const
  {
    std::atomic<bool> found{ false };
    forRanges(this->Target.rows(), 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end && !found; ++r)
        {
          const Index j = this->Target.lo[1] + r % this->Target.dim(1);
          const Index k = this->Target.lo[2] + r / this->Target.dim(1);
          for (Index i = this->Target.lo[0]; i <= this->Target.hi[0]; ++i)
          {
            if (this->Keys[this->Padded.offset(i, j, k)] == Unreached &&
              this->hasReachedNeighbour(i, j, k))
            {
              found = true;
              break;
            }
          }
        }
      });
    return found;
  }

  Buffer<Key>& keys() { return this->Keys; }
  Index reached() const { return this->Reached; }

private:
  /// A voxel whose key was taken back, and which that was.
  struct Lost
  {
    Index i, j, k;
    Key key;
  };

  /// Takes back all keys of the target that depend on these, and leaves some `lost` if they are
  /// more than `most`. Returns whether there are any.
  bool takeBack(std::vector<Lost>& lost, Index most = std::numeric_limits<Index>::max())
  {
    Index taken = 0;
    while (!lost.empty() && taken <= most)
    {
      const Lost from = lost.back();
      lost.pop_back();
      std::int32_t own = 0;
      this->Levels.row(from.i, from.j, from.k, 1, &own);
      for (int row = 0; row < 9; ++row)
      {
        const Index j = from.j + row % 3 - 1, k = from.k + row / 3 - 1;
        const Index first = std::max(from.i - 1, this->Target.lo[0]);
        const Index last = std::min(from.i + 1, this->Target.hi[0]);
        if (first > last || !this->Target.contains(first, j, k))
        {
          continue;
        }
        std::int32_t levels[3];
        this->Levels.row(first, j, k, last - first + 1, levels);
        for (Index i = first; i <= last; ++i)
        {
          Key& key = this->Keys[this->Padded.offset(i, j, k)];
          const Key difference = std::abs(levels[i - first] - own);
          const Key step = (difference << this->LabelBits) +
            this->Steps[static_cast<std::size_t>(3 * row + (i - from.i + 1))];
          if (key >= 0 && key != Unreached && key == from.key + step)
          {
            lost.push_back({ i, j, k, key });
            key = Unreached;
            --this->Reached;
            ++taken;
            this->wake(this->cubeOf(i, j, k), 0, Everything);
          }
        }
      }
    }
    return taken > 0;
  }

  using Cubes = CubeQueue<Key>;
  using Told = typename Cubes::News;
  using Visit = typename Cubes::Visit;

  /// The cost and label that a key stands for, that of a seed included.
  static Key real(Key key) { return key < 0 ? key + Unreached : key; }

  Index cubeOf(Index i, Index j, Index k) const { return this->Queue->grid().cubeOf(i, j, k); }

  /// From now on the cube has something to do: `key` is the lowest of what changed on that side.
  void wake(Index cube, Key key, int from) { this->Queue->wake(cube, key, 1u << from); }

  /// Calls work(i, j, k, key) for the voxels around the target.
  template <class Work>
  void forSurroundings(const Work& work) const
  {
    for (Index k = this->Padded.lo[2]; k <= this->Padded.hi[2]; ++k)
    {
      for (Index j = this->Padded.lo[1]; j <= this->Padded.hi[1]; ++j)
      {
        const bool beside = k >= this->Target.lo[2] && k <= this->Target.hi[2] &&
          j >= this->Target.lo[1] && j <= this->Target.hi[1];
        const Index step = beside ? std::max<Index>(1, this->Padded.dim(0) - 1) : 1;
        for (Index i = this->Padded.lo[0]; i <= this->Padded.hi[0]; i += step)
        {
          if (!this->Target.contains(i, j, k))
          {
            work(i, j, k, this->Keys[this->Padded.offset(i, j, k)]);
          }
        }
      }
    }
  }

  bool hasReachedNeighbour(Index i, Index j, Index k) const
  {
    for (int n = 0; n < 27; ++n)
    {
      const Index x = i + n % 3 - 1, y = j + n / 3 % 3 - 1, z = k + n / 9 - 1;
      if (this->Padded.contains(x, y, z))
      {
        const Key key = this->Keys[this->Padded.offset(x, y, z)];
        if (key != Wall && key < Unreached)
        {
          return true;
        }
      }
    }
    return false;
  }

  /// Queues what paths that enter the copied cube through one of its faces improve. `from` are the
  /// directions in which there is news, of `low` or more. Returns the lowest key.
  Key enter(Workspace<Key>& space, const Box& box, int axis, int sign, Key low, unsigned from) const
  {
    constexpr int units[3] = { 1, 3, 9 };
    constexpr int strides[3] = { 1, place(0, 1, 0) - place(0, 0, 0),
      place(0, 0, 1) - place(0, 0, 0) };
    const Index steps[3] = { 1, this->Padded.dim(0), this->Padded.dim(0) * this->Padded.dim(1) };
    // Along u and v; where neither is x, rows are gathered.
    const int u = axis == 0 ? 1 : 0, v = axis == 2 ? 1 : 2;
    const int nu = static_cast<int>(box.dim(u)), nv = static_cast<int>(box.dim(v));
    const int direction = Itself + sign * units[axis];
    Index at[3] = { box.lo[0], box.lo[1], box.lo[2] };
    at[axis] = sign < 0 ? box.lo[axis] - 1 : box.hi[axis] + 1;
    if (at[axis] < this->Padded.lo[axis] || at[axis] > this->Padded.hi[axis])
    {
      return Unreached;
    }
    Face<Key>& face = space.face;
    const int corner =
      place(0, 0, 0) + (sign < 0 ? 0 : static_cast<int>(box.dim(axis)) - 1) * strides[axis];
    int first = nv, last = -1; // rows of the cube beside which there is news
    for (int y = -1; y <= nv; ++y)
    {
      Key* keys = face.keys.data() + Face<Key>::place(0, y);
      std::fill(keys - 1, keys + nu + 1, Unreached);
      at[v] = box.lo[v] + y;
      if (at[v] < this->Padded.lo[v] || at[v] > this->Padded.hi[v])
      {
        continue;
      }
      const int middle = direction + (y < 0 ? -units[v] : y >= nv ? units[v] : 0);
      int begin = nu, end = 0;
      if (from >> middle & 1)
      {
        begin = 0;
        end = nu;
      }
      if (from >> (middle - units[u]) & 1 && box.lo[u] > this->Padded.lo[u])
      {
        begin = -1;
        end = std::max(end, 0);
      }
      if (from >> (middle + units[u]) & 1 && box.hi[u] < this->Padded.hi[u])
      {
        begin = std::min(begin, nu);
        end = nu + 1;
      }
      if (begin >= end)
      {
        continue;
      }
      const Key* source = this->Keys.data() + this->Padded.offset(at[0], at[1], at[2]);
      Key least = Unreached;
      for (int x = begin; x < end; ++x)
      {
        // Walls become negative numbers.
        const Key key = real(source[x * steps[u]]);
        keys[x] = key >= low ? key : Unreached;
        least = std::min(least, keys[x]);
      }
      if (least == Unreached)
      {
        continue;
      }
      first = std::min(first, std::max(0, y - 1));
      last = std::min(nv - 1, y + 1);
      Key* levels = face.levels.data() + Face<Key>::place(0, y);
      if (axis == 0)
      {
        // All of them are beside the cube, and were copied with it.
        const Key* copied = space.levels.data() + corner + sign + y * strides[v];
        for (int x = 0; x < nu; ++x)
        {
          levels[x] = copied[x * strides[u]];
        }
      }
      else
      {
        this->readLevels(space, at, begin, end, levels);
      }
    }
    Key lowest = Unreached;
    for (int y = first; y <= last; ++y)
    {
      Key* const known = space.keys.data() + corner + y * strides[v];
      const Key* levels = space.levels.data() + corner + y * strides[v];
      std::array<Key, Edge> row, best;
      if (axis == 0)
      {
        for (int x = 0; x < nu; ++x)
        {
          best[static_cast<std::size_t>(x)] = known[x * strides[u]];
          row[static_cast<std::size_t>(x)] = levels[x * strides[u]];
        }
        levels = row.data();
      }
      else
      {
        std::copy_n(known, nu, best.data());
      }
      for (int dy = -1; dy <= 1; ++dy)
      {
        for (int dx = -1; dx <= 1; ++dx)
        {
          const Key step =
            this->Steps[static_cast<std::size_t>(direction + dx * units[u] + dy * units[v])];
          const Key* outer = face.keys.data() + Face<Key>::place(dx, y + dy);
          const Key* outerLevels = face.levels.data() + Face<Key>::place(dx, y + dy);
          for (int x = 0; x < nu; ++x)
          {
            const Key difference = levels[x] - outerLevels[x];
            const Key offered = outer[x] + (difference < 0 ? -difference : difference) + step;
            Key& lower = best[static_cast<std::size_t>(x)];
            lower = std::min(lower, offered);
          }
        }
      }
      for (int x = 0; x < nu; ++x)
      {
        const Key key = best[static_cast<std::size_t>(x)];
        Key& now = known[x * strides[u]];
        if (key < now)
        {
          now = key;
          lowest = std::min(lowest, key);
          space.queue.push(corner + x * strides[u] + y * strides[v], key);
        }
      }
    }
    return lowest;
  }

  /// The levels of a row from `from`, those from `begin` to `end`, times 2^labelBits.
  void readLevels(Workspace<Key>& space, const Index from[3], int begin, int end, Key* levels) const
  {
    const auto scaled = [this](std::int32_t level)
    { return static_cast<Key>(static_cast<std::make_unsigned_t<Key>>(level) << this->LabelBits); };
    if constexpr (sizeof(Key) == sizeof(std::int32_t))
    {
      this->Levels.row(from[0] + begin, from[1], from[2], end - begin, levels + begin);
      for (int x = begin; x < end; ++x)
      {
        levels[x] = scaled(levels[x]);
      }
    }
    else
    {
      std::int32_t* row = space.row.data();
      this->Levels.row(from[0] + begin, from[1], from[2], end - begin, row);
      for (int x = begin; x < end; ++x)
      {
        levels[x] = scaled(row[x - begin]);
      }
    }
  }

  /// Asks for a row of a cube, with the voxels before and after it; behind the last row, for one of
  /// the next plane.
  void expect(const Box& box, Index y, Index z) const
  {
    const Index j = box.lo[1] + y % box.dim(1), k = box.lo[2] + z + y / box.dim(1);
    if (k <= box.hi[2])
    {
      const Index begin = std::max(box.lo[0] - 1, this->Padded.lo[0]);
      const Index end = std::min(box.hi[0] + 2, this->Padded.hi[0] + 1);
      fetchSpan(this->Keys.data() + this->Padded.offset(begin, j, k), end - begin);
      this->Levels.expect(begin, j, k, end - begin);
    }
  }

  /// Copies a cube, and levels of the voxels before and after its rows. All around it is a wall.
  void load(Workspace<Key>& space, const Box& box) const
  {
    const int nx = static_cast<int>(box.dim(0)), ny = static_cast<int>(box.dim(1)),
              nz = static_cast<int>(box.dim(2));
    const int begin = box.lo[0] > this->Padded.lo[0] ? -1 : 0;
    const int end = box.hi[0] < this->Padded.hi[0] ? nx + 1 : nx;
    for (int z = 0; z < Edge; ++z)
    {
      for (int y = 0; y < Edge; ++y)
      {
        Key* keys = space.keys.data() + place(0, y, z);
        if (y >= ny || z >= nz)
        {
          std::fill_n(keys, Edge, Wall);
          continue;
        }
        const Index at[3] = { box.lo[0], box.lo[1] + y, box.lo[2] + z };
        this->expect(box, y + Ahead, z);
        std::copy_n(this->Keys.data() + this->Padded.offset(at[0], at[1], at[2]), nx, keys);
        std::fill(keys + nx, keys + Edge, Wall);
        this->readLevels(space, at, begin, end, space.levels.data() + place(0, y, z));
      }
    }
  }

  /// Which neighbours the way through `voxel`, at `key`, improves, as bits that mean Bits[Fast].
  template <bool Fast>
  Word improvedBy(const Workspace<Key>& space, std::int32_t voxel, Key key) const
  {
    const Key* const keys = space.keys.data();
    const Key* const levels = space.levels.data();
#ifdef SEGCORE_CHOOSES_WIDE
    if constexpr (Fast)
    {
      return improved(keys, levels, voxel, key, this->StepsOfRows.data()) & 0x777777777;
    }
#endif
    const Key level = levels[voxel];
    unsigned better = 0;
#ifdef SEGCORE_SSE2
    if constexpr (sizeof(Key) == 4)
    {
      // Four voxels at a time, three of which are neighbours; nine rows without a branch.
      const __m128i from = _mm_set1_epi32(level);
      const __m128i so = _mm_set1_epi32(key);
      const auto* steps = reinterpret_cast<const __m128i*>(this->StepRows.data());
      const __m128i same = _mm_load_si128(steps), beside = _mm_load_si128(steps + 1),
                    above = _mm_load_si128(steps + 2), across = _mm_load_si128(steps + 3);
      const auto offer = [&](int row, const __m128i& step)
      {
        const std::int32_t at = voxel + offsetTo(3 * row);
        const __m128i known = _mm_loadu_si128(reinterpret_cast<const __m128i*>(keys + at));
        const __m128i to = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels + at));
        const __m128i difference = _mm_sub_epi32(from, to);
        const __m128i sign = _mm_srai_epi32(difference, 31);
        const __m128i cost = _mm_sub_epi32(_mm_xor_si128(difference, sign), sign);
        const __m128i offered = _mm_add_epi32(_mm_add_epi32(cost, step), so);
        const int bits = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpgt_epi32(known, offered)));
        better |= static_cast<unsigned>(bits & 7) << (3 * row);
      };
      offer(0, across);
      offer(1, above);
      offer(2, across);
      offer(3, beside);
      offer(4, same);
      offer(5, beside);
      offer(6, across);
      offer(7, above);
      offer(8, across);
    }
    else
#endif
    {
      for (int n = 0; n < 27; ++n)
      {
        const std::int32_t at = voxel + offsetTo(n);
        const Key difference = level - levels[at];
        const Key offered = (difference < 0 ? -difference : difference) + this->Steps[n] + key;
        better |= static_cast<unsigned>(offered < keys[at]) << n;
      }
    }
    return better;
  }

  /// Offers the ways through `count` voxels to all their neighbours.
  template <bool Fast>
  void spreadBy(Workspace<Key>& space, std::size_t count) const
  {
    // All of them look first, as a row that was just written in part takes long to read. An offer
    // that another one outdoes is found out below.
    std::size_t some = 0, offers = 0;
    for (std::size_t r = 0; r < count; ++r)
    {
      const auto ready = space.ready[r];
      const Word better = this->template improvedBy<Fast>(space, ready.voxel, ready.key);
      space.ready[some] = ready;
      space.better[some] = better;
      some += better != 0 ? 1 : 0;
      offers += static_cast<std::size_t>(onesOf<Fast>(better));
    }
    // Without a branch on how many a voxel improves, and on whether it still does.
    Key* const keys = space.keys.data();
    const Key* const levels = space.levels.data();
    const Direction* const directions = this->Bits[Fast].data();
    std::size_t r = 0;
    Word bits = space.better[0], next = space.better[1];
    for (std::size_t n = 0; n < offers; ++n)
    {
      const Direction direction = directions[lowestOne(bits)];
      const auto [key, voxel] = space.ready[r];
      bits &= bits - 1;
      const Word last = bits == 0 ? 1 : 0;
      r += static_cast<std::size_t>(last);
      bits |= next & (0 - last);
      next = space.better[r + 1];
      const std::int32_t at = voxel + direction.offset;
      const Key difference = levels[voxel] - levels[at];
      const Key offered = (difference < 0 ? -difference : difference) + direction.step + key;
      const Key now = keys[at];
      keys[at] = std::min(now, offered);
      space.queue.push(at, offered, offered < now);
    }
  }

#ifdef SEGCORE_CHOOSES_WIDE
  __attribute__((target("avx2,bmi,popcnt"), flatten, noinline)) void spreadFast(
    Workspace<Key>& space, std::size_t count) const
  {
    this->template spreadBy<sizeof(Key) == sizeof(std::int32_t)>(space, count);
  }
#endif

  template <bool Fast>
  void spread(Workspace<Key>& space, std::size_t count) const
  {
#ifdef SEGCORE_CHOOSES_WIDE
    if constexpr (Fast)
    {
      this->spreadFast(space, count);
      return;
    }
#endif
    this->spreadBy<false>(space, count);
  }

  /// Gives voxels that have no key one from what is beside them, and queues them. Returns the
  /// lowest.
  Key pull(Workspace<Key>& space, const Box& box) const
  {
    Key lowest = Unreached;
    for (int z = 0; z < static_cast<int>(box.dim(2)); ++z)
    {
      for (int y = 0; y < static_cast<int>(box.dim(1)); ++y)
      {
        for (int x = 0; x < static_cast<int>(box.dim(0)); ++x)
        {
          const std::int32_t voxel = place(x, y, z);
          Key& key = space.keys[static_cast<std::size_t>(voxel)];
          if (key != Unreached)
          {
            continue;
          }
          for (int n = 0; n < 27; ++n)
          {
            const auto at = static_cast<std::size_t>(voxel + Offsets[static_cast<std::size_t>(n)]);
            const Key other = space.keys[at];
            if (other >= 0 && other < key)
            {
              const Key difference =
                space.levels[static_cast<std::size_t>(voxel)] - space.levels[at];
              key = std::min(key,
                other + (difference < 0 ? -difference : difference) +
                  this->Steps[static_cast<std::size_t>(n)]);
            }
          }
          if (key != Unreached)
          {
            lowest = std::min(lowest, key);
            space.queue.push(voxel, key);
          }
        }
      }
    }
    return lowest;
  }

  /// Copies a cube, and queues what enters it, and its seeds if they are news. Returns the lowest
  /// key.
  Key begin(Workspace<Key>& space, const Box& box, Key low, unsigned from) const
  {
    const bool everything = from >> Everything & 1;
    this->load(space, box);
    // First, as it passes by what has got a key.
    Key lowest = everything ? this->pull(space, box) : Unreached;
    for (int axis = 0; axis < 3; ++axis)
    {
      for (int side = 0; side < 2; ++side)
      {
        const unsigned news = (everything ? ~0u : from) & this->OfFace[axis][side];
        if (news != 0)
        {
          lowest = std::min(lowest, this->enter(space, box, axis, 2 * side - 1, low, news));
        }
      }
    }
    if (everything || from >> Itself & 1)
    {
      for (int z = 0; z < static_cast<int>(box.dim(2)); ++z)
      {
        for (int y = 0; y < static_cast<int>(box.dim(1)); ++y)
        {
          const Key* keys = space.keys.data() + place(0, y, z);
          for (int x = 0; x < static_cast<int>(box.dim(0)); ++x)
          {
            if (keys[x] < 0 && keys[x] != Wall)
            {
              lowest = std::min(lowest, real(keys[x]));
              space.queue.push(place(x, y, z), real(keys[x]));
            }
          }
        }
      }
    }
    return lowest;
  }

#ifdef SEGCORE_CHOOSES_WIDE
  __attribute__((target("avx2"), flatten)) Index relaxFast(
    Workspace<Key>& space, const Visit& visit, std::vector<Told>& told)
  {
    return this->relaxBy<true>(space, visit, told);
  }
#endif

  Index relax(Workspace<Key>& space, const Visit& visit, std::vector<Told>& told)
  {
#ifdef SEGCORE_CHOOSES_WIDE
    if constexpr (sizeof(Key) == sizeof(std::int32_t))
    {
      if (useAvx2())
      {
        return this->relaxFast(space, visit, told);
      }
    }
#endif
    return this->relaxBy<false>(space, visit, told);
  }

  /// Takes what is next from the queue, a batch or a little more. Returns how many.
  std::size_t takeReady(Workspace<Key>& space, Key turn) const
  {
    using Waiting = typename Workspace<Key>::Waiting;
    const Key* const keys = space.keys.data();
    std::size_t count = 0;
    typename Waiting::Chunk entries;
    while (count < Batch)
    {
      const int some = space.queue.pop(turn, entries);
      if (some == 0)
      {
        break;
      }
      for (int e = 0; e < some; ++e)
      {
        // Without a branch on what was overtaken, which is left in the queue until it comes up.
        const auto entry = entries[static_cast<std::size_t>(e)];
        const std::int32_t voxel = Waiting::placeOf(entry);
        const Key key = real(keys[voxel]);
        const bool known = Waiting::hasKey(entry, key);
        const Key its = space.queue.turnOf(key);
        space.ready[count] = { key, voxel };
        count += static_cast<std::size_t>(known & (its == turn));
        if (known & (its > turn))
        {
          // What paths come in from may be some turns of the buckets ahead.
          space.later.push_back({ key, voxel });
        }
      }
    }
    return count;
  }

  /// A cube to its fixed point. Returns how many voxels got their first label; `told` are the
  /// neighbours to wake.
  template <bool Fast>
  Index relaxBy(Workspace<Key>& space, const Visit& visit, std::vector<Told>& told)
  {
    const unsigned from = visit.sides;
    const Box box = this->Queue->grid().boxOf(visit.cube);
    const Key lowest = this->begin(space, box, visit.time, from);
    // Else nothing came that is lower than what is known.
    if (space.queue.empty())
    {
      return 0;
    }
    for (Key turn = space.queue.turnOf(lowest); !space.queue.empty(); ++turn)
    {
      while (const std::size_t count = this->takeReady(space, turn))
      {
        this->template spread<Fast>(space, count);
      }
      for (const auto& [key, voxel] : space.later)
      {
        space.queue.push(voxel, key);
      }
      space.later.clear();
    }
    return this->store(space, visit, box, told);
  }

  /// Writes a cube back.
  Index store(Workspace<Key>& space, const Visit& visit, const Box& box, std::vector<Told>& told)
  {
    const unsigned from = visit.sides;
    std::array<Key, 27> lowest;
    lowest.fill(Unreached);
    Index gained = 0;
    const int nx = static_cast<int>(box.dim(0)), ny = static_cast<int>(box.dim(1)),
              nz = static_cast<int>(box.dim(2));
    const bool first =
      from >> Itself & 1 || from >> Everything & 1; // its seeds are news for its neighbours, too
    for (int z = 0; z < nz; ++z)
    {
      for (int y = 0; y < ny; ++y)
      {
        const Key* now = space.keys.data() + place(0, y, z);
        Key* keys =
          this->Keys.data() + this->Padded.offset(box.lo[0], box.lo[1] + y, box.lo[2] + z);
        const auto news = [&](int x)
        {
          const bool is = now[x] < keys[x] || (first && now[x] < 0 && now[x] != Wall);
          return is ? real(now[x]) : Unreached;
        };
        const Key left = news(0), right = news(nx - 1);
        Key all = Unreached;
        if (y == 0 || y == ny - 1 || z == 0 || z == nz - 1)
        {
          for (int x = 0; x < nx; ++x)
          {
            all = std::min(all, news(x));
          }
        }
        Key count = 0;
        for (int x = 0; x < nx; ++x)
        {
          count += static_cast<Key>(keys[x] == Unreached) - static_cast<Key>(now[x] == Unreached);
          keys[x] = now[x];
        }
        gained += count;
        for (int dz = z == 0 ? -1 : 0; dz <= (z == nz - 1 ? 1 : 0); ++dz)
        {
          for (int dy = y == 0 ? -1 : 0; dy <= (y == ny - 1 ? 1 : 0); ++dy)
          {
            Key* to = lowest.data() + Itself + 3 * dy + 9 * dz;
            to[-1] = std::min(to[-1], left);
            to[0] = std::min(to[0], all);
            to[1] = std::min(to[1], right);
          }
        }
      }
    }
    const CubeGrid& grid = this->Queue->grid();
    Index at[3];
    grid.placeOf(visit.cube, at);
    for (int n = 0; n < 27; ++n)
    {
      const Index x = at[0] + n % 3 - 1, y = at[1] + n / 3 % 3 - 1, z = at[2] + n / 9 - 1;
      if (n != Itself && lowest[static_cast<std::size_t>(n)] < Unreached && x >= 0 && y >= 0 &&
        z >= 0 && x < grid.dim(0) && y < grid.dim(1) && z < grid.dim(2))
      {
        told.push_back({ x + grid.dim(0) * (y + grid.dim(1) * z),
          lowest[static_cast<std::size_t>(n)], 1u << (26 - n) });
      }
    }
    return gained;
  }

  Box Target;
  Box Padded;
  const SeedGrowthLevels& Levels;
  int LabelBits;
  Buffer<Key> Keys;
  std::vector<Key> Kept;
  std::array<Key, 27> Steps{};
  // Of rows in the same line, beside it, above or below it, and both: four voxels each.
  alignas(16) std::array<Key, 16> StepRows{};
  // The same for all nine rows.
  std::array<Key, 36> StepsOfRows{};
  // Where the bits of what is improved lead to, without wide instructions and with them.
  struct Direction
  {
    std::int32_t offset = 0;
    Key step = 0;
  };
  std::array<Direction, 36> Bits[2];
  int Shift = 0;
  unsigned OfFace[3][2] = {};
  // Stages of keys are coarser than buckets: of the cubes of a stage, those that were woken first
  // have more of what is around them done.
  std::optional<Cubes> Queue;
  std::atomic<Index> Reached{ 0 };
};

//------------------------------------------------------------------------------------------------
template <class Key>
bool SeedGrowth<Key>::fits(const SeedGrowthCosts& costs)
{
  Index largest = 0;
  for (int n = 0; n < 8; ++n)
  {
    largest = std::max<Index>(largest, costs.step[n & 1][n >> 1 & 1][n >> 2]);
  }
  largest += costs.largestDifference;
  return costs.labelBits < static_cast<int>(8 * sizeof(Key)) - 3 &&
    largest < (static_cast<Index>(Unreached) >> costs.labelBits) / 4;
}

template <class Key>
SeedGrowth<Key>::SeedGrowth(const Box& target, const Box& padded, const SeedGrowthLevels& levels,
  const SeedGrowthCosts& costs)
  : Self(std::make_unique<Implementation>(target, padded, levels, costs))
{
}

template <class Key>
SeedGrowth<Key>::~SeedGrowth() = default;

template <class Key>
Key* SeedGrowth<Key>::keys()
{
  return this->Self->keys().data();
}

template <class Key>
void SeedGrowth<Key>::start()
{
  this->Self->start();
}

template <class Key>
void SeedGrowth<Key>::keepSurroundings()
{
  this->Self->keepSurroundings();
}

template <class Key>
typename SeedGrowth<Key>::News SeedGrowth<Key>::hearSurroundings()
{
  return this->Self->hearSurroundings();
}

template <class Key>
bool SeedGrowth<Key>::changeSeeds(const SeedRows& seeds)
{
  return this->Self->changeSeeds(seeds);
}

template <class Key>
void SeedGrowth<Key>::run(const Progress& progress)
{
  this->Self->run(progress);
}

template <class Key>
Index SeedGrowth<Key>::reached() const
{
  return this->Self->reached();
}

template <class Key>
bool SeedGrowth<Key>::overflowed() const
{
  return this->Self->overflowed();
}

template class SeedGrowth<std::int32_t>;
template class SeedGrowth<std::int64_t>;

} // namespace segcore
