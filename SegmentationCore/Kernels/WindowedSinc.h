// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// WindowedSinc: smooths the points of a polygonal mesh with a low-pass filter that hardly shrinks.
///
/// The graph of the mesh's edges has a Laplacian (a point minus the mean of its neighbours) whose
/// eigenvalues, 0 to 2, act as frequencies. The filter is a polynomial in it that is near 1 below
/// the pass band and near 0 above: the Chebyshev series of a step, cut off after `iterations` terms
/// and weighted with a Nuttall window against ripples. The step is moved up as far as needed for
/// the response at the pass band itself to be 0.999.
///
/// Any polygons with the same number of corners; orientation does not matter. Where triangles are
/// parts of larger polygons, the sides at which these were cut can be left out: the choice of the
/// diagonals then does not matter, and the filter acts alike in all directions. Edges with three or
/// more polygons count like any other, unless keepJunctions is set. Points at an edge with a single
/// polygon stay where they are, and so do points without polygons. Each term is made for all points
/// from the one before (Jacobi), so that neither the order of points nor threads matter. The mesh
/// is moved to the centre of its bounding box meanwhile, as the response to a constant is 1 only
/// nearly.
///
/// Threads: yes, same result for any number. Cost: iterations x edges. Scratch: about 100 bytes per
/// point of a triangle mesh. Bad input (options out of range): std::invalid_argument.
/// Sources: Taubin, Zhang, Golub, ECCV 1996, doi:10.1007/BFb0015544; Nuttall, IEEE Trans. ASSP
/// 29(1), 1981, doi:10.1109/TASSP.1981.1163506. The same filter as VTK's
/// vtkWindowedSincPolyDataFilter with its default window, non-manifold smoothing on, boundary and
/// feature edge smoothing off, normalised coordinates.

#ifndef segcoreWindowedSinc_h
#define segcoreWindowedSinc_h

#include "Box.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <vector>

namespace segcore
{

struct WindowedSincOptions
{
  int iterations = 20;   ///< Terms of the series; 0 changes nothing.
  double passBand = 0.1; ///< Where the response begins to fall, above 0, at most 2.
  /// Points with two or more edges of three or more polygons follow these edges only, so that the
  /// line where several surfaces meet becomes smooth, too. List each face once for that.
  bool keepJunctions = false;
};

/// The factors of the Chebyshev polynomials 0 .. iterations.
SEGMENTATIONCOREKERNELS_EXPORT std::vector<double> windowedSincSeries(
  const WindowedSincOptions& options);

/// Moves `points` (x, y, z each). `polygons` has `corners` points per polygon. `cuts`, if given,
/// has a byte per polygon, as PolygonMesh::cuts: those sides are no edges to the filter.
SEGMENTATIONCOREKERNELS_EXPORT void windowedSinc(float* points, Index pointCount,
  const Index* polygons, Index polygonCount, int corners, const WindowedSincOptions& options,
  const std::uint8_t* cuts = nullptr);

} // namespace segcore

#endif
