// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapMargin.h"

#include "BallMask.h"
#include "EffectJob.h"
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
  const segcore::Ball ball = segcore::marginBall(spacing, std::abs(this->MarginSizeMm));
  std::copy(ball.reach(), ball.reach() + 3, reach);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMargin::Execute(segcore::EffectJob& job)
{
  const double* spacing = job.geometry().Spacing;
  const segcore::Ball ball = segcore::marginBall(spacing, std::abs(this->MarginSizeMm));
  job.communicator().run(
    [&] { segcore::requireKernel("MarginSizeMm", this->MarginSizeMm, ball.reach(), spacing); });
  const auto change = this->MarginSizeMm > 0.0 ? segcore::growBits : segcore::shrinkBits;
  job.replaceSegmentBits(ball.reach(),
    [&](const segcore::BitBlock& mask, segcore::BitBlock& out, const segcore::Progress& progress)
    { change(mask, ball, out, progress, segcore::MarginMethod::Automatic); });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapMargin::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MarginSizeMm: " << this->MarginSizeMm << "\n";
}
