// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "DataModelTest.h"

#include "vtkCalculateOversamplingFactor.h"
#include "vtkSegmentationConverter.h"
#include "vtkTopologicalHierarchy.h"

#include "vtkCubeSource.h"
#include "vtkIntArray.h"
#include "vtkPolyData.h"
#include "vtkPolyDataCollection.h"
#include "vtkSphereSource.h"

#include <cmath>

namespace
{

vtkSmartPointer<vtkPolyData> Cuboid(
  double x0, double x1, double y0, double y1, double z0, double z1)
{
  vtkNew<vtkCubeSource> source;
  source->SetBounds(x0, x1, y0, y1, z0, z1);
  source->Update();
  return source->GetOutput();
}

vtkSmartPointer<vtkPolyData> Cube(double half)
{
  return Cuboid(-half, half, -half, half, -half, half);
}

std::string Geometry(vtkOrientedImageData* image)
{
  return vtkSegmentationConverter::SerializeImageGeometry(image);
}

void factors()
{
  vtkNew<vtkCalculateOversamplingFactor> calculator;
  vtkNew<vtkOrientedImageData> reference;
  reference->SetSpacing(0.5, 1.0, 2.0); // voxel volume 1
  reference->SetDirections(0, 1, 0, 1, 0, 0, 0, 0, 1);
  calculator->SetReferenceGeometryImageData(reference);
  // A cube's shape index is (6 / pi)^(1/6) = 1.1139: simple. With edge 8 very high is cut at 0.8,
  // area 0.64 and centroid 1.842, and normal at 0.2, area 0.28 and centroid 0: 1.28 together.
  struct
  {
    double edge;
    double factor;
  } const cubes[] = { { 1.0, 4.0 }, { 6.9, 4.0 }, { 8.0, 2.0 }, { 13.0, 1.0 }, { 30.0, 1.0 },
    { 80.0, 0.5 }, { 1000.0, 0.5 } };
  for (const auto& cube : cubes)
  {
    check::setContext("edge ", cube.edge);
    calculator->SetInputPolyData(Cube(0.5 * cube.edge)); // quads, which are triangulated
    CHECK(calculator->CalculateOversamplingFactor());
    CHECK_EQUAL(calculator->GetOutputOversamplingFactor(), cube.factor);
    CHECK(std::fabs(calculator->GetOutputRelativeStructureSize() / cube.edge - 1.0) < 1e-6);
    CHECK(std::fabs(calculator->GetOutputNormalizedShapeIndex() - 1.1139) < 1e-4);
    CHECK(std::fabs(calculator->GetOutputComplexityMeasure() - 0.1139) < 1e-4);
  }
  // A plate of the same volume is complicated: one step finer.
  calculator->SetInputPolyData(Cuboid(0, 200, 0, 45, 0, 3));
  CHECK(calculator->CalculateOversamplingFactor());
  CHECK(calculator->GetOutputComplexityMeasure() > 0.6);
  CHECK_EQUAL(calculator->GetOutputOversamplingFactor(), 2.0);
  check::setContext("");

  Ear ear(calculator);
  calculator->SetInputPolyData(nullptr);
  CHECK(!calculator->CalculateOversamplingFactor());
  CHECK(ear.Complained("SetInputPolyData"));
  CHECK_EQUAL(calculator->GetOutputOversamplingFactor(), 1.0);
  CHECK_EQUAL(calculator->GetOutputRelativeStructureSize(), 0.0);
  calculator->SetInputPolyData(Cube(1));
  calculator->SetReferenceGeometryImageData(nullptr);
  CHECK(!calculator->CalculateOversamplingFactor());
  CHECK(ear.Complained("SetReferenceGeometryImageData"));
  reference->SetSpacing(1, 0, 1);
  calculator->SetReferenceGeometryImageData(reference);
  CHECK(!calculator->CalculateOversamplingFactor());
  CHECK(ear.Complained("gives no volume"));
  reference->SetSpacing(1, 1, 1);
  vtkNew<vtkPolyData> empty; // nothing is as small as can be
  calculator->SetInputPolyData(empty);
  CHECK(calculator->CalculateOversamplingFactor());
  CHECK_EQUAL(calculator->GetOutputOversamplingFactor(), 4.0);
}

void geometry()
{
  const auto apply = [](const char* text, double factor)
  {
    vtkNew<vtkOrientedImageData> image;
    vtkSegmentationConverter::DeserializeImageGeometry(text, image, false);
    vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(image, factor);
    return Geometry(image);
  };
  const char* const unit = "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;-3;9;-3;9;-3;9;";
  CHECK_EQUAL(
    apply(unit, 2), "0.5;0;0;-0.25;0;0.5;0;-0.25;0;0;0.5;-0.25;0;0;0;1;-6;19;-6;19;-6;19;");
  CHECK_EQUAL(apply(unit, 1), unit);
  vtkNew<vtkOrientedImageData> half;
  vtkSegmentationConverter::DeserializeImageGeometry(unit, half, false);
  vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(half, 0.5);
  const int halved[6] = { -1, 4, -1, 4, -1, 4 };
  CHECK_RANGES(half->GetExtent(), halved, 6);
  CHECK_EQUAL(half->GetSpacing()[1], 13.0 / 6.0);
  CHECK_EQUAL(half->GetOrigin()[1], 0.5 * (13.0 / 6.0 - 1.0));
  // Along the directions, left-handed ones included: the outer faces stay.
  CHECK_EQUAL(apply("0;2;0;5;4;0;0;6;0;0;-1;7;0;0;0;1;0;9;0;9;0;9;", 2),
    "0;1;0;4.5;2;0;0;5;0;0;-0.5;7.25;0;0;0;1;0;19;0;19;0;19;");
  // Extents below 0 as well.
  CHECK_EQUAL(apply("1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;-16;-5;0;9;0;9;", 2),
    "0.5;0;0;-0.25;0;0.5;0;-0.25;0;0;0.5;-0.25;0;0;0;1;-32;-9;0;19;0;19;");
  // One voxel at least.
  CHECK_EQUAL(apply("1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;", 0.05),
    "10;0;0;4.5;0;10;0;4.5;0;0;10;4.5;0;0;0;1;0;0;0;0;0;0;");
  CHECK_EQUAL(apply("1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;-1;0;-1;0;-1;", 2),
    "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;-1;0;-1;0;-1;");

  vtkNew<vtkOrientedImageData> image;
  image->SetExtent(0, 9, 0, 9, 0, 9);
  const std::string before = Geometry(image);
  Ear ear(image);
  for (const double factor : { 0.0, -1.0, 0.009, 101.0, std::nan("") })
  {
    vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(image, factor);
    CHECK(ear.Complained("must be 0.01 to 100"));
    CHECK_EQUAL(Geometry(image), before);
  }
  image->SetExtent(2000000000, 2000000009, 0, 9, 0, 9);
  vtkCalculateOversamplingFactor::ApplyOversamplingOnImageGeometry(image, 2.0);
  CHECK(ear.Complained("does not fit"));
  CHECK_EQUAL(image->GetExtent()[0], 2000000000);
}

void hierarchy()
{
  vtkNew<vtkTopologicalHierarchy> hierarchy;
  CHECK_EQUAL(hierarchy->GetContainConstraintFactor(), 0.0);
  const auto levels = [&hierarchy](std::initializer_list<vtkSmartPointer<vtkPolyData>> surfaces)
  {
    vtkNew<vtkPolyDataCollection> collection;
    for (const auto& surface : surfaces)
    {
      collection->AddItem(surface);
    }
    hierarchy->SetInputPolyDataCollection(collection);
    hierarchy->Update();
    return Values(hierarchy->GetOutputLevels());
  };
  const auto sphere = [](double radius)
  {
    vtkNew<vtkSphereSource> source;
    source->SetRadius(radius);
    source->Update();
    return vtkSmartPointer<vtkPolyData>(source->GetOutput());
  };
  CHECK_EQUAL(levels({ sphere(1), sphere(2), sphere(3), sphere(1) }), "0 1 2 0");
  CHECK_EQUAL(levels({ Cube(3), Cube(1), Cube(2), Cube(5), Cube(4) }), "2 0 1 4 3");
  CHECK_EQUAL(levels({ Cube(1), Cube(2), Cube(3), Cube(4), Cube(5), Cube(6), Cube(7), Cube(8),
                Cube(9), Cube(10) }),
    "0 1 2 3 4 5 6 7 7 7");
  // Strictly inside: neither equal nor touching.
  CHECK_EQUAL(levels({ Cube(1), Cube(1) }), "0 0");
  CHECK_EQUAL(levels({ Cuboid(0, 10, 0, 10, 0, 10), Cuboid(0, 9, 1, 9, 1, 9) }), "0 0");
  vtkNew<vtkPolyData> empty;
  CHECK_EQUAL(levels({ Cube(1), vtkSmartPointer<vtkPolyData>(empty) }), "0 0");
  CHECK_EQUAL(levels({}), "");
  // Distances of 1 along y and z, 1.9 along x, in a box of 20 x 10 x 10.
  for (const auto& expected : { std::make_pair(0.09, "1 0"), std::make_pair(0.1, "0 0") })
  {
    hierarchy->SetContainConstraintFactor(expected.first);
    CHECK_EQUAL(
      levels({ Cuboid(0, 20, 0, 10, 0, 10), Cuboid(1.9, 18.1, 1, 9, 1, 9) }), expected.second);
  }
  // Below 0 boxes may stick out, so that two hold each other: the highest level.
  hierarchy->SetContainConstraintFactor(-0.5);
  CHECK_EQUAL(levels({ Cuboid(0, 10, 0, 10, 0, 10), Cuboid(1, 9, 1, 9, 1, 9) }), "7 7");
  hierarchy->SetContainConstraintFactor(0.0);

  Ear ear(hierarchy);
  hierarchy->SetInputPolyDataCollection(nullptr);
  hierarchy->Update();
  CHECK(ear.Complained("no collection"));
  CHECK_EQUAL(hierarchy->GetOutputLevels()->GetNumberOfValues(), 0);
  vtkNew<vtkPolyDataCollection> mixed;
  mixed->AddItem(Cube(1));
  vtkNew<vtkOrientedImageData> image;
  static_cast<vtkCollection*>(mixed)->AddItem(image);
  hierarchy->SetInputPolyDataCollection(mixed);
  hierarchy->Update();
  CHECK(ear.Complained("item 1 of the collection is a vtkOrientedImageData"));
  CHECK_EQUAL(hierarchy->GetOutputLevels()->GetNumberOfValues(), 0);
}

} // namespace

int TestOversamplingFactor(int, char*[])
{
  factors();
  geometry();
  hierarchy();
  return check::result();
}
