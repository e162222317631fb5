// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Surfaces: closed on every label, outward, of the right volume, and the same triangles for any
// ranks and blocks. Truth: without smoothing the surface of a label is that of its voxels, whose
// volume is known exactly; edges are matched one by one; the rest is compared with the serial
// result.

#include "FilterTest.h"
#include "vtkLabelMapSurface.h"

#include "vtkCellArray.h"
#include "vtkCellData.h"
#include "vtkPointData.h"
#include "vtkPolyData.h"
#include "vtkTypeInt64Array.h"
#include "vtkUnsignedCharArray.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapSurface>;

struct Settings
{
  Index Label = 0;
  int Smoothing = 12;
  int Coarsening = 1;
  bool FacesOnce = false;
};

Filter filterOf(
  const Settings& settings, vtkMultiProcessController* controller, int blocks, bool gather)
{
  auto filter = Filter::New();
  filter->SetSegmentLabel(settings.Label);
  filter->SetSmoothingIterations(settings.Smoothing);
  filter->SetCoarsening(settings.Coarsening);
  filter->SetFacesOnce(settings.FacesOnce);
  filter->SetController(controller);
  filter->SetNumberOfBlocks(blocks);
  filter->SetGatherToRoot(gather);
  return filter;
}

/// The parts of a surface as plain vectors.
struct Mesh
{
  std::vector<float> Points;
  std::vector<Index> Keys;
  std::vector<std::array<Index, 3>> Triangles;
  std::vector<Index> Labels;
  std::vector<Index> Others; ///< Labels on the other side, if each face is there once.

  bool operator==(const Mesh& other) const
  {
    return this->Points == other.Points && this->Keys == other.Keys &&
      this->Triangles == other.Triangles && this->Labels == other.Labels &&
      this->Others == other.Others;
  }
};

Mesh meshOf(vtkPolyData* surface)
{
  Mesh mesh;
  auto* keys =
    vtkTypeInt64Array::SafeDownCast(surface->GetPointData()->GetArray("SurfacePointKey"));
  auto* labels = vtkTypeInt64Array::SafeDownCast(surface->GetCellData()->GetArray("SegmentLabel"));
  if (!keys || !labels)
  {
    check::fail(__FILE__, __LINE__, "SurfacePointKey or SegmentLabel is missing");
    return mesh;
  }
  CHECK_EQUAL(keys->GetNumberOfValues(), surface->GetNumberOfPoints());
  CHECK_EQUAL(labels->GetNumberOfValues(), surface->GetNumberOfPolys());
  for (vtkIdType p = 0; p < surface->GetNumberOfPoints(); ++p)
  {
    for (int a = 0; a < 3; ++a)
    {
      mesh.Points.push_back(static_cast<float>(surface->GetPoint(p)[a]));
    }
    mesh.Keys.push_back(keys->GetValue(p));
  }
  for (vtkIdType t = 0; t < surface->GetNumberOfPolys(); ++t)
  {
    vtkIdType count = 0;
    const vtkIdType* corner = nullptr;
    surface->GetPolys()->GetCellAtId(t, count, corner);
    CHECK_EQUAL(count, 3);
    mesh.Triangles.push_back({ corner[0], corner[1], corner[2] });
    mesh.Labels.push_back(labels->GetValue(t));
  }
  if (auto* others =
        vtkTypeInt64Array::SafeDownCast(surface->GetCellData()->GetArray("OtherLabel")))
  {
    CHECK_EQUAL(others->GetNumberOfValues(), surface->GetNumberOfPolys());
    mesh.Others.assign(others->GetPointer(0), others->GetPointer(0) + others->GetNumberOfValues());
  }
  return mesh;
}

/// A mesh with each face once as one with a face for each side that is a segment.
Mesh bothSides(Mesh mesh)
{
  const std::vector<Index> others = std::move(mesh.Others);
  mesh.Others.clear();
  for (std::size_t t = 0; t < others.size(); ++t)
  {
    if (others[t] != 0)
    {
      const std::array<Index, 3> face = mesh.Triangles[t];
      mesh.Triangles.push_back({ face[0], face[2], face[1] });
      mesh.Labels.push_back(others[t]);
    }
  }
  return mesh;
}

/// Collective. Runs the filter on this rank's piece.
template <class T>
vtkSmartPointer<vtkPolyData> run(vtkLabelMapSurface* filter, const Shape& shape,
  const std::vector<T>& values, const Box& piece, int rank, int size)
{
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, values, piece);
  filter->SetInputConnection(source->GetOutputPort());
  filter->UpdatePiece(rank, size, 0);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  return filter->GetOutput();
}

template <class T>
Mesh serialMesh(const Shape& shape, const std::vector<T>& values, const Settings& settings)
{
  return meshOf(run<T>(filterOf(settings, nullptr, 1, true), shape, values, shape.box, 0, 1));
}

/// Every directed edge of a label has as many reverses.
void checkClosed(const Mesh& mesh, const char* file, int line)
{
  std::map<std::array<Index, 3>, Index> balance; // label, from, to with from < to
  for (std::size_t t = 0; t < mesh.Triangles.size(); ++t)
  {
    for (int c = 0; c < 3; ++c)
    {
      const Index from = mesh.Keys[static_cast<std::size_t>(mesh.Triangles[t][c])];
      const Index to = mesh.Keys[static_cast<std::size_t>(mesh.Triangles[t][(c + 1) % 3])];
      if (from == to)
      {
        check::fail(file, line, "a triangle has an edge without length");
      }
      balance[{ mesh.Labels[t], std::min(from, to), std::max(from, to) }] += from < to ? 1 : -1;
    }
  }
  for (const auto& edge : balance)
  {
    if (edge.second != 0)
    {
      check::fail(file, line, "the surface of label " + std::to_string(edge.first[0]) + " is open");
      return;
    }
  }
}

/// Volume inside the surface of each label, positive if normals point outward (divergence theorem).
std::map<Index, double> volumesOf(const Mesh& mesh)
{
  std::map<Index, double> result;
  if (mesh.Points.empty())
  {
    return result;
  }
  for (std::size_t t = 0; t < mesh.Triangles.size(); ++t)
  {
    double p[3][3];
    for (int c = 0; c < 3; ++c)
    {
      for (int a = 0; a < 3; ++a)
      {
        const auto at = static_cast<std::size_t>(3 * mesh.Triangles[t][c] + a);
        p[c][a] = static_cast<double>(mesh.Points[at]) - mesh.Points[static_cast<std::size_t>(a)];
      }
    }
    result[mesh.Labels[t]] += (p[0][0] * (p[1][1] * p[2][2] - p[1][2] * p[2][1]) +
                                p[0][1] * (p[1][2] * p[2][0] - p[1][0] * p[2][2]) +
                                p[0][2] * (p[1][0] * p[2][1] - p[1][1] * p[2][0])) /
      6.0;
  }
  return result;
}

/// World coordinates of each triangle, with its label, sorted: what remains when numbering does not
/// count.
using Soup = std::vector<std::array<float, 10>>;

Soup soupOf(const Mesh& mesh)
{
  Soup soup;
  for (std::size_t t = 0; t < mesh.Triangles.size(); ++t)
  {
    std::array<float, 10> one{};
    // Start at the corner with the lowest key: turning a triangle changes nothing.
    int first = 0;
    for (int c = 1; c < 3; ++c)
    {
      first = mesh.Keys[static_cast<std::size_t>(mesh.Triangles[t][c])] <
          mesh.Keys[static_cast<std::size_t>(mesh.Triangles[t][first])]
        ? c
        : first;
    }
    for (int c = 0; c < 3; ++c)
    {
      std::copy_n(
        mesh.Points.begin() + 3 * mesh.Triangles[t][(first + c) % 3], 3, one.begin() + 3 * c);
    }
    one[9] = static_cast<float>(mesh.Labels[t]);
    soup.push_back(one);
  }
  std::sort(soup.begin(), soup.end());
  return soup;
}

template <class T>
std::vector<T> randomLabels(const Shape& shape, std::uint64_t seed, Index labels)
{
  check::Random random(seed);
  return volumes::make<T>(shape.box,
    [&](Index x, Index y, Index z)
    {
      // Lumps of three voxels and single ones, so that labels meet at faces, edges and corners.
      const auto lump =
        paralleltest::noise(seed, static_cast<std::uint64_t>(x / 3 + 10 * (y / 3) + 100 * (z / 3)));
      return random.below(5) ? static_cast<Index>(lump % static_cast<std::uint64_t>(labels))
                             : random.below(labels);
    });
}

/// Collective. Gathered: rank 0 has the serial surface bit for bit, for all ways to cut the image.
/// Not gathered: the triangles of all ranks are those of the serial one.
template <class T>
void checkSurface(const World& world, const Shape& shape, const std::vector<T>& values,
  const Settings& settings, Effort effort)
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const std::string before = check::context();
  const Mesh serial = serialMesh(shape, values, settings);
  checkClosed(bothSides(serial), __FILE__, __LINE__);
  const Soup serialSoup = soupOf(serial);
  static int turn = 0;
  for (const Layout layout : paralleltest::allLayouts)
  {
    const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
    for (int b = 0; b < (effort == Effort::Every ? 5 : 1); ++b)
    {
      const int blocks = blockCounts[++turn % 5];
      check::setContext(before, " layout ", static_cast<int>(layout), " blocks ", blocks, " rank ",
        rank, " of ", size);
      const Mesh gathered =
        meshOf(run(filterOf(settings, world.communicator->controller(), blocks, true), shape,
          values, piece, rank, size));
      CHECK(rank == 0 ? gathered == serial : gathered == Mesh());
      const Mesh part =
        meshOf(run(filterOf(settings, world.communicator->controller(), blocks, false), shape,
          values, piece, rank, size));
      const Soup soup = soupOf(part);
      segcore::Bytes bytes(soup.size() * sizeof(soup[0]));
      if (!soup.empty())
      {
        std::memcpy(bytes.data(), soup.data(), bytes.size());
      }
      Soup all;
      for (const segcore::Bytes& other : world.communicator->gather(bytes))
      {
        const std::size_t old = all.size();
        all.resize(old + other.size() / sizeof(soup[0]));
        if (!other.empty())
        {
          std::memcpy(all.data() + old, other.data(), other.size());
        }
      }
      std::sort(all.begin(), all.end());
      CHECK(rank != 0 || all == serialSoup);
    }
    if (size == 1)
    {
      break;
    }
  }
  check::setContext(before);
}

void testOneVoxel(const World& world)
{
  // A cube between the centres of the eight cells around the voxel, no smoothing: corners half a
  // voxel away.
  Shape shape = oddShape(3, 3, 3, false);
  std::vector<unsigned char> labels(27, 0);
  labels[13] = 9;
  Settings sharp;
  sharp.Smoothing = 0;
  const Mesh mesh = serialMesh(shape, labels, sharp);
  CHECK_EQUAL(mesh.Keys.size(), 8u);
  CHECK_EQUAL(mesh.Triangles.size(), 12u);
  checkClosed(mesh, __FILE__, __LINE__);
  // Keys: cells of 4 x 4 x 4, x fastest.
  std::vector<Index> keys;
  for (Index k = 1; k <= 2; ++k)
  {
    for (Index j = 1; j <= 2; ++j)
    {
      for (Index i = 1; i <= 2; ++i)
      {
        keys.push_back(i + 4 * (j + 4 * k));
      }
    }
  }
  CHECK(mesh.Keys == keys);
  CHECK(mesh.Labels == std::vector<Index>(12, 9));
  for (std::size_t p = 0; p < 8 && p < mesh.Keys.size(); ++p)
  {
    // Cell c lies between the voxels c - 1 and c.
    const double index[3] = { -7 - 0.5 + static_cast<double>(keys[p] % 4),
      5 - 0.5 + static_cast<double>(keys[p] / 4 % 4),
      -3 - 0.5 + static_cast<double>(keys[p] / 16) };
    for (int r = 0; r < 3; ++r)
    {
      double expected = shape.origin[r];
      for (int a = 0; a < 3; ++a)
      {
        expected += shape.direction[3 * r + a] * shape.spacing[a] * index[a];
      }
      CHECK(std::abs(mesh.Points[3 * p + static_cast<std::size_t>(r)] - expected) < 1e-5);
    }
  }
  check::setContext("one voxel on all ranks");
  checkSurface(world, shape, labels, sharp, Effort::Some);
  // An image of one voxel: background lies around it.
  shape = oddShape(1, 1, 1);
  check::setContext("image of one voxel");
  CHECK_EQUAL(serialMesh(shape, std::vector<short>{ 2 }, sharp).Triangles.size(), 12u);
  CHECK_EQUAL(serialMesh(shape, std::vector<short>{ 0 }, sharp).Triangles.size(), 0u);
  checkSurface(world, shape, std::vector<short>{ 2 }, Settings(), Effort::Some);
  check::setContext("");
}

/// Without smoothing the volume is that of the voxels, also for directions that are left-handed.
void testVolumeOfVoxels(const World& world)
{
  for (const bool left : { false, true })
  {
    for (const std::uint64_t seed : { 1u, 2u })
    {
      check::setContext("left-handed ", left, " seed ", seed);
      const Shape shape = oddShape(11, 9, 10, left);
      const auto labels = randomLabels<unsigned short>(shape, seed, 4);
      Settings sharp;
      sharp.Smoothing = 0;
      const Mesh mesh = serialMesh(shape, labels, sharp);
      const double voxel = shape.spacing[0] * shape.spacing[1] * shape.spacing[2];
      auto found = volumesOf(mesh);
      CHECK_EQUAL(found.size(), 3u);
      for (Index label = 1; label < 4; ++label)
      {
        const double expected = voxel *
          static_cast<double>(
            std::count(labels.begin(), labels.end(), static_cast<unsigned short>(label)));
        CHECK(std::abs(found[label] - expected) < 1e-4 * expected);
      }
      checkSurface(world, shape, labels, sharp, Effort::Some);
    }
  }
  check::setContext("");
}

/// Smoothed: a ball of nine voxels' radius keeps its volume within a tenth (smoothing takes off a
/// fifth of a voxel all around), and every point lies near the sphere.
void testBall(const World& world)
{
  for (const bool left : { false, true })
  {
    Shape shape = oddShape(27, 25, 26, left);
    const double spacing[3] = { 1.0, 1.1, 0.9 };
    std::copy(spacing, spacing + 3, shape.spacing);
    const double radius = 9.0;
    const auto labels = volumes::make<unsigned char>(shape.box,
      [&](Index x, Index y, Index z)
      {
        const double d[3] = { (x - 13) * spacing[0], (y - 12) * spacing[1], (z - 13) * spacing[2] };
        return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= radius * radius ? 1 : 0;
      });
    const Mesh mesh = serialMesh(shape, labels, Settings());
    const double expected = 0.99 * static_cast<double>(std::count(labels.begin(), labels.end(), 1));
    check::setContext(
      "ball, left-handed ", left, " volume ", volumesOf(mesh)[1], " expected ", expected);
    CHECK(std::abs(volumesOf(mesh)[1] / expected - 1.0) < 0.1);
    // The centre of the ball, voxel (13, 12, 13), in world coordinates.
    const double centre[3] = { (shape.box.lo[0] + 13) * spacing[0],
      (shape.box.lo[1] + 12) * spacing[1], (shape.box.lo[2] + 13) * spacing[2] };
    for (std::size_t p = 0; p + 2 < mesh.Points.size(); p += 3)
    {
      double squared = 0.0;
      for (std::size_t r = 0; r < 3; ++r)
      {
        double at = shape.origin[r];
        for (std::size_t a = 0; a < 3; ++a)
        {
          at += shape.direction[3 * r + a] * centre[a];
        }
        squared += (mesh.Points[p + r] - at) * (mesh.Points[p + r] - at);
      }
      CHECK(std::abs(std::sqrt(squared) - radius) < 0.75);
    }
    if (!left)
    {
      checkSurface(world, shape, labels, Settings(), Effort::Some);
    }
  }
  check::setContext("");
}

void testRandomLabels(const World& world)
{
  const Shape shape = oddShape(12, 10, 13);
  for (const std::uint64_t seed : { 3u, 4u })
  {
    check::setContext("random labels, seed ", seed);
    const auto labels = randomLabels<int>(shape, seed, 5);
    checkSurface(world, shape, labels, Settings(), seed == 3 ? Effort::Every : Effort::Some);
    // Each face once, looking out of the smaller label: turned around for the other one it gives
    // the rest.
    Settings once;
    once.FacesOnce = true;
    checkSurface(world, shape, labels, once, Effort::Some);
    const Mesh faces = serialMesh(shape, labels, once);
    CHECK_EQUAL(faces.Others.size(), faces.Labels.size());
    for (std::size_t t = 0; t < faces.Others.size(); ++t)
    {
      CHECK(faces.Labels[t] > 0 && (faces.Others[t] == 0 || faces.Labels[t] < faces.Others[t]));
    }
    CHECK(soupOf(bothSides(faces)) == soupOf(serialMesh(shape, labels, Settings())));
    // One label alone is part of all: the same triangles, point by point.
    Settings one;
    one.Label = 3;
    checkSurface(world, shape, labels, one, Effort::Some);
    Soup expected;
    for (const auto& triangle : soupOf(serialMesh(shape, labels, Settings())))
    {
      if (triangle[9] == 3.0f)
      {
        expected.push_back(triangle);
      }
    }
    CHECK(!expected.empty());
    CHECK(soupOf(serialMesh(shape, labels, one)) == expected);
  }
  // A label that does not occur, an empty and a full image.
  Settings none;
  none.Label = 77;
  check::setContext("no voxels of the label");
  const auto labels = randomLabels<int>(shape, 3, 5);
  CHECK_EQUAL(serialMesh(shape, labels, none).Triangles.size(), 0u);
  checkSurface(world, shape, labels, none, Effort::Some);
  checkSurface(world, shape, std::vector<int>(labels.size(), 0), Settings(), Effort::Some);
  checkSurface(world, shape, std::vector<int>(labels.size(), 4), Settings(), Effort::Some);
  check::setContext("");
}

/// Labels with 64 bits keep all digits; every integer type gives the same surface.
void testTypes(const World& world)
{
  const Shape shape = oddShape(6, 5, 7);
  const auto small = randomLabels<unsigned char>(shape, 8, 4);
  const Mesh expected = serialMesh(shape, small, Settings());
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      if (!std::is_floating_point<T>::value)
      {
        check::setContext("scalar type ", vtkTypeTraits<T>::SizedName());
        CHECK(
          serialMesh(shape, std::vector<T>(small.begin(), small.end()), Settings()) == expected);
      }
    });
  check::setContext("large labels");
  const long long big = (1ll << 53) + 1;
  std::vector<long long> labels(small.begin(), small.end());
  for (long long& label : labels)
  {
    label = label ? label + big - 1 : 0;
  }
  Mesh moved = expected;
  for (Index& label : moved.Labels)
  {
    label += big - 1;
  }
  CHECK(serialMesh(shape, labels, Settings()) == moved);
  checkSurface(world, shape, labels, Settings(), Effort::Some);
  Settings one;
  one.Label = big + 1;
  const Mesh single = serialMesh(shape, labels, one);
  CHECK(!single.Labels.empty());
  CHECK(single.Labels == std::vector<Index>(single.Labels.size(), big + 1));
  check::setContext("");
}

/// Coarsened: the surface of the image of majorities, whose voxels are as many times larger.
void testCoarsening(const World& world)
{
  const Shape shape = oddShape(11, 10, 13);
  const auto labels = randomLabels<unsigned char>(shape, 6, 4);
  const Box fine = Box::ofSize(11, 10, 13);
  for (const Index factor : { 2, 3, 64 })
  {
    check::setContext("coarsening ", factor);
    Shape large = shape;
    large.box = Box::ofSize(
      (11 + factor - 1) / factor, (10 + factor - 1) / factor, (13 + factor - 1) / factor);
    for (int a = 0; a < 3; ++a)
    {
      large.spacing[a] = shape.spacing[a] * static_cast<double>(factor);
    }
    for (int r = 0; r < 3; ++r)
    {
      for (int a = 0; a < 3; ++a)
      {
        large.origin[r] += shape.direction[3 * r + a] * shape.spacing[a] *
          (static_cast<double>(shape.box.lo[a]) + 0.5 * static_cast<double>(factor - 1));
      }
    }
    const auto majority = volumes::make<unsigned char>(large.box,
      [&](Index x, Index y, Index z)
      {
        std::map<int, int> votes;
        for (Index k = z * factor; k < std::min<Index>(13, (z + 1) * factor); ++k)
        {
          for (Index j = y * factor; j < std::min<Index>(10, (y + 1) * factor); ++j)
          {
            for (Index i = x * factor; i < std::min<Index>(11, (x + 1) * factor); ++i)
            {
              ++votes[labels[static_cast<std::size_t>(fine.offset(i, j, k))]];
            }
          }
        }
        // Of equally frequent ones the smallest that is not 0.
        int best = 0;
        for (const auto& vote : votes)
        {
          if (vote.second > votes[best] || (vote.second == votes[best] && best == 0))
          {
            best = vote.first;
          }
        }
        return best;
      });
    const Mesh expected = serialMesh(large, majority, Settings());
    Settings settings;
    settings.Coarsening = static_cast<int>(factor);
    const Mesh got = serialMesh(shape, labels, settings);
    CHECK(got.Keys == expected.Keys);
    CHECK(got.Triangles == expected.Triangles);
    CHECK(got.Labels == expected.Labels);
    double farthest = 0.0;
    for (std::size_t i = 0; i < std::min(got.Points.size(), expected.Points.size()); ++i)
    {
      farthest = std::max(farthest, std::abs(double(got.Points[i]) - double(expected.Points[i])));
    }
    CHECK(farthest < 1e-4);
    checkSurface(world, shape, labels, settings, factor == 2 ? Effort::Every : Effort::Some);
  }
  check::setContext("");
}

void testColors(const World& world)
{
  const Shape shape = shapeOf(6, 3, 9);
  const auto labels =
    volumes::make<unsigned char>(shape.box, [](Index x, Index, Index) { return x / 2 * 20; });
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece =
    makePiece(shape, labels, paralleltest::pieceOf(Layout::SharedPlanes, shape.box, rank, size));
  vtkNew<vtkTypeInt64Array> values;
  values->SetName("SegmentLabelValue");
  values->InsertNextValue(40);
  vtkNew<vtkDoubleArray> colors;
  colors->SetName("SegmentColor");
  colors->SetNumberOfComponents(3);
  colors->InsertNextTuple3(1.0, 0.5, 0.0);
  source->Piece->GetFieldData()->AddArray(values);
  source->Piece->GetFieldData()->AddArray(colors);
  auto filter = filterOf(Settings(), world.communicator->controller(), 1, false);
  updatePieces(world, source, filter);
  auto* rgb = vtkUnsignedCharArray::SafeDownCast(
    filter->GetOutput()->GetCellData()->GetArray("SegmentColor"));
  CHECK(rgb != nullptr);
  const Mesh mesh = meshOf(filter->GetOutput());
  for (std::size_t t = 0; rgb && t < mesh.Labels.size(); ++t)
  {
    // A label without a segment is grey.
    const unsigned char expected[2][3] = { { 255, 128, 0 }, { 128, 128, 128 } };
    CHECK_RANGES(
      rgb->GetPointer(static_cast<vtkIdType>(3 * t)), expected[mesh.Labels[t] == 40 ? 0 : 1], 3);
  }
  CHECK(filter->GetOutput()->GetFieldData()->GetArray("SegmentColor") == colors.Get());
  // Without a table there is no colour.
  source->Piece->GetFieldData()->Initialize();
  source->Modified();
  updatePieces(world, source, filter);
  CHECK(filter->GetOutput()->GetCellData()->GetArray("SegmentColor") == nullptr);
}

void testErrors(const World& world)
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Shape shape = shapeOf(4, 4, 9);
  const auto labels =
    volumes::make<short>(shape.box, [](Index x, Index y, Index) { return (x + y) / 3; });
  const Box piece = paralleltest::pieceOf(Layout::SharedPlanes, shape.box, rank, size);
  vtkObject::GlobalWarningDisplayOff();
  const auto refused = [&](vtkLabelMapSurface* filter, vtkImageData* image, const char* part)
  {
    check::setContext("rank ", rank, " of ", size, " expecting ", part);
    filter->SetController(world.communicator->controller());
    vtkNew<PieceSource> source;
    source->Whole = shape;
    source->Piece = image;
    updatePieces(world, source, filter);
    const std::string error = filter->GetLastError();
    check::setContext("rank ", rank, " of ", size, " expecting '", part, "' got '", error, "'");
    CHECK(contains(error, part) && !error.empty());
    CHECK(sameEverywhere(world, error));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfPoints(), 0);
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfCells(), 0);
    CHECK_EQUAL(filter->GetOutput()->GetCellData()->GetNumberOfArrays(), 0);
    return source;
  };
  const auto image = makePiece(shape, labels, piece);
  const auto with = [](Index label, int smoothing, int coarsening, int blocks = 1)
  {
    Settings settings;
    settings.Label = label;
    settings.Smoothing = smoothing;
    settings.Coarsening = coarsening;
    return filterOf(settings, nullptr, blocks, true);
  };
  refused(with(-1, 12, 1), image, "SegmentLabel is -1, expected 0 to 9223372036854775807");
  refused(with(0, -1, 1), image, "SmoothingIterations is -1, expected 0 to 100");
  refused(with(0, 101, 1), image, "SmoothingIterations is 101");
  refused(with(0, 0, 0), image, "Coarsening is 0, expected 1 to 64");
  refused(with(0, 0, 65), image, "Coarsening is 65");
  refused(with(0, 0, 1, 0), image, "NumberOfBlocks is 0");
  for (const int coarsening : { 1, 2 })
  {
    refused(with(0, 12, coarsening),
      makePiece(shape, std::vector<float>(labels.begin(), labels.end()), piece),
      "array 'values' has floating values, expected labels of an integer type");
  }
  // On one rank alone, and well again afterwards.
  const bool here = rank == size - 1;
  const auto bad = makePiece(shape, labels, here && piece.empty() ? shape.box : piece);
  if (here)
  {
    bad->GetPointData()->Initialize();
  }
  const auto filter = with(0, 12, 1);
  refused(filter, bad, "no active point scalars");
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = image;
  updatePieces(world, source, filter);
  check::setContext("after an error");
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  CHECK(rank != 0 || filter->GetOutput()->GetNumberOfPolys() > 0);
  for (int at = 0; at < size; ++at)
  {
    const auto aborted = with(0, 12, 1, 3);
    AbortOnProgress abort(aborted, rank == at);
    refused(aborted, image, "");
  }
  vtkObject::GlobalWarningDisplayOn();
  check::setContext("");
}

} // namespace

int TestLabelMapSurface(int argc, char* argv[])
{
  World world(argc, argv);
  testOneVoxel(world);
  testVolumeOfVoxels(world);
  testBall(world);
  testRandomLabels(world);
  testTypes(world);
  testCoarsening(world);
  testColors(world);
  testErrors(world);
  return result(world);
}
