// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Rows of samples as bits, and the crossings of a triangle with them. A part of SurfaceRaster.
///
/// Rows may run along any axis: Axes says which coordinate runs along the row ("x" below), which
/// numbers the rows of a slice ("y"), and which the slices ("z"). The bit of a crossing is the
/// first sample beyond it; samples before the box count as its first, those after it as the bit
/// `beyond`, one after the last sample. A sample is beyond the triangle's plane iff its exact x is
/// >= that of the plane; it is beyond an edge iff its y is >= that of the edge; a vertex is passed
/// iff its z is <= the sample's. That is what moving the sample by (e1, e2, e3), e1 >> e2 >> e3,
/// amounts to.

#ifndef segcoreSurfaceRows_h
#define segcoreSurfaceRows_h

#include "Box.h"
#include "ExactSign.h"
#include "PackBits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace segcore
{

/// floor and ceil to integers; |t| must be well below 2^63. (Without SSE4.1 std::floor is a call.)
inline Index floorIndex(double t)
{
  const Index i = static_cast<Index>(t);
  return i - static_cast<Index>(static_cast<double>(i) > t);
}
inline Index ceilIndex(double t)
{
  const Index i = static_cast<Index>(t);
  return i + static_cast<Index>(static_cast<double>(i) < t);
}

/// Half an ulp of 1: the relative error of one operation.
constexpr double RoundOff = 1.1102230246251565e-16;

/// Which coordinates are x (along the rows), y and z.
struct Axes
{
  int x;
  int y;
  int z;
};

/// Bits of the samples lo .. hi (x, y, z as above), rows one after the other, y before z.
struct BitRows
{
  Index lo[3];
  Index hi[3];
  Index perWord;     ///< Samples in a word, 1 .. 64; the bits above are not meaningful.
  Index wordsPerRow; ///< For the samples and the bit after them.
  Word* bits;

  Index beyond() const { return this->hi[0] - this->lo[0] + 1; }
  static Index words(Index samples, Index perWord) { return samples / perWord + 1; }
  Word* row(Index y, Index z) const
  {
    return this->bits +
      this->wordsPerRow * (y - this->lo[1] + (this->hi[1] - this->lo[1] + 1) * (z - this->lo[2]));
  }
  bool test(const Word* row, Index bit) const
  {
    return ((row[bit / this->perWord] >> (bit % this->perWord)) & 1u) != 0;
  }
};

/// An edge seen along the rows, from its lower to its higher end; both triangles at it see the same
/// numbers, so that rows are neither lost nor counted twice between them.
struct RowEdge
{
  double y;
  double z;
  double dy;
  double dz;
  double slope;
  double error; ///< Bound for the error of y + (z' - z) * slope between the ends.

  RowEdge(const double low[3], const double high[3])
    : y(low[1])
    , z(low[2])
    , dy(high[1] - low[1]) // exact, as all differences of rounded coordinates
    , dz(high[2] - low[2])
    , slope(dy / dz)
    // Three roundings act on a product of at most |dy|, one on the sum; doubled.
    , error(8.0 * RoundOff * (std::fabs(dy) + std::fabs(y)))
  {
  }

  /// The first sample of slice k that is beyond the edge.
  Index first(Index k) const
  {
    const double dk = static_cast<double>(k) - this->z;
    const double t = this->y + dk * this->slope;
    const Index below = floorIndex(t);
    const double f = t - static_cast<double>(below);
    if (f > this->error && f < 1.0 - this->error)
    {
      return below + 1;
    }
    const Index near = f < 0.5 ? below : below + 1;
    const bool beyond =
      exactSign2(static_cast<double>(near) - this->y, dk, this->dy, this->dz) >= 0;
    return beyond ? near : near + 1;
  }
};

/// The plane of a triangle as x over (y, z).
struct RowPlane
{
  double a[3];
  double u[3];
  double v[3];
  double slopeY;
  double slopeZ;
  double error;   ///< Bound for the error of at() on the triangle.
  double minimum; ///< Of x over the triangle.
  double maximum;
  int sign; ///< Of the triangle's area as seen along the rows; 0 if it is seen from the side.

  RowPlane(const double p[3], const double q[3], const double r[3])
  {
    for (int i = 0; i < 3; ++i)
    {
      this->a[i] = p[i];
      this->u[i] = q[i] - p[i];
      this->v[i] = r[i] - p[i];
    }
    this->minimum = std::min(p[0], std::min(q[0], r[0]));
    this->maximum = std::max(p[0], std::max(q[0], r[0]));
    const double* const s = this->u;
    const double* const t = this->v;
    const double terms[6] = { s[1] * t[2], s[2] * t[1], s[2] * t[0], s[0] * t[2], s[0] * t[1],
      s[1] * t[0] };
    const double nx = terms[0] - terms[1];
    const double ny = terms[2] - terms[3];
    const double nz = terms[4] - terms[5];
    const double nxError = 2.0 * RoundOff * (std::fabs(terms[0]) + std::fabs(terms[1]));
    if (std::fabs(nx) > nxError)
    {
      this->sign = nx > 0.0 ? 1 : -1;
    }
    else
    {
      this->sign = exactSign2(s[1], s[2], t[1], t[2]);
    }
    this->error = std::numeric_limits<double>::infinity();
    this->slopeY = 0.0;
    this->slopeZ = 0.0;
    if (this->minimum == this->maximum)
    {
      this->error = 0.0;
      return;
    }
    // With |nx| at least 1000 times its error the slopes' errors are those of the numerators plus
    // (relative) that of nx; everything is doubled, which covers the second-order terms.
    if (std::fabs(nx) > 1000.0 * nxError)
    {
      const double inverse = 1.0 / nx; // one division, as they take longer than all the rest
      const double size = std::fabs(inverse);
      this->slopeY = -ny * inverse;
      this->slopeZ = -nz * inverse;
      const double dy = std::max(std::fabs(s[1]), std::fabs(t[1])); // a row's distance from p
      const double dz = std::max(std::fabs(s[2]), std::fabs(t[2]));
      const double rangeY = 2.0 * dy;
      const double rangeZ = 2.0 * dz;
      const double relative = nxError * size + 5.0 * RoundOff;
      const double nyError = 2.0 * RoundOff * (std::fabs(terms[2]) + std::fabs(terms[3]));
      const double nzError = 2.0 * RoundOff * (std::fabs(terms[4]) + std::fabs(terms[5]));
      this->error = 2.0 *
        ((std::fabs(this->slopeY) * relative + nyError * size) * rangeY +
          (std::fabs(this->slopeZ) * relative + nzError * size) * rangeZ +
          4.0 * RoundOff * std::fabs(p[0]));
    }
  }

  /// The x of the plane in row (j, k), within `error`.
  double at(Index j, Index k) const
  {
    return this->a[0] + this->slopeY * (static_cast<double>(j) - this->a[1]) +
      this->slopeZ * (static_cast<double>(k) - this->a[2]);
  }

  bool isBeyond(Index i, Index j, Index k) const
  {
    const double w[3] = { static_cast<double>(i) - this->a[0], static_cast<double>(j) - this->a[1],
      static_cast<double>(k) - this->a[2] };
    return exactSign3(this->u, this->v, w) * this->sign >= 0;
  }

  /// Whether a sample of a row that meets the triangle lies on it.
  bool isOn(Index i, Index j, Index k) const
  {
    if (this->error == 0.0)
    {
      return static_cast<double>(i) == this->minimum;
    }
    if (this->error < 0.25 && std::fabs(this->at(j, k) - static_cast<double>(i)) > this->error)
    {
      return false;
    }
    const double w[3] = { static_cast<double>(i) - this->a[0], static_cast<double>(j) - this->a[1],
      static_cast<double>(k) - this->a[2] };
    return exactSign3(this->u, this->v, w) == 0;
  }

  /// The first sample of row (j, k) beyond the plane; the row must meet the triangle.
  Index first(Index j, Index k) const
  {
    if (this->error == 0.0)
    {
      return ceilIndex(this->minimum);
    }
    Index low = ceilIndex(this->minimum);
    Index high = ceilIndex(this->maximum); // is beyond, whatever the row
    if (this->error < 0.25)
    {
      const double t = this->at(j, k);
      const Index below = floorIndex(t);
      const double f = t - static_cast<double>(below);
      if (f > this->error && f < 1.0 - this->error)
      {
        return below + 1;
      }
      const Index near = f < 0.5 ? below : below + 1;
      low = std::max(low, near);
      high = std::min(high, near + 1);
    }
    while (low < high)
    {
      const Index middle = low + (high - low) / 2;
      if (this->isBeyond(middle, j, k))
      {
        high = middle;
      }
      else
      {
        low = middle + 1;
      }
    }
    return high;
  }
};

/// Whether row (j, k) meets the triangle with these corners: it passes exactly two edges' slices,
/// and is beyond one of the two. Branches on nothing but equal products.
inline bool meetsRow(const double y[3], const double z[3], double j, double k)
{
  bool meets = false;
  bool isSure = true;
  for (int e = 0; e < 3; ++e)
  {
    const int n = e < 2 ? e + 1 : 0;
    const double dz = z[n] - z[e]; // exact, as all differences here
    const double a = (j - y[e]) * dz;
    const double b = (k - z[e]) * (y[n] - y[e]);
    const bool spans = (z[e] <= k) != (z[n] <= k);
    isSure &= !spans | (a != b); // different products are in the order of the exact ones
    meets ^= spans & ((a > b) == (dz > 0.0));
  }
  if (isSure)
  {
    return meets;
  }
  meets = false;
  for (int e = 0; e < 3; ++e)
  {
    const int n = e < 2 ? e + 1 : 0;
    if ((z[e] <= k) != (z[n] <= k))
    {
      const int low = z[e] < z[n] ? e : n;
      const int high = e + n - low;
      meets ^= exactSign2(j - y[low], k - z[low], y[high] - y[low], z[high] - z[low]) >= 0;
    }
  }
  return meets;
}

/// Calls hit(y, z, x, plane) for each crossing of a triangle with the rows that have y and z in
/// lo .. hi; x is the first sample beyond it, wherever that is.
template <class Hit>
void forCrossings(const double* const corners[3], const Axes& axes, const Index lo[3],
  const Index hi[3], const Hit& hit)
{
  // Slice k is met iff low z <= k < high z; nothing is met outside the range of y either. Most
  // small triangles lie between the rows; which ones cannot be predicted, so there is one branch
  // for all.
  const double z[3] = { corners[0][axes.z], corners[1][axes.z], corners[2][axes.z] };
  const double y[3] = { corners[0][axes.y], corners[1][axes.y], corners[2][axes.y] };
  const Index first = std::max(lo[2], ceilIndex(std::min(z[0], std::min(z[1], z[2]))));
  const Index last = std::min(hi[2], ceilIndex(std::max(z[0], std::max(z[1], z[2]))) - 1);
  const Index yFirst = std::max(lo[1], ceilIndex(std::min(y[0], std::min(y[1], y[2]))));
  const Index yLast = std::min(hi[1], ceilIndex(std::max(y[0], std::max(y[1], y[2]))) - 1);
  if ((first > last) | (yFirst > yLast))
  {
    return;
  }
  double p[3][3];
  for (int c = 0; c < 3; ++c)
  {
    p[c][0] = corners[c][axes.x];
    p[c][1] = y[c];
    p[c][2] = z[c];
  }
  constexpr Index few = 4;
  if ((last - first + 1) * (yLast - yFirst + 1) <= few)
  {
    std::optional<RowPlane> plane;
    for (Index k = first; k <= last; ++k)
    {
      for (Index j = yFirst; j <= yLast; ++j)
      {
        if (meetsRow(y, z, static_cast<double>(j), static_cast<double>(k)))
        {
          if (!plane)
          {
            plane.emplace(p[0], p[1], p[2]);
          }
          hit(j, k, plane->first(j, k), *plane);
        }
      }
    }
    return;
  }
  // The lowest is not the highest, as a slice is met.
  const int firstTwo = z[1] < z[0] ? 1 : 0;
  const int lowest = z[2] < z[firstTwo] ? 2 : firstTwo;
  const int highest = z[2] >= z[1 - firstTwo] ? 2 : 1 - firstTwo;
  const double* const low = p[lowest];
  const double* const high = p[highest];
  const double* const middle = p[3 - lowest - highest];
  // A triangle that is seen from the side meets no row: its edges are the same line, exactly.
  std::optional<RowPlane> plane;
  const RowEdge whole(low, high);
  const Index turn = std::max(first, std::min(last + 1, ceilIndex(middle[2])));
  const Index limits[3] = { first, turn, last + 1 };
  for (int part = 0; part < 2; ++part)
  {
    if (limits[part] >= limits[part + 1])
    {
      continue;
    }
    const RowEdge edge = part == 0 ? RowEdge(low, middle) : RowEdge(middle, high);
    for (Index k = limits[part]; k < limits[part + 1]; ++k)
    {
      Index from = whole.first(k);
      Index to = edge.first(k);
      if (from > to)
      {
        std::swap(from, to);
      }
      from = std::max(from, lo[1]);
      to = std::min(to, hi[1] + 1);
      if (from < to && !plane)
      {
        plane.emplace(p[0], p[1], p[2]);
      }
      for (Index j = from; j < to; ++j)
      {
        hit(j, k, plane->first(j, k), *plane);
      }
    }
  }
}

/// Flips the bit of each crossing of a triangle with the rows.
inline void flipCrossings(const double* const corners[3], const Axes& axes, const BitRows& rows)
{
  forCrossings(corners, axes, rows.lo, rows.hi,
    [&rows](Index j, Index k, Index x, const RowPlane&)
    {
      const Index bit = std::max<Index>(0, std::min(rows.beyond(), x - rows.lo[0]));
      Word* const row = rows.row(j, k);
      if (rows.perWord == 64)
      {
        row[bit >> 6] ^= Word{ 1 } << (bit & 63);
      }
      else
      {
        row[bit / rows.perWord] ^= Word{ 1 } << (bit % rows.perWord);
      }
    });
}

/// From flips to parities: bit i becomes the sum, modulo 2, of the flips at 0 .. i.
inline void accumulateRow(const BitRows& rows, Word* row)
{
  const Word used = lowBits(rows.perWord);
  Word carry = 0;
  for (Index w = 0; w < rows.wordsPerRow; ++w)
  {
    Word p = row[w];
    if (p)
    {
      p ^= p << 1;
      p ^= p << 2;
      p ^= p << 4;
      p ^= p << 8;
      p ^= p << 16;
      p ^= p << 32;
    }
    p ^= carry;
    carry = (p >> 63) ? ~Word{ 0 } : Word{ 0 };
    row[w] = p & used;
  }
}

} // namespace segcore

#endif
