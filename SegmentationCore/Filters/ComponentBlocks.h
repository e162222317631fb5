// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The components of a segment in the blocks of a job, ready for ComponentJoin.
///
/// Private to the filters.
#ifndef segcore_ComponentBlocks_h
#define segcore_ComponentBlocks_h

#include "ConnectedComponents.h"
#include "EffectJob.h"

#include <vector>

namespace segcore
{

/// Collective. One entry per own block. T must be the type of the label map. Progress goes from 0
/// to `until`.
template <class T>
std::vector<ComponentRuns> labelBlocks(
  const EffectJob& job, Connectivity connectivity, double until)
{
  const T label = job.labelAs<T>();
  std::vector<ComponentRuns> components;
  job.communicator().run(
    [&]
    {
      for (const Block& block : job.distribution().localBlocks())
      {
        components.push_back(labelComponents(job.input<T>(), job.piece(), block.box, job.whole(),
          label, connectivity, job.progress().part(0.0, until)));
      }
    });
  return components;
}

} // namespace segcore

#endif
