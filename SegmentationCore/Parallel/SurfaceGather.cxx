// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SurfaceGather.h"

#include "Buffer.h"
#include "MeshLinks.h"
#include "Message.h"
#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <limits>
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
  if (!surface.others.empty() && surface.others.size() != surface.labels.size())
  {
    throw std::runtime_error("surface: " + std::to_string(surface.others.size()) +
      " other labels for " + std::to_string(surface.labels.size()) + " triangles");
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

/// Merges points with equal keys and brings them into the order of their keys; `corners` follow.
template <class Real>
void sortPoints(Surface<Real>& surface)
{
  const std::size_t count = surface.keys.size();
  if (std::adjacent_find(surface.keys.begin(), surface.keys.end(),
        [](Index a, Index b) { return a >= b; }) == surface.keys.end())
  {
    return; // the surface of a single block
  }
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
  forRanges(static_cast<Index>(surface.triangles.size()), 1 << 16,
    [&](Index begin, Index end)
    {
      for (Index c = begin; c < end; ++c)
      {
        surface.triangles[c] = newNumber[surface.triangles[c]];
      }
    });
}

/// The labels that occur, ascending.
std::vector<Index> distinct(const std::vector<Index>& labels)
{
  const Index count = static_cast<Index>(labels.size());
  const Index chunks = chunkCount(count, 1 << 16, 2);
  std::vector<std::vector<Index>> parts(static_cast<std::size_t>(chunks));
  forRanges(chunks, 1,
    [&](Index chunk, Index)
    {
      std::vector<Index>& part = parts[static_cast<std::size_t>(chunk)];
      for (Index i = chunkBegin(count, chunks, chunk); i < chunkBegin(count, chunks, chunk + 1);
        ++i)
      {
        const auto place = std::lower_bound(part.begin(), part.end(), labels[i]);
        if (place == part.end() || *place != labels[i])
        {
          part.insert(place, labels[i]);
        }
      }
    });
  std::vector<Index> all;
  for (const std::vector<Index>& part : parts)
  {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Brings triangles into the order of label, corners and other label. They are gathered at their
/// first point, where few meet, and from there shared out to their labels: no sorting of the whole.
template <class Id, class Real>
void sortTriangles(Surface<Real>& surface)
{
  const Index count = static_cast<Index>(surface.labels.size());
  const Index points = static_cast<Index>(surface.keys.size());
  const bool hasOthers = !surface.others.empty();
  Buffer<Index> firsts(count);
  forRanges(count, 1 << 14,
    [&](Index begin, Index end)
    {
      for (Index t = begin; t < end; ++t)
      {
        // Points are sorted by key, so the smallest number is the smallest key. Turning keeps the
        // front.
        Index* corner = surface.triangles.data() + 3 * t;
        std::rotate(corner, std::min_element(corner, corner + 3), corner + 3);
        firsts[t] = corner[0];
      }
    });
  const detail::MeshLinks<Id> links(firsts.data(), count, points);
  const std::vector<Index> labels = distinct(surface.labels);
  const Index chunks = chunkCount(points, 1 << 12, 4);
  std::vector<std::vector<Index>> at(
    static_cast<std::size_t>(chunks), std::vector<Index>(labels.size(), 0));
  const auto before = [&](Id a, Id b)
  {
    const Index* p = surface.triangles.data() + 3 * static_cast<Index>(a);
    const Index* q = surface.triangles.data() + 3 * static_cast<Index>(b);
    return std::tie(p[1], p[2]) < std::tie(q[1], q[2]) ||
      (p[1] == q[1] && p[2] == q[2] && hasOthers && surface.others[a] < surface.others[b]);
  };
  // Calls found(counts of the chunk, place of the label, triangle), in order within each label.
  const auto visit = [&](const auto& found)
  {
    forRanges(chunks, 1,
      [&](Index chunk, Index)
      {
        std::vector<Id> here;
        for (Index p = chunkBegin(points, chunks, chunk); p < chunkBegin(points, chunks, chunk + 1);
          ++p)
        {
          here.assign(links.begin(p), links.end(p));
          std::sort(here.begin(), here.end(), before);
          for (const Id t : here)
          {
            const auto place = std::lower_bound(labels.begin(), labels.end(), surface.labels[t]);
            found(at[static_cast<std::size_t>(chunk)],
              static_cast<std::size_t>(place - labels.begin()), static_cast<Index>(t));
          }
        }
      });
  };
  visit([](std::vector<Index>& counts, std::size_t label, Index) { ++counts[label]; });
  Index total = 0;
  for (std::size_t label = 0; label < labels.size(); ++label)
  {
    for (std::vector<Index>& counts : at)
    {
      const Index own = counts[label];
      counts[label] = total;
      total += own;
    }
  }
  Surface<Real> sorted;
  sorted.triangles.resize(surface.triangles.size());
  sorted.labels.resize(surface.labels.size());
  sorted.others.resize(surface.others.size());
  visit(
    [&](std::vector<Index>& next, std::size_t label, Index t)
    {
      const Index to = next[label]++;
      std::copy_n(surface.triangles.begin() + 3 * t, 3, sorted.triangles.begin() + 3 * to);
      sorted.labels[to] = labels[label];
      if (hasOthers)
      {
        sorted.others[to] = surface.others[t];
      }
    });
  surface.triangles = std::move(sorted.triangles);
  surface.labels = std::move(sorted.labels);
  surface.others = std::move(sorted.others);
}

} // namespace

template <class Real>
void canonicalSurface(Surface<Real>& surface)
{
  validate(surface);
  sortPoints(surface);
  if (surface.labels.size() < std::numeric_limits<std::uint32_t>::max())
  {
    sortTriangles<std::uint32_t>(surface);
  }
  else
  {
    sortTriangles<Index>(surface);
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
      writer.put(part.others);
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
        const std::vector<Index> others = reader.getArray<Index>();
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
        surface.others.insert(surface.others.end(), others.begin(), others.end());
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
