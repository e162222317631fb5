// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapFloodFilling
 * @brief Adds to a segment what can be reached from points through similar intensities.
 *
 * Input: a volume; output: a label map with SegmentLabel in the filled voxels and 0 elsewhere, see
 * vtkLabelMapAlgorithm. In the editor the voxels join the segment.
 *
 * From the voxel of each of the Points, voxels are filled that are connected through faces and
 * whose value differs from that voxel's by IntensityTolerance at most (both ends included). Several
 * points fill what each would fill alone. With NeighborhoodSizeMm above the voxel size thin bridges
 * are not crossed: at least half of the voxels within that radius, in millimetres along the image's
 * axes and cut off where the image ends, must be in the range as well. A point that is outside the
 * image, on a value that is no number, or on a voxel that fails this test fills nothing. In the
 * editor the flood does not pass where editing is not allowed (editable area, intensity range,
 * region).
 *
 * Values are compared exactly if they are integers below 2^53 or floating point. In the editor a
 * volume on other voxels than the label map is interpolated.
 *
 * Threads: none. Ranks: exact; voxels at the faces of blocks travel, as often as the flood crosses
 * from rank to rank. Halo: NeighborhoodSizeMm, one byte per voxel of it on several blocks. Cost:
 * proportional to what is filled, times the rows of the neighbourhood. Scratch memory: 3 bits per
 * voxel in tiles of 64 x 8 x 8 voxels that the flood touches.
 *
 * Errors: no points, or one that is not finite; a negative parameter; a neighbourhood of more than
 * 100 voxels of an image in one direction (it takes minutes; choose it by the voxels of the image).
 *
 * Differs from the Segment Editor's flood filling, which cuts a box out of the volume first and
 * allows one point.
 *
 * @sa vtkLabelMapThreshold vtkLabelMapIslands
 */
#ifndef vtkLabelMapFloodFilling_h
#define vtkLabelMapFloodFilling_h

#include "vtkLabelMapSeeded.h"

#include <memory> // for std::unique_ptr

namespace segcore
{
class SourceVolume;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapFloodFilling : public vtkLabelMapSeeded
{
public:
  static vtkLabelMapFloodFilling* New();
  vtkTypeMacro(vtkLabelMapFloodFilling, vtkLabelMapSeeded);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// How far a value may be from that of the point, 0 to 1e299. Default 10.
  vtkSetMacro(IntensityTolerance, double);
  vtkGetMacro(IntensityTolerance, double);
  ///@}

  ///@{
  /// Radius in millimetres in which half of the voxels must be in the range, 0 to 1e6; less than a
  /// voxel: none. Default 1.
  vtkSetMacro(NeighborhoodSizeMm, double);
  vtkGetMacro(NeighborhoodSizeMm, double);
  ///@}

#ifndef __VTK_WRAP__
  bool IsLocal() const override { return true; }
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapFloodFilling() = default;
  ~vtkLabelMapFloodFilling() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapFloodFilling(const vtkLabelMapFloodFilling&) = delete;
  void operator=(const vtkLabelMapFloodFilling&) = delete;

  double IntensityTolerance = 10.0;
  double NeighborhoodSizeMm = 1.0;
};

#endif
