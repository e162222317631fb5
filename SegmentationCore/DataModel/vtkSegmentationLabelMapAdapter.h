// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationLabelMapAdapter
 * @brief between a label map image with its segment table and a vtkSegmentation
 *
 * A label map is what the editor, the filters and the files work on: a vtkImageData with one
 * integer point array per layer (`Labels`, `Labels_1`, ...) and a segment table in its field data
 * (see vtkLabelSegmentTable). A vtkSegmentation holds the same as one vtkOrientedImageData per
 * layer.
 *
 * Both ways keep: geometry, layers, ID, name, colour, label value, tags, display order, the two
 * auto-generated flags, the status, and whether a segment is visible. Slicer's segments have no
 * fields for the last two: the status is the tag `Segmentation.Status` as in Slicer (`inprogress`,
 * `completed`, `flagged`; none for not started; other numbers in digits), and a hidden segment has
 * the tag `Segmentation.Visible` = `0`. A segment that has no terminology entry in the table has
 * none in the segmentation. Not kept: voxel counts (-1, unknown, on the way back), and the order of
 * tags, which is alphabetical in a vtkSegment. Conversion parameters and the names of contained
 * representations are in the field data arrays `Segmentation_ConversionParameters` and
 * `Segmentation_ContainedRepresentationNames`, as the readers leave them and the writers expect
 * them.
 *
 * Voxels are passed on by reference wherever an array is right as it is: in the first direction
 * always, in the second where a layer's extent is the common one. Whoever writes to them in place
 * afterwards writes to both sides.
 *
 * Errors: false is returned, an error that names the culprit is reported by the target (or
 * whichever of the two was given), and nothing is changed.
 *
 * Ranks: no communication; on a distributed label map each rank converts its own part, whose extent
 * becomes the extent of the layers.
 *
 * @sa vtkSegmentation vtkLabelSegmentTable
 */
#ifndef vtkSegmentationLabelMapAdapter_h
#define vtkSegmentationLabelMapAdapter_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

class vtkImageData;
class vtkSegmentation;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationLabelMapAdapter : public vtkObject
{
public:
  static vtkSegmentationLabelMapAdapter* New();
  vtkTypeMacro(vtkSegmentationLabelMapAdapter, vtkObject);

  /// Make a segmentation's segments those of a label map. Its segments are replaced, binary
  /// labelmap becomes the source representation, and "Reference image geometry" becomes the label
  /// map's geometry. Other conversion parameters are set if the label map has them. Segments of one
  /// layer share one image; layers without segments are left out. Refused: no table or a wrong one,
  /// a layer's array that is missing or no integer array with one value per point, a label value
  /// that a vtkSegment cannot hold (above 2^31 - 1).
  static bool LabelMapToSegmentation(
    vtkImageData* labelMapWithTable, vtkSegmentation* segmentation);

  /// Make an image the label map of a segmentation's binary labelmaps: all its arrays and its field
  /// data are replaced. The geometry is that of the layers with voxels, the extent the union of
  /// theirs, and of the reference geometry if that has the same lattice; without any voxels it is
  /// the reference geometry. Outside a layer's extent its array is 0. Refused: a segment without a
  /// binary labelmap that is an image with one integer per voxel (images without voxels are fine),
  /// layers whose lattices differ by more than 0.0001 in an element of the image-to-world matrix, a
  /// label value below 1, two segments of a layer with the same one, and a reference geometry that
  /// cannot be read.
  static bool SegmentationToLabelMap(vtkSegmentation* segmentation, vtkImageData* labelMap);

protected:
  vtkSegmentationLabelMapAdapter();
  ~vtkSegmentationLabelMapAdapter() override;

private:
  vtkSegmentationLabelMapAdapter(const vtkSegmentationLabelMapAdapter&) = delete;
  void operator=(const vtkSegmentationLabelMapAdapter&) = delete;
};

#endif
