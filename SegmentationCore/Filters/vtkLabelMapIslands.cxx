// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapIslands.h"

#include "ComponentBlocks.h"
#include "ComponentJoin.h"
#include "EffectJob.h"
#include "FloodExchange.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

vtkStandardNewMacro(vtkLabelMapIslands);

namespace
{
/// Segments beyond which a split helps nobody.
constexpr segcore::Index MostParts = 10000;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapIslands::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<int>(
      "Operation", this->Operation, KEEP_LARGEST_ISLAND, ADD_SELECTED_ISLAND),
    segcore::checkRange<vtkTypeInt64>(
      "MinimumSize", this->MinimumSize, 0, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
    this->CheckPoints(this->Operation >= KEEP_SELECTED_ISLAND),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslands::GetReach(const double*, std::int64_t reach[3]) const
{
  // The background around a point may be as large as the image.
  const bool far = this->Operation == ADD_SELECTED_ISLAND;
  std::fill(reach, reach + 3, far ? std::numeric_limits<std::int64_t>::max() : 0);
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapIslands::ExecuteTyped(segcore::EffectJob& job)
{
  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  this->NumberOfIslands = 0;
  if (this->Operation >= KEEP_SELECTED_ISLAND)
  {
    this->SelectTyped(job, label, out);
    return;
  }
  const auto connectivity = static_cast<segcore::Connectivity>(this->Connectivity);
  std::vector<segcore::ComponentRuns> components = segcore::labelBlocks<T>(job, connectivity, 0.6);
  const segcore::ComponentJoin islands(
    job.communicator(), job.distribution(), components, connectivity);
  this->NumberOfIslands = islands.count();

  if (this->Operation == SPLIT_ISLANDS_TO_SEGMENTS)
  {
    this->SplitTyped(job, components, islands, label, out);
    return;
  }
  job.communicator().run(
    [&]
    {
      for (const segcore::ComponentRuns& runs : components)
      {
        const segcore::Progress progress = job.progress().part(0.6, 1.0);
        const auto clear = [&](const auto& removed)
        {
          segcore::copyAndFill(
            runs, removed, T(0), labels, out, job.piece(), progress, job.isOutputFresh());
        };
        if (this->Operation == KEEP_LARGEST_ISLAND)
        {
          const auto kept = runs.ofIsland(islands.largest());
          clear([&kept](segcore::Index component) { return !kept(component); });
        }
        else
        {
          const segcore::Index least = this->MinimumSize;
          clear([&runs, least](segcore::Index component) { return runs.size(component) < least; });
        }
      }
    });
  segcore::completePiece(job.communicator(), job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
/// Collective. A label for each island that is large enough.
template <class T>
void vtkLabelMapIslands::SplitTyped(segcore::EffectJob& job,
  const std::vector<segcore::ComponentRuns>& components, const segcore::ComponentJoin& islands,
  T label, T* out)
{
  const segcore::Communicator& communicator = job.communicator();
  const std::vector<segcore::Island> sorted =
    islands.sorted(communicator, std::max<vtkTypeInt64>(1, this->MinimumSize), MostParts + 1);
  if (static_cast<segcore::Index>(sorted.size()) > MostParts)
  {
    throw segcore::AgreedError("there are more than " + std::to_string(MostParts) +
      " islands of MinimumSize " + std::to_string(this->MinimumSize) +
      " and more; raise it to split to fewer segments");
  }
  double top = 0.0;
  communicator.run(
    [&]
    {
      std::copy_n(job.input<T>(), job.piece().size(), out);
      const T* last = out + job.piece().size();
      const T* largest = std::max_element<const T*>(out, last);
      top = largest == last ? 0.0 : static_cast<double>(*largest);
    });
  top = communicator.allReduceMax(top);
  const double most = static_cast<double>(std::numeric_limits<T>::max());
  if (sorted.size() > 1 && top + static_cast<double>(sorted.size() - 1) > most)
  {
    throw segcore::AgreedError("the scalar type of array '" + std::string(job.inputName()) +
      "' has no labels for " + std::to_string(sorted.size()) +
      " islands; convert it to a wider type");
  }
  std::unordered_map<segcore::Index, T> labelOf;
  communicator.run(
    [&]
    {
      for (std::size_t i = 0; i < sorted.size(); ++i)
      {
        labelOf[sorted[i].first] = i ? static_cast<T>(top + static_cast<double>(i)) : label;
      }
      for (std::size_t b = 0; b < components.size(); ++b)
      {
        segcore::fillComponents(
          components[b],
          [&](segcore::Index component)
          {
            const auto found = labelOf.find(components[b].first(component));
            return found == labelOf.end() ? T(0) : found->second;
          },
          out, job.piece(), job.progress().part(0.7, 1.0));
      }
    });
  segcore::completePiece(communicator, job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
/// Collective. Floods from the seeds, once for each label that they are on.
template <class T>
void vtkLabelMapIslands::SelectTyped(segcore::EffectJob& job, T label, T* out)
{
  const segcore::Communicator& communicator = job.communicator();
  const auto& blocks = job.distribution().localBlocks();
  const segcore::Box& piece = job.piece();
  const T* labels = job.input<T>();
  const auto seeds = this->FindSeeds(job.geometry(), job.whole());
  const bool adds = this->Operation == ADD_SELECTED_ISLAND;
  const bool keeps = this->Operation == KEEP_SELECTED_ISLAND;

  // The label of each seed, from the rank that owns its voxel; as bits, the others add nothing.
  std::vector<std::int64_t> labelBits(seeds.size(), 0);
  for (std::size_t s = 0; s < seeds.size(); ++s)
  {
    for (const segcore::Block& block : blocks)
    {
      if (block.box.contains(seeds[s][0], seeds[s][1], seeds[s][2]))
      {
        std::memcpy(
          &labelBits[s], labels + piece.offset(seeds[s][0], seeds[s][1], seeds[s][2]), sizeof(T));
      }
    }
  }
  communicator.allReduceSum(labelBits.data(), static_cast<std::int64_t>(labelBits.size()));
  std::vector<T> labelOf(seeds.size());
  std::vector<T> wanted; // labels to flood, each once
  for (std::size_t s = 0; s < seeds.size(); ++s)
  {
    std::memcpy(&labelOf[s], &labelBits[s], sizeof(T));
    if ((labelOf[s] == label) != adds &&
      std::find(wanted.begin(), wanted.end(), labelOf[s]) == wanted.end())
    {
      wanted.push_back(labelOf[s]);
    }
  }

  const bool clears = keeps && !wanted.empty();
  communicator.run(
    [&]
    {
      segcore::forRanges(piece.size(), segcore::Index{ 1 } << 18, job.progress().part(0.0, 0.5),
        [&](segcore::Index begin, segcore::Index end)
        {
          std::copy(labels + begin, labels + end, out + begin);
          if (clears)
          {
            std::replace(out + begin, out + end, label, T(0));
          }
        });
    });
  const T written = this->Operation == REMOVE_SELECTED_ISLAND ? T(0) : label;
  for (const T value : wanted)
  {
    std::vector<segcore::FloodFill> floods;
    communicator.run(
      [&]
      {
        for (const segcore::Block& block : blocks)
        {
          floods.emplace_back(block.box, job.whole(),
            static_cast<segcore::Connectivity>(this->Connectivity),
            [=](segcore::Index x, segcore::Index y, segcore::Index z, segcore::Index count)
            {
              const T* row = labels + piece.offset(x, y, z);
              segcore::Word bits = 0;
              segcore::packWhere(
                count, &bits, [row, value](segcore::Index i) { return row[i] == value; });
              return bits;
            });
          for (std::size_t s = 0; s < seeds.size(); ++s)
          {
            if (labelOf[s] == value)
            {
              floods.back().seed(seeds[s][0], seeds[s][1], seeds[s][2]);
            }
          }
        }
      });
    segcore::floodAcross(communicator, job.distribution(), floods, job.progress().part(0.5, 1.0));
    communicator.run(
      [&]
      {
        for (const segcore::FloodFill& flood : floods)
        {
          flood.forEachRun(
            [&](segcore::Index x0, segcore::Index x1, segcore::Index y, segcore::Index z)
            { std::fill_n(out + piece.offset(x0, y, z), x1 - x0 + 1, written); });
        }
      });
  }
  segcore::completePiece(communicator, job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslands::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslands::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operation: " << this->Operation << "\n";
  os << indent << "MinimumSize: " << this->MinimumSize << "\n";
  os << indent << "Connectivity: " << this->Connectivity << "\n";
  os << indent << "NumberOfIslands: " << this->NumberOfIslands << "\n";
}
