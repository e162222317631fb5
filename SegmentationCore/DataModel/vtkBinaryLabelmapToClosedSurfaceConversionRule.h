// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkBinaryLabelmapToClosedSurfaceConversionRule
 * @brief makes the closed surface of a segment from its binary labelmap
 *
 * Input: a vtkOrientedImageData with one component of an integer type; the segment has the voxels
 * with its label value. Output: a vtkPolyData of triangles in the image's world coordinates, closed
 * also where the segment touches the border of the image, oriented outward (right-hand rule, also
 * if the directions of the image are left-handed), with point normals if asked for and the method
 * is flying edges. A segment without voxels, or an image without, gives a surface without points
 * and is no error. A target object that the segment has already is filled anew and keeps its
 * identity.
 *
 * Methods: flying edges puts points on the lattice edges between unlike voxels, surface nets one
 * point into each cell of unlike voxels. Both are smoothed by the windowed sinc filter: pass band
 * 10^(-4 f), 20 + 40 f iterations for a smoothing factor f; or, for surface nets only, within the
 * net by floor(15 f^2 + 9 f) steps. The filter sees the polygons of the cells, not the triangles
 * that they are cut into (unless decimation has taken those apart), so that no diagonal leads the
 * surface astray; for flying edges' four neighbours in place of six the pass band is times 3/4,
 * which lets the same wavelengths pass. Decimation is vtkDecimatePro's: it keeps topology, and
 * comes before the windowed sinc filter unless smoothing is joint. All this is done in index
 * coordinates.
 *
 * Joint smoothing smooths the segments that share a labelmap as one mesh: where two of them touch
 * their surfaces have the same points. (With flying edges small gaps may stay where three meet;
 * surface nets have none.) Decimation comes after it then and does not keep neighbours together.
 *
 * Shared labelmaps: PreConvert notes which segments share which image. The first of them that is
 * converted brings along those that have no closed surface yet, in one pass over the image; the
 * second one that was not among them brings along all that are left. PostConvert forgets what was
 * not fetched. Without PreConvert each Convert makes one surface; joint smoothing then counts all
 * positive values of the image as segments.
 *
 * Errors (false, and nothing is changed): no labelmap, floating voxels, several components, a label
 * value below 1, a parameter out of its range. Threads: vtkSMPTools, same result for any number.
 * Cost: linear in the voxels of an image, not of an image per segment, plus the triangles times
 * iterations. Scratch: about one byte per voxel, 100 per point.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: smoothing does not depend on
 * the cut into triangles and keeps a little more of small shapes, joint smoothing makes
 * surfaces that meet (Slicer's have no polygons, as of 5.13), orientation is outward for
 * left-handed directions, and surface nets give triangles, which can be decimated.
 *
 * @sa vtkFractionalLabelmapToClosedSurfaceConversionRule vtkLabelMapSurface
 */
#ifndef vtkBinaryLabelmapToClosedSurfaceConversionRule_h
#define vtkBinaryLabelmapToClosedSurfaceConversionRule_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkSegmentationConverterRule.h"

#include <memory> // for the state between Pre- and PostConvert
#include <string> // for parameters
#include <vector> // for label values

class vtkOrientedImageData;
class vtkPolyData;

namespace segcore
{
struct ClosedSurfaceOptions;
}

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkBinaryLabelmapToClosedSurfaceConversionRule
  : public vtkSegmentationConverterRule
{
public:
  static vtkBinaryLabelmapToClosedSurfaceConversionRule* New();
  vtkTypeMacro(vtkBinaryLabelmapToClosedSurfaceConversionRule, vtkSegmentationConverterRule);
  VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() override;

  /// Part of the triangles to take away, 0 to 1. Default 0.
  static const std::string GetDecimationFactorParameterName() { return "Decimation factor"; }
  /// 0 (none) to 1 (most). Default 0.5.
  static const std::string GetSmoothingFactorParameterName() { return "Smoothing factor"; }
  /// 1 for point normals, for flying edges. Default 1.
  static const std::string GetComputeSurfaceNormalsParameterName()
  {
    return "Compute surface normals";
  }
  /// One of the CONVERSION_METHOD values. Default flying edges.
  static const std::string GetConversionMethodParameterName() { return "Conversion method"; }
  /// 1 to smooth within the surface net. Default 0.
  static const std::string GetSurfaceNetInternalSmoothingParameterName()
  {
    return "SurfaceNets smoothing";
  }
  /// 1 to smooth the segments of a shared labelmap as one. Default 0.
  static const std::string GetJointSmoothingParameterName() { return "Joint smoothing"; }

  ///@{
  /// Values of the conversion method.
  static const std::string CONVERSION_METHOD_FLYING_EDGES; // "0"
  static const std::string CONVERSION_METHOD_SURFACE_NETS; // "1"
  ///@}

  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByRepresentation(
    std::string representationName) override;
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByClass(
    std::string className) override;

  ///@{
  /// See the class comment. PreConvert refuses null.
  bool PreConvert(vtkSegmentation* segmentation) override;
  bool Convert(vtkSegment* segment) override;
  bool PostConvert(vtkSegmentation* segmentation) override;
  ///@}

  /// The surfaces of some labels of an image, in one poly data, with the parameters of this rule.
  /// With more than one label the cell data `SegmentLabel` (int) says which one a triangle is part
  /// of. Labels that occur twice count once.
  bool CreateClosedSurface(
    vtkOrientedImageData* inputImage, vtkPolyData* outputPolydata, std::vector<int> values);

  /// 500, for any objects.
  unsigned int GetConversionCost(vtkDataObject* sourceRepresentation = nullptr,
    vtkDataObject* targetRepresentation = nullptr) override;

  const char* GetName() override { return "Binary labelmap to closed surface"; }
  const char* GetSourceRepresentationName() override;
  const char* GetTargetRepresentationName() override;

protected:
  vtkBinaryLabelmapToClosedSurfaceConversionRule();
  ~vtkBinaryLabelmapToClosedSurfaceConversionRule() override;

  /// The segment's image in the source representation; null, with an error, if it has none.
  vtkOrientedImageData* GetSourceImage(vtkSegment* segment);

  /// Reads the parameters; false, with an error, if one is out of its range.
  bool ReadOptions(segcore::ClosedSurfaceOptions& options);

  /// A parameter as a number between `least` and `most`; false, with an error, if it is none.
  bool ReadNumber(const std::string& name, double least, double most, double& number);

  /// Fills the segment's closed surface, which is made if there is none.
  bool SetTarget(vtkSegment* segment, vtkPolyData* surface);

private:
  vtkBinaryLabelmapToClosedSurfaceConversionRule(
    const vtkBinaryLabelmapToClosedSurfaceConversionRule&) = delete;
  void operator=(const vtkBinaryLabelmapToClosedSurfaceConversionRule&) = delete;

  struct Layers;
  std::unique_ptr<Layers> Cache; // between PreConvert and PostConvert
};

#endif
