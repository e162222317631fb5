// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapEngrave
 * @brief Takes a text away from a segment, as cut into its surface, or adds it.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. ENGRAVE: the segment's voxels in the
 * text become 0. EMBOSS: voxels of the text become SegmentLabel, whatever they were.
 *
 * Place: the first three points are the lower left, lower right and upper left corner of a
 * rectangle, which may lie in any direction (the third one says how high it is, and on which side;
 * further points have no influence). The text is as large as fits into it, in its middle. It
 * reaches TextDepth / 2 to both sides of the rectangle's plane. A line feed begins a new line.
 * Rectangles without an area hold nothing.
 *
 * Letters: those of Kernels/EngravingFont.h, the ways of a round cutter with a diameter of an
 * eighth of their height. A voxel is inside if its centre is in the swept disc; see
 * Kernels/StrokeMask.h.
 *
 * Differences from Slicer: the letters are cut with a round tool and have one line (Slicer: filled
 * outlines of a font); they are not stretched.
 *
 * Local: costs what it touches. Threads: yes. Ranks: exact, nothing is exchanged. Scratch memory: 2
 * bytes per touched voxel.
 *
 * Errors: those of the points (vtkLabelMapPointAlgorithm); fewer than three points; a character
 * that has no letter (all of ASCII have one); parameters out of range.
 *
 * @sa vtkLabelMapPaint
 */
#ifndef vtkLabelMapEngrave_h
#define vtkLabelMapEngrave_h

#include "vtkLabelMapPointAlgorithm.h"

#include <string> // for std::string

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapEngrave : public vtkLabelMapPointAlgorithm
{
public:
  static vtkLabelMapEngrave* New();
  vtkTypeMacro(vtkLabelMapEngrave, vtkLabelMapPointAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Mode; the names are Slicer's.
  enum ModeType
  {
    ENGRAVE = 0,
    EMBOSS = 1
  };

  ///@{
  /// What is written, in ASCII, with line feeds between lines. Default "Text".
  void SetText(const char* text);
  const char* GetText() const { return this->Text.c_str(); }
  ///@}

  ///@{
  /// Whether the segment loses the text (ENGRAVE, default) or gets it (EMBOSS).
  vtkSetMacro(Mode, int);
  vtkGetMacro(Mode, int);
  ///@}

  ///@{
  /// Thickness of the letters in millimetres, half of it on each side of the plane. 1e-6 to 1e6,
  /// default 5.
  vtkSetMacro(TextDepth, double);
  vtkGetMacro(TextDepth, double);
  ///@}

#ifndef __VTK_WRAP__
  segcore::WriteMode GetWriteMode() const override;
#endif

protected:
  vtkLabelMapEngrave() = default;
  ~vtkLabelMapEngrave() override = default;

  std::string CheckParameters() const override;
  std::unique_ptr<segcore::LocalMask> MakeLocalMask(const segcore::LocalInput& input) override;

private:
  vtkLabelMapEngrave(const vtkLabelMapEngrave&) = delete;
  void operator=(const vtkLabelMapEngrave&) = delete;

  std::string Text = "Text";
  int Mode = ENGRAVE;
  double TextDepth = 5.0;
};

#endif
