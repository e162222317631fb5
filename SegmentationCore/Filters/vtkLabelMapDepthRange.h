// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapDepthRange
 * @brief Adds to a segment the full width of the image between two depths.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels in the range become SegmentLabel,
 * whatever they were; all others stay.
 *
 * Geometry: depth is measured along DepthDirection, of any orientation. The range goes from the
 * point of least depth to that of greatest depth; a voxel is in it if its centre is, the lower end
 * included and the upper one not, so that ranges that follow each other share no voxel. Depths are
 * rounded once, to 2^-26 of a slice, see Kernels/PolygonPrism.h.
 *
 * Local: costs what it touches. Threads: yes. Ranks: exact, nothing is exchanged. Scratch memory: 1
 * byte per touched voxel.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); a direction without length.
 *
 * @sa vtkLabelMapDraw vtkLabelMapScissors
 */
#ifndef vtkLabelMapDepthRange_h
#define vtkLabelMapDepthRange_h

#include "vtkLabelMapPointAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapDepthRange : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapDepthRange* New();
  vtkTypeMacro(vtkLabelMapDepthRange, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Where depth grows, in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(DepthDirection, double);
  vtkGetVector3Macro(DepthDirection, double);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapDepthRange() = default;
  ~vtkLabelMapDepthRange() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapDepthRange(const vtkLabelMapDepthRange&) = delete;
  void operator=(const vtkLabelMapDepthRange&) = delete;

  double DepthDirection[3] = { 0.0, 0.0, 1.0 };
};

#endif
