// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConverter.h"

#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <locale>
#include <sstream>

vtkStandardNewMacro(vtkSegmentationConverter);

namespace
{
std::string Trimmed(const std::string& text)
{
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return begin == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
}

// Streams with the classic locale: an application's locale must not turn "0.5" into "0,5".
bool ParseReal(const std::string& text, double& value)
{
  std::istringstream stream(Trimmed(text));
  stream.imbue(std::locale::classic());
  stream >> value;
  return !stream.fail() && stream.peek() == std::istringstream::traits_type::eof() &&
    std::isfinite(value);
}

bool ParseInteger(const std::string& text, int& value)
{
  const std::string word = Trimmed(text);
  const char* last = word.data() + word.size();
  const auto result = std::from_chars(word.data(), last, value);
  return result.ec == std::errc() && result.ptr == last;
}

std::string RealText(double value)
{
  std::string text;
  for (int digits = 15; digits <= 17; ++digits)
  {
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    stream.precision(digits);
    stream << (value == 0.0 ? 0.0 : value); // no "-0"
    text = stream.str();
    double back = 0.0;
    if (ParseReal(text, back) && back == value)
    {
      break;
    }
  }
  return text;
}

bool HasSeparator(const std::string& text)
{
  return text.find_first_of("|&") != std::string::npos;
}
}

//----------------------------------------------------------------------------
vtkSegmentationConverter::vtkSegmentationConverter()
{
  vtkSegmentationConverterFactory::GetInstance()->CopyConverterRules(this->ConverterRules);
}

//----------------------------------------------------------------------------
vtkSegmentationConverter::~vtkSegmentationConverter() = default;

//----------------------------------------------------------------------------
void vtkSegmentationConverter::DeepCopy(vtkSegmentationConverter* aConverter)
{
  if (!aConverter)
  {
    vtkErrorMacro("DeepCopy: no source given.");
    return;
  }
  if (aConverter == this)
  {
    return;
  }
  vtkNew<vtkSegmentationConversionParameters> parameters;
  aConverter->GetAllConversionParameters(parameters);
  this->CustomConversionParameters->RemoveAllParameters();
  this->SetConversionParameters(parameters);
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::GetAvailableRepresentationNames(
  std::set<std::string>& representationNames)
{
  for (const auto& rule : this->ConverterRules)
  {
    representationNames.insert(rule->GetSourceRepresentationName());
    representationNames.insert(rule->GetTargetRepresentationName());
  }
}

//----------------------------------------------------------------------------
std::vector<std::string> vtkSegmentationConverter::GetAvailableRepresentationNames()
{
  std::set<std::string> names;
  this->GetAvailableRepresentationNames(names);
  return std::vector<std::string>(names.begin(), names.end());
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::GetPossibleConversions(const std::string& sourceRepresentationName,
  const std::string& targetRepresentationName, vtkSegmentationConversionPaths* paths)
{
  if (!paths)
  {
    vtkErrorMacro("GetPossibleConversions: no list of paths given.");
    return;
  }
  paths->RemoveAllItems();
  if (sourceRepresentationName == targetRepresentationName)
  {
    vtkErrorMacro("GetPossibleConversions: source and target are the same representation, '"
      << sourceRepresentationName << "'.");
    return;
  }
  vtkNew<vtkSegmentationConversionPath> begun;
  std::set<std::string> met{ sourceRepresentationName };
  this->FindPaths(sourceRepresentationName, targetRepresentationName, begun, met, paths);
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::FindPaths(const std::string& source, const std::string& target,
  vtkSegmentationConversionPath* begun, std::set<std::string>& met,
  vtkSegmentationConversionPaths* paths)
{
  for (const auto& rule : this->ConverterRules)
  {
    const std::string next = rule->GetTargetRepresentationName();
    if (source != rule->GetSourceRepresentationName() || met.count(next))
    {
      continue;
    }
    const int index = begun->AddRule(rule);
    if (next == target)
    {
      vtkNew<vtkSegmentationConversionPath> path;
      path->Copy(begun);
      paths->AddPath(path);
    }
    else
    {
      met.insert(next);
      this->FindPaths(next, target, begun, met, paths);
      met.erase(next);
    }
    begun->RemoveRule(index);
  }
}

//----------------------------------------------------------------------------
vtkSegmentationConversionPath* vtkSegmentationConverter::GetCheapestPath(
  vtkSegmentationConversionPaths* paths)
{
  if (!paths)
  {
    vtkGenericWarningMacro("vtkSegmentationConverter::GetCheapestPath: no list of paths given.");
    return nullptr;
  }
  vtkSegmentationConversionPath* cheapest = nullptr;
  unsigned int least = vtkSegmentationConverterRule::GetConversionInfiniteCost();
  vtkCollectionSimpleIterator cookie;
  paths->InitTraversal(cookie);
  while (vtkSegmentationConversionPath* path = paths->GetNextPath(cookie))
  {
    const unsigned int cost = path->GetCost();
    if (cost < least ||
      (cheapest && cost == least && path->GetNumberOfRules() <= cheapest->GetNumberOfRules()))
    {
      least = cost;
      cheapest = path;
    }
  }
  return cheapest;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::GetConversionParametersForPath(
  vtkSegmentationConversionParameters* conversionParameters, vtkSegmentationConversionPath* path)
{
  if (!conversionParameters || !path)
  {
    vtkErrorMacro("GetConversionParametersForPath: no "
      << (conversionParameters ? "path" : "list of parameters") << " given.");
    return;
  }
  conversionParameters->RemoveAllParameters();
  for (int i = 0; i < path->GetNumberOfRules(); ++i)
  {
    path->GetRule(i)->GetRuleConversionParameters(conversionParameters);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::GetAllConversionParameters(
  vtkSegmentationConversionParameters* conversionParameters)
{
  if (!conversionParameters)
  {
    vtkErrorMacro("GetAllConversionParameters: no list of parameters given.");
    return;
  }
  conversionParameters->DeepCopy(this->CustomConversionParameters);
  for (const auto& rule : this->ConverterRules)
  {
    rule->GetRuleConversionParameters(conversionParameters);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::SetConversionParameters(
  vtkSegmentationConversionParameters* parameters)
{
  if (!parameters)
  {
    vtkErrorMacro("SetConversionParameters: no list of parameters given.");
    return;
  }
  for (int i = 0; i < parameters->GetNumberOfParameters(); ++i)
  {
    const std::string name = parameters->GetName(i);
    const bool ofRule = this->FindRuleWithParameter(name) != nullptr;
    this->SetConversionParameter(
      name, parameters->GetValue(i), ofRule ? std::string() : parameters->GetDescription(i));
  }
}

//----------------------------------------------------------------------------
vtkSegmentationConverterRule* vtkSegmentationConverter::FindRuleWithParameter(
  const std::string& name)
{
  const auto found = std::find_if(this->ConverterRules.begin(), this->ConverterRules.end(),
    [&name](const auto& rule) { return rule->HasConversionParameter(name); });
  return found == this->ConverterRules.end() ? nullptr : found->GetPointer();
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::SetConversionParameter(
  const std::string& name, const std::string& value, const std::string& description)
{
  if (name.empty() || HasSeparator(name) || HasSeparator(value) || HasSeparator(description))
  {
    vtkErrorMacro("SetConversionParameter: name '"
      << name << "', value '" << value << "', description '" << description
      << "': a name is needed, and none of them may contain '|' or '&'.");
    return;
  }
  bool ofRule = false;
  for (const auto& rule : this->ConverterRules)
  {
    if (rule->HasConversionParameter(name))
    {
      rule->SetConversionParameter(name, value, description);
      ofRule = true;
    }
  }
  if (!ofRule)
  {
    this->CustomConversionParameters->SetValue(name, value);
    if (!description.empty())
    {
      this->CustomConversionParameters->SetDescription(name, description);
    }
  }
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::GetConversionParameter(const std::string& name)
{
  if (vtkSegmentationConverterRule* rule = this->FindRuleWithParameter(name))
  {
    return rule->GetConversionParameter(name);
  }
  if (this->CustomConversionParameters->GetIndexFromName(name) < 0 &&
    name != GetReferenceImageGeometryParameterName())
  {
    vtkErrorMacro("GetConversionParameter: there is no parameter '" << name << "'.");
  }
  return this->CustomConversionParameters->GetValue(name);
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::GetConversionParameterDescription(const std::string& name)
{
  if (vtkSegmentationConverterRule* rule = this->FindRuleWithParameter(name))
  {
    return rule->GetConversionParameterDescription(name);
  }
  if (this->CustomConversionParameters->GetIndexFromName(name) < 0 &&
    name != GetReferenceImageGeometryParameterName())
  {
    vtkErrorMacro("GetConversionParameterDescription: there is no parameter '" << name << "'.");
  }
  return this->CustomConversionParameters->GetDescription(name);
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::SerializeAllConversionParameters()
{
  vtkNew<vtkSegmentationConversionParameters> parameters;
  this->GetAllConversionParameters(parameters);
  std::string text;
  for (int i = 0; i < parameters->GetNumberOfParameters(); ++i)
  {
    text += parameters->GetName(i) + "|" + parameters->GetValue(i) + "|" +
      parameters->GetDescription(i) + "&";
  }
  return text;
}

//----------------------------------------------------------------------------
// What follows the last & was cut off or never a parameter: it is left out.
void vtkSegmentationConverter::DeserializeConversionParameters(
  std::string conversionParametersString)
{
  std::size_t begin = 0;
  for (std::size_t end = conversionParametersString.find('&'); end != std::string::npos;
    begin = end + 1, end = conversionParametersString.find('&', begin))
  {
    const std::string piece = conversionParametersString.substr(begin, end - begin);
    const std::size_t first = piece.find('|');
    if (first == std::string::npos || first == 0)
    {
      continue;
    }
    const std::size_t second = std::min(piece.find('|', first + 1), piece.size());
    this->SetConversionParameter(piece.substr(0, first),
      piece.substr(first + 1, second - first - 1),
      second < piece.size() ? piece.substr(second + 1) : std::string());
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::ApplyTransformOnReferenceImageGeometry(
  vtkAbstractTransform* transform)
{
  if (!transform)
  {
    vtkErrorMacro("ApplyTransformOnReferenceImageGeometry: no transform given.");
    return;
  }
  const std::string name = GetReferenceImageGeometryParameterName();
  const std::string text = this->GetConversionParameter(name);
  vtkNew<vtkOrientedImageData> geometry;
  if (text.empty() || !DeserializeImageGeometry(text, geometry, false))
  {
    return; // none, or the parser said what is wrong with it
  }
  vtkOrientedImageDataResample::TransformOrientedImage(geometry, transform, true);
  this->SetConversionParameter(name, SerializeImageGeometry(geometry));
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::SerializeImageGeometry(
  vtkOrientedImageData* orientedImageData)
{
  if (!orientedImageData)
  {
    vtkGenericWarningMacro("vtkSegmentationConverter::SerializeImageGeometry: no image given.");
    return std::string();
  }
  vtkNew<vtkMatrix4x4> matrix;
  orientedImageData->GetImageToWorldMatrix(matrix);
  return SerializeImageGeometry(matrix, orientedImageData->GetExtent());
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::SerializeImageGeometry(
  vtkMatrix4x4* geometryMatrix, vtkImageData* imageData)
{
  return SerializeImageGeometry(geometryMatrix, imageData ? imageData->GetExtent() : nullptr);
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::SerializeImageGeometry(
  vtkMatrix4x4* geometryMatrix, int extent[6])
{
  if (!geometryMatrix || !extent)
  {
    vtkGenericWarningMacro("vtkSegmentationConverter::SerializeImageGeometry: no "
      << (geometryMatrix ? "extent" : "matrix") << " given.");
    return std::string();
  }
  std::string text;
  for (int i = 0; i < 16; ++i)
  {
    text += RealText(geometryMatrix->GetElement(i / 4, i % 4)) + ";";
  }
  for (int i = 0; i < 6; ++i)
  {
    text += std::to_string(extent[i]) + ";";
  }
  return text;
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverter::DeserializeImageGeometry(std::string geometryString,
  vtkOrientedImageData* orientedImageData, bool allocateScalars, int scalarType,
  int numberOfScalarsComponents)
{
  vtkNew<vtkMatrix4x4> matrix;
  int extent[6];
  if (!orientedImageData)
  {
    vtkGenericWarningMacro("vtkSegmentationConverter::DeserializeImageGeometry: no image given.");
    return false;
  }
  if (!DeserializeImageGeometry(geometryString, matrix, extent))
  {
    return false;
  }
  for (int column = 0; column < 3; ++column)
  {
    if (matrix->GetElement(0, column) == 0.0 && matrix->GetElement(1, column) == 0.0 &&
      matrix->GetElement(2, column) == 0.0)
    {
      vtkErrorWithObjectMacro(orientedImageData,
        "DeserializeImageGeometry: column " << column << " of the matrix in '" << geometryString
                                            << "' is zero; an image needs three axes.");
      return false;
    }
  }
  orientedImageData->SetImageToWorldMatrix(matrix);
  orientedImageData->SetExtent(extent);
  if (allocateScalars)
  {
    orientedImageData->AllocateScalars(
      scalarType == VTK_VOID ? orientedImageData->GetScalarType() : scalarType,
      numberOfScalarsComponents < 0 ? orientedImageData->GetNumberOfScalarComponents()
                                    : numberOfScalarsComponents);
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverter::DeserializeImageGeometry(
  std::string geometryString, vtkMatrix4x4* geometryMatrix, int extent[6])
{
  if (!geometryMatrix || !extent)
  {
    vtkGenericWarningMacro("vtkSegmentationConverter::DeserializeImageGeometry: no "
      << (geometryMatrix ? "extent" : "matrix") << " given.");
    return false;
  }
  double elements[16];
  int numbers[6];
  std::size_t begin = 0;
  for (int i = 0; i < 22; ++i)
  {
    const std::size_t end = geometryString.find(';', begin);
    const std::string field =
      end == std::string::npos ? std::string() : geometryString.substr(begin, end - begin);
    if (!(i < 16 ? ParseReal(field, elements[i]) : ParseInteger(field, numbers[i - 16])))
    {
      vtkErrorWithObjectMacro(geometryMatrix,
        "DeserializeImageGeometry: field " << i << " of '" << geometryString
                                           << "' is no finite number followed by ';'; 16 matrix "
                                              "elements and 6 whole numbers are needed.");
      return false;
    }
    begin = end + 1;
  }
  geometryMatrix->DeepCopy(elements);
  std::copy_n(numbers, 6, extent);
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverter::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Rules: " << this->ConverterRules.size() << "\n";
  for (const auto& rule : this->ConverterRules)
  {
    rule->PrintSelf(os, indent.GetNextIndent());
  }
  os << indent << "Custom parameters:\n";
  this->CustomConversionParameters->PrintSelf(os, indent.GetNextIndent());
}
