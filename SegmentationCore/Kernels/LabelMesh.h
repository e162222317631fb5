// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Surfaces of several labels on shared points, and how they are taken apart.
///
/// A LabelMesh lists the polygons of every label, one label after the other, on one list of points.
/// Where two labels touch, both have polygons there, in opposite orientation, on the same points:
/// smoothing the points moves both surfaces alike. splitMesh() gives each label a mesh of its own.

#ifndef segcoreLabelMesh_h
#define segcoreLabelMesh_h

#include "Buffer.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <vector>

namespace segcore
{

/// Polygons with the same number of corners, normals (right-hand rule) outward.
struct PolygonMesh
{
  Buffer<float> points;   ///< x, y, z, in index coordinates.
  int corners = 3;        ///< Points of every polygon, 3 or 4.
  Buffer<Index> polygons; ///< `corners` points each.
  /// For triangles that are parts of larger polygons, a byte each (else empty): bit k is set if the
  /// side from corner k to the next one is a cut, not an edge of such a polygon.
  Buffer<std::uint8_t> cuts{};

  Index pointCount() const { return this->points.size() / 3; }
  Index polygonCount() const { return this->polygons.size() / this->corners; }
};

/// Polygons of several labels on the same points.
struct LabelMesh
{
  Buffer<float> points;       ///< x, y, z, in index coordinates.
  int corners = 3;            ///< Points of every polygon, 3 or 4.
  Buffer<Index> polygons;     ///< `corners` points each, normals out of their label.
  Buffer<std::uint8_t> cuts;  ///< As in PolygonMesh.
  std::vector<Index> labels;  ///< As asked for.
  std::vector<Index> first{}; ///< First polygon of each label, and the number of all.

  Index pointCount() const { return this->points.size() / 3; }
  Index polygonCount() const { return this->polygons.size() / this->corners; }
};

/// One mesh per label of `mesh`, in its order. Points are numbered as the polygons first use them.
/// Labels are shared out among the threads; the result does not depend on their number. Cost:
/// linear. Scratch: 8 bytes per point and thread.
SEGMENTATIONCOREKERNELS_EXPORT std::vector<PolygonMesh> splitMesh(const LabelMesh& mesh);

/// Cuts quads into triangles along the shorter diagonal (a tie: the one from their first point);
/// triangles stay as they are.
SEGMENTATIONCOREKERNELS_EXPORT void triangulate(PolygonMesh& mesh);

} // namespace segcore

#endif
