// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Mask volume: all operations, in all scalar types of volumes, on pieces of any kind; volumes that
// reach farther than the label map; values that do not fit. Truth: a loop over voxels.

#include "FilterTest.h"
#include "vtkLabelMapMaskVolume.h"

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
  Shape moved = shape;
  moved.origin[1] = 0.4;
  fails(make(), moved, "resample");
}
}

int TestLabelMapMaskVolume(int argc, char* argv[])
{
  const World world(argc, argv);
  forEachType([&](auto zero) { testOperations<decltype(zero)>(world, oddShape(7, 6, 5), 0); });
  if (world.communicator->size() == 1)
  {
    testOperations<int>(world, oddShape(5, 4, 3), 2);
  }
  testErrors(world);
  return result(world);
}
