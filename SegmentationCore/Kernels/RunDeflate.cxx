// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "RunDeflate.h"

#include "PackBits.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace segcore
{
namespace
{
// Of RFC 1951, sections 3.2.5 to 3.2.7.
constexpr int Literals = 286; ///< symbols: bytes, end of block (256), lengths
constexpr int EndOfBlock = 256;
constexpr int Distances = 30;
constexpr int LengthCodes = 19;
constexpr int ShortestMatch = 3;
constexpr int LongestMatch = 258;
constexpr Index Window = 32768;

/// By how much a match with the row before must be longer than the run, as it costs more bits and
/// breaks the run; tried on segmentations of rock and heads.
constexpr int RowAdvantage = 20;
static_assert(RowAdvantage >= 8, "the last eight bytes of a match are looked at first");

/// Bits to be written, the first one lowest.
struct Code
{
  std::uint64_t bits = 0;
  int count = 0;

  Code then(std::uint64_t more, int moreCount) const
  {
    return { this->bits | more << this->count, this->count + moreCount };
  }
};

class BitWriter
{
public:
  explicit BitWriter(std::vector<unsigned char>& out) : Out(out), Used(out.size()) {}

  /// `count` is at most 56.
  void put(Code code)
  {
    this->Bits |= code.bits << this->Count;
    this->Count += code.count;
    if (this->Used + 8 > this->Out.size())
    {
      this->Out.resize(this->Out.size() + (std::size_t{ 1 } << 15));
    }
    // Whole bytes move to the output; what is written behind them is written again.
    for (int i = 0; i < 8; ++i)
    {
      this->Out[this->Used + static_cast<std::size_t>(i)] =
        static_cast<unsigned char>(this->Bits >> (8 * i));
    }
    this->Used += static_cast<std::size_t>(this->Count >> 3);
    this->Bits >>= this->Count & ~7;
    this->Count &= 7;
  }
  void put(std::uint64_t bits, int count) { this->put(Code{ bits, count }); }
  /// Zeros up to the end of a byte.
  void toByte() { this->put(0, -this->Count & 7); }
  void finish()
  {
    this->toByte();
    this->Out.resize(this->Used);
  }

private:
  std::vector<unsigned char>& Out;
  std::size_t Used;
  std::uint64_t Bits = 0;
  int Count = 0;
};

/// A length or distance as a symbol and the bits after it.
struct Split
{
  int symbol;
  int extra;
  int value;
};

/// Codes grow by `1 << extra` values each; `perExtra` codes have the same number of extra bits.
Split split(int value, int perExtra)
{
  // The first 2 * perExtra codes have no extra bits.
  int extra = 0;
  int base = 0;
  int symbol = 0;
  for (;;)
  {
    const int codes = extra == 0 ? 2 * perExtra : perExtra;
    const int covered = codes << extra;
    if (value < base + covered)
    {
      return { symbol + ((value - base) >> extra), extra, (value - base) & ((1 << extra) - 1) };
    }
    base += covered;
    symbol += codes;
    ++extra;
  }
}

Split splitLength(int length)
{
  if (length == LongestMatch) // has a symbol of its own
  {
    return { 285, 0, 0 };
  }
  Split result = split(length - ShortestMatch, 4);
  result.symbol += EndOfBlock + 1;
  return result;
}

/// Lengths of the codes of symbols that occur so often, 0 for those that do not; by package-merge.
template <std::size_t N>
std::array<int, N> codeLengths(const std::array<std::uint32_t, N>& frequencies, int limit)
{
  std::array<int, N> lengths{};
  std::vector<int> symbols;
  for (int i = 0; i < static_cast<int>(N); ++i)
  {
    if (frequencies[static_cast<std::size_t>(i)] > 0)
    {
      symbols.push_back(i);
    }
  }
  const auto frequency = [&frequencies](int symbol)
  { return std::uint64_t{ frequencies[static_cast<std::size_t>(symbol)] }; };
  std::stable_sort(
    symbols.begin(), symbols.end(), [&](int a, int b) { return frequency(a) < frequency(b); });
  if (symbols.size() == 1)
  {
    lengths[static_cast<std::size_t>(symbols[0])] = 1;
  }
  if (symbols.size() < 2)
  {
    return lengths;
  }
  // For each level, from the longest codes on: symbols and pairs of the level before, by weight.
  struct Item
  {
    std::uint64_t weight;
    bool leaf;
  };
  std::vector<std::vector<Item>> levels;
  for (int level = 0; level < limit; ++level)
  {
    std::vector<Item> items;
    std::size_t pair = 0;
    const std::vector<Item> none;
    const std::vector<Item>& before = level > 0 ? levels.back() : none;
    for (std::size_t s = 0; s < symbols.size() || pair + 1 < before.size();)
    {
      const bool pairs = pair + 1 < before.size();
      const std::uint64_t both = pairs ? before[pair].weight + before[pair + 1].weight : 0;
      if (s < symbols.size() && (!pairs || frequency(symbols[s]) <= both))
      {
        items.push_back({ frequency(symbols[s++]), true });
      }
      else
      {
        items.push_back({ both, false });
        pair += 2;
      }
    }
    levels.push_back(std::move(items));
  }
  // A symbol's code is as long as it is chosen often.
  std::size_t chosen = 2 * symbols.size() - 2;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level)
  {
    std::size_t leaves = 0;
    for (std::size_t i = 0; i < chosen; ++i)
    {
      leaves += (*level)[i].leaf ? 1 : 0;
    }
    for (std::size_t s = 0; s < leaves; ++s)
    {
      ++lengths[static_cast<std::size_t>(symbols[s])];
    }
    chosen = 2 * (chosen - leaves);
  }
  return lengths;
}

/// The codes that follow from their lengths (section 3.2.2), first bit lowest.
template <std::size_t N>
std::array<Code, N> codesOf(const std::array<int, N>& lengths)
{
  std::array<Code, N> codes{};
  std::uint32_t next = 0;
  for (int length = 1; length <= 15; ++length)
  {
    next <<= 1;
    for (std::size_t i = 0; i < N; ++i)
    {
      if (lengths[i] == length)
      {
        std::uint32_t reversed = 0;
        for (int bit = 0; bit < length; ++bit)
        {
          reversed |= (next >> bit & 1u) << (length - 1 - bit);
        }
        codes[i] = { reversed, length };
        ++next;
      }
    }
  }
  return codes;
}

/// What replaces the bytes: a byte, or a match of a length at one of the two distances.
struct Token
{
  std::uint16_t length = 0; ///< 0: a byte
  std::uint8_t byte = 0;
  std::uint8_t place = 0; ///< 0: the voxel before, 1: the row before
};

inline std::uint64_t eightBytes(const unsigned char* from)
{
  std::uint64_t result;
  std::memcpy(&result, from, 8);
  return result;
}

/// How many bytes from `a` on, at most `most`, are those from `b` on.
inline int equalBytes(const unsigned char* a, const unsigned char* b, int most)
{
  int count = 0;
  while (count + 8 <= most)
  {
    const std::uint64_t difference = eightBytes(a + count) ^ eightBytes(b + count);
    if (difference != 0)
    {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      break; // the first byte is the highest one
#else
      // Without a branch for every byte, which nobody could predict.
      return count + static_cast<int>(lowestOne(difference) >> 3);
#endif
    }
    count += 8;
  }
  while (count < most && a[count] == b[count])
  {
    ++count;
  }
  return count;
}

struct Tokens
{
  std::vector<Token> list;
  std::array<std::uint32_t, Literals> literals{};
  std::array<std::uint32_t, Distances> distances{};
};

Tokens tokensOf(const std::array<Index, 2>& places, const std::array<int, 2>& symbols,
  const std::array<int, LongestMatch + 1>& lengthSymbols, const unsigned char* data, Index bytes,
  Index bytesBefore)
{
  Tokens tokens;
  tokens.list.reserve(static_cast<std::size_t>(bytes / 4));
  for (Index at = 0; at < bytes;)
  {
    const unsigned char* here = data + at;
    const int most = static_cast<int>(std::min<Index>(LongestMatch, bytes - at));
    int length = 0;
    std::uint8_t place = 0;
    if (places[0] && at + bytesBefore >= places[0])
    {
      length = equalBytes(here, here - places[0], most);
    }
    if (places[1] && at + bytesBefore >= places[1] && length + RowAdvantage <= most &&
      eightBytes(here + length + RowAdvantage - 8) ==
        eightBytes(here + length + RowAdvantage - 8 - places[1]))
    {
      const int other = equalBytes(here, here - places[1], most);
      if (other >= length + RowAdvantage)
      {
        length = other;
        place = 1;
      }
    }
    Token token;
    if (length >= ShortestMatch)
    {
      token.length = static_cast<std::uint16_t>(length);
      token.place = place;
      ++tokens.literals[static_cast<std::size_t>(lengthSymbols[static_cast<std::size_t>(length)])];
      ++tokens.distances[static_cast<std::size_t>(symbols[place])];
    }
    else
    {
      length = 1;
      token.byte = *here;
      ++tokens.literals[token.byte];
    }
    tokens.list.push_back(token);
    at += length;
  }
  ++tokens.literals[EndOfBlock];
  return tokens;
}

/// Both lists of code lengths as symbols of their own, with runs (section 3.2.7).
void putCodeLengths(BitWriter& writer, const std::array<int, Literals>& literals,
  const std::array<int, Distances>& distances)
{
  int numberOfDistances = Distances;
  while (numberOfDistances > 1 && distances[static_cast<std::size_t>(numberOfDistances - 1)] == 0)
  {
    --numberOfDistances;
  }
  std::vector<int> lengths(literals.begin(), literals.end());
  lengths.insert(lengths.end(), distances.begin(), distances.begin() + numberOfDistances);
  std::vector<Split> symbols; // `extra` bits with `value` after each
  std::array<std::uint32_t, LengthCodes> frequencies{};
  for (std::size_t i = 0; i < lengths.size();)
  {
    std::size_t end = i;
    while (end < lengths.size() && lengths[end] == lengths[i])
    {
      ++end;
    }
    int run = static_cast<int>(end - i);
    const int value = lengths[i];
    i = end;
    if (value != 0)
    {
      symbols.push_back({ value, 0, 0 });
      --run;
    }
    while (run > 0)
    {
      if (value == 0 && run >= 11)
      {
        const int part = std::min(run, 138);
        symbols.push_back({ 18, 7, part - 11 });
        run -= part;
      }
      else if (run >= 3)
      {
        const int part = std::min(run, value == 0 ? 10 : 6);
        symbols.push_back(value == 0 ? Split{ 17, 3, part - 3 } : Split{ 16, 2, part - 3 });
        run -= part;
      }
      else
      {
        symbols.push_back({ value, 0, 0 });
        --run;
      }
    }
  }
  for (const Split& symbol : symbols)
  {
    ++frequencies[static_cast<std::size_t>(symbol.symbol)];
  }
  const std::array<int, LengthCodes> codeLength = codeLengths(frequencies, 7);
  const std::array<Code, LengthCodes> codes = codesOf(codeLength);
  constexpr int order[LengthCodes] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1,
    15 };
  int written = LengthCodes;
  while (written > 4 && codeLength[static_cast<std::size_t>(order[written - 1])] == 0)
  {
    --written;
  }
  writer.put(Literals - 257, 5);
  writer.put(static_cast<std::uint64_t>(numberOfDistances - 1), 5);
  writer.put(static_cast<std::uint64_t>(written - 4), 4);
  for (int i = 0; i < written; ++i)
  {
    writer.put(static_cast<std::uint64_t>(codeLength[static_cast<std::size_t>(order[i])]), 3);
  }
  for (const Split& symbol : symbols)
  {
    writer.put(codes[static_cast<std::size_t>(symbol.symbol)].then(
      static_cast<std::uint64_t>(symbol.value), symbol.extra));
  }
}

} // namespace

//------------------------------------------------------------------------------------------------
void runDeflate(const RunDeflate& layout, const unsigned char* data, Index bytes, Index bytesBefore,
  bool last, std::vector<unsigned char>& out)
{
  if (bytes < 0 || bytes > Index{ 1 } << 28 || bytesBefore < 0)
  {
    throw std::invalid_argument("segcore::runDeflate: from 0 to 2^28 bytes are compressed");
  }
  std::array<Index, 2> places = { layout.voxel, layout.row };
  std::array<int, 2> symbols = {};
  std::array<Split, 2> distances = {};
  for (std::size_t p = 0; p < places.size(); ++p)
  {
    if (places[p] < 1 || places[p] > Window)
    {
      places[p] = 0;
      continue;
    }
    distances[p] = split(static_cast<int>(places[p]) - 1, 2);
    symbols[p] = distances[p].symbol;
  }
  std::array<Split, LongestMatch + 1> lengths{};
  std::array<int, LongestMatch + 1> lengthSymbols{};
  for (int length = ShortestMatch; length <= LongestMatch; ++length)
  {
    lengths[static_cast<std::size_t>(length)] = splitLength(length);
    lengthSymbols[static_cast<std::size_t>(length)] =
      lengths[static_cast<std::size_t>(length)].symbol;
  }
  const Tokens tokens = tokensOf(places, symbols, lengthSymbols, data, bytes, bytesBefore);

  const std::array<int, Literals> literalLengths = codeLengths(tokens.literals, 15);
  const std::array<int, Distances> distanceLengths = codeLengths(tokens.distances, 15);
  const std::array<Code, Literals> literalCodes = codesOf(literalLengths);
  const std::array<Code, Distances> distanceCodes = codesOf(distanceLengths);

  // What is written for a match, ready for each length and distance.
  std::array<std::array<Code, LongestMatch + 1>, 2> matches{};
  for (std::size_t p = 0; p < places.size(); ++p)
  {
    for (std::size_t length = ShortestMatch; places[p] && length <= LongestMatch; ++length)
    {
      const Split& by = lengths[length];
      const Code distance = distanceCodes[static_cast<std::size_t>(symbols[p])];
      matches[p][length] =
        literalCodes[static_cast<std::size_t>(by.symbol)]
          .then(static_cast<std::uint64_t>(by.value), by.extra)
          .then(distance.bits, distance.count)
          .then(static_cast<std::uint64_t>(distances[p].value), distances[p].extra);
    }
  }

  BitWriter writer(out);
  writer.put(last ? 1 : 0, 1);
  writer.put(2, 2); // codes of its own
  putCodeLengths(writer, literalLengths, distanceLengths);
  for (const Token& token : tokens.list)
  {
    writer.put(token.length ? matches[token.place][token.length] : literalCodes[token.byte]);
  }
  writer.put(literalCodes[EndOfBlock]);
  if (!last)
  {
    writer.put(0, 3); // a stored block, not the last one,
    writer.toByte();
    writer.put(0x0000, 16); // of no bytes
    writer.put(0xffff, 16);
  }
  writer.finish();
}

} // namespace segcore
