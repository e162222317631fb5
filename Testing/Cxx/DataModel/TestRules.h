// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Conversion rules of which a test decides what they do.

#ifndef segcoreTestingTestRules_h
#define segcoreTestingTestRules_h

#include "vtkCallbackConversionRule.h"
#include "vtkPolyData.h"
#include "vtkSegment.h"
#include "vtkSegmentationConverterFactory.h"
#include "vtkSmartPointer.h"

#include <string>

/// A rule between any two representations that makes a new, empty data object.
inline vtkSmartPointer<vtkCallbackConversionRule> MakeRule(
  const std::string& from, const std::string& to, unsigned int cost)
{
  auto rule = vtkSmartPointer<vtkCallbackConversionRule>::New();
  rule->SetName(from + " to " + to);
  rule->SetSourceRepresentationName(from);
  rule->SetTargetRepresentationName(to);
  rule->SetConversionCost(cost);
  rule->SetConvertFunction(
    [to](vtkCallbackConversionRule* self, vtkSegment* segment)
    {
      const auto made = vtkSmartPointer<vtkDataObject>::Take(
        self->ConstructRepresentationObjectByRepresentation(to));
      segment->AddRepresentation(to, made);
      return true;
    });
  return rule;
}

inline vtkSmartPointer<vtkCallbackConversionRule> AddRule(
  const std::string& from, const std::string& to, unsigned int cost = 100)
{
  const auto rule = MakeRule(from, to, cost);
  vtkSegmentationConverterFactory::GetInstance()->RegisterConverterRule(rule);
  return rule;
}

inline void RemoveAllRules()
{
  auto* factory = vtkSegmentationConverterFactory::GetInstance();
  while (factory->GetNumberOfConverterRules() > 0)
  {
    factory->UnregisterConverterRule(factory->GetNthConverterRule(0));
  }
}

#endif
