// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditMasks.h"
#include "EditSession.h"

#include "Buffer.h"
#include "Fingerprint.h"
#include "LabelCounts.h"
#include "ReduceTable.h"
#include "StrokeLocalMask.h"
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
std::unique_ptr<LocalMask> EditSession::segmentMask(int row) const
{
  return std::make_unique<Masks::Mask>(*this, row, this->whole());
}

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
  this->Last = Remembered();
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
          operation.Effect +
          (operation.Input == EffectInput::Segments ? std::string()
              : operation.ToAllVisible              ? " on all visible segments"
                                       : " on segment " + inQuotes(operation.Segment)) +
          "): " + error.what());
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
/// Collective. Outside of it an operation neither reads nor writes: a box given by its centre and
/// edges in millimetres, or what lies around the visible segments.
Box EditSession::operationRegion(const Operation& operation) const
{
  Box region = this->whole();
  if (operation.RegionGrowth >= 0.0)
  {
    Box bounds = this->commonBox(this->visibleRows(), region);
    for (int a = 0; a < 3 && !bounds.empty(); ++a)
    {
      // As Slicer's effects that complete segments: in voxels, of the distance of the ends.
      const auto part =
        static_cast<Index>(operation.RegionGrowth * static_cast<double>(bounds.dim(a) - 1));
      const Index margin = std::max<Index>(3, part);
      bounds.lo[a] -= margin;
      bounds.hi[a] += margin;
    }
    return bounds.clipped(region);
  }
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
EditSession::Rules EditSession::makeRules(
  const Operation& operation, const Box& region, int row, const vtkLabelMapAlgorithm* effect) const
{
  Rules rules;
  rules.region = rules.seen = region;
  if (!operation.RegionPoints.empty())
  {
    StrokeOptions options;
    options.diameterMillimetres = operation.RegionDiameter;
    rules.brush = makeStrokeMask(operation.RegionPoints, this->Shape, options);
    rules.region = rules.brush->bounds().clipped(region);
    if (effect->LooksNearby())
    {
      rules.seen = this->grownByReach(rules.region, effect).clipped(region);
    }
  }
  const Masking& masking = operation.Mask;
  const int count = this->Table->GetNumberOfSegments();
  if (effect->GetBypassMasking())
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

} // namespace segcore
