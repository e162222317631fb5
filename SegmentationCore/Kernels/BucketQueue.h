// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// BucketQueue: places of a small block that wait for their turn, in a circle of buckets by their
/// keys.
///
/// A key's turn is key / 2^shift; all that wait must lie less than one circle apart. A place whose
/// key became lower is queued again: who takes an entry compares what it remembers of the key with
/// the one that the place has now, and leaves it if that was overtaken.
///
/// A bucket is a list of chunks, each as long as a line of the cache: what comes next in a list of
/// single entries would be known too late. Entries are 32 bits, 16 of which are the lowest of the
/// key. As places are taken by their turn, that is enough: two keys of a place that are alike in
/// these are either the same, or the higher one's turn is another.
///
/// Cost: constant for each entry, and for each turn. Scratch: 4 bytes an entry, and up to one chunk
/// of 64 bytes for each bucket in use.
///
/// Source: R. B. Dial, Algorithm 360: shortest-path forest with topological ordering, Commun. ACM
/// 12(11), 1969, doi:10.1145/363269.363610 (buckets).

#ifndef segcoreBucketQueue_h
#define segcoreBucketQueue_h

#include <array>
#include <cstdint>
#include <vector>

namespace segcore
{

/// Key is a signed integer. Buckets is a power of two.
template <class Key, int Buckets>
class BucketQueue
{
public:
  /// Places are 0 to 2^16 - 1.
  using Entry = std::uint32_t;
  static constexpr int PlaceBits = 16;

  static std::int32_t placeOf(Entry entry)
  {
    return static_cast<std::int32_t>(entry & ((1u << PlaceBits) - 1));
  }
  /// Whether it may have been queued with this key, see above.
  static bool hasKey(Entry entry, Key key)
  {
    return entry >> PlaceBits == static_cast<Entry>(key & ((1 << PlaceBits) - 1));
  }

  /// The most that pop() gives.
  static constexpr int Most = 15;
  using Chunk = std::array<Entry, Most + 1>;

  explicit BucketQueue(int shift) : Shift(shift), Chunks(1), Before(1, 0)
  {
    this->Tails.fill(Nothing);
  }

  bool empty() const { return this->Used == 0; }

  /// The turn of a key, not yet modulo the number of buckets.
  Key turnOf(Key key) const { return key >> this->Shift; }

  /// Queues a place with a key, 0 or more, if `really`: for callers that do without a branch.
  void push(std::int32_t place, Key key, bool really = true)
  {
    std::uint32_t& tail = this->Tails[bucketOf(this->turnOf(key))];
    const std::uint32_t at = tail;
    const Entry entry = static_cast<Entry>(place) | static_cast<Entry>(key) << PlaceBits;
    // In a chunk that is full, as is the one of an empty bucket, this one is never read.
    this->Chunks.data()->data()[at] = entry;
    if (at % Size + static_cast<std::uint32_t>(really) == Size)
    {
      tail = this->begin(at / Size, entry);
    }
    else
    {
      tail = at + static_cast<std::uint32_t>(really);
    }
  }

  /// Takes some entries of a bucket, and returns how many; 0 if it is empty.
  int pop(Key turn, Chunk& entries)
  {
    std::uint32_t& tail = this->Tails[bucketOf(turn)];
    if (tail == Nothing)
    {
      return 0;
    }
    const std::uint32_t chunk = tail / Size;
    const auto count = static_cast<int>(tail % Size);
    entries = this->Chunks[chunk];
    tail = this->Before[chunk] * Size + Most;
    this->Before[chunk] = this->Free;
    this->Free = chunk;
    --this->Used;
    return count;
  }

private:
  static constexpr std::uint32_t Size = Most + 1;
  /// The end of an empty bucket: chunk 0, which counts as full.
  static constexpr std::uint32_t Nothing = Most;

  static std::size_t bucketOf(Key turn)
  {
    return static_cast<std::size_t>(turn) & static_cast<std::size_t>(Buckets - 1);
  }

  /// A new chunk after another one. Returns where its second entry goes.
  std::uint32_t begin(std::uint32_t before, Entry entry)
  {
    std::uint32_t chunk = this->Free;
    if (chunk != 0)
    {
      this->Free = this->Before[chunk];
    }
    else
    {
      chunk = static_cast<std::uint32_t>(this->Before.size());
      this->Chunks.emplace_back();
      this->Before.push_back(0);
    }
    this->Before[chunk] = before;
    this->Chunks[chunk][0] = entry;
    ++this->Used;
    return chunk * Size + 1;
  }

  int Shift;
  // By bucket: where its next entry goes.
  std::array<std::uint32_t, static_cast<std::size_t>(Buckets)> Tails;
  std::vector<Chunk> Chunks;
  // The one before it in its bucket or among the free ones; 0: none.
  std::vector<std::uint32_t> Before;
  std::uint32_t Free = 0;
  std::uint32_t Used = 0;
};

} // namespace segcore

#endif
