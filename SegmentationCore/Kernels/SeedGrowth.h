// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// SeedGrowth: which seed reaches a voxel at the lowest cost, over paths of 26 neighbours.
///
/// Everything is an integer. A voxel has a level (see SeedGrowthLevels); a step between neighbours
/// u and v costs |level(u) - level(v)| + stepCost, where the latter depends on the direction alone.
/// A path costs the sum of its steps, and begins at a seed. The result at a voxel is
///
///     the lexicographic minimum of (cost of the path, label of its seed)
///
/// over all paths to it. Seeds keep their label, and walls are never entered. This minimum is one
/// well-defined pair, so the result depends neither on the order of work, nor on threads, nor on
/// how an image is cut. Ties go to the lowest label.
///
/// Both numbers are one integer, the key: cost * 2^labelBits + label. As costs are not negative and
/// adding the same cost to two keys keeps their order, the minimum is the only fixed point of
/// "take the lowest of your own key and those of your neighbours plus the step", however the steps
/// are ordered, and wrong (too high) keys on the way do no harm. That is what the algorithm builds
/// on: cubes of 32 voxels are relaxed one by one, each to its own fixed point by a queue of buckets
/// in memory that the processor's cache holds. A cube whose border changed wakes its neighbours,
/// which first look whether what came through their faces is lower than what they know. The lowest
/// keys are next, but cubes whose keys are alike take turns: a cube that waits until more is done
/// around it is copied less often. Cubes that do not touch are worked on by several threads at
/// once.
///
/// Layout: x fastest, see Box.h. Key is std::int32_t or std::int64_t; keys below the limit are
/// exact, and a path that costs more is not found (see overflowed()).
///
/// A change of seeds costs what it changes. A voxel depends on a seed if a path of steps, each of
/// which explains the key after it by the key before it, leads there. What depends on a seed that
/// is gone is taken back (some of it in vain, where another path is as cheap) and found anew from
/// its border: all other keys have a path that nothing was taken from, and are still right, or
/// become lower.
///
/// Cost: 1.5 to 2 visits of each voxel, each of which looks at 26 neighbours (eight voxels at a
/// time where the processor has AVX2); a cube is copied about 7 (CT) to 9 (noise) times. Voxels
/// whose turn it is are looked at in batches before any of their neighbours is changed, without
/// branches that depend on what they find. Scratch: one key per voxel of the padded block; half a
/// megabyte per thread.
///
/// Sources: R. B. Dial, Algorithm 360: shortest-path forest with topological ordering, Commun. ACM
/// 12(11), 1969, doi:10.1145/363269.363610 (buckets); U. Meyer, P. Sanders, Delta-stepping: a
/// parallelizable shortest path algorithm, J. Algorithms 49(1), 2003,
/// doi:10.1016/S0196-6774(03)00076-2 (buckets that are wider than a step).

#ifndef segcoreSeedGrowth_h
#define segcoreSeedGrowth_h

#include "Box.h"
#include "Buffer.h"
#include "Progress.h"

#include "SegmentationCoreKernelsModule.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace segcore
{

/// The levels of voxels, 0 to 65535 times a scale; called from several threads.
class SEGMENTATIONCOREKERNELS_EXPORT SeedGrowthLevels
{
public:
  virtual ~SeedGrowthLevels();

  /// Writes the levels of a row of voxels of the padded block; -1 is a voxel without a value.
  virtual void row(Index i, Index j, Index k, Index count, std::int32_t* levels) const = 0;

  /// Says that the row will be asked for soon.
  virtual void expect(Index i, Index j, Index k, Index count) const;
};

struct SeedGrowthCosts
{
  /// What a step costs besides the difference of levels, by whether it moves along x, y and z.
  std::int32_t step[2][2][2] = {};
  /// The largest difference of levels.
  std::int32_t largestDifference = 0;
  /// Labels are 1 to 2^labelBits - 1.
  int labelBits = 1;
};

template <class Key>
class SEGMENTATIONCOREKERNELS_EXPORT SeedGrowth
{
public:
  /// Keys below this one are costs with labels; this one means that no path is known.
  static constexpr Key Unreached = Key{ 1 } << (8 * sizeof(Key) - 2);

  /// The key of a voxel that is never entered.
  static constexpr Key Wall = -2 * Unreached;

  /// The key of a seed: below all others, so that no path changes it.
  static constexpr Key seed(Key label) { return label - Unreached; }

  /// The label of a key; 0 of a wall and where no path is known.
  static Key label(Key key, int labelBits) { return key & ((Key{ 1 } << labelBits) - 1); }

  /// Whether keys hold at least a few steps of these costs.
  static bool fits(const SeedGrowthCosts& costs);

  /// The growth of a block: `target` is worked on, `padded` holds it with one voxel of its
  /// surroundings where there are any. `levels` must live longer, and has all voxels of `padded`.
  SeedGrowth(const Box& target, const Box& padded, const SeedGrowthLevels& levels,
    const SeedGrowthCosts& costs);
  ~SeedGrowth();

  /// The keys of `padded`, to be filled with Unreached, Wall or seed(label) before start().
  Key* keys();

  /// All seeds of the target are to be grown. Voxels without a value become walls.
  void start();

  /// Remembers the keys around the target, before they are brought up to date.
  void keepSurroundings();

  /// Finds the keys around the target that are no longer those that were kept: lower ones wake what
  /// is beside them, and what depended on ones that were taken back is taken back, too.
  struct News
  {
    bool woken = false;
    bool takenBack = false;
  };
  News hearSurroundings();

  /// Replaces the seeds of a target at its fixed point, and takes back what depended on those that
  /// are gone; run() then gives what a new start would give, at the cost of what changed. `seeds`
  /// writes the labels of a row: 0 for none, below it for a wall. Returns false if walls changed,
  /// or so many seeds, or so much depends on them, that a new start is better; which is then due.
  /// Threads: yes, for the comparison.
  using SeedRows =
    std::function<void(Index i, Index j, Index k, Index count, std::int32_t* labels)>;
  bool changeSeeds(const SeedRows& seeds);

  /// Relaxes the target to its fixed point, with the surroundings as they are. Threads: yes.
  void run(const Progress& progress = Progress());

  /// Voxels of the target that have a label.
  Index reached() const;

  /// Whether a voxel is without a label beside one that has one: the path to it costs more than
  /// keys hold.
  bool overflowed() const;

private:
  class Implementation;
  std::unique_ptr<Implementation> Self;
};

extern template class SeedGrowth<std::int32_t>;
extern template class SeedGrowth<std::int64_t>;

} // namespace segcore

#endif
