// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "BoxMajority.h"

#include "Check.h"
#include "Volumes.h"

using segcore::Box;
using segcore::Index;

namespace
{

std::vector<std::uint8_t> slowMajority(
  const std::vector<std::uint8_t>& mask, const Box& whole, const Index size[3])
{
  std::vector<std::uint8_t> out;
  for (Index z = whole.lo[2]; z <= whole.hi[2]; ++z)
  {
    for (Index y = whole.lo[1]; y <= whole.hi[1]; ++y)
    {
      for (Index x = whole.lo[0]; x <= whole.hi[0]; ++x)
      {
        const Index radius[3] = { size[0] / 2, size[1] / 2, size[2] / 2 };
        Box window;
        window.lo[0] = window.hi[0] = x;
        window.lo[1] = window.hi[1] = y;
        window.lo[2] = window.hi[2] = z;
        window = window.grown(radius).clipped(whole);
        Index count = 0;
        for (const std::uint8_t v : volumes::crop(mask, whole, window))
        {
          count += v != 0;
        }
        out.push_back(2 * count > window.size());
      }
    }
  }
  return out;
}

/// From and to bytes, as the volumes of the tests are.
void boxMajority(const std::vector<std::uint8_t>& mask, const Box& padded, const Box& whole,
  const Box& target, const Index size[3], std::vector<std::uint8_t>& out,
  const segcore::Progress& progress = segcore::Progress())
{
  segcore::BitBlock in(padded), result(target);
  segcore::packBlock(mask.data(), padded, in);
  segcore::boxMajority(in, whole, size, result, progress);
  segcore::unpackBlock(result, out.data(), target);
}

void testVolume(const Box& whole, const volumes::Named& mask, const Index size[3], bool slow)
{
  const Index radius[3] = { size[0] / 2, size[1] / 2, size[2] / 2 };
  std::vector<std::uint8_t> expected(mask.voxels.size(), 9);
  boxMajority(mask.voxels, whole, whole, whole, size, expected);
  if (slow)
  {
    CHECK_RANGES(expected, slowMajority(mask.voxels, whole, size), whole.size());
  }
  check::Random random(static_cast<std::uint64_t>(size[0] + 17 * size[1]));
  for (const int threads : { 1, 2 })
  {
    check::withThreads(threads,
      [&]()
      {
        for (const int blocks : { 1, 2, 3, 5, 8 })
        {
          std::vector<std::uint8_t> joined(mask.voxels.size(), 9);
          for (const Box& block : volumes::split(whole, blocks, blocks % 2 ? &random : nullptr))
          {
            const Box padded = block.grown(radius).clipped(whole);
            const std::vector<std::uint8_t> input = volumes::crop(mask.voxels, whole, padded);
            std::vector<std::uint8_t> out(static_cast<std::size_t>(block.size()), 9);
            boxMajority(input, padded, whole, block, size, out);
            volumes::paste(out, block, joined, whole);
          }
          CHECK_RANGES(joined, expected, whole.size());
        }
      });
  }
}

} // namespace

int TestBoxMajority(int, char*[])
{
  Box whole = Box::ofSize(19, 13, 11);
  whole.lo[0] -= 4;
  whole.lo[2] += 2;
  // Few and many bits in a count; no axis alike; a window wider than the image; single voxel.
  const Index sizes[][3] = { { 1, 1, 1 }, { 3, 3, 3 }, { 5, 5, 5 }, { 3, 5, 7 }, { 7, 1, 3 },
    { 21, 3, 1 }, { 9, 11, 3 }, { 17, 17, 9 }, { 101, 55, 33 }, { 1, 1, 1000001 } };
  for (const auto& size : sizes)
  {
    for (const volumes::Named& mask : volumes::masks(whole, 11))
    {
      check::setContext(mask.name, " size ", size[0], " ", size[1], " ", size[2]);
      testVolume(whole, mask, size, size[0] * size[1] * size[2] < 2000 || mask.name == "noise 50");
    }
  }
  // Long rows, a single slice, a single column.
  for (const Box& box : { Box::ofSize(200, 40, 1), Box::ofSize(1, 1, 90), Box::ofSize(3, 90, 2) })
  {
    for (const volumes::Named& mask : volumes::masks(box, 12))
    {
      check::setContext(mask.name, " flat box ", box.dim(0));
      testVolume(box, mask, sizes[1], true);
      testVolume(box, mask, sizes[3], true);
    }
  }

  // Sizes in millimetres: Python's 2 * round((size / spacing + 1) / 2) - 1.
  check::setContext("kernelVoxels");
  CHECK_EQUAL(segcore::kernelVoxels(3.0, 1.0), 3);
  CHECK_EQUAL(segcore::kernelVoxels(5.0, 1.0), 5);
  CHECK_EQUAL(segcore::kernelVoxels(0.0, 1.0), 1); // Slicer's formula gives -1
  CHECK_EQUAL(segcore::kernelVoxels(2.0, 1.0), 3); // round(1.5) = 2
  CHECK_EQUAL(segcore::kernelVoxels(4.0, 1.0), 3); // round(2.5) = 2
  CHECK_EQUAL(segcore::kernelVoxels(6.0, 1.0), 7); // round(3.5) = 4
  CHECK_EQUAL(segcore::kernelVoxels(3.0, 0.5), 7); // round(3.5) = 4
  CHECK_EQUAL(segcore::kernelVoxels(3.0, 0.4), 7); // round(4.25) = 4

  const Box block = Box::ofSize(4, 4, 4);
  std::vector<std::uint8_t> data(64, 1);
  const Index even[3] = { 3, 2, 3 };
  CHECK_THROWS(boxMajority(data, block, block, block, even, data), std::invalid_argument);
  CHECK_THROWS(
    boxMajority(data, block, block.grown(1), block, sizes[1], data), std::invalid_argument);
  return check::result();
}
