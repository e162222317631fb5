// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Outlines by their definition: for every voxel the number of edges to the right of its place.

#ifndef segcoreTestingOutlineOracle_h
#define segcoreTestingOutlineOracle_h

#include "StrokeOracle.h"

namespace filtertest
{

using Real = long double;
using Place = std::array<Real, 2>;

/// Even-odd; ties as in PolygonPrism.h.
inline bool insideOutline(const std::vector<Place>& outline, const Place& p)
{
  bool inside = false;
  for (std::size_t v = 0; v < outline.size(); ++v)
  {
    const Place& a = outline[v];
    const Place& b = outline[(v + 1) % outline.size()];
    if ((a[1] > p[1]) != (b[1] > p[1]))
    {
      const Real at = a[0] + (b[0] - a[0]) * ((p[1] - a[1]) / (b[1] - a[1]));
      inside = inside != (at > p[0]);
    }
  }
  return inside;
}

inline Real along(const Point& vector, const Point& at)
{
  return static_cast<Real>(vector[0]) * at[0] + static_cast<Real>(vector[1]) * at[1] +
    static_cast<Real>(vector[2]) * at[2];
}

/// 1 for each voxel of shape.box whose world coordinates pass.
template <class Test>
std::vector<std::uint8_t> voxelsWhere(const Shape& shape, const Test& test)
{
  std::vector<std::uint8_t> mask;
  const Box& box = shape.box;
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
      {
        mask.push_back(test(worldOf(shape, static_cast<double>(i), static_cast<double>(j),
                         static_cast<double>(k)))
            ? 1
            : 0);
      }
    }
  }
  return mask;
}

/// What an effect refuses, after a call that spoils it. `make` gives one that is good.
template <class Filter>
void checkSpoiled(const World& world, const std::function<vtkSmartPointer<Filter>()>& make,
  const std::vector<std::pair<std::function<void(Filter*)>, const char*>>& spoils)
{
  const Shape shape = oddShape(5, 5, 6);
  const std::vector<unsigned char> values(150, 1);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const auto input = makePiece(shape, values, piece);
  for (const auto& spoil : spoils)
  {
    auto effect = make();
    spoil.first(effect);
    checkRefused(world, effect, input, spoil.second, __FILE__, __LINE__);
  }
}

} // namespace filtertest

#endif
