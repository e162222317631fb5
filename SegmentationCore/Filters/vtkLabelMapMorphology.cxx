// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMorphology.h"

#include "BallMask.h"
#include "BoxMajority.h"
#include "EffectJob.h"
#include "ParameterCheck.h"

#include <algorithm>

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapMorphology::CheckParameters() const
{
  return segcore::checkRange("KernelSizeMm", this->KernelSizeMm, 0.0, 1e6);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMorphology::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  for (int axis = 0; axis < 3; ++axis)
  {
    reach[axis] = segcore::kernelVoxels(this->KernelSizeMm, spacing[axis]) - 1;
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMorphology::Execute(segcore::EffectJob& job)
{
  constexpr segcore::Index most = 255;
  const double* spacing = job.geometry().Spacing;
  segcore::Index size[3], halo[3];
  job.communicator().run(
    [&]
    {
      this->GetReach(spacing, halo);
      for (int axis = 0; axis < 3; ++axis)
      {
        size[axis] = halo[axis] + 1;
        segcore::requireVoxels("KernelSizeMm", this->KernelSizeMm, size[axis], spacing[axis], most);
      }
    });
  const segcore::Ball ball = segcore::kernelBall(size);
  const segcore::Box whole = job.whole();
  const bool growsFirst = this->GrowsFirst();
  job.replaceSegmentBits(halo,
    [&](const segcore::BitBlock& mask, segcore::BitBlock& out, const segcore::Progress& progress)
    {
      segcore::BitBlock between(out.box.grown(ball.reach()).clipped(whole));
      (growsFirst ? segcore::growBits : segcore::shrinkBits)(
        mask, ball, between, progress.part(0.0, 0.5), segcore::MarginMethod::Automatic);
      (growsFirst ? segcore::shrinkBits : segcore::growBits)(
        between, ball, out, progress.part(0.5, 1.0), segcore::MarginMethod::Automatic);
    });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMorphology::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "KernelSizeMm: " << this->KernelSizeMm << "\n";
}
