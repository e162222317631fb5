// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A surface on one rank from parts. Each cell of a grid makes two triangles where it is owned;
// points have the number of the grid point as key. Truth: the closed formula for the whole grid.

#include "ParallelTest.h"
#include "SurfaceGather.h"

#include <algorithm>

using namespace paralleltest;
using segcore::Surface;

namespace
{

constexpr Index nx = 7; // grid points along x
constexpr Index ny = 6;

/// Adds the point (i, j) to a surface without looking whether it is there already.
template <class Real>
Index addPoint(Surface<Real>& surface, Index i, Index j)
{
  surface.keys.push_back(1000 + i + nx * j);
  surface.points.insert(
    surface.points.end(), { static_cast<Real>(i), static_cast<Real>(j) / 2, Real(3) });
  return static_cast<Index>(surface.keys.size()) - 1;
}

/// The two triangles of a cell, starting at any of their corners.
template <class Real>
void addCell(Surface<Real>& surface, Index i, Index j)
{
  const Index corner[4] = { addPoint(surface, i, j), addPoint(surface, i + 1, j),
    addPoint(surface, i + 1, j + 1), addPoint(surface, i, j + 1) };
  const Index triangles[2][3] = { { corner[0], corner[1], corner[2] },
    { corner[0], corner[2], corner[3] } };
  for (const auto& triangle : triangles)
  {
    std::vector<Index> turned(triangle, triangle + 3);
    const auto turn =
      static_cast<std::ptrdiff_t>(noise(3, static_cast<std::uint64_t>(i * 50 + j)) % 3);
    std::rotate(turned.begin(), turned.begin() + turn, turned.end());
    surface.triangles.insert(surface.triangles.end(), turned.begin(), turned.end());
    surface.labels.push_back((i + j) % 3);
  }
}

template <class Real>
void testGrid(const Communicator& c, int root, bool oneRankHasAll)
{
  Surface<Real> part;
  for (Index j = ny - 2; j >= 0; --j)
  {
    for (Index i = 0; i < nx - 1; ++i)
    {
      const std::uint64_t dice = noise(9, static_cast<std::uint64_t>(i + 50 * j));
      const int owner = static_cast<int>(dice % static_cast<std::uint64_t>(c.size()));
      if ((oneRankHasAll ? 0 : owner) == c.rank())
      {
        addCell(part, i, j);
      }
    }
  }
  const Surface<Real> surface = segcore::gatherSurface(c, part, root);
  if (c.rank() != root)
  {
    PARALLEL_CHECK(c, surface.keys.empty() && surface.triangles.empty(), "only on the root");
    return;
  }
  Surface<Real> expected;
  for (Index j = 0; j < ny; ++j)
  {
    for (Index i = 0; i < nx; ++i)
    {
      addPoint(expected, i, j);
    }
  }
  for (Index label = 0; label < 3; ++label)
  {
    for (Index j = 0; j < ny - 1; ++j)
    {
      for (Index i = 0; i < nx - 1; ++i)
      {
        if ((i + j) % 3 == label)
        {
          const Index p = i + nx * j;
          expected.triangles.insert(
            expected.triangles.end(), { p, p + 1, p + nx + 1, p, p + nx + 1, p + nx });
          expected.labels.insert(expected.labels.end(), { label, label });
        }
      }
    }
  }
  const std::string context = oneRankHasAll ? "all on one rank" : "cells at random";
  PARALLEL_CHECK(c, surface.keys == expected.keys, context);
  PARALLEL_CHECK(c, surface.points == expected.points, context);
  PARALLEL_CHECK(c, surface.triangles == expected.triangles, context);
  PARALLEL_CHECK(c, surface.labels == expected.labels, context);
}

void testBadPart(const Communicator& c)
{
  Surface<float> part;
  addCell(part, 0, 0);
  if (c.rank() == c.size() - 1)
  {
    part.triangles[2] = 4;
  }
  std::string text;
  try
  {
    segcore::gatherSurface(c, part);
  }
  catch (const segcore::AgreedError& error)
  {
    text = error.what();
  }
  PARALLEL_CHECK(c, text.find("names point 4 of 4") != std::string::npos, text);
}

} // namespace

int TestSurfaceGather(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  for (int root = 0; root < c.size(); ++root)
  {
    testGrid<float>(c, root, false);
    testGrid<double>(c, root, true);
  }
  testBadPart(c);
  PARALLEL_CHECK(c, segcore::gatherSurface(c, Surface<double>()).keys.empty(), "nothing at all");
  return world.result();
}
