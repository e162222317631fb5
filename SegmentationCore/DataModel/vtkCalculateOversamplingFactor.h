// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkCalculateOversamplingFactor
 * @brief how much finer than a reference lattice a surface should be voxelized
 *
 * With the interface of Slicer's class of that name. Two properties of the surface are calculated
 * and turned into a power of two by fuzzy inference:
 *
 * - relative structure size: the cube root of the surface's volume over the voxel's volume, that
 *   is the edge of an equal cube in voxels;
 * - complexity: how much the normalized shape index (square root of the area over that of a sphere
 *   of the same volume, see vtkMassProperties) exceeds 1; 0 or more.
 *
 * Memberships are linear between these knots and constant beyond: size very small 1 at 7, 0 at 12;
 * small 0, 1, 1, 0 at 7, 12, 14, 18; medium 0, 1, 1, 0 at 14, 18, 36, 72; large 0 at 36, 1 at 72.
 * Complexity low 1 at 0.2, 0 at 0.6; high the reverse. Rules (AND is the minimum): very small gives
 * a very high power; small or medium gives a high one if complexity is high and a normal one if it
 * is low; large gives a low one. Powers: low -1.25 1, -0.75 1, -0.25 0; normal -0.75 0, -0.25 1,
 * 0.25 1, 0.75 0; high 0.25 0, 0.75 1, 1.25 1, 1.75 0; very high 1.25 0, 1.75 1, 2.25 1. Each is
 * cut at its rule's strength, areas are added up, and the factor is 2 to the rounded centroid: 0.5,
 * 1, 2 or 4. Source: Mamdani, Assilian (1975), doi:10.1016/S0020-7373(75)80002-2.
 *
 * The surface may have polygons and strips; they are triangulated. It should be closed. Cost:
 * linear in its size, plus one copy of its triangles. Differences from Slicer: see
 * docs/data-model.md.
 *
 * @sa vtkClosedSurfaceToBinaryLabelmapConversionRule
 */
#ifndef vtkCalculateOversamplingFactor_h
#define vtkCalculateOversamplingFactor_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

class vtkOrientedImageData;
class vtkPolyData;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkCalculateOversamplingFactor : public vtkObject
{
public:
  static vtkCalculateOversamplingFactor* New();
  vtkTypeMacro(vtkCalculateOversamplingFactor, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Calculate the outputs. False, with an error and the outputs at their defaults, if an input is
  /// missing, or if the reference's voxels have no volume.
  bool CalculateOversamplingFactor();

  /// Change the lattice of an image to voxels smaller by the factor; only extent, spacing and
  /// origin, not the scalars. The new extent starts at ceil(factor * start) and has floor(factor *
  /// length) voxels, 1 at least; spacings are set so that the image keeps its length, and the
  /// origin moves by half the change of the voxel. Factor 1 and empty images are left alone; a
  /// factor outside 0.01 to 100 is ignored with a warning; null is an error.
  static void ApplyOversamplingOnImageGeometry(
    vtkOrientedImageData* imageData, double oversamplingFactor);

  ///@{
  /// The surface, in the frame of the reference image's spacing (millimetres).
  vtkGetObjectMacro(InputPolyData, vtkPolyData);
  virtual void SetInputPolyData(vtkPolyData* surface);
  ///@}

  ///@{
  /// The lattice that the factor is for. Only its spacing is used.
  vtkGetObjectMacro(ReferenceGeometryImageData, vtkOrientedImageData);
  virtual void SetReferenceGeometryImageData(vtkOrientedImageData* image);
  ///@}

  /// The result: 0.5, 1, 2 or 4. Default 1.
  vtkGetMacro(OutputOversamplingFactor, double);
  /// Edge, in voxels, of a cube of the surface's volume. Default 0.
  vtkGetMacro(OutputRelativeStructureSize, double);
  /// Normalized shape index minus 1, at least 0. Default 0.
  vtkGetMacro(OutputComplexityMeasure, double);
  /// Square root of the area over that of a sphere of the same volume. Default 0.
  vtkGetMacro(OutputNormalizedShapeIndex, double);

  ///@{
  /// Whether the time taken is logged. Default off.
  vtkGetMacro(LogSpeedMeasurements, bool);
  vtkSetMacro(LogSpeedMeasurements, bool);
  vtkBooleanMacro(LogSpeedMeasurements, bool);
  ///@}

protected:
  vtkCalculateOversamplingFactor();
  ~vtkCalculateOversamplingFactor() override;

  vtkPolyData* InputPolyData = nullptr;
  vtkOrientedImageData* ReferenceGeometryImageData = nullptr;
  double OutputOversamplingFactor = 1.0;
  double OutputRelativeStructureSize = 0.0;
  double OutputComplexityMeasure = 0.0;
  double OutputNormalizedShapeIndex = 0.0;
  bool LogSpeedMeasurements = false;

private:
  vtkCalculateOversamplingFactor(const vtkCalculateOversamplingFactor&) = delete;
  void operator=(const vtkCalculateOversamplingFactor&) = delete;
};

#endif
