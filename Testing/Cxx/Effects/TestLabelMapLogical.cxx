// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Logical operators: a segment and another one, voxel by voxel. Truth: the truth table.

#include "FilterTest.h"
#include "vtkLabelMapLogical.h"

using namespace filtertest;

namespace
{

constexpr const char* names[] = { "COPY", "UNION", "SUBTRACT", "INTERSECT", "XOR", "INVERT",
  "CLEAR", "FILL" };

Maker logical(int operation, Index label, const std::string& other)
{
  return [=]
  {
    auto effect = vtkSmartPointer<vtkLabelMapLogical>::New();
    effect->SetOperation(operation);
    effect->SetSegmentLabel(label);
    effect->SetModifierSegmentID(other.c_str());
    return effect;
  };
}

/// Whether a voxel is in the segment afterwards; a and b are never both true in a label map, unless
/// both are the same segment.
bool truth(int operation, bool a, bool b)
{
  switch (operation)
  {
    case vtkLabelMapLogical::COPY:
      return b;
    case vtkLabelMapLogical::UNION:
      return a || b;
    case vtkLabelMapLogical::SUBTRACT:
      return a && !b;
    case vtkLabelMapLogical::INTERSECT:
      return a && b;
    case vtkLabelMapLogical::XOR:
      return a != b;
    case vtkLabelMapLogical::INVERT:
      return !a;
    case vtkLabelMapLogical::CLEAR:
      return false;
    default:
      return true;
  }
}

template <class T>
std::vector<T> expectedOf(const std::vector<T>& labels, int operation, T own, T other)
{
  std::vector<T> result(labels);
  for (T& value : result)
  {
    const bool a = value == own;
    value = truth(operation, a, value == other) ? own : (a ? T(0) : value);
  }
  return result;
}

void testByHand(const World& world)
{
  using Labels = std::vector<unsigned char>;
  const Shape shape = shapeOf(1, 1, 6);
  const Labels labels{ 0, 1, 2, 3, 1, 2 };
  const Labels expected[] = { { 0, 0, 1, 3, 0, 1 }, { 0, 1, 1, 3, 1, 1 }, { 0, 1, 2, 3, 1, 2 },
    { 0, 0, 2, 3, 0, 2 }, { 0, 1, 1, 3, 1, 1 }, { 1, 0, 1, 1, 0, 1 }, { 0, 0, 2, 3, 0, 2 },
    { 1, 1, 1, 1, 1, 1 } };
  for (int operation = 0; operation < 8; ++operation)
  {
    check::setContext(names[operation]);
    CHECK_EVERYWHERE(world, shape, labels, logical(operation, 1, "2"), expected[operation],
      "values", Effort::Every);
  }
  check::setContext("");
}

/// All operations, all types, segments with many voxels, without any, and with themselves.
void testAllTypes(const World& world)
{
  const Shape shape = oddShape(6, 5, 7);
  forEachType(
    [&](auto zero)
    {
      using T = decltype(zero);
      check::Random random(5);
      const auto labels = volumes::make<T>(
        shape.box, [&](Index x, Index, Index) { return x < 2 ? 3 : random.below(5); });
      for (int operation = 0; operation < 8; ++operation)
      {
        for (const Index other : { 4, 99, 3 })
        {
          check::setContext(vtkTypeTraits<T>::SizedName(), " ", names[operation], " with ", other);
          CHECK_EVERYWHERE(world, shape, labels, logical(operation, 3, std::to_string(other)),
            expectedOf(labels, operation, T(3), static_cast<T>(other)), "values");
        }
      }
    });
  check::setContext("");
}

void testErrors(const World& world)
{
  const Shape shape = shapeOf(3, 3, 5);
  const Box piece = paralleltest::pieceOf(
    Layout::SharedPlanes, shape.box, world.communicator->rank(), world.communicator->size());
  const auto input = makePiece(shape, std::vector<unsigned char>(45, 7), piece);
  for (int operation = 0; operation < 8; ++operation)
  {
    check::setContext(names[operation]);
    const bool needs = operation <= vtkLabelMapLogical::XOR;
    if (needs)
    {
      CHECK_REFUSED(world, logical(operation, 7, "")(), input, "ModifierSegmentID is missing");
      for (const char* bad : { "pores", "0", "-1", " 1", "1 ", "+1", "1.0", "0x1", "256", "257",
             "99999999999999999999", "1e0" })
      {
        CHECK_REFUSED(world, logical(operation, 7, bad)(), input,
          "there is no segment '" + std::string(bad) + "'");
      }
    }
    else
    {
      // The others do not look at it.
      const auto effect = logical(operation, 7, "pores")();
      effect->SetController(world.communicator->controller());
      vtkNew<vtkImageData> output;
      CHECK(effect->Apply(input, output));
    }
  }
  check::setContext("");
  CHECK_REFUSED(world, logical(-1, 7, "1")(), input, "Operation is -1, expected 0 to 7");
  CHECK_REFUSED(world, logical(8, 7, "1")(), input, "Operation is 8, expected 0 to 7");
  vtkNew<vtkLabelMapLogical> effect;
  effect->SetModifierSegmentID(nullptr);
  CHECK_EQUAL(std::string(effect->GetModifierSegmentID()), "");
  CHECK(effect->GetBypassMasking());
}

} // namespace

int TestLabelMapLogical(int argc, char* argv[])
{
  World world(argc, argv);
  for (const int operation : { vtkLabelMapLogical::COPY, vtkLabelMapLogical::INVERT,
         vtkLabelMapLogical::CLEAR, vtkLabelMapLogical::FILL })
  {
    check::setContext(names[operation]);
    commonSuite(world, logical(operation, 1, "2"), "values");
    if (operation != vtkLabelMapLogical::COPY)
    {
      segmentSuite(world, logical(operation, 1, ""),
        [=](const Shape&, std::vector<std::uint8_t> mask)
        {
          for (std::uint8_t& value : mask)
          {
            value = truth(operation, value != 0, false) ? 1 : 0;
          }
          return mask;
        });
    }
  }
  check::setContext("");
  testByHand(world);
  testAllTypes(world);
  testErrors(world);
  return result(world);
}
