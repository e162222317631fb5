// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Statistics: numbers of a box in closed form, and the same table, bit for bit, for any ranks and
// blocks. What the kernels count is tested with them.

#include "FilterTest.h"
#include "vtkLabelMapSegmentStatistics.h"

#include "vtkIntArray.h"
#include "vtkStringArray.h"
#include "vtkTable.h"
#include "vtkTypeInt64Array.h"

#include <cmath>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapSegmentStatistics>;

Filter filterOf(vtkMultiProcessController* controller, int blocks)
{
  auto filter = Filter::New();
  filter->SetController(controller);
  filter->SetNumberOfBlocks(blocks);
  filter->IslandsOn();
  filter->SetConnectivity(26);
  return filter;
}

/// Collective. Runs the filter on this rank's pieces.
template <class T, class V>
vtkSmartPointer<vtkTable> run(vtkLabelMapSegmentStatistics* filter, const Shape& shape,
  const std::vector<T>& labels, const std::vector<V>& values, const Box& piece, int rank, int size)
{
  vtkNew<PieceSource> source, volume;
  source->Whole = volume->Whole = shape;
  source->Piece = makePiece(shape, labels, piece);
  volume->Piece = makePiece(shape, values, piece);
  filter->SetInputConnection(source->GetOutputPort());
  if (!values.empty())
  {
    filter->SetVolumeConnection(volume->GetOutputPort());
  }
  filter->UpdatePiece(rank, size, 0);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  return filter->GetOutput();
}

double number(vtkTable* table, const char* column, vtkIdType row = 0, int component = 0)
{
  auto* array = vtkDataArray::SafeDownCast(table->GetColumnByName(column));
  if (!array || row >= array->GetNumberOfTuples())
  {
    check::fail(__FILE__, __LINE__, std::string("no such number: ") + column);
    return 0.0;
  }
  return array->GetComponent(row, component);
}

/// Names and bits of all numbers.
std::vector<std::string> contentOf(vtkTable* table)
{
  std::vector<std::string> content;
  for (vtkIdType c = 0; c < table->GetNumberOfColumns(); ++c)
  {
    vtkAbstractArray* column = table->GetColumn(c);
    content.push_back(column->GetName());
    auto* numbers = vtkDataArray::SafeDownCast(column);
    if (numbers && numbers->GetNumberOfTuples() > 0)
    {
      content.back().append(static_cast<const char*>(numbers->GetVoidPointer(0)),
        static_cast<std::size_t>(numbers->GetNumberOfValues() * numbers->GetDataTypeSize()));
    }
  }
  return content;
}

constexpr double near = 1e-9;

#define CHECK_NEAR(got, expected)                                                                  \
  do                                                                                               \
  {                                                                                                \
    check::setContext(#got);                                                                       \
    CHECK(std::abs((got) - (expected)) <= near * (1.0 + std::abs(expected)));                      \
    check::setContext("");                                                                         \
  } while (false)

/// A box of 2 x 3 x 5 voxels, from voxel (1, 1, 1) of the image.
void testBox()
{
  const Shape shape = oddShape(6, 7, 8);
  const Index count[3] = { 2, 3, 5 };
  const auto inside = [&](Index x, Index y, Index z)
  { return x >= 1 && x <= 2 && y >= 1 && y <= 3 && z >= 1 && z <= 5; };
  const auto labels = volumes::make<short>(
    shape.box, [&](Index x, Index y, Index z) { return inside(x, y, z) ? 300 : 0; });
  const auto values =
    volumes::make<float>(shape.box, [&](Index x, Index, Index) { return x == 1 ? 1.5 : 4.5; });
  const auto table =
    run<short, float>(filterOf(nullptr, 1), shape, labels, values, shape.box, 0, 1);
  CHECK_EQUAL(table->GetNumberOfRows(), 1);
  CHECK_EQUAL(number(table, "label"), 300.0);
  CHECK_EQUAL(number(table, "voxel_count"), 30.0);
  const double* spacing = shape.spacing; // 0.5, 1.25, 2
  CHECK_NEAR(number(table, "volume_mm3"), 30 * 1.25);
  CHECK_NEAR(number(table, "volume_cm3"), 30 * 1.25e-3);
  CHECK_NEAR(number(table, "volume_fraction"), 30.0 / (6 * 7 * 8));
  double middle[3];
  for (int a = 0; a < 3; ++a)
  {
    const double low = static_cast<double>(shape.box.lo[a] + 1);
    CHECK_EQUAL(number(table, "extent", 0, 2 * a), low);
    CHECK_EQUAL(number(table, "extent", 0, 2 * a + 1), low + static_cast<double>(count[a] - 1));
    middle[a] = spacing[a] * (low + 0.5 * static_cast<double>(count[a] - 1));
    // The box is along the axes of the image, the shortest one first.
    const double n = static_cast<double>(count[a]);
    CHECK_NEAR(
      number(table, "principal_moments", 0, a), spacing[a] * spacing[a] * (n * n - 1.0) / 12.0);
    CHECK_NEAR(number(table, "obb_diameter_mm", 0, a), n * spacing[a]);
  }
  for (int r = 0; r < 3; ++r)
  {
    double centre = shape.origin[r];
    for (int a = 0; a < 3; ++a)
    {
      centre += shape.direction[3 * r + a] * middle[a];
    }
    CHECK_NEAR(number(table, "centroid", 0, r), centre);
    // Axes are those of the image or their opposites.
    CHECK_NEAR(std::abs(number(table, "principal_axis_x", 0, r)), std::abs(shape.direction[3 * r]));
    CHECK_NEAR(
      std::abs(number(table, "obb_direction_y", 0, r)), std::abs(shape.direction[3 * r + 1]));
    // From the corner half way along all edges is the middle.
    double there = number(table, "obb_origin", 0, r);
    const char* axes[3] = { "obb_direction_x", "obb_direction_y", "obb_direction_z" };
    for (int a = 0; a < 3; ++a)
    {
      there += 0.5 * number(table, "obb_diameter_mm", 0, a) * number(table, axes[a], 0, r);
    }
    CHECK_NEAR(there, centre);
  }
  // Right-handed.
  double determinant = 0.0;
  for (int r = 0; r < 3; ++r)
  {
    const int s = (r + 1) % 3;
    const int t = (r + 2) % 3;
    determinant += number(table, "principal_axis_x", 0, r) *
      (number(table, "principal_axis_y", 0, s) * number(table, "principal_axis_z", 0, t) -
        number(table, "principal_axis_y", 0, t) * number(table, "principal_axis_z", 0, s));
  }
  CHECK_NEAR(determinant, 1.0);
  CHECK_NEAR(number(table, "feret_diameter_mm"), std::sqrt(1.0 + 3.75 * 3.75 + 100.0));
  CHECK_NEAR(number(table, "minimum_feret_diameter_mm"), 1.0);
  CHECK_EQUAL(number(table, "euler_number_6"), 1.0);
  CHECK_EQUAL(number(table, "euler_number_26"), 1.0);
  CHECK_EQUAL(number(table, "island_count"), 1.0);
  CHECK_EQUAL(number(table, "connected_fraction"), 1.0);
  CHECK_EQUAL(number(table, "intensity_voxel_count"), 30.0);
  CHECK_EQUAL(number(table, "min"), 1.5);
  CHECK_EQUAL(number(table, "max"), 4.5);
  CHECK_EQUAL(number(table, "median"), 3.0);
  CHECK_EQUAL(number(table, "mean"), 3.0);
  CHECK_NEAR(number(table, "stdev"), std::sqrt(30 * 1.5 * 1.5 / 29));
  CHECK_EQUAL(number(table, "percentile_5"), 1.5);
  CHECK_EQUAL(number(table, "percentile_95"), 4.5);
}

template <class T, class V>
void testEverywhere(const World& world, const char* name, bool lumps)
{
  const Shape shape = oddShape(13, 11, 12);
  check::Random random(21);
  const auto labels = volumes::make<T>(shape.box,
    [&](Index x, Index y, Index z)
    {
      const auto lump =
        paralleltest::noise(3, static_cast<std::uint64_t>(x / 4 + 10 * (y / 3) + 100 * (z / 5)));
      return lumps && random.below(9) ? static_cast<Index>(lump % 4) * 30 : random.below(4) * 30;
    });
  const auto values =
    volumes::make<V>(shape.box, [&](Index, Index, Index) { return random.unit() * 100.0; });
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const auto serial =
    contentOf(run<T, V>(filterOf(nullptr, 1), shape, labels, values, shape.box, 0, 1));
  std::vector<std::string> titles;
  for (const std::string& column : serial)
  {
    titles.push_back(column.c_str()); // up to the numbers, which begin with a zero or not
  }
  static int turn = 0;
  for (const Layout layout : paralleltest::allLayouts)
  {
    const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
    for (int b = 0; b < (size == 1 ? 5 : 1); ++b)
    {
      const int blocks = blockCounts[++turn % 5];
      check::setContext(name, " layout ", static_cast<int>(layout), " blocks ", blocks, " rank ",
        rank, " of ", size);
      const auto table = run<T, V>(filterOf(world.communicator->controller(), blocks), shape,
        labels, values, piece, rank, size);
      CHECK_EQUAL(table->GetNumberOfRows(), rank == 0 ? 3 : 0);
      CHECK_EQUAL(static_cast<std::size_t>(table->GetNumberOfColumns()), serial.size());
      CHECK(rank != 0 || contentOf(table) == serial);
    }
    if (size == 1)
    {
      break;
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
  const auto fails = [&](auto zero, auto value, const Shape& other, const char* expected)
  {
    check::setContext("expected: ", expected);
    using T = decltype(zero);
    std::vector<T> labels(64, static_cast<T>(value));
    vtkNew<PieceSource> source, volume;
    source->Whole = shape;
    volume->Whole = other;
    source->Piece = makePiece(shape, labels, piece);
    volume->Piece = makePiece(other, labels, piece);
    auto filter = filterOf(world.communicator->controller(), 1);
    filter->SetInputConnection(source->GetOutputPort());
    filter->SetVolumeConnection(volume->GetOutputPort());
    vtkObject::GlobalWarningDisplayOff();
    filter->UpdatePiece(rank, size, 0);
    vtkObject::GlobalWarningDisplayOn();
    CHECK(contains(filter->GetLastError(), expected));
    CHECK(sameEverywhere(world, filter->GetLastError()));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfColumns(), 0);
    check::setContext("");
  };
  fails(0.0f, 1.0f, shape, "floating values");
  fails(short(), -3, shape, "-3");
  Shape moved = shape;
  moved.origin[0] = 0.3;
  fails(short(), 1, moved, "resample");
}

void testNames()
{
  check::setContext("names");
  const Shape shape = shapeOf(4, 1, 1);
  const auto image =
    makePiece(shape, std::vector<unsigned char>{ 0, 5, 5, 2 }, shape.box, "Labels_1");
  vtkNew<vtkStringArray> ids, names;
  vtkNew<vtkTypeInt64Array> values;
  vtkNew<vtkIntArray> layers;
  ids->SetName("SegmentID");
  names->SetName("SegmentName");
  values->SetName("SegmentLabelValue");
  layers->SetName("SegmentLayer");
  for (const int row : { 0, 1 })
  {
    ids->InsertNextValue(row ? "below" : "above");
    names->InsertNextValue(row ? "Below" : "Above");
    values->InsertNextValue(5);
    layers->InsertNextValue(row ? 0 : 1);
  }
  for (vtkAbstractArray* array : std::vector<vtkAbstractArray*>{ ids, names, values, layers })
  {
    image->GetFieldData()->AddArray(array);
  }
  auto filter = filterOf(nullptr, 1);
  filter->SetInputDataObject(image);
  filter->Update();
  vtkTable* table = filter->GetOutput();
  auto* segments = vtkStringArray::SafeDownCast(table->GetColumnByName("segment"));
  auto* titles = vtkStringArray::SafeDownCast(table->GetColumnByName("name"));
  CHECK(segments && titles);
  if (segments && titles)
  {
    CHECK_EQUAL(number(table, "label", 1), 5.0);
    CHECK_EQUAL(std::string(segments->GetValue(1)), "above");
    CHECK_EQUAL(std::string(titles->GetValue(1)), "Above");
    CHECK_EQUAL(std::string(segments->GetValue(0)), "");
  }
  CHECK(!table->GetColumnByName("mean"));
  check::setContext("");
}
}

int TestLabelMapSegmentStatistics(int argc, char* argv[])
{
  const World world(argc, argv);
  if (world.communicator->size() == 1)
  {
    testBox();
    testNames();
  }
  testEverywhere<unsigned char, unsigned short>(world, "8 and 16 bits", true);
  testEverywhere<int, float>(world, "int and float", true);
  testEverywhere<unsigned short, double>(world, "16 bits and double", false);
  testEverywhere<long long, unsigned char>(world, "64 and 8 bits", false);
  testErrors(world);
  return result(world);
}
