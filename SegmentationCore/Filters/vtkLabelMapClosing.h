// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkLabelMapClosing
 * @brief Fills what an ellipsoid does not fit into beside a segment: small holes, cracks and
 * notches.
 *
 * Input and output: a label map, see vtkLabelMapAlgorithm.
 * The result is what no ellipsoid covers that lies outside the segment. Voxels that enter it become
 * SegmentLabel whatever they were; none leaves it.
 *
 * The ellipsoid, its parameter, cost and errors: see vtkLabelMapMorphology.
 *
 * @sa vtkLabelMapOpening vtkLabelMapMedian vtkLabelMapGaussian
 */
#ifndef vtkLabelMapClosing_h
#define vtkLabelMapClosing_h

#include "vtkLabelMapMorphology.h"

class SEGMENTATIONCOREFILTERS_EXPORT vtkLabelMapClosing : public vtkLabelMapMorphology
{
public:
  static vtkLabelMapClosing* New();
  vtkTypeMacro(vtkLabelMapClosing, vtkLabelMapMorphology);

protected:
  vtkLabelMapClosing() = default;
  ~vtkLabelMapClosing() override = default;

  bool GrowsFirst() const override { return true; }

private:
  vtkLabelMapClosing(const vtkLabelMapClosing&) = delete;
  void operator=(const vtkLabelMapClosing&) = delete;
};

#endif
