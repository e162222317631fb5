// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Voxels arrive from their owners. Truth: each voxel is a function of its global index. Values that
// are not the owner's (ghosts, shared planes of higher ranks) are poisoned first, and must never be
// read.

#include "HaloExchange.h"
#include "ParallelTest.h"

using namespace paralleltest;
using segcore::AgreedError;
using segcore::Block;
using segcore::Request;
using segcore::VoxelArray;

namespace
{

const Box whole = { { -3, 5, 2 }, { 9, 15, 14 } };
constexpr short poison = -9999;

short truth(Index i, Index j, Index k)
{
  return static_cast<short>(noise(5, static_cast<std::uint64_t>(whole.offset(i, j, k))) % 1000);
}

bool isThree(short value)
{
  return value % 3 == 0;
}

/// The piece of this rank with right values where it owns voxels, and poison elsewhere.
std::vector<short> ownedPiece(const Distribution& d)
{
  return valuesOf<short>(d.piece(),
    [&](Index i, Index j, Index k)
    {
      for (const Block& block : d.localBlocks())
      {
        if (block.box.contains(i, j, k))
        {
          return truth(i, j, k);
        }
      }
      return poison;
    });
}

void testFetch(const Communicator& c, const Distribution& d, const std::string& context)
{
  const std::vector<short> piece = ownedPiece(d);
  for (const Index halo : { 0, 1, 4, 50 }) // 50: reaches over everything
  {
    for (const Index buffer : { Index{ 16 }, segcore::DefaultBufferBytes }) // 16: many messages
    {
      std::vector<std::vector<short>> values;
      std::vector<std::vector<std::uint8_t>> flags;
      std::vector<Request<short>> wanted;
      std::vector<Request<std::uint8_t>> wantedFlags;
      for (const Block& block : d.localBlocks())
      {
        const Box box = d.grown(block.box, halo);
        values.emplace_back(box.size(), poison);
        flags.emplace_back(box.size(), std::uint8_t{ 77 });
        wanted.emplace_back(box, values.back().data());
        wantedFlags.emplace_back(box, flags.back().data());
      }
      // Many small blocks with small messages take long without telling more.
      if (buffer == 16 && (halo > 1 || d.blocks().size() > 40))
      {
        continue;
      }
      segcore::fetchLabels(c, d, piece.data(), wanted, buffer);
      segcore::fetchMask(c, d, piece.data(), isThree, wantedFlags, buffer);
      // The same as bits, also into a larger block.
      std::vector<segcore::BitBlock> bits;
      for (const Request<short>& request : wanted)
      {
        bits.emplace_back(request.box.grown(halo % 3));
      }
      std::vector<segcore::BitRequest> wantedBits;
      for (std::size_t r = 0; r < bits.size(); ++r)
      {
        wantedBits.emplace_back(wanted[r].box, bits[r]);
      }
      segcore::fetchBits(c, d, piece.data(), isThree, wantedBits, buffer);
      for (std::size_t r = 0; r < bits.size(); ++r)
      {
        const Box& box = bits[r].box;
        bool right = true;
        for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
        {
          for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
          {
            for (Index i = box.lo[0]; i < box.lo[0] + 64 * bits[r].words; ++i)
            {
              const bool set = wanted[r].box.contains(i, j, k) && isThree(truth(i, j, k));
              right = right && bits[r].test(i, j, k) == set;
            }
          }
        }
        PARALLEL_CHECK(c, right, context + ", bits, halo " + std::to_string(halo));
      }
      for (std::size_t r = 0; r < wanted.size(); ++r)
      {
        const auto expected = valuesOf<short>(wanted[r].box, truth);
        PARALLEL_CHECK(c, values[r] == expected, context + ", halo " + std::to_string(halo));
        std::vector<std::uint8_t> expectedFlags;
        for (const short value : expected)
        {
          expectedFlags.push_back(isThree(value) ? 1 : 0);
        }
        PARALLEL_CHECK(
          c, flags[r] == expectedFlags, context + ", mask, halo " + std::to_string(halo));
      }
    }
  }
}

void testComplete(const Communicator& c, const Distribution& d, const std::string& context)
{
  const std::vector<short> expected = valuesOf<short>(d.piece(), truth);
  std::vector<short> piece = ownedPiece(d);
  segcore::completePiece(c, d, piece.data());
  PARALLEL_CHECK(c, piece == expected, context + ": in place");

  // Results in one array per block, each with a halo of its own that must not be read.
  std::vector<std::vector<short>> results;
  std::vector<VoxelArray<const short>> blocks;
  std::vector<VoxelArray<short>> writable;
  for (const Block& block : d.localBlocks())
  {
    const Box memory = block.box.grown(block.id % 3); // reaches beyond the whole image
    results.push_back(valuesOf<short>(memory, [&](Index i, Index j, Index k)
      { return block.box.contains(i, j, k) ? truth(i, j, k) : poison; }));
    blocks.emplace_back(memory, results.back().data());
    writable.emplace_back(memory, results.back().data());
  }
  piece.assign(piece.size(), poison);
  segcore::completePiece(c, d, blocks, piece.data());
  PARALLEL_CHECK(c, piece == expected, context + ": from blocks");

  segcore::refreshHalos(c, d, writable);
  for (std::size_t b = 0; b < results.size(); ++b)
  {
    const auto halo = valuesOf<short>(blocks[b].memory,
      [&](Index i, Index j, Index k) { return whole.contains(i, j, k) ? truth(i, j, k) : poison; });
    PARALLEL_CHECK(c, results[b] == halo, context + ": halo of block");
  }
}

void testRegion(const Communicator& c, const Distribution& d, const std::string& context)
{
  const std::vector<short> piece = ownedPiece(d);
  const Box region = { { -100, 6, 3 }, { 100, 9, 12 } };
  const Box inside = region.clipped(whole);
  const int root = c.size() - 1;
  std::vector<short> out(static_cast<std::size_t>(c.rank() == root ? inside.size() : 0), poison);
  segcore::regionToRank(c, d, piece.data(), region, out.data(), root);
  PARALLEL_CHECK(c, c.rank() != root || out == valuesOf<short>(inside, truth), context);
}

/// A mask large enough for several threads per message, from the first rank to the last.
void testLargeMask(const Communicator& c)
{
  const Box large = Box::ofSize(83, 79, 71); // no multiples of 64
  const auto value = [&large](Index i, Index j, Index k)
  { return static_cast<int>(noise(6, static_cast<std::uint64_t>(large.offset(i, j, k))) % 1000); };
  const auto odd = [](int v) { return v % 2 == 1; };
  const Distribution d(c, c.isRoot() ? large : Box());
  const std::vector<int> piece = valuesOf<int>(d.piece(), value);
  const Box wanted = c.rank() == c.size() - 1 ? large : Box();
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(wanted.size()));
  segcore::fetchMask(
    c, d, piece.data(), odd, std::vector<Request<std::uint8_t>>(1, { wanted, flags.data() }));
  PARALLEL_CHECK(c,
    flags ==
      valuesOf<std::uint8_t>(
        wanted, [&](Index i, Index j, Index k) { return odd(value(i, j, k)); }),
    "large mask");
}

/// No rank buffers more than it was told to.
void testBuffer(const Communicator& c)
{
  const Distribution d(c, pieceOf(Layout::SharedPlanes, whole, c.rank(), c.size()), 5);
  for (const Index limit : { 1, 7, 100, 1000 })
  {
    const segcore::FetchPlan plan(
      c, d, { whole, whole }, [](const Box& box) { return box.size(); }, limit, "");
    PARALLEL_CHECK(c, plan.buffer.size() <= limit, std::to_string(plan.buffer.size()) + " bytes");
    PARALLEL_CHECK(
      c, static_cast<int>(plan.pairs.size()) == c.size() - 1, "everyone asks everyone");
  }
}

template <class Work>
std::string errorOf(const Work& work)
{
  try
  {
    work();
  }
  catch (const AgreedError& error)
  {
    return error.what();
  }
  return {};
}

void testErrors(const Communicator& c, const Distribution& d)
{
  const std::vector<short> piece = ownedPiece(d);
  const bool last = c.rank() == c.size() - 1;
  std::vector<short> out(static_cast<std::size_t>(whole.grown(1).size()));

  const Box box = last ? whole.grown(1) : whole;
  std::string text = errorOf(
    [&] { segcore::fetchLabels<short>(c, d, piece.data(), { Request<short>(box, out.data()) }); });
  PARALLEL_CHECK(c, text.find("outside the whole image") != std::string::npos, text);

  short* missing = last ? nullptr : out.data();
  text = errorOf(
    [&] { segcore::fetchLabels<short>(c, d, piece.data(), { Request<short>(whole, missing) }); });
  PARALLEL_CHECK(c, text.find("does not store") != std::string::npos, text);

  // An exception on one rank in the middle of the exchange: all messages still pass, all ranks
  // know.
  const auto predicate = [&](short)
  {
    if (last)
    {
      throw std::runtime_error("broken predicate");
    }
    return true;
  };
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(whole.size()));
  const std::vector<Request<std::uint8_t>> wanted(1, { whole, flags.data() });
  text = errorOf([&] { segcore::fetchMask<short>(c, d, piece.data(), predicate, wanted); });
  const bool lastOwns = d.firstBlock(c.size() - 1) < d.firstBlock(c.size());
  PARALLEL_CHECK(c, (text.find("broken predicate") != std::string::npos) == lastOwns, text);
  PARALLEL_CHECK(c, c.allReduceSum(Index{ 1 }) == c.size(), "all ranks are still in step");
}

} // namespace

int TestHaloExchange(int argc, char* argv[])
{
  const World world(argc, argv);
  const Communicator& c = *world.communicator;
  for (const Layout layout : allLayouts)
  {
    for (const Index blocks : { 1, 3, 17 })
    {
      const std::string context =
        "layout " + std::to_string(static_cast<int>(layout)) + ", blocks " + std::to_string(blocks);
      const Distribution d(c, pieceOf(layout, whole, c.rank(), c.size()), blocks);
      testFetch(c, d, context);
      testComplete(c, d, context);
      testRegion(c, d, context);
      testErrors(c, d);
    }
  }
  testLargeMask(c);
  testBuffer(c);
  const Distribution nothing(c, Box());
  segcore::completePiece<short>(c, nothing, nullptr);
  return world.result();
}
