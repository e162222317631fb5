// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Every difference between the VTK versions that we support (9.2 to 9.7) that C++ code meets,
/// each with the version that lets us delete it. CMake differences:
/// CMake/SegmentationCoreVTK.cmake.
#ifndef vtkVersionCompatibility_h
#define vtkVersionCompatibility_h

#include "vtkAlgorithm.h"
#include "vtkVersionMacros.h"

#define SEGMENTATIONCORE_VTK_AT_LEAST(major, minor)                                                \
  (VTK_MAJOR_VERSION > (major) || (VTK_MAJOR_VERSION == (major) && VTK_MINOR_VERSION >= (minor)))

namespace segcore
{
/// True if somebody asked this algorithm to stop. Delete the first branch when 9.3 is the oldest.
inline bool isAborted(vtkAlgorithm* algorithm)
{
#if SEGMENTATIONCORE_VTK_AT_LEAST(9, 3)
  return algorithm->CheckAbort();
#else
  return algorithm->GetAbortExecute() != 0;
#endif
}
}

#endif
