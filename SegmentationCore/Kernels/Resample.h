// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Resample: reads an image at the points of another lattice.
///
/// Voxel (i, j, k) of the output is read at the position
///
///     c = ((origin + k * axis[2]) + j * axis[1]) + i * axis[0]
///
/// in the input's indices, evaluated in this order in double precision from the global indices. So
/// a voxel's value does not depend on the box that is computed, on blocks, or on threads: the
/// results of boxes fit together bit by bit.
///
/// Nearest: the voxel floor(c + 1/2 + t) on each axis with t = 2^-17. Positions half-way between
/// two voxels are common (a lattice of twice the resolution has them everywhere), and t makes them
/// go to the upper voxel whatever the rounding errors of c are. A position belongs to the input if
/// lo - 1/2 - t <= c <= hi + 1/2 + t on all axes, the outer faces of its voxels included; there it
/// gets the outermost voxel. Everything else is background.
///
/// Linear: the weighted mean of the eight voxels around c, in double precision, along x first, then
/// y, then z; positions in the outer half of the outermost voxels are moved to their centres.
/// Integers are rounded to the nearest, halves up.
///
/// Values: all components of a voxel, next to each other, `background` for each; it must be in the
/// range of the type. Any scalar type of VTK. Threads: yes, tiles of rows, so that what rows next
/// to each other read is still in the caches; the interval of a row that lies inside the input is
/// found first, so that voxels outside cost no test. Scratch: 3 KiB on the stack.

#ifndef segcoreResample_h
#define segcoreResample_h

#include "Box.h"
#include "Progress.h"

#include "SegmentationCoreKernelsModule.h"

#include <functional>

namespace segcore
{

/// From the indices of the output to those of the input; see the top of the file.
struct LatticeMap
{
  double origin[3] = { 0.0, 0.0, 0.0 };
  double axis[3][3] = { { 1.0, 0.0, 0.0 }, { 0.0, 1.0, 0.0 }, { 0.0, 0.0, 1.0 } };

  /// From the rows of a matrix that maps (i, j, k, 1), row by row, 16 numbers.
  static LatticeMap fromMatrix(const double rows[16])
  {
    LatticeMap map;
    for (int row = 0; row < 3; ++row)
    {
      for (int column = 0; column < 3; ++column)
      {
        map.axis[column][row] = rows[4 * row + column];
      }
      map.origin[row] = rows[4 * row + 3];
    }
    return map;
  }
};

enum class Interpolation
{
  Nearest,
  Linear
};

/// Writes the voxels of `region`, a part of `outStored`, as read from `in`, which holds `inStored`.
template <class T>
void resample(const T* in, const Box& inStored, const LatticeMap& map, Interpolation interpolation,
  T background, Index components, T* out, const Box& outStored, const Box& region,
  const Progress& progress = Progress());

/// Fills `positions` (three numbers per voxel) for the voxels (i ... i + count - 1, j, k). Called
/// from many threads at once.
using PositionsOfRow =
  std::function<void(Index i, Index j, Index k, Index count, double* positions)>;

/// The same with positions of any kind; those that are not numbers get the background. Up to 128
/// voxels of a row are asked for at a time.
template <class T>
void resampleAt(const T* in, const Box& inStored, const PositionsOfRow& positionsOf,
  Interpolation interpolation, T background, Index components, T* out, const Box& outStored,
  const Box& region, const Progress& progress = Progress());

} // namespace segcore

#endif
