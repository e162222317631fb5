// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Convex hulls of points with integer coordinates, and the Feret diameters of a hull.
///
/// Hulls are exact: orientation is decided in integers of 64 or 128 bits, so they depend on the set
/// of points alone. Coordinates are not negative and below 2^31.
///
/// The largest Feret diameter is the greatest distance of two corners. The smallest one is the
/// least distance of two parallel planes with the hull between them: one of them holds a face, or
/// each holds an edge of its own, so all such pairs are tried. Lengths are those of an image with
/// the given spacing.
///
/// Cost: plane hull O(n log n); hull in space expected O(n log n + corners * faces); Feret
/// diameters O(corners^2 + edges^2), 0.1 s for 4000 corners. No threads. Scratch: about 200 bytes
/// per face. Bad input (points in one plane): std::invalid_argument.
///
/// Sources: A. M. Andrew, Inf. Process. Lett. 9 (1979), doi:10.1016/0020-0190(79)90072-3 (plane);
/// C. B. Barber, D. P. Dobkin, H. Huhdanpaa, ACM Trans. Math. Softw. 22 (1996),
/// doi:10.1145/235815.235821 (space); M. E. Houle, G. T. Toussaint, IEEE Trans. PAMI 10 (1988),
/// doi:10.1109/34.6790 (width).

#ifndef segcoreLatticeHull_h
#define segcoreLatticeHull_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <array>
#include <cstdint>
#include <vector>

namespace segcore
{

using PlanePoint = std::array<std::int32_t, 2>;
using SpacePoint = std::array<std::int32_t, 3>;

/// The corners of the hull of `points`, counterclockwise from the lowest (x, y); no three of them
/// are on a line. Changes the order of `points`.
SEGMENTATIONCOREKERNELS_EXPORT std::vector<PlanePoint> planeHull(std::vector<PlanePoint>& points);

struct SpaceHull
{
  std::vector<SpacePoint> corners;
  /// Numbers of corners, counterclockwise from outside. Faces in one plane follow each other
  /// anyhow.
  std::vector<std::array<std::int32_t, 3>> triangles;
};

/// The hull of `points`, which are not all in one plane. A corner may be within a face.
SEGMENTATIONCOREKERNELS_EXPORT SpaceHull spaceHull(std::vector<SpacePoint> points);

struct FeretDiameters
{
  double smallest = 0.0;
  double largest = 0.0;
};

SEGMENTATIONCOREKERNELS_EXPORT FeretDiameters feretDiameters(
  const SpaceHull& hull, const double spacing[3]);

} // namespace segcore

#endif
