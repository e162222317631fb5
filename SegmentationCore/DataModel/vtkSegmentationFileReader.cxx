// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationFileReader.h"

#include "SegmentationFile.h"
#include "vtkLabelMapNrrdReader.h"
#include "vtkLabelSegmentTable.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkSegmentationLabelMapAdapter.h"

#include "vtkCharArray.h"
#include "vtkDataArray.h"
#include "vtkExecutive.h"
#include "vtkFieldData.h"
#include "vtkMultiBlockDataSet.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkPolyData.h"
#include "vtkSmartPointer.h"
#include "vtkStringArray.h"
#include "vtkXMLMultiBlockDataReader.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkSegmentationFileReader);

namespace
{

using segcore::SegmentationFileError;

// The text under a key; false if there is none.
bool FieldText(vtkFieldData* fieldData, const char* key, std::string& text)
{
  vtkStringArray* array = vtkStringArray::SafeDownCast(fieldData->GetAbstractArray(key));
  if (!array || array->GetNumberOfValues() < 1)
  {
    return false;
  }
  text = static_cast<std::string>(array->GetValue(0));
  return true;
}

bool FieldFlag(vtkFieldData* fieldData, const char* key, bool absent)
{
  std::string text;
  return FieldText(fieldData, key, text) ? text != "0" : absent;
}

void ReadTags(vtkFieldData* fieldData, vtkSegment* segment)
{
  std::string tags;
  if (!FieldText(fieldData, segcore::SegmentTagsKey, tags))
  {
    return;
  }
  std::string encoding;
  FieldText(fieldData, segcore::TagEncodingKey, encoding);
  vtkNew<vtkLabelSegmentTable> table;
  table->AddSegment("x", "x", 0, 0, 0, 1, 0);
  table->SetNthSegmentSerializedTags(0, tags, encoding == "percent");
  segment->RemoveTag(vtkSegment::GetTerminologyEntryTagName()); // unless the file has one
  for (int i = 0; i < table->GetNumberOfNthSegmentTags(0); ++i)
  {
    const std::string name = table->GetNthSegmentTagName(0, i);
    segment->SetTag(name, table->GetNthSegmentTag(0, name));
  }
}

// The image of a block, with all digits of its geometry.
vtkSmartPointer<vtkOrientedImageData> TakeImage(vtkImageData* block)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->ShallowCopy(block);
  image->SetDirectionMatrix(block->GetDirectionMatrix());
  vtkDataArray* exact = block->GetFieldData()->GetArray(segcore::SegmentGeometryKey);
  if (exact && exact->GetNumberOfTuples() == 1 && exact->GetNumberOfComponents() == 15)
  {
    double numbers[15];
    exact->GetTuple(0, numbers);
    image->SetOrigin(numbers);
    image->SetSpacing(numbers + 3);
    image->SetDirections(numbers[6], numbers[7], numbers[8], numbers[9], numbers[10], numbers[11],
      numbers[12], numbers[13], numbers[14]);
  }
  // A file has no plain char, which is what fractional labelmaps are made of.
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  if (scalars && scalars->GetDataType() == VTK_SIGNED_CHAR &&
    vtkDataArray::GetDataTypeMin(VTK_CHAR) < 0)
  {
    vtkNew<vtkCharArray> chars;
    chars->DeepCopy(scalars);
    chars->SetName(scalars->GetName());
    image->GetPointData()->SetScalars(chars);
  }
  return image;
}

// What describes the segment is in the segment now.
void RemoveKeys(vtkFieldData* fieldData)
{
  for (const char* key :
    { segcore::SegmentIDKey, segcore::SegmentNameKey, segcore::SegmentColorKey,
      segcore::SegmentDefaultColorKey, segcore::SegmentTagsKey, segcore::SegmentNameAutoKey,
      segcore::SegmentColorAutoKey, segcore::SegmentGeometryKey, segcore::SourceRepresentationKey,
      segcore::ConversionParametersKey, segcore::ContainedNamesKey, segcore::TagEncodingKey })
  {
    fieldData->RemoveArray(key);
  }
}

// The layers of a label map as images that hold no more than what is labelled.
void CropLayers(vtkSegmentation* segmentation)
{
  const std::string name = vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
  for (int layer = 0; layer < segmentation->GetNumberOfLayers(name); ++layer)
  {
    auto* image = vtkOrientedImageData::SafeDownCast(segmentation->GetLayerDataObject(layer, name));
    int extent[6];
    if (!image || image->IsEmpty())
    {
      continue;
    }
    if (!vtkOrientedImageDataResample::CalculateEffectiveExtent(image, extent))
    {
      // Nothing is labelled.
      std::fill_n(extent, 6, 0);
      extent[1] = extent[3] = extent[5] = -1;
      image->SetExtent(extent);
      image->AllocateScalars(image->GetScalarType(), 1);
    }
    else if (!std::equal(extent, extent + 6, image->GetExtent()))
    {
      image->Crop(extent);
    }
  }
}

} // namespace

//----------------------------------------------------------------------------
vtkSegmentationFileReader::vtkSegmentationFileReader() = default;

//----------------------------------------------------------------------------
vtkSegmentationFileReader::~vtkSegmentationFileReader() = default;

//----------------------------------------------------------------------------
bool vtkSegmentationFileReader::Read(vtkSegmentation* segmentation)
{
  this->LastError.clear();
  try
  {
    if (!segmentation)
    {
      throw SegmentationFileError("Read: no segmentation given.");
    }
    if (this->FileName.empty())
    {
      throw SegmentationFileError("Read: no file name given.");
    }
    if (!std::ifstream(this->FileName, std::ios::binary))
    {
      throw SegmentationFileError(
        this->FileName + ": there is no such file, or it is not readable.");
    }
    if (segcore::endsWith(this->FileName, ".vtm"))
    {
      this->ReadBlocks(segmentation);
    }
    else
    {
      this->ReadVolume(segmentation);
    }
    return true;
  }
  catch (const SegmentationFileError& error)
  {
    this->LastError = error.what();
    vtkErrorMacro(<< this->LastError);
    return false;
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationFileReader::ReadVolume(vtkSegmentation* segmentation)
{
  vtkNew<vtkLabelMapNrrdReader> reader;
  reader->SetController(nullptr);
  reader->SetFileName(this->FileName.c_str());
  reader->PadToReferenceExtentOff();
  {
    const segcore::ErrorCatcher hush(reader);
    const segcore::ErrorCatcher hushExecutive(reader->GetExecutive());
    reader->Update();
  }
  if (*reader->GetLastError())
  {
    throw SegmentationFileError(reader->GetLastError());
  }
  vtkImageData* labelMap = reader->GetOutput();
  const segcore::ErrorCatcher errors(segmentation);
  if (!vtkSegmentationLabelMapAdapter::LabelMapToSegmentation(labelMap, segmentation))
  {
    throw SegmentationFileError(this->FileName + ": " + errors.text());
  }
  // The adapter made the stored box the reference; the file may know better.
  std::string text;
  if (FieldText(labelMap->GetFieldData(), segcore::ConversionParametersKey, text))
  {
    segmentation->DeserializeConversionParameters(text);
  }
  CropLayers(segmentation);
  text.clear();
  FieldText(labelMap->GetFieldData(), segcore::ContainedNamesKey, text);
  this->MakeRepresentations(segmentation, text);
}

//----------------------------------------------------------------------------
void vtkSegmentationFileReader::ReadBlocks(vtkSegmentation* segmentation)
{
  vtkNew<vtkXMLMultiBlockDataReader> reader;
  reader->SetFileName(this->FileName.c_str());
  std::string problem;
  {
    const segcore::ErrorCatcher errors(reader);
    if (reader->CanReadFile(this->FileName.c_str()))
    {
      reader->Update();
    }
    else
    {
      problem = "is not a multi-block file of VTK";
    }
    problem += errors.text();
  }
  vtkMultiBlockDataSet* blocks = vtkMultiBlockDataSet::SafeDownCast(reader->GetOutputDataObject(0));
  const unsigned int count = blocks ? blocks->GetNumberOfBlocks() : 0;
  if (!problem.empty() || count == 0)
  {
    throw SegmentationFileError(
      this->FileName + ": " + (problem.empty() ? "has no block" : problem) + ".");
  }

  std::string source;
  std::string parameters;
  std::string contained;
  std::vector<std::pair<std::string, vtkSmartPointer<vtkSegment>>> segments;
  std::set<std::string> taken;
  for (unsigned int i = 0; i < count; ++i)
  {
    const std::string where = this->FileName + ": block " + std::to_string(i);
    vtkDataObject* block = blocks->GetBlock(i);
    if (!block)
    {
      throw SegmentationFileError(where + " cannot be read.");
    }
    vtkFieldData* fieldData = block->GetFieldData();
    std::string ownSource;
    if (!FieldText(fieldData, segcore::SourceRepresentationKey, ownSource))
    {
      throw SegmentationFileError(
        where + " has no field data array '" + segcore::SourceRepresentationKey + "'.");
    }
    const bool isImage = segcore::isFractional(ownSource);
    if (i > 0 && ownSource != source)
    {
      throw SegmentationFileError(where + " is a '" + ownSource + "', those before are '" + source +
        "'; all must be the same.");
    }
    source = ownSource;
    vtkSmartPointer<vtkDataObject> representation;
    if (isImage && vtkImageData::SafeDownCast(block))
    {
      representation = TakeImage(vtkImageData::SafeDownCast(block));
    }
    else if (segcore::isSurface(source) && vtkPolyData::SafeDownCast(block))
    {
      representation = vtkSmartPointer<vtkPolyData>::New();
      representation->ShallowCopy(block);
    }
    else
    {
      throw SegmentationFileError(where + " is a " + block->GetClassName() + " and said to be a '" +
        source +
        "'; poly data of closed surfaces or planar contours, or images of fractional "
        "labelmaps, are needed.");
    }
    FieldText(fieldData, segcore::ConversionParametersKey, parameters);
    FieldText(fieldData, segcore::ContainedNamesKey, contained);

    auto segment = vtkSmartPointer<vtkSegment>::New();
    std::string name;
    if (!FieldText(fieldData, segcore::SegmentNameKey, name))
    {
      name = "Segment " + std::to_string(i);
      vtkWarningMacro(<< where << " has no '" << segcore::SegmentNameKey << "', so it is called '"
                      << name << "'.");
    }
    segment->SetName(name.c_str());
    vtkDataArray* color = fieldData->GetArray(segcore::SegmentColorKey);
    color = color ? color : fieldData->GetArray(segcore::SegmentDefaultColorKey);
    double rgb[3] = { 1, 0, 0 };
    if (color && color->GetNumberOfTuples() == 1 && color->GetNumberOfComponents() == 3)
    {
      color->GetTuple(0, rgb);
    }
    else
    {
      vtkWarningMacro(<< where << " has no '" << segcore::SegmentColorKey
                      << "' of three numbers, so it is red.");
    }
    segment->SetColor(rgb);
    segment->SetNameAutoGenerated(
      FieldFlag(fieldData, segcore::SegmentNameAutoKey, segment->GetNameAutoGenerated()));
    segment->SetColorAutoGenerated(
      FieldFlag(fieldData, segcore::SegmentColorAutoKey, segment->GetColorAutoGenerated()));
    ReadTags(fieldData, segment);
    std::string id;
    if (!FieldText(fieldData, segcore::SegmentIDKey, id) || id.empty())
    {
      vtkWarningMacro(<< where << " has no '" << segcore::SegmentIDKey << "', so it gets one.");
    }
    else if (!taken.insert(id).second)
    {
      throw SegmentationFileError(where + " has the ID '" + id + "', as one before has.");
    }
    RemoveKeys(representation->GetFieldData());
    segment->AddRepresentation(source, representation);
    segments.emplace_back(id, segment);
  }

  // Nothing can fail from here.
  segmentation->RemoveAllSegments();
  segmentation->SetSourceRepresentationName(source);
  segmentation->DeserializeConversionParameters(parameters);
  for (const auto& entry : segments)
  {
    segmentation->AddSegment(
      entry.second, entry.first.empty() ? segmentation->GenerateUniqueSegmentID() : entry.first);
  }
  this->MakeRepresentations(segmentation, contained);
}

//----------------------------------------------------------------------------
void vtkSegmentationFileReader::MakeRepresentations(
  vtkSegmentation* segmentation, const std::string& names)
{
  std::istringstream list(names);
  std::string name;
  while (segmentation->GetNumberOfSegments() > 0 && std::getline(list, name, '|'))
  {
    if (!name.empty() && !segmentation->ContainsRepresentation(name) &&
      !segmentation->CreateRepresentation(name))
    {
      vtkWarningMacro(<< this->FileName << ": the representation '" << name
                      << "' cannot be made again from '"
                      << segmentation->GetSourceRepresentationName()
                      << "': is a conversion rule registered?");
    }
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationFileReader::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "FileName: " << this->FileName << "\n";
  os << indent << "LastError: " << this->LastError << "\n";
}
