// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapExpandSegments.h"

#include "EffectJob.h"
#include "ExpandLabels.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapExpandSegments);

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapExpandSegments::CheckParameters() const
{
  return segcore::checkRange("ExpansionSizeMm", this->ExpansionSizeMm, 0.0, 1e6);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapExpandSegments::GetReach(const double spacing[3], std::int64_t reach[3]) const
{
  segcore::Index halo[3];
  segcore::marginHalo(spacing, this->ExpansionSizeMm, halo);
  std::copy(halo, halo + 3, reach);
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapExpandSegments::ExecuteTyped(segcore::EffectJob& job)
{
  const double* spacing = job.geometry().Spacing;
  segcore::Index halo[3];
  job.communicator().run([&] { segcore::marginHalo(spacing, this->ExpansionSizeMm, halo); });
  job.replaceLabels<T>(halo,
    [&](const T* labels, const segcore::Box& padded, const segcore::Box& target, T* out,
      const segcore::Progress& progress)
    {
      segcore::expandLabels(labels, padded, target, spacing, this->ExpansionSizeMm, out, progress);
    });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapExpandSegments::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapExpandSegments::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "ExpansionSizeMm: " << this->ExpansionSizeMm << "\n";
}
