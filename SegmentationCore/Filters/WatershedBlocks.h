// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Watershed in all blocks of all ranks: each block to its own end, with what the others know at
/// its faces, until nobody hears anything new. The result is that of the undivided image.
///
/// Private to the filters.
#ifndef segcore_WatershedBlocks_h
#define segcore_WatershedBlocks_h

#include "Communicator.h"
#include "Distribution.h"
#include "Progress.h"
#include "Watershed.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace segcore
{

/// A block to flood: levels of its relief, an array that stores it, and its labels.
struct WatershedBlock
{
  std::uint32_t* relief = nullptr;
  std::unique_ptr<WatershedLabels> labels;
};

/// Collective. inputs[b] is what block localBlocks()[b] reads and writes; its relief is not kept,
/// as both floods of Watershed.h are in that array: the first one to its end everywhere, then the
/// second one. In each about as many rounds as water crosses faces of blocks on its way, with 2 and
/// 8 bytes for each voxel beside a block. Scratch memory: the relief, 4 bytes per voxel of a block,
/// and 12 for those beside it; 4 more, and another start of the second flood, where water goes more
/// than 65534 steps over flat ground.
void floodBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<WatershedBlock>& inputs, const Progress& progress = Progress());

} // namespace segcore

#endif
