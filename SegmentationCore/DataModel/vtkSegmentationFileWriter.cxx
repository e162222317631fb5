// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationFileWriter.h"

#include "SegmentationFile.h"
#include "XMLText.h"
#include "vtkLabelMapNrrdWriter.h"
#include "vtkLabelSegmentTable.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkSegmentationLabelMapAdapter.h"

#include "vtkDoubleArray.h"
#include "vtkExecutive.h"
#include "vtkFieldData.h"
#include "vtkMatrix3x3.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkPolyData.h"
#include "vtkSmartPointer.h"
#include "vtkStringArray.h"
#include "vtkUnsignedCharArray.h"
#include "vtkXMLImageDataWriter.h"
#include "vtkXMLPolyDataWriter.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <vector>

vtkStandardNewMacro(vtkSegmentationFileWriter);

namespace
{

namespace fs = std::filesystem;
using segcore::SegmentationFileError;

void AddText(vtkFieldData* fieldData, const char* key, const std::string& text)
{
  vtkNew<vtkStringArray> array;
  array->SetName(key);
  array->InsertNextValue(text);
  fieldData->AddArray(array);
}

void AddNumbers(vtkFieldData* fieldData, const char* key, const std::vector<double>& numbers)
{
  vtkNew<vtkDoubleArray> array;
  array->SetName(key);
  array->SetNumberOfComponents(static_cast<int>(numbers.size()));
  array->InsertNextTuple(numbers.data());
  fieldData->AddArray(array);
}

void AddTags(vtkFieldData* fieldData, vtkSegment* segment)
{
  std::map<std::string, std::string> tags;
  segment->GetTags(tags);
  vtkNew<vtkLabelSegmentTable> table;
  table->AddSegment("x", "x", 0, 0, 0, 1, 0);
  std::string plain;
  for (const auto& tag : tags)
  {
    table->SetNthSegmentTag(0, tag.first, tag.second);
    plain += tag.first + ":" + tag.second + "|";
  }
  const std::string encoded = table->GetNthSegmentSerializedTags(0);
  AddText(fieldData, segcore::SegmentTagsKey, encoded);
  // A percent sign alone is no reason: Slicer writes and reads it as it is.
  if (encoded != plain)
  {
    AddText(fieldData, segcore::TagEncodingKey, "percent");
  }
}

// A copy of a segmentation's binary labelmaps on one lattice; voxels are shared where they are on
// it already.
vtkSmartPointer<vtkSegmentation> OnOneLattice(vtkSegmentation* segmentation)
{
  const std::string name = vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
  vtkNew<vtkStringArray> all;
  segmentation->GetSegmentIDs(all);
  const std::string geometry = segmentation->DetermineCommonLabelmapGeometry(
    vtkSegmentation::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS, all);
  vtkNew<vtkOrientedImageData> common;
  auto result = vtkSmartPointer<vtkSegmentation>::New();
  if (geometry.empty() ||
    !vtkSegmentationConverter::DeserializeImageGeometry(geometry, common, false))
  {
    return nullptr; // no voxels anywhere, so the lattices do not matter
  }
  std::map<vtkDataObject*, vtkSmartPointer<vtkOrientedImageData>> layers;
  for (const std::string& id : segmentation->GetSegmentIDs())
  {
    vtkSegment* segment = segmentation->GetSegment(id);
    auto* image = vtkOrientedImageData::SafeDownCast(segment->GetRepresentation(name));
    vtkSmartPointer<vtkOrientedImageData>& layer = layers[image];
    if (image && !layer)
    {
      layer = vtkSmartPointer<vtkOrientedImageData>::New();
      if (image->IsEmpty() || vtkOrientedImageDataResample::DoGeometriesMatch(image, common))
      {
        layer->ShallowCopy(image);
      }
      else if (!vtkOrientedImageDataResample::ResampleOrientedImageToReferenceOrientedImage(
                 image, common, layer, false, true))
      {
        throw SegmentationFileError("the binary labelmap of segment '" + id +
          "' cannot be resampled to the common geometry.");
      }
    }
    vtkNew<vtkSegment> copy;
    copy->DeepCopyMetadata(segment);
    copy->AddRepresentation(name, layer);
    result->AddSegment(copy, id);
  }
  result->DeserializeConversionParameters(segmentation->SerializeAllConversionParameters());
  return result;
}

bool HaveOneLattice(vtkSegmentation* segmentation)
{
  const std::string name = vtkSegmentationConverter::GetBinaryLabelmapRepresentationName();
  vtkOrientedImageData* first = nullptr;
  for (int layer = 0; layer < segmentation->GetNumberOfLayers(name); ++layer)
  {
    auto* image = vtkOrientedImageData::SafeDownCast(segmentation->GetLayerDataObject(layer, name));
    if (!image || image->IsEmpty())
    {
      continue;
    }
    first = first ? first : image;
    if (!vtkOrientedImageDataResample::DoGeometriesMatch(first, image))
    {
      return false;
    }
  }
  return true;
}

// One voxel of background: what Slicer writes, and reads as "no image".
void AddEmptyVoxel(vtkImageData* labelMap)
{
  labelMap->SetExtent(0, 0, 0, 0, 0, 0);
  for (int i = 0; i < labelMap->GetPointData()->GetNumberOfArrays(); ++i)
  {
    vtkDataArray* array = labelMap->GetPointData()->GetArray(i);
    array->SetNumberOfTuples(1);
    array->Fill(0.0);
  }
}

// A folder of our own beside the file, removed at the end with whatever is left in it.
class ScratchFolder
{
public:
  explicit ScratchFolder(const fs::path& beside)
  {
    const fs::path folder = beside.parent_path().empty() ? fs::path(".") : beside.parent_path();
    for (int number = 0; number < 1000; ++number)
    {
      const fs::path path =
        folder / ("." + beside.filename().string() + ".tmp-" + std::to_string(number));
      std::error_code error;
      if (fs::create_directory(path, error))
      {
        this->Path = path;
        return;
      }
      if (error)
      {
        throw SegmentationFileError(
          path.string() + ": cannot be created: " + error.message() + ".");
      }
    }
    throw SegmentationFileError(beside.string() + ": too many temporary folders beside it.");
  }
  ~ScratchFolder()
  {
    std::error_code ignored;
    fs::remove_all(this->Path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  fs::path Path;
};

void Rename(const fs::path& from, const fs::path& to)
{
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
  {
    throw SegmentationFileError(to.string() + ": cannot be written: " + error.message() + ".");
  }
}

} // namespace

//----------------------------------------------------------------------------
vtkSegmentationFileWriter::vtkSegmentationFileWriter() = default;

//----------------------------------------------------------------------------
vtkSegmentationFileWriter::~vtkSegmentationFileWriter() = default;

//----------------------------------------------------------------------------
std::string vtkSegmentationFileWriter::GetDefaultExtension(vtkSegmentation* segmentation)
{
  const std::string source =
    segmentation ? segmentation->GetSourceRepresentationName() : std::string();
  if (source == vtkSegmentationConverter::GetBinaryLabelmapRepresentationName())
  {
    return "seg.nrrd";
  }
  return segcore::isFractional(source) || segcore::isSurface(source) ? "seg.vtm" : "";
}

//----------------------------------------------------------------------------
bool vtkSegmentationFileWriter::Write(vtkSegmentation* segmentation)
{
  this->LastError.clear();
  try
  {
    if (!segmentation)
    {
      throw SegmentationFileError("Write: no segmentation given.");
    }
    if (this->FileName.empty())
    {
      throw SegmentationFileError("Write: no file name given.");
    }
    const std::string source = segmentation->GetSourceRepresentationName();
    const std::string extension = GetDefaultExtension(segmentation);
    const bool asBlocks = segcore::endsWith(this->FileName, ".vtm");
    const bool asVolume =
      segcore::endsWith(this->FileName, ".nrrd") || segcore::endsWith(this->FileName, ".nhdr");
    if (extension.empty())
    {
      throw SegmentationFileError(this->FileName +
        ": there is no file format for the source representation '" + source + "'.");
    }
    if (extension == "seg.nrrd" ? !asVolume : !asBlocks)
    {
      throw SegmentationFileError(this->FileName + ": the source representation is '" + source +
        "'; the name must end in " + (extension == "seg.nrrd" ? ".nrrd or .nhdr" : ".vtm") + ".");
    }
    asBlocks ? this->WriteBlocks(segmentation) : this->WriteVolume(segmentation);
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
void vtkSegmentationFileWriter::WriteVolume(vtkSegmentation* segmentation)
{
  vtkSmartPointer<vtkSegmentation> copy;
  if (!HaveOneLattice(segmentation))
  {
    copy = OnOneLattice(segmentation);
  }
  vtkNew<vtkImageData> labelMap;
  {
    const segcore::ErrorCatcher errors(labelMap);
    if (!vtkSegmentationLabelMapAdapter::SegmentationToLabelMap(
          copy ? copy.GetPointer() : segmentation, labelMap))
    {
      throw SegmentationFileError(this->FileName + ": " + errors.text());
    }
  }
  if (labelMap->GetNumberOfPoints() == 0 || segmentation->GetNumberOfSegments() == 0)
  {
    AddEmptyVoxel(labelMap);
  }
  if (copy)
  {
    std::vector<std::string> names;
    segmentation->GetContainedRepresentationNames(names);
    std::string text;
    for (const std::string& name : names)
    {
      text += name + "|";
    }
    AddText(labelMap->GetFieldData(), segcore::ContainedNamesKey, text);
  }
  vtkNew<vtkLabelMapNrrdWriter> writer;
  writer->SetController(nullptr);
  writer->SetFileName(this->FileName.c_str());
  writer->SetUseCompression(this->UseCompression);
  writer->SetCropToMinimumExtent(this->CropToMinimumExtent);
  writer->KeepReferenceGeometryOn();
  writer->SetInputData(labelMap);
  const segcore::ErrorCatcher hush(writer);
  const segcore::ErrorCatcher hushExecutive(writer->GetExecutive());
  if (!writer->Write())
  {
    throw SegmentationFileError(
      *writer->GetLastError() ? writer->GetLastError() : this->FileName + ": cannot be written.");
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationFileWriter::WriteBlocks(vtkSegmentation* segmentation)
{
  const std::vector<std::string> ids = segmentation->GetSegmentIDs();
  if (ids.empty())
  {
    throw SegmentationFileError(
      this->FileName + ": a segmentation without segments cannot be written to this format.");
  }
  const std::string source = segmentation->GetSourceRepresentationName();
  const bool images = segcore::isFractional(source);
  std::vector<std::string> names;
  segmentation->GetContainedRepresentationNames(names);
  std::string contained;
  for (const std::string& name : names)
  {
    contained += name + "|";
  }
  const fs::path target(this->FileName);
  const fs::path folderName = target.stem();
  const ScratchFolder scratch(target);
  const fs::path written = scratch.Path / target.filename();
  std::error_code error;
  fs::create_directory(scratch.Path / folderName, error);
  // VTK's writer of multi-block files leaves out blocks without points, and their segments.
  std::string index = "<?xml version=\"1.0\"?>\n<VTKFile type=\"vtkMultiBlockDataSet\" "
                      "version=\"1.0\">\n  <vtkMultiBlockDataSet>\n";
  for (std::size_t i = 0; i < ids.size(); ++i)
  {
    vtkSegment* segment = segmentation->GetSegment(ids[i]);
    vtkDataObject* representation = segment->GetRepresentation(source);
    auto* image = vtkImageData::SafeDownCast(representation);
    auto* surface = vtkPolyData::SafeDownCast(representation);
    if (images ? !image : !surface)
    {
      throw SegmentationFileError(this->FileName + ": segment '" + ids[i] +
        "' has no representation '" + source + "' that is " +
        (images ? "an image." : "poly data."));
    }
    vtkSmartPointer<vtkDataObject> block;
    if (images)
    {
      block = vtkSmartPointer<vtkImageData>::New();
    }
    else
    {
      block = vtkSmartPointer<vtkPolyData>::New();
    }
    block->ShallowCopy(representation); // its own list of arrays: the live object keeps its
    vtkNew<vtkFieldData> fieldData;
    fieldData->ShallowCopy(representation->GetFieldData());
    block->SetFieldData(fieldData);
    if (images)
    {
      auto* copy = vtkImageData::SafeDownCast(block);
      copy->SetDirectionMatrix(image->GetDirectionMatrix());
      std::vector<double> geometry(image->GetOrigin(), image->GetOrigin() + 3);
      geometry.insert(geometry.end(), image->GetSpacing(), image->GetSpacing() + 3);
      const double* directions = image->GetDirectionMatrix()->GetData();
      geometry.insert(geometry.end(), directions, directions + 9);
      AddNumbers(fieldData, segcore::SegmentGeometryKey, geometry);
    }
    AddText(fieldData, segcore::SegmentIDKey, ids[i]);
    AddText(fieldData, segcore::SegmentNameKey, segment->GetName() ? segment->GetName() : "");
    const double* color = segment->GetColor();
    AddNumbers(fieldData, segcore::SegmentColorKey, { color[0], color[1], color[2] });
    AddTags(fieldData, segment);
    AddText(fieldData, segcore::SegmentNameAutoKey, segment->GetNameAutoGenerated() ? "1" : "0");
    AddText(fieldData, segcore::SegmentColorAutoKey, segment->GetColorAutoGenerated() ? "1" : "0");
    AddText(fieldData, segcore::SourceRepresentationKey, source);
    AddText(fieldData, segcore::ConversionParametersKey,
      segmentation->SerializeAllConversionParameters());
    AddText(fieldData, segcore::ContainedNamesKey, contained);

    const fs::path name =
      folderName / (folderName.string() + "_" + std::to_string(i) + (images ? ".vti" : ".vtp"));
    vtkSmartPointer<vtkXMLWriter> writer;
    if (images)
    {
      writer = vtkSmartPointer<vtkXMLImageDataWriter>::New();
    }
    else
    {
      writer = vtkSmartPointer<vtkXMLPolyDataWriter>::New();
    }
    writer->SetFileName((scratch.Path / name).string().c_str());
    writer->SetInputDataObject(block);
    writer->SetDataModeToAppended();
    writer->SetEncodeAppendedData(false);
    writer->SetCompressorType(this->UseCompression ? vtkXMLWriter::ZLIB : vtkXMLWriter::NONE);
    const segcore::ErrorCatcher errors(writer);
    if (!writer->Write())
    {
      throw SegmentationFileError(
        this->FileName + ": segment '" + ids[i] + "' cannot be written: " + errors.text());
    }
    index += "    <DataSet index=\"" + std::to_string(i) + "\" file=\"" +
      segcore::xmlText(name.generic_string()) + "\"/>\n";
  }
  std::ofstream stream(written, std::ios::binary);
  stream << index << "  </vtkMultiBlockDataSet>\n</VTKFile>\n";
  stream.close();
  if (!stream)
  {
    throw SegmentationFileError(this->FileName + ": cannot be written.");
  }

  // The folder first, then the file that names what is in it; back if that fails.
  const fs::path folder = target.parent_path() / folderName;
  const fs::path old = scratch.Path / "old";
  const bool replaces = fs::exists(folder, error);
  if (replaces)
  {
    Rename(folder, old);
  }
  try
  {
    Rename(scratch.Path / folderName, folder);
    Rename(written, target);
  }
  catch (const SegmentationFileError&)
  {
    fs::remove_all(folder, error);
    if (replaces)
    {
      fs::rename(old, folder, error);
    }
    throw;
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationFileWriter::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "FileName: " << this->FileName << "\n";
  os << indent << "LastError: " << this->LastError << "\n";
  os << indent << "UseCompression: " << this->UseCompression << "\n";
  os << indent << "CropToMinimumExtent: " << this->CropToMinimumExtent << "\n";
}
