// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SliceHoles: fills the holes of each slice of a mask.
///
/// Input and output: a mask of 0 and 1 on `box`, which holds whole slices across `axis`. A hole is
/// a connected component of zeros of a slice that does not touch the border of the slice; axes
/// along which the slice is one voxel long have no border, but a slice of one voxel is all border.
/// Holes of at most `maximumSize` voxels (0: of any size) become 1. Threads: yes, a slice is done
/// by one thread. Cost: proportional to the number of voxels. Scratch: that of
/// ConnectedComponents.h for one slice per thread.

#ifndef segcoreSliceHoles_h
#define segcoreSliceHoles_h

#include "ConnectedComponents.h"
#include "Threads.h"

#include <cstdint>
#include <vector>

namespace segcore
{

inline void fillSliceHoles(std::uint8_t* mask, const Box& box, int axis, Connectivity connectivity,
  Index maximumSize, const Progress& progress = Progress())
{
  // The slice as an image of its own: its first axis along x where there is a choice.
  const int first = axis == 0 ? 1 : 0;
  const int second = axis == 2 ? 1 : 2;
  const Index strides[3] = { 1, box.dim(0), box.dim(0) * box.dim(1) };
  const Box plane = Box::ofSize(box.dim(first), box.dim(second), 1);
  if (plane.size() == 1)
  {
    return; // all border
  }
  forRanges(box.dim(axis), 1, progress,
    [&](Index begin, Index end)
    {
      for (Index s = begin; s < end; ++s)
      {
        std::uint8_t* slice = mask + s * strides[axis];
        const Index along = strides[first];
        const Index across = strides[second];
        const ComponentRuns components = labelComponents(plane, plane, connectivity,
          [=](Index y, Index, Word* bits)
          {
            const std::uint8_t* row = slice + y * across;
            packWhere(plane.dim(0), bits, [row, along](Index i) { return row[i * along] == 0; });
          });
        // Components are named by their first runs.
        std::vector<std::uint8_t> open(static_cast<std::size_t>(components.runCount()), 0);
        components.forEachComponent(
          [&](Index component)
          {
            open[static_cast<std::size_t>(component)] =
              maximumSize > 0 && components.size(component) > maximumSize;
          });
        for (int side = 0; side < 4; ++side)
        {
          if (plane.dim(side / 2) > 1)
          {
            for (const ComponentRun& run : components.faceRuns(side / 2, side % 2))
            {
              open[static_cast<std::size_t>(run.component)] = 1;
            }
          }
        }
        for (Index y = 0; y < plane.dim(1); ++y)
        {
          components.forEachRun(y, 0,
            [&](Index x0, Index x1, Index component)
            {
              for (Index x = x0; x <= x1 && !open[static_cast<std::size_t>(component)]; ++x)
              {
                slice[y * across + x * along] = 1;
              }
            });
        }
      }
    });
}

} // namespace segcore

#endif
