// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapLevelTracing.h"

#include "Buffer.h"
#include "EffectJob.h"
#include "LevelOutline.h"
#include "Message.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SourceVolume.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

#include <cstring>

vtkStandardNewMacro(vtkLabelMapLevelTracing);

namespace
{
using segcore::Box;
using segcore::Bytes;
using segcore::Index;

/// Filled outlines, each in a slice of the image.
class SliceMasks : public segcore::LocalMask
{
public:
  struct Layer
  {
    Box box;
    std::vector<std::uint8_t> inside;
  };

  void add(Layer layer)
  {
    this->Bounds = this->Bounds.unite(layer.box);
    this->Layers.push_back(std::move(layer));
  }
  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    std::memset(out, 0, static_cast<std::size_t>(part.size()));
    for (const Layer& layer : this->Layers)
    {
      const Box box = part.clipped(layer.box);
      for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
      {
        for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
        {
          const std::uint8_t* from = layer.inside.data() + layer.box.offset(box.lo[0], j, k);
          std::uint8_t* to = out + part.offset(box.lo[0], j, k);
          for (Index x = 0; x < box.dim(0); ++x)
          {
            to[x] |= from[x];
          }
        }
      }
    }
  }
  int uniform(const Box& part) const override
  {
    const bool near = std::any_of(this->Layers.begin(), this->Layers.end(),
      [&](const Layer& layer) { return !part.clipped(layer.box).empty(); });
    return near ? -1 : 0;
  }

private:
  std::vector<Layer> Layers;
  Box Bounds;
};

/// The values of this rank's voxels, in any type.
template <class T>
struct Values
{
  Box held;
  std::function<void(const Box& row, T* out)> read; // a row along x of `held`
};

/// Collective. The outline through a voxel in the slice across an axis; without voxels if none.
template <class T>
SliceMasks::Layer traceLevel(const segcore::Communicator& communicator, const Box& whole,
  const Values<T>& values, const Index seed[3], int across)
{
  // The level, from whoever holds the seed.
  segcore::MessageWriter own;
  communicator.run(
    [&]
    {
      if (values.held.contains(seed[0], seed[1], seed[2]))
      {
        Box voxel;
        std::copy_n(seed, 3, voxel.lo);
        std::copy_n(seed, 3, voxel.hi);
        T value;
        values.read(voxel, &value);
        own.put(value);
      }
    });
  const std::vector<Bytes> levels = communicator.allGather(own.take());
  const auto level =
    std::find_if(levels.begin(), levels.end(), [](const Bytes& bytes) { return !bytes.empty(); });
  if (level == levels.end())
  {
    return {};
  }

  // Every rank compares what it holds of the slice.
  Box slice = whole;
  slice.lo[across] = slice.hi[across] = seed[across];
  segcore::MessageWriter compared;
  communicator.run(
    [&]
    {
      T threshold;
      std::memcpy(&threshold, level->data(), sizeof(T));
      const Box part = slice.clipped(values.held);
      compared.put(part);
      std::vector<T> row(static_cast<std::size_t>(part.dim(0)));
      std::vector<std::uint8_t> above;
      above.reserve(static_cast<std::size_t>(part.size()));
      for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
      {
        for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
        {
          Box line = part;
          line.lo[1] = line.hi[1] = j;
          line.lo[2] = line.hi[2] = k;
          values.read(line, row.data());
          std::transform(row.begin(), row.end(), std::back_inserter(above),
            [threshold](T value) { return static_cast<std::uint8_t>(value >= threshold); });
        }
      }
      compared.put(above);
    });
  std::vector<Bytes> parts = communicator.gather(compared.take());

  // One finds the outline. Rows of the slice are rows along its first axis.
  SliceMasks::Layer layer;
  segcore::MessageWriter found;
  communicator.run(
    [&]
    {
      if (!communicator.isRoot())
      {
        return;
      }
      segcore::Buffer<std::uint8_t> above(slice.size());
      std::fill_n(above.data(), above.size(), std::uint8_t{ 0 });
      for (const Bytes& bytes : parts)
      {
        segcore::MessageReader reader(bytes);
        const auto part = reader.get<Box>();
        const auto rows = reader.template getArray<std::uint8_t>();
        for (Index k = part.lo[2]; k <= part.hi[2] && !part.empty(); ++k)
        {
          for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
          {
            std::copy_n(rows.data() + part.offset(part.lo[0], j, k), part.dim(0),
              above.data() + slice.offset(part.lo[0], j, k));
          }
        }
      }
      const int u = across == 0 ? 1 : 0;
      const int v = across == 2 ? 1 : 2;
      segcore::Buffer<std::uint8_t> inside(slice.size());
      segcore::levelOutline(above.data(), slice.dim(u), slice.dim(v), seed[u] - slice.lo[u],
        seed[v] - slice.lo[v], inside.data());
      // Only what is needed of it.
      for (Index k = slice.lo[2]; k <= slice.hi[2]; ++k)
      {
        for (Index j = slice.lo[1]; j <= slice.hi[1]; ++j)
        {
          const std::uint8_t* first = inside.data() + slice.offset(slice.lo[0], j, k);
          const std::uint8_t* last = first + slice.dim(0);
          const std::uint8_t* one = std::find(first, last, std::uint8_t{ 1 });
          if (one != last)
          {
            Box row;
            row.lo[0] = slice.lo[0] + (one - first);
            row.hi[0] = slice.lo[0] +
              (std::find(std::make_reverse_iterator(last), std::make_reverse_iterator(one),
                 std::uint8_t{ 1 })
                  .base() -
                first) -
              1;
            row.lo[1] = row.hi[1] = j;
            row.lo[2] = row.hi[2] = k;
            layer.box = layer.box.unite(row);
          }
        }
      }
      layer.inside.reserve(static_cast<std::size_t>(layer.box.size()));
      for (Index k = layer.box.lo[2]; k <= layer.box.hi[2]; ++k)
      {
        for (Index j = layer.box.lo[1]; j <= layer.box.hi[1]; ++j)
        {
          const std::uint8_t* row = inside.data() + slice.offset(layer.box.lo[0], j, k);
          layer.inside.insert(layer.inside.end(), row, row + layer.box.dim(0));
        }
      }
      found.put(layer.box);
      found.put(layer.inside);
    });
  Bytes message = found.take();
  communicator.broadcast(message);
  communicator.run(
    [&]
    {
      segcore::MessageReader reader(message);
      layer.box = reader.get<Box>();
      layer.inside = reader.template getArray<std::uint8_t>();
    });
  return layer;
}

/// Collective. The outlines of all points.
template <class T>
std::unique_ptr<SliceMasks> traceAll(const segcore::Communicator& communicator,
  const segcore::Geometry& geometry, const Box& whole, const Values<T>& values,
  const std::vector<double>& points, const double normal[3])
{
  int across = 0;
  double most = -1.0;
  for (int a = 0; a < 3; ++a)
  {
    const double along = std::abs(segcore::stepAlong(geometry, normal, a)) / geometry.Spacing[a];
    if (along > most)
    {
      most = along;
      across = a;
    }
  }
  auto result = std::make_unique<SliceMasks>();
  for (std::size_t p = 0; p < points.size(); p += 3)
  {
    Index seed[3];
    bool inside = true;
    for (int a = 0; a < 3; ++a)
    {
      const double at = std::floor(segcore::indexAlong(geometry, points.data() + p, a) + 0.5);
      inside =
        inside && at >= static_cast<double>(whole.lo[a]) && at <= static_cast<double>(whole.hi[a]);
      seed[a] = inside ? static_cast<Index>(at) : whole.lo[a];
    }
    if (inside)
    {
      result->add(traceLevel(communicator, whole, values, seed, across));
    }
  }
  return result;
}
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapLevelTracing::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapLevelTracing::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkVector("SliceNormal", this->SliceNormal),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLevelTracing::Execute(segcore::EffectJob& job)
{
  double normal[3];
  segcore::normalize(this->SliceNormal, normal);
  job.communicator().run([&] { job.progress().step(0.0); });
  const auto trace = [&](auto zero)
  {
    using T = decltype(zero);
    const Values<T> values{ job.piece(), [&job](const Box& row, T* out)
      {
        std::copy_n(
          job.input<T>() + job.piece().offset(row.lo[0], row.lo[1], row.lo[2]), row.dim(0), out);
      } };
    job.writeVolumeMask(
      *traceAll(job.communicator(), job.geometry(), job.whole(), values, this->Points, normal));
  };
  switch (job.scalarType())
  {
    segcoreTemplateMacro(trace(VTK_TT()));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapLevelTracing::MakeLocalMask(
  const segcore::LocalInput& input)
{
  if (!input.volume)
  {
    throw segcore::AgreedError("level tracing needs a volume, and there is none");
  }
  double normal[3];
  segcore::normalize(this->SliceNormal, normal);
  const segcore::SourceVolume& volume = *input.volume;
  std::unique_ptr<segcore::LocalMask> result;
  const auto trace = [&](auto values)
  {
    result =
      traceAll(input.communicator, input.geometry, input.whole, values, this->Points, normal);
  };
  if (!volume.aligned())
  {
    trace(Values<double>{
      volume.bounds(), [&volume](const Box& row, double* out) { volume.sample(row, out); } });
    return result;
  }
  const auto traceAligned = [&](auto zero)
  {
    using T = decltype(zero);
    trace(Values<T>{ volume.bounds(), [&volume](const Box& row, T* out)
      { std::copy_n(volume.template row<T>(row.lo[0], row.lo[1], row.lo[2]), row.dim(0), out); } });
  };
  switch (volume.scalarType())
  {
    segcoreTemplateMacro(traceAligned(VTK_TT()));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }
  return result;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLevelTracing::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
}
