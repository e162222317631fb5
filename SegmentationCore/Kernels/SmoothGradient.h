// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SmoothGradient: how steep a volume is at each voxel once a Gaussian has smoothed it; the relief
/// of the watershed.
///
/// Smoothing: weights exp(-k^2 / (2 s^2)) for |k| <= ceil(4 s), s in voxels of the axis, scaled to
/// sum 1, along each axis; beyond the image its outermost voxels go on. Values that are not finite
/// are left out, and the other weights of the box of voxels scaled up for them. Then along each
/// axis the difference of the two neighbours over twice the spacing, in which the voxel itself
/// takes the place of a neighbour outside the image or without a value (zero flux), and of these
/// sqrt(x^2 + y^2 + z^2). A deviation of 0 is no smoothing. What has no value has no gradient
/// (NaN).
///
/// Values are first divided by a power of two near the largest of the image, and lengths by one
/// near the smallest spacing: nothing overflows, and no digit changes; then magnitudes below 2^-40,
/// which rounding alone may cause, are 0. All is summed in double, z
/// before x before y, from the inside outwards, each voxel by itself: equal bit for bit for any
/// division of the image, and for images mirrored along any axis.
///
/// Cost: about 3 times 4 s + 1 multiplications of two values per voxel, and of one value if there
/// are voxels without one. Threads: yes. Scratch: for each thread some slices, or strips of them,
/// with their halo; not proportional to the volume. Bad input (boxes that do not fit, deviations
/// that are negative or too wide): std::invalid_argument.
///
/// Source: P. Getreuer, A survey of Gaussian convolution algorithms, Image Processing On Line 3,
/// 2013, doi:10.5201/ipol.2013.87 (truncated kernels and their error).

#ifndef segcoreSmoothGradient_h
#define segcoreSmoothGradient_h

#include "Box.h"
#include "Progress.h"
#include "ShellArray.h"

#include "SegmentationCoreKernelsModule.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace segcore
{

/// The largest half-width of the Gaussian in voxels.
constexpr Index MaximumGradientVoxels = 512;

/// Rows of a volume, as numbers. Called from several threads.
class SEGMENTATIONCOREKERNELS_EXPORT VolumeRows
{
public:
  virtual ~VolumeRows();

  /// Adds weight times the value to `sums`, or weight to `missing` where there is none; `missing`
  /// is null if all values are finite.
  virtual void add(
    Index i, Index j, Index k, Index count, double weight, double* sums, double* missing) const = 0;

  /// The same for the sum of two rows, of slices `k` and `other`.
  virtual void addPair(Index i, Index j, Index k, Index other, Index count, double weight,
    double* sums, double* missing) const = 0;

  /// Makes those numbers NaN whose voxels have no value.
  virtual void mark(Index i, Index j, Index k, Index count, double* numbers) const = 0;
};

/// Those of an array, a BoxArray or a ShellArray.
template <class V, class Source = BoxArray<V>>
class TypedVolumeRows : public VolumeRows
{
public:
  /// `scale`: a power of two that values are multiplied by. The ends of `limits`, if given, stand
  /// for what is beyond them.
  TypedVolumeRows(Source&& values, double scale, const std::optional<std::pair<V, V>>& limits)
    : Values(std::move(values)), Scale(scale), Limits(limits)
  {
  }

  void add(Index i, Index j, Index k, Index count, double weight, double* sums,
    double* missing) const override
  {
    this->withLimits(
      [&](auto number)
      {
        const double factor = this->factor(weight);
        for (Index from = 0, run = 0; from < count; from += run)
        {
          run = this->Values.run(i + from, count - from);
          const V* row = this->Values.row(i + from, j, k);
          double* to = sums + from;
          for (Index x = 0; x < run; ++x)
          {
            to[x] += factor * number(row[x], missing);
          }
          for (Index x = 0; missing && x < run; ++x)
          {
            missing[from + x] += weight * lack(row[x]);
          }
        }
      });
  }

  void addPair(Index i, Index j, Index k, Index other, Index count, double weight, double* sums,
    double* missing) const override
  {
    this->withLimits(
      [&](auto number)
      {
        const double factor = this->factor(weight);
        for (Index from = 0, run = 0; from < count; from += run)
        {
          run = this->Values.run(i + from, count - from);
          const V* a = this->Values.row(i + from, j, k);
          const V* b = this->Values.row(i + from, j, other);
          double* to = sums + from;
          if (!missing)
          {
            for (Index x = 0; x < run; ++x)
            {
              to[x] += factor * (number(a[x], nullptr) + number(b[x], nullptr));
            }
            continue;
          }
          for (Index x = 0; x < run; ++x)
          {
            to[x] += factor * (number(a[x], missing) + number(b[x], missing));
            missing[from + x] += weight * (lack(a[x]) + lack(b[x]));
          }
        }
      });
  }

  void mark(Index i, Index j, Index k, Index count, double* numbers) const override
  {
    for (Index from = 0, run = 0; from < count; from += run)
    {
      run = this->Values.run(i + from, count - from);
      const V* row = this->Values.row(i + from, j, k);
      for (Index x = 0; x < run; ++x)
      {
        double& number = numbers[from + x];
        number = lack(row[x]) > 0.0 ? std::numeric_limits<double>::quiet_NaN() : number;
      }
    }
  }

private:
  static double lack(V value)
  {
    if constexpr (std::is_floating_point<V>::value)
    {
      return std::isfinite(value) ? 0.0 : 1.0;
    }
    else
    {
      return 0.0;
    }
  }

  /// The sum of two doubles may overflow, so they are scaled each; others once, by the weight.
  static constexpr bool Wide = sizeof(V) == sizeof(double) && std::is_floating_point<V>::value;

  /// Calls work with what makes a number of a value, so that loops need not ask for limits.
  template <class Work>
  void withLimits(const Work& work) const
  {
    const double scale = Wide ? this->Scale : 1.0;
    if (this->Limits)
    {
      work(
        [scale, low = this->Limits->first, high = this->Limits->second](
          V value, const double* missing)
        {
          return missing && lack(value) > 0.0
            ? 0.0
            : static_cast<double>(value < low ? low : (value > high ? high : value)) * scale;
        });
      return;
    }
    work([scale](V value, const double* missing)
      { return missing && lack(value) > 0.0 ? 0.0 : static_cast<double>(value) * scale; });
  }

  double factor(double weight) const { return Wide ? weight : weight * this->Scale; }

  Source Values;
  double Scale;
  std::optional<std::pair<V, V>> Limits;
};

/// A power of two that brings a number above 0 near 1; 1 for others.
SEGMENTATIONCOREKERNELS_EXPORT double powerOfTwoTo1(double number);

/// How many voxels around a voxel its result depends on, along each axis: those of the Gaussian,
/// and one. The deviation is in the unit of the spacing. Not limited.
SEGMENTATIONCOREKERNELS_EXPORT void smoothGradientHalo(
  const double spacing[3], double deviation, Index halo[3]);

/// Writes the magnitudes of `target` to `out`, which stores it. The volume has all voxels of the
/// target and its halo that are inside `whole`, the extent of the undivided image. `complete`:
/// whether all values of that image are finite.
SEGMENTATIONCOREKERNELS_EXPORT void smoothGradient(const VolumeRows& volume, const Box& whole,
  const double spacing[3], double deviation, bool complete, const Box& target, float* out,
  const Progress& progress = Progress());

/// The same of an array that stores `stored`; `largest` is the largest absolute value of the
/// undivided image.
template <class V>
void smoothGradient(const V* values, const Box& stored, double largest, const Box& whole,
  const double spacing[3], double deviation, bool complete, const Box& target, float* out,
  const Progress& progress = Progress())
{
  const TypedVolumeRows<V> rows(BoxArray<V>(values, stored), powerOfTwoTo1(largest), {});
  smoothGradient(rows, whole, spacing, deviation, complete, target, out, progress);
}

/// The lowest and the highest of `count` numbers; what is none is left out.
struct FloatRange
{
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

  bool any() const { return this->low <= this->high; }
};
SEGMENTATIONCOREKERNELS_EXPORT FloatRange rangeOf(const float* values, Index count);

/// Replaces numbers by levels, 0 to 65534 from the lowest to the highest one of `range`:
/// floor((number - low) * 65534 / (high - low) + 1/2), 65535 for what is none. The memory holds
/// std::uint32_t then, each where its number was; it is returned as such. Threads: yes.
SEGMENTATIONCOREKERNELS_EXPORT std::uint32_t* floatsToLevels(
  void* memory, Index count, const FloatRange& range);

} // namespace segcore

#endif
