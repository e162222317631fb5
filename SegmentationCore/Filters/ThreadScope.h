// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Runs work on all cores where VTK's default would be one.
///
/// PyPI's vtk is compiled with the Sequential back end as its default. Whoever chose a back end (by
/// vtkSMPTools or the variable VTK_SMP_BACKEND_IN_USE) keeps it, and the change ends with the work,
/// so nothing else in the process is affected. Results never depend on the number of threads.
#ifndef segcore_ThreadScope_h
#define segcore_ThreadScope_h

#include "vtkSMPTools.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace segcore
{

/// Voxels below which starting threads costs more than it gains.
constexpr std::int64_t ThreadedVoxels = std::int64_t{ 1 } << 20;

template <class Work>
void withThreads(const Work& work, std::int64_t voxels = ThreadedVoxels)
{
  if (voxels < ThreadedVoxels)
  {
    work();
    return;
  }
  const char* backend = vtkSMPTools::GetBackend();
  if (backend && std::strcmp(backend, "Sequential") == 0 && !std::getenv("VTK_SMP_BACKEND_IN_USE"))
  {
    vtkSMPTools::LocalScope(vtkSMPTools::Config{ std::string("STDThread") }, work);
    return;
  }
  work();
}

} // namespace segcore

#endif
