// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ComponentJoin.h"
#include "Message.h"
#include "ReduceTable.h"
#include "UnionFind.h"

#include <algorithm>

namespace segcore
{

namespace
{

using Runs = std::vector<ComponentRun>;

/// Two islands of two ranks, by their first voxels, that touch.
struct Touch
{
  Index a;
  Index b;
};

bool operator<(const Touch& s, const Touch& t)
{
  return s.a != t.a ? s.a < t.a : s.b < t.b;
}

bool operator==(const Touch& s, const Touch& t)
{
  return s.a == t.a && s.b == t.b;
}

void makeUnique(std::vector<Touch>& touches)
{
  std::sort(touches.begin(), touches.end());
  touches.erase(std::unique(touches.begin(), touches.end()), touches.end());
}

bool areNeighbours(const Box& a, const Box& b)
{
  return !a.grown(1).intersect(b).empty();
}

/// The runs of a shell that `other` can touch, in the same order.
Runs runsNear(const Runs& shell, const Box& other)
{
  const Box near = other.grown(1);
  Runs runs;
  for (ComponentRun run : shell)
  {
    if (run.z >= near.lo[2] && run.z <= near.hi[2] && run.y >= near.lo[1] && run.y <= near.hi[1])
    {
      run.x0 = static_cast<std::int32_t>(std::max<Index>(run.x0, near.lo[0]));
      run.x1 = static_cast<std::int32_t>(std::min<Index>(run.x1, near.hi[0]));
      if (run.x0 <= run.x1)
      {
        runs.push_back(run);
      }
    }
  }
  return runs;
}

/// Of two ranks, the one that looks for touching pairs. Parity spreads the work.
int judge(int a, int b)
{
  return (a + b) % 2 ? std::min(a, b) : std::max(a, b);
}

std::string inputError(const Distribution& distribution, const std::vector<ComponentRuns>& blocks)
{
  const std::vector<Block>& local = distribution.localBlocks();
  if (blocks.size() != local.size())
  {
    return "components of " + std::to_string(blocks.size()) + " blocks for " +
      std::to_string(local.size()) + " local blocks; there must be one for each";
  }
  for (std::size_t b = 0; b < local.size(); ++b)
  {
    if (blocks[b].box() != local[b].box || blocks[b].whole() != distribution.whole())
    {
      return "components of local block " + std::to_string(b) +
        " were not made for this distribution";
    }
  }
  return {};
}

} // namespace

ComponentJoin::ComponentJoin(const Communicator& communicator, const Distribution& distribution,
  const std::vector<ComponentRuns>& blocks, Connectivity connectivity)
{
  communicator.require(inputError(distribution, blocks));
  const std::vector<Block>& local = distribution.localBlocks();
  const int me = communicator.rank();
  std::vector<Runs> shells(blocks.size());
  std::vector<Bytes> toRank(static_cast<std::size_t>(communicator.size()));

  // Join the blocks of this rank. Afterwards Islands_ is what this rank would say if it were alone.
  communicator.run(
    [&]
    {
      this->Offset_.assign(1, 0);
      for (const ComponentRuns& runs : blocks)
      {
        this->Offset_.push_back(this->Offset_.back() + runs.firstVoxels().size());
      }
      const std::size_t components = this->Offset_.back();
      forRanges(static_cast<Index>(blocks.size()), 1,
        [&](Index begin, Index end)
        {
          for (Index b = begin; b < end; ++b)
          {
            shells[b] = blocks[b].shell();
          }
        });
      UnionFind<std::size_t> sets(components);
      for (std::size_t a = 0; a < blocks.size(); ++a)
      {
        for (std::size_t b = a + 1; b < blocks.size(); ++b)
        {
          if (areNeighbours(local[a].box, local[b].box))
          {
            joinShells(runsNear(shells[a], local[b].box), local[a].box,
              runsNear(shells[b], local[a].box), local[b].box, connectivity,
              [&](Index ofA, Index ofB)
              {
                sets.join(this->Offset_[a] + static_cast<std::size_t>(ofA),
                  this->Offset_[b] + static_cast<std::size_t>(ofB));
              });
          }
        }
      }
      const std::vector<std::size_t>& roots = sets.flatten();
      this->Member_.resize(components);
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        for (std::size_t c = 0; c < blocks[b].firstVoxels().size(); ++c)
        {
          const std::size_t member = this->Offset_[b] + c;
          if (roots[member] == member) // the root of a set comes before its other members
          {
            this->Member_[member] = this->Islands_.size();
            this->Islands_.push_back({ blocks[b].firstVoxels()[c], 0 });
          }
          else
          {
            this->Member_[member] = this->Member_[roots[member]];
          }
          Island& island = this->Islands_[this->Member_[member]];
          island.first = std::min(island.first, blocks[b].firstVoxels()[c]);
          island.size += blocks[b].voxelCounts()[c];
        }
      }
      this->Own_.assign(this->Islands_.size(), 1);

      // Layers for other ranks, with the first voxel of the local island in place of the component.
      std::vector<MessageWriter> writers(toRank.size());
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        for (const Block& other : distribution.blocks())
        {
          if (other.rank == me || judge(me, other.rank) == me ||
            !areNeighbours(local[b].box, other.box))
          {
            continue;
          }
          Runs runs = runsNear(shells[b], other.box);
          if (runs.empty())
          {
            continue;
          }
          for (ComponentRun& run : runs)
          {
            run.component = this->island(b, run.component).first;
          }
          MessageWriter& writer = writers[other.rank];
          writer.put(local[b].id);
          writer.put(other.id);
          writer.put(runs);
        }
      }
      for (std::size_t r = 0; r < writers.size(); ++r)
      {
        toRank[r] = writers[r].take();
      }
    });

  if (communicator.size() > 1)
  {
    const std::vector<Bytes> fromRank = communicator.exchange(std::move(toRank));

    // Who touches whom across ranks.
    MessageWriter writer;
    communicator.run(
      [&]
      {
        std::vector<Touch> touches;
        for (const Bytes& message : fromRank)
        {
          MessageReader reader(message);
          while (!reader.atEnd())
          {
            const Block& theirs = distribution.blocks()[reader.get<Index>()];
            const Block& mine = distribution.blocks()[reader.get<Index>()];
            const Runs runs = reader.getArray<ComponentRun>();
            const std::size_t b = static_cast<std::size_t>(mine.id - distribution.firstBlock(me));
            joinShells(runs, theirs.box, runsNear(shells[b], theirs.box), mine.box, connectivity,
              [&](Index first, Index component)
              { touches.push_back({ first, this->island(b, component).first }); });
          }
          makeUnique(touches);
        }
        writer.put(touches);
      });
    const std::vector<Bytes> all = communicator.allGather(writer.take());

    // The same on all ranks: nodes are first voxels in ascending order, so the root of a set, its
    // smallest member, is the first voxel of the island.
    std::vector<Index> nodes;
    UnionFind<std::size_t> sets;
    std::vector<std::size_t> nodeOf(this->Islands_.size());
    std::vector<LabelSum> sizes;
    const auto find = [&nodes](Index first)
    {
      const auto found = std::lower_bound(nodes.begin(), nodes.end(), first);
      const bool exists = found != nodes.end() && *found == first;
      return exists ? static_cast<std::size_t>(found - nodes.begin()) : nodes.size();
    };
    communicator.run(
      [&]
      {
        for (const Bytes& message : all)
        {
          for (const Touch& touch : MessageReader(message).getArray<Touch>())
          {
            nodes.push_back(touch.a);
            nodes.push_back(touch.b);
          }
          std::sort(nodes.begin(), nodes.end());
          nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
        }
        sets = UnionFind<std::size_t>(nodes.size());
        for (const Bytes& message : all)
        {
          for (const Touch& touch : MessageReader(message).getArray<Touch>())
          {
            sets.join(find(touch.a), find(touch.b));
          }
        }
        for (std::size_t i = 0; i < this->Islands_.size(); ++i)
        {
          nodeOf[i] = find(this->Islands_[i].first);
          if (nodeOf[i] < nodes.size())
          {
            nodeOf[i] = sets.find(nodeOf[i]);
            sizes.push_back({ nodes[nodeOf[i]], this->Islands_[i].size });
          }
        }
      });
    sizes = reduceTable(communicator, std::move(sizes));
    for (std::size_t i = 0; i < this->Islands_.size(); ++i)
    {
      if (nodeOf[i] < nodes.size())
      {
        Island& island = this->Islands_[i];
        const Index first = nodes[nodeOf[i]];
        this->Own_[i] = island.first == first ? 1 : 0;
        island.first = first;
        island.size = std::lower_bound(sizes.begin(), sizes.end(), first,
          [](const LabelSum& entry, Index label)
          {
            return entry.label < label;
          })->count;
      }
    }
  }

  this->Count_ = communicator.allReduceSum(
    static_cast<Index>(std::count(this->Own_.begin(), this->Own_.end(), std::uint8_t{ 1 })));
  const std::vector<Island> best = this->sorted(communicator, 1, 1);
  this->Largest_ = best.empty() ? Island() : best.front();
}

std::vector<Island> ComponentJoin::sorted(
  const Communicator& communicator, Index minimumSize, Index most) const
{
  const auto order = [most](std::vector<Island>& islands)
  {
    const auto kept = static_cast<std::size_t>(
      std::max<Index>(0, std::min(most, static_cast<Index>(islands.size()))));
    std::partial_sort(islands.begin(), islands.begin() + kept, islands.end(), largerIsland);
    islands.resize(kept);
  };
  MessageWriter writer;
  communicator.run(
    [&]
    {
      std::vector<Island> mine;
      for (std::size_t i = 0; i < this->Islands_.size(); ++i)
      {
        if (this->Own_[i] && this->Islands_[i].size >= minimumSize)
        {
          mine.push_back(this->Islands_[i]);
        }
      }
      order(mine);
      writer.put(mine);
    });
  const std::vector<Bytes> all = communicator.allGather(writer.take());
  std::vector<Island> islands;
  communicator.run(
    [&]
    {
      for (const Bytes& message : all)
      {
        const std::vector<Island> part = MessageReader(message).getArray<Island>();
        islands.insert(islands.end(), part.begin(), part.end());
      }
      order(islands);
    });
  return islands;
}

Island ComponentJoin::at(const Communicator& communicator, const std::vector<ComponentRuns>& blocks,
  Index i, Index j, Index k) const
{
  Island found;
  for (std::size_t b = 0; b < blocks.size(); ++b)
  {
    const Index component = blocks[b].componentAt(i, j, k);
    if (component >= 0)
    {
      found = this->island(b, component);
    }
  }
  Index values[2] = { found.first, found.size }; // at most one rank has the voxel
  communicator.allReduceMax(values, 2);
  found.first = values[0];
  found.size = values[1];
  return found;
}

} // namespace segcore
