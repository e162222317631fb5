// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Engrave: a text is taken away from the segment, or added. Truth: letters checked by eye, and the
// distance of every voxel to their lines (StrokeOracle.h) on oblique lattices.

#include "EngravingFont.h"
#include "OutlineOracle.h"
#include "vtkLabelMapEngrave.h"

using namespace filtertest;

namespace
{

Maker engrave(const std::vector<Point>& corners, const std::string& text, int mode, double depth)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapEngrave>::New();
    effect->SetPoints(corners[0].data(), static_cast<vtkIdType>(corners.size()));
    effect->SetText(text.c_str());
    effect->SetMode(mode);
    effect->SetTextDepth(depth);
    return effect;
  };
}

/// Corners must be those of a rectangle of width and height in millimetres.
MaskOracle oracle(const std::vector<Point>& corners, double width, double height,
  const std::string& text, int mode, double depth)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const segcore::EngravedText letters = segcore::engravedText(text);
    const double unit = std::min(width / (letters.width + 1), height / (letters.height + 1));
    Point x, y;
    for (std::size_t a = 0; a < 3; ++a)
    {
      x[a] = (corners[1][a] - corners[0][a]) / width;
      y[a] = (corners[2][a] - corners[0][a]) / height;
    }
    auto result = mask;
    for (const std::vector<double>& stroke : letters.strokes)
    {
      Brush brush;
      brush.sphere = false;
      brush.diameter = unit;
      brush.thickness = depth;
      brush.normal = { { x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0] } };
      for (std::size_t v = 0; v < stroke.size(); v += 2)
      {
        const double u = width / 2 + unit * (stroke[v] - letters.width / 2);
        const double w = height / 2 + unit * (stroke[v + 1] - letters.height / 2);
        brush.points.push_back({ { corners[0][0] + u * x[0] + w * y[0],
          corners[0][1] + u * x[1] + w * y[1], corners[0][2] + u * x[2] + w * y[2] } });
      }
      const std::vector<std::uint8_t> cut = strokeOracle(shape, brush);
      for (std::size_t i = 0; i < cut.size(); ++i)
      {
        result[i] = cut[i] ? static_cast<std::uint8_t>(mode) : result[i];
      }
    }
    return result;
  };
}

/// One unit is one voxel: the letters as they are in the font, upside down, as y is down here.
void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const std::vector<Point> corners = { { { -0.5, 9.5, 0.0 } }, { { 10.5, 9.5, 0.0 } },
    { { -0.5, 0.5, 0.0 } } };
  // clang-format off
  const Labels letters({
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
    1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
    1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
  // clang-format on
  CHECK_EVERYWHERE(world, shapeOf(11, 10, 1), Labels(110, 0), engrave(corners, "Hi", 1, 1.0),
    letters, "values", Effort::Every);
  Labels rest(letters);
  std::transform(letters.begin(), letters.end(), rest.begin(),
    [](unsigned char c) { return static_cast<unsigned char>(1 - c); });
  CHECK_EVERYWHERE(
    world, shapeOf(11, 10, 1), Labels(110, 1), engrave(corners, "Hi", 0, 1.0), rest, "values");
  // Nothing to write, and nowhere.
  CHECK_EVERYWHERE(world, shapeOf(11, 10, 1), Labels(110, 2), engrave(corners, " \n ", 1, 1.0),
    Labels(110, 2), "values");
  const std::vector<Point> line = { corners[0], corners[1], corners[0] };
  CHECK_EVERYWHERE(world, shapeOf(11, 10, 1), Labels(110, 2), engrave(line, "Hi", 1, 1.0),
    Labels(110, 2), "values");
}

} // namespace

int TestLabelMapEngrave(int argc, char* argv[])
{
  World world(argc, argv);
  const Shape shape = oddShape(14, 11, 9);
  // A rectangle of 10 x 6 mm in an oblique plane: edges along (3, 4, 0) / 5 and (-4, 3, 5) / 7.07.
  const Point from = worldOf(shape, -6.4, 6.3, -2.2);
  const double root = 0.7071067811865476;
  const std::vector<Point> corners = { from, { { from[0] + 6.0, from[1] + 8.0, from[2] } },
    { { from[0] - 4.8 * root, from[1] + 3.6 * root, from[2] - 6.0 * root } } };
  commonSuite(world, engrave(corners, "MM MM", 1, 3.0), "values");
  segmentSuite(
    world, engrave(corners, "MM MM", 1, 3.0), oracle(corners, 10.0, 6.0, "MM MM", 1, 3.0));
  const auto values =
    volumes::make<short>(shape.box, [](Index x, Index y, Index z) { return (x / 3 + y + z) % 4; });
  for (const int mode : { 0, 1 })
  {
    for (const char* text : { "Text", "i!", "A\nb", "~" })
    {
      check::setContext("mode ", mode, " text ", text);
      CHECK_EVERYWHERE(world, shape, values, engrave(corners, text, mode, 4.1),
        merged<short>(shape, values, 1, oracle(corners, 10.0, 6.0, text, mode, 4.1)), "values");
    }
  }
  check::setContext("");
  testByHand(world);
  const auto good = [&]
  {
    auto effect = vtkSmartPointer<vtkLabelMapEngrave>::New();
    effect->SetPoints(corners[0].data(), 3);
    return effect;
  };
  using Filter = vtkLabelMapEngrave;
  checkSpoiled<Filter>(world, good,
    { { [](Filter* f) { f->RemoveAllPoints(); }, "Points is empty" },
      { [&](Filter* f) { f->SetPoints(corners[0].data(), 2); }, "Points has 2, expected three" },
      { [](Filter* f) { f->SetMode(2); }, "Mode is 2" },
      { [](Filter* f) { f->SetTextDepth(0.0); }, "TextDepth is 0" },
      { [](Filter* f) { f->SetText("ab\tc"); }, "Text has no letter for its byte 3" } });
  return result(world);
}
