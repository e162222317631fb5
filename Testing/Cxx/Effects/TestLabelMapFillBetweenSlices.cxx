// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Fill between slices: the slices of all labels and axes are found and filled, whatever the ranks.
// Truth: by hand, and a loop over labels, axes and slices on the whole image. What lies between two
// slices is tested with the kernel. (The image of commonSuite has no slices; the suite in Python
// has.)

#include "FillBetweenSlices.h"
#include "FilterTest.h"
#include "vtkLabelMapFillBetweenSlices.h"

#include <map>

using namespace filtertest;

namespace
{

const Maker Fill = [] { return vtkSmartPointer<vtkLabelMapFillBetweenSlices>::New(); };

/// Everything at once: no boxes of labels, no batches, one voxel at a time.
template <class T>
std::vector<T> oracle(const Shape& shape, const std::vector<T>& labels)
{
  const Box box = shape.box;
  const Index steps[3] = { 1, box.dim(0), box.dim(0) * box.dim(1) };
  std::map<std::pair<T, int>, std::vector<Index>> slices;
  for (const auto& mark : segcore::markedSlices(labels.data(), box, box))
  {
    slices[{ mark.label, mark.axis }].push_back(mark.at - box.lo[mark.axis]);
  }
  std::vector<T> result = labels;
  for (const auto& [key, marked] : slices)
  {
    const auto [label, axis] = key;
    const int u = axis == 0 ? 1 : 0;
    const int v = axis == 2 ? 1 : 2;
    const segcore::SliceBox image{ 0, 0, box.dim(u) - 1, box.dim(v) - 1 };
    for (std::size_t s = 0; s + 1 < marked.size(); ++s)
    {
      const auto runs = [&, axis = axis, label = label](Index at)
      {
        return segcore::sliceRuns(
          labels.data() + at * steps[axis], steps[u], steps[v], image, label);
      };
      std::vector<segcore::FilledRun> filled;
      segcore::SliceInterpolator interpolator(shape.spacing[u], shape.spacing[v]);
      interpolator.fill(
        runs(marked[s]), runs(marked[s + 1]), image, marked[s + 1] - marked[s], filled);
      for (const segcore::FilledRun& run : filled)
      {
        for (Index p = run.u0; p <= run.u1; ++p)
        {
          const std::size_t at = static_cast<std::size_t>(
            (marked[s] + run.k) * steps[axis] + p * steps[u] + run.v * steps[v]);
          if (labels[at] == T(0) && (result[at] == T(0) || label < result[at]))
          {
            result[at] = label;
          }
        }
      }
    }
  }
  return result;
}

/// Every third slice of three columns, of which two overlap.
int drawnSlices(Index x, Index y, Index z)
{
  return z % 3 ? 0 : (y < 4 ? (x < 5 ? 2 : 1) : (x > 1 + z / 2 ? 3 : 0));
}

void testHandChecked(const World& world)
{
  // A square of 3 in the slices 1 and 5 of each axis in turn.
  for (const int axis : { 0, 1, 2 })
  {
    check::setContext("axis ", axis);
    const Shape shape = shapeOf(7, 7, 7);
    const auto square = [axis](bool filled)
    {
      return [axis, filled](Index x, Index y, Index z)
      {
        const Index at[3] = { x, y, z };
        bool inside = filled ? at[axis] >= 1 && at[axis] <= 5 : at[axis] == 1 || at[axis] == 5;
        for (int other = 0; other < 3; ++other)
        {
          inside = inside && (other == axis || (at[other] >= 2 && at[other] <= 4));
        }
        return inside ? 6 : 0;
      };
    };
    CHECK_EVERYWHERE(world, shape, volumes::make<short>(shape.box, square(false)), Fill,
      volumes::make<short>(shape.box, square(true)), "values", Effort::Every);
  }
  // Two labels want the same voxels: the lower one gets them. A voxel of a third one stays.
  const Shape shape = shapeOf(5, 5, 5);
  const auto crossing = [](bool filled)
  {
    return [filled](Index x, Index y, Index z)
    {
      if (x == 2 && y == 2 && z == 2)
      {
        return 9;
      }
      const bool low = filled ? true : z == 0 || z == 4;
      if (low && x >= 1 && x <= 3 && y >= 1 && y <= 3)
      {
        return -4;
      }
      const bool high = filled ? true : x == 0 || x == 4;
      return high && y >= 1 && y <= 3 && z >= 1 && z <= 3 ? 3 : 0;
    };
  };
  check::setContext("crossing");
  CHECK_EVERYWHERE(world, shape, volumes::make<int>(shape.box, crossing(false)), Fill,
    volumes::make<int>(shape.box, crossing(true)), "values", Effort::Every);
  check::setContext("");
}

/// Drawn slices across several axes, of all types.
void testRandomSlices(const World& world)
{
  check::Random random(17);
  for (int turn = 0; turn < 6; ++turn)
  {
    check::setContext("turn ", turn);
    const Shape shape = oddShape(17, 13, 11);
    const Index every = random.between(2, 5);
    const Index ellipses[3][4] = { { 5, 6, 5, 4 }, { 11, 5, 6, 4 }, { 8, 8, 4, 6 } };
    const Index lean = random.between(-1, 1);
    const auto labels = volumes::make<short>(shape.box,
      [&](Index x, Index y, Index z)
      {
        if (z % every && (turn < 4 || (x + 1) % 6))
        {
          return 0;
        }
        int label = 0;
        for (int e = 0; e < 3; ++e)
        {
          const Index dx = x - ellipses[e][0] - lean * z / 3, dy = y - ellipses[e][1];
          label = dx * dx + dy * dy <= ellipses[e][2] * ellipses[e][3] - z ? e + 1 : label;
        }
        return label;
      });
    const auto expected = oracle(shape, labels);
    CHECK(expected != labels);
    CHECK_EVERYWHERE(world, shape, labels, Fill, expected, "values", Effort::Every);
  }
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      const Shape shape = oddShape(9, 8, 7);
      const auto labels = volumes::make<T>(shape.box, drawnSlices);
      CHECK_EVERYWHERE(world, shape, labels, Fill, oracle(shape, labels), "values");
    });
  check::setContext("");
}

/// Nothing that was drawn, nothing that comes; a full image and thin ones stay.
void testNothingToDo(const World& world)
{
  const Shape shape = oddShape(5, 4, 6);
  for (const int value : { 0, 7 })
  {
    const std::vector<int> all(120, value);
    CHECK_EVERYWHERE(world, shape, all, Fill, all, "values", Effort::Every);
  }
  const std::vector<float> odd(120, std::numeric_limits<float>::quiet_NaN());
  const auto effect = Fill();
  effect->SetController(nullptr);
  vtkNew<vtkImageData> output;
  CHECK(effect->Apply(makePiece(shape, odd, shape.box), output));
}

} // namespace

int TestLabelMapFillBetweenSlices(int argc, char* argv[])
{
  World world(argc, argv);
  testHandChecked(world);
  testRandomSlices(world);
  testNothingToDo(world);
  return result(world);
}
