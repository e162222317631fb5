// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// What the containers do to the voxels of label images.
///
/// All values are compared as numbers, never cast to the voxel type first: label 300 is in no
/// unsigned char image, although it would be 44 there. Float values that are no whole number are
/// nobody's label. Each pass is threaded and touches a voxel once; results do not depend on the
/// number of threads. An image without scalars has no voxels with a label.
#ifndef segcore_LabelImage_h
#define segcore_LabelImage_h

#include "Box.h"
#include "LabelLayers.h"
#include "vtkSmartPointer.h"

#include <vector>

class vtkImageData;

namespace segcore
{

/// A label that occurs in an image: number of voxels and the box around them.
struct LabelBox
{
  Index label = 0;
  Index voxels = 0;
  Box box;
};

/// Box of the voxels that are stored: the extent, empty without scalars.
Box storedBox(vtkImageData* image);

/// All labels of an image but 0, ascending, from one pass.
std::vector<LabelBox> labelBoxes(vtkImageData* image);

/// The entry of a label, without voxels if it does not occur.
LabelBox findLabel(const std::vector<LabelBox>& labels, Index label);

/// A copy of the image in which every voxel that is not `label` is 0.
vtkSmartPointer<vtkImageData> copyOfLabel(vtkImageData* image, Index label);

/// An image of the same class, geometry and voxel type that is 1 where `image` has the label and 0
/// elsewhere. The voxels of that label become 0 in `image`, without a Modified event.
vtkSmartPointer<vtkImageData> takeOutLabel(vtkImageData* image, Index label);

/// Sets the voxels of several labels to 0, in one pass, without a Modified event.
void eraseLabels(vtkImageData* image, const std::vector<Index>& labels);

/// Makes room for a label: if it does not fit the image's integer type, the voxels get the first of
/// unsigned char, char, unsigned short, short, unsigned int, int that holds that type's range and
/// the label. The image object stays, its array is replaced. Types that the list does not have are
/// wide enough. True if the type changed.
bool widenForLabel(vtkImageData* image, Index label);

/// The type that widenForLabel gives to voxels of `type`.
int typeForLabel(int type, Index label);

/// The layer as mergeLayers reads it.
RankedLayer rankedLayer(vtkImageData* image, const RankTable& table);

/// mergeLayers into the scalars of `merged`, of type short or int and allocated.
void mergeInto(
  vtkImageData* merged, const std::vector<RankedLayer>& layers, const std::vector<int>& values);

/// Bits of the voxels of a label in a box, or of all that are not 0.
BitBlock bitsOfLabel(vtkImageData* image, const Box& box, Index firstX, Index label);
BitBlock bitsOfAll(vtkImageData* image, Index firstX);

/// Sets the voxels of the bits to a label that fits the voxel type.
void writeLabel(vtkImageData* image, const BitBlock& bits, Index label);

/// Gives the image an extent and scalars of a type, all 0, but where `from` (of the same lattice,
/// may be null) has voxels: those are copied.
void allocateFrom(vtkImageData* image, const Box& box, int type, vtkImageData* from);

} // namespace segcore

#endif
