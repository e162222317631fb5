// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Slices between two slices: hand-checked pictures; distances by a loop over all pixels; symmetry.

#include "FillBetweenSlices.h"

#include "Check.h"
#include "Volumes.h"

#include <limits>
#include <set>
#include <stdexcept>

using segcore::Box;
using segcore::FilledRun;
using segcore::Index;
using segcore::SliceBox;
using segcore::SliceInterpolator;
using segcore::SliceRun;

namespace
{

/// A slice as text: '#' is inside, rows are v.
using Picture = std::vector<std::string>;

std::vector<SliceRun> runsOf(const Picture& picture)
{
  std::vector<SliceRun> runs;
  for (std::size_t v = 0; v < picture.size(); ++v)
  {
    for (std::size_t u = 0; u < picture[v].size(); ++u)
    {
      if (picture[v][u] == '#')
      {
        const std::size_t begin = u;
        while (u + 1 < picture[v].size() && picture[v][u + 1] == '#')
        {
          ++u;
        }
        runs.push_back({ static_cast<Index>(v), static_cast<Index>(begin), static_cast<Index>(u) });
      }
    }
  }
  return runs;
}

std::vector<Picture> fillPictures(
  const Picture& first, const Picture& last, Index n, double spacingU = 1.0, double spacingV = 1.0)
{
  SliceInterpolator interpolator(spacingU, spacingV);
  std::vector<FilledRun> runs;
  const SliceBox image{ 0, 0, static_cast<Index>(first[0].size()) - 1,
    static_cast<Index>(first.size()) - 1 };
  interpolator.fill(runsOf(first), runsOf(last), image, n, runs);
  std::vector<Picture> between(
    static_cast<std::size_t>(n - 1), Picture(first.size(), std::string(first[0].size(), '.')));
  for (const FilledRun& run : runs)
  {
    const bool inside = run.k >= 1 && run.k < n && run.v >= image.v0 && run.v <= image.v1 &&
      run.u0 >= image.u0 && run.u1 <= image.u1 && run.u0 <= run.u1;
    CHECK(inside);
    for (Index u = run.u0; inside && u <= run.u1; ++u)
    {
      between[static_cast<std::size_t>(run.k - 1)][static_cast<std::size_t>(run.v)]
             [static_cast<std::size_t>(u)] = '#';
    }
  }
  return between;
}

std::string text(const std::vector<Picture>& pictures)
{
  std::string all;
  for (const Picture& picture : pictures)
  {
    for (const std::string& row : picture)
    {
      all += row + "\n";
    }
    all += "\n";
  }
  return all;
}

Picture line(const std::string& row)
{
  return { std::string(row.size(), '.'), row, std::string(row.size(), '.') };
}

void testHandCheckedLines()
{
  const auto rows = [](const std::string& first, const std::string& last, Index n)
  {
    std::string all;
    for (const Picture& picture : fillPictures(line(first), line(last), n))
    {
      CHECK_EQUAL(picture[0], std::string(first.size(), '.'));
      CHECK_EQUAL(picture[2], std::string(first.size(), '.'));
      all += picture[1] + "|";
    }
    return all;
  };
  // What both have stays. (Distances in a line one pixel high are never above 1 inside.)
  CHECK_EQUAL(rows("..###..", "..###..", 3), "..###..|..###..|");
  // A part without counterpart ends halfway, and not at half.
  CHECK_EQUAL(rows("..###..", ".......", 4), "..###..|.......|.......|");
  CHECK_EQUAL(rows(".......", "..###..", 4), ".......|.......|..###..|");
  CHECK_EQUAL(rows("..###..", ".......", 2), ".......|");
  // A part beside another one is taken along: 3 pixels in 3 steps.
  CHECK_EQUAL(rows("###.......", "...###....", 3), ".###......|..###.....|");
  // Too far to belong together: a disc of 3 pixels has the diameter 1.95.
  CHECK_EQUAL(rows("###.......", "....###...", 3), "###.......|....###...|");
  // Moves by a half round to the middle: 1 of 4 by 2 is a half, and goes up.
  CHECK_EQUAL(rows("##......", "..##....", 4), ".##.....|.##.....|.##.....|");
  // An odd distance in an even number of steps becomes an even move, towards 0.
  CHECK_EQUAL(rows("##......", "...##...", 2), ".###....|");
}

void testHandCheckedAreas()
{
  // A square of 7 that shrinks to one of 1.
  Picture large(9, "........."), small(9, ".........");
  for (std::size_t v = 1; v < 8; ++v)
  {
    large[v] = ".#######.";
  }
  small[4] = "....#....";
  const Picture five{ ".........", ".........", "....#....", "...###...", "..#####..", "...###...",
    "....#....", ".........", "........." };
  const Picture three{ ".........", ".........", ".........", "...###...", "...###...", "...###...",
    ".........", ".........", "........." };
  // One step of 2: pixels are inside if their distance to the outside is at least that to the
  // middle: 2 and 2 in a straight line, but 2 and sqrt 5 beside it.
  const std::vector<Picture> half = fillPictures(large, small, 2);
  CHECK_EQUAL(text(half), text({ five }));
  const std::vector<Picture> thirds = fillPictures(large, small, 3);
  CHECK_EQUAL(text({ thirds[1] }), text({ three }));

  // A branch: one part above two. All belong together, and split on the way.
  const Picture trunk{ "...........", ".#########.", ".#########.", ".#########.", "..........." };
  const Picture branches{ "...........", ".###...###.", ".###...###.", ".###...###.",
    "..........." };
  const std::vector<Picture> split = fillPictures(trunk, branches, 3);
  CHECK_EQUAL(text({ split[0] }), text({ trunk }));
  CHECK_EQUAL(text({ split[1] }),
    text({ { "...........", ".###...###.", ".####.####.", ".###...###.", "..........." } }));

  // A slice that is filled to all sides of the image still shrinks.
  const std::vector<Picture> full =
    fillPictures(Picture(5, "#####"), Picture{ ".....", ".....", "..#..", ".....", "....." }, 2);
  CHECK_EQUAL(text(full), text({ { ".....", ".###.", ".###.", ".###.", "....." } }));
  // A border of the image is none of the shape: this one stays cut off.
  const std::vector<Picture> cut =
    fillPictures(Picture(5, "####......"), Picture(5, "########.."), 2);
  CHECK_EQUAL(text(cut), text({ Picture(5, "######....") }));
}

Picture mirroredU(Picture picture)
{
  for (std::string& row : picture)
  {
    std::reverse(row.begin(), row.end());
  }
  return picture;
}
Picture mirroredV(Picture picture)
{
  std::reverse(picture.begin(), picture.end());
  return picture;
}
Picture transposed(const Picture& picture)
{
  Picture result(picture[0].size(), std::string(picture.size(), '.'));
  for (std::size_t v = 0; v < picture.size(); ++v)
  {
    for (std::size_t u = 0; u < picture[v].size(); ++u)
    {
      result[u][v] = picture[v][u];
    }
  }
  return result;
}

Picture randomPicture(check::Random& random, Index width, Index height)
{
  Picture picture(
    static_cast<std::size_t>(height), std::string(static_cast<std::size_t>(width), '.'));
  const Index boxes = random.between(0, 4);
  for (Index b = 0; b < boxes; ++b)
  {
    const Index u0 = random.below(width), v0 = random.below(height);
    const Index u1 = std::min(width - 1, u0 + random.below(width / 2 + 1));
    const Index v1 = std::min(height - 1, v0 + random.below(height / 2 + 1));
    const char ink = random.below(4) ? '#' : '.';
    for (Index v = v0; v <= v1; ++v)
    {
      for (Index u = u0; u <= u1; ++u)
      {
        picture[static_cast<std::size_t>(v)][static_cast<std::size_t>(u)] = ink;
      }
    }
  }
  return picture;
}

/// Swapped axes, mirrored ones, and first and last exchanged give the matching result.
void testSymmetry()
{
  check::Random random(5);
  for (int turn = 0; turn < 300; ++turn)
  {
    check::setContext("turn ", turn);
    const Index width = random.between(1, 24), height = random.between(1, 24);
    const Index n = random.between(1, 11);
    const Picture a = randomPicture(random, width, height);
    const Picture b = randomPicture(random, width, height);
    const double su = random.below(2) ? 1.0 : 0.7, sv = random.below(2) ? 1.0 : 2.3;
    const std::vector<Picture> expected = fillPictures(a, b, n, su, sv);
    std::vector<Picture> got = fillPictures(b, a, n, su, sv);
    std::reverse(got.begin(), got.end());
    CHECK_EQUAL(text(got), text(expected));
    const auto check = [&](const auto& change, double u, double v)
    {
      std::vector<Picture> changed;
      for (const Picture& picture : expected)
      {
        changed.push_back(change(picture));
      }
      CHECK_EQUAL(text(fillPictures(change(a), change(b), n, u, v)), text(changed));
    };
    check(mirroredU, su, sv);
    check(mirroredV, su, sv);
    check(transposed, sv, su);
    // Only the ratio of the spacings counts.
    CHECK_EQUAL(text(fillPictures(a, b, n, 8 * su, 8 * sv)), text(expected));
  }
  check::setContext("");
}

/// Weighted square of the distance to the nearest pixel of this sort, by looking at all.
Index square(const Picture& picture, char sort, Index u0, Index v0, Index weightU, Index weightV)
{
  Index least = std::numeric_limits<Index>::max();
  for (Index v = 0; v < static_cast<Index>(picture.size()); ++v)
  {
    for (Index u = 0; u < static_cast<Index>(picture[0].size()); ++u)
    {
      if (picture[static_cast<std::size_t>(v)][static_cast<std::size_t>(u)] == sort)
      {
        least = std::min(least, weightU * (u - u0) * (u - u0) + weightV * (v - v0) * (v - v0));
      }
    }
  }
  return least;
}

/// A blob inside a larger one: near and far distances, two spacings.
void testDistances()
{
  check::Random random(9);
  for (int turn = 0; turn < 24; ++turn)
  {
    check::setContext("turn ", turn);
    const Index width = random.between(3, 70), height = random.between(3, 40);
    Picture inner(
      static_cast<std::size_t>(height), std::string(static_cast<std::size_t>(width), '.'));
    Picture outer = inner;
    const Index midU = random.below(width), midV = random.below(height);
    const Index radius = random.between(1, 45);
    const Index core = random.between(0, radius);
    for (Index v = 0; v < height; ++v)
    {
      for (Index u = 0; u < width; ++u)
      {
        const Index distance = (u - midU) * (u - midU) + (v - midV) * (v - midV);
        auto at = [u, v](Picture& picture) -> char&
        { return picture[static_cast<std::size_t>(v)][static_cast<std::size_t>(u)]; };
        at(inner) = distance <= core * core ? '#' : '.';
        at(outer) = distance <= radius * radius ? '#' : '.';
      }
    }
    if (square(outer, '.', 0, 0, 1, 1) == std::numeric_limits<Index>::max())
    {
      continue; // no background: tested by hand
    }
    const bool equal = turn % 3 == 0;
    const Index weightU = equal ? 1 : 4096;
    const Index weightV = equal ? 1 : static_cast<Index>(1.7 * 1.7 * 4096 + 0.5);
    const Index n = random.between(2, 12);
    const std::vector<Picture> got = fillPictures(inner, outer, n, 0.5, equal ? 0.5 : 0.5 * 1.7);
    std::vector<Picture> expected(static_cast<std::size_t>(n - 1), inner);
    for (Index v = 0; v < height; ++v)
    {
      for (Index u = 0; u < width; ++u)
      {
        const std::size_t row = static_cast<std::size_t>(v), column = static_cast<std::size_t>(u);
        if (outer[row][column] == '#' && inner[row][column] == '.')
        {
          const Index out = square(outer, '.', u, v, weightU, weightV);
          const Index in = square(inner, '#', u, v, weightU, weightV);
          for (Index k = 1; k < n; ++k)
          {
            expected[static_cast<std::size_t>(k - 1)][row][column] =
              k * k * out >= (n - k) * (n - k) * in ? '#' : '.';
          }
        }
      }
    }
    CHECK_EQUAL(text(got), text(expected));
  }
  check::setContext("");
}

using Mark = segcore::MarkedSlice<short>;

/// The rule, word for word.
std::vector<Mark> marksByLoop(const std::vector<short>& labels, const Box& box)
{
  std::set<Mark> marks;
  const auto at = [&](Index x, Index y, Index z)
  {
    return box.contains(x, y, z) ? labels[static_cast<std::size_t>(box.offset(x, y, z))] : short(0);
  };
  for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
    {
      for (Index x = box.lo[0]; x <= box.hi[0]; ++x)
      {
        const short label = at(x, y, z);
        const Index position[3] = { x, y, z };
        const short neighbours[3][2] = { { at(x - 1, y, z), at(x + 1, y, z) },
          { at(x, y - 1, z), at(x, y + 1, z) }, { at(x, y, z - 1), at(x, y, z + 1) } };
        for (int axis = 0; label != 0 && axis < 3; ++axis)
        {
          bool drawn = true;
          for (int other = 0; other < 3; ++other)
          {
            for (const short neighbour : neighbours[other])
            {
              drawn = drawn && neighbour == (other == axis ? 0 : label);
            }
          }
          if (drawn)
          {
            marks.insert({ label, axis, position[axis] });
          }
        }
      }
    }
  }
  return std::vector<Mark>(marks.begin(), marks.end());
}

void testMarks()
{
  check::Random random(3);
  for (int turn = 0; turn < 60; ++turn)
  {
    check::setContext("turn ", turn);
    Box box = Box::ofSize(random.between(1, 14), random.between(1, 9), random.between(1, 9));
    for (int axis = 0; axis < 3; ++axis)
    {
      const Index shift = random.between(-5, 5);
      box.lo[axis] += shift;
      box.hi[axis] += shift;
    }
    std::vector<short> labels(static_cast<std::size_t>(box.size()), short(0));
    // Thin plates across all axes.
    const Index plates = random.between(0, 5);
    for (Index p = 0; p < plates; ++p)
    {
      Box plate = box;
      const int across = static_cast<int>(random.below(3));
      plate.lo[across] = plate.hi[across] = random.between(box.lo[across], box.hi[across]);
      plate.lo[(across + 1) % 3] += random.below(3);
      const short label = static_cast<short>(random.between(-2, 3));
      for (Index z = plate.lo[2]; z <= plate.hi[2]; ++z)
      {
        for (Index y = plate.lo[1]; y <= plate.hi[1]; ++y)
        {
          for (Index x = plate.lo[0]; x <= plate.hi[0]; ++x)
          {
            labels[static_cast<std::size_t>(box.offset(x, y, z))] = label;
          }
        }
      }
    }
    const std::vector<Mark> expected = marksByLoop(labels, box);
    CHECK(segcore::markedSlices(labels.data(), box, box) == expected);
    // In blocks that know their neighbours only.
    std::vector<Mark> together;
    for (const Box& block : volumes::split(box, 4, &random))
    {
      const Box padded = block.grown(1).clipped(box);
      const std::vector<short> part = volumes::crop(labels, box, padded);
      const std::vector<Mark> some = segcore::markedSlices(part.data(), padded, block);
      together.insert(together.end(), some.begin(), some.end());
    }
    segcore::tidyMarks(together);
    CHECK(together == expected);
  }
  check::setContext("");
}

void testErrors()
{
  const auto refused = [](const auto& work)
  {
    try
    {
      work();
    }
    catch (const std::invalid_argument&)
    {
      return true;
    }
    return false;
  };
  CHECK(refused([] { SliceInterpolator(0.0, 1.0); }));
  CHECK(refused([] { SliceInterpolator(1.0, std::numeric_limits<double>::quiet_NaN()); }));
  CHECK(refused([] { fillPictures({ "#" }, { "#" }, 0); }));
  CHECK_EQUAL(fillPictures({ "#" }, { "#" }, 1).size(), std::size_t{ 0 });
}

} // namespace

int TestFillBetweenSlices(int, char*[])
{
  testHandCheckedLines();
  testHandCheckedAreas();
  testSymmetry();
  testDistances();
  testMarks();
  testErrors();
  return check::result();
}
