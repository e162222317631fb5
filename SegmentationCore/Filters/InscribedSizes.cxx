// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "InscribedSizes.h"

#include "EffectJob.h"
#include "InscribedBalls.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"

#include <algorithm>
#include <cmath>

namespace segcore
{

//------------------------------------------------------------------------------------------------
std::string checkDiameters(const std::vector<double>& diameters)
{
  if (diameters.size() > static_cast<std::size_t>(MostDiameters))
  {
    return "Diameters has " + std::to_string(diameters.size()) + " numbers, expected at most " +
      std::to_string(MostDiameters);
  }
  return checkAscending("Diameters", diameters, 1e-6, 1e6);
}

//------------------------------------------------------------------------------------------------
InscribedSizes::InscribedSizes(
  const Communicator& communicator, const DistributedImage& image, Index label, bool borderIsWall)
  : Comm(communicator), Image(image), Outside(image.whole().grown(borderIsWall ? 1 : 0))
{
  const auto make = [&](auto zero)
  {
    using T = decltype(zero);
    const T wanted = labelOf<T>(image, label);
    this->Fetch = [&communicator, &image, wanted](const std::vector<BitRequest>& requests)
    {
      fetchBits(
        communicator, image.distribution(), image.voxels<T>(),
        [wanted](T value) { return value == wanted; }, requests);
    };
  };
  switch (image.scalarType())
  {
    segcoreEqualityMacro(make(VTK_TT()));
    default:
      throw AgreedError("array '" + image.arrayName() + "' has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
bool InscribedSizes::anyOf(double diameter, std::vector<Box>& boxes, const Progress& progress) const
{
  const double* spacing = this->Image.geometry().Spacing;
  const Ball wall = wallBall(spacing, 0.5 * diameter, true);
  const Index turns = this->Comm.allReduceMax(static_cast<Index>(boxes.size()));
  std::vector<Box> inside(boxes.size());
  bool any = false;
  for (Index turn = 0; turn < turns; ++turn)
  {
    const auto b = static_cast<std::size_t>(turn);
    const bool here = b < boxes.size() && !boxes[b].empty();
    BitBlock mask;
    std::vector<BitRequest> requests;
    this->Comm.run(
      [&]
      {
        progress.step(0.0);
        if (here)
        {
          mask = BitBlock(boxes[b].grown(wall.reach()).clipped(this->Outside));
          requests.emplace_back(mask.box.clipped(this->Image.whole()), mask);
        }
      });
    this->Fetch(requests);
    this->Comm.run(
      [&]
      {
        if (here)
        {
          BitBlock centres(boxes[b]);
          ballCentres(mask, spacing, diameter, centres);
          inside[b] = bitBounds(centres);
          any = any || !inside[b].empty();
        }
      });
  }
  any = this->Comm.agreeFlag(any);
  if (any)
  {
    boxes = std::move(inside);
  }
  return any;
}

//------------------------------------------------------------------------------------------------
double InscribedSizes::largest(const Progress& progress) const
{
  const double* spacing = this->Image.geometry().Spacing;
  const double unit = *std::min_element(spacing, spacing + 3) / 16.0;
  double square = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    const double edge = static_cast<double>(this->Image.whole().dim(a)) * spacing[a];
    square += edge * edge;
  }
  const auto most = static_cast<Index>(std::sqrt(square) / unit);
  std::vector<Box> boxes;
  for (const Block& block : this->Image.distribution().localBlocks())
  {
    boxes.push_back(block.box);
  }
  const auto fits = [&](Index units)
  { return this->anyOf(static_cast<double>(units) * unit, boxes, progress); };
  // A voxel has room for a ball of the smallest spacing. Twice as large each time, then between.
  Index low = 16;
  if (most < low || !fits(low))
  {
    return 0.0;
  }
  Index high = std::min(most, 2 * low);
  while (high > low && fits(high))
  {
    low = high;
    high = std::min(most, 2 * low);
  }
  while (high - low > 1)
  {
    const Index middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return static_cast<double>(low) * unit;
}

//------------------------------------------------------------------------------------------------
std::vector<double> InscribedSizes::even(int count, const Progress& progress) const
{
  const double last = this->largest(progress);
  std::vector<double> diameters;
  for (int n = 1; n <= count && last > 0.0; ++n)
  {
    // The last one is the largest ball, exactly.
    diameters.push_back(n == count ? last : last * n / count);
  }
  return diameters;
}

//------------------------------------------------------------------------------------------------
Index InscribedSizes::forEach(
  const std::vector<double>& diameters, const Visit& visit, const Progress& progress) const
{
  const double* spacing = this->Image.geometry().Spacing;
  const auto& blocks = this->Image.distribution().localBlocks();
  Index halo[3] = { 0, 0, 0 };
  this->Comm.run(
    [&]
    {
      if (!diameters.empty())
      {
        openingReach(spacing, diameters.back(), halo);
      }
    });
  Index voxels = 0;
  const Index turns = this->Comm.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    const Block* block =
      turn < static_cast<Index>(blocks.size()) ? &blocks[static_cast<std::size_t>(turn)] : nullptr;
    BitBlock mask;
    std::vector<BitRequest> requests;
    this->Comm.run(
      [&]
      {
        if (block)
        {
          mask = BitBlock(block->box.grown(halo).clipped(this->Outside));
          requests.emplace_back(mask.box.clipped(this->Image.whole()), mask);
        }
      });
    this->Fetch(requests);
    this->Comm.run(
      [&]
      {
        if (block)
        {
          voxels += countBits(mask, block->box);
          const double all = static_cast<double>(turns);
          const Progress part =
            progress.part(static_cast<double>(turn) / all, (static_cast<double>(turn) + 1.0) / all);
          forEachInscribed(mask, block->box, this->Image.whole(), spacing, diameters, visit, part);
        }
      });
  }
  return this->Comm.allReduceSum(voxels);
}

} // namespace segcore
