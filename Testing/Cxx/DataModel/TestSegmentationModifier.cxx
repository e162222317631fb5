// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Modes against a plain model of labels in a box, extents, events, what others lose, bad input.
#include "DataModelTest.h"

#include "vtkOrientedImageDataResample.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationModifier.h"
#include "vtkStringArray.h"

#include <algorithm>
#include <array>
#include <map>

namespace
{
const char* const Binary = "Binary labelmap";
using Resample = vtkOrientedImageDataResample;
using Modifier = vtkSegmentationModifier;

vtkSmartPointer<vtkOrientedImageData> Image(
  const std::array<int, 6>& extent, double value, int type = VTK_UNSIGNED_CHAR)
{
  auto image = vtkSmartPointer<vtkOrientedImageData>::New();
  image->SetExtent(const_cast<int*>(extent.data()));
  image->SetSpacing(0.5, 0.8, 1.5);
  image->SetDirections(0, -1, 0, 0.8, 0, 0.6, -0.6, 0, 0.8);
  image->AllocateScalars(type, 1);
  Resample::FillImage(image, value);
  return image;
}

void Add(vtkSegmentation* segmentation, const std::string& id, int label, vtkDataObject* image)
{
  vtkNew<vtkSegment> segment;
  segment->SetName(id.c_str());
  segment->SetLabelValue(label);
  segment->AddRepresentation(Binary, image);
  CHECK(segmentation->AddSegment(segment, id));
}

vtkOrientedImageData* Layer(vtkSegmentation* segmentation, const std::string& id)
{
  return vtkOrientedImageData::SafeDownCast(segmentation->GetSegmentRepresentation(id, Binary));
}

constexpr int Low = -6;
constexpr int Size = 20;
using Voxels = std::array<bool, Size * Size * Size>;

// The voxels of a segment in a fixed box.
Voxels VoxelsOf(vtkSegmentation* segmentation, const std::string& id)
{
  Voxels voxels{};
  vtkOrientedImageData* layer = Layer(segmentation, id);
  const int label = segmentation->GetSegment(id)->GetLabelValue();
  const int* e = layer->GetExtent();
  for (int z = e[4]; z <= e[5]; ++z)
  {
    for (int y = e[2]; y <= e[3]; ++y)
    {
      for (int x = e[0]; x <= e[1]; ++x)
      {
        if (layer->GetScalarComponentAsDouble(x, y, z, 0) == label)
        {
          voxels[static_cast<std::size_t>(x - Low + Size * (y - Low + Size * (z - Low)))] = true;
        }
      }
    }
  }
  return voxels;
}

void ModesAgainstModel(int seed)
{
  check::Random random(static_cast<std::uint64_t>(seed));
  vtkNew<vtkSegmentation> segmentation;
  const auto image = Image({ -2, 5, -1, 6, 0, 7 }, 0, seed % 2 ? VTK_UNSIGNED_CHAR : VTK_INT);
  const std::vector<std::string> ids{ "a", "b", "c" };
  // A label above 32767 in every other run.
  const int high = seed % 2 ? 200 : 70000;
  Add(segmentation, "a", 1, image);
  Add(segmentation, "b", high, image);
  Add(segmentation, "c", 1, Image({ 0, 3, 0, 3, 0, 3 }, 1));
  const int part[6] = { -1, 2, 0, 3, 1, 4 };
  Resample::FillImage(image, high, part);
  std::map<std::string, Voxels> model;
  for (const std::string& id : ids)
  {
    model[id] = VoxelsOf(segmentation, id);
  }
  for (int step = 0; step < 40; ++step)
  {
    check::setContext("seed ", seed, " step ", step);
    std::array<int, 6> extent, clip;
    for (int a = 0; a < 3; ++a)
    {
      extent[2 * a] = static_cast<int>(random.between(-5, 7));
      extent[2 * a + 1] = extent[2 * a] + static_cast<int>(random.below(5));
      clip[2 * a] = static_cast<int>(random.between(-5, 7));
      clip[2 * a + 1] = clip[2 * a] + 4;
    }
    const auto stroke = Image(extent, 0, random.below(2) ? VTK_UNSIGNED_CHAR : VTK_FLOAT);
    vtkDataArray* values = stroke->GetPointData()->GetScalars();
    for (vtkIdType i = 0; i < values->GetNumberOfTuples(); ++i)
    {
      values->SetComponent(i, 0, static_cast<double>(random.below(3))); // 2 is inside as well
    }
    const bool clipped = random.below(3) == 0;
    const std::string id = ids[static_cast<std::size_t>(random.below(3))];
    const int mode = static_cast<int>(random.below(4));
    const bool every = random.below(4) == 0;
    const bool allowed = random.below(2);
    if (clipped && mode == Modifier::MODE_REPLACE)
    {
      continue; // an extent apart from the modifier's gives an image of zeros there
    }

    Voxels asked{}, inside{};
    for (int z = extent[4]; z <= extent[5]; ++z)
    {
      for (int y = extent[2]; y <= extent[3]; ++y)
      {
        for (int x = extent[0]; x <= extent[1]; ++x)
        {
          const bool in = !clipped ||
            (x >= clip[0] && x <= clip[1] && y >= clip[2] && y <= clip[3] && z >= clip[4] &&
              z <= clip[5]);
          const auto at = static_cast<std::size_t>(x - Low + Size * (y - Low + Size * (z - Low)));
          asked[at] = in;
          inside[at] = in && stroke->GetScalarComponentAsDouble(x, y, z, 0) > 0;
        }
      }
    }
    std::vector<std::string> sharing;
    segmentation->GetSegmentIDsSharingBinaryLabelmapRepresentation(id, sharing, false);
    bool overlap = false;
    for (const std::string& other : sharing)
    {
      for (std::size_t n = 0; n < inside.size(); ++n)
      {
        overlap = overlap || (inside[n] && model[other][n]);
      }
    }
    const bool moves = overlap && !allowed;
    std::vector<std::string> lose;
    for (const std::string& other : sharing)
    {
      bool loses = false;
      for (std::size_t n = 0; n < inside.size() && !moves; ++n)
      {
        loses = loses || (inside[n] && model[other][n]);
        if (mode != Modifier::MODE_MERGE_MIN)
        {
          model[other][n] = model[other][n] && !inside[n];
        }
        else if (every && asked[n] && !inside[n])
        {
          model[other][n] = false;
        }
      }
      if (loses && mode != Modifier::MODE_MERGE_MIN)
      {
        lose.push_back(other);
      }
    }
    for (std::size_t n = 0; n < inside.size(); ++n)
    {
      bool& voxel = model[id][n];
      voxel = mode == Modifier::MODE_REPLACE ? inside[n]
        : mode == Modifier::MODE_MERGE_MIN   ? voxel && (!asked[n] || inside[n])
                                             : voxel || inside[n];
    }
    std::vector<std::string> modified;
    CHECK(Modifier::ModifyBinaryLabelmap(stroke, segmentation, id, mode,
      clipped ? clip.data() : nullptr, every, false, allowed ? ids : std::vector<std::string>(),
      &modified));
    lose.push_back(id);
    CHECK_EQUAL(Joined(modified), Joined(lose));
    for (const std::string& each : ids)
    {
      CHECK(VoxelsOf(segmentation, each) == model[each]);
      vtkOrientedImageData* layer = Layer(segmentation, each);
      int effective[6];
      if (each == id && Resample::CalculateEffectiveExtent(layer, effective))
      {
        CHECK_RANGES(layer->GetExtent(), effective, 6); // tight, whatever happened
      }
    }
  }
}

void EventsAndMaximum()
{
  vtkNew<vtkSegmentation> segmentation;
  const auto image = Image({ 0, 9, 0, 9, 0, 9 }, 1);
  const int part[6] = { 5, 9, 0, 9, 0, 9 };
  Resample::FillImage(image, 2, part);
  Add(segmentation, "a", 1, image);
  Add(segmentation, "b", 2, image);
  Ear ear(segmentation);
  Ear pixels(image);
  // In a shared labelmap the maximum of 2 and 1 would leave the voxels to b.
  const auto stroke = Image({ 4, 6, 4, 6, 4, 6 }, 1);
  std::vector<std::string> modified;
  CHECK(Modifier::ModifyBinaryLabelmap(stroke, segmentation, "b", Modifier::MODE_MERGE_MAX, nullptr,
    false, false, { "a", "b" }, &modified));
  CHECK_EQUAL(Joined(modified), std::string("a b"));
  CHECK(image->GetScalarComponentAsDouble(4, 4, 4, 0) == 2);
  CHECK_EQUAL(ear.Take(), std::string("Source Representation:b"));
  CHECK_EQUAL(pixels.Take(), std::string("Modified")); // once
  // Nothing changes: nothing is fired.
  CHECK(Modifier::ModifyBinaryLabelmap(
    stroke, segmentation, "b", Modifier::MODE_MERGE_MASK, nullptr, false, false, { "a", "b" }));
  CHECK_EQUAL(ear.Take(), std::string());
  CHECK_EQUAL(pixels.Take(), std::string());
  // With the reaction of the source: other representations go.
  segmentation->GetSegment("a")->AddRepresentation("Other", image);
  ear.Take();
  const int inside[6] = { 4, 4, 4, 4, 4, 4 };
  CHECK(Modifier::ModifyBinaryLabelmap(
    stroke, segmentation, "a", Modifier::MODE_MERGE_MASK, inside, false, true, { "b" }));
  CHECK(!segmentation->GetSegment("a")->GetRepresentation("Other"));
  const std::string heard = ear.Take();
  CHECK(heard.find("Names Source") != std::string::npos);
  CHECK(heard.find("Representation:a") != std::string::npos);
  // A labelmap that is a modifier itself.
  CHECK(Modifier::ModifyBinaryLabelmap(
    image, segmentation, "a", Modifier::MODE_MERGE_MASK, nullptr, false, false, { "b" }));
  CHECK(VoxelsOf(segmentation, "a") != VoxelsOf(segmentation, "b"));
}

void OtherLatticeAndEmpty()
{
  vtkNew<vtkSegmentation> segmentation;
  Add(segmentation, "a", 3, Image({ 0, 3, 0, 3, 0, 3 }, 3));
  const auto stroke = Image({ 10, 12, 0, 2, 0, 2 }, 1);
  stroke->SetSpacing(0.25, 0.4, 0.75);
  CHECK(Modifier::ModifyBinaryLabelmap(stroke, segmentation, "a", Modifier::MODE_MERGE_MASK));
  vtkOrientedImageData* layer = Layer(segmentation, "a");
  CHECK(Resample::DoGeometriesMatch(layer, stroke));
  CHECK(layer->GetScalarComponentAsDouble(11, 1, 1, 0) == 3);
  CHECK(layer->GetScalarComponentAsDouble(5, 5, 5, 0) == 3);
  // Empty labelmaps take the modifier's lattice and type; the minimum leaves them alone.
  vtkNew<vtkSegmentation> two;
  two->AddEmptySegment("x");
  two->AddEmptySegment("y");
  CHECK(Modifier::ModifyBinaryLabelmap(stroke, two, "y", Modifier::MODE_MERGE_MIN));
  CHECK(Layer(two, "y")->IsEmpty());
  CHECK(Modifier::ModifyBinaryLabelmap(stroke, two, "y", Modifier::MODE_MERGE_MAX));
  CHECK(Resample::DoGeometriesMatch(Layer(two, "y"), stroke));
  CHECK(VoxelsOf(two, "x") == Voxels{});
  CHECK_RANGES(Layer(two, "y")->GetExtent(), stroke->GetExtent(), 6);
}

void SharedInMask()
{
  vtkNew<vtkSegmentation> segmentation;
  const auto image = Image({ 0, 9, 0, 0, 0, 0 }, 0);
  for (int i = 0; i < 10; ++i)
  {
    image->SetScalarComponentFromDouble(i, 0, 0, 0, i / 2);
  }
  for (int label = 1; label <= 4; ++label)
  {
    Add(segmentation, std::string(1, static_cast<char>('a' + label)), label, image);
  }
  const auto mask = Image({ 3, 5, 0, 0, 0, 0 }, 2);
  std::vector<std::string> found{ "old" };
  CHECK(Modifier::GetSharedSegmentIDsInMask(segmentation, "e", mask, nullptr, found));
  CHECK_EQUAL(Joined(found), std::string("b c"));
  CHECK(Modifier::GetSharedSegmentIDsInMask(segmentation, "b", mask, nullptr, found, 0, true));
  CHECK_EQUAL(Joined(found), std::string("b c"));
  const int extent[6] = { 4, 9, 0, 0, 0, 0 };
  CHECK(Modifier::GetSharedSegmentIDsInMask(segmentation, "b", mask, extent, found, 0, true));
  CHECK_EQUAL(Joined(found), std::string("c"));
  CHECK(Modifier::GetSharedSegmentIDsInMask(segmentation, "b", mask, nullptr, found, 2, true));
  CHECK_EQUAL(Joined(found), std::string());
}

void BadInput()
{
  vtkNew<vtkSegmentation> segmentation;
  Ear ear(segmentation);
  const auto stroke = Image({ 0, 1, 0, 1, 0, 1 }, 1);
  Add(segmentation, "a", 1, Image({ 0, 3, 0, 3, 0, 3 }, 1));
  vtkNew<vtkSegment> other;
  other->SetName("surface");
  ear.Take();
  const std::string before = Values(Layer(segmentation, "a"));
  CHECK(!Modifier::ModifyBinaryLabelmap(nullptr, segmentation, "a"));
  CHECK(!Modifier::ModifyBinaryLabelmap(stroke, nullptr, "a"));
  CHECK(!Modifier::ModifyBinaryLabelmap(stroke, segmentation, ""));
  CHECK(!Modifier::ModifyBinaryLabelmap(stroke, segmentation, "nobody"));
  CHECK(ear.Complained("no segment 'nobody'"));
  CHECK(!Modifier::ModifyBinaryLabelmap(stroke, segmentation, "a", 4));
  CHECK(ear.Complained("no merge mode 4"));
  vtkNew<vtkOrientedImageData> bare;
  CHECK(!Modifier::ModifyBinaryLabelmap(bare, segmentation, "a"));
  CHECK(ear.Complained("no scalars"));
  segmentation->GetSegment("a")->SetLabelValue(0);
  ear.Take();
  CHECK(!Modifier::ModifyBinaryLabelmap(stroke, segmentation, "a"));
  CHECK(ear.Complained("above 0"));
  CHECK_EQUAL(Values(Layer(segmentation, "a")), before);
  std::vector<std::string> found;
  CHECK(!Modifier::GetSharedSegmentIDsInMask(nullptr, "a", stroke, nullptr, found));
  CHECK(!Modifier::GetSharedSegmentIDsInMask(segmentation, "a", nullptr, nullptr, found));
  CHECK(!Modifier::GetSharedSegmentIDsInMask(segmentation, "nobody", stroke, nullptr, found));
  CHECK(ear.Complained("no segment 'nobody'"));
  // Arrays instead of vectors.
  segmentation->GetSegment("a")->SetLabelValue(1);
  vtkNew<vtkStringArray> modified;
  CHECK(Modifier::ModifyBinaryLabelmapUsingArrays(
    stroke, segmentation, "a", Modifier::MODE_REPLACE, nullptr, modified));
  CHECK(modified->GetNumberOfValues() == 1 && modified->GetValue(0) == "a");
}
}

int TestSegmentationModifier(int, char*[])
{
  for (int seed = 1; seed <= 10; ++seed)
  {
    ModesAgainstModel(seed);
  }
  check::setContext("");
  EventsAndMaximum();
  OtherLatticeAndEmpty();
  SharedInMask();
  BadInput();
  return check::result();
}
