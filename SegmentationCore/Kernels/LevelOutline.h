// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// LevelOutline: what the outline of a level in a slice encloses, from a pixel on the outline.
///
/// Input: a slice of pixels, 1 at and above the level, 0 below; and the seed, a pixel that is 1.
/// Let C be the 8-connected set of ones around the seed. What is not C falls into 4-connected
/// regions, of which that around the slice, together with all that reach the edge of the slice, is
/// the exterior and the others are holes. The seed is on the outline of a region that has one of
/// its neighbours below the level: those along the axes, or if none of these is below, the diagonal
/// ones. Neighbours outside the slice do not count.
///
/// Output: 1 for each pixel on or inside of that outline. If the seed is on the outline of the
/// exterior: C with all its holes. Otherwise: the holes that it borders, and the pixels of C that
/// share an edge with them. A seed that borders nothing gives nothing.
///
/// This is what the contour of vtkITKLevelTracingImageFilter, hence Slicer's, encloses wherever it
/// is followed to its end; it says so without an order of steps, so that it is the same for turned
/// and mirrored slices, and where the contour passes the seed more than once.
///
/// Cost: linear in the pixels of the slice. Memory: 1 byte per pixel, and 8 per pixel of the
/// longest front, at worst all.
///
/// Source: Suzuki, Abe, Comput. Vision Graph. Image Process. 30 (1985),
/// doi:10.1016/0734-189X(85)90016-7 (outer borders and hole borders).

#ifndef segcoreLevelOutline_h
#define segcoreLevelOutline_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>

namespace segcore
{

/// Slices are width x height, x fastest. `out` is all 0 if the seed is outside or below the level.
SEGMENTATIONCOREKERNELS_EXPORT void levelOutline(const std::uint8_t* above, Index width,
  Index height, Index seedX, Index seedY, std::uint8_t* out);

} // namespace segcore

#endif
