// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Reductions, byte exchanges and agreed errors. Expected values are closed formulas of rank and
// size.

#include "Message.h"
#include "ParallelTest.h"

#include <limits>
#include <set>

using namespace paralleltest;
using segcore::AgreedError;
using segcore::Bytes;

namespace
{

Bytes bytesFor(int from, int to, std::size_t count)
{
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i)
  {
    bytes[i] = static_cast<std::byte>(noise(static_cast<std::uint64_t>(from * 100 + to), i) & 255);
  }
  return bytes;
}

void testReductions(const Communicator& c)
{
  const Index n = c.size();
  const Index big = Index{ 1 } << 53; // not exact in double when 1 is added
  PARALLEL_CHECK(c, c.allReduceSum(big + 1) == n * (big + 1), "sum");
  PARALLEL_CHECK(c, c.allReduceMin(Index{ c.rank() }) == 0, "min");
  PARALLEL_CHECK(c, c.allReduceMax(Index{ c.rank() }) == n - 1, "max");
  PARALLEL_CHECK(c, c.allReduceMin(0.1 * (c.rank() + 1)) == 0.1 * 1, "min");
  PARALLEL_CHECK(c, c.allReduceMax(0.1 * (c.rank() + 1)) == 0.1 * c.size(), "max");
  const double infinity = std::numeric_limits<double>::infinity();
  PARALLEL_CHECK(c, c.allReduceMin(c.isRoot() ? 3.5 : infinity) == 3.5, "min beside empty ranks");

  // More values than one batch.
  std::vector<Index> values((std::size_t{ 1 } << 20) + 7);
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    values[i] = static_cast<Index>(i) + c.rank();
  }
  c.allReduceSum(values.data(), static_cast<Index>(values.size()));
  bool right = true;
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    right = right && values[i] == n * static_cast<Index>(i) + n * (n - 1) / 2;
  }
  PARALLEL_CHECK(c, right, "sums of an array");
  c.allReduceMax(static_cast<Index*>(nullptr), 0);
}

void testBytes(const Communicator& c)
{
  const auto size = [](int from)
  { return static_cast<std::size_t>(from % 3 == 1 ? 0 : 11 + from); };
  const std::vector<Bytes> all = c.allGather(bytesFor(c.rank(), 0, size(c.rank())));
  const std::vector<Bytes> some = c.gather(bytesFor(c.rank(), 0, size(c.rank())), c.size() - 1);
  PARALLEL_CHECK(c, static_cast<int>(all.size()) == c.size(), "allGather");
  PARALLEL_CHECK(c, some.size() == (c.rank() == c.size() - 1 ? all.size() : 0), "gather");
  for (int r = 0; r < c.size(); ++r)
  {
    PARALLEL_CHECK(c, all[r] == bytesFor(r, 0, size(r)), "allGather");
    PARALLEL_CHECK(c, some.empty() || some[r] == all[r], "gather");
  }
  PARALLEL_CHECK(c, c.allGather(Bytes())[0].empty(), "nothing at all");

  Bytes data = c.isRoot() ? bytesFor(7, 7, 1000) : Bytes(3);
  c.broadcast(data);
  PARALLEL_CHECK(c, data == bytesFor(7, 7, 1000), "broadcast");

  // Sizes from nothing to a few MB, so that both eager and rendezvous messages occur.
  for (int seed = 0; seed < 4; ++seed)
  {
    const auto count = [seed](int from, int to)
    {
      const auto pair = static_cast<std::uint64_t>(from * 64 + to);
      const std::uint64_t n = noise(static_cast<std::uint64_t>(seed), pair);
      return static_cast<std::size_t>(n % 3 == 0 ? 0 : n % 3 == 1 ? n % 100 : n % 3000000);
    };
    std::vector<Bytes> toRank(static_cast<std::size_t>(c.size()));
    for (int r = 0; r < c.size(); ++r)
    {
      toRank[r] = bytesFor(c.rank(), r, count(c.rank(), r));
    }
    const std::vector<Bytes> fromRank = c.exchange(std::move(toRank));
    for (int r = 0; r < c.size(); ++r)
    {
      PARALLEL_CHECK(c, fromRank[r] == bytesFor(r, c.rank(), count(r, c.rank())),
        "exchange, seed " + std::to_string(seed));
    }
  }
}

void testPartners(const Communicator& c)
{
  std::set<int> met;
  for (int round = 0; round < c.rounds(); ++round)
  {
    const int other = c.partner(round);
    const std::vector<Bytes> others =
      c.allGather(bytesFor(0, 0, static_cast<std::size_t>(other + 1)));
    if (other >= 0)
    {
      PARALLEL_CHECK(c, met.insert(other).second && other != c.rank(), "each partner once");
      PARALLEL_CHECK(
        c, static_cast<int>(others[other].size()) == c.rank() + 1, "it talks to me, too");
    }
  }
  PARALLEL_CHECK(c, static_cast<int>(met.size()) == c.size() - 1, "all partners");
}

void testErrors(const Communicator& c)
{
  const std::string prefix = c.size() > 1 ? "rank " + std::to_string(c.size() - 1) + ": " : "";
  const bool last = c.rank() == c.size() - 1;
  PARALLEL_CHECK(c, c.agree("").empty(), "no error");
  PARALLEL_CHECK(c, c.agree(last ? "late" : "") == prefix + "late", "error on one rank only");
  const std::string lowest = c.agree("mine is " + std::to_string(c.rank()));
  PARALLEL_CHECK(c, lowest == (c.size() > 1 ? "rank 0: mine is 0" : "mine is 0"), "lowest rank");
  PARALLEL_CHECK(c, c.agreeFlag(last) && !c.agreeFlag(false), "flags");

  const auto thrown = [&](auto&& work) { return c.guarded(work); };
  PARALLEL_CHECK(c, thrown([] {}).empty(), "nothing thrown");
  const std::string text = thrown(
    [&]
    {
      if (last)
      {
        throw std::runtime_error("broken");
      }
    });
  PARALLEL_CHECK(c, text == prefix + "broken", text);
  const std::string memory = thrown(
    [&]
    {
      if (last)
      {
        throw std::bad_alloc();
      }
    });
  PARALLEL_CHECK(c, memory == prefix + "out of memory", memory);
  const std::string agreed = thrown([] { throw AgreedError("as it is"); });
  PARALLEL_CHECK(c, agreed == "as it is", agreed);

  bool caught = false;
  try
  {
    c.require(last ? "stop" : "");
  }
  catch (const AgreedError& error)
  {
    caught = error.what() == prefix + "stop";
  }
  PARALLEL_CHECK(c, caught, "require throws on all ranks");
  PARALLEL_CHECK(c, c.allReduceSum(Index{ 1 }) == c.size(), "all ranks are still in step");
}

void testMessages(const Communicator& c)
{
  segcore::MessageWriter writer;
  writer.put(std::string("text"));
  writer.put(std::vector<Index>{ 1, -2 });
  writer.put(2.5);
  const Bytes bytes = writer.take();
  segcore::MessageReader reader(bytes);
  PARALLEL_CHECK(c, reader.getText() == "text", "message");
  PARALLEL_CHECK(c, reader.getArray<Index>() == (std::vector<Index>{ 1, -2 }), "message");
  PARALLEL_CHECK(c, reader.get<double>() == 2.5 && reader.atEnd(), "message");
  bool refused = false;
  try
  {
    reader.get<char>();
  }
  catch (const std::runtime_error&)
  {
    refused = true;
  }
  PARALLEL_CHECK(c, refused, "reading beyond the end");
}

} // namespace

int TestCommunicator(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  testReductions(c);
  testBytes(c);
  testPartners(c);
  testErrors(c);
  testMessages(c);

  const Communicator alone; // no controller at all
  PARALLEL_CHECK(c, alone.size() == 1 && alone.rank() == 0, "null controller");
  testReductions(alone);
  testBytes(alone);
  testErrors(alone);
  return world.result();
}
