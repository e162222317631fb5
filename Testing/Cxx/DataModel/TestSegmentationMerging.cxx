// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Several labelmaps in one: collapsing, merging, common geometry. Expected values were worked out
// by hand or, where Slicer's class is followed, seen there.
#include "DataModelTest.h"
#include "vtkSegmentation.h"

#include "vtkIntArray.h"
#include "vtkMatrix4x4.h"
#include "vtkSegment.h"
#include "vtkSegmentationConverter.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace
{
const std::string BL = "Binary labelmap";

void Add(vtkSegmentation* segmentation, const std::string& id, vtkDataObject* image, int label = 1)
{
  vtkNew<vtkSegment> segment;
  segment->SetName(id.c_str());
  segment->SetLabelValue(label);
  segment->AddRepresentation(BL, image);
  CHECK(segmentation->AddSegment(segment, id));
}

vtkOrientedImageData* Image(vtkSegmentation* segmentation, const std::string& id)
{
  return vtkOrientedImageData::SafeDownCast(segmentation->GetSegmentRepresentation(id, BL));
}

/// Layer, label and voxels of a segment; the extent along x.
std::string State(vtkSegmentation* segmentation, const std::string& id)
{
  vtkOrientedImageData* image = Image(segmentation, id);
  return std::to_string(segmentation->GetLayerIndex(id)) + "/" +
    std::to_string(segmentation->GetSegment(id)->GetLabelValue()) + " [" + Values(image) + "] " +
    std::to_string(image->GetExtent()[0]) + ".." + std::to_string(image->GetExtent()[1]);
}

/// A cube of voxels of value 1 with all three indices from lo to hi.
vtkSmartPointer<vtkOrientedImageData> Cube(
  int lo, int hi, int type = VTK_UNSIGNED_CHAR, int value = 1)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(lo, hi, lo, hi, lo, hi);
  image->AllocateScalars(type, 1);
  image->GetPointData()->GetScalars()->Fill(value);
  return image;
}

int Count(vtkSegmentation* segmentation, const std::string& id)
{
  vtkDataArray* scalars = Image(segmentation, id)->GetPointData()->GetScalars();
  const int label = segmentation->GetSegment(id)->GetLabelValue();
  int count = 0;
  for (vtkIdType i = 0; i < scalars->GetNumberOfTuples(); ++i)
  {
    count += scalars->GetComponent(i, 0) == label;
  }
  return count;
}

std::string Counts(vtkSegmentation* segmentation)
{
  std::string text;
  for (const std::string& id : segmentation->GetSegmentIDs())
  {
    text += (text.empty() ? "" : " ") + std::to_string(Count(segmentation, id));
  }
  return text;
}

void CollapseRow()
{
  vtkNew<vtkSegmentation> segmentation;
  const auto first = Row({ 0, 1, 3, 0, 0, 0 });
  Add(segmentation, "a", first, 1);
  Add(segmentation, "b", first, 3);
  Add(segmentation, "no voxels", first, 7);
  Add(segmentation, "fits", Row({ 0, 0, 0, 1, 0 }));
  Add(segmentation, "wider", Row({ 1, 0, 0, 0, 0, 0, 0, 1 }));
  Add(segmentation, "empty", Row({ 0, 0 }));
  Add(segmentation, "far", Row({ 0, 0, 1, 0 }, 8));
  Add(segmentation, "overlaps", Row({ 0, 1, 0, 0, 0 }, 0));
  Add(segmentation, "too", Row({ 0, 1, 1, 0, 0 }, 1));
  Ear ear(segmentation);
  segmentation->CollapseBinaryLabelmaps();
  CHECK_EQUAL(ear.Take(),
    "Segment:a Segment:b Segment:no voxels Segment:fits Segment:wider Segment:empty Segment:far "
    "Segment:overlaps Segment:too");
  CHECK_EQUAL(State(segmentation, "a"), "0/1 [9 1 3 8 0 0 0 9 0 0 11] 0..10");
  CHECK(Image(segmentation, "a") != first); // and that one is as it was
  CHECK_EQUAL(Values(first), "0 1 3 0 0 0");
  for (const auto& expected : std::map<std::string, int>{ { "b", 3 }, { "no voxels", 7 },
         { "fits", 8 }, { "wider", 9 }, { "empty", 10 }, { "far", 11 } })
  {
    CHECK_EQUAL(segmentation->GetSegment(expected.first)->GetLabelValue(), expected.second);
    CHECK_EQUAL(segmentation->GetLayerIndex(expected.first), 0);
  }
  CHECK_EQUAL(State(segmentation, "overlaps"), "1/1 [1 2 2] 1..3"); // a
  CHECK_EQUAL(State(segmentation, "too"), "1/2 [1 2 2] 1..3");      // b, but not "overlaps"
}

void CollapseCubes()
{
  const auto noVoxel = vtkSmartPointer<vtkOrientedImageData>::New();
  noVoxel->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
  const auto make = [&noVoxel](vtkSegmentation* segmentation)
  {
    Add(segmentation, "1", Cube(0, 2));
    Add(segmentation, "2", Cube(-2, 2));
    Add(segmentation, "3", Cube(0, 0, VTK_CHAR, 0));
    Add(segmentation, "4", Cube(0, 2));
    Add(segmentation, "5", Cube(3, 5));
    Add(segmentation, "6", noVoxel);
  };
  vtkNew<vtkSegmentation> segmentation;
  make(segmentation);
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 6);
  segmentation->CollapseBinaryLabelmaps(false);
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 3);
  CHECK_EQUAL(Counts(segmentation), "27 125 0 27 27 0");
  Ear ear(segmentation);
  segmentation->CollapseBinaryLabelmaps(true);
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 1);
  CHECK_EQUAL(Counts(segmentation), "0 98 0 27 27 0");
  CHECK_EQUAL(
    ear.Take(), "Segment:1 Segment:2 Segment:3 Segment:4 Segment:5 Segment:6 Names Source");
  CHECK_EQUAL(Image(segmentation, "1")->GetScalarType(), VTK_SHORT);
  segmentation->SeparateSegmentLabelmap("1");
  CHECK_EQUAL(segmentation->GetNumberOfLayers(), 2);

  // With one thread as with several.
  for (const int threads : { 1, 4 })
  {
    check::setContext("threads ", threads);
    vtkNew<vtkSegmentation> again;
    make(again);
    check::withThreads(threads, [&again]() { again->CollapseBinaryLabelmaps(); });
    CHECK_EQUAL(Counts(again), "27 125 0 27 27 0");
  }
  check::setContext("");
}

/// Enough segments for all threads: each goes where it goes when they come one after the other.
void CollapseMany()
{
  constexpr int segments = 40;
  for (const int threads : { 1, 4 })
  {
    check::setContext("threads ", threads);
    vtkNew<vtkSegmentation> segmentation;
    std::string counts;
    std::vector<vtkIdType> expected;
    std::vector<int> layers; // by a slow obvious rule: the first layer with room
    std::vector<std::vector<std::pair<int, int>>> taken;
    for (int i = 0; i < segments; ++i)
    {
      const int lo = (7 * i) % 60;
      const int hi = lo + i % 5;
      Add(segmentation, "s" + std::to_string(i), Cube(lo, hi));
      expected.push_back((i % 5 + 1) * (i % 5 + 1) * (i % 5 + 1));
      counts += (i ? " " : "") + std::to_string(expected.back());
      std::size_t layer = 0;
      const auto meets = [lo, hi](const std::pair<int, int>& other)
      { return other.first <= hi && lo <= other.second; };
      while (layer < taken.size() && std::any_of(taken[layer].begin(), taken[layer].end(), meets))
      {
        ++layer;
      }
      taken.resize(std::max(taken.size(), layer + 1));
      taken[layer].emplace_back(lo, hi);
      layers.push_back(static_cast<int>(layer));
    }
    check::withThreads(threads, [&]() { segmentation->CollapseBinaryLabelmaps(); });
    CHECK_EQUAL(Counts(segmentation), counts);
    CHECK(taken.size() > 2);
    CHECK_EQUAL(segmentation->GetNumberOfLayers(), static_cast<int>(taken.size()));
    for (int i = 0; i < segments; ++i)
    {
      CHECK_EQUAL(segmentation->GetLayerIndex("s" + std::to_string(i)), layers[i]);
    }
  }
  check::setContext("");
}

void CollapseLattices()
{
  vtkNew<vtkSegmentation> segmentation;
  Add(segmentation, "a", Row({ 0, 1, 1, 0, 0, 0 }));
  const auto fine = Row({ 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1 });
  fine->SetSpacing(0.5, 1, 1);
  Add(segmentation, "b", fine);
  segmentation->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(segmentation, "b"), "0/2 [0 1 1 0 0 2 0] 0..6");
  CHECK(Image(segmentation, "b")->GetSpacing()[0] == 1);

  vtkNew<vtkSegmentation> shifted;
  Add(shifted, "a", Row({ 0, 1, 1, 0, 0, 0 }));
  const auto moved = Row({ 0, 1, 1 });
  moved->SetOrigin(3, 0, 0);
  Add(shifted, "b", moved);
  shifted->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(shifted, "b"), "0/2 [0 1 1 0 2 2] 0..5");

  // A segment that overlaps another one needs no other voxels than its own; the next one joins it
  // on these, or the first layer on that one's.
  vtkNew<vtkSegmentation> apart;
  Add(apart, "a", Row({ 0, 1, 1, 0, 0, 0 }));
  const auto half = Row({ 0, 0, 1, 1, 1, 0, 0 });
  half->SetSpacing(0.5, 1, 1);
  Add(apart, "b", half);
  Add(apart, "c", Row({ 0, 1 }));
  Add(apart, "d", Row({ 0, 0, 0, 0, 1 }));
  apart->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(apart, "a"), "0/1 [0 1 1 0 2 0] 0..5");
  CHECK_EQUAL(State(apart, "b"), "1/1 [1 1 1] 2..4");
  CHECK(Image(apart, "b")->GetSpacing()[0] == 0.5);
  CHECK_EQUAL(State(apart, "c"), "2/1 [1] 1..1");
  CHECK_EQUAL(State(apart, "d"), State(apart, "a").replace(2, 1, "2"));

  // A segment between the centres of coarse voxels would be lost among them.
  vtkNew<vtkSegmentation> fineAmongCoarse;
  const auto coarse = Row({ 1, 0, 0 });
  coarse->SetSpacing(5, 5, 5);
  Add(fineAmongCoarse, "a", coarse);
  Add(fineAmongCoarse, "b", Row({ 0, 0, 0, 0, 0, 0, 0, 1 }));
  fineAmongCoarse->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(fineAmongCoarse, "b"), "1/1 [1] 7..7");
}

void CollapseWidens()
{
  vtkNew<vtkSegmentation> segmentation;
  Add(segmentation, "a", Row({ 255, 0, 0 }), 255);
  Add(segmentation, "b", Row({ 0, 0, 5 }, 0, VTK_UNSIGNED_SHORT), 5);
  Ear ear(segmentation);
  segmentation->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(segmentation, "b"), "0/256 [255 0 256] 0..2");
  CHECK_EQUAL(Image(segmentation, "b")->GetScalarType(), VTK_UNSIGNED_SHORT);

  // Other representations stay: every segment looks as before.
  vtkNew<vtkSegmentation> floats;
  Add(floats, "z", Row({ 0, 1, 2 }, 0, VTK_FLOAT), 2);
  Add(floats, "b", Row({ 5, 0, 0 }, 0, VTK_UNSIGNED_SHORT), 5);
  floats->CollapseBinaryLabelmaps();
  CHECK_EQUAL(State(floats, "b"), "0/3 [3 1 2] 0..2");
  CHECK_EQUAL(Image(floats, "b")->GetScalarType(), VTK_FLOAT);

  vtkNew<vtkSegmentation> full;
  Add(full, "a", Row({ VTK_INT_MAX }, 0, VTK_INT), VTK_INT_MAX);
  Add(full, "b", Row({ 0, 1 }));
  Ear fullEar(full);
  full->CollapseBinaryLabelmaps();
  CHECK(fullEar.Complained("no larger one") && full->GetNumberOfLayers() == 2);
}

void Merging()
{
  vtkNew<vtkSegmentation> segmentation;
  const auto shared = Row({ 1, 2, 3, 4, 0, 0 });
  Add(segmentation, "a", shared, 1);
  Add(segmentation, "b", shared, 2);
  Add(segmentation, "c", shared, 3);
  Add(segmentation, "over", Row({ 0, 0, 1, 1, 1 }));
  Ear ear(segmentation);
  segmentation->MergeSegmentLabelmaps({ "over", "b", "over", "c" });
  CHECK_EQUAL(ear.Take(), "Segment:b Segment:c Segment:over Names Source");
  CHECK_EQUAL(State(segmentation, "c"), "1/3 [0 2 3 1 1] 0..4"); // c over "over"
  CHECK_EQUAL(Values(shared), "1 0 0 4 0 0");                    // no voxels of those that left
  CHECK_EQUAL(Image(segmentation, "c")->GetScalarType(), VTK_SHORT);

  segmentation->MergeSegmentLabelmaps({});
  CHECK_EQUAL(ear.Take(), "");
  segmentation->MergeSegmentLabelmaps({ "a", "nobody" });
  CHECK(ear.Complained("no segment 'nobody'"));
  vtkNew<vtkSegment> bare;
  segmentation->GetSegment("a")->RemoveAllRepresentations();
  segmentation->MergeSegmentLabelmaps({ "a" });
  CHECK(ear.Complained("segment 'a' has no"));
}

void MergedLabelmap()
{
  vtkNew<vtkSegmentation> segmentation;
  vtkNew<vtkOrientedImageData> merged;
  Ear ear(segmentation);
  const int mode = vtkSegmentation::EXTENT_UNION_OF_SEGMENTS;
  CHECK(!segmentation->GenerateMergedLabelmap(merged, mode) && ear.Complained("no segments"));
  const auto shared = Row({ 0, 5, 6, 0 });
  Add(segmentation, "a", shared, 5);
  Add(segmentation, "b", shared, 6);
  Add(segmentation, "c", Row({ 1, 1 }, 2));
  CHECK(segmentation->GenerateMergedLabelmap(merged, mode));
  CHECK(Values(merged) == "0 1 3 3" && merged->GetScalarType() == VTK_SHORT);
  CHECK(segmentation->GenerateMergedLabelmap(merged, mode, nullptr, { "c", "b" }));
  CHECK_EQUAL(Values(merged), "0 0 2 1"); // the later one wins
  vtkNew<vtkIntArray> values;
  values->InsertNextValue(70000);
  values->InsertNextValue(-3);
  CHECK(segmentation->GenerateMergedLabelmap(merged, mode, nullptr, { "a", "c" }, values));
  CHECK(Values(merged) == "0 70000 -3 -3" && merged->GetScalarType() == VTK_INT);
  CHECK(segmentation->GenerateMergedLabelmap(
    merged, vtkSegmentation::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS));
  CHECK(Values(merged) == "1 3 3" && merged->GetExtent()[0] == 1);

  // Another lattice, oblique, and an image that is its own geometry.
  vtkNew<vtkOrientedImageData> lattice;
  lattice->SetExtent(0, 7, 0, 0, 0, 0);
  lattice->SetSpacing(0.5, 1, 1);
  lattice->SetOrigin(-0.25, 0, 0);
  CHECK(segmentation->GenerateMergedLabelmap(lattice, mode, lattice, { "a", "b" }));
  CHECK_EQUAL(Values(lattice), "0 0 1 1 2 2 0 0");
  vtkNew<vtkStringArray> names;
  names->InsertNextValue("b");
  CHECK(segmentation->GenerateMergedLabelmap(merged, mode, nullptr, names.GetPointer()));
  CHECK_EQUAL(Values(merged), "0 0 1 0");

  // Refused: the image stays.
  CHECK(!segmentation->GenerateMergedLabelmap(merged, mode, nullptr, { "a" }, values));
  CHECK(ear.Complained("2 label values given for 1 segments"));
  CHECK(!segmentation->GenerateMergedLabelmap(merged, mode, nullptr, { "nobody" }));
  CHECK(ear.Complained("'nobody'"));
  CHECK(!segmentation->GenerateMergedLabelmap(nullptr, mode) && ear.Complained("no image"));
  CHECK_EQUAL(Values(merged), "0 0 1 0");
  vtkNew<vtkSegmentation> empty;
  empty->AddEmptySegment("e");
  CHECK(empty->GenerateMergedLabelmap(merged, mode)); // nothing to merge
  CHECK_EQUAL(Values(merged), "0 0 1 0");
}

/// The extent along x that a geometry text says, and its origin and spacing there.
std::string Along(const std::string& geometry)
{
  vtkNew<vtkMatrix4x4> matrix;
  int extent[6];
  if (!vtkSegmentationConverter::DeserializeImageGeometry(geometry, matrix, extent))
  {
    return "(none)";
  }
  CHECK(extent[0] == extent[2] && extent[1] == extent[5]);
  std::ostringstream text;
  text << extent[0] << ".." << extent[1] << " " << matrix->GetElement(0, 3) << " "
       << matrix->GetElement(0, 0);
  return text.str();
}

void CommonGeometry()
{
  vtkNew<vtkSegmentation> segmentation;
  const auto big = [](int lo, int hi, double spacing)
  {
    auto image = Cube(0, 9, VTK_UNSIGNED_CHAR, 0);
    image->SetSpacing(spacing, spacing, spacing);
    for (int i = lo; i <= hi; ++i)
    {
      image->SetScalarComponentFromDouble(i, i, i, 0, 1);
    }
    return image;
  };
  CHECK(segmentation->DetermineCommonLabelmapGeometry().empty());
  Add(segmentation, "a", big(2, 5, 1));
  Add(segmentation, "b", big(8, 9, 0.5));
  int mode = 0;
  for (const char* extent : { "3..11", "-1..19", "-2..20", "3..11", "2..12", "3..11" })
  {
    CHECK_EQUAL(
      Along(segmentation->DetermineCommonLabelmapGeometry(mode++)), std::string(extent) + " 0 0.5");
  }
  segmentation->SetConversionParameter(
    vtkSegmentationConverter::GetReferenceImageGeometryParameterName(),
    "1;0;0;0;0;1;0;0;0;0;1;0;0;0;0;1;0;3;0;3;0;3;");
  mode = 0;
  for (const char* extent : { "0..7", "0..19", "-2..21", "4..11", "2..13", "0..11" })
  {
    CHECK_EQUAL(Along(segmentation->DetermineCommonLabelmapGeometry(mode++)),
      std::string(extent) + " -0.25 0.5");
  }
  Ear ear(segmentation);
  CHECK(segmentation->DetermineCommonLabelmapGeometry(6).empty() && ear.Complained("mode 6"));
  CHECK(segmentation->DetermineCommonLabelmapGeometry(-1).empty() && ear.Complained("mode -1"));
  CHECK(segmentation->DetermineCommonLabelmapGeometry(1, { "nobody" }).empty());
  CHECK(ear.Complained("'nobody'"));
  vtkNew<vtkStringArray> names;
  names->InsertNextValue("a");
  CHECK_EQUAL(Along(segmentation->DetermineCommonLabelmapGeometry(3, names)), "2..5 0 1");

  vtkNew<vtkOrientedImageData> image;
  CHECK(segmentation->SetImageGeometryFromCommonLabelmapGeometry(image, names));
  CHECK(image->GetExtent()[0] == 2 && !image->GetPointData()->GetScalars());
  CHECK(!segmentation->SetImageGeometryFromCommonLabelmapGeometry(nullptr));
  CHECK(ear.Complained("no image"));
  int extent[6] = { 7, 7, 7, 7, 7, 7 };
  segmentation->DetermineCommonLabelmapExtent(extent, nullptr, names);
  CHECK(ear.Complained("no image") && extent[0] == 7);
  segmentation->DetermineCommonLabelmapExtent(extent, image, names, true, true);
  CHECK(extent[0] == 1 && extent[1] == 6);

  // A reference much finer than the labelmaps, and one that cannot be read.
  const std::string parameter = vtkSegmentationConverter::GetReferenceImageGeometryParameterName();
  segmentation->SetConversionParameter(
    parameter, "0.1;0;0;0;0;0.1;0;0;0;0;0.1;0;0;0;0;1;0;3;0;3;0;3;");
  CHECK_EQUAL(Along(segmentation->DetermineCommonLabelmapGeometry(0)), "0..3 0 0.1");
  CHECK(ear.Complained("times as large"));
  segmentation->SetConversionParameter(parameter, "rubbish");
  CHECK(segmentation->DetermineCommonLabelmapGeometry(0).empty());
  vtkNew<vtkSegmentation> zero;
  Add(zero, "z", Cube(0, 2, VTK_SHORT, 0));
  CHECK_EQUAL(Along(zero->DetermineCommonLabelmapGeometry(3)), "0..-1 0 1");
  vtkNew<vtkSegmentation> empty;
  empty->AddEmptySegment("e");
  Ear emptyEar(empty);
  CHECK(!empty->SetImageGeometryFromCommonLabelmapGeometry(image));
  CHECK(emptyEar.Complained("no segment has a labelmap") && image->GetExtent()[0] == 2);
}

void HundredSegments()
{
  // One label each, in an image of its own; every one goes to layer 0 or, if it overlaps, to
  // another.
  vtkNew<vtkSegmentation> segmentation;
  check::Random random(11);
  std::map<std::string, std::vector<int>> voxels;
  for (int i = 0; i < 100; ++i)
  {
    const std::string id = "s" + std::to_string(i);
    std::vector<int> row(200, 0);
    const int start = static_cast<int>(random.below(150));
    std::fill(row.begin() + start, row.begin() + start + 1 + static_cast<int>(random.below(40)), 1);
    Add(segmentation, id, Row(row, static_cast<int>(random.below(9))));
    vtkOrientedImageData* image = Image(segmentation, id);
    for (int x = image->GetExtent()[0]; x <= image->GetExtent()[1]; ++x)
    {
      if (image->GetScalarComponentAsDouble(x, 0, 0, 0) == 1)
      {
        voxels[id].push_back(x);
      }
    }
  }
  segmentation->CollapseBinaryLabelmaps();
  CHECK(segmentation->GetNumberOfLayers() < 60 && segmentation->GetNumberOfLayers() > 5);
  for (const std::string& id : segmentation->GetSegmentIDs())
  {
    check::setContext("segment ", id);
    vtkOrientedImageData* image = Image(segmentation, id);
    const int label = segmentation->GetSegment(id)->GetLabelValue();
    std::vector<int> found;
    for (int x = image->GetExtent()[0]; x <= image->GetExtent()[1]; ++x)
    {
      if (image->GetScalarComponentAsDouble(x, 0, 0, 0) == label)
      {
        found.push_back(x);
      }
    }
    CHECK(found == voxels[id]);
  }
  check::setContext("");
}
}

int TestSegmentationMerging(int, char*[])
{
  CollapseRow();
  CollapseCubes();
  CollapseMany();
  CollapseLattices();
  CollapseWidens();
  Merging();
  MergedLabelmap();
  CommonGeometry();
  HundredSegments();
  return check::result();
}
