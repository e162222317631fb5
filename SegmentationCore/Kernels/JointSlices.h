// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// JointSlices: JointSmoothing slice by slice, for images whose surface does not fit into memory.
///
/// A point after step n + 1 depends on itself and its neighbours after step n, so a slice of points
/// can take step n + 1 as soon as the slice above has taken step n. All steps follow each other
/// through the image, each a slice behind the one before; the last one is as many slices behind the
/// first as there are steps, and only those slices are in memory. Of an image in parts, each part
/// is smoothed with as many voxels around it as there are steps, and one more: points are exact
/// there, so the parts fit. The definition is that of JointSmoothing.h, to the bit.
///
///     JointSlices<T> slices(block, whole, options);
///     while (!slices.next().empty())
///     {
///       slices.add(labels, padded, rows); // padded holds slices.next()
///     }
///
/// Then `rows` has the crossings of the quads of `block`.
///
/// Threads: yes, same result for any number. Cost: points x iterations. Memory: 62 bytes per point
/// and two labels per quad of as many slices as there are steps and some 10 more; a byte per voxel
/// of 10 slices; and `rows`. Bad input (labels that lack voxels, options out of range, 2^31 points
/// or more in a slice): std::invalid_argument.
///
/// Source: M. Wolfe, More iteration space tiling, Supercomputing, 655-664, 1989,
/// doi:10.1145/76263.76337 (steps that follow each other through space).

#ifndef segcoreJointSlices_h
#define segcoreJointSlices_h

#include "JointRows.h"
#include "JointSmoothing.h"

#include <deque>

namespace segcore
{

namespace detail
{

/// A slice of cells: its points, numbered from 1 on by y and x; 0 is a point that never moves.
struct JointSlice
{
  Index count = 0;
  Buffer<std::int32_t> x; ///< In the lattice of cells, by number.
  Buffer<std::int32_t> y;
  Buffer<std::uint8_t> stencils; ///< By number.
  Buffer<std::int32_t> across;   ///< Four by number: the points at -y, +y, -z and +z, or 0.
  /// Three by number, multiples of 2^-20 voxel: after an even and an odd number of steps.
  Buffer<std::int32_t> values[2];
  Buffer<std::int32_t> sums; ///< Three by number, likewise; in the end where the point is.
  /// By number: bit a is set if a quad goes around the edge of the cell from its lowest voxel
  /// along axis a. Quads are counted by point, then axis.
  Buffer<std::uint8_t> quads;
};

/// The slices under way. Slices are numbered by the lower one of their two voxels along z.
class SEGMENTATIONCOREKERNELS_EXPORT JointWindow
{
public:
  JointWindow(const Box& block, const Box& whole, const WindowedSincOptions& options);

  const Box& whole() const { return this->Whole; }
  const Box& block() const { return this->Block; }
  /// All voxels that matter, with those just outside of the image.
  const Box& voxels() const { return this->Voxels; }
  Index steps() const { return static_cast<Index>(this->Done.size()); }

  Index first() const { return this->Voxels.lo[2]; }
  Index last() const { return this->Voxels.hi[2] - 1; }
  /// The next slice that is wanted.
  Index wanted() const { return this->Wanted; }
  JointSlice& slice(Index z) { return this->Slices[static_cast<std::size_t>(z - this->Lowest)]; }
  const JointSlice& slice(Index z) const
  {
    return this->Slices[static_cast<std::size_t>(z - this->Lowest)];
  }

  /// Adds the slices of a grid from wanted() to the end of the grid, which starts one below. Their
  /// stencils are set later, then comes advance().
  void add(const NetGrid& grid);
  /// All steps that can be taken; slices below finished() have their points.
  void advance();
  Index finished() const { return this->Finished; }
  /// The crossings of the quads of points begin .. end - 1 of slice z; `quad` is the number of the
  /// first of them.
  void visitCrossings(
    Index z, Index begin, Index end, Index quad, const CrossingVisitor& visit) const;
  /// Forgets the slices below z.
  void dropBelow(Index z);
  /// How much of all steps has been taken, 0 to 1.
  double fraction() const;

private:
  void take(Index number, Index begin, Index end);

  Box Whole;
  Box Block;
  Box Voxels;
  CellLattice Lattice;
  std::vector<double> Factors;
  std::vector<Index> Done; ///< By step: the next slice that takes it.
  std::deque<JointSlice> Slices;
  Index Lowest;
  Index Wanted;
  Index Finished;
};

} // namespace detail

template <class T>
class JointSlices
{
public:
  /// The crossings of the quads that `block` owns.
  JointSlices(const Box& block, const Box& whole, const WindowedSincOptions& options)
    : Window(block, whole, options)
  {
    static_assert(std::is_integral<T>::value, "labels are integers");
  }

  /// How often add() is called.
  static Index turns(const Box& block, const Box& whole, const WindowedSincOptions& options)
  {
    const detail::JointWindow window(block, whole, options);
    return block.empty() ? 0 : (window.last() - window.first()) / Thickness + 1;
  }

  /// The voxels that the next add() wants; without voxels after the last.
  Box next() const
  {
    const Box box = this->slab();
    return box.empty() ? box : box.clipped(this->Window.whole());
  }

  /// The next slices; `labels` on `padded`, which holds next().
  void add(const T* labels, const Box& padded, JointRows<T>& rows)
  {
    const Box slab = this->slab();
    if (slab.empty() || !padded.contains(this->next()))
    {
      throw std::invalid_argument("segcore::JointSlices: the padded box lacks voxels");
    }
    const Index first = this->Window.wanted();
    {
      const detail::NetLabels<T> all(labels, padded, this->Window.whole(), {});
      detail::NetGrid grid;
      grid.openVoxels(this->Window.whole(), this->Window.block(), slab);
      detail::findEdges(all, grid);
      grid.findCells();
      grid.findStencils(true, detail::junctionOf(all, grid));
      this->Window.add(grid);
      this->setStencils(all, grid, first);
      this->setQuads(all, grid, first);
    }
    this->Window.advance();
    this->cross(rows);
  }

  double fraction() const { return this->Window.fraction(); }

private:
  static constexpr Index Thickness = 8;

  /// The voxels of the next slices of cells, and of one slice below them whose points they meet.
  Box slab() const
  {
    Box box = this->Window.voxels();
    box.lo[2] = std::max(this->Window.first(), this->Window.wanted() - 1);
    box.hi[2] = std::min(this->Window.wanted() + Thickness, this->Window.voxels().hi[2]);
    return this->Window.block().empty() || this->Window.wanted() > this->Window.last() ? Box()
                                                                                       : box;
  }

  /// Stencils of the slices from `first` on. Points at the edge of what is known lose the
  /// neighbours that are not; they are too far away to matter.
  template <class Labels>
  void setStencils(const Labels& all, const detail::NetGrid& grid, Index first)
  {
    const Index nx = grid.voxels.dim(0) - 1;
    const Index ny = grid.voxels.dim(1) - 1;
    const Index below = first - grid.voxels.lo[2];
    const Index nz = grid.voxels.dim(2) - 1 - below;
    forRanges(ny * nz, 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const Index y = r % ny;
          const Index z = below + r / ny;
          const Index row = grid.row(y, z);
          const Index globalZ = grid.voxels.lo[2] + z;
          detail::JointSlice& slice = this->Window.slice(globalZ);
          Index point = 1 + grid.cells.rank(row, 0) - grid.cells.rank(grid.row(0, z), 0);
          unsigned inside = (y > 0 ? 4u : 0u) | (y + 1 < ny ? 8u : 0u);
          inside |= (globalZ > this->Window.first() ? 16u : 0u);
          inside |= (globalZ < this->Window.last() ? 32u : 0u);
          for (Index w = 0; w < grid.words; ++w)
          {
            for (Word bits = grid.cells.row(row)[w]; bits; bits &= bits - 1, ++point)
            {
              const Index x = 64 * w + lowestOne(bits);
              const unsigned along = (x > 0 ? 1u : 0u) | (x + 1 < nx ? 2u : 0u);
              slice.stencils[point] = static_cast<std::uint8_t>(
                detail::jointStencil(all, grid, x, y, z) & (inside | along));
            }
          }
        }
      });
  }

  /// Quads of the slices from `first` on, in the order of their voxels.
  template <class Labels>
  void setQuads(const Labels& all, const detail::NetGrid& grid, Index first)
  {
    const Index below = first - grid.voxels.lo[2];
    for (Index z = below; z + 1 < grid.voxels.dim(2); ++z)
    {
      this->Sides.emplace_back();
      this->setQuads(all, grid, z, this->Window.slice(grid.voxels.lo[2] + z), this->Sides.back());
    }
  }

  template <class Labels>
  void setQuads(const Labels& all, const detail::NetGrid& grid, Index z, detail::JointSlice& slice,
    Buffer<T>& sides) const
  {
    const Index nx = grid.voxels.dim(0);
    const Index ny = grid.voxels.dim(1) - 1;
    std::vector<Index> firstQuad(static_cast<std::size_t>(ny) + 1, 0);
    forRanges(ny, 64,
      [&](Index begin, Index end)
      {
        for (Index y = begin; y < end; ++y)
        {
          Index count = 0;
          for (int axis = 0; axis < 3; ++axis)
          {
            for (Index w = 0; w < grid.words; ++w)
            {
              const Word bits = grid.owned(axis, y, z, w);
              count += bits ? countOnes(bits) : 0;
            }
          }
          firstQuad[static_cast<std::size_t>(y) + 1] = count;
        }
      });
    for (std::size_t y = 1; y < firstQuad.size(); ++y)
    {
      firstQuad[y] += firstQuad[y - 1];
    }
    sides = Buffer<T>(2 * firstQuad.back());
    const Index here = grid.cells.rank(grid.row(0, z), 0);
    forRanges(ny, 64,
      [&](Index begin, Index end)
      {
        std::vector<T> rows(static_cast<std::size_t>(3 * nx));
        T* const lowest = rows.data();
        T* const upper[3] = { lowest + 1, lowest + nx, lowest + 2 * nx };
        for (Index y = begin; y < end; ++y)
        {
          Index quad = firstQuad[static_cast<std::size_t>(y)];
          if (quad == firstQuad[static_cast<std::size_t>(y) + 1])
          {
            continue;
          }
          const Index globalY = grid.voxels.lo[1] + y;
          const Index globalZ = grid.voxels.lo[2] + z;
          all.row(grid.voxels.lo[0], nx, globalY, globalZ, lowest);
          all.row(grid.voxels.lo[0], nx, globalY + 1, globalZ, upper[1]);
          all.row(grid.voxels.lo[0], nx, globalY, globalZ + 1, upper[2]);
          for (Index w = 0; w < grid.words; ++w)
          {
            const Word edges[3] = { grid.owned(0, y, z, w), grid.owned(1, y, z, w),
              grid.owned(2, y, z, w) };
            for (Word bits = edges[0] | edges[1] | edges[2]; bits; bits &= bits - 1)
            {
              const Index bit = lowestOne(bits);
              const Index x = 64 * w + bit;
              unsigned which = 0;
              for (unsigned axis = 0; axis < 3; ++axis)
              {
                if ((edges[axis] >> bit) & 1)
                {
                  which |= 1u << axis;
                  sides[2 * quad] = lowest[x];
                  sides[2 * quad + 1] = upper[axis][x];
                  ++quad;
                }
              }
              slice.quads[1 + grid.cells.rank(grid.row(y, z), x) - here] =
                static_cast<std::uint8_t>(which);
            }
          }
        }
      });
  }

  /// The crossings of the slices that have their points.
  void cross(JointRows<T>& rows)
  {
    const Index first = this->Crossed + this->Window.first();
    for (Index z = first; z < this->Window.finished(); ++z, ++this->Crossed)
    {
      const Buffer<T>& sides = this->Sides.front();
      const detail::JointSlice& slice = this->Window.slice(z);
      // The number of the first quad of each range.
      std::vector<Index> firstQuad(1, 0);
      for (Index begin = 1; begin <= slice.count; begin += JointRows<T>::Grain)
      {
        Index count = 0;
        for (Index p = begin; p < std::min(begin + JointRows<T>::Grain, slice.count + 1); ++p)
        {
          count += countOnes(slice.quads[p]);
        }
        firstQuad.push_back(firstQuad.back() + count);
      }
      rows.collect(
        sides.empty() ? 0 : slice.count, Progress(),
        [&](Index begin, Index end, const detail::CrossingVisitor& visit)
        {
          this->Window.visitCrossings(z, begin + 1, end + 1,
            firstQuad[static_cast<std::size_t>(begin / JointRows<T>::Grain)], visit);
        },
        sides.data());
      this->Sides.pop_front();
      this->Window.dropBelow(z);
    }
    // Surfaces seldom reach far, so these will hardly grow.
    constexpr Index Far = 8;
    const Index origin = this->Window.whole().lo[2];
    rows.shrink(first - Far - origin, this->Window.finished() - Far - origin);
  }

  detail::JointWindow Window;
  std::deque<Buffer<T>> Sides; ///< Two labels per quad, of the slices that are not crossed yet.
  Index Crossed = 0;
};

} // namespace segcore

#endif
