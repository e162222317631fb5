// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkFractionalLabelmapToClosedSurfaceConversionRule
 * @brief makes the closed surface of a segment from its fractional labelmap
 *
 * Input: a vtkOrientedImageData of one component of any type whose values say how much of a voxel
 * belongs to the segment, from the first to the second number of the field data array `ScalarRange`
 * (0 to 1 without it). Beyond the image every value is the lowest. Output: as the binary rule's, at
 * the value lowest + fraction * (highest - lowest), interpolated linearly between voxel centres, by
 * flying edges. With a threshold fraction of 0 all values above the lowest are inside.
 *
 * Oversampling magnifies the image first (trilinear; the voxels of the magnified image fill the
 * same space). Decimation, smoothing (20 iterations) and normals as in the binary rule; conversion
 * method and joint smoothing are not used.
 *
 * Errors (false, and nothing is changed): no fractional labelmap, several components, a
 * `ScalarRange` that is not ascending, a parameter out of its range. Threads: vtkSMPTools, same
 * result for any number. Cost: linear in the voxels of the magnified image. Scratch: 5 bytes per
 * magnified voxel.
 *
 * Differences from Slicer: see docs/data-model.md.
 *
 * @sa vtkBinaryLabelmapToClosedSurfaceConversionRule
 */
#ifndef vtkFractionalLabelmapToClosedSurfaceConversionRule_h
#define vtkFractionalLabelmapToClosedSurfaceConversionRule_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkFractionalLabelmapToClosedSurfaceConversionRule
  : public vtkBinaryLabelmapToClosedSurfaceConversionRule
{
public:
  static vtkFractionalLabelmapToClosedSurfaceConversionRule* New();
  vtkTypeMacro(vtkFractionalLabelmapToClosedSurfaceConversionRule,
    vtkBinaryLabelmapToClosedSurfaceConversionRule);
  VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() override;

  /// Magnification along each axis, 0.01 to 100. Default 1.
  static const std::string GetFractionalLabelMapOversamplingFactorParameterName()
  {
    return "Fractional labelmap oversampling factor";
  }
  /// Where the surface is in the range of values, 0 to 1. Default 0.5.
  static const std::string GetThresholdFractionParameterName() { return "Threshold fraction"; }

  ///@{
  /// Segments do not share fractional labelmaps: Pre- and PostConvert do nothing.
  bool PreConvert(vtkSegmentation* segmentation) override;
  bool Convert(vtkSegment* segment) override;
  bool PostConvert(vtkSegmentation* segmentation) override;
  ///@}

  /// 600, for any objects.
  unsigned int GetConversionCost(vtkDataObject* sourceRepresentation = nullptr,
    vtkDataObject* targetRepresentation = nullptr) override;

  const char* GetName() override { return "Fractional labelmap to closed surface"; }
  const char* GetSourceRepresentationName() override;
  const char* GetTargetRepresentationName() override;

protected:
  vtkFractionalLabelmapToClosedSurfaceConversionRule();
  ~vtkFractionalLabelmapToClosedSurfaceConversionRule() override = default;

private:
  vtkFractionalLabelmapToClosedSurfaceConversionRule(
    const vtkFractionalLabelmapToClosedSurfaceConversionRule&) = delete;
  void operator=(const vtkFractionalLabelmapToClosedSurfaceConversionRule&) = delete;
};

#endif
