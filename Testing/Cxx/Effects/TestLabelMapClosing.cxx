// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Closing: all but what an ellipsoid fits into beside the segment. Truth: loops over the ellipsoid.

#include "FilterTest.h"
#include "vtkLabelMapClosing.h"

#include <cmath>

using namespace filtertest;

namespace
{

Maker closing(double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapClosing>::New();
    effect->SetKernelSizeMm(millimetres);
    return effect;
  };
}

/// The union of all ellipsoids inside the background, inverted, what they have beyond the border
/// left out.
MaskOracle oracle(double millimetres)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    double half[3];
    for (int a = 0; a < 3; ++a)
    {
      half[a] =
        std::max(1.0, 2.0 * std::nearbyint((millimetres / shape.spacing[a] + 1.0) / 2.0) - 1.0) /
        2.0;
    }
    const std::uint8_t inside = 0;
    std::vector<std::uint8_t> result(mask.size(), 1 - inside);
    const auto ellipsoidAt = [&](Index centre, auto&& visit)
    {
      const Index nx = box.dim(0), ny = box.dim(1);
      for (Index i = 0; i < box.size(); ++i)
      {
        const double x = static_cast<double>(i % nx - centre % nx) / half[0];
        const double y = static_cast<double>(i / nx % ny - centre / nx % ny) / half[1];
        const double z = static_cast<double>(i / nx / ny - centre / nx / ny) / half[2];
        if (x * x + y * y + z * z <= 1.0)
        {
          visit(static_cast<std::size_t>(i));
        }
      }
    };
    for (Index centre = 0; centre < box.size(); ++centre)
    {
      bool fits = true;
      ellipsoidAt(centre, [&](std::size_t i) { fits = fits && mask[i] == inside; });
      if (fits)
      {
        ellipsoidAt(centre, [&](std::size_t i) { result[i] = inside; });
      }
    }
    return result;
  };
}

void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 15 : 1, 1, axis == 2 ? 15 : 1);
    // Runs of 2 and 1 at the border, of 2 and 4; gaps of 1, 2 and 4. At the border half of the
    // ellipsoid is enough.
    const Labels line{ 1, 1, 0, 1, 1, 2, 2, 1, 1, 1, 0, 3, 0, 0, 1 };
    CHECK_EVERYWHERE(world, shape, line, closing(3.0),
      Labels({ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 3, 0, 0, 1 }), "values", Effort::Every);
    for (const double small : { 0.0, 0.5, 1.0, 1.9 })
    {
      CHECK_EVERYWHERE(world, shape, line, closing(small), line, "values");
    }
  }
  check::setContext("");
}

void testErrors(const World& world)
{
  Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const std::vector<short> ones(45, 1);
  const auto image = makePiece(shape, ones, piece);
  CHECK_REFUSED(world, closing(-0.1)(), image, "KernelSizeMm is -0.1, expected 0 to 1e+06");
  CHECK_REFUSED(world, closing(std::nan(""))(), image, "KernelSizeMm is nan");
  CHECK_REFUSED(world, closing(258.0)(), image,
    "KernelSizeMm is 258 mm, which spans 259 voxels of 1 mm; expected at most 255");
  shape.spacing[1] = 0.005;
  CHECK_REFUSED(
    world, closing(3.0)(), makePiece(shape, ones, piece), "which spans 599 voxels of 0.005 mm");
  shape.spacing[1] = 1e-12;
  CHECK_REFUSED(world, closing(1e6)(), makePiece(shape, ones, piece), "size / spacing");
}

} // namespace

int TestLabelMapClosing(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, closing(3.0), "values");
  testHandCheckedLine(world);
  testErrors(world);
  for (const double size : { 3.0, 6.5 })
  {
    check::setContext("kernel ", size);
    segmentSuite(world, closing(size), oracle(size));
  }
  return result(world);
}
