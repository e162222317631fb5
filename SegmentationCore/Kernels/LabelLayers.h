// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Layers of labels: flattening several into one, and packing segments into as few as possible.
///
/// Flattening: every layer has a table from label to rank; a voxel of the result takes the value of
/// the highest rank that any layer has there (RankTable, RankedLayer, mergeLayers). One read of
/// each layer, one write of the result, whatever the number of labels.
///
/// Packing: the voxels of one label in a box as bits (packBlock), the bits that a new layer has
/// taken (TakenVoxels), and writing a value where the bits are (writeBlock). All blocks of bits
/// that meet one TakenVoxels are packed with the same first x, so that whole words are compared.
///
/// Values: compared as 64-bit integers; a float value that is no whole number is no label. Threads:
/// over rows; results do not depend on them. Memory: mergeLayers 4 bytes per voxel of a row and
/// thread, the others 1 bit per voxel of their box. Bad input (a box outside what is stored):
/// std::invalid_argument.

#ifndef segcoreLabelLayers_h
#define segcoreLabelLayers_h

#include "PackBits.h"
#include "Threads.h"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace segcore
{

/// The value as a label; false for a float value that is no whole number, or beyond 2^53.
template <class T>
bool toLabel(T value, Index& label)
{
  if constexpr (std::is_floating_point<T>::value)
  {
    if (!(std::fabs(value) < T(9.0e15)) || value != std::floor(value))
    {
      return false;
    }
  }
  label = static_cast<Index>(value);
  return true;
}

/// Is the value this label? Also right where the label does not fit into the voxel's type.
template <class T>
bool isLabel(T value, Index label)
{
  if constexpr (std::is_floating_point<T>::value)
  {
    return static_cast<double>(value) == static_cast<double>(label);
  }
  else
  {
    return static_cast<Index>(value) == label;
  }
}

/// isLabel for one label and many voxels: compares in the voxel's own type.
template <class T>
class LabelTest
{
public:
  explicit LabelTest(Index label)
    : Wanted_(static_cast<T>(label)), Possible_(isLabel(static_cast<T>(label), label))
  {
  }
  bool operator()(T value) const { return this->Possible_ & (value == this->Wanted_); }

private:
  T Wanted_;
  bool Possible_;
};

/// Table from label to rank; labels that are not in it have rank -1. The highest rank given to a
/// label counts.
class RankTable
{
public:
  void set(Index label, std::int32_t rank)
  {
    std::int32_t& known = this->Ranks_.emplace(label, -1).first->second;
    known = std::max(known, rank);
  }
  std::int32_t operator[](Index label) const
  {
    const auto found = this->Ranks_.find(label);
    return found == this->Ranks_.end() ? -1 : found->second;
  }

private:
  std::unordered_map<Index, std::int32_t> Ranks_;
};

/// A layer as mergeLayers reads it: raises the ranks of the n voxels from (x, y, z) on to those of
/// its labels. The voxels must outlive it.
struct RankedLayer
{
  Box stored;
  std::function<void(Index x, Index y, Index z, Index n, std::int32_t* ranks)> raiseRow;
};

template <class T>
RankedLayer makeRankedLayer(const T* labels, const Box& stored, RankTable table)
{
  RankedLayer layer;
  layer.stored = stored;
  layer.raiseRow = [labels, stored, table](Index x, Index y, Index z, Index n, std::int32_t* ranks)
  {
    const T* row = labels + stored.offset(x, y, z);
    // Labels come in runs, one look-up for each; most rows hold no label at all.
    T last = T(0);
    std::int32_t rank = table[0];
    if (rank < 0 && row[0] == last &&
      !std::memcmp(row, row + 1, static_cast<std::size_t>(n - 1) * sizeof(T)))
    {
      return;
    }
    for (Index i = 0; i < n; ++i)
    {
      if (row[i] != last)
      {
        last = row[i];
        Index label = 0;
        rank = toLabel(last, label) ? table[label] : -1;
      }
      ranks[i] = std::max(ranks[i], rank);
    }
  };
  return layer;
}

/// out[voxel] = values[highest rank of a layer there], 0 where no layer has one. `out` stores
/// `block`; parts of layers outside it are left out.
template <class Out>
void mergeLayers(const std::vector<RankedLayer>& layers, const std::vector<Out>& values, Out* out,
  const Box& block)
{
  const Index nx = block.dim(0);
  forRanges(block.rows(), std::max<Index>(1, 65536 / std::max<Index>(1, nx)),
    [&](Index begin, Index end)
    {
      std::vector<std::int32_t> ranks(static_cast<std::size_t>(nx));
      for (Index r = begin; r < end; ++r)
      {
        const Index y = block.lo[1] + r % block.dim(1);
        const Index z = block.lo[2] + r / block.dim(1);
        std::fill(ranks.begin(), ranks.end(), -1);
        for (const RankedLayer& layer : layers)
        {
          const Index x0 = std::max(block.lo[0], layer.stored.lo[0]);
          const Index x1 = std::min(block.hi[0], layer.stored.hi[0]);
          if (x0 <= x1 && layer.stored.contains(x0, y, z))
          {
            layer.raiseRow(x0, y, z, x1 - x0 + 1, ranks.data() + (x0 - block.lo[0]));
          }
        }
        Out* row = out + r * nx;
        for (Index i = 0; i < nx; ++i)
        {
          const std::int32_t rank = ranks[static_cast<std::size_t>(i)];
          row[i] = rank < 0 ? Out(0) : values[static_cast<std::size_t>(rank)];
        }
      }
    });
}

/// The voxels of a box as bits. Rows begin at the word of `firstX` that holds the box's first x.
struct BitBlock
{
  Box box;
  Index firstWord = 0; // of a row, counted from firstX
  Index rowWords = 0;
  Index lead = 0; // bits before the first voxel
  std::vector<Word> words;
};

/// Bits of the voxels of `box` for which `is(value)` is true.
template <class T, class Is>
BitBlock packBlock(const T* labels, const Box& stored, const Box& box, Index firstX, const Is& is)
{
  if (!stored.contains(box) || (!box.empty() && box.lo[0] < firstX))
  {
    throw std::invalid_argument("segcore::packBlock: the box is not inside the stored one");
  }
  BitBlock bits;
  bits.box = box;
  if (box.empty())
  {
    return bits;
  }
  bits.firstWord = (box.lo[0] - firstX) / 64;
  bits.lead = (box.lo[0] - firstX) % 64;
  bits.rowWords = wordCount(bits.lead + box.dim(0));
  bits.words.resize(static_cast<std::size_t>(bits.rowWords * box.rows()));
  const Index n = bits.lead + box.dim(0);
  forRanges(box.rows(), std::max<Index>(1, 65536 / n),
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = box.lo[1] + r % box.dim(1);
        const Index z = box.lo[2] + r / box.dim(1);
        const T* row = labels + stored.offset(box.lo[0], y, z);
        Word* words = bits.words.data() + r * bits.rowWords;
        Index done = 0;
        if (bits.lead > 0) // up to the first whole word
        {
          done = std::min(64 - bits.lead, box.dim(0));
          packWhere(done, words, [row, &is](Index i) { return is(row[i]); });
          *words++ <<= bits.lead;
        }
        packWhere(
          box.dim(0) - done, words, [row, done, &is](Index i) { return is(row[done + i]); });
      }
    });
  return bits;
}

/// The voxels of a canvas that are taken. Blocks of bits must be packed with the canvas's first x.
class TakenVoxels
{
public:
  explicit TakenVoxels(const Box& canvas)
    : Canvas_(canvas)
    , RowWords_(wordCount(canvas.dim(0)))
    , Words_(static_cast<std::size_t>(wordCount(canvas.dim(0)) * canvas.rows()))
  {
  }

  /// Is any of the voxels taken?
  bool meets(const BitBlock& bits) const
  {
    std::atomic<bool> found{ false };
    this->forRows(bits,
      [&](Index taken, Index row)
      {
        if (found.load(std::memory_order_relaxed))
        {
          return;
        }
        Word common = 0;
        for (Index w = 0; w < bits.rowWords; ++w)
        {
          common |= this->Words_[static_cast<std::size_t>(taken + w)] &
            bits.words[static_cast<std::size_t>(row + w)];
        }
        if (common)
        {
          found.store(true, std::memory_order_relaxed);
        }
      });
    return found.load();
  }

  /// Take them.
  void take(const BitBlock& bits)
  {
    this->forRows(bits,
      [&](Index taken, Index row)
      {
        for (Index w = 0; w < bits.rowWords; ++w)
        {
          this->Words_[static_cast<std::size_t>(taken + w)] |=
            bits.words[static_cast<std::size_t>(row + w)];
        }
      });
  }

private:
  // Calls body(first word of the row here, first word of the row in the block) for every row.
  template <class Body>
  void forRows(const BitBlock& bits, const Body& body) const
  {
    const Box& box = bits.box;
    if (!this->Canvas_.contains(box))
    {
      throw std::invalid_argument("segcore::TakenVoxels: the block is not inside the canvas");
    }
    forRanges(box.rows(), std::max<Index>(1, 4096 / std::max<Index>(1, bits.rowWords)),
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const Index y = box.lo[1] + r % box.dim(1) - this->Canvas_.lo[1];
          const Index z = box.lo[2] + r / box.dim(1) - this->Canvas_.lo[2];
          body(
            this->RowWords_ * (y + this->Canvas_.dim(1) * z) + bits.firstWord, r * bits.rowWords);
        }
      });
  }

  Box Canvas_;
  Index RowWords_ = 0;
  std::vector<Word> Words_;
};

/// Sets the voxels of the bits to a value. `labels` stores `stored`, which must contain the bits.
template <class T>
void writeBlock(T* labels, const Box& stored, const BitBlock& bits, T value)
{
  const Box& box = bits.box;
  if (!stored.contains(box))
  {
    throw std::invalid_argument("segcore::writeBlock: the block is not inside the stored box");
  }
  forRanges(box.rows(), std::max<Index>(1, 4096 / std::max<Index>(1, bits.rowWords)),
    [&](Index begin, Index end)
    {
      for (Index r = begin; r < end; ++r)
      {
        const Index y = box.lo[1] + r % box.dim(1);
        const Index z = box.lo[2] + r / box.dim(1);
        T* row = labels + stored.offset(box.lo[0], y, z);
        const Index lead = bits.lead;
        forEachRun(bits.words.data() + r * bits.rowWords, bits.rowWords,
          [row, lead, value](Index first, Index last)
          { std::fill(row + (first - lead), row + (last - lead) + 1, value); });
      }
    });
}

} // namespace segcore

#endif
