// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// PointNormals: unit normals at the points of a triangle mesh.
///
/// The normal of a point is the mean of the unit normals of its triangles, made a unit again, as
/// VTK's vtkPolyDataNormals has it; points without one (no triangle, or opposite ones) get 0, 0, 0.
/// A triangle's normal follows the right-hand rule. Threads: yes, same result for any number. Cost:
/// linear. Scratch: 24 bytes per triangle and 4 per point.

#ifndef segcorePointNormals_h
#define segcorePointNormals_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

namespace segcore
{

/// `normals` takes three numbers per point.
SEGMENTATIONCOREKERNELS_EXPORT void pointNormals(const float* points, Index pointCount,
  const Index* triangles, Index triangleCount, float* normals);

} // namespace segcore

#endif
