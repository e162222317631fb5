// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationModifier
 * @brief writes voxels of one segment, with the interface of Slicer's class of that name
 *
 * Changes a segment's binary labelmap by another image, the modifier, in which values above 0 are
 * inside. The segment may share its labelmap with others: voxels get the segment's label value, and
 * other segments lose voxels only as far as the caller agrees. Afterwards the labelmap has its
 * effective extent.
 *
 * Cost: that of the voxels under the modifier, not of the labelmap, as long as the labelmap holds
 * them already and keeps its extent. The labelmap is copied when its extent changes, and read as a
 * whole when voxels at the border of its extent were erased, when it was changed by others since
 * the last call, and when a segment is taken out of a shared one. Undo history
 * (vtkSegmentationHistory) learns what changed. Threads: see vtkOrientedImageDataResample.
 *
 * Bad input (null, no scalars, unknown segment, no binary labelmap): an error or warning that names
 * it, false, and nothing changed.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: MODE_MERGE_MAX writes the
 * segment's label, not the modifier's value, which is the label of another segment in a shared
 * labelmap; MODE_REPLACE of a segment with label 1 writes 1, whatever the modifier's values are;
 * and the overlap with other segments is found on the modifier's lattice.
 *
 * @sa vtkSegmentation vtkOrientedImageDataResample vtkSegmentationHistory
 */
#ifndef vtkSegmentationModifier_h
#define vtkSegmentationModifier_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <string> // for IDs
#include <vector> // for lists of IDs

class vtkOrientedImageData;
class vtkSegmentation;
class vtkStringArray;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationModifier : public vtkObject
{
public:
  static vtkSegmentationModifier* New();
  vtkTypeMacro(vtkSegmentationModifier, vtkObject);

  enum
  {
    MODE_REPLACE = 0, ///< the segment is what the modifier has inside, nothing else
    MODE_MERGE_MAX,   ///< the segment also has what the modifier has inside
    MODE_MERGE_MIN,   ///< the segment loses what the modifier has, but not inside
    MODE_MERGE_MASK   ///< the same as MODE_MERGE_MAX
  };

  /// Change a segment by a modifier, restricted to `extent` of the modifier's lattice if given.
  ///
  /// `segmentIdsToOverwrite` lists the segments of the same labelmap that may lose voxels. If any
  /// other has voxels inside the modifier, the segment first moves to a labelmap of its own, with
  /// label value 1. `minimumOfAllSegments`: MODE_MERGE_MIN erases the voxels of all segments of the
  /// labelmap. A labelmap of another lattice is resampled (nearest) to the modifier's. An empty one
  /// takes the modifier's lattice and scalar type.
  ///
  /// With `sourceRepresentationModifiedEnabled` other representations of all segments are removed,
  /// as after any change of the source; else they stay, for the caller to update them. Events, if a
  /// voxel changed: SourceRepresentationModified and RepresentationModified, with the ID.
  ///
  /// `modifiedSegmentIDs` is replaced by the IDs of the segments that lost voxels (not for
  /// MODE_MERGE_MIN), in display order, and that of the segment, last.
  static bool ModifyBinaryLabelmap(vtkOrientedImageData* labelmap, vtkSegmentation* segmentation,
    std::string segmentID, int mergeMode = MODE_REPLACE, const int extent[6] = nullptr,
    bool minimumOfAllSegments = false, bool sourceRepresentationModifiedEnabled = false,
    const std::vector<std::string> segmentIdsToOverwrite = {},
    std::vector<std::string>* modifiedSegmentIDs = nullptr);

  /// The same for languages without pointers to vectors; both arrays and the extent may be null.
  static bool ModifyBinaryLabelmapUsingArrays(vtkOrientedImageData* labelmap,
    vtkSegmentation* segmentation, const std::string& segmentID, int mergeMode,
    vtkStringArray* segmentIdsToOverwrite, vtkStringArray* modifiedSegmentIDs,
    bool minimumOfAllSegments = false, bool sourceRepresentationModifiedEnabled = false,
    const int extent[6] = nullptr);

  /// IDs, in display order, of the segments of the same binary labelmap that have voxels where the
  /// mask is above the threshold, within `extent` of the mask's lattice unless null. One pass over
  /// the mask, for all segments. The list is replaced. False for bad input.
  static bool GetSharedSegmentIDsInMask(vtkSegmentation* segmentation, std::string sharedSegmentID,
    vtkOrientedImageData* mask, const int extent[6], std::vector<std::string>& segmentIDs,
    int maskThreshold = 0.0, bool includeInputSegmentID = false);

protected:
  vtkSegmentationModifier() = default;
  ~vtkSegmentationModifier() override = default;

private:
  vtkSegmentationModifier(const vtkSegmentationModifier&) = delete;
  void operator=(const vtkSegmentationModifier&) = delete;

  class Edit;
};

#endif
