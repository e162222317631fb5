// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapThreshold
 * @brief Selects the voxels of a volume whose value lies between two bounds.
 *
 * Input: a volume, see vtkLabelMapAlgorithm. Output: array "Labels" of the smallest unsigned
 * integer type that holds SegmentLabel: SegmentLabel where MinimumThreshold <= value <=
 * MaximumThreshold (both ends inclusive), else 0. NaN is never selected.
 *
 * Bounds are compared exactly in the type of the volume: 10.7 and 12.9 select the integers 11 and
 * 12 (vtkImageThreshold, hence Slicer, truncates the bounds and selects 10 to 12). A minimum above
 * the maximum selects nothing.
 *
 * An automatic threshold replaces one bound, see AutoThresholdMode. It is found in the histogram of
 * the whole volume, over all ranks: from its lowest to its highest finite value, NumberOfBins bins.
 * A few outliers stretch these bins, unless TailFraction leaves them out of the range.
 * Voxels shared by two ranks are counted once. A volume with a single value has no such threshold,
 * which is an error, and so is one that a method finds nothing for (Slicer takes 0 then).
 *
 * Otsu's threshold is the upper edge of the last bin of the lower class, so that values equal to it
 * belong to the upper one; those of the other methods are the centre of that bin, as in Slicer.
 * SET_UPPER and SET_MIN_UPPER select up to that edge, both ends inclusive, as in Slicer.
 *
 * Threads: yes. Ranks: two reductions (16 bytes, 8 bytes per bin); exact. Halo: none.
 * Cost: one pass; with an automatic threshold two for 8 and 16-bit volumes, else three. Scratch
 * memory: the histogram (with TailFraction 0.5 MiB per thread, and further passes); for 16-bit
 * volumes a count for every value and thread, 0.75 MiB.
 *
 * Sources of the methods, and where two of them differ from Slicer's: Kernels/AutoThreshold.h.
 * Bins as in ITK, hence Slicer: Kernels/Histogram.h.
 *
 * This is the specimen of an effect: CONTRIBUTING.md walks through its files.
 *
 * @sa vtkLabelMapIslands vtkLabelMapMargin vtkLabelMapMedian
 */
#ifndef vtkLabelMapThreshold_h
#define vtkLabelMapThreshold_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapThreshold : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapThreshold* New();
  vtkTypeMacro(vtkLabelMapThreshold, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of AutoThresholdMode; the names are Slicer's, NONE is ours.
  enum AutoThresholdModes
  {
    AUTO_NONE = 0,
    AUTO_SET_UPPER = 1,
    AUTO_SET_LOWER = 2,
    AUTO_SET_MIN_UPPER = 3,
    AUTO_SET_LOWER_MAX = 4
  };

  /// Values of AutoThresholdMethod; names and order are Slicer's. See Kernels/AutoThreshold.h.
  enum AutoThresholdMethods
  {
    METHOD_HUANG = 0,
    METHOD_INTERMODES,
    METHOD_ISO_DATA,
    METHOD_KITTLER_ILLINGWORTH,
    METHOD_LI,
    METHOD_MAXIMUM_ENTROPY,
    METHOD_MOMENTS,
    METHOD_OTSU,
    METHOD_RENYI_ENTROPY,
    METHOD_SHANBHAG,
    METHOD_TRIANGLE,
    METHOD_YEN
  };

  ///@{
  /// Lowest selected value, in the unit of the volume. Default -1e299: no lower bound.
  vtkSetMacro(MinimumThreshold, double);
  vtkGetMacro(MinimumThreshold, double);
  ///@}

  ///@{
  /// Highest selected value, in the unit of the volume. Default 1e299: no upper bound.
  vtkSetMacro(MaximumThreshold, double);
  vtkGetMacro(MaximumThreshold, double);
  ///@}

  ///@{
  /// Which bounds the automatic threshold t replaces: none (AUTO_NONE, default), the upper one
  /// (AUTO_SET_UPPER: MinimumThreshold to t), the lower one (AUTO_SET_LOWER: t to
  /// MaximumThreshold), or both (AUTO_SET_MIN_UPPER: everything up to t; AUTO_SET_LOWER_MAX: t and
  /// everything above).
  vtkSetMacro(AutoThresholdMode, int);
  vtkGetMacro(AutoThresholdMode, int);
  ///@}

  ///@{
  /// Criterion of the automatic threshold. Default METHOD_OTSU.
  vtkSetMacro(AutoThresholdMethod, int);
  vtkGetMacro(AutoThresholdMethod, int);
  ///@}

  ///@{
  /// Bins of the histogram, 2 to 65536 (for METHOD_HUANG and METHOD_SHANBHAG 4096). Default 64 as
  /// in Slicer; coarse for heavy-tailed 16-bit data.
  vtkSetMacro(NumberOfBins, int);
  vtkGetMacro(NumberOfBins, int);
  ///@}

  ///@{
  /// Part of the voxels, 0 to 0.25, at each end of the histogram whose values do not stretch its
  /// bins: they count in its first and its last one. Default 0: bins from the lowest to the highest
  /// value, of which a single outlier takes nearly all.
  vtkSetMacro(TailFraction, double);
  vtkGetMacro(TailFraction, double);
  ///@}

  /// The automatic threshold that the last execution found; 0 before, or if none was asked for.
  vtkGetMacro(AutoThreshold, double);

#ifndef __VTK_WRAP__
  bool IsLocal() const override { return true; }
#endif

protected:
  vtkLabelMapThreshold() = default;
  ~vtkLabelMapThreshold() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapThreshold(const vtkLabelMapThreshold&) = delete;
  void operator=(const vtkLabelMapThreshold&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  template <class T>
  void FindBounds(segcore::EffectJob& job, double& lower, double& upper);

  double MinimumThreshold = -1e299;
  double MaximumThreshold = 1e299;
  int AutoThresholdMode = AUTO_NONE;
  int AutoThresholdMethod = METHOD_OTSU;
  int NumberOfBins = 64;
  double TailFraction = 0.0;
  double AutoThreshold = 0.0;
};

#endif
