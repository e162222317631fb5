// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapJointSmoothing.h"

#include "EffectJob.h"
#include "JointSlices.h"
#include "JointSmoothing.h"
#include "Message.h"
#include "ParameterCheck.h"
#include "PointExchange.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <cmath>
#include <cstring>
#include <numeric>

vtkStandardNewMacro(vtkLabelMapJointSmoothing);

namespace
{

using segcore::Box;
using segcore::Index;

constexpr int Steps = 100;

/// The kernel wants integers that tell labels apart, 0 for background.
template <class T>
struct Whole
{
  static constexpr bool Same = std::is_integral<T>::value;
  using Type = std::conditional_t<Same, T, Index>;

  static Type from(T label)
  {
    if constexpr (Same)
    {
      return label;
    }
    else
    {
      const double value = label == T(0) ? 0.0 : static_cast<double>(label); // -0 is 0
      Index bits;
      std::memcpy(&bits, &value, sizeof bits);
      return bits;
    }
  }
  static T back(Type bits)
  {
    if constexpr (Same)
    {
      return bits;
    }
    else
    {
      double value;
      std::memcpy(&value, &bits, sizeof value);
      return static_cast<T>(value);
    }
  }
};

/// The work of the filter, step by step. Collective like the filter.
template <class T>
class Smoother
{
public:
  using Label = typename Whole<T>::Type;

  Smoother(segcore::EffectJob& job, double factor, double surfaceBytes)
    : Job(job)
    , Comm(job.communicator())
    , Labels(job.input<T>())
    , Out(job.makeOutput<T>(job.scalarType(), job.inputName()))
    , Lattice(job.whole())
    , SurfaceBytes(surfaceBytes)
  {
    this->Options.iterations = Steps;
    this->Options.passBand = std::pow(10.0, -4.0 * factor);
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
    Rows rows(this->Job.whole());
    if (this->Comm.size() > 1 && this->surfaceFits())
    {
      this->makeParts();
      segcore::PointExchange points(this->Comm, this->Part.cells);
      this->addNeighbours(points);
      this->smooth(points, rows);
    }
    else
    {
      this->smoothSlices(rows);
    }
    const std::vector<Rows> own = this->toOwners(std::move(rows));
    this->Comm.run(
      [&]
      {
        for (std::size_t b = 0; b < own.size(); ++b)
        {
          own[b].fill(this->Own[b], this->Job.piece(), this->Labels, this->Out, Whole<T>::back,
            this->Job.progress().part(0.9, 1.0));
        }
      });
    segcore::completePiece(this->Comm, this->Job.distribution(), this->Out);
  }

private:
  using Crossing = segcore::JointCrossing<Label>;
  using Rows = segcore::JointRows<Label>;
  using Slices = segcore::JointSlices<Label>;

  /// Collective. Whether ranks hold their surfaces, and trade points after each step, or go through
  /// the slices of their blocks and the voxels around them, which takes work twice but less memory.
  bool surfaceFits()
  {
    constexpr double PerPoint = 200.0;     // of the surface that is held
    constexpr double PerSlicePoint = 65.0; // of the slices under way
    constexpr Index SlicesUnderWay = Steps + 10;
    Index points = 0;
    Index voxels = 0;
    this->forEachPadded(
      [&](const T* labels, const Box& padded, const Box& block)
      {
        points += segcore::jointPointCount(labels, padded, block, this->Job.whole());
        voxels += block.size();
      });
    const double all = static_cast<double>(this->Comm.allReduceSum(points)) /
      static_cast<double>(std::max<Index>(1, this->Job.whole().size()));
    double slices = 0.0;
    for (const Box& box : this->Own)
    {
      const Box around = box.grown(Steps + 1).clipped(this->Job.whole());
      const Index count = around.dim(0) * around.dim(1) * std::min(around.dim(2), SlicesUnderWay);
      slices = std::max(slices, PerSlicePoint * all * static_cast<double>(count));
    }
    const double held = PerPoint * static_cast<double>(points);
    const bool fits = this->SurfaceBytes >= 0.0 &&
      (held <= this->SurfaceBytes * static_cast<double>(voxels) || held <= slices);
    return !this->Comm.agreeFlag(!fits);
  }

  /// Collective. The surface of the own blocks, each with the voxels that its points depend on,
  /// slice by slice.
  void smoothSlices(Rows& rows)
  {
    if (this->Comm.size() == 1)
    {
      this->Comm.run(
        [&]
        {
          Slices slices(this->Job.piece(), this->Job.whole(), this->Options);
          while (!slices.next().empty())
          {
            this->Job.progress().step(0.9 * slices.fraction());
            this->addSlices(slices, this->Labels, this->Job.piece(), rows);
          }
        });
      return;
    }
    Index turn = 0;
    const Index turns =
      std::max<Index>(1, this->Comm.allReduceMax(static_cast<Index>(this->Own.size())));
    this->Job.forEachBlock(
      [&](const segcore::Block* block)
      {
        const Box own = block ? block->box : Box();
        std::unique_ptr<Slices> slices;
        Index count = 0;
        this->Comm.run(
          [&]
          {
            slices = std::make_unique<Slices>(own, this->Job.whole(), this->Options);
            count = Slices::turns(own, this->Job.whole(), this->Options);
          });
        count = this->Comm.allReduceMax(count);
        const segcore::Progress progress =
          this->Job.progress().part(0.9 * static_cast<double>(turn) / static_cast<double>(turns),
            0.9 * static_cast<double>(turn + 1) / static_cast<double>(turns));
        for (Index i = 0; i < count; ++i)
        {
          Box padded;
          segcore::Buffer<T> around;
          std::vector<segcore::Request<T>> requests;
          this->Comm.run(
            [&]
            {
              progress.step(static_cast<double>(i) / static_cast<double>(count));
              padded = slices->next();
              if (!padded.empty())
              {
                around = segcore::Buffer<T>(padded.size());
                requests.emplace_back(padded, around.data());
              }
            });
          segcore::fetchLabels(this->Comm, this->Job.distribution(), this->Labels, requests);
          this->Comm.run(
            [&]
            {
              if (!padded.empty())
              {
                this->addSlices(*slices, around.data(), padded, rows);
              }
            });
        }
        ++turn;
      });
  }

  void addSlices(Slices& slices, const T* labels, const Box& padded, Rows& rows)
  {
    if constexpr (Whole<T>::Same)
    {
      slices.add(labels, padded, rows);
    }
    else
    {
      const Box box = slices.next();
      const segcore::Buffer<Label> bits = this->bitsOf(labels, padded, box);
      slices.add(bits.data(), box, rows);
    }
  }

  /// The labels of a box as integers.
  static segcore::Buffer<Label> bitsOf(const T* labels, const Box& padded, const Box& box)
  {
    segcore::Buffer<Label> bits(box.size());
    segcore::forRanges(box.rows(), 64,
      [&](Index begin, Index end)
      {
        for (Index r = begin; r < end; ++r)
        {
          const T* from = labels +
            padded.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
          std::transform(from, from + box.dim(0), bits.data() + r * box.dim(0), Whole<T>::from);
        }
      });
    return bits;
  }

  /// Collective, on several ranks. Calls work(labels, padded, block) for each own block with a
  /// voxel around it.
  template <class Work>
  void forEachPadded(const Work& work)
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
              work(around.data(), padded, block->box);
            }
          });
      });
  }

  /// Collective. The surface that this rank owns.
  void makeParts()
  {
    std::vector<segcore::JointPart<Label>> parts;
    this->forEachPadded(
      [&](const T* labels, const Box& padded, const Box& block)
      {
        if constexpr (Whole<T>::Same)
        {
          parts.push_back(segcore::jointPart(labels, padded, block, this->Job.whole()));
        }
        else
        {
          const segcore::Buffer<Label> bits = bitsOf(labels, padded, padded);
          parts.push_back(segcore::jointPart(bits.data(), padded, block, this->Job.whole()));
        }
      });
    this->Comm.run([&] { this->join(parts); });
  }

  /// The parts of the blocks as one: their points meet.
  void join(std::vector<segcore::JointPart<Label>>& parts)
  {
    if (parts.size() == 1)
    {
      this->Part = std::move(parts[0]);
      return;
    }
    std::vector<std::pair<Index, std::uint8_t>> points;
    for (const auto& part : parts)
    {
      for (std::size_t p = 0; p < part.cells.size(); ++p)
      {
        points.emplace_back(part.cells[p], part.stencils[p]);
      }
    }
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    for (const auto& [cell, stencil] : points)
    {
      this->Part.cells.push_back(cell);
      this->Part.stencils.push_back(stencil);
    }
    for (const auto& part : parts)
    {
      const std::vector<Index> places = this->placesOf(part.cells, this->Part.cells);
      for (const Index corner : part.quads)
      {
        this->Part.quads.push_back(places[static_cast<std::size_t>(corner)]);
      }
      this->Part.labels.insert(this->Part.labels.end(), part.labels.begin(), part.labels.end());
    }
  }

  /// Where the first cells are among the second ones; both ascend.
  static std::vector<Index> placesOf(
    const std::vector<Index>& cells, const std::vector<Index>& among)
  {
    std::vector<Index> places;
    places.reserve(cells.size());
    auto found = among.begin();
    for (const Index cell : cells)
    {
      found = std::lower_bound(found, among.end(), cell);
      places.push_back(found - among.begin());
    }
    return places;
  }

  /// Collective. Adds the points that the own ones move with; others are not computed here.
  void addNeighbours(segcore::PointExchange& points)
  {
    this->Comm.run(
      [&]
      {
        std::vector<Index> all = this->Part.cells;
        for (std::size_t p = 0; p < this->Part.cells.size(); ++p)
        {
          if (!points.owned()[p])
          {
            this->Part.stencils[p] = 0;
          }
          for (int face = 0; face < 6; ++face)
          {
            if ((this->Part.stencils[p] >> face) & 1)
            {
              all.push_back(this->Part.cells[p] + this->Lattice.step(face));
            }
          }
        }
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        const std::vector<Index> places = this->placesOf(this->Part.cells, all);
        std::vector<std::uint8_t> stencils(all.size(), 0);
        for (std::size_t p = 0; p < places.size(); ++p)
        {
          stencils[static_cast<std::size_t>(places[p])] = this->Part.stencils[p];
        }
        for (Index& corner : this->Part.quads)
        {
          corner = places[static_cast<std::size_t>(corner)];
        }
        this->Part.cells = std::move(all);
        this->Part.stencils = std::move(stencils);
      });
    points.need(this->Part.cells);
  }

  /// Collective. Moves the points, and finds where rows cross what comes out.
  void smooth(const segcore::PointExchange& points, Rows& rows)
  {
    constexpr int Width = 4;
    std::unique_ptr<segcore::SincSmoother> smoother;
    this->Comm.run(
      [&]
      {
        smoother = std::make_unique<segcore::SincSmoother>(
          this->Lattice, this->Part.cells, this->Part.stencils, this->Options);
      });
    for (int step = 0; step < smoother->steps(); ++step)
    {
      this->Comm.run(
        [&]
        {
          this->Job.progress().step(0.2 + 0.6 * step / smoother->steps());
          smoother->step(step);
        });
      points.refresh(smoother->values(), Width);
    }
    this->Comm.run([&] { smoother->finish(); });
    points.refresh(smoother->values(), Width);
    this->Comm.run(
      [&]
      {
        segcore::jointCrossings(this->Lattice, this->Part.cells, smoother->values(),
          this->Part.quads, this->Part.labels, rows, this->Job.progress().part(0.8, 0.9));
        this->Part = segcore::JointPart<Label>();
      });
  }

  /// Collective. What each of the own blocks needs of all ranks' rows, sorted.
  std::vector<Rows> toOwners(Rows&& found) const
  {
    std::vector<Rows> own;
    if (this->Comm.size() == 1)
    {
      this->Comm.run(
        [&]
        {
          own.push_back(std::move(found));
          own.back().sort();
        });
      return own;
    }
    std::vector<segcore::Bytes> messages(static_cast<std::size_t>(this->Comm.size()));
    const Index origin = this->Job.whole().lo[2];
    this->Comm.run(
      [&]
      {
        found.sort();
        const segcore::Distribution& layout = this->Job.distribution();
        for (int rank = 0; rank < this->Comm.size(); ++rank)
        {
          segcore::MessageWriter writer;
          for (Index b = layout.firstBlock(rank); b < layout.firstBlock(rank + 1); ++b)
          {
            const Box& box = layout.blocks()[static_cast<std::size_t>(b)].box;
            for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
            {
              writer.put(found.sliceFor(box, z - origin));
            }
          }
          messages[static_cast<std::size_t>(rank)] = writer.take();
        }
        found = Rows(this->Job.whole());
      });
    const std::vector<segcore::Bytes> received = this->Comm.exchange(std::move(messages));
    this->Comm.run(
      [&]
      {
        own.assign(this->Own.size(), Rows(this->Job.whole()));
        for (const segcore::Bytes& bytes : received)
        {
          segcore::MessageReader reader(bytes);
          for (std::size_t b = 0; b < own.size(); ++b)
          {
            for (Index z = this->Own[b].lo[2]; z <= this->Own[b].hi[2]; ++z)
            {
              const std::vector<Crossing> some = reader.template getArray<Crossing>();
              std::vector<Crossing>& slice = own[b].slice(z - origin);
              slice.insert(slice.end(), some.begin(), some.end());
            }
          }
        }
        for (Rows& rows : own)
        {
          rows.sort();
        }
      });
    return own;
  }

  segcore::EffectJob& Job;
  const segcore::Communicator& Comm;
  const T* Labels;
  T* Out;
  segcore::CellLattice Lattice;
  double SurfaceBytes;
  segcore::WindowedSincOptions Options;
  std::vector<Box> Own; ///< What this rank writes.
  segcore::JointPart<Label> Part;
};

} // namespace

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapJointSmoothing::CheckParameters() const
{
  return segcore::checkRange(
    "JointTaubinSmoothingFactor", this->JointTaubinSmoothingFactor, 0.01, 1.0);
}

//------------------------------------------------------------------------------------------------
/// Surfaces bulge by a voxel or two at most where corners go.
void vtkLabelMapJointSmoothing::GetReach(const double*, std::int64_t reach[3]) const
{
  std::fill_n(reach, 3, std::int64_t{ 8 });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapJointSmoothing::ExecuteTyped(segcore::EffectJob& job)
{
  Smoother<T>(job, this->JointTaubinSmoothingFactor, this->SurfaceBytesPerVoxel).run();
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapJointSmoothing::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapJointSmoothing::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "JointTaubinSmoothingFactor: " << this->JointTaubinSmoothingFactor << "\n";
  os << indent << "SurfaceBytesPerVoxel: " << this->SurfaceBytesPerVoxel << "\n";
}
