// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// BucketQueue: what was queued comes out once, in its turn, whatever else is queued meanwhile; what
// is not really queued never does; which entry has which key.

#include "BucketQueue.h"

#include "Check.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <utility>

namespace
{

constexpr int Circle = 64;

/// A walk over all turns with random places that are queued ahead of it, beside a sorted set.
template <class Key>
void testWalk(check::Random& random, int shift, int most)
{
  using Queue = segcore::BucketQueue<Key, Circle>;
  Queue queue(shift);
  std::multiset<std::pair<Key, std::int32_t>> expected; // by turns
  const auto push = [&](Key key)
  {
    const auto place = static_cast<std::int32_t>(random.below(1 << Queue::PlaceBits));
    const bool really = random.below(4) != 0;
    queue.push(place, key, really);
    if (really)
    {
      expected.insert({ key >> shift, place });
    }
  };
  const Key first = 1000;
  const auto reach = static_cast<int>((Circle - 1) << shift);
  for (int n = 0; n < most; ++n)
  {
    push(first + static_cast<Key>(random.below(reach - (1 << shift))));
  }
  CHECK_EQUAL(queue.empty(), expected.empty());
  typename Queue::Chunk entries{};
  int left = 20 * most;
  for (Key turn = first >> shift; !queue.empty(); ++turn)
  {
    CHECK(expected.empty() || expected.begin()->first >= turn);
    while (const int count = queue.pop(turn, entries))
    {
      CHECK(count >= 1 && count <= Queue::Most);
      for (int e = 0; e < count; ++e)
      {
        const auto at =
          expected.find({ turn, Queue::placeOf(entries[static_cast<std::size_t>(e)]) });
        CHECK(at != expected.end());
        if (at == expected.end())
        {
          return;
        }
        expected.erase(at);
        // What comes next may lie in the same turn.
        for (std::int64_t more = random.below(3); more > 0 && left > 0; --more, --left)
        {
          push((turn << shift) + static_cast<Key>(random.below(reach)));
        }
      }
    }
  }
  CHECK(expected.empty());
}

template <class Key>
void testKeys(check::Random& random)
{
  using Queue = segcore::BucketQueue<Key, Circle>;
  Queue queue(3);
  typename Queue::Chunk entries{};
  for (int n = 0; n < 1000; ++n)
  {
    const auto key = static_cast<Key>(random.below(std::int64_t{ 1 } << 30));
    const auto place = static_cast<std::int32_t>(random.below(1 << Queue::PlaceBits));
    CHECK_EQUAL(queue.turnOf(key), key >> 3);
    queue.push(place, key);
    CHECK(!queue.empty());
    CHECK_EQUAL(queue.pop(queue.turnOf(key) + 1, entries), 0);
    CHECK_EQUAL(queue.pop(queue.turnOf(key), entries), 1);
    CHECK(queue.empty());
    CHECK_EQUAL(Queue::placeOf(entries[0]), place);
    CHECK(Queue::hasKey(entries[0], key));
    // Lower ones of the same turn, and those of nearby turns, are not this one.
    for (Key other = key > 600 ? key - 600 : 0; other < key + 600; ++other)
    {
      CHECK_EQUAL(Queue::hasKey(entries[0], other), other == key);
    }
  }
  // Digits that a signed key has beyond 16 bits do not matter, those below do.
  queue.push(7, Key{ 0x3fffffff });
  CHECK_EQUAL(queue.pop(queue.turnOf(Key{ 0x3fffffff }), entries), 1);
  CHECK(Queue::hasKey(entries[0], Key{ 0xffff }));
  CHECK(!Queue::hasKey(entries[0], Key{ 0xfffe }));
}

} // namespace

int TestBucketQueue(int, char**)
{
  check::Random random(20261201);
  testKeys<std::int32_t>(random);
  testKeys<std::int64_t>(random);
  for (const int shift : { 0, 1, 5 })
  {
    for (const int most : { 0, 1, 15, 16, 200, 3000 })
    {
      check::setContext("shift ", shift, " most ", most);
      testWalk<std::int32_t>(random, shift, most);
      testWalk<std::int64_t>(random, shift, most);
    }
  }
  return check::result();
}
