// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapEditSession.h"

#include "EditComparison.h"
#include "EditSession.h"
#include "EditSessionState.h"
#include "Fingerprint.h"
#include "OperationSchema.h"
#include "SegmentVoxels.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelSegmentTable.h"

#include "vtkDataArray.h"
#include "vtkFieldData.h"
#include "vtkImageData.h"
#include "vtkMatrix3x3.h"
#include "vtkMultiProcessController.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkSmartPointer.h"
#include "vtkUnsignedCharArray.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

vtkStandardNewMacro(vtkLabelMapEditSession);

namespace
{
using segcore::AgreedError;
using segcore::Box;
using segcore::Communicator;
using segcore::Geometry;
using segcore::Index;
using segcore::Operation;
using Json = nlohmann::ordered_json;

/// Collective. The geometry of the ranks that have voxels; the others may know nothing of it.
Geometry agreedGeometry(const Communicator& communicator, const Geometry& own, bool hasVoxels)
{
  segcore::Bytes message;
  communicator.run(
    [&]
    {
      if (hasVoxels)
      {
        segcore::checkGeometry(own);
        message.resize(sizeof(Geometry));
        std::memcpy(message.data(), &own, sizeof(Geometry));
      }
    });
  Geometry geometry = own;
  segcore::Bytes first;
  for (const segcore::Bytes& other : communicator.allGather(message))
  {
    if (first.empty() && !other.empty())
    {
      first = other;
      std::memcpy(&geometry, first.data(), sizeof(Geometry));
    }
    // All ranks compare the same in the same order, so they throw alike.
    if (!other.empty() && other != first)
    {
      throw AgreedError("the ranks hold images of different origin, spacing or direction");
    }
  }
  return geometry;
}

}

//------------------------------------------------------------------------------------------------
vtkLabelMapEditSession::vtkLabelMapEditSession() : Current(new State) {}

//------------------------------------------------------------------------------------------------
vtkLabelMapEditSession::~vtkLabelMapEditSession()
{
  this->SetController(nullptr);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::SetController(vtkMultiProcessController* controller)
{
  if (controller == this->Controller)
  {
    return;
  }
  if (this->Current->Session)
  {
    // What was distributed over other ranks means nothing to these.
    this->Current.reset(new State);
  }
  vtkSetObjectBodyMacro(Controller, vtkMultiProcessController, controller);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::SetGeometry(
  const int extent[6], const double origin[3], const double spacing[3], const double direction[9])
{
  return this->Try(
    [&]
    {
      const Communicator communicator(this->Controller);
      Geometry geometry;
      std::copy(origin, origin + 3, geometry.Origin);
      std::copy(spacing, spacing + 3, geometry.Spacing);
      std::copy(direction, direction + 9, geometry.Direction);
      const Box held = Box::fromExtent(extent);
      geometry = agreedGeometry(communicator, geometry, !held.empty());
      auto session =
        std::make_unique<segcore::EditSession>(this->Controller, geometry, held, this->BlockEdge);
      communicator.run(
        [&]
        {
          if (session->whole().empty())
          {
            throw std::invalid_argument("the extent has no voxels");
          }
        });
      session->setUndoMemoryLimit(static_cast<std::size_t>(this->UndoMemoryLimit));
      session->progress.report = [this](double fraction)
      { this->InvokeEvent(vtkCommand::ProgressEvent, &fraction); };
      session->progress.cancelled = [this] { return this->AbortExecute; };
      auto state = std::make_unique<State>();
      state->Session = std::move(session);
      this->Current = std::move(state);
      this->Modified();
    });
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::SetVolume(vtkImageData* volume, const char* arrayName)
{
  const Communicator communicator(this->Controller);
  vtkDataArray* array = nullptr;
  const bool checked = this->Try(
    [&]
    {
      if (this->Current->HasJournal)
      {
        throw AgreedError("the session has a journal, which is for its volume: close it before "
                          "setting another one");
      }
      const bool any = communicator.agreeFlag(volume != nullptr);
      communicator.run(
        [&]
        {
          if (any && !volume)
          {
            throw std::invalid_argument("the volume is missing on this rank");
          }
          if (volume && volume->GetNumberOfPoints() > 0)
          {
            array = arrayName ? volume->GetPointData()->GetArray(arrayName)
                              : volume->GetPointData()->GetScalars();
            if (!array)
            {
              throw std::invalid_argument(arrayName
                  ? "the volume has no point array '" + segcore::shortened(arrayName) + "'"
                  : std::string("the volume has no active point scalars"));
            }
          }
        });
    });
  if (!checked)
  {
    return false;
  }
  bool fresh = false;
  if (volume && !this->Current->Session)
  {
    double direction[9];
    std::copy_n(volume->GetDirectionMatrix()->GetData(), 9, direction);
    if (!this->SetGeometry(
          volume->GetExtent(), volume->GetOrigin(), volume->GetSpacing(), direction))
    {
      return false;
    }
    fresh = true;
  }
  const bool good = this->Try(
    [&]
    {
      this->Current->session().setVolume(volume, array);
      this->Current->Volume = volume;
      this->Current->Fingerprint.clear();
      this->Modified();
    });
  if (!good && fresh)
  {
    this->Current.reset(new State);
  }
  return good;
}

//------------------------------------------------------------------------------------------------
vtkImageData* vtkLabelMapEditSession::GetVolume()
{
  return this->Current->Volume;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::Start(vtkImageData* labelMap)
{
  return this->Try(
    [&]
    {
      segcore::EditSession& session = this->Current->session();
      if (this->Current->HasJournal)
      {
        throw AgreedError("the session has a journal: close it before starting anew");
      }
      // Made aside, so that a label map that is refused changes nothing.
      auto fresh = std::make_unique<segcore::EditSession>(
        this->Controller, session.geometry(), session.held(), this->BlockEdge);
      fresh->progress = session.progress;
      fresh->setUndoMemoryLimit(static_cast<std::size_t>(this->UndoMemoryLimit));
      fresh->start(labelMap);
      if (session.volume())
      {
        fresh->setVolume(session.volume()->image(), session.volume()->array());
      }
      this->Current->StartFingerprint =
        labelMap ? segcore::hexadecimal(fresh->fingerprint()) : std::string();
      this->Current->Session = std::move(fresh);
      this->Current->Applied.clear();
      this->Current->Undone.clear();
      this->Modified();
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. Adds a line to the journal, if there is one.
void vtkLabelMapEditSession::Record(const std::string& line)
{
  State& state = *this->Current;
  if (state.HasJournal)
  {
    state.session().communicator().run(
      [&]
      {
        if (state.Journal)
        {
          state.Journal->append(line);
        }
      });
  }
}

//------------------------------------------------------------------------------------------------
/// Collective. Runs operations, with the journal and the list of what was applied.
void vtkLabelMapEditSession::Run(const std::vector<segcore::Operation>& operations)
{
  State& state = *this->Current;
  state.session().apply(operations,
    [&]
    {
      std::string lines;
      for (const Operation& operation : operations)
      {
        lines += (lines.empty() ? "{\"apply\": " : "\n{\"apply\": ") + operation.Text + "}";
      }
      if (!lines.empty())
      {
        this->Record(lines);
      }
    });
  for (const Operation& operation : operations)
  {
    state.Applied.push_back(operation.Text);
  }
  if (!operations.empty())
  {
    state.Undone.clear();
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::Apply(const std::string& json)
{
  const bool good = this->Try(
    [&]
    {
      std::vector<Operation> operations;
      this->Current->session().communicator().run(
        [&] { operations = segcore::parseOperations(json); });
      this->Run(operations);
    });
  if (good)
  {
    this->InvokeEvent(LabelsChangedEvent);
  }
  return good;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::Undo()
{
  bool done = false;
  const bool good = this->Try(
    [&]
    {
      State& state = *this->Current;
      done = state.session().undo([this] { this->Record("{\"undo\": true}"); });
      if (done)
      {
        state.Undone.push_back(std::move(state.Applied.back()));
        state.Applied.pop_back();
        this->Modified();
      }
    });
  if (good && done)
  {
    this->InvokeEvent(LabelsChangedEvent);
  }
  return good && done;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::Redo()
{
  bool done = false;
  const bool good = this->Try(
    [&]
    {
      State& state = *this->Current;
      done = state.session().redo([this] { this->Record("{\"redo\": true}"); });
      if (done)
      {
        state.Applied.push_back(std::move(state.Undone.back()));
        state.Undone.pop_back();
        this->Modified();
      }
    });
  if (good && done)
  {
    this->InvokeEvent(LabelsChangedEvent);
  }
  return good && done;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditSession::GetNumberOfUndoSteps() const
{
  const auto& session = this->Current->Session;
  return session ? static_cast<int>(session->history().undoCount()) : 0;
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditSession::GetNumberOfRedoSteps() const
{
  const auto& session = this->Current->Session;
  return session ? static_cast<int>(session->history().redoCount()) : 0;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::ClearHistory()
{
  if (this->Current->Session)
  {
    this->Current->Session->clearHistory();
    this->Current->Undone.clear();
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::SetUndoMemoryLimit(vtkTypeInt64 bytes)
{
  bytes = std::max<vtkTypeInt64>(0, bytes);
  if (bytes != this->UndoMemoryLimit)
  {
    this->UndoMemoryLimit = bytes;
    if (this->Current->Session)
    {
      this->Current->Session->setUndoMemoryLimit(static_cast<std::size_t>(bytes));
    }
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
vtkTypeInt64 vtkLabelMapEditSession::GetMemorySize() const
{
  const auto& session = this->Current->Session;
  return session ? static_cast<vtkTypeInt64>(session->bytes()) : 0;
}

//------------------------------------------------------------------------------------------------
vtkTypeInt64 vtkLabelMapEditSession::GetUndoMemorySize() const
{
  const auto& session = this->Current->Session;
  return session ? static_cast<vtkTypeInt64>(session->history().bytes()) : 0;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditSession::GetLastChange() const
{
  return (this->Current->Session ? this->Current->Session->lastChange() : segcore::EditChange())
    .json();
}

//------------------------------------------------------------------------------------------------
vtkLabelSegmentTable* vtkLabelMapEditSession::GetSegmentTable() const
{
  const auto& session = this->Current->Session;
  return session ? session->table() : this->Current->EmptyTable.Get();
}

//------------------------------------------------------------------------------------------------
int vtkLabelMapEditSession::GetNumberOfLayers() const
{
  return this->Current->Session ? this->Current->Session->layerCount() : 0;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::GetExtent(int extent[6]) const
{
  const Box whole = this->Current->Session ? this->Current->Session->whole() : Box();
  whole.toExtent(extent);
}

//------------------------------------------------------------------------------------------------
vtkTypeInt64 vtkLabelMapEditSession::GetNumberOfBlocks() const
{
  vtkTypeInt64 count = 0;
  for (int layer = 0; layer < this->GetNumberOfLayers(); ++layer)
  {
    count += static_cast<vtkTypeInt64>(this->Current->Session->layer(layer).storedCount());
  }
  return count;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::GetLabelMap(const int extent[6], vtkImageData* output)
{
  return this->Try(
    [&]
    {
      const segcore::EditSession& session = this->Current->session();
      if (!output)
      {
        throw std::invalid_argument("the output image is null");
      }
      const Box part = Box::fromExtent(extent).clipped(session.held());
      vtkNew<vtkImageData> image;
      int clipped[6] = { 0, -1, 0, -1, 0, -1 };
      if (!part.empty())
      {
        part.toExtent(clipped);
      }
      image->SetExtent(clipped);
      session.geometry().copyTo(image);
      const int type = session.labelScalarType();
      for (int layer = 0; layer < session.layerCount(); ++layer)
      {
        auto array = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
        array->SetName(vtkLabelSegmentTable::GetLayerArrayName(layer).c_str());
        array->SetNumberOfTuples(part.size());
        image->GetPointData()->AddArray(array);
        if (layer == 0)
        {
          image->GetPointData()->SetActiveScalars(array->GetName());
        }
      }
      this->FillLabels(part, image);
      session.table()->ToFieldData(image->GetFieldData());
      output->ShallowCopy(image);
    });
}

//------------------------------------------------------------------------------------------------
/// Writes the labels of `part` to the layer arrays of an image.
void vtkLabelMapEditSession::FillLabels(const segcore::Box& part, vtkImageData* image) const
{
  const segcore::EditSession& session = this->Current->session();
  const Box box = Box::fromExtent(image->GetExtent());
  for (int layer = 0; layer < session.layerCount(); ++layer)
  {
    const std::string name = vtkLabelSegmentTable::GetLayerArrayName(layer);
    session.copyLayer(layer, part, image->GetPointData()->GetArray(name.c_str()), box);
  }
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::UpdateLabelMap(const int extent[6], vtkImageData* output)
{
  return this->Try(
    [&]
    {
      const segcore::EditSession& session = this->Current->session();
      if (!output)
      {
        throw std::invalid_argument("the image is null");
      }
      const int type = session.labelScalarType();
      const int layers = session.layerCount();
      for (int layer = 0; layer <= layers; ++layer)
      {
        const std::string name = vtkLabelSegmentTable::GetLayerArrayName(layer);
        vtkDataArray* array = output->GetPointData()->GetArray(name.c_str());
        const bool wanted = layer < layers;
        if ((array != nullptr) != wanted ||
          (array &&
            (array->GetDataType() != type ||
              array->GetNumberOfTuples() != output->GetNumberOfPoints())))
        {
          throw std::invalid_argument("the label map has other layers or another type than the "
                                      "session: get it anew by GetLabelMap");
        }
      }
      const Box part = Box::fromExtent(extent)
                         .clipped(session.held())
                         .clipped(Box::fromExtent(output->GetExtent()));
      this->FillLabels(part, output);
      session.table()->ToFieldData(output->GetFieldData());
      output->Modified();
    });
}

//------------------------------------------------------------------------------------------------
/// An image of one unsigned char array.
void vtkLabelMapEditSession::MakeMaskImage(const segcore::Box& part,
  const segcore::Geometry& geometry, vtkImageData* output, unsigned char*& values)
{
  int extent[6] = { 0, -1, 0, -1, 0, -1 };
  if (!part.empty())
  {
    part.toExtent(extent);
  }
  vtkNew<vtkImageData> image;
  image->SetExtent(extent);
  geometry.copyTo(image);
  vtkNew<vtkUnsignedCharArray> mask;
  mask->SetName("Mask");
  mask->SetNumberOfTuples(part.size());
  image->GetPointData()->SetScalars(mask);
  values = part.empty() ? nullptr : mask->GetPointer(0);
  output->ShallowCopy(image);
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::GetSegmentMask(
  const std::string& segment, const int extent[6], vtkImageData* output)
{
  return this->Try(
    [&]
    {
      const segcore::EditSession& session = this->Current->session();
      if (!output)
      {
        throw std::invalid_argument("the output image is null");
      }
      const int row = session.table()->GetSegmentIndex(segment);
      if (row < 0)
      {
        throw std::invalid_argument("there is no segment '" + segcore::shortened(segment) + "'");
      }
      const Box part = Box::fromExtent(extent).clipped(session.held());
      unsigned char* values = nullptr;
      MakeMaskImage(part, session.geometry(), output, values);
      if (!part.empty())
      {
        session.layer(session.table()->GetNthSegmentLayer(row))
          .maskOf(static_cast<segcore::Label>(session.table()->GetNthSegmentLabelValue(row)), part,
            values, part);
      }
    });
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::Preview(
  const std::string& json, const int extent[6], int step, vtkImageData* output)
{
  return this->Try(
    [&]
    {
      segcore::EditSession& session = this->Current->session();
      std::vector<Operation> operations;
      session.communicator().run(
        [&]
        {
          if (!output)
          {
            throw std::invalid_argument("the output image is null");
          }
          operations = segcore::parseOperations(json);
          if (operations.size() != 1)
          {
            throw std::invalid_argument("there are " + std::to_string(operations.size()) +
              " operations to preview, expected 1");
          }
        });
      std::vector<std::uint8_t> mask;
      Geometry geometry;
      const Box part =
        session.preview(operations[0], Box::fromExtent(extent), step, mask, geometry);
      unsigned char* values = nullptr;
      MakeMaskImage(part, geometry, output, values);
      std::copy(mask.begin(), mask.end(), values);
    });
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditSession::GetOperations() const
{
  std::string text = "[";
  for (const std::string& operation : this->Current->Applied)
  {
    text += (text.size() > 1 ? ", " : "") + operation;
  }
  return text + "]";
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditSession::ExportSegment(const std::string& segment)
{
  std::string text;
  this->Try(
    [&]
    {
      const segcore::EditSession& session = this->Current->session();
      vtkLabelSegmentTable* table = session.table();
      int row = -1;
      session.communicator().run(
        [&]
        {
          row = table->GetSegmentIndex(segment);
          if (row < 0)
          {
            throw std::invalid_argument(
              "there is no segment '" + segcore::shortened(segment) + "'");
          }
        });
      const double* color = table->GetNthSegmentColor(row);
      const Json operation = { { "effect", "import_segment" }, { "segment", segment },
        { "parameters",
          { { "Voxels", Json::parse(segcore::exportVoxels(session, row)) },
            { "Name", table->GetNthSegmentName(row) },
            { "Color", std::vector<double>(color, color + 3) },
            { "Tags", table->GetNthSegmentSerializedTags(row) } } } };
      text = operation.dump(-1, ' ', false, Json::error_handler_t::replace);
    });
  return text;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditSession::Compare(vtkLabelMapEditSession* other, int numberOfBlocks)
{
  std::string report;
  this->Try(
    [&]
    {
      const segcore::EditSession& session = this->Current->session();
      session.communicator().run(
        [&]
        {
          if (!other)
          {
            throw std::invalid_argument("the other session is null");
          }
          if (other->Controller)
          {
            throw std::invalid_argument(
              "the other session must hold all of its world: it must have no controller");
          }
          if (numberOfBlocks < 0)
          {
            throw std::invalid_argument("the number of blocks to list is negative");
          }
        });
      report = segcore::compareSessions(session, other->Current->session(), numberOfBlocks);
    });
  return report;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "BlockEdge: " << this->BlockEdge << "\n";
  os << indent << "UndoMemoryLimit: " << this->UndoMemoryLimit << "\n";
  os << indent << "NumberOfLayers: " << this->GetNumberOfLayers() << "\n";
  os << indent << "NumberOfBlocks: " << this->GetNumberOfBlocks() << "\n";
  os << indent << "MemorySize: " << this->GetMemorySize() << "\n";
  os << indent << "UndoMemorySize: " << this->GetUndoMemorySize() << "\n";
  os << indent << "LastError: " << this->LastError << "\n";
}
