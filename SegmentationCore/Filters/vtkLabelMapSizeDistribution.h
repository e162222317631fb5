// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSizeDistribution
 * @brief How much of a segment is how thick: pore and grain sizes by maximal inscribed spheres.
 *
 * Input and output: see vtkLabelMapTableAlgorithm. The segment is all voxels equal to SegmentLabel.
 *
 * The size of a voxel is the diameter of the largest ball that lies in the segment and covers the
 * voxel (Hildebrand and Ruegsegger's local thickness; in rock the size of the pore that the voxel
 * is in, a throat having the size of its own balls). The table has a row for each diameter of a
 * list, in ascending order, and before them one for diameter 0:
 *
 * | column | what |
 * |---|---|
 * | diameter_mm | of balls that cover the row's voxels, while no larger ones of the list do |
 * | voxel_count, volume_mm3 | of these voxels; in the first row of those that no ball covers |
 * | fraction | of the segment's voxels |
 * | cumulative_fraction | of the segment's voxels, in this row and all after it: so thick or more |
 *
 * The list is Diameters, or, if there are none, NumberOfBins diameters evenly spaced up to the
 * largest ball in the segment, which is found to a 16th of the smallest spacing. A voxel of an
 * empty segment has no size: all rows are 0 then, and without a list there is row 0 alone.
 *
 * Geometry: millimetres through the spacing; exact. Balls have their centres at centres of voxels
 * and lie in the segment as its voxels show it: they touch the boxes of background voxels, but do
 * not enter them. So a plate of an odd number of voxels has its very thickness (of an even number
 * up to one voxel less), and no diameter is below the smallest spacing. Distances between centres
 * of voxels, which others use, make everything 1 to 1.7 voxels thicker.
 *
 * The border of the image is no wall: balls may leave the image, and only have to keep away from
 * the background in it. An image is mostly cut out of something larger, and pores that go on beyond
 * it would look thin along all six faces otherwise. Where the image shows all there is, or for
 * comparison with programs that put background around it, BorderIsWall keeps balls inside. A
 * segment without any background gets balls up to the image's diagonal.
 *
 * Method: for each diameter from the largest down, an opening on bits: the centres of its balls,
 * then what they cover. The result does not depend on blocks, ranks or threads.
 *
 * Threads: yes. Halo: the largest diameter, one bit per voxel. Cost: for each diameter about that
 * of vtkLabelMapOpening, less where it fits in few places; without Diameters a search of about ten
 * steps before, each half of that or less. Scratch memory: below 3 bytes per voxel; of a block with
 * its halo if there are several.
 *
 * Errors: Diameters that do not ascend, are not between 1e-6 and 1e6 or more than 1000;
 * NumberOfBins outside of 1 to 1000; a SegmentLabel that the scalar type does not hold.
 *
 * Sources: see Kernels/InscribedBalls.h.
 *
 * @sa vtkLabelMapSegmentStatistics vtkLabelMapOpening
 */
#ifndef vtkLabelMapSizeDistribution_h
#define vtkLabelMapSizeDistribution_h

#include "vtkLabelMapTableAlgorithm.h"

#include <vector> // for std::vector

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSizeDistribution : public vtkLabelMapTableAlgorithm
{
public:
  static vtkLabelMapSizeDistribution* New();
  vtkTypeMacro(vtkLabelMapSizeDistribution, vtkLabelMapTableAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Voxel value of the segment in the label map. Default 1.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// The diameters in millimetres, ascending, 1e-6 to 1e6, at most 1000. None (the default): as
  /// NumberOfBins says.
  void SetDiameters(const double* values, vtkIdType count);
  void AddDiameter(double value);
  void RemoveAllDiameters();
  vtkIdType GetNumberOfDiameters() const { return static_cast<vtkIdType>(this->Diameters.size()); }
  ///@}

  ///@{
  /// How many diameters there are up to the largest ball, if there is no list; 1 to 1000. Default
  /// 20.
  vtkSetMacro(NumberOfBins, int);
  vtkGetMacro(NumberOfBins, int);
  ///@}

  ///@{
  /// Whether balls must stay inside the image. Default off.
  vtkSetMacro(BorderIsWall, bool);
  vtkGetMacro(BorderIsWall, bool);
  vtkBooleanMacro(BorderIsWall, bool);
  ///@}

protected:
  vtkLabelMapSizeDistribution() = default;
  ~vtkLabelMapSizeDistribution() override = default;

  std::string CheckParameters() const override;
  void Execute(const Job& job, vtkTable* output) override;

private:
  vtkLabelMapSizeDistribution(const vtkLabelMapSizeDistribution&) = delete;
  void operator=(const vtkLabelMapSizeDistribution&) = delete;

  vtkTypeInt64 SegmentLabel = 1;
  std::vector<double> Diameters;
  int NumberOfBins = 20;
  bool BorderIsWall = false;
};

#endif
