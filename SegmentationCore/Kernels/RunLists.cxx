// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "RunLists.h"

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

} // namespace segcore
