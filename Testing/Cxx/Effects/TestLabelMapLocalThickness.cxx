// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Local thickness: plates in numbers, the counts of the size distribution, and the same volume, bit
// for bit, for any ranks and blocks.

#include "FilterTest.h"
#include "vtkLabelMapLocalThickness.h"
#include "vtkLabelMapSizeDistribution.h"

#include "vtkTable.h"

#include <algorithm>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapLocalThickness>;

Filter filterOf(vtkMultiProcessController* controller, int blocks)
{
  auto filter = Filter::New();
  filter->SetController(controller);
  filter->SetNumberOfBlocks(blocks);
  filter->SetSegmentLabel(3);
  return filter;
}

/// Collective. This rank's piece of the thickness.
template <class T>
vtkImageData* run(const World& world, const Filter& filter, const Shape& shape,
  const std::vector<T>& labels, const Box& piece)
{
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, labels, piece);
  updatePieces(world, source, filter);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  return filter->GetOutput();
}

/// Of the whole image, on each rank by itself.
template <class T>
std::vector<float> serial(const Filter& filter, const Shape& shape, const std::vector<T>& labels)
{
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, labels, shape.box);
  filter->SetInputConnection(source->GetOutputPort());
  filter->Update();
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  const float* values = voxels<float>(filter->GetOutput(), "Thickness");
  CHECK(values != nullptr);
  // What came with the input passes.
  CHECK(voxels<T>(filter->GetOutput(), "values") != nullptr);
  return values ? std::vector<float>(values, values + shape.box.size()) : std::vector<float>();
}

void testPlates()
{
  const Shape shape = oddShape(5, 4, 9); // voxels of 0.5, 1.25, 2 mm
  const auto labels = volumes::make<short>(
    shape.box, [](Index, Index, Index z) { return (z >= 1 && z <= 3) || z == 6 ? 3 : 7; });
  const auto expected = volumes::make<float>(
    shape.box, [](Index, Index, Index z) { return z >= 1 && z <= 3 ? 6
                                             : z == 6              ? 2
                                                                   : 0; });
  const Filter filter = filterOf(nullptr, 3);
  filter->SetNumberOfBins(3);
  CHECK(serial(filter, shape, labels) == expected);
  // What no ball of the list covers is 0.
  filter->AddDiameter(5.5);
  const auto thick = volumes::make<float>(
    shape.box, [](Index, Index, Index z) { return z >= 1 && z <= 3 ? 5.5 : 0.0; });
  CHECK(serial(filter, shape, labels) == thick);
  filter->BorderIsWallOn();
  CHECK(serial(filter, shape, labels) == std::vector<float>(expected.size(), 0.0f));
}

template <class T>
void testEverywhere(const World& world)
{
  const Shape shape = oddShape(17, 12, 10);
  const auto balls = volumes::masks(shape.box, 4).back().voxels;
  std::vector<T> labels;
  for (const std::uint8_t voxel : balls)
  {
    labels.push_back(static_cast<T>(voxel * 3));
  }
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const std::vector<float> expected = serial(filterOf(nullptr, 1), shape, labels);
  static int turn = 0;
  for (const Layout layout : paralleltest::allLayouts)
  {
    const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
    const int blocks = blockCounts[++turn % 5];
    check::setContext(vtkTypeTraits<T>::SizedName(), " layout ", static_cast<int>(layout),
      " blocks ", blocks, " rank ", rank, " of ", size);
    const Filter filter = filterOf(world.communicator->controller(), blocks);
    checkPiece(run(world, filter, shape, labels, piece), shape, piece, expected, "Thickness",
      __FILE__, __LINE__);
  }
  check::setContext("");
  // As many voxels as the distribution has.
  vtkNew<vtkLabelMapSizeDistribution> sizes;
  sizes->SetController(nullptr);
  sizes->SetSegmentLabel(3);
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, labels, shape.box);
  sizes->SetInputConnection(source->GetOutputPort());
  sizes->Update();
  vtkTable* table = sizes->GetOutput();
  CHECK_EQUAL(table->GetNumberOfRows(), 21);
  for (vtkIdType row = 1; row < table->GetNumberOfRows(); ++row)
  {
    const auto diameter = static_cast<float>(
      vtkDataArray::SafeDownCast(table->GetColumnByName("diameter_mm"))->GetComponent(row, 0));
    const double count =
      vtkDataArray::SafeDownCast(table->GetColumnByName("voxel_count"))->GetComponent(row, 0);
    CHECK_EQUAL(static_cast<double>(std::count(expected.begin(), expected.end(), diameter)), count);
  }
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
    source->Piece = makePiece(shape, std::vector<unsigned char>(64, 3), piece);
    const Filter filter = filterOf(world.communicator->controller(), 1);
    spoil(filter.Get());
    vtkObject::GlobalWarningDisplayOff();
    updatePieces(world, source, filter);
    vtkObject::GlobalWarningDisplayOn();
    CHECK(contains(filter->GetLastError(), expected));
    CHECK(sameEverywhere(world, filter->GetLastError()));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfPoints(), 0);
    check::setContext("");
  };
  fails("Diameters do not ascend",
    [](vtkLabelMapLocalThickness* filter)
    {
      filter->AddDiameter(2.0);
      filter->AddDiameter(1.0);
    });
  fails("NumberOfBins is 1001, expected 1 to 1000",
    [](vtkLabelMapLocalThickness* filter) { filter->SetNumberOfBins(1001); });
  fails("SegmentLabel 256 does not fit",
    [](vtkLabelMapLocalThickness* filter) { filter->SetSegmentLabel(256); });
}

} // namespace

int TestLabelMapLocalThickness(int argc, char* argv[])
{
  World world(argc, argv);
  testPlates();
  testEverywhere<unsigned char>(world);
  testEverywhere<double>(world);
  testErrors(world);
  return result(world);
}
