// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditHistory.h"

#include "Threads.h"
#include "vtkLabelSegmentTable.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace segcore
{
namespace
{
/// Copies `part` out of, or into, an array of values of `width` bytes that holds `held`.
template <class Copy>
void forRows(const Box& part, const Box& held, int width, const Copy& copy)
{
  const std::size_t row = static_cast<std::size_t>(part.dim(0)) * width;
  std::size_t at = 0;
  for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
  {
    for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
    {
      copy(static_cast<std::size_t>(held.offset(part.lo[0], j, k)) * width, at, row);
      at += row;
    }
  }
}
}

//------------------------------------------------------------------------------------------------
BlockPatch::BlockPatch(
  int layer, Index key, const LabelBlock& block, const Box& held, const Box& part)
  : Layer(layer), Key(key), Part(part)
{
  if (!block.voxels)
  {
    this->Value = block.value;
    return;
  }
  this->Width = block.voxels->width();
  this->Values.resize(static_cast<std::size_t>(part.size()) * this->Width);
  forRows(part, held, this->Width, [&](std::size_t inBlock, std::size_t here, std::size_t count)
    { std::memcpy(this->Values.data() + here, block.voxels->data() + inBlock, count); });
  // One value for all is kept as such: erasing a stroke gives back an empty box.
  const std::size_t width = static_cast<std::size_t>(this->Width);
  if (std::memcmp(this->Values.data(), this->Values.data() + width, this->Values.size() - width) ==
    0)
  {
    this->Value = withLabelType(
      this->Width, this->Values.data(), [](const auto* values) { return Label{ values[0] }; });
    this->Width = 0;
    std::vector<std::byte>().swap(this->Values);
  }
}

//------------------------------------------------------------------------------------------------
LabelBlock BlockPatch::applyTo(const LabelBlock& block, const Box& held) const
{
  if (this->Width == 0 && this->Part == held)
  {
    LabelBlock result;
    result.value = this->Value;
    return result;
  }
  const int needed = this->Width ? this->Width : labelWidth(this->Value);
  std::shared_ptr<BlockVoxels> voxels = block.copy(held.size(), needed);
  const int width = voxels->width();
  if (this->Width == 0)
  {
    withLabelType(width, voxels->data(),
      [&](auto* values)
      {
        using T = std::decay_t<decltype(*values)>;
        forRows(this->Part, held, 1, [&](std::size_t inBlock, std::size_t, std::size_t count)
          { std::fill_n(values + inBlock, count, static_cast<T>(this->Value)); });
      });
    return LabelBlock::of(std::move(voxels));
  }
  const std::vector<std::byte> unpackedValues =
    this->Compressed ? this->unpacked() : std::vector<std::byte>();
  const std::byte* source = this->Compressed ? unpackedValues.data() : this->Values.data();
  withLabelType(this->Width, source,
    [&](const auto* from)
    {
      withLabelType(width, voxels->data(),
        [&](auto* to)
        {
          using T = std::decay_t<decltype(*to)>;
          forRows(this->Part, held, 1,
            [&](std::size_t inBlock, std::size_t here, std::size_t count)
            {
              std::transform(from + here, from + here + count, to + inBlock,
                [](auto value) { return static_cast<T>(value); });
            });
        });
    });
  return LabelBlock::of(std::move(voxels));
}

//------------------------------------------------------------------------------------------------
void BlockPatch::compress()
{
  if (this->Tried || this->Values.size() < 256)
  {
    return;
  }
  this->Tried = true;
  uLongf size = compressBound(static_cast<uLong>(this->Values.size()));
  std::vector<std::byte> packed(size);
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
        reinterpret_cast<const Bytef*>(this->Values.data()),
        static_cast<uLong>(this->Values.size()), 1) == Z_OK &&
    size < this->Values.size())
  {
    this->Values.assign(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
    this->Values.shrink_to_fit();
    this->Compressed = true;
  }
}

//------------------------------------------------------------------------------------------------
std::vector<std::byte> BlockPatch::unpacked() const
{
  std::vector<std::byte> values(static_cast<std::size_t>(this->Part.size()) * this->Width);
  uLongf size = static_cast<uLongf>(values.size());
  if (uncompress(reinterpret_cast<Bytef*>(values.data()), &size,
        reinterpret_cast<const Bytef*>(this->Values.data()),
        static_cast<uLong>(this->Values.size())) != Z_OK ||
    size != values.size())
  {
    throw std::runtime_error("a compressed step of the edit history cannot be unpacked");
  }
  return values;
}

//------------------------------------------------------------------------------------------------
void EditChange::add(const EditChange& other)
{
  this->box = this->box.unite(other.box);
  this->table = this->table || other.table;
  for (const std::string& segment : other.segments)
  {
    if (std::find(this->segments.begin(), this->segments.end(), segment) == this->segments.end())
    {
      this->segments.push_back(segment);
    }
  }
}

//------------------------------------------------------------------------------------------------
std::string EditChange::json() const
{
  using Json = nlohmann::ordered_json;
  Json extent = Json::array();
  for (int a = 0; a < 3; ++a)
  {
    extent.push_back(this->box.empty() ? 0 : this->box.lo[a]);
    extent.push_back(this->box.empty() ? -1 : this->box.hi[a]);
  }
  const Json change = { { "extent", extent }, { "segments", this->segments },
    { "table", this->table } };
  return change.dump(-1, ' ', false, Json::error_handler_t::replace);
}

//------------------------------------------------------------------------------------------------
std::size_t EditStep::bytes() const
{
  std::size_t sum = sizeof(EditStep) + this->text.capacity();
  for (const BlockPatch& patch : this->patches)
  {
    sum += patch.bytes();
  }
  return sum;
}

//------------------------------------------------------------------------------------------------
void EditHistory::push(EditStep&& step)
{
  this->clearRedo();
  this->Bytes += step.bytes();
  this->Undo.push_back(std::move(step));
}

//------------------------------------------------------------------------------------------------
void EditHistory::clearRedo()
{
  for (const EditStep& step : this->Redo)
  {
    this->Bytes -= step.bytes();
  }
  this->Redo.clear();
}

//------------------------------------------------------------------------------------------------
void EditHistory::clear()
{
  this->Undo.clear();
  this->Redo.clear();
  this->Bytes = 0;
}

//------------------------------------------------------------------------------------------------
void EditHistory::compressTo(std::size_t bytes)
{
  for (EditStep& step : this->Undo)
  {
    if (this->Bytes <= bytes)
    {
      return;
    }
    if (!step.compressed)
    {
      this->Bytes -= step.bytes();
      forRanges(static_cast<Index>(step.patches.size()), 16,
        [&](Index begin, Index end)
        {
          for (Index i = begin; i < end; ++i)
          {
            step.patches[static_cast<std::size_t>(i)].compress();
          }
        });
      step.compressed = true;
      this->Bytes += step.bytes();
    }
  }
}

//------------------------------------------------------------------------------------------------
bool EditHistory::dropOldest()
{
  if (this->Undo.empty())
  {
    return false;
  }
  this->Bytes -= this->Undo.front().bytes();
  this->Undo.pop_front();
  return true;
}

} // namespace segcore
