// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationLabelMapAdapter.h"

#include "vtkCallbackCommand.h"
#include "vtkCommand.h"
#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkLabelSegmentTable.h"
#include "vtkMatrix3x3.h"
#include "vtkMatrix4x4.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkPointData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkSmartPointer.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkSegmentationLabelMapAdapter);

namespace
{
const char* const ConversionParametersArray = "Segmentation_ConversionParameters";
const char* const ContainedNamesArray = "Segmentation_ContainedRepresentationNames";
const char* const StatusTag = "Segmentation.Status";
const char* const VisibleTag = "Segmentation.Visible";
// By vtkLabelSegmentTable::StatusType.
const char* const StatusNames[] = { "notstarted", "inprogress", "completed", "flagged" };

const std::string& BinaryLabelmap()
{
  static const std::string name = vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
  return name;
}

// A reason to give up. It never leaves this file.
struct Problem
{
  std::string Text;
};

template <class... Parts>
[[noreturn]] void Fail(const Parts&... parts)
{
  std::ostringstream text;
  (text << ... << parts);
  throw Problem{ text.str() };
}

// Runs a conversion; on a problem its text is reported by the object.
template <class Body>
bool Attempt(vtkObject* reporter, const char* what, const Body& body)
{
  try
  {
    body();
    return true;
  }
  catch (const Problem& problem)
  {
    if (reporter)
    {
      vtkErrorWithObjectMacro(reporter, << what << ": " << problem.Text);
    }
    else
    {
      vtkGenericWarningMacro(<< what << ": " << problem.Text);
    }
    return false;
  }
}

// The table of a label map; its own error texts become ours.
void ReadTable(vtkImageData* labelMap, vtkLabelSegmentTable* table)
{
  std::string text;
  vtkNew<vtkCallbackCommand> command;
  command->SetClientData(&text);
  command->SetCallback([](vtkObject*, unsigned long, void* client, void* message)
    { *static_cast<std::string*>(client) += static_cast<const char*>(message); });
  const unsigned long tag = table->AddObserver(vtkCommand::ErrorEvent, command);
  const bool read = table->FromFieldData(labelMap->GetFieldData());
  table->RemoveObserver(tag);
  if (!read)
  {
    Fail("the label map has no valid segment table: ", text);
  }
}

bool IsInteger(vtkDataArray* array)
{
  return array->GetDataType() != VTK_FLOAT && array->GetDataType() != VTK_DOUBLE &&
    array->GetDataType() != VTK_BIT;
}

// The same voxels under another name.
vtkSmartPointer<vtkDataArray> Renamed(vtkDataArray* array, const std::string& name)
{
  auto renamed = vtkSmartPointer<vtkDataArray>::Take(array->NewInstance());
  renamed->ShallowCopy(array);
  renamed->SetName(name.c_str());
  return renamed;
}

std::string FieldText(vtkImageData* image, const char* name)
{
  vtkStringArray* array =
    vtkStringArray::SafeDownCast(image->GetFieldData()->GetAbstractArray(name));
  return array && array->GetNumberOfValues() > 0 ? std::string(array->GetValue(0)) : std::string();
}

void AddFieldText(vtkFieldData* fieldData, const char* name, const std::string& text)
{
  vtkNew<vtkStringArray> array;
  array->SetName(name);
  array->InsertNextValue(text);
  fieldData->AddArray(array);
}

vtkSmartPointer<vtkOrientedImageData> LayerImage(vtkImageData* labelMap, int layer)
{
  const std::string name = vtkLabelSegmentTable::GetLayerArrayName(layer);
  vtkDataArray* array = labelMap->GetPointData()->GetArray(name.c_str());
  const vtkIdType points = labelMap->GetNumberOfPoints();
  if (!array)
  {
    Fail("the table has segments in layer ", layer, ", but there is no point array '", name, "'.");
  }
  if (!IsInteger(array) || array->GetNumberOfComponents() != 1 ||
    array->GetNumberOfTuples() != points)
  {
    Fail("point array '", name, "' has ", array->GetNumberOfTuples(), " tuples of ",
      array->GetNumberOfComponents(), " components of type ", array->GetDataTypeAsString(), "; ",
      points, " single integers are needed.");
  }
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(labelMap->GetExtent());
  image->SetOrigin(labelMap->GetOrigin());
  image->SetSpacing(labelMap->GetSpacing());
  image->SetDirectionMatrix(labelMap->GetDirectionMatrix());
  image->GetPointData()->SetScalars(Renamed(array, name));
  return image;
}

vtkSmartPointer<vtkSegment> MakeSegment(vtkLabelSegmentTable* table, int index)
{
  const std::string id = table->GetNthSegmentID(index);
  const vtkTypeInt64 label = table->GetNthSegmentLabelValue(index);
  if (label > VTK_INT_MAX)
  {
    Fail("segment '", id, "' has the label value ", label, "; ", VTK_INT_MAX, " is the largest.");
  }
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->SetName(table->GetNthSegmentName(index).c_str());
  double color[3];
  table->GetNthSegmentColor(index, color);
  segment->SetColor(color);
  segment->SetLabelValue(static_cast<int>(label));
  segment->SetNameAutoGenerated(table->GetNthSegmentNameAutoGenerated(index));
  segment->SetColorAutoGenerated(table->GetNthSegmentColorAutoGenerated(index));
  segment->RemoveTag(vtkSegment::GetTerminologyEntryTagName()); // unless the table has one
  for (int i = 0; i < table->GetNumberOfNthSegmentTags(index); ++i)
  {
    const std::string tag = table->GetNthSegmentTagName(index, i);
    segment->SetTag(tag, table->GetNthSegmentTag(index, tag));
  }
  const int status = table->GetNthSegmentStatus(index);
  if (status > 0)
  {
    segment->SetTag(StatusTag, status < 4 ? StatusNames[status] : std::to_string(status));
  }
  if (!table->GetNthSegmentVisible(index))
  {
    segment->SetTag(VisibleTag, "0");
  }
  return segment;
}

// The status that a tag's text stands for, -1 if none.
int StatusOf(const std::string& text)
{
  for (int status = 0; status < 4; ++status)
  {
    if (text == StatusNames[status])
    {
      return status;
    }
  }
  const bool digits =
    !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoi(text) : -1;
}

void AppendToTable(
  vtkLabelSegmentTable* table, const std::string& id, vtkSegment* segment, int layer)
{
  const double* color = segment->GetColor();
  const std::string name = segment->GetName() ? segment->GetName() : "";
  const int index =
    table->AddSegment(id, name, color[0], color[1], color[2], segment->GetLabelValue(), layer);
  table->SetNthSegmentName(index, name); // an empty one stays empty
  table->SetNthSegmentNameAutoGenerated(index, segment->GetNameAutoGenerated());
  table->SetNthSegmentColorAutoGenerated(index, segment->GetColorAutoGenerated());
  std::map<std::string, std::string> tags;
  segment->GetTags(tags);
  for (const auto& tag : tags)
  {
    const int status = tag.first == StatusTag ? StatusOf(tag.second) : -1;
    if (status >= 0)
    {
      table->SetNthSegmentStatus(index, status);
    }
    else if (tag.first == VisibleTag && tag.second == "0")
    {
      table->SetNthSegmentVisible(index, false);
    }
    else if (!tag.first.empty())
    {
      table->SetNthSegmentTag(index, tag.first, tag.second);
    }
  }
}

// A layer of a segmentation, and the geometry that all of them have.
struct Layers
{
  std::vector<vtkImageData*> Images;
  std::string FirstSegment; // whose lattice it is
  double Matrix[16] = {};
  double Origin[3] = { 0, 0, 0 };
  double Spacing[3] = { 1, 1, 1 };
  double Directions[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
  int Extent[6] = { 0, -1, 0, -1, 0, -1 };
  bool HasGeometry = false;
};

bool IsEmpty(const int extent[6])
{
  return extent[0] > extent[1] || extent[2] > extent[3] || extent[4] > extent[5];
}

// Takes an image's geometry into account; false if its lattice is another one.
bool AddGeometry(Layers& layers, vtkImageData* image)
{
  const int* extent = image->GetExtent();
  if (IsEmpty(extent))
  {
    return true;
  }
  double matrix[16];
  vtkImageData::ComputeIndexToPhysicalMatrix(
    image->GetOrigin(), image->GetSpacing(), image->GetDirectionMatrix()->GetData(), matrix);
  if (!layers.HasGeometry)
  {
    layers.HasGeometry = true;
    std::copy_n(matrix, 16, layers.Matrix);
    image->GetOrigin(layers.Origin);
    image->GetSpacing(layers.Spacing);
    std::copy_n(image->GetDirectionMatrix()->GetData(), 9, layers.Directions);
    std::copy_n(extent, 6, layers.Extent);
    return true;
  }
  if (!std::equal(matrix, matrix + 16, layers.Matrix,
        [](double a, double b) { return std::abs(a - b) <= 0.0001; }))
  {
    return false;
  }
  for (int i = 0; i < 6; i += 2)
  {
    layers.Extent[i] = std::min(layers.Extent[i], extent[i]);
    layers.Extent[i + 1] = std::max(layers.Extent[i + 1], extent[i + 1]);
  }
  return true;
}

void CheckLayerImage(vtkImageData* image, const std::string& id)
{
  if (!image)
  {
    Fail("segment '", id, "' has no representation '", BinaryLabelmap(), "' that is an image.");
  }
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  if (IsEmpty(image->GetExtent()))
  {
    return;
  }
  if (!scalars || !IsInteger(scalars) || scalars->GetNumberOfComponents() != 1 ||
    scalars->GetNumberOfTuples() != image->GetNumberOfPoints())
  {
    Fail("the binary labelmap of segment '", id, "' has ",
      scalars ? scalars->GetDataTypeAsString() : "no", " scalars; one integer for each of ",
      image->GetNumberOfPoints(), " voxels is needed.");
  }
}

// A layer's voxels on the common extent: the array itself where that is the layer's own extent.
vtkSmartPointer<vtkDataArray> LayerArray(vtkImageData* image, const int extent[6], const char* name)
{
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  const int* own = image->GetExtent();
  const bool hasVoxels = !IsEmpty(own);
  if (hasVoxels && std::equal(own, own + 6, extent))
  {
    return Renamed(scalars, name);
  }
  auto array = scalars
    ? vtkSmartPointer<vtkDataArray>::Take(scalars->NewInstance())
    : vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(VTK_UNSIGNED_CHAR));
  array->SetName(name);
  array->SetNumberOfComponents(1);
  vtkIdType sizes[3];
  for (int axis = 0; axis < 3; ++axis)
  {
    sizes[axis] = vtkIdType(extent[2 * axis + 1]) - extent[2 * axis] + 1;
  }
  array->SetNumberOfTuples(sizes[0] * sizes[1] * sizes[2]);
  array->Fill(0.0);
  if (!hasVoxels)
  {
    return array;
  }
  // Row by row (x fastest): the own extent lies inside the common one.
  const vtkIdType row = vtkIdType(own[1]) - own[0] + 1;
  vtkIdType source = 0;
  for (int k = own[4]; k <= own[5]; ++k)
  {
    for (int j = own[2]; j <= own[3]; ++j, source += row)
    {
      const vtkIdType target =
        ((k - extent[4]) * sizes[1] + (j - extent[2])) * sizes[0] + (own[0] - extent[0]);
      array->InsertTuples(target, row, source, scalars);
    }
  }
  return array;
}

} // namespace

//----------------------------------------------------------------------------
vtkSegmentationLabelMapAdapter::vtkSegmentationLabelMapAdapter() = default;

//----------------------------------------------------------------------------
vtkSegmentationLabelMapAdapter::~vtkSegmentationLabelMapAdapter() = default;

//----------------------------------------------------------------------------
bool vtkSegmentationLabelMapAdapter::LabelMapToSegmentation(
  vtkImageData* labelMapWithTable, vtkSegmentation* segmentation)
{
  vtkObject* reporter = segmentation;
  return Attempt(reporter ? reporter : labelMapWithTable, "LabelMapToSegmentation",
    [&]
    {
      if (!labelMapWithTable || !segmentation)
      {
        Fail("no ", labelMapWithTable ? "segmentation" : "label map", " given.");
      }
      vtkNew<vtkLabelSegmentTable> table;
      ReadTable(labelMapWithTable, table);
      std::map<int, vtkSmartPointer<vtkOrientedImageData>> layers;
      std::vector<vtkSmartPointer<vtkSegment>> segments;
      for (int i = 0; i < table->GetNumberOfSegments(); ++i)
      {
        const int layer = table->GetNthSegmentLayer(i);
        vtkSmartPointer<vtkOrientedImageData>& image = layers[layer];
        if (!image)
        {
          image = LayerImage(labelMapWithTable, layer);
        }
        segments.push_back(MakeSegment(table, i));
        segments.back()->AddRepresentation(BinaryLabelmap(), image);
      }

      // Nothing can fail from here.
      vtkNew<vtkOrientedImageData> geometry;
      geometry->SetExtent(labelMapWithTable->GetExtent());
      geometry->SetOrigin(labelMapWithTable->GetOrigin());
      geometry->SetSpacing(labelMapWithTable->GetSpacing());
      geometry->SetDirectionMatrix(labelMapWithTable->GetDirectionMatrix());
      segmentation->RemoveAllSegments();
      segmentation->SetSourceRepresentationName(BinaryLabelmap());
      segmentation->DeserializeConversionParameters(
        FieldText(labelMapWithTable, ConversionParametersArray));
      segmentation->SetConversionParameter(
        vtkSegmentationConverter::GetReferenceImageGeometryParameterName(),
        vtkSegmentationConverter::SerializeImageGeometry(geometry));
      for (int i = 0; i < table->GetNumberOfSegments(); ++i)
      {
        segmentation->AddSegment(segments[i], table->GetNthSegmentID(i));
      }
    });
}

//----------------------------------------------------------------------------
bool vtkSegmentationLabelMapAdapter::SegmentationToLabelMap(
  vtkSegmentation* segmentation, vtkImageData* labelMap)
{
  vtkObject* reporter = labelMap;
  return Attempt(reporter ? reporter : segmentation, "SegmentationToLabelMap",
    [&]
    {
      if (!labelMap || !segmentation)
      {
        Fail("no ", labelMap ? "segmentation" : "label map", " given.");
      }
      Layers layers;
      std::map<std::pair<std::size_t, int>, std::string> owners; // of a layer's label
      vtkNew<vtkLabelSegmentTable> table;
      for (const std::string& id : segmentation->GetSegmentIDs())
      {
        vtkSegment* segment = segmentation->GetSegment(id);
        vtkImageData* image =
          vtkImageData::SafeDownCast(segment->GetRepresentation(BinaryLabelmap()));
        const std::size_t layer =
          std::find(layers.Images.begin(), layers.Images.end(), image) - layers.Images.begin();
        if (layer == layers.Images.size())
        {
          CheckLayerImage(image, id);
          if (!AddGeometry(layers, image))
          {
            Fail("the binary labelmap of segment '", id, "' has another geometry than that of '",
              layers.FirstSegment, "'; all layers need the same lattice.");
          }
          layers.FirstSegment =
            layers.FirstSegment.empty() && layers.HasGeometry ? id : layers.FirstSegment;
          layers.Images.push_back(image);
        }
        const int label = segment->GetLabelValue();
        const auto owner = owners.emplace(std::make_pair(layer, label), id);
        if (label < 1 || !owner.second)
        {
          Fail("segment '", id, "' has the label value ", label,
            label < 1 ? std::string("; it must be above 0.")
                      : ", which segment '" + owner.first->second + "' has in the same layer.");
        }
        AppendToTable(table, id, segment, static_cast<int>(layer));
      }
      // The reference geometry gives the extent; where no layer has voxels, everything.
      const std::string reference = segmentation->GetConversionParameter(
        vtkSegmentationConverter::GetReferenceImageGeometryParameterName());
      vtkNew<vtkOrientedImageData> geometry;
      if (!reference.empty())
      {
        if (!vtkSegmentationConverter::DeserializeImageGeometry(reference, geometry, false))
        {
          Fail("the conversion parameter 'Reference image geometry' is no geometry: '", reference,
            "'.");
        }
        AddGeometry(layers, geometry); // of another lattice: it says nothing about these voxels
      }

      // Nothing can fail from here.
      labelMap->Initialize();
      labelMap->SetOrigin(layers.Origin);
      labelMap->SetSpacing(layers.Spacing);
      labelMap->SetDirectionMatrix(layers.Directions);
      labelMap->SetExtent(layers.Extent);
      vtkNew<vtkImageData> noVoxels;
      if (layers.Images.empty())
      {
        layers.Images.push_back(noVoxels);
      }
      for (std::size_t layer = 0; layer < layers.Images.size(); ++layer)
      {
        const std::string name = vtkLabelSegmentTable::GetLayerArrayName(static_cast<int>(layer));
        labelMap->GetPointData()->AddArray(
          LayerArray(layers.Images[layer], layers.Extent, name.c_str()));
        if (layer == 0)
        {
          labelMap->GetPointData()->SetActiveScalars(name.c_str());
        }
      }
      vtkFieldData* fieldData = labelMap->GetFieldData();
      fieldData->Initialize();
      table->ToFieldData(fieldData);
      AddFieldText(
        fieldData, ConversionParametersArray, segmentation->SerializeAllConversionParameters());
      std::vector<std::string> names;
      segmentation->GetContainedRepresentationNames(names);
      std::string text = names.empty() ? BinaryLabelmap() + "|" : std::string();
      for (const std::string& name : names)
      {
        text += name + "|";
      }
      AddFieldText(fieldData, ContainedNamesArray, text);
    });
}
