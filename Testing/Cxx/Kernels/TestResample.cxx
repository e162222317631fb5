// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Resampling against the rule of the header written down plainly; boxes, threads, types, borders.
#include "Resample.h"

#include "Check.h"
#include "Instructions.h"

#include <cmath>
#include <limits>
#include <vector>

using segcore::Box;
using segcore::Index;
using segcore::Interpolation;
using segcore::LatticeMap;

namespace
{

Box boxFrom(Index x, Index y, Index z, Index nx, Index ny, Index nz)
{
  Box box = Box::ofSize(nx, ny, nz);
  const Index lo[3] = { x, y, z };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += lo[a];
    box.hi[a] += lo[a];
  }
  return box;
}

LatticeMap someMap(check::Random& random)
{
  LatticeMap map;
  const double angle = 0.01 * static_cast<double>(random.between(-150, 150));
  const double tilt = 0.01 * static_cast<double>(random.between(-150, 150));
  const double c = std::cos(angle), s = std::sin(angle);
  const double d = std::cos(tilt), t = std::sin(tilt);
  const double rows[3][3] = { { c, -s * d, s * t }, { s, c * d, -c * t }, { 0, t, d } };
  for (int a = 0; a < 3; ++a)
  {
    const double scale = 0.1 * static_cast<double>(random.between(4, 20));
    for (int b = 0; b < 3; ++b)
    {
      map.axis[a][b] = rows[b][a] * scale;
    }
    map.origin[a] = 0.25 * static_cast<double>(random.between(-10, 30));
  }
  return map;
}

/// The header's words.
template <class T>
T plainly(const std::vector<T>& in, const Box& stored, const LatticeMap& map, bool linear,
  T background, Index i, Index j, Index k)
{
  const double tolerance = std::ldexp(1.0, -17);
  double c[3];
  for (int a = 0; a < 3; ++a)
  {
    c[a] = ((map.origin[a] + static_cast<double>(k) * map.axis[2][a]) +
             static_cast<double>(j) * map.axis[1][a]) +
      static_cast<double>(i) * map.axis[0][a];
    if (c[a] < static_cast<double>(stored.lo[a]) - 0.5 - tolerance ||
      c[a] > static_cast<double>(stored.hi[a]) + 0.5 + tolerance)
    {
      return background;
    }
  }
  const auto at = [&](const Index n[3])
  { return static_cast<double>(in[static_cast<std::size_t>(stored.offset(n[0], n[1], n[2]))]); };
  if (!linear)
  {
    Index n[3];
    for (int a = 0; a < 3; ++a)
    {
      n[a] =
        std::min(std::max(static_cast<Index>(std::floor(c[a] + 0.5 + tolerance)), stored.lo[a]),
          stored.hi[a]);
    }
    return static_cast<T>(at(n));
  }
  double sum = 0.0;
  for (int corner = 0; corner < 8; ++corner)
  {
    Index n[3];
    double weight = 1.0;
    for (int a = 0; a < 3; ++a)
    {
      const double x = std::min(
        std::max(c[a], static_cast<double>(stored.lo[a])), static_cast<double>(stored.hi[a]));
      const Index lower = static_cast<Index>(std::floor(x));
      const double upper = x - static_cast<double>(lower);
      const bool second = corner >> a & 1;
      weight *= second ? upper : 1.0 - upper;
      n[a] = std::min(lower + second, stored.hi[a]);
    }
    sum += weight * at(n);
  }
  return std::is_integral<T>::value ? static_cast<T>(std::floor(sum + 0.5)) : static_cast<T>(sum);
}

template <class T>
void testType(int seed)
{
  check::Random random(static_cast<std::uint64_t>(seed));
  const Box stored = boxFrom(random.between(-5, 5), -3, 2, random.between(1, 20), 9, 7);
  std::vector<T> in(static_cast<std::size_t>(stored.size()));
  for (T& value : in)
  {
    value = static_cast<T>(random.below(100));
  }
  const LatticeMap map = someMap(random);
  const Box box = boxFrom(-12, -9, -8, 37, 22, 21);
  for (const bool linear : { false, true })
  {
    check::setContext("seed ", seed, " linear ", linear, " size ", sizeof(T));
    const auto how = linear ? Interpolation::Linear : Interpolation::Nearest;
    std::vector<T> out(static_cast<std::size_t>(box.size()), T(77));
    segcore::resample<T>(in.data(), stored, map, how, T(5), 1, out.data(), box, box);
    Index wrong = 0, inside = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          const T expected = plainly<T>(in, stored, map, linear, T(5), i, j, k);
          const T got = out[static_cast<std::size_t>(box.offset(i, j, k))];
          // The order of the sums of a mean differs: halves may fall to either side.
          const double allowed = !linear ? 0.0 : std::is_integral<T>::value ? 1.0 : 1e-4;
          wrong += std::abs(static_cast<double>(got) - static_cast<double>(expected)) > allowed;
          inside += expected != T(5);
        }
      }
    }
    CHECK_EQUAL(wrong, Index{ 0 });
    CHECK(inside > 0);

    // Any part of the box has the same bits, and the rest is left alone.
    const Box part = boxFrom(-3, -4, -2, 11, 8, 6);
    std::vector<T> some(out.size(), T(77));
    segcore::resample<T>(in.data(), stored, map, how, T(5), 1, some.data(), box, part);
    // Positions handed over one by one, too.
    std::vector<T> asked(out.size(), T(77));
    segcore::resampleAt<T>(
      in.data(), stored,
      [&map](Index i, Index j, Index k, Index count, double* p)
      {
        for (Index n = 0; n < count; ++n)
        {
          for (int a = 0; a < 3; ++a)
          {
            *p++ = ((map.origin[a] + static_cast<double>(k) * map.axis[2][a]) +
                     static_cast<double>(j) * map.axis[1][a]) +
              static_cast<double>(i + n) * map.axis[0][a];
          }
        }
      },
      how, T(5), 1, asked.data(), box, box);
    CHECK(asked == out);
    Index different = 0, touched = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          const std::size_t at = static_cast<std::size_t>(box.offset(i, j, k));
          different += part.contains(i, j, k) && some[at] != out[at];
          touched += !part.contains(i, j, k) && some[at] != T(77);
        }
      }
    }
    CHECK_EQUAL(different, Index{ 0 });
    CHECK_EQUAL(touched, Index{ 0 });
  }
}

/// Rows of several runs, lattices turned in all ways, with and without wide instructions.
void longRows()
{
  check::Random random(9);
  const Box stored = boxFrom(-4, 3, 0, 170, 45, 40);
  std::vector<unsigned short> in(static_cast<std::size_t>(stored.size()));
  for (unsigned short& value : in)
  {
    value = static_cast<unsigned short>(random.below(60000));
  }
  const Box box = boxFrom(-30, -6, -5, 300, 61, 37);
  std::vector<LatticeMap> maps(5);
  maps[0].origin[0] = 0.3; // rows in rows
  maps[0].axis[1][1] = 0.8;
  for (int a = 0; a < 3; ++a) // axes exchanged
  {
    std::swap(maps[1].axis[0][a], maps[1].axis[2][a]);
    std::swap(maps[2].axis[0][a], maps[2].axis[1][a]);
  }
  maps[1].axis[0][2] = maps[2].axis[0][1] = 0.25;
  maps[3] = someMap(random);
  maps[4] = someMap(random);
  for (std::size_t m = 0; m < maps.size(); ++m)
  {
    std::vector<unsigned short> expected(static_cast<std::size_t>(box.size()));
    Index inside = 0;
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
        {
          const auto value = plainly<unsigned short>(in, stored, maps[m], false, 65000, i, j, k);
          expected[static_cast<std::size_t>(box.offset(i, j, k))] = value;
          inside += value != 65000;
        }
      }
    }
    CHECK(inside > 1000);
    for (const bool wide : { true, false })
    {
      check::setContext("map ", m, " wide ", wide);
      segcore::allowWideInstructions(wide);
      std::vector<unsigned short> out(expected.size(), 77);
      segcore::resample<unsigned short>(
        in.data(), stored, maps[m], Interpolation::Nearest, 65000, 1, out.data(), box, box);
      CHECK(out == expected);
    }
    segcore::allowWideInstructions(true);
  }
}

void halfwayGoesUp()
{
  // A lattice of twice the resolution: every second voxel lies between two.
  const std::vector<short> in{ 10, 20, 30 };
  const Box stored = Box::ofSize(3, 1, 1);
  LatticeMap map;
  map.axis[0][0] = 0.5;
  std::vector<short> out(8, -1);
  const Box box = boxFrom(-2, 0, 0, 8, 1, 1);
  segcore::resample<short>(
    in.data(), stored, map, Interpolation::Nearest, 0, 1, out.data(), box, box);
  const std::vector<short> expected{ 0, 10, 10, 20, 20, 30, 30, 30 }; // -1, -1/2, 0, 1/2 ... 5/2
  CHECK(out == expected);
  segcore::resample<short>(
    in.data(), stored, map, Interpolation::Linear, 0, 1, out.data(), box, box);
  const std::vector<short> means{ 0, 10, 10, 15, 20, 25, 30, 30 };
  CHECK(out == means);
}

void componentsAndExtremes()
{
  const Box stored = Box::ofSize(2, 2, 2);
  std::vector<long long> in(16);
  for (std::size_t i = 0; i < in.size(); ++i)
  {
    in[i] = i % 2 ? std::numeric_limits<long long>::max() : std::numeric_limits<long long>::min();
  }
  std::vector<long long> out(16);
  for (const auto how : { Interpolation::Nearest, Interpolation::Linear })
  {
    segcore::resample<long long>(in.data(), stored, {}, how, 0, 2, out.data(), stored, stored);
    CHECK(out == in);
  }
  // Positions that are not numbers, or far away, are outside.
  std::vector<unsigned char> ones(8, 1), got(8, 9);
  LatticeMap map;
  map.origin[0] = std::numeric_limits<double>::quiet_NaN();
  segcore::resample<unsigned char>(
    ones.data(), stored, map, Interpolation::Nearest, 0, 1, got.data(), stored, stored);
  CHECK(got == std::vector<unsigned char>(8, 0));
  map.origin[0] = 1e300;
  got.assign(8, 9);
  segcore::resample<unsigned char>(
    ones.data(), stored, map, Interpolation::Linear, 0, 1, got.data(), stored, stored);
  CHECK(got == std::vector<unsigned char>(8, 0));
  segcore::resample<unsigned char>(
    nullptr, Box(), {}, Interpolation::Linear, 3, 1, got.data(), stored, stored);
  CHECK(got == std::vector<unsigned char>(8, 3));
}

}

int TestResample(int, char*[])
{
  for (int seed = 1; seed <= 5; ++seed)
  {
    testType<unsigned char>(seed);
    testType<short>(seed);
    testType<unsigned int>(seed);
    testType<long long>(seed);
    testType<float>(seed);
    testType<double>(seed);
  }
  longRows();
  halfwayGoesUp();
  componentsAndExtremes();
  return check::result();
}
