// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Buffer: a fixed-size array of plain values that is not cleared when it is made.
///
/// std::vector writes every element once, on one thread, before a kernel fills it from many; for
/// arrays as large as a volume that costs as much as some kernels. Movable, not copyable.

#ifndef segcoreBuffer_h
#define segcoreBuffer_h

#include "Box.h"

#include "LargePages.h"

#include <cstddef>
#include <memory>
#include <type_traits>

namespace segcore
{

template <class T>
class Buffer
{
  static_assert(std::is_trivial<T>::value, "Buffer holds plain values");

public:
  Buffer() = default;
  explicit Buffer(Index count) : Data_(new T[static_cast<std::size_t>(count)]), Size_(count)
  {
    adviseLargePages(this->Data_.get(), static_cast<std::size_t>(count) * sizeof(T));
  }
  Buffer(Buffer&& other) noexcept : Data_(std::move(other.Data_)), Size_(other.Size_)
  {
    other.Size_ = 0;
  }
  Buffer& operator=(Buffer&& other) noexcept
  {
    this->Data_ = std::move(other.Data_);
    this->Size_ = other.Size_;
    other.Size_ = 0;
    return *this;
  }

  Index size() const { return this->Size_; }
  bool empty() const { return this->Size_ == 0; }
  T* data() { return this->Data_.get(); }
  const T* data() const { return this->Data_.get(); }
  T* begin() { return this->data(); }
  T* end() { return this->data() + this->Size_; }
  const T* begin() const { return this->data(); }
  const T* end() const { return this->data() + this->Size_; }
  T& operator[](Index i) { return this->Data_[static_cast<std::size_t>(i)]; }
  const T& operator[](Index i) const { return this->Data_[static_cast<std::size_t>(i)]; }

private:
  std::unique_ptr<T[]> Data_;
  Index Size_ = 0;
};

} // namespace segcore

#endif
