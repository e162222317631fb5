// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EffectJob.h"

#include "Buffer.h"
#include "LocalMask.h"
#include "MergeMask.h"
#include "ScalarTypes.h"
#include "SourceVolume.h"
#include "Threads.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"

#include <algorithm>
#include <cmath>

#include <functional>

namespace segcore
{
namespace
{
/// Segments of a plain label map, whose IDs are their label values.
template <class T>
class LabelMasks : public SegmentMasks
{
public:
  /// `largest`: what the scalar type of the label map holds, which may be less than T does.
  LabelMasks(const T* labels, const Box& piece, double largest)
    : Labels(labels), Piece(piece), Largest(largest)
  {
  }

  std::unique_ptr<LocalMask> mask(const std::string& segment) const override
  {
    T label{};
    std::size_t end = 0;
    bool good = false;
    try
    {
      const unsigned long long value = std::stoull(segment, &end);
      label = static_cast<T>(value);
      good = end == segment.size() && segment[0] >= '0' && segment[0] <= '9' && value > 0 &&
        static_cast<unsigned long long>(label) == value &&
        static_cast<double>(value) <= this->Largest;
    }
    catch (const std::exception&)
    {
      good = false;
    }
    if (!good)
    {
      throw std::invalid_argument("there is no segment '" + segment +
        "': in a label map without an editor, segments are named by their label values");
    }
    return std::make_unique<Mask>(this->Labels, this->Piece, label);
  }

private:
  class Mask : public LocalMask
  {
  public:
    Mask(const T* labels, const Box& piece, T label) : Labels(labels), Piece(piece), Wanted(label)
    {
    }
    Box bounds() const override { return this->Piece; }
    void write(const Box& part, std::uint8_t* out) const override
    {
      const Index count = part.dim(0);
      for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
      {
        for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
        {
          const T* row = this->Labels + this->Piece.offset(part.lo[0], j, k);
          std::uint8_t* to = out + part.offset(part.lo[0], j, k);
          for (Index x = 0; x < count; ++x)
          {
            to[x] = row[x] == this->Wanted ? 1 : 0;
          }
        }
      }
    }

  private:
    const T* Labels;
    Box Piece;
    T Wanted;
  };

  const T* Labels;
  Box Piece;
  double Largest;
};

/// Whether an array that somebody offers can be an output of this type and length, apart from the
/// input, whose values have this many bytes.
bool canHold(vtkDataArray* array, int vtkType, Index count, const void* input, int inputValueBytes)
{
  if (array->GetDataType() != vtkType || array->GetNumberOfComponents() != 1 ||
    array->GetNumberOfTuples() != count || count == 0 || !array->HasStandardMemoryLayout())
  {
    return false;
  }
  const char* out = static_cast<const char*>(array->GetVoidPointer(0));
  const char* in = static_cast<const char*>(input);
  const std::less_equal<const char*> notAfter; // of pointers into different arrays too
  return notAfter(in + count * inputValueBytes, out) ||
    notAfter(out + count * array->GetDataTypeSize(), in);
}

/// What becomes of voxels that the mask does not have.
template <class T>
void writeNothing(WriteMode mode, T label, const T* labels, Index count, T* out)
{
  if (mode != WriteMode::Set)
  {
    std::copy_n(labels, count, out);
    return;
  }
  for (Index i = 0; i < count; ++i)
  {
    out[i] = labels[i] == label ? T(0) : labels[i];
  }
}

template <class T>
void writeMask(
  WriteMode mode, T label, const std::uint8_t* mask, const T* labels, Index count, T* out)
{
  switch (mode)
  {
    case WriteMode::Set:
      mergeMaskSpan(mask, labels, count, label, out);
      break;
    case WriteMode::Add:
      for (Index i = 0; i < count; ++i)
      {
        out[i] = mask[i] ? label : labels[i];
      }
      break;
    case WriteMode::Remove:
      for (Index i = 0; i < count; ++i)
      {
        out[i] = mask[i] && labels[i] == label ? T(0) : labels[i];
      }
      break;
    case WriteMode::RemoveAll:
      for (Index i = 0; i < count; ++i)
      {
        out[i] = mask[i] ? T(0) : labels[i];
      }
  }
}

/// The segments beside a volume that is the only input.
class NoSegments : public SegmentMasks
{
public:
  std::unique_ptr<LocalMask> mask(const std::string& segment) const override
  {
    throw std::invalid_argument("there is no segment '" + segment + "' beside a volume");
  }
};

/// A box as VTK writes an extent.
std::string extentText(const Box& box)
{
  std::string text;
  for (int a = 0; a < 3; ++a)
  {
    text += (a ? ", " : "(") + std::to_string(box.lo[a]) + ", " + std::to_string(box.hi[a]);
  }
  return text + ")";
}

/// What keeps a volume from being read voxel by voxel with a label map; empty if nothing does.
std::string latticeDifference(const Geometry& labels, const Geometry& volume, const Box& whole)
{
  // The corners of the image, to a thousandth of a voxel.
  for (int corner = 0; corner < 8; ++corner)
  {
    for (int row = 0; row < 3; ++row)
    {
      double apart = labels.Origin[row] - volume.Origin[row];
      double tolerance = 1e-3 * labels.Spacing[0];
      for (int a = 0; a < 3; ++a)
      {
        const auto index = static_cast<double>(corner >> a & 1 ? whole.hi[a] : whole.lo[a]);
        apart += index *
          (labels.Direction[3 * row + a] * labels.Spacing[a] -
            volume.Direction[3 * row + a] * volume.Spacing[a]);
        tolerance = std::min(tolerance, 1e-3 * labels.Spacing[a]);
      }
      if (!(std::abs(apart) <= tolerance))
      {
        return "the volume has another origin, spacing or direction than the label map, expected "
               "the same voxels: resample it first";
      }
    }
  }
  return {};
}
}

//------------------------------------------------------------------------------------------------
EffectJob::EffectJob(vtkLabelMapAlgorithm* filter, vtkImageData* input, vtkDataArray* scalars,
  vtkImageData* volume, vtkDataArray* values)
  : Filter(filter)
  , InputImage(input)
  , InputScalars(scalars)
  , Comm(filter->Controller)
  , Image(this->Comm, input, scalars, filter->NumberOfBlocks)
  , Label(filter->SegmentLabel)
{
  this->Reporter.report = [this](double fraction) { this->Filter->UpdateProgress(fraction); };
  this->Reporter.cancelled = [this] { return isAborted(this->Filter); };
  if (volume)
  {
    this->Comm.run(
      [&]
      {
        const Box box = Box::fromExtent(volume->GetExtent());
        if (box != this->piece())
        {
          throw std::invalid_argument("the volume has the extent " + extentText(box) +
            " and the label map " + extentText(this->piece()) + ", expected the same");
        }
      });
    this->Volume = std::make_unique<DistributedImage>(this->Comm, volume, values);
    this->VolumeArray = values;
    // The same on all ranks.
    const std::string difference =
      latticeDifference(this->geometry(), this->Volume->geometry(), this->whole());
    if (!difference.empty())
    {
      throw AgreedError(difference);
    }
  }
}

//------------------------------------------------------------------------------------------------
void* EffectJob::makeOutputArray(int vtkType, const char* name)
{
  this->Comm.run(
    [&]
    {
      if (this->Output &&
        canHold(this->Output, vtkType, this->piece().size(), this->input<char>(),
          vtkDataArray::GetDataTypeSize(this->Image.scalarType())))
      {
        this->Output->SetName(name);
        this->Output->Modified();
        this->OutputIsFresh = false;
        return;
      }
      this->Output.TakeReference(vtkDataArray::CreateDataArray(vtkType));
      this->OutputIsFresh = true;
      this->Output->SetName(name);
      this->Output->SetNumberOfTuples(this->piece().size());
      adviseLargePages(this->Output->GetVoidPointer(0),
        static_cast<std::size_t>(this->piece().size()) *
          static_cast<std::size_t>(this->Output->GetDataTypeSize()));
    });
  return this->piece().empty() ? nullptr : this->Output->GetVoidPointer(0);
}

//------------------------------------------------------------------------------------------------
void EffectJob::forEachBlock(const std::function<void(const Block*)>& work)
{
  const auto& blocks = this->distribution().localBlocks();
  const Index turns = this->Comm.allReduceMax(static_cast<Index>(blocks.size()));
  for (Index turn = 0; turn < turns; ++turn)
  {
    this->Comm.run([&] { this->Reporter.step(static_cast<double>(turn) / turns); });
    work(turn < static_cast<Index>(blocks.size()) ? &blocks[turn] : nullptr);
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void EffectJob::replaceSegmentTyped(
  const Index halo[3], const MaskMaker& makeMask, const BlockFetcher& fetch)
{
  const T label = this->labelAs<T>();
  const T* labels = this->input<T>();
  T* out = this->makeOutput<T>(this->scalarType(), this->inputName());
  const double turns = static_cast<double>(
    this->Comm.allReduceMax(static_cast<Index>(this->distribution().localBlocks().size())));
  double turn = 0.0;

  this->forEachBlock(
    [&](const Block* block)
    {
      Box padded;
      Buffer<std::uint8_t> mask, result;
      this->Comm.run(
        [&]
        {
          if (block)
          {
            padded = block->box.grown(halo).clipped(this->whole());
            mask = Buffer<std::uint8_t>(padded.size());
            result = Buffer<std::uint8_t>(block->box.size());
          }
        });
      std::vector<Request<std::uint8_t>> requests;
      if (block)
      {
        requests.emplace_back(padded, mask.data());
      }
      fetchMask(
        this->Comm, this->distribution(), labels, [label](T value) { return value == label; },
        requests);
      if (fetch)
      {
        fetch(block, padded);
      }
      this->Comm.run(
        [&]
        {
          if (!block)
          {
            return;
          }
          const Progress part = this->Reporter.part(turn / turns, (turn + 1.0) / turns);
          makeMask(mask.data(), padded, block->box, result.data(), part);
          const Box& box = block->box;
          for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
          {
            if (box.dim(0) == this->piece().dim(0))
            {
              // Rows follow each other in both arrays: one call for the slice.
              const Index at = this->piece().offset(box.lo[0], box.lo[1], k);
              mergeMask(result.data() + box.offset(box.lo[0], box.lo[1], k), labels + at,
                box.dim(0) * box.dim(1), label, out + at);
              continue;
            }
            for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
            {
              const Index at = this->piece().offset(box.lo[0], j, k);
              mergeMask(result.data() + box.offset(box.lo[0], j, k), labels + at, box.dim(0), label,
                out + at);
            }
          }
        });
      turn += 1.0;
    });
  completePiece(this->Comm, this->distribution(), out);
}

//------------------------------------------------------------------------------------------------
template <class T>
void EffectJob::writeLocalMaskTyped()
{
  const T label = this->labelAs<T>();
  const T* labels = this->input<T>();
  T* out = this->makeOutput<T>(this->scalarType(), this->inputName());
  const LabelMasks<T> segments(
    labels, this->piece(), vtkDataArray::GetDataTypeMax(this->scalarType()));
  LocalInput input{ this->Comm, this->geometry(), this->whole(), nullptr, &segments,
    std::to_string(this->Label) };
  const std::unique_ptr<LocalMask> mask = this->Filter->GetLocalMask(input);
  const WriteMode mode = this->Filter->GetWriteMode();
  const Box bounds = mask->bounds();
  // Slice by slice; voxels of other ranks too, as nothing but this voxel is needed.
  this->Comm.run(
    [&]
    {
      const Box& box = this->piece();
      const Index slice = box.dim(0) * box.dim(1);
      forRanges(box.dim(2), 1, this->Reporter,
        [&](Index begin, Index end)
        {
          Buffer<std::uint8_t> written;
          for (Index k = begin; k < end; ++k)
          {
            Box part = box;
            part.lo[2] = part.hi[2] = box.lo[2] + k;
            writeNothing(mode, label, labels + k * slice, slice, out + k * slice);
            part = part.clipped(bounds);
            if (part.empty() || mask->uniform(part) == 0)
            {
              continue; // as most slices of a stroke
            }
            if (written.size() < part.size())
            {
              written = Buffer<std::uint8_t>(part.size());
            }
            mask->write(part, written.data());
            for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
            {
              const Index at = box.offset(part.lo[0], j, part.lo[2]);
              writeMask(mode, label, written.data() + part.offset(part.lo[0], j, part.lo[2]),
                labels + at, part.dim(0), out + at);
            }
          }
        });
    });
}

//------------------------------------------------------------------------------------------------
void EffectJob::writeLocalMask()
{
  switch (this->scalarType())
  {
    segcoreEqualityMacro(this->writeLocalMaskTyped<VTK_TT>());
    default:
      throw AgreedError(
        "array '" + std::string(this->inputName()) + "' has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void EffectJob::writeVolumeMaskTyped(const LocalMask& mask, int vtkType)
{
  const T label = static_cast<T>(this->Label);
  T* out = this->makeOutput<T>(vtkType, "Labels");
  this->Comm.run(
    [&]
    {
      const Box& box = this->piece();
      const Index slice = box.dim(0) * box.dim(1);
      forRanges(box.dim(2), 1, this->Reporter.part(0.5, 1.0),
        [&](Index begin, Index end)
        {
          Buffer<std::uint8_t> written;
          for (Index k = begin; k < end; ++k)
          {
            Box part = box;
            part.lo[2] = part.hi[2] = box.lo[2] + k;
            T* to = out + k * slice;
            if (mask.uniform(part) == 0)
            {
              std::fill_n(to, slice, T(0));
              continue;
            }
            written = written.empty() ? Buffer<std::uint8_t>(slice) : std::move(written);
            mask.write(part, written.data());
            for (Index i = 0; i < slice; ++i)
            {
              to[i] = written[i] ? label : T(0);
            }
          }
        });
    });
}

//------------------------------------------------------------------------------------------------
void EffectJob::writeVolumeMask()
{
  const SourceVolume volume(
    this->Comm, this->InputImage, this->InputScalars, this->geometry(), this->piece());
  const NoSegments segments;
  LocalInput input{ this->Comm, this->geometry(), this->whole(), &volume, &segments,
    std::to_string(this->Label) };
  this->writeVolumeMask(*this->Filter->GetLocalMask(input));
}

//------------------------------------------------------------------------------------------------
void EffectJob::writeVolumeMask(const LocalMask& mask)
{
  if (this->Label <= std::numeric_limits<std::uint8_t>::max())
  {
    this->writeVolumeMaskTyped<unsigned char>(mask, VTK_UNSIGNED_CHAR);
  }
  else if (this->Label <= std::numeric_limits<std::uint16_t>::max())
  {
    this->writeVolumeMaskTyped<unsigned short>(mask, VTK_UNSIGNED_SHORT);
  }
  else if (this->Label <= std::numeric_limits<std::uint32_t>::max())
  {
    this->writeVolumeMaskTyped<unsigned int>(mask, VTK_UNSIGNED_INT);
  }
  else
  {
    this->writeVolumeMaskTyped<unsigned long long>(mask, VTK_UNSIGNED_LONG_LONG);
  }
}

//------------------------------------------------------------------------------------------------
template <class T>
void EffectJob::replaceSegmentBitsTyped(const Index halo[3], const BitMaker& makeBits)
{
  const T label = this->labelAs<T>();
  const T* labels = this->input<T>();
  T* out = this->makeOutput<T>(this->scalarType(), this->inputName());
  const double turns = static_cast<double>(
    this->Comm.allReduceMax(static_cast<Index>(this->distribution().localBlocks().size())));
  double turn = 0.0;

  this->forEachBlock(
    [&](const Block* block)
    {
      BitBlock mask, result;
      this->Comm.run(
        [&]
        {
          if (block)
          {
            mask = BitBlock(block->box.grown(halo).clipped(this->whole()));
            result = BitBlock(block->box);
          }
        });
      std::vector<BitRequest> requests;
      if (block)
      {
        requests.emplace_back(mask);
      }
      fetchBits(
        this->Comm, this->distribution(), labels, [label](T value) { return value == label; },
        requests);
      this->Comm.run(
        [&]
        {
          if (!block)
          {
            return;
          }
          const Progress part = this->Reporter.part(turn / turns, (turn + 1.0) / turns);
          makeBits(mask, result, part);
          mergeBits(result, labels, this->piece(), label, out);
        });
      turn += 1.0;
    });
  completePiece(this->Comm, this->distribution(), out);
}

//------------------------------------------------------------------------------------------------
void EffectJob::replaceSegmentBits(const Index halo[3], const BitMaker& makeBits)
{
  switch (this->scalarType())
  {
    segcoreEqualityMacro(this->replaceSegmentBitsTyped<VTK_TT>(halo, makeBits));
    default:
      throw AgreedError(
        "array '" + std::string(this->inputName()) + "' has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void EffectJob::replaceSegment(const Index halo[3], const MaskMaker& makeMask)
{
  this->replaceSegment(halo, makeMask, {});
}

//------------------------------------------------------------------------------------------------
void EffectJob::replaceSegment(
  const Index halo[3], const MaskMaker& makeMask, const BlockFetcher& fetch)
{
  switch (this->scalarType())
  {
    segcoreEqualityMacro(this->replaceSegmentTyped<VTK_TT>(halo, makeMask, fetch));
    default:
      throw AgreedError(
        "array '" + std::string(this->inputName()) + "' has an unknown scalar type");
  }
}

} // namespace segcore
