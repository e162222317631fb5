// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// A parameter that becomes a voxel: whether it fits the volume's scalar type, and what it is
/// there.
///
/// Private to the filters. Integers are rounded, ties to even. Local; no memory.
#ifndef segcore_FillValue_h
#define segcore_FillValue_h

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <type_traits>

namespace segcore
{

/// Largest magnitude of a value to fill with, for ParameterCheck.h; V may hold less.
constexpr double LargestFillValue = 1e299;

/// Throws std::invalid_argument with the parameter's name if V does not hold the value.
template <class V>
V fillValueAs(const char* name, double value)
{
  const double rounded = std::is_integral<V>::value ? std::nearbyint(value) : value;
  // The first number above an integer type is a power of two, hence exact.
  const double above = std::is_integral<V>::value ? std::ldexp(1.0, std::numeric_limits<V>::digits)
                                                  : std::numeric_limits<double>::infinity();
  const bool fits = std::is_integral<V>::value
    ? rounded < above && rounded >= static_cast<double>(std::numeric_limits<V>::lowest())
    : std::abs(rounded) <= static_cast<double>(std::numeric_limits<V>::max());
  if (!fits)
  {
    std::ostringstream text;
    text << name << " is " << value << ", which does not fit the volume's scalar type";
    throw std::invalid_argument(text.str());
  }
  return static_cast<V>(rounded);
}

} // namespace segcore

#endif
