// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Split volume: all scalar types, label maps and volumes on pieces of any kind, also of different
// kinds, volumes that reach farther than the label map or not as far; the pieces of the crop tile
// it; what is behind the filter gets what it asks for, and the extent follows the parameters.
// Truth: a loop over voxels.

#include "FilterTest.h"
#include "vtkLabelMapSplitVolume.h"
#include "vtkLabelMapThreshold.h"

#include <cmath>

using namespace filtertest;

namespace
{

using Filter = vtkSmartPointer<vtkLabelMapSplitVolume>;

constexpr Index wanted = 3;

/// A ball near a corner of the image, with a hole, and other labels.
std::vector<short> labelsOf(const Shape& shape)
{
  return volumes::make<short>(shape.box,
    [](Index x, Index y, Index z)
    {
      const Index distance = (x - 2) * (x - 2) + (y - 3) * (y - 3) + (z - 3) * (z - 3);
      return distance > 0 && distance < 8 ? static_cast<short>(wanted)
                                          : static_cast<short>(x == 7 ? 2 : 0);
    });
}

struct Truth
{
  Shape shape; ///< of the crop, on the lattice of the label map
  Box segment;
  std::vector<std::uint8_t> inside; ///< over the box of the label map

  Truth(const Shape& labelShape, const std::vector<short>& labels, Index label, Index padding)
    : shape(labelShape)
  {
    for (std::size_t i = 0; i < labels.size(); ++i)
    {
      const Box& box = labelShape.box;
      const auto n = static_cast<Index>(i);
      this->inside.push_back(labels[i] == label ? 1 : 0);
      if (labels[i] == label)
      {
        const Index at[3] = { box.lo[0] + n % box.dim(0), box.lo[1] + n / box.dim(0) % box.dim(1),
          box.lo[2] + n / box.dim(0) / box.dim(1) };
        Box voxel;
        std::copy(at, at + 3, voxel.lo);
        std::copy(at, at + 3, voxel.hi);
        this->segment = this->segment.unite(voxel);
      }
    }
    this->shape.box = this->segment.grown(padding);
  }

  template <class V>
  std::vector<V> values(
    const Shape& labelShape, const std::vector<V>& volume, const Shape& volumeShape, V fill) const
  {
    std::vector<V> result;
    const Box& box = this->shape.box;
    for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
    {
      for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
      {
        for (Index x = box.lo[0]; x <= box.hi[0]; ++x)
        {
          const bool taken = labelShape.box.contains(x, y, z) &&
            this->inside[static_cast<std::size_t>(labelShape.box.offset(x, y, z))] &&
            volumeShape.box.contains(x, y, z);
          result.push_back(
            taken ? volume[static_cast<std::size_t>(volumeShape.box.offset(x, y, z))] : fill);
        }
      }
    }
    return result;
  }
};

/// Collective. All voxels of the box are in some rank's piece, and no piece reaches out of it.
void checkTiles(const World& world, const Box& box, const Box& piece)
{
  CHECK(box.contains(piece));
  std::vector<std::int64_t> held(static_cast<std::size_t>(box.size()), 0);
  for (Index z = piece.lo[2]; z <= piece.hi[2]; ++z)
  {
    for (Index y = piece.lo[1]; y <= piece.hi[1]; ++y)
    {
      for (Index x = piece.lo[0]; x <= piece.hi[0]; ++x)
      {
        held[static_cast<std::size_t>(box.offset(x, y, z))] = 1;
      }
    }
  }
  world.communicator->allReduceMax(held.data(), box.size());
  CHECK_EQUAL(std::count(held.begin(), held.end(), 1), box.size());
}

Filter filterOf(const World& world, int padding, double fill)
{
  auto filter = Filter::New();
  filter->SetController(world.communicator->controller());
  filter->SetSegmentLabel(wanted);
  filter->SetPaddingVoxels(padding);
  filter->SetFillValue(fill);
  return filter;
}

/// Labels on `shape`, values on a box of the same lattice that is larger or smaller by `margin`.
template <class V>
void testCrops(const World& world, const Shape& shape, Index margin, int padding)
{
  Shape other = shape;
  other.box = shape.box.grown(margin);
  const auto labels = labelsOf(shape);
  const auto values =
    volumes::make<V>(other.box, [](Index x, Index y, Index z) { return 1 + x + 3 * y + 2 * z; });
  const Truth truth(shape, labels, wanted, padding);
  // Rounded to even for integers.
  const auto fill = static_cast<V>(std::is_integral<V>::value ? 6.0 : 6.5);
  const std::vector<V> expected = truth.values(shape, values, other, fill);
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  for (int layout = 0; layout < 6; ++layout)
  {
    check::setContext(vtkTypeTraits<V>::SizedName(), " margin ", margin, " padding ", padding,
      " layout ", layout, " rank ", rank, " of ", size);
    // The ranks need not hold the same part of both.
    const auto& layouts = paralleltest::allLayouts;
    const Box labelPiece = paralleltest::pieceOf(layouts[layout], shape.box, rank, size);
    const Box valuePiece =
      paralleltest::pieceOf(layouts[(layout * 5 + 1) % 6], other.box, rank, size);
    vtkNew<PieceSource> source, volume;
    source->Whole = shape;
    source->Piece = makePiece(shape, labels, labelPiece);
    volume->Whole = other;
    volume->Piece = makePiece(other, values, valuePiece, "density");
    vtkNew<vtkStringArray> note;
    note->SetName("note");
    note->InsertNextValue("kept");
    volume->Piece->GetFieldData()->AddArray(note);
    const auto filter = filterOf(world, padding, 6.5);
    filter->SetInputConnection(source->GetOutputPort());
    filter->SetVolumeConnection(volume->GetOutputPort());
    filter->UpdatePiece(rank, size, 0);
    CHECK_EQUAL(std::string(filter->GetLastError()), "");
    vtkImageData* output = filter->GetOutput();
    const Box piece = Box::fromExtent(output->GetExtent());
    checkTiles(world, truth.shape.box, piece);
    checkPiece(output, truth.shape, piece, expected, "density", __FILE__, __LINE__);
    CHECK_EQUAL(output->GetFieldData()->GetAbstractArray("note"), note.Get());
    CHECK_RANGES(voxels<V>(volume->Piece, "density"), volumes::crop(values, other.box, valuePiece),
      valuePiece.size());
    if (size == 1)
    {
      break;
    }
  }
  check::setContext("");
}

/// The pipeline: extents are announced, followed by what is behind, and change with parameters.
void testPipeline(const World& world)
{
  const Shape shape = oddShape(9, 8, 7);
  const auto labels = labelsOf(shape);
  const auto values = volumes::make<float>(
    shape.box, [](Index x, Index y, Index z) { return 1 + x + 3 * y + 2 * z; });
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Box piece = paralleltest::pieceOf(Layout::SharedPlanes, shape.box, rank, size);
  vtkNew<PieceSource> source, volume;
  source->Whole = shape;
  source->Piece = makePiece(shape, labels, piece);
  volume->Whole = shape;
  volume->Piece = makePiece(shape, values, piece, "density");
  const auto filter = filterOf(world, 2, -1.0);
  filter->SetInputConnection(source->GetOutputPort());
  filter->SetVolumeConnection(volume->GetOutputPort());
  int executions = 0;
  vtkNew<vtkCallbackCommand> count;
  count->SetClientData(&executions);
  count->SetCallback(
    [](vtkObject*, unsigned long, void* data, void*) { ++*static_cast<int*>(data); });
  filter->AddObserver(vtkCommand::StartEvent, count);
  auto behind = vtkSmartPointer<vtkLabelMapThreshold>::New();
  behind->SetController(world.communicator->controller());
  behind->SetMinimumThreshold(0.0);
  behind->SetInputConnection(filter->GetOutputPort());
  int expectedExecutions = 0;
  for (const Index label : { wanted, Index(2), wanted })
  {
    check::setContext("pipeline, label ", label, " rank ", rank, " of ", size);
    filter->SetSegmentLabel(label);
    const Truth truth(shape, labels, label, 2);
    filter->UpdateInformation();
    int extent[6];
    filter->GetOutputInformation(0)->Get(vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT(), extent);
    CHECK(Box::fromExtent(extent) == truth.shape.box);
    behind->UpdatePiece(rank, size, 0);
    CHECK_EQUAL(std::string(filter->GetLastError()), "");
    CHECK_EQUAL(std::string(behind->GetLastError()), "");
    const std::vector<float> crop = truth.values(shape, values, shape, -1.0f);
    std::vector<unsigned char> expected;
    for (const float value : crop)
    {
      expected.push_back(value >= 0.0f ? 1 : 0);
    }
    const Box part = Box::fromExtent(behind->GetOutput()->GetExtent());
    checkTiles(world, truth.shape.box, part);
    checkPiece(behind->GetOutput(), truth.shape, part, expected, "Labels", __FILE__, __LINE__);
    ++expectedExecutions;
    CHECK_EQUAL(executions, expectedExecutions);
    // Nothing changed, nothing is done again.
    behind->UpdatePiece(rank, size, 0);
    CHECK_EQUAL(executions, expectedExecutions);
  }
  if (size == 1)
  {
    // A part of the crop.
    const Truth truth(shape, labels, wanted, 2);
    int extent[6];
    truth.shape.box.toExtent(extent);
    extent[4] = extent[5] = extent[4] + 3;
    const auto alone = filterOf(world, 2, -1.0);
    alone->SetInputConnection(source->GetOutputPort());
    alone->SetVolumeConnection(volume->GetOutputPort());
    alone->UpdateExtent(extent);
    checkPiece(alone->GetOutput(), truth.shape, Box::fromExtent(extent),
      truth.values(shape, values, shape, -1.0f), "density", __FILE__, __LINE__);
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
    const std::vector<unsigned char> values(24, 3);
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
  const auto make = [&] { return filterOf(world, 1, 0.0); };
  auto filter = make();
  filter->SetFillValue(256.0);
  fails(filter, shape, "FillValue is 256");
  filter = make();
  filter->SetPaddingVoxels(1001);
  fails(filter, shape, "PaddingVoxels is 1001, expected 0 to 1000");
  filter = make();
  filter->SetPaddingVoxels(-1);
  fails(filter, shape, "PaddingVoxels is -1");
  filter = make();
  filter->SetSegmentLabel(0);
  fails(filter, shape, "SegmentLabel is 0");
  filter = make();
  filter->SetSegmentLabel(4);
  fails(filter, shape, "SegmentLabel is 4, and no voxel");
  filter->SetSegmentLabel(300); // which the type does not hold
  fails(filter, shape, "SegmentLabel is 300, and no voxel");
  // It works again after an error.
  filter->SetSegmentLabel(3);
  filter->UpdatePiece(world.communicator->rank(), world.communicator->size(), 0);
  CHECK_EQUAL(std::string(filter->GetLastError()), "");
  checkTiles(world, shape.box.grown(1), Box::fromExtent(filter->GetOutput()->GetExtent()));
  filter = make();
  filter->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "nowhere");
  fails(filter, shape, "no point array 'nowhere'");
  filter = make();
  filter->SetInputArrayToProcess(1, 1, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "nowhere");
  fails(filter, shape, "the volume has no point array 'nowhere'");
  Shape moved = shape;
  moved.origin[1] = 0.4;
  fails(make(), moved, "resample");
}
}

int TestLabelMapSplitVolume(int argc, char* argv[])
{
  const World world(argc, argv);
  forEachType([&](auto zero) { testCrops<decltype(zero)>(world, oddShape(9, 8, 7), 0, 2); });
  for (const Index margin : { -3, 0, 2 })
  {
    testCrops<short>(world, oddShape(9, 8, 7, false), margin, 0);
    testCrops<double>(world, oddShape(9, 8, 7), margin, 7);
  }
  testPipeline(world);
  testErrors(world);
  return result(world);
}
