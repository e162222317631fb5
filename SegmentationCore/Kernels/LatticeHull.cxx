// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "LatticeHull.h"

#include "Wide.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace segcore
{
namespace
{
using Vector = std::array<double, 3>;
using Integers = std::array<Index, 3>;

Vector cross(const Vector& a, const Vector& b)
{
  return { a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0] };
}

double dot(const Vector& a, const Vector& b)
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Twice the area of the triangle, positive if it turns left.
Index turn(const PlanePoint& a, const PlanePoint& b, const PlanePoint& c)
{
  return (Index{ b[0] } - a[0]) * (Index{ c[1] } - a[1]) -
    (Index{ b[1] } - a[1]) * (Index{ c[0] } - a[0]);
}

Integers difference(const SpacePoint& a, const SpacePoint& b)
{
  return { Index{ a[0] } - b[0], Index{ a[1] } - b[1], Index{ a[2] } - b[2] };
}

struct Face
{
  std::array<std::int32_t, 3> corners;
  Integers normal; // outward
  std::vector<std::int32_t> outside;
};

class HullMaker
{
public:
  explicit HullMaker(const std::vector<SpacePoint>& points) : Points(points)
  {
    std::int32_t largest = 0;
    for (const SpacePoint& point : points)
    {
      largest = std::max({ largest, point[0], point[1], point[2] });
    }
    // Normals are below 2 * size^2, and three products of them with a difference are added.
    this->Small = largest < (1 << 20);
  }

  SpaceHull make()
  {
    this->start();
    std::vector<std::int32_t> orphans;
    // Faces are appended, and removed in pass(); the last one with points outside is next.
    for (std::size_t f = this->Faces.size(); f > 0;)
    {
      if (this->Faces[f - 1].outside.empty())
      {
        --f;
        continue;
      }
      this->pass(this->farthest(this->Faces[f - 1]), orphans);
      f = this->Faces.size();
    }
    return this->result();
  }

private:
  Face face(std::int32_t a, std::int32_t b, std::int32_t c) const
  {
    const Integers u = difference(this->Points[b], this->Points[a]);
    const Integers v = difference(this->Points[c], this->Points[a]);
    return { { a, b, c },
      { u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0] }, {} };
  }

  /// 1 if the point is outside of the face's plane, 0 if on it, -1 if inside.
  int side(const Face& face, std::int32_t p) const
  {
    const Integers d = difference(this->Points[p], this->Points[face.corners[0]]);
    if (this->Small)
    {
      const Index sum = face.normal[0] * d[0] + face.normal[1] * d[1] + face.normal[2] * d[2];
      return (sum > 0) - (sum < 0);
    }
    const Wide sum = Wide(face.normal[0]) * Wide(d[0]) + Wide(face.normal[1]) * Wide(d[1]) +
      Wide(face.normal[2]) * Wide(d[2]);
    return sum.negative() ? -1 : (sum == Wide() ? 0 : 1);
  }

  std::int32_t farthest(const Face& face) const
  {
    const auto height = [&](std::int32_t p)
    {
      const Integers d = difference(this->Points[p], this->Points[face.corners[0]]);
      double sum = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        sum += static_cast<double>(face.normal[a]) * static_cast<double>(d[a]);
      }
      return sum;
    };
    return *std::max_element(face.outside.begin(), face.outside.end(),
      [&](std::int32_t p, std::int32_t q) { return height(p) < height(q); });
  }

  void start()
  {
    const auto count = static_cast<std::int32_t>(this->Points.size());
    const auto fail = []
    { throw std::invalid_argument("segcore::spaceHull: all points are in one plane"); };
    if (count < 4)
    {
      fail();
    }
    // First and last differ; then one beside the line, and one beside the plane.
    std::int32_t third = 1;
    Face base;
    for (; third < count - 1; ++third)
    {
      base = this->face(0, count - 1, third);
      if (base.normal != Integers{ 0, 0, 0 })
      {
        break;
      }
    }
    std::int32_t fourth = 1;
    while (fourth < count - 1 && third < count - 1 && this->side(base, fourth) == 0)
    {
      ++fourth;
    }
    if (third >= count - 1 || fourth >= count - 1)
    {
      fail();
    }
    std::array<std::int32_t, 4> t{ 0, count - 1, third, fourth };
    if (this->side(base, fourth) > 0)
    {
      std::swap(t[0], t[1]);
    }
    this->Faces = { this->face(t[0], t[1], t[2]), this->face(t[1], t[0], t[3]),
      this->face(t[2], t[1], t[3]), this->face(t[0], t[2], t[3]) };
    for (std::int32_t p = 0; p < count; ++p)
    {
      this->give(p, 0);
    }
  }

  /// Puts a point to the first face from `from` on that it is outside of.
  void give(std::int32_t p, std::size_t from)
  {
    for (std::size_t f = from; f < this->Faces.size(); ++f)
    {
      if (this->side(this->Faces[f], p) > 0)
      {
        this->Faces[f].outside.push_back(p);
        return;
      }
    }
  }

  /// The faces that `apex` is outside of give way to those that it makes with their rim.
  void pass(std::int32_t apex, std::vector<std::int32_t>& orphans)
  {
    using Edge = std::pair<std::int32_t, std::int32_t>;
    std::vector<Edge> edges;
    orphans.clear();
    std::size_t kept = 0;
    for (std::size_t f = 0; f < this->Faces.size(); ++f)
    {
      Face& face = this->Faces[f];
      if (this->side(face, apex) > 0)
      {
        for (int c = 0; c < 3; ++c)
        {
          edges.emplace_back(face.corners[c], face.corners[(c + 1) % 3]);
        }
        orphans.insert(orphans.end(), face.outside.begin(), face.outside.end());
        continue;
      }
      if (kept != f)
      {
        this->Faces[kept] = std::move(face);
      }
      ++kept;
    }
    this->Faces.resize(kept);
    std::sort(edges.begin(), edges.end());
    for (const Edge& edge : edges)
    {
      // Within the faces that go, each edge is there in both directions.
      if (!std::binary_search(edges.begin(), edges.end(), Edge(edge.second, edge.first)))
      {
        this->Faces.push_back(this->face(edge.first, edge.second, apex));
      }
    }
    for (const std::int32_t p : orphans)
    {
      this->give(p, kept);
    }
  }

  SpaceHull result() const
  {
    std::vector<std::int32_t> number(this->Points.size(), -1);
    SpaceHull hull;
    for (const Face& face : this->Faces)
    {
      std::array<std::int32_t, 3> triangle;
      for (int c = 0; c < 3; ++c)
      {
        std::int32_t& corner = number[static_cast<std::size_t>(face.corners[c])];
        if (corner < 0)
        {
          corner = static_cast<std::int32_t>(hull.corners.size());
          hull.corners.push_back(this->Points[static_cast<std::size_t>(face.corners[c])]);
        }
        triangle[static_cast<std::size_t>(c)] = corner;
      }
      hull.triangles.push_back(triangle);
    }
    return hull;
  }

  const std::vector<SpacePoint>& Points;
  std::vector<Face> Faces;
  bool Small = false;
};

/// An edge with the normals of its faces, of length 1.
struct Edge
{
  Vector from;
  Vector along;
  Vector normals[2];
};
}

//------------------------------------------------------------------------------------------------
std::vector<PlanePoint> planeHull(std::vector<PlanePoint>& points)
{
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  std::vector<PlanePoint> hull;
  const auto grow = [&hull](const PlanePoint& point, std::size_t least)
  {
    while (hull.size() >= least + 2 && turn(hull[hull.size() - 2], hull.back(), point) <= 0)
    {
      hull.pop_back();
    }
    hull.push_back(point);
  };
  for (const PlanePoint& point : points)
  {
    grow(point, 0);
  }
  const std::size_t lower = hull.size();
  for (std::size_t i = points.size(); i-- > 1;)
  {
    if (i + 1 < points.size())
    {
      grow(points[i], lower - 1);
    }
  }
  // The first point closes the chain above.
  while (points.size() > 2 && hull.size() > lower &&
    turn(hull[hull.size() - 2], hull.back(), points.front()) <= 0)
  {
    hull.pop_back();
  }
  return hull;
}

//------------------------------------------------------------------------------------------------
SpaceHull spaceHull(std::vector<SpacePoint> points)
{
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return HullMaker(points).make();
}

//------------------------------------------------------------------------------------------------
FeretDiameters feretDiameters(const SpaceHull& hull, const double spacing[3])
{
  std::vector<Vector> corners;
  for (const SpacePoint& corner : hull.corners)
  {
    corners.push_back({ corner[0] * spacing[0], corner[1] * spacing[1], corner[2] * spacing[2] });
  }
  const auto between = [](const Vector& a, const Vector& b)
  { return Vector{ a[0] - b[0], a[1] - b[1], a[2] - b[2] }; };

  FeretDiameters result;
  double largest = 0.0;
  for (std::size_t a = 0; a < corners.size(); ++a)
  {
    for (std::size_t b = 0; b < a; ++b)
    {
      const Vector d = between(corners[a], corners[b]);
      largest = std::max(largest, dot(d, d));
    }
  }
  result.largest = std::sqrt(largest);

  double smallest = std::numeric_limits<double>::infinity();
  std::vector<Vector> normals;
  for (const auto& triangle : hull.triangles)
  {
    const Vector& a = corners[static_cast<std::size_t>(triangle[0])];
    Vector normal = cross(between(corners[static_cast<std::size_t>(triangle[1])], a),
      between(corners[static_cast<std::size_t>(triangle[2])], a));
    const double length = std::sqrt(dot(normal, normal));
    for (double& part : normal)
    {
      part /= length;
    }
    double width = 0.0;
    for (const Vector& corner : corners)
    {
      width = std::max(width, dot(normal, between(a, corner)));
    }
    smallest = std::min(smallest, width);
    normals.push_back(normal);
  }

  // Edges, each from the face in which it goes from the lower to the higher corner.
  struct Half
  {
    std::int32_t low, high;
    std::size_t face;
  };
  std::vector<Half> halves;
  for (std::size_t f = 0; f < hull.triangles.size(); ++f)
  {
    for (std::size_t c = 0; c < 3; ++c)
    {
      const auto ends = std::minmax(hull.triangles[f][c], hull.triangles[f][(c + 1) % 3]);
      halves.push_back({ ends.first, ends.second, f });
    }
  }
  std::sort(halves.begin(), halves.end(),
    [](const Half& a, const Half& b)
    {
      return std::array<std::size_t, 3>{ std::size_t(a.low), std::size_t(a.high), a.face } <
        std::array<std::size_t, 3>{ std::size_t(b.low), std::size_t(b.high), b.face };
    });
  std::vector<Edge> edges;
  for (std::size_t h = 0; h + 1 < halves.size(); h += 2)
  {
    const Vector& n0 = normals[halves[h].face];
    const Vector& n1 = normals[halves[h + 1].face];
    const Vector bend = cross(n0, n1);
    if (dot(bend, bend) < 1e-24)
    {
      continue; // within a face
    }
    const Vector& from = corners[static_cast<std::size_t>(halves[h].low)];
    edges.push_back(
      { from, between(corners[static_cast<std::size_t>(halves[h].high)], from), { n0, n1 } });
  }
  // Two edges are opposite if planes through both, the hull between them, can be parallel: the arcs
  // of their planes' normals, one of them mirrored, cross.
  for (std::size_t a = 0; a < edges.size(); ++a)
  {
    const Edge& e = edges[a];
    for (std::size_t b = 0; b < a; ++b)
    {
      const Edge& o = edges[b];
      if (dot(e.along, o.normals[0]) * dot(e.along, o.normals[1]) >= 0.0 ||
        dot(o.along, e.normals[0]) * dot(o.along, e.normals[1]) >= 0.0)
      {
        continue;
      }
      const Vector normal = cross(e.along, o.along);
      const double length2 = dot(normal, normal);
      const double own = dot(normal, e.normals[0]) + dot(normal, e.normals[1]);
      const double other = dot(normal, o.normals[0]) + dot(normal, o.normals[1]);
      if (own * other < 0.0 && length2 > 1e-24 * dot(e.along, e.along) * dot(o.along, o.along))
      {
        const double apart = std::abs(dot(normal, between(e.from, o.from)));
        smallest = std::min(smallest, apart / std::sqrt(length2));
      }
    }
  }
  result.smallest = smallest;
  return result;
}

} // namespace segcore
