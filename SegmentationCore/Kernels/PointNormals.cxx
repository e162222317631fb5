// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "PointNormals.h"

#include "Buffer.h"
#include "MeshLinks.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace segcore
{

namespace
{

/// To unit length; 0 stays 0.
void normalise(float* v)
{
  const double length = std::sqrt(static_cast<double>(v[0]) * v[0] +
    static_cast<double>(v[1]) * v[1] + static_cast<double>(v[2]) * v[2]);
  const float scale = length > 0.0 ? static_cast<float>(1.0 / length) : 0.0f;
  for (int a = 0; a < 3; ++a)
  {
    v[a] *= scale;
  }
}

void faceNormal(const float* points, const Index* triangle, float* normal)
{
  const float* p = points + 3 * triangle[0];
  const float* q = points + 3 * triangle[1];
  const float* r = points + 3 * triangle[2];
  float u[3];
  float v[3];
  for (int a = 0; a < 3; ++a)
  {
    u[a] = q[a] - p[a];
    v[a] = r[a] - p[a];
  }
  normal[0] = u[1] * v[2] - u[2] * v[1];
  normal[1] = u[2] * v[0] - u[0] * v[2];
  normal[2] = u[0] * v[1] - u[1] * v[0];
  normalise(normal);
}

template <class Id>
void addUp(
  const float* faces, const Index* triangles, Index triangleCount, Index pointCount, float* normals)
{
  const detail::MeshLinks<Id> links(triangles, 3 * triangleCount, pointCount);
  forRanges(pointCount, 1 << 13,
    [&](Index begin, Index end)
    {
      for (Index p = begin; p < end; ++p)
      {
        float sum[3] = { 0.0f, 0.0f, 0.0f };
        for (const Id* corner = links.begin(p); corner < links.end(p); ++corner)
        {
          const float* face = faces + 3 * (static_cast<Index>(*corner) / 3);
          for (int a = 0; a < 3; ++a)
          {
            sum[a] += face[a];
          }
        }
        normalise(sum);
        std::copy_n(sum, 3, normals + 3 * p);
      }
    });
}

} // namespace

void pointNormals(const float* points, Index pointCount, const Index* triangles,
  Index triangleCount, float* normals)
{
  Buffer<float> faces(3 * triangleCount);
  forRanges(triangleCount, 1 << 13,
    [&](Index begin, Index end)
    {
      for (Index t = begin; t < end; ++t)
      {
        faceNormal(points, triangles + 3 * t, faces.data() + 3 * t);
      }
    });
  if (3 * triangleCount < std::numeric_limits<std::uint32_t>::max())
  {
    addUp<std::uint32_t>(faces.data(), triangles, triangleCount, pointCount, normals);
  }
  else
  {
    addUp<Index>(faces.data(), triangles, triangleCount, pointCount, normals);
  }
}

} // namespace segcore
