// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapFillBetweenSlices.h"

#include "EffectJob.h"
#include "FillBetweenSlices.h"
#include "Message.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <map>

vtkStandardNewMacro(vtkLabelMapFillBetweenSlices);

namespace
{

using segcore::Box;
using segcore::Index;

/// Two slices of a label that follow each other.
template <class T>
struct SlicePair
{
  T label{};
  int axis = 0;
  Index first = 0;
  Index last = 0;
  Box box; ///< Of the label, over all slices.

  Box slice(Index at) const
  {
    Box cut = this->box;
    cut.lo[this->axis] = cut.hi[this->axis] = at;
    return cut;
  }
  Index area() const { return this->slice(this->first).size(); }
};

/// A run of a result. Indices of VTK images have 32 bits.
struct Span
{
  std::int32_t pair;
  std::int32_t k;
  std::int32_t v;
  std::int32_t u0;
  std::int32_t u1;

  /// As voxels.
  Box box(int axis, Index first) const
  {
    Box voxels;
    const int u = segcore::sliceAxisU(axis);
    const int w = segcore::sliceAxisV(axis);
    voxels.lo[axis] = voxels.hi[axis] = first + this->k;
    voxels.lo[u] = this->u0;
    voxels.hi[u] = this->u1;
    voxels.lo[w] = voxels.hi[w] = this->v;
    return voxels;
  }
};

/// Pairs that are worked on at a time.
struct Batch
{
  std::size_t begin;
  std::size_t end;
};

/// The boxes of labels, as far as the voxels of a block tell.
template <class T>
void growBoxes(const T* labels, const Box& stored, const Box& block, std::map<T, Box>& boxes)
{
  std::mutex mutex;
  segcore::forRanges(block.dim(2), 1,
    [&](Index begin, Index end)
    {
      std::map<T, Box> found;
      for (Index r = begin * block.dim(1); r < end * block.dim(1); ++r)
      {
        const Index y = block.lo[1] + r % block.dim(1);
        const Index z = block.lo[2] + r / block.dim(1);
        const T* row = labels + stored.offset(block.lo[0], y, z);
        if (segcore::isBackground(row, block.dim(0)))
        {
          continue;
        }
        Box run;
        run.lo[1] = run.hi[1] = y;
        run.lo[2] = run.hi[2] = z;
        for (Index x = 0; x < block.dim(0); ++x)
        {
          const Index start = x;
          while (x + 1 < block.dim(0) && row[x + 1] == row[start])
          {
            ++x;
          }
          // (Comparisons like these leave out what is not a number.)
          if ((row[start] < T(0) || row[start] > T(0)) && boxes.count(row[start]))
          {
            run.lo[0] = block.lo[0] + start;
            run.hi[0] = block.lo[0] + x;
            Box& box = found[row[start]];
            box = box.unite(run);
          }
        }
      }
      const std::lock_guard<std::mutex> lock(mutex);
      for (const auto& [label, box] : found)
      {
        boxes[label] = boxes[label].unite(box);
      }
    });
}

/// The work of the filter, step by step. Collective like the filter.
template <class T>
class Filler
{
public:
  explicit Filler(segcore::EffectJob& job)
    : Job(job)
    , Comm(job.communicator())
    , Labels(job.input<T>())
    , Out(job.makeOutput<T>(job.scalarType(), job.inputName()))
  {
    // A single rank has all voxels, and nothing that others know better.
    if (this->Comm.size() == 1)
    {
      this->Own.push_back(job.piece());
    }
    else
    {
      for (const segcore::Block& block : job.distribution().localBlocks())
      {
        this->Own.push_back(block.box);
      }
    }
  }

  void run()
  {
    this->findPairs();
    this->Comm.run(
      [&]
      {
        const Index size = this->Job.piece().size();
        segcore::forRanges(size, Index{ 1 } << 18, [&](Index begin, Index end)
          { std::copy(this->Labels + begin, this->Labels + end, this->Out + begin); });
      });
    const std::vector<Batch> batches = this->makeBatches();
    for (std::size_t b = 0; b < batches.size(); ++b)
    {
      const double count = static_cast<double>(batches.size());
      const double done = static_cast<double>(b);
      std::vector<Span> spans = this->fillBatch(batches[b],
        this->Job.progress().part(0.3 + 0.7 * done / count, 0.3 + 0.7 * (done + 1) / count));
      spans = this->toOwners(std::move(spans));
      this->Comm.run([&] { this->write(spans); });
    }
    segcore::completePiece(this->Comm, this->Job.distribution(), this->Out);
  }

private:
  /// Collective. The marks of all ranks make pairs, which get the boxes of their labels.
  void findPairs()
  {
    std::vector<segcore::MarkedSlice<T>> marks;
    const auto add = [&marks](const std::vector<segcore::MarkedSlice<T>>& more)
    {
      marks.insert(marks.end(), more.begin(), more.end());
      segcore::tidyMarks(marks);
    };
    if (this->Comm.size() == 1)
    {
      this->Comm.run(
        [&]
        {
          add(segcore::markedSlices(this->Labels, this->Job.piece(), this->Job.piece(),
            this->Job.progress().part(0.0, 0.2)));
        });
    }
    else
    {
      this->Job.forEachBlock(
        [&](const segcore::Block* block)
        {
          Box padded;
          segcore::Buffer<T> around;
          std::vector<segcore::Request<T>> requests;
          this->Comm.run(
            [&]
            {
              if (block)
              {
                padded = block->box.grown(1).clipped(this->Job.whole());
                around = segcore::Buffer<T>(padded.size());
                requests.emplace_back(padded, around.data());
              }
            });
          segcore::fetchLabels(this->Comm, this->Job.distribution(), this->Labels, requests);
          this->Comm.run(
            [&]
            {
              if (block)
              {
                add(segcore::markedSlices(around.data(), padded, block->box));
              }
            });
        });
      segcore::MessageWriter writer;
      writer.put(marks);
      for (const segcore::Bytes& bytes : this->Comm.allGather(writer.take()))
      {
        segcore::MessageReader reader(bytes);
        add(reader.template getArray<segcore::MarkedSlice<T>>());
      }
    }
    for (std::size_t m = 0; m + 1 < marks.size(); ++m)
    {
      const auto& a = marks[m];
      const auto& b = marks[m + 1];
      if (a.label == b.label && a.axis == b.axis && b.at > a.at + 1)
      {
        this->Pairs.push_back({ a.label, a.axis, a.at, b.at, Box() });
      }
    }
    this->findBoxes();
  }

  /// Collective.
  void findBoxes()
  {
    std::map<T, Box> boxes;
    this->Comm.run(
      [&]
      {
        for (const SlicePair<T>& pair : this->Pairs)
        {
          boxes[pair.label] = Box();
        }
        for (const Box& block : this->Own)
        {
          if (!boxes.empty())
          {
            growBoxes(this->Labels, this->Job.piece(), block, boxes);
          }
        }
      });
    // The ends of all boxes: the least of the lower ones, and of the upper ones with a minus.
    std::vector<Index> ends;
    for (const auto& [label, box] : boxes)
    {
      for (int axis = 0; axis < 3; ++axis)
      {
        ends.push_back(box.empty() ? std::numeric_limits<Index>::max() : box.lo[axis]);
        ends.push_back(box.empty() ? std::numeric_limits<Index>::max() : -box.hi[axis]);
      }
    }
    this->Comm.allReduceMin(ends.data(), static_cast<Index>(ends.size()));
    std::size_t at = 0;
    for (auto& [label, box] : boxes)
    {
      for (int axis = 0; axis < 3; ++axis)
      {
        box.lo[axis] = ends[at++];
        box.hi[axis] = -ends[at++];
      }
    }
    for (SlicePair<T>& pair : this->Pairs)
    {
      pair.box = boxes[pair.label];
    }
  }

  /// So many pairs at a time that the runs of a result, 28 bytes and at least two pixels each, take
  /// at most 2 bytes per voxel of a rank.
  std::vector<Batch> makeBatches() const
  {
    const Index most =
      std::max(Index{ 1 } << 20, this->Job.whole().size() / (7 * this->Comm.size()));
    std::vector<Batch> batches;
    Index pixels = most;
    for (std::size_t p = 0; p < this->Pairs.size(); ++p)
    {
      const SlicePair<T>& pair = this->Pairs[p];
      const Index more = pair.area() * (pair.last - pair.first - 1);
      if (pixels + more > most)
      {
        batches.push_back({ p, p });
        pixels = 0;
      }
      pixels += more;
      batches.back().end = p + 1;
    }
    return batches;
  }

  /// Collective. What this rank makes of its share of the pairs.
  std::vector<Span> fillBatch(const Batch& batch, const segcore::Progress& progress)
  {
    const Index ranks = this->Comm.size();
    const Index all = static_cast<Index>(batch.end - batch.begin);
    const Index share = (all - this->Comm.rank() + ranks - 1) / ranks;
    const auto pairOf = [&](Index n)
    { return batch.begin + static_cast<std::size_t>(this->Comm.rank() + n * ranks); };
    const bool direct = ranks == 1;

    std::vector<segcore::Buffer<T>> slices;
    if (!direct)
    {
      std::vector<segcore::Request<T>> requests;
      this->Comm.run(
        [&]
        {
          for (Index n = 0; n < share; ++n)
          {
            const SlicePair<T>& pair = this->Pairs[pairOf(n)];
            for (const Index at : { pair.first, pair.last })
            {
              slices.emplace_back(pair.area());
              requests.emplace_back(pair.slice(at), slices.back().data());
            }
          }
        });
      segcore::fetchLabels(this->Comm, this->Job.distribution(), this->Labels, requests);
    }

    std::vector<std::vector<Span>> made(static_cast<std::size_t>(share));
    this->Comm.run(
      [&]
      {
        segcore::forRanges(share, 1, progress,
          [&](Index begin, Index end)
          {
            for (Index n = begin; n < end; ++n)
            {
              const std::size_t number = pairOf(n);
              const SlicePair<T>& pair = this->Pairs[number];
              const auto runs = [&](Index at, std::size_t slice)
              {
                const Box part = pair.slice(at);
                return direct ? this->runsOf(pair, part, this->Labels, this->Job.piece())
                              : this->runsOf(pair, part, slices[slice].data(), part);
              };
              const std::size_t slice = static_cast<std::size_t>(2 * n);
              this->fillPair(static_cast<std::int32_t>(number - batch.begin), pair,
                runs(pair.first, slice), runs(pair.last, slice + 1),
                made[static_cast<std::size_t>(n)]);
            }
          });
      });
    std::vector<Span> spans;
    this->Comm.run(
      [&]
      {
        for (std::vector<Span>& some : made)
        {
          spans.insert(spans.end(), some.begin(), some.end());
          some = std::vector<Span>();
        }
      });
    this->Begin = batch.begin;
    return spans;
  }

  std::vector<segcore::SliceRun> runsOf(
    const SlicePair<T>& pair, const Box& part, const T* labels, const Box& stored) const
  {
    const Index steps[3] = { 1, stored.dim(0), stored.dim(0) * stored.dim(1) };
    const int u = segcore::sliceAxisU(pair.axis);
    const int v = segcore::sliceAxisV(pair.axis);
    return segcore::sliceRuns(labels + stored.offset(part.lo[0], part.lo[1], part.lo[2]), steps[u],
      steps[v], { part.lo[u], part.lo[v], part.hi[u], part.hi[v] }, pair.label);
  }

  void fillPair(std::int32_t number, const SlicePair<T>& pair,
    const std::vector<segcore::SliceRun>& first, const std::vector<segcore::SliceRun>& last,
    std::vector<Span>& spans) const
  {
    const int u = segcore::sliceAxisU(pair.axis);
    const int v = segcore::sliceAxisV(pair.axis);
    const double* spacing = this->Job.geometry().Spacing;
    const Box& whole = this->Job.whole();
    segcore::SliceInterpolator interpolator(spacing[u], spacing[v]);
    std::vector<segcore::FilledRun> runs;
    interpolator.fill(first, last, { whole.lo[u], whole.lo[v], whole.hi[u], whole.hi[v] },
      pair.last - pair.first, runs);
    spans.reserve(runs.size());
    for (const segcore::FilledRun& run : runs)
    {
      spans.push_back({ number, static_cast<std::int32_t>(run.k), static_cast<std::int32_t>(run.v),
        static_cast<std::int32_t>(run.u0), static_cast<std::int32_t>(run.u1) });
    }
  }

  const SlicePair<T>& pairOf(const Span& span) const
  {
    return this->Pairs[this->Begin + static_cast<std::size_t>(span.pair)];
  }
  Box boxOf(const Span& span) const
  {
    const SlicePair<T>& pair = this->pairOf(span);
    return span.box(pair.axis, pair.first);
  }

  /// Collective. Each rank gets the spans that meet its blocks.
  std::vector<Span> toOwners(std::vector<Span> spans) const
  {
    if (this->Comm.size() == 1)
    {
      return spans;
    }
    std::vector<segcore::Bytes> messages(static_cast<std::size_t>(this->Comm.size()));
    this->Comm.run(
      [&]
      {
        std::vector<std::vector<Span>> toRank(messages.size());
        for (const segcore::Block& block : this->Job.distribution().blocks())
        {
          for (const Span& span : spans)
          {
            if (!this->boxOf(span).intersect(block.box).empty())
            {
              toRank[static_cast<std::size_t>(block.rank)].push_back(span);
            }
          }
        }
        spans = std::vector<Span>();
        for (std::size_t rank = 0; rank < toRank.size(); ++rank)
        {
          segcore::MessageWriter writer;
          writer.put(toRank[rank]);
          messages[rank] = writer.take();
        }
      });
    const std::vector<segcore::Bytes> received = this->Comm.exchange(std::move(messages));
    this->Comm.run(
      [&]
      {
        for (const segcore::Bytes& bytes : received)
        {
          segcore::MessageReader reader(bytes);
          const std::vector<Span> some = reader.template getArray<Span>();
          spans.insert(spans.end(), some.begin(), some.end());
        }
      });
    return spans;
  }

  /// Background becomes the lowest label that claims it, whatever the order of the spans. Each
  /// slice along z is written by one thread.
  void write(const std::vector<Span>& spans)
  {
    const Box& piece = this->Job.piece();
    if (spans.empty() || piece.empty())
    {
      return;
    }
    const auto slot = [&](const Span& span)
    {
      const Index z = this->boxOf(span).lo[2] - piece.lo[2];
      return static_cast<std::size_t>(std::clamp<Index>(z, 0, piece.dim(2) - 1));
    };
    std::vector<std::size_t> start(static_cast<std::size_t>(piece.dim(2)) + 1, 0);
    for (const Span& span : spans)
    {
      ++start[slot(span) + 1];
    }
    for (std::size_t z = 1; z < start.size(); ++z)
    {
      start[z] += start[z - 1];
    }
    std::vector<std::size_t> order(spans.size());
    std::vector<std::size_t> next = start;
    for (std::size_t n = 0; n < spans.size(); ++n)
    {
      order[next[slot(spans[n])]++] = n;
    }
    segcore::forRanges(piece.dim(2), 1,
      [&](Index begin, Index end)
      {
        for (std::size_t n = start[static_cast<std::size_t>(begin)];
          n < start[static_cast<std::size_t>(end)]; ++n)
        {
          const Span& span = spans[order[n]];
          const T label = this->pairOf(span).label;
          for (const Box& own : this->Own)
          {
            const Box voxels = this->boxOf(span).intersect(own);
            if (voxels.empty())
            {
              continue;
            }
            // A run along x, or along y between slices across x.
            const Index step = this->pairOf(span).axis == 0 ? piece.dim(0) : 1;
            Index at = piece.offset(voxels.lo[0], voxels.lo[1], voxels.lo[2]);
            for (Index left = voxels.size(); left > 0; --left, at += step)
            {
              if (this->Labels[at] == T(0) && (this->Out[at] == T(0) || label < this->Out[at]))
              {
                this->Out[at] = label;
              }
            }
          }
        }
      });
  }

  segcore::EffectJob& Job;
  const segcore::Communicator& Comm;
  const T* Labels;
  T* Out;
  std::vector<Box> Own; ///< What this rank writes.
  std::vector<SlicePair<T>> Pairs;
  std::size_t Begin = 0; ///< Of the batch.
};

} // namespace

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapFillBetweenSlices::CheckParameters() const
{
  return std::string(); // there are none
}

//------------------------------------------------------------------------------------------------
/// Nothing is written outside the box of the segments; the voxel around it tells its border from
/// that of the image.
void vtkLabelMapFillBetweenSlices::GetReach(const double*, std::int64_t reach[3]) const
{
  std::fill_n(reach, 3, std::int64_t{ 1 });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapFillBetweenSlices::ExecuteTyped(segcore::EffectJob& job)
{
  Filler<T>(job).run();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFillBetweenSlices::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}
