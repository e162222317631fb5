// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// What the tests of filters share: one image that every rank knows and holds a piece of, running
/// an effect on any pieces and blocks, and the suite that every effect passes.
///
/// Truth: every rank computes the expected values of the whole image by a slow loop, and compares
/// the part that its piece covers, voxels of other ranks in it included.

#ifndef segcoreTestingFilterTest_h
#define segcoreTestingFilterTest_h

#include "../Parallel/ParallelTest.h"
#include "Check.h"
#include "Volumes.h"

#include "vtkLabelMapAlgorithm.h"

#include "vtkBitArray.h"
#include "vtkCallbackCommand.h"
#include "vtkDataArray.h"
#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMatrix3x3.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkSmartPointer.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkStringArray.h"
#include "vtkTypeTraits.h"

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace filtertest
{

using paralleltest::Layout;
using paralleltest::World;
using segcore::Box;
using segcore::Index;

/// Where the voxels of a whole image lie.
struct Shape
{
  Box box;
  double origin[3] = { 0.0, 0.0, 0.0 };
  double spacing[3] = { 1.0, 1.0, 1.0 };
  double direction[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
};

inline Shape shapeOf(Index nx, Index ny, Index nz)
{
  Shape shape;
  shape.box = Box::ofSize(nx, ny, nz);
  return shape;
}

/// A negative extent, three different spacings, and directions that are oblique, left-handed or
/// both.
inline Shape oddShape(Index nx, Index ny, Index nz, bool leftHanded = true)
{
  Shape shape = shapeOf(nx, ny, nz);
  const Index shift[3] = { -7, 5, -3 };
  const double spacing[3] = { 0.5, 1.25, 2.0 };
  const double origin[3] = { 10.0, -20.5, 3.25 };
  // A rotation by the angle of the 3-4-5 triangle about z.
  const double direction[9] = { 0.6, -0.8, 0.0, 0.8, 0.6, 0.0, 0.0, 0.0, leftHanded ? -1.0 : 1.0 };
  for (int a = 0; a < 3; ++a)
  {
    shape.box.lo[a] += shift[a];
    shape.box.hi[a] += shift[a];
    shape.spacing[a] = spacing[a];
    shape.origin[a] = origin[a];
  }
  std::copy(direction, direction + 9, shape.direction);
  return shape;
}

template <class T>
struct TypeName
{
};

/// Calls work(T()) with a value of every scalar type that VTK has, bits and strings left out.
template <class Work>
void forEachType(const Work& work)
{
  work(char());
  work(static_cast<signed char>(0));
  work(static_cast<unsigned char>(0));
  work(short());
  work(static_cast<unsigned short>(0));
  work(int());
  work(0u);
  work(0l);
  work(0ul);
  work(0ll);
  work(0ull);
  work(0.0f);
  work(0.0);
}

/// This rank's piece of the image of these values.
template <class T>
vtkSmartPointer<vtkImageData> makePiece(
  const Shape& shape, const std::vector<T>& values, const Box& piece, const char* name = "values")
{
  auto image = vtkSmartPointer<vtkImageData>::New();
  image->SetOrigin(shape.origin);
  image->SetSpacing(shape.spacing);
  image->SetDirectionMatrix(shape.direction);
  if (!piece.empty())
  {
    int extent[6];
    piece.toExtent(extent);
    image->SetExtent(extent);
    auto array = vtkSmartPointer<vtkDataArray>::Take(
      vtkDataArray::CreateDataArray(vtkTypeTraits<T>::VTKTypeID()));
    array->SetName(name);
    array->SetNumberOfTuples(piece.size());
    const std::vector<T> part = volumes::crop(values, shape.box, piece);
    std::copy(part.begin(), part.end(), static_cast<T*>(array->GetVoidPointer(0)));
    image->GetPointData()->SetScalars(array);
  }
  return image;
}

template <class T>
const T* voxels(vtkImageData* image, const char* name = nullptr)
{
  vtkDataArray* array =
    name ? image->GetPointData()->GetArray(name) : image->GetPointData()->GetScalars();
  if (!array || array->GetDataType() != vtkTypeTraits<T>::VTKTypeID())
  {
    return nullptr;
  }
  return static_cast<const T*>(array->GetVoidPointer(0));
}

/// Compares a piece with the expected values of the whole image: extent, type, geometry and every
/// voxel.
template <class T>
void checkPiece(vtkImageData* image, const Shape& shape, const Box& piece,
  const std::vector<T>& expected, const char* name, const char* file, int line)
{
  if (Box::fromExtent(image->GetExtent()) != piece)
  {
    check::fail(file, line, "wrong extent of the output");
    return;
  }
  if (piece.empty())
  {
    return;
  }
  const bool geometry = std::equal(shape.origin, shape.origin + 3, image->GetOrigin()) &&
    std::equal(shape.spacing, shape.spacing + 3, image->GetSpacing()) &&
    std::equal(shape.direction, shape.direction + 9, image->GetDirectionMatrix()->GetData());
  if (!geometry)
  {
    check::fail(file, line, "wrong origin, spacing or direction of the output");
  }
  const T* got = voxels<T>(image, name);
  if (!got)
  {
    check::fail(file, line, std::string("no output array '") + name + "' of the expected type");
    return;
  }
  const std::vector<T> part = volumes::crop(expected, shape.box, piece);
  check::equalRanges(got, part, piece.size(), file, line, name);
}

using Maker = std::function<vtkSmartPointer<vtkLabelMapAlgorithm>()>;

/// This rank's piece of the volume that an effect reads beside the label map; empty if it reads
/// none.
using VolumeMaker = std::function<vtkSmartPointer<vtkImageData>(const Shape&, const Box&)>;

/// A volume of these values.
template <class V>
VolumeMaker volumeOf(const std::vector<V>& values)
{
  return [values](const Shape& shape, const Box& piece)
  { return makePiece(shape, values, piece, "intensities"); };
}

/// Collective. Runs an effect on this rank's piece of its input.
inline bool applyTo(vtkLabelMapAlgorithm* effect, vtkImageData* input, vtkImageData* output,
  const Shape& shape = Shape(), const VolumeMaker& volume = {})
{
  if (!volume)
  {
    return effect->Apply(input, output);
  }
  const Box piece = input ? Box::fromExtent(input->GetExtent()) : Box();
  return effect->Apply(input, volume(shape, piece), output);
}

constexpr int blockCounts[] = { 1, 2, 3, 5, 8 };

/// How many ways to cut an image are tried: all layouts with all block counts, or each layout once.
enum class Effort
{
  Every,
  Some
};

/// Collective. The effect gives the expected values serially and for all ways to cut the image.
template <class In, class Out>
void checkEverywhere(const World& world, const Shape& shape, const std::vector<In>& values,
  const Maker& make, const std::vector<Out>& expected, const char* outputName, const char* file,
  int line, Effort effort = Effort::Some, const char* inputName = "values",
  const VolumeMaker& volume = {})
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const std::string before = check::context();
  const auto run =
    [&](vtkMultiProcessController* controller, const Box& piece, int blocks, const std::string& how)
  {
    check::setContext(before, " rank ", rank, " of ", size, " ", how, " blocks ", blocks);
    const auto input = makePiece(shape, values, piece, inputName);
    const auto effect = make();
    effect->SetController(controller);
    effect->SetNumberOfBlocks(blocks);
    vtkNew<vtkImageData> output;
    if (!applyTo(effect, input, output, shape, volume))
    {
      check::fail(file, line, std::string("failed: ") + effect->GetLastError());
      return;
    }
    checkPiece(output, shape, piece, expected, outputName, file, line);
  };
  static int turn = 0;
  run(nullptr, shape.box, blockCounts[++turn % 5], "serial");
  for (const Layout layout : paralleltest::allLayouts)
  {
    const Box piece = paralleltest::pieceOf(layout, shape.box, rank, size);
    for (int b = 0; b < (effort == Effort::Every ? 5 : 1); ++b)
    {
      run(world.communicator->controller(), piece, blockCounts[++turn % 5],
        "layout " + std::to_string(static_cast<int>(layout)));
    }
    if (size == 1)
    {
      break; // all layouts are the same
    }
  }
  check::setContext(before);
}

#define CHECK_EVERYWHERE(world, shape, values, make, expected, outputName, ...)                    \
  filtertest::checkEverywhere(                                                                     \
    world, shape, values, make, expected, outputName, __FILE__, __LINE__, ##__VA_ARGS__)

/// Collective. Ends a test: the same on all ranks.
inline int result(const World& world)
{
  const int local = check::result();
  return world.communicator->agreeFlag(local != EXIT_SUCCESS) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/// A source that has the whole image in its information and this rank's piece as data, as
/// ParaView's readers do.
class PieceSource : public vtkImageAlgorithm
{
public:
  static PieceSource* New();
  vtkTypeMacro(PieceSource, vtkImageAlgorithm);

  Shape Whole;
  vtkSmartPointer<vtkImageData> Piece;

protected:
  PieceSource() { this->SetNumberOfInputPorts(0); }

  int RequestInformation(
    vtkInformation*, vtkInformationVector**, vtkInformationVector* output) override
  {
    vtkInformation* info = output->GetInformationObject(0);
    int extent[6];
    this->Whole.box.toExtent(extent);
    info->Set(vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT(), extent, 6);
    info->Set(vtkDataObject::ORIGIN(), this->Whole.origin, 3);
    info->Set(vtkDataObject::SPACING(), this->Whole.spacing, 3);
    info->Set(vtkDataObject::DIRECTION(), this->Whole.direction, 9);
    info->Set(vtkAlgorithm::CAN_HANDLE_PIECE_REQUEST(), 1);
    return 1;
  }
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector* output) override
  {
    vtkImageData::GetData(output)->ShallowCopy(this->Piece);
    return 1;
  }
};
inline PieceSource* PieceSource::New()
{
  return new PieceSource;
}

/// Gives a filter a volume that is there before it runs.
inline void connectVolume(vtkLabelMapAlgorithm* effect, vtkImageData* volume, const Shape& shape)
{
  vtkNew<PieceSource> source;
  source->Whole = shape;
  source->Piece = volume;
  effect->SetVolumeConnection(source->GetOutputPort());
}

/// Collective. Runs a filter behind a PieceSource, one piece per rank.
inline void updatePieces(
  const World& world, PieceSource* source, vtkAlgorithm* filter, int port = 0)
{
  filter->SetInputConnection(port, source->GetOutputPort());
  filter->UpdatePiece(world.communicator->rank(), world.communicator->size(), 0);
}

/// Calls AbortExecuteOn at the first progress event, on one rank.
class AbortOnProgress
{
public:
  AbortOnProgress(vtkAlgorithm* algorithm, bool here)
  {
    if (here)
    {
      this->Command->SetCallback(
        [](vtkObject* caller, unsigned long, void* data, void*)
        {
          ++*static_cast<int*>(data);
          static_cast<vtkAlgorithm*>(caller)->AbortExecuteOn();
        });
      this->Command->SetClientData(&this->Calls);
      algorithm->AddObserver(vtkCommand::ProgressEvent, this->Command);
    }
  }
  int Calls = 0;

private:
  vtkNew<vtkCallbackCommand> Command;
};

inline bool contains(const std::string& text, const std::string& part)
{
  return text.find(part) != std::string::npos;
}

/// Collective. All ranks have the same text.
inline bool sameEverywhere(const World& world, const std::string& text)
{
  segcore::Bytes bytes(text.size());
  if (!text.empty())
  {
    std::memcpy(bytes.data(), text.data(), text.size());
  }
  for (const segcore::Bytes& other : world.communicator->allGather(bytes))
  {
    if (other != bytes)
    {
      return false;
    }
  }
  return true;
}

/// Collective. Apply fails on all ranks alike, with a text that names the culprit, and leaves an
/// empty output.
inline void checkRefused(const World& world, vtkLabelMapAlgorithm* effect, vtkImageData* input,
  const std::string& part, const char* file, int line, const Shape& shape = Shape(),
  const VolumeMaker& volume = {})
{
  effect->SetController(world.communicator->controller());
  vtkNew<vtkImageData> output;
  output->SetDimensions(3, 3, 3);
  output->AllocateScalars(VTK_FLOAT, 1);
  const bool done = applyTo(effect, input, output, shape, volume);
  const std::string error = effect->GetLastError();
  if (done)
  {
    check::fail(file, line, "was not refused, expected an error with: " + part);
  }
  if (!contains(error, part))
  {
    check::fail(file, line, "the error is '" + error + "', expected one with: " + part);
  }
  if (!sameEverywhere(world, error))
  {
    check::fail(file, line, "the error differs between ranks: " + error);
  }
  if (output->GetNumberOfPoints() != 0 || output->GetPointData()->GetNumberOfArrays() != 0)
  {
    check::fail(file, line, "the output is not empty after an error");
  }
}

#define CHECK_REFUSED(world, effect, input, part, ...)                                             \
  filtertest::checkRefused(world, effect, input, part, __FILE__, __LINE__, ##__VA_ARGS__)

/// Collective. What is refused as the volume beside a label map, on all ranks and on the last
/// alone.
inline void volumeSuite(const World& world, const Maker& make, const Shape& shape,
  const std::function<vtkSmartPointer<vtkImageData>()>& labels, const VolumeMaker& volume)
{
  CHECK_REFUSED(world, make(), labels(), "reads a volume beside the label map, and there is none");
  const bool last = world.communicator->rank() == world.communicator->size() - 1;
  for (const bool everywhere : { true, false })
  {
    const auto refused = [&](const char* part, int line, const auto& spoil)
    {
      const VolumeMaker bad = [&](const Shape& whole, const Box& piece)
      {
        const auto image = volume(whole, piece);
        if ((everywhere || last) && !piece.empty())
        {
          spoil(image.Get());
        }
        return image;
      };
      const Box piece = Box::fromExtent(labels()->GetExtent());
      if (world.communicator->agreeFlag((everywhere || last) && !piece.empty()))
      {
        checkRefused(world, make(), labels(), part, __FILE__, line, shape, bad);
      }
    };
    refused("the volume has no active point scalars", __LINE__,
      [](vtkImageData* image) { image->GetPointData()->Initialize(); });
    refused("array 'vectors' has 3 components, expected 1", __LINE__,
      [](vtkImageData* image)
      {
        vtkNew<vtkDoubleArray> vectors;
        vectors->SetName("vectors");
        vectors->SetNumberOfComponents(3);
        vectors->SetNumberOfTuples(image->GetNumberOfPoints());
        vectors->Fill(1.0);
        image->GetPointData()->SetScalars(vectors);
      });
    refused("the volume has the extent (", __LINE__,
      [](vtkImageData* image)
      {
        int extent[6];
        image->GetExtent(extent);
        image->SetExtent(extent[0] + 1, extent[1] + 1, extent[2], extent[3], extent[4], extent[5]);
      });
    refused("origin, spacing or direction", __LINE__,
      [](vtkImageData* image)
      {
        double origin[3];
        image->GetOrigin(origin);
        image->SetOrigin(origin[0] + 0.01, origin[1], origin[2]);
      });
  }
  auto effect = make();
  effect->SetInputArrayToProcess(1, 1, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "nowhere");
  CHECK_REFUSED(world, effect, labels(), "the volume has no point array 'nowhere'", shape, volume);
}

/// Collective. What every effect does alike. `make` gives an effect that works on unsigned char
/// images with label 1; `outputName` is the name of its result for an input array "values", and Out
/// the type of that.
/// `value` gives the values of the image, for an effect that finds nothing to do in bands.
template <class Out = unsigned char>
void commonSuite(
  const World& world, const Maker& make, const char* outputName, const VolumeMaker& volume = {},
  const std::function<int(Index, Index, Index)>& value = [](Index x, Index y, Index z)
  { return static_cast<int>((x / 3 + y / 2 + z / 2) % 3); })
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  const Shape shape = oddShape(9, 8, 7);
  const auto values = volumes::make<unsigned char>(shape.box, value);
  const Box piece = paralleltest::pieceOf(Layout::SharedPlanes, shape.box, rank, size);
  const auto good = [&] { return makePiece(shape, values, piece); };
  const std::string before = check::context();
  check::setContext(before, " common suite, rank ", rank, " of ", size);

  // The truth of this suite is the serial result; the tests of each effect say whether that is
  // right.
  std::vector<Out> expected;
  {
    const auto effect = make();
    effect->SetController(nullptr);
    vtkNew<vtkImageData> output;
    CHECK(applyTo(effect, makePiece(shape, values, shape.box), output, shape, volume));
    const auto* got = voxels<Out>(output, outputName);
    CHECK(got != nullptr);
    if (!got)
    {
      return;
    }
    expected.assign(got, got + shape.box.size());
    // An effect that does nothing tests nothing.
    CHECK(!std::equal(values.begin(), values.end(), expected.begin()));
  }

  // Other arrays and the field data pass by reference; the input stays as it is.
  {
    const auto input = good();
    vtkNew<vtkDoubleArray> other;
    other->SetName("other");
    other->SetNumberOfTuples(piece.size());
    other->Fill(2.5);
    input->GetPointData()->AddArray(other);
    vtkNew<vtkStringArray> note;
    note->SetName("note");
    note->InsertNextValue("kept");
    input->GetFieldData()->AddArray(note);
    vtkDataArray* scalars = input->GetPointData()->GetScalars();
    const vtkMTimeType time = input->GetMTime();
    const auto effect = make();
    effect->SetController(world.communicator->controller());
    vtkNew<vtkImageData> output;
    CHECK(applyTo(effect, input, output, shape, volume));
    CHECK_EQUAL(std::string(effect->GetLastError()), "");
    checkPiece(output, shape, piece, expected, outputName, __FILE__, __LINE__);
    CHECK_EQUAL(output->GetPointData()->GetArray("other"), other.Get());
    CHECK_EQUAL(output->GetFieldData()->GetAbstractArray("note"), note.Get());
    CHECK_EQUAL(input->GetMTime(), time);
    CHECK_EQUAL(input->GetPointData()->GetScalars(), scalars);
    CHECK_EQUAL(input->GetPointData()->GetNumberOfArrays(), piece.empty() ? 1 : 2);
    if (!piece.empty())
    {
      const auto part = volumes::crop(values, shape.box, piece);
      CHECK_RANGES(voxels<unsigned char>(input), part, piece.size());
      CHECK_EQUAL(std::string(output->GetPointData()->GetScalars()->GetName()), outputName);
    }
    // An array that is not the active one, by its name.
    input->GetPointData()->SetActiveScalars("other");
    effect->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "values");
    vtkNew<vtkImageData> again;
    CHECK(applyTo(effect, input, again, shape, volume));
    checkPiece(again, shape, piece, expected, outputName, __FILE__, __LINE__);
  }

  // Through the pipeline, piece by piece.
  for (const Layout layout : paralleltest::allLayouts)
  {
    check::setContext(
      before, " pipeline, layout ", static_cast<int>(layout), " rank ", rank, " of ", size);
    const Box part = paralleltest::pieceOf(layout, shape.box, rank, size);
    vtkNew<PieceSource> source;
    source->Whole = shape;
    source->Piece = makePiece(shape, values, part);
    const auto effect = make();
    effect->SetController(world.communicator->controller());
    if (volume)
    {
      connectVolume(effect, volume(shape, part), shape);
    }
    updatePieces(world, source, effect);
    checkPiece(effect->GetOutput(), shape, part, expected, outputName, __FILE__, __LINE__);
    if (size == 1)
    {
      break;
    }
  }
  check::setContext(before, " common suite, rank ", rank, " of ", size);

  // One process that is asked for a part of the output gives a result of the whole image.
  {
    vtkNew<PieceSource> source;
    source->Whole = shape;
    source->Piece = makePiece(shape, values, shape.box);
    const auto effect = make();
    effect->SetController(nullptr);
    effect->SetInputConnection(source->GetOutputPort());
    if (volume)
    {
      connectVolume(effect, volume(shape, shape.box), shape);
    }
    int slice[6];
    shape.box.toExtent(slice);
    slice[4] = slice[5];
    effect->UpdateExtent(slice);
    checkPiece(effect->GetOutput(), shape, shape.box, expected, outputName, __FILE__, __LINE__);
  }

  // Inputs that cannot be used, on all ranks and on the last one alone.
  for (const bool everywhere : { true, false })
  {
    const bool here = everywhere || rank == size - 1;
    const auto refused = [&](vtkImageData* bad, const char* part, int line)
    {
      checkRefused(world, make(), here ? bad : good().Get(), part, __FILE__, line, shape, volume);
    };
    const Box box = everywhere ? piece : (piece.empty() ? shape.box : piece);
    const auto badPiece = [&] { return makePiece(shape, values, box); };

    refused(nullptr, "null", __LINE__);
    auto bad = badPiece();
    if (!box.empty())
    {
      bad->GetPointData()->Initialize();
    }
    refused(bad, "the input image has no active point scalars", __LINE__);

    bad = badPiece();
    auto array = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(VTK_SHORT));
    array->SetName("vectors");
    array->SetNumberOfComponents(3);
    array->SetNumberOfTuples(box.size());
    array->Fill(1.0);
    bad->GetPointData()->SetScalars(array);
    refused(bad, "array 'vectors' has 3 components, expected 1", __LINE__);

    bad = badPiece();
    vtkNew<vtkBitArray> bits;
    bits->SetName("bits");
    bits->SetNumberOfTuples(box.size());
    bad->GetPointData()->SetScalars(bits);
    refused(bad, "bits", __LINE__);

    bad = badPiece();
    array.TakeReference(vtkDataArray::CreateDataArray(VTK_UNSIGNED_CHAR));
    array->SetName("short");
    array->SetNumberOfTuples(box.size() + 1);
    array->Fill(1.0);
    bad->GetPointData()->SetScalars(array);
    refused(bad, "array 'short' has", __LINE__);

    for (const double spacing : { -1.0, 0.0, std::numeric_limits<double>::quiet_NaN(),
           std::numeric_limits<double>::infinity() })
    {
      bad = badPiece();
      bad->SetSpacing(1.0, spacing, 1.0);
      refused(bad, "the spacing of the image is", __LINE__);
    }
  }
  {
    const auto effect = make();
    effect->SetInputArrayToProcess(0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, "nowhere");
    CHECK_REFUSED(
      world, effect, good(), "no point array 'nowhere'; it has 'values'", shape, volume);
  }
  CHECK_REFUSED(world, make(), makePiece(shape, values, Box()), "has no voxels", shape, volume);
  if (size > 1)
  {
    // Different types, geometries or a gap between the pieces.
    const bool odd = rank == 0;
    const std::vector<float> floats(values.begin(), values.end());
    CHECK_REFUSED(world, make(), odd ? makePiece(shape, floats, piece) : good(),
      "different scalar types", shape, volume);
    auto moved = good();
    moved->SetOrigin(odd ? 11.0 : shape.origin[0], shape.origin[1], shape.origin[2]);
    CHECK_REFUSED(world, make(), moved, "different origin, spacing or direction", shape, volume);
    Box gap = paralleltest::slab(shape.box, 2, rank, size);
    gap.lo[2] += odd ? 0 : 1;
    CHECK_REFUSED(
      world, make(), makePiece(shape, values, gap), "do not cover the whole image", shape, volume);
  }

  // Parameters that all effects have.
  auto effect = make();
  effect->SetNumberOfBlocks(0);
  CHECK_REFUSED(world, effect, good(), "NumberOfBlocks is 0, expected at least 1", shape, volume);
  effect = make();
  effect->SetSegmentLabel(0);
  CHECK_REFUSED(world, effect, good(), "SegmentLabel is 0, expected at least 1", shape, volume);
  effect->SetSegmentLabel(-5);
  CHECK_REFUSED(world, effect, good(), "SegmentLabel is -5", shape, volume);
  // It works again after an error.
  effect->SetSegmentLabel(1);
  vtkNew<vtkImageData> output;
  CHECK(applyTo(effect, good(), output, shape, volume));
  CHECK_EQUAL(std::string(effect->GetLastError()), "");

  // Abort on one rank stops all.
  for (int at = 0; at < size; ++at)
  {
    effect = make();
    effect->SetNumberOfBlocks(3);
    AbortOnProgress abort(effect, rank == at);
    CHECK_REFUSED(world, effect, good(), "", shape, volume);
    CHECK(contains(effect->GetLastError(), "abort") || contains(effect->GetLastError(), "cancel"));
    CHECK_EQUAL(abort.Calls > 0, rank == at);
  }
  if (volume)
  {
    volumeSuite(world, make, shape, good, volume);
  }
  check::setContext(before);
}

/// Collective. What all effects on a segment do alike: how they treat labels and scalar types.
/// `apply` computes the effect's mask slowly, from a mask of the whole image.
using MaskOracle =
  std::function<std::vector<std::uint8_t>(const Shape&, const std::vector<std::uint8_t>&)>;

/// The label map after the effect: leaving voxels 0, entering ones the label, the others as they
/// were.
template <class T>
std::vector<T> merged(
  const Shape& shape, const std::vector<T>& labels, T label, const MaskOracle& oracle)
{
  std::vector<std::uint8_t> mask(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    mask[i] = labels[i] == label ? 1 : 0;
  }
  const std::vector<std::uint8_t> now = oracle(shape, mask);
  std::vector<T> result(labels);
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    result[i] = now[i] ? label : (mask[i] ? T(0) : labels[i]);
  }
  return result;
}

inline void segmentSuite(const World& world, const Maker& make, const MaskOracle& oracle)
{
  const std::string before = check::context();
  const auto withLabel = [&](Index label)
  {
    return [&make, label]
    {
      auto effect = make();
      effect->SetSegmentLabel(label);
      return effect;
    };
  };
  // All scalar types, also with the largest label of each.
  const Shape small = oddShape(6, 5, 7);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::Random random(7);
      const auto largest = std::is_floating_point<T>::value
        ? Index(1) << std::min(62, std::numeric_limits<T>::digits)
        : static_cast<Index>(
            std::min<std::uint64_t>(static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
              static_cast<std::uint64_t>(std::numeric_limits<Index>::max())));
      for (const Index label : { Index(3), largest })
      {
        check::setContext(before, " ", vtkTypeTraits<T>::SizedName(), " label ", label);
        const auto values = volumes::make<T>(small.box,
          [&](Index x, Index y, Index)
          {
            return random.below(4) ? static_cast<T>(x < 3 ? label : y) : static_cast<T>(label - 1);
          });
        CHECK_EVERYWHERE(world, small, values, withLabel(label),
          merged(small, values, static_cast<T>(label), oracle), "values");
      }
    });
  check::setContext(before);
  // Labels that do not fit.
  const auto refuse = [&](auto zero, Index label)
  {
    using T = decltype(zero);
    const auto values = volumes::make<T>(small.box, [](Index x, Index, Index) { return x % 2; });
    const Box piece = paralleltest::pieceOf(
      Layout::SharedPlanes, small.box, world.communicator->rank(), world.communicator->size());
    CHECK_REFUSED(world, withLabel(label)(), makePiece(small, values, piece),
      "SegmentLabel " + std::to_string(label) + " does not fit the scalar type of array 'values'");
  };
  refuse(static_cast<unsigned char>(0), 300);
  refuse(static_cast<signed char>(0), 128);
  refuse(short(), 40000);
  refuse(0.0f, (Index(1) << 24) + 1);
  refuse(0.0, (Index(1) << 53) + 1);
  // Shapes that are all border: one voxel, a line, a slice, each empty, full and half full.
  for (const Shape& shape : { oddShape(1, 1, 1), oddShape(9, 1, 1), oddShape(1, 1, 9),
         oddShape(7, 6, 1), oddShape(1, 6, 7) })
  {
    for (int kind = 0; kind < 3; ++kind)
    {
      check::setContext(before, " ", shape.box.dim(0), " x ", shape.box.dim(1), " x ",
        shape.box.dim(2), " kind ", kind);
      const auto values = volumes::make<unsigned char>(shape.box,
        [&](Index x, Index y, Index z) { return kind == 2 ? (x + y + z) / 2 % 2 : kind; });
      CHECK_EVERYWHERE(world, shape, values, withLabel(1),
        merged<unsigned char>(shape, values, 1, oracle), "values");
    }
  }
  // Difficult masks in an odd geometry, every way to cut them.
  const Shape shape = oddShape(13, 11, 9);
  for (const volumes::Named& mask : volumes::masks(shape.box, 4))
  {
    check::setContext(before, " mask ", mask.name);
    std::vector<short> values(mask.voxels.begin(), mask.voxels.end());
    for (std::size_t i = 0; i < values.size(); ++i)
    {
      values[i] = values[i] ? short(5) : static_cast<short>(i % 3);
    }
    CHECK_EVERYWHERE(world, shape, values, withLabel(5), merged<short>(shape, values, 5, oracle),
      "values", mask.name == "balls" || mask.name == "noise 50" ? Effort::Every : Effort::Some);
  }
  check::setContext(before);
}

} // namespace filtertest

#endif
