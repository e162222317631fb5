// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "EuclideanMargin.h"

#include "Check.h"
#include "Volumes.h"

#include <cmath>

using segcore::Box;
using segcore::Index;
using segcore::MarginMethod;

namespace
{

/// The definition, voxel by voxel.
std::vector<std::uint8_t> slowMargin(const std::vector<std::uint8_t>& mask, const Box& whole,
  const double spacing[3], double margin, bool shrink)
{
  const double limit = margin * margin * (1.0 + 1e-12);
  std::vector<std::uint8_t> out(mask.size(), shrink);
  std::vector<Index> sources;
  for (Index i = 0; i < whole.size(); ++i)
  {
    if ((mask[static_cast<std::size_t>(i)] != 0) != shrink)
    {
      sources.push_back(i);
    }
  }
  const Index nx = whole.dim(0);
  const Index ny = whole.dim(1);
  for (Index i = 0; i < whole.size(); ++i)
  {
    for (const Index s : sources)
    {
      const double dx = static_cast<double>(std::abs(i % nx - s % nx)) * spacing[0];
      const double dy = static_cast<double>(std::abs(i / nx % ny - s / nx % ny)) * spacing[1];
      const double dz = static_cast<double>(std::abs(i / nx / ny - s / nx / ny)) * spacing[2];
      if ((dx * dx + dy * dy) + dz * dz <= limit)
      {
        out[static_cast<std::size_t>(i)] = !shrink;
        break;
      }
    }
  }
  return out;
}

void testVolume(const Box& whole, const std::vector<std::uint8_t>& mask, const double spacing[3],
  double margin, bool slow, bool thorough)
{
  Index halo[3];
  segcore::marginHalo(spacing, margin, halo);
  check::Random random(static_cast<std::uint64_t>(1000.0 * margin) + 5);
  for (const bool shrink : { false, true })
  {
    const auto run = shrink ? segcore::shrinkMask : segcore::growMask;
    std::vector<std::uint8_t> expected;
    if (slow)
    {
      expected = slowMargin(mask, whole, spacing, margin, shrink);
    }
    else
    {
      expected.resize(mask.size());
      run(mask.data(), whole, whole, spacing, margin, expected.data(), {}, MarginMethod::PerAxis);
    }
    for (const MarginMethod method :
      { MarginMethod::BitRows, MarginMethod::PerAxis, MarginMethod::Automatic })
    {
      for (const int threads : thorough ? std::vector<int>{ 1, 2 } : std::vector<int>{ 1 })
      {
        check::withThreads(threads,
          [&]()
          {
            const bool all = thorough && threads == 1;
            for (const int blocks :
              all ? std::vector<int>{ 1, 2, 3, 5, 8 } : std::vector<int>{ 1, 5 })
            {
              std::vector<std::uint8_t> joined(mask.size(), 9);
              for (const Box& block : volumes::split(whole, blocks, blocks % 2 ? &random : nullptr))
              {
                const Box padded = block.grown(halo).clipped(whole);
                const std::vector<std::uint8_t> input = volumes::crop(mask, whole, padded);
                std::vector<std::uint8_t> out(static_cast<std::size_t>(block.size()), 9);
                run(input.data(), padded, block, spacing, margin, out.data(), {}, method);
                volumes::paste(out, block, joined, whole);
              }
              CHECK_RANGES(joined, expected, whole.size());
            }
          });
      }
    }
  }
}

/// Counts that can be checked by hand, from effects.md section 2.8.
void testBalls()
{
  const Box whole = Box::ofSize(15, 15, 15);
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(whole.size()), 0);
  mask[static_cast<std::size_t>(whole.offset(7, 7, 7))] = 200; // anything but 0 is object
  const auto grown = [&](double sx, double sy, double sz, double margin)
  {
    const double spacing[3] = { sx, sy, sz };
    std::vector<std::uint8_t> out(mask.size());
    segcore::growMask(mask.data(), whole, whole, spacing, margin, out.data());
    Index count = 0;
    for (const std::uint8_t v : out)
    {
      count += v;
    }
    return count;
  };
  check::setContext("balls");
  CHECK_EQUAL(grown(1, 1, 1, 0.0), 1);
  CHECK_EQUAL(grown(1, 1, 1, 0.99), 1);
  CHECK_EQUAL(grown(1, 1, 1, 1.0), 7);
  CHECK_EQUAL(grown(1, 1, 1, 1.41), 7);
  CHECK_EQUAL(grown(1, 1, 1, std::sqrt(2.0)), 19);
  CHECK_EQUAL(grown(1, 1, 1, std::sqrt(3.0)), 27);
  CHECK_EQUAL(grown(1, 1, 1, 2.0), 33);
  CHECK_EQUAL(grown(1, 1, 1, 3.0), 123);
  CHECK_EQUAL(grown(0.1, 0.1, 0.1, 0.3), 123); // 3 x 0.1 > 0.3 in binary
  CHECK_EQUAL(grown(1, 1, 1, 1e6), 15 * 15 * 15);
  CHECK_EQUAL(grown(1e-3, 1e200, 1e-200, 1e100), 15 * 15);
}

} // namespace

int TestEuclideanMargin(int, char*[])
{
  testBalls();

  Box whole = Box::ofSize(17, 7, 8);
  whole.lo[1] += 3;
  whole.lo[2] -= 8;
  const double spacings[][3] = { { 1, 1, 1 }, { 0.1, 0.3, 0.7 }, { 2.5, 0.4, 1 }, { 5, 5, 0.3 } };
  for (const auto& spacing : spacings)
  {
    const double s = std::min(spacing[0], std::min(spacing[1], spacing[2]));
    // Down to nothing; ties; wider than a block; wider than the volume.
    for (const double factor : { 0.0, 1.0, 1.7, 5.0, 9.3, 100.0 })
    {
      for (const volumes::Named& mask : volumes::masks(whole, 21))
      {
        check::setContext(mask.name, " spacing ", spacing[0], " ", spacing[1], " ", spacing[2],
          " margin ", factor * s);
        testVolume(whole, mask.voxels, spacing, factor * s, true, spacing[0] == 1.0);
      }
    }
  }

  // More than one word per row and more slices than a batch.
  const double unit[3] = { 1, 1, 1 };
  for (const Box& box : { Box::ofSize(300, 12, 3), Box::ofSize(5, 7, 120), Box::ofSize(64, 6, 5) })
  {
    for (const volumes::Named& mask : volumes::masks(box, 22))
    {
      check::setContext(mask.name, " long box ", box.dim(0));
      testVolume(box, mask.voxels, unit, 4.5, mask.name == "noise 3" || mask.name == "balls",
        mask.name == "balls");
      testVolume(box, mask.voxels, unit, 70.0, mask.name == "noise 3" || mask.name == "one voxel",
        mask.name == "noise 3");
    }
  }

  check::setContext("halo");
  Index halo[3];
  const double fine[3] = { 0.1, 1, 1e-30 };
  segcore::marginHalo(fine, 0.3, halo);
  CHECK_EQUAL(halo[0], 3);
  CHECK_EQUAL(halo[1], 0);
  CHECK_EQUAL(halo[2], Index{ 1 } << 31); // bounded, not overflowing

  std::uint8_t voxel = 1;
  const Box one = Box::ofSize(1, 1, 1);
  const double bad[3] = { 1, 0, 1 };
  CHECK_THROWS(segcore::growMask(&voxel, one, one, unit, -1.0, &voxel), std::invalid_argument);
  CHECK_THROWS(segcore::growMask(&voxel, one, one, unit, NAN, &voxel), std::invalid_argument);
  CHECK_THROWS(segcore::growMask(&voxel, one, one, bad, 1.0, &voxel), std::invalid_argument);
  CHECK_THROWS(
    segcore::growMask(&voxel, one, one.grown(1), unit, 1.0, &voxel), std::invalid_argument);
  segcore::Progress stop;
  stop.cancelled = []() { return true; };
  CHECK_THROWS(segcore::growMask(&voxel, one, one, unit, 1.0, &voxel, stop), segcore::Cancelled);
  return check::result();
}
