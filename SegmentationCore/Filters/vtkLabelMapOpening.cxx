// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapOpening.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapOpening);
