// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Closed surfaces of labels and of fractional images, as poly data in world coordinates.
///
/// The steps: net (kernels FlyingEdges or SurfaceNets), decimation (vtkDecimatePro), smoothing
/// (kernel WindowedSinc, or within the surface net), world coordinates, normals. All but the first
/// work on index coordinates, so that spacing and directions do not change the result.
#ifndef segcore_ClosedSurface_h
#define segcore_ClosedSurface_h

#include "vtkPolyData.h"
#include "vtkSmartPointer.h"

#include <stdexcept>
#include <vector>

class vtkOrientedImageData;

namespace segcore
{

struct ClosedSurfaceOptions
{
  double DecimationFactor = 0.0; ///< Part of the triangles to take away, 0 to 1.
  double SmoothingFactor = 0.5;  ///< 0 (none) to 1.
  int SmoothingIterations = 40;  ///< Of the windowed sinc filter.
  bool ComputeNormals = true;    ///< At the points; not for surface nets.
  bool SurfaceNets = false;      ///< Rather than flying edges.
  bool SmoothInternally = false; ///< Within the surface net rather than by windowed sinc.
  bool SmoothJointly = false;    ///< All labels as one mesh, so that neighbours keep together.
};

/// What cannot be done, in words.
class ClosedSurfaceError : public std::runtime_error
{
  using std::runtime_error::runtime_error;
};

/// One surface per label, in that order; labels without voxels get an empty one. Labels must be
/// positive and distinct. Throws ClosedSurfaceError if the image's scalars are not labels.
std::vector<vtkSmartPointer<vtkPolyData>> makeLabelSurfaces(
  vtkOrientedImageData* image, const std::vector<int>& labels, const ClosedSurfaceOptions& options);

/// The positive values of the image, ascending; those that do not fit an int are left out.
std::vector<int> positiveLabels(vtkOrientedImageData* image);

/// The surface where the image, magnified by `oversampling` along each axis, has the value
/// `level`, with `outside` (below the level) around it.
vtkSmartPointer<vtkPolyData> makeLevelSurface(vtkOrientedImageData* image, double oversampling,
  double level, double outside, const ClosedSurfaceOptions& options);

} // namespace segcore

#endif
