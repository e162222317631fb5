// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Size distribution: plates in numbers, and the same table, bit for bit, for any ranks and blocks.
// Which ball covers which voxel is tested with the kernel.

#include "FilterTest.h"
#include "vtkLabelMapSizeDistribution.h"

#include "vtkTable.h"

#include <algorithm>
#include <cmath>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapSizeDistribution>;
using Column = std::vector<double>;

Filter filterOf(vtkMultiProcessController* controller, int blocks, Index label = 1)
{
  auto filter = Filter::New();
  filter->SetController(controller);
  filter->SetNumberOfBlocks(blocks);
  filter->SetSegmentLabel(label);
  return filter;
}

/// Collective. Runs the filter on this rank's pieces.
template <class T>
vtkTable* run(const Filter& filter, const Shape& shape, const std::vector<T>& labels,
  const Box& piece, int rank, int size)
{
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, labels, piece);
  filter->SetInputConnection(source->GetOutputPort());
  filter->UpdatePiece(rank, size, 0);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  return filter->GetOutput();
}

Column columnOf(vtkTable* table, const char* name)
{
  auto* array = vtkDataArray::SafeDownCast(table->GetColumnByName(name));
  if (!array)
  {
    check::fail(__FILE__, __LINE__, std::string("no such column: ") + name);
    return {};
  }
  Column values;
  for (vtkIdType i = 0; i < array->GetNumberOfTuples(); ++i)
  {
    values.push_back(array->GetComponent(i, 0));
  }
  return values;
}

std::vector<Column> contentOf(vtkTable* table)
{
  std::vector<Column> content;
  for (const char* name :
    { "diameter_mm", "voxel_count", "volume_mm3", "fraction", "cumulative_fraction" })
  {
    content.push_back(columnOf(table, name));
  }
  CHECK_EQUAL(table->GetNumberOfColumns(), static_cast<vtkIdType>(content.size()));
  return content;
}

/// Plates of 3 voxels of 2 mm and of 1, across the image.
void testPlates()
{
  const Shape shape = oddShape(5, 4, 9); // voxels of 0.5, 1.25, 2 mm
  const auto labels = volumes::make<short>(
    shape.box, [](Index, Index, Index z) { return (z >= 1 && z <= 3) || z == 6 ? 300 : 7; });
  const auto of = [&](const Column& diameters, int bins, bool wall)
  {
    const Filter filter = filterOf(nullptr, 3, 300);
    filter->SetDiameters(diameters.data(), static_cast<vtkIdType>(diameters.size()));
    filter->SetNumberOfBins(bins);
    filter->SetBorderIsWall(wall);
    return contentOf(run(filter, shape, labels, shape.box, 0, 1));
  };
  const std::vector<Column> expected{ { 0, 1, 2, 6, 6.5 }, { 0, 0, 20, 60, 0 }, { 0, 0, 25, 75, 0 },
    { 0, 0, 0.25, 0.75, 0 }, { 1, 1, 1, 0.75, 0 } };
  CHECK(of({ 1, 2, 6, 6.5 }, 20, false) == expected);
  // The largest ball is found, and is the last of evenly spaced ones.
  const std::vector<Column> even{ { 0, 2, 4, 6 }, { 0, 20, 0, 60 }, { 0, 25, 0, 75 },
    { 0, 0.25, 0, 0.75 }, { 1, 1, 0.75, 0.75 } };
  CHECK(of({}, 3, false) == even);
  CHECK(of({}, 1, false)[1] == Column({ 20, 60 }));
  // Between walls nothing is thicker than the image, 2.5 mm.
  const std::vector<Column> walled = of({}, 5, true);
  CHECK_EQUAL(walled[0].back(), 2.5);
  CHECK(walled[1].back() > 0.0);
  CHECK(walled[1].back() < 60.0);
  CHECK(of({ 3 }, 1, true)[1] == Column({ 80, 0 }));
  // What is not there has no size.
  const Filter none = filterOf(nullptr, 1, 5);
  CHECK(contentOf(run(none, shape, labels, shape.box, 0, 1)) ==
    std::vector<Column>({ { 0 }, { 0 }, { 0 }, { 0 }, { 0 } }));
  none->AddDiameter(1.0);
  CHECK(contentOf(run(none, shape, labels, shape.box, 0, 1)) ==
    std::vector<Column>({ { 0, 1 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } }));
  // A segment without background has balls up to the diagonal, 14.9 mm rounded down.
  const std::vector<short> full(labels.size(), 1);
  const auto all = contentOf(run(filterOf(nullptr, 1), shape, full, shape.box, 0, 1));
  const double diagonal = std::sqrt(2.5 * 2.5 + 5.0 * 5.0 + 18.0 * 18.0);
  CHECK_EQUAL(all[0].back(), std::floor(diagonal * 32.0) / 32.0);
  CHECK_EQUAL(all[1].back(), 180.0);
}

template <class T>
void testEverywhere(const World& world, bool wall)
{
  const Shape shape = oddShape(17, 12, 10);
  check::Random random(5);
  const auto balls = volumes::masks(shape.box, 4).back().voxels;
  std::vector<T> labels;
  for (const std::uint8_t voxel : balls)
  {
    labels.push_back(static_cast<T>(random.below(60) ? voxel * 3 : 2));
  }
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const auto with = [&](vtkMultiProcessController* controller, int blocks, bool list)
  {
    const Filter filter = filterOf(controller, blocks, 3);
    filter->SetBorderIsWall(wall);
    filter->SetNumberOfBins(7);
    for (const double diameter : { 0.5, 1.0, 1.5, 2.1, 2.6 })
    {
      if (list)
      {
        filter->AddDiameter(diameter);
      }
    }
    return filter;
  };
  static int turn = 0;
  for (const bool list : { false, true })
  {
    const auto serial = contentOf(run(with(nullptr, 1, list), shape, labels, shape.box, 0, 1));
    CHECK(serial[1].size() == (list ? 6u : 8u));
    // Not all of one size.
    CHECK(std::count(serial[1].begin(), serial[1].end(), 0.0) <= 3);
    for (const Layout layout : paralleltest::allLayouts)
    {
      const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
      for (int b = 0; b < (size == 1 ? 5 : 1); ++b)
      {
        const int blocks = blockCounts[++turn % 5];
        check::setContext(vtkTypeTraits<T>::SizedName(), " layout ", static_cast<int>(layout),
          " blocks ", blocks, " rank ", rank, " of ", size);
        const Filter filter = with(world.communicator->controller(), blocks, list);
        const auto content = contentOf(run(filter, shape, labels, piece, rank, size));
        CHECK(content == (rank == 0 ? serial : std::vector<Column>(5)));
      }
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
  const Shape shape = shapeOf(4, 4, 4);
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Box piece = paralleltest::pieceOf(paralleltest::allLayouts[0], shape.box, rank, size);
  const auto fails = [&](const char* expected, const auto& spoil)
  {
    check::setContext("expected: ", expected);
    vtkNew<PieceSource> source;
    source->Whole = shape;
    source->Piece = makePiece(shape, std::vector<unsigned char>(64, 1), piece);
    const Filter filter = filterOf(world.communicator->controller(), 1);
    spoil(filter.Get());
    filter->SetInputConnection(source->GetOutputPort());
    vtkObject::GlobalWarningDisplayOff();
    filter->UpdatePiece(rank, size, 0);
    vtkObject::GlobalWarningDisplayOn();
    CHECK(contains(filter->GetLastError(), expected));
    CHECK(sameEverywhere(world, filter->GetLastError()));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfColumns(), 0);
    check::setContext("");
  };
  const auto with = [](const Column& diameters)
  {
    return [diameters](vtkLabelMapSizeDistribution* filter)
    { filter->SetDiameters(diameters.data(), static_cast<vtkIdType>(diameters.size())); };
  };
  fails("Diameters do not ascend: number 2 is not above the one before", with({ 3, 3 }));
  fails("Diameters is 0, expected 1e-06 to 1e+06", with({ 0, 3 }));
  fails("Diameters is nan", with({ 1, std::nan("") }));
  fails("Diameters has 1001 numbers, expected at most 1000", with(Column(1001, 1.0)));
  fails("NumberOfBins is 0, expected 1 to 1000",
    [](vtkLabelMapSizeDistribution* filter) { filter->SetNumberOfBins(0); });
  fails("NumberOfBlocks is 0",
    [](vtkLabelMapSizeDistribution* filter) { filter->SetNumberOfBlocks(0); });
  fails(
    "SegmentLabel is 0", [](vtkLabelMapSizeDistribution* filter) { filter->SetSegmentLabel(0); });
  fails("SegmentLabel 256 does not fit the scalar type of array 'values'",
    [](vtkLabelMapSizeDistribution* filter) { filter->SetSegmentLabel(256); });
  // An abort on one rank stops all.
  const Filter filter = filterOf(world.communicator->controller(), 2);
  const AbortOnProgress abort(filter, rank == size - 1);
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, std::vector<unsigned char>(64, 1), piece);
  filter->SetInputConnection(source->GetOutputPort());
  vtkObject::GlobalWarningDisplayOff();
  filter->UpdatePiece(rank, size, 0);
  vtkObject::GlobalWarningDisplayOn();
  CHECK(contains(filter->GetLastError(), "cancelled"));
  CHECK_EQUAL(filter->GetOutput()->GetNumberOfColumns(), 0);
}

} // namespace

int TestLabelMapSizeDistribution(int argc, char* argv[])
{
  World world(argc, argv);
  testPlates();
  testEverywhere<unsigned char>(world, false);
  testEverywhere<double>(world, true);
  testEverywhere<long long>(world, false);
  testErrors(world);
  return result(world);
}
