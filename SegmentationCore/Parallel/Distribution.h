// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Distribution: who owns which voxel, decided once, the same on all ranks.
///
/// Every rank brings one piece: the box of voxels whose values it holds in an array. Pieces may
/// share planes of points (ParaView's image pieces do), carry ghost layers, overlap in any way, be
/// equal, or be empty. The piece of a lower rank owns what several hold:
///
///     owned(r) = piece(r) minus the pieces of all ranks below r, cut into disjoint boxes.
///
/// Values of shared voxels are expected to be equal; only the owner's are ever read. The owned
/// boxes are cut further into blocks, the units of work: at least one per owned box, about as many
/// per rank as that rank asked for. Nothing that is computed may depend on how voxels are cut into
/// blocks.
///
/// Everything here is known to all ranks, so after the construction no call communicates.
/// Cost: one allgather of 56 bytes per rank; P^2 / 2 box comparisons for P ranks (1 ms for 1000),
/// and box subtractions only between pieces that overlap. Memory: 64 bytes per block of all ranks.

#ifndef segcoreDistribution_h
#define segcoreDistribution_h

#include "Box.h"
#include "Communicator.h"

#include <vector>

namespace segcore
{

/// Appends the voxels of `box` that are not in `hole` to `out`, as up to six disjoint boxes in
/// raster order of their first voxels: below in z, below in y, below in x, above in x, above in y,
/// above in z.
SEGMENTATIONCOREPARALLEL_EXPORT void subtractBox(
  const Box& box, const Box& hole, std::vector<Box>& out);

/// The voxels of `box` that are in none of `holes`, as disjoint boxes. `holes` may overlap.
SEGMENTATIONCOREPARALLEL_EXPORT std::vector<Box> subtractBoxes(
  const Box& box, const std::vector<Box>& holes);

/// Cuts `box` into `count` disjoint boxes of about equal size, or into fewer if it has fewer
/// voxels. Cuts the longest axis (of equal ones the slowest) in two, and the halves likewise. No
/// box for an empty one.
SEGMENTATIONCOREPARALLEL_EXPORT std::vector<Box> splitBox(const Box& box, Index count);

/// A box of voxels that one rank owns.
struct Block
{
  Index id = 0; ///< position in Distribution::blocks(), the same on all ranks
  int rank = 0;
  Box box;
};

class SEGMENTATIONCOREPARALLEL_EXPORT Distribution
{
public:
  /// Nothing at all: no voxel, no block.
  Distribution() = default;

  /// Collective. Each rank gives the box of its piece (empty if it holds nothing) and into how many
  /// blocks its part shall be cut (at least 1; may differ between ranks).
  /// Throws AgreedError on all ranks if there are voxels in the bounding box of all pieces that no
  /// piece holds; the text names the first such box.
  Distribution(const Communicator& communicator, const Box& piece, Index blocksPerRank = 1);

  /// Collective. The same from a VTK extent.
  Distribution(const Communicator& communicator, const int pieceExtent[6], Index blocksPerRank = 1);

  /// Local. What the constructors above compute once the pieces of all ranks are known; `rank` is
  /// the one that asks. Throws std::runtime_error if voxels are missing.
  Distribution(int rank, const std::vector<Box>& pieces, const std::vector<Index>& blocksPerRank);

  /// The bounding box of all pieces; every voxel in it is in exactly one block.
  const Box& whole() const { return this->Whole_; }

  /// The box of the array that this rank, or any rank, holds.
  const Box& piece() const
  {
    return this->Pieces_.empty() ? this->Whole_ : this->Pieces_[this->Rank_];
  }
  const Box& piece(int rank) const { return this->Pieces_[rank]; }

  /// All blocks, sorted by rank, then by first voxel in raster order.
  const std::vector<Block>& blocks() const { return this->Blocks_; }

  /// The blocks of this rank, in the order of blocks().
  const std::vector<Block>& localBlocks() const { return this->LocalBlocks_; }

  /// The blocks of a rank as a range [firstBlock(r), firstBlock(r + 1)) of blocks().
  Index firstBlock(int rank) const { return this->FirstBlock_[rank]; }

  /// `box` with a halo around it, without what lies outside the whole image.
  Box grown(const Box& box, Index halo) const { return box.grown(halo).clipped(this->Whole_); }
  Box grown(const Box& box, const Index (&halo)[3]) const
  {
    return box.grown(halo).clipped(this->Whole_);
  }

  /// Number of a voxel in the whole image, x fastest: the same for any distribution.
  Index globalIndex(Index i, Index j, Index k) const { return this->Whole_.offset(i, j, k); }

private:
  int Rank_ = 0;
  Box Whole_;
  std::vector<Box> Pieces_;
  std::vector<Block> Blocks_;
  std::vector<Block> LocalBlocks_;
  std::vector<Index> FirstBlock_;
};

} // namespace segcore

#endif
