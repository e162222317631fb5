// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkRASVolumeReader.h"

#include "ImageArrays.h"
#include "VolumeFile.h"

#include "vtkCallbackCommand.h"
#include "vtkCommand.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkExecutive.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkStreamingDemandDrivenPipeline.h"
#include "vtkXMLImageDataReader.h"

#include <string>

vtkStandardNewMacro(vtkRASVolumeReader);

//----------------------------------------------------------------------------
class vtkRASVolumeReader::vtkInternals
{
public:
  vtkInternals()
  {
    // Errors of the XML reader become ours, with the file's name.
    this->Listener->SetClientData(this);
    this->Listener->SetCallback(
      [](vtkObject*, unsigned long, void* self, void* text)
      {
        std::string& error = static_cast<vtkInternals*>(self)->XMLError;
        if (error.empty() && text)
        {
          error = static_cast<const char*>(text);
        }
      });
    this->XML->AddObserver(vtkCommand::ErrorEvent, this->Listener);
    this->XML->GetExecutive()->AddObserver(vtkCommand::ErrorEvent, this->Listener);
  }

  void CheckXML(const char* path)
  {
    if (!this->XMLError.empty())
    {
      const std::string error = this->XMLError;
      this->XMLError.clear();
      throw segcore::FileError(std::string(path) + ": cannot be read as VTK image data: " + error);
    }
  }

  bool IsXML = false;
  segcore::VolumeFile Volume;
  vtkNew<vtkXMLImageDataReader> XML;
  vtkNew<vtkCallbackCommand> Listener;
  std::string XMLError;
};

//----------------------------------------------------------------------------
vtkRASVolumeReader::vtkRASVolumeReader() : Internals(new vtkInternals) {}

vtkRASVolumeReader::~vtkRASVolumeReader() = default;

//----------------------------------------------------------------------------
int vtkRASVolumeReader::CanReadFile(const char* path)
{
  if (!path)
  {
    return 0;
  }
  if (segcore::hasEnding(path, ".vti"))
  {
    vtkNew<vtkXMLImageDataReader> reader;
    return reader->CanReadFile(path) != 0;
  }
  return segcore::isVolume(path) ? 1 : 0;
}

//----------------------------------------------------------------------------
void vtkRASVolumeReader::ReadInformation(vtkInformation* outInfo)
{
  vtkInternals& self = *this->Internals;
  self.IsXML = segcore::hasEnding(this->FileName, ".vti");
  if (self.IsXML)
  {
    segcore::fileLength(this->FileName); // a clear message if there is no such file
    if (!self.XML->CanReadFile(this->FileName))
    {
      throw segcore::FileError(std::string(this->FileName) + ": is not VTK image data in XML");
    }
    self.XMLError.clear();
    self.XML->SetFileName(this->FileName);
    self.XML->Modified();
    self.XML->UpdateInformation();
    self.CheckXML(this->FileName);
    vtkInformation* info = self.XML->GetOutputInformation(0);
    outInfo->CopyEntry(info, vtkStreamingDemandDrivenPipeline::WHOLE_EXTENT());
    outInfo->CopyEntry(info, vtkDataObject::ORIGIN());
    outInfo->CopyEntry(info, vtkDataObject::SPACING());
    outInfo->CopyEntry(info, vtkDataObject::DIRECTION());
    outInfo->CopyEntry(info, vtkDataObject::POINT_DATA_VECTOR());
    static const double identity[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    if (!outInfo->Has(vtkDataObject::DIRECTION()))
    {
      outInfo->Set(vtkDataObject::DIRECTION(), identity, 9);
    }
    return;
  }
  segcore::OpenOptions options;
  options.allowDataFileElsewhere = this->AllowDataFileElsewhere;
  options.unknownSpaceIsRAS = this->UnknownSpaceIsRAS;
  self.Volume = segcore::openVolume(this->FileName, options);
  segcore::setInformation(outInfo, self.Volume.voxels.whole(), self.Volume.geometry);
  int type = self.Volume.voxels.scalarType;
  if (self.Volume.rescales())
  {
    type = self.Volume.voxels.scalarSize() <= 2 || type == VTK_FLOAT ? VTK_FLOAT : VTK_DOUBLE;
  }
  vtkDataObject::SetPointDataActiveScalarInfo(
    outInfo, type, static_cast<int>(self.Volume.voxels.components()));
}

//----------------------------------------------------------------------------
void vtkRASVolumeReader::ReadPart(const int extent[6], vtkImageData* output)
{
  vtkInternals& self = *this->Internals;
  if (self.IsXML)
  {
    // The reader has a protected member of the same name that hides the method.
    self.XML->vtkAlgorithm::UpdateExtent(extent);
    self.CheckXML(this->FileName);
    output->ShallowCopy(self.XML->GetOutput());
    self.XML->GetOutput()->ReleaseData();
    int read[6];
    output->GetExtent(read);
    if (!std::equal(read, read + 6, extent))
    {
      output->Crop(extent);
    }
    return;
  }

  const segcore::VoxelFile& voxels = self.Volume.voxels;
  const segcore::Box box = segcore::Box::fromExtent(extent);
  const segcore::Index components = voxels.components();
  auto array = segcore::makeArray(voxels.scalarType, components, box.size(), "ImageScalars");
  std::vector<segcore::VoxelTarget> targets(static_cast<std::size_t>(components));
  for (segcore::Index c = 0; c < components; ++c)
  {
    targets[static_cast<std::size_t>(c)].base =
      static_cast<unsigned char*>(array->GetVoidPointer(0)) + c * voxels.scalarSize();
    targets[static_cast<std::size_t>(c)].stride = components;
  }
  if (!segcore::readVoxels(
        voxels, box, box, targets, [this](double part) { return this->Report(part); }))
  {
    throw std::runtime_error("Reading " + voxels.path + " was stopped.");
  }
  if (self.Volume.rescales())
  {
    const int type =
      voxels.scalarSize() <= 2 || voxels.scalarType == VTK_FLOAT ? VTK_FLOAT : VTK_DOUBLE;
    auto scaled = segcore::makeArray(type, components, box.size(), "ImageScalars");
    const vtkIdType count = array->GetNumberOfValues();
    const double slope = self.Volume.slope;
    const double intercept = self.Volume.intercept;
    void* to = scaled->GetVoidPointer(0);
    segcore::dispatchScalar(voxels.scalarType, array->GetVoidPointer(0),
      [&](const auto* from)
      {
        for (vtkIdType i = 0; i < count; ++i)
        {
          const double value = slope * static_cast<double>(from[i]) + intercept;
          if (type == VTK_FLOAT)
          {
            static_cast<float*>(to)[i] = static_cast<float>(value);
          }
          else
          {
            static_cast<double*>(to)[i] = value;
          }
        }
      });
    array = scaled;
  }
  output->GetPointData()->SetScalars(array);
}

//----------------------------------------------------------------------------
void vtkRASVolumeReader::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
}
