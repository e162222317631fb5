// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Local threshold. Truth: each of its steps by slow loops over the whole image.

#include "FilterTest.h"
#include "vtkLabelMapLocalThreshold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

using Voxel = std::array<double, 3>;

struct Options
{
  double low = -1e299;
  double high = 1e299;
  double diameter = 3.0;
  int algorithm = vtkLabelMapLocalThreshold::GROW_CUT;
  Index label = 1;
};

/// A point by the index of a voxel, counted from the first one, with fractions.
std::array<double, 3> worldOf(const Shape& shape, const Voxel& at)
{
  std::array<double, 3> point;
  for (int r = 0; r < 3; ++r)
  {
    double value = shape.origin[r];
    for (int a = 0; a < 3; ++a)
    {
      value += shape.direction[3 * r + a] * shape.spacing[a] *
        (static_cast<double>(shape.box.lo[a]) + at[static_cast<std::size_t>(a)]);
    }
    point[static_cast<std::size_t>(r)] = value;
  }
  return point;
}

Maker effectOf(const Shape& shape, const std::vector<Voxel>& points, const Options& options)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapLocalThreshold>::New();
    for (const Voxel& at : points)
    {
      const auto point = worldOf(shape, at);
      effect->AddPoint(point[0], point[1], point[2]);
    }
    effect->SetMinimumThreshold(options.low);
    effect->SetMaximumThreshold(options.high);
    effect->SetMinimumDiameterMm(options.diameter);
    effect->SetSegmentationAlgorithm(options.algorithm);
    effect->SetSegmentLabel(options.label);
    return effect;
  };
}

/// The image as a list of voxels with their neighbours.
class Slow
{
public:
  explicit Slow(const Shape& shape) : Where(shape), Count(shape.box.size()) {}

  std::array<Index, 3> at(Index i) const
  {
    const Box& box = this->Where.box;
    return { i % box.dim(0), i / box.dim(0) % box.dim(1), i / box.dim(0) / box.dim(1) };
  }

  /// Slicer's odd number of voxels, halves to even.
  std::array<Index, 3> widths(double millimetres) const
  {
    std::array<Index, 3> result;
    for (std::size_t a = 0; a < 3; ++a)
    {
      const double half = (millimetres / this->Where.spacing[a] + 1.0) / 2.0;
      double whole = std::floor(half + 0.5);
      if (half - std::floor(half) == 0.5 && std::fmod(whole, 2.0) == 1.0)
      {
        whole -= 1.0;
      }
      result[a] = std::max<Index>(1, 2 * static_cast<Index>(whole) - 1);
    }
    return result;
  }

  /// 1 where the ellipsoid around a voxel holds one of the value.
  std::vector<int> near(const std::vector<int>& mask, int value, std::array<Index, 3> w) const
  {
    std::vector<int> result(mask.size(), 0);
    for (Index i = 0; i < this->Count; ++i)
    {
      const auto p = this->at(i);
      for (Index j = 0; j < this->Count && !result[static_cast<std::size_t>(i)]; ++j)
      {
        const auto q = this->at(j);
        Index sum = 0;
        for (std::size_t a = 0; a < 3; ++a)
        {
          const Index others = w[(a + 1) % 3] * w[(a + 2) % 3];
          sum += 4 * (p[a] - q[a]) * (p[a] - q[a]) * others * others;
        }
        result[static_cast<std::size_t>(i)] = mask[static_cast<std::size_t>(j)] == value &&
          sum <= w[0] * w[0] * w[1] * w[1] * w[2] * w[2];
      }
    }
    return result;
  }

  /// Whether voxels are neighbours through a face.
  static bool touch(const std::array<Index, 3>& p, const std::array<Index, 3>& q)
  {
    return std::abs(p[0] - q[0]) + std::abs(p[1] - q[1]) + std::abs(p[2] - q[2]) == 1;
  }

  /// The voxels of `mask` that paths through faces join to one of them.
  std::vector<Index> island(const std::vector<int>& mask, Index start) const
  {
    std::vector<int> seen(mask.size(), 0);
    std::vector<Index> found{ start };
    seen[static_cast<std::size_t>(start)] = 1;
    for (std::size_t n = 0; n < found.size(); ++n)
    {
      const auto p = this->at(found[n]);
      for (int a = 0; a < 3; ++a)
      {
        for (const Index step : { -1, 1 })
        {
          auto q = p;
          q[static_cast<std::size_t>(a)] += step;
          if (q[static_cast<std::size_t>(a)] < 0 ||
            q[static_cast<std::size_t>(a)] >= this->Where.box.dim(a))
          {
            continue;
          }
          const Index other =
            q[0] + this->Where.box.dim(0) * (q[1] + this->Where.box.dim(1) * q[2]);
          if (mask[static_cast<std::size_t>(other)] && !seen[static_cast<std::size_t>(other)])
          {
            seen[static_cast<std::size_t>(other)] = 1;
            found.push_back(other);
          }
        }
      }
    }
    return found;
  }

  /// Labels of the cheapest paths from the seeds, over whole numbers that span 255.
  std::vector<int> grow(
    const std::vector<int>& seeds, const std::vector<unsigned char>& volume) const
  {
    const double* s = this->Where.spacing;
    const double smallest = std::min({ s[0], s[1], s[2] });
    constexpr double far = 1e18;
    std::vector<std::pair<double, int>> best(seeds.size(), { far, 0 });
    for (std::size_t i = 0; i < seeds.size(); ++i)
    {
      if (seeds[i])
      {
        best[i] = { -1.0, seeds[i] }; // a seed stays
      }
    }
    for (bool changed = true; changed;)
    {
      changed = false;
      for (Index to = 0; to < this->Count; ++to)
      {
        const auto p = this->at(to);
        for (int n = 0; n < 27; ++n)
        {
          const Index d[3] = { n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1 };
          const Index x = p[0] + d[0], y = p[1] + d[1], z = p[2] + d[2];
          const Box box =
            Box::ofSize(this->Where.box.dim(0), this->Where.box.dim(1), this->Where.box.dim(2));
          if (!box.contains(x, y, z))
          {
            continue;
          }
          const auto from = static_cast<std::size_t>(box.offset(x, y, z));
          const auto here = static_cast<std::size_t>(to);
          double square = 0.0;
          for (int a = 0; a < 3; ++a)
          {
            square += static_cast<double>(d[a] * d[a]) * s[a] * s[a];
          }
          const double step = std::floor(4.0 * std::sqrt(square) / smallest + 0.5) +
            256.0 * std::abs(static_cast<int>(volume[here]) - static_cast<int>(volume[from]));
          const std::pair<double, int> way{ std::max(0.0, best[from].first) + step,
            best[from].second };
          if (best[from].second && way < best[here])
          {
            best[here] = way;
            changed = true;
          }
        }
      }
    }
    std::vector<int> result;
    for (const auto& way : best)
    {
      result.push_back(way.second);
    }
    return result;
  }

  std::vector<int> select(const std::vector<unsigned char>& volume,
    const std::vector<Voxel>& points, const Options& options) const
  {
    std::vector<int> inside;
    for (const unsigned char value : volume)
    {
      inside.push_back(value >= options.low && value <= options.high ? 1 : 0);
    }
    const auto widths = this->widths(options.diameter);
    const std::vector<int> eaten = this->near(inside, 0, widths);
    std::vector<int> core(inside.size());
    for (std::size_t i = 0; i < core.size(); ++i)
    {
      core[i] = inside[i] && !eaten[i];
    }
    std::vector<int> markers(core.size(), 0);
    for (Index i = 0; i < this->Count; ++i)
    {
      if (!inside[static_cast<std::size_t>(i)])
      {
        markers[static_cast<std::size_t>(i)] = 3;
      }
      else if (core[static_cast<std::size_t>(i)] && !markers[static_cast<std::size_t>(i)])
      {
        const auto voxels = this->island(core, i);
        for (const Index v : voxels)
        {
          markers[static_cast<std::size_t>(v)] = voxels.size() < 125 ? -1 : 1;
        }
      }
    }
    std::replace(markers.begin(), markers.end(), -1, 0);
    std::vector<Index> starts;
    const std::vector<int> large(markers);
    for (const Voxel& point : points)
    {
      Index nearest = -1;
      double least = std::numeric_limits<double>::infinity();
      for (Index i = 0; i < this->Count; ++i)
      {
        const auto p = this->at(i);
        double square = 0.0;
        bool in = true;
        for (std::size_t a = 0; a < 3; ++a)
        {
          const double away = static_cast<double>(p[a]) - point[a];
          in = in && std::abs(away) < 0.5;
          square += away * away * this->Where.spacing[a] * this->Where.spacing[a];
        }
        if (large[static_cast<std::size_t>(i)] == 1 && square < least &&
          (in || std::sqrt(square) <= options.diameter))
        {
          nearest = i;
          least = square;
        }
      }
      if (nearest >= 0)
      {
        starts.push_back(nearest);
        for (const Index v : this->island(core, nearest))
        {
          markers[static_cast<std::size_t>(v)] = 2;
        }
      }
    }
    std::vector<int> result(markers.size(), 0);
    if (starts.empty())
    {
      return result;
    }
    if (options.algorithm == vtkLabelMapLocalThreshold::GROW_CUT)
    {
      const auto grown = this->grow(markers, volume);
      std::transform(
        grown.begin(), grown.end(), result.begin(), [](int number) { return number == 2; });
      return result;
    }
    const auto covered =
      this->near(markers, 1, { 2 * widths[0] - 1, 2 * widths[1] - 1, 2 * widths[2] - 1 });
    std::vector<int> allowed(markers.size());
    for (std::size_t i = 0; i < markers.size(); ++i)
    {
      allowed[i] = markers[i] == 2 || (markers[i] != 3 && !covered[i]);
    }
    for (const Index start : starts)
    {
      for (const Index v : this->island(allowed, start))
      {
        result[static_cast<std::size_t>(v)] = 1;
      }
    }
    return result;
  }

private:
  const Shape& Where;
  Index Count;
};

template <class T>
std::vector<T> joined(const std::vector<T>& labels, const std::vector<int>& mask, Index label)
{
  std::vector<T> result(labels);
  for (std::size_t i = 0; i < result.size(); ++i)
  {
    result[i] = mask[i] ? static_cast<T>(label) : result[i];
  }
  return result;
}

constexpr int algorithms[] = { vtkLabelMapLocalThreshold::GROW_CUT,
  vtkLabelMapLocalThreshold::MASKING };

/// Runs of a line of 400 voxels that come apart at nothing (diameter 0): by hand.
void testLine(const World& world)
{
  for (const int axis : { 0, 2 })
  {
    const Shape shape = shapeOf(axis == 0 ? 400 : 1, 1, axis == 2 ? 400 : 1);
    const auto point = [axis](double at)
    { return axis == 0 ? Voxel{ at, 0.0, 0.0 } : Voxel{ 0.0, 0.0, at }; };
    // 0 to 129 and 140 to 264 are long enough, 270 to 393 is not.
    std::vector<short> volume(400, 10);
    const auto bright = [](int i)
    { return i <= 129 || (i >= 140 && i <= 264) || (i >= 270 && i <= 393); };
    for (int i = 0; i < 400; ++i)
    {
      volume[static_cast<std::size_t>(i)] = static_cast<short>(bright(i) ? 100 + i % 2 : 10);
    }
    const std::vector<unsigned char> labels(400, 7);
    const auto expect = [&](const std::vector<Voxel>& points, double diameter, int first, int last)
    {
      for (const int algorithm : algorithms)
      {
        check::setContext("line along axis ", axis, " algorithm ", algorithm, " diameter ",
          diameter, " expected ", first, " to ", last);
        std::vector<unsigned char> expected(labels);
        for (int i = first; i <= last; ++i)
        {
          expected[static_cast<std::size_t>(i)] = 1;
        }
        CHECK_EVERYWHERE(world, shape, labels,
          effectOf(shape, points, { 100.0, 101.0, diameter, algorithm }), expected, "values",
          Effort::Some, "values", volumeOf(volume));
      }
    };
    expect({ point(3.0) }, 0.0, 0, 129);
    expect({ point(129.4) }, 0.0, 0, 129);
    expect({ point(200.2), point(141.0) }, 0.0, 140, 264);
    expect({ point(300.0) }, 0.0, 0, -1); // too short
    expect({ point(133.0) }, 0.0, 0, -1); // in no voxel of a core
    expect({ point(-0.6) }, 0.0, 0, -1);  // outside of the image
    expect({ point(-0.4) }, 0.0, 0, 129);
    // An ellipsoid of 5 voxels takes 2 off the end and 4 off what lies between others; they come
    // back, as nothing else is near. 125 voxels are too few then.
    expect({ point(132.0) }, 5.0, 0, 129);
    expect({ point(132.6) }, 5.0, 0, -1); // more than 5 mm from voxel 127
    expect({ point(200.0) }, 5.0, 0, -1);
  }
  check::setContext("");
}

/// Two rooms with a bridge between them, and noise.
void testRooms(const World& world)
{
  const Shape shape = oddShape(24, 10, 9);
  const Slow slow(shape);
  check::Random random(3);
  for (const int bridge : { 2, 4 })
  {
    auto volume = volumes::make<unsigned char>(shape.box,
      [&](Index x, Index y, Index z)
      {
        const bool room = y >= 1 && y <= 8 && z >= 1 && z <= 7 && (x <= 9 || x >= 14);
        const bool way = y >= 3 && y < 3 + bridge && z >= 3 && z < 3 + bridge;
        return static_cast<unsigned char>((room || way ? 150 : 20) + random.below(40));
      });
    volume[0] = 0; // the levels span 255
    volume[1] = 255;
    const auto labels = volumes::make<short>(
      shape.box, [&](Index, Index, Index) { return random.below(20) ? 0 : 3; });
    const std::vector<std::vector<Voxel>> points{ { { 3.2, 4.4, 4.1 } }, { { 18.6, 5.3, 3.2 } },
      { { 4.3, 4.1, 4.2 }, { 18.6, 5.3, 3.2 } }, { { 11.8, 0.2, 0.3 } } };
    for (const double diameter : { 1.6, 3.7 })
    {
      for (const int algorithm : algorithms)
      {
        std::size_t selected = 0;
        for (const auto& some : points)
        {
          check::setContext("rooms with bridge ", bridge, " diameter ", diameter, " algorithm ",
            algorithm, " points ", some.size(), " at ", some[0][0]);
          const Options options{ 150.0, 1e299, diameter, algorithm, 5 };
          const std::vector<int> mask = slow.select(volume, some, options);
          selected += static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
          CHECK_EVERYWHERE(world, shape, labels, effectOf(shape, some, options),
            joined(labels, mask, 5), "values", Effort::Every, "values", volumeOf(volume));
        }
        CHECK(selected > 1000);
      }
    }
    // One room alone, where the bridge is thin.
    const auto left = slow.select(volume, points[0], { 150.0, 1e299, 3.7, 0, 5 });
    const auto count = std::count(left.begin(), left.end(), 1);
    CHECK(count >= 10 * 8 * 7);
    CHECK(bridge > 2 || count < 10 * 8 * 7 + 40);
  }
  check::setContext("");
}

void testTypes(const World& world)
{
  const Shape shape = oddShape(9, 8, 7);
  const Slow slow(shape);
  check::Random random(8);
  auto values = volumes::make<unsigned char>(
    shape.box, [&](Index, Index, Index) { return static_cast<unsigned char>(random.below(100)); });
  values[0] = 0;
  values[1] = 127; // what every type holds
  const auto labels =
    volumes::make<unsigned char>(shape.box, [&](Index, Index, Index) { return random.below(3); });
  for (const int algorithm : algorithms)
  {
    const Options options{ 0.0, 70.0, 0.0, algorithm, 2 };
    std::vector<Voxel> points;
    for (Index i = 0; i < 5; ++i)
    {
      points.push_back({ 4.1, static_cast<double>(i) + 1.2, 3.3 });
    }
    // Spans 127, so that a level is 512 units of a step: 256, as no more is allowed.
    const auto mask = slow.select(values, points, options);
    CHECK(std::count(mask.begin(), mask.end(), 1) > 200);
    const auto expected = joined(labels, mask, 2);
    forEachType(
      [&](auto zero)
      {
        using T = decltype(zero);
        check::setContext(vtkTypeTraits<T>::SizedName(), " algorithm ", algorithm);
        const std::vector<T> typed(values.begin(), values.end());
        const std::vector<T> typedLabels(labels.begin(), labels.end());
        const std::vector<T> typedResult(expected.begin(), expected.end());
        CHECK_EVERYWHERE(world, shape, typedLabels, effectOf(shape, points, options), typedResult,
          "values", Effort::Some, "values", volumeOf(typed));
      });
  }
  // What is no number is never selected, even without bounds.
  check::setContext("no numbers");
  std::vector<float> gaps(values.begin(), values.end());
  std::vector<unsigned char> expected(labels.size(), 1);
  for (std::size_t i = 0; i < gaps.size(); i += 5)
  {
    gaps[i] = std::numeric_limits<float>::quiet_NaN();
    expected[i] = 0;
  }
  const std::vector<unsigned char> none(labels.size(), 0);
  Options options;
  options.diameter = 0.0;
  for (const int algorithm : algorithms)
  {
    options.algorithm = algorithm;
    CHECK_EVERYWHERE(world, shape, none, effectOf(shape, { { 1.0, 0.0, 0.0 } }, options), expected,
      "values", Effort::Some, "values", volumeOf(gaps));
  }
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  const std::vector<Voxel> points{ { 1, 1, 1 } };
  const double nan = std::nan("");
  const auto refused = [&](const std::vector<Voxel>& at, const Options& options, const char* text)
  { CHECK_REFUSED(world, effectOf(shape, at, options)(), image, text, shape, volumeOf(ones)); };
  refused({}, {}, "Points is empty");
  refused({ { nan, 0, 0 } }, {}, "Points: point 1 is not finite");
  refused(points, { nan }, "MinimumThreshold is nan");
  refused(points, { 0, nan }, "MaximumThreshold is nan");
  refused(points, { 0, 1, -1 }, "MinimumDiameterMm is -1, expected 0 to 1e+06");
  refused(points, { 0, 1, 300 }, "MinimumDiameterMm is 300 mm, which spans 299 voxels of 1 mm");
  refused(points, { 0, 1, 3, 3 }, "SegmentationAlgorithm is 3, expected 0 to 2");
}

} // namespace

int TestLabelMapLocalThreshold(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(9, 8, 7); // of the common suite
  std::vector<float> wave;
  for (int i = 0; i < 9 * 8 * 7; ++i)
  {
    wave.push_back(static_cast<float>((i * 37) % 101));
  }
  for (const int algorithm : { vtkLabelMapLocalThreshold::GROW_CUT,
         vtkLabelMapLocalThreshold::MASKING, vtkLabelMapLocalThreshold::WATERSHED })
  {
    commonSuite(world, effectOf(shape, { { 0, 0, 0 } }, { -1e299, 70.0, 0.0, algorithm }), "values",
      volumeOf(wave));
  }
  testLine(world);
  testRooms(world);
  testTypes(world);
  testErrors(world);
  return result(world);
}
