// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Voxels of images of one lattice: copies, combinations, masks, types.
#include "vtkOrientedImageDataResample.h"

#include "ImageResult.h"
#include "ThreadScope.h"
#include "VoxelBox.h"
#include "VoxelRows.h"

#include "vtkTransform.h"

#include <atomic>
#include <iterator>
#include <mutex>
#include <set>

using segcore::Box;
using segcore::Index;
using segcore::VoxelRows;

namespace
{
const int IntegerTypes[] = { VTK_UNSIGNED_CHAR, VTK_CHAR, VTK_UNSIGNED_SHORT, VTK_SHORT,
  VTK_UNSIGNED_INT, VTK_INT };

bool Holds(int type, double low, double high)
{
  return vtkDataArray::GetDataTypeMin(type) <= low && vtkDataArray::GetDataTypeMax(type) >= high;
}

// The images and their scalars are there; else a warning.
bool Check(const char* function, vtkImageData* image, const char* name)
{
  if (!segcore::scalarsOf(image))
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::"
      << function << ": the " << name << " image " << (image ? "has no voxels." : "is null."));
    return false;
  }
  return true;
}

bool CheckLattices(const char* function, vtkOrientedImageData* image1, vtkOrientedImageData* image2)
{
  if (!vtkOrientedImageDataResample::DoGeometriesMatch(image1, image2))
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::"
      << function << ": the images have different lattices; resample one of them first.");
    return false;
  }
  return true;
}

// Combines the voxels of a region; true if one changed.
bool Combine(vtkImageData* image, vtkImageData* modifier, int operation, const Box& region,
  double maskThreshold, double fillValue)
{
  std::atomic<bool> changed{ false };
  const Box stored = segcore::boxOf(image);
  const VoxelRows rows(modifier);
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  const Index components = scalars->GetNumberOfComponents();
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* first)
        {
          using T = std::decay_t<decltype(*first)>;
          const T fill = segcore::clampedTo<T>(fillValue);
          segcore::forRuns(region,
            [&](Index x, Index y, Index z, Index count)
            {
              T* row = first + components * stored.offset(x, y, z);
              bool any = false;
              const auto put = [&](Index n, T value)
              {
                T& voxel = row[n * components];
                any = any || voxel != value;
                voxel = value;
              };
              if (operation == vtkOrientedImageDataResample::OPERATION_MASKING)
              {
                std::uint8_t flags[VoxelRows::Run];
                rows.above(maskThreshold, x, y, z, count, flags);
                for (Index n = 0; n < count; ++n)
                {
                  if (flags[n])
                  {
                    put(n, fill);
                  }
                }
              }
              else
              {
                double values[VoxelRows::Run];
                rows.values(x, y, z, count, values);
                const bool larger = operation == vtkOrientedImageDataResample::OPERATION_MAXIMUM;
                for (Index n = 0; n < count; ++n)
                {
                  const double old = static_cast<double>(row[n * components]);
                  if (larger ? values[n] > old : values[n] < old)
                  {
                    put(n, segcore::clampedTo<T>(values[n]));
                  }
                }
              }
              if (any)
              {
                changed = true;
              }
            });
        });
    },
    region.size());
  return changed;
}

bool CheckOperation(const char* function, int operation)
{
  if (operation < vtkOrientedImageDataResample::OPERATION_MINIMUM ||
    operation > vtkOrientedImageDataResample::OPERATION_MASKING)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::"
      << function << ": there is no operation " << operation << "; see the enum of the class.");
    return false;
  }
  return true;
}

// Makes `output` the image in another extent; new voxels are 0. False if there is no memory.
bool SetCropped(vtkOrientedImageData* output, vtkOrientedImageData* image, const Box& box)
{
  vtkDataArray* scalars = segcore::scalarsOf(image);
  const vtkSmartPointer<vtkDataArray> result =
    segcore::newScalars(scalars->GetDataType(), scalars->GetNumberOfComponents(), box);
  if (!result)
  {
    vtkErrorWithObjectMacro(
      image, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
    return false;
  }
  result->SetName(scalars->GetName());
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* from)
        {
          using T = std::decay_t<decltype(*from)>;
          segcore::copyPadded(from, segcore::boxOf(image),
            static_cast<T*>(result->GetVoidPointer(0)), box, T(0),
            scalars->GetNumberOfComponents());
        });
    },
    box.size());
  segcore::setImage(output, image, box, result, image);
  return true;
}

// The voxels that both images and the extent have.
Box Overlap(vtkImageData* image1, vtkImageData* image2, const int extent[6])
{
  const Box both = segcore::boxOf(image1).clipped(segcore::boxOf(image2));
  return extent ? both.clipped(Box::fromExtent(extent)) : both;
}

// Converts the scalars in place, clamping and cutting off fractions; one Modified event.
bool Cast(vtkImageData* image, int type)
{
  vtkDataArray* from = image->GetPointData()->GetScalars();
  if (from->GetDataType() == type)
  {
    return true;
  }
  const Index components = from->GetNumberOfComponents();
  const Box box = segcore::boxOf(image);
  const vtkSmartPointer<vtkDataArray> to = segcore::newScalars(type, components, box);
  if (!to)
  {
    vtkErrorWithObjectMacro(
      image, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
    return false;
  }
  to->SetName(from->GetName());
  const auto convert = [&](auto* in, auto* out)
  {
    using Out = std::decay_t<decltype(*out)>;
    segcore::forRanges(box.size() * components, Index{ 1 } << 16,
      [=](Index begin, Index end)
      {
        for (Index i = begin; i < end; ++i)
        {
          out[i] = segcore::clampedTo<Out>(static_cast<double>(in[i]));
        }
      });
  };
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(from,
        [&](auto* in)
        {
          void* out = to->GetVoidPointer(0);
          switch (type)
          {
            case VTK_UNSIGNED_CHAR:
              return convert(in, static_cast<unsigned char*>(out));
            case VTK_CHAR:
              return convert(in, static_cast<char*>(out));
            case VTK_UNSIGNED_SHORT:
              return convert(in, static_cast<unsigned short*>(out));
            case VTK_SHORT:
              return convert(in, static_cast<short*>(out));
            case VTK_UNSIGNED_INT:
              return convert(in, static_cast<unsigned int*>(out));
            default:
              return convert(in, static_cast<int*>(out));
          }
        });
    },
    box.size());
  image->GetPointData()->SetScalars(to);
  image->Modified();
  return true;
}
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::MergeImage(vtkOrientedImageData* inputImage,
  vtkOrientedImageData* imageToAppend, vtkOrientedImageData* outputImage, int operation,
  const int extent[6], double maskThreshold, double fillValue, bool* outputModified)
{
  if (outputModified)
  {
    *outputModified = false;
  }
  if (!inputImage || !outputImage || !imageToAppend)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::MergeImage: no "
      << (!inputImage      ? "input"
             : outputImage ? "appended"
                           : "output")
      << " image given.");
    return false;
  }
  if (!Check("MergeImage", imageToAppend, "appended") || !CheckOperation("MergeImage", operation) ||
    !CheckLattices("MergeImage", inputImage, imageToAppend))
  {
    return false;
  }
  vtkNew<vtkOrientedImageData> kept; // the output may be the image that is appended
  if (outputImage == imageToAppend && outputImage != inputImage)
  {
    kept->ShallowCopy(imageToAppend);
    imageToAppend = kept;
  }
  if (!(extent ? PadImageToContainImage(inputImage, imageToAppend, outputImage, extent)
               : PadImageToContainImage(inputImage, imageToAppend, outputImage)))
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::MergeImage: the input image cannot be padded.");
    return false;
  }
  const Box region = Overlap(outputImage, imageToAppend, extent);
  if (!region.empty() &&
    Combine(outputImage, imageToAppend, operation, region, maskThreshold, fillValue))
  {
    outputImage->GetPointData()->GetScalars()->Modified();
    outputImage->Modified();
    if (outputModified)
    {
      *outputModified = true;
    }
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::ModifyImage(vtkOrientedImageData* inputImage,
  vtkOrientedImageData* modifierImage, int operation, const int extent[6], double maskThreshold,
  double fillValue)
{
  if (!Check("ModifyImage", inputImage, "input") ||
    !Check("ModifyImage", modifierImage, "modifier") || !CheckOperation("ModifyImage", operation) ||
    !CheckLattices("ModifyImage", inputImage, modifierImage))
  {
    return false;
  }
  const Box region = Overlap(inputImage, modifierImage, extent);
  if (!region.empty() &&
    Combine(inputImage, modifierImage, operation, region, maskThreshold, fillValue))
  {
    inputImage->GetPointData()->GetScalars()->Modified();
    inputImage->Modified();
  }
  return true;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::ApplyImageMask(
  vtkOrientedImageData* input, vtkOrientedImageData* mask, double fillValue, bool notMask)
{
  if (!input || !mask)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::ApplyImageMask: no "
      << (input ? "mask" : "input image") << " given.");
    return false;
  }
  if (!Check("ApplyImageMask", input, "input") || !CheckLattices("ApplyImageMask", input, mask))
  {
    return false;
  }
  if (!mask->IsEmpty() && !Check("ApplyImageMask", mask, "mask"))
  {
    return false;
  }
  const Box stored = segcore::boxOf(input);
  const Box masked = mask->IsEmpty() ? Box() : stored.clipped(segcore::boxOf(mask));
  const VoxelRows rows(mask);
  vtkDataArray* scalars = input->GetPointData()->GetScalars();
  const Index components = scalars->GetNumberOfComponents();
  std::atomic<bool> changed{ false };
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* first)
        {
          using T = std::decay_t<decltype(*first)>;
          const T fill = segcore::clampedTo<T>(fillValue);
          segcore::forRuns(stored,
            [&](Index x, Index y, Index z, Index count)
            {
              std::uint8_t flags[VoxelRows::Run] = {};
              const Index low = std::max(x, masked.lo[0]);
              const Index high = std::min(x + count - 1, masked.hi[0]);
              if (low <= high && masked.contains(low, y, z))
              {
                rows.nonZero(low, y, z, high - low + 1, flags + (low - x));
              }
              T* voxel = first + components * stored.offset(x, y, z);
              bool any = false;
              for (Index n = 0; n < count; ++n, voxel += components)
              {
                if ((flags[n] != 0) == notMask)
                {
                  for (Index c = 0; c < components; ++c)
                  {
                    any = any || voxel[c] != fill;
                    voxel[c] = fill;
                  }
                }
              }
              if (any)
              {
                changed = true;
              }
            });
        });
    },
    stored.size());
  if (changed)
  {
    scalars->Modified();
    input->Modified();
  }
  return true;
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::GetLabelValuesInMask(std::vector<int>& labelValues,
  vtkOrientedImageData* binaryLabelmap, vtkOrientedImageData* mask, const int extent[6],
  int maskThreshold)
{
  labelValues.clear();
  if (!binaryLabelmap || !mask)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::GetLabelValuesInMask: no "
      << (binaryLabelmap ? "mask" : "labelmap") << " given.");
    return;
  }
  if (!segcore::scalarsOf(binaryLabelmap) || !segcore::scalarsOf(mask))
  {
    return; // no voxels, no labels
  }
  const Box region = Overlap(binaryLabelmap, mask, extent);
  const Box stored = segcore::boxOf(binaryLabelmap);
  const VoxelRows rows(mask);
  std::set<int> labels;
  std::mutex mutex;
  vtkDataArray* scalars = binaryLabelmap->GetPointData()->GetScalars();
  const Index components = scalars->GetNumberOfComponents();
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* first)
        {
          using T = std::decay_t<decltype(*first)>;
          segcore::forRuns(region,
            [&](Index x, Index y, Index z, Index count)
            {
              std::uint8_t flags[VoxelRows::Run];
              rows.above(maskThreshold, x, y, z, count, flags);
              const T* row = first + components * stored.offset(x, y, z);
              T last = T(0); // rows have few changes of label
              std::vector<T> found;
              for (Index n = 0; n < count; ++n)
              {
                const T value = row[n * components];
                if (flags[n] && value != last && value != T(0))
                {
                  found.push_back(value);
                  last = value;
                }
              }
              if (!found.empty())
              {
                const std::lock_guard<std::mutex> lock(mutex);
                for (const T value : found)
                {
                  labels.insert(segcore::clampedTo<int>(static_cast<double>(value)));
                }
              }
            });
        });
    },
    region.size());
  labels.erase(0); // fractions of a real image
  labelValues.assign(labels.begin(), labels.end());
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::IsLabelInMask(vtkOrientedImageData* binaryLabelmap,
  vtkOrientedImageData* mask, int extent[6], int maskThreshold)
{
  if (!binaryLabelmap || !mask)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::IsLabelInMask: no "
      << (binaryLabelmap ? "mask" : "labelmap") << " given.");
    return false;
  }
  if (!segcore::scalarsOf(binaryLabelmap) || !segcore::scalarsOf(mask))
  {
    return false;
  }
  vtkNew<vtkOrientedImageData> resampled;
  if (!DoGeometriesMatch(binaryLabelmap, mask))
  {
    if (!ResampleOrientedImageToReferenceOrientedImage(binaryLabelmap, mask, resampled))
    {
      return false;
    }
    binaryLabelmap = resampled;
  }
  const Box region = Overlap(binaryLabelmap, mask, extent);
  const VoxelRows rows(mask);
  const VoxelRows labels(binaryLabelmap);
  std::atomic<bool> found{ false };
  segcore::withThreads(
    [&]
    {
      segcore::forRuns(region,
        [&](Index x, Index y, Index z, Index count)
        {
          if (found)
          {
            return;
          }
          std::uint8_t masked[VoxelRows::Run];
          std::uint8_t labelled[VoxelRows::Run];
          rows.above(maskThreshold, x, y, z, count, masked);
          labels.nonZero(x, y, z, count, labelled);
          unsigned char any = 0;
          for (Index n = 0; n < count; ++n)
          {
            any |= masked[n] & labelled[n];
          }
          if (any)
          {
            found = true;
          }
        });
    },
    region.size());
  return found;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::CopyImage(
  vtkOrientedImageData* imageToCopy, vtkOrientedImageData* outputImage, const int extent[6])
{
  if (!imageToCopy || !outputImage)
  {
    return false;
  }
  Box box = segcore::boxOf(imageToCopy);
  if (extent && !Box::fromExtent(extent).empty())
  {
    box = Box::fromExtent(extent);
  }
  if (outputImage == imageToCopy && box == segcore::boxOf(imageToCopy))
  {
    return true;
  }
  if (!segcore::scalarsOf(imageToCopy))
  {
    // No voxels: an image of zeros of the extent, of the type that it would have.
    const vtkSmartPointer<vtkDataArray> scalars =
      segcore::newScalars(imageToCopy->GetPointData()->GetScalars()
          ? imageToCopy->GetPointData()->GetScalars()->GetDataType()
          : VTK_DOUBLE,
        1, box);
    if (!scalars)
    {
      vtkErrorWithObjectMacro(
        imageToCopy, "vtkOrientedImageDataResample: no memory for " << box.size() << " voxels.");
      return false;
    }
    segcore::setImage(outputImage, imageToCopy, box, scalars, imageToCopy);
    FillImage(outputImage, 0.0);
    return true;
  }
  return SetCropped(outputImage, imageToCopy, box);
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::FillImage(
  vtkImageData* image, double fillValue, const int extent[6])
{
  vtkDataArray* scalars = segcore::scalarsOf(image);
  if (!scalars)
  {
    return;
  }
  const Box stored = segcore::boxOf(image);
  const Box region = extent ? stored.clipped(Box::fromExtent(extent)) : stored;
  if (region.empty())
  {
    return;
  }
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(scalars,
        [&](auto* first)
        {
          using T = std::decay_t<decltype(*first)>;
          segcore::fillBox(first, stored, region, segcore::clampedTo<T>(fillValue),
            scalars->GetNumberOfComponents());
        });
    },
    region.size());
  scalars->Modified();
  image->Modified();
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::PadImageToContainImage(vtkOrientedImageData* inputImage,
  vtkOrientedImageData* containedImage, vtkOrientedImageData* outputImage)
{
  if (!inputImage || !containedImage || !outputImage)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::PadImageToContainImage: no "
      << (!inputImage      ? "input"
             : outputImage ? "contained"
                           : "output")
      << " image given.");
    return false;
  }
  return PadImageToContainImage(
    inputImage, containedImage, outputImage, containedImage->GetExtent());
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::PadImageToContainImage(vtkOrientedImageData* inputImage,
  vtkOrientedImageData* containedImage, vtkOrientedImageData* outputImage, const int extent[6])
{
  if (!inputImage || !containedImage || !outputImage || !extent)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::PadImageToContainImage: no "
      << (!inputImage         ? "input image"
             : !outputImage   ? "output image"
             : containedImage ? "extent"
                              : "contained image")
      << " given.");
    return false;
  }
  vtkNew<vtkTransform> containedToInput;
  GetTransformBetweenOrientedImages(containedImage, inputImage, containedToInput);
  int mapped[6];
  TransformExtent(extent, containedToInput, mapped);
  const Box contained = Box::fromExtent(mapped);
  if (contained.empty())
  {
    return false;
  }
  const Box own = segcore::boxOf(inputImage);
  if (own.empty())
  {
    const vtkSmartPointer<vtkDataArray> scalars =
      segcore::newScalars(VTK_UNSIGNED_CHAR, 1, contained);
    if (!scalars)
    {
      vtkErrorWithObjectMacro(inputImage,
        "vtkOrientedImageDataResample: no memory for " << contained.size() << " voxels.");
      return false;
    }
    std::fill_n(static_cast<unsigned char*>(scalars->GetVoidPointer(0)), contained.size(), 0);
    segcore::setImage(outputImage, inputImage, contained, scalars, inputImage);
    return true;
  }
  if (!Check("PadImageToContainImage", inputImage, "input"))
  {
    return false;
  }
  const Box box = own.unite(contained);
  if (outputImage == inputImage && box == own)
  {
    return true;
  }
  return SetCropped(outputImage, inputImage, box);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::CalculateEffectiveExtent(
  vtkOrientedImageData* image, int effectiveExtent[6], double threshold)
{
  if (!effectiveExtent)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::CalculateEffectiveExtent: no extent to fill given.");
    return false;
  }
  InvalidateExtent(effectiveExtent);
  vtkDataArray* scalars = segcore::scalarsOf(image);
  if (!scalars)
  {
    return false;
  }
  if (scalars->GetNumberOfComponents() != 1)
  {
    vtkErrorWithObjectMacro(image,
      "vtkOrientedImageDataResample::CalculateEffectiveExtent: the voxels have "
        << scalars->GetNumberOfComponents() << " components; one is needed.");
    return false;
  }
  const Box stored = segcore::boxOf(image);
  Box tight;
  segcore::withThreads(
    [&]
    {
      segcore::withScalars(
        scalars, [&](auto* first) { tight = segcore::tightBox(first, stored, stored, threshold); });
    },
    stored.size());
  if (tight.empty())
  {
    return false;
  }
  tight.toExtent(effectiveExtent);
  return true;
}

//----------------------------------------------------------------------------
int vtkOrientedImageDataResample::IsImageScalarTypeValid(vtkImageData* image)
{
  if (!image)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::IsImageScalarTypeValid: no image given.");
    return TYPE_ERROR;
  }
  const int type = image->GetScalarType();
  if (std::find(std::begin(IntegerTypes), std::end(IntegerTypes), type) != std::end(IntegerTypes))
  {
    return TYPE_OK;
  }
  double range[2];
  image->GetScalarRange(range);
  if (GetSmallestIntegerTypeForSegmentationScalarRange(range) < 0)
  {
    return TYPE_CONVERSION_CLAMPING_NEEDED;
  }
  return type == VTK_FLOAT || type == VTK_DOUBLE ? TYPE_CONVERSION_TRUNCATION_NEEDED
                                                 : TYPE_CONVERSION_NEEDED;
}

//----------------------------------------------------------------------------
int vtkOrientedImageDataResample::GetSmallestIntegerTypeForSegmentationScalarRange(
  double scalarRange[2])
{
  for (const int type : IntegerTypes)
  {
    if (scalarRange && Holds(type, scalarRange[0], scalarRange[1]))
    {
      return type;
    }
  }
  return -1;
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::CastSegmentationToSmallestIntegerType(vtkImageData* image)
{
  if (!image)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::CastSegmentationToSmallestIntegerType: no image given.");
    return false;
  }
  double range[2];
  image->GetScalarRange(range);
  return CastSegmentationToSmallestIntegerType(image, range);
}

//----------------------------------------------------------------------------
bool vtkOrientedImageDataResample::CastSegmentationToSmallestIntegerType(
  vtkImageData* image, double scalarRange[2])
{
  if (!image || !scalarRange)
  {
    vtkGenericWarningMacro(
      "vtkOrientedImageDataResample::CastSegmentationToSmallestIntegerType: no "
      << (image ? "range" : "image") << " given.");
    return false;
  }
  int type = GetSmallestIntegerTypeForSegmentationScalarRange(scalarRange);
  if (type < 0)
  {
    type = scalarRange[0] < 0.0 ? VTK_INT : VTK_UNSIGNED_INT;
  }
  return !segcore::scalarsOf(image) || Cast(image, type);
}

//----------------------------------------------------------------------------
void vtkOrientedImageDataResample::CastImageForValue(vtkImageData* image, double value)
{
  if (!image)
  {
    vtkGenericWarningMacro("vtkOrientedImageDataResample::CastImageForValue: no image given.");
    return;
  }
  if (!segcore::scalarsOf(image))
  {
    return;
  }
  const int type = image->GetScalarType();
  if (Holds(type, value, value) || std::isnan(value))
  {
    return;
  }
  double range[2] = { std::min(value, vtkDataArray::GetDataTypeMin(type)),
    std::max(value, vtkDataArray::GetDataTypeMax(type)) };
  const int wider = GetSmallestIntegerTypeForSegmentationScalarRange(range);
  if (wider < 0)
  {
    vtkErrorWithObjectMacro(image,
      "vtkOrientedImageDataResample::CastImageForValue: no integer type holds "
        << value << " and all values of " << image->GetScalarTypeAsString() << ".");
    return;
  }
  Cast(image, wider);
}
