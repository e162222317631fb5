// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// LabelCounts: voxel count and bounding box of every label of a block, in one pass.
///
/// Input: labels of any integer type on `stored`, of which the voxels of `block` are counted (each
/// voxel of the undivided image must belong to one block only, or it is counted twice). All labels
/// are counted, 0 included. Output: entries in ascending order of label, only labels that occur;
/// boxes in global indices. merge() joins the tables of blocks or ranks; the result does not depend
/// on the split. Threads: yes, a table per thread. Cost: one read, work per run of equal voxels
/// along x. Scratch: per thread 56 bytes per possible label for 8 and 16-bit types, else per label
/// that occurs. Bad input (block outside stored): std::invalid_argument.

#ifndef segcoreLabelCounts_h
#define segcoreLabelCounts_h

#include "PackBits.h"
#include "Threads.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace segcore
{

template <class T>
struct LabelCount
{
  T label{};
  std::int64_t voxels = 0;
  Box box;
};

namespace detail
{

struct LabelTally
{
  std::int64_t voxels = 0;
  Index lo[3] = { std::numeric_limits<Index>::max(), std::numeric_limits<Index>::max(),
    std::numeric_limits<Index>::max() };
  Index hi[3] = { std::numeric_limits<Index>::min(), std::numeric_limits<Index>::min(),
    std::numeric_limits<Index>::min() };

  void addRun(Index x0, Index x1, Index y, Index z)
  {
    this->voxels += x1 - x0 + 1;
    this->lo[0] = std::min(this->lo[0], x0);
    this->hi[0] = std::max(this->hi[0], x1);
    this->lo[1] = std::min(this->lo[1], y);
    this->hi[1] = std::max(this->hi[1], y);
    this->lo[2] = std::min(this->lo[2], z);
    this->hi[2] = std::max(this->hi[2], z);
  }
};

/// Tallies by label: a flat table for narrow types.
template <class T, bool Narrow>
class LabelTable
{
public:
  LabelTable() : Tallies_(std::size_t{ 1 } << (8 * sizeof(T))) {}
  LabelTally& operator[](T label)
  {
    return this->Tallies_[static_cast<std::size_t>(Index{ label } - lowest())];
  }
  template <class Visit>
  void visit(const Visit& visit) const
  {
    for (std::size_t i = 0; i < this->Tallies_.size(); ++i)
    {
      if (this->Tallies_[i].voxels > 0)
      {
        visit(static_cast<T>(static_cast<Index>(i) + lowest()), this->Tallies_[i]);
      }
    }
  }

private:
  static Index lowest() { return std::numeric_limits<T>::lowest(); }
  std::vector<LabelTally> Tallies_;
};

/// A hash table for wide types; runs of the same few labels follow each other, so the last is kept.
template <class T>
class LabelTable<T, false>
{
public:
  LabelTally& operator[](T label)
  {
    if (!this->Last_ || label != this->LastLabel_)
    {
      this->Last_ = &this->Tallies_[label]; // references stay valid when the table grows
      this->LastLabel_ = label;
    }
    return *this->Last_;
  }
  template <class Visit>
  void visit(const Visit& visit) const
  {
    for (const auto& entry : this->Tallies_)
    {
      visit(entry.first, entry.second);
    }
  }

private:
  std::unordered_map<T, LabelTally> Tallies_;
  LabelTally* Last_ = nullptr;
  T LastLabel_{};
};

} // namespace detail

/// Adds the entries of `more` to `counts`; both ascending, and so is the result.
template <class T>
void mergeLabelCounts(std::vector<LabelCount<T>>& counts, const std::vector<LabelCount<T>>& more)
{
  std::vector<LabelCount<T>> merged;
  merged.reserve(counts.size() + more.size());
  auto a = counts.begin();
  auto b = more.begin();
  while (a != counts.end() || b != more.end())
  {
    if (b == more.end() || (a != counts.end() && a->label < b->label))
    {
      merged.push_back(*a++);
    }
    else if (a == counts.end() || b->label < a->label)
    {
      merged.push_back(*b++);
    }
    else
    {
      merged.push_back(*a++);
      merged.back().voxels += b->voxels;
      merged.back().box = merged.back().box.unite(b->box);
      ++b;
    }
  }
  counts = std::move(merged);
}

/// Labels that occur in `block`, ascending. `labels` points to the first voxel of `stored`.
template <class T>
std::vector<LabelCount<T>> countLabels(const T* labels, const Box& stored, const Box& block)
{
  static_assert(std::is_integral<T>::value, "labels are integers");
  if (block.empty())
  {
    return {};
  }
  if (!stored.contains(block))
  {
    throw std::invalid_argument("segcore::countLabels: the block is not inside the stored box");
  }
  using Table = detail::LabelTable<T, (sizeof(T) <= 2)>;
  const Index nx = block.dim(0);
  const Index rows = block.rows();
  const Index chunks =
    chunkCount(rows, std::max<Index>(1, (Index{ 1 } << (sizeof(T) == 2 ? 18 : 15)) / nx));
  std::vector<std::vector<LabelCount<T>>> parts(static_cast<std::size_t>(chunks));
  forRanges(chunks, 1,
    [&](Index begin, Index end)
    {
      std::vector<Word> ends(static_cast<std::size_t>(wordCount(nx)));
      for (Index c = begin; c < end; ++c)
      {
        Table table;
        for (Index r = chunkBegin(rows, chunks, c); r < chunkBegin(rows, chunks, c + 1); ++r)
        {
          const Index y = block.lo[1] + r % block.dim(1);
          const Index z = block.lo[2] + r / block.dim(1);
          const T* row = labels + stored.offset(block.lo[0], y, z);
          // Most rows of most images hold one label; comparing them with themselves is fastest.
          if (!std::memcmp(row, row + 1, static_cast<std::size_t>(nx - 1) * sizeof(T)))
          {
            table[row[0]].addRun(block.lo[0], block.hi[0], y, z);
            continue;
          }
          // Bits of the last voxels of runs of one label.
          packWhere(nx - 1, ends.data(), [row](Index i) { return row[i] != row[i + 1]; });
          Index first = 0;
          for (Index w = 0; w < wordCount(nx - 1); ++w)
          {
            for (Word word = ends[static_cast<std::size_t>(w)]; word; word &= word - 1)
            {
              const Index last = 64 * w + lowestOne(word);
              table[row[last]].addRun(block.lo[0] + first, block.lo[0] + last, y, z);
              first = last + 1;
            }
          }
          table[row[nx - 1]].addRun(block.lo[0] + first, block.hi[0], y, z);
        }
        std::vector<LabelCount<T>>& part = parts[static_cast<std::size_t>(c)];
        table.visit(
          [&part](T label, const detail::LabelTally& tally)
          {
            LabelCount<T> entry;
            entry.label = label;
            entry.voxels = tally.voxels;
            std::copy(tally.lo, tally.lo + 3, entry.box.lo);
            std::copy(tally.hi, tally.hi + 3, entry.box.hi);
            part.push_back(entry);
          });
        std::sort(part.begin(), part.end(),
          [](const LabelCount<T>& a, const LabelCount<T>& b) { return a.label < b.label; });
      }
    });
  std::vector<LabelCount<T>> counts;
  for (const std::vector<LabelCount<T>>& part : parts)
  {
    mergeLabelCounts(counts, part);
  }
  return counts;
}

} // namespace segcore

#endif
