// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "LabelBlocks.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace segcore
{
namespace
{
const LabelBlock Background{};

template <class T>
std::vector<Label> distinct(const T* values, Index count)
{
  std::vector<Label> labels;
  if (sizeof(T) == 1)
  {
    std::uint8_t seen[256] = {};
    for (Index i = 0; i < count; ++i)
    {
      seen[static_cast<std::uint8_t>(values[i])] = 1;
    }
    for (Label label = 0; label < 256; ++label)
    {
      if (seen[label])
      {
        labels.push_back(label);
      }
    }
    return labels;
  }
  // One entry per run of equal voxels: labels lie in lumps. Cleaned up each time the list doubles.
  std::size_t limit = 4096;
  for (Index i = 0; i < count; ++i)
  {
    if (i == 0 || values[i] != values[i - 1])
    {
      labels.push_back(values[i]);
      if (labels.size() > limit)
      {
        std::sort(labels.begin(), labels.end());
        labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
        limit = std::max(limit, 2 * labels.size());
      }
    }
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

/// Rows of `part` in an array that holds `box`: calls work(offset, offset in the array of `to`).
template <class Work>
void forRows(const Box& part, const Box& box, const Box& to, const Work& work)
{
  for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
  {
    for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
    {
      work(box.offset(part.lo[0], j, k), to.offset(part.lo[0], j, k));
    }
  }
}
}

//------------------------------------------------------------------------------------------------
BlockVoxels::BlockVoxels(Index count, int width)
  : Data(new std::byte[static_cast<std::size_t>(count) * width]), Count(count), Width(width)
{
}

//------------------------------------------------------------------------------------------------
BlockVoxels::~BlockVoxels()
{
  delete this->Labels.load(std::memory_order_relaxed);
}

//------------------------------------------------------------------------------------------------
const std::vector<Label>& BlockVoxels::labels() const
{
  const std::vector<Label>* known = this->Labels.load(std::memory_order_acquire);
  if (!known)
  {
    auto found = std::make_unique<const std::vector<Label>>(withLabelType(this->Width, this->data(),
      [this](const auto* values) { return distinct(values, this->Count); }));
    // Another thread may have been faster; both lists are equal.
    if (this->Labels.compare_exchange_strong(known, found.get(), std::memory_order_acq_rel))
    {
      known = found.release();
    }
  }
  return *known;
}

//------------------------------------------------------------------------------------------------
bool LabelBlock::contains(Label label) const
{
  if (!this->voxels)
  {
    return this->value == label;
  }
  const std::vector<Label>& labels = this->voxels->labels();
  return std::binary_search(labels.begin(), labels.end(), label);
}

//------------------------------------------------------------------------------------------------
Label LabelBlock::at(Index offset) const
{
  return this->voxels ? withLabelType(this->voxels->width(), this->voxels->data(),
                          [offset](const auto* values) { return Label{ values[offset] }; })
                      : this->value;
}

//------------------------------------------------------------------------------------------------
std::shared_ptr<BlockVoxels> LabelBlock::copy(Index count, int width) const
{
  width = std::max(width, this->voxels ? this->voxels->width() : labelWidth(this->value));
  auto result = std::make_shared<BlockVoxels>(count, width);
  if (!this->voxels)
  {
    withLabelType(width, result->data(), [&](auto* out)
      { std::fill(out, out + count, static_cast<std::decay_t<decltype(*out)>>(this->value)); });
  }
  else if (this->voxels->width() == width)
  {
    std::memcpy(result->data(), this->voxels->data(), this->voxels->bytes());
  }
  else
  {
    withLabelType(this->voxels->width(), this->voxels->data(),
      [&](const auto* in)
      {
        withLabelType(width, result->data(),
          [&](auto* out)
          {
            using To = std::decay_t<decltype(*out)>;
            std::transform(in, in + count, out, [](auto v) { return static_cast<To>(v); });
          });
      });
  }
  return result;
}

//------------------------------------------------------------------------------------------------
LabelBlock LabelBlock::of(std::shared_ptr<BlockVoxels> voxels)
{
  LabelBlock block;
  const std::size_t width = static_cast<std::size_t>(voxels->width());
  // Equal to itself moved by one voxel: all the same. Stops at the first difference.
  if (std::memcmp(voxels->data(), voxels->data() + width, voxels->bytes() - width) == 0)
  {
    block.value = withLabelType(
      voxels->width(), voxels->data(), [](const auto* values) { return Label{ values[0] }; });
  }
  else
  {
    block.voxels = std::move(voxels);
  }
  return block;
}

//------------------------------------------------------------------------------------------------
LabelBlocks::LabelBlocks(const Box& world, const Box& held, int edge)
  : World(world), Held(held.clipped(world)), Edge(edge)
{
  if (edge < 1 || edge > 256)
  {
    throw std::invalid_argument(
      "the edge of a block is " + std::to_string(edge) + " voxels, expected 1 to 256");
  }
  double number = 1.0;
  for (int a = 0; a < 3; ++a)
  {
    this->Blocks[a] = (world.dim(a) + edge - 1) / edge;
    number *= static_cast<double>(this->Blocks[a]);
  }
  if (number > 4.0e18)
  {
    throw std::invalid_argument("the world has too many blocks; expected fewer than 2^62");
  }
}

//------------------------------------------------------------------------------------------------
Index LabelBlocks::key(Index i, Index j, Index k) const
{
  const Index x = (i - this->World.lo[0]) / this->Edge;
  const Index y = (j - this->World.lo[1]) / this->Edge;
  const Index z = (k - this->World.lo[2]) / this->Edge;
  return x + this->Blocks[0] * (y + this->Blocks[1] * z);
}

//------------------------------------------------------------------------------------------------
Box LabelBlocks::box(Index key) const
{
  const Index number[3] = { key % this->Blocks[0], key / this->Blocks[0] % this->Blocks[1],
    key / this->Blocks[0] / this->Blocks[1] };
  Box box;
  for (int a = 0; a < 3; ++a)
  {
    box.lo[a] = this->World.lo[a] + number[a] * this->Edge;
    box.hi[a] = box.lo[a] + this->Edge - 1;
  }
  return box.clipped(this->Held);
}

//------------------------------------------------------------------------------------------------
std::vector<Index> LabelBlocks::stored() const
{
  std::vector<Index> keys;
  keys.reserve(this->Map.size());
  for (const auto& entry : this->Map)
  {
    keys.push_back(entry.first);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

//------------------------------------------------------------------------------------------------
std::vector<Index> LabelBlocks::stored(const Box& region) const
{
  const Box part = region.clipped(this->Held);
  std::vector<Index> keys;
  if (part.empty())
  {
    return keys;
  }
  double candidates = 1.0;
  for (int a = 0; a < 3; ++a)
  {
    candidates *= static_cast<double>(part.dim(a)) / static_cast<double>(this->Edge) + 1.0;
  }
  if (candidates < static_cast<double>(this->Map.size()))
  {
    this->forEachIn(part,
      [&](Index key, const Box&)
      {
        if (this->Map.count(key))
        {
          keys.push_back(key);
        }
      });
    return keys;
  }
  for (const auto& entry : this->Map)
  {
    if (!this->box(entry.first).clipped(part).empty())
    {
      keys.push_back(entry.first);
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

//------------------------------------------------------------------------------------------------
const LabelBlock& LabelBlocks::get(Index key) const
{
  const auto found = this->Map.find(key);
  return found == this->Map.end() ? Background : found->second;
}

//------------------------------------------------------------------------------------------------
LabelBlock LabelBlocks::replace(Index key, LabelBlock block)
{
  const auto found = this->Map.find(key);
  const bool background = !block.voxels && block.value == 0;
  LabelBlock old;
  this->Bytes += block.bytes();
  if (found == this->Map.end())
  {
    if (!background)
    {
      this->Map.emplace(key, std::move(block));
    }
    return old;
  }
  old = std::move(found->second);
  this->Bytes -= old.bytes();
  if (background)
  {
    this->Map.erase(found);
  }
  else
  {
    found->second = std::move(block);
  }
  return old;
}

//------------------------------------------------------------------------------------------------
Label LabelBlocks::at(Index i, Index j, Index k) const
{
  const Index number = this->key(i, j, k);
  const LabelBlock& block = this->get(number);
  return block.voxels ? block.at(this->box(number).offset(i, j, k)) : block.value;
}

//------------------------------------------------------------------------------------------------
template <class T>
void LabelBlocks::copyTo(const Box& region, T* out, const Box& box) const
{
  this->forEachIn(region,
    [&](Index key, const Box& held)
    {
      const Box part = held.clipped(region);
      const LabelBlock& block = this->get(key);
      const Index count = part.dim(0);
      if (!block.voxels)
      {
        forRows(part, held, box,
          [&](Index, Index to) { std::fill_n(out + to, count, static_cast<T>(block.value)); });
        return;
      }
      withLabelType(block.voxels->width(), block.voxels->data(),
        [&](const auto* values)
        {
          forRows(part, held, box,
            [&](Index from, Index to)
            {
              for (Index x = 0; x < count; ++x)
              {
                out[to + x] = static_cast<T>(values[from + x]);
              }
            });
        });
    });
}

template void SEGMENTATIONCOREKERNELS_EXPORT LabelBlocks::copyTo(
  const Box&, std::uint8_t*, const Box&) const;
template void SEGMENTATIONCOREKERNELS_EXPORT LabelBlocks::copyTo(
  const Box&, std::uint16_t*, const Box&) const;
template void SEGMENTATIONCOREKERNELS_EXPORT LabelBlocks::copyTo(
  const Box&, std::uint32_t*, const Box&) const;
template void SEGMENTATIONCOREKERNELS_EXPORT LabelBlocks::copyTo(
  const Box&, std::uint64_t*, const Box&) const;

//------------------------------------------------------------------------------------------------
void LabelBlocks::maskOf(Label label, const Box& region, std::uint8_t* out, const Box& box) const
{
  this->forEachIn(region,
    [&](Index key, const Box& held)
    {
      const Box part = held.clipped(region);
      const LabelBlock& block = this->get(key);
      const Index count = part.dim(0);
      if (!block.voxels || labelWidth(label) > block.voxels->width())
      {
        const std::uint8_t all = !block.voxels && block.value == label ? 1 : 0;
        forRows(part, held, box, [&](Index, Index to) { std::fill_n(out + to, count, all); });
        return;
      }
      withLabelType(block.voxels->width(), block.voxels->data(),
        [&](const auto* values)
        {
          const auto wanted = static_cast<std::decay_t<decltype(*values)>>(label);
          forRows(part, held, box,
            [&](Index from, Index to)
            {
              for (Index x = 0; x < count; ++x)
              {
                out[to + x] = values[from + x] == wanted ? 1 : 0;
              }
            });
        });
    });
}

//------------------------------------------------------------------------------------------------
Box LabelBlocks::boundsOf(Label label) const
{
  Box bounds;
  for (const auto& entry : this->Map)
  {
    const Box held = this->box(entry.first);
    // What lies inside already cannot make the box larger.
    if (bounds.contains(held) || !entry.second.contains(label))
    {
      continue;
    }
    if (!entry.second.voxels)
    {
      bounds = bounds.unite(held);
      continue;
    }
    withLabelType(entry.second.voxels->width(), entry.second.voxels->data(),
      [&](const auto* values)
      {
        const auto wanted = static_cast<std::decay_t<decltype(*values)>>(label);
        const Index count = held.dim(0);
        forRows(held, held, held,
          [&](Index from, Index)
          {
            const auto* row = values + from;
            const auto* first = std::find(row, row + count, wanted);
            if (first == row + count)
            {
              return;
            }
            const auto* last = row + count - 1;
            while (*last != wanted)
            {
              --last;
            }
            Box found;
            const Index line = from / count;
            found.lo[0] = held.lo[0] + (first - row);
            found.hi[0] = held.lo[0] + (last - row);
            found.lo[1] = found.hi[1] = held.lo[1] + line % held.dim(1);
            found.lo[2] = found.hi[2] = held.lo[2] + line / held.dim(1);
            bounds = bounds.unite(found);
          });
      });
  }
  return bounds;
}

//------------------------------------------------------------------------------------------------
Label LabelBlocks::largest() const
{
  Label largest = 0;
  for (const auto& entry : this->Map)
  {
    largest = std::max(
      largest, entry.second.voxels ? entry.second.voxels->labels().back() : entry.second.value);
  }
  return largest;
}

} // namespace segcore
