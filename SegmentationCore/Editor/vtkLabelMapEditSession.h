// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapEditSession
 * @brief An editing session: segments of a world of any size, edited by operations, with undo and a
 * journal.
 *
 * The world is a box of voxels with origin, spacing and direction. Its label layers are stored in
 * copy-on-write blocks: what nobody has touched takes no memory, and a brush stroke costs the same
 * in a world of 128^3 as in one of 4096^3, and so do its undo and redo. Images are made only of the
 * region that someone asks for.
 *
 * Operations are the JSON of vtkLabelMapEditor, with more keys:
 *
 *     {"effect": "paint", "segment": "pores", "parameters": {"Points": [[10, 20, 30]]},
 *      "masking": {"MaskMode": "EditAllowedOutsideAllSegments", "OverwriteMode": "OverwriteNone"},
 *      "region": {"center": [10, 20, 30], "size": [8, 8, 8]}}
 *
 * Masking (all optional; Slicer's names and meanings): `MaskMode` EditAllowedEverywhere,
 * EditAllowedInsideAllSegments, EditAllowedInsideVisibleSegments, EditAllowedOutsideAllSegments,
 * EditAllowedOutsideVisibleSegments, EditAllowedInsideSingleSegment (with `MaskSegmentID`);
 * `SourceVolumeIntensityMask` with `SourceVolumeIntensityMaskRange` [low, high], both included;
 * `OverwriteMode` OverwriteAllSegments, OverwriteVisibleSegments, OverwriteNone. Voxels outside the
 * editable area never change, in any segment. A segment that has to overlap another one moves to a
 * layer of its own. Removing voxels inside a single other segment gives them to that segment.
 * The region, a box in millimetres along the image's axes, is all that the effect sees and changes.
 * `"region": {"growth": 0.1}` is the box around all visible segments, as they are when the
 * operation begins, grown on each side by a tenth of the distance of its first and last voxel,
 * rounded down, and by at least 3 voxels: an effect on all segments, such as grow_from_seeds, then
 * costs what lies around them. Slicer's effects that complete segments always work so (by 0.1, and
 * when it computes anew by 0.2 or 0.5); here the whole image is the default, because a result that
 * ends at a border nobody asked for is a surprise, and journals and scripts keep their meaning.
 * `"region": {"points": [[x, y, z], ...], "diameter": mm}` is a round brush that is swept along the
 * points: the effect sees everything, and changes only voxels under the brush, to what they would
 * become without one. Slicer's smoothing brush, for every effect. Effects that look no farther than
 * some voxels (median, gaussian, opening, closing, margin, hollow, expand_segments) cost what lies
 * under the brush and that far around it.
 *
 * An effect on one segment has, instead of `segment`, `"ApplyToAllVisibleSegments": true` (Slicer's
 * name) to be applied to each visible segment in the order of the table, with the same masking;
 * each sees what became of those before. It is one operation, one step to undo, one journal line.
 *
 * What grow_from_seeds found out (4 bytes per voxel that it looks at) is remembered until the next
 * one, unless that is more than there may be for undoing: a preview, then other seeds, then a
 * preview again or the operation itself cost what the seeds change. The result is that of a new
 * start, bit for bit.
 *
 * All or nothing: after an error (or abort) the session is what it was, and LastError says why, the
 * same text on all ranks.
 *
 * Ranks: with a controller of several, every rank holds the part of the world that its volume (or
 * SetGeometry) gives, all calls marked collective are made by all ranks, and results are those of
 * one rank, bit for bit. Journals are read and written by rank 0.
 *
 * Events: ProgressEvent (call data: the fraction, double*), and LabelsChangedEvent after each
 * operation, undo and redo, when GetLastChange tells what a display must update.
 *
 * Threads: operations on many blocks use vtkSMPTools; the object itself is for one thread at a
 * time.
 *
 * @sa vtkLabelMapEditor vtkLabelSegmentTable
 */
#ifndef vtkLabelMapEditSession_h
#define vtkLabelMapEditSession_h

#include "SegmentationCoreEditorModule.h" // for export macro
#include "vtkCommand.h"                   // for vtkCommand::UserEvent
#include "vtkObject.h"

#include <memory> // for std::unique_ptr
#include <string> // for std::string
#include <vector> // for std::vector

namespace segcore
{
struct Box;
struct Geometry;
struct Operation;
}
class vtkDataArray;
class vtkImageData;
class vtkLabelSegmentTable;
class vtkMultiProcessController;

class SEGMENTATIONCOREEDITOR_EXPORT vtkLabelMapEditSession : public vtkObject
{
public:
  static vtkLabelMapEditSession* New();
  vtkTypeMacro(vtkLabelMapEditSession, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  enum EventIds
  {
    LabelsChangedEvent = vtkCommand::UserEvent + 2701
  };

  ///@{
  /// The ranks. Default: one, none but this process. Set it before the world.
  void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  ///@{
  /// Voxels along each edge of a block, 1 to 256. No result depends on it. Set it before the world.
  /// Default 32.
  vtkSetMacro(BlockEdge, int);
  vtkGetMacro(BlockEdge, int);
  ///@}

  /// Collective. A world of these voxels, without segments: extent (this rank's part of it),
  /// origin, spacing, and direction matrix by rows. Ends the session before. False after an error.
  bool SetGeometry(const int extent[6], const double origin[3], const double spacing[3],
    const double direction[9]);

  ///@{
  /// Collective. The volume that effects and intensity masks read, from its point array of this
  /// name (the active scalars if null). It is never changed, nor copied: with another lattice than
  /// the world's it is interpolated on the fly (on several ranks each then keeps a copy of the part
  /// around its own voxels; set the volume again when its values have changed). It gives the world
  /// its geometry if there is none yet. Null takes the volume away. False after an error, and while
  /// a journal is open: it is for one volume.
  bool SetVolume(vtkImageData* volume, const char* arrayName = nullptr);
  vtkImageData* GetVolume();
  ///@}

  /// Collective. Starts from a label map on the world's voxels: its layers `Labels`, `Labels_1`,
  /// ... (or its scalars) and its segment table; labels without a segment get one. Null: empty. The
  /// history begins anew. False after an error.
  bool Start(vtkImageData* labelMap);

  ///@{
  /// Collective. Runs an operation, or an array of them, as JSON. False after an error: then none
  /// of them is applied.
  bool Apply(const std::string& operations);
  ///@}

  ///@{
  /// Collective. Takes the last operation back, or repeats the last one taken back. False if there
  /// is none, or after an error.
  bool Undo();
  bool Redo();
  int GetNumberOfUndoSteps() const;
  int GetNumberOfRedoSteps() const;
  void ClearHistory();
  ///@}

  ///@{
  /// Bytes of history that a rank keeps; beyond a quarter of it the oldest steps are compressed,
  /// beyond it they are forgotten. Default 2^30.
  void SetUndoMemoryLimit(vtkTypeInt64 bytes);
  vtkTypeInt64 GetUndoMemoryLimit() const { return this->UndoMemoryLimit; }
  ///@}

  ///@{
  /// Bytes that this rank holds: label blocks, and history.
  vtkTypeInt64 GetMemorySize() const;
  vtkTypeInt64 GetUndoMemorySize() const;
  ///@}

  /// Why the last call failed; empty if it did not.
  const std::string& GetLastError() const { return this->LastError; }

  /// What the last operation, undo or redo changed, as JSON:
  /// {"extent": [x0, x1, y0, y1, z0, z1], "segments": [...], "table": false}. The extent holds all
  /// changed voxels and may be larger; it is empty (x1 < x0) if no voxel changed.
  std::string GetLastChange() const;

  /// The segments, in order; not to be changed but by operations. Voxel counts are always current.
  vtkLabelSegmentTable* GetSegmentTable() const;

  ///@{
  /// The world, of all ranks.
  int GetNumberOfLayers() const;
  void GetExtent(int extent[6]) const;
  vtkTypeInt64 GetNumberOfBlocks() const;
  ///@}

  /// The voxels of `extent` (clipped to what this rank holds) as a label map: an array for each
  /// layer, of the smallest unsigned type that holds all label values, and the segment table in the
  /// field data. False after an error.
  bool GetLabelMap(const int extent[6], vtkImageData* output);

  /// The voxels of a segment in `extent`, as an unsigned char array "Mask" of 0 and 1. False after
  /// an error.
  bool GetSegmentMask(const std::string& segment, const int extent[6], vtkImageData* output);

  /// Brings a label map that GetLabelMap has made for `output`'s extent up to date within `extent`,
  /// in place. False, with `output` as it was, if it has to be made anew: layers or types differ.
  bool UpdateLabelMap(const int extent[6], vtkImageData* output);

  /// Collective. What an operation would make of its segment, without applying it: "Mask", 0 or 1,
  /// of every `step`-th voxel along each axis, within `extent` (in voxels of the reduced lattice).
  /// An operation on all visible segments, of which there may be 254, gives n for the n-th of them;
  /// if it is applied to one after the other, the preview costs what the operation costs.
  /// With step 1 the result in the region is exactly that of the operation. One rank only if step
  /// is more than 1. False after an error.
  bool Preview(const std::string& operation, const int extent[6], int step, vtkImageData* output);

  ///@{
  /// Collective. The journal: a file that every operation, undo and redo is appended to and
  /// flushed, so that a process that dies loses nothing that was completed. OpenJournal creates the
  /// file, or, if it exists, restores the state after its last complete entry: the session must
  /// then be as it was started, on the same voxels and volume. An incomplete last line is cut off
  /// (see GetJournalWasTorn). False after an error; files are never left half changed.
  bool OpenJournal(const std::string& path);
  void CloseJournal();
  bool GetJournalWasTorn() const { return this->JournalWasTorn; }
  ///@}

  /// Collective. Writes the operations that hold, without undone ones, as a journal; the file
  /// appears complete or not at all. False after an error.
  bool SaveJournal(const std::string& path);

  /// Collective. Applies the operations of a journal, on these or other data. Lengths are in
  /// millimetres; numbers of voxels are scaled by the ratio of the voxels' volumes, so a journal
  /// recorded on a reduced copy can be replayed on the full volume. All or nothing. With
  /// `sameData` it is an error if the journal was recorded on other voxels or another volume.
  bool ReplayJournal(const std::string& path, bool sameData = false);

  /// The operations that hold, as a JSON array.
  std::string GetOperations() const;

  /// Collective. An operation, as JSON, that adds a copy of the segment to another session,
  /// whatever its lattice: name, colour, tags and voxels. Empty after an error.
  std::string ExportSegment(const std::string& segment);

  /// Collective. How this session's segments differ from those of another session of the same part
  /// of the world at another resolution, as JSON: per segment the Dice coefficient, both volumes in
  /// mm^3, and the centres of the blocks with the most differing voxels. `other` must hold all of
  /// its world on every rank (it has no controller). Empty after an error.
  std::string Compare(vtkLabelMapEditSession* other, int numberOfBlocks = 5);

  /// Collective. 16 hexadecimal digits that tell whether two volumes have the same voxels; empty
  /// without a volume.
  std::string GetVolumeFingerprint();

  ///@{
  /// Stops the running operation as soon as possible; for observers of ProgressEvent.
  vtkSetMacro(AbortExecute, bool);
  vtkGetMacro(AbortExecute, bool);
  ///@}

protected:
  vtkLabelMapEditSession();
  ~vtkLabelMapEditSession() override;

private:
  vtkLabelMapEditSession(const vtkLabelMapEditSession&) = delete;
  void operator=(const vtkLabelMapEditSession&) = delete;

  struct State;
  template <class Work>
  bool Try(const Work& work);
  void Record(const std::string& line);
  void Run(const std::vector<segcore::Operation>& operations);
  void FillLabels(const segcore::Box& part, vtkImageData* image) const;
  static void MakeMaskImage(const segcore::Box& part, const segcore::Geometry& geometry,
    vtkImageData* output, unsigned char*& values);
  std::string JournalHeader();
  void CheckJournalHeader(
    const std::string& path, const std::string& recorded, const std::string& own) const;
  void ShareTexts(std::vector<std::string>& texts) const;
  std::vector<segcore::Operation> ParseTexts(const std::vector<std::string>& texts) const;

  vtkMultiProcessController* Controller = nullptr;
  int BlockEdge = 32;
  vtkTypeInt64 UndoMemoryLimit = vtkTypeInt64(1) << 30;
  bool AbortExecute = false;
  bool JournalWasTorn = false;
  std::string LastError;
  std::unique_ptr<State> Current;
};

#endif
