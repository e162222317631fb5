// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "WindowedSinc.h"

#include "Buffer.h"
#include "MeshLinks.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace segcore
{

namespace
{

const double Pi = std::acos(-1.0);
constexpr double Tolerance = 1e-3; // of the response at the pass band

/// Factors of a step at angle `edge`, windowed.
std::vector<double> series(int terms, double edge)
{
  std::vector<double> factors(static_cast<std::size_t>(terms) + 1);
  for (int i = 0; i <= terms; ++i)
  {
    const double phase = Pi * i / (terms + 1);
    const double window = 0.355768 + 0.487396 * std::cos(phase) + 0.144232 * std::cos(2.0 * phase) +
      0.012604 * std::cos(3.0 * phase);
    factors[static_cast<std::size_t>(i)] =
      window * (i == 0 ? edge / Pi : 2.0 * std::sin(i * edge) / (i * Pi));
  }
  return factors;
}

/// The neighbours of every point, without repetition, and which points may move.
template <class Id>
struct Graph
{
  Buffer<Id> first;
  Buffer<Id> neighbours;

  /// Points at the border of the surface, or of no polygon, have no neighbours here.
  Graph(const Index* polygons, Index polygonCount, int corners, Index points, bool keepJunctions,
    const std::uint8_t* cuts)
    : first(points + 1), neighbours(2 * polygonCount * corners)
  {
    const detail::MeshLinks<Id> links(polygons, polygonCount * corners, points);
    const Index chunks = chunkCount(points, 1 << 12, 4);
    std::vector<Index> begins(static_cast<std::size_t>(chunks) + 1, 0);
    std::vector<Index> counts(static_cast<std::size_t>(chunks), 0);
    // Each chunk first writes where its points would be if no neighbour occurred twice.
    forRanges(chunks, 1,
      [&](Index chunk, Index)
      {
        const Index begin = chunkBegin(points, chunks, chunk);
        const Index end = chunkBegin(points, chunks, chunk + 1);
        const Index start = 2 * (links.begin(begin) - links.begin(0));
        Index to = start;
        std::vector<Index> times;
        for (Index p = begin; p < end; ++p)
        {
          this->first[p] = static_cast<Id>(to);
          times.clear();
          const auto add = [&](Index other)
          {
            const Index known = static_cast<Index>(times.size());
            for (Index k = 0; k < known; ++k)
            {
              if (static_cast<Index>(this->neighbours[to + k]) == other)
              {
                ++times[static_cast<std::size_t>(k)];
                return;
              }
            }
            this->neighbours[to + known] = static_cast<Id>(other);
            times.push_back(1);
          };
          for (const Id* c = links.begin(p); c < links.end(p); ++c)
          {
            const Index corner = static_cast<Index>(*c);
            const Index k = corner % corners;
            const Index* polygon = polygons + (corner - k);
            const Index before = (k + corners - 1) % corners;
            const unsigned cut = cuts ? cuts[corner / corners] : 0u;
            if (((cut >> k) & 1u) == 0)
            {
              add(polygon[(k + 1) % corners]);
            }
            if (((cut >> before) & 1u) == 0)
            {
              add(polygon[before]);
            }
          }
          if (std::find(times.begin(), times.end(), Index{ 1 }) != times.end())
          {
            continue;
          }
          const auto isJunction = [](Index polygonsAtEdge) { return polygonsAtEdge >= 3; };
          if (keepJunctions && std::count_if(times.begin(), times.end(), isJunction) >= 2)
          {
            Index kept = 0;
            for (std::size_t k = 0; k < times.size(); ++k)
            {
              if (isJunction(times[k]))
              {
                this->neighbours[to + kept++] = this->neighbours[to + static_cast<Index>(k)];
              }
            }
            to += kept;
          }
          else
          {
            to += static_cast<Index>(times.size());
          }
        }
        begins[static_cast<std::size_t>(chunk)] = start;
        counts[static_cast<std::size_t>(chunk)] = to - start;
      });
    // Then the chunks close ranks. In order, as each moves to where the ones before it were.
    Index to = 0;
    std::vector<Index> moved(static_cast<std::size_t>(chunks), 0);
    for (Index chunk = 0; chunk < chunks; ++chunk)
    {
      const Index from = begins[static_cast<std::size_t>(chunk)];
      const Index count = counts[static_cast<std::size_t>(chunk)];
      std::copy_n(this->neighbours.data() + from, count, this->neighbours.data() + to);
      moved[static_cast<std::size_t>(chunk)] = from - to;
      to += count;
    }
    forRanges(chunks, 1,
      [&](Index chunk, Index)
      {
        for (Index p = chunkBegin(points, chunks, chunk); p < chunkBegin(points, chunks, chunk + 1);
          ++p)
        {
          this->first[p] -= static_cast<Id>(moved[static_cast<std::size_t>(chunk)]);
        }
      });
    this->first[points] = static_cast<Id>(to);
  }
};

/// Four numbers that the processor handles at once; the last one is 0.
#if defined(__GNUC__) || defined(__clang__)
using Point = float __attribute__((vector_size(16)));
#else
struct alignas(16) Point
{
  float v[4];
  float& operator[](int i) { return this->v[i]; }
  float operator[](int i) const { return this->v[i]; }
  Point& operator+=(const Point& o)
  {
    for (int a = 0; a < 4; ++a)
    {
      this->v[a] += o.v[a];
    }
    return *this;
  }
  friend Point operator+(Point a, const Point& b) { return a += b; }
  friend Point operator-(Point a, const Point& b)
  {
    for (int i = 0; i < 4; ++i)
    {
      a.v[i] -= b.v[i];
    }
    return a;
  }
  friend Point operator*(float s, Point a)
  {
    for (int i = 0; i < 4; ++i)
    {
      a.v[i] *= s;
    }
    return a;
  }
};
#endif

template <class Id>
Point neighbourMean(const Graph<Id>& graph, const Point* from, Index p)
{
  Point sum = {};
  const Index begin = static_cast<Index>(graph.first[p]);
  const Index end = static_cast<Index>(graph.first[p + 1]);
  for (Index n = begin; n < end; ++n)
  {
    sum += from[graph.neighbours[n]];
  }
  return (1.0f / static_cast<float>(end - begin)) * sum;
}

Point boxCentre(const float* points, Index count)
{
  Point centre = {};
  for (int a = 0; a < 3; ++a)
  {
    float low = points[a];
    float high = points[a];
    for (Index p = 1; p < count; ++p)
    {
      low = std::min(low, points[3 * p + a]);
      high = std::max(high, points[3 * p + a]);
    }
    centre[a] = 0.5f * (low + high);
  }
  return centre;
}

template <class Id>
void smooth(float* points, Index count, const Graph<Id>& graph, const std::vector<double>& factors)
{
  Buffer<Point> previous(count);
  Buffer<Point> current(count);
  Buffer<Point> sum(count);
  // With M, the mean of the neighbours, the polynomials are T0 = 1, T1 = (1 + M) / 2 and
  // T(n+1) = (1 + M) T(n) - T(n-1), applied to the points.
  const Point centre = boxCentre(points, count);
  const auto factor = [&factors](std::size_t term) { return static_cast<float>(factors[term]); };
  const auto forPoints = [&](const auto& body)
  {
    forRanges(count, std::max<Index>(1 << 13, count / (4 * threadCount())),
      [&](Index begin, Index end)
      {
        for (Index p = begin; p < end; ++p)
        {
          body(p);
        }
      });
  };
  const auto moves = [&graph](Index p) { return graph.first[p] != graph.first[p + 1]; };
  forPoints(
    [&](Index p)
    {
      Point point = {};
      for (int a = 0; a < 3; ++a)
      {
        point[a] = points[3 * p + a] - centre[a];
      }
      previous[p] = point;
    });
  forPoints(
    [&](Index p)
    {
      current[p] = previous[p];
      if (moves(p))
      {
        current[p] = 0.5f * (previous[p] + neighbourMean(graph, previous.data(), p));
        sum[p] = factor(0) * previous[p] + factor(1) * current[p];
      }
    });
  for (std::size_t term = 2; term < factors.size(); ++term)
  {
    forPoints(
      [&](Index p)
      {
        if (moves(p))
        {
          const Point next = current[p] + neighbourMean(graph, current.data(), p) - previous[p];
          previous[p] = next;
          sum[p] += factor(term) * next;
        }
      });
    std::swap(previous, current);
  }
  forPoints(
    [&](Index p)
    {
      if (moves(p))
      {
        for (int a = 0; a < 3; ++a)
        {
          points[3 * p + a] = sum[p][a] + centre[a];
        }
      }
    });
}

} // namespace

std::vector<double> windowedSincSeries(const WindowedSincOptions& options)
{
  if (options.iterations < 0 || !(options.passBand > 0.0 && options.passBand <= 2.0))
  {
    throw std::invalid_argument(
      "segcore::windowedSinc: iterations must be 0 or more, passBand in (0, 2]");
  }
  const double angle = std::acos(1.0 - 0.5 * options.passBand);
  const auto response = [&](double shift)
  {
    const std::vector<double> factors = series(options.iterations, angle + shift);
    double sum = 0.0;
    for (std::size_t i = 0; i < factors.size(); ++i)
    {
      sum += factors[i] * std::cos(static_cast<double>(i) * angle);
    }
    return sum;
  };
  // The window widens the step: without a shift the response is about 1/2. It rises with the shift
  // to 1; few terms may not get that far, then the step goes to the highest frequency.
  const double furthest = Pi - angle;
  constexpr int Steps = 256;
  double below = 0.0;
  double above = furthest;
  for (int step = 1; step <= Steps; ++step)
  {
    above = furthest * step / Steps;
    if (response(above) >= 1.0 - Tolerance)
    {
      break;
    }
    below = above;
  }
  for (int step = 0; step < 40; ++step)
  {
    const double middle = 0.5 * (below + above);
    (response(middle) < 1.0 - Tolerance ? below : above) = middle;
  }
  return series(options.iterations, angle + above);
}

void windowedSinc(float* points, Index pointCount, const Index* polygons, Index polygonCount,
  int corners, const WindowedSincOptions& options, const std::uint8_t* cuts)
{
  const std::vector<double> factors = windowedSincSeries(options);
  if (options.iterations == 0 || pointCount == 0 || polygonCount == 0)
  {
    return;
  }
  const auto run = [&](auto id)
  {
    const Graph<decltype(id)> graph(
      polygons, polygonCount, corners, pointCount, options.keepJunctions, cuts);
    smooth(points, pointCount, graph, factors);
  };
  if (2 * polygonCount * corners < std::numeric_limits<std::uint32_t>::max())
  {
    run(std::uint32_t{});
  }
  else
  {
    run(Index{});
  }
}

} // namespace segcore
