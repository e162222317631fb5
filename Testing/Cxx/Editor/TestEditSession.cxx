// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Editing sessions: every operation against a model that is one mask per segment and plain loops
// (EditTest.h), on all ranks and serially; undo and redo, errors, changes, previews, memory.

#include "EditTest.h"

#include <cmath>
#include <memory>

using namespace edittest;

namespace
{

/// Makes operations at random and does the same to a model. All ranks make the same ones.
class Script
{
public:
  Script(const Shape& shape, const std::vector<double>& values, std::uint64_t seed)
    : Now(shape, values), Whole(shape), Random(seed)
  {
    const auto ends = std::minmax_element(values.begin(), values.end());
    this->Low = *ends.first;
    this->High = *ends.second;
    for (const int mode : { vtkLabelMapThreshold::AUTO_SET_UPPER })
    {
      vtkNew<vtkLabelMapThreshold> otsu;
      otsu->SetController(nullptr);
      otsu->SetAutoThresholdMode(mode);
      vtkNew<vtkImageData> output;
      CHECK(otsu->Apply(makePiece(shape, values, shape.box), output));
      this->Otsu = otsu->GetAutoThreshold();
    }
  }

  Model Now;
  bool Voxels = false; ///< the last one was an effect
  bool All = false;    ///< the last one was one effect on all visible segments in turn
  std::string Edited;  ///< its segment

  std::string next()
  {
    check::Random& random = this->Random;
    const auto count = static_cast<std::int64_t>(this->Now.segments.size());
    this->Voxels = false;
    this->All = false;
    const std::int64_t kind = count < 2 ? 0 : random.below(31);
    if (kind == 0 || (kind == 1 && count < 6))
    {
      this->Edited = "s" + std::to_string(this->Made++);
      this->Now.add(this->Edited);
      static const char* const labels[] = { "", "300", "70000", "5000000000" };
      const std::string label = labels[random.below(8) < 5 ? 0 : random.between(1, 3)];
      // A label may be taken already: then the editor chooses.
      return op("add_segment", this->Edited,
        label.empty() || !this->Labels.insert(label).second ? R"("Name": "a \u00e9 b")"
                                                            : "\"LabelValue\": " + label);
    }
    const auto row = static_cast<std::size_t>(random.below(count));
    const std::string id = this->Now.segments[row].id;
    this->Edited = id;
    const std::size_t other =
      (row + 1 + static_cast<std::size_t>(random.below(count - 1))) % this->Now.segments.size();
    const std::string otherId = this->Now.segments[other].id;
    const Segment segment = this->Now.segments[row];
    switch (kind)
    {
      case 1:
        this->Now.segments.erase(this->Now.segments.begin() + static_cast<std::ptrdiff_t>(row));
        return op("remove_segment", id);
      case 2:
        return op("rename_segment", id, R"("Name": "n)" + std::to_string(random.below(9)) + "\"");
      case 3:
        return op("recolor_segment", id, R"("Color": [0.25, 0.5, 1])");
      case 4:
      {
        const std::int64_t to = random.below(count + 3);
        this->Now.segments.erase(this->Now.segments.begin() + static_cast<std::ptrdiff_t>(row));
        this->Now.segments.insert(this->Now.segments.begin() + std::min(to, count - 1), segment);
        return op("move_segment", id, "\"Index\": " + std::to_string(to));
      }
      case 5:
      case 6:
        this->Now.segments[row].visible = kind == 6 && random.below(2) == 0;
        return op("show_segment", id,
          std::string("\"Visible\": ") + (this->Now.segments[row].visible ? "true" : "false"));
      case 7:
        return op("set_segment_status", id, R"("Status": "Flagged")");
      case 8:
        return op("set_segment_tag", id, R"("Name": "who", "Value": "a:b|c%")");
      case 9:
      {
        this->Edited = "c" + std::to_string(this->Made++);
        Segment copy = segment;
        copy.id = this->Edited;
        copy.visible = true;
        this->Now.segments.push_back(copy);
        return op("copy_segment", this->Edited, R"("SourceSegmentID": ")" + id + "\"");
      }
      case 10:
      {
        for (std::size_t v = 0; v < segment.mask.size(); ++v)
        {
          this->Now.segments[row].mask[v] |= this->Now.segments[other].mask[v];
        }
        this->Now.segments.erase(this->Now.segments.begin() + static_cast<std::ptrdiff_t>(other));
        return op("merge_segments", id, R"("Segments": [")" + otherId + "\"]");
      }
      default:
        break;
    }
    this->Voxels = true;
    const Masking masking = this->masking();
    std::string text;
    Mask mask;
    Write mode = Set;
    bool bypass = false;
    if (kind < 17)
    {
      const std::vector<Brush> brushes = someBrushes(this->Whole, random.next());
      const Brush& brush = brushes[static_cast<std::size_t>(random.below(6))];
      mask = strokeOracle(this->Whole, brush);
      for (const Point& point : brush.points)
      {
        text += (text.empty() ? "\"Points\": [" : ", ") + list(point);
      }
      text += "], \"BrushAbsoluteDiameter\": " + number(brush.diameter) +
        ", \"BrushSphere\": " + (brush.sphere ? "true" : "false") +
        ", \"BrushPixelMode\": " + (brush.voxel ? "true" : "false") +
        ", \"SliceNormal\": " + list(brush.normal) +
        ", \"SliceThickness\": " + number(brush.thickness);
      const bool all = random.below(3) == 0;
      mode = kind < 15 ? Add : all ? RemoveAll : Remove;
      if (kind >= 15)
      {
        text += std::string(", \"EraseAllSegments\": ") + (all ? "true" : "false");
      }
      text = op(kind < 15 ? "paint" : "erase", id, text, masking.json(this->Whole));
    }
    else if (kind < 20)
    {
      const bool automatic = random.below(3) == 0;
      const double low = this->Low + random.unit() * (this->High - this->Low);
      const double high = low + random.unit() * (this->High - low);
      mask = automatic ? this->Now.threshold(low, this->Otsu) : this->Now.threshold(low, high);
      text = op("threshold", id,
        "\"MinimumThreshold\": " + number(low) + ", \"MaximumThreshold\": " + number(high) +
          (automatic ? R"(, "AutoThresholdMode": "SET_UPPER")" : ""),
        masking.json(this->Whole));
    }
    else if (kind < 23)
    {
      static const char* const names[] = { "COPY", "UNION", "SUBTRACT", "INTERSECT", "XOR",
        "INVERT", "CLEAR", "FILL" };
      const auto operation = static_cast<int>(random.below(8));
      bypass = random.below(2) == 0;
      mode = operation == 1 ? Add : operation == 2 ? Remove : Set;
      const Mask& a = segment.mask;
      const Mask& b = this->Now.segments[other].mask;
      mask = a;
      for (std::size_t v = 0; v < mask.size(); ++v)
      {
        const bool results[] = { b[v] != 0, b[v] != 0, b[v] != 0, a[v] && b[v], a[v] != b[v], !a[v],
          false, true };
        mask[v] = results[operation] ? 1 : 0;
      }
      text = op("logical", id,
        std::string(R"("Operation": ")") + names[operation] +
          (operation < 5 ? R"(", "ModifierSegmentID": ")" + otherId + "\"" : "\"") +
          (bypass ? "" : ", \"BypassMasking\": false"),
        masking.json(this->Whole));
    }
    else if (kind == 23)
    {
      const double size = -3.0 + 6.0 * random.unit();
      vtkNew<vtkLabelMapMargin> effect;
      effect->SetMarginSizeMm(size);
      mask = this->Now.filtered(effect, row, masking);
      text = op("margin", id, "\"MarginSizeMm\": " + number(size), masking.json(this->Whole));
    }
    else if (kind == 24)
    {
      const double size = 5.0 * random.unit();
      vtkNew<vtkLabelMapMedian> effect;
      effect->SetKernelSizeMm(size);
      mask = this->Now.filtered(effect, row, masking);
      text = op("median", id, "\"KernelSizeMm\": " + number(size), masking.json(this->Whole));
    }
    else if (kind > 27)
    {
      this->Voxels = false; // of no one segment
      return this->toAllVisible(masking);
    }
    else if (kind > 25)
    {
      this->Voxels = false; // of no one segment
      const double size = 4.0 * random.unit();
      const bool any = std::any_of(this->Now.segments.begin(), this->Now.segments.end(),
        [](const Segment& one) { return one.visible; });
      if (!any)
      {
        this->Now.segments[row].visible = true;
        return op("show_segment", id, R"("Visible": true)");
      }
      vtkNew<vtkLabelMapExpandSegments> effect;
      effect->SetExpansionSizeMm(size);
      this->Now.filterAll(effect, masking);
      return R"({"effect": "expand_segments", "parameters": {"ExpansionSizeMm": )" + number(size) +
        "}" + masking.json(this->Whole) + "}";
    }
    else
    {
      const bool largest = random.below(2) == 0;
      const std::int64_t size = random.below(40);
      vtkNew<vtkLabelMapIslands> effect;
      effect->SetOperation(largest ? 0 : 1);
      effect->SetMinimumSize(size);
      effect->SetConnectivity(26);
      mask = this->Now.filtered(effect, row, masking);
      text = op("islands", id,
        std::string(R"("Operation": ")") +
          (largest ? "KEEP_LARGEST_ISLAND" : "REMOVE_SMALL_ISLANDS") +
          R"(", "Connectivity": 26, "MinimumSize": )" + std::to_string(size),
        masking.json(this->Whole));
    }
    this->Now.write(mask, mode, row, masking, bypass);
    return text;
  }

private:
  /// One effect on each visible segment in the order of the table.
  std::string toAllVisible(const Masking& masking)
  {
    check::Random& random = this->Random;
    std::vector<std::size_t> visible;
    for (std::size_t row = 0; row < this->Now.segments.size(); ++row)
    {
      if (this->Now.segments[row].visible)
      {
        visible.push_back(row);
      }
    }
    if (visible.empty())
    {
      this->Now.segments[0].visible = true;
      return op("show_segment", this->Now.segments[0].id, R"("Visible": true)");
    }
    this->All = true;
    const std::int64_t kind = random.below(3);
    const double size = kind == 0 ? -2.0 + 4.0 * random.unit() : 5.0 * random.unit() + 1.0;
    const Brush brush = someBrushes(this->Whole, random.next())[0];
    for (const std::size_t row : visible)
    {
      if (kind == 0)
      {
        vtkNew<vtkLabelMapMargin> effect;
        effect->SetMarginSizeMm(size);
        this->Now.write(this->Now.filtered(effect, row, masking), Set, row, masking, false);
      }
      else if (kind == 1)
      {
        vtkNew<vtkLabelMapMedian> effect;
        effect->SetKernelSizeMm(size);
        this->Now.write(this->Now.filtered(effect, row, masking), Set, row, masking, false);
      }
      else
      {
        this->Now.write(strokeOracle(this->Whole, brush), Remove, row, masking, false);
      }
    }
    std::string points;
    for (const Point& point : brush.points)
    {
      points += (points.empty() ? "" : ", ") + list(point);
    }
    const std::string parameters = kind == 0 ? "\"MarginSizeMm\": " + number(size)
      : kind == 1
      ? "\"KernelSizeMm\": " + number(size)
      : "\"Points\": [" + points + "], \"BrushAbsoluteDiameter\": " + number(brush.diameter) +
        ", \"BrushSphere\": " + (brush.sphere ? "true" : "false") +
        ", \"BrushPixelMode\": " + (brush.voxel ? "true" : "false") +
        ", \"SliceNormal\": " + list(brush.normal) +
        ", \"SliceThickness\": " + number(brush.thickness);
    static const char* const names[] = { "margin", "median", "erase" };
    return std::string(R"({"effect": ")") + names[kind] +
      R"(", "ApplyToAllVisibleSegments": true, "parameters": {)" + parameters + "}" +
      masking.json(this->Whole) + "}";
  }

  Masking masking()
  {
    check::Random& random = this->Random;
    Masking masking;
    if (random.below(3) == 0)
    {
      masking.overwrite = random.below(2) ? OverwriteNone : OverwriteAll;
      return masking;
    }
    masking.area = static_cast<Area>(random.below(2) ? 0 : random.below(6));
    masking.areaSegment = this->Now
                            .segments[static_cast<std::size_t>(
                              random.below(static_cast<std::int64_t>(this->Now.segments.size())))]
                            .id;
    masking.overwrite = static_cast<Overwrite>(random.below(3));
    if (random.below(4) == 0)
    {
      masking.intensity = true;
      masking.range[0] = this->Low + 0.4 * random.unit() * (this->High - this->Low);
      masking.range[1] = this->High - 0.4 * random.unit() * (this->High - this->Low);
    }
    if (random.below(3) == 0)
    {
      masking.hasRegion = true;
      for (std::size_t a = 0; a < 3; ++a)
      {
        const auto c = static_cast<int>(a);
        masking.center[a] = static_cast<double>(this->Whole.box.lo[c]) +
          (1.2 * random.unit() - 0.1) * static_cast<double>(this->Whole.box.dim(c));
        masking.size[a] = 0.5 +
          random.unit() * this->Whole.spacing[a] * static_cast<double>(this->Whole.box.dim(c));
      }
    }
    else if (random.below(4) == 0)
    {
      masking.hasGrowth = true;
      masking.growth = random.below(3) == 0 ? 0.0 : random.unit();
      masking.around = this->Now.around(masking.growth);
    }
    else if (random.below(3) == 0)
    {
      const std::vector<Brush> brushes = someBrushes(this->Whole, random.next());
      Brush brush = brushes[static_cast<std::size_t>(random.below(6))];
      brush.sphere = true;
      brush.voxel = false;
      masking.setBrush(brush.points, brush.diameter, strokeOracle(this->Whole, brush));
    }
    return masking;
  }

  Shape Whole;
  check::Random Random;
  double Low = 0.0;
  double High = 0.0;
  double Otsu = 0.0;
  int Made = 0;
  std::set<std::string> Labels;
};

std::vector<double> smoothNoise(const Shape& shape, std::uint64_t seed)
{
  check::Random random(seed);
  return volumes::make<double>(shape.box, [&](Index x, Index y, Index z)
    { return static_cast<double>(10 * x + 7 * y + 13 * z) + 60.0 * random.unit(); });
}

/// A label map that a display keeps, brought up to date by what GetLastChange says.
class Display
{
public:
  explicit Display(Session& session) : Shown(session) { this->fresh(this->Image); }

  void update(int line)
  {
    const Box box = changeOf(this->Shown.Edit).box;
    int extent[6] = { 0, -1, 0, -1, 0, -1 };
    if (!box.empty())
    {
      box.toExtent(extent);
    }
    vtkNew<vtkImageData> all;
    this->fresh(all);
    if (!this->Shown.Edit->UpdateLabelMap(extent, this->Image))
    {
      ++this->Remade;
      CHECK(contains(this->Shown.Edit->GetLastError(), "get it anew by GetLabelMap"));
      this->fresh(this->Image);
    }
    vtkPointData* got = this->Image->GetPointData();
    vtkPointData* expected = all->GetPointData();
    CHECK_EQUAL(got->GetNumberOfArrays(), expected->GetNumberOfArrays());
    for (int a = 0; a < std::min(got->GetNumberOfArrays(), expected->GetNumberOfArrays()); ++a)
    {
      vtkDataArray* x = got->GetArray(a);
      vtkDataArray* y = expected->GetArray(a);
      const std::size_t bytes =
        static_cast<std::size_t>(y->GetNumberOfTuples()) * y->GetDataTypeSize();
      if (x->GetDataType() != y->GetDataType() ||
        x->GetNumberOfTuples() != y->GetNumberOfTuples() ||
        (bytes && std::memcmp(x->GetVoidPointer(0), y->GetVoidPointer(0), bytes) != 0))
      {
        check::fail(__FILE__, line, "a layer that was brought up to date differs from a new one");
      }
    }
    vtkNew<vtkLabelSegmentTable> table;
    CHECK(table->FromFieldData(this->Image->GetFieldData()));
    CHECK_EQUAL(tableText(table), tableText(this->Shown.table()));
  }

  int Remade = 0;
  vtkNew<vtkImageData> Image;

private:
  void fresh(vtkImageData* image)
  {
    int extent[6];
    this->Shown.Whole.box.toExtent(extent);
    CHECK(this->Shown.Edit->GetLabelMap(extent, image));
    this->Shown.checkGeometry(image);
  }

  Session& Shown;
};

/// Each voxel of each layer belongs to the segment of that label.
void checkLayers(Session& session, const Display& display, int line)
{
  vtkLabelSegmentTable* table = session.table();
  for (int row = 0; row < table->GetNumberOfSegments(); ++row)
  {
    const std::string id = table->GetNthSegmentID(row);
    vtkDataArray* layer = display.Image->GetPointData()->GetArray(
      vtkLabelSegmentTable::GetLayerArrayName(table->GetNthSegmentLayer(row)).c_str());
    const Mask mask = session.mask(id);
    const auto label = static_cast<double>(table->GetNthSegmentLabelValue(row));
    for (vtkIdType v = 0; v < static_cast<vtkIdType>(mask.size()); ++v)
    {
      if ((layer->GetTuple1(v) == label) != (mask[static_cast<std::size_t>(v)] == 1))
      {
        check::fail(__FILE__, line, "the layer's labels are not the mask of " + id);
        break;
      }
    }
  }
}

void checkChange(Session& session, const Model& before, const Model& after, int line)
{
  Box box;
  std::set<std::string> names;
  Model::difference(before, after, box, names);
  const Change change = changeOf(session.Edit);
  if (!change.box.contains(box))
  {
    check::fail(__FILE__, line, "voxels changed outside the extent of GetLastChange");
  }
  if (box.empty() && !change.box.empty())
  {
    check::fail(__FILE__, line, "GetLastChange has an extent, and no voxel changed");
  }
  if (change.segments != names)
  {
    std::string text = "GetLastChange names";
    for (const std::string& name : change.segments)
    {
      text += " " + name;
    }
    text += ", expected";
    for (const std::string& name : names)
    {
      text += " " + name;
    }
    check::fail(__FILE__, line, text);
  }
  if (!session.Serial && !sameEverywhere(session.Ranks, session.Edit->GetLastChange()))
  {
    check::fail(__FILE__, line, "GetLastChange differs between ranks");
  }
}

/// Collective. All operations in random order: on all ranks and serially as the model says; undone
/// and redone, one by one, to exactly what was.
void testRandomOperations(const World& world)
{
  const int rank = world.communicator->rank();
  const int size = world.communicator->size();
  constexpr int edges[] = { 5, 16, 32, 1 };
  int mostLayers = 0;
  int inTurn = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed)
  {
    const Shape shape = oddShape(15, 12, 11, seed % 2 == 0);
    const std::vector<double> values = smoothNoise(shape, seed);
    const Layout layout = paralleltest::allLayouts[seed % 6];
    const int edge = edges[seed % 4];
    Script script(shape, values, seed);
    Session all(world, shape, world.communicator->controller(), layout, edge);
    Session serial(world, shape, nullptr, layout, edges[(seed + 1) % 4]);
    all.setVolume(values);
    serial.setVolume(values);
    Display display(all);
    std::vector<Model> models{ script.Now };
    std::vector<std::string> states{ all.state() };
    std::vector<std::string> operations;
    for (int step = 0; step < 30; ++step)
    {
      const std::string text = script.next();
      check::setContext("seed ", seed, " step ", step, " rank ", rank, " of ", size, " layout ",
        static_cast<int>(layout), " edge ", edge, " ", text);
      operations.push_back(text);
      vtkNew<vtkImageData> preview;
      if (script.Voxels || script.All)
      {
        int extent[6];
        shape.box.toExtent(extent);
        CHECK_EQUAL(all.error(all.Edit->Preview(text, extent, 1, preview)), "");
        CHECK_EQUAL(all.state(), states.back());
      }
      all.good(text, __LINE__);
      serial.good(text, __LINE__);
      script.Now.compare(all, __LINE__);
      script.Now.compare(serial, __LINE__);
      CHECK_EQUAL(tableText(all.table()), tableText(serial.table()));
      CHECK_EQUAL(all.Edit->GetNumberOfLayers(), serial.Edit->GetNumberOfLayers());
      checkChange(all, models.back(), script.Now, __LINE__);
      checkChange(serial, models.back(), script.Now, __LINE__);
      display.update(__LINE__);
      if (step % 8 == 7)
      {
        checkLayers(all, display, __LINE__);
      }
      if (script.Voxels)
      {
        all.checkGeometry(preview);
        const auto* previewed = voxels<unsigned char>(preview, "Mask");
        const Mask mask = all.mask(script.Edited);
        CHECK(previewed != nullptr || mask.empty());
        if (previewed)
        {
          CHECK_RANGES(previewed, mask, all.Piece.size());
        }
      }
      if (script.All)
      {
        const Mask labels = volumes::crop(script.Now.visibleLabels(), shape.box, all.Piece);
        const auto* previewed = voxels<unsigned char>(preview, "Mask");
        CHECK(previewed != nullptr || labels.empty());
        if (previewed)
        {
          CHECK_RANGES(previewed, labels, all.Piece.size());
        }
        ++inTurn;
      }
      models.push_back(script.Now);
      states.push_back(all.state());
    }
    mostLayers = std::max(mostLayers, all.Edit->GetNumberOfLayers());
    CHECK(display.Remade < 30);

    // A walk back and forth, and at last to the beginning.
    check::Random random(seed);
    const int last = static_cast<int>(operations.size());
    int at = last;
    for (int turn = 0; turn < 40 || at > 0; ++turn)
    {
      const bool back = turn >= 40 || at == last || (at > 0 && random.below(3) > 0);
      const int from = at;
      at += back ? -1 : 1;
      check::setContext("seed ", seed, " from ", from, " to ", at, " rank ", rank, " of ", size,
        " layout ", static_cast<int>(layout), " edge ", edge, " ",
        operations[static_cast<std::size_t>(std::min(from, at))]);
      CHECK(back ? all.Edit->Undo() : all.Edit->Redo());
      CHECK(all.state() == states[static_cast<std::size_t>(at)]);
      checkChange(all, models[static_cast<std::size_t>(from)], models[static_cast<std::size_t>(at)],
        __LINE__);
      display.update(__LINE__);
      CHECK_EQUAL(all.Edit->GetNumberOfUndoSteps(), at);
      CHECK_EQUAL(all.Edit->GetNumberOfRedoSteps(), last - at);
    }
    CHECK(!all.Edit->Undo());
    CHECK_EQUAL(all.Edit->GetLastError(), "");
    CHECK_EQUAL(all.Edit->GetMemorySize(), 0);
    CHECK_EQUAL(all.Edit->GetOperations(), "[]");
    while (all.Edit->Redo())
    {
    }
    CHECK(all.state() == states.back());
    CHECK_EQUAL(all.Edit->GetNumberOfRedoSteps(), 0);

    // All of them at once; one that fails at the end takes all others back.
    std::string together;
    for (const std::string& text : operations)
    {
      together += (together.empty() ? "[" : ", ") + text;
    }
    CHECK(all.Edit->Undo());
    const std::string before = all.everything();
    CHECK(contains(all.apply("[" + ball(shape, models[29].segments[0].id, 0, 8, 0, 6.0) + ", " +
                     op("median", "nobody") + "]"),
      "operation 2 (median on segment 'nobody')"));
    CHECK(all.everything() == before);
    CHECK(all.Edit->Start(nullptr));
    CHECK_EQUAL(
      all.apply(together + ", " + op("median", "nobody") + "]").substr(0, 12), "operation 31");
    CHECK_EQUAL(all.state(), "1");
    all.good(together + "]", __LINE__);
    CHECK(all.state() == states.back());
    CHECK_EQUAL(all.Edit->GetNumberOfUndoSteps(), last);
  }
  check::setContext("");
  CHECK(mostLayers > 2);
  CHECK(inTurn > 10);
}

/// A small session with segments a, b and a history, one step of which is undone.
std::unique_ptr<Session> begun(const World& world, const Shape& shape, bool constant = false)
{
  auto session = std::make_unique<Session>(
    world, shape, world.communicator->controller(), Layout::SharedPlanes, 5);
  session->setVolume(constant ? std::vector<double>(static_cast<std::size_t>(shape.box.size()), 4.0)
                              : smoothNoise(shape, 1));
  session->good("[" + op("add_segment", "a") + ", " + op("add_segment", "b") + ", " +
      ball(shape, "a", -3, 9, 0, 6.0) + ", " + ball(shape, "b", -1, 11, 1, 6.0) + ", " +
      ball(shape, "a", 0, 12, 3, 6.0) + "]",
    __LINE__);
  CHECK(session->Edit->Undo());
  return session;
}

/// Collective. Whatever is wrong: the same text on all ranks, and everything as it was.
void testErrorsChangeNothing(const World& world)
{
  const Shape shape = oddShape(12, 12, 10);
  const auto session = begun(world, shape);
  const std::string before = session->everything();
  const auto refused = [&](const std::string& operations, const char* part, int line)
  {
    const std::string error = session->apply(operations);
    if (!contains(error, part))
    {
      check::fail(__FILE__, line, "the error is '" + error + "', expected one with: " + part);
    }
    if (session->everything() != before)
    {
      check::fail(__FILE__, line, "an error changed the session: " + error);
    }
  };
  const std::string good = ball(shape, "b", 1, 8, 2, 9.0) + ", ";
  for (const std::string& first : { std::string(), good, good + op("remove_segment", "a") + ", " })
  {
    const auto bad = [&](const std::string& operation, const char* part, int line)
    { refused("[" + first + operation + "]", part, line); };
    bad(op("median", "nobody"), "there is no segment 'nobody', expected one of", __LINE__);
    bad(op("median", "b", "", R"(, "masking": {"MaskMode": "EditAllowedInsideSingleSegment",
      "MaskSegmentID": "nobody"})"),
      "there is no segment 'nobody'", __LINE__);
    bad(op("logical", "b", R"("ModifierSegmentID": "nobody")"), "there is no segment 'nobody'",
      __LINE__);
    bad(op("logical", "b"), "ModifierSegmentID is missing", __LINE__);
    bad(op("copy_segment", "c", R"("SourceSegmentID": "nobody")"), "there is no segment 'nobody'",
      __LINE__);
    bad(op("copy_segment", "b", R"("SourceSegmentID": "b")"), "there is a segment 'b' already",
      __LINE__);
    bad(op("add_segment", "b"), "there is a segment 'b' already", __LINE__);
    bad(op("merge_segments", "b", R"("Segments": ["b"])"), "the segment to merge into", __LINE__);
    bad(op("set_segment_tag", "b", R"("Name": "")"), "Name is empty", __LINE__);
    bad(op("paint", "b"), "Points: is missing", __LINE__);
    bad(op("paint", "b", R"("Points": [])"), "expected at least one point", __LINE__);
    bad(op("paint", "b", R"("Points": [[0, 0, 0], [0, 1]])"), "point 2", __LINE__);
    bad(op("paint", "b", R"("Points": [[0, 0, 1e999]])"), "not valid JSON", __LINE__);
    bad(op("paint", "b", R"("Points": [[0, 0, 0]], "SliceNormal": [0, 0, 0])"), "SliceNormal",
      __LINE__);
    bad(op("margin", "b", R"("MarginSizeMm": 1e7)"), "MarginSizeMm", __LINE__);
    bad(op("rename_segment", "b", R"("Name": "x")", R"(, "region": {})"), "'region'", __LINE__);
    bad(op("median", "b", "", R"(, "region": {"center": [0, 0, 0], "size": [1, 1, 0]})"), "size",
      __LINE__);
    bad(op("median", "b", "", R"(, "masking": {"MaskMode": "EditAllowedInsideSingleSegment"})"),
      "needs MaskSegmentID", __LINE__);
    bad(op("median", "b", "", R"(, "masking": {"SourceVolumeIntensityMask": true})"),
      "needs SourceVolumeIntensityMaskRange", __LINE__);
    bad(op("median", "b", "", R"(, "masking": {"MaskMode": "Everywhere"})"), "expected one of",
      __LINE__);
    bad(op("median", "b", "", R"(, "region": {"growth": -0.1})"), "growth: is -0.1, expected a",
      __LINE__);
    bad(op("median", "b", "", R"(, "region": {"growth": "0.1"})"), "growth: is \"0.1\"", __LINE__);
    const auto brush = [&](const char* region)
    { return op("median", "b", "", std::string(", \"region\": ") + region); };
    bad(brush(R"({"points": [], "diameter": 2})"), "points: is [], expected at least", __LINE__);
    bad(brush(R"({"points": [[0, 0]], "diameter": 2})"), "point 1: is [0,0], expected", __LINE__);
    bad(brush(R"({"points": [[0, 0, 0]], "diameter": 0})"), "diameter: is 0, expected", __LINE__);
    bad(brush(R"({"points": [[0, 0, 0]], "diameter": "2"})"), "diameter: is \"2\"", __LINE__);
    bad(brush(R"({"points": [[0, 0, 0]]})"), "or {\"points\": [[x, y, z], ...]", __LINE__);
    bad(brush(R"({"points": [[0, 0, 0]], "diameter": 2, "growth": 1})"), "diameter\": number}",
      __LINE__);
    bad(op("median", "b", "", R"(, "region": {"growth": 0.1, "size": [1, 1, 1]})"),
      ", {\"growth\": number} or", __LINE__);
    const std::string all = R"({"effect": "median", "ApplyToAllVisibleSegments": )";
    bad(op("median", "b", "", R"(, "ApplyToAllVisibleSegments": true)"), "leave one of them out",
      __LINE__);
    bad(all + "1}", "expected true or false", __LINE__);
    bad(all + "false}", "needs the text 'segment'", __LINE__);
    bad(op("threshold", "b", "", R"(, "ApplyToAllVisibleSegments": false)"),
      "is for effects on one segment", __LINE__);
    bad(R"({"effect": "joint_smoothing", "ApplyToAllVisibleSegments": true})",
      "is for effects on one segment", __LINE__);
    bad(R"({"effect": "logical", "ApplyToAllVisibleSegments": true, "parameters": {"Operation":
        "COPY", "ModifierSegmentID": "nobody"}})",
      "(logical on all visible segments): segment '", __LINE__);
    bad("{\"effect\": ", "not valid JSON", __LINE__);
  }
  refused("", "not valid JSON", __LINE__);
  refused("[" + good + op("show_segment", "a", R"("Visible": false)") + ", " +
      op("show_segment", "b", R"("Visible": false)") +
      R"(, {"effect": "median", "ApplyToAllVisibleSegments": true}])",
    "no segment is visible, expected one or more to work on", __LINE__);
  // Nothing to do is no error, and makes no step.
  session->good("[]", __LINE__);
  CHECK_EQUAL(session->Edit->GetNumberOfRedoSteps(), 1);
  CHECK(session->Edit->Redo());

  // An effect that fails while it runs.
  const auto flat = begun(world, shape, true);
  const std::string state = flat->everything();
  CHECK(contains(
    flat->apply("[" + good + op("threshold", "a", R"("AutoThresholdMode": "SET_LOWER")") + "]"),
    "operation 2 (threshold on segment 'a'): array 'values' has a single value"));
  CHECK(flat->everything() == state);
  // Without a volume.
  CHECK(flat->Edit->SetVolume(nullptr));
  CHECK(contains(flat->apply(op("threshold", "a")), "threshold needs a volume"));
  CHECK(contains(flat->apply(op("median", "a", "", R"(, "masking":
    {"SourceVolumeIntensityMask": true, "SourceVolumeIntensityMaskRange": [0, 1]})")),
    "SourceVolumeIntensityMask needs a volume"));
  CHECK(flat->everything() == state);
  // Without a world.
  vtkNew<vtkLabelMapEditSession> none;
  none->SetController(world.communicator->controller());
  CHECK(!none->Apply("[]"));
  CHECK(contains(none->GetLastError(), "no world yet"));
  CHECK(!none->Undo() && !none->Redo() && !none->Start(nullptr));
  CHECK_EQUAL(none->GetSegmentTable()->GetNumberOfSegments(), 0);
}

/// Collective. An effect that would look at everything looks around the visible segments: the
/// same as in the box that is known by hand, on all ranks and serially.
void testAround(const World& world)
{
  const Shape shape = oddShape(40, 14, 12);
  const std::vector<double> values = smoothNoise(shape, 5);
  const auto pixel = [&](const std::string& segment, Index i, Index j, Index k)
  {
    const Point place = worldOf(shape, static_cast<double>(shape.box.lo[0] + i),
      static_cast<double>(shape.box.lo[1] + j), static_cast<double>(shape.box.lo[2] + k));
    return op("paint", segment, "\"Points\": [" + list(place) + R"(], "BrushPixelMode": true)");
  };
  const std::string seeds = "[" + op("add_segment", "a") + ", " + op("add_segment", "hidden") +
    ", " + op("add_segment", "b") + ", " + pixel("a", 8, 5, 5) + ", " + pixel("b", 28, 6, 2) +
    ", " + pixel("hidden", 39, 13, 11) + ", " +
    op("show_segment", "hidden", R"("Visible": false)") + "]";
  // 20 voxels along x: a quarter of it; along y and z, 3 voxels at least, and the image ends.
  Masking box;
  box.hasRegion = true;
  box.center = { { static_cast<double>(shape.box.lo[0]) + 18.0,
    static_cast<double>(shape.box.lo[1]) + 5.5, static_cast<double>(shape.box.lo[2]) + 4.0 } };
  box.size = { { 30.5 * shape.spacing[0], 7.5 * shape.spacing[1], 8.5 * shape.spacing[2] } };
  const Box region = box.region(shape);
  CHECK_EQUAL(region.dim(0), 31);
  CHECK_EQUAL(region.dim(1), 8);
  CHECK_EQUAL(region.dim(2), 9);
  const std::string grow = R"({"effect": "grow_from_seeds")";
  for (const Layout layout : paralleltest::allLayouts)
  {
    check::setContext("layout ", static_cast<int>(layout));
    std::vector<std::string> states;
    for (const std::string& where :
      { box.json(shape), std::string(R"(, "region": {"growth": 0.25})") })
    {
      Session session(world, shape, world.communicator->controller(), layout, 5);
      session.setVolume(values);
      session.good(seeds, __LINE__);
      session.good(grow + where + "}", __LINE__);
      states.push_back(session.state());
      CHECK_EQUAL(
        session.table()->GetNthSegmentVoxelCount(0) + session.table()->GetNthSegmentVoxelCount(2),
        static_cast<vtkTypeInt64>(region.size()));
      CHECK(region.contains(changeOf(session.Edit).box));
    }
    CHECK(states[0] == states[1]);
    // Nothing is around nothing.
    Session empty(world, shape, world.communicator->controller(), layout, 5);
    empty.setVolume(values);
    empty.good(
      "[" + op("add_segment", "a") + ", " + grow + R"(, "region": {"growth": 1}}])", __LINE__);
    CHECK_EQUAL(empty.table()->GetNthSegmentVoxelCount(0), 0);
  }
  check::setContext("");
}

/// Collective. AbortExecute from an observer on one rank stops all.
void testAbort(const World& world)
{
  const Shape shape = oddShape(12, 12, 10);
  for (int at = 0; at < world.communicator->size(); ++at)
  {
    for (const char* effect : { "median", "margin", "islands", "all" })
    {
      check::setContext(effect, " aborted on rank ", at);
      const auto session = begun(world, shape);
      // A segment that all ranks hold a part of: there is nothing to stop where nothing is done.
      session->good(ball(shape, "a", 0, 10, 2, 30.0), __LINE__);
      const std::string before = session->everything();
      vtkNew<vtkCallbackCommand> command;
      command->SetCallback([](vtkObject* caller, unsigned long, void*, void*)
        { static_cast<vtkLabelMapEditSession*>(caller)->SetAbortExecute(true); });
      if (world.communicator->rank() == at)
      {
        session->Edit->AddObserver(vtkCommand::ProgressEvent, command);
      }
      const std::string edit = std::string(effect) == "all"
        ? R"({"effect": "median", "ApplyToAllVisibleSegments": true})"
        : op(effect, "a");
      const std::string error =
        session->apply("[" + ball(shape, "b", 1, 8, 2, 9.0) + ", " + edit + "]");
      CHECK(contains(error, "abort") || contains(error, "cancel"));
      CHECK(contains(error, "operation 2"));
      CHECK(session->everything() == before);
      session->Edit->RemoveObserver(command);
      session->good(edit, __LINE__);
    }
  }
  check::setContext("");
}

/// Events and status, by hand.
void testEvents(const World& world)
{
  const Shape shape = oddShape(12, 12, 10);
  const auto session = begun(world, shape);
  int events = 0;
  vtkNew<vtkCallbackCommand> command;
  command->SetCallback(
    [](vtkObject*, unsigned long, void* data, void*) { ++*static_cast<int*>(data); });
  command->SetClientData(&events);
  session->Edit->AddObserver(vtkLabelMapEditSession::LabelsChangedEvent, command);
  CHECK_EQUAL(session->table()->GetNthSegmentStatus(0), vtkLabelSegmentTable::InProgress);
  session->good(op("add_segment", "c"), __LINE__);
  CHECK_EQUAL(session->table()->GetNthSegmentStatus(2), vtkLabelSegmentTable::NotStarted);
  CHECK_EQUAL(
    session->Edit->GetLastChange(), R"({"extent":[0,-1,0,-1,0,-1],"segments":[],"table":true})");
  session->good(ball(shape, "c", -3, 9, 0, 3.0), __LINE__);
  CHECK(changeOf(session->Edit).table); // it is in progress now
  session->good(ball(shape, "c", -3, 9, 0, 4.0), __LINE__);
  CHECK(!changeOf(session->Edit).table);
  CHECK_EQUAL(events, 3);
  CHECK(session->Edit->Undo() && session->Edit->Redo());
  CHECK_EQUAL(events, 5);
  session->apply(op("median", "nobody"));
  while (session->Edit->Undo())
  {
  }
  CHECK(!session->Edit->Undo());
  CHECK_EQUAL(events, 12);
}

/// Collective. A small limit: steps are forgotten, the same on all ranks, and what is left is right
/// also when it was compressed.
void testUndoMemory(const World& world)
{
  const Shape shape = oddShape(40, 32, 24);
  for (const vtkTypeInt64 limit :
    { vtkTypeInt64(1) << 30, vtkTypeInt64(60000), vtkTypeInt64(8000), vtkTypeInt64(0) })
  {
    check::setContext("limit ", limit);
    Session session(world, shape, world.communicator->controller(), Layout::Irregular, 16);
    session.setVolume(smoothNoise(shape, 3));
    session.Edit->SetUndoMemoryLimit(limit);
    check::Random random(5);
    std::vector<std::string> states;
    states.push_back(session.state());
    for (int step = 0; step < 30; ++step)
    {
      // Noise costs memory; large uniform parts compress well.
      const std::string id = step % 2 ? "a" : "b";
      const double at[3] = { -7.0 + 40.0 * random.unit(), 5.0 + 32.0 * random.unit(),
        -3.0 + 24.0 * random.unit() };
      session.good(step < 2 ? op("add_segment", id)
          : step % 7 == 2   ? op("threshold", id, "\"MaximumThreshold\": " + number(20.0 * step))
                            : ball(shape, id, at[0], at[1], at[2], 14.0),
        __LINE__);
      states.push_back(session.state());
      CHECK(session.Edit->GetUndoMemorySize() <= limit);
      const Index steps = session.Edit->GetNumberOfUndoSteps();
      CHECK_EQUAL(world.communicator->allReduceMax(steps), steps);
      CHECK_EQUAL(world.communicator->allReduceMin(steps), steps);
    }
    const int kept = session.Edit->GetNumberOfUndoSteps();
    CHECK(limit < 1000000 || kept == 30);
    CHECK(limit > 8000 || kept < 30);
    CHECK_EQUAL(kept == 0, limit == 0);
    for (int twice = 0; twice < 2; ++twice)
    {
      for (int step = 0; step < kept; ++step)
      {
        CHECK(session.Edit->Undo());
        CHECK(session.state() == states[static_cast<std::size_t>(30 - step - 1)]);
      }
      CHECK(!session.Edit->Undo());
      for (int step = kept; step > 0; --step)
      {
        CHECK(session.Edit->Redo());
        CHECK(session.state() == states[static_cast<std::size_t>(30 - step + 1)]);
      }
      CHECK(!session.Edit->Redo());
    }
    session.Edit->ClearHistory();
    CHECK_EQUAL(session.Edit->GetUndoMemorySize(), 0);
    CHECK(!session.Edit->Undo());
    CHECK(session.state() == states.back());
  }
  check::setContext("");
}

/// Trilinear interpolation as in textbooks: eight voxels and their weights. NaN outside.
double trilinear(const Shape& volume, const std::vector<double>& values, const Point& world)
{
  const Point at = voxelOf(volume, world);
  double sum = 0.0;
  Index low[3];
  double weight[3];
  for (std::size_t a = 0; a < 3; ++a)
  {
    const auto c = static_cast<int>(a);
    if (!(at[a] >= static_cast<double>(volume.box.lo[c]) - 1e-6 &&
          at[a] <= static_cast<double>(volume.box.hi[c]) + 1e-6))
    {
      return std::numeric_limits<double>::quiet_NaN();
    }
    low[a] = std::min(
      std::max(static_cast<Index>(std::floor(at[a])), volume.box.lo[c]), volume.box.hi[c] - 1);
    weight[a] = at[a] - static_cast<double>(low[a]);
  }
  for (int corner = 0; corner < 8; ++corner)
  {
    double w = 1.0;
    Index v[3];
    for (int a = 0; a < 3; ++a)
    {
      const bool up = (corner >> a) & 1;
      v[a] = low[a] + (up ? 1 : 0);
      w *= up ? weight[a] : 1.0 - weight[a];
    }
    sum += w * values[static_cast<std::size_t>(volume.box.offset(v[0], v[1], v[2]))];
  }
  return sum;
}

/// Collective. A volume on another lattice than the world's: a source of thresholds and masks.
void testInterpolatedVolume(const World& world)
{
  for (std::uint64_t seed = 0; seed < 6; ++seed)
  {
    const Shape volume = oddShape(9, 8, 7, seed % 2 == 0);
    Shape shape = oddShape(12, 11, 13, seed % 3 == 0);
    // Finer, turned about another axis, and reaching beyond the volume.
    const double direction[9] = { 1.0, 0.0, 0.0, 0.0, 0.8, -0.6, 0.0, 0.6, 0.8 };
    std::copy(direction, direction + 9, shape.direction);
    const Point middle = worldOf(volume, -3.1, 8.7, 0.2);
    for (std::size_t a = 0; a < 3; ++a)
    {
      shape.spacing[a] = 0.45 + 0.2 * static_cast<double>(a);
      shape.origin[a] = 0.0;
    }
    const Point from = worldOf(shape, -1.4, 10.3, 3.3);
    for (std::size_t a = 0; a < 3; ++a)
    {
      shape.origin[a] = middle[a] - from[a];
    }
    const std::vector<double> values = smoothNoise(volume, seed);
    const Layout layout = paralleltest::allLayouts[seed];
    check::setContext("seed ", seed, " layout ", static_cast<int>(layout));

    Mask inside, masked;
    const double low = 60.0, high = 150.0;
    int nan = 0;
    double nearest = 1.0;
    for (Index k = shape.box.lo[2]; k <= shape.box.hi[2]; ++k)
    {
      for (Index j = shape.box.lo[1]; j <= shape.box.hi[1]; ++j)
      {
        for (Index i = shape.box.lo[0]; i <= shape.box.hi[0]; ++i)
        {
          const double value = trilinear(volume, values,
            worldOf(shape, static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)));
          nan += std::isnan(value);
          inside.push_back(value >= low && value <= high ? 1 : 0);
          masked.push_back(value >= low - 20.0 && value <= high - 40.0 ? 1 : 0);
          for (const double end : { low, high, low - 20.0, high - 40.0 })
          {
            nearest = std::isnan(value) ? nearest : std::min(nearest, std::abs(value - end));
          }
        }
      }
    }
    CHECK(nearest > 1e-9); // else rounding would decide
    CHECK(nan > 20 && std::count(inside.begin(), inside.end(), 1) > 100);
    Session session(world, shape, world.communicator->controller(), layout, 4);
    session.setGeometry();
    const Box part = paralleltest::pieceOf(paralleltest::allLayouts[5 - seed], volume.box,
      world.communicator->rank(), world.communicator->size());
    CHECK(session.Edit->SetVolume(makePiece(volume, values, part)));
    CHECK_EQUAL(session.Edit->GetLastError(), "");
    session.good("[" + op("add_segment", "a") + ", " + op("add_segment", "b") + ", " +
        op("threshold", "a", "\"MinimumThreshold\": 60, \"MaximumThreshold\": 150") + ", " +
        op("logical", "b", R"("Operation": "FILL", "BypassMasking": false)",
          R"(, "masking": {"OverwriteMode": "OverwriteNone", "SourceVolumeIntensityMask": true,
             "SourceVolumeIntensityMaskRange": [40, 110]})") +
        "]",
      __LINE__);
    CHECK_RANGES(
      session.mask("a"), volumes::crop(inside, shape.box, session.Piece), session.Piece.size());
    CHECK_RANGES(
      session.mask("b"), volumes::crop(masked, shape.box, session.Piece), session.Piece.size());
  }
  check::setContext("");
}

/// The same lattice, but the volume counts its voxels from elsewhere and covers a part only.
void testShiftedVolume(const World& world)
{
  if (world.communicator->size() > 1)
  {
    return; // pieces would have to match; one rank shows it
  }
  const Shape shape = oddShape(10, 9, 8);
  Shape volume = shape;
  // Its first voxel is the world's voxel lo + (2, 3, 1), and has the index (0, 0, 0).
  volume.box = Box::ofSize(6, 5, 6);
  const Point first = worldOf(shape, static_cast<double>(shape.box.lo[0] + 2),
    static_cast<double>(shape.box.lo[1] + 3), static_cast<double>(shape.box.lo[2] + 1));
  std::copy(first.begin(), first.end(), volume.origin);
  const auto values =
    volumes::make<int>(volume.box, [](Index x, Index y, Index z) { return x * y + 7 * z; });
  Session session(world, shape, nullptr, Layout::RootOnly, 3);
  session.setGeometry();
  CHECK(session.Edit->SetVolume(makePiece(volume, values, volume.box)));
  session.good("[" + op("add_segment", "a") + ", " +
      op("threshold", "a", "\"MinimumThreshold\": 8, \"MaximumThreshold\": 30") + "]",
    __LINE__);
  Mask expected;
  for (Index z = -1; z < 7; ++z)
  {
    for (Index y = -3; y < 6; ++y)
    {
      for (Index x = -2; x < 8; ++x)
      {
        const Index value = x * y + 7 * z;
        expected.push_back(volume.box.contains(x, y, z) && value >= 8 && value <= 30 ? 1 : 0);
      }
    }
  }
  CHECK_RANGES(session.mask("a"), expected, shape.box.size());
}

/// Collective. Strokes in a world of 4096 x 4096 x 4096 voxels.
void testSparseWorld(const World& world)
{
  Shape shape = shapeOf(4096, 4096, 4096);
  for (int a = 0; a < 3; ++a)
  {
    shape.box.lo[a] -= 1000;
    shape.box.hi[a] -= 1000;
  }
  Session session(world, shape, world.communicator->controller());
  session.setGeometry();
  session.good("[" + op("add_segment", "a") + ", " + op("add_segment", "b") + "]", __LINE__);
  const auto ends = "\"Points\": [[-990, -990, -990], [3000, 3000, 3000], [3050, 0, 0]]";
  session.good(op("paint", "a", std::string(ends) + ", \"BrushPixelMode\": true"), __LINE__);
  CHECK_EQUAL(session.table()->GetNthSegmentVoxelCount(0), 3991 + 3000);
  // A ball of radius 40 where b overlaps nothing, half of it erased: 4/3 pi 40^3 = 268083.
  session.good(ball(shape, "b", 100, 2000, 500, 80.0), __LINE__);
  const vtkTypeInt64 whole = session.table()->GetNthSegmentVoxelCount(1);
  CHECK(std::abs(static_cast<double>(whole) - 268083.0) < 2000.0);
  CHECK_EQUAL(changeOf(session.Edit).segments.size(), std::size_t{ 1 });
  const Box box = changeOf(session.Edit).box;
  CHECK(box.size() < 200 * 200 * 200 && box.contains(100, 2000, 540));
  session.good(op("margin", "b", "\"MarginSizeMm\": -2.0"), __LINE__);
  CHECK(session.table()->GetNthSegmentVoxelCount(1) < whole);
  session.good(
    op("erase", "b", R"("Points": [[100, 2000, 500]], "BrushAbsoluteDiameter": 80)"), __LINE__);
  CHECK_EQUAL(session.table()->GetNthSegmentVoxelCount(1), 0);
  CHECK(session.Edit->GetMemorySize() + session.Edit->GetUndoMemorySize() < vtkTypeInt64(32) << 20);
  while (session.Edit->GetNumberOfUndoSteps() > 3)
  {
    CHECK(session.Edit->Undo());
  }
  CHECK_EQUAL(session.table()->GetNthSegmentVoxelCount(0), 3991 + 3000);
  CHECK_EQUAL(session.table()->GetNthSegmentVoxelCount(1), 0);
  CHECK(session.Edit->Undo());
  CHECK_EQUAL(session.Edit->GetNumberOfBlocks(), 0);
  CHECK_EQUAL(session.Edit->GetMemorySize(), 0);
  while (session.Edit->Redo())
  {
  }
  CHECK_EQUAL(session.table()->GetNthSegmentVoxelCount(0), 3991 + 3000);
  // Nothing to see outside the world, however far away.
  for (const char* region : { "[1e300, 0, 0]", "[-1e300, 1e300, 0]", "[0, 0, 1e12]" })
  {
    session.good(
      op("logical", "a", R"("Operation": "FILL")",
        std::string(R"(, "region": {"center": )") + region + R"(, "size": [10, 10, 10]})"),
      __LINE__);
    CHECK(changeOf(session.Edit).box.empty());
  }
  // Under a brush effects that look nearby cost what lies there, whatever the segment.
  for (const char* effect : { "median", "opening", "closing", "gaussian", "margin", "hollow" })
  {
    session.good(op(effect, "a", "",
                   ", \"region\": {\"points\": [" + list(worldOf(shape, 1000.0, 1000.0, 1000.0)) +
                     "], \"diameter\": 4}"),
      __LINE__);
  }
  const int corner[6] = { 3090, 3200, 3090, 3200, 3090, 3200 };
  vtkNew<vtkImageData> image;
  CHECK(session.Edit->GetLabelMap(corner, image));
}

/// Collective. A reduced preview: every step-th voxel.
void testReducedPreview(const World& world)
{
  const Shape shape = oddShape(13, 12, 11);
  const auto session = begun(world, shape);
  const int extent[6] = { -100, 100, -100, 100, -100, 100 };
  vtkNew<vtkImageData> image;
  const std::string stroke = ball(shape, "b", 0, 9, 2, 7.0);
  if (world.communicator->size() > 1)
  {
    CHECK(contains(session->error(session->Edit->Preview(stroke, extent, 2, image)), "one rank"));
  }
  else
  {
    for (const int step : { 2, 3, 50 })
    {
      check::setContext("step ", step);
      CHECK(session->Edit->Preview(stroke, extent, step, image));
      const Mask all = [&]
      {
        session->good(stroke, __LINE__);
        const Mask mask = session->mask("b");
        CHECK(session->Edit->Undo());
        return mask;
      }();
      Box reduced;
      for (int a = 0; a < 3; ++a)
      {
        reduced.lo[a] = 0;
        reduced.hi[a] = (shape.box.dim(a) - 1) / step;
      }
      CHECK(Box::fromExtent(image->GetExtent()) == reduced);
      const auto* got = voxels<unsigned char>(image, "Mask");
      CHECK(got != nullptr);
      Index at = 0;
      for (Index k = 0; got && k <= reduced.hi[2]; ++k)
      {
        for (Index j = 0; j <= reduced.hi[1]; ++j)
        {
          for (Index i = 0; i <= reduced.hi[0]; ++i, ++at)
          {
            const Index v[3] = { shape.box.lo[0] + i * step, shape.box.lo[1] + j * step,
              shape.box.lo[2] + k * step };
            CHECK_EQUAL(got[at], all[static_cast<std::size_t>(shape.box.offset(v[0], v[1], v[2]))]);
            // It lies where these voxels lie.
            double where[3];
            image->TransformIndexToPhysicalPoint(
              static_cast<int>(i), static_cast<int>(j), static_cast<int>(k), where);
            const Point expected = worldOf(shape, static_cast<double>(v[0]),
              static_cast<double>(v[1]), static_cast<double>(v[2]));
            for (std::size_t a = 0; a < 3; ++a)
            {
              CHECK(std::abs(where[a] - expected[a]) < 1e-9);
            }
          }
        }
      }
    }
    check::setContext("");
  }
  const auto refused = [&](const std::string& operation, int step, const char* part)
  {
    const std::string error =
      session->error(session->Edit->Preview(operation, extent, step, image));
    CHECK(contains(error, part));
  };
  refused(stroke, 0, "the step of the preview is 0");
  refused(stroke, -1, "the step of the preview is -1");
  refused(op("remove_segment", "b"), 1, "nothing to preview");
  refused(op("median", "nobody"), 1, "there is no segment 'nobody'");
  refused("[" + stroke + ", " + stroke + "]", 1, "2 operations to preview, expected 1");
  refused("{", 1, "not valid JSON");
}

/// Collective. A label map of several layers in, the same out; what it was stays the beginning.
void testStart(const World& world)
{
  const Shape shape = oddShape(12, 12, 10);
  const auto session = begun(world, shape);
  // Overlapping segments, so that there are two layers.
  session->good(op("copy_segment", "c", R"("SourceSegmentID": "a")"), __LINE__);
  CHECK_EQUAL(session->Edit->GetNumberOfLayers(), 2);
  int extent[6];
  shape.box.toExtent(extent);
  vtkNew<vtkImageData> labelMap;
  CHECK(session->Edit->GetLabelMap(extent, labelMap));
  const std::string state = session->state();
  Session other(world, shape, world.communicator->controller(), Layout::SharedPlanes, 7);
  other.setGeometry();
  CHECK_EQUAL(other.error(other.Edit->Start(labelMap)), "");
  CHECK(other.state() == state);
  CHECK_EQUAL(other.Edit->GetNumberOfUndoSteps(), 0);
  other.good(op("remove_segment", "a"), __LINE__);
  CHECK(other.Edit->Undo());
  CHECK(other.state() == state);
  // One rank has another label map: refused, and nothing changes.
  vtkNew<vtkImageData> bad;
  bad->ShallowCopy(labelMap);
  if (world.communicator->rank() == world.communicator->size() - 1)
  {
    bad->SetExtent(0, 1, 0, 1, 0, 1);
  }
  CHECK(!other.error(other.Edit->Start(bad)).empty());
  CHECK(other.state() == state);
  CHECK_EQUAL(other.Edit->GetNumberOfRedoSteps(), 1);
  CHECK_EQUAL(other.error(other.Edit->Start(nullptr)), "");
  CHECK_EQUAL(other.state(), "1");
}

/// Collective. Worlds that cannot be, and ranks that disagree.
void testUnusableWorlds(const World& world)
{
  const Shape shape = oddShape(6, 6, 8);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  int extent[6];
  piece.toExtent(extent);
  const bool last = world.communicator->rank() == world.communicator->size() - 1;
  const auto refused = [&](const Shape& bad, const char* part, int edge)
  {
    vtkNew<vtkLabelMapEditSession> session;
    session->SetController(world.communicator->controller());
    session->SetBlockEdge(edge);
    CHECK(!session->SetGeometry(extent, bad.origin, bad.spacing, bad.direction));
    CHECK(contains(session->GetLastError(), part));
    CHECK(sameEverywhere(world, session->GetLastError()));
    CHECK_EQUAL(session->GetNumberOfLayers(), 0);
  };
  Shape bad = shape;
  bad.spacing[1] = last ? 0.0 : bad.spacing[1];
  refused(bad, "the spacing along axis 1", 32);
  bad = shape;
  bad.origin[2] = std::numeric_limits<double>::infinity();
  refused(bad, "the origin is not finite", 32);
  bad = shape;
  bad.direction[0] = 0.7;
  refused(bad, "direction matrix", 32);
  refused(shape, "the edge of a block is 0 voxels", 0);
  refused(shape, "the edge of a block is 257 voxels", 257);
  const int empty[6] = { 0, -1, 0, -1, 0, -1 };
  vtkNew<vtkLabelMapEditSession> session;
  session->SetController(world.communicator->controller());
  CHECK(!session->SetGeometry(empty, shape.origin, shape.spacing, shape.direction));
  CHECK(contains(session->GetLastError(), "no voxels"));
  if (world.communicator->size() > 1)
  {
    bad = shape;
    bad.origin[0] += last ? 1.0 : 0.0;
    refused(bad, "different origin, spacing or direction", 32);
    // One rank has no volume.
    const auto image =
      makePiece(shape, std::vector<short>(static_cast<std::size_t>(shape.box.size()), 3), piece);
    CHECK(!session->SetVolume(last ? nullptr : image.Get()));
    CHECK(contains(session->GetLastError(), "the volume is missing on this rank"));
    CHECK(sameEverywhere(world, session->GetLastError()));
    CHECK(session->SetVolume(image));
  }
}

} // namespace

int TestEditSession(int argc, char* argv[])
{
  World world(argc, argv);
  testRandomOperations(world);
  testErrorsChangeNothing(world);
  testAround(world);
  testAbort(world);
  testEvents(world);
  testUndoMemory(world);
  testInterpolatedVolume(world);
  testShiftedVolume(world);
  testSparseWorld(world);
  testReducedPreview(world);
  testStart(world);
  testUnusableWorlds(world);
  return result(world);
}
