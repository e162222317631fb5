// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapHollow
 * @brief Makes a segment a shell: a wall of some thickness along its surface.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were.
 *
 * ShellMode says what the segment becomes, as in Slicer: INSIDE_SURFACE makes it the inside surface
 * of the shell, so the shell lies around the segment, which itself is removed; OUTSIDE_SURFACE
 * makes it the outside surface, so the shell is the outermost part of the segment; MEDIAL_SURFACE
 * puts half of the thickness on either side.
 *
 * The surface of a segment is where its voxels meet others, face to face. A voxel is part of the
 * shell if its centre is at most the thickness away from it (half of it for MEDIAL_SURFACE, less
 * than half on the outside). So across a flat wall the shell has the number of voxels that is
 * nearest to the thickness, for any spacing along it; of two equally near the larger one. Voxels
 * that share a face with the surface are always part of it (on the inside, for MEDIAL_SURFACE): a
 * shell has no gaps, however thin it is, and is 26-connected where the surface is connected. What
 * lies beyond the image's border does not count: there is no surface, hence no wall, at the border.
 *
 * Slicer measures to the centres of the voxels at the border of the segment, adds parts of the
 * smallest spacing, and rounds down. Where the thickness is a multiple of the spacing and the
 * surface is flat the result is the same. Otherwise its shells are uneven on anisotropic voxels, up
 * to a voxel thicker across slanted surfaces, and empty where the thickness is below the smallest
 * spacing.
 *
 * Threads: yes. Ranks: exact, halo ShellThicknessMm / spacing + 1/2 voxels, of any width. Cost:
 * proportional to the number of voxels. Scratch memory: 2 bytes per voxel at most.
 *
 * Errors: a thickness that is negative, not a number or beyond 1e6 mm, or of more than some 256
 * voxels: the default is not meant for voxels of micrometres.
 *
 * Sources: T. Saito, J. Toriwaki, New algorithms for Euclidean distance transformation of an
 * n-dimensional digitized picture, Pattern Recognition 27(11), 1994,
 * doi:10.1016/0031-3203(94)90133-3.
 *
 * @sa vtkLabelMapMargin
 */
#ifndef vtkLabelMapHollow_h
#define vtkLabelMapHollow_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapHollow : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapHollow* New();
  vtkTypeMacro(vtkLabelMapHollow, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of ShellMode; the names are Slicer's.
  enum ShellModes
  {
    INSIDE_SURFACE = 0,
    MEDIAL_SURFACE = 1,
    OUTSIDE_SURFACE = 2
  };

  ///@{
  /// Which surface of the shell the segment becomes. Default INSIDE_SURFACE.
  vtkSetMacro(ShellMode, int);
  vtkGetMacro(ShellMode, int);
  ///@}

  ///@{
  /// Thickness of the wall in millimetres, 0 to 1e6; at least one voxel. Default 3.
  vtkSetMacro(ShellThicknessMm, double);
  vtkGetMacro(ShellThicknessMm, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
  bool LooksNearby() const override { return true; }
#endif

protected:
  vtkLabelMapHollow() = default;
  ~vtkLabelMapHollow() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapHollow(const vtkLabelMapHollow&) = delete;
  void operator=(const vtkLabelMapHollow&) = delete;

  int ShellMode = INSIDE_SURFACE;
  double ShellThicknessMm = 3.0;
};

#endif
