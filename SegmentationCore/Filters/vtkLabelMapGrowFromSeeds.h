// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapGrowFromSeeds
 * @brief Grows all segments, as seeds, over the whole image along the grey values of a volume.
 *
 * Input: a label map, see vtkLabelMapAlgorithm; every value but 0 is a segment, and its voxels are
 * seeds. SegmentLabel has no meaning here. Second input: the volume, on the same voxels, of any
 * scalar type. Output: every voxel takes the label of the seed from which the cheapest path leads
 * to it; seeds keep theirs. Paths go from voxel to voxel of the 26 around. A step costs the
 * difference of the two grey values, and SeedLocalityFactor times its length in millimetres; a path
 * costs the sum of its steps. Paths of equal cost go to the lowest label, which in the editor is
 * the segment higher in the table.
 *
 * Costs are exact. Whole numbers that span at most 65,535, whatever their type, are taken as they
 * are; other volumes are rounded to 65,536 levels from their lowest to their highest value. A few
 * outliers, or one value far from all others (no data), do not take these levels: if the range is
 * more than 32 times as long as its core, it is cut off 7.5 times the length of the core before and
 * after it, and what is beyond counts as the end. The core are all values but one in 10,000 on each
 * side, without a lowest or highest value that is 16 times their span away from them. The
 * cost of length is rounded once for each of the 13 directions, to 1/256 of a grey value where the
 * span of the volume leaves room (2^k of its span, up to 65,535), otherwise to one level. So
 * "cheapest" and "equal" have no rounding of sums, and the result does not depend on the order of
 * work.
 *
 * Walls: voxels whose value is not finite (NaN) are never entered, and stay as they are; seeds on
 * them do not grow. In the editor voxels that the operation may not change (its masking) are walls
 * as well, as in Slicer. Voxels that no path reaches stay 0. An image without seeds stays as it is.
 *
 * Geometry: spacing counts only with SeedLocalityFactor above 0; axes are perpendicular. Thin
 * images of one or two slices are images like others.
 *
 * Updates: with Incremental the filter remembers costs, and a few more, fewer or other seeds cost
 * what they change. Erased seeds are forgotten, which Slicer's update does not. An editing session
 * does so from one operation or preview to the next, see vtkLabelMapEditSession.
 *
 * Threads: yes. Ranks: exact; blocks are grown to the end, exchange the voxels at their seams (halo
 * 1), and go on where these have become cheaper, until none does anywhere: about as many rounds as
 * the most winding path crosses seams. Cost: about twice 26 neighbours per voxel. Scratch memory: 4
 * bytes per voxel; 8 if a cost and a label do not fit into 30 bits together. With several blocks or
 * ranks also the values of the voxels around a block.
 *
 * Errors: SeedLocalityFactor that is not a number, below 0 or above 10; no volume, or one on other
 * voxels.
 *
 * Where Slicer's differs: its seeds on the border of the image do not grow, here they do; ties go
 * to whichever its heap gives first; distances are rounded to 32-bit floating point at each step;
 * it needs three voxels along each axis, and has at most 2^32 - 1; and it always crops the image to
 * the surroundings of the seeds, which here an operation asks for by its region: {"growth": 0.1}.
 *
 * Sources: A. X. Falcao, J. Stolfi, R. de Alencar Lotufo, The image foresting transform: theory,
 * algorithms, and applications, IEEE TPAMI 26(1), 2004, doi:10.1109/TPAMI.2004.1261076; see also
 * Kernels/SeedGrowth.h.
 *
 * @sa vtkLabelMapExpandSegments
 */
#ifndef vtkLabelMapGrowFromSeeds_h
#define vtkLabelMapGrowFromSeeds_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapGrowFromSeeds : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapGrowFromSeeds* New();
  vtkTypeMacro(vtkLabelMapGrowFromSeeds, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// What a millimetre of a path costs, in grey values: 0 lets a segment follow its tissue as far
  /// as that goes, more keeps it near its seeds. 0 to 10. Default 0.
  vtkSetMacro(SeedLocalityFactor, double);
  vtkGetMacro(SeedLocalityFactor, double);
  ///@}

  ///@{
  /// Whether the filter keeps the costs of all paths (4 bytes per voxel), so that the next
  /// execution costs what changed seeds change: those added, those erased, and those of another
  /// label, with the result of a new start, bit for bit. It starts anew when the volume, the
  /// parameters, the way that the image is cut or the set of labels are others, or too many seeds.
  /// Default off.
  vtkSetMacro(Incremental, bool);
  vtkGetMacro(Incremental, bool);
  vtkBooleanMacro(Incremental, bool);
  ///@}

#ifndef __VTK_WRAP__
  bool SetWallLabel(std::int64_t label) override;
  bool ContinueFrom(vtkLabelMapAlgorithm* earlier) override;
#endif

protected:
  vtkLabelMapGrowFromSeeds();
  ~vtkLabelMapGrowFromSeeds() override;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapGrowFromSeeds(const vtkLabelMapGrowFromSeeds&) = delete;
  void operator=(const vtkLabelMapGrowFromSeeds&) = delete;

  struct State;

  double SeedLocalityFactor = 0.0;
  bool Incremental = false;
  std::int64_t WallLabel = 0;
  std::unique_ptr<State> Last;
};

#endif
