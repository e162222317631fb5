// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "RunLists.h"

#include "Check.h"

#include <algorithm>
#include <array>
#include <utility>

using segcore::Contact;
using segcore::Index;
using segcore::Word;

namespace
{

using Row = std::vector<Word>;
using Pairs = std::vector<std::pair<Index, Index>>;

Row randomRow(check::Random& random, Index words)
{
  Row row(static_cast<std::size_t>(words), 0);
  const Index stay = random.between(1, random.below(3) ? 40 : 400); // long and short runs
  bool value = random.below(2) != 0;
  for (Index i = 0; i < 64 * words; ++i)
  {
    value = random.below(stay) ? value : !value;
    row[static_cast<std::size_t>(i / 64)] |= Word{ value } << (i % 64);
  }
  return row;
}

bool at(const Row& row, Index i)
{
  return i >= 0 && i < 64 * static_cast<Index>(row.size()) && segcore::testBit(row.data(), i);
}

/// Runs, first and behind the last, from the definition.
Pairs runsOf(const Row& row)
{
  Pairs runs;
  for (Index i = 0; i < 64 * static_cast<Index>(row.size()); ++i)
  {
    if (at(row, i))
    {
      if (!at(row, i - 1))
      {
        runs.push_back({ i, i });
      }
      runs.back().second = i + 1;
    }
  }
  return runs;
}

/// The fastest way and, if it is another one, the one without wide instructions.
template <class Work>
void eachWay(const Work& work)
{
  for (const bool wide : { true, false })
  {
    segcore::allowWideInstructions(wide);
    work();
  }
  segcore::allowWideInstructions(true);
}

void testRuns(const Row& row)
{
  const auto words = static_cast<Index>(row.size());
  const Pairs expected = runsOf(row);
  eachWay(
    [&]
    {
      constexpr std::int32_t guard = -77;
      std::vector<std::int32_t> bounds(
        static_cast<std::size_t>(segcore::runListSize(words)) + 1, guard);
      const Index count = segcore::listRuns(row.data(), words, bounds.data());
      CHECK_EQUAL(bounds.back(), guard); // nothing beyond what was asked for is written
      Pairs runs;
      for (Index i = 0; i < count; i += 2)
      {
        runs.push_back(
          { bounds[static_cast<std::size_t>(i)], bounds[static_cast<std::size_t>(i) + 1] });
      }
      CHECK(runs == expected);
    });
}

/// Of a row's first n elements.
void testExpanding(check::Random& random, Row row, Index n)
{
  const auto size = static_cast<std::size_t>(n);
  for (Index i = n; i < 64 * static_cast<Index>(row.size()); ++i)
  {
    row[static_cast<std::size_t>(i / 64)] &= ~(Word{ 1 } << (i % 64));
  }
  const Pairs runs = runsOf(row);
  constexpr std::uint32_t guard = 0xdeadbeef;
  std::vector<std::uint32_t> values(
    runs.size() + 2 * static_cast<std::size_t>(segcore::ValuesAround), guard);
  std::vector<std::uint32_t> expected(size + 2, 0xfffffff0);
  expected.front() = expected.back() = guard;
  for (std::size_t r = 0; r < runs.size(); ++r)
  {
    const auto value = static_cast<std::uint32_t>(random.next());
    values[r + static_cast<std::size_t>(segcore::ValuesAround)] = value;
    std::fill(expected.begin() + 1 + runs[r].first, expected.begin() + 1 + runs[r].second, value);
  }
  eachWay(
    [&]
    {
      std::vector<std::uint32_t> got(size + 2, guard);
      segcore::expandRuns(
        row.data(), n, values.data() + segcore::ValuesAround, 0xfffffff0, got.data() + 1);
      CHECK_RANGES(got, expected, static_cast<std::int64_t>(got.size()));
    });
}

using ListContacts = Index (*)(const segcore::NeighbourRows&, Contact*);

#if defined(SEGCORE_CHOOSES_WIDE)
SEGCORE_AVX512_BITS Index listWide(const segcore::NeighbourRows& rows, Contact* list)
{
  return segcore::runlists::listNeededContacts<segcore::runlists::Wide>(rows, list);
}
#endif

std::vector<ListContacts> waysToListContacts()
{
  std::vector<ListContacts> ways{
    &segcore::runlists::listNeededContacts<segcore::runlists::Plain<segcore::PortableCount>>
  };
#if defined(SEGCORE_CHOOSES_WIDE)
  if (segcore::useAvx512Bits())
  {
    ways.push_back(&listWide);
  }
#endif
  return ways;
}

Pairs contacts(ListContacts way, const segcore::NeighbourRows& rows)
{
  constexpr std::int32_t guard = -77;
  std::vector<Contact> list(
    static_cast<std::size_t>(segcore::contactListSize(rows.words)) + 1, Contact{ guard, guard });
  const Index count = way(rows, list.data());
  CHECK_EQUAL(list.back().a, guard);
  CHECK_EQUAL(list.back().b, guard);
  Pairs pairs;
  for (Index i = 0; i < count; ++i)
  {
    pairs.push_back({ list[static_cast<std::size_t>(i)].a, list[static_cast<std::size_t>(i)].b });
  }
  return pairs;
}

Index find(std::vector<Index>& parents, Index i)
{
  while (parents[static_cast<std::size_t>(i)] != i)
  {
    i = parents[static_cast<std::size_t>(i)];
  }
  return i;
}

/// Islands of four rows: (y - 1, z - 1), (y, z - 1), (y - 1, z), (y, z), by lists of pairs of each
/// two rows. Numbers of roots, per run.
std::vector<Index> islands(
  const std::array<Row, 4>& rows, const std::vector<std::pair<std::array<int, 2>, Pairs>>& lists)
{
  std::array<Index, 5> first{};
  for (std::size_t r = 0; r < 4; ++r)
  {
    first[r + 1] = first[r] + static_cast<Index>(runsOf(rows[r]).size());
  }
  std::vector<Index> parents(static_cast<std::size_t>(first[4]));
  for (std::size_t i = 0; i < parents.size(); ++i)
  {
    parents[i] = static_cast<Index>(i);
  }
  for (const auto& [two, pairs] : lists)
  {
    for (const auto& [a, b] : pairs)
    {
      const Index rootA = find(parents, first[static_cast<std::size_t>(two[0])] + a);
      const Index rootB = find(parents, first[static_cast<std::size_t>(two[1])] + b);
      parents[static_cast<std::size_t>(std::max(rootA, rootB))] = std::min(rootA, rootB);
    }
  }
  std::vector<Index> roots;
  for (std::size_t i = 0; i < parents.size(); ++i)
  {
    roots.push_back(find(parents, static_cast<Index>(i)));
  }
  return roots;
}

void testContacts(check::Random& random, Index words)
{
  std::array<Row, 4> rows;
  for (Row& row : rows)
  {
    row = randomRow(random, words);
  }
  // Rows that have much in common, as those of a real object.
  if (random.below(2))
  {
    for (std::size_t w = 0; w < rows[0].size(); ++w)
    {
      rows[1][w] |= rows[0][w];
      rows[3][w] |= rows[2][w] & rows[1][w];
    }
  }
  for (const bool diagonal : { false, true })
  {
    // All contacts of rows next to each other.
    const auto all = [&](std::size_t a, std::size_t b)
    {
      Pairs pairs;
      segcore::forEachContact(rows[a].data(), rows[b].data(), words, diagonal,
        [&](Index i, Index j) { pairs.push_back({ i, j }); });
      return pairs;
    };
    std::vector<std::pair<std::array<int, 2>, Pairs>> lists{
      { { 1, 0 }, all(1, 0) },
      { { 2, 0 }, all(2, 0) },
      { { 3, 2 }, all(3, 2) },
    };
    std::vector<std::pair<std::array<int, 2>, Pairs>> complete = lists;
    complete.push_back({ { 3, 1 }, all(3, 1) });
    const std::vector<Index> expected = islands(rows, complete);
    const segcore::NeighbourRows inZ{ rows[3].data(), rows[1].data(), rows[2].data(),
      rows[0].data(), words, diagonal };
    const segcore::NeighbourRows inY{ rows[3].data(), rows[2].data(), nullptr, nullptr, words,
      diagonal };
    const segcore::NeighbourRows beside{ rows[3].data(), rows[0].data(), nullptr, rows[1].data(),
      words, diagonal };
    Pairs first;
    Pairs firstBeside;
    for (const ListContacts way : waysToListContacts())
    {
      CHECK(contacts(way, inY) == all(3, 2));
      const Pairs needed = contacts(way, inZ);
      lists.push_back({ { 3, 1 }, needed });
      CHECK(islands(rows, lists) == expected);
      lists.pop_back();
      const Pairs neededBeside = contacts(way, beside);
      if (first.empty())
      {
        first = needed;
        firstBeside = neededBeside;
      }
      CHECK(needed == first); // all ways list the same
      CHECK(neededBeside == firstBeside);
    }
  }
}

} // namespace

int TestRunLists(int, char*[])
{
  for (std::uint64_t seed = 1; seed <= 600; ++seed)
  {
    check::setContext("seed ", seed);
    check::Random random(seed);
    const Index words = random.between(1, 9);
    testRuns(randomRow(random, words));
    testContacts(random, words);
    testExpanding(random, randomRow(random, words), random.between(64 * words - 63, 64 * words));
  }
  check::setContext("as many runs as there can be");
  check::Random random(601);
  for (const Index words : { 1, 2, 5 })
  {
    for (const Word word :
      { Word{ 0x5555555555555555 }, Word{ 0xaaaaaaaaaaaaaaaa }, ~Word{ 0 }, Word{ 0 } })
    {
      testRuns(Row(static_cast<std::size_t>(words), word));
      testExpanding(random, Row(static_cast<std::size_t>(words), word), 64 * words);
    }
    const Row row(static_cast<std::size_t>(words), 0x5555555555555555u);
    for (const ListContacts way : waysToListContacts())
    {
      const Pairs pairs = contacts(way, { row.data(), row.data(), nullptr, nullptr, words, false });
      CHECK_EQUAL(static_cast<Index>(pairs.size()), 32 * words);
      CHECK_EQUAL(pairs.back().first, 32 * words - 1);
      CHECK_EQUAL(pairs.back().second, 32 * words - 1);
    }
  }
  return check::result();
}
