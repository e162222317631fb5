// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapWatershed
 * @brief Grows all segments, as markers, until they meet where a volume is steepest.
 *
 * Input: a label map, see vtkLabelMapAlgorithm; every value but 0 is a segment, and its voxels are
 * markers. SegmentLabel has no meaning here. Second input: the volume, on the same voxels, of any
 * scalar type. Output: every voxel takes the label of the marker from which water reaches it first
 * as it rises in the relief of the volume's steepness; markers keep theirs, and no line stays free
 * between segments.
 *
 * Relief: the volume is smoothed by a Gaussian of deviation ObjectScaleMm, the same in millimetres
 * along each axis, cut at 4 deviations (rounded up to voxels); its outermost voxels go on beyond
 * the border of the image. Of that the magnitude of the gradient by central differences, in value
 * per millimetre, which is rounded to 65,535 levels from the lowest to the highest one of the image
 * (see Kernels/SmoothGradient.h). With a deviation of 0 it is the gradient of the volume itself.
 * Values far from nearly all others (outliers, no data) are taken as less far first: as in
 * vtkLabelMapGrowFromSeeds, or the steepness around them would leave one level to everything else.
 * Edges that are finer than the deviation vanish, so segments ignore details smaller than that.
 *
 * Flooding: water spreads over the 6 face neighbours. Voxels are flooded in the order of the lowest
 * pass that leads to them from any marker; on flat ground and behind a pass in the order of their
 * distance, in steps, from where the water comes in. A voxel takes the label of the neighbour that
 * was flooded first, of several the lowest label, which in the editor is the segment higher in the
 * table. So the result does not depend on the order of work (see Kernels/Watershed.h).
 *
 * Walls: voxels whose value is not finite (NaN) have no part in the relief, are never entered and
 * stay as they are; markers on them do nothing. In the editor voxels that the operation may not
 * change (its masking) are walls as well. Voxels that no water reaches stay 0. An image without
 * markers stays as it is.
 *
 * Geometry: the spacing counts for the relief, steps of the water do not; axes are perpendicular.
 * Thin images of one or two slices are images like others.
 *
 * Threads: yes. Ranks: exact; the relief with a halo of 4 deviations and a voxel, then blocks are
 * flooded to the end, exchange what they know at their faces (halo 1), and go on where news comes,
 * until none does anywhere; first for the passes, then for labels. Cost: about 12 multiplications
 * per voxel of the deviation, and some looks at each voxel. Scratch memory: 4 bytes per voxel; 8 if
 * water goes more than 65,534 steps over flat ground. With several ranks also the volume's values
 * in the halo of a block.
 *
 * Errors: ObjectScaleMm that is not a number, below 0 or above 10, or above 128 voxels: 2 mm are
 * not meant for voxels of micrometres; no volume, or one on other voxels.
 *
 * Where Slicer's differs: it smooths by a recursive filter, which approximates the Gaussian; its
 * levels are those of 32-bit floating point numbers; voxels of a level are served as they were
 * queued, here ties go by distance and label; masking has no part in it; and it takes only two
 * segments and more, and deviations above 0.
 *
 * Sources: S. Beucher, F. Meyer, The morphological approach to segmentation: the watershed
 * transformation, in: Mathematical Morphology in Image Processing, 1993; see also
 * Kernels/Watershed.h.
 *
 * @sa vtkLabelMapGrowFromSeeds vtkLabelMapExpandSegments
 */
#ifndef vtkLabelMapWatershed_h
#define vtkLabelMapWatershed_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapWatershed : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapWatershed* New();
  vtkTypeMacro(vtkLabelMapWatershed, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Standard deviation of the smoothing in millimetres, about the size of the details to ignore; 0
  /// for none. 0 to 10. Default 2.
  vtkSetMacro(ObjectScaleMm, double);
  vtkGetMacro(ObjectScaleMm, double);
  ///@}

#ifndef __VTK_WRAP__
  bool SetWallLabel(std::int64_t label) override;
#endif

protected:
  vtkLabelMapWatershed();
  ~vtkLabelMapWatershed() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapWatershed(const vtkLabelMapWatershed&) = delete;
  void operator=(const vtkLabelMapWatershed&) = delete;

  double ObjectScaleMm = 2.0;
  std::int64_t WallLabel = 0;
};

#endif
