// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "GzipStream.h"

#include "Instructions.h"
#include "ThreadScope.h"
#include "Threads.h"

#include <zlib.h>
#if defined(SEGMENTATIONCORE_USE_ISAL)
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{
namespace
{
constexpr Index WindowBytes = Index{ 1 } << 15;
#if defined(SEGMENTATIONCORE_USE_ISAL)
constexpr int HighestFastLevel = 3;
#endif
// Above, whoever asks for it gets the patient search.
constexpr int HighestRunLevel = 6;

/// Raw deflate for many chunks one after the other.
class Deflater
{
public:
  virtual ~Deflater() = default;

  /// What the bytes that follow on those before become, up to a whole byte of the stream.
  std::vector<unsigned char> run(
    const unsigned char* before, Index bytesBefore, Index bytes, bool last)
  {
    // In memory that is used again: results are much smaller than what they may need.
    const std::size_t size = this->compress(before, bytesBefore, bytes, last, this->Scratch);
    return { this->Scratch.data(), this->Scratch.data() + size };
  }

private:
  /// Makes `out` large enough; returns how many bytes of it are written.
  virtual std::size_t compress(const unsigned char* before, Index bytesBefore, Index bytes,
    bool last, std::vector<unsigned char>& out) = 0;

  std::vector<unsigned char> Scratch;
};

class ZlibDeflater : public Deflater
{
public:
  ZlibDeflater(int level, bool runs)
  {
    std::memset(&this->State, 0, sizeof(this->State));
    // Negative: without zlib's own header, as the chunks share one.
    const int strategy = runs ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (deflateInit2(&this->State, level, Z_DEFLATED, -15, 8, strategy) != Z_OK)
    {
      throw std::bad_alloc();
    }
  }
  ~ZlibDeflater() override { deflateEnd(&this->State); }
  ZlibDeflater(const ZlibDeflater&) = delete;
  ZlibDeflater& operator=(const ZlibDeflater&) = delete;

private:
  std::size_t compress(const unsigned char* before, Index bytesBefore, Index bytes, bool last,
    std::vector<unsigned char>& out) override
  {
    bool good = deflateReset(&this->State) == Z_OK;
    if (bytesBefore > 0)
    {
      good =
        good && deflateSetDictionary(&this->State, before, static_cast<uInt>(bytesBefore)) == Z_OK;
    }
    // The bound is that of a stream without flushes; a flush adds a few bytes.
    out.resize(std::max(
      out.size(), std::size_t{ deflateBound(&this->State, static_cast<uLong>(bytes)) } + 64));
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
    return out.size() - this->State.avail_out;
  }

  z_stream State;
};

#if defined(SEGMENTATIONCORE_USE_ISAL)
/// ISA-L's level 1: on label maps its levels 2 and 3 are slower and not smaller.
class FastDeflater : public Deflater
{
  std::size_t compress(const unsigned char* before, Index bytesBefore, Index bytes, bool last,
    std::vector<unsigned char>& out) override
  {
    isal_deflate_init(&this->State);
    this->State.level = 1;
    this->State.level_buf = this->Tables.data();
    this->State.level_buf_size = static_cast<std::uint32_t>(this->Tables.size());
    this->State.gzip_flag = IGZIP_DEFLATE;
    this->State.flush = last ? NO_FLUSH : SYNC_FLUSH;
    this->State.end_of_stream = last ? 1 : 0;
    // What it cannot make smaller is stored in blocks of at most 65,535 bytes of 5 bytes more.
    out.resize(std::max(out.size(), static_cast<std::size_t>(bytes + bytes / 1024 + 1024)));
    // It does not write to either.
    auto* in = const_cast<unsigned char*>(before);
    bool good = bytesBefore == 0 ||
      isal_deflate_set_dict(&this->State, in, static_cast<std::uint32_t>(bytesBefore)) == COMP_OK;
    this->State.next_in = in + bytesBefore;
    this->State.avail_in = static_cast<std::uint32_t>(bytes);
    this->State.next_out = out.data();
    this->State.avail_out = static_cast<std::uint32_t>(out.size());
    good = good && isal_deflate(&this->State) == COMP_OK && this->State.avail_in == 0 &&
      this->State.avail_out > 0;
    if (!good)
    {
      throw std::logic_error("ISA-L did not compress a chunk");
    }
    return out.size() - this->State.avail_out;
  }

  isal_zstream State;
  std::vector<unsigned char> Tables = std::vector<unsigned char>(ISAL_DEF_LVL1_DEFAULT);
};
#endif

std::unique_ptr<Deflater> makeDeflater(int level, bool runs)
{
#if defined(SEGMENTATIONCORE_USE_ISAL)
  if (level <= HighestFastLevel)
  {
    return std::make_unique<FastDeflater>();
  }
#endif
  return std::make_unique<ZlibDeflater>(level, runs);
}

/// CRC-32 of RFC 1952.
uLong check(const unsigned char* data, Index bytes)
{
#if defined(SEGMENTATIONCORE_USE_ISAL)
  return crc32_gzip_refl(0, data, static_cast<std::uint64_t>(bytes));
#else
  return crc32(0, data, static_cast<uInt>(bytes));
#endif
}

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
    const auto deflater = makeDeflater(this->Level, this->Runs);
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
      chunk.Check = check(chunk.Data, chunk.Bytes);
      chunk.Result = deflater->run(before, bytesBefore, chunk.Bytes, ends);
    }
    clearWideRegisters(); // ISA-L leaves them as they are
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
