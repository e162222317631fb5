// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapBoundaryRemoval
 * @brief Takes the voxels at boundaries of a volume, where it is steep, away from segments.
 *
 * Input: a volume; output: a label map with SegmentLabel at the boundaries and 0 elsewhere, see
 * vtkLabelMapAlgorithm. In the editor these voxels leave the segment, or all segments with
 * AllSegments: what is left are the voxels that belong to one phase for sure, seeds for growing.
 * Outside the editor the boundaries are a segment of their own.
 *
 * A voxel is at a boundary if the magnitude of the gradient there, by central differences over the
 * spacing, is from MinimumThreshold to MaximumThreshold, both included. At the border of the image
 * the voxel itself takes the place of the missing neighbour. With AutoThreshold the minimum is
 * Otsu's threshold of all magnitudes, from a histogram of 64 bins; where all are equal there is no
 * boundary. Voxels with a neighbour that is not a number are at none.
 *
 * Threads: yes. Ranks: exact, histogram included. Halo: one voxel. Cost: seven reads per voxel, two
 * or, with AutoThreshold, three times. Scratch memory: the layer of voxels around each block, for
 * several blocks or ranks, and a row of doubles per thread; nothing per voxel.
 *
 * Errors: a threshold that is out of range or no number.
 *
 * Sources: N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9(1),
 * 1979, doi:10.1109/TSMC.1979.4310076. GeoSlicer's effect asks for three segments and treats all
 * visible ones; its version for large images works in chunks.
 *
 * @sa vtkLabelMapThreshold vtkLabelMapExpandSegments
 */
#ifndef vtkLabelMapBoundaryRemoval_h
#define vtkLabelMapBoundaryRemoval_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapBoundaryRemoval : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapBoundaryRemoval* New();
  vtkTypeMacro(vtkLabelMapBoundaryRemoval, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Lowest and highest gradient magnitude of a boundary, in intensity per millimetre, 0 to 1e299.
  /// Default 0 and 1e299; the minimum counts without AutoThreshold only.
  vtkSetMacro(MinimumThreshold, double);
  vtkGetMacro(MinimumThreshold, double);
  vtkSetMacro(MaximumThreshold, double);
  vtkGetMacro(MaximumThreshold, double);
  ///@}

  ///@{
  /// Find the minimum by Otsu's method. Default on.
  vtkSetMacro(AutoThreshold, bool);
  vtkGetMacro(AutoThreshold, bool);
  vtkBooleanMacro(AutoThreshold, bool);
  ///@}

  ///@{
  /// In the editor, take boundaries away from all segments, not from this one alone. Default off.
  vtkSetMacro(AllSegments, bool);
  vtkGetMacro(AllSegments, bool);
  vtkBooleanMacro(AllSegments, bool);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapBoundaryRemoval() = default;
  ~vtkLabelMapBoundaryRemoval() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapBoundaryRemoval(const vtkLabelMapBoundaryRemoval&) = delete;
  void operator=(const vtkLabelMapBoundaryRemoval&) = delete;

  double MinimumThreshold = 0.0;
  double MaximumThreshold = 1e299;
  bool AutoThreshold = true;
  bool AllSegments = false;
};

#endif
