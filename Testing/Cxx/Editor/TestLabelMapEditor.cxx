// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// The editor: what operations do to labels and table, that a failed one changes nothing, that a
// longer list goes on where the shorter one ended, that ranks and serial agree, and that no text
// can bring it down.

#include "FilterTest.h"
#include "vtkLabelMapEditor.h"
#include "vtkLabelMapIslands.h"
#include "vtkLabelMapMargin.h"
#include "vtkLabelMapMedian.h"
#include "vtkLabelMapThreshold.h"
#include "vtkLabelSegmentTable.h"

#include "vtkTypeInt64Array.h"

#include <cmath>
#include <limits>
#include <memory>
#include <set>

using namespace filtertest;

namespace
{

using Ops = std::vector<std::string>;

std::string list(const Ops& operations)
{
  std::string text;
  for (const std::string& operation : operations)
  {
    text += (text.empty() ? "" : ", ") + operation;
  }
  return "[" + text + "]";
}

std::string op(
  const std::string& effect, const std::string& segment, const std::string& parameters = "")
{
  return R"({"effect": ")" + effect + R"(", "segment": ")" + segment + "\"" +
    (parameters.empty() ? "" : R"(, "parameters": {)" + parameters + "}") + "}";
}

std::string range(const std::string& segment, double low, double high)
{
  return op("threshold", segment,
    "\"MinimumThreshold\": " + std::to_string(low) +
      ", \"MaximumThreshold\": " + std::to_string(high));
}

Ops operator+(Ops first, const Ops& second)
{
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// An editor with a volume, one piece per rank. Warnings are silent, since most of these tests want
/// errors.
class Session
{
public:
  template <class T>
  Session(const World& world, const Shape& shape, const std::vector<T>& volume,
    Layout layout = Layout::SharedPlanes, vtkMultiProcessController* controller = nullptr)
    : Ranks(world)
    , Whole(shape)
    , Piece(paralleltest::pieceOf(
        layout, shape.box, world.communicator->rank(), world.communicator->size()))
  {
    this->Serial = controller == nullptr;
    if (this->Serial)
    {
      this->Piece = shape.box;
    }
    this->Editor->SetController(controller);
    this->Volume->Whole = shape;
    this->Volume->Piece = makePiece(shape, volume, this->Piece);
    this->Editor->SetInputConnection(0, this->Volume->GetOutputPort());
  }

  template <class T>
  void startFrom(const std::vector<T>& labels, vtkLabelSegmentTable* table = nullptr)
  {
    this->Start = vtkSmartPointer<PieceSource>::New();
    this->Start->Whole = this->Whole;
    this->Start->Piece = makePiece(this->Whole, labels, this->Piece, "Labels");
    if (table)
    {
      table->ToFieldData(this->Start->Piece->GetFieldData());
    }
    this->Editor->SetLabelMapConnection(this->Start->GetOutputPort());
  }

  /// Collective. The error, empty if all went well.
  std::string apply(const std::string& json)
  {
    this->Editor->SetOperations(json.c_str());
    return this->update();
  }
  std::string apply(const Ops& operations) { return this->apply(list(operations)); }

  std::string update()
  {
    vtkObject::GlobalWarningDisplayOff();
    if (this->Serial)
    {
      this->Editor->UpdatePiece(0, 1, 0);
    }
    else
    {
      this->Editor->UpdatePiece(
        this->Ranks.communicator->rank(), this->Ranks.communicator->size(), 0);
    }
    vtkObject::GlobalWarningDisplayOn();
    const std::string error = this->Editor->GetLastError();
    if (!this->Serial && !sameEverywhere(this->Ranks, error))
    {
      check::fail(__FILE__, __LINE__, "the error differs between ranks: " + error);
    }
    return error;
  }

  vtkImageData* output() { return this->Editor->GetOutput(); }
  vtkDataArray* labels() { return this->output()->GetPointData()->GetArray("Labels"); }
  int applied() { return this->Editor->GetNumberOfAppliedOperations(); }

  vtkSmartPointer<vtkLabelSegmentTable> table()
  {
    auto table = vtkSmartPointer<vtkLabelSegmentTable>::New();
    CHECK(table->FromFieldData(this->output()->GetFieldData()));
    return table;
  }

  template <class T>
  void checkLabels(const std::vector<T>& expected, int line)
  {
    checkPiece(this->output(), this->Whole, this->Piece, expected, "Labels", __FILE__, line);
  }

  void checkCounts(const std::vector<Index>& expected, int line)
  {
    const auto table = this->table();
    std::vector<Index> counts;
    for (int i = 0; i < table->GetNumberOfSegments(); ++i)
    {
      counts.push_back(table->GetNthSegmentVoxelCount(i));
    }
    if (counts != expected)
    {
      check::fail(__FILE__, line, "wrong voxel counts of the segments");
    }
  }

  vtkNew<vtkLabelMapEditor> Editor;
  vtkNew<PieceSource> Volume;
  vtkSmartPointer<PieceSource> Start;

private:
  const World& Ranks;
  Shape Whole;
  Box Piece;
  bool Serial = false;
};

using Bytes8 = std::vector<unsigned char>;

/// A line along z, which the ranks cut: values 0 to 11.
Shape line()
{
  return shapeOf(1, 1, 12);
}
std::vector<short> ramp()
{
  std::vector<short> values;
  for (short i = 0; i < 12; ++i)
  {
    values.push_back(i);
  }
  return values;
}

Session onRanks(const World& world, Layout layout = Layout::SharedPlanes)
{
  return { world, line(), ramp(), layout, world.communicator->controller() };
}

const Ops twoSegments{ op("add_segment", "a", R"("Name": "First", "Color": [1, 0.5, 0])"),
  range("a", 2, 5), op("add_segment", "b"), range("b", 5, 8) };

void testWhatOperationsDo(const World& world)
{
  Session session = onRanks(world);
  CHECK_EQUAL(session.apply("[]"), "");
  CHECK_EQUAL(session.applied(), 0);
  session.checkLabels(Bytes8(12, 0), __LINE__);
  CHECK_EQUAL(session.table()->GetNumberOfSegments(), 0);

  // Voxels that a segment enters are taken from the other one.
  CHECK_EQUAL(session.apply(twoSegments), "");
  CHECK_EQUAL(session.applied(), 4);
  session.checkLabels(Bytes8{ 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
  session.checkCounts({ 3, 4 }, __LINE__);
  auto table = session.table();
  CHECK_EQUAL(table->GetNthSegmentName(0), "First");
  CHECK_EQUAL(table->GetNthSegmentColor(0)[1], 0.5);
  CHECK_EQUAL(table->GetNthSegmentName(1), "b");
  CHECK_EQUAL(table->GetNthSegmentLabelValue(1), 2);
  CHECK_EQUAL(table->GetNthSegmentStatus(0), int(vtkLabelSegmentTable::InProgress));
  CHECK(!table->GetNthSegmentColorAutoGenerated(0) && table->GetNthSegmentColorAutoGenerated(1));

  // Writing a segment replaces it; growing covers others, shrinking leaves background.
  Ops more = twoSegments + Ops{ range("a", 0, 1) };
  CHECK_EQUAL(session.apply(more), "");
  session.checkLabels(Bytes8{ 1, 1, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
  more.push_back(op("margin", "a", R"("MarginSizeMm": 4)"));
  CHECK_EQUAL(session.apply(more), "");
  session.checkLabels(Bytes8{ 1, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 0 }, __LINE__);
  more.push_back(op("margin", "b", R"("MarginSizeMm": -1)"));
  CHECK_EQUAL(session.apply(more), "");
  session.checkLabels(Bytes8{ 1, 1, 1, 1, 1, 1, 0, 2, 0, 0, 0, 0 }, __LINE__);
  session.checkCounts({ 6, 1 }, __LINE__);

  // The table: rename, recolour, remove (with the voxels), and the freed label is used again.
  more = more +
    Ops{ op("rename_segment", "a", R"("Name": "Grain \u00e9")"),
      op("recolor_segment", "b", R"("Color": [0, 0.25, 1])"), op("remove_segment", "a"),
      op("add_segment", "c") };
  CHECK_EQUAL(session.apply(more), "");
  session.checkLabels(Bytes8{ 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0 }, __LINE__);
  table = session.table();
  CHECK_EQUAL(table->GetNumberOfSegments(), 2);
  CHECK_EQUAL(table->GetNthSegmentID(0), "b");
  CHECK_EQUAL(table->GetNthSegmentColor(0)[1], 0.25);
  CHECK_EQUAL(table->GetNthSegmentLabelValue(1), 1);
  session.checkCounts({ 1, 0 }, __LINE__);
  CHECK_EQUAL(session.applied(), static_cast<int>(more.size()));

  // One object stands for a list of one; whole numbers may have a point; names of voxel arrays play
  // no part.
  CHECK_EQUAL(session.apply(op("add_segment", "only", R"("LabelValue": 7.0)")), "");
  CHECK_EQUAL(session.table()->GetNthSegmentLabelValue(0), 7);
  // A segment's identifier is any text.
  CHECK_EQUAL(session.apply(R"([{"effect": "add_segment", "segment": "a b\"\\\u20ac/"}])"), "");
  CHECK_EQUAL(session.table()->GetNthSegmentID(0), "a b\"\\\xe2\x82\xac/");
}

struct Refused
{
  const char* Json;
  const char* Part;
};

const Refused refused[] = {
  // Operations that cannot be read.
  { "", "the operations are not valid JSON" },
  { "[", "the operations are not valid JSON" },
  { "nonsense", "the operations are not valid JSON" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": NaN}}])",
    "not valid JSON" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": Infinity}}])",
    "not valid JSON" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 1e999}}])",
    "not valid JSON" },
  { R"([{"effect": "margin", "segment": "a",}])", "not valid JSON" },
  { R"([{"effect": "add_segment", "segment": "z"}] trailing)", "not valid JSON" },
  { "[{\"effect\": \"add_segment\", \"segment\": \"\xff\xfe\"}]", "not valid JSON" },
  { R"([{"effect": "add_segment", "segment": "\ud800"}])", "not valid JSON" },
  // Not operations.
  { "null", "operation 1: is null, expected an object" },
  { "3", "operation 1: is 3" },
  { "[[]]", "operation 1: is []" },
  { R"(["margin"])", "operation 1: is \"margin\"" },
  { "{}", "operation 1: needs the text 'effect'" },
  { R"([{"effect": "margin"}])", "operation 1: needs the text 'segment'" },
  { R"([{"effect": "margin", "segment": ""}])", "operation 1: needs the text 'segment'" },
  { R"([{"effect": "margin", "segment": 3}])", "operation 1: needs the text 'segment'" },
  { R"([{"effect": ["margin"], "segment": "a"}])", "operation 1: needs the text 'effect'" },
  { R"([{"effect": "margin", "segment": "a", "params": {}}])",
    "operation 1: has the unknown key 'params', expected effect, segment, parameters" },
  { R"([{"effect": "margn", "segment": "a"}])", "the effect 'margn' is unknown, expected one of " },
  { R"([{"effect": "margin", "segment": "a", "parameters": []}])",
    "'parameters' is [], expected an object" },
  { R"([{"effect": "margin", "segment": "a", "parameters": null}])", "'parameters' is null" },
  { R"([{"effect": "margin", "segment": "a", "segment": "b"}])", "the key 'segment' twice" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 1, "MarginSizeMm": 2}}])",
    "the key 'MarginSizeMm' twice" },
  // Parameters.
  { R"([{"effect": "margin", "segment": "a", "parameters": {"Margin": 1}}])",
    "operation 1 (margin): the parameter 'Margin' is unknown, expected MarginSizeMm" },
  { R"([{"effect": "remove_segment", "segment": "a", "parameters": {"x": 1}}])",
    "'x' is unknown, expected none" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": "1"}}])",
    "operation 1 (margin): MarginSizeMm: is \"1\", expected a number" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": true}}])",
    "expected a number" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": null}}])",
    "expected a number" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": [1]}}])",
    "expected a number" },
  { R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 1e7}}])",
    "MarginSizeMm: is 1" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"MinimumSize": 1.5}}])",
    "expected a whole number" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"MinimumSize": -1}}])",
    "MinimumSize: is -1" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"MinimumSize": 9223372036854775808}}])",
    "MinimumSize: is 9223372036854775808" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"MinimumSize": 99999999999999999999999}}])",
    "MinimumSize: is 9.99" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"MinimumSize": -9223372036854775809}}])",
    "MinimumSize" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"Operation": "KEEP"}}])",
    "Operation: is \"KEEP\", expected one of \"KEEP_LARGEST_ISLAND\", \"REMOVE_SMALL_ISLANDS\"" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"Operation": 0}}])",
    "Operation: is 0, expected one of" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"Connectivity": 8}}])",
    "is 8, expected one of 6, 18, 26" },
  { R"([{"effect": "islands", "segment": "a", "parameters": {"Connectivity": "6"}}])",
    "expected one of 6, 18, 26" },
  { R"([{"effect": "threshold", "segment": "a", "parameters": {"NumberOfBins": 1}}])",
    "NumberOfBins: is 1" },
  { R"([{"effect": "threshold", "segment": "a", "parameters": {"NumberOfBins": 4294967298}}])",
    "NumberOfBins: is 4294967298" },
  { R"([{"effect": "median", "segment": "a", "parameters": {"KernelSizeMm": -0.001}}])",
    "KernelSizeMm: is -0.001" },
  { R"([{"effect": "rename_segment", "segment": "a"}])", "Name: is missing and has no default" },
  { R"([{"effect": "rename_segment", "segment": "a", "parameters": {"Name": 3}}])",
    "Name: is 3, expected a text" },
  { R"([{"effect": "recolor_segment", "segment": "a", "parameters": {"Color": [0, 1]}}])",
    "expected three numbers from 0 to 1" },
  { R"([{"effect": "recolor_segment", "segment": "a", "parameters": {"Color": [0, 1, 1.5]}}])",
    "expected three numbers" },
  { R"([{"effect": "recolor_segment", "segment": "a", "parameters": {"Color": "red"}}])",
    "expected three numbers" },
  { R"([{"effect": "add_segment", "segment": "z", "parameters": {"LabelValue": -1}}])",
    "LabelValue: is -1" },
};

/// Refused when the segments a and b are there (after the four operations of twoSegments).
const Refused refusedLater[] = {
  { R"({"effect": "margin", "segment": "nope"})", "operation 5 (margin on segment 'nope'): " },
  { R"({"effect": "margin", "segment": "nope"})",
    "there is no segment 'nope', expected one of 'a', 'b'" },
  { R"({"effect": "remove_segment", "segment": "A"})", "there is no segment 'A'" },
  { R"({"effect": "rename_segment", "segment": "x", "parameters": {"Name": ""}})",
    "there is no segment 'x'" },
  { R"({"effect": "recolor_segment", "segment": "x", "parameters": {"Color": [0, 0, 0]}})",
    "there is no segment 'x'" },
  { R"({"effect": "recolor_segment", "segment": "a", "parameters": {"Color": null}})",
    "Color is null" },
  { R"({"effect": "add_segment", "segment": "a"})", "there is a segment 'a' already" },
  { R"({"effect": "add_segment", "segment": "c", "parameters": {"LabelValue": 2}})",
    "LabelValue 2 belongs to segment 'b'" },
};

void testAllOrNothing(const World& world)
{
  Session session = onRanks(world);
  CHECK_EQUAL(session.apply(twoSegments), "");
  vtkDataArray* before = session.labels();
  const auto unchanged = [&](int row)
  {
    check::setContext("refused operation ", row, ": ", session.Editor->GetLastError());
    CHECK_EQUAL(session.applied(), 4);
    CHECK_EQUAL(session.labels(), before);
    session.checkLabels(Bytes8{ 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
    session.checkCounts({ 3, 4 }, __LINE__);
    CHECK_EQUAL(session.table()->GetNthSegmentName(0), "First");
  };
  int row = 0;
  for (const Refused& one : refused)
  {
    const std::string error = session.apply(std::string(one.Json));
    check::setContext("row ", row, " ", one.Json, " gave ", error);
    CHECK(contains(error, one.Part));
    unchanged(row++);
  }
  row = 1000;
  for (const Refused& one : refusedLater)
  {
    // Good ones before it are not applied either.
    for (const bool alone : { true, false })
    {
      Ops operations = twoSegments;
      if (!alone)
      {
        operations =
          operations + Ops{ range("a", 0, 11), op("rename_segment", "a", R"("Name": "Other")") };
      }
      operations.emplace_back(one.Json);
      const std::string error = session.apply(operations);
      check::setContext("row ", row, " ", one.Json, " gave ", error);
      CHECK(contains(error,
        alone || one.Part[0] != 'o' ? one.Part : "operation 7 (margin on segment 'nope'): "));
      unchanged(row);
    }
    ++row;
  }
  // A filter that fails: the volume has a single value.
  check::setContext("");
  Session flat(world, line(), std::vector<short>(12, 3), Layout::SharedPlanes,
    world.communicator->controller());
  const Ops add{ op("add_segment", "a") };
  CHECK_EQUAL(flat.apply(add), "");
  CHECK(
    contains(flat.apply(add + Ops{ op("threshold", "a", R"("AutoThresholdMode": "SET_UPPER")") }),
      "operation 2 (threshold on segment 'a'): array 'values' has a single value"));
  CHECK_EQUAL(flat.applied(), 1);
  // The refused one is left out, and it goes on.
  CHECK_EQUAL(session.apply(twoSegments + Ops{ range("a", 0, 1) }), "");
  session.checkLabels(Bytes8{ 1, 1, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
}

/// Texts made to break a parser: an error or a small result, and the editor still works.
void testHostileText(const World& world)
{
  Session session = onRanks(world);
  CHECK_EQUAL(session.apply(twoSegments), "");
  const auto repeat = [](const std::string& text, int count)
  {
    std::string result;
    for (int i = 0; i < count; ++i)
    {
      result += text;
    }
    return result;
  };
  const int deep = 200000;
  const std::string values[] = { repeat("[", deep), repeat("[", deep) + repeat("]", deep),
    repeat("{\"a\":", deep), repeat("{\"a\":", deep) + "1" + repeat("}", deep),
    repeat("[{\"effect\":", deep), repeat("1", deep), "\"" + repeat("x", deep), "-", "\"\\u", "[1e",
    std::string("\x00\x01\x02", 3) };
  for (const std::string& value : values)
  {
    for (const std::string& text :
      { value, "[" + value + "]",
        R"([{"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": )" + value + "}}]",
        R"([{"effect": "recolor_segment", "segment": "a", "parameters": {"Color": [)" + value +
          "]}}]" })
    {
      const std::string error = session.apply(text);
      check::setContext("hostile ", text.substr(0, 70), " gave ", error.substr(0, 200));
      // An embedded null ends the text: "[" is then no JSON either.
      CHECK(!error.empty());
      CHECK(error.size() < 3000);
      CHECK_EQUAL(session.applied(), 4);
    }
  }
  check::setContext("");
  session.Editor->SetOperations(nullptr);
  CHECK_EQUAL(std::string(session.Editor->GetOperations()), "[]");
  // Random changes to a good text.
  check::Random random(12);
  const std::string good = list(twoSegments);
  for (int i = 0; i < 150; ++i)
  {
    std::string text = good;
    for (Index n = random.between(1, 4); n > 0; --n)
    {
      const auto at = static_cast<std::size_t>(random.below(static_cast<Index>(text.size())));
      text[at] = "\"{}[],:0-e\\ntaX\xc3"[random.below(17)];
    }
    session.apply(text);
  }
  CHECK_EQUAL(session.apply(twoSegments), "");
  session.checkLabels(Bytes8{ 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
}

/// The titles of the operations that the editor ran.
class Titles
{
public:
  explicit Titles(vtkAlgorithm* editor)
  {
    this->Command->SetClientData(this);
    this->Command->SetCallback(
      [](vtkObject* caller, unsigned long, void* data, void*)
      {
        const char* text = static_cast<vtkAlgorithm*>(caller)->GetProgressText();
        static_cast<Titles*>(data)->Seen.insert(text ? text : "");
      });
    editor->AddObserver(vtkCommand::ProgressEvent, this->Command);
  }
  std::set<std::string> Seen;

private:
  vtkNew<vtkCallbackCommand> Command;
};

void testPrefixGoesOn(const World& world)
{
  Session session = onRanks(world);
  CHECK_EQUAL(session.apply(twoSegments), "");
  vtkSmartPointer<vtkDataArray> labels = session.labels();

  // The same operations, and one that touches the table only: the array of labels is the same
  // object.
  session.Editor->Modified();
  CHECK_EQUAL(session.update(), "");
  CHECK_EQUAL(session.labels(), labels.Get());
  CHECK_EQUAL(
    session.apply(twoSegments + Ops{ op("rename_segment", "a", R"("Name": "Other")") }), "");
  CHECK_EQUAL(session.labels(), labels.Get());
  CHECK_EQUAL(session.applied(), 5);
  CHECK_EQUAL(session.table()->GetNthSegmentName(0), "Other");

  // A longer list runs the new operations only, and leaves the arrays of earlier outputs alone.
  const Ops renamed = twoSegments + Ops{ op("rename_segment", "a", R"("Name": "Other")") };
  {
    Titles titles(session.Editor);
    CHECK_EQUAL(session.apply(renamed + Ops{ op("margin", "b", R"("MarginSizeMm": 1)") }), "");
    CHECK(titles.Seen.count("Margin") == 1);
    CHECK(titles.Seen.count("Threshold") == 0);
    session.Editor->RemoveObservers(vtkCommand::ProgressEvent);
  }
  CHECK_EQUAL(session.applied(), 6);
  session.checkLabels(Bytes8{ 0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0 }, __LINE__);
  vtkNew<vtkImageData> old;
  old->CopyStructure(session.output());
  old->GetPointData()->SetScalars(labels);
  CHECK(labels->GetName() != nullptr && std::string(labels->GetName()) == "Labels");
  for (vtkIdType i = 0; i < labels->GetNumberOfValues(); ++i)
  {
    const Index z = session.output()->GetExtent()[4] + i;
    CHECK_EQUAL(labels->GetComponent(i, 0), z >= 2 && z <= 4 ? 1.0 : z >= 5 && z <= 8 ? 2.0 : 0.0);
  }

  // White space and the order of keys are no difference; they are the same operations.
  vtkDataArray* now = session.labels();
  CHECK_EQUAL(session.apply(" " + list(renamed) + "\n"), ""); // shorter: starts again
  CHECK_EQUAL(session.applied(), 5);
  now = session.labels();
  CHECK_EQUAL(session.apply("\n\t" + list(renamed)), "");
  CHECK_EQUAL(session.labels(), now);

  // An edited operation, or a shorter list, starts again from the input.
  Ops edited = twoSegments;
  edited[1] = range("a", 0, 3);
  {
    Titles titles(session.Editor);
    CHECK_EQUAL(session.apply(edited), "");
    CHECK(titles.Seen.count("Threshold") == 1);
    session.Editor->RemoveObservers(vtkCommand::ProgressEvent);
  }
  session.checkLabels(Bytes8{ 1, 1, 1, 1, 0, 2, 2, 2, 2, 0, 0, 0 }, __LINE__);
  CHECK_EQUAL(session.table()->GetNthSegmentName(0), "First");
  CHECK_EQUAL(session.apply(Ops{ edited[0], edited[1] }), "");
  session.checkLabels(Bytes8{ 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, __LINE__);
  CHECK_EQUAL(session.applied(), 2);
  CHECK_EQUAL(session.apply("[]"), "");
  session.checkLabels(Bytes8(12, 0), __LINE__);
}

void testAnotherVolumeStartsAgain(const World& world)
{
  Session session = onRanks(world);
  const Ops operations{ op("add_segment", "a"), range("a", 6, 6),
    op("margin", "a", R"("MarginSizeMm": 2)") };
  CHECK_EQUAL(session.apply(operations), "");
  session.checkLabels(Bytes8{ 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0 }, __LINE__);

  // Other values in the same array.
  vtkDataArray* values = session.Volume->Piece->GetPointData()->GetScalars();
  for (vtkIdType i = 0; values && i < values->GetNumberOfValues(); ++i)
  {
    values->SetComponent(i, 0, values->GetComponent(i, 0) + 2);
  }
  if (values)
  {
    values->Modified();
  }
  session.Volume->Modified();
  CHECK_EQUAL(session.update(), "");
  session.checkLabels(Bytes8{ 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0 }, __LINE__);

  // The same array with another spacing: the margin is another one.
  session.Volume->Piece->SetSpacing(1.0, 1.0, 2.0);
  session.Volume->Whole.spacing[2] = 2.0;
  session.Volume->Modified();
  CHECK_EQUAL(session.update(), "");
  if (vtkDataArray* labels = session.labels())
  {
    for (vtkIdType i = 0; i < labels->GetNumberOfValues(); ++i)
    {
      const Index z = session.output()->GetExtent()[4] + i;
      CHECK_EQUAL(labels->GetComponent(i, 0), z >= 3 && z <= 5 ? 1.0 : 0.0);
    }
  }

  // Another volume on which an operation fails: what belonged to the other one does not stay.
  Session second = onRanks(world);
  CHECK_EQUAL(second.apply(operations), "");
  second.Volume->Piece->GetPointData()->Initialize();
  const auto floats = makePiece(
    line(), std::vector<float>(12, 1.0f), Box::fromExtent(second.Volume->Piece->GetExtent()));
  if (floats->GetNumberOfPoints())
  {
    second.Volume->Piece->GetPointData()->SetScalars(floats->GetPointData()->GetScalars());
  }
  second.Volume->Modified();
  CHECK(contains(second.apply(operations + Ops{ op("margin", "x") }), "there is no segment 'x'"));
  CHECK_EQUAL(second.applied(), 0);
  CHECK(second.labels() == nullptr);
  CHECK_EQUAL(second.apply(operations), "");
  CHECK_EQUAL(second.applied(), 3);
}

/// The 256th segment needs two bytes per voxel, and nothing but the type changes.
void testLabelsWiden(const World& world)
{
  Session session = onRanks(world);
  Ops operations{ op("add_segment", "s1"), range("s1", 3, 4) };
  for (int i = 2; i <= 255; ++i)
  {
    operations.push_back(op("add_segment", "s" + std::to_string(i)));
  }
  operations.push_back(range("s255", 7, 8));
  CHECK_EQUAL(session.apply(operations), "");
  session.checkLabels(Bytes8{ 0, 0, 0, 1, 1, 0, 0, 255, 255, 0, 0, 0 }, __LINE__);
  CHECK_EQUAL(session.table()->GetNumberOfSegments(), 255);

  operations = operations + Ops{ op("add_segment", "s256"), range("s256", 8, 9) };
  CHECK_EQUAL(session.apply(operations), "");
  session.checkLabels(
    std::vector<unsigned short>{ 0, 0, 0, 1, 1, 0, 0, 255, 256, 256, 0, 0 }, __LINE__);
  CHECK_EQUAL(session.table()->GetNthSegmentLabelValue(255), 256);

  const auto large = [&](Index label, auto zero)
  {
    using T = decltype(zero);
    const std::string id = "l" + std::to_string(label);
    operations = operations +
      Ops{ op("add_segment", id, "\"LabelValue\": " + std::to_string(label)), range(id, 0, 0),
        op("margin", id, R"("MarginSizeMm": 1)") };
    check::setContext("label ", label);
    CHECK_EQUAL(session.apply(operations), "");
    const T l = static_cast<T>(label);
    session.checkLabels(std::vector<T>{ l, l, 0, 1, 1, 0, 0, 255, 256, 256, 0, 0 }, __LINE__);
    check::setContext("");
  };
  large(65535, static_cast<unsigned short>(0));
  large(65536, 0u);
  large((Index(1) << 32) - 1, 0u);
  large(Index(1) << 32, 0ull);
  large((Index(1) << 53) + 1, 0ull);
  large(std::numeric_limits<Index>::max(), 0ull);
  CHECK_EQUAL(
    session.table()->GetNthSegmentVoxelCount(session.table()->GetNumberOfSegments() - 1), 2);
}

void testStartFromLabelMap(const World& world)
{
  const std::vector<short> start{ 0, 5, 5, 5, 0, 0, 9, 9, 0, 0, 0, 0 };
  {
    // Without a table each label becomes a segment, smallest first.
    Session session = onRanks(world);
    session.startFrom(start);
    CHECK_EQUAL(session.apply("[]"), "");
    session.checkLabels(Bytes8(start.begin(), start.end()), __LINE__);
    const auto table = session.table();
    CHECK_EQUAL(table->GetNumberOfSegments(), 2);
    CHECK_EQUAL(table->GetNthSegmentID(0), "Segment_5");
    CHECK_EQUAL(table->GetNthSegmentLabelValue(1), 9);
    session.checkCounts({ 3, 2 }, __LINE__);
    CHECK_EQUAL(session.apply(Ops{ op("margin", "Segment_9", R"("MarginSizeMm": 3)") }), "");
    session.checkLabels(Bytes8{ 0, 5, 5, 9, 9, 9, 9, 9, 9, 9, 9, 0 }, __LINE__);
    // Another label map starts again from it.
    auto* labels = session.Start->Piece->GetPointData()->GetScalars();
    if (labels)
    {
      labels->Fill(9.0);
      labels->Modified();
    }
    session.Start->Piece->Modified();
    session.Start->Modified();
    CHECK_EQUAL(session.update(), "");
    session.checkLabels(Bytes8(12, 9), __LINE__);
    session.checkCounts({ 12 }, __LINE__);
  }
  vtkNew<vtkLabelSegmentTable> table;
  table->AddSegment("grain", "Grain", 0.1, 0.2, 0.3, 9);
  table->SetNthSegmentTag(0, "Tag", "value | %");
  table->AddSegment("empty", "Empty", 0.1, 0.2, 0.3, 300);
  {
    // With a table: kept in order, with tags; the label of the empty segment decides on the type;
    // the label without a segment gets one, or a new segment could take its voxels over.
    Session session = onRanks(world);
    session.startFrom(start, table);
    CHECK_EQUAL(session.apply("[]"), "");
    session.checkLabels(std::vector<unsigned short>(start.begin(), start.end()), __LINE__);
    const auto now = session.table();
    CHECK_EQUAL(now->GetNumberOfSegments(), 3);
    CHECK_EQUAL(now->GetNthSegmentTag(0, "Tag"), "value | %");
    CHECK_EQUAL(now->GetNthSegmentID(2), "Segment_5");
    session.checkCounts({ 2, 0, 3 }, __LINE__);
    CHECK_EQUAL(session.apply(Ops{ range("empty", 10, 10) }), "");
    session.checkLabels(
      std::vector<unsigned short>{ 0, 5, 5, 5, 0, 0, 9, 9, 0, 0, 300, 0 }, __LINE__);
  }
  {
    // 64 bits keep all digits.
    const long long big = (1ll << 53) + 1;
    Session session = onRanks(world);
    std::vector<long long> labels(12, 0);
    labels[3] = big;
    labels[4] = big + 1;
    session.startFrom(labels);
    CHECK_EQUAL(
      session.apply(Ops{ op("margin", "Segment_" + std::to_string(big), R"("MarginSizeMm": 1)") }),
      "");
    labels[2] = labels[4] = big;
    session.checkLabels(std::vector<unsigned long long>(labels.begin(), labels.end()), __LINE__);
  }
  // All integer types.
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::setContext("start from ", vtkTypeTraits<T>::SizedName());
      Session session = onRanks(world);
      session.startFrom(std::vector<T>(start.begin(), start.end()));
      const std::string error = session.apply("[]");
      if (std::is_floating_point<T>::value)
      {
        CHECK(contains(error, "floating values, expected whole numbers from 0"));
        return;
      }
      CHECK_EQUAL(error, "");
      session.checkLabels(Bytes8(start.begin(), start.end()), __LINE__);
    });
  check::setContext("");
}

void testUnusableLabelMaps(const World& world)
{
  const int rank = world.communicator->rank();
  const bool last = rank == world.communicator->size() - 1;
  const std::vector<short> start{ 0, 5, 5, 5, 0, 0, 9, 9, 0, 0, 0, 0 };
  const auto failure = [&](const std::function<void(Session&)>& spoil)
  {
    Session session = onRanks(world);
    session.startFrom(start);
    spoil(session);
    const std::string error = session.apply(twoSegments);
    CHECK_EQUAL(session.applied(), 0);
    CHECK(session.labels() == nullptr);
    return error;
  };
  CHECK(contains(failure([](Session& s) { s.startFrom(std::vector<short>(12, -1)); }), "negative"));
  CHECK(contains(
    failure([](Session& s) { s.startFrom(std::vector<unsigned long long>(12, 1ull << 63)); }),
    "beyond 2^63 - 1"));
  CHECK(contains(failure([](Session& s) { s.Start->Piece->SetSpacing(1.0, 1.0, 1.5); }),
    "different origin, spacing or direction"));
  CHECK(contains(failure([](Session& s) { s.Start->Piece->SetOrigin(0.1, 0.0, 0.0); }),
    "different origin, spacing or direction"));
  CHECK(contains(
    failure([](Session& s) { s.Start->Piece->SetDirectionMatrix(-1, 0, 0, 0, -1, 0, 0, 0, 1); }),
    "different origin, spacing or direction"));
  CHECK(contains(failure(
                   [&](Session& s)
                   {
                     if (last)
                     {
                       s.Start->Piece->SetExtent(0, 0, 0, 0, 100, 100);
                       s.Start->Piece->AllocateScalars(VTK_SHORT, 1);
                     }
                   }),
    "different extents"));
  CHECK(contains(failure(
                   [&](Session& s)
                   {
                     vtkNew<vtkDoubleArray> layer;
                     layer->SetName("Labels_1");
                     layer->SetNumberOfTuples(s.Start->Piece->GetNumberOfPoints());
                     s.Start->Piece->GetPointData()->AddArray(layer);
                   }),
    "'Labels_1' of the label map has floating values"));
  CHECK(contains(failure(
                   [&](Session& s)
                   {
                     vtkNew<vtkLabelSegmentTable> table;
                     table->AddSegment("x", "x", 0, 0, 0, 5, 1);
                     table->ToFieldData(s.Start->Piece->GetFieldData());
                   }),
    "has 2 layers, but the label map has 1"));
  CHECK(contains(failure(
                   [&](Session& s)
                   {
                     vtkNew<vtkStringArray> ids;
                     ids->SetName("SegmentID");
                     ids->InsertNextValue("x");
                     s.Start->Piece->GetFieldData()->AddArray(ids);
                   }),
    "is not valid"));
  if (world.communicator->size() > 1)
  {
    // A table on one rank alone must not leave the others waiting.
    CHECK(contains(failure(
                     [&](Session& s)
                     {
                       if (last)
                       {
                         vtkNew<vtkLabelSegmentTable> table;
                         table->AddSegment("x", "x", 0, 0, 0, 5);
                         table->ToFieldData(s.Start->Piece->GetFieldData());
                       }
                     }),
      "the segment table of the label map is missing on this rank"));
  }
}

/// A real sequence: the same for all ways to cut the volume, and the same as its effects one by
/// one.
void testSequenceOnAllRanks(const World& world)
{
  const Shape shape = oddShape(14, 12, 13);
  check::Random random(21);
  const auto volume = volumes::make<short>(shape.box,
    [&](Index x, Index y, Index z)
    {
      const double wave = std::sin(0.7 * x) + std::cos(0.9 * y) + std::sin(0.5 * z + 0.3 * x);
      return 100.0 * wave + static_cast<double>(random.below(60));
    });
  const Ops operations{ op("add_segment", "grains"),
    op("add_segment", "pores", R"("LabelValue": 40)"),
    op("threshold", "grains", R"("AutoThresholdMode": "SET_LOWER_MAX")"),
    op("islands", "grains",
      R"("Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 9, "Connectivity": 18)"),
    op("threshold", "pores", R"("MaximumThreshold": -60.5)"),
    op("margin", "grains", R"("MarginSizeMm": -1)"),
    op("margin", "pores", R"("MarginSizeMm": 1.3)"),
    op("median", "grains", R"("KernelSizeMm": 2.5)"), op("islands", "pores") };

  // One by one, with masks merged by hand.
  std::vector<unsigned char> expected(volume.size(), 0);
  const auto step = [&](vtkLabelMapAlgorithm* effect, unsigned char label, bool fromVolume)
  {
    effect->SetController(nullptr);
    effect->SetSegmentLabel(fromVolume ? 1 : label);
    vtkNew<vtkImageData> output;
    const auto input =
      fromVolume ? makePiece(shape, volume, shape.box) : makePiece(shape, expected, shape.box);
    CHECK(effect->Apply(input, output));
    const auto* got = voxels<unsigned char>(output);
    for (std::size_t i = 0; got && i < expected.size(); ++i)
    {
      expected[i] = !fromVolume ? got[i] : got[i] ? label : expected[i] == label ? 0 : expected[i];
    }
  };
  vtkNew<vtkLabelMapThreshold> threshold;
  threshold->SetAutoThresholdMode(vtkLabelMapThreshold::AUTO_SET_LOWER_MAX);
  step(threshold, 1, true);
  vtkNew<vtkLabelMapIslands> islands;
  islands->SetOperation(vtkLabelMapIslands::REMOVE_SMALL_ISLANDS);
  islands->SetMinimumSize(9);
  islands->SetConnectivity(18);
  step(islands, 1, false);
  vtkNew<vtkLabelMapThreshold> low;
  low->SetMaximumThreshold(-60.5);
  step(low, 40, true);
  vtkNew<vtkLabelMapMargin> margin;
  margin->SetMarginSizeMm(-1.0);
  step(margin, 1, false);
  margin->SetMarginSizeMm(1.3);
  step(margin, 40, false);
  vtkNew<vtkLabelMapMedian> median;
  median->SetKernelSizeMm(2.5);
  step(median, 1, false);
  vtkNew<vtkLabelMapIslands> largest;
  step(largest, 40, false);
  const std::vector<Index> counts{ std::count(expected.begin(), expected.end(), 1),
    std::count(expected.begin(), expected.end(), 40) };
  CHECK(counts[0] > 50 && counts[1] > 50);

  const auto same = [&](Session& session, const Ops& all)
  {
    for (const bool atOnce : { true, false })
    {
      session.apply("[]");
      Ops some;
      for (const std::string& one : all)
      {
        some.push_back(one);
        if (!atOnce)
        {
          CHECK_EQUAL(session.apply(some), "");
        }
      }
      CHECK_EQUAL(session.apply(all), "");
      session.checkLabels(expected, __LINE__);
      session.checkCounts(counts, __LINE__);
    }
  };
  check::setContext("serial");
  Session serial(world, shape, volume);
  same(serial, operations);
  for (const Layout layout : paralleltest::allLayouts)
  {
    check::setContext("layout ", static_cast<int>(layout), " rank ", world.communicator->rank(),
      " of ", world.communicator->size());
    Session session(world, shape, volume, layout, world.communicator->controller());
    same(session, operations);
    // The input is as it was.
    const Box piece = Box::fromExtent(session.Volume->Piece->GetExtent());
    checkPiece(session.Volume->Piece, shape, piece, volume, "values", __FILE__, __LINE__);
    CHECK_EQUAL(session.Volume->Piece->GetPointData()->GetNumberOfArrays(), piece.empty() ? 0 : 1);
  }
  check::setContext("");
}

void testErrorsOfOneRank(const World& world)
{
  const int size = world.communicator->size();
  for (int at = 0; at < size; ++at)
  {
    check::setContext("rank ", world.communicator->rank(), " of ", size, ", at ", at);
    const bool here = world.communicator->rank() == at;
    // Abort: all ranks keep what they had.
    Session session = onRanks(world, Layout::GhostLayers);
    CHECK_EQUAL(session.apply(twoSegments), "");
    vtkDataArray* before = session.labels();
    const Ops more = twoSegments + Ops{ op("margin", "a", R"("MarginSizeMm": 1)") };
    {
      AbortOnProgress abort(session.Editor, here);
      const std::string error = session.apply(more);
      CHECK(contains(error, "operation 5 (margin on segment 'a'): "));
      CHECK(contains(error, "abort") || contains(error, "cancel"));
      session.Editor->RemoveObservers(vtkCommand::ProgressEvent);
    }
    CHECK_EQUAL(session.applied(), 4);
    CHECK_EQUAL(session.labels(), before);
    // VTK leaves the flag to whoever set it.
    session.Editor->AbortExecuteOff();
    session.Editor->Modified();
    CHECK_EQUAL(session.update(), "");
    CHECK_EQUAL(session.applied(), 5);

    // A volume that one rank cannot use.
    Session bad = onRanks(world, Layout::AllHoldAll);
    if (here)
    {
      bad.Volume->Piece->GetPointData()->Initialize();
    }
    CHECK(contains(bad.apply(twoSegments), "the input image has no active point scalars"));
    CHECK_EQUAL(bad.applied(), 0);
    CHECK(bad.labels() == nullptr);
  }
  check::setContext("");
}

} // namespace

int TestLabelMapEditor(int argc, char* argv[])
{
  World world(argc, argv);
  testWhatOperationsDo(world);
  testAllOrNothing(world);
  testHostileText(world);
  testPrefixGoesOn(world);
  testAnotherVolumeStartsAgain(world);
  testLabelsWiden(world);
  testStartFromLabelMap(world);
  testUnusableLabelMaps(world);
  testSequenceOnAllRanks(world);
  testErrorsOfOneRank(world);
  const std::string declarations = vtkLabelMapEditor::GetEffectDeclarations();
  for (const char* name :
    { "threshold", "islands", "margin", "median", "add_segment", "remove_segment" })
  {
    CHECK(contains(declarations, "\"identifier\": \"" + std::string(name) + "\""));
  }
  return result(world);
}
