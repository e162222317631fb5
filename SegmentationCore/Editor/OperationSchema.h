// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Operations as JSON: what an operation may say, and how its effect is made and set.
///
///     {"effect": "margin", "segment": "pores", "parameters": {"MarginSizeMm": 2.0}}
///
/// The rules come from the declarations in Effects/, compiled in: nothing here knows an effect by
/// name. Private to the editor, because it shows nlohmann::json.
#ifndef segcore_OperationSchema_h
#define segcore_OperationSchema_h

#include <cstdint>
#include <map>
#include <string>
#include <vector>

class vtkLabelMapAlgorithm;

namespace segcore
{

/// What a parameter became: a number, an integer (also enum index, choice, bool), a text or a
/// colour.
struct ParameterValue
{
  double Number = 0.0;
  std::int64_t Integer = 0;
  std::string Text;
  std::vector<double> Color;
};

enum class EffectInput
{
  Volume,
  Segment,
  Table
};

/// One validated operation; parameters that were not given have their defaults.
struct Operation
{
  std::string Effect;
  std::string Title;
  EffectInput Input = EffectInput::Table;
  std::string Segment;
  std::map<std::string, ParameterValue> Parameters;
  /// The operation in one line, as it was written: equal texts are equal operations.
  std::string Text;
};

/// The operations of a JSON array (or of one object). Throws std::invalid_argument with a text that
/// names the operation by its position, what is wrong, and what is accepted.
std::vector<Operation> parseOperations(const std::string& json);

/// The declarations of all effects and table operations, as JSON.
const char* effectDeclarations();

/// A new filter with the operation's parameters set; the caller owns it. Not for table operations.
vtkLabelMapAlgorithm* newEffect(const Operation& operation);

} // namespace segcore

#endif
