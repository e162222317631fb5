// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapLocalThickness
 * @brief How thick a segment is at each of its voxels: the diameter of the largest ball that lies
 * in the segment and covers the voxel.
 *
 * Input: a label map; the segment is all voxels equal to SegmentLabel. Output: the input with an
 * array "Thickness" (32-bit floating point), the active scalars: millimetres in the segment, 0
 * elsewhere and where no ball of the list of diameters covers the voxel.
 *
 * Which diameters there are, where balls may be, what the border of the image means, cost, halo,
 * errors and sources: all as vtkLabelMapSizeDistribution, which counts these voxels. Scratch
 * memory: below 3 bytes per voxel besides the output.
 *
 * In parallel each rank gives and gets its piece; exact.
 *
 * @sa vtkLabelMapSizeDistribution
 */
#ifndef vtkLabelMapLocalThickness_h
#define vtkLabelMapLocalThickness_h

#include "vtkDistributedImageAlgorithm.h"

#include <vector> // for std::vector

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapLocalThickness : public vtkDistributedImageAlgorithm
{
public:
  static vtkLabelMapLocalThickness* New();
  vtkTypeMacro(vtkLabelMapLocalThickness, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Voxel value of the segment in the label map. Default 1.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// The diameters in millimetres, ascending, 1e-6 to 1e6, at most 1000. None (the default): as
  /// NumberOfBins says.
  void SetDiameters(const double* values, vtkIdType count);
  void AddDiameter(double value);
  void RemoveAllDiameters();
  vtkIdType GetNumberOfDiameters() const { return static_cast<vtkIdType>(this->Diameters.size()); }
  ///@}

  ///@{
  /// How many diameters there are up to the largest ball, if there is no list; 1 to 1000. Default
  /// 20.
  vtkSetMacro(NumberOfBins, int);
  vtkGetMacro(NumberOfBins, int);
  ///@}

  ///@{
  /// Whether balls must stay inside the image. Default off.
  vtkSetMacro(BorderIsWall, bool);
  vtkGetMacro(BorderIsWall, bool);
  vtkBooleanMacro(BorderIsWall, bool);
  ///@}

  ///@{
  /// Blocks into which each rank's part is cut, from 1. Does not change the result. Default 1.
  vtkSetMacro(NumberOfBlocks, int);
  vtkGetMacro(NumberOfBlocks, int);
  ///@}

protected:
  vtkLabelMapLocalThickness();
  ~vtkLabelMapLocalThickness() override = default;

  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapLocalThickness(const vtkLabelMapLocalThickness&) = delete;
  void operator=(const vtkLabelMapLocalThickness&) = delete;

  std::string CheckParameters() const;

  vtkTypeInt64 SegmentLabel = 1;
  std::vector<double> Diameters;
  int NumberOfBins = 20;
  bool BorderIsWall = false;
  int NumberOfBlocks = 1;
};

#endif
