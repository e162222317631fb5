// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "OperationSchema.h"

#include "StrictJson.h"

#include "vtkLabelMapAlgorithm.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace
{
using segcore::ParameterValue;

/// How an effect is made and set; the table of these is generated.
struct EffectMaker
{
  const char* Identifier;
  vtkLabelMapAlgorithm* (*Make)();
  bool (*Set)(vtkLabelMapAlgorithm*, const std::string&, const ParameterValue&);
};
}

#include "EffectTable.inc"

namespace segcore
{
namespace
{
using Json = nlohmann::json;

const Json& declarations()
{
  static const Json all = Json::parse(EffectDeclarations);
  return all;
}

[[noreturn]] void fail(const std::string& where, const std::string& what)
{
  throw std::invalid_argument(where + ": " + what);
}

/// A short rendering of a value for messages; hostile input may be long.
std::string shown(const Json& value)
{
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60)
  {
    text = text.substr(0, 57) + "...";
  }
  return text;
}

std::string inQuotes(const std::string& text)
{
  return "'" + segcore::shortened(text) + "'";
}

std::string listed(const Json& values)
{
  std::string text;
  for (const Json& value : values)
  {
    text += (text.empty() ? "" : ", ") + shown(value);
  }
  return text;
}

const Json* findByKey(const Json& array, const char* key, const std::string& value)
{
  for (const Json& item : array)
  {
    if (item.at(key).get<std::string>() == value)
    {
      return &item;
    }
  }
  return nullptr;
}

std::string names(const Json& array, const char* key)
{
  std::string text;
  for (const Json& item : array)
  {
    text += (text.empty() ? "" : ", ") + item.at(key).get<std::string>();
  }
  return text.empty() ? "none" : text;
}

/// Three numbers that a double holds.
bool isTriple(const Json& value)
{
  return value.is_array() && value.size() == 3 &&
    std::all_of(value.begin(), value.end(),
      [](const Json& item) { return item.is_number() && std::isfinite(item.get<double>()); });
}

std::vector<double> readNumbers(const Json& value, const std::string& where)
{
  if (!isTriple(value))
  {
    fail(where, "is " + shown(value) + ", expected three numbers");
  }
  return value.get<std::vector<double>>();
}

/// x, y, z of each of a list of points, maybe of none.
std::vector<double> readPoints(const Json& value, bool needed, const std::string& where)
{
  if (!value.is_array() || (needed && value.empty()))
  {
    fail(where,
      "is " + shown(value) +
        (needed ? ", expected at least one point like [x, y, z]"
                : ", expected a list of points like [x, y, z]"));
  }
  std::vector<double> points;
  points.reserve(3 * value.size());
  for (std::size_t i = 0; i < value.size(); ++i)
  {
    const Json& point = value[i];
    if (!isTriple(point))
    {
      fail(where + ": point " + std::to_string(i + 1),
        "is " + shown(point) + ", expected three numbers");
    }
    for (const Json& coordinate : point)
    {
      points.push_back(coordinate.get<double>());
    }
  }
  return points;
}

ParameterValue readParameter(const Json& declaration, const Json& value, const std::string& where)
{
  const std::string type = declaration.at("type");
  ParameterValue result;
  if (type == "double")
  {
    const double low = declaration.at("range")[0];
    const double high = declaration.at("range")[1];
    if (!value.is_number())
    {
      fail(where, "is " + shown(value) + ", expected a number");
    }
    result.Number = value.get<double>();
    if (!(result.Number >= low && result.Number <= high))
    {
      fail(where,
        "is " + shown(value) + ", expected " + listed(declaration.at("range")) + " or between");
    }
  }
  else if (type == "int" || type == "int64")
  {
    const std::int64_t low = declaration.at("range")[0];
    const std::int64_t high = declaration.at("range")[1];
    // Python and JavaScript may write 5.0 for 5: the same number.
    const bool whole = value.is_number_float() &&
      std::floor(value.get<double>()) == value.get<double>() &&
      std::abs(value.get<double>()) < 9007199254740992.0;
    const bool tooLarge = value.is_number_unsigned() &&
      value.get<std::uint64_t>() >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!(value.is_number_integer() || whole))
    {
      fail(where, "is " + shown(value) + ", expected a whole number");
    }
    result.Integer = whole ? static_cast<std::int64_t>(value.get<double>())
                           : (tooLarge ? 0 : value.get<std::int64_t>());
    if (tooLarge || result.Integer < low || result.Integer > high)
    {
      fail(where,
        "is " + shown(value) + ", expected " + listed(declaration.at("range")) + " or between");
    }
  }
  else if (type == "bool")
  {
    if (!value.is_boolean())
    {
      fail(where, "is " + shown(value) + ", expected true or false");
    }
    result.Integer = value.get<bool>() ? 1 : 0;
  }
  else if (type == "enum" || type == "choice")
  {
    const Json& values = declaration.at("values");
    std::int64_t index = 0;
    for (; index < static_cast<std::int64_t>(values.size()) && values[index] != value; ++index)
    {
    }
    if (index == static_cast<std::int64_t>(values.size()))
    {
      fail(where, "is " + shown(value) + ", expected one of " + listed(values));
    }
    result.Integer = type == "enum" ? index : values[index].get<std::int64_t>();
  }
  else if (type == "string")
  {
    if (!value.is_string())
    {
      fail(where, "is " + shown(value) + ", expected a text");
    }
    result.Text = value.get<std::string>();
  }
  else if (type == "color")
  {
    bool good = value.is_array() && value.size() == 3;
    for (std::size_t i = 0; good && i < 3; ++i)
    {
      good = value[i].is_number() && value[i].get<double>() >= 0.0 && value[i].get<double>() <= 1.0;
    }
    // An absent colour is null in the declaration: the editor then chooses one.
    if (!good && !value.is_null())
    {
      fail(where, "is " + shown(value) + ", expected three numbers from 0 to 1");
    }
    if (good)
    {
      result.Values = value.get<std::vector<double>>();
    }
  }
  else if (type == "vector")
  {
    result.Values = readNumbers(value, where);
  }
  else if (type == "matrix")
  {
    const auto isNumber = [](const Json& number)
    { return number.is_number() && std::isfinite(number.get<double>()); };
    if (!value.is_array() || value.size() != 16 ||
      !std::all_of(value.begin(), value.end(), isNumber))
    {
      fail(where, "is " + shown(value) + ", expected 16 finite numbers, row by row");
    }
    result.Values = value.get<std::vector<double>>();
  }
  else if (type == "points")
  {
    result.Values = readPoints(value, declaration.value("required", false), where);
  }
  else if (type == "numbers")
  {
    const bool good = value.is_array() &&
      std::all_of(value.begin(), value.end(), [](const Json& part) { return part.is_number(); });
    if (!good)
    {
      fail(where, "is " + shown(value) + ", expected a list of numbers");
    }
    result.Values = value.get<std::vector<double>>();
  }
  else if (type == "segment")
  {
    if (!value.is_string())
    {
      fail(where, "is " + shown(value) + ", expected the ID of a segment");
    }
    result.Text = value.get<std::string>();
  }
  else if (type == "segments")
  {
    if (!value.is_array() || value.empty() ||
      !std::all_of(value.begin(), value.end(), [](const Json& id) { return id.is_string(); }))
    {
      fail(where, "is " + shown(value) + ", expected a list of IDs of segments");
    }
    result.Texts = value.get<std::vector<std::string>>();
  }
  else if (type == "voxels")
  {
    // Checked where it is read: see ImportedVoxels.
    if (!value.is_object())
    {
      fail(where, "is " + shown(value) + ", expected an object with a lattice and pieces");
    }
    result.Text = value.dump();
  }
  else
  {
    fail(where, "has the unknown type " + type + " in its declaration");
  }
  return result;
}

Json parseJson(const std::string& text)
{
  try
  {
    return segcore::parseStrictly<Json>(text, 10);
  }
  catch (const std::invalid_argument& error)
  {
    throw std::invalid_argument(
      std::string("the text of the operations ") + segcore::printable(error.what()));
  }
  catch (const Json::exception& error)
  {
    // The parser quotes what it read, which may be long or no text at all.
    throw std::invalid_argument("the operations are not valid JSON: " +
      segcore::printable(std::string(error.what()).substr(0, 300)));
  }
}

/// The index of a text in a list of accepted ones.
int readChoice(
  const Json& value, const std::vector<std::string>& accepted, const std::string& where)
{
  const auto found = value.is_string()
    ? std::find(accepted.begin(), accepted.end(), value.get<std::string>())
    : accepted.end();
  if (found == accepted.end())
  {
    fail(where, "is " + shown(value) + ", expected one of " + listed(Json(accepted)));
  }
  return static_cast<int>(found - accepted.begin());
}

Masking readMasking(const Json& json, const std::string& where)
{
  if (!json.is_object())
  {
    fail(where, "is " + shown(json) + ", expected an object");
  }
  Masking masking;
  for (const auto& item : json.items())
  {
    const Json& value = item.value();
    const std::string place = where + ": " + shortened(item.key());
    if (item.key() == "MaskMode")
    {
      masking.Mode = static_cast<MaskMode>(readChoice(value,
        { "EditAllowedEverywhere", "EditAllowedInsideAllSegments",
          "EditAllowedInsideVisibleSegments", "EditAllowedOutsideAllSegments",
          "EditAllowedOutsideVisibleSegments", "EditAllowedInsideSingleSegment" },
        place));
    }
    else if (item.key() == "OverwriteMode")
    {
      masking.Overwrite = static_cast<OverwriteMode>(readChoice(
        value, { "OverwriteAllSegments", "OverwriteVisibleSegments", "OverwriteNone" }, place));
    }
    else if (item.key() == "MaskSegmentID")
    {
      if (!value.is_string())
      {
        fail(place, "is " + shown(value) + ", expected the ID of a segment");
      }
      masking.SegmentID = value.get<std::string>();
    }
    else if (item.key() == "SourceVolumeIntensityMask")
    {
      if (!value.is_boolean())
      {
        fail(place, "is " + shown(value) + ", expected true or false");
      }
      masking.IntensityMasked = value.get<bool>();
    }
    else if (item.key() == "SourceVolumeIntensityMaskRange")
    {
      if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number())
      {
        fail(place, "is " + shown(value) + ", expected two numbers");
      }
      masking.IntensityRange[0] = value[0].get<double>();
      masking.IntensityRange[1] = value[1].get<double>();
    }
    else
    {
      fail(place,
        "is unknown, expected MaskMode, MaskSegmentID, SourceVolumeIntensityMask, "
        "SourceVolumeIntensityMaskRange, OverwriteMode");
    }
  }
  if (masking.Mode == MaskMode::InsideSingleSegment && masking.SegmentID.empty())
  {
    fail(where, "EditAllowedInsideSingleSegment needs MaskSegmentID");
  }
  if (masking.IntensityMasked && !json.contains("SourceVolumeIntensityMaskRange"))
  {
    fail(where, "SourceVolumeIntensityMask needs SourceVolumeIntensityMaskRange");
  }
  return masking;
}

void readRegion(const Json& json, const std::string& where, Operation& operation)
{
  if (json.is_object() && json.size() == 1 && json.contains("growth"))
  {
    const Json& growth = json.at("growth");
    if (!growth.is_number() || !(growth.get<double>() >= 0.0 && growth.get<double>() <= 100.0))
    {
      fail(where + ": growth", "is " + shown(growth) + ", expected a number from 0 to 100");
    }
    operation.RegionGrowth = growth.get<double>();
    return;
  }
  if (json.is_object() && json.size() == 2 && json.contains("points") && json.contains("diameter"))
  {
    const Json& diameter = json.at("diameter");
    if (!diameter.is_number() || !(diameter.get<double>() >= 1e-6 && diameter.get<double>() <= 1e6))
    {
      fail(where + ": diameter", "is " + shown(diameter) + ", expected a number from 1e-6 to 1e6");
    }
    operation.RegionPoints = readPoints(json.at("points"), true, where + ": points");
    operation.RegionDiameter = diameter.get<double>();
    return;
  }
  if (!json.is_object() || json.size() != 2 || !json.contains("center") || !json.contains("size"))
  {
    fail(where,
      "is " + shown(json) +
        R"(, expected {"center": [x, y, z], "size": [x, y, z]}, {"growth": number} or )" +
        R"({"points": [[x, y, z], ...], "diameter": number})");
  }
  const std::vector<double> center = readNumbers(json.at("center"), where + ": center");
  const std::vector<double> size = readNumbers(json.at("size"), where + ": size");
  if (!std::all_of(size.begin(), size.end(), [](double edge) { return edge > 0.0; }))
  {
    fail(where + ": size", "is " + shown(json.at("size")) + ", expected numbers above 0");
  }
  operation.HasRegion = true;
  std::copy(center.begin(), center.end(), operation.RegionCenter);
  std::copy(size.begin(), size.end(), operation.RegionSize);
}

Operation parseOperation(const Json& json, std::size_t position)
{
  const std::string where = "operation " + std::to_string(position + 1);
  if (!json.is_object())
  {
    fail(
      where, "is " + shown(json) + R"(, expected an object like {"effect": ..., "segment": ...})");
  }
  for (const auto& item : json.items())
  {
    const auto known = { "effect", "segment", "parameters", "masking", "region",
      "ApplyToAllVisibleSegments" };
    if (std::find(known.begin(), known.end(), item.key()) == known.end())
    {
      fail(where,
        "has the unknown key " + inQuotes(item.key()) +
          ", expected effect, segment, parameters, masking, region, ApplyToAllVisibleSegments");
    }
  }
  const auto text = [&](const char* key) -> std::string
  {
    if (!json.contains(key) || !json.at(key).is_string() || json.at(key).get<std::string>().empty())
    {
      fail(where, std::string("needs the text '") + key + "'");
    }
    return json.at(key);
  };
  Operation operation;
  operation.Effect = text("effect");
  operation.Text = json.dump();
  const Json* effect = findByKey(declarations(), "identifier", operation.Effect);
  if (!effect)
  {
    fail(where,
      "the effect " + inQuotes(operation.Effect) + " is unknown, expected one of " +
        names(declarations(), "identifier"));
  }
  operation.Title = effect->at("title");
  const std::string input = effect->at("input");
  operation.Input = input == "volume" ? EffectInput::Volume
    : input == "segment"              ? EffectInput::Segment
    : input == "segments"             ? EffectInput::Segments
                                      : EffectInput::Table;
  const std::string place = where + " (" + operation.Effect + ")";
  if (json.contains("ApplyToAllVisibleSegments"))
  {
    const Json& flag = json.at("ApplyToAllVisibleSegments");
    if (operation.Input != EffectInput::Segment)
    {
      fail(place, "has 'ApplyToAllVisibleSegments', which is for effects on one segment");
    }
    if (!flag.is_boolean())
    {
      fail(place + ": ApplyToAllVisibleSegments", "is " + shown(flag) + ", expected true or false");
    }
    operation.ToAllVisible = flag.get<bool>();
  }
  if (operation.Input != EffectInput::Segments && !operation.ToAllVisible)
  {
    operation.Segment = text("segment");
  }
  else if (json.contains("segment"))
  {
    fail(place,
      operation.ToAllVisible
        ? "has 'segment', but is applied to all visible segments: leave one of them out"
        : "has 'segment', but works on all visible segments at once: leave it out");
  }

  const Json empty = Json::object();
  const Json& given = json.contains("parameters") ? json.at("parameters") : empty;
  if (!given.is_object())
  {
    fail(where, "'parameters' is " + shown(given) + ", expected an object");
  }
  const Json& accepted = effect->at("parameters");
  for (const auto& item : given.items())
  {
    if (!findByKey(accepted, "name", item.key()))
    {
      fail(where + " (" + operation.Effect + ")",
        "the parameter " + inQuotes(item.key()) + " is unknown, expected " +
          names(accepted, "name"));
    }
  }
  for (const Json& parameter : accepted)
  {
    const std::string name = parameter.at("name");
    const std::string place = where + " (" + operation.Effect + "): " + name;
    if (given.contains(name))
    {
      operation.Parameters[name] = readParameter(parameter, given.at(name), place);
    }
    else if (parameter.value("required", false))
    {
      fail(place, "is missing and has no default");
    }
    else
    {
      operation.Parameters[name] = readParameter(parameter, parameter.at("default"), place);
    }
  }
  for (const char* key : { "masking", "region" })
  {
    if (json.contains(key) && operation.Input == EffectInput::Table)
    {
      fail(where + " (" + operation.Effect + ")",
        std::string("has '") + key + "', which the segment table knows nothing of");
    }
  }
  if (json.contains("masking"))
  {
    operation.Mask = readMasking(json.at("masking"), where + ": masking");
  }
  if (json.contains("region"))
  {
    readRegion(json.at("region"), where + ": region", operation);
  }
  return operation;
}

} // namespace

//------------------------------------------------------------------------------------------------
std::string printable(const std::string& text)
{
  std::string result = text;
  std::replace_if(
    result.begin(), result.end(), [](unsigned char byte) { return byte < 32 || byte > 126; }, '?');
  return result;
}

//------------------------------------------------------------------------------------------------
std::string shortened(const std::string& text)
{
  constexpr std::size_t longest = 60;
  std::size_t end = std::min(text.size(), longest);
  // Not in the middle of a UTF-8 character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
  {
    --end;
  }
  return end == text.size() ? text : text.substr(0, end) + "...";
}

//------------------------------------------------------------------------------------------------
std::vector<Operation> parseOperations(const std::string& text)
{
  const Json json = parseJson(text);
  std::vector<Operation> operations;
  if (json.is_array())
  {
    for (std::size_t i = 0; i < json.size(); ++i)
    {
      operations.push_back(parseOperation(json[i], i));
    }
  }
  else
  {
    operations.push_back(parseOperation(json, 0));
  }
  return operations;
}

//------------------------------------------------------------------------------------------------
Operation scaledOperation(const Operation& operation, double ratio)
{
  Operation scaled = operation;
  const Json* effect = findByKey(declarations(), "identifier", operation.Effect);
  for (const Json& parameter : effect->at("parameters"))
  {
    if (parameter.at("unit") != "voxels")
    {
      continue;
    }
    ParameterValue& value = scaled.Parameters.at(parameter.at("name"));
    const double number = std::round(static_cast<double>(value.Integer) / ratio);
    if (value.Integer > 0)
    {
      value.Integer = number < 1.0 ? 1
        : number < 9.0e18          ? static_cast<std::int64_t>(number)
                                   : std::numeric_limits<std::int64_t>::max();
      // A journal must say what was done.
      Json text = Json::parse(scaled.Text);
      text["parameters"][parameter.at("name").get<std::string>()] = value.Integer;
      scaled.Text = text.dump();
    }
  }
  return scaled;
}

//------------------------------------------------------------------------------------------------
const char* effectDeclarations()
{
  return EffectDeclarations;
}

//------------------------------------------------------------------------------------------------
vtkLabelMapAlgorithm* newEffect(const Operation& operation)
{
  for (const EffectMaker& maker : EffectMakers)
  {
    if (operation.Effect == maker.Identifier)
    {
      vtkLabelMapAlgorithm* filter = maker.Make();
      for (const auto& parameter : operation.Parameters)
      {
        maker.Set(filter, parameter.first, parameter.second);
      }
      return filter;
    }
  }
  throw std::invalid_argument("the effect '" + operation.Effect + "' has no filter");
}

} // namespace segcore
