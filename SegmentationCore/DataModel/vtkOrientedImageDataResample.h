// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkOrientedImageDataResample
 * @brief utilities for images with directions, with the interface of Slicer's class of that name
 *
 * Only static functions: resampling to another lattice, combining two images voxel by voxel,
 * cropping and padding, extents and boxes, comparing geometries, and choosing scalar types.
 *
 * Words: the *lattice* or geometry of an image is its image-to-world matrix (directions, spacing,
 * origin); its *extent* says which voxels of the lattice are stored. Lattices are equal if their
 * matrices differ by less than 0.0001 in every element. The *effective* extent is the smallest one
 * around the voxels above a threshold. Distances are in the world's unit (mm in Slicer).
 *
 * Extents are (i0, i1, j0, j1, k0, k1), both ends included; an extent with an end below its begin
 * holds no voxel, and (0,-1,0,-1,0,-1) is what these functions give then. Where an extent is
 * optional, null means all of the image.
 *
 * Bad input (null, no scalars, different lattices where one is needed): an error or warning that
 * names the function and the culprit, false where the function returns bool, and nothing changed.
 *
 * Interpolation: nearest for labels, linear for grey values; kernel Resample.h states the exact
 * rules. A voxel's result does not depend on the extent that is computed, nor on threads.
 *
 * Threads: functions that touch voxels use vtkSMPTools; where VTK's back end is sequential by
 * default, and nobody chose one, they use std::thread for large images. They may be called from
 * one thread at a time for the same images. Counts have 64 bits. No function keeps a copy.
 *
 * Differences from Slicer: see docs/data-model.md. The most important: TransformOrientedImage finds
 * the extent from the whole box instead of two of its corners; all functions check for null and
 * clip extents to what is stored; a new output of PadImageToContainImage has the geometry of the
 * image; functions that combine images do nothing outside the voxels that both have.
 *
 * @sa vtkOrientedImageData vtkSegmentationModifier
 */
#ifndef vtkOrientedImageDataResample_h
#define vtkOrientedImageDataResample_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"

#include <vector> // for lists of labels

class vtkAbstractTransform;
class vtkImageData;
class vtkMatrix4x4;
class vtkOrientedImageData;
class vtkTransform;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkOrientedImageDataResample : public vtkObject
{
public:
  static vtkOrientedImageDataResample* New();
  vtkTypeMacro(vtkOrientedImageDataResample, vtkObject);

  /// How MergeImage and ModifyImage combine two voxels.
  enum
  {
    OPERATION_MINIMUM = 0, ///< the smaller value
    OPERATION_MAXIMUM,     ///< the larger value
    OPERATION_MASKING      ///< the fill value where the modifier is above the threshold
  };

  /// Whether an image's scalar type can hold labels; see IsImageScalarTypeValid.
  enum ImageTypeCheckResult
  {
    TYPE_OK = 0,
    TYPE_CONVERSION_NEEDED,
    TYPE_CONVERSION_TRUNCATION_NEEDED,
    TYPE_CONVERSION_CLAMPING_NEEDED,
    TYPE_ERROR
  };

  // Resampling ------------------------------------------------------------------------------------

  /// Resample to a lattice given as an image-to-world matrix. The output's extent is that of the
  /// input's voxels above 0, mapped by TransformExtent. False if there is no such voxel. The output
  /// may be the input.
  static bool ResampleOrientedImageToReferenceGeometry(vtkOrientedImageData* inputImage,
    vtkMatrix4x4* referenceGeometryMatrix, vtkOrientedImageData* outputImage,
    bool linearInterpolation = false);

  /// Resample to the lattice of a reference image. The output has the input's scalar type, and the
  /// extent of the reference; with `padImage` also all of the input's extent. `inputImageTransform`
  /// moves the input in the world first. Voxels outside the input get `backgroundValue`, clamped to
  /// the scalar type. On equal lattices without a transform voxels are copied. An empty input gives
  /// the background in the first of unsigned char, short, unsigned short, double that holds it.
  /// False if the output would be empty. The output may be the input.
  static bool ResampleOrientedImageToReferenceOrientedImage(vtkOrientedImageData* inputImage,
    vtkOrientedImageData* referenceImage, vtkOrientedImageData* outputImage,
    bool linearInterpolation = false, bool padImage = false,
    vtkAbstractTransform* inputImageTransform = nullptr, double backgroundValue = 0);

  /// Move an image in the world. A linear transform changes the geometry only, unless
  /// `alwaysResample`. Else the image keeps its lattice and gets the extent of the moved box; with
  /// `geometryOnly` the voxels are left alone then. `backgroundColor` has a value per component, of
  /// which the first one is used; null is 0.
  static void TransformOrientedImage(vtkOrientedImageData* image, vtkAbstractTransform* transform,
    bool geometryOnly = false, bool alwaysResample = false, bool linearInterpolation = false,
    double backgroundColor[4] = nullptr);

  // Combining images ------------------------------------------------------------------------------

  /// Combine two images of one lattice into an output that holds the voxels of both (of the input
  /// and `extent`, if given), with the input's scalar type; see the enum. The threshold and the
  /// fill value are for masking. `outputModified` tells whether a voxel changed. The output may be
  /// the input.
  static bool MergeImage(vtkOrientedImageData* inputImage, vtkOrientedImageData* imageToAppend,
    vtkOrientedImageData* outputImage, int operation, const int extent[6] = nullptr,
    double maskThreshold = 0, double fillValue = 1, bool* outputModified = nullptr);

  /// The same in place, where both images (and `extent`) have voxels. Modified fires only if a
  /// voxel changed.
  static bool ModifyImage(vtkOrientedImageData* inputImage, vtkOrientedImageData* modifierImage,
    int operation, const int extent[6] = nullptr, double maskThreshold = 0, double fillValue = 1);

  /// Set voxels to `fillValue` where the mask is 0, or, with `notMask`, where it is not. In place;
  /// voxels that the mask does not have count as 0.
  static bool ApplyImageMask(vtkOrientedImageData* input, vtkOrientedImageData* mask,
    double fillValue, bool notMask = false);

  /// Labels (all values but 0), sorted, that the labelmap has where the mask is above the
  /// threshold; the list is replaced. The images must have one lattice.
  static void GetLabelValuesInMask(std::vector<int>& labelValues,
    vtkOrientedImageData* binaryLabelmap, vtkOrientedImageData* mask, const int extent[6] = nullptr,
    int maskThreshold = 0);

  /// True if there is such a label. On different lattices the labelmap is resampled to the mask's;
  /// `extent` is the mask's.
  static bool IsLabelInMask(vtkOrientedImageData* binaryLabelmap, vtkOrientedImageData* mask,
    int extent[6] = nullptr, int maskThreshold = 0);

  // Voxels of one image ---------------------------------------------------------------------------

  /// Copy with another extent (default: the input's), cropped or padded with 0.
  static bool CopyImage(vtkOrientedImageData* imageToCopy, vtkOrientedImageData* outputImage,
    const int extent[6] = nullptr);

  /// Set all voxels of the extent to a value, clamped to the scalar type. Does nothing without an
  /// image, scalars or voxels.
  static void FillImage(vtkImageData* image, double fillValue, const int extent[6] = nullptr);

  ///@{
  /// Make an image hold its own voxels and the extent of another one, mapped to its lattice, or an
  /// extent; new voxels are 0. An empty image gets unsigned char. Without an output of its own the
  /// image is changed only if its extent grows.
  static bool PadImageToContainImage(vtkOrientedImageData* inputImage,
    vtkOrientedImageData* containedImage, vtkOrientedImageData* outputImage, const int extent[6]);
  static bool PadImageToContainImage(vtkOrientedImageData* inputImage,
    vtkOrientedImageData* containedImage, vtkOrientedImageData* outputImage);
  ///@}

  /// The smallest extent around the voxels above the threshold. False, and (0,-1,0,-1,0,-1), if
  /// there is none. Works from the faces inwards: fast for images that are tight already.
  static bool CalculateEffectiveExtent(
    vtkOrientedImageData* image, int effectiveExtent[6], double threshold = 0.0);

  /// What to print about an image: its geometry, extent and scalars.
  static void PrintImageInformation(vtkImageData* imageData, ostream& os, vtkIndent indent);

  // Extents, boxes and geometries -----------------------------------------------------------------

  /// Set to (0,-1,0,-1,0,-1).
  static void InvalidateExtent(int extent[6]);

  ///@{
  /// Compare lattices (extents do not matter), extents, and lattices up to their origin. False for
  /// null.
  static bool DoGeometriesMatch(vtkOrientedImageData* image1, vtkOrientedImageData* image2);
  static bool DoExtentsMatch(vtkOrientedImageData* image1, vtkOrientedImageData* image2);
  static bool DoGeometriesMatchIgnoreOrigin(
    vtkOrientedImageData* image1, vtkOrientedImageData* image2);
  ///@}

  /// The extent whose voxels cover those of another one, mapped by a transform of indices: the box
  /// of the mapped corners of all voxels, half a voxel smaller on each side, rounded to 6 decimals
  /// and then outwards.
  static void TransformExtent(
    const int inputExtent[6], vtkAbstractTransform* inputToOutputTransform, int outputExtent[6]);

  /// The box around the eight mapped corners of a box.
  static void TransformBounds(const double inputBounds[6],
    vtkAbstractTransform* inputToOutputTransform, double outputBounds[6]);

  /// The box around the mapped faces of an image, sampled at 6 by 6 points each.
  static void TransformOrientedImageDataBounds(
    vtkOrientedImageData* image, vtkAbstractTransform* transform, double transformedBounds[6]);

  ///@{
  /// Equal within 0.0001. Null is equal to nothing.
  static bool IsEqual(vtkMatrix4x4* lhs, vtkMatrix4x4* rhs);
  static bool AreEqualWithTolerance(double a, double b);
  ///@}

  /// The transform from the indices of one image to those of another.
  static bool GetTransformBetweenOrientedImages(vtkOrientedImageData* image1,
    vtkOrientedImageData* image2, vtkTransform* image1ToImage2Transform);

  /// True for a vtkLinearTransform and for a vtkGeneralTransform of linear ones (or none);
  /// `linearTransform` becomes the same then.
  static bool IsTransformLinear(vtkAbstractTransform* transform, vtkTransform* linearTransform);

  /// True if two axes are not at a right angle.
  static bool DoesTransformMatrixContainShear(vtkMatrix4x4* matrix);

  // Scalar types ----------------------------------------------------------------------------------

  /// TYPE_OK for unsigned char, char, unsigned short, short, unsigned int, int. For others what a
  /// conversion to one of these would cost: nothing, fractions, or values out of range.
  static int IsImageScalarTypeValid(vtkImageData* image);

  /// The first type of that list that holds the range, -1 if none does.
  static int GetSmallestIntegerTypeForSegmentationScalarRange(double scalarRange[2]);

  ///@{
  /// Convert in place to that type for the range (default: that of the values). Fractions are cut
  /// off, and values outside the range of int, the last resort, are clamped.
  static bool CastSegmentationToSmallestIntegerType(vtkImageData* image);
  static bool CastSegmentationToSmallestIntegerType(vtkImageData* image, double scalarRange[2]);
  ///@}

  /// Convert in place to a type that holds a value and everything that the current type holds.
  /// Nothing happens if the current type holds it.
  static void CastImageForValue(vtkImageData* image, double value);

protected:
  vtkOrientedImageDataResample() = default;
  ~vtkOrientedImageDataResample() override = default;

private:
  vtkOrientedImageDataResample(const vtkOrientedImageDataResample&) = delete;
  void operator=(const vtkOrientedImageDataResample&) = delete;
};

#endif
