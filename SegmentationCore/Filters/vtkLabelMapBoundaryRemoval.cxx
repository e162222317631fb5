// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapBoundaryRemoval.h"

#include "AutoThreshold.h"
#include "EffectJob.h"
#include "GradientMagnitude.h"
#include "Histogram.h"
#include "LocalMask.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "Threads.h"

#include "vtkObjectFactory.h"

#include <limits>
#include <memory>
#include <mutex>

vtkStandardNewMacro(vtkLabelMapBoundaryRemoval);

namespace
{
using segcore::Block;
using segcore::Box;
using segcore::Index;

constexpr int OtsuBins = 64;

/// A block whose gradient can be asked for, whatever the type of the volume.
class GradientBlock
{
public:
  explicit GradientBlock(const Box& block) : Block_(block) {}
  virtual ~GradientBlock() = default;
  const Box& box() const { return this->Block_; }
  /// Gradient magnitudes of a row of the block.
  virtual void row(Index y, Index z, const double spacing[3], double* out) const = 0;

private:
  const Box Block_;
};

using GradientBlocks = std::vector<std::unique_ptr<GradientBlock>>;

/// A block of the volume in place, and copies of the voxels around it.
template <class T>
class VolumeBlock : public GradientBlock
{
public:
  VolumeBlock(const T* values, const Box& piece, const Box& block, const Box& whole)
    : GradientBlock(block), Values(values), Piece(piece), Whole(whole)
  {
  }

  /// Appends what it has to be told about the voxels around it.
  void ask(std::vector<segcore::Request<T>>& requests)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      for (int side = 0; side < 2; ++side)
      {
        Box face = this->box();
        const Index at = side ? face.hi[axis] + 1 : face.lo[axis] - 1;
        face.lo[axis] = face.hi[axis] = at;
        face = face.clipped(this->Whole);
        if (!face.empty())
        {
          Face& to = this->Faces[2 * axis + side];
          to.box = face;
          to.values = segcore::Buffer<T>(face.size());
          requests.emplace_back(face, to.values.data());
        }
      }
    }
  }

  void row(Index y, Index z, const double spacing[3], double* out) const override
  {
    const Box& b = this->box();
    const T* row = this->rowAt(y, z, nullptr);
    const segcore::GradientRows<T> rows{ row, this->rowAt(y - 1, z, row),
      this->rowAt(y + 1, z, row), this->rowAt(y, z - 1, row), this->rowAt(y, z + 1, row),
      this->end(0, y, z, row[0]), this->end(1, y, z, row[b.dim(0) - 1]) };
    segcore::gradientMagnitude(rows, b.dim(0), spacing, out);
  }

private:
  struct Face
  {
    Box box;
    segcore::Buffer<T> values;
  };

  /// The voxels of the block's width; `own` beyond the end of the image.
  const T* rowAt(Index y, Index z, const T* own) const
  {
    const Box& b = this->box();
    if (b.contains(b.lo[0], y, z))
    {
      return this->Values + this->Piece.offset(b.lo[0], y, z);
    }
    const Face& face = this->Faces[y < b.lo[1] ? 2 : y > b.hi[1] ? 3 : z < b.lo[2] ? 4 : 5];
    return face.box.empty() ? own : face.values.data() + face.box.offset(b.lo[0], y, z);
  }

  T end(int side, Index y, Index z, T own) const
  {
    const Face& face = this->Faces[side];
    return face.box.empty() ? own : face.values[face.box.offset(face.box.lo[0], y, z)];
  }

  const T* Values;
  Box Piece;
  Box Whole;
  Face Faces[6];
};

/// Calls work(y, z, magnitudes) for all rows of the blocks, from several threads.
template <class Work>
void forEachRow(const GradientBlocks& blocks, const double spacing[3],
  const segcore::Progress& progress, const Work& work)
{
  for (const auto& block : blocks)
  {
    const Box& box = block->box();
    segcore::forRanges(box.rows(), 64, progress,
      [&](Index begin, Index end)
      {
        segcore::Buffer<double> magnitudes(box.dim(0));
        for (Index r = begin; r < end; ++r)
        {
          const Index y = box.lo[1] + r % box.dim(1);
          const Index z = box.lo[2] + r / box.dim(1);
          block->row(y, z, spacing, magnitudes.data());
          work(box, y, z, magnitudes.data());
        }
      });
  }
}

/// Collective. This rank's blocks, with what they must know of others.
template <class T>
void makeBlocks(segcore::EffectJob& job, GradientBlocks& blocks)
{
  std::vector<segcore::Request<T>> requests;
  job.communicator().run(
    [&]
    {
      for (const Block& block : job.distribution().localBlocks())
      {
        auto made =
          std::make_unique<VolumeBlock<T>>(job.input<T>(), job.piece(), block.box, job.whole());
        made->ask(requests);
        blocks.push_back(std::move(made));
      }
    });
  segcore::fetchLabels(job.communicator(), job.distribution(), job.input<T>(), requests);
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapBoundaryRemoval::CheckParameters() const
{
  return segcore::firstError({
    segcore::checkRange("MinimumThreshold", this->MinimumThreshold, 0.0, 1e299),
    segcore::checkRange("MaximumThreshold", this->MaximumThreshold, 0.0, 1e299),
  });
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapBoundaryRemoval::GetWriteMode() const
{
  return this->AllSegments ? segcore::WriteMode::RemoveAll : segcore::WriteMode::Remove;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapBoundaryRemoval::Execute(segcore::EffectJob& job)
{
  const segcore::Communicator& communicator = job.communicator();
  const double* spacing = job.geometry().Spacing;
  GradientBlocks blocks;
  switch (job.scalarType())
  {
    segcoreTemplateMacro(makeBlocks<VTK_TT>(job, blocks));
    default:
      throw segcore::AgreedError("the volume has an unknown scalar type");
  }

  double lower = this->MinimumThreshold;
  const double upper = this->MaximumThreshold >= 1e299 ? std::numeric_limits<double>::infinity()
                                                       : this->MaximumThreshold;
  if (this->AutoThreshold)
  {
    std::mutex mutex;
    segcore::ScalarRange range;
    communicator.run(
      [&]
      {
        forEachRow(blocks, spacing, job.progress().part(0.0, 0.3),
          [&](const Box& box, Index, Index, const double* magnitudes)
          {
            segcore::ScalarRange own;
            segcore::accumulateRange(magnitudes, box.dim(0), own);
            const std::lock_guard<std::mutex> lock(mutex);
            range.add(own);
          });
      });
    const double infinity = std::numeric_limits<double>::infinity();
    range.min = communicator.allReduceMin(range.any ? range.min : infinity);
    range.max = communicator.allReduceMax(range.any ? range.max : -infinity);
    segcore::AutoThreshold found;
    if (range.min < range.max)
    {
      const segcore::HistogramBins bins = segcore::binsFor(range, OtsuBins);
      std::vector<std::int64_t> counts(OtsuBins, 0);
      communicator.run(
        [&]
        {
          forEachRow(blocks, spacing, job.progress().part(0.3, 0.6),
            [&](const Box& box, Index, Index, const double* magnitudes)
            {
              std::int64_t own[OtsuBins] = {};
              segcore::accumulateHistogram(magnitudes, box.dim(0), bins, own);
              const std::lock_guard<std::mutex> lock(mutex);
              std::transform(own, own + OtsuBins, counts.begin(), counts.begin(),
                [](std::int64_t a, std::int64_t b) { return a + b; });
            });
        });
      communicator.allReduceSum(counts.data(), OtsuBins);
      communicator.run([&]
        { found = segcore::autoThreshold(segcore::ThresholdMethod::Otsu, bins, counts.data()); });
    }
    // No threshold: nothing stands out.
    lower = found.valid ? found.threshold : std::numeric_limits<double>::quiet_NaN();
  }

  const auto write = [&](auto label, int vtkType)
  {
    using Label = decltype(label);
    Label* out = job.makeOutput<Label>(vtkType, "Labels");
    communicator.run(
      [&]
      {
        forEachRow(blocks, spacing, job.progress().part(0.6, 1.0),
          [&](const Box& box, Index y, Index z, const double* magnitudes)
          {
            Label* to = out + job.piece().offset(box.lo[0], y, z);
            for (Index i = 0; i < box.dim(0); ++i)
            {
              // Nothing is between numbers that are none.
              to[i] = magnitudes[i] >= lower && magnitudes[i] <= upper ? label : Label(0);
            }
          });
      });
    segcore::completePiece(communicator, job.distribution(), out);
  };
  const Index label = job.segmentLabel();
  if (label <= std::numeric_limits<std::uint8_t>::max())
  {
    write(static_cast<unsigned char>(label), VTK_UNSIGNED_CHAR);
  }
  else if (label <= std::numeric_limits<std::uint16_t>::max())
  {
    write(static_cast<unsigned short>(label), VTK_UNSIGNED_SHORT);
  }
  else if (label <= std::numeric_limits<std::uint32_t>::max())
  {
    write(static_cast<unsigned int>(label), VTK_UNSIGNED_INT);
  }
  else
  {
    write(static_cast<unsigned long long>(label), VTK_UNSIGNED_LONG_LONG);
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapBoundaryRemoval::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MinimumThreshold: " << this->MinimumThreshold << "\n";
  os << indent << "MaximumThreshold: " << this->MaximumThreshold << "\n";
  os << indent << "AutoThreshold: " << this->AutoThreshold << "\n";
  os << indent << "AllSegments: " << this->AllSegments << "\n";
}
