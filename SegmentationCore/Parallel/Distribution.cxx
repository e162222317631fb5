// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Distribution.h"
#include "Message.h"

#include <sstream>
#include <tuple>

namespace segcore
{

namespace
{

bool rasterBefore(const Box& a, const Box& b)
{
  return std::tie(a.lo[2], a.lo[1], a.lo[0]) < std::tie(b.lo[2], b.lo[1], b.lo[0]);
}

Index totalSize(const std::vector<Box>& boxes)
{
  Index sum = 0;
  for (const Box& box : boxes)
  {
    sum += box.size();
  }
  return sum;
}

std::string describe(const Box& box)
{
  std::ostringstream text;
  text << "[" << box.lo[0] << ".." << box.hi[0] << "] x [" << box.lo[1] << ".." << box.hi[1]
       << "] x [" << box.lo[2] << ".." << box.hi[2] << "]";
  return text.str();
}

void splitInto(const Box& box, Index count, std::vector<Box>& out)
{
  int axis = 2;
  for (int a = 1; a >= 0; --a)
  {
    axis = box.dim(a) > box.dim(axis) ? a : axis;
  }
  const Index length = box.dim(axis);
  if (count < 2 || length < 2)
  {
    out.push_back(box);
    return;
  }
  // Voxels in proportion to the number of parts, at least one plane on both sides. Written without
  // the product length * low, which might overflow for absurd counts.
  const Index low = count / 2;
  const Index wanted = static_cast<Index>(
    static_cast<double>(length) * (static_cast<double>(low) / static_cast<double>(count)));
  const Index cut = std::max<Index>(1, std::min(length - 1, wanted));
  Box first = box;
  Box second = box;
  first.hi[axis] = box.lo[axis] + cut - 1;
  second.lo[axis] = box.lo[axis] + cut;
  splitInto(first, low, out);
  splitInto(second, count - low, out);
}

} // namespace

void subtractBox(const Box& box, const Box& hole, std::vector<Box>& out)
{
  if (box.empty())
  {
    return;
  }
  const Box common = box.intersect(hole);
  if (common.empty())
  {
    out.push_back(box);
    return;
  }
  // Slabs of the slowest axis are whole, so that the parts are as contiguous as can be.
  Box above[3];
  Box rest = box;
  for (int a = 2; a >= 0; --a)
  {
    Box below = rest;
    below.hi[a] = common.lo[a] - 1;
    if (!below.empty())
    {
      out.push_back(below);
    }
    above[a] = rest;
    above[a].lo[a] = common.hi[a] + 1;
    rest.lo[a] = common.lo[a];
    rest.hi[a] = common.hi[a];
  }
  for (const Box& part : above)
  {
    if (!part.empty())
    {
      out.push_back(part);
    }
  }
}

std::vector<Box> subtractBoxes(const Box& box, const std::vector<Box>& holes)
{
  std::vector<Box> left;
  if (!box.empty())
  {
    left.push_back(box);
  }
  std::vector<Box> next;
  for (const Box& hole : holes)
  {
    // Most pieces touch few others: look before anything is copied.
    if (left.empty() || hole.intersect(box).empty())
    {
      continue;
    }
    next.clear();
    for (const Box& part : left)
    {
      subtractBox(part, hole, next);
    }
    left.swap(next);
  }
  return left;
}

std::vector<Box> splitBox(const Box& box, Index count)
{
  std::vector<Box> parts;
  if (!box.empty())
  {
    splitInto(box, std::min(std::max<Index>(1, count), box.size()), parts);
  }
  return parts;
}

Distribution::Distribution(
  int rank, const std::vector<Box>& pieces, const std::vector<Index>& blocksPerRank)
  : Rank_(rank), Pieces_(pieces)
{
  for (const Box& piece : pieces)
  {
    this->Whole_ = this->Whole_.unite(piece);
  }
  std::vector<Box> held; // non-empty pieces of lower ranks
  Index covered = 0;
  for (std::size_t r = 0; r < pieces.size(); ++r)
  {
    this->FirstBlock_.push_back(static_cast<Index>(this->Blocks_.size()));
    const std::vector<Box> owned = subtractBoxes(pieces[r], held);
    const Index total = totalSize(owned);
    covered += total;
    std::vector<Box> boxes;
    for (const Box& box : owned)
    {
      // Parts in proportion to the size of the box, rounded; splitBox makes at least one.
      const double share = static_cast<double>(box.size()) / static_cast<double>(total);
      const double count = static_cast<double>(blocksPerRank[r]) * share + 0.5;
      const std::vector<Box> cut = splitBox(box, static_cast<Index>(count));
      boxes.insert(boxes.end(), cut.begin(), cut.end());
    }
    std::sort(boxes.begin(), boxes.end(), rasterBefore);
    for (const Box& box : boxes)
    {
      Block block;
      block.id = static_cast<Index>(this->Blocks_.size());
      block.rank = static_cast<int>(r);
      block.box = box;
      this->Blocks_.push_back(block);
    }
    if (!pieces[r].empty())
    {
      held.push_back(pieces[r]);
    }
  }
  this->FirstBlock_.push_back(static_cast<Index>(this->Blocks_.size()));
  this->LocalBlocks_.assign(this->Blocks_.begin() + this->FirstBlock_[rank],
    this->Blocks_.begin() + this->FirstBlock_[rank + 1]);

  if (covered != this->Whole_.size())
  {
    const std::vector<Box> gaps = subtractBoxes(this->Whole_, held);
    throw std::runtime_error("the pieces of the ranks do not cover the whole image " +
      describe(this->Whole_) + ": " + std::to_string(this->Whole_.size() - covered) +
      " voxels are missing, first in " +
      describe(*std::min_element(gaps.begin(), gaps.end(), rasterBefore)));
  }
}

Distribution::Distribution(const Communicator& communicator, const Box& piece, Index blocksPerRank)
{
  struct Offer
  {
    Box piece;
    Index blocks;
  };
  MessageWriter writer;
  writer.put(Offer{ piece, std::max<Index>(1, blocksPerRank) });
  const std::vector<Bytes> offers = communicator.allGather(writer.take());

  communicator.run(
    [&]
    {
      std::vector<Box> pieces;
      std::vector<Index> blocks;
      for (const Bytes& bytes : offers)
      {
        const Offer offer = MessageReader(bytes).get<Offer>();
        pieces.push_back(offer.piece);
        blocks.push_back(offer.blocks);
      }
      *this = Distribution(communicator.rank(), pieces, blocks);
    });
}

Distribution::Distribution(
  const Communicator& communicator, const int pieceExtent[6], Index blocksPerRank)
  : Distribution(communicator, Box::fromExtent(pieceExtent), blocksPerRank)
{
}

} // namespace segcore
