// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapWatershed.h"

#include "EffectJob.h"
#include "GradientLevels.h"
#include "ParameterCheck.h"
#include "SeedLabels.h"
#include "WatershedBlocks.h"

#include "vtkObjectFactory.h"

#include <cstddef>
#include <memory>
#include <vector>

vtkStandardNewMacro(vtkLabelMapWatershed);

namespace
{

/// The labels of a block, as markers and as the result.
class BlockLabels : public segcore::WatershedLabels
{
public:
  explicit BlockLabels(const segcore::SeedLabels& labels) : Labels(labels) {}

  void readMarkers(segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count,
    std::int32_t* labels) const override
  {
    this->Labels.read(i, j, k, count, labels);
  }

  void writeLabels(segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count,
    const std::int32_t* labels) const override
  {
    this->Labels.write(i, j, k, count, labels);
  }

  void readLabels(segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count,
    std::int32_t* labels) const override
  {
    this->Labels.readOutput(i, j, k, count, labels);
  }

private:
  const segcore::SeedLabels& Labels;
};

} // namespace

//------------------------------------------------------------------------------------------------
vtkLabelMapWatershed::vtkLabelMapWatershed()
{
  this->SetNumberOfInputPorts(2); // the second one is the volume
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapWatershed::CheckParameters() const
{
  return segcore::checkRange("ObjectScaleMm", this->ObjectScaleMm, 0.0, 10.0);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapWatershed::SetWallLabel(std::int64_t label)
{
  this->WallLabel = label;
  return true;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWatershed::Execute(segcore::EffectJob& job)
{
  job.communicator().run([&] { job.progress().step(0.0); });
  const segcore::Progress smoothing = job.progress().part(0.0, 0.3);
  const segcore::Progress flooding = job.progress().part(0.3, 1.0);
  segcore::GradientLevels levels(job, "ObjectScaleMm", this->ObjectScaleMm, smoothing);
  const auto labels = segcore::SeedLabels::make(job, this->WallLabel);
  std::vector<segcore::WatershedBlock> blocks(job.distribution().localBlocks().size());
  job.communicator().run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        blocks[b].relief = levels.block(b);
        blocks[b].labels = std::make_unique<BlockLabels>(*labels);
      }
    });
  segcore::floodBlocks(job.communicator(), job.distribution(), blocks, flooding);
  labels->complete();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWatershed::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "ObjectScaleMm: " << this->ObjectScaleMm << "\n";
}
