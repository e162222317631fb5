// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The editor's heart: label layers in copy-on-write blocks, a segment table, operations, undo.
///
/// A segment is one label value in one layer. Segments that share no voxel share a layer; a segment
/// that must overlap another moves to a layer of its own. Every operation ends in write(), which
/// puts a mask into a segment under the operation's masking, in one pass over the blocks that the
/// mask touches; nothing is proportional to the world but what an effect itself reads.
///
/// Ranks: each holds a box of the world (shared planes and ghosts included, computed by every rank
/// that holds them), all calls marked so are collective, and all ranks get the same table. Only the
/// owner of a voxel counts it.
///
/// Private to the editor.
#ifndef segcore_EditSession_h
#define segcore_EditSession_h

#include "BlockEdit.h"
#include "EditHistory.h"
#include "LabelBlocks.h"
#include "LocalMask.h"
#include "OperationSchema.h"
#include "Progress.h"
#include "SourceVolume.h"

#include "vtkNew.h"
#include "vtkSmartPointer.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

class vtkDataArray;
class vtkImageData;
class vtkLabelMapAlgorithm;
class vtkLabelSegmentTable;
class vtkMultiProcessController;

namespace segcore
{

/// Throws std::invalid_argument if voxels cannot lie like this.
void checkGeometry(const Geometry& geometry);

/// Collective. The sum modulo 2^64 of what all ranks give.
std::uint64_t sumOfRanks(const Communicator& communicator, std::uint64_t part);

class EditSession
{
public:
  /// Collective. An empty world; `held` is what this rank holds of it. Throws AgreedError.
  EditSession(vtkMultiProcessController* controller, const Geometry& geometry, const Box& held,
    int blockEdge = LabelBlocks::DefaultEdge);
  ~EditSession();

  const Communicator& communicator() const { return this->Comm; }
  const Geometry& geometry() const { return this->Shape; }
  const Box& whole() const { return this->Owners.whole(); }
  const Box& held() const { return this->Held; }
  /// The voxels that this rank owns: no other rank does.
  std::vector<Box> ownedBoxes() const;
  vtkLabelSegmentTable* table() const { return this->Table; }
  int layerCount() const { return static_cast<int>(this->Layers.size()); }
  const LabelBlocks& layer(int index) const { return *this->Layers[index]; }

  /// Collective. The volume that effects and intensity masks read; null arguments: none.
  void setVolume(vtkImageData* image, vtkDataArray* array);
  const SourceVolume* volume() const { return this->Volume.get(); }

  /// Collective. Starts from a label map on the same voxels: its layers (arrays Labels, Labels_1,
  /// ..., or its scalars) and its segment table; labels without a segment get one. Clears history.
  void start(vtkImageData* labelMap);

  /// Collective. Runs operations, then `commit` (a collective call that may throw AgreedError); all
  /// or nothing. Throws AgreedError, which names the operation by its position, counted from
  /// `first`.
  void apply(const std::vector<Operation>& operations, const std::function<void()>& commit = {},
    std::size_t first = 0);

  /// Collective. Back and forth; false if there is nothing to undo (redo).
  bool undo(const std::function<void()>& commit = {});
  bool redo(const std::function<void()>& commit = {});
  const EditHistory& history() const { return this->History; }
  void clearHistory() { this->History.clear(); }

  /// Bytes of one rank's history beyond which the oldest steps are compressed, then forgotten.
  void setUndoMemoryLimit(std::size_t bytes) { this->UndoLimit = bytes; }
  std::size_t undoMemoryLimit() const { return this->UndoLimit; }
  /// Collective. Keeps to the limit at once; every operation does so as well.
  void trimHistory();

  /// What the last apply, undo or redo changed.
  const EditChange& lastChange() const { return this->Change; }
  void setLastChange(const EditChange& change) { this->Change = change; }

  /// Collective. The mask that a voxel operation would write, without writing it, every `step`-th
  /// voxel along each axis: 1 where its segment would gain or keep voxels. Of an operation on all
  /// visible segments, at once or in turn, n where the n-th of them would, up to 254; in turn costs
  /// what doing it costs. `part`, in indices of the reduced
  /// lattice, is clipped to it; `mask` gets one value per voxel of the result.
  Box preview(const Operation& operation, const Box& part, Index step,
    std::vector<std::uint8_t>& mask, Geometry& geometry);

  /// Collective. A number that tells whether two sessions have the same segments and voxels.
  std::uint64_t fingerprint();

  /// Bytes of voxels that this rank holds.
  std::size_t bytes() const;

  /// The box around this rank's voxels of a segment.
  Box boundsOf(int row) const;

  /// The narrowest VTK scalar type for the labels of all segments, with or without voxels.
  int labelScalarType() const;

  /// Writes the labels of `part` to an array of that type which holds `box`.
  void copyLayer(int layer, const Box& part, vtkDataArray* labels, const Box& box) const;

  /// Hears of the running operation, and may stop it.
  Progress progress;
  /// Called before each operation.
  std::function<void(const Operation&)> started;

private:
  /// Where an operation may write, and whom it may overwrite.
  struct Rules
  {
    bool areaMasked = false;
    bool insideArea = false;              // else outside
    bool single = false;                  // inside the one segment of the only row
    std::vector<int> areaRows;            // of segments that make up the area
    std::unique_ptr<LocalMask> intensity; // null: not masked
    std::vector<int> overwritten;         // rows of segments that lose voxels
    bool overwriteAll = false;            // all but the edited one
    Box region;                           // nothing is written outside
    Box seen;                             // nothing is read outside
    std::unique_ptr<LocalMask> brush;     // nothing is written beside it; null: no brush

    /// Whether some voxels of the region may not change.
    bool masked() const { return this->areaMasked || this->intensity || this->brush; }
  };
  struct BlockResult;
  class Editable;
  class Masks;

  EditStep run(const Operation& operation);
  void runOperation(const Operation& operation, EditStep& step);
  void runTableOperation(const Operation& operation, EditStep& step);
  void runEffect(const Operation& operation, EditStep& step);
  void runOnSegment(const Operation& operation, const Box& region, EditStep& step);
  void runOnAllSegments(const Operation& operation, const Box& region, EditStep& step);
  void previewAllSegments(
    const Operation& operation, const Box& box, std::vector<std::uint8_t>& mask);
  void previewInTurn(const Operation& operation, const Box& box, std::vector<std::uint8_t>& mask);
  void writeParts(const LocalMask& result, const Operation& operation, const Box& region,
    const vtkLabelMapAlgorithm* effect, EditStep& step);
  void beginStatus(int row, EditStep& step);
  std::vector<int> visibleRows() const;
  Box commonBox(const std::vector<int>& rows, const Box& region) const;
  Box workBox(const std::vector<int>& rows, vtkLabelMapAlgorithm* effect, const Box& region) const;
  Box grownByReach(Box box, const vtkLabelMapAlgorithm* effect) const;
  vtkSmartPointer<vtkDataArray> copyRows(
    const std::vector<int>& rows, const Box& part, int scalarType) const;
  void fillRows(const std::vector<int>& rows, const Box& part, vtkDataArray* labels) const;
  void markForbidden(
    const Rules& rules, const std::vector<int>& rows, const Box& part, vtkDataArray* labels) const;
  vtkSmartPointer<vtkImageData> imageOn(const Box& part, vtkDataArray* scalars) const;
  void requireVolumeOn(const Box& part) const;
  vtkSmartPointer<vtkImageData> volumeOn(const Box& part) const;
  void remember(vtkLabelMapAlgorithm* effect, const Box& part, vtkImageData* volume);
  vtkSmartPointer<vtkDataArray> applyToLabels(
    vtkLabelMapAlgorithm* effect, vtkDataArray* labels, const Box& part);
  vtkSmartPointer<vtkDataArray> applyToAllSegments(const Operation& operation, const Box& region,
    vtkLabelMapAlgorithm* effect, const std::vector<int>& rows, Box& part);
  vtkSmartPointer<vtkImageData> applyEffect(
    vtkLabelMapAlgorithm* effect, vtkImageData* input, vtkImageData* volume = nullptr);
  void editable(const Rules& rules, const std::vector<LabelSet>& area, Index key, const Box& part,
    std::uint8_t* allowed) const;
  std::unique_ptr<LocalMask> makeMask(
    const Operation& operation, vtkLabelMapAlgorithm* effect, const Rules& rules);
  Rules makeRules(const Operation& operation, const Box& region, int row,
    const vtkLabelMapAlgorithm* effect) const;
  static bool splits(WriteMode mode, const Rules& rules, int row);
  Box operationRegion(const Operation& operation) const;

  void write(const LocalMask& mask, WriteMode mode, int row, const Rules& rules, EditStep& step);
  bool writeOnce(
    const LocalMask& mask, WriteMode mode, int row, const Rules& rules, EditStep& step);
  void codes(const LocalMask& mask, WriteMode mode, const Rules& rules,
    const std::vector<LabelSet>& area, Index key, const Box& part, std::uint8_t* out,
    std::uint8_t* allowed) const;
  std::vector<LabelSet> labelsOf(const std::vector<int>& rows) const;
  void install(std::vector<BlockResult>& results, EditStep& step);
  void moveToFreeLayer(int row, EditStep& step);
  void turnAround(EditStep& step, bool undo);

  int newLayer();
  void dropEmptyLayers();
  void rememberTable(EditStep& step);
  void updatePlaces();
  int find(const std::string& id) const;
  int addSegment(
    const std::string& id, const std::string& name, const std::vector<double>& color, Label label);
  bool isOwned(const Box& box) const;
  std::unique_ptr<LocalMask> segmentMask(int row) const;
  void readLayers(vtkImageData* labelMap);
  void sampleFrom(const EditSession& other, Index step);
  void countVoxels();

  /// An effect that a small change would cost little, with the volume that it saw.
  struct Remembered
  {
    vtkSmartPointer<vtkLabelMapAlgorithm> effect;
    Box part;
    vtkSmartPointer<vtkDataArray> values;
    std::uint64_t print = 0; // of the values, which somebody may change without a word
  };

  /// Where the voxels of a table row are.
  struct Place
  {
    int layer = 0;
    Label label = 0;
  };

  Communicator Comm;
  vtkMultiProcessController* Controller;
  Geometry Shape;
  Box Held;
  int Edge;
  Distribution Owners;
  std::vector<std::unique_ptr<LabelBlocks>> Layers;
  vtkNew<vtkLabelSegmentTable> Table;
  std::vector<Place> Places; // of each row, as of the last updatePlaces
  std::unique_ptr<SourceVolume> Volume;
  EditHistory History;
  std::size_t UndoLimit = std::size_t{ 1 } << 30;
  Remembered Last;
  EditChange Change;
};

} // namespace segcore

#endif
