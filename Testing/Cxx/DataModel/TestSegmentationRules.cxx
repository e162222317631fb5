// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Segmentations with the standard rules: surfaces and labelmaps come and go, are copied and shared.
#include "DataModelTest.h"
#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"
#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"
#include "vtkSegmentationConverter.h"
#include "vtkSegmentationConverterFactory.h"

#include "vtkSphereSource.h"

namespace
{
const std::string BL = "Binary labelmap";
const std::string CS = "Closed surface";
const std::string FL = "Fractional labelmap";

vtkSmartPointer<vtkSegment> Sphere(const std::string& name, double radius, double center)
{
  vtkNew<vtkSphereSource> sphere;
  sphere->SetRadius(radius);
  sphere->SetCenter(center, center, center);
  sphere->Update();
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->SetName(name.c_str());
  segment->AddRepresentation(CS, sphere->GetOutput());
  return segment;
}

void SetReference(vtkSegmentation* segmentation, const std::string& geometry)
{
  segmentation->SetConversionParameter(
    vtkSegmentationConverter::GetReferenceImageGeometryParameterName(), geometry);
}

double Largest(vtkDataObject* image)
{
  return vtkImageData::SafeDownCast(image)->GetPointData()->GetScalars()->GetRange()[1];
}

void Registered()
{
  CHECK_EQUAL(vtkSegmentationConverterFactory::RegisterStandardConversionRules(), 4);
  CHECK_EQUAL(vtkSegmentationConverterFactory::RegisterStandardConversionRules(), 0);
  vtkNew<vtkSegmentation> segmentation;
  vtkNew<vtkSegmentationConversionPaths> paths;
  struct Expected
  {
    std::string From;
    std::string To;
    unsigned int Cost;
  };
  for (const Expected& expected :
    { Expected{ BL, CS, 500 }, Expected{ CS, BL, 500 }, Expected{ CS, FL, 7000 },
      Expected{ FL, CS, 600 }, Expected{ FL, BL, 1100 }, Expected{ BL, FL, 7500 } })
  {
    segmentation->SetSourceRepresentationName(expected.From);
    segmentation->GetPossibleConversions(expected.To, paths);
    vtkSegmentationConversionPath* path = vtkSegmentationConverter::GetCheapestPath(paths);
    CHECK_EQUAL(path ? path->GetCost() : 0u, expected.Cost);
  }
  // What the rules are asked with, as a file has it.
  segmentation->SetConversionParameter("Oversampling factor", "2");
  const std::string text = segmentation->SerializeAllConversionParameters();
  CHECK_EQUAL(text.substr(0, 22), "Decimation factor|0.0|");
  for (const char* piece :
    { "&Smoothing factor|0.5|", "&Compute surface normals|1|", "&Conversion method|0|",
      "&SurfaceNets smoothing|0|", "&Joint smoothing|0|", "&Reference image geometry||",
      "&Oversampling factor|2|", "&Crop to reference image geometry|0|", "&Collapse labelmaps|1|",
      "&Fractional labelmap oversampling factor|1|", "&Threshold fraction|0.5|" })
  {
    CHECK(text.find(piece) != std::string::npos);
  }
}

void SurfacesAndLabelmaps()
{
  vtkNew<vtkSegmentation> surfaces;
  surfaces->SetSourceRepresentationName(CS);
  SetReference(surfaces, "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;49;0;49;0;49;");
  CHECK(surfaces->AddSegment(Sphere("first", 30, 50), "first"));
  CHECK(surfaces->CreateRepresentation(BL));
  vtkDataObject* labelmap = surfaces->GetSegmentRepresentation("first", BL);
  CHECK(labelmap && Largest(labelmap) == 1);
  CHECK_EQUAL(vtkImageData::SafeDownCast(labelmap)->GetNumberOfPoints(), 29791);

  // What the others have is made for those that come later.
  auto second = Sphere("second", 20, 50);
  CHECK(surfaces->AddSegment(second, "second"));
  CHECK_EQUAL(surfaces->GetNumberOfSegments(), 2);
  CHECK(second->GetRepresentation(BL) && Largest(second->GetRepresentation(BL)) >= 1);
  surfaces->RemoveSegment(second);
  CHECK_EQUAL(surfaces->GetNumberOfSegments(), 1);
  CHECK(surfaces->AddSegment(second));
  vtkNew<vtkSegment> unsupported;
  unsupported->SetName("unsupported");
  unsupported->AddRepresentation("Unsupported", vtkSmartPointer<vtkPolyData>::New());
  CHECK(!surfaces->AddSegment(unsupported));
  CHECK_EQUAL(surfaces->GetNumberOfSegments(), 2);

  vtkNew<vtkSegmentation> labelmaps;
  SetReference(labelmaps, "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;49;0;49;0;49;");
  vtkNew<vtkSegment> cube;
  cube->SetName("cube");
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(0, 9, 0, 9, 0, 9);
  image->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
  image->GetPointData()->GetScalars()->Fill(1);
  cube->AddRepresentation(BL, image);
  CHECK(labelmaps->AddSegment(cube, "cube"));
  CHECK(labelmaps->CreateRepresentation(CS));
  auto* surface = vtkPolyData::SafeDownCast(labelmaps->GetSegmentRepresentation("cube", CS));
  CHECK(surface && surface->GetNumberOfCells() > 100);
  auto third = Sphere("third", 10, 50);
  CHECK(labelmaps->AddSegment(third, "third"));
  CHECK(third->GetRepresentation(BL) != nullptr);

  CHECK(labelmaps->CopySegmentFromSegmentation(surfaces, "first"));
  CHECK(surfaces->GetNumberOfSegments() == 2 && labelmaps->GetNumberOfSegments() == 3);
  CHECK(surfaces->CopySegmentFromSegmentation(labelmaps, "third", true));
  CHECK(surfaces->GetNumberOfSegments() == 3 && labelmaps->GetNumberOfSegments() == 2);
}

void SharedLabelmaps()
{
  vtkNew<vtkSegmentation> segmentation;
  segmentation->SetSourceRepresentationName(CS);
  SetReference(segmentation, "0.1;0;0;0;0;0.1;0;0;0;0;0.1;0;0;0;0;1;0;9;0;9;0;9;");
  segmentation->AddSegment(Sphere("1", 1, 0), "1");
  segmentation->AddSegment(Sphere("2", 2, -1), "2"); // overlaps the first
  segmentation->AddSegment(Sphere("3", 2, 5), "3");
  CHECK_EQUAL(segmentation->GetNumberOfLayers(CS), 3);
  Ear ear(segmentation);
  CHECK(segmentation->CreateRepresentation(BL));
  CHECK_EQUAL(ear.Take(),
    "Segment:1 Representation:1 Segment:2 Representation:2 Segment:3 Representation:3 Names");
  CHECK_EQUAL(segmentation->GetNumberOfLayers(BL), 2);
  std::vector<std::string> sharing;
  segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation("1", sharing);
  CHECK_EQUAL(Joined(sharing), "1 3");
  segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation("2", sharing);
  CHECK_EQUAL(Joined(sharing), "2");
  CHECK(segmentation->IsSharedBinaryLabelmap("3") && !segmentation->IsSharedBinaryLabelmap("2"));

  // All of it again, from the source: the same sharing.
  CHECK(segmentation->CreateRepresentation(BL, true));
  CHECK_EQUAL(segmentation->GetNumberOfLayers(BL), 2);
  segmentation->SetConversionParameter("Collapse labelmaps", "0");
  CHECK(segmentation->CreateRepresentation(BL, true));
  CHECK_EQUAL(segmentation->GetNumberOfLayers(BL), 3);
  CHECK_EQUAL(segmentation->GetSegment("3")->GetLabelValue(), 1);
}
}

int TestSegmentationRules(int, char*[])
{
  Registered();
  SurfacesAndLabelmaps();
  SharedLabelmaps();
  return check::result();
}
