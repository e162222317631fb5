// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// The convex hull of points as triangles, and a smoother surface through the same points.
///
/// convexHull: points (x, y, z of each) are rounded once to multiples of 2^-28, coarser where a
/// coordinate exceeds 2^22 and moved where it exceeds 2^40. From there on the hull is exact: every
/// orientation is decided without rounding. It is a closed surface of triangles with an area, all
/// turned outwards, each edge of two of them; points that are no corner of it are left out. Points
/// in one plane have no hull: no triangles. Facets with more than three corners are cut in
/// triangles in an order that depends on the order of the points.
///
/// Points are added one by one: the triangles that see the new one, those in whose plane it lies
/// included, give way to a cone. Counting these as seen keeps all triangles from collapsing where
/// points lie on one line. Time: points times triangles, of which there are less than twice as
/// many; 1000 points on a sphere take about 20 ms. Memory: linear.
///
/// smoothSurface: the modified butterfly scheme, `levels` times: each triangle becomes four, old
/// points stay where they are, and the surface is smooth in the limit. The mesh must be closed. It
/// may bulge beyond the hull, and may cross itself where the hull has very acute corners.
///
/// Sources: Preparata, Shamos, Computational Geometry (1985), doi:10.1007/978-1-4612-1098-6, 3.4
/// (beneath-beyond); Shewchuk, Discrete Comput. Geom. 18 (1997), doi:10.1007/PL00009321 (exact
/// signs); Zorin, Schroeder, Sweldens, SIGGRAPH (1996), doi:10.1145/237170.237254 (butterfly).

#ifndef segcoreConvexHull_h
#define segcoreConvexHull_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <vector>

namespace segcore
{

struct TriangleMesh
{
  std::vector<double> points;   ///< x, y, z of each
  std::vector<Index> triangles; ///< three point numbers each
};

SEGMENTATIONCOREKERNELS_EXPORT TriangleMesh convexHull(const std::vector<double>& points);

SEGMENTATIONCOREKERNELS_EXPORT TriangleMesh smoothSurface(TriangleMesh mesh, int levels);

} // namespace segcore

#endif
