// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "DataModelTest.h"

#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"
#include "vtkCellArray.h"
#include "vtkCellData.h"
#include "vtkDoubleArray.h"
#include "vtkFieldData.h"
#include "vtkFractionalLabelmapToClosedSurfaceConversionRule.h"
#include "vtkMatrix4x4.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConversionParameters.h"

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace
{

using BinaryRule = vtkBinaryLabelmapToClosedSurfaceConversionRule;
using FractionalRule = vtkFractionalLabelmapToClosedSurfaceConversionRule;
using Point = std::array<double, 3>;

/// Checks that the surface is closed and returns its signed volume: positive if it looks outward.
double closedVolume(vtkPolyData* surface)
{
  std::map<std::pair<vtkIdType, vtkIdType>, int> balance;
  double volume = 0.0;
  vtkCellArray* cells = surface->GetPolys();
  vtkIdType size = 0;
  const vtkIdType* ids = nullptr;
  for (cells->InitTraversal(); cells->GetNextCell(size, ids);)
  {
    CHECK_EQUAL(size, 3);
    double p[3][3];
    for (vtkIdType c = 0; c < 3; ++c)
    {
      surface->GetPoint(ids[c], p[c]);
      const vtkIdType a = ids[c];
      const vtkIdType b = ids[(c + 1) % 3];
      balance[{ std::min(a, b), std::max(a, b) }] += a < b ? 1 : -1;
    }
    volume += (p[0][0] * (p[1][1] * p[2][2] - p[1][2] * p[2][1]) +
                p[0][1] * (p[1][2] * p[2][0] - p[1][0] * p[2][2]) +
                p[0][2] * (p[1][0] * p[2][1] - p[1][1] * p[2][0])) /
      6.0;
  }
  for (const auto& edge : balance)
  {
    CHECK_EQUAL(edge.second, 0);
  }
  return volume;
}

std::set<Point> pointsOf(vtkPolyData* surface)
{
  std::set<Point> points;
  for (vtkIdType p = 0; p < surface->GetNumberOfPoints(); ++p)
  {
    Point point{};
    surface->GetPoint(p, point.data());
    points.insert(point);
  }
  return points;
}

/// An image from 1, 2, 3 to 21, 20, 17 with oblique, anisotropic geometry.
vtkSmartPointer<vtkOrientedImageData> Image(const std::function<double(int, int, int)>& value,
  int type = VTK_UNSIGNED_CHAR, bool mirrored = false)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(1, 21, 2, 20, 3, 17);
  image->AllocateScalars(type, 1);
  const double c = std::cos(0.4);
  const double s = std::sin(0.4);
  image->SetDirections(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, mirrored ? -1.0 : 1.0);
  image->SetSpacing(0.5, 1.25, 2.0);
  image->SetOrigin(-7.0, 11.0, 13.0);
  vtkDataArray* scalars = image->GetPointData()->GetScalars();
  vtkIdType i = 0;
  for (int z = 3; z <= 17; ++z)
  {
    for (int y = 2; y <= 20; ++y)
    {
      for (int x = 1; x <= 21; ++x)
      {
        scalars->SetComponent(i++, 0, value(x, y, z));
      }
    }
  }
  return image;
}

/// Two boxes side by side, labels 1 and 300; 6 * 8 * 8 voxels and 9 * 8 * 8.
double twoBoxes(int x, int y, int z)
{
  const bool inside = y >= 6 && y <= 13 && z >= 5 && z <= 12;
  return !inside ? 0 : x >= 4 && x <= 9 ? 1 : x >= 10 && x <= 18 ? 300 : 0;
}

vtkSmartPointer<vtkSegment> Segment(
  vtkDataObject* image, int label, const char* representation = "Binary labelmap")
{
  auto segment = vtkSmartPointer<vtkSegment>::New();
  segment->SetName(std::to_string(label).c_str());
  segment->SetLabelValue(label);
  segment->AddRepresentation(representation, image);
  return segment;
}

vtkPolyData* surfaceOf(vtkSegment* segment)
{
  return vtkPolyData::SafeDownCast(segment->GetRepresentation("Closed surface"));
}

vtkSmartPointer<vtkPolyData> Convert(vtkSegmentationConverterRule* rule, vtkSegment* segment)
{
  segment->RemoveRepresentation("Closed surface");
  CHECK(rule->Convert(segment));
  vtkSmartPointer<vtkPolyData> surface = surfaceOf(segment);
  CHECK(surface != nullptr);
  return surface;
}

void set(vtkSegmentationConverterRule* rule,
  const std::vector<std::pair<std::string, std::string>>& parameters)
{
  for (const auto& parameter : parameters)
  {
    CHECK(rule->HasConversionParameter(parameter.first));
    rule->SetConversionParameter(parameter.first, parameter.second);
  }
}

void testInterface()
{
  check::setContext("interface");
  vtkNew<BinaryRule> binary;
  vtkNew<FractionalRule> fractional;
  const std::vector<std::pair<std::string, std::string>> expected{ { "Decimation factor", "0.0" },
    { "Smoothing factor", "0.5" }, { "Compute surface normals", "1" }, { "Conversion method", "0" },
    { "SurfaceNets smoothing", "0" }, { "Joint smoothing", "0" },
    { "Fractional labelmap oversampling factor", "1" }, { "Threshold fraction", "0.5" } };
  for (const bool both : { false, true })
  {
    vtkSegmentationConverterRule* rule = binary;
    if (both)
    {
      rule = fractional;
    }
    vtkNew<vtkSegmentationConversionParameters> parameters;
    rule->GetRuleConversionParameters(parameters);
    CHECK_EQUAL(parameters->GetNumberOfParameters(), both ? 8 : 6);
    for (int i = 0; i < parameters->GetNumberOfParameters(); ++i)
    {
      const auto& entry = expected[static_cast<std::size_t>(i)];
      CHECK_EQUAL(parameters->GetName(i), entry.first);
      CHECK_EQUAL(parameters->GetValue(i), entry.second);
      CHECK(parameters->GetDescription(i).size() > 20 &&
        parameters->GetDescription(i).find_first_of("|&") == std::string::npos);
    }
    CHECK_EQUAL(std::string(rule->GetTargetRepresentationName()), "Closed surface");
  }
  CHECK_EQUAL(std::string(binary->GetSourceRepresentationName()), "Binary labelmap");
  CHECK_EQUAL(std::string(fractional->GetSourceRepresentationName()), "Fractional labelmap");
  CHECK_EQUAL(std::string(binary->GetName()), "Binary labelmap to closed surface");
  CHECK_EQUAL(std::string(fractional->GetName()), "Fractional labelmap to closed surface");
  CHECK_EQUAL(binary->GetConversionCost(), 500u);
  CHECK_EQUAL(fractional->GetConversionCost(), 600u);
  CHECK_EQUAL(BinaryRule::CONVERSION_METHOD_FLYING_EDGES, "0");
  CHECK_EQUAL(BinaryRule::CONVERSION_METHOD_SURFACE_NETS, "1");
  set(fractional, { { "Smoothing factor", "0.25" } });
  const auto clone = vtkSmartPointer<vtkSegmentationConverterRule>::Take(fractional->Clone());
  CHECK(clone->IsA("vtkFractionalLabelmapToClosedSurfaceConversionRule"));
  CHECK_EQUAL(clone->GetConversionParameter("Smoothing factor"), "0.25");
  for (const char* name : { "Binary labelmap", "Closed surface" })
  {
    const auto object = vtkSmartPointer<vtkDataObject>::Take(
      binary->ConstructRepresentationObjectByRepresentation(name));
    CHECK(object && object->IsA(name[0] == 'B' ? "vtkOrientedImageData" : "vtkPolyData"));
  }
  CHECK(!binary->ConstructRepresentationObjectByRepresentation("Fractional labelmap"));
  CHECK(!binary->ConstructRepresentationObjectByClass("vtkTable"));
}

/// Unsmoothed surfaces have volumes in closed form, by millimetres.
void testVolumes()
{
  const double voxel = 0.5 * 1.25 * 2.0;
  const double bevels = 5.0 / 6.0; // at the eight corners
  for (const bool mirrored : { false, true })
  {
    const auto image = Image(twoBoxes, VTK_UNSIGNED_SHORT, mirrored);
    vtkNew<BinaryRule> rule;
    set(rule, { { "Smoothing factor", "0" } });
    for (const char* method : { "0", "1" })
    {
      for (const char* joint : { "0", "1" })
      {
        check::setContext("mirrored ", mirrored, " method ", method, " joint ", joint);
        set(rule, { { "Conversion method", method }, { "Joint smoothing", joint } });
        const auto one = Convert(rule, Segment(image, 1));
        const auto two = Convert(rule, Segment(image, 300));
        const bool nets = method[0] == '1';
        const double loss[2] = { nets ? 0.0 : (6 + 8 + 8 - 3) / 2.0 + bevels,
          nets ? 0.0 : (9 + 8 + 8 - 3) / 2.0 + bevels };
        CHECK(std::abs(closedVolume(one) - voxel * (384 - loss[0])) < 0.02);
        CHECK(std::abs(closedVolume(two) - voxel * (576 - loss[1])) < 0.02);
        CHECK_EQUAL(one->GetPointData()->GetNumberOfArrays(), nets ? 0 : 1);
        CHECK_EQUAL(one->GetCellData()->GetNumberOfArrays(), 0);
        if (!nets)
        {
          // Outward, and in world coordinates: the centre is at index 6.5, 9.5, 8.5.
          vtkDataArray* normals = one->GetPointData()->GetNormals();
          CHECK(normals && normals->GetName() == std::string("Normals"));
          vtkNew<vtkMatrix4x4> toWorld;
          image->GetImageToWorldMatrix(toWorld);
          const double index[4] = { 6.5, 9.5, 8.5, 1.0 };
          double centre[4];
          toWorld->MultiplyPoint(index, centre);
          for (vtkIdType p = 0; normals && p < one->GetNumberOfPoints(); ++p)
          {
            double at[3];
            one->GetPoint(p, at);
            double along = 0.0;
            for (int a = 0; a < 3; ++a)
            {
              along += normals->GetComponent(p, a) * (at[a] - centre[a]);
            }
            CHECK(along > 0.0);
          }
        }
      }
    }
    check::setContext("no normals");
    set(rule, { { "Conversion method", "0" }, { "Compute surface normals", "0" } });
    CHECK(!Convert(rule, Segment(image, 1))->GetPointData()->GetNormals());
  }
  check::setContext("border");
  vtkNew<BinaryRule> rule;
  set(rule, { { "Smoothing factor", "0" }, { "Conversion method", "1" } });
  const auto full = Image([](int, int, int) { return 1; });
  CHECK(std::abs(closedVolume(Convert(rule, Segment(full, 1))) - voxel * 21 * 19 * 15) < 1.0);
}

/// A ball and its complement in a box.
double ball(int x, int y, int z)
{
  const double d[3] = { x - 10.8, (y - 11.2), (z - 9.9) };
  const bool in = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < 30.0;
  return in ? 2 : y >= 5 && y <= 17 && x >= 4 && z >= 5 && z <= 15 ? 1 : 0;
}

void testSmoothing()
{
  const auto image = Image(ball);
  for (const char* method : { "0", "1" })
  {
    for (const char* internal : { "0", "1" })
    {
      check::setContext("smoothing, method ", method, " internal ", internal);
      vtkNew<BinaryRule> rule;
      set(rule,
        { { "Conversion method", method }, { "SurfaceNets smoothing", internal },
          { "Smoothing factor", "0" } });
      const auto rough = Convert(rule, Segment(image, 2));
      set(rule, { { "Smoothing factor", "0.5" } });
      const auto smooth = Convert(rule, Segment(image, 2));
      CHECK_EQUAL(rough->GetNumberOfPoints(), smooth->GetNumberOfPoints());
      CHECK(pointsOf(rough) != pointsOf(smooth));
      CHECK(std::abs(closedVolume(smooth) / closedVolume(rough) - 1.0) < 0.2);
      // Twice the same, bit for bit.
      CHECK(pointsOf(Convert(rule, Segment(image, 2))) == pointsOf(smooth));
      set(rule, { { "Decimation factor", "0.5" } });
      const auto fewer = Convert(rule, Segment(image, 2));
      CHECK(fewer->GetNumberOfPolys() < 0.7 * static_cast<double>(smooth->GetNumberOfPolys()));
      CHECK(closedVolume(fewer) > 0.75 * closedVolume(rough));

      // Jointly: every point of the ball that the other one surrounds is a point of both.
      set(rule, { { "Decimation factor", "0.0" }, { "Joint smoothing", "1" } });
      const auto inner = Convert(rule, Segment(image, 2));
      const auto outer = Convert(rule, Segment(image, 1));
      closedVolume(inner);
      closedVolume(outer);
      const std::set<Point> both = pointsOf(outer);
      std::size_t shared = 0;
      for (const Point& point : pointsOf(inner))
      {
        shared += both.count(point);
      }
      CHECK(shared > 100);
      set(rule, { { "Joint smoothing", "0" } });
      const std::set<Point> alone = pointsOf(Convert(rule, Segment(image, 1)));
      std::size_t separate = 0;
      for (const Point& point : pointsOf(smooth))
      {
        separate += alone.count(point);
      }
      CHECK(separate < shared);
    }
  }
}

/// All segments of a layer in one go give what each gives alone, whatever has a surface already.
void testLayers()
{
  const auto image =
    Image([](int x, int y, int z) { return (x / 5 + y / 6 + z / 4) % 4; }, VTK_INT);
  const auto other = Image(ball);
  for (const char* joint : { "0", "1" })
  {
    check::setContext("layers, joint ", joint);
    vtkNew<vtkSegmentation> segmentation;
    std::vector<vtkSmartPointer<vtkSegment>> segments;
    for (const int label : { 1, 2, 3, 7 })
    {
      segments.push_back(Segment(image, label));
    }
    segments.push_back(Segment(other, 2));
    segments.push_back(Segment(other, 1));
    for (std::size_t i = 0; i < segments.size(); ++i)
    {
      CHECK(segmentation->AddSegment(segments[i], std::to_string(i)));
    }
    vtkNew<BinaryRule> rule;
    set(rule, { { "Joint smoothing", joint } });
    std::vector<std::set<Point>> expected;
    for (const auto& segment : segments)
    {
      const auto copy =
        Segment(segment->GetRepresentation("Binary labelmap"), segment->GetLabelValue());
      expected.push_back(pointsOf(Convert(rule, copy)));
    }
    CHECK(expected[3].empty());
    for (const std::vector<std::size_t>& order :
      { std::vector<std::size_t>{ 0, 1, 2, 3, 4, 5 }, { 5, 3, 1 }, { 2, 2, 0 }, { 1 } })
    {
      // The first pass makes the surfaces, the second one fills the same objects again.
      for (const bool again : { false, true })
      {
        CHECK(rule->PreConvert(segmentation));
        for (const std::size_t i : order)
        {
          vtkPolyData* before = surfaceOf(segments[i]);
          CHECK(rule->Convert(segments[i]));
          CHECK(pointsOf(surfaceOf(segments[i])) == expected[i]);
          CHECK(!again || surfaceOf(segments[i]) == before);
          if (again)
          {
            before->Initialize();
          }
        }
        CHECK(rule->PostConvert(segmentation));
      }
      for (const auto& segment : segments)
      {
        segment->RemoveRepresentation("Closed surface");
      }
    }
  }
}

void testCreateClosedSurface()
{
  check::setContext("CreateClosedSurface");
  const auto image = Image(twoBoxes, VTK_LONG_LONG);
  vtkNew<BinaryRule> rule;
  Ear ear(rule);
  vtkNew<vtkPolyData> surface;
  set(rule, { { "Smoothing factor", "0" } });
  CHECK(rule->CreateClosedSurface(image, surface, { 300, 1, 300 }));
  vtkDataArray* labels = surface->GetCellData()->GetArray("SegmentLabel");
  CHECK(labels && labels->GetNumberOfTuples() == surface->GetNumberOfPolys());
  CHECK(labels && labels->GetComponent(0, 0) == 1.0 &&
    labels->GetComponent(surface->GetNumberOfPolys() - 1, 0) == 300.0);
  const double both = closedVolume(surface);
  CHECK(rule->CreateClosedSurface(image, surface, { 1 }));
  const double first = closedVolume(surface);
  CHECK(rule->CreateClosedSurface(image, surface, { 300 }));
  CHECK(std::abs(first + closedVolume(surface) - both) < 0.02);
  CHECK(rule->CreateClosedSurface(image, surface, { 299 }));
  CHECK_EQUAL(surface->GetNumberOfPoints(), 0);
  CHECK(rule->CreateClosedSurface(image, surface, {}));
  CHECK(rule->CreateClosedSurface(image, surface, { 298, 299 }));
  vtkNew<vtkOrientedImageData> empty;
  CHECK(rule->CreateClosedSurface(empty, surface, { 1 }));
  CHECK_EQUAL(surface->GetNumberOfPoints(), 0);

  CHECK(!rule->CreateClosedSurface(nullptr, surface, { 1 }) && ear.Complained("image"));
  CHECK(!rule->CreateClosedSurface(image, nullptr, { 1 }) && ear.Complained("poly data"));
  CHECK(!rule->CreateClosedSurface(image, surface, { 0 }) && ear.Complained("label value 0"));
  CHECK(!rule->CreateClosedSurface(Image(ball, VTK_FLOAT), surface, { 1 }) &&
    ear.Complained("integer type"));
  const auto bare = Image(ball);
  bare->GetPointData()->SetScalars(nullptr);
  CHECK(!rule->CreateClosedSurface(bare, surface, { 1 }) && ear.Complained("no scalars"));
}

void testBadInput()
{
  check::setContext("bad input");
  const auto image = Image(twoBoxes, VTK_SHORT);
  vtkNew<BinaryRule> rule;
  Ear ear(rule);
  const auto segment = Segment(image, 1);
  CHECK(!rule->Convert(nullptr) && ear.Complained("no segment"));
  CHECK(!rule->PreConvert(nullptr) && ear.Complained("no segmentation"));
  vtkNew<vtkSegment> without;
  without->SetName("bare");
  CHECK(!rule->Convert(without) && ear.Complained("'bare' has no 'Binary labelmap'"));
  const auto background = Segment(image, 0);
  CHECK(!rule->Convert(background) && ear.Complained("label value 0"));
  for (const auto& wrong : std::vector<std::pair<std::string, std::string>>{
         { "Decimation factor", "1.5" }, { "Smoothing factor", "-0.1" },
         { "Smoothing factor", "much" }, { "Conversion method", "2" }, { "Joint smoothing", "" } })
  {
    const std::string before = rule->GetConversionParameter(wrong.first);
    set(rule, { wrong });
    CHECK(!rule->Convert(segment) && ear.Complained("'" + wrong.first + "' is '" + wrong.second));
    CHECK(!surfaceOf(segment));
    set(rule, { { wrong.first, before } });
  }
  CHECK(rule->Convert(segment));
}

/// Values fall off linearly around a centre: the surface is a sphere at any level.
void testFractional()
{
  check::setContext("fractional");
  const auto image = Image([](int x, int y, int z)
    { return 100.0 - 10.0 * std::hypot(std::hypot(x - 11.0, y - 11.0), z - 10.0); }, VTK_DOUBLE);
  const auto setRange = [&](double low, double high)
  {
    vtkNew<vtkDoubleArray> range;
    range->SetName("ScalarRange");
    range->InsertNextValue(low);
    range->InsertNextValue(high);
    image->GetFieldData()->AddArray(range);
  };
  const auto segment = Segment(image, 1, "Fractional labelmap");
  vtkNew<FractionalRule> rule;
  Ear ear(rule);
  setRange(0.0, 100.0);
  const double voxel = 0.5 * 1.25 * 2.0;
  const auto sphere = [voxel](double r)
  { return voxel * 4.0 / 3.0 * 3.14159265358979 * r * r * r; };
  set(rule, { { "Smoothing factor", "0" } });
  vtkIdType points = 0;
  for (const char* oversampling : { "1", "2", "2.5" })
  {
    for (const double fraction : { 0.4, 0.6 })
    {
      check::setContext("fractional ", oversampling, " ", fraction);
      set(rule,
        { { "Threshold fraction", std::to_string(fraction) },
          { "Fractional labelmap oversampling factor", oversampling } });
      const auto surface = Convert(rule, segment);
      CHECK(std::abs(closedVolume(surface) / sphere(10.0 - 10.0 * fraction) - 1.0) < 0.06);
      CHECK(surface->GetPointData()->GetNormals() != nullptr);
      double bounds[6];
      surface->GetBounds(bounds);
      vtkNew<vtkMatrix4x4> toWorld;
      image->GetImageToWorldMatrix(toWorld);
      const double index[4] = { 11.0, 11.0, 10.0, 1.0 };
      double centre[4];
      toWorld->MultiplyPoint(index, centre);
      for (int a = 0; a < 3; ++a)
      {
        CHECK(std::abs(0.5 * (bounds[2 * a] + bounds[2 * a + 1]) - centre[a]) < 0.05);
      }
      if (fraction == 0.6)
      {
        CHECK(surface->GetNumberOfPoints() > 1.4 * static_cast<double>(points));
        points = surface->GetNumberOfPoints();
      }
    }
  }
  check::setContext("fractional, others");
  set(rule,
    { { "Fractional labelmap oversampling factor", "1" }, { "Smoothing factor", "0.5" },
      { "Decimation factor", "0.5" }, { "Threshold fraction", "0.5" } });
  CHECK(std::abs(closedVolume(Convert(rule, segment)) / sphere(5.0) - 1.0) < 0.25);
  // Fractions 0 and 1: all that is above the lowest value, and what reaches the highest.
  set(rule,
    { { "Smoothing factor", "0" }, { "Decimation factor", "0" }, { "Threshold fraction", "0" } });
  CHECK(closedVolume(Convert(rule, segment)) > sphere(7.0));
  set(rule, { { "Threshold fraction", "1" } });
  CHECK(Convert(rule, segment)->GetNumberOfPoints() > 0);
  setRange(0.0, 200.0);
  CHECK_EQUAL(Convert(rule, segment)->GetNumberOfPoints(), 0);

  segment->RemoveRepresentation("Closed surface");
  set(rule, { { "Threshold fraction", "1.1" } });
  CHECK(!rule->Convert(segment) && ear.Complained("Threshold fraction"));
  set(rule, { { "Threshold fraction", "0.5" } });
  setRange(1.0, 1.0);
  CHECK(!rule->Convert(segment) && ear.Complained("ascending range"));
  CHECK(!rule->Convert(nullptr) && ear.Complained("no segment"));
  CHECK(!rule->Convert(Segment(image, 1)) && ear.Complained("no 'Fractional labelmap'"));
  CHECK(!surfaceOf(segment));

  // The type and range that surfaces are made into: -108 to 108 in signed bytes.
  const auto bytes = Image([](int x, int y, int z)
    { return x >= 5 && x <= 12 && y >= 6 && y <= 15 && z >= 5 && z <= 11 ? 108 : -108; }, VTK_CHAR);
  vtkNew<vtkDoubleArray> range;
  range->SetName("ScalarRange");
  range->InsertNextValue(-108.0);
  range->InsertNextValue(108.0);
  bytes->GetFieldData()->AddArray(range);
  const double loss = (8 + 10 + 7 - 3) / 2.0 + 5.0 / 6.0;
  CHECK(std::abs(closedVolume(Convert(rule, Segment(bytes, 1, "Fractional labelmap"))) -
          voxel * (560 - loss)) < 0.02);
}

} // namespace

int TestClosedSurfaceRules(int, char*[])
{
  testInterface();
  testVolumes();
  testSmoothing();
  testLayers();
  testCreateClosedSurface();
  testBadInput();
  testFractional();
  return check::result();
}
