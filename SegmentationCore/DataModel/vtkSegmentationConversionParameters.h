// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConversionParameters
 * @brief ordered list of named conversion parameters, each with a value and a description
 *
 * With the interface of Slicer's class of that name. Values are texts whatever they mean; names are
 * unique. Look-ups by name are linear in the number of parameters (a rule has about ten).
 *
 * Errors: in Python an index out of range raises ValueError. In C++ getters return "" for it, and
 * setters log an error and change nothing. A name that is not in the list gives "" (0 as a number),
 * as in Slicer; setting it appends it.
 *
 * Numbers are read in the classic locale, whatever the application's; the first word of the value
 * counts, a value that does not begin with a number gives 0, one beyond the range of int the
 * nearest int.
 *
 * Modified fires when a value, name or description really changes.
 *
 * @sa vtkSegmentationConverterRule vtkSegmentationConverter
 */
#ifndef vtkSegmentationConversionParameters_h
#define vtkSegmentationConversionParameters_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <string> // for std::string
#include <vector> // for the list

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConversionParameters : public vtkObject
{
public:
  static vtkSegmentationConversionParameters* New();
  vtkTypeMacro(vtkSegmentationConversionParameters, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Name by index. A name that another parameter has is refused.
  std::string GetName(int index) VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  void SetName(int index, const std::string& name)
    VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  ///@}

  ///@{
  /// Description, a sentence for people, by index or name.
  std::string GetDescription(int index) VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  std::string GetDescription(const std::string& name);
  void SetDescription(int index, const std::string& description)
    VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  void SetDescription(const std::string& name, const std::string& description);
  ///@}

  ///@{
  /// Value by index or name, as text or number.
  std::string GetValue(int index) VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  std::string GetValue(const std::string& name);
  double GetValueAsDouble(const std::string& name);
  int GetValueAsInt(const std::string& name);
  void SetValue(int index, const std::string& value)
    VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  void SetValue(const std::string& name, const std::string& value);
  ///@}

  /// Index of a name, -1 if it is not in the list.
  int GetIndexFromName(const std::string name);

  /// Length of the list.
  int GetNumberOfParameters();

  ///@{
  /// Take out one parameter or all.
  void RemoveAllParameters();
  void RemoveParameter(int index) VTK_EXPECTS(0 <= index && index < GetNumberOfParameters());
  ///@}

  /// Set value and description of a parameter (also to ""), appending it if it is new; returns its
  /// index.
  int SetParameter(
    const std::string& name, const std::string& value, const std::string& description = "");

  /// Make this list equal to another. Null is an error.
  void DeepCopy(vtkSegmentationConversionParameters* source);

  /// Set one parameter of another list here, by its name.
  void CopyParameter(vtkSegmentationConversionParameters* source, int sourceIndex);

protected:
  vtkSegmentationConversionParameters();
  ~vtkSegmentationConversionParameters() override;

private:
  vtkSegmentationConversionParameters(const vtkSegmentationConversionParameters&) = delete;
  void operator=(const vtkSegmentationConversionParameters&) = delete;

  struct Parameter
  {
    std::string Name;
    std::string Value;
    std::string Description;
    bool operator==(const Parameter& other) const
    {
      return this->Name == other.Name && this->Value == other.Value &&
        this->Description == other.Description;
    }
  };
  std::vector<Parameter> Parameters;

  // Null, with an error naming `method`, if there is no such parameter.
  Parameter* At(int index, const char* method);
  // Null if there is no such parameter.
  Parameter* Find(const std::string& name);
  Parameter& FindOrAppend(const std::string& name);
  void Assign(std::string& text, const std::string& value);
};

#endif
