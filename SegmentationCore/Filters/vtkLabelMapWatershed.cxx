// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapWatershed.h"

#include "EffectJob.h"
#include "GradientLevels.h"
#include "ParameterCheck.h"
#include "SeedLabels.h"
#include "WatershedBlocks.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

vtkStandardNewMacro(vtkLabelMapWatershed);

namespace
{

/// A block: its gradients, and its labels as markers.
class MarkedBlock : public segcore::WatershedImage
{
public:
  MarkedBlock(
    const segcore::Box& box, const std::uint16_t* levels, const segcore::SeedLabels& labels)
    : Stored(box), Levels(levels), Labels(labels)
  {
  }

  void readLevels(segcore::Index i, segcore::Index j, segcore::Index k, segcore::Index count,
    std::uint16_t* levels) const override
  {
    std::copy_n(this->Levels + this->Stored.offset(i, j, k), count, levels);
  }

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

private:
  segcore::Box Stored;
  const std::uint16_t* Levels;
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
  const segcore::GradientLevels levels(job, "ObjectScaleMm", this->ObjectScaleMm, smoothing);
  const auto labels = segcore::SeedLabels::make(job, this->WallLabel);
  std::vector<std::unique_ptr<segcore::WatershedImage>> images;
  job.communicator().run(
    [&]
    {
      for (const segcore::Block& block : job.distribution().localBlocks())
      {
        images.push_back(
          std::make_unique<MarkedBlock>(block.box, levels.block(images.size()), *labels));
      }
    });
  segcore::floodBlocks(job.communicator(), job.distribution(), images, flooding);
  labels->complete();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapWatershed::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "ObjectScaleMm: " << this->ObjectScaleMm << "\n";
}
