// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapIslands.h"

#include "ComponentJoin.h"
#include "ConnectedComponents.h"
#include "EffectJob.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

#include <algorithm>
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
      "Operation", this->Operation, KEEP_LARGEST_ISLAND, SPLIT_ISLANDS_TO_SEGMENTS),
    segcore::checkRange<vtkTypeInt64>(
      "MinimumSize", this->MinimumSize, 0, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
  });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapIslands::ExecuteTyped(segcore::EffectJob& job)
{
  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  const auto connectivity = static_cast<segcore::Connectivity>(this->Connectivity);
  const auto& blocks = job.distribution().localBlocks();

  std::vector<segcore::ComponentRuns> components;
  job.communicator().run(
    [&]
    {
      for (const segcore::Block& block : blocks)
      {
        components.push_back(segcore::labelComponents(labels, job.piece(), block.box, job.whole(),
          label, connectivity, job.progress().part(0.0, 0.6)));
      }
    });
  const segcore::ComponentJoin islands(
    job.communicator(), job.distribution(), components, connectivity);

  job.communicator().run([&] { std::copy(labels, labels + job.piece().size(), out); });
  if (this->Operation == SPLIT_ISLANDS_TO_SEGMENTS)
  {
    this->SplitTyped(job, components, islands, label, out);
    this->NumberOfIslands = islands.count();
    return;
  }
  job.communicator().run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        std::vector<std::uint8_t> removed = this->Operation == KEEP_LARGEST_ISLAND
          ? islands.keepOne(b, islands.largest())
          : islands.keepSize(b, this->MinimumSize);
        for (std::uint8_t& flag : removed)
        {
          flag = flag ? 0 : 1;
        }
        segcore::fillKept(
          components[b], removed, T(0), out, job.piece(), job.progress().part(0.7, 1.0));
      }
    });
  segcore::completePiece(job.communicator(), job.distribution(), out);

  this->NumberOfIslands = islands.count();
}

//------------------------------------------------------------------------------------------------
/// Collective. A label for each island that is large enough; `out` holds the labels as they are.
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
            const auto found = labelOf.find(islands.island(b, component).first);
            return found == labelOf.end() ? T(0) : found->second;
          },
          out, job.piece(), job.progress().part(0.7, 1.0));
      }
    });
  segcore::completePiece(communicator, job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslands::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    vtkTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
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
