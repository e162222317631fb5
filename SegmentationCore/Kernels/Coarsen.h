// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// @file
/// Coarsen: a label map with one voxel for every cube of `factor` voxels on a side.
///
/// Coarse voxel c covers the fine voxels whole.lo + factor c ... + factor - 1 on each axis, cut at
/// the border of `whole`. It gets the label that most of them have; of equally frequent ones the
/// smallest that is not 0, so that thin structures win over background. The lattice is tied to
/// `whole`, so the result does not depend on blocks. Threads: yes. Cost: one read per voxel.
/// Scratch: 16 bytes per label in a cube.
#ifndef segcoreCoarsen_h
#define segcoreCoarsen_h

#include "Box.h"
#include "Threads.h"

#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{

/// The coarse voxels of the undivided image; the first one is (0, 0, 0).
inline Box coarseWhole(const Box& whole, Index factor)
{
  return Box::ofSize((whole.dim(0) + factor - 1) / factor, (whole.dim(1) + factor - 1) / factor,
    (whole.dim(2) + factor - 1) / factor);
}

/// The coarse voxels whose first fine voxel is in `block`: disjoint blocks have disjoint ones.
inline Box coarseBlock(const Box& block, const Box& whole, Index factor)
{
  Box coarse;
  for (int a = 0; a < 3; ++a)
  {
    coarse.lo[a] = (block.lo[a] - whole.lo[a] + factor - 1) / factor;
    coarse.hi[a] = block.hi[a] < whole.lo[a] ? -1 : (block.hi[a] - whole.lo[a]) / factor;
  }
  return coarse;
}

/// The fine voxels under a box of coarse ones.
inline Box fineBox(const Box& coarse, const Box& whole, Index factor)
{
  Box fine;
  for (int a = 0; a < 3; ++a)
  {
    fine.lo[a] = whole.lo[a] + factor * coarse.lo[a];
    fine.hi[a] = whole.lo[a] + factor * coarse.hi[a] + factor - 1;
  }
  return coarse.empty() ? Box() : fine.clipped(whole);
}

/// `labels` stores fineBox(coarse), `out` stores `coarse`.
template <class T>
void coarsenLabels(const T* labels, const Box& coarse, const Box& whole, Index factor, T* out)
{
  if (factor < 1)
  {
    throw std::invalid_argument("segcore::coarsenLabels: factor must be at least 1");
  }
  const Box stored = fineBox(coarse, whole, factor);
  forRanges(coarse.rows(), 16,
    [&](Index begin, Index end)
    {
      std::vector<std::pair<T, Index>> votes;
      for (Index row = begin; row < end; ++row)
      {
        Box one = coarse;
        one.lo[1] = one.hi[1] = coarse.lo[1] + row % coarse.dim(1);
        one.lo[2] = one.hi[2] = coarse.lo[2] + row / coarse.dim(1);
        for (Index x = coarse.lo[0]; x <= coarse.hi[0]; ++x)
        {
          one.lo[0] = one.hi[0] = x;
          const Box cube = fineBox(one, whole, factor);
          votes.clear();
          for (Index k = cube.lo[2]; k <= cube.hi[2]; ++k)
          {
            for (Index j = cube.lo[1]; j <= cube.hi[1]; ++j)
            {
              const T* values = labels + stored.offset(cube.lo[0], j, k);
              for (Index i = 0; i < cube.dim(0); ++i)
              {
                std::size_t v = 0;
                while (v < votes.size() && votes[v].first != values[i])
                {
                  ++v;
                }
                if (v == votes.size())
                {
                  votes.emplace_back(values[i], 0);
                }
                ++votes[v].second;
              }
            }
          }
          std::pair<T, Index> best = votes.front();
          for (const auto& vote : votes)
          {
            const bool tie = vote.second == best.second;
            const bool preferred = vote.first != 0 && (best.first == 0 || vote.first < best.first);
            best = vote.second > best.second || (tie && preferred) ? vote : best;
          }
          out[coarse.offset(x, one.lo[1], one.lo[2])] = best.first;
        }
      }
    });
}

} // namespace segcore

#endif
