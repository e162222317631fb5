// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Margin: Euclidean distances between voxel centres. Truth: a loop over all pairs of voxels within
// reach.

#include "FilterTest.h"
#include "vtkLabelMapMargin.h"

#include <cmath>
#include <limits>

using namespace filtertest;

namespace
{

Maker margin(double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapMargin>::New();
    effect->SetMarginSizeMm(millimetres);
    return effect;
  };
}

/// "At most m" on the squares, with the relative tolerance of 1e-12 that the header promises. A
/// voxel enters if one of the segment is that near, and leaves if one outside the segment but
/// inside the image is.
MaskOracle oracle(double millimetres)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    const bool grow = millimetres > 0.0;
    const double reach = millimetres * millimetres * (1.0 + 1e-12);
    Index halo[3];
    for (int a = 0; a < 3; ++a)
    {
      halo[a] =
        std::min(box.dim(a), static_cast<Index>(std::abs(millimetres) / shape.spacing[a]) + 1);
    }
    std::vector<std::uint8_t> result(mask.size());
    for (Index z = 0; z < box.dim(2); ++z)
    {
      for (Index y = 0; y < box.dim(1); ++y)
      {
        for (Index x = 0; x < box.dim(0); ++x)
        {
          const std::uint8_t here = mask[static_cast<std::size_t>(box.offset(x, y, z))];
          std::uint8_t now = here;
          Box near;
          const Index p[3] = { x, y, z };
          for (int a = 0; a < 3; ++a)
          {
            near.lo[a] = std::max<Index>(0, p[a] - halo[a]);
            near.hi[a] = std::min(box.hi[a], p[a] + halo[a]);
          }
          for (Index k = near.lo[2]; k <= near.hi[2] && now == here; ++k)
          {
            for (Index j = near.lo[1]; j <= near.hi[1] && now == here; ++j)
            {
              for (Index i = near.lo[0]; i <= near.hi[0] && now == here; ++i)
              {
                const double dx = static_cast<double>(i - x) * shape.spacing[0];
                const double dy = static_cast<double>(j - y) * shape.spacing[1];
                const double dz = static_cast<double>(k - z) * shape.spacing[2];
                const bool other =
                  (mask[static_cast<std::size_t>(box.offset(i, j, k))] != 0) == grow;
                if (other && dx * dx + dy * dy + dz * dz <= reach)
                {
                  now = grow ? 1 : 0;
                }
              }
            }
          }
          result[static_cast<std::size_t>(box.offset(x, y, z))] = now;
        }
      }
    }
    return result;
  };
}

/// A margin of 0.3 reaches the third voxel of 0.1, although 3 x 0.1 is more than 0.3 in double.
void testThreeTenths(const World& world)
{
  using Labels = std::vector<unsigned char>;
  Shape shape = shapeOf(11, 1, 1);
  std::fill(shape.spacing, shape.spacing + 3, 0.1);
  const Labels dot{ 0, 0, 0, 0, 0, 1, 0, 0, 2, 2, 2 };
  // What is covered belongs to the segment, label 2 keeps the rest.
  CHECK_EVERYWHERE(world, shape, dot, margin(0.3), Labels({ 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2 }),
    "values", Effort::Every);
  CHECK_EVERYWHERE(
    world, shape, dot, margin(0.29), Labels({ 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2 }), "values");
  const Labels bar{ 0, 1, 1, 1, 1, 1, 1, 1, 0, 2, 2 };
  CHECK_EVERYWHERE(world, shape, bar, margin(-0.3), Labels({ 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 2 }),
    "values", Effort::Every);
  CHECK_EVERYWHERE(world, shape, bar, margin(0.0), bar, "values");
  CHECK_EVERYWHERE(world, shape, bar, margin(0.0999), bar, "values");
  CHECK_EVERYWHERE(world, shape, bar, margin(-0.0999), bar, "values");
}

/// Beyond the border of the image lies nothing: neither background nor object.
void testBorder(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(1, 1, 8);
  CHECK_EVERYWHERE(world, shape, Labels({ 1, 1, 1, 1, 1, 0, 0, 0 }), margin(-2.0),
    Labels({ 1, 1, 1, 0, 0, 0, 0, 0 }), "values", Effort::Every);
  for (const double m : { 1.0, -1.0, 50.0, -50.0, 256.0, -256.0 })
  {
    check::setContext("margin ", m);
    // A full segment stays (Slicer clears it when growing), an empty one too.
    CHECK_EVERYWHERE(world, shape, Labels(8, 1), margin(m), Labels(8, 1), "values");
    CHECK_EVERYWHERE(world, shape, Labels(8, 3), margin(m), Labels(8, 3), "values");
    // A margin wider than blocks and image.
    CHECK_EVERYWHERE(world, shape, Labels({ 0, 0, 0, 0, 0, 0, 3, 1 }), margin(m),
      m == 1.0    ? Labels({ 0, 0, 0, 0, 0, 0, 1, 1 })
        : m > 1.0 ? Labels(8, 1)
                  : Labels({ 0, 0, 0, 0, 0, 0, 3, 0 }),
      "values", Effort::Every);
  }
  check::setContext("");
}

/// One voxel becomes a ball of the same radius in millimetres on each axis.
void testAnisotropicBall(const World& world)
{
  for (const bool left : { false, true })
  {
    const Shape shape = oddShape(25, 13, 9, left);
    const auto dot = volumes::make<int>(
      shape.box, [](Index x, Index y, Index z) { return x == 12 && y == 6 && z == 4 ? 7 : 0; });
    const auto ball = volumes::make<int>(shape.box,
      [](Index x, Index y, Index z)
      {
        // In quarters of a millimetre, as integers: spacing 0.5, 1.25, 2.
        const Index dx = 2 * (x - 12), dy = 5 * (y - 6), dz = 8 * (z - 4);
        return dx * dx + dy * dy + dz * dz <= 20 * 20 ? 7 : 0;
      });
    const Maker grow = []
    {
      auto effect = margin(5.0)();
      effect->SetSegmentLabel(7);
      return effect;
    };
    CHECK_EVERYWHERE(world, shape, dot, grow, ball, "values", Effort::Every);
  }
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const auto image = makePiece(shape, std::vector<short>(45, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(
    world, margin(std::nan(""))(), image, "MarginSizeMm is nan, expected -1e+06 to 1e+06");
  CHECK_REFUSED(world, margin(1.1e6)(), image, "MarginSizeMm is 1.1e+06");
  CHECK_REFUSED(
    world, margin(-257.0)(), image, "MarginSizeMm is -257 mm, which spans 515 voxels of 1 mm");
  CHECK_REFUSED(
    world, margin(-std::numeric_limits<double>::infinity())(), image, "MarginSizeMm is -inf");
}

/// Spacings far from millimetres: reach in voxels beyond any image, and beyond 32 bits.
void testTinySpacing(const World& world)
{
  Shape shape = shapeOf(1, 2, 6);
  std::fill(shape.spacing, shape.spacing + 3, 1e-12);
  const auto image = makePiece(shape, std::vector<unsigned char>(12, 1),
    paralleltest::pieceOf(
      Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size()));
  CHECK_REFUSED(world, margin(1e6)(), image, "MarginSizeMm is 1e+06 mm, which spans");
}

} // namespace

int TestLabelMapMargin(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, margin(2.1), "values");
  testThreeTenths(world);
  testBorder(world);
  testAnisotropicBall(world);
  testErrors(world);
  testTinySpacing(world);
  for (const double m : { 2.6, -1.3, 4.0 })
  {
    check::setContext("margin ", m);
    segmentSuite(world, margin(m), oracle(m));
  }
  return result(world);
}
