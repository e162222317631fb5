// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Watershed: floods a relief of 16-bit levels from labelled markers, over the 6 face neighbours,
/// until all basins meet; no voxels are left between them.
///
/// The time at which a voxel v is flooded is a pair T(v) = (level, hops), compared level first.
/// Markers have T = (f, 0), f being their own level. Of any other voxel, with u the neighbours of
/// the lowest T,
///
///     level(v) = max(f(v), level(u)),   hops(v) = level(v) == level(u) ? hops(u) + 1 : 0,
///     label(v) = the lowest label of these u.
///
/// So the level is the lowest pass that water from any marker must rise to, and hops count the way
/// over flat ground from where it came in. T grows strictly along each path, and a lower T(u) never
/// makes T(v) higher: there is one solution, whatever the order of work. It is that of the queue
/// of levels, in which voxels of a level are served in their turn, but for ties: there the lowest
/// label wins, not who was queued first. Voxels that no path reaches, and walls, have label 0.
///
/// There are two floods, over one array of 32 bits per voxel. The first one, WatershedPasses, finds
/// L = level(v) alone: the greater one of f(v) and the lowest L(u), f(v) at markers. The array
/// holds L and f. After that f is needed no more, and the second one, Watershed, replaces it by
/// hops. For it
///
///     T(v) = (L(v), 0) if the lowest L(u) is below L(v), else (L(v), hops(u) + 1),
///
/// with u as above. That is the same T: water comes from u where L(u) <= L(v), as there is no way
/// to v that is lower than its pass, and if L(u) < L(v), L(v) can only be f(v). So water enters a
/// voxel at its final level, or not at all.
///
/// Both numbers of T are one integer, the key: level * 2^b + hops. Then T(v) = max(L(v) * 2^b,
/// T(u) + 1). Key is std::uint32_t (b = 16) or std::uint64_t (b = 48); see overflowed().
///
/// Cubes of 32 voxels are flooded one by one, each from its markers and from the voxels around it,
/// in memory that the processor's cache holds; see CubeQueue.h. In a cube water rises level by
/// level; in the second flood wave by wave, a wave being all voxels of one T, so that labels of a
/// wave are final when the next one is found. What has changed at a face of a cube wakes the cube
/// beside it if something changes there; the cube with the earliest change is next, and only what
/// the change changes is flooded again: voxels that come earlier now, and those whose label was
/// that of another neighbour. The flood may come too late at first, and with a wrong label; times
/// fall to the solution, and labels follow. In a thin block cubes are flat and wide.
///
/// Layout: x fastest, see Box.h. Cost: some visits of each cube and flood, most of which change a
/// few voxels; each change looks at 6 neighbours. Scratch: the array, 4 bytes per voxel of the
/// block, in which the caller hands over the levels; 4 more with 64-bit keys; for voxels beside the
/// block's faces 12 bytes; 1 megabyte per thread.
///
/// Sources: F. Meyer, Topographic distance and watershed lines, Signal Processing 38(1), 1994,
/// doi:10.1016/0165-1684(94)90060-4 (queue of levels); J. Cousty, G. Bertrand, L. Najman, M.
/// Couprie, Watershed cuts: minimum spanning forests and the drop of water principle, IEEE TPAMI
/// 31(8), 2009, doi:10.1109/TPAMI.2008.173 (lowest passes).

#ifndef segcoreWatershed_h
#define segcoreWatershed_h

#include "Box.h"
#include "Progress.h"

#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <memory>

namespace segcore
{

/// The labels of a block, row by row. Called from several threads, which write other rows than
/// those that are read.
class SEGMENTATIONCOREKERNELS_EXPORT WatershedLabels
{
public:
  virtual ~WatershedLabels();

  /// The markers of a row: their label, 1 or above; 0 for none, below it for a wall. Those on walls
  /// of the relief do nothing.
  virtual void readMarkers(Index i, Index j, Index k, Index count, std::int32_t* labels) const = 0;

  /// Receives the labels of a row, 0 where there is none. All rows are written when the flood
  /// starts, and again when it comes.
  virtual void writeLabels(
    Index i, Index j, Index k, Index count, const std::int32_t* labels) const = 0;

  /// Gives back what was written last; where that was 0, anything that means the same when it is
  /// written.
  virtual void readLabels(Index i, Index j, Index k, Index count, std::int32_t* labels) const = 0;
};

/// The level of a wall; others are below it.
constexpr std::uint16_t WatershedWall = 65535;

/// The first flood: how high water must rise to come to each voxel.
class SEGMENTATIONCOREKERNELS_EXPORT WatershedPasses
{
public:
  /// What blocks tell each other of a voxel: its pass; that of a wall where there is none.
  using Message = std::uint16_t;

  /// The block `target` of the image `whole`. `relief` stores the target: levels of 16 bits as
  /// numbers of 32, which are replaced. `labels` has the rows of the target, of which the markers
  /// are read. Both must live longer.
  WatershedPasses(
    const Box& target, const Box& whole, std::uint32_t* relief, const WatershedLabels& labels);
  ~WatershedPasses();

  /// All markers are to be flooded from. To be called once. Threads: yes.
  void start();

  /// Floods the target, with its surroundings as they are known. Threads: yes.
  void run(const Progress& progress = Progress());

  /// What the voxels of `part` are at, in raster order: they must be in the target.
  void read(const Box& part, Message* out) const;

  /// Hears what the voxels of `part` are at, which lie next to the target on that side of that
  /// axis. Returns whether there is something to do: run().
  bool hear(int axis, bool upper, const Box& part, const Message* message);

  /// Leaves in the relief what Watershed begins with. Nothing else may follow. Threads: yes.
  void finish();

  /// How much of the target was flooded at least once: 0 to 1.
  double done() const;

  /// How many cubes there are, and how often one was worked on so far.
  Index cubes() const;
  Index visits() const;

private:
  class Implementation;
  std::unique_ptr<Implementation> Self;
};

/// The second flood: when, and from which marker, water comes to each voxel.
template <class Key>
class SEGMENTATIONCOREKERNELS_EXPORT Watershed
{
public:
  /// The digits of hops.
  static constexpr int HopBits = 8 * sizeof(Key) - 16;

  /// The key of what is not flooded; others are below it.
  static constexpr Key Never = (Key{ WatershedWall } << HopBits) - 1;

  /// When and with which label a voxel is flooded.
  struct Flooded
  {
    Key time = Never;
    std::int32_t label = 0;
  };
  using Message = Flooded;

  /// As WatershedPasses, which must have come to its end in all blocks: `passes` is the array that
  /// it has left, or that another flood of this kind has, which this one does not depend on.
  Watershed(
    const Box& target, const Box& whole, std::uint32_t* passes, const WatershedLabels& labels);
  ~Watershed();

  /// All markers are to be flooded from. To be called once. Threads: yes.
  void start();

  /// Floods the target, with its surroundings as they are known. Threads: yes.
  void run(const Progress& progress = Progress());

  /// What the voxels of `part` are at, in raster order: they must be in the target.
  void read(const Box& part, Message* out) const;

  /// Hears what the voxels of `part` are at, which lie next to the target on that side of that
  /// axis. Returns whether there is something to do: run().
  bool hear(int axis, bool upper, const Box& part, const Message* message);

  /// Whether somewhere the way over flat ground was longer than keys can count: then that voxel and
  /// what lies behind it is not flooded, or too late.
  bool overflowed() const;

  /// How much of the target was flooded at least once: 0 to 1.
  double done() const;

  /// How many cubes there are, and how often one was worked on so far.
  Index cubes() const;
  Index visits() const;

private:
  class Implementation;
  std::unique_ptr<Implementation> Self;
};

extern template class Watershed<std::uint32_t>;
extern template class Watershed<std::uint64_t>;

} // namespace segcore

#endif
