// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BallMask: a mask made larger or smaller by a ball, on packed bits, exactly.
///
/// A ball is a set of offsets (kx, ky, kz): those with
///
///     fl(fl(t_x[kx] + t_y[ky]) + t_z[kz]) <= limit,
///
/// where t_a[k] = t_a[-k] is a number per axis that never falls as k grows. Three balls have one:
///
///   marginBall   centres of voxels at most m millimetres apart: t_a[k] = fl(fl(k s_a)^2), limit
///   m^2
///                (1 + 1e-12). The slack keeps distances such as 3 x 0.1 mm inside 0.3 mm, which
///                plain rounding would put outside.
///   wallBall     from the centre of one voxel to the nearest point of the other, which is a box,
///                at most m millimetres: t_a[k] = fl(fl((k - 1/2) s_a)^2) for k > 0. So the
///                distance of a voxel to the surface of a segment, as its voxels show it. Voxels
///                that share a face are inside whatever m is (unless the ball is open: less than
///                m): no wall is thinner than a voxel.
///   kernelBall   an ellipsoid of odd widths w_a in voxels: 4 sum (k_a / w_a)^2 <= 1, Slicer's
///                footprint of morphological opening and closing. Never a tie, as the w are odd.
///
/// growBits: 1 where the ball around the voxel meets the mask. shrinkBits: 1 where it meets no
/// background. Voxels outside `in` count as nothing: they neither grow into the image nor eat into
/// it. Only integer offsets enter, so results are equal for any split and any number of threads;
/// rounding is monotone, so minima may be taken axis by axis.
///
/// Input: bits on a box that holds `out.box` grown by the reach of the ball and clipped to the
/// undivided image. Output: bits of `out.box`.
///
/// Two ways, same result, chosen by their estimated cost:
///  * small balls: rows of bits. The ball is a set of spans along x. Slice after slice, each taken
///    as one long row of bits, is widened by every half-length that occurs; a slice of the result
///    is the union of widened slices around it, shifted by whole rows. About (rows of the ball) /
///    64 word operations per voxel. Scratch: per thread (depth of the ball) x (lengths that occur)
///    x (a strip of 32 rows or more) bits; lengths <= 32.
///  * large balls: per axis. Term of x by two sweeps, minimum over y in double, nearest first with
///    an early stop, vectorised over x; then the integer reach along z, two sweeps. Scratch: 1 byte
///    per voxel (2 where the reach along z is above 253) and one slice of doubles per thread.
/// Bad input (negative or non-finite size, non-positive spacing, boxes that do not fit):
/// std::invalid_argument.
///
/// Sources: Saito, Toriwaki, Pattern Recognition 27 (1994), doi:10.1016/0031-3203(94)90133-3
/// (separable exact transform); Meijster, Roerdink, Hesselink (2000),
/// doi:10.1007/0-306-47025-X_36; van den Boomgaard, van Balen, CVGIP 54 (1992),
/// doi:10.1016/1049-9652(92)90055-3 (morphology on packed bits).

#ifndef segcoreBallMask_h
#define segcoreBallMask_h

#include "BitBlock.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

namespace segcore
{

class SEGMENTATIONCOREKERNELS_EXPORT Ball
{
public:
  /// The number of an offset of k voxels along an axis, k >= 0.
  double term(int axis, Index k) const
  {
    const double d = (static_cast<double>(k) - (k > 0 ? this->Skin : 0.0)) * this->Step[axis];
    const double square = d * d;
    // Across a face, whatever the limit.
    return k == 1 && this->KeepsFaces && square > this->Limit ? this->Limit : square;
  }
  double limit() const { return this->Limit; }
  double step(int axis) const { return this->Step[axis]; }
  double skin() const { return this->Skin; }

  /// Voxels along each axis that the ball reaches, at most 2^31.
  const Index* reach() const { return this->Reach; }

private:
  friend SEGMENTATIONCOREKERNELS_EXPORT Ball marginBall(
    const double spacing[3], double millimetres);
  friend SEGMENTATIONCOREKERNELS_EXPORT Ball wallBall(
    const double spacing[3], double millimetres, bool open);
  friend SEGMENTATIONCOREKERNELS_EXPORT Ball kernelBall(const Index widths[3]);

  void findReach();

  double Step[3] = { 1.0, 1.0, 1.0 };
  double Skin = 0.0; ///< what a voxel has of its own in the direction of the other, in voxels
  bool KeepsFaces = false;
  double Limit = 0.0;
  Index Reach[3] = { 0, 0, 0 };
};

SEGMENTATIONCOREKERNELS_EXPORT Ball marginBall(const double spacing[3], double millimetres);

/// `open`: what lies exactly at the distance is outside.
SEGMENTATIONCOREKERNELS_EXPORT Ball wallBall(
  const double spacing[3], double millimetres, bool open = false);

/// The ellipsoid of these odd widths in voxels.
SEGMENTATIONCOREKERNELS_EXPORT Ball kernelBall(const Index widths[3]);

/// How to calculate; the result is the same. For tests and benchmarks.
enum class MarginMethod
{
  Automatic,
  BitRows,
  PerAxis
};

SEGMENTATIONCOREKERNELS_EXPORT void growBits(const BitBlock& in, const Ball& ball, BitBlock& out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic);

SEGMENTATIONCOREKERNELS_EXPORT void shrinkBits(const BitBlock& in, const Ball& ball, BitBlock& out,
  const Progress& progress = Progress(), MarginMethod method = MarginMethod::Automatic);

} // namespace segcore

#endif
