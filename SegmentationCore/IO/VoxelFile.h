// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Voxels in a file, as any of the volume formats describe them, and reading a part of them.
///
/// Layout: the file holds a dense array, first axis fastest. Up to three axes are spatial (i, j, k
/// in this order), at most one, anywhere, counts components or layers. readVoxels() fetches a box
/// of voxels:
///
///   raw    seeks to what is wanted; what is not wanted is never read
///   gzip   decompresses from the start, keeps the wanted part, stops after it; 1.3 MB of extra
///   memory text   the same with numbers in ASCII
///
/// so that many ranks can each read their own part, and only one part is ever in memory.
///
/// All functions throw FileError, whose text begins with the file's path, on anything that is wrong
/// with a file, and let std::bad_alloc pass. No communication. Several threads may read one file.
#ifndef segcore_VoxelFile_h
#define segcore_VoxelFile_h

#include "SegmentationCoreIOModule.h"

#include "Box.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace segcore
{

/// Something is wrong with a file: "path: what was found, what is needed".
class SEGMENTATIONCOREIO_EXPORT FileError : public std::runtime_error
{
public:
  explicit FileError(const std::string& text);
  FileError(const FileError&) = default;
  ~FileError() override;
};

enum class Encoding
{
  Raw,
  Gzip,
  Text
};

struct SEGMENTATIONCOREIO_EXPORT VoxelFile
{
  std::string path;
  Encoding encoding = Encoding::Raw;
  Index offset = 0;      ///< bytes of the file before the (encoded) data
  Index decodedSkip = 0; ///< bytes of the decoded data before the first voxel
  int scalarType = 0;    ///< a VTK scalar type of 1, 2, 4 or 8 bytes
  bool swapBytes = false;

  std::vector<Index> sizes;            ///< of the file's axes, fastest first; each at least 1
  int componentAxis = -1;              ///< which axis counts components, -1 if none
  int spatialAxis[3] = { -1, -1, -1 }; ///< which axes are i, j, k; rising; -1: one voxel thick

  int scalarSize() const;
  Index components() const;
  /// The box of all voxels; the first one is (0, 0, 0).
  Box whole() const;
  /// Bytes of the decoded voxels. Only after check().
  Index decodedBytes() const;

  /// Throws unless the description is consistent, its products fit into 63 bits, axes fit into
  /// `int`, and the file is long enough: exactly known for raw; for gzip and text as long as their
  /// best possible compression allows. To be called before anything is allocated by these numbers.
  void check() const;
};

/// Where one component goes: the voxel with the number n in the box of the memory (x fastest) is
/// written to base + n * stride * scalarSize.
struct VoxelTarget
{
  void* base = nullptr;
  Index stride = 1;
};

/// Is told what part is done, 0 to 1, every 8 MB or so; returning false stops the reading.
using ReadProgress = std::function<bool(double)>;

/// Reads `box`, which must lie inside file.whole(), to arrays that store the box `memory`, which
/// contains it; other voxels of the arrays are left alone. `targets` has an entry per component.
/// Returns false if `progress` stopped it.
SEGMENTATIONCOREIO_EXPORT bool readVoxels(const VoxelFile& file, const Box& box, const Box& memory,
  const std::vector<VoxelTarget>& targets, const ReadProgress& progress = ReadProgress());

/// Hands all values of the file to `visit`, in the order of the file, a megabyte or so at a time:
/// the values in this machine's byte order, the number of the first one, and how many there are.
/// Returns false if `progress` stopped it.
SEGMENTATIONCOREIO_EXPORT bool scanVoxels(const VoxelFile& file,
  const std::function<void(const unsigned char*, Index, Index)>& visit,
  const ReadProgress& progress = ReadProgress());

/// Up to `limit` bytes from the start of a file, decompressed if it begins like gzip.
SEGMENTATIONCOREIO_EXPORT std::vector<unsigned char> readStart(
  const std::string& path, std::size_t limit, bool& wasCompressed);

/// Length of a file in bytes; throws if it is not there or is a folder.
SEGMENTATIONCOREIO_EXPORT Index fileLength(const std::string& path);

/// Offset of what follows `lines` line ends, counted from `offset`; throws if there are fewer.
SEGMENTATIONCOREIO_EXPORT Index skipLines(const std::string& path, Index offset, Index lines);

} // namespace segcore

#endif
