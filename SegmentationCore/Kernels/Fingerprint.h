// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Fingerprint: a 64-bit number that tells whether two volumes have the same voxels.
///
/// The sum, modulo 2^64, over all voxels of a hash of the voxel's position in the whole volume and
/// the bits of its value; so it does not depend on how the volume is split or read, and ranks add
/// theirs up. Not meant against an adversary. Threads: yes. Cost: one read. Scratch: 0.
///
/// The hash is the finalizer of splitmix64: G. L. Steele, D. Lea, C. H. Flood, Fast splittable
/// pseudorandom number generators, OOPSLA 2014, doi:10.1145/2660193.2660195.

#ifndef segcoreFingerprint_h
#define segcoreFingerprint_h

#include "Threads.h"

#include <atomic>
#include <cstdint>
#include <cstring>

namespace segcore
{

inline std::uint64_t mixBits(std::uint64_t x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// The part of `block`, whose voxels lie in an array of `stored`; positions count in `whole`.
template <class T>
std::uint64_t fingerprint(
  const T* values, const Box& stored, const Box& block, const Box& whole, const Progress& progress)
{
  std::atomic<std::uint64_t> sum{ 0 };
  forRanges(block.rows(), 256, progress,
    [&](Index begin, Index end)
    {
      std::uint64_t part = 0;
      for (Index r = begin; r < end; ++r)
      {
        const Index j = block.lo[1] + r % block.dim(1);
        const Index k = block.lo[2] + r / block.dim(1);
        const T* row = values + stored.offset(block.lo[0], j, k);
        const auto position = static_cast<std::uint64_t>(whole.offset(block.lo[0], j, k));
        for (Index x = 0; x < block.dim(0); ++x)
        {
          std::uint64_t bits = 0;
          std::memcpy(&bits, row + x, sizeof(T));
          // An odd constant spreads the positions; equal values in other places count otherwise.
          part +=
            mixBits(bits + (position + static_cast<std::uint64_t>(x)) * 0x9e3779b97f4a7c15ull);
        }
      }
      sum += part;
    });
  return sum;
}

} // namespace segcore

#endif
