// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Writes an image that is distributed over ranks to one NRRD file, through rank 0, slab by slab.
///
/// Private to this module. Memory: one slab of 32 MiB on rank 0 and its parts on the others,
/// however large the image is. Nothing is left or replaced if anything fails, on any rank.
#ifndef segcore_NrrdImageWriter_h
#define segcore_NrrdImageWriter_h

#include "Communicator.h"
#include "Distribution.h"
#include "NrrdFile.h"

#include <functional>
#include <string>
#include <vector>

class vtkDataArray;
class vtkImageData;

namespace segcore
{

/// What the image is, the same on all ranks: from the lowest rank that holds voxels.
struct SharedImage
{
  Distribution distribution;
  IndexToWorld geometry;
  int owner = 0; ///< the lowest rank that holds voxels
};

/// Collective. Throws AgreedError if no rank has a voxel, the pieces leave holes, or ranks differ
/// in origin, spacing or direction.
SharedImage shareImage(const Communicator& communicator, vtkImageData* image);

/// The VTK type of the same size and kind that the files know: int8 to uint64, float, double; 0 for
/// others.
int fileScalarType(int vtkType);

/// Collective. Bytes of rank `owner` to all; for small things.
void shareText(const Communicator& communicator, std::string& text, int owner);

struct NrrdOutput
{
  std::string path; ///< .nhdr: a data file is written beside it; otherwise one file
  bool compress = true;
  int compressionLevel = 1;
  bool labels = false;  ///< whether the voxels are labels, which are compressed better
  int scalarType = 0;   ///< of the file; from fileScalarType()
  Index components = 1; ///< values per voxel; above 1, they become the first axis of the file
  std::string componentKind = "list";
  Box box; ///< the part of the whole image to be written
  std::vector<std::pair<std::string, std::string>> keyValues;
};

/// Collective. Writes the voxels of `output.box`. `arrays`: this rank's arrays over its piece,
/// ignored where the piece is empty; either one array that has all components, or one array per
/// component, whose integers are converted to the type of the file. `progress` is called on all
/// ranks; false from any stops all. Throws AgreedError.
void writeNrrd(const Communicator& communicator, const SharedImage& image,
  const std::vector<vtkDataArray*>& arrays, const NrrdOutput& output,
  const std::function<bool(double)>& progress);

} // namespace segcore

#endif
