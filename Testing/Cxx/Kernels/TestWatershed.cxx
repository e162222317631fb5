// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Watershed: labels and times of flooding, on reliefs of several cubes, in one block and in many
// that tell each other what they found. Truth: the queue of times, wave by wave; and the definition
// itself, applied to all voxels until nothing changes.

#include "Watershed.h"

#include "Check.h"
#include "Volumes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

using segcore::Box;
using segcore::Index;
using segcore::Watershed;
using segcore::WatershedLabels;
using segcore::WatershedPasses;

namespace
{

constexpr std::uint16_t Wall = segcore::WatershedWall;

using Relief = std::vector<std::uint16_t>;
using Labels = std::vector<std::int32_t>;

/// All that a flood may use for each voxel.
using Words = std::vector<std::uint32_t>;
static_assert(sizeof(Words::value_type) == 4);

class VectorLabels : public WatershedLabels
{
public:
  VectorLabels(const Box& box, const Labels& markers, Labels& out)
    : Whole(box), Markers(markers), Out(out)
  {
  }
  void readMarkers(Index i, Index j, Index k, Index count, std::int32_t* labels) const override
  {
    std::copy_n(this->Markers.data() + this->Whole.offset(i, j, k), count, labels);
  }
  void writeLabels(
    Index i, Index j, Index k, Index count, const std::int32_t* labels) const override
  {
    std::copy_n(labels, count, this->Out.data() + this->Whole.offset(i, j, k));
  }
  void readLabels(Index i, Index j, Index k, Index count, std::int32_t* labels) const override
  {
    std::copy_n(this->Out.data() + this->Whole.offset(i, j, k), count, labels);
  }

private:
  Box Whole;
  const Labels& Markers;
  Labels& Out;
};

/// The neighbours of a voxel, as offsets in the array.
std::vector<std::size_t> neighbours(const Box& box, std::size_t voxel)
{
  std::vector<std::size_t> found;
  Index at = static_cast<Index>(voxel), step = 1;
  for (int a = 0; a < 3; ++a)
  {
    const Index place = at % box.dim(a);
    at /= box.dim(a);
    if (place > 0)
    {
      found.push_back(voxel - static_cast<std::size_t>(step));
    }
    if (place + 1 < box.dim(a))
    {
      found.push_back(voxel + static_cast<std::size_t>(step));
    }
    step *= box.dim(a);
  }
  return found;
}

using Time = std::pair<Index, Index>; // level, hops
constexpr Time Never{ 1 << 20, 0 };

struct Truth
{
  Labels labels;
  std::vector<Time> times;
};

Truth begun(const Relief& levels, const Labels& markers)
{
  Truth truth{ Labels(levels.size(), 0), std::vector<Time>(levels.size(), Never) };
  for (std::size_t v = 0; v < levels.size(); ++v)
  {
    if (markers[v] > 0 && levels[v] != Wall)
    {
      truth.labels[v] = markers[v];
      truth.times[v] = { levels[v], 0 };
    }
  }
  return truth;
}

Time after(const Time& time, std::uint16_t level)
{
  return level > time.first ? Time{ level, 0 } : Time{ time.first, time.second + 1 };
}

Truth byQueue(const Box& box, const Relief& levels, const Labels& markers)
{
  Truth truth = begun(levels, markers);
  std::map<Time, std::vector<std::size_t>> waves;
  for (std::size_t v = 0; v < levels.size(); ++v)
  {
    if (truth.labels[v] > 0)
    {
      waves[truth.times[v]].push_back(v);
    }
  }
  std::vector<Time> found(levels.size(), Never); // by whom
  while (!waves.empty())
  {
    const auto wave = *waves.begin();
    waves.erase(waves.begin());
    for (const std::size_t from : wave.second)
    {
      for (const std::size_t to : neighbours(box, from))
      {
        if (levels[to] == Wall || markers[to] != 0)
        {
          continue;
        }
        if (truth.times[to] == Never)
        {
          found[to] = wave.first;
          truth.labels[to] = truth.labels[from];
          truth.times[to] = after(wave.first, levels[to]);
          waves[truth.times[to]].push_back(to);
        }
        else if (found[to] == wave.first)
        {
          truth.labels[to] = std::min(truth.labels[to], truth.labels[from]);
        }
      }
    }
  }
  return truth;
}

Truth byDefinition(const Box& box, const Relief& levels, const Labels& markers)
{
  Truth truth = begun(levels, markers);
  for (bool changed = true; changed;)
  {
    changed = false;
    for (std::size_t v = 0; v < levels.size(); ++v)
    {
      if (levels[v] == Wall || markers[v] != 0)
      {
        continue;
      }
      Time lowest = Never;
      std::int32_t label = 0;
      for (const std::size_t u : neighbours(box, v))
      {
        if (truth.labels[u] != 0 &&
          (truth.times[u] < lowest || (truth.times[u] == lowest && truth.labels[u] < label)))
        {
          lowest = truth.times[u];
          label = truth.labels[u];
        }
      }
      const Time time = lowest == Never ? Never : after(lowest, levels[v]);
      if (time != truth.times[v] || label != truth.labels[v])
      {
        truth.times[v] = time;
        truth.labels[v] = label;
        changed = true;
      }
    }
  }
  return truth;
}

/// Floods all blocks to the end, which tell each other about their faces as other ranks would.
template <class Flood>
void settle(const std::vector<Box>& boxes, const std::vector<std::unique_ptr<Flood>>& parts)
{
  for (const auto& part : parts)
  {
    part->start();
  }
  for (bool any = true; any;)
  {
    for (const auto& part : parts)
    {
      part->run();
    }
    any = false;
    for (std::size_t p = 0; p < parts.size(); ++p)
    {
      for (std::size_t q = 0; q < parts.size(); ++q)
      {
        for (int n = 0; n < 6 && p != q; ++n)
        {
          Box beside = boxes[p];
          const int axis = n / 2;
          beside.lo[axis] = beside.hi[axis] = n % 2 ? beside.hi[axis] + 1 : beside.lo[axis] - 1;
          beside = beside.clipped(boxes[q]);
          if (!beside.empty())
          {
            std::vector<typename Flood::Message> message(static_cast<std::size_t>(beside.size()));
            parts[q]->read(beside, message.data());
            any = parts[p]->hear(axis, n % 2 == 1, beside, message.data()) || any;
          }
        }
      }
    }
  }
}

template <class Flood>
std::vector<std::unique_ptr<Flood>> makeParts(const Box& box, const std::vector<Box>& boxes,
  std::vector<Words>& words, const VectorLabels& labels)
{
  std::vector<std::unique_ptr<Flood>> parts;
  for (std::size_t p = 0; p < boxes.size(); ++p)
  {
    parts.push_back(std::make_unique<Flood>(boxes[p], box, words[p].data(), labels));
  }
  return parts;
}

/// Floods in `count` blocks.
template <class Key>
Labels flooded(const Box& box, const Relief& levels, const Labels& markers, int count,
  check::Random* random = nullptr, const Truth* truth = nullptr)
{
  using Flood = Watershed<Key>;
  Labels out(levels.size(), -5);
  const VectorLabels labels(box, markers, out);
  const std::vector<Box> boxes = volumes::split(box, count, random);
  std::vector<Words> words;
  for (const Box& part : boxes)
  {
    const Relief relief = volumes::crop(levels, box, part);
    words.emplace_back(relief.begin(), relief.end());
  }
  const auto passes = makeParts<WatershedPasses>(box, boxes, words, labels);
  settle(boxes, passes);
  for (std::size_t p = 0; p < boxes.size() && truth; ++p)
  {
    std::vector<std::uint16_t> got(static_cast<std::size_t>(boxes[p].size())), expected;
    passes[p]->read(boxes[p], got.data());
    for (const Time& time : volumes::crop(truth->times, box, boxes[p]))
    {
      expected.push_back(time == Never ? Wall : static_cast<std::uint16_t>(time.first));
    }
    CHECK_RANGES(got, expected, boxes[p].size());
  }
  for (const auto& part : passes)
  {
    part->finish();
  }
  CHECK_EQUAL(std::count(out.begin(), out.end(), -5), box.size()); // no labels so far
  // The second turn begins with what the first one leaves.
  for (int turn = 0; turn < (random ? 2 : 1); ++turn)
  {
    const auto parts = makeParts<Flood>(box, boxes, words, labels);
    settle(boxes, parts);
    for (std::size_t p = 0; p < parts.size(); ++p)
    {
      CHECK(!parts[p]->overflowed());
      std::vector<typename Flood::Flooded> all(static_cast<std::size_t>(boxes[p].size()));
      parts[p]->read(boxes[p], all.data());
      if (truth)
      {
        std::vector<Time> got, expected = volumes::crop(truth->times, box, boxes[p]);
        for (const auto& flood : all)
        {
          constexpr Key hops = (Key{ 1 } << Flood::HopBits) - 1;
          got.push_back(flood.time == Flood::Never
              ? Never
              : Time{ static_cast<Index>(flood.time >> Flood::HopBits),
                  static_cast<Index>(flood.time & hops) });
        }
        CHECK(got == expected);
      }
    }
  }
  return out;
}

void checkAll(const Box& box, const Relief& levels, const Labels& markers, bool literally = false)
{
  const std::string before = check::context();
  const Truth truth = byQueue(box, levels, markers);
  if (literally)
  {
    const Truth same = byDefinition(box, levels, markers);
    CHECK_RANGES(truth.labels, same.labels, box.size());
    CHECK(truth.times == same.times);
  }
  check::Random random(static_cast<std::uint64_t>(box.size()));
  for (const int count : { 1, 2, 7 })
  {
    for (const int threads : { 1, 3 })
    {
      for (const bool wide : { false, true })
      {
        check::setContext(before, " blocks ", count, " threads ", threads, " wide ", wide);
        Labels got;
        check::withThreads(threads,
          [&]
          {
            check::Random* cut = count == 7 ? &random : nullptr;
            got = wide ? flooded<std::uint64_t>(box, levels, markers, count, cut, &truth)
                       : flooded<std::uint32_t>(box, levels, markers, count, cut, &truth);
          });
        CHECK_RANGES(got, truth.labels, box.size());
      }
    }
  }
  check::setContext(before);
}

Box shifted(Index nx, Index ny, Index nz)
{
  Box box = Box::ofSize(nx, ny, nz);
  const Index shift[3] = { -7, 5, 1000 };
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] += shift[a];
    box.hi[a] += shift[a];
  }
  return box;
}

/// Plateaus and noise, few and many markers, walls of both kinds, all shapes.
void testRandom()
{
  check::Random random(5);
  for (int turn = 0; turn < 48; ++turn)
  {
    constexpr Index values[] = { 1, 3, 60, 65535 };
    const Box box = shifted(1 + random.below(turn % 3 == 0 ? 100 : 20), 1 + random.below(40),
      turn % 6 == 5 ? 1 : 1 + random.below(turn % 3 == 1 ? 70 : 5));
    const Index oneIn = 2 + random.below(turn % 2 ? 2000 : 40);
    check::setContext("turn ", turn);
    const auto levels = volumes::make<std::uint16_t>(box,
      [&](Index, Index, Index)
      {
        return turn % 5 == 0 && random.below(4) == 0
          ? Wall
          : static_cast<std::uint16_t>(random.below(values[turn % 4]));
      });
    const auto markers = volumes::make<std::int32_t>(box,
      [&](Index, Index, Index)
      {
        return turn % 7 == 0 && random.below(9) == 0 ? std::int32_t{ -1 }
          : random.below(oneIn) == 0 ? static_cast<std::int32_t>(1 + random.below(4))
                                     : 0;
      });
    checkAll(box, levels, markers, turn < 16);
  }
  check::setContext("");
}

/// Smooth hills with flat tops, as real reliefs have them.
void testHills()
{
  check::Random random(6);
  for (const int steps : { 4, 40, 4000 })
  {
    const Box box = shifted(70, 45, 66);
    const auto levels = volumes::make<std::uint16_t>(box,
      [&](Index x, Index y, Index z)
      {
        const double wave = std::sin(0.21 * static_cast<double>(x)) +
          std::sin(0.3 * static_cast<double>(y)) + std::sin(0.17 * static_cast<double>(z + x));
        return static_cast<std::uint16_t>((wave + 3.0) / 6.0 * steps);
      });
    Labels markers(levels.size(), 0);
    for (std::int32_t m = 1; m <= 30; ++m)
    {
      markers[static_cast<std::size_t>(random.below(box.size()))] = m;
    }
    check::setContext("hills of ", steps, " steps");
    checkAll(box, levels, markers);
  }
  check::setContext("");
}

/// No two levels are equal: who is first depends on them alone.
void testPermutation()
{
  check::Random random(7);
  const Box box = shifted(40, 41, 39);
  Relief levels(static_cast<std::size_t>(box.size()));
  std::iota(levels.begin(), levels.end(), std::uint16_t{ 0 });
  for (std::size_t i = levels.size() - 1; i > 0; --i)
  {
    std::swap(levels[i], levels[static_cast<std::size_t>(random.below(static_cast<Index>(i + 1)))]);
  }
  Labels markers(levels.size(), 0);
  for (std::int32_t m = 1; m <= 50; ++m)
  {
    markers[static_cast<std::size_t>(random.below(box.size()))] = m;
  }
  check::setContext("permutation");
  checkAll(box, levels, markers);
  check::setContext("");
}

/// On flat ground hops decide, and the lowest label where they are equal.
void testFlat()
{
  const Box line = shifted(101, 1, 1);
  Labels markers(101, 0);
  markers[0] = 9;
  markers[100] = 4;
  const Relief flat(101, 77);
  Labels expected(101, 9);
  std::fill(expected.begin() + 50, expected.end(), 4); // the middle is equally near to both
  check::setContext("flat line");
  CHECK_RANGES(flooded<std::uint32_t>(line, flat, markers, 1), expected, 101);
  CHECK_RANGES(flooded<std::uint64_t>(line, flat, markers, 5), expected, 101);
  const Box box = shifted(75, 70, 40);
  Labels corners(static_cast<std::size_t>(box.size()), 0);
  corners.front() = 2;
  corners.back() = 1;
  check::setContext("flat box");
  const Relief ground(corners.size(), 0);
  checkAll(box, ground, corners);
  const Labels got = flooded<std::uint32_t>(box, ground, corners, 3);
  CHECK_EQUAL(std::count(got.begin(), got.end(), 0), 0);
  for (Index i = 0; i < 70; ++i) // of the way between the corners 182 steps long
  {
    CHECK_EQUAL(got[static_cast<std::size_t>(box.offset(box.lo[0] + i, box.lo[1], box.lo[2]))], 2);
  }
  check::setContext("");
}

/// One channel that winds through all cubes, at one level: hops count far.
void testSpiral()
{
  const Box box = shifted(99, 99, 3);
  Relief levels(static_cast<std::size_t>(box.size()), 0);
  for (Index y = 0; y < 99; ++y)
  {
    for (Index x = 0; x < 99; ++x)
    {
      // A snake: every second row is a wall but at one end.
      const bool wall = y % 2 == 1 && x != (y % 4 == 1 ? 98 : 0);
      for (Index z = 0; z < 3; ++z)
      {
        levels[static_cast<std::size_t>(x + 99 * (y + 99 * z))] =
          z != 1 || wall ? Wall : static_cast<std::uint16_t>(1000);
      }
    }
  }
  Labels markers(levels.size(), 0);
  const auto at = [](Index x, Index y) { return static_cast<std::size_t>(x + 99 * (y + 99)); };
  markers[at(0, 0)] = 3;
  check::setContext("snake");
  checkAll(box, levels, markers);
  markers[at(98, 98)] = 2;
  checkAll(box, levels, markers);
  check::setContext("");
}

void testCheckerboard()
{
  const Box box = shifted(40, 37, 34);
  for (const bool walls : { false, true })
  {
    const auto levels = volumes::make<std::uint16_t>(box, [&](Index x, Index y, Index z)
      { return (x + y + z) % 2 == 0 ? std::uint16_t{ 5 }
          : walls                   ? Wall
                                    : std::uint16_t{ 9 }; });
    Labels markers(levels.size(), 0);
    markers[0] = 1;
    markers[levels.size() / 2] = 2;
    markers.back() = 3;
    check::setContext("checkerboard, walls ", walls);
    checkAll(box, levels, markers);
  }
  check::setContext("");
}

void testEmptyAndFull()
{
  const Box box = shifted(40, 9, 35);
  const Relief levels(static_cast<std::size_t>(box.size()), 3);
  check::setContext("no markers");
  checkAll(box, levels, Labels(levels.size(), 0));
  check::setContext("nothing but walls");
  checkAll(box, Relief(levels.size(), Wall), Labels(levels.size(), 3));
  checkAll(box, levels, Labels(levels.size(), -1));
  check::setContext("nothing but markers");
  checkAll(box, levels, Labels(levels.size(), 2147483647));
  check::setContext("");
}

/// Reliefs that cubes flood wrongly at first: water that comes the long way round to voxels which
/// have a lower way, and lakes whose outlet is in another cube.
void testDetours()
{
  check::Random random(9);
  const Box box = shifted(70, 68, 40);
  const auto at = [&](Index x, Index y, Index z)
  { return static_cast<std::size_t>(x + 70 * (y + 68 * z)); };
  for (int turn = 0; turn < 4; ++turn)
  {
    check::setContext("detours ", turn);
    const auto levels = volumes::make<std::uint16_t>(box,
      [&](Index x, Index y, Index z)
      {
        switch (turn)
        {
          case 0: // a low corridor behind walls that fall from cube to cube
            return static_cast<std::uint16_t>(
              y == 67 || z == 39 ? 1 + (69 - x) / 32 : 40000 - 100 * x - 7 * y + 3 * z);
          case 1: // lakes with rims of few levels
            return static_cast<std::uint16_t>(
              x % 9 == 0 || y % 11 == 0 || z % 13 == 0 ? 50 + random.below(3) : 20);
          case 2: // steps that go down and up again, with flat treads
            return static_cast<std::uint16_t>(100 + 20 * std::abs(x / 5 - 7) - (y / 10) % 2);
          default: // few levels, the highest and the lowest there are among them
            return static_cast<std::uint16_t>(random.below(3) * 32767);
        }
      });
    Labels markers(levels.size(), 0);
    markers[at(0, 0, 0)] = 4;
    markers[at(69, 67, 39)] = 3;
    markers[at(35, 33, 20)] = 2;
    markers[at(2, 60, 3)] = -1;
    markers[at(60, 5, 30)] = 1;
    checkAll(box, levels, markers);
  }
  check::setContext("");
}

/// Each cube once, where nothing comes back.
void testVisits()
{
  const Box box = Box::ofSize(320, 32, 1);
  Words words(static_cast<std::size_t>(box.size()), 0);
  Labels markers(words.size(), 0), out(words.size(), 0);
  markers[0] = 1;
  const VectorLabels labels(box, markers, out);
  WatershedPasses flat(box, box, words.data(), labels);
  CHECK_EQUAL(flat.cubes(), 1);
  const Box high = Box::ofSize(320, 32, 32);
  Words more(static_cast<std::size_t>(high.size()), 0);
  Labels one(more.size(), 0), result(more.size(), 0);
  one[0] = 1;
  const VectorLabels large(high, one, result);
  const auto visit = [](auto& ten)
  {
    ten.start();
    CHECK_EQUAL(ten.done(), 0.0);
    check::withThreads(1, [&] { ten.run(); });
    CHECK_EQUAL(ten.cubes(), 10);
    CHECK_EQUAL(ten.visits(), 10);
    CHECK_EQUAL(ten.done(), 1.0);
  };
  WatershedPasses passes(high, high, more.data(), large);
  visit(passes);
  passes.finish();
  Watershed<std::uint32_t> ten(high, high, more.data(), large);
  visit(ten);
  CHECK(!ten.overflowed());
}

/// Narrow keys count 65,534 steps over flat ground.
void testOverflow()
{
  const Box line = Box::ofSize(65600, 1, 1);
  Words words(65600, 9);
  Labels markers(65600, 0), out(65600, 0);
  markers[10] = 6;
  const VectorLabels labels(line, markers, out);
  WatershedPasses passes(line, line, words.data(), labels);
  passes.start();
  passes.run();
  passes.finish();
  Watershed<std::uint32_t> narrow(line, line, words.data(), labels);
  narrow.start();
  narrow.run();
  CHECK(narrow.overflowed());
  CHECK_EQUAL(std::count(out.begin(), out.end(), 6), 10 + 1 + 65534);
  Watershed<std::uint64_t> wide(line, line, words.data(), labels);
  wide.start();
  wide.run();
  CHECK(!wide.overflowed());
  CHECK_EQUAL(std::count(out.begin(), out.end(), 6), 65600);
  // Hops of more than 16 bits.
  std::vector<Watershed<std::uint64_t>::Flooded> all(65600);
  wide.read(line, all.data());
  for (Index x = 0; x < 65600; ++x)
  {
    CHECK(all[static_cast<std::size_t>(x)].time ==
      (std::uint64_t{ 9 } << 48) + static_cast<std::uint64_t>(std::abs(x - 10)));
  }
}

bool isDry(std::uint16_t pass)
{
  return pass == Wall;
}
template <class Flooded>
bool isDry(const Flooded& flooded)
{
  return flooded.label == 0;
}

template <class Flood>
void testErrors(const typename Flood::Message& wet)
{
  const Box box = Box::ofSize(8, 8, 8);
  Box half = box;
  half.hi[0] = 3;
  // Level 0, or pass 0 and no hops.
  Words words(512, std::is_same<Flood, WatershedPasses>::value ? 0 : 65535);
  const Labels markers(512, 0);
  Labels out(512, 0);
  const VectorLabels labels(box, markers, out);
  CHECK_THROWS(Flood(box, half, words.data(), labels), std::invalid_argument);
  Flood part(half, box, words.data(), labels);
  part.start();
  std::vector<typename Flood::Message> some(64);
  Box face = half;
  face.lo[0] = 3;
  part.read(face, some.data());
  CHECK(isDry(some[0]));
  face.lo[0] = face.hi[0] = 4;
  CHECK_THROWS(part.read(face, some.data()), std::invalid_argument);
  CHECK(!part.hear(0, true, face, some.data()));
  CHECK_THROWS(part.hear(0, false, face, some.data()), std::invalid_argument);
  CHECK_THROWS(part.hear(1, true, face, some.data()), std::invalid_argument);
  face.lo[0] = face.hi[0] = -1; // there the image ends
  CHECK_THROWS(part.hear(0, false, face, some.data()), std::invalid_argument);
  // Who has seen enough ends it.
  face.lo[0] = face.hi[0] = 4;
  some.assign(64, wet);
  segcore::Progress progress;
  progress.cancelled = [] { return true; };
  CHECK(part.hear(0, true, face, some.data()));
  CHECK(!part.hear(0, true, face, some.data()));
  CHECK_THROWS(part.run(progress), segcore::Cancelled);
  part.run();
  CHECK_EQUAL(part.visits(), 1);
  CHECK_EQUAL(
    std::count(out.begin(), out.end(), 1), (std::is_same<Flood, WatershedPasses>::value ? 0 : 256));
  std::vector<typename Flood::Message> all(256);
  part.read(half, all.data());
  for (const auto& message : all)
  {
    CHECK(!isDry(message));
  }
}

} // namespace

int TestWatershed(int, char*[])
{
  testRandom();
  testHills();
  testPermutation();
  testFlat();
  testSpiral();
  testCheckerboard();
  testEmptyAndFull();
  testVisits();
  testOverflow();
  testDetours();
  testErrors<WatershedPasses>(0);
  testErrors<Watershed<std::uint32_t>>({ 7, 1 });
  testErrors<Watershed<std::uint64_t>>({ 7, 1 });
  return check::result();
}
