// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// EuclideanMargin: grow or shrink a binary mask by a distance in millimetres: BallMask.h with
/// marginBall() for masks of one byte per voxel.
///
/// Input: a mask (0, or anything else for object) on `padded`, which must hold the block `target`
/// grown by marginHalo() and clipped to the undivided image. Voxels outside `padded` count as
/// nothing: they neither grow into the image nor eat into it. Output: 0 or 1 on `target`.
///   growMask:   1 iff an object voxel lies at distance <= margin, between voxel centres.
///   shrinkMask: 1 iff no background voxel lies at distance <= margin.
/// Geometry: millimetres through the spacing; a margin below the smallest spacing changes nothing.
/// Equal for any split into blocks and any number of threads. An empty mask stays empty under
/// growing; a full one stays full under both. Scratch: 2/8 byte per voxel and that of BallMask.h.
///
/// Slicer differs on purpose: its shrinking measures to the object's own border voxels, which takes
/// off one voxel more, and growing an image that is full clears it. Bad input and sources: as for
/// BallMask.h.

#ifndef segcoreEuclideanMargin_h
#define segcoreEuclideanMargin_h

#include "BallMask.h"

#include <cstdint>

namespace segcore
{

/// Voxels along each axis that a margin reaches, at most 2^31.
inline void marginHalo(const double spacing[3], double marginMillimetres, Index halo[3])
{
  const Ball ball = marginBall(spacing, marginMillimetres);
  std::copy(ball.reach(), ball.reach() + 3, halo);
}

namespace detail
{
template <class Change>
void changeMask(const std::uint8_t* mask, const Box& padded, const Box& target, const Ball& ball,
  std::uint8_t* out, const Change& change)
{
  if (target.empty())
  {
    return;
  }
  BitBlock in(target.grown(ball.reach()).clipped(padded));
  BitBlock result(target);
  packBlock(mask, padded, in);
  change(in, ball, result);
  unpackBlock(result, out, target);
}
}

inline void growMask(const std::uint8_t* mask, const Box& padded, const Box& target,
  const double spacing[3], double marginMillimetres, std::uint8_t* out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic)
{
  detail::changeMask(mask, padded, target, marginBall(spacing, marginMillimetres), out,
    [&](const BitBlock& in, const Ball& ball, BitBlock& result)
    { growBits(in, ball, result, progress, method); });
}

inline void shrinkMask(const std::uint8_t* mask, const Box& padded, const Box& target,
  const double spacing[3], double marginMillimetres, std::uint8_t* out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic)
{
  detail::changeMask(mask, padded, target, marginBall(spacing, marginMillimetres), out,
    [&](const BitBlock& in, const Ball& ball, BitBlock& result)
    { shrinkBits(in, ball, result, progress, method); });
}

} // namespace segcore

#endif
