// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Edits of one block against a loop over a plain array.

#include "BlockEdit.h"

#include "Check.h"

#include <algorithm>
#include <map>
#include <set>

using namespace segcore;

namespace
{

using Dense = std::vector<Label>;
using Codes = std::vector<std::uint8_t>;
using Counts = std::map<Label, std::int64_t>;

constexpr Label tops[] = { 3, 255, 65535, (Label{ 1 } << 32) - 1, (Label{ 1 } << 63) - 1 };

/// A block of these values, no wider than they need.
LabelBlock blockOf(const Dense& values)
{
  const Label largest = *std::max_element(values.begin(), values.end());
  auto voxels =
    std::make_shared<BlockVoxels>(static_cast<Index>(values.size()), labelWidth(largest));
  withLabelType(voxels->width(), voxels->data(),
    [&](auto* out)
    {
      using T = std::decay_t<decltype(*out)>;
      std::transform(
        values.begin(), values.end(), out, [](Label label) { return static_cast<T>(label); });
    });
  return LabelBlock::of(std::move(voxels));
}

Dense valuesOf(const LabelBlock& block, Index count)
{
  Dense values;
  for (Index i = 0; i < count; ++i)
  {
    values.push_back(block.at(i));
  }
  return values;
}

Counts countsOf(const LabelChanges& changes)
{
  Counts counts;
  for (const LabelChanges::Change& change : changes.changes())
  {
    CHECK(change.label != 0);
    CHECK(counts.emplace(change.label, change.voxels).second); // no label twice
  }
  return counts;
}

/// What changed, by comparing; labels that lost as many voxels as they gained are in it with 0.
Counts truthOf(const Dense& before, const Dense& after)
{
  Counts counts;
  for (std::size_t i = 0; i < before.size(); ++i)
  {
    if (before[i] != after[i])
    {
      counts[before[i]] -= 1;
      counts[after[i]] += 1;
    }
  }
  counts.erase(0);
  return counts;
}

void checkBlock(const LabelBlock& old, const Dense& before, const LabelBlock& now,
  const Dense& expected, int widest, int line)
{
  const Index count = static_cast<Index>(before.size());
  const Dense got = valuesOf(now, count);
  check::equalRanges(got, expected, count, __FILE__, line, "voxels");
  check::equalRanges(valuesOf(old, count), before, count, __FILE__, line, "the old block's voxels");
  const bool uniform = std::set<Label>(expected.begin(), expected.end()).size() == 1;
  if (uniform != (now.voxels == nullptr))
  {
    check::fail(__FILE__, line, "a block of one value must be stored as one value");
  }
  if (now.isSame(old) != (before == expected))
  {
    check::fail(__FILE__, line, "the block is not shared although, or although not, it is equal");
  }
  if (now.voxels && now.voxels->width() > widest)
  {
    check::fail(__FILE__, line, "the block is wider than it has to be");
  }
}

struct Sample
{
  Box held;
  Box part;
  Dense before;
  Codes codes;
  Label label = 0;
  std::vector<Label> listed;
};

Sample sample(std::uint64_t seed)
{
  check::Random random(seed);
  Sample s;
  for (int a = 0; a < 3; ++a)
  {
    s.held.lo[a] = random.between(-20, 20);
    // Every 50th is as large as blocks are: other loops run there.
    s.held.hi[a] =
      s.held.lo[a] + (seed % 50 == 0 ? random.between(19, 33) : random.below(a == 0 ? 21 : 6));
    const Index p = random.between(s.held.lo[a], s.held.hi[a]);
    const Index q = random.between(s.held.lo[a], s.held.hi[a]);
    const bool all = random.below(3) == 0;
    s.part.lo[a] = all ? s.held.lo[a] : std::min(p, q);
    s.part.hi[a] = all ? s.held.hi[a] : std::max(p, q);
  }
  // Few labels in most blocks, many in some.
  const Index others = seed % 100 == 50 ? 12 : 4;
  const auto anyLabel = [&]
  {
    const Label top = tops[random.below(seed % 3 == 0 ? 5 : 2)];
    return random.below(3) ? static_cast<Label>(random.below(others)) : top;
  };
  const bool uniform = random.below(3) == 0;
  const Label all = anyLabel();
  for (Index i = 0; i < s.held.size(); ++i)
  {
    s.before.push_back(uniform ? all : anyLabel());
  }
  const int kind = static_cast<int>(random.below(4));
  const auto code = static_cast<std::uint8_t>(random.below(4));
  for (Index i = 0; i < s.part.size(); ++i)
  {
    // The same everywhere; sparse; dense; all but the first voxel.
    s.codes.push_back(kind == 0 ? code
        : kind == 1             ? (random.below(25) ? std::uint8_t{ KeepVoxel } : code)
        : kind == 2             ? static_cast<std::uint8_t>(random.below(4))
                                : (i ? code : std::uint8_t{ KeepVoxel }));
  }
  do
  {
    s.label = anyLabel();
  } while (s.label == 0);
  for (Index i = random.below(4); i > 0; --i)
  {
    s.listed.push_back(anyLabel());
  }
  return s;
}

/// after = change(before, code) for the voxels of the part.
template <class Change>
Dense edited(const Sample& s, const Change& change)
{
  Dense result(s.before);
  for (Index k = s.part.lo[2]; k <= s.part.hi[2]; ++k)
  {
    for (Index j = s.part.lo[1]; j <= s.part.hi[1]; ++j)
    {
      for (Index i = s.part.lo[0]; i <= s.part.hi[0]; ++i)
      {
        Label& value = result[static_cast<std::size_t>(s.held.offset(i, j, k))];
        value = change(value, s.codes[static_cast<std::size_t>(s.part.offset(i, j, k))]);
      }
    }
  }
  return result;
}

void testRandomEdits()
{
  for (std::uint64_t seed = 0; seed < 3000; ++seed)
  {
    check::setContext("seed ", seed);
    const Sample s = sample(seed);
    const LabelBlock old = blockOf(s.before);
    const int width = old.voxels ? old.voxels->width() : labelWidth(old.value);

    const Dense own = edited(s,
      [&](Label value, std::uint8_t code)
      {
        return code == WriteVoxel ? s.label
          : code == ClearVoxel    ? 0
          : code == EraseVoxel    ? (value == s.label ? 0 : value)
                                  : value;
      });
    LabelChanges counts;
    LabelBlock now = editBlock(old, s.held, s.part, s.codes.data(), s.label, &counts);
    checkBlock(old, s.before, now, own, std::max(width, labelWidth(s.label)), __LINE__);
    CHECK(countsOf(counts) == truthOf(s.before, own));
    CHECK(
      editBlock(old, s.held, s.part, s.codes.data(), s.label, nullptr).isSame(now) || now.voxels);

    for (const bool all : { false, true })
    {
      const LabelSet set = all ? LabelSet::all() : LabelSet::of(s.listed);
      const auto has = [&](Label value)
      {
        return value != 0 &&
          (all || std::find(s.listed.begin(), s.listed.end(), value) != s.listed.end());
      };
      for (const Label label : tops)
      {
        CHECK_EQUAL(set.has(label), has(label));
      }
      CHECK(!set.has(0));
      CHECK_EQUAL(set.isAll(), all);
      CHECK_EQUAL(set.empty(), !all && std::none_of(s.listed.begin(), s.listed.end(), has));
      CHECK_EQUAL(set.meets(old), std::any_of(s.before.begin(), s.before.end(), has));

      const Dense others = edited(s, [&](Label value, std::uint8_t code)
        { return code == ClearVoxel || (code == WriteVoxel && has(value)) ? 0 : value; });
      LabelChanges lost;
      now = overwriteBlock(old, s.held, s.part, s.codes.data(), set, &lost);
      checkBlock(old, s.before, now, others, width, __LINE__);
      CHECK(countsOf(lost) == truthOf(s.before, others));

      bool conflict = false;
      edited(s,
        [&](Label value, std::uint8_t code)
        {
          conflict =
            conflict || (code == WriteVoxel && value != 0 && value != s.label && !has(value));
          return value;
        });
      CHECK_EQUAL(hasConflict(old, s.held, s.part, s.codes.data(), s.label, set), conflict);

      Codes marks(s.codes.size());
      for (std::size_t i = 0; i < marks.size(); ++i)
      {
        marks[i] = i % 7 == 0 ? 1 : 0;
      }
      Codes expected(marks);
      Index at = 0;
      for (Index k = s.part.lo[2]; k <= s.part.hi[2]; ++k)
      {
        for (Index j = s.part.lo[1]; j <= s.part.hi[1]; ++j)
        {
          for (Index i = s.part.lo[0]; i <= s.part.hi[0]; ++i, ++at)
          {
            if (has(s.before[static_cast<std::size_t>(s.held.offset(i, j, k))]))
            {
              expected[static_cast<std::size_t>(at)] = 1;
            }
          }
        }
      }
      markLabels(old, s.held, s.part, set, marks.data());
      CHECK_RANGES(marks, expected, s.part.size());
    }
  }
  check::setContext("");
}

/// A segment that moves loses as many voxels as it gains: it changed, though its size did not.
void testChangesThatCancelOut()
{
  const Dense before{ 0, 7, 0, 9 };
  const Box box = Box::ofSize(4, 1, 1);
  const Codes codes{ WriteVoxel, EraseVoxel, KeepVoxel, KeepVoxel };
  LabelChanges block, all;
  editBlock(blockOf(before), box, box, codes.data(), 7, &block);
  all.add(block);
  CHECK(countsOf(all) == (Counts{ { 7, 0 } }));
  // What never changed is not listed.
  LabelChanges none;
  none.add(5, 0);
  none.add(0, 3);
  CHECK(none.changes().empty());
  none.add(5, 3);
  none.add(6, 1);
  none.add(5, -3);
  all.add(none);
  CHECK(countsOf(all) == (Counts{ { 5, 0 }, { 6, 1 }, { 7, 0 } }));
}

} // namespace

int TestBlockEdit(int, char*[])
{
  testRandomEdits();
  testChangesThatCancelOut();
  return check::result();
}
