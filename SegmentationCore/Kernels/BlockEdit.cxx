// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "BlockEdit.h"

#include <algorithm>
#include <cstring>

namespace segcore
{
namespace
{
/// Adds up a run of equal labels before it goes to the table.
class Tally
{
public:
  explicit Tally(LabelChanges* changes) : Changes(changes) {}
  ~Tally() { this->flush(); }

  void lose(Label label)
  {
    if (label != this->Last)
    {
      this->flush();
      this->Last = label;
    }
    ++this->Count;
  }

private:
  void flush()
  {
    if (this->Changes && this->Count)
    {
      this->Changes->add(this->Last, -this->Count);
    }
    this->Count = 0;
  }

  LabelChanges* Changes;
  Label Last = 0;
  std::int64_t Count = 0;
};

/// LabelSet::has for many voxels: neighbours mostly have the same label.
class Lookup
{
public:
  explicit Lookup(const LabelSet& set) : Set(set) {}
  bool operator()(Label label)
  {
    if (label != this->Last)
    {
      this->Last = label;
      this->Answer = this->Set.has(label);
    }
    return this->Answer;
  }

private:
  const LabelSet& Set;
  Label Last = 0;
  bool Answer = false;
};

/// Calls work(offset in the block, code) for each voxel of `part` whose code is not KeepVoxel.
template <class Work>
void forCodes(const Box& held, const Box& part, const std::uint8_t* codes, Work&& work)
{
  const Index count = part.dim(0);
  for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
  {
    for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
    {
      const std::uint8_t* row = codes + part.offset(part.lo[0], j, k);
      const Index start = held.offset(part.lo[0], j, k);
      Index x = 0;
      while (x < count)
      {
        // Eight voxels to keep at a time: most rows of a mask are empty.
        if (x + 8 <= count)
        {
          std::uint64_t eight;
          std::memcpy(&eight, row + x, 8);
          if (eight == 0)
          {
            x += 8;
            continue;
          }
        }
        const Index end = std::min(count, x + 8);
        for (; x < end; ++x)
        {
          if (row[x] != KeepVoxel)
          {
            work(start + x, row[x]);
          }
        }
      }
    }
  }
}

/// True if all codes over `part` are the same.
bool uniform(const std::uint8_t* codes, Index count)
{
  return std::memcmp(codes, codes + 1, static_cast<std::size_t>(count - 1)) == 0;
}
}

//------------------------------------------------------------------------------------------------
void LabelChanges::add(Label label, std::int64_t voxels)
{
  if (label == 0 || voxels == 0)
  {
    return;
  }
  const auto found = std::find_if(this->Changes.begin(), this->Changes.end(),
    [label](const Change& change) { return change.label == label; });
  if (found == this->Changes.end())
  {
    this->Changes.push_back({ label, voxels });
  }
  else
  {
    found->voxels += voxels;
  }
}

//------------------------------------------------------------------------------------------------
void LabelChanges::add(const LabelChanges& other)
{
  for (const Change& change : other.Changes)
  {
    this->add(change.label, change.voxels);
  }
}

//------------------------------------------------------------------------------------------------
LabelSet LabelSet::of(std::vector<Label> labels)
{
  LabelSet set;
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  labels.erase(std::remove(labels.begin(), labels.end(), Label{ 0 }), labels.end());
  set.Labels = std::move(labels);
  return set;
}

//------------------------------------------------------------------------------------------------
bool LabelSet::has(Label label) const
{
  return label != 0 &&
    (this->All || std::binary_search(this->Labels.begin(), this->Labels.end(), label));
}

//------------------------------------------------------------------------------------------------
bool LabelSet::meets(const LabelBlock& block) const
{
  bool found = false;
  block.forEachLabel([&](Label label) { found = found || this->has(label); });
  return found;
}

//------------------------------------------------------------------------------------------------
LabelBlock editBlock(const LabelBlock& old, const Box& held, const Box& part,
  const std::uint8_t* codes, Label label, LabelChanges* counts)
{
  const Index size = part.size();
  if (!old.voxels && uniform(codes, size))
  {
    // One value becomes one value, or nothing changes.
    const Label result = codes[0] == WriteVoxel ? label
      : codes[0] == EraseVoxel                  ? (old.value == label ? 0 : old.value)
      : codes[0] == ClearVoxel                  ? 0
                                                : old.value;
    if (result == old.value)
    {
      return old;
    }
    if (part == held)
    {
      if (counts)
      {
        counts->add(old.value, -size);
        counts->add(result, size);
      }
      LabelBlock block;
      block.value = result;
      return block;
    }
  }

  std::shared_ptr<BlockVoxels> voxels = old.copy(held.size(), labelWidth(label));
  std::int64_t gained = 0;
  std::int64_t changed = 0;
  {
    Tally tally(counts);
    withLabelType(voxels->width(), voxels->data(),
      [&](auto* values)
      {
        using T = std::decay_t<decltype(*values)>;
        const T own = static_cast<T>(label);
        forCodes(held, part, codes,
          [&](Index at, std::uint8_t code)
          {
            const T before = values[at];
            const T after =
              code == WriteVoxel ? own : (code == ClearVoxel || before == own ? T(0) : before);
            if (after != before)
            {
              values[at] = after;
              ++changed;
              gained += code == WriteVoxel;
              tally.lose(before);
            }
          });
      });
  }
  if (changed == 0)
  {
    return old;
  }
  if (counts)
  {
    counts->add(label, gained);
  }
  return LabelBlock::of(std::move(voxels));
}

//------------------------------------------------------------------------------------------------
LabelBlock overwriteBlock(const LabelBlock& old, const Box& held, const Box& part,
  const std::uint8_t* codes, const LabelSet& overwritten, LabelChanges* counts)
{
  if (!old.voxels && old.value == 0)
  {
    return old;
  }
  std::shared_ptr<BlockVoxels> voxels = old.copy(held.size(), 1);
  bool changed = false;
  {
    Tally tally(counts);
    Lookup isOverwritten(overwritten);
    withLabelType(voxels->width(), voxels->data(),
      [&](auto* values)
      {
        forCodes(held, part, codes,
          [&](Index at, std::uint8_t code)
          {
            if (values[at] != 0 &&
              (code == ClearVoxel || (code == WriteVoxel && isOverwritten(values[at]))))
            {
              tally.lose(values[at]);
              values[at] = 0;
              changed = true;
            }
          });
      });
  }
  return changed ? LabelBlock::of(std::move(voxels)) : old;
}

//------------------------------------------------------------------------------------------------
bool hasConflict(const LabelBlock& old, const Box& held, const Box& part, const std::uint8_t* codes,
  Label label, const LabelSet& overwritten)
{
  bool possible = false;
  old.forEachLabel([&](Label other)
    { possible = possible || (other != 0 && other != label && !overwritten.has(other)); });
  if (!possible)
  {
    return false;
  }
  bool found = false;
  if (!old.voxels)
  {
    forCodes(
      held, part, codes, [&](Index, std::uint8_t code) { found = found || code == WriteVoxel; });
    return found;
  }
  Lookup isOverwritten(overwritten);
  withLabelType(old.voxels->width(), old.voxels->data(),
    [&](const auto* values)
    {
      forCodes(held, part, codes,
        [&](Index at, std::uint8_t code)
        {
          found = found ||
            (code == WriteVoxel && values[at] != 0 && Label{ values[at] } != label &&
              !isOverwritten(values[at]));
        });
    });
  return found;
}

//------------------------------------------------------------------------------------------------
void markLabels(const LabelBlock& block, const Box& held, const Box& part, const LabelSet& labels,
  std::uint8_t* out)
{
  if (!labels.meets(block))
  {
    return;
  }
  if (!block.voxels)
  {
    std::memset(out, 1, static_cast<std::size_t>(part.size()));
    return;
  }
  Lookup isMarked(labels);
  const Index count = part.dim(0);
  withLabelType(block.voxels->width(), block.voxels->data(),
    [&](const auto* values)
    {
      for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
      {
        for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
        {
          const auto* row = values + held.offset(part.lo[0], j, k);
          std::uint8_t* marks = out + part.offset(part.lo[0], j, k);
          for (Index x = 0; x < count; ++x)
          {
            marks[x] |= isMarked(row[x]) ? 1 : 0;
          }
        }
      }
    });
}

} // namespace segcore
