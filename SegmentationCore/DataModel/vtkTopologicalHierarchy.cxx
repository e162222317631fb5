// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "vtkTopologicalHierarchy.h"

#include "vtkBoundingBox.h"
#include "vtkCollectionIterator.h"
#include "vtkIntArray.h"
#include "vtkObjectFactory.h"
#include "vtkPolyData.h"
#include "vtkPolyDataCollection.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace
{

constexpr int MaximumLevel = 7;

bool holds(const vtkBoundingBox& outer, const vtkBoundingBox& inner, double factor)
{
  double outerBounds[6];
  double innerBounds[6];
  if (!outer.IsValid() || !inner.IsValid())
  {
    return false;
  }
  outer.GetBounds(outerBounds);
  inner.GetBounds(innerBounds);
  for (int a = 0; a < 3; ++a)
  {
    const double margin = factor * outer.GetLength(a);
    if (!(innerBounds[2 * a] - outerBounds[2 * a] > margin) ||
      !(outerBounds[2 * a + 1] - innerBounds[2 * a + 1] > margin))
    {
      return false;
    }
  }
  return true;
}

double sizeOf(const vtkBoundingBox& box)
{
  return box.IsValid() ? box.GetDiagonalLength() : 0.0;
}

} // namespace

vtkStandardNewMacro(vtkTopologicalHierarchy);
vtkCxxSetObjectMacro(vtkTopologicalHierarchy, InputPolyDataCollection, vtkPolyDataCollection);

//------------------------------------------------------------------------------
vtkTopologicalHierarchy::vtkTopologicalHierarchy()
{
  this->OutputLevels = vtkIntArray::New();
}

//------------------------------------------------------------------------------
vtkTopologicalHierarchy::~vtkTopologicalHierarchy()
{
  this->SetInputPolyDataCollection(nullptr);
  this->OutputLevels->Delete();
}

//------------------------------------------------------------------------------
vtkIntArray* vtkTopologicalHierarchy::GetOutputLevels()
{
  return this->OutputLevels;
}

//------------------------------------------------------------------------------
void vtkTopologicalHierarchy::Update()
{
  this->OutputLevels->Initialize();
  if (!this->InputPolyDataCollection)
  {
    vtkErrorMacro("Update: no collection of surfaces; call SetInputPolyDataCollection first");
    return;
  }
  std::vector<vtkBoundingBox> boxes;
  vtkCollectionSimpleIterator iterator;
  this->InputPolyDataCollection->InitTraversal(iterator);
  while (vtkObject* item = this->InputPolyDataCollection->GetNextItemAsObject(iterator))
  {
    vtkPolyData* surface = vtkPolyData::SafeDownCast(item);
    if (!surface)
    {
      vtkErrorMacro("Update: item " << boxes.size() << " of the collection is a "
                                    << item->GetClassName() << ", not a vtkPolyData");
      return;
    }
    boxes.emplace_back();
    if (surface->GetNumberOfPoints() > 0)
    {
      boxes.back().SetBounds(surface->GetBounds());
    }
  }
  if (static_cast<int>(boxes.size()) != this->InputPolyDataCollection->GetNumberOfItems())
  {
    vtkErrorMacro("Update: item " << boxes.size() << " of the collection is null");
    return;
  }

  // In the order of sizes the contents' levels are known first, so that the second pass changes
  // nothing. More are needed below a factor of 0 only: two boxes may hold each other, and rise to
  // the highest level.
  const std::size_t count = boxes.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{ 0 });
  std::stable_sort(order.begin(), order.end(),
    [&boxes](std::size_t a, std::size_t b) { return sizeOf(boxes[a]) < sizeOf(boxes[b]); });
  std::vector<int> levels(count, 0);
  for (bool changed = true; changed;)
  {
    changed = false;
    for (const std::size_t outer : order)
    {
      int level = 0;
      for (std::size_t inner = 0; inner < count; ++inner)
      {
        if (inner != outer && holds(boxes[outer], boxes[inner], this->ContainConstraintFactor))
        {
          level = std::max(level, std::min(MaximumLevel, levels[inner] + 1));
        }
      }
      changed = changed || level != levels[outer];
      levels[outer] = level;
    }
  }
  this->OutputLevels->SetNumberOfValues(static_cast<vtkIdType>(count));
  std::copy(levels.begin(), levels.end(), this->OutputLevels->GetPointer(0));
}

//------------------------------------------------------------------------------
void vtkTopologicalHierarchy::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "InputPolyDataCollection: " << this->InputPolyDataCollection << "\n";
  os << indent << "ContainConstraintFactor: " << this->ContainConstraintFactor << "\n";
  os << indent << "OutputLevels:";
  for (vtkIdType i = 0; i < this->OutputLevels->GetNumberOfValues(); ++i)
  {
    os << " " << this->OutputLevels->GetValue(i);
  }
  os << "\n";
}
