// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMedian.h"

#include "BoxMajority.h"
#include "EffectJob.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapMedian);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapMedian::CheckParameters() const
{
  return segcore::checkRange("KernelSizeMm", this->KernelSizeMm, 0.0, 1e6);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMedian::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  for (int axis = 0; axis < 3; ++axis)
  {
    reach[axis] = (segcore::kernelVoxels(this->KernelSizeMm, spacing[axis]) - 1) / 2;
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMedian::Execute(segcore::EffectJob& job)
{
  using segcore::Index;
  const segcore::Box whole = job.whole();
  Index size[3], halo[3];
  job.communicator().run(
    [&]
    {
      const double* spacing = job.geometry().Spacing;
      this->GetReach(spacing, halo);
      segcore::requireKernel("KernelSizeMm", this->KernelSizeMm, halo, spacing);
      for (int axis = 0; axis < 3; ++axis)
      {
        size[axis] = 2 * halo[axis] + 1;
      }
    });
  job.replaceSegmentBits(halo,
    [&](const segcore::BitBlock& mask, segcore::BitBlock& out, const segcore::Progress& progress)
    { segcore::boxMajority(mask, whole, size, out, progress); });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMedian::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "KernelSizeMm: " << this->KernelSizeMm << "\n";
}
