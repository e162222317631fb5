// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConverterFactory
 * @brief the list of conversion rules of this process
 *
 * With the interface of Slicer's class of that name. A vtkSegmentation clones the rules that are
 * registered when it is made; what is registered later does not reach it.
 *
 * The list is empty at first: the library registers nothing by itself. Slicer's module logic
 * registers the four rules; anybody else calls RegisterStandardConversionRules once.
 *
 * Lifetime: one instance, made before the first static object of any unit that includes this header
 * and deleted after the last one. GetInstance does not add a reference, New does.
 *
 * Threads: register before segmentations are made in other threads.
 *
 * @sa vtkSegmentationConverterRule vtkSegmentationConverter
 */
#ifndef vtkSegmentationConverterFactory_h
#define vtkSegmentationConverterFactory_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"
#include "vtkSegmentationConverterRule.h" // for RuleListType
#include "vtkSmartPointer.h"              // for RuleListType

#include <string> // for std::string
#include <vector> // for RuleListType

class vtkDataObject;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConverterFactory : public vtkObject
{
public:
  typedef std::vector<vtkSmartPointer<vtkSegmentationConverterRule>> RuleListType;

  vtkTypeMacro(vtkSegmentationConverterFactory, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// The instance of this process.
  static vtkSegmentationConverterFactory* GetInstance();

  /// The same instance, with a reference added for the caller.
  static vtkSegmentationConverterFactory* New();

#ifndef __VTK_WRAP__
  /// Append the clones of all rules to a list.
  void CopyConverterRules(RuleListType& rules);

  /// The registered rules, in order of registration.
  const RuleListType& GetConverterRules();
#endif

  ///@{
  /// The same, one by one, as from Python. By index null if out of range.
  int GetNumberOfConverterRules();
  vtkSegmentationConverterRule* GetNthConverterRule(int index);
  ///@}

  ///@{
  /// Add a rule, or take it out. The same rule, or another of its class, may be registered more
  /// than once; null is an error. An unknown rule is a warning.
  void RegisterConverterRule(vtkSegmentationConverterRule* rule);
  void UnregisterConverterRule(vtkSegmentationConverterRule* rule);
  ///@}

  /// Take out all rules between two representations; false if there was none.
  bool DisableConverterRule(
    std::string sourceRepresentationName, std::string targetRepresentationName);

  /// Take out all rules from or to a representation.
  void DisableRepresentation(std::string representationName);

  ///@{
  /// A new, empty data object: that of the first rule which makes one. Null if none does. A binary
  /// labelmap made by representation name has the voxel type unsigned char.
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByClass(std::string className);
  VTK_NEWINSTANCE vtkDataObject* ConstructRepresentationObjectByRepresentation(
    std::string representationName);
  ///@}

  /// Register the rules of this library that Slicer's module logic registers, in its order (binary
  /// labelmap to closed surface, back, closed surface to fractional labelmap, back), leaving out
  /// those of which the same class is registered already. Returns the number of rules added.
  /// (Slicer has no such method.)
  static int RegisterStandardConversionRules();

protected:
  vtkSegmentationConverterFactory();
  ~vtkSegmentationConverterFactory() override;

  ///@{
  /// Make and delete the instance; for vtkSegmentationConverterFactoryInitialize.
  static void classInitialize();
  static void classFinalize();
  friend class vtkSegmentationConverterFactoryInitialize;
  ///@}

private:
  vtkSegmentationConverterFactory(const vtkSegmentationConverterFactory&) = delete;
  void operator=(const vtkSegmentationConverterFactory&) = delete;

  RuleListType Rules;
};

#ifndef __VTK_WRAP__
/// Counts the units that include this header; the first makes the factory, the last deletes it.
class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConverterFactoryInitialize
{
public:
  vtkSegmentationConverterFactoryInitialize();
  ~vtkSegmentationConverterFactoryInitialize();

private:
  static unsigned int Count;
};

static vtkSegmentationConverterFactoryInitialize vtkSegmentationConverterFactoryInitializer;
#endif

#endif
