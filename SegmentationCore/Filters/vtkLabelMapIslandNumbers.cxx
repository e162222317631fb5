// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapIslandNumbers.h"

#include "ComponentBlocks.h"
#include "ComponentJoin.h"
#include "EffectJob.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <limits>

vtkStandardNewMacro(vtkLabelMapIslandNumbers);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapIslandNumbers::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "MinimumSize", this->MinimumSize, 0, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslandNumbers::Execute(segcore::EffectJob& job)
{
  const auto connectivity = static_cast<segcore::Connectivity>(this->Connectivity);
  std::vector<segcore::ComponentRuns> components;
  switch (job.scalarType())
  {
    segcoreEqualityMacro(components = segcore::labelBlocks<VTK_TT>(job, connectivity, 0.5));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
  segcore::ComponentJoin islands(job.communicator(), job.distribution(), components, connectivity);
  this->NumberOfIslands = islands.numberIslands(job.communicator(), this->MinimumSize);

  const auto write = [&](auto zero, int vtkType)
  {
    using Number = decltype(zero);
    auto* out = job.makeOutput<Number>(vtkType, "Islands");
    job.communicator().run(
      [&]
      {
        for (const segcore::ComponentRuns& runs : components)
        {
          segcore::writeComponents(
            runs, [&runs](segcore::Index component)
            { return static_cast<Number>(runs.number(component)); }, zero, out, job.piece(),
            job.progress().part(0.5, 1.0), job.isOutputFresh());
        }
      });
    segcore::completePiece(job.communicator(), job.distribution(), out);
  };
  if (this->NumberOfIslands <= std::numeric_limits<int>::max())
  {
    write(int{ 0 }, VTK_INT);
  }
  else
  {
    write(static_cast<long long>(0), VTK_LONG_LONG);
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapIslandNumbers::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MinimumSize: " << this->MinimumSize << "\n";
  os << indent << "Connectivity: " << this->Connectivity << "\n";
  os << indent << "NumberOfIslands: " << this->NumberOfIslands << "\n";
}
