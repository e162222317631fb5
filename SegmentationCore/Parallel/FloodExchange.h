// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// FloodExchange: floods of blocks that go on in other blocks and ranks, until nothing changes.
///
/// Each block fills what its seeds reach; voxels next to it in other blocks are seeds there. Blocks
/// of one rank hand them on without messages, and only when all of them are at rest are the runs
/// for other ranks sent. The result is what a flood of the undivided image fills: reaching does not
/// depend on the order.
///
/// Rounds: as often as the flood crosses from rank to rank on the way to its last voxel. Volume per
/// round: 16 bytes per run of new voxels at a border between ranks, and one reduction.

#ifndef segcoreFloodExchange_h
#define segcoreFloodExchange_h

#include "Communicator.h"
#include "Distribution.h"
#include "FloodFill.h"

#include <vector>

namespace segcore
{

/// Collective. `floods` are those of distribution.localBlocks(), in their order, with their seeds.
SEGMENTATIONCOREPARALLEL_EXPORT void floodAcross(const Communicator& communicator,
  const Distribution& distribution, std::vector<FloodFill>& floods,
  const Progress& progress = Progress());

} // namespace segcore

#endif
