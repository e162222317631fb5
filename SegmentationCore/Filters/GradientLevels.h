// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// How steep the volume of an effect is, smoothed, as levels of all voxels of this rank's blocks: 0
/// to 65534 from the lowest to the highest gradient of the whole image, 65535 for voxels without a
/// value. See SmoothGradient.h.
///
/// Private to the filters.
#ifndef segcore_GradientLevels_h
#define segcore_GradientLevels_h

#include "EffectJob.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace segcore
{

class GradientLevels
{
public:
  /// Collective. The deviation is in millimetres; `name` is that of its parameter, for the error if
  /// it spans too many voxels. Scratch memory: 4 bytes per voxel, which stay; with several ranks
  /// also the volume's values in the halo of a block.
  GradientLevels(
    EffectJob& job, const char* name, double deviation, const Progress& progress = Progress());

  /// The levels of local block b, an array that stores it, and that may be written.
  std::uint32_t* block(std::size_t b) { return this->Blocks[b]; }

private:
  template <class V>
  void make(EffectJob& job, double deviation, const Progress& progress);

  // Memory that floats leave to levels.
  struct Free
  {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::vector<std::unique_ptr<void, Free>> Memory;
  std::vector<std::uint32_t*> Blocks;
};

} // namespace segcore

#endif
