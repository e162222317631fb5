// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Where two sessions of the same part of the world disagree: what a replay at another resolution
/// is worth.
///
/// Private to the editor.
#ifndef segcore_EditComparison_h
#define segcore_EditComparison_h

#include <string>

namespace segcore
{

class EditSession;

/// Collective over the ranks of `fine`; `coarse` is whole on every rank. Each voxel of `fine` is
/// compared with the nearest one of `coarse` (voxels whose centre lies outside its voxels count as
/// background there). JSON:
///
///     {"segments": [{"segment": ID, "dice": 0 to 1, "volume_mm3": [coarse, fine],
///       "worst": [{"center": [x, y, z], "voxels": differing}, ...]}, ...]}
///
/// Segments of either session, in the order of `fine`; "dice" is 1 if both are empty. Volumes are
/// those of the sessions' own voxels. Cost: proportional to the blocks that either segment touches.
std::string compareSessions(const EditSession& fine, const EditSession& coarse, int worstBlocks);

} // namespace segcore

#endif
