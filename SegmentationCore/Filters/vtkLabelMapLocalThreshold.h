// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapLocalThreshold
 * @brief Adds to a segment the structure of similar intensity at points, cut off where it is thin.
 *
 * Input: a label map, see vtkLabelMapAlgorithm. Second input: the volume, on the same voxels, of
 * any scalar type. Output: the segment, with the voxels that are selected added. Other labels do
 * not stop it and are covered.
 *
 *  1. Voxels from MinimumThreshold to MaximumThreshold (both ends included; NaN never) may be
 *     selected.
 *  2. Their cores: what is left when an ellipsoid of MinimumDiameterMm is taken off their surface
 *     (the ellipsoid of vtkLabelMapMorphology). So structures that are joined by something thinner
 *     come apart. Cores are islands through faces; those of fewer than 125 voxels are left out.
 *  3. Each of the Points goes to the nearest voxel of a core, at most MinimumDiameterMm away or the
 *     one that it is in; of equally near ones to the first in raster order (x fastest). The island
 *     of that voxel is selected, those of all points together. A point without one selects nothing,
 *     and so does one outside of the image.
 *  4. The rest of the voxels of 1 is shared out by SegmentationAlgorithm:
 *     - GrowCut: the selected islands, all others, and the voxels outside of the thresholds are
 *       three seeds that grow over the volume, as in vtkLabelMapGrowFromSeeds: a voxel is selected
 *       if the cheapest path to it, whose steps cost their differences of grey value, starts at a
 *       selected island. So that of paths through equal values the shortest counts, each smallest
 *       spacing of a step's length costs 4 of the smallest units more (1/256 of a grey value where
 *       the span of the volume leaves room, as in vtkLabelMapGrowFromSeeds). If costs are equal the
 *       other islands have it before the selected ones, and these before the outside.
 *     - Masking: what an ellipsoid of 2 k - 1 voxels along an axis (k those of the first one)
 *       around any of the other islands covers is taken off, and selected is what can be reached
 *       from the selected islands through faces.
 *     - WaterShed: the three seeds of GrowCut flood the gradient of the volume, smoothed by a
 *       Gaussian of FeatureSizeMm, as in vtkLabelMapWatershed.
 *
 * Threads: yes. Ranks: exact. Halo: the ellipsoids, one bit per voxel; for GrowCut one voxel,
 * exchanged until nothing changes. Cost: that of an opening, of islands, and of
 * vtkLabelMapGrowFromSeeds, vtkLabelMapWatershed or a flood. Scratch memory: at most 4 bytes per
 * voxel, whichever of the steps needs most; 8 if costs do not fit 28 bits. With several ranks
 * also the values of the voxels around a block, for WaterShed as far as its Gaussian reaches.
 *
 * Errors: no points, or one that is not finite; a diameter that is negative or spans more than 255
 * voxels of an axis; a threshold that is no number; no volume, or one on other voxels.
 *
 * Where Slicer's extension of that name differs: its point is snapped within the box of the
 * ellipsoid by squared distance in voxels, here in millimetres; it allows one point; it breaks ties
 * of costs by its heap; and it keeps the intensity mask of the editor at the thresholds for the
 * time.
 *
 * Source: V. Vezhnevets, V. Konouchine, GrowCut: interactive multi-label N-D image segmentation by
 * cellular automata, Graphicon 2005; see also vtkLabelMapGrowFromSeeds.
 *
 * @sa vtkLabelMapThreshold vtkLabelMapFloodFilling vtkLabelMapGrowFromSeeds
 */
#ifndef vtkLabelMapLocalThreshold_h
#define vtkLabelMapLocalThreshold_h

#include "vtkLabelMapSeeded.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapLocalThreshold : public vtkLabelMapSeeded
{
public:
  static vtkLabelMapLocalThreshold* New();
  vtkTypeMacro(vtkLabelMapLocalThreshold, vtkLabelMapSeeded);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of SegmentationAlgorithm; the names are Slicer's.
  enum SegmentationAlgorithms
  {
    GROW_CUT = 0,
    MASKING = 1,
    WATERSHED = 2
  };

  ///@{
  /// Lowest value that may be selected, in the unit of the volume. Default -1e299: no lower bound.
  vtkSetMacro(MinimumThreshold, double);
  vtkGetMacro(MinimumThreshold, double);
  ///@}

  ///@{
  /// Highest value that may be selected, in the unit of the volume. Default 1e299: no upper bound.
  vtkSetMacro(MaximumThreshold, double);
  vtkGetMacro(MaximumThreshold, double);
  ///@}

  ///@{
  /// Structures joined by less than this many millimetres come apart, 0 to 1e6. Below two voxels
  /// nothing does on that axis. Default 3.
  vtkSetMacro(MinimumDiameterMm, double);
  vtkGetMacro(MinimumDiameterMm, double);
  ///@}

  ///@{
  /// How large the features are that WATERSHED looks for, in millimetres: the standard deviation of
  /// the Gaussian before the gradient, 0 to 10; 0 takes the volume as it is. Default 3.
  vtkSetMacro(FeatureSizeMm, double);
  vtkGetMacro(FeatureSizeMm, double);
  ///@}

  ///@{
  /// How voxels between the cores of structures are shared out. Default GROW_CUT.
  vtkSetMacro(SegmentationAlgorithm, int);
  vtkGetMacro(SegmentationAlgorithm, int);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapLocalThreshold();
  ~vtkLabelMapLocalThreshold() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapLocalThreshold(const vtkLabelMapLocalThreshold&) = delete;
  void operator=(const vtkLabelMapLocalThreshold&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  double MinimumThreshold = -1e299;
  double MaximumThreshold = 1e299;
  double MinimumDiameterMm = 3.0;
  double FeatureSizeMm = 3.0;
  int SegmentationAlgorithm = GROW_CUT;
};

#endif
