// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Gaussian: the blurred segment, cut at one half. Truth: a loop over all pairs of voxels with the
// weights that GaussianMask.h defines; TestGaussianMask compares these with exact ones.

#include "FilterTest.h"
#include "vtkLabelMapGaussian.h"

#include <cmath>

using namespace filtertest;

namespace
{

Maker gaussian(double millimetres)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapGaussian>::New();
    effect->SetGaussianStandardDeviationMm(millimetres);
    return effect;
  };
}

/// The weights of one axis for k = 0, 1, ...: integers of sum 32767 whose sums from k outwards are
/// rounded ones.
std::vector<Index> weightsOf(double deviation)
{
  const auto half = static_cast<Index>(4.0 * deviation);
  const auto tail = [&](Index from)
  {
    double sum = 0.0;
    for (Index k = half; k >= from; --k)
    {
      const double t = static_cast<double>(k) / deviation;
      sum += std::exp(-0.5 * t * t);
    }
    return sum;
  };
  const double scale = 32767.0 / (1.0 + 2.0 * tail(1));
  std::vector<Index> weights(1, 32767 - 2 * std::lround(scale * tail(1)));
  for (Index k = 1; k <= half; ++k)
  {
    weights.push_back(std::lround(scale * tail(k)) - std::lround(scale * tail(k + 1)));
  }
  return weights;
}

MaskOracle oracle(double millimetres)
{
  return [=](const Shape& shape, const std::vector<std::uint8_t>& mask)
  {
    const Box box = Box::ofSize(shape.box.dim(0), shape.box.dim(1), shape.box.dim(2));
    const Index nx = box.dim(0), ny = box.dim(1);
    std::vector<Index> weights[3];
    for (int a = 0; a < 3; ++a)
    {
      weights[a] = weightsOf(millimetres / shape.spacing[a]);
    }
    std::vector<std::uint8_t> result;
    for (Index i = 0; i < box.size(); ++i)
    {
      Index object = 0;
      Index all = 0; // what is clipped at the border is not in it
      for (Index j = 0; j < box.size(); ++j)
      {
        const Index d[3] = { std::abs(i % nx - j % nx), std::abs(i / nx % ny - j / nx % ny),
          std::abs(i / nx / ny - j / nx / ny) };
        Index weight = 1;
        for (int a = 0; a < 3; ++a)
        {
          const auto k = static_cast<std::size_t>(d[a]);
          weight *= k < weights[a].size() ? weights[a][k] : 0;
        }
        all += weight;
        object += mask[static_cast<std::size_t>(j)] ? weight : 0;
      }
      result.push_back(2 * object >= all ? 1 : 0);
    }
    return result;
  };
}

/// Along a line at s = 1: a gap of one voxel is filled, a run of one is lost, of two stays.
void testHandCheckedLine(const World& world)
{
  using Labels = std::vector<unsigned char>;
  for (const int axis : { 0, 2 })
  {
    check::setContext("line along axis ", axis);
    const Shape shape = shapeOf(axis == 0 ? 19 : 1, 1, axis == 2 ? 19 : 1);
    const Labels line{ 1, 1, 1, 1, 0, 1, 1, 1, 1, 2, 2, 2, 0, 0, 1, 0, 3, 0, 0 };
    CHECK_EVERYWHERE(world, shape, line, gaussian(1.0),
      Labels({ 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 0, 0, 3, 0, 0 }), "values", Effort::Every);
    // Below a quarter of a voxel nothing changes.
    for (const double small : { 0.0, 0.1, 0.2499 })
    {
      CHECK_EVERYWHERE(world, shape, line, gaussian(small), line, "values");
    }
    // Wider than the image: nearly the mean, 9 of 19.
    CHECK_EVERYWHERE(world, shape, line, gaussian(100.0),
      Labels({ 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 3, 0, 0 }), "values");
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
  CHECK_REFUSED(
    world, gaussian(-1.0)(), image, "GaussianStandardDeviationMm is -1, expected 0 to 1e+06");
  CHECK_REFUSED(world, gaussian(std::nan(""))(), image, "GaussianStandardDeviationMm is nan");
  CHECK_REFUSED(world, gaussian(129.0)(), image,
    "GaussianStandardDeviationMm is 129 mm, which spans 1033 voxels of 1 mm; expected at most "
    "1025");
  shape.spacing[2] = 0.005;
  CHECK_REFUSED(world, gaussian(3.0)(), makePiece(shape, ones, piece), "voxels of 0.005 mm");
  shape.spacing[2] = 1e-300;
  CHECK_REFUSED(world, gaussian(3.0)(), makePiece(shape, ones, piece), "deviation in voxels");
}

} // namespace

int TestLabelMapGaussian(int argc, char* argv[])
{
  World world(argc, argv);
  commonSuite(world, gaussian(1.0), "values");
  testHandCheckedLine(world);
  testErrors(world);
  for (const double s : { 0.9, 2.1 })
  {
    check::setContext("deviation ", s);
    segmentSuite(world, gaussian(s), oracle(s));
  }
  return result(world);
}
