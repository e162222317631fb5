// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Large pages for fresh memory: an array that is written for the first time costs a page fault for
/// every 4 KiB, which can take longer than computing what is written. Where the system gives large
/// pages to who asks for them, it is asked.

#ifndef segcoreLargePages_h
#define segcoreLargePages_h

#include <cstddef>

#if defined(__linux__)
#include <cstdint>
#include <sys/mman.h>
#endif

namespace segcore
{

/// Asks for large pages in memory that has just been allocated and not been written yet. Changes
/// nothing but speed; below 4 MiB not even that.
inline void adviseLargePages(void* data, std::size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::size_t worthwhile = std::size_t{ 1 } << 22;
  if (data && bytes >= worthwhile)
  {
    // Whole small pages only: the call takes no others.
    constexpr std::uintptr_t page = 4096;
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    const std::uintptr_t first = (address + page - 1) & ~(page - 1);
    const std::uintptr_t last = (address + bytes) & ~(page - 1);
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  }
#else
  (void)data;
  (void)bytes;
#endif
}

} // namespace segcore

#endif
