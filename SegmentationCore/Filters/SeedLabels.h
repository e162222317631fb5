// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The labels of a label map as seeds: numbered 1, 2, ... in ascending order, the same on all
/// ranks, for kernels that know nothing of label values and their types; and the volume that they
/// read as levels, block by block.
///
/// Private to the filters.
#ifndef segcore_SeedLabels_h
#define segcore_SeedLabels_h

#include "EffectJob.h"
#include "VolumeLevels.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace segcore
{

class SeedLabels
{
public:
  /// The number of a wall; 0 is a voxel without a label.
  static constexpr std::int32_t Wall = -1;

  /// Collective. Finds the labels, and makes the output array. Voxels of `wallLabel` are walls,
  /// unless it is 0; so are those that are not a number.
  static std::unique_ptr<SeedLabels> make(EffectJob& job, std::int64_t wallLabel);
  virtual ~SeedLabels() = default;

  /// How many labels there are.
  virtual std::int32_t count() const = 0;

  /// Their values, as bytes.
  virtual std::vector<std::byte> values() const = 0;

  /// The numbers of a row of this rank's voxels. Threads: yes.
  virtual void read(Index i, Index j, Index k, Index count, std::int32_t* numbers) const = 0;

  /// Writes the labels of these numbers to the output; where they are not above 0 it gets what the
  /// input has. Threads: yes.
  virtual void write(Index i, Index j, Index k, Index count, const std::int32_t* numbers) const = 0;

  /// The numbers of what a row of the output has; all of it must have been written. Threads: yes.
  virtual void readOutput(Index i, Index j, Index k, Index count, std::int32_t* numbers) const = 0;

  /// Collective. Voxels that other ranks own.
  virtual void complete() const = 0;
};

/// The levels of the volume in this rank's blocks, each with one voxel around it.
struct BlockLevels
{
  std::vector<Box> padded;
  std::vector<std::unique_ptr<SeedGrowthLevels>> levels;
  std::int32_t highest = 0; ///< the highest level
  double unit = 1.0;        ///< levels for each unit of the volume's values

  /// Collective. With `fine`, levels are multiplied by 2^k as far as 65535 allows, at most 256:
  /// room for costs that are no whole numbers.
  BlockLevels(EffectJob& job, bool fine);

private:
  template <class V>
  void make(EffectJob& job, bool fine);
};

} // namespace segcore

#endif
