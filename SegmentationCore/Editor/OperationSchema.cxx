// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "OperationSchema.h"

#include "vtkLabelMapAlgorithm.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
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
      result.Color = value.get<std::vector<double>>();
    }
  }
  else
  {
    fail(where, "has the unknown type " + type + " in its declaration");
  }
  return result;
}

/// The text as JSON. Refuses what the parser would accept but nobody means: a key twice in an
/// object (of which it would take the last), and nesting that no operation has (values are written
/// recursively).
Json parseJson(const std::string& text)
{
  constexpr int deepest = 8;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed)
  {
    if (depth > deepest)
    {
      throw std::invalid_argument("the operations are nested too deeply");
    }
    if (event == Json::parse_event_t::object_start)
    {
      keys.emplace_back();
    }
    else if (event == Json::parse_event_t::object_end)
    {
      keys.pop_back();
    }
    else if (event == Json::parse_event_t::key &&
      !keys.back().insert(parsed.get<std::string>()).second)
    {
      throw std::invalid_argument(
        "the operations have the key " + shown(parsed) + " twice in one object");
    }
    return true;
  };
  try
  {
    return Json::parse(text, check);
  }
  catch (const Json::exception& error)
  {
    // The parser quotes what it read, which may be long or no text at all.
    std::string what = std::string(error.what()).substr(0, 300);
    std::replace_if(
      what.begin(), what.end(), [](unsigned char byte) { return byte < 32 || byte > 126; }, '?');
    throw std::invalid_argument("the operations are not valid JSON: " + what);
  }
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
    if (item.key() != "effect" && item.key() != "segment" && item.key() != "parameters")
    {
      fail(where, "has the unknown key '" + item.key() + "', expected effect, segment, parameters");
    }
  }
  for (const char* key : { "effect", "segment" })
  {
    if (!json.contains(key) || !json.at(key).is_string() || json.at(key).get<std::string>().empty())
    {
      fail(where, std::string("needs the text '") + key + "'");
    }
  }
  Operation operation;
  operation.Effect = json.at("effect");
  operation.Segment = json.at("segment");
  operation.Text = json.dump();
  const Json* effect = findByKey(declarations(), "identifier", operation.Effect);
  if (!effect)
  {
    fail(where,
      "the effect '" + operation.Effect + "' is unknown, expected one of " +
        names(declarations(), "identifier"));
  }
  operation.Title = effect->at("title");
  const std::string input = effect->at("input");
  operation.Input = input == "volume" ? EffectInput::Volume
    : input == "segment"              ? EffectInput::Segment
                                      : EffectInput::Table;

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
        "the parameter '" + item.key() + "' is unknown, expected " + names(accepted, "name"));
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
  return operation;
}

} // namespace

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
