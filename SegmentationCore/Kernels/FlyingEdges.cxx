// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "FlyingEdges.h"

namespace segcore
{

namespace
{

/// Edge between two corners that differ in one bit.
int edgeOf(int a, int b)
{
  const int axisBit = a ^ b;
  const int low = a & b;
  const int x = low & 1;
  const int y = (low >> 1) & 1;
  const int z = (low >> 2) & 1;
  return axisBit == 1 ? y + 2 * z : axisBit == 2 ? 4 + x + 2 * z : 8 + x + 2 * y;
}

/// The four corners of a face, counter-clockwise seen from outside of the cell.
std::array<int, 4> faceCorners(int face)
{
  const int axis = face / 2;
  const int up = face % 2;
  const int u = 1 << ((axis + 1) % 3);
  const int v = 1 << ((axis + 2) % 3);
  const int base = up ? 1 << axis : 0;
  return up ? std::array<int, 4>{ base, base + u, base + u + v, base + v }
            : std::array<int, 4>{ base, base + v, base + u + v, base + u };
}

/// Bit f is set if the edge lies in face f.
unsigned facesOf(int edge)
{
  unsigned faces = 0;
  for (int f = 0; f < 6; ++f)
  {
    const std::array<int, 4> corner = faceCorners(f);
    for (std::size_t i = 0; i < 4; ++i)
    {
      faces |= static_cast<unsigned>(edgeOf(corner[i], corner[(i + 1) % 4]) == edge) << f;
    }
  }
  return faces;
}

using Loop = std::vector<int>;

/// How many diagonals of a cut lie in a face, and the triangles of that cut.
struct Cut
{
  int bad = 0;
  std::vector<int> corners;
  std::vector<unsigned> sides; ///< Of each triangle, as PolygonMesh::cuts.
};

/// The best cut of the loop's part first .. last, closed by the diagonal between them. All cuts are
/// tried: loops are short.
Cut bestCut(const Loop& loop, std::size_t first, std::size_t last)
{
  Cut best;
  if (last < first + 2)
  {
    return best;
  }
  best.bad = 1000;
  const auto isDiagonal = [&loop](std::size_t a, std::size_t b)
  { return b - a > 1 && b - a + 1 < loop.size(); };
  const auto inFace = [&](std::size_t a, std::size_t b)
  { return isDiagonal(a, b) && (facesOf(loop[a]) & facesOf(loop[b])) != 0 ? 1 : 0; };
  for (std::size_t middle = first + 1; middle < last; ++middle)
  {
    const Cut left = bestCut(loop, first, middle);
    const Cut right = bestCut(loop, middle, last);
    const int bad = left.bad + right.bad + inFace(first, middle) + inFace(middle, last);
    if (bad < best.bad)
    {
      best.bad = bad;
      best.corners = { loop[first], loop[middle], loop[last] };
      best.sides = { (isDiagonal(first, middle) ? 1u : 0u) | (isDiagonal(middle, last) ? 2u : 0u) |
        (isDiagonal(first, last) ? 4u : 0u) };
      for (const Cut* part : { &left, &right })
      {
        best.corners.insert(best.corners.end(), part->corners.begin(), part->corners.end());
        best.sides.insert(best.sides.end(), part->sides.begin(), part->sides.end());
      }
    }
  }
  return best;
}

CubeCases makeCases()
{
  CubeCases cases;
  for (unsigned inside = 0; inside < 256; ++inside)
  {
    const auto isInside = [inside](int corner) { return ((inside >> corner) & 1u) != 0; };
    // Where the surface leads from a crossed edge: each is entered in one of its two faces.
    std::array<int, 12> next;
    next.fill(-1);
    for (int f = 0; f < 6; ++f)
    {
      const std::array<int, 4> corner = faceCorners(f);
      for (std::size_t i = 0; i < 4; ++i)
      {
        if (isInside(corner[i]) || !isInside(corner[(i + 1) % 4]))
        {
          continue;
        }
        std::size_t end = i + 1; // last corner of the run that starts behind corner i
        while (isInside(corner[(end + 1) % 4]))
        {
          ++end;
        }
        next[static_cast<std::size_t>(edgeOf(corner[i], corner[(i + 1) % 4]))] =
          edgeOf(corner[end % 4], corner[(end + 1) % 4]);
      }
    }
    std::vector<int> corners;
    std::vector<unsigned> sides;
    for (std::size_t start = 0; start < 12; ++start)
    {
      Loop loop;
      for (std::size_t edge = start; next[edge] >= 0;)
      {
        loop.push_back(static_cast<int>(edge));
        const int to = next[edge];
        next[edge] = -1;
        edge = static_cast<std::size_t>(to);
      }
      if (!loop.empty())
      {
        const Cut cut = bestCut(loop, 0, loop.size() - 1);
        corners.insert(corners.end(), cut.corners.begin(), cut.corners.end());
        sides.insert(sides.end(), cut.sides.begin(), cut.sides.end());
      }
    }
    cases.count[inside] = static_cast<std::uint8_t>(corners.size() / 3);
    if (corners.size() > cases.edges[inside].size())
    {
      throw std::logic_error(
        "segcore::cubeCases: a case has more triangles than there is room for");
    }
    const auto byte = [](auto value) { return static_cast<std::uint8_t>(value); };
    std::transform(corners.begin(), corners.end(), cases.edges[inside].begin(), byte);
    std::transform(sides.begin(), sides.end(), cases.cuts[inside].begin(), byte);
  }
  return cases;
}

} // namespace

const CubeCases& cubeCases()
{
  static const CubeCases cases = makeCases();
  return cases;
}

namespace detail
{

void EdgePoints::count(const NetGrid& grid)
{
  const Index words = grid.words;
  const Index rows = grid.voxels.rows();
  for (Buffer<Index>& plane : this->before)
  {
    plane = Buffer<Index>(rows * words);
  }
  std::vector<Index> start(static_cast<std::size_t>(rows) + 1, 0);
  forRanges(rows, 256,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        Index count = 0;
        for (int axis = 0; axis < 3; ++axis)
        {
          for (Index w = r * words; w < (r + 1) * words; ++w)
          {
            const Word bits = grid.edges[axis][w];
            count += bits ? countOnes(bits) : 0;
          }
        }
        start[static_cast<std::size_t>(r) + 1] = count;
      }
    });
  for (std::size_t r = 1; r < start.size(); ++r)
  {
    start[r] += start[r - 1];
  }
  this->total = start.back();
  forRanges(rows, 256,
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        Index count = start[static_cast<std::size_t>(r)];
        for (int axis = 0; axis < 3; ++axis)
        {
          for (Index w = r * words; w < (r + 1) * words; ++w)
          {
            this->before[axis][w] = count;
            const Word bits = grid.edges[axis][w];
            count += bits ? countOnes(bits) : 0;
          }
        }
      }
    });
}

} // namespace detail
} // namespace segcore
