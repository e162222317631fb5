// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkClosedSurfaceToFractionalLabelmapConversionRule
 * @brief makes the fractional labelmap of a segment from its closed surface
 *
 * With the interface of Slicer's class of that name. From "Closed surface" (vtkPolyData) to
 * "Fractional labelmap": an image of signed bytes from -108 (outside) to 108 (inside) whose values
 * say how many of 6^3 samples in the voxel are inside the surface; cost 7000. Geometry and
 * parameters are those of vtkClosedSurfaceToBinaryLabelmapConversionRule; the extent has one voxel
 * more on both sides along i and j, but not along k, for Slicer's sake. The "Collapse labelmaps"
 * parameter is there and does nothing.
 *
 * The image's field data say how to read it: ScalarRange (two doubles, -108 and 108),
 * ThresholdValue (one double, 0: half inside), InterpolationType (one int, 1: linear).
 *
 * The segment's label value stays. Threads, memory and bad input as for the binary labelmap.
 * Differences from Slicer: see docs/data-model.md.
 *
 * @sa vtkPolyDataToFractionalLabelmapFilter
 */
#ifndef vtkClosedSurfaceToFractionalLabelmapConversionRule_h
#define vtkClosedSurfaceToFractionalLabelmapConversionRule_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkClosedSurfaceToFractionalLabelmapConversionRule
  : public vtkClosedSurfaceToBinaryLabelmapConversionRule
{
public:
  static vtkClosedSurfaceToFractionalLabelmapConversionRule* New();
  vtkTypeMacro(vtkClosedSurfaceToFractionalLabelmapConversionRule,
    vtkClosedSurfaceToBinaryLabelmapConversionRule);
  void PrintSelf(ostream& os, vtkIndent indent) override;
  VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() override;

  ///@{
  /// See vtkSegmentationConverterRule.
  unsigned int GetConversionCost(vtkDataObject* sourceRepresentation = nullptr,
    vtkDataObject* targetRepresentation = nullptr) override;
  const char* GetName() override
  {
    return "Closed surface to fractional labelmap (simple image stencil)";
  }
  const char* GetTargetRepresentationName() override
  {
    return vtkSegmentationConverter::GetSegmentationFractionalLabelmapRepresentationName();
  }
  ///@}

  /// Convert one segment; see the class comment.
  bool Convert(vtkSegment* segment) override;

  /// Does nothing: fractional labelmaps are not shared.
  bool PostConvert(vtkSegmentation* segmentation) override;

protected:
  vtkClosedSurfaceToFractionalLabelmapConversionRule();
  ~vtkClosedSurfaceToFractionalLabelmapConversionRule() override;

  /// Samples in a voxel along each axis, 1 to 16. Default 6.
  int NumberOfOffsets = 6;

private:
  vtkClosedSurfaceToFractionalLabelmapConversionRule(
    const vtkClosedSurfaceToFractionalLabelmapConversionRule&) = delete;
  void operator=(const vtkClosedSurfaceToFractionalLabelmapConversionRule&) = delete;
};

#endif
