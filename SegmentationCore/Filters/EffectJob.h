// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What an effect works on while it runs: this rank's piece of the image, who owns which voxel, and
/// the ways to read a mask with a halo and to write a result.
///
/// Private to the filters: it ties VTK's data objects to the kernels, which know none, and to
/// Parallel, which does the talking. Layout of all arrays: x fastest, strides in elements.
#ifndef segcore_EffectJob_h
#define segcore_EffectJob_h

#include "BitBlock.h"
#include "Buffer.h"
#include "DistributedImage.h"
#include "HaloExchange.h"
#include "MergeMask.h"
#include "Progress.h"

#include "vtkDataArray.h"
#include "vtkSmartPointer.h"
#include "vtkType.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

class vtkImageData;
class vtkLabelMapAlgorithm;

namespace segcore
{

class LocalMask;

/// A label in the type of a label map, or the unsigned one of its width. Throws AgreedError if the
/// type of the label map does not hold it exactly.
template <class T>
T labelOf(const DistributedImage& image, Index label)
{
  // Beyond the digits of a floating type neighbouring labels would be the same number.
  const bool fits = std::is_floating_point<T>::value
    ? label <= (Index(1) << std::min(62, std::numeric_limits<T>::digits))
    : static_cast<double>(label) <= vtkDataArray::GetDataTypeMax(image.scalarType());
  if (!fits)
  {
    throw AgreedError("SegmentLabel " + std::to_string(label) +
      " does not fit the scalar type of array '" + image.arrayName() + "'");
  }
  return static_cast<T>(label);
}

class EffectJob
{
public:
  /// Collective. Checks the input of all ranks, agrees on type and geometry, decides on owners; and
  /// likewise the volume that the effect reads beside it, null if it reads none: it must have the
  /// same voxels on each rank.
  EffectJob(vtkLabelMapAlgorithm* filter, vtkImageData* input, vtkDataArray* scalars,
    vtkImageData* volume = nullptr, vtkDataArray* values = nullptr);

  const Communicator& communicator() const { return this->Comm; }
  const Distribution& distribution() const { return this->Image.distribution(); }
  const Geometry& geometry() const { return this->Image.geometry(); }
  int scalarType() const { return this->Image.scalarType(); }
  Index segmentLabel() const { return this->Label; }

  /// The label in the type of the label map; see labelOf().
  template <class T>
  T labelAs() const
  {
    return labelOf<T>(this->Image, this->Label);
  }

  /// The whole image, and this rank's piece of it (possibly without voxels).
  const Box& whole() const { return this->Image.whole(); }
  const Box& piece() const { return this->Image.piece(); }

  /// This rank's voxels of the array to process, over piece(); null if there are none.
  template <class T>
  const T* input() const
  {
    return this->Image.voxels<T>();
  }

  /// @name The volume of effects that read one beside the label map
  /// Its scalar type, its array, and this rank's values of it, over piece(); null if there are
  /// none. Its owners are those of the label map.
  /// @{
  int volumeType() const { return this->Volume->scalarType(); }
  vtkDataArray* volumeArray() const { return this->VolumeArray; }
  const char* volumeName() const { return this->Volume->arrayName().c_str(); }
  template <class V>
  const V* volume() const
  {
    return this->Volume->template voxels<V>();
  }
  /// Collective. Its values in any boxes inside whole(), from their owners.
  template <class V>
  void fetchVolume(const std::vector<Request<V>>& requests) const
  {
    fetchLabels(this->Comm, this->distribution(), this->volume<V>(), requests);
  }
  /// @}

  /// Makes the output array over piece(). All ranks make one, also those without voxels.
  template <class T>
  T* makeOutput(int vtkType, const char* name)
  {
    return static_cast<T*>(this->makeOutputArray(vtkType, name));
  }
  const char* inputName() const { return this->Image.arrayName().c_str(); }
  vtkDataArray* output() const { return this->Output; }
  /// Whether makeOutput allocated the array, rather than take one that was offered.
  bool isOutputFresh() const { return this->OutputIsFresh; }

  /// Reports progress and notices abort; safe to call on the calling thread only.
  const Progress& progress() const { return this->Reporter; }

  /// Collective. Calls work(block) for each own block in turn, null where other ranks have more
  /// blocks than this one. `work` may make collective calls, as all ranks take part in each turn.
  void forEachBlock(const std::function<void(const Block*)>& work);

  /// Collective. Replaces the segment by what makeMask computes from the segment's mask: for each
  /// block, makeMask(mask, padded, target, out, progress) gets the mask (1 inside) of `target`
  /// grown by `halo` and clipped to the image, and writes the new mask of `target`. The output
  /// array gets the input's type; see vtkLabelMapAlgorithm.h for which voxels change. Scratch
  /// memory: two bytes per voxel of a block with its halo, and what makeMask needs.
  using MaskMaker = std::function<void(
    const std::uint8_t*, const Box&, const Box&, std::uint8_t*, const Progress&)>;
  void replaceSegment(const Index halo[3], const MaskMaker& makeMask);

  /// Collective. The same for effects that read a volume, too: makeMask(mask, values, padded,
  /// target, out, progress) gets its values on `padded` as well. V must be volumeType(). Scratch
  /// memory: the values of a block with its halo besides, unless it is the whole image.
  template <class V, class VolumeMaskMaker>
  void replaceSegmentByVolume(const Index halo[3], const VolumeMaskMaker& makeMask);

  /// Collective. The same on bits: makeBits(mask, out, progress) gets the mask on out.box grown by
  /// `halo` and clipped to the image. Scratch memory: 2/8 byte per voxel of a block with its halo,
  /// and what makeBits needs.
  using BitMaker = std::function<void(const BitBlock&, BitBlock&, const Progress&)>;
  void replaceSegmentBits(const Index halo[3], const BitMaker& makeBits);

  /// Collective. The same for effects on all labels at once: makeLabels(labels, padded, target,
  /// out, progress) gets labels and writes labels. T must be the type of the label map. Scratch
  /// memory: the labels of a block with its halo and of the block, unless it is the whole image.
  template <class T, class LabelMaker>
  void replaceLabels(const Index halo[3], const LabelMaker& makeLabels);

  /// Collective. Writes the local mask of the effect to the segment, by its mode: what a local
  /// effect does outside the editor. Segments are named by their label values.
  void writeLocalMask();

  /// Collective. The same for a local effect that reads a volume, which is the input: makes a label
  /// map with the label where the mask is 1.
  void writeVolumeMask();
  /// Collective. Makes the array "Labels" of a volume effect from a mask: the label where it is 1,
  /// 0 elsewhere, in the smallest unsigned type that holds the label.
  void writeVolumeMask(const LocalMask& mask);

private:
  friend class ::vtkLabelMapAlgorithm;

  void* makeOutputArray(int vtkType, const char* name);

  template <class T>
  void writeLocalMaskTyped();
  template <class T>
  void writeVolumeMaskTyped(const LocalMask& mask, int vtkType);

  /// Collective; called before the mask of each block is made.
  using BlockFetcher = std::function<void(const Block*, const Box&)>;

  void replaceSegment(const Index halo[3], const MaskMaker& makeMask, const BlockFetcher& fetch);
  template <class T>
  void replaceSegmentTyped(
    const Index halo[3], const MaskMaker& makeMask, const BlockFetcher& fetch);

  template <class T>
  void replaceSegmentBitsTyped(const Index halo[3], const BitMaker& makeBits);

  vtkLabelMapAlgorithm* Filter;
  vtkImageData* InputImage;
  vtkDataArray* InputScalars;
  Communicator Comm;
  DistributedImage Image;
  std::unique_ptr<DistributedImage> Volume;
  vtkDataArray* VolumeArray = nullptr;
  Index Label = 1;
  vtkSmartPointer<vtkDataArray> Output;
  bool OutputIsFresh = false;
  Progress Reporter;
};

/// Gives the segment `label` the shape of the mask on its box: as mergeMask, from bits. `labels`
/// and `out` store `piece`.
template <class T>
void mergeBits(const BitBlock& mask, const T* labels, const Box& piece, T label, T* out)
{
  forEachBitRow(mask.box,
    [&](Index y, Index z)
    {
      constexpr Index width = 4096;
      std::uint8_t flags[width];
      for (Index first = 0; first < mask.box.dim(0); first += width)
      {
        const Index count = std::min(width, mask.box.dim(0) - first);
        unpackBits(mask.row(y, z), first, count, flags);
        const Index at = piece.offset(mask.box.lo[0] + first, y, z);
        mergeMaskSpan(flags, labels + at, count, label, out + at);
      }
    });
}

//------------------------------------------------------------------------------------------------
template <class V, class VolumeMaskMaker>
void EffectJob::replaceSegmentByVolume(const Index halo[3], const VolumeMaskMaker& makeMask)
{
  Buffer<V> around;
  const V* values = nullptr;
  this->replaceSegment(
    halo,
    [&](const std::uint8_t* mask, const Box& padded, const Box& target, std::uint8_t* out,
      const Progress& progress) { makeMask(mask, values, padded, target, out, progress); },
    [&](const Block* block, const Box& padded)
    {
      const bool direct = block && padded == this->piece() && padded == block->box;
      this->Comm.run(
        [&]
        {
          around = Buffer<V>(block && !direct ? padded.size() : 0);
          values = direct ? this->volume<V>() : around.data();
        });
      std::vector<Request<V>> requests;
      if (block && !direct)
      {
        requests.emplace_back(padded, around.data());
      }
      this->fetchVolume(requests);
    });
}

//------------------------------------------------------------------------------------------------
template <class T, class LabelMaker>
void EffectJob::replaceLabels(const Index halo[3], const LabelMaker& makeLabels)
{
  const T* labels = this->input<T>();
  T* out = this->makeOutput<T>(this->scalarType(), this->inputName());
  const double turns = static_cast<double>(
    this->Comm.allReduceMax(static_cast<Index>(this->distribution().localBlocks().size())));
  double turn = 0.0;
  this->forEachBlock(
    [&](const Block* block)
    {
      Box padded;
      Buffer<T> around, result;
      // A block that is all there is can be read and written where it lies.
      bool direct = false;
      this->Comm.run(
        [&]
        {
          if (block)
          {
            padded = block->box.grown(halo).clipped(this->whole());
            direct = padded == this->piece() && padded == block->box;
          }
          if (block && !direct)
          {
            around = Buffer<T>(padded.size());
            result = Buffer<T>(block->box.size());
          }
        });
      std::vector<Request<T>> requests;
      if (block && !direct)
      {
        requests.emplace_back(padded, around.data());
      }
      fetchLabels(this->Comm, this->distribution(), labels, requests);
      this->Comm.run(
        [&]
        {
          if (!block)
          {
            return;
          }
          const Progress part = this->Reporter.part(turn / turns, (turn + 1.0) / turns);
          makeLabels(direct ? labels : around.data(), padded, block->box,
            direct ? out : result.data(), part);
          const Box& box = block->box;
          for (Index k = direct ? box.hi[2] + 1 : box.lo[2]; k <= box.hi[2]; ++k)
          {
            for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
            {
              std::copy_n(result.data() + box.offset(box.lo[0], j, k), box.dim(0),
                out + this->piece().offset(box.lo[0], j, k));
            }
          }
        });
      turn += 1.0;
    });
  completePiece(this->Comm, this->distribution(), out);
}

} // namespace segcore

#endif
