// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapFillBetweenSlices
 * @brief Fills what lies between segmented slices, for all segments at once.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm; every value but 0 is a segment.
 * SegmentLabel has no meaning here. Labelled voxels keep their label.
 *
 * A slice counts as segmented for a label if it holds a voxel of the label whose neighbours in the
 * slice have the label, too, and whose neighbours before and behind it are 0 (or beyond the image).
 * All three axes are looked at, each label by itself, as in Slicer. Between two segmented slices of
 * a label that follow each other the contours run straight from one to the other: a voxel is inside
 * if its distances to both contours say so, in proportion. Parts of the two slices belong together
 * if they lie above each other, so a segment may split and merge. Parts that hardly overlap are
 * moved onto each other by their centroids, and single parts that are near enough are connected;
 * a part that has no counterpart ends halfway. Kernels/FillBetweenSlices.h defines it to the bit.
 *
 * Geometry: distances honour the spacing of the two axes of the slice. The border of the image is
 * no background: a segment that is cut off there stays so. Ties: where segments would overlap the
 * lowest label wins, which in the editor is the segment higher in the table.
 *
 * Slices must have at least one slice without the segment between them, and be exactly planar. A
 * plate that is one voxel thick looks like a segmented slice.
 *
 * In the editor: works on all visible segments and needs no segment. Hidden segments count as
 * background, and are overwritten or not as the operation's masking says.
 *
 * Threads: yes. Ranks: exact; a halo of 1 voxel to find the slices, then each pair of slices is
 * gathered, within the box of its label, by one rank, which sends the runs of the result to those
 * that own their voxels. Cost: two reads of the image, then linear in the boxes of the labels in
 * the segmented slices and in the result. Scratch memory: up to 2 bytes per voxel for the results
 * of a batch of pairs; with several ranks the labels of a block with its halo; per thread 8 bytes
 * per pixel of a slice.
 *
 * Differs from Slicer (and ITK's MorphologicalContourInterpolator, which it uses): contours are
 * interpolated by distances rather than by repeated dilations, in millimetres rather than voxels,
 * and parts are moved only where they hardly overlap; slices left out of real segmentations come
 * back better.
 *
 * Errors: none of its own.
 *
 * Sources: S. Raya, J. Udupa, IEEE Trans. Med. Imaging 9 (1990), doi:10.1109/42.52980; D. Zukic et
 * al., ND morphological contour interpolation, Insight Journal, 2016, doi:10.54294/achtrg (which
 * slices are meant).
 *
 * @sa vtkLabelMapExpandSegments
 */
#ifndef vtkLabelMapFillBetweenSlices_h
#define vtkLabelMapFillBetweenSlices_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapFillBetweenSlices : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapFillBetweenSlices* New();
  vtkTypeMacro(vtkLabelMapFillBetweenSlices, vtkLabelMapAlgorithm);

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
#endif

protected:
  vtkLabelMapFillBetweenSlices() = default;
  ~vtkLabelMapFillBetweenSlices() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapFillBetweenSlices(const vtkLabelMapFillBetweenSlices&) = delete;
  void operator=(const vtkLabelMapFillBetweenSlices&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);
};

#endif
