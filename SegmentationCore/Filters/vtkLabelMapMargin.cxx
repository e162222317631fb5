// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMargin.h"

#include "EffectJob.h"
#include "EuclideanMargin.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>

vtkStandardNewMacro(vtkLabelMapMargin);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapMargin::CheckParameters() const
{
  return segcore::checkRange("MarginSizeMm", this->MarginSizeMm, -1e6, 1e6);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMargin::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  segcore::Index halo[3];
  segcore::marginHalo(spacing, std::abs(this->MarginSizeMm), halo);
  std::copy(halo, halo + 3, reach);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMargin::Execute(segcore::EffectJob& job)
{
  const double* spacing = job.geometry().Spacing;
  const double margin = std::abs(this->MarginSizeMm);
  const bool grow = this->MarginSizeMm > 0.0;
  segcore::Index halo[3];
  segcore::marginHalo(spacing, margin, halo);
  job.replaceSegment(halo,
    [&](const std::uint8_t* mask, const segcore::Box& padded, const segcore::Box& target,
      std::uint8_t* out, const segcore::Progress& progress)
    {
      (grow ? segcore::growMask : segcore::shrinkMask)(
        mask, padded, target, spacing, margin, out, progress, segcore::MarginMethod::Automatic);
    });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMargin::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MarginSizeMm: " << this->MarginSizeMm << "\n";
}
