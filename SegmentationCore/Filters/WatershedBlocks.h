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

#include <memory>
#include <vector>

namespace segcore
{

/// Collective. images[b] is what block localBlocks()[b] reads and writes. About as many rounds as
/// water crosses faces of blocks on its way, each with 12 bytes for each voxel beside a block.
void floodBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<std::unique_ptr<WatershedImage>>& images,
  const Progress& progress = Progress());

} // namespace segcore

#endif
