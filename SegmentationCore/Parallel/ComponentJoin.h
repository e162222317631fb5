// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ComponentJoin: islands of the whole image from the components of its blocks.
///
/// Input: one ComponentRuns per local block, in the order of Distribution::localBlocks(), labelled
/// with Distribution::whole(). Result: size() and first() of every component of every local block
/// are those of the island that it is part of: its number of voxels in the whole image and its
/// first voxel (smallest global linear index, x fastest). The first voxel identifies an island;
/// numberIslands() hands out other numbers. Neighbours: 6, 18 or 26, as for the labelling. Islands
/// are ordered by size, the largest first; of equal ones the one whose first voxel comes first in
/// raster order (as in Slicer's Islands effect). Determinism: nothing depends on the split into
/// blocks and ranks, nor on the number of threads.
///
/// Steps: blocks of one rank are joined without messages. Then, for each pair of touching blocks on
/// two ranks, one of them sends the runs of its outermost layer next to the other, which finds the
/// touching pairs. Only what touches something on another rank takes part in what follows: the
/// unique pairs are gathered by all ranks, each of which joins them, and sizes are added up by
/// island.
///
/// Volume: 24 bytes per run of half of the seam layers between ranks; then, to all ranks, 16 bytes
/// per unique touching pair and 16 per component that touches another rank. Memory: nothing for a
/// single block. Otherwise, for the components in the outermost layer of the local blocks, 56 bytes
/// each; while joining, the shells of the local blocks (24 bytes per run) and, on every rank, 40
/// bytes per component of all ranks that touches another rank.

#ifndef segcoreComponentJoin_h
#define segcoreComponentJoin_h

#include "Communicator.h"
#include "ConnectedComponents.h"
#include "Distribution.h"

#include <limits>
#include <vector>

namespace segcore
{

class SEGMENTATIONCOREPARALLEL_EXPORT ComponentJoin
{
public:
  /// Collective. Throws AgreedError on all ranks alike if `blocks` are not those of `distribution`.
  /// Tells them the islands of their components, and refers to them as long as it lives.
  ComponentJoin(const Communicator& communicator, const Distribution& distribution,
    std::vector<ComponentRuns>& blocks, Connectivity connectivity);

  /// Number of islands in the whole image.
  Index count() const { return this->Count_; }

  /// The largest island, on all ranks. Size 0 if there is none.
  const Island& largest() const { return this->Largest_; }

  /// Collective. The islands of at least `minimumSize` voxels, largest first, at most `most` of
  /// them, on all ranks. Volume: 16 bytes per island, at most `most` per rank. Memory: twice that.
  std::vector<Island> sorted(const Communicator& communicator, Index minimumSize = 1,
    Index most = std::numeric_limits<Index>::max()) const;

  /// Collective. The island at voxel (i, j, k), equal on all ranks; size 0 on background or
  /// outside.
  Island at(const Communicator& communicator, Index i, Index j, Index k) const;

  /// Collective. Numbers the islands of at least `minimumSize` voxels 1, 2, ... in their order, all
  /// others 0, and gives the components the numbers of their islands (ComponentRuns::number()).
  /// Returns how many there are. Call it once, last: the sizes are gone. Volume, for several ranks:
  /// 16 bytes per island, to all ranks. Memory: nothing for a single block but 16 bytes for each
  /// island of 4096 voxels and more; otherwise 40 bytes per island of the rank.
  Index numberIslands(const Communicator& communicator, Index minimumSize = 1);

  /// Collective. The first voxels of the islands that touch the border of the whole image,
  /// ascending, the same on all ranks. Axes along which the image is one voxel long have no border,
  /// so that a single slice is an image of its own; an image of one voxel is all border. Volume: 8
  /// bytes per such island and rank that has voxels of it at the border.
  std::vector<Index> atBorder(const Communicator& communicator) const;

private:
  /// Calls visit(island) for the islands whose first voxel is on this rank, each once.
  template <class Visit>
  void forEachOwn(Index minimumSize, const Visit& visit) const;

  Index numberBlock(ComponentRuns& block, Index minimumSize) const;

  std::vector<ComponentRuns>* Blocks_;
  bool Single_ = true;            // one block is the whole image
  std::vector<Island> Islands_;   // those in the outermost layer of a local block
  std::vector<std::uint8_t> Own_; // 1 where this rank has the first voxel: on one rank per island
  Index Count_ = 0;
  Island Largest_;
};

} // namespace segcore

#endif
