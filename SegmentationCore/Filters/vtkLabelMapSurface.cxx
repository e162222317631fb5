// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSurface.h"

#include "Coarsen.h"
#include "DistributedImage.h"
#include "HaloExchange.h"
#include "ParameterCheck.h"
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
  segcore::SurfaceNetOptions Net;
};

/// Appends the net of one block: points to world coordinates, one triangle per label that it
/// bounds, or each triangle once.
template <class T>
void append(const segcore::SurfaceNet<T>& net, const Options& options, const Box& whole,
  const segcore::Geometry& geometry, Surface& surface)
{
  using segcore::forRanges;
  const double* d = geometry.Direction;
  const bool mirrored = vtkMatrix3x3::Determinant(d) < 0.0;
  // Centre of a coarse voxel, counted in fine ones.
  const double factor = static_cast<double>(options.Coarsening);
  const double shift = 0.5 * (factor - 1.0);
  const Index base = static_cast<Index>(surface.keys.size());
  const Index points = net.cells.size();
  surface.points.resize(surface.points.size() + 3 * static_cast<std::size_t>(points));
  surface.keys.resize(surface.keys.size() + static_cast<std::size_t>(points));
  float* to = surface.points.data() + 3 * base;
  Index* key = surface.keys.data() + base;
  forRanges(points, 1 << 14,
    [&](Index begin, Index end)
    {
      for (Index p = begin; p < end; ++p)
      {
        key[p] = net.cells[p];
        double offset[3];
        for (int a = 0; a < 3; ++a)
        {
          const double index =
            static_cast<double>(whole.lo[a]) + shift + factor * net.points[3 * p + a];
          offset[a] =
            geometry.Spacing[a] * (options.Coarsening == 1 ? net.points[3 * p + a] : index);
        }
        for (int r = 0; r < 3; ++r)
        {
          to[3 * p + r] = static_cast<float>(geometry.Origin[r] + d[3 * r] * offset[0] +
            d[3 * r + 1] * offset[1] + d[3 * r + 2] * offset[2]);
        }
      }
    });

  const Index triangles = net.triangles.size() / 3;
  // Is the triangle wanted for its inner (0) or outer (1) label?
  const auto wanted = [&](Index t, int side)
  {
    const Index label = static_cast<Index>(net.labels[2 * t + side]);
    return label != 0 && (options.Label == 0 || label == options.Label);
  };
  // Calls add(triangle, side) for what is kept of triangles begin .. end - 1.
  const auto visit = [&](Index begin, Index end, const auto& add)
  {
    for (Index t = begin; t < end; ++t)
    {
      const bool inner = wanted(t, 0);
      const bool outer = wanted(t, 1);
      if (inner)
      {
        add(t, 0);
      }
      if (outer && !(inner && options.FacesOnce))
      {
        add(t, 1);
      }
    }
  };
  const Index chunks = segcore::chunkCount(triangles, 1 << 14, 4);
  std::vector<Index> start(static_cast<std::size_t>(chunks) + 1, 0);
  const auto chunk = [&](Index c) { return segcore::chunkBegin(triangles, chunks, c); };
  forRanges(chunks, 1,
    [&](Index c, Index)
    {
      Index count = 0;
      visit(chunk(c), chunk(c + 1), [&count](Index, int) { ++count; });
      start[static_cast<std::size_t>(c) + 1] = count;
    });
  start[0] = static_cast<Index>(surface.labels.size());
  for (std::size_t c = 1; c < start.size(); ++c)
  {
    start[c] += start[c - 1];
  }
  const std::size_t total = static_cast<std::size_t>(start.back());
  surface.triangles.resize(3 * total);
  surface.labels.resize(total);
  surface.others.resize(options.FacesOnce ? total : 0);
  forRanges(chunks, 1,
    [&](Index c, Index)
    {
      Index next = start[static_cast<std::size_t>(c)];
      visit(chunk(c), chunk(c + 1),
        [&](Index t, int side)
        {
          const std::size_t n = static_cast<std::size_t>(next++);
          const bool flip = (side == 1) != mirrored;
          const Index* corner = net.triangles.data() + 3 * t;
          surface.triangles[3 * n] = base + corner[0];
          surface.triangles[3 * n + 1] = base + corner[flip ? 2 : 1];
          surface.triangles[3 * n + 2] = base + corner[flip ? 1 : 2];
          surface.labels[n] = static_cast<Index>(net.labels[2 * t + side]);
          if (options.FacesOnce)
          {
            surface.others[n] = static_cast<Index>(net.labels[2 * t + 1 - side]);
          }
        });
    });
}

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

/// Collective. The triangles of this rank's voxels.
template <class T>
Surface makeSurface(const segcore::Communicator& communicator,
  const segcore::DistributedImage& image, const Options& options, const segcore::Progress& progress)
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
  Surface surface;
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
          labels = segcore::Buffer<Label>(stored.size());
          if (!block.empty())
          {
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
        if (!fine)
        {
          segcore::Buffer<Label> fewer(padded.size());
          segcore::coarsenLabels(
            labels.data(), padded, image.whole(), options.Coarsening, fewer.data());
          labels = std::move(fewer);
        }
        const auto net = segcore::surfaceNet(
          labels.data(), padded, block, coarse, options.Net, std::vector<Label>(), part);
        append(net, options, image.whole(), image.geometry(), surface);
      });
  }
  if (options.Label != 0) // else every point bounds a label
  {
    communicator.run([&] { dropUnusedPoints(surface); });
  }
  return surface;
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

void toPolyData(const Surface& surface, bool facesOnce, vtkFieldData* table, vtkPolyData* output)
{
  const vtkIdType points = static_cast<vtkIdType>(surface.keys.size());
  const vtkIdType triangles = static_cast<vtkIdType>(surface.labels.size());
  vtkNew<vtkFloatArray> coordinates;
  coordinates->SetNumberOfComponents(3);
  coordinates->SetNumberOfTuples(points);
  std::copy(surface.points.begin(), surface.points.end(), coordinates->GetPointer(0));
  vtkNew<vtkPoints> positions;
  positions->SetData(coordinates);
  output->SetPoints(positions);

  vtkNew<vtkTypeInt64Array> keys;
  keys->SetName("SurfacePointKey");
  keys->SetNumberOfValues(points);
  std::copy(surface.keys.begin(), surface.keys.end(), keys->GetPointer(0));
  output->GetPointData()->AddArray(keys);

  vtkNew<vtkIdTypeArray> connectivity, offsets;
  connectivity->SetNumberOfValues(3 * triangles);
  std::copy(surface.triangles.begin(), surface.triangles.end(), connectivity->GetPointer(0));
  offsets->SetNumberOfValues(triangles + 1);
  std::generate_n(offsets->GetPointer(0), triangles + 1,
    [next = vtkIdType{ -3 }]() mutable { return next += 3; });
  vtkNew<vtkCellArray> cells;
  cells->SetData(offsets, connectivity);
  output->SetPolys(cells);

  vtkNew<vtkTypeInt64Array> labels;
  labels->SetName("SegmentLabel");
  labels->SetNumberOfValues(triangles);
  std::copy(surface.labels.begin(), surface.labels.end(), labels->GetPointer(0));
  output->GetCellData()->SetScalars(labels);

  if (facesOnce)
  {
    vtkNew<vtkTypeInt64Array> others;
    others->SetName("OtherLabel");
    others->SetNumberOfValues(triangles);
    std::copy(surface.others.begin(), surface.others.end(), others->GetPointer(0));
    output->GetCellData()->AddArray(others);
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
      const auto color = colors.find(surface.labels[static_cast<std::size_t>(t)]);
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
    Options options{ this->SegmentLabel, this->Coarsening, this->FacesOnce, {} };
    options.Net.iterations = this->SmoothingIterations;
    Surface surface;
    segcore::withThreads(
      [&]
      {
        switch (image.scalarType())
        {
          vtkTemplateMacro(surface = makeSurface<VTK_TT>(communicator, image, options, progress));
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
    communicator.run([&] { toPolyData(surface, this->FacesOnce, input->GetFieldData(), output); });
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
