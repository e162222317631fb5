// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// PolygonPrism: the voxels whose centres are seen inside an outline, as through a window.
///
/// A view maps the index (i, j, k) of a voxel to a place (x, y) on a plane: x = X / W, y = Y / W,
/// where X, Y and W are affine in the index. A constant W is a parallel projection, along any
/// direction; otherwise the view is that of a camera, and voxels with W <= 0 are behind it and
/// inside of nothing. A voxel is in the prism if its place is inside the outline and its depth,
/// which is affine in the index, is in [low, high).
///
/// The outline is a set of closed contours, or a circle. Contours: the even-odd rule; a contour
/// may meet itself, hold others, or repeat vertices. Edges are half-open: places on the lower
/// boundaries (that of smaller y; on edges that rise or fall, that of smaller x) are inside, those
/// on the upper ones are not, so that polygons that share an edge neither both claim nor both miss
/// a voxel on it. A square from 0 to 2 holds the places 0 and 1 along both axes. Circle: places up
/// to r from its centre, d d <= r r (1 + 1e-12).
///
/// Rounding: places and vertices are rounded once, to multiples of 2^-26 of the largest step from a
/// voxel to its neighbour (that of the farthest voxels, for a camera), or of a power of two just
/// below; depths likewise. This heals the noise of the maps: a vertex meant to lie on a voxel
/// centre does. From there on contours are decided exactly. Vertices more than 2^24 such steps from
/// the first voxel are moved to there, axis by axis. The unit depends on the view and the image
/// alone.
///
/// Blocks: everything is calculated from global indices, never from the block that is asked for, so
/// the result is the same for any split. Threads: all calls are safe from many.
///
/// Cost: boxes that no edge crosses are decided as a whole, down to 64 voxels, by the image of
/// their corners; so time goes with the voxels near the surface of the prism, and with the bytes
/// written. Edges are sorted into horizontal strips: a voxel is compared with those of its strip.
/// Memory: about 50 bytes per edge, and 8 for each strip that an edge crosses; nothing per voxel.
///
/// Bad input throws std::invalid_argument: anything not finite (but depths), a view that maps all
/// voxels to one line.
///
/// Sources: Hormann, Agathos, Comput. Geom. 20 (2001), doi:10.1016/S0925-7721(01)00012-8 (even-odd
/// rule and its boundary); Shewchuk, Discrete Comput. Geom. 18 (1997), doi:10.1007/PL00009321.

#ifndef segcorePolygonPrism_h
#define segcorePolygonPrism_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace segcore
{

/// How voxels are seen. Rows: (X, Y, depth, W) = toView * (i, j, k, 1).
struct PrismView
{
  double toView[16] = { 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0,
    1.0 };
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  /// Take what is outside the outline instead; in [low, high) all the same. What is behind a camera
  /// is outside.
  bool outside = false;
};

/// On the plane of the view. Contour c has the vertices ends[c - 1] to ends[c] - 1.
struct PrismOutline
{
  std::vector<double> vertices; ///< x, y of each
  std::vector<Index> ends;
  bool circle = false; ///< instead of contours: vertices holds x, y of the centre, then radius, 0
};

class SEGMENTATIONCOREKERNELS_EXPORT PolygonPrism
{
public:
  /// `whole`: all voxels of the image.
  PolygonPrism(const PrismOutline& outline, const PrismView& view, const Box& whole);

  /// A box with all voxels that are inside, within `whole`; empty if there are none.
  const Box& bounds() const { return this->Bounds; }

  bool inside(Index i, Index j, Index k) const;

  /// 0 or 1 if all voxels of `part` are known to be outside or inside, else -1.
  int uniform(const Box& part) const;

  /// Sets out to 1 for the voxels of `part` inside and to 0 for the others; `out` holds `part`
  /// alone.
  void write(const Box& part, std::uint8_t* out) const;

private:
  struct Edge
  {
    double ax, ay, bx, by; ///< in units; ay <= by
  };

  double row(int r, double i, double j, double k) const
  {
    const double* m = this->Rows + 4 * r;
    return ((m[0] * i + m[1] * j) + m[2] * k) + m[3];
  }
  bool inRange(double i, double j, double k) const;
  bool insideOutline(double x, double y) const;
  int uniformOutline(const double low[2], const double high[2]) const;
  std::size_t strip(double y) const;
  void addContours(const PrismOutline& outline);
  void findBounds(const Box& whole);
  void fill(const Box& box, const Box& part, std::uint8_t* out) const;

  double Rows[16]; ///< in units
  bool Camera = false;
  bool Outside = false;
  bool Circle = false;
  double Low, High;        ///< in units of depth
  double PlaceError = 0.0; ///< most by which a place may be rounded, in units
  double DepthError = 0.0; ///< the same for a depth, and for W
  double WError = 0.0;
  double Least[2], Most[2]; ///< bounds of the outline
  double Centre[2] = { 0.0, 0.0 };
  double Radius = 0.0;
  double StripsPerUnit = 0.0;
  std::vector<Edge> Edges;
  std::vector<Index> Starts; ///< where the edges of a strip begin in Crossing
  std::vector<Index> Crossing;
  Box Bounds;
};

} // namespace segcore

#endif
