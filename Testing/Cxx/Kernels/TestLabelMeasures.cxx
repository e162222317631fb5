// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// What is counted of labels: sums, boxes, outlines, cells, intensities, for any blocks and threads.
// Truth: loops over voxels, and sorted values.

#include "LabelCells.h"
#include "LabelIntensity.h"
#include "LabelShape.h"

#include "Check.h"
#include "Volumes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace
{
using segcore::Box;
using segcore::Index;
using segcore::LabelCell;
using segcore::LabelShape;
using segcore::Wide;

Box testBox()
{
  Box box = Box::ofSize(70, 11, 9);
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += 3 * a - 5;
    box.hi[a] += 3 * a - 5;
  }
  return box;
}

template <class T>
std::vector<T> testLabels(const Box& box, std::uint64_t seed)
{
  check::Random random(seed);
  T last = 0;
  std::vector<T> labels(static_cast<std::size_t>(box.size()));
  for (T& label : labels)
  {
    if (random.below(4) == 0) // runs
    {
      last = static_cast<T>(random.below(5) * 25);
    }
    label = last;
  }
  return labels;
}

void testWide()
{
  check::setContext("128 bits");
  const Wide big = Wide(Index{ 1 } << 62) * Wide(Index{ -12 });
  CHECK(big.negative());
  CHECK_EQUAL(big.toDouble(), -12.0 * std::ldexp(1.0, 62));
  CHECK(big - big == Wide());
  CHECK(Wide(-3) * Wide(-7) == Wide(21));
  CHECK(
    Wide::product(~std::uint64_t{ 0 }, ~std::uint64_t{ 0 }) == Wide(~std::uint64_t{ 0 } - 1, 1));
  CHECK(Wide(5) + Wide(-6) == Wide(-1));
}

/// Adds one voxel, counted from the first one of the image, to what a slow loop finds.
void addVoxel(LabelShape& shape, const Index at[3])
{
  ++shape.voxels;
  Box voxel;
  for (int a = 0; a < 3; ++a)
  {
    voxel.lo[a] = voxel.hi[a] = at[a];
    shape.first[a] += at[a];
    shape.second[a] += at[a] * at[a];
  }
  shape.second[3] += at[0] * at[1];
  shape.second[4] += at[0] * at[2];
  shape.second[5] += at[1] * at[2];
  shape.box = shape.box.unite(voxel);
  if (shape.outline.empty() || shape.outline.back().slice != at[2])
  {
    shape.outline.push_back({ at[2], {} });
  }
  for (Index c = 0; c < 4; ++c)
  {
    shape.outline.back().corners.push_back(
      { static_cast<std::int32_t>(at[0] + c % 2), static_cast<std::int32_t>(at[1] + c / 2) });
  }
}

template <class T>
void testShapes(const char* name)
{
  const Box whole = testBox();
  for (const std::uint64_t seed : { 1u, 2u })
  {
    const auto labels = testLabels<T>(whole, seed);
    std::map<Index, LabelShape> slow;
    for (Index z = whole.lo[2]; z <= whole.hi[2]; ++z)
    {
      for (Index y = whole.lo[1]; y <= whole.hi[1]; ++y)
      {
        for (Index x = whole.lo[0]; x <= whole.hi[0]; ++x)
        {
          const T label = labels[static_cast<std::size_t>(whole.offset(x, y, z))];
          if (label != 0)
          {
            const Index at[3] = { x - whole.lo[0], y - whole.lo[1], z - whole.lo[2] };
            addVoxel(slow[static_cast<Index>(label)], at);
          }
        }
      }
    }
    for (const int threads : { 1, 2 })
    {
      for (const int blocks : { 1, 3, 8 })
      {
        check::setContext(name, " seed ", seed, " threads ", threads, " blocks ", blocks);
        check::Random random(seed);
        std::vector<LabelShape> shapes;
        check::withThreads(threads,
          [&]()
          {
            for (const Box& block : volumes::split(whole, blocks, &random))
            {
              segcore::mergeShapes(
                shapes, segcore::measureShapes(labels.data(), whole, block, whole, true));
            }
          });
        CHECK_EQUAL(shapes.size(), slow.size());
        std::size_t i = 0;
        for (auto& [label, expected] : slow)
        {
          if (i == shapes.size())
          {
            break;
          }
          const LabelShape& shape = shapes[i++];
          CHECK_EQUAL(shape.label, label);
          CHECK_EQUAL(shape.voxels, expected.voxels);
          CHECK(shape.box == expected.box);
          CHECK(std::equal(shape.first, shape.first + 3, expected.first));
          CHECK(std::equal(shape.second, shape.second + 6, expected.second));
          CHECK_EQUAL(shape.outline.size(), expected.outline.size());
          for (std::size_t s = 0; s < std::min(shape.outline.size(), expected.outline.size()); ++s)
          {
            auto corners = expected.outline[s].corners;
            CHECK_EQUAL(shape.outline[s].slice, expected.outline[s].slice);
            CHECK(shape.outline[s].corners == segcore::planeHull(corners));
          }
        }
      }
    }
  }
}

/// Pairs of neighbours in all directions, and Euler numbers: of points, lines, squares and cubes
/// between voxels (6 neighbours), and of the corners, edges, faces and insides of voxels (26).
LabelCell slowCell(const std::vector<std::uint16_t>& labels, const Box& whole, Index label)
{
  const Index steps[13][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 1, 1, 0 }, { 1, -1, 0 },
    { 1, 0, 1 }, { 1, 0, -1 }, { 0, 1, 1 }, { 0, 1, -1 }, { 1, 1, 1 }, { 1, 1, -1 }, { 1, -1, 1 },
    { -1, 1, 1 } };
  const auto inside = [&](Index x, Index y, Index z)
  {
    return whole.contains(x, y, z) &&
      labels[static_cast<std::size_t>(whole.offset(x, y, z))] == label;
  };
  LabelCell cell;
  cell.label = label;
  std::set<std::array<Index, 3>> parts; // doubled coordinates
  Index points = 0, lines = 0, squares = 0, cubes = 0;
  const Box around = whole.grown(1);
  for (Index z = around.lo[2]; z <= around.hi[2]; ++z)
  {
    for (Index y = around.lo[1]; y <= around.hi[1]; ++y)
    {
      for (Index x = around.lo[0]; x <= around.hi[0]; ++x)
      {
        for (int d = 0; d < 13; ++d)
        {
          const Index* s = steps[d];
          cell.cuts[d] += inside(x, y, z) != inside(x + s[0], y + s[1], z + s[2]) ? 1 : 0;
        }
        if (!inside(x, y, z))
        {
          continue;
        }
        for (Index c = 0; c < 27; ++c)
        {
          parts.insert({ 2 * x + c % 3, 2 * y + c / 3 % 3, 2 * z + c / 9 });
        }
        const bool nx = inside(x + 1, y, z), ny = inside(x, y + 1, z), nz = inside(x, y, z + 1);
        const bool xy = nx && ny && inside(x + 1, y + 1, z);
        const bool xz = nx && nz && inside(x + 1, y, z + 1);
        const bool yz = ny && nz && inside(x, y + 1, z + 1);
        points += 1;
        lines += nx + ny + nz;
        squares += xy + xz + yz;
        cubes += xy && xz && yz && inside(x + 1, y + 1, z + 1) ? 1 : 0;
      }
    }
  }
  cell.euler6 = 8 * (points - lines + squares - cubes);
  for (const auto& part : parts)
  {
    cell.euler26 += (part[0] ^ part[1] ^ part[2]) & 1 ? -8 : 8; // corners and faces are even
  }
  return cell;
}

void testCells()
{
  const Box whole = testBox();
  const auto labels = testLabels<std::uint16_t>(whole, 7);
  std::map<Index, LabelCell> slow;
  for (const Index label : std::vector<Index>{ 25, 50, 75, 100 })
  {
    slow[label] = slowCell(labels, whole, label);
  }
  for (const int threads : { 1, 2 })
  {
    for (const int blocks : { 1, 2, 5 })
    {
      check::setContext("cells, threads ", threads, " blocks ", blocks);
      check::Random random(3);
      std::vector<LabelCell> cells;
      check::withThreads(threads,
        [&]()
        {
          for (const Box& block : volumes::split(whole, blocks, &random))
          {
            const auto more = segcore::measureCells(labels.data(), whole, block, whole);
            cells.insert(cells.end(), more.begin(), more.end());
          }
        });
      segcore::sumCells(cells);
      CHECK_EQUAL(cells.size(), slow.size());
      for (const LabelCell& cell : cells)
      {
        const LabelCell& expected = slow[cell.label];
        for (int d = 0; d < 13; ++d)
        {
          // In 4, 2 or 1 cells.
          const Index shared = d < 3 ? 4 : (d < 9 ? 2 : 1);
          CHECK_EQUAL(cell.cuts[d], shared * expected.cuts[d]);
        }
        CHECK_EQUAL(cell.euler6, expected.euler6);
        CHECK_EQUAL(cell.euler26, expected.euler26);
      }
    }
  }
  check::setContext("cells outside");
  CHECK_THROWS(segcore::measureCells(labels.data(), Box::ofSize(1, 1, 1), whole, whole),
    std::invalid_argument);
}

void testWeights()
{
  check::setContext("weights of directions");
  const double cube[3] = { 2.0, 2.0, 2.0 };
  const auto weights = segcore::croftonWeights(cube);
  // Published for cubes, for each of the 3, 6 and 4 directions of a kind and their opposites
  // (Legland et al. 2007).
  const double published[3] = { 0.04577789120476, 0.03698062787608, 0.03519563978232 };
  for (std::size_t d = 0; d < 13; ++d)
  {
    CHECK(std::abs(weights[d] - 2.0 * published[d < 3 ? 0 : (d < 9 ? 1 : 2)]) < 1e-9);
  }
  const double flat[3] = { 0.1, 1.0, 20.0 };
  double sum = 0.0;
  for (const double weight : segcore::croftonWeights(flat))
  {
    CHECK(weight >= 0.0);
    sum += weight;
  }
  CHECK(std::abs(sum - 1.0) < 1e-12);
}

/// Finite values of each wanted label, ascending.
template <class T, class V>
std::vector<std::vector<V>> sortedValues(
  const std::vector<T>& labels, const std::vector<V>& values, const std::vector<Index>& wanted)
{
  std::vector<std::vector<V>> sorted(wanted.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    for (std::size_t l = 0; l < wanted.size(); ++l)
    {
      if (static_cast<Index>(labels[i]) == wanted[l] &&
        std::isfinite(static_cast<long double>(values[i])))
      {
        sorted[l].push_back(values[i]);
      }
    }
  }
  for (auto& own : sorted)
  {
    std::sort(own.begin(), own.end());
  }
  return sorted;
}

template <class V>
void checkSums(const segcore::IntensitySums& sums, double step, const std::vector<V>& sorted,
  long double tolerance)
{
  CHECK_EQUAL(sums.voxels, static_cast<Index>(sorted.size()));
  CHECK_EQUAL(sums.min, static_cast<double>(sorted.front()));
  CHECK_EQUAL(sums.max, static_cast<double>(sorted.back()));
  long double mean = 0.0L;
  for (const V value : sorted)
  {
    mean += static_cast<long double>(value);
  }
  mean /= static_cast<long double>(sorted.size());
  long double squares = 0.0L;
  for (const V value : sorted)
  {
    const long double off = static_cast<long double>(value) - mean;
    squares += off * off;
  }
  const long double deviation = std::sqrt(squares / static_cast<long double>(sorted.size() - 1));
  CHECK(std::abs(sums.mean(step) - mean) <= tolerance);
  CHECK(std::abs(sums.deviation(step) - deviation) <= tolerance);
}

template <class T, class V>
void testIntensities(const char* name, bool allBits = false)
{
  const Box box = testBox();
  const auto labels = testLabels<T>(box, 11);
  check::Random random(12);
  std::vector<V> values;
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    const double unit = random.unit() * random.unit();
    values.push_back(allBits ? static_cast<V>(random.next())
        : std::is_floating_point<V>::value
        ? static_cast<V>(unit * 1e3 - 100.0)
        : static_cast<V>(unit * 100.0 - (std::is_signed<V>::value ? 40.0 : 0.0)));
  }
  if constexpr (std::is_floating_point<V>::value)
  {
    values[3] = std::numeric_limits<V>::quiet_NaN();
    values[200] = std::numeric_limits<V>::infinity();
    values[300] = -std::numeric_limits<V>::infinity();
  }
  const std::vector<Index> wanted{ 25, 75, 100 };
  const auto sorted = sortedValues(labels, values, wanted);
  double largest = 0.0;
  std::vector<std::vector<Index>> ranks;
  for (const auto& own : sorted)
  {
    largest = std::max({ largest, std::abs(static_cast<double>(own.front())),
      std::abs(static_cast<double>(own.back())) });
    const auto last = static_cast<Index>(own.size()) - 1;
    ranks.push_back({ 0, 0, last / 3, last / 2, last / 2 + 1, last });
  }
  const double step = segcore::intensityStep<V>(largest);
  std::vector<segcore::IntensitySums> first;
  for (const int threads : { 1, 2 })
  {
    for (const int blocks : { 1, 4 })
    {
      check::setContext(name, " threads ", threads, " blocks ", blocks);
      segcore::LabelledValues<T, V> data;
      data.labels = labels.data();
      data.values = values.data();
      data.stored = data.valueStored = box;
      data.shift[0] = 7; // values have indices of their own
      data.valueStored.lo[0] += 7;
      data.valueStored.hi[0] += 7;
      const auto parts = volumes::split(box, blocks, &random);
      std::vector<segcore::IntensitySums> sums(wanted.size());
      segcore::RankSelection selection(ranks, 8 * sizeof(V));
      check::withThreads(threads,
        [&]()
        {
          for (const Box& block : parts)
          {
            segcore::sumIntensity(data, block, wanted, step, sums.data());
          }
          while (!selection.done())
          {
            for (const Box& block : parts)
            {
              segcore::countKeys(data, block, wanted, selection);
            }
            selection.advance();
          }
        });
      for (std::size_t l = 0; l < wanted.size(); ++l)
      {
        checkSums(sums[l], step, sorted[l], static_cast<long double>(largest) * 1e-13L);
        for (std::size_t r = 0; r < ranks[l].size(); ++r)
        {
          CHECK_EQUAL(segcore::detail::valueOfKey<V>(selection.keys()[l][r]),
            static_cast<double>(sorted[l][static_cast<std::size_t>(ranks[l][r])]));
        }
      }
      if constexpr (segcore::detail::isNarrow<V>::value)
      {
        const Index lowest = std::numeric_limits<V>::lowest();
        const Index range = std::numeric_limits<V>::max() - lowest + 1;
        std::vector<std::int64_t> counts(wanted.size() * static_cast<std::size_t>(range), 0);
        check::withThreads(threads,
          [&]()
          {
            for (const Box& block : parts)
            {
              segcore::countValues(data, block, wanted, lowest, range, counts.data());
            }
          });
        for (std::size_t l = 0; l < wanted.size(); ++l)
        {
          const std::int64_t* own = counts.data() + l * static_cast<std::size_t>(range);
          const auto told = segcore::sumsOfCounts(own, lowest, range);
          CHECK(told.sum == sums[l].sum && told.squares == sums[l].squares);
          CHECK_EQUAL(told.voxels, sums[l].voxels);
          for (const Index rank : ranks[l])
          {
            CHECK_EQUAL(segcore::valueOfRank(own, lowest, range, rank),
              static_cast<double>(sorted[l][static_cast<std::size_t>(rank)]));
          }
        }
      }
      first = first.empty() ? sums : first;
      for (std::size_t l = 0; l < wanted.size(); ++l)
      {
        CHECK(first[l].sum == sums[l].sum && first[l].squares == sums[l].squares);
      }
    }
  }
}
}

int TestLabelMeasures(int, char*[])
{
  testWide();
  testShapes<std::uint8_t>("uint8");
  testShapes<std::int16_t>("int16");
  testShapes<std::uint64_t>("uint64");
  testCells();
  testWeights();
  testIntensities<std::uint8_t, std::uint8_t>("uint8");
  testIntensities<std::uint8_t, std::int16_t>("int16");
  testIntensities<std::uint16_t, std::int32_t>("int32");
  testIntensities<std::uint64_t, float>("float");
  testIntensities<std::uint8_t, double>("double");
  testIntensities<std::uint8_t, std::int64_t>("int64");
  testIntensities<std::uint8_t, std::uint64_t>("uint64", true);
  check::setContext("negative labels");
  const Box box = Box::ofSize(2, 1, 1);
  const std::vector<short> negative{ 1, -1 };
  CHECK_THROWS(
    segcore::measureShapes(negative.data(), box, box, box, false), std::invalid_argument);
  CHECK_THROWS(segcore::measureCells(negative.data(), box, box, box), std::invalid_argument);
  CHECK_THROWS(
    segcore::measureShapes(negative.data(), box, box.grown(1), box, false), std::invalid_argument);
  return check::result();
}
