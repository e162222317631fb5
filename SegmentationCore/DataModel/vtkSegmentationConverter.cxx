// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConverter.h"

#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"

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
vtkSegmentationConverter::vtkSegmentationConverter() = default;

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
  this->Parameters = aConverter->Parameters;
}

//----------------------------------------------------------------------------
const vtkSegmentationConverter::Parameter* vtkSegmentationConverter::FindParameter(
  const std::string& name) const
{
  const auto found = std::find_if(this->Parameters.begin(), this->Parameters.end(),
    [&name](const Parameter& parameter) { return parameter.Name == name; });
  return found == this->Parameters.end() ? nullptr : &*found;
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
  Parameter* parameter = const_cast<Parameter*>(this->FindParameter(name));
  if (!parameter)
  {
    this->Parameters.push_back({ name, value, description });
    return;
  }
  parameter->Value = value;
  if (!description.empty())
  {
    parameter->Description = description;
  }
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::GetConversionParameter(const std::string& name)
{
  const Parameter* parameter = this->FindParameter(name);
  if (!parameter && name != GetReferenceImageGeometryParameterName())
  {
    vtkErrorMacro("GetConversionParameter: there is no parameter '" << name << "'.");
  }
  return parameter ? parameter->Value : std::string();
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::GetConversionParameterDescription(const std::string& name)
{
  const Parameter* parameter = this->FindParameter(name);
  if (!parameter && name != GetReferenceImageGeometryParameterName())
  {
    vtkErrorMacro("GetConversionParameterDescription: there is no parameter '" << name << "'.");
  }
  return parameter ? parameter->Description : std::string();
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverter::SerializeAllConversionParameters()
{
  std::string text;
  for (const Parameter& parameter : this->Parameters)
  {
    text += parameter.Name + "|" + parameter.Value + "|" + parameter.Description + "&";
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
  for (const Parameter& parameter : this->Parameters)
  {
    os << indent << parameter.Name << " = " << parameter.Value << " (" << parameter.Description
       << ")\n";
  }
}
