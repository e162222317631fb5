// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Voxels that another block or rank owns: halos, masks, completed pieces, regions on one rank.
///
/// One primitive, fetch(): each rank asks for boxes anywhere in the whole image, and gets every
/// voxel from the block that owns it. So halos may be wider than a neighbour; ghost layers that
/// came with the input are never trusted; a rank may ask for nothing, for its piece, or for
/// everything.
///
///     fetchLabels      values as they are, from the pieces
///     fetchMask        predicate(value) as bytes 0 or 1; one bit per voxel on the wire
///     fetchBits        the same as bits
///     fetchFromBlocks  values as they are, from one array per local block
///     completePiece    after an effect: shared planes and ghost voxels from their owners, in place
///     refreshHalos     between the rounds of an iteration: the halo of every block, in place
///
/// A region on one rank: that rank requests it, all others request nothing (see regionToRank).
///
/// All of these are collective and throw AgreedError on all ranks alike, for example if a request
/// reaches outside the whole image (clip with Distribution::grown) or a local array is missing.
/// Values travel as bytes and arrive unchanged; the result does not depend on the distribution.
///
/// Cost: one allgather of 48 bytes per requested box, two reductions of 8 bytes, then per pair of
/// ranks with common voxels its voxels and nothing else. Voxels that stay on the rank are copied
/// straight from array to array, on all threads. Extra memory: one buffer of at most `bufferBytes`
/// (256 MiB) per rank, however much travels (one voxel at least), and 64 bytes per intersection of
/// a request with a block.

#ifndef segcoreHaloExchange_h
#define segcoreHaloExchange_h

#include "Buffer.h"
#include "Communicator.h"
#include "Distribution.h"
#include "VoxelTransfer.h"

#include <functional>
#include <type_traits>
#include <vector>

namespace segcore
{

constexpr Index DefaultBufferBytes = Index{ 256 } << 20;

/// Collective. Values of the requested boxes from the pieces. `piece` is this rank's array, which
/// stores distribution.piece(); it may be null where the piece is empty. The outputs must not
/// overlap `piece`.
template <class T>
void fetchLabels(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const std::vector<Request<T>>& requests, Index bufferBytes = DefaultBufferBytes);

/// Collective. 1 where predicate(value) holds, else 0. The predicate must be cheap, without side
/// effects, and safe to call from several threads; it runs where the voxel is owned.
template <class T, class Predicate>
void fetchMask(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const Predicate& predicate, const std::vector<Request<std::uint8_t>>& requests,
  Index bufferBytes = DefaultBufferBytes);

/// Collective. The same mask as bits. All other bits of the outputs become 0.
template <class T, class Predicate>
void fetchBits(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const Predicate& predicate, const std::vector<BitRequest>& requests,
  Index bufferBytes = DefaultBufferBytes);

/// Collective. As fetchLabels, but the values are in one array per local block, in the order of
/// distribution.localBlocks(). Each array stores its block or a larger box; only the block is read.
template <class T>
void fetchFromBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<const T>>& blocks, const std::vector<Request<T>>& requests,
  Index bufferBytes = DefaultBufferBytes);

/// Collective. `piece` is right at the voxels of this rank's blocks; afterwards it is right
/// everywhere.
template <class T>
void completePiece(const Communicator& communicator, const Distribution& distribution, T* piece,
  Index bufferBytes = DefaultBufferBytes);

/// Collective. Writes the results of this rank's blocks to `piece`, then the rest from its owners.
/// `blocks` as for fetchFromBlocks.
template <class T>
void completePiece(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<const T>>& blocks, T* piece, Index bufferBytes = DefaultBufferBytes);

/// Collective. blocks[b] stores the block localBlocks()[b] and any halo around it. Writes the halo
/// inside the whole image from the owners of its voxels; what lies outside the whole image is left
/// alone.
template <class T>
void refreshHalos(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<T>>& blocks, Index bufferBytes = DefaultBufferBytes);

/// Collective. The voxels of `region` (clipped to the whole image; equal on all ranks) to the array
/// `out` of rank `root`, which stores the clipped region. `out` is ignored elsewhere.
template <class T>
void regionToRank(const Communicator& communicator, const Distribution& distribution,
  const T* piece, const Box& region, T* out, int root = 0, Index bufferBytes = DefaultBufferBytes);

//----------------------------------------------------------------------------
// The primitive

/// Part of request number `request`, all of it owned by block number `block`.
struct Parcel
{
  Index block = 0;
  std::size_t request = 0;
  Box box;
};

/// Who sends what to whom. The same order on both sides: by request, then by block, then by
/// splitBox.
class SEGMENTATIONCOREPARALLEL_EXPORT FetchPlan
{
public:
  /// Consecutive parcels that travel together.
  struct Message
  {
    Index bytes = 0;
    std::vector<Parcel> parcels;
  };
  struct Pair
  {
    int rank = 0;
    std::vector<Message> send;
    std::vector<Message> receive;
  };

  /// Collective. `bytesOf` tells the size of a box in a message and must be the same on all ranks.
  /// `localError` is agreed on with the requests: any text makes all ranks throw AgreedError.
  FetchPlan(const Communicator& communicator, const Distribution& distribution,
    const std::vector<Box>& requests, const std::function<Index(const Box&)>& bytesOf,
    Index bufferBytes, const std::string& localError);

  std::vector<Parcel> local; ///< from own blocks to own requests
  std::vector<Pair> pairs;   ///< partners with common voxels, in the order of the rounds
  Buffer<std::byte> buffer;  ///< holds the largest message
};

/// Collective. Carries the values of `requests` from owners to askers with a `transfer`, which says
/// how:
///
///     // Size of a box in a message.
///     Index bytes(const Box&) const
///     // The owner: values to message.
///     void pack(const Block&, const Box&, std::byte* to) const
///     // The asker: and out again.
///     void unpack(std::size_t request, const Box&, const std::byte* from) const
///     // Both at once, on one rank.
///     void copy(const Block&, std::size_t request, const Box&) const
///
/// Boxes are inside the block and the request. An exception of the transfer does not break the
/// exchange; it is agreed on after the last message.
template <class Transfer>
void fetch(const Communicator& communicator, const Distribution& distribution,
  const std::vector<Box>& requests, const Transfer& transfer,
  Index bufferBytes = DefaultBufferBytes, const std::string& localError = std::string())
{
  FetchPlan plan(
    communicator, distribution, requests,
    [&transfer](const Box& box) { return transfer.bytes(box); }, bufferBytes, localError);
  const std::vector<Block>& blocks = distribution.blocks();
  std::byte* buffer = plan.buffer.data();

  std::string error;
  const auto attempt = [&error](auto&& work)
  {
    try
    {
      work();
    }
    catch (const std::exception& exception)
    {
      error = error.empty() ? std::string("exchange of voxels: ") + exception.what() : error;
    }
    catch (...)
    {
      error = error.empty() ? "exchange of voxels: unknown error" : error;
    }
  };
  attempt(
    [&]
    {
      for (const Parcel& parcel : plan.local)
      {
        transfer.copy(blocks[parcel.block], parcel.request, parcel.box);
      }
    });
  for (const FetchPlan::Pair& pair : plan.pairs)
  {
    const auto sendAll = [&]
    {
      for (const FetchPlan::Message& message : pair.send)
      {
        attempt(
          [&]
          {
            std::byte* to = buffer;
            for (const Parcel& parcel : message.parcels)
            {
              transfer.pack(blocks[parcel.block], parcel.box, to);
              to += transfer.bytes(parcel.box);
            }
          });
        communicator.send(buffer, message.bytes, pair.rank);
      }
    };
    const auto receiveAll = [&]
    {
      for (const FetchPlan::Message& message : pair.receive)
      {
        communicator.receive(buffer, message.bytes, pair.rank);
        attempt(
          [&]
          {
            const std::byte* from = buffer;
            for (const Parcel& parcel : message.parcels)
            {
              transfer.unpack(parcel.request, parcel.box, from);
              from += transfer.bytes(parcel.box);
            }
          });
      }
    };
    if (communicator.rank() < pair.rank)
    {
      sendAll();
      receiveAll();
    }
    else
    {
      receiveAll();
      sendAll();
    }
  }
  communicator.require(error);
}

//----------------------------------------------------------------------------
// The convenient forms

namespace detail
{

template <class T>
void fetchValues(const Communicator& communicator, const Distribution& distribution,
  const BlockSource<T>& source, const std::vector<Request<T>>& requests, Index bufferBytes)
{
  static_assert(std::is_trivially_copyable<T>::value, "voxels are plain values");
  const ValueTransfer<T> transfer{ source, requests };
  fetch(communicator, distribution, boxesOf(requests), transfer, bufferBytes,
    source.error().empty() ? requestError(requests) : source.error());
}

} // namespace detail

template <class T>
void fetchLabels(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const std::vector<Request<T>>& requests, Index bufferBytes)
{
  detail::fetchValues(
    communicator, distribution, detail::BlockSource<T>(distribution, piece), requests, bufferBytes);
}

template <class T, class Predicate>
void fetchMask(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const Predicate& predicate, const std::vector<Request<std::uint8_t>>& requests, Index bufferBytes)
{
  const detail::BlockSource<T> source(distribution, piece);
  const detail::MaskTransfer<T, Predicate> transfer(source, predicate, requests);
  fetch(communicator, distribution, detail::boxesOf(requests), transfer, bufferBytes,
    source.error().empty() ? detail::requestError(requests) : source.error());
}

template <class T, class Predicate>
void fetchBits(const Communicator& communicator, const Distribution& distribution, const T* piece,
  const Predicate& predicate, const std::vector<BitRequest>& requests, Index bufferBytes)
{
  const detail::BlockSource<T> source(distribution, piece);
  const detail::BitTransfer<T, Predicate> transfer(source, predicate, requests);
  std::vector<Box> boxes;
  std::string error = source.error();
  for (const BitRequest& request : requests)
  {
    boxes.push_back(request.box);
    request.out->clear();
    if (!request.out->box.contains(request.box))
    {
      error = "the bits of a request do not store the requested box";
    }
  }
  fetch(communicator, distribution, boxes, transfer, bufferBytes, error);
}

template <class T>
void fetchFromBlocks(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<const T>>& blocks, const std::vector<Request<T>>& requests,
  Index bufferBytes)
{
  detail::fetchValues(communicator, distribution, detail::BlockSource<T>(distribution, blocks),
    requests, bufferBytes);
}

template <class T>
void completePiece(
  const Communicator& communicator, const Distribution& distribution, T* piece, Index bufferBytes)
{
  std::vector<Box> owned;
  for (const Block& block : distribution.localBlocks())
  {
    owned.push_back(block.box);
  }
  std::vector<Request<T>> requests;
  for (const Box& box : subtractBoxes(distribution.piece(), owned))
  {
    requests.emplace_back(box, VoxelArray<T>(distribution.piece(), piece));
  }
  // Only owned voxels are read and only others are written, so one array may be both.
  fetchLabels<T>(communicator, distribution, piece, requests, bufferBytes);
}

template <class T>
void completePiece(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<const T>>& blocks, T* piece, Index bufferBytes)
{
  const detail::BlockSource<T> source(distribution, blocks);
  std::string error = source.error();
  if (error.empty() && !piece && !distribution.piece().empty())
  {
    error = "the array of the piece is missing";
  }
  communicator.require(error);
  communicator.run(
    [&]
    {
      for (const Block& block : distribution.localBlocks())
      {
        detail::copyVoxels(
          source.array(block), VoxelArray<T>(distribution.piece(), piece), block.box);
      }
    });
  completePiece(communicator, distribution, piece, bufferBytes);
}

template <class T>
void refreshHalos(const Communicator& communicator, const Distribution& distribution,
  const std::vector<VoxelArray<T>>& blocks, Index bufferBytes)
{
  std::vector<Request<T>> requests;
  const std::vector<Block>& local = distribution.localBlocks();
  for (std::size_t b = 0; b < std::min(blocks.size(), local.size()); ++b)
  {
    std::vector<Box> halo;
    subtractBox(blocks[b].memory.clipped(distribution.whole()), local[b].box, halo);
    for (const Box& box : halo)
    {
      requests.emplace_back(box, blocks[b]);
    }
  }
  const std::vector<VoxelArray<const T>> sources(blocks.begin(), blocks.end());
  fetchFromBlocks<T>(communicator, distribution, sources, requests, bufferBytes);
}

template <class T>
void regionToRank(const Communicator& communicator, const Distribution& distribution,
  const T* piece, const Box& region, T* out, int root, Index bufferBytes)
{
  std::vector<Request<T>> requests;
  if (communicator.rank() == root)
  {
    requests.emplace_back(region.clipped(distribution.whole()), out);
  }
  fetchLabels<T>(communicator, distribution, piece, requests, bufferBytes);
}

} // namespace segcore

#endif
