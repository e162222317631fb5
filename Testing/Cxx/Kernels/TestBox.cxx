// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "Box.h"
#include "Buffer.h"
#include "Check.h"

using segcore::Box;
using segcore::Index;

int TestBox(int, char*[])
{
  const int extent[6] = { -2, 3, 5, 5, 10, 12 };
  const Box box = Box::fromExtent(extent);
  CHECK_EQUAL(box.dim(0), 6);
  CHECK_EQUAL(box.dim(1), 1);
  CHECK_EQUAL(box.size(), 18);
  CHECK_EQUAL(box.rows(), 3);
  CHECK(!box.empty());
  CHECK(box.contains(-2, 5, 12));
  CHECK(!box.contains(-3, 5, 12));
  CHECK_EQUAL(box.offset(-2, 5, 10), 0);
  CHECK_EQUAL(box.offset(3, 5, 12), 17);

  int back[6];
  box.toExtent(back);
  CHECK_RANGES(back, extent, 6);
  Box far = box;
  far.hi[0] = Index{ 1 } << 40;
  CHECK_THROWS(far.toExtent(back), std::overflow_error);
  far.hi[1] = 5 + (Index{ 1 } << 12);
  CHECK(far.size() > Index{ 1 } << 52); // no 32-bit product on the way

  const Index halo[3] = { 1, 2, 0 };
  const Box grown = box.grown(halo);
  CHECK_EQUAL(grown.lo[1], 3);
  CHECK_EQUAL(grown.dim(1), 5);
  CHECK_EQUAL(grown.dim(2), 3);
  CHECK(grown.contains(box));
  CHECK(!box.contains(grown));
  CHECK(grown.clipped(box) == box);

  const Box none;
  CHECK(none.empty());
  CHECK_EQUAL(none.size(), 0);
  CHECK(none.grown(5).empty());
  CHECK(box.contains(none));
  CHECK(box.unite(none) == box);
  CHECK(none.unite(box) == box);
  CHECK(box.intersect(none).empty());
  CHECK(Box::ofSize(3, 0, 7) == none);
  CHECK_EQUAL(Box::ofSize(3, -4, 7).size(), 0);
  CHECK(box != grown);
  const Box other = Box::ofSize(2, 6, 11);
  const Box both = box.unite(other);
  CHECK(both.contains(box) && both.contains(other));
  CHECK_EQUAL(both.lo[0], -2);
  CHECK_EQUAL(both.hi[2], 12);
  CHECK_EQUAL(box.intersect(other).size(), 2);

  segcore::Buffer<int> a(3);
  a[0] = 1;
  a[1] = 2;
  a[2] = 3;
  segcore::Buffer<int> b(std::move(a));
  CHECK_EQUAL(b.size(), 3);
  CHECK_EQUAL(a.size(), 0); // moved from: empty, by contract
  CHECK_EQUAL(b.end()[-1], 3);
  return check::result();
}
