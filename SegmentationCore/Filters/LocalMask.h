// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Local effects: those whose result at a voxel depends on that voxel and on global parameters
/// alone. Such an effect makes a LocalMask, which can be asked for any box, and so costs what it
/// touches: nobody allocates or reads the whole image for a brush stroke.
///
/// Private to our modules. Layout of all arrays: x fastest, see Box.h.
#ifndef segcore_LocalMask_h
#define segcore_LocalMask_h

#include "Box.h"
#include "Communicator.h"
#include "DistributedImage.h"

#include "SegmentationCoreFiltersModule.h"

#include <cstdint>
#include <memory>
#include <string>

namespace segcore
{

class SourceVolume;

/// How the mask that an effect computed is written to its segment.
enum class WriteMode
{
  Set,      ///< the segment becomes the mask
  Add,      ///< the mask joins the segment
  Remove,   ///< the mask leaves the segment
  RemoveAll ///< the mask leaves all segments
};

/// A mask that can be asked for any box. Both calls are safe from many threads.
class SEGMENTATIONCOREFILTERS_EXPORT LocalMask
{
public:
  virtual ~LocalMask();

  /// No voxel outside is 1. May reach beyond the image, and may be larger than needed.
  virtual Box bounds() const = 0;

  /// Writes 1 or 0 for each voxel of `part`, a box inside the image that this rank holds.
  virtual void write(const Box& part, std::uint8_t* out) const = 0;

  /// 0 or 1 if all voxels of `part` are known to have that value without looking at them, else -1.
  virtual int uniform(const Box& part) const;
};

/// The segments that a local effect may read, by ID.
class SEGMENTATIONCOREFILTERS_EXPORT SegmentMasks
{
public:
  virtual ~SegmentMasks();

  /// The mask of a segment as it is now. It must not outlive this object, nor a change of the
  /// segment. Throws std::invalid_argument if there is no such segment.
  virtual std::unique_ptr<LocalMask> mask(const std::string& segment) const = 0;
};

/// What a local effect has to work with.
struct LocalInput
{
  const Communicator& communicator;
  Geometry geometry;
  Box whole;                              ///< all voxels of the label map
  const SourceVolume* volume = nullptr;   ///< null if there is none
  const SegmentMasks* segments = nullptr; ///< never null
  std::string segment;                    ///< the ID of the segment that is edited
  const LocalMask* editable = nullptr;    ///< where voxels may change; null: everywhere
};

/// 1 in all voxels of a box.
class SEGMENTATIONCOREFILTERS_EXPORT BoxMask : public LocalMask
{
public:
  explicit BoxMask(const Box& box) : Voxels(box) {}
  Box bounds() const override { return this->Voxels; }
  void write(const Box& part, std::uint8_t* out) const override;
  int uniform(const Box& part) const override;

private:
  Box Voxels;
};

} // namespace segcore

#endif
