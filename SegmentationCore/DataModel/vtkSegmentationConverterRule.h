// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConverterRule
 * @brief abstract: makes one representation of a segment from another
 *
 * With the interface of Slicer's class of that name, so that rules of Slicer extensions compile
 * against it. A rule names a source and a target representation, has a cost by which paths are
 * compared, parameters, and the conversion itself. Rules are edges of the graph that
 * vtkSegmentationConverter searches for paths.
 *
 * To write one in C++: derive, declare `New` and `CreateRuleInstance`, define both with
 * vtkSegmentationConverterRuleNewMacro(cls), fill this->ConversionParameters in the constructor,
 * and register an instance with vtkSegmentationConverterFactory. In Python use
 * vtkCallbackConversionRule.
 *
 * Order of calls for a conversion, see vtkSegmentation::CreateRepresentation: PreConvert once,
 * Convert for every segment in display order, PostConvert once. The three return false, after
 * logging an error, to say that the conversion failed; then the segmentation gets nothing of it
 * back. Convert must not write into the source representation, nor into a target object that other
 * segments hold: make a new one and add it to the segment.
 *
 * State: a converter works on its own clones of the registered rules, so values of parameters
 * belong to one segmentation. Rules keep state between the three calls; an instance serves one
 * conversion at a time.
 *
 * @sa vtkSegmentationConverterFactory vtkSegmentationConversionPath vtkCallbackConversionRule
 */
#ifndef vtkSegmentationConverterRule_h
#define vtkSegmentationConverterRule_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkNew.h"                          // for the parameters
#include "vtkObject.h"
#include "vtkSegmentationConversionParameters.h" // for the parameters

#include <string> // for std::string

class vtkDataObject;
class vtkSegment;
class vtkSegmentation;

/// Defines New and CreateRuleInstance of a rule.
#define vtkSegmentationConverterRuleNewMacro(cls)                                                  \
  vtkStandardNewMacro(cls);                                                                        \
  vtkSegmentationConverterRule* cls::CreateRuleInstance()                                          \
  {                                                                                                \
    return cls::New();                                                                             \
  }

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConverterRule : public vtkObject
{
public:
  vtkTypeMacro(vtkSegmentationConverterRule, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// The cost of what cannot be converted: 10000000. A path with such a rule is never chosen.
  static unsigned int GetConversionInfiniteCost() { return 10000000; }

  /// A new rule of the same class, with default parameters.
  virtual VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() = 0;

  /// A new rule of the same class with the parameters of this one, and nothing else of it.
  virtual VTK_NEWINSTANCE vtkSegmentationConverterRule* Clone();

  ///@{
  /// A new, empty data object for a representation of that name, or of that class. Null for names
  /// other than the rule's source and target (for classes other than theirs).
  virtual VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByRepresentation(
    std::string representationName) = 0;
  virtual VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByClass(
    std::string className) = 0;
  ///@}

  ///@{
  /// The conversion; see the class comment. The first and the last do nothing here and return true.
  virtual bool PreConvert(vtkSegmentation* segmentation);
  virtual bool Convert(vtkSegment* segment) = 0;
  virtual bool PostConvert(vtkSegmentation* segmentation);
  ///@}

  /// Cost of the conversion, 100 unless a rule says otherwise. By convention about the milliseconds
  /// it takes on ordinary data. The objects may be null; then it is a guess.
  virtual unsigned int GetConversionCost(
    vtkDataObject* sourceRepresentation = nullptr, vtkDataObject* targetRepresentation = nullptr);

  ///@{
  /// Name for people, and the names of the two representations.
  virtual const char* GetName() = 0;
  virtual const char* GetSourceRepresentationName() = 0;
  virtual const char* GetTargetRepresentationName() = 0;
  ///@}

  /// Set this rule's parameters in a list, which keeps the others it has.
  virtual void GetRuleConversionParameters(
    vtkSegmentationConversionParameters* conversionParameters);

  ///@{
  /// A parameter of this rule. An empty description keeps the one that is there.
  virtual void SetConversionParameter(
    const std::string& name, const std::string& value, const std::string& description = "");
  virtual std::string GetConversionParameter(const std::string& name);
  virtual std::string GetConversionParameterDescription(const std::string& name);
  bool HasConversionParameter(const std::string& name);
  ///@}

protected:
  vtkSegmentationConverterRule();
  ~vtkSegmentationConverterRule() override;

  /// Give the segment a new object as target representation, if it has none or
  /// ReplaceTargetRepresentation is set. False, with an error, if none can be made.
  virtual bool CreateTargetRepresentation(vtkSegment* segment);

  /// Names, values and descriptions. Rules append theirs in their constructor.
  vtkNew<vtkSegmentationConversionParameters> ConversionParameters;

  /// Whether CreateTargetRepresentation replaces an object that is there. Default false.
  bool ReplaceTargetRepresentation{ false };

private:
  vtkSegmentationConverterRule(const vtkSegmentationConverterRule&) = delete;
  void operator=(const vtkSegmentationConverterRule&) = delete;
};

#endif
