// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// A line is a row of voxels along x, numbered y + dim(1) z; runs are numbered line by line, so that
// the order of runs is the raster order of their first voxels.

#include "ConnectedComponents.h"

#include "UnionFind.h"

#include <algorithm>
#include <limits>

namespace segcore
{

namespace
{

/// How far runs of two lines may be apart along x and still touch, for lines `steps` apart in y
/// plus z: 1 diagonal contact, 0 overlap, -1 never.
Index contact(Connectivity connectivity, Index steps)
{
  switch (connectivity)
  {
    case Connectivity::Faces:
      return 1 - steps;
    case Connectivity::Edges:
      return steps < 2 ? 1 : 0;
    case Connectivity::Corners:
    default:
      return 1;
  }
}

} // namespace

class ComponentLabeller
{
public:
  ComponentLabeller(ComponentRuns& result, Connectivity connectivity)
    : Result(result)
    , Contact{ contact(connectivity, 0), contact(connectivity, 1), contact(connectivity, 2) }
  {
  }

  void run(const Box& block, const Box& whole, const RowBits& rowBits, const Progress& progress,
    bool wideIds)
  {
    ComponentRuns& r = this->Result;
    r.Box_ = block;
    r.Whole_ = whole;
    r.LineStart_.assign(1, 0);
    if (block.empty())
    {
      return;
    }
    r.Words_ = wordCount(block.dim(0));
    r.Bits_ = Buffer<Word>(block.rows() * r.Words_);
    r.LineStart_.resize(static_cast<std::size_t>(block.rows()) + 1);
    forRanges(block.rows(), 256, progress.part(0.0, 0.3),
      [&](Index begin, Index end)
      {
        for (Index line = begin; line < end; ++line)
        {
          Word* bits = r.Bits_.data() + line * r.Words_;
          rowBits(block.lo[1] + line % block.dim(1), block.lo[2] + line / block.dim(1), bits);
          r.LineStart_[static_cast<std::size_t>(line) + 1] = countRuns(bits, r.Words_);
        }
      });
    for (std::size_t line = 1; line < r.LineStart_.size(); ++line)
    {
      r.LineStart_[line] += r.LineStart_[line - 1];
    }
    if (wideIds || r.runCount() >= Index{ std::numeric_limits<std::uint32_t>::max() })
    {
      r.Wide_ = Buffer<std::int64_t>(r.runCount());
      this->label(r.Wide_.data(), progress);
    }
    else
    {
      r.Narrow_ = Buffer<std::uint32_t>(r.runCount());
      this->label(r.Narrow_.data(), progress);
    }
  }

private:
  struct Slab
  {
    Index z0 = 0; // slices of the block, counted from 0
    Index z1 = 0;
    Index base = 0; // number of its first component among those of all slabs
    std::vector<std::int64_t> voxels;
    std::vector<std::int64_t> first;
  };

  /// Calls touch(run, neighbour) for the contacts of slice z with itself (`inside`) and with slice
  /// z - 1
  /// (`below`).
  template <class Touch>
  void slice(Index z, bool inside, bool below, const Touch& touch) const
  {
    const ComponentRuns& r = this->Result;
    const Index ny = r.Box_.dim(1);
    const auto meet = [&](Index line, Index neighbour, Index gap)
    {
      const Index first = r.LineStart_[static_cast<std::size_t>(line)];
      const Index firstNeighbour = r.LineStart_[static_cast<std::size_t>(neighbour)];
      forEachContact(r.bits(line), r.bits(neighbour), r.Words_, gap > 0,
        [&](Index a, Index b) { touch(first + a, firstNeighbour + b); });
    };
    for (Index y = 0; y < ny; ++y)
    {
      const Index line = y + ny * z;
      if (inside && y > 0)
      {
        meet(line, line - 1, this->Contact[1]);
      }
      if (below)
      {
        meet(line, line - ny, this->Contact[1]);
        if (this->Contact[2] >= 0 && y > 0)
        {
          meet(line, line - ny - 1, this->Contact[2]);
        }
        if (this->Contact[2] >= 0 && y + 1 < ny)
        {
          meet(line, line - ny + 1, this->Contact[2]);
        }
      }
    }
  }

  /// Components of one slab. On return ids[run] is the number of its component within the slab, in
  /// the order of first voxels.
  template <class Id>
  void labelSlab(Id* ids, Slab& slab) const
  {
    const ComponentRuns& r = this->Result;
    const Index ny = r.Box_.dim(1);
    const Index begin = r.LineStart_[static_cast<std::size_t>(slab.z0 * ny)];
    const Index end = r.LineStart_[static_cast<std::size_t>(slab.z1 * ny)];
    for (Index i = begin; i < end; ++i)
    {
      ids[i] = static_cast<Id>(i);
    }
    for (Index z = slab.z0; z < slab.z1; ++z)
    {
      this->slice(z, true, z > slab.z0,
        [ids](Index a, Index b) { joinRoots(ids, static_cast<Id>(a), static_cast<Id>(b)); });
    }
    // ids[i] <= i, so ascending: a root starts a component, others copy what their parent got
    // before.
    Index run = begin;
    Id next = 0;
    for (Index z = slab.z0; z < slab.z1; ++z)
    {
      for (Index y = 0; y < ny; ++y)
      {
        const Index start = r.Box_.lo[0] - r.Whole_.lo[0] +
          r.Whole_.dim(0) *
            (y + r.Box_.lo[1] - r.Whole_.lo[1] +
              r.Whole_.dim(1) * (z + r.Box_.lo[2] - r.Whole_.lo[2]));
        forEachRun(r.bits(y + ny * z), r.Words_,
          [&](Index x0, Index x1)
          {
            if (ids[run] == static_cast<Id>(run))
            {
              ids[run] = next++;
              slab.first.push_back(start + x0);
              slab.voxels.push_back(x1 - x0 + 1);
            }
            else
            {
              ids[run] = ids[ids[run]];
              slab.voxels[static_cast<std::size_t>(ids[run])] += x1 - x0 + 1;
            }
            ++run;
          });
      }
    }
  }

  template <class Id>
  void label(Id* ids, const Progress& progress)
  {
    ComponentRuns& r = this->Result;
    const Index nz = r.Box_.dim(2);
    const Index ny = r.Box_.dim(1);
    // A thread gets several slabs, as some have more runs than others.
    const Index least = std::max<Index>(1, (Index{ 1 } << 16) / (r.Box_.dim(0) * ny));
    const Index count = progress.active() ? std::max<Index>(1, std::min<Index>(nz, 32))
                                          : (threadCount() > 1 ? chunkCount(nz, least, 4) : 1);
    std::vector<Slab> slabs(static_cast<std::size_t>(count));
    forRanges(count, 1, progress.part(0.3, 0.8),
      [&](Index begin, Index end)
      {
        for (Index s = begin; s < end; ++s)
        {
          Slab& slab = slabs[static_cast<std::size_t>(s)];
          slab.z0 = chunkBegin(nz, count, s);
          slab.z1 = chunkBegin(nz, count, s + 1);
          this->labelSlab(ids, slab);
        }
      });
    if (count == 1)
    {
      r.Voxels_ = std::move(slabs[0].voxels);
      r.First_ = std::move(slabs[0].first);
      progress.step(1.0);
      return;
    }

    // Join the components of slabs. Their numbers are in raster order, so roots are first voxels.
    Index total = 0;
    for (Slab& slab : slabs)
    {
      slab.base = total;
      total += static_cast<Index>(slab.voxels.size());
    }
    UnionFind<Index> sets(static_cast<std::size_t>(total));
    for (std::size_t s = 1; s < slabs.size(); ++s)
    {
      const Index here = slabs[s].base;
      const Index below = slabs[s - 1].base;
      this->slice(slabs[s].z0, false, true, [&](Index a, Index b)
        { sets.join(here + static_cast<Index>(ids[a]), below + static_cast<Index>(ids[b])); });
    }
    const std::vector<Index>& roots = sets.flatten();
    std::vector<Index> number(static_cast<std::size_t>(total));
    r.Voxels_.clear();
    r.First_.clear();
    for (const Slab& slab : slabs)
    {
      for (std::size_t c = 0; c < slab.voxels.size(); ++c)
      {
        const std::size_t i = static_cast<std::size_t>(slab.base) + c;
        const std::size_t root = static_cast<std::size_t>(roots[i]);
        if (root == i)
        {
          number[i] = static_cast<Index>(r.Voxels_.size());
          r.Voxels_.push_back(slab.voxels[c]);
          r.First_.push_back(slab.first[c]);
        }
        else
        {
          number[i] = number[root];
          r.Voxels_[static_cast<std::size_t>(number[root])] += slab.voxels[c];
        }
      }
    }
    forRanges(count, 1, progress.part(0.9, 1.0),
      [&](Index begin, Index end)
      {
        for (Index s = begin; s < end; ++s)
        {
          const Slab& slab = slabs[static_cast<std::size_t>(s)];
          const Index* table = number.data() + slab.base;
          const Index stop = r.LineStart_[static_cast<std::size_t>(slab.z1 * ny)];
          for (Index i = r.LineStart_[static_cast<std::size_t>(slab.z0 * ny)]; i < stop; ++i)
          {
            ids[i] = static_cast<Id>(table[ids[i]]);
          }
        }
      });
  }

  ComponentRuns& Result;
  const Index Contact[3];
};

ComponentRuns labelComponents(const Box& block, const Box& whole, Connectivity connectivity,
  const RowBits& rowBits, const Progress& progress, bool wideIds)
{
  if (!whole.contains(block))
  {
    throw std::invalid_argument(
      "segcore::labelComponents: the block is not inside the whole image");
  }
  ComponentRuns result;
  ComponentLabeller(result, connectivity).run(block, whole, rowBits, progress, wideIds);
  return result;
}

Index ComponentRuns::componentAt(Index x, Index y, Index z) const
{
  if (!this->Box_.contains(x, y, z))
  {
    return -1;
  }
  Index found = -1;
  this->forEachRun(y, z,
    [&](Index x0, Index x1, Index component)
    {
      if (x0 <= x && x <= x1)
      {
        found = component;
      }
    });
  return found;
}

std::vector<ComponentRun> ComponentRuns::runsIn(const Box& region) const
{
  std::vector<ComponentRun> runs;
  const Box box = this->Box_.intersect(region);
  if (box.empty())
  {
    return runs;
  }
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      this->forEachRun(y, z,
        [&](Index x0, Index x1, Index component)
        {
          const Index first = std::max(x0, box.lo[0]);
          const Index last = std::min(x1, box.hi[0]);
          if (first <= last)
          {
            runs.push_back({ static_cast<std::int32_t>(first), static_cast<std::int32_t>(last),
              static_cast<std::int32_t>(y), static_cast<std::int32_t>(z), component });
          }
        });
    }
  }
  return runs;
}

std::vector<ComponentRun> ComponentRuns::faceRuns(int axis, int side) const
{
  Box face = this->Box_;
  (side ? face.lo : face.hi)[axis] = side ? face.hi[axis] : face.lo[axis];
  return this->runsIn(face);
}

std::vector<ComponentRun> ComponentRuns::shell() const
{
  std::vector<ComponentRun> runs;
  const Box& box = this->Box_;
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      const bool face = z == box.lo[2] || z == box.hi[2] || y == box.lo[1] || y == box.hi[1];
      const auto add = [&](Index x0, Index x1, Index component)
      {
        runs.push_back({ static_cast<std::int32_t>(x0), static_cast<std::int32_t>(x1),
          static_cast<std::int32_t>(y), static_cast<std::int32_t>(z), component });
      };
      if (face)
      {
        this->forEachRun(y, z, add);
        continue;
      }
      // Inside: the first and the last voxel of the row belong to the first and the last run.
      const Index line = this->line(y, z);
      const Index n = box.dim(0);
      if (testBit(this->bits(line), 0))
      {
        add(box.lo[0], box.lo[0],
          this->componentOfRun(this->LineStart_[static_cast<std::size_t>(line)]));
      }
      if (n > 1 && testBit(this->bits(line), n - 1))
      {
        add(box.hi[0], box.hi[0],
          this->componentOfRun(this->LineStart_[static_cast<std::size_t>(line) + 1] - 1));
      }
    }
  }
  return runs;
}

void joinShells(const std::vector<ComponentRun>& shellA, const Box& boxA,
  const std::vector<ComponentRun>& shellB, const Box& boxB, Connectivity connectivity,
  const std::function<void(Index, Index)>& touch)
{
  if (boxA.grown(1).intersect(boxB).empty())
  {
    return;
  }
  const auto before = [](const ComponentRun& run, std::int32_t y, std::int32_t z)
  { return run.z != z ? run.z < z : run.y < y; };

  // Lines of A ascend in (z, y), so for each offset the matching lines of B ascend as well.
  std::size_t start[3][3] = {};
  Index lastA = -1;
  Index lastB = -1;
  for (std::size_t i = 0; i < shellA.size();)
  {
    std::size_t end = i + 1;
    while (end < shellA.size() && shellA[end].y == shellA[i].y && shellA[end].z == shellA[i].z)
    {
      ++end;
    }
    for (int dz = -1; dz <= 1; ++dz)
    {
      for (int dy = -1; dy <= 1; ++dy)
      {
        const Index gap = contact(connectivity, (dy != 0) + (dz != 0));
        if (gap < 0)
        {
          continue;
        }
        const std::int32_t y = shellA[i].y + dy;
        const std::int32_t z = shellA[i].z + dz;
        std::size_t& b = start[dz + 1][dy + 1];
        while (b < shellB.size() && before(shellB[b], y, z))
        {
          ++b;
        }
        std::size_t a = i;
        std::size_t c = b;
        while (a < end && c < shellB.size() && shellB[c].y == y && shellB[c].z == z)
        {
          const ComponentRun& runA = shellA[a];
          const ComponentRun& runB = shellB[c];
          if (runA.x0 <= runB.x1 + gap && runB.x0 <= runA.x1 + gap &&
            (runA.component != lastA || runB.component != lastB))
          {
            lastA = runA.component;
            lastB = runB.component;
            touch(lastA, lastB);
          }
          (runA.x1 < runB.x1 ? a : c) += 1;
        }
      }
    }
    i = end;
  }
}

void joinAcross(const ComponentRuns& a, const ComponentRuns& b, Connectivity connectivity,
  const std::function<void(Index, Index)>& touch)
{
  joinShells(
    a.runsIn(b.box().grown(1)), a.box(), b.runsIn(a.box().grown(1)), b.box(), connectivity, touch);
}

} // namespace segcore
