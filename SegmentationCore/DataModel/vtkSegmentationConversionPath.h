// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConversionPath
 * @brief conversion rules to apply one after another
 *
 * With the interface of Slicer's class of that name. The rules are held by reference: paths that a
 * converter returns share its rules and their parameters. AddRule does not check that a rule starts
 * where the one before ended.
 *
 * Errors: in Python an index out of range raises ValueError; in C++ it is an error, null is
 * returned and nothing changes. Adding or copying null is an error.
 *
 * @sa vtkSegmentationConversionPaths vtkSegmentationConverter
 */
#ifndef vtkSegmentationConversionPath_h
#define vtkSegmentationConversionPath_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"
#include "vtkSmartPointer.h" // for the list of rules

#include <vector> // for the list of rules

class vtkSegmentationConverterRule;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConversionPath : public vtkObject
{
public:
  static vtkSegmentationConversionPath* New();
  vtkTypeMacro(vtkSegmentationConversionPath, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Sum of the costs of the rules, at most vtkSegmentationConverterRule's infinite cost; 0 without
  /// rules.
  unsigned int GetCost();

  ///@{
  /// Append a rule or the rules of another path. AddRule returns the rule's index, -1 for null.
  int AddRule(vtkSegmentationConverterRule* rule);
  void AddRules(vtkSegmentationConversionPath* path);
  ///@}

  /// Number of rules.
  int GetNumberOfRules();

  ///@{
  /// Rule by index.
  vtkSegmentationConverterRule* GetRule(int index)
    VTK_EXPECTS(0 <= index && index < GetNumberOfRules());
  void RemoveRule(int index) VTK_EXPECTS(0 <= index && index < GetNumberOfRules());
  ///@}

  /// Take out all rules.
  void RemoveAllRules();

  /// Take over the rules of another path, by reference.
  void Copy(vtkSegmentationConversionPath* source);

protected:
  vtkSegmentationConversionPath();
  ~vtkSegmentationConversionPath() override;

private:
  vtkSegmentationConversionPath(const vtkSegmentationConversionPath&) = delete;
  void operator=(const vtkSegmentationConversionPath&) = delete;

  std::vector<vtkSmartPointer<vtkSegmentationConverterRule>> Rules;
};

#endif
