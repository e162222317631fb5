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

/// What a parameter became: a number, an integer (also enum index, choice, bool), a text (also a
/// segment's ID), several texts, or several numbers (a colour, empty if absent; a vector; the
/// coordinates of points in turn).
struct ParameterValue
{
  double Number = 0.0;
  std::int64_t Integer = 0;
  std::string Text;
  std::vector<double> Values;
  std::vector<std::string> Texts;
};

/// Where an operation may change voxels; Slicer's values, names and order.
enum class MaskMode
{
  Everywhere,
  InsideAllSegments,
  InsideVisibleSegments,
  OutsideAllSegments,
  OutsideVisibleSegments,
  InsideSingleSegment
};

/// Which other segments lose the voxels that a segment gains.
enum class OverwriteMode
{
  All,
  Visible,
  None
};

/// The masking of an operation. An intensity range includes both ends.
struct Masking
{
  MaskMode Mode = MaskMode::Everywhere;
  std::string SegmentID;
  bool IntensityMasked = false;
  double IntensityRange[2] = { 0.0, 0.0 };
  OverwriteMode Overwrite = OverwriteMode::All;
};

/// What an operation works on.
enum class EffectInput
{
  Volume,   ///< the volume; writes one segment
  Segment,  ///< one segment
  Segments, ///< all visible segments at once; names none
  Table     ///< the segment table
};

/// One validated operation; parameters that were not given have their defaults.
struct Operation
{
  std::string Effect;
  std::string Title;
  EffectInput Input = EffectInput::Table;
  std::string Segment; ///< empty for effects on all visible segments
  /// Instead of Segment: the effect is applied to each visible segment, in the order of the table.
  bool ToAllVisible = false;
  std::map<std::string, ParameterValue> Parameters;
  Masking Mask;
  /// The box outside which nothing is read or written: centre in world coordinates, edges along the
  /// image's axes, both in millimetres.
  bool HasRegion = false;
  double RegionCenter[3] = { 0.0, 0.0, 0.0 };
  double RegionSize[3] = { 0.0, 0.0, 0.0 };
  /// Instead of a box that is given: the one around all visible segments, grown on each side by
  /// this part of its size. Below 0: not so.
  double RegionGrowth = -1.0;
  /// Instead of a box: the effect sees everything, and changes only voxels under a round brush of
  /// this diameter in millimetres that is moved along these points (x, y, z of each). None: not so.
  std::vector<double> RegionPoints;
  double RegionDiameter = 0.0;
  /// The operation in one line, as it was written: equal texts are equal operations.
  std::string Text;
};

/// The operations of a JSON array (or of one object). Throws std::invalid_argument with a text that
/// names the operation by its position, what is wrong, and what is accepted.
std::vector<Operation> parseOperations(const std::string& json);

/// The same operation for voxels that are `ratio` times as large: parameters that count voxels are
/// divided by it (what is not 0 stays at least 1), lengths are in millimetres and stay.
Operation scaledOperation(const Operation& operation, double ratio);

/// A text for a message: hostile input may be long.
std::string shortened(const std::string& text);

/// The text with everything but plain ASCII replaced by question marks.
std::string printable(const std::string& text);

/// The declarations of all effects and table operations, as JSON.
const char* effectDeclarations();

/// A new filter with the operation's parameters set; the caller owns it. Not for table operations.
vtkLabelMapAlgorithm* newEffect(const Operation& operation);

} // namespace segcore

#endif
