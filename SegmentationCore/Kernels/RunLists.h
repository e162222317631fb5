// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// RunLists: the runs of ones of a row of bits, and which runs of two rows touch, as lists.
///
/// For rows whose words have a few runs each: how many there are in a word decides no branch, as
/// more places are written than needed, and written over by what comes next. Where the processor
/// compresses bytes (AVX-512 VBMI2), the places of all ones of a word are found at once.
///
/// Input: rows of bits as in PackBits.h, up to 2^31 - 65 bits. Output: lists in ascending order,
/// the same for all versions. Serial. Scratch: the lists, 4 bytes per voxel of a row for runs and 8
/// for contacts. Cost: some 10 to 60 instructions per word of 64 voxels.

#ifndef segcoreRunLists_h
#define segcoreRunLists_h

#include "Instructions.h"
#include "PackBits.h"
#include "SegmentationCoreKernelsModule.h"

#include <cstdint>

#if defined(SEGCORE_CHOOSES_WIDE)
#include <immintrin.h>
// For functions that are called where useAvx512Bits() said so.
#define SEGCORE_AVX512_BITS                                                                        \
  __attribute__((target("popcnt,avx512f,avx512bw,avx512vbmi2,avx512vpopcntdq")))
#endif

namespace segcore
{

/// Elements that listRuns() needs for a row of `words` words.
inline Index runListSize(Index words)
{
  return words * 64 + 16;
}

/// Writes the first bit and the bit after the last one of every run of ones, in ascending order;
/// returns how many numbers these are. What is beyond them in `bounds` is changed as well. By the
/// fastest way that the processor has.
SEGMENTATIONCOREKERNELS_EXPORT Index listRuns(const Word* row, Index words, std::int32_t* bounds);

/// Elements before and after the values of expandRuns() that it reads, and does not use.
constexpr Index ValuesAround = 16;

/// Writes values[r] to all elements of the r-th run of ones of `row`, and `rest` to those of the
/// zeros: `n` elements; bits beyond them must be 0. There must be ValuesAround elements before and
/// after the values. Sixteen at a time, whatever their runs, where useAvx512Bits() says so; else
/// run by run.
SEGMENTATIONCOREKERNELS_EXPORT void expandRuns(
  const Word* row, Index n, const std::uint32_t* values, std::uint32_t rest, std::uint32_t* out);

/// Runs of two rows that touch, counted from the first run of each row.
struct Contact
{
  std::int32_t a;
  std::int32_t b;
};

/// Elements that listNeededContacts() needs for rows of `words` words.
inline Index contactListSize(Index words)
{
  return words * 64 + 8;
}

/// Two rows, and those next to them: see listNeededContacts().
struct NeighbourRows
{
  const Word* a;
  const Word* b;
  const Word* beforeA;
  const Word* beforeB;
  Index words;
  bool diagonal; ///< runs that follow each other without a gap touch
};

/// The ways to list.
namespace runlists
{

/// How many ones a word has, by a function object; what is listed, place by place.
template <class Count>
struct Plain
{
  static Index count(Word word) { return Count::of(word); }

  /// Writes base + i for every one i of `word`.
  static void listOnes(Word word, std::int32_t base, std::int32_t* to)
  {
    constexpr Word top = Word{ 1 } << 63;
    do
    {
      // More than there are, mostly: those are overwritten by what comes next.
      for (int i = 0; i < 8; ++i)
      {
        to[i] = base + static_cast<std::int32_t>(lowestOne(word | top));
        word &= word - 1;
      }
      to += 8;
    } while (word);
  }

  /// Writes for every one of `contacts` how many ones up to it, itself included, startsA and
  /// startsB have, with `runsA` and `runsB` more.
  static void listContacts(
    Word contacts, Word startsA, Word startsB, Index runsA, Index runsB, Contact* to)
  {
    do
    {
      for (int i = 0; i < 4; ++i)
      {
        const Word upTo = contacts ^ (contacts - 1); // all bits up to the lowest one, included
        to[i].a = static_cast<std::int32_t>(runsA + Count::of(startsA & upTo));
        to[i].b = static_cast<std::int32_t>(runsB + Count::of(startsB & upTo));
        contacts &= contacts - 1;
      }
      to += 4;
    } while (contacts);
  }
};

#if defined(SEGCORE_CHOOSES_WIDE)
/// All places of a word at once.
struct Wide
{
  // The forms with a mask, as the headers of GCC 12 make it warn of those without one.
  static constexpr __mmask8 All = 0xff;

  SEGCORE_AVX512_BITS static __m128i first16(__m512i bytes)
  {
    return _mm512_maskz_extracti32x4_epi32(0xf, bytes, 0);
  }

  SEGCORE_AVX512_BITS static Index count(Word word) { return _mm_popcnt_u64(word); }

  /// The numbers of the ones of `word`, as bytes.
  SEGCORE_AVX512_BITS static __m512i places(Word word)
  {
    const __m512i numbers = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130,
      0x2f2e2d2c2b2a2928, 0x2726252423222120, 0x1f1e1d1c1b1a1918, 0x1716151413121110,
      0x0f0e0d0c0b0a0908, 0x0706050403020100);
    return _mm512_maskz_compress_epi8(word, numbers);
  }

  SEGCORE_AVX512_BITS static void listOnes(Word word, std::int32_t base, std::int32_t* to)
  {
    __m512i rest = places(word);
    const __m512i bases = _mm512_set1_epi32(base);
    for (Index left = count(word);; left -= 16)
    {
      _mm512_storeu_si512(
        to, _mm512_add_epi32(bases, _mm512_maskz_cvtepu8_epi32(0xffff, first16(rest))));
      if (left <= 16)
      {
        return;
      }
      rest = _mm512_maskz_shuffle_i64x2(All, rest, rest, 0x39); // the next sixteen bytes
      to += 16;
    }
  }

  SEGCORE_AVX512_BITS static void listContacts(
    Word contacts, Word startsA, Word startsB, Index runsA, Index runsB, Contact* to)
  {
    __m512i rest = places(contacts);
    const __m512i a = _mm512_set1_epi64(static_cast<long long>(startsA));
    const __m512i b = _mm512_set1_epi64(static_cast<long long>(startsB));
    const __m512i before = _mm512_set1_epi64(runsB * (Index{ 1 } << 32) + runsA);
    for (Index left = count(contacts);; left -= 8)
    {
      const __m512i place = _mm512_maskz_cvtepu8_epi64(All, first16(rest));
      // -2 shifted is 0 up to the place and 1 beyond; by 63 it is 0 altogether but the highest.
      const __m512i beyond = _mm512_maskz_sllv_epi64(All, _mm512_set1_epi64(-2), place);
      const __m512i countA = _mm512_popcnt_epi64(_mm512_maskz_andnot_epi64(All, beyond, a));
      const __m512i countB = _mm512_popcnt_epi64(_mm512_maskz_andnot_epi64(All, beyond, b));
      _mm512_storeu_si512(to,
        _mm512_add_epi64(
          before, _mm512_or_si512(_mm512_maskz_slli_epi64(All, countB, 32), countA)));
      if (left <= 8)
      {
        return;
      }
      const __m512i next = _mm512_set_epi64(0, 7, 6, 5, 4, 3, 2, 1);
      rest = _mm512_maskz_permutexvar_epi64(All, next, rest); // the next eight bytes
      to += 8;
    }
  }
};
#endif

/// See segcore::listRuns().
template <class Way>
inline Index listRuns(const Word* row, Index words, std::int32_t* bounds)
{
  Index count = 0;
  Word before = 0; // last bit of the word before
  for (Index w = 0; w < words; ++w)
  {
    const Word word = row[w];
    const Word turns = word ^ ((word << 1) | before);
    before = word >> 63;
    Way::listOnes(turns, static_cast<std::int32_t>(w * 64), bounds + count);
    count += Way::count(turns);
  }
  bounds[count] = static_cast<std::int32_t>(words * 64);
  return count + (count & 1);
}

/// Lists the contacts of rows `a` and `b` (a row before it), as forEachContact() finds them,
/// without those that others imply; returns how many. `list` has contactListSize() places. For rows
/// next to each other in z, `beforeA` and `beforeB` are the rows next to them in y: an overlap with
/// a voxel that both of them continue is left out, as the runs are joined around that corner. For
/// rows that are diagonal to each other (`beforeA` null), `beforeB` is the row next to both: a
/// contact at one of its voxels is left out.
template <class Way>
inline Index listNeededContacts(const NeighbourRows& n, Contact* list)
{
  Index listed = 0;
  Index runsA = -1; // number of the last run that started before this word
  Index runsB = -1;
  Word lastA = 0; // last bit of the word before
  Word lastB = 0;
  bool implied = false; // of an overlap that goes on from the word before
  for (Index w = 0; w < n.words; ++w)
  {
    const Word wordA = n.a[w];
    const Word wordB = n.b[w];
    const Word shiftedA = (wordA << 1) | lastA;
    const Word shiftedB = (wordB << 1) | lastB;
    const Word startsA = wordA & ~shiftedA;
    const Word startsB = wordB & ~shiftedB;
    lastA = wordA >> 63;
    lastB = wordB >> 63;
    const Word both = wordA & wordB;
    Word contacts = 0;
    if (n.beforeA)
    {
      // Ends of overlaps: one bit for each pair of runs.
      const bool goesOn = both >> 63 && w + 1 < n.words && (n.a[w + 1] & n.b[w + 1] & 1u);
      const Word ends = both & ~((both >> 1) | (Word{ goesOn } << 63));
      Word corners = both & n.beforeA[w] & n.beforeB[w];
      corners |= both & Word{ implied };
      // The sum carries from a corner out of its overlap, and leaves 0 at the end; unless the end
      // is a corner itself.
      const Word without = (both + corners) & ~corners;
      contacts = ends & without;
      implied = both >> 63 && !(without >> 63);
    }
    else
    {
      contacts = both & ~(shiftedA & shiftedB); // starts of overlaps
      contacts &= n.beforeB ? ~n.beforeB[w] : ~Word{ 0 };
    }
    if (n.diagonal)
    {
      // Starts of one run right after the end of another.
      Word next = (startsB & ~wordA & shiftedA) | (startsA & ~wordB & shiftedB);
      next &= n.beforeA || !n.beforeB ? ~Word{ 0 } : ~n.beforeB[w];
      contacts |= next;
    }
    Way::listContacts(contacts, startsA, startsB, runsA, runsB, list + listed);
    listed += Way::count(contacts);
    runsA += Way::count(startsA);
    runsB += Way::count(startsB);
  }
  return listed;
}

} // namespace runlists

} // namespace segcore

#endif
