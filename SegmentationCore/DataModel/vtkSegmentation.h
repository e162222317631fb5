// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentation
 * @brief an ordered list of segments that hold the same kinds of representations
 *
 * With the interface of Slicer's class of that name; conversion between representations and merging
 * are not part of it yet. Segments are addressed by ID (unique, never empty) or by display index.
 *
 * Source representation: the one that counts (default "Binary labelmap"); the others can be made
 * from it. Its data objects are observed: when one fires Modified, every segment drops its other
 * representations, and ContainedRepresentationNamesModified and SourceRepresentationModified
 * follow. Replacing a segment's source object by AddRepresentation is a change of the segment, and
 * only that.
 *
 * Layers: several segments may hold the same data object; each distinct object is a layer, counted
 * in the order of first use in the display order. In a shared binary labelmap each segment is told
 * apart by its label value. Removing or separating a segment takes its voxels out of the shared
 * image.
 *
 * Events, invoked here; Modified (of the list of segments) comes before SegmentAdded,
 * SegmentRemoved and SegmentsOrderModified:
 *
 * | event                                | call data                                              |
 * |--------------------------------------|--------------------------------------------------------|
 * | SourceRepresentationModified         | null; this, or the new image, where a call here caused
 * it | | RepresentationModified               | ID of the segment (char*) | | SegmentAdded,
 * SegmentRemoved         | ID of the segment                                      | |
 * SegmentModified                      | ID of the segment                                      |
 * | ContainedRepresentationNamesModified | null                                                   |
 * | SegmentsOrderModified                | null                                                   |
 *
 * IDs: those that are made here are "2.25." and the decimal value of a random UUID, or, with
 * UUIDSegmentIDs off, "S_" and 16 random letters and digits. A made-up variant of a given ID is
 * `<id>_<n>`, n counting up from 1 for the whole segmentation until it is empty again.
 *
 * Differences from Slicer, where its behaviour loses data or contradicts its documentation:
 * - AddSegment refuses an ID that is taken, and a segment that is in the list already. Slicer lists
 * the ID twice and drops the segment that had it.
 * - The source of the last added segment is observed from the start. In Slicer edits of it go
 * unnoticed until another segment changes.
 * - A segment that is refused is left as it was, and not observed. (Without conversion, one that
 * lacks the source, or another representation that the others have, is refused.)
 * - SetSourceRepresentationName refuses a name that a segment has no representation of, as long as
 * that segment has any. Slicer deletes all voxels and surfaces then.
 * - IsSharedBinaryLabelmap returns true when the labelmap is shared; Slicer returns the opposite.
 * - GetUniqueLabelValueForSharedLabelmap of an image counts the label values of segments without
 * voxels.
 * - ReorderSegments ignores repeated IDs; Slicer lists the segment twice.
 * - RemoveAllSegments does not cut up shared images. Removed segments that somebody else holds keep
 * the shared image and their label value.
 * - CopySegmentFromSegmentation takes a moved segment out of a shared image before it moves, so
 * that no image is shared between two segmentations.
 * - UUIDSegmentIDs works in every build, and is on by default.
 * - GetContainedRepresentationNames asks the first segment of the display order; GetSegmentsByTag
 * and the lists of sharing segments follow that order. Slicer's go by alphabet of the IDs.
 *
 * Cost: look-ups by ID are logarithmic, by index constant; a change of a segment costs a look-up.
 * Threads: not to be used from two at a time; events fire in the calling thread.
 *
 * @sa vtkSegment vtkSegmentationConverter vtkSegmentationLabelMapAdapter
 */
#ifndef vtkSegmentation_h
#define vtkSegmentation_h

#include "SegmentationCoreDataModelModule.h" // for export macro
#include "vtkObject.h"
#include "vtkSegment.h" // for SegmentMap
#include "vtkSmartPointer.h"

#include <deque>  // for the display order
#include <map>    // for SegmentMap
#include <string> // for std::string
#include <vector> // for lists of IDs

class vtkCallbackCommand;
class vtkCollection;
class vtkDataObject;
class vtkMinimalStandardRandomSequence;
class vtkOrientedImageData;
class vtkSegmentationConverter;
class vtkStringArray;

class SEGMENTATIONCOREDATAMODEL_EXPORT vtkSegmentation : public vtkObject
{
public:
  static vtkSegmentation* New();
  vtkTypeMacro(vtkSegmentation, vtkObject);
  void PrintSelf(ostream& os, vtkIndent indent) override;

  /// Events; see the class comment for their call data.
  enum
  {
    SourceRepresentationModified = 62100,
    RepresentationModified,
    SegmentAdded,
    SegmentRemoved,
    SegmentModified,
    ContainedRepresentationNamesModified,
    SegmentsOrderModified
  };

  /// Which extent a common geometry gets. Padding is one voxel on each side.
  enum
  {
    EXTENT_REFERENCE_GEOMETRY = 0,
    EXTENT_UNION_OF_SEGMENTS,
    EXTENT_UNION_OF_SEGMENTS_PADDED,
    EXTENT_UNION_OF_EFFECTIVE_SEGMENTS,
    EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_PADDED,
    EXTENT_UNION_OF_EFFECTIVE_SEGMENTS_AND_REFERENCE_GEOMETRY
  };

  typedef std::map<std::string, vtkSmartPointer<vtkSegment>> SegmentMap;

  ///@{
  /// The attribute SourceRepresentationName, and nothing else.
  virtual void ReadXMLAttributes(const char** atts);
  virtual void WriteXML(ostream& of, int indent);
  ///@}

  /// Make this segmentation equal to another, with its own copies of all data. What is shared there
  /// is shared here. Null does nothing.
  virtual void DeepCopy(vtkSegmentation* aSegmentation);

  /// Take over the conversion parameters of another segmentation.
  virtual void CopyConversionParameters(vtkSegmentation* aSegmentation);

  /// Box around all segments; see vtkSegment::GetBounds.
  virtual void GetBounds(double bounds[6]);

  /// Make `destination` equal to `source`. Its representations are those of `baseline` where that
  /// one has a newer object of the same name, else copies; `cachedRepresentations` (source to copy)
  /// lets one call after another share the copy of a shared object. Images are copied whole.
  /// `baseline` may be null.
  static void CopySegment(vtkSegment* destination, vtkSegment* source, vtkSegment* baseline,
    std::map<vtkDataObject*, vtkDataObject*>& cachedRepresentations);

  ///@{
  /// Whether IDs that are made here are UUIDs. Default on.
  vtkSetMacro(UUIDSegmentIDs, bool);
  vtkGetMacro(UUIDSegmentIDs, bool);
  vtkBooleanMacro(UUIDSegmentIDs, bool);
  ///@}

  /// What the random letters of IDs are drawn from; one for the process, seeded from the clock. Set
  /// its seed to get the same IDs again.
  static vtkMinimalStandardRandomSequence* GetSegmentIDRandomSequenceInstance();

  // Segments --------------------------------------------------------------------------------------

  /// Add a segment, before another or at the end. Without an ID one is made; then the segment needs
  /// a name. A segment without representations gets empty ones of the kinds that the others have.
  /// Representations that the others do not have are removed from it. False, with an error and
  /// nothing changed, if it cannot be added; see the class comment.
  bool AddSegment(
    vtkSegment* segment, std::string segmentId = "", std::string insertBeforeSegmentId = "");

  /// Add a new segment without voxels and return its ID, "" if that failed. An ID that is taken
  /// gets a number. Without a name it is Segment_<n> with the smallest free n. With binary
  /// labelmaps as source it joins the layer of the first segment, with the smallest label value
  /// that is free there; the image's voxel type is widened if the label does not fit.
  std::string AddEmptySegment(
    std::string segmentId = "", std::string segmentName = "", double color[3] = nullptr);

  /// A new ID: `id` itself if it is free.
  std::string GenerateUniqueSegmentID(std::string id = "");

  ///@{
  /// Remove a segment. An unknown one gives a warning, null an error.
  void RemoveSegment(std::string segmentId);
  void RemoveSegment(vtkSegment* segment);
  void RemoveAllSegments();
  ///@}

  /// The segment with that ID, or null.
  vtkSegment* GetSegment(std::string segmentId);

  ///@{
  /// IDs in display order; a list that is given is replaced.
  void GetSegmentIDs(std::vector<std::string>& segmentIds);
  void GetSegmentIDs(vtkStringArray* segmentIds);
  std::vector<std::string> GetSegmentIDs();
  ///@}

  ///@{
  /// Segments by display index. Null, "" and -1 where there is none.
  int GetNumberOfSegments() const;
  vtkSegment* GetNthSegment(unsigned int index) const;
  std::string GetNthSegmentID(unsigned int index) const;
  int GetSegmentIndex(const std::string& segmentId);
  ///@}

  /// Move a segment to an index. Fires the events of a change even if it is there already. False,
  /// with an error, for an unknown ID or an index out of range.
  bool SetSegmentIndex(const std::string& segmentId, unsigned int newIndex);

  /// Move segments, in the order of the list, before another, or to the end if that one is not
  /// given, unknown or in the list itself. Unknown and repeated IDs are passed over. Without
  /// `insert before`, a list that equals the first IDs changes nothing, as in Slicer.
  void ReorderSegments(
    std::vector<std::string> segmentIdsToMove, std::string insertBeforeSegmentId = "");

  /// ID of a segment, "" if it is not in the list.
  std::string GetSegmentIdBySegment(vtkSegment* segment);

  /// ID of the segment with that name, in any case; of several the first by alphabet of the IDs. ""
  /// if there is none.
  std::string GetSegmentIdBySegmentName(std::string name);

  /// Segments with that tag, in display order; with that value unless it is empty.
  std::vector<vtkSegment*> GetSegmentsByTag(std::string tag, std::string value = "");

  /// A segment's representation, null if there is no such segment or representation.
  vtkDataObject* GetSegmentRepresentation(std::string segmentId, std::string representationName);

  /// Copy or move a segment from another segmentation. An ID that is taken gets a number, with a
  /// warning. The reference geometry is taken over if this segmentation has none.
  bool CopySegmentFromSegmentation(
    vtkSegmentation* fromSegmentation, std::string segmentId, bool removeFromSource = false);

  // Representations -------------------------------------------------------------------------------

  /// Names of the representations of the segments, alphabetical; the list is replaced.
  void GetContainedRepresentationNames(std::vector<std::string>& representationNames);

  /// True if the segments have a representation of that name.
  bool ContainsRepresentation(std::string representationName);

  ///@{
  /// Kind of the source representation: that of the first segment's, else by its name.
  bool IsSourceRepresentationPolyData();
  bool IsSourceRepresentationImageData();
  ///@}

  /// Remove all representations but the source. Fires ContainedRepresentationNamesModified.
  void InvalidateNonSourceRepresentations();

  /// Remove a representation from all segments. Fires ContainedRepresentationNamesModified.
  void RemoveRepresentation(const std::string& representationName);

  ///@{
  /// Stored names and values, among them "Reference image geometry"; see vtkSegmentationConverter.
  void SetConversionParameter(const std::string& name, const std::string& value);
  std::string GetConversionParameter(const std::string& name);
  std::string SerializeAllConversionParameters();
  void DeserializeConversionParameters(std::string conversionParametersString);
  ///@}

  ///@{
  /// Name of the representation that counts. Setting another one drops all others; see the class
  /// comment for what is refused.
  vtkGetMacro(SourceRepresentationName, std::string);
  virtual void SetSourceRepresentationName(const std::string& representationName);
  ///@}

  ///@{
  /// Deprecated names of the same; they warn.
  virtual void SetMasterRepresentationName(const std::string& representationName);
  std::string GetMasterRepresentationName();
  bool IsMasterRepresentationPolyData();
  bool IsMasterRepresentationImageData();
  void InvalidateNonMasterRepresentations();
  ///@}

  // Layers ----------------------------------------------------------------------------------------
  // An empty representation name means the source representation.

  /// True if another segment has its voxels in the same binary labelmap.
  bool IsSharedBinaryLabelmap(std::string segmentID);

  ///@{
  /// IDs of the segments that hold the same object, in display order; the list is replaced.
  void GetSegmentIDsSharingRepresentation(std::string originalSegmentId,
    std::string representationName, std::vector<std::string>& sharedSegmentIds,
    bool includeOriginalSegmentId = true);
  void GetSegmentIDsSharingBinaryLabelmapRepresentation(std::string originalSegmentId,
    std::vector<std::string>& sharedSegmentIds, bool includeOriginalSegmentId = true);
  ///@}

  ///@{
  /// A label value for a new segment of a layer. Of a segment's layer: the smallest one above 0
  /// that no segment there has. Of an image: one more than the largest that a voxel or segment has;
  /// 1 for null.
  int GetUniqueLabelValueForSharedLabelmap(std::string segmentId);
  int GetUniqueLabelValueForSharedLabelmap(vtkOrientedImageData* labelmap);
  ///@}

  /// Give a segment a binary labelmap of its own, with label value 1, and take its voxels out of
  /// the shared one. Other representations stay. Nothing happens if the segment is unknown or not
  /// shared.
  void SeparateSegmentLabelmap(std::string segmentId);

  ///@{
  /// Layers of a representation. Index -1, with an error for an unknown segment; null out of range.
  int GetNumberOfLayers(std::string representationName = "");
  int GetLayerIndex(std::string segmentId, std::string representationName = "");
  vtkDataObject* GetLayerDataObject(int layer, std::string representationName = "");
  void GetLayerObjects(vtkCollection* layerObjects, std::string representationName = "");
  std::vector<std::string> GetSegmentIDsForLayer(int layer, std::string representationName = "");
  std::vector<std::string> GetSegmentIDsForDataObject(
    vtkDataObject* dataObject, std::string representationName = "");
  ///@}

protected:
  vtkSegmentation();
  ~vtkSegmentation() override;

  ///@{
  /// Switch off what a change of a source object (a segment) causes here. Returns the old value.
  bool SetSourceRepresentationModifiedEnabled(bool enabled);
  bool SetSegmentModifiedEnabled(bool enabled);
  ///@}

  /// `<base>_<n>` with the smallest n from 1 that no segment has as its name.
  std::string GenerateUniqueSegmentName(std::string base);

  /// "2.25." and the decimal value of a random (version 4) UUID: an object identifier by ITU-T
  /// X.667.
  static std::string GenerateUUIDDerivedUID();

  /// "S_" and that many random characters; letters and digits unless others are given.
  static std::string GenerateRandomSegmentID(int suffixLength, std::string validCharacters = "");

  SegmentMap Segments;
  std::deque<std::string> SegmentIds;
  std::string SourceRepresentationName;
  vtkSegmentationConverter* Converter;
  bool UUIDSegmentIDs = true;

  friend class vtkMRMLSegmentationNode;
  friend class vtkSlicerSegmentationsModuleLogic;
  friend class vtkSegmentationModifier;
  friend class qMRMLSegmentEditorWidgetPrivate;

private:
  vtkSegmentation(const vtkSegmentation&) = delete;
  void operator=(const vtkSegmentation&) = delete;

  // A segment in the list: its ID, our observer, and the source object that is observed for it.
  struct ObservedSegment
  {
    std::string ID;
    unsigned long Tag = 0;
    vtkSmartPointer<vtkDataObject> Source;
  };
  // A source object: our observer, and the number of segments that hold it.
  struct ObservedSource
  {
    unsigned long Tag = 0;
    int Users = 0;
  };
  std::map<vtkSegment*, ObservedSegment> ObservedSegments;
  std::map<vtkDataObject*, ObservedSource> ObservedSources;
  vtkSmartPointer<vtkCallbackCommand> SegmentCommand;
  vtkSmartPointer<vtkCallbackCommand> SourceCommand;
  bool SegmentModifiedEnabled = true;
  bool SourceRepresentationModifiedEnabled = true;
  int SegmentIdCounter = 0;

  static void OnSegmentModified(vtkObject* caller, unsigned long, void* self, void*);
  static void OnSourceModified(vtkObject*, unsigned long, void* self, void*);
  void ObserveSegment(vtkSegment* segment, const std::string& id);
  void UnobserveSegment(vtkSegment* segment);
  void ObserveSource(ObservedSegment& observed, vtkDataObject* source);
  void InsertSegment(vtkSegment* segment, std::string id, const std::string& insertBefore);
  void EraseSegment(std::string id);
  bool CheckNewSegment(vtkSegment* segment, const std::string& id);
  vtkSmartPointer<vtkDataObject> MakeEmptyRepresentation(const std::string& name);
  std::vector<vtkDataObject*> GetLayers(const std::string& representationName);
};

#endif
