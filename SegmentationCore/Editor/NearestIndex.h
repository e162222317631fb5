// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// From the voxels of one lattice to the nearest ones of another.
///
/// Private to the editor.
#ifndef segcore_NearestIndex_h
#define segcore_NearestIndex_h

#include "Box.h"
#include "DistributedImage.h"

#include <algorithm>
#include <cmath>

namespace segcore
{

/// The index of lattice `to` that is nearest to an index of lattice `from`.
class NearestIndex
{
public:
  NearestIndex(const Geometry& from, const Geometry& to)
  {
    for (int r = 0; r < 3; ++r)
    {
      this->Start[r] = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        this->Start[r] += to.Direction[3 * a + r] * (from.Origin[a] - to.Origin[a]);
        this->Step[3 * r + a] = 0.0;
        for (int b = 0; b < 3; ++b)
        {
          this->Step[3 * r + a] += to.Direction[3 * b + r] * from.Direction[3 * b + a];
        }
        this->Step[3 * r + a] *= from.Spacing[a] / to.Spacing[r];
      }
      this->Start[r] /= to.Spacing[r];
    }
  }

  void operator()(Index i, Index j, Index k, Index out[3]) const
  {
    const double index[3] = { static_cast<double>(i), static_cast<double>(j),
      static_cast<double>(k) };
    for (int r = 0; r < 3; ++r)
    {
      double at = this->Start[r];
      for (int a = 0; a < 3; ++a)
      {
        at += this->Step[3 * r + a] * index[a];
      }
      // A millionth of a voxel is rounding; halves go up.
      out[r] = static_cast<Index>(std::floor(at + 0.5 + 1e-6));
    }
  }

  /// The box around the images of the corners of a box, and so of all its voxels.
  Box operator()(const Box& box) const
  {
    Box image;
    for (int corner = 0; corner < 8 && !box.empty(); ++corner)
    {
      Box point;
      (*this)((corner & 1 ? box.hi : box.lo)[0], (corner & 2 ? box.hi : box.lo)[1],
        (corner & 4 ? box.hi : box.lo)[2], point.lo);
      std::copy(point.lo, point.lo + 3, point.hi);
      image = image.unite(point);
    }
    return image;
  }

private:
  double Start[3];
  double Step[9];
};

} // namespace segcore

#endif
