// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// EngravingFont: text as the ways of a round cutter, the same on every platform.
///
/// Single-line letters, as on engraved plates: each is a few polylines on a grid of 4 x 8 units, to
/// be followed by a disc with a diameter of one unit. Rows: descenders from 0, the base line at 2,
/// small letters up to 6, capitals up to 8. A letter is 6 units further than the one before it, a
/// line 11 units below the one before it. The printable characters of ASCII, and line feeds.
///
/// The font is this project's own; no font file or library is read.

#ifndef segcoreEngravingFont_h
#define segcoreEngravingFont_h

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace segcore
{

struct EngravedText
{
  /// x, y of each vertex in turn, in units; x to the right, y up.
  std::vector<std::vector<double>> strokes;
  /// What the letters occupy, from 0, 0 on.
  double width = 0.0;
  double height = 0.0;
};

/// One pair of digits, x and y, for each vertex; a blank lifts the cutter. From ' ' to '~'.
constexpr std::array<const char*, 95> EngravingFont = { "", "2824 22", "1816 3836",
  "1218 3238 0444 0646", "4616051434433202 2822", "0248 07 43", "42071827260403122244", "2826",
  "38272332", "18272312", "2327 0446 0644", "2327 0545", "2211", "0545", "22", "0248", //
  "071838474332120307 0347", "172822 1232", "07183847460242", "07183847463515 354443321203",
  "32380444", "480805354443321203", "4738180703123243443505", "084812",
  "15060718384746351504031232434435", "0312324347381807061545", "26 23", "26 2211", "470543",
  "0646 0444", "074503", "071838474624 22", //
  "34242636344447381807031242", "0206284642 0444", "02083847463505 3544433202", "4738180703123243",
  "02082846442202", "48080242 0535", "480802 0535", "47381807031232434525", "0208 4248 0545",
  "1232 2228 1838", "0312324348", "0208 480542", "080242", "0208254842", "02084248",
  "071838474332120307", "02083847463505", "071838474332120307 2442", "02083847463505 2542",
  "473818070615354443321203", "0848 2822", "080312324348", "082248", "0812253248", "0842 0248",
  "082548 2522", "08480242", "38282232", "0842", "18282212", "062846",
  "0141", //
  "1826", "42461605031242", "08023243453606", "461605031242", "48421203051646",
  "044445361605031242", "48382722 1646", "421203051646413010", "0802 06364542", "2226 28",
  "26211000 28", "0802 460442", "282332", "0206364542 2622", "0206364542", "051636454332120305",
  "00063645433202", "40461605031242", "0206 042646", "4616051434433202", "28233242 1646",
  "06031242 4642", "062246", "0612253246", "0642 0246", "0622 4610", "06460242", "38272615242332",
  "2028", "18272635242312", "05163445" };

/// Position of the first character that has no letter; the length of the text if all have one.
inline std::size_t firstWithoutLetter(const std::string& text)
{
  const auto found = std::find_if(
    text.begin(), text.end(), [](char c) { return c != '\n' && (c < ' ' || c > '~'); });
  return static_cast<std::size_t>(found - text.begin());
}

/// Characters without a letter are left out.
inline EngravedText engravedText(const std::string& text)
{
  EngravedText result;
  const auto lines = static_cast<double>(std::count(text.begin(), text.end(), '\n'));
  double x = 0.0, y = 11.0 * lines;
  for (const char c : text)
  {
    if (c == '\n')
    {
      x = 0.0;
      y -= 11.0;
    }
    if (c < ' ' || c > '~')
    {
      continue;
    }
    const std::string letter = EngravingFont[static_cast<std::size_t>(c - ' ')];
    for (std::size_t at = 0; at < letter.size();)
    {
      const std::size_t end = std::min(letter.find(' ', at), letter.size());
      std::vector<double> stroke;
      for (; at < end; at += 2)
      {
        stroke.push_back(x + (letter[at] - '0'));
        stroke.push_back(y + (letter[at + 1] - '0'));
      }
      result.strokes.push_back(stroke);
      ++at;
    }
    result.width = std::max(result.width, x + 4.0);
    result.height = 11.0 * lines + 8.0;
    x += 6.0;
  }
  return result;
}

} // namespace segcore

#endif
