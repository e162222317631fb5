// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ClosedSurface.h"

#include "FlyingEdges.h"
#include "ImageVoxels.h"
#include "LabelCounts.h"
#include "LabelMesh.h"
#include "PointNormals.h"
#include "SurfaceNets.h"
#include "Tasks.h"
#include "ThreadScope.h"
#include "WindowedSinc.h"

#include "vtkCellArray.h"
#include "vtkDecimatePro.h"
#include "vtkFloatArray.h"
#include "vtkIdTypeArray.h"
#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkPoints.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace segcore
{

namespace
{

/// Calls work(pointer) with the labels of the image in their own type.
template <class Work>
void withLabels(vtkOrientedImageData* image, const Work& work)
{
  vtkDataArray* scalars = scalarsOf(image);
  if (!scalars)
  {
    if (boxOf(image).empty())
    {
      return;
    }
    throw ClosedSurfaceError("the image has no scalars, expected one label per voxel");
  }
  if (scalars->GetNumberOfComponents() != 1 || scalars->GetDataType() == VTK_FLOAT ||
    scalars->GetDataType() == VTK_DOUBLE)
  {
    throw ClosedSurfaceError("the image has " + std::to_string(scalars->GetNumberOfComponents()) +
      " components of type " + scalars->GetDataTypeAsString() +
      ", expected one component of an integer type");
  }
  withScalars(scalars,
    [&work](const auto* voxels)
    {
      using T = std::decay_t<decltype(*voxels)>;
      // Floating types never get here; kernels are made for integers only.
      using Label = std::conditional_t<std::is_integral<T>::value, T, int>;
      work(static_cast<const Label*>(static_cast<const void*>(voxels)));
    });
}

WindowedSincOptions sincOptions(const ClosedSurfaceOptions& options)
{
  WindowedSincOptions result;
  result.iterations = options.SmoothingIterations;
  result.passBand = std::pow(10.0, -4.0 * options.SmoothingFactor);
  return result;
}

/// Smooths the points of a PolygonMesh or LabelMesh. Where triangles are parts of larger polygons,
/// only the polygons' edges lead to neighbours: how they were cut must not show. A point then has
/// four neighbours, not six as in a mesh of triangles, and a wave across the surface has 3/4 of the
/// frequency; the pass band is moved with it, so that the same wavelengths pass.
template <class Mesh>
void smoothBySinc(Mesh& mesh, const ClosedSurfaceOptions& options)
{
  WindowedSincOptions sinc = sincOptions(options);
  sinc.passBand *= mesh.cuts.empty() ? 1.0 : 0.75;
  windowedSinc(mesh.points.data(), mesh.pointCount(), mesh.polygons.data(), mesh.polygonCount(),
    mesh.corners, sinc, mesh.cuts.data());
}

bool smoothsBySinc(const ClosedSurfaceOptions& options)
{
  return options.SmoothingFactor > 0.0 && !(options.SurfaceNets && options.SmoothInternally);
}

bool smoothsJointly(const ClosedSurfaceOptions& options)
{
  return options.SmoothingFactor > 0.0 && options.SmoothJointly;
}

/// Runs work(i) for all meshes: large ones in turn with threads inside, then small ones side by
/// side.
template <class Work>
void forMeshes(const std::vector<PolygonMesh>& meshes, const Work& work)
{
  constexpr Index Large = Index{ 1 } << 17; // polygons
  std::vector<std::size_t> small;
  for (std::size_t i = 0; i < meshes.size(); ++i)
  {
    if (meshes[i].polygonCount() < Large)
    {
      small.push_back(i);
    }
    else
    {
      work(i);
    }
  }
  std::stable_sort(small.begin(), small.end(), [&](std::size_t a, std::size_t b)
    { return meshes[a].polygonCount() > meshes[b].polygonCount(); });
  forTasks(
    static_cast<Index>(small.size()), [&](Index i) { work(small[static_cast<std::size_t>(i)]); });
}

/// Quad q of a net, looking out of its inner label. Its triangles are 0 1 2 and 0 2 3.
template <class T>
void copyQuad(const SurfaceNet<T>& net, Index q, Index* quad)
{
  const Index* t = net.triangles.data() + 6 * q;
  std::copy_n(t, 3, quad);
  quad[3] = t[5];
}

/// The points of a net, smoothed all together if asked for.
template <class T>
Buffer<float> pointsOfNet(const SurfaceNet<T>& net, bool smooth, WindowedSincOptions options)
{
  Buffer<float> points(net.points.size());
  forRanges(net.points.size(), 1 << 16,
    [&](Index begin, Index end)
    {
      std::transform(net.points.begin() + begin, net.points.begin() + end, points.begin() + begin,
        [](double c) { return static_cast<float>(c); });
    });
  if (smooth)
  {
    const Index quads = net.labels.size() / 4;
    Buffer<Index> faces(4 * quads);
    forRanges(quads, 1 << 14,
      [&](Index begin, Index end)
      {
        for (Index q = begin; q < end; ++q)
        {
          copyQuad(net, q, faces.data() + 4 * q);
        }
      });
    options.keepJunctions = true;
    windowedSinc(points.data(), points.size() / 3, faces.data(), quads, 4, options);
  }
  return points;
}

/// The quads of a net, for each of the labels that they bound.
template <class T>
LabelMesh netOfLabels(
  const SurfaceNet<T>& net, const std::vector<T>& labels, const ClosedSurfaceOptions& options)
{
  LabelMesh mesh;
  mesh.corners = 4;
  mesh.labels.assign(labels.begin(), labels.end());
  mesh.points =
    pointsOfNet(net, smoothsJointly(options) && smoothsBySinc(options), sincOptions(options));
  const detail::LabelNumbers<T> number(labels);
  const Index quads = net.labels.size() / 4;
  const Index chunks = chunkCount(quads, 1 << 14, 2);
  std::vector<std::vector<Index>> at(
    static_cast<std::size_t>(chunks), std::vector<Index>(labels.size(), 0));
  // Calls found(chunk, quad, place of the label, whether the label is the outer one).
  const auto visit = [&](const auto& found)
  {
    forRanges(chunks, 1,
      [&](Index chunk, Index)
      {
        for (Index q = chunkBegin(quads, chunks, chunk); q < chunkBegin(quads, chunks, chunk + 1);
          ++q)
        {
          for (int side = 0; side < 2; ++side)
          {
            const T label = net.labels[4 * q + side];
            if (label != T(0))
            {
              found(at[static_cast<std::size_t>(chunk)], q, static_cast<std::size_t>(number(label)),
                side == 1);
            }
          }
        }
      });
  };
  visit([](std::vector<Index>& counts, Index, std::size_t label, bool) { ++counts[label]; });
  Index total = 0;
  mesh.first.assign(labels.size() + 1, 0);
  for (std::size_t label = 0; label < labels.size(); ++label)
  {
    mesh.first[label] = total;
    for (std::vector<Index>& counts : at)
    {
      const Index count = counts[label];
      counts[label] = total;
      total += count;
    }
  }
  mesh.first[labels.size()] = total;
  mesh.polygons = Buffer<Index>(4 * total);
  visit(
    [&](std::vector<Index>& next, Index q, std::size_t label, bool outer)
    {
      Index quad[4];
      copyQuad(net, q, quad);
      if (outer)
      {
        std::swap(quad[1], quad[3]);
      }
      std::copy_n(quad, 4, mesh.polygons.data() + 4 * next[label]++);
    });
  return mesh;
}

int netIterations(const ClosedSurfaceOptions& options)
{
  const double f = options.SmoothingFactor;
  return options.SmoothInternally && f > 0.0 ? static_cast<int>(15.0 * f * f + 9.0 * f) : 0;
}

template <class T>
LabelMesh jointMesh(const T* voxels, const Box& box, const std::vector<T>& labels,
  const ClosedSurfaceOptions& options)
{
  if (!options.SurfaceNets)
  {
    return labelSurfaces(voxels, box, labels);
  }
  SurfaceNetOptions net;
  net.iterations = netIterations(options);
  return netOfLabels(surfaceNet(voxels, box, box, box, net, labels), labels, options);
}

/// Nets that are smoothed one by one: each in its own surroundings.
template <class T>
std::vector<PolygonMesh> separateNets(const T* voxels, const Box& box, const std::vector<T>& labels,
  const ClosedSurfaceOptions& options)
{
  const std::vector<LabelCount<T>> counts = countLabels(voxels, box, box);
  std::vector<PolygonMesh> meshes(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    const auto count = std::lower_bound(counts.begin(), counts.end(), labels[i],
      [](const LabelCount<T>& c, T label) { return c.label < label; });
    if (count == counts.end() || count->label != labels[i])
    {
      continue;
    }
    const Box own = count->box;
    Buffer<T> crop(own.size());
    forRanges(own.rows(), 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const T* from =
            voxels + box.offset(own.lo[0], own.lo[1] + r % own.dim(1), own.lo[2] + r / own.dim(1));
          std::copy_n(from, own.dim(0), crop.data() + r * own.dim(0));
        }
      });
    meshes[i] =
      std::move(splitMesh(jointMesh(crop.data(), own, std::vector<T>{ labels[i] }, options))[0]);
  }
  return meshes;
}

template <class T>
std::vector<PolygonMesh> meshesOf(const T* voxels, const Box& box, const std::vector<T>& labels,
  const ClosedSurfaceOptions& options)
{
  const bool joint = smoothsJointly(options);
  if (!joint && options.SurfaceNets && netIterations(options) > 0)
  {
    return separateNets(voxels, box, labels, options);
  }
  LabelMesh mesh = jointMesh(voxels, box, labels, options);
  if (joint && smoothsBySinc(options) && !options.SurfaceNets) // nets are smoothed already
  {
    smoothBySinc(mesh, options);
  }
  return splitMesh(mesh);
}

vtkSmartPointer<vtkPolyData> toPolyData(const PolygonMesh& mesh)
{
  const auto surface = vtkSmartPointer<vtkPolyData>::New();
  if (mesh.polygons.empty())
  {
    return surface;
  }
  vtkNew<vtkFloatArray> coordinates;
  coordinates->SetNumberOfComponents(3);
  coordinates->SetNumberOfTuples(static_cast<vtkIdType>(mesh.pointCount()));
  std::copy(mesh.points.begin(), mesh.points.end(), coordinates->GetPointer(0));
  vtkNew<vtkPoints> points;
  points->SetData(coordinates);
  surface->SetPoints(points);
  const vtkIdType count = static_cast<vtkIdType>(mesh.polygonCount());
  vtkNew<vtkIdTypeArray> connectivity;
  connectivity->SetNumberOfValues(static_cast<vtkIdType>(mesh.polygons.size()));
  std::copy(mesh.polygons.begin(), mesh.polygons.end(), connectivity->GetPointer(0));
  vtkNew<vtkIdTypeArray> offsets;
  offsets->SetNumberOfValues(count + 1);
  for (vtkIdType i = 0; i <= count; ++i)
  {
    offsets->SetValue(i, i * mesh.corners);
  }
  vtkNew<vtkCellArray> polygons;
  polygons->SetData(offsets, connectivity);
  surface->SetPolys(polygons);
  return surface;
}

/// The triangles of a mesh, fewer of them.
void decimate(PolygonMesh& mesh, double factor)
{
  vtkNew<vtkDecimatePro> decimation;
  decimation->SetInputData(toPolyData(mesh));
  decimation->SetFeatureAngle(60.0);
  decimation->SplittingOff();
  decimation->PreserveTopologyOn();
  decimation->SetMaximumError(1.0);
  decimation->SetTargetReduction(factor);
  decimation->Update();
  vtkPolyData* result = decimation->GetOutput();
  mesh.points = Buffer<float>(3 * result->GetNumberOfPoints());
  for (vtkIdType p = 0; p < result->GetNumberOfPoints(); ++p)
  {
    double point[3];
    result->GetPoint(p, point);
    std::transform(
      point, point + 3, mesh.points.data() + 3 * p, [](double c) { return static_cast<float>(c); });
  }
  mesh.cuts = Buffer<std::uint8_t>(); // no cell has these triangles any more
  mesh.polygons = Buffer<Index>(3 * result->GetNumberOfPolys());
  vtkCellArray* cells = result->GetPolys();
  Index* to = mesh.polygons.data();
  cells->InitTraversal();
  vtkIdType size = 0;
  const vtkIdType* corners = nullptr;
  while (cells->GetNextCell(size, corners))
  {
    to = std::copy_n(corners, 3, to);
  }
}

/// Index to world coordinates; a mirroring turns triangles around, so that normals stay outward.
void toWorld(PolygonMesh& mesh, vtkMatrix4x4* indexToWorld)
{
  const double (*m)[4] = indexToWorld->Element;
  forRanges(mesh.pointCount(), 1 << 14,
    [&](Index begin, Index end)
    {
      for (Index p = begin; p < end; ++p)
      {
        float* point = mesh.points.data() + 3 * p;
        const double index[3] = { static_cast<double>(point[0]), static_cast<double>(point[1]),
          static_cast<double>(point[2]) };
        for (int r = 0; r < 3; ++r)
        {
          point[r] = static_cast<float>(
            m[r][0] * index[0] + m[r][1] * index[1] + m[r][2] * index[2] + m[r][3]);
        }
      }
    });
  if (indexToWorld->Determinant() < 0.0)
  {
    forRanges(mesh.polygonCount(), 1 << 14,
      [&](Index begin, Index end)
      {
        for (Index t = begin; t < end; ++t)
        {
          std::swap(mesh.polygons[3 * t + 1], mesh.polygons[3 * t + 2]);
        }
      });
  }
}

/// Everything after the net, for each mesh. `smoothed`: this is done already.
std::vector<vtkSmartPointer<vtkPolyData>> finish(std::vector<PolygonMesh>& meshes,
  vtkMatrix4x4* indexToWorld, bool smoothed, const ClosedSurfaceOptions& options)
{
  std::vector<vtkSmartPointer<vtkPolyData>> surfaces(meshes.size());
  if (options.DecimationFactor > 0.0)
  {
    // One after the other: VTK's objects are not made for being used by several threads.
    for (PolygonMesh& mesh : meshes)
    {
      triangulate(mesh); // all that vtkDecimatePro takes
      if (!mesh.polygons.empty())
      {
        decimate(mesh, options.DecimationFactor);
      }
    }
  }
  forMeshes(meshes,
    [&](std::size_t i)
    {
      PolygonMesh& mesh = meshes[i];
      if (!smoothed)
      {
        smoothBySinc(mesh, options); // quads are not cut yet
      }
      triangulate(mesh);
      toWorld(mesh, indexToWorld);
      surfaces[i] = toPolyData(mesh);
      if (options.ComputeNormals && !options.SurfaceNets && !mesh.polygons.empty())
      {
        vtkNew<vtkFloatArray> normals;
        normals->SetName("Normals");
        normals->SetNumberOfComponents(3);
        normals->SetNumberOfTuples(static_cast<vtkIdType>(mesh.pointCount()));
        pointNormals(mesh.points.data(), mesh.pointCount(), mesh.polygons.data(),
          mesh.polygonCount(), normals->GetPointer(0));
        surfaces[i]->GetPointData()->SetNormals(normals);
      }
    });
  return surfaces;
}

/// Linear interpolation between voxel centres along one axis; beyond the outermost the same value.
struct Sample
{
  Index first;
  Index second;
  float share; // of the second
};

std::vector<Sample> samplesAlong(Index from, Index to)
{
  std::vector<Sample> samples(static_cast<std::size_t>(to));
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (Index i = 0; i < to; ++i)
  {
    const double at = std::min(
      std::max((static_cast<double>(i) + 0.5) * step - 0.5, 0.0), static_cast<double>(from - 1));
    Sample& sample = samples[static_cast<std::size_t>(i)];
    sample.first = static_cast<Index>(at);
    sample.second = std::min(sample.first + 1, from - 1);
    sample.share = static_cast<float>(at - static_cast<double>(sample.first));
  }
  return samples;
}

/// The image on another number of voxels that fill the same space.
template <class T>
Buffer<float> magnified(const T* voxels, const Box& box, const Box& fine)
{
  const std::vector<Sample> x = samplesAlong(box.dim(0), fine.dim(0));
  const std::vector<Sample> y = samplesAlong(box.dim(1), fine.dim(1));
  const std::vector<Sample> z = samplesAlong(box.dim(2), fine.dim(2));
  Buffer<float> values(fine.size());
  forRanges(fine.rows(), 16,
    [&](Index begin, Index end)
    {
      Buffer<float> row(box.dim(0));
      for (Index r = begin; r < end; ++r)
      {
        const Sample& sy = y[static_cast<std::size_t>(r % fine.dim(1))];
        const Sample& sz = z[static_cast<std::size_t>(r / fine.dim(1))];
        const auto rowAt = [&](Index yy, Index zz)
        { return voxels + box.dim(0) * (yy + box.dim(1) * zz); };
        const T* rows[4] = { rowAt(sy.first, sz.first), rowAt(sy.second, sz.first),
          rowAt(sy.first, sz.second), rowAt(sy.second, sz.second) };
        const auto between = [](float a, float b, float share) { return a + share * (b - a); };
        for (Index i = 0; i < box.dim(0); ++i)
        {
          row[i] = between(
            between(static_cast<float>(rows[0][i]), static_cast<float>(rows[1][i]), sy.share),
            between(static_cast<float>(rows[2][i]), static_cast<float>(rows[3][i]), sy.share),
            sz.share);
        }
        float* to = values.data() + r * fine.dim(0);
        for (Index i = 0; i < fine.dim(0); ++i)
        {
          const Sample& sx = x[static_cast<std::size_t>(i)];
          to[i] = between(row[sx.first], row[sx.second], sx.share);
        }
      }
    });
  return values;
}

/// Meshes that are not smoothed.
std::vector<PolygonMesh> levelMesh(
  vtkOrientedImageData* image, double oversampling, double level, double outside)
{
  const Box box = boxOf(image);
  Box fine = box;
  double ratio[3];
  for (int a = 0; a < 3; ++a)
  {
    const double wanted = std::floor(oversampling * static_cast<double>(box.dim(a)) + 0.5);
    fine.lo[a] = 0;
    fine.hi[a] = std::max<Index>(1, static_cast<Index>(wanted)) - 1;
    ratio[a] = static_cast<double>(box.dim(a)) / static_cast<double>(fine.dim(a));
  }
  std::vector<PolygonMesh> meshes(1);
  PolygonMesh& mesh = meshes[0];
  withScalars(scalarsOf(image),
    [&](const auto* voxels)
    {
      if (fine.dim(0) == box.dim(0) && fine.dim(1) == box.dim(1) && fine.dim(2) == box.dim(2))
      {
        mesh = isoSurface(voxels, fine, level, outside);
      }
      else
      {
        mesh = isoSurface(magnified(voxels, box, fine).data(), fine, level, outside);
      }
    });
  for (Index p = 0; p < mesh.points.size(); ++p)
  {
    const int a = static_cast<int>(p % 3);
    mesh.points[p] = static_cast<float>((static_cast<double>(mesh.points[p]) + 0.5) * ratio[a] -
      0.5 + static_cast<double>(box.lo[a]));
  }
  return meshes;
}

} // namespace

std::vector<vtkSmartPointer<vtkPolyData>> makeLabelSurfaces(
  vtkOrientedImageData* image, const std::vector<int>& labels, const ClosedSurfaceOptions& options)
{
  std::vector<vtkSmartPointer<vtkPolyData>> surfaces;
  const auto work = [&]()
  {
    std::vector<PolygonMesh> meshes(labels.size());
    withLabels(image,
      [&](const auto* voxels)
      {
        // Labels that the type cannot hold have no voxels.
        using T = std::decay_t<decltype(*voxels)>;
        std::vector<T> own;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < labels.size(); ++i)
        {
          if (static_cast<int>(static_cast<T>(labels[i])) == labels[i] &&
            static_cast<T>(labels[i]) > T(0))
          {
            own.push_back(static_cast<T>(labels[i]));
            places.push_back(i);
          }
        }
        std::vector<PolygonMesh> found = meshesOf(voxels, boxOf(image), own, options);
        for (std::size_t i = 0; i < places.size(); ++i)
        {
          meshes[places[i]] = std::move(found[i]);
        }
      });
    vtkNew<vtkMatrix4x4> indexToWorld;
    image->GetImageToWorldMatrix(indexToWorld);
    surfaces =
      finish(meshes, indexToWorld, !smoothsBySinc(options) || smoothsJointly(options), options);
  };
  withThreads(work, boxOf(image).size());
  return surfaces;
}

std::vector<int> positiveLabels(vtkOrientedImageData* image)
{
  std::vector<int> labels;
  withThreads(
    [&]()
    {
      withLabels(image,
        [&](const auto* voxels)
        {
          for (const auto& count : countLabels(voxels, boxOf(image), boxOf(image)))
          {
            const int label = static_cast<int>(count.label);
            if (label > 0 && static_cast<std::decay_t<decltype(count.label)>>(label) == count.label)
            {
              labels.push_back(label);
            }
          }
        });
    },
    boxOf(image).size());
  return labels;
}

vtkSmartPointer<vtkPolyData> makeLevelSurface(vtkOrientedImageData* image, double oversampling,
  double level, double outside, const ClosedSurfaceOptions& options)
{
  if (boxOf(image).empty())
  {
    return vtkSmartPointer<vtkPolyData>::New();
  }
  vtkDataArray* scalars = scalarsOf(image);
  if (!scalars || scalars->GetNumberOfComponents() != 1)
  {
    throw ClosedSurfaceError("the image has no scalars of one component");
  }
  std::vector<vtkSmartPointer<vtkPolyData>> surfaces;
  withThreads(
    [&]()
    {
      std::vector<PolygonMesh> meshes = levelMesh(image, oversampling, level, outside);
      vtkNew<vtkMatrix4x4> indexToWorld;
      image->GetImageToWorldMatrix(indexToWorld);
      surfaces = finish(meshes, indexToWorld, !smoothsBySinc(options), options);
    },
    static_cast<std::int64_t>(
      static_cast<double>(boxOf(image).size()) * std::pow(oversampling, 3.0)));
  return surfaces[0];
}

} // namespace segcore
