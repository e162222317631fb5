// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "LabelMesh.h"

#include "Threads.h"

#include <array>
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

void takeLabel(const LabelMesh& mesh, std::size_t label, PointNumbers& numbers, TriangleMesh& out)
{
  const Index begin = mesh.first[label];
  const Index count = mesh.first[label + 1] - begin;
  const bool quads = mesh.corners == 4;
  out.triangles = Buffer<Index>(3 * count * (quads ? 2 : 1));
  numbers.start();
  Index* to = out.triangles.data();
  const float* points = mesh.points.data();
  for (Index p = begin; p < begin + count; ++p)
  {
    const Index* from = mesh.polygons.data() + mesh.corners * p;
    std::array<Index, 4> own{};
    for (int c = 0; c < mesh.corners; ++c)
    {
      own[static_cast<std::size_t>(c)] = numbers.number(from[c]);
    }
    if (!quads)
    {
      std::copy_n(own.data(), 3, to);
      to += 3;
      continue;
    }
    const bool other = squaredDistance(points + 3 * from[1], points + 3 * from[3]) <
      squaredDistance(points + 3 * from[0], points + 3 * from[2]);
    const std::size_t s = other ? 1 : 0; // the cut leads from corner s to corner s + 2
    const std::array<Index, 6> cut{ own[s], own[s + 1], own[s + 2], own[s], own[s + 2],
      own[(s + 3) % 4] };
    to = std::copy(cut.begin(), cut.end(), to);
  }
  out.points = Buffer<float>(3 * numbers.count());
  float* point = out.points.data();
  for (const Index source : numbers.sources())
  {
    point = std::copy_n(points + 3 * source, 3, point);
  }
}

} // namespace

std::vector<TriangleMesh> splitMesh(const LabelMesh& mesh)
{
  std::vector<TriangleMesh> meshes(mesh.labels.size());
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

} // namespace segcore
