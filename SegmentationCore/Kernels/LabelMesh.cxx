// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "LabelMesh.h"

#include "Threads.h"

#include <atomic>
#include <memory>

namespace segcore
{

namespace
{

double squaredDistance(const float* a, const float* b)
{
  double sum = 0.0;
  for (int c = 0; c < 3; ++c)
  {
    const double d = static_cast<double>(a[c]) - b[c];
    sum += d * d;
  }
  return sum;
}

/// The points that the label under work has met. A point of an earlier label is told apart by its
/// number, which then leads to another point of `sources`.
class PointNumbers
{
public:
  explicit PointNumbers(Index points) : Numbers_(points)
  {
    std::fill(this->Numbers_.begin(), this->Numbers_.end(), Index{ 0 });
  }

  void start() { this->Sources_.clear(); }
  Index count() const { return static_cast<Index>(this->Sources_.size()); }
  const std::vector<Index>& sources() const { return this->Sources_; }

  Index number(Index point)
  {
    Index& known = this->Numbers_[point];
    if (known >= this->count() || this->Sources_[static_cast<std::size_t>(known)] != point)
    {
      known = this->count();
      this->Sources_.push_back(point);
    }
    return known;
  }

private:
  Buffer<Index> Numbers_;
  std::vector<Index> Sources_;
};

void takeLabel(const LabelMesh& mesh, std::size_t label, PointNumbers& numbers, PolygonMesh& out)
{
  const Index* from = mesh.polygons.data() + mesh.corners * mesh.first[label];
  out.corners = mesh.corners;
  out.polygons = Buffer<Index>(mesh.corners * (mesh.first[label + 1] - mesh.first[label]));
  numbers.start();
  std::transform(from, from + out.polygons.size(), out.polygons.begin(),
    [&numbers](Index point) { return numbers.number(point); });
  if (!mesh.cuts.empty())
  {
    out.cuts = Buffer<std::uint8_t>(out.polygonCount());
    std::copy_n(mesh.cuts.data() + mesh.first[label], out.polygonCount(), out.cuts.begin());
  }
  out.points = Buffer<float>(3 * numbers.count());
  float* point = out.points.data();
  for (const Index source : numbers.sources())
  {
    point = std::copy_n(mesh.points.data() + 3 * source, 3, point);
  }
}

} // namespace

std::vector<PolygonMesh> splitMesh(const LabelMesh& mesh)
{
  std::vector<PolygonMesh> meshes(mesh.labels.size());
  const Index labels = static_cast<Index>(meshes.size());
  // One table per worker rather than per label: labels are many, and the table is large.
  std::atomic<Index> next{ 0 };
  forRanges(std::min(labels, threadCount()), 1,
    [&](Index, Index)
    {
      std::unique_ptr<PointNumbers> numbers;
      for (Index label = next++; label < labels; label = next++)
      {
        if (!numbers)
        {
          numbers.reset(new PointNumbers(mesh.pointCount()));
        }
        takeLabel(
          mesh, static_cast<std::size_t>(label), *numbers, meshes[static_cast<std::size_t>(label)]);
      }
    });
  return meshes;
}

void triangulate(PolygonMesh& mesh)
{
  if (mesh.corners == 3)
  {
    return;
  }
  const Index quads = mesh.polygonCount();
  const float* points = mesh.points.data();
  Buffer<Index> triangles(6 * quads);
  forRanges(quads, 1 << 13,
    [&](Index begin, Index end)
    {
      for (Index q = begin; q < end; ++q)
      {
        const Index* p = mesh.polygons.data() + 4 * q;
        const bool other = squaredDistance(points + 3 * p[1], points + 3 * p[3]) <
          squaredDistance(points + 3 * p[0], points + 3 * p[2]);
        const int s = other ? 1 : 0; // the cut leads from corner s to corner s + 2
        const Index cut[6] = { p[s], p[s + 1], p[s + 2], p[s], p[s + 2], p[(s + 3) % 4] };
        std::copy_n(cut, 6, triangles.data() + 6 * q);
      }
    });
  mesh.corners = 3;
  mesh.polygons = std::move(triangles);
}

} // namespace segcore
