// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "HaloExchange.h"
#include "Message.h"

namespace segcore
{

namespace
{

/// Appends one parcel to the last message, or to a new one if it would grow beyond the buffer.
/// Parcels that are too large alone are cut first.
class MessageList
{
public:
  MessageList(const std::function<Index(const Box&)>& bytesOf, Index bufferBytes)
    : BytesOf_(bytesOf), BufferBytes_(std::max<Index>(1, bufferBytes))
  {
  }

  void add(std::vector<FetchPlan::Message>& messages, const Parcel& parcel) const
  {
    const Index bytes = this->BytesOf_(parcel.box);
    if (bytes <= this->BufferBytes_ || parcel.box.size() == 1)
    {
      this->append(messages, parcel, bytes);
      return;
    }
    const Index parts = (bytes + this->BufferBytes_ - 1) / this->BufferBytes_;
    for (const Box& box : splitBox(parcel.box, parts))
    {
      Parcel part = parcel;
      part.box = box;
      this->add(messages, part); // parts are not always equal, so one may have to be cut again
    }
  }

private:
  void append(std::vector<FetchPlan::Message>& messages, const Parcel& parcel, Index bytes) const
  {
    if (messages.empty() || messages.back().bytes + bytes > this->BufferBytes_)
    {
      messages.emplace_back();
    }
    messages.back().bytes += bytes;
    messages.back().parcels.push_back(parcel);
  }

  const std::function<Index(const Box&)>& BytesOf_;
  Index BufferBytes_;
};

Index largestMessage(const std::vector<FetchPlan::Message>& messages)
{
  Index largest = 0;
  for (const FetchPlan::Message& message : messages)
  {
    largest = std::max(largest, message.bytes);
  }
  return largest;
}

} // namespace

FetchPlan::FetchPlan(const Communicator& communicator, const Distribution& distribution,
  const std::vector<Box>& requests, const std::function<Index(const Box&)>& bytesOf,
  Index bufferBytes, const std::string& localError)
{
  std::string error = localError;
  for (std::size_t r = 0; error.empty() && r < requests.size(); ++r)
  {
    if (!distribution.whole().contains(requests[r]))
    {
      error = "request " + std::to_string(r) + " reaches outside the whole image";
    }
  }

  // What every rank wants, and whether it can go on, in one message.
  std::vector<Bytes> told;
  {
    MessageWriter writer;
    writer.put(error);
    writer.put(requests);
    told = communicator.allGather(writer.take());
  }
  for (int r = 0; r < communicator.size(); ++r)
  {
    const std::string text = MessageReader(told[r]).getText();
    if (!text.empty())
    {
      throw AgreedError(communicator.size() > 1 ? "rank " + std::to_string(r) + ": " + text : text);
    }
  }

  communicator.run(
    [&]
    {
      const int me = communicator.rank();
      const MessageList list(bytesOf, bufferBytes);
      std::vector<Pair> byRank(static_cast<std::size_t>(communicator.size()));

      // As asker: the blocks of all ranks against my requests.
      for (std::size_t r = 0; r < requests.size(); ++r)
      {
        for (const Block& block : distribution.blocks())
        {
          const Parcel parcel{ block.id, r, requests[r].intersect(block.box) };
          if (parcel.box.empty())
          {
            continue;
          }
          if (block.rank == me)
          {
            this->local.push_back(parcel);
          }
          else
          {
            list.add(byRank[block.rank].receive, parcel);
          }
        }
      }
      // As owner: my blocks against the requests of the others, in the order in which they see it.
      for (int asker = 0; asker < communicator.size(); ++asker)
      {
        if (asker == me || distribution.localBlocks().empty())
        {
          continue;
        }
        MessageReader reader(told[asker]);
        reader.getText();
        const std::vector<Box> wanted = reader.getArray<Box>();
        for (std::size_t r = 0; r < wanted.size(); ++r)
        {
          for (const Block& block : distribution.localBlocks())
          {
            const Parcel parcel{ block.id, r, wanted[r].intersect(block.box) };
            if (!parcel.box.empty())
            {
              list.add(byRank[asker].send, parcel);
            }
          }
        }
      }

      Index largest = 0;
      for (int round = 0; round < communicator.rounds(); ++round)
      {
        const int other = communicator.partner(round);
        if (other < 0 || (byRank[other].send.empty() && byRank[other].receive.empty()))
        {
          continue;
        }
        Pair& pair = byRank[other];
        pair.rank = other;
        largest = std::max({ largest, largestMessage(pair.send), largestMessage(pair.receive) });
        this->pairs.push_back(std::move(pair));
      }
      this->buffer = Buffer<std::byte>(largest);
    });
}

} // namespace segcore
