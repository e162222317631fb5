// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What an edit changed, and the list of edits that can be undone and redone.
///
/// An edit keeps the old values of the boxes it wrote to, block by block, and nothing else; a block
/// that had one value costs that value. Going back swaps old and new. Under memory pressure the
/// oldest edits are first compressed (zlib), then forgotten.
///
/// Private to the editor. No communication: every rank keeps its own voxels, and the steps are the
/// same on all ranks. Forgetting must be too, so the owner says when (see trim).
#ifndef segcore_EditHistory_h
#define segcore_EditHistory_h

#include "BlockEdit.h"
#include "LabelBlocks.h"

#include "vtkSmartPointer.h"

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

class vtkLabelSegmentTable;

namespace segcore
{

/// The values of one box of one block, to be put there.
class BlockPatch
{
public:
  /// The values that `block` (its voxels over `held`) has in `part`.
  BlockPatch(int layer, Index key, const LabelBlock& block, const Box& held, const Box& part);

  int layer() const { return this->Layer; }
  Index key() const { return this->Key; }
  const Box& part() const { return this->Part; }
  std::size_t bytes() const { return this->Values.capacity() + sizeof(BlockPatch); }

  /// The block with the values in their place.
  LabelBlock applyTo(const LabelBlock& block, const Box& held) const;

  /// Makes the values smaller, once.
  void compress();

private:
  std::vector<std::byte> unpacked() const;

  int Layer;
  Index Key;
  Box Part;
  Label Value = 0; // of all voxels, if Width is 0
  int Width = 0;   // bytes of a value, 0 if all are the same
  bool Compressed = false;
  bool Tried = false; // compressing does not help
  std::vector<std::byte> Values;
};

/// Which voxels changed, for whom it concerns.
struct EditChange
{
  Box box;                           ///< around all changed voxels of all ranks, maybe larger
  std::vector<std::string> segments; ///< IDs whose voxels changed
  bool table = false;                ///< whether the segment table changed

  void add(const EditChange& other);

  /// {"extent": [x0, x1, y0, y1, z0, z1], "segments": [...], "table": false}
  std::string json() const;
};

/// One operation as it can be taken back.
struct EditStep
{
  std::string text;                ///< the operation, as JSON
  std::vector<BlockPatch> patches; ///< in the order in which they were overwritten
  int layersBefore = 0;
  int layersAfter = 0;
  /// The whole table on either side if more changed than voxel counts.
  vtkSmartPointer<vtkLabelSegmentTable> tableBefore;
  vtkSmartPointer<vtkLabelSegmentTable> tableAfter;
  /// Voxels that segments gained, of all ranks, if the tables are null.
  std::vector<std::pair<std::string, std::int64_t>> counts;
  EditChange change;

  std::size_t bytes() const;
  bool compressed = false;
};

/// The steps that can be undone, and those that can be redone.
class EditHistory
{
public:
  void push(EditStep&& step);
  bool canUndo() const { return !this->Undo.empty(); }
  bool canRedo() const { return !this->Redo.empty(); }
  std::size_t undoCount() const { return this->Undo.size(); }
  std::size_t redoCount() const { return this->Redo.size(); }

  /// Moves the newest step to the other list once `swap` (which turns it around) has returned.
  template <class Swap>
  void undo(const Swap& swap)
  {
    move(this->Undo, this->Redo, swap);
  }
  template <class Swap>
  void redo(const Swap& swap)
  {
    move(this->Redo, this->Undo, swap);
  }
  const EditStep& lastUndo() const { return this->Undo.back(); }
  const EditStep& lastRedo() const { return this->Redo.back(); }

  void clear();
  void clearRedo();
  std::size_t bytes() const { return this->Bytes; }

  /// Compresses the oldest steps until at most `bytes` are used, or none is left to compress.
  void compressTo(std::size_t bytes);
  /// Forgets the oldest step. False if there is none.
  bool dropOldest();

private:
  template <class Swap>
  void move(std::deque<EditStep>& from, std::deque<EditStep>& to, const Swap& swap)
  {
    EditStep& step = from.back();
    const std::size_t before = step.bytes();
    swap(step);
    this->Bytes += step.bytes() - before;
    to.push_back(std::move(step));
    from.pop_back();
  }

  std::deque<EditStep> Undo;
  std::deque<EditStep> Redo;
  std::size_t Bytes = 0;
};

} // namespace segcore

#endif
