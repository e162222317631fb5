// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
// Code written against Slicer's library compiles against ours: the headers by their names, each
// public method by its exact type, enums by value, and what friends and derived classes may use.
// Most of this is checked by the compiler; the rest makes sure that the doubles of the friends
// work.
#include "vtkBinaryLabelmapToClosedSurfaceConversionRule.h"
#include "vtkCalculateOversamplingFactor.h"
#include "vtkClosedSurfaceToBinaryLabelmapConversionRule.h"
#include "vtkClosedSurfaceToFractionalLabelmapConversionRule.h"
#include "vtkFractionalLabelmapToClosedSurfaceConversionRule.h"
#include "vtkOrientedImageData.h"
#include "vtkOrientedImageDataResample.h"
#include "vtkPolyDataToFractionalLabelmapFilter.h"
#include "vtkSegment.h"
#include "vtkSegmentation.h"
#include "vtkSegmentationConversionParameters.h"
#include "vtkSegmentationConversionPath.h"
#include "vtkSegmentationConversionPaths.h"
#include "vtkSegmentationConverter.h"
#include "vtkSegmentationConverterFactory.h"
#include "vtkSegmentationConverterRule.h"
#include "vtkSegmentationCoreConfigure.h"
#include "vtkSegmentationCoreExport.h"
#include "vtkSegmentationHistory.h"
#include "vtkSegmentationModifier.h"
#include "vtkTopologicalHierarchy.h"

#include "Check.h"

#include "vtkNew.h"
#include "vtkObjectFactory.h"

#include <type_traits>

#ifndef vtkSegmentationCore_USE_UUID
#error "UUIDs are always there"
#endif

namespace
{
using Text = std::string;
using Texts = std::vector<std::string>;
using Image = vtkOrientedImageData;
using Parameters = vtkSegmentationConversionParameters;
using Path = vtkSegmentationConversionPath;
using Paths = vtkSegmentationConversionPaths;
using Rule = vtkSegmentationConverterRule;
using Resample = vtkOrientedImageDataResample;
using Modifier = vtkSegmentationModifier;

// The type is that of a method of the class if this compiles.
#define METHOD(result, name, ...)                                                                  \
  static_cast<void>(static_cast<result (C::*)(__VA_ARGS__)>(&C::name))
#define CONST_METHOD(result, name, ...)                                                            \
  static_cast<void>(static_cast<result (C::*)(__VA_ARGS__) const>(&C::name))
#define STATIC_METHOD(result, name, ...)                                                           \
  static_cast<void>(static_cast<result (*)(__VA_ARGS__)>(&C::name))

void ImageInterface()
{
  using C = vtkOrientedImageData;
  METHOD(void, ShallowCopy, vtkDataObject*);
  METHOD(void, DeepCopy, vtkDataObject*);
  METHOD(void, CopyDirections, vtkDataObject*);
  METHOD(void, SetDirections, double[3][3]);
  METHOD(
    void, SetDirections, double, double, double, double, double, double, double, double, double);
  METHOD(void, GetDirections, double[3][3]);
  METHOD(double, GetMinSpacing);
  METHOD(double, GetMaxSpacing);
  METHOD(void, GetDirectionMatrix, vtkMatrix4x4*);
  METHOD(void, SetDirectionMatrix, vtkMatrix4x4*);
  METHOD(void, GetImageToWorldMatrix, vtkMatrix4x4*);
  METHOD(void, SetImageToWorldMatrix, vtkMatrix4x4*);
  METHOD(void, SetGeometryFromImageToWorldMatrix, vtkMatrix4x4*);
  METHOD(void, GetWorldToImageMatrix, vtkMatrix4x4*);
  METHOD(void, ComputeBounds);
  METHOD(bool, IsEmpty);
  static_assert(std::is_base_of<vtkImageData, C>::value, "");
}

void ResampleInterface()
{
  using C = Resample;
  STATIC_METHOD(
    bool, ResampleOrientedImageToReferenceGeometry, Image*, vtkMatrix4x4*, Image*, bool);
  STATIC_METHOD(bool, ResampleOrientedImageToReferenceOrientedImage, Image*, Image*, Image*, bool,
    bool, vtkAbstractTransform*, double);
  STATIC_METHOD(
    void, TransformOrientedImage, Image*, vtkAbstractTransform*, bool, bool, bool, double[4]);
  STATIC_METHOD(bool, MergeImage, Image*, Image*, Image*, int, const int[6], double, double, bool*);
  STATIC_METHOD(bool, ModifyImage, Image*, Image*, int, const int[6], double, double);
  STATIC_METHOD(bool, CopyImage, Image*, Image*, const int[6]);
  STATIC_METHOD(void, PrintImageInformation, vtkImageData*, ostream&, vtkIndent);
  STATIC_METHOD(void, FillImage, vtkImageData*, double, const int[6]);
  STATIC_METHOD(bool, CalculateEffectiveExtent, Image*, int[6], double);
  STATIC_METHOD(void, InvalidateExtent, int[6]);
  STATIC_METHOD(bool, DoGeometriesMatch, Image*, Image*);
  STATIC_METHOD(bool, DoExtentsMatch, Image*, Image*);
  STATIC_METHOD(bool, DoGeometriesMatchIgnoreOrigin, Image*, Image*);
  STATIC_METHOD(void, TransformExtent, const int[6], vtkAbstractTransform*, int[6]);
  STATIC_METHOD(void, TransformBounds, const double[6], vtkAbstractTransform*, double[6]);
  STATIC_METHOD(void, TransformOrientedImageDataBounds, Image*, vtkAbstractTransform*, double[6]);
  STATIC_METHOD(bool, IsEqual, vtkMatrix4x4*, vtkMatrix4x4*);
  STATIC_METHOD(bool, AreEqualWithTolerance, double, double);
  STATIC_METHOD(bool, GetTransformBetweenOrientedImages, Image*, Image*, vtkTransform*);
  STATIC_METHOD(bool, PadImageToContainImage, Image*, Image*, Image*, const int[6]);
  STATIC_METHOD(bool, PadImageToContainImage, Image*, Image*, Image*);
  STATIC_METHOD(bool, IsTransformLinear, vtkAbstractTransform*, vtkTransform*);
  STATIC_METHOD(bool, DoesTransformMatrixContainShear, vtkMatrix4x4*);
  STATIC_METHOD(bool, ApplyImageMask, Image*, Image*, double, bool);
  STATIC_METHOD(void, GetLabelValuesInMask, std::vector<int>&, Image*, Image*, const int[6], int);
  STATIC_METHOD(bool, IsLabelInMask, Image*, Image*, int[6], int);
  STATIC_METHOD(int, IsImageScalarTypeValid, vtkImageData*);
  STATIC_METHOD(int, GetSmallestIntegerTypeForSegmentationScalarRange, double[2]);
  STATIC_METHOD(bool, CastSegmentationToSmallestIntegerType, vtkImageData*);
  STATIC_METHOD(bool, CastSegmentationToSmallestIntegerType, vtkImageData*, double[2]);
  STATIC_METHOD(void, CastImageForValue, vtkImageData*, double);
  static_assert(
    C::OPERATION_MINIMUM == 0 && C::OPERATION_MAXIMUM == 1 && C::OPERATION_MASKING == 2, "");
  static_assert(C::TYPE_OK == 0 && C::TYPE_CONVERSION_NEEDED == 1 &&
      C::TYPE_CONVERSION_TRUNCATION_NEEDED == 2 && C::TYPE_CONVERSION_CLAMPING_NEEDED == 3 &&
      C::TYPE_ERROR == 4,
    "");
  static_assert(std::is_enum<C::ImageTypeCheckResult>::value, "");
}

void SegmentInterface()
{
  using C = vtkSegment;
  const double (&color)[3] = C::SEGMENT_COLOR_INVALID;
  CHECK(color[0] == 0.5 && color[1] == 0.5 && color[2] == 0.5);
  STATIC_METHOD(const char*, GetTerminologyEntryTagName);
  METHOD(void, SetTerminology, Text);
  METHOD(Text, GetTerminology);
  METHOD(bool, HasTerminology);
  METHOD(void, ReadXMLAttributes, const char**);
  METHOD(void, WriteXML, ostream&, int);
  METHOD(void, DeepCopy, vtkSegment*);
  METHOD(void, DeepCopyMetadata, vtkSegment*);
  METHOD(void, GetBounds, double[6]);
  METHOD(vtkDataObject*, GetRepresentation, Text);
  METHOD(bool, AddRepresentation, Text, vtkDataObject*);
  METHOD(bool, RemoveRepresentation, Text);
  METHOD(void, RemoveAllRepresentations, Text);
  METHOD(void, SetTag, Text, Text);
  METHOD(void, SetTag, Text, int);
  METHOD(void, RemoveTag, Text);
  METHOD(bool, GetTag, Text, Text&);
  METHOD(bool, HasTag, Text);
  using Tags = std::map<std::string, std::string>;
  METHOD(void, GetTags, Tags&);
  METHOD(void, GetContainedRepresentationNames, Texts&);
  METHOD(char*, GetName);
  METHOD(void, SetName, const char*);
  METHOD(double*, GetColor);
  METHOD(void, SetColor, double, double, double);
  METHOD(bool, GetNameAutoGenerated);
  METHOD(void, SetNameAutoGenerated, bool);
  METHOD(void, ColorAutoGeneratedOff);
  METHOD(int, GetLabelValue);
  METHOD(void, SetLabelValue, int);
}

void SegmentationInterface()
{
  using C = vtkSegmentation;
  static_assert(C::SourceRepresentationModified == 62100 && C::RepresentationModified == 62101 &&
      C::SegmentAdded == 62102 && C::SegmentRemoved == 62103 && C::SegmentModified == 62104 &&
      C::ContainedRepresentationNamesModified == 62105 && C::SegmentsOrderModified == 62106,
    "");
  static_assert(C::EXTENT_REFERENCE_GEOMETRY == 0 && C::EXTENT_UNION_OF_SEGMENTS == 1 &&
      C::EXTENT_UNION_OF_SEGMENTS_PADDED == 2 && C::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS == 3 &&
      C::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_PADDED == 4 &&
      C::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY == 5,
    "");
  static_assert(
    std::is_same<C::SegmentMap, std::map<std::string, vtkSmartPointer<vtkSegment>>>::value, "");
  METHOD(void, ReadXMLAttributes, const char**);
  METHOD(void, WriteXML, ostream&, int);
  METHOD(void, DeepCopy, vtkSegmentation*);
  METHOD(void, CopyConversionParameters, vtkSegmentation*);
  METHOD(void, GetBounds, double[6]);
  METHOD(void, ApplyLinearTransform, vtkAbstractTransform*);
  METHOD(void, ApplyNonLinearTransform, vtkAbstractTransform*);
  using Cache = std::map<vtkDataObject*, vtkDataObject*>;
  STATIC_METHOD(void, CopySegment, vtkSegment*, vtkSegment*, vtkSegment*, Cache&);
  METHOD(void, SetUUIDSegmentIDs, bool);
  METHOD(bool, GetUUIDSegmentIDs);
  METHOD(void, UUIDSegmentIDsOn);
  STATIC_METHOD(vtkMinimalStandardRandomSequence*, GetSegmentIDRandomSequenceInstance);

  METHOD(bool, AddSegment, vtkSegment*, Text, Text);
  METHOD(Text, AddEmptySegment, Text, Text, double[3]);
  METHOD(Text, GenerateUniqueSegmentID, Text);
  METHOD(void, RemoveSegment, Text);
  METHOD(void, RemoveSegment, vtkSegment*);
  METHOD(void, RemoveAllSegments);
  METHOD(vtkSegment*, GetSegment, Text);
  METHOD(void, GetSegmentIDs, Texts&);
  METHOD(void, GetSegmentIDs, vtkStringArray*);
  METHOD(Texts, GetSegmentIDs);
  CONST_METHOD(int, GetNumberOfSegments);
  CONST_METHOD(vtkSegment*, GetNthSegment, unsigned int);
  CONST_METHOD(Text, GetNthSegmentID, unsigned int);
  METHOD(int, GetSegmentIndex, const Text&);
  METHOD(bool, SetSegmentIndex, const Text&, unsigned int);
  METHOD(void, ReorderSegments, Texts, Text);
  METHOD(Text, GetSegmentIdBySegment, vtkSegment*);
  METHOD(Text, GetSegmentIdBySegmentName, Text);
  METHOD(std::vector<vtkSegment*>, GetSegmentsByTag, Text, Text);
  METHOD(vtkDataObject*, GetSegmentRepresentation, Text, Text);
  METHOD(bool, CopySegmentFromSegmentation, vtkSegmentation*, Text, bool);
  METHOD(bool, CanAcceptRepresentation, Text);
  METHOD(bool, CanAcceptSegment, vtkSegment*);
  METHOD(void, ClearSegment, Text);

  METHOD(void, GetContainedRepresentationNames, Texts&);
  METHOD(bool, ContainsRepresentation, Text);
  METHOD(bool, IsSourceRepresentationPolyData);
  METHOD(bool, IsSourceRepresentationImageData);
  METHOD(void, GetAvailableRepresentationNames, std::set<std::string>&);
  METHOD(void, InvalidateNonSourceRepresentations);
  METHOD(bool, CreateRepresentation, const Text&, bool);
  METHOD(bool, CreateRepresentation, Path*, Parameters*);
  METHOD(void, RemoveRepresentation, const Text&);
  METHOD(void, GetPossibleConversions, const Text&, Paths*);
  METHOD(void, SetConversionParameter, const Text&, const Text&);
  METHOD(Text, GetConversionParameter, const Text&);
  METHOD(void, GetConversionParametersForPath, Parameters*, Path*);
  METHOD(Text, SerializeAllConversionParameters);
  METHOD(void, DeserializeConversionParameters, Text);
  METHOD(Text, GetSourceRepresentationName);
  METHOD(void, SetSourceRepresentationName, const Text&);
  METHOD(Text, GetMasterRepresentationName);
  METHOD(void, SetMasterRepresentationName, const Text&);
  METHOD(bool, IsMasterRepresentationPolyData);
  METHOD(bool, IsMasterRepresentationImageData);
  METHOD(void, InvalidateNonMasterRepresentations);

  METHOD(Text, DetermineCommonLabelmapGeometry, int, const Texts&);
  METHOD(Text, DetermineCommonLabelmapGeometry, int, vtkStringArray*);
  METHOD(void, DetermineCommonLabelmapExtent, int[6], Image*, const Texts&, bool, bool);
  METHOD(void, DetermineCommonLabelmapExtent, int[6], Image*, vtkStringArray*, bool, bool);
  METHOD(bool, SetImageGeometryFromCommonLabelmapGeometry, Image*, vtkStringArray*, int);
  METHOD(bool, GenerateMergedLabelmap, Image*, int, Image*, const Texts&, vtkIntArray*);
  METHOD(bool, IsSharedBinaryLabelmap, Text);
  METHOD(void, GetSegmentIDsSharingRepresentation, Text, Text, Texts&, bool);
  METHOD(void, GetSegmentIDsSharingBinaryLabelmapRepresentation, Text, Texts&, bool);
  METHOD(int, GetUniqueLabelValueForSharedLabelmap, Text);
  METHOD(int, GetUniqueLabelValueForSharedLabelmap, Image*);
  METHOD(void, MergeSegmentLabelmaps, Texts);
  METHOD(void, SeparateSegmentLabelmap, Text);
  METHOD(void, CollapseBinaryLabelmaps, bool);
  METHOD(int, GetNumberOfLayers, Text);
  METHOD(int, GetLayerIndex, Text, Text);
  METHOD(vtkDataObject*, GetLayerDataObject, int, Text);
  METHOD(void, GetLayerObjects, vtkCollection*, Text);
  METHOD(Texts, GetSegmentIDsForLayer, int, Text);
  METHOD(Texts, GetSegmentIDsForDataObject, vtkDataObject*, Text);
}

void ConverterInterface()
{
  using C = vtkSegmentationConverter;
  for (const char* (*name)() :
    { &C::GetSegmentationBinaryLabelmapRepresentationName, &C::GetBinaryLabelmapRepresentationName,
      &C::GetSegmentationFractionalLabelmapRepresentationName,
      &C::GetFractionalLabelmapRepresentationName,
      &C::GetSegmentationPlanarContourRepresentationName, &C::GetPlanarContourRepresentationName,
      &C::GetSegmentationClosedSurfaceRepresentationName, &C::GetClosedSurfaceRepresentationName,
      &C::GetScalarRangeFieldName, &C::GetThresholdValueFieldName,
      &C::GetInterpolationTypeFieldName })
  {
    CHECK(*name() != '\0');
  }
  STATIC_METHOD(const Text, GetReferenceImageGeometryParameterName);
  METHOD(void, DeepCopy, C*);
  METHOD(void, GetAvailableRepresentationNames, std::set<std::string>&);
  METHOD(void, GetPossibleConversions, const Text&, const Text&, Paths*);
  METHOD(void, GetConversionParametersForPath, Parameters*, Path*);
  METHOD(void, GetAllConversionParameters, Parameters*);
  METHOD(void, SetConversionParameters, Parameters*);
  METHOD(void, SetConversionParameter, const Text&, const Text&, const Text&);
  METHOD(Text, GetConversionParameter, const Text&);
  METHOD(Text, GetConversionParameterDescription, const Text&);
  METHOD(Text, SerializeAllConversionParameters);
  METHOD(void, DeserializeConversionParameters, Text);
  METHOD(void, ApplyTransformOnReferenceImageGeometry, vtkAbstractTransform*);
  STATIC_METHOD(Path*, GetCheapestPath, Paths*);
  STATIC_METHOD(Text, SerializeImageGeometry, Image*);
  STATIC_METHOD(Text, SerializeImageGeometry, vtkMatrix4x4*, vtkImageData*);
  STATIC_METHOD(Text, SerializeImageGeometry, vtkMatrix4x4*, int[6]);
  STATIC_METHOD(bool, DeserializeImageGeometry, Text, Image*, bool, int, int);
  STATIC_METHOD(bool, DeserializeImageGeometry, Text, vtkMatrix4x4*, int[6]);
}

void FactoryAndPathInterface()
{
  {
    using C = vtkSegmentationConverterFactory;
    static_assert(std::is_same<C::RuleListType, std::vector<vtkSmartPointer<Rule>>>::value, "");
    STATIC_METHOD(C*, GetInstance);
    STATIC_METHOD(C*, New);
    METHOD(void, CopyConverterRules, C::RuleListType&);
    METHOD(const C::RuleListType&, GetConverterRules);
    METHOD(void, RegisterConverterRule, Rule*);
    METHOD(void, UnregisterConverterRule, Rule*);
    METHOD(bool, DisableConverterRule, Text, Text);
    METHOD(void, DisableRepresentation, Text);
    METHOD(vtkDataObject*, ConstructRepresentationObjectByClass, Text);
    METHOD(vtkDataObject*, ConstructRepresentationObjectByRepresentation, Text);
    const vtkSegmentationConverterFactoryInitialize oneMoreUnit;
    CHECK(C::GetInstance() != nullptr);
  }
  {
    using C = Path;
    METHOD(unsigned int, GetCost);
    METHOD(int, AddRule, Rule*);
    METHOD(void, AddRules, Path*);
    METHOD(int, GetNumberOfRules);
    METHOD(Rule*, GetRule, int);
    METHOD(void, RemoveRule, int);
    METHOD(void, RemoveAllRules);
    METHOD(void, Copy, Path*);
  }
  {
    using C = Paths;
    static_assert(std::is_base_of<vtkCollection, C>::value, "");
    METHOD(void, AddPath, Path*);
    METHOD(void, AddPaths, Paths*);
    METHOD(Path*, GetNextPath);
    METHOD(Path*, GetPath, int);
    METHOD(Path*, GetNextPath, vtkCollectionSimpleIterator&);
    METHOD(int, GetNumberOfPaths);
  }
  {
    using C = Parameters;
    METHOD(Text, GetName, int);
    METHOD(void, SetName, int, const Text&);
    METHOD(Text, GetDescription, int);
    METHOD(Text, GetDescription, const Text&);
    METHOD(void, SetDescription, int, const Text&);
    METHOD(void, SetDescription, const Text&, const Text&);
    METHOD(Text, GetValue, int);
    METHOD(Text, GetValue, const Text&);
    METHOD(double, GetValueAsDouble, const Text&);
    METHOD(int, GetValueAsInt, const Text&);
    METHOD(void, SetValue, int, const Text&);
    METHOD(void, SetValue, const Text&, const Text&);
    METHOD(int, GetIndexFromName, const Text);
    METHOD(int, GetNumberOfParameters);
    METHOD(void, RemoveAllParameters);
    METHOD(void, RemoveParameter, int);
    METHOD(int, SetParameter, const Text&, const Text&, const Text&);
    METHOD(void, DeepCopy, Parameters*);
    METHOD(void, CopyParameter, Parameters*, int);
  }
}

void EditingInterface()
{
  {
    using C = Modifier;
    static_assert(C::MODE_REPLACE == 0 && C::MODE_MERGE_MAX == 1 && C::MODE_MERGE_MIN == 2 &&
        C::MODE_MERGE_MASK == 3,
      "");
    STATIC_METHOD(bool, ModifyBinaryLabelmap, Image*, vtkSegmentation*, Text, int, const int[6],
      bool, bool, const Texts, Texts*);
    STATIC_METHOD(bool, GetSharedSegmentIDsInMask, vtkSegmentation*, Text, Image*, const int[6],
      Texts&, int, bool);
  }
  {
    using C = vtkSegmentationHistory;
    METHOD(void, SetSegmentation, vtkSegmentation*);
    METHOD(bool, SaveState);
    METHOD(bool, RestorePreviousState);
    METHOD(bool, RestoreNextState);
    METHOD(bool, IsRestorePreviousStateAvailable);
    METHOD(bool, IsRestoreNextStateAvailable);
    METHOD(void, RemoveAllStates);
    METHOD(void, SetMaximumNumberOfStates, unsigned int);
  }
}

void OtherInterfaces()
{
  {
    using C = vtkBinaryLabelmapToClosedSurfaceConversionRule;
    for (const std::string (*name)() :
      { &C::GetDecimationFactorParameterName, &C::GetSmoothingFactorParameterName,
        &C::GetComputeSurfaceNormalsParameterName, &C::GetConversionMethodParameterName,
        &C::GetSurfaceNetInternalSmoothingParameterName, &C::GetJointSmoothingParameterName })
    {
      CHECK(!name().empty());
    }
    const std::string& flyingEdges = C::CONVERSION_METHOD_FLYING_EDGES;
    const std::string& surfaceNets = C::CONVERSION_METHOD_SURFACE_NETS;
    CHECK(flyingEdges == "0" && surfaceNets == "1");
  }
  {
    using C = vtkClosedSurfaceToBinaryLabelmapConversionRule;
    for (const std::string (*name)() :
      { &C::GetOversamplingFactorParameterName, &C::GetCropToReferenceImageGeometryParameterName,
        &C::GetCollapseLabelmapsParameterName })
    {
      CHECK(!name().empty());
    }
    static_assert(
      std::is_base_of<C, vtkClosedSurfaceToFractionalLabelmapConversionRule>::value, "");
  }
  {
    using C = vtkCalculateOversamplingFactor;
    METHOD(bool, CalculateOversamplingFactor);
    STATIC_METHOD(void, ApplyOversamplingOnImageGeometry, Image*, double);
    METHOD(void, SetInputPolyData, vtkPolyData*);
    METHOD(void, SetReferenceGeometryImageData, Image*);
    METHOD(double, GetOutputOversamplingFactor);
    METHOD(double, GetOutputRelativeStructureSize);
    METHOD(double, GetOutputComplexityMeasure);
    METHOD(double, GetOutputNormalizedShapeIndex);
    METHOD(void, SetLogSpeedMeasurements, bool);
  }
  {
    using C = vtkTopologicalHierarchy;
    METHOD(vtkIntArray*, GetOutputLevels);
    METHOD(void, Update);
    METHOD(void, SetInputPolyDataCollection, vtkPolyDataCollection*);
    METHOD(void, SetContainConstraintFactor, double);
  }
  {
    using C = vtkPolyDataToFractionalLabelmapFilter;
    METHOD(Image*, GetOutput);
    METHOD(void, SetOutput, Image*);
    METHOD(void, SetOutputImageToWorldMatrix, vtkMatrix4x4*);
    METHOD(void, GetOutputImageToWorldMatrix, vtkMatrix4x4*);
    METHOD(void, DeleteCache);
    METHOD(void, SetNumberOfOffsets, int);
    static_assert(FRACTIONAL_MIN == -108 && FRACTIONAL_MAX == 108 && FRACTIONAL_STEP_SIZE == 1, "");
  }
}

// A rule as an extension writes it.
class ExtensionRule : public vtkSegmentationConverterRule
{
public:
  static ExtensionRule* New();
  vtkTypeMacro(ExtensionRule, vtkSegmentationConverterRule);
  vtkSegmentationConverterRule* CreateRuleInstance() override;
  vtkDataObject* ConstructRepresentationObjectByRepresentation(std::string name) override
  {
    return name == "Ribbon" ? vtkOrientedImageData::New() : nullptr;
  }
  vtkDataObject* ConstructRepresentationObjectByClass(std::string) override { return nullptr; }
  bool PreConvert(vtkSegmentation*) override { return true; }
  bool Convert(vtkSegment* segment) override
  {
    this->ReplaceTargetRepresentation = true;
    return this->CreateTargetRepresentation(segment) &&
      this->ConversionParameters->GetValueAsInt("width") == 4;
  }
  bool PostConvert(vtkSegmentation*) override { return true; }
  unsigned int GetConversionCost(vtkDataObject* = nullptr, vtkDataObject* = nullptr) override
  {
    return 300;
  }
  const char* GetName() override { return "Contour to ribbon"; }
  const char* GetSourceRepresentationName() override { return "Planar contour"; }
  const char* GetTargetRepresentationName() override { return "Ribbon"; }

protected:
  ExtensionRule() { this->ConversionParameters->SetParameter("width", "4", "Width"); }
};
vtkSegmentationConverterRuleNewMacro(ExtensionRule);

void RuleInterface()
{
  using C = Rule;
  STATIC_METHOD(unsigned int, GetConversionInfiniteCost);
  CHECK_EQUAL(C::GetConversionInfiniteCost(), 10000000u);
  METHOD(Rule*, CreateRuleInstance);
  METHOD(Rule*, Clone);
  METHOD(bool, Convert, vtkSegment*);
  METHOD(unsigned int, GetConversionCost, vtkDataObject*, vtkDataObject*);
  METHOD(void, GetRuleConversionParameters, Parameters*);
  METHOD(void, SetConversionParameter, const Text&, const Text&, const Text&);
  METHOD(Text, GetConversionParameter, const Text&);
  METHOD(Text, GetConversionParameterDescription, const Text&);
  METHOD(bool, HasConversionParameter, const Text&);
  static_assert(std::is_abstract<Rule>::value, "");
  static_assert(std::is_base_of<vtkBinaryLabelmapToClosedSurfaceConversionRule,
                  vtkFractionalLabelmapToClosedSurfaceConversionRule>::value,
    "");
  vtkNew<ExtensionRule> rule;
  const auto clone = vtkSmartPointer<Rule>::Take(rule->Clone());
  vtkNew<vtkSegment> segment;
  CHECK(clone->Convert(segment) && segment->GetRepresentation("Ribbon"));
  vtkDataObject* first = segment->GetRepresentation("Ribbon");
  CHECK(clone->Convert(segment) && segment->GetRepresentation("Ribbon") != first);
}
}

// Doubles of the classes that are friends, by their names.
template <class Friend>
void CheckFriend();

#define FRIEND(cls)                                                                                \
  class cls                                                                                        \
  {                                                                                                \
  public:                                                                                          \
    static void UseWhatIsProtected()                                                               \
    {                                                                                              \
      using C = vtkSegmentation;                                                                   \
      vtkNew<vtkSegmentation> segmentation;                                                        \
      METHOD(bool, ConvertSegmentsUsingPath, Texts, Path*, bool);                                  \
      METHOD(bool, ConvertSegmentUsingPath, vtkSegment*, Path*, bool);                             \
      METHOD(bool, ConvertSingleSegment, Text, Text);                                              \
      METHOD(Text, GenerateUniqueSegmentName, Text);                                               \
      STATIC_METHOD(Text, GenerateUUIDDerivedUID);                                                 \
      STATIC_METHOD(Text, GenerateRandomSegmentID, int, Text);                                     \
      CHECK(segmentation->SetSourceRepresentationModifiedEnabled(false));                          \
      CHECK(!segmentation->SetSourceRepresentationModifiedEnabled(true));                          \
      CHECK(segmentation->SetSegmentModifiedEnabled(false));                                       \
      CHECK(!segmentation->SetSegmentModifiedEnabled(true));                                       \
      CHECK_EQUAL(segmentation->SourceRepresentationName, "Binary labelmap");                      \
      CHECK(segmentation->Segments.empty() && segmentation->SegmentIds.empty());                   \
      vtkSegmentationConverter* converter = segmentation->Converter;                               \
      CHECK(converter != nullptr);                                                                 \
    }                                                                                              \
  };                                                                                               \
  template <>                                                                                      \
  void CheckFriend<cls>()                                                                          \
  {                                                                                                \
    cls::UseWhatIsProtected();                                                                     \
  }

FRIEND(vtkMRMLSegmentationNode)
FRIEND(vtkSlicerSegmentationsModuleLogic)
FRIEND(qMRMLSegmentEditorWidgetPrivate)

// What a derived class uses.
class DerivedSegmentation : public vtkSegmentation
{
public:
  static DerivedSegmentation* New() { VTK_STANDARD_NEW_BODY(DerivedSegmentation); }
  std::size_t Size() const { return this->Segments.size() + this->SegmentIds.size(); }
};

int TestSegmentationInterface(int, char*[])
{
  ImageInterface();
  ResampleInterface();
  SegmentInterface();
  SegmentationInterface();
  ConverterInterface();
  FactoryAndPathInterface();
  EditingInterface();
  OtherInterfaces();
  RuleInterface();
  CheckFriend<vtkMRMLSegmentationNode>();
  CheckFriend<vtkSlicerSegmentationsModuleLogic>();
  CheckFriend<qMRMLSegmentEditorWidgetPrivate>();
  vtkNew<DerivedSegmentation> derived;
  derived->AddEmptySegment("a");
  CHECK_EQUAL(derived->Size(), 2u);
  return check::result();
}
