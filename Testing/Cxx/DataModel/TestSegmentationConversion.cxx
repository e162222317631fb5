// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Making representations: events, all or nothing, what a new segment gets, clearing, transforms.
#include "DataModelTest.h"
#include "TestRules.h"
#include "vtkSegmentation.h"

#include "vtkPoints.h"
#include "vtkSegmentationConversionParameters.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"
#include "vtkSegmentationConverter.h"
#include "vtkThinPlateSplineTransform.h"
#include "vtkTransform.h"

#include <set>

namespace
{
const std::string BL = "Binary labelmap";
const std::string CS = "Closed surface";

/// Lets the test call what friends may.
class Opened : public vtkSegmentation
{
public:
  static Opened* New() { VTK_STANDARD_NEW_BODY(Opened); }
  using vtkSegmentation::ConvertSegmentsUsingPath;
  using vtkSegmentation::ConvertSegmentUsingPath;
  using vtkSegmentation::ConvertSingleSegment;
  using vtkSegmentation::SetSegmentModifiedEnabled;
  using vtkSegmentation::SetSourceRepresentationModifiedEnabled;
};

vtkSmartPointer<vtkSegment> Segment(
  const std::string& name, vtkDataObject* object = nullptr, const std::string& kind = BL)
{
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->SetName(name.c_str());
  if (object)
  {
    segment->AddRepresentation(kind, object);
  }
  return segment;
}

std::string Names(vtkSegment* segment)
{
  std::vector<std::string> names;
  segment->GetContainedRepresentationNames(names);
  return Joined(names);
}

/// A segmentation with the segments a, b, c, each with one voxel.
vtkSmartPointer<Opened> Three()
{
  auto segmentation = vtkSmartPointer<Opened>::New();
  for (const char* id : { "b", "a", "c" })
  {
    segmentation->AddSegment(Segment(id, Row({ 1 })), id);
  }
  return segmentation;
}

void EventsInDisplayOrder()
{
  AddRule(BL, CS, 500);
  AddRule(CS, "Third", 10);
  auto segmentation = Three();
  Ear ear(segmentation);
  CHECK(segmentation->CreateRepresentation(CS));
  CHECK_EQUAL(ear.Take(),
    "Segment:b Representation:b Segment:a Representation:a Segment:c Representation:c Names");
  CHECK(segmentation->CreateRepresentation(CS)); // there already
  CHECK_EQUAL(ear.Take(), "");
  vtkDataObject* surface = segmentation->GetSegmentRepresentation("a", CS);
  CHECK(segmentation->CreateRepresentation(CS, true));
  CHECK_EQUAL(ear.Take(), "Names"); // in the same objects
  CHECK(segmentation->GetSegmentRepresentation("a", CS) == surface);

  vtkNew<vtkSegmentationConversionPaths> paths;
  segmentation->GetPossibleConversions("Third", paths);
  CHECK_EQUAL(paths->GetNumberOfPaths(), 1);
  vtkNew<vtkSegmentationConversionParameters> parameters;
  parameters->SetParameter("mine", "7");
  CHECK(segmentation->CreateRepresentation(paths->GetPath(0), parameters));
  CHECK_EQUAL(ear.Take(),
    "Segment:b Segment:a Segment:c Representation:b Representation:a Representation:c Names");
  CHECK_EQUAL(segmentation->GetConversionParameter("mine"), "7");

  // Refused, and nothing is heard.
  CHECK(!segmentation->CreateRepresentation("nothing"));
  CHECK(!segmentation->CreateRepresentation("nothing", true));
  CHECK_EQUAL(ear.Take(), "");
  CHECK(!segmentation->CreateRepresentation(BL, true) && ear.Complained("'Binary labelmap'"));
  CHECK(!segmentation->CreateRepresentation(nullptr, parameters) && ear.Complained("no path"));
  vtkNew<vtkSegmentationConversionPath> noRules;
  CHECK(!segmentation->CreateRepresentation(noRules, parameters) && ear.Complained("no rules"));
  vtkNew<vtkSegmentation> empty;
  CHECK(empty->CreateRepresentation(CS));
  RemoveAllRules();
}

void FromWhateverIsThere()
{
  AddRule(BL, CS, 1000);
  AddRule("Other", CS, 1);
  auto segmentation = vtkSmartPointer<Opened>::New();
  for (const char* id : { "a", "b" })
  {
    auto segment = Segment(id, Row({ 1 }));
    segmentation->AddSegment(segment, id);
  }
  std::string used;
  vtkNew<vtkSegmentationConversionPaths> paths;
  CHECK(segmentation->CreateRepresentation(CS));
  segmentation->RemoveRepresentation(CS);
  // Only one of two segments has the cheaper start: it is no start.
  segmentation->GetSegment("a")->AddRepresentation("Other", vtkSmartPointer<vtkPolyData>::New());
  CHECK(segmentation->CreateRepresentation(CS));
  CHECK_EQUAL(Names(segmentation->GetSegment("b")), BL + " " + CS);
  RemoveAllRules();
}

void AllOrNothing()
{
  int calls = 0;
  const auto rule = MakeRule(BL, CS, 1);
  rule->SetConvertFunction(
    [&calls](vtkCallbackConversionRule*, vtkSegment* segment)
    {
      segment->AddRepresentation(CS, vtkSmartPointer<vtkPolyData>::New());
      segment->SetLabelValue(50);
      return ++calls % 3 != 0; // the third fails, after doing its work
    });
  auto* factory = vtkSegmentationConverterFactory::GetInstance();
  factory->RegisterConverterRule(rule);
  auto segmentation = Three();
  Ear ear(segmentation);
  CHECK(!segmentation->CreateRepresentation(CS));
  CHECK_EQUAL(ear.Take(), "");
  CHECK(ear.Complained("'Binary labelmap to Closed surface' failed for segment 'c'"));
  for (const char* id : { "a", "b", "c" })
  {
    CHECK_EQUAL(Names(segmentation->GetSegment(id)), BL);
    CHECK_EQUAL(segmentation->GetSegment(id)->GetLabelValue(), 1);
  }
  segmentation->GetSegment("a")->SetTag("t", "1"); // events are on again
  CHECK_EQUAL(ear.Take(), "Segment:a");
  vtkNew<vtkSegmentationConversionPaths> paths;
  vtkNew<vtkSegmentationConversionParameters> parameters;
  segmentation->SetConversionParameter("mine", "old");
  parameters->SetParameter("mine", "new");
  segmentation->GetPossibleConversions(CS, paths);
  CHECK(!segmentation->CreateRepresentation(paths->GetPath(0), parameters));
  CHECK_EQUAL(segmentation->GetConversionParameter("mine"), "old");

  // A rule that throws, one whose preparation or completion fails, and one that makes nothing.
  for (const int what : { 0, 1, 2, 3 })
  {
    check::setContext("rule ", what);
    RemoveAllRules();
    const auto bad = MakeRule(BL, CS, 1);
    const auto no = [](vtkCallbackConversionRule*, vtkSegmentation*) { return false; };
    if (what == 0)
    {
      bad->SetConvertFunction([](vtkCallbackConversionRule*, vtkSegment*) -> bool
        { throw std::runtime_error("out of paper"); });
    }
    else if (what == 1)
    {
      bad->SetPreConvertFunction(no);
    }
    else if (what == 2)
    {
      bad->SetPostConvertFunction(no);
    }
    else
    {
      bad->SetConvertFunction([](vtkCallbackConversionRule*, vtkSegment*) { return true; });
    }
    factory->RegisterConverterRule(bad);
    auto other = Three();
    Ear otherEar(other);
    CHECK(!other->CreateRepresentation(CS));
    CHECK_EQUAL(otherEar.Take(), "");
    CHECK(otherEar.Complained(what == 0 ? "out of paper" : "Conversion 'Binary"));
    CHECK_EQUAL(Names(other->GetSegment("c")), BL);
    CHECK(!other->AddSegment(Segment("s", vtkSmartPointer<vtkPolyData>::New(), CS), "s"));
  }
  check::setContext("");
  RemoveAllRules();
}

void NewSegmentsAreConverted()
{
  AddRule(CS, BL, 1);
  AddRule(BL, "Third", 1);
  auto segmentation = Three();
  CHECK(segmentation->CreateRepresentation("Third"));
  Ear ear(segmentation);
  CHECK(segmentation->CanAcceptRepresentation(BL) && segmentation->CanAcceptRepresentation(CS));
  CHECK(!segmentation->CanAcceptRepresentation("Third"));
  auto surface = Segment("s", vtkSmartPointer<vtkPolyData>::New(), CS);
  CHECK(segmentation->CanAcceptSegment(surface));
  CHECK(!segmentation->CanAcceptSegment(Segment("empty")));
  CHECK(!segmentation->CanAcceptSegment(nullptr) && ear.Complained("no segment"));
  CHECK(segmentation->AddSegment(surface, "s"));
  CHECK_EQUAL(ear.Take(), "Modified Added:s");
  CHECK_EQUAL(Names(surface), BL + " Third"); // as the others: the surface is gone
  auto unsupported = Segment("u", vtkSmartPointer<vtkPolyData>::New(), "Unsupported");
  CHECK(!segmentation->AddSegment(unsupported, "u") && ear.Complained("'Binary labelmap'"));
  CHECK_EQUAL(Names(unsupported), "Unsupported");
  unsupported->SetName("not observed");
  CHECK_EQUAL(ear.Take(), "");

  // An empty segmentation takes anything that can be converted, and anything at all if asked.
  vtkNew<vtkSegmentation> empty;
  Ear emptyEar(empty);
  CHECK(empty->CanAcceptSegment(Segment("e")) && empty->CanAcceptSegment(unsupported));
  CHECK(!empty->AddSegment(unsupported, "u") && emptyEar.Complained("no rule makes it"));
  CHECK(empty->AddSegment(Segment("s", vtkSmartPointer<vtkPolyData>::New(), CS), "s"));
  CHECK_EQUAL(Names(empty->GetSegment("s")), BL + " " + CS);

  // What the others have and cannot be made is missing for good.
  CHECK(!empty->CopySegmentFromSegmentation(segmentation, "a"));
  CHECK(emptyEar.Complained("no representation 'Closed surface'"));
  empty->RemoveRepresentation(CS);
  CHECK(empty->CopySegmentFromSegmentation(segmentation, "a"));
  CHECK(empty->GetNumberOfSegments() == 2 && segmentation->GetNumberOfSegments() == 4);
  CHECK(empty->CopySegmentFromSegmentation(segmentation, "b", true));
  CHECK(empty->GetNumberOfSegments() == 3 && segmentation->GetNumberOfSegments() == 3);
  CHECK(!empty->CopySegmentFromSegmentation(segmentation, "nobody"));
  CHECK(emptyEar.Complained("no segment of that ID"));
  std::set<std::string> available;
  empty->GetAvailableRepresentationNames(available);
  CHECK_EQUAL(available.size(), 3u);
  RemoveAllRules();
}

void ForFriends()
{
  AddRule(BL, CS, 1);
  auto segmentation = Three();
  Ear ear(segmentation);
  vtkNew<vtkSegmentationConversionPaths> paths;
  segmentation->GetPossibleConversions(CS, paths);
  vtkSegmentationConversionPath* path = paths->GetPath(0);
  CHECK(segmentation->ConvertSegmentsUsingPath({ "c", "b" }, path));
  CHECK_EQUAL(ear.Take(), "Segment:b Segment:c");
  vtkSmartPointer<vtkDataObject> old = segmentation->GetSegmentRepresentation("b", CS);
  CHECK(segmentation->ConvertSegmentsUsingPath({ "b", "a" }, path)); // b has it
  CHECK_EQUAL(ear.Take(), "Segment:a");
  CHECK(!segmentation->ConvertSegmentsUsingPath({ "b", "nobody" }, path));
  CHECK(ear.Complained("'nobody'"));
  CHECK(!segmentation->ConvertSegmentsUsingPath({ "b" }, nullptr) && ear.Complained("no path"));
  CHECK(!segmentation->ConvertSegmentUsingPath(nullptr, path) && ear.Complained("no segment"));
  auto foreign = Segment("f", Row({ 1 }));
  CHECK(segmentation->ConvertSegmentUsingPath(foreign, path) && foreign->GetRepresentation(CS));
  CHECK(segmentation->ConvertSegmentUsingPath(segmentation->GetSegment("b"), path, true));
  CHECK(segmentation->GetSegmentRepresentation("b", CS) == old);
  segmentation->RemoveRepresentation(CS);
  ear.Take();
  CHECK(segmentation->ConvertSingleSegment("a", CS));
  CHECK_EQUAL(ear.Take(), "Segment:a");
  CHECK(segmentation->ConvertSingleSegment("a", CS)); // has it
  CHECK(!segmentation->ConvertSingleSegment("a", "nothing") && ear.Complained("'nothing'"));
  CHECK(!segmentation->ConvertSingleSegment("nobody", CS) && ear.Complained("'nobody'"));
  CHECK(segmentation->SetSegmentModifiedEnabled(false));
  CHECK(segmentation->SetSourceRepresentationModifiedEnabled(false));
  segmentation->GetSegment("a")->SetTag("t", "1");
  segmentation->GetSegmentRepresentation("a", BL)->Modified();
  CHECK_EQUAL(ear.Take(), "");
  CHECK(!segmentation->SetSegmentModifiedEnabled(true));
  CHECK(!segmentation->SetSourceRepresentationModifiedEnabled(true));
  RemoveAllRules();
}

void Clearing()
{
  auto segmentation = vtkSmartPointer<Opened>::New();
  const auto shared = Row({ 0, 1, 9, 9 });
  auto a = Segment("a", shared);
  auto b = Segment("b", shared);
  b->SetLabelValue(9);
  segmentation->AddSegment(a, "a");
  segmentation->AddSegment(b, "b");
  segmentation->AddSegment(Segment("c", Row({ 1, 1 })), "c");
  Ear ear(segmentation);
  segmentation->ClearSegment("b");
  CHECK_EQUAL(ear.Take(), "Names Source Names Source");
  CHECK_EQUAL(Values(shared), "0 1 0 0");
  segmentation->ClearSegment("c");
  CHECK_EQUAL(ear.Take(), "Names Source Names Source");
  CHECK(
    vtkOrientedImageData::SafeDownCast(segmentation->GetSegmentRepresentation("c", BL))->IsEmpty());
  segmentation->ClearSegment("nobody");
  CHECK_EQUAL(ear.Take(), "");
}

void Transforms()
{
  auto segmentation = vtkSmartPointer<Opened>::New();
  const auto shared = Row({ 0, 1, 2 });
  auto b = Segment("b", shared);
  b->SetLabelValue(2);
  segmentation->AddSegment(Segment("a", shared), "a");
  segmentation->AddSegment(b, "b");
  segmentation->AddSegment(Segment("c", Row({ 1 })), "c");
  const std::string reference = vtkSegmentationConverter::GetReferenceImageGeometryParameterName();
  segmentation->SetConversionParameter(reference, "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;");
  Ear ear(segmentation);
  vtkNew<vtkTransform> transform;
  transform->Translate(5, 0, 0);
  transform->Scale(2, 1, 1);
  segmentation->ApplyLinearTransform(transform);
  CHECK_EQUAL(ear.Take(), "Names Source");                            // once for both layers
  CHECK(shared->GetOrigin()[0] == 5 && shared->GetSpacing()[0] == 2); // once, though shared
  CHECK_EQUAL(segmentation->GetConversionParameter(reference),
    "2;0;0;5;0;1;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;");
  segmentation->ApplyLinearTransform(nullptr);
  CHECK(ear.Complained("no transform"));
  segmentation->ApplyNonLinearTransform(nullptr);
  CHECK(ear.Complained("no transform"));
  vtkNew<vtkThinPlateSplineTransform> warp;
  segmentation->ApplyLinearTransform(warp);
  CHECK(ear.Complained("vtkThinPlateSplineTransform is not linear"));
  CHECK(shared->GetOrigin()[0] == 5);
  segmentation->ApplyNonLinearTransform(transform);
  CHECK(ear.Complained("is linear") && shared->GetSpacing()[0] == 4);

  // A segment without the source: nothing moves, not even the others.
  segmentation->GetSegment("c")->RemoveAllRepresentations();
  ear.Take();
  segmentation->ApplyLinearTransform(transform);
  CHECK(ear.Complained("segment 'c' is missing") && shared->GetSpacing()[0] == 4);

  // Surfaces move in place.
  auto surfaces = vtkSmartPointer<Opened>::New();
  surfaces->SetSourceRepresentationName(CS);
  vtkNew<vtkPolyData> surface;
  vtkNew<vtkPoints> points;
  points->InsertNextPoint(1, 2, 3);
  surface->SetPoints(points);
  surfaces->AddSegment(Segment("s", surface, CS), "s");
  Ear surfaceEar(surfaces);
  surfaces->ApplyLinearTransform(transform);
  CHECK(surface->GetPoint(0)[0] == 7 && surface->GetPoint(0)[2] == 3);
  CHECK_EQUAL(surfaceEar.Take(), "Names Source");
}

void ManySegments()
{
  // The bookkeeping of names and labels gives what a search through all segments would.
  auto segmentation = vtkSmartPointer<Opened>::New();
  for (int i = 0; i < 300; ++i)
  {
    segmentation->AddEmptySegment();
  }
  CHECK_EQUAL(std::string(segmentation->GetNthSegment(299)->GetName()), "Segment_300");
  CHECK_EQUAL(segmentation->GetNthSegment(299)->GetLabelValue(), 300);
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 1);
  segmentation->GetNthSegment(7)->SetName("renamed");
  segmentation->GetNthSegment(9)->SetLabelValue(1000);
  segmentation->RemoveSegment(segmentation->GetNthSegmentID(4));
  const std::string next = segmentation->AddEmptySegment();
  CHECK_EQUAL(std::string(segmentation->GetSegment(next)->GetName()), "Segment_5");
  CHECK_EQUAL(segmentation->GetSegment(next)->GetLabelValue(), 5);
  const std::string after = segmentation->AddEmptySegment();
  CHECK_EQUAL(std::string(segmentation->GetSegment(after)->GetName()), "Segment_8");
  CHECK_EQUAL(segmentation->GetSegment(after)->GetLabelValue(), 10);
}
}

int TestSegmentationConversion(int, char*[])
{
  EventsInDisplayOrder();
  FromWhateverIsThere();
  AllOrNothing();
  NewSegmentsAreConverted();
  ForFriends();
  Clearing();
  Transforms();
  ManySegments();
  return check::result();
}
