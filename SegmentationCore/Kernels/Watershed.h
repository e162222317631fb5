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
/// Cubes of 32 voxels are flooded one by one, each from its markers and from what its neighbours'
/// faces are at, in memory that the processor's cache holds: wave by wave, a wave being all voxels
/// of one T, so that labels of a wave are final when the next one is found. A voxel is looked at
/// once for each of its faces. Of a flooded cube the faces alone are kept. One that has changed
/// wakes the cube beside it if that is flooded later than the change; the cube with the lowest
/// change is next. Cubes beside each other are never worked on at once, others are, by several
/// threads. In cubes the flood may come too late at first, and with wrong labels, but as each is
/// worked out anew from its faces, times fall to the solution, and labels follow. In a thin block
/// cubes are flat and wide.
///
/// Layout: x fastest, see Box.h. Scratch: 2 bytes per voxel (10 bytes for each voxel of a face of a
/// cube), 1 megabyte per thread; what the image needs comes on top. Errors: labels that wind over
/// more than 4,294,967,293 voxels of one level (std::overflow_error).
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

/// What is flooded: rows of voxels of one block. Called from several threads, for rows that do not
/// overlap where it writes.
class SEGMENTATIONCOREKERNELS_EXPORT WatershedImage
{
public:
  /// The level of a wall; others are below it.
  static constexpr std::uint16_t Wall = 65535;

  virtual ~WatershedImage();

  /// The levels of a row.
  virtual void readLevels(Index i, Index j, Index k, Index count, std::uint16_t* levels) const = 0;

  /// The markers of a row: their label, 1 or above; 0 for none, below it for a wall. Those on walls
  /// do nothing.
  virtual void readMarkers(Index i, Index j, Index k, Index count, std::int32_t* labels) const = 0;

  /// Receives the labels of a row, perhaps several times; the last time they are final. 0 where no
  /// label comes, and on walls.
  virtual void writeLabels(
    Index i, Index j, Index k, Index count, const std::int32_t* labels) const = 0;
};

class SEGMENTATIONCOREKERNELS_EXPORT Watershed
{
public:
  /// When and with which label a voxel is flooded. Label 0 is a voxel that is not.
  struct Flooded
  {
    std::uint32_t hops = ~std::uint32_t{ 0 };
    std::int32_t label = 0;
    std::uint16_t level = WatershedImage::Wall;
  };

  /// The block `target` of the image `whole`; `image` must live longer.
  Watershed(const Box& target, const Box& whole, const WatershedImage& image);
  ~Watershed();

  /// All markers are to be flooded from. Threads: yes.
  void start();

  /// Floods the target, with its surroundings as they are known. Threads: yes.
  void run(const Progress& progress = Progress());

  /// What the voxels of `part` are at, in raster order: they must all be on one face of the target,
  /// where the image goes on.
  void readFace(const Box& part, Flooded* out) const;

  /// Hears what the voxels of `part` are at, which lie next to the target on that side of that
  /// axis. Returns whether there is something to do: run().
  bool hear(int axis, bool upper, const Box& part, const Flooded* flooded);

  /// To be called at the end of all work: writes the labels of what nothing ever came to.
  void finish();

  /// How much of the target was flooded at least once: 0 to 1.
  double done() const;

  /// How many cubes there are, and how often one was flooded so far.
  Index cubes() const;
  Index visits() const;

private:
  class Implementation;
  std::unique_ptr<Implementation> Self;
};

} // namespace segcore

#endif
