// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ComponentJoin: islands of the whole image from the components of its blocks.
///
/// Input: one ComponentRuns per local block, in the order of Distribution::localBlocks(), labelled
/// with Distribution::whole(). Output: for every component of every local block, the island it is
/// part of: its first voxel (smallest global linear index, x fastest) and its number of voxels in
/// the whole image. The first voxel identifies an island; no other numbers are handed out.
/// Neighbours: 6, 18 or 26, as for the labelling. Islands are ordered by size, the largest first;
/// of equal ones the one whose first voxel comes first in raster order (as in Slicer's Islands
/// effect). Determinism: nothing depends on the split into blocks and ranks, nor on the number of
/// threads.
///
/// Steps: blocks of one rank are joined without messages. Then, for each pair of touching blocks on
/// two ranks, one of them sends the runs of its outermost layer next to the other, which finds the
/// touching pairs. Only what touches something on another rank takes part in what follows: the
/// unique pairs are gathered by all ranks, each of which joins them, and sizes are added up by
/// island.
///
/// Volume: 24 bytes per run of half of the seam layers between ranks; then, to all ranks, 16 bytes
/// per unique touching pair and 16 per component that touches another rank. Memory: 8 bytes per
/// component of the local blocks, 16 per local island; while joining, the shells of the local
/// blocks (24 bytes per run) and, on every rank, 40 bytes per component of all ranks that touches
/// another rank.

#ifndef segcoreComponentJoin_h
#define segcoreComponentJoin_h

#include "Communicator.h"
#include "ConnectedComponents.h"
#include "Distribution.h"

#include <limits>
#include <vector>

namespace segcore
{

/// A connected component of the whole image.
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

class SEGMENTATIONCOREPARALLEL_EXPORT ComponentJoin
{
public:
  /// Collective. Throws AgreedError on all ranks alike if `blocks` are not those of `distribution`.
  /// Does not keep references to the arguments.
  ComponentJoin(const Communicator& communicator, const Distribution& distribution,
    const std::vector<ComponentRuns>& blocks, Connectivity connectivity);

  /// Number of islands in the whole image.
  Index count() const { return this->Count_; }

  /// The largest island, on all ranks. Size 0 if there is none.
  const Island& largest() const { return this->Largest_; }

  /// Local. The island of component `component` of local block number `block`.
  const Island& island(std::size_t block, Index component) const
  {
    return this
      ->Islands_[this->Member_[this->Offset_[block] + static_cast<std::size_t>(component)]];
  }

  /// Local. One byte per component of a local block, for fillKept(): 1 where test(island) holds.
  template <class Test>
  std::vector<std::uint8_t> keep(std::size_t block, const Test& test) const
  {
    std::vector<std::uint8_t> kept(this->Offset_[block + 1] - this->Offset_[block]);
    for (std::size_t c = 0; c < kept.size(); ++c)
    {
      kept[c] = test(this->island(block, static_cast<Index>(c))) ? 1 : 0;
    }
    return kept;
  }

  /// Local. keep() for islands of at least `minimumSize` voxels.
  std::vector<std::uint8_t> keepSize(std::size_t block, Index minimumSize) const
  {
    return this->keep(
      block, [minimumSize](const Island& island) { return island.size >= minimumSize; });
  }

  /// Local. keep() for one island, for example largest().
  std::vector<std::uint8_t> keepOne(std::size_t block, const Island& one) const
  {
    return this->keep(block, [&one](const Island& island) { return island.first == one.first; });
  }

  /// Collective. The islands of at least `minimumSize` voxels, largest first, at most `most` of
  /// them, on all ranks. Volume: 16 bytes per island, at most `most` per rank.
  std::vector<Island> sorted(const Communicator& communicator, Index minimumSize = 1,
    Index most = std::numeric_limits<Index>::max()) const;

  /// Collective. The island at voxel (i, j, k), equal on all ranks; size 0 on background or
  /// outside. `blocks` as for the constructor.
  Island at(const Communicator& communicator, const std::vector<ComponentRuns>& blocks, Index i,
    Index j, Index k) const;

private:
  std::vector<std::size_t> Offset_; // of each local block in Member_, and the total
  std::vector<std::size_t> Member_; // component of a local block -> position in Islands_
  std::vector<Island> Islands_;     // those that have voxels on this rank
  std::vector<std::uint8_t> Own_;   // 1 where this rank has the first voxel: on one rank per island
  Index Count_ = 0;
  Island Largest_;
};

} // namespace segcore

#endif
