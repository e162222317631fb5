// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "vtkClosedSurfaceToFractionalLabelmapConversionRule.h"

#include "SurfaceVoxels.h"
#include "vtkOrientedImageData.h"
#include "vtkPolyDataToFractionalLabelmapFilter.h"
#include "vtkSegment.h"

#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkIntArray.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPolyData.h"
#include "vtkSmartPointer.h"

vtkSegmentationConverterRuleNewMacro(vtkClosedSurfaceToFractionalLabelmapConversionRule);

namespace
{

/// Value of the field InterpolationType: voxel values are to be interpolated linearly.
constexpr int LinearInterpolation = 1;

template <class Array, class Value>
void addField(vtkDataObject* object, const char* name, std::initializer_list<Value> values)
{
  vtkNew<Array> array;
  array->SetName(name);
  for (const Value value : values)
  {
    array->InsertNextValue(value);
  }
  object->GetFieldData()->AddArray(array);
}

} // namespace

//------------------------------------------------------------------------------
vtkClosedSurfaceToFractionalLabelmapConversionRule::
  vtkClosedSurfaceToFractionalLabelmapConversionRule() = default;

//------------------------------------------------------------------------------
vtkClosedSurfaceToFractionalLabelmapConversionRule::
  ~vtkClosedSurfaceToFractionalLabelmapConversionRule() = default;

//------------------------------------------------------------------------------
unsigned int vtkClosedSurfaceToFractionalLabelmapConversionRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return 7000;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToFractionalLabelmapConversionRule::Convert(vtkSegment* segment)
{
  vtkPolyData* const surface = this->GetSourceSurface(segment);
  if (!surface)
  {
    return false;
  }
  const auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  if (this->HasSurface(surface))
  {
    if (!this->CalculateOutputGeometry(surface, image))
    {
      return false;
    }
    if (!image->IsEmpty())
    {
      segcore::Box box = segcore::Box::fromExtent(image->GetExtent());
      const segcore::Index margin[3] = { 1, 1, 0 };
      box = box.grown(margin);
      int extent[6];
      try
      {
        box.toExtent(extent);
      }
      catch (const std::overflow_error& error)
      {
        vtkErrorMacro("Convert: " << error.what());
        return false;
      }
      image->SetExtent(extent);
    }
  }
  const std::vector<std::uint8_t> values = segcore::fractionalValues(this->NumberOfOffsets);
  std::string error;
  if (!segcore::fillFromSurface(
        surface, image, VTK_FRACTIONAL_DATA_TYPE, this->NumberOfOffsets, values.data(), error))
  {
    vtkErrorMacro("Convert: " << error);
    return false;
  }
  addField<vtkDoubleArray, double>(
    image, vtkSegmentationConverter::GetScalarRangeFieldName(), { FRACTIONAL_MIN, FRACTIONAL_MAX });
  addField<vtkDoubleArray, double>(image, vtkSegmentationConverter::GetThresholdValueFieldName(),
    { 0.5 * (FRACTIONAL_MIN + FRACTIONAL_MAX) });
  addField<vtkIntArray, int>(
    image, vtkSegmentationConverter::GetInterpolationTypeFieldName(), { LinearInterpolation });
  segment->AddRepresentation(this->GetTargetRepresentationName(), image);
  return true;
}

//------------------------------------------------------------------------------
bool vtkClosedSurfaceToFractionalLabelmapConversionRule::PostConvert(
  vtkSegmentation* vtkNotUsed(segmentation))
{
  return true;
}

//------------------------------------------------------------------------------
void vtkClosedSurfaceToFractionalLabelmapConversionRule::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "NumberOfOffsets: " << this->NumberOfOffsets << "\n";
}
