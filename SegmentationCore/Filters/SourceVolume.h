// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// A volume seen from the voxels of a label map: read in place where both have the same lattice,
/// linearly interpolated on the fly where not. The volume is not copied; only on several ranks with
/// different lattices each rank keeps a copy of the part that its voxels of the label map lie in.
///
/// Private to our modules.
#ifndef segcore_SourceVolume_h
#define segcore_SourceVolume_h

#include "DistributedImage.h"
#include "LocalMask.h"

#include "SegmentationCoreFiltersModule.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkSmartPointer.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace segcore
{

class SEGMENTATIONCOREFILTERS_EXPORT SourceVolume
{
public:
  /// Collective. `array` is the point array of `image` to read, null where it has no voxels;
  /// `labelMap` and `held` are the geometry of the label map and this rank's voxels of it.
  /// Throws AgreedError for what DistributedImage refuses, and if on several ranks the lattices are
  /// the same but the volume lies on other ranks than the label map.
  SourceVolume(const Communicator& communicator, vtkImageData* image, vtkDataArray* array,
    const Geometry& labelMap, const Box& held);
  ~SourceVolume();

  vtkImageData* image() const { return this->Image; }
  vtkDataArray* array() const { return this->Array; }
  const std::string& arrayName() const { return this->Layout.arrayName(); }
  const Geometry& geometry() const { return this->Layout.geometry(); }
  int scalarType() const { return this->Layout.scalarType(); }

  /// Whether voxel (i, j, k) of the label map is voxel (i, j, k) + shift() of the volume.
  bool aligned() const { return this->Aligned; }

  /// See aligned(); 0 if the lattices differ.
  const Index* shift() const { return this->Shift; }

  /// The volume as all ranks hold it, in its own indices.
  const DistributedImage& layout() const { return this->Layout; }

  /// Voxels of the label map that have a value.
  const Box& bounds() const { return this->Bounds; }

  /// 1 where lower <= value <= upper (both included; voxels outside the volume are 0). Integer
  /// volumes are compared exactly, interpolated values in double. Must not outlive this object.
  std::unique_ptr<LocalMask> interval(double lower, double upper) const;

  /// The values of a row of the label map, as the volume's scalar type; aligned volumes only.
  template <class T>
  const T* row(Index i, Index j, Index k) const
  {
    return this->Layout.template voxels<T>() +
      this->Layout.piece().offset(i + this->Shift[0], j + this->Shift[1], k + this->Shift[2]);
  }

  /// Interpolated values of `part`; NaN outside the volume. Threads: yes.
  void sample(const Box& part, double* out) const;

private:
  template <class T>
  void fetchStored(const Communicator& communicator);
  template <class T>
  void sampleTyped(const Box& part, double* out) const;

  vtkSmartPointer<vtkImageData> Image;
  vtkSmartPointer<vtkDataArray> Array;
  DistributedImage Layout;
  bool Aligned = false;
  Index Shift[3] = { 0, 0, 0 };
  Box Bounds;
  // Continuous index of the volume = Start + Step * index of the label map.
  double Start[3] = { 0.0, 0.0, 0.0 };
  double Step[9] = { 0.0 };
  // The values to interpolate: the piece's, or those that were fetched from other ranks.
  Box Stored;
  const void* Values = nullptr;
  std::vector<std::byte> Fetched;
};

} // namespace segcore

#endif
