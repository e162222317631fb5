// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Place, moments, Feret diameters and oriented box of a segment, from its sums and outline.
///
/// Private to the filters. Local. What the numbers mean: vtkLabelMapSegmentStatistics.h.
#ifndef segcore_SegmentShape_h
#define segcore_SegmentShape_h

#include "DistributedImage.h"
#include "LabelShape.h"

#include <array>

namespace segcore
{

/// In world coordinates and millimetres.
struct SegmentShape
{
  std::array<double, 3> centroid{};
  std::array<double, 3> moments{};
  std::array<double, 3> axes[3]{};
  double flatness = 0.0;
  double elongation = 0.0;
  double feret = 0.0;
  double smallestFeret = 0.0;
  std::array<double, 3> boxOrigin{};
  std::array<double, 3> boxSize{};
};

/// `sums` are counted from the first voxel of `whole`; its outline is used up. Feret diameters and
/// box only with an outline.
SegmentShape makeSegmentShape(LabelShape& sums, const Geometry& geometry, const Box& whole);

} // namespace segcore

#endif
