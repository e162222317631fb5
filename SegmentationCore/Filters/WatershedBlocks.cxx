// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "WatershedBlocks.h"

#include "HaloExchange.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace segcore
{
namespace
{

/// From the faces of blocks to those beside them; see fetch().
template <class Part>
class FaceTransfer
{
public:
  using Message = typename Part::Message;

  /// What one block asks the others.
  struct Request
  {
    Part* part;
    int axis;
    bool upper;
  };

  FaceTransfer(const std::vector<std::unique_ptr<Part>>& parts,
    const std::vector<Request>& requests, Index first, bool& woken)
    : Owned(parts), Requests(requests), First(first), Woken(woken)
  {
  }

  Index bytes(const Box& box) const { return box.size() * static_cast<Index>(sizeof(Message)); }

  void pack(const Block& block, const Box& box, std::byte* to) const
  {
    const std::vector<Message> face = this->read(block, box);
    std::memcpy(to, face.data(), static_cast<std::size_t>(this->bytes(box)));
  }

  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    std::vector<Message> face(static_cast<std::size_t>(box.size()));
    std::memcpy(face.data(), from, static_cast<std::size_t>(this->bytes(box)));
    this->write(request, box, face);
  }

  void copy(const Block& block, std::size_t request, const Box& box) const
  {
    this->write(request, box, this->read(block, box));
  }

private:
  std::vector<Message> read(const Block& block, const Box& box) const
  {
    std::vector<Message> face(static_cast<std::size_t>(box.size()));
    this->Owned[static_cast<std::size_t>(block.id - this->First)]->read(box, face.data());
    return face;
  }

  void write(std::size_t request, const Box& box, const std::vector<Message>& face) const
  {
    const Request& asked = this->Requests[request];
    this->Woken = asked.part->hear(asked.axis, asked.upper, box, face.data()) || this->Woken;
  }

  const std::vector<std::unique_ptr<Part>>& Owned;
  const std::vector<Request>& Requests;
  Index First;
  bool& Woken;
};

/// One flood, a WatershedPasses or a Watershed for each block, to the end in all of them.
template <class Part>
std::vector<std::unique_ptr<Part>> flood(const Communicator& communicator,
  const Distribution& distribution, const std::vector<WatershedBlock>& inputs,
  const Progress& progress)
{
  using Transfer = FaceTransfer<Part>;
  const std::vector<Block>& blocks = distribution.localBlocks();
  const Box& whole = distribution.whole();
  std::vector<std::unique_ptr<Part>> parts;
  std::vector<Box> boxes;
  std::vector<typename Transfer::Request> requests;
  communicator.run(
    [&]
    {
      if (inputs.size() != blocks.size())
      {
        throw std::invalid_argument("there must be one input for each local block");
      }
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        parts.push_back(
          std::make_unique<Part>(blocks[b].box, whole, inputs[b].relief, *inputs[b].labels));
        parts[b]->start();
        for (int axis = 0; axis < 3; ++axis)
        {
          for (const bool upper : { false, true })
          {
            Box beside = blocks[b].box;
            beside.lo[axis] = beside.hi[axis] = upper ? beside.hi[axis] + 1 : beside.lo[axis] - 1;
            if (whole.contains(beside))
            {
              boxes.push_back(beside);
              requests.push_back({ parts[b].get(), axis, upper });
            }
          }
        }
      }
    });

  double shown = 0.0;
  Progress all;
  all.cancelled = progress.cancelled;
  if (progress.report)
  {
    all.report = [&](double)
    {
      double done = 0.0, most = 0.0;
      for (std::size_t b = 0; b < parts.size(); ++b)
      {
        const auto voxels = static_cast<double>(blocks[b].box.size());
        done += voxels * parts[b]->done();
        most += voxels;
      }
      shown = std::max(shown, std::min(1.0, done / std::max(1.0, most)));
      progress.report(shown);
    };
  }
  bool woken = false;
  const Transfer transfer(parts, requests, blocks.empty() ? 0 : blocks.front().id, woken);
  do
  {
    communicator.run(
      [&]
      {
        for (const auto& part : parts)
        {
          part->run(all);
        }
      });
    woken = false;
    fetch(communicator, distribution, boxes, transfer);
  } while (communicator.agreeFlag(woken));
  return parts;
}

/// The second flood. Returns false, on all ranks, if keys are too narrow.
template <class Key>
bool floodFromPasses(const Communicator& communicator, const Distribution& distribution,
  const std::vector<WatershedBlock>& inputs, const Progress& progress)
{
  const auto parts = flood<Watershed<Key>>(communicator, distribution, inputs, progress);
  return !communicator.agreeFlag(
    std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part->overflowed(); }));
}

} // namespace

//------------------------------------------------------------------------------------------------
void floodBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<WatershedBlock>& inputs, const Progress& progress)
{
  const Progress first = progress.part(0.0, 0.4), second = progress.part(0.4, 0.9),
                 wide = progress.part(0.9, 1.0);
  {
    const auto parts = flood<WatershedPasses>(communicator, distribution, inputs, first);
    communicator.run(
      [&]
      {
        for (const auto& part : parts)
        {
          part->finish();
        }
      });
  }
  if (!floodFromPasses<std::uint32_t>(communicator, distribution, inputs, second) &&
    !floodFromPasses<std::uint64_t>(communicator, distribution, inputs, wide))
  {
    throw AgreedError("the way of the water over flat ground is too long for 64-bit keys");
  }
}

} // namespace segcore
