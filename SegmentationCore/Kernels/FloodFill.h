// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// FloodFill: what can be reached from seeds in a block, at a cost of what is reached.
///
/// Input: a function that says, for up to 64 voxels of a row, which of them may be filled; it is
/// asked at most once for each word of 64 voxels, and for none that the flood does not touch.
/// Output: bits in tiles of 64 x 8 x 8 voxels, made where the flood comes. Neighbours: 6 (faces),
/// 18 (and edges) or 26 (and corners). The result is the set of voxels that a path of accepted
/// voxels joins to a seed, whatever the order; seeds that are not accepted fill nothing.
///
/// Across blocks: takeLeaving() gives the runs of voxels that touch what was filled and lie in
/// other blocks of the image. They are seeds there; Parallel/FloodExchange.h carries them until
/// nothing changes, so the result does not depend on the split.
///
/// Method: a word of 64 voxels is filled at once, along the row by doubling steps, and hands what
/// is new to the words around it. Threads: none. Cost: proportional to the words touched. Memory:
/// 3 bits per voxel of a tile, 16 bytes per word that waits, 16 per run that leaves.

#ifndef segcoreFloodFill_h
#define segcoreFloodFill_h

#include "Box.h"
#include "ConnectedComponents.h"
#include "PackBits.h"
#include "Progress.h"
#include "SegmentationCoreKernelsModule.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace segcore
{

/// Voxels x0..x1 of the row (y, z), global indices. Plain data for messages.
struct FloodRun
{
  std::int32_t x0;
  std::int32_t x1;
  std::int32_t y;
  std::int32_t z;
};

/// Bit i of the answer: whether voxel (x + i, y, z) may be filled, 0 <= i < count <= 64.
using AcceptWord = std::function<Word(Index x, Index y, Index z, Index count)>;

class SEGMENTATIONCOREKERNELS_EXPORT FloodFill
{
public:
  /// Of the voxels of `box`, a block of the image `whole`.
  FloodFill(const Box& box, const Box& whole, Connectivity connectivity, AcceptWord accept);

  /// Starts at the voxels of the run that are in the box.
  void seed(const FloodRun& run);
  /// Starts at a voxel, if it is in the box.
  void seed(Index x, Index y, Index z)
  {
    if (this->Box_.contains(x, y, z))
    {
      this->push(
        x - ((x - this->Box_.lo[0]) & 63), y, z, Word{ 1 } << ((x - this->Box_.lo[0]) & 63));
    }
  }

  /// Fills from all seeds since the last call.
  void run(const Progress& progress = Progress());

  /// Voxels of other blocks that touch what was filled since the last call.
  std::vector<FloodRun> takeLeaving();

  const Box& box() const { return this->Box_; }
  /// Number of filled voxels.
  Index count() const { return this->Count_; }
  /// The smallest box of whole tiles with all of them, clipped to the block.
  Box bounds() const { return this->Bounds_.clipped(this->Box_); }

  /// 1 for filled voxels of `part`, else 0; `part` may reach beyond the box. Threads may call it.
  void write(const Box& part, std::uint8_t* out) const;
  /// False if no voxel of `part` is filled; cheap, and true may be wrong.
  bool mayContain(const Box& part) const;

  /// Calls visit(x0, x1, y, z) for runs of filled voxels; a run ends where a tile ends. In no
  /// particular order.
  template <class Visit>
  void forEachRun(const Visit& visit) const
  {
    for (const auto& entry : this->Tiles_)
    {
      const Tile& tile = *entry.second;
      for (Index row = 0; row < TileRows; ++row)
      {
        segcore::forEachRun(tile.filled.data() + row, 1,
          [&](Index first, Index last)
          {
            visit(tile.x + first, tile.x + last, tile.y + row % TileEdge, tile.z + row / TileEdge);
          });
      }
    }
  }

private:
  static constexpr Index TileEdge = 8; // along y and z
  static constexpr Index TileRows = TileEdge * TileEdge;

  struct Tile
  {
    Index x, y, z; // first voxel
    std::array<Word, TileRows> accepted;
    std::array<Word, TileRows> filled{};
    std::array<Word, TileRows> pending{}; // seeds that wait
    Word known = 0;                       // rows whose `accepted` was asked for
  };
  struct Waiting
  {
    Tile* tile;
    Index row;
  };

  Index keyOf(Index x, Index y, Index z) const;
  Tile& tileOf(Index x, Index y, Index z);
  const Tile* findTile(Index x, Index y, Index z) const;
  void push(Index x, Index y, Index z, Word bits);
  void spread(const Tile& tile, Index row, Word fresh);

  Box Box_;
  Box Whole_;
  AcceptWord Accept_;
  Index Reach_[3]; // how far apart along x rows 0, 1, 2 steps apart may touch; -1 never
  Index TilesX_;
  Index TilesY_;
  std::unordered_map<Index, std::unique_ptr<Tile>> Tiles_;
  Tile* Last_ = nullptr; // the tile that was asked for last
  std::vector<Waiting> Waiting_;
  std::vector<FloodRun> Leaving_;
  Index Count_ = 0;
  Box Bounds_;
};

} // namespace segcore

#endif
