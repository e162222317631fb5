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

/// What one block asks the others.
struct Beside
{
  Watershed* part;
  int axis;
  bool upper;
};

/// From the faces of blocks to those beside them; see fetch().
class FaceTransfer
{
public:
  FaceTransfer(const std::vector<std::unique_ptr<Watershed>>& parts,
    const std::vector<Beside>& requests, Index first, bool& woken)
    : Parts(parts), Requests(requests), First(first), Woken(woken)
  {
  }

  Index bytes(const Box& box) const
  {
    return box.size() * static_cast<Index>(sizeof(Watershed::Flooded));
  }

  void pack(const Block& block, const Box& box, std::byte* to) const
  {
    const std::vector<Watershed::Flooded> face = this->read(block, box);
    std::memcpy(to, face.data(), static_cast<std::size_t>(this->bytes(box)));
  }

  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    std::vector<Watershed::Flooded> face(static_cast<std::size_t>(box.size()));
    std::memcpy(face.data(), from, static_cast<std::size_t>(this->bytes(box)));
    this->write(request, box, face);
  }

  void copy(const Block& block, std::size_t request, const Box& box) const
  {
    this->write(request, box, this->read(block, box));
  }

private:
  std::vector<Watershed::Flooded> read(const Block& block, const Box& box) const
  {
    std::vector<Watershed::Flooded> face(static_cast<std::size_t>(box.size()));
    this->Parts[static_cast<std::size_t>(block.id - this->First)]->readFace(box, face.data());
    return face;
  }

  void write(std::size_t request, const Box& box, const std::vector<Watershed::Flooded>& face) const
  {
    const Beside& asked = this->Requests[request];
    this->Woken = asked.part->hear(asked.axis, asked.upper, box, face.data()) || this->Woken;
  }

  const std::vector<std::unique_ptr<Watershed>>& Parts;
  const std::vector<Beside>& Requests;
  Index First;
  bool& Woken;
};

} // namespace

//------------------------------------------------------------------------------------------------
void floodBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<std::unique_ptr<WatershedImage>>& images, const Progress& progress)
{
  const std::vector<Block>& blocks = distribution.localBlocks();
  const Box& whole = distribution.whole();
  std::vector<std::unique_ptr<Watershed>> parts;
  std::vector<Box> boxes;
  std::vector<Beside> requests;
  communicator.run(
    [&]
    {
      if (images.size() != blocks.size())
      {
        throw std::invalid_argument("there must be one image for each local block");
      }
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        parts.push_back(std::make_unique<Watershed>(blocks[b].box, whole, *images[b]));
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
  const FaceTransfer transfer(parts, requests, blocks.empty() ? 0 : blocks.front().id, woken);
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
  communicator.run(
    [&]
    {
      for (const auto& part : parts)
      {
        part->finish();
      }
    });
}

} // namespace segcore
