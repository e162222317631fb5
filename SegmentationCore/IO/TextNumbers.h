// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Numbers as text in files: the same whatever language the application has set.
///
/// ParaView and Slicer may run with a locale that writes "0,5"; printf and strtod follow it, these
/// functions never do. Everything must be used up: "12abc" and "" are no numbers.
#ifndef segcore_TextNumbers_h
#define segcore_TextNumbers_h

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <vector>

namespace segcore
{

inline bool parseInteger(const std::string& text, std::int64_t& value)
{
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.size() > 1 && *begin == '+' && begin[1] != '-')
  {
    ++begin;
  }
  const auto result = std::from_chars(begin, end, value);
  return result.ec == std::errc() && result.ptr == end;
}

inline bool parseUnsigned(const std::string& text, std::uint64_t& value)
{
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

/// Accepts nan and inf (any case, with a sign), as NRRD does.
inline bool parseReal(const std::string& text, double& value)
{
  std::string word;
  for (const char c : text)
  {
    word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const bool negative = !word.empty() && word[0] == '-';
  const std::string plain = negative || (!word.empty() && word[0] == '+') ? word.substr(1) : word;
  if (plain == "nan")
  {
    value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (plain == "inf" || plain == "infinity")
  {
    value = std::numeric_limits<double>::infinity() * (negative ? -1 : 1);
    return true;
  }
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  stream >> std::noskipws >> value;
  return !stream.fail() && stream.peek() == std::istringstream::traits_type::eof();
}

/// The shortest of 15, 16 or 17 digits that reads back as the same number.
inline std::string realToText(double value)
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
    if (parseReal(text, back) && back == value)
    {
      break;
    }
  }
  return text;
}

/// The words of a line, split at blanks and tabs.
inline std::vector<std::string> splitWords(const std::string& line)
{
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < line.size())
  {
    const std::size_t begin = line.find_first_not_of(" \t\r", i);
    if (begin == std::string::npos)
    {
      break;
    }
    const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    i = end;
  }
  return words;
}

} // namespace segcore

#endif
