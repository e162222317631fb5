// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Region collector: rank 0 gets exactly the voxels that were asked for, the others get none.

#include "FilterTest.h"
#include "vtkLabelMapRegionCollector.h"

using namespace filtertest;

namespace
{

using Collector = vtkSmartPointer<vtkLabelMapRegionCollector>;

struct Region
{
  const char* Name;
  int Extent[6];
  int Expected[6]; ///< an empty one means an error
};

/// The image of the tests is (-7..1) x (5..12) x (-3..7).
const Region regions[] = {
  { "whole by default", { 0, -1, 0, -1, 0, -1 }, { -7, 1, 5, 12, -3, 7 } },
  { "whole", { -7, 1, 5, 12, -3, 7 }, { -7, 1, 5, 12, -3, 7 } },
  { "inside, across all ranks", { -5, 0, 6, 9, -2, 6 }, { -5, 0, 6, 9, -2, 6 } },
  { "one slice", { -7, 1, 5, 12, 2, 2 }, { -7, 1, 5, 12, 2, 2 } },
  { "one voxel", { 1, 1, 12, 12, 7, 7 }, { 1, 1, 12, 12, 7, 7 } },
  { "clipped", { -100, -6, 11, 400, -9, 100 }, { -7, -6, 11, 12, -3, 7 } },
  { "beside the image", { 2, 4, 5, 12, -3, 7 }, { 0, -1, 0, -1, 0, -1 } },
  { "below the image", { -7, 1, 5, 12, -9, -4 }, { 0, -1, 0, -1, 0, -1 } },
  { "first above last on one axis only", { -7, 1, 9, 8, -3, 7 }, { 0, -1, 0, -1, 0, -1 } },
};

template <class T>
void testRegions(const World& world, bool everyRegion)
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Shape shape = oddShape(9, 8, 11);
  check::Random random(5);
  const auto values = volumes::make<T>(
    shape.box, [&](Index, Index, Index) { return static_cast<T>(random.next() % 100000); });
  for (const Layout layout : paralleltest::allLayouts)
  {
    for (const Region& region : regions)
    {
      check::setContext(vtkTypeTraits<T>::SizedName(), " layout ", static_cast<int>(layout),
        " region ", region.Name, " rank ", rank, " of ", size);
      vtkNew<PieceSource> source;
      source->Whole = shape;
      source->Piece =
        makePiece(shape, values, paralleltest::pieceOf(layout, shape.box, rank, size));
      vtkNew<vtkStringArray> note;
      note->SetName("note");
      note->InsertNextValue("kept");
      source->Piece->GetFieldData()->AddArray(note);
      auto collector = Collector::New();
      collector->SetController(world.communicator->controller());
      collector->SetExtent(region.Extent);
      const Box expected = Box::fromExtent(region.Expected);
      if (expected.empty())
      {
        vtkObject::GlobalWarningDisplayOff();
        updatePieces(world, source, collector);
        vtkObject::GlobalWarningDisplayOn();
        CHECK(std::string(collector->GetLastError()) == "Extent does not meet the image");
        CHECK_EQUAL(collector->GetOutput()->GetNumberOfPoints(), 0);
        continue;
      }
      updatePieces(world, source, collector);
      CHECK_EQUAL(std::string(collector->GetLastError()), "");
      checkPiece(collector->GetOutput(), shape, rank == 0 ? expected : Box(), values, "values",
        __FILE__, __LINE__);
      auto* lattice =
        vtkDoubleArray::SafeDownCast(collector->GetOutput()->GetFieldData()->GetArray("Lattice"));
      CHECK(lattice && std::equal(shape.origin, shape.origin + 3, lattice->GetPointer(0)));
      CHECK(lattice && std::equal(shape.spacing, shape.spacing + 3, lattice->GetPointer(3)));
      CHECK(lattice && std::equal(shape.direction, shape.direction + 9, lattice->GetPointer(6)));
      CHECK_EQUAL(collector->GetOutput()->GetFieldData()->GetAbstractArray("note"), note.Get());
      if (!everyRegion)
      {
        break;
      }
    }
    if (size == 1)
    {
      break;
    }
  }
  check::setContext("");
}

void testArrayByName(const World& world)
{
  const Shape shape = shapeOf(2, 2, 5);
  std::vector<int> values(20);
  for (int i = 0; i < 20; ++i)
  {
    values[static_cast<std::size_t>(i)] = i;
  }
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, values, piece, "chosen");
  const auto other = makePiece(shape, std::vector<float>(20, 1.0f), piece, "active");
  if (!piece.empty())
  {
    source->Piece->GetPointData()->AddArray(other->GetPointData()->GetScalars());
    source->Piece->GetPointData()->SetActiveScalars("active");
  }
  auto collector = Collector::New();
  collector->SetController(world.communicator->controller());
  collector->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "chosen");
  updatePieces(world, source, collector);
  checkPiece(collector->GetOutput(), shape, world.communicator->isRoot() ? shape.box : Box(),
    values, "chosen", __FILE__, __LINE__);
  // A name that is not there, on all ranks: the same text, and a later run goes well.
  vtkObject::GlobalWarningDisplayOff();
  collector->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "nowhere");
  updatePieces(world, source, collector);
  vtkObject::GlobalWarningDisplayOn();
  CHECK(contains(collector->GetLastError(), "no point array 'nowhere'"));
  CHECK(sameEverywhere(world, collector->GetLastError()));
  collector->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "active");
  updatePieces(world, source, collector);
  CHECK_EQUAL(std::string(collector->GetLastError()), "");
}

} // namespace

int TestLabelMapRegionCollector(int argc, char* argv[])
{
  World world(argc, argv);
  testRegions<short>(world, true);
  forEachType([&](auto zero) { testRegions<decltype(zero)>(world, false); });
  testArrayByName(world);
  return result(world);
}
