// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BoxMajority: median filter of a binary mask in a box, that is, the majority of the box.
///
/// Input: bits on a box that holds `out.box` grown by (size - 1) / 2 and clipped to `whole`, the
/// extent of the undivided image. Output: bits of `out.box`. The window is clipped at the border of
/// `whole`, never at the border of a block; a voxel becomes 1 iff more than half of the voxels of
/// its clipped window are object; a tie (only in clipped windows) gives 0. This is what
/// vtkImageMedian3D, hence Slicer, does. Threads: yes, any split gives the same bits.
///
/// Counts are bit-sliced: word w of plane b holds bit b of the counts of 64 voxels, so that an
/// addition takes five operations per plane for all of them. Sums along x and y by doubling the
/// window, along z by adding the slice that enters and taking off the one that leaves. Cost: per 64
/// voxels about 20 log2(size_x size_y) log2(size) operations; it hardly grows with the size.
/// Scratch: per thread (size_z + 8) x (a strip of 32 rows, or 4 size_y if more) x log2(size) bits;
/// not proportional to the volume while the box is small against it. Bad input (even or
/// non-positive size, boxes that do not fit): std::invalid_argument.
///
/// Sources: Huang, Yang, Tang, IEEE Trans. ASSP 27 (1979), doi:10.1109/TASSP.1979.1163188 (running
/// sums); Lamport, Comm. ACM 18 (1975), doi:10.1145/360933.360994 (arithmetic on many numbers in a
/// word).

#ifndef segcoreBoxMajority_h
#define segcoreBoxMajority_h

#include "BitBlock.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

namespace segcore
{

/// Odd number of voxels for a kernel of the given diameter: 2 round((size / spacing + 1) / 2) - 1,
/// halves to even as in Python (Slicer's rule), at least 1.
SEGMENTATIONCOREKERNELS_EXPORT Index kernelVoxels(double sizeMillimetres, double spacing);

/// The majority of the box of size[0] x size[1] x size[2] voxels (odd numbers) around each voxel of
/// out.box.
SEGMENTATIONCOREKERNELS_EXPORT void boxMajority(const BitBlock& in, const Box& whole,
  const Index size[3], BitBlock& out, const Progress& progress = Progress());

} // namespace segcore

#endif
