// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Rows of voxels as rows of bits: packing, unpacking, counting, and walking over runs of ones.
///
/// Voxel i of a row is bit i % 64 of word i / 64, lowest bit first, on every platform; unused high
/// bits of the last word are 0. A row of n voxels takes wordCount(n) words. As bytes on a wire the
/// words are in the byte order of the machine. Serial, no memory, about 1 voxel per clock or
/// better.

#ifndef segcorePackBits_h
#define segcorePackBits_h

#include "Box.h"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SEGCORE_PACKS_BY_SSE2
#endif
#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace segcore
{

using Word = std::uint64_t;

/// Words for a row of `bits` bits.
inline Index wordCount(Index bits)
{
  return (bits + 63) / 64;
}

/// Number of ones. Written out because the library routine behind the builtin is a table without
/// -mpopcnt.
inline Index countOnes(Word w)
{
#if defined(__POPCNT__)
  return __builtin_popcountll(w);
#else
  w -= (w >> 1) & 0x5555555555555555u;
  w = (w & 0x3333333333333333u) + ((w >> 2) & 0x3333333333333333u);
  w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<Index>((w * 0x0101010101010101u) >> 56);
#endif
}

struct PortableCount
{
  static Index of(Word word) { return countOnes(word); }
};

/// Number of the lowest one; w must not be 0.
inline Index lowestOne(Word w)
{
#if defined(__GNUC__) || defined(__clang__)
  return __builtin_ctzll(w);
#elif defined(_MSC_VER) && defined(_WIN64)
  unsigned long i = 0;
  _BitScanForward64(&i, w);
  return static_cast<Index>(i);
#else
  return countOnes((w & (~w + 1)) - 1);
#endif
}

/// A word with the lowest `count` bits set, 0 <= count <= 64.
inline Word lowBits(Index count)
{
  return count >= 64 ? ~Word{ 0 } : (Word{ 1 } << count) - 1;
}

/// Is bit i of a row set?
inline bool testBit(const Word* row, Index i)
{
  return ((row[i >> 6] >> (i & 63)) & 1u) != 0;
}

/// 64 bytes to one word: bit i is set iff in[i] != 0.
inline Word packWord(const std::uint8_t* in)
{
  Word word = 0;
#if defined(SEGCORE_PACKS_BY_SSE2)
  const __m128i zero = _mm_setzero_si128();
  for (int group = 0; group < 4; ++group)
  {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 16 * group));
    const auto zeros = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero)));
    word |= static_cast<Word>(zeros) << (16 * group);
  }
  return ~word;
#else
  for (int group = 0; group < 8; ++group)
  {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int b = 0; b < 8; ++b)
    {
      word |= static_cast<Word>(in[8 * group + b] != 0) << (8 * group + b);
    }
#else
    // Each byte to 0 or 1, then one multiplication moves byte b to bit 56 + b (no two terms meet).
    Word v;
    std::memcpy(&v, in + 8 * group, 8);
    v = ((((v & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | v) >> 7) & 0x0101010101010101u;
    word |= ((v * 0x0102040810204080u) >> 56) << (8 * group);
#endif
  }
  return word;
#endif
}

/// Bytes to bits: bit i is set iff in[i] != 0. Writes wordCount(n) words.
inline void packBits(const std::uint8_t* in, Index n, Word* out)
{
  Index i = 0;
  for (; i + 64 <= n; i += 64)
  {
    *out++ = packWord(in + i);
  }
  if (i < n)
  {
    std::uint8_t rest[64] = {};
    std::memcpy(rest, in + i, static_cast<std::size_t>(n - i));
    *out = packWord(rest);
  }
}

/// Packs test(i) for 0 <= i < n. `test` must be cheap and without side effects: it is called in an
/// inner loop that the compiler is meant to vectorise.
template <class Test>
void packWhere(Index n, Word* out, const Test& test)
{
  std::uint8_t flags[64];
  Index i = 0;
  for (; i + 64 <= n; i += 64)
  {
    for (Index b = 0; b < 64; ++b)
    {
      flags[b] = static_cast<std::uint8_t>(test(i + b));
    }
    *out++ = packWord(flags);
  }
  if (i < n)
  {
    // In two loops, as one with a condition on the end would test voxel by voxel.
    std::memset(flags, 0, sizeof(flags));
    for (Index b = 0; b < n - i; ++b)
    {
      flags[b] = static_cast<std::uint8_t>(test(i + b));
    }
    *out = packWord(flags);
  }
}

/// Bits to bytes 0 or 1: out[i] = bit (first + i) of the row, 0 <= i < n.
inline void unpackBits(const Word* row, Index first, Index n, std::uint8_t* out)
{
  const Index shift = first & 63;
  row += first >> 6;
  for (Index i = 0; i < n; i += 64, ++row)
  {
    const Index count = n - i < 64 ? n - i : 64;
    Word word = row[0] >> shift;
    if (shift + count > 64) // else the next word may not exist
    {
      word |= row[1] << (64 - shift);
    }
    for (Index b = 0; b < count; b += 8, word >>= 8)
    {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      for (Index c = b; c < count && c < b + 8; ++c)
      {
        out[i + c] = static_cast<std::uint8_t>((word >> (c - b)) & 1u);
      }
#else
      // The byte eight times; byte b keeps bit b only; + 127 carries it to the top bit of its byte.
      Word v = ((word & 0xffu) * 0x0101010101010101u) & 0x8040201008040201u;
      v = ((v + 0x7f7f7f7f7f7f7f7fu) >> 7) & 0x0101010101010101u;
      if (count - b >= 8)
      {
        std::memcpy(out + i + b, &v, 8);
      }
      else
      {
        std::memcpy(out + i + b, &v, static_cast<std::size_t>(count - b));
      }
#endif
    }
  }
}

/// Turns each of the n bits of a row around; unused high bits stay 0.
inline void invertBits(Word* row, Index n)
{
  for (Index i = 0; i < n; i += 64, ++row)
  {
    *row = ~*row & lowBits(n - i);
  }
}

/// The bits first .. first + n - 1 of a row as a row of their own, unused high bits 0. Not in place
/// unless first is 0.
inline void copyBits(const Word* row, Index first, Index n, Word* out)
{
  const Index shift = first & 63;
  row += first >> 6;
  for (Index i = 0; i < n; i += 64, ++row)
  {
    const Index count = n - i < 64 ? n - i : 64;
    Word word = row[0] >> shift;
    if (shift + count > 64) // else the next word may not exist
    {
      word |= row[1] << (64 - shift);
    }
    *out++ = word & lowBits(count);
  }
}

/// Replaces the bits first .. first + n - 1 of a row by the first n bits of another; others stay.
inline void pasteBits(const Word* from, Index n, Word* row, Index first)
{
  for (Index i = 0; i < n;)
  {
    // Up to the end of a word of the target, or of the source.
    const Index at = first + i;
    const Index count = std::min(n - i, std::min(64 - (at & 63), 64 - (i & 63)));
    const Word mask = lowBits(count);
    const Word word = (from[i >> 6] >> (i & 63)) & mask;
    Word& to = row[at >> 6];
    to = (to & ~(mask << (at & 63))) | (word << (at & 63));
    i += count;
  }
}

/// Number of runs of ones in a row of `words` words.
template <class Count = PortableCount>
Index countRuns(const Word* row, Index words)
{
  Index runs = 0;
  Word before = 0; // last bit of the word before
  for (Index w = 0; w < words; ++w)
  {
    const Word word = row[w];
    const Word starts = word & ~((word << 1) | before);
    runs += starts ? Count::of(starts) : 0;
    before = word >> 63;
  }
  return runs;
}

/// Calls run(first, last) for every run of ones in ascending order, inclusive bit numbers.
template <class Run>
void forEachRun(const Word* row, Index words, const Run& run)
{
  Index open = -1; // start of a run that is not closed yet
  Word before = 0; // last bit of the word before
  for (Index w = 0; w < words; ++w)
  {
    const Word word = row[w];
    const Index base = w * 64;
    // Bits that differ from the bit before: starts of runs and first bits after runs, in turn.
    Word turns = word ^ ((word << 1) | before);
    before = word >> 63;
    if (open >= 0 && turns)
    {
      run(open, base + lowestOne(turns) - 1);
      turns &= turns - 1;
      open = -1;
    }
    while (turns)
    {
      const Index first = base + lowestOne(turns);
      turns &= turns - 1;
      if (!turns)
      {
        open = first;
        break;
      }
      run(first, base + lowestOne(turns) - 1);
      turns &= turns - 1;
    }
  }
  if (open >= 0)
  {
    run(open, words * 64 - 1);
  }
}

/// Calls touch(i, j) once for every pair of run i of row a and run j of row b, counted from 0, that
/// overlap or, if `diagonal`, follow each other without a gap. Runs are numbered by counting the
/// starts up to a bit, so there is no branch per run.
template <class Touch>
void forEachContact(const Word* a, const Word* b, Index words, bool diagonal, const Touch& touch)
{
  Index runsA = -1; // number of the last run that started before this word
  Index runsB = -1;
  Word lastA = 0; // last bit of the word before
  Word lastB = 0;
  const Word askDiagonal = diagonal ? ~Word{ 0 } : 0;
  for (Index w = 0; w < words; ++w)
  {
    const Word wordA = a[w];
    const Word wordB = b[w];
    const Word beforeA = (wordA << 1) | lastA;
    const Word beforeB = (wordB << 1) | lastB;
    const Word startsA = wordA & ~beforeA;
    const Word startsB = wordB & ~beforeB;
    // Starts of overlaps; and starts of one run right after the end of another. Never both at one
    // bit, and once per pair, as two intervals have one overlap.
    Word contacts = (wordA & wordB & ~(beforeA & beforeB)) |
      (askDiagonal & ((startsB & ~wordA & beforeA) | (startsA & ~wordB & beforeB)));
    for (; contacts; contacts &= contacts - 1)
    {
      const Word upTo = contacts ^ (contacts - 1); // all bits up to the lowest one, included
      touch(runsA + countOnes(startsA & upTo), runsB + countOnes(startsB & upTo));
    }
    runsA += countOnes(startsA);
    runsB += countOnes(startsB);
    lastA = wordA >> 63;
    lastB = wordB >> 63;
  }
}

} // namespace segcore

#endif
