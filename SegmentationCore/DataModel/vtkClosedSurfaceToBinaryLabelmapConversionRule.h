// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkClosedSurfaceToBinaryLabelmapConversionRule
 * @brief makes the binary labelmap of a segment from its closed surface
 *
 * With the interface of Slicer's class of that name. From "Closed surface" (vtkPolyData) to "Binary
 * labelmap" (vtkOrientedImageData, unsigned char, 1 inside and 0 outside); cost 500.
 *
 * A voxel is inside iff its centre is inside the surface, exactly; centres on the surface are
 * decided such that surfaces sharing a face never both claim one, nor both miss it. Non-convex
 * surfaces, cavities and several components are right, whatever the turn of their polygons; small
 * holes are bridged, and polygons that occur twice count once. See Kernels/SurfaceRaster.h for the
 * rule and its limits. Any directions, left-handed and sheared ones included.
 *
 * Geometry, in this order:
 * -# "Reference image geometry", a geometry text (see vtkSegmentationConverter). Empty: axes of the
 *    world, origin at the minimum of the surface's bounds, and cubic voxels, 250^3 of which have
 *    the volume of the bounds. A surface without such a volume (flat, a line, a point) gets voxels
 *    of 1/250 of the longest side of its bounds.
 * -# "Oversampling factor", a number or A for automatic (vtkCalculateOversamplingFactor).
 * -# Extent: the voxels around the surface. With "Crop to reference image geometry" 1 only those of
 *    them that are in the reference extent, possibly none.
 *
 * Convert gives the segment a new image in place of the one it has, and label value 1. A surface
 * without area (less than two points, or less than two polygons and no strip) is that of an empty
 * segment and gives an empty image. What cannot be converted is an error and leaves the segment as
 * it is. With "Collapse labelmaps" 1 PostConvert
 * calls vtkSegmentation::CollapseBinaryLabelmaps, so that segments share images where they can.
 *
 * Threads: started for large surfaces. Small ones are converted several at a time: between
 * PreConvert and PostConvert, the second segment to be converted brings along the next ones that
 * have a surface and no labelmap, up to 64, and so on; what is not fetched is forgotten. Results do
 * not depend on threads. Memory besides the image: see Kernels/SurfaceRaster.h, and 24 bytes per
 * triangle.
 *
 * Differences from Slicer, see docs/data-model.md: an exact test instead of one that
 * tolerates 7.6e-6 voxels along two axes and none along the third; bad parameters are errors; flat
 * surfaces.
 *
 * @sa vtkClosedSurfaceToFractionalLabelmapConversionRule vtkCalculateOversamplingFactor
 */
#ifndef vtkClosedSurfaceToBinaryLabelmapConversionRule_h
#define vtkClosedSurfaceToBinaryLabelmapConversionRule_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkSegmentationConverter.h"        // for names of representations
#include "vtkSegmentationConverterRule.h"

#include "vtkSmartPointer.h" // for images made ahead

#include <memory> // for the state between Pre- and PostConvert
#include <string> // for std::string

class vtkOrientedImageData;
class vtkPolyData;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkClosedSurfaceToBinaryLabelmapConversionRule
  : public vtkSegmentationConverterRule
{
public:
  static vtkClosedSurfaceToBinaryLabelmapConversionRule* New();
  vtkTypeMacro(vtkClosedSurfaceToBinaryLabelmapConversionRule, vtkSegmentationConverterRule);
  void PrintSelf(ostream& os, vtkIndent indent) override;
  VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() override;

  ///@{
  /// Names of the parameters: "Oversampling factor" (default 1), "Crop to reference image geometry"
  /// (0), "Collapse labelmaps" (1). "Reference image geometry" is
  /// vtkSegmentationConverter::GetReferenceImageGeometryParameterName().
  static const std::string GetOversamplingFactorParameterName() { return "Oversampling factor"; }
  static const std::string GetCropToReferenceImageGeometryParameterName()
  {
    return "Crop to reference image geometry";
  }
  static const std::string GetCollapseLabelmapsParameterName() { return "Collapse labelmaps"; }
  ///@}

  ///@{
  /// See vtkSegmentationConverterRule.
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByRepresentation(
    std::string representationName) override;
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByClass(
    std::string className) override;
  unsigned int GetConversionCost(vtkDataObject* sourceRepresentation = nullptr,
    vtkDataObject* targetRepresentation = nullptr) override;
  const char* GetName() override
  {
    return "Closed surface to binary labelmap (simple image stencil)";
  }
  const char* GetSourceRepresentationName() override
  {
    return vtkSegmentationConverter::GetSegmentationClosedSurfaceRepresentationName();
  }
  const char* GetTargetRepresentationName() override
  {
    return vtkSegmentationConverter::GetSegmentationBinaryLabelmapRepresentationName();
  }
  ///@}

  /// Notes the segments that may be converted next.
  bool PreConvert(vtkSegmentation* segmentation) override;

  /// Convert one segment; see the class comment.
  bool Convert(vtkSegment* segment) override;

  /// Let segments share images, if the parameter says so.
  bool PostConvert(vtkSegmentation* segmentation) override;

  /// Fill the lattice and extent of the binary labelmap that the segment has, instead of the
  /// geometry of the parameters. (A new image all the same.) Default false.
  vtkSetMacro(UseOutputImageDataGeometry, bool);

protected:
  vtkClosedSurfaceToBinaryLabelmapConversionRule();
  ~vtkClosedSurfaceToBinaryLabelmapConversionRule() override;

  /// Set lattice and extent of an image (without scalars) from the parameters and the surface.
  /// False, with an error, if a parameter is wrong or the extent would be too large.
  virtual bool CalculateOutputGeometry(
    vtkPolyData* closedSurfacePolyData, vtkOrientedImageData* geometryImageData);

  /// The geometry text used where there is no reference; "" if the surface has no points.
  std::string GetDefaultImageGeometryStringForPolyData(vtkPolyData* polyData);

  /// The surface of a segment, or null with an error.
  vtkPolyData* GetSourceSurface(vtkSegment* segment);

  /// Whether there is enough of a surface to be converted.
  static bool HasSurface(vtkPolyData* surface);

  bool UseOutputImageDataGeometry = false;

private:
  vtkClosedSurfaceToBinaryLabelmapConversionRule(
    const vtkClosedSurfaceToBinaryLabelmapConversionRule&) = delete;
  void operator=(const vtkClosedSurfaceToBinaryLabelmapConversionRule&) = delete;

  bool CalculateLattice(vtkPolyData* surface, vtkOrientedImageData* geometry, bool& crop);
  static void FitExtent(vtkPolyData* surface, vtkOrientedImageData* geometry, bool crop);
  bool ApplyOversampling(vtkPolyData* surface, vtkOrientedImageData* geometry);
  bool CanBePrepared(vtkSegment* segment);
  vtkSmartPointer<vtkOrientedImageData> TakePrepared(vtkSegment* segment);

  struct Ahead;
  std::unique_ptr<Ahead> Prepared; // between PreConvert and PostConvert
};

#endif
