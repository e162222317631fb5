// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Local histogram: all brushes in all scalar types on pieces of any kind; values that are not
// finite; brushes that reach out of the volume; the same numbers, to the last bit, on any number of
// ranks. Truth: a loop over all voxels, sums in long double.

#include "FilterTest.h"
#include "vtkLabelMapLocalHistogram.h"

#include "vtkTable.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapLocalHistogram>;
using Inside = std::function<bool(const double (&)[3])>; ///< by continuous indices from the first

/// World position of a continuous index that counts from the first voxel.
std::array<double, 3> worldOf(const Shape& shape, double x, double y, double z)
{
  const double index[3] = { x + static_cast<double>(shape.box.lo[0]),
    y + static_cast<double>(shape.box.lo[1]), z + static_cast<double>(shape.box.lo[2]) };
  std::array<double, 3> world{};
  for (std::size_t r = 0; r < 3; ++r)
  {
    world[r] = shape.origin[r];
    for (std::size_t a = 0; a < 3; ++a)
    {
      world[r] += shape.direction[3 * r + a] * shape.spacing[a] * index[a];
    }
  }
  return world;
}

void addPoint(vtkLabelMapLocalHistogram* filter, const Shape& shape, double x, double y, double z)
{
  const auto world = worldOf(shape, x, y, z);
  filter->AddPoint(world[0], world[1], world[2]);
}

/// The column's only row, or NaN.
double cell(vtkTable* table, const char* name, int component = 0)
{
  auto* column = vtkDataArray::SafeDownCast(table->GetColumnByName(name));
  return column && column->GetNumberOfTuples() == 1 ? column->GetComponent(0, component)
                                                    : std::numeric_limits<double>::quiet_NaN();
}

struct Brush
{
  const char* name;
  std::function<void(vtkLabelMapLocalHistogram*, const Shape&)> set;
  Inside inside;
};

/// Millimetres between indices, as the brush measures them.
double apart(const Shape& shape, const double (&a)[3], double x, double y, double z, int axes)
{
  const double b[3] = { x, y, z };
  double sum = 0.0;
  for (int axis = 0; axis < axes; ++axis)
  {
    const double d = (a[axis] - b[axis]) * shape.spacing[axis];
    sum += d * d;
  }
  return std::sqrt(sum);
}

std::vector<Brush> brushes(const Shape& shape)
{
  return {
    { "circle",
      [](auto* filter, const Shape& s)
      {
        filter->SetBrushType(vtkLabelMapLocalHistogram::CIRCLE);
        filter->SetBrushAbsoluteDiameter(5.1);
        addPoint(filter, s, 4.3, 3.1, 2.2);
      },
      [shape](const double (&v)[3])
      { return v[2] == 2.0 && apart(shape, v, 4.3, 3.1, 0.0, 2) <= 2.55; } },
    { "thick circle that reaches out",
      [](auto* filter, const Shape& s)
      {
        filter->SetBrushType(vtkLabelMapLocalHistogram::CIRCLE);
        filter->SetBrushAbsoluteDiameter(6.1);
        filter->SetSliceThickness(4.5); // a voxel is 2 mm high
        addPoint(filter, s, 0.2, -0.3, 0.1);
      },
      [shape](const double (&v)[3])
      {
        return std::abs(v[2] - 0.1) * 2.0 <= 2.25 && apart(shape, v, 0.2, -0.3, 0.0, 2) <= 3.05;
      } },
    { "box",
      [](auto* filter, const Shape& s)
      {
        filter->SetBrushType(vtkLabelMapLocalHistogram::BOX);
        addPoint(filter, s, 6.4, 1.2, 3.3);
        addPoint(filter, s, 1.6, 5.4, 1.7);
      },
      [](const double (&v)[3])
      {
        return v[0] >= 2.0 && v[0] <= 6.0 && v[1] >= 1.0 && v[1] <= 5.0 && v[2] >= 2.0 &&
          v[2] <= 3.0;
      } },
    { "outline",
      [](auto* filter, const Shape& s)
      {
        filter->SetBrushType(vtkLabelMapLocalHistogram::DRAW);
        addPoint(filter, s, 0.5, 0.5, 3.0);
        addPoint(filter, s, 6.5, 0.5, 3.0);
        addPoint(filter, s, 0.5, 6.5, 3.0);
      },
      [](const double (&v)[3])
      { return v[2] == 3.0 && v[0] > 0.5 && v[1] > 0.5 && v[0] + v[1] < 7.0; } },
    { "line",
      [](auto* filter, const Shape& s)
      {
        filter->SetBrushType(vtkLabelMapLocalHistogram::LINE);
        filter->SetBrushAbsoluteDiameter(3.1);
        addPoint(filter, s, 1.1, 2.2, 3.1);
        addPoint(filter, s, 7.3, 2.2, 3.1);
      },
      [shape](const double (&v)[3])
      {
        const double x = std::min(std::max(v[0], 1.1), 7.3);
        return apart(shape, v, x, 2.2, 3.1, 3) <= 1.55;
      } },
  };
}

template <class V>
void testBrushes(const World& world, const Shape& shape)
{
  check::Random random(5);
  const bool real = std::is_floating_point<V>::value;
  auto values = volumes::make<V>(shape.box, [&](Index, Index, Index)
    { return real ? static_cast<V>(random.unit() * 2e6 - 3e5) : static_cast<V>(random.next()); });
  if (real)
  {
    for (std::size_t i = 0; i < values.size(); i += 7)
    {
      values[i] = static_cast<V>(
        i % 2 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity());
    }
  }
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  for (const Brush& brush : brushes(shape))
  {
    std::vector<V> taken;
    for (std::size_t i = 0; i < values.size(); ++i)
    {
      const auto n = static_cast<Index>(i);
      const double at[3] = { static_cast<double>(n % shape.box.dim(0)),
        static_cast<double>(n / shape.box.dim(0) % shape.box.dim(1)),
        static_cast<double>(n / shape.box.dim(0) / shape.box.dim(1)) };
      if (brush.inside(at) && (!real || std::isfinite(static_cast<double>(values[i]))))
      {
        taken.push_back(values[i]);
      }
    }
    long double sum = 0.0L, squares = 0.0L;
    for (const V value : taken)
    {
      sum += static_cast<long double>(value);
    }
    const long double mean = sum / static_cast<long double>(taken.size());
    for (const V value : taken)
    {
      squares +=
        (static_cast<long double>(value) - mean) * (static_cast<long double>(value) - mean);
    }
    const auto low = static_cast<double>(*std::min_element(taken.begin(), taken.end()));
    const auto high = static_cast<double>(*std::max_element(taken.begin(), taken.end()));
    const double largest = std::max(std::abs(low), std::abs(high));
    std::vector<double> serial;
    for (int layout = -1; layout < 6; ++layout)
    {
      check::setContext(vtkTypeTraits<V>::SizedName(), " ", brush.name, " layout ", layout,
        " rank ", rank, " of ", size);
      const bool alone = layout < 0;
      const Box piece = alone
        ? shape.box
        : paralleltest::pieceOf(paralleltest::allLayouts[layout], shape.box, rank, size);
      vtkNew<PieceSource> source;
      source->Whole = shape;
      source->Piece = makePiece(shape, values, piece);
      const auto filter = Filter::New();
      filter->SetController(alone ? nullptr : world.communicator->controller());
      brush.set(filter, shape);
      // Along the third axis of the image, left-handed or not.
      filter->SetSliceNormal(0.0, 0.0, 0.5);
      filter->SetNumberOfBins(5);
      filter->SetInputConnection(source->GetOutputPort());
      filter->UpdatePiece(alone ? 0 : rank, alone ? 1 : size, 0);
      CHECK_EQUAL(std::string(filter->GetLastError()), "");
      vtkTable* table = filter->GetOutput();
      CHECK_EQUAL(table->GetNumberOfColumns(), 9);
      if (!alone && rank > 0)
      {
        CHECK_EQUAL(table->GetNumberOfRows(), 0);
        continue;
      }
      std::vector<double> row;
      for (const char* name : { "voxel_count", "lower", "average", "upper", "stdev",
             "auto_threshold", "bin_minimum", "bin_width" })
      {
        row.push_back(cell(table, name));
      }
      double counted = 0.0;
      for (int bin = 0; bin < 5; ++bin)
      {
        row.push_back(cell(table, "counts", bin));
        counted += row.back();
      }
      if (alone)
      {
        serial = row;
        const double tolerance = std::ldexp(largest, -40);
        CHECK_EQUAL(row[0], static_cast<double>(taken.size()));
        CHECK_EQUAL(row[1], low);
        CHECK(std::abs(row[2] - static_cast<double>(mean)) <= tolerance);
        CHECK_EQUAL(row[3], high);
        const auto deviation =
          static_cast<double>(std::sqrt(squares / static_cast<long double>(taken.size() - 1)));
        CHECK(std::abs(row[4] - deviation) <= 1e-6 * deviation + tolerance);
        CHECK(row[5] > low && row[5] < high);
        CHECK_EQUAL(row[6], low);
        CHECK_EQUAL(counted, row[0]);
        for (int bin = 0; bin < 5; ++bin)
        {
          const auto expected = std::count_if(taken.begin(), taken.end(),
            [&](V value)
            {
              const auto v = static_cast<double>(value);
              const double edge = row[6] + bin * row[7];
              return v >= edge && (bin == 4 || v < row[6] + (bin + 1) * row[7]);
            });
          CHECK_EQUAL(row[8 + static_cast<std::size_t>(bin)], static_cast<double>(expected));
        }
      }
      CHECK_RANGES(row.data(), serial, static_cast<Index>(row.size()));
      if (size == 1 && layout >= 0)
      {
        break;
      }
    }
  }
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = oddShape(4, 3, 2);
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Box piece = paralleltest::pieceOf(Layout::SharedPlanes, shape.box, rank, size);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto fails = [&](const std::function<void(vtkLabelMapLocalHistogram*)>& change,
                       const char* expected, double value = 1.0)
  {
    check::setContext("expected: ", expected);
    vtkNew<PieceSource> source;
    source->Whole = shape;
    const std::vector<float> values(24, static_cast<float>(value));
    source->Piece = makePiece(shape, values, piece);
    vtkNew<vtkLabelMapLocalHistogram> filter;
    filter->SetController(world.communicator->controller());
    addPoint(filter, shape, 1.0, 1.0, 1.0);
    change(filter);
    filter->SetInputConnection(source->GetOutputPort());
    vtkObject::GlobalWarningDisplayOff();
    filter->UpdatePiece(rank, size, 0);
    vtkObject::GlobalWarningDisplayOn();
    CHECK(contains(filter->GetLastError(), expected));
    CHECK(sameEverywhere(world, filter->GetLastError()));
    CHECK_EQUAL(filter->GetOutput()->GetNumberOfColumns(), 0);
    check::setContext("");
  };
  fails([](auto* f) { f->RemoveAllPoints(); }, "Points is empty");
  fails([&](auto* f) { f->AddPoint(0.0, nan, 0.0); }, "Points: point 2 is not finite");
  fails([](auto* f) { f->SetBrushType(4); }, "BrushType is 4");
  fails([](auto* f) { f->SetBrushAbsoluteDiameter(0.0); }, "BrushAbsoluteDiameter is 0");
  fails([](auto* f) { f->SetSliceNormal(0.0, 0.0, 0.0); }, "SliceNormal must be");
  fails([](auto* f) { f->SetSliceThickness(-1.0); }, "SliceThickness is -1");
  fails([](auto* f) { f->SetNumberOfBins(1); }, "NumberOfBins is 1");
  fails([](auto* f) { f->SetAutoThresholdMethod(12); }, "AutoThresholdMethod is 12");
  const char* const nothing = "the brush touches no voxel of array 'values' with a finite value";
  fails([](auto*) {}, nothing, nan);
  for (int type = 0; type < 4; ++type)
  {
    fails(
      [&](auto* f)
      {
        f->SetBrushType(type);
        f->RemoveAllPoints();
        f->AddPoint(1e9, 1e9, 1e9);
      },
      nothing);
  }
  // A single value has a mean, and no threshold.
  vtkNew<vtkLabelMapLocalHistogram> filter;
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = makePiece(shape, std::vector<short>(24, -3), piece);
  filter->SetController(world.communicator->controller());
  addPoint(filter, shape, 1.0, 1.0, 1.0);
  filter->SetInputConnection(source->GetOutputPort());
  filter->UpdatePiece(rank, size, 0);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  if (rank == 0)
  {
    CHECK_EQUAL(cell(filter->GetOutput(), "average"), -3.0);
    CHECK_EQUAL(cell(filter->GetOutput(), "stdev"), 0.0);
    CHECK(std::isnan(cell(filter->GetOutput(), "auto_threshold")));
  }
}
}

int TestLabelMapLocalHistogram(int argc, char* argv[])
{
  const World world(argc, argv);
  forEachType([&](auto zero) { testBrushes<decltype(zero)>(world, oddShape(9, 8, 7)); });
  testErrors(world);
  return result(world);
}
