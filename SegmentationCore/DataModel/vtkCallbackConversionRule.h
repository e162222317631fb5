// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkCallbackConversionRule
 * @brief a conversion rule whose work is done by callbacks, from Python or C++
 *
 * A class that Python derives from a VTK class cannot override its virtual functions. This rule has
 * everything settable instead: names, cost, classes of the data objects, parameters, and the
 * conversion itself. Set it up, then register it with vtkSegmentationConverterFactory. In Python
 * `segmentationcore.register_conversion_rule` does all of it.
 *
 * The conversion, for each segment: the function set by SetConvertFunction, or, without one,
 * ConvertEvent, with this rule (the one at work, see below) as call data. A handler reads
 * GetSegment, makes the target, adds it to the segment and calls Succeed; or it calls Fail with a
 * text that becomes the error. A handler that does neither, because it raised an exception, say,
 * has failed. PreConvertEvent and PostConvertEvent come once before and after all segments, with
 * GetSegmentation; nobody needs to handle them, and they succeed unless Fail is called.
 *
 * Clones: a segmentation works on clones of the registered rules. They take over all settings;
 * their events are invoked on the rule that was registered, so that observers are added once.
 * Settings and observers belong before the registration.
 *
 * Neither VTK nor Slicer has this class. Threads: handlers run in the thread that converts.
 *
 * @sa vtkSegmentationConverterRule vtkSegmentationConverterFactory
 */
#ifndef vtkCallbackConversionRule_h
#define vtkCallbackConversionRule_h

#include "vtkSegmentationConverterRule.h"

#include "vtkCommand.h"      // for the events
#include "vtkSmartPointer.h" // for the original of a clone

#ifndef __VTK_WRAP__
#include <functional> // for the functions
#endif
#include <string> // for std::string

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkCallbackConversionRule
  : public vtkSegmentationConverterRule
{
public:
  static vtkCallbackConversionRule* New();
  vtkTypeMacro(vtkCallbackConversionRule, vtkSegmentationConverterRule);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Events; see the class comment. Call data: the rule at work.
  enum
  {
    PreConvertEvent = vtkCommand::UserEvent + 3141,
    ConvertEvent,
    PostConvertEvent
  };

  ///@{
  /// Name for people, and the two representations. Default "": such a rule is not usable.
  const char* GetName() override { return this->Name.c_str(); }
  const char* GetSourceRepresentationName() override { return this->SourceName.c_str(); }
  const char* GetTargetRepresentationName() override { return this->TargetName.c_str(); }
  void SetName(const std::string& name);
  void SetSourceRepresentationName(const std::string& name);
  void SetTargetRepresentationName(const std::string& name);
  ///@}

  ///@{
  /// Cost, whatever the objects. Default 100.
  unsigned int GetConversionCost(vtkDataObject* sourceRepresentation = nullptr,
    vtkDataObject* targetRepresentation = nullptr) override;
  void SetConversionCost(unsigned int cost);
  ///@}

  ///@{
  /// Classes of the data objects: vtkOrientedImageData, or one that vtkDataObjectTypes knows; by
  /// default the class that is usual for the representation's name. Any other class is an error,
  /// and nothing changes.
  void SetSourceClassName(const std::string& className);
  void SetTargetClassName(const std::string& className);
  ///@}

#ifndef __VTK_WRAP__
  ///@{
  /// What does the work, called with the rule at work; null, the default, leaves it to the events.
  void SetConvertFunction(std::function<bool(vtkCallbackConversionRule*, vtkSegment*)> function);
  void SetPreConvertFunction(
    std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> function);
  void SetPostConvertFunction(
    std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> function);
  ///@}
#endif

  ///@{
  /// For handlers: what is being converted; null at other times.
  vtkSegment* GetSegment() { return this->Segment; }
  vtkSegmentation* GetSegmentation() { return this->Segmentation; }
  ///@}

  ///@{
  /// For handlers: how it went.
  void Succeed();
  void Fail(const std::string& reason);
  ///@}

  ///@{
  VTK_NEWINSTANCE vtkSegmentationConverterRule* CreateRuleInstance() override;
  VTK_NEWINSTANCE vtkSegmentationConverterRule* Clone() override;
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByRepresentation(
    std::string representationName) override;
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByClass(
    std::string className) override;
  bool PreConvert(vtkSegmentation* segmentation) override;
  bool Convert(vtkSegment* segment) override;
  bool PostConvert(vtkSegmentation* segmentation) override;
  ///@}

protected:
  vtkCallbackConversionRule();
  ~vtkCallbackConversionRule() override;

private:
  vtkCallbackConversionRule(const vtkCallbackConversionRule&) = delete;
  void operator=(const vtkCallbackConversionRule&) = delete;

  std::string Name;
  std::string SourceName;
  std::string TargetName;
  std::string SourceClassName;
  std::string TargetClassName;
  unsigned int Cost = 100;
#ifndef __VTK_WRAP__
  std::function<bool(vtkCallbackConversionRule*, vtkSegment*)> ConvertFunction;
  std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> PreConvertFunction;
  std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> PostConvertFunction;
#endif
  // The rule that was registered, for a clone.
  vtkSmartPointer<vtkCallbackConversionRule> Original;
  vtkSegment* Segment = nullptr;
  vtkSegmentation* Segmentation = nullptr;
  bool Succeeded = false;

  void SetText(std::string& text, const std::string& value);
  void SetClass(std::string& text, const std::string& className, const char* method);
  bool Ask(unsigned long event, bool succeedsByDefault);
};

#endif
