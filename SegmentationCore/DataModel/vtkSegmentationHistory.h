// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationHistory
 * @brief undo and redo for a segmentation, with the interface of Slicer's class of that name
 *
 * A state is all that a segmentation shows: its segments in their order, their names, colours, tags
 * and label values, and all their representations. (Not the name of the source representation, nor
 * conversion parameters.) Save a state before a change; RestorePreviousState then takes the change
 * back, having saved what was there for RestoreNextState.
 *
 * The segmentation counts as changed by its events SegmentAdded, SegmentRemoved, SegmentModified
 * and SourceRepresentationModified; a change drops the states that could be redone. Reordering
 * alone, and changes of voxels without Modified(), go unnoticed. Saving or restoring without a
 * change since adds no state.
 *
 * What is kept: images in compressed blocks of 32 x 32 x 32 voxels, which states share as long as
 * they are equal; other representations as copies, shared by states between which their modified
 * time did not change. So a state costs what changed. After edits by vtkSegmentationModifier only
 * the blocks that it touched are looked at; after an image was changed otherwise all its voxels are
 * compared, once.
 *
 * Restoring keeps vtkSegment objects by their ID. An image object that the state was saved from,
 * and that segments still hold, stays as well: only the blocks that differ are written, and it
 * fires Modified. All other objects are replaced by new ones. Each changed segment fires Modified;
 * SourceRepresentationModified does not fire, ContainedRepresentationNamesModified does if the
 * names of representations are others than before.
 *
 * Limits: by number of states, and by memory; the oldest states go first, the last one saved stays.
 *
 * Bad input: without a segmentation saving and restoring give a warning and false, as do restoring
 * a state that is not there and saving with a maximum of 0 states.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: with a maximum of one state
 * undo works, and has no redo (Slicer crashes); restored images keep their object.
 *
 * @sa vtkSegmentation vtkSegmentationModifier
 */
#ifndef vtkSegmentationHistory_h
#define vtkSegmentationHistory_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <memory> // for std::unique_ptr

class vtkSegmentation;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationHistory : public vtkObject
{
public:
  static vtkSegmentationHistory* New();
  vtkTypeMacro(vtkSegmentationHistory, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The segmentation, which is kept alive. Another one removes all states.
  void SetSegmentation(vtkSegmentation* segmentation);
  vtkGetMacro(Segmentation, vtkSegmentation*);
  ///@}

  /// Save a state, unless nothing changed since the last save or restore. Cost: the voxels that
  /// changed, see the class comment.
  bool SaveState();

  ///@{
  /// Go back to the last state before what is shown now; what is shown is saved first if it is not
  /// a state yet. With as many states as allowed the oldest one goes for that, unless it is the one
  /// to be restored: then it is restored, and there is nothing to redo.
  bool RestorePreviousState();
  bool IsRestorePreviousStateAvailable();
  ///@}

  ///@{
  /// Go forward again.
  bool RestoreNextState();
  bool IsRestoreNextStateAvailable();
  ///@}

  void RemoveAllStates();
  int GetNumberOfStates();

  ///@{
  /// At most that many states are kept. Default 5.
  void SetMaximumNumberOfStates(unsigned int maximumNumberOfStates);
  vtkGetMacro(MaximumNumberOfStates, unsigned int);
  ///@}

  ///@{
  /// At most that many bytes are kept, but always the last state; 0 (default) is no limit. Not in
  /// Slicer.
  void SetMaximumMemory(vtkTypeInt64 bytes);
  vtkGetMacro(MaximumMemory, vtkTypeInt64);
  ///@}

  /// Bytes that all states keep, what they share counted once. Not in Slicer.
  vtkTypeInt64 GetMemory();

protected:
  vtkSegmentationHistory();
  ~vtkSegmentationHistory() override;

private:
  vtkSegmentationHistory(const vtkSegmentationHistory&) = delete;
  void operator=(const vtkSegmentationHistory&) = delete;

  class Internals;
  friend class Internals;

  bool Restore(int state);
  bool AppendState();
  void DropOldest(bool keepCurrent);

  vtkSegmentation* Segmentation = nullptr;
  unsigned int MaximumNumberOfStates = 5;
  vtkTypeInt64 MaximumMemory = 0;
  std::unique_ptr<Internals> States;
};

#endif
