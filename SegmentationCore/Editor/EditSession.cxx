// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditSession.h"

#include "Buffer.h"
#include "Fingerprint.h"
#include "LabelCounts.h"
#include "ReduceTable.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkLabelSegmentTable.h"

#include "vtkCallbackCommand.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkMultiProcessController.h"
#include "vtkPointData.h"
#include "vtkUnsignedCharArray.h"
#include "vtkUnsignedIntArray.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace segcore
{
namespace
{
/// Blocks from which on an edit is worth starting threads for.
constexpr Index ThreadedBlocks = 64;

/// Voxels of an effect's result on a part of the world.
class ResultMask : public LocalMask
{
public:
  ResultMask(vtkDataArray* array, const Box& box) : Array(array), Voxels(box), Bounds(box) {}
  /// One label of it, which is nowhere outside `bounds`.
  ResultMask(const ResultMask& all, Label label, const Box& bounds)
    : Array(all.Array), Voxels(all.Voxels), Bounds(bounds), Wanted(label)
  {
  }

  /// The box of each label, of the voxels of this rank.
  std::map<Label, Box> boxes() const
  {
    std::map<Label, Box> found;
    if (!this->Voxels.empty())
    {
      switch (this->Array->GetDataType())
      {
        vtkTemplateMacro(findBoxes(
          static_cast<const VTK_TT*>(this->Array->GetVoidPointer(0)), this->Voxels, found));
      }
    }
    return found;
  }

  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    const Box inside = part.clipped(this->Bounds);
    if (inside != part)
    {
      std::fill_n(out, part.size(), std::uint8_t{ 0 });
    }
    if (inside.empty())
    {
      return;
    }
    switch (this->Array->GetDataType())
    {
      vtkTemplateMacro(this->copyRows(
        static_cast<const VTK_TT*>(this->Array->GetVoidPointer(0)), inside, part, out));
    }
  }

private:
  template <class T>
  void copyRows(const T* values, const Box& inside, const Box& part, std::uint8_t* out) const
  {
    const Index count = inside.dim(0);
    const bool any = this->Wanted == 0;
    const T wanted = static_cast<T>(this->Wanted);
    for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
    {
      for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
      {
        const T* row = values + this->Voxels.offset(inside.lo[0], j, k);
        std::uint8_t* to = out + part.offset(inside.lo[0], j, k);
        for (Index x = 0; x < count; ++x)
        {
          to[x] = (any ? row[x] != T(0) : row[x] == wanted) ? 1 : 0;
        }
      }
    }
  }

  template <class T>
  static void findBoxes(const T* values, const Box& box, std::map<Label, Box>& found)
  {
    if constexpr (std::is_integral<T>::value)
    {
      for (const auto& entry : countLabels(values, box, box))
      {
        if (entry.label > T(0))
        {
          found[static_cast<Label>(entry.label)] = entry.box;
        }
      }
    }
  }

  vtkSmartPointer<vtkDataArray> Array;
  Box Voxels;
  Box Bounds;
  Label Wanted = 0; // 0: any but the background
};

/// Voxels in both masks.
class CommonMask : public LocalMask
{
public:
  CommonMask(const LocalMask& a, const LocalMask& b) : A(a), B(b) {}
  Box bounds() const override { return this->A.bounds().intersect(this->B.bounds()); }
  void write(const Box& part, std::uint8_t* out) const override
  {
    this->A.write(part, out);
    Buffer<std::uint8_t> other(part.size());
    this->B.write(part, other.data());
    std::transform(out, out + part.size(), other.data(), out,
      [](std::uint8_t a, std::uint8_t b) { return a & b; });
  }

private:
  const LocalMask& A;
  const LocalMask& B;
};

/// Passes progress of an effect on, and the wish to stop to the effect.
void relayProgress(vtkObject* caller, unsigned long, void* clientData, void*)
{
  const auto& progress = *static_cast<const Progress*>(clientData);
  auto* effect = static_cast<vtkAlgorithm*>(caller);
  if (progress.report)
  {
    progress.report(effect->GetProgress());
  }
  if (progress.cancelled && progress.cancelled())
  {
    effect->AbortExecuteOn();
  }
}

std::string inQuotes(const std::string& text)
{
  return "'" + shortened(text) + "'";
}
}

//------------------------------------------------------------------------------------------------
void checkGeometry(const Geometry& geometry)
{
  for (int a = 0; a < 3; ++a)
  {
    if (!std::isfinite(geometry.Origin[a]))
    {
      throw std::invalid_argument("the origin is not finite");
    }
    if (!(geometry.Spacing[a] > 0.0) || !std::isfinite(geometry.Spacing[a]))
    {
      throw std::invalid_argument("the spacing along axis " + std::to_string(a) + " is " +
        std::to_string(geometry.Spacing[a]) + ", expected a number above 0");
    }
    for (int b = a; b < 3; ++b)
    {
      double dot = 0.0;
      for (int r = 0; r < 3; ++r)
      {
        dot += geometry.Direction[3 * r + a] * geometry.Direction[3 * r + b];
      }
      if (!(std::abs(dot - (a == b ? 1.0 : 0.0)) < 1e-4))
      {
        throw std::invalid_argument(
          "the columns of the direction matrix are not perpendicular unit vectors");
      }
    }
  }
}

//------------------------------------------------------------------------------------------------
std::uint64_t sumOfRanks(const Communicator& communicator, std::uint64_t part)
{
  // In halves, as sums of ranks are signed.
  Index halves[2] = { static_cast<Index>(part & 0xffffffffu), static_cast<Index>(part >> 32) };
  communicator.allReduceSum(halves, 2);
  return static_cast<std::uint64_t>(halves[0]) + (static_cast<std::uint64_t>(halves[1]) << 32);
}

//------------------------------------------------------------------------------------------------
/// The segments of a session, as effects see them.
class EditSession::Masks : public SegmentMasks
{
public:
  explicit Masks(const EditSession& session, const Box& region) : Session(session), Region(region)
  {
  }

  class Mask : public LocalMask
  {
  public:
    Mask(const EditSession& session, int row, const Box& region)
      : Session(session), Row(row), Region(region)
    {
    }
    Box bounds() const override { return this->Session.boundsOf(this->Row).clipped(this->Region); }
    void write(const Box& part, std::uint8_t* out) const override
    {
      const Place& place = this->Session.Places[static_cast<std::size_t>(this->Row)];
      const Box inside = part.clipped(this->Region);
      if (inside != part)
      {
        std::fill_n(out, part.size(), std::uint8_t{ 0 });
      }
      this->Session.layer(place.layer).maskOf(place.label, inside, out, part);
    }
    int uniform(const Box& part) const override
    {
      if (!this->Region.contains(part))
      {
        return -1;
      }
      const Place& place = this->Session.Places[static_cast<std::size_t>(this->Row)];
      const LabelBlocks& blocks = this->Session.layer(place.layer);
      const Index key = blocks.key(part.lo[0], part.lo[1], part.lo[2]);
      const LabelBlock& block = blocks.get(key);
      if (block.voxels || !blocks.box(key).contains(part))
      {
        return -1;
      }
      return block.value == place.label ? 1 : 0;
    }

  private:
    const EditSession& Session;
    int Row;
    Box Region;
  };

  std::unique_ptr<LocalMask> mask(const std::string& segment) const override
  {
    return std::make_unique<Mask>(this->Session, this->Session.find(segment), this->Region);
  }

private:
  const EditSession& Session;
  Box Region;
};

//------------------------------------------------------------------------------------------------
std::unique_ptr<LocalMask> EditSession::segmentMask(int row) const
{
  return std::make_unique<Masks::Mask>(*this, row, this->whole());
}

//------------------------------------------------------------------------------------------------
/// What became of a block, in each layer that changed.
struct EditSession::BlockResult
{
  struct LayerResult
  {
    int layer = 0;
    LabelBlock block;
    BlockPatch old;
    LabelChanges counts;
  };
  Index key = 0;
  Box changed;
  std::vector<LayerResult> layers;
};

//------------------------------------------------------------------------------------------------
EditSession::EditSession(
  vtkMultiProcessController* controller, const Geometry& geometry, const Box& held, int blockEdge)
  : Comm(controller)
  , Controller(controller)
  , Shape(geometry)
  , Held(held)
  , Edge(blockEdge)
  , Owners(this->Comm, held)
{
  this->Comm.run([&] { this->newLayer(); });
}

//------------------------------------------------------------------------------------------------
EditSession::~EditSession() = default;

//------------------------------------------------------------------------------------------------
int EditSession::newLayer()
{
  this->Layers.push_back(std::make_unique<LabelBlocks>(this->whole(), this->Held, this->Edge));
  return this->layerCount() - 1;
}

//------------------------------------------------------------------------------------------------
void EditSession::setVolume(vtkImageData* image, vtkDataArray* array)
{
  std::unique_ptr<SourceVolume> volume;
  if (this->Comm.agreeFlag(image != nullptr))
  {
    this->Comm.run(
      [&]
      {
        if (!image)
        {
          throw std::invalid_argument("the volume is missing on this rank");
        }
      });
    volume = std::make_unique<SourceVolume>(this->Comm, image, array, this->Shape, this->Held);
  }
  this->Volume = std::move(volume);
}

//------------------------------------------------------------------------------------------------
/// Row -> layer and label, for masks that are read by many threads.
void EditSession::updatePlaces()
{
  const int count = this->Table->GetNumberOfSegments();
  this->Places.resize(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row)
  {
    this->Places[static_cast<std::size_t>(row)] = { this->Table->GetNthSegmentLayer(row),
      static_cast<Label>(this->Table->GetNthSegmentLabelValue(row)) };
  }
}

//------------------------------------------------------------------------------------------------
int EditSession::find(const std::string& id) const
{
  const int row = this->Table->GetSegmentIndex(id);
  if (row >= 0)
  {
    return row;
  }
  std::string known;
  const int count = this->Table->GetNumberOfSegments();
  for (int i = 0; i < std::min(count, 10); ++i)
  {
    known += (i ? ", " : "") + inQuotes(this->Table->GetNthSegmentID(i));
  }
  throw std::invalid_argument("there is no segment " + inQuotes(id) + ", expected one of " +
    (known.empty() ? "none: add one by the effect add_segment" : known) +
    (count > 10 ? ", ..." : ""));
}

//------------------------------------------------------------------------------------------------
Box EditSession::boundsOf(int row) const
{
  const Place& place = this->Places[static_cast<std::size_t>(row)];
  return this->layer(place.layer).boundsOf(place.label);
}

//------------------------------------------------------------------------------------------------
std::size_t EditSession::bytes() const
{
  std::size_t sum = 0;
  for (const auto& blocks : this->Layers)
  {
    sum += blocks->bytes() + blocks->storedCount() * (sizeof(Index) + sizeof(LabelBlock));
  }
  return sum;
}

//------------------------------------------------------------------------------------------------
std::uint64_t EditSession::fingerprint()
{
  std::uint64_t sum = 0;
  this->updatePlaces();
  this->Comm.run(
    [&]
    {
      for (std::size_t row = 0; row < this->Places.size(); ++row)
      {
        std::uint64_t name = 0;
        for (const char letter : this->Table->GetNthSegmentID(static_cast<int>(row)))
        {
          name = mixBits(name + static_cast<unsigned char>(letter) + 1);
        }
        const Place& place = this->Places[row];
        const LabelBlocks& blocks = this->layer(place.layer);
        for (const Block& owned : this->Owners.localBlocks())
        {
          for (const Index key : blocks.stored(owned.box))
          {
            if (!blocks.get(key).contains(place.label))
            {
              continue;
            }
            const Box part = blocks.box(key).clipped(owned.box);
            Buffer<std::uint8_t> mask(part.size());
            blocks.maskOf(place.label, part, mask.data(), part);
            Index at = 0;
            for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
            {
              for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
              {
                const auto position =
                  static_cast<std::uint64_t>(this->whole().offset(part.lo[0], j, k));
                for (Index x = 0; x < part.dim(0); ++x, ++at)
                {
                  sum += mask[at] ? mixBits(name + position + static_cast<std::uint64_t>(x)) : 0;
                }
              }
            }
          }
        }
      }
    });
  return sumOfRanks(this->Comm, sum);
}

//------------------------------------------------------------------------------------------------
int EditSession::labelScalarType() const
{
  int width = 1;
  for (int row = 0; row < this->Table->GetNumberOfSegments(); ++row)
  {
    width =
      std::max(width, labelWidth(static_cast<Label>(this->Table->GetNthSegmentLabelValue(row))));
  }
  return width == 1 ? VTK_UNSIGNED_CHAR
    : width == 2    ? VTK_UNSIGNED_SHORT
    : width == 4    ? VTK_UNSIGNED_INT
                    : VTK_UNSIGNED_LONG_LONG;
}

//------------------------------------------------------------------------------------------------
void EditSession::copyLayer(int layer, const Box& part, vtkDataArray* labels, const Box& box) const
{
  if (part.empty())
  {
    return;
  }
  withLabelType(labels->GetDataTypeSize(), static_cast<std::byte*>(labels->GetVoidPointer(0)),
    [&](auto* values)
    {
      const auto fill = [&](Index begin, Index end)
      {
        Box slab = part;
        slab.lo[2] = part.lo[2] + begin;
        slab.hi[2] = part.lo[2] + end - 1;
        this->layer(layer).copyTo(slab, values, box);
      };
      // A stroke's box is not worth starting threads for.
      if (part.size() < (Index{ 1 } << 18))
      {
        fill(0, part.dim(2));
      }
      else
      {
        withThreads([&] { forRanges(part.dim(2), this->Edge, fill); });
      }
    });
  labels->Modified();
}

//------------------------------------------------------------------------------------------------
std::vector<Box> EditSession::ownedBoxes() const
{
  std::vector<Box> boxes;
  for (const Block& block : this->Owners.localBlocks())
  {
    boxes.push_back(block.box);
  }
  return boxes;
}

//------------------------------------------------------------------------------------------------
bool EditSession::isOwned(const Box& box) const
{
  const auto& blocks = this->Owners.localBlocks();
  return std::any_of(
    blocks.begin(), blocks.end(), [&box](const Block& block) { return block.box.contains(box); });
}

//------------------------------------------------------------------------------------------------
void EditSession::rememberTable(EditStep& step)
{
  if (!step.tableBefore)
  {
    step.tableBefore = vtkSmartPointer<vtkLabelSegmentTable>::New();
    step.tableBefore->DeepCopy(this->Table);
    // Counts that this step changed before now are part of the table as it is.
    for (const auto& count : step.counts)
    {
      const int row = step.tableBefore->GetSegmentIndex(count.first);
      step.tableBefore->SetNthSegmentVoxelCount(
        row, step.tableBefore->GetNthSegmentVoxelCount(row) - count.second);
    }
  }
}

//------------------------------------------------------------------------------------------------
/// Collective. Runs an operation; after an error everything is as before.
EditStep EditSession::run(const Operation& operation)
{
  EditStep step;
  step.text = operation.Text;
  step.layersBefore = this->layerCount();
  try
  {
    this->updatePlaces();
    this->runOperation(operation, step);
    this->Comm.run(
      [&]
      {
        this->dropEmptyLayers();
        if (step.tableBefore)
        {
          step.tableAfter = vtkSmartPointer<vtkLabelSegmentTable>::New();
          step.tableAfter->DeepCopy(this->Table);
          step.change.table = true;
        }
      });
  }
  catch (const AgreedError&)
  {
    step.layersAfter = this->layerCount();
    this->turnAround(step, true);
    throw;
  }
  step.layersAfter = this->layerCount();
  return step;
}

//------------------------------------------------------------------------------------------------
void EditSession::apply(
  const std::vector<Operation>& operations, const std::function<void()>& commit, std::size_t first)
{
  std::vector<EditStep> steps;
  try
  {
    for (const Operation& operation : operations)
    {
      if (this->started)
      {
        this->started(operation);
      }
      try
      {
        steps.push_back(this->run(operation));
      }
      catch (const AgreedError& error)
      {
        throw AgreedError("operation " + std::to_string(first + steps.size() + 1) + " (" +
          operation.Effect + " on segment " + inQuotes(operation.Segment) + "): " + error.what());
      }
    }
    if (commit)
    {
      commit();
    }
  }
  catch (const AgreedError&)
  {
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    {
      this->turnAround(*step, true);
    }
    throw;
  }
  this->Change = EditChange();
  for (EditStep& step : steps)
  {
    this->Change.add(step.change);
    this->History.push(std::move(step));
  }
  this->trimHistory();
}

//------------------------------------------------------------------------------------------------
void EditSession::trimHistory()
{
  const bool large = this->Comm.agreeFlag(this->History.bytes() > this->UndoLimit / 4);
  if (!large)
  {
    return;
  }
  withThreads([&] { this->History.compressTo(this->UndoLimit / 4); });
  while (
    this->Comm.agreeFlag(this->History.bytes() > this->UndoLimit) && this->History.dropOldest())
  {
  }
}

//------------------------------------------------------------------------------------------------
/// Puts the step's old values back, keeping those they replace: what was undone can be redone.
/// No communication; no error, as all memory but that of the blocks was there before.
void EditSession::turnAround(EditStep& step, bool undo)
{
  while (this->layerCount() < std::max(step.layersBefore, step.layersAfter))
  {
    this->newLayer();
  }
  std::vector<BlockPatch> replaced;
  replaced.reserve(step.patches.size());
  for (auto patch = step.patches.rbegin(); patch != step.patches.rend(); ++patch)
  {
    LabelBlocks& blocks = *this->Layers[static_cast<std::size_t>(patch->layer())];
    const Box held = blocks.box(patch->key());
    const LabelBlock& now = blocks.get(patch->key());
    replaced.emplace_back(patch->layer(), patch->key(), now, held, patch->part());
    blocks.replace(patch->key(), patch->applyTo(now, held));
  }
  step.patches = std::move(replaced);
  step.compressed = false;
  this->Layers.resize(static_cast<std::size_t>(undo ? step.layersBefore : step.layersAfter));
  if (step.tableBefore)
  {
    // An operation that failed has no table of its own to go forward to.
    this->Table->DeepCopy(undo ? step.tableBefore : step.tableAfter);
  }
  else
  {
    for (const auto& count : step.counts)
    {
      const int row = this->Table->GetSegmentIndex(count.first);
      this->Table->SetNthSegmentVoxelCount(
        row, this->Table->GetNthSegmentVoxelCount(row) + (undo ? -count.second : count.second));
    }
  }
  this->updatePlaces();
}

//------------------------------------------------------------------------------------------------
bool EditSession::undo(const std::function<void()>& commit)
{
  if (!this->History.canUndo())
  {
    return false;
  }
  if (commit)
  {
    commit();
  }
  this->Change = this->History.lastUndo().change;
  this->History.undo([this](EditStep& step) { this->turnAround(step, true); });
  return true;
}

//------------------------------------------------------------------------------------------------
bool EditSession::redo(const std::function<void()>& commit)
{
  if (!this->History.canRedo())
  {
    return false;
  }
  if (commit)
  {
    commit();
  }
  this->Change = this->History.lastRedo().change;
  this->History.redo([this](EditStep& step) { this->turnAround(step, false); });
  return true;
}

//------------------------------------------------------------------------------------------------
void EditSession::runOperation(const Operation& operation, EditStep& step)
{
  if (operation.Input == EffectInput::Table)
  {
    this->runTableOperation(operation, step);
  }
  else
  {
    this->runEffect(operation, step);
  }
}

//------------------------------------------------------------------------------------------------
/// The voxels of a box given by its centre and edges in millimetres.
Box EditSession::operationRegion(const Operation& operation) const
{
  Box region = this->whole();
  if (!operation.HasRegion)
  {
    return region;
  }
  for (int a = 0; a < 3; ++a)
  {
    double centre = 0.0;
    for (int r = 0; r < 3; ++r)
    {
      centre +=
        this->Shape.Direction[3 * r + a] * (operation.RegionCenter[r] - this->Shape.Origin[r]);
    }
    centre /= this->Shape.Spacing[a];
    const double half = operation.RegionSize[a] / this->Shape.Spacing[a] / 2.0;
    // A voxel counts if its centre is inside; a millionth of a voxel is rounding.
    const double low = std::ceil(centre - half - 1e-6);
    const double high = std::floor(centre + half + 1e-6);
    const double first = static_cast<double>(region.lo[a]);
    const double last = static_cast<double>(region.hi[a]);
    if (!(low <= last && high >= first))
    {
      return Box(); // outside the world, maybe so far that no index says where
    }
    region.lo[a] = static_cast<Index>(std::max(low, first));
    region.hi[a] = static_cast<Index>(std::min(high, last));
  }
  return region;
}

//------------------------------------------------------------------------------------------------
EditSession::Rules EditSession::makeRules(const Operation& operation, int row, bool bypass) const
{
  Rules rules;
  rules.region = this->operationRegion(operation);
  const Masking& masking = operation.Mask;
  const int count = this->Table->GetNumberOfSegments();
  if (bypass)
  {
    return rules;
  }
  switch (masking.Overwrite)
  {
    case OverwriteMode::All:
      rules.overwriteAll = true;
      break;
    case OverwriteMode::Visible:
      for (int i = 0; i < count; ++i)
      {
        if (i != row && this->Table->GetNthSegmentVisible(i))
        {
          rules.overwritten.push_back(i);
        }
      }
      break;
    case OverwriteMode::None:
      break;
  }
  if (masking.Mode != MaskMode::Everywhere)
  {
    rules.areaMasked = true;
    rules.insideArea = masking.Mode == MaskMode::InsideAllSegments ||
      masking.Mode == MaskMode::InsideVisibleSegments ||
      masking.Mode == MaskMode::InsideSingleSegment;
    if (masking.Mode == MaskMode::InsideSingleSegment)
    {
      rules.single = true;
      rules.areaRows.push_back(this->find(masking.SegmentID));
    }
    else
    {
      const bool visible = masking.Mode == MaskMode::InsideVisibleSegments ||
        masking.Mode == MaskMode::OutsideVisibleSegments;
      for (int i = 0; i < count; ++i)
      {
        if ((rules.insideArea || i != row) && (!visible || this->Table->GetNthSegmentVisible(i)))
        {
          rules.areaRows.push_back(i);
        }
      }
    }
  }
  if (masking.IntensityMasked)
  {
    if (!this->Volume)
    {
      throw std::invalid_argument("SourceVolumeIntensityMask needs a volume, and there is none");
    }
    rules.intensity = this->Volume->interval(masking.IntensityRange[0], masking.IntensityRange[1]);
  }
  return rules;
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<LocalMask> EditSession::makeMask(
  const Operation& operation, vtkLabelMapAlgorithm* effect, const Box& region)
{
  int row = 0;
  this->Comm.run([&] { row = this->find(operation.Segment); });
  effect->SetController(this->Controller);
  if (effect->IsLocal())
  {
    const Masks masks(*this, region);
    LocalInput input{ this->Comm, this->Shape, this->whole(), this->Volume.get(), &masks,
      operation.Segment };
    return effect->GetLocalMask(input);
  }

  vtkNew<vtkCallbackCommand> command;
  command->SetCallback(&relayProgress);
  command->SetClientData(&this->progress);
  effect->AddObserver(vtkCommand::ProgressEvent, command);
  effect->SetSegmentLabel(1);
  vtkNew<vtkImageData> input;
  Box work = region;
  if (operation.Input == EffectInput::Volume)
  {
    if (!this->Volume || !this->Volume->aligned())
    {
      throw AgreedError(this->Volume
          ? "the effect needs a volume on the voxels of the label map: resample it first"
          : "the effect needs a volume, and there is none");
    }
    input->ShallowCopy(this->Volume->image());
    effect->SetInputArrayToProcess(
      0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, this->Volume->arrayName().c_str());
    work = Box::fromExtent(input->GetExtent());
  }
  else
  {
    // The segment's box with what the effect may reach, and one voxel that shows it ends there.
    Index limits[6];
    const Box bounds = this->boundsOf(row).clipped(region);
    std::int64_t reach[3];
    effect->GetReach(this->Shape.Spacing, reach);
    for (int a = 0; a < 3; ++a)
    {
      const Index far = std::numeric_limits<Index>::max();
      limits[a] = bounds.empty() ? far : bounds.lo[a];
      limits[3 + a] = bounds.empty() ? far : -bounds.hi[a];
    }
    this->Comm.allReduceMin(limits, 6);
    if (limits[0] == std::numeric_limits<Index>::max())
    {
      return std::make_unique<BoxMask>(Box());
    }
    for (int a = 0; a < 3; ++a)
    {
      const Index margin = std::min<Index>(reach[a], Index{ 1 } << 40) * 2 + 1;
      work.lo[a] = limits[a] - margin;
      work.hi[a] = -limits[3 + a] + margin;
    }
    work = work.clipped(region);
    const Box part = work.clipped(this->Held);
    this->Comm.run(
      [&]
      {
        int extent[6] = { 0, -1, 0, -1, 0, -1 };
        if (!part.empty())
        {
          part.toExtent(extent);
        }
        input->SetExtent(extent);
        this->Shape.copyTo(input);
        vtkNew<vtkUnsignedCharArray> labels;
        labels->SetName("Labels");
        labels->SetNumberOfTuples(part.size());
        if (!part.empty())
        {
          std::uint8_t* values = labels->GetPointer(0);
          const Place& place = this->Places[static_cast<std::size_t>(row)];
          withThreads(
            [&]
            {
              forRanges(part.dim(2), 8,
                [&](Index begin, Index end)
                {
                  Box slab = part;
                  slab.lo[2] = part.lo[2] + begin;
                  slab.hi[2] = part.lo[2] + end - 1;
                  this->layer(place.layer).maskOf(place.label, slab, values, part);
                });
            },
            part.size());
        }
        input->GetPointData()->SetScalars(labels);
        if (effect->MakesParts())
        {
          // Room for more labels than a byte has.
          vtkNew<vtkUnsignedIntArray> wide;
          wide->DeepCopy(labels);
          input->GetPointData()->SetScalars(wide);
        }
      });
    work = part;
  }
  vtkNew<vtkImageData> output;
  if (!effect->Apply(input, output))
  {
    throw AgreedError(effect->GetLastError());
  }
  return std::make_unique<ResultMask>(output->GetPointData()->GetScalars(), work);
}

//------------------------------------------------------------------------------------------------
/// Whether what a segment loses goes to the segment that masks.
bool EditSession::splits(WriteMode mode, const Rules& rules, int row)
{
  return mode == WriteMode::Remove && rules.single && rules.areaRows[0] != row;
}

//------------------------------------------------------------------------------------------------
void EditSession::runEffect(const Operation& operation, EditStep& step)
{
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  int row = 0;
  Rules rules;
  this->Comm.run(
    [&]
    {
      row = this->find(operation.Segment);
      effect.TakeReference(newEffect(operation));
      rules = this->makeRules(operation, row, effect->GetBypassMasking());
    });
  const std::unique_ptr<LocalMask> mask = this->makeMask(operation, effect, rules.region);
  const WriteMode mode = effect->GetWriteMode();
  if (effect->MakesParts())
  {
    this->writeParts(*mask, operation, effect->GetBypassMasking(), step);
  }
  else if (splits(mode, rules, row))
  {
    // Erasing inside another segment gives it the voxels: a way to split by painting.
    const int other = rules.areaRows[0];
    const Masks::Mask own(*this, row, rules.region);
    Rules split;
    split.region = rules.region;
    split.intensity = std::move(rules.intensity);
    split.overwritten = { row };
    this->write(CommonMask(*mask, own), WriteMode::Add, other, split, step);
  }
  else
  {
    this->write(*mask, mode, row, rules, step);
  }
  row = this->Table->GetSegmentIndex(operation.Segment);
  if (this->Table->GetNthSegmentStatus(row) == vtkLabelSegmentTable::NotStarted)
  {
    this->rememberTable(step);
    this->Table->SetNthSegmentStatus(row, vtkLabelSegmentTable::InProgress);
  }
}

//------------------------------------------------------------------------------------------------
/// Collective. The lowest label of a result stays in the segment, the others become new ones.
void EditSession::writeParts(
  const LocalMask& result, const Operation& operation, bool bypass, EditStep& step)
{
  const auto* parts = dynamic_cast<const ResultMask*>(&result);
  int row = 0;
  std::map<Label, Box> boxes;
  std::vector<LabelSum> labels;
  this->Comm.run(
    [&]
    {
      row = this->find(operation.Segment);
      if (!parts)
      {
        return; // an empty segment has no parts
      }
      boxes = parts->boxes();
      for (const auto& entry : boxes)
      {
        LabelSum label;
        label.label = static_cast<Index>(entry.first);
        labels.push_back(label);
      }
    });
  labels = reduceTable(this->Comm, std::move(labels));
  // The new segments first: the editable area is that of the segment as it was.
  for (std::size_t i = 1; i < labels.size(); ++i)
  {
    int part = 0;
    Rules rules;
    this->Comm.run(
      [&]
      {
        this->rememberTable(step);
        rules = this->makeRules(operation, row, bypass);
        const std::string suffix = "_" + std::to_string(i + 1);
        part = this->addSegment(this->Table->GenerateUniqueSegmentID(operation.Segment + suffix),
          this->Table->GetNthSegmentName(row) + suffix, {}, 0);
        this->Table->SetNthSegmentStatus(part, vtkLabelSegmentTable::InProgress);
        this->Table->SetNthSegmentSerializedTags(
          part, this->Table->GetNthSegmentSerializedTags(row));
        rules.overwritten.push_back(row);
      });
    const Label label = static_cast<Label>(labels[i].label);
    const auto found = boxes.find(label);
    this->write(ResultMask(*parts, label, found == boxes.end() ? Box() : found->second),
      WriteMode::Add, part, rules, step);
  }
  Rules rules;
  this->Comm.run([&] { rules = this->makeRules(operation, row, bypass); });
  if (!labels.empty())
  {
    const Label label = static_cast<Label>(labels[0].label);
    const auto found = boxes.find(label);
    this->write(ResultMask(*parts, label, found == boxes.end() ? Box() : found->second),
      WriteMode::Set, row, rules, step);
  }
  else
  {
    this->write(BoxMask(Box()), WriteMode::Set, row, rules, step);
  }
}

//------------------------------------------------------------------------------------------------
void EditSession::write(
  const LocalMask& mask, WriteMode mode, int row, const Rules& rules, EditStep& step)
{
  if (!this->writeOnce(mask, mode, row, rules, step))
  {
    // The segment has to overlap another one of its layer.
    this->moveToFreeLayer(row, step);
    this->writeOnce(mask, mode, row, rules, step);
  }
}

//------------------------------------------------------------------------------------------------
/// The labels of each layer that belong to these rows.
std::vector<LabelSet> EditSession::labelsOf(const std::vector<int>& rows) const
{
  std::vector<std::vector<Label>> labels(this->Layers.size());
  for (const int row : rows)
  {
    const Place& place = this->Places[static_cast<std::size_t>(row)];
    labels[static_cast<std::size_t>(place.layer)].push_back(place.label);
  }
  std::vector<LabelSet> sets;
  for (std::vector<Label>& list : labels)
  {
    sets.push_back(LabelSet::of(std::move(list)));
  }
  return sets;
}

//------------------------------------------------------------------------------------------------
/// What to do with each voxel of `part`, which lies in one block.
void EditSession::codes(const LocalMask& mask, WriteMode mode, const Rules& rules,
  const std::vector<LabelSet>& area, Index key, const Box& part, std::uint8_t* out,
  std::uint8_t* allowed) const
{
  const Index count = part.size();
  const bool masked = rules.areaMasked || rules.intensity;
  const int uniform = mask.uniform(part);
  if (uniform >= 0)
  {
    std::fill_n(out, count, static_cast<std::uint8_t>(uniform));
  }
  else
  {
    mask.write(part, out);
  }
  if (masked)
  {
    std::fill_n(allowed, count, std::uint8_t{ 1 });
    if (rules.areaMasked)
    {
      std::fill_n(allowed, count, std::uint8_t{ 0 });
      for (std::size_t l = 0; l < this->Layers.size(); ++l)
      {
        if (!area[l].empty())
        {
          markLabels(this->Layers[l]->get(key), this->Layers[l]->box(key), part, area[l], allowed);
        }
      }
      if (!rules.insideArea)
      {
        std::transform(allowed, allowed + count, allowed, [](std::uint8_t a) { return a ^ 1; });
      }
    }
    if (rules.intensity)
    {
      Buffer<std::uint8_t> inRange(count);
      rules.intensity->write(part, inRange.data());
      std::transform(allowed, allowed + count, inRange.data(), allowed,
        [](std::uint8_t a, std::uint8_t b) { return a & b; });
    }
  }
  switch (mode)
  {
    case WriteMode::Set:
      // 1 stays WriteVoxel, 0 becomes EraseVoxel.
      for (Index i = 0; i < count; ++i)
      {
        out[i] = static_cast<std::uint8_t>(2 - out[i]);
      }
      break;
    case WriteMode::Add:
      break;
    case WriteMode::Remove:
      for (Index i = 0; i < count; ++i)
      {
        out[i] = static_cast<std::uint8_t>(out[i] * EraseVoxel);
      }
      break;
    case WriteMode::RemoveAll:
      for (Index i = 0; i < count; ++i)
      {
        out[i] = static_cast<std::uint8_t>(out[i] * ClearVoxel);
      }
      break;
  }
  if (masked)
  {
    for (Index i = 0; i < count; ++i)
    {
      out[i] = static_cast<std::uint8_t>(out[i] * allowed[i]);
    }
  }
}

//------------------------------------------------------------------------------------------------
/// Collective. False, and nothing written, if the segment would share voxels with one that it may
/// not overwrite.
bool EditSession::writeOnce(
  const LocalMask& mask, WriteMode mode, int row, const Rules& rules, EditStep& step)
{
  struct Task
  {
    Index key;
    Box part;
  };
  const Place place = this->Places[static_cast<std::size_t>(row)];
  const LabelBlocks& own = this->layer(place.layer);
  const std::vector<LabelSet> area = this->labelsOf(rules.areaRows);
  const std::vector<LabelSet> overwritten = rules.overwriteAll
    ? std::vector<LabelSet>(this->Layers.size(), LabelSet::all())
    : this->labelsOf(rules.overwritten);
  const bool adds = mode == WriteMode::Set || mode == WriteMode::Add;

  std::vector<Task> tasks;
  std::vector<BlockResult> results;
  bool conflict = false;
  const auto plan = [&]
  {
    const Box reach = mask.bounds().clipped(this->Held).clipped(rules.region);
    own.forEachIn(reach,
      [&](Index key, const Box& held)
      {
        const Box part = held.clipped(mode == WriteMode::Set ? rules.region : reach);
        if (mode == WriteMode::Set || mask.uniform(part) != 0)
        {
          tasks.push_back({ key, part });
        }
      });
    if (mode == WriteMode::Set)
    {
      // What the segment has outside the mask must go.
      for (const Index key : own.stored(rules.region))
      {
        const Box held = own.box(key);
        if (held.clipped(reach).empty() && own.get(key).contains(place.label))
        {
          tasks.push_back({ key, held.clipped(rules.region) });
        }
      }
    }
  };

  /// The block of a task in every layer, before and after.
  const auto edit =
    [&](const Task& task, std::uint8_t* code, std::uint8_t* allowed, BlockResult& result)
  {
    result.key = task.key;
    const Box held = own.box(task.key);
    // Voxels that another rank owns are written too, but counted there.
    std::vector<Box> counted, copied;
    if (this->isOwned(task.part))
    {
      counted.push_back(task.part);
    }
    else
    {
      std::vector<Box> owned;
      for (const Block& block : this->Owners.localBlocks())
      {
        const Box part = block.box.clipped(task.part);
        if (!part.empty())
        {
          counted.push_back(part);
        }
      }
      copied = subtractBoxes(task.part, counted);
    }
    std::vector<LabelBlock> now;
    std::vector<LabelChanges> counts(this->Layers.size());
    for (const auto& layer : this->Layers)
    {
      now.push_back(layer->get(task.key));
    }
    const auto editPart = [&](const Box& part, bool count)
    {
      this->codes(mask, mode, rules, area, task.key, part, code, allowed);
      for (std::size_t l = 0; l < now.size(); ++l)
      {
        LabelChanges* changes = count ? &counts[l] : nullptr;
        if (static_cast<int>(l) == place.layer)
        {
          now[l] = editBlock(now[l], held, part, code, place.label, changes);
        }
        else if (mode == WriteMode::RemoveAll || (adds && !overwritten[l].empty()))
        {
          now[l] = overwriteBlock(now[l], held, part, code, overwritten[l], changes);
        }
      }
    };
    for (const Box& part : counted)
    {
      editPart(part, true);
    }
    for (const Box& part : copied)
    {
      editPart(part, false);
    }
    for (std::size_t l = 0; l < now.size(); ++l)
    {
      const LabelBlock& before = this->Layers[l]->get(task.key);
      if (!now[l].isSame(before))
      {
        const int layer = static_cast<int>(l);
        result.layers.push_back({ layer, std::move(now[l]),
          BlockPatch(layer, task.key, before, held, task.part), std::move(counts[l]) });
        result.changed = task.part;
      }
    }
  };

  /// Runs work(task, codes, scratch, number) on all tasks, by threads if there are many.
  const auto forTasks = [&](const auto& work)
  {
    const Index edge = this->Edge;
    const auto body = [&](Index begin, Index end)
    {
      Buffer<std::uint8_t> code(edge * edge * edge);
      Buffer<std::uint8_t> allowed(
        rules.areaMasked || rules.intensity ? edge * edge * edge : Index{ 1 });
      for (Index t = begin; t < end; ++t)
      {
        work(tasks[static_cast<std::size_t>(t)], code.data(), allowed.data(), t);
      }
    };
    const Index count = static_cast<Index>(tasks.size());
    if (count < ThreadedBlocks)
    {
      body(0, count);
    }
    else
    {
      withThreads([&] { forRanges(count, 16, this->progress, body); });
    }
  };

  this->Comm.run(plan);
  if (adds && !rules.overwriteAll)
  {
    this->Comm.run(
      [&]
      {
        std::atomic<bool> found{ false };
        forTasks(
          [&](const Task& task, std::uint8_t* code, std::uint8_t* allowed, Index)
          {
            const LabelBlock& block = own.get(task.key);
            if (found || (!block.voxels && (block.value == 0 || block.value == place.label)))
            {
              return;
            }
            this->codes(mask, mode, rules, area, task.key, task.part, code, allowed);
            if (hasConflict(block, own.box(task.key), task.part, code, place.label,
                  overwritten[static_cast<std::size_t>(place.layer)]))
            {
              found = true;
            }
          });
        conflict = found;
      });
    if (this->Comm.agreeFlag(conflict))
    {
      return false;
    }
  }
  this->Comm.run(
    [&]
    {
      results.resize(tasks.size());
      forTasks([&](const Task& task, std::uint8_t* code, std::uint8_t* allowed, Index t)
        { edit(task, code, allowed, results[static_cast<std::size_t>(t)]); });
    });
  this->install(results, step);
  return true;
}

//------------------------------------------------------------------------------------------------
/// Collective. Puts new blocks in their places and tells table and step what changed.
void EditSession::install(std::vector<BlockResult>& results, EditStep& step)
{
  std::vector<LabelChanges> counts(this->Layers.size());
  Box changed;
  this->Comm.run(
    [&]
    {
      std::size_t patches = step.patches.size();
      for (const BlockResult& result : results)
      {
        patches += result.layers.size();
      }
      step.patches.reserve(patches);
    });
  for (BlockResult& result : results)
  {
    changed = changed.unite(result.changed);
    for (BlockResult::LayerResult& edit : result.layers)
    {
      const std::size_t l = static_cast<std::size_t>(edit.layer);
      this->Layers[l]->replace(result.key, std::move(edit.block));
      step.patches.push_back(std::move(edit.old));
      counts[l].add(edit.counts);
    }
  }

  // The same table on all ranks: voxels gained by each row, and whether it changed at all.
  const int rows = this->Table->GetNumberOfSegments();
  std::vector<std::pair<int, std::int64_t>> gains;
  for (std::size_t l = 0; l < counts.size(); ++l)
  {
    for (const LabelChanges::Change& change : counts[l].changes())
    {
      const int row =
        this->Table->FindByLabel(static_cast<int>(l), static_cast<vtkTypeInt64>(change.label));
      if (row >= 0)
      {
        gains.emplace_back(row, change.voxels);
      }
    }
  }
  if (this->Comm.size() > 1)
  {
    std::vector<std::int64_t> sums(2 * static_cast<std::size_t>(rows) + 1, 0);
    for (const auto& gain : gains)
    {
      sums[2 * static_cast<std::size_t>(gain.first)] += gain.second;
      sums[2 * static_cast<std::size_t>(gain.first) + 1] += 1;
    }
    this->Comm.allReduceSum(sums.data(), static_cast<Index>(sums.size()));
    gains.clear();
    for (int row = 0; row < rows; ++row)
    {
      if (sums[2 * static_cast<std::size_t>(row) + 1])
      {
        gains.emplace_back(row, sums[2 * static_cast<std::size_t>(row)]);
      }
    }
    Index limits[6];
    for (int a = 0; a < 3; ++a)
    {
      const Index far = std::numeric_limits<Index>::max();
      limits[a] = changed.empty() ? far : changed.lo[a];
      limits[3 + a] = changed.empty() ? far : -changed.hi[a];
    }
    this->Comm.allReduceMin(limits, 6);
    if (limits[0] != std::numeric_limits<Index>::max())
    {
      for (int a = 0; a < 3; ++a)
      {
        changed.lo[a] = limits[a];
        changed.hi[a] = -limits[3 + a];
      }
    }
  }
  else
  {
    std::sort(gains.begin(), gains.end());
  }
  for (const auto& gain : gains)
  {
    const std::string id = this->Table->GetNthSegmentID(gain.first);
    this->Table->SetNthSegmentVoxelCount(
      gain.first, this->Table->GetNthSegmentVoxelCount(gain.first) + gain.second);
    step.counts.emplace_back(id, gain.second);
    auto& segments = step.change.segments;
    if (std::find(segments.begin(), segments.end(), id) == segments.end())
    {
      segments.push_back(id);
    }
  }
  step.change.box = step.change.box.unite(changed);
}

//------------------------------------------------------------------------------------------------
/// Collective. Moves a segment to a new layer, where nothing is in its way.
void EditSession::moveToFreeLayer(int row, EditStep& step)
{
  const Place from = this->Places[static_cast<std::size_t>(row)];
  Place to;
  std::vector<BlockResult> results;
  this->Comm.run(
    [&]
    {
      this->rememberTable(step);
      to.layer = this->newLayer();
      to.label = 1;
      const LabelBlocks& own = this->layer(from.layer);
      for (const Index key : own.stored())
      {
        const LabelBlock& block = own.get(key);
        if (!block.contains(from.label))
        {
          continue;
        }
        const Box held = own.box(key);
        Buffer<std::uint8_t> code(held.size());
        own.maskOf(from.label, held, code.data(), held);
        BlockResult result;
        result.key = key;
        const LabelBlock& empty = this->layer(to.layer).get(key);
        result.layers.push_back(
          { to.layer, editBlock(empty, held, held, code.data(), to.label, nullptr),
            BlockPatch(to.layer, key, empty, held, held), LabelChanges() });
        std::transform(code.begin(), code.end(), code.begin(),
          [](std::uint8_t c) { return static_cast<std::uint8_t>(c * EraseVoxel); });
        result.layers.push_back(
          { from.layer, editBlock(block, held, held, code.data(), from.label, nullptr),
            BlockPatch(from.layer, key, block, held, held), LabelChanges() });
        results.push_back(std::move(result));
      }
    });
  this->install(results, step);
  this->Table->SetNthSegmentLayer(row, to.layer);
  this->Table->SetNthSegmentLabelValue(row, static_cast<vtkTypeInt64>(to.label));
  this->updatePlaces();
}

//------------------------------------------------------------------------------------------------
/// The last layers are given up when no segment is in them.
void EditSession::dropEmptyLayers()
{
  const int used = std::max(1, this->Table->GetNumberOfLayers());
  if (used < this->layerCount())
  {
    this->Layers.resize(static_cast<std::size_t>(used));
  }
}

} // namespace segcore
