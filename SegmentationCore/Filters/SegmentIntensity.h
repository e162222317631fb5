// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Intensities of the segments of a label map in a volume, over all ranks: picks the kernels for
/// the types and adds up what they count.
///
/// Private to the filters. See Kernels/LabelIntensity.h for what is computed and how.
#ifndef segcore_SegmentIntensity_h
#define segcore_SegmentIntensity_h

#include "DistributedImage.h"
#include "Progress.h"
#include "SourceVolume.h"

#include <array>
#include <vector>

namespace segcore
{

/// The percentiles that are told, by linear interpolation between the two nearest ranks.
constexpr std::array<int, 5> Percentiles = { 5, 25, 50, 75, 95 };

struct SegmentIntensity
{
  Index voxels = 0; ///< with a finite value; 0: all numbers are NaN
  double min, max, mean, deviation;
  std::array<double, Percentiles.size()> percentiles;
};

/// Collective. One entry per label; `labels` are ascending, above 0, fit the label map's type, and
/// are the same on all ranks. Throws AgreedError if the volume has other voxels.
std::vector<SegmentIntensity> measureIntensity(const Communicator& communicator,
  const DistributedImage& image, const SourceVolume& volume, const std::vector<Index>& labels,
  const Progress& progress);

} // namespace segcore

#endif
