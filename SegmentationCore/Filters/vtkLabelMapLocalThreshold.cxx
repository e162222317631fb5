// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapLocalThreshold.h"

#include "BallMask.h"
#include "BoxMajority.h"
#include "ComponentJoin.h"
#include "ConnectedComponents.h"
#include "EffectJob.h"
#include "FloodExchange.h"
#include "GradientLevels.h"
#include "LocalMask.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SeedGrowthBlocks.h"
#include "SeedLabels.h"
#include "Threshold.h"
#include "WatershedBlocks.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

vtkStandardNewMacro(vtkLabelMapLocalThreshold);

namespace
{
using segcore::BitBlock;
using segcore::Block;
using segcore::Box;
using segcore::Index;

constexpr double Unbounded = 1e299;
constexpr Index MostVoxels = 255;  // of the ellipsoid along an axis
constexpr Index LeastVoxels = 125; // of an island

/// What the output holds on the way, for each voxel of the own blocks.
enum Marker
{
  Free = 0, ///< within the thresholds, and of no core
  Other = 1,
  Selected = 2,
  Outside = 3 ///< of the thresholds
};

/// Where the values of a volume are within the thresholds, whatever their type.
struct Inside
{
  /// Collective. Bits from the owners of the voxels.
  std::function<void(const std::vector<segcore::BitRequest>&)> fetch;
  /// A row of this rank's voxels as bytes. Threads: yes.
  std::function<void(Index i, Index j, Index k, Index count, std::uint8_t* bytes)> row;
};

template <class V>
Inside insideOf(const segcore::EffectJob& job, double lower, double upper)
{
  const auto interval = segcore::Interval<V>::between(lower, upper);
  Inside inside;
  inside.fetch = [&job, interval](const std::vector<segcore::BitRequest>& requests)
  {
    segcore::fetchBits(
      job.communicator(), job.distribution(), job.volume<V>(),
      [interval](V value) { return interval.contains(value); }, requests);
  };
  inside.row = [&job, interval](Index i, Index j, Index k, Index count, std::uint8_t* bytes)
  {
    const V* values = job.volume<V>() + job.piece().offset(i, j, k);
    for (Index x = 0; x < count; ++x)
    {
      bytes[x] = interval.contains(values[x]) ? 1 : 0;
    }
  };
  return inside;
}

/// Collective. Calls work(block, progress) for each own block in turn, null where other ranks have
/// more of them.
template <class Work>
void inTurn(segcore::EffectJob& job, const segcore::Progress& progress, const Work& work)
{
  const auto& blocks = job.distribution().localBlocks();
  const auto own = static_cast<Index>(blocks.size());
  const Index turns = job.communicator().allReduceMax(own);
  for (Index turn = 0; turn < turns; ++turn)
  {
    const double all = static_cast<double>(turns), done = static_cast<double>(turn);
    work(turn < own ? &blocks[static_cast<std::size_t>(turn)] : nullptr,
      progress.part(done / all, (done + 1.0) / all));
  }
}

/// Collective. The islands of the cores in each own block.
std::vector<segcore::ComponentRuns> coresOf(segcore::EffectJob& job, const Inside& inside,
  const segcore::Ball& ball, const segcore::Progress& progress)
{
  std::vector<segcore::ComponentRuns> cores;
  inTurn(job, progress,
    [&](const Block* block, const segcore::Progress& part)
    {
      BitBlock mask;
      std::vector<segcore::BitRequest> requests;
      job.communicator().run(
        [&]
        {
          if (block)
          {
            mask = BitBlock(block->box.grown(ball.reach()).clipped(job.whole()));
            requests.emplace_back(mask);
          }
        });
      inside.fetch(requests);
      job.communicator().run(
        [&]
        {
          if (!block)
          {
            return;
          }
          BitBlock core(block->box);
          segcore::shrinkBits(mask, ball, core, part);
          mask = BitBlock();
          cores.push_back(segcore::labelComponents(block->box, job.whole(),
            segcore::Connectivity::Faces, [&core](Index y, Index z, segcore::Word* bits)
            { std::copy_n(core.row(y, z), core.words, bits); }));
        });
    });
  return cores;
}

/// Collective. The voxel of a large enough core that is nearest to each position, as its index in
/// the whole image; -1 if there is none so near.
std::vector<Index> snapped(const segcore::EffectJob& job,
  const std::vector<std::array<double, 3>>& positions,
  const std::vector<segcore::ComponentRuns>& cores, double millimetres)
{
  constexpr Index none = std::numeric_limits<Index>::max();
  const double* spacing = job.geometry().Spacing;
  const Box& whole = job.whole();
  const double limit = millimetres * millimetres * (1.0 + 1e-12);
  std::vector<double> squares(positions.size(), std::numeric_limits<double>::infinity());
  std::vector<Index> voxels(positions.size(), none);
  job.communicator().run(
    [&]
    {
      for (std::size_t p = 0; p < positions.size(); ++p)
      {
        const auto& at = positions[p];
        const auto away = [&](int a, Index index)
        { return static_cast<double>(index) - at[static_cast<std::size_t>(a)]; };
        const auto square = [&](Index i, Index j, Index k)
        {
          const double x = away(0, i) * spacing[0];
          const double y = away(1, j) * spacing[1];
          const double z = away(2, k) * spacing[2];
          return x * x + y * y + z * z;
        };
        const auto isIn = [&](Index i, Index j, Index k)
        {
          return std::abs(away(0, i)) <= 0.5 && std::abs(away(1, j)) <= 0.5 &&
            std::abs(away(2, k)) <= 0.5;
        };
        Box around;
        for (int a = 0; a < 3; ++a)
        {
          // One more than needed; the distance decides. No more than the image has.
          const double reach =
            std::min(millimetres / spacing[a] + 1.0, static_cast<double>(whole.dim(a)));
          const double centre = at[static_cast<std::size_t>(a)];
          around.lo[a] = static_cast<Index>(std::floor(centre - reach));
          around.hi[a] = static_cast<Index>(std::ceil(centre + reach));
        }
        for (const segcore::ComponentRuns& runs : cores)
        {
          const Box box = around.clipped(runs.box());
          for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
          {
            for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
            {
              runs.forEachRun(j, k,
                [&](Index x0, Index x1, Index component)
                {
                  // Of two equally near voxels of a row the first.
                  const auto nearest = static_cast<Index>(std::ceil(at[0] - 0.5));
                  const Index i = std::min(std::max(nearest, x0), x1);
                  const double distance = square(i, j, k);
                  const Index voxel = whole.offset(i, j, k);
                  const bool nearer =
                    distance < squares[p] || (distance == squares[p] && voxel < voxels[p]);
                  if (nearer && (distance <= limit || isIn(i, j, k)) &&
                    runs.size(component) >= LeastVoxels)
                  {
                    squares[p] = distance;
                    voxels[p] = voxel;
                  }
                });
            }
          }
        }
      }
    });
  const std::vector<double> own(squares);
  job.communicator().allReduceMin(squares.data(), static_cast<std::int64_t>(squares.size()));
  for (std::size_t p = 0; p < positions.size(); ++p)
  {
    voxels[p] = own[p] == squares[p] ? voxels[p] : none;
  }
  job.communicator().allReduceMin(voxels.data(), static_cast<std::int64_t>(voxels.size()));
  std::replace(voxels.begin(), voxels.end(), none, Index{ -1 });
  return voxels;
}

/// Writes the markers of the own blocks.
template <class T>
void writeMarkers(segcore::EffectJob& job, const Inside& inside,
  const std::vector<segcore::ComponentRuns>& cores, const std::vector<segcore::Island>& selected,
  T* out)
{
  for (const segcore::ComponentRuns& runs : cores)
  {
    std::vector<decltype(runs.ofIsland(segcore::Island()))> tests;
    for (const segcore::Island& island : selected)
    {
      tests.push_back(runs.ofIsland(island));
    }
    const auto markerOf = [&](Index component)
    {
      if (runs.size(component) < LeastVoxels)
      {
        return Free;
      }
      const bool any = std::any_of(
        tests.begin(), tests.end(), [component](const auto& test) { return test(component); });
      return any ? Selected : Other;
    };
    const Box& box = runs.box();
    segcore::forRanges(box.rows(), 64,
      [&](Index begin, Index end)
      {
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(box.dim(0)));
        for (Index r = begin; r < end; ++r)
        {
          const Index j = box.lo[1] + r % box.dim(1), k = box.lo[2] + r / box.dim(1);
          inside.row(box.lo[0], j, k, box.dim(0), bytes.data());
          T* row = out + job.piece().offset(box.lo[0], j, k);
          for (Index x = 0; x < box.dim(0); ++x)
          {
            row[x] = bytes[static_cast<std::size_t>(x)] ? T(Free) : T(Outside);
          }
          runs.forEachRun(j, k, [&](Index x0, Index x1, Index component)
            { std::fill_n(row + (x0 - box.lo[0]), x1 - x0 + 1, T(markerOf(component))); });
        }
      });
  }
}

/// Collective. From markers to labels: the selected seeds, and what they grow to.
template <class T>
void growCut(
  segcore::EffectJob& job, T label, const T* labels, T* out, const segcore::Progress& progress)
{
  const Box& piece = job.piece();
  const segcore::BlockLevels levels(job, true);
  const double* spacing = job.geometry().Spacing;
  const double smallest = *std::min_element(spacing, spacing + 3);
  // Just enough to make longer paths dearer: 4, 6 and 7 units for steps between cubes.
  const segcore::SeedGrowthCosts costs =
    segcore::seedGrowthCosts(spacing, 4.0 / (smallest * levels.unit), levels, Outside);
  const segcore::SeedRows seeds = [out, &piece](
                                    Index i, Index j, Index k, Index count, std::int32_t* numbers)
  {
    const T* row = out + piece.offset(i, j, k);
    for (Index x = 0; x < count; ++x)
    {
      numbers[x] = static_cast<std::int32_t>(row[x]);
    }
  };
  segcore::growSeeds(job, levels, costs, seeds, progress,
    [&](const auto& growth)
    {
      job.communicator().run(
        [&]
        {
          growth.forRows(
            [&](const auto* keys, Index i, Index j, Index k, Index count, std::int32_t*)
            {
              const Index at = piece.offset(i, j, k);
              for (Index x = 0; x < count; ++x)
              {
                out[at + x] = growth.label(keys[x]) == Selected ? label : labels[at + x];
              }
            });
        });
    });
}

/// Markers in the output, and there the labels of a flood as well: those that are no markers are
/// moved by 8, so that markers can be told from them.
template <class T>
class MarkerLabels : public segcore::WatershedLabels
{
public:
  MarkerLabels(T* out, const Box& piece) : Out(out), Piece(piece) {}

  void readMarkers(Index i, Index j, Index k, Index count, std::int32_t* labels) const override
  {
    this->read(i, j, k, count, labels, [](T value) { return value < T(Moved) ? value : T(Free); });
  }

  void writeLabels(
    Index i, Index j, Index k, Index count, const std::int32_t* labels) const override
  {
    T* row = this->Out + this->Piece.offset(i, j, k);
    for (Index x = 0; x < count; ++x)
    {
      const bool marker = row[x] != T(Free) && row[x] < T(Moved);
      row[x] = marker ? row[x] : T(labels[x] == Free ? Free : labels[x] + Moved);
    }
  }

  void readLabels(Index i, Index j, Index k, Index count, std::int32_t* labels) const override
  {
    this->read(i, j, k, count, labels, [](T value) { return labelOf(value); });
  }

  static T labelOf(T value) { return value < T(Moved) ? value : T(value - T(Moved)); }

private:
  static constexpr int Moved = 8;

  template <class Value>
  void read(Index i, Index j, Index k, Index count, std::int32_t* labels, const Value& value) const
  {
    const T* row = this->Out + this->Piece.offset(i, j, k);
    for (Index x = 0; x < count; ++x)
    {
      labels[x] = static_cast<std::int32_t>(value(row[x]));
    }
  }

  T* Out;
  Box Piece;
};

/// Collective. From markers to labels: the selected seeds, and what they flood.
template <class T>
void flood(segcore::EffectJob& job, double scale, T label, const T* labels, T* out,
  const segcore::Progress& progress)
{
  const segcore::Communicator& communicator = job.communicator();
  const Box& piece = job.piece();
  segcore::GradientLevels levels(job, "FeatureSizeMm", scale, progress.part(0.0, 0.3));
  std::vector<segcore::WatershedBlock> blocks(job.distribution().localBlocks().size());
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        blocks[b].relief = levels.block(b);
        blocks[b].labels = std::make_unique<MarkerLabels<T>>(out, piece);
      }
    });
  segcore::floodBlocks(communicator, job.distribution(), blocks, progress.part(0.3, 1.0));
  communicator.run(
    [&]
    {
      for (const Block& block : job.distribution().localBlocks())
      {
        const Box& box = block.box;
        segcore::forRanges(box.rows(), 256,
          [&](Index begin, Index end)
          {
            for (Index r = begin; r < end; ++r)
            {
              const Index at =
                piece.offset(box.lo[0], box.lo[1] + r % box.dim(1), box.lo[2] + r / box.dim(1));
              for (Index i = at; i < at + box.dim(0); ++i)
              {
                out[i] = MarkerLabels<T>::labelOf(out[i]) == T(Selected) ? label : labels[i];
              }
            }
          });
      }
    });
}

/// Collective. From markers to labels: the selected islands, and what can be reached from the
/// voxels `starts` away from other islands.
template <class T>
void maskAndFlood(segcore::EffectJob& job, const segcore::Ball& ball,
  const std::vector<Index>& starts, T label, const T* labels, T* out,
  const segcore::Progress& progress)
{
  const segcore::Communicator& communicator = job.communicator();
  const Box& piece = job.piece();
  const Box& whole = job.whole();
  std::vector<BitBlock> covered; // by ellipsoids around other islands
  inTurn(job, progress.part(0.0, 0.5),
    [&](const Block* block, const segcore::Progress& part)
    {
      BitBlock others;
      std::vector<segcore::BitRequest> requests;
      communicator.run(
        [&]
        {
          if (block)
          {
            others = BitBlock(block->box.grown(ball.reach()).clipped(whole));
            requests.emplace_back(others);
          }
        });
      segcore::fetchBits(
        communicator, job.distribution(), static_cast<const T*>(out),
        [](T marker) { return marker == T(Other); }, requests);
      communicator.run(
        [&]
        {
          if (block)
          {
            covered.emplace_back(block->box);
            segcore::growBits(others, ball, covered.back(), part);
          }
        });
    });
  std::vector<segcore::FloodFill> floods;
  communicator.run(
    [&]
    {
      for (const BitBlock& excluded : covered)
      {
        floods.emplace_back(excluded.box, whole, segcore::Connectivity::Faces,
          [&excluded, &piece, out](Index x, Index y, Index z, Index count)
          {
            const T* row = out + piece.offset(x, y, z);
            segcore::Word free = 0, selected = 0, without = 0;
            segcore::packWhere(count, &free, [row](Index i) { return row[i] != T(Outside); });
            segcore::packWhere(count, &selected, [row](Index i) { return row[i] == T(Selected); });
            segcore::copyBits(excluded.row(y, z), x - excluded.box.lo[0], count, &without);
            return (free & ~without) | selected;
          });
        for (const Index start : starts)
        {
          floods.back().seed(whole.lo[0] + start % whole.dim(0),
            whole.lo[1] + start / whole.dim(0) % whole.dim(1),
            whole.lo[2] + start / whole.dim(0) / whole.dim(1));
        }
      }
    });
  segcore::floodAcross(communicator, job.distribution(), floods, progress.part(0.5, 1.0));
  communicator.run(
    [&]
    {
      std::copy_n(labels, piece.size(), out);
      for (const segcore::FloodFill& flood : floods)
      {
        flood.forEachRun([&](Index x0, Index x1, Index y, Index z)
          { std::fill_n(out + piece.offset(x0, y, z), x1 - x0 + 1, label); });
      }
    });
}
}

//------------------------------------------------------------------------------------------------
vtkLabelMapLocalThreshold::vtkLabelMapLocalThreshold()
{
  this->SetNumberOfInputPorts(2); // the second one is the volume
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapLocalThreshold::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange("MinimumThreshold", this->MinimumThreshold, -Unbounded, Unbounded),
    segcore::checkRange("MaximumThreshold", this->MaximumThreshold, -Unbounded, Unbounded),
    segcore::checkRange("MinimumDiameterMm", this->MinimumDiameterMm, 0.0, 1e6),
    segcore::checkRange<int>(
      "SegmentationAlgorithm", this->SegmentationAlgorithm, GROW_CUT, WATERSHED),
    segcore::checkRange("FeatureSizeMm", this->FeatureSizeMm, 0.0, 10.0),
    this->CheckPoints(true),
  });
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapLocalThreshold::GetWriteMode() const
{
  return segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapLocalThreshold::ExecuteTyped(segcore::EffectJob& job)
{
  const segcore::Communicator& communicator = job.communicator();
  const double* spacing = job.geometry().Spacing;
  Index narrow[3], wide[3];
  communicator.run(
    [&]
    {
      job.progress().step(0.0);
      for (int a = 0; a < 3; ++a)
      {
        narrow[a] = segcore::kernelVoxels(this->MinimumDiameterMm, spacing[a]);
        wide[a] = 2 * narrow[a] - 1;
        segcore::requireVoxels(
          "MinimumDiameterMm", this->MinimumDiameterMm, narrow[a], spacing[a], MostVoxels);
      }
    });
  Inside inside;
  // "Unbounded" includes the infinities of floating volumes.
  const double infinity = std::numeric_limits<double>::infinity();
  const double lower = this->MinimumThreshold <= -Unbounded ? -infinity : this->MinimumThreshold;
  const double upper = this->MaximumThreshold >= Unbounded ? infinity : this->MaximumThreshold;
  switch (job.volumeType())
  {
    segcoreTemplateMacro(inside = insideOf<VTK_TT>(job, lower, upper));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }

  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  std::vector<Index> starts;
  {
    std::vector<segcore::ComponentRuns> cores =
      coresOf(job, inside, segcore::kernelBall(narrow), job.progress().part(0.0, 0.1));
    const segcore::ComponentJoin islands(
      communicator, job.distribution(), cores, segcore::Connectivity::Faces);
    starts = snapped(
      job, this->FindPositions(job.geometry(), job.whole()), cores, this->MinimumDiameterMm);
    starts.erase(std::remove(starts.begin(), starts.end(), Index{ -1 }), starts.end());
    std::vector<segcore::Island> selected;
    const Box& whole = job.whole();
    for (const Index start : starts)
    {
      const segcore::Island island = islands.at(communicator, whole.lo[0] + start % whole.dim(0),
        whole.lo[1] + start / whole.dim(0) % whole.dim(1),
        whole.lo[2] + start / whole.dim(0) / whole.dim(1));
      if (std::find(selected.begin(), selected.end(), island) == selected.end())
      {
        selected.push_back(island);
      }
    }
    communicator.run([&] { writeMarkers(job, inside, cores, selected, out); });
  }
  if (starts.empty())
  {
    communicator.run([&] { std::copy_n(labels, job.piece().size(), out); });
    return;
  }
  const segcore::Progress progress = job.progress().part(0.2, 1.0);
  switch (this->SegmentationAlgorithm)
  {
    case MASKING:
      maskAndFlood(job, segcore::kernelBall(wide), starts, label, labels, out, progress);
      break;
    case WATERSHED:
      flood(job, this->FeatureSizeMm, label, labels, out, progress);
      break;
    default:
      growCut(job, label, labels, out, progress);
  }
  segcore::completePiece(communicator, job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalThreshold::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreEqualityMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLocalThreshold::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MinimumThreshold: " << this->MinimumThreshold << "\n";
  os << indent << "MaximumThreshold: " << this->MaximumThreshold << "\n";
  os << indent << "MinimumDiameterMm: " << this->MinimumDiameterMm << "\n";
  os << indent << "FeatureSizeMm: " << this->FeatureSizeMm << "\n";
  os << indent << "SegmentationAlgorithm: " << this->SegmentationAlgorithm << "\n";
}
