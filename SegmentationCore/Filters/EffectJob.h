// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What an effect works on while it runs: this rank's piece of the image, who owns which voxel, and
/// the ways to read a mask with a halo and to write a result.
///
/// Private to the filters: it ties VTK's data objects to the kernels, which know none, and to
/// Parallel, which does the talking. Layout of all arrays: x fastest, strides in elements.
#ifndef segcore_EffectJob_h
#define segcore_EffectJob_h

#include "Box.h"
#include "Communicator.h"
#include "Distribution.h"
#include "HaloExchange.h"
#include "Progress.h"

#include "vtkSmartPointer.h"
#include "vtkType.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

class vtkDataArray;
class vtkImageData;
class vtkLabelMapAlgorithm;

namespace segcore
{

/// The type-independent geometry of an image; the same on all ranks.
struct Geometry
{
  double Origin[3] = { 0.0, 0.0, 0.0 };
  double Spacing[3] = { 1.0, 1.0, 1.0 };
  double Direction[9] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
};

class EffectJob
{
public:
  /// Collective. Checks the input of all ranks, agrees on type and geometry, decides on owners.
  EffectJob(vtkLabelMapAlgorithm* filter, vtkImageData* input, vtkDataArray* scalars);

  const Communicator& communicator() const { return this->Comm; }
  const Distribution& distribution() const { return *this->Layout; }
  const Geometry& geometry() const { return this->ImageGeometry; }
  int scalarType() const { return this->ScalarType; }
  Index segmentLabel() const { return this->Label; }

  /// The whole image, and this rank's piece of it (possibly without voxels).
  const Box& whole() const { return this->Layout->whole(); }
  const Box& piece() const { return this->Piece; }

  /// This rank's voxels of the array to process, over piece(); null if there are none.
  template <class T>
  const T* input() const
  {
    return static_cast<const T*>(this->InputVoxels);
  }

  /// Makes the output array over piece(). All ranks make one, also those without voxels.
  template <class T>
  T* makeOutput(int vtkType, const char* name)
  {
    return static_cast<T*>(this->makeOutputArray(vtkType, name));
  }
  const char* inputName() const { return this->InputName.c_str(); }
  vtkDataArray* output() const { return this->Output; }

  /// Reports progress and notices abort; safe to call on the calling thread only.
  const Progress& progress() const { return this->Reporter; }

  /// Collective. Calls work(block) for each own block in turn, null where other ranks have more
  /// blocks than this one. `work` may make collective calls, as all ranks take part in each turn.
  void forEachBlock(const std::function<void(const Block*)>& work);

  /// Collective. Replaces the segment by what makeMask computes from the segment's mask: for each
  /// block, makeMask(mask, padded, target, out, progress) gets the mask (1 inside) of `target` grown by
  /// `halo` and clipped to the image, and writes the new mask of `target`.
  /// The output array gets the input's type; see vtkLabelMapAlgorithm.h for which voxels change.
  /// Scratch memory: two bytes per voxel of a block with its halo, and what makeMask needs.
  using MaskMaker = std::function<void(
    const std::uint8_t*, const Box&, const Box&, std::uint8_t*, const Progress&)>;
  void replaceSegment(const Index halo[3], const MaskMaker& makeMask);

private:
  friend class ::vtkLabelMapAlgorithm;

  void* makeOutputArray(int vtkType, const char* name);

  template <class T>
  void replaceSegmentTyped(const Index halo[3], const MaskMaker& makeMask);

  vtkLabelMapAlgorithm* Filter;
  Communicator Comm;
  std::unique_ptr<Distribution> Layout;
  Geometry ImageGeometry;
  Box Piece;
  int ScalarType = VTK_VOID;
  Index Label = 1;
  std::string InputName;
  const void* InputVoxels = nullptr;
  vtkSmartPointer<vtkDataArray> InputHolder;
  vtkSmartPointer<vtkDataArray> Output;
  Progress Reporter;
};

} // namespace segcore

#endif
