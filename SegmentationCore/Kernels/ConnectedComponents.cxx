// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A line is a row of voxels along x, numbered y + dim(1) z; runs are numbered line by line, so that
// the order of runs is the raster order of their first voxels.

#include "ConnectedComponents.h"

#include "RunLists.h"

#include <algorithm>

// Counting ones takes one instruction on any x86 processor since 2008, but builds are for older
// ones: the labeller is compiled for them, for these, and for wide ones; the processor chooses.
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__POPCNT__)
#define SEGCORE_CHOOSES_POPCNT
#endif

namespace segcore
{

namespace
{

/// How far runs of two lines may be apart along x and still touch, for lines `steps` apart in y
/// plus z: 1 diagonal contact, 0 overlap, -1 never.
Index contact(Connectivity connectivity, Index steps)
{
  switch (connectivity)
  {
    case Connectivity::Faces:
      return 1 - steps;
    case Connectivity::Edges:
      return steps < 2 ? 1 : 0;
    case Connectivity::Corners:
    default:
      return 1;
  }
}

#if defined(SEGCORE_CHOOSES_POPCNT)
struct FastCount
{
  static Index of(Word word) { return __builtin_popcountll(word); }
};

__attribute__((target("popcnt"), flatten)) Index countRunsFast(const Word* row, Index words)
{
  return countRuns<FastCount>(row, words);
}
#endif

Index countRunsOf(const Word* row, Index words)
{
#if defined(SEGCORE_CHOOSES_POPCNT)
  if (__builtin_cpu_supports("popcnt"))
  {
    return countRunsFast(row, words);
  }
#endif
  return countRuns(row, words);
}

} // namespace

class ComponentLabeller
{
public:
  ComponentLabeller(ComponentRuns& result, Connectivity connectivity, const LabelLimits& limits)
    : Result(result)
    , Reach{ contact(connectivity, 0), contact(connectivity, 1), contact(connectivity, 2) }
    , Limits(limits)
  {
  }

  void run(const Box& block, const Box& whole, const RowBits& rowBits, const Progress& progress)
  {
    ComponentRuns& r = this->Result;
    r.Box_ = block;
    r.Whole_ = whole;
    r.LineStart_.assign(1, 0);
    if (block.empty())
    {
      return;
    }
    r.Words_ = wordCount(block.dim(0));
    r.Bits_ = Buffer<Word>(block.rows() * r.Words_);
    r.LineStart_.resize(static_cast<std::size_t>(block.rows()) + 1);
    forRanges(block.rows(), 256, progress.part(0.0, 0.3),
      [&](Index begin, Index end)
      {
        for (Index line = begin; line < end; ++line)
        {
          Word* bits = r.Bits_.data() + line * r.Words_;
          rowBits(block.lo[1] + line % block.dim(1), block.lo[2] + line / block.dim(1), bits);
          r.LineStart_[static_cast<std::size_t>(line) + 1] = countRunsOf(bits, r.Words_);
        }
      });
    for (std::size_t line = 1; line < r.LineStart_.size(); ++line)
    {
      r.LineStart_[line] += r.LineStart_[line - 1];
    }
    if (this->Limits.wide || r.runCount() >= Index{ 1 } << 31)
    {
      r.Wide_ = Buffer<std::uint64_t>(r.runCount());
      this->label(r.Wide_.data(), progress);
    }
    else
    {
      r.Narrow_ = Buffer<std::uint32_t>(r.runCount());
      this->label(r.Narrow_.data(), progress);
    }
  }

private:
  /// Rows that one thread labels on its own.
  struct Slab
  {
    Index begin = 0; // lines
    Index end = 0;
    Index components = 0;
  };

  template <class Slot>
  static Slot findRun(Slot* slots, Slot run)
  {
    while (!RunSlots<Slot>::isRoot(slots[run]))
    {
      const Slot next = slots[run];
      if (RunSlots<Slot>::isRoot(slots[next]))
      {
        return next;
      }
      slots[run] = slots[next];
      run = slots[next];
    }
    return run;
  }

  /// Hangs the later root of two runs below the earlier one, which counts the voxels of both;
  /// whether there were two. What a run points to is looked up without a branch, as nobody can tell
  /// which runs are roots; longer paths are rare.
  template <class Slot>
  bool joinRuns(Slot* slots, Slot a, Slot b) const
  {
    using Slots = RunSlots<Slot>;
    Slot rootA = Slots::isRoot(slots[a]) ? a : slots[a];
    Slot rootB = Slots::isRoot(slots[b]) ? b : slots[b];
    if (!Slots::isRoot(slots[rootA] & slots[rootB]))
    {
      rootA = findRun(slots, rootA);
      rootB = findRun(slots, rootB);
    }
    const Slot early = std::min(rootA, rootB);
    const Slot late = std::max(rootA, rootB);
    // Below TableBase both, so the sum does not overflow.
    const Slot size =
      Slots::payload(slots[early]) + (rootA == rootB ? Slot{ 0 } : Slots::payload(slots[late]));
    // The root comes last: it may be any of the others.
    slots[a] = early;
    slots[b] = early;
    slots[late] = early;
    slots[early] = Slots::RootBit | std::min(size, this->full<Slot>());
    return rootA != rootB;
  }

  /// The size that stands for itself and all above; they are counted later.
  template <class Slot>
  Slot full() const
  {
    return static_cast<Slot>(
      std::min<Index>(this->Limits.slotSize, static_cast<Index>(RunSlots<Slot>::TableBase)) - 1);
  }

  /// Calls touch(run, neighbour) for contacts of a line with lines before it that are at least
  /// `least` and before `limit`. `list` as for listNeededContacts().
  template <class Way, class Touch>
  void meetLines(Index line, Index least, Index limit, Contact* list, const Touch& touch) const
  {
    const ComponentRuns& r = this->Result;
    const Index ny = r.Box_.dim(1);
    const Index y = line % ny;
    const auto in = [=](Index other) { return other >= least && other < limit; };
    const auto meet = [&](Index other, const Word* beforeA, const Word* beforeB, Index gap)
    {
      const Index first = r.LineStart_[static_cast<std::size_t>(line)];
      const Index firstOther = r.LineStart_[static_cast<std::size_t>(other)];
      const NeighbourRows rows{ r.bits(line), r.bits(other), beforeA, beforeB, r.Words_, gap > 0 };
      const Index count = runlists::listNeededContacts<Way>(rows, list);
      for (Index c = 0; c < count; ++c)
      {
        touch(first + list[c].a, firstOther + list[c].b);
      }
    };
    if (y > 0 && in(line - 1))
    {
      meet(line - 1, nullptr, nullptr, this->Reach[1]);
    }
    const Index below = line - ny;
    if (in(below))
    {
      // Of the four lines of the corner, all others that touch are joined already: two of them
      // before the limit, the rest by this function.
      const bool corner = y > 0 && below - 1 >= least;
      meet(below, corner ? r.bits(line - 1) : nullptr, corner ? r.bits(below - 1) : nullptr,
        this->Reach[1]);
    }
    if (this->Reach[2] >= 0)
    {
      const Word* beside = in(below) ? r.bits(below) : nullptr;
      if (y > 0 && in(below - 1))
      {
        meet(below - 1, nullptr, beside, this->Reach[2]);
      }
      if (y + 1 < ny && in(below + 1))
      {
        meet(below + 1, nullptr, beside, this->Reach[2]);
      }
    }
  }

  Buffer<Contact> contactList() const
  {
    return Buffer<Contact>(contactListSize(this->Result.Words_));
  }

#if defined(SEGCORE_CHOOSES_POPCNT)
  template <class Slot>
  __attribute__((target("popcnt"), flatten)) void labelSlabFast(Slot* slots, Slab& slab) const
  {
    this->labelSlabBy<runlists::Plain<FastCount>>(slots, slab);
  }

  template <class Slot>
  __attribute__((target("popcnt"), flatten)) void joinSeamFast(
    Slot* slots, Index begin, Index middle, Index end, std::vector<Slot>& joined) const
  {
    this->joinSeamBy<runlists::Plain<FastCount>>(slots, begin, middle, end, joined);
  }
#endif

#if defined(SEGCORE_CHOOSES_WIDE)
  template <class Slot>
  SEGCORE_AVX512_BITS __attribute__((flatten)) void labelSlabWide(Slot* slots, Slab& slab) const
  {
    this->labelSlabBy<runlists::Wide>(slots, slab);
  }
#endif

  template <class Slot>
  void labelSlab(Slot* slots, Slab& slab) const
  {
#if defined(SEGCORE_CHOOSES_WIDE)
    if (useAvx512Bits())
    {
      this->labelSlabWide(slots, slab);
      return;
    }
#endif
#if defined(SEGCORE_CHOOSES_POPCNT)
    if (__builtin_cpu_supports("popcnt"))
    {
      this->labelSlabFast(slots, slab);
      return;
    }
#endif
    this->labelSlabBy<runlists::Plain<PortableCount>>(slots, slab);
  }

  /// Joins the lines from `middle` on with those before it, both within one range of lines: all
  /// runs point to the root of their slab, so that only roots change.
  template <class Slot>
  void joinSeam(Slot* slots, Index begin, Index middle, Index end, std::vector<Slot>& joined) const
  {
#if defined(SEGCORE_CHOOSES_POPCNT)
    if (__builtin_cpu_supports("popcnt"))
    {
      this->joinSeamFast(slots, begin, middle, end, joined);
      return;
    }
#endif
    this->joinSeamBy<runlists::Plain<PortableCount>>(slots, begin, middle, end, joined);
  }

  template <class Way, class Slot>
  void labelSlabBy(Slot* slots, Slab& slab) const
  {
    using Slots = RunSlots<Slot>;
    const ComponentRuns& r = this->Result;
    const Index most = static_cast<Index>(this->full<Slot>());
    Buffer<std::int32_t> bounds(runListSize(r.Words_));
    Buffer<Contact> contacts = this->contactList();
    Index joins = 0;
    for (Index line = slab.begin; line < slab.end; ++line)
    {
      Slot* fresh = slots + r.LineStart_[static_cast<std::size_t>(line)];
      const Index count = runlists::listRuns<Way>(r.bits(line), r.Words_, bounds.data());
      for (Index i = 0; i < count; i += 2)
      {
        const Index length = bounds[i + 1] - bounds[i];
        *fresh++ = Slots::RootBit | static_cast<Slot>(std::min(length, most));
      }
      this->meetLines<Way>(line, slab.begin, slab.end, contacts.data(), [&](Index a, Index b)
        { joins += this->joinRuns(slots, static_cast<Slot>(a), static_cast<Slot>(b)) ? 1 : 0; });
    }
    const Index begin = r.LineStart_[static_cast<std::size_t>(slab.begin)];
    const Index end = r.LineStart_[static_cast<std::size_t>(slab.end)];
    slab.components = end - begin - joins;
    // Runs point to runs before them, which point to their root by now.
    for (Index run = begin; run < end; ++run)
    {
      const Slot slot = slots[run];
      const Slot parent = Slots::isRoot(slot) ? static_cast<Slot>(run) : slot;
      const Slot next = slots[parent];
      slots[run] = Slots::isRoot(next) ? slot : next;
    }
  }

  template <class Way, class Slot>
  void joinSeamBy(
    Slot* slots, Index begin, Index middle, Index end, std::vector<Slot>& joined) const
  {
    Buffer<Contact> contacts = this->contactList();
    // No line touches one that is more than a slice and a line before it.
    const Index last = std::min(end, middle + this->Result.Box_.dim(1) + 1);
    for (Index line = middle; line < last; ++line)
    {
      this->meetLines<Way>(line, begin, middle, contacts.data(),
        [&](Index a, Index b)
        {
          const Slot rootA = findRun(slots, static_cast<Slot>(a));
          const Slot rootB = findRun(slots, static_cast<Slot>(b));
          if (rootA != rootB)
          {
            this->joinRuns(slots, rootA, rootB);
            joined.push_back(std::max(rootA, rootB));
          }
        });
    }
  }

  template <class Slot>
  void label(Slot* slots, const Progress& progress)
  {
    ComponentRuns& r = this->Result;
    const Index lines = r.Box_.rows();
    // A thread gets several slabs, as some have more runs than others; and who wants to stop does
    // not wait for a large one.
    const Index least = std::max<Index>(1, (Index{ 1 } << 16) / r.Box_.dim(0));
    const Index patience = std::max<Index>(1, (Index{ 1 } << 24) / r.Box_.dim(0));
    const Index count = std::max({ threadCount() > 1 ? chunkCount(lines, least, 8) : Index{ 1 },
      progress.active() ? std::min<Index>(lines / patience, 64) : Index{ 1 },
      std::min(lines, this->Limits.slabs) });
    std::vector<Slab> slabs(static_cast<std::size_t>(count));
    forRanges(count, 1, progress.part(0.3, 0.9),
      [&](Index begin, Index end)
      {
        for (Index s = begin; s < end; ++s)
        {
          Slab& slab = slabs[static_cast<std::size_t>(s)];
          slab.begin = chunkBegin(lines, count, s);
          slab.end = chunkBegin(lines, count, s + 1);
          this->labelSlab(slots, slab);
        }
      });
    r.Components_ = 0;
    for (const Slab& slab : slabs)
    {
      r.Components_ += slab.components;
    }

    // Join the slabs by twos, then by fours ..: what is joined at one time has no run in common.
    std::vector<std::vector<Slot>> joined(static_cast<std::size_t>(count));
    // Short seams are done before another thread has begun.
    const Index few =
      std::max<Index>(1, (Index{ 1 } << 20) / (r.Box_.dim(0) * (r.Box_.dim(1) + 1)));
    for (Index step = 1; step < count; step *= 2)
    {
      forRanges((count + step - 1) / (2 * step), few,
        [&](Index first, Index end)
        {
          for (Index pair = first; pair < end; ++pair)
          {
            const Index s = pair * 2 * step;
            const Index next = std::min(count, s + 2 * step) - 1;
            this->joinSeam(slots, slabs[static_cast<std::size_t>(s)].begin,
              slabs[static_cast<std::size_t>(s + step)].begin,
              slabs[static_cast<std::size_t>(next)].end,
              joined[static_cast<std::size_t>(s + step)]);
          }
        });
    }
    for (const std::vector<Slot>& roots : joined)
    {
      r.Components_ -= static_cast<Index>(roots.size());
      for (const Slot root : roots)
      {
        slots[root] = findRun(slots, root);
      }
    }
    this->countLarge(slots);
    progress.step(1.0);
  }

  /// Components that are too large for their slot, which no more than a few are.
  template <class Slot>
  void countLarge(Slot* slots)
  {
    using Slots = RunSlots<Slot>;
    ComponentRuns& r = this->Result;
    if (r.Box_.size() < static_cast<Index>(this->full<Slot>()))
    {
      return;
    }
    std::vector<Index> large;
    for (Index run = 0; run < r.runCount(); ++run)
    {
      if (slots[run] == (Slots::RootBit | this->full<Slot>()))
      {
        large.push_back(run);
      }
    }
    if (large.empty())
    {
      return;
    }
    std::vector<Index> sizes(large.size(), 0);
    for (Index line = 0; line < r.Box_.rows(); ++line)
    {
      Index run = r.LineStart_[static_cast<std::size_t>(line)];
      segcore::forEachRun(r.bits(line), r.Words_,
        [&](Index x0, Index x1)
        {
          const Index root = ComponentRuns::rootOf(slots, run++);
          const auto found = std::lower_bound(large.begin(), large.end(), root);
          if (found != large.end() && *found == root)
          {
            sizes[static_cast<std::size_t>(found - large.begin())] += x1 - x0 + 1;
          }
        });
    }
    for (std::size_t n = 0; n < large.size(); ++n)
    {
      r.setIslandIn(slots, large[n], { r.first(large[n]), sizes[n] }, false);
    }
  }

  ComponentRuns& Result;
  const Index Reach[3];
  const LabelLimits Limits;
};

ComponentRuns labelComponents(const Box& block, const Box& whole, Connectivity connectivity,
  const RowBits& rowBits, const Progress& progress, const LabelLimits& limits)
{
  if (!whole.contains(block))
  {
    throw std::invalid_argument(
      "segcore::labelComponents: the block is not inside the whole image");
  }
  ComponentRuns result;
  ComponentLabeller(result, connectivity, limits).run(block, whole, rowBits, progress);
  return result;
}

Index ComponentRuns::first(Index component) const
{
  const Index place = this->placeInTable(component);
  if (place >= 0)
  {
    return this->Table_[static_cast<std::size_t>(place)].island.first;
  }
  // The last line whose first run is not beyond it; lines without runs start where the next does.
  const Index line = std::upper_bound(this->LineStart_.begin(), this->LineStart_.end(), component) -
    this->LineStart_.begin() - 1;
  Index run = this->LineStart_[static_cast<std::size_t>(line)];
  Index x = 0;
  segcore::forEachRun(this->bits(line), this->Words_,
    [&](Index x0, Index)
    {
      if (run++ == component)
      {
        x = x0;
      }
    });
  return this->Whole_.offset(this->Box_.lo[0] + x, this->Box_.lo[1] + line % this->Box_.dim(1),
    this->Box_.lo[2] + line / this->Box_.dim(1));
}

Index ComponentRuns::largest() const
{
  if (this->Table_.empty() && this->Wide_.empty())
  {
    // Roots are more than any other slot, and the more the larger.
    std::uint32_t most = 0;
    for (const std::uint32_t slot : this->Narrow_)
    {
      most = std::max(most, slot);
    }
    return this->Narrow_.empty()
      ? -1
      : std::find(this->Narrow_.begin(), this->Narrow_.end(), most) - this->Narrow_.begin();
  }
  Index found = -1;
  this->forEachComponent(
    [&](Index component)
    {
      if (!this->isJoined(component) && (found < 0 || this->size(component) > this->size(found)))
      {
        found = component;
      }
    });
  return found;
}

template <class Slot>
void ComponentRuns::setIslandIn(Slot* slots, Index component, const Island& island, bool joined)
{
  using Slots = RunSlots<Slot>;
  Index place = placeIn(slots[component]);
  if (place < 0)
  {
    place = static_cast<Index>(this->Table_.size());
    this->Table_.emplace_back();
    slots[component] = Slots::RootBit | (Slots::TableBase + static_cast<Slot>(place));
  }
  this->Table_[static_cast<std::size_t>(place)] = { island, joined };
}

void ComponentRuns::setIsland(Index component, const Island& island)
{
  this->Wide_.empty() ? this->setIslandIn(this->Narrow_.data(), component, island, true)
                      : this->setIslandIn(this->Wide_.data(), component, island, true);
}

bool ComponentRuns::isJoined(Index component) const
{
  const Index place = this->placeInTable(component);
  return place >= 0 && this->Table_[static_cast<std::size_t>(place)].joined;
}

void ComponentRuns::makeNumbers(Index most)
{
  if (this->Wide_.empty() && most >= Index{ 1 } << 31)
  {
    Buffer<std::uint64_t> wide(this->Narrow_.size());
    for (Index run = 0; run < wide.size(); ++run)
    {
      using Narrow = RunSlots<std::uint32_t>;
      using Wide = RunSlots<std::uint64_t>;
      const std::uint32_t slot = this->Narrow_[run];
      const Index place = placeIn(slot);
      const std::uint64_t payload = place < 0 ? std::uint64_t{ Narrow::payload(slot) }
                                              : Wide::TableBase + static_cast<std::uint64_t>(place);
      wide[run] = Narrow::isRoot(slot) ? Wide::RootBit | payload : std::uint64_t{ slot };
    }
    this->Wide_ = std::move(wide);
    this->Narrow_ = Buffer<std::uint32_t>();
  }
}

Index ComponentRuns::componentOfVoxel(Index voxel) const
{
  const Index nx = this->Whole_.dim(0);
  const Index ny = this->Whole_.dim(1);
  return voxel < 0 ? -1
                   : this->componentAt(this->Whole_.lo[0] + voxel % nx,
                       this->Whole_.lo[1] + voxel / nx % ny, this->Whole_.lo[2] + voxel / nx / ny);
}

Index ComponentRuns::componentAt(Index x, Index y, Index z) const
{
  if (!this->Box_.contains(x, y, z))
  {
    return -1;
  }
  Index found = -1;
  this->forEachRun(y, z,
    [&](Index x0, Index x1, Index component)
    {
      if (x0 <= x && x <= x1)
      {
        found = component;
      }
    });
  return found;
}

std::vector<ComponentRun> ComponentRuns::runsIn(const Box& region) const
{
  std::vector<ComponentRun> runs;
  const Box box = this->Box_.intersect(region);
  if (box.empty())
  {
    return runs;
  }
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      this->forEachRun(y, z,
        [&](Index x0, Index x1, Index component)
        {
          const Index first = std::max(x0, box.lo[0]);
          const Index last = std::min(x1, box.hi[0]);
          if (first <= last)
          {
            runs.push_back({ static_cast<std::int32_t>(first), static_cast<std::int32_t>(last),
              static_cast<std::int32_t>(y), static_cast<std::int32_t>(z), component });
          }
        });
    }
  }
  return runs;
}

std::vector<ComponentRun> ComponentRuns::faceRuns(int axis, int side) const
{
  Box face = this->Box_;
  (side ? face.lo : face.hi)[axis] = side ? face.hi[axis] : face.lo[axis];
  return this->runsIn(face);
}

std::vector<ComponentRun> ComponentRuns::shell() const
{
  std::vector<ComponentRun> runs;
  const Box& box = this->Box_;
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      const bool face = z == box.lo[2] || z == box.hi[2] || y == box.lo[1] || y == box.hi[1];
      const auto add = [&](Index x0, Index x1, Index component)
      {
        runs.push_back({ static_cast<std::int32_t>(x0), static_cast<std::int32_t>(x1),
          static_cast<std::int32_t>(y), static_cast<std::int32_t>(z), component });
      };
      if (face)
      {
        this->forEachRun(y, z, add);
        continue;
      }
      // Inside: the first and the last voxel of the row belong to the first and the last run.
      const Index line = this->line(y, z);
      const Index n = box.dim(0);
      if (testBit(this->bits(line), 0))
      {
        add(box.lo[0], box.lo[0],
          this->componentOfRun(this->LineStart_[static_cast<std::size_t>(line)]));
      }
      if (n > 1 && testBit(this->bits(line), n - 1))
      {
        add(box.hi[0], box.hi[0],
          this->componentOfRun(this->LineStart_[static_cast<std::size_t>(line) + 1] - 1));
      }
    }
  }
  return runs;
}

void joinShells(const std::vector<ComponentRun>& shellA, const Box& boxA,
  const std::vector<ComponentRun>& shellB, const Box& boxB, Connectivity connectivity,
  const std::function<void(Index, Index)>& touch)
{
  if (boxA.grown(1).intersect(boxB).empty())
  {
    return;
  }
  const auto before = [](const ComponentRun& run, std::int32_t y, std::int32_t z)
  { return run.z != z ? run.z < z : run.y < y; };

  // Lines of A ascend in (z, y), so for each offset the matching lines of B ascend as well.
  std::size_t start[3][3] = {};
  Index lastA = -1;
  Index lastB = -1;
  for (std::size_t i = 0; i < shellA.size();)
  {
    std::size_t end = i + 1;
    while (end < shellA.size() && shellA[end].y == shellA[i].y && shellA[end].z == shellA[i].z)
    {
      ++end;
    }
    for (int dz = -1; dz <= 1; ++dz)
    {
      for (int dy = -1; dy <= 1; ++dy)
      {
        const Index gap = contact(connectivity, (dy != 0) + (dz != 0));
        if (gap < 0)
        {
          continue;
        }
        const std::int32_t y = shellA[i].y + dy;
        const std::int32_t z = shellA[i].z + dz;
        std::size_t& b = start[dz + 1][dy + 1];
        while (b < shellB.size() && before(shellB[b], y, z))
        {
          ++b;
        }
        std::size_t a = i;
        std::size_t c = b;
        while (a < end && c < shellB.size() && shellB[c].y == y && shellB[c].z == z)
        {
          const ComponentRun& runA = shellA[a];
          const ComponentRun& runB = shellB[c];
          if (runA.x0 <= runB.x1 + gap && runB.x0 <= runA.x1 + gap &&
            (runA.component != lastA || runB.component != lastB))
          {
            lastA = runA.component;
            lastB = runB.component;
            touch(lastA, lastB);
          }
          (runA.x1 < runB.x1 ? a : c) += 1;
        }
      }
    }
    i = end;
  }
}

void joinAcross(const ComponentRuns& a, const ComponentRuns& b, Connectivity connectivity,
  const std::function<void(Index, Index)>& touch)
{
  joinShells(
    a.runsIn(b.box().grown(1)), a.box(), b.runsIn(a.box().grown(1)), b.box(), connectivity, touch);
}

} // namespace segcore
