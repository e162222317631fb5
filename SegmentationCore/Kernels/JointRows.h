// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// JointRows: where the rows of voxels along x cross the surfaces between labels, and the labels
/// that follow. A part of JointSmoothing, which tells the rule.
///
/// Crossings are kept by slice. Memory: 8 bytes and two labels for each (12 bytes for labels of 8
/// and 16 bits), nothing else when voxels are filled. Their order does not matter.

#ifndef segcoreJointRows_h
#define segcoreJointRows_h

#include "Box.h"
#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace segcore
{

/// A row of voxels along x that crosses a quad. Counted from the first voxel of the image.
template <class T>
struct JointCrossing
{
  std::int32_t x;    ///< The first voxel beyond, from 0 on; beyond the last one it never counts.
  std::uint32_t row; ///< Twice y, and 1 if the centre of that voxel lies on the quad.
  T labels[2];

  Index y() const { return static_cast<Index>(this->row >> 1); }
  bool on() const { return (this->row & 1) != 0; }
};

namespace detail
{
/// Gets (quad, x, y, z, on) for each crossing.
using CrossingVisitor = std::function<void(Index, Index, Index, Index, bool)>;
} // namespace detail

template <class T>
class JointRows
{
public:
  using Crossing = JointCrossing<T>;

  explicit JointRows(const Box& whole)
    : Whole(whole), Slices(static_cast<std::size_t>(std::max<Index>(0, whole.dim(2))))
  {
  }

  const Box& whole() const { return this->Whole; }

  /// The crossings of slice z, counted from the first one of the image.
  std::vector<Crossing>& slice(Index z) { return this->Slices[static_cast<std::size_t>(z)]; }
  const std::vector<Crossing>& slice(Index z) const
  {
    return this->Slices[static_cast<std::size_t>(z)];
  }

  /// Adds the crossings that find(begin, end, visitor) finds in ranges of up to Grain of `count`
  /// things; `labels` has two for each quad. Threads: find is called by several.
  static constexpr Index Grain = 1 << 12;
  template <class Find>
  void collect(Index count, const Progress& progress, const Find& find, const T* labels)
  {
    std::vector<std::vector<std::pair<Index, Crossing>>> found(
      static_cast<std::size_t>((count + Grain - 1) / Grain));
    forRanges(count, Grain, progress,
      [&](Index begin, Index end)
      {
        auto& some = found[static_cast<std::size_t>(begin / Grain)];
        find(begin, end,
          [&](Index quad, Index x, Index y, Index z, bool on)
          {
            const T* two = labels + 2 * quad;
            some.emplace_back(z,
              Crossing{ static_cast<std::int32_t>(x),
                2 * static_cast<std::uint32_t>(y) + (on ? 1u : 0u), { two[0], two[1] } });
          });
      });
    for (auto& some : found)
    {
      for (const auto& [z, crossing] : some)
      {
        this->slice(z).push_back(crossing);
      }
      some = {};
    }
  }

  /// Gives back the memory that slices begin .. end - 1 have in reserve.
  void shrink(Index begin, Index end)
  {
    for (Index z = std::max<Index>(0, begin); z < std::min(end, this->Whole.dim(2)); ++z)
    {
      this->slice(z).shrink_to_fit();
    }
  }

  /// Puts all crossings in order along their rows.
  void sort()
  {
    forRanges(static_cast<Index>(this->Slices.size()), 1,
      [this](Index begin, Index end)
      {
        for (Index z = begin; z < end; ++z)
        {
          std::sort(this->slice(z).begin(), this->slice(z).end(),
            [](const Crossing& a, const Crossing& b)
            { return std::make_pair(a.y(), a.x) < std::make_pair(b.y(), b.x); });
        }
      });
  }

  /// What a box needs of slice z, sorted: its rows' crossings up to its last voxel; of those before
  /// its first voxel only what they come to, as crossings at that voxel.
  std::vector<Crossing> sliceFor(const Box& box, Index z) const
  {
    const std::vector<Crossing>& all = this->slice(z);
    std::vector<Crossing> some;
    const Index low = box.lo[0] - this->Whole.lo[0];
    const Index high = box.hi[0] - this->Whole.lo[0];
    auto crossing = this->firstOfRow(all, box.lo[1] - this->Whole.lo[1]);
    while (crossing != all.end() && crossing->y() <= box.hi[1] - this->Whole.lo[1])
    {
      const Index y = crossing->y();
      std::vector<T> odd; // labels that came or went, in the end
      for (; crossing != all.end() && crossing->y() == y; ++crossing)
      {
        if (crossing->x >= low)
        {
          if (crossing->x <= high)
          {
            some.push_back(*crossing);
          }
          continue;
        }
        exchange(odd, crossing->labels[0]);
        exchange(odd, crossing->labels[1]);
      }
      // Each crossing exchanges two labels, so there is an even number of them.
      for (std::size_t i = 0; i + 1 < odd.size(); i += 2)
      {
        some.push_back({ static_cast<std::int32_t>(low), 2 * static_cast<std::uint32_t>(y),
          { odd[i], odd[i + 1] } });
      }
    }
    return some;
  }

  /// Writes the labels of `box` to `out`, which stores `stored`; sorted crossings of all its rows
  /// up to its last voxel along x must be here, further ones do no harm. `before` are the labels as
  /// they were, stored alike; write(label) gives what is written.
  template <class Out, class Write>
  void fill(const Box& box, const Box& stored, const Out* before, Out* out, const Write& write,
    const Progress& progress = Progress()) const
  {
    if (box.empty())
    {
      return;
    }
    forRanges(box.rows(), 64, progress,
      [&](Index begin, Index end)
      {
        std::vector<Out> here; // the labels that the row is in
        for (Index r = begin; r < end; ++r)
        {
          const Index y = box.lo[1] + r % box.dim(1);
          const Index z = box.lo[2] + r / box.dim(1);
          const Index at = stored.offset(box.lo[0], y, z);
          this->fillRow(box, y, z, before + at, out + at, write, here);
        }
      });
  }

private:
  using Place = typename std::vector<Crossing>::const_iterator;

  static Place firstOfRow(const std::vector<Crossing>& slice, Index y)
  {
    return std::lower_bound(slice.begin(), slice.end(), y,
      [](const Crossing& crossing, Index row) { return crossing.y() < row; });
  }

  template <class Label>
  static void exchange(std::vector<Label>& labels, Label label)
  {
    const auto found = std::find(labels.begin(), labels.end(), label);
    if (found != labels.end())
    {
      labels.erase(found);
    }
    else
    {
      labels.push_back(label);
    }
  }

  template <class Out, class Write>
  void fillRow(const Box& box, Index globalY, Index globalZ, const Out* before, Out* out,
    const Write& write, std::vector<Out>& here) const
  {
    const std::vector<Crossing>& slice = this->slice(globalZ - this->Whole.lo[2]);
    const Index row = globalY - this->Whole.lo[1];
    const Place first = firstOfRow(slice, row);
    const Index shift = this->Whole.lo[0] - box.lo[0];
    const Index length = box.dim(0);
    here.assign(1, Out(0));
    Index x = 0;
    Place crossing = first;
    while (true)
    {
      const bool last = crossing == slice.end() || crossing->y() != row;
      const Index stop = last ? length : std::clamp<Index>(crossing->x + shift, x, length);
      if (here.size() == 1)
      {
        std::fill(out + x, out + stop, here[0]);
        x = stop;
      }
      for (; x < stop; ++x)
      {
        const Out own = before[x];
        Out label = own;
        if (std::find(here.begin(), here.end(), own) == here.end())
        {
          label = Out(0);
          for (const Out candidate : here)
          {
            label =
              candidate != Out(0) && (label == Out(0) || candidate < label) ? candidate : label;
          }
        }
        out[x] = label;
      }
      if (last)
      {
        break;
      }
      exchange(here, Out(write(crossing->labels[0])));
      exchange(here, Out(write(crossing->labels[1])));
      ++crossing;
    }
    for (Place on = first; on != crossing; ++on)
    {
      const Index at = on->x + shift;
      if (on->on() && at >= 0 && at < length)
      {
        out[at] = before[at];
      }
    }
  }

  Box Whole;
  std::vector<std::vector<Crossing>> Slices;
};

} // namespace segcore

#endif
