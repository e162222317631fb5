// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "GzipStream.h"

#include "ThreadScope.h"
#include "Threads.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{
namespace
{
constexpr Index WindowBytes = Index{ 1 } << 15;
// Above, whoever asks for it gets the patient search.
constexpr int HighestRunLevel = 6;

/// One of zlib's compressors, for many chunks one after the other.
class Deflater
{
public:
  Deflater(int level, bool runs)
  {
    std::memset(&this->State, 0, sizeof(this->State));
    // Negative: without zlib's own header, as the chunks share one.
    const int strategy = runs ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (deflateInit2(&this->State, level, Z_DEFLATED, -15, 8, strategy) != Z_OK)
    {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&this->State); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Compresses the bytes that follow on those before.
  void run(const unsigned char* before, Index bytesBefore, Index bytes, bool last,
    std::vector<unsigned char>& out)
  {
    bool good = deflateReset(&this->State) == Z_OK;
    if (bytesBefore > 0)
    {
      good =
        good && deflateSetDictionary(&this->State, before, static_cast<uInt>(bytesBefore)) == Z_OK;
    }
    // The bound is that of a stream without flushes; a flush adds a few bytes.
    out.resize(deflateBound(&this->State, static_cast<uLong>(bytes)) + 64);
    this->State.next_in = const_cast<unsigned char*>(before + bytesBefore);
    this->State.avail_in = static_cast<uInt>(bytes);
    this->State.next_out = out.data();
    this->State.avail_out = static_cast<uInt>(out.size());
    const int status = deflate(&this->State, last ? Z_FINISH : Z_SYNC_FLUSH);
    good = good && status == (last ? Z_STREAM_END : Z_OK) && this->State.avail_in == 0 &&
      this->State.avail_out > 0;
    if (!good)
    {
      throw std::logic_error("zlib did not compress a chunk");
    }
    out.resize(out.size() - this->State.avail_out);
  }

private:
  z_stream State;
};

/// Cut into chunks.
struct Chunk
{
  const unsigned char* Data;
  Index Bytes;
  uLong Check;
  std::vector<unsigned char> Result;
};

} // namespace

//----------------------------------------------------------------------------
GzipStream::GzipStream(int level, bool runs, Sink sink)
  : Level(std::clamp(level, 1, 9))
  , Runs(runs && this->Level <= HighestRunLevel)
  , Out(std::move(sink))
  , Check(crc32(0, nullptr, 0))
{
  // Magic number, deflate, no flags, no time, no hint, system unknown: nothing of this machine.
  const unsigned char header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
  this->Out(header, sizeof(header));
}

//----------------------------------------------------------------------------
void GzipStream::compress(const unsigned char* data, Index bytes, bool last)
{
  std::vector<Chunk> chunks;
  for (Index at = 0; at < bytes || (last && at == 0); at += ChunkBytes)
  {
    chunks.push_back({ data + at, std::min(ChunkBytes, bytes - at), 0, {} });
  }
  const auto count = static_cast<Index>(chunks.size());
  const auto compressChunks = [&](Index first, Index end)
  {
    Deflater deflater(this->Level, this->Runs);
    for (Index c = first; c < end; ++c)
    {
      Chunk& chunk = chunks[static_cast<std::size_t>(c)];
      const bool ends = last && c == count - 1;
      Index bytesBefore = std::min(WindowBytes, c * ChunkBytes);
      const unsigned char* before = chunk.Data - bytesBefore;
      std::vector<unsigned char> joined; // where the bytes before are elsewhere
      if (c == 0 && !this->Before.empty())
      {
        joined = this->Before;
        bytesBefore = static_cast<Index>(joined.size());
        joined.insert(joined.end(), chunk.Data, chunk.Data + chunk.Bytes);
        before = joined.data();
      }
      chunk.Check = crc32(0, chunk.Data, static_cast<uInt>(chunk.Bytes));
      deflater.run(before, bytesBefore, chunk.Bytes, ends, chunk.Result);
    }
  };
  withThreads(
    [&]
    {
      const Index parts = chunkCount(count, 1, 4);
      forRanges(parts, 1, [&](Index begin, Index end)
        { compressChunks(chunkBegin(count, parts, begin), chunkBegin(count, parts, end)); });
    },
    bytes);
  for (const Chunk& chunk : chunks)
  {
    this->Check = crc32_combine(this->Check, chunk.Check, static_cast<z_off_t>(chunk.Bytes));
    this->Total += chunk.Bytes;
    this->Out(chunk.Result.data(), static_cast<Index>(chunk.Result.size()));
  }
  // Whole chunks are longer than the window.
  const Index kept = std::min(bytes, WindowBytes);
  this->Before.assign(data + bytes - kept, data + bytes);
}

//----------------------------------------------------------------------------
void GzipStream::write(const unsigned char* data, Index bytes)
{
  if (!this->Pending.empty())
  {
    const Index part = std::min(bytes, ChunkBytes - static_cast<Index>(this->Pending.size()));
    this->Pending.insert(this->Pending.end(), data, data + part);
    data += part;
    bytes -= part;
    if (static_cast<Index>(this->Pending.size()) == ChunkBytes)
    {
      this->compress(this->Pending.data(), ChunkBytes, false);
      this->Pending.clear();
    }
  }
  const Index whole = bytes - bytes % ChunkBytes;
  if (whole > 0)
  {
    this->compress(data, whole, false);
  }
  this->Pending.insert(this->Pending.end(), data + whole, data + bytes);
}

//----------------------------------------------------------------------------
void GzipStream::finish()
{
  this->compress(this->Pending.data(), static_cast<Index>(this->Pending.size()), true);
  unsigned char trailer[8];
  for (int i = 0; i < 4; ++i)
  {
    trailer[i] = static_cast<unsigned char>(this->Check >> (8 * i));
    trailer[4 + i] = static_cast<unsigned char>(this->Total >> (8 * i)); // modulo 2^32
  }
  this->Out(trailer, sizeof(trailer));
}

} // namespace segcore
