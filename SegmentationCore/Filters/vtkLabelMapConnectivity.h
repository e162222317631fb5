// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapConnectivity
 * @brief Keeps the connected components (islands) of a segment that reach faces of the image: what
 * a fluid can get to, or through.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm. Voxels of all other islands leave the
 * segment and become 0; none enters it.
 *
 * The faces of the image are named by FlowDirection, a direction in the world: the axis of the
 * image that is nearest to it (of two equally near ones the first) runs from the inlet, the face
 * where the flow comes in, to the outlet. Faces says which ones an island must reach:
 * INLET_AND_OUTLET (it percolates), INLET, OUTLET, INLET_OR_OUTLET, ALL_FACES (all six) or
 * ANY_FACE. The voxels of a face include those at its edges. (GeoSlicer leaves the edges out, so
 * that an island along an edge of the image is lost, and mixes up the axes x and z.) In an image of
 * one slice both faces are that slice.
 *
 * Voxels are connected through faces (Connectivity 6), also edges (18), also corners (26). Islands
 * are those of the whole image, and its faces are those of the whole image: between blocks and
 * ranks there is no face. In the editor the image is the region of the operation, if it has one.
 *
 * Threads: yes. Ranks: exact; the runs of voxels at the faces of blocks travel, and which faces
 * their islands reach. Cost: proportional to the number of voxels. Scratch memory: as
 * vtkLabelMapIslands, at most 2.2 bytes per voxel plus 8 per row, and 64 bytes for each run and
 * component at a face of a block.
 *
 * Errors: another Connectivity, unknown Faces, a FlowDirection that is 0 or not finite.
 *
 * @sa vtkLabelMapIslands
 */
#ifndef vtkLabelMapConnectivity_h
#define vtkLabelMapConnectivity_h

#include "vtkLabelMapAlgorithm.h"

#include <vector> // for std::vector

namespace segcore
{
class ComponentRuns;
}

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapConnectivity : public vtkLabelMapAlgorithm
{
public:
  static vtkLabelMapConnectivity* New();
  vtkTypeMacro(vtkLabelMapConnectivity, vtkLabelMapAlgorithm);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Values of Faces.
  enum RequiredFaces
  {
    INLET_AND_OUTLET = 0,
    INLET = 1,
    OUTLET = 2,
    INLET_OR_OUTLET = 3,
    ALL_FACES = 4,
    ANY_FACE = 5
  };

  ///@{
  /// Which faces an island must reach to be kept. Default INLET_AND_OUTLET.
  vtkSetMacro(Faces, int);
  vtkGetMacro(Faces, int);
  ///@}

  ///@{
  /// Where the flow goes, in world coordinates, of any length but 0. Default (0, 0, 1).
  vtkSetVector3Macro(FlowDirection, double);
  vtkGetVector3Macro(FlowDirection, double);
  ///@}

  ///@{
  /// Which voxels touch: 6 (faces), 18 (and edges), 26 (and corners). Default 6.
  vtkSetMacro(Connectivity, int);
  vtkGetMacro(Connectivity, int);
  ///@}

#ifndef __VTK_WRAP__
  void GetReach(const double spacing[3], std::int64_t reach[3]) const override;
#endif

protected:
  vtkLabelMapConnectivity() = default;
  ~vtkLabelMapConnectivity() override = default;

  std::string CheckParameters() const override;
  void Execute(segcore::EffectJob& job) override;

private:
  vtkLabelMapConnectivity(const vtkLabelMapConnectivity&) = delete;
  void operator=(const vtkLabelMapConnectivity&) = delete;

  void SelectIslands(segcore::EffectJob& job, std::vector<segcore::ComponentRuns>& blocks) const;

  template <class T>
  void ExecuteTyped(segcore::EffectJob& job);

  int Faces = INLET_AND_OUTLET;
  double FlowDirection[3] = { 0.0, 0.0, 1.0 };
  int Connectivity = 6;
};

#endif
