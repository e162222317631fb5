// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// For sources that were written against Slicer's library: what it can be configured to have.
#ifndef vtkSegmentationCoreConfigure_h
#define vtkSegmentationCoreConfigure_h

/// Segment IDs can be UUIDs. Slicer's library needs GDCM for it; ours makes them itself.
#define vtkSegmentationCore_USE_UUID

#endif
