// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// From vtkPolyData to the surface rasterizer of the kernels.

#ifndef segcoreSurfaceVoxels_h
#define segcoreSurfaceVoxels_h

#include "Box.h"
#include "Progress.h"

#include <cstdint>
#include <string>
#include <vector>

class vtkMatrix4x4;
class vtkOrientedImageData;
class vtkPolyData;

namespace segcore
{

/// Allocates one scalar of a type of one byte for each voxel of the image, whose lattice and extent
/// are set, and writes values[c] into it, c being how many of the voxel's samplesPerAxis^3 samples
/// are inside the surface; see SurfaceRaster.h for inside, samples and values. Polygons and strips
/// are taken apart; lines and vertices are passed over. Threads are started where the work is
/// large. False with a text, and the image unusable, if the lattice is singular, memory does not
/// suffice, or SurfaceRaster refuses the surface. Throws Cancelled.
bool fillFromSurface(vtkPolyData* surface, vtkOrientedImageData* image, int scalarType,
  int samplesPerAxis, const std::uint8_t* values, std::string& error,
  const Progress& progress = Progress());

/// How many voxels cost as much as a surface in this box, one sample each.
Index surfaceWork(vtkPolyData* surface, const Box& box);

/// The values of a fractional labelmap for 0 .. n^3 samples inside: FRACTIONAL_MIN to
/// FRACTIONAL_MAX as signed bytes, rounded to the nearest.
std::vector<std::uint8_t> fractionalValues(int samplesPerAxis);

/// The box floor(minimum) .. ceil(maximum) of all points in index space, whose coordinates are
/// rounded to the points' own type first, as Slicer does by transforming the surface. Without
/// voxels if there are no points; points that are not finite are passed over. Throws
/// std::overflow_error if an index does not fit into an extent.
Box indexBox(vtkPolyData* surface, vtkMatrix4x4* worldToIndex);

} // namespace segcore

#endif
