// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapRegionCollector
 * @brief Brings a region of a distributed image together on the first rank.
 *
 * Input: a distributed vtkImageData (any point arrays: labels or a volume). Output on rank 0: the
 * region as one image with the array to process (see SetInputArrayToProcess; default the active
 * scalars), in the input's geometry, and the field data. Output on all other ranks: an image
 * without voxels. A client gets it by servermanager.Fetch(proxy, 0); the plain Fetch of a
 * distributed image returns the piece of one rank only.
 *
 * On its way from server to client ParaView 5.11 drops the direction matrix of an image and rounds
 * its origin and spacing to six digits. Therefore the field data has the exact lattice as the array
 * `Lattice`: 15 components, origin, spacing, and directions row by row.
 *
 * The region is clipped to the image. Each voxel comes from the rank that owns it. Volume: the
 * region once. Memory on rank 0: the region. Threads: yes. Ranks: exact.
 *
 * Errors: a region that does not meet the image; agreed on by all ranks, see LastError.
 */
#ifndef vtkLabelMapRegionCollector_h
#define vtkLabelMapRegionCollector_h

#include "vtkDistributedImageAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapRegionCollector
  : public vtkDistributedImageAlgorithm
{
public:
  static vtkLabelMapRegionCollector* New();
  vtkTypeMacro(vtkLabelMapRegionCollector, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// First and last voxel of the region on each axis (x0, x1, y0, y1, z0, z1). The default, with
  /// x0 > x1, is the whole image.
  vtkSetVector6Macro(Extent, int);
  vtkGetVector6Macro(Extent, int);
  ///@}

protected:
  vtkLabelMapRegionCollector() = default;
  ~vtkLabelMapRegionCollector() override = default;

  int RequestInformation(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapRegionCollector(const vtkLabelMapRegionCollector&) = delete;
  void operator=(const vtkLabelMapRegionCollector&) = delete;

  int Extent[6] = { 0, -1, 0, -1, 0, -1 };
};

#endif
