// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SmoothGradient.h"

#include "Threads.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace segcore
{
namespace
{

/// Where values and lengths are near 1, what is below this is but the rounding of sums.
constexpr double NoSlope = 1.0 / (Index{ 1 } << 40);

Index halfWidth(double deviation)
{
  // Far above every limit, and below what an index holds.
  constexpr double most = 1e15;
  return static_cast<Index>(std::min(most, std::ceil(4.0 * deviation)));
}

/// w[0] .. w[r]; w[0] + 2 (w[1] + ... + w[r]) = 1.
std::vector<double> makeWeights(double deviation)
{
  const Index r = halfWidth(deviation);
  std::vector<double> weights(static_cast<std::size_t>(r + 1), 1.0);
  double sum = 0.0;
  for (Index k = r; k >= 1; --k)
  {
    const double t = static_cast<double>(k) / deviation;
    weights[static_cast<std::size_t>(k)] = std::exp(-0.5 * t * t);
    sum += 2.0 * weights[static_cast<std::size_t>(k)];
  }
  sum += 1.0;
  for (double& weight : weights)
  {
    weight /= sum;
  }
  return weights;
}

/// Two rows with the same weight.
struct Tap
{
  const double* a;
  const double* b;
  double weight;
};

/// out[i] = middle[i] * weight + the sum of weight (a[i] + b[i]) over the taps.
void filterRow(
  const double* middle, double weight, const std::vector<Tap>& taps, Index count, double* out)
{
  constexpr Index chunk = 8; // sums that stay in registers
  Index at = 0;
  for (; at + chunk <= count; at += chunk)
  {
    double sums[chunk];
    for (Index i = 0; i < chunk; ++i)
    {
      sums[i] = middle[at + i] * weight;
    }
    for (const Tap& tap : taps)
    {
      const double* a = tap.a + at;
      const double* b = tap.b + at;
      for (Index i = 0; i < chunk; ++i)
      {
        sums[i] += tap.weight * (a[i] + b[i]);
      }
    }
    for (Index i = 0; i < chunk; ++i)
    {
      out[at + i] = sums[i];
    }
  }
  for (; at < count; ++at)
  {
    double sum = middle[at] * weight;
    for (const Tap& tap : taps)
    {
      sum += tap.weight * (tap.a[at] + tap.b[at]);
    }
    out[at] = sum;
  }
}

class Gradient
{
public:
  Gradient(const VolumeRows& volume, const Box& whole, const double spacing[3], double deviation,
    bool complete, const Box& target, float* out)
    : Volume(volume), Whole(whole), Complete(complete), Target(target), Out(out)
  {
    if (!whole.contains(target))
    {
      throw std::invalid_argument("the block is not inside the image");
    }
    const double unit = powerOfTwoTo1(*std::min_element(spacing, spacing + 3));
    for (int a = 0; a < 3; ++a)
    {
      const double voxels = deviation / spacing[a];
      if (!(voxels >= 0.0) || halfWidth(voxels) > MaximumGradientVoxels)
      {
        throw std::invalid_argument("the deviation is negative or too wide");
      }
      this->Weights[a] = makeWeights(voxels);
      this->Reach[a] = halfWidth(voxels);
      this->Scale[a] = 0.5 / (spacing[a] * unit);
    }
    this->Smooth = target.grown(1).clipped(whole);
  }

  void run(const Progress& progress) const
  {
    const Index ny = this->Target.dim(1), nz = this->Target.dim(2);
    // Parts of slices that stay in the cache, but tall enough for what neighbours calculate twice;
    // and some slices at once, for the same reason.
    constexpr Index cache = Index{ 1 } << 20;
    const Index strip = std::min(ny,
      std::max({ Index{ 16 }, 8 * this->Reach[1],
        cache / (32 * std::max<Index>(1, this->Smooth.dim(0))) }));
    const Index strips = (ny + strip - 1) / strip;
    const Index depth = std::clamp<Index>(nz * strips / (8 * threadCount()), 1, 32);
    const Index layers = (nz + depth - 1) / depth;
    forRanges(strips * layers, 1, progress,
      [&](Index begin, Index end)
      {
        Scratch scratch;
        for (Index task = begin; task < end; ++task)
        {
          Box part = this->Target;
          part.lo[1] += task % strips * strip;
          part.hi[1] = std::min(part.hi[1], part.lo[1] + strip - 1);
          part.lo[2] += task / strips * depth;
          part.hi[2] = std::min(part.hi[2], part.lo[2] + depth - 1);
          this->make(part, scratch);
        }
      });
  }

private:
  struct Slice
  {
    std::vector<double> values;
    Index of = 0;
    bool made = false;
  };
  struct Scratch
  {
    std::vector<double> along,
      alongMissing; ///< one row after the first pass, with its surroundings
    std::vector<double> across, acrossMissing; ///< rows after the second
    std::vector<double> missing;               ///< a row after the third
    std::vector<Tap> taps;
    std::array<Slice, 3> slices; ///< three slices of the smoothed part
  };

  static Index clamped(Index at, const Box& box, int axis)
  {
    return std::clamp(at, box.lo[axis], box.hi[axis]);
  }

  void make(const Box& part, Scratch& s) const
  {
    for (Slice& slice : s.slices)
    {
      slice.made = false;
    }
    const Box smooth = part.grown(1).clipped(this->Whole);
    for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
    {
      const double* around[3];
      for (Index d = -1; d <= 1; ++d)
      {
        const Index z = clamped(k + d, this->Whole, 2);
        Slice& slice = s.slices[static_cast<std::size_t>((z - smooth.lo[2]) % 3)];
        if (!slice.made || slice.of != z)
        {
          this->smoothSlice(smooth, z, s, slice.values);
          slice.made = true;
          slice.of = z;
        }
        around[d + 1] = slice.values.data();
      }
      for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
      {
        this->magnitudes(smooth, around, j, k);
      }
    }
  }

  /// The smoothed values of a slice of `smooth`, over its x and y.
  void smoothSlice(const Box& smooth, Index z, Scratch& s, std::vector<double>& values) const
  {
    const Index rx = this->Reach[0], ry = this->Reach[1], rz = this->Reach[2];
    const Index width = smooth.dim(0), longer = width + 2 * rx;
    const Index y0 = clamped(smooth.lo[1] - ry, this->Whole, 1);
    const Index y1 = clamped(smooth.hi[1] + ry, this->Whole, 1);
    const Index x0 = clamped(smooth.lo[0] - rx, this->Whole, 0);
    const Index x1 = clamped(smooth.hi[0] + rx, this->Whole, 0);
    const Index front = x0 - (smooth.lo[0] - rx), length = x1 - x0 + 1;
    const auto rows = static_cast<std::size_t>(y1 - y0 + 1);
    s.along.resize(static_cast<std::size_t>(longer));
    s.across.resize(rows * static_cast<std::size_t>(width));
    if (!this->Complete)
    {
      s.alongMissing.resize(s.along.size());
      s.acrossMissing.resize(s.across.size());
      s.missing.resize(static_cast<std::size_t>(width));
    }
    for (Index y = y0; y <= y1; ++y)
    {
      std::fill(s.along.begin(), s.along.end(), 0.0);
      std::fill(s.alongMissing.begin(), s.alongMissing.end(), 0.0);
      double* sums = s.along.data() + front;
      double* missing = this->Complete ? nullptr : s.alongMissing.data() + front;
      this->alongZ(x0, y, z, length, rz, sums, missing);
      this->extend(s.along, front, length);
      const auto at = static_cast<std::size_t>(y - y0) * static_cast<std::size_t>(width);
      this->alongX(s.along, width, s.taps, s.across.data() + at);
      if (missing)
      {
        this->extend(s.alongMissing, front, length);
        this->alongX(s.alongMissing, width, s.taps, s.acrossMissing.data() + at);
      }
    }
    values.resize(static_cast<std::size_t>(width * smooth.dim(1)));
    for (Index y = smooth.lo[1]; y <= smooth.hi[1]; ++y)
    {
      double* out = values.data() + (y - smooth.lo[1]) * width;
      this->alongY(s.across, y, y0, width, s.taps, out);
      if (!this->Complete)
      {
        this->alongY(s.acrossMissing, y, y0, width, s.taps, s.missing.data());
        for (Index x = 0; x < width; ++x)
        {
          out[x] /= 1.0 - s.missing[static_cast<std::size_t>(x)];
        }
        this->Volume.mark(smooth.lo[0], y, z, width, out);
      }
    }
  }

  void alongZ(
    Index x0, Index y, Index z, Index length, Index rz, double* sums, double* missing) const
  {
    const std::vector<double>& weights = this->Weights[2];
    this->Volume.add(x0, y, z, length, weights[0], sums, missing);
    for (Index k = 1; k <= rz; ++k)
    {
      this->Volume.addPair(x0, y, clamped(z - k, this->Whole, 2), clamped(z + k, this->Whole, 2),
        length, weights[static_cast<std::size_t>(k)], sums, missing);
    }
  }

  /// The ends of a row go on.
  void extend(std::vector<double>& row, Index front, Index length) const
  {
    const auto begin = row.begin() + front, end = begin + length;
    std::fill(row.begin(), begin, *begin);
    std::fill(end, row.end(), *(end - 1));
  }

  void alongX(
    const std::vector<double>& row, Index width, std::vector<Tap>& taps, double* out) const
  {
    const Index r = this->Reach[0];
    const double* middle = row.data() + r;
    taps.clear();
    for (Index k = 1; k <= r; ++k)
    {
      taps.push_back({ middle - k, middle + k, this->Weights[0][static_cast<std::size_t>(k)] });
    }
    filterRow(middle, this->Weights[0][0], taps, width, out);
  }

  /// Row y, of rows from y0 on.
  void alongY(const std::vector<double>& rows, Index y, Index y0, Index width,
    std::vector<Tap>& taps, double* out) const
  {
    const auto row = [&](Index at)
    { return rows.data() + (clamped(at, this->Whole, 1) - y0) * width; };
    taps.clear();
    for (Index k = 1; k <= this->Reach[1]; ++k)
    {
      taps.push_back({ row(y - k), row(y + k), this->Weights[1][static_cast<std::size_t>(k)] });
    }
    filterRow(row(y), this->Weights[1][0], taps, width, out);
  }

  /// A row of the result, from the smoothed slices below it, of it and above it.
  void magnitudes(const Box& smooth, const double* const (&around)[3], Index j, Index k) const
  {
    const Index width = smooth.dim(0);
    const auto row = [&](int slice, Index y)
    { return around[slice] + (clamped(y, this->Whole, 1) - smooth.lo[1]) * width; };
    const double* here = row(1, j);
    const double* ends[3][2] = { { here, here }, { row(1, j - 1), row(1, j + 1) },
      { row(0, j), row(2, j) } };
    float* out = this->Out + this->Target.offset(this->Target.lo[0], j, k);
    const auto magnitude = [&](Index x, Index before, Index after)
    {
      if (std::isnan(here[x]))
      {
        return std::numeric_limits<float>::quiet_NaN();
      }
      double square = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        double low = ends[a][0][a == 0 ? before : x];
        double high = ends[a][1][a == 0 ? after : x];
        if (!this->Complete)
        {
          low = std::isnan(low) ? here[x] : low;
          high = std::isnan(high) ? here[x] : high;
        }
        const double slope = (high - low) * this->Scale[a];
        square += slope * slope;
      }
      const double slope = std::sqrt(square);
      return slope < NoSlope ? 0.0f : static_cast<float>(slope);
    };
    const Index shift = this->Target.lo[0] - smooth.lo[0]; // 0 where the image begins
    for (Index x = 0; x < this->Target.dim(0); ++x)
    {
      const Index at = x + shift;
      out[x] = magnitude(at, std::max<Index>(at - 1, 0), std::min(at + 1, width - 1));
    }
  }

  const VolumeRows& Volume;
  Box Whole;
  bool Complete;
  Box Target;
  Box Smooth;
  float* Out;
  std::vector<double> Weights[3];
  Index Reach[3];
  double Scale[3];
};

} // namespace

VolumeRows::~VolumeRows() = default;

//------------------------------------------------------------------------------------------------
double powerOfTwoTo1(double number)
{
  constexpr int most = 1022; // what has an inverse
  return number > 0.0 && std::isfinite(number)
    ? std::ldexp(1.0, -std::clamp(std::ilogb(number), -most, most))
    : 1.0;
}

//------------------------------------------------------------------------------------------------
void smoothGradientHalo(const double spacing[3], double deviation, Index halo[3])
{
  for (int a = 0; a < 3; ++a)
  {
    halo[a] = halfWidth(deviation / spacing[a]) + 1;
  }
}

//------------------------------------------------------------------------------------------------
void smoothGradient(const VolumeRows& volume, const Box& whole, const double spacing[3],
  double deviation, bool complete, const Box& target, float* out, const Progress& progress)
{
  Gradient(volume, whole, spacing, deviation, complete, target, out).run(progress);
}

//------------------------------------------------------------------------------------------------
FloatRange rangeOf(const float* values, Index count)
{
  FloatRange range;
  std::mutex mutex;
  forRanges(count, Index{ 1 } << 18,
    [&](Index begin, Index end)
    {
      FloatRange part;
      for (Index i = begin; i < end; ++i)
      {
        // Comparisons with what is no number are false.
        part.low = values[i] < part.low ? values[i] : part.low;
        part.high = values[i] > part.high ? values[i] : part.high;
      }
      const std::lock_guard<std::mutex> lock(mutex);
      range.low = std::min(range.low, part.low);
      range.high = std::max(range.high, part.high);
    });
  return range;
}

//------------------------------------------------------------------------------------------------
std::uint32_t* floatsToLevels(void* memory, Index count, const FloatRange& range)
{
  constexpr double highest = 65534.0;
  constexpr std::uint32_t none = 65535;
  static_assert(sizeof(float) == sizeof(std::uint32_t));
  const double low = range.low, span = static_cast<double>(range.high) - low;
  const double scale = range.any() && span > 0.0 ? highest / span : 0.0;
  char* const bytes = static_cast<char*>(memory);
  forRanges(count, Index{ 1 } << 16,
    [&](Index begin, Index end)
    {
      for (Index i = begin; i < end; ++i)
      {
        char* const at = bytes + i * static_cast<Index>(sizeof(float));
        float number;
        std::memcpy(&number, at, sizeof(number));
        const std::uint32_t level = std::isnan(number)
          ? none
          : static_cast<std::uint32_t>((static_cast<double>(number) - low) * scale + 0.5);
        std::memcpy(at, &level, sizeof(level));
      }
    });
  return static_cast<std::uint32_t*>(memory);
}

} // namespace segcore
