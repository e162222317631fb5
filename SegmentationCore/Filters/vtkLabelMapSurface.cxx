// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSurface.h"

#include "Coarsen.h"
#include "DistributedImage.h"
#include "HaloExchange.h"
#include "LargePages.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SurfaceGather.h"
#include "SurfaceNets.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkVersionCompatibility.h"

#include "vtkCellArray.h"
#include "vtkCellData.h"
#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkFloatArray.h"
#include "vtkIdTypeArray.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMatrix3x3.h"
#include "vtkMultiProcessController.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkPoints.h"
#include "vtkPolyData.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkTypeInt64Array.h"
#include "vtkUnsignedCharArray.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>
#include <type_traits>

vtkStandardNewMacro(vtkLabelMapSurface);

namespace
{
using segcore::Block;
using segcore::Box;
using segcore::Index;
using Surface = segcore::Surface<float>;

struct Options
{
  Index Label;
  Index Coarsening;
  bool FacesOnce;
  bool Direct; ///< Blocks need not be brought into an order.
  segcore::SurfaceNetOptions Net;
};

/// A net to be told in world coordinates: one triangle per label that it bounds, or each triangle
/// once.
template <class T>
class NetWriter
{
public:
  NetWriter(const segcore::SurfaceNet<T>& net, const Options& options, const Box& whole,
    const segcore::Geometry& geometry)
    : Net(net)
    , How(options)
    , Whole(whole)
    , Shape(geometry)
    , Chunks(segcore::chunkCount(net.triangles.size() / 3, 1 << 14, 4))
    , Start(static_cast<std::size_t>(Chunks) + 1, 0)
  {
    segcore::forRanges(this->Chunks, 1,
      [&](Index c, Index)
      {
        Index count = 0;
        this->visit(c, [&count](Index, int) { ++count; });
        this->Start[static_cast<std::size_t>(c) + 1] = count;
      });
    for (std::size_t c = 1; c < this->Start.size(); ++c)
    {
      this->Start[c] += this->Start[c - 1];
    }
  }

  Index points() const { return this->Net.cells.size(); }
  Index triangles() const { return this->Start.back(); }

  template <class Key>
  void writePoints(float* to, Key* keys) const
  {
    const double* d = this->Shape.Direction;
    // Centre of a coarse voxel, counted in fine ones.
    const bool fine = this->How.Coarsening == 1;
    const double factor = static_cast<double>(this->How.Coarsening);
    const double shift = 0.5 * (factor - 1.0);
    segcore::forRanges(this->points(), 1 << 14,
      [&](Index begin, Index end)
      {
        for (Index p = begin; p < end; ++p)
        {
          keys[p] = this->Net.cells[p];
          double offset[3];
          for (int a = 0; a < 3; ++a)
          {
            const double index =
              static_cast<double>(this->Whole.lo[a]) + shift + factor * this->Net.points[3 * p + a];
            offset[a] = this->Shape.Spacing[a] * (fine ? this->Net.points[3 * p + a] : index);
          }
          for (int r = 0; r < 3; ++r)
          {
            to[3 * p + r] = static_cast<float>(this->Shape.Origin[r] + d[3 * r] * offset[0] +
              d[3 * r + 1] * offset[1] + d[3 * r + 2] * offset[2]);
          }
        }
      });
  }

  /// Points are counted from `base`; `others` is null unless each triangle is listed once.
  template <class Id, class Label>
  void writeTriangles(Index base, Id* corners, Label* labels, Label* others) const
  {
    const bool mirrored = vtkMatrix3x3::Determinant(this->Shape.Direction) < 0.0;
    segcore::forRanges(this->Chunks, 1,
      [&](Index c, Index)
      {
        Index n = this->Start[static_cast<std::size_t>(c)];
        this->visit(c,
          [&](Index t, int side)
          {
            const bool flip = (side == 1) != mirrored;
            const Index* corner = this->Net.triangles.data() + 3 * t;
            corners[3 * n] = base + corner[0];
            corners[3 * n + 1] = base + corner[flip ? 2 : 1];
            corners[3 * n + 2] = base + corner[flip ? 1 : 2];
            labels[n] = static_cast<Label>(this->Net.labels[2 * t + side]);
            if (others)
            {
              others[n] = static_cast<Label>(this->Net.labels[2 * t + 1 - side]);
            }
            ++n;
          });
      });
  }

private:
  /// Calls add(triangle, side) for what is kept of a chunk; side 0 is the inner label's.
  template <class Add>
  void visit(Index chunk, const Add& add) const
  {
    const auto wanted = [&](Index t, int side)
    {
      const Index label = static_cast<Index>(this->Net.labels[2 * t + side]);
      return label != 0 && (this->How.Label == 0 || label == this->How.Label);
    };
    const Index triangles = this->Net.triangles.size() / 3;
    const Index end = segcore::chunkBegin(triangles, this->Chunks, chunk + 1);
    for (Index t = segcore::chunkBegin(triangles, this->Chunks, chunk); t < end; ++t)
    {
      const bool inner = wanted(t, 0);
      if (inner)
      {
        add(t, 0);
      }
      if (!(inner && this->How.FacesOnce) && wanted(t, 1))
      {
        add(t, 1);
      }
    }
  }

  const segcore::SurfaceNet<T>& Net;
  const Options& How;
  const Box& Whole;
  const segcore::Geometry& Shape;
  Index Chunks;
  std::vector<Index> Start; ///< First triangle of each chunk, and the number of all.
};

/// Appends the net of one block.
template <class T>
void append(const NetWriter<T>& writer, const Options& options, Surface& surface)
{
  const std::size_t points = surface.keys.size();
  const std::size_t triangles = surface.labels.size();
  const std::size_t morePoints = points + static_cast<std::size_t>(writer.points());
  const std::size_t moreTriangles = triangles + static_cast<std::size_t>(writer.triangles());
  surface.points.resize(3 * morePoints);
  surface.keys.resize(morePoints);
  writer.writePoints(surface.points.data() + 3 * points, surface.keys.data() + points);
  surface.triangles.resize(3 * moreTriangles);
  surface.labels.resize(moreTriangles);
  surface.others.resize(options.FacesOnce ? moreTriangles : 0);
  writer.writeTriangles(static_cast<Index>(points), surface.triangles.data() + 3 * triangles,
    surface.labels.data() + triangles,
    options.FacesOnce ? surface.others.data() + triangles : nullptr);
}

/// The arrays of the output.
struct Arrays
{
  vtkNew<vtkFloatArray> Points;
  vtkNew<vtkTypeInt64Array> Keys;
  vtkNew<vtkIdTypeArray> Corners;
  vtkNew<vtkTypeInt64Array> Labels;
  vtkNew<vtkTypeInt64Array> Others;

  void open(Index points, Index triangles, bool facesOnce)
  {
    this->Points->SetNumberOfComponents(3);
    this->Points->SetNumberOfTuples(points);
    this->Keys->SetNumberOfValues(points);
    this->Corners->SetNumberOfValues(3 * triangles);
    this->Labels->SetNumberOfValues(triangles);
    this->Others->SetNumberOfValues(facesOnce ? triangles : 0);
    for (vtkDataArray* array : std::initializer_list<vtkDataArray*>{
           this->Points, this->Keys, this->Corners, this->Labels, this->Others })
    {
      segcore::adviseLargePages(array->GetVoidPointer(0),
        static_cast<std::size_t>(array->GetNumberOfValues()) *
          static_cast<std::size_t>(array->GetDataTypeSize()));
    }
  }
};

/// Leaves out points without a triangle: those of other labels.
void dropUnusedPoints(Surface& surface)
{
  std::vector<Index> number(surface.keys.size(), -1);
  for (Index corner : surface.triangles)
  {
    number[static_cast<std::size_t>(corner)] = 0;
  }
  std::size_t kept = 0;
  for (std::size_t p = 0; p < number.size(); ++p)
  {
    if (number[p] == 0)
    {
      std::copy_n(surface.points.data() + 3 * p, 3, surface.points.data() + 3 * kept);
      surface.keys[kept] = surface.keys[p];
      number[p] = static_cast<Index>(kept++);
    }
  }
  surface.points.resize(3 * kept);
  surface.keys.resize(kept);
  for (Index& corner : surface.triangles)
  {
    corner = number[static_cast<std::size_t>(corner)];
  }
}

/// Collective. The triangles of this rank's voxels: in `arrays` if a single block has all voxels
/// and all labels, else in `surface`. Returns whether they are in `arrays`.
template <class T>
bool makeSurface(const segcore::Communicator& communicator, const segcore::DistributedImage& image,
  const Options& options, const segcore::Progress& progress, Surface& surface, Arrays& arrays)
{
  if (!std::is_integral<T>::value)
  {
    throw segcore::AgreedError(
      "array '" + image.arrayName() + "' has floating values, expected labels of an integer type");
  }
  // Floating types never get here; the net is made for integers only.
  using Label = std::conditional_t<std::is_integral<T>::value, T, int>;
  const auto& layout = image.distribution();
  const auto& blocks = layout.localBlocks();
  // The coarse lattice counts from 0 at the first voxel, the fine one is the image's own.
  const bool fine = options.Coarsening == 1;
  const Box coarse = fine ? image.whole() : segcore::coarseWhole(image.whole(), options.Coarsening);
  const Index halo = segcore::surfaceNetHalo(options.Net.iterations);
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  const bool direct =
    options.Direct && options.Label == 0 && communicator.size() == 1 && turns == 1;
  // A single rank that needs all of its voxels reads them where they are.
  const auto lies = [&](const Box& stored)
  { return communicator.size() == 1 && stored == image.piece(); };
  for (Index turn = 0; turn < turns; ++turn)
  {
    Box block, padded, stored;
    segcore::Buffer<Label> labels;
    std::vector<segcore::Request<Label>> requests;
    communicator.run(
      [&]
      {
        if (turn < static_cast<Index>(blocks.size()))
        {
          const Box& own = blocks[turn].box;
          block = fine ? own : segcore::coarseBlock(own, image.whole(), options.Coarsening);
          padded = block.grown(halo).clipped(coarse);
          stored = fine ? padded : segcore::fineBox(padded, image.whole(), options.Coarsening);
          if (!block.empty() && !lies(stored))
          {
            labels = segcore::Buffer<Label>(stored.size());
            requests.emplace_back(stored, labels.data());
          }
        }
      });
    segcore::fetchLabels(communicator, layout, image.voxels<Label>(), requests);
    communicator.run(
      [&]
      {
        const auto part =
          progress.part(static_cast<double>(turn) / turns, static_cast<double>(turn + 1) / turns);
        part.step(0.0);
        if (block.empty())
        {
          return;
        }
        const Label* values = lies(stored) ? image.voxels<Label>() : labels.data();
        if (!fine)
        {
          segcore::Buffer<Label> fewer(padded.size());
          segcore::coarsenLabels(values, padded, image.whole(), options.Coarsening, fewer.data());
          labels = std::move(fewer);
          values = labels.data();
        }
        const auto net = segcore::surfaceNet(
          values, padded, block, coarse, options.Net, std::vector<Label>(), part);
        const NetWriter<Label> writer(net, options, image.whole(), image.geometry());
        if (direct)
        {
          arrays.open(writer.points(), writer.triangles(), options.FacesOnce);
          writer.writePoints(arrays.Points->GetPointer(0), arrays.Keys->GetPointer(0));
          writer.writeTriangles(0, arrays.Corners->GetPointer(0), arrays.Labels->GetPointer(0),
            options.FacesOnce ? arrays.Others->GetPointer(0) : nullptr);
          return;
        }
        append(writer, options, surface);
      });
  }
  if (options.Label != 0) // else every point bounds a label
  {
    communicator.run([&] { dropUnusedPoints(surface); });
  }
  return direct;
}

/// Colour of each label, from the segment table in the field data.
std::map<Index, std::array<unsigned char, 3>> segmentColors(vtkFieldData* table)
{
  std::map<Index, std::array<unsigned char, 3>> colors;
  vtkDataArray* labels = table->GetArray("SegmentLabelValue");
  vtkDataArray* rgb = table->GetArray("SegmentColor");
  if (labels && rgb && rgb->GetNumberOfComponents() == 3 &&
    rgb->GetNumberOfTuples() == labels->GetNumberOfTuples())
  {
    for (vtkIdType i = 0; i < labels->GetNumberOfTuples(); ++i)
    {
      auto& color = colors[static_cast<Index>(labels->GetComponent(i, 0))];
      for (int c = 0; c < 3; ++c)
      {
        const double value = rgb->GetComponent(i, c);
        color[c] = static_cast<unsigned char>(std::lround(255.0 *
          (value < 0.0      ? 0.0
              : value > 1.0 ? 1.0
                            : value)));
      }
    }
  }
  return colors;
}

void copySurface(const Surface& surface, bool facesOnce, Arrays& arrays)
{
  arrays.open(
    static_cast<Index>(surface.keys.size()), static_cast<Index>(surface.labels.size()), facesOnce);
  std::copy(surface.points.begin(), surface.points.end(), arrays.Points->GetPointer(0));
  std::copy(surface.keys.begin(), surface.keys.end(), arrays.Keys->GetPointer(0));
  std::copy(surface.triangles.begin(), surface.triangles.end(), arrays.Corners->GetPointer(0));
  std::copy(surface.labels.begin(), surface.labels.end(), arrays.Labels->GetPointer(0));
  std::copy(surface.others.begin(), surface.others.end(), arrays.Others->GetPointer(0));
}

void toPolyData(Arrays& arrays, bool facesOnce, vtkFieldData* table, vtkPolyData* output)
{
  const vtkIdType triangles = arrays.Labels->GetNumberOfValues();
  vtkNew<vtkPoints> positions;
  positions->SetData(arrays.Points);
  output->SetPoints(positions);

  arrays.Keys->SetName("SurfacePointKey");
  output->GetPointData()->AddArray(arrays.Keys);

  vtkNew<vtkIdTypeArray> offsets;
  offsets->SetNumberOfValues(triangles + 1);
  vtkIdType* offset = offsets->GetPointer(0);
  segcore::adviseLargePages(offset, static_cast<std::size_t>(triangles + 1) * sizeof(vtkIdType));
  segcore::forRanges(triangles + 1, 1 << 16,
    [offset](Index begin, Index end)
    {
      for (Index t = begin; t < end; ++t)
      {
        offset[t] = 3 * t;
      }
    });
  vtkNew<vtkCellArray> cells;
  cells->SetData(offsets, arrays.Corners);
  output->SetPolys(cells);

  arrays.Labels->SetName("SegmentLabel");
  output->GetCellData()->SetScalars(arrays.Labels);

  if (facesOnce)
  {
    arrays.Others->SetName("OtherLabel");
    output->GetCellData()->AddArray(arrays.Others);
  }

  const auto colors = segmentColors(table);
  if (!colors.empty())
  {
    vtkNew<vtkUnsignedCharArray> rgb;
    rgb->SetName("SegmentColor");
    rgb->SetNumberOfComponents(3);
    rgb->SetNumberOfTuples(triangles);
    for (vtkIdType t = 0; t < triangles; ++t)
    {
      const auto color = colors.find(static_cast<Index>(arrays.Labels->GetValue(t)));
      const unsigned char grey[3] = { 128, 128, 128 };
      rgb->SetTypedTuple(t, color == colors.end() ? grey : color->second.data());
    }
    output->GetCellData()->AddArray(rgb);
  }
  output->GetFieldData()->ShallowCopy(table);
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapSurface::vtkLabelMapSurface()
{
  this->SetController(vtkMultiProcessController::GetGlobalController());
  this->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, vtkDataSetAttributes::SCALARS);
}

//------------------------------------------------------------------------------------------------
vtkLabelMapSurface::~vtkLabelMapSurface()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSurface::SetController(vtkMultiProcessController* controller)
{
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSurface::FillInputPortInformation(int vtkNotUsed(port), vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSurface::RequestUpdateExtent(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  // The pipeline turns pieces into extents; the filter fetches its own halo.
  using Pipeline = vtkStreamingDemandDrivenPipeline;
  vtkInformation* in = inputVector[0]->GetInformationObject(0);
  vtkInformation* out = outputVector->GetInformationObject(0);
  for (auto* key : { Pipeline::UPDATE_PIECE_NUMBER(), Pipeline::UPDATE_NUMBER_OF_PIECES() })
  {
    if (out->Has(key))
    {
      in->Set(key, out->Get(key));
    }
  }
  in->Set(Pipeline::UPDATE_NUMBER_OF_GHOST_LEVELS(), 0);
  return 1;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSurface::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "SegmentLabel", this->SegmentLabel, 0, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkRange("SmoothingIterations", this->SmoothingIterations, 0, 100),
    segcore::checkRange("Coarsening", this->Coarsening, 1, 64),
    segcore::checkRange("NumberOfBlocks", this->NumberOfBlocks, 1, std::numeric_limits<int>::max()),
  });
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapSurface::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* input = vtkImageData::GetData(inputVector[0]);
  vtkPolyData* output = vtkPolyData::GetData(outputVector);
  const segcore::Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    communicator.require(this->CheckParameters());
    const segcore::DistributedImage image(communicator, input,
      segcore::arrayToProcess(communicator, this, input), this->NumberOfBlocks);
    segcore::Progress progress;
    progress.report = [this](double fraction) { this->UpdateProgress(0.8 * fraction); };
    progress.cancelled = [this] { return segcore::isAborted(this); };
    Options options{ this->SegmentLabel, this->Coarsening, this->FacesOnce, !this->GatherToRoot,
      {} };
    options.Net.iterations = this->SmoothingIterations;
    Surface surface;
    Arrays arrays;
    bool direct = false;
    segcore::withThreads(
      [&]
      {
        switch (image.scalarType())
        {
          segcoreTemplateMacro(
            direct = makeSurface<VTK_TT>(communicator, image, options, progress, surface, arrays));
          default:
            throw segcore::AgreedError("the label map has an unknown scalar type");
        }
      });
    segcore::withThreads(
      [&]
      {
        if (this->GatherToRoot)
        {
          surface = segcore::gatherSurface(communicator, surface);
        }
        else
        {
          communicator.run(
            [&]
            {
              // Blocks of a rank share points. A single one has each of its points once.
              if (image.distribution().localBlocks().size() > 1)
              {
                segcore::canonicalSurface(surface);
              }
            });
        }
      });
    segcore::withThreads(
      [&]
      {
        communicator.run(
          [&]
          {
            if (!direct)
            {
              copySurface(surface, this->FacesOnce, arrays);
            }
            toPolyData(arrays, this->FacesOnce, input->GetFieldData(), output);
          });
      });
    this->UpdateProgress(1.0);
    return 1;
  }
  catch (const segcore::AgreedError& error)
  {
    this->LastError = error.what();
  }
  output->Initialize();
  vtkErrorMacro(<< this->LastError);
  return 0;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSurface::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SegmentLabel: " << this->SegmentLabel << "\n";
  os << indent << "SmoothingIterations: " << this->SmoothingIterations << "\n";
  os << indent << "Coarsening: " << this->Coarsening << "\n";
  os << indent << "FacesOnce: " << this->FacesOnce << "\n";
  os << indent << "GatherToRoot: " << this->GatherToRoot << "\n";
  os << indent << "NumberOfBlocks: " << this->NumberOfBlocks << "\n";
  os << indent << "Controller: " << this->Controller << "\n";
  os << indent << "LastError: " << (this->LastError.empty() ? "(none)" : this->LastError) << "\n";
}
