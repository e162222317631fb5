// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "Threshold.h"

#include "Check.h"

#include <cmath>
#include <limits>

using segcore::Index;
using segcore::Interval;

namespace
{

/// lower <= v <= upper for an integer and doubles, without rounding: long double holds both exactly
/// here.
template <class T>
bool within(T v, double lower, double upper)
{
  return static_cast<long double>(v) >= lower && static_cast<long double>(v) <= upper;
}

template <class T>
void testType(const char* name)
{
  using Limits = std::numeric_limits<T>;
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<T> values{ T(0), T(1), T(2), T(10), T(11), T(12), T(13), T(100), Limits::lowest(),
    T(Limits::lowest() + 1), Limits::max(), T(Limits::max() - 1), T(-3), T(-2), T(-1) };
  std::vector<double> bounds{ -infinity, infinity, nan, -3.7, -1.2, -1.0, -0.0, 0.0, 0.5, 1.0, 10.7,
    12.9, 1e-300, 9007199254740993.0, 1e300, -1e300, 0.1, static_cast<double>(0.1f) };
  for (const int power : { 7, 8, 15, 16, 31, 32, 53, 62, 63, 64, 127, 128 })
  {
    for (const double sign : { 1.0, -1.0 })
    {
      const double p = sign * std::ldexp(1.0, power);
      bounds.push_back(p);
      bounds.push_back(std::nextafter(p, infinity));
      bounds.push_back(std::nextafter(p, -infinity));
    }
  }
  check::Random random(5);
  for (int i = 0; i < 40; ++i)
  {
    values.push_back(static_cast<T>(random.between(-130, 130)));
    bounds.push_back(static_cast<double>(random.between(-260, 260)) / 2.0);
  }
  const Index n = static_cast<Index>(values.size());
  std::vector<std::uint16_t> out(values.size());
  // Narrow results of long spans are made 64 at a time where the processor can.
  std::vector<T> many;
  while (many.size() < 150)
  {
    many.insert(many.end(), values.begin(), values.end());
  }
  std::vector<std::uint8_t> narrow(many.size() + 1);
  for (const double lower : bounds)
  {
    for (const double upper : bounds)
    {
      check::setContext(name, " ", lower, " .. ", upper);
      const Interval<T> interval = Interval<T>::between(lower, upper);
      segcore::thresholdSpan(
        values.data(), n, interval, std::uint16_t{ 500 }, std::uint16_t{ 7 }, out.data());
      for (std::size_t i = 0; i < values.size(); ++i)
      {
        CHECK_EQUAL(out[i], within(values[i], lower, upper) ? 500 : 7);
        CHECK_EQUAL(interval.contains(values[i]), out[i] == 500);
      }
      narrow.back() = 3;
      segcore::thresholdSpan(many.data(), static_cast<Index>(many.size()), interval,
        std::uint8_t{ 200 }, std::uint8_t{ 7 }, narrow.data());
      bool equal = narrow.back() == 3;
      for (std::size_t i = 0; i < many.size(); ++i)
      {
        equal = equal && narrow[i] == (out[i % values.size()] == 500 ? 200 : 7);
      }
      CHECK(equal);
    }
  }
}

/// Values that a float bound, rounded carelessly, would let through.
template <class T>
void testFloat(const char* name)
{
  check::setContext(name);
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T infinity = std::numeric_limits<T>::infinity();
  const std::vector<T> values{ nan, infinity, -infinity, T(0.1), T(-0.0), T(0.3) };
  std::vector<std::uint8_t> out(values.size());
  const auto run = [&](double lower, double upper)
  {
    segcore::thresholdSpan(values.data(), static_cast<Index>(values.size()),
      Interval<T>::between(lower, upper), std::uint8_t{ 1 }, std::uint8_t{ 0 }, out.data());
    for (std::size_t i = 0; i < values.size(); ++i)
    {
      const double v = static_cast<double>(values[i]);
      CHECK_EQUAL(out[i], v >= lower && v <= upper ? 1 : 0);
    }
  };
  const double all = std::numeric_limits<double>::infinity();
  // NaN and infinities among many, too.
  std::vector<T> many;
  while (many.size() < 200)
  {
    many.insert(many.end(), values.begin(), values.end());
  }
  std::vector<std::uint8_t> marked(many.size());
  for (const double upper : { all, 0.2, static_cast<double>(std::numeric_limits<T>::max()) })
  {
    segcore::thresholdSpan(many.data(), static_cast<Index>(many.size()),
      Interval<T>::between(-all, upper), std::uint8_t{ 1 }, std::uint8_t{ 0 }, marked.data());
    bool equal = true;
    for (std::size_t i = 0; i < many.size(); ++i)
    {
      equal = equal && marked[i] == (static_cast<double>(many[i]) <= upper ? 1 : 0);
    }
    CHECK(equal);
  }
  run(-all, all);
  run(0.1, 0.3);
  run(0.0, 0.1);
  run(static_cast<double>(T(0.1)), 0.2);
  run(std::nextafter(static_cast<double>(T(0.1)), 1.0), 0.2);
  run(1e39, 1e200);
  run(-1e200, 1e39);
  CHECK(Interval<T>::between(2.0, 1.0).empty());
  CHECK(Interval<T>::between(0.0, std::nan("")).empty());
}

} // namespace

int TestThreshold(int, char*[])
{
  for (const bool wide : { false, true })
  {
    segcore::allowWideInstructions(wide);
    testType<std::int8_t>("int8");
    testType<std::uint8_t>("uint8");
    testType<std::int16_t>("int16");
    testType<std::uint16_t>("uint16");
    testType<std::int32_t>("int32");
    testType<std::uint32_t>("uint32");
    testType<std::int64_t>("int64");
    testType<std::uint64_t>("uint64");
    testType<float>("float");
    testType<double>("double");
    testFloat<float>("float");
    testFloat<double>("double");
  }

  // The example of the header: the integers within 10.7 and 12.9 are 11 and 12.
  CHECK_EQUAL(Interval<int>::between(10.7, 12.9).min, 11);
  CHECK_EQUAL(Interval<int>::between(10.7, 12.9).max, 12);
  CHECK_EQUAL(Interval<int>::between(-3.7, -1.2).min, -3);
  CHECK(Interval<int>::between(10.1, 10.9).empty());

  // Long spans with threads, also in place.
  check::setContext("threads");
  std::vector<std::int16_t> values(1000003);
  check::Random random(9);
  for (std::int16_t& v : values)
  {
    v = static_cast<std::int16_t>(random.between(-100, 100));
  }
  for (const int threads : { 1, 2 })
  {
    std::vector<std::int16_t> out = values;
    check::withThreads(threads,
      [&]()
      {
        segcore::threshold(out.data(), static_cast<Index>(out.size()),
          Interval<std::int16_t>::between(-5, 20), std::int16_t{ 3 }, std::int16_t{ 4 },
          out.data());
      });
    for (std::size_t i = 0; i < out.size(); ++i)
    {
      CHECK_EQUAL(out[i], values[i] >= -5 && values[i] <= 20 ? 3 : 4);
    }
  }

  // Results that are written past the caches: of any length, to any address.
  check::setContext("streamed");
  for (const Index n : { 0, 1, 15, 16, 17, 4095, 4096, 4097, 8192, 20001 })
  {
    for (const std::size_t shift : { 0, 1, 7 })
    {
      const std::size_t size = static_cast<std::size_t>(n);
      std::vector<std::uint16_t> out(size + 20, 9);
      segcore::streamSpan(n, true, out.data() + shift,
        [](Index first, Index count, std::uint16_t* part)
        {
          for (Index i = 0; i < count; ++i)
          {
            part[i] = static_cast<std::uint16_t>(first + i);
          }
        });
      for (std::size_t i = 0; i < out.size(); ++i)
      {
        const bool inside = i >= shift && i < shift + size;
        CHECK_EQUAL(out[i], inside ? static_cast<std::uint16_t>(i - shift) : 9);
      }
    }
  }
  std::vector<std::uint8_t> many(static_cast<std::size_t>(segcore::LeastStreamedBytes) + 5);
  for (std::size_t i = 0; i < many.size(); ++i)
  {
    many[i] = static_cast<std::uint8_t>(i * 7 >> 3);
  }
  for (const bool wide : { false, true })
  {
    segcore::allowWideInstructions(wide);
    std::vector<std::uint8_t> marked(many.size() + 1, 2);
    segcore::threshold(many.data(), static_cast<Index>(many.size()),
      Interval<std::uint8_t>::between(10, 99), std::uint8_t{ 1 }, std::uint8_t{ 0 },
      marked.data() + 1);
    bool equal = marked[0] == 2;
    for (std::size_t i = 0; i < many.size(); ++i)
    {
      equal = equal && marked[i + 1] == (many[i] >= 10 && many[i] <= 99 ? 1 : 0);
    }
    CHECK(equal);
  }
  return check::result();
}
