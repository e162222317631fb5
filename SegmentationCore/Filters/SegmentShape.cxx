// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SegmentShape.h"

#include "LatticeHull.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace segcore
{
namespace
{
using Vector = std::array<double, 3>;

double dot(const Vector& a, const Vector& b)
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Eigenvalues, ascending, and unit eigenvectors of a symmetric matrix, by Jacobi's rotations.
void eigen(double m[3][3], double values[3], Vector vectors[3])
{
  double v[3][3] = { { 1.0, 0.0, 0.0 }, { 0.0, 1.0, 0.0 }, { 0.0, 0.0, 1.0 } };
  for (int sweep = 0; sweep < 50; ++sweep)
  {
    if (m[0][1] == 0.0 && m[0][2] == 0.0 && m[1][2] == 0.0)
    {
      break;
    }
    for (int p = 0; p < 2; ++p)
    {
      for (int q = p + 1; q < 3; ++q)
      {
        const double scale = std::abs(m[p][p]) + std::abs(m[q][q]);
        if (scale + std::abs(m[p][q]) == scale)
        {
          m[p][q] = m[q][p] = 0.0;
          continue;
        }
        const double theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
        const double t =
          (theta < 0.0 ? -1.0 : 1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1.0));
        const double c = 1.0 / std::sqrt(t * t + 1.0);
        const double s = t * c;
        for (int k = 0; k < 3; ++k)
        {
          const double a = m[k][p];
          const double b = m[k][q];
          m[k][p] = c * a - s * b;
          m[k][q] = s * a + c * b;
        }
        for (int k = 0; k < 3; ++k)
        {
          const double a = m[p][k];
          const double b = m[q][k];
          m[p][k] = c * a - s * b;
          m[q][k] = s * a + c * b;
        }
        for (int k = 0; k < 3; ++k)
        {
          const double a = v[k][p];
          const double b = v[k][q];
          v[k][p] = c * a - s * b;
          v[k][q] = s * a + c * b;
        }
      }
    }
  }
  std::array<int, 3> order = { 0, 1, 2 };
  std::stable_sort(order.begin(), order.end(), [&m](int a, int b) { return m[a][a] < m[b][b]; });
  for (int i = 0; i < 3; ++i)
  {
    values[i] = std::max(0.0, m[order[i]][order[i]]);
    for (int k = 0; k < 3; ++k)
    {
      vectors[i][k] = v[k][order[i]];
    }
  }
}

class ShapeMaker
{
public:
  ShapeMaker(const Geometry& geometry, const Box& whole) : Shape(geometry), Whole(whole)
  {
    const double* d = geometry.Direction;
    this->Mirrored = d[0] * (d[4] * d[8] - d[5] * d[7]) - d[1] * (d[3] * d[8] - d[5] * d[6]) +
        d[2] * (d[3] * d[7] - d[4] * d[6]) <
      0.0;
  }

  /// Vectors along the image's axes, in mm, to the world's.
  Vector turned(const Vector& v) const
  {
    const double* d = this->Shape.Direction;
    return { d[0] * v[0] + d[1] * v[1] + d[2] * v[2], d[3] * v[0] + d[4] * v[1] + d[5] * v[2],
      d[6] * v[0] + d[7] * v[1] + d[8] * v[2] };
  }

  /// A position, in mm along the image's axes from its first voxel, to the world.
  Vector position(const Vector& v) const
  {
    Vector offset;
    for (std::size_t a = 0; a < 3; ++a)
    {
      offset[a] = v[a] + static_cast<double>(this->Whole.lo[a]) * this->Shape.Spacing[a];
    }
    Vector result = this->turned(offset);
    for (std::size_t a = 0; a < 3; ++a)
    {
      result[a] += this->Shape.Origin[a];
    }
    return result;
  }

  SegmentShape make(LabelShape& shape) const
  {
    SegmentShape row;
    const double* spacing = this->Shape.Spacing;
    const double n = static_cast<double>(shape.voxels);
    // Counted from a whole index near the mean, sums of squares are small and still exact.
    Wide centre[3], rest[3];
    Vector mean;
    const Wide count(shape.voxels);
    for (std::size_t a = 0; a < 3; ++a)
    {
      const auto near = static_cast<Index>(std::floor(shape.first[a].toDouble() / n));
      centre[a] = Wide(near);
      rest[a] = shape.first[a] - centre[a] * count;
      mean[a] = (static_cast<double>(near) + rest[a].toDouble() / n) * spacing[a];
    }
    row.centroid = this->position(mean);
    double covariance[3][3];
    static const int pairs[6][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 0, 1 }, { 0, 2 }, { 1, 2 } };
    for (int p = 0; p < 6; ++p)
    {
      const int a = pairs[p][0];
      const int b = pairs[p][1];
      const Wide second = shape.second[p] - centre[a] * shape.first[b] - centre[b] * rest[a];
      const double value =
        (second.toDouble() / n - (rest[a].toDouble() / n) * (rest[b].toDouble() / n)) * spacing[a] *
        spacing[b];
      covariance[a][b] = covariance[b][a] = value;
    }
    Vector axes[3];
    eigen(covariance, row.moments.data(), axes);
    this->orient(axes);
    for (int i = 0; i < 3; ++i)
    {
      row.axes[i] = this->turned(axes[i]);
    }
    const auto ratio = [](double above, double below)
    { return below > 0.0 ? std::sqrt(above / below) : 0.0; };
    row.flatness = ratio(row.moments[1], row.moments[0]);
    row.elongation = ratio(row.moments[2], row.moments[1]);
    if (!shape.outline.empty())
    {
      this->makeOutline(shape, axes, row);
    }
    return row;
  }

private:
  /// The largest part of an axis, in the world, points upward; together they are right-handed.
  void orient(Vector axes[3]) const
  {
    for (int i = 0; i < 2; ++i)
    {
      const Vector world = this->turned(axes[i]);
      const auto largest = std::max_element(
        world.begin(), world.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
      if (*largest < 0.0)
      {
        for (double& part : axes[i])
        {
          part = -part;
        }
      }
    }
    const Vector& a = axes[0];
    const Vector& b = axes[1];
    axes[2] = { a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0] };
    if (this->Mirrored)
    {
      for (double& part : axes[2])
      {
        part = -part;
      }
    }
  }

  void makeOutline(LabelShape& shape, const Vector axes[3], SegmentShape& row) const
  {
    const double* spacing = this->Shape.Spacing;
    // A slice reaches from its lower to its upper corners.
    std::map<Index, std::vector<PlanePoint>> planes;
    for (const SliceOutline& outline : shape.outline)
    {
      for (Index side = 0; side < 2; ++side)
      {
        auto& plane = planes[outline.slice + side];
        plane.insert(plane.end(), outline.corners.begin(), outline.corners.end());
      }
    }
    std::vector<SpacePoint> points;
    for (auto& [at, plane] : planes)
    {
      for (const PlanePoint& corner : planeHull(plane))
      {
        points.push_back({ corner[0], corner[1], static_cast<std::int32_t>(at) });
      }
    }
    std::vector<SliceOutline>().swap(shape.outline);
    const SpaceHull hull = spaceHull(std::move(points));
    const FeretDiameters feret = feretDiameters(hull, spacing);
    row.feret = feret.largest;
    row.smallestFeret = feret.smallest;
    double low[3], high[3];
    for (int i = 0; i < 3; ++i)
    {
      low[i] = std::numeric_limits<double>::infinity();
      high[i] = -low[i];
      for (const SpacePoint& corner : hull.corners)
      {
        // Corner c is half a voxel before voxel c.
        const Vector at{ (corner[0] - 0.5) * spacing[0], (corner[1] - 0.5) * spacing[1],
          (corner[2] - 0.5) * spacing[2] };
        const double along = dot(at, axes[i]);
        low[i] = std::min(low[i], along);
        high[i] = std::max(high[i], along);
      }
      row.boxSize[static_cast<std::size_t>(i)] = high[i] - low[i];
    }
    Vector origin{ 0.0, 0.0, 0.0 };
    for (int i = 0; i < 3; ++i)
    {
      for (std::size_t a = 0; a < 3; ++a)
      {
        origin[a] += low[i] * axes[i][a];
      }
    }
    row.boxOrigin = this->position(origin);
  }

  const Geometry& Shape;
  const Box& Whole;
  bool Mirrored = false;
};
}

//------------------------------------------------------------------------------------------------
SegmentShape makeSegmentShape(LabelShape& sums, const Geometry& geometry, const Box& whole)
{
  return ShapeMaker(geometry, whole).make(sums);
}

} // namespace segcore
