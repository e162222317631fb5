// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// @file
/// MergeMask: gives a segment of a label map the shape of a mask.
///
/// Where the mask is not 0 the voxel becomes `label`, whatever it was; where the mask is 0 and the
/// voxel was `label` it becomes 0; all other voxels are copied. `labels` and `out` may be the same
/// array. Threads: yes. Cost: two reads, one write per voxel. Scratch: 0.
#ifndef segcoreMergeMask_h
#define segcoreMergeMask_h

#include "Threads.h"

#include <cstdint>

namespace segcore
{

/// One contiguous span on the calling thread.
template <class T>
void mergeMaskSpan(const std::uint8_t* mask, const T* labels, Index count, T label, T* out)
{
  for (Index i = 0; i < count; ++i)
  {
    const T kept = labels[i] == label ? T(0) : labels[i];
    out[i] = mask[i] ? label : kept;
  }
}

/// A long contiguous span with all threads.
template <class T>
void mergeMask(const std::uint8_t* mask, const T* labels, Index count, T label, T* out)
{
  forRanges(count, Index{ 1 } << 18, Progress(), [=](Index begin, Index end)
    { mergeMaskSpan(mask + begin, labels + begin, end - begin, label, out + begin); });
}

} // namespace segcore

#endif
