// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// PolygonPrism. Truth: for every voxel its place and depth in long double, and the edges to the
// right of the place.

#include "PolygonPrism.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>
#include <limits>

using segcore::Box;
using segcore::Index;
using segcore::PolygonPrism;
using segcore::PrismOutline;
using segcore::PrismView;

namespace
{

using Mask = std::vector<std::uint8_t>;
using Real = long double;

Mask written(const PolygonPrism& prism, const Box& part)
{
  Mask out(static_cast<std::size_t>(part.size()), 7);
  prism.write(part, out.data());
  return out;
}

bool insideContours(const PrismOutline& outline, Real x, Real y)
{
  bool inside = false;
  Index first = 0;
  for (const Index end : outline.ends)
  {
    for (Index v = first; v < end; ++v)
    {
      const double* a = outline.vertices.data() + 2 * v;
      const double* b = outline.vertices.data() + 2 * (v + 1 < end ? v + 1 : first);
      if ((a[1] > y) != (b[1] > y))
      {
        inside = inside != (a[0] + (b[0] - a[0]) * ((y - a[1]) / (b[1] - a[1])) > x);
      }
    }
    first = end;
  }
  return inside;
}

Mask oracle(const PrismOutline& outline, const PrismView& view, const Box& whole)
{
  Mask mask;
  for (Index k = whole.lo[2]; k <= whole.hi[2]; ++k)
  {
    for (Index j = whole.lo[1]; j <= whole.hi[1]; ++j)
    {
      for (Index i = whole.lo[0]; i <= whole.hi[0]; ++i)
      {
        Real at[4];
        for (int r = 0; r < 4; ++r)
        {
          const double* m = view.toView + 4 * r;
          at[r] = static_cast<Real>(m[0]) * i + static_cast<Real>(m[1]) * j +
            static_cast<Real>(m[2]) * k + m[3];
        }
        bool inside = at[3] > 0;
        if (inside)
        {
          const Real x = at[0] / at[3], y = at[1] / at[3];
          inside = outline.circle ? std::hypot(x - outline.vertices[0], y - outline.vertices[1]) <=
              outline.vertices[2] * (1 + 5e-13L)
                                  : insideContours(outline, x, y);
        }
        mask.push_back(inside != view.outside && at[2] >= view.low && at[2] < view.high ? 1 : 0);
      }
    }
  }
  return mask;
}

/// The mask is that of the oracle, whole and in parts, and never contradicts bounds and uniform.
Index check(
  const PrismOutline& outline, const PrismView& view, const Box& whole, check::Random& random)
{
  const PolygonPrism prism(outline, view, whole);
  const Mask expected = oracle(outline, view, whole);
  CHECK_RANGES(written(prism, whole).data(), expected, whole.size());
  Mask pasted(expected.size(), 9);
  for (const Box& part : volumes::split(whole, 13, &random))
  {
    const Mask mask = written(prism, part);
    volumes::paste(mask, part, pasted, whole);
    const int uniform = prism.uniform(part);
    if (uniform >= 0)
    {
      CHECK_RANGES(mask.data(), Mask(mask.size(), static_cast<std::uint8_t>(uniform)), part.size());
    }
  }
  CHECK_RANGES(pasted.data(), expected, whole.size());
  Index count = 0, outsideBounds = 0;
  std::size_t at = 0;
  for (Index k = whole.lo[2]; k <= whole.hi[2]; ++k)
  {
    for (Index j = whole.lo[1]; j <= whole.hi[1]; ++j)
    {
      for (Index i = whole.lo[0]; i <= whole.hi[0]; ++i, ++at)
      {
        count += expected[at];
        outsideBounds += expected[at] && !prism.bounds().contains(i, j, k) ? 1 : 0;
      }
    }
  }
  CHECK_EQUAL(outsideBounds, Index(0));
  CHECK(whole.contains(prism.bounds()));
  return count;
}

Box someBox()
{
  Box box = Box::ofSize(23, 19, 17);
  const Index shift[3] = { -9, 100, 4 };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += shift[a];
    box.hi[a] += shift[a];
  }
  return box;
}

/// Random views, half of them cameras, and outlines with several contours.
void testRandom()
{
  const Box whole = someBox();
  Index total = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    PrismView view;
    for (int n = 0; n < 12; ++n)
    {
      view.toView[n] = 2.0 * random.unit() - 1.0;
    }
    view.toView[3] += 9.0 * view.toView[0] - 100.0 * view.toView[1] - 4.0 * view.toView[2];
    view.toView[7] += 9.0 * view.toView[4] - 100.0 * view.toView[5] - 4.0 * view.toView[6];
    view.toView[11] -= 109.0 * view.toView[9];
    if (seed % 2)
    {
      for (int n = 12; n < 15; ++n)
      {
        view.toView[n] = 0.06 * random.unit() - 0.03;
      }
      view.toView[15] = 1.0 - 109.0 * view.toView[13];
    }
    if (seed % 3 == 0)
    {
      view.low = 10.0 * random.unit() - 12.0;
      view.high = view.low + 25.0 * random.unit();
    }
    view.outside = seed % 5 == 0;
    PrismOutline outline;
    const auto corner = [&] { return 30.0 * random.unit() - 15.0; };
    if (seed % 7 == 0)
    {
      outline.circle = true;
      outline.vertices = { corner(), corner(), 12.0 * random.unit(), 0.0 };
    }
    else
    {
      const Index count = random.between(3, 12);
      for (Index v = 0; v < 2 * count; ++v)
      {
        outline.vertices.push_back(corner());
      }
      outline.ends = { count };
      if (count >= 6)
      {
        outline.ends = { count / 2, count };
      }
    }
    total += check(outline, view, whole, random);
  }
  CHECK(total > 50000);
  check::setContext("");
}

/// Vertices and edges right on voxels: whole numbers, and views along the axes.
void testTies()
{
  const Box whole = Box::ofSize(9, 8, 3);
  for (std::uint64_t seed = 0; seed < 200; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    PrismView view;
    view.low = static_cast<double>(random.below(3));
    view.high = view.low + 1.0;
    PrismOutline outline;
    const Index count = random.between(3, 9);
    for (Index v = 0; v < count; ++v)
    {
      outline.vertices.push_back(static_cast<double>(random.below(9)));
      outline.vertices.push_back(static_cast<double>(random.below(8)));
    }
    outline.ends = { count };
    check(outline, view, whole, random);
  }
  check::setContext("");
  // Triangles of a fan around a voxel: each voxel is in one of them, whatever noise the view has.
  for (const double noise : { 0.0, 1e-12, -3e-12 })
  {
    PrismView view;
    view.toView[1] = noise;
    view.toView[3] = noise;
    const double ring[][2] = { { 8, 4 }, { 7, 7 }, { 4, 7 }, { 0, 7 }, { 0, 3 }, { 1, 0 },
      { 5, 0 } };
    std::vector<int> covered(72, 0);
    PrismOutline all;
    for (int t = 0; t < 7; ++t)
    {
      const double* a = ring[t];
      const double* b = ring[(t + 1) % 7];
      PrismOutline outline;
      outline.vertices = { 4, 4, a[0], a[1], b[0], b[1] };
      outline.ends = { 3 };
      all.vertices.insert(all.vertices.end(), a, a + 2);
      const Mask mask = written(PolygonPrism(outline, view, whole), Box::ofSize(9, 8, 1));
      for (std::size_t i = 0; i < 72; ++i)
      {
        covered[i] += mask[i];
      }
    }
    all.ends = { 7 };
    const Mask mask = written(PolygonPrism(all, view, whole), Box::ofSize(9, 8, 1));
    CHECK_RANGES(covered.data(), mask, Index(72));
  }
}

void testExtremes()
{
  const Box whole = Box::ofSize(5, 5, 5);
  check::Random random(1);
  // No contour, a contour of one point and of two: nothing is inside, all is outside.
  for (const Index corners : { 0, 1, 2 })
  {
    PrismOutline outline;
    outline.vertices = { 0.0, 0.0, 3.0, 4.0 };
    outline.vertices.resize(static_cast<std::size_t>(2 * corners));
    outline.ends = { corners };
    PrismView view;
    CHECK_EQUAL(check(outline, view, whole, random), Index(0));
    CHECK(PolygonPrism(outline, view, whole).bounds().empty());
    view.outside = true;
    CHECK_EQUAL(check(outline, view, whole, random), Index(125));
    CHECK_EQUAL(PolygonPrism(outline, view, whole).uniform(whole), 1);
  }
  // Far corners are moved, and an image without voxels has none.
  PrismOutline outline;
  outline.vertices = { -1e300, -1e300, 1e300, -1e300, 1e300, 1e300, -1e300, 1e300 };
  outline.ends = { 4 };
  CHECK_EQUAL(check(outline, PrismView(), whole, random), Index(125));
  CHECK(PolygonPrism(outline, PrismView(), Box()).bounds().empty());
  // An image far from the origin of the world is as exact as one that is near.
  Box far = whole;
  for (int a = 0; a < 3; ++a)
  {
    far.lo[a] += 2000000000;
    far.hi[a] += 2000000000;
  }
  outline.vertices = { 2e9 + 1, 2e9 + 1, 2e9 + 3, 2e9 + 1, 2e9 + 3, 2e9 + 4, 2e9 + 1, 2e9 + 4 };
  CHECK_EQUAL(check(outline, PrismView(), far, random), Index(2 * 3 * 5));
  // What is refused.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  PrismView bad;
  bad.toView[5] = nan;
  CHECK_THROWS(PolygonPrism(outline, bad, whole), std::invalid_argument);
  bad = PrismView();
  bad.toView[0] = bad.toView[5] = 0.0;
  CHECK_THROWS(PolygonPrism(outline, bad, whole), std::invalid_argument);
  bad = PrismView();
  bad.toView[15] = 0.0;
  CHECK_THROWS(PolygonPrism(outline, bad, whole), std::invalid_argument);
  outline.vertices[3] = nan;
  CHECK_THROWS(PolygonPrism(outline, PrismView(), whole), std::invalid_argument);
}

} // namespace

int TestPolygonPrism(int, char*[])
{
  testRandom();
  testTies();
  testExtremes();
  return check::result();
}
