// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapFastMarching
 * @brief Grows a segment over voxels of similar grey value, up to a part of the image.
 *
 * Input: a label map, see vtkLabelMapAlgorithm; the segment is where it grows from. Second input:
 * the volume, on the same voxels, of any scalar type. Output: the segment, with voxels added in the
 * order in which a front arrives that is slowed down by changes of grey value, until it has
 * PercentMax hundredths of the image's voxels. Other labels do not stop it and are covered.
 *
 * The time of arrival at a voxel is the cost of the cheapest path to it over the 26 neighbours,
 * where a step costs the difference of the two grey values, and SeedLocalityFactor times its length
 * in millimetres, in the exact whole numbers of vtkLabelMapGrowFromSeeds. As no path is cheaper
 * than the difference of the grey values at its ends, voxels unlike the segment come late, however
 * the front gets there. Voxels of one time come together: the segment gets all times that still
 * fit, so it is never larger than PercentMax says (unless it was before, and then stays as it is).
 *
 * Voxels whose value is not finite (NaN) are never entered. An empty segment stays empty.
 *
 * Threads: yes. Ranks: exact; blocks exchange the voxels at their seams (halo 1) until nothing
 * changes. Cost: that of vtkLabelMapGrowFromSeeds, and three passes to count times. Scratch memory:
 * 4 bytes per voxel; 8 if times do not fit into 29 bits. With several blocks or ranks also the
 * values of the voxels around a block.
 *
 * Errors: PercentMax that is not a number, below 0 or above 100, SeedLocalityFactor likewise below
 * 0 or above 10; no volume, or one on other voxels.
 *
 * Where Slicer's extension of that name differs: its speed is a product of densities that it learns
 * from the segment, raised to a power; it rounds the volume to 300 values, takes voxels for cubes
 * of 1 mm, and breaks ties by its heap. Here the time is defined by the volume alone, and voxels of
 * one time come together or not at all, as nothing but the order of work could choose among them.
 *
 * Source: J. A. Sethian, A fast marching level set method for monotonically advancing fronts, PNAS
 * 93(4), 1996, doi:10.1073/pnas.93.4.1591 (the front); see also Kernels/SeedGrowth.h.
 *
 * @sa vtkLabelMapGrowFromSeeds
 */
#ifndef vtkLabelMapFastMarching_h
#define vtkLabelMapFastMarching_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapFastMarching : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapFastMarching* New();
  vtkTypeMacro(vtkLabelMapFastMarching, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// How much of the image the segment may fill, in percent of its voxels, 0 to 100. Default 10.
  vtkSetMacro(PercentMax, double);
  vtkGetMacro(PercentMax, double);
  ///@}

  ///@{
  /// What a millimetre costs the front, in grey values: with 0 it fills what is equal at once, more
  /// keeps it round. 0 to 10. Default 1.
  vtkSetMacro(SeedLocalityFactor, double);
  vtkGetMacro(SeedLocalityFactor, double);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapFastMarching();
  ~vtkLabelMapFastMarching() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapFastMarching(const vtkLabelMapFastMarching&) = delete;
  void operator=(const vtkLabelMapFastMarching&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  double PercentMax = 10.0;
  double SeedLocalityFactor = 1.0;
};

#endif
