// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "Instructions.h"

#include <atomic>

#if defined(SEGCORE_CHOOSES_WIDE)
#include <immintrin.h>
#endif

namespace segcore
{

namespace
{
std::atomic<bool> allowed{ true };

#if defined(SEGCORE_CHOOSES_WIDE)
__attribute__((target("avx"))) void clearAvx()
{
  _mm256_zeroupper();
}
#endif
}

bool useAvx2()
{
#if defined(SEGCORE_CHOOSES_WIDE)
  return allowed && __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

bool useAvx512()
{
#if defined(SEGCORE_CHOOSES_WIDE)
  return allowed && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

bool useAvx512Bits()
{
#if defined(SEGCORE_CHOOSES_WIDE)
  return useAvx512() && __builtin_cpu_supports("avx512vbmi2") &&
    __builtin_cpu_supports("avx512vpopcntdq");
#else
  return false;
#endif
}

void clearWideRegisters()
{
#if defined(SEGCORE_CHOOSES_WIDE)
  if (__builtin_cpu_supports("avx"))
  {
    clearAvx();
  }
#endif
}

void allowWideInstructions(bool allow)
{
  allowed = allow;
}

} // namespace segcore
