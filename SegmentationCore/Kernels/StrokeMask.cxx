// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Masks: x fastest, one byte per voxel; i, j, k are global voxel indices.

#include "StrokeMask.h"

#include "StrokeSweep.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

using stroke::Brush;
using stroke::clamp;
using stroke::saturated;
using stroke::Segment;

namespace
{

constexpr double Epsilon = std::numeric_limits<double>::epsilon();
constexpr double Farthest = 0x1p40;           // of a point, in voxels
constexpr Index GroupSize = 32;               // segments that share a box
constexpr Index SlabBytes = Index{ 1 } << 19; // cleared and filled while it is in the cache

/// round(s d / n) for 0 <= s <= n <= 2^41 and |d| <= n, halves up, without overflow: the value and
/// what is left, 2 s d + n = 2 n value + rest with 0 <= rest < 2 n.
Index lineStep(Index s, Index d, Index n, Index& rest)
{
  // s d in two parts: q n + r, the high 21 bits of s first.
  const Index size = std::abs(d);
  const Index high = (s >> 20) * size;
  const Index low = (high % n << 20) + (s & 0xfffff) * size;
  Index q = ((high / n) << 20) + low / n;
  Index r = low % n;
  if (d < 0)
  {
    q = r > 0 ? -q - 1 : -q;
    r = r > 0 ? n - r : 0;
  }
  const bool up = 2 * r >= n;
  rest = 2 * r + (up ? -n : n);
  return q + up;
}

/// The digital line from p to q.
void writeLine(const Segment& segment, const Box& target, const Box& part, std::uint8_t* out)
{
  Index from[3];
  Index d[3];
  Index n = 0;
  int axis = 0; // the longest: it moves by one voxel with each step
  for (int a = 0; a < 3; ++a)
  {
    from[a] = static_cast<Index>(segment.p[a]);
    d[a] = static_cast<Index>(segment.q[a]) - from[a];
    if (std::abs(d[a]) > n)
    {
      n = std::abs(d[a]);
      axis = a;
    }
  }
  const Box box = segment.box.clipped(target);
  if (box.empty())
  {
    return;
  }
  if (n == 0)
  {
    out[part.offset(from[0], from[1], from[2])] = 1;
    return;
  }
  const bool up = d[axis] > 0;
  const Index first = up ? box.lo[axis] - from[axis] : from[axis] - box.hi[axis];
  const Index last = up ? box.hi[axis] - from[axis] : from[axis] - box.lo[axis];
  Index at[3];
  Index rest[3];
  for (int a = 0; a < 3; ++a)
  {
    at[a] = from[a] + lineStep(first, d[a], n, rest[a]);
  }
  for (Index s = first; s <= last; ++s)
  {
    if (box.contains(at[0], at[1], at[2]))
    {
      out[part.offset(at[0], at[1], at[2])] = 1;
    }
    for (int a = 0; a < 3; ++a)
    {
      rest[a] += 2 * d[a];
      if (rest[a] >= 2 * n)
      {
        ++at[a];
        rest[a] -= 2 * n;
      }
      else if (rest[a] < 0)
      {
        --at[a];
        rest[a] += 2 * n;
      }
    }
  }
}

//--------------------------------------------------------------------------------------------------
void require(bool condition, const char* message)
{
  if (!condition)
  {
    throw std::invalid_argument(std::string("segcore: ") + message);
  }
}

void requirePositive(double value, const char* name)
{
  if (!(value > 0.0) || !std::isfinite(value))
  {
    throw std::invalid_argument(std::string("segcore: the ") + name +
      " must be a finite number > 0, not " + std::to_string(value));
  }
}

bool finite(const double* values, Index count)
{
  return std::all_of(values, values + count, [](double value) { return std::isfinite(value); });
}

/// World to continuous index.
class Locator
{
public:
  explicit Locator(const StrokeGeometry& geometry) : Geometry(geometry)
  {
    for (const double spacing : geometry.spacing)
    {
      requirePositive(spacing, "spacing of the image");
    }
    require(finite(geometry.origin, 3), "the origin of the image is not finite");
    require(finite(geometry.direction, 9), "the direction of the image is not finite");
    const double* d = geometry.direction;
    for (int a = 0; a < 3; ++a)
    {
      for (int b = a; b < 3; ++b)
      {
        const double product = d[a] * d[b] + d[3 + a] * d[3 + b] + d[6 + a] * d[6 + b];
        require(std::abs(product - (a == b)) < 1e-3,
          "the columns of the image's direction must be orthonormal");
      }
    }
    double* to = this->Inverse;
    for (int r = 0; r < 3; ++r)
    {
      for (int c = 0; c < 3; ++c)
      {
        const int r1 = (c + 1) % 3;
        const int r2 = (c + 2) % 3;
        const int c1 = (r + 1) % 3;
        const int c2 = (r + 2) % 3;
        to[3 * r + c] = d[3 * r1 + c1] * d[3 * r2 + c2] - d[3 * r1 + c2] * d[3 * r2 + c1];
      }
    }
    const double determinant = d[0] * to[0] + d[1] * to[3] + d[2] * to[6];
    for (double& value : this->Inverse)
    {
      value /= determinant;
    }
  }

  void locate(const double world[3], double index[3]) const
  {
    double offset[3];
    double size[3];
    for (int a = 0; a < 3; ++a)
    {
      const double origin = this->Geometry.origin[a];
      offset[a] = clamp(world[a] - origin, -1e150, 1e150);
      size[a] = std::min(std::abs(world[a]) + std::abs(origin), 1e150);
    }
    for (int a = 0; a < 3; ++a)
    {
      const double* row = this->Inverse + 3 * a;
      const double spacing = this->Geometry.spacing[a];
      double value = (row[0] * offset[0] + row[1] * offset[1] + row[2] * offset[2]) / spacing;
      const double rounding = 8.0 * Epsilon *
        (std::abs(row[0]) * size[0] + std::abs(row[1]) * size[1] + std::abs(row[2]) * size[2]) /
        spacing;
      value = clamp(value, -Farthest, Farthest);
      const double halves = std::floor(2.0 * value + 0.5) / 2.0;
      index[a] = std::abs(value - halves) <= std::min(rounding, 1e-6) ? halves : value;
    }
  }

  /// A unit vector in world, along the axes of the image.
  void rotate(const double world[3], double axis[3]) const
  {
    const double size =
      std::max(std::abs(world[0]), std::max(std::abs(world[1]), std::abs(world[2])));
    for (int a = 0; a < 3; ++a)
    {
      const double* row = this->Inverse + 3 * a;
      axis[a] =
        row[0] * (world[0] / size) + row[1] * (world[1] / size) + row[2] * (world[2] / size);
    }
    // Twice: what rounding left of an axis that the normal is perpendicular to becomes 0.
    for (int pass = 0; pass < 2; ++pass)
    {
      const double length = std::sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
      for (int a = 0; a < 3; ++a)
      {
        axis[a] /= length;
        axis[a] = std::abs(axis[a]) < 1e-14 ? 0.0 : axis[a];
      }
    }
  }

private:
  const StrokeGeometry& Geometry;
  double Inverse[9]; // of the direction
};

Brush makeBrush(
  const Locator& locator, const StrokeGeometry& geometry, const StrokeOptions& options)
{
  Brush brush = {};
  const double identity[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
  std::copy(identity, identity + 9, brush.frame);
  if (options.shape == BrushShape::Voxel)
  {
    return brush;
  }
  requirePositive(options.diameterMillimetres, "diameter of the brush");
  const double radius = options.diameterMillimetres / 2.0;
  for (int a = 0; a < 3; ++a)
  {
    brush.scale[a] = clamp(geometry.spacing[a] / radius, 0x1p-100, 0x1p60);
    brush.reach[a] = 1.0;
  }
  brush.disc = options.shape == BrushShape::Circle;
  if (brush.disc)
  {
    require(finite(options.normal, 3) &&
        (options.normal[0] != 0.0 || options.normal[1] != 0.0 || options.normal[2] != 0.0),
      "the normal of the circle must be finite and not zero");
    requirePositive(options.thicknessMillimetres, "thickness of the brush");
    brush.half = std::min(options.thicknessMillimetres / 2.0 / radius, 0x1p100) * (1.0 + 5e-13);
    double n[3];
    locator.rotate(options.normal, n);
    const double shadow = n[0] == 0.0 ? 1.0 : std::sqrt(n[1] * n[1] + n[2] * n[2]); // of the x axis
    double* m = brush.frame;
    if (shadow > 0.0)
    {
      // The shadow of the x axis across the normal, and what is perpendicular to both.
      m[0] = shadow;
      m[1] = -n[0] * n[1] / shadow;
      m[2] = -n[0] * n[2] / shadow;
      m[3] = 0.0;
      m[4] = n[2] / shadow;
      m[5] = -n[1] / shadow;
    }
    else
    {
      m[0] = 0.0;
      m[1] = 1.0;
      m[2] = 0.0;
      m[3] = 0.0;
      m[4] = 0.0;
      m[5] = 1.0;
    }
    for (int a = 0; a < 3; ++a)
    {
      m[6 + a] = n[a];
      brush.reach[a] = std::sqrt(m[a] * m[a] + m[3 + a] * m[3 + a]) + std::abs(n[a]) * brush.half;
    }
  }
  return brush;
}

/// The voxels that a segment may have inside.
Box boxOf(const Segment& segment, const Brush& brush, BrushShape shape)
{
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    const double low = std::min(segment.p[a], segment.q[a]);
    const double high = std::max(segment.p[a], segment.q[a]);
    const double rounding = 1e-9 + 4.0 * Epsilon * std::max(std::abs(low), std::abs(high));
    const double reach =
      shape == BrushShape::Voxel ? 0.0 : brush.reach[a] * (1.0 + 1e-11) / brush.scale[a] + rounding;
    box.lo[a] = saturated(std::ceil(low - reach));
    box.hi[a] = saturated(std::floor(high + reach));
  }
  return box;
}

} // namespace

struct StrokeMask::Data
{
  Brush brush;
  BrushShape shape;
  std::vector<Segment> segments;
  std::vector<Box> groups; ///< One for GroupSize segments.
  Box bounds;
};

StrokeMask::StrokeMask(const double* pointsWorld, Index numberOfPoints,
  const StrokeGeometry& geometry, const StrokeOptions& options)
{
  require(numberOfPoints > 0 && pointsWorld != nullptr, "a stroke needs at least one point");
  const auto data = std::make_shared<Data>();
  const Locator locator(geometry);
  data->shape = options.shape;
  data->brush = makeBrush(locator, geometry, options);
  data->segments.reserve(static_cast<std::size_t>(std::max<Index>(1, numberOfPoints - 1)));
  Segment segment;
  const auto add = [&]()
  {
    segment.box = boxOf(segment, data->brush, data->shape);
    if (data->segments.size() % GroupSize == 0)
    {
      data->groups.emplace_back();
    }
    data->groups.back() = data->groups.back().unite(segment.box);
    data->bounds = data->bounds.unite(segment.box);
    data->segments.push_back(segment);
  };
  for (Index i = 0; i < numberOfPoints; ++i)
  {
    const double* world = pointsWorld + 3 * i;
    if (!finite(world, 3))
    {
      throw std::invalid_argument(
        "segcore: point " + std::to_string(i) + " of the stroke is not finite");
    }
    locator.locate(world, segment.q);
    if (data->shape == BrushShape::Voxel)
    {
      for (double& value : segment.q)
      {
        const double below = std::floor(value);
        value = value - below >= 0.5 ? below + 1.0 : below;
      }
    }
    // Points that repeat the one before add nothing.
    if (i > 0 && !std::equal(segment.p, segment.p + 3, segment.q))
    {
      add();
    }
    std::copy(segment.q, segment.q + 3, segment.p);
  }
  if (data->segments.empty())
  {
    add();
  }
  this->Data_ = data;
}

const Box& StrokeMask::bounds() const
{
  return this->Data_->bounds;
}

void StrokeMask::write(const Box& part, std::uint8_t* out) const
{
  if (part.empty())
  {
    return;
  }
  const Data& data = *this->Data_;
  const Index slice = part.dim(0) * part.dim(1);
  const Index slices = std::max<Index>(1, SlabBytes / slice);
  for (Index k = part.lo[2]; k <= part.hi[2]; k += slices)
  {
    Box slab = part;
    slab.lo[2] = k;
    slab.hi[2] = std::min(part.hi[2], k + slices - 1);
    std::memset(out + slice * (k - part.lo[2]), 0, static_cast<std::size_t>(slab.size()));
    for (std::size_t g = 0; g < data.groups.size(); ++g)
    {
      if (data.groups[g].clipped(slab).empty())
      {
        continue;
      }
      const std::size_t end = std::min(data.segments.size(), (g + 1) * GroupSize);
      for (std::size_t s = g * GroupSize; s < end; ++s)
      {
        const Segment& segment = data.segments[s];
        if (segment.box.clipped(slab).empty())
        {
          continue;
        }
        if (data.shape == BrushShape::Voxel)
        {
          writeLine(segment, slab, part, out);
        }
        else
        {
          stroke::sweep(data.brush, segment, s > 0, slab, part, out);
        }
      }
    }
  }
}

} // namespace segcore
