// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// A volume file of any format, opened: where its voxels are and how they lie in the world.
///
/// The world is RAS, millimetres: whatever the file says is converted here, once. The voxels stay
/// in the order of the file, so that voxel indices are those that Slicer and ITK show.
#ifndef segcore_VolumeFile_h
#define segcore_VolumeFile_h

#include "SegmentationCoreIOModule.h"

#include "VoxelFile.h"

#include <map>
#include <string>

namespace segcore
{

/// From voxel indices (i, j, k) to the world: spacing times direction in the first three columns,
/// the position of the first voxel in the last.
struct SEGMENTATIONCOREIO_EXPORT IndexToWorld
{
  double matrix[3][4] = { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 } };

  /// Lengths of the three columns.
  void spacing(double result[3]) const;
  /// Columns divided by their length, row by row as vtkImageData wants them.
  void direction(double result[9]) const;
  void origin(double result[3]) const;
  void setFrom(const double origin[3], const double spacing[3], const double direction[9]);
  /// World position of a voxel.
  void position(const double index[3], double result[3]) const;
  /// Throws FileError, beginning with `path`, if a number is not finite or the axes are in one
  /// plane.
  void check(const std::string& path) const;
};

struct VolumeFile
{
  VoxelFile voxels;
  IndexToWorld geometry;
  /// The value of a voxel is slope * stored + intercept. Only NIfTI has this.
  double slope = 1.0;
  double intercept = 0.0;
  /// NRRD's key/value pairs in UTF-8; empty for other formats.
  std::map<std::string, std::string> keyValues;
  /// First line of these that is not in UTF-8, and was taken for ISO 8859-1; 0: none.
  std::size_t firstLatin1Line = 0;

  bool rescales() const { return this->slope != 1.0 || this->intercept != 0.0; }
};

struct OpenOptions
{
  /// Follow a detached header to a data file outside the header's folder.
  bool allowDataFileElsewhere = false;
  /// A file that names no space, or one that is not anatomical, is RAS instead of LPS.
  bool unknownSpaceIsRAS = false;
};

/// Opens .nrrd, .nhdr, .nii, .nii.gz, .hdr with .img, by content. Throws FileError; nothing but the
/// header is read, and everything that the header promises is checked against the length of the
/// file.
SEGMENTATIONCOREIO_EXPORT VolumeFile openVolume(
  const std::string& path, const OpenOptions& options = OpenOptions());

/// Whether the file begins like one that openVolume reads. Never throws.
SEGMENTATIONCOREIO_EXPORT bool isVolume(const std::string& path);

/// Lower-case `path` ends with lower-case `ending`.
SEGMENTATIONCOREIO_EXPORT bool hasEnding(const std::string& path, const std::string& ending);

} // namespace segcore

#endif
