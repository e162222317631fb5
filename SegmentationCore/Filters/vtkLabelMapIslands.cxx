// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapIslands.h"

#include "ComponentJoin.h"
#include "ConnectedComponents.h"
#include "EffectJob.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

#include <limits>

vtkStandardNewMacro(vtkLabelMapIslands);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapIslands::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<int>(
      "Operation", this->Operation, KEEP_LARGEST_ISLAND, REMOVE_SMALL_ISLANDS),
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

  job.communicator().run(
    [&]
    {
      std::copy(labels, labels + job.piece().size(), out);
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
