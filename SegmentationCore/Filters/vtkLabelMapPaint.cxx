// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapPaint.h"

#include "LocalMask.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapPaint);

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapPaint::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}
