// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ScalarTypes.h"
#include "SeedLabels.h"

#include "vtkSetGet.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <stdexcept>

namespace segcore
{
namespace
{

template <class T>
class TypedSeedLabels : public SeedLabels
{
public:
  TypedSeedLabels(EffectJob& job, std::int64_t wallLabel)
    : Job(job), Labels(job.input<T>()), WallLabel(static_cast<T>(wallLabel))
  {
    std::vector<T> found;
    job.communicator().run([&] { found = this->search(); });
    Bytes bytes(found.size() * sizeof(T));
    if (!found.empty())
    {
      std::memcpy(bytes.data(), found.data(), bytes.size());
    }
    for (const Bytes& other : job.communicator().allGather(bytes))
    {
      const std::size_t before = this->Values.size();
      this->Values.resize(before + other.size() / sizeof(T));
      if (!other.empty())
      {
        std::memcpy(this->Values.data() + before, other.data(), other.size());
      }
    }
    std::sort(this->Values.begin(), this->Values.end());
    this->Values.erase(std::unique(this->Values.begin(), this->Values.end()), this->Values.end());
    if (this->Values.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    {
      throw AgreedError("the label map has more than 2147483647 labels");
    }
    this->Out = job.makeOutput<T>(job.scalarType(), job.inputName());
  }

  std::int32_t count() const override { return static_cast<std::int32_t>(this->Values.size()); }

  std::vector<std::byte> values() const override
  {
    const auto* bytes = reinterpret_cast<const std::byte*>(this->Values.data());
    return { bytes, bytes + this->Values.size() * sizeof(T) };
  }

  void read(Index i, Index j, Index k, Index count, std::int32_t* numbers) const override
  {
    this->number(this->Labels + this->Job.piece().offset(i, j, k), count, numbers);
  }

  void readOutput(Index i, Index j, Index k, Index count, std::int32_t* numbers) const override
  {
    this->number(this->Out + this->Job.piece().offset(i, j, k), count, numbers);
  }

  void write(Index i, Index j, Index k, Index count, const std::int32_t* numbers) const override
  {
    const Index at = this->Job.piece().offset(i, j, k);
    for (Index x = 0; x < count; ++x)
    {
      this->Out[at + x] = numbers[x] > 0 ? this->Values[static_cast<std::size_t>(numbers[x] - 1)]
                                         : this->Labels[at + x];
    }
  }

  void complete() const override
  {
    completePiece(this->Job.communicator(), this->Job.distribution(), this->Out);
  }

private:
  void number(const T* labels, Index count, std::int32_t* numbers) const
  {
    T last = T(0);
    std::int32_t number = 0;
    for (Index x = 0; x < count; ++x)
    {
      if (labels[x] != last)
      {
        last = labels[x];
        number = this->numberOf(last);
      }
      numbers[x] = number;
    }
  }

  std::int32_t numberOf(T label) const
  {
    if (label == T(0))
    {
      return 0;
    }
    if (label != label || (this->WallLabel != T(0) && label == this->WallLabel))
    {
      return Wall;
    }
    return static_cast<std::int32_t>(
      std::lower_bound(this->Values.begin(), this->Values.end(), label) - this->Values.begin() + 1);
  }

  /// The labels of this rank's blocks, in ascending order.
  std::vector<T> search() const
  {
    std::vector<T> found;
    std::mutex mutex;
    for (const Block& block : this->Job.distribution().localBlocks())
    {
      const Box& box = block.box;
      forRanges(box.rows(), 256,
        [&](Index begin, Index end)
        {
          std::vector<T> part;
          T last = T(0);
          for (Index r = begin; r < end; ++r)
          {
            const T* row = this->Labels +
              this->Job.piece().offset(
                box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
            for (Index x = 0; x < box.dim(0); ++x)
            {
              if (row[x] == last)
              {
                continue;
              }
              last = row[x];
              if (last == T(0) || last != last || last == this->WallLabel)
              {
                continue;
              }
              const auto place = std::lower_bound(part.begin(), part.end(), last);
              if (place == part.end() || *place != last)
              {
                part.insert(place, last);
              }
            }
          }
          const std::lock_guard<std::mutex> lock(mutex);
          const auto middle = static_cast<std::ptrdiff_t>(found.size());
          found.insert(found.end(), part.begin(), part.end());
          std::inplace_merge(found.begin(), found.begin() + middle, found.end());
          found.erase(std::unique(found.begin(), found.end()), found.end());
        });
    }
    return found;
  }

  EffectJob& Job;
  const T* Labels;
  T WallLabel;
  std::vector<T> Values;
  T* Out = nullptr;
};

/// Whole numbers keep their order in a signed 64-bit integer.
template <class V>
std::int64_t ordered(V value)
{
  return std::is_same<V, std::uint64_t>::value || (!std::is_signed<V>::value && sizeof(V) == 8)
    ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{ 1 } << 63))
    : static_cast<std::int64_t>(value);
}
template <class V>
V fromOrdered(std::int64_t value)
{
  return !std::is_signed<V>::value && sizeof(V) == 8
    ? static_cast<V>(static_cast<std::uint64_t>(value) ^ (std::uint64_t{ 1 } << 63))
    : static_cast<V>(value);
}

/// Collective. The range of the whole volume from those of all ranks.
template <class V>
LevelRange<V> agreed(const Communicator& communicator, const LevelRange<V>& own)
{
  LevelRange<V> range;
  range.whole = !communicator.agreeFlag(!own.whole);
  if (!communicator.agreeFlag(own.any()))
  {
    return range;
  }
  if constexpr (std::is_integral<V>::value)
  {
    std::int64_t low = ordered(own.low), high = ordered(own.high);
    communicator.allReduceMin(&low, 1);
    communicator.allReduceMax(&high, 1);
    range.low = fromOrdered<V>(low);
    range.high = fromOrdered<V>(high);
  }
  else
  {
    double low = static_cast<double>(own.low), high = static_cast<double>(own.high);
    communicator.allReduceMin(&low, 1);
    communicator.allReduceMax(&high, 1);
    range.low = static_cast<V>(low);
    range.high = static_cast<V>(high);
  }
  return range;
}

/// The levels of a block with one voxel around it: the block's own where they are, what is around
/// it from memory of its own.
template <class V>
class ShellLevels : public SeedGrowthLevels
{
public:
  ShellLevels(const V* values, const Box& piece, const Box& block, const Box& padded,
    const LevelScale<V>& scale, int shift, std::vector<Request<V>>& requests)
    : Block(block), Within(values, piece, scale, shift)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      for (const bool low : { true, false })
      {
        // As long as the padded block along the axes before this one, as the block along the
        // others.
        Box slab = padded;
        for (int other = axis + 1; other < 3; ++other)
        {
          slab.lo[other] = block.lo[other];
          slab.hi[other] = block.hi[other];
        }
        slab.lo[axis] = low ? padded.lo[axis] : block.hi[axis] + 1;
        slab.hi[axis] = low ? block.lo[axis] - 1 : padded.hi[axis];
        if (!slab.empty())
        {
          auto& side = this->Sides[axis][low ? 0 : 1];
          side.values = Buffer<V>(slab.size());
          side.levels = std::make_unique<VolumeLevels<V>>(side.values.data(), slab, scale, shift);
          requests.emplace_back(slab, side.values.data());
        }
      }
    }
  }

  void row(Index i, Index j, Index k, Index count, std::int32_t* levels) const override
  {
    const Index at[3] = { i, j, k };
    for (int axis = 2; axis > 0; --axis)
    {
      if (at[axis] < this->Block.lo[axis] || at[axis] > this->Block.hi[axis])
      {
        this->side(axis, at[axis]).row(i, j, k, count, levels);
        return;
      }
    }
    const Index end = i + count;
    if (i < std::min(end, this->Block.lo[0]))
    {
      const Index before = std::min(end, this->Block.lo[0]) - i;
      this->side(0, i).row(i, j, k, before, levels);
      i += before;
      levels += before;
    }
    if (i < std::min(end, this->Block.hi[0] + 1))
    {
      const Index within = std::min(end, this->Block.hi[0] + 1) - i;
      this->Within.row(i, j, k, within, levels);
      i += within;
      levels += within;
    }
    if (i < end)
    {
      this->side(0, i).row(i, j, k, end - i, levels);
    }
  }

  void expect(Index i, Index j, Index k, Index count) const override
  {
    if (j >= this->Block.lo[1] && j <= this->Block.hi[1] && k >= this->Block.lo[2] &&
      k <= this->Block.hi[2])
    {
      const Index begin = std::max(i, this->Block.lo[0]);
      this->Within.expect(begin, j, k, std::min(i + count, this->Block.hi[0] + 1) - begin);
    }
  }

private:
  const VolumeLevels<V>& side(int axis, Index at) const
  {
    return *this->Sides[axis][at < this->Block.lo[axis] ? 0 : 1].levels;
  }

  struct Side
  {
    Buffer<V> values;
    std::unique_ptr<VolumeLevels<V>> levels; // null where the image ends
  };
  Box Block;
  VolumeLevels<V> Within;
  Side Sides[3][2];
};

} // namespace

//------------------------------------------------------------------------------------------------
std::unique_ptr<SeedLabels> SeedLabels::make(EffectJob& job, std::int64_t wallLabel)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(return std::make_unique<TypedSeedLabels<VTK_TT>>(job, wallLabel));
    default:
      throw AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
template <class V>
void BlockLevels::make(EffectJob& job, bool fine)
{
  const V* values = job.volume<V>();
  LevelRange<V> range;
  const auto& blocks = job.distribution().localBlocks();
  job.communicator().run(
    [&]
    {
      for (const Block& block : blocks)
      {
        accumulateLevels(values, job.piece(), block.box, range);
      }
    });
  const LevelScale<V> scale(agreed(job.communicator(), range));
  int shift = 0;
  while (fine && shift < 8 && (scale.highest() << (shift + 1)) <= LargestLevel)
  {
    ++shift;
  }
  this->highest = scale.highest() << shift;
  this->unit = scale.unit() * (1 << shift);
  std::vector<Request<V>> requests;
  job.communicator().run(
    [&]
    {
      for (const Block& block : blocks)
      {
        const Box box = block.box.grown(1).clipped(job.whole());
        this->padded.push_back(box);
        // What the piece holds and this rank owns can be read where it is.
        if (box == block.box)
        {
          this->levels.push_back(
            std::make_unique<VolumeLevels<V>>(values, job.piece(), scale, shift));
          continue;
        }
        this->levels.push_back(std::make_unique<ShellLevels<V>>(
          values, job.piece(), block.box, box, scale, shift, requests));
      }
    });
  job.fetchVolume(requests);
}

//------------------------------------------------------------------------------------------------
BlockLevels::BlockLevels(EffectJob& job, bool fine)
{
  switch (job.volumeType())
  {
    segcoreTemplateMacro(this->make<VTK_TT>(job, fine));
    default:
      throw AgreedError("the volume has an unknown scalar type");
  }
}

} // namespace segcore
