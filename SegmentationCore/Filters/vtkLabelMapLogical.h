// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapLogical
 * @brief Combines a segment with another one, or inverts, clears or fills it.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were. In a label map two segments never
 * share a voxel: COPY takes all voxels of the other segment. In the editor they can (see
 * BypassMasking).
 *
 * INVERT and FILL reach over the whole image; in the editor, blocks that are all of one value stay
 * one value, so neither allocates the image.
 *
 * Local: costs what the segments touch. Threads: yes. Ranks: exact, nothing is exchanged. Scratch
 * memory: 1 byte per touched voxel.
 *
 * Errors: an operation that needs another segment and has none, or an unknown one.
 *
 * @sa vtkLabelMapEditor
 */
#ifndef vtkLabelMapLogical_h
#define vtkLabelMapLogical_h

#include "vtkLabelMapAlgorithm.h"

#include <string> // for std::string

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapLogical : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapLogical* New();
  vtkTypeMacro(vtkLabelMapLogical, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// A is the segment, B the other one.
  enum OperationType
  {
    COPY = 0,      ///< A becomes B
    UNION = 1,     ///< A or B
    SUBTRACT = 2,  ///< A and not B
    INTERSECT = 3, ///< A and B
    XOR = 4,       ///< either A or B, not both
    INVERT = 5,    ///< not A
    CLEAR = 6,     ///< nothing
    FILL = 7       ///< everything
  };

  ///@{
  /// One of OperationType. Default COPY.
  vtkSetMacro(Operation, int);
  vtkGetMacro(Operation, int);
  ///@}

  ///@{
  /// The other segment, for COPY, UNION, SUBTRACT, INTERSECT and XOR: its ID in the editor, its
  /// label value as a decimal number in a plain label map. Default "": none.
  void SetModifierSegmentID(const char* id);
  const char* GetModifierSegmentID() const { return this->ModifierSegmentID.c_str(); }
  ///@}

  ///@{
  /// In the editor: ignore the editable area and intensity range, and let segments overlap instead
  /// of taking voxels from others. Default on, as in Slicer (which does not ignore the intensity
  /// range).
  vtkSetMacro(BypassMasking, bool);
  bool GetBypassMasking() const override { return this->BypassMasking; }
  vtkBooleanMacro(BypassMasking, bool);
  ///@}

#ifndef __VTK_WRAP__
  bool IsLocal() const override { return true; }
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapLogical() = default;
  ~vtkLabelMapLogical() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapLogical(const vtkLabelMapLogical&) = delete;
  void operator=(const vtkLabelMapLogical&) = delete;

  int Operation = COPY;
  std::string ModifierSegmentID;
  bool BypassMasking = true;
};

#endif
