// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkTopologicalHierarchy
 * @brief nesting levels of surfaces, from their bounding boxes
 *
 * With the interface of Slicer's class of that name. A surface that holds no other has level 0;
 * any other is one above the highest it holds; levels end at 7. Surfaces that hold others are
 * drawn translucent, for instance, by their level.
 *
 * One surface holds another if the other's bounding box lies strictly inside its own, on each of
 * the six sides by more than ContainConstraintFactor times its own size along that axis. Boxes
 * that touch from inside, or are equal, do not hold each other. A surface without points holds
 * nothing and is held by nothing.
 *
 * Cost: the square of the number of surfaces. Differences from Slicer: see docs/data-model.md.
 */
#ifndef vtkTopologicalHierarchy_h
#define vtkTopologicalHierarchy_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

class vtkIntArray;
class vtkPolyDataCollection;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkTopologicalHierarchy : public vtkObject
{
public:
  static vtkTopologicalHierarchy* New();
  vtkTypeMacro(vtkTopologicalHierarchy, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// The level of each surface, in the order of the collection; of the last Update(). Owned by
  /// this object. Without values before the first Update() and after one that failed.
  virtual vtkIntArray* GetOutputLevels();

  /// Calculate the levels. An error if there is no collection, or if it has an item that is no
  /// surface.
  virtual void Update();

  /// The surfaces. The collection is kept, not copied. Default null.
  virtual void SetInputPolyDataCollection(vtkPolyDataCollection* collection);

  ///@{
  /// Least distance between the sides of a box and the box in it, as a fraction of the outer
  /// box's size along that axis. Below 0 boxes may stick out. Default 0.
  vtkSetMacro(ContainConstraintFactor, double);
  vtkGetMacro(ContainConstraintFactor, double);
  ///@}

protected:
  vtkTopologicalHierarchy();
  ~vtkTopologicalHierarchy() override;

  vtkPolyDataCollection* InputPolyDataCollection = nullptr;
  vtkIntArray* OutputLevels;
  double ContainConstraintFactor = 0.0;

private:
  vtkTopologicalHierarchy(const vtkTopologicalHierarchy&) = delete;
  void operator=(const vtkTopologicalHierarchy&) = delete;
};

#endif
