// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "ConnectedComponents.h"

#include "Check.h"
#include "UnionFind.h"
#include "Volumes.h"

#include <map>
#include <set>
#include <utility>

using segcore::Box;
using segcore::ComponentRun;
using segcore::ComponentRuns;
using segcore::Connectivity;
using segcore::Index;

namespace
{

const Connectivity allConnectivities[] = { Connectivity::Faces, Connectivity::Edges,
  Connectivity::Corners };

bool touching(Index dx, Index dy, Index dz, Connectivity connectivity)
{
  const Index steps = std::abs(dx) + std::abs(dy) + std::abs(dz);
  const Index most = connectivity == Connectivity::Faces ? 1
    : connectivity == Connectivity::Edges                ? 2
                                                         : 3;
  return std::max(std::abs(dx), std::max(std::abs(dy), std::abs(dz))) <= 1 && steps > 0 &&
    steps <= most;
}

/// Flood fill from each voxel in raster order: component of every voxel, or -1.
std::vector<Index> slowComponents(
  const std::vector<std::uint8_t>& mask, const Box& whole, Connectivity connectivity)
{
  std::vector<Index> component(mask.size(), -1);
  const Index nx = whole.dim(0);
  const Index ny = whole.dim(1);
  Index count = 0;
  for (Index start = 0; start < whole.size(); ++start)
  {
    if (!mask[static_cast<std::size_t>(start)] || component[static_cast<std::size_t>(start)] >= 0)
    {
      continue;
    }
    std::vector<Index> stack{ start };
    component[static_cast<std::size_t>(start)] = count;
    while (!stack.empty())
    {
      const Index i = stack.back();
      stack.pop_back();
      for (int n = 0; n < 27; ++n)
      {
        const Index dx = n % 3 - 1;
        const Index dy = n / 3 % 3 - 1;
        const Index dz = n / 9 - 1;
        const Index x = i % nx + dx;
        const Index y = i / nx % ny + dy;
        const Index z = i / nx / ny + dz;
        if (!touching(dx, dy, dz, connectivity) ||
          !Box::ofSize(nx, ny, whole.dim(2)).contains(x, y, z))
        {
          continue;
        }
        const std::size_t j = static_cast<std::size_t>(x + nx * (y + ny * z));
        if (mask[j] && component[j] < 0)
        {
          component[j] = count;
          stack.push_back(static_cast<Index>(j));
        }
      }
    }
    ++count;
  }
  return component;
}

/// Labels, sizes and first voxels of one labelling against the flood fill.
void checkComponents(
  const ComponentRuns& runs, const std::vector<Index>& expected, const Box& whole)
{
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> first;
  for (std::size_t i = 0; i < expected.size(); ++i)
  {
    if (expected[i] >= 0)
    {
      if (expected[i] == static_cast<Index>(sizes.size()))
      {
        sizes.push_back(0);
        first.push_back(static_cast<std::int64_t>(i));
      }
      ++sizes[static_cast<std::size_t>(expected[i])];
    }
  }
  CHECK_EQUAL(runs.componentCount(), static_cast<Index>(sizes.size()));
  std::map<Index, Index> order;
  std::vector<std::int64_t> foundSizes;
  std::vector<std::int64_t> foundFirst;
  runs.forEachComponent(
    [&](Index component)
    {
      CHECK(order.empty() || component > order.rbegin()->first);
      const Index next = static_cast<Index>(order.size());
      order[component] = next;
      foundSizes.push_back(runs.size(component));
      foundFirst.push_back(runs.first(component));
      CHECK(!runs.isJoined(component));
    });
  CHECK(foundSizes == sizes);
  CHECK(foundFirst == first);
  // The largest; of equal ones the first.
  const Index largest = runs.largest();
  CHECK_EQUAL(largest < 0, sizes.empty());
  if (largest >= 0)
  {
    CHECK_EQUAL(order.at(largest), std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
  }
  // The same in parts.
  std::vector<Index> inParts;
  const Index middle = runs.runCount() / 3;
  const auto add = [&inParts](Index component) { inParts.push_back(component); };
  runs.forEachComponent(0, middle, add);
  runs.forEachComponent(middle, runs.runCount(), add);
  CHECK_EQUAL(inParts.size(), order.size());
  CHECK(std::equal(inParts.begin(), inParts.end(), order.begin(),
    [](Index component, const auto& entry) { return component == entry.first; }));
  std::vector<Index> labels(expected.size(), -1);
  segcore::fillComponents(runs, [&](Index c) { return order.at(c); }, labels.data(), whole);
  CHECK_RANGES(labels, expected, whole.size());
}

/// The labels of the image from its blocks: joined in one memory or by shells.
std::vector<Index> joinedLabels(const std::vector<std::uint8_t>& mask, const Box& whole,
  const std::vector<Box>& blocks, Connectivity connectivity, bool byShells)
{
  std::vector<ComponentRuns> parts;
  std::vector<Index> base;
  Index total = 0;
  for (const Box& block : blocks)
  {
    parts.push_back(
      segcore::labelNonzeroComponents(mask.data(), whole, block, whole, connectivity));
    base.push_back(total);
    total += parts.back().runCount();
  }
  segcore::UnionFind<Index> sets(static_cast<std::size_t>(total));
  for (std::size_t a = 0; a < parts.size(); ++a)
  {
    for (std::size_t b = 0; b < a; ++b)
    {
      const auto touch = [&](Index ca, Index cb) { sets.join(base[a] + ca, base[b] + cb); };
      if (byShells)
      {
        segcore::joinShells(
          parts[a].shell(), blocks[a], parts[b].shell(), blocks[b], connectivity, touch);
      }
      else
      {
        segcore::joinAcross(parts[a], parts[b], connectivity, touch);
      }
    }
  }
  // Number the sets by their smallest first voxel.
  std::map<Index, Index> firstOf;
  for (std::size_t p = 0; p < parts.size(); ++p)
  {
    parts[p].forEachComponent(
      [&](Index component)
      {
        const Index first = parts[p].first(component);
        const Index root = sets.find(base[p] + component);
        firstOf[root] = firstOf.count(root) ? std::min(firstOf[root], first) : first;
      });
  }
  std::map<Index, Index> number;
  std::map<Index, Index> rootOf;
  for (const auto& entry : firstOf)
  {
    rootOf[entry.second] = entry.first;
  }
  Index next = 0;
  for (const auto& entry : rootOf)
  {
    number[entry.second] = next++;
  }
  std::vector<Index> labels(mask.size(), -1);
  for (std::size_t p = 0; p < parts.size(); ++p)
  {
    segcore::fillComponents(
      parts[p], [&](Index c) { return number[sets.find(base[p] + c)]; }, labels.data(), whole);
  }
  return labels;
}

/// What is said about islands is told again, and numbers follow.
void testIslands(ComponentRuns runs, const Box& whole)
{
  std::vector<Index> components;
  runs.forEachComponent([&](Index component) { components.push_back(component); });
  if (components.empty())
  {
    return;
  }
  const segcore::Island island{ runs.first(components[0]), Index{ 1 } << 40 };
  for (std::size_t n = 0; n < components.size(); n += 2)
  {
    runs.setIsland(components[n], island);
  }
  CHECK_EQUAL(runs.largest() < 0, components.size() < 2); // joined ones are not looked at
  for (std::size_t n = 1; n < components.size(); n += 2)
  {
    CHECK(runs.size(components[n]) <= runs.size(runs.largest()));
  }
  const auto part = runs.ofIsland(island);
  for (std::size_t n = 0; n < components.size(); ++n)
  {
    CHECK_EQUAL(runs.isJoined(components[n]), n % 2 == 0);
    CHECK(n % 2 != 0 || runs.island(components[n]) == island);
    CHECK(n % 2 == 0 || runs.size(components[n]) < whole.size());
    CHECK_EQUAL(part(components[n]), n % 2 == 0);
    const auto self = runs.ofIsland(runs.island(components[n]));
    CHECK(self(components[n]));
    CHECK(n == 0 || self(components[n - 1]) == false);
  }
  for (const Index most : { Index{ 1 } << 20, Index{ 1 } << 40 })
  {
    runs.makeNumbers(most);
    Index next = most;
    for (const Index component : components)
    {
      runs.setNumber(component, next--);
    }
    next = most;
    for (const Index component : components)
    {
      CHECK_EQUAL(runs.number(component), next--);
    }
  }
}

void testMask(const Box& whole, const std::vector<std::uint8_t>& mask, check::Random& random)
{
  for (const Connectivity connectivity : allConnectivities)
  {
    const std::vector<Index> expected = slowComponents(mask, whole, connectivity);
    for (const int threads : { 1, 2 })
    {
      check::withThreads(threads,
        [&]()
        {
          checkComponents(
            segcore::labelNonzeroComponents(mask.data(), whole, whole, whole, connectivity),
            expected, whole);
        });
    }
    // Slabs as thin as a row; 64-bit slots; and sizes in the table.
    segcore::Progress listening;
    listening.report = [](double) {};
    segcore::LabelLimits limits;
    limits.slabs = random.below(4) == 0 ? random.between(2, 9) : 32;
    const segcore::RowBits rows = [&](Index y, Index z, segcore::Word* bits)
    { segcore::packBits(mask.data() + whole.offset(whole.lo[0], y, z), whole.dim(0), bits); };
    for (const int threads : { 1, 2 })
    {
      check::withThreads(threads,
        [&]()
        {
          checkComponents(
            segcore::labelComponents(whole, whole, connectivity, rows, listening, limits), expected,
            whole);
        });
    }
    limits.slotSize = 7;
    checkComponents(segcore::labelComponents(whole, whole, connectivity, rows, listening, limits),
      expected, whole);
    limits.wide = true;
    checkComponents(segcore::labelComponents(whole, whole, connectivity, rows, listening, limits),
      expected, whole);
    testIslands(
      segcore::labelComponents(whole, whole, connectivity, rows, listening, limits), whole);
    testIslands(segcore::labelComponents(whole, whole, connectivity, rows), whole);

    for (const int blocks : { 2, 3, 5, 8 })
    {
      const std::vector<Box> parts =
        volumes::split(whole, blocks, random.below(2) ? &random : nullptr);
      CHECK_RANGES(
        joinedLabels(mask, whole, parts, connectivity, blocks % 2 == 0), expected, whole.size());
    }
  }
}

/// Shells, faces and clipped runs against the voxels themselves.
void testRegions(const Box& whole, const std::vector<std::uint8_t>& mask)
{
  const ComponentRuns runs =
    segcore::labelNonzeroComponents(mask.data(), whole, whole, whole, Connectivity::Faces);
  std::vector<Index> byRun = slowComponents(mask, whole, Connectivity::Faces);
  std::vector<Index> components;
  runs.forEachComponent([&](Index component) { components.push_back(component); });
  for (Index& component : byRun)
  {
    component = component < 0 ? -1 : components[static_cast<std::size_t>(component)];
  }
  const auto paint = [&](const std::vector<ComponentRun>& list, const auto& inRegion)
  {
    std::vector<Index> labels(mask.size(), -1);
    Index last = -1;
    for (const ComponentRun& run : list)
    {
      for (Index x = run.x0; x <= run.x1; ++x)
      {
        const Index at = whole.offset(x, run.y, run.z);
        CHECK(at > last); // ordered by z, y, x, and no voxel twice
        last = at;
        labels[static_cast<std::size_t>(at)] = run.component;
      }
    }
    for (Index z = whole.lo[2]; z <= whole.hi[2]; ++z)
    {
      for (Index y = whole.lo[1]; y <= whole.hi[1]; ++y)
      {
        for (Index x = whole.lo[0]; x <= whole.hi[0]; ++x)
        {
          const std::size_t at = static_cast<std::size_t>(whole.offset(x, y, z));
          CHECK_EQUAL(labels[at], inRegion(x, y, z) ? byRun[at] : -1);
          CHECK_EQUAL(runs.componentAt(x, y, z), byRun[at]);
        }
      }
    }
  };
  for (int axis = 0; axis < 3; ++axis)
  {
    for (int side = 0; side < 2; ++side)
    {
      paint(runs.faceRuns(axis, side),
        [&](Index x, Index y, Index z)
        {
          const Index at[3] = { x, y, z };
          return at[axis] == (side ? whole.hi[axis] : whole.lo[axis]);
        });
    }
  }
  paint(runs.shell(),
    [&](Index x, Index y, Index z)
    {
      const Index at[3] = { x, y, z };
      bool edge = false;
      for (int a = 0; a < 3; ++a)
      {
        edge = edge || at[a] == whole.lo[a] || at[a] == whole.hi[a];
      }
      return edge;
    });
  CHECK(runs.runsIn(Box()).empty());
}

/// Every touching pair across two blocks, from the voxels.
void testPairs(const Box& whole, const std::vector<std::uint8_t>& mask)
{
  // Two blocks that touch at a face, an edge, a corner, or not at all.
  const Index half[3] = { whole.dim(0) / 2, whole.dim(1) / 2, whole.dim(2) / 2 };
  for (int kind = 0; kind < 27; ++kind)
  {
    Box a = whole;
    Box b = whole;
    const int where[3] = { kind % 3, kind / 3 % 3, kind / 9 };
    for (int axis = 0; axis < 3; ++axis)
    {
      a.hi[axis] = a.lo[axis] + half[axis] - 1;
      b.lo[axis] = where[axis] == 0 ? a.lo[axis] : a.hi[axis] + where[axis];
      b.hi[axis] = where[axis] == 0 ? a.hi[axis] : whole.hi[axis];
    }
    if (kind == 0 || b.empty())
    {
      continue; // the same block
    }
    for (const Connectivity connectivity : allConnectivities)
    {
      check::setContext("pair ", kind, " connectivity ", static_cast<int>(connectivity));
      const ComponentRuns runsA =
        segcore::labelNonzeroComponents(mask.data(), whole, a, whole, connectivity);
      const ComponentRuns runsB =
        segcore::labelNonzeroComponents(mask.data(), whole, b, whole, connectivity);
      using Pairs = std::set<std::pair<Index, Index>>;
      Pairs expected;
      for (const ComponentRun& ra : runsA.runsIn(a))
      {
        for (const ComponentRun& rb : runsB.runsIn(b.intersect(a.grown(1))))
        {
          for (Index xa = ra.x0; xa <= ra.x1; ++xa)
          {
            for (Index xb = rb.x0; xb <= rb.x1; ++xb)
            {
              if (touching(xa - xb, ra.y - rb.y, ra.z - rb.z, connectivity))
              {
                expected.insert({ ra.component, rb.component });
              }
            }
          }
        }
      }
      Pairs across;
      segcore::joinAcross(
        runsA, runsB, connectivity, [&](Index ca, Index cb) { across.insert({ ca, cb }); });
      CHECK(across == expected);
      Pairs shells;
      segcore::joinShells(runsA.shell(), a, runsB.shell(), b, connectivity,
        [&](Index ca, Index cb) { shells.insert({ ca, cb }); });
      CHECK(shells == expected);
    }
  }
}

/// Values: one label among others, any type, a block inside a larger stored box.
template <class T>
void testValues(const char* name)
{
  check::setContext(name);
  check::Random random(4);
  const Box stored = Box::ofSize(75, 6, 5);
  Box block = stored;
  block.lo[0] += 3;
  block.hi[0] -= 2;
  block.lo[1] += 1;
  const std::vector<T> values =
    volumes::make<T>(stored, [&](Index, Index, Index) { return random.below(3); });
  const std::vector<T> cropped = volumes::crop(values, stored, block);
  std::vector<std::uint8_t> mask;
  for (const T v : cropped)
  {
    mask.push_back(v == T(2));
  }
  const std::vector<Index> expected = slowComponents(mask, block, Connectivity::Edges);
  const ComponentRuns runs =
    segcore::labelComponents(values.data(), stored, block, stored, T(2), Connectivity::Edges);
  std::vector<T> out(values.size(), T(9));
  const auto first = [](Index component) { return component == 0; };
  segcore::fillKept(runs, first, T(5), out.data(), stored);
  std::vector<T> copy(values.size(), T(9));
  segcore::copyAndFill(runs, first, T(5), values.data(), copy.data(), stored);
  for (Index i = 0; i < stored.size(); ++i)
  {
    const Index x = i % 75;
    const Index y = i / 75 % 6;
    const Index z = i / 75 / 6;
    const bool kept =
      block.contains(x, y, z) && expected[static_cast<std::size_t>(block.offset(x, y, z))] == 0;
    CHECK_EQUAL(out[static_cast<std::size_t>(i)], kept ? T(5) : T(9));
    const T rest = block.contains(x, y, z) ? values[static_cast<std::size_t>(i)] : T(9);
    CHECK_EQUAL(copy[static_cast<std::size_t>(i)], kept ? T(5) : rest);
  }
  std::vector<T> written(values.size(), T(9));
  segcore::writeComponents(
    runs, [](Index component) { return T(component % 90 + 10); }, T(7), written.data(), stored);
  for (Index i = 0; i < stored.size(); ++i)
  {
    const Index x = i % 75;
    const Index y = i / 75 % 6;
    const Index z = i / 75 / 6;
    const Index component = runs.componentAt(x, y, z);
    const T rest = block.contains(x, y, z) ? T(7) : T(9);
    CHECK_EQUAL(
      written[static_cast<std::size_t>(i)], component < 0 ? rest : T(component % 90 + 10));
  }
  // First voxels count from the first voxel of the whole image.
  const Index voxel = runs.first(0);
  CHECK_EQUAL(runs.componentAt(voxel % 75, voxel / 75 % 6, voxel / 75 / 6), 0);
}

/// Results so large that they are written past the caches.
void testLarge()
{
  check::setContext("large");
  const Box whole = Box::ofSize(4099, 128, 129);
  const auto size = static_cast<std::size_t>(whole.size());
  std::vector<std::uint8_t> values(size);
  for (std::size_t i = 0; i < size; ++i)
  {
    values[i] = (i * 2654435761u >> 7) % 5 < 2 && i % 4099 != 100 ? 2 : 1;
  }
  const ComponentRuns runs = segcore::labelComponents(
    values.data(), whole, whole, whole, std::uint8_t{ 2 }, Connectivity::Faces);
  std::vector<std::uint8_t> expected = values;
  std::vector<std::uint8_t> filled(size);
  const auto odd = [](Index component) { return component % 2 == 1; };
  segcore::fillKept(runs, odd, std::uint8_t{ 5 }, expected.data(), whole);
  segcore::copyAndFill(runs, odd, std::uint8_t{ 5 }, values.data(), filled.data(), whole);
  CHECK(filled == expected);
  const auto number = [](Index component) { return static_cast<std::uint8_t>(component % 250); };
  std::fill(expected.begin(), expected.end(), std::uint8_t{ 255 });
  segcore::fillComponents(runs, number, expected.data(), whole);
  segcore::writeComponents(runs, number, std::uint8_t{ 255 }, filled.data(), whole);
  CHECK(filled == expected);
  // 32 bits have a way of their own; into new memory, which is not written past the caches.
  std::vector<std::int32_t> numbers(size, -9);
  const auto negative = [](Index component) { return static_cast<std::int32_t>(-component); };
  segcore::fillComponents(runs, negative, numbers.data(), whole);
  for (const bool wide : { true, false })
  {
    segcore::allowWideInstructions(wide);
    for (const bool fresh : { false, true })
    {
      std::vector<std::int32_t> written(size, 1);
      segcore::writeComponents(
        runs, negative, std::int32_t{ -9 }, written.data(), whole, segcore::Progress(), fresh);
      CHECK(written == numbers);
    }
  }
  segcore::allowWideInstructions(true);
}

} // namespace

int TestConnectedComponents(int, char*[])
{
  check::Random random(31);
  Box whole = Box::ofSize(13, 9, 8);
  whole.lo[0] -= 3;
  whole.lo[1] += 7;
  Box flat = Box::ofSize(140, 5, 3);
  for (const Box& box : { whole, flat, Box::ofSize(2, 2, 17), Box::ofSize(1, 40, 1) })
  {
    for (const volumes::Named& mask : volumes::masks(box, 32))
    {
      check::setContext(mask.name, " box ", box.dim(0));
      testMask(box, mask.voxels, random);
      testRegions(box, mask.voxels);
    }
  }
  for (const volumes::Named& mask : volumes::masks(whole, 33))
  {
    testPairs(whole, mask.voxels);
  }
  testValues<std::int8_t>("int8");
  testValues<std::uint16_t>("uint16");
  testValues<std::int32_t>("int32");
  segcore::allowWideInstructions(false);
  testValues<std::int32_t>("int32, not wide");
  segcore::allowWideInstructions(true);
  testValues<std::uint64_t>("uint64");
  testValues<double>("double");

  check::setContext("large, threads");
  const Box large = Box::ofSize(120, 90, 70);
  const std::vector<std::uint8_t> noise =
    volumes::make<std::uint8_t>(large, [&](Index, Index, Index) { return random.below(100) < 32; });
  for (const Connectivity connectivity : allConnectivities)
  {
    const std::vector<Index> expected = slowComponents(noise, large, connectivity);
    for (const bool wide : { true, false })
    {
      segcore::allowWideInstructions(wide);
      for (const int threads : { 1, 2, 5 })
      {
        check::withThreads(threads,
          [&]()
          {
            checkComponents(
              segcore::labelNonzeroComponents(noise.data(), large, large, large, connectivity),
              expected, large);
          });
      }
    }
    segcore::allowWideInstructions(true);
  }

  std::uint8_t voxel = 1;
  const Box one = Box::ofSize(1, 1, 1);
  CHECK_EQUAL(
    segcore::labelNonzeroComponents(&voxel, one, Box(), one, Connectivity::Faces).componentCount(),
    0);
  CHECK_THROWS(segcore::labelNonzeroComponents(&voxel, one, one.grown(1), one, Connectivity::Faces),
    std::invalid_argument);
  CHECK_THROWS(
    segcore::labelNonzeroComponents(&voxel, one, one, Box::ofSize(0, 0, 0), Connectivity::Faces),
    std::invalid_argument);
  testLarge();
  return check::result();
}
