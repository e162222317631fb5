// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Mask volume: all operations, in all scalar types of volumes, on pieces of any kind; volumes that
// reach farther than the label map; values that do not fit. Truth: a loop over voxels. Soft edges:
// exact weights in double, up to the error that the header states; the same bits on any pieces.

#include "FilterTest.h"
#include "vtkLabelMapMaskVolume.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapMaskVolume>;

constexpr Index wanted = 3;

template <class V>
V expectedValue(int operation, bool inside, V value)
{
  const V fill = static_cast<V>(7.25); // a whole number for integers
  switch (operation)
  {
    case vtkLabelMapMaskVolume::FILL_INSIDE:
      return inside ? fill : value;
    case vtkLabelMapMaskVolume::FILL_OUTSIDE:
      return inside ? value : fill;
    default:
      return inside ? V(5) : V(2);
  }
}

Filter filterOf(vtkMultiProcessController* controller, int operation)
{
  auto filter = Filter::New();
  filter->SetController(controller);
  filter->SetOperation(operation);
  filter->SetSegmentLabel(wanted);
  filter->SetFillValue(7.25);
  filter->SetBinaryMaskFillValueInside(5.0);
  filter->SetBinaryMaskFillValueOutside(2.0);
  return filter;
}

/// Labels on `shape`, values on a larger image of the same lattice (or on the same one).
template <class V>
void testOperations(const World& world, const Shape& shape, Index margin)
{
  Shape larger = shape;
  larger.box = shape.box.grown(margin);
  const auto labels =
    volumes::make<short>(shape.box, [](Index x, Index y, Index z) { return (x + 2 * y + z) % 5; });
  const auto values =
    volumes::make<V>(larger.box, [](Index x, Index y, Index z) { return x + 3 * y + 2 * z; });
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  for (int operation = 0; operation < 3; ++operation)
  {
    std::vector<V> expected;
    std::size_t at = 0;
    for (Index z = larger.box.lo[2]; z <= larger.box.hi[2]; ++z)
    {
      for (Index y = larger.box.lo[1]; y <= larger.box.hi[1]; ++y)
      {
        for (Index x = larger.box.lo[0]; x <= larger.box.hi[0]; ++x, ++at)
        {
          const bool inside = shape.box.contains(x, y, z) &&
            labels[static_cast<std::size_t>(shape.box.offset(x, y, z))] == wanted;
          expected.push_back(expectedValue(operation, inside, values[at]));
        }
      }
    }
    for (const Layout layout : paralleltest::allLayouts)
    {
      check::setContext(vtkTypeTraits<V>::SizedName(), " operation ", operation, " margin ", margin,
        " layout ", static_cast<int>(layout), " rank ", rank, " of ", size);
      // What is larger only fits on one rank: else each has the same part of both.
      const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
      const Box part = margin ? larger.box : piece;
      vtkNew<PieceSource> source, volume;
      source->Whole = shape;
      source->Piece = makePiece(shape, labels, piece);
      volume->Whole = larger;
      volume->Piece = makePiece(larger, values, part, "values");
      const auto filter = filterOf(world.communicator->controller(), operation);
      filter->SetInputConnection(source->GetOutputPort());
      filter->SetVolumeConnection(volume->GetOutputPort());
      filter->UpdatePiece(rank, size, 0);
      CHECK_EQUAL(std::string(filter->GetLastError()), "");
      checkPiece(filter->GetOutput(), larger, part, expected, "values", __FILE__, __LINE__);
      const V* before = voxels<V>(volume->Piece, "values");
      CHECK_RANGES(before, volumes::crop(values, larger.box, part), part.size());
      if (size == 1)
      {
        break;
      }
    }
  }
  check::setContext("");
}

/// The mask of `shape`, blurred on the larger `volume`: exact weights, cut at 3 deviations.
std::vector<double> blurred(
  const Shape& shape, const std::vector<short>& labels, const Box& volume, double softEdge)
{
  std::vector<double> sums(static_cast<std::size_t>(volume.size()));
  std::vector<double> inside(sums.size());
  const auto at = [&](Index x, Index y, Index z)
  { return static_cast<std::size_t>(volume.offset(x, y, z)); };
  const auto forEach = [&](const auto& work)
  {
    for (Index z = volume.lo[2]; z <= volume.hi[2]; ++z)
    {
      for (Index y = volume.lo[1]; y <= volume.hi[1]; ++y)
      {
        for (Index x = volume.lo[0]; x <= volume.hi[0]; ++x)
        {
          work(x, y, z);
        }
      }
    }
  };
  forEach(
    [&](Index x, Index y, Index z)
    {
      inside[at(x, y, z)] = shape.box.contains(x, y, z) &&
          labels[static_cast<std::size_t>(shape.box.offset(x, y, z))] == wanted
        ? 1.0
        : 0.0;
    });
  // Axis by axis, scaled at the border at once: the sums of the weights are products.
  for (int axis = 0; axis < 3; ++axis)
  {
    const double deviation = softEdge / shape.spacing[axis];
    const auto reach = static_cast<Index>(3.0 * deviation);
    forEach(
      [&](Index x, Index y, Index z)
      {
        double sum = 0.0, all = 0.0;
        for (Index k = -reach; k <= reach; ++k)
        {
          Index to[3] = { x, y, z };
          to[axis] += k;
          if (volume.contains(to[0], to[1], to[2]))
          {
            const double t = static_cast<double>(k) / deviation;
            const double weight = k ? std::exp(-0.5 * t * t) : 1.0;
            all += weight;
            sum += weight * inside[at(to[0], to[1], to[2])];
          }
        }
        sums[at(x, y, z)] = sum / all;
      });
    inside = sums;
  }
  return inside;
}

template <class V>
void testSoftEdge(const World& world, const Shape& shape, Index margin, double softEdge)
{
  Shape larger = shape;
  larger.box = shape.box.grown(margin);
  // Two walls and a hole; thinner than the kernel.
  const auto labels = volumes::make<short>(shape.box, [](Index x, Index y, Index z)
    { return (x < 3 || y > 4) && !(x == 1 && z == 2) ? static_cast<short>(wanted) : short(1); });
  const auto values = volumes::make<V>(
    larger.box, [](Index x, Index y, Index z) { return 10 + 4 * x + 3 * y + 2 * z; });
  const std::vector<double> mask = blurred(shape, labels, larger.box, softEdge);
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const auto apply = [&](int operation, vtkMultiProcessController* controller, const Box& piece,
                       const Box& part, vtkImageData* output)
  {
    vtkNew<PieceSource> source, volume;
    source->Whole = shape;
    source->Piece = makePiece(shape, labels, piece);
    volume->Whole = larger;
    volume->Piece = makePiece(larger, values, part, "values");
    const auto filter = filterOf(controller, operation);
    filter->SetSoftEdgeMm(softEdge);
    filter->SetInputConnection(source->GetOutputPort());
    filter->SetVolumeConnection(volume->GetOutputPort());
    filter->UpdatePiece(controller ? rank : 0, controller ? size : 1, 0);
    CHECK_EQUAL(std::string(filter->GetLastError()), "");
    output->ShallowCopy(filter->GetOutput());
  };
  for (int operation = 0; operation < 3; ++operation)
  {
    check::setContext(vtkTypeTraits<V>::SizedName(), " operation ", operation, " margin ", margin,
      " soft edge ", softEdge);
    vtkNew<vtkImageData> serial;
    apply(operation, nullptr, shape.box, larger.box, serial);
    const V* got = voxels<V>(serial, "values");
    CHECK(got != nullptr);
    if (!got)
    {
      return;
    }
    const std::vector<V> expected(got, got + larger.box.size());
    Index between = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
      const auto a = static_cast<double>(expectedValue(operation, true, values[i]));
      const auto b = static_cast<double>(expectedValue(operation, false, values[i]));
      const double value = a * mask[i] + b * (1.0 - mask[i]);
      const double error = 5e-4 * std::abs(a - b) + (std::is_integral<V>::value ? 0.5 : 1e-5);
      CHECK(std::abs(static_cast<double>(expected[i]) - value) <= error);
      between += mask[i] > 0.01 && mask[i] < 0.99 ? 1 : 0;
    }
    CHECK(between > larger.box.size() / 10);
    for (const Layout layout : paralleltest::allLayouts)
    {
      // What is larger only fits on one rank: else each has the same part of both.
      const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
      const Box part = margin ? larger.box : piece;
      check::setContext(vtkTypeTraits<V>::SizedName(), " soft, operation ", operation, " layout ",
        static_cast<int>(layout), " rank ", rank, " of ", size);
      vtkNew<vtkImageData> output;
      apply(operation, world.communicator->controller(), piece, part, output);
      checkPiece(output.Get(), larger, part, expected, "values", __FILE__, __LINE__);
      if (size == 1)
      {
        break;
      }
    }
  }
  check::setContext("");
}

/// Empty and full segments stay exactly what a hard edge makes of them; numbers that are none stay
/// away from what is beyond the kernel; large integers do not wrap.
void testSoftExtremes()
{
  const Shape shape = shapeOf(20, 1, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto masked = [&](auto value, const std::vector<short>& labels, int operation)
  {
    using V = decltype(value);
    const std::vector<V> values(20, value);
    vtkNew<PieceSource> source, volume;
    source->Whole = shape;
    source->Piece = makePiece(shape, labels, shape.box);
    volume->Whole = shape;
    volume->Piece = makePiece(shape, values, shape.box);
    const auto filter = filterOf(nullptr, operation);
    filter->SetSoftEdgeMm(1.0);
    filter->SetFillValue(std::max(-1e299, static_cast<double>(std::numeric_limits<V>::lowest())));
    filter->SetInputConnection(source->GetOutputPort());
    filter->SetVolumeConnection(volume->GetOutputPort());
    filter->Update();
    CHECK_EQUAL(std::string(filter->GetLastError()), "");
    const V* got = voxels<V>(filter->GetOutput());
    return std::vector<V>(got, got + 20);
  };
  const std::vector<short> none(20, 1), all(20, wanted);
  std::vector<short> half(none);
  std::fill(half.begin(), half.begin() + 10, short(wanted));
  CHECK(masked(100.0f, all, vtkLabelMapMaskVolume::FILL_OUTSIDE) == std::vector<float>(20, 100.0f));
  CHECK(masked(short(9), none, vtkLabelMapMaskVolume::FILL_INSIDE) == std::vector<short>(20, 9));
  CHECK(masked(short(9), all, 2) == std::vector<short>(20, 5));
  const long long most = std::numeric_limits<long long>::max();
  const std::vector<long long> large = masked(most, half, 1);
  CHECK_EQUAL(large.front(), most);
  CHECK_EQUAL(large.back(), std::numeric_limits<long long>::lowest());
  CHECK(std::is_sorted(large.rbegin(), large.rend()));
  const std::vector<double> undefined = masked(nan, half, 1);
  CHECK(std::isnan(undefined.front()));
  CHECK(!std::isnan(undefined.back()));
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(4, 3, 2);
  const Box piece = paralleltest::pieceOf(
    paralleltest::allLayouts[0], shape.box, world.communicator->rank(), world.communicator->size());
  const auto fails = [&](const Filter& filter, const Shape& other, const char* expected)
  {
    check::setContext("expected: ", expected);
    vtkNew<PieceSource> source, volume;
    source->Whole = shape;
    volume->Whole = other;
    const std::vector<unsigned char> values(24, 1);
    source->Piece = makePiece(shape, values, piece);
    volume->Piece = makePiece(other, values, piece);
    filter->SetInputConnection(source->GetOutputPort());
    filter->SetVolumeConnection(volume->GetOutputPort());
    vtkObject::GlobalWarningDisplayOff();
    filter->UpdatePiece(world.communicator->rank(), world.communicator->size(), 0);
    vtkObject::GlobalWarningDisplayOn();
    CHECK(contains(filter->GetLastError(), expected));
    CHECK(sameEverywhere(world, filter->GetLastError()));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfPoints(), 0);
    check::setContext("");
  };
  const auto make = [&] { return filterOf(world.communicator->controller(), 1); };
  auto filter = make();
  filter->SetFillValue(256.0);
  fails(filter, shape, "FillValue is 256");
  filter = make();
  filter->SetFillValue(-1.0);
  fails(filter, shape, "FillValue is -1");
  filter = make();
  filter->SetOperation(3);
  fails(filter, shape, "Operation");
  filter = make();
  filter->SetSegmentLabel(0);
  fails(filter, shape, "SegmentLabel");
  filter = make();
  filter->SetSoftEdgeMm(-1.0);
  fails(filter, shape, "SoftEdgeMm is -1");
  filter = make();
  filter->SetSoftEdgeMm(200.0);
  fails(filter, shape, "SoftEdgeMm is 200 mm, which spans 1201 voxels");
  Shape moved = shape;
  moved.origin[1] = 0.4;
  fails(make(), moved, "resample");
}
}

int TestLabelMapMaskVolume(int argc, char* argv[])
{
  const World world(argc, argv);
  forEachType([&](auto zero) { testOperations<decltype(zero)>(world, oddShape(7, 6, 5), 0); });
  forEachType([&](auto zero) { testSoftEdge<decltype(zero)>(world, oddShape(9, 8, 7), 0, 1.7); });
  testSoftEdge<float>(world, oddShape(9, 8, 7), 0, 4.0);
  if (world.communicator->size() == 1)
  {
    testOperations<int>(world, oddShape(5, 4, 3), 2);
    testSoftEdge<short>(world, oddShape(9, 8, 7), 3, 1.7);
  }
  testSoftExtremes();
  testErrors(world);
  return result(world);
}
