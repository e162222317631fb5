// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConverterFactory.h"

#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"
#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"
#include "vtkClosedSurfaceToFractionalLabelmapConversionRule.h"
#include "vtkFractionalLabelmapToClosedSurfaceConversionRule.h"
#include "vtkImageData.h"
#include "vtkObjectFactory.h"
#include "vtkPointData.h"
#include "vtkSegmentationConverter.h"

#include <algorithm>
#include <cstring>

namespace
{
// Plain pointer and counter: both are zero before any dynamic initialisation, in whatever order
// units are initialised.
vtkSegmentationConverterFactory* Instance = nullptr;
}

unsigned int vtkSegmentationConverterFactoryInitialize::Count = 0;

//----------------------------------------------------------------------------
vtkSegmentationConverterFactoryInitialize::vtkSegmentationConverterFactoryInitialize()
{
  if (++Count == 1)
  {
    vtkSegmentationConverterFactory::classInitialize();
  }
}

//----------------------------------------------------------------------------
vtkSegmentationConverterFactoryInitialize::~vtkSegmentationConverterFactoryInitialize()
{
  if (--Count == 0)
  {
    vtkSegmentationConverterFactory::classFinalize();
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::classInitialize()
{
  Instance = new vtkSegmentationConverterFactory;
  Instance->InitializeObjectBase();
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::classFinalize()
{
  Instance->Delete();
  Instance = nullptr;
}

//----------------------------------------------------------------------------
vtkSegmentationConverterFactory* vtkSegmentationConverterFactory::GetInstance()
{
  return Instance;
}

//----------------------------------------------------------------------------
vtkSegmentationConverterFactory* vtkSegmentationConverterFactory::New()
{
  Instance->Register(nullptr);
  return Instance;
}

//----------------------------------------------------------------------------
vtkSegmentationConverterFactory::vtkSegmentationConverterFactory() = default;

//----------------------------------------------------------------------------
vtkSegmentationConverterFactory::~vtkSegmentationConverterFactory() = default;

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::CopyConverterRules(RuleListType& rules)
{
  for (const auto& rule : this->Rules)
  {
    rules.push_back(vtkSmartPointer<vtkSegmentationConverterRule>::Take(rule->Clone()));
  }
}

//----------------------------------------------------------------------------
const vtkSegmentationConverterFactory::RuleListType&
vtkSegmentationConverterFactory::GetConverterRules()
{
  return this->Rules;
}

//----------------------------------------------------------------------------
int vtkSegmentationConverterFactory::GetNumberOfConverterRules()
{
  return static_cast<int>(this->Rules.size());
}

//----------------------------------------------------------------------------
vtkSegmentationConverterRule* vtkSegmentationConverterFactory::GetNthConverterRule(int index)
{
  return index >= 0 && index < this->GetNumberOfConverterRules() ? this->Rules[index] : nullptr;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::RegisterConverterRule(vtkSegmentationConverterRule* rule)
{
  if (!rule)
  {
    vtkErrorMacro("RegisterConverterRule: no rule given.");
    return;
  }
  this->Rules.emplace_back(rule);
  this->Modified();
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::UnregisterConverterRule(vtkSegmentationConverterRule* rule)
{
  const auto found = std::find(this->Rules.begin(), this->Rules.end(), rule);
  if (found == this->Rules.end())
  {
    vtkWarningMacro("UnregisterConverterRule: " << (rule
                        ? std::string("the rule '") + rule->GetName() + "' is not registered."
                        : std::string("no rule given.")));
    return;
  }
  this->Rules.erase(found);
  this->Modified();
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverterFactory::DisableConverterRule(
  std::string sourceRepresentationName, std::string targetRepresentationName)
{
  const auto end = std::remove_if(this->Rules.begin(), this->Rules.end(),
    [&](const vtkSmartPointer<vtkSegmentationConverterRule>& rule)
    {
      return sourceRepresentationName == rule->GetSourceRepresentationName() &&
        targetRepresentationName == rule->GetTargetRepresentationName();
    });
  if (end == this->Rules.end())
  {
    return false;
  }
  this->Rules.erase(end, this->Rules.end());
  this->Modified();
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::DisableRepresentation(std::string representationName)
{
  const auto end = std::remove_if(this->Rules.begin(), this->Rules.end(),
    [&](const vtkSmartPointer<vtkSegmentationConverterRule>& rule)
    {
      return representationName == rule->GetSourceRepresentationName() ||
        representationName == rule->GetTargetRepresentationName();
    });
  if (end != this->Rules.end())
  {
    this->Rules.erase(end, this->Rules.end());
    this->Modified();
  }
}

//----------------------------------------------------------------------------
vtkDataObject* vtkSegmentationConverterFactory::ConstructRepresentationObjectByClass(
  std::string className)
{
  for (const auto& rule : this->Rules)
  {
    if (vtkDataObject* object = rule->ConstructRepresentationObjectByClass(className))
    {
      return object;
    }
  }
  return nullptr;
}

//----------------------------------------------------------------------------
vtkDataObject* vtkSegmentationConverterFactory::ConstructRepresentationObjectByRepresentation(
  std::string representationName)
{
  for (const auto& rule : this->Rules)
  {
    vtkDataObject* object = rule->ConstructRepresentationObjectByRepresentation(representationName);
    vtkImageData* image = vtkImageData::SafeDownCast(object);
    if (image && !image->GetPointData()->GetScalars() &&
      representationName == vtkSegmentationConverter::GetBinaryLabelmapRepresentationName())
    {
      image->AllocateScalars(VTK_UNSIGNED_CHAR, 1); // of no voxels: sets the type
    }
    if (object)
    {
      return object;
    }
  }
  return nullptr;
}

//----------------------------------------------------------------------------
int vtkSegmentationConverterFactory::RegisterStandardConversionRules()
{
  const vtkSmartPointer<vtkSegmentationConverterRule> standard[] = {
    vtkSmartPointer<vtkBinaryLabelmapToClosedSurfaceConversionRule>::New(),
    vtkSmartPointer<vtkClosedSurfaceToBinaryLabelmapConversionRule>::New(),
    vtkSmartPointer<vtkClosedSurfaceToFractionalLabelmapConversionRule>::New(),
    vtkSmartPointer<vtkFractionalLabelmapToClosedSurfaceConversionRule>::New(),
  };
  vtkSegmentationConverterFactory* factory = GetInstance();
  int added = 0;
  for (const auto& rule : standard)
  {
    const bool isNew = std::none_of(factory->Rules.begin(), factory->Rules.end(),
      [&rule](const vtkSmartPointer<vtkSegmentationConverterRule>& known)
      { return !std::strcmp(known->GetClassName(), rule->GetClassName()); });
    if (isNew)
    {
      factory->RegisterConverterRule(rule);
      ++added;
    }
  }
  return added;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterFactory::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Rules: " << this->Rules.size() << "\n";
  for (const auto& rule : this->Rules)
  {
    rule->PrintSelf(os, indent.GetNextIndent());
  }
}
