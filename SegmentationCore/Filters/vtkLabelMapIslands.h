// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapIslands
 * @brief Keeps, removes, adds or tells apart connected components (islands) of a segment, by their
 * number of voxels or by points in them.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * or get a label of their own; only ADD_SELECTED_ISLAND makes voxels enter it.
 *
 * KEEP_LARGEST_ISLAND keeps the island with the most voxels; of equal ones the one that holds the
 * first voxel of the image in raster order (x fastest). MinimumSize plays no part in it. (In Slicer
 * it does: a segment whose largest island is smaller than MinimumSize is cleared. That loses data
 * by the leftover value of another operation, so it is not repeated here.) REMOVE_SMALL_ISLANDS
 * keeps every island of MinimumSize voxels and more. SPLIT_ISLANDS_TO_SEGMENTS drops smaller ones
 * too, leaves SegmentLabel to the largest, and gives the others, by size and then by first voxel,
 * the labels after the largest one of the label map; in the editor they become new segments, named
 * after the segment with _2, _3, ... For a number for every island of a mask, however many, see
 * vtkLabelMapIslandNumbers.
 *
 * KEEP_SELECTED_ISLAND keeps the islands with one of the Points in them and removes all others;
 * points beside the segment do nothing, and if all are, nothing changes. REMOVE_SELECTED_ISLAND
 * removes those islands. ADD_SELECTED_ISLAND adds the connected region of equal label, 0 or another
 * segment's, around each point; in the editor labels are those of the visible segments. (In Slicer
 * the region of a point outside of all segments ends one voxel around them; here it ends where the
 * image does.)
 *
 * Voxels are connected through faces (Connectivity 6, Slicer's only choice), also edges (18), also
 * corners (26). Islands are those of the whole image: they are joined across blocks and ranks.
 *
 * Threads: yes; none for islands at points. Ranks: exact; only the runs of voxels at the faces of
 * blocks travel, for islands at points as often as the island crosses from rank to rank. Sizes have
 * 64 bits. Cost: proportional to the number of voxels; looking for an island at a point, to its
 * own. Scratch memory: 1/8 byte per voxel, 4 bytes per run of voxels along x and 8 per row, so at
 * most 2.2 bytes per voxel (a checkerboard) plus 8 per row; below 1 for real data. Several blocks
 * need 80 bytes more for each run and component at their faces while they are joined, and islands
 * to split to 16 each.
 *
 * Errors: a negative MinimumSize, another Connectivity, an unknown Operation; an operation at
 * points without Points, or with one that is not finite; more than 10000 islands to split to (raise
 * MinimumSize), or more than the scalar type has labels for.
 *
 * Source: run-based two-scan labelling with union-find, L. He et al., The connected-component
 * labeling problem: a review of state-of-the-art algorithms, Pattern Recognition 70, 2017,
 * doi:10.1016/j.patcog.2017.04.018.
 *
 * @sa vtkLabelMapIslandNumbers vtkLabelMapConnectivity vtkLabelMapFloodFilling
 */
#ifndef vtkLabelMapIslands_h
#define vtkLabelMapIslands_h

#include "vtkLabelMapSeeded.h"

#include <vector> // for std::vector

namespace segcore
{
class ComponentJoin;
class ComponentRuns;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapIslands : public vtkLabelMapSeeded
{
public:
  static vtkLabelMapIslands* New();
  vtkTypeMacro(vtkLabelMapIslands, vtkLabelMapSeeded);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Operation; the names are Slicer's.
  enum Operations
  {
    KEEP_LARGEST_ISLAND = 0,
    REMOVE_SMALL_ISLANDS = 1,
    SPLIT_ISLANDS_TO_SEGMENTS = 2,
    KEEP_SELECTED_ISLAND = 3,
    REMOVE_SELECTED_ISLAND = 4,
    ADD_SELECTED_ISLAND = 5
  };

  ///@{
  /// What to do with the islands. Default KEEP_LARGEST_ISLAND.
  vtkSetMacro(Operation, int);
  vtkGetMacro(Operation, int);
  ///@}

  ///@{
  /// Islands of this many voxels and more are kept by REMOVE_SMALL_ISLANDS and
  /// SPLIT_ISLANDS_TO_SEGMENTS. At least 0. Default 1000.
  vtkSetMacro(MinimumSize, vtkTypeInt64);
  vtkGetMacro(MinimumSize, vtkTypeInt64);
  ///@}

  ///@{
  /// Which voxels touch: 6 (faces), 18 (and edges), 26 (and corners). Default 6.
  vtkSetMacro(Connectivity, int);
  vtkGetMacro(Connectivity, int);
  ///@}

  /// Islands that the last execution found in the whole image; 0 after an operation at points,
  /// which looks for no others.
  vtkGetMacro(NumberOfIslands, vtkTypeInt64);

#ifndef __VTK_WRAP__
  bool MakesParts() const override { return this->Operation == SPLIT_ISLANDS_TO_SEGMENTS; }
  bool SeesAllSegments() const override { return this->Operation == ADD_SELECTED_ISLAND; }
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
#endif

protected:
  vtkLabelMapIslands() = default;
  ~vtkLabelMapIslands() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapIslands(const vtkLabelMapIslands&) = delete;
  void operator=(const vtkLabelMapIslands&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  template <class T>
  void SplitTyped(segcore::EffectJob& job, const std::vector<segcore::ComponentRuns>& components,
    const segcore::ComponentJoin& islands, T label, T* out);

  template <class T>
  void SelectTyped(segcore::EffectJob& job, T label, T* out);

  int Operation = KEEP_LARGEST_ISLAND;
  vtkTypeInt64 MinimumSize = 1000;
  int Connectivity = 6;
  vtkTypeInt64 NumberOfIslands = 0;
};

#endif
