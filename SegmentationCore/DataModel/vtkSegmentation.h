// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/**
 * @class vtkSegmentation
 * @brief an ordered list of segments that hold the same kinds of representations
 *
 * With the interface of Slicer's class of that name. Segments are addressed by ID (unique, never
 * empty) or by display index; whatever goes through all segments goes in display order.
 *
 * Source representation: the one that counts (default "Binary labelmap"); the others can be made
 * from it by the conversion rules (see vtkSegmentationConverter). Its data objects are observed:
 * when one fires Modified, every segment drops its other representations, and
 * ContainedRepresentationNamesModified and SourceRepresentationModified follow. Replacing a
 * segment's source object by AddRepresentation is a change of the segment, and only that.
 *
 * Conversions are all or nothing: if a rule fails, every segment keeps the representations it had,
 * and the error names the rule and the segment.
 *
 * Layers: several segments may hold the same data object; each distinct object is a layer, counted
 * in the order of first use in the display order. In a shared binary labelmap each segment is told
 * apart by its label value. Removing or separating a segment takes its voxels out of the shared
 * image.
 *
 * Events, invoked here. Modified (of the list of segments) comes before SegmentAdded,
 * SegmentRemoved and SegmentsOrderModified. While one call changes many segments, their
 * SegmentModified events wait for its end; then each changed segment has one, in display order.
 * Call data:
 *
 * - SegmentAdded, SegmentRemoved, SegmentModified, RepresentationModified: the segment's ID (char*)
 * - ContainedRepresentationNamesModified, SegmentsOrderModified: null
 * - SourceRepresentationModified: null when a source object fired; this, or the new image, where a
 *   call here caused it
 *
 * IDs: those that are made here are "2.25." and the decimal value of a random UUID, or, with
 * UUIDSegmentIDs off, "S_" and 16 random letters and digits. A made-up variant of a given ID is
 * `<id>_<n>`, n counting up from 1 for the whole segmentation until it is empty again.
 *
 * Differences from Slicer: see docs/data-model.md. Most of all: nothing is deleted by choosing a
 * source representation that is not there; an ID that is taken is refused; a segment that is
 * refused is left as it was; IsSharedBinaryLabelmap means what its name says; a failed conversion
 * is an error.
 *
 * Cost: look-ups by ID are logarithmic, by index constant; adding a segment, and a change of one,
 * cost a look-up. Merging, collapsing and extents read every layer once, whatever the number of
 * segments, on all cores. Threads: not to be used from two at a time; events fire in the calling
 * thread.
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
#include <set>    // for sets of names
#include <string> // for std::string
#include <vector> // for lists of IDs

class vtkAbstractTransform;
class vtkCallbackCommand;
class vtkCollection;
class vtkDataObject;
class vtkIntArray;
class vtkMinimalStandardRandomSequence;
class vtkOrientedImageData;
class vtkSegmentationConversionParameters;
class vtkSegmentationConversionPath;
class vtkSegmentationConversionPaths;
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

  ///@{
  /// Transform the source representation and the reference image geometry; everything else is
  /// dropped. Each shared object is transformed once; of an image a linear transform changes the
  /// geometry alone, another one resamples it (nearest neighbour). The first form refuses a
  /// transform that is not linear with an error, the second warns of one that is. Nothing changes
  /// if a segment lacks the source.
  virtual void ApplyLinearTransform(vtkAbstractTransform* transform);
  virtual void ApplyNonLinearTransform(vtkAbstractTransform* transform);
  ///@}

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
  /// Of a segment that has some, the source and whatever else the others have is made by the
  /// cheapest conversion from those, and what the others do not have is removed. False, with an
  /// error and nothing changed, if it cannot be added: no segment, no way to convert it, an ID that
  /// is taken, a segment that is in the list.
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

  /// ID of the segment with that name, in upper or lower case; of several the first one listed. ""
  /// if there is none.
  std::string GetSegmentIdBySegmentName(std::string name);

  /// Segments with that tag, in display order; with that value unless it is empty.
  std::vector<vtkSegment*> GetSegmentsByTag(std::string tag, std::string value = "");

  /// The same for Python: the segments are appended to a collection.
  void GetSegmentsByTag(std::string tag, std::string value, vtkCollection* segments);

  /// A segment's representation, null if there is no such segment or representation.
  vtkDataObject* GetSegmentRepresentation(std::string segmentId, std::string representationName);

  /// Copy or move a segment from another segmentation. An ID that is taken gets a number, with a
  /// warning. The reference geometry is taken over if this segmentation has none.
  bool CopySegmentFromSegmentation(
    vtkSegmentation* fromSegmentation, std::string segmentId, bool removeFromSource = false);

  ///@{
  /// Whether the source representation can be made from one of that name, or from one that the
  /// segment has. An empty segmentation takes every segment that is not null.
  bool CanAcceptRepresentation(std::string representationName);
  bool CanAcceptSegment(vtkSegment* segment);
  ///@}

  /// Remove a segment's voxels or surface: in a shared binary labelmap its label becomes 0, an
  /// object of its own becomes empty. Other representations are dropped. Fires
  /// ContainedRepresentationNamesModified and SourceRepresentationModified twice, as in Slicer. An
  /// unknown ID does nothing.
  void ClearSegment(std::string segmentId);

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

  /// Add the names of all representations that the conversion rules know.
  void GetAvailableRepresentationNames(std::set<std::string>& representationNames);

  /// The same for Python, as a new list in alphabetical order.
  std::vector<std::string> GetAvailableRepresentationNames();

  /// Make a representation of all segments by the cheapest path. With `alwaysConvert` it is made
  /// again from the source, and so is everything on the way; else from whatever the segments have,
  /// and only where it is missing. A poly data that only one segment holds stays the same object
  /// when it is made again. False if there is no path, or, with an error and nothing changed, if a
  /// rule fails.
  ///
  /// Events: SegmentModified and RepresentationModified for each segment with a new object, then
  /// ContainedRepresentationNamesModified.
  bool CreateRepresentation(
    const std::string& targetRepresentationName, bool alwaysConvert = false);

  /// Make a representation of all segments by the given path, over what is there, after setting the
  /// given parameters (which stay set). Null parameters are none. Events: SegmentModified for each
  /// segment with a new object, RepresentationModified for each segment, then
  /// ContainedRepresentationNamesModified.
  bool CreateRepresentation(
    vtkSegmentationConversionPath* path, vtkSegmentationConversionParameters* parameters);

  /// Paths from the source representation; the list is replaced.
  void GetPossibleConversions(
    const std::string& targetRepresentationName, vtkSegmentationConversionPaths* paths);

  /// Remove all representations but the source. Fires ContainedRepresentationNamesModified.
  void InvalidateNonSourceRepresentations();

  /// Remove a representation from all segments. Fires ContainedRepresentationNamesModified.
  void RemoveRepresentation(const std::string& representationName);

  ///@{
  /// Stored names and values, among them "Reference image geometry"; see vtkSegmentationConverter.
  void SetConversionParameter(const std::string& name, const std::string& value);
  std::string GetConversionParameter(const std::string& name);
  void GetConversionParametersForPath(
    vtkSegmentationConversionParameters* conversionParameters, vtkSegmentationConversionPath* path);
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

  // Geometry --------------------------------------------------------------------------------------
  // Binary labelmaps only. No IDs, or null, means all segments; an unknown ID is a warning and
  // passed over.

  ///@{
  /// Geometry text (see vtkSegmentationConverter) of a lattice on which all labelmaps fit; "" if no
  /// segment has voxels to speak of. The lattice is the reference image geometry, or without one
  /// the finest labelmap's. The extent is chosen by the mode: that of the reference, of the
  /// labelmaps, or of their voxels above 0 ("effective", all segments of a layer together), perhaps
  /// with one voxel around. If a labelmap is finer than the reference, the result is refined by a
  /// whole factor, the rounded cube root of the ratio of voxel volumes.
#ifndef __VTK_WRAP__
  std::string DetermineCommonLabelmapGeometry(int extentComputationMode = EXTENT_UNION_OF_SEGMENTS,
    const std::vector<std::string>& segmentIDs = std::vector<std::string>());
#endif
  std::string DetermineCommonLabelmapGeometry(
    int extentComputationMode, vtkStringArray* segmentIds);
  ///@}

  ///@{
  /// Extent, in the lattice of an image, that holds the labelmaps (their voxels above 0);
  /// (0,-1,0,-1,0,-1) if there are none.
#ifndef __VTK_WRAP__
  void DetermineCommonLabelmapExtent(int commonGeometryExtent[6],
    vtkOrientedImageData* commonGeometryImage,
    const std::vector<std::string>& segmentIDs = std::vector<std::string>(),
    bool computeEffectiveExtent = false, bool addPadding = false);
#endif
  void DetermineCommonLabelmapExtent(int commonGeometryExtent[6],
    vtkOrientedImageData* commonGeometryImage, vtkStringArray* segmentIds,
    bool computeEffectiveExtent = false, bool addPadding = false);
  ///@}

  /// Give an image the common geometry, without allocating scalars. False, with an error and
  /// nothing changed, if there is none.
  bool SetImageGeometryFromCommonLabelmapGeometry(vtkOrientedImageData* imageData,
    vtkStringArray* segmentIDs = nullptr,
    int extentComputationMode = vtkSegmentation::EXTENT_UNION_OF_EFFECTIVE_SEGMENTS);

#ifndef __VTK_WRAP__
  /// Fill an image with the segments of a list (all if it is empty): background 0, each segment its
  /// position in the list from 1, or the value given for it; where segments overlap, the later one.
  /// The geometry is that of `mergedLabelmapGeometry`, else the common one by the mode. Labelmaps
  /// of other lattices are resampled (nearest neighbour). Voxels are short, or int if a value needs
  /// it. Without any voxels in the segments true, and the image is left alone. False, with an error
  /// and nothing changed: an unknown segment, one without binary labelmap, a number of values that
  /// differs from that of segments.
  bool GenerateMergedLabelmap(vtkOrientedImageData* mergedImageData, int extentComputationMode,
    vtkOrientedImageData* mergedLabelmapGeometry = nullptr,
    const std::vector<std::string>& segmentIDs = std::vector<std::string>(),
    vtkIntArray* labelValues = nullptr);
#endif

  /// The same for Python: the list is a vtkStringArray, null for all.
  bool GenerateMergedLabelmap(vtkOrientedImageData* mergedImageData, int extentComputationMode,
    vtkOrientedImageData* mergedLabelmapGeometry, vtkStringArray* segmentIDs,
    vtkIntArray* labelValues = nullptr);

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

  /// Put segments into one new layer with labels 1 to n in the order of the list. Where they
  /// overlap the later one stays. The lattice is the common one, around the segments' voxels. Fires
  /// SegmentModified for each of them, and what a change of the source fires. An empty list does
  /// nothing; an unknown segment or one without binary labelmap is an error, and nothing changes.
  void MergeSegmentLabelmaps(std::vector<std::string> mergeSegmentIds);

  /// Put the segments into as few layers as possible without losing a voxel, or (forced) all into
  /// one as MergeSegmentLabelmaps does. Layer 0 keeps its lattice and labels; the other segments,
  /// in order of layer and display, go to the first new layer where they overlap nothing, and get
  /// the next label there. Other representations stay, for every segment looks as before; fires
  /// SegmentModified alone. Nothing happens with one layer or none.
  void CollapseBinaryLabelmaps(bool forceToSingleLayer = false);

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
  /// Convert some segments along a path; with `overwriteExisting` also where a representation on
  /// the way is there already. All or nothing: on failure, with an error, no segment has changed.
  /// Fires SegmentModified for segments that changed.
  bool ConvertSegmentsUsingPath(std::vector<std::string> segmentIDs,
    vtkSegmentationConversionPath* path, bool overwriteExisting = false);
  bool ConvertSegmentUsingPath(
    vtkSegment* segment, vtkSegmentationConversionPath* path, bool overwriteExisting = false);
  bool ConvertSingleSegment(std::string segmentId, std::string targetRepresentationName);
  ///@}

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
  friend class vtkSegmentationHistory;
  friend class vtkSegmentationModifier;
  friend class qMRMLSegmentEditorWidgetPrivate;

private:
  vtkSegmentation(const vtkSegmentation&) = delete;
  void operator=(const vtkSegmentation&) = delete;

  // A segment in the list: its ID, our observer, and what the tables below count of it.
  struct ObservedSegment
  {
    std::string ID;
    unsigned long Tag = 0;
    vtkSmartPointer<vtkDataObject> Source;
    vtkSmartPointer<vtkDataObject> Labelmap;
    int Label = 0;
    std::string Name;
    bool Listed = false;
  };
  // A source object: our observer, and the number of segments that hold it.
  struct ObservedSource
  {
    unsigned long Tag = 0;
    int Users = 0;
  };
  // Label values of the segments of a layer with the number of their users; all values below the
  // candidate are taken.
  struct LabelUse
  {
    std::map<int, int> Users;
    int FirstCandidate = 1;
  };
  std::map<vtkSegment*, ObservedSegment> ObservedSegments;
  std::map<vtkDataObject*, ObservedSource> ObservedSources;
  std::map<vtkDataObject*, LabelUse> LayerLabels;
  // Names of segments with the number of their users; by base, the number where the search for a
  // free name begins.
  std::map<std::string, int> NameUsers;
  std::map<std::string, int> FirstNameCandidate;
  vtkSmartPointer<vtkCallbackCommand> SegmentCommand;
  vtkSmartPointer<vtkCallbackCommand> SourceCommand;
  bool SegmentModifiedEnabled = true;
  bool SourceRepresentationModifiedEnabled = true;
  int SegmentIdCounter = 0;

  // While one exists, SegmentModified events wait, and sources may change without consequences.
  class QuietScope;
  int QuietScopes = 0;
  std::set<vtkSegment*> WaitingSegments;

  // All representations and label values of some segments, to go back to.
  struct SegmentState;
  std::vector<SegmentState> GetStates(const std::vector<vtkSmartPointer<vtkSegment>>& more);
  void RestoreStates(const std::vector<SegmentState>& states);

  static void OnSegmentModified(vtkObject* caller, unsigned long, void* self, void*);
  static void OnSourceModified(vtkObject*, unsigned long, void* self, void*);
  void SourceWasModified();
  void InvokeSegmentModified(const std::vector<std::string>& ids);
  void ObserveSegment(vtkSegment* segment, const std::string& id);
  void UnobserveSegment(vtkSegment* segment);
  void ObserveSource(ObservedSegment& observed, vtkDataObject* source);
  void CountNameAndLabel(ObservedSegment& observed, vtkSegment* segment);
  void InsertSegment(vtkSegment* segment, std::string id, const std::string& insertBefore);
  void EraseSegment(std::string id);
  bool CheckNewSegment(vtkSegment* segment, const std::string& id);
  std::vector<std::string> GetWantedRepresentationNames();
  bool CompleteNewSegment(vtkSegment* segment, const std::string& id);
  vtkSmartPointer<vtkDataObject> MakeEmptyRepresentation(const std::string& name);
  std::vector<vtkDataObject*> GetLayers(const std::string& representationName);
  std::vector<vtkOrientedImageData*> GetLabelmaps(const std::vector<std::string>& ids);
  std::vector<std::string> KnownOrAllIDs(const std::vector<std::string>& ids, const char* method);
  vtkSmartPointer<vtkSegmentationConversionPath> FindCheapestPath(
    const std::vector<std::string>& sources, const std::string& target);
  bool Convert(const std::vector<vtkSmartPointer<vtkSegment>>& segments,
    vtkSegmentationConversionPath* path, bool overwriteExisting);
  bool RunRules(const std::vector<vtkSmartPointer<vtkSegment>>& segments,
    vtkSegmentationConversionPath* path, bool overwriteExisting);
  void ApplyTransform(vtkAbstractTransform* transform, const char* method);
  struct Collapse;
};

#endif
