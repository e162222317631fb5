// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// PointExchange: numbers at points that several ranks need, and one of them computes.
///
/// Every point has a global key of 0 and more, the same on every rank that makes the point. The
/// lowest rank that makes a point owns it. A rank may also need points that it does not make. In
/// three collective steps:
///
///     PointExchange points(communicator, made);   // owned() says which of them are ours
///     points.need(keys);                          // everything that shall be known here
///     points.refresh(values, width);              // again and again
///
/// Cost: the constructor and need() send each key to the rank that keeps the directory of it (key
/// modulo ranks), and needed keys to their owners. refresh() sends each value once to each rank
/// that needs it. Memory: 16 bytes per key made, 8 per value sent or received. On one rank all
/// calls are free.

#ifndef segcorePointExchange_h
#define segcorePointExchange_h

#include "Box.h"
#include "Communicator.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace segcore
{

class SEGMENTATIONCOREPARALLEL_EXPORT PointExchange
{
public:
  /// Collective. `made` ascends and has no key twice.
  PointExchange(const Communicator& communicator, const std::vector<Index>& made);

  /// 1 for each of the keys made that this rank owns, else 0.
  const std::vector<std::uint8_t>& owned() const { return this->Owned; }

  /// Collective. The keys of all points that this rank knows, ascending, in the order of their
  /// values: those that it owns, and others that some rank makes. Throws AgreedError if nobody
  /// makes one.
  void need(const std::vector<Index>& keys);

  /// Collective. values[width * p ...] of each point p of need() that another rank owns becomes
  /// what the owner has.
  void refresh(double* values, int width) const;

private:
  std::vector<Bytes> send(const std::vector<std::vector<Index>>& toRank) const;
  std::size_t directoryOf(Index key) const;

  const Communicator& Comm;
  std::vector<std::uint8_t> Owned;
  std::vector<std::pair<Index, int>> Directory;   ///< Keys kept here, and their owners.
  std::vector<std::vector<std::size_t>> Sent;     ///< By rank: places of the values that it gets.
  std::vector<std::vector<std::size_t>> Received; ///< By rank: places of the values from it.
};

} // namespace segcore

#endif
