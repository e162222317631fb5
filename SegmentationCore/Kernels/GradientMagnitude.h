// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// GradientMagnitude: how steep a volume is at each voxel, by central differences.
///
/// Along each axis the difference of the two neighbours over twice the spacing; where the image
/// ends, the voxel itself takes the place of the missing neighbour (zero flux). The magnitude is
/// sqrt(x^2 + y^2 + z^2), in double, in this order: a voxel's result depends on its neighbours'
/// values alone, so it is equal for any division of the image. What is not a number stays none.
/// Along the axes of the image, in value per unit of the spacing; directions do not matter.
///
/// Input: five rows of a volume and the values before and after the row. Output: a row of doubles.
/// Cost: seven reads and a square root per voxel. Memory: none.

#ifndef segcoreGradientMagnitude_h
#define segcoreGradientMagnitude_h

#include "Box.h"

#include <cmath>

namespace segcore
{

/// Rows of `count` voxels: the row itself and its neighbours along y and z, which are the row
/// itself where the image ends; and the values next to its ends, likewise.
template <class T>
struct GradientRows
{
  const T* row;
  const T* beforeY;
  const T* afterY;
  const T* beforeZ;
  const T* afterZ;
  T before;
  T after;
};

template <class T>
void gradientMagnitude(
  const GradientRows<T>& rows, Index count, const double spacing[3], double* out)
{
  const double scaleX = 0.5 / spacing[0];
  const double scaleY = 0.5 / spacing[1];
  const double scaleZ = 0.5 / spacing[2];
  const auto at = [&](Index i, T before, T after)
  {
    const double x = (static_cast<double>(after) - static_cast<double>(before)) * scaleX;
    const double y =
      (static_cast<double>(rows.afterY[i]) - static_cast<double>(rows.beforeY[i])) * scaleY;
    const double z =
      (static_cast<double>(rows.afterZ[i]) - static_cast<double>(rows.beforeZ[i])) * scaleZ;
    out[i] = std::sqrt(x * x + y * y + z * z);
  };
  for (Index i = 1; i + 1 < count; ++i)
  {
    at(i, rows.row[i - 1], rows.row[i + 1]);
  }
  if (count == 1)
  {
    at(0, rows.before, rows.after);
  }
  else if (count > 1)
  {
    at(0, rows.before, rows.row[1]);
    at(count - 1, rows.row[count - 2], rows.after);
  }
}

} // namespace segcore

#endif
