// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// The part of vtkLabelMapEditSession that is about journals.
#include "EditSessionState.h"

#include "EditJournal.h"
#include "EditSession.h"
#include "Fingerprint.h"
#include "OperationSchema.h"
#include "ScalarTypes.h"
#include "ThreadScope.h"
#include "Threads.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkPointData.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <unistd.h> // for access

namespace
{
using segcore::AgreedError;
using segcore::Box;
using segcore::Communicator;
using segcore::Geometry;
using segcore::Index;
using segcore::Operation;
using Json = nlohmann::ordered_json;

bool differ(const Geometry& a, const Geometry& b)
{
  const auto far = [](const double* x, const double* y, int n, double tolerance)
  {
    return !std::equal(
      x, x + n, y, [=](double p, double q) { return std::abs(p - q) <= tolerance; });
  };
  return far(a.Origin, b.Origin, 3, 1e-4) || far(a.Spacing, b.Spacing, 3, 1e-6) ||
    far(a.Direction, b.Direction, 9, 1e-6);
}

Json geometryJson(const Geometry& geometry)
{
  return { { "origin", std::vector<double>(geometry.Origin, geometry.Origin + 3) },
    { "spacing", std::vector<double>(geometry.Spacing, geometry.Spacing + 3) },
    { "direction", std::vector<double>(geometry.Direction, geometry.Direction + 9) } };
}

Json extentJson(const Box& box)
{
  Json extent = Json::array();
  for (int a = 0; a < 3; ++a)
  {
    extent.push_back(box.empty() ? 0 : box.lo[a]);
    extent.push_back(box.empty() ? -1 : box.hi[a]);
  }
  return extent;
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEditSession::GetVolumeFingerprint()
{
  std::string fingerprint;
  this->Try(
    [&]
    {
      State& state = *this->Current;
      segcore::EditSession& session = state.session();
      const segcore::SourceVolume* volume = session.volume();
      if (!volume)
      {
        return;
      }
      const Communicator& communicator = session.communicator();
      const vtkMTimeType time = volume->array() ? volume->array()->GetMTime() : 0;
      const bool stale = state.Fingerprint.empty() || time != state.FingerprintTime;
      if (communicator.agreeFlag(stale))
      {
        const segcore::DistributedImage image(communicator, volume->image(), volume->array());
        std::uint64_t sum = 0;
        communicator.run(
          [&]
          {
            segcore::withThreads(
              [&]
              {
                for (const segcore::Block& block : image.distribution().localBlocks())
                {
                  switch (image.scalarType())
                  {
                    segcoreTemplateMacro(
                      sum += segcore::fingerprint(image.voxels<VTK_TT>(), image.piece(), block.box,
                        image.whole(), session.progress));
                  }
                }
              });
          });
        state.Fingerprint = segcore::hexadecimal(segcore::sumOfRanks(communicator, sum));
        state.FingerprintTime = time;
      }
      fingerprint = state.Fingerprint;
    });
  return fingerprint;
}

//------------------------------------------------------------------------------------------------
/// Collective. The first line of this session's journals.
std::string vtkLabelMapEditSession::JournalHeader()
{
  const segcore::EditSession& session = this->Current->session();
  Json geometry = geometryJson(session.geometry());
  geometry["extent"] = extentJson(session.whole());
  Json header = { { "format", "segmentationcore-journal" }, { "version", 1 },
    { "library", SEGMENTATIONCORE_VERSION }, { "world", geometry }, { "volume", nullptr },
    { "start", nullptr } };
  if (const segcore::SourceVolume* volume = session.volume())
  {
    const std::string fingerprint = this->GetVolumeFingerprint();
    if (fingerprint.empty())
    {
      throw AgreedError(this->LastError);
    }
    Json about = geometryJson(volume->geometry());
    about["array"] = volume->arrayName();
    about["type"] = vtkImageScalarTypeNameMacro(volume->scalarType());
    about["fingerprint"] = fingerprint;
    header["volume"] = about;
  }
  if (!this->Current->StartFingerprint.empty())
  {
    header["start"] = { { "fingerprint", this->Current->StartFingerprint } };
  }
  return header.dump(-1, ' ', false, Json::error_handler_t::replace);
}

//------------------------------------------------------------------------------------------------
/// Throws if a journal was recorded on other data than this session's.
void vtkLabelMapEditSession::CheckJournalHeader(
  const std::string& path, const std::string& recorded, const std::string& own) const
{
  const Json theirs = Json::parse(recorded);
  const Json ours = Json::parse(own);
  Geometry geometry;
  Json extent;
  try
  {
    const Json& world = theirs.at("world");
    extent = world.at("extent");
    const auto read = [&world](const char* key, double* values, std::size_t count)
    {
      const std::vector<double> list = world.at(key).get<std::vector<double>>();
      if (list.size() != count)
      {
        throw std::runtime_error(key);
      }
      std::copy(list.begin(), list.end(), values);
    };
    read("origin", geometry.Origin, 3);
    read("spacing", geometry.Spacing, 3);
    read("direction", geometry.Direction, 9);
  }
  catch (const std::exception&)
  {
    throw std::invalid_argument(path + ": line 1: 'world' is not as expected");
  }
  if (extent != ours.at("world").at("extent") ||
    differ(geometry, this->Current->session().geometry()))
  {
    throw std::invalid_argument(path +
      ": was recorded on other voxels: replay it on these by ReplayJournal, or open another file");
  }
  const auto fingerprint = [](const Json& header, const char* key)
  {
    const Json& entry = header.value(key, Json());
    return entry.is_object() ? entry.value("fingerprint", Json()) : Json();
  };
  if (fingerprint(theirs, "volume") != fingerprint(ours, "volume"))
  {
    throw std::invalid_argument(path +
      ": was recorded on another volume: replay it on this one by ReplayJournal, or open another "
      "file");
  }
  if (fingerprint(theirs, "start") != fingerprint(ours, "start"))
  {
    throw std::invalid_argument(path + ": was recorded on another label map");
  }
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::OpenJournal(const std::string& path)
{
  bool restored = false;
  const bool good = this->Try(
    [&]
    {
      State& state = *this->Current;
      segcore::EditSession& session = state.session();
      const Communicator& communicator = session.communicator();
      if (state.HasJournal)
      {
        throw AgreedError("the session has a journal already: close it first");
      }
      const std::string header = this->JournalHeader();
      // Rank 0 reads; all get what it read, and parse it alike.
      segcore::JournalContent content;
      bool exists = false;
      std::unique_ptr<segcore::JournalWriter> writer;
      communicator.run(
        [&]
        {
          if (communicator.isRoot())
          {
            // A file that cannot be read must not be taken for none, and replaced.
            exists = ::access(path.c_str(), F_OK) == 0 || errno != ENOENT;
            if (exists)
            {
              // Locked before it is read; nothing is cut off yet.
              writer = std::make_unique<segcore::JournalWriter>(path);
              content = segcore::readJournal(path);
              this->CheckJournalHeader(path, content.header, header);
            }
          }
        });
      exists = communicator.agreeFlag(exists);
      if (exists && (!state.Applied.empty() || !state.Undone.empty()))
      {
        throw AgreedError(path +
          ": exists, and the session has operations of its own: open it before the first one");
      }
      if (exists)
      {
        std::vector<std::string> all = content.operations;
        all.insert(all.end(), content.redo.rbegin(), content.redo.rend());
        Index undone = static_cast<Index>(content.redo.size());
        this->ShareTexts(all);
        undone = communicator.allReduceMax(undone);
        const std::vector<Operation> operations = this->ParseTexts(all);
        // What was taken back must not be forgotten before it is.
        session.setUndoMemoryLimit(std::numeric_limits<std::size_t>::max());
        this->AbortExecute = false;
        try
        {
          session.apply(operations,
            [&]
            {
              communicator.run(
                [&]
                {
                  if (writer)
                  {
                    writer->continueAfter(content.bytes);
                  }
                });
            });
        }
        catch (const AgreedError& error)
        {
          session.setUndoMemoryLimit(static_cast<std::size_t>(this->UndoMemoryLimit));
          throw AgreedError(path + ": " + error.what());
        }
        for (const Operation& operation : operations)
        {
          state.Applied.push_back(operation.Text);
        }
        // All of it is new to a display.
        segcore::EditChange change = session.lastChange();
        for (Index i = 0; i < undone; ++i)
        {
          session.undo();
          state.Undone.push_back(std::move(state.Applied.back()));
          state.Applied.pop_back();
        }
        const auto gone = [&session](const std::string& segment)
        { return session.table()->GetSegmentIndex(segment) < 0; };
        change.segments.erase(std::remove_if(change.segments.begin(), change.segments.end(), gone),
          change.segments.end());
        session.setLastChange(change);
        this->Modified();
        session.setUndoMemoryLimit(static_cast<std::size_t>(this->UndoMemoryLimit));
        session.trimHistory();
      }
      else
      {
        communicator.run(
          [&]
          {
            if (communicator.isRoot())
            {
              const std::string text = segcore::journalText(header, state.Applied, state.Undone);
              segcore::replaceFile(path, text);
              writer = std::make_unique<segcore::JournalWriter>(path);
              writer->continueAfter(static_cast<std::int64_t>(text.size()));
            }
          });
      }
      this->JournalWasTorn = communicator.agreeFlag(content.torn);
      state.Journal = std::move(writer);
      state.HasJournal = true;
      restored = !state.Applied.empty() || !state.Undone.empty();
    });
  if (good && restored)
  {
    this->InvokeEvent(LabelsChangedEvent);
  }
  return good;
}

//------------------------------------------------------------------------------------------------
/// Collective. Rank 0's texts on all ranks.
void vtkLabelMapEditSession::ShareTexts(std::vector<std::string>& texts) const
{
  const Communicator& communicator = this->Current->session().communicator();
  if (communicator.size() < 2)
  {
    return;
  }
  const std::string packed = communicator.isRoot() ? Json(texts).dump() : std::string();
  const auto* letters = reinterpret_cast<const std::byte*>(packed.data());
  segcore::Bytes bytes(letters, letters + packed.size());
  communicator.broadcast(bytes);
  communicator.run(
    [&]
    {
      texts = Json::parse(reinterpret_cast<const char*>(bytes.data()),
        reinterpret_cast<const char*>(bytes.data()) + bytes.size())
                .get<std::vector<std::string>>();
    });
}

//------------------------------------------------------------------------------------------------
/// Collective. Texts that were operations when they were written.
std::vector<segcore::Operation> vtkLabelMapEditSession::ParseTexts(
  const std::vector<std::string>& texts) const
{
  std::vector<Operation> operations;
  this->Current->session().communicator().run(
    [&]
    {
      for (const std::string& text : texts)
      {
        operations.push_back(segcore::parseOperations(text).at(0));
      }
    });
  return operations;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEditSession::CloseJournal()
{
  this->Current->Journal.reset();
  this->Current->HasJournal = false;
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::SaveJournal(const std::string& path)
{
  return this->Try(
    [&]
    {
      State& state = *this->Current;
      const Communicator& communicator = state.session().communicator();
      const std::string header = this->JournalHeader();
      communicator.run(
        [&]
        {
          if (communicator.isRoot())
          {
            std::error_code unknown;
            if (state.Journal && std::filesystem::equivalent(state.Journal->path(), path, unknown))
            {
              // Replaced, it would no longer be the file that lines are added to.
              throw std::invalid_argument(path +
                ": is the journal that the session keeps: save to another file, or close it first");
            }
            // Nor may another session's be replaced.
            std::unique_ptr<segcore::JournalWriter> lock;
            if (::access(path.c_str(), F_OK) == 0)
            {
              lock = std::make_unique<segcore::JournalWriter>(path);
            }
            segcore::replaceFile(path, segcore::journalText(header, state.Applied, {}));
          }
        });
    });
}

//------------------------------------------------------------------------------------------------
bool vtkLabelMapEditSession::ReplayJournal(const std::string& path, bool sameData)
{
  const bool good = this->Try(
    [&]
    {
      State& state = *this->Current;
      const segcore::EditSession& session = state.session();
      const Communicator& communicator = session.communicator();
      const std::string header = sameData ? this->JournalHeader() : std::string();
      std::vector<std::string> texts;
      double ratio = 1.0;
      communicator.run(
        [&]
        {
          if (communicator.isRoot())
          {
            const segcore::JournalContent content = segcore::readJournal(path);
            if (sameData)
            {
              this->CheckJournalHeader(path, content.header, header);
            }
            texts = content.operations;
            try
            {
              const auto spacing =
                Json::parse(content.header).at("world").at("spacing").get<std::vector<double>>();
              for (int a = 0; a < 3; ++a)
              {
                const double edge = spacing.at(static_cast<std::size_t>(a));
                ratio *= edge > 0.0 ? session.geometry().Spacing[a] / edge : 0.0;
              }
              if (!(ratio > 0.0) || !std::isfinite(ratio))
              {
                throw std::invalid_argument("spacing");
              }
            }
            catch (const std::exception&)
            {
              throw std::invalid_argument(path + ": line 1: 'world' is not as expected");
            }
          }
        });
      this->ShareTexts(texts);
      ratio = communicator.allReduceMax(communicator.isRoot() ? ratio : 0.0);
      std::vector<Operation> operations = this->ParseTexts(texts);
      if (std::abs(ratio - 1.0) > 1e-6)
      {
        for (Operation& operation : operations)
        {
          operation = segcore::scaledOperation(operation, ratio);
        }
      }
      try
      {
        this->Run(operations);
      }
      catch (const AgreedError& error)
      {
        throw AgreedError(path + ": " + error.what());
      }
    });
  if (good)
  {
    this->InvokeEvent(LabelsChangedEvent);
  }
  return good;
}
