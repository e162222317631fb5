// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SurfaceRaster: which voxel centres lie inside a surface of triangles, exactly.
///
/// Input: points (float or double, x y z), triangles (three point numbers each), and the affine map
/// from the points' coordinates to voxel indices of the lattice, in which voxel (i, j, k) has its
/// centre at (i, j, k). The map may be anything affine: anisotropic, oblique, left-handed, sheared.
///
/// Vertices are rounded once, to multiples of 2^-28 of the distance of samples (coarser where a
/// coordinate exceeds 2^22 of them; beyond 2^40 it is refused). This heals the noise of the map: a
/// vertex meant to lie on a voxel centre does. From there on every decision is exact: plain
/// arithmetic with a proven bound of its error, and multiplications without rounding where the
/// bound does not decide.
///
/// Rule: parity. A voxel centre is inside iff the row through it, along x, has crossed the surface
/// an odd number of times. Centres on the surface, and rows through edges and vertices, are decided
/// as if all centres were moved by (e1, e2, e3) with e1 >> e2 >> e3 > 0, all infinitely small. One
/// move for all surfaces: solids that share a face never both claim, nor both miss, a centre on it,
/// whatever their triangles there; a box from 0 to 2 holds the centres 0 and 1 along each axis.
/// Non-convex solids, cavities and several components come out right, whatever the orientation of
/// their triangles. Where components of one surface overlap, the overlap is outside.
///
/// Defects: triangles that occur again with the same vertices in the same turn count once, and
/// triangles with two equal vertices not at all. If then every edge (compared by coordinates)
/// belongs to an even number of triangles, the surface is closed() and the rows along x are right
/// as they are. Otherwise rows are counted along x, y and z; a row with an odd number of crossings
/// has met a hole and abstains, the others vote, and inside wins ties (missing pieces turn inside
/// into outside, hardly ever the reverse). So holes are bridged; near one of h voxels the surface
/// may be wrong by up to about h voxels, where all three rows meet it. Surfaces that are closed but
/// whose triangles do not share edges (a vertex in the middle of another's edge) are voted on too,
/// with the same result. Not recognised: two holes that one row meets, if another row does so too.
///
/// samplesPerAxis n > 1: each voxel is sampled at n^3 places, at offsets (s + 1/2) / n - 1/2 for
/// s = 0 .. n-1 along each axis, in one pass over the rows of samples; the result is how many are
/// inside.
///
/// Any box gives, bit for bit, what the whole would give there, for any number of threads.
///
/// Time: O(points + triangles + crossings + samples / 64 + voxels). Each crossing flips one bit;
/// the parity follows by prefix sums in words (edge flags: Ackland, Weste, IEEE Trans. Comput. 30
/// (1981), doi:10.1109/TC.1981.6312155). Memory: 24 bytes per point and per triangle, nothing of
/// the input is referred to later; while it is made, 8 more per point and 41 per triangle; in
/// sample(), 8 bytes per triangle and up to 1 MB per thread. If not closed, 3/8 n^3 bytes per voxel
/// of a part of the box, up to 64 MB per thread (a single layer if that is more).
///
/// Bad input (a triangle with a point that is not there, is not finite or is too far away; counts
/// below 0; samplesPerAxis outside 1..16): std::invalid_argument.
///
/// Sources: Edelsbrunner, Muecke, ACM Trans. Graph. 9 (1990), doi:10.1145/77635.77639 (simulation
/// of simplicity); Shewchuk, Discrete Comput. Geom. 18 (1997), doi:10.1007/PL00009321 (expansions);
/// Nooruddin, Turk, IEEE TVCG 9 (2003), doi:10.1109/TVCG.2003.1196006 (votes of parity counts).

#ifndef segcoreSurfaceRaster_h
#define segcoreSurfaceRaster_h

#include "Buffer.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <cstdint>

namespace segcore
{

class SEGMENTATIONCOREKERNELS_EXPORT SurfaceRaster
{
public:
  ///@{
  /// `toLattice` holds three rows of four numbers, lattice = toLattice * (x, y, z, 1); null: the
  /// points are in voxel indices already.
  SurfaceRaster(const double* points, Index pointCount, const Index* triangles, Index triangleCount,
    const double* toLattice = nullptr, int samplesPerAxis = 1);
  SurfaceRaster(const float* points, Index pointCount, const Index* triangles, Index triangleCount,
    const double* toLattice = nullptr, int samplesPerAxis = 1);
  ///@}

  /// Does every edge belong to an even number of triangles? (Compared by 64-bit hashes.)
  bool closed() const { return this->Closed; }

  /// Triangles left out because an equal one came before, or because two vertices are equal.
  Index duplicates() const { return this->Duplicates; }
  Index degenerates() const { return this->Degenerates; }

  /// All voxels that can have a sample inside; without voxels if no sample can.
  const Box& box() const { return this->Voxels; }

  int samplesPerAxis() const { return this->Samples; }

  /// Writes values[number of samples inside] for each voxel of `box`, which is stored alone (x
  /// fastest). `values` has n^3 + 1 entries; signed values are written as their bytes. Without
  /// samples per axis that is values[0] outside and values[1] inside.
  void sample(const Box& box, const std::uint8_t* values, std::uint8_t* out,
    const Progress& progress = Progress()) const;

private:
  template <class T>
  void prepare(const T* points, Index pointCount, const Index* triangles, Index triangleCount,
    const double* toLattice);
  template <class T>
  void snap(
    const T* points, Index pointCount, const double* toLattice, Buffer<std::uint64_t>& hash);
  void dropDuplicates(const Buffer<std::uint64_t>& keys, const Buffer<std::uint64_t>& hash,
    Buffer<std::uint8_t>& drop, std::uint64_t& boundary);

  Buffer<double> Points; ///< On the lattice of samples, rounded.
  Buffer<Index> Triangles;
  Index TriangleCount = 0; ///< Without those left out.
  int Samples;
  Index Duplicates = 0;
  Index Degenerates = 0;
  bool Closed = true;
  Box Voxels;
};

} // namespace segcore

#endif
