// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapJointSmoothing.h"

#include "EffectJob.h"
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

  Smoother(segcore::EffectJob& job, double factor)
    : Job(job)
    , Comm(job.communicator())
    , Labels(job.input<T>())
    , Out(job.makeOutput<T>(job.scalarType(), job.inputName()))
    , Lattice(job.whole())
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
    this->makeParts();
    segcore::PointExchange points(this->Comm, this->Part.cells);
    this->addNeighbours(points);
    std::vector<Crossing> crossings = this->smooth(points);
    crossings = this->toOwners(std::move(crossings));
    this->Comm.run(
      [&]
      {
        for (const Box& box : this->Own)
        {
          segcore::fillFromCrossings(crossings, this->Job.whole(), box, this->Job.piece(),
            this->Labels, this->Out, Whole<T>::back, this->Job.progress().part(0.9, 1.0));
        }
      });
    segcore::completePiece(this->Comm, this->Job.distribution(), this->Out);
  }

private:
  using Crossing = segcore::JointCrossing<Label>;

  /// Collective. The surface that this rank owns.
  void makeParts()
  {
    std::vector<segcore::JointPart<Label>> parts;
    const auto add = [&](const T* labels, const Box& padded, const Box& block)
    {
      if constexpr (Whole<T>::Same)
      {
        parts.push_back(segcore::jointPart(labels, padded, block, this->Job.whole()));
      }
      else
      {
        segcore::Buffer<Index> bits(padded.size());
        std::transform(labels, labels + padded.size(), bits.begin(), Whole<T>::from);
        parts.push_back(segcore::jointPart(bits.data(), padded, block, this->Job.whole()));
      }
    };
    if (this->Comm.size() == 1)
    {
      this->Comm.run([&] { add(this->Labels, this->Job.piece(), this->Job.piece()); });
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
                add(around.data(), padded, block->box);
              }
            });
        });
    }
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
    if (this->Comm.size() == 1)
    {
      return;
    }
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
  std::vector<Crossing> smooth(const segcore::PointExchange& points)
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
    std::vector<Crossing> crossings;
    this->Comm.run(
      [&]
      {
        crossings = segcore::jointCrossings(this->Lattice, this->Part.cells, smoother->values(),
          this->Part.quads, this->Part.labels, this->Job.progress().part(0.8, 0.9));
        this->Part = segcore::JointPart<Label>();
      });
    return crossings;
  }

  /// Collective. Each rank gets the crossings of its rows, as far as its voxels reach along x; each
  /// one once.
  std::vector<Crossing> toOwners(std::vector<Crossing> crossings) const
  {
    if (this->Comm.size() == 1)
    {
      return crossings;
    }
    std::vector<segcore::Bytes> messages(static_cast<std::size_t>(this->Comm.size()));
    this->Comm.run(
      [&]
      {
        const Index* origin = this->Job.whole().lo;
        const segcore::Distribution& layout = this->Job.distribution();
        for (int rank = 0; rank < this->Comm.size(); ++rank)
        {
          const auto first = layout.blocks().begin() + layout.firstBlock(rank);
          const auto last = layout.blocks().begin() + layout.firstBlock(rank + 1);
          std::vector<Crossing> some;
          for (const Crossing& crossing : crossings)
          {
            const Index x = origin[0] + crossing.x;
            const Index y = origin[1] + crossing.y;
            const Index z = origin[2] + crossing.z;
            if (std::any_of(first, last,
                  [=](const segcore::Block& block)
                  {
                    const Box& box = block.box;
                    return x <= box.hi[0] && box.lo[1] <= y && y <= box.hi[1] && box.lo[2] <= z &&
                      z <= box.hi[2];
                  }))
            {
              some.push_back(crossing);
            }
          }
          segcore::MessageWriter writer;
          writer.put(some);
          messages[static_cast<std::size_t>(rank)] = writer.take();
        }
        crossings = std::vector<Crossing>();
      });
    const std::vector<segcore::Bytes> received = this->Comm.exchange(std::move(messages));
    this->Comm.run(
      [&]
      {
        for (const segcore::Bytes& bytes : received)
        {
          segcore::MessageReader reader(bytes);
          const std::vector<Crossing> some = reader.template getArray<Crossing>();
          crossings.insert(crossings.end(), some.begin(), some.end());
        }
      });
    return crossings;
  }

  segcore::EffectJob& Job;
  const segcore::Communicator& Comm;
  const T* Labels;
  T* Out;
  segcore::CellLattice Lattice;
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
  Smoother<T>(job, this->JointTaubinSmoothingFactor).run();
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
}
