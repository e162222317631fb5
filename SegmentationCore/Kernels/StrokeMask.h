// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// StrokeMask: the voxels that a stroke of a paint or erase brush touches.
///
/// Input: the stroke as a polyline of world points, the geometry of the image (index to world) and
/// the brush. Output: 1 for each voxel of a block that is inside, else 0. Inside means, for the
/// centre v of the voxel, r = diameter / 2, h = thickness / 2:
///   Sphere: |v - p| <= r for a point p of the polyline: the swept ball, not a row of stamps.
///   Circle: |(v - p) . normal| <= h, and the part of v - p across the normal is no longer than r,
///           for a point p of the polyline: the swept disc. Also exact where the stroke has a
///           component along the normal.
///   Voxel:  the voxels nearest to the points, and between two successive ones, a and b with
///           N = max |b - a| steps, the 26-connected line a + s (b - a) / N, s = 0..N. Halves are
///           rounded up, towards the higher index, here and there; so the line from b to a is the
///           same, and a line that is shifted by whole voxels is the same line, shifted.
///
/// Ties: a distance d counts as <= r iff d d <= r r (1 + 1e-12), in double, as in EuclideanMargin:
/// a diameter of 0.6 mm reaches the third voxel of 0.1 mm. Likewise |.| <= h (1 + 5e-13). Points
/// are converted to continuous indices once; one that is a multiple of half a voxel but for the
/// rounding of the conversion (8 epsilon) is taken for that multiple, so that clicks on voxel
/// centres and between voxels are ties indeed. A drift of a Circle's segment along the normal by
/// less than 1e-10 h is taken for none. The spacing measures; `direction` need not be orthonormal
/// to the last bit.
///
/// Blocks: everything is calculated from global indices, never from the block that is asked for, so
/// the result is the same for any split. Threads: write() uses none, and may be called from many.
///
/// Cost, measured on one core: a ball of radius 10 voxels 3 microseconds, a segment of a stroke
/// with it about 5. That is 10 to 20 ns for each row of voxels that a segment meets (100 for a
/// circle that moves along its normal), and writing the bytes. A row meets a segment in one
/// interval: closed forms give its ends, and where an end is closer to a voxel than rounding can
/// tell, the definition decides. Memory: 96 bytes per segment; write() allocates nothing.
///
/// Absurd input: points beyond 2^40 voxels are moved to there, axis by axis; bounds end at 2^60.
/// Bad input throws std::invalid_argument: no point; anything not finite; a spacing, diameter or
/// thickness that is not positive; a normal of length 0; a direction whose columns are not
/// orthonormal to 1e-3. Voxel ignores diameter, normal and thickness; Sphere ignores the last two.
///
/// Slicer differs on purpose: it stamps a faceted sphere or cylinder (32 sides) at voxel centres
/// every 0.2 diameters, which is slightly smaller and depends on where the stroke was sampled.
/// Sources: Lagrange's identity for the distance to a line; Bresenham, IBM Systems Journal 4
/// (1965), doi:10.1147/sj.41.0025 (digital line).

#ifndef segcoreStrokeMask_h
#define segcoreStrokeMask_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <memory>

namespace segcore
{

enum class BrushShape
{
  Sphere,
  Circle,
  Voxel
};

/// world = origin + direction (spacing .* index); direction is row-major with orthonormal columns.
struct StrokeGeometry
{
  double origin[3] = { 0.0, 0.0, 0.0 };
  double spacing[3] = { 1.0, 1.0, 1.0 };
  double direction[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
};

struct StrokeOptions
{
  BrushShape shape = BrushShape::Sphere;
  double diameterMillimetres = 5.0;
  double normal[3] = { 0.0, 0.0, 1.0 }; ///< Circle: axis of the disc in world, of any length.
  double thicknessMillimetres = 1.0;    ///< Circle: height of the disc along the axis.
};

class SEGMENTATIONCOREKERNELS_EXPORT StrokeMask
{
public:
  /// points: numberOfPoints x 3 world coordinates in millimetres, in the order of the stroke.
  StrokeMask(const double* pointsWorld, Index numberOfPoints, const StrokeGeometry& geometry,
    const StrokeOptions& options);

  /// A box with all voxels that are inside; at most slightly larger than the smallest. Not clipped
  /// to any image: clip it before asking for its size. Empty if the brush falls between voxels.
  const Box& bounds() const;

  /// Sets out to 1 for the voxels of `part` inside the stroke and to 0 for the others; `out` holds
  /// `part` alone.
  void write(const Box& part, std::uint8_t* out) const;

private:
  struct Data;
  std::shared_ptr<const Data> Data_; // never changes: copies share it
};

} // namespace segcore

#endif
