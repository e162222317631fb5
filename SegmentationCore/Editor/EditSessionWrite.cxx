// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditSession.h"

#include "Buffer.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelSegmentTable.h"

#include <algorithm>
#include <atomic>
#include <limits>

namespace segcore
{
namespace
{
/// Blocks from which on an edit is worth starting threads for.
constexpr Index ThreadedBlocks = 64;
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
/// 1 for each voxel of `part`, which lies in one block, that editable area, intensity and brush
/// allow to change.
void EditSession::editable(const Rules& rules, const std::vector<LabelSet>& area, Index key,
  const Box& part, std::uint8_t* allowed) const
{
  const Index count = part.size();
  std::fill_n(allowed, count, static_cast<std::uint8_t>(rules.areaMasked ? 0 : 1));
  if (rules.areaMasked)
  {
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
  Buffer<std::uint8_t> inside(rules.intensity || rules.brush ? count : 0);
  for (const LocalMask* mask : { rules.intensity.get(), rules.brush.get() })
  {
    if (mask)
    {
      mask->write(part, inside.data());
      std::transform(allowed, allowed + count, inside.data(), allowed,
        [](std::uint8_t a, std::uint8_t b) { return a & b; });
    }
  }
}

//------------------------------------------------------------------------------------------------
/// What to do with each voxel of `part`, which lies in one block.
void EditSession::codes(const LocalMask& mask, WriteMode mode, const Rules& rules,
  const std::vector<LabelSet>& area, Index key, const Box& part, std::uint8_t* out,
  std::uint8_t* allowed) const
{
  const Index count = part.size();
  const bool masked = rules.masked();
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
    this->editable(rules, area, key, part, allowed);
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
      Buffer<std::uint8_t> allowed(rules.masked() ? edge * edge * edge : Index{ 1 });
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
