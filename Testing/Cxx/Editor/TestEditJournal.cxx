// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Journals of editing sessions: what was done comes back exactly, whatever happened to the process,
// on any number of ranks; what is no journal is refused by path and line and changes nothing.

#include "../IO/TemporaryFolder.h"
#include "EditTest.h"

#include <cmath>
#include <memory>

using namespace edittest;

namespace
{

Shape aShape()
{
  return oddShape(12, 12, 10);
}

std::vector<short> someVolume(int shift = 0)
{
  return volumes::make<short>(
    aShape().box, [=](Index x, Index y, Index z) { return 5 * x + 3 * y + 7 * z + shift; });
}

std::unique_ptr<Session> fresh(const World& world, const Shape& shape = aShape())
{
  auto session = std::make_unique<Session>(
    world, shape, world.communicator->controller(), Layout::SharedPlanes, 7);
  if (shape.box == aShape().box)
  {
    session->setVolume(someVolume());
  }
  else
  {
    session->setGeometry();
  }
  return session;
}

std::string work(int step)
{
  const Shape shape = aShape();
  switch (step)
  {
    case 0:
      return op("add_segment", "a", R"("Name": "\u00e9 \"quoted\"\n")");
    case 1:
      return op("threshold", "a", "\"MinimumThreshold\": 40.5, \"MaximumThreshold\": 80");
    case 2:
      return op("copy_segment", "b", R"("SourceSegmentID": "a")");
    case 3:
      return op("margin", "b", "\"MarginSizeMm\": -0.7");
    case 4:
      return op("islands", "a", R"("Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 7)");
    default:
      return ball(shape, "b", -5.0 + step, 10.0, 1.0, 4.0);
  }
}

/// A path that all ranks know. Rank 0 makes and removes the folder.
class Folder
{
public:
  explicit Folder(const World& world) : Ranks(world)
  {
    std::string path;
    if (world.communicator->isRoot())
    {
      this->Own = std::make_unique<TemporaryFolder>("edit-journal");
      path = this->Own->path().string();
    }
    const auto* letters = reinterpret_cast<const std::byte*>(path.data());
    segcore::Bytes bytes(letters, letters + path.size());
    world.communicator->broadcast(bytes);
    this->Path.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string operator/(const std::string& name) const { return this->Path + "/" + name; }
  void write(const std::string& name, const std::string& text) const
  {
    if (this->Own)
    {
      this->Own->write(name, text);
    }
    this->Ranks.communicator->agreeFlag(true); // a barrier
  }
  /// Rank 0 reads, the others get nothing.
  std::string read(const std::string& name) const
  {
    return this->Own ? this->Own->read(name) : std::string();
  }
  bool isRoot() const { return this->Own != nullptr; }

private:
  const World& Ranks;
  std::unique_ptr<TemporaryFolder> Own;
  std::string Path;
};

/// Collective. Whatever is done, a session that opens the journal is where the first one was.
void testComesBack(const World& world)
{
  const Folder folder(world);
  const auto session = fresh(world);
  CHECK_EQUAL(session->error(session->Edit->OpenJournal(folder / "a")), "");
  CHECK(!session->Edit->GetJournalWasTorn());
  check::Random random(4);
  std::vector<std::string> texts; // the journal after each step
  std::vector<std::string> states;
  std::vector<int> redos;
  int done = 0;
  for (int step = 0; step < 30; ++step)
  {
    const std::int64_t kind = done < 6 ? 0 : random.below(4);
    if (kind == 1)
    {
      session->Edit->Undo();
    }
    else if (kind == 2)
    {
      session->Edit->Redo(); // mostly nothing to redo: no line
    }
    else if (kind == 3)
    {
      // An error leaves no line.
      CHECK(
        contains(session->apply("[" + work(7) + ", " + op("median", "nobody") + "]"), "nobody"));
    }
    else if (done == 3)
    {
      session->good("[" + work(3) + ", " + work(4) + "]", __LINE__);
      done = 5;
    }
    else
    {
      session->good(work(done++), __LINE__);
    }
    texts.push_back(folder.read("a"));
    states.push_back(session->state());
    redos.push_back(session->Edit->GetNumberOfRedoSteps());
  }
  for (std::size_t step = 0; step < states.size(); ++step)
  {
    // The process died here, or in the middle of writing what came next.
    const bool torn = step % 3 == 1;
    check::setContext("step ", step);
    folder.write("b", folder.isRoot() ? texts[step] + (torn ? "{\"apply\": {\"eff" : "") : "");
    const auto again = fresh(world);
    if (step % 4 == 0)
    {
      again->Edit->SetUndoMemoryLimit(0); // what was taken back is not forgotten before it is
    }
    CHECK_EQUAL(again->error(again->Edit->OpenJournal(folder / "b")), "");
    CHECK_EQUAL(again->Edit->GetJournalWasTorn(), torn);
    CHECK(again->state() == states[step]);
    if (step % 4)
    {
      CHECK_EQUAL(again->Edit->GetNumberOfRedoSteps(), redos[step]);
    }
    // It goes on where it was.
    again->good(op("add_segment", "later"), __LINE__);
    const std::string state = again->state();
    again->Edit->CloseJournal();
    again->good(op("add_segment", "not in the journal"), __LINE__);
    const auto third = fresh(world);
    CHECK_EQUAL(third->error(third->Edit->OpenJournal(folder / "b")), "");
    CHECK(!third->Edit->GetJournalWasTorn());
    CHECK(third->state() == state);
  }
  check::setContext("");

  // Saved: without what was undone. Replayed: as if it had been done here.
  CHECK(session->Edit->Undo());
  CHECK_EQUAL(session->error(session->Edit->SaveJournal(folder / "saved")), "");
  CHECK(!contains(folder.read("saved"), "undo"));
  const auto replay = fresh(world);
  CHECK_EQUAL(replay->error(replay->Edit->ReplayJournal(folder / "saved", true)), "");
  CHECK(replay->state() == session->state());
  CHECK_EQUAL(replay->Edit->GetOperations(), session->Edit->GetOperations());
  CHECK_EQUAL(replay->Edit->GetNumberOfRedoSteps(), 0);
  // Serially what was recorded on all ranks.
  if (folder.isRoot())
  {
    Session serial(world, aShape());
    serial.setVolume(someVolume());
    CHECK(serial.Edit->ReplayJournal(folder / "saved", true));
    CHECK_EQUAL(tableText(serial.table()), tableText(session->table()));
    CHECK_EQUAL(serial.Edit->GetVolumeFingerprint().size(), std::size_t{ 16 });
  }
}

/// Collective. Opened late: what was undone before can still be redone, and the journal be read.
void testOpenedAfterUndo(const World& world)
{
  const Folder folder(world);
  const auto session = fresh(world);
  session->good("[" + work(0) + ", " + work(1) + ", " + work(2) + "]", __LINE__);
  const std::string state = session->state();
  CHECK(session->Edit->Undo() && session->Edit->Undo());
  CHECK_EQUAL(session->error(session->Edit->OpenJournal(folder / "late")), "");
  CHECK(session->Edit->Redo() && session->Edit->Redo());
  CHECK(session->state() == state);
  session->Edit->CloseJournal();
  const auto again = fresh(world);
  CHECK_EQUAL(again->error(again->Edit->OpenJournal(folder / "late")), "");
  CHECK(again->state() == state);
}

/// Collective. One journal, one session; and files that must stay as they are.
void testOneSessionOnly(const World& world)
{
  const Folder folder(world);
  const auto first = fresh(world);
  CHECK_EQUAL(first->error(first->Edit->OpenJournal(folder / "a")), "");
  first->good(work(0), __LINE__);
  const std::string before = folder.read("a");
  const auto second = fresh(world);
  const std::string untouched = second->everything();
  CHECK(
    contains(second->error(second->Edit->OpenJournal(folder / "a")), "in use by another session"));
  // To read it is allowed, and leaves it locked.
  const auto reader = fresh(world);
  CHECK_EQUAL(reader->error(reader->Edit->ReplayJournal(folder / "a")), "");
  CHECK(
    contains(second->error(second->Edit->OpenJournal(folder / "a")), "in use by another session"));
  CHECK(second->everything() == untouched);
  CHECK(contains(first->error(first->Edit->OpenJournal(folder / "b")), "has a journal already"));
  CHECK(contains(first->error(first->Edit->Start(nullptr)), "close it before starting anew"));
  CHECK(contains(first->error(first->Edit->SaveJournal(folder / "a")), "the session keeps"));
  CHECK(folder.read("a") == before);
  first->good(work(1), __LINE__);
  const std::string state = first->state();
  first->Edit->CloseJournal();
  CHECK_EQUAL(second->error(second->Edit->OpenJournal(folder / "a")), "");
  CHECK(second->state() == state);
  // A session with operations of its own.
  second->Edit->CloseJournal();
  CHECK(contains(second->error(second->Edit->OpenJournal(folder / "a")), "operations of its own"));
  CHECK(second->state() == state);
  // Places where no file can be.
  CHECK(!second->error(second->Edit->SaveJournal(folder / "no/such/folder")).empty());
  CHECK(!second->error(second->Edit->OpenJournal(folder / "no/such/folder")).empty());
  CHECK(!second->error(second->Edit->ReplayJournal(folder / "nowhere")).empty());
  CHECK(!second->error(second->Edit->OpenJournal(folder / "")).empty());
  CHECK(second->state() == state);
}

/// Collective. What no session wrote: refused with path and line; session and file stay.
void testHostileJournals(const World& world)
{
  const Folder folder(world);
  const auto writer = fresh(world);
  writer->good("[" + work(0) + ", " + work(1) + "]", __LINE__);
  CHECK_EQUAL(writer->error(writer->Edit->SaveJournal(folder / "good")), "");
  const std::string good = folder.read("good");
  const std::string header = good.substr(0, good.find('\n') + 1);
  const std::string lines = good.substr(header.size());
  const auto replaced = [&](const std::string& from, const std::string& to)
  {
    std::string text = header;
    const std::size_t at = text.find(from);
    if (folder.isRoot())
    {
      CHECK(at != std::string::npos);
      text.replace(at, from.size(), to);
    }
    return text + lines;
  };
  const auto refused =
    [&](const std::string& text, const std::string& part, int line, bool open = true)
  {
    folder.write("bad", text);
    for (int way = open ? 0 : 1; way < 3; ++way)
    {
      const auto session = fresh(world);
      session->good(op("add_segment", "mine"), __LINE__);
      if (way == 0)
      {
        CHECK(session->Edit->Start(nullptr));
      }
      const std::string before = session->everything();
      const std::string error =
        session->error(way == 0 ? session->Edit->OpenJournal(folder / "bad")
                                : session->Edit->ReplayJournal(folder / "bad", way == 2));
      if (!contains(error, (folder / "bad") + ": " + part))
      {
        check::fail(__FILE__, line, "the error is '" + error + "', expected one with: " + part);
      }
      if (session->everything() != before || folder.read("bad") != (folder.isRoot() ? text : ""))
      {
        check::fail(__FILE__, line, "the session or the file changed: " + part);
      }
    }
  };
  const auto third = [&](const std::string& text, int line, const std::string& part = "")
  { refused(good + text + "\n", "line 4: " + part, line); };

  refused("", "line 1: is not the header", __LINE__);
  refused("\n" + good, "line 1: is not valid JSON", __LINE__);
  refused(lines, "line 1: is not the header", __LINE__);
  refused("[]\n", "line 1: is not the header", __LINE__);
  refused("{}\n", "line 1: is not the header", __LINE__);
  refused("nothing\n", "line 1: is not valid JSON", __LINE__);
  refused(std::string("\0\xff\n", 3), "line 1: is not valid JSON", __LINE__);
  refused(header.substr(0, header.size() - 1), "line 1: is not the header", __LINE__);
  if (folder.isRoot() || world.communicator->size() > 1)
  {
    refused(replaced("\"version\":1", "\"version\":2"), "line 1: has a version", __LINE__);
    refused(replaced("\"world\":", "\"worlds\":"), "line 1: 'world' is not as expected", __LINE__);
    refused(replaced("\"spacing\":[0.5,", "\"spacing\":["), "line 1: 'world' is not as expected",
      __LINE__);
    for (const char* number : { "0", "-0.5", "\"0.5\"", "null", "[0.5]", "1e-320" })
    {
      refused(replaced("\"spacing\":[0.5", std::string("\"spacing\":[") + number), "", __LINE__);
    }
  }
  third("", __LINE__, "is not valid JSON");
  third("{", __LINE__, "is not valid JSON");
  third("null", __LINE__, "is null, expected");
  third("{}", __LINE__, "is {}, expected");
  third("[\"apply\"]", __LINE__);
  third(R"({"undo": false})", __LINE__);
  third(R"({"undo": 1})", __LINE__);
  third(R"({"undo": true, "redo": true})", __LINE__);
  third(R"({"redo": true})", __LINE__, "repeats an operation");
  third(R"({"apply": []})", __LINE__);
  third("{\"apply\": [" + work(2) + ", " + work(3) + "]}", __LINE__);
  third(R"({"apply": "threshold"})", __LINE__);
  third(
    R"({"apply": {"effect": "unheard_of", "segment": "a"}})", __LINE__, "operation 1: the effect");
  third(R"({"apply": {"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 1e9}}})",
    __LINE__, "operation 1 (margin)");
  third("{\"apply\": " + work(2) + ", \"more\": 1}", __LINE__);
  third(std::string(100000, '['), __LINE__);
  third(R"({"undo": true, "undo": true})", __LINE__, "has the key 'undo' twice");
  third(R"({"apply": {"effect": "margin", "segment": "a", "segment": "b"}})", __LINE__,
    "has the key 'segment' twice");
  third("{\"apply\": " + std::string(30, '[') + std::string(30, ']') + "}", __LINE__, "is nested");
  third(std::string("{\"apply\": \0}", 12), __LINE__);
  third("\xff\xfe", __LINE__);
  refused(good + "{\"undo\": true}\n{\"undo\": true}\n{\"undo\": true}\n",
    "line 6: takes back an operation, and there is none", __LINE__);
  // Good lines that cannot be done: the journal is named, and nothing is done. (A torn end stays.)
  refused(good + "{\"apply\": " + op("median", "nobody") + "}\n{\"apply\": {",
    "operation 3 (median on segment 'nobody')", __LINE__);

  // Recorded elsewhere: replayed, but not gone on with.
  const auto other = fresh(world);
  CHECK(other->Edit->Start(nullptr));
  const std::string before = other->everything();
  other->setVolume(someVolume(1));
  CHECK(contains(other->error(other->Edit->OpenJournal(folder / "good")),
    (folder / "good") + ": was recorded on another volume"));
  CHECK(contains(other->error(other->Edit->ReplayJournal(folder / "good", true)),
    "was recorded on another volume"));
  CHECK(other->everything() == before);
  CHECK_EQUAL(other->error(other->Edit->ReplayJournal(folder / "good")), "");
  const auto larger = fresh(world, oddShape(12, 12, 11));
  CHECK(contains(larger->error(larger->Edit->OpenJournal(folder / "good")),
    (folder / "good") + ": was recorded on other voxels"));
  CHECK(folder.read("good") == good);
}

/// Collective. On voxels half as long, lengths stay and numbers of voxels grow eightfold; what was
/// done is then recorded as it was done.
void testReplayOnFinerVoxels(const World& world)
{
  const Folder folder(world);
  const Shape coarse = oddShape(8, 8, 10);
  Shape fine = oddShape(16, 16, 20);
  for (int a = 0; a < 3; ++a)
  {
    fine.spacing[a] = coarse.spacing[a] / 2.0;
    fine.box.lo[a] = 2 * coarse.box.lo[a];
    fine.box.hi[a] = 2 * coarse.box.hi[a] + 1;
  }
  // A ball of some 60 coarse voxels, and one of a few that are too few.
  const std::string operations = "[" + op("add_segment", "a") + ", " +
    ball(coarse, "a", -4.0, 8.0, 2.0, 6.0) + ", " + ball(coarse, "a", -6.0, 12.0, 6.0, 1.4) + ", " +
    op("islands", "a", R"("Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 10)") + "]";
  const auto first = fresh(world, coarse);
  first->good(operations, __LINE__);
  CHECK_EQUAL(first->error(first->Edit->SaveJournal(folder / "coarse")), "");
  const auto second = fresh(world, fine);
  CHECK_EQUAL(second->error(second->Edit->ReplayJournal(folder / "coarse")), "");
  CHECK(contains(second->Edit->GetOperations(), "\"MinimumSize\":80"));
  const double volumes[2] = { static_cast<double>(first->table()->GetNthSegmentVoxelCount(0)) * 8.0,
    static_cast<double>(second->table()->GetNthSegmentVoxelCount(0)) };
  CHECK(volumes[0] > 0.0 && std::abs(volumes[0] / volumes[1] - 1.0) < 0.2);
  CHECK(contains(first->Edit->GetOperations(), "\"MinimumSize\":10"));
  CHECK_EQUAL(second->error(second->Edit->SaveJournal(folder / "fine")), "");
  const auto third = fresh(world, fine);
  CHECK_EQUAL(third->error(third->Edit->ReplayJournal(folder / "fine", true)), "");
  CHECK(third->state() == second->state());
}

} // namespace

int TestEditJournal(int argc, char* argv[])
{
  World world(argc, argv);
  testComesBack(world);
  testOpenedAfterUndo(world);
  testOneSessionOnly(world);
  testHostileJournals(world);
  testReplayOnFinerVoxels(world);
  return result(world);
}
