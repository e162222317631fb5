// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: a strip of rows of one slice is one long row of bits; each row begins with a new word and
// holds the halo along x, so that no window that counts meets another row. Bit-sliced numbers:
// [plane][word of the long row], plane 0 the lowest bits. What belongs to bits beyond the target is
// never used, and may be anything.

#include "BoxMajority.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace segcore
{

namespace
{

/// Words that are worked on together; arrays are a multiple of it.
constexpr Index Chunk = 4;

/// Bits of the numbers 0 .. most.
int digits(Index most)
{
  int count = 0;
  while (most > 0)
  {
    ++count;
    most >>= 1;
  }
  return count;
}

/// Numbers below 2^planes, one for each bit of a long row; there is room for `room` planes.
struct Numbers
{
  std::vector<Word> memory;
  Index stride = 0;
  int planes = 0;

  Numbers() = default;
  /// `words` must be a multiple of Chunk. As many words behind the last plane can be read.
  Numbers(Index words, int room)
    : memory(static_cast<std::size_t>(words * (room + 1)), 0), stride(words)
  {
  }
  Word* plane(int p) { return this->memory.data() + p * this->stride; }
  const Word* plane(int p) const { return this->memory.data() + p * this->stride; }
};

/// sum = a + b, of which the number `shift` bits further on is taken. May be in place of a, and of
/// b if the shift is 0. The sum is below 2^planes.
template <bool bits>
void addMoved(
  const Numbers& a, const Numbers& b, Index shift, int planes, Index words, Numbers& sum)
{
  const Index skip = shift >> 6;
  const Index up = shift & 63;
  const Index down = (64 - up) & 63;
  const int planesA = std::min(a.planes, planes); // a or b may be the sum
  const int planesB = std::min(b.planes, planes);
  const int both = std::min(planesA, planesB);
  for (Index w = 0; w < words; w += Chunk)
  {
    Word carry[Chunk] = {};
    const auto moved = [up, down](const Word* from, Index i)
    { return bits ? (from[i] >> up) | (from[i + 1] << down) : from[i]; };
    int p = 0;
    for (; p < both; ++p)
    {
      const Word* x = a.plane(p) + w;
      const Word* from = b.plane(p) + w + skip;
      Word* to = sum.plane(p) + w;
      for (Index i = 0; i < Chunk; ++i)
      {
        const Word one = x[i];
        const Word two = moved(from, i);
        const Word half = one ^ two;
        to[i] = half ^ carry[i];
        carry[i] = (one & two) | (half & carry[i]);
      }
    }
    for (; p < std::max(planesA, planesB); ++p)
    {
      Word* to = sum.plane(p) + w;
      Word one[Chunk];
      for (Index i = 0; i < Chunk; ++i)
      {
        one[i] = p < planesA ? a.plane(p)[w + i] : moved(b.plane(p) + w + skip, i);
      }
      for (Index i = 0; i < Chunk; ++i)
      {
        to[i] = one[i] ^ carry[i];
        carry[i] &= one[i];
      }
    }
    for (; p < planes; ++p)
    {
      std::copy_n(carry, Chunk, sum.plane(p) + w);
      std::fill_n(carry, Chunk, Word{ 0 });
    }
  }
  sum.planes = planes;
}

void add(const Numbers& a, const Numbers& b, Index shift, int planes, Index words, Numbers& sum)
{
  (shift & 63 ? addMoved<true> : addMoved<false>)(a, b, shift, planes, words, sum);
}

/// sum -= b, which is not larger.
void subtract(Numbers& sum, const Numbers& b, Index words)
{
  for (Index w = 0; w < words; w += Chunk)
  {
    Word borrow[Chunk] = {};
    int p = 0;
    for (; p < b.planes; ++p)
    {
      Word* to = sum.plane(p) + w;
      const Word* y = b.plane(p) + w;
      for (Index i = 0; i < Chunk; ++i)
      {
        const Word one = to[i];
        const Word half = one ^ y[i];
        to[i] = half ^ borrow[i];
        borrow[i] = (~one & y[i]) | (~half & borrow[i]);
      }
    }
    for (; p < sum.planes; ++p)
    {
      Word* to = sum.plane(p) + w;
      for (Index i = 0; i < Chunk; ++i)
      {
        const Word one = to[i];
        to[i] = one ^ borrow[i];
        borrow[i] &= ~one;
      }
    }
  }
}

/// Bits where the number is above the limit.
void above(const Numbers& numbers, const Numbers& limits, Index words, Word* result)
{
  for (Index w = 0; w < words; w += Chunk)
  {
    Word more[Chunk] = {};
    for (int p = 0; p < numbers.planes; ++p)
    {
      const Word* number = numbers.plane(p) + w;
      const Word* limit = limits.plane(p) + w;
      for (Index i = 0; i < Chunk; ++i)
      {
        // The higher bit decides; if it is equal, what was below.
        const Word differ = number[i] ^ limit[i];
        more[i] = (differ & number[i]) | (~differ & more[i]);
      }
    }
    std::copy_n(more, Chunk, result + w);
  }
}

/// For every bit the sum of `count` of the numbers, from its own on, `step` bits apart; each is at
/// most `most`. The result is in one of the three, the others are scratch.
Numbers& window(
  Numbers& numbers, Numbers& sums, Numbers& other, Index count, Index step, Index most, Index words)
{
  // From the highest bit of `count` on: double, and add one where the bit is set.
  int bit = digits(count) - 1;
  Index have = 1;
  Numbers* now = &numbers;
  Numbers* next = &sums;
  while (bit-- > 0)
  {
    add(*now, *now, have * step, digits(2 * have * most), words, *next);
    have *= 2;
    now = next;
    next = now == &sums ? &other : &sums;
    if ((count >> bit) & 1)
    {
      add(*now, numbers, have * step, digits((have + 1) * most), words, *now);
      ++have;
    }
  }
  return *now;
}

/// Voxels of the window of half-width r around i inside [lo, hi].
Index clippedWindow(Index i, Index r, Index lo, Index hi)
{
  return std::min(hi, i + r) - std::max(lo, i - r) + 1;
}

class Majority
{
public:
  Majority(const BitBlock& in, const Box& whole, const Index radius[3], BitBlock& out)
    : In(in), Whole(whole), Out(out), Words(wordCount(out.box.dim(0) + 2 * radius[0]))
  {
    std::copy(radius, radius + 3, this->Radius);
  }

  void run(const Progress& progress) const
  {
    const Box& target = this->Out.box;
    const Index ny = target.dim(1);
    // Strips of rows are independent, each runs through all slices; tall enough that the rows that
    // neighbouring strips calculate twice do not matter. Cut along z too where there are too few.
    const Index strip = std::min(ny, std::max<Index>(32, 4 * (2 * this->Radius[1] + 1)));
    const Index strips = (ny + strip - 1) / strip;
    const Index least = std::max<Index>(16, 4 * (2 * this->Radius[2] + 1));
    const Index wanted = progress.active() ? 16 : 2 * threadCount();
    const Index slabs =
      std::max<Index>(1, std::min((wanted + strips - 1) / strips, target.dim(2) / least));
    forRanges(strips * slabs, 1, progress,
      [&](Index begin, Index end)
      {
        for (Index task = begin; task < end; ++task)
        {
          Box part = target;
          part.lo[1] = target.lo[1] + (task % strips) * strip;
          part.hi[1] = std::min(target.hi[1], part.lo[1] + strip - 1);
          part.lo[2] = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips);
          part.hi[2] = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips + 1) - 1;
          this->makePart(part);
        }
      });
  }

private:
  /// Rows of a strip: the bits of the target and of the halo, the first one of which is bit 0. What
  /// the window of bit i holds begins with bit i: no centring.
  void makePart(const Box& part) const
  {
    const Index rz = this->Radius[2];
    const Index rows = part.dim(1) + 2 * this->Radius[1];
    const Index all = this->rounded(rows * this->Words + this->Radius[0] / 64 + 1);
    const Index some = this->rounded(part.dim(1) * this->Words);
    const Index wx = std::min(2 * this->Radius[0] + 1, this->Whole.dim(0));
    const Index wy = std::min(2 * this->Radius[1] + 1, this->Whole.dim(1));
    const Index wz = std::min(2 * rz + 1, this->Whole.dim(2));
    const int planesXY = digits(2 * wx * wy);
    const int planes = digits(wx * wy * wz);

    const Index z0 = std::max(this->In.box.lo[2], part.lo[2] - rz);
    const Index z1 = std::min(this->In.box.hi[2], part.hi[2] + rz);
    const Index depth = std::min(2 * rz, z1 - z0) + 2;
    // Adding reads what is `shift` further on: room for it behind the last plane.
    Numbers raw(all, planesXY + 1), sums(all, planesXY + 1), other(all, planesXY + 1);
    std::vector<Numbers> ring(static_cast<std::size_t>(depth)); // slice z % depth
    Numbers total(some, planes), limits(some, planes);
    total.planes = planes;
    Index limitsOf = -1;
    Index used = 0; // slices in the window that are not empty
    std::vector<Word> result(static_cast<std::size_t>(some));
    const auto slice = [&](Index z) -> Numbers&
    { return ring[static_cast<std::size_t>((z - z0) % depth)]; };

    Index have = z0;
    for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
    {
      // Invariant after these two steps: total holds the window [z - rz, z + rz].
      for (; have <= std::min(z1, z + rz); ++have)
      {
        Numbers& entering = slice(have);
        entering.planes = 0;
        if (this->readSlice(part, have, raw))
        {
          Numbers& x = window(raw, sums, other, 2 * this->Radius[0] + 1, 1, 1, all);
          // The two that are free, one after the other.
          Numbers& free = &x == &raw ? sums : (&x == &sums ? other : sums);
          Numbers& rest = &x == &raw ? other : raw;
          const Numbers& xy =
            window(x, free, rest, 2 * this->Radius[1] + 1, 64 * this->Words, wx, all);
          if (entering.memory.empty())
          {
            entering = Numbers(some, digits(wx * wy));
          }
          entering.planes = std::min(xy.planes, digits(wx * wy));
          for (int p = 0; p < entering.planes; ++p)
          {
            std::copy_n(xy.plane(p), some, entering.plane(p));
          }
          add(total, entering, 0, planes, some, total);
          ++used;
        }
      }
      if (z > part.lo[2] && z - rz - 1 >= z0 && slice(z - rz - 1).planes)
      {
        subtract(total, slice(z - rz - 1), some);
        --used;
      }
      if (used)
      {
        const Index windowZ = clippedWindow(z, rz, this->Whole.lo[2], this->Whole.hi[2]);
        if (windowZ != limitsOf)
        {
          this->makeLimits(part, windowZ, limits);
          limitsOf = windowZ;
        }
        above(total, limits, some, result.data());
      }
      else
      {
        std::fill(result.begin(), result.end(), Word{ 0 });
      }
      for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
      {
        copyBits(
          result.data() + (y - part.lo[1]) * this->Words, 0, part.dim(0), this->Out.row(y, z));
      }
    }
  }

  Index rounded(Index words) const { return (words + Chunk - 1) / Chunk * Chunk; }

  /// A strip of a slice with its halo; false if it has no voxel of the object.
  bool readSlice(const Box& part, Index z, Numbers& to) const
  {
    const Box& box = this->In.box;
    const Index x0 = part.lo[0] - this->Radius[0];
    const Index first = std::max(box.lo[0], x0);
    const Index count = std::min(box.hi[0], part.hi[0] + this->Radius[0]) - first + 1;
    Word any = 0;
    Word* row = to.plane(0);
    Word* scratch = to.plane(1);
    for (Index y = part.lo[1] - this->Radius[1]; y <= part.hi[1] + this->Radius[1]; ++y)
    {
      std::fill(row, row + this->Words, Word{ 0 });
      if (y >= box.lo[1] && y <= box.hi[1])
      {
        copyBits(this->In.row(y, z), first - box.lo[0], count, first == x0 ? row : scratch);
        if (first != x0)
        {
          pasteBits(scratch, count, row, first - x0);
        }
        for (Index w = 0; w < this->Words; ++w)
        {
          any |= row[w];
        }
      }
      row += this->Words;
    }
    std::fill(row, to.plane(1), Word{ 0 });
    to.planes = 1;
    return any != 0;
  }

  /// Half of the voxels of every window of a strip, rounded down: 2 count > window is count > half.
  void makeLimits(const Box& part, Index windowZ, Numbers& limits) const
  {
    std::fill(limits.memory.begin(), limits.memory.end(), Word{ 0 });
    const int planes = static_cast<int>(limits.memory.size()) / static_cast<int>(limits.stride) - 1;
    Index rowOf = -1; // a row with the same limits
    Index windowOf = -1;
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      const Index at = (y - part.lo[1]) * this->Words;
      const Index windowYZ =
        windowZ * clippedWindow(y, this->Radius[1], this->Whole.lo[1], this->Whole.hi[1]);
      for (int p = 0; p < planes && windowYZ == windowOf; ++p)
      {
        std::copy_n(limits.plane(p) + rowOf, this->Words, limits.plane(p) + at);
      }
      for (Index x = 0; x < part.dim(0) && windowYZ != windowOf; ++x)
      {
        const Index half = windowYZ *
          clippedWindow(part.lo[0] + x, this->Radius[0], this->Whole.lo[0], this->Whole.hi[0]) / 2;
        for (int p = 0; p < planes; ++p)
        {
          limits.plane(p)[at + (x >> 6)] |= static_cast<Word>((half >> p) & 1) << (x & 63);
        }
      }
      rowOf = at;
      windowOf = windowYZ;
    }
  }

  const BitBlock& In;
  const Box& Whole;
  BitBlock& Out;
  Index Radius[3];
  Index Words; ///< per row of a long row
};

} // namespace

Index kernelVoxels(double sizeMillimetres, double spacing)
{
  const double half = (sizeMillimetres / spacing + 1.0) / 2.0;
  if (!(half < 1e15))
  {
    throw std::invalid_argument("segcore::kernelVoxels: size / spacing is not a usable number");
  }
  const double floor = std::floor(half);
  const double rest = half - floor;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2.0) != 0.0);
  return std::max<Index>(1, 2 * static_cast<Index>(floor + (up ? 1.0 : 0.0)) - 1);
}

void boxMajority(const BitBlock& in, const Box& whole, const Index size[3], BitBlock& out,
  const Progress& progress)
{
  Index radius[3];
  for (int a = 0; a < 3; ++a)
  {
    if (size[a] < 1 || size[a] % 2 == 0)
    {
      throw std::invalid_argument("segcore::boxMajority: sizes must be odd and positive");
    }
    // A window wider than the image counts the same voxels as one that just covers it.
    radius[a] = std::min((size[a] - 1) / 2, whole.dim(a));
  }
  if (out.box.empty())
  {
    return;
  }
  if (!in.box.contains(out.box.grown(radius).clipped(whole)) || !whole.contains(in.box))
  {
    throw std::invalid_argument("segcore::boxMajority: the padded box lacks voxels of the halo");
  }
  Majority(in, whole, radius, out).run(progress);
}

} // namespace segcore
