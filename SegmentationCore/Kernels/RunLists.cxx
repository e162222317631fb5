// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "RunLists.h"

#include <algorithm>

namespace segcore
{

namespace
{

#if defined(SEGCORE_CHOOSES_WIDE)
SEGCORE_AVX512_BITS
__attribute__((flatten)) Index listRunsWide(const Word* row, Index words, std::int32_t* bounds)
{
  return runlists::listRuns<runlists::Wide>(row, words, bounds);
}

SEGCORE_AVX512_BITS void expandRunsWide(
  const Word* row, Index n, const std::uint32_t* values, std::uint32_t rest, std::uint32_t* out)
{
  // Of sixteen voxels each has the value of the last run that has begun, itself included.
  const __m512i upTo = _mm512_set_epi32(0xffff, 0x7fff, 0x3fff, 0x1fff, 0xfff, 0x7ff, 0x3ff, 0x1ff,
    0xff, 0x7f, 0x3f, 0x1f, 0xf, 7, 3, 1);
  const __m512i rests = _mm512_set1_epi32(static_cast<int>(rest));
  const std::uint32_t* last = values - 1; // of the last run that has begun
  Word before = 0;                        // last bit of the word before
  for (Index x = 0; x < n; x += 64)
  {
    Word word = row[x / 64];
    Word starts = word & ~((word << 1) | before);
    before = word >> 63;
    for (Index i = x; i < std::min(n, x + 64); i += 16)
    {
      const auto own = static_cast<__mmask16>(word & 0xffff);
      const __m512i begun = _mm512_set1_epi32(static_cast<int>(starts & 0xffff));
      const __m512i place = _mm512_popcnt_epi32(_mm512_and_si512(begun, upTo));
      const __m512i all =
        _mm512_mask_permutexvar_epi32(rests, own, place, _mm512_loadu_si512(last));
      const Index left = n - i;
      if (left >= 16)
      {
        _mm512_storeu_si512(out + i, all);
      }
      else
      {
        _mm512_mask_storeu_epi32(out + i, static_cast<__mmask16>((1u << left) - 1), all);
      }
      last += _mm_popcnt_u64(starts & 0xffff);
      word >>= 16;
      starts >>= 16;
    }
  }
}
#endif

} // namespace

Index listRuns(const Word* row, Index words, std::int32_t* bounds)
{
#if defined(SEGCORE_CHOOSES_WIDE)
  if (useAvx512Bits())
  {
    return listRunsWide(row, words, bounds);
  }
#endif
  return runlists::listRuns<runlists::Plain<PortableCount>>(row, words, bounds);
}

void expandRuns(
  const Word* row, Index n, const std::uint32_t* values, std::uint32_t rest, std::uint32_t* out)
{
#if defined(SEGCORE_CHOOSES_WIDE)
  if (useAvx512Bits())
  {
    expandRunsWide(row, n, values, rest, out);
    return;
  }
#endif
  std::fill_n(out, n, rest);
  forEachRun(row, wordCount(n),
    [&](Index first, Index last) { std::fill(out + first, out + last + 1, *values++); });
}

} // namespace segcore
