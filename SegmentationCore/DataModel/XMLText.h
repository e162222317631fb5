// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Any text as the value of an XML attribute in double quotes.
#ifndef segcore_XMLText_h
#define segcore_XMLText_h

#include <string>

namespace segcore
{

inline std::string xmlText(const std::string& text)
{
  std::string result;
  for (const char character : text)
  {
    switch (character)
    {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

} // namespace segcore

#endif
