// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SurfaceGather.h"
#include "Message.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace segcore
{

namespace
{

template <class Real>
void validate(const Surface<Real>& surface)
{
  const std::size_t points = surface.keys.size();
  if (surface.points.size() != 3 * points || surface.triangles.size() != 3 * surface.labels.size())
  {
    throw std::runtime_error("surface: " + std::to_string(surface.points.size()) +
      " coordinates for " + std::to_string(points) + " keys and " +
      std::to_string(surface.triangles.size()) + " corners for " +
      std::to_string(surface.labels.size()) + " labels; there must be three for each");
  }
  for (const Index corner : surface.triangles)
  {
    if (corner < 0 || corner >= static_cast<Index>(points))
    {
      throw std::runtime_error("surface: a triangle names point " + std::to_string(corner) +
        " of " + std::to_string(points));
    }
  }
}

struct Triangle
{
  Index label;
  std::array<Index, 3> corners;

  bool operator<(const Triangle& other) const
  {
    return std::tie(this->label, this->corners) < std::tie(other.label, other.corners);
  }
};

} // namespace

template <class Real>
void canonicalSurface(Surface<Real>& surface)
{
  validate(surface);
  const std::size_t count = surface.keys.size();

  std::vector<Index> order(count);
  std::iota(order.begin(), order.end(), Index{ 0 });
  std::sort(order.begin(), order.end(),
    [&](Index a, Index b)
    {
      const Real* p = surface.points.data() + 3 * a;
      const Real* q = surface.points.data() + 3 * b;
      return std::tie(surface.keys[a], p[2], p[1], p[0]) <
        std::tie(surface.keys[b], q[2], q[1], q[0]);
    });
  std::vector<Index> newNumber(count);
  std::vector<Index> keys;
  std::vector<Real> points;
  keys.reserve(count);
  points.reserve(3 * count);
  for (const Index old : order)
  {
    if (keys.empty() || keys.back() != surface.keys[old])
    {
      keys.push_back(surface.keys[old]);
      points.insert(
        points.end(), surface.points.begin() + 3 * old, surface.points.begin() + 3 * old + 3);
    }
    newNumber[old] = static_cast<Index>(keys.size()) - 1;
  }
  surface.keys = std::move(keys);
  surface.points = std::move(points);

  std::vector<Triangle> triangles(surface.labels.size());
  for (std::size_t t = 0; t < triangles.size(); ++t)
  {
    auto& corners = triangles[t].corners;
    for (std::size_t c = 0; c < 3; ++c)
    {
      corners[c] = newNumber[surface.triangles[3 * t + c]];
    }
    // Points are sorted by key, so the smallest number is the smallest key. Turning keeps the
    // front.
    std::rotate(corners.begin(), std::min_element(corners.begin(), corners.end()), corners.end());
    triangles[t].label = surface.labels[t];
  }
  std::sort(triangles.begin(), triangles.end());
  for (std::size_t t = 0; t < triangles.size(); ++t)
  {
    surface.labels[t] = triangles[t].label;
    std::copy_n(triangles[t].corners.begin(), 3, surface.triangles.begin() + 3 * t);
  }
}

template <class Real>
Surface<Real> gatherSurface(const Communicator& communicator, const Surface<Real>& part, int root)
{
  MessageWriter writer;
  communicator.run(
    [&]
    {
      validate(part);
      writer.put(part.points);
      writer.put(part.keys);
      writer.put(part.triangles);
      writer.put(part.labels);
    });
  std::vector<Bytes> messages = communicator.gather(writer.take(), root);
  Surface<Real> surface;
  communicator.run(
    [&]
    {
      for (Bytes& message : messages)
      {
        MessageReader reader(message);
        const std::vector<Real> points = reader.getArray<Real>();
        const std::vector<Index> keys = reader.getArray<Index>();
        std::vector<Index> triangles = reader.getArray<Index>();
        const std::vector<Index> labels = reader.getArray<Index>();
        Bytes().swap(message);
        const Index first = static_cast<Index>(surface.keys.size());
        for (Index& corner : triangles)
        {
          corner += first;
        }
        surface.points.insert(surface.points.end(), points.begin(), points.end());
        surface.keys.insert(surface.keys.end(), keys.begin(), keys.end());
        surface.triangles.insert(surface.triangles.end(), triangles.begin(), triangles.end());
        surface.labels.insert(surface.labels.end(), labels.begin(), labels.end());
      }
      canonicalSurface(surface);
    });
  return surface;
}

template void canonicalSurface<float>(Surface<float>&);
template void canonicalSurface<double>(Surface<double>&);
template Surface<float> gatherSurface<float>(const Communicator&, const Surface<float>&, int);
template Surface<double> gatherSurface<double>(const Communicator&, const Surface<double>&, int);

} // namespace segcore
