// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapPaint
 * @brief Adds a brush stroke to a segment.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels of the stroke become
 * SegmentLabel, whatever they were; all others stay.
 *
 * The stroke, its parameters, cost and errors: see vtkLabelMapStroke.
 *
 * @sa vtkLabelMapErase
 */
#ifndef vtkLabelMapPaint_h
#define vtkLabelMapPaint_h

#include "vtkLabelMapStroke.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapPaint : public vtkLabelMapStroke
{
public:
  static vtkLabelMapPaint* New();
  vtkTypeMacro(vtkLabelMapPaint, vtkLabelMapStroke);

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapPaint() = default;
  ~vtkLabelMapPaint() override = default;

private:
  vtkLabelMapPaint(const vtkLabelMapPaint&) = delete;
  void operator=(const vtkLabelMapPaint&) = delete;
};

#endif
