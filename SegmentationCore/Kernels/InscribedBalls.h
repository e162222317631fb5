// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// InscribedBalls: how thick a mask is at each of its voxels: the diameter of the largest ball that
/// lies in the mask and covers the centre of the voxel.
///
/// Balls have their centres at centres of voxels, and lie in the mask as its voxels show it: a
/// voxel is a box, and a ball may touch the boxes of the background but not enter them. So the
/// centres of balls of diameter d are the mask shrunk by the open wallBall() of d/2, and what they
/// cover is that grown by marginBall() of d/2. Both are exact, in millimetres, for any spacing.
///
/// Diameters are those of a list: a voxel gets the largest one whose balls cover it, or none. A
/// plate or rod of an odd number of voxels along an axis of the image has its very thickness; of an
/// even number it has up to one voxel less, as the ball in the middle would have its centre between
/// voxels.
///
/// Input: bits on a box that holds `target` grown by openingReach() of the largest diameter and
/// clipped to `whole`, the undivided image. What is outside of the box of the bits is no wall, so a
/// ball may leave the image; bits of 0 outside of `whole` are walls. Output: a call for each
/// diameter.
///
/// Equal for any split into blocks and any number of threads: see BallMask.h, also for the cost,
/// which is that of one growth and one shrinking for each diameter, less where no ball fits.
/// Scratch: 3/8 byte per voxel, and that of BallMask.h for one change. Bad input (a list that does
/// not ascend from above 0, boxes that do not fit): std::invalid_argument.
///
/// Sources: T. Hildebrand, P. Ruegsegger, A new method for the model-independent assessment of
/// thickness in three-dimensional images, Journal of Microscopy 185(1), 1997,
/// doi:10.1046/j.1365-2818.1997.1340694.x (the thickness); G. Matheron, Random sets and integral
/// geometry, Wiley, 1975 (granulometry: sizes by openings).

#ifndef segcoreInscribedBalls_h
#define segcoreInscribedBalls_h

#include "BallMask.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace segcore
{

/// The smallest box with all bits that are set.
inline Box bitBounds(const BitBlock& block)
{
  Box bounds;
  std::vector<Word> columns(static_cast<std::size_t>(block.words), 0);
  for (Index z = block.box.lo[2]; z <= block.box.hi[2]; ++z)
  {
    for (Index y = block.box.lo[1]; y <= block.box.hi[1]; ++y)
    {
      const Word* row = block.row(y, z);
      Word any = 0;
      for (Index w = 0; w < block.words; ++w)
      {
        any |= row[w];
        columns[static_cast<std::size_t>(w)] |= row[w];
      }
      if (any)
      {
        bounds = bounds.unite(Box{ { block.box.lo[0], y, z }, { block.box.lo[0], y, z } });
      }
    }
  }
  if (!bounds.empty())
  {
    bounds.lo[0] = block.box.hi[0];
    for (Index x = 0; x < block.box.dim(0); ++x)
    {
      if (testBit(columns.data(), x))
      {
        bounds.lo[0] = std::min(bounds.lo[0], block.box.lo[0] + x);
        bounds.hi[0] = std::max(bounds.hi[0], block.box.lo[0] + x);
      }
    }
  }
  return bounds;
}

/// Whether a ball of this diameter has its centre at a voxel, for the voxels of `out.box`. `in`
/// holds that box grown by the reach of wallBall() of half the diameter and clipped to the image.
inline void ballCentres(const BitBlock& in, const double spacing[3], double diameter, BitBlock& out,
  const Progress& progress = Progress())
{
  shrinkBits(in, wallBall(spacing, 0.5 * diameter, true), out, progress);
}

/// Voxels along each axis that decide on whether balls of this diameter cover a voxel.
inline void openingReach(const double spacing[3], double diameter, Index reach[3])
{
  const Ball wall = wallBall(spacing, 0.5 * diameter, true);
  const Ball ball = marginBall(spacing, 0.5 * diameter);
  for (int a = 0; a < 3; ++a)
  {
    reach[a] = wall.reach()[a] + ball.reach()[a];
  }
}

/// Calls visit(n, voxels) for the numbers of diameters, from the last one (the largest) down, where
/// there are voxels of `target` that get this diameter: bits of a box inside `target`, for the time
/// of the call.
template <class Visit>
void forEachInscribed(const BitBlock& in, const Box& target, const Box& whole,
  const double spacing[3], const std::vector<double>& diameters, const Visit& visit,
  const Progress& progress = Progress())
{
  for (std::size_t n = 0; n < diameters.size(); ++n)
  {
    if (!(diameters[n] > (n > 0 ? diameters[n - 1] : 0.0)))
    {
      throw std::invalid_argument("segcore::forEachInscribed: the diameters do not ascend from 0");
    }
  }
  // No ball, nor what it covers, is where the mask is not.
  const Box used = bitBounds(in);
  const Box wanted = target.clipped(used);
  if (wanted.empty() || diameters.empty())
  {
    return;
  }
  Index reach[3];
  openingReach(spacing, diameters.back(), reach);
  if (!in.box.contains(target.grown(reach).clipped(whole)))
  {
    throw std::invalid_argument("segcore::forEachInscribed: the bits do not reach far enough");
  }
  BitBlock covered(wanted);
  covered.clear();
  const auto count = static_cast<double>(diameters.size());
  for (std::size_t n = diameters.size(); n-- > 0;)
  {
    const double done = static_cast<double>(diameters.size() - 1 - n);
    const Progress part = progress.part(done / count, (done + 1.0) / count);
    const Ball ball = marginBall(spacing, 0.5 * diameters[n]);
    BitBlock centres(wanted.grown(ball.reach()).clipped(whole).clipped(used));
    ballCentres(in, spacing, diameters[n], centres, part.part(0.0, 0.5));
    // Along y and z what balls reach; whole rows, so that words of both match.
    Box there = bitBounds(centres).grown(ball.reach()).clipped(wanted);
    if (there.empty())
    {
      continue;
    }
    there.lo[0] = wanted.lo[0];
    there.hi[0] = wanted.hi[0];
    BitBlock fresh(there);
    growBits(centres, ball, fresh, part.part(0.5, 1.0));
    forEachBitRow(there,
      [&](Index y, Index z)
      {
        Word* now = fresh.row(y, z);
        Word* all = covered.row(y, z);
        for (Index w = 0; w < fresh.words; ++w)
        {
          now[w] &= ~all[w];
          all[w] |= now[w];
        }
      });
    visit(n, fresh);
  }
}

/// How many bits of the voxels of `part`, inside the box of the block, are set.
inline Index countBits(const BitBlock& block, const Box& part)
{
  std::vector<Word> row(static_cast<std::size_t>(wordCount(part.dim(0))));
  Index count = 0;
  for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
  {
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      copyBits(block.row(y, z), part.lo[0] - block.box.lo[0], part.dim(0), row.data());
      for (const Word word : row)
      {
        count += countOnes(word);
      }
    }
  }
  return count;
}

} // namespace segcore

#endif
