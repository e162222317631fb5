// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Reads JSON that somebody else wrote. The parser alone takes the last of two equal keys of an
/// object, and any depth of nesting, which overflows the stack when values are written again.
///
/// Private to the editor.
#ifndef segcore_StrictJson_h
#define segcore_StrictJson_h

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

/// Throws std::invalid_argument for a key that is there twice and for nesting beyond `deepest`, and
/// the parser's exception for what is not JSON.
template <class Json>
Json parseStrictly(const std::string& text, int deepest)
{
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, typename Json::parse_event_t event, Json& parsed)
  {
    if (depth > deepest)
    {
      throw std::invalid_argument("is nested too deeply");
    }
    if (event == Json::parse_event_t::object_start)
    {
      keys.emplace_back();
    }
    else if (event == Json::parse_event_t::object_end)
    {
      keys.pop_back();
    }
    else if (event == Json::parse_event_t::key)
    {
      const std::string key = parsed.template get<std::string>();
      if (!keys.back().insert(key).second)
      {
        throw std::invalid_argument("has the key '" + key.substr(0, 60) + "' twice in one object");
      }
    }
    return true;
  };
  return Json::parse(text, check);
}

} // namespace segcore

#endif
