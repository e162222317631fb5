// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Checks for C++ tests, random numbers that are the same on every platform, and threads.
///
/// A test calls the CHECK macros and returns check::result(). A failed check prints the place, the
/// context (seed, block, ... as the test set it), what was got and what was expected, and the test
/// goes on; after 20 failures the rest is only counted.

#ifndef segcoreTestingCheck_h
#define segcoreTestingCheck_h

#include "vtkSMPTools.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace check
{

inline int& failures()
{
  static int count = 0;
  return count;
}

inline std::string& context()
{
  static std::string text;
  return text;
}

/// Sets what failures print, for instance setContext("seed ", seed, " block ", b).
template <class... Parts>
void setContext(const Parts&... parts)
{
  std::ostringstream text;
  using expand = int[];
  (void)expand{ 0, ((text << parts), 0)... };
  context() = text.str();
}

inline void fail(const char* file, int line, const std::string& message)
{
  if (++failures() <= 20)
  {
    std::cerr << file << ":" << line << ": " << message;
    if (!context().empty())
    {
      std::cerr << " [" << context() << "]";
    }
    std::cerr << std::endl;
  }
}

inline int result()
{
  if (failures())
  {
    std::cerr << failures() << " checks failed" << std::endl;
  }
  return failures() ? EXIT_FAILURE : EXIT_SUCCESS;
}

/// Small integers as numbers, not as characters.
template <class T>
const T& printed(const T& value)
{
  return value;
}
inline int printed(signed char value)
{
  return value;
}
inline int printed(unsigned char value)
{
  return value;
}
inline int printed(char value)
{
  return value;
}

template <class A, class B>
void equal(const A& got, const B& expected, const char* file, int line, const char* what)
{
  if (!(got == expected))
  {
    std::ostringstream text;
    text.precision(17);
    text << what << ": got " << printed(got) << ", expected " << printed(expected);
    fail(file, line, text.str());
  }
}

/// Compares element by element and reports the first difference with its index.
template <class A, class B>
void equalRanges(
  const A& got, const B& expected, std::int64_t n, const char* file, int line, const char* what)
{
  for (std::int64_t i = 0; i < n; ++i)
  {
    if (!(got[i] == expected[i]))
    {
      std::ostringstream text;
      text.precision(17);
      text << what << "[" << i << "]: got " << printed(got[i]) << ", expected "
           << printed(expected[i]);
      fail(file, line, text.str());
      return;
    }
  }
}

/// splitmix64 (Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195), with our own mapping
/// to ranges.
class Random
{
public:
  explicit Random(std::uint64_t seed) : State_(seed) {}
  std::uint64_t next()
  {
    this->State_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = this->State_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 .. n - 1
  std::int64_t below(std::int64_t n)
  {
    return static_cast<std::int64_t>((this->next() >> 1) % static_cast<std::uint64_t>(n));
  }
  /// low .. high, both included
  std::int64_t between(std::int64_t low, std::int64_t high)
  {
    return low + this->below(high - low + 1);
  }
  /// [0, 1) with 53 bits
  double unit() { return static_cast<double>(this->next() >> 11) / 9007199254740992.0; }

private:
  std::uint64_t State_;
};

/// Runs the body with the given number of threads (std::thread where this VTK's default has none).
template <class Body>
void withThreads(int threads, const Body& body)
{
  const std::string backend = threads > 1 ? "STDThread" : "Sequential";
  vtkSMPTools::LocalScope(vtkSMPTools::Config{ threads, backend, false }, body);
}

} // namespace check

#define CHECK(condition)                                                                           \
  do                                                                                               \
  {                                                                                                \
    if (!(condition))                                                                              \
    {                                                                                              \
      check::fail(__FILE__, __LINE__, "not true: " #condition);                                    \
    }                                                                                              \
  } while (false)

#define CHECK_EQUAL(got, expected) check::equal((got), (expected), __FILE__, __LINE__, #got)

#define CHECK_RANGES(got, expected, n)                                                             \
  check::equalRanges((got), (expected), (n), __FILE__, __LINE__, #got)

#define CHECK_THROWS(expression, Exception)                                                        \
  do                                                                                               \
  {                                                                                                \
    bool caught = false;                                                                           \
    try                                                                                            \
    {                                                                                              \
      (void)(expression);                                                                          \
    }                                                                                              \
    catch (const Exception&)                                                                       \
    {                                                                                              \
      caught = true;                                                                               \
    }                                                                                              \
    if (!caught)                                                                                   \
    {                                                                                              \
      check::fail(__FILE__, __LINE__, "did not throw " #Exception ": " #expression);               \
    }                                                                                              \
  } while (false)

#endif
