// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapWrapSolidify.h"

#include "BallMask.h"
#include "ComponentJoin.h"
#include "ConnectedComponents.h"
#include "EffectJob.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "ShellMask.h"

#include "vtkObjectFactory.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapWrapSolidify);

namespace
{
using segcore::BitBlock;
using segcore::Box;
using segcore::Index;

/// The distribution of the image continued beyond its border by `margin` voxels: who holds a voxel
/// of the border holds those beyond it.
segcore::Distribution continued(const segcore::Communicator& communicator,
  const segcore::Distribution& image, const Index margin[3])
{
  std::vector<Box> pieces;
  for (int rank = 0; rank < communicator.size(); ++rank)
  {
    Box piece = image.piece(rank);
    for (int a = 0; a < 3 && !piece.empty(); ++a)
    {
      const Box& held = image.piece(rank);
      piece.lo[a] -= held.lo[a] == image.whole().lo[a] ? margin[a] : 0;
      piece.hi[a] += held.hi[a] == image.whole().hi[a] ? margin[a] : 0;
    }
    pieces.push_back(piece);
  }
  std::vector<Index> blocks(pieces.size(), 0);
  for (const segcore::Block& block : image.blocks())
  {
    ++blocks[static_cast<std::size_t>(block.rank)];
  }
  for (Index& count : blocks)
  {
    count = std::max<Index>(1, count);
  }
  return segcore::Distribution(communicator.rank(), pieces, blocks);
}

/// The centres that the ball may have without touching the segment, and the components of them.
struct Space
{
  segcore::Distribution layout;
  std::vector<segcore::ComponentRuns> components;
};

/// Collective. `labels` store the piece of the image.
template <class T>
void findSpace(
  segcore::EffectJob& job, const T* labels, T label, const segcore::Ball& ball, Space& space)
{
  const segcore::Communicator& communicator = job.communicator();
  Index margin[3];
  std::transform(ball.reach(), ball.reach() + 3, margin, [](Index reach) { return reach + 1; });
  communicator.run([&] { space.layout = continued(communicator, job.distribution(), margin); });
  const auto& blocks = space.layout.localBlocks();
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Box box =
      turn < static_cast<Index>(blocks.size()) ? blocks[static_cast<std::size_t>(turn)].box : Box();
    BitBlock mask, grown;
    std::vector<segcore::BitRequest> requests;
    communicator.run(
      [&]
      {
        job.progress().step(0.6 * static_cast<double>(turn) / static_cast<double>(turns));
        if (!box.empty())
        {
          mask = BitBlock(box.grown(ball.reach()).clipped(space.layout.whole()));
          grown = BitBlock(box);
          requests.emplace_back(mask.box.clipped(job.whole()), mask);
        }
      });
    segcore::fetchBits(
      communicator, job.distribution(), labels, [label](T value) { return value == label; },
      requests);
    communicator.run(
      [&]
      {
        if (box.empty())
        {
          return;
        }
        segcore::growBits(mask, ball, grown);
        space.components.push_back(
          segcore::labelComponents(box, space.layout.whole(), segcore::Connectivity::Faces,
            [&](Index y, Index z, segcore::Word* bits)
            {
              std::copy_n(grown.row(y, z), grown.words, bits);
              segcore::invertBits(bits, box.dim(0));
            }));
      });
  }
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapWrapSolidify::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<int>("Region", this->Region, OUTER_SURFACE, LARGEST_CAVITY),
    segcore::checkRange(
      "CarveHolesInOuterSurfaceDiameter", this->CarveHolesInOuterSurfaceDiameter, 0.0, 1e6),
    segcore::checkRange("SplitCavitiesDiameter", this->SplitCavitiesDiameter, 0.0, 1e6),
    segcore::checkRange<int>("ShellOffsetDirection", this->ShellOffsetDirection, NONE, OUTSIDE),
    segcore::checkRange("ShellThickness", this->ShellThickness, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWrapSolidify::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  const segcore::Ball ball = segcore::marginBall(spacing, this->GetDiameter() / 2.0);
  const segcore::Ball wall = segcore::wallBall(spacing, this->ShellThickness);
  for (int a = 0; a < 3; ++a)
  {
    reach[a] = ball.reach()[a] + (this->ShellOffsetDirection == NONE ? 0 : wall.reach()[a]);
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapWrapSolidify::ExecuteTyped(segcore::EffectJob& job)
{
  constexpr Index most = 255;
  const segcore::Communicator& communicator = job.communicator();
  const double* spacing = job.geometry().Spacing;
  const segcore::Ball ball = segcore::marginBall(spacing, this->GetDiameter() / 2.0);
  Index shell[3] = { 0, 0, 0 };
  if (this->ShellOffsetDirection != NONE)
  {
    const segcore::Ball wall = segcore::wallBall(spacing, this->ShellThickness);
    std::copy(wall.reach(), wall.reach() + 3, shell);
  }
  communicator.run(
    [&]
    {
      for (int a = 0; a < 3; ++a)
      {
        segcore::requireVoxels(this->Region == OUTER_SURFACE ? "CarveHolesInOuterSurfaceDiameter"
                                                             : "SplitCavitiesDiameter",
          this->GetDiameter(), 2 * ball.reach()[a] + 1, spacing[a], most);
      }
      segcore::requireKernel("ShellThickness", this->ShellThickness, shell, spacing);
    });
  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());

  Space space;
  findSpace(job, labels, label, ball, space);
  const segcore::ComponentJoin regions(
    communicator, space.layout, space.components, segcore::Connectivity::Faces);
  // All that is beyond the border of the image is one region, and the only one at this border.
  const std::vector<Index> outside = regions.atBorder(communicator);
  Index largest = 0;
  if (this->Region == LARGEST_CAVITY)
  {
    for (const segcore::Island& region : regions.sorted(communicator, 1, 2))
    {
      const bool inside = !std::binary_search(outside.begin(), outside.end(), region.first);
      largest = std::max(largest, inside ? region.size : 0);
    }
  }

  // Where the ball's centre is, block by block, for the halos that covering and shell need.
  std::vector<segcore::Buffer<std::uint8_t>> centres;
  std::vector<segcore::VoxelArray<const std::uint8_t>> arrays;
  communicator.run(
    [&]
    {
      job.progress().step(0.6);
      const auto& blocks = space.layout.localBlocks();
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        centres.emplace_back(blocks[b].box.size());
        const segcore::ComponentRuns& runs = space.components[b];
        std::vector<std::uint8_t> kept(static_cast<std::size_t>(runs.runCount()), 0);
        runs.forEachComponent(
          [&](Index component)
          {
            const bool inside =
              !std::binary_search(outside.begin(), outside.end(), runs.first(component));
            kept[static_cast<std::size_t>(component)] =
              this->Region == OUTER_SURFACE ? !inside : inside && runs.size(component) == largest;
          });
        segcore::writeComponents(
          runs, [&kept](Index component) { return kept[static_cast<std::size_t>(component)]; },
          std::uint8_t{ 0 }, centres[b].data(), blocks[b].box);
        arrays.emplace_back(blocks[b].box, centres[b].data());
      }
      space.components.clear();
    });
  const auto& blocks = job.distribution().localBlocks();
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Box box =
      turn < static_cast<Index>(blocks.size()) ? blocks[static_cast<std::size_t>(turn)].box : Box();
    Box around;
    segcore::Buffer<std::uint8_t> bytes;
    std::vector<segcore::Request<std::uint8_t>> requests;
    communicator.run(
      [&]
      {
        job.progress().step(0.6 + 0.4 * static_cast<double>(turn) / static_cast<double>(turns));
        if (!box.empty())
        {
          around = box.grown(shell).grown(ball.reach()).clipped(space.layout.whole());
          bytes = segcore::Buffer<std::uint8_t>(around.size());
          requests.emplace_back(around, bytes.data());
        }
      });
    segcore::fetchFromBlocks<std::uint8_t>(communicator, space.layout, arrays, requests);
    communicator.run(
      [&]
      {
        if (box.empty())
        {
          return;
        }
        BitBlock ballAt(around), solid(box.grown(shell).clipped(space.layout.whole()));
        segcore::packBlock(bytes.data(), around, ballAt);
        segcore::growBits(ballAt, ball, solid);
        if (this->Region == OUTER_SURFACE)
        {
          segcore::invertBlock(solid);
        }
        if (this->ShellOffsetDirection == NONE)
        {
          segcore::mergeBits(solid, labels, job.piece(), label, out);
          return;
        }
        BitBlock wall(box);
        segcore::shellBits(solid, spacing, this->ShellThickness,
          this->ShellOffsetDirection == INSIDE ? segcore::ShellSide::Inside
                                               : segcore::ShellSide::Outside,
          wall);
        segcore::mergeBits(wall, labels, job.piece(), label, out);
      });
  }
  segcore::completePiece(communicator, job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWrapSolidify::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreEqualityMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWrapSolidify::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Region: " << this->Region << "\n";
  os << indent << "CarveHolesInOuterSurfaceDiameter: " << this->CarveHolesInOuterSurfaceDiameter
     << "\n";
  os << indent << "SplitCavitiesDiameter: " << this->SplitCavitiesDiameter << "\n";
  os << indent << "ShellOffsetDirection: " << this->ShellOffsetDirection << "\n";
  os << indent << "ShellThickness: " << this->ShellThickness << "\n";
}
