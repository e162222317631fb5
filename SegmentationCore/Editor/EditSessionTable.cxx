// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// The part of EditSession that is about the segment table: where a session starts from, and the
// operations that add, remove, merge and describe segments.
#include "EditSession.h"

#include "Buffer.h"
#include "LabelCounts.h"
#include "ReduceTable.h"
#include "ScalarTypes.h"
#include "SegmentVoxels.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkLabelSegmentTable.h"

#include "vtkColor.h"
#include "vtkColorSeries.h"
#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
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
/// The colour of the n-th segment where nobody chose one: red, green, blue from 0 to 1.
std::vector<double> paletteColor(int n)
{
  vtkNew<vtkColorSeries> palette;
  palette->SetColorScheme(vtkColorSeries::BREWER_QUALITATIVE_SET1);
  const vtkColor3ub color = palette->GetColorRepeating(n);
  return { color[0] / 255.0, color[1] / 255.0, color[2] / 255.0 };
}

/// The arrays of a label map's layers: Labels, Labels_1, ...; else its scalars alone.
std::vector<vtkDataArray*> layerArrays(vtkImageData* labelMap)
{
  std::vector<vtkDataArray*> arrays;
  vtkPointData* points = labelMap->GetPointData();
  vtkDataArray* first = points->GetArray(vtkLabelSegmentTable::GetLayerArrayName(0).c_str());
  arrays.push_back(first ? first : points->GetScalars());
  for (int layer = 1;; ++layer)
  {
    vtkDataArray* next = points->GetArray(vtkLabelSegmentTable::GetLayerArrayName(layer).c_str());
    if (!next)
    {
      return arrays;
    }
    arrays.push_back(next);
  }
}

/// Copies voxels of `box` out of an array that holds it; refuses what is no label.
template <class T>
std::shared_ptr<BlockVoxels> readBlock(const T* values, const Box& piece, const Box& box)
{
  T largest = 0;
  const Index count = box.dim(0);
  const auto forRows = [&](const auto& work)
  {
    for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
    {
      for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
      {
        work(values + piece.offset(box.lo[0], j, k), box.offset(box.lo[0], j, k));
      }
    }
  };
  forRows(
    [&](const T* row, Index)
    {
      for (Index x = 0; x < count; ++x)
      {
        if (row[x] < T(0) || row[x] != row[x])
        {
          throw std::invalid_argument("has negative values, expected labels from 0");
        }
        largest = std::max(largest, row[x]);
      }
    });
  // 2^63 and more are no label values. (A double would round 2^63 - 1.)
  if (static_cast<Label>(largest) >> 63)
  {
    throw std::invalid_argument("has values beyond 2^63 - 1, expected labels");
  }
  auto voxels = std::make_shared<BlockVoxels>(box.size(), labelWidth(static_cast<Label>(largest)));
  withLabelType(voxels->width(), voxels->data(),
    [&](auto* out)
    {
      using Out = std::decay_t<decltype(*out)>;
      forRows([&](const T* row, Index to)
        { std::transform(row, row + count, out + to, [](T v) { return static_cast<Out>(v); }); });
    });
  return voxels;
}
}

//------------------------------------------------------------------------------------------------
void EditSession::start(vtkImageData* labelMap)
{
  this->History.clear();
  this->Change = EditChange();
  this->Comm.run(
    [&]
    {
      this->Table->RemoveAllSegments();
      this->Layers.clear();
      this->newLayer();
    });
  if (this->Comm.agreeFlag(labelMap != nullptr))
  {
    this->readLayers(labelMap);
    this->countVoxels();
  }
  this->updatePlaces();
}

//------------------------------------------------------------------------------------------------
/// Collective. The layers and the table of a label map.
void EditSession::readLayers(vtkImageData* labelMap)
{
  std::vector<vtkDataArray*> arrays;
  this->Comm.run(
    [&]
    {
      if (!labelMap)
      {
        throw std::invalid_argument("the label map is missing on this rank");
      }
      if (Box::fromExtent(labelMap->GetExtent()) != this->Held)
      {
        throw std::invalid_argument("the label map and the volume have different extents");
      }
      arrays = layerArrays(labelMap);
    });
  const Index count = this->Comm.allReduceMax(static_cast<Index>(arrays.size()));
  arrays.resize(static_cast<std::size_t>(count), nullptr);
  for (Index l = 0; l < count; ++l)
  {
    vtkDataArray* array = arrays[static_cast<std::size_t>(l)];
    const DistributedImage layer(this->Comm, labelMap, array);
    const Geometry& own = layer.geometry();
    const auto differ = [](const double* x, const double* y, int n)
    {
      return !std::equal(x, x + n, y, [](double p, double q) { return std::abs(p - q) <= 1e-4; });
    };
    if (differ(own.Origin, this->Shape.Origin, 3) || differ(own.Spacing, this->Shape.Spacing, 3) ||
      differ(own.Direction, this->Shape.Direction, 9))
    {
      throw AgreedError("the label map and the volume have different origin, spacing or direction");
    }
    if (layer.scalarType() == VTK_FLOAT || layer.scalarType() == VTK_DOUBLE)
    {
      throw AgreedError("array '" + layer.arrayName() +
        "' of the label map has floating values, expected whole numbers from 0");
    }
    this->Comm.run(
      [&]
      {
        LabelBlocks& blocks = *this->Layers[static_cast<std::size_t>(l ? this->newLayer() : 0)];
        std::vector<Index> keys;
        blocks.forEachIn(this->Held, [&](Index key, const Box&) { keys.push_back(key); });
        std::vector<LabelBlock> read(keys.size());
        const auto readAll = [&](const auto* values)
        {
          withThreads(
            [&]
            {
              forRanges(static_cast<Index>(keys.size()), 16, this->progress,
                [&](Index begin, Index end)
                {
                  for (Index i = begin; i < end; ++i)
                  {
                    const std::size_t at = static_cast<std::size_t>(i);
                    read[at] = LabelBlock::of(readBlock(values, this->Held, blocks.box(keys[at])));
                  }
                });
            });
        };
        try
        {
          switch (layer.scalarType())
          {
            segcoreTemplateMacro(readAll(layer.voxels<VTK_TT>()));
          }
        }
        catch (const std::invalid_argument& error)
        {
          throw std::invalid_argument(
            "array '" + layer.arrayName() + "' of the label map " + error.what());
        }
        for (std::size_t i = 0; i < keys.size(); ++i)
        {
          blocks.replace(keys[i], std::move(read[i]));
        }
      });
  }
  const bool hasTable = vtkLabelSegmentTable::HasTable(labelMap->GetFieldData());
  const bool anyTable = this->Comm.agreeFlag(hasTable);
  this->Comm.run(
    [&]
    {
      if (anyTable && !hasTable)
      {
        throw std::invalid_argument("the segment table of the label map is missing on this rank");
      }
      if (hasTable && !this->Table->FromFieldData(labelMap->GetFieldData()))
      {
        throw std::invalid_argument("the segment table in the label map's field data is not valid");
      }
      if (this->Table->GetNumberOfLayers() > this->layerCount())
      {
        throw std::invalid_argument("the segment table of the label map has " +
          std::to_string(this->Table->GetNumberOfLayers()) + " layers, but the label map has " +
          std::to_string(this->layerCount()));
      }
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. Voxels of every segment; labels without a segment get one, so that no later segment
/// takes their voxels over.
void EditSession::countVoxels()
{
  for (int row = 0; row < this->Table->GetNumberOfSegments(); ++row)
  {
    this->Table->SetNthSegmentVoxelCount(row, 0);
  }
  for (int l = 0; l < this->layerCount(); ++l)
  {
    std::vector<LabelSum> counts;
    this->Comm.run(
      [&]
      {
        std::map<Label, Index> sums;
        const LabelBlocks& blocks = this->layer(l);
        for (const Block& owned : this->Owners.localBlocks())
        {
          for (const Index key : blocks.stored(owned.box))
          {
            const LabelBlock& block = blocks.get(key);
            const Box held = blocks.box(key);
            const Box part = held.clipped(owned.box);
            if (!block.voxels)
            {
              sums[block.value] += part.size();
              continue;
            }
            withLabelType(block.voxels->width(), block.voxels->data(),
              [&](const auto* values)
              {
                for (const auto& entry : countLabels(values, held, part))
                {
                  sums[static_cast<Label>(entry.label)] += entry.voxels;
                }
              });
          }
        }
        for (const auto& sum : sums)
        {
          if (sum.first != 0)
          {
            LabelSum entry;
            entry.label = static_cast<Index>(sum.first);
            entry.count = sum.second;
            counts.push_back(entry);
          }
        }
      });
    for (const LabelSum& entry : reduceTable(this->Comm, std::move(counts)))
    {
      int row = this->Table->FindByLabel(l, entry.label);
      if (row < 0)
      {
        const std::string id =
          this->Table->GenerateUniqueSegmentID("Segment_" + std::to_string(entry.label));
        const std::vector<double> color = paletteColor(this->Table->GetNumberOfSegments());
        row = this->Table->AddSegment(id, id, color[0], color[1], color[2], entry.label, l);
      }
      this->Table->SetNthSegmentVoxelCount(row, entry.count);
    }
  }
}

//------------------------------------------------------------------------------------------------
/// Local, the same on all ranks. A new segment at the end of the table, without voxels.
int EditSession::addSegment(
  const std::string& id, const std::string& name, const std::vector<double>& color, Label label)
{
  if (this->Table->GetSegmentIndex(id) >= 0)
  {
    throw std::invalid_argument("there is a segment '" + shortened(id) + "' already");
  }
  vtkTypeInt64 value = static_cast<vtkTypeInt64>(label);
  if (value == 0)
  {
    value = this->Table->GetNextFreeLabelValue(0);
  }
  else if (this->Table->FindByLabel(0, value) >= 0)
  {
    throw std::invalid_argument("LabelValue " + std::to_string(value) + " belongs to segment '" +
      shortened(this->Table->GetNthSegmentID(this->Table->FindByLabel(0, value))) + "'");
  }
  const bool chosen = color.empty();
  const std::vector<double> rgb = chosen ? paletteColor(this->Table->GetNumberOfSegments()) : color;
  const int row =
    this->Table->AddSegment(id, name.empty() ? id : name, rgb[0], rgb[1], rgb[2], value);
  this->Table->SetNthSegmentColorAutoGenerated(row, chosen);
  this->Table->SetNthSegmentNameAutoGenerated(row, name.empty());
  this->Table->SetNthSegmentVoxelCount(row, 0);
  this->updatePlaces();
  return row;
}

//------------------------------------------------------------------------------------------------
/// Collective. The identifiers are those of Effects/table_operations.json.
void EditSession::runTableOperation(const Operation& operation, EditStep& step)
{
  const auto& parameters = operation.Parameters;
  const std::string& id = operation.Segment;
  Rules everywhere;
  everywhere.region = this->whole();

  using Action = std::function<void()>;
  const auto edit = [&](const Action& action) { this->Comm.run(action); };
  const auto onRow = [&](const std::function<void(int)>& action)
  { this->Comm.run([&] { action(this->find(id)); }); };
  const std::map<std::string, Action> actions = {
    { "add_segment",
      [&]
      {
        edit(
          [&]
          {
            this->addSegment(id, parameters.at("Name").Text, parameters.at("Color").Values,
              static_cast<Label>(parameters.at("LabelValue").Integer));
          });
      } },
    { "remove_segment",
      [&]
      {
        int row = 0;
        onRow([&](int found) { row = found; });
        const auto own = this->segmentMask(row);
        this->write(*own, WriteMode::Remove, row, everywhere, step);
        this->Table->RemoveSegment(id);
      } },
    { "rename_segment",
      [&]
      {
        onRow(
          [&](int row)
          {
            this->Table->SetNthSegmentName(row, parameters.at("Name").Text);
            this->Table->SetNthSegmentNameAutoGenerated(row, false);
          });
      } },
    { "recolor_segment",
      [&]
      {
        onRow(
          [&](int row)
          {
            const std::vector<double>& color = parameters.at("Color").Values;
            if (color.empty())
            {
              throw std::invalid_argument("Color is null, expected three numbers from 0 to 1");
            }
            this->Table->SetNthSegmentColor(row, color[0], color[1], color[2]);
            this->Table->SetNthSegmentColorAutoGenerated(row, false);
          });
      } },
    { "move_segment",
      [&]
      {
        onRow(
          [&](int)
          {
            const std::int64_t last = this->Table->GetNumberOfSegments() - 1;
            this->Table->MoveSegment(
              id, static_cast<int>(std::min(parameters.at("Index").Integer, last)));
          });
      } },
    { "show_segment",
      [&]
      {
        onRow([&](int row)
          { this->Table->SetNthSegmentVisible(row, parameters.at("Visible").Integer != 0); });
      } },
    { "set_segment_status",
      [&]
      {
        onRow(
          [&](int row)
          {
            this->Table->SetNthSegmentStatus(
              row, static_cast<int>(parameters.at("Status").Integer));
          });
      } },
    { "set_segment_tag",
      [&]
      {
        onRow(
          [&](int row)
          {
            if (parameters.at("Name").Text.empty())
            {
              throw std::invalid_argument("Name is empty, expected the name of a tag");
            }
            this->Table->SetNthSegmentTag(
              row, parameters.at("Name").Text, parameters.at("Value").Text);
          });
      } },
    { "copy_segment",
      [&]
      {
        edit(
          [&]
          {
            const int source = this->find(parameters.at("SourceSegmentID").Text);
            this->addSegment(id, parameters.at("Name").Text, {}, 0);
            this->Table->SetNthSegmentSerializedTags(
              this->find(id), this->Table->GetNthSegmentSerializedTags(source));
          });
        const auto source = this->segmentMask(this->find(parameters.at("SourceSegmentID").Text));
        this->write(*source, WriteMode::Add, this->find(id), everywhere, step);
      } },
    { "import_segment",
      [&]
      {
        std::unique_ptr<ImportedVoxels> voxels;
        edit(
          [&]
          {
            voxels = std::make_unique<ImportedVoxels>(parameters.at("Voxels").Text, this->Shape);
            const int row =
              this->addSegment(id, parameters.at("Name").Text, parameters.at("Color").Values, 0);
            this->Table->SetNthSegmentSerializedTags(row, parameters.at("Tags").Text);
          });
        this->write(*voxels, WriteMode::Add, this->find(id), everywhere, step);
      } },
    { "merge_segments",
      [&]
      {
        std::vector<int> rows;
        edit(
          [&]
          {
            const int into = this->find(id);
            for (const std::string& other : parameters.at("Segments").Texts)
            {
              rows.push_back(this->find(other));
              if (rows.back() == into || std::count(rows.begin(), rows.end(), rows.back()) > 1)
              {
                throw std::invalid_argument("Segments names '" + shortened(other) +
                  (rows.back() == into ? "', the segment to merge into" : "' twice"));
              }
            }
          });
        for (const std::string& other : parameters.at("Segments").Texts)
        {
          Rules rules;
          rules.region = this->whole();
          const int row = this->find(other);
          rules.overwritten = { row };
          const auto mask = this->segmentMask(row);
          this->write(*mask, WriteMode::Add, this->find(id), rules, step);
          // What both had before.
          this->write(*this->segmentMask(row), WriteMode::Remove, row, everywhere, step);
          this->Table->RemoveSegment(other);
          this->updatePlaces();
        }
      } },
  };
  const auto action = actions.find(operation.Effect);
  if (action == actions.end())
  {
    throw AgreedError(
      "the table operation '" + operation.Effect + "' is declared but not built in");
  }
  this->rememberTable(step);
  action->second();
  this->updatePlaces();
}

//------------------------------------------------------------------------------------------------
/// The table and every step-th voxel of another session, which must be alone on its rank.
void EditSession::sampleFrom(const EditSession& other, Index step)
{
  this->Table->DeepCopy(other.Table);
  while (this->layerCount() < other.layerCount())
  {
    this->newLayer();
  }
  for (std::size_t l = 0; l < other.Layers.size(); ++l)
  {
    LabelBlocks& blocks = *this->Layers[l];
    blocks.forEachIn(this->Held,
      [&](Index key, const Box& box)
      {
        Label largest = 0;
        std::vector<Label> values;
        values.reserve(static_cast<std::size_t>(box.size()));
        for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
        {
          for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
          {
            for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
            {
              const Box& whole = other.whole();
              values.push_back(other.Layers[l]->at(
                whole.lo[0] + i * step, whole.lo[1] + j * step, whole.lo[2] + k * step));
              largest = std::max(largest, values.back());
            }
          }
        }
        auto voxels = std::make_shared<BlockVoxels>(box.size(), labelWidth(largest));
        withLabelType(voxels->width(), voxels->data(),
          [&](auto* out)
          {
            using Out = std::decay_t<decltype(*out)>;
            std::transform(values.begin(), values.end(), out,
              [](Label value) { return static_cast<Out>(value); });
          });
        blocks.replace(key, LabelBlock::of(std::move(voxels)));
      });
  }
  this->updatePlaces();
}

} // namespace segcore
