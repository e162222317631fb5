// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapWrapSolidify
 * @brief Wraps a segment: makes it a solid body without cavities, its largest cavity, or a shell of
 * either.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels that leave the segment become 0,
 * voxels that enter it become SegmentLabel whatever they were.
 *
 * OUTER_SURFACE: a ball of CarveHolesInOuterSurfaceDiameter rolls around the segment, coming from
 * outside the image. Where it passes is outside; all else becomes the segment. So openings and
 * cracks that are narrower are closed over, with what lies behind them, and wider ones are carved;
 * a diameter of 0 closes cavities alone. LARGEST_CAVITY: the segment becomes the largest of the
 * regions that a ball of SplitCavitiesDiameter can roll through without touching the segment or
 * getting outside, with what the ball covers: openings that are narrower part cavities from each
 * other and from the outside. Of equal ones all are taken, so that the order of voxels plays
 * no part; without any the segment is empty.
 *
 * The ball is exact for any spacing: the segment is grown by the radius (as by vtkLabelMapMargin),
 * what is left is labelled through faces, and the part that is wanted is grown by the radius. The
 * image is continued by background beyond its border, as far as the ball needs.
 *
 * ShellOffsetDirection makes a wall of ShellThickness instead of the solid: INSIDE, the outermost
 * part of it; OUTSIDE, around it. See vtkLabelMapHollow for how the thickness is measured; here
 * there is a wall at the border of the image, too.
 *
 * Differences from Slicer's extension of this name, which shrinks a mesh onto the segment, remeshes
 * and smooths it some times: its result depends on the resolution of meshes and is smoothed; an
 * opening is closed or not by what the iterations make of it unless holes are carved. Here the
 * diameter alone decides, and nothing is smoothed (see vtkLabelMapGaussian). To wrap without
 * carving, choose a diameter above that of the openings. Its region may be another segment: copy it
 * first. Its result may be a new segment or a model: copy the segment first, or convert it. There
 * are no cracks to preserve, as no mesh is cut.
 *
 * Threads: yes. Ranks: exact, halo radius and shell, of any width. Cost: proportional to the number
 * of voxels, those beyond the border included. Scratch memory: 4 bytes per voxel at most,
 * those beyond the border included; below 2 for real data.
 *
 * Errors: a diameter or thickness out of range; a diameter that spans more than 255 voxels, or a
 * shell of more than some 256.
 *
 * Sources: H. Edelsbrunner, E. P. Muecke, Three-dimensional alpha shapes, ACM Trans. Graphics
 * 13(1), 1994, doi:10.1145/174462.156635 (the ball that rolls around); C. Portaneri et al., Alpha
 * wrapping with an offset, ACM Trans. Graphics 41(4), 2022, doi:10.1145/3528223.3530152 (wrapping).
 *
 * @sa vtkLabelMapFillHoles vtkLabelMapClosing vtkLabelMapHollow
 */
#ifndef vtkLabelMapWrapSolidify_h
#define vtkLabelMapWrapSolidify_h

#include "vtkLabelMapAlgorithm.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapWrapSolidify : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapWrapSolidify* New();
  vtkTypeMacro(vtkLabelMapWrapSolidify, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Region.
  enum Regions
  {
    OUTER_SURFACE = 0,
    LARGEST_CAVITY = 1
  };

  /// Values of ShellOffsetDirection.
  enum ShellOffsetDirections
  {
    NONE = 0,
    INSIDE = 1,
    OUTSIDE = 2
  };

  ///@{
  /// What the segment becomes. Default OUTER_SURFACE.
  vtkSetMacro(Region, int);
  vtkGetMacro(Region, int);
  ///@}

  ///@{
  /// OUTER_SURFACE: diameter of the ball in millimetres, 0 to 1e6. Default 10.
  vtkSetMacro(CarveHolesInOuterSurfaceDiameter, double);
  vtkGetMacro(CarveHolesInOuterSurfaceDiameter, double);
  ///@}

  ///@{
  /// LARGEST_CAVITY: diameter of the ball in millimetres, 0 to 1e6. Default 5.
  vtkSetMacro(SplitCavitiesDiameter, double);
  vtkGetMacro(SplitCavitiesDiameter, double);
  ///@}

  ///@{
  /// Whether the result is solid or a shell, and on which side of its surface. Default NONE.
  vtkSetMacro(ShellOffsetDirection, int);
  vtkGetMacro(ShellOffsetDirection, int);
  ///@}

  ///@{
  /// Thickness of the shell in millimetres, 0 to 1e6; at least one voxel. Default 1.5.
  vtkSetMacro(ShellThickness, double);
  vtkGetMacro(ShellThickness, double);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
#endif

protected:
  vtkLabelMapWrapSolidify() = default;
  ~vtkLabelMapWrapSolidify() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapWrapSolidify(const vtkLabelMapWrapSolidify&) = delete;
  void operator=(const vtkLabelMapWrapSolidify&) = delete;

  double GetDiameter() const
  {
    return this->Region == OUTER_SURFACE ? this->CarveHolesInOuterSurfaceDiameter
                                         : this->SplitCavitiesDiameter;
  }

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  int Region = OUTER_SURFACE;
  double CarveHolesInOuterSurfaceDiameter = 10.0;
  double SplitCavitiesDiameter = 5.0;
  int ShellOffsetDirection = NONE;
  double ShellThickness = 1.5;
};

#endif
