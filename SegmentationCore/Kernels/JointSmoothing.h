// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// JointSmoothing: smooths the surfaces between all labels of an image together, and makes labels
/// of them again. In four steps, which a caller with several blocks or ranks joins:
///
///     jointPart       the surface of a block: points, their neighbours, quads
///     SincSmoother    moves the points, step by step, so that ranks can trade points in between
///     jointCrossings  where the rows along x cross the quads
///     fillFromCrossings  the labels of a box
///
/// Surface: that of SurfaceNets, one point per cell of 2 x 2 x 2 voxels that are not all equal, a
/// quad per pair of face neighbours that differ. Points have their cells' global numbers as keys.
/// Each moves with the points of those face-adjacent cells whose shared face has different labels;
/// where three labels meet, along that line only. Outside of the image is 0, but the planes in
/// which surfaces end there stay where they are: their points move within the plane, along the
/// lines between the labels inside. So labels are cut off at the border of the image as before.
///
/// Filter: the low-pass filter of WindowedSinc, a polynomial in the mean of the neighbours, with
/// its factors divided by their sum, so that a constant is kept exactly. Coordinates are kept
/// relative to the cell, as multiples of 2^-20 voxel; sums of neighbours are exact, so that their
/// order does not matter, and each step rounds once to the nearest multiple, ties to even, and goes
/// no further than 512 voxels from the cell (a point that 100 steps bring that far is not known);
/// so is what each step adds to the result, which at last is rounded to a multiple of 2^-14.
/// So a point does not depend on how the image is cut, and mirrored or turned images give the
/// matching result.
///
/// Labels: a quad is four triangles around the mean of its corners. The row of voxel centres along
/// x starts outside with 0, and each quad that it crosses exchanges the two labels of the quad: one
/// that is there goes, one that is not there comes. Where the surface did not fold this leaves one
/// label, that of the voxel; there are never none. Of several, the voxel keeps its own, else it
/// takes the lowest but 0. So there are neither gaps nor overlaps. Crossings are exact (see
/// SurfaceRows.h); a voxel whose centre lies on the surface keeps its label.
///
/// Threads: yes, same result for any number. Cost: one read of the labels; points x iterations.
/// Memory: 7/8 byte per voxel of a block while its part is made; per point 9 bytes, and 24 + 96
/// while they are smoothed; per quad 48 bytes and two labels; per crossing what JointRows.h says.
/// Bad input (part of a box missing, iterations below 0, pass band out of range, more than 2^31
/// points at once): std::invalid_argument.
///
/// Sources: Gibson, MICCAI 1998, doi:10.1007/BFb0056277 (the surface); Taubin, Zhang, Golub, ECCV
/// 1996, doi:10.1007/BFb0015544 (the filter). Ours: fixed-point steps, the border, labels by
/// exchange.

#ifndef segcoreJointSmoothing_h
#define segcoreJointSmoothing_h

#include "JointRows.h"
#include "SegmentationCoreKernelsModule.h"
#include "SurfaceNets.h"
#include "WindowedSinc.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace segcore
{

/// The surface that a block owns.
template <class T>
struct JointPart
{
  std::vector<Index> cells;           ///< Global cell of each point, ascending.
  std::vector<std::uint8_t> stencils; ///< Which neighbours it moves with (-x +x -y +y -z +z).
  std::vector<Index> quads;           ///< Four points each, counted here.
  std::vector<T> labels;              ///< Two of each quad.
};

/// The lattice of cells: cell (x, y, z) has the voxels x - 1 and x (and so on) of the image,
/// counted from its first voxel; its centre is half a voxel before voxel x.
struct CellLattice
{
  Index dims[3];

  explicit CellLattice(const Box& whole)
  {
    for (int a = 0; a < 3; ++a)
    {
      this->dims[a] = whole.dim(a) + 1;
    }
  }
  Index step(int face) const
  {
    const Index length = face < 2 ? 1 : (face < 4 ? this->dims[0] : this->dims[0] * this->dims[1]);
    return face % 2 ? length : -length;
  }
  void position(Index cell, Index at[3]) const
  {
    at[0] = cell % this->dims[0];
    at[1] = cell / this->dims[0] % this->dims[1];
    at[2] = cell / this->dims[0] / this->dims[1];
  }
};

/// Moves points. The cells are those of all points that are known here, ascending; only points with
/// a stencil are computed, and all of its cells must be among them; the others are given their
/// values between steps.
class SEGMENTATIONCOREKERNELS_EXPORT SincSmoother
{
public:
  SincSmoother(const CellLattice& lattice, const std::vector<Index>& cells,
    const std::vector<std::uint8_t>& stencils, const WindowedSincOptions& options);

  /// How many steps there are, each to be followed by an exchange of values().
  int steps() const { return static_cast<int>(this->Factors.size()) - 1; }
  void step(int number);

  /// The result. Then values() are how far the points are from the centres of their cells.
  void finish();

  /// Four numbers per point: three that others need, and a 0.
  double* values() { return this->Current.data() + 4; }
  const double* values() const { return this->Current.data() + 4; }

private:
  std::vector<double> Factors;
  std::vector<std::uint8_t> Stencils;
  Buffer<std::int32_t>
    Neighbours;            ///< Six per point, one more than its number; 0 where there is none.
  Buffer<double> Previous; ///< Four per point, after four zeros.
  Buffer<double> Current;
  Buffer<double> Sum;
};

namespace detail
{
/// Calls the visitor for each crossing of quads begin .. end - 1.
SEGMENTATIONCOREKERNELS_EXPORT void visitCrossings(const CellLattice& lattice, const Index* cells,
  const double* values, const Index* quads, Index begin, Index end, const CrossingVisitor& visit);

/// The stencil of a point in the border of the image; `label` gives voxels inside of it.
template <class Labels>
std::uint8_t borderStencil(const Labels& label, const Box& whole, const Index low[3], int axis)
{
  const int u = axis == 0 ? 1 : 0;
  const int v = axis == 2 ? 1 : 2;
  Index at[3] = { low[0], low[1], low[2] };
  at[axis] = std::clamp(low[axis], whole.lo[axis], whole.hi[axis]);
  const auto value = [&](Index du, Index dv)
  {
    at[u] = low[u] + du;
    at[v] = low[v] + dv;
    return label.at(at[0], at[1], at[2]);
  };
  const auto bit = [](bool differ, int face) { return differ ? 1u << face : 0u; };
  return static_cast<std::uint8_t>(bit(value(0, 0) != value(0, 1), 2 * u) |
    bit(value(1, 0) != value(1, 1), 2 * u + 1) | bit(value(0, 0) != value(1, 0), 2 * v) |
    bit(value(0, 1) != value(1, 1), 2 * v + 1));
}

/// The stencil of the cell (x, y, z) of a grid whose cells have stencils.
template <class Labels>
std::uint8_t jointStencil(const Labels& label, const NetGrid& grid, Index x, Index y, Index z)
{
  const Index low[3] = { grid.voxels.lo[0] + x, grid.voxels.lo[1] + y, grid.voxels.lo[2] + z };
  int outer = 0;
  int axis = 0;
  for (int a = 0; a < 3; ++a)
  {
    if (low[a] < grid.whole.lo[a] || low[a] + 1 > grid.whole.hi[a])
    {
      ++outer;
      axis = a;
    }
  }
  if (outer == 0)
  {
    return grid.stencil[grid.cells.rank(grid.row(y, z), x)];
  }
  return outer == 1 ? borderStencil(label, grid.whole, low, axis) : std::uint8_t{ 0 };
}
} // namespace detail

/// The number of cells around the block whose voxels are not all equal. `labels` on `padded`, which
/// holds the block grown by 1 and clipped to the undivided image.
template <class T>
Index jointPointCount(const T* labels, const Box& padded, const Box& block, const Box& whole)
{
  SurfaceNetOptions options;
  options.iterations = 0;
  detail::checkSurfaceNet(padded, block, whole, options);
  if (block.empty())
  {
    return 0;
  }
  detail::NetGrid grid;
  grid.open(whole, block, 0);
  detail::findEdges(detail::NetLabels<T>(labels, padded, whole, {}), grid);
  grid.findCells();
  return grid.cells.total;
}

/// The part of a block; `labels` on `padded`, which holds the block grown by 1 and clipped to the
/// undivided image.
template <class T>
JointPart<T> jointPart(const T* labels, const Box& padded, const Box& block, const Box& whole)
{
  static_assert(std::is_integral<T>::value, "labels are integers");
  JointPart<T> part;
  SurfaceNetOptions options;
  options.iterations = 0;
  detail::checkSurfaceNet(padded, block, whole, options);
  if (block.empty())
  {
    return part;
  }
  const detail::NetLabels<T> rows(labels, padded, whole, {});
  detail::NetGrid grid;
  grid.open(whole, block, options.iterations);
  detail::findEdges(rows, grid);
  grid.findCells();
  grid.findStencils(true, detail::junctionOf(rows, grid));
  grid.findUsed();
  SurfaceNet<T> net;
  {
    // Points in the centres of their cells, of which nothing but the order is needed.
    grid.smooth(options, Progress());
    detail::makePoints(grid, net);
    detail::makeTriangles(rows, grid, net);
  }
  part.cells.assign(net.cells.begin(), net.cells.end());
  const Index quads = net.triangles.size() / 6;
  part.quads.resize(static_cast<std::size_t>(4 * quads));
  part.labels.resize(static_cast<std::size_t>(2 * quads));
  forRanges(quads, 1 << 14,
    [&](Index begin, Index end)
    {
      for (Index q = begin; q < end; ++q)
      {
        const Index* t = net.triangles.data() + 6 * q;
        const Index corners[4] = { t[0], t[1], t[2], t[5] };
        std::copy_n(corners, 4, part.quads.data() + 4 * q);
        std::copy_n(net.labels.data() + 4 * q, 2, part.labels.data() + 2 * q);
      }
    });
  part.stencils.resize(part.cells.size());
  const Index ny = grid.voxels.dim(1) - 1;
  const Index nz = grid.voxels.dim(2) - 1;
  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index row = grid.row(r % ny, r / ny);
        Index point = grid.used.rank(row, 0);
        for (Index w = 0; w < grid.words; ++w)
        {
          for (Word bits = grid.used.row(row)[w]; bits; bits &= bits - 1, ++point)
          {
            const Index x = 64 * w + lowestOne(bits);
            part.stencils[static_cast<std::size_t>(point)] =
              detail::jointStencil(rows, grid, x, r % ny, r / ny);
          }
        }
      }
    });
  return part;
}

/// Adds the crossings of quads (points counted in `cells`), whose points are `values` away from the
/// centres of their cells, to `rows`. Threads: yes.
template <class T>
void jointCrossings(const CellLattice& lattice, const std::vector<Index>& cells,
  const double* values, const std::vector<Index>& quads, const std::vector<T>& labels,
  JointRows<T>& rows, const Progress& progress = Progress())
{
  rows.collect(
    static_cast<Index>(quads.size() / 4), progress,
    [&](Index begin, Index end, const detail::CrossingVisitor& visit)
    { detail::visitCrossings(lattice, cells.data(), values, quads.data(), begin, end, visit); },
    labels.data());
}

} // namespace segcore

#endif
