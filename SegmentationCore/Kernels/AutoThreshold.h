// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// AutoThreshold: the value that separates a histogram into two classes, by twelve criteria.
///
/// Input: bins and their counts (Histogram.h), summed over all blocks and ranks. Output: the last
/// bin of the lower class, and the threshold: that bin's upper edge for Otsu, its centre for the
/// others, as in Slicer. Depends on integer counts only, so it is the same on every rank and for
/// any number of threads. Ties: the lowest bin.
///
/// | method | criterion, of the last bin t of the lower class |
/// |---|---|
/// | Huang | least fuzziness (Shannon's) of the membership to the nearer class mean |
/// | Intermodes | smoothed by means of three until two peaks are left: the middle between them |
/// | IsoData | the first t with voxels not below the middle between the class means, or in a gap |
/// | KittlerIllingworth | least classification error of two Gaussians, iterated from the mean |
/// | Li | least cross entropy, iterated from the mean; values below 0 are shifted up to 0 |
/// | MaximumEntropy | largest sum of the entropies of both classes |
/// | Moments | two values with the first three moments of the histogram |
/// | Otsu | largest variance between the classes |
/// | RenyiEntropy | weighted mean of the best t for entropies of order 1/2, 1 and 2 |
/// | Shanbhag | the classes tell equally much, membership growing with the distance to t |
/// | Triangle | farthest below the line from the peak to the 1 % or 99 % quantile |
/// | Yen | largest entropic correlation |
///
/// Compared with ITK's calculators, which Slicer uses (64 bins): the same bin on real and random
/// images, but for Huang, where ITK rounds class means to whole intensities and leaves out the
/// first bin, and Li, where it rounds the threshold to whole intensities: ours do not change when
/// intensities are scaled. KittlerIllingworth has the base-10 logarithm of ITK, where the paper has
/// the natural one. Where ITK returns the value of a constant image, or 0 because no Gaussians fit,
/// there is none here.
///
/// Cost: O(bins); O(bins^2) for Huang, Shanbhag, and at most 10,000 bins for Intermodes. No
/// threads; 24 bytes per bin.
///
/// Bad input (no bins): std::invalid_argument.
///
/// Sources: Huang, Wang, Pattern Recognition 28 (1995), doi:10.1016/0031-3203(94)E0043-K; Prewitt,
/// Mendelsohn, Ann. N.Y. Acad. Sci. 128 (1966), doi:10.1111/j.1749-6632.1965.tb11715.x
/// (Intermodes); Ridler, Calvard, IEEE Trans. SMC 8 (1978), doi:10.1109/TSMC.1978.4310039
/// (IsoData); Kittler, Illingworth, Pattern Recognition 19 (1986),
/// doi:10.1016/0031-3203(86)90030-0; Li, Tam, Pattern Recognition Letters 19 (1998),
/// doi:10.1016/S0167-8655(98)00057-9; Kapur, Sahoo, Wong, CVGIP 29 (1985),
/// doi:10.1016/0734-189X(85)90125-2 (MaximumEntropy); Tsai, CVGIP 29 (1985),
/// doi:10.1016/0734-189X(85)90133-1 (Moments); Otsu, IEEE Trans. SMC 9 (1979),
/// doi:10.1109/TSMC.1979.4310076; Sahoo, Wilkins, Yeager, Pattern Recognition 30 (1997),
/// doi:10.1016/S0031-3203(96)00065-9 (Renyi); Shanbhag, CVGIP 56 (1994),
/// doi:10.1006/cgip.1994.1037; Zack, Rogers, Latt, J. Histochem. Cytochem. 25 (1977),
/// doi:10.1177/25.7.70454 (Triangle); Yen, Chang, Chang, IEEE Trans. IP 4 (1995),
/// doi:10.1109/83.366472.

#ifndef segcoreAutoThreshold_h
#define segcoreAutoThreshold_h

#include "Histogram.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>

namespace segcore
{

/// In the order of Slicer's calculator.
enum class ThresholdMethod
{
  Huang,
  Intermodes,
  IsoData,
  KittlerIllingworth,
  Li,
  MaximumEntropy,
  Moments,
  Otsu,
  RenyiEntropy,
  Shanbhag,
  Triangle,
  Yen
};

struct AutoThreshold
{
  double threshold = 0.0; ///< Values below it are the lower class.
  int bin = 0;            ///< Last bin of the lower class.
  bool valid = false;     ///< False if there is none: fewer than two bins with counts, or no fit.
};

/// Bins beyond which Huang and Shanbhag take minutes.
constexpr int MostBinsOfQuadraticMethods = 4096;
inline bool isQuadratic(ThresholdMethod method)
{
  return method == ThresholdMethod::Huang || method == ThresholdMethod::Shanbhag;
}

SEGMENTATIONCOREKERNELS_EXPORT AutoThreshold autoThreshold(
  ThresholdMethod method, const HistogramBins& bins, const std::int64_t* counts);

} // namespace segcore

#endif
