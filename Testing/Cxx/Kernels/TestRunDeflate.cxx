// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
//
// What was compressed is decompressed here, bit by bit as RFC 1951 says, by code that shares
// nothing with the compressor and refuses whatever the format does not allow.

#include "RunDeflate.h"

#include "Check.h"

#include <algorithm>
#include <stdexcept>

using segcore::Index;
using segcore::runDeflate;
using segcore::RunDeflate;

namespace
{
using Bytes = std::vector<unsigned char>;

class Inflate
{
public:
  explicit Inflate(const Bytes& from) : From(from) {}

  Bytes all()
  {
    bool last = false;
    while (!last)
    {
      last = this->bits(1) == 1;
      const int type = this->bits(2);
      if (type == 0)
      {
        this->stored();
      }
      else if (type == 2)
      {
        this->block();
      }
      else
      {
        throw std::runtime_error("a kind of block that is not written");
      }
    }
    if ((this->At + 7) / 8 != this->From.size())
    {
      throw std::runtime_error("bytes behind the last block");
    }
    return this->Out;
  }

private:
  // Codes of each length from the lowest on, and their symbols in that order.
  struct Tree
  {
    std::vector<int> count = std::vector<int>(16, 0);
    std::vector<int> symbols;
  };

  int bits(int count)
  {
    int value = 0;
    for (int i = 0; i < count; ++i, ++this->At)
    {
      if (this->At / 8 >= this->From.size())
      {
        throw std::runtime_error("the stream ends too early");
      }
      value |= (this->From[this->At / 8] >> (this->At % 8) & 1) << i;
    }
    return value;
  }

  static Tree tree(const std::vector<int>& lengths, bool mayBeSingle)
  {
    Tree result;
    double kraft = 0.0;
    for (int length = 1; length <= 15; ++length)
    {
      for (std::size_t s = 0; s < lengths.size(); ++s)
      {
        if (lengths[s] == length)
        {
          ++result.count[static_cast<std::size_t>(length)];
          result.symbols.push_back(static_cast<int>(s));
          kraft += 1.0 / (1 << length);
        }
      }
    }
    const bool complete = kraft == 1.0;
    if (!complete && !(mayBeSingle && result.symbols.size() <= 1))
    {
      throw std::runtime_error("codes that leave bits unused, or are no codes");
    }
    return result;
  }

  int symbol(const Tree& tree)
  {
    int code = 0, first = 0, index = 0;
    for (std::size_t length = 1; length <= 15; ++length)
    {
      code = code << 1 | this->bits(1);
      const int count = tree.count[length];
      if (code - first < count)
      {
        return tree.symbols[static_cast<std::size_t>(index + code - first)];
      }
      index += count;
      first = (first + count) << 1;
    }
    throw std::runtime_error("no such code");
  }

  void stored()
  {
    this->At = (this->At + 7) / 8 * 8;
    const int length = this->bits(16);
    if ((this->bits(16) ^ 0xffff) != length)
    {
      throw std::runtime_error("a stored block of a wrong length");
    }
    for (int i = 0; i < length; ++i)
    {
      this->Out.push_back(static_cast<unsigned char>(this->bits(8)));
    }
  }

  void block()
  {
    static const int order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1,
      15 };
    static const int lengthBase[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35,
      43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
    static const int lengthBits[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
      4, 4, 4, 4, 5, 5, 5, 5, 0 };
    static const int distanceBase[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193,
      257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
    const auto numberOfLiterals = static_cast<std::size_t>(this->bits(5) + 257);
    const auto numberOfDistances = static_cast<std::size_t>(this->bits(5) + 1);
    const int numberOfCodes = this->bits(4) + 4;
    if (numberOfLiterals > 286 || numberOfDistances > 30)
    {
      throw std::runtime_error("too many symbols");
    }
    std::vector<int> codeLengths(19, 0);
    for (int i = 0; i < numberOfCodes; ++i)
    {
      codeLengths[static_cast<std::size_t>(order[i])] = this->bits(3);
    }
    const Tree codes = Inflate::tree(codeLengths, false);
    std::vector<int> lengths;
    while (lengths.size() < numberOfLiterals + numberOfDistances)
    {
      const int code = this->symbol(codes);
      if (code < 16)
      {
        lengths.push_back(code);
        continue;
      }
      const int repeated = code == 16 ? lengths.at(lengths.size() - 1) : 0;
      const int times =
        code == 16 ? 3 + this->bits(2) : (code == 17 ? 3 + this->bits(3) : 11 + this->bits(7));
      lengths.insert(lengths.end(), static_cast<std::size_t>(times), repeated);
    }
    if (lengths.size() != numberOfLiterals + numberOfDistances)
    {
      throw std::runtime_error("a run of code lengths that is too long");
    }
    const auto border = lengths.begin() + static_cast<std::ptrdiff_t>(numberOfLiterals);
    const Tree literals = Inflate::tree({ lengths.begin(), border }, true);
    const Tree distances = Inflate::tree({ border, lengths.end() }, true);
    for (int code = this->symbol(literals); code != 256; code = this->symbol(literals))
    {
      if (code < 256)
      {
        this->Out.push_back(static_cast<unsigned char>(code));
        continue;
      }
      const int length = lengthBase[code - 257] + this->bits(lengthBits[code - 257]);
      const int far = this->symbol(distances);
      const auto distance =
        static_cast<std::size_t>(distanceBase[far] + this->bits(far < 4 ? 0 : far / 2 - 1));
      if (distance > this->Out.size())
      {
        throw std::runtime_error("a match before the beginning");
      }
      for (int i = 0; i < length; ++i)
      {
        this->Out.push_back(this->Out[this->Out.size() - distance]);
      }
    }
  }

  const Bytes& From;
  std::size_t At = 0; // in bits
  Bytes Out;
};

/// Compresses in chunks, each by itself, and checks that it comes back; returns the size.
std::size_t roundTrip(const Bytes& data, const RunDeflate& layout, Index chunk)
{
  Bytes compressed;
  const auto bytes = static_cast<Index>(data.size());
  for (Index at = 0; at == 0 || at < bytes; at += chunk)
  {
    const bool last = at + chunk >= bytes;
    Bytes part{ 1, 2, 3 }; // is appended to
    runDeflate(layout, data.data() + at, std::min(chunk, bytes - at), at, last, part);
    compressed.insert(compressed.end(), part.begin() + 3, part.end());
  }
  try
  {
    CHECK(Inflate(compressed).all() == data);
  }
  catch (const std::exception& error)
  {
    check::fail(__FILE__, __LINE__, error.what());
  }
  return compressed.size();
}

Bytes runs(check::Random& random, Index size, Index longest, int values)
{
  Bytes data;
  while (static_cast<Index>(data.size()) < size)
  {
    data.insert(data.end(), static_cast<std::size_t>(random.between(1, longest)),
      static_cast<unsigned char>(random.below(values)));
  }
  data.resize(static_cast<std::size_t>(size));
  return data;
}

} // namespace

int TestRunDeflate(int, char*[])
{
  roundTrip({}, { 1, 0 }, 100);
  roundTrip({ 7 }, { 1, 0 }, 100);
  roundTrip({ 7, 7 }, { 1, 1 }, 1);
  for (Index length = 1; length < 600; ++length)
  {
    check::setContext("run of ", length);
    roundTrip(Bytes(static_cast<std::size_t>(length), 5), { 1, 0 }, 1000);
  }

  // All lengths of runs, voxels of several bytes, rows near and far, chunks that end anywhere.
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
  {
    check::Random random(seed);
    const Index size = random.between(0, 60000);
    const Index voxel = Index{ 1 } << random.below(4);
    const Index row = random.below(3) ? random.between(1, 300) * voxel : random.between(1, 70000);
    const Index longest = seed % 4 ? random.between(1, 700) : 1;
    const int values = static_cast<int>(random.between(1, 256));
    Bytes data = runs(random, size, longest, values);
    if (seed % 2) // rows that are mostly like the row before
    {
      for (Index i = row; i < size; ++i)
      {
        if (random.below(50))
        {
          data[static_cast<std::size_t>(i)] = data[static_cast<std::size_t>(i - row)];
        }
      }
    }
    check::setContext("seed ", seed);
    roundTrip(data, { voxel, row }, random.between(1, 30000) + 1000);
  }

  // Frequencies like Fibonacci's would need codes of more than 15 bits.
  Bytes skewed;
  std::size_t count = 1, before = 1;
  for (unsigned char value = 0; value < 24; ++value)
  {
    for (std::size_t i = 0; i < count; ++i)
    {
      skewed.push_back(value);
    }
    const std::size_t next = count + before;
    before = count;
    count = next;
  }
  check::Random random(5);
  for (std::size_t i = skewed.size(); i > 1; --i)
  {
    std::swap(skewed[i - 1], skewed[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
  }
  check::setContext("skewed");
  CHECK(roundTrip(skewed, { 32768, 0 }, Index{ 1 } << 28) < skewed.size());

  // A million equal voxels are a few thousand bytes; rows that repeat are smaller than their runs.
  check::setContext("size");
  CHECK(roundTrip(Bytes(1000000, 3), { 1, 1000 }, 1 << 20) < 2000);
  Bytes rows = runs(random, 500, 9, 4);
  for (int i = 0; i < 6; ++i)
  {
    rows.insert(rows.end(), rows.begin(), rows.end());
  }
  CHECK(roundTrip(rows, { 1, 500 }, 1 << 20) * 4 < roundTrip(rows, { 1, 0 }, 1 << 20));
  return check::result();
}
