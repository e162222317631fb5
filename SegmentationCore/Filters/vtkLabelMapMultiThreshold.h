// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapMultiThreshold
 * @brief Divides a volume into several segments by thresholds, given or found automatically.
 *
 * Input: a volume, see vtkLabelMapAlgorithm. Output: array "Labels" of the smallest unsigned
 * integer type that holds all labels: n thresholds give n + 1 classes with the labels SegmentLabel,
 * SegmentLabel + 1, and so on. A class holds the values from its threshold (included) to the next
 * one (not included), so every voxel is in one class alone; only not-a-number is 0. Compared
 * exactly in the type of the volume. In the editor the lowest class is the segment of the
 * operation, and the others are new segments.
 *
 * Without Thresholds they are found in the histogram of the whole volume, over all ranks, from its
 * lowest to its highest finite value: the ones that make the variance between the classes largest,
 * which is Otsu's criterion for several classes, and the optimum that k-means looks for. A volume
 * with fewer different bins than NumberOfClasses has fewer classes.
 *
 * Threads: yes. Ranks: two reductions (16 bytes, 8 bytes per bin); exact. Halo: none.
 * Cost: one pass, three with automatic thresholds. Scratch memory: the histogram.
 *
 * Errors: Thresholds that do not ascend; a volume without a finite value to find them from.
 *
 * Differs from the multiple threshold of GeoSlicer, whose classes share their ends.
 * Sources: Kernels/MultiThreshold.h; bins: Kernels/Histogram.h.
 *
 * @sa vtkLabelMapThreshold
 */
#ifndef vtkLabelMapMultiThreshold_h
#define vtkLabelMapMultiThreshold_h

#include "vtkLabelMapAlgorithm.h"

#include <vector> // for std::vector

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapMultiThreshold : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapMultiThreshold* New();
  vtkTypeMacro(vtkLabelMapMultiThreshold, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The thresholds between the classes, ascending, in the unit of the volume. None (the default)
  /// means that they are found.
  void SetThresholds(const double* values, vtkIdType count);
  void AddThreshold(double value);
  void RemoveAllThresholds();
  vtkIdType GetNumberOfThresholds() const;
  ///@}

  /// One of the given thresholds, or of those that the last execution found; NaN if there is none.
  double GetUsedThreshold(vtkIdType index) const;
  /// Their number.
  vtkIdType GetNumberOfUsedThresholds() const;

  ///@{
  /// Classes to find thresholds for, 2 to 16. Default 3.
  vtkSetMacro(NumberOfClasses, int);
  vtkGetMacro(NumberOfClasses, int);
  ///@}

  ///@{
  /// Bins of the histogram, 2 to 2048. Default 256.
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

#ifndef __VTK_WRAP__
  bool MakesParts() const override { return true; }
#endif

protected:
  vtkLabelMapMultiThreshold() = default;
  ~vtkLabelMapMultiThreshold() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapMultiThreshold(const vtkLabelMapMultiThreshold&) = delete;
  void operator=(const vtkLabelMapMultiThreshold&) = delete;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  std::vector<double> Thresholds;
  std::vector<double> UsedThresholds;
  int NumberOfClasses = 3;
  int NumberOfBins = 256;
  double TailFraction = 0.0;
};

#endif
