// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// EuclideanMargin: grow or shrink a binary mask by a distance in millimetres.
///
/// Input: a mask (0, or anything else for object) on `padded`, which must hold the block `target`
/// grown by marginHalo() and clipped to the undivided image. Voxels outside `padded` count as
/// nothing: they neither grow into the image nor eat into it. Output: 0 or 1 on `target`.
///   growMask:   1 iff an object voxel lies at distance <= margin, between voxel centres.
///   shrinkMask: 1 iff no background voxel lies at distance <= margin.
/// Geometry: millimetres through the spacing; a margin below the smallest spacing changes nothing.
///
/// Definition, to the last bit: with t_a[k] = fl(fl(k s_a)^2), offset (kx, ky, kz) is within the
/// margin m iff fl(fl(tx[kx] + ty[ky]) + tz[kz]) <= m m (1 + 1e-12). Only integer offsets enter, so
/// the result does not depend on the origin of a block; rounding is monotone, so minima may be
/// taken axis by axis; and the slack of 1e-12 keeps distances such as 3 x 0.1 mm inside a margin of
/// 0.3 mm, which plain rounding would put outside. Equal for any split into blocks and any number
/// of threads. An empty mask stays empty under growing; a full one stays full under both.
///
/// Two ways, same result, chosen by their estimated cost:
///  * small margins: rows of bits. The ball is a set of spans along x; each input row is widened by
///  every
///    half-length that occurs, and an output row is the union of widened rows around it, nearest
///    first, until it is full. About (rows of the ball) / 64 word operations per voxel, fewer in
///    practice. Scratch: (lengths that occur) / 8 bytes per voxel of 32 + 2 halo slices; lengths <=
///    halo_x + 1 <= 32.
///  * large margins: per axis. Squared distance along x by two sweeps, minimum over y in double,
///    nearest first with an early stop, vectorised over x; then the integer reach along z, two
///    sweeps. Scratch: 1 byte per voxel of `padded` (2 where halo_z > 253) and one slice of doubles
///    per thread.
/// Bad input (negative or non-finite margin, non-positive spacing, target outside padded):
/// std::invalid_argument.
///
/// Slicer differs on purpose: its shrinking measures to the object's own border voxels, which takes
/// off one voxel more, and growing an image that is full clears it. Sources: Saito, Toriwaki,
/// Pattern Recognition 27 (1994), doi:10.1016/0031-3203(94)90133-3 (separable exact transform);
/// Meijster, Roerdink, Hesselink (2000), doi:10.1007/0-306-47025-X_36; van den Boomgaard, van
/// Balen, CVGIP 54 (1992), doi:10.1016/1049-9652(92)90055-3 (morphology on packed bits).

#ifndef segcoreEuclideanMargin_h
#define segcoreEuclideanMargin_h

#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <cstdint>

namespace segcore
{

/// Voxels along each axis that a margin reaches: the largest k with t_a[k] <= m m (1 + 1e-12); at
/// most 2^31.
SEGMENTATIONCOREKERNELS_EXPORT void marginHalo(
  const double spacing[3], double marginMillimetres, Index halo[3]);

/// How to calculate; the result is the same. For tests and benchmarks.
enum class MarginMethod
{
  Automatic,
  BitRows,
  PerAxis
};

SEGMENTATIONCOREKERNELS_EXPORT void growMask(const std::uint8_t* mask, const Box& padded,
  const Box& target, const double spacing[3], double marginMillimetres, std::uint8_t* out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic);

SEGMENTATIONCOREKERNELS_EXPORT void shrinkMask(const std::uint8_t* mask, const Box& padded,
  const Box& target, const double spacing[3], double marginMillimetres, std::uint8_t* out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic);

} // namespace segcore

#endif
