// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Resample.h"

#include "Instructions.h"
#include "Threads.h"
#include "VoxelBox.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace segcore
{

namespace
{

constexpr double Tolerance = 1.0 / 131072.0; // 2^-17
constexpr Index Run = 128;                   // voxels whose positions are found at a time

/// An interval [first, last) of a row.
struct Interval
{
  Index first = 0;
  Index last = 0;
  bool empty() const { return this->last <= this->first; }
};

/// The part of `within` whose positions start + i * step are in [low, high]. Rounded sums and
/// products are monotonic, so it is an interval; the division only guesses its ends.
Interval clip(Interval within, double start, double step, double low, double high)
{
  const auto inside = [=](Index i)
  {
    const double c = start + static_cast<double>(i) * step;
    return c >= low && c <= high;
  };
  if (within.empty())
  {
    return within;
  }
  if (step == 0.0 || !std::isfinite(step) || !std::isfinite(start))
  {
    return inside(within.first) && std::isfinite(step) ? within : Interval();
  }
  const double one = (low - start) / step;
  const double other = (high - start) / step;
  const double least = static_cast<double>(within.first);
  const double most = static_cast<double>(within.last - 1);
  const auto limited = [=](double value)
  { return static_cast<Index>(std::min(std::max(value, least), most)); };
  Index first = limited(std::ceil(std::min(one, other)));
  Index last = limited(std::floor(std::max(one, other)));
  while (first > within.first && inside(first - 1))
  {
    --first;
  }
  while (first <= last && !inside(first))
  {
    ++first;
  }
  while (last + 1 < within.last && inside(last + 1))
  {
    ++last;
  }
  while (last >= first && !inside(last))
  {
    --last;
  }
  return { first, last + 1 };
}

template <class T>
T toVoxel(double value)
{
  if constexpr (std::is_integral<T>::value)
  {
    const double rounded = std::floor(value + 0.5);
    // A mean of values of T is in its range, but the largest 64-bit ones are no doubles.
    constexpr T highest = std::numeric_limits<T>::max();
    return sizeof(T) == 8 && rounded >= static_cast<double>(highest) ? highest
                                                                     : static_cast<T>(rounded);
  }
  else
  {
    return static_cast<T>(value);
  }
}

/// The input with what the inner loops need.
template <class T>
struct Source
{
  const T* values;
  Box box;
  Index stride[3]; // in values
  Index components;

  Source(const T* in, const Box& stored, Index count) : values(in), box(stored), components(count)
  {
    this->stride[0] = count;
    this->stride[1] = count * stored.dim(0);
    this->stride[2] = this->stride[1] * stored.dim(1);
  }

  /// Axis number of the voxel nearest to c, counted from the first voxel; clamped.
  Index nearest(double c, int axis) const
  {
    const double low = static_cast<double>(this->box.lo[axis]);
    const Index n = static_cast<Index>(std::floor((c + (0.5 + Tolerance)) - low));
    return std::min(std::max<Index>(n, 0), this->box.dim(axis) - 1);
  }

  bool contains(const double c[3]) const
  {
    for (int a = 0; a < 3; ++a)
    {
      // A position that is not a number fails.
      if (!(c[a] >= static_cast<double>(this->box.lo[a]) - (0.5 + Tolerance) &&
            c[a] <= static_cast<double>(this->box.hi[a]) + (0.5 + Tolerance)))
      {
        return false;
      }
    }
    return true;
  }

  void readNearest(const double c[3], T* out) const
  {
    const T* voxel = this->values;
    for (int a = 0; a < 3; ++a)
    {
      voxel += this->nearest(c[a], a) * this->stride[a];
    }
    std::copy(voxel, voxel + this->components, out);
  }

  void readLinear(const double c[3], T* out) const
  {
    const T* voxel = this->values;
    Index step[3];
    double weight[3];
    for (int a = 0; a < 3; ++a)
    {
      const double last = static_cast<double>(this->box.dim(a) - 1);
      const double x = std::min(std::max(c[a] - static_cast<double>(this->box.lo[a]), 0.0), last);
      const Index lower = static_cast<Index>(x);
      weight[a] = x - static_cast<double>(lower);
      step[a] = lower + 1 < this->box.dim(a) ? this->stride[a] : 0;
      voxel += lower * this->stride[a];
    }
    for (Index n = 0; n < this->components; ++n, ++voxel)
    {
      const auto alongX = [&](Index offset)
      {
        const double v = static_cast<double>(voxel[offset]);
        return v + weight[0] * (static_cast<double>(voxel[offset + step[0]]) - v);
      };
      const auto alongXY = [&](Index offset)
      {
        const double v = alongX(offset);
        return v + weight[1] * (alongX(offset + step[1]) - v);
      };
      const double v = alongXY(0);
      out[n] = toVoxel<T>(v + weight[2] * (alongXY(step[2]) - v));
    }
  }
};

/// Where the nearest voxels of a run are, in values from the first one, for inputs of less than
/// 2^31 values. The same operations as in readRunNearest().
struct RunPlaces
{
  double start[3];
  double step[3];
  double low[3];
  std::int32_t stride[3];
};

inline void findPlaces(const RunPlaces& of, Index i, Index count, std::int32_t* places)
{
  const RunPlaces run = of; // no pointer leads to it
  const auto first = static_cast<double>(i);
  const auto number = [&](int n, int a)
  {
    const double c = run.start[a] + (first + n) * run.step[a];
    return static_cast<std::int32_t>((c + (0.5 + Tolerance)) - run.low[a]);
  };
  for (int n = 0; n < static_cast<int>(count); ++n)
  {
    places[n] =
      number(n, 0) * run.stride[0] + number(n, 1) * run.stride[1] + number(n, 2) * run.stride[2];
  }
}

#if defined(SEGCORE_CHOOSES_WIDE)
/// AVX2 alone cannot multiply and add without rounding between, so the positions are the same bits.
__attribute__((target("avx2"), flatten)) void findPlacesAvx2(
  const RunPlaces& of, Index i, Index count, std::int32_t* places)
{
  findPlaces(of, i, count, places);
}
#endif

using FindPlaces = void (*)(const RunPlaces& of, Index i, Index count, std::int32_t* places);

/// How to find them; null where their numbers do not fit.
template <class T>
FindPlaces placesFinder(const Source<T>& source)
{
  if (source.components * source.box.size() > std::numeric_limits<std::int32_t>::max())
  {
    return nullptr;
  }
#if defined(SEGCORE_CHOOSES_WIDE)
  if (useAvx2())
  {
    return &findPlacesAvx2;
  }
#endif
  return &findPlaces;
}

/// Nearest voxels of a run whose positions lie inside by all means: no clamping, no floor.
template <class T, Index Components>
void readRunNearest(const Source<T>& source, const double start[3], const double step[3], Index i,
  Index count, T* out)
{
  // Counted from the first voxel, so that truncation is floor. Numbers of voxels fit 32 bits, as
  // VTK's extents do; offsets need not.
  int number[3][Run];
  for (int a = 0; a < 3; ++a)
  {
    const double shift = 0.5 + Tolerance;
    const double low = static_cast<double>(source.box.lo[a]);
    for (int n = 0; n < static_cast<int>(count); ++n)
    {
      const double c = start[a] + (static_cast<double>(i) + n) * step[a];
      number[a][n] = static_cast<int>((c + shift) - low);
    }
  }
  const Index components = Components ? Components : source.components;
  for (Index n = 0; n < count; ++n)
  {
    const T* voxel = source.values + number[0][n] * source.stride[0] +
      number[1][n] * source.stride[1] + number[2][n] * source.stride[2];
    for (Index m = 0; m < components; ++m)
    {
      out[n * components + m] = voxel[m];
    }
  }
}

/// Means of a run of one component whose positions have all eight voxels around them. The same
/// operations as Source::readLinear, without its clamping.
template <class T>
void readRunLinear(const Source<T>& source, const double start[3], const double step[3], Index i,
  Index count, T* out)
{
  double position[3][Run];
  for (int a = 0; a < 3; ++a)
  {
    const double low = static_cast<double>(source.box.lo[a]);
    for (int n = 0; n < static_cast<int>(count); ++n)
    {
      position[a][n] = (start[a] + (static_cast<double>(i) + n) * step[a]) - low;
    }
  }
  const Index y = source.stride[1];
  const Index z = source.stride[2];
  for (Index n = 0; n < count; ++n)
  {
    const int number[3] = { static_cast<int>(position[0][n]), static_cast<int>(position[1][n]),
      static_cast<int>(position[2][n]) };
    const T* voxel = source.values + number[0] + number[1] * y + number[2] * z;
    const double wx = position[0][n] - number[0];
    const double wy = position[1][n] - number[1];
    const double wz = position[2][n] - number[2];
    const auto alongX = [=](const T* v)
    {
      const double first = static_cast<double>(v[0]);
      return first + wx * (static_cast<double>(v[1]) - first);
    };
    const auto alongXY = [=](const T* v)
    {
      const double first = alongX(v);
      return first + wy * (alongX(v + y) - first);
    };
    const double first = alongXY(voxel);
    out[n] = toVoxel<T>(first + wz * (alongXY(voxel + z) - first));
  }
}

/// The rows of a region in an order that reads the same lines of the caches again soon.
class RowOrder
{
public:
  RowOrder(const Box& region, const LatticeMap& map) : Region(region)
  {
    // Rows that stay in one row of the input read every line once, in any order.
    const auto length = static_cast<double>(region.dim(0) - 1);
    if (std::abs(map.axis[0][1]) * length < 1.0 && std::abs(map.axis[0][2]) * length < 1.0)
    {
      this->Size[0] = std::min(region.dim(1), rowGrain(region.dim(0)));
    }
    else
    {
      // The lines of one of its sides are a fraction of the second cache.
      this->Size[0] = this->Size[1] = std::clamp<Index>(4096 / region.dim(0), 4, 16);
    }
    // A step along the input's rows stays in the line.
    this->ZFirst = std::abs(map.axis[2][0]) > std::abs(map.axis[1][0]);
    for (int a = 0; a < 2; ++a)
    {
      this->Tiles[a] = (region.dim(1 + a) + this->Size[a] - 1) / this->Size[a];
    }
  }

  Index tileCount() const { return this->Tiles[0] * this->Tiles[1]; }
  Index rowsPerTile() const { return this->Size[0] * this->Size[1]; }

  /// Calls work(j, k) for the rows of a tile.
  template <class Work>
  void forRows(Index tile, const Work& work) const
  {
    const Index first[2] = { this->Region.lo[1] + tile % this->Tiles[0] * this->Size[0],
      this->Region.lo[2] + tile / this->Tiles[0] * this->Size[1] };
    const Index end[2] = { std::min(first[0] + this->Size[0], this->Region.hi[1] + 1),
      std::min(first[1] + this->Size[1], this->Region.hi[2] + 1) };
    const int inner = this->ZFirst ? 1 : 0;
    Index at[2];
    for (at[1 - inner] = first[1 - inner]; at[1 - inner] < end[1 - inner]; ++at[1 - inner])
    {
      for (at[inner] = first[inner]; at[inner] < end[inner]; ++at[inner])
      {
        work(at[0], at[1]);
      }
    }
  }

private:
  Box Region;
  Index Size[2] = { 1, 1 };
  Index Tiles[2];
  bool ZFirst;
};

} // namespace

//----------------------------------------------------------------------------
template <class T>
void resample(const T* in, const Box& inStored, const LatticeMap& map, Interpolation interpolation,
  T background, Index components, T* out, const Box& outStored, const Box& region,
  const Progress& progress)
{
  if (region.empty())
  {
    return;
  }
  const Source<T> source(in, inStored, components);
  const bool linear = interpolation == Interpolation::Linear;
  const FindPlaces finder = placesFinder(source);
  const RowOrder order(region, map);
  const auto readRow = [&](Index j, Index k)
  {
    double start[3], step[3];
    Interval touched{ region.lo[0], region.hi[0] + 1 };
    Interval inner = touched;
    if (inStored.empty())
    {
      touched = inner = Interval();
    }
    for (int a = 0; a < 3; ++a)
    {
      start[a] = (map.origin[a] + static_cast<double>(k) * map.axis[2][a]) +
        static_cast<double>(j) * map.axis[1][a];
      step[a] = map.axis[0][a];
      const double low = static_cast<double>(inStored.lo[a]);
      const double high = static_cast<double>(inStored.hi[a]);
      touched = clip(touched, start[a], step[a], low - (0.5 + Tolerance), high + (0.5 + Tolerance));
      // Where nothing needs clamping.
      inner = linear ? clip(inner, start[a], step[a], low, high - Tolerance)
                     : clip(inner, start[a], step[a], low - 0.5, high + (0.5 - 2.0 * Tolerance));
    }
    T* row = out + components * outStored.offset(region.lo[0], j, k);
    const auto at = [&](Index i) { return row + components * (i - region.lo[0]); };
    if (touched.empty())
    {
      std::fill(row, at(region.hi[0] + 1), background);
      return;
    }
    if (inner.empty() || (linear && components != 1))
    {
      inner = { touched.last, touched.last };
    }
    std::fill(row, at(touched.first), background);
    std::fill(at(touched.last), at(region.hi[0] + 1), background);
    const auto readOne = [&](Index i)
    {
      double c[3];
      for (int a = 0; a < 3; ++a)
      {
        c[a] = start[a] + static_cast<double>(i) * step[a];
      }
      if (linear)
      {
        source.readLinear(c, at(i));
      }
      else
      {
        source.readNearest(c, at(i));
      }
    };
    for (Index i = touched.first; i < inner.first; ++i)
    {
      readOne(i);
    }
    RunPlaces places;
    for (int a = 0; a < 3; ++a)
    {
      places.start[a] = start[a];
      places.step[a] = step[a];
      places.low[a] = static_cast<double>(inStored.lo[a]);
      places.stride[a] = static_cast<std::int32_t>(source.stride[a]);
    }
    for (Index i = inner.first; i < inner.last; i += Run)
    {
      const Index count = std::min(Run, inner.last - i);
      if (linear)
      {
        readRunLinear<T>(source, start, step, i, count, at(i));
      }
      else if (components == 1 && finder)
      {
        std::int32_t place[Run];
        finder(places, i, count, place);
        T* const to = at(i);
        for (Index n = 0; n < count; ++n)
        {
          to[n] = in[place[n]];
        }
      }
      else if (components == 1)
      {
        readRunNearest<T, 1>(source, start, step, i, count, at(i));
      }
      else
      {
        readRunNearest<T, 0>(source, start, step, i, count, at(i));
      }
    }
    for (Index i = inner.last; i < touched.last; ++i)
    {
      readOne(i);
    }
  };
  forRanges(order.tileCount(), rowGrain(region.dim(0) * order.rowsPerTile()), progress,
    [&](Index begin, Index end)
    {
      for (Index tile = begin; tile < end; ++tile)
      {
        order.forRows(tile, readRow);
      }
    });
}

//----------------------------------------------------------------------------
template <class T>
void resampleAt(const T* in, const Box& inStored, const PositionsOfRow& positionsOf,
  Interpolation interpolation, T background, Index components, T* out, const Box& outStored,
  const Box& region, const Progress& progress)
{
  if (region.empty())
  {
    return;
  }
  const Source<T> source(in, inStored, components);
  const Index ny = region.dim(1);
  forRanges(region.rows(), rowGrain(16 * region.dim(0)), progress,
    [&](Index begin, Index end)
    {
      double positions[3 * Run];
      for (Index r = begin; r < end; ++r)
      {
        const Index j = region.lo[1] + r % ny;
        const Index k = region.lo[2] + r / ny;
        T* voxel = out + components * outStored.offset(region.lo[0], j, k);
        for (Index i = region.lo[0]; i <= region.hi[0]; i += Run)
        {
          const Index count = std::min(Run, region.hi[0] + 1 - i);
          positionsOf(i, j, k, count, positions);
          for (Index n = 0; n < count; ++n, voxel += components)
          {
            const double* c = positions + 3 * n;
            if (inStored.empty() || !source.contains(c))
            {
              std::fill(voxel, voxel + components, background);
            }
            else if (interpolation == Interpolation::Linear)
            {
              source.readLinear(c, voxel);
            }
            else
            {
              source.readNearest(c, voxel);
            }
          }
        }
      }
    });
}

//----------------------------------------------------------------------------
#define SEGCORE_RESAMPLE(T)                                                                        \
  template SEGMENTATIONCOREKERNELS_EXPORT void resample<T>(const T*, const Box&,                   \
    const LatticeMap&, Interpolation, T, Index, T*, const Box&, const Box&, const Progress&);      \
  template SEGMENTATIONCOREKERNELS_EXPORT void resampleAt<T>(const T*, const Box&,                 \
    const PositionsOfRow&, Interpolation, T, Index, T*, const Box&, const Box&, const Progress&)
SEGCORE_RESAMPLE(char);
SEGCORE_RESAMPLE(signed char);
SEGCORE_RESAMPLE(unsigned char);
SEGCORE_RESAMPLE(short);
SEGCORE_RESAMPLE(unsigned short);
SEGCORE_RESAMPLE(int);
SEGCORE_RESAMPLE(unsigned int);
SEGCORE_RESAMPLE(long);
SEGCORE_RESAMPLE(unsigned long);
SEGCORE_RESAMPLE(long long);
SEGCORE_RESAMPLE(unsigned long long);
SEGCORE_RESAMPLE(float);
SEGCORE_RESAMPLE(double);
#undef SEGCORE_RESAMPLE

} // namespace segcore
