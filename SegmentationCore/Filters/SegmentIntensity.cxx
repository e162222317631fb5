// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ScalarTypes.h"
#include "SegmentIntensity.h"

#include "LabelIntensity.h"
#include "Message.h"

#include "vtkSetGet.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segcore
{
namespace
{
/// Histograms of all labels that are worth their memory.
constexpr Index MostCounts = Index{ 1 } << 23;

template <std::size_t Size>
using UnsignedOf = std::conditional_t<Size == 1, std::uint8_t,
  std::conditional_t<Size == 2, std::uint16_t,
    std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

/// Types of the same size and kind are one: VTK has names for each of C's.
template <class V, bool Floating = std::is_floating_point<V>::value>
struct ValueType
{
  using Value = V;
};
template <class V>
struct ValueType<V, false>
{
  using Value = std::conditional_t<std::is_signed<V>::value,
    std::make_signed_t<UnsignedOf<sizeof(V)>>, UnsignedOf<sizeof(V)>>;
};

/// Calls work(ValueType<V>()) for the volume's type.
template <class Work>
void withValueType(int type, const Work& work)
{
  switch (type)
  {
    segcoreTemplateMacro(work(ValueType<VTK_TT>()));
    default:
      throw AgreedError("the volume has an unknown scalar type");
  }
}

template <class T>
const UnsignedOf<sizeof(T)>* withoutSign(const T* labels)
{
  return reinterpret_cast<const UnsignedOf<sizeof(T)>*>(labels);
}

/// Calls work(voxels) with the labels as integers without sign: those to measure are above 0.
template <class Work>
void withLabels(const DistributedImage& image, const Work& work)
{
  switch (image.scalarType())
  {
    segcoreTemplateMacro(work(withoutSign(image.voxels<VTK_TT>())));
    default:
      throw AgreedError("the label map has an unknown scalar type");
  }
}

/// Which ranks of n sorted values a percentile lies between, and how far.
void percentileRanks(Index n, int percentile, Index& low, Index& high, double& fraction)
{
  const Index position = (n - 1) * percentile;
  low = position / 100;
  high = std::min(low + 1, n - 1);
  fraction = static_cast<double>(position % 100) / 100.0;
}

double between(double low, double high, double fraction)
{
  return fraction == 0.0 || low == high ? low : low + fraction * (high - low);
}

/// All that the kernels need, on one rank.
template <class T, class V>
struct Measurement
{
  const Communicator& communicator;
  const DistributedImage& image;
  const SourceVolume& volume;
  const std::vector<Index>& labels;
  LabelledValues<T, V> data;

  /// Collective. Calls work(box) for the parts of this rank's blocks that have values.
  template <class Work>
  void run(const Progress& progress, const Work& work) const
  {
    this->communicator.run(
      [&]
      {
        const auto& blocks = this->image.distribution().localBlocks();
        const double count = static_cast<double>(blocks.size());
        for (std::size_t b = 0; b < blocks.size(); ++b)
        {
          const double begin = static_cast<double>(b) / count;
          work(blocks[b].box.clipped(this->volume.bounds()),
            progress.part(begin, begin + 1.0 / count));
        }
      });
  }

  /// Collective. The range of the finite values of the volume, where there are labels or not.
  ScalarRange range() const
  {
    ScalarRange range;
    this->run(Progress(),
      [&](const Box& box, const Progress&)
      {
        // As long pieces as possible.
        const Box& stored = this->data.valueStored;
        const bool all = box.size() == stored.size();
        const Index rows = all ? 1 : box.rows();
        for (Index r = 0; r < rows && !box.empty(); ++r)
        {
          accumulateRange(
            this->data.valueRow(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1)),
            all ? box.size() : box.dim(0), range);
        }
      });
    const double infinity = std::numeric_limits<double>::infinity();
    range.min = this->communicator.allReduceMin(range.any ? range.min : infinity);
    range.max = this->communicator.allReduceMax(range.any ? range.max : -infinity);
    range.any = range.min <= range.max;
    return range;
  }

  std::vector<SegmentIntensity> measure(const Progress& progress) const
  {
    std::vector<SegmentIntensity> result(this->labels.size());
    for (SegmentIntensity& entry : result)
    {
      const double nan = std::numeric_limits<double>::quiet_NaN();
      entry.min = entry.max = entry.mean = entry.deviation = nan;
      entry.percentiles.fill(nan);
    }
    ScalarRange range;
    if (!std::is_integral<V>::value || sizeof(V) == 2 || sizeof(V) == 8)
    {
      range = this->range();
      if (!range.any)
      {
        return result;
      }
    }
    if constexpr (detail::isNarrow<V>::value)
    {
      const Index lowest = sizeof(V) == 1 ? std::numeric_limits<V>::lowest() : Index(range.min);
      const Index count = sizeof(V) == 1 ? 256 : Index(range.max) - lowest + 1;
      if (static_cast<Index>(this->labels.size()) <= MostCounts / count)
      {
        this->measureByCounts(lowest, count, progress, result);
        return result;
      }
    }
    this->measureBySelection(range, progress, result);
    return result;
  }

private:
  void measureByCounts(Index lowest, Index range, const Progress& progress,
    std::vector<SegmentIntensity>& result) const
  {
    if constexpr (detail::isNarrow<V>::value)
    {
      std::vector<std::int64_t> counts;
      this->communicator.run(
        [&] { counts.resize(this->labels.size() * static_cast<std::size_t>(range), 0); });
      this->run(progress, [&](const Box& box, const Progress& part)
        { countValues(this->data, box, this->labels, lowest, range, counts.data(), part); });
      this->communicator.allReduceSum(counts.data(), static_cast<Index>(counts.size()));
      for (std::size_t l = 0; l < result.size(); ++l)
      {
        const std::int64_t* own = counts.data() + l * static_cast<std::size_t>(range);
        this->tell(sumsOfCounts(own, lowest, range), 1.0, result[l]);
        for (std::size_t p = 0; p < Percentiles.size() && result[l].voxels > 0; ++p)
        {
          Index low, high;
          double fraction;
          percentileRanks(result[l].voxels, Percentiles[p], low, high, fraction);
          result[l].percentiles[p] = between(
            valueOfRank(own, lowest, range, low), valueOfRank(own, lowest, range, high), fraction);
        }
      }
    }
  }

  void measureBySelection(
    const ScalarRange& range, const Progress& progress, std::vector<SegmentIntensity>& result) const
  {
    const double step = intensityStep<V>(std::max(std::abs(range.min), std::abs(range.max)));
    std::vector<IntensitySums> sums;
    this->communicator.run([&] { sums.resize(this->labels.size()); });
    this->run(progress.part(0.0, 0.3), [&](const Box& box, const Progress& part)
      { sumIntensity(this->data, box, this->labels, step, sums.data(), part); });
    this->addUp(sums);
    std::vector<std::vector<Index>> ranks(this->labels.size());
    for (std::size_t l = 0; l < result.size(); ++l)
    {
      this->tell(sums[l], step, result[l]);
      for (std::size_t p = 0; p < Percentiles.size() && result[l].voxels > 0; ++p)
      {
        Index low, high;
        double fraction;
        percentileRanks(result[l].voxels, Percentiles[p], low, high, fraction);
        ranks[l].push_back(low);
        ranks[l].push_back(high);
      }
    }
    RankSelection selection(std::move(ranks), 8 * sizeof(V));
    double before = 0.3;
    while (!selection.done())
    {
      const double after = before + 0.5 * (1.0 - before);
      this->run(progress.part(before, after), [&](const Box& box, const Progress& part)
        { countKeys(this->data, box, this->labels, selection, part); });
      this->communicator.allReduceSum(
        selection.counts.data(), static_cast<Index>(selection.counts.size()));
      selection.advance();
      before = after;
    }
    for (std::size_t l = 0; l < result.size(); ++l)
    {
      for (std::size_t p = 0; p < Percentiles.size() && result[l].voxels > 0; ++p)
      {
        Index low, high;
        double fraction;
        percentileRanks(result[l].voxels, Percentiles[p], low, high, fraction);
        const auto& keys = selection.keys()[l];
        result[l].percentiles[p] = between(
          detail::valueOfKey<V>(keys[2 * p]), detail::valueOfKey<V>(keys[2 * p + 1]), fraction);
      }
    }
  }

  /// Collective. The sums of all ranks, on all ranks.
  void addUp(std::vector<IntensitySums>& sums) const
  {
    if (this->communicator.size() == 1)
    {
      return;
    }
    MessageWriter writer;
    writer.put(sums);
    const std::vector<Bytes> messages = this->communicator.allGather(writer.take());
    this->communicator.run(
      [&]
      {
        sums.assign(this->labels.size(), IntensitySums());
        for (const Bytes& message : messages)
        {
          const auto more = MessageReader(message).getArray<IntensitySums>();
          for (std::size_t l = 0; l < sums.size(); ++l)
          {
            sums[l].add(more[l]);
          }
        }
      });
  }

  static void tell(const IntensitySums& sums, double step, SegmentIntensity& entry)
  {
    entry.voxels = sums.voxels;
    if (sums.voxels > 0)
    {
      entry.min = sums.min;
      entry.max = sums.max;
      entry.mean = sums.mean(step);
      entry.deviation = sums.deviation(step);
    }
  }
};
}

//------------------------------------------------------------------------------------------------
std::vector<SegmentIntensity> measureIntensity(const Communicator& communicator,
  const DistributedImage& image, const SourceVolume& volume, const std::vector<Index>& labels,
  const Progress& progress)
{
  if (!volume.aligned())
  {
    throw AgreedError("the volume '" + volume.arrayName() +
      "' does not have the voxels of the label map: resample it first");
  }
  std::vector<SegmentIntensity> result;
  withLabels(image,
    [&](auto* voxels)
    {
      using T = std::decay_t<decltype(*voxels)>;
      withValueType(volume.scalarType(),
        [&](auto type)
        {
          using V = typename decltype(type)::Value;
          Measurement<T, V> measurement{ communicator, image, volume, labels, {} };
          measurement.data.labels = voxels;
          measurement.data.stored = image.piece();
          const Box& bounds = volume.bounds();
          if (!bounds.empty())
          {
            // The volume's array, seen from the first voxel that both have.
            measurement.data.values = volume.row<V>(bounds.lo[0], bounds.lo[1], bounds.lo[2]);
            const Box piece = Box::fromExtent(volume.image()->GetExtent());
            for (int a = 0; a < 3; ++a)
            {
              measurement.data.valueStored.lo[a] = bounds.lo[a];
              measurement.data.valueStored.hi[a] = bounds.lo[a] + piece.dim(a) - 1;
            }
          }
          result = measurement.measure(progress);
        });
    });
  return result;
}

} // namespace segcore
