// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConversionParameters.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <locale>
#include <sstream>

vtkStandardNewMacro(vtkSegmentationConversionParameters);

//----------------------------------------------------------------------------
vtkSegmentationConversionParameters::vtkSegmentationConversionParameters() = default;

//----------------------------------------------------------------------------
vtkSegmentationConversionParameters::~vtkSegmentationConversionParameters() = default;

//----------------------------------------------------------------------------
vtkSegmentationConversionParameters::Parameter* vtkSegmentationConversionParameters::At(
  int index, const char* method)
{
  if (index >= 0 && index < this->GetNumberOfParameters())
  {
    return &this->Parameters[index];
  }
  vtkErrorMacro(<< method << ": index " << index << " is out of range; there are "
                << this->GetNumberOfParameters() << " parameters.");
  return nullptr;
}

//----------------------------------------------------------------------------
vtkSegmentationConversionParameters::Parameter* vtkSegmentationConversionParameters::Find(
  const std::string& name)
{
  const int index = this->GetIndexFromName(name);
  return index < 0 ? nullptr : &this->Parameters[index];
}

//----------------------------------------------------------------------------
vtkSegmentationConversionParameters::Parameter& vtkSegmentationConversionParameters::FindOrAppend(
  const std::string& name)
{
  const int index = this->GetIndexFromName(name);
  if (index >= 0)
  {
    return this->Parameters[index];
  }
  this->Parameters.push_back({ name, "", "" });
  this->Modified();
  return this->Parameters.back();
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::Assign(std::string& text, const std::string& value)
{
  if (text != value)
  {
    text = value;
    this->Modified();
  }
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConversionParameters::GetName(int index)
{
  const Parameter* parameter = this->At(index, "GetName");
  return parameter ? parameter->Name : std::string();
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::SetName(int index, const std::string& name)
{
  Parameter* parameter = this->At(index, "SetName");
  const int known = this->GetIndexFromName(name);
  if (parameter && known >= 0 && known != index)
  {
    vtkErrorMacro("SetName: parameter " << known << " has the name '" << name << "' already.");
  }
  else if (parameter)
  {
    this->Assign(parameter->Name, name);
  }
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConversionParameters::GetDescription(int index)
{
  const Parameter* parameter = this->At(index, "GetDescription");
  return parameter ? parameter->Description : std::string();
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConversionParameters::GetDescription(const std::string& name)
{
  const Parameter* parameter = this->Find(name);
  return parameter ? parameter->Description : std::string();
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::SetDescription(int index, const std::string& description)
{
  if (Parameter* parameter = this->At(index, "SetDescription"))
  {
    this->Assign(parameter->Description, description);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::SetDescription(
  const std::string& name, const std::string& description)
{
  this->Assign(this->FindOrAppend(name).Description, description);
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConversionParameters::GetValue(int index)
{
  const Parameter* parameter = this->At(index, "GetValue");
  return parameter ? parameter->Value : std::string();
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConversionParameters::GetValue(const std::string& name)
{
  const Parameter* parameter = this->Find(name);
  return parameter ? parameter->Value : std::string();
}

//----------------------------------------------------------------------------
double vtkSegmentationConversionParameters::GetValueAsDouble(const std::string& name)
{
  std::istringstream stream(this->GetValue(name));
  stream.imbue(std::locale::classic());
  double value = 0.0;
  stream >> value; // 0 if it fails
  return value;
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionParameters::GetValueAsInt(const std::string& name)
{
  const double value = this->GetValueAsDouble(name);
  return static_cast<int>(std::clamp<double>(value, VTK_INT_MIN, VTK_INT_MAX));
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::SetValue(int index, const std::string& value)
{
  if (Parameter* parameter = this->At(index, "SetValue"))
  {
    this->Assign(parameter->Value, value);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::SetValue(
  const std::string& name, const std::string& value)
{
  this->Assign(this->FindOrAppend(name).Value, value);
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionParameters::GetIndexFromName(const std::string name)
{
  const auto found = std::find_if(this->Parameters.begin(), this->Parameters.end(),
    [&name](const Parameter& parameter) { return parameter.Name == name; });
  return found == this->Parameters.end() ? -1 : static_cast<int>(found - this->Parameters.begin());
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionParameters::GetNumberOfParameters()
{
  return static_cast<int>(this->Parameters.size());
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::RemoveAllParameters()
{
  if (!this->Parameters.empty())
  {
    this->Parameters.clear();
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::RemoveParameter(int index)
{
  if (this->At(index, "RemoveParameter"))
  {
    this->Parameters.erase(this->Parameters.begin() + index);
    this->Modified();
  }
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionParameters::SetParameter(
  const std::string& name, const std::string& value, const std::string& description)
{
  Parameter& parameter = this->FindOrAppend(name);
  this->Assign(parameter.Value, value);
  this->Assign(parameter.Description, description);
  return this->GetIndexFromName(name);
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::DeepCopy(vtkSegmentationConversionParameters* source)
{
  if (!source)
  {
    vtkErrorMacro("DeepCopy: no source given.");
    return;
  }
  if (!(this->Parameters == source->Parameters))
  {
    this->Parameters = source->Parameters;
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::CopyParameter(
  vtkSegmentationConversionParameters* source, int sourceIndex)
{
  if (!source)
  {
    vtkErrorMacro("CopyParameter: no source given.");
    return;
  }
  if (const Parameter* parameter = source->At(sourceIndex, "CopyParameter"))
  {
    const Parameter copy = *parameter; // the source may be this list
    this->SetParameter(copy.Name, copy.Value, copy.Description);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionParameters::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  for (const Parameter& parameter : this->Parameters)
  {
    os << indent << parameter.Name << ": " << parameter.Value;
    os << (parameter.Description.empty() ? "" : "  (" + parameter.Description + ")") << "\n";
  }
}
