// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// ShellMask: the wall of some thickness along the surface of a mask, inside, outside or on both
/// sides of it.
///
/// Input: bits on a box that holds `out.box` grown by the reach of wallBall() for the thickness and
/// clipped to the undivided image. Output: bits of `out.box`, set where the centre of the voxel is
/// at most the thickness away from the faces between object and background: on that side, or at
/// most half of it on the inside and less than half on the outside. Voxels at such a face are
/// always part of the wall (for both sides: those inside). Nothing lies beyond the image: no wall
/// there.
///
/// Threads, cost, bad input, sources: see BallMask.h. Scratch: that of BallMask.h and 1/8 byte per
/// voxel.

#ifndef segcoreShellMask_h
#define segcoreShellMask_h

#include "BallMask.h"

namespace segcore
{

enum class ShellSide
{
  Outside,
  Inside,
  Both
};

inline void shellBits(const BitBlock& in, const double spacing[3], double millimetres,
  ShellSide side, BitBlock& out, const Progress& progress = Progress())
{
  const double inside = side == ShellSide::Both ? millimetres / 2.0 : millimetres;
  if (side != ShellSide::Inside)
  {
    const Ball ball = wallBall(spacing, inside, side == ShellSide::Both);
    growBits(in, ball, out, progress.part(0.0, side == ShellSide::Both ? 0.5 : 1.0));
  }
  BitBlock core(out.box); // what the wall lies around
  if (side != ShellSide::Outside)
  {
    shrinkBits(
      in, wallBall(spacing, inside), core, progress.part(side == ShellSide::Both ? 0.5 : 0.0, 1.0));
  }
  const Index shift = out.box.lo[0] - in.box.lo[0];
  forEachBitRow(out.box,
    [&](Index y, Index z)
    {
      Word* to = out.row(y, z);
      Word* without = core.row(y, z);
      if (side == ShellSide::Inside)
      {
        copyBits(in.row(y, z), shift, out.box.dim(0), to);
      }
      if (side == ShellSide::Outside)
      {
        copyBits(in.row(y, z), shift, out.box.dim(0), without);
      }
      for (Index w = 0; w < out.words; ++w)
      {
        to[w] &= ~without[w];
      }
    });
}

} // namespace segcore

#endif
