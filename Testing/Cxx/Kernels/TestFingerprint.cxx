// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// The fingerprint of a volume: the same however it is cut, another one after any change.

#include "Fingerprint.h"

#include "Check.h"
#include "Volumes.h"

#include <set>

using segcore::Box;
using segcore::Index;

namespace
{

Box world()
{
  Box box = Box::ofSize(13, 7, 9);
  const Index shift[3] = { -5, 11, -3 };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += shift[a];
    box.hi[a] += shift[a];
  }
  return box;
}

template <class T>
std::uint64_t of(const std::vector<T>& values)
{
  return segcore::fingerprint(values.data(), world(), world(), world(), segcore::Progress());
}

template <class T>
std::vector<T> noise(std::uint64_t seed)
{
  check::Random random(seed);
  return volumes::make<T>(world(), [&](Index, Index, Index) { return random.below(100); });
}

template <class T>
void testSplits()
{
  const auto values = noise<T>(1);
  const std::uint64_t whole = of(values);
  for (std::uint64_t seed = 0; seed < 20; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    std::uint64_t inPlace = 0, copied = 0;
    for (const Box& part : volumes::split(world(), 1 + static_cast<int>(seed), &random))
    {
      inPlace += segcore::fingerprint(values.data(), world(), part, world(), segcore::Progress());
      // As a rank with a ghost layer holds it.
      const Box stored = part.grown(1).clipped(world());
      const auto piece = volumes::crop(values, world(), stored);
      copied += segcore::fingerprint(piece.data(), stored, part, world(), segcore::Progress());
    }
    CHECK_EQUAL(inPlace, whole);
    CHECK_EQUAL(copied, whole);
  }
  check::setContext("");
  for (const int threads : { 1, 2, 5 })
  {
    check::withThreads(threads, [&] { CHECK_EQUAL(of(values), whole); });
  }
}

void testAnyChangeShows()
{
  auto values = noise<short>(2);
  std::set<std::uint64_t> seen{ of(values) };
  std::size_t expected = 1;
  check::Random random(3);
  const auto n = static_cast<std::int64_t>(values.size());
  for (int step = 0; step < 500; ++step)
  {
    // One voxel more by one; two voxels change places.
    auto& a = values[static_cast<std::size_t>(random.below(n))];
    auto& b = values[static_cast<std::size_t>(random.below(n))];
    if (step % 2)
    {
      a = static_cast<short>(a + 1);
      ++expected;
    }
    else if (a != b)
    {
      std::swap(a, b);
      ++expected;
    }
    seen.insert(of(values));
  }
  CHECK_EQUAL(seen.size(), expected);
  // Volumes of one value, of which a sum of hashes could cancel out.
  seen.clear();
  for (int value = -50; value < 50; ++value)
  {
    seen.insert(of(std::vector<short>(values.size(), static_cast<short>(value))));
  }
  CHECK_EQUAL(seen.size(), std::size_t{ 100 });
}

} // namespace

int TestFingerprint(int, char*[])
{
  testSplits<unsigned char>();
  testSplits<short>();
  testSplits<float>();
  testSplits<double>();
  testAnyChangeShows();
  return check::result();
}
