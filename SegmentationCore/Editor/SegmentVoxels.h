// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The voxels of a segment as JSON, so that an operation can carry them to another session:
///
///     {"origin": [3], "spacing": [3], "direction": [9, by rows],
///      "pieces": [{"extent": [6], "runs": [outside, inside, outside, ...]}, ...]}
///
/// A piece is a box of voxels, in runs along its raster order, x fastest; what the last run leaves
/// over is outside. Voxels in no piece are outside.
///
/// Private to the editor.
#ifndef segcore_SegmentVoxels_h
#define segcore_SegmentVoxels_h

#include "LocalMask.h"
#include "NearestIndex.h"

#include <string>
#include <vector>

namespace segcore
{

class EditSession;

/// Collective. The voxels of a row of the session's table, of all ranks.
std::string exportVoxels(const EditSession& session, int row);

/// Voxels as above, seen from another lattice.
class ImportedVoxels : public LocalMask
{
public:
  /// Throws std::invalid_argument that says what is wrong with `json`.
  ImportedVoxels(const std::string& json, const Geometry& geometry);

  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override;

private:
  struct Piece
  {
    Box box;
    std::vector<std::uint8_t> mask;
  };

  std::vector<Piece> Pieces;
  Box Bounds;
  std::vector<NearestIndex> Nearest; // one, made when the lattice is known
};

} // namespace segcore

#endif
