// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSegmentStatistics
 * @brief Measures every segment of a label map: size, place, shape, surface, topology, intensities.
 *
 * Input 0: a label map (integer point scalars, one component; active scalars unless chosen
 * otherwise), with or without a segment table in its field data. Input 1, optional: a volume of any
 * scalar type on the same voxels (the same lattice; voxels that it does not have are left out).
 *
 * Output: a vtkTable with one row per label above 0 that occurs, in ascending order. Columns, which
 * have the names of Slicer's Segment Statistics without the plugin's name where it has them:
 *
 * | column | what | asked for by |
 * |---|---|---|
 * | label, (segment, name) | label value; ID and name, if there is a segment table | always |
 * | voxel_count, volume_mm3, volume_cm3 | size; voxels are counted in 64 bits | always |
 * | volume_fraction | of all voxels of the image: for pores the porosity | always |
 * | extent | first and last voxel on each axis (6 numbers) | Shape |
 * | centroid | mean position of the voxels, world coordinates | Shape |
 * | principal_moments | variances along the principal axes, ascending, mm2 | Shape |
 * | principal_axis_x, _y, _z | unit vectors of these, the last one right-handed | Shape |
 * | flatness, elongation | root of the ratio of the second to the first, third to second | Shape |
 * | feret_diameter_mm | greatest distance of two points | Outline |
 * | minimum_feret_diameter_mm | least distance of parallel planes around it: a sieve | Outline |
 * | obb_origin, obb_diameter_mm | corner and edges of the box along the principal axes | Outline |
 * | obb_direction_x, _y, _z | its axes, those with the lowest moment first | Outline |
 * | surface_area_mm2 | Crofton's formula in 13 directions, see Kernels/LabelCells.h | Surface |
 * | roundness | area of the ball of this volume, divided by the area | Surface |
 * | euler_number_6, _26 | components - tunnels + cavities; how voxels touch | Surface |
 * | island_count | connected components, by Connectivity | Islands |
 * | connected_fraction | of the voxels, those in the largest island | Islands |
 * | intensity_voxel_count | voxels with a finite value in the volume | a volume |
 * | min, max, mean, stdev | of these; stdev with the divisor n - 1 | a volume |
 * | percentile_5, _25, median, percentile_75, _95 | interpolated between ranks | a volume |
 *
 * Geometry: spacing, directions and origin are those of the image. A voxel is a box around its
 * centre; Feret diameters and the oriented box are of these boxes, so that a single voxel has the
 * size of a voxel. (Slicer's Feret diameter is between centres, by ITK, hence shorter by up to a
 * voxel's diagonal; moments are of centres in both.) Beyond the image is background.
 *
 * Exactness: all sums are integers (see Kernels/LabelShape.h, LabelCells.h, LabelIntensity.h) and
 * hulls are exact, so that every number is the same, bit for bit, for any number of ranks, blocks
 * and threads. Means and deviations of floating volumes and of 64-bit integers are computed from
 * values rounded to 2^-43 of the largest magnitude in the volume; order statistics, minimum and
 * maximum are exact.
 *
 * Threads: yes. Halo: one voxel, for Surface. Cost: one pass over the labels each for Shape or
 * Outline, and Surface; one or two over both arrays for intensities of 8 and 16 bits, the number of
 * bytes more for others. Islands: a pass per label. Scratch memory: for Surface the labels of a
 * block with its halo, unless it is the whole image; tables of up to 200 MB.
 *
 * Errors (floating or negative labels, a volume on other voxels, abort) are agreed on by all ranks:
 * each gives an empty table and the same text in LastError.
 *
 * Sources: Kernels/LabelCells.h (surface and Euler number), Kernels/ConvexHull.h (Feret diameters);
 * G. Lehmann, Label object representation and manipulation with ITK, Insight Journal 2007,
 * doi:10.54294/q6auw4 (names and meaning of the shape measures).
 */
#ifndef vtkLabelMapSegmentStatistics_h
#define vtkLabelMapSegmentStatistics_h

#include "vtkLabelMapTableAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSegmentStatistics : public vtkLabelMapTableAlgorithm
{
public:
  static vtkLabelMapSegmentStatistics* New();
  vtkTypeMacro(vtkLabelMapSegmentStatistics, vtkLabelMapTableAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// The volume to measure intensities in; optional.
  void SetVolumeConnection(vtkAlgorithmOutput* output) { this->SetInputConnection(1, output); }

  ///@{
  /// Whether to measure place and moments. Default on.
  vtkSetMacro(Shape, bool);
  vtkGetMacro(Shape, bool);
  vtkBooleanMacro(Shape, bool);
  ///@}

  ///@{
  /// Whether to measure Feret diameters and the oriented bounding box. Default on.
  vtkSetMacro(Outline, bool);
  vtkGetMacro(Outline, bool);
  vtkBooleanMacro(Outline, bool);
  ///@}

  ///@{
  /// Whether to measure surface area, roundness and Euler numbers. Default on.
  vtkSetMacro(Surface, bool);
  vtkGetMacro(Surface, bool);
  vtkBooleanMacro(Surface, bool);
  ///@}

  ///@{
  /// Whether to find the islands of each segment, which takes a pass for each. Default off.
  vtkSetMacro(Islands, bool);
  vtkGetMacro(Islands, bool);
  vtkBooleanMacro(Islands, bool);
  ///@}

  ///@{
  /// Which voxels of an island touch: those that share a face (6), also an edge (18), also a corner
  /// (26). Default 6.
  vtkSetMacro(Connectivity, int);
  vtkGetMacro(Connectivity, int);
  ///@}

protected:
  vtkLabelMapSegmentStatistics();
  ~vtkLabelMapSegmentStatistics() override = default;

  std::string CheckParameters() const override;
  void Execute(const Job& job, vtkTable* output) override;

private:
  vtkLabelMapSegmentStatistics(const vtkLabelMapSegmentStatistics&) = delete;
  void operator=(const vtkLabelMapSegmentStatistics&) = delete;

  bool Shape = true;
  bool Outline = true;
  bool Surface = true;
  bool Islands = false;
  int Connectivity = 6;
};

#endif
