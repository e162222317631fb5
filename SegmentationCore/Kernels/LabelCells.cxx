// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "LabelCells.h"

#include <algorithm>
#include <cmath>

namespace segcore
{
namespace
{
using Vector = std::array<double, 3>;

constexpr int Directions[CroftonDirections][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 },
  { 1, 1, 0 }, { 1, -1, 0 }, { 1, 0, 1 }, { 1, 0, -1 }, { 0, 1, 1 }, { 0, 1, -1 }, { 1, 1, 1 },
  { 1, 1, -1 }, { 1, -1, 1 }, { -1, 1, 1 } };

/// In how many cells a pair of neighbours in this direction is.
int sharing(const int direction[3])
{
  const int steps = std::abs(direction[0]) + std::abs(direction[1]) + std::abs(direction[2]);
  return 8 >> steps;
}

std::array<std::int32_t, 16> cellEntry(unsigned int content)
{
  std::array<std::int32_t, 16> entry{};
  const auto inside = [content](int x, int y, int z)
  { return static_cast<int>((content >> (x + 2 * y + 4 * z)) & 1u); };
  const auto fits = [](int x) { return x == 0 || x == 1; };
  int voxels = 0; // all counts are of this cell alone
  int pairs = 0;  // neighbours by a face, both inside
  int either = 0; // neighbours by a face, one or both inside
  for (int z = 0; z < 2; ++z)
  {
    for (int y = 0; y < 2; ++y)
    {
      for (int x = 0; x < 2; ++x)
      {
        voxels += inside(x, y, z);
        for (std::size_t d = 0; d < CroftonDirections; ++d)
        {
          const int* step = Directions[d];
          const int to[3] = { x + step[0], y + step[1], z + step[2] };
          if (fits(to[0]) && fits(to[1]) && fits(to[2]))
          {
            const int own = inside(x, y, z);
            const int other = inside(to[0], to[1], to[2]);
            entry[d] += own ^ other;
            pairs += d < 3 ? own & other : 0;
            either += d < 3 ? own | other : 0;
          }
        }
      }
    }
  }
  int squares = 0; // the six sides of the cell, all four voxels inside
  int touched = 0; // the six sides, any of their voxels inside
  for (int axis = 0; axis < 3; ++axis)
  {
    for (int at = 0; at < 2; ++at)
    {
      int sum = 0;
      for (int v = 0; v < 8; ++v)
      {
        sum += ((v >> axis) & 1) == at ? static_cast<int>((content >> v) & 1u) : 0;
      }
      squares += sum == 4 ? 1 : 0;
      touched += sum > 0 ? 1 : 0;
    }
  }
  // Voxels as points, neighbours by a face joined: a point is in 8 cells, an edge in 4, a square in
  // 2. Times 8.
  entry[CroftonDirections] = voxels - 2 * pairs + 4 * squares - (voxels == 8 ? 8 : 0);
  // Voxels as closed cubes around the cell's centre: a corner of them is in 1 cell, an edge half in
  // it, a face a quarter, the cube an eighth. Times 8.
  entry[CroftonDirections + 1] = (voxels > 0 ? 8 : 0) - 4 * touched + 2 * either - voxels;
  return entry;
}

Vector cross(const Vector& a, const Vector& b)
{
  return { a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0] };
}

double dot(const Vector& a, const Vector& b)
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector unit(Vector v)
{
  const double length = std::sqrt(dot(v, v));
  for (double& part : v)
  {
    part /= length;
  }
  return v;
}

/// Length of a step in a direction.
double stepLength(std::size_t d, const double spacing[3])
{
  const int* step = Directions[d];
  const Vector v{ step[0] * spacing[0], step[1] * spacing[1], step[2] * spacing[2] };
  return std::sqrt(dot(v, v));
}
}

//------------------------------------------------------------------------------------------------
const std::array<std::array<std::int32_t, 16>, 256>& cellTable()
{
  static const auto table = []
  {
    std::array<std::array<std::int32_t, 16>, 256> entries;
    for (unsigned int content = 0; content < 256; ++content)
    {
      entries[content] = cellEntry(content);
    }
    return entries;
  }();
  return table;
}

//------------------------------------------------------------------------------------------------
std::array<double, CroftonDirections> croftonWeights(const double spacing[3])
{
  std::array<Vector, CroftonDirections> directions;
  for (std::size_t d = 0; d < CroftonDirections; ++d)
  {
    const int* step = Directions[d];
    directions[d] = unit({ step[0] * spacing[0], step[1] * spacing[1], step[2] * spacing[2] });
  }
  std::array<double, CroftonDirections> weights;
  double sum = 0.0;
  for (std::size_t d = 0; d < CroftonDirections; ++d)
  {
    // The part of the plane that touches the sphere at the direction, clipped by the planes half
    // way to all others; far away, as a part may reach almost to a right angle.
    const Vector& u = directions[d];
    const int axis = static_cast<int>(std::min_element(u.begin(), u.end(), [](double a, double b)
                                        { return std::abs(a) < std::abs(b); }) -
      u.begin());
    Vector helper{ 0.0, 0.0, 0.0 };
    helper[static_cast<std::size_t>(axis)] = 1.0;
    const Vector e = unit(cross(u, helper));
    const Vector f = cross(u, e);
    constexpr double far = 1e6;
    std::vector<std::array<double, 2>> polygon{ { -far, -far }, { far, -far }, { far, far },
      { -far, far } };
    for (std::size_t o = 0; o < CroftonDirections; ++o)
    {
      for (const double sign : { -1.0, 1.0 })
      {
        if (o == d)
        {
          continue;
        }
        const Vector& v = directions[o];
        const Vector n{ u[0] - sign * v[0], u[1] - sign * v[1], u[2] - sign * v[2] };
        const double constant = dot(n, u);
        const double a = dot(n, e);
        const double b = dot(n, f);
        std::vector<std::array<double, 2>> clipped;
        for (std::size_t p = 0; p < polygon.size(); ++p)
        {
          const auto& from = polygon[p];
          const auto& to = polygon[(p + 1) % polygon.size()];
          const double valueFrom = constant + a * from[0] + b * from[1];
          const double valueTo = constant + a * to[0] + b * to[1];
          if (valueFrom >= 0.0)
          {
            clipped.push_back(from);
          }
          if ((valueFrom < 0.0) != (valueTo < 0.0))
          {
            const double t = valueFrom / (valueFrom - valueTo);
            clipped.push_back({ from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]) });
          }
        }
        polygon = std::move(clipped);
      }
    }
    // The solid angle of the polygon: triangles from the direction itself.
    double angle = 0.0;
    for (std::size_t p = 0; p < polygon.size(); ++p)
    {
      const auto& from = polygon[p];
      const auto& to = polygon[(p + 1) % polygon.size()];
      const double lengthFrom = std::sqrt(1.0 + from[0] * from[0] + from[1] * from[1]);
      const double lengthTo = std::sqrt(1.0 + to[0] * to[0] + to[1] * to[1]);
      const double triple = from[0] * to[1] - from[1] * to[0];
      const double below =
        lengthFrom * lengthTo + (1.0 + from[0] * to[0] + from[1] * to[1]) + lengthFrom + lengthTo;
      angle += 2.0 * std::atan2(triple, below);
    }
    weights[d] = angle;
    sum += angle;
  }
  for (double& weight : weights)
  {
    weight /= sum;
  }
  return weights;
}

//------------------------------------------------------------------------------------------------
double croftonArea(const LabelCell& cell, const double spacing[3],
  const std::array<double, CroftonDirections>& weights)
{
  // The mean over directions of cuts times the area for each line is half the surface.
  const double volume = spacing[0] * spacing[1] * spacing[2];
  double area = 0.0;
  for (std::size_t d = 0; d < CroftonDirections; ++d)
  {
    const double cuts = static_cast<double>(cell.cuts[d] / sharing(Directions[d]));
    area += weights[d] * cuts * (volume / stepLength(d, spacing));
  }
  return 2.0 * area;
}

//------------------------------------------------------------------------------------------------
void sumCells(std::vector<LabelCell>& cells)
{
  std::sort(cells.begin(), cells.end(),
    [](const LabelCell& a, const LabelCell& b) { return a.label < b.label; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cells.size(); ++i)
  {
    if (kept == 0 || cells[kept - 1].label != cells[i].label)
    {
      cells[kept++] = cells[i];
      continue;
    }
    LabelCell& sum = cells[kept - 1];
    for (int d = 0; d < CroftonDirections; ++d)
    {
      sum.cuts[d] += cells[i].cuts[d];
    }
    sum.euler6 += cells[i].euler6;
    sum.euler26 += cells[i].euler26;
  }
  cells.resize(kept);
}

} // namespace segcore
