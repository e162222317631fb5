// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "ReduceTable.h"
#include "Message.h"

#include <algorithm>

namespace segcore
{

namespace
{

/// Entries of all ranks from which labels are added up by an owner before all ranks get them.
constexpr Index ManyEntries = Index{ 1 } << 16;

/// The rank that adds up a label: neighbouring labels go to different ranks.
std::size_t ownerOf(Index label, int ranks)
{
  std::uint64_t mixed = static_cast<std::uint64_t>(label) * 0x9e3779b97f4a7c15u;
  mixed ^= mixed >> 32;
  return static_cast<std::size_t>(mixed % static_cast<std::uint64_t>(ranks));
}

std::vector<LabelSum> joinTables(const std::vector<Bytes>& messages)
{
  std::vector<LabelSum> table;
  for (const Bytes& message : messages)
  {
    if (!message.empty())
    {
      const std::vector<LabelSum> part = MessageReader(message).getArray<LabelSum>();
      table.insert(table.end(), part.begin(), part.end());
    }
  }
  sumByLabel(table);
  return table;
}

} // namespace

void sumByLabel(std::vector<LabelSum>& table)
{
  std::sort(table.begin(), table.end(),
    [](const LabelSum& a, const LabelSum& b) { return a.label < b.label; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < table.size(); ++i)
  {
    if (kept > 0 && table[kept - 1].label == table[i].label)
    {
      table[kept - 1].count += table[i].count;
    }
    else
    {
      table[kept++] = table[i];
    }
  }
  table.resize(kept);
}

std::vector<LabelSum> reduceTable(const Communicator& communicator, std::vector<LabelSum> local)
{
  sumByLabel(local);
  if (communicator.size() == 1)
  {
    return local;
  }
  const Index entries = communicator.allReduceSum(static_cast<Index>(local.size()));
  if (entries >= ManyEntries)
  {
    std::vector<Bytes> toRank(static_cast<std::size_t>(communicator.size()));
    communicator.run(
      [&]
      {
        std::vector<std::vector<LabelSum>> parts(toRank.size());
        for (const LabelSum& entry : local)
        {
          parts[ownerOf(entry.label, communicator.size())].push_back(entry);
        }
        for (std::size_t r = 0; r < parts.size(); ++r)
        {
          if (!parts[r].empty())
          {
            MessageWriter writer;
            writer.put(parts[r]);
            toRank[r] = writer.take();
          }
        }
      });
    const std::vector<Bytes> received = communicator.exchange(std::move(toRank));
    communicator.run([&] { local = joinTables(received); });
  }
  MessageWriter writer;
  communicator.run([&] { writer.put(local); });
  const std::vector<Bytes> all = communicator.allGather(writer.take());
  communicator.run([&] { local = joinTables(all); });
  return local;
}

void reduceHistogram(const Communicator& communicator, std::vector<Index>& bins)
{
  Index range[2] = { -static_cast<Index>(bins.size()), static_cast<Index>(bins.size()) };
  communicator.allReduceMax(range, 2);
  if (-range[0] != range[1])
  {
    throw AgreedError("histograms of " + std::to_string(-range[0]) + " and of " +
      std::to_string(range[1]) + " bins cannot be added up");
  }
  communicator.allReduceSum(bins.data(), static_cast<Index>(bins.size()));
}

} // namespace segcore
