// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentationConversionPaths
 * @brief collection of conversion paths
 *
 * With the interface of Slicer's class of that name. Items are added by AddPath, so that a
 * collection of paths holds paths only; the rest is vtkCollection's. Paths are held by reference.
 *
 * Errors: in Python an index out of range raises ValueError; in C++ it is an error and gives null.
 * Adding null is an error.
 *
 * @sa vtkSegmentationConversionPath vtkSegmentationConverter
 */
#ifndef vtkSegmentationConversionPaths_h
#define vtkSegmentationConversionPaths_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkCollection.h"

class vtkSegmentationConversionPath;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentationConversionPaths : public vtkCollection
{
public:
  static vtkSegmentationConversionPaths* New();
  vtkTypeMacro(vtkSegmentationConversionPaths, vtkCollection);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Append a path, or all of another collection.
  void AddPath(vtkSegmentationConversionPath* path);
  void AddPaths(vtkSegmentationConversionPaths* paths);
  ///@}

  /// Next path after InitTraversal; null after the last.
  vtkSegmentationConversionPath* GetNextPath();

  /// Path by index.
  vtkSegmentationConversionPath* GetPath(int index)
    VTK_EXPECTS(0 <= index && index < GetNumberOfPaths());

  /// Next path of a traversal of one's own, begun by InitTraversal(cookie).
  vtkSegmentationConversionPath* GetNextPath(vtkCollectionSimpleIterator& cookie);

  /// Number of paths.
  int GetNumberOfPaths();

protected:
  vtkSegmentationConversionPaths();
  ~vtkSegmentationConversionPaths() override;

private:
  vtkSegmentationConversionPaths(const vtkSegmentationConversionPaths&) = delete;
  void operator=(const vtkSegmentationConversionPaths&) = delete;

  // Hides vtkCollection's: an item that is no path has no place here.
  void AddItem(vtkObject* item) { this->vtkCollection::AddItem(item); }
};

#endif
