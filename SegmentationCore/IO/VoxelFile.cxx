// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "VoxelFile.h"

#include "TextNumbers.h"

#include "vtkType.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

namespace segcore
{

FileError::FileError(const std::string& text) : std::runtime_error(text) {}

FileError::~FileError() = default;

namespace
{

constexpr Index ReadAhead = Index{ 1 } << 20;
constexpr Index ProgressStep = Index{ 8 } << 20;

// Deflate stores at most 258 bytes in two bits; zlib's documentation gives 1032:1 as the limit.
constexpr Index BestCompression = 1032;

std::ifstream openForReading(const std::string& path)
{
  std::ifstream stream;
  stream.rdbuf()->pubsetbuf(nullptr, 0); // the sources below have their own buffer
  stream.open(std::filesystem::u8path(path), std::ios::binary);
  if (!stream)
  {
    throw FileError(path + ": cannot be opened for reading");
  }
  return stream;
}

//----------------------------------------------------------------------------
/// Bytes one after the other, however they are stored.
class ByteSource
{
public:
  virtual ~ByteSource() = default;
  /// Exactly `count` bytes, or FileError.
  virtual void read(unsigned char* to, Index count) = 0;
  virtual void skip(Index count) = 0;
};

//----------------------------------------------------------------------------
class RawSource : public ByteSource
{
public:
  RawSource(const std::string& path, Index offset)
    : Path(path)
    , Stream(openForReading(path))
    , Buffer(static_cast<std::size_t>(ReadAhead))
    , Position(offset)
  {
  }

  void read(unsigned char* to, Index count) override
  {
    while (count > 0)
    {
      if (this->Begin == this->End && count >= ReadAhead)
      {
        const Index got = this->fetch(to, count); // too much for the buffer: straight to its place
        to += got;
        count -= got;
        this->Position += got;
        continue;
      }
      this->fill();
      const Index part = std::min(count, this->End - this->Begin);
      std::memcpy(to, this->Buffer.data() + this->Begin, static_cast<std::size_t>(part));
      to += part;
      count -= part;
      this->Begin += part;
    }
  }

  void skip(Index count) override
  {
    const Index buffered = std::min(count, this->End - this->Begin);
    this->Begin += buffered;
    this->Position += count - buffered;
  }

  /// At least one byte from the buffer, or none at the end of the file. For the decoders.
  Index peek(const unsigned char*& data)
  {
    if (this->Begin == this->End)
    {
      this->Begin = 0;
      this->End = this->fetchSome(this->Buffer.data(), ReadAhead);
      this->Position += this->End;
    }
    data = this->Buffer.data() + this->Begin;
    return this->End - this->Begin;
  }

private:
  void fill()
  {
    const unsigned char* data = nullptr;
    if (this->peek(data) == 0)
    {
      throw FileError(
        this->Path + ": ends at byte " + std::to_string(this->Position) + ", more data is needed");
    }
  }

  Index fetch(unsigned char* to, Index count)
  {
    const Index got = this->fetchSome(to, count);
    if (got == 0)
    {
      throw FileError(
        this->Path + ": ends at byte " + std::to_string(this->Position) + ", more data is needed");
    }
    return got;
  }

  Index fetchSome(unsigned char* to, Index count)
  {
    if (this->StreamPosition != this->Position)
    {
      this->Stream.clear();
      this->Stream.seekg(static_cast<std::streamoff>(this->Position));
      this->StreamPosition = this->Position;
    }
    this->Stream.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count));
    const Index got = static_cast<Index>(this->Stream.gcount());
    this->StreamPosition += got;
    if (this->Stream.bad())
    {
      throw FileError(this->Path + ": reading failed at byte " + std::to_string(this->Position));
    }
    return got;
  }

  std::string Path;
  std::ifstream Stream;
  std::vector<unsigned char> Buffer;
  Index Begin = 0; // the unread part of the buffer
  Index End = 0;
  Index Position = 0;        // in the file, of the end of the buffer
  Index StreamPosition = -1; // where the stream would read next; -1: unknown
};

//----------------------------------------------------------------------------
class GzipSource : public ByteSource
{
public:
  GzipSource(const std::string& path, Index offset) : Path(path), Raw(path, offset)
  {
    std::memset(&this->State, 0, sizeof(this->State));
    if (inflateInit2(&this->State, 15 + 32) != Z_OK) // + 32: gzip or zlib header
    {
      throw std::bad_alloc();
    }
  }
  ~GzipSource() override { inflateEnd(&this->State); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  void read(unsigned char* to, Index count) override
  {
    while (count > 0)
    {
      const Index got = this->readSome(to, std::min<Index>(count, Index{ 1 } << 30));
      if (got == 0)
      {
        throw FileError(this->Path + ": the compressed data ends after " +
          std::to_string(this->Produced) + " bytes (decompressed), at least " +
          std::to_string(this->Produced + count) + " are needed");
      }
      to += got;
      count -= got;
    }
  }

  void skip(Index count) override
  {
    if (count > 0 && this->Scratch.empty())
    {
      this->Scratch.resize(std::size_t{ 1 } << 18);
    }
    while (count > 0)
    {
      const Index part = std::min<Index>(count, static_cast<Index>(this->Scratch.size()));
      this->read(this->Scratch.data(), part);
      count -= part;
    }
  }

  /// Up to `count` bytes, none at the end of the data.
  Index readSome(unsigned char* to, Index count)
  {
    this->State.next_out = to;
    this->State.avail_out = static_cast<uInt>(count);
    while (this->State.avail_out == static_cast<uInt>(count))
    {
      const unsigned char* data = nullptr;
      const Index available = this->Raw.peek(data);
      if (available == 0)
      {
        break;
      }
      if (this->AtMemberEnd)
      {
        // gzip files may be joined; anything else after the end is padding.
        if (data[0] != 0x1f || inflateReset(&this->State) != Z_OK)
        {
          break;
        }
        this->AtMemberEnd = false;
      }
      this->State.next_in = const_cast<unsigned char*>(data);
      this->State.avail_in = static_cast<uInt>(available);
      const int status = inflate(&this->State, Z_NO_FLUSH);
      this->Raw.skip(available - static_cast<Index>(this->State.avail_in));
      if (status == Z_STREAM_END)
      {
        this->AtMemberEnd = true;
      }
      else if (status == Z_MEM_ERROR)
      {
        throw std::bad_alloc();
      }
      else if (status != Z_OK && status != Z_BUF_ERROR)
      {
        throw FileError(this->Path + ": the compressed data is damaged after " +
          std::to_string(this->Produced) +
          " bytes (decompressed): " + (this->State.msg ? this->State.msg : "not gzip data"));
      }
    }
    const Index got = count - static_cast<Index>(this->State.avail_out);
    this->Produced += got;
    return got;
  }

private:
  std::string Path;
  RawSource Raw;
  z_stream State;
  std::vector<unsigned char> Scratch;
  Index Produced = 0;
  bool AtMemberEnd = false;
};

//----------------------------------------------------------------------------
/// Numbers in ASCII, turned into bytes of the scalar type.
class TextSource : public ByteSource
{
public:
  TextSource(const VoxelFile& file)
    : Path(file.path), Raw(file.path, file.offset), Type(file.scalarType), Size(file.scalarSize())
  {
  }

  // Both counts are multiples of the scalar size: rows of voxels are.
  void read(unsigned char* to, Index count) override
  {
    for (Index done = 0; done < count; done += this->Size)
    {
      this->next();
      this->convert(to + done);
    }
  }

  void skip(Index count) override
  {
    for (Index done = 0; done < count; done += this->Size)
    {
      this->next();
    }
  }

private:
  static bool isSeparator(unsigned char c)
  {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',';
  }

  void next()
  {
    this->Token.clear();
    const unsigned char* data = nullptr;
    while (this->Raw.peek(data) > 0)
    {
      const bool separator = isSeparator(*data);
      if (separator && !this->Token.empty())
      {
        break;
      }
      if (!separator)
      {
        this->Token += static_cast<char>(*data);
      }
      if (this->Token.size() > 64)
      {
        throw FileError(this->Path + ": number " + std::to_string(this->Count) +
          " of the text data is longer than 64 characters");
      }
      this->Raw.skip(1);
    }
    if (this->Token.empty())
    {
      throw FileError(this->Path + ": the text data ends after " + std::to_string(this->Count) +
        " numbers, more are needed");
    }
    ++this->Count;
  }

  template <class T>
  void store(unsigned char* to, T value)
  {
    std::memcpy(to, &value, sizeof(T));
  }

  template <class T>
  void integer(unsigned char* to)
  {
    T value = 0;
    bool valid = false;
    if (std::is_signed<T>::value)
    {
      std::int64_t number = 0;
      valid = parseInteger(this->Token, number);
      value = static_cast<T>(number);
      valid = valid && static_cast<std::int64_t>(value) == number;
    }
    else
    {
      std::uint64_t number = 0;
      valid = parseUnsigned(this->Token, number);
      value = static_cast<T>(number);
      valid = valid && static_cast<std::uint64_t>(value) == number;
    }
    if (!valid)
    {
      this->fail();
    }
    this->store(to, value);
  }

  void convert(unsigned char* to)
  {
    double real = 0.0;
    switch (this->Type)
    {
      case VTK_SIGNED_CHAR:
        return this->integer<std::int8_t>(to);
      case VTK_UNSIGNED_CHAR:
        return this->integer<std::uint8_t>(to);
      case VTK_SHORT:
        return this->integer<std::int16_t>(to);
      case VTK_UNSIGNED_SHORT:
        return this->integer<std::uint16_t>(to);
      case VTK_INT:
        return this->integer<std::int32_t>(to);
      case VTK_UNSIGNED_INT:
        return this->integer<std::uint32_t>(to);
      case VTK_TYPE_INT64:
        return this->integer<std::int64_t>(to);
      case VTK_TYPE_UINT64:
        return this->integer<std::uint64_t>(to);
      case VTK_FLOAT:
        if (!parseReal(this->Token, real))
        {
          this->fail();
        }
        // beyond float's range is undefined for a plain cast
        return this->store(to,
          std::abs(real) > VTK_FLOAT_MAX && std::isfinite(real)
            ? std::copysign(
                std::numeric_limits<float>::infinity(), static_cast<float>(real > 0) - 0.5f)
            : static_cast<float>(real));
      default:
        if (!parseReal(this->Token, real))
        {
          this->fail();
        }
        return this->store(to, real);
    }
  }

  [[noreturn]] void fail()
  {
    throw FileError(this->Path + ": number " + std::to_string(this->Count - 1) +
      " of the text data is '" + this->Token + "', which does not fit the type of the voxels");
  }

  std::string Path;
  RawSource Raw;
  int Type;
  Index Size;
  std::string Token;
  Index Count = 0;
};

//----------------------------------------------------------------------------
void swapBytes(unsigned char* data, Index bytes, int size)
{
  for (Index i = 0; size > 1 && i + size <= bytes; i += size)
  {
    std::reverse(data + i, data + i + size);
  }
}

template <class T>
void scatter(const unsigned char* from, Index count, unsigned char* to, Index stride)
{
  for (Index i = 0; i < count; ++i)
  {
    std::memcpy(to + i * stride * static_cast<Index>(sizeof(T)),
      from + i * static_cast<Index>(sizeof(T)), sizeof(T));
  }
}

void scatterBySize(
  int size, const unsigned char* from, Index count, unsigned char* to, Index stride)
{
  switch (size)
  {
    case 1:
      return scatter<std::uint8_t>(from, count, to, stride);
    case 2:
      return scatter<std::uint16_t>(from, count, to, stride);
    case 4:
      return scatter<std::uint32_t>(from, count, to, stride);
    default:
      return scatter<std::uint64_t>(from, count, to, stride);
  }
}

// At the first voxel.
std::unique_ptr<ByteSource> openSource(const VoxelFile& file)
{
  std::unique_ptr<ByteSource> source;
  switch (file.encoding)
  {
    case Encoding::Raw:
      source.reset(new RawSource(file.path, file.offset));
      break;
    case Encoding::Gzip:
      source.reset(new GzipSource(file.path, file.offset));
      break;
    case Encoding::Text:
      source.reset(new TextSource(file));
      break;
  }
  source->skip(file.decodedSkip);
  return source;
}

} // namespace

//----------------------------------------------------------------------------
int VoxelFile::scalarSize() const
{
  switch (this->scalarType)
  {
    case VTK_SIGNED_CHAR:
    case VTK_UNSIGNED_CHAR:
      return 1;
    case VTK_SHORT:
    case VTK_UNSIGNED_SHORT:
      return 2;
    case VTK_INT:
    case VTK_UNSIGNED_INT:
    case VTK_FLOAT:
      return 4;
    case VTK_TYPE_INT64:
    case VTK_TYPE_UINT64:
    case VTK_DOUBLE:
      return 8;
    default:
      throw FileError(this->path + ": the type of the voxels is unknown");
  }
}

//----------------------------------------------------------------------------
Index VoxelFile::components() const
{
  return this->componentAxis < 0 ? 1 : this->sizes[static_cast<std::size_t>(this->componentAxis)];
}

//----------------------------------------------------------------------------
Box VoxelFile::whole() const
{
  const auto size = [this](int axis)
  {
    return this->spatialAxis[axis] < 0
      ? Index{ 1 }
      : this->sizes[static_cast<std::size_t>(this->spatialAxis[axis])];
  };
  return Box::ofSize(size(0), size(1), size(2));
}

//----------------------------------------------------------------------------
Index VoxelFile::decodedBytes() const
{
  Index bytes = this->scalarSize();
  for (const Index size : this->sizes)
  {
    bytes *= size;
  }
  return bytes;
}

//----------------------------------------------------------------------------
void VoxelFile::check() const
{
  // Every axis is either spatial or the component axis, in file order.
  int named = this->componentAxis >= 0 ? 1 : 0;
  int previous = -1;
  const int axes = static_cast<int>(this->sizes.size());
  for (const int axis : this->spatialAxis)
  {
    if (axis >= 0)
    {
      if (axis <= previous || axis >= axes || axis == this->componentAxis)
      {
        throw FileError(this->path + ": the axes are inconsistent");
      }
      previous = axis;
      ++named;
    }
  }
  if (named != axes || this->componentAxis >= axes || this->offset < 0 || this->decodedSkip < 0)
  {
    throw FileError(this->path + ": the axes or offsets are inconsistent");
  }

  Index bytes = this->scalarSize();
  for (const Index size : this->sizes)
  {
    if (size < 1 || size > VTK_INT_MAX)
    {
      throw FileError(this->path + ": an axis has the size " + std::to_string(size) + ", 1 to " +
        std::to_string(VTK_INT_MAX) + " is possible");
    }
    if (bytes > (Index{ 1 } << 62) / size)
    {
      throw FileError(this->path + ": the sizes of the axes amount to more than 2^62 bytes");
    }
    bytes *= size;
  }

  const Index available = fileLength(this->path) - this->offset;
  if (available < 0)
  {
    throw FileError(this->path + ": has " + std::to_string(available + this->offset) +
      " bytes, but its data is said to begin at byte " + std::to_string(this->offset));
  }
  bool enough = true;
  switch (this->encoding)
  {
    case Encoding::Raw:
      enough = this->decodedSkip <= available && bytes <= available - this->decodedSkip;
      break;
    case Encoding::Gzip:
      enough =
        bytes / BestCompression <= available && this->decodedSkip / BestCompression <= available;
      break;
    case Encoding::Text: // one digit and one separator each
      enough = bytes / this->scalarSize() <= (available + 1) / 2;
      break;
  }
  if (!enough)
  {
    throw FileError(this->path + ": " + std::to_string(bytes) +
      " bytes of voxels are announced, but " + std::to_string(available) + " bytes of " +
      (this->encoding == Encoding::Raw ? "data" : "encoded data") +
      " are in the file, which cannot hold them; is it incomplete?");
  }
}

//----------------------------------------------------------------------------
bool readVoxels(const VoxelFile& file, const Box& box, const Box& memory,
  const std::vector<VoxelTarget>& targets, const ReadProgress& progress)
{
  file.check();
  if (!file.whole().contains(box) || !memory.contains(box) ||
    static_cast<Index>(targets.size()) != file.components())
  {
    throw FileError(file.path + ": a part was asked for that the file does not have");
  }
  if (box.empty())
  {
    return true;
  }

  // What is wanted of every axis of the file, and the step in the targets (in voxels).
  const std::size_t axes = file.sizes.size();
  const int scalarSize = file.scalarSize();
  std::vector<Index> low(axes, 0);
  std::vector<Index> count(file.sizes);
  std::vector<Index> step(axes, 0);
  std::vector<bool> full(axes, true); // wanted in full, and nothing beside it in the memory
  Index voxelStep = 1;
  for (int a = 0; a < 3; ++a)
  {
    if (file.spatialAxis[a] >= 0)
    {
      const auto axis = static_cast<std::size_t>(file.spatialAxis[a]);
      low[axis] = box.lo[a];
      count[axis] = box.dim(a);
      step[axis] = voxelStep;
      full[axis] = count[axis] == file.sizes[axis] && box.dim(a) == memory.dim(a);
    }
    voxelStep *= memory.dim(a);
  }
  const Index firstVoxel = memory.offset(box.lo[0], box.lo[1], box.lo[2]);
  Index rowsSize = 1; // elements of all axes in the file, by axis
  std::vector<Index> fileStep(axes, 1);
  for (std::size_t axis = 0; axis < axes; ++axis)
  {
    fileStep[axis] = rowsSize;
    rowsSize *= file.sizes[axis];
  }

  // One component alone, or components that lie beside each other as in the file, need no
  // scattering.
  bool direct = targets[0].stride == static_cast<Index>(targets.size());
  for (std::size_t c = 0; c < targets.size(); ++c)
  {
    direct = direct && targets[c].stride == targets[0].stride &&
      targets[c].base ==
        static_cast<unsigned char*>(targets[0].base) + c * static_cast<std::size_t>(scalarSize);
  }
  direct = direct && (targets.size() == 1 || file.componentAxis == 0);

  // A run is what is contiguous in the file: the first axes, as long as those below are wanted in
  // full. If it must be scattered, it is kept below a megabyte as long as it has more than one
  // axis.
  std::size_t runAxes = 1;
  Index runSize = count[0];
  while (runAxes < axes && count[runAxes - 1] == file.sizes[runAxes - 1] &&
    (direct ? full[runAxes - 1] : runSize * count[runAxes] * scalarSize <= ReadAhead))
  {
    runSize *= count[runAxes];
    ++runAxes;
  }

  const std::unique_ptr<ByteSource> source = openSource(file);

  std::vector<unsigned char> buffer;
  if (!direct)
  {
    buffer.resize(static_cast<std::size_t>(runSize * scalarSize));
  }
  Index total = scalarSize;
  for (const Index n : count)
  {
    total *= n;
  }
  Index done = 0;
  Index nextReport = 0;
  const auto report = [&](Index bytes)
  {
    done += bytes;
    if (progress && done >= nextReport)
    {
      nextReport = done + ProgressStep;
      return progress(static_cast<double>(done) / static_cast<double>(total));
    }
    return true;
  };

  Index filePosition = 0; // in elements
  std::vector<Index> at(
    axes, 0); // position of the run within what is wanted; 0 on the run's own axes
  for (;;)
  {
    Index start = 0;
    Index voxel = firstVoxel;
    for (std::size_t axis = 0; axis < axes; ++axis)
    {
      start += (low[axis] + at[axis]) * fileStep[axis];
      voxel += at[axis] * step[axis];
    }
    source->skip((start - filePosition) * scalarSize);
    filePosition = start + runSize;

    if (direct)
    {
      unsigned char* to =
        static_cast<unsigned char*>(targets[0].base) + voxel * targets[0].stride * scalarSize;
      for (Index part = 0; part < runSize * scalarSize; part += ProgressStep)
      {
        const Index bytes = std::min(ProgressStep, runSize * scalarSize - part);
        source->read(to + part, bytes);
        if (file.swapBytes)
        {
          swapBytes(to + part, bytes, scalarSize);
        }
        if (!report(bytes))
        {
          return false;
        }
      }
    }
    else
    {
      source->read(buffer.data(), runSize * scalarSize);
      if (file.swapBytes)
      {
        swapBytes(buffer.data(), runSize * scalarSize, scalarSize);
      }
      // Rows of the run along the first axis. `at` is used as counter for the run's other axes,
      // too.
      const bool firstIsComponent = file.componentAxis == 0;
      for (Index row = 0; row < runSize; row += count[0])
      {
        Index rowVoxel = firstVoxel;
        for (std::size_t axis = 0; axis < axes; ++axis)
        {
          rowVoxel += at[axis] * step[axis];
        }
        const unsigned char* from = buffer.data() + row * scalarSize;
        if (firstIsComponent)
        {
          for (std::size_t c = 0; c < targets.size(); ++c)
          {
            std::memcpy(static_cast<unsigned char*>(targets[c].base) +
                rowVoxel * targets[c].stride * scalarSize,
              from + static_cast<Index>(c) * scalarSize, static_cast<std::size_t>(scalarSize));
          }
        }
        else
        {
          const std::size_t c = file.componentAxis < 0
            ? 0
            : static_cast<std::size_t>(at[static_cast<std::size_t>(file.componentAxis)]);
          scatterBySize(scalarSize, from, count[0],
            static_cast<unsigned char*>(targets[c].base) +
              rowVoxel * targets[c].stride * scalarSize,
            targets[c].stride);
        }
        for (std::size_t axis = 1; axis < runAxes; ++axis)
        {
          if (++at[axis] < count[axis])
          {
            break;
          }
          at[axis] = 0;
        }
      }
      if (!report(runSize * scalarSize))
      {
        return false;
      }
    }

    std::size_t axis = runAxes;
    while (axis < axes && ++at[axis] == count[axis])
    {
      at[axis] = 0;
      ++axis;
    }
    if (axis >= axes)
    {
      return true;
    }
  }
}

//----------------------------------------------------------------------------
bool scanVoxels(const VoxelFile& file,
  const std::function<void(const unsigned char*, Index, Index)>& visit,
  const ReadProgress& progress)
{
  file.check();
  const int scalarSize = file.scalarSize();
  const Index total = file.decodedBytes();
  const std::unique_ptr<ByteSource> source = openSource(file);
  std::vector<unsigned char> buffer(static_cast<std::size_t>(std::min(total, ReadAhead)));
  for (Index done = 0; done < total;)
  {
    const Index bytes = std::min(total - done, ReadAhead);
    source->read(buffer.data(), bytes);
    if (file.swapBytes)
    {
      swapBytes(buffer.data(), bytes, scalarSize);
    }
    visit(buffer.data(), done / scalarSize, bytes / scalarSize);
    done += bytes;
    if (progress && !progress(static_cast<double>(done) / static_cast<double>(total)))
    {
      return false;
    }
  }
  return true;
}

//----------------------------------------------------------------------------
std::vector<unsigned char> readStart(
  const std::string& path, std::size_t limit, bool& wasCompressed)
{
  fileLength(path); // a folder can be opened on some systems
  std::vector<unsigned char> bytes;
  const unsigned char* data = nullptr;
  RawSource raw(path, 0);
  const Index available = raw.peek(data);
  wasCompressed = available > 1 && data[0] == 0x1f && data[1] == 0x8b;
  if (!wasCompressed)
  {
    bytes.assign(data, data + std::min<Index>(available, static_cast<Index>(limit)));
    return bytes;
  }
  GzipSource gzip(path, 0);
  bytes.resize(limit);
  std::size_t used = 0;
  while (used < limit)
  {
    const Index got = gzip.readSome(bytes.data() + used, static_cast<Index>(limit - used));
    if (got == 0)
    {
      break;
    }
    used += static_cast<std::size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

//----------------------------------------------------------------------------
Index fileLength(const std::string& path)
{
  std::error_code error;
  const auto file = std::filesystem::u8path(path);
  if (!std::filesystem::exists(file, error))
  {
    throw FileError(path + ": there is no such file");
  }
  if (!std::filesystem::is_regular_file(file, error))
  {
    throw FileError(path + ": is not a regular file");
  }
  const auto length = std::filesystem::file_size(file, error);
  if (error)
  {
    throw FileError(path + ": its length cannot be found: " + error.message());
  }
  return static_cast<Index>(length);
}

//----------------------------------------------------------------------------
Index skipLines(const std::string& path, Index offset, Index lines)
{
  RawSource raw(path, offset);
  const unsigned char* data = nullptr;
  for (Index left = lines; left > 0;)
  {
    const Index available = raw.peek(data);
    if (available == 0)
    {
      throw FileError(path + ": " + std::to_string(lines) +
        " lines were to be skipped, there are " + std::to_string(lines - left));
    }
    Index used = 0;
    while (used < available && left > 0)
    {
      left -= data[used] == '\n' ? 1 : 0;
      ++used;
    }
    raw.skip(used);
    offset += used;
  }
  return offset;
}

} // namespace segcore
