// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "BlockSnapshot.h"

#include "PackBits.h"
#include "Threads.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace segcore
{

namespace
{
constexpr Index Edge = BlockSnapshot::Edge;
constexpr Index BlockSize = Edge * Edge * Edge;
// Block numbers of 32-bit indices have 27 bits and a sign; two bits of each axis to a level.
constexpr int Levels = 14;
constexpr Index Bias = Index{ 1 } << (2 * Levels - 1);

/// The way down to a block, one of 64 children at each level.
using Path = std::array<std::uint8_t, Levels>;

Path pathOf(const Index number[3])
{
  Path path;
  for (int level = 0; level < Levels; ++level)
  {
    const int shift = 2 * (Levels - 1 - level);
    int child = 0;
    for (int a = 0; a < 3; ++a)
    {
      child |= static_cast<int>(((number[a] + Bias) >> shift) & 3) << (2 * a);
    }
    path[level] = static_cast<std::uint8_t>(child);
  }
  return path;
}

Index blockOf(Index voxel)
{
  return voxel >= 0 ? voxel / Edge : -((-voxel + Edge - 1) / Edge);
}

Box voxelsOf(const Index number[3])
{
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] = number[a] * Edge;
    box.hi[a] = box.lo[a] + Edge - 1;
  }
  return box;
}

/// The numbers of the blocks with voxels in a box.
std::vector<std::array<Index, 3>> blocksIn(const Box& box)
{
  std::vector<std::array<Index, 3>> blocks;
  if (box.empty())
  {
    return blocks;
  }
  for (Index z = blockOf(box.lo[2]); z <= blockOf(box.hi[2]); ++z)
  {
    for (Index y = blockOf(box.lo[1]); y <= blockOf(box.hi[1]); ++y)
    {
      for (Index x = blockOf(box.lo[0]); x <= blockOf(box.hi[0]); ++x)
      {
        blocks.push_back({ { x, y, z } });
      }
    }
  }
  return blocks;
}

/// Copies what is in both boxes, `width` bytes a voxel.
void copyVoxels(const std::byte* from, const Box& fromBox, std::byte* to, const Box& toBox,
  const Box& part, Index width)
{
  const std::size_t bytes = static_cast<std::size_t>(part.dim(0) * width);
  for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
  {
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      std::memcpy(to + width * toBox.offset(part.lo[0], y, z),
        from + width * fromBox.offset(part.lo[0], y, z), bytes);
    }
  }
}

/// A count of bytes for as long as this lives.
class Weight
{
public:
  Weight(BlockSnapshot::Meter meter, std::size_t bytes)
    : Counter(std::move(meter)), Bytes(static_cast<std::int64_t>(bytes))
  {
    *this->Counter += this->Bytes;
  }
  ~Weight() { *this->Counter -= this->Bytes; }
  Weight(const Weight&) = delete;
  void operator=(const Weight&) = delete;

private:
  BlockSnapshot::Meter Counter;
  std::int64_t Bytes;
};

bool sameValue(const std::byte* a, const std::byte* b, Index width)
{
  switch (width)
  {
    case 1:
      return *a == *b;
    case 2:
      return std::memcmp(a, b, 2) == 0;
    case 4:
      return std::memcmp(a, b, 4) == 0;
    default:
      return std::memcmp(a, b, static_cast<std::size_t>(width)) == 0;
  }
}
}

/// Packed voxels: `lengths.size()` values, each of which stands for a run of length + 1 voxels; one
/// value without a length is that of all voxels, and all voxels without lengths stand for
/// themselves. The same voxels are always packed the same way.
struct BlockSnapshot::Block
{
  /// The rows of a block (null: of zeros) one after the other.
  class RowReader
  {
  public:
    /// `row` is where they are unpacked to, if they are not at hand.
    RowReader(const Block* block, Index width, std::vector<std::byte>& row)
      : Packed(block), Width(static_cast<std::size_t>(width)), Row(row)
    {
      this->Row.assign(static_cast<std::size_t>(Edge) * this->Width, std::byte{ 0 });
      if (block && block->Lengths.empty())
      {
        this->Plain = block->Values.size() > this->Width;
        this->Uniform = !this->Plain;
      }
      if (this->Uniform)
      {
        this->fill(block->Values.data(), 0, Edge);
      }
    }

    const std::byte* next()
    {
      if (!this->Packed || this->Uniform)
      {
        return this->Row.data();
      }
      if (this->Plain)
      {
        return this->Packed->Values.data() + this->Row.size() * this->Done++;
      }
      for (Index at = 0; at < Edge;)
      {
        if (this->Left == 0)
        {
          this->Left = Index{ this->Packed->Lengths[this->Done++] } + 1;
          this->Filled = false;
        }
        const Index count = std::min(this->Left, Edge - at);
        if (!this->Filled)
        {
          this->fill(this->Packed->Values.data() + (this->Done - 1) * this->Width, at, count);
          this->Filled = count == Edge;
        }
        this->Left -= count;
        at += count;
      }
      return this->Row.data();
    }

  private:
    void fill(const std::byte* value, Index begin, Index count)
    {
      std::byte* to = this->Row.data() + static_cast<std::size_t>(begin) * this->Width;
      if (this->Width == 1)
      {
        std::memset(to, static_cast<int>(*value), static_cast<std::size_t>(count));
        return;
      }
      for (Index i = 0; i < count; ++i, to += this->Width)
      {
        std::memcpy(to, value, this->Width);
      }
    }

    const Block* Packed;
    std::size_t Width;
    std::vector<std::byte>& Row;
    bool Plain = false;   // the block is kept as it is
    bool Uniform = false; // all its voxels have one value
    std::size_t Done = 0; // rows of a plain block, else runs begun
    Index Left = 0;       // of the run
    bool Filled = false;  // the whole row has the run's value already
  };

  Block(std::vector<std::uint16_t> lengths, std::vector<std::byte> values, const Meter& meter)
    : Lengths(std::move(lengths))
    , Values(std::move(values))
    , Size(meter, sizeof(Block) + 2 * this->Lengths.size() + this->Values.size())
  {
  }

  std::vector<std::uint16_t> Lengths;
  std::vector<std::byte> Values;
  Weight Size;

  bool operator==(const Block& other) const
  {
    return this->Lengths == other.Lengths && this->Values == other.Values;
  }

  /// Null for zeros.
  static std::shared_ptr<const Block> pack(
    const std::vector<std::byte>& voxels, Index width, const Meter& meter)
  {
    const std::byte* first = voxels.data();
    const std::size_t one = static_cast<std::size_t>(width);
    if (std::memcmp(first, first + one, voxels.size() - one) == 0)
    {
      std::vector<std::byte> value(first, first + one);
      if (std::all_of(value.begin(), value.end(), [](std::byte b) { return b == std::byte{ 0 }; }))
      {
        return nullptr;
      }
      return std::make_shared<Block>(std::vector<std::uint16_t>(), std::move(value), meter);
    }
    std::vector<std::uint16_t> lengths;
    std::vector<std::byte> values;
    const std::size_t limit = voxels.size() / (one + 2); // more runs than that do not pay
    Index begin = 0;
    for (Index i = 1; i <= BlockSize; ++i)
    {
      if (i == BlockSize || !sameValue(first + i * width, first + begin * width, width))
      {
        if (lengths.size() == limit)
        {
          return std::make_shared<Block>(std::vector<std::uint16_t>(), voxels, meter);
        }
        lengths.push_back(static_cast<std::uint16_t>(i - begin - 1));
        values.insert(values.end(), first + begin * width, first + (begin + 1) * width);
        begin = i;
      }
    }
    lengths.shrink_to_fit();
    values.shrink_to_fit();
    return std::make_shared<Block>(std::move(lengths), std::move(values), meter);
  }

  /// Does the block (null: of zeros) with that box show what `voxels`, which stores `stored`, has
  /// in the region? Compares a row at a time and stops at the first that differs.
  static bool matches(const Block* block, const Box& box, const std::byte* voxels,
    const Box& stored, const Box& region, Index width, std::vector<std::byte>& row)
  {
    const Box asked = box.clipped(region);
    const Box part = asked.clipped(stored);
    const auto bytes = [width](Index count) { return static_cast<std::size_t>(count * width); };
    const auto isZero = [](std::byte b) { return b == std::byte{ 0 }; };
    RowReader reader(block, width, row);
    for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
    {
      for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
      {
        const std::byte* mine = reader.next();
        if (!asked.contains(asked.lo[0], y, z))
        {
          continue;
        }
        const std::byte* begin = mine + bytes(asked.lo[0] - box.lo[0]);
        const std::byte* end = begin + bytes(asked.dim(0));
        const std::byte* first = end; // of those that are stored; the others must be 0
        const std::byte* last = end;
        if (part.contains(part.lo[0], y, z))
        {
          first = mine + bytes(part.lo[0] - box.lo[0]);
          last = first + bytes(part.dim(0));
          if (std::memcmp(
                first, voxels + width * stored.offset(part.lo[0], y, z), bytes(part.dim(0))) != 0)
          {
            return false;
          }
        }
        if (block && !(std::all_of(begin, first, isZero) && std::all_of(last, end, isZero)))
        {
          return false;
        }
      }
    }
    return true;
  }

  void unpack(std::vector<std::byte>& voxels, Index width) const
  {
    if (this->Values.size() == voxels.size())
    {
      voxels = this->Values;
      return;
    }
    std::byte* to = voxels.data();
    const std::byte* value = this->Values.data();
    const std::size_t runs = std::max<std::size_t>(1, this->Lengths.size());
    for (std::size_t r = 0; r < runs; ++r, value += width)
    {
      const Index count = this->Lengths.empty() ? BlockSize : Index{ this->Lengths[r] } + 1;
      if (width == 1)
      {
        std::memset(to, static_cast<int>(*value), static_cast<std::size_t>(count));
        to += count;
        continue;
      }
      for (Index i = 0; i < count; ++i, to += width)
      {
        std::memcpy(to, value, static_cast<std::size_t>(width));
      }
    }
  }
};

/// Only children that exist are stored, in ascending order; those of the last level are blocks.
struct BlockSnapshot::Node
{
  using NodePointer = std::shared_ptr<const Node>;
  using BlockPointer = std::shared_ptr<const Block>;
  struct Change
  {
    Path path;
    BlockPointer block;
  };

  Word Mask = 0;
  std::vector<NodePointer> Nodes;
  std::vector<BlockPointer> Blocks;
  std::unique_ptr<Weight> Size;

  /// Place of a child among those that exist.
  Index place(int child) const { return countOnes(this->Mask & lowBits(child)); }

  static NodePointer child(const Node* node, int number)
  {
    return node && testBit(&node->Mask, number) ? node->Nodes[node->place(number)] : nullptr;
  }

  static BlockPointer block(const Node* node, int number)
  {
    return node && testBit(&node->Mask, number) ? node->Blocks[node->place(number)] : nullptr;
  }

  static BlockPointer find(const Node* node, const Path& path)
  {
    NodePointer keep;
    for (int level = 0; level + 1 < Levels && node; ++level)
    {
      keep = Node::child(node, path[level]);
      node = keep.get();
    }
    return Node::block(node, path[Levels - 1]);
  }

  /// A node with changes, which are sorted by path; null if nothing is left below it.
  static NodePointer changed(
    const NodePointer& old, int level, const Change* first, const Change* last, const Meter& meter)
  {
    auto made = std::make_shared<Node>();
    for (int child = 0; child < 64; ++child)
    {
      const Change* end = first;
      while (end != last && end->path[level] == child)
      {
        ++end;
      }
      if (level + 1 == Levels)
      {
        const BlockPointer block = end != first ? first->block : Node::block(old.get(), child);
        if (block)
        {
          made->Mask |= Word{ 1 } << child;
          made->Blocks.push_back(block);
        }
      }
      else
      {
        NodePointer node = Node::child(old.get(), child);
        node = end != first ? Node::changed(node, level + 1, first, end, meter) : node;
        if (node)
        {
          made->Mask |= Word{ 1 } << child;
          made->Nodes.push_back(node);
        }
      }
      first = end;
    }
    if (!made->Mask)
    {
      return nullptr;
    }
    made->Nodes.shrink_to_fit();
    made->Blocks.shrink_to_fit();
    made->Size = std::make_unique<Weight>(
      meter, sizeof(Node) + sizeof(NodePointer) * (made->Nodes.size() + made->Blocks.size()));
    return made;
  }

  /// Calls visit(number of the block, one, other) where blocks differ; either may be null.
  template <class Visit>
  static void compare(
    const Node* one, const Node* other, int level, const Index number[3], const Visit& visit)
  {
    if (one == other)
    {
      return;
    }
    const Word mask = (one ? one->Mask : 0) | (other ? other->Mask : 0);
    for (Word left = mask; left; left &= left - 1)
    {
      const int child = static_cast<int>(lowestOne(left));
      const Index below[3] = { number[0] * 4 + (child & 3), number[1] * 4 + ((child >> 2) & 3),
        number[2] * 4 + ((child >> 4) & 3) };
      if (level + 1 < Levels)
      {
        Node::compare(
          Node::child(one, child).get(), Node::child(other, child).get(), level + 1, below, visit);
        continue;
      }
      const BlockPointer a = Node::block(one, child);
      const BlockPointer b = Node::block(other, child);
      if (a != b)
      {
        const Index unbiased[3] = { below[0] - Bias, below[1] - Bias, below[2] - Bias };
        visit(unbiased, a, b);
      }
    }
  }
};

//----------------------------------------------------------------------------
BlockSnapshot::Meter BlockSnapshot::newMeter()
{
  return std::make_shared<std::atomic<std::int64_t>>(0);
}

//----------------------------------------------------------------------------
BlockSnapshot::BlockSnapshot(Index bytesPerVoxel, Meter meter)
  : Width(bytesPerVoxel), Bytes(std::move(meter))
{
  if (bytesPerVoxel < 1 || bytesPerVoxel > 4096 || !this->Bytes)
  {
    throw std::invalid_argument("segcore::BlockSnapshot: a voxel has 1 to 4096 bytes, and a meter "
                                "is needed");
  }
}

//----------------------------------------------------------------------------
BlockSnapshot BlockSnapshot::withRegion(
  const void* voxels, const Box& stored, const Box& region) const
{
  const std::vector<std::array<Index, 3>> numbers = blocksIn(region);
  std::vector<Node::Change> all(numbers.size());
  std::vector<char> differs(numbers.size(), 0);
  const std::byte* from = static_cast<const std::byte*>(voxels);
  forRanges(static_cast<Index>(numbers.size()), 8,
    [&](Index begin, Index end)
    {
      std::vector<std::byte> plain(static_cast<std::size_t>(BlockSize * this->Width));
      std::vector<std::byte> row;
      for (Index n = begin; n < end; ++n)
      {
        const std::size_t at = static_cast<std::size_t>(n);
        const Box box = voxelsOf(numbers[at].data());
        const Box part = box.clipped(stored);
        Node::Change& change = all[at];
        change.path = pathOf(numbers[at].data());
        const Node::BlockPointer old = Node::find(this->Root.get(), change.path);
        if (Block::matches(old.get(), box, from, stored, region, this->Width, row))
        {
          continue;
        }
        const Box read = part.clipped(region);
        if (!region.contains(box) && old)
        {
          old->unpack(plain, this->Width); // voxels outside the region stay
          if (read.size() < box.clipped(region).size())
          {
            const std::vector<std::byte> zeros(plain.size());
            copyVoxels(zeros.data(), box, plain.data(), box, box.clipped(region), this->Width);
          }
        }
        else if (read.size() < BlockSize)
        {
          std::fill(plain.begin(), plain.end(), std::byte{ 0 });
        }
        copyVoxels(from, stored, plain.data(), box, read, this->Width);
        change.block = Block::pack(plain, this->Width, this->Bytes);
        const bool same =
          old && change.block ? *old == *change.block : old.get() == change.block.get();
        differs[at] = !same;
      }
    });
  std::vector<Node::Change> changes;
  for (std::size_t n = 0; n < all.size(); ++n)
  {
    if (differs[n])
    {
      changes.push_back(std::move(all[n]));
    }
  }
  BlockSnapshot made = *this;
  if (!changes.empty())
  {
    std::sort(changes.begin(), changes.end(),
      [](const Node::Change& a, const Node::Change& b) { return a.path < b.path; });
    made.Root =
      Node::changed(this->Root, 0, changes.data(), changes.data() + changes.size(), this->Bytes);
  }
  return made;
}

//----------------------------------------------------------------------------
Box BlockSnapshot::writeTo(
  void* voxels, const Box& stored, const BlockSnapshot* known, const Box& dirty) const
{
  struct Target
  {
    Box box;
    Node::BlockPointer block;
  };
  std::vector<Target> targets;
  const auto add = [&](const Index number[3], const Node::BlockPointer& block)
  {
    const Box box = voxelsOf(number);
    if (!box.clipped(stored).empty())
    {
      targets.push_back({ box, block });
    }
  };
  const Box unknown = known ? dirty.clipped(stored) : stored;
  if (known)
  {
    const Index top[3] = { 0, 0, 0 };
    Node::compare(this->Root.get(), known->Root.get(), 0, top,
      [&](const Index number[3], const Node::BlockPointer& mine, const Node::BlockPointer& theirs)
      {
        const bool same = mine && theirs && *mine == *theirs;
        if (!same && voxelsOf(number).clipped(unknown).empty())
        {
          add(number, mine);
        }
      });
  }
  for (const std::array<Index, 3>& number : blocksIn(unknown))
  {
    add(number.data(), Node::find(this->Root.get(), pathOf(number.data())));
  }
  std::byte* to = static_cast<std::byte*>(voxels);
  Box written;
  for (const Target& target : targets)
  {
    written = written.unite(target.box.clipped(stored));
  }
  forRanges(static_cast<Index>(targets.size()), 8,
    [&](Index begin, Index end)
    {
      std::vector<std::byte> plain(static_cast<std::size_t>(BlockSize * this->Width));
      for (Index n = begin; n < end; ++n)
      {
        const Target& target = targets[static_cast<std::size_t>(n)];
        if (target.block)
        {
          target.block->unpack(plain, this->Width);
        }
        else
        {
          std::fill(plain.begin(), plain.end(), std::byte{ 0 });
        }
        copyVoxels(plain.data(), target.box, to, stored, target.box.clipped(stored), this->Width);
      }
    });
  return written;
}

//----------------------------------------------------------------------------
bool BlockSnapshot::operator==(const BlockSnapshot& other) const
{
  bool same = this->Width == other.Width;
  const Index top[3] = { 0, 0, 0 };
  if (same)
  {
    Node::compare(this->Root.get(), other.Root.get(), 0, top,
      [&same](const Index*, const Node::BlockPointer& a, const Node::BlockPointer& b)
      { same = same && a && b && *a == *b; });
  }
  return same;
}

} // namespace segcore
