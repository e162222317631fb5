// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Snapshots against plain copies of the voxels, over random edits; sharing, sizes, bad input.
#include "BlockSnapshot.h"

#include "Check.h"

#include <cstring>
#include <stdexcept>
#include <vector>

using segcore::BlockSnapshot;
using segcore::Box;
using segcore::Index;

namespace
{

Box randomBox(check::Random& random, const Box& within)
{
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] = random.between(within.lo[a], within.hi[a]);
    box.hi[a] = random.between(box.lo[a], within.hi[a]);
  }
  return box;
}

template <class T>
void randomEdits(int seed)
{
  check::Random random(static_cast<std::uint64_t>(seed));
  Box stored = Box::ofSize(75, 40, 50);
  stored.lo[0] -= 37; // blocks are aligned with 0, extents are not
  stored.lo[2] -= 3;
  std::vector<T> voxels(static_cast<std::size_t>(stored.size()));
  const auto meter = BlockSnapshot::newMeter();
  {
    std::vector<BlockSnapshot> shots;
    std::vector<std::vector<T>> copies;
    shots.emplace_back(sizeof(T), meter);
    copies.push_back(voxels);
    for (int step = 0; step < 12; ++step)
    {
      check::setContext("seed ", seed, " step ", step, " size ", sizeof(T));
      const Box edit = randomBox(random, stored);
      const T value = static_cast<T>(random.below(3));
      const bool noise = random.below(3) == 0;
      for (Index z = edit.lo[2]; z <= edit.hi[2]; ++z)
      {
        for (Index y = edit.lo[1]; y <= edit.hi[1]; ++y)
        {
          for (Index x = edit.lo[0]; x <= edit.hi[0]; ++x)
          {
            voxels[static_cast<std::size_t>(stored.offset(x, y, z))] =
              noise ? static_cast<T>(random.next()) : value;
          }
        }
      }
      shots.push_back(shots.back().withRegion(voxels.data(), stored, edit));
      copies.push_back(voxels);

      // Looking at more than the edit, or at all, finds no more.
      const Box more = edit.unite(randomBox(random, stored.grown(40)));
      CHECK(shots[shots.size() - 2].withRegion(voxels.data(), stored, more) == shots.back());
      CHECK(shots[shots.size() - 2].withRegion(voxels.data(), stored, stored) == shots.back());

      // From any state to any other, with and without knowing what is there.
      const auto from = static_cast<std::size_t>(random.below(static_cast<Index>(shots.size())));
      const auto to = static_cast<std::size_t>(random.below(static_cast<Index>(shots.size())));
      std::vector<T> shown = copies[from];
      const Box written = shots[to].writeTo(shown.data(), stored, &shots[from], Box());
      CHECK(shown == copies[to]);
      CHECK(written.empty() || stored.contains(written));
      if (from == to)
      {
        CHECK(written.empty());
      }
      std::vector<T> other(shown.size(), T(1));
      shots[to].writeTo(other.data(), stored, nullptr, Box());
      CHECK(other == copies[to]);
      // Something nobody knows of has happened in a box.
      std::vector<T> spoilt = copies[from];
      const Box dirty = randomBox(random, stored);
      for (Index x = dirty.lo[0]; x <= dirty.hi[0]; ++x)
      {
        spoilt[static_cast<std::size_t>(stored.offset(x, dirty.lo[1], dirty.lo[2]))] = T(2);
      }
      shots[to].writeTo(spoilt.data(), stored, &shots[from], dirty);
      CHECK(spoilt == copies[to]);
      // Part of the voxels only.
      const Box part = randomBox(random, stored);
      std::vector<T> some(static_cast<std::size_t>(part.size()), T(1));
      shots[to].writeTo(some.data(), part, nullptr, Box());
      Index wrong = 0;
      for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
      {
        for (Index x = part.lo[0]; x <= part.hi[0]; ++x)
        {
          wrong += std::memcmp(&some[static_cast<std::size_t>(part.offset(x, part.hi[1], z))],
                     &copies[to][static_cast<std::size_t>(stored.offset(x, part.hi[1], z))],
                     sizeof(T)) != 0;
        }
      }
      CHECK_EQUAL(wrong, Index{ 0 });
      const BlockSnapshot again =
        BlockSnapshot(sizeof(T), meter).withRegion(copies[to].data(), stored, stored);
      CHECK(again == shots[to]);
      CHECK_EQUAL(shots[from] == shots[to], copies[from] == copies[to]);
    }
    CHECK(*meter > 0);
  }
  CHECK_EQUAL(meter->load(), std::int64_t{ 0 }); // nothing is kept, or counted twice
}

void costFollowsTheEdit()
{
  const Box stored = Box::ofSize(160, 160, 160);
  std::vector<unsigned char> voxels(static_cast<std::size_t>(stored.size()));
  check::Random random(3);
  for (unsigned char& voxel : voxels)
  {
    voxel = static_cast<unsigned char>(random.next());
  }
  const auto meter = BlockSnapshot::newMeter();
  const BlockSnapshot empty(1, meter);
  CHECK_EQUAL(meter->load(), std::int64_t{ 0 });
  const BlockSnapshot noise = empty.withRegion(voxels.data(), stored, stored);
  const std::int64_t whole = *meter;
  CHECK(whole > stored.size() && whole < stored.size() + stored.size() / 50);
  voxels[100] ^= 1;
  Box edit = Box::ofSize(101, 1, 1);
  const BlockSnapshot edited = noise.withRegion(voxels.data(), stored, edit);
  CHECK(*meter - whole < 5 * 40000); // four blocks of noise were looked at, one is new
  CHECK(*meter - whole < 50000);
  // A region without a change costs nothing.
  const std::int64_t before = *meter;
  const BlockSnapshot same = edited.withRegion(voxels.data(), stored, stored);
  CHECK_EQUAL(meter->load(), before);
  CHECK(same == edited);
  // Labels are compressed.
  std::fill(voxels.begin(), voxels.end(), static_cast<unsigned char>(7));
  const auto small = BlockSnapshot::newMeter();
  const BlockSnapshot flat = BlockSnapshot(1, small).withRegion(voxels.data(), stored, stored);
  CHECK(*small < 50000);
  CHECK(!(flat == edited));
}

void voxelsNotStoredAreZero()
{
  const Box all = Box::ofSize(40, 1, 1);
  const std::vector<short> ones(40, 1);
  const BlockSnapshot full = BlockSnapshot(2).withRegion(ones.data(), all, all);
  // The extent shrinks: what is beyond it is 0 now.
  const Box less = Box::ofSize(10, 1, 1);
  const BlockSnapshot cut = full.withRegion(ones.data(), less, all);
  std::vector<short> shown(40, 5);
  cut.writeTo(shown.data(), all, nullptr, Box());
  for (std::size_t i = 0; i < 40; ++i)
  {
    CHECK_EQUAL(shown[i], static_cast<short>(i < 10));
  }
  const BlockSnapshot gone = full.withRegion(ones.data(), Box(), all);
  CHECK(gone == BlockSnapshot(2));
  CHECK(gone != full);
}
}

int TestBlockSnapshot(int, char*[])
{
  for (int seed = 1; seed <= 3; ++seed)
  {
    randomEdits<unsigned char>(seed);
    randomEdits<short>(seed + 10);
    randomEdits<int>(seed + 20);
    randomEdits<long long>(seed + 30);
  }
  costFollowsTheEdit();
  voxelsNotStoredAreZero();
  CHECK_THROWS(BlockSnapshot(0), std::invalid_argument);
  CHECK_THROWS(BlockSnapshot(1, nullptr), std::invalid_argument);
  return check::result();
}
