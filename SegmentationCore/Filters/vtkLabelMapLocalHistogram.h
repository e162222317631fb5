// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapLocalHistogram
 * @brief The values of a volume under a brush: lowest, mean, highest, histogram, and the threshold
 * that parts them.
 *
 * Input: a volume (point scalars of any scalar type but bits, one component; active scalars unless
 * chosen otherwise). Output: a table with one row, on rank 0 alone (others have columns without
 * rows); the columns are those of the declaration (docs/effects.md).
 *
 * The brush (BrushType; the names are Slicer's). A voxel is touched if its centre is inside:
 *   CIRCLE  a disc of BrushAbsoluteDiameter across SliceNormal, SliceThickness high, swept along
 * the points as by vtkLabelMapPaint; BOX     the voxels between those nearest to the points, along
 * the axes of the image; DRAW    what is inside the closed outline of the points, as by
 * vtkLabelMapDraw; LINE    a ball of BrushAbsoluteDiameter, swept along the points.
 *
 * Which values are which of Slicer's buttons: `lower` is the region's lowest value
 * (HISTOGRAM_SET_LOWER), `average` its mean (HISTOGRAM_SET_AVERAGE), `upper` its highest
 * (HISTOGRAM_SET_UPPER); HISTOGRAM_SET_MINIMUM and HISTOGRAM_SET_MAXIMUM, the ends of the whole
 * volume, are what vtkLabelMapThreshold has where no bound is set. Values that are not finite are
 * left out.
 *
 * The histogram has NumberOfBins bins as vtkLabelMapThreshold makes them, from the lowest to the
 * highest value of the region; `auto_threshold` is what AutoThresholdMethod finds in it, NaN if it
 * finds nothing (as for a single value).
 *
 * Error: counts, lowest and highest value are exact, mean and deviation up to 2^-44 of the largest
 * magnitude; 64-bit integers beyond 2^53 are rounded to double.
 *
 * Threads: no, it looks at little. Ranks: exact; two reductions of 16 bytes, 8 bytes per bin, and
 * sums of 64 bytes. Halo: none. Cost: two reads of what is touched. Scratch memory: 3 MiB at most.
 *
 * Errors: no point, a point that is not finite, a diameter, thickness or number of bins out of
 * range, a normal without length; a brush that touches no voxel with a finite value. They are
 * agreed on by all ranks: each gives an empty output and the same text in LastError.
 *
 * Differs from Slicer's local histogram on purpose: voxels of the volume itself, not of the slice
 * view's interpolated image; a circle and a tube where Slicer has polyhedra with 32 and 50 sides;
 * a line as wide as the brush (Slicer: two slices); and bins as those of the global automatic
 * threshold (Slicer: up to 1000, for display).
 *
 * @sa vtkLabelMapThreshold vtkLabelMapPaint vtkLabelMapDraw
 */
#ifndef vtkLabelMapLocalHistogram_h
#define vtkLabelMapLocalHistogram_h

#include "SegmentationCoreFiltersModule.h"
#include "vtkTableAlgorithm.h"

#include <memory> // for std::unique_ptr
#include <string> // for std::string
#include <vector> // for std::vector

class vtkMultiProcessController;

namespace segcore
{
class DistributedImage;
class LocalMask;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapLocalHistogram : public vtkTableAlgorithm
{
public:
  static vtkLabelMapLocalHistogram* New();
  vtkTypeMacro(vtkLabelMapLocalHistogram, vtkTableAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of BrushType; the names are Slicer's.
  enum BrushTypes
  {
    CIRCLE = 0,
    BOX = 1,
    DRAW = 2,
    LINE = 3
  };

  ///@{
  /// The points, in world coordinates (millimetres), in order. At least one.
  void AddPoint(double x, double y, double z);
  void RemoveAllPoints();
  vtkIdType GetNumberOfPoints() const { return static_cast<vtkIdType>(this->Points.size() / 3); }
  ///@}

#ifndef __VTK_WRAP__
  /// All points at once, x, y, z of each in turn.
  void SetPoints(const double* coordinates, vtkIdType numberOfPoints);
#endif

  ///@{
  /// What is made of the points. Default CIRCLE.
  vtkSetMacro(BrushType, int);
  vtkGetMacro(BrushType, int);
  ///@}

  ///@{
  /// Diameter of CIRCLE and LINE in millimetres, 1e-6 to 1e6. Default 5.
  vtkSetMacro(BrushAbsoluteDiameter, double);
  vtkGetMacro(BrushAbsoluteDiameter, double);
  ///@}

  ///@{
  /// Normal of the plane of CIRCLE and DRAW in world coordinates, of any length but 0. Default (0,
  /// 0, 1).
  vtkSetVector3Macro(SliceNormal, double);
  vtkGetVector3Macro(SliceNormal, double);
  ///@}

  ///@{
  /// How thick CIRCLE and DRAW are along it, in millimetres, 0 to 1e6, half to either side; 0 is
  /// one slice of the volume. Default 0.
  vtkSetMacro(SliceThickness, double);
  vtkGetMacro(SliceThickness, double);
  ///@}

  ///@{
  /// Bins of the histogram, 2 to 65536 (for HUANG and SHANBHAG 4096). Default 64.
  vtkSetMacro(NumberOfBins, int);
  vtkGetMacro(NumberOfBins, int);
  ///@}

  ///@{
  /// Criterion of the automatic threshold; values of vtkLabelMapThreshold::AutoThresholdMethods.
  /// Default 7, OTSU.
  vtkSetMacro(AutoThresholdMethod, int);
  vtkGetMacro(AutoThresholdMethod, int);
  ///@}

  ///@{
  /// The ranks that work together. Default: the global controller; null or one process means
  /// serial.
  virtual void SetController(vtkMultiProcessController* controller);
  vtkMultiProcessController* GetController() const { return this->Controller; }
  ///@}

  /// Why the last execution failed, the same on all ranks; empty after success.
  const char* GetLastError() const { return this->LastError.c_str(); }

protected:
  vtkLabelMapLocalHistogram();
  ~vtkLabelMapLocalHistogram() override;

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapLocalHistogram(const vtkLabelMapLocalHistogram&) = delete;
  void operator=(const vtkLabelMapLocalHistogram&) = delete;

  std::string CheckParameters() const;
  std::unique_ptr<segcore::LocalMask> MakeRegion(const segcore::DistributedImage& image) const;

  std::vector<double> Points;
  int BrushType = CIRCLE;
  double BrushAbsoluteDiameter = 5.0;
  double SliceNormal[3] = { 0.0, 0.0, 1.0 };
  double SliceThickness = 0.0;
  int NumberOfBins = 64;
  int AutoThresholdMethod = 7;
  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;
};

#endif
