// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// NRRD headers: parsing, with a limit on everything, and writing.
///
/// Written from the format's definition, http://teem.sourceforge.net/nrrd/format.html. Read are
/// versions NRRD0001 to NRRD0005, attached or detached data in one file, encodings raw, gzip (gz)
/// and text (txt, ascii), all types but `block`. Refused with a clear error: hex and bzip2, data in
/// several files, more than one axis that is not spatial, time series.
///
/// Space: RAS, LAS and LPS (long or short names, also with -time) are converted. Any other space,
/// or none, is taken as LPS, which is what ITK and Slicer do, unless the reader is told RAS. Where
/// a space is LPS by default, so are `spacings` and `axis mins`. An axis with cell centring, or
/// none said, begins half a voxel after its `axis min`, like in ITK.
///
/// A header comes from anywhere and is not trusted. Before anything is allocated: header at most 64
/// MiB, a million lines, 16 axes, sizes consistent with the file's length; a detached data file
/// must be in the header's own folder or below it (symbolic links followed) unless that is allowed
/// explicitly.
///
/// Errors are FileError: "path:line: what was found, what is needed".
#ifndef segcore_NrrdFile_h
#define segcore_NrrdFile_h

#include "SegmentationCoreIOModule.h"

#include "VolumeFile.h"

#include <string>
#include <utility>
#include <vector>

namespace segcore
{

struct SEGMENTATIONCOREIO_EXPORT NrrdHeader
{
  static constexpr std::size_t MaximumBytes = std::size_t{ 64 } << 20;
  static constexpr std::size_t MaximumLines = 1000000;
  static constexpr std::size_t MaximumAxes = 16;

  int version = 4;
  int scalarType = 0; ///< a VTK scalar type
  std::vector<Index> sizes;
  Encoding encoding = Encoding::Raw;
  bool littleEndian = true;
  std::string space;      ///< lower case; empty if none was said
  int spaceDimension = 0; ///< 0: neither space nor space dimension
  std::vector<std::vector<double>>
    spaceDirections; ///< by axis; empty vector: none. Empty: no such field
  std::vector<double> spaceOrigin;
  std::vector<double> spacings; ///< by axis; NaN: unknown. Empty: no such field
  std::vector<double> axisMins;
  std::vector<double> axisMaxs;
  std::vector<std::string> centers; ///< by axis, as in the file. Empty: no such field
  std::vector<std::string> kinds;
  std::string dataFile; ///< empty: attached
  Index lineSkip = 0;
  Index byteSkip = 0; ///< -1: the data is at the end of the file
  /// Pairs in the order of the file; of equal keys the last counts. In UTF-8: a line that is not is
  /// taken for ISO 8859-1.
  std::vector<std::pair<std::string, std::string>> keyValues;
  std::size_t firstLatin1Line = 0; ///< counted from 1; 0: none

  /// The header as text, with the empty line at its end. Needs scalarType, sizes, and, if there are
  /// space directions, a space. Throws std::invalid_argument otherwise.
  std::string toText() const;
};

/// Parses a header from the first bytes of a file. `path` is for messages only. `headerBytes`
/// receives the length of the header with its empty line, or 0 if the bytes end before an empty
/// line (fine for a detached header, where the file ends). Never reads outside the bytes.
SEGMENTATIONCOREIO_EXPORT NrrdHeader parseNrrdHeader(
  const std::string& bytes, const std::string& path, Index& headerBytes);

/// Reads a file's header and works out where its voxels are and how they lie in the world.
SEGMENTATIONCOREIO_EXPORT VolumeFile openNrrd(
  const std::string& path, const OpenOptions& options = OpenOptions());

/// Which axes are spatial, and the geometry: the part of openNrrd that needs no file.
SEGMENTATIONCOREIO_EXPORT void interpretNrrdAxes(
  const NrrdHeader& header, const std::string& path, bool unknownSpaceIsRAS, VolumeFile& volume);

} // namespace segcore

#endif
