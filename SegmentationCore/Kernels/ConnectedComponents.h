// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ConnectedComponents: islands of a mask, per block, ready to be joined with the islands of other
/// blocks.
///
/// Input: values of any type on `stored`, of which the voxels of `block` equal to `label` (or
/// different from 0) are the object; nothing is copied but one bit per voxel. `whole` is the extent
/// of the undivided image. Output: ComponentRuns, the runs of object voxels along x with their
/// component. Components are numbered 0 .. n-1 in the order of their first voxel in raster order (x
/// fastest). Per component: number of voxels and first voxel as global linear index x + dx (y + dy
/// z), relative to the first voxel of `whole`. Neighbours: 6 (faces), 18 (and edges) or 26 (and
/// corners).
///
/// Across blocks: a component of the image is a set of components of blocks, joined by the pairs
/// that joinAcross() (two blocks in one memory) or joinShells() (shells that were sent around)
/// report. Its count is the sum, its first voxel the minimum, so neither depends on the split.
/// Blocks must not share voxels.
///
/// Threads: yes, slabs of slices, then one join across their seams; the result does not depend on
/// their number. Cost: two reads of the bits after one of the values; work per run. Scratch and
/// result: 1/8 byte per voxel, 4 bytes per run (8 above 2^32 runs; at most one run per two voxels),
/// 8 per row, and 16 bytes per component (24 more per component of a slab while working). Bad input
/// (block outside stored or whole): std::invalid_argument. Sources: Rosenfeld, Pfaltz, J. ACM 13
/// (1966), doi:10.1145/321356.321357; He, Chao, Suzuki, IEEE Trans. Image Process. 17 (2008),
/// doi:10.1109/TIP.2008.919369 (runs); UnionFind.h.

#ifndef segcoreConnectedComponents_h
#define segcoreConnectedComponents_h

#include "Buffer.h"
#include "PackBits.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <cstdint>
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

class SEGMENTATIONCOREKERNELS_EXPORT ComponentRuns
{
public:
  ComponentRuns() = default;

  const Box& box() const { return this->Box_; }
  const Box& whole() const { return this->Whole_; }

  Index componentCount() const { return static_cast<Index>(this->Voxels_.size()); }
  Index runCount() const { return this->LineStart_.empty() ? 0 : this->LineStart_.back(); }
  /// Voxels of each component.
  const std::vector<std::int64_t>& voxelCounts() const { return this->Voxels_; }
  /// First voxel of each component, ascending, as global linear index.
  const std::vector<std::int64_t>& firstVoxels() const { return this->First_; }

  /// The component at a voxel of the box, or -1 on background. Cost: one row.
  Index componentAt(Index x, Index y, Index z) const;

  /// Calls visit(x0, x1, component) for the runs of row (y, z) in ascending order, global x.
  template <class Visit>
  void forEachRun(Index y, Index z, const Visit& visit) const
  {
    const Index line = this->line(y, z);
    Index run = this->LineStart_[static_cast<std::size_t>(line)];
    const Index x = this->Box_.lo[0];
    segcore::forEachRun(this->bits(line), this->Words_,
      [&](Index first, Index last)
      {
        visit(x + first, x + last, this->componentOfRun(run));
        ++run;
      });
  }

  /// Calls visit(x0, x1, y, z, component) for all runs, from several threads; each row by one
  /// thread.
  template <class Visit>
  void forEachRun(const Visit& visit, const Progress& progress = Progress()) const
  {
    forRanges(this->Box_.rows(), 256, progress,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const Index y = this->Box_.lo[1] + r % this->Box_.dim(1);
          const Index z = this->Box_.lo[2] + r / this->Box_.dim(1);
          this->forEachRun(
            y, z, [&](Index x0, Index x1, Index component) { visit(x0, x1, y, z, component); });
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
  Index componentOfRun(Index run) const
  {
    return this->Wide_.empty() ? Index{ this->Narrow_[run] } : this->Wide_[run];
  }

  Box Box_;
  Box Whole_;
  Index Words_ = 0;              // words per row of bits
  Buffer<Word> Bits_;            // the mask
  std::vector<Index> LineStart_; // first run of each row, and the number of runs
  Buffer<std::uint32_t> Narrow_; // component of each run, or
  Buffer<std::int64_t> Wide_;    // the same if there are too many runs for 32 bits
  std::vector<std::int64_t> Voxels_;
  std::vector<std::int64_t> First_;
};

/// Fills the bits of the row (y, z) of a block; called once per row, from several threads.
using RowBits = std::function<void(Index y, Index z, Word* bits)>;

/// Components of a mask that is given by rows of bits. `wideIds` forces 64-bit ids, for tests.
SEGMENTATIONCOREKERNELS_EXPORT ComponentRuns labelComponents(const Box& block, const Box& whole,
  Connectivity connectivity, const RowBits& rowBits, const Progress& progress = Progress(),
  bool wideIds = false);

namespace detail
{
inline void checkBlock(const Box& stored, const Box& block)
{
  if (!stored.contains(block))
  {
    throw std::invalid_argument("segcore::labelComponents: the block is not inside the stored box");
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

/// Writes `value` to the voxels of the components with keep[component] != 0, nothing elsewhere.
template <class T>
void fillKept(const ComponentRuns& runs, const std::vector<std::uint8_t>& keep, T value, T* out,
  const Box& stored, const Progress& progress = Progress())
{
  detail::checkBlock(stored, runs.box());
  runs.forEachRun(
    [&](Index x0, Index x1, Index y, Index z, Index component)
    {
      if (keep[static_cast<std::size_t>(component)])
      {
        T* to = out + stored.offset(x0, y, z);
        std::fill(to, to + (x1 - x0 + 1), value);
      }
    },
    progress);
}

} // namespace segcore

#endif
