// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// GaussianMask: a binary mask smoothed by a Gaussian, in integers: cut at one half (smoothBits),
/// or as it is (smoothMask).
///
/// Input: bits on a box that holds the target (`out.box`) grown by gaussianHalo() and clipped to
/// `whole`, the extent of the undivided image. Output: 1 where the smoothed mask is at least 1/2;
/// or its values, from 0 to 1, row by row.
///
/// The kernel is w_x[i] w_y[j] w_z[k] with w[k] ~ exp(-k^2 / (2 s^2)) for |k| <= floor(4 s), s in
/// voxels, 0 beyond (smoothMask: floor(reach s)). It is clipped at the border of `whole` (never at
/// that of a block) and scaled to sum 1, as Slicer does. Weights are integers of sum 32767; the sum
/// of those from k outwards is the rounded sum of the exact ones, for every k. All else is exact:
/// with S the sum over the object and N_a the sum of the clipped weights of an axis, a voxel is set
/// iff 2 S >= N_x N_y N_z, and its value is S / (N_x N_y N_z), rounded once: exactly 0 or 1 where
/// no or only object voxels have weight. So the result is the same for any split and number of
/// threads, and for mirrored and swapped axes. Its values differ from those of exact weights by at
/// most 5e-4 at s = 3 and 4e-3 at s = 30 for the worst mask, by 5e-5 for real ones (Slicer's 8
/// bits: 1e-2); the cut one differs only where they are as near to one half.
///
/// Order: x from the bits, eight voxels for each byte of them, then z, then y: in columns of at
/// most 32 voxels along x, slice by slice; where all voxels around are equal, nothing is
/// calculated. The integers are the same with and without AVX2 (Instructions.h). Threads: yes.
/// Cost: about 17 s operations on eight voxels, twice as many without AVX2; for values half as much
/// again. Scratch: per thread 16 s + 24 bytes for each voxel of a slice of a part of a column, of
/// about 1 MiB, or 6 KiB s^2 if that is more; for values 8 MiB besides; tables of 4 KiB s; not
/// proportional to the volume. Bad input (negative deviations, a half-width above
/// MaximumGaussianVoxels, boxes that do not fit): std::invalid_argument.
///
/// Source: P. Getreuer, A survey of Gaussian convolution algorithms, Image Processing On Line 3,
/// 2013, doi:10.5201/ipol.2013.87 (truncated kernels and their error).

#ifndef segcoreGaussianMask_h
#define segcoreGaussianMask_h

#include "BitBlock.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <functional>

namespace segcore
{

/// The largest half-width of the kernel in voxels.
constexpr Index MaximumGaussianVoxels = 512;

/// The half-width of the kernel on each axis: floor(reach s), deviations s in voxels. Not limited.
SEGMENTATIONCOREKERNELS_EXPORT void gaussianHalo(
  const double deviations[3], Index halo[3], double reach = 4.0);

SEGMENTATIONCOREKERNELS_EXPORT void smoothBits(const BitBlock& in, const Box& whole,
  const double deviations[3], BitBlock& out, const Progress& progress = Progress());

/// Gets the values of row (y, z) of the target; called once for each row, on any thread.
using SmoothedRow = std::function<void(Index y, Index z, const double* values)>;

/// The values of the smoothed mask in `target`, handed on row by row: they are nowhere stored.
SEGMENTATIONCOREKERNELS_EXPORT void smoothMask(const BitBlock& in, const Box& whole,
  const double deviations[3], double reach, const Box& target, const SmoothedRow& row,
  const Progress& progress = Progress());

} // namespace segcore

#endif
