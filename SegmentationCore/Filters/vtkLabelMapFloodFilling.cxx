// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapFloodFilling.h"

#include "BallCount.h"
#include "EffectJob.h"
#include "FloodExchange.h"
#include "LocalMask.h"
#include "Message.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SourceVolume.h"
#include "vtkVersionCompatibility.h"

#include "vtkImageData.h"
#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

vtkStandardNewMacro(vtkLabelMapFloodFilling);

namespace
{
using segcore::Box;
using segcore::FloodFill;
using segcore::FloodRun;
using segcore::Index;
using segcore::LocalMask;

constexpr Index MostNeighbours = 100; // in one direction

/// Carries a mask from who can tell it to who asks: one byte per voxel.
struct MaskTransfer
{
  const LocalMask& mask;
  const std::vector<segcore::Request<std::uint8_t>>& requests;

  Index bytes(const Box& box) const { return box.size(); }
  void pack(const segcore::Block&, const Box& box, std::byte* to) const
  {
    this->mask.write(box, reinterpret_cast<std::uint8_t*>(to));
  }
  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        std::copy_n(reinterpret_cast<const std::uint8_t*>(from) + box.offset(box.lo[0], j, k),
          box.dim(0), this->requests[request].out.at(box.lo[0], j, k));
      }
    }
  }
  void copy(const segcore::Block& block, std::size_t request, const Box& box) const
  {
    segcore::Buffer<std::uint8_t> voxels(box.size());
    auto* bytes = reinterpret_cast<std::byte*>(voxels.data());
    this->pack(block, box, bytes);
    this->unpack(request, box, bytes);
  }
};

/// A mask on one block, and around it what others told.
class HaloMask
{
public:
  HaloMask(const LocalMask& mask, const Box& block) : Mask(&mask), Block(block) {}

  /// Appends what it has to be told about the voxels of `padded`.
  void ask(const Box& padded, std::vector<segcore::Request<std::uint8_t>>& requests)
  {
    std::vector<Box> boxes;
    segcore::subtractBox(padded, this->Block, boxes);
    for (const Box& box : boxes)
    {
      this->Halo.emplace_back(box, segcore::Buffer<std::uint8_t>(box.size()));
      requests.emplace_back(box, this->Halo.back().second.data());
    }
  }

  /// The mask of voxels of a row inside what was asked for.
  void row(Index x0, Index x1, Index y, Index z, std::uint8_t* out) const
  {
    const Box part{ { x0, y, z }, { x1, y, z } };
    const auto put = [&](const Box& from, const auto& write)
    {
      const Box inside = part.intersect(from);
      if (!inside.empty())
      {
        write(inside, out + (inside.lo[0] - x0));
      }
    };
    put(
      this->Block, [this](const Box& inside, std::uint8_t* to) { this->Mask->write(inside, to); });
    for (const auto& halo : this->Halo)
    {
      put(halo.first,
        [&halo](const Box& inside, std::uint8_t* to)
        {
          std::copy_n(
            halo.second.data() + halo.first.offset(inside.lo[0], inside.lo[1], inside.lo[2]),
            inside.dim(0), to);
        });
    }
  }

private:
  const LocalMask* Mask;
  Box Block;
  std::vector<std::pair<Box, segcore::Buffer<std::uint8_t>>> Halo;
};

/// The value at a voxel that this rank holds; NaN outside the volume.
double valueAt(const segcore::SourceVolume& volume, const std::array<std::int64_t, 3>& voxel)
{
  if (!volume.aligned())
  {
    double value = 0.0;
    const Box part{ { voxel[0], voxel[1], voxel[2] }, { voxel[0], voxel[1], voxel[2] } };
    volume.sample(part, &value);
    return value;
  }
  switch (volume.scalarType())
  {
    segcoreTemplateMacro(
      return static_cast<double>(*volume.template row<VTK_TT>(voxel[0], voxel[1], voxel[2])));
  }
  return std::numeric_limits<double>::quiet_NaN();
}

struct FloodOptions
{
  double tolerance;
  double radius;
  const double* spacing;
  const LocalMask* editable; // null: everywhere
};

/// Collective. Floods of all seeds in the blocks of `distribution`, those of one value together.
std::vector<std::vector<FloodFill>> floodAll(const segcore::Communicator& communicator,
  const segcore::Distribution& distribution, const segcore::SourceVolume& volume,
  const std::vector<std::array<std::int64_t, 3>>& seeds, const FloodOptions& options,
  const segcore::Progress& progress)
{
  const auto& blocks = distribution.localBlocks();
  // The value of each seed, from the rank that owns its voxel.
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> values(seeds.size(), -infinity);
  communicator.run(
    [&]
    {
      progress.step(0.0);
      for (std::size_t s = 0; s < seeds.size(); ++s)
      {
        for (const segcore::Block& block : blocks)
        {
          if (block.box.contains(seeds[s][0], seeds[s][1], seeds[s][2]))
          {
            const double value = valueAt(volume, seeds[s]);
            values[s] = std::isfinite(value) ? value : -infinity;
          }
        }
      }
    });
  communicator.allReduceMax(values.data(), static_cast<std::int64_t>(values.size()));
  std::map<double, std::vector<std::size_t>> byValue;
  for (std::size_t s = 0; s < seeds.size(); ++s)
  {
    if (std::isfinite(values[s]))
    {
      byValue[values[s]].push_back(s);
    }
  }

  const segcore::BallCount ball(options.radius, options.spacing, distribution.whole());
  std::vector<std::vector<FloodFill>> all;
  for (const auto& entry : byValue)
  {
    std::unique_ptr<LocalMask> range;
    std::vector<HaloMask> masks;
    std::vector<segcore::Request<std::uint8_t>> requests;
    communicator.run(
      [&]
      {
        range = volume.interval(entry.first - options.tolerance, entry.first + options.tolerance);
        for (const segcore::Block& block : blocks)
        {
          masks.emplace_back(*range, block.box);
          if (!ball.alone())
          {
            const Index halo[3] = { ball.reach()[0], ball.reach()[1], ball.reach()[2] };
            masks.back().ask(block.box.grown(halo).clipped(distribution.whole()), requests);
          }
        }
      });
    if (!ball.alone())
    {
      segcore::fetch(communicator, distribution, segcore::detail::boxesOf(requests),
        MaskTransfer{ *range, requests });
    }
    all.emplace_back();
    std::vector<FloodFill>& floods = all.back();
    communicator.run(
      [&]
      {
        for (std::size_t b = 0; b < blocks.size(); ++b)
        {
          const HaloMask& mask = masks[b];
          floods.emplace_back(blocks[b].box, distribution.whole(), segcore::Connectivity::Faces,
            [&](Index x, Index y, Index z, Index count)
            {
              std::uint8_t bytes[64] = {};
              mask.row(x, x + count - 1, y, z, bytes);
              segcore::Word bits = segcore::packWord(bytes);
              if (options.editable && bits)
              {
                const Box part{ { x, y, z }, { x + count - 1, y, z } };
                options.editable->write(part, bytes);
                bits &= segcore::packWord(bytes);
              }
              if (!ball.alone() && bits)
              {
                bits &= ball.atLeastHalf(x, y, z, count,
                  [&mask](Index x0, Index x1, Index j, Index k, std::uint8_t* out)
                  { mask.row(x0, x1, j, k, out); });
              }
              return bits;
            });
          for (const std::size_t s : entry.second)
          {
            floods.back().seed(seeds[s][0], seeds[s][1], seeds[s][2]);
          }
        }
      });
    segcore::floodAcross(communicator, distribution, floods, progress);
  }
  return all;
}

/// What was filled, on all voxels of this rank.
class FloodMask : public LocalMask
{
public:
  /// Collective: voxels of the piece that others own are filled there.
  FloodMask(const segcore::Communicator& communicator, const segcore::Distribution& distribution,
    std::vector<std::vector<FloodFill>> floods)
    : Floods(std::move(floods))
  {
    std::vector<segcore::Bytes> messages(static_cast<std::size_t>(communicator.size()));
    communicator.run(
      [&]
      {
        for (int rank = 0; rank < communicator.size(); ++rank)
        {
          std::vector<FloodRun> runs;
          const Box& piece = distribution.piece(rank);
          this->forEachFlood(
            [&](const FloodFill& flood)
            {
              this->Bounds = this->Bounds.unite(flood.bounds());
              if (rank != communicator.rank() && flood.mayContain(piece))
              {
                appendInside(flood, piece, runs);
              }
            });
          if (!runs.empty())
          {
            segcore::MessageWriter writer;
            writer.put(runs);
            messages[static_cast<std::size_t>(rank)] = writer.take();
          }
        }
      });
    const std::vector<segcore::Bytes> received = communicator.exchange(std::move(messages));
    communicator.run(
      [&]
      {
        for (const segcore::Bytes& message : received)
        {
          if (!message.empty())
          {
            const auto runs = segcore::MessageReader(message).getArray<FloodRun>();
            this->Others.insert(this->Others.end(), runs.begin(), runs.end());
          }
        }
        std::sort(this->Others.begin(), this->Others.end(), before);
        for (const FloodRun& run : this->Others)
        {
          this->Bounds =
            this->Bounds.unite(Box{ { run.x0, run.y, run.z }, { run.x1, run.y, run.z } });
        }
      });
  }

  Box bounds() const override { return this->Bounds; }

  int uniform(const Box& part) const override
  {
    bool any = false;
    this->forEachFlood([&](const FloodFill& flood) { any = any || flood.mayContain(part); });
    return any || !this->Others.empty() ? LocalMask::uniform(part) : 0;
  }

  void write(const Box& part, std::uint8_t* out) const override
  {
    std::fill_n(out, part.size(), std::uint8_t{ 0 });
    segcore::Buffer<std::uint8_t> filled;
    this->forEachFlood(
      [&](const FloodFill& flood)
      {
        if (flood.mayContain(part))
        {
          filled = filled.empty() ? segcore::Buffer<std::uint8_t>(part.size()) : std::move(filled);
          flood.write(part, filled.data());
          std::transform(out, out + part.size(), filled.data(), out,
            [](std::uint8_t a, std::uint8_t b) { return a | b; });
        }
      });
    for (Index k = part.lo[2]; k <= part.hi[2] && !this->Others.empty(); ++k)
    {
      const FloodRun first{ 0, 0, static_cast<std::int32_t>(part.lo[1]),
        static_cast<std::int32_t>(k) };
      for (auto run = std::lower_bound(this->Others.begin(), this->Others.end(), first, before);
        run != this->Others.end() && run->z == k && run->y <= part.hi[1]; ++run)
      {
        const Index x0 = std::max<Index>(run->x0, part.lo[0]);
        const Index x1 = std::min<Index>(run->x1, part.hi[0]);
        if (x0 <= x1)
        {
          std::fill_n(out + part.offset(x0, run->y, k), x1 - x0 + 1, std::uint8_t{ 1 });
        }
      }
    }
  }

private:
  static bool before(const FloodRun& a, const FloodRun& b)
  {
    return a.z != b.z ? a.z < b.z : a.y < b.y;
  }

  template <class Visit>
  void forEachFlood(const Visit& visit) const
  {
    for (const std::vector<FloodFill>& floods : this->Floods)
    {
      for (const FloodFill& flood : floods)
      {
        visit(flood);
      }
    }
  }

  static void appendInside(const FloodFill& flood, const Box& piece, std::vector<FloodRun>& runs)
  {
    flood.forEachRun(
      [&](Index x0, Index x1, Index y, Index z)
      {
        const Box inside = Box{ { x0, y, z }, { x1, y, z } }.intersect(piece);
        if (!inside.empty())
        {
          runs.push_back(
            { static_cast<std::int32_t>(inside.lo[0]), static_cast<std::int32_t>(inside.hi[0]),
              static_cast<std::int32_t>(y), static_cast<std::int32_t>(z) });
        }
      });
  }

  std::vector<std::vector<FloodFill>> Floods;
  std::vector<FloodRun> Others; // of voxels that other ranks own, by row
  Box Bounds;
};
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapFloodFilling::CheckParameters() const
{
  return segcore::firstError({
    this->CheckPoints(true),
    segcore::checkRange("IntensityTolerance", this->IntensityTolerance, 0.0, 1e299),
    segcore::checkRange("NeighborhoodSizeMm", this->NeighborhoodSizeMm, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapFloodFilling::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<LocalMask> vtkLabelMapFloodFilling::MakeLocalMask(const segcore::LocalInput& input)
{
  if (!input.volume)
  {
    throw segcore::AgreedError("flood filling needs a volume, and there is none");
  }
  const double* spacing = input.geometry.Spacing;
  for (int a = 0; a < 3; ++a)
  {
    // What reaches beyond the image is not counted.
    if (this->NeighborhoodSizeMm / spacing[a] > static_cast<double>(MostNeighbours) &&
      input.whole.dim(a) > MostNeighbours)
    {
      throw segcore::AgreedError("NeighborhoodSizeMm is " +
        std::to_string(this->NeighborhoodSizeMm) + ", which is more than " +
        std::to_string(MostNeighbours) + " voxels of " + std::to_string(spacing[a]) +
        " mm; choose it by the voxels of the image");
    }
  }
  const segcore::Distribution distribution(
    input.communicator, input.volume->bounds(), this->GetNumberOfBlocks());
  const FloodOptions options{ this->IntensityTolerance, this->NeighborhoodSizeMm, spacing,
    input.editable };
  segcore::Progress progress;
  // The other half is for whoever writes the mask.
  progress.report = [this](double fraction) { this->UpdateProgress(0.5 * fraction); };
  progress.cancelled = [this] { return segcore::isAborted(this); };
  return std::make_unique<FloodMask>(input.communicator, distribution,
    floodAll(input.communicator, distribution, *input.volume,
      this->FindSeeds(input.geometry, input.whole), options, progress));
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFloodFilling::Execute(segcore::EffectJob& job)
{
  job.writeVolumeMask();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFloodFilling::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "IntensityTolerance: " << this->IntensityTolerance << "\n";
  os << indent << "NeighborhoodSizeMm: " << this->NeighborhoodSizeMm << "\n";
}
