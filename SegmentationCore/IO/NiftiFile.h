// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// NIfTI headers, versions 1 and 2, single file or header with .img, plain or gzip.
///
/// Written from the format's header definition (nifti1.h, nifti2.h of the NIfTI working group,
/// https://nifti.nimh.nih.gov). Geometry: the sform if its code is above 0, else the qform, else
/// (no geometry in the file) the voxel sizes alone along L, P, S, as ITK and Slicer do. NIfTI's
/// world is RAS already. Left-handed files (qfac -1, or an sform with a negative determinant) keep
/// their voxel order and get a left-handed direction matrix: nothing is flipped. Lengths in metres
/// or micrometres become millimetres. Time series are refused; a fifth dimension, or RGB, is
/// components.
#ifndef segcore_NiftiFile_h
#define segcore_NiftiFile_h

#include "SegmentationCoreIOModule.h"

#include "VolumeFile.h"

namespace segcore
{

/// Whether the (decompressed) first bytes of a file are a NIfTI or Analyze header; at least 348
/// needed.
SEGMENTATIONCOREIO_EXPORT bool looksLikeNifti(const std::vector<unsigned char>& start);

SEGMENTATIONCOREIO_EXPORT VolumeFile openNifti(const std::string& path);

} // namespace segcore

#endif
