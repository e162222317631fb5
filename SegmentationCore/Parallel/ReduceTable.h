// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Sums of sparse tables over all ranks: voxels per label, sizes of components, and the like.
///
/// Sums are 64-bit integers, so the result does not depend on the number of ranks or blocks.
/// Cost: small tables are gathered by all ranks (16 bytes per entry of all ranks). From 2^16
/// entries in all, each label has one rank that adds it up first: then every rank sends its entries
/// once and receives each label of the result once.

#ifndef segcoreReduceTable_h
#define segcoreReduceTable_h

#include "Box.h"
#include "Communicator.h"

#include <vector>

namespace segcore
{

struct LabelSum
{
  Index label = 0;
  Index count = 0;
};

inline bool operator==(const LabelSum& a, const LabelSum& b)
{
  return a.label == b.label && a.count == b.count;
}

/// Local. Sorts by label and adds up entries with equal labels.
SEGMENTATIONCOREPARALLEL_EXPORT void sumByLabel(std::vector<LabelSum>& table);

/// Collective. The sum of the tables of all ranks, sorted by label, on all ranks. The entries of
/// `local` may have any order, and labels may be repeated. Entries that add up to 0 stay.
SEGMENTATIONCOREPARALLEL_EXPORT std::vector<LabelSum> reduceTable(
  const Communicator& communicator, std::vector<LabelSum> local);

/// Collective. Adds up a histogram bin by bin, in place. Throws AgreedError if the numbers of bins
/// of the ranks differ; a rank without data brings as many zeros.
SEGMENTATIONCOREPARALLEL_EXPORT void reduceHistogram(
  const Communicator& communicator, std::vector<Index>& bins);

} // namespace segcore

#endif
