// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BlockSnapshot: the voxels of a layer at one moment, sharing with other moments what is equal.
///
/// Space is cut into blocks of 32 x 32 x 32 voxels, aligned with the index (0, 0, 0) and not with
/// any extent; voxels that an array does not store are 0. A block is kept compressed: one value if
/// all its voxels have the same, else runs along x, y and z, else as it is, whatever is least.
/// Blocks of zeros are not kept at all. A snapshot is a tree of blocks with 4 x 4 x 4 children to a
/// node, whose nodes never change: taking another snapshot after an edit packs the blocks that the
/// edit touched and copies the nodes above them, and shares all others. So the cost of both, in
/// time and memory, follows the edit and not the layer, and two snapshots are compared by walking
/// down where their trees differ. (Copying the path is the method of: J. R. Driscoll, N. Sarnak,
/// D. D. Sleator, R. E. Tarjan, Making data structures persistent, J. Comput. Syst. Sci. 38, 1989,
/// doi:10.1016/0022-0000(89)90034-2.)
///
/// Voxels are a number of bytes each, of any type, compared bit by bit. Arrays are laid out as in
/// Box.h. Threads: snapshots may be read by many; packing and unpacking many blocks is threaded.
/// Scratch: two blocks per thread. Copying a snapshot copies a pointer.

#ifndef segcoreBlockSnapshot_h
#define segcoreBlockSnapshot_h

#include "Box.h"

#include "SegmentationCoreKernelsModule.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace segcore
{

class SEGMENTATIONCOREKERNELS_EXPORT BlockSnapshot
{
public:
  static constexpr Index Edge = 32;

  /// Bytes that the snapshots with this meter keep, each block and node counted once however many
  /// snapshots share it.
  using Meter = std::shared_ptr<std::atomic<std::int64_t>>;
  static Meter newMeter();

  /// All voxels 0.
  explicit BlockSnapshot(Index bytesPerVoxel, Meter meter = newMeter());

  /// This snapshot with the voxels of `region` as they are in `voxels`, which stores `stored`;
  /// those of the region that are not stored become 0. Blocks of the region whose voxels turn out
  /// to be the same stay shared.
  BlockSnapshot withRegion(const void* voxels, const Box& stored, const Box& region) const;

  /// Makes `voxels` show this snapshot. `known` is a snapshot of what they show now, except in
  /// `dirty`, where nothing is known: only blocks that differ from it, or that are dirty, are
  /// written. Without `known` all are. Returns a box around what was written.
  Box writeTo(void* voxels, const Box& stored, const BlockSnapshot* known, const Box& dirty) const;

  /// Both have the same voxels. Fast for snapshots made from each other.
  bool operator==(const BlockSnapshot& other) const;
  bool operator!=(const BlockSnapshot& other) const { return !(*this == other); }

  Index bytesPerVoxel() const { return this->Width; }

  struct Node;
  struct Block;

private:
  std::shared_ptr<const Node> Root;
  Index Width;
  Meter Bytes;
};

} // namespace segcore

#endif
