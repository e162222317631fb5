// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// How voxels travel: as values or as bits, from the arrays of their owners to those of the askers.
///
/// VoxelArray and Request are what callers of HaloExchange.h see. The rest are the transfers behind
/// its calls: pack() runs where the voxels are owned, unpack() where they were asked for, copy()
/// does both at once on one rank. Rows along x are handled on all threads; every voxel is written
/// by one of them.

#ifndef segcoreVoxelTransfer_h
#define segcoreVoxelTransfer_h

#include "BitBlock.h"
#include "Box.h"
#include "Distribution.h"
#include "PackBits.h"
#include "Threads.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace segcore
{

/// An array that stores the voxels of `memory` alone, x fastest. Does not own it.
template <class T>
struct VoxelArray
{
  Box memory;
  T* data = nullptr;

  VoxelArray() = default;
  VoxelArray(const Box& box, T* values) : memory(box), data(values) {}
  /// An array to write to serves for reading, too.
  template <class U, class = std::enable_if_t<std::is_same<const U, T>::value>>
  VoxelArray(const VoxelArray<U>& other) : memory(other.memory), data(other.data)
  {
  }

  T* at(Index i, Index j, Index k) const { return this->data + this->memory.offset(i, j, k); }
};

/// "Write the values of `box` to `out`", an array that stores `box`, or a larger box `memory`.
template <class T>
struct Request
{
  Box box;
  VoxelArray<T> out;

  Request(const Box& wanted, T* values) : box(wanted), out(wanted, values) {}
  Request(const Box& wanted, const VoxelArray<T>& array) : box(wanted), out(array) {}
};

/// "Write the mask of `box` to `out`", bits of that box or of a larger one, which is 0 elsewhere.
struct BitRequest
{
  Box box;
  BitBlock* out;

  explicit BitRequest(BitBlock& bits) : box(bits.box), out(&bits) {}
  BitRequest(const Box& wanted, BitBlock& bits) : box(wanted), out(&bits) {}
};

namespace detail
{

/// Calls row(j, k) for all rows of a box, on all threads.
template <class Row>
void forEachRow(const Box& box, const Row& row)
{
  const Index grain = 65536 / std::max<Index>(1, box.dim(0)) + 1;
  forRanges(box.rows(), grain,
    [&](Index begin, Index end)
    {
      Index j = box.lo[1] + begin % box.dim(1);
      Index k = box.lo[2] + begin / box.dim(1);
      for (Index r = begin; r < end; ++r)
      {
        row(j, k);
        if (++j > box.hi[1])
        {
          j = box.lo[1];
          ++k;
        }
      }
    });
}

/// Copies the voxels of `box`, which both arrays store.
template <class From, class To>
void copyVoxels(const VoxelArray<From>& from, const VoxelArray<To>& to, const Box& box)
{
  static_assert(std::is_trivially_copyable<To>::value, "voxels are plain values");
  if (box.empty())
  {
    return;
  }
  forEachRow(box, [&](Index j, Index k)
    { std::copy_n(from.at(box.lo[0], j, k), box.dim(0), to.at(box.lo[0], j, k)); });
}

/// Where the voxels of a local block are: in the piece, or in the block's own array.
template <class T>
class BlockSource
{
public:
  BlockSource(const Distribution& distribution, const T* piece)
    : Arrays_(1, VoxelArray<const T>(distribution.piece(), piece))
  {
    if (!piece && !distribution.localBlocks().empty())
    {
      this->Error_ = "the array of the piece is missing";
    }
  }

  BlockSource(const Distribution& distribution, const std::vector<VoxelArray<const T>>& blocks)
    : Arrays_(blocks), PerBlock_(true)
  {
    const std::vector<Block>& local = distribution.localBlocks();
    if (blocks.size() != local.size())
    {
      this->Error_ = std::to_string(blocks.size()) + " arrays for " + std::to_string(local.size()) +
        " local blocks; there must be one for each";
      return;
    }
    for (std::size_t b = 0; b < local.size(); ++b)
    {
      if (!blocks[b].data || !blocks[b].memory.contains(local[b].box))
      {
        this->Error_ =
          "the array of local block " + std::to_string(b) + " does not store the block";
      }
    }
    this->First_ = local.empty() ? 0 : local.front().id;
  }

  const VoxelArray<const T>& array(const Block& block) const
  {
    return this->Arrays_[this->PerBlock_ ? static_cast<std::size_t>(block.id - this->First_) : 0];
  }
  const std::string& error() const { return this->Error_; }

private:
  std::vector<VoxelArray<const T>> Arrays_;
  bool PerBlock_ = false;
  Index First_ = 0;
  std::string Error_;
};

/// What is wrong with the requests, or an empty text.
template <class T>
std::string requestError(const std::vector<Request<T>>& requests)
{
  for (std::size_t r = 0; r < requests.size(); ++r)
  {
    const Request<T>& request = requests[r];
    if (!request.box.empty() && (!request.out.data || !request.out.memory.contains(request.box)))
    {
      return "the array of request " + std::to_string(r) + " does not store the requested box";
    }
  }
  return {};
}

template <class T>
std::vector<Box> boxesOf(const std::vector<Request<T>>& requests)
{
  std::vector<Box> boxes;
  for (const Request<T>& request : requests)
  {
    boxes.push_back(request.box);
  }
  return boxes;
}

/// Values as they are.
template <class T>
struct ValueTransfer
{
  const BlockSource<T>& source;
  const std::vector<Request<T>>& requests;

  Index bytes(const Box& box) const { return box.size() * static_cast<Index>(sizeof(T)); }

  void pack(const Block& block, const Box& box, std::byte* to) const
  {
    const VoxelArray<const T>& from = this->source.array(block);
    const std::size_t rowBytes = static_cast<std::size_t>(box.dim(0)) * sizeof(T);
    forEachRow(box,
      [&](Index j, Index k)
      {
        std::memcpy(to + box.offset(box.lo[0], j, k) * static_cast<Index>(sizeof(T)),
          from.at(box.lo[0], j, k), rowBytes);
      });
  }

  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    const VoxelArray<T>& to = this->requests[request].out;
    const std::size_t rowBytes = static_cast<std::size_t>(box.dim(0)) * sizeof(T);
    forEachRow(box,
      [&](Index j, Index k)
      {
        std::memcpy(to.at(box.lo[0], j, k),
          from + box.offset(box.lo[0], j, k) * static_cast<Index>(sizeof(T)), rowBytes);
      });
  }

  void copy(const Block& block, std::size_t request, const Box& box) const
  {
    copyVoxels(this->source.array(block), this->requests[request].out, box);
  }
};

/// The voxels of a box in raster order as bits, without gaps between rows: a face across x is one
/// voxel wide, and padded rows would cost a word each.
template <class T, class Predicate>
struct MaskPacking
{
  const BlockSource<T>& source;
  const Predicate& predicate;

  Index bytes(const Box& box) const
  {
    return wordCount(box.size()) * static_cast<Index>(sizeof(Word));
  }

  void pack(const Block& block, const Box& box, std::byte* to) const
  {
    const VoxelArray<const T>& from = this->source.array(block);
    Word* words = reinterpret_cast<Word*>(to);
    const Index width = box.dim(0);
    const Index count = box.size();
    forRanges(wordCount(count), 4096,
      [&](Index begin, Index end)
      {
        const Index row = begin * 64 / width;
        Index i = begin * 64 % width; // within the row
        Index j = box.lo[1] + row % box.dim(1);
        Index k = box.lo[2] + row / box.dim(1);
        for (Index w = begin; w < end; ++w)
        {
          std::uint8_t flags[64] = {};
          const Index wanted = std::min<Index>(64, count - w * 64);
          for (Index filled = 0; filled < wanted;)
          {
            const Index now = std::min(wanted - filled, width - i);
            const T* values = from.at(box.lo[0] + i, j, k);
            for (Index n = 0; n < now; ++n)
            {
              flags[filled + n] = this->predicate(values[n]) ? 1 : 0;
            }
            filled += now;
            i += now;
            if (i == width)
            {
              i = 0;
              if (++j > box.hi[1])
              {
                j = box.lo[1];
                ++k;
              }
            }
          }
          words[w] = packWord(flags);
        }
      });
  }
};

/// A mask that arrives as bytes 0 or 1.
template <class T, class Predicate>
struct MaskTransfer : MaskPacking<T, Predicate>
{
  const std::vector<Request<std::uint8_t>>& requests;

  MaskTransfer(const BlockSource<T>& from, const Predicate& test,
    const std::vector<Request<std::uint8_t>>& asked)
    : MaskPacking<T, Predicate>{ from, test }, requests(asked)
  {
  }

  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    const VoxelArray<std::uint8_t>& to = this->requests[request].out;
    const Word* words = reinterpret_cast<const Word*>(from);
    forEachRow(box, [&](Index j, Index k)
      { unpackBits(words, box.offset(box.lo[0], j, k), box.dim(0), to.at(box.lo[0], j, k)); });
  }

  void copy(const Block& block, std::size_t request, const Box& box) const
  {
    const VoxelArray<const T>& from = this->source.array(block);
    const VoxelArray<std::uint8_t>& to = this->requests[request].out;
    forEachRow(box,
      [&](Index j, Index k)
      {
        const T* values = from.at(box.lo[0], j, k);
        std::uint8_t* flags = to.at(box.lo[0], j, k);
        for (Index n = 0; n < box.dim(0); ++n)
        {
          flags[n] = this->predicate(values[n]) ? 1 : 0;
        }
      });
  }
};

/// A mask that arrives as bits. Each row is written by one thread, so words are not shared.
template <class T, class Predicate>
struct BitTransfer : MaskPacking<T, Predicate>
{
  const std::vector<BitRequest>& requests;

  BitTransfer(
    const BlockSource<T>& from, const Predicate& test, const std::vector<BitRequest>& asked)
    : MaskPacking<T, Predicate>{ from, test }, requests(asked)
  {
  }

  void unpack(std::size_t request, const Box& box, const std::byte* from) const
  {
    BitBlock& to = *this->requests[request].out;
    const Word* words = reinterpret_cast<const Word*>(from);
    forEachRow(box,
      [&](Index j, Index k)
      {
        Word part[rowWords];
        forEachPart(box,
          [&](Index first, Index count)
          {
            copyBits(words, box.offset(box.lo[0] + first, j, k), count, part);
            pasteBits(part, count, to.row(j, k), box.lo[0] + first - to.box.lo[0]);
          });
      });
  }

  void copy(const Block& block, std::size_t request, const Box& box) const
  {
    const VoxelArray<const T>& from = this->source.array(block);
    BitBlock& to = *this->requests[request].out;
    const bool wholeRows = box.lo[0] == to.box.lo[0] && box.hi[0] == to.box.hi[0];
    forEachRow(box,
      [&](Index j, Index k)
      {
        const T* values = from.at(box.lo[0], j, k);
        const auto test = [this, values](Index i) { return this->predicate(values[i]); };
        if (wholeRows)
        {
          packWhere(box.dim(0), to.row(j, k), test);
          return;
        }
        Word part[rowWords];
        forEachPart(box,
          [&](Index first, Index count)
          {
            packWhere(count, part, [&test, first](Index i) { return test(first + i); });
            pasteBits(part, count, to.row(j, k), box.lo[0] + first - to.box.lo[0]);
          });
      });
  }

private:
  static constexpr Index rowWords = 16;

  /// Calls part(first, count) for parts of a row that fit into rowWords words.
  template <class Part>
  static void forEachPart(const Box& box, const Part& part)
  {
    for (Index first = 0; first < box.dim(0); first += rowWords * 64)
    {
      part(first, std::min(rowWords * 64, box.dim(0) - first));
    }
  }
};

} // namespace detail

} // namespace segcore

#endif
