// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "SurfaceVoxels.h"

#include "SurfaceRaster.h"
#include "ThreadScope.h"
#include "vtkPolyDataToFractionalLabelmapFilter.h"

#include "vtkCellArray.h"
#include "vtkCellArrayIterator.h"
#include "vtkDoubleArray.h"
#include "vtkFloatArray.h"
#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkPoints.h"
#include "vtkPolyData.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace segcore
{

namespace
{

/// A triangle costs about as much as that many voxels.
constexpr Index VoxelsPerTriangle = 32;

/// Polygons as fans around their first point. Of a polygon that is flat but not convex some of the
/// triangles lie on each other, and outside of it; by parity those parts cancel exactly.
void appendPolygons(vtkCellArray* cells, std::vector<Index>& triangles)
{
  // As most surfaces are. How they are stored depends on VTK's version and on who made them.
  vtkDataArray* const connectivity = cells->GetConnectivityArray();
  const vtkIdType corners = cells->GetNumberOfConnectivityIds();
  if (corners > 0 && cells->IsHomogeneous() == 3)
  {
    if (auto* wide = vtkAOSDataArrayTemplate<vtkTypeInt64>::FastDownCast(connectivity))
    {
      triangles.insert(triangles.end(), wide->GetPointer(0), wide->GetPointer(0) + corners);
      return;
    }
    if (auto* narrow = vtkAOSDataArrayTemplate<vtkTypeInt32>::FastDownCast(connectivity))
    {
      triangles.insert(triangles.end(), narrow->GetPointer(0), narrow->GetPointer(0) + corners);
      return;
    }
  }
  triangles.reserve(triangles.size() + 3 * static_cast<std::size_t>(cells->GetNumberOfCells()));
  const auto iterator = vtk::TakeSmartPointer(cells->NewIterator());
  for (iterator->GoToFirstCell(); !iterator->IsDoneWithTraversal(); iterator->GoToNextCell())
  {
    vtkIdType count = 0;
    const vtkIdType* ids = nullptr;
    iterator->GetCurrentCell(count, ids);
    for (vtkIdType i = 2; i < count; ++i)
    {
      triangles.push_back(ids[0]);
      triangles.push_back(ids[i - 1]);
      triangles.push_back(ids[i]);
    }
  }
}

void appendStrips(vtkCellArray* cells, std::vector<Index>& triangles)
{
  const auto iterator = vtk::TakeSmartPointer(cells->NewIterator());
  for (iterator->GoToFirstCell(); !iterator->IsDoneWithTraversal(); iterator->GoToNextCell())
  {
    vtkIdType count = 0;
    const vtkIdType* ids = nullptr;
    iterator->GetCurrentCell(count, ids);
    for (vtkIdType i = 2; i < count; ++i)
    {
      triangles.push_back(ids[i - 2]);
      triangles.push_back(ids[i % 2 ? i : i - 1]);
      triangles.push_back(ids[i % 2 ? i - 1 : i]);
    }
  }
}

/// Calls body(pointer to xyz of the points), float if they are float, double otherwise.
template <class Body>
void withPoints(vtkPolyData* surface, const Body& body)
{
  vtkDataArray* const array = surface->GetPoints() ? surface->GetPoints()->GetData() : nullptr;
  if (vtkFloatArray* const floats = vtkFloatArray::FastDownCast(array))
  {
    body(floats->GetPointer(0));
    return;
  }
  if (vtkDoubleArray* const doubles = vtkDoubleArray::FastDownCast(array))
  {
    body(doubles->GetPointer(0));
    return;
  }
  std::vector<double> copy(3 * static_cast<std::size_t>(surface->GetNumberOfPoints()));
  for (vtkIdType i = 0; i < surface->GetNumberOfPoints(); ++i)
  {
    surface->GetPoint(i, copy.data() + 3 * i);
  }
  body(static_cast<const double*>(copy.data()));
}

} // namespace

bool fillFromSurface(vtkPolyData* surface, vtkOrientedImageData* image, int scalarType,
  int samplesPerAxis, const std::uint8_t* values, std::string& error, const Progress& progress)
{
  vtkNew<vtkMatrix4x4> indexToWorld;
  image->GetImageToWorldMatrix(indexToWorld);
  const double determinant = indexToWorld->Determinant();
  if (determinant == 0.0 || !std::isfinite(determinant))
  {
    error = "the image's axes are not independent, or its spacing is 0 or not finite";
    return false;
  }
  vtkNew<vtkMatrix4x4> worldToIndex;
  vtkMatrix4x4::Invert(indexToWorld, worldToIndex);
  double toLattice[12];
  for (int i = 0; i < 12; ++i)
  {
    toLattice[i] = worldToIndex->GetElement(i / 4, i % 4);
  }
  const Box box = Box::fromExtent(image->GetExtent());
  const double voxels = static_cast<double>(box.dim(0)) * static_cast<double>(box.dim(1)) *
    static_cast<double>(box.dim(2));
  const std::string size = std::to_string(box.dim(0)) + " x " + std::to_string(box.dim(1)) + " x " +
    std::to_string(box.dim(2)) + " voxels";
  if (voxels > static_cast<double>(std::numeric_limits<vtkIdType>::max() / 2))
  {
    error = size + " are too many";
    return false;
  }
  try
  {
    image->AllocateScalars(scalarType, 1);
    if (box.empty())
    {
      return true;
    }
    vtkDataArray* const scalars = image->GetPointData()->GetScalars();
    if (!scalars || scalars->GetNumberOfTuples() != box.size() || !scalars->GetVoidPointer(0))
    {
      error = "no memory for " + size;
      return false;
    }
    std::vector<Index> triangles;
    appendPolygons(surface->GetPolys(), triangles);
    appendStrips(surface->GetStrips(), triangles);
    const Index count = static_cast<Index>(triangles.size() / 3);
    const Index samples = static_cast<Index>(samplesPerAxis) * samplesPerAxis;
    withThreads(
      [&]
      {
        withPoints(surface,
          [&](const auto* points)
          {
            const SurfaceRaster raster(points, surface->GetNumberOfPoints(), triangles.data(),
              count, toLattice, samplesPerAxis);
            raster.sample(
              box, values, static_cast<std::uint8_t*>(scalars->GetVoidPointer(0)), progress);
          });
      },
      (box.size() + count * VoxelsPerTriangle) * samples);
  }
  catch (const std::bad_alloc&)
  {
    error = "no memory for " + size;
    return false;
  }
  catch (const std::invalid_argument& refused)
  {
    error = refused.what();
    return false;
  }
  return true;
}

Index surfaceWork(vtkPolyData* surface, const Box& box)
{
  // A polygon of n corners is n - 2 triangles; a strip likewise.
  Index triangles = 0;
  for (vtkCellArray* cells : { surface->GetPolys(), surface->GetStrips() })
  {
    triangles += cells->GetNumberOfConnectivityIds() - 2 * cells->GetNumberOfCells();
  }
  return box.size() + std::max<Index>(0, triangles) * VoxelsPerTriangle;
}

std::vector<std::uint8_t> fractionalValues(int samplesPerAxis)
{
  const int most = samplesPerAxis * samplesPerAxis * samplesPerAxis;
  const double step = static_cast<double>(FRACTIONAL_MAX - FRACTIONAL_MIN) / most;
  std::vector<std::uint8_t> values(static_cast<std::size_t>(most) + 1);
  for (int c = 0; c <= most; ++c)
  {
    const auto value = static_cast<std::int8_t>(std::lround(FRACTIONAL_MIN + c * step));
    values[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(value);
  }
  return values;
}

Box indexBox(vtkPolyData* surface, vtkMatrix4x4* worldToIndex)
{
  double low[3] = { HUGE_VAL, HUGE_VAL, HUGE_VAL };
  double high[3] = { -HUGE_VAL, -HUGE_VAL, -HUGE_VAL };
  const vtkIdType count = surface->GetNumberOfPoints();
  double m[12];
  for (int i = 0; i < 12; ++i)
  {
    m[i] = worldToIndex->GetElement(i / 4, i % 4);
  }
  withPoints(surface,
    [&](const auto* points)
    {
      using Coordinate = std::remove_const_t<std::remove_pointer_t<decltype(points)>>;
      for (vtkIdType i = 0; i < count; ++i)
      {
        for (int a = 0; a < 3; ++a)
        {
          const double* const row = m + 4 * a;
          const auto c = static_cast<Coordinate>(row[0] * points[3 * i] +
            row[1] * points[3 * i + 1] + row[2] * points[3 * i + 2] + row[3]);
          if (std::isfinite(c))
          {
            low[a] = std::min(low[a], static_cast<double>(c));
            high[a] = std::max(high[a], static_cast<double>(c));
          }
        }
      }
    });
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    if (!(low[a] <= high[a]))
    {
      return Box();
    }
    if (low[a] < std::numeric_limits<int>::min() || high[a] > std::numeric_limits<int>::max())
    {
      throw std::overflow_error("the surface is too large for the voxels: its indices along axis " +
        std::to_string(a) + " do not fit into an extent");
    }
    box.lo[a] = static_cast<Index>(std::floor(low[a]));
    box.hi[a] = static_cast<Index>(std::ceil(high[a]));
  }
  return box;
}

} // namespace segcore
