// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// How thick a segment is, over all blocks and ranks: the largest ball, and the largest one of a
/// list that covers each voxel.
///
/// Private to the filters. See Kernels/InscribedBalls.h for what is computed.
#ifndef segcore_InscribedSizes_h
#define segcore_InscribedSizes_h

#include "BitBlock.h"
#include "Communicator.h"
#include "Distribution.h"
#include "HaloExchange.h"
#include "Progress.h"

#include <functional>
#include <string>
#include <vector>

namespace segcore
{

class DistributedImage;

/// How many diameters a list may have.
constexpr int MostDiameters = 1000;

/// What is wrong with a list of diameters in millimetres, named Diameters; empty if nothing.
std::string checkDiameters(const std::vector<double>& diameters);

class InscribedSizes
{
public:
  /// Of the voxels with this label. `borderIsWall`: balls stay inside the image. Throws AgreedError
  /// if the label map cannot have such a label. The image must live longer.
  InscribedSizes(const Communicator& communicator, const DistributedImage& image, Index label,
    bool borderIsWall);

  /// Collective. The diameter of the largest ball in the segment, rounded down to a 16th of the
  /// smallest spacing, and no more than the diagonal of the image; 0 for an empty segment.
  double largest(const Progress& progress) const;

  /// Collective. `count` diameters: the largest one, and those that divide it evenly. None for an
  /// empty segment.
  std::vector<double> even(int count, const Progress& progress) const;

  /// Collective. Calls visit(n, voxels) for voxels of this rank's blocks whose diameter is number n
  /// of the list. Voxels that no ball covers are in no call. Runs on this rank alone, so it must
  /// not communicate. Returns how many voxels the segment has in all.
  using Visit = std::function<void(std::size_t n, const BitBlock& voxels)>;
  Index forEach(
    const std::vector<double>& diameters, const Visit& visit, const Progress& progress) const;

private:
  /// Collective. Whether there are balls of this diameter; then `boxes`, one for each block, become
  /// those of their centres, outside of which no larger ball has its centre.
  bool anyOf(double diameter, std::vector<Box>& boxes, const Progress& progress) const;

  const Communicator& Comm;
  const DistributedImage& Image;
  Box Outside; ///< what bits are made for: one voxel of background around the image, or none
  std::function<void(const std::vector<BitRequest>&)> Fetch;
};

} // namespace segcore

#endif
