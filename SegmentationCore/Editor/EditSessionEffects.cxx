// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditMasks.h"
#include "EditSession.h"

#include "Buffer.h"
#include "Fingerprint.h"
#include "ReduceTable.h"
#include "ScalarTypes.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkLabelSegmentTable.h"

#include "vtkCallbackCommand.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkMultiProcessController.h"
#include "vtkPointData.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace segcore
{
namespace
{
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

/// The values of a volume on a box of the label map.
template <class T>
void copyRowsOf(const SourceVolume& volume, const Box& part, vtkDataArray* values)
{
  T* to = static_cast<T*>(values->GetVoidPointer(0));
  forRanges(part.dim(2), 1,
    [&](Index begin, Index end)
    {
      for (Index k = part.lo[2] + begin; k < part.lo[2] + end; ++k)
      {
        for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
        {
          std::copy_n(
            volume.row<T>(part.lo[0], j, k), part.dim(0), to + part.offset(part.lo[0], j, k));
        }
      }
    });
}

/// In the result of an effect on all these segments: leave the voxel as it is.
Label leaveLabel(const std::vector<int>& rows)
{
  return static_cast<Label>(rows.size() + 1);
}
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<LocalMask> EditSession::makeMask(
  const Operation& operation, vtkLabelMapAlgorithm* effect, const Rules& rules)
{
  const Box& region = rules.seen;
  int row = 0;
  this->Comm.run([&] { row = this->find(operation.Segment); });
  effect->SetController(this->Controller);
  if (effect->IsLocal())
  {
    const Masks masks(*this, region);
    const Editable editable(*this, rules);
    const bool limited = rules.masked() || rules.region != this->whole();
    LocalInput input{ this->Comm, this->Shape, this->whole(), this->Volume.get(), &masks,
      operation.Segment, limited ? &editable : nullptr };
    return effect->GetLocalMask(input);
  }

  if (operation.Input == EffectInput::Segment)
  {
    std::vector<int> rows{ row };
    if (effect->SeesAllSegments())
    {
      for (const int other : this->visibleRows())
      {
        if (other != row)
        {
          rows.push_back(other);
        }
      }
    }
    // What starts at points in the volume makes something of an empty segment, too.
    const bool starts = effect->ReadsVolume() && operation.Parameters.count("Points") > 0;
    const Box work = starts ? region : this->workBox(rows, effect, region);
    if (work.empty())
    {
      return std::make_unique<BoxMask>(Box());
    }
    const Box part = work.clipped(this->Held);
    if (effect->ReadsVolume())
    {
      this->requireVolumeOn(part);
    }
    if (effect->SeesAllSegments())
    {
      const auto labels = this->copyRows(rows, part, VTK_UNSIGNED_INT);
      return std::make_unique<ResultMask>(
        ResultMask(this->applyToLabels(effect, labels, part), part), 1, part);
    }
    // Parts need room for more labels than a byte has.
    const auto labels =
      this->copyRows({ row }, part, effect->MakesParts() ? VTK_UNSIGNED_INT : VTK_UNSIGNED_CHAR);
    return std::make_unique<ResultMask>(this->applyToLabels(effect, labels, part), part);
  }
  if (!this->Volume || !this->Volume->aligned())
  {
    throw AgreedError(this->Volume
        ? "the effect needs a volume on the voxels of the label map: resample it first"
        : "the effect needs a volume, and there is none");
  }
  vtkNew<vtkImageData> input;
  input->ShallowCopy(this->Volume->image());
  effect->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, this->Volume->arrayName().c_str());
  effect->SetSegmentLabel(1);
  const auto output = this->applyEffect(effect, input);
  return std::make_unique<ResultMask>(
    output->GetPointData()->GetScalars(), Box::fromExtent(input->GetExtent()));
}

//------------------------------------------------------------------------------------------------
/// Collective. Runs an effect outside the pipeline; its progress is the session's.
vtkSmartPointer<vtkImageData> EditSession::applyEffect(
  vtkLabelMapAlgorithm* effect, vtkImageData* input, vtkImageData* volume)
{
  vtkNew<vtkCallbackCommand> command;
  command->SetCallback(&relayProgress);
  command->SetClientData(&this->progress);
  effect->AddObserver(vtkCommand::ProgressEvent, command);
  effect->SetController(this->Controller);
  // More blocks need less scratch memory, and give the same result.
  constexpr Index blockVoxels = Index{ 1 } << 28;
  const int* extent = input->GetExtent();
  effect->SetNumberOfBlocks(
    static_cast<int>(std::max<Index>(1, Box::fromExtent(extent).size() / blockVoxels)));
  auto output = vtkSmartPointer<vtkImageData>::New();
  if (!(volume ? effect->Apply(input, volume, output) : effect->Apply(input, output)))
  {
    throw AgreedError(effect->GetLastError());
  }
  return output;
}

//------------------------------------------------------------------------------------------------
/// Collective. The box around these segments in a region, on all ranks. Empty if they are.
Box EditSession::commonBox(const std::vector<int>& rows, const Box& region) const
{
  Box bounds;
  for (const int row : rows)
  {
    bounds = bounds.unite(this->boundsOf(row).clipped(region));
  }
  const Index far = std::numeric_limits<Index>::max();
  Index limits[6];
  for (int a = 0; a < 3; ++a)
  {
    limits[a] = bounds.empty() ? far : bounds.lo[a];
    limits[3 + a] = bounds.empty() ? far : -bounds.hi[a];
  }
  this->Comm.allReduceMin(limits, 6);
  Box common;
  for (int a = 0; a < 3 && limits[0] != far; ++a)
  {
    common.lo[a] = limits[a];
    common.hi[a] = -limits[3 + a];
  }
  return common;
}

//------------------------------------------------------------------------------------------------
/// Collective. What an effect on these segments must see: their box on all ranks, with twice what
/// it reaches, and one voxel that shows that they end there. Empty if they are.
Box EditSession::workBox(
  const std::vector<int>& rows, vtkLabelMapAlgorithm* effect, const Box& region) const
{
  return this->grownByReach(this->commonBox(rows, region), effect).clipped(region);
}

//------------------------------------------------------------------------------------------------
Box EditSession::grownByReach(Box box, const vtkLabelMapAlgorithm* effect) const
{
  if (box.empty())
  {
    return box;
  }
  std::int64_t reach[3];
  effect->GetReach(this->Shape.Spacing, reach);
  for (int a = 0; a < 3; ++a)
  {
    const Index margin = std::min<Index>(reach[a], Index{ 1 } << 40) * 2 + 1;
    box.lo[a] -= margin;
    box.hi[a] += margin;
  }
  return box;
}

//------------------------------------------------------------------------------------------------
/// Collective. n + 1 where the n-th of these segments is, on `part`; where they overlap, the first
/// one counts. Block by block.
vtkSmartPointer<vtkDataArray> EditSession::copyRows(
  const std::vector<int>& rows, const Box& part, int scalarType) const
{
  vtkSmartPointer<vtkDataArray> labels;
  this->Comm.run(
    [&]
    {
      labels.TakeReference(vtkDataArray::CreateDataArray(scalarType));
      labels->SetName("Labels");
      labels->SetNumberOfTuples(part.size());
      if (!part.empty())
      {
        this->fillRows(rows, part, labels);
      }
    });
  return labels;
}

//------------------------------------------------------------------------------------------------
void EditSession::fillRows(
  const std::vector<int>& rows, const Box& part, vtkDataArray* labels) const
{
  // What each label of each layer becomes; in the order of layers.
  struct Layer
  {
    const LabelBlocks* blocks;
    std::vector<std::pair<Label, Label>> becomes; // sorted
  };
  std::vector<Layer> layers;
  for (std::size_t l = 0; l < this->Layers.size(); ++l)
  {
    Layer layer{ this->Layers[l].get(), {} };
    for (std::size_t n = 0; n < rows.size(); ++n)
    {
      const Place& place = this->Places[static_cast<std::size_t>(rows[n])];
      if (place.layer == static_cast<int>(l))
      {
        layer.becomes.emplace_back(place.label, static_cast<Label>(n + 1));
      }
    }
    if (!layer.becomes.empty())
    {
      std::sort(layer.becomes.begin(), layer.becomes.end());
      layers.push_back(std::move(layer));
    }
  }
  const auto becomes = [](const Layer& layer, Label label) -> Label
  {
    const auto found = std::lower_bound(
      layer.becomes.begin(), layer.becomes.end(), std::make_pair(label, Label{ 0 }));
    return found != layer.becomes.end() && found->first == label ? found->second : 0;
  };
  withLabelType(labels->GetDataTypeSize(), static_cast<std::byte*>(labels->GetVoidPointer(0)),
    [&](auto* values)
    {
      using T = std::decay_t<decltype(*values)>;
      const auto fill = [&](Index begin, Index end)
      {
        Box slab = part;
        slab.lo[2] = part.lo[2] + begin;
        slab.hi[2] = part.lo[2] + end - 1;
        std::fill_n(values + part.offset(slab.lo[0], slab.lo[1], slab.lo[2]), slab.size(), T(0));
        for (const Layer& layer : layers)
        {
          for (const Index key : layer.blocks->stored(slab))
          {
            const LabelBlock& block = layer.blocks->get(key);
            const Box held = layer.blocks->box(key);
            const Box inside = held.clipped(slab);
            // The first of several segments counts, also if its layer comes later.
            const auto write = [](T* to, Index count, const auto& written)
            {
              for (Index x = 0; x < count; ++x)
              {
                const T now = written(x);
                to[x] = now != T(0) && (to[x] == T(0) || now < to[x]) ? now : to[x];
              }
            };
            const T uniform = static_cast<T>(block.voxels ? 0 : becomes(layer, block.value));
            if (!block.voxels && uniform == T(0))
            {
              continue;
            }
            for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
            {
              for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
              {
                T* to = values + part.offset(inside.lo[0], j, k);
                const Index from = held.offset(inside.lo[0], j, k);
                if (!block.voxels)
                {
                  write(to, inside.dim(0), [uniform](Index) { return uniform; });
                  continue;
                }
                withLabelType(block.voxels->width(), block.voxels->data(),
                  [&](const auto* labels)
                  {
                    using L = std::decay_t<decltype(*labels)>;
                    const L* row = labels + from;
                    if (layer.becomes.size() == 1)
                    {
                      // One segment: a comparison, which the compiler vectorises.
                      const L wanted = static_cast<L>(layer.becomes[0].first);
                      const T is =
                        static_cast<T>(static_cast<Label>(wanted) == layer.becomes[0].first
                            ? layer.becomes[0].second
                            : 0);
                      const Index count = inside.dim(0);
                      T* out = to;
                      for (Index x = 0; x < count; ++x)
                      {
                        const T now = row[x] == wanted ? is : T(0);
                        out[x] = now != T(0) && (out[x] == T(0) || now < out[x]) ? now : out[x];
                      }
                      return;
                    }
                    L last = 0;
                    T now = static_cast<T>(becomes(layer, 0));
                    write(to, inside.dim(0),
                      [&](Index x)
                      {
                        if (row[x] != last)
                        {
                          last = row[x];
                          now = static_cast<T>(becomes(layer, last));
                        }
                        return now;
                      });
                  });
              }
            }
          }
        }
      };
      withThreads([&] { forRanges(part.dim(2), this->Edge, fill); }, part.size());
    });
}

//------------------------------------------------------------------------------------------------
/// An image on this rank's part of a work box.
vtkSmartPointer<vtkImageData> EditSession::imageOn(const Box& part, vtkDataArray* scalars) const
{
  auto image = vtkSmartPointer<vtkImageData>::New();
  int extent[6] = { 0, -1, 0, -1, 0, -1 };
  if (!part.empty())
  {
    part.toExtent(extent);
  }
  image->SetExtent(extent);
  this->Shape.copyTo(image);
  image->GetPointData()->SetScalars(scalars);
  return image;
}

//------------------------------------------------------------------------------------------------
/// Collective. Throws unless there is a volume on this rank's part of a work box.
void EditSession::requireVolumeOn(const Box& part) const
{
  if (!this->Volume || !this->Volume->aligned())
  {
    throw AgreedError(this->Volume
        ? "the effect needs a volume on the voxels of the label map: resample it first"
        : "the effect needs a volume, and there is none");
  }
  this->Comm.run(
    [&]
    {
      if (!this->Volume->bounds().contains(part))
      {
        throw std::invalid_argument("the volume '" + this->Volume->arrayName() +
          "' does not cover the voxels that the effect works on: choose a region inside it");
      }
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. The volume on this rank's part of a work box: in place where that is all of it, else
/// a copy of that part.
vtkSmartPointer<vtkImageData> EditSession::volumeOn(const Box& part) const
{
  vtkSmartPointer<vtkImageData> image;
  this->Comm.run(
    [&]
    {
      const SourceVolume& volume = *this->Volume;
      vtkSmartPointer<vtkDataArray> values = volume.array();
      if (!part.empty() && (!volume.array() || part.size() != volume.array()->GetNumberOfTuples()))
      {
        values.TakeReference(vtkDataArray::CreateDataArray(volume.scalarType()));
        values->SetName(volume.arrayName().c_str());
        values->SetNumberOfTuples(part.size());
        switch (volume.scalarType())
        {
          segcoreTemplateMacro(copyRowsOf<VTK_TT>(volume, part, values));
        }
      }
      image = this->imageOn(part, part.empty() ? nullptr : values.Get());
    });
  return image;
}

//------------------------------------------------------------------------------------------------
/// Collective. What an effect makes of labels on `part`, this rank's part of its work box.
vtkSmartPointer<vtkDataArray> EditSession::applyToLabels(
  vtkLabelMapAlgorithm* effect, vtkDataArray* labels, const Box& part)
{
  vtkSmartPointer<vtkImageData> input, volume;
  this->Comm.run(
    [&]
    {
      input = this->imageOn(part, labels);
      effect->SetSegmentLabel(1);
    });
  if (effect->ReadsVolume())
  {
    volume = this->volumeOn(part);
    this->remember(effect, part, volume);
  }
  return this->applyEffect(effect, input, volume)->GetPointData()->GetScalars();
}

//------------------------------------------------------------------------------------------------
/// Collective. Has an effect go on from the last one of its kind, where it would see the same
/// volume, and remembers it. Ranks need not agree: the effect asks them.
void EditSession::remember(vtkLabelMapAlgorithm* effect, const Box& part, vtkImageData* volume)
{
  if (!effect->ContinueFrom(nullptr))
  {
    return;
  }
  this->Comm.run(
    [&]
    {
      vtkDataArray* const values = volume->GetPointData()->GetScalars(); // null: no voxels here
      Remembered now;
      if (part.size() <= static_cast<Index>(this->UndoLimit / sizeof(std::int32_t)))
      {
        now.effect = effect;
        now.part = part;
        now.values = values;
        Progress quiet;
        quiet.cancelled = this->progress.cancelled;
        switch (values ? values->GetDataType() : VTK_VOID)
        {
          segcoreTemplateMacro(
            now.print = segcore::fingerprint(
              static_cast<const VTK_TT*>(values->GetVoidPointer(0)), part, part, part, quiet));
        }
        const auto type = [](vtkDataArray* array)
        { return array ? array->GetDataType() : VTK_VOID; };
        if (this->Last.effect && this->Last.part == part && this->Last.print == now.print &&
          type(this->Last.values) == type(values))
        {
          // What it remembers refers to the values of then.
          now.values = this->Last.values;
          volume->GetPointData()->SetScalars(now.values);
          effect->ContinueFrom(this->Last.effect);
        }
      }
      this->Last = std::move(now);
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. The n-th of these segments is label n of what the effect gets, and of the result,
/// which has the voxels of `part`. Where the operation may not change voxels it is
/// leaveLabel(rows). The editable area is that of all segments as they are: none is the edited one.
vtkSmartPointer<vtkDataArray> EditSession::applyToAllSegments(const Operation& operation,
  const Box& region, vtkLabelMapAlgorithm* effect, const std::vector<int>& rows, Box& part)
{
  Rules rules;
  this->Comm.run([&] { rules = this->makeRules(operation, region, -1, effect); });
  effect->SetController(this->Controller);
  const Box work = this->workBox(rows, effect, rules.seen);
  part = work.clipped(this->Held);
  if (work.empty())
  {
    return nullptr;
  }
  if (effect->ReadsVolume())
  {
    // Before labels are made for a world that may be too large for any memory.
    this->requireVolumeOn(part);
  }
  const int width = labelWidth(leaveLabel(rows));
  const auto labels = this->copyRows(rows, part,
    width == 1     ? VTK_UNSIGNED_CHAR
      : width == 2 ? VTK_UNSIGNED_SHORT
                   : VTK_UNSIGNED_INT);
  const bool masked = rules.masked();
  const bool walls = masked && effect->SetWallLabel(leaveLabel(rows));
  if (walls)
  {
    this->markForbidden(rules, rows, part, labels);
  }
  const auto result = this->applyToLabels(effect, labels, part);
  if (masked && !walls)
  {
    this->markForbidden(rules, rows, part, result);
  }
  return result;
}

//------------------------------------------------------------------------------------------------
/// Collective. Writes leaveLabel(rows) where nothing may change.
void EditSession::markForbidden(
  const Rules& rules, const std::vector<int>& rows, const Box& part, vtkDataArray* labels) const
{
  this->Comm.run(
    [&]
    {
      const std::vector<LabelSet> area = this->labelsOf(rules.areaRows);
      const Index edge = this->Edge;
      Buffer<std::uint8_t> allowed(edge * edge * edge);
      withLabelType(labels->GetDataTypeSize(), static_cast<std::byte*>(labels->GetVoidPointer(0)),
        [&](auto* values)
        {
          const auto leave = static_cast<std::decay_t<decltype(*values)>>(leaveLabel(rows));
          this->layer(0).forEachIn(part,
            [&](Index key, const Box& held)
            {
              const Box cut = held.clipped(part);
              this->editable(rules, area, key, cut, allowed.data());
              Index at = 0;
              for (Index k = cut.lo[2]; k <= cut.hi[2]; ++k)
              {
                for (Index j = cut.lo[1]; j <= cut.hi[1]; ++j)
                {
                  Index to = part.offset(cut.lo[0], j, k);
                  for (Index x = 0; x < cut.dim(0); ++x, ++at, ++to)
                  {
                    values[to] = allowed[at] ? values[to] : leave;
                  }
                }
              }
            });
        });
    });
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
  const Box region = this->operationRegion(operation);
  if (operation.Input == EffectInput::Segments)
  {
    this->runOnAllSegments(operation, region, step);
    return;
  }
  if (!operation.ToAllVisible)
  {
    this->runOnSegment(operation, region, step);
    return;
  }
  // Those that are visible now; each sees what became of the ones before.
  std::vector<std::string> segments;
  this->Comm.run(
    [&]
    {
      for (const int row : this->visibleRows())
      {
        segments.push_back(this->Table->GetNthSegmentID(row));
      }
      if (segments.empty())
      {
        throw std::invalid_argument("no segment is visible, expected one or more to work on");
      }
    });
  Operation one = operation;
  for (const std::string& segment : segments)
  {
    one.Segment = segment;
    try
    {
      this->runOnSegment(one, region, step);
    }
    catch (const AgreedError& error)
    {
      throw AgreedError("segment '" + shortened(segment) + "': " + error.what());
    }
  }
}

//------------------------------------------------------------------------------------------------
void EditSession::runOnSegment(const Operation& operation, const Box& region, EditStep& step)
{
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  int row = 0;
  Rules rules;
  this->Comm.run(
    [&]
    {
      row = this->find(operation.Segment);
      effect.TakeReference(newEffect(operation));
      rules = this->makeRules(operation, region, row, effect);
    });
  const std::unique_ptr<LocalMask> mask = this->makeMask(operation, effect, rules);
  const WriteMode mode = effect->GetWriteMode();
  if (effect->MakesParts())
  {
    this->writeParts(*mask, operation, region, effect, step);
  }
  else if (splits(mode, rules, row))
  {
    // Erasing inside another segment gives it the voxels: a way to split by painting.
    const int other = rules.areaRows[0];
    const Masks::Mask own(*this, row, rules.region);
    Rules split;
    split.region = rules.region;
    split.intensity = std::move(rules.intensity);
    split.brush = std::move(rules.brush);
    split.overwritten = { row };
    this->write(CommonMask(*mask, own), WriteMode::Add, other, split, step);
  }
  else
  {
    this->write(*mask, mode, row, rules, step);
  }
  this->beginStatus(this->Table->GetSegmentIndex(operation.Segment), step);
}

//------------------------------------------------------------------------------------------------
/// A segment that was written is no longer one that nobody has started.
void EditSession::beginStatus(int row, EditStep& step)
{
  if (this->Table->GetNthSegmentStatus(row) == vtkLabelSegmentTable::NotStarted)
  {
    this->rememberTable(step);
    this->Table->SetNthSegmentStatus(row, vtkLabelSegmentTable::InProgress);
  }
}

//------------------------------------------------------------------------------------------------
std::vector<int> EditSession::visibleRows() const
{
  std::vector<int> rows;
  for (int row = 0; row < this->Table->GetNumberOfSegments(); ++row)
  {
    if (this->Table->GetNthSegmentVisible(row))
    {
      rows.push_back(row);
    }
  }
  return rows;
}

//------------------------------------------------------------------------------------------------
/// Collective. The labels of all visible segments on `box`, as they would be.
void EditSession::previewAllSegments(
  const Operation& operation, const Box& box, std::vector<std::uint8_t>& mask)
{
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  std::vector<int> rows;
  this->Comm.run(
    [&]
    {
      effect.TakeReference(newEffect(operation));
      rows = this->visibleRows();
      if (rows.empty() || leaveLabel(rows) > 255)
      {
        throw std::invalid_argument(
          std::to_string(rows.size()) + " segments are visible, expected 1 to 254 to preview");
      }
    });
  Box part;
  const auto result =
    this->applyToAllSegments(operation, this->operationRegion(operation), effect, rows, part);
  const auto labels = this->copyRows(rows, box, VTK_UNSIGNED_CHAR);
  this->Comm.run(
    [&]
    {
      const auto* before = static_cast<const std::uint8_t*>(labels->GetVoidPointer(0));
      mask.assign(before, before + box.size());
      const Box inside = result ? part.clipped(box) : Box();
      for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
      {
        for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
        {
          const auto* row = static_cast<const std::uint8_t*>(result->GetVoidPointer(0)) +
            part.offset(inside.lo[0], j, k);
          std::uint8_t* to = mask.data() + box.offset(inside.lo[0], j, k);
          for (Index x = 0; x < inside.dim(0); ++x)
          {
            to[x] = row[x] == leaveLabel(rows) ? to[x] : row[x];
          }
        }
      }
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. The labels of all visible segments on `box`, as they would be after an effect on one
/// after the other. Each sees what became of those before: only doing it tells, so it is done, and
/// taken back.
void EditSession::previewInTurn(
  const Operation& operation, const Box& box, std::vector<std::uint8_t>& mask)
{
  std::vector<int> rows;
  this->Comm.run(
    [&]
    {
      rows = this->visibleRows();
      if (rows.size() > 254)
      {
        throw std::invalid_argument(
          std::to_string(rows.size()) + " segments are visible, expected up to 254 to preview");
      }
    });
  EditStep step = this->run(operation);
  try
  {
    const auto labels = this->copyRows(rows, box, VTK_UNSIGNED_CHAR);
    this->Comm.run(
      [&]
      {
        const auto* after = static_cast<const std::uint8_t*>(labels->GetVoidPointer(0));
        mask.assign(after, after + box.size());
      });
  }
  catch (const AgreedError&)
  {
    this->turnAround(step, true);
    throw;
  }
  this->turnAround(step, true);
}

//------------------------------------------------------------------------------------------------
/// Collective. First all segments lose what is no longer theirs, then each gains what is: so they
/// do not overlap in between, which would move them to layers of their own.
void EditSession::runOnAllSegments(const Operation& operation, const Box& region, EditStep& step)
{
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  std::vector<int> rows;
  this->Comm.run(
    [&]
    {
      effect.TakeReference(newEffect(operation));
      rows = this->visibleRows();
      if (rows.empty())
      {
        throw std::invalid_argument("no segment is visible, expected one or more to work on");
      }
    });
  Box part;
  const auto labels = this->applyToAllSegments(operation, region, effect, rows, part);
  if (!labels)
  {
    return; // where no segment has a voxel, none gets one
  }
  const ResultMask result(labels, part);
  std::map<Label, Box> boxes;
  std::vector<Rules> rules;
  this->Comm.run(
    [&]
    {
      boxes = result.boxes();
      for (const int row : rows)
      {
        rules.push_back(this->makeRules(operation, region, row, effect));
        // The result says already where nothing may change.
        rules.back().areaMasked = false;
        rules.back().intensity = nullptr;
        rules.back().brush = nullptr;
      }
    });
  const auto mask = [&](Label label)
  {
    const auto found = boxes.find(label);
    return ResultMask(result, label, found == boxes.end() ? Box() : found->second);
  };
  const ResultMask left = mask(leaveLabel(rows));
  for (std::size_t n = 0; n < rows.size(); ++n)
  {
    const ResultMask kept = mask(static_cast<Label>(n + 1));
    const Box bounds = this->boundsOf(rows[n]).clipped(part).clipped(rules[n].region);
    this->write(NeitherMask(kept, left, bounds), WriteMode::Remove, rows[n], rules[n], step);
  }
  for (std::size_t n = 0; n < rows.size(); ++n)
  {
    this->write(mask(static_cast<Label>(n + 1)), WriteMode::Add, rows[n], rules[n], step);
    this->beginStatus(rows[n], step);
  }
}

//------------------------------------------------------------------------------------------------
/// Collective. The lowest label of a result stays in the segment, the others become new ones.
void EditSession::writeParts(const LocalMask& result, const Operation& operation, const Box& region,
  const vtkLabelMapAlgorithm* effect, EditStep& step)
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
        rules = this->makeRules(operation, region, row, effect);
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
  this->Comm.run([&] { rules = this->makeRules(operation, region, row, effect); });
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
Box EditSession::preview(const Operation& operation, const Box& part, Index step,
  std::vector<std::uint8_t>& mask, Geometry& geometry)
{
  this->updatePlaces();
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  int row = 0;
  this->Comm.run(
    [&]
    {
      if (operation.Input == EffectInput::Table)
      {
        throw std::invalid_argument(
          "the table operation '" + operation.Effect + "' has nothing to preview");
      }
      if (step < 1)
      {
        throw std::invalid_argument(
          "the step of the preview is " + std::to_string(step) + ", expected at least 1");
      }
      if (operation.Input != EffectInput::Segments && !operation.ToAllVisible)
      {
        row = this->find(operation.Segment);
      }
    });
  if (step > 1)
  {
    // A world of every step-th voxel, of this session's table and volume, made for this one call.
    if (this->Comm.size() > 1)
    {
      throw AgreedError("a reduced preview needs one rank; preview a region instead");
    }
    Box reduced;
    geometry = this->Shape;
    for (int a = 0; a < 3; ++a)
    {
      reduced.lo[a] = 0;
      reduced.hi[a] = (this->whole().dim(a) - 1) / step;
      geometry.Spacing[a] *= static_cast<double>(step);
      // Voxel 0 of the reduced lattice is the first voxel of the world.
      for (int r = 0; r < 3; ++r)
      {
        geometry.Origin[r] += this->Shape.Direction[3 * r + a] * this->Shape.Spacing[a] *
          static_cast<double>(this->whole().lo[a]);
      }
    }
    EditSession coarse(this->Controller, geometry, reduced, this->Edge);
    if (this->Volume)
    {
      coarse.setVolume(this->Volume->image(), this->Volume->array());
    }
    coarse.sampleFrom(*this, step);
    return coarse.preview(
      scaledOperation(operation, std::pow(static_cast<double>(step), 3)), part, 1, mask, geometry);
  }
  geometry = this->Shape;
  const Box box = part.clipped(this->Held);
  if (operation.Input == EffectInput::Segments)
  {
    this->previewAllSegments(operation, box, mask);
    return box;
  }
  if (operation.ToAllVisible)
  {
    this->previewInTurn(operation, box, mask);
    return box;
  }
  Rules rules;
  const Box region = this->operationRegion(operation);
  effect.TakeReference(newEffect(operation));
  this->Comm.run([&] { rules = this->makeRules(operation, region, row, effect); });
  // Effects that look around are given what they reach; beyond it nothing matters.
  const std::unique_ptr<LocalMask> result = this->makeMask(operation, effect, rules);
  this->Comm.run(
    [&]
    {
      const std::vector<LabelSet> area = this->labelsOf(rules.areaRows);
      const WriteMode mode = effect->GetWriteMode();
      if (splits(mode, rules, row))
      {
        rules.areaMasked = false; // it loses voxels wherever it has some
      }
      mask.assign(static_cast<std::size_t>(box.size()), 0);
      if (box.empty())
      {
        return;
      }
      const Place place = this->Places[static_cast<std::size_t>(row)];
      this->layer(place.layer).maskOf(place.label, box, mask.data(), box);
      this->layer(0).forEachIn(box.clipped(rules.region),
        [&](Index key, const Box& held)
        {
          const Box cut = held.clipped(box).clipped(rules.region);
          Buffer<std::uint8_t> code(cut.size()), allowed(cut.size());
          this->codes(*result, mode, rules, area, key, cut, code.data(), allowed.data());
          Index at = 0;
          for (Index k = cut.lo[2]; k <= cut.hi[2]; ++k)
          {
            for (Index j = cut.lo[1]; j <= cut.hi[1]; ++j)
            {
              std::uint8_t* to = mask.data() + box.offset(cut.lo[0], j, k);
              for (Index x = 0; x < cut.dim(0); ++x, ++at)
              {
                to[x] = code[at] == WriteVoxel || (code[at] == KeepVoxel && to[x]) ? 1 : 0;
              }
            }
          }
        });
    });
  return box;
}

} // namespace segcore
