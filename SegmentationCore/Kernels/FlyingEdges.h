// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// FlyingEdges: closed triangle surfaces of labels, all in one pass over the image, and of a volume
/// at a value.
///
/// labelSurfaces(): the surface of each label between its voxels and all others, halfway between
/// voxel centres. isoSurface(): the surface around the voxels that are not below a value, at the
/// linearly interpolated place. Beyond the image is background, so surfaces close at its border.
///
/// Each edge of the voxel lattice that the surface crosses has one point; where two labels meet
/// both have triangles on the same points, in opposite orientation. In a cell of 2 x 2 x 2 voxels
/// every label has its own triangles, so where three labels or more share a cell, their surfaces
/// may leave small gaps inside that cell.
///
/// Each surface is closed and, in its connectivity, a manifold: every directed edge of its
/// triangles occurs once, and so does its reverse. Voxels of a label that touch at an edge or
/// corner only are apart (object 6-connected, as in VTK); in cells where the label has all but two
/// voxels, opposite in the body, the object is connected. The 256 cases of a cell are made by a
/// rule, not typed: on each face of the cell, walk around it; the surface cuts off every run of
/// inside corners by itself. That is decided by the face alone, so neighbours agree. The segments
/// form loops; each loop is cut into triangles by diagonals that do not lie in a face, since the
/// neighbour could have the same one.
///
/// Order: labels as asked for; triangles by cell (x fastest); points by the voxel row in which
/// their edge starts, then axis, then x. Coordinates are indices (voxel centres at integers) in
/// single precision. Threads: yes, same result for any number. Cost: about linear in voxels (bit
/// operations) plus triangles. Scratch: about one byte per voxel. Result: 12 bytes per point, 24
/// per triangle. Bad input (an empty or wrong list of labels): std::invalid_argument.
///
/// Sources: Lorensen, Cline, SIGGRAPH 1987, doi:10.1145/37401.37422 (cells and cases); Nielson,
/// Hamann, IEEE Visualization 1991, doi:10.1109/VISUAL.1991.175782 (ambiguous faces); Schroeder,
/// Maynard, Geveci, LDAV 2015, doi:10.1109/LDAV.2015.7348069 (rows, counting before writing). Ours:
/// bit planes in place of edge tables, the triangulation rule, several labels in one pass.

#ifndef segcoreFlyingEdges_h
#define segcoreFlyingEdges_h

#include "LabelMesh.h"
#include "SegmentationCoreKernelsModule.h"
#include "SurfaceNets.h"

#include <array>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace segcore
{

/// The triangles of a cell by which of its corners are inside. Corner c has the voxel x + (c & 1),
/// y + (c >> 1 & 1), z + (c >> 2). Edges 0-3 lead along x, from corner (y, z) = (e & 1, e >> 1);
/// 4-7 along y, from (x, z); 8-11 along z, from (x, y).
struct CubeCases
{
  static constexpr int MostTriangles = 5;
  std::array<std::uint8_t, 256> count{}; ///< Triangles.
  std::array<std::array<std::uint8_t, 3 * MostTriangles>, 256> edges{};
  std::array<std::array<std::uint8_t, MostTriangles>, 256> cuts{}; ///< See PolygonMesh.
};

/// The one table, made at the first call.
SEGMENTATIONCOREKERNELS_EXPORT const CubeCases& cubeCases();

namespace detail
{

/// Numbers of the points on the crossed edges of a NetGrid.
struct SEGMENTATIONCOREKERNELS_EXPORT EdgePoints
{
  Buffer<Index> before[3]; ///< Number of the first point of a word.
  Index total = 0;

  void count(const NetGrid& grid);
};

/// The numbers of the points of one cell, by edge.
class CellPoints
{
public:
  CellPoints(const NetGrid& grid, const EdgePoints& points) : Grid_(grid), Points_(points) {}

  /// The cells of row (y, z), word w.
  void open(Index y, Index z, Index w)
  {
    for (int r = 0; r < 4; ++r)
    {
      const Index word = this->Grid_.row(y + (r & 1), z + (r >> 1)) * this->Grid_.words + w;
      this->set(0, r, word);
      if (r < 2)
      {
        this->set(1, r, this->Grid_.row(y, z + r) * this->Grid_.words + w);
        this->set(2, r, this->Grid_.row(y + r, z) * this->Grid_.words + w);
      }
    }
  }

  /// The cell of that bit of the word.
  void find(Index bit, Index* points) const
  {
    const Word below = lowBits(bit);
    for (int r = 0; r < 4; ++r)
    {
      points[r] = this->First_[0][r] + countOnes(this->Bits_[0][r] & below);
    }
    for (int axis = 1; axis < 3; ++axis)
    {
      for (int r = 0; r < 2; ++r)
      {
        const Word bits = this->Bits_[axis][r];
        const Index here = this->First_[axis][r] + countOnes(bits & below);
        const Index next = here + static_cast<Index>((bits >> bit) & 1u);
        points[4 * axis + 2 * r] = here;
        // The next edge may be in the next word, but then it is the first there and the last one
        // here is the one before, so that the numbers follow each other all the same.
        points[4 * axis + 2 * r + 1] = next;
      }
    }
  }

private:
  void set(int axis, int r, Index word)
  {
    this->Bits_[axis][r] = this->Grid_.edges[axis][word];
    this->First_[axis][r] = this->Points_.before[axis][word];
  }

  const NetGrid& Grid_;
  const EdgePoints& Points_;
  Word Bits_[3][4] = {};
  Index First_[3][4] = {};
};

/// Position of a label in a list.
template <class T>
class LabelNumbers
{
public:
  explicit LabelNumbers(const std::vector<T>& labels)
  {
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
      this->Sorted_.push_back({ labels[i], static_cast<Index>(i) });
    }
    std::sort(this->Sorted_.begin(), this->Sorted_.end());
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
      if (this->Sorted_[i].first == T(0) || (i > 0 && !(this->Sorted_[i - 1] < this->Sorted_[i])) ||
        (i > 0 && this->Sorted_[i - 1].first == this->Sorted_[i].first))
      {
        throw std::invalid_argument(
          "segcore::labelSurfaces: labels must not be 0 and must not occur twice");
      }
    }
  }

  /// The label must be in the list.
  Index operator()(T label) const
  {
    return std::lower_bound(
      this->Sorted_.begin(), this->Sorted_.end(), std::make_pair(label, Index{ 0 }))
      ->second;
  }

private:
  std::vector<std::pair<T, Index>> Sorted_;
};

/// Calls found(label, case, points) for each label with a surface in each cell of a row; `points`
/// is null while only counting. `rows` holds four rows of values: (y, z), (y + 1, z), (y, z + 1),
/// (y + 1, z + 1).
template <class T, class Found>
void visitCells(const NetGrid& grid, const EdgePoints* numbers, const T* const rows[4], Index y,
  Index z, const Found& found)
{
  const EdgePoints none{};
  CellPoints cell(grid, numbers ? *numbers : none);
  Index points[12];
  const Index row = grid.row(y, z);
  for (Index w = 0; w < grid.words; ++w)
  {
    Word active = grid.cells.row(row)[w];
    if (active && numbers)
    {
      cell.open(y, z, w);
    }
    for (; active; active &= active - 1)
    {
      const Index bit = lowestOne(active);
      const Index x = 64 * w + bit;
      T corner[8];
      for (int r = 0; r < 4; ++r)
      {
        corner[2 * r] = rows[r][x];
        corner[2 * r + 1] = rows[r][x + 1];
      }
      if (numbers)
      {
        cell.find(bit, points);
      }
      unsigned todo = 0xffu;
      while (todo)
      {
        const T label = corner[lowestOne(todo)];
        unsigned inside = 0;
        for (unsigned c = 0; c < 8; ++c)
        {
          inside |= static_cast<unsigned>(corner[c] == label) << c;
        }
        todo &= ~inside;
        if (label != T(0))
        {
          found(label, inside, points);
        }
      }
    }
  }
}

/// Runs visit(slab, rows, y, z) over the rows with cells, in `slabs` slabs of slices.
template <class Rows, class Visit>
void visitRows(const Rows& source, const NetGrid& grid, Index slabs, const Visit& visit)
{
  using T = typename Rows::Value;
  const Box& v = grid.voxels;
  const Index nx = v.dim(0);
  const Index ny = v.dim(1) - 1;
  const Index nz = v.dim(2) - 1;
  forRanges(slabs, 1,
    [&](Index slab, Index)
    {
      Buffer<T> memory(4 * nx);
      const T* rows[4];
      for (Index z = chunkBegin(nz, slabs, slab); z < chunkBegin(nz, slabs, slab + 1); ++z)
      {
        Index loaded = -1; // row y that is in the upper pair
        T* pairs[2] = { memory.data(), memory.data() + 2 * nx };
        for (Index y = 0; y < ny; ++y)
        {
          const Index row = grid.row(y, z);
          const Word* words = grid.cells.row(row);
          if (std::all_of(words, words + grid.words, [](Word w) { return w == 0; }))
          {
            continue;
          }
          const auto load = [&](T* pair, Index yy)
          {
            source.row(v.lo[0], nx, v.lo[1] + yy, v.lo[2] + z, pair);
            source.row(v.lo[0], nx, v.lo[1] + yy, v.lo[2] + z + 1, pair + nx);
          };
          if (loaded == y)
          {
            std::swap(pairs[0], pairs[1]);
          }
          else
          {
            load(pairs[0], y);
          }
          load(pairs[1], y + 1);
          loaded = y + 1;
          rows[0] = pairs[0];
          rows[1] = pairs[1];
          rows[2] = pairs[0] + nx;
          rows[3] = pairs[1] + nx;
          visit(slab, rows, y, z);
        }
      }
    });
}

/// Everything but the points. `number(label)` gives the place of a label.
template <class Rows, class Number>
void makeTriangles(const Rows& source, const NetGrid& grid, const EdgePoints& points,
  const Number& number, std::size_t labels, LabelMesh& mesh)
{
  using T = typename Rows::Value;
  const CubeCases& cases = cubeCases();
  // The tables have slabs x labels numbers; few slabs if there are many labels.
  const Index slabs = chunkCount(
    grid.voxels.dim(2) - 1, 1, std::max<Index>(1, 4096 / static_cast<Index>(labels + 1)));
  std::vector<std::vector<Index>> at(
    static_cast<std::size_t>(slabs), std::vector<Index>(labels, 0));
  visitRows(source, grid, slabs,
    [&](Index slab, const T* const rows[4], Index y, Index z)
    {
      Index* counts = at[static_cast<std::size_t>(slab)].data();
      visitCells(grid, nullptr, rows, y, z, [&](T label, unsigned inside, const Index*)
        { counts[number(label)] += cases.count[inside]; });
    });
  mesh.first.assign(labels + 1, 0);
  Index total = 0;
  for (std::size_t label = 0; label < labels; ++label)
  {
    mesh.first[label] = total;
    for (std::vector<Index>& counts : at)
    {
      const Index count = counts[label];
      counts[label] = total;
      total += count;
    }
  }
  mesh.first[labels] = total;
  mesh.corners = 3;
  mesh.polygons = Buffer<Index>(3 * total);
  mesh.cuts = Buffer<std::uint8_t>(total);
  visitRows(source, grid, slabs,
    [&](Index slab, const T* const rows[4], Index y, Index z)
    {
      Index* next = at[static_cast<std::size_t>(slab)].data();
      visitCells(grid, &points, rows, y, z,
        [&](T label, unsigned inside, const Index* numbers)
        {
          Index& triangle = next[number(label)];
          Index* to = mesh.polygons.data() + 3 * triangle;
          const std::uint8_t* edges = cases.edges[inside].data();
          const int corners = 3 * cases.count[inside];
          for (int c = 0; c < corners; ++c)
          {
            to[c] = numbers[edges[c]];
          }
          std::copy_n(cases.cuts[inside].data(), cases.count[inside], mesh.cuts.data() + triangle);
          triangle += cases.count[inside];
        });
    });
}

/// Calls place(axis, x, y, z, point): the point's coordinates, of the edge at that grid voxel.
template <class Place>
void makeEdgePoints(
  const NetGrid& grid, const EdgePoints& numbers, Buffer<float>& points, const Place& place)
{
  points = Buffer<float>(3 * numbers.total);
  const Index ny = grid.voxels.dim(1);
  forRanges(ny * grid.voxels.dim(2), 256,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        for (int axis = 0; axis < 3; ++axis)
        {
          for (Index w = 0; w < grid.words; ++w)
          {
            const Index word = r * grid.words + w;
            float* point = points.data() + 3 * numbers.before[axis][word];
            for (Word bits = grid.edges[axis][word]; bits; bits &= bits - 1, point += 3)
            {
              place(axis, 64 * w + lowestOne(bits), r % ny, r / ny, point);
            }
          }
        }
      }
    });
}

/// Rows of a volume as 1 (not below the value) and 0.
template <class T>
class LevelRows
{
public:
  using Value = std::uint8_t;
  LevelRows(const T* values, const Box& whole, double level)
    : Values_(values), Whole_(whole), Level_(level)
  {
  }

  bool inside(T value) const { return static_cast<double>(value) >= this->Level_; }

  void row(Index x0, Index n, Index y, Index z, Value* to) const
  {
    std::fill(to, to + n, Value{ 0 });
    if (!this->Whole_.contains(this->Whole_.lo[0], y, z))
    {
      return;
    }
    const Index first = std::max(x0, this->Whole_.lo[0]);
    const Index last = std::min(x0 + n - 1, this->Whole_.hi[0]);
    const T* from = this->Values_ + this->Whole_.offset(first, y, z);
    for (Index x = first; x <= last; ++x)
    {
      to[x - x0] = static_cast<Value>(this->inside(from[x - first]));
    }
  }

private:
  const T* Values_;
  Box Whole_;
  double Level_;
};

} // namespace detail

/// The surfaces of `labels` (distinct, not 0), in that order; labels without voxels get none.
/// `image` points to the first voxel of `whole`.
template <class T>
LabelMesh labelSurfaces(const T* image, const Box& whole, const std::vector<T>& labels)
{
  static_assert(std::is_integral<T>::value, "labels are integers");
  LabelMesh mesh;
  const detail::LabelNumbers<T> number(labels);
  mesh.labels.assign(labels.begin(), labels.end());
  mesh.first.assign(labels.size() + 1, 0);
  if (whole.empty() || labels.empty())
  {
    return mesh;
  }
  const detail::NetLabels<T> rows(image, whole, whole, labels);
  detail::NetGrid grid;
  grid.open(whole, whole, 0);
  detail::findEdges(rows, grid);
  grid.findCells();
  detail::EdgePoints points;
  points.count(grid);
  const float lo[3] = { static_cast<float>(grid.voxels.lo[0]),
    static_cast<float>(grid.voxels.lo[1]), static_cast<float>(grid.voxels.lo[2]) };
  detail::makeEdgePoints(grid, points, mesh.points,
    [&](int axis, Index x, Index y, Index z, float* point)
    {
      point[0] = lo[0] + static_cast<float>(x);
      point[1] = lo[1] + static_cast<float>(y);
      point[2] = lo[2] + static_cast<float>(z);
      point[axis] += 0.5f;
    });
  detail::makeTriangles(rows, grid, points, number, labels.size(), mesh);
  return mesh;
}

/// The surface around the voxels that are not below `level`; beyond the image every voxel has the
/// value `outside`, which must be below it. NaN counts as below, and the surface is halfway there.
template <class T>
PolygonMesh isoSurface(const T* image, const Box& whole, double level, double outside)
{
  PolygonMesh surface;
  if (!(outside < level))
  {
    throw std::invalid_argument(
      "segcore::isoSurface: the value outside of the image must be below the level");
  }
  if (whole.empty())
  {
    return surface;
  }
  const detail::LevelRows<T> rows(image, whole, level);
  detail::NetGrid grid;
  grid.open(whole, whole, 0);
  detail::findEdges(rows, grid);
  grid.findCells();
  detail::EdgePoints points;
  points.count(grid);
  LabelMesh mesh;
  detail::makeEdgePoints(grid, points, mesh.points,
    [&](int axis, Index x, Index y, Index z, float* point)
    {
      Index at[3] = { grid.voxels.lo[0] + x, grid.voxels.lo[1] + y, grid.voxels.lo[2] + z };
      const auto value = [&]() -> double
      {
        return whole.contains(at[0], at[1], at[2])
          ? static_cast<double>(image[whole.offset(at[0], at[1], at[2])])
          : outside;
      };
      for (int a = 0; a < 3; ++a)
      {
        point[a] = static_cast<float>(at[a]);
      }
      const double first = value();
      ++at[axis];
      const double step = value() - first;
      const double t = (level - first) / step;
      point[axis] += static_cast<float>(t >= 0.0 && t <= 1.0 ? t : 0.5); // NaN, infinite values
    });
  detail::makeTriangles(rows, grid, points, [](std::uint8_t) { return Index{ 0 }; }, 1, mesh);
  surface.points = std::move(mesh.points);
  surface.polygons = std::move(mesh.polygons);
  surface.cuts = std::move(mesh.cuts);
  return surface;
}

} // namespace segcore

#endif
