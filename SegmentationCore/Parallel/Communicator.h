// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// The ranks of a computation: reductions, byte exchanges, and one word for an error.
///
/// Wraps a vtkMultiProcessController. No controller, a vtkDummyController, or one process all mean
/// "one rank": every call then works without any communication, so that the MPI-free wheel and a
/// laptop run the same code as a cluster.
///
/// Rules for callers
///   - "Collective" means: all ranks call it, in the same order, whatever their data. A rank that
///     holds nothing calls it too.
///   - Nobody returns early on an error of its own. Run local code inside guarded() (or hand a text
///     to agree() or require()), then all ranks take the same way out.
///   - A collective call of this layer that finds an error throws AgreedError, on all ranks alike,
///     after all messages were delivered. It is safe to catch it around several collective calls.
///
/// Sizes are 64 bits. Messages are cut below 2^30 bytes, as MPI counts are 32 bits. Only blocking
/// sends and receives are used, ordered by partner(), so no rank waits for one that waits for it.
/// Messages carry the tag 27181, away from those of VTK (1..16) and ParaView.

#ifndef segcoreCommunicator_h
#define segcoreCommunicator_h

#include "SegmentationCoreParallelModule.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

class vtkMultiProcessController;

namespace segcore
{

/// A message: bytes, to be written and read with MessageWriter and MessageReader.
using Bytes = std::vector<std::byte>;

/// An error that every rank throws at the same place with the same text.
class SEGMENTATIONCOREPARALLEL_EXPORT AgreedError : public std::runtime_error
{
public:
  explicit AgreedError(const std::string& text);
  AgreedError(const AgreedError&) = default;
  ~AgreedError() override;
};

class SEGMENTATIONCOREPARALLEL_EXPORT Communicator
{
public:
  /// The ranks of `controller`, which is not owned and must live longer. Null means one rank.
  explicit Communicator(vtkMultiProcessController* controller = nullptr);

  int rank() const { return this->Rank_; }
  int size() const { return this->Size_; }
  bool isRoot() const { return this->Rank_ == 0; }
  vtkMultiProcessController* controller() const { return this->Controller_; }

  /// @name Reductions
  /// Collective. The result is the same on all ranks, and exact: integers, or minimum and maximum
  /// of doubles (no NaN). There is no floating sum on purpose: it would depend on the split.
  /// The arrays are reduced element by element, in place; `count` must be equal on all ranks.
  /// @{
  void allReduceMin(std::int64_t* values, std::int64_t count) const;
  void allReduceMax(std::int64_t* values, std::int64_t count) const;
  void allReduceSum(std::int64_t* values, std::int64_t count) const;
  void allReduceMin(double* values, std::int64_t count) const;
  void allReduceMax(double* values, std::int64_t count) const;
  std::int64_t allReduceMin(std::int64_t value) const;
  std::int64_t allReduceMax(std::int64_t value) const;
  std::int64_t allReduceSum(std::int64_t value) const;
  double allReduceMin(double value) const;
  double allReduceMax(double value) const;
  /// @}

  /// Collective. Every rank gets the bytes of every rank, by rank; sizes may differ or be zero.
  std::vector<Bytes> allGather(const Bytes& local) const;

  /// Collective. Rank `root` gets the bytes of every rank, by rank; the others an empty vector.
  std::vector<Bytes> gather(const Bytes& local, int root = 0) const;

  /// Collective. `data` of rank `root` replaces that of all others.
  void broadcast(Bytes& data, int root = 0) const;

  /// Collective. Sends toRank[r] to rank r and returns what each rank sent here, by rank.
  /// toRank has size() entries; empty ones cost nothing, and the entry for this rank is only moved.
  /// One allgather of the non-zero sizes, then one message (or several below 2^30 bytes) per pair.
  std::vector<Bytes> exchange(std::vector<Bytes> toRank) const;

  /// Collective. Empty if `localError` is empty on all ranks. Otherwise the text of the lowest rank
  /// that has one, the same everywhere, with "rank r: " before it when there are several ranks.
  /// Costs one reduction of 8 bytes when all is well.
  std::string agree(const std::string& localError) const;

  /// Collective. True on all ranks if `flag` is true on any.
  bool agreeFlag(bool flag) const;

  /// Collective. Throws AgreedError with the text of agree(), unless that is empty.
  void require(const std::string& localError) const;

  /// Collective. Runs `work`, local code that makes no collective call, and agrees on its failure:
  /// the text of the exception that came out of the lowest failing rank, or an empty text.
  /// std::bad_alloc becomes "out of memory". AgreedError needs no further agreement; should `work`
  /// be a collective call after all, its text is returned as it is.
  template <class Work>
  std::string guarded(Work&& work) const
  {
    std::string error;
    try
    {
      work();
    }
    catch (const AgreedError& agreed)
    {
      return agreed.what();
    }
    catch (const std::bad_alloc&)
    {
      error = "out of memory";
    }
    catch (const std::exception& exception)
    {
      error = exception.what();
      error = error.empty() ? "unnamed error" : error;
    }
    catch (...)
    {
      error = "unknown error";
    }
    return this->agree(error);
  }

  /// Collective. As guarded(), but throws AgreedError on all ranks if any failed.
  template <class Work>
  void run(Work&& work) const
  {
    const std::string error = this->guarded(work);
    if (!error.empty())
    {
      throw AgreedError(error);
    }
  }

  /// @name Pairwise exchange
  /// For this layer alone. Rounds of a round-robin tournament: in round k, 0 <= k < rounds(), this
  /// rank talks to partner(k) only, which in turn talks to this rank, or idles if it is negative.
  /// Each pair meets exactly once. Within a pair the lower rank sends first. Both sides must know
  /// the number of bytes; a pair that has nothing to say calls neither send() nor receive().
  /// @{
  int rounds() const { return this->Size_ < 2 ? 0 : this->Size_ - 1 + this->Size_ % 2; }
  int partner(int round) const;
  void send(const std::byte* data, std::int64_t count, int toRank) const;
  void receive(std::byte* data, std::int64_t count, int fromRank) const;
  /// @}

private:
  vtkMultiProcessController* Controller_ = nullptr;
  int Rank_ = 0;
  int Size_ = 1;
};

} // namespace segcore

#endif
