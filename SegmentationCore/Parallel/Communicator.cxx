// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "Communicator.h"
#include "Message.h"

#include <vtkCommunicator.h>
#include <vtkMultiProcessController.h>
#include <vtkType.h>

#include <algorithm>
#include <utility>

namespace segcore
{

namespace
{

/// Messages between a pair of ranks keep their order, so one tag is enough for all of them.
constexpr int Tag = 27181;

/// MPI counts are 32 bits, and some implementations fail well before 2^31 bytes.
constexpr std::int64_t LargestMessage = (std::int64_t(1) << 30) - 4096;

void check(int succeeded)
{
  if (!succeeded)
  {
    // Nothing can be agreed on when messages do not arrive.
    throw std::runtime_error("communication between ranks failed");
  }
}

template <class T, class Value>
void reduceInPlace(
  vtkMultiProcessController* controller, Value* values, std::int64_t count, int operation)
{
  static_assert(sizeof(T) == sizeof(Value), "the controller's type must have the same layout");
  constexpr std::int64_t batch = std::int64_t(1) << 20;
  std::vector<T> local(static_cast<std::size_t>(std::min(count, batch)));
  std::vector<T> global(local.size());
  for (std::int64_t done = 0; done < count; done += batch)
  {
    const std::int64_t now = std::min(batch, count - done);
    std::copy(values + done, values + done + now, local.begin());
    check(
      controller->AllReduce(local.data(), global.data(), static_cast<vtkIdType>(now), operation));
    std::copy(global.begin(), global.begin() + now, values + done);
  }
}

} // namespace

AgreedError::AgreedError(const std::string& text) : std::runtime_error(text) {}

AgreedError::~AgreedError() = default;

Communicator::Communicator(vtkMultiProcessController* controller)
{
  if (controller && controller->GetNumberOfProcesses() > 1)
  {
    this->Controller_ = controller;
    this->Rank_ = controller->GetLocalProcessId();
    this->Size_ = controller->GetNumberOfProcesses();
  }
}

//----------------------------------------------------------------------------
// Reductions

void Communicator::allReduceMin(std::int64_t* values, std::int64_t count) const
{
  if (this->Size_ > 1)
  {
    reduceInPlace<long long>(this->Controller_, values, count, vtkCommunicator::MIN_OP);
  }
}

void Communicator::allReduceMax(std::int64_t* values, std::int64_t count) const
{
  if (this->Size_ > 1)
  {
    reduceInPlace<long long>(this->Controller_, values, count, vtkCommunicator::MAX_OP);
  }
}

void Communicator::allReduceSum(std::int64_t* values, std::int64_t count) const
{
  if (this->Size_ > 1)
  {
    reduceInPlace<long long>(this->Controller_, values, count, vtkCommunicator::SUM_OP);
  }
}

void Communicator::allReduceMin(double* values, std::int64_t count) const
{
  if (this->Size_ > 1)
  {
    reduceInPlace<double>(this->Controller_, values, count, vtkCommunicator::MIN_OP);
  }
}

void Communicator::allReduceMax(double* values, std::int64_t count) const
{
  if (this->Size_ > 1)
  {
    reduceInPlace<double>(this->Controller_, values, count, vtkCommunicator::MAX_OP);
  }
}

std::int64_t Communicator::allReduceMin(std::int64_t value) const
{
  this->allReduceMin(&value, 1);
  return value;
}

std::int64_t Communicator::allReduceMax(std::int64_t value) const
{
  this->allReduceMax(&value, 1);
  return value;
}

std::int64_t Communicator::allReduceSum(std::int64_t value) const
{
  this->allReduceSum(&value, 1);
  return value;
}

double Communicator::allReduceMin(double value) const
{
  this->allReduceMin(&value, 1);
  return value;
}

double Communicator::allReduceMax(double value) const
{
  this->allReduceMax(&value, 1);
  return value;
}

//----------------------------------------------------------------------------
// Point to point

int Communicator::partner(int round) const
{
  // The circle method: with an even number m of players, m-1 of them sit on a circle and meet when
  // their numbers add up to the round (modulo m-1); the last player meets the one left alone.
  // An odd number of ranks gets an imaginary last player, whose partner idles.
  const int circle = this->rounds();
  if (circle == 0)
  {
    return -1;
  }
  int other;
  if (this->Rank_ == circle)
  {
    // 2 * other == round (modulo circle), and (circle + 1) / 2 is the inverse of 2.
    other = static_cast<int>(static_cast<std::int64_t>(round) * ((circle + 1) / 2) % circle);
  }
  else
  {
    other = (round - this->Rank_ + circle) % circle;
    other = other == this->Rank_ ? circle : other;
  }
  return other < this->Size_ ? other : -1;
}

void Communicator::send(const std::byte* data, std::int64_t count, int toRank) const
{
  for (std::int64_t done = 0; done < count; done += LargestMessage)
  {
    const std::int64_t now = std::min(LargestMessage, count - done);
    check(this->Controller_->Send(reinterpret_cast<const unsigned char*>(data + done),
      static_cast<vtkIdType>(now), toRank, Tag));
  }
}

void Communicator::receive(std::byte* data, std::int64_t count, int fromRank) const
{
  for (std::int64_t done = 0; done < count; done += LargestMessage)
  {
    const std::int64_t now = std::min(LargestMessage, count - done);
    check(this->Controller_->Receive(
      reinterpret_cast<unsigned char*>(data + done), static_cast<vtkIdType>(now), fromRank, Tag));
  }
}

//----------------------------------------------------------------------------
// Bytes between all

std::vector<Bytes> Communicator::allGather(const Bytes& local) const
{
  std::vector<Bytes> all(static_cast<std::size_t>(this->Size_));
  if (this->Size_ == 1)
  {
    all[0] = local;
    return all;
  }
  const long long mine = static_cast<long long>(local.size());
  std::vector<long long> sizes(all.size());
  check(this->Controller_->AllGather(&mine, sizes.data(), 1));

  std::vector<vtkIdType> lengths(all.size()), offsets(all.size());
  vtkIdType total = 0;
  for (std::size_t r = 0; r < all.size(); ++r)
  {
    lengths[r] = static_cast<vtkIdType>(sizes[r]);
    offsets[r] = total;
    total += lengths[r];
  }
  if (total == 0)
  {
    return all;
  }
  if (total <= LargestMessage)
  {
    std::vector<unsigned char> joined(static_cast<std::size_t>(total));
    // A pointer must be valid even where nothing is sent.
    const unsigned char nothing = 0;
    const auto* from =
      local.empty() ? &nothing : reinterpret_cast<const unsigned char*>(local.data());
    check(this->Controller_->AllGatherV(
      from, joined.data(), lengths[this->Rank_], lengths.data(), offsets.data()));
    for (std::size_t r = 0; r < all.size(); ++r)
    {
      const auto* first = reinterpret_cast<const std::byte*>(joined.data()) + offsets[r];
      all[r].assign(first, first + lengths[r]);
    }
    return all;
  }
  // Beyond the reach of 32-bit counts: each rank's bytes in turn.
  all[this->Rank_] = local;
  for (int r = 0; r < this->Size_; ++r)
  {
    this->broadcast(all[r], r);
  }
  return all;
}

std::vector<Bytes> Communicator::gather(const Bytes& local, int root) const
{
  if (this->Size_ == 1)
  {
    return std::vector<Bytes>(1, local);
  }
  const long long mine = static_cast<long long>(local.size());
  std::vector<long long> sizes(static_cast<std::size_t>(this->Size_));
  check(this->Controller_->AllGather(&mine, sizes.data(), 1));
  if (this->Rank_ != root)
  {
    this->send(local.data(), mine, root);
    return {};
  }
  std::vector<Bytes> all(sizes.size());
  for (int r = 0; r < this->Size_; ++r)
  {
    if (r == root)
    {
      all[r] = local;
      continue;
    }
    all[r].resize(static_cast<std::size_t>(sizes[r]));
    this->receive(all[r].data(), sizes[r], r);
  }
  return all;
}

void Communicator::broadcast(Bytes& data, int root) const
{
  if (this->Size_ == 1)
  {
    return;
  }
  long long count = static_cast<long long>(data.size());
  check(this->Controller_->Broadcast(&count, 1, root));
  data.resize(static_cast<std::size_t>(count));
  for (std::int64_t done = 0; done < count; done += LargestMessage)
  {
    const std::int64_t now = std::min<std::int64_t>(LargestMessage, count - done);
    check(this->Controller_->Broadcast(
      reinterpret_cast<unsigned char*>(data.data() + done), static_cast<vtkIdType>(now), root));
  }
}

std::vector<Bytes> Communicator::exchange(std::vector<Bytes> toRank) const
{
  toRank.resize(static_cast<std::size_t>(this->Size_));
  std::vector<Bytes> fromRank(toRank.size());
  fromRank[this->Rank_] = std::move(toRank[this->Rank_]);
  if (this->Size_ == 1)
  {
    return fromRank;
  }

  // Who sends how much to whom: only the pairs that do, not the full square table.
  struct Announcement
  {
    std::int64_t to;
    std::int64_t count;
  };
  MessageWriter writer;
  std::vector<Announcement> mine;
  for (int r = 0; r < this->Size_; ++r)
  {
    if (r != this->Rank_ && !toRank[r].empty())
    {
      mine.push_back({ r, static_cast<std::int64_t>(toRank[r].size()) });
    }
  }
  writer.put(mine);
  const std::vector<Bytes> announced = this->allGather(writer.take());
  this->run(
    [&]
    {
      for (int r = 0; r < this->Size_; ++r)
      {
        for (const Announcement& a : MessageReader(announced[r]).getArray<Announcement>())
        {
          if (a.to == this->Rank_)
          {
            fromRank[r].resize(static_cast<std::size_t>(a.count));
          }
        }
      }
    });

  for (int round = 0; round < this->rounds(); ++round)
  {
    const int other = this->partner(round);
    if (other < 0)
    {
      continue;
    }
    const auto sendNow = [&]
    {
      this->send(toRank[other].data(), static_cast<std::int64_t>(toRank[other].size()), other);
      Bytes().swap(toRank[other]);
    };
    if (this->Rank_ < other)
    {
      sendNow();
    }
    this->receive(fromRank[other].data(), static_cast<std::int64_t>(fromRank[other].size()), other);
    if (this->Rank_ > other)
    {
      sendNow();
    }
  }
  return fromRank;
}

//----------------------------------------------------------------------------
// Errors

std::string Communicator::agree(const std::string& localError) const
{
  if (this->Size_ == 1)
  {
    return localError;
  }
  const std::int64_t nobody = this->Size_;
  const std::int64_t first = this->allReduceMin(localError.empty() ? nobody : this->Rank_);
  if (first == nobody)
  {
    return {};
  }
  MessageWriter writer;
  writer.put(localError);
  Bytes text = writer.take();
  this->broadcast(text, static_cast<int>(first));
  return "rank " + std::to_string(first) + ": " + MessageReader(text).getText();
}

bool Communicator::agreeFlag(bool flag) const
{
  return this->allReduceMax(std::int64_t(flag ? 1 : 0)) != 0;
}

void Communicator::require(const std::string& localError) const
{
  const std::string error = this->agree(localError);
  if (!error.empty())
  {
    throw AgreedError(error);
  }
}

} // namespace segcore
