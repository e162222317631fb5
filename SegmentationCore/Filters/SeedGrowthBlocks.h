// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// SeedGrowth in all blocks of all ranks: each block to its own end, with what the others know at
/// its seams, until nobody hears anything new.
///
/// Private to the filters.
#ifndef segcore_SeedGrowthBlocks_h
#define segcore_SeedGrowthBlocks_h

#include "EffectJob.h"
#include "SeedGrowth.h"
#include "SeedLabels.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace segcore
{

/// What the steps of paths cost: the difference of levels, and this much for each millimetre.
/// Labels are 1 to `labels`.
SeedGrowthCosts seedGrowthCosts(
  const double spacing[3], double perMillimetre, const BlockLevels& levels, std::int32_t labels);

/// Writes the labels of a row: 0 for none, below it for a wall. Threads: yes.
using SeedRows = std::function<void(Index i, Index j, Index k, Index count, std::int32_t* labels)>;

template <class Key>
class SeedGrowthBlocks
{
public:
  using Growth = SeedGrowth<Key>;

  /// Collective. The levels must live longer.
  SeedGrowthBlocks(EffectJob& job, const BlockLevels& levels, const SeedGrowthCosts& costs)
    : Costs(costs), Blocks(job.distribution().localBlocks())
  {
    job.communicator().run(
      [&]
      {
        for (std::size_t b = 0; b < this->Blocks.size(); ++b)
        {
          this->Growths.push_back(std::make_unique<Growth>(
            this->Blocks[b].box, levels.padded[b], *levels.levels[b], costs));
          this->Keys.emplace_back(levels.padded[b], this->Growths[b]->keys());
          this->Voxels += this->Blocks[b].box.size();
        }
      });
  }

  /// Collective. Grows these seeds. Returns false, on all ranks, if keys are too narrow for the
  /// costs.
  bool grow(EffectJob& job, const SeedRows& seeds, const Progress& progress)
  {
    job.communicator().run(
      [&]
      {
        for (std::size_t b = 0; b < this->Blocks.size(); ++b)
        {
          // Nothing is known around a block yet.
          std::fill_n(this->Keys[b].data, this->Keys[b].memory.size(), Growth::Wall);
          this->forRows(b,
            [&](Key* row, Index i, Index j, Index k, Index count, std::int32_t* labels)
            {
              seeds(i, j, k, count, labels);
              for (Index x = 0; x < count; ++x)
              {
                row[x] = labels[x] > 0 ? Growth::seed(static_cast<Key>(labels[x]))
                  : labels[x] == 0     ? Growth::Unreached
                                       : Growth::Wall;
              }
            });
          this->Growths[b]->start();
          this->Growths[b]->keepSurroundings();
        }
      });
    return this->relax(job, progress);
  }

  /// Collective. The same after seeds changed, at the cost of what they change. `possible` is
  /// false, on all ranks, if that is no less than a new start, which is then due.
  bool change(EffectJob& job, const SeedRows& seeds, const Progress& progress, bool& possible)
  {
    possible = true;
    job.communicator().run(
      [&]
      {
        for (const auto& growth : this->Growths)
        {
          growth->keepSurroundings();
          possible = possible && growth->changeSeeds(seeds);
        }
      });
    possible = !job.communicator().agreeFlag(!possible);
    if (!possible)
    {
      return true;
    }
    while (this->hear(job).takenBack)
    {
    }
    return this->relax(job, progress);
  }

  /// Collective. The cost of the n-th voxel that was reached, from the cheapest one on, seeds left
  /// out; -1 if there are fewer.
  std::int64_t costOfNth(EffectJob& job, Index n) const
  {
    // Digit by digit, from the highest one.
    constexpr int digit = 12;
    int shift = 8 * static_cast<int>(sizeof(Key)) - 2 - this->Costs.labelBits;
    std::int64_t prefix = 0;
    while (shift > 0)
    {
      const int bits = std::min(digit, shift);
      const int above = shift;
      shift -= bits;
      std::vector<std::int64_t> counts(std::size_t{ 1 } << bits, 0);
      job.communicator().run(
        [&]
        {
          std::mutex mutex;
          for (std::size_t b = 0; b < this->Blocks.size(); ++b)
          {
            const Box& box = this->Blocks[b].box;
            // Few ranges, as each has a table.
            forRanges(box.rows(), box.rows() / (4 * threadCount()) + 1,
              [&](Index begin, Index end)
              {
                std::vector<std::int64_t> part(counts.size(), 0);
                for (Index r = begin; r < end; ++r)
                {
                  const Key* row = this->Keys[b].at(
                    box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
                  for (Index x = 0; x < box.dim(0); ++x)
                  {
                    if (isReached(row[x]) && (this->cost(row[x]) >> above) == prefix)
                    {
                      ++part[static_cast<std::size_t>(this->cost(row[x]) >> shift) &
                        (counts.size() - 1)];
                    }
                  }
                }
                const std::lock_guard<std::mutex> lock(mutex);
                for (std::size_t c = 0; c < counts.size(); ++c)
                {
                  counts[c] += part[c];
                }
              });
          }
        });
      job.communicator().allReduceSum(counts.data(), static_cast<std::int64_t>(counts.size()));
      std::size_t at = 0;
      while (at < counts.size() && counts[at] < n)
      {
        n -= counts[at++];
      }
      if (at == counts.size())
      {
        return -1;
      }
      prefix = (prefix << bits) + static_cast<std::int64_t>(at);
    }
    return prefix;
  }

  /// Calls work(keys, i, j, k, count, labels) for the rows of all blocks; `labels` is a row to use.
  /// Threads: yes.
  template <class Work>
  void forRows(const Work& work) const
  {
    for (std::size_t b = 0; b < this->Blocks.size(); ++b)
    {
      this->forRows(b, work);
    }
  }

  std::int32_t label(Key key) const
  {
    return static_cast<std::int32_t>(Growth::label(key, this->Costs.labelBits));
  }

  /// Whether a path leads to the voxel of a key; not to seeds.
  static bool isReached(Key key) { return key >= 0 && key < Growth::Unreached; }

  /// The cost of the path to it.
  std::int64_t cost(Key key) const
  {
    return static_cast<std::int64_t>(key >> this->Costs.labelBits);
  }

private:
  template <class Work>
  void forRows(std::size_t b, const Work& work) const
  {
    const Box& box = this->Blocks[b].box;
    forRanges(box.rows(), 64,
      [&](Index begin, Index end)
      {
        std::vector<std::int32_t> labels(static_cast<std::size_t>(box.dim(0)));
        for (Index r = begin; r < end; ++r)
        {
          const Index j = box.lo[1] + r % box.dim(1), k = box.lo[2] + r / box.dim(1);
          work(this->Keys[b].at(box.lo[0], j, k), box.lo[0], j, k, box.dim(0), labels.data());
        }
      });
  }

  /// Collective. Brings the surroundings of all blocks up to date; what followed on any rank.
  typename Growth::News hear(EffectJob& job)
  {
    refreshHalos(job.communicator(), job.distribution(), this->Keys);
    bool woken = false, takenBack = false;
    job.communicator().run(
      [&]
      {
        for (const auto& growth : this->Growths)
        {
          const auto news = growth->hearSurroundings();
          growth->keepSurroundings();
          woken = woken || news.woken;
          takenBack = takenBack || news.takenBack;
        }
      });
    typename Growth::News news;
    news.woken = job.communicator().agreeFlag(woken);
    news.takenBack = job.communicator().agreeFlag(takenBack);
    return news;
  }

  bool relax(EffectJob& job, const Progress& progress)
  {
    double shown = 0.0;
    Progress all;
    all.cancelled = progress.cancelled;
    if (progress.report)
    {
      all.report = [&](double)
      {
        Index reached = 0;
        for (const auto& growth : this->Growths)
        {
          reached += growth->reached();
        }
        const auto most = static_cast<double>(std::max<Index>(1, this->Voxels));
        shown = std::max(shown, std::min(1.0, static_cast<double>(reached) / most));
        progress.report(shown);
      };
    }
    this->hear(job);
    do
    {
      job.communicator().run(
        [&]
        {
          for (const auto& growth : this->Growths)
          {
            growth->run(all);
          }
        });
    } while (this->hear(job).woken);
    bool overflowed = false;
    job.communicator().run(
      [&]
      {
        for (const auto& growth : this->Growths)
        {
          overflowed = overflowed || growth->overflowed();
        }
      });
    return !job.communicator().agreeFlag(overflowed);
  }

  SeedGrowthCosts Costs;
  std::vector<Block> Blocks;
  std::vector<std::unique_ptr<Growth>> Growths;
  std::vector<VoxelArray<Key>> Keys;
  Index Voxels = 0;
};

/// Collective. Grows seeds with keys that are as narrow as the costs allow, and calls use(growth)
/// with the SeedGrowthBlocks when they are grown. `seeds` may be asked twice before. Throws
/// AgreedError if no keys are wide enough.
template <class Use>
void growSeeds(EffectJob& job, const BlockLevels& levels, const SeedGrowthCosts& costs,
  const SeedRows& seeds, const Progress& progress, const Use& use)
{
  const auto grown = [&](auto zero, const Progress& part)
  {
    using Key = decltype(zero);
    if (!SeedGrowth<Key>::fits(costs))
    {
      return false;
    }
    SeedGrowthBlocks<Key> growth(job, levels, costs);
    if (!growth.grow(job, seeds, part))
    {
      return false;
    }
    use(growth);
    return true;
  };
  if (!grown(std::int32_t{ 0 }, progress.part(0.0, 0.8)) &&
    !grown(std::int64_t{ 0 }, progress.part(0.8, 1.0)))
  {
    throw AgreedError("the costs of paths through the volume do not fit 64 bits");
  }
}

} // namespace segcore

#endif
