// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkCallbackConversionRule.h"

#include "vtkDataObject.h"
#include "vtkDataObjectTypes.h"
#include "vtkObjectFactory.h"
#include "vtkOrientedImageData.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConverter.h"

#include <utility>

vtkSegmentationConverterRuleNewMacro(vtkCallbackConversionRule);

namespace
{
vtkDataObject* NewObject(const std::string& className)
{
  if (className == "vtkOrientedImageData")
  {
    return vtkOrientedImageData::New();
  }
  return vtkDataObjectTypes::NewDataObject(className.c_str());
}

// The class that goes with a representation's name, unless one was chosen.
std::string ClassFor(const std::string& chosen, const std::string& representationName)
{
  using Names = vtkSegmentationConverter;
  if (!chosen.empty())
  {
    return chosen;
  }
  if (representationName == Names::GetBinaryLabelmapRepresentationName() ||
    representationName == Names::GetFractionalLabelmapRepresentationName())
  {
    return "vtkOrientedImageData";
  }
  return "vtkPolyData";
}

// Lets a member say what is being worked on for the duration of a block.
template <class T>
class During
{
public:
  During(T*& member, T* value) : Member(member) { member = value; }
  ~During() { this->Member = nullptr; }
  During(const During&) = delete;
  void operator=(const During&) = delete;

private:
  T*& Member;
};
}

//----------------------------------------------------------------------------
vtkCallbackConversionRule::vtkCallbackConversionRule() = default;

//----------------------------------------------------------------------------
vtkCallbackConversionRule::~vtkCallbackConversionRule() = default;

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetText(std::string& text, const std::string& value)
{
  if (text != value)
  {
    text = value;
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetName(const std::string& name)
{
  this->SetText(this->Name, name);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetSourceRepresentationName(const std::string& name)
{
  this->SetText(this->SourceName, name);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetTargetRepresentationName(const std::string& name)
{
  this->SetText(this->TargetName, name);
}

//----------------------------------------------------------------------------
unsigned int vtkCallbackConversionRule::GetConversionCost(
  vtkDataObject* vtkNotUsed(sourceRepresentation), vtkDataObject* vtkNotUsed(targetRepresentation))
{
  return this->Cost;
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetConversionCost(unsigned int cost)
{
  if (this->Cost != cost)
  {
    this->Cost = cost;
    this->Modified();
  }
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetClass(
  std::string& text, const std::string& className, const char* method)
{
  if (!className.empty() && !vtkSmartPointer<vtkDataObject>::Take(NewObject(className)))
  {
    vtkErrorMacro(<< method << ": '" << className
                  << "' is neither vtkOrientedImageData nor a data object of VTK.");
    return;
  }
  this->SetText(text, className);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetSourceClassName(const std::string& className)
{
  this->SetClass(this->SourceClassName, className, "SetSourceClassName");
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetTargetClassName(const std::string& className)
{
  this->SetClass(this->TargetClassName, className, "SetTargetClassName");
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetConvertFunction(
  std::function<bool(vtkCallbackConversionRule*, vtkSegment*)> function)
{
  this->ConvertFunction = std::move(function);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetPreConvertFunction(
  std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> function)
{
  this->PreConvertFunction = std::move(function);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::SetPostConvertFunction(
  std::function<bool(vtkCallbackConversionRule*, vtkSegmentation*)> function)
{
  this->PostConvertFunction = std::move(function);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::Succeed()
{
  this->Succeeded = true;
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::Fail(const std::string& reason)
{
  this->Succeeded = false;
  vtkErrorMacro("Rule '" << this->Name << "': " << reason);
}

//----------------------------------------------------------------------------
vtkSegmentationConverterRule* vtkCallbackConversionRule::Clone()
{
  auto* clone = static_cast<vtkCallbackConversionRule*>(this->Superclass::Clone());
  clone->Name = this->Name;
  clone->SourceName = this->SourceName;
  clone->TargetName = this->TargetName;
  clone->SourceClassName = this->SourceClassName;
  clone->TargetClassName = this->TargetClassName;
  clone->Cost = this->Cost;
  clone->ConvertFunction = this->ConvertFunction;
  clone->PreConvertFunction = this->PreConvertFunction;
  clone->PostConvertFunction = this->PostConvertFunction;
  clone->Original = this->Original ? this->Original.GetPointer() : this;
  return clone;
}

//----------------------------------------------------------------------------
vtkDataObject* vtkCallbackConversionRule::ConstructRepresentationObjectByRepresentation(
  std::string representationName)
{
  if (representationName == this->SourceName)
  {
    return NewObject(ClassFor(this->SourceClassName, this->SourceName));
  }
  return representationName == this->TargetName
    ? NewObject(ClassFor(this->TargetClassName, this->TargetName))
    : nullptr;
}

//----------------------------------------------------------------------------
vtkDataObject* vtkCallbackConversionRule::ConstructRepresentationObjectByClass(
  std::string className)
{
  const bool known = className == ClassFor(this->SourceClassName, this->SourceName) ||
    className == ClassFor(this->TargetClassName, this->TargetName);
  return known ? NewObject(className) : nullptr;
}

//----------------------------------------------------------------------------
bool vtkCallbackConversionRule::Ask(unsigned long event, bool succeedsByDefault)
{
  this->Succeeded = succeedsByDefault;
  vtkObject* speaker = this->Original ? this->Original.GetPointer() : this;
  speaker->InvokeEvent(event, this);
  return this->Succeeded;
}

//----------------------------------------------------------------------------
bool vtkCallbackConversionRule::PreConvert(vtkSegmentation* segmentation)
{
  const During<vtkSegmentation> during(this->Segmentation, segmentation);
  return this->PreConvertFunction ? this->PreConvertFunction(this, segmentation)
                                  : this->Ask(PreConvertEvent, true);
}

//----------------------------------------------------------------------------
bool vtkCallbackConversionRule::Convert(vtkSegment* segment)
{
  if (!segment || !segment->GetRepresentation(this->SourceName))
  {
    vtkErrorMacro("Convert: rule '" << this->Name << "' needs a segment with '" << this->SourceName
                                    << "'" << (segment ? "." : "; no segment given."));
    return false;
  }
  const During<vtkSegment> during(this->Segment, segment);
  const bool done =
    this->ConvertFunction ? this->ConvertFunction(this, segment) : this->Ask(ConvertEvent, false);
  return done && segment->GetRepresentation(this->TargetName);
}

//----------------------------------------------------------------------------
bool vtkCallbackConversionRule::PostConvert(vtkSegmentation* segmentation)
{
  const During<vtkSegmentation> during(this->Segmentation, segmentation);
  return this->PostConvertFunction ? this->PostConvertFunction(this, segmentation)
                                   : this->Ask(PostConvertEvent, true);
}

//----------------------------------------------------------------------------
void vtkCallbackConversionRule::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "SourceClassName: " << ClassFor(this->SourceClassName, this->SourceName) << "\n";
  os << indent << "TargetClassName: " << ClassFor(this->TargetClassName, this->TargetName) << "\n";
  os << indent << "Function: " << (this->ConvertFunction ? "yes" : "no") << "\n";
}
