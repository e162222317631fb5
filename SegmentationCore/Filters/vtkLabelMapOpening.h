// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapOpening
 * @brief Removes from a segment what an ellipsoid does not fit into: spots, spikes and thin
 * bridges.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm.
 * The result is the union of all ellipsoids that lie inside the segment. Voxels that leave it
 * become 0; none enters it.
 *
 * The ellipsoid, its parameter, cost and errors: see vtkLabelMapMorphology.
 *
 * @sa vtkLabelMapClosing vtkLabelMapMedian vtkLabelMapGaussian
 */
#ifndef vtkLabelMapOpening_h
#define vtkLabelMapOpening_h

#include "vtkLabelMapMorphology.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapOpening : public vtkLabelMapMorphology
{
public:
  static vtkLabelMapOpening* New();
  vtkTypeMacro(vtkLabelMapOpening, vtkLabelMapMorphology);

protected:
  vtkLabelMapOpening() = default;
  ~vtkLabelMapOpening() override = default;

  bool GrowsFirst() const override { return false; }

private:
  vtkLabelMapOpening(const vtkLabelMapOpening&) = delete;
  void operator=(const vtkLabelMapOpening&) = delete;
};

#endif
