// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SurfaceNets: smooth triangle surfaces between the labels of one block of an image, all labels at
/// once.
///
/// Input: labels of any integer type on `padded`, which must hold `block` grown by surfaceNetHalo()
/// and clipped to `whole`, the extent of the undivided image. Outside of `whole` is background (0),
/// so surfaces close at the border of the volume. Labels that are not chosen count as background.
///
/// Output: a net with one point per cell of 2 x 2 x 2 voxels that are not all equal, moved to
/// smooth the surface but never out of its cell; and two triangles for every pair of face
/// neighbours with different labels. Points are in index coordinates (voxel centres at integers);
/// each carries the number of its cell in the lattice of (dim + 1)^3 cells of `whole`, x fastest,
/// the same for every block: points of blocks are merged by it, and are bitwise equal. Each
/// triangle carries two labels, inside and outside; its normal (right-hand rule, in index
/// coordinates) points from the inside label to the outside one. Inside is the label that is not 0,
/// and the smaller of two that are not. extractLabel() gives the surface of one label, normals
/// outward. If the directions of the image are left-handed, the caller flips them.
///
/// Closed means: over all blocks together, every directed edge of the surface of a label occurs as
/// often as its reverse. Where voxels of a label touch at an edge or corner only, the surface meets
/// itself in one point or edge of the cell, which then has four or more triangles (not manifold,
/// still closed).
///
/// Smoothing: each point moves towards the mean of the points of those face-adjacent cells whose
/// shared face has different labels, `iterations` times, all at once (Jacobi), and is clamped to
/// `constraint` voxels from the centre of its cell along each axis. Where three or more labels meet
/// (two or more faces of the cell show three labels), only neighbours along that junction count, so
/// that it stays sharp. Offsets are kept as multiples of 2^-16 voxel, the sums are exact and
/// rounded once per step.
///
/// Blocks: a quad belongs to the block that owns the lower of its two voxels, or the upper one
/// where the lower is outside `whole`. A quad is cut along its shorter diagonal, ties along the one
/// from its lowest cell. So the triangles of all blocks together are those of the undivided image,
/// bit for bit. Order: points by cell; triangles by voxel, then axis. Threads: yes, same result for
/// any number. Cost: about linear in voxels (bit operations) plus points x iterations. Scratch: 7/8
/// byte per voxel and 41 bytes per point. Result: 32 bytes per point, 24 + 2 labels per triangle.
/// Bad input (padded too small, options out of range): std::invalid_argument.
/// Sources: Gibson, MICCAI 1998, doi:10.1007/BFb0056277; Frisken, J. Computer Graphics Techniques
/// 11(1), 2022, https://jcgt.org/published/0011/01/03/ (several labels, junctions). Ours:
/// fixed-point offsets, one shared net for all labels, ownership across blocks.

#ifndef segcoreSurfaceNets_h
#define segcoreSurfaceNets_h

#include "Buffer.h"
#include "PackBits.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threads.h"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace segcore
{

struct SurfaceNetOptions
{
  int iterations = 12;     ///< Smoothing steps; 0 leaves the points in the cell centres.
  double relaxation = 0.5; ///< Part of the way to the mean per step, above 0, at most 1.
  double constraint =
    0.5; ///< Largest distance from the cell centre along an axis, voxels, 0 to 0.5.
  bool keepJunctions = true; ///< Points where three labels meet move along the junction only.
};

/// Voxels around a block that its surface depends on.
inline Index surfaceNetHalo(int iterations)
{
  return std::max(1, iterations);
}

template <class T>
struct SurfaceNet
{
  Buffer<double> points;   ///< x, y, z in index coordinates.
  Buffer<Index> cells;     ///< Global cell of each point, ascending.
  Buffer<Index> triangles; ///< Three points each, counted in this net.
  Buffer<T> labels;        ///< Inside and outside label of each triangle.
};

/// The surface of one label.
template <class T>
struct LabelSurface
{
  T label{};
  std::vector<double> points;
  std::vector<Index> cells;
  std::vector<Index> triangles;
};

namespace detail
{

/// Bits on the rows of a grid, and the number of ones before each word.
struct RankedBits
{
  Buffer<Word> bits;
  Buffer<Index> before;
  Index words = 0; // per row
  Index total = 0;

  const Word* row(Index r) const { return this->bits.data() + r * this->words; }
  /// Number of ones before bit x of row r.
  Index rank(Index r, Index x) const
  {
    const Index w = r * this->words + (x >> 6);
    return this->before[w] + countOnes(this->bits[w] & lowBits(x & 63));
  }
};

/// The bit planes of a net. Grid coordinates start at the low corner of `voxels`; the cell (x, y,
/// z) has the voxels x .. x + 1 and so on; edge (axis, x, y, z) leads from that voxel to the next
/// along the axis.
struct SEGMENTATIONCOREKERNELS_EXPORT NetGrid
{
  Box whole;
  Box block;
  Box voxels; ///< All voxels looked at; reaches one voxel outside of `whole` at its border.
  Index words = 0;
  Buffer<Word> edges[3]; ///< Labels differ along the edge.
  RankedBits cells;      ///< Cells with different labels.
  RankedBits used;       ///< Cells that triangles of this block need.
  Buffer<std::uint8_t>
    stencil; ///< Per cell: which neighbours it is smoothed with (-x +x -y +y -z +z).
  Buffer<std::int16_t> offsets; ///< See offset().

  /// `junction(x, y, z, axis)`: does the face of four voxels at grid voxel (x, y, z), across
  /// `axis`, show three or more labels? Asked only where all four neighbouring pairs differ.
  using Junction = std::function<bool(Index, Index, Index, int)>;

  void open(const Box& whole, const Box& block, int iterations);
  /// The same with the voxels to look at, which reach no further than one outside of `whole`.
  void openVoxels(const Box& whole, const Box& block, const Box& voxels);
  Index row(Index y, Index z) const { return y + this->voxels.dim(1) * z; }
  void findCells();
  void findStencils(bool keepJunctions, const Junction& junction);
  void smooth(const SurfaceNetOptions& options, const Progress& progress);
  void findUsed();
  /// x, y, z of the point of a cell from its centre, in 2^-16 voxels, and a 0.
  const std::int16_t* offset(Index cell) const { return this->offsets.data() + 4 * (cell + 1); }
  /// Word w of the edges of a row that belong to this block.
  Word owned(int axis, Index y, Index z, Index w) const;

private:
  Word cellWord(bool ownedOnly, Index y, Index z, Index w) const;
  void rankCells(RankedBits& result, bool ownedOnly) const;
};

SEGMENTATIONCOREKERNELS_EXPORT void checkSurfaceNet(
  const Box& padded, const Box& block, const Box& whole, const SurfaceNetOptions& options);

/// Rows of labels, with background for labels that are not chosen and for voxels outside of the
/// image.
template <class T>
class NetLabels
{
public:
  using Value = T;

  NetLabels(const T* labels, const Box& padded, const Box& whole, std::vector<T> chosen)
    : Labels_(labels)
    , Padded_(padded)
    , Inside_(padded.intersect(whole))
    , Chosen_(std::move(chosen))
    , All_(Chosen_.empty())
  {
    std::sort(this->Chosen_.begin(), this->Chosen_.end());
  }

  T at(Index x, Index y, Index z) const
  {
    return this->Inside_.contains(x, y, z)
      ? this->mapped(this->Labels_[this->Padded_.offset(x, y, z)])
      : T(0);
  }

  /// Labels of the voxels x0 .. x0 + n - 1 of a row.
  void row(Index x0, Index n, Index y, Index z, T* to) const
  {
    const Index first = std::max(x0, this->Inside_.lo[0]);
    const Index last = std::min(x0 + n - 1, this->Inside_.hi[0]);
    if (first > last || !this->Inside_.contains(first, y, z))
    {
      std::fill(to, to + n, T(0));
      return;
    }
    std::fill(to, to + (first - x0), T(0));
    const T* from = this->Labels_ + this->Padded_.offset(first, y, z);
    T* inside = to + (first - x0);
    const Index count = last - first + 1;
    if (this->All_)
    {
      std::copy(from, from + count, inside);
    }
    else
    {
      T before = T(0);
      T mappedBefore = T(0);
      for (Index i = 0; i < count; ++i)
      {
        if (from[i] != before) // long runs of the same label are the rule
        {
          before = from[i];
          mappedBefore = this->mapped(before);
        }
        inside[i] = mappedBefore;
      }
    }
    std::fill(to + (last - x0 + 1), to + n, T(0));
  }

private:
  T mapped(T label) const
  {
    return this->All_ || std::binary_search(this->Chosen_.begin(), this->Chosen_.end(), label)
      ? label
      : T(0);
  }

  const T* Labels_;
  Box Padded_;
  Box Inside_;
  std::vector<T> Chosen_;
  bool All_;
};

/// Sets the edge planes. `Rows` gives rows of its `Value`s as NetLabels does.
template <class Rows>
void findEdges(const Rows& labels, NetGrid& grid)
{
  using T = typename Rows::Value;
  const Box& v = grid.voxels;
  const Index nx = v.dim(0);
  const Index ny = v.dim(1);
  const Index nz = v.dim(2);
  forRanges(nz, 1,
    [&](Index begin, Index end)
    {
      std::vector<T> rows(static_cast<std::size_t>(3 * nx));
      T* now = rows.data();
      T* next = now + nx;
      T* above = next + nx;
      for (Index z = begin; z < end; ++z)
      {
        labels.row(v.lo[0], nx, v.lo[1], v.lo[2] + z, now);
        for (Index y = 0; y < ny; ++y)
        {
          const Index to = grid.row(y, z) * grid.words;
          // The last edge of every axis leads out of the grid and is left unset.
          grid.edges[0][to + grid.words - 1] = 0;
          packWhere(
            nx - 1, grid.edges[0].data() + to, [now](Index i) { return now[i] != now[i + 1]; });
          if (y + 1 < ny)
          {
            labels.row(v.lo[0], nx, v.lo[1] + y + 1, v.lo[2] + z, next);
          }
          const T* other = y + 1 < ny ? next : now;
          packWhere(
            nx, grid.edges[1].data() + to, [now, other](Index i) { return now[i] != other[i]; });
          if (z + 1 < nz)
          {
            labels.row(v.lo[0], nx, v.lo[1] + y, v.lo[2] + z + 1, above);
          }
          other = z + 1 < nz ? above : now;
          packWhere(
            nx, grid.edges[2].data() + to, [now, other](Index i) { return now[i] != other[i]; });
          std::swap(now, next);
        }
      }
    });
}

template <class T>
void makePoints(const NetGrid& grid, SurfaceNet<T>& net)
{
  const Index ny = grid.voxels.dim(1) - 1;
  const Index nz = grid.voxels.dim(2) - 1;
  net.points = Buffer<double>(3 * grid.used.total);
  net.cells = Buffer<Index>(grid.used.total);
  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = r % ny;
        const Index z = r / ny;
        const Index row = grid.row(y, z);
        const Index corner[3] = { grid.voxels.lo[0], grid.voxels.lo[1] + y, grid.voxels.lo[2] + z };
        const Index firstCell = corner[0] - grid.whole.lo[0] + 1 +
          (grid.whole.dim(0) + 1) *
            (corner[1] - grid.whole.lo[1] + 1 +
              (grid.whole.dim(1) + 1) * (corner[2] - grid.whole.lo[2] + 1));
        Index point = grid.used.rank(row, 0);
        for (Index w = 0; w < grid.words; ++w)
        {
          for (Word bits = grid.used.row(row)[w]; bits; bits &= bits - 1, ++point)
          {
            const Index x = 64 * w + lowestOne(bits);
            const std::int16_t* offset = grid.offset(grid.cells.rank(row, x));
            net.cells[point] = firstCell + x;
            for (int a = 0; a < 3; ++a)
            {
              net.points[3 * point + a] =
                static_cast<double>(corner[a] + (a == 0 ? x : 0)) + 0.5 + offset[a] / 65536.0;
            }
          }
        }
      }
    });
}

template <class T>
void makeTriangles(const NetLabels<T>& labels, const NetGrid& grid, SurfaceNet<T>& net)
{
  const Index nx = grid.voxels.dim(0);
  const Index ny = grid.voxels.dim(1) - 1;
  const Index nz = grid.voxels.dim(2) - 1;
  std::vector<Index> firstQuad(static_cast<std::size_t>(ny * nz) + 1, 0);
  forRanges(ny * nz, 256,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        Index count = 0;
        for (int axis = 0; axis < 3; ++axis)
        {
          for (Index w = 0; w < grid.words; ++w)
          {
            const Word bits = grid.owned(axis, r % ny, r / ny, w);
            count += bits ? countOnes(bits) : 0;
          }
        }
        firstQuad[static_cast<std::size_t>(r) + 1] = count;
      }
    });
  for (std::size_t r = 1; r < firstQuad.size(); ++r)
  {
    firstQuad[r] += firstQuad[r - 1];
  }
  net.triangles = Buffer<Index>(6 * firstQuad.back());
  net.labels = Buffer<T>(4 * firstQuad.back());

  forRanges(ny * nz, 64,
    [&](Index begin, Index end)
    {
      std::vector<T> rows(static_cast<std::size_t>(2 * nx));
      for (Index r = begin; r < end; ++r)
      {
        Index quad = firstQuad[static_cast<std::size_t>(r)];
        if (quad == firstQuad[static_cast<std::size_t>(r) + 1])
        {
          continue;
        }
        const Index y = r % ny;
        const Index z = r / ny;
        const Index globalY = grid.voxels.lo[1] + y;
        const Index globalZ = grid.voxels.lo[2] + z;
        T* lower = rows.data();
        T* upper = lower + nx;
        labels.row(grid.voxels.lo[0], nx, globalY, globalZ, lower);
        for (int axis = 0; axis < 3; ++axis)
        {
          if (axis > 0)
          {
            labels.row(grid.voxels.lo[0], nx, globalY + (axis == 1), globalZ + (axis == 2), upper);
          }
          for (Index w = 0; w < grid.words; ++w)
          {
            for (Word bits = grid.owned(axis, y, z, w); bits; bits &= bits - 1, ++quad)
            {
              const Index x = 64 * w + lowestOne(bits);
              // The four cells around the edge, seen from its upper end counter-clockwise, lowest
              // first.
              const Index ax = axis == 0 ? 0 : 1; // does the cell below differ in x, y, z?
              const Index ay = axis == 1 ? 0 : 1;
              const Index az = axis == 2 ? 0 : 1;
              Index p[4];
              p[0] = grid.used.rank(grid.row(y - ay, z - az), x - ax);
              p[2] = grid.used.rank(grid.row(y, z), x);
              if (axis == 0) // (y, z)
              {
                p[1] = grid.used.rank(grid.row(y, z - 1), x);
                p[3] = grid.used.rank(grid.row(y - 1, z), x);
              }
              else if (axis == 1) // (z, x)
              {
                p[1] = grid.used.rank(grid.row(y, z), x - 1);
                p[3] = grid.used.rank(grid.row(y, z - 1), x);
              }
              else // (x, y)
              {
                p[1] = grid.used.rank(grid.row(y - 1, z), x);
                p[3] = grid.used.rank(grid.row(y, z), x - 1);
              }
              const T below = lower[x];
              const T above = axis == 0 ? lower[x + 1] : upper[x];
              const bool belowInside = above == T(0) || (below != T(0) && below < above);

              // Coordinates are multiples of 2^-16 and differ by less than 2: squares are exact.
              double d02 = 0.0;
              double d13 = 0.0;
              for (int a = 0; a < 3; ++a)
              {
                const double u = net.points[3 * p[0] + a] - net.points[3 * p[2] + a];
                const double v = net.points[3 * p[1] + a] - net.points[3 * p[3] + a];
                d02 += u * u;
                d13 += v * v;
              }
              if (!belowInside)
              {
                std::swap(p[1], p[3]); // keeps the diagonals
              }
              Index* t = net.triangles.data() + 6 * quad;
              const Index s = d13 < d02 ? 1 : 0; // the cut leads from p[s] to p[s + 2]
              t[0] = p[s];
              t[1] = p[s + 1];
              t[2] = p[s + 2];
              t[3] = p[s];
              t[4] = p[s + 2];
              t[5] = p[(s + 3) % 4];
              T* l = net.labels.data() + 4 * quad;
              l[0] = l[2] = belowInside ? below : above;
              l[1] = l[3] = belowInside ? above : below;
            }
          }
        }
      }
    });
}

/// See NetGrid::Junction.
template <class T>
NetGrid::Junction junctionOf(const NetLabels<T>& rows, const NetGrid& grid)
{
  return [&rows, &grid](Index x, Index y, Index z, int axis)
  {
    const Index gx = grid.voxels.lo[0] + x;
    const Index gy = grid.voxels.lo[1] + y;
    const Index gz = grid.voxels.lo[2] + z;
    const Index ux = axis == 0 ? 0 : 1; // first direction of the face, then the other
    const Index uy = axis == 0 ? 1 : 0;
    const Index vy = axis == 2 ? 1 : 0;
    const Index vz = axis == 2 ? 0 : 1;
    return rows.at(gx, gy, gz) != rows.at(gx + ux, gy + uy + vy, gz + vz) ||
      rows.at(gx + ux, gy + uy, gz) != rows.at(gx, gy + vy, gz + vz);
  };
}

} // namespace detail

/// The surfaces between all labels (`chosen` empty) or between the chosen labels and the rest as
/// background. `labels` points to the first voxel of `padded`.
template <class T>
SurfaceNet<T> surfaceNet(const T* labels, const Box& padded, const Box& block, const Box& whole,
  const SurfaceNetOptions& options = SurfaceNetOptions(), const std::vector<T>& chosen = {},
  const Progress& progress = Progress())
{
  static_assert(std::is_integral<T>::value, "labels are integers");
  SurfaceNet<T> net;
  detail::checkSurfaceNet(padded, block, whole, options);
  if (block.empty())
  {
    return net;
  }
  progress.step(0.0);
  const detail::NetLabels<T> rows(labels, padded, whole, chosen);
  detail::NetGrid grid;
  grid.open(whole, block, options.iterations);
  detail::findEdges(rows, grid);
  progress.step(0.2);
  grid.findCells();
  if (options.iterations > 0)
  {
    grid.findStencils(options.keepJunctions, detail::junctionOf(rows, grid));
  }
  grid.smooth(options, progress.part(0.3, 0.7));
  grid.findUsed();
  detail::makePoints(grid, net);
  progress.step(0.8);
  detail::makeTriangles(rows, grid, net);
  progress.step(1.0);
  return net;
}

/// The part of a net that bounds one label, normals outward; points keep their order.
template <class T>
LabelSurface<T> extractLabel(const SurfaceNet<T>& net, T label)
{
  LabelSurface<T> surface;
  surface.label = label;
  std::vector<Index> number(static_cast<std::size_t>(net.cells.size()), -1);
  const Index count = net.labels.size() / 2;
  Index kept = 0;
  for (Index t = 0; t < count; ++t)
  {
    if (net.labels[2 * t] == label || net.labels[2 * t + 1] == label)
    {
      ++kept;
      for (Index c = 0; c < 3; ++c)
      {
        number[static_cast<std::size_t>(net.triangles[3 * t + c])] = 0;
      }
    }
  }
  for (std::size_t i = 0; i < number.size(); ++i)
  {
    if (number[i] == 0)
    {
      number[i] = static_cast<Index>(surface.cells.size());
      surface.cells.push_back(net.cells[static_cast<Index>(i)]);
      const double* point = net.points.data() + 3 * i;
      surface.points.insert(surface.points.end(), point, point + 3);
    }
  }
  surface.triangles.reserve(static_cast<std::size_t>(3 * kept));
  for (Index t = 0; t < count; ++t)
  {
    const bool inside = net.labels[2 * t] == label;
    if (inside || net.labels[2 * t + 1] == label)
    {
      const Index* p = net.triangles.data() + 3 * t;
      surface.triangles.push_back(number[static_cast<std::size_t>(p[0])]);
      surface.triangles.push_back(number[static_cast<std::size_t>(p[inside ? 1 : 2])]);
      surface.triangles.push_back(number[static_cast<std::size_t>(p[inside ? 2 : 1])]);
    }
  }
  return surface;
}

} // namespace segcore

#endif
