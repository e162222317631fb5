// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapEditor.h"

#include "DistributedImage.h"
#include "EditSession.h"
#include "OperationSchema.h"
#include "ThreadScope.h"
#include "vtkLabelSegmentTable.h"
#include "vtkVersionCompatibility.h"

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
#include <vector>

vtkStandardNewMacro(vtkLabelMapEditor);

namespace
{
using segcore::AgreedError;
using segcore::Box;
using segcore::Communicator;
using segcore::Operation;
}

//------------------------------------------------------------------------------------------------
/// The session, what it was made from, and the arrays that show it.
struct vtkLabelMapEditor::State
{
  std::unique_ptr<segcore::EditSession> Session;
  std::vector<std::string> Applied;

  // The label arrays of the output, one for each layer, and what they do not show yet.
  std::vector<vtkSmartPointer<vtkDataArray>> Labels;
  Box Stale;

  // What it was made from: the array, and where its voxels lie.
  vtkSmartPointer<vtkDataArray> Volume;
  vtkMTimeType VolumeTime = 0;
  vtkNew<vtkImageData> Structure;
  vtkMTimeType StartTime = 0;

  /// Whether it was made from an array of this volume, as it is now.
  bool belongsTo(vtkImageData* volume) const
  {
    bool has = !this->Volume;
    for (int i = 0; !has && i < volume->GetPointData()->GetNumberOfArrays(); ++i)
    {
      has = volume->GetPointData()->GetArray(i) == this->Volume;
    }
    return has && (!this->Volume || this->VolumeTime == this->Volume->GetMTime()) &&
      std::equal(volume->GetExtent(), volume->GetExtent() + 6, this->Structure->GetExtent()) &&
      std::equal(volume->GetOrigin(), volume->GetOrigin() + 3, this->Structure->GetOrigin()) &&
      std::equal(volume->GetSpacing(), volume->GetSpacing() + 3, this->Structure->GetSpacing()) &&
      std::equal(volume->GetDirectionMatrix()->GetData(),
        volume->GetDirectionMatrix()->GetData() + 9,
        this->Structure->GetDirectionMatrix()->GetData());
  }

  /// Brings the arrays up to date. An array that somebody else still holds is left to them.
  void updateLabels()
  {
    const int type = this->Session->labelScalarType();
    const Box& held = this->Session->held();
    const auto layers = static_cast<std::size_t>(this->Session->layerCount());
    this->Labels.resize(layers);
    for (std::size_t l = 0; l < layers; ++l)
    {
      vtkSmartPointer<vtkDataArray>& labels = this->Labels[l];
      Box part = this->Stale.clipped(held);
      if (labels && labels->GetDataType() == type && part.empty())
      {
        continue;
      }
      if (!labels || labels->GetDataType() != type || labels->GetReferenceCount() > 1)
      {
        labels = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
        labels->SetName(vtkLabelSegmentTable::GetLayerArrayName(static_cast<int>(l)).c_str());
        labels->SetNumberOfTuples(held.size());
        part = held;
      }
      this->Session->copyLayer(static_cast<int>(l), part, labels, held);
    }
    this->Stale = Box();
  }
};

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
  // Also lets go of the arrays of the last time, so that they can be brought up to date in place.
  output->Initialize();
  try
  {
    std::vector<Operation> operations;
    communicator.run([&] { operations = segcore::parseOperations(this->Operations); });
    vtkDataArray* scalars = segcore::arrayToProcess(communicator, this, volume);

    // Go on from the current state if it was made from the same data; operations that the new list
    // does not begin with are undone, as far as they are remembered.
    const vtkMTimeType startTime = labelMap ? labelMap->GetMTime() : 0;
    State* current = this->Current.get();
    std::size_t common = 0;
    bool fresh = !current || current->Volume != scalars || !current->belongsTo(volume) ||
      current->StartTime != startTime;
    if (!fresh)
    {
      const std::size_t most = std::min(current->Applied.size(), operations.size());
      while (common < most && current->Applied[common] == operations[common].Text)
      {
        ++common;
      }
      fresh = current->Applied.size() - common > current->Session->history().undoCount();
    }
    fresh = communicator.agreeFlag(fresh);

    std::unique_ptr<State> made;
    if (fresh)
    {
      const segcore::DistributedImage image(communicator, volume, scalars);
      made = std::make_unique<State>();
      made->Session =
        std::make_unique<segcore::EditSession>(this->Controller, image.geometry(), image.piece());
      made->Session->setVolume(volume, scalars);
      made->Session->start(labelMap);
      made->Volume = scalars;
      made->VolumeTime = scalars ? scalars->GetMTime() : 0;
      made->Structure->CopyStructure(volume);
      made->StartTime = startTime;
      made->Stale = image.piece();
      common = 0;
    }
    State& state = made ? *made : *current;
    segcore::EditSession& session = *state.Session;
    const std::size_t total = operations.size() - common;
    std::size_t running = 0;
    session.started = [&](const Operation& operation)
    {
      this->SetProgressText(operation.Title.c_str());
      ++running;
    };
    session.progress.report = [&](double fraction)
    {
      this->UpdateProgress(
        (static_cast<double>(running) - 1.0 + fraction) / static_cast<double>(total));
    };
    session.progress.cancelled = [this] { return segcore::isAborted(this); };

    const std::size_t undone = state.Applied.size() - common;
    segcore::EditChange change;
    if (fresh)
    {
      change.box = session.whole();
      change.table = true;
      for (int row = 0; row < session.table()->GetNumberOfSegments(); ++row)
      {
        change.segments.push_back(session.table()->GetNthSegmentID(row));
      }
    }
    for (std::size_t i = 0; i < undone; ++i)
    {
      session.undo();
      change.add(session.lastChange());
    }
    try
    {
      session.apply(
        { operations.begin() + static_cast<std::ptrdiff_t>(common), operations.end() }, {}, common);
      change.add(session.lastChange());
    }
    catch (const AgreedError&)
    {
      for (std::size_t i = 0; i < undone; ++i)
      {
        session.redo();
      }
      throw;
    }
    communicator.run(
      [&]
      {
        state.Stale = state.Stale.unite(change.box);
        this->LastChange = change.json();
        state.Applied.resize(common);
        for (std::size_t i = common; i < operations.size(); ++i)
        {
          state.Applied.push_back(std::move(operations[i].Text));
        }
      });
    if (made)
    {
      this->Current = std::move(made);
    }
  }
  catch (const AgreedError& error)
  {
    this->LastError = error.what();
    vtkErrorMacro(<< this->LastError);
  }
  if (this->Current)
  {
    // They refer to what is gone when this call has returned.
    this->Current->Session->started = nullptr;
    this->Current->Session->progress = segcore::Progress();
  }
  if (!this->LastError.empty())
  {
    // The last good state stays visible if it belongs to this volume, on all ranks.
    if (communicator.agreeFlag(!this->Current || !this->Current->belongsTo(volume)))
    {
      this->Current.reset();
      return 0;
    }
  }
  const std::string failure = communicator.guarded([this] { this->Current->updateLabels(); });
  if (!failure.empty())
  {
    this->LastError = failure;
    vtkErrorMacro(<< this->LastError);
    this->Current.reset();
    return 0;
  }
  output->CopyStructure(volume);
  for (const auto& labels : this->Current->Labels)
  {
    output->GetPointData()->AddArray(labels);
  }
  output->GetPointData()->SetActiveScalars(this->Current->Labels.front()->GetName());
  this->Current->Session->table()->ToFieldData(output->GetFieldData());
  return 1;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditor::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operations: " << this->Operations << "\n";
  os << indent << "NumberOfAppliedOperations: " << this->GetNumberOfAppliedOperations() << "\n";
}
