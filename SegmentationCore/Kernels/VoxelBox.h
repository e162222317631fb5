// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// VoxelBox: filling, copying and bounding boxes of voxels.
///
/// An array holds the voxels of a box, `components` values each, next to each other. Regions must
/// lie inside the boxes of the arrays. Threads: yes, the result does not depend on their number.
/// Scratch: 0.
///
/// tightBox() finds the smallest box around the voxels above a threshold. It works from the six
/// faces inwards and never reads a voxel inside the box that it has found so far: slices without
/// such a voxel are read once, of the slices with one only the rows until the first, and of the
/// rows inside only the ends. A block that is tight already costs next to nothing. labelBox() does
/// the same for the voxels of one label.

#ifndef segcoreVoxelBox_h
#define segcoreVoxelBox_h

#include "Threads.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <type_traits>

namespace segcore
{

/// Rows per range, so that a range has about 2^16 values.
inline Index rowGrain(Index valuesPerRow)
{
  return std::max<Index>(1, (Index{ 1 } << 16) / std::max<Index>(1, valuesPerRow));
}

/// Calls work(y, z) for every row of a box, from many threads.
template <class Work>
void forRows(const Box& box, Index components, const Work& work)
{
  const Index ny = box.dim(1);
  forRanges(box.empty() ? 0 : box.rows(), rowGrain(box.dim(0) * components),
    [&box, &work, ny](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        work(box.lo[1] + r % ny, box.lo[2] + r / ny);
      }
    });
}

/// Sets all components of the voxels of `region` to `value`.
template <class T>
void fillBox(T* values, const Box& stored, const Box& region, T value, Index components = 1)
{
  forRows(region, components,
    [&](Index y, Index z)
    {
      T* row = values + components * stored.offset(region.lo[0], y, z);
      std::fill(row, row + components * region.dim(0), value);
    });
}

/// Copies the voxels of `region` from one array to another.
template <class T>
void copyBox(const T* from, const Box& fromStored, T* to, const Box& toStored, const Box& region,
  Index components = 1)
{
  forRows(region, components,
    [&](Index y, Index z)
    {
      const T* row = from + components * fromStored.offset(region.lo[0], y, z);
      std::copy(row, row + components * region.dim(0),
        to + components * toStored.offset(region.lo[0], y, z));
    });
}

/// Copies what both boxes have; the other voxels of `to` become `background`.
template <class T>
void copyPadded(const T* from, const Box& fromStored, T* to, const Box& toStored, T background,
  Index components = 1)
{
  const Box both = fromStored.clipped(toStored);
  forRows(toStored, components,
    [&](Index y, Index z)
    {
      T* row = to + components * toStored.offset(toStored.lo[0], y, z);
      T* end = row + components * toStored.dim(0);
      if (both.empty() || y < both.lo[1] || y > both.hi[1] || z < both.lo[2] || z > both.hi[2])
      {
        std::fill(row, end, background);
        return;
      }
      T* first = row + components * (both.lo[0] - toStored.lo[0]);
      T* last = first + components * both.dim(0);
      std::fill(row, first, background);
      const T* source = from + components * fromStored.offset(both.lo[0], y, z);
      std::copy(source, source + components * both.dim(0), first);
      std::fill(last, end, background);
    });
}

/// Tells values above a threshold, compared as real numbers whatever their type.
template <class T>
class AboveThreshold
{
public:
  explicit AboveThreshold(double threshold)
  {
    constexpr double lowest = static_cast<double>(std::numeric_limits<T>::lowest());
    constexpr double highest = static_cast<double>(std::numeric_limits<T>::max());
    if (std::isnan(threshold) || (std::is_integral<T>::value && threshold >= highest))
    {
      this->Kind = Always::No;
    }
    else if (std::is_integral<T>::value && threshold < lowest)
    {
      this->Kind = Always::Yes;
    }
    else if (std::is_integral<T>::value)
    {
      // An integer is above t if it is above the integer below t.
      this->Limit = static_cast<T>(std::floor(threshold));
    }
    else
    {
      // A float is above t if it is above the float below t.
      constexpr T infinity = std::numeric_limits<T>::infinity();
      this->Limit = threshold > highest
        ? (threshold < HUGE_VAL ? std::numeric_limits<T>::max() : infinity)
        : threshold < lowest ? -infinity
                             : static_cast<T>(threshold);
      if (static_cast<double>(this->Limit) > threshold)
      {
        this->Limit = static_cast<T>(std::nextafter(this->Limit, -infinity));
      }
    }
  }

  bool operator()(T value) const
  {
    return this->Kind == Always::Neither ? value > this->Limit : this->Kind == Always::Yes;
  }

  /// Number of the first value above the threshold, `count` if there is none.
  Index first(const T* values, Index count) const
  {
    if (this->Kind != Always::Neither)
    {
      return this->Kind == Always::Yes ? 0 : count;
    }
    Index i = 0;
    for (; i + Step <= count && !this->any(values + i); i += Step)
    {
    }
    while (i < count && !(values[i] > this->Limit))
    {
      ++i;
    }
    return i;
  }

  /// Number of the last value above the threshold, -1 if there is none.
  Index last(const T* values, Index count) const
  {
    if (this->Kind != Always::Neither)
    {
      return this->Kind == Always::Yes ? count - 1 : -1;
    }
    Index i = count;
    for (; i >= Step && !this->any(values + i - Step); i -= Step)
    {
    }
    while (i > 0 && !(values[i - 1] > this->Limit))
    {
      --i;
    }
    return i - 1;
  }

private:
  enum class Always
  {
    Neither,
    Yes,
    No
  };
  static constexpr Index Step = 128;

  /// The largest of a piece decides: a loop without branches, which is vectorised.
  bool any(const T* values) const
  {
    if constexpr (std::is_integral<T>::value)
    {
      T most = values[0];
      for (Index i = 1; i < Step; ++i)
      {
        most = values[i] > most ? values[i] : most;
      }
      return most > this->Limit;
    }
    else
    {
      unsigned int found = 0; // a maximum is not defined beside values that are not numbers
      for (Index i = 0; i < Step; ++i)
      {
        found |= values[i] > this->Limit ? 1u : 0u;
      }
      return found != 0;
    }
  }

  Always Kind = Always::Neither;
  T Limit{};
};

/// Tells one value.
template <class T>
class EqualTo
{
public:
  explicit EqualTo(T wanted) : Wanted(wanted) {}

  /// Number of the first such value, `count` if there is none.
  Index first(const T* values, Index count) const
  {
    Index i = 0;
    for (; i + Step <= count && !this->any(values + i); i += Step)
    {
    }
    while (i < count && values[i] != this->Wanted)
    {
      ++i;
    }
    return i;
  }

  /// Number of the last such value, -1 if there is none.
  Index last(const T* values, Index count) const
  {
    Index i = count;
    for (; i >= Step && !this->any(values + i - Step); i -= Step)
    {
    }
    while (i > 0 && values[i - 1] != this->Wanted)
    {
      --i;
    }
    return i - 1;
  }

private:
  static constexpr Index Step = 128;

  bool any(const T* values) const
  {
    unsigned int found = 0;
    for (Index i = 0; i < Step; ++i)
    {
      found |= values[i] == this->Wanted ? 1u : 0u;
    }
    return found != 0;
  }

  T Wanted;
};

namespace detail
{

/// The smallest n in [0, count) with hit(n), `count` if there is none. Threads take numbers in
/// ascending order and stop at the first hit, so few numbers above it are asked.
template <class Hit>
Index firstHit(Index count, const Hit& hit)
{
  std::atomic<Index> next{ 0 };
  std::atomic<Index> found{ count };
  const Index workers = std::min(count, threadCount());
  forRanges(workers, 1,
    [&](Index begin, Index end)
    {
      for (Index w = begin; w < end; ++w)
      {
        for (Index n = next++; n < found; n = next++)
        {
          if (hit(n))
          {
            Index old = found;
            while (n < old && !found.compare_exchange_weak(old, n))
            {
            }
          }
        }
      }
    });
  return found;
}

} // namespace detail

/// Faces of a box, for tightBox: bit 2 * axis is the lower one, the next bit the upper one.
using Faces = unsigned int;
constexpr Faces AllFaces = 63;

namespace detail
{

/// The smallest box around the voxels that `wanted` tells; see tightBox.
template <class T, class Wanted>
Box boxAround(
  const T* values, const Box& stored, const Box& region, const Wanted& wanted, Faces faces)
{
  Box box = region;
  if (region.empty())
  {
    return Box();
  }
  const auto rowHas = [&](Index y, Index z)
  { return wanted.first(values + stored.offset(box.lo[0], y, z), box.dim(0)) < box.dim(0); };
  const auto sliceHas = [&](Index z)
  {
    Index y = box.lo[1];
    while (y <= box.hi[1] && !rowHas(y, z))
    {
      ++y;
    }
    return y <= box.hi[1];
  };
  const auto planeHas = [&](Index y)
  {
    Index z = box.lo[2];
    while (z <= box.hi[2] && !rowHas(y, z))
    {
      ++z;
    }
    return z <= box.hi[2];
  };
  // The number of empty slices behind a face.
  const auto emptyBehind = [&](int axis, bool upper)
  {
    if (!(faces >> (2 * axis + upper) & 1u))
    {
      return Index{ 0 };
    }
    return firstHit(box.dim(axis),
      [&](Index n)
      {
        const Index at = upper ? box.hi[axis] - n : box.lo[axis] + n;
        return axis == 2 ? sliceHas(at) : planeHas(at);
      });
  };
  for (const int axis : { 2, 1 })
  {
    const Index lower = emptyBehind(axis, false);
    if (lower == box.dim(axis))
    {
      return Box();
    }
    box.lo[axis] += lower;
    const Index upper = emptyBehind(axis, true);
    if (upper == box.dim(axis))
    {
      return Box();
    }
    box.hi[axis] -= upper;
  }
  if (!(faces & 3u))
  {
    return box;
  }

  // The ends of the rows, outside what other rows have reached.
  std::atomic<Index> left{ faces & 1u ? box.hi[0] + 1 : box.lo[0] };
  std::atomic<Index> right{ faces & 2u ? box.lo[0] - 1 : box.hi[0] };
  forRows(box, 1,
    [&](Index y, Index z)
    {
      const T* row = values + stored.offset(box.lo[0], y, z);
      Index now = left;
      if (now > box.lo[0])
      {
        const Index first = box.lo[0] + wanted.first(row, now - box.lo[0]);
        while (first < now && !left.compare_exchange_weak(now, first))
        {
        }
      }
      now = right;
      if (now < box.hi[0])
      {
        const Index beyond = std::max(now + 1, box.lo[0]);
        const Index last = beyond + wanted.last(row + (beyond - box.lo[0]), box.hi[0] - beyond + 1);
        while (last >= beyond && last > now && !right.compare_exchange_weak(now, last))
        {
        }
      }
    });
  box.lo[0] = left;
  box.hi[0] = right;
  return box.empty() ? Box() : box;
}

} // namespace detail

/// The smallest box around the voxels of `region` whose value is above `threshold`; empty if there
/// is none. One value per voxel. Only the given faces are moved: the others must be known to have
/// such a voxel.
template <class T>
Box tightBox(
  const T* values, const Box& stored, const Box& region, double threshold, Faces faces = AllFaces)
{
  return detail::boxAround(values, stored, region, AboveThreshold<T>(threshold), faces);
}

/// The smallest box around the voxels of `region` with this label; empty if there is none.
template <class T>
Box labelBox(const T* labels, const Box& stored, const Box& region, T label)
{
  return detail::boxAround(labels, stored, region, EqualTo<T>(label), AllFaces);
}

} // namespace segcore

#endif
