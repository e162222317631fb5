// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Frames. Everything is measured in units of the brush's radius, relative to the first end p of a
// segment: (x, y, z) = (index - p) .* scale along the axes of the image. The row frame F turns this
// so that the distance to the stroke needs few terms, and x enters F[0] alone, apart from the axis:
//   Sphere: F = (x, y, z).
//   Circle: F[2] along the normal; F[0], F[1] across it, F[0] along the shadow of the x axis.
// A row is the voxels of one (y, z); i, j, k are global voxel indices. Masks: x fastest, one byte
// per voxel.

#include "StrokeSweep.h"

#include "Pair.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace segcore
{

namespace stroke
{

namespace
{

constexpr double Epsilon = std::numeric_limits<double>::epsilon();
constexpr double Infinity = std::numeric_limits<double>::infinity();
constexpr double Limit = 1.0 + 1e-12; // of the squared distance, in radii
constexpr double Parallel = 1e-13;    // segments that deviate less, in radii
constexpr int Batch = 64;             // rows

/// std::memset(to, 1, count), without a call for the short rows of a brush: writes that overlap.
inline void fill(std::uint8_t* to, Index count)
{
  constexpr std::uint64_t ones = 0x0101010101010101u;
  if (count > 32)
  {
    std::memset(to, 1, static_cast<std::size_t>(count));
  }
  else if (count >= 8)
  {
    const Index last = count - 8;
    std::memcpy(to, &ones, 8);
    std::memcpy(to + std::min<Index>(8, last), &ones, 8);
    std::memcpy(to + std::min<Index>(16, last), &ones, 8);
    std::memcpy(to + last, &ones, 8);
  }
  else if (count >= 4)
  {
    std::memcpy(to, &ones, 4);
    std::memcpy(to + count - 4, &ones, 4);
  }
  else if (count > 0)
  {
    to[0] = 1;
    to[count / 2] = 1;
    to[count - 1] = 1;
  }
}

//--------------------------------------------------------------------------------------------------
/// The voxels inside the brush when it is swept along a segment.
class Sweep
{
public:
  /// `continued`: another segment ends where this one begins, and is written into the same block.
  Sweep(const Brush& brush, const Segment& segment, bool continued);

  /// Sets the voxels of `target` that are inside to 1; `target` is in `part`, which `out` holds.
  void write(const Box& target, const Box& part, std::uint8_t* out) const;

private:
  /// What the voxels of a row have in common: F for x = 0, from both ends.
  struct Row
  {
    double p[3];
    double q[3];
  };
  /// A row through the swept ball, or through the swept cylinder across the normal of a disc.
  template <class Number>
  struct BallEnds
  {
    Number low; ///< x of the ends.
    Number high;
    Number tLow; ///< The points of the segment whose balls have these ends, 0 = p, 1 = q.
    Number tHigh;
    Number room; ///< Square of half the length of the row in the smaller of these; < 0: none.
  };
  /// The intervals of some rows: the first voxel of the part and one past the last, or
  /// Sweep::Decide.
  struct Intervals
  {
    double begin[Batch];
    double stop[Batch];
  };
  static constexpr double Decide = -1.0; ///< Too close to a voxel: the definition decides.

  Row row(Index j, Index k) const;
  bool inside(const Row& row, Index i) const;
  bool interval(Index j, Index k, Index& lo, Index& hi) const;
  bool outline(const Row& row, double& low, double& high) const;
  bool driftOutline(const Row& row, double& low, double& high) const;
  template <class Number>
  BallEnds<Number> ballEnds(Number f0, Number f1, Number f2, double room) const;
  bool rowsBetween(double z, const Box& target, Index& first, Index& last) const;
  void writePoint(const Box& box, const Box& part, std::uint8_t* out) const;
  bool column(const Box& part, double& start, double& end) const;
  void intervals(Index first, int count, double z, const Box& part, double start, double end,
    Intervals& result) const;

  const Brush& B;
  const Segment& S;
  bool Continued;
  double Along[3]; ///< From p to q, along the axes of the image.
  double E[3];     ///< From p to q, in the row frame; E[2] is 0 for a disc.
  double Drift;    ///< From p to q along the normal of a disc.
  bool Point;      ///< E is 0.
  double Inverse;  ///< 1 / |E|^2, or 0.
  // See ballEnds().
  double Across; ///< |E|^2 without E[0].
  double PerAcross;
  double Root;
  double BaseLow;
  double BaseHigh;
  // Rounding errors, generously.
  double Blur;  ///< Of a squared distance.
  double Slack; ///< Of a length.
  double Far;   ///< Of an index.
  double Thin;  ///< BallEnds with less room are not trusted.
  double Doubt; ///< Of the ends of an interval, in voxels.
};

Sweep::Sweep(const Brush& brush, const Segment& segment, bool continued)
  : B(brush), S(segment), Continued(continued)
{
  const double* m = brush.frame;
  double length2 = 0.0;
  this->Far = 0.0;
  for (int a = 0; a < 3; ++a)
  {
    this->Along[a] = (segment.q[a] - segment.p[a]) * brush.scale[a];
    length2 += this->Along[a] * this->Along[a];
    this->Far = std::max(this->Far, std::max(std::abs(segment.p[a]), std::abs(segment.q[a])));
  }
  for (int r = 0; r < 3; ++r)
  {
    this->E[r] =
      m[3 * r] * this->Along[0] + m[3 * r + 1] * this->Along[1] + m[3 * r + 2] * this->Along[2];
  }
  this->Drift = 0.0;
  if (brush.disc)
  {
    this->Drift = std::abs(this->E[2]) < 1e-10 * brush.half ? 0.0 : this->E[2];
    this->E[2] = 0.0;
  }
  this->Across = this->E[1] * this->E[1] + this->E[2] * this->E[2];
  const double e2 = this->E[0] * this->E[0] + this->Across;
  this->Point = e2 < 1e-200;
  this->Inverse = this->Point ? 0.0 : 1.0 / e2;
  this->PerAcross = 0.0;
  this->Root = 0.0;
  this->BaseLow = 0.0;
  this->BaseHigh = 0.0;
  this->Blur = 1e-11;
  this->Thin = 1e-7;
  const double length = std::sqrt(length2);
  if (!this->Point)
  {
    const double across = std::sqrt(this->Across);
    this->Blur += 1e-11 * length;
    if (across < Parallel)
    {
      // Along the row: its interval ends with the balls around p and q.
      (this->E[0] > 0.0 ? this->BaseHigh : this->BaseLow) = 1.0;
    }
    else
    {
      this->PerAcross = 1.0 / this->Across;
      this->Root = this->E[0] * std::sqrt(this->Inverse) * this->PerAcross;
      this->Blur += 1e-15 * e2 / across;
    }
    // An error of t enters the squared distance like its square root.
    this->Blur = 4.0 * std::sqrt(this->Blur);
    this->Thin = length < 1e6 ? 1e-3 + this->Blur : Infinity;
  }
  const double perRow = m[0] > 0.0 ? 1.0 / m[0] : 0.0;
  const double perSlab =
    m[6] != 0.0 && brush.half < 0x1p99 ? (1.0 + brush.half) / std::abs(m[6]) : 0.0;
  this->Far *= 4.0 * Epsilon;
  this->Slack = 1e-14 * (1.0 + length);
  this->Doubt = 1e3 * this->Slack * (perRow + perSlab) / brush.scale[0] + this->Far;
}

inline Sweep::Row Sweep::row(Index j, Index k) const
{
  const double* m = this->B.frame;
  const double jj = static_cast<double>(j);
  const double kk = static_cast<double>(k);
  const double y = (jj - this->S.p[1]) * this->B.scale[1];
  const double z = (kk - this->S.p[2]) * this->B.scale[2];
  const double v = (jj - this->S.q[1]) * this->B.scale[1];
  const double w = (kk - this->S.q[2]) * this->B.scale[2];
  Row row;
  for (int r = 0; r < 3; ++r)
  {
    row.p[r] = m[3 * r + 1] * y + m[3 * r + 2] * z;
    row.q[r] = m[3 * r + 1] * v + m[3 * r + 2] * w;
  }
  return row;
}

/// The definition.
inline bool Sweep::inside(const Row& row, Index i) const
{
  const double* m = this->B.frame;
  const double x = (static_cast<double>(i) - this->S.p[0]) * this->B.scale[0];
  const double f0 = m[0] * x + row.p[0];
  const double f1 = row.p[1];
  double f2 = m[6] * x + row.p[2];
  double first = 0.0;
  double last = 1.0;
  if (this->B.disc)
  {
    if (this->Drift == 0.0)
    {
      if (!(std::abs(f2) <= this->B.half))
      {
        return false;
      }
    }
    else
    {
      // The part of the segment in whose slab the voxel is.
      const double a = (f2 - this->B.half) / this->Drift;
      const double b = (f2 + this->B.half) / this->Drift;
      first = std::max(first, std::min(a, b));
      last = std::min(last, std::max(a, b));
      if (!(first <= last))
      {
        return false;
      }
    }
    f2 = 0.0;
  }
  const double t =
    clamp((f0 * this->E[0] + f1 * this->E[1] + f2 * this->E[2]) * this->Inverse, first, last);
  double d0 = f0 - t * this->E[0];
  double d1 = f1 - t * this->E[1];
  double d2 = f2 - t * this->E[2];
  if (t == 1.0)
  {
    // From q itself, so that ties at the far end of a long segment are decided as well as at p.
    const double u = (static_cast<double>(i) - this->S.q[0]) * this->B.scale[0];
    d0 = m[0] * u + row.q[0];
    d1 = row.q[1];
    d2 = this->B.disc ? 0.0 : m[6] * u + row.q[2];
  }
  return (d0 * d0 + d1 * d1) + d2 * d2 <= Limit;
}

/// Let m = F . E and c = F x E, both without x. The infinite cylinder |F|^2 - (F . E)^2 / |E|^2 <=
/// R meets the row where x = (E0 m -+ |E| sqrt(R Across - c^2)) / Across, by Lagrange's identity;
/// the point closest to that is t = (m -+ E0 / |E| sqrt(...)) / Across. The upper end of the ball
/// around point t is a concave function of t and the lower one convex: clamping t gives the best of
/// the segment.
template <class Number>
inline Sweep::BallEnds<Number> Sweep::ballEnds(Number f0, Number f1, Number f2, double room) const
{
  const Number zero(0.0);
  const Number one(1.0);
  const Number limit(room);
  const Number e0(this->E[0]);
  const Number e1(this->E[1]);
  const Number e2(this->E[2]);
  const Number c = f1 * e2 - f2 * e1;
  const Number middle = (f1 * e1 + f2 * e2) * Number(this->PerAcross);
  const Number side = Number(this->Root) * root(larger(zero, Number(room * this->Across) - c * c));
  const Number tLow = smaller(one, larger(zero, Number(this->BaseLow) + middle - side));
  const Number tHigh = smaller(one, larger(zero, Number(this->BaseHigh) + middle + side));
  const Number l1 = f1 - tLow * e1;
  const Number l2 = f2 - tLow * e2;
  const Number h1 = f1 - tHigh * e1;
  const Number h2 = f2 - tHigh * e2;
  const Number lowRoom = limit - l1 * l1 - l2 * l2;
  const Number highRoom = limit - h1 * h1 - h2 * h2;
  const Number perX(1.0 / this->B.frame[0]);
  return { (tLow * e0 - root(larger(zero, lowRoom)) - f0) * perX,
    (tHigh * e0 + root(larger(zero, highRoom)) - f0) * perX, tLow, tHigh,
    smaller(lowRoom, highRoom) };
}

/// A superset of a row's interval, slightly larger, in units of x. False if it is empty.
bool Sweep::outline(const Row& row, double& low, double& high) const
{
  const double* m = this->B.frame;
  const double* e = this->E;
  const double room = Limit + this->Blur;
  if (m[0] > 0.0)
  {
    const BallEnds<double> ball =
      this->ballEnds(row.p[0], row.p[1], this->B.disc ? 0.0 : row.p[2], room);
    if (!(ball.room >= 0.0))
    {
      return false;
    }
    low = ball.low;
    high = ball.high;
  }
  else
  {
    // The row is parallel to the normal: all of it is equally far.
    const double t = clamp((row.p[0] * e[0] + row.p[1] * e[1]) * this->Inverse, 0.0, 1.0);
    const double d0 = row.p[0] - t * e[0];
    const double d1 = row.p[1] - t * e[1];
    if (!(d0 * d0 + d1 * d1 <= room))
    {
      return false;
    }
    low = -Infinity;
    high = Infinity;
  }
  if (this->B.disc)
  {
    const double half = this->B.half * (1.0 + 1e-12) + this->Slack;
    if (m[6] != 0.0)
    {
      const double a = (-half - row.p[2]) / m[6];
      const double b = (half - row.p[2]) / m[6];
      low = std::max(low, std::min(a, b));
      high = std::min(high, std::max(a, b));
    }
    else if (!(std::abs(row.p[2]) <= half))
    {
      return false;
    }
  }
  return true;
}

/// The same for a disc that moves along its normal. In the plane of x and t (the point on the
/// segment), the row's interval is the shadow of what is in the strip 0 <= t <= 1, in the strip of
/// the slab and in an ellipse. It is convex: its ends are those of the ellipse within the first
/// strip, or lie on an edge of the slab.
bool Sweep::driftOutline(const Row& row, double& low, double& high) const
{
  const double* m = this->B.frame;
  const double* e = this->E;
  const double room = Limit + this->Blur;
  const double slack = 1e-9;
  const double half = this->B.half * (1.0 + slack) + 100.0 * this->Slack;
  low = Infinity;
  high = -Infinity;
  const auto take = [&](double x)
  {
    low = std::min(low, x);
    high = std::max(high, x);
  };
  // The part of the line (x0, t0) + s (dx, dt) within the three.
  const auto line = [&](double x0, double t0, double dx, double dt)
  {
    double first = -Infinity;
    double last = Infinity;
    const auto strip = [&](double value, double slope, double from, double to)
    {
      if (slope == 0.0)
      {
        last = value >= from && value <= to ? last : -Infinity;
        return;
      }
      const double a = (from - value) / slope;
      const double b = (to - value) / slope;
      first = std::max(first, std::min(a, b));
      last = std::min(last, std::max(a, b));
    };
    strip(t0, dt, -slack, 1.0 + slack);
    strip(m[6] * x0 + row.p[2] - this->Drift * t0, m[6] * dx - this->Drift * dt, -half, half);
    const double c0 = m[0] * x0 + row.p[0] - t0 * e[0];
    const double c1 = row.p[1] - t0 * e[1];
    const double s0 = m[0] * dx - dt * e[0];
    const double s1 = -dt * e[1];
    const double s2 = s0 * s0 + s1 * s1;
    if (s2 > 0.0)
    {
      const double nearest = -(c0 * s0 + c1 * s1) / s2;
      const double away = (c0 * s1 - c1 * s0) * (c0 * s1 - c1 * s0) / s2;
      const double reach = room - away >= 0.0 ? std::sqrt((room - away) / s2) : -Infinity;
      first = std::max(first, nearest - reach);
      last = std::min(last, nearest + reach);
    }
    else if (!(c0 * c0 + c1 * c1 <= room))
    {
      return;
    }
    if (first <= last)
    {
      take(x0 + first * dx);
      take(x0 + last * dx);
    }
  };
  const double n2 = m[6] * m[6] + this->Drift * this->Drift;
  for (const double side : { -this->B.half, this->B.half })
  {
    const double s = (side - row.p[2]) / n2;
    line(s * m[6], -s * this->Drift, this->Drift, m[6]);
  }
  if (m[0] > 0.0)
  {
    const BallEnds<double> ball = this->ballEnds(row.p[0], row.p[1], 0.0, room);
    for (const bool up : { false, true })
    {
      const double x = up ? ball.high : ball.low;
      const double t = up ? ball.tHigh : ball.tLow;
      if (ball.room >= 0.0 && std::abs(m[6] * x + row.p[2] - this->Drift * t) <= half)
      {
        take(x);
      }
    }
  }
  const double more = 1e-7 * (1.0 + std::abs(this->E[0]) + std::abs(this->E[1]));
  low -= more;
  high += more;
  return low <= high;
}

/// The voxels of a row that are inside, by the definition. False if there is none.
bool Sweep::interval(Index j, Index k, Index& lo, Index& hi) const
{
  const Row row = this->row(j, k);
  double low;
  double high;
  if (!(this->Drift == 0.0 ? this->outline(row, low, high) : this->driftOutline(row, low, high)))
  {
    return false;
  }
  const double* m = this->B.frame;
  const double perVoxel = 1.0 / this->B.scale[0];
  const double origin = this->S.p[0];
  const double more = this->Slack * (m[0] > 0.0 ? 1.0 / m[0] : 1.0) * perVoxel + this->Far;
  lo = std::max(this->S.box.lo[0], saturated(std::ceil(origin + low * perVoxel - more)));
  hi = std::min(this->S.box.hi[0], saturated(std::floor(origin + high * perVoxel + more)));
  Index in = saturated(std::floor(origin + (low + high) / 2.0 * perVoxel));
  // Moves an end inwards to the first voxel inside, unless it is far away: the row all but touches
  // a long segment, or is all but parallel to a slab.
  const auto walk = [&](Index& end, Index step)
  {
    for (int n = 0; n < 256 && lo <= hi; ++n, end += step)
    {
      if (this->inside(row, end))
      {
        return true;
      }
    }
    return false;
  };
  const bool lowInside = walk(lo, 1);
  const bool highInside = walk(hi, -1);
  if (lo > hi)
  {
    return false;
  }
  // Then by halves, towards a voxel that is inside.
  in = lowInside ? lo : highInside ? hi : std::min(std::max(in, lo), hi);
  if (!lowInside && !highInside && !this->inside(row, in))
  {
    return false;
  }
  const auto halve = [&](Index outside)
  {
    Index end = in;
    while (std::abs(end - outside) > 1)
    {
      const Index middle = outside + (end - outside) / 2;
      (this->inside(row, middle) ? end : outside) = middle;
    }
    return end;
  };
  lo = lowInside ? lo : halve(lo - 1);
  hi = highInside ? hi : halve(hi + 1);
  return true;
}

/// The rows of a slice that may have voxels inside and have not been written by the segment before.
/// False if there is none.
bool Sweep::rowsBetween(double z, const Box& target, Index& first, Index& last) const
{
  const double ey = this->Along[1];
  const double ez = this->Along[2];
  const double more = 1e-9 * (1.0 + std::abs(ey) + std::abs(ez));
  double low;
  double high;
  if (!this->B.disc)
  {
    // The same as BallEnds, one dimension less: the shadow of the swept ball along x.
    const double room = Limit + this->Blur;
    const bool flat = std::abs(ez) < Parallel;
    const double side = flat ? 0.0 : ey * std::sqrt(room / (ey * ey + ez * ez)) / std::abs(ez);
    const double middle = flat ? 0.0 : z / ez;
    const double tLow = flat ? ey < 0.0 : clamp(middle - side, 0.0, 1.0);
    const double tHigh = flat ? ey > 0.0 : clamp(middle + side, 0.0, 1.0);
    const double lowRoom = room - (z - tLow * ez) * (z - tLow * ez);
    const double highRoom = room - (z - tHigh * ez) * (z - tHigh * ez);
    if (lowRoom < 0.0 || highRoom < 0.0)
    {
      return false;
    }
    low = tLow * ey - std::sqrt(lowRoom) - more;
    high = tHigh * ey + std::sqrt(highRoom) + more;
    // Where F . E is so far below 0 that both ends of the row are those of the ball around p.
    const double behind =
      -(std::abs(this->E[0]) * std::sqrt(this->Across * this->Inverse * room) + more);
    if (this->Continued && ey > Parallel)
    {
      low = std::max(low, (behind - z * ez) / ey - more);
    }
    else if (this->Continued && ey < -Parallel)
    {
      high = std::min(high, (behind - z * ez) / ey + more);
    }
  }
  else
  {
    // Of the part of the segment that is close enough to the slice.
    const double reach = this->B.reach[2] + more;
    double from = 0.0;
    double to = 1.0;
    if (ez != 0.0)
    {
      const double a = (z - reach) / ez;
      const double b = (z + reach) / ez;
      from = clamp(std::min(a, b), 0.0, 1.0);
      to = clamp(std::max(a, b), 0.0, 1.0);
    }
    low = std::min(from * ey, to * ey) - this->B.reach[1] - more;
    high = std::max(from * ey, to * ey) + this->B.reach[1] + more;
  }
  const double rounding = 1e-9 + 4.0 * Epsilon * std::abs(this->S.p[1]);
  const double perVoxel = 1.0 / this->B.scale[1];
  first = std::max(target.lo[1], saturated(std::ceil(this->S.p[1] + low * perVoxel - rounding)));
  last = std::min(target.hi[1], saturated(std::floor(this->S.p[1] + high * perVoxel + rounding)));
  return first <= last;
}

/// A ball, or a disc whose normal is perpendicular to the rows, that does not move: a square root
/// gives the half-length of a row. It is added to the part of p behind the point only, so that its
/// error is a few epsilon of the radius, and the tolerance decides ties.
void Sweep::writePoint(const Box& box, const Box& part, std::uint8_t* out) const
{
  const double* m = this->B.frame;
  const double perVoxel = 1.0 / this->B.scale[0];
  const double whole = std::floor(this->S.p[0]);
  const double above = this->S.p[0] - whole;
  const double below = 1.0 - above;
  const Index origin = static_cast<Index>(whole) - part.lo[0];
  const Index width = part.dim(0);
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    const double z = (static_cast<double>(k) - this->S.p[2]) * this->B.scale[2];
    Index first;
    Index last;
    if (!this->rowsBetween(z, box, first, last))
    {
      continue;
    }
    const double room = this->B.disc ? Limit : Limit - z * z;
    std::uint8_t* to = out + part.offset(part.lo[0], first, k);
    for (Index j = first; j <= last; ++j, to += width)
    {
      const double y = (static_cast<double>(j) - this->S.p[1]) * this->B.scale[1];
      const double f1 = m[4] * y + m[5] * z;
      const double left = room - f1 * f1;
      if (left < 0.0 || (this->B.disc && std::abs(m[7] * y + m[8] * z) > this->B.half))
      {
        continue;
      }
      const double half = std::min(std::sqrt(left) * perVoxel, Saturation);
      Index begin = origin + 1 - static_cast<Index>(half + below);
      const Index stop = origin + 1 + static_cast<Index>(half + above);
      begin = std::min(std::max<Index>(begin, 0), width);
      fill(to + begin, std::min(stop, width) - begin);
    }
  }
}

/// The ends of all rows, where these are parallel to the normal of a disc.
bool Sweep::column(const Box& part, double& start, double& end) const
{
  const auto within = [this](Index i)
  {
    const double x = (static_cast<double>(i) - this->S.p[0]) * this->B.scale[0];
    return std::abs(this->B.frame[6] * x) <= this->B.half;
  };
  // The box has them, and at most a voxel more.
  Index lo = this->S.box.lo[0];
  Index hi = this->S.box.hi[0];
  while (lo <= hi && !within(lo))
  {
    ++lo;
  }
  while (lo <= hi && !within(hi))
  {
    --hi;
  }
  lo = std::max(lo, part.lo[0]);
  hi = std::min(hi, part.hi[0]);
  start = static_cast<double>(lo - part.lo[0]) - 0.5;
  end = static_cast<double>(hi - part.lo[0]) + 0.5;
  return lo <= hi;
}

/// The intervals of `count` rows within start..end, which lie half a voxel outside of the voxels
/// that count; relative to the first voxel of the part. No branches but on what is the same for
/// all.
void Sweep::intervals(Index first, int count, double z, const Box& part, double start, double end,
  Intervals& result) const
{
  const double* m = this->B.frame;
  const bool disc = this->B.disc;
  const bool column = m[0] == 0.0;
  const double origin = static_cast<double>(part.lo[0]);
  const double shift = this->S.p[0] - origin;
  const double doubt = this->Doubt + 4.0 * Epsilon * (std::abs(origin) + std::abs(end));
  const double perVoxel = 1.0 / this->B.scale[0];
  const double perSlab = disc && m[6] != 0.0 ? perVoxel / m[6] : 0.0;
  const double slab = this->B.half * std::abs(perSlab);
  const double y1 = disc ? 0.0 : m[7];
  const double z1 = disc ? 0.0 : m[8] * z;
  const Pair magic(0x1.8p52); // adding and subtracting it rounds to whole numbers
  const Pair one(1.0);
  const Pair width(static_cast<double>(part.dim(0)));
  for (int r = 0; r < count; r += 2)
  {
    const double j = static_cast<double>(first + r);
    const Pair y = (Pair(j, j + 1.0) - this->S.p[1]) * this->B.scale[1];
    const Pair f0 = Pair(m[1]) * y + m[2] * z;
    const Pair f1 = Pair(m[4]) * y + m[5] * z;
    const Pair f2 = Pair(y1) * y + z1;
    Pair low(start);
    Pair high(end);
    Pair room(0.0);
    double thin = this->Thin;
    PairMask none = Pair(0.0) < Pair(0.0);
    PairMask behind = none;
    if (column)
    {
      const Pair at = (f0 * this->E[0] + f1 * this->E[1]) * this->Inverse;
      const Pair t = smaller(one, larger(0.0, at));
      const Pair d0 = f0 - t * this->E[0];
      const Pair d1 = f1 - t * this->E[1];
      room = Pair(Limit) - d0 * d0 - d1 * d1;
      thin = this->Blur;
    }
    else
    {
      const BallEnds<Pair> ball = this->ballEnds(f0, f1, f2, Limit);
      low = larger(low, ball.low * perVoxel + shift);
      high = smaller(high, ball.high * perVoxel + shift);
      room = ball.room;
      if (this->Continued)
      {
        behind = larger(ball.tLow, ball.tHigh) < Pair(1e-300); // as in rowsBetween()
      }
      if (disc)
      {
        const Pair n = Pair(m[7]) * y + m[8] * z;
        if (m[6] != 0.0)
        {
          const Pair middle = Pair(shift) - n * perSlab;
          low = larger(low, middle - slab);
          high = smaller(high, middle + slab);
        }
        else
        {
          none = either(none, Pair(this->B.half) < larger(n, Pair(0.0) - n)); // as in inside()
        }
      }
    }
    // Whole numbers from here: `low` and `high` plus 1, rounded down.
    low = smaller(low, end) + one;
    high = larger(high, start) + one;
    const Pair nearLow = (low + magic) - magic;
    const Pair nearHigh = (high + magic) - magic;
    const Pair offLow = low - nearLow;
    const Pair offHigh = high - nearHigh;
    const Pair off =
      smaller(larger(offLow, Pair(0.0) - offLow), larger(offHigh, Pair(0.0) - offHigh));
    const PairMask tie = either(off < Pair(doubt), room < Pair(thin));
    none = either(none, room < Pair(-thin));
    const Pair begin = nearLow - choose(offLow < Pair(0.0), one, 0.0);
    const Pair stop = nearHigh - choose(offHigh < Pair(0.0), one, 0.0);
    const Pair decided = choose(tie, Decide, choose(behind, width, begin));
    choose(none, width, decided).store(result.begin + r);
    stop.store(result.stop + r);
  }
}

void Sweep::write(const Box& target, const Box& part, std::uint8_t* out) const
{
  const Box box = this->S.box.clipped(target);
  const double* m = this->B.frame;
  if (this->Point && this->Drift == 0.0 && m[6] == 0.0)
  {
    this->writePoint(box, part, out);
    return;
  }
  const Index width = part.dim(0);
  double start = -0.5;
  double end = static_cast<double>(width) - 0.5;
  if (m[0] == 0.0 && this->Drift == 0.0 && !this->column(part, start, end))
  {
    return;
  }
  Intervals rows;
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    const double z = (static_cast<double>(k) - this->S.p[2]) * this->B.scale[2];
    Index first;
    Index last;
    if (!this->rowsBetween(z, box, first, last))
    {
      continue;
    }
    for (; first <= last; first += Batch)
    {
      const int count = static_cast<int>(std::min<Index>(Batch, last - first + 1));
      if (this->Drift == 0.0)
      {
        this->intervals(first, count, z, part, start, end, rows);
      }
      else
      {
        std::fill(rows.begin, rows.begin + count, Decide);
      }
      std::uint8_t* to = out + part.offset(part.lo[0], first, k);
      for (int r = 0; r < count; ++r, to += width)
      {
        if (rows.begin[r] != Decide)
        {
          const Index begin = static_cast<Index>(rows.begin[r]);
          fill(to + begin, static_cast<Index>(rows.stop[r]) - begin);
          continue;
        }
        Index lo;
        Index hi;
        if (this->interval(first + r, k, lo, hi))
        {
          lo = std::min(std::max(lo, part.lo[0]), part.hi[0] + 1);
          fill(to + (lo - part.lo[0]), std::min(hi, part.hi[0]) - lo + 1);
        }
      }
    }
  }
}

} // namespace

void sweep(const Brush& brush, const Segment& segment, bool continued, const Box& target,
  const Box& part, std::uint8_t* out)
{
  Sweep(brush, segment, continued).write(target, part, out);
}

} // namespace stroke

} // namespace segcore
