// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Layers of labels, against one voxel at a time.
#include "LabelLayers.h"

#include "Check.h"
#include "Volumes.h"

#include <limits>
#include <map>

using segcore::BitBlock;
using segcore::Box;
using segcore::Index;

namespace
{

Box makeBox(Index x0, Index x1, Index y0, Index y1, Index z0, Index z1)
{
  const int extent[6] = { static_cast<int>(x0), static_cast<int>(x1), static_cast<int>(y0),
    static_cast<int>(y1), static_cast<int>(z0), static_cast<int>(z1) };
  return Box::fromExtent(extent);
}

template <class Body>
void forVoxels(const Box& box, const Body& body)
{
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      for (Index x = box.lo[0]; x <= box.hi[0]; ++x)
      {
        body(x, y, z);
      }
    }
  }
}

template <class T>
void Merge(const char* name)
{
  const Box first = makeBox(-3, 66, 0, 4, 2, 5);
  const Box second = makeBox(10, 140, -2, 3, 0, 4);
  const Box block = makeBox(-10, 130, -1, 5, 1, 6);
  check::Random random(7);
  const auto pick = [&random](Index, Index, Index) { return static_cast<T>(random.below(6)); };
  const std::vector<T> a = volumes::make<T>(first, pick);
  const std::vector<T> b = volumes::make<T>(second, pick);
  segcore::RankTable ranksA;
  segcore::RankTable ranksB;
  ranksA.set(2, 0);
  ranksA.set(3, 3);
  ranksA.set(3, 1); // the highest counts
  ranksB.set(1, 2);
  ranksB.set(2, 4);
  ranksB.set(1000000, 5); // fits no voxel of a narrow type
  const std::vector<int> values{ 70, -5, 40000, 9, 11, 99 };
  for (const int threads : { 1, 3 })
  {
    check::setContext(name, " threads ", threads);
    std::vector<int> merged(static_cast<std::size_t>(block.size()), 123);
    check::withThreads(threads,
      [&]()
      {
        segcore::mergeLayers({ segcore::makeRankedLayer(a.data(), first, ranksA),
                               segcore::makeRankedLayer(b.data(), second, ranksB) },
          values, merged.data(), block);
      });
    forVoxels(block,
      [&](Index x, Index y, Index z)
      {
        int rank = -1;
        if (first.contains(x, y, z))
        {
          const T value = a[static_cast<std::size_t>(first.offset(x, y, z))];
          rank = value == T(2) ? 0 : value == T(3) ? 3 : -1;
        }
        if (second.contains(x, y, z))
        {
          const T value = b[static_cast<std::size_t>(second.offset(x, y, z))];
          rank = std::max(rank, value == T(1) ? 2 : value == T(2) ? 4 : -1);
        }
        const int expected = rank < 0 ? 0 : values[static_cast<std::size_t>(rank)];
        CHECK_EQUAL(merged[static_cast<std::size_t>(block.offset(x, y, z))], expected);
      });
  }
}

void Pack()
{
  const Box stored = makeBox(-5, 150, 3, 8, -1, 3);
  const Box canvas = makeBox(-20, 200, 0, 9, -1, 5);
  check::Random random(3);
  const std::vector<short> labels = volumes::make<short>(
    stored, [&random](Index, Index, Index) { return static_cast<short>(random.below(40)); });
  for (const Box& box :
    { makeBox(-5, 150, 3, 8, -1, 3), makeBox(44, 44, 5, 5, 0, 0), makeBox(43, 107, 4, 8, 1, 3) })
  {
    const auto labelBits = [&](short label)
    {
      return segcore::packBlock(labels.data(), stored, box, canvas.lo[0],
        [label](short value) { return segcore::isLabel(value, label); });
    };
    segcore::TakenVoxels taken(canvas);
    const BitBlock one = labelBits(1);
    CHECK(!taken.meets(one));
    taken.take(one);
    const bool any =
      std::any_of(one.words.begin(), one.words.end(), [](segcore::Word word) { return word != 0; });
    CHECK_EQUAL(taken.meets(one), any);
    CHECK(!taken.meets(labelBits(2))); // other voxels
    std::vector<unsigned short> written(static_cast<std::size_t>(canvas.size()), 5);
    segcore::writeBlock<unsigned short>(written.data(), canvas, one, 60000);
    forVoxels(canvas,
      [&](Index x, Index y, Index z)
      {
        const bool is =
          box.contains(x, y, z) && labels[static_cast<std::size_t>(stored.offset(x, y, z))] == 1;
        CHECK_EQUAL(written[static_cast<std::size_t>(canvas.offset(x, y, z))], is ? 60000 : 5);
      });
  }
  CHECK(
    segcore::packBlock(labels.data(), stored, Box(), 0, [](short) { return true; }).words.empty());
  CHECK_THROWS(segcore::packBlock(labels.data(), stored, canvas, -20, [](short) { return true; }),
    std::invalid_argument);
  BitBlock outside;
  outside.box = makeBox(0, 300, 0, 0, 0, 0);
  CHECK_THROWS(segcore::TakenVoxels(canvas).meets(outside), std::invalid_argument);
  CHECK_THROWS(segcore::writeBlock<short>(nullptr, canvas, outside, 1), std::invalid_argument);
}

void Labels()
{
  Index label = -1;
  CHECK(segcore::toLabel(2.0f, label) && label == 2);
  CHECK(!segcore::toLabel(2.5, label) && !segcore::toLabel(1e300, label));
  CHECK(!segcore::toLabel(std::numeric_limits<double>::quiet_NaN(), label));
  CHECK(!segcore::isLabel(static_cast<unsigned char>(44), 300));
  CHECK(segcore::isLabel(std::numeric_limits<unsigned int>::max(), 4294967295));
}

} // namespace

int TestLabelLayers(int, char*[])
{
  Merge<unsigned char>("unsigned char");
  Merge<short>("short");
  Merge<unsigned int>("unsigned int");
  Merge<float>("float");
  Pack();
  Labels();
  return check::result();
}
