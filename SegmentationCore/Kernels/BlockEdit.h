// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BlockEdit: writes a segment into one block of a label layer.
///
/// What happens to each voxel is told by a code (VoxelCode) in an array over `part`, a box inside
/// the block; voxels of the block outside `part` stay. The old block is never changed: the new one
/// shares its voxels if nothing changed, is one value if all voxels have the same, and is a copy
/// otherwise. How many voxels each label gained or lost is counted on the way.
///
/// Threads: one block on the calling thread; many blocks at a time are safe. Cost: a copy of the
/// block, and a read and a write of `part`.

#ifndef segcoreBlockEdit_h
#define segcoreBlockEdit_h

#include "LabelBlocks.h"

#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <vector>

namespace segcore
{

/// What to do with a voxel.
enum VoxelCode : std::uint8_t
{
  KeepVoxel = 0,  ///< nothing
  WriteVoxel = 1, ///< it gets the label; in other layers, overwritten labels leave it
  EraseVoxel = 2, ///< the label leaves it
  ClearVoxel = 3  ///< any label leaves it
};

/// Voxels that each label gained (or lost, if negative); background left out, no label twice. A
/// label that lost as many as it gained is listed with 0, one that never changed is not.
class SEGMENTATIONCOREKERNELS_EXPORT LabelChanges
{
public:
  struct Change
  {
    Label label = 0;
    std::int64_t voxels = 0;
  };

  void add(Label label, std::int64_t voxels);
  void add(const LabelChanges& other);
  const std::vector<Change>& changes() const { return this->Changes; }

private:
  void sum(Label label, std::int64_t voxels);

  std::vector<Change> Changes;
};

/// A set of labels: all but the background, or those that were listed.
class SEGMENTATIONCOREKERNELS_EXPORT LabelSet
{
public:
  static LabelSet all()
  {
    LabelSet set;
    set.All = true;
    return set;
  }
  static LabelSet of(std::vector<Label> labels);

  bool isAll() const { return this->All; }
  bool empty() const { return !this->All && this->Labels.empty(); }
  bool has(Label label) const;

  /// Whether any label of the block is in the set.
  bool meets(const LabelBlock& block) const;

private:
  bool All = false;
  std::vector<Label> Labels; // sorted
};

/// The block of the segment's own layer. `counts` (may be null) gets the changes.
SEGMENTATIONCOREKERNELS_EXPORT LabelBlock editBlock(const LabelBlock& old, const Box& held,
  const Box& part, const std::uint8_t* codes, Label label, LabelChanges* counts);

/// The same block of another layer: labels in `overwritten` leave voxels with WriteVoxel, any label
/// those with ClearVoxel.
SEGMENTATIONCOREKERNELS_EXPORT LabelBlock overwriteBlock(const LabelBlock& old, const Box& held,
  const Box& part, const std::uint8_t* codes, const LabelSet& overwritten, LabelChanges* counts);

/// True if a voxel with WriteVoxel holds a label that is neither `label` nor in `overwritten`.
SEGMENTATIONCOREKERNELS_EXPORT bool hasConflict(const LabelBlock& old, const Box& held,
  const Box& part, const std::uint8_t* codes, Label label, const LabelSet& overwritten);

/// Sets `out`, an array over `part`, to 1 where the block has a label of the set; other voxels of
/// it are left alone.
SEGMENTATIONCOREKERNELS_EXPORT void markLabels(const LabelBlock& block, const Box& held,
  const Box& part, const LabelSet& labels, std::uint8_t* out);

} // namespace segcore

#endif
