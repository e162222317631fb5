// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Puts plain values and arrays into a message and takes them out again in the same order.
///
/// Values are trivially copyable types and are copied byte by byte: all ranks run the same binary.
/// Arrays are preceded by their 64-bit length. Reading beyond the end throws std::runtime_error, so
/// that a mismatch of writer and reader shows at once instead of as garbage.

#ifndef segcoreMessage_h
#define segcoreMessage_h

#include "Communicator.h"

#include <cstring>
#include <type_traits>

namespace segcore
{

class MessageWriter
{
public:
  template <class T>
  void put(const T& value)
  {
    static_assert(std::is_trivially_copyable<T>::value, "only plain values travel");
    const auto* first = reinterpret_cast<const std::byte*>(&value);
    this->Data_.insert(this->Data_.end(), first, first + sizeof(T));
  }

  template <class T>
  void putArray(const T* values, std::int64_t count)
  {
    static_assert(std::is_trivially_copyable<T>::value, "only plain values travel");
    this->put(count);
    const auto* first = reinterpret_cast<const std::byte*>(values);
    this->Data_.insert(
      this->Data_.end(), first, first + static_cast<std::size_t>(count) * sizeof(T));
  }

  template <class T>
  void put(const std::vector<T>& values)
  {
    this->putArray(values.data(), static_cast<std::int64_t>(values.size()));
  }

  void put(const std::string& text)
  {
    this->putArray(text.data(), static_cast<std::int64_t>(text.size()));
  }

  /// The message so far; the writer is empty afterwards.
  Bytes take() { return std::move(this->Data_); }

private:
  Bytes Data_;
};

class MessageReader
{
public:
  /// Reads `data`, which must live as long as the reader.
  explicit MessageReader(const Bytes& data) : Data_(data) {}

  template <class T>
  T get()
  {
    static_assert(std::is_trivially_copyable<T>::value, "only plain values travel");
    T value;
    std::memcpy(&value, this->advance(sizeof(T)), sizeof(T));
    return value;
  }

  template <class T>
  std::vector<T> getArray()
  {
    const auto count = this->get<std::int64_t>();
    if (count < 0 || static_cast<std::size_t>(count) > this->remaining() / sizeof(T))
    {
      throw std::runtime_error("message is shorter than its content says");
    }
    std::vector<T> values(static_cast<std::size_t>(count));
    const std::size_t bytes = values.size() * sizeof(T);
    const std::byte* from = this->advance(bytes);
    if (bytes > 0)
    {
      std::memcpy(values.data(), from, bytes);
    }
    return values;
  }

  std::string getText()
  {
    const std::vector<char> text = this->getArray<char>();
    return std::string(text.begin(), text.end());
  }

  bool atEnd() const { return this->Position_ == this->Data_.size(); }

private:
  std::size_t remaining() const { return this->Data_.size() - this->Position_; }

  const std::byte* advance(std::size_t bytes)
  {
    if (bytes > this->remaining())
    {
      throw std::runtime_error("message is shorter than its content says");
    }
    const std::byte* from = this->Data_.data() + this->Position_;
    this->Position_ += bytes;
    return from;
  }

  const Bytes& Data_;
  std::size_t Position_ = 0;
};

} // namespace segcore

#endif
