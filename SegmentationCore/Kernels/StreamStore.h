// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// StreamStore: writing large results past the caches, and asking early for what is read.
///
/// An ordinary store reads the line of the cache that it changes part of, so a result that is
/// written once and is larger than the caches costs its size twice. Stores that go around the
/// caches cost it once, but what they wrote must come back from memory: they are for results that
/// nobody reads before they have left the caches anyway.
///
/// Where the processor has no such stores (anything but x86 with SSE2), they are ordinary ones.

#ifndef segcoreStreamStore_h
#define segcoreStreamStore_h

#include "Box.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SEGCORE_STREAM_STORES
#endif

namespace segcore
{

/// Bytes of a result from which it is written past the caches: more than these hold.
constexpr Index LeastStreamedBytes = Index{ 1 } << 26;

/// Asks for what comes a page and `more` bytes after `at`, which is read in order: where a page
/// ends, the processor does not look ahead by itself. Does nothing behind the end of an array.
inline void fetchLater([[maybe_unused]] const void* at, [[maybe_unused]] std::size_t more = 0)
{
#ifdef SEGCORE_STREAM_STORES
  _mm_prefetch(
    reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(at) + 4096 + more), _MM_HINT_T0);
#elif defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(
    reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(at) + 4096 + more));
#endif
}

/// Asks for a span that is read soon, as rows of a small part of a block, which are so far from
/// each other that the processor does not see the next one coming.
template <class T>
void fetchSpan([[maybe_unused]] const T* values, [[maybe_unused]] Index count)
{
#if defined(__GNUC__) || defined(__clang__)
  const auto* bytes = reinterpret_cast<const char*>(values);
  const Index size = count * static_cast<Index>(sizeof(T));
  for (Index at = 0; at < size; at += 64)
  {
    __builtin_prefetch(bytes + at);
  }
  __builtin_prefetch(bytes + size - 1);
#endif
}

/// As std::memcpy, past the caches; call streamFence() before another thread may read. `in` should
/// be in the nearest cache.
inline void streamCopy(void* out, const void* in, std::size_t bytes)
{
#ifdef SEGCORE_STREAM_STORES
  auto* to = static_cast<unsigned char*>(out);
  const auto* from = static_cast<const unsigned char*>(in);
  const std::size_t head =
    std::min(bytes, static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(to) & 15u));
  std::memcpy(to, from, head);
  std::size_t at = head;
  for (; at + 16 <= bytes; at += 16)
  {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + at),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
  }
  std::memcpy(to + at, from + at, bytes - at);
#else
  std::memcpy(out, in, bytes);
#endif
}

/// What was written past the caches is there for all threads.
inline void streamFence()
{
#ifdef SEGCORE_STREAM_STORES
  _mm_sfence();
#endif
}

/// Whether a result of that many bytes should be written past the caches. `fresh`: nothing has been
/// written to it since it was allocated. Its pages are then cleared in the caches at the first
/// touch, and writing past them would send each to memory twice, which takes half as long again.
inline bool isStreamed(Index bytes, bool fresh)
{
  return bytes >= LeastStreamedBytes && !fresh;
}

/// Writes out[0 .. n - 1], which make(first, count, part) gives piece by piece, in the nearest
/// cache: past the caches if `streamed`, else in place.
template <class Out, class Make>
void streamSpan(Index n, bool streamed, Out* out, const Make& make)
{
  if (!streamed)
  {
    make(Index{ 0 }, n, out);
    return;
  }
  constexpr Index most = 8192 / static_cast<Index>(sizeof(Out));
  Out part[static_cast<std::size_t>(most)];
  for (Index first = 0; first < n; first += most)
  {
    const Index count = std::min(most, n - first);
    make(first, count, part);
    streamCopy(out + first, part, static_cast<std::size_t>(count) * sizeof(Out));
  }
  streamFence();
}

} // namespace segcore

#endif
