// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapGaussian.h"

#include "EffectJob.h"
#include "GaussianMask.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapGaussian);

namespace
{
void deviationsInVoxels(double millimetres, const double spacing[3], double deviations[3])
{
  std::transform(spacing, spacing + 3, deviations, [=](double step) { return millimetres / step; });
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapGaussian::CheckParameters() const
{
  return segcore::checkRange(
    "GaussianStandardDeviationMm", this->GaussianStandardDeviationMm, 0.0, 1e6);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGaussian::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  double deviations[3];
  deviationsInVoxels(this->GaussianStandardDeviationMm, spacing, deviations);
  segcore::Index halo[3];
  segcore::gaussianHalo(deviations, halo);
  std::copy(halo, halo + 3, reach);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGaussian::Execute(segcore::EffectJob& job)
{
  const double* spacing = job.geometry().Spacing;
  double deviations[3];
  deviationsInVoxels(this->GaussianStandardDeviationMm, spacing, deviations);
  segcore::Index halo[3];
  job.communicator().run(
    [&]
    {
      segcore::gaussianHalo(deviations, halo);
      for (int axis = 0; axis < 3; ++axis)
      {
        segcore::requireVoxels("GaussianStandardDeviationMm", this->GaussianStandardDeviationMm,
          2 * halo[axis] + 1, spacing[axis], 2 * segcore::MaximumGaussianVoxels + 1);
      }
    });
  const segcore::Box whole = job.whole();
  job.replaceSegmentBits(halo,
    [&](const segcore::BitBlock& mask, segcore::BitBlock& out, const segcore::Progress& progress)
    { segcore::smoothBits(mask, whole, deviations, out, progress); });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapGaussian::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "GaussianStandardDeviationMm: " << this->GaussianStandardDeviationMm << "\n";
}
