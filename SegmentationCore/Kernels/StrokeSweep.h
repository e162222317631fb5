// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// StrokeSweep: the voxels inside a brush that is swept along one segment of a stroke. The inner
/// part of StrokeMask.h, which says what is inside; not for use elsewhere.

#ifndef segcoreStrokeSweep_h
#define segcoreStrokeSweep_h

#include "Box.h"

#include <cstdint>

namespace segcore
{

namespace stroke
{

constexpr double Saturation = 0x1p60; ///< Largest index, in voxels.

inline double clamp(double value, double low, double high)
{
  value = value < low ? low : value;
  return value > high ? high : value;
}

inline Index saturated(double value)
{
  return static_cast<Index>(clamp(value, -Saturation, Saturation));
}

/// One piece of the polyline.
struct Segment
{
  Box box;     ///< Voxels that may be inside.
  double p[3]; ///< Its ends as continuous indices; whole numbers for BrushShape::Voxel.
  double q[3];
};

struct Brush
{
  double scale[3]; ///< Radii per voxel.
  double frame[9]; ///< Rows: the axes of the row frame. frame[3] is 0, frame[0] is not negative.
  double reach[3]; ///< Largest extent from its centre along each axis of the image, in radii.
  double half;     ///< Half the thickness in radii, tolerance included.
  bool disc;
};

/// Sets the voxels of `target` that are inside to 1 and leaves the others; `target` is in `part`,
/// which `out` holds, and meets the box of the segment. `continued`: another segment ends where
/// this one begins, and is written into the same block. Allocates nothing.
void sweep(const Brush& brush, const Segment& segment, bool continued, const Box& target,
  const Box& part, std::uint8_t* out);

} // namespace stroke

} // namespace segcore

#endif
