// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapErase.h"

#include "LocalMask.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapErase);

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapErase::GetWriteMode() const
{
  return this->EraseAllSegments ? segcore::WriteMode::RemoveAll : segcore::WriteMode::Remove;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapErase::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "EraseAllSegments: " << this->EraseAllSegments << "\n";
}
