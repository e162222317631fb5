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

/// Voxels from which on a box is edited by loops without branches, whatever the codes are.
constexpr Index DenseVoxels = 4096;

/// Voxels that are counted in the type of the labels, so that one instruction counts many.
constexpr Index CountedVoxels = 128;

std::size_t labelCount(const LabelBlock& block)
{
  return block.voxels ? block.voxels->labels().size() : 1;
}

struct EditCount
{
  int changed = 0;
  int gained = 0;
};

/// Edits up to CountedVoxels. Everything is passed by value or restricted: bytes may alias
/// anything, and then nothing becomes vector instructions.
template <class T>
EditCount editSpan(T* __restrict values, const std::uint8_t* __restrict codes, Index count, T own)
{
  T changed = 0;
  T gained = 0;
  for (Index x = 0; x < count; ++x)
  {
    const T before = values[x];
    const T code = codes[x];
    // All bits set where true: conditions would become jumps.
    const T mine = static_cast<T>(-static_cast<T>(before == own));
    const T write = static_cast<T>(-static_cast<T>(code == T(WriteVoxel)));
    const T clear = static_cast<T>(-static_cast<T>(code == T(ClearVoxel)));
    const T erase = static_cast<T>(-static_cast<T>(code == T(EraseVoxel))) & mine;
    const T after = static_cast<T>((own & write) | (before & ~(write | clear | erase)));
    values[x] = after;
    changed = static_cast<T>(changed + static_cast<T>(after != before));
    gained = static_cast<T>(gained + (write & ~mine & T(1)));
  }
  return { static_cast<int>(changed), static_cast<int>(gained) };
}

/// Of up to CountedVoxels, how many had a label and have it no more.
template <class Old, class T>
int countLost(
  const Old* __restrict before, const T* __restrict after, Index count, Old narrow, T wide)
{
  T lost = 0;
  for (Index x = 0; x < count; ++x)
  {
    lost = static_cast<T>(lost + ((before[x] == narrow) & (after[x] != wide)));
  }
  return static_cast<int>(lost);
}

/// editBlock for many voxels and few labels, by loops that compilers turn into vector instructions.
/// Returns the number of voxels that changed.
template <class T>
std::int64_t editDense(const LabelBlock& old, const Box& held, const Box& part,
  const std::uint8_t* codes, T own, T* values, std::int64_t& gained, LabelChanges* counts)
{
  const Index count = part.dim(0);
  std::int64_t changed = 0;
  // `work(row of values, row of codes)` for each row, or for all rows at once where they follow.
  const auto forRows = [&](const auto& work)
  {
    if (part == held)
    {
      work(Index{ 0 }, Index{ 0 }, part.size());
      return;
    }
    for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
    {
      for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
      {
        work(held.offset(part.lo[0], j, k), part.offset(part.lo[0], j, k), count);
      }
    }
  };
  forRows(
    [&](Index at, Index from, Index n)
    {
      for (Index begin = 0; begin < n; begin += CountedVoxels)
      {
        const EditCount edited = editSpan(
          values + at + begin, codes + from + begin, std::min(n - begin, CountedVoxels), own);
        changed += edited.changed;
        gained += edited.gained;
      }
    });
  if (!counts || changed == 0)
  {
    return changed;
  }
  if (!old.voxels)
  {
    counts->add(old.value, -changed);
    return changed;
  }
  withLabelType(old.voxels->width(), old.voxels->data(),
    [&](const auto* before)
    {
      using Old = std::decay_t<decltype(*before)>;
      for (const Label label : old.voxels->labels())
      {
        if (label == 0)
        {
          continue;
        }
        const Old narrow = static_cast<Old>(label);
        const T wide = static_cast<T>(label);
        std::int64_t lost = 0;
        forRows(
          [&](Index at, Index, Index n)
          {
            for (Index begin = at; begin < at + n; begin += CountedVoxels)
            {
              lost += countLost(before + begin, values + begin,
                std::min(at + n - begin, CountedVoxels), narrow, wide);
            }
          });
        counts->add(label, -lost);
      }
    });
  return changed;
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
  this->sum(label, voxels);
}

//------------------------------------------------------------------------------------------------
void LabelChanges::add(const LabelChanges& other)
{
  for (const Change& change : other.Changes)
  {
    // Also those of 0: the label changed, if not in size.
    this->sum(change.label, change.voxels);
  }
}

//------------------------------------------------------------------------------------------------
void LabelChanges::sum(Label label, std::int64_t voxels)
{
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
  withLabelType(voxels->width(), voxels->data(),
    [&](auto* values)
    {
      using T = std::decay_t<decltype(*values)>;
      const T own = static_cast<T>(label);
      if (size >= DenseVoxels && labelCount(old) <= 8)
      {
        changed = editDense(old, held, part, codes, own, values, gained, counts);
        return;
      }
      Tally tally(counts);
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
