// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Wide: integers of 128 bits, for sums that must be exact over any number of voxels.
///
/// Two's complement, modulo 2^128: sums and differences may leave the range on the way, as long as
/// the result is within it. Plain data, so that it travels in messages. Constant time, no memory.

#ifndef segcoreWide_h
#define segcoreWide_h

#include <cstdint>

namespace segcore
{

struct Wide
{
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  Wide() = default;
  Wide(std::int64_t value)
    : low(static_cast<std::uint64_t>(value)), high(value < 0 ? ~std::uint64_t{ 0 } : 0)
  {
  }
  Wide(std::uint64_t highWord, std::uint64_t lowWord) : low(lowWord), high(highWord) {}

  Wide& operator+=(const Wide& other)
  {
    this->low += other.low;
    this->high += other.high + (this->low < other.low ? 1 : 0);
    return *this;
  }
  Wide& operator-=(const Wide& other)
  {
    const std::uint64_t borrow = this->low < other.low ? 1 : 0;
    this->low -= other.low;
    this->high -= other.high + borrow;
    return *this;
  }
  Wide& operator+=(std::int64_t value) { return *this += Wide(value); }

  friend Wide operator+(Wide a, const Wide& b) { return a += b; }
  friend Wide operator-(Wide a, const Wide& b) { return a -= b; }
  friend Wide operator*(const Wide& a, const Wide& b)
  {
    Wide result = Wide::product(a.low, b.low);
    result.high += a.low * b.high + a.high * b.low;
    return result;
  }
  friend bool operator==(const Wide& a, const Wide& b)
  {
    return a.low == b.low && a.high == b.high;
  }
  friend bool operator!=(const Wide& a, const Wide& b) { return !(a == b); }

  bool negative() const { return (this->high >> 63) != 0; }

  /// The product of two numbers of 64 bits without sign.
  static Wide product(std::uint64_t a, std::uint64_t b)
  {
    const std::uint64_t a0 = a & 0xffffffffu;
    const std::uint64_t a1 = a >> 32;
    const std::uint64_t b0 = b & 0xffffffffu;
    const std::uint64_t b1 = b >> 32;
    const std::uint64_t middle = a1 * b0 + ((a0 * b0) >> 32);
    const std::uint64_t other = a0 * b1 + (middle & 0xffffffffu);
    return Wide(a1 * b1 + (middle >> 32) + (other >> 32), a * b);
  }

  /// Rounded: the upper and the lower half each once, and their sum.
  double toDouble() const
  {
    const Wide magnitude = this->negative() ? Wide() - *this : *this;
    const double value = static_cast<double>(magnitude.high) * 18446744073709551616.0 +
      static_cast<double>(magnitude.low);
    return this->negative() ? -value : value;
  }
};

} // namespace segcore

#endif
