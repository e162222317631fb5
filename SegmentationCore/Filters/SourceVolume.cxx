// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ScalarTypes.h"
#include "SourceVolume.h"

#include "Buffer.h"
#include "HaloExchange.h"
#include "Threshold.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkSetGet.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segcore
{
namespace
{
/// Voxels of an aligned volume within an interval.
template <class T>
class AlignedInterval : public LocalMask
{
public:
  AlignedInterval(const SourceVolume& volume, double lower, double upper)
    : Volume(volume), Selected(Interval<T>::between(lower, upper))
  {
  }
  Box bounds() const override { return this->Volume.bounds(); }
  void write(const Box& part, std::uint8_t* out) const override
  {
    const Box inside = part.clipped(this->Volume.bounds());
    if (inside != part)
    {
      std::fill_n(out, part.size(), std::uint8_t{ 0 });
    }
    for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
    {
      for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
      {
        thresholdSpan(this->Volume.template row<T>(inside.lo[0], j, k), inside.dim(0),
          this->Selected, std::uint8_t{ 1 }, std::uint8_t{ 0 },
          out + part.offset(inside.lo[0], j, k));
      }
    }
  }

private:
  const SourceVolume& Volume;
  Interval<T> Selected;
};

/// Interpolated values within an interval.
class SampledInterval : public LocalMask
{
public:
  SampledInterval(const SourceVolume& volume, double lower, double upper)
    : Volume(volume), Lower(lower), Upper(upper)
  {
  }
  Box bounds() const override { return this->Volume.bounds(); }
  void write(const Box& part, std::uint8_t* out) const override
  {
    Buffer<double> values(part.size());
    this->Volume.sample(part, values.data());
    for (Index i = 0; i < part.size(); ++i)
    {
      // NaN, outside the volume, is in no interval.
      out[i] = values[i] >= this->Lower && values[i] <= this->Upper ? 1 : 0;
    }
  }

private:
  const SourceVolume& Volume;
  double Lower;
  double Upper;
};
}

//------------------------------------------------------------------------------------------------
SourceVolume::SourceVolume(const Communicator& communicator, vtkImageData* image,
  vtkDataArray* array, const Geometry& labelMap, const Box& held)
  : Image(image), Array(array), Layout(communicator, image, array)
{
  const Geometry& own = this->Layout.geometry();
  // index' = (D' S')^-1 (O - O' + D S index); the columns of D' are perpendicular unit vectors.
  for (int r = 0; r < 3; ++r)
  {
    for (int c = 0; c < 3; ++c)
    {
      double dot = 0.0;
      for (int a = 0; a < 3; ++a)
      {
        dot += own.Direction[3 * a + r] * labelMap.Direction[3 * a + c];
      }
      this->Step[3 * r + c] = dot * labelMap.Spacing[c] / own.Spacing[r];
    }
    double dot = 0.0;
    for (int a = 0; a < 3; ++a)
    {
      dot += own.Direction[3 * a + r] * (labelMap.Origin[a] - own.Origin[a]);
    }
    this->Start[r] = dot / own.Spacing[r];
  }
  // The same lattice: whole steps, to a thousandth of a voxel over the whole image.
  const Box& whole = this->Layout.whole();
  const double largest =
    static_cast<double>(std::max({ whole.dim(0), whole.dim(1), whole.dim(2), Index{ 1 } }));
  this->Aligned = true;
  for (int r = 0; r < 3; ++r)
  {
    for (int c = 0; c < 3; ++c)
    {
      const double unit = r == c ? 1.0 : 0.0;
      this->Aligned = this->Aligned && std::abs(this->Step[3 * r + c] - unit) * largest < 1e-3;
    }
    const double shift = std::round(this->Start[r]);
    this->Aligned =
      this->Aligned && std::abs(this->Start[r] - shift) < 1e-3 && std::abs(shift) < 4.0e18;
    this->Shift[r] = this->Aligned ? static_cast<Index>(shift) : 0;
  }
  if (this->Aligned)
  {
    this->Bounds = this->Layout.piece();
    for (int a = 0; a < 3; ++a)
    {
      this->Bounds.lo[a] -= this->Shift[a];
      this->Bounds.hi[a] -= this->Shift[a];
    }
    this->Bounds = this->Bounds.clipped(held);
    communicator.run(
      [&]
      {
        Box wanted = held;
        Box all = whole;
        for (int a = 0; a < 3; ++a)
        {
          all.lo[a] -= this->Shift[a];
          all.hi[a] -= this->Shift[a];
        }
        wanted = wanted.clipped(all);
        if (this->Bounds != wanted)
        {
          throw std::invalid_argument("the volume '" + this->Layout.arrayName() +
            "' is not held by the same ranks as the label map");
        }
      });
  }
  else
  {
    this->Bounds = held;
    this->Stored = this->Layout.piece();
    if (communicator.size() == 1)
    {
      switch (this->scalarType())
      {
        segcoreTemplateMacro(this->Values = this->Layout.template voxels<VTK_TT>());
      }
      return;
    }
    // The voxels around this rank's part of the label map, from whoever has them.
    double low[3], high[3];
    for (int a = 0; a < 3; ++a)
    {
      low[a] = high[a] = this->Start[a];
      for (int c = 0; c < 3; ++c)
      {
        const double step = this->Step[3 * a + c];
        const double first = step * static_cast<double>(held.lo[c]);
        const double last = step * static_cast<double>(held.hi[c]);
        low[a] += std::min(first, last);
        high[a] += std::max(first, last);
      }
      // In range of an index, however far away the label map is.
      const auto index = [](double value)
      { return static_cast<Index>(std::min(std::max(value, -1.0e15), 1.0e15)); };
      this->Stored.lo[a] = index(std::floor(low[a]) - 1.0);
      this->Stored.hi[a] = index(std::ceil(high[a]) + 1.0);
    }
    this->Stored = held.empty() ? Box() : this->Stored.clipped(whole);
    switch (this->scalarType())
    {
      segcoreTemplateMacro(this->fetchStored<VTK_TT>(communicator));
    }
    this->Values = this->Fetched.data();
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void SourceVolume::fetchStored(const Communicator& communicator)
{
  std::vector<Request<T>> requests;
  communicator.run(
    [&]
    {
      this->Fetched.resize(static_cast<std::size_t>(this->Stored.size()) * sizeof(T));
      if (!this->Stored.empty())
      {
        requests.emplace_back(this->Stored, reinterpret_cast<T*>(this->Fetched.data()));
      }
    });
  fetchLabels(
    communicator, this->Layout.distribution(), this->Layout.template voxels<T>(), requests);
}

//------------------------------------------------------------------------------------------------
SourceVolume::~SourceVolume() = default;

//------------------------------------------------------------------------------------------------
std::unique_ptr<LocalMask> SourceVolume::interval(double lower, double upper) const
{
  if (!this->Aligned)
  {
    return std::make_unique<SampledInterval>(*this, lower, upper);
  }
  switch (this->scalarType())
  {
    segcoreTemplateMacro(return std::make_unique<AlignedInterval<VTK_TT>>(*this, lower, upper));
    default:
      throw std::invalid_argument(
        "the volume '" + this->arrayName() + "' has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void SourceVolume::sampleTyped(const Box& part, double* out) const
{
  const Box& box = this->Layout.whole();
  const T* voxels = this->Stored.empty() ? nullptr : static_cast<const T*>(this->Values);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Index strides[3] = { 1, this->Stored.dim(0), this->Stored.dim(0) * this->Stored.dim(1) };
  for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
  {
    for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
    {
      for (Index i = part.lo[0]; i <= part.hi[0]; ++i, ++out)
      {
        const double index[3] = { static_cast<double>(i), static_cast<double>(j),
          static_cast<double>(k) };
        Index low[3], next[3];
        double weight[3];
        bool inside = true;
        for (int a = 0; a < 3; ++a)
        {
          double at = this->Start[a];
          for (int c = 0; c < 3; ++c)
          {
            at += this->Step[3 * a + c] * index[c];
          }
          // Half a thousandth of a voxel outside is rounding.
          const double first = static_cast<double>(box.lo[a]);
          const double last = static_cast<double>(box.hi[a]);
          inside = inside && at >= first - 5e-4 && at <= last + 5e-4;
          at = std::min(std::max(at, first), last);
          const double floor = std::floor(at);
          low[a] = static_cast<Index>(floor);
          weight[a] = at - floor;
          next[a] = low[a] < box.hi[a] ? strides[a] : 0;
        }
        if (!inside || !voxels)
        {
          *out = nan;
          continue;
        }
        const T* v = voxels + this->Stored.offset(low[0], low[1], low[2]);
        const auto line = [&](const T* p)
        {
          const double p0 = static_cast<double>(p[0]);
          return weight[0] == 0.0 ? p0 : p0 + weight[0] * (static_cast<double>(p[next[0]]) - p0);
        };
        const auto plane = [&](const T* p)
        {
          const double p0 = line(p);
          return weight[1] == 0.0 ? p0 : p0 + weight[1] * (line(p + next[1]) - p0);
        };
        const double v0 = plane(v);
        *out = weight[2] == 0.0 ? v0 : v0 + weight[2] * (plane(v + next[2]) - v0);
      }
    }
  }
}

//------------------------------------------------------------------------------------------------
void SourceVolume::sample(const Box& part, double* out) const
{
  switch (this->scalarType())
  {
    segcoreTemplateMacro(this->sampleTyped<VTK_TT>(part, out));
    default:
      std::fill_n(out, part.size(), std::numeric_limits<double>::quiet_NaN());
  }
}

} // namespace segcore
