// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapIslandNumbers
 * @brief Gives each connected component (island) of a segment a number.
 *
 * Input: a label map, see vtkLabelMapAlgorithm; the object is all voxels equal to SegmentLabel.
 *
 * Output: an array "Islands", the active scalars: 0 outside of the segment and in islands of less
 * than MinimumSize voxels; in the others 1, 2, ... by size, the largest first, and of equal ones by
 * the first voxel in raster order (x fastest). So islands 1 to n are the n largest. 32-bit integers
 * while they suffice, else 64. Voxels are connected through faces (Connectivity 6), also edges
 * (18), also corners (26).
 *
 * For a few islands that shall become segments there is SPLIT_ISLANDS_TO_SEGMENTS of
 * vtkLabelMapIslands; here their number does not matter. Labels and order are those of Slicer's
 * vtkITKIslandMath, which counts in 32 bits and ends the process where its output type has no more
 * labels.
 *
 * Threads: yes. Ranks: exact; the runs of voxels at the faces of blocks travel, and for the numbers
 * 16 bytes per island. Cost: proportional to the number of voxels. Scratch memory: as
 * vtkLabelMapIslands, at most 2.2 bytes per voxel plus 8 per row; on several blocks or ranks 40
 * bytes more per island.
 *
 * Errors: a negative MinimumSize, another Connectivity.
 *
 * Sources: see vtkLabelMapIslands.
 *
 * @sa vtkLabelMapIslands
 */
#ifndef vtkLabelMapIslandNumbers_h
#define vtkLabelMapIslandNumbers_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapIslandNumbers : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapIslandNumbers* New();
  vtkTypeMacro(vtkLabelMapIslandNumbers, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Islands of fewer voxels get no number. At least 0. Default 1: all get one.
  vtkSetMacro(MinimumSize, vtkTypeInt64);
  vtkGetMacro(MinimumSize, vtkTypeInt64);
  ///@}

  ///@{
  /// Which voxels touch: 6 (faces), 18 (and edges), 26 (and corners). Default 6.
  vtkSetMacro(Connectivity, int);
  vtkGetMacro(Connectivity, int);
  ///@}

  /// The largest number that the last execution gave.
  vtkGetMacro(NumberOfIslands, vtkTypeInt64);

protected:
  vtkLabelMapIslandNumbers() = default;
  ~vtkLabelMapIslandNumbers() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapIslandNumbers(const vtkLabelMapIslandNumbers&) = delete;
  void operator=(const vtkLabelMapIslandNumbers&) = delete;

  vtkTypeInt64 MinimumSize = 1;
  int Connectivity = 6;
  vtkTypeInt64 NumberOfIslands = 0;
};

#endif
