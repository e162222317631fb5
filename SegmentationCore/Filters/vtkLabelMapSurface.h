// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapSurface
 * @brief Closed, smooth surfaces of the segments of a label map, by surface nets; serial or on all
 * ranks.
 *
 * Input: a label map (integer scalars, one component; active scalars unless chosen otherwise), with
 * or without a segment table in its field data. Output: a vtkPolyData with triangles in world
 * coordinates, outward orientation, and
 *   - cell data `SegmentLabel` (64-bit integer): the label whose surface the triangle is part of;
 *   - cell data `SegmentColor` (3 unsigned char), if the field data has a segment table;
 *   - point data `SurfacePointKey` (64-bit integer): which cell of the image the point lies in;
 * points with equal keys on several ranks are one point and have bitwise equal coordinates.
 *
 * One pass makes the surfaces of all labels, smoothed together: neighbours share their common face
 * without gap or overlap (there is a triangle for each of them, in opposite orientation, so that
 * every segment can be shown alone; see FacesOnce). Beyond
 * the image's border is background, so every surface is closed: each directed edge of a label is
 * matched by its reverse.
 *
 * In parallel each rank gives the triangles of the voxels that it owns; together they are those of
 * the serial result, in any order. With GatherToRoot rank 0 gives the merged surface, in an order
 * that does not depend on the number of ranks and blocks, and the others nothing.
 *
 * Threads: yes. Ranks: exact, halo SmoothingIterations (coarse) voxels. Cost: linear in voxels.
 * Scratch memory: the labels of a block with halo, about one byte per voxel more, 41 bytes per
 * point. Errors: floating labels, parameters out of range; agreed on by all ranks, see LastError.
 *
 * Sources: S. F. F. Gibson, Constrained elastic surface nets, MICCAI 1998, doi:10.1007/BFb0056277;
 * S. F. Frisken, SurfaceNets for multi-label segmentations with preservation of sharp boundaries,
 * J. Computer Graphics Techniques 11(1), 2022. See Kernels/SurfaceNets.h.
 */
#ifndef vtkLabelMapSurface_h
#define vtkLabelMapSurface_h

#include "SegmentationCoreFiltersModule.h"
#include "vtkPolyDataAlgorithm.h"

#include <string> // for std::string

class vtkMultiProcessController;

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapSurface : public vtkPolyDataAlgorithm
{
public:
  static vtkLabelMapSurface* New();
  vtkTypeMacro(vtkLabelMapSurface, vtkPolyDataAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Label whose surface is wanted; 0 gives all labels but the background. Default 0.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// Smoothing steps, 0 (voxel faces between cell centres) to 100. Default 12.
  vtkSetMacro(SmoothingIterations, int);
  vtkGetMacro(SmoothingIterations, int);
  ///@}

  ///@{
  /// Side of the cube of voxels that becomes one voxel (by majority) before, 1 to 64. A factor f
  /// makes the surface about f^2 times smaller. Default 1.
  vtkSetMacro(Coarsening, int);
  vtkGetMacro(Coarsening, int);
  ///@}

  ///@{
  /// Whether a triangle between two segments is there once rather than once for each of them. It
  /// then looks out of the segment with the smaller label, its `SegmentLabel`; the other one is in
  /// the cell data `OtherLabel` (64-bit integer), 0 for the background. For a single segment it
  /// changes nothing but that array. Default off.
  vtkSetMacro(FacesOnce, bool);
  vtkGetMacro(FacesOnce, bool);
  vtkBooleanMacro(FacesOnce, bool);
  ///@}

  ///@{
  /// Whether rank 0 gets the whole, merged surface. Default off.
  vtkSetMacro(GatherToRoot, bool);
  vtkGetMacro(GatherToRoot, bool);
  vtkBooleanMacro(GatherToRoot, bool);
  ///@}

  ///@{
  /// Blocks into which each rank's part is cut, from 1. Does not change the merged result.
  /// Default 1.
  vtkSetMacro(NumberOfBlocks, int);
  vtkGetMacro(NumberOfBlocks, int);
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
  vtkLabelMapSurface();
  ~vtkLabelMapSurface() override;

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestUpdateExtent(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapSurface(const vtkLabelMapSurface&) = delete;
  void operator=(const vtkLabelMapSurface&) = delete;

  std::string CheckParameters() const;

  vtkTypeInt64 SegmentLabel = 0;
  int SmoothingIterations = 12;
  int Coarsening = 1;
  bool FacesOnce = false;
  bool GatherToRoot = false;
  int NumberOfBlocks = 1;
  vtkMultiProcessController* Controller = nullptr;
  std::string LastError;
};

#endif
