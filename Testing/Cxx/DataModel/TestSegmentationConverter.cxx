// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Rules and their factory, paths and their costs, parameters as lists and texts.
#include "DataModelTest.h"
#include "TestRules.h"
#include "vtkSegmentationConverter.h"

#include "vtkSegmentationConversionParameters.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"
#include "vtkTransform.h"

#include <set>
#include <sstream>

namespace
{
vtkSegmentationConverterFactory* Factory()
{
  return vtkSegmentationConverterFactory::GetInstance();
}

void FactoryLists()
{
  auto sameInstance =
    vtkSmartPointer<vtkSegmentationConverterFactory>::Take(vtkSegmentationConverterFactory::New());
  CHECK(sameInstance == Factory());
  CHECK_EQUAL(Factory()->GetNumberOfConverterRules(), 0); // nothing registers itself
  AddRule("A", "B");
  AddRule("B", "A");
  AddRule("A", "C");
  const auto again = AddRule("A", "B"); // the same twice is allowed
  CHECK_EQUAL(Factory()->GetConverterRules().size(), 4u);
  Factory()->UnregisterConverterRule(Factory()->GetConverterRules()[3]);
  CHECK_EQUAL(Factory()->GetConverterRules().size(), 3u);
  Ear ear(Factory());
  Factory()->UnregisterConverterRule(again);
  CHECK(ear.Complained("'A to B' is not registered"));
  Factory()->UnregisterConverterRule(nullptr);
  CHECK(ear.Complained("no rule"));
  Factory()->RegisterConverterRule(nullptr);
  CHECK(ear.Complained("no rule"));
  CHECK(!Factory()->GetNthConverterRule(3) && !Factory()->GetNthConverterRule(-1));

  vtkSegmentationConverterFactory::RuleListType clones;
  Factory()->CopyConverterRules(clones);
  CHECK_EQUAL(clones.size(), 3u);
  CHECK(clones[0] != Factory()->GetNthConverterRule(0));
  CHECK_EQUAL(std::string(clones[2]->GetName()), "A to C");

  CHECK(!Factory()->DisableConverterRule("C", "A"));
  CHECK(Factory()->DisableConverterRule("A", "C"));
  CHECK_EQUAL(Factory()->GetNumberOfConverterRules(), 2);
  AddRule("C", "D");
  Factory()->DisableRepresentation("A");
  CHECK_EQUAL(Factory()->GetNumberOfConverterRules(), 1);
  RemoveAllRules();
  CHECK_EQUAL(Factory()->GetNumberOfConverterRules(), 0);
}

void FactoryMakesObjects()
{
  CHECK(!Factory()->ConstructRepresentationObjectByRepresentation("Binary labelmap"));
  AddRule("Binary labelmap", "Closed surface");
  const auto image = vtkSmartPointer<vtkDataObject>::Take(
    Factory()->ConstructRepresentationObjectByRepresentation("Binary labelmap"));
  CHECK(vtkOrientedImageData::SafeDownCast(image) &&
    vtkOrientedImageData::SafeDownCast(image)->GetScalarType() == VTK_UNSIGNED_CHAR);
  const auto surface = vtkSmartPointer<vtkDataObject>::Take(
    Factory()->ConstructRepresentationObjectByClass("vtkPolyData"));
  CHECK(vtkPolyData::SafeDownCast(surface));
  CHECK(!Factory()->ConstructRepresentationObjectByRepresentation("nothing"));
  CHECK(!Factory()->ConstructRepresentationObjectByClass("vtkTable"));
  RemoveAllRules();
}

std::string Path(vtkSegmentationConversionPath* path)
{
  std::string text;
  for (int i = 0; path && i < path->GetNumberOfRules(); ++i)
  {
    text += (i ? ", " : "") + std::string(path->GetRule(i)->GetName());
  }
  return text;
}

void Paths()
{
  AddRule("A", "B", 2);
  AddRule("A", "D", 6);
  AddRule("B", "A", 3);
  AddRule("B", "C", 1);
  AddRule("C", "D", 2);
  AddRule("C", "E", 4);
  AddRule("D", "E", 2);
  AddRule("E", "D", 1);
  vtkNew<vtkSegmentationConverter> converter;
  RemoveAllRules(); // the converter has its own
  std::set<std::string> names{ "other" };
  converter->GetAvailableRepresentationNames(names);
  CHECK_EQUAL(names.size(), 6u);
  vtkNew<vtkSegmentationConversionPaths> paths;
  struct Expected
  {
    const char* From;
    const char* To;
    int Number;
    const char* Cheapest;
    unsigned int Cost;
  };
  for (const Expected& expected : {
         Expected{ "A", "E", 3, "A to B, B to C, C to E", 7 }, // and A-B-C-D-E, with more rules
         Expected{ "E", "A", 0, "", 0 },
         Expected{ "B", "D", 3, "B to C, C to D", 3 },
         Expected{ "C", "D", 2, "C to D", 2 },
       })
  {
    check::setContext(expected.From, " to ", expected.To);
    converter->GetPossibleConversions(expected.From, expected.To, paths);
    CHECK_EQUAL(paths->GetNumberOfPaths(), expected.Number);
    vtkSegmentationConversionPath* cheapest = vtkSegmentationConverter::GetCheapestPath(paths);
    CHECK_EQUAL(Path(cheapest), expected.Cheapest);
    CHECK_EQUAL(cheapest ? cheapest->GetCost() : 0u, expected.Cost);
  }
  check::setContext("");
  Ear ear(converter);
  converter->GetPossibleConversions("A", "A", paths);
  CHECK(paths->GetNumberOfPaths() == 0 && ear.Complained("same representation, 'A'"));
  converter->GetPossibleConversions("A", "B", nullptr);
  CHECK(ear.Complained("no list"));
  CHECK(!vtkSegmentationConverter::GetCheapestPath(nullptr));

  // On a full tie the last; what costs infinitely much, never.
  AddRule("X", "Y", 5);
  const auto last = AddRule("X", "Y", 5);
  last->SetName("last");
  AddRule("Z", "Y", vtkSegmentationConverterRule::GetConversionInfiniteCost());
  vtkNew<vtkSegmentationConverter> ties;
  ties->GetPossibleConversions("X", "Y", paths);
  CHECK_EQUAL(paths->GetNumberOfPaths(), 2);
  ties->GetPossibleConversions("Z", "Y", paths);
  CHECK(paths->GetNumberOfPaths() == 1 && !vtkSegmentationConverter::GetCheapestPath(paths));
  RemoveAllRules();
}

void PathLists()
{
  vtkNew<vtkSegmentationConversionPath> path;
  Ear ear(path);
  const auto rule = MakeRule("A", "B", 3);
  CHECK_EQUAL(path->GetCost(), 0u);
  CHECK_EQUAL(path->AddRule(rule), 0);
  CHECK_EQUAL(path->AddRule(rule), 1);
  CHECK_EQUAL(path->GetCost(), 6u);
  path->AddRules(path);
  CHECK_EQUAL(path->GetNumberOfRules(), 4);
  CHECK_EQUAL(path->AddRule(nullptr), -1);
  CHECK(ear.Complained("no rule"));
  path->AddRules(nullptr);
  CHECK(ear.Complained("no path"));
  CHECK(!path->GetRule(4) && ear.Complained("index 4"));
  path->RemoveRule(-1);
  CHECK(ear.Complained("index -1"));
  path->RemoveRule(0);
  CHECK_EQUAL(path->GetNumberOfRules(), 3);
  vtkNew<vtkSegmentationConversionPath> copy;
  copy->Copy(path);
  CHECK(copy->GetNumberOfRules() == 3 && copy->GetRule(2) == rule);
  copy->Copy(nullptr);
  path->RemoveAllRules();
  CHECK(path->GetNumberOfRules() == 0 && copy->GetNumberOfRules() == 3);

  vtkNew<vtkSegmentationConversionPaths> paths;
  Ear paths2(paths);
  paths->AddPath(path);
  paths->AddPath(copy);
  paths->AddPaths(paths);
  CHECK_EQUAL(paths->GetNumberOfPaths(), 4);
  CHECK(paths->GetPath(3) == copy.GetPointer());
  paths->InitTraversal();
  CHECK(paths->GetNextPath() == path.GetPointer() && paths->GetNextPath() == copy.GetPointer());
  vtkCollectionSimpleIterator cookie;
  paths->InitTraversal(cookie);
  CHECK(paths->GetNextPath(cookie) == path.GetPointer());
  CHECK(!paths->GetPath(4) && paths2.Complained("index 4"));
  paths->AddPath(nullptr);
  CHECK(paths2.Complained("no path"));
  paths->AddPaths(nullptr);
  CHECK(paths2.Complained("no paths"));
}

void ParameterList()
{
  vtkNew<vtkSegmentationConversionParameters> list;
  Ear ear(list);
  CHECK_EQUAL(list->SetParameter("a", "1.9", "first"), 0);
  CHECK_EQUAL(ear.Take(), "Modified Modified Modified"); // appended, value, description
  CHECK_EQUAL(list->SetParameter("b", "x"), 1);
  ear.Take();
  list->SetValue("a", "1.9");
  CHECK_EQUAL(ear.Take(), ""); // no change
  CHECK(list->GetValueAsDouble("a") == 1.9 && list->GetValueAsInt("a") == 1);
  CHECK(list->GetValueAsDouble("b") == 0.0 && list->GetValueAsInt("b") == 0);
  list->SetValue("huge", "1e30");
  CHECK_EQUAL(list->GetValueAsInt("huge"), VTK_INT_MAX);
  list->SetDescription("c", "appended");
  CHECK(list->GetNumberOfParameters() == 4 && list->GetIndexFromName("c") == 3);
  CHECK(list->GetIndexFromName("nobody") == -1 && list->GetValue("nobody").empty());
  list->SetParameter("a", "2"); // overwrites the description as well
  CHECK(list->GetValue(0) == "2" && list->GetDescription(0).empty());
  list->SetName(1, "a");
  CHECK(list->GetName(1) == "b" && ear.Complained("'a'"));
  list->SetName(1, "bb");
  list->SetValue(1, "3");
  list->SetDescription(1, "second");
  CHECK(list->GetName(1) == "bb" && list->GetValue("bb") == "3");
  CHECK_EQUAL(list->GetDescription("bb"), "second");
  CHECK(list->GetValue(9).empty() && ear.Complained("GetValue: index 9"));
  CHECK(list->GetName(-1).empty() && ear.Complained("GetName: index -1"));
  list->SetValue(9, "");
  CHECK(ear.Complained("SetValue: index 9"));
  list->RemoveParameter(9);
  CHECK(ear.Complained("RemoveParameter: index 9"));
  vtkNew<vtkSegmentationConversionParameters> copy;
  copy->DeepCopy(list);
  copy->CopyParameter(copy, 0);
  CHECK_EQUAL(copy->GetNumberOfParameters(), 4);
  list->RemoveParameter(0);
  CHECK(list->GetNumberOfParameters() == 3 && copy->GetNumberOfParameters() == 4);
  copy->CopyParameter(list, 0);
  CHECK_EQUAL(copy->GetNumberOfParameters(), 4);
  copy->CopyParameter(nullptr, 0);
  list->DeepCopy(nullptr);
  CHECK(ear.Complained("no source"));
  list->RemoveAllParameters();
  CHECK_EQUAL(list->GetNumberOfParameters(), 0);
}

void ConverterParameters()
{
  const auto first = MakeRule("A", "B", 1);
  first->SetConversionParameter("size", "1", "How large");
  const auto second = MakeRule("B", "C", 1);
  second->SetConversionParameter("shape", "round", "What shape");
  second->SetConversionParameter("size", "7", "ignored");
  Factory()->RegisterConverterRule(first);
  Factory()->RegisterConverterRule(second);
  vtkNew<vtkSegmentationConverter> converter;
  Ear ear(converter);
  converter->SetConversionParameter("mine", "x");
  converter->SetConversionParameter("size", "2"); // goes to both rules, and keeps the description
  CHECK_EQUAL(converter->GetConversionParameterDescription("size"), "How large");
  converter->SetConversionParameter("other", "y", "Other");
  CHECK_EQUAL(converter->SerializeAllConversionParameters(),
    "mine|x|&other|y|Other&size|2|ignored&shape|round|What shape&");
  CHECK_EQUAL(first->GetConversionParameter("size"), "1"); // the registered rule is untouched

  vtkNew<vtkSegmentationConversionPaths> paths;
  converter->GetPossibleConversions("B", "C", paths);
  CHECK_EQUAL(paths->GetPath(0)->GetRule(0)->GetConversionParameter("size"), "2");
  vtkNew<vtkSegmentationConversionParameters> list;
  list->SetParameter("old", "1");
  converter->GetConversionParametersForPath(list, paths->GetPath(0));
  CHECK(list->GetNumberOfParameters() == 2 && list->GetValue("shape") == "round");
  converter->GetConversionParametersForPath(list, nullptr);
  CHECK(ear.Complained("no path"));
  converter->GetConversionParametersForPath(nullptr, paths->GetPath(0));
  CHECK(ear.Complained("no list"));
  converter->GetAllConversionParameters(nullptr);
  CHECK(ear.Complained("no list"));

  list->RemoveAllParameters();
  list->SetParameter("size", "5", "unused");
  list->SetParameter("new", "6", "used");
  converter->SetConversionParameters(list);
  CHECK_EQUAL(converter->GetConversionParameterDescription("new"), "used");
  CHECK_EQUAL(converter->GetConversionParameterDescription("size"), "How large");
  converter->SetConversionParameters(nullptr);
  CHECK(ear.Complained("no list"));
  for (const char* bad : { "", "a|b", "a&b" })
  {
    converter->SetConversionParameter(bad, "1");
    CHECK(ear.Complained("SetConversionParameter"));
  }
  converter->SetConversionParameter("a", "1|2");
  CHECK(ear.Complained("'1|2'"));
  CHECK(converter->GetConversionParameter("nobody").empty() && ear.Complained("'nobody'"));
  CHECK(converter->GetConversionParameterDescription("nobody").empty());
  CHECK(ear.Complained("'nobody'"));

  // What a file has and no rule knows survives.
  vtkNew<vtkSegmentationConverter> copy;
  copy->SetConversionParameter("dropped", "1");
  copy->DeepCopy(converter);
  CHECK_EQUAL(
    copy->SerializeAllConversionParameters(), converter->SerializeAllConversionParameters());
  RemoveAllRules();
  vtkNew<vtkSegmentationConverter> bare;
  bare->DeserializeConversionParameters(converter->SerializeAllConversionParameters() + "cut|1");
  CHECK_EQUAL(bare->GetConversionParameter("shape"), "round");
  CHECK_EQUAL(
    bare->SerializeAllConversionParameters(), converter->SerializeAllConversionParameters());
  bare->DeserializeConversionParameters("nothing&|x&shape|flat");
  CHECK_EQUAL(bare->GetConversionParameter("shape"), "round");
  bare->DeserializeConversionParameters("shape|flat&");
  CHECK_EQUAL(bare->GetConversionParameter("shape"), "flat");
}

void ReferenceGeometryMoves()
{
  vtkNew<vtkSegmentationConverter> converter;
  Ear ear(converter);
  const std::string name = vtkSegmentationConverter::GetReferenceImageGeometryParameterName();
  CHECK(converter->GetConversionParameter(name).empty() && ear.Take().empty()); // always known
  vtkNew<vtkTransform> transform;
  transform->Translate(1, 2, 3);
  converter->ApplyTransformOnReferenceImageGeometry(transform); // there is none
  CHECK(converter->GetConversionParameter(name).empty());
  converter->SetConversionParameter(name, "0;-2;0;10;1;0;0;20;0;0;3;30;0;0;0;1;0;4;1;5;2;6;");
  transform->RotateZ(90);
  converter->ApplyTransformOnReferenceImageGeometry(transform);
  vtkNew<vtkOrientedImageData> image;
  CHECK(vtkSegmentationConverter::DeserializeImageGeometry(
    converter->GetConversionParameter(name), image, false));
  vtkNew<vtkMatrix4x4> matrix;
  image->GetImageToWorldMatrix(matrix);
  // Turned by 90 degrees (x, y) -> (-y, x), then moved.
  const double expected[12] = { -1, 0, 0, -19, 0, -2, 0, 12, 0, 0, 3, 33 };
  for (int i = 0; i < 12; ++i)
  {
    CHECK(std::fabs(matrix->GetElement(i / 4, i % 4) - expected[i]) < 1e-12);
  }
  CHECK(image->GetExtent()[1] == 4 && image->GetExtent()[4] == 2);
  converter->ApplyTransformOnReferenceImageGeometry(nullptr);
  CHECK(ear.Complained("no transform"));
}

void CallbackRule()
{
  vtkNew<vtkCallbackConversionRule> rule;
  Ear ear(rule);
  rule->SetName("n");
  rule->SetSourceRepresentationName("Fractional labelmap");
  rule->SetTargetRepresentationName("Table");
  rule->SetTargetClassName("vtkTable");
  CHECK_EQUAL(ear.Take(), "Modified Modified Modified Modified");
  rule->SetTargetClassName("vtkNothing");
  CHECK(ear.Complained("'vtkNothing'"));
  rule->SetConversionCost(9);
  rule->SetConversionParameter("p", "1", "d");
  CHECK(rule->HasConversionParameter("p") && !rule->HasConversionParameter("q"));
  const auto clone = vtkSmartPointer<vtkSegmentationConverterRule>::Take(rule->Clone());
  CHECK(clone->GetConversionCost() == 9 && clone->GetConversionParameterDescription("p") == "d");
  const auto table = vtkSmartPointer<vtkDataObject>::Take(
    clone->ConstructRepresentationObjectByRepresentation("Table"));
  CHECK(table && std::string(table->GetClassName()) == "vtkTable");
  const auto image = vtkSmartPointer<vtkDataObject>::Take(
    clone->ConstructRepresentationObjectByRepresentation("Fractional labelmap"));
  CHECK(image && std::string(image->GetClassName()) == "vtkOrientedImageData");

  // Nobody handles the event: that is a failure, and so is a rule that says so.
  vtkNew<vtkSegment> segment;
  Ear cloneEar(clone);
  CHECK(!clone->Convert(nullptr) && cloneEar.Complained("no segment"));
  CHECK(!clone->Convert(segment) && cloneEar.Complained("'Fractional labelmap'"));
  segment->AddRepresentation("Fractional labelmap", image);
  CHECK(!clone->Convert(segment));
  vtkNew<vtkCallbackCommand> handler;
  handler->SetCallback(
    [](vtkObject*, unsigned long, void*, void* data)
    {
      auto* atWork = static_cast<vtkCallbackConversionRule*>(data);
      const auto made = vtkSmartPointer<vtkDataObject>::Take(
        atWork->ConstructRepresentationObjectByRepresentation("Table"));
      atWork->GetSegment()->AddRepresentation("Table", made);
      atWork->Succeed();
    });
  rule->AddObserver(vtkCallbackConversionRule::ConvertEvent, handler); // on the registered one
  CHECK(clone->Convert(segment) && segment->GetRepresentation("Table"));
  CHECK(clone->PreConvert(nullptr) && clone->PostConvert(nullptr));
  vtkNew<vtkCallbackCommand> failing;
  failing->SetCallback([](vtkObject*, unsigned long, void*, void* data)
    { static_cast<vtkCallbackConversionRule*>(data)->Fail("no way"); });
  rule->AddObserver(vtkCallbackConversionRule::PreConvertEvent, failing);
  CHECK(!clone->PreConvert(nullptr) && cloneEar.Complained("'n': no way"));
  std::ostringstream text;
  clone->Print(text);
  CHECK(text.str().find("vtkTable") != std::string::npos);
}
}

int TestSegmentationConverter(int, char*[])
{
  FactoryLists();
  FactoryMakesObjects();
  Paths();
  PathLists();
  ParameterList();
  ConverterParameters();
  ReferenceGeometryMoves();
  CallbackRule();
  return check::result();
}
