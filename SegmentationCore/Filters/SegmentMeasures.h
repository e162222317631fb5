// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What is counted of the segments of a label map, over all ranks.
///
/// Private to the filters. See Kernels/LabelShape.h and LabelCells.h for what is counted and how.
#ifndef segcore_SegmentMeasures_h
#define segcore_SegmentMeasures_h

#include "ConnectedComponents.h"
#include "DistributedImage.h"
#include "LabelCells.h"
#include "LabelShape.h"
#include "Progress.h"

#include <vector>

namespace segcore
{

struct MeasuresWanted
{
  bool Shape;
  bool Outline;
  bool Surface;
  bool Islands;
  segcore::Connectivity Connectivity;
};

struct IslandSums
{
  Index count = 0;
  Index largest = 0; ///< voxels
};

/// By ascending label. On the first rank; on others only the labels and numbers of voxels are.
struct SegmentMeasures
{
  std::vector<LabelShape> shapes;
  std::vector<LabelCell> cells;
  std::vector<IslandSums> islands;

  std::vector<Index> labels() const
  {
    std::vector<Index> result;
    for (const LabelShape& shape : this->shapes)
    {
      result.push_back(shape.label);
    }
    return result;
  }
};

/// Collective. Throws AgreedError for floating and for negative labels.
SegmentMeasures measureSegments(const Communicator& communicator, const DistributedImage& image,
  const MeasuresWanted& wanted, const Progress& progress);

} // namespace segcore

#endif
