// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "PackBits.h"

#include "Check.h"

#include <utility>

using segcore::Index;
using segcore::Word;

namespace
{

using Run = std::pair<Index, Index>;

std::vector<Run> runsOf(const std::vector<std::uint8_t>& row)
{
  std::vector<Run> runs;
  for (Index i = 0; i < static_cast<Index>(row.size()); ++i)
  {
    if (row[static_cast<std::size_t>(i)])
    {
      if (i == 0 || !row[static_cast<std::size_t>(i) - 1])
      {
        runs.push_back({ i, i });
      }
      runs.back().second = i;
    }
  }
  return runs;
}

std::vector<Word> packed(const std::vector<std::uint8_t>& row)
{
  const Index n = static_cast<Index>(row.size());
  std::vector<Word> words(static_cast<std::size_t>(segcore::wordCount(n)), ~Word{ 0 });
  segcore::packBits(row.data(), n, words.data());
  return words;
}

std::vector<std::uint8_t> randomRow(check::Random& random, Index n)
{
  std::vector<std::uint8_t> row(static_cast<std::size_t>(n));
  const Index stay = random.between(1, 100); // long and short runs
  std::uint8_t value = static_cast<std::uint8_t>(random.below(2));
  for (std::uint8_t& v : row)
  {
    value = random.below(stay) ? value : static_cast<std::uint8_t>(!value);
    // Any value but 0 counts as one.
    v = value ? static_cast<std::uint8_t>(random.between(1, 255)) : std::uint8_t{ 0 };
  }
  return row;
}

void testRow(check::Random& random, const std::vector<std::uint8_t>& row)
{
  const Index n = static_cast<Index>(row.size());
  const std::vector<Word> words = packed(row);
  Index ones = 0;
  for (Index i = 0; i < 64 * static_cast<Index>(words.size()); ++i)
  {
    CHECK_EQUAL(segcore::testBit(words.data(), i), i < n && row[static_cast<std::size_t>(i)] != 0);
    ones += i < n && row[static_cast<std::size_t>(i)] != 0;
  }
  Index counted = 0;
  for (const Word w : words)
  {
    counted += segcore::countOnes(w);
  }
  CHECK_EQUAL(counted, ones);

  std::vector<Word> where(words.size(), ~Word{ 0 });
  segcore::packWhere(
    n, where.data(), [&](Index i) { return row[static_cast<std::size_t>(i)] != 0; });
  CHECK_RANGES(where, words, static_cast<Index>(words.size()));

  const Index first = random.below(n + 1);
  const Index count = random.between(0, n - first);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count) + 1, 77);
  segcore::unpackBits(words.data(), first, count, bytes.data());
  for (Index i = 0; i < count; ++i)
  {
    CHECK_EQUAL(
      bytes[static_cast<std::size_t>(i)], row[static_cast<std::size_t>(first + i)] ? 1 : 0);
  }
  CHECK_EQUAL(bytes.back(), 77); // nothing behind the end is written

  // The same bits as a row of their own, and back into a row of other bits.
  const std::vector<std::uint8_t> part(row.begin() + first, row.begin() + first + count);
  std::vector<Word> copied(static_cast<std::size_t>(segcore::wordCount(count)), ~Word{ 0 });
  segcore::copyBits(words.data(), first, count, copied.data());
  CHECK(copied == packed(part));
  const Index to = random.below(200);
  std::vector<std::uint8_t> target = randomRow(random, to + count + random.below(100));
  std::vector<Word> pasted = packed(target);
  segcore::pasteBits(copied.data(), count, pasted.data(), to);
  std::copy(part.begin(), part.end(), target.begin() + to);
  CHECK(pasted == packed(target));

  const std::vector<Run> expected = runsOf(row);
  std::vector<Run> runs;
  segcore::forEachRun(words.data(), static_cast<Index>(words.size()),
    [&](Index a, Index b) { runs.push_back({ a, b }); });
  CHECK(runs == expected);
  CHECK_EQUAL(segcore::countRuns(words.data(), static_cast<Index>(words.size())),
    static_cast<Index>(expected.size()));
}

/// Pairs of runs that overlap (or also touch diagonally), from the definition.
void testContacts(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b)
{
  const std::vector<Run> runsA = runsOf(a);
  const std::vector<Run> runsB = runsOf(b);
  const std::vector<Word> wordsA = packed(a);
  const std::vector<Word> wordsB = packed(b);
  for (const Index gap : { 0, 1 })
  {
    std::vector<Run> expected;
    for (std::size_t i = 0; i < runsA.size(); ++i)
    {
      for (std::size_t j = 0; j < runsB.size(); ++j)
      {
        if (runsA[i].first <= runsB[j].second + gap && runsB[j].first <= runsA[i].second + gap)
        {
          expected.push_back({ static_cast<Index>(i), static_cast<Index>(j) });
        }
      }
    }
    std::vector<Run> pairs;
    segcore::forEachContact(wordsA.data(), wordsB.data(), static_cast<Index>(wordsA.size()),
      gap == 1, [&](Index i, Index j) { pairs.push_back({ i, j }); });
    CHECK(pairs == expected);
  }
}

} // namespace

int TestPackBits(int, char*[])
{
  for (std::uint64_t seed = 1; seed <= 300; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    const Index n = random.below(4) == 0 ? 64 * random.between(1, 4) : random.between(0, 300);
    const std::vector<std::uint8_t> row = randomRow(random, n);
    testRow(random, row);
    testContacts(row, randomRow(random, n));
  }
  // As many runs as there can be.
  check::Random many(1);
  for (const std::size_t n : { 64, 127, 192 })
  {
    for (std::size_t first = 0; first < 2; ++first)
    {
      std::vector<std::uint8_t> row(n, 0);
      for (std::size_t i = first; i < n; i += 2)
      {
        row[i] = 1;
      }
      testRow(many, row);
    }
  }
  testContacts(std::vector<std::uint8_t>(200, 1), std::vector<std::uint8_t>(200, 1));
  CHECK_EQUAL(segcore::lowBits(0), Word{ 0 });
  CHECK_EQUAL(segcore::lowBits(64), ~Word{ 0 });
  CHECK_EQUAL(segcore::lowestOne(Word{ 1 } << 63), 63);
  return check::result();
}
