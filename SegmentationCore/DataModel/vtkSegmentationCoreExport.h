// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// For sources that were written against Slicer's library: its export macro, as ours.
#ifndef vtkSegmentationCoreExport_h
#define vtkSegmentationCoreExport_h

#include "SegmentationCoreDataModelModule.h"

#define vtkSegmentationCore_EXPORT SEGMENTATIONCOREDATAMODEL_EXPORT

#endif
