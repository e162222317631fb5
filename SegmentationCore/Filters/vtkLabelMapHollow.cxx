// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapHollow.h"

#include "EffectJob.h"
#include "ParameterCheck.h"
#include "ShellMask.h"

#include "vtkObjectFactory.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapHollow);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapHollow::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange<int>("ShellMode", this->ShellMode, INSIDE_SURFACE, OUTSIDE_SURFACE),
    segcore::checkRange("ShellThicknessMm", this->ShellThicknessMm, 0.0, 1e6),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapHollow::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  const segcore::Ball ball = segcore::wallBall(spacing, this->ShellThicknessMm);
  std::copy(ball.reach(), ball.reach() + 3, reach);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapHollow::Execute(segcore::EffectJob& job)
{
  const double* spacing = job.geometry().Spacing;
  const double thickness = this->ShellThicknessMm;
  const auto side = this->ShellMode == INSIDE_SURFACE ? segcore::ShellSide::Outside
    : this->ShellMode == OUTSIDE_SURFACE              ? segcore::ShellSide::Inside
                                                      : segcore::ShellSide::Both;
  segcore::Index halo[3];
  this->GetReach(spacing, halo);
  job.communicator().run(
    [&] { segcore::requireKernel("ShellThicknessMm", thickness, halo, spacing); });
  job.replaceSegmentBits(halo,
    [&](const segcore::BitBlock& mask, segcore::BitBlock& out, const segcore::Progress& progress)
    { segcore::shellBits(mask, spacing, thickness, side, out, progress); });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapHollow::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "ShellMode: " << this->ShellMode << "\n";
  os << indent << "ShellThicknessMm: " << this->ShellThicknessMm << "\n";
}
