// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "ConvexHull.h"

#include "ExactSign.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace segcore
{

namespace
{

struct Triangle
{
  Index corner[3];
};

using Edge = std::pair<Index, Index>;

/// To a grid on which all differences are exact, and their signs are found by ExactSign.h.
std::vector<double> onGrid(std::vector<double> points)
{
  double largest = 0x1p22;
  for (double& c : points)
  {
    c = std::min(std::max(c, -0x1p40), 0x1p40);
    largest = std::max(largest, std::abs(c));
  }
  const double step = std::ldexp(0x1p-28, std::ilogb(largest) - 22);
  for (double& c : points)
  {
    c = std::nearbyint(c / step) * step + 0.0;
  }
  return points;
}

class Hull
{
public:
  explicit Hull(const std::vector<double>& points) : Points(points) {}

  std::vector<Triangle> Faces;

  void run()
  {
    const Index count = static_cast<Index>(this->Points.size() / 3);
    Index start[4];
    if (!this->findStart(count, start))
    {
      return;
    }
    for (Index q = 0; q < count; ++q)
    {
      this->add(q);
    }
  }

private:
  void difference(Index from, Index to, double result[3]) const
  {
    for (Index a = 0; a < 3; ++a)
    {
      result[a] = this->Points[static_cast<std::size_t>(3 * to + a)] -
        this->Points[static_cast<std::size_t>(3 * from + a)];
    }
  }

  /// 1 if q sees the outer side of the triangle, 0 if it is in its plane.
  int side(Index a, Index b, Index c, Index q) const
  {
    double u[3], v[3], w[3];
    this->difference(a, b, u);
    this->difference(a, c, v);
    this->difference(a, q, w);
    double sum = 0.0, size = 0.0;
    for (int i = 0; i < 3; ++i)
    {
      const int j = (i + 1) % 3, k = (i + 2) % 3;
      const double first = u[i] * v[j] * w[k], second = u[i] * v[k] * w[j];
      sum += first - second;
      size += std::abs(first) + std::abs(second);
    }
    // Each term has at most two roundings, and the sum six more.
    if (std::abs(sum) > 0x1p-48 * size)
    {
      return sum > 0.0 ? 1 : -1;
    }
    return exactSign3(u, v, w);
  }

  bool onLine(Index a, Index b, Index c) const
  {
    double u[3], v[3];
    this->difference(a, b, u);
    this->difference(a, c, v);
    return exactSign2(u[0], u[1], v[0], v[1]) == 0 && exactSign2(u[1], u[2], v[1], v[2]) == 0 &&
      exactSign2(u[2], u[0], v[2], v[0]) == 0;
  }

  /// The first tetrahedron; false if all points are in one plane.
  bool findStart(Index count, Index start[4])
  {
    int found = 0;
    int turn = 0;
    for (Index q = 0; q < count && found < 4; ++q)
    {
      bool good = true;
      if (found == 1)
      {
        double d[3];
        this->difference(start[0], q, d);
        good = d[0] != 0.0 || d[1] != 0.0 || d[2] != 0.0;
      }
      else if (found == 2)
      {
        good = !this->onLine(start[0], start[1], q);
      }
      else if (found == 3)
      {
        turn = this->side(start[0], start[1], start[2], q);
        good = turn != 0;
      }
      if (good)
      {
        start[found++] = q;
      }
    }
    if (found < 4)
    {
      return false;
    }
    if (turn > 0)
    {
      std::swap(start[0], start[1]);
    }
    // The fourth point is behind the first triangle now.
    this->Faces = { { { start[0], start[1], start[2] } }, { { start[1], start[0], start[3] } },
      { { start[2], start[1], start[3] } }, { { start[0], start[2], start[3] } } };
    return true;
  }

  void add(Index q)
  {
    // Corners are in the plane of their own triangles, and see none.
    std::vector<Triangle> kept;
    std::vector<Edge> edges;
    bool outside = false;
    for (const Triangle& face : this->Faces)
    {
      const Index* c = face.corner;
      const int side = this->side(c[0], c[1], c[2], q);
      outside = outside || side > 0;
      if (side < 0)
      {
        kept.push_back(face);
        continue;
      }
      for (int e = 0; e < 3; ++e)
      {
        edges.emplace_back(c[e], c[(e + 1) % 3]);
      }
    }
    if (!outside)
    {
      return;
    }
    std::sort(edges.begin(), edges.end());
    for (const Edge& edge : edges)
    {
      if (!std::binary_search(edges.begin(), edges.end(), Edge(edge.second, edge.first)))
      {
        kept.push_back({ { edge.first, edge.second, q } });
      }
    }
    this->Faces = std::move(kept);
  }

  const std::vector<double>& Points;
};

/// The triangles around each edge, and the neighbours of each point in turn.
class Neighbours
{
public:
  explicit Neighbours(const TriangleMesh& mesh)
  {
    const std::vector<Index>& t = mesh.triangles;
    for (std::size_t n = 0; n < t.size(); n += 3)
    {
      for (std::size_t c = 0; c < 3; ++c)
      {
        this->Opposite[{ t[n + c], t[n + (c + 1) % 3] }] = t[n + (c + 2) % 3];
      }
    }
  }

  const std::map<Edge, Index>& edges() const { return this->Opposite; }

  Index across(Index from, Index to) const { return this->Opposite.at({ from, to }); }

  /// Around `centre`, from `first` on.
  std::vector<Index> ring(Index centre, Index first) const
  {
    std::vector<Index> result;
    Index next = first;
    do
    {
      result.push_back(next);
      next = this->across(centre, next);
    } while (next != first);
    return result;
  }

private:
  std::map<Edge, Index> Opposite; ///< the third corner of the triangle left of a directed edge
};

using Weights = std::vector<std::pair<Index, double>>;

/// Of the points around a point that has not six of them; the last one is the point itself.
Weights irregular(Index centre, const std::vector<Index>& ring)
{
  const std::size_t count = ring.size();
  Weights weights;
  for (std::size_t j = 0; j < count; ++j)
  {
    double weight = 0.0;
    if (count == 3)
    {
      weight = j == 0 ? 5.0 / 12.0 : -1.0 / 12.0;
    }
    else if (count == 4)
    {
      weight = j == 0 ? 3.0 / 8.0 : (j == 2 ? -1.0 / 8.0 : 0.0);
    }
    else
    {
      const double angle =
        2.0 * 3.141592653589793 * static_cast<double>(j) / static_cast<double>(count);
      weight = (0.25 + std::cos(angle) + 0.5 * std::cos(2.0 * angle)) / static_cast<double>(count);
    }
    weights.emplace_back(ring[j], weight);
  }
  weights.emplace_back(centre, 0.75);
  return weights;
}

/// Of the new point in the middle of an edge.
Weights edgeWeights(const Neighbours& mesh, Index a, Index b)
{
  const std::vector<Index> aRing = mesh.ring(a, b), bRing = mesh.ring(b, a);
  const bool aRegular = aRing.size() == 6, bRegular = bRing.size() == 6;
  if (!aRegular || !bRegular)
  {
    Weights weights = aRegular ? Weights() : irregular(a, aRing);
    if (!bRegular)
    {
      const Weights other = irregular(b, bRing);
      weights.insert(weights.end(), other.begin(), other.end());
    }
    if (!aRegular && !bRegular)
    {
      for (auto& weight : weights)
      {
        weight.second /= 2.0;
      }
    }
    return weights;
  }
  const Index left = aRing[1], right = aRing[5];
  return { { a, 0.5 }, { b, 0.5 }, { left, 0.125 }, { right, 0.125 }, { aRing[2], -0.0625 },
    { aRing[4], -0.0625 }, { bRing[2], -0.0625 }, { bRing[4], -0.0625 } };
}

TriangleMesh refined(const TriangleMesh& mesh)
{
  const Neighbours neighbours(mesh);
  TriangleMesh result;
  result.points = mesh.points;
  std::map<Edge, Index> middles;
  for (const auto& entry : neighbours.edges())
  {
    const auto [a, b] = entry.first;
    if (a > b)
    {
      continue; // the same edge the other way
    }
    middles[{ a, b }] = static_cast<Index>(result.points.size() / 3);
    double sum[3] = { 0.0, 0.0, 0.0 };
    for (const auto& [point, weight] : edgeWeights(neighbours, a, b))
    {
      for (std::size_t c = 0; c < 3; ++c)
      {
        sum[c] += weight * mesh.points[3 * static_cast<std::size_t>(point) + c];
      }
    }
    result.points.insert(result.points.end(), sum, sum + 3);
  }
  for (std::size_t n = 0; n < mesh.triangles.size(); n += 3)
  {
    const Index* t = mesh.triangles.data() + n;
    Index middle[3];
    for (int e = 0; e < 3; ++e)
    {
      middle[e] = middles.at(std::minmax(t[e], t[(e + 1) % 3]));
    }
    const Index four[12] = { t[0], middle[0], middle[2], t[1], middle[1], middle[0], t[2],
      middle[2], middle[1], middle[0], middle[1], middle[2] };
    result.triangles.insert(result.triangles.end(), four, four + 12);
  }
  return result;
}

} // namespace

//------------------------------------------------------------------------------------------------
TriangleMesh convexHull(const std::vector<double>& points)
{
  const std::vector<double> grid = onGrid(points);
  Hull hull(grid);
  hull.run();
  TriangleMesh mesh;
  std::map<Index, Index> numbers;
  for (const Triangle& face : hull.Faces)
  {
    for (const Index corner : face.corner)
    {
      const auto number = numbers.emplace(corner, static_cast<Index>(mesh.points.size() / 3));
      if (number.second)
      {
        const double* point = grid.data() + 3 * corner;
        mesh.points.insert(mesh.points.end(), point, point + 3);
      }
      mesh.triangles.push_back(number.first->second);
    }
  }
  return mesh;
}

//------------------------------------------------------------------------------------------------
TriangleMesh smoothSurface(TriangleMesh mesh, int levels)
{
  for (int level = 0; level < levels && !mesh.triangles.empty(); ++level)
  {
    mesh = refined(mesh);
  }
  return mesh;
}

} // namespace segcore
