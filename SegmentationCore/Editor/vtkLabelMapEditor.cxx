// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapEditor.h"

#include "DistributedImage.h"
#include "LabelCounts.h"
#include "MergeMask.h"
#include "OperationSchema.h"
#include "ReduceTable.h"
#include "ThreadScope.h"
#include "vtkLabelMapAlgorithm.h"
#include "vtkLabelSegmentTable.h"
#include "vtkVersionCompatibility.h"

#include "vtkCallbackCommand.h"
#include "vtkColor.h"
#include "vtkColorSeries.h"
#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkInformation.h"
#include "vtkInformationVector.h"
#include "vtkMatrix3x3.h"
#include "vtkNew.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkSmartPointer.h"
#include "vtkStreamingDemandDrivenPipeline.h"

#include <algorithm>
#include <limits>
#include <vector>

vtkStandardNewMacro(vtkLabelMapEditor);

namespace
{
using segcore::AgreedError;
using segcore::Communicator;
using segcore::DistributedImage;
using segcore::Index;
using segcore::Operation;

const char* const LabelsName = "Labels";

/// The smallest unsigned scalar type that holds all values up to `label`.
int smallestLabelType(Index label)
{
  if (label <= std::numeric_limits<std::uint8_t>::max())
  {
    return VTK_UNSIGNED_CHAR;
  }
  if (label <= std::numeric_limits<std::uint16_t>::max())
  {
    return VTK_UNSIGNED_SHORT;
  }
  return label <= Index(std::numeric_limits<std::uint32_t>::max()) ? VTK_UNSIGNED_INT
                                                                   : VTK_UNSIGNED_LONG_LONG;
}

/// Calls work(pointer) with the values of an array in its own unsigned type.
template <class Work>
void withLabels(vtkDataArray* array, const Work& work)
{
  void* values = array->GetNumberOfValues() ? array->GetVoidPointer(0) : nullptr;
  switch (array->GetDataType())
  {
    case VTK_UNSIGNED_CHAR:
      work(static_cast<unsigned char*>(values));
      break;
    case VTK_UNSIGNED_SHORT:
      work(static_cast<unsigned short*>(values));
      break;
    case VTK_UNSIGNED_INT:
      work(static_cast<unsigned int*>(values));
      break;
    default:
      work(static_cast<unsigned long long*>(values));
  }
}

/// A label array of another type with the same values.
vtkSmartPointer<vtkDataArray> convertLabels(vtkDataArray* labels, int type)
{
  auto converted = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
  converted->DeepCopy(labels);
  converted->SetName(LabelsName);
  return converted;
}

/// The colour of the n-th segment where nobody chose one: red, green, blue from 0 to 1.
std::vector<double> paletteColor(int n)
{
  vtkNew<vtkColorSeries> palette;
  palette->SetColorScheme(vtkColorSeries::BREWER_QUALITATIVE_SET1);
  const vtkColor3ub color = palette->GetColorRepeating(n);
  return { color[0] / 255.0, color[1] / 255.0, color[2] / 255.0 };
}

/// Collective. Voxels of every label of the whole image, 0 left out.
std::vector<segcore::LabelSum> countVoxels(
  const Communicator& communicator, const segcore::Distribution& layout, vtkDataArray* labels)
{
  std::vector<segcore::LabelSum> counts;
  communicator.run(
    [&]
    {
      withLabels(labels,
        [&](const auto* values)
        {
          for (const segcore::Block& block : layout.localBlocks())
          {
            for (const auto& entry : segcore::countLabels(values, layout.piece(), block.box))
            {
              if (entry.label != 0)
              {
                segcore::LabelSum sum;
                sum.label = static_cast<Index>(entry.label);
                sum.count = entry.voxels;
                counts.push_back(sum);
              }
            }
          }
        });
    });
  return segcore::reduceTable(communicator, std::move(counts));
}

/// Passes progress of an effect on to the editor, and the editor's abort to the effect.
struct Relay
{
  vtkAlgorithm* Editor;
  double From;
  double To;

  static void Progress(vtkObject* caller, unsigned long, void* clientData, void*)
  {
    auto* relay = static_cast<Relay*>(clientData);
    auto* effect = static_cast<vtkAlgorithm*>(caller);
    relay->Editor->UpdateProgress(relay->From + (relay->To - relay->From) * effect->GetProgress());
    if (segcore::isAborted(relay->Editor))
    {
      effect->AbortExecuteOn();
    }
  }
};
}

//------------------------------------------------------------------------------------------------
/// Labels, table and what was applied: replaced as a whole when all new operations went well.
struct vtkLabelMapEditor::State
{
  vtkSmartPointer<vtkDataArray> Labels;
  vtkNew<vtkLabelSegmentTable> Table;
  std::vector<std::string> Applied;

  // What it was made from: the array, and where its voxels lie.
  vtkSmartPointer<vtkDataArray> Volume;
  vtkMTimeType VolumeTime = 0;
  vtkNew<vtkImageData> Structure;
  vtkMTimeType StartTime = 0;

  /// A state to go on from; arrays are shared, since operations replace and never change them.
  std::unique_ptr<State> copy() const
  {
    auto other = std::make_unique<State>();
    other->Labels = this->Labels;
    other->Table->DeepCopy(this->Table);
    other->Applied = this->Applied;
    other->Volume = this->Volume;
    other->VolumeTime = this->VolumeTime;
    other->Structure->CopyStructure(this->Structure);
    other->StartTime = this->StartTime;
    return other;
  }

  /// Whether it was made from an array of this volume, as it is now.
  bool belongsTo(vtkImageData* volume) const
  {
    bool has = !this->Volume;
    for (int i = 0; !has && i < volume->GetPointData()->GetNumberOfArrays(); ++i)
    {
      has = volume->GetPointData()->GetArray(i) == this->Volume;
    }
    return has && (!this->Volume || this->VolumeTime == this->Volume->GetMTime()) &&
      this->Labels->GetNumberOfTuples() == volume->GetNumberOfPoints() &&
      std::equal(volume->GetExtent(), volume->GetExtent() + 6, this->Structure->GetExtent()) &&
      std::equal(volume->GetOrigin(), volume->GetOrigin() + 3, this->Structure->GetOrigin()) &&
      std::equal(volume->GetSpacing(), volume->GetSpacing() + 3, this->Structure->GetSpacing()) &&
      std::equal(volume->GetDirectionMatrix()->GetData(),
        volume->GetDirectionMatrix()->GetData() + 9,
        this->Structure->GetDirectionMatrix()->GetData());
  }

  /// The position of a segment; throws if there is none.
  int find(const std::string& id) const
  {
    const int index = this->Table->GetSegmentIndex(id);
    if (index < 0)
    {
      std::string known;
      for (int i = 0; i < this->Table->GetNumberOfSegments(); ++i)
      {
        known += (i ? ", '" : "'") + this->Table->GetNthSegmentID(i) + "'";
      }
      throw std::invalid_argument("there is no segment '" + id + "', expected one of " +
        (known.empty() ? "none: add one by the effect add_segment" : known));
    }
    return index;
  }

  void start(
    const Communicator& communicator, const DistributedImage& volume, vtkImageData* labelMap);
  void applyTable(const Operation& operation);
  void erase(Index label);
  void applyEffect(const Operation& operation, const Communicator& communicator,
    vtkMultiProcessController* controller, vtkImageData* volume, const std::string& volumeName,
    Relay& relay);
};

//------------------------------------------------------------------------------------------------
/// Collective. The state before any operation: empty, or the label map of input 1.
void vtkLabelMapEditor::State::start(
  const Communicator& communicator, const DistributedImage& volume, vtkImageData* labelMap)
{
  if (!communicator.agreeFlag(labelMap != nullptr))
  {
    communicator.run(
      [&]
      {
        this->Labels.TakeReference(vtkDataArray::CreateDataArray(VTK_UNSIGNED_CHAR));
        this->Labels->SetName(LabelsName);
        this->Labels->SetNumberOfTuples(volume.piece().size());
        this->Labels->Fill(0.0);
      });
    return;
  }
  vtkDataArray* given = nullptr;
  communicator.run(
    [&]
    {
      if (!labelMap)
      {
        throw std::invalid_argument("the label map is missing on this rank");
      }
      given = labelMap->GetPointData()->GetArray(LabelsName);
      given = given ? given : labelMap->GetPointData()->GetScalars();
      if (labelMap->GetPointData()->GetArray("Labels_1"))
      {
        throw std::invalid_argument(
          "the label map has several layers; the editor works on one: collapse them first");
      }
      if (segcore::Box::fromExtent(labelMap->GetExtent()) != volume.piece())
      {
        throw std::invalid_argument("the label map and the volume have different extents");
      }
    });
  const DistributedImage start(communicator, labelMap, given);
  const segcore::Geometry& a = start.geometry();
  const segcore::Geometry& b = volume.geometry();
  const auto differ = [](const double* x, const double* y, int count)
  {
    return !std::equal(x, x + count, y, [](double p, double q) { return std::abs(p - q) <= 1e-4; });
  };
  if (differ(a.Origin, b.Origin, 3) || differ(a.Spacing, b.Spacing, 3) ||
    differ(a.Direction, b.Direction, 9))
  {
    throw AgreedError("the label map and the volume have different origin, spacing or direction");
  }
  double range[2] = { 0.0, 0.0 };
  if (given && given->GetNumberOfValues())
  {
    given->GetRange(range, 0);
  }
  range[0] = communicator.allReduceMin(range[0]);
  range[1] = communicator.allReduceMax(range[1]);
  if (range[0] < 0.0 || start.scalarType() == VTK_FLOAT || start.scalarType() == VTK_DOUBLE)
  {
    throw AgreedError("array '" + start.arrayName() +
      "' of the label map has negative or floating values, expected whole numbers from 0");
  }
  // 2^63 and more are no label values.
  if (range[1] >= 9223372036854775808.0)
  {
    throw AgreedError(
      "array '" + start.arrayName() + "' of the label map has values beyond 2^63 - 1");
  }
  const bool hasTable = vtkLabelSegmentTable::HasTable(labelMap->GetFieldData());
  const bool anyTable = communicator.agreeFlag(hasTable);
  communicator.run(
    [&]
    {
      if (anyTable && !hasTable)
      {
        throw std::invalid_argument("the segment table of the label map is missing on this rank");
      }
      if (hasTable && !this->Table->FromFieldData(labelMap->GetFieldData()))
      {
        throw std::invalid_argument("the segment table in the label map's field data is not valid");
      }
      if (this->Table->GetNumberOfLayers() > 1)
      {
        throw std::invalid_argument(
          "the segment table of the label map has several layers; the editor works on one");
      }
      // The type must hold the labels of empty segments too.
      Index largest = static_cast<Index>(range[1]);
      for (int i = 0; i < this->Table->GetNumberOfSegments(); ++i)
      {
        largest = std::max<Index>(largest, this->Table->GetNthSegmentLabelValue(i));
      }
      const int type = smallestLabelType(largest);
      if (given)
      {
        this->Labels = convertLabels(given, type);
      }
      else
      {
        this->Labels.TakeReference(vtkDataArray::CreateDataArray(type));
        this->Labels->SetName(LabelsName);
      }
    });
  // Labels without a segment get one, so that no later segment takes their voxels over.
  for (const segcore::LabelSum& entry :
    countVoxels(communicator, start.distribution(), this->Labels))
  {
    const Index label = entry.label;
    if (this->Table->FindByLabel(0, label) < 0)
    {
      const std::string id =
        this->Table->GenerateUniqueSegmentID("Segment_" + std::to_string(label));
      const std::vector<double> color = paletteColor(this->Table->GetNumberOfSegments());
      this->Table->AddSegment(id, id, color[0], color[1], color[2], label);
    }
  }
}

//------------------------------------------------------------------------------------------------
/// Local, the same on all ranks.
void vtkLabelMapEditor::State::applyTable(const Operation& operation)
{
  const auto& parameters = operation.Parameters;
  if (operation.Effect == "add_segment")
  {
    if (this->Table->GetSegmentIndex(operation.Segment) >= 0)
    {
      throw std::invalid_argument("there is a segment '" + operation.Segment + "' already");
    }
    Index label = parameters.at("LabelValue").Integer;
    if (label == 0)
    {
      label = this->Table->GetNextFreeLabelValue(0);
    }
    else if (this->Table->FindByLabel(0, label) >= 0)
    {
      throw std::invalid_argument("LabelValue " + std::to_string(label) + " belongs to segment '" +
        this->Table->GetNthSegmentID(this->Table->FindByLabel(0, label)) + "'");
    }
    std::vector<double> color = parameters.at("Color").Color;
    const bool chosen = color.empty();
    if (chosen)
    {
      color = paletteColor(this->Table->GetNumberOfSegments());
    }
    const std::string& name = parameters.at("Name").Text;
    const int index = this->Table->AddSegment(operation.Segment,
      name.empty() ? operation.Segment : name, color[0], color[1], color[2], label);
    this->Table->SetNthSegmentColorAutoGenerated(index, chosen);
    this->Table->SetNthSegmentNameAutoGenerated(index, name.empty());
    const int type = smallestLabelType(label);
    if (vtkDataArray::GetDataTypeSize(type) > this->Labels->GetDataTypeSize())
    {
      this->Labels = convertLabels(this->Labels, type);
    }
  }
  else if (operation.Effect == "remove_segment")
  {
    this->erase(this->Table->GetNthSegmentLabelValue(this->find(operation.Segment)));
    this->Table->RemoveSegment(operation.Segment);
  }
  else if (operation.Effect == "rename_segment")
  {
    const int index = this->find(operation.Segment);
    this->Table->SetNthSegmentName(index, parameters.at("Name").Text);
    this->Table->SetNthSegmentNameAutoGenerated(index, false);
  }
  else if (operation.Effect == "recolor_segment")
  {
    const int index = this->find(operation.Segment);
    const std::vector<double>& color = parameters.at("Color").Color;
    if (color.empty())
    {
      throw std::invalid_argument("Color is null, expected three numbers from 0 to 1");
    }
    this->Table->SetNthSegmentColor(index, color[0], color[1], color[2]);
    this->Table->SetNthSegmentColorAutoGenerated(index, false);
  }
  else
  {
    throw std::invalid_argument("the table operation is declared but not built in");
  }
}

//------------------------------------------------------------------------------------------------
/// Voxels of a label become background, in a new array.
void vtkLabelMapEditor::State::erase(Index label)
{
  vtkSmartPointer<vtkDataArray> erased = convertLabels(this->Labels, this->Labels->GetDataType());
  withLabels(erased,
    [&](auto* values)
    {
      using Label = std::remove_pointer_t<decltype(values)>;
      std::replace(
        values, values + erased->GetNumberOfValues(), static_cast<Label>(label), Label(0));
    });
  this->Labels = erased;
}

//------------------------------------------------------------------------------------------------
/// Collective. Runs an effect and writes its result to the segment.
void vtkLabelMapEditor::State::applyEffect(const Operation& operation,
  const Communicator& communicator, vtkMultiProcessController* controller, vtkImageData* volume,
  const std::string& volumeName, Relay& relay)
{
  vtkSmartPointer<vtkLabelMapAlgorithm> effect;
  Index label = 0;
  int row = 0;
  communicator.run(
    [&]
    {
      row = this->find(operation.Segment);
      label = this->Table->GetNthSegmentLabelValue(row);
      effect.TakeReference(segcore::newEffect(operation));
    });
  vtkNew<vtkCallbackCommand> command;
  command->SetCallback(&Relay::Progress);
  command->SetClientData(&relay);
  effect->AddObserver(vtkCommand::ProgressEvent, command);
  effect->SetController(controller);

  const bool fromVolume = operation.Input == segcore::EffectInput::Volume;
  vtkNew<vtkImageData> labelMap;
  labelMap->CopyStructure(volume);
  labelMap->GetPointData()->SetScalars(this->Labels);
  effect->SetInputArrayToProcess(
    0, 0, 0, vtkDataObject::FIELD_ASSOCIATION_POINTS, fromVolume ? volumeName.c_str() : LabelsName);
  // A mask needs one byte, whatever the segment's label is.
  effect->SetSegmentLabel(fromVolume ? 1 : label);
  vtkNew<vtkImageData> result;
  if (!effect->Apply(fromVolume ? volume : labelMap.Get(), result))
  {
    throw AgreedError(effect->GetLastError());
  }
  vtkDataArray* array = result->GetPointData()->GetScalars();
  if (fromVolume)
  {
    communicator.run(
      [&]
      {
        vtkSmartPointer<vtkDataArray> merged =
          vtkSmartPointer<vtkDataArray>::Take(this->Labels->NewInstance());
        merged->SetName(LabelsName);
        merged->SetNumberOfTuples(this->Labels->GetNumberOfTuples());
        const auto* mask = static_cast<const std::uint8_t*>(
          array->GetNumberOfValues() ? array->GetVoidPointer(0) : nullptr);
        withLabels(merged,
          [&](auto* out)
          {
            using Label = std::remove_pointer_t<decltype(out)>;
            const auto* old = static_cast<const Label*>(
              this->Labels->GetNumberOfValues() ? this->Labels->GetVoidPointer(0) : nullptr);
            segcore::mergeMask(
              mask, old, merged->GetNumberOfValues(), static_cast<Label>(label), out);
          });
        this->Labels = merged;
      });
  }
  else
  {
    this->Labels = array;
  }
  if (this->Table->GetNthSegmentStatus(row) == vtkLabelSegmentTable::NotStarted)
  {
    this->Table->SetNthSegmentStatus(row, vtkLabelSegmentTable::InProgress);
  }
}

//------------------------------------------------------------------------------------------------
vtkLabelMapEditor::vtkLabelMapEditor()
{
  this->SetNumberOfInputPorts(2);
}

//------------------------------------------------------------------------------------------------
vtkLabelMapEditor::~vtkLabelMapEditor() = default;

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditor::SetOperations(const char* json)
{
  const std::string text = json ? json : "[]";
  if (text != this->Operations)
  {
    this->Operations = text;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditor::GetEffectDeclarations()
{
  return segcore::effectDeclarations();
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditor::GetNumberOfAppliedOperations() const
{
  return this->Current ? static_cast<int>(this->Current->Applied.size()) : 0;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditor::FillInputPortInformation(int port, vtkInformation* info)
{
  info->Set(vtkAlgorithm::INPUT_REQUIRED_DATA_TYPE(), "vtkImageData");
  if (port == 1)
  {
    info->Set(vtkAlgorithm::INPUT_IS_OPTIONAL(), 1);
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditor::RequestUpdateExtent(
  vtkInformation* request, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  this->Superclass::RequestUpdateExtent(request, inputVector, outputVector);
  if (inputVector[1]->GetNumberOfInformationObjects() > 0)
  {
    // The same part of the label map as of the volume.
    using Pipeline = vtkStreamingDemandDrivenPipeline;
    vtkInformation* volume = inputVector[0]->GetInformationObject(0);
    vtkInformation* labels = inputVector[1]->GetInformationObject(0);
    labels->CopyEntry(volume, Pipeline::UPDATE_EXTENT());
  }
  return 1;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditor::RequestData(
  vtkInformation*, vtkInformationVector** inputVector, vtkInformationVector* outputVector)
{
  vtkImageData* volume = vtkImageData::GetData(inputVector[0]);
  vtkImageData* output = vtkImageData::GetData(outputVector);
  vtkImageData* labelMap = inputVector[1]->GetNumberOfInformationObjects() > 0
    ? vtkImageData::GetData(inputVector[1])
    : nullptr;
  const Communicator communicator(this->Controller);
  this->LastError.clear();
  try
  {
    std::vector<Operation> operations;
    communicator.run([&] { operations = segcore::parseOperations(this->Operations); });

    vtkDataArray* scalars = segcore::arrayToProcess(communicator, this, volume);
    const DistributedImage image(communicator, volume, scalars);

    // Go on from the current state if it was made from the same data by the first operations.
    const vtkMTimeType startTime = labelMap ? labelMap->GetMTime() : 0;
    bool fresh = !this->Current || this->Current->Volume != scalars ||
      !this->Current->belongsTo(volume) || this->Current->StartTime != startTime ||
      this->Current->Applied.size() > operations.size();
    for (std::size_t i = 0; !fresh && i < this->Current->Applied.size(); ++i)
    {
      fresh = this->Current->Applied[i] != operations[i].Text;
    }
    fresh = communicator.agreeFlag(fresh);

    std::unique_ptr<State> next;
    if (fresh)
    {
      next = std::make_unique<State>();
      next->Volume = scalars;
      next->VolumeTime = scalars ? scalars->GetMTime() : 0;
      next->Structure->CopyStructure(volume);
      next->StartTime = startTime;
      next->start(communicator, image, labelMap);
    }
    else
    {
      next = this->Current->copy();
    }
    const std::size_t first = next->Applied.size();
    segcore::withThreads(
      [&]
      {
        for (std::size_t i = first; i < operations.size(); ++i)
        {
          const Operation& operation = operations[i];
          const double count = static_cast<double>(operations.size() - first);
          Relay relay{ this, static_cast<double>(i - first) / count,
            static_cast<double>(i - first + 1) / count };
          this->SetProgressText(operation.Title.c_str());
          try
          {
            if (operation.Input == segcore::EffectInput::Table)
            {
              communicator.run([&] { next->applyTable(operation); });
            }
            else
            {
              next->applyEffect(
                operation, communicator, this->Controller, volume, image.arrayName(), relay);
            }
          }
          catch (const AgreedError& error)
          {
            throw AgreedError("operation " + std::to_string(i + 1) + " (" + operation.Effect +
              " on segment '" + operation.Segment + "'): " + error.what());
          }
          next->Applied.push_back(operation.Text);
        }
        if (fresh || operations.size() > first)
        {
          const auto counts = countVoxels(communicator, image.distribution(), next->Labels);
          for (int row = 0; row < next->Table->GetNumberOfSegments(); ++row)
          {
            const Index label = next->Table->GetNthSegmentLabelValue(row);
            const auto entry = std::find_if(counts.begin(), counts.end(),
              [label](const segcore::LabelSum& sum) { return sum.label == label; });
            next->Table->SetNthSegmentVoxelCount(row, entry == counts.end() ? 0 : entry->count);
          }
        }
      });
    this->Current = std::move(next);
  }
  catch (const AgreedError& error)
  {
    this->LastError = error.what();
    vtkErrorMacro(<< this->LastError);
  }
  output->Initialize();
  if (!this->LastError.empty())
  {
    // The last good state stays visible if it belongs to this volume, on all ranks.
    if (communicator.agreeFlag(!this->Current || !this->Current->belongsTo(volume)))
    {
      this->Current.reset();
      return 0;
    }
  }
  output->CopyStructure(volume);
  output->GetPointData()->SetScalars(this->Current->Labels);
  this->Current->Table->ToFieldData(output->GetFieldData());
  return 1;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditor::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operations: " << this->Operations << "\n";
  os << indent << "NumberOfAppliedOperations: " << this->GetNumberOfAppliedOperations() << "\n";
}
