// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// This rank's piece of an image that all ranks hold together: one array, one type, one geometry.
///
/// Private to our modules: it ties VTK's data objects to Parallel, which knows none.
#ifndef segcore_DistributedImage_h
#define segcore_DistributedImage_h

#include "Box.h"
#include "Communicator.h"
#include "Distribution.h"

#include "SegmentationCoreFiltersModule.h"
#include "vtkSmartPointer.h"
#include "vtkType.h"

#include <memory>
#include <string>

class vtkAlgorithm;
class vtkDataArray;
class vtkImageData;

namespace segcore
{

/// Collective. The point array that an algorithm was told to process (SetInputArrayToProcess), or
/// the active scalars if it was told no name. Null where the piece has no voxels. Throws
/// AgreedError if there is no array of that name. `input` 1 is the volume that some effects read
/// beside a label map.
SEGMENTATIONCOREFILTERS_EXPORT vtkDataArray* arrayToProcess(
  const Communicator& communicator, vtkAlgorithm* algorithm, vtkImageData* image, int input = 0);

/// Where voxels lie; the same on all ranks.
struct Geometry
{
  double Origin[3] = { 0.0, 0.0, 0.0 };
  double Spacing[3] = { 1.0, 1.0, 1.0 };
  double Direction[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };

  SEGMENTATIONCOREFILTERS_EXPORT void copyTo(vtkImageData* image) const;
};

class SEGMENTATIONCOREFILTERS_EXPORT DistributedImage
{
public:
  /// Collective. Checks the piece of each rank (one component, as many values as voxels, no bits,
  /// positive spacing), agrees on type, name and geometry (ranks without voxels have none of their
  /// own), and decides on owners. Throws AgreedError. `scalars` may be null where there are no
  /// voxels. The image must outlive this object.
  DistributedImage(const Communicator& communicator, vtkImageData* image, vtkDataArray* scalars,
    Index blocksPerRank = 1);
  ~DistributedImage();

  const Distribution& distribution() const { return this->Layout; }
  const Geometry& geometry() const { return this->Shape; }
  int scalarType() const { return this->Type; }
  const std::string& arrayName() const { return this->Name; }
  const Box& whole() const { return this->Layout.whole(); }

  /// The box of this rank's array.
  const Box& piece() const { return this->Piece; }

  /// This rank's voxels, over piece(), x fastest; null if there are none.
  template <class T>
  const T* voxels() const
  {
    return static_cast<const T*>(this->Voxels);
  }

private:
  Distribution Layout;
  Geometry Shape;
  Box Piece;
  int Type = VTK_VOID;
  std::string Name;
  vtkSmartPointer<vtkDataArray> Holder;
  const void* Voxels = nullptr;
};

} // namespace segcore

#endif
