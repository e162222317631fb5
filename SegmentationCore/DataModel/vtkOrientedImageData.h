// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkOrientedImageData
 * @brief an image with direction cosines, with the interface of Slicer's class of that name
 *
 * Adds to vtkImageData: getting and setting the whole geometry as one image-to-world matrix, bounds
 * of the voxels instead of the voxel centres, and copies that keep the directions.
 *
 * Geometry: world = origin + directions * (spacing * index), in millimetres. Directions are given
 * as `dirs[row][column]`: column = image axis, row = world axis. Left-handed directions are kept.
 *
 * One place for the directions: they are stored only in vtkImageData's own direction matrix. There
 * is no second copy that could get out of step, so VTK's filters and writers, and ParaView, see
 * what SetDirections wrote, and what SetDirectionMatrix or a pipeline wrote is seen here. The
 * matrix is never shared with another object: SetDirectionMatrix(vtkMatrix3x3*) copies the
 * elements. (As with any vtkImageData, do not write to the elements of GetDirectionMatrix(): VTK
 * would not notice.)
 *
 * Copies: ShallowCopy, DeepCopy and CopyStructure take the directions from another
 * vtkOrientedImageData. From a plain vtkImageData they keep the directions that this image has,
 * whatever the other's matrix says: code written for Slicer runs a filter, copies its plain output
 * into an oriented image, and relies on it. To take a plain image's directions, say so:
 * `oriented->SetDirectionMatrix(plain->GetDirectionMatrix())`.
 *
 * Modified: only when something changes (differences within the machine epsilon are none), at most
 * once for every call of this class, and never with half of the geometry set.
 *
 * Bounds: the world box of the voxels, that is of the extent widened by half a voxel on all sides.
 * Note that they are larger than the box of the points by which filters work.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: Slicer leaves the direction
 * matrix of vtkImageData at identity; a matrix with a column of zeros is refused.
 *
 * Threads: as vtkImageData.
 *
 * @sa vtkSegment
 */
#ifndef vtkOrientedImageData_h
#define vtkOrientedImageData_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkImageData.h"

class vtkMatrix3x3;
class vtkMatrix4x4;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkOrientedImageData : public vtkImageData
{
public:
  static vtkOrientedImageData* New();
  vtkTypeMacro(vtkOrientedImageData, vtkImageData);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  ///@{
  /// Copy everything, voxels by reference (shallow) or by value (deep). See the class comment for
  /// the directions.
  void ShallowCopy(vtkDataObject* src) override;
  void DeepCopy(vtkDataObject* src) override;
  ///@}

  /// Copy extent and geometry, without arrays. See the class comment for the directions.
  void CopyStructure(vtkDataSet* src) override;

  /// Copy only the directions, not origin or spacing. Does nothing if `src` is not a
  /// vtkOrientedImageData.
  virtual void CopyDirections(vtkDataObject* src);

  ///@{
  /// Directions, `dirs[row][column]`. The second form takes them row by row, in spite of the names
  /// that Slicer's header gives the arguments: the first three are row 0. Default identity.
  void SetDirections(double dirs[3][3]);
  void SetDirections(double ir, double ia, double is, double jr, double ja, double js, double kr,
    double ka, double ks);
  void GetDirections(double dirs[3][3]);
  ///@}

  ///@{
  /// Smallest and largest of the three spacings.
  double GetMinSpacing();
  double GetMaxSpacing();
  ///@}

  ///@{
  /// Directions in the upper left 3x3 part of the matrix; its other elements are neither read nor
  /// written. Null does nothing. The overloads of vtkImageData are there as well.
  using vtkImageData::GetDirectionMatrix;
  using vtkImageData::SetDirectionMatrix;
  void GetDirectionMatrix(vtkMatrix4x4* mat);
  void SetDirectionMatrix(vtkMatrix4x4* mat);
  ///@}

  /// Take over the elements; the matrix is not kept. Null does nothing.
  void SetDirectionMatrix(vtkMatrix3x3* mat) override;

  ///@{
  /// The whole geometry: directions times spacing, and the origin in the last column. Setting makes
  /// the norms of the columns the spacing and the normalized columns the directions. A column
  /// without length or a number that is not finite is refused with an error, and nothing changes.
  /// Null does nothing.
  void GetImageToWorldMatrix(vtkMatrix4x4* mat);
  void SetImageToWorldMatrix(vtkMatrix4x4* mat);
  void SetGeometryFromImageToWorldMatrix(vtkMatrix4x4* mat);
  ///@}

  /// The inverse of the image-to-world matrix. Null does nothing.
  void GetWorldToImageMatrix(vtkMatrix4x4* mat);

  /// World box of the voxels, see the class comment; (1,-1,1,-1,1,-1) for an empty extent.
  void ComputeBounds() override;

  /// True if the extent holds no voxel. Says nothing about the values of voxels.
  bool IsEmpty();

  /// Held back while a call changes several things at once, so that observers see the result only.
  void Modified() override;

protected:
  vtkOrientedImageData();
  ~vtkOrientedImageData() override;

private:
  vtkOrientedImageData(const vtkOrientedImageData&) = delete;
  void operator=(const vtkOrientedImageData&) = delete;

  // While one exists Modified() only takes a note; the last one to go passes it on.
  class ModifiedHold;
  int ModifiedHolds = 0;
  bool ModifiedIsPending = false;

  template <class Copy>
  void CopyKeepingDirections(vtkDataObject* src, const Copy& copy);
};

#endif
