// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ScalarTypes.h"
#include "SegmentMeasures.h"

#include "ComponentJoin.h"
#include "HaloExchange.h"
#include "Histogram.h"
#include "Message.h"

#include "vtkSetGet.h"

#include <algorithm>
#include <type_traits>

namespace segcore
{
namespace
{
//------------------------------------------------------------------------------------------------
// Messages

void write(MessageWriter& writer, const std::vector<LabelShape>& shapes)
{
  writer.put(static_cast<Index>(shapes.size()));
  for (const LabelShape& shape : shapes)
  {
    writer.put(shape.label);
    writer.put(shape.voxels);
    writer.put(shape.box);
    writer.put(shape.first);
    writer.put(shape.second);
    writer.put(static_cast<Index>(shape.outline.size()));
    for (const SliceOutline& outline : shape.outline)
    {
      writer.put(outline.slice);
      writer.put(outline.corners);
    }
  }
}

std::vector<LabelShape> readShapes(const Bytes& message)
{
  MessageReader reader(message);
  std::vector<LabelShape> shapes(static_cast<std::size_t>(reader.get<Index>()));
  for (LabelShape& shape : shapes)
  {
    shape.label = reader.get<Index>();
    shape.voxels = reader.get<Index>();
    shape.box = reader.get<Box>();
    for (Wide& sum : shape.first)
    {
      sum = reader.get<Wide>();
    }
    for (Wide& sum : shape.second)
    {
      sum = reader.get<Wide>();
    }
    shape.outline.resize(static_cast<std::size_t>(reader.get<Index>()));
    for (SliceOutline& outline : shape.outline)
    {
      outline.slice = reader.get<Index>();
      outline.corners = reader.getArray<PlanePoint>();
    }
  }
  return shapes;
}

/// Collective. The shapes of all ranks, whole on the first one, labels and voxels on the others.
void joinShapes(const Communicator& communicator, std::vector<LabelShape>& shapes)
{
  if (communicator.size() == 1)
  {
    return;
  }
  Bytes own;
  communicator.run(
    [&]
    {
      MessageWriter writer;
      write(writer, shapes);
      own = writer.take();
    });
  const std::vector<Bytes> messages = communicator.gather(own);
  Bytes known;
  communicator.run(
    [&]
    {
      shapes.clear();
      for (const Bytes& message : messages)
      {
        mergeShapes(shapes, readShapes(message));
      }
      std::vector<Index> numbers;
      for (const LabelShape& shape : shapes)
      {
        numbers.push_back(shape.label);
        numbers.push_back(shape.voxels);
      }
      MessageWriter writer;
      writer.put(numbers);
      known = writer.take();
    });
  communicator.broadcast(known);
  communicator.run(
    [&]
    {
      if (!communicator.isRoot())
      {
        const auto numbers = MessageReader(known).getArray<Index>();
        shapes.assign(numbers.size() / 2, LabelShape());
        for (std::size_t l = 0; l < shapes.size(); ++l)
        {
          shapes[l].label = numbers[2 * l];
          shapes[l].voxels = numbers[2 * l + 1];
        }
      }
    });
}

//------------------------------------------------------------------------------------------------
// Passes over the labels

/// Labels and voxels alone.
template <class T>
std::vector<LabelShape> countsOnly(const T* labels, const Box& stored, const Box& block)
{
  if constexpr (sizeof(T) <= 2)
  {
    if (block == stored) // else a table for each row would cost more than it gains
    {
      ValueCounts<T> counts;
      counts.add(labels, block.size());
      std::vector<LabelShape> shapes;
      for (Index value = counts.lowest; value < counts.lowest + counts.size; ++value)
      {
        const auto label = static_cast<T>(value);
        if (label != 0 && counts.count(label) > 0)
        {
          shapes.emplace_back();
          shapes.back().label = detail::checkedLabel(label);
          shapes.back().voxels = counts.count(label);
        }
      }
      return shapes;
    }
  }
  return measureShapes(labels, stored, block, block, false);
}

/// Collective. Cells of a block: its labels and those behind it.
template <class T>
void measureSurface(const Communicator& communicator, const DistributedImage& image,
  std::vector<LabelCell>& cells, const Progress& progress)
{
  const auto& layout = image.distribution();
  const auto& blocks = layout.localBlocks();
  const Index turns = communicator.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    const bool own = turn < static_cast<Index>(blocks.size());
    Box padded;
    Buffer<T> labels;
    std::vector<Request<T>> requests;
    bool direct = false;
    communicator.run(
      [&]
      {
        if (own)
        {
          padded = blocks[turn].box.grown(1).clipped(image.whole());
          direct = padded == image.piece() && padded == blocks[turn].box;
          if (!direct)
          {
            labels = Buffer<T>(padded.size());
            requests.emplace_back(padded, labels.data());
          }
        }
      });
    fetchLabels(communicator, layout, image.voxels<T>(), requests);
    communicator.run(
      [&]
      {
        const Progress part =
          progress.part(static_cast<double>(turn) / turns, static_cast<double>(turn + 1) / turns);
        if (own)
        {
          const auto more = measureCells(direct ? image.voxels<T>() : labels.data(), padded,
            blocks[turn].box, image.whole(), part);
          cells.insert(cells.end(), more.begin(), more.end());
          sumCells(cells);
        }
      });
  }
  if (communicator.size() > 1)
  {
    Bytes message;
    communicator.run(
      [&]
      {
        MessageWriter writer;
        writer.put(cells);
        message = writer.take();
      });
    const std::vector<Bytes> messages = communicator.gather(message);
    communicator.run(
      [&]
      {
        cells.clear();
        for (const Bytes& other : messages)
        {
          const auto more = MessageReader(other).getArray<LabelCell>();
          cells.insert(cells.end(), more.begin(), more.end());
        }
        sumCells(cells);
      });
  }
}

/// Collective. The islands of each label.
template <class T>
std::vector<IslandSums> measureIslands(const Communicator& communicator,
  const DistributedImage& image, const std::vector<LabelShape>& shapes, Connectivity connectivity,
  const Progress& progress)
{
  const auto& layout = image.distribution();
  const auto& blocks = layout.localBlocks();
  std::vector<IslandSums> result(shapes.size());
  for (std::size_t l = 0; l < shapes.size(); ++l)
  {
    const auto label = static_cast<T>(shapes[l].label);
    std::vector<ComponentRuns> components;
    communicator.run(
      [&]
      {
        progress.step(static_cast<double>(l) / static_cast<double>(shapes.size()));
        for (const Block& block : blocks)
        {
          components.push_back(labelComponents(
            image.voxels<T>(), image.piece(), block.box, image.whole(), label, connectivity));
        }
      });
    const ComponentJoin islands(communicator, layout, components, connectivity);
    result[l].count = islands.count();
    result[l].largest = islands.largest().size;
  }
  return result;
}

template <class T>
SegmentMeasures measureLabels(const Communicator& communicator, const DistributedImage& image,
  const MeasuresWanted& wanted, const Progress& progress)
{
  SegmentMeasures measures;
  if constexpr (std::is_integral<T>::value)
  {
    communicator.run(
      [&]
      {
        progress.step(0.0);
        const auto& blocks = image.distribution().localBlocks();
        for (std::size_t b = 0; b < blocks.size(); ++b)
        {
          const double begin = static_cast<double>(b) / static_cast<double>(blocks.size());
          const Progress part =
            progress.part(0.4 * begin, 0.4 * (begin + 1.0 / static_cast<double>(blocks.size())));
          mergeShapes(measures.shapes,
            wanted.Shape || wanted.Outline
              ? measureShapes(image.voxels<T>(), image.piece(), blocks[b].box, image.whole(),
                  wanted.Outline, part)
              : countsOnly(image.voxels<T>(), image.piece(), blocks[b].box));
        }
      });
    joinShapes(communicator, measures.shapes);
    if (wanted.Surface)
    {
      measureSurface<T>(communicator, image, measures.cells, progress.part(0.4, 0.8));
    }
    if (wanted.Islands)
    {
      measures.islands = measureIslands<T>(
        communicator, image, measures.shapes, wanted.Connectivity, progress.part(0.8, 1.0));
    }
    return measures;
  }
  else
  {
    throw AgreedError(
      "array '" + image.arrayName() + "' has floating values, expected labels of an integer type");
  }
}
}

//------------------------------------------------------------------------------------------------
SegmentMeasures measureSegments(const Communicator& communicator, const DistributedImage& image,
  const MeasuresWanted& wanted, const Progress& progress)
{
  switch (image.scalarType())
  {
    segcoreTemplateMacro(return measureLabels<VTK_TT>(communicator, image, wanted, progress));
    default:
      throw AgreedError("the label map has an unknown scalar type");
  }
}

} // namespace segcore
