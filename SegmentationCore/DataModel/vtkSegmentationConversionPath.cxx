// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConversionPath.h"

#include "vtkObjectFactory.h"
#include "vtkSegmentationConverterRule.h"

#include <algorithm>
#include <cstdint>

vtkStandardNewMacro(vtkSegmentationConversionPath);

//----------------------------------------------------------------------------
vtkSegmentationConversionPath::vtkSegmentationConversionPath() = default;

//----------------------------------------------------------------------------
vtkSegmentationConversionPath::~vtkSegmentationConversionPath() = default;

//----------------------------------------------------------------------------
unsigned int vtkSegmentationConversionPath::GetCost()
{
  const std::uint64_t limit = vtkSegmentationConverterRule::GetConversionInfiniteCost();
  std::uint64_t cost = 0;
  for (const auto& rule : this->Rules)
  {
    cost = std::min<std::uint64_t>(limit, cost + rule->GetConversionCost());
  }
  return static_cast<unsigned int>(cost);
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionPath::AddRule(vtkSegmentationConverterRule* rule)
{
  if (!rule)
  {
    vtkErrorMacro("AddRule: no rule given.");
    return -1;
  }
  this->Rules.emplace_back(rule);
  this->Modified();
  return this->GetNumberOfRules() - 1;
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPath::AddRules(vtkSegmentationConversionPath* path)
{
  if (!path)
  {
    vtkErrorMacro("AddRules: no path given.");
    return;
  }
  const auto rules = path->Rules; // the path may be this one
  this->Rules.insert(this->Rules.end(), rules.begin(), rules.end());
  if (!rules.empty())
  {
    this->Modified();
  }
}

//----------------------------------------------------------------------------
int vtkSegmentationConversionPath::GetNumberOfRules()
{
  return static_cast<int>(this->Rules.size());
}

//----------------------------------------------------------------------------
vtkSegmentationConverterRule* vtkSegmentationConversionPath::GetRule(int index)
{
  if (index < 0 || index >= this->GetNumberOfRules())
  {
    vtkErrorMacro("GetRule: index " << index << " is out of range; the path has "
                                    << this->GetNumberOfRules() << " rules.");
    return nullptr;
  }
  return this->Rules[index];
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPath::RemoveRule(int index)
{
  if (index < 0 || index >= this->GetNumberOfRules())
  {
    vtkErrorMacro("RemoveRule: index " << index << " is out of range; the path has "
                                       << this->GetNumberOfRules() << " rules.");
    return;
  }
  this->Rules.erase(this->Rules.begin() + index);
  this->Modified();
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPath::RemoveAllRules()
{
  if (!this->Rules.empty())
  {
    this->Rules.clear();
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPath::Copy(vtkSegmentationConversionPath* source)
{
  if (!source)
  {
    vtkErrorMacro("Copy: no source given.");
    return;
  }
  if (this->Rules != source->Rules)
  {
    this->Rules = source->Rules;
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConversionPath::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Cost: " << this->GetCost() << "\n";
  for (const auto& rule : this->Rules)
  {
    os << indent << "Rule: " << rule->GetName() << " (" << rule->GetSourceRepresentationName()
       << " to " << rule->GetTargetRepresentationName() << ")\n";
  }
}
