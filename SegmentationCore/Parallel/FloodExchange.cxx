// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "FloodExchange.h"
#include "Message.h"

#include <algorithm>

namespace segcore
{

namespace
{
using Runs = std::vector<FloodRun>;

/// Fills until this rank's blocks are at rest. Runs that go on in blocks of other ranks are
/// appended to toRank; `neighbours` are the blocks next to each local one.
void floodLocally(std::vector<FloodFill>& floods,
  const std::vector<std::vector<const Block*>>& neighbours, const Distribution& distribution,
  int me, std::vector<Runs>& toRank, const Progress& progress)
{
  bool changed = true;
  while (changed)
  {
    changed = false;
    for (std::size_t b = 0; b < floods.size(); ++b)
    {
      floods[b].run(progress);
      for (const FloodRun& run : floods[b].takeLeaving())
      {
        for (const Block* other : neighbours[b])
        {
          const Box& box = other->box;
          if (run.y < box.lo[1] || run.y > box.hi[1] || run.z < box.lo[2] || run.z > box.hi[2] ||
            run.x1 < box.lo[0] || run.x0 > box.hi[0])
          {
            continue;
          }
          if (other->rank == me)
          {
            floods[static_cast<std::size_t>(other->id - distribution.firstBlock(me))].seed(run);
            changed = true;
          }
          else
          {
            toRank[static_cast<std::size_t>(other->rank)].push_back(run);
          }
        }
      }
    }
  }
}
}

void floodAcross(const Communicator& communicator, const Distribution& distribution,
  std::vector<FloodFill>& floods, const Progress& progress)
{
  const int me = communicator.rank();
  std::vector<std::vector<const Block*>> neighbours(floods.size());
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < floods.size(); ++b)
      {
        const Box near = floods[b].box().grown(1);
        for (const Block& other : distribution.blocks())
        {
          if (other.box != floods[b].box() && !near.intersect(other.box).empty())
          {
            neighbours[b].push_back(&other);
          }
        }
      }
    });
  while (true)
  {
    std::vector<Bytes> messages(static_cast<std::size_t>(communicator.size()));
    bool any = false;
    communicator.run(
      [&]
      {
        std::vector<Runs> toRank(messages.size());
        floodLocally(floods, neighbours, distribution, me, toRank, progress);
        for (std::size_t r = 0; r < toRank.size(); ++r)
        {
          if (!toRank[r].empty())
          {
            MessageWriter writer;
            writer.put(toRank[r]);
            messages[r] = writer.take();
            any = true;
          }
        }
      });
    if (!communicator.agreeFlag(any))
    {
      return;
    }
    const std::vector<Bytes> received = communicator.exchange(std::move(messages));
    communicator.run(
      [&]
      {
        for (const Bytes& message : received)
        {
          if (message.empty())
          {
            continue;
          }
          for (const FloodRun& run : MessageReader(message).getArray<FloodRun>())
          {
            for (FloodFill& flood : floods)
            {
              flood.seed(run);
            }
          }
        }
      });
  }
}

} // namespace segcore
