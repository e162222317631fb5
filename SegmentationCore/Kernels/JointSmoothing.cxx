// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "JointSmoothing.h"

#include "JointSteps.h"

#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace segcore
{

namespace
{

/// Four numbers at once, as two pairs where the processor has them.
struct Four
{
#if defined(__GNUC__) || defined(__clang__)
  using Pair = double __attribute__((vector_size(16), aligned(8)));
#else
  struct Pair
  {
    double v[2];
    friend Pair operator+(Pair a, Pair b) { return { { a.v[0] + b.v[0], a.v[1] + b.v[1] } }; }
    friend Pair operator-(Pair a, Pair b) { return { { a.v[0] - b.v[0], a.v[1] - b.v[1] } }; }
    friend Pair operator*(double s, Pair a) { return { { s * a.v[0], s * a.v[1] } }; }
  };
#endif
  Pair low;
  Pair high;

  static Four load(const double* from)
  {
    Four four;
    std::memcpy(&four, from, sizeof four);
    return four;
  }
  void store(double* to) const { std::memcpy(to, this, sizeof *this); }
  friend Four operator+(Four a, Four b) { return { a.low + b.low, a.high + b.high }; }
  friend Four operator-(Four a, Four b) { return { a.low - b.low, a.high - b.high }; }
  friend Four operator*(double s, Four a) { return { s * a.low, s * a.high }; }
};

Four rounded(Four value)
{
  using detail::JointMagic;
  const Four magic = { { JointMagic, JointMagic }, { JointMagic, JointMagic } };
  return (value + magic) - magic;
}

Four limited(Four value)
{
  double all[4];
  value.store(all);
  for (double& one : all)
  {
    one = std::min(detail::JointLimit, std::max(-detail::JointLimit, one));
  }
  return Four::load(all);
}

} // namespace

SincSmoother::SincSmoother(const CellLattice& lattice, const std::vector<Index>& cells,
  const std::vector<std::uint8_t>& stencils, const WindowedSincOptions& options)
  : Factors(detail::jointFactors(options)), Stencils(stencils)
{
  const Index count = static_cast<Index>(cells.size());
  if (count >= std::numeric_limits<std::int32_t>::max() || stencils.size() != cells.size())
  {
    throw std::invalid_argument("segcore::SincSmoother: too many points at once");
  }
  this->Neighbours = Buffer<std::int32_t>(6 * count);
  forRanges(count, std::max<Index>(1 << 14, count / (4 * threadCount())),
    [&](Index begin, Index end)
    {
      // Both lists ascend: the neighbours of a range are found by going along.
      for (int face = 0; face < 6; ++face)
      {
        const Index step = lattice.step(face);
        auto other = std::lower_bound(
          cells.begin(), cells.end(), cells[static_cast<std::size_t>(begin)] + step);
        for (Index p = begin; p < end; ++p)
        {
          std::int32_t& neighbour = this->Neighbours[6 * p + face];
          neighbour = 0;
          if (!((stencils[static_cast<std::size_t>(p)] >> face) & 1))
          {
            continue;
          }
          const Index wanted = cells[static_cast<std::size_t>(p)] + step;
          while (other != cells.end() && *other < wanted)
          {
            ++other;
          }
          if (other == cells.end() || *other != wanted)
          {
            throw std::invalid_argument("segcore::SincSmoother: a neighbour is missing");
          }
          neighbour = static_cast<std::int32_t>(other - cells.begin() + 1);
        }
      }
    });
  const Index size = 4 * (count + 1);
  this->Previous = Buffer<double>(size);
  this->Current = Buffer<double>(size);
  this->Sum = Buffer<double>(size);
  for (Buffer<double>* buffer : { &this->Previous, &this->Current, &this->Sum })
  {
    std::fill(buffer->begin(), buffer->end(), 0.0);
  }
}

/// With M, the mean of the neighbours, the polynomials are T0 = 1, T1 = (1 + M) / 2 and
/// T(n+1) = (1 + M) T(n) - T(n-1), applied to the points. A constant stays a constant in all of
/// them, so positions may be counted from the own cell: those of neighbours then get the way there.
void SincSmoother::step(int number)
{
  const Index count = static_cast<Index>(this->Stencils.size());
  const bool first = number == 0;
  const double factor = this->Factors[static_cast<std::size_t>(number) + 1];
  const detail::JointStencilTable& table = detail::jointStencils();
  // In place: nobody but the point itself needs its previous value.
  forRanges(count, std::max<Index>(1 << 12, count / (8 * threadCount())),
    [&](Index begin, Index end)
    {
      const double* const current = this->Current.data();
      double* const previous = this->Previous.data();
      double* const sum = this->Sum.data();
      for (Index p = begin; p < end; ++p)
      {
        const unsigned stencil = this->Stencils[static_cast<std::size_t>(p)];
        if (!stencil)
        {
          continue;
        }
        const std::int32_t* next = this->Neighbours.data() + 6 * p;
        const auto at = [current](std::int32_t point)
        { return Four::load(current + 4 * Index{ point }); };
        const Four all = Four::load(table.direction[stencil]) +
          ((at(next[0]) + at(next[1])) + (at(next[2]) + at(next[3])) + (at(next[4]) + at(next[5])));
        const Four mean = table.share[stencil] * all;
        double* const old = previous + 4 * (p + 1);
        const Four value =
          limited(first ? rounded(0.5 * mean)
                        : rounded(mean) + (Four::load(current + 4 * (p + 1)) - Four::load(old)));
        value.store(old);
        double* const total = sum + 4 * (p + 1);
        (Four::load(total) + rounded(factor * value)).store(total);
      }
    });
  std::swap(this->Previous, this->Current);
}

void SincSmoother::finish()
{
  const Index count = static_cast<Index>(this->Stencils.size());
  forRanges(4 * (count + 1), 1 << 16,
    [&](Index begin, Index end)
    {
      for (Index i = begin; i < end; ++i)
      {
        this->Current[i] = detail::jointResult(this->Sum[i]);
      }
    });
  this->Previous = Buffer<double>();
  this->Sum = Buffer<double>();
  this->Neighbours = Buffer<std::int32_t>();
}

namespace detail
{

void visitCrossings(const CellLattice& lattice, const Index* cells, const double* values,
  const Index* quads, Index begin, Index end, const CrossingVisitor& visit)
{
  for (Index quad = begin; quad < end; ++quad)
  {
    double corners[4][3];
    for (int c = 0; c < 4; ++c)
    {
      const Index point = quads[4 * quad + c];
      Index at[3];
      lattice.position(cells[point], at);
      for (int a = 0; a < 3; ++a)
      {
        corners[c][a] = static_cast<double>(at[a]) - 0.5 + values[4 * point + a];
      }
    }
    crossQuad(corners, lattice.dims, quad, visit);
  }
}

} // namespace detail
} // namespace segcore
