// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A layer in blocks against a plain array of the same voxels.

#include "LabelBlocks.h"

#include "Check.h"
#include "Volumes.h"

#include <limits>
#include <set>
#include <stdexcept>

using segcore::BlockVoxels;
using segcore::Box;
using segcore::Index;
using segcore::Label;
using segcore::LabelBlock;
using segcore::LabelBlocks;
using segcore::labelWidth;

namespace
{

using Dense = std::vector<Label>;

Box boxOf(Index x0, Index x1, Index y0, Index y1, Index z0, Index z1)
{
  Box box;
  const Index ends[6] = { x0, x1, y0, y1, z0, z1 };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] = ends[2 * a];
    box.hi[a] = ends[2 * a + 1];
  }
  return box;
}

Box randomBox(check::Random& random, const Box& within)
{
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    const Index p = random.between(within.lo[a], within.hi[a]);
    const Index q = random.between(within.lo[a], within.hi[a]);
    box.lo[a] = std::min(p, q);
    box.hi[a] = std::max(p, q);
  }
  return box;
}

template <class Work>
void forVoxels(const Box& box, const Work& work)
{
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
      {
        work(i, j, k);
      }
    }
  }
}

/// Writes `label` to every voxel of `part`, block by block, as an edit does.
void fill(LabelBlocks& blocks, const Box& part, Label label)
{
  blocks.forEachIn(part,
    [&](Index key, const Box& box)
    {
      auto voxels = blocks.get(key).copy(box.size(), labelWidth(label));
      segcore::withLabelType(voxels->width(), voxels->data(),
        [&](auto* values)
        {
          using T = std::decay_t<decltype(*values)>;
          forVoxels(box.clipped(part), [&](Index i, Index j, Index k)
            { values[box.offset(i, j, k)] = static_cast<T>(label); });
        });
      blocks.replace(key, LabelBlock::of(std::move(voxels)));
    });
}

/// `dense` holds the world; voxels that are not held are not looked at.
void compare(const LabelBlocks& blocks, const Dense& dense, check::Random& random)
{
  const Box& world = blocks.world();
  const Box& held = blocks.held();
  const auto truth = [&](Index i, Index j, Index k)
  { return dense[static_cast<std::size_t>(world.offset(i, j, k))]; };

  Label largest = 0;
  std::set<Label> labels{ 77 }; // one that may be nowhere
  forVoxels(held,
    [&](Index i, Index j, Index k)
    {
      labels.insert(truth(i, j, k));
      largest = std::max(largest, truth(i, j, k));
    });
  CHECK_EQUAL(blocks.largest(), largest);

  // Block by block: what is stored, in how many bytes, and which labels it knows of.
  std::size_t bytes = 0;
  std::vector<Index> stored, all;
  blocks.forEachIn(held,
    [&](Index key, const Box& box)
    {
      all.push_back(key);
      CHECK(held.contains(box) && !box.empty());
      CHECK(blocks.box(key) == box);
      std::set<Label> inside;
      forVoxels(box,
        [&](Index i, Index j, Index k)
        {
          CHECK_EQUAL(blocks.key(i, j, k), key);
          CHECK_EQUAL(blocks.at(i, j, k), truth(i, j, k));
          inside.insert(truth(i, j, k));
        });
      const LabelBlock& block = blocks.get(key);
      std::vector<Label> known;
      block.forEachLabel([&](Label label) { known.push_back(label); });
      CHECK(known == std::vector<Label>(inside.begin(), inside.end()));
      for (const Label label : { Label{ 0 }, Label{ 7 }, Label{ 255 }, *inside.begin() })
      {
        CHECK_EQUAL(block.contains(label), inside.count(label) == 1);
      }
      CHECK_EQUAL(block.voxels == nullptr, inside.size() == 1);
      if (block.voxels)
      {
        CHECK_EQUAL(block.voxels->count(), box.size());
        CHECK(block.voxels->width() >= labelWidth(*inside.rbegin()));
      }
      bytes += block.voxels ? static_cast<std::size_t>(box.size()) * block.voxels->width()
                            : std::size_t{ 0 };
      if (inside != std::set<Label>{ 0 })
      {
        stored.push_back(key);
      }
    });
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK_EQUAL(blocks.bytes(), bytes);
  CHECK_EQUAL(blocks.storedCount(), stored.size());
  CHECK(blocks.stored() == stored);

  // Regions, some of them beyond what is held.
  for (int n = 0; n < 4; ++n)
  {
    const Box region = randomBox(random, n == 3 ? world.grown(5) : held);
    std::vector<Index> in, visited;
    for (const Index key : stored)
    {
      if (!blocks.box(key).clipped(region).empty())
      {
        in.push_back(key);
      }
    }
    CHECK(blocks.stored(region) == in);
    in.clear();
    for (const Index key : all)
    {
      if (!blocks.box(key).clipped(region).empty())
      {
        in.push_back(key);
      }
    }
    blocks.forEachIn(region, [&](Index key, const Box&) { visited.push_back(key); });
    CHECK(visited == in);

    const Box part = region.clipped(held);
    if (part.empty())
    {
      continue;
    }
    const Box array = part.grown(n % 2);
    Dense copy(static_cast<std::size_t>(array.size()), 12345);
    Dense expected(copy);
    std::vector<std::uint8_t> mask(copy.size(), 9), expectedMask(mask);
    auto wanted = labels.begin();
    std::advance(wanted, random.below(static_cast<std::int64_t>(labels.size())));
    forVoxels(part,
      [&](Index i, Index j, Index k)
      {
        const auto at = static_cast<std::size_t>(array.offset(i, j, k));
        expected[at] = truth(i, j, k);
        expectedMask[at] = truth(i, j, k) == *wanted ? 1 : 0;
      });
    blocks.copyTo(part, copy.data(), array);
    CHECK_RANGES(copy, expected, array.size());
    blocks.maskOf(*wanted, part, mask.data(), array);
    CHECK_RANGES(mask, expectedMask, array.size());
    if (largest <= 0xffff)
    {
      std::vector<std::uint16_t> narrow(copy.size(), 12345);
      blocks.copyTo(part, narrow.data(), array);
      CHECK_RANGES(narrow, expected, array.size());
    }
  }
  for (const Label label : labels)
  {
    Box bounds;
    forVoxels(held,
      [&](Index i, Index j, Index k)
      {
        if (truth(i, j, k) == label)
        {
          bounds = bounds.unite(boxOf(i, i, j, j, k, k));
        }
      });
    if (label != 0)
    {
      CHECK(blocks.boundsOf(label) == bounds);
    }
  }
}

void testRandomEdits()
{
  const Box world = boxOf(-13, 9, 5, 21, -4, 14);
  const Box helds[] = { world, boxOf(-7, 3, 6, 6, -4, 9), boxOf(-13, -13, 5, 5, -4, -4),
    boxOf(0, 9, 10, 21, 2, 14) };
  // One more byte each time the seed says so.
  const Label wide[] = { 1, 7, 255, 256, 65535, 65536, (Label{ 1 } << 32) - 1, Label{ 1 } << 32,
    (Label{ 1 } << 63) - 1 };
  for (const int edge : { 1, 3, 8, 32 })
  {
    for (std::uint64_t seed = 0; seed < 4; ++seed)
    {
      check::Random random(seed + 100 * static_cast<std::uint64_t>(edge));
      LabelBlocks blocks(world, helds[seed], edge);
      Dense dense(static_cast<std::size_t>(world.size()), 0);
      for (int step = 0; step < 12; ++step)
      {
        check::setContext("edge ", edge, " seed ", seed, " step ", step);
        const Box part = step % 5 == 4 ? blocks.held() : randomBox(random, blocks.held());
        const Label label = random.below(4) == 0 ? 0 : wide[random.below(std::min(9, 2 + step))];
        fill(blocks, part, label);
        forVoxels(part, [&](Index i, Index j, Index k)
          { dense[static_cast<std::size_t>(world.offset(i, j, k))] = label; });
        compare(blocks, dense, random);
      }
      // All background again: nothing is left.
      fill(blocks, world, 0);
      CHECK_EQUAL(blocks.storedCount(), std::size_t{ 0 });
      CHECK_EQUAL(blocks.bytes(), std::size_t{ 0 });
      CHECK_EQUAL(blocks.largest(), Label{ 0 });
    }
  }
  check::setContext("");
}

/// A block that is replaced lives on in the hands of who has it; putting it back is exact.
void testReplaceGivesTheOldBlock()
{
  LabelBlocks blocks(Box::ofSize(16, 16, 16), Box::ofSize(16, 16, 16), 8);
  fill(blocks, boxOf(0, 3, 0, 3, 0, 3), 300);
  const LabelBlock before = blocks.get(0);
  CHECK_EQUAL(before.voxels->width(), 2);
  fill(blocks, boxOf(0, 7, 0, 7, 0, 7), 70000);
  CHECK_EQUAL(blocks.bytes(), std::size_t{ 0 });
  CHECK_EQUAL(blocks.at(5, 5, 5), Label{ 70000 });
  const LabelBlock now = blocks.replace(0, before);
  CHECK_EQUAL(now.value, Label{ 70000 });
  CHECK(blocks.get(0).isSame(before) && !before.isSame(now));
  CHECK_EQUAL(blocks.bytes(), std::size_t{ 2 * 512 });
  CHECK_EQUAL(blocks.at(3, 3, 3), Label{ 300 });
  CHECK_EQUAL(blocks.at(4, 3, 3), Label{ 0 });
  // Background in place of background, twice.
  CHECK(blocks.replace(3, LabelBlock()).isSame(LabelBlock()));
  CHECK_EQUAL(blocks.storedCount(), std::size_t{ 1 });
  CHECK(blocks.replace(0, LabelBlock()).isSame(before));
  CHECK_EQUAL(blocks.storedCount(), std::size_t{ 0 });
  CHECK_EQUAL(blocks.bytes(), std::size_t{ 0 });
}

/// One value stays one value for every width, a different last voxel is noticed.
void testUniform()
{
  for (const int width : { 1, 2, 4, 8 })
  {
    for (const Index count : { 1, 2, 27 })
    {
      check::setContext("width ", width, " count ", count);
      const auto make = [&](Label first, Label last)
      {
        auto voxels = std::make_shared<BlockVoxels>(count, width);
        segcore::withLabelType(width, voxels->data(),
          [&](auto* values)
          {
            using T = std::decay_t<decltype(*values)>;
            std::fill_n(values, count, static_cast<T>(first));
            values[count - 1] = static_cast<T>(last);
          });
        return LabelBlock::of(voxels);
      };
      const Label high = width == 8 ? (Label{ 1 } << 63) - 1 : (Label{ 1 } << (8 * width)) - 1;
      CHECK(!make(high, high).voxels);
      CHECK_EQUAL(make(high, high).value, high);
      CHECK_EQUAL(make(high, high - 1).voxels != nullptr, count > 1);
      CHECK_EQUAL(make(high, high - 1).at(count - 1), high - 1);
    }
  }
  check::setContext("");
}

void testThreadsFindTheLabels()
{
  auto voxels = std::make_shared<BlockVoxels>(32 * 32 * 32, 4);
  check::Random random(4);
  auto* values = reinterpret_cast<std::uint32_t*>(voxels->data());
  std::set<Label> truth;
  for (Index i = 0; i < voxels->count(); ++i)
  {
    values[i] = static_cast<std::uint32_t>(random.below(20000));
    truth.insert(values[i]);
  }
  const std::vector<Label> expected(truth.begin(), truth.end());
  std::atomic<int> wrong{ 0 };
  check::withThreads(4,
    [&]
    {
      vtkSMPTools::For(0, 64, 1,
        [&](vtkIdType begin, vtkIdType end)
        {
          for (; begin < end; ++begin)
          {
            wrong += voxels->labels() != expected;
          }
        });
    });
  CHECK_EQUAL(wrong.load(), 0);
}

/// A world that no memory holds.
void testSparse()
{
  const Index far = Index{ 1 } << 20;
  const Box world = boxOf(-far, far - 1, -far, far - 1, -far, far - 1);
  LabelBlocks blocks(world, world, 32);
  fill(blocks, boxOf(-3, 2, -3, 2, -3, 2), 5);
  fill(blocks, boxOf(far - 2, far - 1, far - 2, far - 1, far - 2, far - 1), 300);
  fill(blocks, boxOf(-far, -far, -far, -far, -far, -far), 5);
  CHECK_EQUAL(blocks.storedCount(), std::size_t{ 10 });
  CHECK_EQUAL(blocks.bytes(), std::size_t{ 11 } << 15);
  CHECK_EQUAL(blocks.at(2, -3, 0), Label{ 5 });
  CHECK_EQUAL(blocks.at(3, -3, 0), Label{ 0 });
  CHECK_EQUAL(blocks.at(far - 1, far - 1, far - 2), Label{ 300 });
  CHECK(blocks.boundsOf(5) == boxOf(-far, 2, -far, 2, -far, 2));
  CHECK_EQUAL(blocks.stored(boxOf(-10, -1, 0, 10, 0, 10)).size(), std::size_t{ 1 });
  // More blocks in the region than are stored anywhere.
  CHECK(blocks.stored(world) == blocks.stored());
}

void testErrors()
{
  const Box world = Box::ofSize(4, 4, 4);
  for (const int edge : { 0, -1, 257, std::numeric_limits<int>::max() })
  {
    CHECK_THROWS(LabelBlocks(world, world, edge), std::invalid_argument);
  }
  const Index far = Index{ 1 } << 28;
  const Box huge = Box::ofSize(far, far, far);
  CHECK_THROWS(LabelBlocks(huge, world, 1), std::invalid_argument);
  CHECK_EQUAL(LabelBlocks(huge, world, 256).held().size(), Index{ 64 });
  // A rank without voxels.
  LabelBlocks none(world, Box(), 3);
  CHECK(none.stored().empty() && none.stored(world).empty() && none.boundsOf(1).empty());
  none.forEachIn(world, [](Index, const Box&) { CHECK(false); });
  CHECK_EQUAL(none.largest(), Label{ 0 });
}

} // namespace

int TestLabelBlocks(int, char*[])
{
  testRandomEdits();
  testReplaceGivesTheOldBlock();
  testUniform();
  testThreadsFindTheLabels();
  testSparse();
  testErrors();
  return check::result();
}
