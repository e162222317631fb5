// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Whether kernels may use instructions beyond those that every processor of the platform has.
///
/// A kernel with two versions of an inner loop, one of them marked by a target attribute, asks once
/// per call. Both versions must give the same bits: this is for integers only. Tests switch the
/// wide ones off to run both on one machine.

#ifndef segcoreInstructions_h
#define segcoreInstructions_h

#include "SegmentationCoreKernelsModule.h"

// Not on Windows, where GCC's stack is not aligned for wide registers.
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__) && !defined(_WIN32)
#define SEGCORE_CHOOSES_WIDE
#endif

namespace segcore
{

/// True if the processor has AVX2, or AVX-512 with words and bytes, and nobody forbade it.
SEGMENTATIONCOREKERNELS_EXPORT bool useAvx2();
SEGMENTATIONCOREKERNELS_EXPORT bool useAvx512();
/// The same for AVX-512 that also compresses bytes (VBMI2) and counts ones (VPOPCNTDQ).
SEGMENTATIONCOREKERNELS_EXPORT bool useAvx512Bits();

/// Clears the upper halves of wide registers. Compilers do so after wide code of ours; libraries in
/// assembly may forget it, and then all narrow instructions of the thread, which keep those halves,
/// wait for each other (a third more time, until something clears them).
SEGMENTATIONCOREKERNELS_EXPORT void clearWideRegisters();

/// For tests; allowed at the start. Not while kernels run.
SEGMENTATIONCOREKERNELS_EXPORT void allowWideInstructions(bool allow);

} // namespace segcore

#endif
