// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// OtsuThreshold: the threshold that separates a histogram best into two classes.
///
/// Input: bins and their counts (Histogram.h), summed over all blocks and ranks. Output: the upper
/// edge of the last bin of the lower class, which maximises the variance between the classes, w0 w1
/// (m0 - m1)^2 with class means from bin numbers. Ties (within 1e-12 relative, for instance all
/// bins of an empty gap): the lowest bin. Depends on integers only, so it is the same on every
/// rank. Fewer than two bins with counts (constant or empty image): valid is false, threshold the
/// first edge. Cost: O(bins); no threads, no memory.
///
/// Compared with Slicer (vtkITKImageThresholdCalculator, 64 bins) on 8 real images (MRI, CT,
/// micro-CT) and 210 random ones of six scalar types, ranges from 1e-4 to 2e9: the same bin every
/// time, ties included. Slicer calculates the edge in single precision, ours is in double: the
/// numbers agree to a few millionths of a bin's width. For a constant image Slicer returns the
/// constant. Source: Otsu, IEEE Trans. SMC 9 (1979), doi:10.1109/TSMC.1979.4310076.

#ifndef segcoreOtsuThreshold_h
#define segcoreOtsuThreshold_h

#include "Histogram.h"
#include "SegmentationCoreKernelsModule.h"

namespace segcore
{

struct OtsuResult
{
  double threshold = 0.0; ///< Values below it are the lower class.
  int bin = 0;            ///< Last bin of the lower class.
  bool valid = false;
};

SEGMENTATIONCOREKERNELS_EXPORT OtsuResult otsuThreshold(
  const HistogramBins& bins, const std::int64_t* counts);

} // namespace segcore

#endif
