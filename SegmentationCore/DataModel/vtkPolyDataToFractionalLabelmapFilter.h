// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkPolyDataToFractionalLabelmapFilter
 * @brief how much of each voxel lies inside a closed surface
 *
 * With the interface of Slicer's class of that name. Input: a closed surface in world coordinates
 * (polygons and strips). Output: a vtkOrientedImageData with the lattice and extent set here, and
 * one signed byte per voxel: FRACTIONAL_MIN (-108) if no sample of the voxel is inside, 108 if all
 * are, linear between. Samples are NumberOfOffsets^3 points at offsets i/n - (n-1)/(2n), i = 0 ..
 * n-1, along each axis, in voxels. A sample is inside by exact parity, see
 * Kernels/SurfaceRaster.h, which also says what happens to surfaces with defects.
 *
 * Geometry: SetOutputImageToWorldMatrix sets all of it; SetOutputOrigin and SetOutputSpacing change
 * that part of it and keep the directions. An information input's lattice and whole extent come
 * before all of these. Any directions are right, left-handed and sheared ones included.
 *
 * Pieces: any update extent gives the voxels that the whole would have there. Threads are started
 * for large surfaces; results do not depend on them. One pass over the surface, whatever the number
 * of offsets; nothing is cached between runs. Progress is reported, and AbortExecute stops it, with
 * an empty output.
 *
 * Bad input (no lattice, a point that is not finite, an extent that memory does not suffice for):
 * an error, and an empty output.
 *
 * Differences from Slicer, see docs/data-model.md: Slicer's derives from vtkPolyDataToImageStencil,
 * which not every VTK has; this one derives from vtkAlgorithm and offers that class's methods but
 * for the tolerance, which an exact test does not have.
 *
 * @sa vtkClosedSurfaceToFractionalLabelmapConversionRule
 */
#ifndef vtkPolyDataToFractionalLabelmapFilter_h
#define vtkPolyDataToFractionalLabelmapFilter_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkAlgorithm.h"
#include "vtkNew.h" // for the geometry

// The type of fractional labelmaps: char as in Slicer, except where char has no sign.
#if defined(__CHAR_UNSIGNED__) || defined(_CHAR_UNSIGNED)
#define VTK_FRACTIONAL_DATA_TYPE VTK_SIGNED_CHAR
#define FRACTIONAL_DATA_TYPE signed char
#else
#define VTK_FRACTIONAL_DATA_TYPE VTK_CHAR
#define FRACTIONAL_DATA_TYPE char
#endif
#define FRACTIONAL_MIN (-108)
#define FRACTIONAL_MAX 108
#define FRACTIONAL_STEP_SIZE 1

class vtkImageData;
class vtkMatrix4x4;
class vtkOrientedImageData;
class vtkPolyData;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkPolyDataToFractionalLabelmapFilter : public vtkAlgorithm
{
public:
  static vtkPolyDataToFractionalLabelmapFilter* New();
  vtkTypeMacro(vtkPolyDataToFractionalLabelmapFilter, vtkAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// The surface.
  virtual void SetInputData(vtkPolyData* surface);
  vtkPolyData* GetInput();
  ///@}

  ///@{
  /// The result, and the object to write it to.
  virtual vtkOrientedImageData* GetOutput();
  virtual void SetOutput(vtkOrientedImageData* output);
  ///@}

  ///@{
  /// Lattice of the output: directions times spacing, and the origin in the last column. Default
  /// identity. Setting refuses, with an error, what vtkOrientedImageData::SetImageToWorldMatrix
  /// refuses. Null does nothing.
  void SetOutputImageToWorldMatrix(vtkMatrix4x4* imageToWorldMatrix);
  void GetOutputImageToWorldMatrix(vtkMatrix4x4* imageToWorldMatrix);
  ///@}

  ///@{
  /// Position of voxel (0, 0, 0). Default 0 0 0.
  virtual void SetOutputOrigin(const double origin[3]);
  virtual void SetOutputOrigin(double x, double y, double z);
  virtual double* GetOutputOrigin() VTK_SIZEHINT(3);
  virtual void GetOutputOrigin(double& x, double& y, double& z);
  virtual void GetOutputOrigin(double origin[3]);
  ///@}

  ///@{
  /// Size of a voxel; no component may be 0. Default 1 1 1.
  virtual void SetOutputSpacing(const double spacing[3]);
  virtual void SetOutputSpacing(double x, double y, double z);
  virtual double* GetOutputSpacing() VTK_SIZEHINT(3);
  virtual void GetOutputSpacing(double& x, double& y, double& z);
  virtual void GetOutputSpacing(double spacing[3]);
  ///@}

  ///@{
  /// Voxels of the output. Default 0 -1 0 -1 0 -1: none.
  vtkSetVector6Macro(OutputWholeExtent, int);
  vtkGetVector6Macro(OutputWholeExtent, int);
  ///@}

  ///@{
  /// An image whose lattice (directions included) and extent to take instead. Default null.
  virtual void SetInformationInput(vtkImageData* image);
  vtkGetObjectMacro(InformationInput, vtkImageData);
  ///@}

  ///@{
  /// Samples in a voxel along each axis, 1 to 16. Default 6.
  vtkSetClampMacro(NumberOfOffsets, int, 1, 16);
  vtkGetMacro(NumberOfOffsets, int);
  ///@}

  /// For callers of Slicer's class, which keeps slices until this is called. Here nothing is kept
  /// between runs, so there is nothing to do.
  void DeleteCache() {}

  vtkTypeBool ProcessRequest(
    vtkInformation* request, vtkInformationVector** in, vtkInformationVector* out) override;

protected:
  vtkPolyDataToFractionalLabelmapFilter();
  ~vtkPolyDataToFractionalLabelmapFilter() override;

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int FillOutputPortInformation(int port, vtkInformation* info) override;

  virtual int RequestDataObject(
    vtkInformation* request, vtkInformationVector** in, vtkInformationVector* out);
  virtual int RequestInformation(
    vtkInformation* request, vtkInformationVector** in, vtkInformationVector* out);
  virtual int RequestData(
    vtkInformation* request, vtkInformationVector** in, vtkInformationVector* out);

  int NumberOfOffsets = 6;
  int OutputWholeExtent[6] = { 0, -1, 0, -1, 0, -1 };
  vtkImageData* InformationInput = nullptr;

private:
  vtkPolyDataToFractionalLabelmapFilter(const vtkPolyDataToFractionalLabelmapFilter&) = delete;
  void operator=(const vtkPolyDataToFractionalLabelmapFilter&) = delete;

  /// Lattice and extent in use, from this object or the information input.
  void CopyGeometryTo(vtkOrientedImageData* image, int wholeExtent[6]);

  vtkNew<vtkOrientedImageData> Geometry; ///< Only its lattice.
};

#endif
