// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// What the tests of SegmentationCore/Parallel share: ranks, checks, ways to cut an image, random
/// numbers.
///
/// The same source runs serially, where "many blocks on one rank" stands in for ranks, and with
/// SEGMENTATIONCORE_TEST_MPI under `mpirun -np 1..4`. A test ends with `return world.result();`.
/// Truth: every rank can compute every voxel of an image from its global index (voxelNoise).

#ifndef ParallelTest_h
#define ParallelTest_h

#include "Communicator.h"
#include "Distribution.h"

#include "vtkDummyController.h"
#include "vtkNew.h"
#ifdef SEGMENTATIONCORE_TEST_MPI
#include "vtkMPIController.h"
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace paralleltest
{

using segcore::Box;
using segcore::Communicator;
using segcore::Distribution;
using segcore::Index;

inline int& failures()
{
  static int count = 0;
  return count;
}

/// The ranks for the time of a test.
class World
{
public:
  World(int argc, char* argv[])
  {
#ifdef SEGMENTATIONCORE_TEST_MPI
    this->Controller_->Initialize(&argc, &argv, 0);
#else
    (void)argc;
    (void)argv;
#endif
    this->communicator = std::make_unique<Communicator>(this->Controller_);
  }
  ~World()
  {
#ifdef SEGMENTATIONCORE_TEST_MPI
    this->Controller_->Finalize();
#endif
  }

  /// Collective. EXIT_SUCCESS on all ranks if no check failed on any.
  int result() const
  {
    return this->communicator->agreeFlag(failures() > 0) ? EXIT_FAILURE : EXIT_SUCCESS;
  }

  std::unique_ptr<Communicator> communicator;

private:
#ifdef SEGMENTATIONCORE_TEST_MPI
  vtkNew<vtkMPIController> Controller_;
#else
  vtkNew<vtkDummyController> Controller_;
#endif
};

/// A number that depends on `seed` and `n` only, the same on every platform (splitmix64).
inline std::uint64_t noise(std::uint64_t seed, std::uint64_t n)
{
  std::uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15u + n * 0xd1b54a32d192ed03u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Ways to hand the voxels of an image to the ranks.
enum class Layout
{
  SharedPlanes, ///< slabs across z that share a plane of points, as in ParaView
  GhostLayers,  ///< slabs across y with two ghost layers
  RootOnly,     ///< rank 0 holds everything
  LastOnly,     ///< the last rank holds everything, all others nothing
  AllHoldAll,   ///< every rank holds everything
  Irregular,    ///< slabs across x, shifted and enlarged at random on every axis
  // Boxes that are cut at random along random axes, go to the ranks in random order, and overlap at
  // random; others for each image.
  Random1,
  Random2,
  Random3
};

constexpr Layout allLayouts[] = { Layout::SharedPlanes, Layout::GhostLayers, Layout::RootOnly,
  Layout::LastOnly, Layout::AllHoldAll, Layout::Irregular, Layout::Random1, Layout::Random2,
  Layout::Random3 };

/// `count` boxes that cover the image, some of them perhaps without voxels.
inline void cutAtRandom(
  const Box& box, std::uint64_t seed, std::uint64_t& turn, int count, std::vector<Box>& boxes)
{
  if (count == 1)
  {
    boxes.push_back(box);
    return;
  }
  const int axis = static_cast<int>(noise(seed, ++turn) % 3);
  const int lower = 1 + static_cast<int>(noise(seed, ++turn) % static_cast<unsigned>(count - 1));
  Box first = box;
  Box second = box;
  const Index length = std::max<Index>(0, box.dim(axis));
  const auto cut = static_cast<Index>(noise(seed, ++turn) % static_cast<std::uint64_t>(length + 1));
  first.hi[axis] = box.lo[axis] + cut - 1;
  second.lo[axis] = box.lo[axis] + cut;
  cutAtRandom(first, seed, turn, lower, boxes);
  cutAtRandom(second, seed, turn, count - lower, boxes);
}

inline Box randomPiece(const Box& whole, std::uint64_t seed, int rank, int size)
{
  for (int a = 0; a < 3; ++a)
  {
    seed = noise(seed, static_cast<std::uint64_t>(1000 + whole.dim(a)));
  }
  std::uint64_t turn = 0;
  std::vector<Box> boxes;
  cutAtRandom(whole, seed, turn, size, boxes);
  std::vector<int> order;
  for (int r = 0; r < size; ++r)
  {
    const auto at = noise(seed, ++turn) % (order.size() + 1);
    order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), r);
  }
  Box piece = boxes[static_cast<std::size_t>(order[static_cast<std::size_t>(rank)])];
  if (!piece.empty())
  {
    turn += 10 * static_cast<std::uint64_t>(rank);
    for (int a = 0; a < 3; ++a)
    {
      piece.lo[a] -= static_cast<Index>(noise(seed, ++turn) % 3);
      piece.hi[a] += static_cast<Index>(noise(seed, ++turn) % 3);
    }
    piece = piece.clipped(whole);
  }
  return piece;
}

/// Slab number `rank` of `size` across an axis; neighbours share no voxel. May be empty.
inline Box slab(const Box& whole, int axis, int rank, int size)
{
  Box box = whole;
  box.lo[axis] = whole.lo[axis] + whole.dim(axis) * rank / size;
  box.hi[axis] = whole.lo[axis] + whole.dim(axis) * (rank + 1) / size - 1;
  return box;
}

inline Box pieceOf(Layout layout, const Box& whole, int rank, int size)
{
  Box piece;
  switch (layout)
  {
    case Layout::SharedPlanes:
      piece = slab(whole, 2, rank, size);
      piece.hi[2] = piece.empty() ? piece.hi[2] : std::min(whole.hi[2], piece.hi[2] + 1);
      break;
    case Layout::GhostLayers:
      piece = slab(whole, 1, rank, size).grown(2).clipped(whole);
      break;
    case Layout::RootOnly:
      piece = rank == 0 ? whole : Box();
      break;
    case Layout::LastOnly:
      piece = rank == size - 1 ? whole : Box();
      break;
    case Layout::AllHoldAll:
      piece = whole;
      break;
    case Layout::Irregular:
      // Even ranks from the left, odd ones from the right: neighbours in x are not neighbours in
      // rank.
      piece = slab(whole, 0, rank % 2 == 0 ? rank / 2 : size - 1 - rank / 2, size);
      if (!piece.empty())
      {
        piece.lo[0] -= static_cast<Index>(noise(91, static_cast<std::uint64_t>(rank)) % 5);
        piece.hi[0] += static_cast<Index>(noise(92, static_cast<std::uint64_t>(rank)) % 5);
        piece = piece.clipped(whole);
      }
      break;
    case Layout::Random1:
    case Layout::Random2:
    case Layout::Random3:
      piece = randomPiece(whole, static_cast<std::uint64_t>(layout), rank, size);
      break;
  }
  return piece;
}

/// The values of an image, given by a function of the global voxel index, in one box.
template <class T, class Value>
std::vector<T> valuesOf(const Box& box, const Value& value)
{
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(box.size()));
  if (box.empty())
  {
    return values;
  }
  for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
  {
    for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
    {
      for (Index i = box.lo[0]; i <= box.hi[0]; ++i)
      {
        values.push_back(static_cast<T>(value(i, j, k)));
      }
    }
  }
  return values;
}

inline void report(
  const char* file, int line, const std::string& what, const std::string& context, int rank)
{
  ++failures();
  if (failures() < 20)
  {
    std::cerr << file << ":" << line << ": rank " << rank << ": " << what << " [" << context
              << "]\n";
  }
}

} // namespace paralleltest

/// Counts and prints a failure without leaving the test: leaving alone would hang the other ranks.
/// `context` is any text: seed, layout, number of blocks.
#define PARALLEL_CHECK(communicator, condition, context)                                           \
  do                                                                                               \
  {                                                                                                \
    if (!(condition))                                                                              \
    {                                                                                              \
      paralleltest::report(__FILE__, __LINE__, #condition, context, (communicator).rank());        \
    }                                                                                              \
  } while (false)

#endif
