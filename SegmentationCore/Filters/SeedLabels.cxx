// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SeedLabels.h"

#include "CoreRange.h"
#include "ScalarTypes.h"

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

/// Collective. The range of the whole volume from those of all ranks.
template <class V>
LevelRange<V> agreed(const Communicator& communicator, const LevelRange<V>& own)
{
  LevelRange<V> range;
  range.whole = !communicator.agreeFlag(!own.whole);
  if (const auto ends = agreedRange(communicator, own.low, own.high))
  {
    range.low = ends->first;
    range.high = ends->second;
  }
  return range;
}

/// Collective. The part of the range that gets levels, if not every value of it can have one.
template <class V>
LevelRange<V> limited(const EffectJob& job, const V* values, LevelRange<V> range)
{
  if (!range.any() || LevelScale<V>(range).exact())
  {
    return range;
  }
  const CoreRange core = coreRange(job, values, range.low, range.high);
  if (core.narrowed)
  {
    const std::pair<V, V> ends(range.low, range.high);
    range.low = limitOf(range.whole ? std::floor(core.low) : core.low, ends);
    range.high = limitOf(range.whole ? std::ceil(core.high) : core.high, ends);
    range.limited = true;
  }
  return range;
}

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
  const LevelScale<V> scale(limited(job, values, agreed(job.communicator(), range)));
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
        if (job.piece().contains(box) && (box == block.box || job.communicator().size() == 1))
        {
          this->levels.push_back(
            std::make_unique<VolumeLevels<V>>(BoxArray<V>(values, job.piece()), scale, shift));
          continue;
        }
        ShellArray<V> shell(values, job.piece(), block.box, box);
        shell.forEachSide([&requests](const Box& side, V* to) { requests.emplace_back(side, to); });
        this->levels.push_back(
          std::make_unique<VolumeLevels<V, ShellArray<V>>>(std::move(shell), scale, shift));
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
