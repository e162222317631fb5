// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Median: the majority in a box that is cut at the border of the image. Truth: a loop over the box.

#include "FilterTest.h"
#include "vtkLabelMapMedian.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker median(double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapMedian>::New();
    effect->SetKernelSizeMm(millimetres);
    return effect;
  };
}

/// The odd number of voxels of the header; nearbyint rounds halves to even.
Index kernel(double millimetres, double spacing)
{
  return std::max<Index>(
    1, 2 * static_cast<Index>(std::nearbyint((millimetres / spacing + 1.0) / 2.0)) - 1);
}

MaskOracle oracle(double millimetres)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    Index half[3];
    for (int a = 0; a < 3; ++a)
    {
      half[a] = (kernel(millimetres, shape.spacing[a]) - 1) / 2;
    }
    std::vector<std::uint8_t> result;
    for (Index z = 0; z < box.dim(2); ++z)
    {
      for (Index y = 0; y < box.dim(1); ++y)
      {
        for (Index x = 0; x < box.dim(0); ++x)
        {
          Index object = 0;
          Index all = 0;
          for (Index k = std::max<Index>(0, z - half[2]); k <= std::min(box.hi[2], z + half[2]);
            ++k)
          {
            for (Index j = std::max<Index>(0, y - half[1]); j <= std::min(box.hi[1], y + half[1]);
              ++j)
            {
              for (Index i = std::max<Index>(0, x - half[0]); i <= std::min(box.hi[0], x + half[0]);
                ++i)
              {
                object += mask[static_cast<std::size_t>(box.offset(i, j, k))];
                ++all;
              }
            }
          }
          result.push_back(2 * object > all ? 1 : 0);
        }
      }
    }
    return result;
  };
}

/// Along a line: details narrower than half the box go, gaps are filled, a tie at the border gives
/// background.
void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 12 : 1, 1, axis == 2 ? 12 : 1);
    // A cut box of two voxels at both ends, each with one of the segment: ties. The 2 in the gap is
    // covered.
    const Labels line{ 1, 0, 0, 1, 0, 1, 1, 2, 1, 3, 0, 1 };
    CHECK_EVERYWHERE(world, shape, line, median(3.0),
      Labels({ 0, 0, 0, 0, 1, 1, 1, 1, 0, 3, 0, 0 }), "values", Effort::Every);
    // Below one and a half voxels nothing changes.
    for (const double small : { 0.0, 0.5, 1.0, 1.9 })
    {
      CHECK_EVERYWHERE(world, shape, line, median(small), line, "values");
    }
  }
  check::setContext("");
}

/// Kernel sizes round as Slicer does: halves to even. Seen as how far a half space is felt at its
/// border.
void testKernelVoxels(const World& world)
{
  // (size + 1) / 2 = 1.5 -> 2: 3 voxels; 2.5 -> 2: 3 voxels; 3.5 -> 4: 7 voxels.
  for (const auto& [size, voxels] : { std::pair<double, Index>{ 1.99, 1 }, { 2.0, 3 }, { 3.0, 3 },
         { 4.0, 3 }, { 4.01, 5 }, { 5.0, 5 }, { 6.0, 7 } })
  {
    CHECK_EQUAL(kernel(size, 1.0), voxels);
    // A bar of n voxels in the middle of a line survives a box of 2 n - 1, not of 2 n + 1.
    const Shape shape = shapeOf(1, 1, 21);
    for (Index bar = 1; bar < 5; ++bar)
    {
      check::setContext("kernel ", size, " bar ", bar);
      const auto line = volumes::make<unsigned char>(
        shape.box, [&](Index, Index, Index z) { return z >= 9 && z < 9 + bar; });
      CHECK_EVERYWHERE(world, shape, line, median(size),
        2 * bar > voxels ? line : std::vector<unsigned char>(21, 0), "values");
    }
  }
  check::setContext("");
}

void testBoxWiderThanImage(const World& world)
{
  const Shape shape = oddShape(5, 4, 7);
  const auto most = volumes::make<short>(shape.box, [](Index x, Index, Index) { return x < 3; });
  const auto few = volumes::make<short>(shape.box, [](Index x, Index, Index) { return x < 2; });
  for (const double size : { 100.0, 256.0 })
  {
    CHECK_EVERYWHERE(
      world, shape, most, median(size), std::vector<short>(140, 1), "values", Effort::Every);
    CHECK_EVERYWHERE(
      world, shape, few, median(size), std::vector<short>(140, 0), "values", Effort::Every);
  }
}

void testErrors(const World& world)
{
  Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, median(-0.1)(), image, "KernelSizeMm is -0.1, expected 0 to 1e+06");
  CHECK_REFUSED(world, median(std::nan(""))(), image, "KernelSizeMm is nan");
  CHECK_REFUSED(world, median(2e6)(), image, "KernelSizeMm is 2e+06");
  CHECK_REFUSED(world, median(515.0)(), image, "KernelSizeMm is 515 mm, which spans 515 voxels");
  // A spacing so small that the number of voxels is no number: an error, not an exception.
  shape.spacing[1] = 1e-12;
  CHECK_REFUSED(world, median(1e6)(), makePiece(shape, ones, piece), "size / spacing");
}

} // namespace

int TestLabelMapMedian(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, median(3.0), "values");
  testHandCheckedLine(world);
  testKernelVoxels(world);
  testBoxWiderThanImage(world);
  testErrors(world);
  for (const double size : { 3.0, 6.5 })
  {
    check::setContext("kernel ", size);
    segmentSuite(world, median(size), oracle(size));
  }
  return result(world);
}
