// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// The bits of one segment of a distributed label map, in any boxes; see HaloExchange.h.
///
/// Private to the filters.
#ifndef segcore_SegmentBits_h
#define segcore_SegmentBits_h

#include "DistributedImage.h"
#include "HaloExchange.h"
#include "ScalarTypes.h"

#include "vtkDataArray.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

namespace segcore
{

/// A label in the type of a label map, or the unsigned one of its width. `fits` is false if the
/// type does not hold it: then no voxel has it.
template <class T>
T labelOfType(const DistributedImage& image, Index label, bool& fits)
{
  // Beyond the digits of a floating type neighbouring labels would be the same number.
  fits = std::is_floating_point<T>::value
    ? label <= Index{ 1 } << std::min(62, std::numeric_limits<T>::digits)
    : static_cast<double>(label) <= vtkDataArray::GetDataTypeMax(image.scalarType());
  return fits ? static_cast<T>(label) : T(0);
}

/// Collective. 1 where the label map has this label, from 1. The boxes are inside image.whole().
inline void fetchSegmentBits(const Communicator& communicator, const DistributedImage& image,
  Index label, const std::vector<BitRequest>& requests)
{
  const auto fetch = [&](auto zero)
  {
    using T = decltype(zero);
    bool fits = false;
    const T wanted = labelOfType<T>(image, label, fits);
    fetchBits(
      communicator, image.distribution(), image.voxels<T>(),
      [fits, wanted](T value) { return fits && value == wanted; }, requests);
  };
  switch (image.scalarType())
  {
    segcoreEqualityMacro(fetch(VTK_TT()));
    default:
      throw AgreedError("array '" + image.arrayName() + "' has an unknown scalar type");
  }
}

} // namespace segcore

#endif
