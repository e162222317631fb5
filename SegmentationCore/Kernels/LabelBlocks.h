// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// LabelBlocks: a layer of label values in copy-on-write blocks, for worlds of any size.
///
/// The world is cut by a regular grid into blocks of `edge` voxels along each axis (the last ones
/// are cut off). A block is either one value for all its voxels, or an array of the narrowest
/// unsigned type that holds its values, so a layer widens block by block. Blocks nobody has written
/// to are not stored and hold the background, 0: the memory of a layer follows what it shows, not
/// its extent. Arrays are shared and never changed once they are in a layer: who wants to change a
/// block makes another one and replaces it, and the old one is all that undo needs.
///
/// A rank holds the part of the world in its own box; block numbers are those of the whole world.
///
/// Layout in a block: its box (see Box.h), x fastest. Threads: reading is safe from many threads,
/// replace() is not. Cost: finding a block is constant time; memory 24 bytes per stored block
/// besides its voxels.

#ifndef segcoreLabelBlocks_h
#define segcoreLabelBlocks_h

#include "Box.h"

#include "SegmentationCoreKernelsModule.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace segcore
{

/// A label value; 0 is the background.
using Label = std::uint64_t;

/// Bytes of the narrowest unsigned type that holds a label: 1, 2, 4 or 8.
inline int labelWidth(Label label)
{
  return label >> 32 ? 8 : (label >> 16 ? 4 : (label >> 8 ? 2 : 1));
}

/// Calls work(pointer) with `data` as the unsigned type of that many bytes.
template <class Data, class Work>
decltype(auto) withLabelType(int width, Data* data, Work&& work)
{
  constexpr bool constant = std::is_const<Data>::value;
  using U8 = std::conditional_t<constant, const std::uint8_t, std::uint8_t>;
  using U16 = std::conditional_t<constant, const std::uint16_t, std::uint16_t>;
  using U32 = std::conditional_t<constant, const std::uint32_t, std::uint32_t>;
  using U64 = std::conditional_t<constant, const std::uint64_t, std::uint64_t>;
  switch (width)
  {
    case 1:
      return work(reinterpret_cast<U8*>(data));
    case 2:
      return work(reinterpret_cast<U16*>(data));
    case 4:
      return work(reinterpret_cast<U32*>(data));
    default:
      return work(reinterpret_cast<U64*>(data));
  }
}

/// The array of a block whose voxels differ.
class SEGMENTATIONCOREKERNELS_EXPORT BlockVoxels
{
public:
  /// Voxels without values yet.
  BlockVoxels(Index count, int width);
  ~BlockVoxels();
  BlockVoxels(const BlockVoxels&) = delete;
  void operator=(const BlockVoxels&) = delete;

  Index count() const { return this->Count; }
  int width() const { return this->Width; }
  std::size_t bytes() const { return static_cast<std::size_t>(this->Count) * this->Width; }
  std::byte* data() { return this->Data.get(); }
  const std::byte* data() const { return this->Data.get(); }

  /// Its values, each once, sorted; found at the first call. Call it only when they no longer
  /// change.
  const std::vector<Label>& labels() const;

private:
  std::unique_ptr<std::byte[]> Data;
  Index Count;
  int Width;
  mutable std::atomic<const std::vector<Label>*> Labels{ nullptr };
};

/// A block as it is stored: one value, or voxels.
struct SEGMENTATIONCOREKERNELS_EXPORT LabelBlock
{
  std::shared_ptr<const BlockVoxels> voxels; ///< null if all voxels have the same value
  Label value = 0;                           ///< that value

  /// Both are the same value, or share the same voxels.
  bool isSame(const LabelBlock& other) const
  {
    return this->voxels == other.voxels && (this->voxels || this->value == other.value);
  }
  std::size_t bytes() const { return this->voxels ? this->voxels->bytes() : 0; }
  bool contains(Label label) const;
  /// Calls work(label) for each value that it has, in ascending order.
  template <class Work>
  void forEachLabel(Work&& work) const
  {
    if (!this->voxels)
    {
      work(this->value);
      return;
    }
    for (const Label label : this->voxels->labels())
    {
      work(label);
    }
  }
  Label at(Index offset) const;

  /// A copy of `count` voxels to change, at least `width` bytes wide.
  std::shared_ptr<BlockVoxels> copy(Index count, int width) const;

  /// What to store for voxels that are ready: one value if they all have the same.
  static LabelBlock of(std::shared_ptr<BlockVoxels> voxels);
};

class SEGMENTATIONCOREKERNELS_EXPORT LabelBlocks
{
public:
  static constexpr int DefaultEdge = 32;

  /// All background. `world` is the grid's, the same on all ranks; `held` the part of it that is
  /// stored here. Throws std::invalid_argument unless 1 <= edge <= 256, or if there are more than
  /// 2^62 blocks.
  LabelBlocks(const Box& world, const Box& held, int edge = DefaultEdge);

  const Box& world() const { return this->World; }
  const Box& held() const { return this->Held; }
  int edge() const { return static_cast<int>(this->Edge); }

  /// The number of the block of a voxel, and the voxels of a block that are held here.
  Index key(Index i, Index j, Index k) const;
  Box box(Index key) const;

  /// Calls work(key, box) for each block that has held voxels in `region`, x fastest; `box` is the
  /// whole held box of the block.
  template <class Work>
  void forEachIn(const Box& region, Work&& work) const
  {
    const Box part = region.clipped(this->Held);
    if (part.empty())
    {
      return;
    }
    Index first[3], last[3];
    for (int a = 0; a < 3; ++a)
    {
      first[a] = (part.lo[a] - this->World.lo[a]) / this->Edge;
      last[a] = (part.hi[a] - this->World.lo[a]) / this->Edge;
    }
    for (Index z = first[2]; z <= last[2]; ++z)
    {
      for (Index y = first[1]; y <= last[1]; ++y)
      {
        for (Index x = first[0]; x <= last[0]; ++x)
        {
          const Index number = x + this->Blocks[0] * (y + this->Blocks[1] * z);
          work(number, this->box(number));
        }
      }
    }
  }

  /// The numbers of stored blocks (all others are background), ascending; of those that have held
  /// voxels in `region`, if one is given.
  std::vector<Index> stored() const;
  std::vector<Index> stored(const Box& region) const;
  std::size_t storedCount() const { return this->Map.size(); }

  const LabelBlock& get(Index key) const;

  /// Puts another block in its place and returns the old one.
  LabelBlock replace(Index key, LabelBlock block);

  Label at(Index i, Index j, Index k) const;

  /// Copies `region` (held) to an array that holds `box`, in its type; labels must fit. Voxels
  /// outside `region` are left alone. Threads: yes.
  template <class T>
  void copyTo(const Box& region, T* out, const Box& box) const;

  /// 1 where `region` (held) has the label, else 0.
  void maskOf(Label label, const Box& region, std::uint8_t* out, const Box& box) const;

  /// The smallest box around the held voxels with this label; looks into few blocks.
  Box boundsOf(Label label) const;

  /// The largest value of all held voxels.
  Label largest() const;

  /// Voxels held in blocks that have arrays, in bytes.
  std::size_t bytes() const { return this->Bytes; }

private:
  Box World;
  Box Held;
  Index Edge;
  Index Blocks[3];
  std::unordered_map<Index, LabelBlock> Map;
  std::size_t Bytes = 0;
};

} // namespace segcore

#endif
