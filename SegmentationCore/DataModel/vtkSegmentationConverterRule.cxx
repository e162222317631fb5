// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkSegmentationConverterRule.h"

#include "vtkDataObject.h"
#include "vtkSegment.h"
#include "vtkSmartPointer.h"

//----------------------------------------------------------------------------
vtkSegmentationConverterRule::vtkSegmentationConverterRule() = default;

//----------------------------------------------------------------------------
vtkSegmentationConverterRule::~vtkSegmentationConverterRule() = default;

//----------------------------------------------------------------------------
vtkSegmentationConverterRule* vtkSegmentationConverterRule::Clone()
{
  vtkSegmentationConverterRule* clone = this->CreateRuleInstance();
  clone->ConversionParameters->DeepCopy(this->ConversionParameters);
  return clone;
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverterRule::PreConvert(vtkSegmentation* vtkNotUsed(segmentation))
{
  return true;
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverterRule::PostConvert(vtkSegmentation* vtkNotUsed(segmentation))
{
  return true;
}

//----------------------------------------------------------------------------
unsigned int vtkSegmentationConverterRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return 100;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterRule::GetRuleConversionParameters(
  vtkSegmentationConversionParameters* conversionParameters)
{
  if (!conversionParameters)
  {
    vtkErrorMacro("GetRuleConversionParameters: no list given.");
    return;
  }
  for (int i = 0; i < this->ConversionParameters->GetNumberOfParameters(); ++i)
  {
    conversionParameters->CopyParameter(this->ConversionParameters, i);
  }
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterRule::SetConversionParameter(
  const std::string& name, const std::string& value, const std::string& description)
{
  this->ConversionParameters->SetValue(name, value);
  if (!description.empty())
  {
    this->ConversionParameters->SetDescription(name, description);
  }
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverterRule::GetConversionParameter(const std::string& name)
{
  return this->ConversionParameters->GetValue(name);
}

//----------------------------------------------------------------------------
std::string vtkSegmentationConverterRule::GetConversionParameterDescription(const std::string& name)
{
  return this->ConversionParameters->GetDescription(name);
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverterRule::HasConversionParameter(const std::string& name)
{
  return this->ConversionParameters->GetIndexFromName(name) >= 0;
}

//----------------------------------------------------------------------------
bool vtkSegmentationConverterRule::CreateTargetRepresentation(vtkSegment* segment)
{
  if (!segment)
  {
    vtkErrorMacro("CreateTargetRepresentation: no segment given.");
    return false;
  }
  const std::string target = this->GetTargetRepresentationName();
  if (segment->GetRepresentation(target) && !this->ReplaceTargetRepresentation)
  {
    return true;
  }
  const auto object = vtkSmartPointer<vtkDataObject>::Take(
    this->ConstructRepresentationObjectByRepresentation(target));
  if (!object)
  {
    vtkErrorMacro("CreateTargetRepresentation: the rule '"
      << this->GetName() << "' makes no object for its target representation '" << target << "'.");
    return false;
  }
  segment->AddRepresentation(target, object);
  return true;
}

//----------------------------------------------------------------------------
void vtkSegmentationConverterRule::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Name: " << this->GetName() << "\n";
  os << indent << "From: " << this->GetSourceRepresentationName() << "\n";
  os << indent << "To: " << this->GetTargetRepresentationName() << "\n";
  os << indent << "Cost: " << this->GetConversionCost() << "\n";
  os << indent << "ReplaceTargetRepresentation: " << this->ReplaceTargetRepresentation << "\n";
  this->ConversionParameters->PrintSelf(os, indent.GetNextIndent());
}
