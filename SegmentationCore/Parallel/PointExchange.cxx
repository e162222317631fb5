// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "PointExchange.h"

#include "Message.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace segcore
{

std::size_t PointExchange::directoryOf(Index key) const
{
  return static_cast<std::size_t>(key % this->Comm.size());
}

std::vector<Bytes> PointExchange::send(const std::vector<std::vector<Index>>& toRank) const
{
  std::vector<Bytes> messages(toRank.size());
  this->Comm.run(
    [&]
    {
      for (std::size_t rank = 0; rank < toRank.size(); ++rank)
      {
        MessageWriter writer;
        writer.put(toRank[rank]);
        messages[rank] = writer.take();
      }
    });
  return this->Comm.exchange(std::move(messages));
}

PointExchange::PointExchange(const Communicator& communicator, const std::vector<Index>& made)
  : Comm(communicator)
{
  const std::size_t ranks = static_cast<std::size_t>(communicator.size());
  if (ranks == 1)
  {
    communicator.run([&] { this->Owned.assign(made.size(), 1); });
    return;
  }
  std::vector<std::vector<Index>> keys(ranks);
  communicator.run(
    [&]
    {
      for (const Index key : made)
      {
        keys[this->directoryOf(key)].push_back(key);
      }
    });
  const std::vector<Bytes> asked = this->send(keys);
  // The answer to each rank: whether it is the lowest one that has the key.
  std::vector<Bytes> answers(ranks);
  communicator.run(
    [&]
    {
      std::vector<std::vector<Index>> lists;
      for (std::size_t rank = 0; rank < ranks; ++rank)
      {
        lists.push_back(MessageReader(asked[rank]).getArray<Index>());
        for (const Index key : lists.back())
        {
          this->Directory.emplace_back(key, static_cast<int>(rank));
        }
      }
      std::sort(this->Directory.begin(), this->Directory.end());
      const auto last = std::unique(this->Directory.begin(), this->Directory.end(),
        [](const auto& a, const auto& b) { return a.first == b.first; });
      this->Directory.erase(last, this->Directory.end());
      for (std::size_t rank = 0; rank < ranks; ++rank)
      {
        auto entry = this->Directory.begin();
        for (const Index key : lists[rank])
        {
          entry = std::lower_bound(entry, this->Directory.end(), std::make_pair(key, 0));
          answers[rank].push_back(std::byte{ entry->second == static_cast<int>(rank) });
        }
      }
    });
  const std::vector<Bytes> owned = communicator.exchange(std::move(answers));
  communicator.run(
    [&]
    {
      std::vector<std::size_t> next(ranks, 0);
      for (const Index key : made)
      {
        const std::size_t rank = this->directoryOf(key);
        this->Owned.push_back(static_cast<std::uint8_t>(owned[rank][next[rank]++]));
      }
    });
}

void PointExchange::need(const std::vector<Index>& keys)
{
  const std::size_t ranks = static_cast<std::size_t>(this->Comm.size());
  if (ranks == 1)
  {
    return;
  }
  std::vector<std::vector<Index>> wanted(ranks);
  this->Comm.run(
    [&]
    {
      for (const Index key : keys)
      {
        wanted[this->directoryOf(key)].push_back(key);
      }
    });
  const std::vector<Bytes> asked = this->send(wanted);
  std::vector<Bytes> answers(ranks);
  this->Comm.run(
    [&]
    {
      for (std::size_t rank = 0; rank < ranks; ++rank)
      {
        std::vector<int> owners;
        auto entry = this->Directory.begin();
        for (const Index key : MessageReader(asked[rank]).getArray<Index>())
        {
          entry = std::lower_bound(entry, this->Directory.end(), std::make_pair(key, 0));
          if (entry == this->Directory.end() || entry->first != key)
          {
            throw std::runtime_error("no rank makes the point " + std::to_string(key));
          }
          owners.push_back(entry->second);
        }
        MessageWriter writer;
        writer.put(owners);
        answers[rank] = writer.take();
      }
    });
  const std::vector<Bytes> answered = this->Comm.exchange(std::move(answers));
  std::vector<std::vector<Index>> ordered(ranks);
  this->Received.assign(ranks, {});
  this->Comm.run(
    [&]
    {
      std::vector<std::vector<int>> owners;
      for (const Bytes& answer : answered)
      {
        owners.push_back(MessageReader(answer).getArray<int>());
      }
      std::vector<std::size_t> next(ranks, 0);
      for (std::size_t place = 0; place < keys.size(); ++place)
      {
        const std::size_t rank = this->directoryOf(keys[place]);
        const int owner = owners[rank][next[rank]++];
        if (owner != this->Comm.rank())
        {
          ordered[static_cast<std::size_t>(owner)].push_back(keys[place]);
          this->Received[static_cast<std::size_t>(owner)].push_back(place);
        }
      }
    });
  const std::vector<Bytes> orders = this->send(ordered);
  this->Sent.assign(ranks, {});
  this->Comm.run(
    [&]
    {
      for (std::size_t rank = 0; rank < ranks; ++rank)
      {
        auto found = keys.begin();
        for (const Index key : MessageReader(orders[rank]).getArray<Index>())
        {
          found = std::lower_bound(found, keys.end(), key);
          if (found == keys.end() || *found != key)
          {
            throw std::runtime_error("the owner does not know the point " + std::to_string(key));
          }
          this->Sent[rank].push_back(static_cast<std::size_t>(found - keys.begin()));
        }
      }
    });
}

void PointExchange::refresh(double* values, int width) const
{
  if (this->Comm.size() == 1)
  {
    return;
  }
  const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(double);
  const auto valueAt = [&](std::size_t place)
  { return values + place * static_cast<std::size_t>(width); };
  std::vector<Bytes> messages(this->Sent.size());
  this->Comm.run(
    [&]
    {
      for (std::size_t rank = 0; rank < messages.size(); ++rank)
      {
        messages[rank].resize(this->Sent[rank].size() * bytes);
        std::byte* to = messages[rank].data();
        for (const std::size_t place : this->Sent[rank])
        {
          std::memcpy(to, valueAt(place), bytes);
          to += bytes;
        }
      }
    });
  const std::vector<Bytes> received = this->Comm.exchange(std::move(messages));
  this->Comm.run(
    [&]
    {
      for (std::size_t rank = 0; rank < received.size(); ++rank)
      {
        if (received[rank].size() != this->Received[rank].size() * bytes)
        {
          throw std::runtime_error("a message has not the expected number of values");
        }
        const std::byte* from = received[rank].data();
        for (const std::size_t place : this->Received[rank])
        {
          std::memcpy(valueAt(place), from, bytes);
          from += bytes;
        }
      }
    });
}

} // namespace segcore
