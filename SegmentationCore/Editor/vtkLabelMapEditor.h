// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapEditor
 * @brief Applies operations, given as JSON, to the segments of a volume; serial or on all ranks.
 *
 * Input 0: the volume (source of thresholds; gives the geometry). Input 1, optional: the label map
 * to start from, on the same voxels, with its segment table in the field data (see
 * vtkLabelSegmentTable). Labels that have voxels but no segment get one, named Segment_<label>.
 *
 * Operations: a JSON array of operations, oldest first, each like
 *     {"effect": "margin", "segment": "pores", "parameters": {"MarginSizeMm": 2.0}}
 * where `effect` is the identifier of a declaration in Effects/ (an effect, or a table operation
 * such as add_segment), `segment` the ID of the segment, and parameters that are left out have
 * their defaults; `masking`, `region` and `ApplyToAllVisibleSegments` are those of
 * vtkLabelMapEditSession, which does the work.
 * The array is the state: operations that were applied and that the new array does not begin with
 * are undone, those that it has besides are run; so a longer array runs only its new operations,
 * and a shorter one costs an undo. Another volume or label map, or an undo beyond the memory of the
 * history, starts again from the input.
 *
 * Output: the label map, an array for each layer ("Labels", "Labels_1", ...; more than one only if
 * segments overlap) of the smallest unsigned type that holds all label values (it widens by
 * itself), in the volume's geometry, and the segment table in the field data, with voxel counts.
 * Writing a segment takes the voxels that it enters from other segments, unless masking says
 * otherwise.
 *
 * All or nothing: if any new operation fails (unknown effect, segment or parameter, value out of
 * range, filter error, abort) the output stays as it was (empty if it belonged to another volume),
 * and LastError says which operation failed and why, the same text on all ranks. The inputs are
 * never changed.
 *
 * Threads, ranks, exactness: those of the effects. Memory: the label map twice, in the blocks of
 * the session and as output, of which only what changed is written again; and the history.
 * Progress: progress events with the title of the running operation as text.
 *
 * @sa vtkLabelMapEditSession vtkLabelSegmentTable vtkLabelMapAlgorithm
 */
#ifndef vtkLabelMapEditor_h
#define vtkLabelMapEditor_h

#include "SegmentationCoreEditorModule.h"
#include "vtkDistributedImageAlgorithm.h"

#include <memory> // for std::unique_ptr
#include <string> // for std::string

class SEGMENTATIONCOREEDITOR_EXPORT vtkLabelMapEditor : public vtkDistributedImageAlgorithm
{
public:
  static vtkLabelMapEditor* New();
  vtkTypeMacro(vtkLabelMapEditor, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// All operations as a JSON array, oldest first. Default "[]".
  void SetOperations(const char* json);
  const char* GetOperations() const { return this->Operations.c_str(); }
  ///@}

  /// The label map to start from; optional.
  void SetLabelMapConnection(vtkAlgorithmOutput* output) { this->SetInputConnection(1, output); }

  /// The declarations of all effects and table operations, as JSON.
  static std::string GetEffectDeclarations();

  /// Number of operations that the output reflects.
  int GetNumberOfAppliedOperations() const;

  /// What the last execution changed, as JSON, so that a display can update only that:
  /// {"extent": [x0, x1, y0, y1, z0, z1], "segments": [...], "table": false}. The extent holds all
  /// changed voxels of all ranks; it is empty (x1 < x0) if no voxel changed. Everything after a
  /// start from the input.
  const char* GetLastChange() const { return this->LastChange.c_str(); }

protected:
  vtkLabelMapEditor();
  ~vtkLabelMapEditor() override;

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapEditor(const vtkLabelMapEditor&) = delete;
  void operator=(const vtkLabelMapEditor&) = delete;

  struct State;
  std::unique_ptr<State> Current;
  std::string Operations = "[]";
  std::string LastChange;
};

#endif
