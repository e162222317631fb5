// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// One wording for parameters out of range: name, what was given, what is accepted.
#ifndef segcore_ParameterCheck_h
#define segcore_ParameterCheck_h

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

/// Empty if low <= value <= high. NaN is never accepted.
template <class T>
std::string checkRange(const char* name, T value, T low, T high)
{
  if (value >= low && value <= high)
  {
    return {};
  }
  std::ostringstream text;
  text << name << " is " << value << ", expected " << low << " to " << high;
  return text.str();
}

/// Empty if the values ascend, and all are from `low` to `high`.
inline std::string checkAscending(
  const char* name, const std::vector<double>& values, double low, double high)
{
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    const std::string error = checkRange(name, values[i], low, high);
    if (!error.empty())
    {
      return error;
    }
    // Written so that equal ones are refused as well.
    if (i > 0 && !(values[i] > values[i - 1]))
    {
      return std::string(name) + " do not ascend: number " + std::to_string(i + 1) +
        " is not above the one before";
    }
  }
  return {};
}

/// Empty if value is one of the choices.
inline std::string checkChoice(const char* name, int value, std::initializer_list<int> choices)
{
  std::ostringstream text;
  text << name << " is " << value << ", expected one of";
  for (int choice : choices)
  {
    if (choice == value)
    {
      return {};
    }
    text << " " << choice;
  }
  return text.str();
}

/// Empty if the three numbers are the direction of something.
inline std::string checkVector(const char* name, const double vector[3])
{
  const bool finite =
    std::all_of(vector, vector + 3, [](double value) { return std::isfinite(value); });
  return finite && (vector[0] != 0.0 || vector[1] != 0.0 || vector[2] != 0.0)
    ? std::string()
    : std::string(name) + " must be three finite numbers that are not all 0";
}

/// Throws std::invalid_argument if a size in millimetres spans more voxels of an axis than `most`.
inline void requireVoxels(
  const char* name, double millimetres, std::int64_t voxels, double spacing, std::int64_t most)
{
  if (voxels > most)
  {
    std::ostringstream text;
    text << name << " is " << millimetres << " mm, which spans " << voxels << " voxels of "
         << spacing << " mm; expected at most " << most
         << ". Choose a size that fits the voxels, or resample the image";
    throw std::invalid_argument(text.str());
  }
}

/// As many voxels of an axis may the kernel of a cheap effect span: more is hardly ever meant, and
/// most likely the default on an image in micrometres.
constexpr std::int64_t MaximumKernelVoxels = 513;

/// Throws std::invalid_argument if a kernel that reaches so far on either side spans more than
/// that.
inline void requireKernel(
  const char* name, double millimetres, const std::int64_t reach[3], const double spacing[3])
{
  for (int axis = 0; axis < 3; ++axis)
  {
    requireVoxels(name, millimetres, 2 * reach[axis] + 1, spacing[axis], MaximumKernelVoxels);
  }
}

/// The first text that is not empty.
inline std::string firstError(std::initializer_list<std::string> errors)
{
  for (const std::string& error : errors)
  {
    if (!error.empty())
    {
      return error;
    }
  }
  return {};
}

} // namespace segcore

#endif
