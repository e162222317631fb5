// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "PolygonPrism.h"

#include "ExactSign.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace segcore
{

namespace
{

constexpr double Epsilon = 0x1p-52;
constexpr double FarthestVertex = 0x1p50; // in units: differences and their products stay exact
constexpr Index LeafVoxels = 64;
constexpr std::size_t MostStrips = 4096;

/// To the nearest integer; below 2^51.
double rounded(double value)
{
  constexpr double Magic = 0x1.8p52;
  return (value + Magic) - Magic;
}

/// 2^-26 of the power of two at or below a step; of 1 if there is none.
double unitFor(double step)
{
  return std::ldexp(1.0, (step > 0.0 ? std::ilogb(step) : 0) - 26);
}

bool allFinite(const double* values, std::size_t count)
{
  return std::all_of(values, values + count, [](double value) { return std::isfinite(value); });
}

void corner(const Box& box, int c, double at[3])
{
  for (int a = 0; a < 3; ++a)
  {
    at[a] = static_cast<double>((c >> a) & 1 ? box.hi[a] : box.lo[a]);
  }
}

} // namespace

//------------------------------------------------------------------------------------------------
PolygonPrism::PolygonPrism(const PrismOutline& outline, const PrismView& view, const Box& whole)
  : Outside(view.outside), Circle(outline.circle)
{
  if (!allFinite(view.toView, 16))
  {
    throw std::invalid_argument("segcore::PolygonPrism: the view has a number that is not finite");
  }
  if (!allFinite(outline.vertices.data(), outline.vertices.size()))
  {
    throw std::invalid_argument("segcore::PolygonPrism: a vertex is not finite");
  }
  std::copy_n(view.toView, 16, this->Rows);
  const double* w = this->Rows + 12;
  this->Camera = w[0] != 0.0 || w[1] != 0.0 || w[2] != 0.0;
  if (!this->Camera && w[3] == 0.0)
  {
    throw std::invalid_argument("segcore::PolygonPrism: the view has no finite places");
  }
  double farthest = 1.0;
  double shift[2] = { 0.0, 0.0 };
  if (this->Camera)
  {
    farthest = 0.0;
    for (int c = 0; c < 8; ++c)
    {
      double at[3];
      corner(whole, c, at);
      farthest = std::max(farthest, std::abs(this->row(3, at[0], at[1], at[2])));
    }
    farthest = farthest > 0.0 ? farthest : 1.0;
  }
  else
  {
    const double constant = w[3];
    for (int n = 0; n < 8; ++n)
    {
      this->Rows[n] /= constant;
    }
    this->Rows[15] = 1.0;
    // Places are counted from the first voxel: far from the origin nothing else would be exact.
    for (int r = 0; r < 2; ++r)
    {
      shift[r] = this->row(r, static_cast<double>(whole.lo[0]), static_cast<double>(whole.lo[1]),
        static_cast<double>(whole.lo[2]));
      this->Rows[4 * r + 3] -= shift[r];
    }
  }
  double step = 0.0, depthStep = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    step = std::max(step, std::hypot(this->Rows[a], this->Rows[4 + a]) / farthest);
    depthStep = std::max(depthStep, std::abs(this->Rows[8 + a]));
  }
  if (!(step > 0.0) || !std::isfinite(step) || step < 0x1p-900 || step > 0x1p900)
  {
    throw std::invalid_argument("segcore::PolygonPrism: the view maps all voxels to one place");
  }
  const double unit = unitFor(step);
  const double depthUnit = unitFor(depthStep);
  for (int n = 0; n < 8; ++n)
  {
    this->Rows[n] /= unit; // a power of two: exact
  }
  for (int n = 8; n < 12; ++n)
  {
    this->Rows[n] /= depthUnit;
  }
  // The sums that make places and depths round by a few epsilon of their largest terms.
  double magnitude[4];
  for (int r = 0; r < 4; ++r)
  {
    magnitude[r] = std::abs(this->Rows[4 * r + 3]);
    for (int a = 0; a < 3; ++a)
    {
      magnitude[r] += std::abs(this->Rows[4 * r + a]) *
        static_cast<double>(std::max(std::abs(whole.lo[a]), std::abs(whole.hi[a])));
    }
  }
  this->PlaceError = 8.0 * Epsilon * (std::max(magnitude[0], magnitude[1]) + 1.0);
  this->DepthError = 8.0 * Epsilon * (magnitude[2] + 1.0) + 1.0;
  this->WError = 8.0 * Epsilon * magnitude[3];
  this->Low = std::isfinite(view.low) ? std::nearbyint(view.low / depthUnit) : view.low;
  this->High = std::isfinite(view.high) ? std::nearbyint(view.high / depthUnit) : view.high;

  const auto place = [&](double value, int axis)
  {
    const double at = std::nearbyint((value - shift[axis]) / unit);
    return std::min(std::max(at, -FarthestVertex), FarthestVertex);
  };
  if (this->Circle)
  {
    this->Radius = std::min(outline.vertices[2] / unit, FarthestVertex);
    for (int a = 0; a < 2; ++a)
    {
      this->Centre[a] = place(outline.vertices[static_cast<std::size_t>(a)], a);
      this->Least[a] = std::floor(this->Centre[a] - this->Radius) - 1.0;
      this->Most[a] = std::ceil(this->Centre[a] + this->Radius) + 1.0;
    }
  }
  else
  {
    PrismOutline placed = outline;
    for (std::size_t v = 0; v < placed.vertices.size(); ++v)
    {
      placed.vertices[v] = place(placed.vertices[v], static_cast<int>(v % 2));
    }
    this->addContours(placed);
  }
  this->findBounds(whole);
}

//------------------------------------------------------------------------------------------------
void PolygonPrism::addContours(const PrismOutline& outline)
{
  std::fill_n(this->Least, 2, std::numeric_limits<double>::infinity());
  std::fill_n(this->Most, 2, -std::numeric_limits<double>::infinity());
  Index first = 0;
  for (const Index end : outline.ends)
  {
    // One or two vertices enclose nothing.
    for (Index v = end - first < 3 ? end : first; v < end; ++v)
    {
      const double* a = outline.vertices.data() + 2 * v;
      const double* b = outline.vertices.data() + 2 * (v + 1 < end ? v + 1 : first);
      for (int axis = 0; axis < 2; ++axis)
      {
        this->Least[axis] = std::min(this->Least[axis], a[axis]);
        this->Most[axis] = std::max(this->Most[axis], a[axis]);
      }
      // Level edges are crossed by no level ray, but they bound the outline all the same.
      const bool up = a[1] <= b[1];
      this->Edges.push_back(up ? Edge{ a[0], a[1], b[0], b[1] } : Edge{ b[0], b[1], a[0], a[1] });
    }
    first = end;
  }
  if (this->Edges.empty())
  {
    return;
  }
  const std::size_t strips = std::min(MostStrips, std::max<std::size_t>(1, 2 * this->Edges.size()));
  const double height = this->Most[1] - this->Least[1];
  this->StripsPerUnit = height > 0.0 ? static_cast<double>(strips) / height : 0.0;
  this->Starts.assign(strips + 1, 0);
  const auto forStrips = [this](const Edge& edge, const auto& work)
  {
    const std::size_t last = this->strip(edge.by);
    for (std::size_t s = this->strip(edge.ay); s <= last; ++s)
    {
      work(s);
    }
  };
  for (const Edge& edge : this->Edges)
  {
    forStrips(edge, [this](std::size_t s) { ++this->Starts[s + 1]; });
  }
  for (std::size_t s = 0; s < strips; ++s)
  {
    this->Starts[s + 1] += this->Starts[s];
  }
  this->Crossing.resize(static_cast<std::size_t>(this->Starts[strips]));
  std::vector<Index> next(this->Starts.begin(), this->Starts.end() - 1);
  for (std::size_t e = 0; e < this->Edges.size(); ++e)
  {
    forStrips(this->Edges[e], [&](std::size_t s)
      { this->Crossing[static_cast<std::size_t>(next[s]++)] = static_cast<Index>(e); });
  }
}

//------------------------------------------------------------------------------------------------
/// Never decreases with y; so a place is in a strip of each edge that is level with it.
std::size_t PolygonPrism::strip(double y) const
{
  const double at = (y - this->Least[1]) * this->StripsPerUnit;
  const double last = static_cast<double>(this->Starts.size() - 2);
  return static_cast<std::size_t>(std::min(std::max(at, 0.0), last));
}

//------------------------------------------------------------------------------------------------
bool PolygonPrism::inRange(double i, double j, double k) const
{
  if (this->Low == -std::numeric_limits<double>::infinity() &&
    this->High == std::numeric_limits<double>::infinity())
  {
    return true;
  }
  const double depth = std::nearbyint(this->row(2, i, j, k));
  return depth >= this->Low && depth < this->High;
}

//------------------------------------------------------------------------------------------------
/// Of a place in whole units.
bool PolygonPrism::insideOutline(double x, double y) const
{
  if (this->Circle)
  {
    const double dx = x - this->Centre[0];
    const double dy = y - this->Centre[1];
    return dx * dx + dy * dy <= this->Radius * this->Radius * (1.0 + 1e-12);
  }
  bool inside = false;
  const std::size_t s = this->strip(y);
  for (Index c = this->Starts[s]; c < this->Starts[s + 1]; ++c)
  {
    const Edge& edge =
      this->Edges[static_cast<std::size_t>(this->Crossing[static_cast<std::size_t>(c)])];
    if (!(edge.ay <= y && y < edge.by))
    {
      continue;
    }
    if (x < std::min(edge.ax, edge.bx))
    {
      inside = !inside;
    }
    else if (x < std::max(edge.ax, edge.bx))
    {
      // Whether the edge is met to the right of the place: (b - a) x (p - a), without rounding.
      inside ^= exactSign2(edge.bx - edge.ax, edge.by - edge.ay, x - edge.ax, y - edge.ay) > 0;
    }
  }
  return inside;
}

//------------------------------------------------------------------------------------------------
bool PolygonPrism::inside(Index i, Index j, Index k) const
{
  const double at[3] = { static_cast<double>(i), static_cast<double>(j), static_cast<double>(k) };
  if (!this->inRange(at[0], at[1], at[2]))
  {
    return false;
  }
  double x = this->row(0, at[0], at[1], at[2]);
  double y = this->row(1, at[0], at[1], at[2]);
  if (this->Camera)
  {
    const double w = this->row(3, at[0], at[1], at[2]);
    if (!(w > 0.0))
    {
      return this->Outside;
    }
    x /= w;
    y /= w;
  }
  // Far away, where places have no units any more, and nowhere if there is no outline.
  if (!(x >= this->Least[0] - 1.0 && x <= this->Most[0] + 1.0 && y >= this->Least[1] - 1.0 &&
        y <= this->Most[1] + 1.0))
  {
    return this->Outside;
  }
  return this->insideOutline(rounded(x), rounded(y)) != this->Outside;
}

//------------------------------------------------------------------------------------------------
/// Of all places in a rectangle.
int PolygonPrism::uniformOutline(const double low[2], const double high[2]) const
{
  for (int a = 0; a < 2; ++a)
  {
    // Not "beyond": without an outline the bounds are the wrong way round.
    if (!(low[a] <= this->Most[a] && high[a] >= this->Least[a]))
    {
      return 0;
    }
  }
  const double centre[2] = { (low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0 };
  const double half[2] = { (high[0] - low[0]) / 2.0, (high[1] - low[1]) / 2.0 };
  if (this->Circle)
  {
    double nearest = 0.0, farthest = 0.0;
    for (int a = 0; a < 2; ++a)
    {
      const double d = std::abs(centre[a] - this->Centre[a]);
      const double gap = std::max(0.0, d - half[a]);
      nearest += gap * gap;
      farthest += (d + half[a]) * (d + half[a]);
    }
    const double square = this->Radius * this->Radius;
    return nearest > square * (1.0 + 1e-9) ? 0 : (farthest < square * (1.0 - 1e-9) ? 1 : -1);
  }
  const std::size_t last = this->strip(high[1]);
  for (std::size_t s = this->strip(low[1]); s <= last; ++s)
  {
    for (Index c = this->Starts[s]; c < this->Starts[s + 1]; ++c)
    {
      const Edge& edge =
        this->Edges[static_cast<std::size_t>(this->Crossing[static_cast<std::size_t>(c)])];
      if (edge.by < low[1] || edge.ay > high[1] || std::max(edge.ax, edge.bx) < low[0] ||
        std::min(edge.ax, edge.bx) > high[0])
      {
        continue;
      }
      const double dx = edge.bx - edge.ax;
      const double dy = edge.by - edge.ay;
      const double across = dx * (centre[1] - edge.ay) - dy * (centre[0] - edge.ax);
      if (!(std::abs(across) > std::abs(dx) * half[1] + std::abs(dy) * half[0]))
      {
        return -1;
      }
    }
  }
  return this->insideOutline(std::nearbyint(centre[0]), std::nearbyint(centre[1])) ? 1 : 0;
}

//------------------------------------------------------------------------------------------------
int PolygonPrism::uniform(const Box& part) const
{
  if (part.empty())
  {
    return 0;
  }
  const double infinity = std::numeric_limits<double>::infinity();
  double low[2] = { infinity, infinity }, high[2] = { -infinity, -infinity };
  double depthLow = infinity, depthHigh = -infinity, nearest = infinity, farthest = -infinity;
  for (int c = 0; c < 8; ++c)
  {
    double at[3];
    corner(part, c, at);
    const double depth = this->row(2, at[0], at[1], at[2]);
    depthLow = std::min(depthLow, depth);
    depthHigh = std::max(depthHigh, depth);
    const double w = this->Camera ? this->row(3, at[0], at[1], at[2]) : 1.0;
    nearest = std::min(nearest, w);
    farthest = std::max(farthest, w);
    for (int a = 0; a < 2; ++a)
    {
      const double place = this->row(a, at[0], at[1], at[2]) / w;
      low[a] = std::min(low[a], place);
      high[a] = std::max(high[a], place);
    }
  }
  int depth = -1;
  if (depthHigh + this->DepthError < this->Low || depthLow - this->DepthError >= this->High)
  {
    return 0;
  }
  if (depthLow - this->DepthError >= this->Low && depthHigh + this->DepthError < this->High)
  {
    depth = 1;
  }
  int seen = -1;
  if (farthest < -this->WError)
  {
    seen = 0;
  }
  else if (!this->Camera || nearest > 2.0 * this->WError)
  {
    // In front of the camera, the image of a box is the hull of the images of its corners. Three
    // units more, for the rounding of places and of the comparisons.
    for (int a = 0; a < 2; ++a)
    {
      const double reach = std::max(std::abs(low[a]), std::abs(high[a]));
      const double error = (this->PlaceError + reach * this->WError) / nearest + 3.0;
      low[a] -= error;
      high[a] += error;
    }
    seen = this->uniformOutline(low, high);
  }
  seen = seen >= 0 && this->Outside ? 1 - seen : seen;
  return seen == 0 ? 0 : (seen == 1 && depth == 1 ? 1 : -1);
}

//------------------------------------------------------------------------------------------------
void PolygonPrism::findBounds(const Box& whole)
{
  this->Bounds = whole;
  // Twice, as the second axis makes the first one shorter again.
  for (int turn = 0; turn < 2 && !this->Bounds.empty(); ++turn)
  {
    for (int a = 0; a < 3 && !this->Bounds.empty(); ++a)
    {
      for (int side = 0; side < 2 && !this->Bounds.empty(); ++side)
      {
        // The most layers of this side that are known to be outside.
        Index good = 0, bad = this->Bounds.dim(a) + 1;
        while (bad - good > 1)
        {
          const Index layers = good + (bad - good) / 2;
          Box slab = this->Bounds;
          (side == 0 ? slab.hi[a] : slab.lo[a]) =
            side == 0 ? slab.lo[a] + layers - 1 : slab.hi[a] - layers + 1;
          (this->uniform(slab) == 0 ? good : bad) = layers;
        }
        (side == 0 ? this->Bounds.lo[a] : this->Bounds.hi[a]) += side == 0 ? good : -good;
      }
    }
  }
}

//------------------------------------------------------------------------------------------------
void PolygonPrism::write(const Box& part, std::uint8_t* out) const
{
  std::memset(out, 0, static_cast<std::size_t>(part.size()));
  const Box box = part.clipped(this->Bounds);
  if (!box.empty())
  {
    this->fill(box, part, out);
  }
}

//------------------------------------------------------------------------------------------------
void PolygonPrism::fill(const Box& box, const Box& part, std::uint8_t* out) const
{
  const int known = this->uniform(box);
  if (known == 0)
  {
    return;
  }
  if (known < 0 && box.size() > LeafVoxels)
  {
    const int a = box.dim(2) >= box.dim(1) && box.dim(2) >= box.dim(0) ? 2
      : box.dim(1) >= box.dim(0)                                       ? 1
                                                                       : 0;
    Box first = box, second = box;
    first.hi[a] = box.lo[a] + box.dim(a) / 2 - 1;
    second.lo[a] = first.hi[a] + 1;
    this->fill(first, part, out);
    this->fill(second, part, out);
    return;
  }
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      std::uint8_t* to = out + part.offset(box.lo[0], j, k);
      if (known == 1)
      {
        std::fill_n(to, box.dim(0), std::uint8_t{ 1 });
        continue;
      }
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i, ++to)
      {
        *to = this->inside(i, j, k) ? 1 : 0;
      }
    }
  }
}

} // namespace segcore
