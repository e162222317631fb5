// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "LocalMask.h"

#include <algorithm>
#include <cstring>

namespace segcore
{
//------------------------------------------------------------------------------------------------
LocalMask::~LocalMask() = default;

//------------------------------------------------------------------------------------------------
int LocalMask::uniform(const Box& part) const
{
  return part.clipped(this->bounds()).empty() ? 0 : -1;
}

//------------------------------------------------------------------------------------------------
SegmentMasks::~SegmentMasks() = default;

//------------------------------------------------------------------------------------------------
void BoxMask::write(const Box& part, std::uint8_t* out) const
{
  std::memset(out, 0, static_cast<std::size_t>(part.size()));
  const Box inside = part.clipped(this->Voxels);
  for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
  {
    for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
    {
      std::fill_n(out + part.offset(inside.lo[0], j, k), inside.dim(0), std::uint8_t{ 1 });
    }
  }
}

//------------------------------------------------------------------------------------------------
int BoxMask::uniform(const Box& part) const
{
  return this->Voxels.contains(part) ? 1 : LocalMask::uniform(part);
}

} // namespace segcore
