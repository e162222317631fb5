// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// SmoothGradient against the definition, voxel by voxel over the whole box of weights; and the same
// bits however the image is cut, mirrored or scaled.

#include "SmoothGradient.h"

#include "Check.h"
#include "Volumes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using segcore::Box;
using segcore::Index;

namespace
{

constexpr double None = std::numeric_limits<double>::quiet_NaN();

template <class V>
bool isFinite(V value)
{
  return std::isfinite(static_cast<double>(value));
}

template <class V>
std::vector<double> slow(
  const Box& box, const std::vector<V>& volume, const double spacing[3], double deviation)
{
  const auto at = [&](const Index(&v)[3])
  {
    Index place[3];
    for (int a = 0; a < 3; ++a)
    {
      place[a] = std::clamp(v[a], box.lo[a], box.hi[a]);
    }
    return static_cast<std::size_t>(box.offset(place[0], place[1], place[2]));
  };
  Index reach[3];
  double s[3];
  for (int a = 0; a < 3; ++a)
  {
    s[a] = deviation / spacing[a];
    reach[a] = static_cast<Index>(std::ceil(4.0 * s[a]));
  }
  const auto weight = [&](int a, Index k)
  { return k == 0 ? 1.0 : std::exp(-0.5 * static_cast<double>(k * k) / (s[a] * s[a])); };
  const auto forVoxels = [&](const auto& work)
  {
    Index v[3];
    for (v[2] = box.lo[2]; v[2] <= box.hi[2]; ++v[2])
    {
      for (v[1] = box.lo[1]; v[1] <= box.hi[1]; ++v[1])
      {
        for (v[0] = box.lo[0]; v[0] <= box.hi[0]; ++v[0])
        {
          work(v);
        }
      }
    }
  };
  std::vector<double> smooth(volume.size(), None), result(volume.size(), None);
  forVoxels(
    [&](const Index(&v)[3])
    {
      if (!isFinite(volume[at(v)]))
      {
        return;
      }
      double sum = 0.0, total = 0.0;
      for (Index z = -reach[2]; z <= reach[2]; ++z)
      {
        for (Index y = -reach[1]; y <= reach[1]; ++y)
        {
          for (Index x = -reach[0]; x <= reach[0]; ++x)
          {
            const V value = volume[at({ v[0] + x, v[1] + y, v[2] + z })];
            if (isFinite(value))
            {
              const double w = weight(0, x) * weight(1, y) * weight(2, z);
              sum += w * static_cast<double>(value);
              total += w;
            }
          }
        }
      }
      smooth[at(v)] = sum / total;
    });
  forVoxels(
    [&](const Index(&v)[3])
    {
      double square = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        double ends[2];
        for (int side = 0; side < 2; ++side)
        {
          Index u[3] = { v[0], v[1], v[2] };
          u[a] += side ? 1 : -1;
          ends[side] = std::isnan(smooth[at(u)]) ? smooth[at(v)] : smooth[at(u)];
        }
        const double slope = (ends[1] - ends[0]) / (2.0 * spacing[a]);
        square += slope * slope;
      }
      result[at(v)] = std::isnan(smooth[at(v)]) ? None : std::sqrt(square);
    });
  return result;
}

template <class V>
struct Facts
{
  double largest = 0.0;
  bool complete = true;
  explicit Facts(const std::vector<V>& volume)
  {
    for (const V value : volume)
    {
      this->complete = this->complete && isFinite(value);
      this->largest = isFinite(value)
        ? std::max(this->largest, std::abs(static_cast<double>(value)))
        : this->largest;
    }
  }
};

/// In `count` blocks, each of which has its halo alone; as an array, or around the block.
template <class V>
std::vector<float> gradients(const Box& box, const std::vector<V>& volume, const double spacing[3],
  double deviation, int count, bool knownComplete = true, bool shell = false)
{
  const Facts<V> facts(volume);
  std::vector<float> result(volume.size(), -1.0f);
  check::Random random(volume.size());
  for (const Box& target : volumes::split(box, count, count > 2 ? &random : nullptr))
  {
    Index halo[3];
    segcore::smoothGradientHalo(spacing, deviation, halo);
    const Box padded = target.grown(halo).clipped(box);
    const std::vector<V> part = volumes::crop(volume, box, padded);
    std::vector<float> out(static_cast<std::size_t>(target.size()));
    if (shell)
    {
      const std::vector<V> own = volumes::crop(volume, box, target);
      segcore::ShellArray<V> around(own.data(), target, target, padded);
      around.forEachSide(
        [&](const Box& side, V* to)
        {
          const std::vector<V> values = volumes::crop(volume, box, side);
          std::copy(values.begin(), values.end(), to);
        });
      const segcore::TypedVolumeRows<V, segcore::ShellArray<V>> rows(
        std::move(around), segcore::powerOfTwoTo1(facts.largest), {});
      segcore::smoothGradient(
        rows, box, spacing, deviation, facts.complete && knownComplete, target, out.data());
    }
    else
    {
      segcore::smoothGradient(part.data(), padded, facts.largest, box, spacing, deviation,
        facts.complete && knownComplete, target, out.data());
    }
    volumes::paste(out, target, result, box);
  }
  return result;
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b)
{
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <class V>
void checkVolume(
  const Box& box, const std::vector<V>& volume, const double spacing[3], double deviation)
{
  const std::string before = check::context();
  const std::vector<float> all = gradients(box, volume, spacing, deviation, 1);
  const std::vector<double> expected = slow(box, volume, spacing, deviation);
  // Ours are divided by a power of two: the quotient is the same everywhere.
  double highest = 0.0, ours = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i)
  {
    if (expected[i] > highest)
    {
      highest = expected[i];
      ours = static_cast<double>(all[i]);
    }
  }
  const double scale = highest > 0.0 ? std::exp2(std::round(std::log2(highest / ours))) : 1.0;
  for (std::size_t i = 0; i < expected.size(); ++i)
  {
    const double got = static_cast<double>(all[i]) * scale;
    CHECK_EQUAL(std::isnan(got), std::isnan(expected[i]));
    if (!(std::isnan(got) || std::abs(got - expected[i]) <= 1e-7 * expected[i] + 1e-12 * highest))
    {
      check::equal(got, expected[i], __FILE__, __LINE__, "gradient");
    }
  }
  for (const int count : { 2, 5, 9 })
  {
    for (const int threads : { 1, 3 })
    {
      check::setContext(before, " blocks ", count, " threads ", threads);
      check::withThreads(
        threads, [&] { CHECK(sameBits(gradients(box, volume, spacing, deviation, count), all)); });
      CHECK(sameBits(gradients(box, volume, spacing, deviation, count, true, true), all));
    }
  }
  // That nothing is missing may or may not be known.
  CHECK(sameBits(gradients(box, volume, spacing, deviation, 2, false), all));
  check::setContext(before);
}

void testRandom()
{
  check::Random random(3);
  const double spacings[][3] = { { 1.0, 1.0, 1.0 }, { 0.5, 1.25, 2.0 }, { 0.001, 0.0007, 0.003 } };
  for (int turn = 0; turn < 18; ++turn)
  {
    Box box = Box::ofSize(turn % 6 == 1 ? 1 : 1 + random.below(30), 1 + random.below(20),
      turn % 3 == 2 ? 1 : 1 + random.below(14));
    box.lo[1] -= 9;
    box.hi[1] -= 9;
    const double* spacing = spacings[turn % 3];
    const double deviation = spacing[1] * (turn % 4 == 0 ? 0.0 : 0.7 * (turn % 4));
    check::setContext("turn ", turn);
    checkVolume(box,
      volumes::make<short>(
        box, [&](Index, Index, Index) { return static_cast<short>(random.below(3000) - 1000); }),
      spacing, deviation);
    checkVolume(box,
      volumes::make<std::uint64_t>(
        box, [&](Index, Index, Index) { return ~std::uint64_t{ 0 } - random.next() / 2; }),
      spacing, deviation);
    checkVolume(box,
      volumes::make<float>(box,
        [&](Index, Index, Index)
        {
          const Index dice = random.below(40);
          const float infinity = std::numeric_limits<float>::infinity();
          return turn % 8 != 2 && dice < 6 ? (dice == 0 ? infinity : std::nanf(""))
                                           : static_cast<float>(random.unit());
        }),
      spacing, deviation);
  }
  check::setContext("");
}

/// The largest and the smallest numbers there are, and what is as exact as numbers are.
void testExtremes()
{
  check::Random random(4);
  const Box box = Box::ofSize(13, 9, 8);
  const double spacing[3] = { 1.0, 0.5, 2.0 };
  const auto small = volumes::make<double>(
    box, [&](Index, Index, Index) { return static_cast<double>(random.below(2000) - 1000); });
  const std::vector<float> expected = gradients(box, small, spacing, 1.0, 1);
  for (const int exponent : { 1013, -1000 })
  {
    std::vector<double> scaled;
    for (const double value : small)
    {
      scaled.push_back(std::ldexp(value, exponent));
    }
    CHECK(sameBits(gradients(box, scaled, spacing, 1.0, 1), expected));
  }
  const double tiny[3] = { 1.0 / 4096, 0.5 / 4096, 2.0 / 4096 };
  CHECK(sameBits(gradients(box, small, tiny, 1.0 / 4096, 1), expected));
  // Mirrored: the same bits in mirrored order.
  for (int a = 0; a < 3; ++a)
  {
    const auto mirror = [&](const auto& values)
    {
      auto turned = values;
      for (Index k = 0; k < 8; ++k)
      {
        for (Index j = 0; j < 9; ++j)
        {
          for (Index i = 0; i < 13; ++i)
          {
            turned[static_cast<std::size_t>(box.offset(i, j, k))] = values[static_cast<std::size_t>(
              box.offset(a == 0 ? 12 - i : i, a == 1 ? 8 - j : j, a == 2 ? 7 - k : k))];
          }
        }
      }
      return turned;
    };
    CHECK(sameBits(gradients(box, mirror(small), spacing, 1.0, 1), mirror(expected)));
  }
  // Flat is flat.
  const std::vector<int> flat(small.size(), -77);
  for (const float value : gradients(box, flat, spacing, 1.0, 1))
  {
    CHECK(value < 1e-15f);
  }
  const std::vector<float> nothing(small.size(), std::nanf(""));
  for (const float value : gradients(box, nothing, spacing, 1.0, 1))
  {
    CHECK(std::isnan(value));
  }
}

void testLevels()
{
  std::vector<float> values{ -1.0f, 3.0f, std::nanf(""), 1.0f, 2.99999f, -0.99995f };
  const auto range = segcore::rangeOf(values.data(), 6);
  CHECK_EQUAL(range.low, -1.0f);
  CHECK_EQUAL(range.high, 3.0f);
  segcore::floatsToLevels(values.data(), 6, range);
  std::uint32_t levels[6];
  std::memcpy(levels, values.data(), sizeof(levels));
  const std::uint32_t expected[6] = { 0, 65534, 65535, 32767, 65534, 1 };
  CHECK_RANGES(levels, expected, 6);
  // Many parts, in place.
  check::Random random(8);
  std::vector<float> many(300000);
  for (float& value : many)
  {
    value = random.below(10) ? static_cast<float>(random.unit()) : std::nanf("");
  }
  const auto wide = segcore::rangeOf(many.data(), 300000);
  const std::vector<float> before = many;
  check::withThreads(3, [&] { segcore::floatsToLevels(many.data(), 300000, wide); });
  std::vector<std::uint32_t> got(300000), truth;
  std::memcpy(got.data(), many.data(), 1200000);
  for (const float value : before)
  {
    const double part = (static_cast<double>(value) - static_cast<double>(wide.low)) /
      (static_cast<double>(wide.high) - static_cast<double>(wide.low));
    truth.push_back(
      std::isnan(value) ? 65535 : static_cast<std::uint32_t>(std::floor(part * 65534.0 + 0.5)));
  }
  Index different = 0;
  for (std::size_t i = 0; i < truth.size(); ++i)
  {
    // The quotient may be rounded otherwise than the factor.
    CHECK(std::abs(static_cast<Index>(got[i]) - static_cast<Index>(truth[i])) <= 1);
    different += got[i] != truth[i] ? 1 : 0;
  }
  CHECK(different < 3);
  // One value is one level, and no value none.
  std::vector<float> one(3, 0.1f);
  segcore::floatsToLevels(one.data(), 3, segcore::rangeOf(one.data(), 3));
  std::memcpy(levels, one.data(), 12);
  CHECK_EQUAL(levels[0] + levels[1] + levels[2], 0u);
  std::vector<float> none(2, std::nanf(""));
  CHECK(!segcore::rangeOf(none.data(), 2).any());
  segcore::floatsToLevels(none.data(), 2, segcore::rangeOf(none.data(), 2));
  std::memcpy(levels, none.data(), 8);
  CHECK_EQUAL(levels[0], 65535u);
  CHECK_EQUAL(levels[1], 65535u);
}

void testErrors()
{
  const Box box = Box::ofSize(4, 4, 4);
  Box half = box;
  half.hi[0] = 1;
  const std::vector<int> volume(64, 0);
  std::vector<float> out(64);
  const double spacing[3] = { 1.0, 1.0, 0.1 };
  const auto run = [&](const Box& whole, double deviation)
  {
    segcore::smoothGradient(
      volume.data(), box, 1.0, whole, spacing, deviation, true, box, out.data());
  };
  CHECK_THROWS(run(half, 1.0), std::invalid_argument);
  CHECK_THROWS(run(box, -1.0), std::invalid_argument);
  CHECK_THROWS(run(box, std::nan("")), std::invalid_argument);
  CHECK_THROWS(run(box, 12.9), std::invalid_argument); // 516 voxels along z
  run(box, 12.8);
  Index halo[3];
  segcore::smoothGradientHalo(spacing, 2.0, halo);
  CHECK_EQUAL(halo[0], 9);
  CHECK_EQUAL(halo[2], 81);
  segcore::smoothGradientHalo(spacing, 0.0, halo);
  CHECK_EQUAL(halo[1], 1);
}

} // namespace

int TestSmoothGradient(int, char*[])
{
  testRandom();
  testExtremes();
  testLevels();
  testErrors();
  return check::result();
}
