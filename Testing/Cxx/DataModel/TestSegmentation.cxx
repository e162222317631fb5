// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// The list of segments: IDs, order, events, layers, the source representation, copies.
#include "DataModelTest.h"
#include "vtkSegmentation.h"

#include "vtkCollection.h"
#include "vtkMinimalStandardRandomSequence.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkStringArray.h"

#include <sstream>

namespace
{
const std::string BL = "Binary labelmap";
const std::string CS = "Closed surface";

vtkSmartPointer<vtkSegment> Segment(
  const std::string& name, vtkDataObject* image = nullptr, int label = 1)
{
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->SetName(name.c_str());
  segment->SetLabelValue(label);
  if (image)
  {
    segment->AddRepresentation(BL, image);
  }
  return segment;
}

std::string IDs(vtkSegmentation* segmentation)
{
  return Joined(segmentation->GetSegmentIDs());
}

void IdentifiersAndNames()
{
  vtkNew<vtkSegmentation> segmentation;
  Ear ear(segmentation);
  double red[3] = { 1, 0, 0 };
  CHECK_EQUAL(segmentation->AddEmptySegment("x", "", red), "x");
  CHECK_EQUAL(ear.Take(), "Modified Added:x");
  CHECK_EQUAL(segmentation->AddEmptySegment("x"), "x_1");
  CHECK_EQUAL(segmentation->AddEmptySegment("y"), "y");
  CHECK_EQUAL(segmentation->AddEmptySegment("y"), "y_2"); // one counter for all
  CHECK(segmentation->GetSegment("x")->GetColor()[0] == 1);
  CHECK_EQUAL(std::string(segmentation->GetSegment("y")->GetName()), "Segment_3");
  segmentation->GetSegment("x")->SetName("other");
  CHECK_EQUAL(segmentation->AddEmptySegment("z"), "z");
  CHECK_EQUAL(std::string(segmentation->GetSegment("z")->GetName()), "Segment_1");
  CHECK_EQUAL(segmentation->GetSegmentIdBySegmentName("OTHER"), "x");
  CHECK_EQUAL(segmentation->GetSegmentIdBySegmentName("nobody"), "");
  CHECK_EQUAL(segmentation->GetSegmentIdBySegment(segmentation->GetSegment("y")), "y");
  segmentation->RemoveAllSegments();
  CHECK_EQUAL(segmentation->AddEmptySegment("x"), "x");
  CHECK_EQUAL(segmentation->AddEmptySegment("x"), "x_1"); // counts from the start again

  // Made from scratch: a UUID as an object identifier, or random characters.
  const std::string uuid = segmentation->GenerateUniqueSegmentID();
  CHECK_EQUAL(uuid.substr(0, 5), "2.25.");
  CHECK(uuid.size() > 30 && uuid.find_first_not_of("0123456789.") == std::string::npos);
  CHECK(uuid != segmentation->GenerateUniqueSegmentID());
  segmentation->UUIDSegmentIDsOff();
  vtkSegmentation::GetSegmentIDRandomSequenceInstance()->SetSeed(1);
  CHECK_EQUAL(segmentation->GenerateUniqueSegmentID(), "S_CHncQQ5xGZcdGPax"); // as in Slicer
}

void Refused()
{
  vtkNew<vtkSegmentation> segmentation;
  Ear ear(segmentation);
  auto first = Segment("first", Row({ 1 }));
  CHECK(segmentation->AddSegment(first, "a"));
  CHECK(!segmentation->AddSegment(nullptr) && ear.Complained("no segment"));
  CHECK(!segmentation->AddSegment(Segment("second"), "a") && ear.Complained("'a'"));
  CHECK(!segmentation->AddSegment(first, "b") && ear.Complained("'a'"));
  vtkNew<vtkSegment> nameless;
  CHECK(!segmentation->AddSegment(nameless) && ear.Complained("no name"));
  auto surfaceOnly = vtkSmartPointer<vtkSegment>::New();
  vtkNew<vtkPolyData> surface;
  surfaceOnly->AddRepresentation(CS, surface);
  CHECK(!segmentation->AddSegment(surfaceOnly, "c") && ear.Complained(BL));
  surfaceOnly->SetName("changed"); // not observed
  CHECK_EQUAL(ear.Take(), "");
  CHECK_EQUAL(IDs(segmentation), "a");
  CHECK(segmentation->GetSegment("a") == first);
  CHECK(segmentation->AddSegment(nameless, "d"));
  CHECK_EQUAL(Values(nameless->GetRepresentation(BL)), "");
  segmentation->RemoveSegment("nobody");
  CHECK(ear.Complained("'nobody'"));
  segmentation->RemoveSegment(static_cast<vtkSegment*>(nullptr));
  CHECK(ear.Complained("no segment"));
  CHECK(!segmentation->GetSegment("nobody") && !segmentation->GetNthSegment(9));
  CHECK(segmentation->GetSegmentIndex("nobody") == -1 && segmentation->GetNthSegmentID(9).empty());
  CHECK(segmentation->GetLayerIndex("nobody") == -1 && ear.Complained("'nobody'"));
}

void Order()
{
  vtkNew<vtkSegmentation> segmentation;
  for (const char* id : { "c", "a", "d", "b" })
  {
    segmentation->AddEmptySegment(id);
  }
  CHECK(segmentation->AddSegment(Segment("e"), "e", "a"));
  CHECK_EQUAL(IDs(segmentation), "c e a d b");
  Ear ear(segmentation);
  CHECK(segmentation->SetSegmentIndex("b", 0));
  CHECK_EQUAL(IDs(segmentation), "b c e a d");
  CHECK_EQUAL(ear.Take(), "Modified Order");
  CHECK(!segmentation->SetSegmentIndex("b", 5) && ear.Complained("index 5"));
  CHECK(!segmentation->SetSegmentIndex("nobody", 0) && ear.Complained("'nobody'"));
  segmentation->ReorderSegments({ "d", "nobody", "b", "d" }, "e");
  CHECK_EQUAL(IDs(segmentation), "c d b e a");
  segmentation->ReorderSegments({ "d", "c" });
  CHECK_EQUAL(IDs(segmentation), "b e a d c");
  ear.Take();
  segmentation->ReorderSegments({ "b", "e" }); // the first ones already
  CHECK_EQUAL(ear.Take(), "");
  vtkNew<vtkStringArray> array;
  segmentation->GetSegmentIDs(array);
  CHECK(array->GetNumberOfValues() == 5 && array->GetValue(4) == "c");
  CHECK(segmentation->GetSegmentIndex("a") == 2 && segmentation->GetNthSegmentID(2) == "a");

  segmentation->GetSegment("a")->SetTag("t", "1");
  segmentation->GetSegment("e")->SetTag("t", "2");
  CHECK(segmentation->GetSegmentsByTag("t").size() == 2);
  CHECK(segmentation->GetSegmentsByTag("t")[0] == segmentation->GetSegment("e"));
  CHECK(segmentation->GetSegmentsByTag("t", "1")[0] == segmentation->GetSegment("a"));
}

void SourceIsObservedFromTheStart()
{
  vtkNew<vtkSegmentation> segmentation;
  auto image = Row({ 1 });
  auto segment = Segment("s", image);
  vtkNew<vtkPolyData> surface;
  segment->AddRepresentation(CS, surface);
  segmentation->AddSegment(segment, "s");
  Ear ear(segmentation);
  image->Modified();
  CHECK_EQUAL(ear.Take(), "Segment:s Names Source");
  CHECK(!segment->GetRepresentation(CS));
  segment->SetName("n");
  CHECK_EQUAL(ear.Take(), "Segment:s");

  auto second = Row({ 2 });
  segment->AddRepresentation(BL, second);
  CHECK_EQUAL(ear.Take(), "Segment:s");
  image->Modified();
  CHECK_EQUAL(ear.Take(), "");
  second->Modified();
  CHECK_EQUAL(ear.Take(), "Names Source");
  segmentation->RemoveSegment(segment);
  CHECK_EQUAL(ear.Take(), "Modified Removed:s");
  second->Modified();
  segment->SetName("m");
  CHECK_EQUAL(ear.Take(), "");
}

void SourceName()
{
  vtkNew<vtkSegmentation> segmentation;
  CHECK_EQUAL(segmentation->GetSourceRepresentationName(), BL);
  CHECK(segmentation->IsSourceRepresentationImageData());
  auto segment = Segment("s", Row({ 1 }));
  segmentation->AddSegment(segment, "s");
  Ear ear(segmentation);
  segmentation->SetSourceRepresentationName(BL);
  CHECK_EQUAL(ear.Take(), "");
  segmentation->SetSourceRepresentationName(CS); // would delete the voxels
  CHECK(ear.Complained("'s'"));
  CHECK_EQUAL(segmentation->GetSourceRepresentationName(), BL);
  CHECK_EQUAL(Values(segment->GetRepresentation(BL)), "1");
  vtkNew<vtkPolyData> surface;
  segment->AddRepresentation(CS, surface);
  ear.Take();
  segmentation->SetSourceRepresentationName(CS);
  CHECK_EQUAL(ear.Take(), "Segment:s Names Modified Source");
  CHECK(segmentation->IsSourceRepresentationPolyData());
  CHECK(!segmentation->ContainsRepresentation(BL) && segmentation->ContainsRepresentation(CS));
  surface->Modified();
  CHECK_EQUAL(ear.Take(), "Names Source");
  segmentation->RemoveRepresentation("none");
  CHECK_EQUAL(ear.Take(), "Names");

  std::ostringstream xml;
  segmentation->WriteXML(xml, 0);
  CHECK_EQUAL(xml.str(), " SourceRepresentationName=\"Closed surface\"");
  vtkNew<vtkSegmentation> other;
  const char* attributes[] = { "x", "y", "SourceRepresentationName", "Closed surface", nullptr };
  other->ReadXMLAttributes(attributes);
  CHECK_EQUAL(other->GetSourceRepresentationName(), CS);
}

void Layers()
{
  vtkNew<vtkSegmentation> segmentation;
  auto shared = Row({ 0, 1, 5, 5 });
  segmentation->AddSegment(Segment("z", shared, 1), "z");
  segmentation->AddSegment(Segment("own", Row({ 7 }), 7), "own");
  segmentation->AddSegment(Segment("a", shared, 5), "a");
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 2);
  CHECK_EQUAL(segmentation->GetNumberOfLayers(CS), 0);
  CHECK(segmentation->GetLayerDataObject(0) == shared && !segmentation->GetLayerDataObject(2));
  CHECK(segmentation->GetLayerIndex("own") == 1 && segmentation->GetLayerIndex("a") == 0);
  CHECK_EQUAL(Joined(segmentation->GetSegmentIDsForLayer(0)), "z a");
  CHECK_EQUAL(Joined(segmentation->GetSegmentIDsForDataObject(shared, BL)), "z a");
  CHECK(segmentation->GetSegmentIDsForDataObject(nullptr).empty());
  vtkNew<vtkCollection> objects;
  segmentation->GetLayerObjects(objects);
  CHECK_EQUAL(objects->GetNumberOfItems(), 2);
  CHECK(segmentation->IsSharedBinaryLabelmap("a") && !segmentation->IsSharedBinaryLabelmap("own"));
  std::vector<std::string> ids;
  segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation("a", ids, false);
  CHECK_EQUAL(Joined(ids), "z");
  CHECK_EQUAL(segmentation->GetUniqueLabelValueForSharedLabelmap("a"), 2);
  CHECK_EQUAL(segmentation->GetUniqueLabelValueForSharedLabelmap(shared), 6);
  segmentation->GetSegment("a")->SetLabelValue(9); // a label without voxels counts as well
  CHECK_EQUAL(segmentation->GetUniqueLabelValueForSharedLabelmap(shared), 10);
  segmentation->GetSegment("a")->SetLabelValue(5);
  vtkOrientedImageData* none = nullptr;
  CHECK_EQUAL(segmentation->GetUniqueLabelValueForSharedLabelmap(none), 1);

  // A new segment joins the first layer.
  CHECK_EQUAL(segmentation->AddEmptySegment("new"), "new");
  CHECK(segmentation->GetLayerIndex("new") == 0);
  CHECK_EQUAL(segmentation->GetSegment("new")->GetLabelValue(), 2);

  // Separate: its voxels go to an image of its own.
  Ear ear(segmentation);
  segmentation->SeparateSegmentLabelmap("own");
  CHECK_EQUAL(ear.Take(), "");
  segmentation->SeparateSegmentLabelmap("a");
  CHECK_EQUAL(ear.Take(), "Segment:a Segment:a Source Representation:a Modified");
  CHECK_EQUAL(Values(shared), "0 1 0 0");
  CHECK_EQUAL(Values(segmentation->GetSegmentRepresentation("a", BL)), "0 0 1 1");
  CHECK_EQUAL(segmentation->GetSegment("a")->GetLabelValue(), 1);

  // Remove: likewise.
  const vtkSmartPointer<vtkSegment> z = segmentation->GetSegment("z");
  segmentation->RemoveSegment("z");
  CHECK_EQUAL(ear.Take(), "Source Representation:z Modified Modified Removed:z");
  CHECK_EQUAL(Values(shared), "0 0 0 0");
  CHECK_EQUAL(Values(z->GetRepresentation(BL)), "0 1 0 0");
}

// The layer of a label that does not fit gets a wider type, in the same object, and nothing that
// was made from it is dropped.
void Widening()
{
  vtkNew<vtkSegmentation> segmentation;
  auto image = Row({ 1, 255 });
  auto first = Segment("first", image, 1);
  vtkNew<vtkPolyData> surface;
  first->AddRepresentation(CS, surface);
  segmentation->AddSegment(first, "first");
  for (int i = 0; i < 254; ++i)
  {
    segmentation->AddEmptySegment();
  }
  CHECK_EQUAL(image->GetScalarType(), VTK_UNSIGNED_CHAR);
  Ear ear(segmentation);
  segmentation->AddEmptySegment("last");
  CHECK_EQUAL(ear.Take(), "Modified Added:last");
  CHECK_EQUAL(segmentation->GetSegment("last")->GetLabelValue(), 256);
  CHECK_EQUAL(image->GetScalarType(), VTK_UNSIGNED_SHORT);
  CHECK_EQUAL(Values(image), "1 255");
  CHECK(first->GetRepresentation(CS) == surface.Get());
  CHECK(segmentation->GetSegmentRepresentation("last", BL) == image);
  CHECK(segmentation->GetSegmentRepresentation("last", CS) != surface.Get());
}

void RemovingAll()
{
  vtkNew<vtkSegmentation> segmentation;
  auto shared = Row({ 1, 2 });
  auto a = Segment("a", shared, 1);
  segmentation->AddSegment(a, "a");
  segmentation->AddSegment(Segment("b", shared, 2), "b");
  Ear ear(segmentation);
  segmentation->RemoveAllSegments();
  CHECK_EQUAL(ear.Take(), "Modified Removed:a Modified Removed:b");
  CHECK_EQUAL(segmentation->GetNumberOfSegments(), 0);
  CHECK_EQUAL(Values(a->GetRepresentation(BL)), "1 2"); // as it was
  shared->Modified();
  CHECK_EQUAL(ear.Take(), "");
}

void Copies()
{
  vtkNew<vtkSegmentation> source;
  auto shared = Row({ 1, 2, 0 });
  source->AddSegment(Segment("b", shared, 2), "b");
  source->AddSegment(Segment("own", Row({ 1 }, 5)), "own");
  source->AddSegment(Segment("a", shared, 1), "a");
  source->SetConversionParameter("Reference image geometry", "text");
  double bounds[6];
  source->GetBounds(bounds);
  CHECK(bounds[0] == -0.5 && bounds[1] == 5.5);

  vtkNew<vtkSegmentation> copy;
  copy->AddEmptySegment("old");
  Ear ear(copy);
  copy->DeepCopy(source);
  CHECK_EQUAL(
    ear.Take(), "Modified Removed:old Modified Added:b Modified Added:own Modified Added:a");
  CHECK_EQUAL(IDs(copy), "b own a");
  CHECK_EQUAL(copy->GetNumberOfLayers(), 2);
  CHECK(copy->GetLayerDataObject(0) != shared);
  CHECK_EQUAL(Values(copy->GetLayerDataObject(0)), "1 2 0");
  CHECK_EQUAL(copy->SerializeAllConversionParameters(), "Reference image geometry|text|&");
  copy->DeepCopy(nullptr);

  // Copy and move of one segment.
  vtkNew<vtkSegmentation> target;
  Ear targetEar(target);
  CHECK(target->CopySegmentFromSegmentation(source, "b"));
  CHECK_EQUAL(Values(target->GetLayerDataObject(0)), "0 2 0");
  CHECK_EQUAL(target->GetConversionParameter("Reference image geometry"), "text");
  const vtkSmartPointer<vtkSegment> moved = source->GetSegment("b");
  CHECK(target->CopySegmentFromSegmentation(source, "b", true) && targetEar.Complained("'b_1'"));
  CHECK(target->GetSegment("b_1") == moved && IDs(source) == "own a");
  CHECK_EQUAL(Values(moved->GetRepresentation(BL)), "0 1 0");
  CHECK_EQUAL(Values(shared), "1 0 0"); // no image of two segmentations
  CHECK(!target->CopySegmentFromSegmentation(source, "b") && targetEar.Complained("'b'"));
  CHECK(!target->CopySegmentFromSegmentation(nullptr, "b") && targetEar.Complained("no segm"));
}

void ExtraRepresentationsGo()
{
  vtkNew<vtkSegmentation> segmentation;
  segmentation->AddSegment(Segment("a", Row({ 1 })), "a");
  auto rich = Segment("b", Row({ 1 }));
  vtkNew<vtkPolyData> surface;
  rich->AddRepresentation(CS, surface);
  Ear ear(segmentation);
  CHECK(segmentation->AddSegment(rich, "b"));
  CHECK_EQUAL(ear.Take(), "Modified Added:b");
  CHECK(!rich->GetRepresentation(CS));
}

// An observer may do to the list what it likes while an event is on its way.
void ObserversMayRemove()
{
  vtkNew<vtkSegmentation> segmentation;
  auto shared = Row({ 1, 2 });
  segmentation->AddSegment(Segment("a", shared, 1), "a");
  segmentation->AddSegment(Segment("b", shared, 2), "b");
  vtkNew<vtkCallbackCommand> clear;
  clear->SetCallback([](vtkObject* caller, unsigned long, void*, void*)
    { vtkSegmentation::SafeDownCast(caller)->RemoveAllSegments(); });
  segmentation->AddObserver(vtkSegmentation::SourceRepresentationModified, clear);
  segmentation->AddObserver(vtkSegmentation::SegmentModified, clear);
  segmentation->RemoveSegment("a");
  CHECK_EQUAL(segmentation->GetNumberOfSegments(), 0);
  segmentation->AddSegment(Segment("a", shared, 1), "a");
  segmentation->AddSegment(Segment("b", shared, 2), "b");
  segmentation->SeparateSegmentLabelmap("b");
  CHECK_EQUAL(segmentation->GetNumberOfSegments(), 0);
}
}

int TestSegmentation(int, char*[])
{
  IdentifiersAndNames();
  Refused();
  Order();
  SourceIsObservedFromTheStart();
  SourceName();
  Layers();
  Widening();
  RemovingAll();
  Copies();
  ExtraRepresentationsGo();
  ObserversMayRemove();
  return check::result();
}
