// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConverter
 * @brief conversion rules and their parameters, paths between representations, geometry as text
 *
 * With the interface of Slicer's class of that name. A converter clones the rules that are
 * registered with vtkSegmentationConverterFactory when it is made, and keeps the values of their
 * parameters; each vtkSegmentation has one.
 *
 * Paths: the rules are edges of a graph of representations. A path never meets a representation
 * twice. The cheapest has the smallest sum of costs; of equal ones that with fewer rules; of those
 * the last found. Paths are searched depth first, rules in order of registration.
 *
 * Parameters: name, value and description, texts all of them. A parameter set by name goes to every
 * rule that has it; a name that no rule has is kept as a custom parameter, so that nothing is lost
 * when a file is read where its rules are missing. None of the three texts may hold `|` or `&`, the
 * separators of the text form `name|value|description&name|...&`. Asking for an unknown name is an
 * error, as in Slicer, but for "Reference image geometry", which is always known.
 *
 * Geometry text: the 16 elements of the image-to-world matrix by rows, then the 6 numbers of the
 * extent, each followed by `;`. Numbers have the fewest digits, from 15 to 17, that read back as
 * the same number, whatever the locale. Blanks after `;` and text after the last `;` are accepted.
 *
 * Differences from Slicer: see docs/data-model.md. Most of all: a text that cannot be parsed
 * changes nothing at all, and null is an error and never a crash.
 *
 * @sa vtkSegmentation vtkSegmentationConverterRule vtkSegmentationConverterFactory
 */
#ifndef vtkSegmentationConverter_h
#define vtkSegmentationConverter_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkNew.h"                          // for the custom parameters
#include "vtkSegmentationConverterFactory.h" // for the list of rules

#include <set>    // for sets of names
#include <string> // for std::string

class vtkAbstractTransform;
class vtkImageData;
class vtkMatrix4x4;
class vtkOrientedImageData;
class vtkSegmentationConversionParameters;
class vtkSegmentationConversionPath;
class vtkSegmentationConversionPaths;

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

  /// Take over the parameters of another converter: those that rules here have get their values,
  /// all others become the custom parameters. The rules stay as they are.
  virtual void DeepCopy(vtkSegmentationConverter* aConverter);

  /// Add the names of all representations that a rule converts from or to.
  void GetAvailableRepresentationNames(std::set<std::string>& representationNames);

  /// The same for Python, as a new list in alphabetical order.
  std::vector<std::string> GetAvailableRepresentationNames();

  /// All paths from one representation to another; the list is replaced. The same name twice is an
  /// error.
  void GetPossibleConversions(const std::string& sourceRepresentationName,
    const std::string& targetRepresentationName, vtkSegmentationConversionPaths* paths);

  /// The cheapest of several paths, see the class comment; null if there is none, or only paths of
  /// infinite cost.
  static vtkSegmentationConversionPath* GetCheapestPath(vtkSegmentationConversionPaths* paths);

  ///@{
  /// Parameters of the rules of a path, or of all rules after the custom ones, each name once; the
  /// list is replaced.
  void GetConversionParametersForPath(
    vtkSegmentationConversionParameters* conversionParameters, vtkSegmentationConversionPath* path);
  void GetAllConversionParameters(vtkSegmentationConversionParameters* conversionParameters);
  ///@}

  /// Set several parameters; the descriptions of those that a rule has stay as they are.
  void SetConversionParameters(vtkSegmentationConversionParameters* parameters);

  ///@{
  /// Set or append a parameter; an empty description keeps the one that is there. Refused with an
  /// error if a text holds a separator. Getting gives "" for a name that is not known, with an
  /// error.
  void SetConversionParameter(
    const std::string& name, const std::string& value, const std::string& description = "");
  std::string GetConversionParameter(const std::string& name);
  std::string GetConversionParameterDescription(const std::string& description);
  ///@}

  ///@{
  /// All parameters in one text. Deserializing sets those of the text and keeps the others.
  std::string SerializeAllConversionParameters();
  void DeserializeConversionParameters(std::string conversionParametersString);
  ///@}

  /// Apply a transform to the reference image geometry, if there is one. A linear transform
  /// moves its axes, another one changes its extent to cover the transformed box.
  void ApplyTransformOnReferenceImageGeometry(vtkAbstractTransform* transform);

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

  /// The clones of the registered rules, and the parameters that none of them has.
  vtkSegmentationConverterFactory::RuleListType ConverterRules;
  vtkNew<vtkSegmentationConversionParameters> CustomConversionParameters;

private:
  vtkSegmentationConverter(const vtkSegmentationConverter&) = delete;
  void operator=(const vtkSegmentationConverter&) = delete;

  void FindPaths(const std::string& source, const std::string& target,
    vtkSegmentationConversionPath* begun, std::set<std::string>& met,
    vtkSegmentationConversionPaths* paths);
  vtkSegmentationConverterRule* FindRuleWithParameter(const std::string& name);
};

#endif
