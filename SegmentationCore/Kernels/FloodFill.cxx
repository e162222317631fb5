// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Words and tiles are aligned to the first voxel of the block. Row r of a tile is y + 8 z within
// it, and bit i its voxel i along x.

#include "FloodFill.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace segcore
{

namespace
{
/// The runs of ones of `within` that hold a bit of `seeds`, which are in `within`.
Word fillWord(Word seeds, Word within)
{
  // Both directions by doubling: after each step `open` says over which gaps the next one may go.
  Word up = seeds;
  Word down = seeds;
  Word openUp = within;
  Word openDown = within;
  for (int step = 1; step < 64; step *= 2)
  {
    up |= openUp & (up << step);
    openUp &= openUp << step;
    down |= openDown & (down >> step);
    openDown &= openDown >> step;
  }
  return up | down;
}
}

FloodFill::FloodFill(const Box& box, const Box& whole, Connectivity connectivity, AcceptWord accept)
  : Box_(box)
  , Whole_(whole)
  , Accept_(std::move(accept))
  , Reach_{ 0, connectivity == Connectivity::Faces ? 0 : 1,
    connectivity == Connectivity::Faces ? -1 : (connectivity == Connectivity::Edges ? 0 : 1) }
  , TilesX_(wordCount(box.dim(0)))
  , TilesY_((box.dim(1) + TileEdge - 1) / TileEdge)
{
}

Index FloodFill::keyOf(Index x, Index y, Index z) const
{
  return ((x - this->Box_.lo[0]) >> 6) +
    this->TilesX_ *
    ((y - this->Box_.lo[1]) / TileEdge + this->TilesY_ * ((z - this->Box_.lo[2]) / TileEdge));
}

FloodFill::Tile& FloodFill::tileOf(Index x, Index y, Index z)
{
  const auto first = [](Index at, Index low, Index edge) { return at - (at - low) % edge; };
  const Index x0 = first(x, this->Box_.lo[0], 64);
  const Index y0 = first(y, this->Box_.lo[1], TileEdge);
  const Index z0 = first(z, this->Box_.lo[2], TileEdge);
  if (this->Last_ && this->Last_->x == x0 && this->Last_->y == y0 && this->Last_->z == z0)
  {
    return *this->Last_;
  }
  std::unique_ptr<Tile>& tile = this->Tiles_[this->keyOf(x, y, z)];
  if (!tile)
  {
    tile = std::make_unique<Tile>();
    tile->x = x0;
    tile->y = y0;
    tile->z = z0;
  }
  this->Last_ = tile.get();
  return *tile;
}

const FloodFill::Tile* FloodFill::findTile(Index x, Index y, Index z) const
{
  const auto found = this->Tiles_.find(this->keyOf(x, y, z));
  return found == this->Tiles_.end() ? nullptr : found->second.get();
}

/// Voxels x + i of the row for the bits i, all of one word; those of other blocks leave.
void FloodFill::push(Index x, Index y, Index z, Word bits)
{
  if (!this->Whole_.contains(this->Whole_.lo[0], y, z))
  {
    return;
  }
  const bool inRows = y >= this->Box_.lo[1] && y <= this->Box_.hi[1] && z >= this->Box_.lo[2] &&
    z <= this->Box_.hi[2];
  if (!inRows || x < this->Box_.lo[0] || x + 63 > this->Box_.hi[0])
  {
    segcore::forEachRun(&bits, 1,
      [&](Index first, Index last)
      {
        Index x0 = std::max(x + first, this->Whole_.lo[0]);
        const Index x1 = std::min(x + last, this->Whole_.hi[0]);
        const auto leave = [&](Index from, Index to)
        {
          if (from <= to)
          {
            this->Leaving_.push_back(
              { static_cast<std::int32_t>(from), static_cast<std::int32_t>(to),
                static_cast<std::int32_t>(y), static_cast<std::int32_t>(z) });
          }
        };
        if (!inRows)
        {
          leave(x0, x1);
          return;
        }
        leave(x0, std::min(x1, this->Box_.lo[0] - 1));
        leave(std::max(x0, this->Box_.hi[0] + 1), x1);
      });
    if (!inRows || x < this->Box_.lo[0] || x > this->Box_.hi[0])
    {
      return;
    }
    bits &= lowBits(this->Box_.hi[0] - x + 1);
  }
  Tile& tile = this->tileOf(x, y, z);
  const Index row = y - tile.y + TileEdge * (z - tile.z);
  if (!((tile.known >> row) & 1u))
  {
    tile.known |= Word{ 1 } << row;
    const Index count = std::min<Index>(64, this->Box_.hi[0] - x + 1);
    tile.accepted[row] = this->Accept_(x, y, z, count) & lowBits(count);
  }
  bits &= tile.accepted[row] & ~tile.filled[row];
  if (bits)
  {
    if (!tile.pending[row])
    {
      this->Waiting_.push_back({ &tile, row });
    }
    tile.pending[row] |= bits;
  }
}

void FloodFill::seed(const FloodRun& run)
{
  const Index x0 = std::max<Index>(run.x0, this->Box_.lo[0]);
  const Index x1 = std::min<Index>(run.x1, this->Box_.hi[0]);
  if (x0 > x1 || !this->Box_.contains(x0, run.y, run.z))
  {
    return;
  }
  for (Index x = x0 - (x0 - this->Box_.lo[0]) % 64; x <= x1; x += 64)
  {
    const Word from = ~lowBits(std::max<Index>(0, x0 - x));
    this->push(x, run.y, run.z, from & lowBits(std::min<Index>(64, x1 - x + 1)));
  }
}

/// Hands on what is new in a word to the words around it.
void FloodFill::spread(const Tile& tile, Index row, Word fresh)
{
  const Index x = tile.x;
  const Index y = tile.y + row % TileEdge;
  const Index z = tile.z + row / TileEdge;
  const Index last = std::min<Index>(63, this->Box_.hi[0] - x);
  const bool first = (fresh & 1u) != 0;
  const bool end = ((fresh >> last) & 1u) != 0;
  for (Index dz = -1; dz <= 1; ++dz)
  {
    for (Index dy = -1; dy <= 1; ++dy)
    {
      const Index steps = (dy != 0) + (dz != 0);
      const Index reach = steps == 0 ? 1 : this->Reach_[steps];
      if (reach < 0)
      {
        continue;
      }
      if (steps > 0)
      {
        const Word bits = reach > 0 ? fresh | (fresh << 1) | (fresh >> 1) : fresh;
        this->push(x, y + dy, z + dz, bits & lowBits(last + 1));
      }
      if (reach > 0 && first)
      {
        this->push(x - 64, y + dy, z + dz, Word{ 1 } << 63);
      }
      if (reach > 0 && end)
      {
        this->push(x + last + 1, y + dy, z + dz, 1);
      }
    }
  }
}

void FloodFill::run(const Progress& progress)
{
  Index turns = 0;
  while (!this->Waiting_.empty())
  {
    const Waiting next = this->Waiting_.back();
    this->Waiting_.pop_back();
    Tile& tile = *next.tile;
    const Word seeds = tile.pending[next.row];
    tile.pending[next.row] = 0;
    const Word free = tile.accepted[next.row] & ~tile.filled[next.row];
    const Word fresh = fillWord(seeds & free, free);
    if (!fresh)
    {
      continue;
    }
    tile.filled[next.row] |= fresh;
    this->Count_ += countOnes(fresh);
    Box held;
    held.lo[0] = tile.x;
    held.lo[1] = tile.y;
    held.lo[2] = tile.z;
    held.hi[0] = tile.x + 63;
    held.hi[1] = tile.y + TileEdge - 1;
    held.hi[2] = tile.z + TileEdge - 1;
    this->Bounds_ = this->Bounds_.unite(held);
    this->spread(tile, next.row, fresh);
    if ((++turns & 0xffff) == 0)
    {
      progress.step(0.5); // nobody knows how far it goes
    }
  }
}

std::vector<FloodRun> FloodFill::takeLeaving()
{
  return std::exchange(this->Leaving_, {});
}

void FloodFill::write(const Box& part, std::uint8_t* out) const
{
  std::memset(out, 0, static_cast<std::size_t>(part.size()));
  const Box inside = part.clipped(this->bounds());
  for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
  {
    for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
    {
      Index x = inside.lo[0];
      while (x <= inside.hi[0])
      {
        const Index bit = (x - this->Box_.lo[0]) & 63;
        const Index count = std::min<Index>(64 - bit, inside.hi[0] - x + 1);
        if (const Tile* tile = this->findTile(x, j, k))
        {
          unpackBits(tile->filled.data() + (j - tile->y + TileEdge * (k - tile->z)), bit, count,
            out + part.offset(x, j, k));
        }
        x += count;
      }
    }
  }
}

bool FloodFill::mayContain(const Box& part) const
{
  const Box inside = part.clipped(this->bounds());
  for (Index k = inside.lo[2]; k <= inside.hi[2];)
  {
    for (Index j = inside.lo[1]; j <= inside.hi[1];)
    {
      for (Index x = inside.lo[0]; x <= inside.hi[0]; x += 64 - ((x - this->Box_.lo[0]) & 63))
      {
        if (this->findTile(x, j, k))
        {
          return true;
        }
      }
      j += TileEdge - (j - this->Box_.lo[1]) % TileEdge;
    }
    k += TileEdge - (k - this->Box_.lo[2]) % TileEdge;
  }
  return false;
}

} // namespace segcore
