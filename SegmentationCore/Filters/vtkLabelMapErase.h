// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapErase
 * @brief Takes a brush stroke away from a segment, or from all segments.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels of the stroke that are the
 * segment (any segment, with EraseAllSegments) become 0.
 *
 * The stroke, its parameters, cost and errors: see vtkLabelMapStroke.
 *
 * @sa vtkLabelMapPaint
 */
#ifndef vtkLabelMapErase_h
#define vtkLabelMapErase_h

#include "vtkLabelMapStroke.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapErase : public vtkLabelMapStroke
{
public:
  static vtkLabelMapErase* New();
  vtkTypeMacro(vtkLabelMapErase, vtkLabelMapStroke);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Take the stroke away from all segments, not from this one alone. Default off.
  vtkSetMacro(EraseAllSegments, bool);
  vtkGetMacro(EraseAllSegments, bool);
  vtkBooleanMacro(EraseAllSegments, bool);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapErase() = default;
  ~vtkLabelMapErase() override = default;

private:
  vtkLabelMapErase(const vtkLabelMapErase&) = delete;
  void operator=(const vtkLabelMapErase&) = delete;

  bool EraseAllSegments = false;
};

#endif
