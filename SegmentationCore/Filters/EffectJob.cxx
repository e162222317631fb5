// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EffectJob.h"

#include "Buffer.h"
#include "MergeMask.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkVersionCompatibility.h"

#include "vtkDataArray.h"

namespace segcore
{
//------------------------------------------------------------------------------------------------
EffectJob::EffectJob(vtkLabelMapAlgorithm* filter, vtkImageData* input, vtkDataArray* scalars)
  : Filter(filter)
  , Comm(filter->Controller)
  , Image(this->Comm, input, scalars, filter->NumberOfBlocks)
  , Label(filter->SegmentLabel)
{
  this->Reporter.report = [this](double fraction) { this->Filter->UpdateProgress(fraction); };
  this->Reporter.cancelled = [this] { return isAborted(this->Filter); };
}

//------------------------------------------------------------------------------------------------
void* EffectJob::makeOutputArray(int vtkType, const char* name)
{
  this->Comm.run(
    [&]
    {
      this->Output.TakeReference(vtkDataArray::CreateDataArray(vtkType));
      this->Output->SetName(name);
      this->Output->SetNumberOfTuples(this->piece().size());
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
void EffectJob::replaceSegmentTyped(const Index halo[3], const MaskMaker& makeMask)
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
void EffectJob::replaceSegment(const Index halo[3], const MaskMaker& makeMask)
{
  switch (this->scalarType())
  {
    vtkTemplateMacro(this->replaceSegmentTyped<VTK_TT>(halo, makeMask));
    default:
      throw AgreedError(
        "array '" + std::string(this->inputName()) + "' has an unknown scalar type");
  }
}

} // namespace segcore
