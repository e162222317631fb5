// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// One triangle surface on one rank, from the parts that the ranks made of their blocks.
///
/// Every point has a global key, a number that says where it lies in the whole image (for example
/// the global index of its cell or edge), the same on every rank that makes the point. Points with
/// equal keys become one. Their coordinates should be equal, too; if they are not, the smallest (by
/// z, y, x) is taken.
///
/// The order of the result does not depend on the split into blocks and ranks:
///   - points by key;
///   - each triangle is turned (not flipped) so that the point with the smallest key comes first;
///   - triangles by label, then by their points, then by their other label.
/// A triangle that several ranks bring appears several times: make each one where its cell is
/// owned.
///
/// Memory on the root: the parts as messages, and the result twice. Cost: linear, and O(n log n) in
/// the points unless they come in order. Threads: yes, same result for any number.

#ifndef segcoreSurfaceGather_h
#define segcoreSurfaceGather_h

#include "Box.h"
#include "Communicator.h"

#include <vector>

namespace segcore
{

/// A triangle surface. `Real` is float or double.
template <class Real>
struct Surface
{
  std::vector<Real> points;     ///< x, y, z of each point
  std::vector<Index> keys;      ///< one per point
  std::vector<Index> triangles; ///< three positions in `keys` each
  std::vector<Index> labels;    ///< one per triangle
  std::vector<Index> others;    ///< a second one per triangle, on the other side; or none at all
};

/// Local. Brings a surface into the order described above and merges its points.
/// Throws std::runtime_error if the sizes of the arrays do not fit, or a triangle names no point.
template <class Real>
void canonicalSurface(Surface<Real>& surface);

/// Collective. The merged surface on rank `root`; an empty one elsewhere.
/// Throws AgreedError on all ranks alike if the part of a rank is not valid.
template <class Real>
Surface<Real> gatherSurface(
  const Communicator& communicator, const Surface<Real>& part, int root = 0);

extern template SEGMENTATIONCOREPARALLEL_EXPORT void canonicalSurface<float>(Surface<float>&);
extern template SEGMENTATIONCOREPARALLEL_EXPORT void canonicalSurface<double>(Surface<double>&);
extern template SEGMENTATIONCOREPARALLEL_EXPORT Surface<float> gatherSurface<float>(
  const Communicator&, const Surface<float>&, int);
extern template SEGMENTATIONCOREPARALLEL_EXPORT Surface<double> gatherSurface<double>(
  const Communicator&, const Surface<double>&, int);

} // namespace segcore

#endif
