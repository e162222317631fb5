// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Reads pieces of the rows of an image of any scalar type, so that code that combines two images
/// is compiled once per type and not once per pair of types. First components only.
#ifndef segcore_VoxelRows_h
#define segcore_VoxelRows_h

#include "ImageVoxels.h"
#include "VoxelBox.h"

#include <cstdint>

namespace segcore
{

class VoxelRows
{
public:
  /// Voxels that one call may ask for.
  static constexpr Index Run = 1024;

  /// The image must have scalars (see scalarsOf) and outlive this.
  explicit VoxelRows(vtkImageData* image) : Scalars(scalarsOf(image)), Stored(boxOf(image)) {}

  const Box& box() const { return this->Stored; }

  /// flags[n] = 1 where voxel (x + n, y, z) is above the threshold, else 0.
  void above(double threshold, Index x, Index y, Index z, Index count, std::uint8_t* flags) const
  {
    withScalars(this->Scalars,
      [=](auto* first)
      {
        const AboveThreshold<std::decay_t<decltype(*first)>> test(threshold);
        this->read(first, x, y, z, count, [=](Index n, auto value) { flags[n] = test(value); });
      });
  }

  /// flags[n] = 1 where voxel (x + n, y, z) is not 0.
  void nonZero(Index x, Index y, Index z, Index count, std::uint8_t* flags) const
  {
    withScalars(this->Scalars, [=](auto* first)
      { this->read(first, x, y, z, count, [=](Index n, auto value) { flags[n] = value != 0; }); });
  }

  /// The values as numbers.
  void values(Index x, Index y, Index z, Index count, double* numbers) const
  {
    withScalars(this->Scalars,
      [=](auto* first)
      {
        this->read(first, x, y, z, count,
          [=](Index n, auto value) { numbers[n] = static_cast<double>(value); });
      });
  }

private:
  template <class T, class Use>
  void read(const T* first, Index x, Index y, Index z, Index count, const Use& use) const
  {
    const Index step = this->Scalars->GetNumberOfComponents();
    const T* row = first + step * this->Stored.offset(x, y, z);
    if (step == 1)
    {
      for (Index n = 0; n < count; ++n)
      {
        use(n, row[n]);
      }
      return;
    }
    for (Index n = 0; n < count; ++n)
    {
      use(n, row[n * step]);
    }
  }

  vtkDataArray* Scalars;
  Box Stored;
};

/// Calls work(x, y, z, count) for pieces of at most VoxelRows::Run voxels of the rows of a box,
/// from many threads.
template <class Work>
void forRuns(const Box& box, const Work& work)
{
  forRows(box, 1,
    [&](Index y, Index z)
    {
      for (Index x = box.lo[0]; x <= box.hi[0]; x += VoxelRows::Run)
      {
        work(x, y, z, std::min(VoxelRows::Run, box.hi[0] + 1 - x));
      }
    });
}

} // namespace segcore

#endif
