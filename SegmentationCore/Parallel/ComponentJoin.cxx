// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ComponentJoin.h"
#include "Message.h"
#include "ReduceTable.h"
#include "Threads.h"
#include "UnionFind.h"

#include <algorithm>
#include <utility>

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
  std::vector<ComponentRuns>& blocks, Connectivity connectivity)
  : Blocks_(&blocks), Single_(distribution.blocks().size() == 1)
{
  communicator.require(inputError(distribution, blocks));
  const std::vector<Block>& local = distribution.localBlocks();
  const int me = communicator.rank();
  // Of each block the components in its outermost layer, ascending. A member is one of those of all
  // local blocks, and offset[b] the first one of block b.
  std::vector<std::vector<Index>> outer(blocks.size());
  std::vector<std::size_t> offset(1, 0);
  std::vector<std::size_t> islandOf; // a member's place in Islands_
  std::vector<Runs> shells(blocks.size());
  std::vector<Bytes> toRank(static_cast<std::size_t>(communicator.size()));

  // Join the blocks of this rank. Afterwards Islands_ is what this rank would say if it were alone.
  communicator.run(
    [&]
    {
      if (this->Single_)
      {
        return;
      }
      forRanges(static_cast<Index>(blocks.size()), 1,
        [&](Index begin, Index end)
        {
          for (Index b = begin; b < end; ++b)
          {
            shells[b] = blocks[b].shell();
            for (const ComponentRun& run : shells[b])
            {
              outer[b].push_back(run.component);
            }
            std::sort(outer[b].begin(), outer[b].end());
            outer[b].erase(std::unique(outer[b].begin(), outer[b].end()), outer[b].end());
            for (ComponentRun& run : shells[b])
            {
              run.component = std::lower_bound(outer[b].begin(), outer[b].end(), run.component) -
                outer[b].begin();
            }
          }
        });
      for (const std::vector<Index>& components : outer)
      {
        offset.push_back(offset.back() + components.size());
      }
      UnionFind<std::size_t> sets(offset.back());
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
                sets.join(offset[a] + static_cast<std::size_t>(ofA),
                  offset[b] + static_cast<std::size_t>(ofB));
              });
          }
        }
      }
      const std::vector<std::size_t>& roots = sets.flatten();
      islandOf.resize(offset.back());
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        for (std::size_t n = 0; n < outer[b].size(); ++n)
        {
          const Island part = blocks[b].island(outer[b][n]);
          const std::size_t member = offset[b] + n;
          if (roots[member] == member) // the root of a set comes before its other members
          {
            islandOf[member] = this->Islands_.size();
            this->Islands_.push_back({ part.first, 0 });
          }
          else
          {
            islandOf[member] = islandOf[roots[member]];
          }
          Island& island = this->Islands_[islandOf[member]];
          island.first = std::min(island.first, part.first);
          island.size += part.size;
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
            run.component = this->Islands_[islandOf[offset[b] + run.component]].first;
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
              {
                touches.push_back({ first, this->Islands_[islandOf[offset[b] + component]].first });
              });
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

  Index own = std::count(this->Own_.begin(), this->Own_.end(), std::uint8_t{ 1 });
  Island best;
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        own += blocks[b].componentCount() - static_cast<Index>(outer[b].size());
        for (std::size_t n = 0; n < outer[b].size(); ++n)
        {
          blocks[b].setIsland(outer[b][n], this->Islands_[islandOf[offset[b] + n]]);
        }
        // Components ascend with their first voxels, so the first of equal ones is the right one.
        const Index largest = blocks[b].largest();
        const Island island = largest < 0 ? Island() : blocks[b].island(largest);
        best = largerIsland(island, best) ? island : best;
      }
      for (const Island& island : this->Islands_)
      {
        best = largerIsland(island, best) ? island : best;
      }
    });
  this->Count_ = communicator.allReduceSum(own);
  const Index size = communicator.allReduceMax(best.size);
  const Index far = std::numeric_limits<Index>::max();
  const Index first = communicator.allReduceMin(best.size == size ? best.first : far);
  this->Largest_ = size > 0 ? Island{ first, size } : Island();
}

template <class Visit>
void ComponentJoin::forEachOwn(Index minimumSize, const Visit& visit) const
{
  for (const ComponentRuns& block : *this->Blocks_)
  {
    block.forEachComponent(
      [&](Index component)
      {
        if (!block.isJoined(component) && block.size(component) >= minimumSize)
        {
          visit(block.island(component));
        }
      });
  }
  for (std::size_t i = 0; i < this->Islands_.size(); ++i)
  {
    if (this->Own_[i] && this->Islands_[i].size >= minimumSize)
    {
      visit(this->Islands_[i]);
    }
  }
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
      this->forEachOwn(minimumSize,
        [&](const Island& island)
        {
          mine.push_back(island);
          if (static_cast<Index>(mine.size()) / 2 > most)
          {
            order(mine);
          }
        });
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

Island ComponentJoin::at(const Communicator& communicator, Index i, Index j, Index k) const
{
  Island found;
  for (const ComponentRuns& block : *this->Blocks_)
  {
    const Index component = block.componentAt(i, j, k);
    if (component >= 0)
    {
      found = block.island(component);
    }
  }
  Index values[2] = { found.first, found.size }; // at most one rank has the voxel
  communicator.allReduceMax(values, 2);
  found.first = values[0];
  found.size = values[1];
  return found;
}

std::vector<Index> ComponentJoin::atBorder(const Communicator& communicator) const
{
  const auto tidy = [](std::vector<Index>& islands)
  {
    std::sort(islands.begin(), islands.end());
    islands.erase(std::unique(islands.begin(), islands.end()), islands.end());
  };
  MessageWriter writer;
  communicator.run(
    [&]
    {
      std::vector<Index> mine;
      for (const ComponentRuns& block : *this->Blocks_)
      {
        const Box& whole = block.whole();
        const Box& box = block.box();
        for (int side = 0; side < 6; ++side)
        {
          const int axis = side / 2;
          const bool border =
            side % 2 ? box.hi[axis] == whole.hi[axis] : box.lo[axis] == whole.lo[axis];
          if (!border || (whole.dim(axis) == 1 && whole.size() > 1))
          {
            continue;
          }
          for (const ComponentRun& run : block.faceRuns(axis, side % 2))
          {
            mine.push_back(block.first(run.component));
          }
          tidy(mine);
        }
      }
      writer.put(mine);
    });
  const std::vector<Bytes> all = communicator.allGather(writer.take());
  std::vector<Index> islands;
  communicator.run(
    [&]
    {
      for (const Bytes& message : all)
      {
        const std::vector<Index> part = MessageReader(message).getArray<Index>();
        islands.insert(islands.end(), part.begin(), part.end());
      }
      tidy(islands);
    });
  return islands;
}

/// The only block. Sizes below a limit are counted, so that their islands need no list: in raster
/// order each gets the next number of its size.
Index ComponentJoin::numberBlock(ComponentRuns& block, Index minimumSize) const
{
  constexpr Index limit = 4096;
  struct Part
  {
    Index begin; // runs
    Index end;
    std::vector<Index> next;                    // by size: how many; then the next number
    std::vector<std::pair<Index, Index>> large; // minus size, component
  };
  const Index runs = block.runCount();
  std::vector<Part> parts(static_cast<std::size_t>(chunkCount(runs, Index{ 1 } << 16)));
  const auto count = static_cast<Index>(parts.size());
  const auto eachPart = [&](const auto& work)
  {
    forRanges(count, 1,
      [&](Index begin, Index end)
      {
        for (Index p = begin; p < end; ++p)
        {
          work(parts[static_cast<std::size_t>(p)], p);
        }
      });
  };
  eachPart(
    [&](Part& part, Index p)
    {
      part.begin = chunkBegin(runs, count, p);
      part.end = chunkBegin(runs, count, p + 1);
      part.next.assign(limit, 0);
      block.forEachComponent(part.begin, part.end,
        [&](Index component)
        {
          const Index size = block.size(component);
          if (size < limit)
          {
            ++part.next[static_cast<std::size_t>(size)];
          }
          else if (size >= minimumSize)
          {
            part.large.emplace_back(-size, component);
          }
        });
    });
  std::vector<std::pair<Index, Index>> large;
  for (const Part& part : parts)
  {
    large.insert(large.end(), part.large.begin(), part.large.end());
  }
  std::sort(large.begin(), large.end());
  Index number = static_cast<Index>(large.size()) + 1;
  for (Index size = limit; size-- > std::min(limit, minimumSize);)
  {
    for (Part& part : parts)
    {
      Index& next = part.next[static_cast<std::size_t>(size)];
      const Index found = next;
      next = number;
      number += found;
    }
  }
  block.makeNumbers(number - 1);
  eachPart(
    [&](Part& part, Index)
    {
      block.forEachComponent(part.begin, part.end,
        [&](Index component)
        {
          const Index size = block.size(component);
          if (size < minimumSize)
          {
            block.setNumber(component, 0);
          }
          else if (size < limit)
          {
            block.setNumber(component, part.next[static_cast<std::size_t>(size)]++);
          }
        });
    });
  for (std::size_t n = 0; n < large.size(); ++n)
  {
    block.setNumber(large[n].second, static_cast<Index>(n) + 1);
  }
  return number - 1;
}

Index ComponentJoin::numberIslands(const Communicator& communicator, Index minimumSize)
{
  std::vector<ComponentRuns>& blocks = *this->Blocks_;
  minimumSize = std::max<Index>(1, minimumSize);
  if (this->Single_)
  {
    Index count = 0;
    communicator.run(
      [&]
      {
        if (!blocks.empty())
        {
          count = this->numberBlock(blocks.front(), minimumSize);
        }
      });
    return communicator.allReduceMax(count);
  }

  // A number is one more than how many islands of all ranks come before.
  std::vector<Island> own;    // what others count
  std::vector<Island> wanted; // all on this rank
  std::vector<Index> numbers;
  communicator.run(
    [&]
    {
      this->forEachOwn(minimumSize, [&](const Island& island) { own.push_back(island); });
      wanted = own;
      for (std::size_t i = 0; i < this->Islands_.size(); ++i)
      {
        if (!this->Own_[i] && this->Islands_[i].size >= minimumSize)
        {
          wanted.push_back(this->Islands_[i]);
        }
      }
      std::sort(own.begin(), own.end(), largerIsland);
      std::sort(wanted.begin(), wanted.end(), largerIsland);
      numbers.assign(wanted.size(), 1);
    });
  constexpr Index part = Index{ 1 } << 20; // islands in a message
  Index count = 0;
  for (int rank = 0; rank < communicator.size(); ++rank)
  {
    const Index theirs = communicator.allReduceMax(
      rank == communicator.rank() ? static_cast<Index>(own.size()) : Index{ 0 });
    count += theirs;
    for (Index begin = 0; begin < theirs; begin += part)
    {
      Bytes bytes;
      communicator.run(
        [&]
        {
          if (rank == communicator.rank())
          {
            MessageWriter writer;
            writer.put(std::vector<Island>(
              own.begin() + begin, own.begin() + std::min(theirs, begin + part)));
            bytes = writer.take();
          }
        });
      communicator.broadcast(bytes, rank);
      communicator.run(
        [&]
        {
          const std::vector<Island> islands = MessageReader(bytes).getArray<Island>();
          std::size_t before = 0;
          for (std::size_t i = 0; i < wanted.size(); ++i)
          {
            while (before < islands.size() && largerIsland(islands[before], wanted[i]))
            {
              ++before;
            }
            numbers[i] += static_cast<Index>(before);
          }
        });
    }
  }
  communicator.run(
    [&]
    {
      for (ComponentRuns& block : blocks)
      {
        block.makeNumbers(count);
        block.forEachComponent(
          [&](Index component)
          {
            Index number = 0;
            if (block.size(component) >= minimumSize)
            {
              const auto found = std::lower_bound(
                wanted.begin(), wanted.end(), block.island(component), largerIsland);
              number = numbers[static_cast<std::size_t>(found - wanted.begin())];
            }
            block.setNumber(component, number);
          });
      }
    });
  return count;
}

} // namespace segcore
