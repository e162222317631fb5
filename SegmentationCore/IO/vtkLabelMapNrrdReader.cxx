// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapNrrdReader.h"

#include "ImageArrays.h"
#include "LabelMapKeys.h"
#include "VolumeFile.h"
#include "vtkLabelSegmentTable.h"

#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

vtkStandardNewMacro(vtkLabelMapNrrdReader);

//----------------------------------------------------------------------------
class vtkLabelMapNrrdReader::vtkInternals
{
public:
  segcore::VolumeFile Volume;
  segcore::Box Stored;           // in the output's indices; empty if the file stores no image
  segcore::Index Offset[3] = {}; // of the stored buffer
  segcore::IndexToWorld Lattice; // of index 0 0 0
  bool IsPlain = false;          // no segment keys: the table is made from the voxels
  bool TableIsKnown = false;
  vtkNew<vtkLabelSegmentTable> Table;

  [[noreturn]] void Fail(const std::string& key, const std::string& text) const
  {
    throw segcore::FileError(this->Volume.voxels.path + ": key " + key + ": " + text);
  }

  const std::string* Find(const std::string& key) const
  {
    const auto found = this->Volume.keyValues.find(key);
    return found == this->Volume.keyValues.end() ? nullptr : &found->second;
  }

  std::int64_t Integer(const std::string& key, std::int64_t absent) const
  {
    const std::string* text = this->Find(key);
    if (!text)
    {
      return absent;
    }
    const std::vector<std::string> words = segcore::splitWords(*text);
    std::int64_t value = 0;
    if (words.size() != 1 || !segcore::parseInteger(words[0], value))
    {
      this->Fail(key, "'" + text->substr(0, 60) + "' found, an integer is needed");
    }
    return value;
  }
};

namespace
{

constexpr std::size_t MaximumValues = 100000;

// Distinct values above 0 by component; runs of equal values cost one comparison each.
class ValueCollector
{
public:
  ValueCollector(segcore::Index components, std::string path)
    : Path(std::move(path))
    , Values(static_cast<std::size_t>(components))
    , Last(static_cast<std::size_t>(components), 0)
  {
  }

  void Add(std::size_t component, std::int64_t value)
  {
    if (value == this->Last[component])
    {
      return;
    }
    this->Last[component] = value;
    if (value > 0)
    {
      if (this->Values[component].insert(value).second && ++this->Count > MaximumValues)
      {
        throw segcore::FileError(this->Path + ": more than " + std::to_string(MaximumValues) +
          " different values, this is not a label map");
      }
    }
    else if (value < 0)
    {
      this->HasNegative = true;
    }
  }

  std::string Path;
  std::vector<std::unordered_set<std::int64_t>> Values;
  std::vector<std::int64_t> Last;
  std::size_t Count = 0;
  bool HasNegative = false;
};

// Cut off fractions; out of range and NaN become the nearest end and 0.
template <class T>
std::int64_t toLabel(T value)
{
  if (std::is_floating_point<T>::value)
  {
    const double real = static_cast<double>(value);
    if (!(real == real))
    {
      return 0;
    }
    return static_cast<std::int64_t>(
      std::min<double>(std::max<double>(real, VTK_INT_MIN), VTK_INT_MAX));
  }
  return static_cast<std::int64_t>(value);
}

// Well separated hues: steps of the golden ratio around the circle, at three levels of brightness.
void autoColor(segcore::Index index, double rgb[3])
{
  const double hue = std::fmod(0.1 + 0.618033988749895 * static_cast<double>(index), 1.0) * 6.0;
  const double value = 1.0 - 0.2 * static_cast<double>(index % 3);
  const double saturation = 0.75;
  const double shifts[3] = { 5.0, 3.0, 1.0 }; // the usual conversion from hue, saturation and value
  for (int i = 0; i < 3; ++i)
  {
    const double place = std::fmod(shifts[i] + hue, 6.0);
    const double away = std::max(0.0, std::min(1.0, std::min(place, 4.0 - place)));
    rgb[i] = value * (1.0 - saturation * away);
  }
}

} // namespace

//----------------------------------------------------------------------------
vtkLabelMapNrrdReader::vtkLabelMapNrrdReader() : Internals(new vtkInternals) {}

vtkLabelMapNrrdReader::~vtkLabelMapNrrdReader() = default;

//----------------------------------------------------------------------------
int vtkLabelMapNrrdReader::CanReadFile(const char* path)
{
  return path && segcore::isVolume(path) ? 1 : 0;
}

//----------------------------------------------------------------------------
void vtkLabelMapNrrdReader::ReadInformation(vtkInformation* outInfo)
{
  vtkInternals& self = *this->Internals;
  segcore::OpenOptions options;
  options.allowDataFileElsewhere = this->AllowDataFileElsewhere;
  options.unknownSpaceIsRAS = this->UnknownSpaceIsRAS;
  self.Volume = segcore::openVolume(this->FileName, options);
  if (self.Volume.rescales())
  {
    throw segcore::FileError(std::string(this->FileName) +
      ": the values are scaled by a slope and an intercept, so they are no labels");
  }
  self.Table->RemoveAllSegments();
  self.IsPlain = !self.Find("Segment0_ID") && !self.Find("Segmentation_MasterRepresentation") &&
    !self.Find(segcore::ConversionParametersName);
  self.TableIsKnown = !self.IsPlain;
  self.Stored = self.Volume.voxels.whole();
  self.Lattice = self.Volume.geometry;
  std::fill_n(self.Offset, 3, 0);
  if (!self.IsPlain)
  {
    if (self.Volume.firstLatin1Line)
    {
      vtkWarningMacro(<< this->FileName << ":" << self.Volume.firstLatin1Line
                      << ": names that are not in UTF-8 are taken for ISO 8859-1.");
    }
    this->ReadSegments();
    this->FindReference();
  }
  segcore::Box whole = self.Stored;
  const std::string* parameters = self.Find(segcore::ConversionParametersName);
  segcore::IndexToWorld reference;
  segcore::Box referenceExtent;
  bool hasReference = false;
  for (const auto& parameter :
    segcore::parseConversionParameters(parameters ? *parameters : std::string()))
  {
    hasReference = hasReference ||
      (parameter.name == segcore::ReferenceGeometryName &&
        segcore::parseGeometryText(parameter.value, reference, referenceExtent));
  }
  if (hasReference && !referenceExtent.empty())
  {
    bool valid = true;
    try
    {
      reference.check(this->FileName);
    }
    catch (const segcore::FileError&)
    {
      valid = false;
    }
    double spacing[3];
    self.Lattice.spacing(spacing);
    const double smallest = std::min(spacing[0], std::min(spacing[1], spacing[2]));
    // As Slicer compares geometries, and finer where voxels are small.
    const double tolerance = std::min(1.0e-4, 0.01 * smallest);
    bool same = valid;
    for (int row = 0; row < 3; ++row)
    {
      for (int column = 0; column < 4; ++column)
      {
        same = same &&
          std::abs(reference.matrix[row][column] - self.Lattice.matrix[row][column]) <= tolerance;
      }
    }
    // Slicer writes one voxel at any place for a segmentation without voxels.
    const bool nothingStored = self.Stored.size() == 1;
    const segcore::Box united = same ? referenceExtent.unite(self.Stored) : referenceExtent;
    const double voxels = static_cast<double>(united.dim(0)) * static_cast<double>(united.dim(1)) *
      static_cast<double>(united.dim(2));
    const double stored = static_cast<double>(self.Stored.size());
    const bool plausible = (voxels <= static_cast<double>(this->MaximumNumberOfPaddedVoxels) ||
                             voxels <= 8.0 * stored) &&
      united.dim(0) <= VTK_INT_MAX && united.dim(1) <= VTK_INT_MAX && united.dim(2) <= VTK_INT_MAX;
    if (valid && (same || nothingStored))
    {
      if (same)
      {
        self.Lattice = reference; // the same, without the file's rounding
      }
      if (this->PadToReferenceExtent && !plausible)
      {
        vtkWarningMacro(<< this->FileName << ": the reference extent of " << voxels
                        << " voxels is not padded to; only what is stored is read"
                           " (MaximumNumberOfPaddedVoxels).");
      }
      else if (this->PadToReferenceExtent)
      {
        whole = united;
        if (!same)
        {
          self.Lattice = reference;
          self.Stored = segcore::Box();
        }
      }
    }
  }
  segcore::setInformation(outInfo, whole, self.Lattice);
  const int type = self.Volume.voxels.scalarType;
  vtkDataObject::SetPointDataActiveScalarInfo(
    outInfo, type == VTK_FLOAT || type == VTK_DOUBLE ? VTK_INT : type, 1);
}

//----------------------------------------------------------------------------
// Shifts the stored box and the geometry by Segmentation_ReferenceImageExtentOffset.
void vtkLabelMapNrrdReader::FindReference()
{
  vtkInternals& self = *this->Internals;
  const char* key = "Segmentation_ReferenceImageExtentOffset";
  const std::string* text = self.Find(key);
  if (!text)
  {
    return;
  }
  const std::vector<std::string> words = segcore::splitWords(*text);
  for (std::size_t a = 0; a < 3; ++a)
  {
    std::int64_t offset = 0;
    if (words.size() != 3 || !segcore::parseInteger(words[a], offset) ||
      offset < -(segcore::Index{ 1 } << 30) || offset > (segcore::Index{ 1 } << 30) ||
      self.Stored.hi[a] + offset > VTK_INT_MAX)
    {
      self.Fail(key, "'" + text->substr(0, 60) + "' found, three integers are needed");
    }
    self.Offset[a] = offset;
    self.Stored.lo[a] += offset;
    self.Stored.hi[a] += offset;
  }
  const double back[3] = { -static_cast<double>(self.Offset[0]),
    -static_cast<double>(self.Offset[1]), -static_cast<double>(self.Offset[2]) };
  double origin[3];
  self.Lattice.position(back, origin);
  for (int row = 0; row < 3; ++row)
  {
    self.Lattice.matrix[row][3] = origin[row];
  }
}

//----------------------------------------------------------------------------
void vtkLabelMapNrrdReader::ReadSegments()
{
  vtkInternals& self = *this->Internals;
  const std::string* encoding = self.Find("Segmentation_TagEncoding");
  const bool decodeTags = encoding && *encoding == "percent";
  const segcore::Index layers = self.Volume.voxels.components();
  for (int n = 0;; ++n)
  {
    const std::string prefix = "Segment" + std::to_string(n) + "_";
    const std::string* id = self.Find(prefix + "ID");
    if (!id)
    {
      break;
    }
    if (id->empty())
    {
      self.Fail(prefix + "ID", "is empty");
    }
    if (self.Table->GetSegmentIndex(*id) >= 0)
    {
      self.Fail(prefix + "ID", "'" + *id + "' is the ID of an earlier segment, too");
    }
    const std::string* name = self.Find(prefix + "Name");

    double color[3] = { 0.5, 0.5, 0.5 };
    for (const char* ending : { "DefaultColor", "Color" }) // the second one counts
    {
      if (const std::string* text = self.Find(prefix + ending))
      {
        const std::vector<std::string> words = segcore::splitWords(*text);
        for (std::size_t i = 0; i < 3; ++i)
        {
          if (words.size() != 3 || !segcore::parseReal(words[i], color[i]) ||
            !std::isfinite(color[i]))
          {
            self.Fail(
              prefix + ending, "'" + text->substr(0, 60) + "' found, three numbers are needed");
          }
        }
      }
    }
    const std::int64_t label = self.Integer(prefix + "LabelValue", 1);
    if (label < 1)
    {
      self.Fail(prefix + "LabelValue", std::to_string(label) + " found, 1 or more is needed");
    }
    const std::int64_t layer = self.Integer(prefix + "Layer", n);
    if (layer < 0 || layer >= layers)
    {
      self.Fail(prefix + "Layer",
        std::to_string(layer) + (self.Find(prefix + "Layer") ? " found" : " assumed") +
          ", the file has the layers 0 to " + std::to_string(layers - 1));
    }
    const int sharing = self.Table->FindByLabel(static_cast<int>(layer), label);
    if (sharing >= 0)
    {
      self.Fail(prefix + "LabelValue",
        std::to_string(label) + " in layer " + std::to_string(layer) + " is that of segment '" +
          self.Table->GetNthSegmentID(sharing) + "', too");
    }
    const int index = self.Table->AddSegment(
      *id, name ? *name : *id, color[0], color[1], color[2], label, static_cast<int>(layer));
    self.Table->SetNthSegmentName(index, name ? *name : *id); // an empty one stays empty
    self.Table->SetNthSegmentNameAutoGenerated(
      index, self.Integer(prefix + "NameAutoGenerated", 0) != 0);
    self.Table->SetNthSegmentColorAutoGenerated(
      index, self.Integer(prefix + "ColorAutoGenerated", 0) != 0);
    self.Table->SetNthSegmentVisible(index, self.Integer(prefix + "Visible", 1) != 0);
    if (const std::string* tags = self.Find(prefix + "Tags"))
    {
      self.Table->SetNthSegmentSerializedTags(index, *tags, decodeTags);
      const std::string status = self.Table->GetNthSegmentTag(index, segcore::StatusTagName);
      for (int s = 0; s < 4; ++s)
      {
        if (status == segcore::StatusNames[s])
        {
          self.Table->SetNthSegmentStatus(index, s);
          self.Table->RemoveNthSegmentTag(index, segcore::StatusTagName);
        }
      }
    }
  }
}

//----------------------------------------------------------------------------
void vtkLabelMapNrrdReader::ReadPart(const int extent[6], vtkImageData* output)
{
  vtkInternals& self = *this->Internals;
  const segcore::VoxelFile& voxels = self.Volume.voxels;
  const segcore::Box memory = segcore::Box::fromExtent(extent);
  const segcore::Box wanted = memory.intersect(self.Stored);
  const segcore::Index layers = voxels.components();
  const bool isReal = voxels.scalarType == VTK_FLOAT || voxels.scalarType == VTK_DOUBLE;

  std::vector<vtkSmartPointer<vtkDataArray>> arrays;
  std::vector<segcore::VoxelTarget> targets;
  for (segcore::Index layer = 0; layer < layers; ++layer)
  {
    arrays.push_back(segcore::makeArray(voxels.scalarType, 1, memory.size(),
      vtkLabelSegmentTable::GetLayerArrayName(static_cast<int>(layer))));
    void* data = arrays.back()->GetVoidPointer(0);
    if (wanted != memory)
    {
      std::memset(data, 0, static_cast<std::size_t>(memory.size() * voxels.scalarSize()));
    }
    targets.push_back({ data, 1 });
  }
  if (!wanted.empty())
  {
    // From the output's indices to those of the file.
    segcore::Box inFile = wanted;
    segcore::Box memoryInFile = memory;
    for (int a = 0; a < 3; ++a)
    {
      inFile.lo[a] -= self.Stored.lo[a];
      inFile.hi[a] -= self.Stored.lo[a];
      memoryInFile.lo[a] -= self.Stored.lo[a];
      memoryInFile.hi[a] -= self.Stored.lo[a];
    }
    if (!segcore::readVoxels(voxels, inFile, memoryInFile, targets,
          [this](double part) { return this->Report(part); }))
    {
      throw std::runtime_error("Reading " + voxels.path + " was stopped.");
    }
  }

  bool hasFractions = false;
  if (isReal)
  {
    for (auto& array : arrays)
    {
      auto labels = segcore::makeArray(VTK_INT, 1, memory.size(), array->GetName());
      int* to = static_cast<int*>(labels->GetVoidPointer(0));
      segcore::dispatchScalar(voxels.scalarType, array->GetVoidPointer(0),
        [&](const auto* from)
        {
          for (segcore::Index i = 0; i < memory.size(); ++i)
          {
            to[i] = static_cast<int>(toLabel(from[i]));
            hasFractions =
              hasFractions || static_cast<double>(to[i]) != static_cast<double>(from[i]);
          }
        });
      array = labels;
    }
    if (hasFractions)
    {
      vtkWarningMacro(<< voxels.path << ": values that are not integers were cut off.");
    }
  }

  if (!self.TableIsKnown)
  {
    ValueCollector collector(layers, voxels.path);
    if (wanted == self.Stored)
    {
      for (std::size_t layer = 0; layer < arrays.size(); ++layer)
      {
        segcore::dispatchScalar(arrays[layer]->GetDataType(), arrays[layer]->GetVoidPointer(0),
          [&](const auto* from)
          {
            for (segcore::Index i = 0; i < memory.size(); ++i)
            {
              collector.Add(layer, toLabel(from[i]));
            }
          });
      }
    }
    else
    {
      segcore::Index step = 1; // of the component axis in the file
      for (int axis = 0; axis < voxels.componentAxis; ++axis)
      {
        step *= voxels.sizes[static_cast<std::size_t>(axis)];
      }
      segcore::scanVoxels(voxels,
        [&](const unsigned char* data, segcore::Index first, segcore::Index count)
        {
          segcore::dispatchScalar(voxels.scalarType, data,
            [&](const auto* from)
            {
              for (segcore::Index i = 0; i < count; ++i)
              {
                const segcore::Index component = layers == 1 ? 0 : (first + i) / step % layers;
                collector.Add(static_cast<std::size_t>(component), toLabel(from[i]));
              }
            });
        });
    }
    if (collector.HasNegative)
    {
      vtkWarningMacro(<< voxels.path << ": values below 0 count as background.");
    }
    for (std::size_t layer = 0; layer < collector.Values.size(); ++layer)
    {
      const std::set<std::int64_t> ordered(
        collector.Values[layer].begin(), collector.Values[layer].end());
      for (const std::int64_t value : ordered)
      {
        const std::string id =
          self.Table->GenerateUniqueSegmentID("Segment_" + std::to_string(value));
        double color[3];
        autoColor(self.Table->GetNumberOfSegments(), color);
        const int index = self.Table->AddSegment(
          id, id, color[0], color[1], color[2], value, static_cast<int>(layer));
        self.Table->SetNthSegmentNameAutoGenerated(index, true);
        self.Table->SetNthSegmentColorAutoGenerated(index, true);
      }
    }
    self.TableIsKnown = true;
  }

  for (std::size_t layer = 0; layer < arrays.size(); ++layer)
  {
    output->GetPointData()->AddArray(arrays[layer]);
  }
  output->GetPointData()->SetScalars(arrays[0]);
  self.Table->ToFieldData(output->GetFieldData());
  for (const char* key :
    { segcore::ConversionParametersName, segcore::ContainedRepresentationsName })
  {
    if (const std::string* text = self.Find(key))
    {
      vtkNew<vtkStringArray> array;
      array->SetName(key);
      array->InsertNextValue(*text);
      output->GetFieldData()->AddArray(array);
    }
  }
}

//----------------------------------------------------------------------------
void vtkLabelMapNrrdReader::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "PadToReferenceExtent: " << this->PadToReferenceExtent << "\n";
  os << indent << "MaximumNumberOfPaddedVoxels: " << this->MaximumNumberOfPaddedVoxels << "\n";
}
