// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ConnectedComponents: islands of a mask, per block, ready to be joined with the islands of other
/// blocks.
///
/// Input: values of any type on `stored`, of which the voxels of `block` equal to `label` (or
/// different from 0) are the object; nothing is copied but one bit per voxel. `whole` is the extent
/// of the undivided image. Output: ComponentRuns, the runs of object voxels along x with their
/// component. A component is named by the number of its first run, and runs are numbered in raster
/// order (x fastest), so that components ascend by their first voxel; their numbers have gaps. Per
/// component: number of voxels and first voxel as global linear index x + dx (y + dy z), relative
/// to the first voxel of `whole`. Neighbours: 6 (faces), 18 (and edges) or 26 (and corners).
///
/// Across blocks: a component of the image is a set of components of blocks, joined by the pairs
/// that joinAcross() (two blocks in one memory) or joinShells() (shells that were sent around)
/// report. Its count is the sum, its first voxel the minimum, so neither depends on the split; who
/// joined blocks writes them back with setIsland(). Blocks must not share voxels.
///
/// Method: the runs of a row are joined with those of the row before and of the slice before. Where
/// a run touches one of the slice before, and next to the contact both continue in the row before,
/// they are joined through that row already: such contacts are left out, a whole word of voxels at
/// a time, which is most of them in a solid object. A run has one number: the root of a tree holds
/// the voxels of its component, any other run a run before it.
///
/// Threads: yes, slabs of rows, then one join across their seams; the result does not depend on
/// their number. Cost: two reads of the bits after one of the values; work per run. Scratch and
/// result: 1/8 byte per voxel, 4 bytes per run (8 above 2^31 runs; at most one run per two voxels,
/// so at most 2.2 bytes per voxel), and 8 per row, whatever the number of components. Bad input
/// (block outside stored or whole): std::invalid_argument. Sources: Rosenfeld, Pfaltz, J. ACM 13
/// (1966), doi:10.1145/321356.321357; He, Chao, Suzuki, IEEE Trans. Image Process. 17 (2008),
/// doi:10.1109/TIP.2008.919369 (runs); Wu, Otoo, Suzuki, Pattern Anal. Appl. 12 (2009),
/// doi:10.1007/s10044-008-0109-y (leaving out contacts that others imply); UnionFind.h.

#ifndef segcoreConnectedComponents_h
#define segcoreConnectedComponents_h

#include "Buffer.h"
#include "PackBits.h"
#include "RunLists.h"
#include "SegmentationCoreKernelsModule.h"
#include "StreamStore.h"
#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

namespace segcore
{

enum class Connectivity
{
  Faces = 6,
  Edges = 18,
  Corners = 26
};

/// Voxels x0..x1 of the row (y, z), global indices, and their component. Plain data for messages.
struct ComponentRun
{
  std::int32_t x0;
  std::int32_t x1;
  std::int32_t y;
  std::int32_t z;
  std::int64_t component;
};

/// A component of a block, or the island of the whole image that it is part of.
struct Island
{
  Index first = -1; ///< global linear index of its first voxel; -1: no island
  Index size = 0;   ///< voxels
};

inline bool operator==(const Island& a, const Island& b)
{
  return a.first == b.first && a.size == b.size;
}

/// The order of islands: by size, descending; then by first voxel, ascending.
inline bool largerIsland(const Island& a, const Island& b)
{
  return a.size != b.size ? a.size > b.size : a.first < b.first;
}

/// The numbers of runs, in 32 bits while they fit. A root holds RootBit and what belongs to its
/// component: the number of voxels, or from TableBase on the place in a table; any other run holds
/// a run before it.
template <class Slot>
struct RunSlots
{
  static constexpr Slot RootBit = Slot{ 1 } << (8 * sizeof(Slot) - 1);
  static constexpr Slot TableBase = RootBit >> 1;

  static bool isRoot(Slot slot) { return (slot & RootBit) != 0; }
  static Slot payload(Slot slot) { return slot & static_cast<Slot>(~RootBit); }
};

class SEGMENTATIONCOREKERNELS_EXPORT ComponentRuns
{
public:
  ComponentRuns() = default;

  const Box& box() const { return this->Box_; }
  const Box& whole() const { return this->Whole_; }

  Index componentCount() const { return this->Components_; }
  Index runCount() const { return this->LineStart_.empty() ? 0 : this->LineStart_.back(); }

  /// Voxels of a component, or of its island after setIsland(). Cost: one look.
  Index size(Index component) const
  {
    return this->Wide_.empty() ? this->sizeIn(this->Narrow_.data(), component)
                               : this->sizeIn(this->Wide_.data(), component);
  }
  /// Its first voxel as global linear index, or that of its island. Cost: a search among the rows.
  Index first(Index component) const;
  Island island(Index component) const { return { this->first(component), this->size(component) }; }

  /// The component is part of a larger island: what size() and first() tell from now on. Components
  /// for which nothing was said are islands of their own.
  void setIsland(Index component, const Island& island);
  /// Whether setIsland() was called for it.
  bool isJoined(Index component) const;

  /// Numbers of components instead of sizes, from 0 to `most`: first make room, then give each one
  /// its number. A component has a size until it has a number.
  void makeNumbers(Index most);
  void setNumber(Index component, Index number)
  {
    this->Wide_.empty() ? setNumberIn(this->Narrow_[component], number)
                        : setNumberIn(this->Wide_[component], number);
  }
  Index number(Index component) const
  {
    return static_cast<Index>(this->Wide_.empty()
        ? RunSlots<std::uint32_t>::payload(this->Narrow_[component])
        : RunSlots<std::uint64_t>::payload(this->Wide_[component]));
  }

  /// A test of components: whether they are part of this island. Refers to *this.
  auto ofIsland(const Island& island) const
  {
    const Index own = this->componentOfVoxel(island.first);
    return [this, own, island](Index component)
    {
      const Index place = this->placeInTable(component);
      return place < 0 ? component == own
                       : this->Table_[static_cast<std::size_t>(place)].island.first == island.first;
    };
  }

  /// Calls visit(component) for all components, in ascending order.
  template <class Visit>
  void forEachComponent(const Visit& visit) const
  {
    this->forEachComponent(0, this->runCount(), visit);
  }
  /// Of those that begin with one of the runs begin .. end - 1: to share the work out.
  template <class Visit>
  void forEachComponent(Index begin, Index end, const Visit& visit) const
  {
    this->Wide_.empty() ? forEachRoot(this->Narrow_.data(), begin, end, visit)
                        : forEachRoot(this->Wide_.data(), begin, end, visit);
  }

  /// The largest component that is not joined, of equal ones the first; -1 if there is none.
  Index largest() const;

  /// The component at a voxel of the box, or -1 on background. Cost: one row.
  Index componentAt(Index x, Index y, Index z) const;

  /// Calls visit(x0, x1, component) for the runs of row (y, z) in ascending order, global x.
  template <class Visit>
  void forEachRun(Index y, Index z, const Visit& visit) const
  {
    this->Wide_.empty() ? this->forEachRunIn(this->Narrow_.data(), y, z, visit)
                        : this->forEachRunIn(this->Wide_.data(), y, z, visit);
  }

  /// Scratch memory of forEachRun(), for who looks at many rows.
  Buffer<std::int32_t> rowScratch() const
  {
    return Buffer<std::int32_t>(runListSize(this->Words_));
  }

  /// The same, faster.
  template <class Visit>
  void forEachRun(Index y, Index z, Buffer<std::int32_t>& scratch, const Visit& visit) const
  {
    this->Wide_.empty() ? this->forEachRunIn(this->Narrow_.data(), y, z, scratch.data(), visit)
                        : this->forEachRunIn(this->Wide_.data(), y, z, scratch.data(), visit);
  }

  /// Calls visit(component) for the runs of row (y, z) in ascending order.
  template <class Visit>
  void forEachRunsComponent(Index y, Index z, const Visit& visit) const
  {
    this->Wide_.empty() ? this->forEachRunsRoot(this->Narrow_.data(), y, z, visit)
                        : this->forEachRunsRoot(this->Wide_.data(), y, z, visit);
  }

  /// The mask's bits of a row.
  const Word* rowBits(Index y, Index z) const { return this->bits(this->line(y, z)); }
  Index rowRuns(Index y, Index z) const
  {
    const auto line = static_cast<std::size_t>(this->line(y, z));
    return this->LineStart_[line + 1] - this->LineStart_[line];
  }

  /// Calls visit(x0, x1, y, z, component) for all runs, from several threads; each row by one
  /// thread.
  template <class Visit>
  void forEachRun(const Visit& visit, const Progress& progress = Progress()) const
  {
    forRanges(this->Box_.rows(), 256, progress,
      [&](Index begin, Index end)
      {
        Buffer<std::int32_t> scratch = this->rowScratch();
        for (Index r = begin; r < end; ++r)
        {
          const Index y = this->Box_.lo[1] + r % this->Box_.dim(1);
          const Index z = this->Box_.lo[2] + r / this->Box_.dim(1);
          this->forEachRun(y, z, scratch,
            [&](Index x0, Index x1, Index component) { visit(x0, x1, y, z, component); });
        }
      });
  }

  /// Runs clipped to a region, ordered by z, y, x.
  std::vector<ComponentRun> runsIn(const Box& region) const;

  /// Runs of one boundary plane: side 0 is the low face of the axis, 1 the high face. Single voxels
  /// on x faces. Ordered by z, y, x.
  std::vector<ComponentRun> faceRuns(int axis, int side) const;

  /// Runs of the outermost layer of the box, one voxel thick: all that other blocks need. Ordered
  /// by z, y, x.
  std::vector<ComponentRun> shell() const;

private:
  friend class ComponentLabeller;

  Index line(Index y, Index z) const
  {
    return y - this->Box_.lo[1] + this->Box_.dim(1) * (z - this->Box_.lo[2]);
  }
  const Word* bits(Index line) const { return this->Bits_.data() + line * this->Words_; }

  /// Roots are two steps away at most: the labeller sees to it. No branch, as nobody can tell which
  /// runs are roots.
  template <class Slot>
  static Index rootOf(const Slot* slots, Index run)
  {
    const Slot slot = slots[run];
    const Index parent = RunSlots<Slot>::isRoot(slot) ? run : static_cast<Index>(slot);
    const Slot next = slots[parent];
    return RunSlots<Slot>::isRoot(next) ? parent : static_cast<Index>(next);
  }
  Index componentOfRun(Index run) const
  {
    return this->Wide_.empty() ? rootOf(this->Narrow_.data(), run)
                               : rootOf(this->Wide_.data(), run);
  }

  template <class Slot>
  Index sizeIn(const Slot* slots, Index component) const
  {
    const Index place = placeIn(slots[component]);
    return place < 0 ? static_cast<Index>(RunSlots<Slot>::payload(slots[component]))
                     : this->Table_[static_cast<std::size_t>(place)].island.size;
  }

  /// The component at a global linear index, or -1.
  Index componentOfVoxel(Index voxel) const;

  /// Place in the table of a component, or -1.
  Index placeInTable(Index component) const
  {
    return this->Wide_.empty() ? placeIn(this->Narrow_[component])
                               : placeIn(this->Wide_[component]);
  }
  template <class Slot>
  static Index placeIn(Slot slot)
  {
    const Slot payload = RunSlots<Slot>::payload(slot);
    return payload < RunSlots<Slot>::TableBase
      ? -1
      : static_cast<Index>(payload - RunSlots<Slot>::TableBase);
  }

  template <class Slot, class Visit>
  static void forEachRoot(const Slot* slots, Index begin, Index end, const Visit& visit)
  {
    for (Index run = begin; run < end; ++run)
    {
      if (RunSlots<Slot>::isRoot(slots[run]))
      {
        visit(run);
      }
    }
  }

  template <class Slot, class Visit>
  void forEachRunIn(const Slot* slots, Index y, Index z, const Visit& visit) const
  {
    const Index line = this->line(y, z);
    Index run = this->LineStart_[static_cast<std::size_t>(line)];
    const Index x = this->Box_.lo[0];
    segcore::forEachRun(this->bits(line), this->Words_,
      [&](Index first, Index last)
      {
        visit(x + first, x + last, rootOf(slots, run));
        ++run;
      });
  }

  template <class Slot, class Visit>
  void forEachRunIn(
    const Slot* slots, Index y, Index z, std::int32_t* bounds, const Visit& visit) const
  {
    const Index line = this->line(y, z);
    Index run = this->LineStart_[static_cast<std::size_t>(line)];
    const Index x = this->Box_.lo[0];
    const Index count = listRuns(this->bits(line), this->Words_, bounds);
    for (Index i = 0; i < count; i += 2)
    {
      visit(x + bounds[i], x + bounds[i + 1] - 1, rootOf(slots, run++));
    }
  }

  template <class Slot, class Visit>
  void forEachRunsRoot(const Slot* slots, Index y, Index z, const Visit& visit) const
  {
    const auto line = static_cast<std::size_t>(this->line(y, z));
    for (Index run = this->LineStart_[line]; run < this->LineStart_[line + 1]; ++run)
    {
      visit(rootOf(slots, run));
    }
  }

  template <class Slot>
  static void setNumberIn(Slot& slot, Index number)
  {
    slot = RunSlots<Slot>::RootBit | static_cast<Slot>(number);
  }

  template <class Slot>
  void setIslandIn(Slot* slots, Index component, const Island& island, bool joined);

  struct Entry
  {
    Island island;
    bool joined;
  };

  Box Box_;
  Box Whole_;
  Index Words_ = 0; // words per row of bits
  Index Components_ = 0;
  Buffer<Word> Bits_;            // the mask
  std::vector<Index> LineStart_; // first run of each row, and the number of runs
  Buffer<std::uint32_t> Narrow_; // RunSlots of each run, or
  Buffer<std::uint64_t> Wide_;   // the same if there are too many runs for 32 bits
  std::vector<Entry> Table_;     // joined components, and those too large for a slot
};

/// Fills the bits of the row (y, z) of a block; called once per row, from several threads.
using RowBits = std::function<void(Index y, Index z, Word* bits)>;

/// For tests: what otherwise takes gigabytes to reach.
struct LabelLimits
{
  bool wide = false;                 ///< 64 bits per run
  Index slabs = 1;                   ///< at least so many, but not more than rows
  Index slotSize = Index{ 1 } << 30; ///< voxels from which the size of a component is in a table
};

/// Components of a mask that is given by rows of bits.
SEGMENTATIONCOREKERNELS_EXPORT ComponentRuns labelComponents(const Box& block, const Box& whole,
  Connectivity connectivity, const RowBits& rowBits, const Progress& progress = Progress(),
  const LabelLimits& limits = LabelLimits());

namespace detail
{
inline void checkBlock(const Box& stored, const Box& block)
{
  if (!stored.contains(block))
  {
    throw std::invalid_argument("segcore::labelComponents: the block is not inside the stored box");
  }
}

/// Asks for what comes a page after a row.
template <class T>
void fetchRowLater(const T* row, Index n)
{
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  for (Index i = 0; i < n; i += line)
  {
    fetchLater(row + i);
  }
}
} // namespace detail

/// Components of the voxels equal to `label`. `values` points to the first voxel of `stored`.
template <class T>
ComponentRuns labelComponents(const T* values, const Box& stored, const Box& block,
  const Box& whole, T label, Connectivity connectivity, const Progress& progress = Progress())
{
  detail::checkBlock(stored, block);
  return labelComponents(
    block, whole, connectivity,
    [=](Index y, Index z, Word* bits)
    {
      const T* row = values + stored.offset(block.lo[0], y, z);
      detail::fetchRowLater(row, block.dim(0));
      packWhere(block.dim(0), bits, [row, label](Index i) { return row[i] == label; });
    },
    progress);
}

/// Components of the voxels that are not 0, whatever their values.
template <class T>
ComponentRuns labelNonzeroComponents(const T* values, const Box& stored, const Box& block,
  const Box& whole, Connectivity connectivity, const Progress& progress = Progress())
{
  detail::checkBlock(stored, block);
  return labelComponents(
    block, whole, connectivity,
    [=](Index y, Index z, Word* bits)
    {
      const T* row = values + stored.offset(block.lo[0], y, z);
      detail::fetchRowLater(row, block.dim(0));
      packWhere(block.dim(0), bits, [row](Index i) { return row[i] != T(0); });
    },
    progress);
}

/// Reports pairs (component of a, component of b) that touch; `shell` vectors and boxes as from
/// ComponentRuns::shell() and box(). Every touching pair is reported at least once, in an order
/// that depends on the input only; immediate repetitions are left out. Cost: linear in the runs.
SEGMENTATIONCOREKERNELS_EXPORT void joinShells(const std::vector<ComponentRun>& shellA,
  const Box& boxA, const std::vector<ComponentRun>& shellB, const Box& boxB,
  Connectivity connectivity, const std::function<void(Index, Index)>& touch);

/// The same for two blocks in one memory; looks at the voxels next to each other only.
SEGMENTATIONCOREKERNELS_EXPORT void joinAcross(const ComponentRuns& a, const ComponentRuns& b,
  Connectivity connectivity, const std::function<void(Index, Index)>& touch);

/// Writes value(component) to the voxels of all runs; other voxels of `out` are left as they are.
/// `out` points to the first voxel of `stored`, which contains the box of the runs.
template <class T, class Value>
void fillComponents(const ComponentRuns& runs, const Value& value, T* out, const Box& stored,
  const Progress& progress = Progress())
{
  detail::checkBlock(stored, runs.box());
  runs.forEachRun(
    [&](Index x0, Index x1, Index y, Index z, Index component)
    {
      const T v = value(component);
      T* to = out + stored.offset(x0, y, z);
      for (Index n = x1 - x0 + 1; n > 0; --n)
      {
        *to++ = v;
      }
    },
    progress);
}

/// Writes `value` to the voxels of the components with keep(component), nothing elsewhere.
template <class T, class Keep>
void fillKept(const ComponentRuns& runs, const Keep& keep, T value, T* out, const Box& stored,
  const Progress& progress = Progress())
{
  detail::checkBlock(stored, runs.box());
  runs.forEachRun(
    [&](Index x0, Index x1, Index y, Index z, Index component)
    {
      if (keep(component))
      {
        T* to = out + stored.offset(x0, y, z);
        std::fill(to, to + (x1 - x0 + 1), value);
      }
    },
    progress);
}

namespace detail
{
/// Rows that a thread writes at a time. Threads that begin to write to one large page at the same
/// time each clear it, so they had better not meet: ranges of several such pages, if there are
/// enough for all threads.
inline Index rowsAtATime(Index rows, Index rowBytes)
{
  constexpr Index several = Index{ 1 } << 22;
  return std::max<Index>(
    256, std::min(several / std::max<Index>(1, rowBytes), rows / (4 * threadCount())));
}

/// Elements that are written at a time: most runs are shorter, and nearly all of them are then one
/// step without a branch.
template <class T>
constexpr Index AheadWidth = sizeof(T) < 4 ? static_cast<Index>(32 / sizeof(T))
  : sizeof(T) < 32                         ? static_cast<Index>(64 / sizeof(T))
                                           : Index{ 1 };

/// Writes `n` elements, and up to AheadWidth - 1 beyond.
template <class T>
void fillAhead(T* to, Index n, T value)
{
  Index i = 0;
  do
  {
    for (Index w = 0; w < AheadWidth<T>; ++w)
    {
      to[i + w] = value;
    }
    i += AheadWidth<T>;
  } while (i < n);
}

/// Writes `n` elements; what is up to 15 bytes beyond is read and written as it is.
template <class T>
void fillExactly(T* to, Index n, T value)
{
  constexpr Index width = sizeof(T) < 16 ? static_cast<Index>(16 / sizeof(T)) : Index{ 1 };
  for (; n > 0; n -= width, to += width)
  {
    const auto count = static_cast<std::uint8_t>(std::min(n, width));
    for (std::uint8_t w = 0; w < width; ++w)
    {
      to[w] = w < count ? value : to[w];
    }
  }
}

/// writeComponents() for 32 bits, where useAvx512Bits() said so.
template <class T, class Value>
void writeComponentsWide(const ComponentRuns& runs, const Value& value, T rest, T* out,
  const Box& stored, const Progress& progress, bool streamed)
{
  const Box& box = runs.box();
  const auto bytes = static_cast<std::size_t>(box.dim(0)) * sizeof(T);
  forRanges(box.rows(), rowsAtATime(box.rows(), static_cast<Index>(bytes)), progress,
    [&](Index begin, Index end)
    {
      Buffer<std::uint32_t> line(streamed ? box.dim(0) : 0);
      Buffer<std::uint32_t> values(box.dim(0) / 2 + 1 + 2 * ValuesAround);
      std::fill(values.data(), values.data() + values.size(), 0u);
      for (Index r = begin; r < end; ++r)
      {
        const Index y = box.lo[1] + r % box.dim(1);
        const Index z = box.lo[2] + r / box.dim(1);
        std::uint32_t* next = values.data() + ValuesAround;
        runs.forEachRunsComponent(y, z, [&](Index component)
          { *next++ = static_cast<std::uint32_t>(static_cast<T>(value(component))); });
        auto* const row = reinterpret_cast<std::uint32_t*>(out + stored.offset(box.lo[0], y, z));
        expandRuns(runs.rowBits(y, z), box.dim(0), values.data() + ValuesAround,
          static_cast<std::uint32_t>(rest), streamed ? line.data() : row);
        if (streamed)
        {
          streamCopy(row, line.data(), bytes);
        }
      }
      streamFence();
    });
}
} // namespace detail

/// Writes value(component) to the voxels of all runs and `rest` to all others of the block. `fresh`
/// as for isStreamed().
template <class T, class Value>
void writeComponents(const ComponentRuns& runs, const Value& value, T rest, T* out,
  const Box& stored, const Progress& progress = Progress(), bool fresh = false)
{
  detail::checkBlock(stored, runs.box());
  const Box& box = runs.box();
  const bool streamed = isStreamed(box.size() * static_cast<Index>(sizeof(T)), fresh);
  const auto bytes = static_cast<std::size_t>(box.dim(0)) * sizeof(T);
  if constexpr (std::is_integral<T>::value && sizeof(T) == sizeof(std::uint32_t))
  {
    if (useAvx512Bits())
    {
      detail::writeComponentsWide(runs, value, rest, out, stored, progress, streamed);
      return;
    }
  }
  forRanges(box.rows(), detail::rowsAtATime(box.rows(), static_cast<Index>(bytes)), progress,
    [&](Index begin, Index end)
    {
      Buffer<std::int32_t> scratch = runs.rowScratch();
      Buffer<T> line(box.dim(0) + 2 * detail::AheadWidth<T>);
      Buffer<T> blank(box.dim(0)); // copied faster than filled again
      std::fill_n(blank.data(), box.dim(0), rest);
      for (Index r = begin; r < end; ++r)
      {
        const Index y = box.lo[1] + r % box.dim(1);
        const Index z = box.lo[2] + r / box.dim(1);
        std::memcpy(line.data(), blank.data(), bytes);
        runs.forEachRun(y, z, scratch,
          [&](Index x0, Index x1, Index component)
          {
            T* const first = line.data() + (x0 - box.lo[0]);
            const Index count = x1 - x0 + 1;
            detail::fillAhead(first, count, static_cast<T>(value(component)));
            detail::fillAhead(first + count, 1, rest); // what was beyond the run
          });
        T* const row = out + stored.offset(box.lo[0], y, z);
        streamed ? streamCopy(row, line.data(), bytes)
                 : static_cast<void>(std::memcpy(row, line.data(), bytes));
      }
      streamFence();
    });
}

/// Row by row: copies `in` to `out`, both on `stored`, then writes `value` to the voxels of the
/// components with keep(component). For what is left of a segment, in one pass over memory. `fresh`
/// as for isStreamed().
template <class T, class Keep>
void copyAndFill(const ComponentRuns& runs, const Keep& keep, T value, const T* in, T* out,
  const Box& stored, const Progress& progress = Progress(), bool fresh = false)
{
  detail::checkBlock(stored, runs.box());
  const Box& box = runs.box();
  const bool streamed = isStreamed(box.size() * static_cast<Index>(sizeof(T)), fresh);
  const auto bytes = static_cast<std::size_t>(box.dim(0)) * sizeof(T);
  forRanges(box.rows(), detail::rowsAtATime(box.rows(), static_cast<Index>(bytes)), progress,
    [&](Index begin, Index end)
    {
      Buffer<std::int32_t> scratch = runs.rowScratch();
      Buffer<std::int32_t> chosen = runs.rowScratch();
      Buffer<T> line(box.dim(0) + 16);
      for (Index r = begin; r < end; ++r)
      {
        const Index y = box.lo[1] + r % box.dim(1);
        const Index z = box.lo[2] + r / box.dim(1);
        const Index row = stored.offset(box.lo[0], y, z);
        // Every run is listed, and stays in the list if it is kept: no branch.
        Index count = 0;
        runs.forEachRun(y, z, scratch,
          [&](Index x0, Index x1, Index component)
          {
            chosen[count] = static_cast<std::int32_t>(x0 - box.lo[0]);
            chosen[count + 1] = static_cast<std::int32_t>(x1 - x0 + 1);
            count += keep(component) ? 2 : 0;
          });
        std::memcpy(line.data(), in + row, bytes);
        for (Index c = 0; c < count; c += 2)
        {
          detail::fillExactly(line.data() + chosen[c], chosen[c + 1], value);
        }
        streamed ? streamCopy(out + row, line.data(), bytes)
                 : static_cast<void>(std::memcpy(out + row, line.data(), bytes));
      }
      streamFence();
    });
}

} // namespace segcore

#endif
