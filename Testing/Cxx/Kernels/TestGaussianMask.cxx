// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// GaussianMask. Truth: exact weights in double, where they decide clearly; everywhere, a loop over
// the integers that the header defines.

#include "GaussianMask.h"
#include "Instructions.h"

#include "Check.h"
#include "Volumes.h"

#include <array>
#include <cmath>

using segcore::BitBlock;
using segcore::Box;
using segcore::Index;

namespace
{

using Mask = std::vector<std::uint8_t>;

/// The smoothed value of each voxel, clipped and scaled at the border.
std::vector<double> slowValues(
  const Mask& mask, const Box& box, const double s[3], double reach = 4.0)
{
  std::vector<double> weights[3];
  for (int a = 0; a < 3; ++a)
  {
    const Index r = static_cast<Index>(reach * s[a]);
    for (Index k = -r; k <= r; ++k)
    {
      const double t = r ? static_cast<double>(k) / s[a] : 0.0;
      weights[a].push_back(std::exp(-0.5 * t * t));
    }
  }
  std::vector<double> result;
  for (Index z = 0; z < box.dim(2); ++z)
  {
    for (Index y = 0; y < box.dim(1); ++y)
    {
      for (Index x = 0; x < box.dim(0); ++x)
      {
        double sum = 0.0, all = 0.0;
        for (Index i = 0; i < box.size(); ++i)
        {
          const Index at[3] = { i % box.dim(0) - x, i / box.dim(0) % box.dim(1) - y,
            i / box.dim(0) / box.dim(1) - z };
          double weight = 1.0;
          for (int a = 0; a < 3; ++a)
          {
            const Index r = static_cast<Index>(weights[a].size()) / 2;
            weight *= std::abs(at[a]) <= r ? weights[a][static_cast<std::size_t>(at[a] + r)] : 0.0;
          }
          all += weight;
          sum += mask[static_cast<std::size_t>(i)] ? weight : 0.0;
        }
        result.push_back(sum / all);
      }
    }
  }
  return result;
}

Mask smoothed(const Mask& mask, const Box& whole, const double s[3], int blocks)
{
  check::Random random(static_cast<std::uint64_t>(blocks));
  Index halo[3];
  segcore::gaussianHalo(s, halo);
  Mask joined(mask.size(), 9);
  for (const Box& block : volumes::split(whole, blocks, blocks % 2 ? &random : nullptr))
  {
    BitBlock in(block.grown(halo).clipped(whole)), out(block);
    segcore::packBlock(mask.data(), whole, in);
    segcore::smoothBits(in, whole, s, out);
    segcore::unpackBlock(out, joined.data(), whole);
  }
  return joined;
}

/// The values of smoothMask, block by block.
std::vector<double> valuesOf(
  const Mask& mask, const Box& whole, const double s[3], double reach, int blocks)
{
  check::Random random(static_cast<std::uint64_t>(blocks));
  Index halo[3];
  segcore::gaussianHalo(s, halo, reach);
  std::vector<double> joined(mask.size(), -1.0);
  for (const Box& block : volumes::split(whole, blocks, blocks % 2 ? &random : nullptr))
  {
    BitBlock in(block.grown(halo).clipped(whole));
    segcore::packBlock(mask.data(), whole, in);
    segcore::smoothMask(in, whole, s, reach, block, [&](Index y, Index z, const double* values)
      { std::copy_n(values, block.dim(0), joined.data() + whole.offset(block.lo[0], y, z)); });
  }
  return joined;
}

void testValues(const Box& whole, const Mask& mask, const double s[3])
{
  for (const double reach : { 3.0, 4.0 })
  {
    const std::vector<double> serial = valuesOf(mask, whole, s, reach, 1);
    const std::vector<double> expected = slowValues(mask, whole, s, reach);
    const Mask cut = smoothed(mask, whole, s, 1);
    for (std::size_t i = 0; i < mask.size(); ++i)
    {
      CHECK(std::abs(serial[i] - expected[i]) < 5e-4);
      // Exactly, not nearly: what is far from the edge stays as it is.
      CHECK(expected[i] > 0.0 || serial[i] == 0.0);
      CHECK(expected[i] < 1.0 || serial[i] == 1.0);
      CHECK(reach == 3.0 || cut[i] == (serial[i] >= 0.5 ? 1 : 0));
    }
    for (const int threads : { 1, 2 })
    {
      check::withThreads(threads,
        [&]()
        {
          for (const int blocks : { 2, 3, 5 })
          {
            CHECK_RANGES(valuesOf(mask, whole, s, reach, blocks), serial, whole.size());
          }
        });
    }
  }
}

void testVolume(const Box& whole, const Mask& mask, const double s[3])
{
  const Mask serial = smoothed(mask, whole, s, 1);
  const std::vector<double> values = slowValues(mask, whole, s);
  Index clear = 0;
  for (std::size_t i = 0; i < mask.size(); ++i)
  {
    if (std::abs(values[i] - 0.5) > 3e-4)
    {
      ++clear;
      CHECK_EQUAL(static_cast<int>(serial[i]), values[i] > 0.5 ? 1 : 0);
    }
  }
  CHECK(clear > whole.size() / 2);
  for (const int threads : { 1, 2 })
  {
    check::withThreads(threads,
      [&]()
      {
        for (const int blocks : { 2, 3, 5 })
        {
          CHECK_RANGES(smoothed(mask, whole, s, blocks), serial, whole.size());
        }
      });
  }
  // Mirrored, and with x and z swapped.
  Box swappedBox = Box::ofSize(whole.dim(2), whole.dim(1), whole.dim(0));
  Mask swappedMask(mask.size()), expected(mask.size());
  const double swappedS[3] = { s[2], s[1], s[0] };
  std::size_t i = 0;
  for (Index z = 0; z < whole.dim(2); ++z)
  {
    for (Index y = 0; y < whole.dim(1); ++y)
    {
      for (Index x = 0; x < whole.dim(0); ++x, ++i)
      {
        const auto to = static_cast<std::size_t>(
          swappedBox.offset(z, whole.dim(1) - 1 - y, whole.dim(0) - 1 - x));
        swappedMask[to] = mask[i];
        expected[to] = serial[i];
      }
    }
  }
  CHECK_RANGES(smoothed(swappedMask, swappedBox, swappedS, 1), expected, whole.size());
}

/// The weights of the header: integers whose sums from k outwards are the rounded ones.
std::vector<Index> integerWeights(double s, Index r)
{
  std::vector<double> tails(static_cast<std::size_t>(r + 2), 0.0);
  for (Index k = r; k >= 0; --k)
  {
    const double t = k ? static_cast<double>(k) / s : 0.0;
    tails[static_cast<std::size_t>(k)] =
      tails[static_cast<std::size_t>(k + 1)] + std::exp(-0.5 * t * t);
  }
  std::vector<Index> weights(static_cast<std::size_t>(r + 1));
  Index before = 0;
  for (Index k = r; k >= 1; --k)
  {
    const auto i = static_cast<std::size_t>(k);
    const Index tail = std::lround(32767.0 / (1.0 + 2.0 * tails[1]) * tails[i]);
    weights[i] = tail - before;
    before = tail;
  }
  weights[0] = 32767 - 2 * before;
  return weights;
}

/// The sums of the header, one axis after the other, of the mask or of all voxels.
std::vector<Index> integerSums(std::vector<Index> sums, const Box& box, const double s[3])
{
  const Index steps[3] = { 1, box.dim(0), box.dim(0) * box.dim(1) };
  for (int a = 0; a < 3; ++a)
  {
    const Index r = static_cast<Index>(4.0 * s[a]);
    const std::vector<Index> weights = integerWeights(s[a], r);
    std::vector<Index> next(sums.size(), 0);
    for (Index i = 0; i < box.size(); ++i)
    {
      const Index at = i / steps[a] % box.dim(a);
      for (Index k = std::max(-r, -at); k <= std::min(r, box.dim(a) - 1 - at); ++k)
      {
        next[static_cast<std::size_t>(i)] += weights[static_cast<std::size_t>(std::abs(k))] *
          sums[static_cast<std::size_t>(i + k * steps[a])];
      }
    }
    sums = next;
  }
  return sums;
}

/// Every voxel, however near to one half, with and without wide instructions.
void testIntegers()
{
  struct Case
  {
    std::vector<std::array<double, 3>> deviations;
    Index size[3];
  };
  const std::vector<std::array<double, 3>> some{ { 6, 6, 5 }, { 0.2, 2.4, 1.3 }, { 17, 0.3, 0.6 },
    { 30, 30, 0 } };
  const Case cases[] = {
    { some, { 131, 30, 21 } },
    { some, { 33, 41, 7 } },
    { some, { 75, 20, 3 } },
    // In several parts along z, along y, and whole rows for the sink.
    { some, { 64, 9, 70 } },
    { { { 0.5, 0.6, 30 } }, { 9, 150, 130 } },
    { { { 6, 6, 5 } }, { 600, 33, 12 } },
  };
  check::Random random(5);
  for (const auto& [deviations, size] : cases)
  {
    for (const auto& [sx, sy, sz] : deviations)
    {
      const double s[3] = { sx, sy, sz };
      const Box box = Box::ofSize(size[0], size[1], size[2]);
      Mask mask(static_cast<std::size_t>(box.size()));
      std::vector<Index> ones(mask.size(), 1), bits(mask.size());
      for (std::size_t i = 0; i < mask.size(); ++i)
      {
        // Noise, blocks and a part with nothing, another with everything.
        const Index x = static_cast<Index>(i) % size[0];
        const Index y = static_cast<Index>(i) / size[0] % size[1];
        mask[i] = y < size[1] / 4 ? (x / 7 + y / 5) % 2 == 0
          : y < size[1] / 2       ? x > size[0] / 2
                                  : random.below(2) == 0;
        bits[i] = mask[i];
      }
      const std::vector<Index> sums = integerSums(bits, box, s), all = integerSums(ones, box, s);
      Mask expected(mask.size());
      for (std::size_t i = 0; i < mask.size(); ++i)
      {
        expected[i] = 2 * sums[i] >= all[i];
      }
      for (const bool wide : { true, false })
      {
        segcore::allowWideInstructions(wide);
        for (const int threads : { 1, 3 })
        {
          check::setContext("integers ", s[0], " ", size[0], " wide ", wide, " threads ", threads);
          check::withThreads(threads,
            [&]()
            {
              for (const int blocks : { 1, 4, 5 })
              {
                CHECK_RANGES(smoothed(mask, box, s, blocks), expected, box.size());
              }
              const std::vector<double> values = valuesOf(mask, box, s, 4.0, threads);
              Index wrong = 0;
              for (std::size_t i = 0; i < mask.size(); ++i)
              {
                wrong += values[i] != static_cast<double>(sums[i]) / static_cast<double>(all[i]);
              }
              CHECK_EQUAL(wrong, 0);
            });
        }
      }
      segcore::allowWideInstructions(true);
    }
  }
}

/// Exactly one half stays: half of a kernel with an even number of voxels, clipped by the image.
void testTie()
{
  const Box box = Box::ofSize(2, 1, 1);
  const double s[3] = { 1.0, 0.0, 0.0 };
  // w0 / (w0 + w1) > 1/2 for the own voxel; two slices of one voxel each are alike along y.
  CHECK_RANGES(smoothed({ 1, 0 }, box, s, 1), Mask({ 1, 0 }), 2);
  const Box square = Box::ofSize(2, 2, 1);
  const double both[3] = { 1.0, 1.0, 0.0 };
  // Along the diagonal: (w0 w0 + w1 w1) against 2 w0 w1, more than one half for the object.
  CHECK_RANGES(smoothed({ 1, 0, 0, 1 }, square, both, 1), Mask({ 1, 0, 0, 1 }), 4);
  // Three slices, s so large that all weights of the image are nearly equal: two of three, one of
  // three.
  const Box line = Box::ofSize(1, 1, 3);
  const double wide[3] = { 0.0, 0.0, 100.0 };
  CHECK_RANGES(smoothed({ 1, 0, 1 }, line, wide, 1), Mask({ 1, 1, 1 }), 3);
  CHECK_RANGES(smoothed({ 0, 0, 1 }, line, wide, 1), Mask({ 0, 0, 0 }), 3);
  // Two of four: the nearer ones have more weight, so each voxel stays as it is.
  const Box four = Box::ofSize(4, 1, 1);
  const double flat[3] = { 2.0, 0.0, 0.0 };
  CHECK_RANGES(smoothed({ 1, 1, 0, 0 }, four, flat, 1), Mask({ 1, 1, 0, 0 }), 4);
}

} // namespace

int TestGaussianMask(int, char*[])
{
  Box whole = Box::ofSize(13, 9, 8);
  whole.lo[0] -= 4;
  whole.hi[0] -= 4;
  const double deviations[][3] = { { 1, 1, 1 }, { 0.2, 2, 0.6 }, { 3, 0.24, 1.3 }, { 7, 5, 9 } };
  for (const auto& s : deviations)
  {
    for (const volumes::Named& mask : volumes::masks(whole, 31))
    {
      if (mask.name == "checkerboard" || mask.name == "noise 50" || mask.name == "snake" ||
        mask.name == "not snake")
      {
        continue; // close to one half everywhere
      }
      check::setContext(mask.name, " deviations ", s[0], " ", s[1], " ", s[2]);
      testVolume(whole, mask.voxels, s);
      testValues(whole, mask.voxels, s);
    }
  }
  check::setContext("long rows");
  const double unit[3] = { 1.5, 1, 1 };
  for (const volumes::Named& mask : volumes::masks(Box::ofSize(150, 3, 2), 9))
  {
    if (mask.name == "balls" || mask.name == "full" || mask.name == "empty")
    {
      testVolume(Box::ofSize(150, 3, 2), mask.voxels, unit);
      testValues(Box::ofSize(150, 3, 2), mask.voxels, unit);
    }
  }
  testIntegers();
  check::setContext("ties");
  testTie();
  check::setContext("errors");
  const Box one = Box::ofSize(1, 1, 1);
  BitBlock in(one), out(one);
  in.clear();
  const double negative[3] = { 1, -1, 1 };
  const double wide[3] = { 1, 1, 200 };
  CHECK_THROWS(segcore::smoothBits(in, one, negative, out), std::invalid_argument);
  CHECK_THROWS(segcore::smoothBits(in, one, wide, out), std::invalid_argument);
  CHECK_THROWS(segcore::smoothBits(in, one.grown(3), unit, out), std::invalid_argument);
  const auto nothing = [](Index, Index, const double*) {};
  CHECK_THROWS(segcore::smoothMask(in, one, negative, 3.0, one, nothing), std::invalid_argument);
  CHECK_THROWS(segcore::smoothMask(in, one, wide, 3.0, one, nothing), std::invalid_argument);
  CHECK_THROWS(
    segcore::smoothMask(in, one.grown(3), unit, 3.0, one, nothing), std::invalid_argument);
  return check::result();
}
