// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConverter
 * @brief names of representations, conversion parameters, and image geometry as text
 *
 * With the interface of Slicer's class of that name, as far as it needs no conversion rules: the
 * names under which segments hold their representations, a list of named parameters, and the text
 * form of an image's geometry.
 *
 * Parameters: an ordered list of name, value and description. None of the three may hold `|` or
 * `&`, the separators of the text form `name|value|description&name|...&`. "Reference image
 * geometry" is always known (empty until set); asking for another name that was never set is an
 * error, as in Slicer.
 *
 * Geometry text: the 16 elements of the image-to-world matrix by rows, then the 6 numbers of the
 * extent, each followed by `;`. Numbers have the fewest digits, from 15 to 17, that read back as
 * the same number, whatever the locale. Blanks after `;` and text after the last `;` are accepted.
 *
 * Differences from Slicer: a text that cannot be parsed changes nothing at all; numbers that are
 * not finite and extents that are not whole numbers are refused; of a parameter text without `|`
 * nothing is taken; numbers below 1e-6 are written with fewer digits (they read back as the same
 * number).
 *
 * @sa vtkSegmentation
 */
#ifndef vtkSegmentationConverter_h
#define vtkSegmentationConverter_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <string> // for std::string
#include <vector> // for the list of parameters

class vtkImageData;
class vtkMatrix4x4;
class vtkOrientedImageData;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConverter : public vtkObject
{
public:
  static vtkSegmentationConverter* New();
  vtkTypeMacro(vtkSegmentationConverter, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Names of representations: "Binary labelmap", "Fractional labelmap", "Planar contour", "Closed
  /// surface".
  static const char* GetSegmentationBinaryLabelmapRepresentationName() { return "Binary labelmap"; }
  static const char* GetBinaryLabelmapRepresentationName() { return "Binary labelmap"; }
  static const char* GetSegmentationFractionalLabelmapRepresentationName()
  {
    return "Fractional labelmap";
  }
  static const char* GetFractionalLabelmapRepresentationName() { return "Fractional labelmap"; }
  static const char* GetSegmentationPlanarContourRepresentationName() { return "Planar contour"; }
  static const char* GetPlanarContourRepresentationName() { return "Planar contour"; }
  static const char* GetSegmentationClosedSurfaceRepresentationName() { return "Closed surface"; }
  static const char* GetClosedSurfaceRepresentationName() { return "Closed surface"; }
  ///@}

  /// Name of the parameter that holds a geometry text: "Reference image geometry".
  static const std::string GetReferenceImageGeometryParameterName()
  {
    return "Reference image geometry";
  }

  ///@{
  /// Names of the field data arrays of a fractional labelmap.
  static const char* GetScalarRangeFieldName() { return "ScalarRange"; }
  static const char* GetThresholdValueFieldName() { return "ThresholdValue"; }
  static const char* GetInterpolationTypeFieldName() { return "InterpolationType"; }
  ///@}

  /// Take over the parameters of another converter.
  virtual void DeepCopy(vtkSegmentationConverter* aConverter);

  ///@{
  /// Set or append a parameter; an empty description keeps the one that is there. Refused with an
  /// error if a text holds a separator. Getting gives "" for a name that is not known, with an
  /// error.
  void SetConversionParameter(
    const std::string& name, const std::string& value, const std::string& description = "");
  std::string GetConversionParameter(const std::string& name);
  std::string GetConversionParameterDescription(const std::string& name);
  ///@}

  ///@{
  /// All parameters in one text. Deserializing sets those of the text and keeps the others.
  std::string SerializeAllConversionParameters();
  void DeserializeConversionParameters(std::string conversionParametersString);
  ///@}

  ///@{
  /// Geometry text of an image, or of a matrix with the extent of an image or a given extent. ""
  /// with an error if one is missing.
  static std::string SerializeImageGeometry(vtkOrientedImageData* orientedImageData);
  static std::string SerializeImageGeometry(vtkMatrix4x4* geometryMatrix, vtkImageData* imageData);
  static std::string SerializeImageGeometry(vtkMatrix4x4* geometryMatrix, int extent[6]);
  ///@}

  ///@{
  /// Read a geometry text. The first form sets an image's geometry and extent and, unless told
  /// otherwise, allocates its scalars without setting them: type and components are the image's own
  /// unless given. False, with an error and nothing changed, if the text is wrong.
  static bool DeserializeImageGeometry(std::string geometryString,
    vtkOrientedImageData* orientedImageData, bool allocateScalars = true, int scalarType = VTK_VOID,
    int numberOfScalarsComponents = -1);
  static bool DeserializeImageGeometry(
    std::string geometryString, vtkMatrix4x4* geometryMatrix, int extent[6]);
  ///@}

protected:
  vtkSegmentationConverter();
  ~vtkSegmentationConverter() override;

private:
  vtkSegmentationConverter(const vtkSegmentationConverter&) = delete;
  void operator=(const vtkSegmentationConverter&) = delete;

  struct Parameter
  {
    std::string Name;
    std::string Value;
    std::string Description;
  };
  std::vector<Parameter> Parameters;

  const Parameter* FindParameter(const std::string& name) const;
};

#endif
