// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "DataModelTest.h"

#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"
#include "vtkClosedSurfaceToFractionalLabelmapConversionRule.h"
#include "vtkPolyDataToFractionalLabelmapFilter.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"
#include "vtkSegmentationConverterFactory.h"

#include "vtkCellArray.h"
#include "vtkFieldData.h"
#include "vtkMatrix4x4.h"
#include "vtkPoints.h"
#include "vtkPolyData.h"
#include "vtkSphereSource.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace
{

using BinaryRule = vtkClosedSurfaceToBinaryLabelmapConversionRule;
using FractionalRule = vtkClosedSurfaceToFractionalLabelmapConversionRule;

const char* const Binary = "Binary labelmap";
const char* const Fractional = "Fractional labelmap";
const char* const Surface = "Closed surface";
const char* const TwoMillimetres = "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;99;0;99;0;99;";

vtkSmartPointer<vtkPolyData> Sphere(double x, double y, double z, double radius, int resolution = 8)
{
  vtkNew<vtkSphereSource> source;
  source->SetCenter(x, y, z);
  source->SetRadius(radius);
  source->SetThetaResolution(resolution);
  source->SetPhiResolution(resolution);
  source->Update();
  return source->GetOutput();
}

vtkSmartPointer<vtkSegment> SegmentOf(vtkDataObject* surface)
{
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->AddRepresentation(Surface, surface);
  return segment;
}

vtkOrientedImageData* ImageOf(vtkSegment* segment, const char* name = Binary)
{
  return vtkOrientedImageData::SafeDownCast(segment->GetRepresentation(name));
}

std::string GeometryOf(vtkOrientedImageData* image)
{
  return vtkSegmentationConverter::SerializeImageGeometry(image);
}

template <class Rule>
vtkSmartPointer<Rule> RuleWith(
  const std::string& geometry, const std::string& oversampling = "1", const std::string& crop = "0")
{
  const auto rule = vtkSmartPointer<Rule>::New();
  rule->SetConversionParameter("Reference image geometry", geometry);
  rule->SetConversionParameter("Oversampling factor", oversampling);
  rule->SetConversionParameter("Crop to reference image geometry", crop);
  return rule;
}

struct Statistics
{
  vtkIdType count = 0;
  double minimum = 0.0;
  double maximum = 0.0;
  double mean = 0.0;
  double sum = 0.0;
};

Statistics StatisticsOf(vtkOrientedImageData* image)
{
  Statistics s;
  vtkDataArray* const scalars = image ? image->GetPointData()->GetScalars() : nullptr;
  s.count = scalars ? scalars->GetNumberOfTuples() : 0;
  if (s.count > 0)
  {
    double range[2];
    scalars->GetRange(range);
    s.minimum = range[0];
    s.maximum = range[1];
    const auto* const bytes = static_cast<const signed char*>(scalars->GetVoidPointer(0));
    for (vtkIdType i = 0; i < s.count; ++i)
    {
      s.sum += bytes[i];
    }
    s.mean = s.sum / static_cast<double>(s.count);
  }
  return s;
}

void names()
{
  vtkNew<BinaryRule> binary;
  CHECK_EQUAL(
    std::string(binary->GetName()), "Closed surface to binary labelmap (simple image stencil)");
  CHECK_EQUAL(binary->GetConversionCost(), 500u);
  vtkNew<FractionalRule> fractional;
  CHECK_EQUAL(std::string(fractional->GetName()),
    "Closed surface to fractional labelmap (simple image stencil)");
  CHECK_EQUAL(fractional->GetConversionCost(), 7000u);
  CHECK_EQUAL(std::string(fractional->GetTargetRepresentationName()), Fractional);
  for (vtkSegmentationConverterRule* rule : { static_cast<vtkSegmentationConverterRule*>(binary),
         static_cast<vtkSegmentationConverterRule*>(fractional) })
  {
    vtkNew<vtkSegmentationConversionParameters> list;
    rule->GetRuleConversionParameters(list);
    CHECK_EQUAL(list->GetNumberOfParameters(), 4);
    const char* const expected[4][2] = { { "Reference image geometry", "" },
      { "Oversampling factor", "1" }, { "Crop to reference image geometry", "0" },
      { "Collapse labelmaps", "1" } };
    for (int i = 0; i < 4; ++i)
    {
      CHECK_EQUAL(list->GetName(i), expected[i][0]);
      CHECK_EQUAL(list->GetValue(i), expected[i][1]);
      CHECK(!list->GetDescription(i).empty());
    }
    rule->SetConversionParameter("Oversampling factor", "3");
    const auto clone = vtk::TakeSmartPointer(rule->Clone());
    CHECK_EQUAL(clone->GetConversionParameter("Oversampling factor"), "3");
    CHECK_EQUAL(std::string(clone->GetClassName()), std::string(rule->GetClassName()));
    const auto source =
      vtk::TakeSmartPointer(rule->ConstructRepresentationObjectByRepresentation(Surface));
    CHECK(vtkPolyData::SafeDownCast(source));
    const auto target = vtk::TakeSmartPointer(
      rule->ConstructRepresentationObjectByRepresentation(rule->GetTargetRepresentationName()));
    CHECK(vtkOrientedImageData::SafeDownCast(target));
    CHECK(!rule->ConstructRepresentationObjectByRepresentation("Planar contour"));
    CHECK(!rule->ConstructRepresentationObjectByClass("vtkImageData"));
  }
}

/// What the original's segmentation test says of a sphere without and with a reference.
void defaultGeometry()
{
  const auto segment = SegmentOf(Sphere(50, 50, 50, 30));
  segment->SetLabelValue(5);
  vtkNew<BinaryRule> rule;
  CHECK(rule->Convert(segment));
  vtkOrientedImageData* image = ImageOf(segment);
  CHECK_EQUAL(GeometryOf(image),
    "0.23597152210841135;0;0;20.75216293334961;0;0.23597152210841135;0;20.75216293334961;0;0;"
    "0.23597152210841135;20;0;0;0;1;0;248;0;248;-1;255;");
  CHECK_EQUAL(image->GetNumberOfPoints(), 15934257);
  CHECK_EQUAL(image->GetScalarType(), VTK_UNSIGNED_CHAR);
  CHECK_EQUAL(segment->GetLabelValue(), 1);
  const Statistics fine = StatisticsOf(image);
  CHECK_EQUAL(fine.maximum, 1.0);
  // The polyhedron's volume, from its points, over that of a voxel.
  CHECK(std::fabs(fine.sum / 7365605.0 - 1.0) < 1e-6);

  rule->SetConversionParameter("Reference image geometry", TwoMillimetres);
  CHECK(rule->Convert(segment));
  CHECK(ImageOf(segment) != image); // a new object
  image = ImageOf(segment);
  CHECK_EQUAL(GeometryOf(image), "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;10;40;10;40;10;40;");
  CHECK_EQUAL(image->GetNumberOfPoints(), 29791);
  CHECK_EQUAL(StatisticsOf(image).maximum, 1.0);
}

/// The numbers of the original's fractional test.
void fractional()
{
  const auto segment = SegmentOf(Sphere(0, 0, 0, 30));
  segment->SetLabelValue(5);
  const auto rule =
    RuleWith<FractionalRule>("1; 0; 0; -29.24783706665039; 0; 1; 0; -29.24783706665039; "
                             "0; 0; 1; -30; 0; 0; 0; 1; 0; 59; 0; 59; 0; 60;");
  CHECK(rule->Convert(segment));
  vtkOrientedImageData* const image = ImageOf(segment, Fractional);
  CHECK(image != nullptr);
  CHECK_EQUAL(segment->GetLabelValue(), 5);
  const Statistics got = StatisticsOf(image);
  CHECK_EQUAL(got.count, 234484);
  CHECK_EQUAL(got.minimum, -108.0);
  CHECK_EQUAL(got.maximum, 108.0);
  // The original's mean is -18.846224. Of the 216 * 234484 samples four lie 1.0e-6 and 1.7e-6
  // voxels outside of the surface's planes, which Slicer's stencil takes in
  // (fractional-exact-samples).
  const double theirSum = std::round(-18.846224 * 234484.0);
  CHECK_EQUAL(got.sum, theirSum - 4.0);
  CHECK(std::fabs((got.sum + 4.0) / 234484.0 + 18.846224) < 1e-5);
  vtkFieldData* const fields = image->GetFieldData();
  CHECK_EQUAL(Values(fields->GetArray("ScalarRange")), "-108 108");
  CHECK_EQUAL(Values(fields->GetArray("ThresholdValue")), "0");
  CHECK_EQUAL(Values(fields->GetArray("InterpolationType")), "1");
  CHECK(rule->PostConvert(nullptr));

  // The filter alone gives the same voxels, whole and by pieces.
  vtkNew<vtkPolyDataToFractionalLabelmapFilter> filter;
  filter->SetInputData(Sphere(0, 0, 0, 30));
  vtkNew<vtkMatrix4x4> matrix;
  image->GetImageToWorldMatrix(matrix);
  filter->SetOutputImageToWorldMatrix(matrix);
  filter->SetOutputWholeExtent(image->GetExtent());
  filter->Update();
  CHECK(filter->GetOutput()->IsA("vtkOrientedImageData"));
  CHECK_EQUAL(GeometryOf(filter->GetOutput()), GeometryOf(image));
  const auto* const whole = static_cast<const char*>(image->GetScalarPointer());
  CHECK_RANGES(static_cast<const char*>(filter->GetOutput()->GetScalarPointer()), whole, got.count);
  const int piece[6] = { 3, 17, -1, 30, 20, 41 };
  filter->Modified(); // so that the whole is not kept
  filter->UpdateExtent(piece);
  vtkOrientedImageData* const part = filter->GetOutput();
  CHECK_RANGES(part->GetExtent(), piece, 6);
  vtkIdType wrong = 0;
  for (int k = piece[4]; k <= piece[5]; ++k)
  {
    for (int j = piece[2]; j <= piece[3]; ++j)
    {
      for (int i = piece[0]; i <= piece[1]; ++i)
      {
        wrong += *static_cast<char*>(part->GetScalarPointer(i, j, k)) !=
          *static_cast<char*>(image->GetScalarPointer(i, j, k));
      }
    }
  }
  CHECK_EQUAL(wrong, 0);
}

void filterProperties()
{
  vtkNew<vtkPolyDataToFractionalLabelmapFilter> filter;
  CHECK_EQUAL(filter->GetNumberOfOffsets(), 6);
  CHECK(filter->GetOutput() != nullptr);
  filter->SetOutputOrigin(1, 2, 3);
  filter->SetOutputSpacing(3, 4, 5);
  vtkNew<vtkMatrix4x4> matrix;
  filter->GetOutputImageToWorldMatrix(matrix);
  CHECK_EQUAL(matrix->GetElement(1, 1), 4.0);
  CHECK_EQUAL(matrix->GetElement(2, 3), 3.0);
  // A new surface gives new voxels, with no call of DeleteCache.
  filter->SetInputData(Sphere(5, 5, 5, 3));
  filter->SetOutputOrigin(0, 0, 0);
  filter->SetOutputSpacing(1, 1, 1);
  filter->SetOutputWholeExtent(0, 9, 0, 9, 0, 9);
  filter->Update();
  const double first = StatisticsOf(filter->GetOutput()).sum;
  filter->SetInputData(Sphere(5, 5, 5, 4));
  filter->Update();
  CHECK(StatisticsOf(filter->GetOutput()).sum > first + 1000);
  // All samples in is 108 for any number of them.
  filter->SetNumberOfOffsets(2);
  filter->Update();
  CHECK_EQUAL(StatisticsOf(filter->GetOutput()).maximum, 108.0);
  filter->SetNumberOfOffsets(99);
  CHECK_EQUAL(filter->GetNumberOfOffsets(), 16);
  filter->SetNumberOfOffsets(1);

  // An information input's directions count; a turned image of a turned frame shows the same.
  vtkNew<vtkOrientedImageData> reference;
  reference->SetDirections(0, -1, 0, 1, 0, 0, 0, 0, -1);
  reference->SetOrigin(9, 0, 9);
  reference->SetExtent(0, 9, 0, 9, 0, 9);
  filter->SetInformationInput(reference);
  filter->Update();
  vtkOrientedImageData* const output = filter->GetOutput();
  CHECK_EQUAL(GeometryOf(output), GeometryOf(reference));
  CHECK_EQUAL(static_cast<int>(*static_cast<char*>(output->GetScalarPointer(5, 4, 4))), 108);

  Ear ear(filter);
  filter->SetOutputSpacing(1, 0, 1);
  CHECK(ear.Complained("no component may be 0"));
  CHECK_EQUAL(filter->GetOutputSpacing()[1], 1.0);
  const auto bad = Sphere(5, 5, 5, 3);
  bad->GetPoints()->SetPoint(3, 1.0, std::numeric_limits<double>::quiet_NaN(), 0.0);
  filter->SetInputData(bad);
  filter->Update();
  CHECK(ear.Complained("point 3 is not finite"));
  CHECK(filter->GetOutput()->IsEmpty());
  filter->SetInputData(Sphere(5, 5, 5, 3));
  filter->SetInformationInput(nullptr);
  filter->SetOutputWholeExtent(0, -1, 0, -1, 0, -1);
  filter->Update();
  CHECK(filter->GetOutput()->IsEmpty());
}

void oversamplingAndCrop()
{
  const auto segment = SegmentOf(Sphere(50, 50, 50, 30));
  const char* const oblique =
    "0.6;0.8;0;3;-0.8;0.6;0;0;0;0;-2;1;0;0;0;1;-9;19;50;80;-30;-20;"; // left-handed
  struct
  {
    const char* geometry;
    const char* oversampling;
    const char* crop;
    const char* expected;
  } const cases[] = {
    { TwoMillimetres, "2", "0", "1;0;0;-0.5;0;1;0;-0.5;0;0;1;-0.5;0;0;0;1;21;80;21;80;20;81;" },
    { TwoMillimetres, "A", "0", "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;10;40;10;40;10;40;" },
    { TwoMillimetres, "0.5", "1", "4;0;0;1;0;4;0;1;0;0;4;1;0;0;0;1;4;20;4;20;4;20;" },
    { TwoMillimetres, "", "0", "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;10;40;10;40;10;40;" },
    { "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;30;0;99;20;30;", "1", "1",
      "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;10;30;10;40;20;30;" },
    { "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;50;60;0;99;20;30;", "1", "1",
      "2;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;-1;0;-1;0;-1;" },
  };
  for (const auto& c : cases)
  {
    check::setContext(c.geometry, " ", c.oversampling, " ", c.crop);
    CHECK(RuleWith<BinaryRule>(c.geometry, c.oversampling, c.crop)->Convert(segment));
    CHECK_EQUAL(GeometryOf(ImageOf(segment)), c.expected);
  }
  check::setContext("");
  // A cropped image is that part of the whole one; directions are kept, however they turn.
  CHECK(RuleWith<BinaryRule>(oblique)->Convert(segment));
  const vtkSmartPointer<vtkOrientedImageData> whole = ImageOf(segment);
  // Voxels of 1 x 1 x 2 mm and those of the default lattice hold the same volume.
  CHECK(std::fabs(StatisticsOf(whole).sum * 2.0 / (7365605.0 * std::pow(0.23597152210841135, 3.0)) -
          1.0) < 0.01);
  CHECK(RuleWith<BinaryRule>(oblique, "1", "1")->Convert(segment));
  vtkOrientedImageData* const part = ImageOf(segment);
  int extent[6];
  part->GetExtent(extent);
  CHECK(extent[4] == -30 && extent[5] == -20 && !part->IsEmpty());
  vtkIdType wrong = 0;
  for (int k = extent[4]; k <= extent[5]; ++k)
  {
    for (int j = extent[2]; j <= extent[3]; ++j)
    {
      for (int i = extent[0]; i <= extent[1]; ++i)
      {
        wrong += *static_cast<char*>(part->GetScalarPointer(i, j, k)) !=
          *static_cast<char*>(whole->GetScalarPointer(i, j, k));
      }
    }
  }
  CHECK_EQUAL(wrong, 0);

  // The old labelmap's lattice and extent, on request; the object is new all the same.
  const auto old = vtkSmartPointer<vtkOrientedImageData>::New();
  old->SetSpacing(3, 2, 2);
  old->SetDirections(0, 1, 0, 1, 0, 0, 0, 0, 1);
  old->SetExtent(20, 30, 5, 20, 20, 30);
  segment->AddRepresentation(Binary, old);
  const auto rule = RuleWith<BinaryRule>(TwoMillimetres);
  rule->SetUseOutputImageDataGeometry(true);
  CHECK(rule->Convert(segment));
  CHECK(ImageOf(segment) != old);
  CHECK_EQUAL(GeometryOf(ImageOf(segment)), GeometryOf(old));
  CHECK(StatisticsOf(ImageOf(segment)).sum > 100.0);
  segment->RemoveRepresentation(Binary);
  Ear ear(rule);
  CHECK(!rule->Convert(segment));
  CHECK(ear.Complained("UseOutputImageDataGeometry"));
}

/// Cuboids from 0 to 2 and 2 to 4 share a face with voxel centres on it: each voxel has one owner.
void abutting()
{
  const auto cuboid = [](double x0, double x1)
  {
    auto surface = vtkSmartPointer<vtkPolyData>::New();
    vtkNew<vtkPoints> points;
    for (int c = 0; c < 8; ++c)
    {
      points->InsertNextPoint(c & 1 ? x1 : x0, c & 2 ? 3.0 : 0.0, c & 4 ? 3.0 : 0.0);
    }
    vtkNew<vtkCellArray> polys;
    const vtkIdType quads[6][4] = { { 0, 4, 6, 2 }, { 1, 3, 7, 5 }, { 0, 1, 5, 4 }, { 2, 6, 7, 3 },
      { 0, 2, 3, 1 }, { 4, 5, 7, 6 } };
    for (const auto& quad : quads)
    {
      polys->InsertNextCell(4, quad);
    }
    surface->SetPoints(points);
    surface->SetPolys(polys);
    return surface;
  };
  vtkNew<vtkSegmentation> segmentation;
  segmentation->SetSourceRepresentationName(Surface);
  vtkSmartPointer<vtkSegment> segments[2] = { SegmentOf(cuboid(0, 2)), SegmentOf(cuboid(2, 4)) };
  const char* const turned = "0;-1;0;0;1;0;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;";
  double sums[2];
  for (int s = 0; s < 2; ++s)
  {
    CHECK(RuleWith<BinaryRule>(turned)->Convert(segments[s]));
    sums[s] = StatisticsOf(ImageOf(segments[s])).sum;
  }
  CHECK_EQUAL(sums[0] + sums[1], 4.0 * 3.0 * 3.0);
  CHECK_EQUAL(sums[0], 2.0 * 3.0 * 3.0);
}

/// Polygons of any kind bound the same solid: an L-shaped prism, its caps as one polygon that is
/// not convex, its sides as a strip; beside the same prism of triangles that was cut by hand.
void polygons()
{
  const double corner[6][2] = { { 0.3, 0.2 }, { 6.3, 0.2 }, { 6.3, 2.2 }, { 2.3, 2.2 },
    { 2.3, 5.2 }, { 0.3, 5.2 } };
  const auto prism = [&corner](bool triangles)
  {
    auto surface = vtkSmartPointer<vtkPolyData>::New();
    vtkNew<vtkPoints> points;
    points->SetDataTypeToDouble();
    for (int c = 0; c < 12; ++c)
    {
      points->InsertNextPoint(corner[c % 6][0], corner[c % 6][1], c < 6 ? 0.4 : 4.6);
    }
    vtkNew<vtkCellArray> polys;
    vtkNew<vtkCellArray> strips;
    if (triangles)
    {
      // From corner 3, which sees all others, the cap is a fan.
      for (const vtkIdType cap : { 0, 6 })
      {
        for (const vtkIdType t : { 4, 5, 0, 1 })
        {
          const vtkIdType ids[3] = { cap + 3, cap + t, cap + (t + 1) % 6 };
          polys->InsertNextCell(3, ids);
        }
      }
      for (vtkIdType c = 0; c < 6; ++c)
      {
        const vtkIdType next = (c + 1) % 6;
        const vtkIdType ids[2][3] = { { c, next, c + 6 }, { next, next + 6, c + 6 } };
        polys->InsertNextCell(3, ids[0]);
        polys->InsertNextCell(3, ids[1]);
      }
    }
    else
    {
      const vtkIdType caps[2][6] = { { 0, 1, 2, 3, 4, 5 }, { 11, 10, 9, 8, 7, 6 } };
      polys->InsertNextCell(6, caps[0]);
      polys->InsertNextCell(6, caps[1]);
      const vtkIdType side[14] = { 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 0, 6 };
      strips->InsertNextCell(14, side);
      vtkNew<vtkCellArray> lines; // not a part of the surface
      const vtkIdType line[2] = { 0, 9 };
      lines->InsertNextCell(2, line);
      surface->SetLines(lines);
    }
    surface->SetPoints(points);
    surface->SetPolys(polys);
    surface->SetStrips(strips);
    return surface;
  };
  const char* const unit = "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;9;0;9;0;9;";
  const auto a = SegmentOf(prism(true));
  const auto b = SegmentOf(prism(false));
  CHECK(RuleWith<BinaryRule>(unit)->Convert(a));
  CHECK(RuleWith<BinaryRule>(unit)->Convert(b));
  CHECK_EQUAL(StatisticsOf(ImageOf(a)).sum, (6.0 * 2.0 + 2.0 * 3.0) * 4.0);
  CHECK_EQUAL(GeometryOf(ImageOf(a)), GeometryOf(ImageOf(b)));
  CHECK_EQUAL(Values(ImageOf(a)), Values(ImageOf(b)));
}

/// What cannot be converted is refused, and the segment stays as it was.
void badInput()
{
  vtkNew<BinaryRule> rule;
  Ear ear(rule);
  CHECK(!rule->Convert(nullptr));
  CHECK(ear.Complained("no segment"));
  vtkNew<vtkSegment> bare;
  CHECK(!rule->Convert(bare));
  CHECK(ear.Complained("has none"));
  vtkNew<vtkOrientedImageData> image;
  CHECK(!rule->Convert(SegmentOf(image)));
  CHECK(ear.Complained("has vtkOrientedImageData"));

  const auto segment = SegmentOf(Sphere(0, 0, 0, 3));
  segment->AddRepresentation(Binary, image);
  segment->SetLabelValue(4);
  struct
  {
    const char* name;
    const char* value;
    const char* complaint;
  } const cases[] = {
    { "Reference image geometry", "2;0;0", "geometry text" },
    { "Reference image geometry", "0;0;0;0;0;2;0;0;0;0;2;0;0;0;0;1;0;99;0;99;0;99;", "" },
    { "Reference image geometry", "1;1;0;0;1;1;0;0;0;0;2;0;0;0;0;1;0;99;0;99;0;99;",
      "not independent" },
    { "Reference image geometry", "1e-12;0;0;0;0;1e-12;0;0;0;0;1e-12;0;0;0;0;1;0;99;0;99;0;99;",
      "do not fit" },
    { "Reference image geometry", "1e-8;0;0;0;0;1e-8;0;0;0;0;1e-8;0;0;0;0;1;0;99;0;99;0;99;", "" },
    { "Oversampling factor", "twice", "must be a number or A" },
    { "Crop to reference image geometry", "yes", "must be 0 or 1" },
  };
  for (const auto& c : cases)
  {
    check::setContext(c.name, " = ", c.value);
    vtkNew<BinaryRule> wrong;
    wrong->SetConversionParameter(c.name, c.value);
    Ear heard(wrong);
    CHECK(!wrong->Convert(segment));
    CHECK(heard.Complained(c.complaint));
    CHECK_EQUAL(ImageOf(segment), image.GetPointer());
    CHECK_EQUAL(segment->GetLabelValue(), 4);
    vtkNew<FractionalRule> other;
    other->SetConversionParameter(c.name, c.value);
    CHECK(!other->Convert(segment));
    CHECK(ImageOf(segment, Fractional) == nullptr);
  }
  check::setContext("");
  rule->SetConversionParameter("Collapse labelmaps", "all");
  CHECK(!rule->PostConvert(nullptr));
  CHECK(ear.Complained("'Collapse labelmaps' must be 0 or 1"));

  const auto bad = Sphere(0, 0, 0, 3);
  bad->GetPoints()->SetPoint(3, 1.0, std::numeric_limits<double>::infinity(), 0.0);
  vtkNew<BinaryRule> withReference;
  withReference->SetConversionParameter("Reference image geometry", TwoMillimetres);
  Ear other(withReference);
  CHECK(!withReference->Convert(SegmentOf(bad)));
  CHECK(other.Complained("point 3 is not finite"));

  // An empty surface is the surface of an empty segment. A flat one holds nothing.
  vtkNew<vtkPolyData> empty;
  const auto nothing = SegmentOf(empty);
  vtkNew<FractionalRule> fractionalRule;
  CHECK(withReference->Convert(nothing));
  CHECK(ImageOf(nothing)->IsEmpty());
  CHECK(fractionalRule->Convert(nothing));
  CHECK(ImageOf(nothing, Fractional)->IsEmpty());
  const auto flat = Sphere(0, 0, 0, 3);
  for (vtkIdType i = 0; i < flat->GetNumberOfPoints(); ++i)
  {
    double p[3];
    flat->GetPoint(i, p);
    flat->GetPoints()->SetPoint(i, p[0], p[1], 1.0);
  }
  flat->GetPoints()->Modified();
  const auto sheet = SegmentOf(flat);
  vtkNew<BinaryRule> plain;
  CHECK(plain->Convert(sheet));
  const Statistics none = StatisticsOf(ImageOf(sheet));
  CHECK(none.count > 60000 && none.count < 70000); // about 251 x 251 x 1
  CHECK_EQUAL(none.maximum, 0.0);
}

/// Segments through vtkSegmentation: created on demand, and sharing images where they do not meet.
void segmentations()
{
  auto* const factory = vtkSegmentationConverterFactory::GetInstance();
  vtkNew<BinaryRule> rule;
  factory->RegisterConverterRule(rule);
  {
    vtkNew<vtkSegmentation> segmentation;
    segmentation->SetSourceRepresentationName(Surface);
    segmentation->SetConversionParameter(
      "Reference image geometry", "0.1;0;0;0;0;0.1;0;0;0;0;0.1;0;0;0;0;1;0;9;0;9;0;9;");
    CHECK(segmentation->AddSegment(SegmentOf(Sphere(0, 0, 0, 1)), "a"));
    CHECK(segmentation->AddSegment(SegmentOf(Sphere(-1, 0, 0, 2)), "b"));
    CHECK(segmentation->AddSegment(SegmentOf(Sphere(5, 0, 0, 2)), "c"));
    vtkNew<vtkPolyData> empty;
    CHECK(segmentation->AddSegment(SegmentOf(empty), "d"));
    CHECK_EQUAL(segmentation->GetNumberOfLayers(Surface), 4);
    CHECK(segmentation->CreateRepresentation(Binary));
    CHECK_EQUAL(segmentation->GetNumberOfLayers(Binary), 2);
    CHECK_EQUAL(segmentation->GetLayerIndex("a", Binary), 0);
    CHECK_EQUAL(segmentation->GetLayerIndex("b", Binary), 1);
    CHECK_EQUAL(segmentation->GetLayerIndex("c", Binary), 0);
    segmentation->RemoveRepresentation(Binary);
    segmentation->SetConversionParameter("Collapse labelmaps", "0");
    CHECK(segmentation->CreateRepresentation(Binary));
    CHECK_EQUAL(segmentation->GetNumberOfLayers(Binary), 4);
  }
  factory->UnregisterConverterRule(rule);
}

/// Small and large segments, two with one surface and one without: the same as each by itself.
void manySegments()
{
  const std::string geometry = "0.1;0;0;0;0;0.12;0;0;0;0;0.1;0;0;0;0;1;0;9;0;9;0;9;";
  std::vector<vtkSmartPointer<vtkPolyData>> surfaces;
  for (int i = 0; i < 24; ++i)
  {
    // The largest have more than four million voxels around them.
    const double radius = i % 11 == 3 ? 9.5 : 0.3 + 0.1 * i;
    surfaces.push_back(Sphere(3.1 * i, 0.2 * i, -i, radius, 6 + i));
  }
  surfaces.push_back(surfaces[5]);
  surfaces.push_back(vtkSmartPointer<vtkPolyData>::New());
  surfaces.push_back(Sphere(1, 2, 3, 1.5));

  auto* const factory = vtkSegmentationConverterFactory::GetInstance();
  vtkNew<BinaryRule> rule;
  factory->RegisterConverterRule(rule);
  for (const int threads : { 1, 3 })
  {
    vtkNew<vtkSegmentation> segmentation;
    segmentation->SetSourceRepresentationName(Surface);
    segmentation->SetConversionParameter("Reference image geometry", geometry);
    segmentation->SetConversionParameter("Collapse labelmaps", "0");
    for (std::size_t i = 0; i < surfaces.size(); ++i)
    {
      CHECK(segmentation->AddSegment(SegmentOf(surfaces[i]), "s" + std::to_string(i)));
    }
    check::withThreads(threads, [&]() { CHECK(segmentation->CreateRepresentation(Binary)); });
    for (std::size_t i = 0; i < surfaces.size(); ++i)
    {
      check::setContext("threads ", threads, ", segment ", i);
      vtkOrientedImageData* const got = ImageOf(segmentation->GetNthSegment(static_cast<int>(i)));
      const auto alone = SegmentOf(surfaces[i]);
      CHECK(RuleWith<BinaryRule>(geometry)->Convert(alone));
      CHECK_EQUAL(GeometryOf(got), GeometryOf(ImageOf(alone)));
      const Statistics statistics = StatisticsOf(got);
      CHECK_EQUAL(statistics.count, StatisticsOf(ImageOf(alone)).count);
      if (statistics.count > 0 && statistics.count == StatisticsOf(ImageOf(alone)).count)
      {
        CHECK_RANGES(static_cast<const char*>(got->GetScalarPointer()),
          static_cast<const char*>(ImageOf(alone)->GetScalarPointer()), statistics.count);
      }
    }
  }
  check::setContext("");
  factory->UnregisterConverterRule(rule);
}

} // namespace

int TestSurfaceToLabelmapRules(int, char*[])
{
  names();
  defaultGeometry();
  fractional();
  filterProperties();
  oversamplingAndCrop();
  abutting();
  polygons();
  badInput();
  segmentations();
  manySegments();
  return check::result();
}
