// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConversionPaths.h"

#include "vtkObjectFactory.h"
#include "vtkSegmentationConversionPath.h"

#include <vector>

vtkStandardNewMacro(vtkSegmentationConversionPaths);

//----------------------------------------------------------------------------
vtkSegmentationConversionPaths::vtkSegmentationConversionPaths() = default;

//----------------------------------------------------------------------------
vtkSegmentationConversionPaths::~vtkSegmentationConversionPaths() = default;

//----------------------------------------------------------------------------
void vtkSegmentationConversionPaths::AddPath(vtkSegmentationConversionPath* path)
{
  if (!path)
  {
    vtkErrorMacro("AddPath: no path given.");
    return;
  }
  this->AddItem(path);
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPaths::AddPaths(vtkSegmentationConversionPaths* paths)
{
  if (!paths)
  {
    vtkErrorMacro("AddPaths: no paths given.");
    return;
  }
  // First a list: the collection to add may be this one.
  std::vector<vtkSegmentationConversionPath*> added;
  vtkCollectionSimpleIterator cookie;
  paths->InitTraversal(cookie);
  while (vtkSegmentationConversionPath* path = paths->GetNextPath(cookie))
  {
    added.push_back(path);
  }
  for (vtkSegmentationConversionPath* path : added)
  {
    this->AddItem(path);
  }
}

//----------------------------------------------------------------------------
vtkSegmentationConversionPath* vtkSegmentationConversionPaths::GetNextPath()
{
  return vtkSegmentationConversionPath::SafeDownCast(this->GetNextItemAsObject());
}

//----------------------------------------------------------------------------
vtkSegmentationConversionPath* vtkSegmentationConversionPaths::GetPath(int index)
{
  if (index < 0 || index >= this->GetNumberOfPaths())
  {
    vtkErrorMacro("GetPath: index " << index << " is out of range; there are "
                                    << this->GetNumberOfPaths() << " paths.");
    return nullptr;
  }
  return vtkSegmentationConversionPath::SafeDownCast(this->GetItemAsObject(index));
}

//----------------------------------------------------------------------------
vtkSegmentationConversionPath* vtkSegmentationConversionPaths::GetNextPath(
  vtkCollectionSimpleIterator& cookie)
{
  return vtkSegmentationConversionPath::SafeDownCast(this->GetNextItemAsObject(cookie));
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionPaths::GetNumberOfPaths()
{
  return this->GetNumberOfItems();
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPaths::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  vtkCollectionSimpleIterator cookie;
  this->InitTraversal(cookie);
  while (vtkSegmentationConversionPath* path = this->GetNextPath(cookie))
  {
    os << indent << "Path:\n";
    path->PrintSelf(os, indent.GetNextIndent());
  }
}
