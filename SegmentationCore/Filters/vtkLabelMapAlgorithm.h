// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapAlgorithm
 * @brief What all effects have in common: one image in, one label map out, on one or many ranks.
 *
 * Input: a vtkImageData with one point array to process (the active scalars unless another one is
 * chosen by SetInputArrayToProcess), one component, any scalar type but bits. Voxels are points.
 * Extent, origin, spacing and direction may be anything that is not degenerate, and are kept.
 *
 * Effects that also read a volume (ReadsVolume) have a second input port for it: a vtkImageData on
 * the voxels of the label map, that is with its extent on each rank, and its origin, spacing and
 * direction to a thousandth of a voxel; one point array (the active scalars unless
 * SetInputArrayToProcess(1, 1, ...) chooses another one), one component, any scalar type but bits.
 *
 * Output: the input's geometry, its other arrays and field data by reference, and the result in an
 * array of the input array's name (label effects) or "Labels" (volume effects).
 *
 * In parallel each rank gives and gets its piece of the image. Pieces may share planes or carry
 * ghost layers; Parallel/Distribution.h decides which rank owns a voxel. The result of every rank
 * equals the same part of the serial result, bit for bit. All ranks must run the filter (in
 * ParaView they do), with the same parameters.
 *
 * Work is done block by block. A rank's part is one block unless NumberOfBlocks says otherwise:
 * more blocks need less scratch memory and a little more time, and never change the result.
 *
 * Errors (unknown parameter value, wrong array, different geometry on ranks, out of memory, abort)
 * are agreed on by all ranks: each gives an empty output and the same text in LastError, and the
 * vtkErrorMacro of each reports it. The input is never changed.
 *
 * Progress is reported by progress events; AbortExecute of any rank stops all of them between two
 * steps and leaves an empty output.
 */
#ifndef vtkLabelMapAlgorithm_h
#define vtkLabelMapAlgorithm_h

#include "vtkDistributedImageAlgorithm.h"

#include <cstdint> // for std::int64_t
#include <memory>  // for std::unique_ptr

class vtkAlgorithmOutput;
class vtkImageData;

namespace segcore
{
class EffectJob;
class LocalMask;
enum class WriteMode;
struct LocalInput;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapAlgorithm : public vtkDistributedImageAlgorithm
{
public:
  vtkTypeMacro(vtkLabelMapAlgorithm, vtkDistributedImageAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Voxel value of the segment in the label map: for label effects the object is all voxels equal
  /// to it, and other labels are kept unless the result covers them; volume effects write it.
  /// At least 1, and it must fit the array's scalar type. Default 1.
  vtkSetMacro(SegmentLabel, vtkTypeInt64);
  vtkGetMacro(SegmentLabel, vtkTypeInt64);
  ///@}

  ///@{
  /// Number of blocks into which each rank's part is cut, from 1. Does not change the result.
  /// Default 1.
  vtkSetMacro(NumberOfBlocks, int);
  vtkGetMacro(NumberOfBlocks, int);
  ///@}
  /// Runs the effect directly, without the pipeline: the editor's way. Collective: all ranks call
  /// it. False after an error (see GetLastError). Active scalars of `output` that can be the result
  /// (type, length, apart from the input) receive it, and after an error hold anything.
  bool Apply(vtkImageData* input, vtkImageData* output);

  /// The same for effects that read a volume beside the label map. The call above takes the one
  /// that SetVolumeData gave.
  bool Apply(vtkImageData* labels, vtkImageData* volume, vtkImageData* output);

  /// Whether the effect reads a volume beside the label map.
  bool ReadsVolume();

  ///@{
  /// The volume that the effect reads beside the label map; an error if it reads none.
  void SetVolumeConnection(vtkAlgorithmOutput* volume);
  void SetVolumeData(vtkImageData* volume);
  ///@}

  /// For the editor, not wrapped: whether the result at a voxel depends on that voxel and on global
  /// parameters alone, so that MakeLocalMask can be used instead of Apply.
  virtual bool IsLocal() const { return false; }

#ifndef __VTK_WRAP__
  /// Collective, local effects only: the mask to write to the segment. Throws what goes wrong,
  /// parameters included.
  std::unique_ptr<segcore::LocalMask> GetLocalMask(const segcore::LocalInput& input);

  /// How the mask is written to the segment.
  virtual segcore::WriteMode GetWriteMode() const;

  /// How far, in voxels along each axis, the mask may reach beyond the segment, and the segment
  /// beyond the mask: what the editor must cut out around a segment so that Apply gives the result
  /// that it would give on the whole image. By default nothing for effects that read the label map
  /// alone, and everything for those that read a volume beside it. Effects on a volume alone are
  /// given all of it.
  virtual void GetReach(const double spacing[3], std::int64_t reach[3]) const;

  /// Whether a voxel of the result depends on no voxels but those within that reach, or twice it:
  /// what the editor must cut out to have the result somewhere, and not only all of it.
  virtual bool LooksNearby() const { return false; }

  /// Has the effect remember what makes a small change cost little, and go on from what an earlier
  /// one of the same class remembers (null: from nothing). False, the default: there is no such
  /// thing.
  virtual bool ContinueFrom(vtkLabelMapAlgorithm*) { return false; }

  /// Whether the result has several labels: the lowest one is what the segment becomes, the others
  /// are new segments.
  virtual bool MakesParts() const { return false; }

  /// Whether it must see the other visible segments too: the edited one is label 1, the others
  /// follow, and label 1 of the result is what the segment becomes.
  virtual bool SeesAllSegments() const { return false; }

  /// For effects on all segments, of the editor: voxels of this label are those that may not
  /// change. Returns false if the effect does not care about them; the editor then leaves them as
  /// they are.
  virtual bool SetWallLabel(std::int64_t) { return false; }

  /// Whether masking and overwriting settings of an operation are ignored.
  virtual bool GetBypassMasking() const { return false; }
#endif

protected:
  vtkLabelMapAlgorithm() = default;
  ~vtkLabelMapAlgorithm() override = default;

  /// What is wrong with the parameters, naming the culprit and what is accepted; empty if nothing.
  /// Must depend on parameters alone, so that all ranks give the same answer.
  virtual std::string CheckParameters() const = 0;

  /// The effect. Collective; throws what goes wrong. Local effects that read no volume have no
  /// need to override it: the mask is made and written.
  virtual void Execute(segcore::EffectJob& job);

  /// What GetLocalMask returns; parameters were checked.
  virtual std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input);

  int FillInputPortInformation(int port, vtkInformation* info) override;
  int RequestData(vtkInformation*, vtkInformationVector**, vtkInformationVector*) override;

private:
  vtkLabelMapAlgorithm(const vtkLabelMapAlgorithm&) = delete;
  void operator=(const vtkLabelMapAlgorithm&) = delete;

  friend class segcore::EffectJob;

  bool Run(vtkImageData* input, vtkImageData* volume, vtkImageData* output);

  vtkTypeInt64 SegmentLabel = 1;
  int NumberOfBlocks = 1;
};

#endif
