// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// MultiThreshold: classes of values between ascending thresholds, and thresholds from a histogram.
///
/// A value's class is the number of thresholds that are not above it: class i holds the values from
/// threshold i (included) to threshold i + 1 (not included), counted from 1; those below the first
/// are class 0. Not-a-number is in no class. Thresholds are doubles and are turned once into the
/// smallest values of the volume's type that are not below them, so that all comparisons are exact.
///
/// Automatic thresholds: those that make the variance between the classes largest (Otsu), which is
/// what k-means in one dimension looks for as well. The best ones are found, by dynamic
/// programming over the bins that have voxels; of equally good ones the lowest. With fewer bins
/// than classes each bin is a class. A threshold is the upper edge of the last bin of the class
/// below it, so it separates the bins as they are.
///
/// Threads: markClasses() uses them. Cost: one read, one write, a comparison per threshold;
/// thresholds: bins^2 * classes. Scratch: 0; thresholds: 12 bytes per bin and class. Bad input (a
/// class too few, no bins): std::invalid_argument.
///
/// Sources: N. Otsu, IEEE Trans. SMC 9 (1979), doi:10.1109/TSMC.1979.4310076; W. D. Fisher, J. Am.
/// Stat. Assoc. 53 (1958), doi:10.1080/01621459.1958.10501479 (dynamic programming).

#ifndef segcoreMultiThreshold_h
#define segcoreMultiThreshold_h

#include "Histogram.h"
#include "SegmentationCoreKernelsModule.h"
#include "Threshold.h"

#include <cstdint>
#include <vector>

namespace segcore
{

/// At most classes - 1 thresholds, ascending; fewer if fewer bins have voxels.
SEGMENTATIONCOREKERNELS_EXPORT std::vector<double> multiOtsu(
  const HistogramBins& bins, const std::int64_t* counts, int classes);

/// out[i] = first + class of in[i], or 0 for not-a-number. The last class must fit Out.
template <class T, class Out>
void markClasses(const T* in, Index n, const std::vector<double>& thresholds, Out first, Out* out,
  const Progress& progress = Progress())
{
  std::vector<T> lowest; // values of each class, but for class 0
  for (const double threshold : thresholds)
  {
    const auto above = Interval<T>::between(threshold, std::numeric_limits<double>::infinity());
    if (above.empty())
    {
      break; // no value of this type is that high
    }
    lowest.push_back(above.min);
  }
  forRanges(n, Index{ 1 } << 18, progress,
    [&](Index begin, Index end)
    {
      // Short pieces stay in the cache while all thresholds are compared.
      constexpr Index piece = 4096;
      for (Index at = begin; at < end; at += piece)
      {
        const Index last = std::min(at + piece, end);
        const T* values = in + at;
        Out* labels = out + at;
        const Index count = last - at;
        for (Index i = 0; i < count; ++i)
        {
          labels[i] = values[i] == values[i] ? first : Out(0);
        }
        for (const T bound : lowest)
        {
          for (Index i = 0; i < count; ++i)
          {
            labels[i] = static_cast<Out>(labels[i] + (values[i] >= bound ? 1 : 0));
          }
        }
      }
    });
}

} // namespace segcore

#endif
